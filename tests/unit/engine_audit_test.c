/* The audit: each invariant broken on purpose is counted. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

static void quoted(void)
{
    harness_init(&h);
    h.audit_each = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_position(&h, 0, SIDE_BUY, 1000, 3);
    audit_full(h.engine);
    cr_assert_eq(engine_counters(h.engine)->invariant_violations, 0);
    cr_assert_gt(engine_counters(h.engine)->invariant_checks, 0);
}

static void expect_violations(unsigned invariant)
{
    audit_full(h.engine);
    const struct engine_counters *counters = engine_counters(h.engine);
    cr_expect_gt(counters->violations_by_invariant[invariant], 0);
    for (unsigned other = 0; other < 16; other++)
        if (other != invariant)
            cr_expect_eq(counters->violations_by_invariant[other], 0, "also %u", other);
    cr_expect_eq(counters->invariant_violations, counters->violations_by_invariant[invariant]);
}

Test(audit, invariant_1_order_count)
{
    quoted();
    h.engine->instruments[0].limits.orders_per_side = 0;
    expect_violations(1);
}

Test(audit, invariant_1_rate)
{
    quoted();
    h.engine->venues[0].rate.sum = h.engine->venues[0].rate.cap + 1;
    expect_violations(1);
}

Test(audit, invariant_1_live_count)
{
    quoted();
    h.engine->orders.live++;
    expect_violations(1);
}

Test(audit, invariant_2_own_cross)
{
    quoted();
    harness_order(&h, 1)->price = harness_order(&h, 2)->price;
    expect_violations(2);
}

Test(audit, invariant_3_exposure_sum)
{
    quoted();
    h.engine->instruments[0].sides[SIDE_BUY].leaves = 0;
    expect_violations(3);
}

Test(audit, invariant_6_order_figures)
{
    quoted();
    harness_order(&h, 1)->quantity = 11;
    expect_violations(6);
}

Test(audit, invariant_6_trade_twice)
{
    quoted();
    harness_fill(&h, 1, SIDE_BUY, 990, 1, 9);
    harness_fill(&h, 1, SIDE_BUY, 990, 1, 8);
    audit_full(h.engine);
    cr_assert_eq(engine_counters(h.engine)->invariant_violations, 0);
    struct order_table *table = &h.engine->orders;
    uint32_t newest = harness_order(&h, 1)->last_trade;
    table->trades[newest].id = table->trades[table->trades[newest].previous].id;
    expect_violations(6);
}

Test(audit, invariant_6_position)
{
    quoted();
    h.engine->instruments[0].position.units++;
    expect_violations(6);
}

Test(audit, invariant_6_profit)
{
    quoted();
    h.engine->instruments[0].position.cost.atto++;
    expect_violations(6);
}

Test(audit, invariant_6_money)
{
    quoted();
    ledger_balance(h.engine, 0, ASSET_QUOTE)->total.atto++;
    expect_violations(6);
}

Test(audit, invariant_6_money_that_nobody_moved)
{
    quoted();
    struct balance *balance = ledger_balance(h.engine, 0, ASSET_QUOTE);
    balance->total.atto++;
    balance->moved.atto++;
    expect_violations(6);
}

Test(audit, invariant_10_time)
{
    quoted();
    h.now = -1;
    harness_trade(&h, 0, SIDE_BUY, 1005, 1);
    expect_violations(10);
}

Test(audit, invariant_10_deadline_in_the_past)
{
    quoted();
    h.now = SECONDS(1);
    h.engine->now = SECONDS(1);
    expect_violations(10);
}

Test(audit, invariant_10_an_instrument_s_deadline_in_the_past)
{
    quoted();
    timers_set(&h.engine->timers, 0, h.now);
    expect_violations(10);
}

Test(audit, invariant_6_of_two_broken_orders_one_is_enough)
{
    quoted();
    orders_take_place(h.engine,
                      &(struct event_place){
                          .order = 3, .price = {985, NUMBER_VALUE}, .quantity = {5, NUMBER_VALUE}},
                      h.now);
    harness_order(&h, 1)->quantity = harness_order(&h, 3)->quantity = 11;
    expect_violations(6);
    cr_expect_eq(engine_counters(h.engine)->violations_by_invariant[6], 1);
}

/* Flows are added up again whatever stands there: a sum that no amount holds is a difference. */
Test(audit, invariant_6_a_flow_that_no_amount_holds)
{
    quoted();
    h.engine->instruments[0].definition.contract = CONTRACT_SPOT;
    h.engine->instruments[0].position.exponent = 2;
    h.engine->instruments[0].position.bought = INT64_MAX;
    ledger_balance(h.engine, 0, ASSET_BASE)->used = true;
    expect_violations(6);
}

