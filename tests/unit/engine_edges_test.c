/* Records that name what there is not, and figures of markets and money that nobody can reckon with. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

static struct number value(int64_t units)
{
    return (struct number){units, NUMBER_VALUE};
}

/* Two linear instruments at venue 0 with a book each; nothing is quoted. */
static void quiet(void)
{
    harness_init(&h);
    h.instrument_count = 2;
    h.settings[0].quote_enabled = h.settings[1].quote_enabled = false;
    harness_start(&h);
    for (unsigned instrument = 0; instrument < 2; instrument++)
        harness_book(&h, instrument, EVENT_snapshot, 1000, 50, 1005, 40);
}

static void give(enum event_kind kind, unsigned channel, union event_record record)
{
    harness_record(&h, kind, EVENT_STREAM(0, channel), &record);
}

static const struct market *market(void)
{
    return &h.engine->instruments[0].market;
}

static uint64_t violations(void)
{
    return engine_counters(h.engine)->violations_by_invariant[6];
}

/* The first message of a venue may be one without a row, and then there is no row that it could point to. */
Test(edges, a_first_message_without_rows)
{
    static const struct message empty[] = {
        {.stream = EVENT_STREAM(0, CHANNEL_DEPTH), .kind = EVENT_depth},
        {.stream = EVENT_STREAM(0, CHANNEL_TOP), .kind = EVENT_top},
        {.stream = EVENT_STREAM(0, CHANNEL_TRADE), .kind = EVENT_trade},
        {.stream = EVENT_STREAM(0, CHANNEL_DEPTH), .kind = EVENT_snapshot}};
    struct book_level best;
    harness_init(&h);
    harness_start(&h);
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        harness_give(&h, &empty[i]);
    cr_expect_not(book_best(market()->book, SIDE_BUY, &best));
    harness_close(&h);
}

/* --- names of what there is not ---------------------------------------------------------------------- */

Test(edges, an_alarm_of_nobody_is_not_raised)
{
    quiet();
    const struct event_alarm strange[] = {
        {.raised = true, .reason = ALARM_COUNT},
        {.raised = true, .reason = ALARM_DRIFT, .instrument = 2},
        {.raised = true, .reason = ALARM_DRIFT, .instrument = EVENT_NONE_16, .venue = 2},
    };
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++)
        alarms_take(h.engine, &strange[i]);
    for (unsigned index = 0; index < 2; index++)
        cr_expect_eq(h.engine->instruments[index].alarms.raised, 0);
    for (unsigned venue = 0; venue < 2; venue++)
        cr_expect_eq(h.engine->venues[venue].alarms.raised, 0);
    harness_close(&h);
}

Test(edges, a_reset_leaves_an_alarm_that_ends_by_itself)
{
    quiet();
    alarm_raise(h.engine, 0, 0, ALARM_WARM_UP_LATE, 0);
    harness_command(&h, COMMAND_RESET);
    cr_expect(alarm_is_raised(h.engine, 0, 0, ALARM_WARM_UP_LATE));
    harness_close(&h);
}

Test(edges, a_command_that_there_is_not_does_nothing)
{
    quiet();
    harness_command(&h, COMMAND_COUNT);
    cr_expect_eq(h.count, 0);
    cr_expect_not(h.engine->instruments[0].paused);
    harness_close(&h);
}

Test(edges, a_breaker_of_no_venue_stays_as_it_is)
{
    quiet();
    const struct event_infrastructure nowhere = {.venue = 2, .state = INFRASTRUCTURE_OPEN};
    infrastructure_take(h.engine, &nowhere);
    cr_expect_not(infrastructure_blocks(h.engine, 0));
    cr_expect_not(infrastructure_blocks(h.engine, 1));
    /* A trial that is on its way is the one that is judged, whatever is sent after it. */
    struct infrastructure *breaker = &h.engine->venues[0].infrastructure;
    breaker->state = INFRASTRUCTURE_HALF_OPEN;
    breaker->trial = TIME_NEVER;
    infrastructure_sent(h.engine, 0, 5);
    infrastructure_sent(h.engine, 0, 7);
    cr_expect_eq(breaker->trial, 5);
    breaker->state = INFRASTRUCTURE_CLOSED;
    harness_close(&h);
}

