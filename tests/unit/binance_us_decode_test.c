/* Binance.US's answers and private events as fields, what is refused, and the table of errors. */
#include "venue/live/binance_us_decode.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "shared_file.h"
#include "venue/live/binance_us_errors.h"
#include "venue/live/binance_us_info.h"

static struct error error;
static struct binance_us_order order;
static struct binance_us_fills fills;
static struct binance_us_event event;

static void free_lists(void)
{
    binance_us_fills_free(&fills);
    binance_us_event_free(&event);
}

TestSuite(binance_us_decode, .fini = free_lists);

static money amount(const char *text)
{
    money out = MONEY_ZERO;
    cr_assert_eq(money_from_text(text, strlen(text), &out), NUMBER_VALUE);
    return out;
}

static int64_t units(const struct json_decimal *decimal, int exponent)
{
    struct number number = json_units(decimal, exponent);
    cr_assert_eq(number.status, NUMBER_VALUE);
    return number.units;
}

static void expect_error(const char *field, const char *text)
{
    cr_expect(strstr(error.text, field), "%s: expected %s, got %s", text, field, error.text);
    cr_expect_null(strchr(error.text, '\n'));
}

/* --- order answers ----------------------------------------------------------------------------------- */

#define RESULT                                                                                     \
    "\"symbol\":\"ZRXUSDT\",\"orderId\":9007199254740991,\"orderListId\":-1,"                      \
    "\"clientOrderId\":\"mm1-3-17\",\"transactTime\":1633998281504,\"price\":\"0.9931\","          \
    "\"origQty\":\"30.5\",\"executedQty\":\"12.25\",\"cummulativeQuoteQty\":\"12.1\","             \
    "\"status\":\"PARTIALLY_FILLED\",\"timeInForce\":\"GTC\",\"type\":\"LIMIT\",\"side\":\"SELL\""

static int placed(const char *text)
{
    memset(&error, 0, sizeof error);
    return binance_us_read_placed(text, strlen(text), &order, &fills, &error);
}

Test(binance_us_decode, an_acknowledgement_tells_no_figures)
{
    cr_assert_eq(
        placed("{\"symbol\":\"ZRXUSDT\",\"orderId\":5,\"orderListId\":-1,\"clientOrderId\":"
               "\"mm1-3-17\",\"transactTime\":1633998281504}"),
        0, "%s", error.text);
    cr_expect_eq(order.status, BINANCE_US_NO_STATUS);
    cr_expect_eq(order.id, 5);
    cr_expect_str_eq(order.symbol, "ZRXUSDT");
    cr_expect_str_eq(order.name, "mm1-3-17");
    cr_expect_eq(order.time_ns, INT64_C(1633998281504000000));
    cr_expect_eq(fills.count, 0);
}

Test(binance_us_decode, a_result_has_all_figures)
{
    cr_assert_eq(placed("{" RESULT ",\"newField\":{\"deep\":[1]}}"), 0, "%s", error.text);
    cr_expect_eq(order.id, UINT64_C(9007199254740991));
    cr_expect_eq(order.status, BINANCE_US_PARTIALLY_FILLED);
    cr_expect(binance_us_status_is_live(order.status));
    cr_expect_eq(order.side, SIDE_SELL);
    cr_expect_eq(order.time_in_force, TIME_IN_FORCE_GTC);
    cr_expect_eq(units(&order.price, -4), 9931);
    cr_expect_eq(units(&order.quantity, -8), INT64_C(3050000000));
    cr_expect_eq(units(&order.executed, -8), INT64_C(1225000000));
}

Test(binance_us_decode, a_full_answer_has_its_fills)
{
    cr_assert_eq(placed("{" RESULT ",\"fills\":["
                        "{\"price\":\"0.9932\",\"qty\":\"2\",\"commission\":\"0.00298\","
                        "\"commissionAsset\":\"USDT\",\"tradeId\":56},"
                        "{\"price\":\"0.9931\",\"qty\":\"10.25\",\"commission\":\"0\","
                        "\"commissionAsset\":null,\"tradeId\":57}]}"),
                 0, "%s", error.text);
    cr_assert_eq(fills.count, 2);
    cr_expect_eq(fills.list[0].trade, 56);
    cr_expect_eq(units(&fills.list[0].price, -4), 9932);
    cr_expect_eq(units(&fills.list[0].quantity, -2), 200);
    cr_expect_eq(money_compare(fills.list[0].fee, amount("0.00298")), 0);
    cr_expect_str_eq(fills.list[0].fee_asset, "USDT");
    cr_expect_str_eq(fills.list[1].fee_asset, "");
    /* The list is used again. */
    cr_assert_eq(placed("{" RESULT ",\"fills\":[]}"), 0);
    cr_expect_eq(fills.count, 0);
}

Test(binance_us_decode, words_and_numbers_that_are_not_known)
{
    cr_assert_eq(placed("{\"symbol\":\"A\",\"orderId\":1,\"clientOrderId\":\"x\",\"status\":"
                        "\"MELTED\",\"timeInForce\":\"GTX\",\"side\":\"BUY\",\"price\":\"NaN\","
                        "\"origQty\":\"1e3\",\"executedQty\":\"\"}"),
                 0, "%s", error.text);
    cr_expect_eq(order.status, BINANCE_US_OTHER_STATUS);
    cr_expect_not(binance_us_status_is_live(order.status));
    cr_expect_eq(order.time_in_force, TIME_IN_FORCE_COUNT);
    cr_expect_eq(json_units(&order.price, -2).status, NUMBER_NAN);
    cr_expect_eq(units(&order.quantity, 0), 1000);
    cr_expect_eq(json_units(&order.executed, 0).status, NUMBER_ABSENT);
    cr_expect_eq(order.time_ns, 0);
}

