/* After a refused order or edit: which wait follows which reason, and that refusals stay few. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

/* One level a side, quoted; no cycle comes by itself but the one that the test is about. */
static void quoted(void)
{
    harness_init(&h);
    h.settings[0].quote_interval = h.settings[0].safety_stale_after = SECONDS(1000000);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    harness_accept(&h, 2);
}

static bool blocks(enum gate gate)
{
    return harness_blocking(&h) >> gate & 1;
}

/* The last order that was placed. */
static order_id newest(void)
{
    return h.engine->carry.counter;
}

/* From a refusal on nothing leaves before the wait is over, whatever the top does; then the side is tried at once. */
static void expect_wait(order_id refused, enum reject reason, int64_t wait)
{
    int64_t since = h.now;
    order_id before = newest();
    harness_reject(&h, refused, reason);
    cr_expect(blocks(GATE_REFUSED));
    cr_expect_not(blocks(GATE_POST_ONLY));
    cr_assert_eq(harness_count(&h, EVENT_place), 0);
    h.now = since + wait / 2;
    harness_book(&h, 0, EVENT_top, 995, 50, 1005, 50); /* one tick: what rests stays */
    harness_book(&h, 0, EVENT_top, 1000, 50, 1005, 50);
    harness_tick(&h, since + wait - 1);
    cr_expect_eq(newest(), before);
    cr_expect_eq(engine_deadline(h.engine), since + wait);
    harness_tick(&h, since + wait);
    cr_expect_eq(harness_count(&h, EVENT_place), 1);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.side, SIDE_BUY);
    cr_expect_not(blocks(GATE_REFUSED));
}

Test(refusals, a_refusal_that_has_nothing_to_do_with_the_top_waits_a_second)
{
    static const enum reject reasons[] = {
        REJECT_FUNDS,
        REJECT_MINIMUM_NOTIONAL,
        REJECT_TICK,
        REJECT_LOT,
        REJECT_PRICE,
        REJECT_QUANTITY,
        REJECT_NOT_FOUND,
        REJECT_HALTED,
        REJECT_DUPLICATE,
        REJECT_FILL_OR_KILL,
        REJECT_NO_BOOK,
        REJECT_UNSUPPORTED,
        REJECT_OTHER,
        REJECT_FULL,
        (enum reject)REJECT_FILLED,
    };
    for (unsigned i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        quoted();
        harness_accept(&h, 1);
        harness_cancelled(&h, 1, 10); /* by the venue: #3 is newest */
        expect_wait(newest(), reasons[i], SECONDS(1));
        harness_close(&h);
    }
}

/* A refusal of an order that rests, or one that is told again, is no news of it. */
Test(refusals, what_was_answered_already_is_not_refused)
{
    quoted();
    harness_accept(&h, 1);
    harness_reject(&h, 1, REJECT_OTHER);
    harness_reject(&h, 2, REJECT_POST_ONLY);
    cr_expect_eq(h.engine->instruments[0].refusals[SIDE_BUY].back_off, 0);
    cr_expect_not(h.engine->instruments[0].wait_top[SIDE_SELL]);
    cr_expect_eq(engine_deadline(h.engine), SECONDS(1000000));
    harness_close(&h);
}

/* Rule 27. */
Test(refusals, after_a_post_only_refusal_a_new_top_is_waited_for)
{
    quoted();
    harness_reject(&h, 1, REJECT_POST_ONLY);
    cr_expect(blocks(GATE_POST_ONLY));
    cr_expect_not(blocks(GATE_REFUSED));
    cr_expect_eq(engine_deadline(h.engine), SECONDS(1000000));
    h.now = SECONDS(100);
    harness_tick(&h, h.now);
    cr_expect_eq(newest(), 2);
    harness_book(&h, 0, EVENT_top, 995, 50, 1005, 50);
    cr_expect_eq(newest(), 3);
    harness_close(&h);
}

/* Rule 30: the venue's own back-off is for all its orders, and the side has none beside it. */
Test(refusals, after_a_refusal_for_its_rate_the_venue_waits)
{
    quoted();
    harness_reject(&h, 1, REJECT_RATE);
    cr_expect(blocks(GATE_RATE));
    cr_expect_not(blocks(GATE_REFUSED));
    cr_expect_not(blocks(GATE_POST_ONLY));
    h.engine->instruments[0].limits.interval = SECONDS(1);
    harness_cancelled(&h, 2, 10);
    harness_tick(&h, SECONDS(1)); /* at an unchanged top */
    cr_expect_eq(harness_count(&h, EVENT_place), 2);
    harness_close(&h);
}

