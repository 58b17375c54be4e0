/* The carry as bytes (engine/carrier.h): at the end stand the hash of the walked carry, so that no field of it is left
 * out, and that of the bytes. What follows from other fields is not written. */
#include "engine/carrier.h"

#include "base/assert.h"
#include "engine/walker.h"

/* Behind the first a session begins anew; the other has the account's sync too, so that a session can go on and be folded. */
enum { CARRY_VERSION = 5, CARRY_VERSION_GOES_ON = 7 };

/* --- orders ------------------------------------------------------------------------------------------------ */

#define ORDER_FIELD(name) FIELD_OF(order, name, 0)

static const struct field order_fields[] = {
    ORDER_FIELD(id),           ORDER_FIELD(instrument),
    FIELD_OF(order, side, 1),  FIELD_OF(order, state, ORDER_STATE_COUNT - 1),
    ORDER_FIELD(price),        ORDER_FIELD(quantity),
    ORDER_FIELD(leaves),       ORDER_FIELD(filled),
    ORDER_FIELD(asked_price),  ORDER_FIELD(asked_leaves),
    ORDER_FIELD(asked_ts),     ORDER_FIELD(placed_ts),
    ORDER_FIELD(modify_ts),    ORDER_FIELD(query_ts),
    ORDER_FIELD(event_ts),     ORDER_FIELD(told_ts),
    ORDER_FIELD(queries),      ORDER_FIELD(older),
    ORDER_FIELD(shown_price),  ORDER_FIELD(shown_leaves),
    ORDER_FIELD(shown),        ORDER_FIELD(asking),
    ORDER_FIELD(level),        ORDER_FIELD(asked_level),
    ORDER_FIELD(not_found),    FIELD_OF(order, lost, REQUEST_COUNT - 1),
    ORDER_FIELD(cancel_sent),  ORDER_FIELD(retry_ts),
    ORDER_FIELD(failures),     ORDER_FIELD(hanging),
    ORDER_FIELD(owing),        ORDER_FIELD(unpriced),
    FIELD_OF(order, spell, 2), ORDER_FIELD(spell_start),
    ORDER_FIELD(spell_filled), ORDER_FIELD(spell_quantity),
    ORDER_FIELD(reserved),     ORDER_FIELD(last_trade)};

_Static_assert(SPELL_OVER == 2, "the last of enum spell");

static bool trade_is_usable(const struct engine *engine, uint32_t slot)
{
    return slot == ENGINE_NO_SLOT || slot <= engine->orders.trade_mask;
}

static void pass_order(struct carrier *carrier, struct order *order, bool live)
{
    struct order read = {.state = ORDER_NONE};
    PASS_FIELDS(carrier, order_fields, order != NULL ? order->id : 0,
                order != NULL ? order : &read);
    if (!carrier_is_reading(carrier) || carrier->fault != NULL)
        return;
    if (order_state_is_live(read.state) != live ||
        !trade_is_usable(carrier->engine, read.last_trade) ||
        !orders_take_carried(carrier->engine, &read))
        carrier_refuse(carrier, "order", read.id);
}

/* Lists from their first to their last, so that they are made in the same order. */
static void pass_live(struct carrier *carrier, unsigned index, unsigned side)
{
    struct order_table *table = &carrier->engine->orders;
    const struct order_side *orders = &carrier->engine->instruments[index].sides[side];
    uint32_t slot = orders->first;
    uint64_t count = carrier_count(carrier, "live", orders->count, table->capacity);
    for (uint64_t i = 0; i < count && carrier->fault == NULL; i++) {
        struct order *order = carrier_is_reading(carrier) ? NULL : &table->slots[slot];
        slot = order != NULL ? order->next : ENGINE_NO_SLOT;
        pass_order(carrier, order, true);
    }
}

static bool is_ended(const struct order *order)
{
    return order->state != ORDER_NONE && !order_state_is_live(order->state);
}

static void pass_ended(struct carrier *carrier)
{
    struct order_table *table = &carrier->engine->orders;
    uint64_t ended = 0;
    for (uint64_t slot = 0; slot <= table->mask; slot++)
        ended += is_ended(&table->slots[slot]);
    ended = carrier_count(carrier, "ended", ended, (uint64_t)table->mask + 1);
    if (carrier_is_reading(carrier)) {
        for (uint64_t i = 0; i < ended && carrier->fault == NULL; i++)
            pass_order(carrier, NULL, false);
        return;
    }
    for (uint64_t slot = 0; slot <= table->mask; slot++)
        if (is_ended(&table->slots[slot]))
            pass_order(carrier, &table->slots[slot], false);
}

