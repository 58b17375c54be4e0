/* What the Binance.US adapter asks before it is ready, what makes it fail, and what it tells of its instruments. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "binance_us_bench.h"

TestSuite(binance_us_discovery, .fini = bench_close);

#define TIME_ANSWER "{\"serverTime\":1700000000250}"
#define MINUTE      (60 * NS_PER_SECOND)

static void start(const char *symbols, bool credentials)
{
    bench_open(symbols, credentials);
    bench.adapter->start(bench.adapter, bench.now);
}

/* Up to the question for our rights. */
static void start_to_rights(void)
{
    start("BTCUSD", true);
    bench_answer("GET", "/api/v3/time", 200, TIME_ANSWER);
    bench_answer("GET", "/api/v3/exchangeInfo", 200, bench_info());
}

static void expect_failed(const char *why)
{
    cr_expect_eq(bench.adapter->state, ADAPTER_FAILED);
    cr_expect(strstr(bench.adapter->failure, why), "%s: %s", why, bench.adapter->failure);
    cr_expect_eq(bench.adapter->deadline(bench.adapter), TIME_NEVER);
}

Test(binance_us_discovery, time_then_instruments_then_rights_then_fees)
{
    start("ETHUSD BTCUSD", true);
    cr_expect_eq(bench.request_count, 1);
    bench_answer("GET", "/api/v3/time", 200, TIME_ANSWER);
    cr_expect_eq(bench.request_count, 2);
    bench_answer("GET", "/api/v3/exchangeInfo", 200, bench_info());
    struct bench_request *rights = bench_find("GET", "/api/v3/account", NULL);
    cr_assert_not_null(rights);
    cr_expect_str_eq(rights->key, BENCH_KEY);
    cr_expect_str_eq(bench_parameter(rights, "recvWindow"), "5000");
    cr_expect_str_eq(bench_parameter(rights, "timestamp"), "1700000000250");
    cr_expect_eq(strlen(bench_parameter(rights, "signature")), 64);
    bench_answer("GET", "/api/v3/account", 200, "{\"canTrade\":true,\"balances\":[]}");
    bench_answer(
        "GET", "/sapi/v1/asset/query/trading-fee", 200,
        "[{\"symbol\":\"BTCUSD\",\"makerCommission\":\"0.001\",\"takerCommission\":\"0.002\"},"
        "{\"symbol\":\"ETHUSD\",\"makerCommission\":\"0\",\"takerCommission\":\"0.004\"}]");
    cr_expect_eq(bench.adapter->state, ADAPTER_READY);
    cr_expect_eq(bench.adapter->deadline(bench.adapter), TIME_NEVER);
    cr_assert_eq(bench.adapter->found_count, 2);
    const struct adapter_instrument *found = bench.adapter->found;
    cr_expect_str_eq(found[0].symbol, "ETHUSD");
    cr_expect_eq(found[0].definition.maker_fee, 0);
    cr_expect_eq(found[0].definition.taker_fee, 4000000);
    cr_expect_str_eq(found[1].base, "BTC");
    cr_expect_eq(found[1].definition.maker_fee, 1000000);
    cr_expect_eq(found[1].definition.lot, 100000);
    cr_expect_eq(bench.told_count, 0);
}

Test(binance_us_discovery, market_data_needs_no_key)
{
    start("BTCUSD", false);
    bench_answer("GET", "/api/v3/time", 200, TIME_ANSWER);
    bench_answer("GET", "/api/v3/exchangeInfo", 200, bench_info());
    cr_expect_eq(bench.adapter->state, ADAPTER_READY);
    for (size_t i = 0; i < bench.request_count; i++)
        cr_expect_str_eq(bench.requests[i].key, "");
    /* No fee is made out of nothing. */
    cr_expect_eq(bench.adapter->found[0].definition.maker_fee, 1500000);
    cr_expect(bench_was_logged("the fees are not known"));
}

