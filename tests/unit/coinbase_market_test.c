/* Market data of Coinbase: books, trades, numbers of messages, heartbeats. */
#include "coinbase_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define COINBASE_BENCH_TICK (250 * NS_PER_MS)

TestSuite(coinbase_market, .fini = bench_close);

#define TRADES(type, list) "{\"type\":\"" type "\",\"trades\":[" list "]}"
#define TRADE(id, price, side, second)                                                             \
    "{\"trade_id\":\"" id "\",\"product_id\":\"BTC-USD\",\"price\":\"" price                       \
    "\",\"size\":\"0.5\",\"time\":\"2026-04-07T14:30:" second "Z\",\"side\":\"" side "\"}"

/* One channel a message, heartbeats first, without a token. */
Test(coinbase_market, subscriptions)
{
    bench_open("BTC-USD ETH-USD", false);
    bench_discover();
    bench_begin();
    cr_expect_str_eq(bench.channels[MARKET].url, "wss://stream.test");
    cr_expect_eq(bench.channels[USER].opens, 0);
    bench_opened(MARKET);
    cr_assert_eq(bench.send_count, 3);
    cr_expect_str_eq(bench.sends[0], "{\"type\":\"subscribe\",\"channel\":\"heartbeats\"}");
    cr_expect_str_eq(bench.sends[1], "{\"type\":\"subscribe\",\"product_ids\":[\"BTC-USD\","
                                     "\"ETH-USD\"],\"channel\":\"level2\"}");
    cr_expect_str_eq(bench.sends[2], "{\"type\":\"subscribe\",\"product_ids\":[\"BTC-USD\","
                                     "\"ETH-USD\"],\"channel\":\"market_trades\"}");
    bench_expect("feed_connection - venue=coinbase connected=yes");
    bench_expect_nothing();
}

/* Never more than eight messages a second, and the first ones within five. */
Test(coinbase_market, many_products_are_subscribed_slowly)
{
    char symbols[1024];
    size_t length = 0;
    for (int i = 0; i < 60; i++)
        length += (size_t)snprintf(symbols + length, sizeof symbols - length, "A%d-USD ", i);
    bench_open(symbols, false);
    bench_discover();
    bench_begin();
    bench_opened(MARKET);
    bench_pass(2 * NS_PER_SECOND);
    cr_expect_eq(bench.send_count, 5);
    for (size_t i = 0; i < bench.send_count; i++) {
        size_t within = 0;
        for (size_t k = i; k < bench.send_count; k++)
            within += bench.send_ns[k] - bench.send_ns[i] < NS_PER_SECOND;
        cr_expect_leq(within, 8);
    }
}

Test(coinbase_market, snapshot_and_updates)
{
    bench_run("BTC-USD", false);
    bench_levels("update", "BTC-USD", "bid 100.00 0,offer 100.02 0.25");
    size_t at = bench_expect("depth coinbase:BTC-USD bid 100.00*0.000 ask 100.02*0.250");
    cr_expect_eq(bench.told_venue_ns[at], INT64_C(1775572200500000000));
    cr_expect_eq(bench.told_flags[at], MESSAGE_VENUE_TIME);
    bench_levels("snapshot", "BTC-USD", "bid 99.00 1,offer 101.00 2");
    at = bench_expect("snapshot coinbase:BTC-USD bid 99.00*1.000");
    cr_expect_eq(bench.told_venue_ns[at], bench.now + BENCH_AHEAD_MS * NS_PER_MS);
    bench_expect_nothing();
}

/* Levels of different times in one message are one message each, in their order. */
Test(coinbase_market, one_message_a_venue_time)
{
    bench_run("BTC-USD", false);
    bench_event(
        MARKET, "l2_data",
        "{\"type\":\"update\",\"product_id\":\"BTC-USD\",\"updates\":["
        "{\"side\":\"bid\",\"event_time\":\"2026-04-07T14:30:01Z\",\"price_level\":\"99\","
        "\"new_quantity\":\"1\"},"
        "{\"side\":\"bid\",\"event_time\":\"2026-04-07T14:30:02Z\",\"price_level\":\"98\","
        "\"new_quantity\":\"1\"},"
        "{\"side\":\"offer\",\"event_time\":\"2026-04-07T14:30:02Z\",\"price_level\":\"102\","
        "\"new_quantity\":\"1\"}]}");
    size_t at = bench_expect("depth coinbase:BTC-USD bid 99.00*1.000");
    cr_expect(bench.told_flags[at] & MESSAGE_MORE);
    at = bench_expect("depth coinbase:BTC-USD bid 98.00*1.000 ask 102.00*1.000");
    cr_expect_not(bench.told_flags[at] & MESSAGE_MORE);
    bench_expect_nothing();
}

