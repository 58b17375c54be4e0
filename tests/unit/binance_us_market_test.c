/* Market data through the Binance.US adapter: joining, gaps, reconnecting, rotation, subscriptions, silence. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binance_us_bench.h"

TestSuite(binance_us_market, .fini = bench_close);

#define SECOND NS_PER_SECOND
#define BTC    "binance_us:BTCUSD"
#define SNAPSHOT(id)                                                                               \
    "{\"lastUpdateId\":" id ",\"bids\":[[\"100.00\",\"1.5\"]],\"asks\":[[\"100.01\",\"3\"]]}"

/* Discovered, begun, the market stream open; no snapshot yet. */
static void stream_open(const char *symbols)
{
    bench_open(symbols, false);
    bench_discover();
    bench_begin();
    bench_opened(0);
    bench_expect("feed_connection - venue=binance_us connected=yes");
}

static void top(unsigned channel, const char *symbol, unsigned id, const char *bid, const char *ask)
{
    char text[512];
    snprintf(
        text, sizeof text,
        "{\"stream\":\"x@bookTicker\",\"data\":{\"u\":%u,\"s\":\"%s\",\"b\":\"%s\",\"B\":\"1\","
        "\"a\":\"%s\",\"A\":\"2\"}}",
        id, symbol, bid, ask);
    bench_text(channel, text);
}

static void trade(unsigned channel, unsigned id, const char *price, bool seller)
{
    char text[512];
    snprintf(
        text, sizeof text,
        "{\"stream\":\"x@trade\",\"data\":{\"e\":\"trade\",\"E\":1700000000001,\"s\":\"BTCUSD\","
        "\"t\":%u,\"p\":\"%s\",\"q\":\"0.5\",\"T\":1700000000000,\"m\":%s,\"M\":true}}",
        id, price, seller ? "true" : "false");
    bench_text(channel, text);
}

/* --- one connection ----------------------------------------------------------------------------------- */

Test(binance_us_market, all_streams_stand_in_the_address)
{
    stream_open("BTCUSD ETHUSD");
    cr_expect_str_eq(bench.channels[0].url,
                     "wss://stream.test/stream?streams=btcusd@depth@100ms/btcusd@trade/"
                     "btcusd@bookTicker/ethusd@depth@100ms/ethusd@trade/ethusd@bookTicker");
    cr_expect_eq(bench.send_count, 0);
    cr_expect_eq(bench_count_open("GET", "/api/v3/depth"), 2);
    cr_expect_str_eq(bench_parameter(bench_find("GET", "/api/v3/depth", "BTCUSD"), "limit"),
                     "1000");
}

Test(binance_us_market, a_snapshot_and_held_depth_are_one_message)
{
    stream_open("BTCUSD");
    bench_depth(0, "BTCUSD", 998, 1000, "[\"99.00\",\"7\"]", "");
    bench_depth(0, "BTCUSD", 1001, 1002, "[\"100.00\",\"0\"]", "[\"100.02\",\"0.001\"]");
    bench_expect_nothing();
    bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("1000"));
    size_t at = bench_expect("snapshot " BTC " sequence=1002 bid 100.00*1.50000000 ask "
                             "100.01*3.00000000 held bid 100.00*0.00000000 held ask "
                             "100.02*0.00100000");
    cr_expect_eq(bench.told_flags[at], MESSAGE_VENUE_TIME);
    cr_expect(bench.adapter->health.market_synchronised);
    bench_depth(0, "BTCUSD", 1003, 1004, "", "[\"100.02\",\"0\"]");
    at = bench_expect("depth " BTC " sequence=1004 ask 100.02*0.00000000");
    cr_expect_eq(bench.told_venue_ns[at], (bench.now / NS_PER_MS + BENCH_AHEAD_MS) * NS_PER_MS);
    bench_expect_nothing();
}

Test(binance_us_market, a_snapshot_alone_has_an_estimated_time)
{
    stream_open("BTCUSD");
    bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("1000"));
    size_t at = bench_expect("snapshot " BTC " sequence=1000");
    cr_expect_eq(bench.told_flags[at], MESSAGE_VENUE_ESTIMATED);
    cr_expect_eq(bench.told_venue_ns[at], bench.now - NS_PER_MS);
}

