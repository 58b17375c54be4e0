/* The simulated venue's fills: each test of trading-semantics 1 and 4 to 7. Prices and quantities
 * are in tenths, times in milliseconds. */
#include "sim_bench.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"

TestSuite(sim_match, .init = setup, .fini = teardown);

/* --- 1: two orders of the same events -------------------------------------------------------- */

static void trade_at_1000(double arrival)
{
    snapshot(1);
    bid(990, 10);
    ask(1010, 10);
    sell_trade(1000, 1000, 10);
    place(arrival, 1, SIDE_BUY, 1000, 10);
    run_to(1100);
}

Test(sim_match, an_order_that_arrives_within_the_millisecond_of_a_trade_gets_nothing_of_it)
{
    trade_at_1000(1000.4);
    expect("1000.4 accepted #1\n");
}

Test(sim_match, an_order_that_arrives_before_the_trade_gets_it)
{
    trade_at_1000(999.9);
    expect("999.9 accepted #1\n"
           "1000 fill #1 1.0@100.0 queue left 0.0\n");
}

Test(sim_match, an_order_that_arrives_at_the_trade_comes_after_it)
{
    trade_at_1000(1000);
    expect("1000 accepted #1\n");
}

Test(sim_match, latency_moves_arrival_and_answer)
{
    bench.venue_settings.sim_entry_latency = ms(5);
    bench.venue_settings.sim_answer_latency = ms(7);
    trade_at_1000(994);
    expect("1006 accepted #1\n"
           "1007 fill #1 1.0@100.0 queue left 0.0\n");
}

Test(sim_match, at_one_venue_time_trades_come_before_the_book)
{
    snapshot(1);
    bid(1000, 50);
    ask(1010, 10);
    depth(100); /* first on the tape, but the trade it shows comes first at the venue */
    bid(1000, 20);
    sell_trade(100, 1000, 30);
    sell_trade(200, 1000, 30);
    place(10, 1, SIDE_BUY, 1000, 40);
    run_to(300);
    expect("10 accepted #1\n"
           "200 fill #1 1.0@100.0 queue left 3.0\n");
}

Test(sim_match, the_venue_takes_streams_in_its_own_order)
{
    snapshot(1);
    bid(1000, 50);
    ask(1010, 10);
    depth(100);
    bid(1000, 10);
    tell(EVENT_trade, CHANNEL_TRADE, 150, 90); /* delayed by 60 ms: before the depth at 100 */
    add_row(level(1000, 40), ROW_SELL);
    sell_trade(200, 1000, 30);
    place(10, 1, SIDE_BUY, 1000, 40);
    run_to(300);
    expect("10 accepted #1\n"
           "200 fill #1 2.0@100.0 queue left 2.0\n");
}

Test(sim_match, a_late_message_enters_at_the_present_and_is_counted)
{
    snapshot(1);
    bid(1000, 10);
    ask(1010, 10);
    tell(EVENT_trade, CHANNEL_TRADE, 400, 20); /* 380 ms late: enters at 150 */
    add_row(level(1000, 30), ROW_SELL);
    place(100, 1, SIDE_BUY, 1000, 5);
    run_to(149);
    expect("100 accepted #1\n");
    run_to(500);
    expect("100 accepted #1\n"
           "150 fill #1 0.5@100.0 queue left 0.0\n");
    cr_assert_eq(stats()->late_messages, 1);
}

Test(sim_match, without_venue_time_the_floor_tells_and_a_future_one_is_cut)
{
    snapshot(1);
    bid(1000, 10);
    ask(1010, 10);
    tell(EVENT_trade, CHANNEL_TRADE, 101, 0)->flags = 0; /* at 100 */
    add_row(level(1000, 12), ROW_SELL);
    tell(EVENT_trade, CHANNEL_TRADE, 200, 900); /* at 200 */
    add_row(level(1000, 12), ROW_SELL);
    place(50, 1, SIDE_BUY, 1000, 5);
    run_to(300);
    expect("50 accepted #1\n"
           "100 fill #1 0.2@100.0 queue left 0.3\n"
           "200 fill #1 0.3@100.0 queue left 0.0\n");
    cr_assert_eq(stats()->future_messages, 1);
}

