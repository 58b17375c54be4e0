/* What seldom happens: answers without figures, ids that nobody knows, gates at figures beyond what can be
 * added up, cancels that may not leave yet. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

static const struct number absent = {0, NUMBER_ABSENT}, none = {0, NUMBER_NAN};

static struct number value(int64_t units)
{
    return (struct number){units, NUMBER_VALUE};
}

/* Orders #1 buy 10 @ 99.0 and #2 sell 10 @ 101.5, sent and unanswered. */
static void sent(void)
{
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
}

static void quoted(void)
{
    harness_init(&h);
    sent();
    harness_accept(&h, 1);
    harness_accept(&h, 2);
}

/* Nothing is quoted; what the test wants rests by its own hand. */
static void quiet(void)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
}

static void place(order_id id, enum side side, int64_t price, int64_t quantity)
{
    struct event_place order = {
        .order = id, .side = (uint8_t)side, .price = value(price), .quantity = value(quantity)};
    orders_take_place(h.engine, &order, h.now);
}

static void answer(enum event_kind kind, const union event_record *record)
{
    harness_record(&h, kind, EVENT_STREAM(0, CHANNEL_SESSION), record);
}

static void is(order_id id, enum order_state state, int64_t leaves, int64_t filled)
{
    const struct order *order = harness_order(&h, id);
    cr_assert_neq(order, NULL);
    cr_expect_eq(order->state, state, "state %s", order_state_name(order->state));
    cr_expect_eq(order->leaves, leaves);
    cr_expect_eq(order->filled, filled);
}

static int64_t worst(enum side side)
{
    return (int64_t)h.engine->instruments[0].sides[side].leaves;
}

static uint64_t surprises(void)
{
    return h.engine->orders.surprises;
}

/* --- ids ------------------------------------------------------------------------------------------- */

Test(unusual, ids_begin_again_after_the_last_and_pass_over_none)
{
    quiet();
    h.engine->carry.epoch = 3;
    h.engine->carry.counter = UINT32_MAX;
    cr_expect_eq(orders_next_id(h.engine), UINT64_C(3) << 32 | 1);
    harness_close(&h);
}

/* What a tape's decisions name may not be there: the fold passes over it. */
Test(unusual, requests_about_orders_that_nobody_knows_change_nothing)
{
    quoted();
    const struct event_cancel cancel = {.order = 77};
    const struct event_modify modify = {.order = 77, .price = value(990), .leaves = value(5)};
    const struct event_query query = {.order = 77};
    orders_take_cancel(h.engine, &cancel, h.now);
    orders_take_modify(h.engine, &modify, h.now);
    orders_take_query(h.engine, &query, h.now);
    is(1, ORDER_ACTIVE, 10, 0);
    cr_expect_eq(h.engine->orders.live, 2);
    /* A replace of such an order still places the new one. */
    const struct event_replace replace = {
        .order = 3, .replaces = 77, .price = value(985), .quantity = value(4)};
    orders_take_replace(h.engine, &replace, h.now);
    is(3, ORDER_PENDING_NEW, 4, 0);
    cr_expect_eq(worst(SIDE_BUY), 14);
    harness_close(&h);
}

static void fold(enum event_kind kind, union event_record record)
{
    const struct message message = {
        .ts_local = h.now, .kind = (uint8_t)kind, .stream = EVENT_NONE_16, .record = &record};
    engine_fold(h.engine, &message);
}

/* Indexes of a tape are checked like any other number from outside. */
Test(unusual, decisions_of_a_tape_that_name_what_is_not_there_are_passed_over)
{
    static const uint16_t instruments[] = {1, 4711, EVENT_NONE_16};
    quoted();
    for (unsigned i = 0; i < 3; i++) {
        uint16_t index = instruments[i];
        fold(EVENT_breaker, (union event_record){.breaker = {.instrument = index, .state = 2}});
        fold(EVENT_pause, (union event_record){
                              .pause = {.instrument = index, .paused = true, .why = GATE_PAUSED}});
        fold(EVENT_funding_booked,
             (union event_record){.funding_booked = {.instrument = index, .mark2 = 2000}});
        fold(EVENT_place, (union event_record){.place = {.instrument = index,
                                                         .order = 3,
                                                         .price = value(990),
                                                         .quantity = value(1)}});
    }
    fold(EVENT_breaker, (union event_record){.breaker = {.breaker = BREAKER_COUNT, .state = 2}});
    fold(EVENT_breaker, (union event_record){.breaker = {.state = BREAKER_STATE_COUNT}});
    fold(EVENT_shutdown_state, (union event_record){.shutdown_state = {.step = 200}});
    cr_expect_eq(h.engine->instruments[0].breakers.worst, BREAKER_CLEAR);
    cr_expect_not(h.engine->instruments[0].paused);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_RUNNING);
    cr_expect_eq(h.engine->orders.live, 2);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 3);
    h.engine->counters.invariant_violations = 0; /* expected */
    harness_close(&h);
}

