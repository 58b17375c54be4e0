/* Orders: every row of the state machine that has a story, ids, trades, time-outs. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

/* Orders #1 buy 10 @ 99.0 and #2 sell 10 @ 101.5, sent and unanswered. */
static void quoted(void)
{
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
}

static void cancel_sent(void)
{
    quoted();
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_command(&h, COMMAND_CANCEL_ALL);
    cr_assert_eq(harness_count(&h, EVENT_cancel), 2);
}

static void expect(order_id id, enum order_state state, int64_t leaves, int64_t filled)
{
    const struct order *order = harness_order(&h, id);
    cr_assert_neq(order, NULL);
    cr_expect_eq(order->state, state, "state %s", order_state_name(order->state));
    cr_expect_eq(order->leaves, leaves);
    cr_expect_eq(order->filled, filled);
}

static int64_t position(void)
{
    return h.engine->instruments[0].position.units;
}

static void answer(enum event_kind kind, const union event_record *record)
{
    harness_record(&h, kind, EVENT_STREAM(0, CHANNEL_SESSION), record);
}

Test(orders, a_fill_before_its_acceptance)
{
    quoted();
    harness_fill(&h, 1, SIDE_BUY, 990, 2, 8);
    expect(1, ORDER_PARTLY_FILLED, 8, 2);
    harness_accept(&h, 1);
    expect(1, ORDER_PARTLY_FILLED, 8, 2);
    cr_expect_eq(h.engine->orders.repeats, 1);
    cr_expect_eq(h.engine->orders.surprises, 0);
    harness_close(&h);
}

Test(orders, a_fill_while_the_cancel_travels)
{
    cancel_sent();
    harness_fill(&h, 1, SIDE_BUY, 990, 4, 6);
    expect(1, ORDER_PENDING_CANCEL, 6, 4);
    harness_cancelled(&h, 1, 6);
    expect(1, ORDER_CANCELLED, 0, 4);
    cr_expect_eq(position(), 4);
    harness_close(&h);
}

Test(orders, a_cancel_refused_because_filled)
{
    cancel_sent();
    union event_record record = {.cancel_rejected = {.order = 1, .reason = REJECT_FILLED}};
    answer(EVENT_cancel_rejected, &record);
    expect(1, ORDER_UNKNOWN, 10, 0); /* the fill is still to come, and counts until then */
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 10);
    harness_fill(&h, 1, SIDE_BUY, 990, 10, 0);
    expect(1, ORDER_FILLED, 0, 10);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 0);
    harness_close(&h);
}

Test(orders, a_cancel_refused_after_the_fill)
{
    cancel_sent();
    harness_fill(&h, 1, SIDE_BUY, 990, 10, 0);
    expect(1, ORDER_FILLED, 0, 10);
    union event_record record = {.cancel_rejected = {.order = 1, .reason = REJECT_FILLED}};
    answer(EVENT_cancel_rejected, &record);
    expect(1, ORDER_FILLED, 0, 10);
    cr_expect_eq(h.engine->orders.surprises, 0);
    harness_close(&h);
}

static void cancel_refused(order_id id, enum reject reason)
{
    union event_record record = {.cancel_rejected = {.order = id, .reason = (uint8_t)reason}};
    answer(EVENT_cancel_rejected, &record);
}

Test(orders, a_cancel_refused_for_its_rate_rests_until_it_is_sent_again)
{
    cancel_sent();
    harness_fill(&h, 2, SIDE_SELL, 1015, 4, 6);
    cancel_refused(1, REJECT_RATE);
    expect(1, ORDER_ACTIVE, 10, 0);
    cancel_refused(2, REJECT_RATE);
    expect(2, ORDER_PARTLY_FILLED, 6, 4);
    harness_run_to(&h, MILLISECONDS(250) - 1);
    expect(1, ORDER_ACTIVE, 10, 0);
    harness_tick(&h, MILLISECONDS(250));
    expect(1, ORDER_PENDING_CANCEL, 10, 0);
    expect(2, ORDER_PENDING_CANCEL, 6, 4);
    harness_close(&h);
}

