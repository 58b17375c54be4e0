/* From start() to READY at Coinbase: each answer, and each failure at each step; requests and their tokens; limits. */
#include "coinbase_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(coinbase_discovery, .fini = bench_close);

#define PRODUCT(more)                                                                              \
    "{\"products\":[{\"product_id\":\"BTC-USD\",\"base_increment\":\"0.001\",\"quote_increment\":" \
    "\"0.01\",\"price_increment\":\"0.05\",\"quote_min_size\":\"1\",\"base_min_size\":\"0.001\","  \
    "\"status\":\"online\",\"product_type\":\"SPOT\",\"quote_currency_id\":\"USD\","               \
    "\"base_currency_id\":\"BTC\"" more "}]}"
#define GOOD_RIGHTS         "{\"can_view\":true,\"can_trade\":true,\"can_transfer\":false}"
#define COINBASE_BENCH_TICK (250 * NS_PER_MS)
#define GOOD_TIME           "{\"epochMillis\":\"1700000000250\"}"

/* Up to the rights, which are being asked for. */
static void to_rights(void)
{
    bench_open("BTC-USD", true);
    bench.adapter->start(bench.adapter, bench.now);
    bench_answer("GET", TIME_PATH, 200, GOOD_TIME);
    bench_answer("GET", PRODUCTS, 200, PRODUCT(""));
}

static void expect_failure(const char *part)
{
    cr_expect_eq(bench.adapter->state, ADAPTER_FAILED);
    cr_expect(strstr(bench.adapter->failure, part), "%s", bench.adapter->failure);
    cr_expect_eq(bench.adapter->deadline(bench.adapter), TIME_NEVER);
}

Test(coinbase_discovery, whole)
{
    bench_open("BTC-USD ETH-USD", true);
    bench_discover();
    const struct adapter_instrument *found = bench.adapter->found;
    cr_expect_str_eq(found[0].symbol, "BTC-USD");
    cr_expect_str_eq(found[1].base, "ETH");
    cr_expect_eq(found[0].definition.tick, 1);
    cr_expect_eq(found[0].definition.price_exponent, -2);
    cr_expect_eq(found[0].definition.lot, 1);
    cr_expect_eq(found[0].definition.quantity_exponent, -3);
    cr_expect_eq(found[0].definition.maker_fee, 4000000);
    cr_expect_eq(found[0].definition.taker_fee, 6000000);
    cr_expect_eq(found[0].definition.fee_asset, FEE_IN_QUOTE);
    cr_expect_eq(found[0].trading, TRADING_OPEN);
}

/* price_increment is the tick, not quote_increment. */
Test(coinbase_discovery, the_tick_is_the_price_increment)
{
    to_rights();
    cr_expect_eq(bench.adapter->found[0].definition.tick, 5);
}

Test(coinbase_discovery, without_credentials)
{
    bench_open("BTC-USD", false);
    bench_discover();
    cr_expect_eq(bench.request_count, 2);
    cr_expect_str_empty(bench.requests[1].bearer);
    cr_expect_eq(bench.adapter->found[0].definition.maker_fee, 6000000);
    cr_expect(bench_was_logged("fees are not known"));
}

static void from_base64(const char *text, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned bits = 0, have = 0;
    for (; *text && *text != '.'; text++) {
        bits = bits << 6 | (unsigned)(strchr(digits, *text) - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            *out++ = (char)(bits >> have);
        }
    }
    *out = '\0';
}

/* A token is bound to method, host and path without the query; it is two seconds older than the venue's clock. */
Test(coinbase_discovery, tokens)
{
    char claims[1024];
    to_rights();
    struct bench_request *request = bench_find("GET", RIGHTS, NULL);
    cr_assert_eq(strncmp(request->bearer, "Bearer eyJ", 10), 0);
    from_base64(strchr(request->bearer, '.') + 1, claims);
    cr_expect_str_eq(claims,
                     "{\"sub\":\"" BENCH_KEY "\",\"iss\":\"cdp\",\"nbf\":1699999998,\"exp\":"
                     "1700000118,\"uri\":\"GET rest.test" RIGHTS "\"}");
    bench_answer("GET", RIGHTS, 200, GOOD_RIGHTS);
    struct bench_request *second = bench_find("GET", FEES, NULL);
    cr_expect_str_neq(second->bearer, request->bearer);
}

