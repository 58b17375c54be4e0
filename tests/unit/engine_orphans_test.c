/* Orders that only the venue knows, and snapshots that don't fit what is known: of two instruments at two
 * venues, with figures that can't be added up, and at times when nothing may be sent. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/status.h"
#include "engine/walker.h"
#include "engine_harness.h"

static struct harness h;

enum { FOREIGN = 70 }; /* ids that the engine never gave */

/* Two instruments, at venue 0 and 1; nothing is quoted. */
static void quiet(void)
{
    harness_init(&h);
    h.instrument_count = 2;
    h.definitions[1].venue = 1;
    h.settings[0].quote_enabled = h.settings[1].quote_enabled = false;
    h.global.safety_own_book = SECONDS(60);
    h.venues[0].safety_sync_interval = SECONDS(1000);
    harness_start(&h);
    for (unsigned instrument = 0; instrument < 2; instrument++)
        harness_book(&h, instrument, EVENT_snapshot, 1000, 50, 1005, 40);
}

static struct number value(int64_t units)
{
    return (struct number){units, NUMBER_VALUE};
}

static void give(enum event_kind kind, unsigned stream, union event_record record)
{
    harness_record(&h, kind, stream, &record);
}

static void shows(unsigned instrument, order_id order, enum side side, int64_t price,
                  int64_t leaves)
{
    give(EVENT_open_order, EVENT_STREAM(instrument, CHANNEL_SESSION),
         (union event_record){.open_order = {.instrument = (uint16_t)instrument,
                                             .order = order,
                                             .side = (uint8_t)side,
                                             .price = value(price),
                                             .leaves = value(leaves)}});
}

static void ends(unsigned venue, int64_t taken)
{
    give(EVENT_snapshot_end, EVENT_NONE_16,
         (union event_record){.snapshot_end = {.venue = (uint8_t)venue, .taken = taken}});
}

/* A fill of an order that is not ours, of which `leaves` rest on. */
static void fills(unsigned instrument, order_id order, enum side side, struct number leaves)
{
    union event_record record = {.order_filled = {.instrument = (uint16_t)instrument,
                                                  .order = order,
                                                  .side = (uint8_t)side,
                                                  .price = value(990),
                                                  .quantity = value(1),
                                                  .leaves = leaves,
                                                  .fee_asset = ASSET_QUOTE}};
    give(EVENT_order_filled, EVENT_STREAM(instrument, CHANNEL_SESSION), record);
}

static void answers(enum event_kind kind, order_id order, enum reject reason)
{
    union event_record record = {.cancel_rejected = {.order = order, .reason = (uint8_t)reason}};
    give(kind, EVENT_STREAM(0, CHANNEL_SESSION), record);
}

static void place(order_id id, enum side side, int64_t price, int64_t quantity)
{
    struct event_place order = {
        .order = id, .side = (uint8_t)side, .price = value(price), .quantity = value(quantity)};
    orders_take_place(h.engine, &order, h.now);
    harness_accept(&h, id);
}

static int64_t leaves_of(unsigned instrument, enum side side)
{
    return sync_orphan_leaves(h.engine, instrument, side);
}

/* The venue's breaker is open and let something through just now. */
static void hold_back(unsigned venue)
{
    struct infrastructure *breaker = &h.engine->venues[venue].infrastructure;
    breaker->state = INFRASTRUCTURE_OPEN;
    breaker->passed = h.now;
    breaker->pace = SECONDS(1);
    breaker->since = h.now;
    breaker->timeout = SECONDS(100);
}

/* --- sums -------------------------------------------------------------------------------------------- */

Test(orphans, each_counts_at_its_own_instrument_and_side)
{
    quiet();
    fills(0, FOREIGN, SIDE_BUY, value(5));
    fills(1, FOREIGN, SIDE_BUY, value(7));
    fills(0, FOREIGN + 1, SIDE_SELL, value(2));
    cr_expect_eq(h.engine->orphans.count, 3);
    cr_expect(leaves_of(0, SIDE_BUY) == 5 && leaves_of(1, SIDE_BUY) == 7);
    cr_expect(leaves_of(0, SIDE_SELL) == 2 && leaves_of(1, SIDE_SELL) == 0);
    fills(0, FOREIGN, SIDE_BUY, value(0));
    cr_expect(leaves_of(0, SIDE_BUY) == 0 && leaves_of(1, SIDE_BUY) == 7);
    harness_close(&h);
}

Test(orphans, leaves_that_can_not_be_added_up_are_the_largest_number)
{
    quiet();
    fills(0, FOREIGN, SIDE_BUY, value(INT64_MAX));
    fills(0, FOREIGN + 1, SIDE_BUY, value(1));
    cr_expect_eq(leaves_of(0, SIDE_BUY), INT64_MAX);
    fills(0, FOREIGN, SIDE_BUY, value(0));
    cr_expect_eq(leaves_of(0, SIDE_BUY), 1);
    harness_close(&h);
}