/* 250 ms, 500 ms, 1 s, then the alarm; the operator's reset begins anew. */
Test(orders, a_cancel_that_fails_is_retried_then_escalated)
{
    cancel_sent();
    harness_cancelled(&h, 2, 10);
    const int64_t due[] = {250, 750, 1750};
    for (size_t i = 0; i < 3; i++) {
        cancel_refused(1, REJECT_OTHER);
        cr_expect_eq(harness_count(&h, EVENT_alarm), 0);
        harness_run_to(&h, MILLISECONDS(due[i]) - 1);
        expect(1, ORDER_ACTIVE, 10, 0);
        harness_tick(&h, MILLISECONDS(due[i]));
        cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
        expect(1, ORDER_PENDING_CANCEL, 10, 0);
    }
    cancel_refused(1, REJECT_OTHER);
    cr_assert_eq(harness_count(&h, EVENT_alarm), 1);
    const struct event_alarm *alarm = &harness_find(&h, EVENT_alarm, 0)->alarm;
    cr_expect(alarm->raised && alarm->order == 1 && alarm->reason == ALARM_CANCEL_FAILED);
    cr_expect_eq(alarm->clears, COMMAND_RESET);
    harness_run_to(&h, SECONDS(60));
    expect(1, ORDER_ACTIVE, 10, 0);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 10); /* it counts on */
    cr_expect_eq(engine_counters(h.engine)->cancelled, 5);
    harness_command(&h, COMMAND_RESET);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
    cr_expect_not(harness_find(&h, EVENT_alarm, 0)->alarm.raised);
    harness_close(&h);
}

/* An order of unknown state may rest: each pull asks it to go, once. */
Test(orders, a_pull_asks_an_unknown_order_to_go_once)
{
    quoted();
    harness_accept(&h, 2);
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_PLACE}};
    answer(EVENT_order_unknown, &record);
    harness_command(&h, COMMAND_TRIP);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    expect(1, ORDER_UNKNOWN, 10, 0);
    harness_run_to(&h, SECONDS(1));
    cr_expect_eq(engine_counters(h.engine)->cancelled, 2);
    harness_command(&h, COMMAND_CANCEL_ALL); /* #2 has its request, which is not answered */
    cr_assert_eq(harness_count(&h, EVENT_cancel), 1);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 0)->cancel.order, 1);
    harness_run_to(&h, SECONDS(2));
    cr_expect_eq(engine_counters(h.engine)->cancelled, 3);
    harness_cancelled(&h, 1, 10);
    expect(1, ORDER_CANCELLED, 0, 0);
    harness_close(&h);
}

Test(orders, a_shutdown_tries_a_failed_cancel_again)
{
    cancel_sent();
    harness_cancelled(&h, 2, 10);
    cancel_refused(1, REJECT_OTHER);
    union event_record record = {.shutdown = {.signal = 15}};
    harness_record(&h, EVENT_shutdown, EVENT_NONE_16, &record);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
    cancel_refused(1, REJECT_OTHER);
    harness_run_to(&h, MILLISECONDS(250));
    expect(1, ORDER_PENDING_CANCEL, 10, 0);
    harness_close(&h);
}

Test(orders, a_lost_cancel_that_did_not_happen_is_a_failed_one)
{
    cancel_sent();
    harness_cancelled(&h, 2, 10);
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_CANCEL}};
    answer(EVENT_order_unknown, &record);
    expect(1, ORDER_UNKNOWN, 10, 0);
    record = (union event_record){
        .order_status = {.order = 1, .price = {990, NUMBER_VALUE}, .leaves = {10, NUMBER_VALUE}}};
    answer(EVENT_order_status, &record);
    expect(1, ORDER_ACTIVE, 10, 0);
    harness_run_to(&h, MILLISECONDS(250));
    expect(1, ORDER_PENDING_CANCEL, 10, 0);
    harness_close(&h);
}