/* Of the account's pauses a restart goes by drawdown and daily loss; why else one may stand on a tape is not
 * known. */
Test(edges, a_pause_of_the_account_for_another_reason_is_none)
{
    quiet();
    const struct event_pause pause = {
        .instrument = EVENT_NONE_16, .paused = true, .why = GATE_FUNDS};
    profit_take_pause(h.engine, &pause);
    cr_expect_not(engine_account_state(h.engine).drawn_down);
    cr_expect_not(engine_account_state(h.engine).day_lost);
    harness_close(&h);
}

/* Ids of an earlier epoch, of orders that are over, and of none. */
Test(edges, an_order_is_open_while_its_own_id_lives)
{
    quiet();
    const struct event_place place = {
        .order = 1, .side = SIDE_BUY, .price = value(990), .quantity = value(5)};
    cr_expect_not(engine_order_is_open(h.engine, 1));
    orders_take_place(h.engine, &place, 0);
    cr_expect(engine_order_is_open(h.engine, 1));
    cr_expect_eq(engine_order_leaves(h.engine, 1), 5);
    cr_expect_eq(engine_order_price(h.engine, 1), 990);
    cr_expect_eq(engine_order_price(h.engine, 0), 0);
    cr_expect_not(engine_order_is_open(h.engine, 0));
    cr_expect_not(engine_order_is_open(h.engine, UINT64_C(7) << 32 | 1));
    harness_reject(&h, 1, REJECT_FUNDS);
    cr_expect_not(engine_order_is_open(h.engine, 1));
    cr_expect_eq(engine_order_leaves(h.engine, 1), 0);
    harness_close(&h);
}

Test(edges, what_was_sent_to_nobody_is_not_counted)
{
    quiet();
    rate_take_sent(h.engine, 2, 0);
    cr_expect_eq(h.engine->venues[0].rate.sum, 0);
    rate_take_sent(h.engine, 1, 0);
    cr_expect_eq(h.engine->venues[0].rate.sum, 1);
    harness_close(&h);
}

/* Within one window the most that was ever left is what the reserve is a part of. */
Test(edges, a_budget_remembers_the_most_of_its_window)
{
    quiet();
    struct rate *rate = &h.engine->venues[0].rate;
    struct event_rate_budget budget = {.venue = 0, .left = 50, .resets = SECONDS(60)};
    rate_take_budget(h.engine, &budget);
    budget.left = 40;
    rate_take_budget(h.engine, &budget);
    cr_expect(rate->told_left == 40 && rate->told_most == 50);
    budget.left = 70;
    rate_take_budget(h.engine, &budget);
    cr_expect(rate->told_left == 70 && rate->told_most == 70);
    harness_close(&h);
}

Test(edges, a_setting_that_was_too_small_is_named_once)
{
    uint64_t needed;
    quiet();
    engine_table_full(h.engine, "first", 3);
    engine_table_full(h.engine, "second", 9);
    cr_expect_str_eq(engine_full_setting(h.engine, &needed), "first");
    cr_expect_eq(needed, 3);
    harness_close(&h);
}

Test(edges, a_message_of_no_instrument_is_passed_over)
{
    quiet();
    union event_record record = {.mark = {.price = value(1010)}};
    harness_record(&h, EVENT_mark, EVENT_STREAM(2, CHANNEL_REFERENCE), &record);
    harness_record(&h, EVENT_mark, EVENT_NONE_16, &record);
    cr_expect_not(market()->mark.has);
    struct message bare = {.kind = EVENT_mark, .stream = EVENT_STREAM(0, CHANNEL_REFERENCE)};
    harness_give(&h, &bare); /* without a record */
    cr_expect_not(market()->mark.has);
    harness_book(&h, 2, EVENT_top, 1010, 50, 1015, 40);
    harness_book(&h, 2, EVENT_depth, 1010, 50, 1015, 40);
    harness_trade(&h, 2, SIDE_BUY, 1005, 1);
    cr_expect_not(market()->trade.has);
    cr_expect_eq(market()->top.price[SIDE_BUY], 1000);
    give(EVENT_mark, CHANNEL_REFERENCE, record);
    cr_expect(market()->mark.has);
    harness_close(&h);
}