/* Each: answer to a new order, what the error must name. */
static const char *const refused_orders[][2] = {
    {"", "expected one JSON object (column 1)"},
    {"[]", "expected one JSON object"},
    {"{\"symbol\":\"A\"", "expected one JSON object"},
    {"{}{}", "expected one JSON object"},
    {"{\"orderId\":1,\"clientOrderId\":\"x\"}", "field symbol"},
    {"{\"symbol\":1,\"orderId\":1,\"clientOrderId\":\"x\"}", "field symbol"},
    {"{\"symbol\":\"A\",\"orderId\":1}", "field clientOrderId"},
    {"{\"symbol\":\"A\",\"clientOrderId\":\"x\"}", "field orderId"},
    {"{\"symbol\":\"A\",\"orderId\":\"1\",\"clientOrderId\":\"x\"}", "field orderId"},
    {"{\"symbol\":\"A\",\"orderId\":1.5,\"clientOrderId\":\"x\"}", "field orderId"},
    {"{\"symbol\":\"A\",\"orderId\":-1,\"clientOrderId\":\"x\"}", "field orderId"},
    {"{\"symbol\":\"A\",\"orderId\":9007199254740992,\"clientOrderId\":\"x\"}", "field orderId"},
    {"{\"symbol\":\"A\",\"orderId\":1,\"clientOrderId\":\"x\",\"transactTime\":\"1\"}",
     "field transactTime"},
    {"{\"symbol\":\"A\",\"orderId\":1,\"clientOrderId\":\"x\",\"transactTime\":5000000000000}",
     "field transactTime"},
    {"{\"symbol\":\"A\",\"orderId\":1,\"clientOrderId\":\"x\",\"status\":1}", "field status"},
    {"{\"symbol\":\"A\",\"orderId\":1,\"clientOrderId\":\"x\",\"status\":\"NEW\"}", "field side"},
    {"{\"symbol\":\"A\",\"orderId\":1,\"clientOrderId\":\"x\",\"status\":\"NEW\",\"side\":\"buy\"}",
     "field side"},
    {"{\"symbol\":\"A\",\"orderId\":1,\"clientOrderId\":\"x\",\"status\":\"NEW\",\"side\":\"BUY\","
     "\"price\":1.5}",
     "field price"},
    {"{\"symbol\":\"A\",\"orderId\":1,\"clientOrderId\":\"x\",\"status\":\"NEW\",\"side\":\"BUY\","
     "\"price\":\"1\"}",
     "field origQty"},
    {"{" RESULT ",\"fills\":{}}", "field fills"},
    {"{" RESULT ",\"fills\":[1]}", "fills: field tradeId"},
    {"{" RESULT ",\"fills\":[{\"tradeId\":1,\"qty\":\"1\"}]}", "fills: field price"},
    {"{" RESULT ",\"fills\":[{\"tradeId\":1,\"price\":\"1\",\"qty\":\"1\",\"commission\":\"x\"}]}",
     "fills: field commission"},
    {"{" RESULT ",\"fills\":[{\"tradeId\":1,\"price\":\"1\",\"qty\":\"1\",\"commission\":\"1\","
     "\"commissionAsset\":null}]}",
     "fills: field commissionAsset"},
    {"{\"symbol\":\"A\\u0000B\",\"orderId\":1,\"clientOrderId\":\"x\"}",
     "expected one JSON object"},
};

Test(binance_us_decode, what_is_refused_of_an_order)
{
    for (size_t i = 0; i < sizeof refused_orders / sizeof *refused_orders; i++) {
        cr_expect_eq(placed(refused_orders[i][0]), ERROR_INPUT, "%s", refused_orders[i][0]);
        expect_error(refused_orders[i][1], refused_orders[i][0]);
    }
}

Test(binance_us_decode, of_a_cancel_the_original_name_counts)
{
    static const char text[] =
        "{\"symbol\":\"LTCBTC\",\"origClientOrderId\":\"mm1-3-17\",\"orderId\":4,"
        "\"clientOrderId\":\"cancel7\",\"price\":\"2\",\"origQty\":\"1\",\"executedQty\":\"0.25\","
        "\"status\":\"CANCELED\",\"timeInForce\":\"GTC\",\"side\":\"BUY\"}";
    cr_assert_eq(binance_us_read_order(text, strlen(text), &order, &error), 0, "%s", error.text);
    cr_expect_str_eq(order.name, "mm1-3-17");
    cr_expect_eq(order.status, BINANCE_US_CANCELED);
    /* A query's or cancel's answer without a status tells nothing. */
    static const char bare[] = "{\"symbol\":\"A\",\"orderId\":1,\"clientOrderId\":\"x\"}";
    cr_expect_eq(binance_us_read_order(bare, strlen(bare), &order, &error), ERROR_INPUT);
    expect_error("field status", bare);
}

Test(binance_us_decode, open_orders)
{
    struct binance_us_orders orders = {0};
    static const char text[] = "[{" RESULT "},{" RESULT ",\"updateTime\":1}]";
    cr_assert_eq(binance_us_read_orders(text, strlen(text), &orders, &error), 0, "%s", error.text);
    cr_expect_eq(orders.count, 2);
    cr_expect_eq(binance_us_read_orders("[]", 2, &orders, &error), 0);
    cr_expect_eq(orders.count, 0);
    cr_expect_eq(binance_us_read_orders("[1]", 3, &orders, &error), ERROR_INPUT);
    cr_expect_eq(binance_us_read_orders("{}", 2, &orders, &error), ERROR_INPUT);
    binance_us_orders_free(&orders);
}

#define TRADE(field, value)                                                                        \
    "[{\"symbol\":\"BNBBTC\",\"id\":28457,\"orderId\":100,\"price\":\"4.000001\",\"qty\":\"12\","  \
    "\"commission\":\"10.1\",\"commissionAsset\":\"BNB\",\"time\":1499865549590,\"isBuyer\":true," \
    "\"isMaker\":false,\"" field "\":" value "}]"

Test(binance_us_decode, the_trade_list)
{
    static const char text[] = TRADE("isBestMatch", "true");
    cr_assert_eq(binance_us_read_trades(text, strlen(text), &fills, &error), 0, "%s", error.text);
    cr_assert_eq(fills.count, 1);
    const struct binance_us_fill *fill = &fills.list[0];
    cr_expect_eq(fill->trade, 28457);
    cr_expect_eq(fill->order, 100);
    cr_expect_eq(units(&fill->price, -6), 4000001);
    cr_expect(fill->buyer && !fill->maker);
    cr_expect_eq(fill->time_ns, INT64_C(1499865549590000000));
    cr_expect_eq(money_compare(fill->fee, amount("10.1")), 0);
    static const char bad[] =
        "[{\"id\":1,\"orderId\":2,\"price\":\"1\",\"qty\":\"1\",\"commission\":\"0\",\"time\":1,"
        "\"isMaker\":1,\"isBuyer\":true}]";
    cr_expect_eq(binance_us_read_trades(bad, strlen(bad), &fills, &error), ERROR_INPUT);
    expect_error("field isMaker", bad);
}

/* --- cancelReplace ----------------------------------------------------------------------------------- */

static struct binance_us_replaced replaced;

static int read_replaced(const char *text)
{
    memset(&error, 0, sizeof error);
    return binance_us_read_replaced(text, strlen(text), &replaced, &fills, &error);
}

#define UNKNOWN_ORDER "{\"code\":-2011,\"msg\":\"Unknown order sent.\"}"

