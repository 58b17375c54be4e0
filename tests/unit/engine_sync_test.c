/* Safety sync (trading-semantics 28): what an account snapshot may say, orphans, drift, own book. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

/* Orders #1 buy 10 @ 99.0 and #2 sell 10 @ 101.5 rest since time 0. */
static void quoted(void)
{
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
}

static void give(enum event_kind kind, const union event_record *record)
{
    bool of_instrument = kind != EVENT_snapshot_end && kind != EVENT_balance;
    harness_record(&h, kind, of_instrument ? EVENT_STREAM(0, CHANNEL_SESSION) : EVENT_NONE_16,
                   record);
}

static void shows(order_id order, const char *name, enum side side, int64_t price, int64_t leaves)
{
    union event_record record = {.open_order = {.order = order,
                                                .side = (uint8_t)side,
                                                .price = {price, NUMBER_VALUE},
                                                .leaves = {leaves, NUMBER_VALUE}}};
    record.open_order.venue_order.length = (uint8_t)strlen(name);
    memcpy(record.open_order.venue_order.bytes, name, strlen(name));
    give(EVENT_open_order, &record);
    cr_expect_eq(h.count, 0); /* a row says nothing before the end */
}

static void shows_both(void)
{
    shows(1, "a", SIDE_BUY, 990, 10);
    shows(2, "b", SIDE_SELL, 1015, 10);
}

static void shows_position(int64_t units)
{
    union event_record record = {.venue_position = {.position = {units, NUMBER_VALUE}}};
    give(EVENT_venue_position, &record);
}

static void ends(int64_t taken)
{
    union event_record record = {.snapshot_end = {.taken = taken}};
    give(EVENT_snapshot_end, &record);
}

/* A snapshot that shows what rests, and a position. */
static void snapshot(int64_t taken, int64_t position)
{
    shows_both();
    shows_position(position);
    ends(taken);
}

static bool raised(enum alarm reason)
{
    return alarm_is_raised(h.engine, 0, 0, reason) ||
           alarm_is_raised(h.engine, EVENT_NONE_16, 0, reason);
}

static void unknown(order_id order)
{
    union event_record record = {.order_unknown = {.order = order, .request = REQUEST_CANCEL}};
    give(EVENT_order_unknown, &record);
}

static void at(int64_t now)
{
    harness_run_to(&h, now);
}

/* --- drift --------------------------------------------------------------------------------------- */

Test(sync, rule_28_a_fee_in_base_is_no_drift)
{
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    union event_record record = {.order_filled = {.order = 77,
                                                  .price = {1000, NUMBER_VALUE},
                                                  .quantity = {10000, NUMBER_VALUE},
                                                  .leaves = {0, NUMBER_VALUE},
                                                  .fee_asset = ASSET_BASE}};
    cr_assert(money_from_units(1, -2, &record.order_filled.fee));
    give(EVENT_order_filled, &record); /* Σ fills 10, fee 0.01 */
    for (int64_t second = 10; second <= 30; second += 10) {
        at(SECONDS(second));
        shows_position(9990);
        ends(h.now);
        cr_expect_eq(h.engine->instruments[0].sync.differing, 0);
    }
    cr_expect_not(raised(ALARM_DRIFT));
    /* Without the fee it would have been drift, by ten lots. */
    at(SECONDS(40));
    shows_position(10000);
    ends(h.now);
    at(SECONDS(50));
    shows_position(10000);
    ends(h.now);
    cr_expect(raised(ALARM_DRIFT));
    harness_close(&h);
}

Test(sync, rule_28_one_lot_is_none_two_lots_are_drift_at_the_second_snapshot)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    snapshot(h.now, 1);
    at(SECONDS(20));
    snapshot(h.now, -1);
    cr_expect_eq(h.engine->instruments[0].sync.differing, 0);
    at(SECONDS(30));
    snapshot(h.now, 2);
    cr_expect_not(raised(ALARM_DRIFT));
    at(SECONDS(40));
    snapshot(h.now, 2);
    cr_expect(raised(ALARM_DRIFT));
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2); /* nothing rests */
    harness_cancelled(&h, 1, 10);
    harness_cancelled(&h, 2, 10);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    at(SECONDS(50));
    shows_position(1);
    ends(h.now);
    cr_expect_not(raised(ALARM_DRIFT));
    cr_expect_eq(harness_count(&h, EVENT_place), 2);
    harness_close(&h);
}