Test(orphans, a_fill_that_does_not_tell_what_is_left_changes_no_leaves)
{
    quiet();
    fills(0, FOREIGN, SIDE_BUY, value(5));
    fills(0, FOREIGN, SIDE_BUY, (struct number){0, NUMBER_ABSENT});
    cr_expect_eq(leaves_of(0, SIDE_BUY), 5);
    cr_expect_eq(h.engine->instruments[0].position.units, 2);
    harness_close(&h);
}

Test(orphans, more_than_there_is_room_for_is_an_alarm)
{
    quiet();
    for (order_id id = 0; id < 4; id++)
        fills(0, FOREIGN + id, SIDE_BUY, value(1));
    cr_expect_not(alarm_is_raised(h.engine, EVENT_NONE_16, 0, ALARM_ORPHANS_FULL));
    fills(0, FOREIGN + 4, SIDE_BUY, value(1));
    cr_expect(alarm_is_raised(h.engine, EVENT_NONE_16, 0, ALARM_ORPHANS_FULL));
    cr_expect_eq(h.engine->orphans.count, 4);
    cr_expect_eq(h.engine->instruments[0].position.units, 5); /* the trade is a fact */
    harness_close(&h);
}

/* Price and leaves of one are known from the fill that told of it; a later fill tells what is left, not where the
 * rest stands. */
Test(orphans, a_later_fill_at_another_price_moves_it_nowhere)
{
    quiet();
    fills(0, FOREIGN, SIDE_BUY, value(5));
    union event_record record = {.order_filled = {.order = FOREIGN,
                                                  .side = SIDE_BUY,
                                                  .price = value(985),
                                                  .quantity = value(1),
                                                  .leaves = value(4),
                                                  .fee_asset = ASSET_QUOTE}};
    give(EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION), record);
    cr_expect_eq(h.engine->orphans.list[0].price, 990);
    cr_expect_eq(leaves_of(0, SIDE_BUY), 4);
    harness_close(&h);
}

/* Live orders and orphans that can't be added up block what would reduce a position by them. */
Test(orphans, beside_leaves_that_can_not_be_added_up_nothing_reduces)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    fills(0, FOREIGN, SIDE_BUY, value(INT64_MAX));
    cr_expect_eq(risk_side_leaves(h.engine, 0, SIDE_BUY), INT64_MAX);
    cr_expect_eq(risk_side_leaves(h.engine, 0, SIDE_SELL), 0);
    const struct limits *limits = &h.engine->instruments[0].limits;
    cr_expect_eq(
        risk_reducing_size(limits, -1000, SIDE_BUY, risk_side_leaves(h.engine, 0, SIDE_BUY), 10),
        0);
    harness_close(&h);
}

/* Trades of nobody's orders are known again among as many as the ring holds, and forgotten after them. */
Test(orphans, trades_are_known_again_in_a_ring_that_is_full)
{
    quiet();
    uint32_t last = ENGINE_NO_SLOT;
    struct event_order_filled fill = {.order = FOREIGN,
                                      .side = SIDE_BUY,
                                      .price = value(990),
                                      .quantity = value(1),
                                      .leaves = value(0),
                                      .trade = {.length = 8},
                                      .fee_asset = ASSET_QUOTE};
    const uint32_t ring = h.engine->orders.trade_mask + 1;
    give(EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION),
         (union event_record){.order_filled = fill});
    for (uint32_t n = 1; n < ring; n++) {
        struct venue_id trade = {.length = 8};
        memcpy(trade.bytes, &n, sizeof n);
        orders_trade_repeats(h.engine, FOREIGN + 1, &last, &trade);
    }
    give(EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION),
         (union event_record){.order_filled = fill}); /* the oldest in a full ring */
    cr_expect_eq(h.engine->orders.repeats, 1);
    cr_expect_eq(h.engine->instruments[0].position.units, 1);
    fill.trade.bytes[7] = 1; /* none that is in it, and it takes the oldest's place */
    give(EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION),
         (union event_record){.order_filled = fill});
    cr_expect_eq(h.engine->instruments[0].position.units, 2);
    fill.trade.bytes[7] = 0;
    give(EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION),
         (union event_record){.order_filled = fill});
    cr_expect_eq(h.engine->orders.repeats, 1);
    cr_expect_eq(h.engine->instruments[0].position.units, 3);
    harness_close(&h);
}

/* Only a snapshot that was taken since can show that there is room for all. */
Test(orphans, an_account_from_before_there_was_no_room_shows_nothing_of_it)
{
    quiet();
    for (order_id id = 0; id < 4; id++)
        fills(0, FOREIGN + id, SIDE_BUY, value(1));
    h.now = SECONDS(12);
    fills(0, FOREIGN + 4, SIDE_BUY, value(1));
    for (int64_t taken = 11; taken <= 12; taken++) {
        h.now++;
        for (order_id id = 0; id < 4; id++)
            shows(0, FOREIGN + id, SIDE_BUY, 990, 1);
        ends(0, SECONDS(taken));
        cr_expect_eq(alarm_is_raised(h.engine, EVENT_NONE_16, 0, ALARM_ORPHANS_FULL), taken == 11);
    }
    harness_close(&h);
}