Test(unusual, an_order_of_a_tape_that_can_t_be_taken_is_a_violation_and_no_end)
{
    enum { PLACES = 8, MODIFIES = 5 };
    quoted();
    struct event_place place[PLACES];
    for (unsigned i = 0; i < PLACES; i++)
        place[i] = (struct event_place){
            .order = i == 0 ? 1 : i + 2, .price = value(985), .quantity = value(4)};
    place[1].side = 2; /* a side, a price and a size that are none */
    place[2].price.units = 0;
    place[3].price.status = NUMBER_NAN;
    place[4].price.units = ENGINE_PRICE_MAX + 1;
    place[5].quantity.status = NUMBER_ABSENT;
    place[6].quantity.units = 0;
    place[7].order = 0;
    for (unsigned i = 0; i < PLACES; i++)
        fold(EVENT_place, (union event_record){.place = place[i]});
    is(1, ORDER_ACTIVE, 10, 0); /* its slot is taken: the order that lives stays */
    struct event_modify modify[MODIFIES];
    for (unsigned i = 0; i < MODIFIES; i++)
        modify[i] = (struct event_modify){.order = 1, .price = value(985), .leaves = value(4)};
    modify[0].price.units = 0;
    modify[1].price.status = NUMBER_NAN;
    modify[2].leaves.units = 0;
    modify[3].leaves.status = NUMBER_ABSENT;
    modify[4].price.units = ENGINE_PRICE_MAX + 1;
    for (unsigned i = 0; i < MODIFIES; i++)
        fold(EVENT_modify, (union event_record){.modify = modify[i]});
    is(1, ORDER_ACTIVE, 10, 0);
    cr_expect_eq(h.engine->orders.live, 2);
    cr_expect_eq(worst(SIDE_BUY), 10);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, PLACES);
    h.engine->counters.invariant_violations = 0; /* expected */
    harness_close(&h);
}

Test(unusual, an_order_that_is_over_is_not_asked_for)
{
    quoted();
    harness_cancelled(&h, 1, 10);
    const struct event_query query = {.order = 1};
    orders_take_query(h.engine, &query, h.now);
    is(1, ORDER_CANCELLED, 0, 0);
    cr_expect_not(harness_order(&h, 1)->asking);
    cr_expect_eq(h.engine->venues[0].infrastructure.failures, 0);
    harness_close(&h);
}

Test(unusual, a_trade_older_than_the_ring_is_forgotten)
{
    quiet();
    uint32_t first = ENGINE_NO_SLOT, other = ENGINE_NO_SLOT;
    struct venue_id trade = {.length = 8};
    cr_expect_not(orders_trade_repeats(h.engine, 1, &first, &trade));
    cr_expect(orders_trade_repeats(h.engine, 1, &first, &trade));
    for (uint32_t n = 0; n <= h.engine->orders.trade_mask; n++) {
        struct venue_id another = {.length = 8};
        memcpy(another.bytes, &n, sizeof n);
        cr_expect_not(orders_trade_repeats(h.engine, 2, &other, &another));
    }
    cr_expect_not(orders_trade_repeats(h.engine, 1, &first, &trade));
    harness_close(&h);
}

/* --- answers ---------------------------------------------------------------------------------------- */

static void filled(order_id id, enum side side, struct number price, int64_t quantity,
                   struct number leaves)
{
    union event_record record = {.order_filled = {.order = id,
                                                  .side = (uint8_t)side,
                                                  .price = price,
                                                  .quantity = value(quantity),
                                                  .leaves = leaves,
                                                  .fee_asset = ASSET_QUOTE}};
    answer(EVENT_order_filled, &record);
}

Test(unusual, a_last_fill_without_leaves_ends_the_order)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    harness_accept(&h, 1);
    filled(1, SIDE_BUY, value(990), 4, absent);
    is(1, ORDER_PARTLY_FILLED, 6, 4);
    filled(1, SIDE_BUY, value(990), 6, absent);
    is(1, ORDER_FILLED, 0, 10);
    harness_close(&h);
}

/* 10 rest, a modify asks for 20, and 10 fill without a word of what is left: with the modify before the fill
 * it is 10, with the fill first nothing. */
