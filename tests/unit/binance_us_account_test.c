/* The account through the Binance.US adapter: listenKey, private stream, snapshots, positions, limits and bans. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binance_us_bench.h"
#include "venue/live/binance_us_sign.h"

TestSuite(binance_us_account, .fini = bench_close);

#define SECOND  NS_PER_SECOND
#define BTC     "binance_us:BTCUSD"
#define ACCOUNT "/api/v3/account"
#define OPEN    "/api/v3/openOrders"
#define KEY     "/api/v3/userDataStream"
#define ORDER   "/api/v3/order"

#define BALANCE(asset, available, locked)                                                          \
    "{\"asset\":\"" asset "\",\"free\":\"" available "\",\"locked\":\"" locked "\"}"
#define HOLDS(time, list) "{\"canTrade\":true,\"updateTime\":" time ",\"balances\":[" list "]}"
#define AT_BEGIN          HOLDS("1700000000000", BALANCE("BTC", "2", "1") "," BALANCE("USD", "5000", "0"))

/* Begun, with the private stream open and its account asked for. */
static void private_open(const char *symbols)
{
    bench_open(symbols, true);
    bench_discover();
    bench_begin();
    bench_answer("POST", KEY, 200, "{\"listenKey\":\"listen-key-1\"}");
    bench_opened(2);
}

static void request_snapshot(void)
{
    bench_decide("request_snapshot - venue=binance_us cause=1");
}

static void expect_end(int64_t taken)
{
    char text[TIME_TEXT_MAX], line[128];
    time_to_text(taken, text);
    snprintf(line, sizeof line, "snapshot_end - venue=binance_us taken=%s", text);
    bench_expect(line);
}

static void pings(int minutes)
{
    for (int i = 0; i < minutes; i++) {
        bench_pass(60 * SECOND);
        for (unsigned channel = 0; channel < 4; channel++)
            bench_ping(channel);
    }
}

/* --- the key --------------------------------------------------------------------------------------------- */