/* --- answers ------------------------------------------------------------------------------------------ */

Test(orphans, an_end_ends_it_whatever_its_word)
{
    static const enum event_kind kinds[] = {EVENT_order_cancelled, EVENT_order_expired,
                                            EVENT_order_not_found};
    quiet();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        fills(0, FOREIGN, SIDE_BUY, value(5));
        answers(EVENT_order_accepted, FOREIGN, REJECT_NONE); /* no end */
        cr_expect_eq(leaves_of(0, SIDE_BUY), 5);
        answers(kinds[i], FOREIGN, REJECT_NONE);
        cr_expect_eq(leaves_of(0, SIDE_BUY), 0);
    }
    harness_close(&h);
}

Test(orphans, a_refused_cancel_says_why)
{
    quiet();
    fills(0, FOREIGN, SIDE_BUY, value(5));
    answers(EVENT_cancel_rejected, FOREIGN, REJECT_OTHER); /* it rests on, and is tried again */
    cr_expect_eq(leaves_of(0, SIDE_BUY), 5);
    cr_expect_neq(h.engine->orphans.list[0].due, TIME_NEVER);
    answers(EVENT_cancel_rejected, FOREIGN, REJECT_FILLED); /* its fill is to come */
    cr_expect_eq(leaves_of(0, SIDE_BUY), 5);
    cr_expect_eq(h.engine->orphans.list[0].due, TIME_NEVER);
    answers(EVENT_cancel_rejected, FOREIGN, REJECT_NOT_FOUND);
    cr_expect_eq(leaves_of(0, SIDE_BUY), 0);
    harness_close(&h);
}

/* --- snapshots ----------------------------------------------------------------------------------------- */

Test(orphans, rows_that_name_nothing_are_surprises)
{
    quiet();
    shows(2, FOREIGN, SIDE_BUY, 990, 5);
    shows(0, FOREIGN, (enum side)2, 990, 5);
    cr_expect_eq(h.engine->orders.surprises, 2);
    cr_expect_eq(h.engine->orphans.count, 0);
    harness_close(&h);
}

/* A row is no orphan before its snapshot ends, and the other venue's end is not its own. */
Test(orphans, a_row_waits_for_the_end_of_its_own_venues_snapshot)
{
    quiet();
    h.now = SECONDS(1);
    shows(1, FOREIGN, SIDE_BUY, 990, 5);
    fills(0, FOREIGN + 1, SIDE_BUY, value(2));
    ends(0, SECONDS(1));
    cr_expect_eq(leaves_of(1, SIDE_BUY), 0);
    cr_expect_eq(leaves_of(0, SIDE_BUY), 2); /* younger than what was taken */
    harness_run_to(&h, SECONDS(20));         /* long past every grace */
    cr_expect_not(h.engine->orphans.list[0].judged);
    ends(1, SECONDS(20));
    cr_expect_eq(leaves_of(1, SIDE_BUY), 5);
    harness_close(&h);
}

/* A snapshot that is too old is not trusted: its rows go, those of the other venue stay. */
Test(orphans, rows_of_an_untrusted_snapshot_are_dropped)
{
    quiet();
    h.now = SECONDS(10);
    shows(1, FOREIGN, SIDE_BUY, 990, 5);
    shows(0, FOREIGN, SIDE_BUY, 990, 5);
    h.engine->venues[0].sync.trusted = SECONDS(9);
    ends(0, SECONDS(8));
    cr_expect_eq(h.engine->orphans.count, 1);
    cr_expect_eq(h.engine->orphans.list[0].instrument, 1);
    cr_expect_eq(leaves_of(0, SIDE_BUY), 0);
    harness_close(&h);
}

/* And an orphan of before stays as it is known. */
Test(orphans, an_untrusted_snapshot_takes_no_orphan_away)
{
    quiet();
    fills(0, FOREIGN, SIDE_BUY, value(5));
    h.now = SECONDS(10);
    shows(0, FOREIGN + 1, SIDE_BUY, 990, 7);
    h.engine->venues[0].sync.trusted = SECONDS(9);
    ends(0, SECONDS(8));
    cr_expect_eq(h.engine->orphans.count, 1);
    cr_expect_eq(leaves_of(0, SIDE_BUY), 5);
    harness_close(&h);
}

/* B14: a price that can't be read leaves the one that was told last. */
Test(orphans, a_row_without_a_price_moves_an_orphan_nowhere)
{
    quiet();
    h.now = SECONDS(1);
    shows(0, FOREIGN, SIDE_BUY, 990, 5);
    ends(0, SECONDS(1));
    cr_assert_eq(h.engine->orphans.list[0].price, 990);
    static const struct number prices[] = {{0, NUMBER_NAN}, {0, NUMBER_VALUE}, {-5, NUMBER_VALUE}};
    for (int64_t i = 0; i < 3; i++) {
        h.now = SECONDS(2 + i);
        give(EVENT_open_order, EVENT_STREAM(0, CHANNEL_SESSION),
             (union event_record){.open_order = {.order = FOREIGN,
                                                 .side = SIDE_BUY,
                                                 .price = prices[i],
                                                 .leaves = value(4 - i)}});
        ends(0, h.now);
        cr_expect_eq(h.engine->orphans.list[0].price, 990);
        cr_expect_eq(leaves_of(0, SIDE_BUY), 4 - i);
    }
    harness_close(&h);
}

