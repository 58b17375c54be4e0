/* The user channel and the account of Coinbase. */
#include "coinbase_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(coinbase_account, .fini = bench_close);

#define TICK (250 * NS_PER_MS)

/* Its own address, a token without a path, and heartbeats. */
Test(coinbase_account, the_user_stream)
{
    bench_open("BTC-USD", true);
    bench_discover();
    bench_begin();
    cr_expect_str_eq(bench.channels[USER].url, "wss://user.test");
    bench_opened(USER);
    cr_assert_eq(bench.send_count, 2);
    static const char begins[] = "{\"type\":\"subscribe\",\"channel\":\"user\",\"jwt\":\"eyJ";
    cr_expect_eq(strncmp(bench.sends[0], begins, sizeof begins - 1), 0, "%s", bench.sends[0]);
    cr_expect_str_eq(bench.sends[1], "{\"type\":\"subscribe\",\"channel\":\"heartbeats\"}");
    cr_expect_not(bench.adapter->health.private_up);
    cr_expect_eq(bench_count_open("GET", ACCOUNTS), 0);
    bench_event(USER, "user", "{\"type\":\"snapshot\",\"orders\":[]}");
    cr_expect(bench.adapter->health.private_up);
    cr_expect_eq(bench_count_open("GET", ACCOUNTS), 1);
    cr_expect_eq(bench_count_open("GET", LIST), 5);
}

/* Balances, positions, open orders, then the end with the time at which it was asked for. */
Test(coinbase_account, told_whole)
{
    char line[128], time[TIME_TEXT_MAX];
    bench_run("BTC-USD", true);
    time_to_text(bench.now, time);
    bench_decide("request_snapshot - venue=coinbase cause=1");
    bench.now += 5 * NS_PER_MS;
    bench_answer_account(bench_order(3, "OPEN", "99.00", "2", "0.5"));
    bench_expect("balance - venue=coinbase asset=BTC total=2 available=1");
    bench_expect("balance - venue=coinbase asset=USD total=5000 available=5000");
    bench_expect("venue_position coinbase:BTC-USD position=0.000");
    bench_expect(
        "open_order coinbase:BTC-USD order=#3 venue_order=\"order-3\" side=buy price=99.00 "
        "leaves=1.500");
    snprintf(line, sizeof line, "snapshot_end - venue=coinbase taken=%s", time);
    bench_expect(line);
    bench_expect_nothing();
}

/* What the session before carried over, and what has changed since it began. */
Test(coinbase_account, positions_are_changes_of_balances)
{
    bench_open("BTC-USD", true);
    bench.has_positions = true;
    bench.positions[0] = 250;
    bench_discover();
    bench_begin();
    bench_opened(USER);
    bench_event(USER, "user", "{\"type\":\"snapshot\",\"orders\":[]}");
    bench_answer_account("");
    cr_expect(bench_was_told("venue_position coinbase:BTC-USD position=0.250"));
    bench_forget();
    bench_decide("request_snapshot - venue=coinbase cause=1");
    bench_answer("GET", ACCOUNTS, 200,
                 "{\"accounts\":[{\"currency\":\"BTC\",\"available_balance\":{\"value\":\"2.5\"},"
                 "\"hold\":{\"value\":\"0\"}}],\"cursor\":\"\"}");
    while (bench_find("GET", LIST, NULL))
        bench_answer("GET", LIST, 200, "{\"orders\":[]}");
    cr_expect(bench_was_told("venue_position coinbase:BTC-USD position=0.750"));
    cr_expect(bench_was_told("balance - venue=coinbase asset=USD total=0"));
}

Test(coinbase_account, accounts_in_pages)
{
    bench_run("BTC-USD", true);
    bench_decide("request_snapshot - venue=coinbase cause=1");
    bench_answer("GET", ACCOUNTS, 200,
                 "{\"accounts\":[{\"currency\":\"BTC\",\"available_balance\":{\"value\":\"2\"}}],"
                 "\"has_next\":true,\"cursor\":\"c1\"}");
    cr_expect(bench_find("GET", ACCOUNTS, "limit=250&cursor=c1") != NULL);
    while (bench_find("GET", LIST, NULL))
        bench_answer("GET", LIST, 200, "{\"orders\":[]}");
    cr_expect_not(bench_was_told("snapshot_end"));
    bench_answer("GET", ACCOUNTS, 200,
                 "{\"accounts\":[{\"currency\":\"USD\",\"available_balance\":{\"value\":\"7\"}}],"
                 "\"has_next\":false,\"cursor\":\"\"}");
    cr_expect(bench_was_told("balance - venue=coinbase asset=BTC total=2"));
    cr_expect(bench_was_told("balance - venue=coinbase asset=USD total=7"));
    cr_expect(bench_was_told("snapshot_end"));
}

