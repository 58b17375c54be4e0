/* The ordered shutdown: cancel everything, wait until the venue has confirmed it, or say what it has
 * not. */
#include "base/time.h"
#include "engine/engine_internal.h"

static void tell(struct engine *engine, enum shutdown_step step)
{
    engine->carry.shutdown = (uint8_t)step;
    engine_emit(engine, EVENT_shutdown_state, EVENT_NONE_16)->shutdown_state =
        (struct event_shutdown_state){
            .step = (uint8_t)step,
            .open_orders = engine->orders.live,
            .unconfirmed = step == SHUTDOWN_FORCED ? engine->orders.live : 0,
        };
}

void shutdown_begin(struct engine *engine)
{
    if (engine->carry.shutdown != SHUTDOWN_RUNNING)
        return;
    engine->carry.shutdown_deadline = engine->now + engine->shutdown_timeout;
    tell(engine, SHUTDOWN_CANCELLING);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        engine_mark_due(engine, index);
}

void shutdown_take_step(struct engine *engine, const struct event_step_done *done)
{
    (void)engine;
    (void)done;
}

int64_t shutdown_deadline(const struct engine *engine)
{
    return engine->carry.shutdown == SHUTDOWN_CANCELLING ? engine->carry.shutdown_deadline
                                                         : TIME_NEVER;
}

void shutdown_update(struct engine *engine)
{
    if (engine->carry.shutdown != SHUTDOWN_CANCELLING)
        return;
    if (engine->orders.live == 0)
        tell(engine, SHUTDOWN_COMPLETE);
    else if (engine->now >= engine->carry.shutdown_deadline)
        tell(engine, SHUTDOWN_FORCED);
}
