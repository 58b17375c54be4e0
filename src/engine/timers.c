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
    return (size_t)2 * leaf_count(instrument_count + 1);
}

void timers_init(struct timers *timers, int64_t *tree, unsigned instrument_count)
{
    timers->tree = tree;
    timers->leaves = leaf_count(instrument_count + 1);
    timers->common = instrument_count;
    for (size_t node = 0; node < timers_nodes(instrument_count); node++)
        tree[node] = TIME_NEVER;
}

void timers_set(struct timers *timers, unsigned instrument, int64_t deadline)
{
    int64_t *tree = timers->tree;
    uint32_t node = timers->leaves + instrument;
    if (deadline <= tree[1] || tree[node] == tree[1])
        timers->settled = false; /* another is the earliest, or it is another's */
    tree[node] = deadline;
    for (node /= 2; node >= 1; node /= 2) {
        int64_t left = tree[2 * node], right = tree[2 * node + 1];
        tree[node] = left <= right ? left : right;
    }
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
            int64_t due = orders_due(engine, &engine->orders.slots[slot]);
            if (due < earliest)
                earliest = due;
        }
    }
    return earliest;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Of what may send: nothing does while the connections are being closed. */
static int64_t request_deadline(const struct engine *engine)
{
    return shutdown_may_send(engine)
               ? earlier(sync_deadline(engine), infrastructure_deadline(engine))
               : TIME_NEVER;
}

/* What belongs to no instrument. */
static int64_t common_deadline(const struct engine *engine)
{
    if (!engine->started || engine_is_done(engine))
        return TIME_NEVER;
    return earlier(earlier(request_deadline(engine), orders_stream_deadline(engine)),
                   earlier(profit_deadline(engine), shutdown_deadline(engine)));
}

void timers_set_common(struct engine *engine)
{
    struct timers *timers = &engine->timers;
    timers_set(timers, timers->common, common_deadline(engine));
    timers->moved = timers->settled = false; /* a shutdown moves what instruments wait for too */
}

bool timers_common_holds(const struct engine *engine)
{
    const struct timers *timers = &engine->timers;
    return timers->tree[timers->leaves + timers->common] <= common_deadline(engine);
}

int64_t timers_deadline_of(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct market *market = &instrument->market;
    int64_t deadline = TIME_NEVER;
    if (!engine->started || engine_is_done(engine))
        return TIME_NEVER;
    if (instrument->limits.enabled && engine->carry.shutdown == SHUTDOWN_RUNNING) {
        deadline = instrument->last_cycle + instrument->limits.interval;
        deadline = earlier(deadline, breakers_deadline(engine, index));
    }
    int64_t grace_end = market_grace_end(engine, instrument);
    if (instrument->last_cycle < grace_end &&
        (instrument->sides[SIDE_BUY].count | instrument->sides[SIDE_SELL].count) != 0)
        deadline = earlier(deadline, grace_end);
    deadline = earlier(deadline, orders_retry_deadline(engine, index));
    deadline = earlier(deadline, shutdown_resend_deadline(engine, index));
    deadline = earlier(deadline, instrument->held_until);
    if (market->funding_due < deadline)
        deadline = market->funding_due;
    if (instrument->pending_deadline < deadline) {
        instrument->pending_deadline = pending_deadline(engine, instrument);
        if (instrument->pending_deadline < deadline)
            deadline = instrument->pending_deadline;
    }
    if (instrument->learning.deadline < deadline)
        deadline = earlier(deadline, learning_deadline(engine, index));
    return deadline;
}

/* What belongs to no instrument and is due. What it changes moves its own deadline on. */
static void run_common(struct engine *engine)
{
    int64_t deadline = common_deadline(engine);
    if (deadline <= engine->now) {
        orders_stream_due(engine);
        if (request_deadline(engine) <= engine->now) {
            infrastructure_due(engine);
            sync_due(engine);
        }
        profit_update(engine);
        shutdown_update(engine);
        deadline = common_deadline(engine);
        ASSERT(deadline > engine->now);
    }
    timers_set(&engine->timers, engine->timers.common, deadline);
}

void timers_mark_due(struct engine *engine)
{
    struct timers *timers = &engine->timers;
    while (timers_earliest(timers) <= engine->now) {
        unsigned index = timers_first(timers);
        if (index == timers->common) {
            run_common(engine);
            continue;
        }
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
        orders_retry_due(engine, index);
        learning_due(engine, index);
        engine_mark_due(engine, index);
        /* Its cycle comes next and sets the deadline anew. */
        timers_set(timers, index, TIME_NEVER);
    }
}

void timers_settle(struct engine *engine)
{
    struct timers *timers = &engine->timers;
    if (timers->moved)
        timers_set_common(engine);
    for (;;) {
        int64_t earliest = timers_earliest(timers);
        if (earliest == TIME_NEVER)
            return;
        unsigned index = timers_first(timers);
        bool common = index == timers->common;
        int64_t deadline = common ? common_deadline(engine) : timers_deadline_of(engine, index);
        if (deadline != earliest) {
            timers_set(timers, index, deadline);
            continue;
        }
        /* The interval since the last cycle is moved by a cycle only, which sets the deadline anew. */
        const struct instrument *instrument = common ? NULL : &engine->instruments[index];
        timers->settled =
            !common && deadline == instrument->last_cycle + instrument->limits.interval;
        return;
    }
}