static void part_fails(const char *path, long status, const char *body)
{
    bench_run("BTC-USD", true);
    bench_decide("request_snapshot - venue=coinbase cause=1");
    if (status)
        bench_answer("GET", path, status, body);
    else
        bench_fail("GET", path, NET_UNKNOWN);
    while (bench_find("GET", ACCOUNTS, NULL))
        bench_answer("GET", ACCOUNTS, 200, "{\"accounts\":[]}");
    while (bench_find("GET", LIST, NULL))
        bench_answer("GET", LIST, 200, "{\"orders\":[]}");
    cr_expect_not(bench_was_told("snapshot_end"), "%s %ld", path, status);
    cr_expect_not(bench_was_told("balance"));
    bench_pass(3 * NS_PER_SECOND);
    bench_answer_account("");
    cr_expect(bench_was_told("snapshot_end"));
    bench_close();
}

/* A snapshot of which a part is missing has no end, and is asked for again. */
Test(coinbase_account, a_part_that_is_missing)
{
    static const char *const paths[] = {ACCOUNTS, LIST};
    for (size_t i = 0; i < 2; i++) {
        part_fails(paths[i], 0, "");
        part_fails(paths[i], 500, "<html>");
        part_fails(paths[i], 401, "Unauthorized\n");
        part_fails(paths[i], 200, "{\"cut");
        part_fails(paths[i], 200, "{}");
    }
}

/* Failures of what is about no order are told to the breaker around the venue, and the first success after them. */
Test(coinbase_account, the_breaker_is_told)
{
    bench_run("BTC-USD", true);
    bench_decide("request_snapshot - venue=coinbase cause=1");
    bench_answer("GET", ACCOUNTS, 503, "<html>");
    bench_expect("breaker_input - venue=coinbase healthy=no");
    bench_answer("GET", LIST, 200, "{\"orders\":[]}");
    bench_expect("breaker_input - venue=coinbase healthy=yes");
    bench_answer("GET", LIST, 200, "{\"orders\":[]}");
    bench_expect_nothing();
}

/* It broke: it is made anew with a new token, and the account is told anew. */
Test(coinbase_account, the_user_stream_breaks)
{
    bench_run("BTC-USD", true);
    bench_closed(USER);
    bench_expect("breaker_input - venue=coinbase healthy=no");
    cr_expect_not(bench.adapter->health.private_up);
    bench_pass(2 * NS_PER_SECOND);
    bench_opened(USER);
    bench_event(USER, "user", "{\"type\":\"snapshot\",\"orders\":[]}");
    bench_answer_account("");
    cr_expect(bench_was_told("snapshot_end"));
    cr_expect(bench.adapter->health.private_up);
}

Test(coinbase_account, a_gap_on_the_user_stream)
{
    bench_run("BTC-USD", true);
    bench.channels[USER].sequence++;
    bench_heartbeat(USER);
    cr_expect_eq(bench.channels[USER].closes, 1);
    cr_expect_eq(bench.channels[MARKET].closes, 0);
}

Test(coinbase_account, silence_on_the_user_stream)
{
    bench_run("BTC-USD", true);
    for (int i = 0; i < 6; i++) {
        bench_pass_silently(NS_PER_SECOND);
        bench_heartbeat(MARKET);
    }
    cr_expect_eq(bench.channels[USER].closes, 1);
    cr_expect_eq(bench.channels[MARKET].closes, 0);
}

/* Heartbeats come, but the subscription to our orders has come to nothing: no fill would ever be told. */
Test(coinbase_account, a_user_snapshot_that_never_comes)
{
    bench_run("BTC-USD", true);
    bench_closed(USER);
    bench_pass(2 * NS_PER_SECOND);
    bench_opened(USER);
    bench_pass(19 * NS_PER_SECOND);
    cr_expect_eq(bench.channels[USER].closes, 0);
    bench_pass(2 * NS_PER_SECOND);
    cr_expect_eq(bench.channels[USER].closes, 1);
    cr_expect_eq(bench.channels[MARKET].closes, 0);
    cr_expect(bench_was_logged("no snapshot of the orders came"));
}

