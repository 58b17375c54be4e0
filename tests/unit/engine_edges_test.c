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
    const struct event_learned told = {
        .instrument = 1, .order = 1, .side = SIDE_BUY, .level = 0, .next = 1};
    learning_take(h.engine, &told);
    cr_expect_eq(harness_order(&h, 1)->level, 0);
    cr_expect_eq(harness_order(&h, 1)->spell, SPELL_NONE);
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

/* The position can be kept (what the fee takes of it is not reckoned), the quote that was paid can't. */
Test(edges, a_spot_fill_whose_value_does_not_fit_moves_no_money)
{
    spot(0);
    money fee = {(int128)INT64_C(4000000000) * power_of_ten(18)};
    fill(INT64_C(10000000000), INT64_C(18000000000), fee, ASSET_BASE);
    cr_expect_eq(violations(), 0);
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    cr_expect_eq(h.engine->instruments[0].quote_flow.atto, 0);
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

/* A fill from before a funding at which nothing was known to mark by: some is missing, how much nobody knows. */
Test(edges, a_late_fill_before_a_funding_without_a_mark_is_missed)
{
    quiet();
    struct position *position = &h.engine->instruments[0].position;
    position->last_funding_due = SECONDS(5);
    h.now = SECONDS(6);
    union event_record record = {.order_filled = {.order = 77,
                                                  .side = SIDE_BUY,
                                                  .price = value(1000),
                                                  .quantity = value(1),
                                                  .leaves = value(0),
                                                  .fee_asset = ASSET_QUOTE}};
    struct message message = {.ts_local = h.now,
                              .ts_venue = SECONDS(4),
                              .flags = MESSAGE_VENUE_TIME,
                              .kind = EVENT_order_filled,
                              .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                              .record = &record};
    harness_give(&h, &message);
    cr_expect(position->funding_missed);
    cr_expect_eq(position->funding.atto, 0);
    /* Flat at the next such time nothing more is missed, and what was missed stays so. */
    const struct event_funding_booked unmarked = {.instrument = 0, .due = SECONDS(7)};
    ledger_take_funding(h.engine, &unmarked);
    cr_expect(position->funding_missed);
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