Test(coinbase_market, numbers_without_a_value)
{
    bench_run("BTC-USD", false);
    bench_levels("update", "BTC-USD", "bid NaN 1,offer 100.02 0.00001");
    bench_expect("depth coinbase:BTC-USD bid nan*1.000 ask 100.02*off_grid");
    bench_expect("source_text coinbase:BTC-USD row=0 quantity=no text=\"NaN\"");
    bench_expect("source_text coinbase:BTC-USD row=1 quantity=yes text=\"0.00001\"");
    bench_expect_nothing();
}

/* `side` is the maker's: SELL at the best ask consumes asks (trading-semantics 7). The newest comes first. */
Test(coinbase_market, trades)
{
    bench_run("BTC-USD", false);
    bench_event(
        MARKET, "market_trades",
        TRADES("snapshot", TRADE("7", "100.00", "BUY", "03") "," TRADE("6", "99", "BUY", "01")));
    bench_expect_nothing();
    bench_event(
        MARKET, "market_trades",
        TRADES("update", TRADE("10", "100.01", "SELL", "06") "," TRADE(
                             "9", "100.00", "BUY", "05") "," TRADE("7", "100.00", "BUY", "03")));
    size_t at = bench_expect("trade coinbase:BTC-USD sequence=9 sell 100.00*0.500");
    cr_expect_eq(bench.told_venue_ns[at], INT64_C(1775572205000000000));
    cr_expect(bench.told_flags[at] & MESSAGE_MORE);
    bench_expect("trade coinbase:BTC-USD sequence=10 buy 100.01*0.500");
    bench_expect_nothing();
}

/* As the first messages of all: nothing has been read that they could point to. */
Test(coinbase_market, lists_without_an_entry)
{
    bench_open("BTC-USD", false);
    bench_discover();
    bench_begin();
    bench_opened(MARKET);
    bench_expect("feed_connection - venue=coinbase connected=yes");
    bench_event(MARKET, "market_trades", TRADES("snapshot", ""));
    bench_event(MARKET, "market_trades", TRADES("update", ""));
    bench_levels("snapshot", "BTC-USD", "");
    bench_levels("update", "BTC-USD", "");
    bench_expect_nothing();
    cr_expect_not(bench.adapter->health.market_synchronised);
    bench_levels("snapshot", "BTC-USD", "bid 99 1,offer 100 1");
    bench_levels("update", "BTC-USD", "");
    bench_expect("snapshot coinbase:BTC-USD ");
    bench_expect_nothing();
    cr_expect(bench.adapter->health.market_synchronised);
}

/* Numbers run over every message of a connection; one left out makes every book stale. */
Test(coinbase_market, a_gap_reconnects)
{
    bench_run("BTC-USD ETH-USD", false);
    bench_heartbeat(MARKET);
    uint64_t expected = bench.channels[MARKET].sequence;
    bench.channels[MARKET].sequence += 2;
    char line[128];
    bench_levels("update", "BTC-USD", "bid 99 1");
    snprintf(line, sizeof line, "gap coinbase:BTC-USD cause=sequence expected=%llu found=%llu",
             (unsigned long long)expected, (unsigned long long)expected + 2);
    bench_expect(line);
    bench_expect("gap coinbase:ETH-USD cause=sequence ");
    bench_expect("feed_connection - venue=coinbase connected=no");
    bench_expect_nothing();
    cr_expect_not(bench.adapter->health.market_synchronised);
    cr_expect_eq(bench.channels[MARKET].closes, 1);
    bench_pass(2 * NS_PER_SECOND);
    cr_expect_eq(bench.channels[MARKET].opens, 2);
    bench_opened(MARKET);
    bench_levels("update", "BTC-USD", "bid 99 1"); /* before its snapshot */
    bench_levels("snapshot", "BTC-USD", "bid 99 1,offer 100 1");
    cr_expect_not(bench.adapter->health.market_synchronised);
    bench_levels("snapshot", "ETH-USD", "bid 99 1,offer 100 1");
    cr_expect(bench.adapter->health.market_synchronised);
    bench_expect("feed_connection - venue=coinbase connected=yes");
    bench_expect("snapshot coinbase:BTC-USD ");
    bench_expect("snapshot coinbase:ETH-USD ");
    bench_expect_nothing();
}