Test(binance_us_market, a_snapshot_that_is_too_old_is_asked_for_again)
{
    stream_open("BTCUSD");
    bench_depth(0, "BTCUSD", 1005, 1006, "", "");
    bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("1000"));
    bench_expect_nothing();
    cr_expect_not(bench.adapter->health.market_synchronised);
    bench_pass(SECOND);
    cr_expect_eq(bench_count_made("GET", "/api/v3/depth"), 2);
    bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("1006"));
    bench_expect("snapshot " BTC " sequence=1006");
}

Test(binance_us_market, a_snapshot_that_fails_is_asked_for_again)
{
    stream_open("BTCUSD");
    for (int way = 0; way < 5; way++) {
        if (way == 0)
            bench_fail("GET", "/api/v3/depth", NET_UNKNOWN);
        else if (way == 1)
            bench_answer("GET", "/api/v3/depth", 502, "<html>");
        else if (way == 2)
            bench_answer("GET", "/api/v3/depth", 200, "{\"lastUpdateId\":\"x\"}");
        else if (way == 3)
            bench_answer("GET", "/api/v3/depth", 200, "{\"e\":\"other\"}");
        else
            bench_answer("GET", "/api/v3/depth", 400,
                         "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}");
        cr_expect_null(bench_find("GET", "/api/v3/depth", NULL));
        bench_pass(8 * SECOND);
        cr_expect_eq(bench_count_open("GET", "/api/v3/depth"), 1, "way %d", way);
    }
    bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("1000"));
    bench_expect("snapshot " BTC);
}

Test(binance_us_market, a_gap_is_told_and_the_book_asked_for_without_a_new_connection)
{
    bench_run("BTCUSD", false);
    bench_depth(0, "BTCUSD", 1001, 1001, "[\"100.00\",\"1\"]", "");
    bench_expect("depth " BTC " sequence=1001");
    bench_depth(0, "BTCUSD", 1003, 1004, "[\"100.00\",\"2\"]", "");
    bench_expect("gap " BTC " cause=sequence expected=1002 found=1003");
    bench_expect_nothing();
    cr_expect_not(bench.adapter->health.market_synchronised);
    cr_expect_eq(bench_count_open("GET", "/api/v3/depth"), 1);
    bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("1003"));
    bench_expect("snapshot " BTC " sequence=1004");
    cr_expect_eq(bench.channels[0].opens, 1);
    cr_expect_eq(bench.channels[0].closes, 0);
    cr_expect(bench.adapter->health.market_synchronised);
}

Test(binance_us_market, trades_and_tops_are_told_once)
{
    bench_run("BTCUSD", false);
    trade(0, 7, "100.01", false);
    size_t at = bench_expect("trade " BTC " sequence=7 buy 100.01*0.50000000");
    cr_expect_eq(bench.told_venue_ns[at], INT64_C(1700000000000000000));
    trade(0, 7, "100.01", false);
    trade(0, 8, "100.00", true);
    bench_expect("trade " BTC " sequence=8 sell 100.00*0.50000000");
    top(0, "BTCUSD", 1001, "100.00", "100.01");
    bench_expect("top " BTC " sequence=1001 bid 100.00*1.00000000 ask 100.01*2.00000000");
    top(0, "BTCUSD", 1001, "100.00", "100.01");
    top(0, "BTCUSD", 1000, "99.00", "100.01");
    bench_expect_nothing();
}

Test(binance_us_market, a_number_without_value_keeps_its_text)
{
    bench_run("BTCUSD", false);
    bench_depth(0, "BTCUSD", 1001, 1001, "[\"99.999\",\"NaN\"]", "[\"100.02\",\"1\"]");
    size_t at = bench_expect("depth " BTC " sequence=1001 bid off_grid*nan ask 100.02*1.00000000");
    cr_expect(bench.told_flags[at] & MESSAGE_MORE);
    at = bench_expect("source_text " BTC " sequence=1001 row=0 quantity=no text=\"99.999\"");
    cr_expect(bench.told_flags[at] & MESSAGE_MORE);
    at = bench_expect("source_text " BTC " sequence=1001 row=0 quantity=yes text=\"NaN\"");
    cr_expect_not(bench.told_flags[at] & MESSAGE_MORE);
    bench_expect_nothing();
}