/* It goes on being one, and is told once; a reset asks the account, which alone can end it. */
Test(sync, drift_stays_told_until_the_account_agrees)
{
    harness_init(&h);
    h.venues[0].safety_sync_interval = SECONDS(3600);
    quoted();
    for (int64_t second = 10; second <= 13; second++) {
        at(SECONDS(second));
        snapshot(h.now, 5);
        cr_expect_eq(raised(ALARM_DRIFT), second >= 11);
        cr_expect_eq(harness_count(&h, EVENT_alarm), second == 11);
    }
    cr_expect_eq(h.engine->instruments[0].sync.differing, SYNC_DRIFT_SNAPSHOTS);
    harness_command(&h, COMMAND_RESET);
    cr_expect(raised(ALARM_DRIFT));
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    at(SECONDS(14));
    snapshot(h.now, 0);
    cr_expect_not(raised(ALARM_DRIFT));
    harness_close(&h);
}

Test(sync, rule_28_a_position_is_compared_two_seconds_after_its_last_fill)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    at(SECONDS(20));
    snapshot(SECONDS(12) - 1, 0);
    cr_expect_eq(h.engine->instruments[0].sync.differing, 0);
    snapshot(SECONDS(12), 0);
    cr_expect_eq(h.engine->instruments[0].sync.differing, 1);
    /* a fill between two that differ: what the venue said before it means nothing */
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    at(SECONDS(22));
    snapshot(h.now, 0);
    cr_expect_not(raised(ALARM_DRIFT));
    at(SECONDS(23));
    snapshot(h.now, 0);
    cr_expect(raised(ALARM_DRIFT));
    harness_close(&h);
}

Test(sync, rule_28_the_same_snapshot_told_twice_is_one)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    snapshot(SECONDS(5), 50);
    snapshot(SECONDS(5), 50);
    cr_expect_not(raised(ALARM_DRIFT));
    harness_close(&h);
}

Test(sync, rule_28_no_drift_while_an_order_is_unknown)
{
    harness_init(&h);
    quoted();
    at(SECONDS(1));
    unknown(1);
    for (int64_t second = 2; second <= 5; second++) {
        at(SECONDS(second));
        shows(2, "b", SIDE_SELL, 1015, 10);
        shows_position(10);
        ends(h.now);
    }
    cr_expect_not(raised(ALARM_DRIFT));
    harness_fill(&h, 1, SIDE_BUY, 990, 10, 0); /* that was it */
    at(SECONDS(8));
    shows(2, "b", SIDE_SELL, 1015, 10);
    shows_position(10);
    ends(h.now);
    cr_expect_eq(h.engine->instruments[0].sync.differing, 0);
    harness_close(&h);
}

/* --- what is trusted --------------------------------------------------------------------------------- */

Test(sync, a_snapshot_of_exactly_its_age_is_trusted)
{
    harness_init(&h);
    h.venues[0].safety_snapshot_age = SECONDS(10);
    quoted();
    at(SECONDS(20) + 1);
    ends(SECONDS(10));
    cr_expect_eq(h.engine->venues[0].sync.trusted, 0);
    cr_expect_eq(harness_count(&h, EVENT_query), 0);
    ends(SECONDS(10) + 1);
    cr_expect_eq(h.engine->venues[0].sync.trusted, SECONDS(10) + 1);
    cr_expect_eq(harness_count(&h, EVENT_query), 2); /* it shows neither order */
    at(SECONDS(20) + 2);
    ends(SECONDS(10) + 2 - 1 - 1); /* older than the one before */
    cr_expect_eq(h.engine->venues[0].sync.trusted, SECONDS(10) + 1);
    harness_close(&h);
}

