/* What breakers look at, where it is told late, twice, or while nothing can be measured. The breakers' own figures
 * stand in engine_breakers_test.c. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine/walker.h"
#include "engine_harness.h"

static struct harness h;

static struct settings_instrument *settings(void)
{
    return &h.settings[0];
}

/* Cycles an hour apart, so that what happens between messages happens by a breaker's own deadline. */
static void prepare(void)
{
    harness_init(&h);
    for (unsigned i = 0; i < HARNESS_INSTRUMENTS; i++) {
        h.settings[i].quote_interval = SECONDS(3600);
        h.settings[i].risk_position_limit = LOTS(100000);
    }
}

static void book(unsigned instrument, int64_t bid, int64_t ask)
{
    harness_book(&h, instrument, EVENT_snapshot, bid, 50, ask, 50);
}

static struct signals *signals(void)
{
    return &h.engine->instruments[0].signals;
}

static enum breaker_state state(enum breaker breaker)
{
    return (enum breaker_state)h.engine->instruments[0].breakers.state[breaker];
}

/* --- rejects ------------------------------------------------------------------------------------------- */

static void place(order_id id)
{
    struct event_place order = {
        .order = id, .price = {900, NUMBER_VALUE}, .quantity = {1, NUMBER_VALUE}};
    orders_take_place(h.engine, &order, h.now);
}

static void counting_rejects(void)
{
    prepare();
    settings()->quote_size = LOTS(0); /* the test makes its own orders */
    settings()->breaker_rejects = 64;
    settings()->breaker_rejects_of = 64;
    settings()->breaker_rejects_window = SECONDS(60);
    settings()->breaker_rejects_pause = SECONDS(60);
    harness_start(&h);
    book(0, 995, 1005);
}

/* The first answer of an order counts: one that is told again when it rests is no second order. */
Test(signals, an_order_is_counted_by_its_first_answer)
{
    counting_rejects();
    place(1);
    harness_accept(&h, 1);
    cr_expect_eq(signals()->answers.all_count, 1);
    harness_accept(&h, 1);
    cr_expect_eq(signals()->answers.all_count, 1);
    /* It had no answer, then the account shows it: no word of whether it was taken or refused. */
    place(2);
    union event_record record = {.order_unknown = {.order = 2, .request = REQUEST_PLACE}};
    harness_record(&h, EVENT_order_unknown, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    record.order_status = (struct event_order_status){
        .order = 2, .price = {900, NUMBER_VALUE}, .leaves = {1, NUMBER_VALUE}};
    harness_record(&h, EVENT_order_status, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    cr_assert_eq(harness_order(&h, 2)->state, ORDER_PENDING_CANCEL); /* it rested, unwanted */
    harness_accept(&h, 2);
    cr_expect_eq(signals()->answers.all_count, 1);
    harness_close(&h);
}

static unsigned lines_with(const char *text, const char *name)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, name)) != NULL; at += strlen(name))
        count++;
    return count;
}

/* The ring keeps as many as any setting can ask for; what it has forgotten is no part of the state. */
Test(signals, as_many_answers_are_walked_over_as_are_kept)
{
    static char text[100000];
    struct walker_text walked;
    counting_rejects();
    h.engine->instruments[0].limits.signal.rejects_window = 0; /* never so many at once */
    for (order_id id = 1; id <= PLACE_ANSWERS_MAX + 6; id++) {
        place(id);
        harness_reject(&h, id, REJECT_FUNDS);
        if (id % 2 == 0 || id > PLACE_ANSWERS_MAX)
            continue;
        memset(text, 0, sizeof text);
        walker_text_init(&walked, text, sizeof text - 1);
        signals_walk(&walked.walker, h.engine, 0);
        cr_expect_eq(lines_with(text, "answers.all "), id);
        cr_expect_eq(lines_with(text, "answers.bad "), id);
    }
    memset(text, 0, sizeof text);
    walker_text_init(&walked, text, sizeof text - 1);
    signals_walk(&walked.walker, h.engine, 0);
    cr_expect_eq(lines_with(text, "answers.all "), PLACE_ANSWERS_MAX);
    cr_expect_eq(lines_with(text, "answers.bad "), PLACE_ANSWERS_MAX);
    harness_close(&h);
}

/* --- edge ---------------------------------------------------------------------------------------------- */

/* Bid #1 of 10,000, whose fills are measured after 5 s; two make a mean. */
static void measuring(void)
{
    prepare();
    settings()->quote_size = LOTS(10000);
    settings()->breaker_edge = 2000000000;
    settings()->breaker_edge_fills = 2;
    settings()->breaker_edge_horizon = SECONDS(5);
    settings()->breaker_edge_factor = 2000000000;
    h.definitions[0].maker_fee = 1000;
    h.definitions[0].taker_fee = 5000;
    harness_start(&h);
    book(0, 995, 1005);
    harness_accept(&h, 1);
}

