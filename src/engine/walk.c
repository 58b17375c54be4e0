/* The engine's state, field by field: what the walker's visitors see. Rooms in this order: each book,
 * orders, risk, breakers, strategy. A field that is added to a struct is added here. */
#include "engine/engine_internal.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "engine/walker.h"

#define FIELD(index, structure, name)                                                              \
    walker->field(walker, #name, index, (int64_t)(structure)->name)
#define WIDE(index, structure, name) walker->wide(walker, #name, index, (structure)->name.atto)

/* --- book ------------------------------------------------------------------------------------------ */

static void walk_stamped(struct walker *walker, const struct stamped *stamped, const char *name)
{
    walker->field(walker, name, 0, stamped->value);
    walker->field(walker, name, 1, stamped->ts);
    walker->field(walker, name, 2, stamped->has);
}

static void walk_mids(struct walker *walker, const struct mid_ring *mids)
{
    uint64_t first = mids->count > ENGINE_MID_RING ? mids->count - ENGINE_MID_RING : 0;
    walker->field(walker, "mids.count", 0, (int64_t)mids->count);
    walker->field(walker, "mids.behind", 0, (int64_t)mids->behind);
    for (uint64_t i = first; i < mids->count; i++) {
        walker->field(walker, "mids.ts", i, mids->ts[i % ENGINE_MID_RING]);
        walker->field(walker, "mids.mid2", i, mids->mid2[i % ENGINE_MID_RING]);
    }
}

static void walk_book(struct walker *walker, const struct engine *engine, unsigned index)
{
    const struct market *market = &engine->instruments[index].market;
    walker->room(walker, "book", (uint16_t)index);
    walker->field(walker, "levels", 0, (int64_t)book_hash(market->book));
    walker->field(walker, "ts_local", 0, book_ts_local(market->book));
    for (unsigned side = 0; side < 2; side++) {
        FIELD(side, market, top.price[side]);
        FIELD(side, market, top.quantity[side]);
        FIELD(side, market, top.has[side]);
    }
    FIELD(0, market, top.sequence);
    FIELD(0, market, view_ts);
    FIELD(0, market, seen);
    FIELD(0, market, book_seen);
    FIELD(0, market, gap);
    FIELD(0, market, trading);
    walk_stamped(walker, &market->mark, "mark");
    walk_stamped(walker, &market->index, "index");
    walk_stamped(walker, &market->trade, "trade");
    walk_stamped(walker, &market->open_interest, "open_interest");
    walk_stamped(walker, &market->open_interest_cap, "open_interest_cap");
    FIELD(0, market, mid2);
    walk_stamped(walker, &market->last_mark2, "last_mark2");
    FIELD(0, market, funding_rate);
    FIELD(0, market, funding_due);
    FIELD(0, market, funding_told);
    walk_mids(walker, &market->mids);
}

/* --- orders ---------------------------------------------------------------------------------------- */

static void walk_trades(struct walker *walker, const struct engine *engine,
                        const struct order *order)
{
    const struct order_table *table = &engine->orders;
    uint64_t index = order->id;
    for (uint32_t at = orders_newest_trade(table, order->id, order->last_trade);
         at != ENGINE_NO_SLOT; at = orders_trade_before(table, at)) {
        const struct venue_id *id = &table->trades[at].id;
        walker->field(walker, "trade.length", index, id->length);
        for (unsigned byte = 0; byte < EVENT_VENUE_ID_MAX; byte += 8)
            walker->field(walker, "trade.bytes", index, (int64_t)bytes_get_u64(id->bytes + byte));
    }
}

static void walk_order(struct walker *walker, const struct engine *engine,
                       const struct order *order)
{
    uint64_t index = order->id;
    FIELD(index, order, instrument);
    FIELD(index, order, side);
    FIELD(index, order, state);
    FIELD(index, order, price);
    FIELD(index, order, quantity);
    FIELD(index, order, leaves);
    FIELD(index, order, filled);
    FIELD(index, order, asked_price);
    FIELD(index, order, asked_leaves);
    FIELD(index, order, asked_ts);
    FIELD(index, order, placed_ts);
    FIELD(index, order, modify_ts);
    FIELD(index, order, query_ts);
    FIELD(index, order, event_ts);
    FIELD(index, order, told_ts);
    FIELD(index, order, queries);
    FIELD(index, order, older);
    FIELD(index, order, shown_price);
    FIELD(index, order, shown_leaves);
    FIELD(index, order, shown);
    FIELD(index, order, asking);
    FIELD(index, order, level);
    if (orders_is_modifying(order))
        FIELD(index, order, asked_level);
    FIELD(index, order, not_found);
    FIELD(index, order, lost);
    FIELD(index, order, cancel_sent);
    FIELD(index, order, retry_ts);
    FIELD(index, order, failures);
    FIELD(index, order, hanging);
    FIELD(index, order, owing);
    FIELD(index, order, unpriced);
    FIELD(index, order, spell);
    FIELD(index, order, spell_start);
    FIELD(index, order, spell_filled);
    FIELD(index, order, spell_quantity);
    WIDE(index, order, reserved);
    walk_trades(walker, engine, order);
}

static void walk_live(struct walker *walker, const struct engine *engine)
{
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        for (unsigned side = 0; side < 2; side++) {
            const struct order_side *orders = &engine->instruments[index].sides[side];
            FIELD(2 * index + side, orders, count);
            walker->wide(walker, "leaves", 2 * index + side, orders->leaves);
            for (uint32_t slot = orders->first; slot != ENGINE_NO_SLOT;
                 slot = engine->orders.slots[slot].next)
                walk_order(walker, engine, &engine->orders.slots[slot]);
        }
    }
}