Test(binance_us_market, what_is_not_read_is_passed_over)
{
    bench_run("BTCUSD", false);
    bench_text(0, "{\"stream\":\"x\",\"data\":{\"e\":\"serverShutdown\",\"E\":1}}");
    bench_text(0, "{\"stream\":\"x\",\"data\":{\"e\":\"kline\",\"E\":1,\"s\":\"BTCUSD\"}}");
    bench_text(
        0, "{\"stream\":\"btcusd@depth20\",\"data\":{\"lastUpdateId\":1,\"bids\":[],\"asks\":[]}}");
    top(0, "OTHERUSD", 1, "1", "2");
    bench_expect_nothing();
    cr_expect_eq(bench.log_count, 0);
    bench_text(0, "{\"stream\":\"x\",\"data\":{\"e\":\"depthUpdate\",\"s\":\"BTCUSD\",\"U\":-1}}");
    bench_text(0, "garbage");
    bench_expect_nothing();
    cr_expect(bench_was_logged("field U"));
    cr_expect(bench_was_logged("expected one JSON object"));
    /* What was lost in it is found by the sequence. */
    bench_depth(0, "BTCUSD", 1002, 1002, "", "");
    bench_expect("gap " BTC);
}

/* Levels without a single number: more than a message can keep the texts of. */
static const char *ruin(const char *begin, const char *end)
{
    static char text[1 << 17];
    size_t length = (size_t)snprintf(text, sizeof text, "%s", begin);
    for (int i = 0; i < 2100; i++)
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%s[\"x\",\"y\"]", i ? "," : "");
    snprintf(text + length, sizeof text - length, "%s", end);
    return text;
}

Test(binance_us_market, a_book_that_is_broken_as_a_whole_is_asked_for_again)
{
    bench_run("BTCUSD", false);
    bench_text(0,
               ruin("{\"stream\":\"x\",\"data\":{\"e\":\"depthUpdate\",\"E\":1700000000250,\"s\":"
                    "\"BTCUSD\",\"U\":1001,\"u\":1001,\"a\":[],\"b\":[",
                    "]}}"));
    bench_expect("gap " BTC " cause=damage expected=0 found=0");
    bench_expect_nothing();
    cr_expect_not(bench.adapter->health.market_synchronised);
    bench_pass(SECOND);
    bench_answer("GET", "/api/v3/depth", 200,
                 ruin("{\"lastUpdateId\":1005,\"asks\":[],\"bids\":[", "]}"));
    bench_expect("gap " BTC " cause=damage");
    cr_expect_not(bench.adapter->health.market_synchronised);
    bench_pass(2 * SECOND);
    bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("1006"));
    bench_expect("snapshot " BTC " sequence=1006");
    cr_expect(bench.adapter->health.market_synchronised);
}

/* --- reconnecting ------------------------------------------------------------------------------------- */

Test(binance_us_market, a_lost_connection_is_told_and_made_anew)
{
    bench_run("BTCUSD ETHUSD", false);
    bench_closed(0);
    bench_expect("feed_connection - venue=binance_us connected=no");
    bench_expect_nothing();
    cr_expect_not(bench.adapter->health.market_synchronised);
    cr_expect_eq(bench.channels[0].opens, 1, "opened at once");
    bench_pass(SECOND);
    cr_expect_eq(bench.channels[0].opens, 2);
    bench_opened(0);
    bench_expect("feed_connection - venue=binance_us connected=yes");
    cr_expect_eq(bench_count_open("GET", "/api/v3/depth"), 2);
    bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("5"));
    bench_expect("snapshot " BTC " sequence=5");
}

