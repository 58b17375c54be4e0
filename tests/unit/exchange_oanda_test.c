/* OANDA as the exchange speaks it: transactions without gaps, orders, refusals by their codes, trades and profit,
 * streams. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "exchange_bench.h"

TestSuite(exchange_oanda);

#define ACCOUNT "101-001-1234567-001"
#define PATH    "/v3/accounts/" ACCOUNT
#define HEADS   "authorization: Bearer token-1\naccept-datetime-format: UNIX\nclientrequestid: r-1"
enum { BTC_USD = 4, EUR_USD = 5 }; /* instruments of synth's catalogue */

static struct exchange_bench bench;

static void open_bench(void)
{
    strcpy(bench.credentials.key, ACCOUNT);
    strcpy(bench.credentials.secret, "token-1");
    bench_open(&bench, "oanda", "10000 USD");
}

static void simple_bench(void)
{
    bench_init(&bench);
    open_bench();
}

static int get(const char *path, const char *query)
{
    return bench_request(&bench, "GET", path, query, HEADS, NULL);
}

/* A limit order of EUR_USD; `more` is what stands behind the price. */
static int place(const char *units, const char *price, const char *more)
{
    char body[1024];
    snprintf(body, sizeof body,
             "{\"order\":{\"type\":\"LIMIT\",\"instrument\":\"EUR_USD\",\"units\":\"%s\",\"price\":"
             "\"%s\"%s}}",
             units, price, more);
    return bench_request(&bench, "POST", PATH "/orders", NULL, HEADS, body);
}

#define CLIENT(id) ",\"clientExtensions\":{\"id\":\"" id "\"}"

Test(exchange_oanda, who_may_ask)
{
    simple_bench();
    cr_assert_eq(bench_request(&bench, "GET", "/v3/accounts", NULL, NULL, NULL), 401);
    cr_assert_str_eq(bench_at(bench.answer, "errorMessage"),
                     "Insufficient authorization to perform request.");
    cr_assert_eq(get("/v3/accounts", NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "accounts.0.id"), ACCOUNT);
    cr_assert_eq(get("/v3/accounts/101-001-1-001", NULL), 403);
    cr_assert_eq(get(PATH "/nothing", NULL), 404);
    for (int i = 3; i < 120; i++)
        get(PATH "/summary", NULL);
    cr_assert_eq(get(PATH "/summary", NULL), 429);
    bench_to(&bench, NS_PER_SECOND);
    cr_assert_eq(get(PATH "/summary", NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "account.balance"), "10000.0000");
    cr_assert_str_eq(bench_at(bench.answer, "lastTransactionID"), "1");
    bench_close(&bench);
}

Test(exchange_oanda, instruments_and_prices)
{
    simple_bench();
    cr_assert_eq(get(PATH "/instruments", "instruments=EUR_USD"), 200);
    cr_assert_str_eq(bench_at(bench.answer, "instruments.0.displayPrecision"), "5");
    cr_assert_str_eq(bench_at(bench.answer, "instruments.0.pipLocation"), "-4");
    cr_assert_str_eq(bench_at(bench.answer, "instruments.0.minimumTradeSize"), "1");
    cr_assert_eq(get(PATH "/pricing", "instruments=EUR_USD%2CBTC_USD"), 200);
    cr_assert_str_eq(bench_at(bench.answer, "prices.1.bids.0.price"), "1.10000");
    cr_assert_str_eq(bench_at(bench.answer, "prices.1.asks.0.price"), "1.10001");
    cr_assert_str_eq(bench_at(bench.answer, "prices.1.asks.0.liquidity"), "500000");
    cr_assert_str_eq(bench_at(bench.answer, "prices.1.closeoutAsk"), "1.10002");
    cr_assert_str_eq(bench_at(bench.answer, "prices.0.instrument"), "BTC_USD");
    bench_close(&bench);
}

