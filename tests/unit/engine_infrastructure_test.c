/* The breaker around a venue's requests (trading-semantics 29). */
#include <criterion/criterion.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

/* Five failures, 30 s, 1 s; orders #1 buy 10 @ 99.0 and #2 sell 10 @ 101.5 rest since time 0. */
static void quoted(void)
{
    harness_init(&h);
    h.venues[0].infrastructure_failures = 5;
    h.venues[0].infrastructure_timeout = SECONDS(30);
    h.venues[0].infrastructure_pace = SECONDS(1);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
}

static void healthy(bool is)
{
    union event_record record = {.breaker_input = {.healthy = is}};
    harness_record(&h, EVENT_breaker_input, EVENT_NONE_16, &record);
}

static void failures(unsigned count)
{
    while (count-- > 0)
        healthy(false);
}

static enum infrastructure_state state(void)
{
    return (enum infrastructure_state)h.engine->venues[0].infrastructure.state;
}

static void opened(void)
{
    quoted();
    harness_run_to(&h, SECONDS(1));
    failures(5);
    cr_assert_eq(state(), INFRASTRUCTURE_OPEN);
}

static void half_opened(void)
{
    opened();
    harness_run_to(&h, SECONDS(31) - 1);
    cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
    harness_tick(&h, SECONDS(31));
    cr_assert_eq(state(), INFRASTRUCTURE_HALF_OPEN);
    cr_assert_eq(harness_count(&h, EVENT_infrastructure), 1);
}

Test(infrastructure, rule_29_opens_at_the_fifth_failure_in_a_row)
{
    quoted();
    failures(4);
    cr_expect_eq(state(), INFRASTRUCTURE_CLOSED);
    healthy(true); /* not in a row */
    failures(4);
    cr_expect_eq(state(), INFRASTRUCTURE_CLOSED);
    failures(1);
    cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
    const struct event_infrastructure *told =
        &harness_find(&h, EVENT_infrastructure, 0)->infrastructure;
    cr_expect_eq(told->state, INFRASTRUCTURE_OPEN);
    cr_expect_eq(told->failures, 5);
    cr_expect(harness_blocking(&h) >> GATE_INFRASTRUCTURE & 1);
    harness_close(&h);
}

Test(infrastructure, rule_29_what_the_venue_refuses_it_has_answered)
{
    quoted();
    failures(4);
    union event_record record = {.cancel_rejected = {.order = 1, .reason = REJECT_RATE}};
    harness_record(&h, EVENT_cancel_rejected, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    failures(4);
    cr_expect_eq(state(), INFRASTRUCTURE_CLOSED);
    union event_record unknown = {.order_unknown = {.order = 1, .request = REQUEST_CANCEL}};
    harness_record(&h, EVENT_order_unknown, EVENT_STREAM(0, CHANNEL_SESSION), &unknown);
    cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
    harness_close(&h);
}

Test(infrastructure, rule_29_requests_that_nobody_answers_are_failures)
{
    quoted();
    harness_command(&h, COMMAND_CANCEL_ALL);
    cr_assert_eq(harness_count(&h, EVENT_cancel), 2);
    /* Two cancels time out after 5 s, their queries after 10 s: four. A third round makes it five. */
    harness_run_to(&h, SECONDS(15) - 1);
    cr_expect_eq(state(), INFRASTRUCTURE_CLOSED);
    cr_expect_eq(h.engine->venues[0].infrastructure.failures, 4);
    harness_tick(&h, SECONDS(15));
    cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
    harness_close(&h);
}

Test(infrastructure, rule_29_while_open_cancels_pass_paced_and_change_nothing)
{
    opened();
    harness_command(&h, COMMAND_CANCEL_ALL);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
    failures(3);
    healthy(true);
    cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
    cr_expect_eq(h.engine->venues[0].infrastructure.failures, 5);
    harness_run_to(&h, SECONDS(2) - 1);
    cr_expect_eq(engine_counters(h.engine)->cancelled, 1);
    harness_tick(&h, SECONDS(2));
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
    harness_cancelled(&h, 1, 10);
    cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
    harness_close(&h);
}

Test(infrastructure, rule_29_with_none_wanted_the_engine_asks_and_success_closes)
{
    half_opened();
    harness_run_to(&h, SECONDS(32) - 1);
    cr_expect_eq(h.engine->venues[0].infrastructure.trial, TIME_NEVER);
    healthy(true); /* no trial has left: it says nothing */
    cr_expect_eq(state(), INFRASTRUCTURE_HALF_OPEN);
    harness_tick(&h, SECONDS(32));
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    harness_cancelled(&h, 1, 10);
    cr_expect_eq(state(), INFRASTRUCTURE_CLOSED);
    cr_expect_eq(h.engine->venues[0].infrastructure.failures, 0);
    cr_expect_eq(harness_count(&h, EVENT_place), 1); /* what had to wait */
    harness_close(&h);
}

Test(infrastructure, rule_29_the_next_cancel_is_the_trial_and_failure_opens_again)
{
    half_opened();
    harness_command(&h, COMMAND_CANCEL_ALL);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1); /* one trial */
    harness_run_to(&h, SECONDS(34));
    cr_expect_eq(engine_counters(h.engine)->cancelled, 1);
    healthy(false);
    cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
    cr_expect_eq(h.engine->venues[0].infrastructure.failures, 6);
    harness_run_to(&h, SECONDS(64) - 1);
    cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
    harness_tick(&h, SECONDS(64));
    cr_expect_eq(state(), INFRASTRUCTURE_HALF_OPEN);
    harness_close(&h);
}