static void two_losing_fills(void)
{
    for (int i = 0; i < 2; i++)
        harness_fill(&h, 1, SIDE_BUY, 1005, 1, 9999);
}

/* What fills while it pauses is as bad as what made it pause, and no news. */
Test(signals, bad_fills_during_a_pause_change_nothing)
{
    measuring();
    two_losing_fills();
    harness_run_to(&h, SECONDS(5));
    cr_assert_eq(state(BREAKER_EDGE), BREAKER_WIDEN);
    two_losing_fills();
    harness_run_to(&h, SECONDS(10));
    cr_assert_eq(state(BREAKER_EDGE), BREAKER_PAUSE);
    two_losing_fills();
    harness_tick(&h, SECONDS(15));
    cr_expect_eq(state(BREAKER_EDGE), BREAKER_PAUSE);
    cr_expect_eq(harness_count(&h, EVENT_breaker), 0);
    cr_expect_not(signals()->bad);
    cr_expect_eq(signals()->markouts.count, 2); /* measured all the same */
    harness_close(&h);
}

static const struct pending_markout *last_pending(void)
{
    const struct markouts *markouts = &signals()->markouts;
    return &markouts->pending[(markouts->first + markouts->waiting - 1) % MARKOUTS_PENDING];
}

static void fill_at(int64_t ts_venue, unsigned flags, enum liquidity liquidity)
{
    union event_record record = {.order_filled = {.order = 1,
                                                  .side = SIDE_BUY,
                                                  .price = {1000, NUMBER_VALUE},
                                                  .quantity = {1, NUMBER_VALUE},
                                                  .leaves = {9999, NUMBER_VALUE},
                                                  .liquidity = (uint8_t)liquidity,
                                                  .fee_asset = ASSET_QUOTE}};
    struct message message = {.ts_local = h.now,
                              .ts_venue = ts_venue,
                              .flags = (uint8_t)flags,
                              .kind = EVENT_order_filled,
                              .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                              .record = &record};
    harness_give(&h, &message);
}

/* Rule 33 counts from the venue's time of a fill, unless that is ahead of ours or a whole horizon old. */
Test(signals, a_fill_is_measured_from_its_time_at_the_venue)
{
    static const struct {
        int64_t ts_venue;
        unsigned flags;
        int64_t due;
    } fills[] = {
        {SECONDS(5) + 1, MESSAGE_VENUE_TIME, SECONDS(10) + 1}, /* told nearly 5 s later */
        {SECONDS(8), MESSAGE_VENUE_TIME, SECONDS(13)},
        {SECONDS(9), 0, SECONDS(15)}, /* no time at all */
        {SECONDS(5), MESSAGE_VENUE_TIME, SECONDS(15)},
        {SECONDS(10), MESSAGE_VENUE_TIME, SECONDS(15)},
        {SECONDS(11), MESSAGE_VENUE_TIME, SECONDS(15)},
    };
    measuring();
    h.now = SECONDS(10);
    for (size_t i = 0; i < sizeof fills / sizeof fills[0]; i++) {
        fill_at(fills[i].ts_venue, fills[i].flags, LIQUIDITY_MAKER);
        cr_expect_eq(last_pending()->due, fills[i].due, "%zu: %lld", i,
                     (long long)last_pending()->due);
    }
    harness_close(&h);
}

Test(signals, a_fill_is_measured_after_the_fee_that_it_paid)
{
    measuring();
    fill_at(0, 0, LIQUIDITY_MAKER);
    cr_expect_eq(last_pending()->fee, 1000);
    fill_at(0, 0, LIQUIDITY_TAKER);
    cr_expect_eq(last_pending()->fee, 5000);
    harness_close(&h);
}

/* --- volatility ------------------------------------------------------------------------------------------ */