/* Rule 3: the venue's book, its post-only check included, is made of depth alone. */
Test(sim_match, a_top_moves_nothing_at_the_venue)
{
    snapshot(1);
    bid(990, 10);
    ask(1010, 10);
    tell(EVENT_top, CHANNEL_TOP, 5, 5);
    add_row(level(995, 10), 0);
    add_row(level(1000, 10), ROW_SELL);
    place(10, 1, SIDE_BUY, 1000, 5);
    place_as(11, 2, SIDE_BUY, 1005, 5, TIME_IN_FORCE_GTC, true);
    run_to(100);
    expect("10 accepted #1\n"
           "11 accepted #2\n");
}

/* --- 4: queue -------------------------------------------------------------------------------- */

Test(sim_match, queue_moves_by_trades_and_by_what_is_shown)
{
    level_of_ten();
    depth(20);
    bid(1000, 70);
    sell_trade(30, 1000, 40);
    depth(40);
    bid(1000, 30);
    sell_trade(50, 1000, 40);
    place(10, 1, SIDE_BUY, 1000, 20);
    run_to(100);
    expect("10 accepted #1\n"
           "50 fill #1 1.0@100.0 queue left 1.0\n");
}

Test(sim_match, decreases_after_increases_count_as_behind_us)
{
    level_of_ten();
    depth(20);
    bid(1000, 120);
    depth(30);
    bid(1000, 100);
    sell_trade(40, 1000, 100);
    sell_trade(50, 1000, 5);
    place(10, 1, SIDE_BUY, 1000, 20);
    run_to(45);
    expect("10 accepted #1\n");
    run_to(100);
    expect("10 accepted #1\n"
           "50 fill #1 0.5@100.0 queue left 1.5\n"); /* ahead was 0 after the first */
}

Test(sim_match, beyond_the_snapshot_the_queue_is_unknown)
{
    level_of_ten();
    sell_trade(20, 900, 5);
    depth(30); /* tells of the level */
    bid(900, 3);
    sell_trade(40, 900, 5);
    place(10, 1, SIDE_BUY, 900, 10);
    run_to(100);
    expect("10 accepted #1\n"
           "40 fill #1 0.2@90.0 queue left 0.8\n");
}

Test(sim_match, beyond_the_snapshot_a_removed_level_is_known_to_be_empty)
{
    level_of_ten();
    depth(30);
    bid(900, 0);
    sell_trade(40, 900, 5);
    place(10, 1, SIDE_BUY, 900, 10);
    run_to(100);
    expect("10 accepted #1\n"
           "40 fill #1 0.5@90.0 queue left 0.5\n");
}

Test(sim_match, nothing_fills_in_a_gap)
{
    level_of_ten();
    tell(EVENT_gap, CHANNEL_DEPTH, 21, 20)->record =
        &(union event_record){.gap = {.instrument = LINEAR}};
    sell_trade(30, 900, 500);
    depth(35);
    ask(900, 500);
    snapshot(40);
    bid(1000, 3);
    ask(1010, 10);
    sell_trade(50, 1000, 5);
    place(10, 1, SIDE_BUY, 1000, 10);
    place(32, 2, SIDE_BUY, 1000, 10);
    run_to(100);
    expect("10 accepted #1\n"
           "32 rejected #2 no_book\n"
           "50 fill #1 0.2@100.0 queue left 0.8\n");
}

/* --- 5: through and cross -------------------------------------------------------------------- */

Test(sim_match, a_trade_beyond_is_shared_by_price_then_arrival)
{
    snapshot(1);
    bid(999, 50);
    bid(998, 10);
    ask(1010, 100);
    sell_trade(20, 998, 30);
    sell_trade(30, 999, 5);
    place(10, 1, SIDE_BUY, 999, 20);
    place(11, 2, SIDE_BUY, 1000, 20);
    run_to(100);
    expect("10 accepted #1\n"
           "11 accepted #2\n"
           "20 fill #2 2.0@100.0 through left 0.0\n"
           "20 fill #1 1.0@99.9 through left 1.0\n"
           "30 fill #1 0.5@99.9 queue left 0.5\n"); /* ahead is 0 since */
}