Test(unusual, a_fill_without_leaves_during_a_modify_is_in_doubt)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    harness_accept(&h, 1);
    const struct event_modify modify = {.order = 1, .price = value(990), .leaves = value(20)};
    orders_take_modify(h.engine, &modify, h.now);
    filled(1, SIDE_BUY, value(990), 10, absent);
    is(1, ORDER_UNKNOWN, 10, 10);
    cr_expect(harness_order(&h, 1)->hanging);
    cr_expect_eq(worst(SIDE_BUY), 10);
    union event_record record = {.modify_rejected = {.order = 1, .reason = REJECT_OTHER}};
    answer(EVENT_modify_rejected, &record);
    is(1, ORDER_FILLED, 0, 10);
    cr_expect_eq(worst(SIDE_BUY), 0);
    harness_close(&h);
}

Test(unusual, a_fill_that_can_not_be_read_of_an_order_that_nobody_knows)
{
    quoted();
    filled(77, SIDE_BUY, none, 4, absent);
    cr_expect_eq(surprises(), 1);
    filled(77, SIDE_BUY, value(990), 0, absent);
    cr_expect_eq(surprises(), 2);
    cr_expect_eq(h.engine->instruments[0].position.units, 0);
    harness_close(&h);
}

/* A trade is a fact; but it is none of our buy order. */
Test(unusual, a_fill_of_the_other_side_is_not_the_orders_own)
{
    quoted();
    filled(1, SIDE_SELL, value(990), 4, absent);
    is(1, ORDER_ACTIVE, 10, 0);
    cr_expect_eq(h.engine->instruments[0].position.units, -4);
    cr_expect_eq(h.engine->orders.orphan_fills, 1);
    harness_close(&h);
}

static void modified(order_id id, struct number price, struct number leaves)
{
    union event_record record = {.order_modified = {.order = id, .price = price, .leaves = leaves}};
    answer(EVENT_order_modified, &record);
}

/* B14: a change that nobody asked for and that can't be read leaves the order out of reconciliation until
 * the venue tells a price that can. */
Test(unusual, a_change_that_can_not_be_read_leaves_the_price_unknown)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    place(2, SIDE_SELL, 1015, 10);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    modified(1, none, value(10));
    is(1, ORDER_UNKNOWN, 10, 0);
    cr_expect(harness_order(&h, 1)->unpriced);
    cr_expect_eq(harness_order(&h, 1)->price, 990); /* the last good one */
    modified(1, value(985),
             value(10)); /* a change nobody asked for: what it rests at is asked for */
    cr_expect(harness_order(&h, 1)->unpriced);
    cr_expect_eq(worst(SIDE_BUY), 10);
    modified(2, value(1015), none);
    is(2, ORDER_UNKNOWN, 10, 0);
    cr_expect_not(harness_order(&h, 2)->unpriced);
    cr_expect_eq(engine_counters(h.engine)->removed_numbers, 2);
    harness_close(&h);
}

static void status(order_id id, struct number price, struct number leaves)
{
    union event_record record = {.order_status = {.order = id, .price = price, .leaves = leaves}};
    answer(EVENT_order_status, &record);
}

/* A modify from 10 @ 99.0 to 20 @ 98.5 whose answer is lost. */
static void lost_modify(void)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    harness_accept(&h, 1);
    const struct event_modify modify = {.order = 1, .price = value(985), .leaves = value(20)};
    orders_take_modify(h.engine, &modify, h.now);
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_MODIFY}};
    answer(EVENT_order_unknown, &record);
    is(1, ORDER_UNKNOWN, 10, 0);
    cr_expect_eq(worst(SIDE_BUY), 20);
}

Test(unusual, a_lost_modify_that_happened_is_seen_at_its_price)
{
    lost_modify();
    status(1, value(985), value(12)); /* 8 filled on the way; their fills are still to come */
    is(1, ORDER_ACTIVE, 20, 0);
    cr_expect_eq(harness_order(&h, 1)->price, 985);
    harness_close(&h);
}

Test(unusual, a_lost_modify_that_did_not_happen_is_seen_at_the_old_price)
{
    lost_modify();
    status(1, value(990), value(10));
    is(1, ORDER_ACTIVE, 10, 0);
    cr_expect_eq(worst(SIDE_BUY), 10);
    harness_close(&h);
}

/* 10 more after the last fill by our count: the venue edited the order before it, or will refuse that yet. */
static void filled_while_edited(struct number told)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    harness_accept(&h, 1);
    const struct event_modify modify = {.order = 1, .price = value(990), .leaves = value(20)};
    orders_take_modify(h.engine, &modify, h.now);
    union event_record record = {.order_filled = {.order = 1,
                                                  .trade = {.length = 1, .bytes = "a"},
                                                  .side = SIDE_BUY,
                                                  .price = value(990),
                                                  .quantity = value(10),
                                                  .leaves = told,
                                                  .fee_asset = ASSET_QUOTE}};
    answer(EVENT_order_filled, &record);
    is(1, ORDER_UNKNOWN, 10, 10);
}