Test(binance_us_decode, both_halves_of_a_replace)
{
    cr_assert_eq(read_replaced("{\"cancelResult\":\"SUCCESS\",\"newOrderResult\":\"SUCCESS\","
                               "\"cancelResponse\":{" RESULT "},\"newOrderResponse\":{" RESULT
                               ",\"fills\":[{\"price\":\"1\",\"qty\":\"1\",\"commission\":\"0\","
                               "\"commissionAsset\":\"A\",\"tradeId\":3}]}}"),
                 0, "%s", error.text);
    cr_expect_eq(replaced.cancelled.result, BINANCE_US_SUCCESS);
    cr_expect_eq(replaced.placed.result, BINANCE_US_SUCCESS);
    cr_expect_eq(fills.count, 1);
    cr_assert_eq(read_replaced("{\"code\":-2022,\"msg\":\"Order cancel-replace failed.\",\"data\":{"
                               "\"cancelResult\":\"FAILURE\",\"newOrderResult\":\"NOT_ATTEMPTED\","
                               "\"cancelResponse\":" UNKNOWN_ORDER ",\"newOrderResponse\":null}}"),
                 0, "%s", error.text);
    cr_expect_eq(replaced.cancelled.result, BINANCE_US_FAILURE);
    cr_expect_eq(replaced.cancelled.error.code, -2011);
    cr_expect_eq(replaced.placed.result, BINANCE_US_NOT_ATTEMPTED);
    cr_expect_eq(fills.count, 0);
    cr_assert_eq(
        read_replaced("{\"code\":-2021,\"msg\":\"x\",\"data\":{\"cancelResult\":\"SUCCESS\","
                      "\"newOrderResult\":\"FAILURE\",\"cancelResponse\":{" RESULT
                      "},\"newOrderResponse\":{\"code\":-2010,\"msg\":\"Order would "
                      "immediately match and take.\"}}}"),
        0, "%s", error.text);
    cr_expect_eq(replaced.placed.error.code, -2010);
    cr_expect_eq(replaced.cancelled.order.id, UINT64_C(9007199254740991));
}