Test(infrastructure, a_trial_without_an_answer_has_failed_after_five_seconds)
{
    half_opened();
    harness_tick(&h, SECONDS(32));
    cr_assert_eq(harness_count(&h, EVENT_request_snapshot), 1);
    harness_run_to(&h, SECONDS(37) - 1);
    cr_expect_eq(state(), INFRASTRUCTURE_HALF_OPEN);
    harness_tick(&h, SECONDS(37));
    cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
    harness_close(&h);
}

/* An answer at the very end of its five seconds has come before they were over. */
Test(infrastructure, a_trial_that_is_answered_at_its_last_moment_went_well)
{
    half_opened();
    harness_tick(&h, SECONDS(32));
    harness_run_to(&h, SECONDS(37) - 1);
    h.now = SECONDS(37);
    healthy(true);
    cr_expect_eq(state(), INFRASTRUCTURE_CLOSED);
    cr_expect_eq(harness_count(&h, EVENT_infrastructure), 1);
    cr_expect_gt(engine_deadline(h.engine), h.now);
    harness_close(&h);
}

/* An order is to be asked for at the moment at which the trial has failed: first the breaker opens again, then
 * the query passes as the first of that time. */
Test(infrastructure, a_query_that_is_due_as_the_trial_fails_leaves_after_it)
{
    half_opened();
    harness_tick(&h, SECONDS(32));
    harness_order(&h, 1)->state = ORDER_PENDING_CANCEL;
    h.engine->instruments[0].sides[harness_order(&h, 1)->side].going++;
    harness_order(&h, 1)->asked_ts = SECONDS(32);
    h.engine->instruments[0].pending_deadline = SECONDS(37);
    engine_mark_due(h.engine, 0);
    harness_tick(&h, SECONDS(33));
    harness_run_to(&h, SECONDS(37) - 1);
    cr_expect_eq(state(), INFRASTRUCTURE_HALF_OPEN);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_PENDING_CANCEL);
    harness_tick(&h, SECONDS(37));
    cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
    cr_assert_eq(harness_count(&h, EVENT_query), 1);
    cr_expect_eq(h.decisions[0].kind, EVENT_infrastructure);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_UNKNOWN);
    cr_expect_eq(h.engine->venues[0].infrastructure.passed, SECONDS(37));
    harness_close(&h);
}

/* Nor does it wake the other's instruments. */
Test(infrastructure, one_venue_s_breaker_is_not_the_other_s)
{
    harness_init(&h);
    h.venues[0].infrastructure_failures = 5;
    h.venues[0].infrastructure_timeout = SECONDS(30);
    h.instrument_count = 2;
    h.definitions[1].venue = 1;
    h.settings[0].quote_interval = h.settings[1].quote_interval = SECONDS(3600);
    harness_start(&h);
    for (unsigned index = 0; index < 2; index++)
        harness_book(&h, index, EVENT_snapshot, 1000, 50, 1005, 40);
    h.now = SECONDS(1);
    failures(5);
    cr_expect_eq(h.engine->venues[0].infrastructure.state, INFRASTRUCTURE_OPEN);
    cr_expect_eq(h.engine->venues[1].infrastructure.state, INFRASTRUCTURE_CLOSED);
    cr_expect_eq(h.engine->instruments[0].last_cycle, SECONDS(1));
    cr_expect_eq(h.engine->instruments[1].last_cycle, 0);
    harness_close(&h);
}

