/* Binance.US as the exchange speaks it: signatures by the documents' vectors, orders, refusals by their codes,
 * limits, streams. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "exchange/signatures.h"
#include "exchange_bench.h"

TestSuite(exchange_binance_us);

/* Key and secret of rest-api.md's examples. */
static const char key[] = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
static const char secret[] = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

static struct exchange_bench bench;

static void open_bench(void)
{
    snprintf(bench.credentials.key, sizeof bench.credentials.key, "%s", key);
    snprintf(bench.credentials.secret, sizeof bench.credentials.secret, "%s", secret);
    bench_open(&bench, "binance_us", "100000 USD, 2 BTC");
}

static void simple_bench(void)
{
    bench_init(&bench);
    open_bench();
}

static int64_t now_ms(void)
{
    return bench.now / NS_PER_MS;
}

/* A signed request: parameters in the query of GET and DELETE, else in the body. */
static int signed_request(const char *method, const char *path, const char *parameters)
{
    char total[2048], hex[HMAC_HEX_MAX], headers[256];
    snprintf(total, sizeof total, "%s%stimestamp=%lld", parameters, *parameters ? "&" : "",
             (long long)now_ms());
    hmac_sha256_hex(secret, total, strlen(total), hex);
    size_t length = strlen(total);
    snprintf(total + length, sizeof total - length, "&signature=%s", hex);
    snprintf(headers, sizeof headers, "x-mbx-apikey: %s", key);
    bool in_query = strcmp(method, "GET") == 0 || strcmp(method, "DELETE") == 0;
    return bench_request(&bench, method, path, in_query ? total : NULL, headers,
                         in_query ? NULL : total);
}

static int code(void)
{
    return (int)strtol(bench_at(bench.answer, "code"), NULL, 10);
}

static int place(const char *parameters)
{
    char text[1024];
    snprintf(text, sizeof text, "symbol=BTCUSD&%s", parameters);
    return signed_request("POST", "/api/v3/order", text);
}