Test(orders, a_late_fill_counts)
{
    cancel_sent();
    harness_cancelled(&h, 1, 10);
    expect(1, ORDER_CANCELLED, 0, 0);
    harness_fill(&h, 1, SIDE_BUY, 990, 3, 0);
    expect(1, ORDER_CANCELLED, 0, 3);
    cr_expect_eq(position(), 3);
    cr_expect_eq(h.engine->orders.late_fills, 1);
    harness_close(&h);
}

Test(orders, a_cancel_that_tells_of_fills_to_come)
{
    cancel_sent();
    harness_cancelled(&h, 1, 6);
    expect(1, ORDER_UNKNOWN, 4, 0);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 4);
    harness_fill(&h, 1, SIDE_BUY, 990, 4, 6);
    expect(1, ORDER_FILLED, 0, 4);
    harness_close(&h);
}

Test(orders, a_trade_counts_once)
{
    quoted();
    harness_accept(&h, 1);
    harness_fill(&h, 1, SIDE_BUY, 990, 2, 8);
    h.trade--;
    harness_fill(&h, 1, SIDE_BUY, 990, 2, 8);
    expect(1, ORDER_PARTLY_FILLED, 8, 2);
    cr_expect_eq(position(), 2);
    cr_expect_eq(h.engine->orders.repeats, 1);
    cr_expect_eq(engine_counters(h.engine)->fills, 1);
    harness_close(&h);
}

Test(orders, a_repeated_end_changes_nothing)
{
    cancel_sent();
    harness_cancelled(&h, 1, 10);
    harness_cancelled(&h, 1, 10);
    harness_reject(&h, 1, REJECT_OTHER);
    expect(1, ORDER_CANCELLED, 0, 0);
    cr_expect_eq(h.engine->orders.repeats, 2);
    cr_expect_eq(h.engine->orders.live, 1);
    harness_close(&h);
}

Test(orders, rejected)
{
    quoted();
    harness_accept(&h, 2);
    harness_reject(&h, 1, REJECT_FUNDS);
    expect(1, ORDER_REJECTED, 0, 0);
    /* The level is wanted still, but the same order at once would be refused again. */
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_book(&h, 0, EVENT_depth, 995, 5, 0, 0);
    harness_book(&h, 0, EVENT_depth, 1000, 0, 0, 0);
    cr_expect_eq(harness_count(&h, EVENT_place), 0); /* at another top too */
    harness_tick(&h, SECONDS(1));
    cr_assert_eq(harness_count(&h, EVENT_place), 1);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.order, 3);
    harness_close(&h);
}

Test(orders, after_a_post_only_reject_a_new_top_is_waited_for)
{
    quoted();
    harness_accept(&h, 2);
    harness_reject(&h, 1, REJECT_POST_ONLY);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_tick(&h, MILLISECONDS(100));
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_book(&h, 0, EVENT_depth, 995, 5, 0, 0);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_book(&h, 0, EVENT_depth, 1000, 0, 0, 0);
    cr_expect_eq(harness_count(&h, EVENT_place), 1);
    harness_close(&h);
}

Test(orders, an_unanswered_order_becomes_unknown_and_is_asked_for)
{
    quoted();
    harness_accept(&h, 2);
    harness_run_to(&h, SECONDS(5) - 1);
    expect(1, ORDER_PENDING_NEW, 10, 0);
    harness_tick(&h, SECONDS(5));
    expect(1, ORDER_UNKNOWN, 10, 0);
    cr_assert_eq(harness_count(&h, EVENT_query), 1);
    cr_expect_eq(harness_find(&h, EVENT_query, 0)->query.order, 1);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 10);
    /* its level is not sent again under another id */
    harness_run_to(&h, SECONDS(10) - 1);
    cr_expect_eq(engine_counters(h.engine)->placed, 2);
    harness_tick(&h, SECONDS(10));
    cr_expect_eq(harness_count(&h, EVENT_query), 1);
    union event_record record = {
        .order_status = {.order = 1, .price = {990, NUMBER_VALUE}, .leaves = {10, NUMBER_VALUE}}};
    answer(EVENT_order_status, &record);
    expect(1, ORDER_ACTIVE, 10, 0);
    harness_close(&h);
}