Test(sync, rule_28_a_snapshot_overrides_no_order_with_an_event_after_its_request)
{
    harness_init(&h);
    h.settings[0].reconcile_size = 1000000000; /* what is left of it may rest */
    quoted();
    at(SECONDS(10));
    harness_fill(&h, 1, SIDE_BUY, 990, 4, 6);
    at(SECONDS(11));
    shows(2, "b", SIDE_SELL, 1015, 10);
    ends(SECONDS(10)); /* sent when the fill came */
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_PARTLY_FILLED);
    shows(2, "b", SIDE_SELL, 1015, 10);
    ends(SECONDS(10) + 1);
    cr_expect_eq(harness_count(&h, EVENT_query), 1);
    cr_expect_eq(harness_find(&h, EVENT_query, 0)->query.order, 1);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_UNKNOWN);
    cr_expect_eq(harness_order(&h, 2)->state, ORDER_ACTIVE);
    harness_close(&h);
}

Test(sync, an_order_shown_with_other_figures_is_asked_for)
{
    harness_init(&h);
    h.settings[0].reconcile_size = 1000000000; /* what is left of it may rest */
    quoted();
    at(SECONDS(10));
    shows(1, "a", SIDE_BUY, 990, 6);
    shows(2, "b", SIDE_SELL, 1015, 10);
    ends(h.now);
    cr_assert_eq(harness_count(&h, EVENT_query), 1);
    harness_fill(&h, 1, SIDE_BUY, 990, 4, 6);
    union event_record record = {
        .order_status = {.order = 1, .price = {990, NUMBER_VALUE}, .leaves = {6, NUMBER_VALUE}}};
    give(EVENT_order_status, &record);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_PARTLY_FILLED);
    cr_expect_eq(harness_order(&h, 1)->leaves, 6);
    harness_close(&h);
}

Test(sync, an_unknown_order_that_is_shown_as_we_hold_it_rests)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    unknown(1);
    at(SECONDS(11));
    shows_both();
    ends(SECONDS(10) + 1);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_ACTIVE);
    harness_close(&h);
}

/* The first may have overtaken the fills or the end that it speaks of. */
Test(sync, a_second_status_without_leaves_ends_an_order)
{
    harness_init(&h);
    quoted();
    at(SECONDS(1));
    unknown(1);
    union event_record record = {
        .order_status = {.order = 1, .price = {990, NUMBER_VALUE}, .leaves = {0, NUMBER_VALUE}}};
    give(EVENT_order_status, &record);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_UNKNOWN);
    cr_expect_eq(harness_order(&h, 1)->leaves, 10);
    give(EVENT_order_status, &record);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_CANCELLED);
    harness_close(&h);
}

Test(sync, a_balance_within_a_snapshot_waits_for_its_end_and_for_no_later_fill)
{
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    h.venues[0].safety_sync_interval = SECONDS(60);
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    const struct balance *quote = ledger_balance(h.engine, 0, ASSET_QUOTE);
    union event_record record = {.balance = {.asset = ASSET_QUOTE}};
    cr_assert(money_from_units(500, 0, &record.balance.total));
    give(EVENT_balance, &record); /* nothing was asked for: it is news */
    cr_expect_eq(money_compare(quote->total, record.balance.total), 0);
    at(SECONDS(60)); /* now it is */
    money before = quote->total;
    cr_assert(money_from_units(700, 0, &record.balance.total));
    give(EVENT_balance, &record);
    cr_expect_eq(money_compare(quote->total, before), 0);
    ends(SECONDS(60));
    cr_expect_eq(money_compare(quote->total, record.balance.total), 0);
    at(SECONDS(120));
    cr_assert(money_from_units(900, 0, &record.balance.total));
    give(EVENT_balance, &record);
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    before = quote->total;
    ends(SECONDS(120));
    cr_expect_eq(money_compare(quote->total, before), 0);
    harness_close(&h);
}

