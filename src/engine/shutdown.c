/* The ordered shutdown, as a state machine on the engine's time.
 *
 *   signal ─► STOPPING ─► CANCELLING ─► WAITING ─► FLUSHING ─► CLOSING ─► DISCONNECTING ─► COMPLETE
 *                             │            │           │          │             │
 *                             └────────────┴───────────┴──────────┴─────────────┴──► FORCED
 *
 * STOPPING      no order leaves that adds: the gate `shutdown`. Nothing to wait for.
 * CANCELLING    until each order that rests was asked to go (rate limits may spread it): ours, and those
 *               that only the venue knows where they are ours to cancel (sync.h).
 * WAITING       until none of them is open and each venue's account was seen once more (only where accounts
 *               are asked for), shutdown.timeout at most. Cancels that fail are sent again.
 * FLUSHING, CLOSING, DISCONNECTING happen outside; each ends by step_done, or by shutdown.step_timeout.
 *               One that failed is told, and the next still runs.
 * FORCED        at a second signal, after shutdown.force_after in all, or at the end where an order is
 *               not known to have ended or an account was not seen. Each such order is named, and each such
 *               venue by the alarm snapshot_old.
 *
 * Every change is told, and is made by the same function when a tape is folded. */
#include "base/time.h"
#include "engine/engine_internal.h"

/* A cancel that could not leave (rate limit) is tried again after this. */
#define RESEND_NS (100 * NS_PER_MS)

static bool is_going_on(const struct engine *engine)
{
    return engine->carry.shutdown != SHUTDOWN_RUNNING && !engine_is_done(engine);
}

static bool is_outside(unsigned step)
{
    return step == SHUTDOWN_FLUSHING || step == SHUTDOWN_CLOSING || step == SHUTDOWN_DISCONNECTING;
}

void shutdown_take_state(struct engine *engine, unsigned step, int64_t now)
{
    struct carry *carry = &engine->carry;
    if (step == SHUTDOWN_STOPPING)
        carry->shutdown_deadline = now + engine->shutdown_force_after;
    carry->shutdown = (uint8_t)step;
    carry->shutdown_step_deadline = TIME_NEVER;
    if (step == SHUTDOWN_WAITING)
        carry->shutdown_step_deadline = now + engine->shutdown_timeout;
    else if (is_outside(step))
        carry->shutdown_step_deadline = now + engine->shutdown_step_timeout;
    timers_common_moved(engine);
}

/* Orders that may rest at a venue and are ours to end. */
static uint64_t open_orders(const struct engine *engine)
{
    return engine->orders.live + (uint64_t)sync_open_orphans(engine);
}

/* Every order is known to have ended, and no venue holds one that we don't know. */
static bool nothing_rests(const struct engine *engine)
{
    return open_orders(engine) == 0 && sync_all_told(engine);
}

static void enter(struct engine *engine, enum shutdown_step step)
{
    bool waited =
        step != SHUTDOWN_STOPPING && step != SHUTDOWN_CANCELLING && step != SHUTDOWN_WAITING;
    shutdown_take_state(engine, step, engine->now);
    engine_emit(engine, EVENT_shutdown_state, EVENT_NONE_16)->shutdown_state =
        (struct event_shutdown_state){
            .step = (uint8_t)step,
            .open_orders = open_orders(engine),
            .unconfirmed = waited ? open_orders(engine) : 0,
        };
}

static void tell_failed(struct engine *engine, bool in_time)
{
    engine_emit(engine, EVENT_step_failed, EVENT_NONE_16)->step_failed =
        (struct event_step_failed){.step = engine->carry.shutdown, .in_time = in_time};
}

void shutdown_tell_unconfirmed(struct engine *engine)
{
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        for (unsigned side = 0; side < 2; side++) {
            for (uint32_t slot = engine->instruments[index].sides[side].first;
                 slot != ENGINE_NO_SLOT; slot = engine->orders.slots[slot].next) {
                const struct order *order = &engine->orders.slots[slot];
                engine_emit(engine, EVENT_unconfirmed, index)->unconfirmed =
                    (struct event_unconfirmed){
                        .instrument = (uint16_t)index,
                        .order = order->id,
                        .side = order->side,
                        .price = {orders_worst_price(order), NUMBER_VALUE},
                        .leaves = {orders_worst_leaves(order), NUMBER_VALUE},
                    };
            }
        }
    }
    sync_tell_unconfirmed(engine);
}