static void not_found(order_id id)
{
    union event_record record = {.order_not_found = {.order = id}};
    answer(EVENT_order_not_found, &record);
}

Test(orders, rule_28_not_found_ends_an_unknown_after_five_seconds_and_twice)
{
    quoted();
    harness_accept(&h, 2);
    h.now = SECONDS(1);
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_PLACE}};
    answer(EVENT_order_unknown, &record);
    expect(1, ORDER_UNKNOWN, 10, 0);
    not_found(1);
    h.now = SECONDS(6) - 1;
    not_found(1);
    expect(1, ORDER_UNKNOWN, 10, 0);
    h.now = SECONDS(6);
    not_found(1);
    expect(1, ORDER_CANCELLED, 0, 0);
    harness_close(&h);
}

Test(orders, an_unknown_that_was_accepted_after_all)
{
    quoted();
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_PLACE}};
    answer(EVENT_order_unknown, &record);
    harness_accept(&h, 1);
    expect(1, ORDER_ACTIVE, 10, 0);
    harness_close(&h);
}

Test(orders, expired)
{
    quoted();
    harness_accept(&h, 1);
    union event_record record = {.order_expired = {.order = 1, .leaves = {10, NUMBER_VALUE}}};
    answer(EVENT_order_expired, &record);
    expect(1, ORDER_EXPIRED, 0, 0);
    harness_close(&h);
}

Test(orders, a_fill_of_an_order_that_nobody_knows_counts_too)
{
    quoted();
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    cr_expect_eq(position(), 5);
    cr_expect_eq(h.engine->orders.orphan_fills, 1);
    harness_close(&h);
}

Test(orders, a_fill_told_again_after_its_order_was_forgotten_counts_once)
{
    quoted();
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    h.trade--; /* minutes later the same trade */
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    cr_expect_eq(position(), 5);
    cr_expect_eq(h.engine->orders.orphan_fills, 1);
    cr_expect_eq(h.engine->orders.repeats, 1);
    harness_close(&h);
}

Test(orders, more_than_its_quantity_is_a_violation_and_counts)
{
    quoted();
    harness_fill(&h, 1, SIDE_BUY, 990, 11, 0);
    cr_expect_eq(position(), 11);
    cr_expect_eq(engine_counters(h.engine)->violations_by_invariant[6], 1);
}

Test(orders, shrinks_by_a_modify_and_keeps_its_place)
{
    harness_init(&h);
    h.settings[0].risk_size_band = LOTS(100);
    h.settings[0].risk_position_limit = LOTS(100);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    /* long 50 of 100 with a band of 100: buys are halved */
    harness_position(&h, 0, SIDE_BUY, 1000, 50);
    cr_assert_eq(harness_count(&h, EVENT_modify), 1);
    const struct event_modify *modify = &harness_find(&h, EVENT_modify, 0)->modify;
    cr_expect_eq(modify->order, 1);
    cr_expect_eq(modify->price.units, 990);
    cr_expect_eq(modify->leaves.units, 5);
    expect(1, ORDER_PENDING_MODIFY, 10, 0);
    harness_tick(&h, MILLISECONDS(100));
    cr_expect_eq(h.count, 0); /* one unanswered action an order */
    union event_record record = {
        .order_modified = {.order = 1, .price = {990, NUMBER_VALUE}, .leaves = {5, NUMBER_VALUE}}};
    answer(EVENT_order_modified, &record);
    expect(1, ORDER_ACTIVE, 5, 0);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 5);
    harness_close(&h);
}