/* A frame's message changes what is waited for; what is due waits for the last of the frame. */
Test(infrastructure, within_a_frame_nothing_is_late)
{
    half_opened();
    union event_record record = {.breaker_input = {.healthy = true}};
    struct message message = {.ts_local = SECONDS(40),
                              .kind = EVENT_breaker_input,
                              .flags = MESSAGE_MORE,
                              .stream = EVENT_NONE_16,
                              .record = &record};
    infrastructure_sent(h.engine, 0, h.now); /* the trial */
    h.now = SECONDS(40);
    harness_give(&h, &message);
    cr_expect(h.engine->timers.moved);
    cr_expect_eq(state(), INFRASTRUCTURE_CLOSED);
    healthy(true);
    cr_expect_not(h.engine->timers.moved);
    harness_close(&h); /* and no invariant was broken */
}

Test(infrastructure, a_snapshot_that_does_not_come_is_a_failure)
{
    harness_init(&h);
    h.venues[0].infrastructure_failures = 2;
    h.venues[0].infrastructure_timeout = SECONDS(30);
    h.venues[0].infrastructure_pace = SECONDS(1);
    h.venues[0].safety_sync_interval = SECONDS(60);
    harness_start(&h);
    harness_run_to(&h, SECONDS(180) - 1);
    cr_expect_eq(state(), INFRASTRUCTURE_CLOSED);
    harness_tick(&h, SECONDS(180)); /* the third is sent because the second did not come */
    cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
    harness_close(&h);
}

/* --- the fold ---------------------------------------------------------------------------------------- */

static void fold(struct engine *engine, enum event_kind kind, union event_record record)
{
    const struct message message = {
        .ts_local = h.now, .kind = (uint8_t)kind, .stream = EVENT_NONE_16, .record = &record};
    engine_fold(engine, &message);
}

/* The tape was made with a limit of five; today's is two. Only the tape's own record opens it. */
Test(infrastructure, a_fold_opens_and_closes_nothing_by_today_s_settings)
{
    quoted();
    const struct infrastructure *at = &h.engine->venues[0].infrastructure;
    h.engine->venues[0].infrastructure.threshold = 2;
    for (unsigned n = 0; n < 4; n++)
        fold(h.engine, EVENT_breaker_input, (union event_record){.breaker_input = {0}});
    cr_expect_eq(state(), INFRASTRUCTURE_CLOSED);
    cr_expect_eq(at->failures, 4);
    fold(h.engine, EVENT_infrastructure,
         (union event_record){.infrastructure = {.state = INFRASTRUCTURE_HALF_OPEN}});
    infrastructure_sent(h.engine, 0, h.now);
    fold(h.engine, EVENT_breaker_input, (union event_record){.breaker_input = {.healthy = true}});
    cr_expect_eq(state(), INFRASTRUCTURE_HALF_OPEN);
    fold(h.engine, EVENT_breaker_input, (union event_record){.breaker_input = {0}});
    cr_expect_eq(state(), INFRASTRUCTURE_HALF_OPEN);
    harness_close(&h);
}

/* The query stands on the tape before the record that it opened the breaker: folded, it has passed too. */
Test(infrastructure, a_query_that_opens_it_is_the_first_that_passes_in_a_fold_as_well)
{
    const union event_record query = {.query = {.order = 1}};
    for (int folding = 0; folding < 2; folding++) {
        quoted();
        failures(4);
        harness_order(&h, 1)->state = ORDER_PENDING_CANCEL;
        h.now = h.engine->now = SECONDS(9);
        if (folding) {
            fold(h.engine, EVENT_query, query);
            cr_expect_eq(state(), INFRASTRUCTURE_CLOSED);
            fold(h.engine, EVENT_infrastructure,
                 (union event_record){
                     .infrastructure = {.state = INFRASTRUCTURE_OPEN, .failures = 5}});
        } else {
            orders_take_query(h.engine, &query.query, h.now);
        }
        const struct infrastructure *at = &h.engine->venues[0].infrastructure;
        cr_expect_eq(state(), INFRASTRUCTURE_OPEN);
        cr_expect_eq(at->failures, 5);
        cr_expect_eq(at->since, SECONDS(9));
        cr_expect_eq(at->passed, SECONDS(9));
        harness_close(&h);
    }
}