Test(sync, a_balance_holds_every_fill_that_the_venue_made_before_it)
{
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    const struct balance *quote = ledger_balance(h.engine, 0, ASSET_QUOTE);
    union event_record record = {.balance = {.asset = ASSET_QUOTE}};
    cr_assert(money_from_units(500, 0, &record.balance.total));
    struct message message = {.ts_local = SECONDS(10),
                              .ts_venue = SECONDS(9),
                              .flags = MESSAGE_VENUE_TIME,
                              .stream = EVENT_NONE_16,
                              .kind = EVENT_balance,
                              .record = &record};
    engine_step(h.engine, &message);
    money total = quote->total, moved = quote->moved;
    harness_told_fill(&h, SECONDS(9)); /* late: the balance of 9 s has it already */
    cr_expect_eq(money_compare(quote->total, total), 0);
    cr_expect_eq(money_compare(quote->moved, moved), -1);
    cr_expect_eq(money_compare(quote->total, money_add(quote->transfers, quote->moved)), 0);
    harness_told_fill(&h, SECONDS(9) + 1);
    cr_expect_eq(money_compare(quote->total, total), -1);
    cr_expect_eq(money_compare(quote->total, money_add(quote->transfers, quote->moved)), 0);
    cr_expect_eq(h.engine->counters.invariant_violations, 0);
    harness_close(&h);
}

Test(sync, a_balance_from_before_what_is_known_is_not_taken)
{
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    const struct balance *quote = ledger_balance(h.engine, 0, ASSET_QUOTE);
    at(SECONDS(20));
    harness_told_balance(&h, SECONDS(10), MESSAGE_VENUE_TIME, 500);
    money total = quote->total;
    harness_told_balance(&h, SECONDS(10) - 1, MESSAGE_VENUE_TIME, 700); /* older than the last */
    cr_expect_eq(money_compare(quote->total, total), 0);
    harness_told_fill(&h, SECONDS(12));
    total = quote->total;
    harness_told_balance(&h, SECONDS(12) - 1, MESSAGE_VENUE_TIME, 700); /* older than the fill */
    cr_expect_eq(money_compare(quote->total, total), 0);
    harness_told_balance(&h, SECONDS(12), MESSAGE_VENUE_TIME, 700);
    cr_assert(money_from_units(700, 0, &total));
    cr_expect_eq(money_compare(quote->total, total), 0);
    harness_close(&h);
}

/* --- timers ---------------------------------------------------------------------------------------- */

Test(sync, asks_at_its_interval_and_an_old_account_stops_quoting)
{
    harness_init(&h);
    h.venues[0].safety_sync_interval = SECONDS(60);
    h.venues[0].safety_snapshot_limit = SECONDS(90);
    quoted();
    at(SECONDS(60) - 1);
    cr_expect_eq(h.engine->venues[0].sync.requested, TIME_NEVER);
    harness_tick(&h, SECONDS(60));
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    at(SECONDS(90) - 1);
    cr_expect_not(raised(ALARM_SNAPSHOT_OLD));
    harness_tick(&h, SECONDS(90));
    cr_expect(raised(ALARM_SNAPSHOT_OLD));
    const struct event_alarm *alarm = &harness_find(&h, EVENT_alarm, 0)->alarm;
    cr_expect_eq(alarm->clears, COMMAND_RESET);
    cr_expect(harness_blocking(&h) >> GATE_SAFETY & 1);
    harness_command(&h, COMMAND_RESET); /* asks again, and only that */
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    cr_expect(raised(ALARM_SNAPSHOT_OLD));
    shows_both();
    ends(SECONDS(90));
    cr_expect_not(raised(ALARM_SNAPSHOT_OLD));
    cr_expect_not(harness_blocking(&h) >> GATE_SAFETY & 1);
    harness_close(&h);
}

/* When a session may end and another begin: nothing is on its way that the next would miss. */
Test(sync, is_settled_while_every_account_is_known_and_none_is_awaited)
{
    harness_init(&h);
    h.venues[0].safety_sync_interval = SECONDS(10);
    harness_make(&h);
    cr_expect(!engine_is_settled(h.engine), "it has not started");
    union event_record record = {.start = {.epoch = 0}};
    harness_record(&h, EVENT_start, EVENT_NONE_16, &record);
    cr_expect(!engine_is_settled(h.engine));
    ends(0);
    cr_expect(!engine_is_settled(h.engine), "the second venue's account is not known");
    record.snapshot_end = (struct event_snapshot_end){.venue = 1};
    give(EVENT_snapshot_end, &record);
    cr_expect(engine_is_settled(h.engine));
    harness_tick(&h, SECONDS(10));
    cr_assert_eq(harness_count(&h, EVENT_request_snapshot), 1);
    cr_expect(!engine_is_settled(h.engine), "one is awaited");
    ends(SECONDS(10));
    cr_expect(engine_is_settled(h.engine));
    record.shutdown = (struct event_shutdown){.signal = 15};
    give(EVENT_shutdown, &record);
    cr_expect(!engine_is_settled(h.engine), "it is shutting down");
    harness_close(&h);
}