/* The trade ring, from its oldest entry. */
static void pass_trades(struct carrier *carrier)
{
    struct order_table *table = &carrier->engine->orders;
    uint64_t count = carrier_count(carrier, "trade_count", table->trade_count, UINT64_MAX);
    uint64_t room = (uint64_t)table->trade_mask + 1, kept = count < room ? count : room;
    if (carrier_is_reading(carrier))
        table->trade_count = count;
    for (uint64_t at = count - kept; at < count && carrier->fault == NULL; at++) {
        struct own_trade *trade = &table->trades[at & table->trade_mask];
        struct own_trade read =
            carrier_is_reading(carrier) ? (struct own_trade){.count = at} : *trade;
        read.order =
            (uint64_t)carrier_pass(carrier, "trade.order", at, (int128)read.order, 0, UINT64_MAX);
        read.previous =
            (uint32_t)carrier_pass(carrier, "trade.previous", at, read.previous, 0, UINT32_MAX);
        carrier_venue_id(carrier, "trade.id", at, &read.id);
        if (carrier_is_reading(carrier) && !trade_is_usable(carrier->engine, read.previous))
            carrier_refuse(carrier, "trade.previous", at);
        if (carrier_is_reading(carrier) && carrier->fault == NULL)
            *trade = read;
    }
}

static void pass_orders(struct carrier *carrier)
{
    static const struct field fields[] = {
        FIELD_OF(order_table, repeats, 0), FIELD_OF(order_table, surprises, 0),
        FIELD_OF(order_table, late_fills, 0), FIELD_OF(order_table, orphan_fills, 0)};
    struct engine *engine = carrier->engine;
    carrier_same(carrier, "orders.capacity", engine->orders.capacity);
    carrier_same(carrier, "orders.slots", (uint64_t)engine->orders.mask + 1);
    carrier_same(carrier, "orders.trades", (uint64_t)engine->orders.trade_mask + 1);
    PASS_FIELDS(carrier, fields, 0, &engine->orders);
    pass_trades(carrier);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        for (unsigned side = 0; side < 2; side++)
            pass_live(carrier, index, side);
    pass_ended(carrier);
}

/* --- money ------------------------------------------------------------------------------------------------- */

#define POSITION_FIELD(name) FIELD_OF(position, name, 0)
#define BALANCE_FIELD(name)  FIELD_OF(balance, name, 0)
#define PROFIT_FIELD(name)   FIELD_OF(profit, name, 0)

static const struct field position_fields[] = {POSITION_FIELD(units),
                                               POSITION_FIELD(cost),
                                               POSITION_FIELD(realised),
                                               POSITION_FIELD(fees),
                                               POSITION_FIELD(funding),
                                               POSITION_FIELD(fills),
                                               POSITION_FIELD(bought),
                                               POSITION_FIELD(sold),
                                               POSITION_FIELD(base_fees),
                                               POSITION_FIELD(value_bought),
                                               POSITION_FIELD(value_sold),
                                               POSITION_FIELD(adopted),
                                               POSITION_FIELD(value_adopted),
                                               POSITION_FIELD(adopted_as_of),
                                               POSITION_FIELD(apart),
                                               POSITION_FIELD(last_funding_due),
                                               POSITION_FIELD(last_funding_rate),
                                               POSITION_FIELD(last_funding_mark2),
                                               POSITION_FIELD(funding_missed)};

static const struct field balance_fields[] = {
    BALANCE_FIELD(total),  BALANCE_FIELD(transfers), BALANCE_FIELD(moved),
    BALANCE_FIELD(fees),   BALANCE_FIELD(reserved),  BALANCE_FIELD(shown_total),
    BALANCE_FIELD(shown),  BALANCE_FIELD(shown_at),  BALANCE_FIELD(as_of),
    BALANCE_FIELD(newest), BALANCE_FIELD(used),      BALANCE_FIELD(told)};

static const struct field profit_fields[] = {
    PROFIT_FIELD(has_mark),      PROFIT_FIELD(drawn_down),  PROFIT_FIELD(day_lost),
    PROFIT_FIELD(marked.profit), PROFIT_FIELD(marked.peak), PROFIT_FIELD(marked.day_start),
    PROFIT_FIELD(marked.day)};