Test(coinbase_discovery, a_key_that_may_transfer_is_refused)
{
    to_rights();
    bench_answer("GET", RIGHTS, 200,
                 "{\"can_view\":true,\"can_trade\":true,\"can_transfer\":true}");
    expect_failure("may transfer money");
}

Test(coinbase_discovery, a_key_that_may_not_trade)
{
    to_rights();
    bench_answer("GET", RIGHTS, 200,
                 "{\"can_view\":true,\"can_trade\":false,\"can_transfer\":false}");
    expect_failure("may not trade");
}

Test(coinbase_discovery, a_key_that_may_not_view)
{
    to_rights();
    bench_answer("GET", RIGHTS, 200,
                 "{\"can_view\":false,\"can_trade\":true,\"can_transfer\":false}");
    expect_failure("may not view");
}

Test(coinbase_discovery, missing_scopes)
{
    to_rights();
    bench_answer("GET", RIGHTS, 403, "Missing required scopes");
    expect_failure("key is refused");
}

/* 401 may be the clock: the time is asked for again, and not for ever. */
Test(coinbase_discovery, unauthorized)
{
    to_rights();
    for (int i = 0; i < 7; i++) {
        bench_answer("GET", RIGHTS, 401, "Unauthorized\n");
        cr_assert_eq(bench.adapter->state, ADAPTER_DISCOVERING, "%d", i);
        bench_pass_silently(30 * NS_PER_SECOND);
        bench_answer("GET", TIME_PATH, 200, GOOD_TIME);
        bench_answer("GET", PRODUCTS, 200, PRODUCT(""));
    }
    bench_answer("GET", RIGHTS, 401, "Unauthorized\n");
    expect_failure("key is refused");
}

Test(coinbase_discovery, a_product_that_is_not_listed)
{
    bench_open("BTC-USD DOGE-EUR", true);
    bench.adapter->start(bench.adapter, bench.now);
    bench_answer("GET", TIME_PATH, 200, GOOD_TIME);
    cr_expect(bench_find("GET", PRODUCTS, "product_ids=BTC-USD&product_ids=DOGE-EUR") != NULL);
    bench_answer("GET", PRODUCTS, 200, PRODUCT(""));
    expect_failure("has no DOGE-EUR");
}

Test(coinbase_discovery, a_future_is_no_spot_product)
{
    bench_open("BTC-USD", true);
    bench.adapter->start(bench.adapter, bench.now);
    bench_answer("GET", TIME_PATH, 200, GOOD_TIME);
    bench_answer("GET", PRODUCTS, 200,
                 "{\"products\":[{\"product_id\":\"BTC-USD\",\"product_type\":\"FUTURE\"}]}");
    cr_expect(bench_was_logged("product BTC-USD: field product_type: expected SPOT"));
}

static void states(const char *more, enum trading trading)
{
    char text[2048];
    const char *good = PRODUCT("");
    snprintf(text, sizeof text, "%.*s%s}]}", (int)strlen(good) - 3, good, more);
    bench_open("BTC-USD", false);
    bench.adapter->start(bench.adapter, bench.now);
    bench_answer("GET", TIME_PATH, 200, GOOD_TIME);
    bench_answer("GET", PRODUCTS, 200, text);
    cr_assert_eq(bench.adapter->state, ADAPTER_READY);
    cr_expect_eq(bench.adapter->found[0].trading, trading, "%s", more);
    bench_close();
}