Test(binance_us_decode, what_is_refused_of_a_replace)
{
    static const char *const refused[][2] = {
        {"{\"code\":-1021,\"msg\":\"x\"}", "field cancelResult"},
        {"{\"data\":{\"cancelResult\":\"MAYBE\"}}", "field cancelResult"},
        {"{\"cancelResult\":\"FAILURE\",\"newOrderResult\":\"NOT_ATTEMPTED\",\"cancelResponse\":{}"
         "}",
         "cancelResponse: expected code and msg"},
        {"{\"cancelResult\":\"SUCCESS\",\"newOrderResult\":\"SUCCESS\",\"cancelResponse\":null}",
         "cancelResponse: field symbol"},
        {"{\"cancelResult\":\"FAILURE\",\"cancelResponse\":" UNKNOWN_ORDER "}",
         "field newOrderResult"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        cr_expect_eq(read_replaced(refused[i][0]), ERROR_INPUT, "%s", refused[i][0]);
        expect_error(refused[i][1], refused[i][0]);
    }
}

/* --- account and small answers ----------------------------------------------------------------------- */

Test(binance_us_decode, the_account)
{
    struct binance_us_account account = {0};
    static const char text[] =
        "{\"makerCommission\":15,\"commissionRates\":{\"maker\":\"0.0015\",\"taker\":\"0.004\"},"
        "\"canTrade\":true,\"updateTime\":1633998281504,\"balances\":[{\"asset\":\"BTC\",\"free\":"
        "\"4723846.89208129\",\"locked\":\"0.5\"},{\"asset\":\"USD\",\"free\":\"1\",\"locked\":"
        "\"0\"}]}";
    cr_assert_eq(binance_us_read_account(text, strlen(text), &account, &error), 0, "%s",
                 error.text);
    cr_expect(account.can_trade && account.has_fees);
    cr_expect_eq(account.maker_fee, 1500000);
    cr_expect_eq(account.taker_fee, 4000000);
    cr_expect_eq(account.updated_ns, INT64_C(1633998281504000000));
    cr_assert_eq(account.balances.count, 2);
    cr_expect_eq(money_compare(account.balances.list[0].free, amount("4723846.89208129")), 0);
    cr_expect_eq(money_compare(account.balances.list[0].locked, amount("0.5")), 0);
    static const char *const refused[][2] = {
        {"{\"balances\":[]}", "field canTrade"},
        {"{\"canTrade\":false}", "field balances"},
        {"{\"canTrade\":false,\"balances\":[{\"asset\":\"A\",\"free\":1,\"locked\":\"0\"}]}",
         "balances: field free"},
        {"{\"canTrade\":false,\"balances\":[{\"asset\":\"A\",\"free\":\"nan\",\"locked\":\"0\"}]}",
         "balances: field free"},
        {"{\"canTrade\":true,\"commissionRates\":{\"maker\":\"0.0015\"},\"balances\":[]}",
         "field taker"},
        {"{\"canTrade\":true,\"commissionRates\":{\"maker\":\"1.5\",\"taker\":\"0\"},\"balances\":["
         "]}",
         "field maker"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *bad = refused[i][0];
        cr_expect_eq(binance_us_read_account(bad, strlen(bad), &account, &error), ERROR_INPUT);
        expect_error(refused[i][1], bad);
    }
    binance_us_balances_free(&account.balances);
}

static const char *const two_symbols[] = {"ZRXUSDT", "BTCUSD"};

Test(binance_us_decode, fees_of_our_symbols)
{
    struct binance_us_fee fees[2] = {{0}, {0}};
    static const char text[] =
        "[{\"symbol\":\"OTHER\",\"makerCommission\":7},{\"symbol\":\"BTCUSD\",\"makerCommission\":"
        "\"0.0000\",\"takerCommission\":\"0.00010\"}]";
    cr_assert_eq(binance_us_read_fees(text, strlen(text), two_symbols, 2, fees, &error), 0, "%s",
                 error.text);
    cr_expect_not(fees[0].known);
    cr_expect(fees[1].known && fees[1].maker_fee == 0 && fees[1].taker_fee == 100000);
    static const char bad[] = "[{\"symbol\":\"BTCUSD\",\"makerCommission\":0.1}]";
    cr_expect_eq(binance_us_read_fees(bad, strlen(bad), two_symbols, 2, fees, &error), ERROR_INPUT);
    expect_error("field makerCommission", bad);
}

Test(binance_us_decode, time_key_and_stream_answers)
{
    int64_t time;
    char key[BINANCE_US_KEY_MAX];
    struct binance_us_stream_answer answer;
    cr_assert_eq(binance_us_read_time("{\"serverTime\":1499827319559}", 28, &time, &error), 0);
    cr_expect_eq(time, INT64_C(1499827319559000000));
    cr_expect_eq(binance_us_read_time("{}", 2, &time, &error), ERROR_INPUT);
    cr_assert_eq(binance_us_read_listen_key("{\"listenKey\":\"pq-1A_z\"}", 23, key, &error), 0);
    cr_expect_str_eq(key, "pq-1A_z");
    cr_expect_eq(binance_us_read_listen_key("{\"listenKey\":\"a/../b\"}", 22, key, &error),
                 ERROR_INPUT);
    cr_expect_eq(binance_us_read_listen_key("{\"listenKey\":\"\"}", 16, key, &error), ERROR_INPUT);
    cr_assert_eq(binance_us_read_stream_answer("{\"result\":null,\"id\":7}", 22, &answer, &error),
                 0);
    cr_expect(answer.has_id && answer.id == 7 && answer.error.code == 0);
    static const char nested[] = "{\"error\":{\"code\":2,\"msg\":\"Invalid request\"},\"id\":null}";
    cr_assert_eq(binance_us_read_stream_answer(nested, strlen(nested), &answer, &error), 0);
    cr_expect(!answer.has_id && answer.error.code == 2);
    cr_expect_eq(binance_us_read_stream_answer("{\"id\":1}", 8, &answer, &error), ERROR_INPUT);
}

Test(binance_us_decode, best_prices_of_one_or_of_all)
{
    struct binance_us_ticker tickers[2] = {{0}, {0}};
    static const char one[] = "{\"symbol\":\"ZRXUSDT\",\"bidPrice\":\"0.9939\",\"bidQty\":\"5023\","
                              "\"askPrice\":\"0.9971\",\"askQty\":\"7\"}";
    char all[512];
    cr_assert_eq(binance_us_read_tickers(one, strlen(one), two_symbols, 2, tickers, &error), 0);
    cr_expect(tickers[0].known && !tickers[1].known);
    cr_expect_eq(units(&tickers[0].price[SIDE_BUY], -4), 9939);
    cr_expect_eq(units(&tickers[0].quantity[SIDE_SELL], 0), 7);
    memset(tickers, 0, sizeof tickers);
    int length = snprintf(all, sizeof all, "[{\"symbol\":\"X\"},%s]", one);
    cr_assert_eq(binance_us_read_tickers(all, (size_t)length, two_symbols, 2, tickers, &error), 0,
                 "%s", error.text);
    cr_expect(tickers[0].known);
    cr_expect_eq(binance_us_read_tickers("1", 1, two_symbols, 2, tickers, &error), ERROR_INPUT);
    cr_expect_eq(
        binance_us_read_tickers("{\"symbol\":\"BTCUSD\"}", 19, two_symbols, 2, tickers, &error),
        ERROR_INPUT);
}

/* --- exchangeInfo ------------------------------------------------------------------------------------ */

#define SYMBOL(name, extra, filters)                                                               \
    "{\"symbol\":\"" name                                                                          \
    "\",\"status\":\"TRADING\",\"baseAsset\":\"BTC\",\"baseAssetPrecision\":"                      \
    "8,\"quoteAsset\":\"USD\",\"quotePrecision\":4,\"baseCommissionPrecision\":8,"                 \
    "\"quoteCommissionPrecision\":2,\"orderTypes\":[\"LIMIT\",\"LIMIT_MAKER\"]," extra             \
    "\"filters\":[" filters "]}"
#define PRICE_FILTER "{\"filterType\":\"PRICE_FILTER\",\"minPrice\":\"0\",\"tickSize\":\"0.0500\"}"
#define LOT_SIZE                                                                                   \
    "{\"filterType\":\"LOT_SIZE\",\"minQty\":\"0.00000100\",\"stepSize\":\"0.00000100\"}"

static struct adapter_instrument found[2];
static bool present[2];
static uint8_t notes[2];
static struct binance_us_info info;

static int read_info(const char *symbols)
{
    char text[2048];
    int length = snprintf(
        text, sizeof text,
        "{\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\","
        "\"intervalNum\":1,\"limit\":1200},{\"rateLimitType\":\"ORDERS\",\"interval\":\"SECOND\","
        "\"intervalNum\":10,\"limit\":100},{\"rateLimitType\":\"ORDERS\",\"interval\":\"DAY\","
        "\"intervalNum\":1,\"limit\":200000},{\"rateLimitType\":\"NEW_KIND\"},{}],\"symbols\":[%s]"
        "}",
        symbols);
    memset(&error, 0, sizeof error);
    memset(notes, 0, sizeof notes);
    return binance_us_read_info(text, (size_t)length, two_symbols, 2, found, present, notes, &info,
                                &error);
}

Test(binance_us_decode, an_instrument_from_its_filters)
{
    cr_assert_eq(read_info("{\"symbol\":\"OTHER\"}," SYMBOL(
                     "BTCUSD", "\"cancelReplaceAllowed\":true,",
                     PRICE_FILTER "," LOT_SIZE ",{\"filterType\":\"MIN_NOTIONAL\",\"minNotional\":"
                                  "\"10.0000\"},{\"filterType\":\"NEW\"}")),
                 0, "%s", error.text);
    cr_expect(!present[0] && present[1]);
    const struct adapter_instrument *one = &found[1];
    const struct event_definition *definition = &one->definition;
    cr_expect_str_eq(one->symbol, "BTCUSD");
    cr_expect_str_eq(one->base, "BTC");
    cr_expect_str_eq(one->quote, "USD");
    cr_expect_str_eq(one->settle, "USD");
    cr_expect_eq(one->trading, TRADING_OPEN);
    cr_expect_eq(definition->contract, CONTRACT_SPOT);
    /* A price unit is that of the tick; a quantity unit the finer of lot and commission. */
    cr_expect(definition->price_exponent == -2 && definition->tick == 5);
    cr_expect(definition->quantity_exponent == -8 && definition->lot == 100);
    cr_expect(definition->multiplier == 1 && definition->multiplier_exponent == 0);
    cr_expect_eq(money_compare(definition->minimum_notional, amount("10")), 0);
    cr_expect_eq(definition->fee_asset, FEE_IN_RECEIVED);
    cr_expect(definition->base_commission_exponent == -8 &&
              definition->quote_commission_exponent == -2);
    cr_expect_eq(definition->grid_basis, BASIS_GIVEN);
    cr_expect_eq(notes[1], 0);
    cr_assert_eq(info.limit_count, 3);
    cr_expect_eq(info.limits[1].type, BINANCE_US_ORDERS);
    cr_expect_eq(info.limits[1].interval_ns, 10 * NS_PER_SECOND);
    cr_expect_eq(info.limits[2].limit, 200000);
    cr_expect_eq(info.limits[2].interval_ns, 86400 * NS_PER_SECOND);
}

Test(binance_us_decode, filters_that_are_off_or_absent)
{
    cr_assert_eq(read_info(SYMBOL("BTCUSD", "",
                                  "{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"0.000\"},"
                                  "{\"filterType\":\"NOTIONAL\",\"minNotional\":\"5\"}")),
                 0, "%s", error.text);
    cr_expect(found[1].definition.price_exponent == -4 && found[1].definition.tick == 1);
    cr_expect(found[1].definition.quantity_exponent == -8 && found[1].definition.lot == 1);
    cr_expect_eq(money_compare(found[1].definition.minimum_notional, amount("5")), 0);
    /* Coarser than one: the unit stays one. */
    cr_assert_eq(
        read_info(SYMBOL("BTCUSD", "",
                         "{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"20\"},"
                         "{\"filterType\":\"LOT_SIZE\",\"minQty\":\"2\",\"stepSize\":\"1\"}")),
        0, "%s", error.text);
    cr_expect(found[1].definition.price_exponent == 0 && found[1].definition.tick == 20);
    cr_expect(found[1].definition.quantity_exponent == -8);
    cr_expect_eq(found[1].definition.lot, 100000000);
    cr_expect_eq(notes[1], BINANCE_US_LEAST_ABOVE_LOT);
}

Test(binance_us_decode, what_of_an_instrument_is_noted)
{
    cr_assert_eq(read_info("{\"symbol\":\"ZRXUSDT\",\"status\":\"BREAK\",\"baseAsset\":\"ZRX\","
                           "\"baseAssetPrecision\":8,\"quoteAsset\":\"USDT\",\"quotePrecision\":8,"
                           "\"baseCommissionPrecision\":8,\"quoteCommissionPrecision\":8,"
                           "\"orderTypes\":[\"LIMIT\"],\"cancelReplaceAllowed\":false}," SYMBOL(
                               "BTCUSD", "\"isSpotTradingAllowed\":false,", "")),
                 0, "%s", error.text);
    cr_expect(present[0] && found[0].trading == TRADING_HALTED);
    cr_expect_eq(notes[0], BINANCE_US_NO_POST_ONLY | BINANCE_US_NO_REPLACE);
    cr_expect_eq(found[1].trading, TRADING_HALTED);
}

Test(binance_us_decode, what_is_refused_of_an_instrument)
{
    static const char *const refused[][2] = {
        {"{}", "symbols: field symbol"},
        {"{\"symbol\":\"BTCUSD\"}", "symbol BTCUSD: field baseAsset"},
        {SYMBOL("BTCUSD", "", "{\"filterType\":\"PRICE_FILTER\"}"),
         "symbol BTCUSD: field tickSize"},
        {SYMBOL("BTCUSD", "", "{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"-1\"}"),
         "field tickSize"},
        {SYMBOL("BTCUSD", "", "{\"filterType\":\"LOT_SIZE\",\"stepSize\":\"x\",\"minQty\":\"0\"}"),
         "field stepSize"},
        {SYMBOL("BTCUSD", "", "{\"filterType\":\"MIN_NOTIONAL\",\"minNotional\":\"\"}"),
         "field minNotional"},
        {SYMBOL("BTCUSD", "", "{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"0.00000000001\"}"),
         "finer than exact money"},
        {SYMBOL("BTCUSD", "", "{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"1e-19\"}"),
         "field tickSize"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        cr_expect_eq(read_info(refused[i][0]), ERROR_INPUT, "%s", refused[i][0]);
        expect_error(refused[i][1], refused[i][0]);
    }
    cr_expect_eq(binance_us_read_info("{}", 2, two_symbols, 2, found, present, NULL, &info, &error),
                 ERROR_INPUT);
    expect_error("field symbols", "{}");
}

Test(binance_us_decode, headers_that_tell_the_use_of_a_limit)
{
    static const struct {
        const char *name, *value;
        bool good;
        uint8_t type;
        int64_t interval;
        uint64_t used;
    } headers[] = {
        {"x-mbx-used-weight-1m", "321", true, BINANCE_US_WEIGHT, 60 * NS_PER_SECOND, 321},
        {"x-mbx-order-count-10s", "12", true, BINANCE_US_ORDERS, 10 * NS_PER_SECOND, 12},
        {"x-mbx-order-count-1d", "4043", true, BINANCE_US_ORDERS, 86400 * NS_PER_SECOND, 4043},
        {"x-mbx-used-weight-2h", "0", true, BINANCE_US_WEIGHT, 7200 * NS_PER_SECOND, 0},
        {"x-mbx-used-weight", "321", false, 0, 0, 0},
        {"x-mbx-used-weight-m", "321", false, 0, 0, 0},
        {"x-mbx-used-weight-1w", "321", false, 0, 0, 0},
        {"x-mbx-used-weight-1m ", "321", false, 0, 0, 0},
        {"x-mbx-order-count-10s", "-1", false, 0, 0, 0},
        {"x-mbx-order-count-10s", "x", false, 0, 0, 0},
        {"content-type", "1", false, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        uint8_t type;
        int64_t interval;
        uint64_t used;
        bool good = binance_us_read_use(headers[i].name, headers[i].value, &type, &interval, &used);
        cr_assert_eq(good, headers[i].good, "%s: %s", headers[i].name, headers[i].value);
        cr_expect(!good || (type == headers[i].type && interval == headers[i].interval &&
                            used == headers[i].used),
                  "%s", headers[i].name);
    }
}

/* --- private events ---------------------------------------------------------------------------------- */

static int read_event(const char *text)
{
    memset(&error, 0, sizeof error);
    return binance_us_read_event(text, strlen(text), &event, &error);
}

#define REPORT(execution, status, names, rest)                                                     \
    "{\"e\":\"executionReport\",\"E\":1499405658658,\"s\":\"ETHBTC\"," names                       \
    ",\"S\":\"BUY\",\"o\":\"LIMIT\",\"f\":\"GTC\",\"q\":\"1.5\",\"p\":\"0.10264410\",\"x\":"       \
    "\"" execution "\",\"X\":\"" status "\",\"r\":\"NONE\",\"i\":4293153,\"z\":\"0.5\","           \
    "\"T\":1499405658657" rest "}"
#define OURS "\"c\":\"mm1-3-17\",\"C\":\"\""

Test(binance_us_decode, an_order_event)
{
    cr_assert_eq(read_event(REPORT("NEW", "NEW", OURS, ",\"t\":-1,\"N\":null")), 0, "%s",
                 error.text);
    cr_expect_eq(event.kind, BINANCE_US_REPORT);
    cr_expect_eq(event.execution, BINANCE_US_EXECUTION_NEW);
    cr_expect_eq(event.order.status, BINANCE_US_NEW);
    cr_expect_str_eq(event.order.name, "mm1-3-17");
    cr_expect_eq(event.order.id, 4293153);
    cr_expect_eq(event.order.side, SIDE_BUY);
    cr_expect_eq(units(&event.order.quantity, -1), 15);
    cr_expect_eq(event.time_ns, INT64_C(1499405658657000000));
}

Test(binance_us_decode, a_fill_event)
{
    cr_assert_eq(
        read_event(REPORT("TRADE", "PARTIALLY_FILLED", OURS,
                          ",\"l\":\"0.5\",\"L\":\"0.10264\",\"n\":\"0.0005\",\"N\":\"ETH\","
                          "\"t\":77,\"m\":true")),
        0, "%s", error.text);
    cr_expect_eq(event.execution, BINANCE_US_EXECUTION_TRADE);
    cr_expect_eq(event.fill.trade, 77);
    cr_expect(event.fill.maker);
    cr_expect_eq(units(&event.fill.quantity, -1), 5);
    cr_expect_eq(money_compare(event.fill.fee, amount("0.0005")), 0);
    cr_expect_str_eq(event.fill.fee_asset, "ETH");
    cr_expect_eq(read_event(REPORT("TRADE", "FILLED", OURS, ",\"t\":-1")), ERROR_INPUT);
    expect_error("field t", "a trade without an id");
    cr_expect_eq(read_event(REPORT("TRADE", "FILLED", OURS,
                                   ",\"t\":1,\"l\":\"1\",\"L\":\"1\",\"n\":\"1\",\"N\":null,"
                                   "\"m\":true")),
                 ERROR_INPUT);
    expect_error("field N", "a fee in nothing");
}

Test(binance_us_decode, of_a_cancel_event_the_original_name_counts)
{
    cr_assert_eq(
        read_event(REPORT("CANCELED", "CANCELED", "\"c\":\"web_9\",\"C\":\"mm1-3-17\"", "")), 0);
    cr_expect_str_eq(event.order.name, "mm1-3-17");
    cr_assert_eq(read_event(REPORT("EXPIRED", "EXPIRED_IN_MATCH", OURS, "")), 0);
    cr_expect_str_eq(event.order.name, "mm1-3-17");
    cr_expect_eq(event.order.status, BINANCE_US_EXPIRED_IN_MATCH);
    cr_assert_eq(read_event(REPORT("MELTED", "MELTED", OURS, "")), 0);
    cr_expect_eq(event.execution, BINANCE_US_EXECUTION_OTHER);
    cr_expect_str_eq(event.word, "MELTED");
}

Test(binance_us_decode, account_events)
{
    cr_assert_eq(
        read_event("{\"e\":\"outboundAccountPosition\",\"E\":1,\"u\":1564034571073,\"B\":[{"
                   "\"a\":\"ETH\",\"f\":\"10000\",\"l\":\"0.5\"}]}"),
        0, "%s", error.text);
    cr_expect_eq(event.kind, BINANCE_US_BALANCES);
    cr_expect_eq(event.balances.count, 1);
    cr_expect_eq(event.time_ns, INT64_C(1564034571073000000));
    cr_assert_eq(
        read_event("{\"e\":\"balanceUpdate\",\"E\":1,\"a\":\"BTC\",\"d\":\"-100.5\",\"T\":2}"), 0,
        "%s", error.text);
    cr_expect_eq(event.kind, BINANCE_US_TRANSFER);
    cr_expect_str_eq(event.asset, "BTC");
    cr_expect_eq(money_compare(event.amount, amount("-100.5")), 0);
}

Test(binance_us_decode, wrappers_and_other_events)
{
    static const char *const wrappers[] = {"{\"stream\":\"k\",\"data\":",
                                           "{\"subscriptionId\":0,\"event\":"};
    for (size_t i = 0; i < 2; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s%s}", wrappers[i], REPORT("NEW", "NEW", OURS, ""));
        cr_assert_eq(read_event(text), 0, "%s", error.text);
        cr_expect_eq(event.kind, BINANCE_US_REPORT);
    }
    cr_assert_eq(read_event("{\"e\":\"listenKeyExpired\",\"E\":1,\"listenKey\":\"x\"}"), 0);
    cr_expect_eq(event.kind, BINANCE_US_KEY_EXPIRED);
    cr_assert_eq(read_event("{\"e\":\"serverShutdown\",\"E\":1}"), 0);
    cr_expect_eq(event.kind, BINANCE_US_OTHER_EVENT);
    cr_expect_str_eq(event.word, "serverShutdown");
    cr_assert_eq(read_event("{\"result\":null,\"id\":1}"), 0);
    cr_expect_eq(event.kind, BINANCE_US_OTHER_EVENT);
    cr_expect_str_eq(event.word, "answer");
    cr_assert_eq(read_event("{\"id\":1,\"status\":200,\"result\":{}}"), 0);
    cr_expect(event.kind == BINANCE_US_API_ANSWER && event.status == 200 && event.error.code == 0);
    cr_assert_eq(read_event("{\"id\":1,\"status\":401,\"error\":{\"code\":-2015,\"msg\":\"x\"}}"),
                 0);
    cr_expect(event.kind == BINANCE_US_API_ANSWER && event.status == 401);
    cr_expect_eq(event.error.code, -2015);
    cr_assert_eq(read_event("{\"subscriptionId\":0,\"event\":{\"e\":\"eventStreamTerminated\"}}"),
                 0);
    cr_expect_eq(event.kind, BINANCE_US_KEY_EXPIRED);
}

Test(binance_us_decode, what_is_refused_of_an_event)
{
    static const char *const refused[][2] = {
        {"x", "expected one JSON object"},
        {"{\"e\":1}", "field e"},
        {"{\"event\":[]}", "expected an event"},
        {"{\"e\":\"executionReport\"}", "field x"},
        {"{\"e\":\"executionReport\",\"x\":\"NEW\"}", "field X"},
        {"{\"e\":\"executionReport\",\"x\":\"NEW\",\"X\":\"NEW\"}", "field S"},
        {"{\"e\":\"executionReport\",\"x\":\"NEW\",\"X\":\"NEW\",\"S\":\"BUY\"}", "field s"},
        {"{\"e\":\"executionReport\",\"x\":\"NEW\",\"X\":\"NEW\",\"S\":\"BUY\",\"s\":\"A\"}",
         "field c"},
        {"{\"e\":\"executionReport\",\"x\":\"NEW\",\"X\":\"NEW\",\"S\":\"BUY\",\"s\":\"A\",\"c\":"
         "\"n\"}",
         "field i"},
        {"{\"e\":\"outboundAccountPosition\",\"u\":1}", "field B"},
        {"{\"e\":\"balanceUpdate\",\"a\":\"A\",\"d\":1}", "field d"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        cr_expect_eq(read_event(refused[i][0]), ERROR_INPUT, "%s", refused[i][0]);
        expect_error(refused[i][1], refused[i][0]);
    }
}

/* --- errors ------------------------------------------------------------------------------------------ */

static enum reject reject_of(int64_t code, const char *text, bool *known)
{
    struct binance_us_error read = {.code = code};
    snprintf(read.text, sizeof read.text, "%s", text);
    return binance_us_reject(&read, known);
}

/* The venue's own words, and what they are. */
static const struct {
    int64_t code;
    const char *text;
    enum reject reject;
} known_errors[] = {
    {-1002, "You are not authorized to execute this request.", REJECT_OTHER},
    {-1003, "Too many requests.", REJECT_RATE},
    {-1008, "Server is currently overloaded with other requests.", REJECT_RATE},
    {-1013, "Filter failure: PRICE_FILTER", REJECT_PRICE},
    {-1013, "Filter failure: PERCENT_PRICE", REJECT_PRICE},
    {-1013, "Filter failure: PERCENT_PRICE_BY_SIDE", REJECT_PRICE},
    {-1013, "Filter failure: LOT_SIZE", REJECT_LOT},
    {-1013, "Filter failure: MARKET_LOT_SIZE", REJECT_LOT},
    {-1013, "Filter failure: MIN_NOTIONAL", REJECT_MINIMUM_NOTIONAL},
    {-1013, "Filter failure: NOTIONAL", REJECT_MINIMUM_NOTIONAL},
    {-1013, "Filter failure: MAX_NUM_ORDERS", REJECT_FULL},
    {-1013, "Filter failure: EXCHANGE_MAX_NUM_ORDERS", REJECT_FULL},
    {-1013, "Filter failure: MAX_POSITION", REJECT_QUANTITY},
    {-1013, "Invalid price.", REJECT_PRICE},
    {-1013, "Invalid quantity.", REJECT_QUANTITY},
    {-1014, "Unsupported order combination.", REJECT_UNSUPPORTED},
    {-1015, "Too many new orders; current limit is 100 orders per 10 SECOND.", REJECT_RATE},
    {-1016, "This service is no longer available.", REJECT_HALTED},
    {-1020, "This operation is not supported.", REJECT_UNSUPPORTED},
    {-1021, "Timestamp for this request is outside of the recvWindow.", REJECT_OTHER},
    {-1022, "Signature for this request is not valid.", REJECT_OTHER},
    {-1100, "Illegal characters found in a parameter.", REJECT_OTHER},
    {-1102, "Mandatory parameter was not sent.", REJECT_OTHER},
    {-1106, "Parameter sent when not required.", REJECT_UNSUPPORTED},
    {-1111, "Precision is over the maximum defined for this asset.", REJECT_LOT},
    {-1112, "No orders on book for symbol.", REJECT_NO_BOOK},
    {-1114, "TimeInForce parameter sent when not required.", REJECT_UNSUPPORTED},
    {-1115, "Invalid timeInForce.", REJECT_UNSUPPORTED},
    {-1116, "Invalid orderType.", REJECT_UNSUPPORTED},
    {-1121, "Invalid symbol.", REJECT_UNSUPPORTED},
    {-2010, "Account has insufficient balance for requested action.", REJECT_FUNDS},
    {-2010, "Order would immediately match and take.", REJECT_POST_ONLY},
    {-2010, "Duplicate order sent.", REJECT_DUPLICATE},
    {-2010, "Market is closed.", REJECT_HALTED},
    {-2010, "This action is disabled on this account.", REJECT_HALTED},
    {-2010, "This action disabled is on this account.", REJECT_HALTED},
    {-2010, "Market orders are not supported for this symbol.", REJECT_UNSUPPORTED},
    {-2010, "This symbol is not permitted for this account.", REJECT_UNSUPPORTED},
    {-2010, "Price * QTY is zero or less.", REJECT_QUANTITY},
    {-2010, "Order would immediately trigger.", REJECT_PRICE},
    {-2011, "Unknown order sent.", REJECT_NOT_FOUND},
    {-2011, "Order was not canceled due to cancel restrictions.", REJECT_OTHER},
    {-2013, "Order does not exist.", REJECT_NOT_FOUND},
    {-2014, "API-key format invalid.", REJECT_OTHER},
    {-2015, "Invalid API-key, IP, or permissions for action.", REJECT_OTHER},
    {-2016, "No trading window could be found for the symbol.", REJECT_HALTED},
    {-2018, "Balance is insufficient.", REJECT_FUNDS},
    {-2019, "Margin is insufficient.", REJECT_FUNDS},
    {-2026, "Order was canceled or expired with no executed qty over 90 days ago.",
     REJECT_NOT_FOUND},
};

Test(binance_us_errors, a_test_for_each_row)
{
    static const struct {
        int64_t code;
        const char *part;
    } rows[] = {
#define X(code, part, reject) {code, part},
        BINANCE_US_ERRORS(X)
#undef X
    };
    bool used[sizeof rows / sizeof *rows] = {false};
    for (size_t i = 0; i < sizeof known_errors / sizeof *known_errors; i++) {
        bool known = false;
        cr_expect_eq(reject_of(known_errors[i].code, known_errors[i].text, &known),
                     known_errors[i].reject, "%s", known_errors[i].text);
        cr_expect(known);
        for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
            if (rows[row].code == known_errors[i].code &&
                strstr(known_errors[i].text, rows[row].part)) {
                used[row] = true;
                break;
            }
        }
    }
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
        cr_expect(used[row], "no test of %d \"%s\"", (int)rows[row].code, rows[row].part);
}

Test(binance_us_errors, what_is_in_no_row)
{
    bool known = true;
    cr_expect_eq(reject_of(-2010, "Something else.", &known), REJECT_OTHER);
    cr_expect_not(known);
    cr_expect_eq(reject_of(-9999, "New.", &known), REJECT_OTHER);
    cr_expect_not(known);
    for (int64_t code = -2100; code < 0; code++)
        cr_expect_eq(binance_us_is_unknown(code),
                     code == -1000 || code == -1001 || code == -1006 || code == -1007);
}

Test(binance_us_errors, error_answers)
{
    struct binance_us_error read;
    cr_expect(
        binance_us_read_error("{\"code\":-1121,\"msg\":\"Invalid\\u00e9 symbol.\"}", 44, &read));
    cr_expect_eq(read.code, -1121);
    cr_expect_str_eq(read.text, "Invalid?? symbol.");
    static const char *const none[] = {"",
                                       "<html>403</html>",
                                       "[]",
                                       "{}",
                                       "{\"code\":0,\"msg\":\"x\"}",
                                       "{\"code\":\"-1\",\"msg\":\"x\"}",
                                       "{\"code\":-1}",
                                       "{\"code\":-1.5,\"msg\":\"x\"}",
                                       "{\"code\":-9007199254740993,\"msg\":\"x\"}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cr_expect_not(binance_us_read_error(none[i], strlen(none[i]), &read), "%s", none[i]);
}

/* --- the venue's own samples ------------------------------------------------------------------------- */

enum reader {
    READ_NOTHING, /* no answer of a kind that is asked for: must only be refused or passed over */
    READ_ERROR,
    READ_PLACED,
    READ_ORDER,
    READ_ORDERS,
    READ_TRADES,
    READ_REPLACED,
    READ_ACCOUNT,
    READ_TIME,
    READ_INFO,
    READ_TICKERS,
    READ_KEY,
    READ_EVENT,
    READ_FRAME,
    READ_STREAM_ANSWER
};

/* Which samples are what; the first prefix that fits counts. */
static const struct {
    const char *prefix;
    enum reader reader;
} samples[] = {
    {"rest-api__account_information", READ_ACCOUNT},
    {"rest-api__account_trade_list", READ_TRADES},
    {"rest-api__all_orders", READ_ORDERS},
    {"rest-api__current_open_orders", READ_ORDERS},
    {"rest-api__cancel_an_existing_order_and", READ_REPLACED},
    {"rest-api__cancel_order_trade", READ_ORDER},
    {"rest-api__query_order_user_data", READ_ORDER},
    {"rest-api__new_order_trade", READ_PLACED},
    {"rest-api__check_server_time", READ_TIME},
    {"rest-api__error_codes", READ_ERROR},
    {"rest-api__regarding_cancelrestrictions", READ_ERROR},
    {"rest-api__exchange_information", READ_INFO},
    {"rest-api__symbol_order_book_ticker", READ_TICKERS},
    {"rest-api__start_user_data_stream", READ_KEY},
    {"rest-api__order_book", READ_FRAME},
    {"user-data-stream__create_a_listenkey", READ_KEY},
    {"user-data-stream__account_update", READ_EVENT},
    {"user-data-stream__balance_update", READ_EVENT},
    {"user-data-stream__order_update", READ_EVENT},
    {"user-data-stream__conditional_fields", READ_EVENT},
    {"web-socket-streams__trade_streams", READ_FRAME},
    {"web-socket-streams__diff_depth", READ_FRAME},
    {"web-socket-streams__individual_symbol_book_ticker", READ_FRAME},
    {"web-socket-streams__subscribe_to_a_stream__2", READ_STREAM_ANSWER},
    {"web-socket-streams__listing_subscriptions__2", READ_STREAM_ANSWER},
    {"", READ_NOTHING},
};

static int read_with(enum reader reader, const char *text, size_t length)
{
    static const char *const symbols[] = {"ETHBTC", "LTCBTC"};
    static struct binance_us_orders orders;
    static struct binance_us_account account;
    static struct binance_frame frame;
    struct binance_us_error venue_error;
    struct binance_us_ticker tickers[2] = {{0}, {0}};
    struct binance_us_fee fees[2];
    struct binance_us_stream_answer answer;
    char key[BINANCE_US_KEY_MAX];
    int64_t time;
    memset(&error, 0, sizeof error);
    switch (reader) {
    case READ_ERROR:
        return binance_us_read_error(text, length, &venue_error) ? 0 : ERROR_INPUT;
    case READ_PLACED:
        return binance_us_read_placed(text, length, &order, &fills, &error);
    case READ_ORDER:
        return binance_us_read_order(text, length, &order, &error);
    case READ_ORDERS:
        return binance_us_read_orders(text, length, &orders, &error);
    case READ_TRADES:
        return binance_us_read_trades(text, length, &fills, &error);
    case READ_REPLACED:
        return binance_us_read_replaced(text, length, &replaced, &fills, &error);
    case READ_ACCOUNT:
        return binance_us_read_account(text, length, &account, &error);
    case READ_TIME:
        return binance_us_read_time(text, length, &time, &error);
    case READ_INFO:
        return binance_us_read_info(text, length, symbols, 2, found, present, notes, &info, &error);
    case READ_TICKERS:
        return binance_us_read_tickers(text, length, symbols, 2, tickers, &error);
    case READ_KEY:
        return binance_us_read_listen_key(text, length, key, &error);
    case READ_EVENT:
        return binance_us_read_event(text, length, &event, &error);
    case READ_FRAME:
        return binance_decode(&frame, text, length, &error);
    case READ_STREAM_ANSWER:
        return binance_us_read_stream_answer(text, length, &answer, &error);
    case READ_NOTHING:
        return binance_us_read_fees(text, length, symbols, 2, fees, &error);
    }
    return ERROR_INPUT;
}

static enum reader reader_of(const char *name)
{
    size_t at = 0;
    while (strncmp(samples[at].prefix, name, strlen(samples[at].prefix)) != 0)
        at++;
    return samples[at].reader;
}

/* Each sample is read by what reads it, and given to every other reader as well. */
Test(binance_us_decode, the_venue_s_own_samples)
{
    size_t length, count = 0, read = 0;
    char *index = shared_file("payloads/binance_us/INDEX.tsv", &length);
    if (!index)
        cr_skip_test("no recorded payloads; set CAPSTAN_SHARED");
    for (char *rest, *line = strtok_r(index, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        char name[256];
        line[strcspn(line, "\t")] = '\0';
        snprintf(name, sizeof name, "payloads/binance_us/%s", line);
        char *text = shared_file(name, &length);
        cr_assert_not_null(text, "%s", name);
        enum reader reader = reader_of(line);
        count++;
        for (int other = READ_NOTHING; other <= READ_STREAM_ANSWER; other++)
            (void)read_with((enum reader)other, text, length);
        if (reader != READ_NOTHING) {
            cr_expect_eq(read_with(reader, text, length), 0, "%s: %s", line, error.text);
            read++;
        }
        free(text);
    }
    free(index);
    cr_expect_eq(count, 190);
    cr_expect_eq(read, 33, "%zu", read);
}

Test(binance_us_decode, the_venue_s_order_and_account_samples)
{
    size_t length;
    char *text = shared_file("payloads/binance_us/rest-api__new_order_trade__3.json", &length);
    if (!text)
        cr_skip_test("no recorded payloads; set CAPSTAN_SHARED");
    cr_assert_eq(binance_us_read_placed(text, length, &order, &fills, &error), 0);
    cr_expect_eq(order.status, BINANCE_US_FILLED);
    cr_assert_eq(fills.count, 5);
    int64_t sum = 0;
    for (size_t i = 0; i < fills.count; i++)
        sum += units(&fills.list[i].quantity, 0);
    cr_expect_eq(sum, 10);
    cr_expect_eq(fills.list[4].trade, 60);
    free(text);
    text = shared_file("payloads/binance_us/rest-api__exchange_information__1.json", &length);
    cr_assert_eq(read_with(READ_INFO, text, length), 0, "%s", error.text);
    cr_expect(present[0] && !present[1]);
    cr_expect(found[0].definition.price_exponent == -8 && found[0].definition.lot == 1);
    free(text);
}