/* At 0, 1, 3, 7, 15, 31 and 63 s, then every 64 s: of the first hour the last is 63 + 55 x 64 = 3,583, so 62. */
Test(refusals, a_side_that_is_always_refused_is_tried_62_times_in_an_hour)
{
    unsigned tries = 0;
    int64_t expected = 0;
    quoted();
    for (int64_t next = 0; next < SECONDS(3600); tries++) {
        cr_assert_eq(next, expected, "try %u", tries);
        expected += tries < 6 ? SECONDS(1 << tries) : SECONDS(64);
        harness_reject(&h, tries == 0 ? 1 : newest(), REJECT_FUNDS);
        next = engine_deadline(h.engine);
        harness_tick(&h, next);
        cr_assert_eq(harness_count(&h, EVENT_place), 1);
    }
    cr_expect_eq(tries, 62);
    harness_close(&h);
}

/* Calm is as long as the wait was: the third refusal comes 2 s after a wait of 2 s ended, and is a first again. */
Test(refusals, a_side_that_was_calm_begins_anew)
{
    quoted();
    expect_wait(1, REJECT_OTHER, SECONDS(1));
    expect_wait(newest(), REJECT_OTHER, SECONDS(2)); /* until 3 s */
    harness_accept(&h, newest());
    h.now = SECONDS(5) - 1;
    harness_cancelled(&h, newest(), 10);
    expect_wait(newest(), REJECT_OTHER, SECONDS(4)); /* until 9 s */
    harness_accept(&h, newest());
    h.now = SECONDS(13) - 1;
    harness_cancelled(&h, newest(), 10);
    harness_accept(&h, newest());
    h.now = SECONDS(13);
    harness_cancelled(&h, newest(), 10);
    expect_wait(newest(), REJECT_OTHER, SECONDS(1));
    harness_close(&h);
}

/* Of two levels the far one is always refused, the near one always taken: refusals get rarer all the same. */
Test(refusals, an_acceptance_beside_it_makes_nothing_more_frequent)
{
    unsigned refused = 0;
    harness_init(&h);
    h.settings[0].quote_levels = 2;
    h.settings[0].quote_interval = SECONDS(1000000);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    for (order_id id = 1; id <= 3; id++)
        harness_accept(&h, id == 3 ? 4 : id); /* 3 is the far bid */
    harness_reject(&h, 3, REJECT_FUNDS);
    for (refused = 1; engine_deadline(h.engine) < SECONDS(127); refused++) {
        harness_tick(&h, engine_deadline(h.engine));
        cr_assert_eq(harness_count(&h, EVENT_place), 1);
        harness_reject(&h, newest(), REJECT_FUNDS);
    }
    cr_expect_eq(refused, 7); /* at 0, 1, 3, 7, 15, 31, 63 s */
    harness_close(&h);
}

/* Two levels in one burst, refused one after the other: one wait, however late the second answer comes. */
Test(refusals, what_was_on_its_way_is_no_further_one)
{
    harness_init(&h);
    h.settings[0].quote_levels = 2;
    h.settings[0].quote_interval = SECONDS(1000000);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_assert_eq(harness_count(&h, EVENT_place), 4); /* buys #1 and #3 */
    h.now = MILLISECONDS(100);
    harness_reject(&h, 1, REJECT_FUNDS);
    h.now = MILLISECONDS(900);
    harness_reject(&h, 3, REJECT_FUNDS);
    cr_expect_eq(engine_deadline(h.engine), MILLISECONDS(1100));
    harness_tick(&h, MILLISECONDS(1100));
    cr_expect_eq(harness_count(&h, EVENT_place), 2);
    harness_close(&h);
}

/* --- a reason that concerns one level ---------------------------------------------------------------- */

/* Two levels a side, quoted and accepted but for the bids: #1 near, #3 far. */
static void quoted_twice(void)
{
    harness_init(&h);
    h.settings[0].quote_levels = 2;
    h.settings[0].quote_interval = SECONDS(1000000);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_assert_eq(harness_count(&h, EVENT_place), 4);
    harness_accept(&h, 2);
    harness_accept(&h, 4);
}

/* The near bid is cancelled by the venue, and whether it is sent again at once. */
static bool sends_near(order_id near)
{
    harness_cancelled(&h, near, 10);
    bool sent = harness_count(&h, EVENT_place) == 1;
    if (sent) {
        cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.level, 0);
        harness_accept(&h, newest());
    }
    return sent;
}