/* What is learned names an order of its own instrument, or none. */
Test(edges, what_was_learned_of_anothers_order_moves_no_level)
{
    quiet();
    h.engine->instruments[1].limits.learning_horizon = SECONDS(1);
    const struct event_place place = {
        .order = 1, .side = SIDE_BUY, .price = value(990), .quantity = value(5)};
    orders_take_place(h.engine, &place, 0);
    const int64_t one = 1000000000;
    struct event_learned told = {.instrument = 1,
                                 .order = 1,
                                 .side = SIDE_BUY,
                                 .weight = one,
                                 .alpha = one,
                                 .beta = 2 * one,
                                 .next = 1};
    learning_take(h.engine, &told);
    cr_expect_eq(h.engine->instruments[1].learning.cells[SIDE_BUY][0].spells, 1);
    cr_expect_eq(harness_order(&h, 1)->level, 0);
    cr_expect_eq(harness_order(&h, 1)->spell, SPELL_NONE);
    told.order = 77;
    learning_take(h.engine, &told);
    cr_expect_eq(h.engine->instruments[1].learning.cells[SIDE_BUY][0].spells, 2);
    harness_close(&h);
}

/* --- the market --------------------------------------------------------------------------------------- */

/* Before the start only books are built: what can't be used is counted, and nobody is told. */
Test(edges, a_number_without_a_value_before_the_start_is_only_counted)
{
    quiet();
    h.engine->started = false;
    union event_record record = {.mark = {.price = {0, NUMBER_NAN}}};
    give(EVENT_mark, CHANNEL_REFERENCE, record);
    orders_tell_removed(h.engine, &(struct event_removed){.where = REMOVED_ACCOUNT});
    cr_expect_eq(engine_counters(h.engine)->removed_numbers, 2);
    cr_expect_eq(h.engine->output.count, 0);
    cr_expect_eq(engine_deadline(h.engine), engine_deadline(h.engine));
    cr_expect_eq(timers_deadline_of(h.engine, 0), TIME_NEVER);
    timers_set_common(h.engine);
    h.engine->started = true;
    harness_close(&h);
}

static void gap(void)
{
    give(EVENT_gap, CHANNEL_DEPTH, (union event_record){.gap = {.instrument = 0}});
}

/* A definition that changes units is not taken, and the book that it would be read by is lost: no gap is
 * forgotten by it. */
Test(edges, a_book_that_is_lost_twice_stays_lost)
{
    quiet();
    gap();
    cr_expect(market()->gap);
    union event_record record = {.definition = h.definitions[0]};
    record.definition.price_exponent = -2;
    give(EVENT_definition, CHANNEL_REFERENCE, record);
    cr_expect(market()->gap);
    cr_expect_eq(h.engine->instruments[0].definition.price_exponent, -1);
    harness_close(&h);
}

Test(edges, a_definition_changes_no_unit_and_no_contract)
{
    static const struct {
        int8_t price, quantity, multiplier;
        uint8_t contract;
    } changes[] = {{-2, -3, 0, CONTRACT_LINEAR},
                   {-1, -4, 0, CONTRACT_LINEAR},
                   {-1, -3, 1, CONTRACT_LINEAR},
                   {-1, -3, 0, CONTRACT_INVERSE}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        quiet();
        union event_record record = {.definition = h.definitions[0]};
        record.definition.price_exponent = changes[i].price;
        record.definition.quantity_exponent = changes[i].quantity;
        record.definition.multiplier_exponent = changes[i].multiplier;
        record.definition.contract = changes[i].contract;
        give(EVENT_definition, CHANNEL_REFERENCE, record);
        cr_expect(market()->gap, "%zu", i);
        cr_expect_eq(h.engine->instruments[0].definition.contract, CONTRACT_LINEAR);
        harness_close(&h);
    }
}