Test(binance_us_market, a_snapshot_of_a_connection_that_is_gone_is_void)
{
    stream_open("BTCUSD");
    bench_closed(0);
    bench_expect("feed_connection - venue=binance_us connected=no");
    bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("1000"));
    bench_expect_nothing();
    bench_pass(SECOND);
    bench_opened(0);
    bench_expect("feed_connection - venue=binance_us connected=yes");
    bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("2000"));
    bench_expect("snapshot " BTC " sequence=2000");
}

Test(binance_us_market, waits_double_and_end_with_a_steady_connection)
{
    int64_t waits[6];
    bench_run("BTCUSD", false);
    for (int i = 0; i < 6; i++) {
        bench_closed(0);
        int64_t from = bench.now;
        unsigned opens = bench.channels[0].opens;
        while (bench.channels[0].opens == opens)
            bench_pass(50 * NS_PER_MS);
        waits[i] = bench.now - from;
    }
    /* Of half a second doubled each time, between a half and the whole; looked at each quarter of a second. */
    for (int i = 0; i < 6; i++) {
        int64_t whole = (500 * NS_PER_MS) << i;
        cr_expect(waits[i] >= whole / 2 && waits[i] <= whole + 300 * NS_PER_MS, "%d: %lld ms", i,
                  (long long)(waits[i] / NS_PER_MS));
    }
    bench_opened(0);
    bench_pass(70 * SECOND);
    bench_closed(0);
    bench_pass(800 * NS_PER_MS);
    cr_expect(bench.channels[0].opened_by_it, "a steady connection was no failure in a row");
}

/* --- many symbols -------------------------------------------------------------------------------------- */

static const char *many(unsigned count)
{
    static char text[2048];
    size_t length = 0;
    for (unsigned i = 0; i < count; i++)
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%sT%03uUSD", i ? " " : "", i);
    return text;
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    return count;
}

static void acknowledge(size_t sent)
{
    char text[64];
    const char *id = strstr(bench.sends[sent], "\"id\":");
    snprintf(text, sizeof text, "{\"result\":null,\"id\":%lu}", strtoul(id + 5, NULL, 10));
    bench_text(0, text);
}

Test(binance_us_market, what_the_address_has_no_room_for_is_subscribed)
{
    stream_open(many(120));
    unsigned in_address = count_of(bench.channels[0].url, "@trade");
    cr_assert(in_address > 20 && in_address < 120, "%u", in_address);
    cr_expect_lt(strlen(bench.channels[0].url), ADAPTER_URL_MAX);
    unsigned covered = in_address;
    size_t acknowledged = 0;
    for (int i = 0; i < 100 && covered < 120; i++) {
        bench_pass(50 * NS_PER_MS);
        cr_assert_leq(bench.send_count, acknowledged + 1,
                      "the next waits for the answer to the last");
        if (bench.send_count == acknowledged)
            continue;
        const char *sent = bench.sends[acknowledged];
        cr_expect(strstr(sent, "{\"method\":\"SUBSCRIBE\",\"params\":[\"t") == sent, "%s", sent);
        unsigned more = count_of(sent, "@bookTicker\"");
        cr_expect_eq(count_of(sent, "@depth@100ms\""), more);
        cr_expect_eq(count_of(sent, "@trade\""), more);
        cr_expect_eq(count_of(sent, ",]"), 0);
        acknowledge(acknowledged++); /* at once */
        covered += more;
    }
    cr_expect_eq(covered, 120);
    for (size_t i = 1; i < bench.send_count; i++)
        cr_expect_geq(bench.send_ns[i] - bench.send_ns[i - 1], 200 * NS_PER_MS, "5 a second");
    bench_pass(2 * SECOND);
    cr_expect_eq(bench.send_count, acknowledged);
}

/* No book is asked for before its streams run: what changes in between would be lost. */
Test(binance_us_market, a_book_is_asked_for_when_its_streams_run)
{
    stream_open(many(60));
    unsigned in_address = count_of(bench.channels[0].url, "@trade");
    size_t answered = 0;
    for (int i = 0; i < 200; i++) {
        bench_pass(50 * NS_PER_MS);
        while (bench_find("GET", "/api/v3/depth", NULL)) {
            bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("1000"));
            answered++;
        }
    }
    cr_expect_eq(answered, in_address);
    cr_expect_not(bench.adapter->health.market_synchronised);
}