/* An order that is not ours and tells no number is one by its name, and may fill anything. */
Test(orphans, a_foreign_order_without_a_number_may_fill_anything)
{
    quiet();
    h.now = SECONDS(1);
    union event_record row = {
        .open_order = {.side = SIDE_BUY, .price = value(990), .leaves = {0, NUMBER_NAN}}};
    give(EVENT_open_order, EVENT_STREAM(0, CHANNEL_SESSION), row); /* nobody's and nameless: none */
    row.open_order.venue_order = (struct venue_id){.length = 1, .bytes = {'x'}};
    give(EVENT_open_order, EVENT_STREAM(0, CHANNEL_SESSION), row);
    ends(0, SECONDS(1));
    cr_assert_eq(h.engine->orphans.count, 1);
    cr_expect_eq(leaves_of(0, SIDE_BUY), SYNC_LEAVES_UNKNOWN);
    harness_close(&h);
}

Test(orphans, an_order_of_ours_that_ended_after_the_snapshot_is_none)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    h.now = SECONDS(2);
    harness_cancelled(&h, 1, 10);
    shows(0, 1, SIDE_BUY, 990, 10);
    ends(0, SECONDS(1));
    cr_expect_eq(h.engine->orphans.count, 0);
    /* One that the venue shows after its end is. */
    shows(0, 1, SIDE_BUY, 990, 10);
    h.now = SECONDS(4);
    ends(0, SECONDS(3));
    cr_expect_eq(leaves_of(0, SIDE_BUY), 10);
    harness_close(&h);
}

/* Its id was nobody's when the row came; before the end it is that of a new order of ours. */
Test(orphans, an_order_of_ours_that_is_placed_before_the_end_is_none)
{
    quiet();
    h.now = SECONDS(1);
    shows(0, 1, SIDE_BUY, 990, 10);
    place(1, SIDE_BUY, 990, 10);
    ends(0, SECONDS(1));
    cr_expect_eq(h.engine->orphans.count, 0);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 10);
    harness_close(&h);
}

/* From 10 @ 99.0 to 20 @ 98.5, and the answer is lost. */
static void lost_modify(void)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    const struct event_modify modify = {.order = 1, .price = value(985), .leaves = value(20)};
    orders_take_modify(h.engine, &modify, h.now);
    give(EVENT_order_unknown, EVENT_STREAM(0, CHANNEL_SESSION),
         (union event_record){.order_unknown = {.order = 1, .request = REQUEST_MODIFY}});
    h.now = SECONDS(2);
}

static void expect_after(int64_t price, int64_t leaves, enum order_state state)
{
    lost_modify();
    shows(0, 1, SIDE_BUY, price, leaves);
    ends(0, SECONDS(1));
    cr_expect_eq(harness_order(&h, 1)->state, state, "%d @ %d", (int)leaves, (int)price);
    harness_close(&h);
}

Test(orphans, a_lost_modify_is_shown_as_asked_or_as_before)
{
    expect_after(985, 20, ORDER_ACTIVE);
    expect_after(990, 10, ORDER_ACTIVE);
    expect_after(985, 10, ORDER_UNKNOWN);
    expect_after(990, 20, ORDER_UNKNOWN);
    expect_after(980, 20, ORDER_UNKNOWN);
}

/* Without an acceptance so far, and shown as it was sent: it rests. */
Test(orphans, an_order_that_is_shown_before_its_acceptance_rests)
{
    quiet();
    orders_take_place(h.engine,
                      &(struct event_place){.order = 1, .price = value(990), .quantity = value(10)},
                      h.now);
    h.now = SECONDS(2);
    shows(0, 1, SIDE_BUY, 990, 10);
    ends(0, SECONDS(1));
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_ACTIVE);
    cr_expect_eq(harness_count(&h, EVENT_query), 0);
    harness_close(&h);
}

/* What is on its way out, or about to change, may be shown as it was: that answers nothing. */
Test(orphans, an_order_that_is_shown_while_its_request_travels_waits_for_its_answer)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    place(2, SIDE_BUY, 985, 10);
    orders_take_cancel(h.engine, &(struct event_cancel){.order = 1}, h.now);
    orders_take_modify(h.engine,
                       &(struct event_modify){.order = 2, .price = value(980), .leaves = value(5)},
                       h.now);
    h.now = SECONDS(2);
    shows(0, 1, SIDE_BUY, 990, 10);
    shows(0, 2, SIDE_BUY, 985, 10);
    ends(0, SECONDS(1));
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_PENDING_CANCEL);
    cr_expect_eq(harness_order(&h, 2)->state, ORDER_PENDING_MODIFY);
    cr_expect_eq(harness_count(&h, EVENT_query), 0);
    harness_close(&h);
}

