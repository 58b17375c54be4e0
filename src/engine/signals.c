/* Signals: what breakers and warm-up look at. */
#include "engine/signals.h"

#include "base/time.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

void signals_view_changed(struct engine *engine, unsigned instrument)
{
    (void)engine;
    (void)instrument;
}

void signals_book_lost(struct engine *engine, unsigned instrument)
{
    (void)engine;
    (void)instrument;
}

void signals_book_message(struct engine *engine, unsigned instrument)
{
    engine->instruments[instrument].signals.book_messages++;
}

void signals_trade(struct engine *engine, unsigned instrument)
{
    engine->instruments[instrument].signals.trades++;
}

void signals_open_interest(struct engine *engine, unsigned instrument)
{
    (void)engine;
    (void)instrument;
}

void signals_place_answered(struct engine *engine, const struct order *order, enum reject reason)
{
    (void)engine;
    (void)order;
    (void)reason;
}

void signals_fill(struct engine *engine, const struct message *message)
{
    (void)engine;
    (void)message;
}

int64_t signals_deadline(const struct engine *engine, unsigned instrument)
{
    (void)engine;
    (void)instrument;
    return TIME_NEVER;
}

bool signals_are_warm(const struct engine *engine, unsigned instrument)
{
    (void)engine;
    (void)instrument;
    return true;
}

void signals_reset(struct engine *engine, unsigned instrument)
{
    engine->instruments[instrument].signals = (struct signals){0};
}

void signals_walk(struct walker *walker, const struct engine *engine, unsigned instrument)
{
    const struct signals *signals = &engine->instruments[instrument].signals;
    walker->field(walker, "signals.book_messages", instrument, (int64_t)signals->book_messages);
    walker->field(walker, "signals.trades", instrument, (int64_t)signals->trades);
}