Test(coinbase_discovery, states_of_a_product)
{
    states("", TRADING_OPEN);
    states(",\"trading_disabled\":true", TRADING_HALTED);
    states(",\"is_disabled\":true", TRADING_HALTED);
    states(",\"view_only\":true", TRADING_HALTED);
    states(",\"auction_mode\":true", TRADING_HALTED);
    states(",\"cancel_only\":true", TRADING_CANCEL_ONLY);
    states(",\"post_only\":true", TRADING_POST_ONLY);
    states(",\"limit_only\":true", TRADING_OPEN);
}

/* Each step is tried again after each kind of failure, and given up after eight in a row. */
static void each_failure(const char *path)
{
    struct bench_request *request = bench_find("GET", path, NULL);
    cr_assert_not_null(request);
    bench_answer("GET", path, 500, "<html>");
    bench_pass_silently(30 * NS_PER_SECOND);
    bench_fail("GET", path, NET_UNKNOWN);
    bench_pass_silently(30 * NS_PER_SECOND);
    bench_fail("GET", path, NET_NOT_SENT);
    bench_pass_silently(30 * NS_PER_SECOND);
    bench_answer("GET", path, 200, "{\"cut\":");
    bench_pass_silently(30 * NS_PER_SECOND);
    bench_answer("GET", path, 429,
                 "{\"errors\":[{\"id\":\"rate_limit_exceeded\",\"message\":\"\"}]}");
    bench_pass_silently(90 * NS_PER_SECOND);
    cr_assert_eq(bench.adapter->state, ADAPTER_DISCOVERING, "%s", bench.adapter->failure);
    bench_answer("GET", path, 200, "{}");
    bench_pass_silently(30 * NS_PER_SECOND);
    cr_assert_not_null(bench_find("GET", path, NULL), "%s is not tried again", path);
}

Test(coinbase_discovery, each_step_survives_failures)
{
    bench_open("BTC-USD", true);
    bench.adapter->start(bench.adapter, bench.now);
    each_failure(TIME_PATH);
    bench_answer("GET", TIME_PATH, 200, GOOD_TIME);
    each_failure(PRODUCTS);
    bench_answer("GET", PRODUCTS, 200, PRODUCT(""));
    each_failure(RIGHTS);
    bench_answer("GET", RIGHTS, 200, GOOD_RIGHTS);
    each_failure(FEES);
    bench_answer("GET", FEES, 200,
                 "{\"fee_tier\":{\"maker_fee_rate\":\"0.004\",\"taker_fee_rate\":\"0.006\"}}");
    cr_expect_eq(bench.adapter->state, ADAPTER_READY);
}

Test(coinbase_discovery, given_up_after_eight_failures)
{
    bench_open("BTC-USD", true);
    bench.adapter->start(bench.adapter, bench.now);
    for (int i = 0; i < 8; i++) {
        cr_assert_eq(bench.adapter->state, ADAPTER_DISCOVERING);
        bench_fail("GET", TIME_PATH, NET_NOT_SENT);
        bench_pass_silently(30 * NS_PER_SECOND);
    }
    expect_failure("could not ask for the time 8 times in a row, last: no network");
}

Test(coinbase_discovery, bad_keys_are_bad_input)
{
    static const struct adapter_port port;
    static const char *const symbol[] = {"BTC-USD"};
    struct credentials credentials = {BENCH_KEY, "not a key"};
    struct adapter_settings settings = {.name = "coinbase",
                                        .symbols = symbol,
                                        .symbol_count = 1,
                                        .credentials = &credentials,
                                        .session = "mm1",
                                        .request_timeout_ns = NS_PER_SECOND};
    struct adapter *adapter;
    struct error error = {0};
    cr_expect_eq(adapter_kind_by_name("coinbase")->open(&adapter, &settings, &port, &error),
                 ERROR_INPUT);
    cr_expect(strstr(error.text, "coinbase: the secret: expected"), "%s", error.text);
    cr_expect_null(strstr(error.text, "not a key"));
    cr_expect_null(adapter);
}

/* --- afterwards ----------------------------------------------------------------------------------- */