/* One that rests is not shown: it is asked for, but not into a breaker or a closing connection. */
Test(orphans, nothing_is_asked_for_while_nothing_may_be_sent)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    h.now = SECONDS(2);
    hold_back(0);
    ends(0, SECONDS(1));
    cr_expect_eq(harness_count(&h, EVENT_query), 0);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_ACTIVE);
    h.engine->venues[0].infrastructure.state = INFRASTRUCTURE_CLOSED;
    h.engine->carry.shutdown = SHUTDOWN_DISCONNECTING;
    h.engine->carry.shutdown_deadline = h.engine->carry.shutdown_step_deadline = SECONDS(100);
    ends(0, SECONDS(1));
    cr_expect_eq(harness_count(&h, EVENT_query), 0);
    h.engine->carry.shutdown = SHUTDOWN_RUNNING;
    ends(0, SECONDS(1));
    cr_expect_eq(harness_count(&h, EVENT_query), 1);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_UNKNOWN);
    harness_close(&h);
}

/* The first snapshot after a restart asks for what nobody knows, once the breaker lets it. */
Test(orphans, an_unknown_order_waits_for_the_venues_breaker)
{
    quiet();
    place(1, SIDE_BUY, 990, 10);
    give(EVENT_order_unknown, EVENT_STREAM(0, CHANNEL_SESSION),
         (union event_record){.order_unknown = {.order = 1, .request = REQUEST_QUERY}});
    h.now = SECONDS(2);
    h.engine->venues[0].reconciled = false;
    hold_back(0);
    ends(0, SECONDS(1));
    cr_expect_eq(harness_count(&h, EVENT_query), 0);
    harness_close(&h);
}

/* --- requests ------------------------------------------------------------------------------------------ */

/* A tape may name venues and orders that there are not. */
Test(orphans, requests_that_name_nothing_change_nothing)
{
    quiet();
    const struct event_request_snapshot nowhere = {.venue = 2};
    struct event_cancel_orphan cancel = {.instrument = 2, .order = FOREIGN};
    sync_take_request(h.engine, &nowhere, h.now);
    sync_take_cancel_orphan(h.engine, &cancel, h.now);
    cancel.instrument = 0;
    sync_take_cancel_orphan(h.engine, &cancel, h.now);
    cr_expect_eq(h.engine->orphans.count, 0);
    cr_expect_eq(h.engine->venues[0].sync.requested, TIME_NEVER);
    cr_expect_eq(h.engine->venues[0].infrastructure.failures, 0);
    /* Asked twice at one time is asked once; asked again later the first was not answered. */
    const struct event_request_snapshot here = {.venue = 0};
    sync_take_request(h.engine, &here, h.now);
    sync_take_request(h.engine, &here, h.now);
    cr_expect_eq(h.engine->venues[0].infrastructure.failures, 0);
    sync_take_request(h.engine, &here, h.now + 1);
    cr_expect_eq(h.engine->venues[0].infrastructure.failures, 1);
    harness_close(&h);
}

Test(orphans, its_cancel_waits_for_the_venues_breaker_and_rate)
{
    quiet();
    fills(0, FOREIGN, SIDE_BUY, value(5));
    int64_t due = h.engine->orphans.list[0].due;
    h.now = due - MILLISECONDS(500);
    hold_back(0);
    harness_run_to(&h, due);
    cr_expect_eq(engine_counters(h.engine)->cancelled, 0);
    cr_expect_eq(h.engine->orphans.list[0].due, due + MILLISECONDS(500));
    h.engine->venues[0].infrastructure.state = INFRASTRUCTURE_CLOSED;
    h.engine->venues[0].rate.refused_until = INT64_MAX;
    h.engine->venues[0].rate.cap = 0;
    harness_run_to(&h, due + MILLISECONDS(500));
    cr_expect_eq(engine_counters(h.engine)->cancelled, 0);
    cr_expect_eq(h.engine->orphans.list[0].due, due + MILLISECONDS(1500));
    harness_close(&h);
}

/* --- money and own book ---------------------------------------------------------------------------------- */

/* A funding after the snapshot was taken is not in it: what was booked stays. */
Test(orphans, balances_from_before_a_funding_are_not_taken)
{
    quiet();
    h.now = SECONDS(3);
    h.engine->instruments[0].position.last_funding_due = SECONDS(2);
    h.engine->venues[0].sync.requested = SECONDS(1);
    union event_record record = {.balance = {.venue = 0, .asset = ASSET_QUOTE, .total = {77}}};
    give(EVENT_balance, EVENT_NONE_16, record);
    ends(0, SECONDS(1));
    cr_expect_eq(ledger_balance(h.engine, 0, ASSET_QUOTE)->total.atto, 0);
    record.balance.asset = HARNESS_ASSETS; /* none that there is */
    give(EVENT_balance, EVENT_NONE_16, record);
    record.balance = (struct event_balance){.venue = 2, .asset = ASSET_QUOTE, .total = {77}};
    give(EVENT_balance, EVENT_NONE_16, record);
    give(EVENT_balance, EVENT_NONE_16,
         (union event_record){.balance = {.venue = 0, .asset = ASSET_QUOTE, .total = {77}}});
    ends(0, SECONDS(3));
    cr_expect_eq(ledger_balance(h.engine, 0, ASSET_QUOTE)->total.atto, 77);
    harness_close(&h);
}