/* Prints that are no trade of the market (a block, a correction) are no reference. */
Test(edges, a_print_that_is_not_the_markets_is_no_trade)
{
    quiet();
    struct row row = {.price = 1100, .quantity = 5, .flags = ROW_NOT_MARKET};
    struct message message = {.kind = EVENT_trade,
                              .stream = EVENT_STREAM(0, CHANNEL_TRADE),
                              .row_count = 1,
                              .rows = &row};
    harness_give(&h, &message);
    cr_expect_not(market()->trade.has);
    row.flags = 0;
    harness_give(&h, &message);
    cr_expect(market()->trade.has);
    harness_close(&h);
}

/* Rule 3: depth that is older than the best prices does not replace them. */
Test(edges, depth_that_is_older_than_the_top_leaves_it)
{
    quiet();
    harness_book_at(&h, 0, EVENT_top, 100, 1010, 5, 1015, 5);
    harness_book_at(&h, 0, EVENT_depth, 99, 995, 7, 0, 0);
    cr_expect_eq(market()->top.price[SIDE_BUY], 1010);
    harness_book_at(&h, 0, EVENT_depth, 101, 995, 8, 0, 0);
    cr_expect_eq(market()->top.price[SIDE_BUY], 1000);
    harness_close(&h);
}

/* A spread of nearly all that a price may be is still a figure. */
Test(edges, a_spread_as_wide_as_prices_go_is_measured)
{
    harness_init(&h);
    h.settings[0].breaker_spread = 3000000000;
    h.settings[0].breaker_spread_samples = 1;
    h.settings[0].quote_half_spread = TICKS(2);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 5, 5, INT64_C(100000000000), 5);
    harness_tick(&h, SECONDS(1));
    cr_expect_eq(h.engine->instruments[0].signals.spread, 1999999999); /* (ask - bid) / mid */
    harness_close(&h);
}

/* --- money ----------------------------------------------------------------------------------------------- */

static void fill(int64_t price, int64_t quantity, money fee, uint16_t fee_asset)
{
    union event_record record = {.order_filled = {.order = 77,
                                                  .side = SIDE_BUY,
                                                  .price = value(price),
                                                  .quantity = value(quantity),
                                                  .leaves = value(0),
                                                  .fee = fee,
                                                  .fee_asset = fee_asset}};
    give(EVENT_order_filled, CHANNEL_SESSION, record);
}

Test(edges, a_fee_in_an_asset_that_there_is_not_is_in_no_ledger)
{
    quiet();
    fill(1000, 1, (money){5}, HARNESS_ASSETS);
    for (unsigned asset = 0; asset < HARNESS_ASSETS; asset++)
        cr_expect_eq(ledger_balance(h.engine, 0, asset)->fees.atto, 0);
    cr_expect_eq(h.engine->instruments[0].position.fees.atto, 0);
    harness_close(&h);
}

Test(edges, a_fill_beyond_all_money_is_removed_and_told)
{
    quiet();
    fill(INT64_MAX / 2, INT64_MAX / 2, MONEY_ZERO, ASSET_QUOTE);
    cr_expect_eq(violations(), 0);
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    cr_expect_eq(h.engine->instruments[0].position.units, 0);
}

static void spot(int quantity_exponent)
{
    harness_init(&h);
    struct event_definition *definition = &h.definitions[0];
    definition->contract = CONTRACT_SPOT;
    definition->price_exponent = 0;
    definition->tick = 1;
    definition->quantity_exponent = (int8_t)quantity_exponent;
    definition->base_commission_exponent = (int8_t)quantity_exponent;
    h.audit_each = false; /* what one violation leads to is none of these tests */
    h.settings[0].quote_enabled = false;
    h.settings[0].quote_size = LOTS(1);
    harness_start(&h);
}

static money of_base(int64_t amount)
{
    return (money){(int128)amount * power_of_ten(18)};
}

/* What was paid does not fit. Where the fee takes nearly all that was bought, the worth of what is left does,
 * and so does the worth of the fee. */
Test(edges, a_spot_fill_whose_value_does_not_fit_moves_no_money)
{
    static const struct {
        int64_t price, quantity, fee;
    } fills[] = {{10000000000, 18000000000, 4000000000},
                 {170142, 1000000000000000, 999995000000000}};
    for (size_t i = 0; i < sizeof fills / sizeof fills[0]; i++) {
        spot(0);
        fill(fills[i].price, fills[i].quantity, of_base(fills[i].fee), ASSET_BASE);
        cr_expect_eq(violations(), 0);
        cr_expect_eq(harness_count(&h, EVENT_removed), 1);
        cr_expect_eq(h.engine->instruments[0].position.fills, 0);
        cr_expect_eq(h.engine->instruments[0].quote_flow.atto, 0);
        harness_close(&h);
    }
}