/* A session that begins while the stream can't be had: what rests of the one before is not watched, and the engine is told. */
Test(coinbase_account, a_user_stream_that_is_not_there_at_the_start)
{
    bench_open("BTC-USD", true);
    bench_discover();
    bench_begin();
    bench_pass(4 * NS_PER_SECOND);
    cr_expect_not(bench_was_told("orders_stream"));
    bench_pass(2 * NS_PER_SECOND);
    cr_expect_eq(bench_count_told("orders_stream - venue=coinbase connected=no"), 1);
    while (!bench.channels[USER].opened_by_it)
        bench_pass(TICK);
    bench_opened(USER);
    bench_event(USER, "user", "{\"type\":\"snapshot\",\"orders\":[]}");
    cr_expect_eq(bench_count_told("orders_stream - venue=coinbase connected=yes"), 1);
}

/* The name of the key stands in each token; who says it again is not repeated. */
Test(coinbase_account, a_key_that_the_venue_repeats)
{
    bench_run("BTC-USD", true);
    bench_text(USER, "{\"type\":\"error\",\"message\":\"no such key: " BENCH_KEY "\"}");
    cr_expect(bench_was_logged("no such key: ***"));
    cr_expect_not(bench_was_logged(BENCH_KEY));
}

Test(coinbase_account, a_token_that_is_refused)
{
    bench_run("BTC-USD", true);
    bench_text(USER, "{\"type\":\"error\",\"message\":\"authentication failure\"}");
    cr_expect_eq(bench.channels[USER].closes, 1);
    bench_pass(TICK);
    cr_expect_eq(bench_count_open("GET", TIME_PATH), 1); /* the clocks may differ */
}

/* Its own address fails: one attempt in four goes to the market's, which takes the channel too. */
Test(coinbase_account, the_other_address)
{
    unsigned elsewhere = 0;
    bench_run("BTC-USD", true);
    bench_closed(USER);
    for (int i = 0; i < 4; i++) {
        unsigned opens = bench.channels[USER].opens;
        while (bench.channels[USER].opens == opens)
            bench_pass(TICK);
        elsewhere += strcmp(bench.channels[USER].url, "wss://stream.test") == 0;
        bench_closed(USER);
    }
    cr_expect_eq(elsewhere, 1);
}

/* A snapshot shows an order of a session before this one: it makes no fills, but the order can be cancelled. */
Test(coinbase_account, a_snapshot_makes_no_fills)
{
    bench_open("BTC-USD", true);
    bench_discover();
    bench_begin();
    bench_opened(USER);
    bench_forget();
    bench_user("snapshot", 5, "OPEN", "0.5", "1.5", "100.00");
    bench_expect("orders_stream - venue=coinbase connected=yes");
    bench_expect_nothing();
    cr_expect_eq(bench_count_open("GET", FILLS), 0);
    bench_cancel(5);
    cr_expect(bench_find("POST", CANCELS, "order-5") != NULL);
    bench_user("update", 5, "OPEN", "0.75", "1.25", "100.00"); /* but an update does */
    cr_expect_eq(bench_count_open("GET", FILLS), 1);
}