Test(sync, an_order_that_stays_unknown_raises_an_alarm)
{
    harness_init(&h);
    h.settings[0].order_unknown_alarm = SECONDS(60);
    quoted();
    at(SECONDS(1));
    unknown(1);
    at(SECONDS(61) - 1);
    cr_expect_not(raised(ALARM_ORDER_UNKNOWN));
    harness_tick(&h, SECONDS(61));
    cr_expect(raised(ALARM_ORDER_UNKNOWN));
    cr_expect_eq(harness_find(&h, EVENT_alarm, 0)->alarm.order, 1);
    harness_cancelled(&h, 1, 10);
    cr_expect_not(raised(ALARM_ORDER_UNKNOWN));
    harness_close(&h);
}

Test(sync, an_alarm_earlier_than_the_first_query)
{
    harness_init(&h);
    h.settings[0].order_unknown_alarm = SECONDS(2);
    quoted();
    at(SECONDS(1));
    unknown(1);
    at(SECONDS(3));
    cr_expect(raised(ALARM_ORDER_UNKNOWN));
    harness_close(&h);
}

Test(sync, a_difference_in_our_own_book_raises_an_alarm)
{
    harness_init(&h);
    h.global.safety_own_book = SECONDS(60);
    h.audit_each = false;
    h.global.audit_every = 1000000; /* the invariants would find it too */
    quoted();
    at(SECONDS(60));
    cr_expect_not(raised(ALARM_OWN_BOOK));
    h.engine->instruments[0].sides[SIDE_BUY].leaves += 3;
    at(SECONDS(120) - 1);
    cr_expect_not(raised(ALARM_OWN_BOOK));
    at(SECONDS(120));
    cr_expect(raised(ALARM_OWN_BOOK));
    h.engine->instruments[0].sides[SIDE_BUY].leaves -= 3;
    at(SECONDS(180));
    cr_expect(raised(ALARM_OWN_BOOK)); /* until somebody looked */
    harness_command(&h, COMMAND_RESET);
    cr_expect_not(raised(ALARM_OWN_BOOK));
    harness_close(&h);
}

Test(sync, a_live_order_that_is_not_counted_is_a_difference_of_every_venue)
{
    harness_init(&h);
    h.global.safety_own_book = SECONDS(60);
    h.audit_each = false;
    h.global.audit_every = 1000000;
    quoted();
    h.engine->orders.live++;
    at(SECONDS(60));
    for (unsigned venue = 0; venue < h.engine->venue_count; venue++)
        cr_expect(alarm_is_raised(h.engine, EVENT_NONE_16, venue, ALARM_OWN_BOOK));
    h.engine->orders.live--;
    harness_close(&h);
}

Test(sync, the_own_book_s_check_finds_each_kind_of_damage)
{
    harness_init(&h);
    quoted();
    struct engine *engine = h.engine;
    struct order *order = harness_order(&h, 1);
    struct order_side *side = &engine->instruments[0].sides[SIDE_BUY];
    cr_expect(audit_own_orders(engine, 0) && audit_own_sums(engine, 0));
    order->next = side->first; /* bites its tail */
    cr_expect_not(audit_own_orders(engine, 0));
    order->next = UINT32_MAX - 1; /* nowhere */
    cr_expect_not(audit_own_orders(engine, 0));
    order->next = ENGINE_NO_SLOT;
    order->state = ORDER_FILLED;
    cr_expect_not(audit_own_orders(engine, 0));
    order->state = ORDER_ACTIVE;
    side->count++;
    cr_expect_not(audit_own_orders(engine, 0));
    side->count--;
    engine->orders.live++;
    cr_expect_not(audit_own_count(engine));
    engine->orders.live--;
    ledger_balance(engine, 0, ASSET_QUOTE)->reserved.atto++;
    cr_expect_not(audit_own_sums(engine, 0));
    ledger_balance(engine, 0, ASSET_QUOTE)->reserved.atto--;
    engine->instruments[0].sync.orphan_leaves[SIDE_SELL]++;
    cr_expect_not(audit_own_orders(engine, 0));
    engine->instruments[0].sync.orphan_leaves[SIDE_SELL]--;
    cr_expect(audit_own_orders(engine, 0) && audit_own_count(engine) && audit_own_sums(engine, 0));
    harness_close(&h);
}