Test(binance_us_discovery, symbols_that_are_not_there_are_named)
{
    start("BTCUSD FOOUSD BARUSD", true);
    bench_answer("GET", "/api/v3/time", 200, TIME_ANSWER);
    bench_answer("GET", "/api/v3/exchangeInfo", 200, bench_info());
    expect_failed("has no FOOUSD BARUSD");
}

Test(binance_us_discovery, an_account_that_may_not_trade)
{
    start_to_rights();
    bench_answer("GET", "/api/v3/account", 200, "{\"canTrade\":false,\"balances\":[]}");
    expect_failed("may not trade");
}

Test(binance_us_discovery, a_key_that_is_refused)
{
    start_to_rights();
    bench_answer("GET", "/api/v3/account", 401,
                 "{\"code\":-2015,\"msg\":\"Invalid API-key, IP, or permissions for action.\"}");
    expect_failed("the key is refused: -2015");
}

Test(binance_us_discovery, the_clock_is_asked_for_again)
{
    start_to_rights();
    bench_answer("GET", "/api/v3/account", 400, "{\"code\":-1021,\"msg\":\"Timestamp\"}");
    cr_expect_eq(bench_count_made("GET", "/api/v3/time"), 1);
    bench_pass(NS_PER_SECOND);
    cr_expect_eq(bench_count_made("GET", "/api/v3/time"), 2);
    for (int i = 0; i < 7; i++) {
        char time[64];
        snprintf(time, sizeof time, "{\"serverTime\":%lld}",
                 (long long)(bench.now / NS_PER_MS + BENCH_AHEAD_MS));
        bench_answer("GET", "/api/v3/time", 200, time);
        bench_answer("GET", "/api/v3/exchangeInfo", 200, bench_info());
        bench_answer("GET", "/api/v3/account", 400, "{\"code\":-1021,\"msg\":\"Timestamp\"}");
        if (bench.adapter->state == ADAPTER_DISCOVERING)
            bench_pass(NS_PER_SECOND);
    }
    expect_failed("the clocks don't agree");
}

static void refuse_step(const char *path, int way)
{
    if (way == 0)
        bench_fail("GET", path, NET_NOT_SENT);
    else if (way == 1)
        bench_fail("GET", path, NET_UNKNOWN);
    else if (way == 2)
        bench_answer("GET", path, 503, "<html>busy</html>");
    else if (way == 3)
        bench_answer("GET", path, 200, "[\"garbage");
    else
        bench_answer("GET", path, 400, "{\"code\":-1000,\"msg\":\"An unknown error occurred\"}");
}

/* Each step, each way to fail: it is asked for again after a back-off, and then goes on. */
Test(binance_us_discovery, each_step_is_asked_for_again)
{
    static const char *const paths[] = {"/api/v3/time", "/api/v3/exchangeInfo", "/api/v3/account",
                                        "/sapi/v1/asset/query/trading-fee"};
    static const char *const answers[] = {
        TIME_ANSWER, NULL, "{\"canTrade\":true,\"balances\":[]}",
        "[{\"symbol\":\"BTCUSD\",\"makerCommission\":\"0\",\"takerCommission\":\"0\"}]"};
    for (size_t step = 0; step < 4; step++) {
        for (int way = 0; way < 5; way++) {
            start("BTCUSD", true);
            for (size_t i = 0; i < step; i++)
                bench_answer("GET", paths[i], 200, answers[i] ? answers[i] : bench_info());
            refuse_step(paths[step], way);
            cr_expect_eq(bench.adapter->state, ADAPTER_DISCOVERING);
            cr_expect_null(bench_find("GET", paths[step], NULL), "asked again at once");
            bench_pass(NS_PER_SECOND);
            for (size_t i = step; i < 4; i++)
                bench_answer("GET", paths[i], 200, answers[i] ? answers[i] : bench_info());
            cr_expect_eq(bench.adapter->state, ADAPTER_READY, "step %zu, way %d", step, way);
            bench_close();
        }
    }
}