Test(orphans, sums_that_do_not_hold_are_the_venues_alarm)
{
    quiet();
    h.engine->audit_each = false; /* it would count the broken sum */
    harness_run_to(&h, SECONDS(60) - 1);
    ledger_balance(h.engine, 1, ASSET_QUOTE)->reserved.atto = 1;
    harness_run_to(&h, SECONDS(60));
    cr_expect(alarm_is_raised(h.engine, EVENT_NONE_16, 1, ALARM_OWN_BOOK));
    cr_expect_not(alarm_is_raised(h.engine, EVENT_NONE_16, 0, ALARM_OWN_BOOK));
    cr_expect(alarms_stop(h.engine, 1));
    cr_expect_not(alarms_stop(h.engine, 0));
    harness_close(&h);
}

/* --- what they stop: rules 16, 17 and 28 --------------------------------------------------------------- */

static uint32_t gates_of(enum want want, enum side side, int64_t price, int64_t quantity,
                         const struct order *own)
{
    const struct candidate candidate = {
        .want = (uint8_t)want, .side = (uint8_t)side, .price = price, .quantity = quantity};
    struct instrument *instrument = &h.engine->instruments[0];
    instrument->reference4 = market_reference4(&instrument->market, h.engine->now);
    return risk_order_gates(h.engine, &candidate, own);
}

static uint32_t gate_of(enum side side, int64_t price, int64_t quantity)
{
    return gates_of(WANT_PLACE, side, price, quantity, NULL);
}

#define EXPECT_GATE(mask, gate) cr_expect_eq(mask, UINT32_C(1) << (gate), "gates %x", mask)

/* The account is shared: what others have in it stays. */
static void share(enum contract contract)
{
    harness_init(&h);
    h.definitions[0].contract = (uint8_t)contract;
    h.settings[0].quote_enabled = false;
    h.settings[0].risk_position_limit = LOTS(1000000);
    h.venues[0].account_exclusive = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
}

static void shows_foreign(const char *name, enum side side, struct number price,
                          struct number leaves)
{
    union event_record record = {
        .open_order = {.side = (uint8_t)side, .price = price, .leaves = leaves}};
    record.open_order.venue_order.length = 1;
    record.open_order.venue_order.bytes[0] = (uint8_t)name[0];
    give(EVENT_open_order, EVENT_STREAM(0, CHANNEL_SESSION), record);
}

Test(orphans, no_order_of_ours_meets_one)
{
    share(CONTRACT_LINEAR);
    cr_expect_eq(gate_of(SIDE_BUY, 1000, 1), 0);
    h.now = SECONDS(1);
    shows_foreign("a", SIDE_SELL, value(1000), value(3));
    cr_expect_eq(gate_of(SIDE_BUY, 1000, 1), 0); /* a row says nothing before the end */
    ends(0, h.now);
    EXPECT_GATE(gate_of(SIDE_BUY, 1000, 1), GATE_OWN_CROSS);
    cr_expect_eq(gate_of(SIDE_BUY, 995, 1), 0);
    cr_expect_eq(gate_of(SIDE_SELL, 1005, 1), 0); /* beside it */
    h.now = SECONDS(2);
    shows_foreign("b", SIDE_BUY, value(1010), value(3));
    shows_foreign("a", SIDE_SELL, value(2000), value(3)); /* somebody moved it */
    ends(0, h.now);
    cr_expect_eq(gate_of(SIDE_BUY, 1000, 1), 0);
    EXPECT_GATE(gate_of(SIDE_SELL, 1010, 1), GATE_OWN_CROSS);
    cr_expect_eq(gate_of(SIDE_SELL, 1015, 1), 0);
    harness_close(&h);
}

/* Where nobody knows at what price it rests, it may be met anywhere. */
Test(orphans, one_without_a_price_may_rest_anywhere)
{
    static const struct number none[] = {
        {0, NUMBER_NAN}, {0, NUMBER_ABSENT}, {-5, NUMBER_VALUE}, {INT64_MAX, NUMBER_VALUE}};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        share(CONTRACT_LINEAR);
        h.now = SECONDS(1);
        shows_foreign("a", SIDE_SELL, none[i], value(3));
        ends(0, h.now);
        EXPECT_GATE(gate_of(SIDE_BUY, 505, 1), GATE_OWN_CROSS);
        cr_expect_eq(gate_of(SIDE_SELL, 1005, 1), 0);
        h.now = SECONDS(2);
        shows_foreign("a", SIDE_SELL, value(1000), value(3));
        ends(0, h.now);
        cr_expect_eq(gate_of(SIDE_BUY, 995, 1), 0);
        h.now = SECONDS(3); /* and again where it lost its price */
        shows_foreign("a", SIDE_SELL, none[i], value(3));
        ends(0, h.now);
        EXPECT_GATE(gate_of(SIDE_BUY, 505, 1), GATE_OWN_CROSS);
        harness_close(&h);
    }
}