/* --- orphans --------------------------------------------------------------------------------------- */

enum { ORPHAN = 900 };

Test(sync, rule_28_an_orphan_with_our_id_is_cancelled_after_five_seconds)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    shows_both();
    shows(ORPHAN, "x", SIDE_BUY, 980, 30);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY), 0);
    ends(h.now);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY), 30);
    cr_expect_not(raised(ALARM_FOREIGN_ORDER));
    at(SECONDS(15) - 1);
    cr_expect_eq(engine_counters(h.engine)->cancelled, 0);
    harness_tick(&h, SECONDS(15));
    cr_assert_eq(harness_count(&h, EVENT_cancel_orphan), 1);
    cr_expect_eq(harness_find(&h, EVENT_cancel_orphan, 0)->cancel_orphan.order, ORPHAN);
    harness_tick(&h, SECONDS(20)); /* unanswered: again */
    cr_expect_eq(harness_count(&h, EVENT_cancel_orphan), 1);
    harness_cancelled(&h, ORPHAN, 30);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY), 0);
    cr_expect_eq(h.engine->orphans.count, 0);
    harness_close(&h);
}

Test(sync, an_orphan_that_is_no_longer_shown_is_forgotten)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    shows_both();
    shows(ORPHAN, "x", SIDE_SELL, 1030, 30);
    ends(h.now);
    at(SECONDS(12));
    shows_both();
    ends(SECONDS(10)); /* taken when it was found: too old to say */
    cr_expect_eq(h.engine->orphans.count, 1);
    shows_both();
    ends(SECONDS(12));
    cr_expect_eq(h.engine->orphans.count, 0);
    at(SECONDS(30));
    cr_expect_eq(engine_counters(h.engine)->cancelled, 0);
    harness_close(&h);
}

Test(sync, fills_of_an_orphan_count_once_and_leave_exposure)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    shows_both();
    shows(ORPHAN, "x", SIDE_BUY, 980, 30);
    ends(h.now);
    harness_fill(&h, ORPHAN, SIDE_BUY, 980, 10, 20);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY), 20);
    h.trade--;
    harness_fill(&h, ORPHAN, SIDE_BUY, 980, 10, 20);
    cr_expect_eq(h.engine->instruments[0].position.units, 10);
    harness_fill(&h, ORPHAN, SIDE_BUY, 980, 20, 0);
    cr_expect_eq(h.engine->instruments[0].position.units, 30);
    cr_expect_eq(h.engine->orphans.count, 0);
    /* one that only a fill tells of */
    harness_fill(&h, ORPHAN + 1, SIDE_SELL, 1020, 10, 25);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_SELL), 25);
    harness_close(&h);
}

Test(sync, rule_28_an_order_without_our_id_is_told_counted_and_cancelled_if_the_account_is_ours)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    shows_both();
    shows(0, "theirs", SIDE_BUY, 980, 30);
    shows(0, "too", SIDE_BUY, 975, 5);
    ends(h.now);
    cr_expect(raised(ALARM_FOREIGN_ORDER));
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY), 35);
    at(SECONDS(15) - 1);
    harness_tick(&h, SECONDS(15));
    cr_assert_eq(harness_count(&h, EVENT_cancel_orphan), 2);
    const struct event_cancel_orphan *cancel =
        &harness_find(&h, EVENT_cancel_orphan, 0)->cancel_orphan;
    cr_expect_eq(cancel->order, 0);
    cr_expect_eq(memcmp(cancel->venue_order.bytes, "theirs", 6), 0);
    harness_command(&h, COMMAND_RESET);
    cr_expect_not(raised(ALARM_FOREIGN_ORDER));
    harness_close(&h);
}