/* --- the account's profit ------------------------------------------------------------------------------ */

/* Long 3 at 1000 with a mid of 1002.5, and a limit on the loss. */
static void limited(void)
{
    harness_init(&h);
    h.audit_each = false;
    h.global.risk_drawdown_limit = (money){(int128)1000 * power_of_ten(18)};
    harness_make(&h);
    engine_finish(h.engine); /* a run that ends before it has begun has no profit */
    harness_begin(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_position(&h, 0, SIDE_BUY, 1000, 3);
    audit_full(h.engine);
    cr_assert_eq(engine_counters(h.engine)->invariant_violations, 0);
}

static void loses_its_mark(void)
{
    h.engine->instruments[0].market.last_mark2.has = false;
    h.engine->instruments[0].market.mid2 = 0;
}

static void has_a_mark_beyond_all_money(void)
{
    h.engine->instruments[0].market.mark = (struct stamped){INT64_MAX / 4, h.now, true};
    h.engine->instruments[0].position.units = INT64_MAX;
}

static void is_worth_another_amount(void)
{
    h.engine->instruments[0].profit.worth.atto++;
}

static void has_an_asset_of_another_worth(void)
{
    h.engine->profit.assets[ASSET_QUOTE].worth.atto++;
}

Test(audit, invariant_6_the_account_s_profit)
{
    static void (*const breaks[])(void) = {loses_its_mark, has_a_mark_beyond_all_money,
                                           is_worth_another_amount, has_an_asset_of_another_worth};
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        limited();
        breaks[i]();
        expect_violations(6);
    }
}

/* Within a frame the profit waits for its last message, also where a mark gets old by itself meanwhile. */
Test(audit, within_a_frame_the_profit_is_not_judged)
{
    limited();
    h.engine->audit_each = true;
    union event_record record = {.mark = {.price = {1005, NUMBER_VALUE}}};
    struct message message = {.ts_local = SECONDS(1),
                              .kind = EVENT_mark,
                              .stream = EVENT_STREAM(0, CHANNEL_REFERENCE),
                              .record = &record};
    harness_give(&h, &message);
    h.now = message.ts_local = SECONDS(6); /* the mark's end */
    message.kind = EVENT_index_price;
    message.flags = MESSAGE_MORE;
    harness_give(&h, &message);
    cr_expect_leq(h.engine->profit.remark, h.now);
    message.kind = EVENT_mark;
    record.mark.price.units = 995;
    harness_give(&h, &message);
    cr_expect(h.engine->profit.touched);
    message.flags = 0;
    harness_give(&h, &message);
    cr_expect_not(h.engine->profit.touched);
    /* 3 x -0.5 of a unit of 1e-4 */
    cr_expect(engine_account_state(h.engine).profit.atto == -15 * (int128)power_of_ten(14));
    harness_close(&h); /* and no invariant was broken */
}

/* --- the send gate ---------------------------------------------------------------------------------- */

static struct candidate sound(void)
{
    return (struct candidate){.want = WANT_PLACE, .side = SIDE_BUY, .price = 985, .quantity = 10};
}

static void send(const struct candidate *candidate, unsigned invariant)
{
    const struct engine_counters *counters = engine_counters(h.engine);
    audit_send(h.engine, candidate);
    cr_expect_eq(counters->violations_by_invariant[invariant], 1);
    cr_expect_eq(counters->invariant_violations, 1);
    free(h.memory);
}

Test(audit, the_send_gate_lets_a_sound_order_pass)
{
    quoted();
    struct candidate candidate = sound();
    audit_send(h.engine, &candidate);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 0);
}

Test(audit, the_send_gate_sees_1)
{
    quoted();
    struct candidate candidate = sound();
    h.engine->instruments[0].limits.orders_per_side = 1;
    send(&candidate, 1);
}