/* Once the venue has shown what rests, the refusal of a later edit does not say that nothing was left. */
Test(unusual, what_a_lost_edit_came_to_is_no_doubt_of_the_next)
{
    filled_while_edited(absent);
    status(1, value(990), value(10));
    is(1, ORDER_PARTLY_FILLED, 10, 10);
    const struct event_modify modify = {.order = 1, .price = value(990), .leaves = value(5)};
    orders_take_modify(h.engine, &modify, h.now);
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_MODIFY}};
    answer(EVENT_order_unknown, &record);
    record = (union event_record){.modify_rejected = {.order = 1, .reason = REJECT_RATE}};
    answer(EVENT_modify_rejected, &record);
    is(1, ORDER_PARTLY_FILLED, 10, 10);
    cr_expect_eq(worst(SIDE_BUY), 10);
    harness_close(&h);
}

/* An account that is newer than the fill with which the venue said that the order was over, and shows it as we hold
 * it: it rests, and later answers are of an order that does. */
Test(unusual, an_order_that_the_account_shows_is_not_over)
{
    filled_while_edited(value(0));
    struct order *order = harness_order(&h, 1);
    cr_expect(order->owing);
    orders_seen(h.engine, order, 990, 10);
    is(1, ORDER_PARTLY_FILLED, 10, 10);
    const struct event_modify modify = {.order = 1, .price = value(990), .leaves = value(14)};
    orders_take_modify(h.engine, &modify, h.now);
    harness_fill(&h, 1, SIDE_BUY, 990, 10, 4); /* of the edited order */
    is(1, ORDER_PENDING_MODIFY, 4, 20);
    cr_expect_eq(worst(SIDE_BUY), 4);
    harness_close(&h);
}

/* What can't be read says nothing of the modify: the larger leaves count on. */
Test(unusual, a_lost_modify_seen_without_figures_counts_the_larger)
{
    lost_modify();
    status(1, none, none);
    is(1, ORDER_ACTIVE, 20, 0);
    cr_expect(harness_order(&h, 1)->unpriced);
    cr_expect_eq(worst(SIDE_BUY), 20);
    harness_close(&h);
}

/* Sent for an order without an answer, as a shutdown does; refused. */
Test(unusual, a_refused_cancel_of_an_unknown_order_shows_that_it_rests)
{
    harness_init(&h);
    sent();
    harness_accept(&h, 2);
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_PLACE}};
    answer(EVENT_order_unknown, &record);
    record.shutdown = (struct event_shutdown){.signal = 15};
    harness_record(&h, EVENT_shutdown, EVENT_NONE_16, &record);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect(harness_order(&h, 1)->cancel_sent);
    record = (union event_record){.cancel_rejected = {.order = 1, .reason = REJECT_OTHER}};
    answer(EVENT_cancel_rejected, &record);
    is(1, ORDER_ACTIVE, 10, 0);
    cr_expect_not(harness_order(&h, 1)->cancel_sent);
    harness_close(&h);
}

Test(unusual, counts_of_failures_stay_at_their_largest)
{
    quoted();
    harness_command(&h, COMMAND_CANCEL_ALL);
    harness_order(&h, 1)->failures = UINT8_MAX;
    harness_order(&h, 2)->not_found = UINT8_MAX;
    union event_record record = {.cancel_rejected = {.order = 1, .reason = REJECT_OTHER}};
    answer(EVENT_cancel_rejected, &record);
    cr_expect_eq(harness_order(&h, 1)->failures, UINT8_MAX);
    record = (union event_record){.order_not_found = {.order = 2}};
    answer(EVENT_order_not_found, &record);
    is(2, ORDER_UNKNOWN, 10, 0); /* before its five seconds are over */
    h.now = SECONDS(5) - 1;
    harness_order(&h, 2)->not_found = UINT8_MAX;
    answer(EVENT_order_not_found, &record);
    cr_expect_eq(harness_order(&h, 2)->not_found, UINT8_MAX);
    is(2, ORDER_UNKNOWN, 10, 0);
    harness_close(&h);
}

