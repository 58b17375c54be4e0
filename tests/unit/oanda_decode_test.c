/* OANDA's recorded answers and pinned requests, read and written; the recorded profit in another currency. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/fx.h"
#include "shared_file.h"
#include "venue/live/oanda_decode.h"

static char *payload(const char *name, size_t *length)
{
    char path[256];
    snprintf(path, sizeof path, "payloads/oanda/%s", name);
    char *bytes = shared_file(path, length);
    if (!bytes)
        cr_skip_test("no recorded payloads");
    return bytes;
}

static money amount(const char *text)
{
    money out = MONEY_ZERO;
    cr_assert_eq(money_from_text(text, strlen(text), &out), NUMBER_VALUE);
    return out;
}

/* --- lines ------------------------------------------------------------------------------------------------- */

static unsigned read_lines(const char *name, struct v20_line *last, unsigned counts[4])
{
    size_t length;
    char *bytes = payload(name, &length);
    struct error error = {0};
    unsigned lines = 0;
    for (char *rest, *line = strtok_r(bytes, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest), lines++) {
        cr_assert_eq(v20_read_line(line, strlen(line), last, &error), 0, "%s", error.text);
        counts[last->kind]++;
    }
    free(bytes);
    return lines;
}

Test(oanda_decode, recorded_prices)
{
    struct v20_line line = {0};
    unsigned counts[4] = {0};
    cr_expect_eq(read_lines("pricing_pricing_stream.ndjson", &line, counts), 4);
    cr_expect_eq(counts[V20_LINE_PRICE], 3);
    cr_expect_eq(counts[V20_LINE_HEARTBEAT], 1);
    cr_expect_str_eq(line.price.instrument, "EUR_JPY");
    cr_expect(line.price.tradeable);
    cr_expect_eq(line.price.count[SIDE_BUY], 4);
    cr_expect_eq(json_units(&line.price.levels[SIDE_SELL][3].price, -3).units, 114319);
    cr_expect_eq(json_units(&line.price.levels[SIDE_SELL][3].quantity, 0).units, 10000000);
    cr_expect_eq(line.time_ns, INT64_C(1477557525681572782));
}

Test(oanda_decode, recorded_transactions)
{
    struct v20_line line = {0};
    unsigned counts[4] = {0};
    cr_expect_eq(read_lines("transactions_transactions_stream.ndjson", &line, counts), 5);
    cr_expect_eq(counts[V20_LINE_HEARTBEAT], 5);
    cr_expect_eq(line.last, 2311);
    cr_expect_eq(read_lines("synthetic_transactions_stream_lifecycle.ndjson", &line, counts), 5);
    cr_expect_eq(counts[V20_LINE_TRANSACTION], 3);
    cr_expect_eq(line.transaction.type, V20_CANCEL);
    cr_expect_eq(line.transaction.order, 6376);
    cr_expect_str_eq(line.transaction.name, "mm-2");
    cr_expect_eq(line.transaction.time_ns, INT64_C(1700000000123456789));
}

/* --- answers ------------------------------------------------------------------------------------------------ */

Test(oanda_decode, recorded_account)
{
    size_t length;
    char *bytes = payload("accounts_by_accountID.response.json", &length);
    struct v20_account account = {0};
    struct error error = {0};
    cr_assert_eq(v20_read_account(bytes, length, &account, &error), 0, "%s", error.text);
    cr_expect_str_eq(account.currency, "EUR");
    cr_expect_eq(money_compare(account.balance, amount("48695.6580")), 0);
    cr_expect_eq(account.last, 833);
    cr_assert_eq(account.positions.count, 2);
    cr_expect_eq(json_units(&account.positions.list[1].short_units, 0).units, -20);
    cr_assert_eq(account.orders.count, 1);
    cr_expect_eq(account.orders.list[0].side, SIDE_SELL);
    cr_expect_eq(account.orders.list[0].replaces, 200);
    cr_expect_str_eq(account.orders.list[0].name, "myID");
    v20_account_free(&account);
    free(bytes);
}

Test(oanda_decode, recorded_lists)
{
    size_t length;
    char *bytes = payload("orders_orders_pending.response.json", &length);
    struct v20_orders orders = {0};
    struct v20_positions positions = {0};
    struct error error = {0};
    cr_assert_eq(v20_read_orders(bytes, length, &orders, &error), 0, "%s", error.text);
    cr_expect_eq(orders.count, 1);
    cr_expect_eq(orders.last, 2305);
    free(bytes);
    bytes = payload("positions_openpositions.response.json", &length);
    cr_assert_eq(v20_read_positions(bytes, length, &positions, &error), 0, "%s", error.text);
    cr_expect_eq(positions.count, 2);
    free(bytes);
    v20_orders_free(&orders);
    v20_positions_free(&positions);
}

Test(oanda_decode, recorded_instruments)
{
    static const char *const symbols[] = {"EUR_USD", "DE30_EUR", "XAU_USD"};
    struct adapter_instrument found[3];
    bool present[3];
    size_t length;
    char *bytes = payload("accounts_by_accountID_instruments.response.json", &length);
    struct error error = {0};
    cr_assert_eq(v20_read_instruments(bytes, length, symbols, 3, found, present, &error), 0, "%s",
                 error.text);
    cr_expect(present[0] && present[1] && !present[2]);
    cr_expect_eq(found[0].definition.price_exponent, -5);
    cr_expect_eq(found[1].definition.price_exponent, -1);
    cr_expect_str_eq(found[1].base, "DE30");
    cr_expect_str_eq(found[1].quote, "EUR");
    free(bytes);
}