Test(exchange_oanda, an_order_rests_is_replaced_and_cancelled)
{
    simple_bench();
    cr_assert_eq(place("-1000", "1.2", CLIENT("a-1")), 201);
    cr_assert_str_eq(bench_at(bench.answer, "orderCreateTransaction.id"), "2");
    cr_assert_str_eq(bench_at(bench.answer, "orderCreateTransaction.requestID"), "r-1");
    cr_assert_str_eq(bench_at(bench.answer, "orderCreateTransaction.price"), "1.20000");
    cr_assert_str_eq(bench_at(bench.answer, "orderCreateTransaction.reason"), "CLIENT_ORDER");
    cr_assert_eq(get(PATH "/orders/@a-1", NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "order.state"), "PENDING");
    cr_assert_str_eq(bench_at(bench.answer, "order.id"), "2");
    cr_assert_eq(place("-1000", "1.2", CLIENT("a-1")), 400);
    cr_assert_str_eq(bench_at(bench.answer, "errorCode"), "CLIENT_ORDER_ID_ALREADY_EXISTS");
    cr_assert_str_eq(bench_at(bench.answer, "orderRejectTransaction.id"), "3");
    const char *body =
        "{\"order\":{\"type\":\"LIMIT\",\"instrument\":\"EUR_USD\",\"units\":\"-2000\","
        "\"price\":\"1.3\"}}";
    cr_assert_eq(bench_request(&bench, "PUT", PATH "/orders/@a-1", NULL, HEADS, body), 201);
    cr_assert_str_eq(bench_at(bench.answer, "orderCancelTransaction.reason"),
                     "CLIENT_REQUEST_REPLACED");
    cr_assert_str_eq(bench_at(bench.answer, "orderCancelTransaction.replacedByOrderID"), "5");
    cr_assert_str_eq(bench_at(bench.answer, "orderCreateTransaction.id"), "5");
    cr_assert_str_eq(bench_at(bench.answer, "orderCreateTransaction.replacesOrderID"), "2");
    cr_assert_str_eq(bench_at(bench.answer, "orderCreateTransaction.clientExtensions.id"), "a-1",
                     "inherited");
    cr_assert_str_eq(bench_at(bench.answer, "relatedTransactionIDs.1"), "5");
    cr_assert_eq(bench_request(&bench, "PUT", PATH "/orders/5/cancel", NULL, HEADS, NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "orderCancelTransaction.reason"), "CLIENT_REQUEST");
    cr_assert_eq(bench_request(&bench, "PUT", PATH "/orders/@a-1/cancel", NULL, HEADS, NULL), 404);
    cr_assert_str_eq(bench_at(bench.answer, "errorCode"), "ORDER_DOESNT_EXIST");
    cr_assert_str_eq(bench_at(bench.answer, "orderCancelRejectTransaction.clientOrderID"), "a-1");
    cr_assert_eq(get(PATH "/orders/2", NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "order.state"), "CANCELLED");
    cr_assert_str_eq(bench_at(bench.answer, "order.replacedByOrderID"), "5");
    cr_assert_eq(get(PATH "/transactions/sinceid", "id=1"), 200);
    static const char *const types[] = {"LIMIT_ORDER", "LIMIT_ORDER_REJECT", "ORDER_CANCEL",
                                        "LIMIT_ORDER", "ORDER_CANCEL",       "ORDER_CANCEL_REJECT"};
    for (int i = 0; i < 6; i++) {
        char path[64];
        snprintf(path, sizeof path, "transactions.%d.id", i);
        cr_assert_eq(strtol(bench_at(bench.answer, path), NULL, 10), i + 2);
        snprintf(path, sizeof path, "transactions.%d.type", i);
        cr_assert_str_eq(bench_at(bench.answer, path), types[i]);
    }
    cr_assert_eq(get(PATH "/transactions/sinceid", "id=99"), 416);
    cr_assert_eq(get(PATH "/transactions", "pageSize=5"), 200);
    cr_assert_str_eq(bench_at(bench.answer, "lastTransactionID"), "7");
    cr_assert_not_null(strstr(bench_at(bench.answer, "pages.0"), "/idrange?from=1&to=5"));
    cr_assert_not_null(strstr(bench_at(bench.answer, "pages.1"), "/idrange?from=6&to=7"));
    cr_assert_eq(get(PATH "/transactions", "from=2200-01-01T00:00:00Z"), 200);
    cr_assert_str_eq(bench_at(bench.answer, "count"), "0");
    cr_assert_eq(get(PATH "/transactions", "from=yesterday"), 400);
    bench_close(&bench);
}