Test(sync, rule_28_in_an_account_that_others_use_it_is_left_alone)
{
    harness_init(&h);
    h.venues[0].account_exclusive = false;
    h.settings[0].risk_position_limit = LOTS(45);
    quoted();
    at(SECONDS(10));
    shows_both();
    shows(0, "theirs", SIDE_BUY, 980, 36);
    ends(h.now);
    cr_expect(raised(ALARM_FOREIGN_ORDER));
    at(SECONDS(30));
    cr_expect_eq(engine_counters(h.engine)->cancelled, 0);
    /* 36 of theirs and 10 of ours are over 45: once ours is gone it is not sent again */
    harness_cancelled(&h, 1, 10);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    cr_expect(harness_blocking(&h) >> GATE_EXPOSURE & 1);
    at(SECONDS(40));
    shows(2, "b", SIDE_SELL, 1015, 10);
    shows(0, "theirs", SIDE_BUY, 980, 35);
    ends(h.now);
    cr_expect_eq(harness_count(&h, EVENT_place), 1);
    harness_close(&h);
}

Test(sync, more_orphans_than_there_is_room_for_stop_quoting)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    shows_both();
    for (unsigned i = 0; i < 4; i++)
        shows(0, names[i], SIDE_BUY, 900, 1);
    ends(h.now);
    cr_expect_not(raised(ALARM_ORPHANS_FULL));
    at(SECONDS(11));
    shows_both();
    for (unsigned i = 0; i < 5; i++)
        shows(0, names[i], SIDE_BUY, 900, 1);
    ends(h.now);
    cr_expect(raised(ALARM_ORPHANS_FULL));
    cr_expect(harness_blocking(&h) >> GATE_SAFETY & 1);
    harness_command(&h, COMMAND_RESET);
    cr_expect(raised(ALARM_ORPHANS_FULL)); /* nothing is proven yet: the account is asked for */
    at(SECONDS(12));
    for (int64_t second = 10; second <= 12; second += 2) { /* the first is from before the alarm */
        shows_both();
        for (unsigned i = 0; i < 4; i++)
            shows(0, names[i], SIDE_BUY, 900, 1);
        ends(second == 10 ? SECONDS(11) - 1 : h.now);
        cr_expect_eq(raised(ALARM_ORPHANS_FULL), second == 10);
    }
    harness_close(&h);
}

Test(sync, an_order_that_ended_after_the_request_is_no_orphan)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    harness_cancelled(&h, 1, 10);
    at(SECONDS(11));
    shows_both();
    ends(SECONDS(10));
    cr_expect_eq(h.engine->orphans.count, 0);
    at(SECONDS(12));
    shows_both();
    ends(SECONDS(12)); /* but one that is still shown afterwards is */
    cr_expect_eq(h.engine->orphans.count, 1);
    harness_close(&h);
}

static void shows_no_leaves(order_id order, struct number leaves)
{
    union event_record record = {
        .open_order = {
            .order = order, .side = SIDE_BUY, .price = {950, NUMBER_VALUE}, .leaves = leaves}};
    give(EVENT_open_order, &record);
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    cr_expect_eq(harness_find(&h, EVENT_removed, 0)->removed.reason, REJECT_QUANTITY);
}

Test(sync, rows_that_can_t_be_are_counted_and_ignored)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    union event_record record = {
        .open_order = {.instrument = 99, .order = 5, .leaves = {1, NUMBER_VALUE}}};
    give(EVENT_open_order, &record);
    record.open_order = (struct event_open_order){.order = 5, .leaves = {0, NUMBER_NAN}};
    give(EVENT_open_order, &record);
    record.venue_position =
        (struct event_venue_position){.instrument = 99, .position = {1, NUMBER_VALUE}};
    give(EVENT_venue_position, &record);
    record.snapshot_end = (struct event_snapshot_end){.venue = 9};
    give(EVENT_snapshot_end, &record);
    shows_no_leaves(ORPHAN, (struct number){INT64_MAX, NUMBER_VALUE});
    shows_no_leaves(ORPHAN + 1, (struct number){ENGINE_QUANTITY_MAX + 1, NUMBER_VALUE});
    snapshot(SECONDS(20), 0); /* from the future: it is now */
    cr_expect_eq(h.engine->orders.surprises, 1);
    cr_expect_eq(engine_counters(h.engine)->removed_numbers, 3);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY), INT64_MAX);
    cr_expect_eq(h.engine->venues[0].sync.trusted, SECONDS(10));
    harness_close(&h);
}