Test(refusals, a_refused_price_or_size_holds_its_level_alone)
{
    static const enum reject reasons[] = {REJECT_PRICE, REJECT_QUANTITY, REJECT_TICK, REJECT_LOT,
                                          REJECT_MINIMUM_NOTIONAL};
    for (unsigned i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        quoted_twice();
        harness_accept(&h, 1);
        harness_reject(&h, 3, reasons[i]);
        cr_expect(blocks(GATE_REFUSED));
        h.now = MILLISECONDS(500);
        cr_expect(sends_near(1), "%u", reasons[i]);
        cr_expect_eq(engine_deadline(h.engine), SECONDS(1));
        harness_tick(&h, SECONDS(1));
        cr_assert_eq(harness_count(&h, EVENT_place), 1);
        cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.level, 1);
        harness_reject(&h, newest(), reasons[i]);
        cr_expect_eq(engine_deadline(h.engine), SECONDS(3), "it doubles");
        harness_close(&h);
    }
}

Test(refusals, any_other_reason_holds_the_side)
{
    static const enum reject reasons[] = {REJECT_FUNDS, REJECT_HALTED, REJECT_OTHER, REJECT_FULL};
    for (unsigned i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        quoted_twice();
        harness_accept(&h, 1);
        harness_reject(&h, 3, reasons[i]);
        h.now = MILLISECONDS(500);
        cr_expect_not(sends_near(1), "%u", reasons[i]);
        harness_close(&h);
    }
}

/* A side that waits for another reason does not wait longer for it, nor the other way round. */
Test(refusals, the_waits_of_side_and_level_are_apart)
{
    quoted_twice();
    harness_accept(&h, 1);
    harness_reject(&h, 3, REJECT_PRICE); /* until 1 s */
    harness_tick(&h, SECONDS(1));
    harness_reject(&h, newest(), REJECT_PRICE); /* until 3 s */
    h.now = MILLISECONDS(1500);
    harness_cancelled(&h, 1, 10);
    harness_reject(&h, newest(), REJECT_FUNDS); /* the first of the side: until 2.5 s */
    cr_expect_eq(engine_deadline(h.engine), MILLISECONDS(2500));
    harness_tick(&h, MILLISECONDS(2500));
    cr_assert_eq(harness_count(&h, EVENT_place), 1);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.level, 0);
    cr_expect_eq(engine_deadline(h.engine), SECONDS(3));
    harness_close(&h);
}

/* Both levels are always refused: they have one wait, of 1, 2, 4 … s, and each is tried once in it. */
Test(refusals, levels_refused_together_get_rarer_together)
{
    quoted_twice();
    harness_reject(&h, 1, REJECT_PRICE);
    harness_reject(&h, 3, REJECT_PRICE);
    for (unsigned i = 0; i < 10; i++) {
        int64_t next = engine_deadline(h.engine);
        cr_expect_eq(next - h.now, SECONDS(i < 6 ? 1 << i : 64), "%u", i);
        harness_tick(&h, next);
        cr_assert_eq(harness_count(&h, EVENT_place), 2);
        order_id last = newest();
        harness_reject(&h, last - 1, REJECT_PRICE);
        harness_reject(&h, last, REJECT_PRICE);
    }
    harness_close(&h);
}

/* A level that was taken when its wait was over is not held by the refusal of another. */
Test(refusals, a_level_that_was_taken_again_is_free)
{
    quoted_twice();
    harness_reject(&h, 1, REJECT_PRICE);
    harness_reject(&h, 3, REJECT_PRICE);
    harness_tick(&h, SECONDS(1));
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    order_id near = newest() - 1, far = newest();
    harness_accept(&h, near);
    harness_reject(&h, far, REJECT_PRICE);
    h.now = MILLISECONDS(1500);
    cr_expect(sends_near(near));
    harness_close(&h);
}

/* The other side has nothing to do with it. */
Test(refusals, each_side_waits_by_itself)
{
    quoted();
    harness_reject(&h, 1, REJECT_FUNDS);
    h.now = MILLISECONDS(500);
    harness_cancelled(&h, 2, 10);
    cr_assert_eq(harness_count(&h, EVENT_place), 1); /* the sell again */
    harness_reject(&h, newest(), REJECT_FUNDS);
    cr_expect_eq(engine_deadline(h.engine), SECONDS(1));
    harness_tick(&h, SECONDS(1));
    cr_expect_eq(harness_count(&h, EVENT_place), 1);
    cr_expect_eq(engine_deadline(h.engine), MILLISECONDS(1500));
    harness_close(&h);
}