/* rest-api.md, "SIGNED Endpoint Examples", 1 to 3. */
Test(exchange_binance_us, signatures_are_those_of_the_documents)
{
    static const struct {
        const char *total, *signature;
    } vectors[] = {
        {"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&"
         "timestamp=1499827319559",
         "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"},
        {"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTCquantity=1&price=0.1&recvWindow=5000&"
         "timestamp=1499827319559",
         "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char hex[HMAC_HEX_MAX];
        hmac_sha256_hex(secret, vectors[i].total, strlen(vectors[i].total), hex);
        cr_assert_str_eq(hex, vectors[i].signature);
    }
}

/* Query and body are signed together, without anything between them. */
Test(exchange_binance_us, mixed_parameters_are_signed_as_one)
{
    simple_bench();
    char query[256], body[256], total[512], hex[HMAC_HEX_MAX], headers[256];
    strcpy(query, "symbol=BTCUSD&side=BUY&type=LIMIT&timeInForce=GTC");
    snprintf(body, sizeof body, "quantity=0.01&price=50000&timestamp=%lld", (long long)now_ms());
    snprintf(total, sizeof total, "%s%s", query, body);
    hmac_sha256_hex(secret, total, strlen(total), hex);
    size_t length = strlen(body);
    snprintf(body + length, sizeof body - length, "&signature=%s", hex);
    snprintf(headers, sizeof headers, "x-mbx-apikey: %s", key);
    cr_assert_eq(bench_request(&bench, "POST", "/api/v3/order", query, headers, body), 200, "%s",
                 bench.reply.body.bytes);
    body[strlen(body) - 1] ^= 1;
    cr_assert_eq(bench_request(&bench, "POST", "/api/v3/order", query, headers, body), 400);
    cr_assert_eq(code(), -1022);
    bench_close(&bench);
}

Test(exchange_binance_us, who_may_ask)
{
    simple_bench();
    cr_assert_eq(bench_request(&bench, "GET", "/api/v3/account", NULL, NULL, NULL), 401);
    cr_assert_eq(code(), -2014);
    cr_assert_eq(bench_request(&bench, "GET", "/api/v3/account", NULL, "x-mbx-apikey: wrong", NULL),
                 401);
    cr_assert_eq(code(), -2015);
    char headers[256];
    snprintf(headers, sizeof headers, "x-mbx-apikey: %s", key);
    cr_assert_eq(bench_request(&bench, "GET", "/api/v3/account", NULL, headers, NULL), 400);
    cr_assert_eq(code(), -1102);
    cr_assert_eq(signed_request("GET", "/api/v3/account", ""), 200);
    cr_assert_str_eq(bench_at(bench.answer, "balances.0.asset"), "BTC");
    cr_assert_str_eq(bench_at(bench.answer, "balances.0.free"), "2.00000000");
    bench_close(&bench);
}

/* timestamp < server + 1000 and server - timestamp <= recvWindow (5000). */
Test(exchange_binance_us, timestamps_have_a_window)
{
    simple_bench();
    static const struct {
        int64_t shift_ms;
        int status;
    } rows[] = {{999, 200}, {1000, 400}, {-5000, 200}, {-5001, 400}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bench.venue.protocol->skew = -rows[i].shift_ms * NS_PER_MS;
        cr_assert_eq(signed_request("GET", "/api/v3/account", ""), rows[i].status, "shift %d",
                     (int)rows[i].shift_ms);
        if (rows[i].status != 200)
            cr_assert_eq(code(), -1021);
    }
    bench_close(&bench);
}

Test(exchange_binance_us, exchange_info_has_the_grid)
{
    simple_bench();
    cr_assert_eq(bench_request(&bench, "GET", "/api/v3/exchangeInfo", NULL, NULL, NULL), 200);
    cr_assert_str_eq(bench_at(bench.answer, "symbols.0.symbol"), "BTCUSD");
    cr_assert_str_eq(bench_at(bench.answer, "symbols.0.filters.0.filterType"), "PRICE_FILTER");
    cr_assert_str_eq(bench_at(bench.answer, "symbols.0.filters.0.tickSize"), "0.01000000");
    cr_assert_str_eq(bench_at(bench.answer, "symbols.0.filters.2.stepSize"), "0.00001000");
    cr_assert_str_eq(bench_at(bench.answer, "symbols.0.filters.3.minNotional"), "1.00000000");
    cr_assert_str_eq(bench_at(bench.answer, "rateLimits.0.limit"), "1200");
    bench_close(&bench);
}

Test(exchange_binance_us, an_order_rests_is_read_and_cancelled)
{
    simple_bench();
    cr_assert_eq(place("side=BUY&type=LIMIT_MAKER&quantity=0.010&price=59000&newClientOrderId=a-1"),
                 200);
    cr_assert_str_eq(bench_at(bench.answer, "clientOrderId"), "a-1");
    cr_assert_str_eq(bench_at(bench.answer, "status"), "", "an ACK has no status");
    cr_assert_eq(signed_request("GET", "/api/v3/order", "symbol=BTCUSD&origClientOrderId=a-1"),
                 200);
    cr_assert_str_eq(bench_at(bench.answer, "status"), "NEW");
    cr_assert_str_eq(bench_at(bench.answer, "type"), "LIMIT_MAKER");
    cr_assert_str_eq(bench_at(bench.answer, "price"), "59000.00000000");
    cr_assert_eq(signed_request("GET", "/api/v3/account", ""), 200);
    cr_assert_str_eq(bench_at(bench.answer, "balances.2.locked"), "590.00000000");
    cr_assert_eq(place("side=BUY&type=LIMIT_MAKER&quantity=0.010&price=59000&newClientOrderId=a-1"),
                 400);
    cr_assert_str_eq(bench_at(bench.answer, "msg"), "Duplicate order sent.");
    cr_assert_eq(signed_request("DELETE", "/api/v3/order",
                                "symbol=BTCUSD&origClientOrderId=a-1&newClientOrderId=c-1"),
                 200);
    cr_assert_str_eq(bench_at(bench.answer, "status"), "CANCELED");
    cr_assert_str_eq(bench_at(bench.answer, "origClientOrderId"), "a-1");
    cr_assert_str_eq(bench_at(bench.answer, "clientOrderId"), "c-1");
    cr_assert_eq(signed_request("DELETE", "/api/v3/order", "symbol=BTCUSD&origClientOrderId=a-1"),
                 400);
    cr_assert_eq(code(), -2011);
    cr_assert_eq(signed_request("GET", "/api/v3/openOrders", "symbol=BTCUSD"), 200);
    cr_assert_eq(cJSON_GetArraySize(bench.answer), 0);
    bench_close(&bench);
}

Test(exchange_binance_us, refusals_have_the_venues_codes)
{
    simple_bench();
    static const struct {
        const char *parameters;
        int code;
        const char *text;
    } rows[] = {
        {"side=BUY&type=LIMIT_MAKER&quantity=0.01&price=60000.25", -2010,
         "Order would immediately match and take."},
        {"side=BUY&type=LIMIT_MAKER&quantity=2&price=59000", -2010,
         "Account has insufficient balance for requested action."},
        {"side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=59000.001", -1013,
         "Filter failure: PRICE_FILTER"},
        {"side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.000001&price=59000", -1013,
         "Filter failure: LOT_SIZE"},
        {"side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.00001&price=59000", -1013,
         "Filter failure: MIN_NOTIONAL"},
        {"side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=400000", -1013,
         "Filter failure: PERCENT_PRICE"},
        {"side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=1.123456789", -1111,
         "Precision is over the maximum defined for this asset."},
        {"side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=-5", -1100,
         "Illegal characters found in parameter 'price'; legal range is "
         "'^([0-9]{1,20})(\\.[0-9]{1,20})?$'."},
        {"side=BUY&type=LIMIT_MAKER&timeInForce=GTC&quantity=0.01&price=59000", -1106,
         "Parameter 'timeInForce' sent when not required."},
        {"side=BUY&type=LIMIT&quantity=0.01&price=59000", -1102,
         "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed."},
        {"side=UP&type=LIMIT&timeInForce=GTC&quantity=0.01&price=59000", -1117, "Invalid side."},
        {"side=BUY&type=HOPE&quantity=0.01&price=59000", -1116, "Invalid orderType."},
        {"side=BUY&type=LIMIT&timeInForce=NOW&quantity=0.01&price=59000", -1115,
         "Invalid timeInForce."},
        {"side=BUY&type=LIMIT_MAKER&quantity=0.01&price=59000&newClientOrderId=a.b", -1100,
         "Illegal characters found in parameter 'newClientOrderId'; legal range is "
         "'^[a-zA-Z0-9-_]{1,36}$'."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(place(rows[i].parameters), 400, "%s", rows[i].parameters);
        cr_assert_eq(code(), rows[i].code, "%s: %s", rows[i].parameters, bench.reply.body.bytes);
        cr_assert_str_eq(bench_at(bench.answer, "msg"), rows[i].text);
    }
    cr_assert_eq(signed_request("POST", "/api/v3/order", "symbol=NONE&side=BUY"), 400);
    cr_assert_eq(code(), -1121);
    cr_assert_eq(core_fill_count(bench.venue.core), 0);
    bench_close(&bench);
}

/* Asks 60000.25 x 0.02 and 60000.50 x 0.02; the fee is 0.1 % of what is received. */
Test(exchange_binance_us, taking_answers_with_its_fills)
{
    simple_bench();
    cr_assert_eq(
        place("side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.03&price=60001&newClientOrderId=t"),
        200);
    cr_assert_str_eq(bench_at(bench.answer, "status"), "FILLED");
    cr_assert_str_eq(bench_at(bench.answer, "fills.0.price"), "60000.25000000");
    cr_assert_str_eq(bench_at(bench.answer, "fills.0.qty"), "0.02000000");
    cr_assert_str_eq(bench_at(bench.answer, "fills.0.commission"), "0.00002000");
    cr_assert_str_eq(bench_at(bench.answer, "fills.0.commissionAsset"), "BTC");
    cr_assert_str_eq(bench_at(bench.answer, "fills.1.qty"), "0.01000000");
    /* 0.02 x 60000.25 + 0.01 x 60000.50 */
    cr_assert_str_eq(bench_at(bench.answer, "cummulativeQuoteQty"), "1800.01000000");
    cr_assert_eq(signed_request("GET", "/api/v3/myTrades", "symbol=BTCUSD"), 200);
    cr_assert_eq(cJSON_GetArraySize(bench.answer), 2);
    cr_assert_str_eq(bench_at(bench.answer, "0.isMaker"), "false");
    cr_assert_str_eq(bench_at(bench.answer, "1.quoteQty"), "600.00500000");
    cr_assert_eq(signed_request("GET", "/api/v3/myTrades", "symbol=BTCUSD&fromId=2"), 200);
    cr_assert_eq(cJSON_GetArraySize(bench.answer), 1);
    /* 0.01 is left of the book: the rest expires. */
    cr_assert_eq(place("side=BUY&type=MARKET&quantity=1"), 200);
    cr_assert_str_eq(bench_at(bench.answer, "status"), "EXPIRED");
    cr_assert_str_eq(bench_at(bench.answer, "executedQty"), "0.01000000");
    bench_close(&bench);
}

/* 201 BTC are not on the book: taken by the venue, then ended. */
Test(exchange_binance_us, fill_or_kill_expires)
{
    simple_bench();
    cr_assert_eq(place("side=BUY&type=LIMIT&timeInForce=FOK&quantity=0.05&price=60001"), 200);
    cr_assert_str_eq(bench_at(bench.answer, "status"), "EXPIRED");
    cr_assert_str_eq(bench_at(bench.answer, "executedQty"), "0.00000000");
    bench_close(&bench);
}

Test(exchange_binance_us, cancel_replace_answers_both_halves)
{
    simple_bench();
    place("side=BUY&type=LIMIT_MAKER&quantity=0.01&price=59000&newClientOrderId=a-1");
    const char *good = "symbol=BTCUSD&side=BUY&type=LIMIT_MAKER&quantity=0.01&price=59001&"
                       "newClientOrderId=a-2&cancelReplaceMode=STOP_ON_FAILURE&"
                       "cancelOrigClientOrderId=a-1&newOrderRespType=RESULT";
    cr_assert_eq(signed_request("POST", "/api/v3/order/cancelReplace", good), 200);
    cr_assert_str_eq(bench_at(bench.answer, "cancelResult"), "SUCCESS");
    cr_assert_str_eq(bench_at(bench.answer, "cancelResponse.origClientOrderId"), "a-1");
    cr_assert_str_eq(bench_at(bench.answer, "newOrderResponse.status"), "NEW");
    /* The old one is gone: the new one is not tried. */
    cr_assert_eq(signed_request("POST", "/api/v3/order/cancelReplace", good), 400);
    cr_assert_eq(code(), -2022);
    cr_assert_str_eq(bench_at(bench.answer, "data.newOrderResult"), "NOT_ATTEMPTED");
    cr_assert_str_eq(bench_at(bench.answer, "data.cancelResponse.code"), "-2011");
    /* Cancelled, but the new one would cross. */
    const char *crossing = "symbol=BTCUSD&side=BUY&type=LIMIT_MAKER&quantity=0.01&price=60100&"
                           "cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=a-2";
    cr_assert_eq(signed_request("POST", "/api/v3/order/cancelReplace", crossing), 409);
    cr_assert_eq(code(), -2021);
    cr_assert_str_eq(bench_at(bench.answer, "data.cancelResult"), "SUCCESS");
    cr_assert_str_eq(bench_at(bench.answer, "data.newOrderResponse.code"), "-2010");
    /* Tried though the cancel fails. */
    const char *anyway = "symbol=BTCUSD&side=BUY&type=LIMIT_MAKER&quantity=0.01&price=59000&"
                         "cancelReplaceMode=ALLOW_FAILURE&cancelOrigClientOrderId=a-2";
    cr_assert_eq(signed_request("POST", "/api/v3/order/cancelReplace", anyway), 409);
    cr_assert_str_eq(bench_at(bench.answer, "data.newOrderResult"), "SUCCESS");
    bench_close(&bench);
}

/* 1,200 of weight a minute, then 429 with Retry-After, and 418 for who goes on. */
Test(exchange_binance_us, weight_is_limited_and_a_ban_follows)
{
    simple_bench();
    bench_to(&bench, 30 * NS_PER_SECOND);
    for (int i = 0; i < 1200; i++)
        cr_assert_eq(bench_request(&bench, "GET", "/api/v3/ping", NULL, NULL, NULL), 200);
    cr_assert_str_eq(bench.reply.headers[1].name, "X-MBX-USED-WEIGHT-1M");
    cr_assert_str_eq(bench.reply.headers[1].value, "1200");
    cr_assert_eq(bench_request(&bench, "GET", "/api/v3/ping", NULL, NULL, NULL), 429);
    cr_assert_eq(code(), -1003);
    cr_assert_str_eq(bench.reply.headers[2].name, "Retry-After");
    cr_assert_str_eq(bench.reply.headers[2].value, "30");
    for (int i = 0; i < 9; i++)
        cr_assert_eq(bench_request(&bench, "GET", "/api/v3/ping", NULL, NULL, NULL), 429);
    cr_assert_eq(bench_request(&bench, "GET", "/api/v3/ping", NULL, NULL, NULL), 418);
    cr_assert_str_eq(bench.reply.headers[2].value, "120");
    bench_to(&bench, 149 * NS_PER_SECOND);
    cr_assert_eq(bench_request(&bench, "GET", "/api/v3/ping", NULL, NULL, NULL), 418);
    bench_to(&bench, 150 * NS_PER_SECOND);
    cr_assert_eq(bench_request(&bench, "GET", "/api/v3/ping", NULL, NULL, NULL), 200);
    bench_close(&bench);
}

/* 100 orders in ten seconds; the 429 of orders has no Retry-After. */
Test(exchange_binance_us, orders_are_limited)
{
    simple_bench();
    for (int i = 0; i < 100; i++)
        cr_assert_eq(place("side=BUY&type=LIMIT_MAKER&quantity=0.001&price=1"), 400);
    cr_assert_eq(code(), -1013, "%s", bench.reply.body.bytes);
    cr_assert_eq(place("side=BUY&type=LIMIT_MAKER&quantity=0.001&price=59000"), 429);
    cr_assert_eq(code(), -1015);
    for (size_t i = 0; i < bench.reply.header_count; i++)
        cr_assert_str_neq(bench.reply.headers[i].name, "Retry-After");
    bench_to(&bench, 10 * NS_PER_SECOND);
    cr_assert_eq(place("side=BUY&type=LIMIT_MAKER&quantity=0.001&price=59000"), 200);
    bench_close(&bench);
}

/* --- streams ----------------------------------------------------------------------------------- */

Test(exchange_binance_us, depth_events_follow_the_snapshot)
{
    bench_init(&bench);
    bench_depth(&bench, 100 * NS_PER_MS, 0, SIDE_BUY, 6000000, 7000);
    bench_depth(&bench, 200 * NS_PER_MS, 0, SIDE_SELL, 6000025, 0);
    bench_trade(&bench, 300 * NS_PER_MS, 0, SIDE_SELL, 6000000, 500);
    open_bench();
    struct exchange_stream *stream = bench_stream(
        &bench, "/stream", "streams=btcusd@depth@100ms/btcusd@trade/btcusd@depth", NULL, true);
    cr_assert(stream);
    bench_request(&bench, "GET", "/api/v3/depth", "symbol=BTCUSD", NULL, NULL);
    int64_t update = strtoll(bench_at(bench.answer, "lastUpdateId"), NULL, 10);
    cr_assert_str_eq(bench_at(bench.answer, "bids.0.0"), "60000.00000000");
    bench_to(&bench, 400 * NS_PER_MS);
    cr_assert_eq(bench_count(&bench, "depthUpdate"), 2, "the slow stream waits for its second");
    for (size_t i = 0; i < 2; i++) {
        cJSON *event = bench_sent(&bench, "depthUpdate", i);
        cr_assert_str_eq(bench_at(event, "stream"), "btcusd@depth@100ms");
        cr_assert_eq(strtoll(bench_at(event, "data.U"), NULL, 10), update + 1);
        update = strtoll(bench_at(event, "data.u"), NULL, 10);
        cr_assert_str_eq(bench_at(event, i ? "data.a.0.1" : "data.b.0.1"),
                         i ? "0.00000000" : "0.07000000");
        cJSON_Delete(event);
    }
    cJSON *trade = bench_sent(&bench, "trade", 0);
    cr_assert_str_eq(bench_at(trade, "data.m"), "true");
    cr_assert_str_eq(bench_at(trade, "data.q"), "0.00500000");
    cJSON_Delete(trade);
    bench_to(&bench, NS_PER_SECOND);
    cr_assert_eq(bench_count(&bench, "depthUpdate"), 3);
    cJSON *slow = bench_sent(&bench, "depthUpdate", 2);
    cr_assert_eq(strtoll(bench_at(slow, "data.u"), NULL, 10), update);
    cr_assert_eq(strtoll(bench_at(slow, "data.U"), NULL, 10), 1001, "changes since the beginning");
    cJSON_Delete(slow);
    bench_close(&bench);
}

static struct exchange_stream *open_private(void)
{
    char headers[256], path[128];
    snprintf(headers, sizeof headers, "x-mbx-apikey: %s", key);
    cr_assert_eq(bench_request(&bench, "POST", "/api/v3/userDataStream", NULL, headers, NULL), 200);
    snprintf(path, sizeof path, "/ws/%s", bench_at(bench.answer, "listenKey"));
    return bench_stream(&bench, path, NULL, NULL, true);
}

/* Our bid joins 2,000 lots x 10; a sell trade of all that and 300 more fills 300 of it. */
Test(exchange_binance_us, a_resting_order_fills_on_the_private_stream)
{
    bench_init(&bench);
    bench_trade(&bench, NS_PER_SECOND, 0, SIDE_SELL, 6000000, 2300);
    open_bench();
    open_private();
    place("side=BUY&type=LIMIT_MAKER&quantity=0.01&price=60000&newClientOrderId=m-1");
    cJSON *accepted = bench_sent(&bench, "executionReport", 0);
    cr_assert_str_eq(bench_at(accepted, "x"), "NEW");
    cr_assert_str_eq(bench_at(accepted, "c"), "m-1");
    cr_assert_str_eq(bench_at(accepted, "t"), "-1");
    cJSON_Delete(accepted);
    bench_forget(&bench);
    bench_to(&bench, 2 * NS_PER_SECOND);
    cJSON *fill = bench_sent(&bench, "executionReport", 0);
    cr_assert_str_eq(bench_at(fill, "x"), "TRADE");
    cr_assert_str_eq(bench_at(fill, "X"), "PARTIALLY_FILLED");
    cr_assert_str_eq(bench_at(fill, "l"), "0.00300000");
    cr_assert_str_eq(bench_at(fill, "z"), "0.00300000");
    cr_assert_str_eq(bench_at(fill, "m"), "true");
    cr_assert_str_eq(bench_at(fill, "n"), "0.00000300");
    cr_assert_str_eq(bench_at(fill, "N"), "BTC");
    cJSON_Delete(fill);
    cJSON *balances = bench_sent(&bench, "outboundAccountPosition", 0);
    cr_assert_str_eq(bench_at(balances, "B.0.f"), "2.00299700");
    cr_assert_str_eq(bench_at(balances, "B.1.l"), "420.00000000");
    cJSON_Delete(balances);
    bench_forget(&bench);
    signed_request("DELETE", "/api/v3/order",
                   "symbol=BTCUSD&origClientOrderId=m-1&newClientOrderId=c-9");
    cJSON *cancelled = bench_sent(&bench, "executionReport", 0);
    cr_assert_str_eq(bench_at(cancelled, "x"), "CANCELED");
    cr_assert_str_eq(bench_at(cancelled, "c"), "c-9");
    cr_assert_str_eq(bench_at(cancelled, "C"), "m-1");
    cr_assert_str_eq(bench_at(cancelled, "z"), "0.00300000");
    cJSON_Delete(cancelled);
    bench_close(&bench);
}

Test(exchange_binance_us, a_listen_key_ends)
{
    simple_bench();
    open_private();
    char headers[256];
    snprintf(headers, sizeof headers, "x-mbx-apikey: %s", key);
    cr_assert_eq(
        bench_request(&bench, "PUT", "/api/v3/userDataStream", "listenKey=none", headers, NULL),
        400);
    cr_assert_eq(code(), -1125);
    bench_to(&bench, 3599 * NS_PER_SECOND);
    cr_assert_eq(bench_count(&bench, "finish"), 0);
    bench_to(&bench, 3600 * NS_PER_SECOND);
    cr_assert_eq(bench_count(&bench, "finish"), 1);
    bench_close(&bench);
}

Test(exchange_binance_us, clients_subscribe_and_are_limited)
{
    simple_bench();
    struct exchange_stream *stream = bench_stream(&bench, "/ws", NULL, NULL, true);
    bench_say(&bench, stream,
              "{\"method\":\"SUBSCRIBE\",\"params\":[\"btcusd@bookTicker\"],\"id\":7}");
    cJSON *answer = bench_sent(&bench, "response", 0);
    cr_assert_str_eq(bench_at(answer, "id"), "7");
    cr_assert(cJSON_IsNull(cJSON_GetObjectItem(answer, "result")));
    cJSON_Delete(answer);
    bench_say(&bench, stream, "{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":8}");
    answer = bench_sent(&bench, "response", 1);
    cr_assert_str_eq(bench_at(answer, "result.0"), "btcusd@bookTicker");
    cJSON_Delete(answer);
    bench_say(&bench, stream, "nonsense");
    cr_assert_eq(bench_count(&bench, "response"), 3);
    for (int i = 0; i < 3; i++)
        bench_say(&bench, stream, "{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":9}");
    cr_assert_eq(bench_count(&bench, "finish"), 1, "the sixth in a second");
    bench_close(&bench);
}

/* A day old: the venue ends it. */
Test(exchange_binance_us, a_connection_lasts_a_day)
{
    simple_bench();
    cr_assert(bench_stream(&bench, "/ws/btcusd@trade", NULL, NULL, true));
    bench_to(&bench, 86399 * NS_PER_SECOND);
    cr_assert_eq(bench_count(&bench, "finish"), 0);
    cr_assert_eq(bench_count(&bench, "ping"), 479, "each three minutes");
    bench_to(&bench, 86400 * NS_PER_SECOND);
    cr_assert_eq(bench_count(&bench, "finish"), 1);
    bench_close(&bench);
}