Test(orders, a_refused_modify_leaves_the_order_as_it_was)
{
    quoted();
    harness_accept(&h, 1);
    struct event_modify modify = {
        .order = 1, .price = {990, NUMBER_VALUE}, .leaves = {20, NUMBER_VALUE}};
    orders_take_modify(h.engine, &modify, 0);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 20);
    union event_record record = {.modify_rejected = {.order = 1, .reason = REJECT_RATE}};
    answer(EVENT_modify_rejected, &record);
    expect(1, ORDER_ACTIVE, 10, 0);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 10);
    harness_close(&h);
}

static void answer_of(enum event_kind kind, int64_t made, int64_t price, int64_t leaves)
{
    union event_record record = {.order_status = {.order = 1}};
    if (kind == EVENT_order_status) {
        record.order_status.price = (struct number){price, NUMBER_VALUE};
        record.order_status.leaves = (struct number){leaves, NUMBER_VALUE};
    } else {
        record.order_modified.price = (struct number){price, NUMBER_VALUE};
        record.order_modified.leaves = (struct number){leaves, NUMBER_VALUE};
    }
    struct message message = {.ts_local = h.now,
                              .ts_venue = made,
                              .flags = MESSAGE_VENUE_TIME,
                              .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                              .kind = (uint8_t)kind,
                              .record = &record};
    harness_give(&h, &message);
}

/* What the venue said before its newest word about an order does not come true again. */
Test(orders, an_overtaken_answer_tells_nothing)
{
    quoted();
    harness_accept(&h, 1);
    struct event_modify modify = {
        .order = 1, .price = {985, NUMBER_VALUE}, .leaves = {11, NUMBER_VALUE}};
    orders_take_modify(h.engine, &modify, 0);
    answer_of(EVENT_order_modified, 100, 985, 11);
    expect(1, ORDER_ACTIVE, 11, 0);
    uint64_t repeats = h.engine->orders.repeats;
    answer_of(EVENT_order_modified, 99, 990, 10);
    expect(1, ORDER_ACTIVE, 11, 0);
    /* Unknown, it waits for a newer word; one of the same time is none that was overtaken. */
    union event_record lost = {.order_unknown = {.order = 1}};
    answer(EVENT_order_unknown, &lost);
    answer_of(EVENT_order_status, 99, 990, 10);
    expect(1, ORDER_UNKNOWN, 11, 0);
    cr_expect_eq(h.engine->orders.repeats, repeats + 2);
    answer_of(EVENT_order_status, 100, 985, 11);
    expect(1, ORDER_ACTIVE, 11, 0);
    cr_expect_eq(harness_order(&h, 1)->price, 985);
    harness_close(&h);
}

/* The venue was asked before the modify left: that the old figures rested then does not say that it was
 * lost. What it made after the last query left is the answer to that one. */
Test(orders, an_answer_to_an_older_query_tells_nothing_of_a_modify)
{
    quoted();
    harness_accept(&h, 1);
    struct event_query query = {.order = 1};
    struct event_modify modify = {
        .order = 1, .price = {985, NUMBER_VALUE}, .leaves = {11, NUMBER_VALUE}};
    h.engine->now = h.now = 100;
    orders_take_query(h.engine, &query, 100);
    answer_of(EVENT_order_modified, 50, 990, 10); /* it rests, and the query is still out */
    expect(1, ORDER_ACTIVE, 10, 0);
    orders_take_modify(h.engine, &modify, 100);
    h.engine->now = h.now = 200;
    orders_take_query(h.engine, &query, 200);
    answer_of(EVENT_order_status, 120, 990, 10);
    expect(1, ORDER_UNKNOWN, 10, 0);
    answer_of(EVENT_order_status, 210, 985, 11);
    expect(1, ORDER_ACTIVE, 11, 0);
    cr_expect_eq(harness_order(&h, 1)->queries, 0);
    harness_close(&h);
}

/* That the venue found nothing when an older query asked is no word on how the order rests, so it is not thrown away
 * as one: it counts toward the two that end an order, if both were old enough. */