/* --- rows that can't be read, or are about something else --------------------------------------------- */

Test(sync, an_orphan_without_a_number_keeps_its_last_leaves)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    shows_both();
    shows(70, "x", SIDE_BUY, 950, 30);
    ends(h.now);
    at(SECONDS(12));
    shows_both();
    shows_no_leaves(70, (struct number){0, NUMBER_NAN});
    ends(h.now);
    cr_assert_eq(h.engine->orphans.count, 1);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY), 30);
    at(SECONDS(14));
    shows_both();
    shows_no_leaves(70, (struct number){-1, NUMBER_VALUE});
    ends(h.now);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY), 30);
    harness_tick(&h, SECONDS(15)); /* five seconds after it was first seen */
    cr_assert_eq(harness_count(&h, EVENT_cancel_orphan), 1);
    cr_expect_eq(harness_find(&h, EVENT_cancel_orphan, 0)->cancel_orphan.order, 70);
    harness_close(&h);
}

Test(sync, an_orphan_that_never_told_a_number_blocks_its_side)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    shows_both();
    shows_no_leaves(70, (struct number){0, NUMBER_ABSENT});
    ends(h.now);
    cr_assert_eq(h.engine->orphans.count, 1);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY), SYNC_LEAVES_UNKNOWN);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_SELL), 0);
    at(SECONDS(12));
    shows_both();
    shows(70, "x", SIDE_BUY, 950, 30);
    ends(h.now);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY), 30);
    harness_close(&h);
}

Test(sync, no_number_in_a_row_that_names_nothing_is_no_order)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    shows_both();
    shows_no_leaves(0, (struct number){0, NUMBER_NAN});
    shows_no_leaves(70, (struct number){0, NUMBER_VALUE}); /* and nothing left is none either */
    ends(h.now);
    cr_expect_eq(h.engine->orphans.count, 0);
    harness_close(&h);
}

Test(sync, a_row_of_another_side_says_nothing_of_our_order)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    uint64_t surprises = h.engine->orders.surprises;
    shows(1, "a", SIDE_SELL, 990, 7);
    shows(2, "b", SIDE_SELL, 1015, 10);
    cr_expect_eq(h.engine->orders.surprises, surprises + 1);
    ends(h.now);
    cr_expect_eq(harness_order(&h, 1)->shown, 0);
    cr_expect_eq(harness_order(&h, 1)->leaves, 10);
    cr_expect_eq(harness_count(&h, EVENT_query), 1); /* so it was not shown */
    cr_expect_eq(h.engine->orphans.count, 0);
    harness_close(&h);
}

Test(sync, a_row_of_another_side_leaves_an_orphan_as_it_was)
{
    harness_init(&h);
    quoted();
    at(SECONDS(10));
    shows_both();
    shows(70, "x", SIDE_BUY, 950, 30);
    ends(h.now);
    at(SECONDS(12));
    shows_both();
    shows(70, "x", SIDE_SELL, 1100, 5);
    ends(h.now);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_BUY), 30);
    cr_expect_eq(sync_orphan_leaves(h.engine, 0, SIDE_SELL), 0);
    harness_close(&h);
}

Test(sync, a_snapshot_from_no_time_is_not_trusted)
{
    harness_init(&h);
    h.venues[0].safety_snapshot_age = 0;
    quoted();
    at(SECONDS(10));
    int64_t trusted = h.engine->venues[0].sync.trusted;
    shows(70, "x", SIDE_BUY, 950, 30);
    shows_position(5);
    ends(INT64_MIN);
    cr_expect_eq(h.engine->venues[0].sync.trusted, trusted);
    cr_expect_eq(h.engine->orphans.count, 0);
    harness_close(&h);
}
