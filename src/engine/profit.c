/* Profit of the account. */
#include "engine/profit.h"

#include "base/time.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

void profit_turn_day(struct engine *engine)
{
    (void)engine;
}

void profit_touch(struct engine *engine, unsigned instrument)
{
    (void)engine;
    (void)instrument;
}

void profit_update(struct engine *engine)
{
    (void)engine;
}

void profit_take_rate(struct engine *engine, const struct event_reference_rate *rate)
{
    (void)engine;
    (void)rate;
}

void profit_resume(struct engine *engine)
{
    (void)engine;
}

bool profit_is_drawn_down(const struct engine *engine, unsigned instrument)
{
    (void)engine;
    (void)instrument;
    return false;
}

bool profit_is_at_daily_loss(const struct engine *engine, unsigned instrument)
{
    (void)engine;
    (void)instrument;
    return false;
}

bool profit_lacks_rate(const struct engine *engine, unsigned instrument)
{
    (void)engine;
    (void)instrument;
    return false;
}

int64_t profit_deadline(const struct engine *engine)
{
    (void)engine;
    return TIME_NEVER;
}

void profit_take_mark(struct engine *engine, const struct event_risk_mark *mark)
{
    engine->profit.day = mark->day;
}

void profit_walk(struct walker *walker, const struct engine *engine)
{
    walker->field(walker, "profit.day", 0, engine->profit.day);
}
