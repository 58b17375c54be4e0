/* The breaker around a venue's requests. */
#include "engine/infrastructure.h"

#include "base/time.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

void infrastructure_succeeded(struct engine *engine, unsigned venue)
{
    (void)engine;
    (void)venue;
}

void infrastructure_failed(struct engine *engine, unsigned venue)
{
    (void)engine;
    (void)venue;
}

bool infrastructure_blocks(const struct engine *engine, unsigned venue)
{
    return engine->venues[venue].infrastructure.state != INFRASTRUCTURE_CLOSED;
}

bool infrastructure_lets_through(struct engine *engine, unsigned venue)
{
    (void)engine;
    (void)venue;
    return true;
}

void infrastructure_take(struct engine *engine, const struct event_infrastructure *infrastructure)
{
    engine->venues[infrastructure->venue].infrastructure.state = infrastructure->state;
}

int64_t infrastructure_deadline(const struct engine *engine)
{
    (void)engine;
    return TIME_NEVER;
}

void infrastructure_due(struct engine *engine)
{
    (void)engine;
}

void infrastructure_walk(struct walker *walker, const struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        walker->field(walker, "infrastructure.state", venue,
                      engine->venues[venue].infrastructure.state);
}