static uint64_t next_balance(const struct engine *engine, uint64_t at, uint64_t count)
{
    while (at < count && !engine->balances[at].used && engine->balances[at].reserved.atto == 0 &&
           engine->balances[at].shown_at == 0) /* no row of an account that was not trusted */
        at++;
    return at;
}

static void pass_balances(struct carrier *carrier)
{
    struct engine *engine = carrier->engine;
    uint64_t count = (uint64_t)engine->venue_count * engine->asset_count, from = 0;
    while (carrier->fault == NULL) {
        uint64_t found = carrier_is_reading(carrier) ? count : next_balance(engine, from, count);
        uint64_t at = carrier_next(carrier, "balance", from, count, found);
        if (at == count)
            return;
        PASS_FIELDS(carrier, balance_fields, at, &engine->balances[at]);
        from = at + 1;
    }
}

static void pass_profit(struct carrier *carrier)
{
    static const struct field fees[] = {FIELD_OF(asset_profit, fees, 0)};
    static const struct field fee_asset[] = {FIELD_OF(instrument_profit, fee_asset, 0)};
    struct engine *engine = carrier->engine;
    PASS_FIELDS(carrier, profit_fields, 0, &engine->profit);
    for (unsigned asset = 0; asset < engine->asset_count; asset++)
        PASS_FIELDS(carrier, fees, asset, &engine->profit.assets[asset]);
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        struct instrument_profit *own = &engine->instruments[index].profit;
        PASS_FIELDS(carrier, fee_asset, index, own);
        if (carrier_is_reading(carrier) && own->fee_asset >= engine->asset_count &&
            own->fee_asset != EVENT_NONE_16)
            carrier_refuse(carrier, "fee_asset", index);
    }
}

/* --- breakers, and what was learned -------------------------------------------------------------------------- */

static void pass_breakers(struct carrier *carrier, unsigned index)
{
    struct instrument *instrument = &carrier->engine->instruments[index];
    for (unsigned breaker = 0; breaker < BREAKER_COUNT; breaker++) {
        uint64_t at = (uint64_t)index * BREAKER_COUNT + breaker;
        const struct breakers *breakers = &instrument->breakers;
        unsigned state = (unsigned)carrier_pass(carrier, "breaker", at, breakers->state[breaker], 0,
                                                BREAKER_STATE_COUNT - 1);
        int64_t since = (int64_t)carrier_pass(carrier, "breaker.since", at,
                                              breakers->since[breaker], INT64_MIN, INT64_MAX);
        if (carrier_is_reading(carrier))
            breakers_set(instrument, breaker, state, since);
    }
}

static void pass_learning(struct carrier *carrier, unsigned index)
{
    static const struct field fields[] = {
        FIELD_OF(learning_cell, alpha, 0), FIELD_OF(learning_cell, beta, 0),
        FIELD_OF(learning_cell, spells, 0), FIELD_OF(learning_cell, chance, 0)};
    enum { CELLS = 2 * STRATEGY_LEVELS_MAX };
    struct learning *learning = &carrier->engine->instruments[index].learning;
    uint64_t from = 0;
    while (carrier->fault == NULL) {
        uint64_t found = from;
        while (found < CELLS &&
               learning->cells[found / STRATEGY_LEVELS_MAX][found % STRATEGY_LEVELS_MAX].spells ==
                   0)
            found++;
        uint64_t at = carrier_next(carrier, "learning", from, CELLS, found);
        if (at == CELLS)
            return;
        PASS_FIELDS(carrier, fields, (uint64_t)index * CELLS + at,
                    &learning->cells[at / STRATEGY_LEVELS_MAX][at % STRATEGY_LEVELS_MAX]);
        from = at + 1;
    }
}

static void pass_instrument(struct carrier *carrier, unsigned index)
{
    static const struct field fields[] = {
        FIELD_OF(instrument, quote_flow, 0), FIELD_OF(instrument, paused, 0),
        FIELD_OF(instrument, pulled, 0), FIELD_OF(instrument, alarms.raised, 0)};
    struct instrument *instrument = &carrier->engine->instruments[index];
    PASS_FIELDS(carrier, position_fields, index, &instrument->position);
    PASS_FIELDS(carrier, fields, index, instrument);
    pass_breakers(carrier, index);
    pass_learning(carrier, index);
}