Test(sim_match, depth_that_reaches_our_price_fills_what_it_shows_once)
{
    snapshot(1);
    bid(1000, 10);
    ask(1010, 50);
    ask(1030, 10);
    buy_trade(20, 1020, 30);
    depth(30);
    ask(1010, 0);
    bid(1010, 10);
    depth(40); /* another level: what crossed is used up */
    bid(990, 10);
    place(10, 1, SIDE_SELL, 1010, 50);
    run_to(100);
    expect("10 accepted #1\n"
           "20 fill #1 3.0@101.0 through left 2.0\n"
           "30 fill #1 1.0@101.0 cross left 1.0\n");
    cr_assert_eq(stats()->fills_by_cause[FILL_CROSS], 1);
}

Test(sim_match, depth_that_renews_the_level_crosses_again)
{
    snapshot(1);
    bid(1000, 10);
    ask(1010, 50);
    depth(30);
    bid(1011, 10);
    depth(40);
    bid(1011, 10);
    place(10, 1, SIDE_SELL, 1010, 15);
    place(10, 2, SIDE_SELL, 1010, 15);
    run_to(100);
    expect("10 accepted #1\n"
           "10 accepted #2\n"
           "30 fill #1 1.0@101.0 cross left 0.5\n"
           "40 fill #1 0.5@101.0 cross left 0.0\n"
           "40 fill #2 0.5@101.0 cross left 1.0\n");
}

Test(sim_match, crossing_can_be_turned_off)
{
    bench.venue_settings.sim_fill_on_cross = false;
    snapshot(1);
    bid(1000, 10);
    ask(1010, 50);
    depth(30);
    bid(1011, 10);
    place(10, 1, SIDE_SELL, 1010, 15);
    run_to(100);
    expect("10 accepted #1\n");
}

Test(sim_match, two_orders_at_one_price_share_one_trade)
{
    level_of_ten();
    sell_trade(20, 1000, 130);
    sell_trade(30, 1000, 130);
    place(10, 1, SIDE_BUY, 1000, 20);
    place(11, 2, SIDE_BUY, 1000, 20);
    run_to(100);
    expect("10 accepted #1\n"
           "11 accepted #2\n"
           "20 fill #1 2.0@100.0 queue left 0.0\n"
           "20 fill #2 1.0@100.0 queue left 1.0\n"
           "30 fill #2 1.0@100.0 queue left 0.0\n");
}

/* --- 6: taking ------------------------------------------------------------------------------- */

Test(sim_match, taking_walks_the_levels_and_uses_them_up)
{
    two_asks();
    place_as(10, 1, SIDE_BUY, 1010, 25, TIME_IN_FORCE_IOC, false);
    place_as(20, 2, SIDE_BUY, 1010, 10, TIME_IN_FORCE_IOC, false);
    run_to(100);
    expect("10 accepted #1\n"
           "10 fill #1 1.0@100.0 take left 1.5 fee 0.1 USDT\n"
           "10 fill #1 1.5@101.0 take left 0.0 fee 0.1515 USDT\n" /* 0.2515 together */
           "20 accepted #2\n"
           "20 fill #2 0.5@101.0 take left 0.5 fee 0.0505 USDT\n"
           "20 cancelled #2 left 5 unfilled\n");
}

Test(sim_match, depth_renews_a_level_that_was_taken)
{
    two_asks();
    depth(15);
    ask(1000, 10);
    place_as(10, 1, SIDE_BUY, 1010, 30, TIME_IN_FORCE_IOC, false);
    place_as(20, 2, SIDE_BUY, 1010, 30, TIME_IN_FORCE_IOC, false);
    run_to(100);
    expect("10 accepted #1\n"
           "10 fill #1 1.0@100.0 take left 2.0 fee 0.1 USDT\n"
           "10 fill #1 2.0@101.0 take left 0.0 fee 0.202 USDT\n"
           "20 accepted #2\n"
           "20 fill #2 1.0@100.0 take left 2.0 fee 0.1 USDT\n"
           "20 cancelled #2 left 20 unfilled\n");
}