Test(unusual, a_message_of_no_kind_changes_nothing)
{
    enum { KIND_OF_NOTHING = 100 };
    quoted();
    union event_record record = {.order_status = {.order = 1, .leaves = value(0)}};
    harness_record(&h, (enum event_kind)KIND_OF_NOTHING, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    is(1, ORDER_ACTIVE, 10, 0);
    cr_expect_eq(h.count, 0);
    /* Nor does a decision, which is no news to the engine that made it. */
    record.cancel = (struct event_cancel){.order = 1};
    harness_record(&h, EVENT_cancel, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    is(1, ORDER_ACTIVE, 10, 0);
    harness_close(&h);
}

/* --- unknown orders ---------------------------------------------------------------------------------- */

Test(unusual, the_alarm_of_unknown_orders_ends_with_the_last_of_them)
{
    harness_init(&h);
    h.settings[0].order_unknown_alarm = SECONDS(30);
    sent();
    for (order_id id = 1; id <= 2; id++) {
        union event_record record = {.order_unknown = {.order = id, .request = REQUEST_PLACE}};
        answer(EVENT_order_unknown, &record);
    }
    harness_run_to(&h, SECONDS(30));
    cr_assert(alarm_is_raised(h.engine, 0, 0, ALARM_ORDER_UNKNOWN));
    status(1, value(990), value(10));
    cr_expect(alarm_is_raised(h.engine, 0, 0, ALARM_ORDER_UNKNOWN));
    status(2, value(1015), value(10));
    cr_expect_not(alarm_is_raised(h.engine, 0, 0, ALARM_ORDER_UNKNOWN));
    harness_close(&h);
}

static void start_again(uint64_t epoch)
{
    union event_record record = {.start = {.epoch = epoch}};
    harness_record(&h, EVENT_start, EVENT_NONE_16, &record);
}

/* #1 fails at 0, #2 at 100 ms: they are tried again at 250 and 350 ms, also after a restart at 200 ms. One
 * that was given up waits for the operator. */
Test(unusual, a_restart_keeps_when_cancels_are_tried_again)
{
    quoted();
    harness_command(&h, COMMAND_CANCEL_ALL);
    for (order_id id = 1; id <= 2; id++) {
        union event_record record = {.cancel_rejected = {.order = id, .reason = REJECT_OTHER}};
        answer(EVENT_cancel_rejected, &record);
        h.now = MILLISECONDS(100);
    }
    h.now = MILLISECONDS(200);
    start_again(1);
    cr_expect_eq(orders_retry_deadline(h.engine, 0), MILLISECONDS(250));
    harness_order(&h, 1)->failures = 4; /* one more than order.cancel_retries */
    start_again(2);
    cr_expect_eq(orders_retry_deadline(h.engine, 0), MILLISECONDS(350));
    harness_close(&h);
}

Test(unusual, an_epoch_never_returns)
{
    quoted();
    start_again(UINT64_C(1) << 32);
    cr_expect_eq(h.engine->carry.epoch, 0);
    start_again(5);
    cr_expect_eq(h.engine->carry.epoch, 5);
    start_again(4);
    cr_expect_eq(h.engine->carry.epoch, 5);
    harness_close(&h);
}

/* --- gates ------------------------------------------------------------------------------------------- */

static uint32_t gate_of(enum side side, int64_t price, int64_t quantity, const struct order *own)
{
    struct candidate candidate = {
        .want = WANT_PLACE, .side = (uint8_t)side, .price = price, .quantity = quantity};
    h.engine->instruments[0].reference4 = 4 * 1000;
    return risk_order_gates(h.engine, &candidate, own);
}

#define GATE(name) (UINT32_C(1) << (name))

Test(unusual, exposure_that_can_not_be_added_up_is_too_much)
{
    quiet();
    struct sync_instrument *sync = &h.engine->instruments[0].sync;
    cr_expect_eq(gate_of(SIDE_BUY, 990, 1, NULL), 0);
    place(1, SIDE_BUY, 985, 1);
    sync->orphan_leaves[SIDE_BUY] = INT64_MAX;
    cr_expect_eq(gate_of(SIDE_BUY, 990, 1, NULL), GATE(GATE_EXPOSURE));
    sync->orphan_leaves[SIDE_BUY] = 0;
    cr_expect_eq(gate_of(SIDE_BUY, 990, INT64_MAX, NULL), GATE(GATE_EXPOSURE));
    h.engine->instruments[0].position.units = INT64_MAX;
    cr_expect_eq(gate_of(SIDE_BUY, 990, 1, NULL), GATE(GATE_EXPOSURE));
    h.engine->instruments[0].position.units = 0;
    harness_close(&h);
}

Test(unusual, without_a_band_size_is_whole)
{
    const struct limits limits = {.position_limit = 10, .quote = {.lot = 1}};
    cr_expect_eq(risk_scaled_size(&limits, 10, SIDE_BUY, 7), 7);
}

Test(unusual, a_quantity_between_lots_is_off_the_grid)
{
    quiet();
    h.engine->instruments[0].limits.quote.lot = 2;
    cr_expect_eq(gate_of(SIDE_BUY, 990, 3, NULL), GATE(GATE_GRID));
    cr_expect_eq(gate_of(SIDE_BUY, 990, 4, NULL), 0);
    h.engine->gates_off = GATE(GATE_GRID);
    cr_expect_eq(gate_of(SIDE_BUY, 990, 3, NULL), 0);
    harness_close(&h);
}

/* Whether a post-only order would take can't be known without the other side. */
Test(unusual, nothing_leaves_against_a_side_that_is_not_there)
{
    quiet();
    h.engine->instruments[0].market.top.has[SIDE_SELL] = false;
    cr_expect_eq(gate_of(SIDE_BUY, 990, 1, NULL), GATE(GATE_POST_ONLY));
    cr_expect_eq(gate_of(SIDE_SELL, 1010, 1, NULL), 0);
    h.engine->instruments[0].market.top.has[SIDE_SELL] = true;
    harness_close(&h);
}

/* Rules 19 and 22 stop what adds; a modify that only shrinks adds nothing, a buy against a short neither. */
Test(unusual, what_adds_nothing_passes_where_nothing_may_be_added)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    harness_accept(&h, 1);
    h.engine->instruments[0].limits.open_interest = true; /* and none is told */
    const struct order *own = harness_order(&h, 1);
    cr_expect_eq(gate_of(SIDE_BUY, 985, 5, NULL), GATE(GATE_OPEN_INTEREST));
    cr_expect_eq(gate_of(SIDE_BUY, 990, 5, own), 0);
    cr_expect_eq(gate_of(SIDE_BUY, 990, 11, own), GATE(GATE_OPEN_INTEREST));
    h.engine->instruments[0].limits.open_interest = false;
    h.engine->profit.on = h.engine->profit.day_lost = true;
    cr_expect_eq(gate_of(SIDE_BUY, 985, 5, NULL), GATE(GATE_DAILY_LOSS));
    cr_expect_eq(gate_of(SIDE_BUY, 990, 5, own), 0);
    h.engine->profit.on = h.engine->profit.day_lost = false;
    harness_close(&h);
}

/* Where the venue edits, an order whose cancels failed too often is none that a level moves or waits for. */
Test(unusual, an_order_that_was_given_up_is_not_moved)
{
    quoted();
    h.engine->venues[0].modify = MODIFY_EDIT;
    harness_order(&h, 1)->failures = 4;
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    const union event_record *placed = harness_find(&h, EVENT_place, 0);
    cr_assert_neq(placed, NULL); /* a new order stands for the level */
    cr_expect_eq(placed->place.side, SIDE_BUY);
    cr_expect_eq(placed->place.price.units, 1000);
    is(1, ORDER_ACTIVE, 10, 0);
    is(2, ORDER_PENDING_MODIFY, 10, 0);
    harness_close(&h);
}

/* --- gates that are switched off --------------------------------------------------------------------- */

/* Both orders rest on while `gate` is off, whatever it would see. */
static void expect_resting(enum gate gate)
{
    h.engine->gates_off = GATE(gate);
    harness_book(&h, 0, EVENT_depth, 995, 5, 0, 0);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0, "gate %d", gate);
    is(1, ORDER_ACTIVE, 10, 0);
    h.engine->gates_off = 0;
    harness_book(&h, 0, EVENT_depth, 995, 6, 0, 0);
    engine_mark_due(h.engine, 0);
    harness_tick(&h, h.now);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_PENDING_CANCEL, "gate %d", gate);
}

