/* Coinbase's answers and messages as fields: what is read, what is refused, and the recorded ones. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "shared_file.h"
#include "venue/live/coinbase_frame.h"

static struct error error;

static void refuses(int code, const char *part)
{
    cr_expect_eq(code, ERROR_INPUT);
    cr_expect(strstr(error.text, part), "%s", error.text);
    error = (struct error){0};
}

static int read_order(const char *text, struct coinbase_order *out)
{
    return coinbase_read_order(text, strlen(text), out, &error);
}

/* --- errors ------------------------------------------------------------------------------------- */

Test(coinbase_decode, a_row_of_the_error_table_each)
{
    static const struct {
        const char *reason, *part;
        enum reject reject;
    } rows[] = {
#define X(reason, part, reject) {reason, part, reject},
        COINBASE_ERRORS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct coinbase_error one = {{0}, {0}};
        bool known = false;
        snprintf(one.reason, sizeof one.reason, "%s", rows[i].reason);
        snprintf(one.text, sizeof one.text, "before %s behind", rows[i].part);
        cr_expect_eq(coinbase_reject(&one, &known), rows[i].reject, "%s", rows[i].reason);
        cr_expect(known);
        snprintf(one.reason, sizeof one.reason, "PREVIEW_%s", rows[i].reason);
        cr_expect_eq(coinbase_reject(&one, &known), rows[i].reject, "PREVIEW_%s", rows[i].reason);
        cr_expect(known);
    }
}