static void end(struct engine *engine, enum shutdown_step step)
{
    sync_tell_awaited(engine);
    shutdown_tell_unconfirmed(engine);
    enter(engine, step);
}

/* The step after one that happens outside. */
static void go_on(struct engine *engine)
{
    if (engine->carry.shutdown == SHUTDOWN_FLUSHING)
        enter(engine, SHUTDOWN_CLOSING);
    else if (engine->carry.shutdown == SHUTDOWN_CLOSING)
        enter(engine, SHUTDOWN_DISCONNECTING);
    else
        end(engine, nothing_rests(engine) ? SHUTDOWN_COMPLETE : SHUTDOWN_FORCED);
}

void shutdown_begin(struct engine *engine)
{
    if (is_going_on(engine)) {
        end(engine, SHUTDOWN_FORCED);
        return;
    }
    if (engine_is_done(engine))
        return;
    enter(engine, SHUTDOWN_STOPPING);
    enter(engine, SHUTDOWN_CANCELLING);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        orders_retry_afresh(engine, index);
    sync_shut_down(engine);
}

void shutdown_take_step(struct engine *engine, const struct event_step_done *done)
{
    if (!is_outside(done->step) || done->step != engine->carry.shutdown)
        return;
    if (done->failed)
        tell_failed(engine, true);
    go_on(engine);
}

bool shutdown_may_send(const struct engine *engine)
{
    return engine->carry.shutdown != SHUTDOWN_DISCONNECTING && !engine_is_done(engine);
}

bool shutdown_must_ask(const struct engine *engine, const struct order *order)
{
    if (order->state == ORDER_UNKNOWN)
        return orders_unknown_may_rest(order);
    return order_state_is_resting(order->state) && !orders_gave_up(engine, order);
}

static bool has_to_ask(const struct engine *engine, unsigned index)
{
    for (unsigned side = 0; side < 2; side++)
        for (uint32_t slot = engine->instruments[index].sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next)
            if (shutdown_must_ask(engine, &engine->orders.slots[slot]))
                return true;
    return false;
}

bool shutdown_has_to_ask(const struct engine *engine, unsigned venue)
{
    for (unsigned index = 0; index < engine->instrument_count; index++)
        if (engine->instruments[index].definition.venue == venue && has_to_ask(engine, index))
            return true;
    return false;
}

static bool all_asked(const struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        if (shutdown_has_to_ask(engine, venue))
            return false;
    return sync_all_asked(engine);
}

int64_t shutdown_resend_deadline(const struct engine *engine, unsigned index)
{
    if (!is_going_on(engine) || !shutdown_may_send(engine) || !has_to_ask(engine, index))
        return TIME_NEVER;
    return engine->instruments[index].last_cycle + RESEND_NS;
}

int64_t shutdown_deadline(const struct engine *engine)
{
    const struct carry *carry = &engine->carry;
    if (!is_going_on(engine))
        return TIME_NEVER;
    return carry->shutdown_step_deadline < carry->shutdown_deadline ? carry->shutdown_step_deadline
                                                                    : carry->shutdown_deadline;
}

void shutdown_update(struct engine *engine)
{
    const struct carry *carry = &engine->carry;
    if (!is_going_on(engine))
        return;
    if (engine->now >= carry->shutdown_deadline) {
        end(engine, SHUTDOWN_FORCED);
        return;
    }
    if (carry->shutdown == SHUTDOWN_CANCELLING && all_asked(engine))
        enter(engine, SHUTDOWN_WAITING);
    bool late = engine->now >= carry->shutdown_step_deadline;
    if (carry->shutdown == SHUTDOWN_WAITING && (late || nothing_rests(engine))) {
        if (!nothing_rests(engine))
            tell_failed(engine, false);
        enter(engine, SHUTDOWN_FLUSHING);
    } else if (late) {
        tell_failed(engine, false);
        go_on(engine);
    }
}