/* A buy of `quantity` at `price` is stopped by this gate, and not by it while that is off. */
static void expect_stopped(enum gate gate, int64_t price, int64_t quantity)
{
    cr_expect_eq(gate_of(SIDE_BUY, price, quantity, NULL), GATE(gate), "gate %d", gate);
    h.engine->gates_off = GATE(gate);
    cr_expect_eq(gate_of(SIDE_BUY, price, quantity, NULL) & GATE(gate), 0, "gate %d", gate);
    h.engine->gates_off = 0;
}

Test(unusual, an_order_passes_each_gate_that_is_off)
{
    quiet();
    struct instrument *instrument = &h.engine->instruments[0];
    expect_stopped(GATE_NUMBER, 0, 1);
    expect_stopped(GATE_GRID, 991, 1);
    expect_stopped(GATE_COLLAR, 2000, 1);
    expect_stopped(GATE_POST_ONLY, 1005, 1);
    expect_stopped(GATE_EXPOSURE, 990, 1001);
    instrument->refusals[SIDE_BUY].until = h.now + 1;
    instrument->refusals[SIDE_BUY].levels = UINT64_MAX;
    expect_stopped(GATE_REFUSED, 990, 1);
    instrument->refusals[SIDE_BUY].until = h.now;
    instrument->limits.open_interest = true; /* and none is told */
    expect_stopped(GATE_OPEN_INTEREST, 990, 1);
    instrument->limits.open_interest = false;
    h.engine->profit.on = h.engine->profit.day_lost = true;
    expect_stopped(GATE_DAILY_LOSS, 990, 1);
    h.engine->profit.on = h.engine->profit.day_lost = false;
    instrument->limits.minimum_raw = 991;
    expect_stopped(GATE_MINIMUM_NOTIONAL, 990, 1);
    instrument->limits.minimum_raw = 990;
    instrument->limits.orders_per_side = 0;
    expect_stopped(GATE_ORDER_COUNT, 990, 1);
    instrument->limits.orders_per_side = 1;
    struct rate *rate = &h.engine->venues[0].rate;
    uint32_t room = rate->cap;
    rate->cap = rate->reserve;
    expect_stopped(GATE_RATE, 990, 1);
    rate->cap = room;
    cr_expect_eq(gate_of(SIDE_BUY, 990, 1, NULL), 0);
    place(1, SIDE_SELL, 1005, 1);
    expect_stopped(GATE_OWN_CROSS, 1005, 1);
    h.engine->orders.capacity = 1;
    expect_stopped(GATE_TABLE_FULL, 990, 1);
}