Test(audit, the_send_gate_sees_2)
{
    static const struct {
        int64_t price, quantity;
    } unsound[] = {{0, 10}, {984, 10}, {985, 0}, {9850, 10}, {1015, 10}};
    for (size_t i = 0; i < sizeof unsound / sizeof *unsound; i++) {
        quoted();
        struct candidate candidate = sound();
        candidate.price = unsound[i].price;
        candidate.quantity = unsound[i].quantity;
        send(&candidate, 2);
    }
}

Test(audit, the_send_gate_sees_2_without_any_reference)
{
    quoted();
    struct candidate candidate = sound();
    struct market *market = &h.engine->instruments[0].market;
    market->top.price[SIDE_SELL] = market->top.price[SIDE_BUY]; /* no mid; nor is there a trade */
    market->mids.count = 0;
    send(&candidate, 2);
}

/* Orders that only the venue knows count where they are judged to be there, on their own side of their own
 * instrument. */
Test(audit, the_send_gate_sees_3_with_orphans)
{
    for (unsigned i = 0; i < 4; i++) {
        quoted();
        struct candidate candidate = sound();
        h.engine->orphans.count = 1;
        h.engine->orphans.list[0] =
            (struct orphan){.leaves = 1000 - 3 - 10 - 10 + 1,
                            .price = 2 * candidate.price, /* crosses nothing */
                            .priced = true,
                            .judged = i != 1,
                            .instrument = i == 2,
                            .side = i == 3 ? SIDE_SELL : SIDE_BUY};
        if (i == 0) {
            send(&candidate, 3);
            continue;
        }
        audit_send(h.engine, &candidate);
        cr_expect_eq(engine_counters(h.engine)->invariant_violations, 0, "%u", i);
    }
}

Test(audit, the_send_gate_sees_3)
{
    quoted();
    struct candidate candidate = sound();
    candidate.quantity = 1000 - 3 - 10 + 1;
    send(&candidate, 3);
}

Test(audit, the_send_gate_sees_4)
{
    quoted();
    struct candidate candidate = sound();
    h.engine->instruments[0].paused = true;
    send(&candidate, 4);
}

/* --- each thing that must keep an order from leaving ------------------------------------------------- */

static struct instrument *instrument(void)
{
    return &h.engine->instruments[0];
}

static struct rate *rate(void)
{
    return &h.engine->venues[0].rate;
}

static void trips(void)
{
    breakers_set(instrument(), BREAKER_SPREAD, BREAKER_PAUSE, 0);
}

static void shuts_down(void)
{
    h.engine->carry.shutdown = SHUTDOWN_CANCELLING;
}

static void is_pulled(void)
{
    instrument()->pulled = true;
}

static void has_a_gap(void)
{
    instrument()->market.gap = true;
}

static void lacks_a_bid(void)
{
    instrument()->market.top.has[SIDE_BUY] = false;
}

static void lacks_an_ask(void)
{
    instrument()->market.top.has[SIDE_SELL] = false;
}

static void is_stale(void)
{
    instrument()->limits.stale_after = 0;
}

static void is_halted(void)
{
    instrument()->market.trading = TRADING_HALTED;
}

static void is_unreconciled(void)
{
    h.engine->venues[0].reconciled = false;
}

static void is_cold(void)
{
    instrument()->limits.signal.warm_up_trades = 100;
}

static void is_drawn_down(void)
{
    h.engine->profit.on = h.engine->profit.drawn_down = true;
}

static void lacks_a_rate(void)
{
    h.engine->profit.on = true;
    h.engine->profit.unknown = 1;
}

static void has_an_open_breaker(void)
{
    h.engine->venues[0].infrastructure.state = INFRASTRUCTURE_OPEN;
}

static void lacks_its_database(void)
{
    h.engine->database_required = true;
    h.engine->database.state = INFRASTRUCTURE_OPEN;
}

static void lost_the_orders_stream(void)
{
    h.engine->venues[0].orders_stream.lost = h.now;
}

static void has_an_alarm(void)
{
    instrument()->alarms.raised = 1u << ALARM_DRIFT;
}

Test(audit, the_send_gate_sees_4_in_each_of_its_forms)
{
    static void (*const breaks[])(void) = {
        trips,
        shuts_down,
        is_pulled,
        has_a_gap,
        lacks_a_bid,
        lacks_an_ask,
        is_stale,
        is_halted,
        is_cold,
        is_unreconciled,
        is_drawn_down,
        lacks_a_rate,
        has_an_open_breaker,
        has_an_alarm,
        lacks_its_database,
        lost_the_orders_stream,
    };
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        quoted();
        harness_trade(&h, 0, SIDE_BUY, 1005, 1); /* so that the collar has its reference */
        struct candidate candidate = sound();
        breaks[i]();
        send(&candidate, 4);
    }
}