/* An order of a session before this one that an update tells of first. */
Test(coinbase_account, an_update_of_an_older_order)
{
    char fills[2048];
    bench_run("BTC-USD", true);
    bench_user("update", 5, "CANCELLED", "0.5", "0", "100.00");
    bench_answer("GET", ORDERS "/historical/order-5", 200, "{}");
    bench_pass(NS_PER_SECOND);
    cr_expect(bench_was_told("order_unknown coinbase:BTC-USD order=#5 request=query"));
    bench_query(5);
    char order[2048];
    snprintf(order, sizeof order, "{\"order\":%s}",
             bench_order(5, "CANCELLED", "100.00", "2", "0.5"));
    bench_answer("GET", ORDERS "/historical/order-5", 200, order);
    snprintf(fills, sizeof fills, "{\"fills\":[%s]}",
             bench_fill(5, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_answer("GET", FILLS, 200, fills);
    cr_expect(bench_was_told("order_filled coinbase:BTC-USD order=#5 trade=\"t1\""));
    cr_expect(bench_was_told("order_cancelled coinbase:BTC-USD order=#5 leaves=1.500"));
}

/* Without credentials nothing private is asked for. */
Test(coinbase_account, market_data_alone)
{
    bench_run("BTC-USD", false);
    bench_decide("request_snapshot - venue=coinbase cause=1");
    bench_pass(10 * NS_PER_SECOND);
    cr_expect_eq(bench.channels[USER].opens, 0);
    for (size_t i = 0; i < bench.request_count; i++)
        cr_expect_str_empty(bench.requests[i].bearer);
}

/* --- fills of before --------------------------------------------------------------------------------- */

#define ENDED(number, name, status)                                                                \
    "{\"order\":{\"order_id\":\"order-" number "\",\"product_id\":\"BTC-USD\",\"side\":\"BUY\","   \
    "\"client_order_id\":\"" name "\",\"status\":\"" status "\",\"filled_size\":\"0.5\"}}"

static void begin_after_a_loss(void)
{
    bench_open("BTC-USD", true);
    bench_discover();
    bench.fills_since = BENCH_START - 90 * NS_PER_SECOND;
    bench.has_positions = bench.has_trade = true;
    bench.positions[0] = 1000;
    bench.trade = (struct adapter_trade){.order = 4, .trade = {.length = 2, .bytes = {'t', '4'}}};
    bench_begin();
    bench_opened(USER);
    bench_forget();
    bench_event(USER, "user", "{\"type\":\"snapshot\",\"orders\":[]}");
}

static void answer_missed(const char *const *fills, size_t count)
{
    char list[8192] = "{\"fills\":[";
    size_t length = strlen(list);
    for (size_t i = 0; i < count; i++)
        length +=
            (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? "," : "", fills[i]);
    snprintf(list + length, sizeof list - length, "],\"cursor\":\"\"}");
    bench_answer("GET", FILLS, 200, list);
}

/* Of an order that the tape has every fill of, one that it does not know, and somebody else's. The account waits, and
 * the position that balances are counted from has what was missed. */
Test(coinbase_account, fills_that_the_tape_lost)
{
    char text[3][1024];
    const char *fills[3] = {text[0], text[1], text[2]};
    begin_after_a_loss();
    bench_decide("request_snapshot - venue=coinbase cause=1");
    cr_expect_null(bench_find("GET", ACCOUNTS, NULL), "the account waits");
    cr_expect_not_null(
        bench_find("GET", FILLS, "start_sequence_timestamp=2023-11-14T22%3A11%3A50.25"));
    snprintf(text[0], sizeof text[0], "%s",
             bench_fill(9, "t9", "100.00", "0.5", "2023-11-14T22:13:03Z"));
    snprintf(text[1], sizeof text[1], "%s",
             bench_fill(5, "t5", "100.00", "0.5", "2023-11-14T22:13:02Z"));
    snprintf(text[2], sizeof text[2], "%s",
             bench_fill(4, "t4", "100.00", "0.5", "2023-11-14T22:13:01Z"));
    answer_missed(fills, 3);
    bench_answer("GET", ORDERS "/historical/order-4", 200, ENDED("4", "mm1-0-4", "FILLED"));
    bench_expect("orders_stream - venue=coinbase connected=yes");
    bench_expect_nothing();
    bench_answer("GET", ORDERS "/historical/order-5", 200, ENDED("5", "mm1-0-5", "CANCELLED"));
    bench_expect("order_filled coinbase:BTC-USD order=#5 trade=\"t5\" side=buy price=100.00 "
                 "quantity=0.500 leaves=absent cause=reported liquidity=maker fee=0.25");
    cr_expect_null(bench_find("GET", ACCOUNTS, NULL));
    bench_answer("GET", ORDERS "/historical/order-9", 200, ENDED("9", "other", "FILLED"));
    bench_expect_nothing();
    cr_expect(bench_was_logged("1 fills of before this session"));
    bench_answer_account("");
    cr_expect(bench_was_told("venue_position coinbase:BTC-USD position=1.500"));
    bench_closed(USER);
    bench_pass(3 * NS_PER_SECOND);
    bench_opened(USER);
    bench_event(USER, "user", "{\"type\":\"snapshot\",\"orders\":[]}");
    cr_expect_eq(bench_count_made("GET", FILLS), 1, "once is enough");
}

/* What can't be had is asked for a few times; then the session goes on without, and says so. */
Test(coinbase_account, fills_that_cant_be_asked_for)
{
    begin_after_a_loss();
    for (int i = 0; i < 9; i++) {
        bench_answer("GET", FILLS, 400, "{\"error\":\"INVALID_ARGUMENT\",\"message\":\"no\"}");
        bench_pass(2 * NS_PER_SECOND);
    }
    cr_expect(bench_was_logged("the position may lack them"));
    cr_expect_not_null(bench_find("GET", ACCOUNTS, NULL));
}
