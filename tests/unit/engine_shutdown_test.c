/* The ordered shutdown: its steps, their times, and what cuts it short. */
#include <criterion/criterion.h>
#include <string.h>

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

/* --- what only the venue knows --------------------------------------------------------------------- */

static void shows(order_id order, const char *name, int64_t price)
{
    union event_record record = {.open_order = {.order = order,
                                                .side = SIDE_BUY,
                                                .price = {price, NUMBER_VALUE},
                                                .leaves = {30, NUMBER_VALUE}}};
    record.open_order.venue_order.length = (uint8_t)strlen(name);
    memcpy(record.open_order.venue_order.bytes, name, strlen(name));
    harness_record(&h, EVENT_open_order, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

static void account_ends(int64_t taken)
{
    union event_record record = {.snapshot_end = {.taken = taken}};
    harness_record(&h, EVENT_snapshot_end, EVENT_NONE_16, &record);
}

static void cancel_refused(order_id order, enum reject reason)
{
    union event_record record = {.cancel_rejected = {.order = order, .reason = (uint8_t)reason}};
    harness_record(&h, EVENT_cancel_rejected, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

/* Nothing is quoted; accounts are asked for each `interval` (0: never). */
static void quiet(int64_t interval)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    h.venues[0].safety_sync_interval = interval;
    harness_start(&h);
}

Test(shutdown, an_orphan_is_cancelled_at_once_and_waited_for)
{
    quiet(0);
    harness_run_to(&h, SECONDS(1));
    shows(900, "x", 980);
    account_ends(h.now);
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 0); /* in its grace */
    shut_down();
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 1);
    cr_expect_eq(told(2), SHUTDOWN_WAITING);
    cr_expect_eq(harness_find(&h, EVENT_shutdown_state, 2)->shutdown_state.open_orders, 1);
    cr_expect_eq(told(3), SHUTDOWN_RUNNING);
    /* no answer: five seconds later once more */
    harness_run_to(&h, SECONDS(6) - 1);
    cr_expect_eq(h.engine->counters.cancelled, 1);
    harness_tick(&h, SECONDS(6));
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 1);
    harness_cancelled(&h, 900, 30);
    cr_expect_eq(told(0), SHUTDOWN_FLUSHING);
    outside_steps();
    cr_expect_eq(told(0), SHUTDOWN_COMPLETE);
    harness_close(&h);
}

/* "Filled" ends nothing: its fill is to come, so it is waited for and asked to go no more. */
Test(shutdown, an_orphan_that_was_filled_is_waited_for)
{
    quiet(0);
    shows(900, "x", 980);
    account_ends(h.now);
    shut_down();
    cancel_refused(900, REJECT_FILLED);
    harness_run_to(&h, SECONDS(9));
    cr_expect_eq(h.engine->counters.cancelled, 1);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    harness_fill(&h, 900, SIDE_BUY, 980, 30, 0);
    cr_expect_eq(told(0), SHUTDOWN_FLUSHING);
    harness_close(&h);
}

/* The same where its cancel was refused before the shutdown began: it is asked to go no more at all. */
Test(shutdown, an_orphan_whose_fill_is_to_come_is_not_asked_to_go)
{
    quiet(0);
    shows(900, "x", 980);
    account_ends(h.now);
    cancel_refused(900, REJECT_FILLED);
    shut_down();
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 0);
    cr_expect_eq(told(2), SHUTDOWN_WAITING); /* all that can be asked was */
    harness_run_to(&h, SECONDS(9));
    cr_expect_eq(h.engine->counters.cancelled, 0);
    harness_fill(&h, 900, SIDE_BUY, 980, 30, 0);
    cr_expect_eq(told(0), SHUTDOWN_FLUSHING);
    harness_close(&h);
}