/* What a buy filled at says only that it stands there or higher. */
Test(orphans, a_fill_does_not_tell_the_price_of_an_order)
{
    share(CONTRACT_LINEAR);
    fills(0, FOREIGN, SIDE_BUY, value(5)); /* at 990 */
    EXPECT_GATE(gate_of(SIDE_SELL, 1005, 1), GATE_OWN_CROSS);
    h.now = SECONDS(1);
    shows(0, FOREIGN, SIDE_BUY, 1000, 5);
    ends(0, h.now);
    cr_expect_eq(gate_of(SIDE_SELL, 1005, 1), 0);
    harness_close(&h);
}

static void balance(uint16_t asset, int64_t whole)
{
    union event_record record = {.balance = {.asset = asset}};
    cr_assert(money_from_units(whole, 0, &record.balance.total));
    give(EVENT_balance, EVENT_NONE_16, record);
}

/* 10.00 USD and 0.050 of base. */
Test(orphans, what_they_may_take_is_not_there_for_us)
{
    share(CONTRACT_SPOT);
    balance(ASSET_QUOTE, 10);
    balance(ASSET_BASE, 1);
    cr_expect_eq(gate_of(SIDE_BUY, 1000, 100), 0);
    EXPECT_GATE(gate_of(SIDE_BUY, 1000, 101), GATE_FUNDS);
    cr_expect_eq(gate_of(SIDE_SELL, 1005, 1000), 0);
    h.now = SECONDS(1);
    shows_foreign("a", SIDE_BUY, value(900), value(50)); /* 4.50 USD */
    shows_foreign("b", SIDE_SELL, value(1100), value(400));
    ends(0, h.now);
    cr_expect_eq(gate_of(SIDE_BUY, 1000, 55), 0);
    EXPECT_GATE(gate_of(SIDE_BUY, 1000, 56), GATE_FUNDS);
    cr_expect_eq(gate_of(SIDE_SELL, 1005, 600), 0);
    EXPECT_GATE(gate_of(SIDE_SELL, 1005, 601), GATE_FUNDS);
    h.now = SECONDS(2); /* both are gone */
    ends(0, h.now);
    cr_expect_eq(gate_of(SIDE_BUY, 1000, 100), 0);
    cr_expect_eq(gate_of(SIDE_SELL, 1005, 1000), 0);
    harness_close(&h);
}

/* Nobody knows what it takes: then nothing that is paid alike leaves. The quantity of a sell is all it needs. */
Test(orphans, one_without_a_number_may_take_everything)
{
    share(CONTRACT_SPOT);
    balance(ASSET_QUOTE, 1000);
    balance(ASSET_BASE, 1000);
    h.now = SECONDS(1);
    shows_foreign("a", SIDE_BUY, (struct number){0, NUMBER_NAN}, value(1));
    shows_foreign("b", SIDE_SELL, (struct number){0, NUMBER_NAN}, value(1));
    ends(0, h.now);
    struct candidate bid = {.side = SIDE_BUY, .price = 1000, .quantity = 1};
    struct candidate offer = {.side = SIDE_SELL, .price = 1005, .quantity = 1};
    cr_expect_not(ledger_has_funds(h.engine, &bid, NULL));
    cr_expect(ledger_has_funds(h.engine, &offer, NULL));
    h.now = SECONDS(2);
    shows_foreign("a", SIDE_BUY, value(INT64_C(1) << 59), value(INT64_C(1) << 59));
    shows_foreign("c", SIDE_SELL, value(1100), (struct number){0, NUMBER_INFINITE});
    ends(0, h.now);
    cr_expect_not(ledger_has_funds(h.engine, &bid, NULL));
    cr_expect_not(ledger_has_funds(h.engine, &offer, NULL));
    harness_close(&h);
}

/* A modify needs what its old or its new figures do, whichever is more, and gives its own reserve back. */
Test(orphans, a_modify_needs_funds_for_the_difference)
{
    share(CONTRACT_SPOT);
    balance(ASSET_QUOTE, 10);
    place(1, SIDE_BUY, 900, 100); /* 9.00 */
    const struct order *own = harness_order(&h, 1);
    cr_expect_eq(gates_of(WANT_MODIFY, SIDE_BUY, 1000, 100, own), 0);
    cr_expect_eq(gates_of(WANT_MODIFY, SIDE_BUY, 900, 111, own), 0);
    EXPECT_GATE(gates_of(WANT_MODIFY, SIDE_BUY, 900, 112, own), GATE_FUNDS);
    EXPECT_GATE(gates_of(WANT_MODIFY, SIDE_BUY, 995, 101, own), GATE_FUNDS);
    h.now = SECONDS(1);
    shows(0, 1, SIDE_BUY, 900, 100);
    shows_foreign("a", SIDE_BUY, value(900), value(10)); /* 0.90 */
    ends(0, h.now);
    EXPECT_GATE(gates_of(WANT_MODIFY, SIDE_BUY, 915, 100, own), GATE_FUNDS);
    cr_expect_eq(gates_of(WANT_MODIFY, SIDE_BUY, 910, 100, own), 0);
    cr_expect_eq(gates_of(WANT_MODIFY, SIDE_BUY, 890, 90, own), 0);
    harness_close(&h);
}