/* A calm of a minute is one with a mid: a gap in the middle of it begins it anew. */
Test(signals, a_calm_reaches_over_no_gap)
{
    prepare();
    settings()->breaker_move = 10000000;
    settings()->breaker_move_window = SECONDS(5);
    settings()->breaker_volatility_calm = SECONDS(60);
    settings()->breaker_volatility_factor = 2000000000;
    settings()->volatility_restart_after = SECONDS(60);
    harness_start(&h);
    book(0, 1000, 1005);
    h.now = SECONDS(1);
    book(0, 1015, 1020);
    cr_assert_eq(state(BREAKER_VOLATILITY), BREAKER_CANCEL_ALL);
    harness_run_to(&h, SECONDS(40));
    cr_expect_lt(signals()->calm_since, SECONDS(10));
    union event_record record = {.gap = {.instrument = 0}};
    harness_record(&h, EVENT_gap, EVENT_NONE_16, &record);
    cr_expect_eq(signals()->calm_since, TIME_NEVER);
    h.now = SECONDS(50);
    book(0, 1015, 1020);
    harness_run_to(&h, SECONDS(110) - 1);
    cr_expect_eq(state(BREAKER_VOLATILITY), BREAKER_CANCEL_ALL);
    harness_run_to(&h, SECONDS(110));
    cr_expect_eq(state(BREAKER_VOLATILITY), BREAKER_CLEAR);
    harness_close(&h);
}

/* Where volatility can't be judged nothing is calm: only a reset ends what a move tripped. */
Test(signals, there_is_no_calm_while_the_mean_is_not_known)
{
    prepare();
    settings()->breaker_move = 10000000;
    settings()->breaker_move_window = SECONDS(5);
    settings()->breaker_volatility = 3000000000;
    settings()->breaker_volatility_clear = 2000000000;
    settings()->breaker_volatility_calm = SECONDS(60);
    settings()->breaker_volatility_window = SECONDS(1800);
    settings()->breaker_volatility_samples = 1000;
    settings()->breaker_volatility_factor = 2000000000;
    settings()->volatility_half_life = SECONDS(60);
    settings()->volatility_restart_after = SECONDS(60);
    harness_start(&h);
    book(0, 1000, 1005);
    h.now = SECONDS(1);
    book(0, 1015, 1020);
    cr_assert_eq(state(BREAKER_VOLATILITY), BREAKER_CANCEL_ALL);
    harness_run_to(&h, SECONDS(300));
    cr_expect_eq(signals()->calm_since, TIME_NEVER);
    cr_expect_eq(state(BREAKER_VOLATILITY), BREAKER_CANCEL_ALL);
    harness_command(&h, COMMAND_RESET);
    cr_expect_eq(state(BREAKER_VOLATILITY), BREAKER_CLEAR);
    harness_close(&h);
}

/* --- reference ------------------------------------------------------------------------------------------- */

static void mark(unsigned instrument, int64_t price)
{
    union event_record record = {.mark = {.price = {price, NUMBER_VALUE}}};
    harness_record(&h, EVENT_mark, EVENT_STREAM(instrument, CHANNEL_REFERENCE), &record);
}

/* A mark far from the mid wakes an instrument that is quoted, and none that is not. */
Test(signals, what_is_not_quoted_is_compared_with_nothing)
{
    prepare();
    h.instrument_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        h.settings[i].breaker_reference = 10000000;
        h.settings[i].breaker_reference_time = SECONDS(1);
        h.settings[i].breaker_reference_clear = 5000000;
    }
    h.settings[1].quote_enabled = false;
    harness_start(&h);
    book(0, 1000, 1005);
    book(1, 1000, 1005);
    h.now = SECONDS(1);
    mark(0, 2000);
    mark(1, 2000);
    cr_expect_eq(h.engine->instruments[0].last_cycle, SECONDS(1));
    cr_expect_eq(h.engine->instruments[1].last_cycle, 0);
    harness_run_to(&h, SECONDS(2));
    cr_expect_eq(state(BREAKER_REFERENCE), BREAKER_CANCEL_ALL);
    cr_expect_eq(h.engine->instruments[1].breakers.state[BREAKER_REFERENCE], BREAKER_CLEAR);
    harness_close(&h);
}

/* A book that is crossed has no mid to compare. */
Test(signals, a_crossed_book_is_compared_with_nothing)
{
    prepare();
    settings()->breaker_reference = 10000000;
    settings()->breaker_reference_time = SECONDS(1);
    settings()->breaker_reference_clear = 5000000;
    settings()->quote_interval = SECONDS(1);
    harness_start(&h);
    book(0, 1000, 1005);
    h.now = SECONDS(1);
    harness_book(&h, 0, EVENT_top, 1010, 50, 1005, 50);
    mark(0, 2000);
    cr_expect_eq(signals()->distance, REFERENCE_UNKNOWN);
    harness_run_to(&h, SECONDS(3));
    cr_expect_eq(state(BREAKER_REFERENCE), BREAKER_CLEAR);
    harness_book(&h, 0, EVENT_top, 1000, 50, 1005, 50);
    cr_expect_eq(signals()->distance, REFERENCE_OFF);
    harness_run_to(&h, SECONDS(4));
    cr_expect_eq(state(BREAKER_REFERENCE), BREAKER_CANCEL_ALL);
    harness_close(&h);
}