/* The fee takes more of the base than a position can hold, or gives more: neither is a fee. */
Test(edges, a_fee_in_base_beyond_any_position_is_removed_with_its_fill)
{
    const money most = of_base(1000000000000000);
    spot(-8);
    fill(10, 500, most, ASSET_BASE);
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    fill(10, 500, money_negate(most), ASSET_BASE);
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    cr_expect_eq(h.engine->instruments[0].position.fills, 0);
    cr_expect_eq(ledger_balance(h.engine, 0, ASSET_BASE)->moved.atto, 0);
    cr_expect_eq(violations(), 0);
    harness_close(&h);
}

/* Both what is bought and what is paid must be amounts that can be meant. */
Test(edges, a_spot_fill_of_more_than_there_can_be_is_removed)
{
    spot(3);
    fill(1, ENGINE_QUANTITY_MAX, MONEY_ZERO, ASSET_QUOTE); /* no amount holds so much base */
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    h.engine->instruments[0].definition.price_exponent = -4;
    fill(1, INT64_C(2000000000000), MONEY_ZERO, ASSET_QUOTE); /* 2e15 of base for 2e11 */
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    fill(20000, INT64_C(1000000000000), MONEY_ZERO, ASSET_QUOTE); /* 1e15 of base for 2e15 */
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    cr_expect_eq(h.engine->instruments[0].position.fills, 0);
    fill(10000, INT64_C(1000000000000), MONEY_ZERO, ASSET_QUOTE);
    cr_expect_eq(h.engine->instruments[0].position.fills, 1);
    cr_expect_eq(violations(), 0);
    harness_close(&h);
}

/* An order of a tape whose need no amount holds: told as a violation, and nothing is reserved for it. */
Test(edges, an_order_of_a_tape_whose_need_does_not_fit_reserves_nothing)
{
    spot(0);
    const struct event_place place = {.order = 1,
                                      .side = SIDE_BUY,
                                      .price = value(ENGINE_PRICE_MAX),
                                      .quantity = value(ENGINE_QUANTITY_MAX)};
    orders_take_place(h.engine, &place, 0);
    cr_expect_eq(violations(), 1);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_PENDING_NEW);
    cr_expect_eq(ledger_balance(h.engine, 0, ASSET_QUOTE)->reserved.atto, 0);
    audit_full(h.engine);
    cr_expect_eq(violations(), 1);               /* told once */
    h.engine->counters.invariant_violations = 0; /* expected */
    harness_reject(&h, 1, REJECT_FUNDS);
    cr_expect_eq(ledger_balance(h.engine, 0, ASSET_QUOTE)->reserved.atto, 0);
    harness_close(&h);
}

/* The codec takes no such cause; a venue's adapter may make the record in memory. */
Test(edges, a_fill_of_a_cause_that_there_is_not_counts_as_a_fill)
{
    quiet();
    union event_record record = {.order_filled = {.order = 77,
                                                  .side = SIDE_BUY,
                                                  .price = value(1000),
                                                  .quantity = value(3),
                                                  .leaves = value(0),
                                                  .cause = FILL_CAUSE_COUNT,
                                                  .fee_asset = ASSET_QUOTE}};
    uint64_t by_cause = 0;
    give(EVENT_order_filled, CHANNEL_SESSION, record);
    for (unsigned cause = 0; cause < FILL_CAUSE_COUNT; cause++)
        by_cause += engine_counters(h.engine)->fills_by_cause[cause];
    cr_expect_eq(engine_counters(h.engine)->fills, 1);
    cr_expect_eq(by_cause, 0);
    cr_expect_eq(h.engine->instruments[0].position.units, 3);
    harness_close(&h);
}

Test(edges, spot_has_no_funding)
{
    spot(0);
    union event_record record = {.funding = {.rate = 100, .due = SECONDS(1)}};
    give(EVENT_funding, CHANNEL_REFERENCE, record);
    harness_run_to(&h, SECONDS(2));
    cr_expect_eq(harness_count(&h, EVENT_funding_booked), 0);
    cr_expect_eq(market()->funding_due, TIME_NEVER);
    harness_close(&h);
}

