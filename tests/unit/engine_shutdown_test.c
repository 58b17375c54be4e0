/* The ordered shutdown: its steps, their times, and what cuts it short. */
#include <criterion/criterion.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

static void start_with_book(void)
{
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
}

/* #1 and #2 rest. */
static void quoted(void)
{
    start_with_book();
    harness_accept(&h, 1);
    harness_accept(&h, 2);
}

static void shut_down(void)
{
    union event_record record = {.shutdown = {.signal = 15}};
    harness_record(&h, EVENT_shutdown, EVENT_NONE_16, &record);
}

static void step_done(enum shutdown_step step, bool failed)
{
    union event_record record = {.step_done = {.step = (uint8_t)step, .failed = failed}};
    harness_record(&h, EVENT_step_done, EVENT_NONE_16, &record);
}

/* The n-th step that the last message told; SHUTDOWN_RUNNING where it told fewer. */
static enum shutdown_step told(size_t n)
{
    const union event_record *record = harness_find(&h, EVENT_shutdown_state, n);
    return record == NULL ? SHUTDOWN_RUNNING : (enum shutdown_step)record->shutdown_state.step;
}

static void outside_steps(void)
{
    step_done(SHUTDOWN_FLUSHING, false);
    cr_expect_eq(told(0), SHUTDOWN_CLOSING);
    step_done(SHUTDOWN_CLOSING, false);
    cr_expect_eq(told(0), SHUTDOWN_DISCONNECTING);
    cr_expect_not(engine_is_done(h.engine));
    step_done(SHUTDOWN_DISCONNECTING, false);
}

Test(shutdown, steps_follow_each_other)
{
    quoted();
    shut_down();
    cr_expect_eq(told(0), SHUTDOWN_STOPPING);
    cr_expect_eq(told(1), SHUTDOWN_CANCELLING);
    cr_expect_eq(told(2), SHUTDOWN_WAITING);
    cr_expect_eq(harness_find(&h, EVENT_shutdown_state, 1)->shutdown_state.open_orders, 2);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 0)->cancel.why, CANCEL_SHUTDOWN);
    harness_cancelled(&h, 1, 10);
    cr_expect_eq(told(0), SHUTDOWN_RUNNING);
    harness_cancelled(&h, 2, 10);
    cr_expect_eq(told(0), SHUTDOWN_FLUSHING);
    outside_steps();
    cr_expect(engine_is_done(h.engine));
    cr_expect_eq(told(0), SHUTDOWN_COMPLETE);
    cr_expect_eq(engine_deadline(h.engine), TIME_NEVER);
    harness_close(&h);
}

Test(shutdown, with_nothing_open_nothing_is_waited_for)
{
    harness_init(&h);
    harness_start(&h);
    shut_down();
    cr_expect_eq(told(2), SHUTDOWN_WAITING);
    cr_expect_eq(told(3), SHUTDOWN_FLUSHING);
    outside_steps();
    cr_expect_eq(told(0), SHUTDOWN_COMPLETE);
    cr_expect_eq(h.now, 0);
    harness_close(&h);
}

Test(shutdown, takes_an_order_that_was_just_sent)
{
    start_with_book();
    shut_down();
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    harness_accept(&h, 1);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
    harness_reject(&h, 2, REJECT_OTHER);
    harness_cancelled(&h, 1, 10);
    cr_expect_eq(told(0), SHUTDOWN_FLUSHING);
    harness_close(&h);
}

/* An order of unknown state may rest: it is asked to go, once. */
Test(shutdown, asks_an_unknown_order_to_go)
{
    quoted();
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_MODIFY}};
    harness_record(&h, EVENT_order_unknown, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    shut_down();
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_UNKNOWN);
    harness_tick(&h, SECONDS(1));
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    harness_cancelled(&h, 1, 10);
    harness_cancelled(&h, 2, 10);
    cr_expect_eq(told(0), SHUTDOWN_FLUSHING);
    harness_close(&h);
}

/* Waiting ends 10 s after it began; the steps outside still run, and the end is by force. */
Test(shutdown, waits_its_time_and_names_what_is_not_confirmed)
{
    quoted();
    shut_down();
    harness_cancelled(&h, 1, 10);
    harness_run_to(&h, SECONDS(10) - 1);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    harness_tick(&h, SECONDS(10));
    cr_assert_eq(harness_count(&h, EVENT_step_failed), 1);
    cr_expect_eq(harness_find(&h, EVENT_step_failed, 0)->step_failed.step, SHUTDOWN_WAITING);
    cr_expect_eq(told(0), SHUTDOWN_FLUSHING);
    cr_expect_eq(harness_count(&h, EVENT_unconfirmed), 0);
    outside_steps();
    cr_expect_eq(told(0), SHUTDOWN_FORCED);
    cr_expect_eq(harness_find(&h, EVENT_shutdown_state, 0)->shutdown_state.unconfirmed, 1);
    cr_assert_eq(harness_count(&h, EVENT_unconfirmed), 1);
    cr_expect_eq(harness_find(&h, EVENT_unconfirmed, 0)->unconfirmed.order, 2);
    cr_expect_eq(harness_find(&h, EVENT_unconfirmed, 0)->unconfirmed.leaves.units, 10);
    harness_close(&h);
}