Test(audit, the_send_gate_sees_4_in_a_book_that_lost_its_place)
{
    quoted();
    harness_trade(&h, 0, SIDE_BUY, 1005, 1);
    struct candidate candidate = sound();
    book_clear(instrument()->market.book); /* the top view stands on: only the book itself tells */
    send(&candidate, 4);
}

Test(audit, post_only_trading_takes_orders)
{
    quoted();
    struct candidate candidate = sound();
    instrument()->market.trading = TRADING_POST_ONLY;
    audit_send(h.engine, &candidate);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 0);
}

Test(audit, the_send_gate_sees_an_order_that_adds_after_the_daily_loss)
{
    quoted();
    struct candidate candidate = sound();
    h.engine->profit.on = h.engine->profit.day_lost = true;
    h.engine->profit.currency = ASSET_QUOTE;
    send(&candidate, 4);
}

/* Long 3, and a sell of 3 is on its way: a modify of it down to 2 adds nothing. */
Test(audit, the_send_gate_lets_pass_what_adds_nothing_after_the_daily_loss)
{
    quoted();
    h.engine->profit.on = h.engine->profit.day_lost = true;
    h.engine->profit.currency = ASSET_QUOTE;
    struct candidate candidate = {
        .want = WANT_MODIFY, .order = 2, .side = SIDE_SELL, .price = 1015, .quantity = 5};
    audit_send(h.engine, &candidate);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 0);
    h.engine->orders.live = h.engine->orders.capacity; /* and needs no room in the table */
    audit_send(h.engine, &candidate);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 0);
}

static void fills_the_table(void)
{
    h.engine->orders.live = h.engine->orders.capacity;
}

static void fills_the_second(void)
{
    rate()->sum = rate()->cap - rate()->reserve;
}

static void fills_the_day(void)
{
    rate()->day_cap = rate()->day_sent = 5;
}

static void was_refused(void)
{
    rate()->refused_until = 1;
}

static void was_told_of_nothing_left(void)
{
    rate()->told_resets = SECONDS(1);
    rate()->told_left = 0;
}

Test(audit, the_send_gate_sees_1_in_each_of_its_forms)
{
    static void (*const breaks[])(void) = {fills_the_table, fills_the_second, fills_the_day,
                                           was_refused, was_told_of_nothing_left};
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        quoted();
        struct candidate candidate = sound();
        breaks[i]();
        send(&candidate, 1);
    }
}

Test(audit, a_day_that_is_over_and_a_budget_that_was_told_let_pass)
{
    quoted();
    struct candidate candidate = sound();
    fills_the_day();
    rate()->day = -1;
    rate()->told_resets = SECONDS(1);
    rate()->told_left = 1;
    audit_send(h.engine, &candidate);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 0);
}

Test(audit, the_send_gate_sees_2_beside_the_grid_and_the_collar)
{
    quoted();
    struct candidate candidate = sound();
    instrument()->definition.lot = 3;
    send(&candidate, 2);
    quoted();
    candidate = sound();
    candidate.price = 5; /* far below */
    send(&candidate, 2);
    quoted();
    candidate = (struct candidate){
        .want = WANT_PLACE, .side = SIDE_SELL, .price = 990, .quantity = 10}; /* our bid */
    send(&candidate, 2);
}

/* --- the full audit, in its other forms --------------------------------------------------------------- */

Test(audit, invariant_6_count_of_a_side)
{
    quoted();
    instrument()->sides[SIDE_BUY].count = 2;
    expect_violations(6);
}

Test(audit, invariant_6_cost)
{
    quoted();
    instrument()->position.cost.atto = -1;
    expect_violations(6);
    quoted();
    struct position *position = &instrument()->position;
    position->sold = position->bought; /* flat, and still at a cost */
    position->units = 0;
    expect_violations(6);
}

Test(audit, invariant_1_more_live_orders_than_the_table_allows)
{
    quoted();
    h.engine->orders.capacity = 1;
    expect_violations(1);
}