/* A need that no amount holds is never there. */
Test(edges, funds_for_what_can_not_be_reckoned_are_lacking)
{
    spot(0);
    give(EVENT_balance, CHANNEL_SESSION,
         (union event_record){.balance = {.venue = 0, .asset = ASSET_QUOTE, .total = {1}}});
    const struct candidate dear = {
        .side = SIDE_BUY, .price = INT64_MAX / 2, .quantity = INT64_MAX / 2};
    cr_expect_not(ledger_has_funds(h.engine, &dear, NULL));
    h.engine->instruments[0].definition.taker_fee = INT64_C(5000000000); /* 500 % */
    money need;
    const int64_t price = INT64_C(10000000000);
    cr_expect_not(ledger_need(h.engine, 0, SIDE_BUY, price, price, &need)); /* 5e20 of fee */
    h.engine->instruments[0].definition.taker_fee = -1;
    h.engine->instruments[0].definition.maker_fee = -1;
    cr_expect(ledger_need(h.engine, 0, SIDE_BUY, price, price, &need));
    harness_close(&h);
}

/* A fill of 3 that the venue made at 4 s, before the funding at 5 s, and told at 6 s. */
static void late_fill(void)
{
    union event_record record = {.order_filled = {.order = 77,
                                                  .side = SIDE_BUY,
                                                  .price = value(1000),
                                                  .quantity = value(3),
                                                  .leaves = value(0),
                                                  .fee_asset = ASSET_QUOTE}};
    struct message message = {.ts_local = h.now,
                              .ts_venue = SECONDS(4),
                              .flags = MESSAGE_VENUE_TIME,
                              .kind = EVENT_order_filled,
                              .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                              .record = &record};
    harness_give(&h, &message);
}

/* A fill from before a funding at which nothing was known to mark by: some is missing, how much nobody knows. */
Test(edges, a_late_fill_before_a_funding_without_a_mark_is_missed)
{
    quiet();
    struct position *position = &h.engine->instruments[0].position;
    position->last_funding_due = SECONDS(5);
    h.now = SECONDS(6);
    late_fill();
    cr_expect(position->funding_missed);
    cr_expect_eq(position->funding.atto, 0);
    /* Flat at the next such time nothing more is missed, and what was missed stays so. */
    const struct event_funding_booked unmarked = {.instrument = 0, .due = SECONDS(7)};
    ledger_take_funding(h.engine, &unmarked);
    cr_expect(position->funding_missed);
    harness_close(&h);
}

/* Rates are a venue's word. At 9e9 times 0.3 of value pays 3e9, which may be; 1e6 of value would pay more than any
 * account holds, and 1e15 more than fits. Held or filled before it, such a funding is missing from the result,
 * which says so. */
Test(edges, a_funding_beyond_belief_is_missed_and_not_booked)
{
    static const int64_t sizes[] = {3, 10000000, 10000000000000000};
    const struct event_funding_booked absurd = {
        .instrument = 0, .due = SECONDS(5), .rate = INT64_MAX, .mark2 = 2000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        quiet();
        struct position *position = &h.engine->instruments[0].position;
        harness_position(&h, 0, SIDE_BUY, 1000, sizes[i]);
        h.engine->instruments[0].market.funding_told = true;
        ledger_take_funding(h.engine, &absurd);
        cr_expect_eq(position->funding_missed, i > 0);
        cr_expect_eq(position->funding.atto == 0, i > 0);
        cr_expect_eq(violations(), 0);
        harness_close(&h);
    }
    quiet();
    struct position *position = &h.engine->instruments[0].position;
    position->last_funding_due = SECONDS(5);
    position->last_funding_mark2 = INT64_MAX / 2;
    position->last_funding_rate = INT64_MAX;
    h.now = SECONDS(6);
    late_fill();
    cr_expect(position->funding_missed);
    cr_expect_eq(position->funding.atto, 0);
    cr_expect_eq(position->units, 3);
    harness_close(&h);
}