Test(orders, nothing_found_by_an_older_query_still_counts)
{
    quoted();
    harness_accept(&h, 1);
    struct event_query query = {.order = 1};
    struct event_cancel cancel = {.order = 1};
    h.engine->now = h.now = 100;
    orders_take_query(h.engine, &query, 100);
    orders_take_cancel(h.engine, &cancel, 100);
    cr_assert_eq(harness_order(&h, 1)->older, 1);
    union event_record record = {.order_not_found = {.order = 1}};
    answer(EVENT_order_not_found, &record);
    expect(1, ORDER_UNKNOWN, 10, 0);
    cr_expect_eq(harness_order(&h, 1)->not_found, 1);
    cr_expect_eq(harness_order(&h, 1)->older, 0);
    cr_expect_eq(harness_order(&h, 1)->queries, 0);
    harness_close(&h);
}

/* The account showed the order before its acceptance was told, and so as it was later: the acceptance is no word on
 * price and leaves that a newer one could have overtaken, it only says again that the order is there. */
Test(orders, an_acceptance_is_not_overtaken)
{
    quoted();
    union event_record lost = {.order_unknown = {.order = 1, .request = REQUEST_PLACE}};
    answer(EVENT_order_unknown, &lost);
    answer_of(EVENT_order_status, 100, 985, 10);
    answer(EVENT_order_unknown, &lost);
    expect(1, ORDER_UNKNOWN, 10, 0);
    uint64_t repeats = h.engine->orders.repeats;
    harness_order(&h, 1)->lost = REQUEST_PLACE; /* as if that had been its only answer so far */
    answer_of(EVENT_order_accepted, 50, 0, 0);
    expect(1, ORDER_ACTIVE, 10, 0);
    cr_expect_eq(harness_order(&h, 1)->price, 985);
    cr_expect_eq(harness_order(&h, 1)->told_ts, 100);
    cr_expect_eq(h.engine->orders.repeats, repeats);
    harness_close(&h);
}

/* An end may be told before the fill that it comes of, which may be all that a modify asked for. */
Test(orders, a_fill_after_the_end_may_be_as_large_as_a_modify_asked)
{
    quoted();
    harness_accept(&h, 1);
    struct event_modify modify = {
        .order = 1, .price = {990, NUMBER_VALUE}, .leaves = {20, NUMBER_VALUE}};
    orders_take_modify(h.engine, &modify, 0);
    answer_of(EVENT_order_status, 100, 990, 0);
    expect(1, ORDER_UNKNOWN, 20, 0);
    answer_of(EVENT_order_status, 100, 990, 0);
    expect(1, ORDER_CANCELLED, 0, 0);
    harness_fill(&h, 1, SIDE_BUY, 990, 20, 0);
    expect(1, ORDER_CANCELLED, 0, 20);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 0);
    cr_expect_eq(h.engine->instruments[0].position.bought, 20);
    harness_close(&h);
}

/* That a cancel was refused says that the order rests, not what an unanswered modify made of it: the larger
 * size counts on (rule 16). */
Test(orders, a_refused_cancel_does_not_settle_a_modify)
{
    quoted();
    harness_accept(&h, 1);
    struct event_modify modify = {
        .order = 1, .price = {990, NUMBER_VALUE}, .leaves = {20, NUMBER_VALUE}};
    struct event_cancel cancel = {.order = 1};
    union event_record lost = {.order_unknown = {.order = 1}};
    orders_take_modify(h.engine, &modify, 0);
    answer(EVENT_order_unknown, &lost);
    orders_take_cancel(h.engine, &cancel, 0);
    union event_record record = {.cancel_rejected = {.order = 1, .reason = REJECT_RATE}};
    answer(EVENT_cancel_rejected, &record);
    expect(1, ORDER_UNKNOWN, 10, 0);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 20);
    cr_expect_eq(harness_order(&h, 1)->failures, 1); /* and it is a cancel that failed */
    cr_expect_leq(engine_deadline(h.engine), harness_order(&h, 1)->retry_ts);
    answer_of(EVENT_order_status, 100, 990, 20);
    expect(1, ORDER_ACTIVE, 20, 0);
    harness_close(&h);
}