Test(unusual, a_pull_waits_for_its_gate)
{
    quoted();
    h.engine->instruments[0].pulled = true;
    engine_mark_due(h.engine, 0);
    expect_resting(GATE_PAUSED);
    quoted();
    breakers_set(&h.engine->instruments[0], BREAKER_OPERATOR, BREAKER_CANCEL_ALL, h.now);
    engine_mark_due(h.engine, 0);
    expect_resting(GATE_BREAKER);
    quoted();
    h.engine->instruments[0].alarms.raised = GATE(ALARM_DRIFT);
    engine_mark_due(h.engine, 0);
    expect_resting(GATE_SAFETY);
    quoted();
    h.engine->venues[0].orders_stream.lost = h.now;
    h.engine->venues[0].orders_stream.blocked = h.engine->venues[0].orders_stream.pulled = true;
    engine_mark_due(h.engine, 0);
    expect_resting(GATE_ORDERS_STREAM);
    quoted();
    h.engine->carry.shutdown = SHUTDOWN_WAITING;
    h.engine->carry.shutdown_deadline = h.engine->carry.shutdown_step_deadline = SECONDS(100);
    engine_mark_due(h.engine, 0);
    expect_resting(GATE_SHUTDOWN);
    quoted();
    h.engine->profit.on = true;
    h.engine->instruments[0].profit.pull = true;
    engine_mark_due(h.engine, 0);
    h.engine->gates_off = GATE(GATE_DAILY_LOSS);
    harness_tick(&h, h.now);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    cr_expect_not(h.engine->instruments[0].profit.pull); /* asked once */
    h.engine->profit.on = false;
}

static void expect_breaker(enum gate gate, unsigned breaker)
{
    h.engine->gates_off = GATE(gate);
    engine_mark_due(h.engine, 0);
    harness_tick(&h, h.now);
    cr_expect_eq(h.engine->instruments[0].breakers.state[breaker], BREAKER_CLEAR);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    h.engine->gates_off = 0;
    engine_mark_due(h.engine, 0);
    harness_tick(&h, h.now);
    cr_expect_eq(h.engine->instruments[0].breakers.state[breaker], BREAKER_CANCEL_ALL);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
}

Test(unusual, a_breaker_waits_for_its_gate)
{
    quoted();
    h.now = SECONDS(3600);
    expect_breaker(GATE_STALE, BREAKER_STALE);
    quoted();
    h.engine->instruments[0].market.gap = true;
    expect_breaker(GATE_UNSYNCHRONISED, BREAKER_GAP);
    quoted();
    h.engine->gates_off = GATE(GATE_UNSYNCHRONISED);
    h.engine->instruments[0].market.top.has[SIDE_BUY] = false;
    engine_mark_due(h.engine, 0);
    harness_tick(&h, h.now);
    is(1, ORDER_ACTIVE, 10, 0); /* no view, and no pull */
}