Test(exchange_oanda, refusals_have_the_venues_codes)
{
    simple_bench();
    static const struct {
        const char *units, *price, *more, *code;
    } rows[] = {
        {"-1000", "1.200001", "", "PRICE_PRECISION_EXCEEDED"},
        {"-1000.5", "1.2", "", "UNITS_PRECISION_EXCEEDED"},
        {"0", "1.2", "", "UNITS_INVALID"},
        {"-100000001", "1.2", "", "UNITS_LIMIT_EXCEEDED"},
        {"-1000", "-1", "", "PRICE_INVALID"},
        {"-1000", "1.2", ",\"timeInForce\":\"SOON\"", "TIME_IN_FORCE_INVALID"},
        {"-1000", "1.2", ",\"timeInForce\":\"GTD\"", "TIME_IN_FORCE_GTD_TIMESTAMP_MISSING"},
        {"-1000", "1.2", ",\"timeInForce\":\"GTD\",\"gtdTime\":\"1767225600\"",
         "TIME_IN_FORCE_GTD_TIMESTAMP_IN_PAST"},
        {"-1000", "1.2", ",\"instrument\":\"NO_USD\"", ""},
    };
    for (size_t i = 0; i + 1 < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(place(rows[i].units, rows[i].price, rows[i].more), 400);
        cr_assert_str_eq(bench_at(bench.answer, "errorCode"), rows[i].code);
        cr_assert_str_eq(bench_at(bench.answer, "orderRejectTransaction.rejectReason"),
                         rows[i].code);
        cr_assert_str_eq(bench_at(bench.answer, "orderRejectTransaction.units"), rows[i].units);
    }
    const char *unknown =
        "{\"order\":{\"type\":\"LIMIT\",\"instrument\":\"NO_USD\",\"units\":\"1\","
        "\"price\":\"1\"}}";
    cr_assert_eq(bench_request(&bench, "POST", PATH "/orders", NULL, HEADS, unknown), 400);
    cr_assert_str_eq(bench_at(bench.answer, "errorCode"), "INSTRUMENT_UNKNOWN");
    bench_close(&bench);
}

/* Buy 1,000 at 1.10001 and sell 1,500 at 1.10000: 1,000 closed at -0.01 USD, 500 short are opened. */
Test(exchange_oanda, fills_open_and_close_trades)
{
    simple_bench();
    cr_assert_eq(place("1000", "1.2", CLIENT("b-1")), 201);
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.id"), "3");
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.price"), "1.10001");
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.orderID"), "2");
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.tradeOpened.tradeID"), "3");
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.batchID"), "2");
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.pl"), "0.0000");
    cr_assert_eq(get(PATH "/openPositions", NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "positions.0.long.units"), "1000");
    cr_assert_str_eq(bench_at(bench.answer, "positions.0.long.averagePrice"), "1.10001");
    cr_assert_str_eq(bench_at(bench.answer, "positions.0.unrealizedPL"), "-0.0100");
    const char *body =
        "{\"order\":{\"type\":\"MARKET\",\"instrument\":\"EUR_USD\",\"units\":\"-1500\"}}";
    cr_assert_eq(bench_request(&bench, "POST", PATH "/orders", NULL, HEADS, body), 201);
    cr_assert_str_eq(bench_at(bench.answer, "orderCreateTransaction.type"), "MARKET_ORDER");
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.tradesClosed.0.tradeID"), "3");
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.tradesClosed.0.realizedPL"),
                     "-0.0100");
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.tradeOpened.units"), "-500");
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.pl"), "-0.0100");
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.accountBalance"), "9999.9900");
    cr_assert_eq(get(PATH, NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "account.pl"), "-0.0100");
    cr_assert_str_eq(bench_at(bench.answer, "account.positions.0.short.units"), "-500");
    cr_assert_str_eq(bench_at(bench.answer, "account.openTradeCount"), "1");
    /* 500 x 1.10000 (the mid, rounded down) x 5 % */
    cr_assert_str_eq(bench_at(bench.answer, "account.marginUsed"), "27.5000");
    bench_close(&bench);
}

/* 10,000 USD carry 200,000 USD at 5 %; 200,000 EUR are more. */
Test(exchange_oanda, an_order_without_margin_is_made_and_ended)
{
    simple_bench();
    const char *body =
        "{\"order\":{\"type\":\"MARKET\",\"instrument\":\"EUR_USD\",\"units\":\"200000\"}}";
    cr_assert_eq(bench_request(&bench, "POST", PATH "/orders", NULL, HEADS, body), 201);
    cr_assert_str_eq(bench_at(bench.answer, "orderCancelTransaction.reason"),
                     "INSUFFICIENT_MARGIN");
    cr_assert_str_eq(bench_at(bench.answer, "orderCancelTransaction.orderID"), "2");
    cr_assert_str_eq(bench_at(bench.answer, "orderFillTransaction.id"), "");
    cr_assert_eq(core_order_count(bench.venue.core), 0);
    bench_close(&bench);
}