/* Its row had no number, so nobody knows how much of it rests: none is named. */
Test(shutdown, an_orphan_that_never_told_a_number_is_named_without_one)
{
    quiet(0);
    union event_record row = {
        .open_order = {.order = 900, .side = SIDE_BUY, .leaves = {0, NUMBER_NAN}}};
    harness_record(&h, EVENT_open_order, EVENT_STREAM(0, CHANNEL_SESSION), &row);
    account_ends(h.now);
    shut_down();
    harness_run_to(&h, SECONDS(10));
    outside_steps();
    cr_expect_eq(told(0), SHUTDOWN_FORCED);
    cr_assert_eq(harness_count(&h, EVENT_unconfirmed), 1);
    const struct event_unconfirmed *named = &harness_find(&h, EVENT_unconfirmed, 0)->unconfirmed;
    cr_expect_eq(named->order, 900);
    cr_expect_eq(named->price.status, NUMBER_ABSENT);
    cr_expect_eq(named->leaves.status, NUMBER_ABSENT);
    harness_close(&h);
}

/* After its last word the engine may still be told things; it asks nothing any more. */
Test(shutdown, after_its_last_word_nothing_is_asked)
{
    quoted();
    harness_run_to(&h, SECONDS(1));
    shut_down();
    shut_down(); /* forced, while #1 and #2 may rest */
    cr_assert(engine_is_done(h.engine));
    cr_assert_eq(harness_count(&h, EVENT_unconfirmed), 2);
    harness_order(&h, 1)->state = ORDER_ACTIVE; /* as if its cancel had been refused */
    h.engine->instruments[0].sides[harness_order(&h, 1)->side].going--;
    h.now = SECONDS(3);
    account_ends(SECONDS(2)); /* and the account shows nothing of it */
    cr_expect_eq(h.count, 0);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_ACTIVE);
    cr_expect_eq(engine_deadline(h.engine), TIME_NEVER);
    harness_close(&h);
}

Test(shutdown, orphans_that_the_rate_holds_back_are_still_to_be_asked)
{
    quiet(0);
    h.engine->venues[0].rate.cap = 1;
    h.engine->venues[0].rate.reserve = 0;
    shows(900, "x", 980);
    shows(901, "y", 981);
    account_ends(h.now);
    shut_down();
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 1);
    cr_expect_eq(told(2), SHUTDOWN_RUNNING); /* still cancelling */
    harness_run_to(&h, SECONDS(1) + MILLISECONDS(500));
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_CANCELLING);
    harness_run_to(&h, SECONDS(2) + MILLISECONDS(500));
    cr_expect_eq(h.engine->counters.cancelled, 2);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    harness_close(&h);
}

Test(shutdown, the_account_is_asked_once_more_before_it_is_complete)
{
    quiet(SECONDS(60));
    harness_run_to(&h, SECONDS(10));
    shut_down();
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    cr_expect_eq(told(2), SHUTDOWN_WAITING);
    cr_expect_eq(told(3), SHUTDOWN_RUNNING);
    harness_run_to(&h, SECONDS(11));
    account_ends(SECONDS(10) - 1); /* asked for before the signal: it may not have all */
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    shows(900, "x", 980);
    account_ends(SECONDS(10));
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 1);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    cancel_refused(900, REJECT_NOT_FOUND);
    cr_expect_eq(told(0), SHUTDOWN_FLUSHING);
    outside_steps();
    cr_expect_eq(told(0), SHUTDOWN_COMPLETE);
    harness_close(&h);
}

Test(shutdown, without_an_account_it_is_not_complete)
{
    quiet(SECONDS(60));
    shut_down();
    uint64_t before = h.engine->counters.decisions;
    harness_run_to(&h, SECONDS(5) - 1);
    cr_expect_eq(h.engine->counters.decisions, before);
    harness_tick(&h, SECONDS(5));
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    harness_run_to(&h, SECONDS(10) - 1);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    harness_tick(&h, SECONDS(10));
    cr_expect_eq(harness_find(&h, EVENT_step_failed, 0)->step_failed.step, SHUTDOWN_WAITING);
    outside_steps();
    cr_expect_eq(told(0), SHUTDOWN_FORCED);
    cr_expect_eq(harness_find(&h, EVENT_shutdown_state, 0)->shutdown_state.unconfirmed, 0);
    cr_assert_eq(harness_count(&h, EVENT_alarm), 1);
    cr_expect_eq(harness_find(&h, EVENT_alarm, 0)->alarm.reason, ALARM_SNAPSHOT_OLD);
    harness_close(&h);
}