Test(sim_match, post_only_that_would_cross_is_rejected)
{
    two_asks();
    place_as(10, 1, SIDE_BUY, 1000, 5, TIME_IN_FORCE_GTC, true);
    place_as(11, 2, SIDE_BUY, 999, 5, TIME_IN_FORCE_GTC, true);
    place_as(12, 3, SIDE_BUY, 999, 5, TIME_IN_FORCE_IOC, true);
    run_to(100);
    expect("10 rejected #1 post_only_would_cross\n"
           "11 accepted #2\n"
           "12 rejected #3 unsupported\n");
    cr_assert_eq(stats()->order_rejects[REJECT_POST_ONLY], 1);
}

Test(sim_match, fill_or_kill_is_all_or_nothing)
{
    two_asks();
    place_as(10, 1, SIDE_BUY, 1010, 31, TIME_IN_FORCE_FOK, false);
    place_as(11, 2, SIDE_BUY, 1000, 11, TIME_IN_FORCE_FOK, false);
    place_as(12, 3, SIDE_BUY, 1010, 30, TIME_IN_FORCE_FOK, false);
    run_to(100);
    expect("10 rejected #1 fill_or_kill\n"
           "11 rejected #2 fill_or_kill\n"
           "12 accepted #3\n"
           "12 fill #3 1.0@100.0 take left 2.0 fee 0.1 USDT\n"
           "12 fill #3 2.0@101.0 take left 0.0 fee 0.202 USDT\n");
}

Test(sim_match, what_a_marketable_order_can_not_take_rests)
{
    two_asks();
    sell_trade(50, 1000, 5);
    place(10, 1, SIDE_BUY, 1000, 15);
    run_to(100);
    expect("10 accepted #1\n"
           "10 fill #1 1.0@100.0 take left 0.5 fee 0.1 USDT\n"
           "50 fill #1 0.5@100.0 queue left 0.0\n");
}

/* --- 7: aggressor ---------------------------------------------------------------------------- */

Test(sim_match, a_buying_aggressor_fills_asks_only_and_off_market_trades_nobody)
{
    snapshot(1);
    bid(990, 10);
    ask(1010, 10);
    trade(20, ROW_NOT_MARKET, 1000, 50);
    trade(21, ROW_SELL | ROW_NOT_MARKET, 1000, 50);
    trade(22, ROW_SELL, 1000, 0);
    buy_trade(30, 1000, 3);
    sell_trade(40, 1000, 4);
    place(10, 1, SIDE_BUY, 999, 10);
    place(10, 2, SIDE_SELL, 1000, 10);
    place(10, 3, SIDE_BUY, 1000, 10);
    run_to(100);
    expect("10 accepted #1\n"
           "10 accepted #2\n"
           "10 accepted #3\n"
           "30 fill #2 0.3@100.0 queue left 0.7\n"
           "40 fill #3 0.4@100.0 queue left 0.6\n");
}

/* --- whatever the market does ---------------------------------------------------------------- */

static uint64_t random_state;

static uint64_t random_below(uint64_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (random_state >> 33) % bound;
}

enum { RANDOM_MS = 500, RANDOM_LEVELS = 10 };

static void random_levels(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t away = (int64_t)random_below(RANDOM_LEVELS), quantity = (int64_t)random_below(30);
        if (random_below(2))
            bid(1000 - away, quantity);
        else
            ask(1001 + away, quantity);
    }
}

