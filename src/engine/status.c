/* See status.h. */
#include "engine/status.h"

#include <string.h>

#include "engine/engine_internal.h"

static uint32_t count_unknown(const struct engine *engine, const struct instrument *instrument)
{
    uint32_t count = 0;
    for (unsigned side = 0; side < 2; side++)
        for (uint32_t slot = instrument->sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next)
            count += engine->orders.slots[slot].state == ORDER_UNKNOWN;
    return count;
}

void engine_instrument_status(const struct engine *engine, unsigned index,
                              struct engine_instrument_status *out)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct breakers *breakers = &instrument->breakers;
    *out = (struct engine_instrument_status){
        .enabled = instrument->limits.enabled,
        .paused = instrument->paused,
        .pulled = instrument->pulled,
        .synchronised = book_is_synchronised(instrument->market.book),
        .has_fair = instrument->has_fair,
        .trading = instrument->market.trading,
        .gates = instrument->gates.blocking,
        .alarms = instrument->alarms.raised,
        .orders = instrument->sides[SIDE_BUY].count + instrument->sides[SIDE_SELL].count,
        .unknown = count_unknown(engine, instrument),
        .fair = instrument->fair,
        .skew = instrument->skew,
        .last_cycle = instrument->last_cycle,
        .position = risk_position(instrument),
        .position_limit = instrument->limits.position_limit,
    };
    for (unsigned side = 0; side < 2; side++)
        out->leaves[side] = risk_side_leaves(engine, index, (enum side)side);
    memcpy(out->breakers, breakers->state, sizeof out->breakers);
    memcpy(out->breakers_since, breakers->since, sizeof out->breakers_since);
}

size_t engine_own_orders(const struct engine *engine, unsigned index, struct engine_own_order *out,
                         size_t capacity)
{
    const struct instrument *instrument = &engine->instruments[index];
    size_t count = 0;
    for (unsigned side = 0; side < 2; side++) {
        uint32_t slot = instrument->sides[side].first;
        for (; slot != ENGINE_NO_SLOT && count < capacity; slot = engine->orders.slots[slot].next) {
            const struct order *order = &engine->orders.slots[slot];
            out[count++] = (struct engine_own_order){.id = order->id,
                                                     .price = order->price,
                                                     .leaves = order->leaves,
                                                     .filled = order->filled,
                                                     .changed = order->event_ts,
                                                     .side = order->side,
                                                     .state = order->state,
                                                     .level = order->level};
        }
    }
    return count;
}

static uint32_t count_orphans(const struct engine *engine, unsigned venue)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < engine->orphans.count; i++) {
        const struct orphan *orphan = &engine->orphans.list[i];
        count +=
            orphan->judged && engine->instruments[orphan->instrument].definition.venue == venue;
    }
    return count;
}

void engine_venue_status(const struct engine *engine, unsigned index,
                         struct engine_venue_status *out)
{
    const struct venue_state *venue = &engine->venues[index];
    *out = (struct engine_venue_status){
        .reconciled = venue->reconciled,
        .infrastructure = venue->infrastructure.state,
        .failures = venue->infrastructure.failures,
        .since = venue->infrastructure.since,
        .failed = venue->infrastructure.failed,
        .alarms = venue->alarms.raised,
        .orphans = count_orphans(engine, index),
        .account_ts = venue->sync.trusted,
        .rate_left = rate_room(&venue->rate, engine->now, false),
        .rate_left_cancels = rate_room(&venue->rate, engine->now, true),
    };
}

void engine_database_status(const struct engine *engine, struct engine_database_status *out)
{
    *out = (struct engine_database_status){.state = engine->database.state,
                                           .failures = engine->database.failures,
                                           .failed = engine->database.failed};
}

enum shutdown_step engine_shutdown_step(const struct engine *engine)
{
    return (enum shutdown_step)engine->carry.shutdown;
}

int64_t engine_last_quote(const struct engine *engine)
{
    return engine->counters.last_quote;
}