/* What the protocol's document says of reasons, apart from the table that is tested. */
Test(coinbase_decode, reasons_of_the_document)
{
    static const struct {
        const char *reason;
        enum reject reject;
        bool known;
    } rows[] = {{"INSUFFICIENT_FUND", REJECT_FUNDS, true},
                {"PREVIEW_INSUFFICIENT_FUND", REJECT_FUNDS, true},
                {"PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY", REJECT_POST_ONLY, true},
                {"INVALID_SIZE_PRECISION", REJECT_LOT, true},
                {"INVALID_PRICE_PRECISION", REJECT_TICK, true},
                {"TRADING_DISABLED", REJECT_HALTED, true},
                {"INVALID_PRODUCT_ID", REJECT_HALTED, true},
                {"DUPLICATE_CLIENT_ORDER_ID", REJECT_DUPLICATE, true},
                {"TOO_MANY_PENDING_REPLACES", REJECT_RATE, true},
                {"UNKNOWN_CANCEL_ORDER", REJECT_NOT_FOUND, true},
                {"unknown", REJECT_OTHER, false},
                {"", REJECT_OTHER, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct coinbase_error one = {{0}, {0}};
        bool known = true;
        snprintf(one.reason, sizeof one.reason, "%s", rows[i].reason);
        cr_expect_eq(coinbase_reject(&one, &known), rows[i].reject, "%s", rows[i].reason);
        cr_expect_eq(known, rows[i].known, "%s", rows[i].reason);
    }
}

static void reads_error(const char *text, const char *reason, const char *words)
{
    struct coinbase_error one;
    cr_expect(coinbase_read_error(text, strlen(text), &one), "%s", text);
    cr_expect_str_eq(one.reason, reason);
    cr_expect_str_eq(one.text, words);
}

Test(coinbase_decode, errors_of_every_shape)
{
    struct coinbase_error none;
    reads_error("{\"errors\":[{\"id\":\"not_found\",\"message\":\"Not found\"}]}", "not_found",
                "Not found");
    reads_error("{\"error\":\"unknown\",\"error_details\":\"gone\",\"message\":\"\"}", "unknown",
                "gone");
    reads_error("{\"error\":\"invalid_request\",\"error_description\":\"bad\"}", "invalid_request",
                "bad");
    reads_error("{\"error\":\"PERMISSION_DENIED\",\"message\":\"account is not available\"}",
                "account", "account is not available");
    reads_error("{\"error\":\"a\\nb\",\"message\":\"c\\td\"}", "a?b", "c?d");
    cr_expect_not(coinbase_read_error("Unauthorized\n", 13, &none));
    cr_expect_not(coinbase_read_error("{}", 2, &none));
    cr_expect_not(coinbase_read_error("[]", 2, &none));
}

/* --- orders ------------------------------------------------------------------------------------- */

#define ORDER(more)                                                                                \
    "{\"order\":{\"order_id\":\"o\",\"client_order_id\":\"c\",\"product_id\":\"BTC-USD\","         \
    "\"status\":"                                                                                  \
    "\"OPEN\",\"side\":\"SELL\"" more "}}"

Test(coinbase_decode, an_order)
{
    struct coinbase_order order;
    cr_assert_eq(
        read_order(ORDER(",\"order_configuration\":{\"limit_limit_gtd\":{\"base_size\":\"0.2\","
                         "\"limit_price\":\"100\",\"end_time\":\"2026-04-07T14:35:00Z\"}},"
                         "\"time_in_force\":\"GOOD_UNTIL_DATE_TIME\",\"filled_size\":\"0.05\","
                         "\"total_fees\":\"0.01\",\"created_time\":\"2026-04-07T14:30:00Z\","
                         "\"last_update_time\":\"2026-04-07T14:30:01Z\",\"reject_reason\":"
                         "\"REJECT_REASON_UNSPECIFIED\",\"cancel_message\":\"why\""),
                   &order),
        0, "%s", error.text);
    cr_expect_str_eq(order.id, "o");
    cr_expect_str_eq(order.name, "c");
    cr_expect_eq(order.side, SIDE_SELL);
    cr_expect_eq(order.status, COINBASE_OPEN);
    cr_expect_eq(order.time_in_force, TIME_IN_FORCE_GTC);
    cr_expect(order.has_end);
    cr_expect_eq(json_units(&order.size, -3).units, 200);
    cr_expect_eq(json_units(&order.price, -2).units, 10000);
    cr_expect_eq(json_units(&order.filled, -3).units, 50);
    cr_expect_eq(order.leaves.status, NUMBER_ABSENT);
    cr_expect(order.has_fees);
    cr_expect_eq(order.created_ns, INT64_C(1775572200000000000));
    cr_expect_eq(order.time_ns, INT64_C(1775572201000000000));
    cr_expect_str_eq(order.reason, "why");
}

/* What edits made of it stands in a list; the last one holds. */
Test(coinbase_decode, an_order_that_was_edited)
{
    struct coinbase_order order;
    cr_assert_eq(
        read_order(ORDER(",\"order_configuration\":{\"limit_limit_gtc\":{\"base_size\":\"2\","
                         "\"limit_price\":\"100\"}},\"edit_history\":[{\"price\":\"99\",\"size\":"
                         "\"3\"},{\"price\":\"98\",\"size\":\"4\"}]"),
                   &order),
        0);
    cr_expect_eq(json_units(&order.size, 0).units, 4);
    cr_expect_eq(json_units(&order.price, 0).units, 98);
}

Test(coinbase_decode, orders_that_are_none)
{
    struct coinbase_order order;
    refuses(read_order("{\"order\":[]}", &order), "field order: expected an object");
    refuses(read_order("{\"order\":{}}", &order), "field order_id: expected text");
    refuses(read_order("{\"order\":{\"order_id\":7}}", &order), "field order_id: expected text");
    refuses(
        read_order("{\"order\":{\"order_id\":\"o\",\"client_order_id\":\"c\",\"product_id\":\"p\","
                   "\"status\":\"OPEN\",\"side\":\"UP\"}}",
                   &order),
        "field side: expected BUY or SELL");
    refuses(read_order("{", &order), "expected one JSON object");
}

Test(coinbase_decode, statuses)
{
#define X(name, word, over)                                                                        \
    cr_expect_eq(coinbase_status_of(word), name);                                                  \
    cr_expect_str_eq(coinbase_status_word(name), word);                                            \
    cr_expect_eq(coinbase_status_is_over(name), over);
    COINBASE_STATUSES(X)
#undef X
    cr_expect_eq(coinbase_status_of("UNKNOWN_ORDER_STATUS"), COINBASE_OTHER_STATUS);
    cr_expect_not(coinbase_status_is_over(COINBASE_OTHER_STATUS));
    cr_expect_str_empty(coinbase_status_word(COINBASE_OTHER_STATUS));
}

Test(coinbase_decode, pages)
{
    struct coinbase_orders orders = {0};
    struct coinbase_page page;
    static const char *const bodies[] = {
        "{\"orders\":[],\"has_next\":true,\"cursor\":\"c\"}", "{\"orders\":[],\"cursor\":\"c\"}",
        "{\"orders\":[],\"has_next\":false,\"cursor\":\"c\"}",
        "{\"orders\":[],\"has_next\":true,\"cursor\":\"\"}", "{\"orders\":[]}"};
    for (size_t i = 0; i < 5; i++) {
        cr_assert_eq(coinbase_read_orders(bodies[i], strlen(bodies[i]), &orders, &page, &error), 0);
        cr_expect_str_eq(page.cursor, i < 2 ? "c" : "", "%s", bodies[i]);
    }
    refuses(coinbase_read_orders("{}", 2, &orders, &page, &error),
            "field orders: expected an array");
    coinbase_orders_free(&orders);
}

/* An empty page of fills is the last one, whatever its cursor says. */
Test(coinbase_decode, an_empty_page_of_fills)
{
    struct coinbase_fills fills = {0};
    struct coinbase_page page;
    const char *body = "{\"fills\":[],\"cursor\":\"again\"}";
    cr_assert_eq(coinbase_read_fills(body, strlen(body), &fills, &page, &error), 0);
    cr_expect_str_empty(page.cursor);
    coinbase_fills_free(&fills);
}

/* --- the venue ------------------------------------------------------------------------------------ */

Test(coinbase_decode, time)
{
    int64_t ns;
    const char *good = "{\"epochMillis\":\"1709005034333\"}",
               *bad = "{\"epochMillis\":1709005034333}";
    cr_assert_eq(coinbase_read_time(good, strlen(good), &ns, &error), 0);
    cr_expect_eq(ns, INT64_C(1709005034333000000));
    refuses(coinbase_read_time(bad, strlen(bad), &ns, &error), "field epochMillis: expected");
}

static int read_product(const char *more, struct adapter_instrument *found,
                        struct coinbase_product *product)
{
    static const char *const symbols[] = {"A-B"};
    char text[1024];
    snprintf(text, sizeof text,
             "{\"products\":[{\"product_id\":\"X-Y\"},{\"product_id\":\"A-B\",\"base_currency_id\":"
             "\"A\","
             "\"quote_currency_id\":\"B\",\"quote_min_size\":\"1\"%s}]}",
             more);
    return coinbase_read_products(text, strlen(text), symbols, 1, found, product, &error);
}

Test(coinbase_decode, products)
{
    struct adapter_instrument found;
    struct coinbase_product product;
    cr_assert_eq(read_product(",\"base_increment\":\"1\",\"quote_increment\":\"0.00001\","
                              "\"base_min_size\":\"26.7187147229469674\"",
                              &found, &product),
                 0, "%s", error.text);
    cr_expect_eq(found.definition.price_exponent, -5);
    cr_expect_eq(found.definition.quantity_exponent, 0);
    cr_expect_eq(product.notes, COINBASE_LEAST_ABOVE_LOT);
    cr_expect_str_eq(product.market, "A-B");
    refuses(read_product(",\"base_increment\":\"0\",\"quote_increment\":\"1\"", &found, &product),
            "product A-B: field base_increment: expected a step above 0");
    refuses(read_product(",\"base_increment\":\"1\"", &found, &product),
            "product A-B: field quote_increment: expected a decimal as text");
    refuses(read_product(",\"base_increment\":\"0.000000001\",\"quote_increment\":\"0.0000000001\"",
                         &found, &product),
            "finer than exact money");
}

/* --- messages ------------------------------------------------------------------------------------- */

static int read_frame(struct coinbase_frame *frame, const char *text)
{
    return coinbase_read_frame(frame, text, strlen(text), &error);
}

Test(coinbase_decode, messages_that_are_none)
{
    struct coinbase_frame frame = {0};
    refuses(read_frame(&frame, "[]"), "expected one JSON object");
    refuses(read_frame(&frame, "{}"), "channel (none): field sequence_num: expected");
    refuses(read_frame(&frame, "{\"channel\":\"user\",\"sequence_num\":1}"),
            "channel user: field events: expected an array");
    refuses(read_frame(&frame, "{\"channel\":\"user\",\"sequence_num\":-1,\"events\":[]}"),
            "field sequence_num");
    refuses(read_frame(&frame, "{\"channel\":\"l2_data\",\"sequence_num\":4,\"events\":[{\"type\":"
                               "\"news\"}]}"),
            "field type: expected snapshot or update");
    cr_expect(frame.has_sequence);
    cr_expect_eq(frame.sequence, 4);
    refuses(read_frame(&frame,
                       "{\"channel\":\"l2_data\",\"sequence_num\":4,\"events\":[{\"type\":"
                       "\"update\",\"product_id\":\"A\",\"updates\":[{\"side\":\"ask\"}]}]}"),
            "field side: expected bid or offer");
    refuses(read_frame(&frame,
                       "{\"channel\":\"market_trades\",\"sequence_num\":4,\"events\":[{\"type\":"
                       "\"update\",\"trades\":[{\"side\":\"BUY\",\"trade_id\":\"x\"}]}]}"),
            "field trade_id: expected a whole number");
    coinbase_frame_free(&frame);
}

/* A frame is used again: nothing of the one before stays. */
Test(coinbase_decode, a_frame_is_used_again)
{
    struct coinbase_frame frame = {0};
    cr_assert_eq(read_frame(&frame,
                            "{\"channel\":\"l2_data\",\"sequence_num\":4,\"timestamp\":"
                            "\"2026-04-07T14:30:00Z\",\"events\":[{\"type\":\"snapshot\","
                            "\"product_id\":\"A\",\"updates\":[{\"side\":\"bid\",\"event_time\":"
                            "\"1970-01-01T00:00:00Z\",\"price_level\":\"1\",\"new_quantity\":"
                            "\"2\"}]}]}"),
                 0, "%s", error.text);
    cr_expect_eq(frame.level_count, 1);
    cr_expect_eq(frame.levels[0].time_ns, 0);
    cr_assert_eq(read_frame(&frame, "{\"type\":\"error\",\"message\":\"no\"}"), 0);
    cr_expect_eq(frame.channel, COINBASE_ERROR_MESSAGE);
    cr_expect_str_eq(frame.message, "no");
    cr_expect_eq(frame.level_count, 0);
    cr_expect_eq(frame.event_count, 0);
    cr_expect_not(frame.has_sequence);
    coinbase_frame_free(&frame);
}

/* Several megabytes in one message, and one level too many. */
Test(coinbase_decode, a_large_snapshot)
{
    const size_t counts[] = {50000, EVENT_ROWS_MAX, EVENT_ROWS_MAX + 1};
    struct coinbase_frame frame = {0};
    size_t capacity = (size_t)(EVENT_ROWS_MAX + 2) * 128;
    char *text = malloc(capacity);
    for (size_t i = 0; i < 3; i++) {
        size_t length =
            (size_t)sprintf(text, "{\"channel\":\"l2_data\",\"sequence_num\":1,\"events\":[{"
                                  "\"type\":\"snapshot\",\"product_id\":\"A\",\"updates\":[");
        for (size_t level = 0; level < counts[i]; level++)
            length += (size_t)sprintf(text + length,
                                      "%s{\"side\":\"bid\",\"event_time\":\"1970-01-01T00:00:00Z\","
                                      "\"price_level\":\"%zu\",\"new_quantity\":\"1.5\"}",
                                      level ? "," : "", level + 1);
        length += (size_t)sprintf(text + length, "]}]}");
        int code = coinbase_read_frame(&frame, text, length, &error);
        cr_expect_eq(code, i < 2 ? 0 : ERROR_INPUT, "%zu: %s", counts[i], error.text);
        if (i < 2)
            cr_expect_eq(frame.level_count, counts[i]);
    }
    free(text);
    coinbase_frame_free(&frame);
}

/* --- recorded payloads ------------------------------------------------------------------------------ */

static char *payload(const char *name, size_t *length)
{
    char path[256];
    snprintf(path, sizeof path, "payloads/coinbase/%s", name);
    char *text = shared_file(path, length);
    if (!text)
        cr_skip_test("no recorded payloads; set CAPSTAN_SHARED");
    return text;
}

Test(coinbase_decode, recorded_messages)
{
    static const struct {
        const char *file;
        enum coinbase_channel channel;
        size_t events;
    } files[] = {{"ws_heartbeats.json", COINBASE_HEARTBEATS, 0},
                 {"ws_l2_data_snapshot.json", COINBASE_LEVEL2, 1},
                 {"ws_market_trades.json", COINBASE_TRADES, 1},
                 {"ws_ticker.json", COINBASE_TICKER, 1},
                 {"ws_ticker_batch.json", COINBASE_TICKER_BATCH, 1},
                 {"ws_ticker_batch_empty_fields.json", COINBASE_TICKER_BATCH, 1},
                 {"ws_user_update.json", COINBASE_USER, 1},
                 {"synthetic_ws_error.json", COINBASE_ERROR_MESSAGE, 0}};
    struct coinbase_frame frame = {0};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t length;
        char *text = payload(files[i].file, &length);
        cr_assert_eq(coinbase_read_frame(&frame, text, length, &error), 0, "%s: %s", files[i].file,
                     error.text);
        cr_expect_eq(frame.channel, files[i].channel, "%s", files[i].file);
        cr_expect_eq(frame.event_count, files[i].events, "%s", files[i].file);
        free(text);
    }
    coinbase_frame_free(&frame);
}

