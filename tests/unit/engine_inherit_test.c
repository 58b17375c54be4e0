/* What an engine of other settings, and other numbers of venues, assets and instruments, takes over; and what it
 * can't. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/walker.h"
#include "engine_harness.h"

enum { TEXT = 1 << 20 };

static struct harness before, after;
static struct engine_heirs heirs;
static struct engine_lost lost;
static char ours[TEXT];

/* Two spot instruments that quote, with orders, fills, balances and a pause. */
static void lived(void)
{
    union event_record record = {.balance = {.asset = ASSET_QUOTE}};
    harness_init(&before);
    before.instrument_count = 2;
    before.definitions[0].contract = before.definitions[1].contract = CONTRACT_SPOT;
    before.settings[0].quote_levels = before.settings[1].quote_levels = 3;
    before.settings[0].learning_horizon = before.settings[1].learning_horizon = SECONDS(2);
    before.settings[0].learning_decay = before.settings[1].learning_decay = 990000000;
    harness_start(&before);
    money_from_units(1000, 0, &record.balance.total);
    harness_record(&before, EVENT_balance, EVENT_NONE_16, &record);
    record.balance.asset = ASSET_BASE;
    harness_record(&before, EVENT_balance, EVENT_NONE_16, &record);
    harness_book(&before, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_book(&before, 1, EVENT_snapshot, 2000, 50, 2005, 40);
    before.now = SECONDS(1);
    for (order_id order = 1; order <= 4; order++)
        harness_accept(&before, order);
    harness_fill(&before, 1, SIDE_BUY, 990, 4, 6);
    harness_fill(&before, 1, SIDE_BUY, 990, 1, 5);
    harness_run_to(&before, SECONDS(9));
    before.engine->instruments[1].paused = true;
    cr_assert_gt(engine_open_orders(before.engine), 6);
    cr_assert_neq(before.engine->instruments[0].position.units, 0);
}

static void same_heirs(void)
{
    for (unsigned i = 0; i < 2; i++)
        heirs.venues[i] = (uint8_t)i;
    for (unsigned i = 0; i < HARNESS_ASSETS; i++)
        heirs.assets[i] = (uint16_t)i;
    for (unsigned i = 0; i < HARNESS_INSTRUMENTS; i++)
        heirs.instruments[i] = (uint16_t)i;
}

/* Settings as they were, to be changed before begin(). */
static void same_settings(void)
{
    after = before;
    after.memory = NULL;
    same_heirs();
}

static bool begin(void)
{
    harness_make(&after);
    return engine_inherit(after.engine, before.engine, &heirs, &lost);
}

static void start(struct engine *engine)
{
    const union event_record record = {.start = {.epoch = 7}};
    const struct message message = {
        .ts_local = before.now, .stream = EVENT_NONE_16, .kind = EVENT_start, .record = &record};
    engine_step(engine, &message);
}

static void close_both(void)
{
    free(before.memory);
    free(after.memory);
    before.memory = after.memory = NULL;
}

static void expect_equal(void (*walk)(const struct engine *, struct walker *))
{
    struct walker_text text;
    struct walker_difference difference;
    walker_text_init(&text, ours, sizeof ours);
    walk(before.engine, &text.walker);
    cr_assert_leq(text.length, sizeof ours);
    walker_difference_init(&difference, ours, text.length);
    walk(after.engine, &difference.walker);
    cr_expect_not(walker_difference_found(&difference), "inherited '%s', was '%s'", difference.ours,
                  difference.theirs);
}

Test(inherit, under_the_same_settings_is_a_restart)
{
    lived();
    same_settings();
    cr_assert(begin());
    expect_equal(engine_walk_carry);
    const struct engine_counters *was = engine_counters(before.engine);
    const struct engine_counters *is = engine_counters(after.engine);
    cr_expect_eq(was->fills, 2);
    cr_expect_eq(is->fills, was->fills);
    cr_expect_arr_eq(is->fills_by_cause, was->fills_by_cause, sizeof was->fills_by_cause);
    start(before.engine);
    start(after.engine);
    expect_equal(engine_walk);
    close_both();
}

/* A bid holds its price and the fee; the audit behind each message reckons it anew. */
Test(inherit, what_orders_hold_is_by_the_fees_of_today)
{
    lived();
    same_settings();
    for (unsigned i = 0; i < 2; i++)
        after.definitions[i].maker_fee += 1000000;
    cr_assert(begin());
    start(after.engine);
    cr_expect_eq(engine_counters(after.engine)->invariant_violations, 0);
    close_both();
}

/* Venues, assets and instruments under other numbers, and a new one between them. */
static void renumber(void)
{
    const uint16_t assets[] = {2, 0, 1, 3};
    same_settings();
    heirs.venues[0] = 1;
    heirs.venues[1] = 0;
    memcpy(heirs.assets, assets, sizeof assets);
    heirs.instruments[0] = 2;
    heirs.instruments[1] = 0;
    after.instrument_count = 3;
    for (unsigned i = 0; i < 3; i++) {
        after.definitions[i] = before.definitions[0];
        after.definitions[i].instrument = (uint16_t)i;
        after.definitions[i].venue = 1;
        after.definitions[i].base = assets[ASSET_BASE];
        after.definitions[i].quote = after.definitions[i].settle = assets[ASSET_QUOTE];
        after.settings[i] = before.settings[0];
    }
}

Test(inherit, under_other_numbers)
{
    lived();
    before.engine->instruments[0].profit.fee_asset = ASSET_OTHER;
    before.engine->profit.assets[ASSET_OTHER].fees.atto = 55;
    renumber();
    cr_assert(begin());
    const struct engine *from = before.engine, *to = after.engine;
    cr_expect_eq(to->instruments[2].position.units, from->instruments[0].position.units);
    cr_expect_eq(to->instruments[1].position.units, 0);
    cr_expect(to->instruments[0].paused && !to->instruments[2].paused);
    cr_expect_eq(to->instruments[2].profit.fee_asset, 1);
    cr_expect_eq(to->profit.assets[1].fees.atto, 55);
    const struct balance *quote = &to->balances[1 * HARNESS_ASSETS + 0];
    cr_expect_eq(quote->total.atto, from->balances[ASSET_QUOTE].total.atto);
    cr_expect_neq(quote->total.atto, 0);
    cr_expect_eq(engine_open_orders(to), engine_open_orders(from));
    for (unsigned side = 0; side < 2; side++) {
        cr_expect_eq(to->instruments[2].sides[side].count, from->instruments[0].sides[side].count);
        cr_expect_eq(to->instruments[0].sides[side].count, from->instruments[1].sides[side].count);
        cr_expect_eq(to->instruments[1].sides[side].count, 0);
    }
    cr_expect_eq(to->carry.epoch, from->carry.epoch);
    start(after.engine); /* and its sums hold */
    cr_expect_eq(engine_counters(to)->violation, NULL);
    close_both();
}

/* A trade that was told before counts once, whatever size the tables have. */
static void expect_trade_known(int64_t capacity)
{
    lived();
    same_settings();
    after.global.orders_capacity = capacity;
    cr_assert(begin());
    start(after.engine);
    int64_t held = after.engine->instruments[0].position.units;
    const struct own_trade *trade = &before.engine->orders.trades[0];
    const union event_record record = {.order_filled = {.order = trade->order,
                                                        .trade = trade->id,
                                                        .price = {990, NUMBER_VALUE},
                                                        .quantity = {4, NUMBER_VALUE},
                                                        .leaves = {6, NUMBER_VALUE},
                                                        .fee_asset = ASSET_QUOTE}};
    const struct message message = {.ts_local = before.now,
                                    .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                                    .kind = EVENT_order_filled,
                                    .record = &record};
    cr_assert_eq(trade->order, 1);
    engine_step(after.engine, &message);
    cr_expect_eq(after.engine->instruments[0].position.units, held);
    cr_expect_eq(engine_open_orders(after.engine), engine_open_orders(before.engine));
    close_both();
}

Test(inherit, a_trade_counts_once)
{
    expect_trade_known(256);
    expect_trade_known(8192);
    expect_trade_known(32);
}

/* So many trades of one order, each of which names the one before: the newest that both rings have room for go along. */
static void expect_newest_trades(int64_t from_orders, int64_t to_orders, uint64_t trades)
{
    enum { KEPT = 4096 };
    lived();
    close_both();
    before.global.orders_capacity = from_orders;
    harness_make(&before);
    struct order_table *from = &before.engine->orders;
    for (uint64_t at = 0; at < trades; at++)
        from->trades[at & from->trade_mask] = (struct own_trade){
            .order = 1,
            .count = at,
            .previous = at > 0 ? (uint32_t)(at - 1) & from->trade_mask : ENGINE_NO_SLOT};
    from->trade_count = trades;
    same_settings();
    after.global.orders_capacity = to_orders;
    cr_assert(begin());
    const struct order_table *to = &after.engine->orders;
    cr_assert_eq((from->trade_mask < to->trade_mask ? from : to)->trade_mask + 1, KEPT);
    for (uint64_t at = trades - KEPT; at < trades; at++) {
        const struct own_trade *trade = &to->trades[at & to->trade_mask];
        cr_assert_eq(trade->count, at);
        if (at > trades - KEPT)
            cr_assert_eq(trade->previous, (at - 1) & to->trade_mask);
    }
    close_both();
}

Test(inherit, the_newest_trades_go_into_another_ring)
{
    expect_newest_trades(4096, 64, 5000);
    expect_newest_trades(64, 4096, 5000);
}

/* What was learned of a level holds as long as the level stands where it stood, and a spell is as long as it was. */
static void expect_forgotten(void (*change)(struct settings_instrument *settings))
{
    lived();
    before.engine->instruments[0].learning.cells[0][0] =
        (struct learning_cell){.alpha = 5, .spells = 2};
    before.engine->instruments[1].learning.cells[0][0] =
        (struct learning_cell){.alpha = 6, .spells = 2};
    struct order *order = harness_order(&before, 1);
    order->spell = SPELL_OPEN;
    same_settings();
    change(&after.settings[0]);
    cr_assert(begin());
    cr_expect_eq(after.engine->instruments[0].learning.cells[0][0].spells, 0);
    cr_expect_eq(after.engine->instruments[1].learning.cells[0][0].spells, 2);
    cr_expect_eq(orders_find(after.engine, 1)->spell, SPELL_OVER);
    cr_expect_eq(after.engine->instruments[0].position.units,
                 before.engine->instruments[0].position.units);
    close_both();
}

static void another_spread(struct settings_instrument *settings)
{
    settings->quote_half_spread = TICKS(3);
}

static void another_step(struct settings_instrument *settings)
{
    settings->quote_step = TICKS(3);
}

static void another_horizon(struct settings_instrument *settings)
{
    settings->learning_horizon++;
}

Test(inherit, other_levels_forget_what_was_learned)
{
    expect_forgotten(another_spread);
    expect_forgotten(another_step);
    expect_forgotten(another_horizon);
}

/* An order that is over, of the first instrument. */
static void put_ended(order_id id)
{
    struct order_table *from = &before.engine->orders;
    struct order *slot = &from->slots[((uint32_t)id - 1) & from->mask];
    cr_assert_eq(slot->state, ORDER_NONE);
    *slot = (struct order){.id = id,
                           .state = ORDER_CANCELLED,
                           .price = 990,
                           .quantity = 10,
                           .last_trade = ENGINE_NO_SLOT,
                           .next = ENGINE_NO_SLOT,
                           .previous = ENGINE_NO_SLOT};
}

/* In a smaller table: one that lives keeps its slot, and of two that are over the newer has it, whichever comes first. */
Test(inherit, of_two_orders_with_one_slot_the_newer_is_known)
{
    lived();
    same_settings();
    after.global.orders_capacity = 32;
    harness_make(&after);
    const order_id rows = after.engine->orders.mask + 1;
    const order_id all = before.engine->orders.mask + 1;
    free(after.memory);
    cr_assert_lt(2 * rows, all);
    put_ended(1 + rows);
    put_ended(rows - 2);
    put_ended(rows - 2 + rows);
    put_ended(rows - 1 + rows);
    put_ended(rows - 1 + all);
    cr_assert(begin());
    const struct order *slots = after.engine->orders.slots;
    cr_expect(slots[0].id == 1 && order_state_is_live(slots[0].state));
    cr_expect_eq(slots[rows - 3].id, rows - 2 + rows);
    cr_expect_eq(slots[rows - 2].id, rows - 1 + all);
    close_both();
}

/* Nothing is owned or owed there; what was counted of its messages goes with it. */
Test(inherit, a_venue_that_is_gone)
{
    enum { GONE = HARNESS_ASSETS + ASSET_QUOTE };
    lived();
    before.engine->balances[GONE].total.atto = 9;
    before.engine->venues[1].rate.back_off = SECONDS(30);
    same_settings();
    cr_assert(begin());
    cr_assert_eq(after.engine->balances[GONE].total.atto, 9);
    cr_assert_eq(after.engine->venues[1].rate.back_off, SECONDS(30));
    free(after.memory);
    heirs.venues[1] = EVENT_NONE_8;
    cr_assert(begin());
    cr_expect_eq(after.engine->balances[GONE].total.atto, 0);
    cr_expect_eq(after.engine->venues[1].rate.back_off, 0);
    cr_expect_eq(after.engine->balances[ASSET_QUOTE].total.atto,
                 before.engine->balances[ASSET_QUOTE].total.atto);
    close_both();
}

/* --- an instrument that is gone ---------------------------------------------------------------------- */

static void expect_lost(enum engine_loss loss, unsigned number)
{
    cr_assert_not(begin());
    cr_expect_eq(lost.loss, loss);
    cr_expect_eq(lost.number, number);
    free(after.memory);
}

static void end_orders(unsigned instrument)
{
    for (order_id id = 1; id <= 64; id++) {
        struct order *order = harness_order(&before, id);
        if (order != NULL && order->instrument == instrument && order_state_is_live(order->state))
            harness_cancelled(&before, id, order->leaves);
    }
}

/* The second stays, as the first. */
static void first_is_gone(void)
{
    same_settings();
    after.instrument_count = 1;
    after.definitions[0] = before.definitions[1];
    after.definitions[0].instrument = 0;
    heirs.instruments[0] = EVENT_NONE_16;
    heirs.instruments[1] = 0;
}

Test(inherit, one_that_is_gone_must_be_flat_and_without_orders)
{
    lived();
    first_is_gone();
    expect_lost(ENGINE_LOSES_ORDERS, 0);
    harness_command(&before, COMMAND_CANCEL_ALL);
    end_orders(0);
    expect_lost(ENGINE_LOSES_POSITION, 0);
    free(before.memory);
}

/* It made a profit, and moved balances; both stay in the account's sums. */
Test(inherit, profit_of_one_that_is_gone_stays_the_account_s)
{
    lived();
    harness_command(&before, COMMAND_CANCEL_ALL);
    end_orders(0);
    harness_position(&before, 0, SIDE_SELL, 1090, 5);
    cr_assert_eq(before.engine->instruments[0].position.units, 0);
    money realised = before.engine->instruments[0].position.realised;
    money fees = before.engine->instruments[0].position.fees;
    cr_assert_gt(realised.atto, 0);
    before.engine->profit.has_mark = true;
    first_is_gone();
    after.global.risk_daily_loss_limit.atto = 1;
    cr_assert(begin());
    start(after.engine);
    cr_expect_eq(after.engine->profit.profit.atto, realised.atto - fees.atto);
    cr_expect_eq(after.engine->balances[ASSET_QUOTE].total.atto,
                 before.engine->balances[ASSET_QUOTE].total.atto);
    cr_expect_eq(engine_counters(after.engine)->violation, NULL);
    free(after.memory);
    after.memory = NULL;
    heirs.assets[ASSET_OTHER] = EVENT_NONE_16; /* nothing is in it */
    cr_assert(begin());
    free(after.memory);
    before.engine->profit.assets[ASSET_OTHER].fees.atto = 3;
    expect_lost(ENGINE_LOSES_PROFIT, ASSET_OTHER);
    before.engine->profit.has_mark = false; /* no limit ever looked at it */
    cr_assert(begin());
    close_both();
}

Test(inherit, another_currency_has_no_peak)
{
    lived();
    before.engine->profit.has_mark = true;
    before.engine->profit.marked.peak.atto = 7;
    same_settings();
    cr_assert(begin());
    cr_expect_eq(after.engine->profit.marked.peak.atto, 7);
    free(after.memory);
    const struct engine_account other = {.named = true, .currency = ASSET_OTHER};
    after.account = &other;
    expect_lost(ENGINE_LOSES_CURRENCY, ASSET_QUOTE);
    heirs.assets[ASSET_QUOTE] = EVENT_NONE_16; /* nor where there is no such asset any more */
    expect_lost(ENGINE_LOSES_CURRENCY, ASSET_QUOTE);
    same_heirs();
    before.engine->profit.has_mark = false;
    cr_assert(begin());
    close_both();
}

/* No currency is named: with nothing quoted any more it stays what it was. */
Test(inherit, quoting_nothing_keeps_the_peak)
{
    lived();
    before.engine->profit.has_mark = true;
    before.engine->profit.marked.peak.atto = 7;
    same_settings();
    for (unsigned index = 0; index < after.instrument_count; index++)
        after.settings[index].quote_enabled = false;
    cr_assert(begin());
    cr_expect_eq(after.engine->profit.currency, ASSET_QUOTE);
    cr_expect_eq(after.engine->profit.marked.peak.atto, 7);
    close_both();
}

Test(inherit, a_table_that_is_too_small)
{
    lived();
    same_settings();
    after.global.orders_capacity = 2;
    expect_lost(ENGINE_LOSES_CAPACITY, EVENT_NONE_16);
    free(before.memory);
}