Test(edges, a_funding_without_a_mark_is_missed_by_who_holds_something)
{
    quiet();
    const struct event_funding_booked unmarked = {.instrument = 0, .due = SECONDS(7)};
    struct position *position = &h.engine->instruments[0].position;
    ledger_take_funding(h.engine, &unmarked);
    cr_expect_not(position->funding_missed);
    harness_position(&h, 0, SIDE_BUY, 1000, 3);
    ledger_take_funding(h.engine, &unmarked);
    cr_expect(position->funding_missed);
    harness_close(&h);
}

Test(edges, a_position_beyond_its_value_is_a_violation_where_it_is_told)
{
    struct engine_position told;
    quiet();
    struct position *position = &h.engine->instruments[0].position;
    position->units = INT64_MAX;
    h.engine->instruments[0].market.mark = (struct stamped){INT64_MAX / 4, h.now, true};
    engine_position(h.engine, 0, &told);
    cr_expect_eq(violations(), 1);
    position->exponent = 3; /* nor can its size be told */
    engine_position(h.engine, 0, &told);
    cr_expect_eq(violations(), 3);
    h.engine->instruments[0].market.mark.has = false; /* no mark, no profit */
    h.engine->instruments[0].market.mid2 = 0;
    h.engine->instruments[0].market.last_mark2.has = false;
    position->units = 1;
    engine_position(h.engine, 0, &told);
    cr_expect_eq(violations(), 3);
    position->apart = 2 - INT64_MAX; /* what the venue has without what stands apart is beyond it */
    engine_position(h.engine, 0, &told);
    cr_expect_eq(violations(), 4);
}

/* --- one id at two instruments -------------------------------------------------------------------------- */

static void one_order(void)
{
    quiet();
    const struct event_place place = {
        .order = 1, .side = SIDE_BUY, .price = value(990), .quantity = value(5)};
    orders_take_place(h.engine, &place, 0);
    harness_accept(&h, 1);
}

Test(edges, a_fill_told_of_another_instrument_is_not_the_orders_own)
{
    one_order();
    union event_record record = {.order_filled = {.instrument = 1,
                                                  .order = 1,
                                                  .side = SIDE_BUY,
                                                  .price = value(990),
                                                  .quantity = value(2),
                                                  .leaves = value(0),
                                                  .fee_asset = ASSET_QUOTE}};
    harness_record(&h, EVENT_order_filled, EVENT_STREAM(1, CHANNEL_SESSION), &record);
    cr_expect_eq(harness_order(&h, 1)->filled, 0);
    cr_expect_eq(h.engine->instruments[0].position.units, 0);
    cr_expect_eq(h.engine->instruments[1].position.units, 2);
    record.order_filled.instrument = 2; /* none that there is */
    harness_record(&h, EVENT_order_filled, EVENT_STREAM(2, CHANNEL_SESSION), &record);
    cr_expect_eq(h.engine->orders.surprises, 1);
    harness_close(&h);
}

/* B14: it is some other order whose price can't be read; ours keeps its own. */
Test(edges, a_row_of_another_instrument_does_not_unprice_ours)
{
    one_order();
    union event_record record = {.open_order = {.instrument = 1,
                                                .order = 1,
                                                .side = SIDE_BUY,
                                                .price = {0, NUMBER_NAN},
                                                .leaves = value(5)}};
    harness_record(&h, EVENT_open_order, EVENT_STREAM(1, CHANNEL_SESSION), &record);
    cr_expect_not(harness_order(&h, 1)->unpriced);
    record.open_order.instrument = 0;
    harness_record(&h, EVENT_open_order, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    cr_expect(harness_order(&h, 1)->unpriced);
    harness_close(&h);
}

Test(edges, names_of_trades_that_begin_alike_are_two)
{
    quiet();
    uint32_t last = ENGINE_NO_SLOT;
    const struct venue_id trade = {.length = 2}, longer = {.length = 3};
    cr_expect_not(orders_trade_repeats(h.engine, 1, &last, &trade));
    cr_expect_not(orders_trade_repeats(h.engine, 1, &last, &longer));
    cr_expect(orders_trade_repeats(h.engine, 1, &last, &trade));
    harness_close(&h);
}