Test(coinbase_decode, recorded_life_of_an_order)
{
    struct coinbase_frame frame = {0};
    size_t length, count = 0;
    char *text = payload("synthetic_ws_user_lifecycle.json", &length);
    cJSON *list = cJSON_ParseWithLength(text, length), *one;
    cJSON_ArrayForEach(one, list)
    {
        char *message = cJSON_PrintUnformatted(one);
        cr_assert_eq(coinbase_read_frame(&frame, message, strlen(message), &error), 0, "%s",
                     error.text);
        cr_assert_eq(frame.orders.count, 1);
        cr_expect_str_eq(frame.orders.list[0].name, "mm-1");
        cr_expect_neq(frame.orders.list[0].status, COINBASE_OTHER_STATUS);
        cJSON_free(message);
        count++;
    }
    cr_expect_gt(count, 2);
    cJSON_Delete(list);
    free(text);
    coinbase_frame_free(&frame);
}

Test(coinbase_decode, recorded_answers_about_orders)
{
    struct coinbase_orders orders = {0};
    struct coinbase_fills fills = {0};
    struct coinbase_page page;
    struct coinbase_order order;
    size_t length;
    char *text = payload("http_list_orders.json", &length);
    cr_assert_eq(coinbase_read_orders(text, length, &orders, &page, &error), 0, "%s", error.text);
    cr_expect_eq(orders.count, 1);
    cr_expect_eq(orders.list[0].status, COINBASE_FILLED);
    free(text);
    text = payload("http_get_order.json", &length);
    cr_assert_eq(coinbase_read_order(text, length, &order, &error), 0, "%s", error.text);
    cr_expect_eq(json_units(&order.size, -1).units, 2);
    cr_expect_eq(json_units(&order.price, -3).units, 6);
    free(text);
    text = payload("http_fills.json", &length);
    cr_assert_eq(coinbase_read_fills(text, length, &fills, &page, &error), 0, "%s", error.text);
    cr_expect_eq(fills.count, 1);
    cr_expect(fills.list[0].is_trade);
    cr_expect(fills.list[0].in_quote);
    cr_expect_not(fills.list[0].has_liquidity);
    cr_expect_str_eq(fills.list[0].trade, "cdc39e45-bbd3-44ec-bf02-61742dfb16a1");
    free(text);
    coinbase_orders_free(&orders);
    coinbase_fills_free(&fills);
}

