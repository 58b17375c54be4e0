/* Deadlines inside the engine: a winner tree over the instruments. A stored deadline may be early, never
 * late: a market message that pushes one back does not touch the tree. */
#include "engine/engine_internal.h"

#include "base/assert.h"
#include "base/time.h"

static uint32_t leaf_count(unsigned instrument_count)
{
    uint32_t leaves = 1;
    while (leaves < instrument_count)
        leaves *= 2;
    return leaves;
}

size_t timers_nodes(unsigned instrument_count)
{
    return (size_t)2 * leaf_count(instrument_count);
}

void timers_init(struct timers *timers, int64_t *tree, unsigned instrument_count)
{
    timers->tree = tree;
    timers->leaves = leaf_count(instrument_count);
    for (size_t node = 0; node < timers_nodes(instrument_count); node++)
        tree[node] = TIME_NEVER;
}

void timers_set(struct timers *timers, unsigned instrument, int64_t deadline)
{
    int64_t *tree = timers->tree;
    uint32_t node = timers->leaves + instrument;
    timers->settled = false;
    tree[node] = deadline;
    for (node /= 2; node >= 1; node /= 2) {
        int64_t left = tree[2 * node], right = tree[2 * node + 1];
        tree[node] = left <= right ? left : right;
    }
}

/* With one instrument the root is its leaf. */
int64_t timers_earliest(const struct timers *timers)
{
    return timers->tree[1];
}

unsigned timers_first(const struct timers *timers)
{
    uint32_t node = 1;
    while (node < timers->leaves)
        node = timers->tree[2 * node] == timers->tree[node] ? 2 * node : 2 * node + 1;
    return node - timers->leaves;
}

/* The earliest time at which an unanswered or unknown order of the instrument is asked for. */
static int64_t pending_deadline(struct engine *engine, const struct instrument *instrument)
{
    int64_t earliest = TIME_NEVER;
    for (int side = 0; side < 2; side++) {
        for (uint32_t slot = instrument->sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next) {
            const struct order *order = &engine->orders.slots[slot];
            if (order_state_is_resting(order->state))
                continue;
            int64_t since = order->state == ORDER_UNKNOWN ? order->query_ts : order->asked_ts;
            if (since + instrument->limits.pending_timeout < earliest)
                earliest = since + instrument->limits.pending_timeout;
        }
    }
    return earliest;
}

int64_t timers_deadline_of(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct market *market = &instrument->market;
    int64_t deadline = TIME_NEVER;
    if (!engine->started || engine->carry.shutdown >= SHUTDOWN_COMPLETE)
        return TIME_NEVER;
    if (instrument->limits.enabled && engine->carry.shutdown == SHUTDOWN_RUNNING) {
        deadline = instrument->last_cycle + instrument->limits.interval;
        int64_t stale = market->fresh_ts + instrument->limits.stale_after;
        if (market->seen && instrument->breakers.state[BREAKER_STALE] == BREAKER_CLEAR &&
            stale < deadline)
            deadline = stale;
    }
    if (engine->carry.shutdown == SHUTDOWN_CANCELLING &&
        (instrument->sides[SIDE_BUY].count | instrument->sides[SIDE_SELL].count) != 0)
        deadline = instrument->last_cycle + instrument->limits.interval;
    if (market->funding_due < deadline)
        deadline = market->funding_due;
    if (instrument->pending_deadline < deadline) {
        instrument->pending_deadline = pending_deadline(engine, instrument);
        if (instrument->pending_deadline < deadline)
            deadline = instrument->pending_deadline;
    }
    return deadline;
}

void timers_mark_due(struct engine *engine)
{
    struct timers *timers = &engine->timers;
    while (timers_earliest(timers) <= engine->now) {
        unsigned index = timers_first(timers);
        struct instrument *instrument = &engine->instruments[index];
        int64_t deadline = timers_deadline_of(engine, index);
        if (deadline > engine->now) {
            timers_set(timers, index, deadline);
            continue;
        }
        if (instrument->market.funding_due <= engine->now)
            ledger_funding_due(engine, index);
        if (instrument->pending_deadline <= engine->now)
            orders_time_out(engine, index);
        engine_mark_due(engine, index);
        /* Its cycle comes next and sets the deadline anew. */
        timers_set(timers, index, TIME_NEVER);
    }
}

void timers_settle(struct engine *engine)
{
    struct timers *timers = &engine->timers;
    while (!timers->settled) {
        int64_t earliest = timers_earliest(timers);
        if (earliest == TIME_NEVER)
            return;
        unsigned index = timers_first(timers);
        const struct instrument *instrument = &engine->instruments[index];
        int64_t deadline = timers_deadline_of(engine, index);
        if (deadline != earliest) {
            timers_set(timers, index, deadline);
            continue;
        }
        /* The interval since the last cycle is moved by a cycle only, which sets the deadline anew. */
        timers->settled = deadline == instrument->last_cycle + instrument->limits.interval;
        return;
    }
}