/* The rate has room for one order: with its gate both leave. */
Test(unusual, a_short_rate_admits_all_while_its_gate_is_off)
{
    harness_init(&h);
    h.venues[0].rate_orders = 1;
    h.venues[0].rate_cancel_reserve = 0;
    h.audit_each = false;
    harness_start(&h);
    h.engine->gates_off = GATE(GATE_RATE);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_expect_eq(harness_count(&h, EVENT_place), 2);
}

/* --- a shutdown that is disconnecting ------------------------------------------------------------------- */

static void disconnect(void)
{
    h.engine->carry.shutdown = SHUTDOWN_DISCONNECTING;
    h.engine->carry.shutdown_deadline = h.engine->carry.shutdown_step_deadline = SECONDS(100);
    engine_mark_due(h.engine, 0);
    harness_tick(&h, h.now);
}

Test(unusual, nothing_is_sent_into_connections_that_are_being_closed)
{
    quoted();
    disconnect();
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    is(1, ORDER_ACTIVE, 10, 0);
    quiet();
    place(1, SIDE_BUY, 990, 10);
    harness_accept(&h, 1);
    disconnect();
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    is(1, ORDER_ACTIVE, 10, 0);
}

Test(unusual, steps_that_happen_inside_are_not_ended_from_outside)
{
    quoted();
    union event_record record = {.shutdown = {.signal = 15}};
    harness_record(&h, EVENT_shutdown, EVENT_NONE_16, &record);
    cr_assert_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    record.step_done = (struct event_step_done){.step = SHUTDOWN_WAITING};
    harness_record(&h, EVENT_step_done, EVENT_NONE_16, &record);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    record.step_done.step = SHUTDOWN_FLUSHING; /* not begun */
    harness_record(&h, EVENT_step_done, EVENT_NONE_16, &record);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    harness_close(&h);
}

/* One that is over at the venue, and one that gave up, need no cancel. */
Test(unusual, a_shutdown_asks_only_what_can_still_be_asked)
{
    quoted();
    struct order *order = harness_order(&h, 1);
    cr_expect(shutdown_must_ask(h.engine, order));
    order->failures = 4;
    cr_expect_not(shutdown_must_ask(h.engine, order));
    order->failures = 0;
    harness_cancelled(&h, 1, 6); /* 4 are still to come */
    is(1, ORDER_UNKNOWN, 4, 0);
    cr_expect(order->owing);
    cr_expect_not(shutdown_must_ask(h.engine, order));
    harness_close(&h);
}

/* --- an order that fills more than there can be ------------------------------------------------------------ */

Test(unusual, what_has_filled_stays_a_number)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    harness_accept(&h, 1);
    struct order *order = harness_order(&h, 1);
    union event_record record = {.order_filled = {.order = 1,
                                                  .side = SIDE_BUY,
                                                  .price = value(990),
                                                  .quantity = value(3),
                                                  .leaves = absent,
                                                  .fee_asset = ASSET_QUOTE}};
    h.engine->audit_each = false; /* figures that no order comes to */
    order->filled = ENGINE_QUANTITY_MAX - 2;
    answer(EVENT_order_filled, &record);
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    cr_expect_eq(order->filled, ENGINE_QUANTITY_MAX - 2);
    cr_expect_eq(h.engine->instruments[0].position.units, 0);
    order->filled--;
    answer(EVENT_order_filled, &record);
    cr_expect_eq(harness_count(&h, EVENT_removed), 0);
    cr_expect_eq(h.engine->instruments[0].position.units, 3);
}

/* --- a strategy that goes wrong ------------------------------------------------------------------------- */

/* B14: every sixth level or so has a price or a size that is none. Minute by minute what rests is sound. */
Test(unusual, what_a_strategy_wants_wrongly_is_left_out)
{
    harness_init(&h);
    h.settings[0].quote_levels = 2;
    memcpy(h.settings[0].quote_strategy.text, "rough", sizeof "rough");
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    uint64_t removed_before = 0;
    for (int second = 1; second <= 60; second++) {
        for (order_id id = 1; id < orders_next_id(h.engine); id++)
            if (harness_order(&h, id) != NULL && harness_order(&h, id)->state == ORDER_PENDING_NEW)
                harness_accept(&h, id);
        harness_run_to(&h, SECONDS(second));
        for (size_t n = 0; n < harness_count(&h, EVENT_place); n++) {
            const struct event_place *place = &harness_find(&h, EVENT_place, n)->place;
            cr_expect(place->price.units > 0 && place->price.units % 5 == 0);
            cr_expect_gt(place->quantity.units, 0);
        }
    }
    cr_expect_gt(engine_counters(h.engine)->removed_numbers, removed_before);
    cr_expect_gt(engine_counters(h.engine)->placed, 0);
    harness_close(&h); /* and no invariant was broken */
}
