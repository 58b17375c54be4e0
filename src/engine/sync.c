/* Safety sync. */
#include "engine/sync.h"

#include "base/time.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

static void take_snapshot_end(struct engine *engine, unsigned venue)
{
    if (venue >= engine->venue_count)
        return;
    engine->venues[venue].reconciled = true;
    for (unsigned index = 0; index < engine->instrument_count; index++)
        if (engine->instruments[index].definition.venue == venue &&
            engine->instruments[index].market.seen)
            engine_mark_due(engine, index);
}

void sync_take(struct engine *engine, const struct message *message)
{
    const union event_record *record = message->record;
    switch ((int)message->kind) {
    case EVENT_balance:
        ledger_take_balance(engine, &record->balance);
        break;
    case EVENT_open_order:
        orders_take_answer(engine, message);
        break;
    case EVENT_snapshot_end:
        take_snapshot_end(engine, record->snapshot_end.venue);
        break;
    default:
        break;
    }
}

bool sync_take_orphan_answer(struct engine *engine, const struct message *message)
{
    (void)engine;
    (void)message;
    return false;
}

void sync_take_request(struct engine *engine, const struct event_request_snapshot *request,
                       int64_t now)
{
    engine->venues[request->venue].sync.requested = now;
}

void sync_take_cancel_orphan(struct engine *engine, const struct event_cancel_orphan *cancel,
                             int64_t now)
{
    (void)engine;
    (void)cancel;
    (void)now;
}

int64_t sync_deadline(const struct engine *engine)
{
    (void)engine;
    return TIME_NEVER;
}

void sync_due(struct engine *engine)
{
    (void)engine;
}

int64_t sync_orphan_leaves(const struct engine *engine, unsigned instrument, enum side side)
{
    (void)engine;
    (void)instrument;
    (void)side;
    return 0;
}

void sync_reset(struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        engine->venues[venue].sync = (struct sync){.requested = TIME_NEVER};
        engine->venues[venue].reconciled = false;
    }
}

void sync_walk(struct walker *walker, const struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        walker->field(walker, "sync.requested", venue, engine->venues[venue].sync.requested);
}