void walk_orders(struct walker *walker, const struct engine *engine, bool ended)
{
    const struct order_table *table = &engine->orders;
    walker->room(walker, "orders", EVENT_NONE_16);
    FIELD(0, &engine->carry, epoch);
    FIELD(0, &engine->carry, counter);
    FIELD(0, table, capacity);
    FIELD(0, table, live);
    FIELD(0, table, trade_count);
    FIELD(0, table, repeats);
    FIELD(0, table, surprises);
    FIELD(0, table, late_fills);
    FIELD(0, table, orphan_fills);
    walk_live(walker, engine);
    if (!ended)
        return;
    for (uint32_t slot = 0; slot <= table->mask; slot++) {
        const struct order *order = &table->slots[slot];
        if (order->state != ORDER_NONE && !order_state_is_live(order->state))
            walk_order(walker, engine, order);
    }
}

/* --- risk ------------------------------------------------------------------------------------------ */

static void walk_position(struct walker *walker, const struct position *position, unsigned index)
{
    FIELD(index, position, units);
    FIELD(index, position, per_quantity);
    FIELD(index, position, exponent);
    FIELD(index, position, fills);
    FIELD(index, position, bought);
    FIELD(index, position, sold);
    FIELD(index, position, base_fees);
    FIELD(index, position, last_funding_due);
    FIELD(index, position, last_funding_rate);
    FIELD(index, position, last_funding_mark2);
    FIELD(index, position, funding_missed);
    WIDE(index, position, cost);
    WIDE(index, position, realised);
    WIDE(index, position, fees);
    WIDE(index, position, funding);
    WIDE(index, position, value_bought);
    WIDE(index, position, value_sold);
    FIELD(index, position, adopted);
    FIELD(index, position, adopted_as_of);
    FIELD(index, position, apart);
    WIDE(index, position, value_adopted);
}

static void walk_limits(struct walker *walker, const struct limits *limits, unsigned index)
{
    FIELD(index, limits, quote.tick);
    FIELD(index, limits, quote.lot);
    FIELD(index, limits, quote.size);
    FIELD(index, limits, quote.half_spread_millitick);
    FIELD(index, limits, quote.step_millitick);
    FIELD(index, limits, quote.skew_millitick);
    FIELD(index, limits, quote.levels);
    FIELD(index, limits, enabled);
    FIELD(index, limits, interval);
    FIELD(index, limits, price_tolerance);
    FIELD(index, limits, size_tolerance);
    FIELD(index, limits, position_limit);
    FIELD(index, limits, size_band);
    FIELD(index, limits, orders_per_side);
    FIELD(index, limits, collar);
    FIELD(index, limits, far_collar);
    FIELD(index, limits, stale_after);
    FIELD(index, limits, pending_timeout);
    FIELD(index, limits, cancel_retries);
    FIELD(index, limits, cancel_backoff);
    FIELD(index, limits, learning_horizon);
    FIELD(index, limits, learning_decay);
    FIELD(index, limits, learning_evidence);
    FIELD(index, limits, learning_sizing);
    FIELD(index, limits, unknown_alarm);
    walker->wide(walker, "minimum_raw", index, limits->minimum_raw);
    FIELD(index, limits, tick_inverse);
    FIELD(index, limits, tick_bound);
    FIELD(index, limits, tick_shift);
}

