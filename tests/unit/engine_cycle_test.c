/* The cycle: what is quoted, kept, moved and pulled, and in which order it leaves. */
#include <criterion/criterion.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

/* The example of STYLE.md: book 100.0*0.050 / 100.5*0.040, tick 0.5, half spread two ticks. */
static void start_with_book(void)
{
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
}

Test(cycle, quotes_the_style_example_and_pulls_it_when_stale)
{
    harness_init(&h);
    h.settings[0].safety_stale_after = SECONDS(2);
    start_with_book();
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    const struct event_place *buy = &harness_find(&h, EVENT_place, 0)->place;
    const struct event_place *sell = &harness_find(&h, EVENT_place, 1)->place;
    cr_expect_eq(buy->order, 1);
    cr_expect_eq(buy->side, SIDE_BUY);
    cr_expect_eq(buy->price.units, 990);
    cr_expect_eq(buy->quantity.units, 10);
    cr_expect_eq(sell->order, 2);
    cr_expect_eq(sell->side, SIDE_SELL);
    cr_expect_eq(sell->price.units, 1015);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_run_to(&h, SECONDS(2) - 1);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    cr_expect_eq(engine_deadline(h.engine), SECONDS(2));
    harness_tick(&h, SECONDS(2));
    cr_expect_eq(harness_find(&h, EVENT_breaker, 0)->breaker.breaker, BREAKER_STALE);
    cr_assert_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 0)->cancel.order, 1);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 1)->cancel.order, 2);
    h.now = SECONDS(2) + MILLISECONDS(10);
    harness_fill(&h, 2, SIDE_SELL, 1015, 4, 6);
    cr_expect_eq(harness_order(&h, 2)->state, ORDER_PENDING_CANCEL);
    h.now = SECONDS(2) + MILLISECONDS(40);
    harness_cancelled(&h, 1, 10);
    harness_cancelled(&h, 2, 6);
    struct engine_position position;
    engine_position(h.engine, 0, &position);
    cr_expect_eq(position.position.atto, -(int128)4 * 1000000000000000);
    cr_expect_eq(h.engine->orders.live, 0);
    harness_close(&h);
}