Test(coinbase_decode, recorded_answers_to_requests)
{
    struct coinbase_placed placed;
    struct coinbase_cancels cancels = {0};
    struct coinbase_error refusal;
    bool success = false;
    size_t length;
    char *text = payload("http_create_order_success.json", &length);
    cr_assert_eq(coinbase_read_placed(text, length, &placed, &error), 0, "%s", error.text);
    cr_expect(placed.success);
    cr_expect_str_eq(placed.id, "52cfe5e2-0b29-4c19-a245-a6a773de5030");
    cr_expect_str_eq(placed.name, "4d760580-6fca-4094-a70b-ebcca8626288");
    free(text);
    text = payload("http_create_order_failure_preview.json", &length);
    cr_assert_eq(coinbase_read_placed(text, length, &placed, &error), 0, "%s", error.text);
    cr_expect_not(placed.success);
    cr_expect_str_eq(placed.error.reason, "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE");
    free(text);
    text = payload("http_create_order_failure_unsupported.json", &length);
    cr_assert_eq(coinbase_read_placed(text, length, &placed, &error), 0, "%s", error.text);
    cr_expect_str_eq(placed.error.reason, "UNSUPPORTED_ORDER_CONFIGURATION");
    cr_expect_str_eq(placed.error.text, "source is not enabled for trading");
    free(text);
    text = payload("synthetic_http_batch_cancel_mixed.json", &length);
    cr_assert_eq(coinbase_read_cancels(text, length, &cancels, &error), 0, "%s", error.text);
    cr_assert_eq(cancels.count, 3);
    cr_expect(cancels.list[0].success);
    cr_expect_str_eq(cancels.list[1].error.reason, "UNKNOWN_CANCEL_ORDER");
    cr_expect_str_eq(cancels.list[2].error.reason, "DUPLICATE_CANCEL_REQUEST");
    free(text);
    text = payload("http_edit_order_response.json", &length);
    cr_assert_eq(coinbase_read_edit(text, length, &success, &refusal, &error), 0, "%s", error.text);
    cr_expect(success);
    free(text);
    coinbase_cancels_free(&cancels);
}