/* A buy at 1.09999 rests; when the ask falls to it, it fills at its limit. */
Test(exchange_oanda, a_resting_order_fills_when_the_ask_reaches_it)
{
    bench_init(&bench);
    bench_depth(&bench, NS_PER_SECOND, EUR_USD, SIDE_BUY, 110000, 0);
    bench_depth(&bench, NS_PER_SECOND, EUR_USD, SIDE_SELL, 109999, 50000);
    open_bench();
    cr_assert(bench_stream(&bench, PATH "/transactions/stream", NULL, HEADS, false));
    place("1000", "1.09999", CLIENT("m-1"));
    bench_to(&bench, 2 * NS_PER_SECOND);
    cr_assert_eq(bench_count(&bench, "LIMIT_ORDER"), 1);
    cJSON *fill = bench_sent(&bench, "ORDER_FILL", 0);
    cr_assert_str_eq(bench_at(fill, "price"), "1.09999");
    cr_assert_str_eq(bench_at(fill, "clientOrderID"), "m-1");
    cr_assert_str_eq(bench_at(fill, "reason"), "LIMIT_ORDER");
    cr_assert_str_eq(bench_at(fill, "batchID"), bench_at(fill, "id"));
    cJSON_Delete(fill);
    cr_assert_eq(get(PATH "/orders/2", NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "order.state"), "FILLED");
    cr_assert_eq(get(PATH "/orders/@m-1", NULL), 404, "a client's id is for what is pending");
    bench_close(&bench);
}

Test(exchange_oanda, an_order_ends_at_its_time)
{
    simple_bench();
    cr_assert(bench_stream(&bench, PATH "/transactions/stream", NULL, HEADS, false));
    cr_assert_eq(
        place("1000", "1.09", ",\"timeInForce\":\"GTD\",\"gtdTime\":\"1767225630.000000000\""),
        201);
    cr_assert_str_eq(bench_at(bench.answer, "orderCreateTransaction.gtdTime"),
                     "1767225630.000000000");
    bench_to(&bench, 30 * NS_PER_SECOND - 1);
    cr_assert_eq(bench_count(&bench, "ORDER_CANCEL"), 0);
    bench_to(&bench, 30 * NS_PER_SECOND);
    cJSON *cancel = bench_sent(&bench, "ORDER_CANCEL", 0);
    cr_assert_str_eq(bench_at(cancel, "reason"), "TIME_IN_FORCE_EXPIRED");
    cr_assert_str_eq(bench_at(cancel, "time"), "1767225630.000000000");
    cJSON_Delete(cancel);
    bench_close(&bench);
}

/* Three changes in one window are one price; heartbeats come each five seconds. */
Test(exchange_oanda, prices_are_told_four_times_a_second)
{
    bench_init(&bench);
    for (int i = 0; i < 3; i++)
        bench_depth(&bench, (300 + i * 50) * NS_PER_MS, EUR_USD, SIDE_BUY, 110000, 1000 * (i + 1));
    open_bench();
    bench_to(&bench, 250 * NS_PER_MS);
    cr_assert(bench_stream(&bench, PATH "/pricing/stream", "instruments=EUR_USD%2CBTC_USD", HEADS,
                           false));
    cr_assert_eq(bench_count(&bench, "PRICE"), 2, "the snapshot");
    bench_forget(&bench);
    bench_to(&bench, 5 * NS_PER_SECOND);
    cr_assert_eq(bench_count(&bench, "PRICE"), 1);
    cr_assert_eq(bench.sent[0].text[strlen(bench.sent[0].text) - 1], '\n');
    cJSON *price = bench_sent(&bench, "PRICE", 0);
    cr_assert_str_eq(bench_at(price, "bids.0.liquidity"), "3000");
    cr_assert_str_eq(bench_at(price, "tradeable"), "true");
    cJSON_Delete(price);
    cr_assert_eq(bench_count(&bench, "HEARTBEAT"), 1);
    cr_assert_null(bench_stream(&bench, PATH "/pricing/stream", NULL, HEADS, false));
    cr_assert_eq(bench.reply.status, 400);
    bench_close(&bench);
}
