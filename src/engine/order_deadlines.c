/* When orders are asked for or told to go again: the deadlines of requests that had no answer, and of cancels
 * that failed. */
#include "base/time.h"
#include "engine/engine_internal.h"

static unsigned venue_of(const struct engine *engine, const struct order *order)
{
    return engine->instruments[order->instrument].definition.venue;
}

/* --- when a cancel is sent again -------------------------------------------------------------------- */

int64_t orders_retry_deadline(const struct engine *engine, unsigned index)
{
    return engine->instruments[index].retry_deadline;
}

void orders_retry_due(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    if (instrument->retry_deadline > engine->now)
        return;
    instrument->retry_deadline = TIME_NEVER;
    for (int side = 0; side < 2; side++) {
        for (uint32_t slot = instrument->sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next) {
            const struct order *order = &engine->orders.slots[slot];
            if (order->retry_ts > engine->now && order->retry_ts < instrument->retry_deadline &&
                !orders_gave_up(engine, order))
                instrument->retry_deadline = order->retry_ts;
        }
    }
}

void orders_retry_afresh(struct engine *engine, unsigned index)
{
    for (int side = 0; side < 2; side++) {
        for (uint32_t slot = engine->instruments[index].sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next) {
            struct order *order = &engine->orders.slots[slot];
            order->failures = 0;
            order->retry_ts = engine->now;
            if (order->state == ORDER_UNKNOWN)
                order->cancel_sent = false;
        }
    }
    engine_mark_due(engine, index);
}

/* --- time-outs ------------------------------------------------------------------------------------ */

void orders_ask_for(struct engine *engine, struct order *order)
{
    struct event_query query = {
        .instrument = order->instrument, .order = order->id, .cause = engine->ordinal};
    engine_emit(engine, EVENT_query, order->instrument)->query = query;
    orders_take_query(engine, &query, engine->now);
}

/* When it is to be asked for; not before the venue's breaker lets a query through. */
static int64_t ask_time(const struct engine *engine, const struct order *order)
{
    int64_t since = order->state == ORDER_UNKNOWN ? order->query_ts : order->asked_ts;
    int64_t due = since + engine->instruments[order->instrument].limits.pending_timeout;
    int64_t next = infrastructure_next(engine, venue_of(engine, order));
    return due > next ? due : next;
}

int64_t orders_due(const struct engine *engine, const struct order *order)
{
    const struct instrument *instrument = &engine->instruments[order->instrument];
    int64_t limit = instrument->limits.unknown_alarm;
    if (order_state_is_resting(order->state))
        return TIME_NEVER;
    int64_t due = ask_time(engine, order);
    if (order->state != ORDER_UNKNOWN || limit == 0 || order->asked_ts + limit >= due ||
        alarm_is_raised(engine, order->instrument, 0, ALARM_ORDER_UNKNOWN))
        return due;
    return order->asked_ts + limit;
}

static void time_out(struct engine *engine, struct order *order)
{
    if (order_state_is_resting(order->state))
        return;
    if (ask_time(engine, order) <= engine->now &&
        infrastructure_lets_through(engine, venue_of(engine, order)))
        orders_ask_for(engine, order); /* makes it unknown */
    if (orders_unknown_too_long(engine, order))
        alarm_raise(engine, order->instrument, 0, ALARM_ORDER_UNKNOWN, order->id);
}

void orders_time_out(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    int64_t earliest = TIME_NEVER;
    for (int side = 0; side < 2; side++) {
        for (uint32_t slot = instrument->sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next) {
            struct order *order = &engine->orders.slots[slot];
            time_out(engine, order);
            int64_t due = orders_due(engine, order);
            if (due < earliest)
                earliest = due;
        }
    }
    instrument->pending_deadline = earliest;
}