Test(binance_us_discovery, it_gives_up_after_eight_failures)
{
    start("BTCUSD", true);
    for (int i = 0; i < 8; i++) {
        cr_assert_eq(bench.adapter->state, ADAPTER_DISCOVERING, "%d", i);
        bench_fail("GET", "/api/v3/time", NET_NOT_SENT);
        if (i < 7)
            bench_pass(30 * NS_PER_SECOND);
    }
    expect_failed("could not ask for the time 8 times in a row, last: no network");
}

Test(binance_us_discovery, a_list_of_fees_that_is_refused_leaves_the_general_ones)
{
    start_to_rights();
    bench_answer("GET", "/api/v3/account", 200,
                 "{\"canTrade\":true,\"commissionRates\":{\"maker\":\"0.002\",\"taker\":\"0.003\"},"
                 "\"balances\":[]}");
    bench_answer("GET", "/sapi/v1/asset/query/trading-fee", 404,
                 "{\"code\":-1100,\"msg\":\"Not found\"}");
    cr_assert_eq(bench.adapter->state, ADAPTER_READY);
    cr_expect_eq(bench.adapter->found[0].definition.maker_fee, 2000000);
    cr_expect_eq(bench.adapter->found[0].definition.taker_fee, 3000000);
}

Test(binance_us_discovery, no_fees_at_all_is_a_failure)
{
    start_to_rights();
    bench_answer("GET", "/api/v3/account", 200, "{\"canTrade\":true,\"balances\":[]}");
    bench_answer("GET", "/sapi/v1/asset/query/trading-fee", 200, "[]");
    expect_failed("tells no fees of BTCUSD");
}

Test(binance_us_discovery, a_ban_is_obeyed_before_the_next_question)
{
    start("BTCUSD", true);
    bench_answer_with("GET", "/api/v3/time", 429, "", "retry-after: 20");
    bench_pass(19 * NS_PER_SECOND);
    cr_expect_eq(bench_count_made("GET", "/api/v3/time"), 1);
    bench_pass(3 * NS_PER_SECOND);
    cr_expect_eq(bench_count_made("GET", "/api/v3/time"), 2);
}

Test(binance_us_discovery, settings_that_are_refused)
{
    static const char *const twice[] = {"BTCUSD", "BTCUSD"}, *const bad[] = {"BTC USD"};
    static const struct credentials credentials = {"k", "s"};
    struct adapter *adapter;
    struct error error;
    const struct adapter_kind *kind = adapter_kind_by_name("binance_us");
    const struct adapter_settings good = {.name = "binance_us",
                                          .symbols = twice,
                                          .symbol_count = 1,
                                          .session = "mm1",
                                          .credentials = &credentials,
                                          .request_timeout_ns = 1};
    const struct adapter_port port = {0};
    struct adapter_settings wrong[8];
    for (int i = 0; i < 8; i++)
        wrong[i] = good;
    wrong[0].symbol_count = 0;
    wrong[1].symbol_count = 2;
    wrong[2].symbols = bad;
    wrong[3].session = "MM1";
    wrong[4].session = "abcdefghi";
    wrong[5].request_timeout_ns = 0;
    wrong[6].rest_url = "api.binance.us";
    wrong[7].session = NULL;
    cr_assert_eq(kind->open(&adapter, &good, &port, &error), 0);
    adapter->close(adapter);
    for (int i = 0; i < 8; i++) {
        cr_expect_eq(kind->open(&adapter, &wrong[i], &port, &error), ERROR_INPUT, "%d", i);
        cr_expect_null(adapter);
    }
    cr_expect_null(adapter_kind_by_name("binance"));
}

/* --- after begin() ------------------------------------------------------------------------------------ */

