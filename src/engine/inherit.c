/* The carry of an engine of other settings, whose numbers of venues, assets and instruments may be others: what a
 * session that begins under another configuration is left. All that is no carry begins cold, as at any start. */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/assert.h"

struct heir {
    struct engine *engine;
    const struct engine *from;
    const struct engine_heirs *heirs;
    struct engine_lost *lost;
};

static bool lose(const struct heir *heir, enum engine_loss loss, unsigned number)
{
    *heir->lost = (struct engine_lost){.loss = loss, .number = (uint16_t)number};
    return false;
}

/* --- what can't be left behind ------------------------------------------------------------------------ */

static bool is_gone(const struct heir *heir, unsigned index)
{
    return heir->heirs->instruments[index] == EVENT_NONE_16;
}

static bool check_instruments(const struct heir *heir)
{
    for (unsigned index = 0; index < heir->from->instrument_count; index++) {
        const struct instrument *instrument = &heir->from->instruments[index];
        if (!is_gone(heir, index))
            continue;
        if (instrument->sides[SIDE_BUY].count + instrument->sides[SIDE_SELL].count > 0)
            return lose(heir, ENGINE_LOSES_ORDERS, index);
        if (instrument->position.units != 0)
            return lose(heir, ENGINE_LOSES_POSITION, index);
    }
    return true;
}

/* Peak and day's start are in the account's currency. */
static bool check_currency(const struct heir *heir)
{
    unsigned before = heir->from->profit.currency, after = EVENT_NONE_16;
    if (before != EVENT_NONE_16)
        after = heir->heirs->assets[before];
    if (!heir->from->profit.has_mark ||
        (after != EVENT_NONE_16 && after == heir->engine->profit.currency))
        return true;
    return lose(heir, ENGINE_LOSES_CURRENCY, before);
}

/* --- orders -------------------------------------------------------------------------------------------- */

/* Where a trade of the ring stands in the other, which may be smaller. */
static uint32_t trade_of(const struct heir *heir, uint32_t slot)
{
    const struct order_table *to = &heir->engine->orders, *from = &heir->from->orders;
    if (slot == ENGINE_NO_SLOT)
        return slot;
    uint64_t count = from->trades[slot].count, room = (uint64_t)to->trade_mask + 1;
    return count + room < from->trade_count ? ENGINE_NO_SLOT : (uint32_t)count & to->trade_mask;
}

static void take_trades(const struct heir *heir)
{
    struct order_table *to = &heir->engine->orders;
    const struct order_table *from = &heir->from->orders;
    uint64_t room = (uint64_t)(to->trade_mask < from->trade_mask ? to : from)->trade_mask + 1;
    uint64_t kept = from->trade_count < room ? from->trade_count : room;
    for (uint64_t at = from->trade_count - kept; at < from->trade_count; at++) {
        struct own_trade trade = from->trades[at & from->trade_mask];
        trade.previous = trade_of(heir, trade.previous);
        to->trades[at & to->trade_mask] = trade;
    }
    to->trade_count = from->trade_count;
    to->repeats = from->repeats;
    to->surprises = from->surprises;
    to->late_fills = from->late_fills;
    to->orphan_fills = from->orphan_fills;
}

/* A level of the ladder is as far from the fair value as it was: what was learned of it still holds. */
static bool learns_on(const struct heir *heir, unsigned index)
{
    const struct limits *before = &heir->from->instruments[index].first_limits;
    const struct limits *after =
        &heir->engine->instruments[heir->heirs->instruments[index]].first_limits;
    return before->quote.tick == after->quote.tick &&
           before->quote.half_spread_millitick == after->quote.half_spread_millitick &&
           before->quote.step_millitick == after->quote.step_millitick &&
           before->learning_horizon == after->learning_horizon;
}

static struct order order_of(const struct heir *heir, const struct order *from)
{
    struct order order = *from;
    order.instrument = heir->heirs->instruments[from->instrument];
    order.last_trade = trade_of(heir, from->last_trade);
    if (order.spell == SPELL_OPEN && !learns_on(heir, from->instrument))
        order.spell = SPELL_OVER;
    return order;
}

