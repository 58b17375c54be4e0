/* Learning. */
#include "engine/learning.h"

#include "base/time.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

void learning_order_changed(struct engine *engine, struct order *order, unsigned before)
{
    (void)engine;
    (void)order;
    (void)before;
}

void learning_level_changed(struct engine *engine, struct order *order, unsigned before)
{
    (void)engine;
    (void)order;
    (void)before;
}

void learning_take(struct engine *engine, const struct event_learning *learning)
{
    engine->instruments[learning->instrument].learning.spells++;
}

void learning_size(struct engine *engine, unsigned instrument, struct wanted_ladder *ladder)
{
    (void)engine;
    (void)instrument;
    (void)ladder;
}

int64_t learning_deadline(const struct engine *engine, unsigned instrument)
{
    (void)engine;
    (void)instrument;
    return TIME_NEVER;
}

void learning_due(struct engine *engine, unsigned instrument)
{
    (void)engine;
    (void)instrument;
}

void learning_walk(struct walker *walker, const struct engine *engine, unsigned instrument)
{
    walker->field(walker, "learning.spells", instrument,
                  (int64_t)engine->instruments[instrument].learning.spells);
}