/* Every fifth message, where not every one. */
Test(audit, it_runs_as_often_as_it_is_set_to)
{
    harness_init(&h);
    h.audit_each = false;
    h.global.audit_every = 5;
    harness_make(&h);
    const struct engine_counters *counters = engine_counters(h.engine);
    unsigned audits = 0;
    harness_begin(&h); /* 3 messages */
    for (unsigned message = 4; message <= 20; message++) {
        uint64_t before = counters->invariant_checks;
        harness_trade(&h, 0, SIDE_BUY, 1005, 1);
        cr_expect_eq(counters->invariant_checks > before, message % 5 == 0, "%u", message);
        audits += counters->invariant_checks > before;
    }
    cr_expect_eq(audits, 4);
    harness_close(&h);
}

Test(audit, a_violation_without_words_has_none)
{
    quoted();
    engine_violation(h.engine, 1);
    cr_expect_str_eq(engine_counters(h.engine)->violation, "");
    quoted();
    engine_violation(h.engine, 15);
    cr_expect_str_eq(engine_counters(h.engine)->violation, "");
    quoted();
    engine_violation(h.engine, 10);
    cr_expect_str_eq(engine_counters(h.engine)->violation,
                     "a message is older than the one before");
    engine_violation(h.engine, 6);
    cr_expect_str_eq(engine_counters(h.engine)->violation,
                     "a message is older than the one before");
}

/* --- our own book -------------------------------------------------------------------------------------- */

static void expect_own_book(bool holds)
{
    cr_expect_eq(audit_own_orders(h.engine, 0), holds);
}

static struct order *first_buy(void)
{
    return harness_order(&h, 1);
}

static void leads_out_of_the_table(void)
{
    first_buy()->next = h.engine->orders.mask + 1;
}

static void bites_its_tail(void)
{
    h.engine->orders.capacity = 0;
}

static void is_of_another_instrument(void)
{
    first_buy()->instrument = 1;
}

static void is_of_the_other_side(void)
{
    first_buy()->side = SIDE_SELL;
}

static void has_another_before_it(void)
{
    first_buy()->previous = 5;
}

static void stands_in_anothers_slot(void)
{
    first_buy()->id += 1;
}

static void has_impossible_figures(void)
{
    first_buy()->filled = 1;
}

static void ends_elsewhere(void)
{
    instrument()->sides[SIDE_BUY].last = 5;
}

static void is_miscounted(void)
{
    instrument()->sides[SIDE_BUY].count = 2;
}

static void has_other_leaves(void)
{
    instrument()->sides[SIDE_BUY].leaves = 9;
}

static void has_orphans_that_are_not_there(void)
{
    instrument()->sync.orphan_leaves[SIDE_SELL] = 1;
}

Test(audit, our_own_book_is_seen_through)
{
    static void (*const breaks[])(void) = {
        leads_out_of_the_table,
        bites_its_tail,
        is_of_another_instrument,
        is_of_the_other_side,
        has_another_before_it,
        stands_in_anothers_slot,
        has_impossible_figures,
        ends_elsewhere,
        is_miscounted,
        has_other_leaves,
        has_orphans_that_are_not_there,
    };
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        quoted();
        expect_own_book(true);
        breaks[i]();
        expect_own_book(false);
    }
    quoted();
    instrument()->sync.orphan_leaves[SIDE_SELL] = INT64_MAX; /* more than could be added up */
    expect_own_book(true);
}

/* Of orders at one venue only those on spot markets reserve, and each of them in one asset. */
Test(audit, our_own_sums_are_of_spot_orders)
{
    harness_init(&h);
    h.instrument_count = 2;
    h.settings[1].quote_enabled = false;
    h.definitions[1].contract = CONTRACT_SPOT;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50); /* two linear orders */
    orders_take_place(h.engine,
                      &(struct event_place){.order = 9,
                                            .instrument = 1,
                                            .price = {1000, NUMBER_VALUE},
                                            .quantity = {5, NUMBER_VALUE}},
                      h.now);
    cr_expect(audit_own_sums(h.engine, 0));
    cr_expect(ledger_balance(h.engine, 0, ASSET_QUOTE)->reserved.atto ==
              5 * (int128)power_of_ten(17)); /* 100.0 x 0.005 */
    struct order *nothing = &h.engine->orders.slots[h.engine->orders.mask];
    nothing->state = ORDER_STATE_COUNT; /* memory that was written over */
    cr_expect(audit_own_sums(h.engine, 0));
    nothing->state = ORDER_NONE;
    ledger_balance(h.engine, 0, ASSET_BASE)->reserved.atto = 1;
    cr_expect_not(audit_own_sums(h.engine, 0));
    ledger_balance(h.engine, 0, ASSET_BASE)->reserved.atto = 0;
    bites_its_tail();
    cr_expect_not(audit_own_sums(h.engine, 0)); /* no further than there are slots */
}