Test(coinbase_decode, recorded_answers_about_the_account)
{
    struct coinbase_balances balances = {0};
    struct coinbase_page page;
    struct coinbase_fees fees;
    struct coinbase_error refusal;
    int64_t ns;
    size_t length;
    char *text = payload("http_accounts_ccxt.json", &length);
    cr_assert_eq(coinbase_read_accounts(text, length, &balances, &page, &error), 0, "%s",
                 error.text);
    cr_assert_eq(balances.count, 1);
    cr_expect_str_eq(balances.list[0].asset, "USDC");
    free(text);
    text = payload("http_transaction_summary.json", &length);
    cr_assert_eq(coinbase_read_fees(text, length, &fees, &error), 0, "%s", error.text);
    cr_expect_eq(fees.maker, 6000000);
    cr_expect_eq(fees.taker, 8000000);
    free(text);
    text = payload("http_time.json", &length);
    cr_assert_eq(coinbase_read_time(text, length, &ns, &error), 0, "%s", error.text);
    cr_expect_eq(ns, INT64_C(1709005034333000000));
    free(text);
    text = payload("synthetic_http_429.json", &length);
    cr_expect(coinbase_read_error(text, length, &refusal));
    cr_expect_str_eq(refusal.reason, "rate_limit_exceeded");
    free(text);
    coinbase_balances_free(&balances);
}