Test(binance_us_market, a_refused_or_unanswered_subscription_ends_the_connection)
{
    stream_open(many(60));
    bench_pass(SECOND);
    cr_assert_eq(bench.send_count, 1);
    bench_text(0, "{\"code\":2,\"msg\":\"Invalid request\",\"id\":1}");
    cr_expect_eq(bench.channels[0].closes, 1);
    bench_expect("feed_connection - venue=binance_us connected=no");
    bench_pass(2 * SECOND);
    bench_opened(0);
    bench_pass(SECOND);
    cr_assert_eq(bench.send_count, 2);
    bench_pass(11 * SECOND);
    cr_expect_eq(bench.channels[0].closes, 2, "no answer for ten seconds");
}

/* Sixty books weigh 600 of 1,200 a minute; with what else is asked a part of them waits. */
Test(binance_us_market, books_leave_weight_for_orders)
{
    stream_open(many(30));
    const size_t logged = bench.log_count;
    for (int i = 0; i < 100; i++) {
        bench_pass(50 * NS_PER_MS);
        cr_expect_leq(bench_count_open("GET", "/api/v3/depth"), 4);
        while (bench_find("GET", "/api/v3/depth", NULL))
            bench_answer_with("GET", "/api/v3/depth", 200, SNAPSHOT("1000"),
                              "x-mbx-used-weight-1m: 700");
    }
    size_t before = bench_count_made("GET", "/api/v3/depth");
    cr_expect_lt(before, 30);
    cr_expect(bench_was_logged("books wait for the venue's request weight until 20"));
    cr_expect_eq(bench.log_count, logged + 1, "each wait once, not with each try");
    bench_pass(60 * SECOND); /* the venue's next minute */
    while (bench_find("GET", "/api/v3/depth", NULL)) {
        bench_answer("GET", "/api/v3/depth", 200, SNAPSHOT("1000"));
        bench_pass(300 * NS_PER_MS);
    }
    cr_expect_eq(bench_count_made("GET", "/api/v3/depth"), 30);
}

/* --- rotation ------------------------------------------------------------------------------------------ */

/* Minutes with pings; nobody answers, since only connections matter here. */
static void minutes(int count)
{
    for (int minute = 0; minute < count; minute++) {
        bench_pass(60 * SECOND);
        for (unsigned channel = 0; channel < 4; channel++)
            bench_ping(channel);
        bench.request_count = 0;
    }
    bench_forget();
}

static void run_to_rotation(void)
{
    bench_run("BTCUSD", false);
    minutes(23 * 60 - 1);
    cr_assert_eq(bench.channels[1].opens, 0);
    minutes(2);
}

Test(binance_us_market, a_new_connection_stands_before_the_old_one_goes)
{
    run_to_rotation();
    cr_assert_eq(bench.channels[1].opens, 1);
    cr_expect_str_eq(bench.channels[1].url, bench.channels[0].url);
    bench_depth(0, "BTCUSD", 1001, 1003, "[\"100.00\",\"1\"]", "");
    bench_expect("depth " BTC " sequence=1003");
    bench_opened(1);
    bench_expect_nothing();
    /* Both tell the same, cut differently: nothing twice, no gap. */
    bench_depth(1, "BTCUSD", 1002, 1004, "[\"100.00\",\"2\"]", "");
    bench_expect("depth " BTC " sequence=1004 bid 100.00*2.00000000");
    bench_depth(0, "BTCUSD", 1004, 1005, "[\"100.00\",\"3\"]", "");
    bench_expect("depth " BTC " sequence=1005 bid 100.00*3.00000000");
    bench_depth(1, "BTCUSD", 1005, 1005, "[\"100.00\",\"3\"]", "");
    trade(0, 5, "100.01", false);
    bench_expect("trade " BTC " sequence=5");
    trade(1, 5, "100.01", false);
    bench_expect_nothing();
    bench_pass(6 * SECOND);
    cr_expect_eq(bench.channels[0].closes, 1);
    cr_expect(bench.channels[1].opened_by_it);
    bench_forget();
    bench_depth(1, "BTCUSD", 1006, 1006, "[\"100.00\",\"4\"]", "");
    bench_expect("depth " BTC " sequence=1006");
    bench_expect_nothing();
    cr_expect(bench.adapter->health.market_synchronised);
}