/* Likewise an alarm: a run that gave up after more retries told of none. */
Test(infrastructure, a_fold_raises_and_clears_no_alarm_by_today_s_settings)
{
    quoted();
    h.engine->instruments[0].limits.cancel_retries = 0;
    harness_order(&h, 1)->state = ORDER_PENDING_CANCEL;
    fold(h.engine, EVENT_cancel_rejected,
         (union event_record){.cancel_rejected = {.order = 1, .reason = REJECT_OTHER}});
    cr_expect_eq(harness_order(&h, 1)->failures, 1);
    cr_expect_not(alarm_is_raised(h.engine, 0, 0, ALARM_CANCEL_FAILED));
    fold(h.engine, EVENT_alarm,
         (union event_record){.alarm = {.reason = ALARM_CANCEL_FAILED, .raised = true}});
    cr_expect(alarm_is_raised(h.engine, 0, 0, ALARM_CANCEL_FAILED));
    const struct event_command reset = {.command = COMMAND_RESET};
    fold(h.engine, EVENT_command, (union event_record){.command = reset});
    cr_expect(alarm_is_raised(h.engine, 0, 0, ALARM_CANCEL_FAILED));
    harness_close(&h);
}

/* --- the database -------------------------------------------------------------------------------- */

static void call(bool worked)
{
    union event_record record = {
        .breaker_input = {.venue = INFRASTRUCTURE_DATABASE, .healthy = worked}};
    harness_record(&h, EVENT_breaker_input, EVENT_NONE_16, &record);
}

static void database_opened(bool required)
{
    harness_init(&h);
    h.global.database_failures = 5;
    h.global.database_timeout = SECONDS(30);
    h.global.database_required = required;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_run_to(&h, SECONDS(1));
    for (int i = 0; i < 4; i++)
        call(false);
    call(true);
    for (int i = 0; i < 4; i++)
        call(false);
    cr_assert_eq(h.engine->database.state, INFRASTRUCTURE_CLOSED);
    cr_assert_eq(harness_count(&h, EVENT_infrastructure), 0);
    call(false);
    cr_assert_eq(h.engine->database.state, INFRASTRUCTURE_OPEN);
    const struct event_infrastructure *told =
        &harness_find(&h, EVENT_infrastructure, 0)->infrastructure;
    cr_assert_eq(told->venue, INFRASTRUCTURE_DATABASE);
    cr_assert_eq(told->failures, 5);
    cr_assert_eq(h.engine->database.failed, SECONDS(1));
    cr_assert_eq(state(), INFRASTRUCTURE_CLOSED, "the venue's own is another");
    cr_assert_eq(h.engine->venues[0].infrastructure.failed, INT64_MIN);
}

Test(infrastructure, rule_29_the_databases_trial_is_its_next_call)
{
    database_opened(false);
    cr_expect_not(harness_blocking(&h) >> GATE_INFRASTRUCTURE & 1);
    call(true); /* of a call that began before: it changes nothing */
    cr_expect_eq(h.engine->database.state, INFRASTRUCTURE_OPEN);
    harness_run_to(&h, SECONDS(31) - 1);
    cr_expect_eq(h.engine->database.state, INFRASTRUCTURE_OPEN);
    harness_run_to(&h, SECONDS(31));
    cr_assert_eq(h.engine->database.state, INFRASTRUCTURE_HALF_OPEN);
    call(false);
    cr_assert_eq(h.engine->database.state, INFRASTRUCTURE_OPEN);
    cr_assert_eq(h.engine->database.failures, 6);
    harness_run_to(&h, SECONDS(61));
    cr_assert_eq(h.engine->database.state, INFRASTRUCTURE_HALF_OPEN);
    call(true);
    cr_assert_eq(h.engine->database.state, INFRASTRUCTURE_CLOSED);
    cr_assert_eq(h.engine->database.failures, 0);
    harness_close(&h);
}

Test(infrastructure, rule_29_a_trial_that_does_not_end_has_failed)
{
    database_opened(false);
    harness_run_to(&h, SECONDS(31));
    cr_assert_eq(h.engine->database.state, INFRASTRUCTURE_HALF_OPEN);
    harness_run_to(&h, SECONDS(31) + INFRASTRUCTURE_TRIAL_NS);
    cr_assert_eq(h.engine->database.state, INFRASTRUCTURE_OPEN);
    harness_close(&h);
}

Test(infrastructure, a_database_that_is_required_holds_orders_back)
{
    database_opened(true);
    cr_expect(harness_blocking(&h) >> GATE_INFRASTRUCTURE & 1);
    harness_run_to(&h, SECONDS(31));
    cr_expect(harness_blocking(&h) >> GATE_INFRASTRUCTURE & 1);
    call(true);
    cr_expect_eq(h.engine->database.state, INFRASTRUCTURE_CLOSED);
    harness_run_to(&h, SECONDS(32));
    cr_expect_not(harness_blocking(&h) >> GATE_INFRASTRUCTURE & 1);
    harness_close(&h);
}