/* The audit asks by itself. */
Test(orphans, an_order_that_would_meet_one_is_a_violation)
{
    share(CONTRACT_LINEAR);
    const struct candidate sell = {
        .want = WANT_PLACE, .side = SIDE_SELL, .price = 1010, .quantity = 1};
    const struct engine_counters *counters = engine_counters(h.engine);
    fills(0, FOREIGN, SIDE_BUY, value(5));
    audit_send(h.engine, &sell);
    cr_expect_eq(counters->violations_by_invariant[2], 1); /* it may be anywhere */
    h.now = SECONDS(1);
    shows(0, FOREIGN, SIDE_BUY, 1005, 5);
    ends(0, h.now);
    audit_send(h.engine, &sell);
    cr_expect_eq(counters->violations_by_invariant[2], 1);
    h.now = SECONDS(2);
    shows(0, FOREIGN, SIDE_BUY, 1010, 5);
    ends(0, h.now);
    audit_send(h.engine, &sell);
    cr_expect_eq(counters->violations_by_invariant[2], 2);
    free(h.memory);
    share(CONTRACT_LINEAR);
    struct candidate buy = {.want = WANT_PLACE, .side = SIDE_BUY, .price = 995, .quantity = 1};
    counters = engine_counters(h.engine);
    h.now = SECONDS(1);
    shows(0, FOREIGN, SIDE_SELL, 1000, 5);
    ends(0, h.now);
    audit_send(h.engine, &buy);
    cr_expect_eq(counters->violations_by_invariant[2], 0);
    buy.price = 1000;
    audit_send(h.engine, &buy);
    cr_expect_eq(counters->violations_by_invariant[2], 1);
    free(h.memory);
}

/* --- what a health page shows of them ------------------------------------------------------------------------ */

Test(orphans, they_and_our_own_orders_are_told_to_who_looks)
{
    struct engine_instrument_status told;
    struct engine_venue_status venues[2];
    struct engine_own_order own[4];
    quiet();
    place(1, SIDE_BUY, 990, 10);
    place(2, SIDE_SELL, 1010, 20);
    place(3, SIDE_SELL, 1015, 30);
    answers(EVENT_order_unknown, 3, REJECT_NONE);
    fills(0, FOREIGN, SIDE_BUY, value(5));
    fills(1, FOREIGN, SIDE_SELL, value(7));
    h.now = SECONDS(1);
    shows_foreign("a", SIDE_BUY, value(900), value(3)); /* nobody has judged it yet */
    engine_instrument_status(h.engine, 0, &told);
    cr_expect(told.orders == 3 && told.unknown == 1);
    cr_expect(told.leaves[SIDE_BUY] == 15 && told.leaves[SIDE_SELL] == 50);
    engine_instrument_status(h.engine, 1, &told);
    cr_expect(told.orders == 0 && told.unknown == 0);
    cr_expect(told.leaves[SIDE_BUY] == 0 && told.leaves[SIDE_SELL] == 7);
    for (unsigned venue = 0; venue < 2; venue++)
        engine_venue_status(h.engine, venue, &venues[venue]);
    cr_expect_eq(h.engine->orphans.count, 3);
    cr_expect(venues[0].orphans == 1 && venues[1].orphans == 1);
    cr_assert_eq(engine_own_orders(h.engine, 0, own, 4), 3);
    cr_expect(own[0].id == 1 && own[1].id == 2 && own[2].id == 3);
    cr_expect(own[1].price == 1010 && own[1].leaves == 20 && own[1].side == SIDE_SELL);
    cr_expect_eq(own[2].state, ORDER_UNKNOWN);
    own[2].id = 0;
    cr_expect_eq(engine_own_orders(h.engine, 0, own, 2), 2); /* no more than there is room for */
    cr_expect_eq(own[2].id, 0);
    cr_expect_eq(engine_own_orders(h.engine, 1, own, 4), 0);
    harness_close(&h);
}

/* --- state ------------------------------------------------------------------------------------------------ */

static uint64_t walked(void)
{
    struct walker_hash hash;
    walker_hash_init(&hash);
    engine_walk(h.engine, &hash.walker);
    return hash.hash;
}

Test(orphans, they_are_part_of_the_engines_state)
{
    quiet();
    fills(0, FOREIGN, SIDE_BUY, value(5));
    uint64_t before = walked();
    h.engine->orphans.list[0].venue_order.bytes[9] = 1;
    cr_expect_neq(walked(), before);
    h.engine->orphans.list[0].venue_order.bytes[9] = 0;
    cr_expect_eq(walked(), before);
    harness_close(&h);
}