Test(binance_us_account, the_key_is_asked_for_and_opened)
{
    bench_open("BTCUSD", true);
    bench_discover();
    bench_begin();
    struct bench_request *request = bench_find("POST", KEY, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(request->key, BENCH_KEY);
    cr_expect_str_eq(request->url, "https://rest.test/api/v3/userDataStream");
    cr_expect(request->has_body && request->body[0] == '\0');
    cr_expect_not(bench.adapter->health.private_up);
    bench_answer("POST", KEY, 200, "{\"listenKey\":\"listen-key-1\"}");
    cr_expect_str_eq(bench.channels[2].url, "wss://stream.test/ws/listen-key-1");
    cr_expect_eq(bench_count_made("GET", OPEN), 0, "nothing before the stream stands");
    bench_opened(2);
    cr_expect(bench.adapter->health.private_up);
    cr_expect_eq(bench_count_open("GET", OPEN), 1);
}

Test(binance_us_account, the_key_is_renewed_each_half_hour)
{
    bench_run("BTCUSD", true);
    pings(29);
    cr_expect_eq(bench_count_made("PUT", KEY), 0);
    pings(2);
    struct bench_request *request = bench_find("PUT", KEY, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(bench_parameter(request, "listenKey"), "listen-key-1");
    cr_expect_str_eq(request->key, BENCH_KEY);
    bench_fail("PUT", KEY, NET_UNKNOWN);
    pings(2);
    bench_answer("PUT", KEY, 200, "{}"); /* a minute later it was tried again */
    cr_expect_eq(bench_count_made("PUT", KEY), 2);
    pings(29);
    cr_expect_eq(bench_count_made("PUT", KEY), 2);
    pings(2);
    cr_expect_eq(bench_count_made("PUT", KEY), 3);
    cr_expect_eq(bench.channels[2].opens, 1);
}

/* A key that is gone: a new one, a new connection, and the account told anew. */
static void expect_new_key(void)
{
    cr_expect_eq(bench.channels[2].closes, 1);
    cr_expect_not(bench.adapter->health.private_up);
    cr_expect(bench_was_told("breaker_input - venue=binance_us healthy=no"));
    bench_pass(SECOND);
    bench_answer("POST", KEY, 200, "{\"listenKey\":\"listen-key-2\"}");
    cr_expect_str_eq(bench.channels[2].url, "wss://stream.test/ws/listen-key-2");
    size_t before = bench_count_made("GET", ACCOUNT);
    bench_opened(2);
    cr_expect(bench.adapter->health.private_up);
    cr_expect_eq(bench_count_made("GET", ACCOUNT), before + 1);
    bench_forget();
    int64_t taken = bench.now;
    bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
    bench_answer("GET", OPEN, 200, "[]");
    bench_expect("balance - venue=binance_us asset=BTC total=3 available=2");
    bench_expect("balance - venue=binance_us asset=USD total=5000 available=5000");
    bench_expect("venue_position " BTC " position=0.00000000");
    expect_end(taken);
    bench_expect_nothing();
}

Test(binance_us_account, a_key_that_the_venue_does_not_know_any_more)
{
    bench_run("BTCUSD", true);
    pings(31);
    bench_forget();
    bench_answer("PUT", KEY, 400, "{\"code\":-1125,\"msg\":\"This listenKey does not exist.\"}");
    expect_new_key();
}

Test(binance_us_account, an_event_tells_that_the_key_expired)
{
    bench_run("BTCUSD", true);
    bench_text(2,
               "{\"e\":\"listenKeyExpired\",\"E\":1700000000000,\"listenKey\":\"listen-key-1\"}");
    expect_new_key();
}

Test(binance_us_account, a_private_stream_that_breaks)
{
    bench_run("BTCUSD", true);
    bench_closed(2);
    bench_expect("breaker_input - venue=binance_us healthy=no");
    bench_expect("orders_stream - venue=binance_us connected=no");
    cr_expect_not(bench.adapter->health.private_up);
    bench_pass(SECOND);
    bench_answer("POST", KEY, 200, "{\"listenKey\":\"listen-key-1\"}");
    bench_expect("breaker_input - venue=binance_us healthy=yes");
    bench_opened(2);
    bench_expect("orders_stream - venue=binance_us connected=yes");
    cr_expect(bench.adapter->health.private_up);
    cr_expect_eq(bench_count_open("GET", ACCOUNT), 1);
}

Test(binance_us_account, a_key_that_is_not_given_is_asked_for_with_a_back_off)
{
    bench_open("BTCUSD", true);
    bench_discover();
    bench_begin();
    static const long statuses[] = {0, 500, 401, 403, 200};
    for (size_t i = 0; i < 5; i++) {
        if (statuses[i] == 0)
            bench_fail("POST", KEY, NET_UNKNOWN);
        else
            bench_answer("POST", KEY, statuses[i], "{\"code\":-2015,\"msg\":\"Invalid API-key\"}");
        cr_expect_null(bench_find("POST", KEY, NULL), "at once");
        bench_pass(20 * SECOND);
    }
    cr_expect_eq(bench_count_made("POST", KEY), 6);
    bench_answer("POST", KEY, 200, "{\"listenKey\":\"listen-key-1\"}");
    cr_expect(bench.channels[2].opened_by_it);
}

/* A venue that has no listenKeys any more: the stream is subscribed, signed, over its WS-API. */
Test(binance_us_account, where_keys_are_retired_the_stream_is_subscribed)
{
    bench_open("BTCUSD", true);
    bench_discover();
    bench_begin();
    bench_answer("POST", KEY, 410, "{\"code\":-1100,\"msg\":\"Gone\"}");
    bench_pass(2 * SECOND);
    cr_expect_eq(bench_count_made("POST", KEY), 1);
    cr_expect_str_eq(bench.channels[2].url, "wss://stream.test/ws-api/v3");
    bench_opened(2);
    cr_expect_not(bench.adapter->health.private_up, "not before it is subscribed");
    cr_expect_eq(bench_count_made("GET", OPEN), 0);
    cr_assert_eq(bench.send_count, 1);
    char signed_text[128], signature[BINANCE_US_SIGNATURE_MAX], wanted[512];
    long long venue_ms = bench.now / NS_PER_MS + BENCH_AHEAD_MS;
    struct error error;
    int length =
        snprintf(signed_text, sizeof signed_text, "apiKey=" BENCH_KEY "&timestamp=%lld", venue_ms);
    cr_assert_eq(
        binance_us_signature(BENCH_SECRET, signed_text, (size_t)length, "", 0, signature, &error),
        0);
    snprintf(wanted, sizeof wanted,
             "{\"id\":1,\"method\":\"userDataStream.subscribe.signature\",\"params\":{\"apiKey\":"
             "\"" BENCH_KEY "\",\"timestamp\":%lld,\"signature\":\"%s\"}}",
             venue_ms, signature);
    cr_expect_str_eq(bench.sends[0], wanted);
    bench_text(2, "{\"id\":1,\"status\":200,\"result\":{\"subscriptionId\":0},\"rateLimits\":[]}");
    cr_expect(bench.adapter->health.private_up);
    cr_expect_eq(bench_count_open("GET", OPEN), 1);
    bench_forget();
    bench_text(2,
               "{\"subscriptionId\":0,\"event\":{\"e\":\"outboundAccountPosition\",\"E\":1,\"u\":"
               "1700000001000,\"B\":[{\"a\":\"BTC\",\"f\":\"2\",\"l\":\"1\"}]}}");
    bench_expect("balance - venue=binance_us asset=BTC total=3");
    pings(35);
    cr_expect_eq(bench_count_made("PUT", KEY), 0, "there is no key to renew");
    /* The venue ends it: subscribed anew, and the account told anew. */
    bench_text(2, "{\"subscriptionId\":0,\"event\":{\"e\":\"eventStreamTerminated\",\"E\":1}}");
    cr_expect_not(bench.adapter->health.private_up);
    bench_pass(2 * SECOND);
    cr_expect_eq(bench.channels[2].opens, 2);
    cr_expect_eq(bench_count_made("POST", KEY), 1);
}

Test(binance_us_account, a_subscription_that_is_refused_or_not_answered)
{
    bench_open("BTCUSD", true);
    bench_discover();
    bench_begin();
    bench_answer("POST", KEY, 410, "");
    bench_pass(2 * SECOND);
    bench_opened(2);
    bench_text(2, "{\"id\":1,\"status\":400,\"error\":{\"code\":-1022,\"msg\":\"Signature\"}}");
    cr_expect_eq(bench.channels[2].closes, 1);
    cr_expect(bench_was_logged("the private stream is refused (400): -1022 Signature"));
    bench_pass(2 * SECOND);
    bench_opened(2);
    bench_pass(11 * SECOND);
    cr_expect_eq(bench.channels[2].closes, 2, "no answer in ten seconds");
    cr_expect_not(bench.adapter->health.private_up);
}

Test(binance_us_account, a_new_private_connection_stands_before_the_old_one_goes)
{
    bench_run("BTCUSD", true);
    for (int minute = 0; minute < 23 * 60 + 1; minute++) {
        pings(1);
        if (bench_find("PUT", KEY, NULL))
            bench_answer("PUT", KEY, 200, "{}");
        bench.request_count = 0;
    }
    cr_assert_eq(bench.channels[3].opens, 1);
    cr_expect_str_eq(bench.channels[3].url, "wss://stream.test/ws/listen-key-1");
    bench_forget();
    bench_opened(3);
    bench_pass(2 * SECOND);
    cr_expect_eq(bench.channels[2].closes, 0);
    bench_pass(5 * SECOND);
    cr_expect_eq(bench.channels[2].closes, 1);
    cr_expect(bench.adapter->health.private_up);
    cr_expect_eq(bench_count_made("GET", ACCOUNT), 0, "nothing was lost: nothing is told anew");
    cr_expect_not(bench_was_told("breaker_input"));
}

/* --- the account ------------------------------------------------------------------------------------------ */

#define ROW(name, id, side, executed)                                                              \
    "{\"symbol\":\"BTCUSD\",\"orderId\":" id ",\"clientOrderId\":\"" name                          \
    "\",\"price\":\"99.50\",\"origQty\":\"0.50000000\",\"executedQty\":\"" executed                \
    "\",\"status\":\"NEW\",\"timeInForce\":\"GTC\",\"side\":\"" side "\",\"updateTime\":"          \
    "1700000000001}"

Test(binance_us_account, the_whole_account_is_one_frame)
{
    private_open("BTCUSD");
    int64_t taken = bench.now;
    bench_forget();
    bench_pass(100 * NS_PER_MS);
    bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
    bench_expect_nothing();
    bench_answer("GET", OPEN, 200,
                 "[" ROW("mm1-2-5", "70", "BUY", "0.1") "," ROW("web_1", "71", "SELL", "0") "]");
    size_t first = bench_expect("balance - venue=binance_us asset=BTC total=3 available=2");
    cr_expect_eq(bench.told_venue_ns[first], INT64_C(1700000000000000000));
    bench_expect("balance - venue=binance_us asset=USD total=5000 available=5000");
    bench_expect("venue_position " BTC " position=0.00000000");
    bench_expect("open_order " BTC " order=#2.5 venue_order=\"70\" side=buy price=99.50 "
                 "leaves=0.40000000");
    bench_expect("open_order " BTC " order=- venue_order=\"71\" side=sell price=99.50 "
                 "leaves=0.50000000");
    expect_end(taken);
    bench_expect_nothing();
    for (size_t i = 0; i < 6; i++)
        cr_expect_eq((bench.told_flags[i] & MESSAGE_MORE) != 0, i < 5, "%zu", i);
}

Test(binance_us_account, an_asset_that_is_not_listed_is_not_held)
{
    private_open("BTCUSD");
    bench_forget();
    bench_answer("GET", ACCOUNT, 200,
                 HOLDS("1700000000000", BALANCE("USD", "7", "0") "," BALANCE("DOGE", "9", "0")));
    bench_answer("GET", OPEN, 200, "[]");
    bench_expect("balance - venue=binance_us asset=BTC total=0 available=0");
    bench_expect("balance - venue=binance_us asset=USD total=7 available=7");
    bench_expect("venue_position");
    bench_expect("snapshot_end");
    bench_expect_nothing();
}

/* Each part, each way to fail: no end is told, and the whole is asked for again. */
Test(binance_us_account, an_account_of_which_a_part_is_missing_has_no_end)
{
    static const char *const paths[] = {ACCOUNT, OPEN};
    static const char *const good[] = {AT_BEGIN, "[]"};
    for (int part = 0; part < 2; part++) {
        for (int way = 0; way < 4; way++) {
            bench_run("BTCUSD", true);
            request_snapshot();
            if (way == 0)
                bench_fail("GET", paths[part], NET_UNKNOWN);
            else if (way == 1)
                bench_answer("GET", paths[part], 503, "");
            else if (way == 2)
                bench_answer("GET", paths[part], 200, "{\"garbage\":true}");
            else
                bench_answer("GET", paths[part], 400, "{\"code\":-1100,\"msg\":\"Illegal\"}");
            bench_answer("GET", paths[1 - part], 200, good[1 - part]);
            cr_expect_not(bench_was_told("snapshot_end"));
            cr_expect_not(bench_was_told("balance"));
            bench_pass(2 * SECOND);
            bench_forget();
            int64_t taken = bench_find("GET", ACCOUNT, NULL)->made_ns;
            bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
            bench_answer("GET", OPEN, 200, "[]");
            cr_expect(bench_was_told("balance - venue=binance_us asset=USD"));
            char text[TIME_TEXT_MAX];
            time_to_text(taken, text);
            cr_expect(strstr(bench.told[bench.told_count - 1], text));
            bench_close();
        }
    }
}

/* One that runs was asked for before: it does not answer this request, another one follows it. */
Test(binance_us_account, a_request_while_one_runs_is_answered_by_another)
{
    private_open("BTCUSD");
    int64_t first = bench.now;
    bench_forget();
    bench_pass(50 * NS_PER_MS);
    request_snapshot();
    cr_expect_eq(bench_count_made("GET", OPEN), 1);
    bench_answer("GET", OPEN, 200, "[]");
    bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
    int64_t second = bench.now;
    bench_expect("balance");
    bench_expect("balance");
    bench_expect("venue_position");
    expect_end(first);
    cr_expect_eq(bench_count_open("GET", OPEN), 1);
    bench_pass(10 * NS_PER_MS);
    bench_answer("GET", OPEN, 200, "[]");
    bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
    bench_expect("balance");
    bench_expect("balance");
    bench_expect("venue_position");
    expect_end(second);
    bench_expect_nothing();
}

/* A part of a snapshot that could not be asked for as a whole is none of the next one. */
Test(binance_us_account, a_part_that_comes_late_is_of_no_other_snapshot)
{
    bench_run("BTCUSD", true);
    for (unsigned i = 1; i < 1024; i++)
        bench_place(i, "buy", "100.00", "0.50000000", "gtc", true);
    request_snapshot();
    cr_expect_eq(bench_count_open("GET", ACCOUNT), 1);
    cr_expect_eq(bench_count_open("GET", OPEN), 0, "no room for it");
    for (int i = 0; i < 10; i++)
        bench_fail("POST", ORDER, NET_UNKNOWN);
    bench_pass(2 * SECOND);
    cr_assert_eq(bench_count_open("GET", ACCOUNT), 2);
    bench_answer("GET", ACCOUNT, 200, HOLDS("1700000000000", BALANCE("BTC", "99", "0")));
    bench_answer("GET", OPEN, 200, "[]");
    cr_expect_not(bench_was_told("snapshot_end"));
    bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
    cr_expect(bench_was_told("balance - venue=binance_us asset=BTC total=3"));
    cr_expect(bench_was_told("snapshot_end"));
}

/* Orders that move while the account is asked for: told at once, and `taken` is before them. */
Test(binance_us_account, a_snapshot_while_orders_move)
{
    bench_run("BTCUSD", true);
    request_snapshot();
    int64_t taken = bench.now;
    bench_answer("GET", OPEN, 200, "[" ROW("mm1-0-5", "70", "BUY", "0") "]");
    bench_pass(10 * NS_PER_MS);
    bench_text(2,
               "{\"e\":\"executionReport\",\"E\":1,\"s\":\"BTCUSD\",\"c\":\"x\",\"C\":\"mm1-0-5\","
               "\"S\":\"BUY\",\"f\":\"GTC\",\"q\":\"0.5\",\"p\":\"99.5\",\"x\":\"CANCELED\",\"X\":"
               "\"CANCELED\",\"i\":70,\"z\":\"0\",\"T\":1700000000001}");
    bench_expect("order_cancelled " BTC " order=#5 leaves=0.50000000");
    bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
    bench_expect("balance");
    bench_expect("balance");
    bench_expect("venue_position");
    bench_expect("open_order " BTC " order=#5");
    expect_end(taken);
    bench_expect_nothing();
}

Test(binance_us_account, many_symbols_open_orders_are_asked_for_at_once)
{
    private_open("BTCUSD ETHUSD ETHBTC");
    cr_expect_eq(bench_count_open("GET", OPEN), 3, "a symbol each");
    bench_close();
    private_open("BTCUSD T1USD T2USD T3USD T4USD T5USD T6USD T7USD T8USD T9USD TAUSD TBUSD TCUSD "
                 "TDUSD");
    cr_assert_eq(bench_count_open("GET", OPEN), 1);
    cr_expect_str_eq(bench_parameter(bench_find("GET", OPEN, NULL), "symbol"), "");
    bench_forget();
    /* Of symbols that are not ours nothing is told. */
    bench_answer(
        "GET", OPEN, 200,
        "[{\"symbol\":\"XYZ\",\"orderId\":1,\"clientOrderId\":\"a\",\"price\":\"1\",\"origQty\":"
        "\"1\",\"executedQty\":\"0\",\"status\":\"NEW\",\"timeInForce\":\"GTC\",\"side\":\"BUY\"}"
        "," ROW("mm1-0-5", "70", "BUY", "0") "]");
    bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
    cr_expect(bench_was_told("open_order " BTC " order=#5"));
    size_t orders = 0;
    for (size_t i = 0; i < bench.told_count; i++)
        orders += strncmp(bench.told[i], "open_order", 10) == 0;
    cr_expect_eq(orders, 1);
}

Test(binance_us_account, balances_between_snapshots_are_news)
{
    bench_run("BTCUSD", true);
    bench_text(
        2, "{\"e\":\"outboundAccountPosition\",\"E\":1700000001001,\"u\":1700000001000,\"B\":["
           "{\"a\":\"BTC\",\"f\":\"2.5\",\"l\":\"1\"},{\"a\":\"DOGE\",\"f\":\"1\",\"l\":\"0\"}]}");
    size_t at = bench_expect("balance - venue=binance_us asset=BTC total=3.5 available=2.5");
    cr_expect_eq(bench.told_venue_ns[at], INT64_C(1700000001000000000));
    bench_expect_nothing();
    /* An account that is older than that does not put it back. */
    request_snapshot();
    bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
    bench_answer("GET", OPEN, 200, "[]");
    bench_expect("balance - venue=binance_us asset=BTC total=3.5 available=2.5");
    bench_expect("balance - venue=binance_us asset=USD total=5000");
}

/* --- positions -------------------------------------------------------------------------------------------- */

static void account_again(const char *account)
{
    bench_forget();
    request_snapshot();
    bench_answer("GET", ACCOUNT, 200, account);
    while (bench_find("GET", OPEN, NULL))
        bench_answer("GET", OPEN, 200, "[]");
}

Test(binance_us_account, a_position_is_the_change_of_the_base_balance_without_transfers)
{
    bench_run("BTCUSD", true);
    account_again(HOLDS("1700000001000", BALANCE("BTC", "3.499", "0.25")));
    cr_expect(bench_was_told("venue_position " BTC " position=0.74900000"));
    bench_text(2,
               "{\"e\":\"balanceUpdate\",\"E\":1,\"a\":\"BTC\",\"d\":\"10\",\"T\":1700000002000}");
    bench_text(2,
               "{\"e\":\"balanceUpdate\",\"E\":1,\"a\":\"USD\",\"d\":\"10\",\"T\":1700000002000}");
    /* Told again, as by a second stream: it counts once. */
    bench_text(2,
               "{\"e\":\"balanceUpdate\",\"E\":1,\"a\":\"BTC\",\"d\":\"10\",\"T\":1700000002000}");
    account_again(HOLDS("1700000003000", BALANCE("BTC", "13.499", "0.25")));
    cr_expect(bench_was_told("venue_position " BTC " position=0.74900000"));
    account_again(HOLDS("1700000004000", BALANCE("BTC", "12", "0")));
    cr_expect(bench_was_told("venue_position " BTC " position=-1.00000000"));
}

Test(binance_us_account, a_session_goes_on_from_the_position_of_the_one_before)
{
    bench_open("BTCUSD", true);
    bench_discover();
    bench.has_positions = true;
    bench.positions[0] = -50000000;
    bench_begin();
    bench_answer("POST", KEY, 200, "{\"listenKey\":\"listen-key-1\"}");
    bench_opened(2);
    bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
    bench_answer("GET", OPEN, 200, "[]");
    cr_expect(bench_was_told("venue_position " BTC " position=-0.50000000"));
    account_again(HOLDS("1700000001000", BALANCE("BTC", "4", "0")));
    cr_expect(bench_was_told("venue_position " BTC " position=0.50000000"));
}

/* What two instruments move says nothing of one: not told is not judged. */
Test(binance_us_account, what_the_venue_says_back_is_no_secret_in_the_log)
{
    bench_run("BTCUSD", true);
    bench_place(1, "buy", "100.00", "0.50000000", "gtc", true);
    bench_answer("POST", ORDER, 400,
                 "{\"code\":-9999,\"msg\":\"No " BENCH_KEY " nor " BENCH_SECRET
                 " nor listen-key-1.\"}");
    cr_expect(bench_was_logged("-9999 No ************ nor ****************** nor ************."));
}

Test(binance_us_account, an_account_that_may_not_trade_any_more_is_logged_once)
{
    bench_run("BTCUSD", true);
    for (int i = 0; i < 3; i++) {
        bench_decide("request_snapshot - venue=binance_us cause=1");
        bench_answer("GET", ACCOUNT, 200, "{\"canTrade\":false,\"balances\":[]}");
        bench_answer("GET", OPEN, 200, "[]");
    }
    cr_expect_eq(bench.log_count, 1);
    cr_expect(bench_was_logged("may not trade any more"));
}

Test(binance_us_account, an_asset_that_others_move_tells_no_position)
{
    private_open("BTCUSD ETHUSD ETHBTC");
    bench_forget();
    bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
    while (bench_find("GET", OPEN, NULL))
        bench_answer("GET", OPEN, 200, "[]");
    cr_expect_not(bench_was_told("venue_position"));
    cr_expect(bench_was_told("snapshot_end"));
    cr_expect(bench_was_logged("another instrument moves the same asset"));
}

Test(binance_us_account, a_fill_of_before_the_session_ends_the_comparison)
{
    bench_run("BTCUSD", true);
    bench_text(
        2, "{\"e\":\"executionReport\",\"E\":1,\"s\":\"BTCUSD\",\"c\":\"mm1-0-5\",\"C\":\"\",\"S\":"
           "\"BUY\",\"f\":\"GTC\",\"q\":\"0.5\",\"p\":\"99.5\",\"x\":\"TRADE\",\"X\":\"FILLED\","
           "\"i\":70,"
           "\"z\":\"0.5\",\"l\":\"0.5\",\"L\":\"99.5\",\"n\":\"0\",\"N\":null,\"t\":7,\"m\":true,"
           "\"T\":"
           "1699999998000}");
    bench_expect("order_filled");
    account_again(AT_BEGIN);
    cr_expect_not(bench_was_told("venue_position"));
    cr_expect(bench_was_told("snapshot_end"));
}

/* --- limits ----------------------------------------------------------------------------------------------- */

#define ACCEPTED(n)                                                                                \
    "{\"symbol\":\"BTCUSD\",\"orderId\":28,\"clientOrderId\":\"mm1-0-" n "\",\"transactTime\":1}"

static void place(unsigned number)
{
    bench_place(number, "buy", "100.00", "0.50000000", "gtc", true);
}

static void expect_budget(unsigned left, int64_t resets)
{
    char text[TIME_TEXT_MAX], line[160];
    time_to_text(resets, text);
    snprintf(line, sizeof line, "rate_budget - venue=binance_us left=%u resets=%s", left, text);
    bench_expect(line);
}

/* The end of the venue's interval, by our clock. */
static int64_t end_of(int64_t interval)
{
    int64_t venue = bench.now + BENCH_AHEAD_MS * NS_PER_MS;
    return (venue / interval + 1) * interval - BENCH_AHEAD_MS * NS_PER_MS;
}

/* To within what measuring the clock may be off: 1 ms of the 2 ms that it took. */
static void expect_budget_about(unsigned left, int64_t resets)
{
    cr_assert_gt(bench.told_count, 0);
    const char *last = bench.told[bench.told_count - 1];
    char begin[64], text[TIME_TEXT_MAX];
    snprintf(begin, sizeof begin, "rate_budget - venue=binance_us left=%u resets=", left);
    cr_expect(strncmp(last, begin, strlen(begin)) == 0, "expected %s, got %s", begin, last);
    time_to_text(resets, text);
    cr_expect(strstr(last, text), "expected %s, got %s", text, last);
}

Test(binance_us_account, the_tightest_limit_is_told)
{
    bench_run("BTCUSD", true);
    place(1);
    bench_answer_with(
        "POST", ORDER, 200, ACCEPTED("1"),
        "x-mbx-used-weight-1m: 100|x-mbx-order-count-10s: 5|x-mbx-order-count-1d: 900");
    expect_budget_about(95, end_of(10 * SECOND));
    bench_forget();
    /* The day's limit ends first. */
    place(2);
    bench_answer_with(
        "POST", ORDER, 200, ACCEPTED("2"),
        "x-mbx-used-weight-1m: 101|x-mbx-order-count-10s: 6|x-mbx-order-count-1d: 199990");
    expect_budget_about(10, end_of(86400 * SECOND));
    /* Then weight. */
    place(3);
    bench_answer_with(
        "POST", ORDER, 200, ACCEPTED("3"),
        "x-mbx-used-weight-1m: 1197|x-mbx-order-count-10s: 7|x-mbx-order-count-1d: 1");
    expect_budget_about(3, end_of(60 * SECOND));
}

Test(binance_us_account, what_is_under_way_counts_as_used)
{
    bench_run("BTCUSD", true);
    place(1);
    place(2);
    place(3);
    bench_answer_with("POST", ORDER, 200, ACCEPTED("1"), "x-mbx-order-count-10s: 1");
    expect_budget_about(97, end_of(10 * SECOND));
}

Test(binance_us_account, a_limit_is_whole_again_in_the_next_interval)
{
    bench_run("BTCUSD", true);
    place(1);
    bench_answer_with("POST", ORDER, 200, ACCEPTED("1"), "x-mbx-order-count-10s: 90");
    expect_budget_about(10, end_of(10 * SECOND));
    bench_pass(10 * SECOND);
    place(2);
    bench_answer_with("POST", ORDER, 200, ACCEPTED("2"), "x-mbx-order-count-10s: 1");
    expect_budget_about(99, end_of(10 * SECOND));
}

/* While the venue refuses all, nothing is sent: neither orders nor cancels nor anything else. */
static void expect_silence(int64_t duration)
{
    size_t before = bench.request_count;
    bench_forget();
    place(50);
    bench_expect("order_rejected " BTC " order=#50 reason=rate_limit");
    bench_cancel(1);
    bench_expect("cancel_rejected " BTC " order=#1 reason=rate_limit");
    bench_query(1);
    bench_expect("order_unknown " BTC " order=#1 request=query");
    bench_replace(51, 1, "99.00", "0.50000000");
    bench_expect("cancel_rejected " BTC " order=#1 reason=rate_limit");
    bench_expect("order_rejected " BTC " order=#51 reason=rate_limit");
    request_snapshot();
    bench_expect_nothing();
    bench_pass(duration);
    cr_expect_eq(bench.request_count, before, "%s", bench.requests[before].url);
}

Test(binance_us_account, retry_after_is_obeyed)
{
    static const long statuses[] = {429, 418};
    for (int i = 0; i < 2; i++) {
        bench_run("BTCUSD", true);
        place(1);
        int64_t until = bench.now + 30 * SECOND;
        bench_answer_with("POST", ORDER, statuses[i],
                          "{\"code\":-1003,\"msg\":\"Way too much request weight used.\"}",
                          "retry-after: 30");
        bench_expect("order_rejected " BTC " order=#1 reason=rate_limit");
        expect_budget(0, until);
        expect_silence(29 * SECOND);
        bench_pass(2 * SECOND);
        cr_expect_not_null(bench_find("GET", ACCOUNT, NULL), "what waited is asked for");
        place(60);
        cr_expect_not_null(bench_find("POST", ORDER, "mm1-0-60"));
        bench_close();
    }
}

Test(binance_us_account, a_ban_without_retry_after)
{
    char body[256];
    bench_run("BTCUSD", true);
    place(1);
    snprintf(
        body, sizeof body,
        "{\"code\":-1003,\"msg\":\"Way too much request weight used; IP banned until %lld. Please "
        "use WebSocket Streams.\"}",
        (long long)(bench.now / NS_PER_MS + BENCH_AHEAD_MS + 77000));
    bench_answer("POST", ORDER, 418, body);
    expect_silence(76 * SECOND);
    bench_close();
    bench_run("BTCUSD", true);
    place(1);
    bench_answer("POST", ORDER, 418, ""); /* the shortest there is */
    expect_silence(119 * SECOND);
    bench_close();
    bench_run("BTCUSD", true);
    place(1);
    bench_answer(
        "POST", ORDER, 418,
        "{\"code\":-1003,\"msg\":\"IP banned until 99999999999999.\"}"); /* no time of ours */
    expect_silence(119 * SECOND);
    bench_close();
    bench_run("BTCUSD", true);
    place(1);
    int64_t end = end_of(60 * SECOND);
    bench_answer("POST", ORDER, 429, "{\"code\":-1003,\"msg\":\"Too many requests.\"}");
    expect_silence(end - bench.now - SECOND); /* till the interval of weight ends */
    bench_pass(2 * SECOND);
    place(60);
    cr_expect_not_null(bench_find("POST", ORDER, "mm1-0-60"));
}

Test(binance_us_account, one_order_too_many_forbids_nothing_else)
{
    bench_run("BTCUSD", true);
    place(1);
    bench_answer("POST", ORDER, 429, "{\"code\":-1015,\"msg\":\"Too many new orders.\"}");
    cr_expect(bench_was_told("order_rejected " BTC " order=#1 reason=rate_limit"));
    bench_cancel(2);
    cr_expect_not_null(bench_find("DELETE", ORDER, NULL));
}

Test(binance_us_account, a_ban_told_by_any_answer_holds_for_all)
{
    bench_run("BTCUSD", true);
    bench_pass(2500 * NS_PER_MS);
    bench_answer_with("GET", "/api/v3/ticker/bookTicker", 429, "", "retry-after: 60");
    cr_expect(bench_was_told("rate_budget - venue=binance_us left=0"));
    expect_silence(58 * SECOND);
}

/* --- the breaker around the venue, the clock -------------------------------------------------------------- */

Test(binance_us_account, requests_about_no_order_tell_the_breaker)
{
    bench_run("BTCUSD", true);
    request_snapshot();
    bench_fail("GET", ACCOUNT, NET_UNKNOWN);
    bench_expect("breaker_input - venue=binance_us healthy=no");
    bench_answer("GET", OPEN, 500, "");
    bench_expect("breaker_input - venue=binance_us healthy=no");
    bench_pass(2 * SECOND);
    bench_answer("GET", ACCOUNT, 400, "{\"code\":-1100,\"msg\":\"Illegal\"}");
    bench_expect("breaker_input - venue=binance_us healthy=yes");
    bench_answer("GET", OPEN, 200, "[]");
    bench_expect_nothing();
    cr_expect_not(bench_was_told("snapshot_end"));
}

Test(binance_us_account, the_clock_is_asked_for_each_ten_minutes)
{
    bench_run("BTCUSD", true);
    size_t before = bench_count_made("GET", "/api/v3/time");
    pings(9);
    cr_expect_eq(bench_count_made("GET", "/api/v3/time"), before);
    pings(2);
    cr_expect_eq(bench_count_made("GET", "/api/v3/time"), before + 1);
    bench_answer("GET", "/api/v3/time", 200, "garbage");
    bench_pass(6 * SECOND);
    cr_expect_eq(bench_count_made("GET", "/api/v3/time"), before + 2);
}

/* --- fills of before --------------------------------------------------------------------------------- */

#define TRADES "/api/v3/myTrades"
#define TRADE(id, order)                                                                           \
    "{\"id\":" id ",\"orderId\":" order ",\"price\":\"100.00\",\"qty\":\"0.5\",\"commission\":"    \
    "\"0.001\",\"commissionAsset\":\"BTC\",\"time\":1699999950000,\"isBuyer\":true,\"isMaker\":"   \
    "true}"
#define ENDED(id, name)                                                                            \
    "{\"symbol\":\"BTCUSD\",\"orderId\":" id ",\"clientOrderId\":\"" name                          \
    "\",\"price\":\"100.00\",\"origQty\":\"2\",\"executedQty\":\"0.5\",\"status\":\"CANCELED\","   \
    "\"timeInForce\":\"GTC\",\"side\":\"BUY\",\"time\":1699999950000,\"updateTime\":"              \
    "1699999950000}"

/* The tape has trade 44 of order #4, and says of which instrument that was. */
static void begin_with_a_trade_of(int64_t since, uint16_t instrument)
{
    bench_open("BTCUSD", true);
    bench_discover();
    bench.fills_since = since;
    bench.has_positions = bench.has_trade = true;
    bench.positions[0] = 1000;
    bench.trade = (struct adapter_trade){
        .order = 4, .trade = {.length = 2, .bytes = {'4', '4'}}, .instrument = instrument};
    bench_begin();
    bench_answer("POST", KEY, 200, "{\"listenKey\":\"listen-key-1\"}");
    bench_opened(2);
    bench_forget();
}

static void begin_after_a_loss(int64_t since)
{
    begin_with_a_trade_of(since, EVENT_NONE_16);
}

/* What the tape is known to have is not asked for; the same id of another instrument says nothing. */
Test(binance_us_account, orders_of_known_fills_are_not_asked_for)
{
    for (uint16_t instrument = 0; instrument < 2; instrument++) {
        begin_with_a_trade_of(BENCH_START - 90 * SECOND, instrument);
        bench_answer("GET", TRADES, 200, "[" TRADE("44", "7") "," TRADE("45", "8") "]");
        const struct bench_request *request = bench_find("GET", ORDER, NULL);
        cr_assert_not_null(request);
        cr_expect_str_eq(bench_parameter(request, "orderId"), instrument == 0 ? "8" : "7");
        bench_close();
    }
    begin_with_a_trade_of(BENCH_START - 90 * SECOND, 0);
    bench_answer("GET", TRADES, 200, "[" TRADE("44", "7") "]");
    cr_expect_null(bench_find("GET", ORDER, NULL));
    cr_expect(bench_was_logged("0 fills of before this session"));
    cr_expect_not_null(bench_find("GET", ACCOUNT, NULL));
}

/* Of an order that the tape has every fill of, one that it does not know, and somebody else's. The account waits, and
 * the position that balances are counted from has what was missed, less its fee in base. */
Test(binance_us_account, fills_that_the_tape_lost)
{
    begin_after_a_loss(BENCH_START - 90 * SECOND);
    cr_expect_null(bench_find("GET", ACCOUNT, NULL), "the account waits");
    const struct bench_request *request = bench_find("GET", TRADES, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(bench_parameter(request, "startTime"), "1699999910251");
    bench_answer("GET", TRADES, 200,
                 "[" TRADE("44", "7") "," TRADE("45", "8") "," TRADE("46", "9") "]");
    bench_answer("GET", ORDER, 200, ENDED("7", "mm1-0-4"));
    bench_expect_nothing();
    bench_answer("GET", ORDER, 200, ENDED("8", "mm1-0-5"));
    bench_expect("order_filled " BTC " order=#5 trade=\"45\" side=buy price=100.00 "
                 "quantity=0.50000000 leaves=absent cause=reported liquidity=maker fee=0.001");
    bench_answer("GET", ORDER, 200, ENDED("9", "web_1"));
    bench_expect_nothing();
    cr_expect(bench_was_logged("1 fills of before this session"));
    bench_answer("GET", ACCOUNT, 200, AT_BEGIN);
    bench_answer("GET", OPEN, 200, "[]");
    cr_expect(bench_was_told("venue_position " BTC " position="));
}

/* Days apart are asked for a day at a time; a page that is full in smaller windows. */
Test(binance_us_account, fills_of_days)
{
    begin_after_a_loss(BENCH_START - 25 * 3600 * SECOND);
    bench_answer("GET", TRADES, 200, "[]");
    const struct bench_request *request = bench_find("GET", TRADES, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(bench_parameter(request, "startTime"), "1699996400251");
    cr_expect_str_eq(bench_parameter(request, "endTime"), "1700082800250");
    static char page[1 << 18] = "[";
    size_t length = 1;
    for (int i = 0; i < 1000; i++)
        length += (size_t)snprintf(page + length, sizeof page - length, "%s%s", i ? "," : "",
                                   TRADE("44", "7"));
    snprintf(page + length, sizeof page - length, "]");
    bench_answer("GET", TRADES, 200, page);
    request = bench_find("GET", TRADES, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(bench_parameter(request, "endTime"), "1700039600250");
    bench_close();
    begin_after_a_loss(BENCH_START - 3 * 24 * 3600 * SECOND);
    bench_answer("GET", TRADES, 200, page);
    bench_answer("GET", TRADES, 200, "[]"); /* half a day; the next is a whole one again */
    request = bench_find("GET", TRADES, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(bench_parameter(request, "startTime"), "1699784000251");
    cr_expect_str_eq(bench_parameter(request, "endTime"), "1699870400250");
}

Test(binance_us_account, fills_that_cant_be_asked_for)
{
    begin_after_a_loss(BENCH_START - 90 * SECOND);
    for (int i = 0; i < 9; i++) {
        bench_answer("GET", TRADES, 400, "{\"code\":-1130,\"msg\":\"no\"}");
        bench_pass(2 * SECOND);
    }
    cr_expect(bench_was_logged("the position may lack them"));
    cr_expect_not_null(bench_find("GET", ACCOUNT, NULL));
}