Test(coinbase_discovery, products_that_change)
{
    bench_run("BTC-USD", true);
    bench_pass(61 * NS_PER_SECOND);
    bench_forget();
    bench_answer("GET", PRODUCTS, 200, PRODUCT(",\"cancel_only\":true"));
    bench_expect("definition coinbase:BTC-USD venue=coinbase contract=spot price_exponent=-2 "
                 "quantity_exponent=-3 "
                 "tick=5 ");
    bench_expect("instrument_status coinbase:BTC-USD trading=cancel_only");
    bench_expect_nothing();
    bench_pass(60 * NS_PER_SECOND);
    bench_forget();
    bench_answer("GET", PRODUCTS, 200, "{\"products\":[]}");
    bench_expect("instrument_status coinbase:BTC-USD trading=halted");
    bench_expect_nothing();
}

/* The engine is told what is left of the second, and nothing is asked after a 429: its own word, or doubling. */
Test(coinbase_discovery, limits)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_answer_with("POST", ORDERS, 200,
                      "{\"success\":true,\"success_response\":{\"order_id\":\"order-1\"}}",
                      "x-ratelimit-limit: 30|x-ratelimit-remaining: 29|x-ratelimit-reset: 1");
    bench_expect("order_accepted coinbase:BTC-USD order=#1 venue_order=\"order-1\"");
    bench_expect("rate_budget - venue=coinbase left=29 ");
    bench_place(2, "buy", "100.00", "2.000", "gtc", true);
    bench_answer_with("POST", ORDERS, 429,
                      "{\"errors\":[{\"id\":\"rate_limit_exceeded\",\"message\":\"Too many\"}]}",
                      "retry-after: 3");
    bench_expect("order_rejected coinbase:BTC-USD order=#2 reason=rate_limit");
    bench_expect("rate_budget - venue=coinbase left=0 ");
    bench_place(3, "buy", "100.00", "2.000", "gtc", true);
    bench_expect("order_rejected coinbase:BTC-USD order=#3 reason=rate_limit");
    bench_cancel(1);
    bench_expect("cancel_rejected coinbase:BTC-USD order=#1 reason=rate_limit");
    bench_query(1);
    cr_expect_eq(bench_count_open("GET", ORDERS "/historical/order-1"), 0);
    bench_pass(3 * NS_PER_SECOND + COINBASE_BENCH_TICK);
    cr_expect_eq(bench_count_open("GET", ORDERS "/historical/order-1"), 1);
}

/* Without a word: about one, two, four seconds. */
Test(coinbase_discovery, back_off_doubles)
{
    int64_t least = 500 * NS_PER_MS, most = NS_PER_SECOND;
    bench_run("BTC-USD", true);
    for (unsigned i = 1; i <= 4; i++) {
        int64_t since = bench.now;
        bench_place(i, "buy", "100.00", "2.000", "gtc", true);
        bench_answer("POST", ORDERS, 429, "{}");
        bench_query(i);
        while (bench_count_open("GET", LIST) == 0)
            bench_pass(COINBASE_BENCH_TICK);
        cr_expect_geq(bench.now - since, least);
        cr_expect_leq(bench.now - since, most + 2 * COINBASE_BENCH_TICK);
        bench_fail("GET", LIST, NET_UNKNOWN);
        least *= 2;
        most *= 2;
    }
}

/* Six requests that were under way together are refused once: they don't double the wait. */
Test(coinbase_discovery, refusals_of_one_burst_are_one)
{
    bench_run("BTC-USD", true);
    for (unsigned i = 1; i <= 6; i++)
        bench_place(i, "buy", "100.00", "2.000", "gtc", true);
    for (unsigned i = 1; i <= 6; i++)
        bench_answer("POST", ORDERS, 429, "{}");
    bench_forget();
    bench_pass(1100 * NS_PER_MS);
    bench_place(7, "buy", "100.00", "2.000", "gtc", true);
    cr_expect_eq(bench_count_made("POST", ORDERS), 7, "more than a second");
}