Test(binance_us_market, a_real_gap_is_one_also_while_two_connections_run)
{
    run_to_rotation();
    bench_opened(1);
    bench_depth(0, "BTCUSD", 1001, 1001, "", "");
    bench_depth(1, "BTCUSD", 1003, 1003, "", "");
    cr_expect(bench_was_told("gap " BTC " cause=sequence expected=1002 found=1003"));
}

Test(binance_us_market, on_one_connection_an_overlap_is_a_gap)
{
    bench_run("BTCUSD", false);
    bench_depth(0, "BTCUSD", 1001, 1003, "", "");
    bench_depth(0, "BTCUSD", 1003, 1004, "", "");
    cr_expect(bench_was_told("gap " BTC " cause=sequence expected=1004 found=1003"));
}

Test(binance_us_market, a_rotation_that_fails_is_tried_again_and_the_old_one_goes_on)
{
    run_to_rotation();
    bench_closed(1);
    bench_pass(61 * SECOND);
    cr_expect_eq(bench.channels[1].opens, 2);
    bench_forget();
    bench_depth(0, "BTCUSD", 1001, 1001, "", "");
    bench_expect("depth " BTC " sequence=1001");
    /* The old one goes before its time: the new one, which stands, takes over unseen. */
    bench_opened(1);
    bench_closed(0);
    bench_depth(1, "BTCUSD", 1002, 1002, "", "");
    bench_expect("depth " BTC " sequence=1002");
    bench_expect_nothing();
}

Test(binance_us_market, both_connections_lost_is_a_loss)
{
    run_to_rotation();
    bench_closed(0);
    bench_expect("feed_connection - venue=binance_us connected=no");
    cr_expect_eq(bench.channels[1].closes, 1, "one that is not open yet is given up with it");
}

/* --- silent or dead ------------------------------------------------------------------------------------- */

#define TICKER(symbol, bid, ask)                                                                   \
    "{\"symbol\":\"" symbol "\",\"bidPrice\":\"" bid "\",\"bidQty\":\"1\",\"askPrice\":\"" ask     \
    "\",\"askQty\":\"2\"}"

Test(binance_us_market, a_silent_symbol_is_confirmed)
{
    bench_run("BTCUSD", false);
    top(0, "BTCUSD", 1001, "100.00", "100.01");
    bench_forget();
    bench_pass(1900 * NS_PER_MS);
    cr_expect_null(bench_find("GET", "/api/v3/ticker/bookTicker", NULL));
    bench_pass(400 * NS_PER_MS);
    struct bench_request *ticker = bench_find("GET", "/api/v3/ticker/bookTicker", NULL);
    cr_assert_not_null(ticker);
    cr_expect_str_eq(bench_parameter(ticker, "symbol"), "BTCUSD");
    bench_expect_nothing();
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200, TICKER("BTCUSD", "100.00", "100.01"));
    size_t at =
        bench_expect("top " BTC " sequence=1001 bid 100.00*1.00000000 ask 100.01*2.00000000");
    cr_expect_eq(bench.told_flags[at], MESSAGE_VENUE_ESTIMATED);
    bench_expect_nothing();
    bench_pass(2500 * NS_PER_MS);
    cr_expect_eq(bench_count_made("GET", "/api/v3/ticker/bookTicker"), 2, "and again later");
}

Test(binance_us_market, news_needs_no_confirmation)
{
    bench_run("BTCUSD", false);
    for (unsigned i = 0; i < 20; i++) {
        bench_pass(SECOND);
        bench_depth(0, "BTCUSD", 1001 + i, 1001 + i, "[\"99.00\",\"1\"]", "");
    }
    cr_expect_eq(bench_count_made("GET", "/api/v3/ticker/bookTicker"), 0);
}