/* The first message of the new connection has number 0, and is not one of before. */
Test(coinbase_market, numbers_begin_anew_with_each_connection)
{
    bench_run("BTC-USD", false);
    bench_heartbeat(MARKET);
    bench_closed(MARKET);
    bench_pass(2 * NS_PER_SECOND);
    bench_opened(MARKET);
    bench_levels("snapshot", "BTC-USD", "bid 99 1,offer 100 1");
    cr_expect(bench.adapter->health.market_synchronised);
}

Test(coinbase_market, a_message_that_comes_twice_counts_once)
{
    bench_run("BTC-USD", false);
    bench_levels("update", "BTC-USD", "bid 99 1");
    bench.channels[MARKET].sequence--;
    bench_levels("update", "BTC-USD", "bid 99 1");
    bench_expect("depth coinbase:BTC-USD bid 99.00*1.000");
    bench_expect_nothing();
    bench_levels("update", "BTC-USD", "bid 98 1");
    bench_expect("depth coinbase:BTC-USD bid 98.00*1.000");
    bench_expect_nothing();
    cr_expect(bench.adapter->health.market_synchronised);
}

Test(coinbase_market, a_crossed_book_is_made_anew)
{
    bench_run("BTC-USD", false);
    bench_levels("update", "BTC-USD", "bid 100.02 1");
    bench_expect("depth coinbase:BTC-USD bid 100.02*1.000");
    bench_expect("gap coinbase:BTC-USD cause=crossed ");
    bench_expect("feed_connection - venue=coinbase connected=no");
    bench_expect_nothing();
    cr_expect_eq(bench.channels[MARKET].closes, 1);
    bench_pass(2 * NS_PER_SECOND);
    cr_expect_eq(bench.channels[MARKET].opens, 2);
}

/* Crossed within a message, and not after it, is none. */
Test(coinbase_market, a_book_that_moves_is_not_crossed)
{
    bench_run("BTC-USD", false);
    bench_levels("update", "BTC-USD", "bid 100.02 1,offer 100.01 0,offer 100.03 1");
    bench_expect("depth coinbase:BTC-USD ");
    bench_expect_nothing();
    cr_expect(bench.adapter->health.market_synchronised);
}

Test(coinbase_market, a_message_that_cant_be_read)
{
    static const char *const bad[] = {
        "{\"channel\":\"l2_data\",\"sequence_num\":1,\"events\":[{\"ty",
        "{\"channel\":\"l2_data\",\"sequence_num\":1,\"events\":[{\"type\":\"update\"}]}",
        "{\"channel\":\"heartbeats\"}",
        "[]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bench_run("BTC-USD", false);
        bench_text(MARKET, bad[i]);
        bench_expect("gap coinbase:BTC-USD cause=damage ");
        bench_expect("feed_connection - venue=coinbase connected=no");
        bench_expect_nothing();
        cr_expect(bench_was_logged("a message of the market stream"));
        bench_close();
    }
}

Test(coinbase_market, silence_of_five_seconds)
{
    bench_run("BTC-USD", false);
    bench_heartbeat(MARKET);
    for (int i = 0; i < 4; i++) { /* data alone is no sign of life */
        bench_pass_silently(NS_PER_SECOND);
        bench_levels("update", "BTC-USD", "bid 99 1");
    }
    bench_pass_silently(NS_PER_SECOND);
    cr_expect_eq(bench.channels[MARKET].closes, 0);
    bench_pass_silently(COINBASE_BENCH_TICK);
    cr_expect_eq(bench.channels[MARKET].closes, 1);
    cr_expect(bench_was_logged("no heartbeat for five seconds"));
}