/* Rule 28's five seconds are the venue's: when it looked, not when we are told. */
Test(orders, rule_28_a_late_not_found_makes_the_order_no_older)
{
    quoted();
    union event_record record = {.order_not_found = {.order = 1}};
    struct message message = {.flags = MESSAGE_VENUE_TIME,
                              .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                              .kind = EVENT_order_not_found,
                              .record = &record};
    harness_run_to(&h, SECONDS(6)); /* asked for after five seconds */
    cr_assert_eq(harness_order(&h, 1)->state, ORDER_UNKNOWN);
    h.now = message.ts_local = SECONDS(20);
    message.ts_venue = harness_order(&h, 1)->asked_ts + SECONDS(5) - 1;
    harness_give(&h, &message);
    harness_give(&h, &message);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_UNKNOWN);
    message.ts_venue++;
    harness_give(&h, &message);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_CANCELLED);
    harness_close(&h);
}

Test(orders, ids_pass_over_live_slots)
{
    harness_init(&h);
    h.global.orders_capacity = 64;
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    cr_assert_eq(h.engine->orders.mask, 127);
    for (uint32_t n = 0; n < 300; n++) {
        order_id id = orders_next_id(h.engine);
        cr_assert(n < 127 ? id == n + 1 : id != 129 && id != 257);
        struct event_place place = {.order = id,
                                    .side = SIDE_BUY,
                                    .price = {990, NUMBER_VALUE},
                                    .quantity = {1, NUMBER_VALUE}};
        orders_take_place(h.engine, &place, 0);
        if (n > 0) /* #1 stays */
            harness_reject(&h, id, REJECT_OTHER);
    }
    cr_expect_eq(h.engine->orders.live, 1);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_PENDING_NEW);
    harness_close(&h);
}

/* --- the table --------------------------------------------------------------------------------------- */

Test(orders, live_states_take_every_end_and_every_fill)
{
    static const enum order_state live[] = {ORDER_PENDING_NEW,    ORDER_ACTIVE,
                                            ORDER_PARTLY_FILLED,  ORDER_PENDING_CANCEL,
                                            ORDER_PENDING_MODIFY, ORDER_UNKNOWN};
    for (size_t i = 0; i < sizeof live / sizeof *live; i++) {
        cr_expect(order_state_is_live(live[i]));
        cr_expect_eq(order_transition(live[i], ORDER_EVENT_FILL).effect, EFFECT_FILL);
        cr_expect_eq(order_transition(live[i], ORDER_EVENT_FILL_LAST).state, ORDER_FILLED);
        cr_expect_eq(order_transition(live[i], ORDER_EVENT_CANCELLED).state, ORDER_CANCELLED);
        cr_expect_eq(order_transition(live[i], ORDER_EVENT_EXPIRED).state, ORDER_EXPIRED);
        uint8_t lost = order_transition(live[i], ORDER_EVENT_UNANSWERED).state;
        cr_expect(lost == ORDER_UNKNOWN || lost == ORDER_SAME);
    }
}

Test(orders, ended_states_stay_and_take_late_fills)
{
    for (int state = ORDER_FILLED; state <= ORDER_EXPIRED; state++) {
        cr_expect_not(order_state_is_live((enum order_state)state));
        for (int event = 0; event < ORDER_EVENT_COUNT; event++) {
            struct order_transition next =
                order_transition((enum order_state)state, (enum order_event)event);
            cr_expect_eq(next.state, ORDER_SAME);
            cr_expect_eq(next.effect == EFFECT_LATE_FILL, event == ORDER_EVENT_FILL_LAST);
        }
    }
}