static bool take_live(const struct heir *heir)
{
    const struct order_table *table = &heir->from->orders;
    for (unsigned index = 0; index < heir->from->instrument_count; index++) {
        for (unsigned side = 0; side < 2; side++) {
            uint32_t slot = heir->from->instruments[index].sides[side].first;
            for (; slot != ENGINE_NO_SLOT; slot = table->slots[slot].next) {
                struct order order = order_of(heir, &table->slots[slot]);
                if (!orders_take_carried(heir->engine, &order))
                    return lose(heir, ENGINE_LOSES_CAPACITY, EVENT_NONE_16);
            }
        }
    }
    return true;
}

/* The newer of two that a smaller table has one slot for. */
static void take_ended(const struct heir *heir)
{
    const struct order_table *from = &heir->from->orders;
    struct order_table *to = &heir->engine->orders;
    for (uint32_t at = 0; at <= from->mask; at++) {
        const struct order *ended = &from->slots[at];
        if (ended->state == ORDER_NONE || order_state_is_live(ended->state) ||
            is_gone(heir, ended->instrument))
            continue;
        struct order order = order_of(heir, ended);
        struct order *slot = &to->slots[((uint32_t)order.id - 1) & to->mask];
        if (slot->state != ORDER_NONE && !order_state_is_live(slot->state) && slot->id < order.id)
            slot->state = ORDER_NONE;
        (void)orders_take_carried(heir->engine, &order);
    }
}

/* --- money --------------------------------------------------------------------------------------------- */

static void take_balances(const struct heir *heir)
{
    const struct engine *from = heir->from;
    for (unsigned venue = 0; venue < from->venue_count; venue++) {
        for (unsigned asset = 0; asset < from->asset_count; asset++) {
            unsigned to_venue = heir->heirs->venues[venue], to = heir->heirs->assets[asset];
            if (to_venue == EVENT_NONE_8 || to == EVENT_NONE_16)
                continue;
            heir->engine->balances[to_venue * heir->engine->asset_count + to] =
                from->balances[venue * from->asset_count + asset];
        }
    }
}

/* By today's fees; as it was where they are the same. */
static void reserve_anew(const struct heir *heir)
{
    struct engine *engine = heir->engine;
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        for (unsigned side = 0; side < 2; side++) {
            uint32_t slot = engine->instruments[index].sides[side].first;
            for (; slot != ENGINE_NO_SLOT; slot = engine->orders.slots[slot].next) {
                struct order *order = &engine->orders.slots[slot];
                ledger_reserve(engine, order, orders_worst_price(order),
                               orders_worst_leaves(order));
            }
        }
    }
}

/* What an instrument moved that is gone came from elsewhere, as far as the others can tell. */
static void rebase_balances(const struct heir *heir)
{
    struct engine *engine = heir->engine;
    bool any_gone = false;
    for (unsigned index = 0; index < heir->from->instrument_count; index++)
        any_gone |= is_gone(heir, index);
    for (unsigned venue = 0; any_gone && venue < engine->venue_count; venue++) {
        for (unsigned asset = 0; asset < engine->asset_count; asset++) {
            struct balance *balance = &engine->balances[venue * engine->asset_count + asset];
            if (!balance->used)
                continue;
            balance->moved =
                engine_subtract(engine, audit_flow_of(engine, venue, asset), balance->fees);
            balance->transfers = engine_subtract(engine, balance->total, balance->moved);
        }
    }
}

/* What the account's profit has of an asset without the instruments that go on: fees paid in it, and what instruments
 * made that are gone, as a fee that was paid back. */
static money apart_from_instruments(const struct heir *heir, unsigned asset)
{
    struct engine *engine = heir->engine;
    money fees = heir->from->profit.assets[asset].fees;
    for (unsigned index = 0; index < heir->from->instrument_count; index++) {
        const struct instrument *instrument = &heir->from->instruments[index];
        const struct position *position = &instrument->position;
        if (!is_gone(heir, index) || ledger_profit_asset(&instrument->definition) != asset)
            continue;
        fees = engine_add(engine, fees, position->fees);
        fees = engine_subtract(engine, fees, position->realised);
        fees = engine_subtract(engine, fees, position->funding);
    }
    return fees;
}