Test(oanda_decode, recorded_replacement)
{
    size_t length;
    char *bytes = payload("orders_order_replace.response.json", &length);
    struct v20_transactions made = {0};
    struct error error = {0};
    cr_assert_eq(v20_read_made(bytes, length, &made, &error), 0, "%s", error.text);
    cr_assert_eq(made.count, 2);
    cr_expect_eq(made.list[0].type, V20_CANCEL);
    cr_expect_eq(made.list[0].replaced_by, 2307);
    cr_expect_eq(made.list[1].type, V20_MADE);
    cr_expect_eq(made.list[1].replaces, 2304);
    cr_expect_str_eq(made.list[1].name, "myID");
    v20_transactions_free(&made);
    free(bytes);
}

Test(oanda_decode, errors_of_the_schema)
{
    static const struct {
        const char *file, *code;
    } rows[] = {{"synthetic_order_reject_400.json", "PRICE_PRECISION_EXCEEDED"},
                {"synthetic_cancel_404.json", "ORDER_DOESNT_EXIST"},
                {"synthetic_error_401.json", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length;
        char *bytes = payload(rows[i].file, &length);
        struct v20_error told;
        cr_expect(v20_read_error(bytes, length, &told));
        cr_expect_str_eq(told.code, rows[i].code);
        free(bytes);
    }
}

/* --- money --------------------------------------------------------------------------------------------------- */

/* 100 EUR_USD from 1.09448 to 1.09289 in an account in EUR: -0.159 USD, told as -0.1455 EUR, which is the bid of
 * that moment (trading-semantics 12). */
Test(oanda_decode, the_recorded_loss_is_that_of_its_factors)
{
    size_t length;
    char *bytes = payload("trades_accountID_trades_close.response.json", &length);
    struct v20_transactions made = {0};
    struct error error = {0};
    money in_home;
    cr_assert_eq(v20_read_made(bytes, length, &made, &error), 0, "%s", error.text);
    const struct v20_transaction *fill = NULL;
    for (size_t i = 0; i < made.count; i++)
        if (made.list[i].type == V20_FILL)
            fill = &made.list[i];
    cr_assert_not_null(fill);
    cr_expect_eq(money_compare(fill->profit, amount("-0.1455")), 0);
    cr_expect_eq(json_units(&fill->price, -5).units, 109289);
    struct fx_rate rate = {.bid = 109289, .ask = 109303, .exponent = -5};
    cr_assert(fx_home_profit(amount("-0.159"), &rate, -4, &in_home));
    cr_expect_eq(money_compare(in_home, fill->profit), 0);
    v20_transactions_free(&made);
    free(bytes);
}

Test(oanda_decode, recorded_factors)
{
    struct fx_rate rate = {.bid = 112157, .ask = 112170, .exponent = -5};
    int64_t gain, loss;
    cr_assert(fx_factor(&rate, true, &gain));
    cr_assert(fx_factor(&rate, false, &loss));
    size_t length;
    char *bytes = payload("pricing_pricing.response.json", &length);
    cJSON *tree = cJSON_Parse(bytes);
    const cJSON *price, *factors = NULL;
    cJSON_ArrayForEach(price, cJSON_GetObjectItem(tree, "prices"))
    {
        const cJSON *name = cJSON_GetObjectItem(price, "instrument");
        if (strcmp(cJSON_GetStringValue(name), "EUR_USD") == 0)
            factors = cJSON_GetObjectItem(price, "quoteHomeConversionFactors");
    }
    cr_assert_not_null(factors);
    money told = MONEY_ZERO, ours = MONEY_ZERO;
    cr_assert_eq(json_read_money(factors, "positiveUnits", &told, NULL), 0);
    cr_assert(money_from_units(gain, -8, &ours));
    cr_expect_eq(money_compare(told, ours), 0);
    cr_assert_eq(json_read_money(factors, "negativeUnits", &told, NULL), 0);
    cr_assert(money_from_units(loss, -8, &ours));
    cr_expect_eq(money_compare(told, ours), 0);
    cJSON_Delete(tree);
    free(bytes);
}

/* --- requests ------------------------------------------------------------------------------------------------ */

static const char *pinned_body(const cJSON *tree, int index)
{
    const cJSON *one = cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "cases"), index);
    return cJSON_GetStringValue(cJSON_GetObjectItem(one, "body"));
}

Test(oanda_decode, pinned_bodies)
{
    size_t length;
    char body[V20_BODY_MAX];
    char *bytes = payload("vectors/synthetic_request_fixtures.json", &length);
    cJSON *tree = cJSON_Parse(bytes);
    struct v20_new_order order = {.instrument = "EUR_USD",
                                  .units = "-1000",
                                  .price = "1.20000",
                                  .time_in_force = "GTD",
                                  .gtd_ns = INT64_C(1700000030000000000),
                                  .full = true,
                                  .name = "mm-1",
                                  .tag = "mm"};
    cr_assert(v20_write_order(&order, body));
    cr_expect_str_eq(body, pinned_body(tree, 2));
    order = (struct v20_new_order){.instrument = "EUR_USD",
                                   .units = "-1000",
                                   .price = "1.20010",
                                   .time_in_force = "GTC",
                                   .name = "mm-2"};
    cr_assert(v20_write_order(&order, body));
    cr_expect_str_eq(body, pinned_body(tree, 3));
    cJSON_Delete(tree);
    free(bytes);
}