Test(audit, our_own_sums_are_seen_through)
{
    quoted();
    cr_expect(audit_own_count(h.engine) && audit_own_sums(h.engine, 0));
    h.engine->orders.live++;
    cr_expect_not(audit_own_count(h.engine));
    quoted();
    h.engine->orders.slots[h.engine->orders.mask].state =
        ORDER_STATE_COUNT; /* none that there is */
    cr_expect(audit_own_count(h.engine) && audit_own_sums(h.engine, 0));
    ledger_balance(h.engine, 0, ASSET_QUOTE)->reserved.atto = 1;
    cr_expect_not(audit_own_sums(h.engine, 0));
    quoted();
    h.engine->asset_count = 0; /* nothing is reserved of anything */
    cr_expect(audit_own_sums(h.engine, 0));
}

Test(audit, invariant_3_leaves_that_only_the_venue_knows)
{
    quoted();
    h.engine->instruments[0].sync.orphan_leaves[SIDE_SELL] = 1;
    expect_violations(3);
}

Test(audit, invariant_4_the_worst_breaker)
{
    quoted();
    h.engine->instruments[0].breakers.worst = BREAKER_WIDEN;
    expect_violations(4);
    quoted();
    h.engine->instruments[0].breakers.widen = true; /* and none is tripped */
    expect_violations(4);
}

Test(audit, invariant_6_orders_that_go)
{
    quoted();
    h.engine->instruments[0].sides[SIDE_BUY].going++;
    expect_violations(6);
}

Test(audit, invariant_6_what_orders_hold)
{
    harness_init(&h);
    h.audit_each = false;
    h.definitions[0].contract = CONTRACT_SPOT;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    audit_full(h.engine);
    cr_assert_eq(engine_counters(h.engine)->invariant_violations, 0);
    cr_assert_neq(ledger_balance(h.engine, 0, ASSET_QUOTE)->reserved.atto, 0);
    ledger_balance(h.engine, 0, ASSET_QUOTE)->reserved.atto++;
    expect_violations(6);
    harness_order(&h, 1)->reserved.atto++; /* the sum is right again, its part is not */
    uint64_t before = engine_counters(h.engine)->invariant_violations;
    audit_full(h.engine);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, before + 1);
    orders_take_place(h.engine,
                      &(struct event_place){
                          .order = 9, .price = {985, NUMBER_VALUE}, .quantity = {5, NUMBER_VALUE}},
                      h.now);
    harness_order(&h, 9)->reserved.atto++; /* two of a side are told as one */
    ledger_balance(h.engine, 0, ASSET_QUOTE)->reserved.atto++;
    audit_full(h.engine);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, before + 2);
}

static void with_a_drawdown(void)
{
    harness_init(&h);
    h.audit_each = false;
    h.global.risk_drawdown_limit = (money){(int128)1000000 * INT64_C(1000000000000000000)};
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_position(&h, 0, SIDE_BUY, 1000, 3);
    h.now = MILLISECONDS(1);
    harness_book(&h, 0, EVENT_depth, 1001, 50, 1005, 50);
    cr_assert(engine_account_state(h.engine).limited);
    audit_full(h.engine);
    cr_assert_eq(engine_counters(h.engine)->invariant_violations, 0);
}

Test(audit, invariant_6_an_asset_s_profit)
{
    with_a_drawdown();
    h.engine->profit.assets[ASSET_QUOTE].sum.atto++;
    expect_violations(6);
}

Test(audit, invariant_6_a_profit_above_its_peak)
{
    with_a_drawdown();
    h.engine->profit.peak.atto = h.engine->profit.profit.atto - 1;
    expect_violations(6);
}

Test(audit, invariant_6_parts_that_nobody_knows)
{
    with_a_drawdown();
    h.engine->profit.unknown++;
    expect_violations(6);
}