/* A heartbeat with the next number says that nothing happened: best prices are as new as it is. */
Test(coinbase_market, a_quiet_book_is_confirmed)
{
    bench_run("BTC-USD", false);
    bench_pass(3 * NS_PER_SECOND);
    size_t at = bench_expect("top coinbase:BTC-USD bid 100.00*1.500 ask 100.01*3.000");
    cr_expect_eq(bench.told_flags[at], MESSAGE_VENUE_ESTIMATED);
    bench_expect_nothing();
}

Test(coinbase_market, an_error_message_reconnects)
{
    bench_run("BTC-USD", false);
    bench_text(MARKET, "{\"type\":\"error\",\"message\":\"rate limit exceeded\"}");
    cr_expect(bench_was_logged("rate limit exceeded"));
    cr_expect_eq(bench.channels[MARKET].closes, 1);
}

Test(coinbase_market, a_book_that_never_comes)
{
    bench_open("BTC-USD ETH-USD", false);
    bench_discover();
    bench_begin();
    bench_opened(MARKET);
    bench_levels("snapshot", "BTC-USD", "bid 99 1,offer 100 1");
    bench_pass(19 * NS_PER_SECOND);
    cr_expect_eq(bench.channels[MARKET].closes, 0);
    bench_pass(2 * NS_PER_SECOND);
    cr_expect_eq(bench.channels[MARKET].closes, 1);
}

/* USDC is USD on public channels: one subscription, and both books have its data. */
Test(coinbase_market, an_alias)
{
    bench_open("BTC-USD BTC-USDC", false);
    bench_discover();
    bench_begin();
    bench_opened(MARKET);
    cr_expect_str_eq(bench.sends[1], "{\"type\":\"subscribe\",\"product_ids\":[\"BTC-USD\"],"
                                     "\"channel\":\"level2\"}");
    bench_forget();
    bench_levels("snapshot", "BTC-USD", "bid 99 1,offer 100 1");
    bench_expect("snapshot coinbase:BTC-USD ");
    bench_expect("snapshot coinbase:BTC-USDC ");
    bench_event(MARKET, "market_trades", TRADES("update", TRADE("9", "100", "SELL", "05")));
    bench_expect("trade coinbase:BTC-USD sequence=9 buy 100.00");
    bench_expect("trade coinbase:BTC-USDC sequence=9 buy 100.00");
    bench_expect_nothing();
    cr_expect(bench.adapter->health.market_synchronised);
}

Test(coinbase_market, an_alias_alone)
{
    bench_open("BTC-USDC", false);
    bench_discover();
    bench_begin();
    bench_opened(MARKET);
    cr_expect(strstr(bench.sends[1], "[\"BTC-USD\"]"), "%s", bench.sends[1]);
    bench_forget();
    bench_levels("snapshot", "BTC-USD", "bid 99 1,offer 100 1");
    bench_expect("snapshot coinbase:BTC-USDC ");
    bench_expect_nothing();
}

/* Attempts get rarer, and never more often than the venue allows. */
Test(coinbase_market, back_off)
{
    bench_run("BTC-USD", false);
    int64_t last = bench.now;
    bench_closed(MARKET);
    for (int i = 0; i < 8; i++) {
        unsigned opens = bench.channels[MARKET].opens;
        while (bench.channels[MARKET].opens == opens)
            bench_pass(COINBASE_BENCH_TICK);
        cr_expect_geq(bench.now - last, 250 * NS_PER_MS);
        cr_expect_leq(bench.now - last, 31 * NS_PER_SECOND);
        last = bench.now;
        bench_closed(MARKET);
    }
}

Test(coinbase_market, channels_that_nobody_asked_for)
{
    bench_run("BTC-USD", false);
    bench_event(MARKET, "subscriptions", "{\"subscriptions\":{\"level2\":[\"BTC-USD\"]}}");
    bench_event(MARKET, "candles", "{\"type\":\"update\",\"candles\":[]}");
    bench_event(MARKET, "news", "{\"type\":\"update\"}");
    bench_levels("update", "XRP-USD", "bid 1 1");
    bench_expect_nothing();
    cr_expect(bench_was_logged("channel news is not known"));
    cr_expect(bench.adapter->health.market_synchronised);
}