/* Whatever comes, a state's figures stay in its invariant: each event from each state, by the effects. */
Test(orders, an_end_leaves_exposure_exactly_once)
{
    for (int state = ORDER_PENDING_NEW; state <= ORDER_UNKNOWN; state++) {
        for (int event = 0; event < ORDER_EVENT_COUNT; event++) {
            struct order_transition next =
                order_transition((enum order_state)state, (enum order_event)event);
            bool ends = next.state < ORDER_STATE_COUNT && next.state != ORDER_NONE &&
                        !order_state_is_live((enum order_state)next.state);
            bool leaves = next.effect == EFFECT_END || next.effect == EFFECT_FILL_END;
            cr_expect_eq(ends, leaves, "state %d event %d", state, event);
        }
    }
}

Test(orders, the_invariant_of_each_state)
{
    cr_expect(order_state_holds(ORDER_ACTIVE, 10, 10, 0, true));
    cr_expect_not(order_state_holds(ORDER_ACTIVE, 10, 9, 1, true));
    cr_expect_not(order_state_holds(ORDER_ACTIVE, 10, 10, 0, false));
    cr_expect(order_state_holds(ORDER_PARTLY_FILLED, 10, 4, 6, true));
    cr_expect_not(order_state_holds(ORDER_PARTLY_FILLED, 10, 10, 0, true));
    cr_expect_not(order_state_holds(ORDER_PARTLY_FILLED, 10, 5, 6, true));
    cr_expect(order_state_holds(ORDER_FILLED, 10, 0, 10, false));
    cr_expect_not(order_state_holds(ORDER_FILLED, 10, 0, 9, false));
    cr_expect(order_state_holds(ORDER_CANCELLED, 10, 0, 9, false));
    cr_expect_not(order_state_holds(ORDER_CANCELLED, 10, 1, 9, false));
    cr_expect_not(order_state_holds(ORDER_CANCELLED, 10, 0, 11, false));
    cr_expect(order_state_holds(ORDER_NONE, 0, 0, 0, false));
}

/* --- the ring of trades ---------------------------------------------------------------------------- */

/* One order's fills go round the ring more than once: its chain ends where the newest begins again. */
static void fills_round_the_ring(order_id order, int64_t leaves)
{
    const int64_t fills = (int64_t)h.engine->orders.trade_mask + 3;
    for (int64_t fill = 1; fill <= fills; fill++)
        harness_fill(&h, order, SIDE_BUY, 990, 1, leaves - fill);
    cr_expect_eq(position(), fills);
    h.trade--; /* the newest again, and the oldest that is remembered */
    harness_fill(&h, order, SIDE_BUY, 990, 1, leaves - fills);
    h.trade -= (uint64_t)h.engine->orders.trade_mask + 1;
    harness_fill(&h, order, SIDE_BUY, 990, 1, leaves - 3);
    cr_expect_eq(position(), fills);
    cr_expect_eq(h.engine->orders.repeats, 2);
}

Test(orders, more_fills_of_one_order_than_trades_are_kept)
{
    harness_init(&h);
    h.settings[0].quote_size = LOTS(5000);
    h.settings[0].risk_position_limit = LOTS(100000);
    h.audit_each = false;
    h.global.audit_every = 1000000;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    harness_accept(&h, 1);
    fills_round_the_ring(1, 5000);
    harness_close(&h);
}

Test(orders, more_fills_of_an_unknown_order_than_trades_are_kept)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    fills_round_the_ring(900, 5000);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY),
                 5000 - (int64_t)h.engine->orders.trade_mask - 3);
    harness_close(&h);
}

/* Live or ended, until its slot is another's. */
Test(orders, the_instrument_of_an_order)
{
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_accept(&h, 1);
    cr_expect_eq(engine_order_instrument(h.engine, 1), 0);
    harness_cancelled(&h, 1, 10);
    cr_expect_eq(engine_order_instrument(h.engine, 1), 0);
    cr_expect_eq(engine_order_instrument(h.engine, 0), EVENT_NONE_16);
    cr_expect_eq(engine_order_instrument(h.engine, h.engine->carry.counter + 1), EVENT_NONE_16);
    harness_close(&h);
}