Test(binance_us_discovery, what_is_not_as_the_tape_has_it_is_told)
{
    bench_open("BTCUSD", false);
    bench_discover();
    bench.definitions[0] = bench.adapter->found[0].definition;
    bench.definitions[0].tick = 5;
    bench.definitions[0].taker_fee = 7;
    bench_begin();
    bench_expect("definition binance_us:BTCUSD venue=binance_us contract=spot price_exponent=-2 "
                 "quantity_exponent=-8 tick=1 lot=100000 multiplier=1 multiplier_exponent=0 "
                 "minimum_notional=10 maker_fee=0.0015 taker_fee=0.0015");
    bench_expect_nothing();
}

Test(binance_us_discovery, units_of_the_tape_hold)
{
    bench_open("BTCUSD ETHUSD", false);
    bench_discover();
    for (int i = 0; i < 2; i++)
        bench.definitions[i] = bench.adapter->found[i].definition;
    /* Finer units than the venue's: rescaled. Coarser ones: it can't be traded. */
    bench.definitions[0].price_exponent = -4;
    bench.definitions[0].tick = 100;
    bench.definitions[1].price_exponent = -1;
    bench.definitions[1].tick = 1;
    bench_begin();
    bench_expect("instrument_status binance_us:ETHUSD trading=halted");
    bench_expect_nothing();
    cr_expect(bench_was_logged("ETHUSD: its tick or lot is finer"));
}

#define HALTED_INFO                                                                                \
    "{\"rateLimits\":[],\"symbols\":[{\"symbol\":\"BTCUSD\",\"status\":\"BREAK\",\"baseAsset\":"   \
    "\"BTC\",\"baseAssetPrecision\":8,\"quoteAsset\":\"USD\",\"quotePrecision\":4,"                \
    "\"baseCommissionPrecision\":8,\"quoteCommissionPrecision\":2,\"orderTypes\":[\"LIMIT\","      \
    "\"LIMIT_MAKER\"],\"filters\":[{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"0.05\"},"       \
    "{\"filterType\":\"LOT_SIZE\",\"minQty\":\"0.001\",\"stepSize\":\"0.001\"},{\"filterType\":"   \
    "\"MIN_NOTIONAL\",\"minNotional\":\"10\"}]}]}"

Test(binance_us_discovery, later_changes_are_told_once)
{
    bench_run("BTCUSD", true);
    bench_pass(MINUTE + NS_PER_SECOND);
    struct bench_request *info = bench_find("GET", "/api/v3/exchangeInfo", NULL);
    cr_assert_not_null(info);
    cr_expect_str_eq(bench_parameter(info, "symbols"), "%5B%22BTCUSD%22%5D");
    bench_forget();
    bench_answer("GET", "/api/v3/exchangeInfo", 200, HALTED_INFO);
    bench_expect("definition binance_us:BTCUSD venue=binance_us contract=spot price_exponent=-2 "
                 "quantity_exponent=-8 tick=5 lot=100000");
    cr_expect(strstr(bench.told[0], "maker_fee=0.001 taker_fee=0.0015"), "%s", bench.told[0]);
    bench_expect("instrument_status binance_us:BTCUSD trading=halted");
    bench_expect_nothing();
    bench_pass(MINUTE);
    bench_forget();
    bench_answer("GET", "/api/v3/exchangeInfo", 200, HALTED_INFO);
    bench_expect_nothing();
}

Test(binance_us_discovery, an_instrument_that_is_gone_does_not_trade)
{
    bench_run("BTCUSD ETHUSD", true);
    bench_pass(MINUTE + NS_PER_SECOND);
    bench_forget();
    /* One symbol that is gone makes the venue refuse the list: then all are asked for. */
    bench_answer("GET", "/api/v3/exchangeInfo", 400,
                 "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}");
    bench_pass(MINUTE);
    struct bench_request *info = bench_find("GET", "/api/v3/exchangeInfo", NULL);
    cr_assert_not_null(info);
    cr_expect_str_eq(bench_parameter(info, "symbols"), "");
    bench_forget();
    bench_answer("GET", "/api/v3/exchangeInfo", 200, HALTED_INFO);
    cr_expect(bench_was_told("instrument_status binance_us:ETHUSD trading=halted"));
}