Test(binance_us_market, many_silent_symbols_are_confirmed_by_one_request)
{
    bench_run("BTCUSD ETHUSD ETHBTC", false);
    bench_pass(2500 * NS_PER_MS);
    cr_assert_eq(bench_count_open("GET", "/api/v3/ticker/bookTicker"), 1);
    cr_expect_str_eq(
        bench_parameter(bench_find("GET", "/api/v3/ticker/bookTicker", NULL), "symbol"), "");
    bench_forget();
    /* Since the snapshot nothing told of the best prices: the answer is the first. */
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200,
                 "[" TICKER("BTCUSD", "100.00", "100.01") "," TICKER("ETHUSD", "5.00",
                                                                     "5.01") ","
                                                                             "{\"symbol\":\"X\"}]");
    bench_expect("top " BTC " sequence=1000 bid 100.00*1.00000000");
    bench_expect("top binance_us:ETHUSD sequence=1000 bid 5.00*1.00000000");
    bench_expect_nothing();
}

/* So that no symbol waits for a request of its own. */
Test(binance_us_market, what_is_almost_silent_is_confirmed_by_the_same_answer)
{
    bench_run("BTCUSD ETHUSD", false);
    bench_pass(SECOND - 100 * NS_PER_MS);
    bench_depth(0, "ETHUSD", 1001, 1001, "", "");
    bench_pass(1300 * NS_PER_MS);
    cr_assert_not_null(bench_find("GET", "/api/v3/ticker/bookTicker", NULL));
    bench_forget();
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200,
                 "[" TICKER("BTCUSD", "100.00", "100.01") "," TICKER("ETHUSD", "5.00", "5.01") "]");
    bench_expect("top " BTC " sequence=1000");
    bench_expect("top binance_us:ETHUSD sequence=1001");
}

Test(binance_us_market, prices_that_changed_unseen_twice_are_a_dead_feed)
{
    bench_run("BTCUSD", false);
    top(0, "BTCUSD", 1001, "100.00", "100.01");
    bench_pass(2500 * NS_PER_MS);
    bench_forget();
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200, TICKER("BTCUSD", "101.00", "101.01"));
    bench_expect_nothing();
    cr_expect_eq(bench.channels[0].closes, 0, "it may be a frame that is still on its way");
    bench_pass(750 * NS_PER_MS);
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200, TICKER("BTCUSD", "101.00", "101.01"));
    bench_expect("feed_connection - venue=binance_us connected=no");
    cr_expect_eq(bench.channels[0].closes, 1);
    bench_pass(SECOND);
    cr_expect_eq(bench.channels[0].opens, 2);
}

Test(binance_us_market, a_frame_that_was_on_its_way_ends_the_doubt)
{
    bench_run("BTCUSD", false);
    top(0, "BTCUSD", 1001, "100.00", "100.01");
    bench_pass(2500 * NS_PER_MS);
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200, TICKER("BTCUSD", "101.00", "101.01"));
    top(0, "BTCUSD", 1002, "101.00", "101.01");
    bench_pass(2500 * NS_PER_MS);
    bench_forget();
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200, TICKER("BTCUSD", "101.00", "101.01"));
    bench_expect("top " BTC " sequence=1002 bid 101.00*1.00000000");
    cr_expect_eq(bench.channels[0].closes, 0);
    /* A doubt, news, and much later another doubt are not twice in a row. */
    bench_pass(2500 * NS_PER_MS);
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200, TICKER("BTCUSD", "105.00", "105.01"));
    bench_depth(0, "BTCUSD", 1001, 1003, "[\"99.00\",\"1\"]", "");
    bench_pass(2500 * NS_PER_MS);
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200, TICKER("BTCUSD", "105.00", "105.01"));
    cr_expect_eq(bench.channels[0].closes, 0);
}