static bool take_profit(const struct heir *heir)
{
    const struct profit *from = &heir->from->profit;
    struct profit *to = &heir->engine->profit;
    to->has_mark = from->has_mark;
    to->drawn_down = from->drawn_down;
    to->day_lost = from->day_lost;
    to->marked = from->marked;
    for (unsigned asset = 0; asset < heir->from->asset_count; asset++) {
        money fees = apart_from_instruments(heir, asset);
        unsigned kept = heir->heirs->assets[asset];
        if (kept != EVENT_NONE_16)
            to->assets[kept].fees = fees;
        else if (from->has_mark && fees.atto != 0)
            return lose(heir, ENGINE_LOSES_PROFIT, asset);
    }
    return true;
}

/* --- instruments, venues --------------------------------------------------------------------------------- */

static void take_instrument(const struct heir *heir, unsigned index)
{
    const struct instrument *from = &heir->from->instruments[index];
    struct instrument *to = &heir->engine->instruments[heir->heirs->instruments[index]];
    ASSERT(to->position.exponent == from->position.exponent);
    to->position = from->position;
    to->quote_flow = from->quote_flow;
    to->paused = from->paused;
    to->pulled = from->pulled;
    to->alarms.raised = from->alarms.raised;
    if (from->profit.fee_asset != EVENT_NONE_16)
        to->profit.fee_asset = heir->heirs->assets[from->profit.fee_asset];
    for (unsigned breaker = 0; breaker < BREAKER_COUNT; breaker++)
        breakers_set(to, breaker, from->breakers.state[breaker], from->breakers.since[breaker]);
    if (learns_on(heir, index))
        memcpy(to->learning.cells, from->learning.cells, sizeof to->learning.cells);
}

static void take_venue(const struct venue_state *from, struct venue_state *to)
{
    to->rate.day = from->rate.day;
    to->rate.day_sent = from->rate.day_sent;
    to->rate.told_left = from->rate.told_left;
    to->rate.told_most = from->rate.told_most;
    to->rate.told_resets = from->rate.told_resets;
    to->rate.refused_until = from->rate.refused_until;
    to->rate.back_off = from->rate.back_off;
    to->infrastructure.state = from->infrastructure.state;
    to->infrastructure.failures = from->infrastructure.failures;
    to->infrastructure.since = from->infrastructure.since;
    to->infrastructure.passed = from->infrastructure.passed;
    to->infrastructure.trial = from->infrastructure.trial;
    to->alarms.raised = from->alarms.raised;
}

static void take_session(const struct heir *heir)
{
    struct engine_counters *to = &heir->engine->counters;
    const struct engine_counters *from = &heir->from->counters;
    heir->engine->now = heir->from->now;
    heir->engine->carry = heir->from->carry;
    to->placed = from->placed;
    to->modified = from->modified;
    to->replaced = from->replaced;
    to->cancelled = from->cancelled;
    to->fills = from->fills;
    memcpy(to->fills_by_cause, from->fills_by_cause, sizeof to->fills_by_cause);
    heir->engine->started = true;
}

bool engine_inherit(struct engine *engine, const struct engine *from,
                    const struct engine_heirs *heirs, struct engine_lost *lost)
{
    const struct heir heir = {.engine = engine, .from = from, .heirs = heirs, .lost = lost};
    ASSERT(engine->magic == ENGINE_MAGIC && from->magic == ENGINE_MAGIC && !engine->started);
    if (!check_instruments(&heir) || !check_currency(&heir))
        return false;
    take_trades(&heir);
    if (!take_live(&heir))
        return false;
    take_ended(&heir);
    take_balances(&heir);
    reserve_anew(&heir);
    for (unsigned index = 0; index < from->instrument_count; index++)
        if (!is_gone(&heir, index))
            take_instrument(&heir, index);
    for (unsigned venue = 0; venue < from->venue_count; venue++)
        if (heirs->venues[venue] != EVENT_NONE_8)
            take_venue(&from->venues[venue], &engine->venues[heirs->venues[venue]]);
    rebase_balances(&heir);
    take_session(&heir);
    return take_profit(&heir);
}