static void pass_venue(struct carrier *carrier, unsigned venue)
{
#define VENUE_FIELD(name) FIELD_OF(venue_state, name, 0)
    static const struct field fields[] = {
        VENUE_FIELD(rate.day),
        VENUE_FIELD(rate.day_sent),
        VENUE_FIELD(rate.told_left),
        VENUE_FIELD(rate.told_most),
        VENUE_FIELD(rate.told_resets),
        VENUE_FIELD(rate.refused_until),
        VENUE_FIELD(rate.back_off),
        FIELD_OF(venue_state, infrastructure.state, INFRASTRUCTURE_STATE_COUNT - 1),
        VENUE_FIELD(infrastructure.failures),
        VENUE_FIELD(infrastructure.since),
        VENUE_FIELD(infrastructure.passed),
        VENUE_FIELD(infrastructure.trial),
        VENUE_FIELD(alarms.raised)};
#undef VENUE_FIELD
    PASS_FIELDS(carrier, fields, venue, &carrier->engine->venues[venue]);
}

/* --- the account's sync -------------------------------------------------------------------------------------- */

#define SYNC_FIELD(name)       FIELD_OF(venue_state, name, 0)
#define INSTRUMENT_FIELD(name) FIELD_OF(instrument, name, 0)
#define ORPHAN_FIELD(name)     FIELD_OF(orphan, name, 0)

static const struct field sync_fields[] = {
    SYNC_FIELD(reconciled),
    SYNC_FIELD(told),
    SYNC_FIELD(sync.requested),
    SYNC_FIELD(sync.next),
    SYNC_FIELD(sync.trusted),
    SYNC_FIELD(sync.started),
    SYNC_FIELD(sync.full_ts),
    SYNC_FIELD(sync.awaited),
    SYNC_FIELD(sync.generation),
    SYNC_FIELD(sync.overflow),
    SYNC_FIELD(sync.regular),
    SYNC_FIELD(sync.doubt_from),
    SYNC_FIELD(sync.doubt_until),
    FIELD_OF(venue_state, sync.anew, SYNC_ANEW_MAX),
    FIELD_OF(venue_state, sync.hurried, 1),
};

static const struct field sync_instrument_fields[] = {
    INSTRUMENT_FIELD(sync.orphan_leaves[0]),
    INSTRUMENT_FIELD(sync.orphan_leaves[1]),
    INSTRUMENT_FIELD(sync.fill_ts),
    INSTRUMENT_FIELD(sync.venue_position),
    INSTRUMENT_FIELD(sync.at),
    INSTRUMENT_FIELD(sync.entry),
    INSTRUMENT_FIELD(sync.told),
    INSTRUMENT_FIELD(sync.priced),
    INSTRUMENT_FIELD(sync.compared),
    FIELD_OF(instrument, sync.differing, SYNC_DRIFT_SNAPSHOTS),
};

static const struct field orphan_fields[] = {
    ORPHAN_FIELD(id),           ORPHAN_FIELD(leaves),      ORPHAN_FIELD(seen_ts),
    ORPHAN_FIELD(event_ts),     ORPHAN_FIELD(due),         ORPHAN_FIELD(price),
    ORPHAN_FIELD(priced),       ORPHAN_FIELD(shown_price), ORPHAN_FIELD(shown_priced),
    ORPHAN_FIELD(shown_leaves), ORPHAN_FIELD(shown),       ORPHAN_FIELD(instrument),
    FIELD_OF(orphan, side, 1),  ORPHAN_FIELD(judged),      ORPHAN_FIELD(asked)};

static void pass_orphans(struct carrier *carrier)
{
    struct orphans *orphans = &carrier->engine->orphans;
    uint64_t count = carrier_count(carrier, "orphans", orphans->count, orphans->capacity);
    for (uint64_t i = 0; i < count && carrier->fault == NULL; i++) {
        struct orphan *orphan = &orphans->list[i];
        PASS_FIELDS(carrier, orphan_fields, i, orphan);
        carrier_venue_id(carrier, "orphan.name", i, &orphan->venue_order);
        if (carrier_is_reading(carrier) && orphan->instrument >= carrier->engine->instrument_count)
            carrier_refuse(carrier, "orphan.instrument", i);
    }
    if (carrier_is_reading(carrier))
        orphans->count = carrier->fault == NULL ? (uint32_t)count : 0;
}

/* A cold start begins all of this anew. What a fold makes of the account's records hangs on it where a session goes on
 * with another tape. */