static void walk_refusals(struct walker *walker, const struct refusals *refusals, uint64_t index)
{
    FIELD(index, refusals, levels);
    FIELD(index, refusals, at);
    FIELD(index, refusals, until);
    FIELD(index, refusals, back_off);
}

static void walk_instrument(struct walker *walker, const struct instrument *instrument,
                            unsigned index)
{
    walk_limits(walker, &instrument->limits, index);
    FIELD(index, instrument, gates.blocking);
    FIELD(index, instrument, gates.blocked_now);
    for (unsigned gate = 0; gate < GATE_COUNT; gate++)
        walker->field(walker, "gates.blocked", (uint64_t)index * GATE_COUNT + gate,
                      (int64_t)instrument->gates.blocked[gate]);
    FIELD(index, instrument, last_cycle);
    FIELD(index, instrument, pending_deadline);
    FIELD(index, instrument, retry_deadline);
    FIELD(index, instrument, held_until);
    FIELD(index, instrument, wait_top[SIDE_BUY]);
    FIELD(index, instrument, wait_top[SIDE_SELL]);
    for (unsigned side = 0; side < 2; side++) {
        walk_refusals(walker, &instrument->refusals[side], index * 4 + side);
        walk_refusals(walker, &instrument->level_refusals[side], index * 4 + 2 + side);
    }
    FIELD(index, instrument, reference4);
    FIELD(index, instrument, fair);
    FIELD(index, instrument, skew);
    FIELD(index, instrument, has_fair);
    FIELD(index, instrument, top_in_collar[SIDE_BUY]);
    FIELD(index, instrument, top_in_collar[SIDE_SELL]);
}

static void walk_balances(struct walker *walker, const struct engine *engine)
{
    uint64_t count = (uint64_t)engine->venue_count * engine->asset_count;
    for (uint64_t index = 0; index < count; index++) {
        const struct balance *balance = &engine->balances[index];
        if (!balance->used && balance->reserved.atto == 0)
            continue;
        WIDE(index, balance, total);
        WIDE(index, balance, transfers);
        WIDE(index, balance, moved);
        WIDE(index, balance, fees);
        WIDE(index, balance, reserved);
        WIDE(index, balance, shown_total);
        FIELD(index, balance, shown_at);
        FIELD(index, balance, as_of);
        FIELD(index, balance, newest);
        FIELD(index, balance, shown);
        FIELD(index, balance, used);
        FIELD(index, balance, told);
    }
}

void walk_money(struct walker *walker, const struct engine *engine)
{
    walker->room(walker, "money", EVENT_NONE_16);
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        const struct instrument *instrument = &engine->instruments[index];
        walk_position(walker, &instrument->position, index);
        WIDE(index, instrument, quote_flow);
    }
    walk_balances(walker, engine);
    profit_walk_carry(walker, engine);
    rate_walk_carry(walker, engine);
}

static void walk_venue(struct walker *walker, const struct venue_state *venue, unsigned index)
{
    FIELD(index, venue, modify);
    FIELD(index, venue, reconciled);
    FIELD(index, venue, told);
}

static void walk_risk(struct walker *walker, const struct engine *engine)
{
    walker->room(walker, "risk", EVENT_NONE_16);
    FIELD(0, engine, now);
    FIELD(0, engine, started);
    FIELD(0, engine, start_ts);
    FIELD(0, engine, ordinal);
    FIELD(0, engine, any_due);
    FIELD(0, engine, within_frame);
    FIELD(0, engine, full_needed);
    for (unsigned word = 0; word < (engine->instrument_count + 63) / 64; word++)
        walker->field(walker, "due", word, (int64_t)engine->due[word]);
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        walk_instrument(walker, &engine->instruments[index], index);
        walker->field(walker, "deadline", index,
                      engine->timers.tree[engine->timers.leaves + index]);
    }
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        walk_venue(walker, &engine->venues[venue], venue);
    rate_walk(walker, engine);
    sync_walk(walker, engine);
    orders_stream_walk(walker, engine);
    profit_walk(walker, engine);
}