/* Trades, books, gaps and new snapshots, between streams not in venue order. */
static void random_market(void)
{
    snapshot(1);
    random_levels(30);
    for (int at = 2; at < RANDOM_MS; at++) {
        double delay = 1 + (double)random_below(20) / 4;
        uint64_t what = random_below(100);
        enum event_kind kind = what < 50 ? EVENT_depth : what < 97 ? EVENT_trade : EVENT_snapshot;
        if (what == 99)
            kind = EVENT_gap;
        struct message *message =
            tell(kind, kind == EVENT_trade ? CHANNEL_TRADE : CHANNEL_DEPTH, at, at - delay);
        bench.records[bench.message_count - 1].gap =
            (struct event_gap){.instrument = LINEAR, .cause = GAP_SEQUENCE};
        if (kind == EVENT_trade)
            add_row(level(995 + (int64_t)random_below(12), (int64_t)random_below(20) + 1),
                    random_below(2) ? ROW_SELL : 0);
        else if (kind != EVENT_gap)
            random_levels(kind == EVENT_depth ? 3 : 30);
        else
            message->row_count = 0;
    }
}

/* A request every few milliseconds; with `steps` the venue is asked more often in between. */
static void random_requests(unsigned steps)
{
    int orders = 0;
    double last = 3;
    for (double at = 4; at < RANDOM_MS; at += 1 + (double)random_below(8) / 4) {
        for (unsigned i = 1; i <= steps; i++)
            run_to(last + (at - last) * i / (steps + 1));
        last = at;
        enum side side = random_below(2) ? SIDE_SELL : SIDE_BUY;
        int64_t price = 995 + (int64_t)random_below(12), quantity = (int64_t)random_below(20) + 1;
        int any = orders ? (int)random_below((uint64_t)orders) + 1 : 1;
        uint64_t what = random_below(10);
        if (what < 6)
            place_as(at, ++orders, side, price, quantity, (enum time_in_force)(what % 3),
                     random_below(4) == 0);
        else if (what < 8)
            cancel(at, any);
        else
            modify(at, any, side, price, quantity);
    }
    run_to(RANDOM_MS + 50);
}

/* How often the loop asks can't change a fill: only the tape and the requests do. */
Test(sim_match, fills_do_not_depend_on_how_often_the_venue_is_asked)
{
    static char first[LOG_MAX];
    uint64_t fills[FILL_CAUSE_COUNT] = {0};
    for (unsigned seed = 1; seed <= 10; seed++) {
        for (unsigned steps = 0; steps < 8; steps += 7) {
            setup();
            random_state = seed;
            bench.venue_settings.sim_entry_latency = ms(seed % 3);
            bench.venue_settings.sim_answer_latency = ms(seed % 2 * 4);
            random_market();
            random_requests(steps);
            for (unsigned cause = 0; cause < FILL_CAUSE_COUNT; cause++)
                fills[cause] += stats()->fills_by_cause[cause];
            if (steps == 0)
                memcpy(first, bench.log, sizeof first);
            else
                cr_assert_str_eq(bench.log, first);
            teardown();
        }
    }
    setup();
    for (unsigned cause = FILL_QUEUE; cause < FILL_CAUSE_COUNT; cause++)
        cr_expect_gt(fills[cause], 20, "cause %u: %d", cause, (int)fills[cause]);
}

/* What the account moved by equals the fills, and what is held back ends with the orders. */
Test(sim_match, balances_are_the_sum_of_fills)
{
    for (unsigned seed = 1; seed <= 10; seed++) {
        setup();
        random_state = seed;
        bench.definitions[LINEAR].contract = CONTRACT_SPOT;
        random_market();
        random_requests(0);
        const struct event_order_filled *fill;
        money base, quote;
        cr_assert(money_from_units(1000, 0, &base));
        cr_assert(money_from_units(1000000, 0, &quote));
        for (size_t i = 0; i < bench.fill_count; i++) {
            fill = &bench.fills[i];
            money value, amount;
            cr_assert(money_linear_value(fill->price.units, fill->quantity.units, 1, -2, &value));
            cr_assert(money_from_units(fill->quantity.units, -1, &amount));
            bool buy = fill->side == SIDE_BUY;
            base = buy ? money_add(base, amount) : money_subtract(base, amount);
            quote = buy ? money_subtract(quote, value) : money_add(quote, value);
            quote = money_subtract(quote, fill->fee);
        }
        cr_assert_eq(money_compare(sim_balance(bench.venue, 0, ETH), base), 0);
        cr_assert_eq(money_compare(sim_balance(bench.venue, 0, USDT), quote), 0);
        teardown();
    }
    setup();
}
