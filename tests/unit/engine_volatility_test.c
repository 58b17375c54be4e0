/* Volatility and warm-up: the figures of trading-semantics 25. Cycles are an hour apart, so that what happens
 * between messages happens by a deadline. */
#include <criterion/criterion.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

static struct settings_instrument *settings(void)
{
    return &h.settings[0];
}

static void prepare(void)
{
    harness_init(&h);
    settings()->quote_interval = SECONDS(3600);
    settings()->volatility_half_life = SECONDS(60);
    settings()->volatility_restart_after = SECONDS(60);
}

/* Best prices from now on; the old levels go. */
static void book(int64_t bid, int64_t ask)
{
    harness_book(&h, 0, EVENT_snapshot, bid, 50, ask, 50);
}

static void book_at(int64_t now, int64_t bid, int64_t ask)
{
    harness_run_to(&h, now);
    book(bid, ask);
}

static struct signals *signals(void)
{
    return &h.engine->instruments[0].signals;
}

static size_t placed(void)
{
    return harness_count(&h, EVENT_place);
}

/* --- 25: volatility ------------------------------------------------------------------------------- */

Test(volatility, rule_25_the_rule_s_own_figures)
{
    prepare();
    settings()->volatility_half_life = SECONDS(1); /* a = 0.5 */
    harness_start(&h);
    book_at(SECONDS(0), 995, 1005); /* 100 */
    book_at(SECONDS(1) + 1, 1005, 1015);
    book_at(SECONDS(2) + 1, 1005, 1020);
    cr_expect_eq(signals()->volatility.samples, 1);
    cr_expect_float_eq(signals()->volatility.variance, 1e-4, 1e-18);
    book_at(SECONDS(2) + 2, 1005, 1015); /* 101 again before 3 s */
    book_at(SECONDS(3) + 1, 1005, 1020);
    cr_expect_eq(signals()->volatility.samples, 2);
    cr_expect_float_eq(signals()->volatility.variance, 5e-5, 1e-18);
    harness_close(&h);
}

Test(volatility, rule_25_a_message_at_the_second_itself_is_later)
{
    prepare();
    harness_start(&h);
    book_at(SECONDS(0), 995, 1005);
    book_at(SECONDS(1), 1005, 1015);
    cr_expect_eq(signals()->volatility.mid2, 2000);
    book_at(SECONDS(2), 1105, 1115);
    cr_expect_eq(signals()->volatility.mid2, 2020);
    harness_close(&h);
}

Test(volatility, rule_25_silence_is_caught_up_by_the_second)
{
    prepare();
    settings()->volatility_half_life = SECONDS(1);
    harness_start(&h);
    book_at(SECONDS(0), 995, 1005);
    book_at(SECONDS(1) + 1, 1005, 1015);
    book_at(SECONDS(12), 1005, 1015); /* ten more samples without a return */
    book_at(SECONDS(12) + 1, 1005, 1020);
    cr_expect_eq(signals()->volatility.samples, 11);
    cr_expect_float_eq(signals()->volatility.variance, 1e-4 / 1024, 1e-18);
    harness_close(&h);
}

static void lose_for(int64_t duration)
{
    union event_record record = {.gap = {.instrument = 0}};
    harness_record(&h, EVENT_gap, EVENT_STREAM(0, CHANNEL_DEPTH), &record);
    book_at(h.now + duration, 1105, 1115);
}

Test(volatility, rule_25_no_return_across_a_gap)
{
    prepare();
    harness_start(&h);
    book_at(SECONDS(0), 995, 1005);
    harness_run_to(&h, SECONDS(10) + 1);
    lose_for(SECONDS(3));
    book_at(SECONDS(15) + 1, 1105, 1115);
    book_at(SECONDS(15) + 2, 1105, 1120);
    cr_expect_eq(signals()->volatility.samples, 10, "9 before, 1 after");
    cr_expect_eq(signals()->volatility.variance, 0);
    harness_close(&h);
}

Test(volatility, rule_25_begins_anew_after_more_than_a_minute_without)
{
    for (int64_t more = 0; more < 2; more++) {
        prepare();
        harness_start(&h);
        book_at(SECONDS(0), 995, 1005);
        harness_run_to(&h, SECONDS(10) + 1);
        lose_for(SECONDS(60) + more);
        cr_expect_eq(signals()->volatility.samples, more ? 0 : 9);
        harness_close(&h);
    }
}

Test(volatility, rule_25_a_crossed_view_has_no_mid)
{
    prepare();
    harness_start(&h);
    book_at(SECONDS(0), 995, 1005);
    book_at(SECONDS(1) + 1, 1105, 1100);
    cr_expect_eq(signals()->mid2, 2000);
    harness_close(&h);
}

/* --- 25: warm-up ---------------------------------------------------------------------------------- */