Test(shutdown, a_step_that_fails_is_told_and_the_next_still_runs)
{
    harness_init(&h);
    harness_start(&h);
    shut_down();
    step_done(SHUTDOWN_CLOSING, true); /* not the one that runs */
    cr_expect_eq(h.count, 0);
    step_done(SHUTDOWN_FLUSHING, true);
    cr_expect_eq(harness_find(&h, EVENT_step_failed, 0)->step_failed.step, SHUTDOWN_FLUSHING);
    cr_expect_eq(harness_find(&h, EVENT_step_failed, 0)->step_failed.in_time, 1);
    cr_expect_eq(told(0), SHUTDOWN_CLOSING);
    harness_run_to(&h, SECONDS(5) - 1);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_CLOSING);
    harness_tick(&h, SECONDS(5));
    cr_expect_eq(harness_find(&h, EVENT_step_failed, 0)->step_failed.step, SHUTDOWN_CLOSING);
    cr_expect_eq(harness_find(&h, EVENT_step_failed, 0)->step_failed.in_time, 0);
    cr_expect_eq(told(0), SHUTDOWN_DISCONNECTING);
    harness_run_to(&h, SECONDS(10));
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_COMPLETE);
    harness_close(&h);
}

/* 10 s of waiting and three steps of 5 s are 25 s; with steps of 10 s force comes first, at 30 s. */
Test(shutdown, is_forced_when_its_whole_time_is_over)
{
    harness_init(&h);
    h.global.shutdown_step_timeout = SECONDS(10);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    shut_down();
    harness_run_to(&h, SECONDS(30) - 1);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_CLOSING);
    harness_tick(&h, SECONDS(30));
    cr_expect_eq(told(0), SHUTDOWN_FORCED);
    cr_expect_eq(harness_count(&h, EVENT_unconfirmed), 2);
    cr_expect(engine_is_done(h.engine));
    harness_close(&h);
}

Test(shutdown, a_second_signal_ends_it_at_once)
{
    quoted();
    shut_down();
    shut_down();
    cr_expect_eq(told(0), SHUTDOWN_FORCED);
    cr_expect_eq(harness_count(&h, EVENT_unconfirmed), 2);
    cr_expect(engine_is_done(h.engine));
    shut_down(); /* nothing is left to end */
    cr_expect_eq(h.count, 0);
    harness_close(&h);
}

/* Two messages a second, one of them for cancels: the second cancel waits for its second. */
Test(shutdown, cancels_that_the_rate_holds_back_leave_later)
{
    harness_init(&h);
    h.venues[0].rate_orders = 3;
    h.venues[0].rate_cancel_reserve = 333333334; /* one */
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    shut_down();
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
    cr_expect_eq(told(2), SHUTDOWN_RUNNING); /* still cancelling */
    harness_run_to(&h, MILLISECONDS(900));
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_CANCELLING);
    harness_run_to(&h, MILLISECONDS(1200));
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_PENDING_CANCEL);
    cr_expect_eq(harness_order(&h, 2)->state, ORDER_PENDING_CANCEL);
    harness_close(&h);
}

/* The end tells what was sent; a run that ends in the middle names what is open. */
Test(shutdown, the_final_state_is_told)
{
    quoted();
    shut_down();
    struct actions actions = engine_finish(h.engine);
    size_t unconfirmed = 0, counters = 0, positions = 0;
    for (size_t i = 0; i < actions.count; i++) {
        unconfirmed += actions.messages[i].kind == EVENT_unconfirmed;
        positions += actions.messages[i].kind == EVENT_final_position;
        if (actions.messages[i].kind != EVENT_final_counters)
            continue;
        counters++;
        cr_expect_eq(actions.messages[i].record->final_counters.placed, 2);
        cr_expect_eq(actions.messages[i].record->final_counters.cancels, 2);
        cr_expect_eq(actions.messages[i].record->final_counters.fills, 0);
    }
    cr_expect_eq(unconfirmed, 2);
    cr_expect_eq(counters, 1);
    cr_expect_eq(positions, 1);
    harness_close(&h);
}