Test(binance_us_market, an_answer_that_a_frame_has_overtaken_says_nothing)
{
    bench_run("BTCUSD", false);
    top(0, "BTCUSD", 1001, "100.00", "100.01");
    bench_pass(2500 * NS_PER_MS);
    cr_assert_not_null(bench_find("GET", "/api/v3/ticker/bookTicker", NULL));
    top(0, "BTCUSD", 1002, "102.00", "102.01");
    bench_pass(1500 * NS_PER_MS);
    bench_forget();
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200, TICKER("BTCUSD", "100.00", "100.01"));
    bench_expect_nothing();
    bench_pass(SECOND);
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200, TICKER("BTCUSD", "100.00", "100.01"));
    cr_expect_eq(bench.channels[0].closes, 0, "it was no first doubt");
}

Test(binance_us_market, without_an_answer_nothing_is_confirmed)
{
    bench_run("BTCUSD", false);
    bench_pass(2500 * NS_PER_MS);
    bench_fail("GET", "/api/v3/ticker/bookTicker", NET_UNKNOWN);
    bench_pass(1500 * NS_PER_MS);
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200, "[\"garbage");
    bench_pass(1500 * NS_PER_MS);
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200,
                 "{\"symbol\":\"BTCUSD\",\"bidPrice\":\"x\","
                 "\"bidQty\":\"1\",\"askPrice\":\"1\","
                 "\"askQty\":\"1\"}");
    bench_expect_nothing();
    cr_expect_eq(bench.channels[0].closes, 0);
}

Test(binance_us_market, one_side_without_orders_is_no_price)
{
    bench_run("BTCUSD", false);
    bench_pass(2500 * NS_PER_MS);
    bench_forget();
    bench_answer("GET", "/api/v3/ticker/bookTicker", 200, TICKER("BTCUSD", "0.00", "100.01"));
    bench_expect("top " BTC " sequence=1000 ask 100.01*2.00000000");
}

Test(binance_us_market, nothing_heard_for_four_minutes_is_a_dead_connection)
{
    bench_run("BTCUSD", false);
    for (int i = 0; i < 5; i++) {
        bench_pass(170 * SECOND);
        bench_ping(0);
    }
    cr_expect_eq(bench.channels[0].closes, 0, "a ping each three minutes");
    bench_pass(239 * SECOND);
    cr_expect_eq(bench.channels[0].closes, 0);
    bench_pass(3 * SECOND);
    cr_expect_eq(bench.channels[0].closes, 1);
}

static void old_depth(unsigned id, int64_t age_ms)
{
    char text[512];
    snprintf(
        text, sizeof text,
        "{\"stream\":\"x\",\"data\":{\"e\":\"depthUpdate\",\"E\":%lld,\"s\":\"BTCUSD\",\"U\":%u,"
        "\"u\":%u,\"b\":[],\"a\":[]}}",
        (long long)(bench.now / NS_PER_MS + BENCH_AHEAD_MS - age_ms), id, id);
    bench_text(0, text);
}

Test(binance_us_market, data_that_stays_too_old_is_a_dead_feed)
{
    bench_run("BTCUSD", false);
    unsigned id = 1001;
    for (int i = 0; i < 100; i++) {
        old_depth(id++, 1900);
        bench_pass(100 * NS_PER_MS);
    }
    cr_expect_eq(bench.channels[0].closes, 0);
    for (int i = 0; i < 25; i++) {
        old_depth(id++, 2100);
        bench_pass(100 * NS_PER_MS);
    }
    old_depth(id++, 100); /* caught up */
    for (int i = 0; i < 29; i++) {
        old_depth(id++, 2100);
        bench_pass(100 * NS_PER_MS);
    }
    cr_expect_eq(bench.channels[0].closes, 0);
    for (int i = 0; i < 3; i++) {
        old_depth(id++, 2100);
        bench_pass(100 * NS_PER_MS);
    }
    cr_expect_eq(bench.channels[0].closes, 1);
}

Test(binance_us_market, no_pings_are_sent)
{
    bench_run("BTCUSD", false);
    bench_pass(200 * SECOND);
    cr_expect_eq(bench.send_count, 0);
}