/* --- breakers and strategy --------------------------------------------------------------------------- */

void walk_breakers(struct walker *walker, const struct engine *engine)
{
    walker->room(walker, "breakers", EVENT_NONE_16);
    FIELD(0, &engine->carry, shutdown);
    FIELD(0, &engine->carry, shutdown_deadline);
    FIELD(0, &engine->carry, shutdown_step_deadline);
    FIELD(0, engine, shutdown_timeout);
    FIELD(0, engine, shutdown_step_timeout);
    FIELD(0, engine, shutdown_force_after);
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        const struct instrument *instrument = &engine->instruments[index];
        FIELD(index, instrument, paused);
        FIELD(index, instrument, pulled);
        for (unsigned breaker = 0; breaker < BREAKER_COUNT; breaker++) {
            uint64_t at = (uint64_t)index * BREAKER_COUNT + breaker;
            walker->field(walker, "breaker", at, instrument->breakers.state[breaker]);
            walker->field(walker, "breaker.since", at, instrument->breakers.since[breaker]);
        }
        FIELD(index, instrument, alarms.raised);
        learning_walk(walker, engine, index);
    }
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        FIELD(venue, &engine->venues[venue], alarms.raised);
    infrastructure_walk(walker, engine);
}

/* What breakers look at and sizes that were made of it, the breaker of the database, times of failures: cold after a restart, so no part
 * of the carry. */
static void walk_signals(struct walker *walker, const struct engine *engine)
{
    infrastructure_walk_cold(walker, engine);
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        signals_walk(walker, engine, index);
        learning_walk_sizes(walker, engine, index);
    }
}

static void walk_strategy(struct walker *walker, const struct engine *engine)
{
    walker->room(walker, "strategy", EVENT_NONE_16);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        strategy_ladder.walk(engine->instruments[index].strategy_state, walker);
}

void engine_walk(const struct engine *engine, struct walker *walker)
{
    for (unsigned index = 0; index < engine->instrument_count; index++)
        walk_book(walker, engine, index);
    walk_orders(walker, engine, true);
    walk_money(walker, engine);
    walk_risk(walker, engine);
    walk_breakers(walker, engine);
    walk_signals(walker, engine);
    walk_strategy(walker, engine);
}

/* --- rooms ------------------------------------------------------------------------------------------ */

enum { ROOM_ORDERS, ROOM_RISK, ROOM_BREAKERS, ROOM_STRATEGY, ROOMS_AFTER_BOOKS };

size_t engine_room_count(const struct engine *engine)
{
    return (size_t)engine->instrument_count + ROOMS_AFTER_BOOKS;
}

static void walk_room(const struct engine *engine, size_t room, struct walker *walker)
{
    if (room < engine->instrument_count) {
        walk_book(walker, engine, (unsigned)room);
    } else if (room == engine->instrument_count + ROOM_ORDERS) {
        walk_orders(walker, engine, false);
    } else if (room == engine->instrument_count + ROOM_RISK) {
        walk_money(walker, engine);
        walk_risk(walker, engine);
    } else if (room == engine->instrument_count + ROOM_BREAKERS) {
        walk_breakers(walker, engine);
        walk_signals(walker, engine);
    } else {
        walk_strategy(walker, engine);
    }
}

size_t engine_room_hashes(const struct engine *engine, uint64_t *hashes, size_t capacity)
{
    size_t count = engine_room_count(engine);
    ASSERT(capacity >= count);
    for (size_t room = 0; room < count; room++) {
        struct walker_hash hash;
        walker_hash_init(&hash);
        walk_room(engine, room, &hash.walker);
        hashes[room] = hash.hash;
    }
    return count;
}

const char *engine_room_name(const struct engine *engine, size_t room, uint16_t *instrument)
{
    static const char *const names[ROOMS_AFTER_BOOKS] = {"orders", "risk", "breakers", "strategy"};
    ASSERT(room < engine_room_count(engine));
    bool book = room < engine->instrument_count;
    *instrument = book ? (uint16_t)room : EVENT_NONE_16;
    return book ? "book" : names[room - engine->instrument_count];
}