static bool is_cold(void)
{
    return (harness_blocking(&h) >> GATE_WARM_UP & 1) != 0;
}

Test(volatility, rule_25_warm_up_needs_trades_messages_and_samples)
{
    prepare();
    settings()->warm_up_trades = 20;
    settings()->warm_up_book_messages = 100;
    settings()->warm_up_samples = 60;
    harness_start(&h);
    for (int i = 0; i < 99; i++)
        book(995, 1005);
    for (int i = 0; i < 19; i++)
        harness_trade(&h, 0, SIDE_BUY, 1005, 1);
    harness_run_to(&h, SECONDS(60));
    cr_expect(is_cold());
    harness_trade(&h, 0, SIDE_BUY, 1005, 1);
    harness_run_to(&h, SECONDS(100));
    cr_expect(is_cold());
    cr_expect_eq(h.engine->counters.cycles, 0, "cold: no cycle (B5)");
    cr_expect_eq(h.engine->counters.placed, 0);
    book(995, 1005); /* the hundredth; nothing of the view changed */
    cr_expect(!is_cold());
    cr_expect_eq(placed(), 2);
    harness_close(&h);
}

/* The first sample of a mid has no return: 60 of them are there at 61 s, without any message then. */
Test(volatility, rule_25_the_last_sample_wakes_the_engine)
{
    prepare();
    settings()->warm_up_samples = 60;
    harness_start(&h);
    book(995, 1005);
    harness_run_to(&h, SECONDS(61) - 1);
    cr_expect(is_cold());
    harness_run_to(&h, SECONDS(61));
    cr_expect(!is_cold());
    cr_expect_eq(h.engine->counters.placed, 2);
    harness_close(&h);
}

Test(volatility, rule_25_a_venue_without_trades_needs_none)
{
    prepare();
    settings()->warm_up_book_messages = 1;
    harness_start(&h);
    book(995, 1005);
    cr_expect(!is_cold());
    harness_close(&h);
}

Test(volatility, rule_25_the_time_limit_is_an_alarm_and_lets_nothing_through)
{
    prepare();
    settings()->warm_up_trades = 20;
    settings()->warm_up_time_limit = SECONDS(600);
    harness_start(&h);
    book(995, 1005);
    harness_run_to(&h, SECONDS(600) - 1);
    cr_expect(!alarm_is_raised(h.engine, 0, 0, ALARM_WARM_UP_LATE));
    harness_run_to(&h, SECONDS(600));
    cr_expect(alarm_is_raised(h.engine, 0, 0, ALARM_WARM_UP_LATE));
    book_at(SECONDS(601), 1000, 1010);
    cr_expect_eq(h.engine->counters.placed, 0);
    for (int i = 0; i < 20; i++)
        harness_trade(&h, 0, SIDE_BUY, 1005, 1);
    cr_expect(!alarm_is_raised(h.engine, 0, 0, ALARM_WARM_UP_LATE));
    cr_expect_eq(h.engine->counters.placed, 2);
    harness_close(&h);
}

/* After a restart the orders of before are looked after while the engine is cold. */
Test(volatility, rule_25_orders_of_before_are_cancelled_where_unwanted)
{
    prepare();
    settings()->warm_up_trades = 1;
    harness_start(&h);
    book(995, 1005);
    struct event_place place = {
        .order = 1, .price = {900, NUMBER_VALUE}, .quantity = {10, NUMBER_VALUE}};
    orders_take_place(h.engine, &place, 0);
    harness_accept(&h, 1);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
    cr_expect_eq(placed(), 0);
    harness_close(&h);
}

/* --- extremes ------------------------------------------------------------------------------------- */

Test(volatility, extremes_forget_what_is_older_than_the_window)
{
    struct extremes extremes = {.part = 0};
    int64_t low, high;
    uint32_t count;
    cr_expect(!extremes_get(&extremes, &low, &high, &count));
    extremes_advance(&extremes, 3200, 3200, 0);
    extremes_add(&extremes, 7);
    extremes_advance(&extremes, 3300, 3200, 0);
    extremes_add(&extremes, 9);
    extremes_advance(&extremes, 6499, 3200, 0);
    cr_expect(extremes_get(&extremes, &low, &high, &count));
    cr_expect(low == 7 && high == 9 && count == 2);
    extremes_advance(&extremes, 6500, 3200, 0);
    cr_expect(extremes_get(&extremes, &low, &high, &count));
    cr_expect(low == 9 && high == 9 && count == 1);
    extremes_advance(&extremes, 1000000, 3200, 0);
    cr_expect(!extremes_get(&extremes, &low, &high, &count));
    extremes_advance(&extremes, 2000000, 3200, 5);
    cr_expect(extremes_get(&extremes, &low, &high, &count) && low == 5 && high == 5);
}