/* One that comes while the queues are flushed is early enough. */
Test(shutdown, an_account_that_comes_late_still_counts)
{
    quiet(SECONDS(60));
    shut_down();
    harness_run_to(&h, SECONDS(10));
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_FLUSHING);
    account_ends(SECONDS(5));
    outside_steps();
    cr_expect_eq(told(0), SHUTDOWN_COMPLETE);
    harness_close(&h);
}

/* There is room for four. A fifth is found when room was made, one second later. */
Test(shutdown, an_account_with_more_orders_than_there_is_room_for_is_asked_again)
{
    quiet(SECONDS(60));
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    shut_down();
    for (unsigned i = 0; i < 5; i++)
        shows(900 + i, names[i], 980);
    account_ends(0);
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 4);
    for (unsigned i = 0; i < 4; i++)
        harness_cancelled(&h, 900 + i, 30);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    harness_run_to(&h, SECONDS(1));
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    shows(904, "e", 980);
    account_ends(h.now);
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 1);
    harness_cancelled(&h, 904, 30);
    cr_expect_eq(told(0), SHUTDOWN_FLUSHING);
    harness_close(&h);
}

/* No answer names a foreign order: only the account shows that it is gone. */
Test(shutdown, a_foreign_order_is_gone_when_the_account_shows_it_no_more)
{
    quiet(0);
    shows(0, "theirs", 980);
    account_ends(h.now);
    harness_run_to(&h, MILLISECONDS(500));
    shut_down();
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 1);
    harness_run_to(&h, MILLISECONDS(1500));
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    account_ends(h.now);
    cr_expect_eq(told(0), SHUTDOWN_FLUSHING);
    harness_close(&h);
}

Test(shutdown, a_foreign_order_that_stays_is_named_as_the_venue_does)
{
    quiet(0);
    shows(0, "theirs", 980);
    account_ends(h.now);
    shut_down();
    harness_run_to(&h, SECONDS(10));
    outside_steps();
    cr_expect_eq(told(0), SHUTDOWN_FORCED);
    cr_assert_eq(harness_count(&h, EVENT_unconfirmed), 1);
    const struct event_unconfirmed *named = &harness_find(&h, EVENT_unconfirmed, 0)->unconfirmed;
    cr_expect_eq(named->order, 0);
    cr_expect_eq(named->venue_order.length, 6);
    cr_expect_eq(named->price.units, 980);
    cr_expect_eq(named->leaves.units, 30);
    harness_close(&h);
}

Test(shutdown, in_a_shared_account_a_foreign_order_is_not_ours)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    h.venues[0].account_exclusive = false;
    harness_start(&h);
    shows(0, "theirs", 980);
    account_ends(h.now);
    shut_down();
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 0);
    outside_steps();
    cr_expect_eq(told(0), SHUTDOWN_COMPLETE);
    harness_close(&h);
}

/* One request a second passes: first what we know to rest, then the orphan, last the account. */
Test(shutdown, while_the_breaker_is_open_our_own_cancels_come_first)
{
    harness_init(&h);
    h.venues[0].infrastructure_failures = 1;
    h.venues[0].infrastructure_timeout = SECONDS(30);
    h.venues[0].infrastructure_pace = SECONDS(1);
    h.venues[0].safety_sync_interval = SECONDS(60);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    shows(900, "x", 980);
    account_ends(0);
    union event_record record = {.breaker_input = {.healthy = 0}};
    harness_record(&h, EVENT_breaker_input, EVENT_NONE_16, &record);
    shut_down();
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 0);
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 0);
    static const enum event_kind kinds[] = {EVENT_cancel, EVENT_cancel_orphan,
                                            EVENT_request_snapshot};
    for (int second = 1; second <= 3; second++) {
        uint64_t before = h.engine->counters.decisions;
        harness_run_to(&h, SECONDS(second) - 1);
        cr_expect_eq(h.engine->counters.decisions, before);
        harness_tick(&h, SECONDS(second));
        cr_expect_eq(harness_count(&h, kinds[second - 1]), 1, "second %d", second);
    }
    harness_close(&h);
}