static void pass_sync(struct carrier *carrier)
{
    struct engine *engine = carrier->engine;
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        PASS_FIELDS(carrier, sync_fields, venue, &engine->venues[venue]);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        PASS_FIELDS(carrier, sync_instrument_fields, index, &engine->instruments[index]);
    pass_orphans(carrier);
}

/* --- all of it ----------------------------------------------------------------------------------------------- */

static void pass_session(struct carrier *carrier)
{
    static const struct field now[] = {FIELD_OF(engine, now, 0)};
    static const struct field carry[] = {FIELD_OF(carry, epoch, 0), FIELD_OF(carry, counter, 0),
                                         FIELD_OF(carry, shutdown, SHUTDOWN_STEP_COUNT - 1),
                                         FIELD_OF(carry, shutdown_deadline, 0),
                                         FIELD_OF(carry, shutdown_step_deadline, 0)};
    static const struct field counters[] = {
        FIELD_OF(engine_counters, placed, 0), FIELD_OF(engine_counters, modified, 0),
        FIELD_OF(engine_counters, replaced, 0), FIELD_OF(engine_counters, cancelled, 0),
        FIELD_OF(engine_counters, fills, 0)};
    struct engine *engine = carrier->engine;
    carrier_same(carrier, "venues", engine->venue_count);
    carrier_same(carrier, "assets", engine->asset_count);
    carrier_same(carrier, "instruments", engine->instrument_count);
    PASS_FIELDS(carrier, now, 0, engine);
    PASS_FIELDS(carrier, carry, 0, &engine->carry);
    PASS_FIELDS(carrier, counters, 0, &engine->counters);
    for (unsigned cause = 0; cause < FILL_CAUSE_COUNT; cause++)
        engine->counters.fills_by_cause[cause] =
            (uint64_t)carrier_pass(carrier, "counters.fills_by_cause", cause,
                                   engine->counters.fills_by_cause[cause], 0, UINT64_MAX);
}

static bool pass_version(struct carrier *carrier, bool goes_on)
{
    int128 version =
        carrier_pass(carrier, "carry.version", 0, goes_on ? CARRY_VERSION_GOES_ON : CARRY_VERSION,
                     CARRY_VERSION, CARRY_VERSION_GOES_ON);
    if (carrier->fault == NULL && version != CARRY_VERSION && version != CARRY_VERSION_GOES_ON)
        carrier_refuse(carrier, "carry.version", 0);
    return version == CARRY_VERSION_GOES_ON;
}

static void pass_hash(struct carrier *carrier)
{
    struct walker_hash hash;
    walker_hash_init(&hash);
    engine_walk_carry(carrier->engine, &hash.walker);
    carrier_same(carrier, "hash", hash.hash);
}

static void pass_all(struct carrier *carrier, bool goes_on)
{
    goes_on = pass_version(carrier, goes_on);
    pass_session(carrier);
    pass_orders(carrier);
    pass_balances(carrier);
    pass_profit(carrier);
    for (unsigned index = 0; index < carrier->engine->instrument_count; index++)
        pass_instrument(carrier, index);
    for (unsigned venue = 0; venue < carrier->engine->venue_count; venue++)
        pass_venue(carrier, venue);
    pass_hash(carrier);
    if (goes_on)
        pass_sync(carrier);
    carrier_bytes_hash(carrier);
    /* Behind one of a session that goes on stands its warmth. */
    if (carrier_is_reading(carrier) && !goes_on && carrier->at != carrier->length)
        carrier_refuse(carrier, "end", carrier->at);
}

size_t engine_write_carry(const struct engine *engine, bool goes_on, uint8_t *out, size_t capacity)
{
    ASSERT(engine->magic == ENGINE_MAGIC && out != NULL);
    struct carrier carrier = {
        .engine = (struct engine *)(uintptr_t)engine, .out = out, .length = capacity};
    pass_all(&carrier, goes_on);
    ASSERT(carrier.fault == NULL);
    return carrier.at;
}

const char *engine_read_carry(struct engine *engine, const uint8_t *bytes, size_t length,
                              size_t *used, uint64_t *index)
{
    ASSERT(engine->magic == ENGINE_MAGIC && !engine->started);
    struct carrier carrier = {.engine = engine, .in = bytes, .length = length};
    pass_all(&carrier, false);
    engine->started = true;
    *used = carrier.at;
    *index = carrier.index;
    return carrier.fault;
}
