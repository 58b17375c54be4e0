/* The carry: what must outlive a crash, folded from session and decision records as they stand on the
 * tape, never from what today's build would decide. Market records change none of it. It is for a restart,
 * which no command does yet (ARCHITECTURE.md). */
#include "engine/engine_internal.h"

#include "base/assert.h"
#include "engine/walker.h"

static void fold_decision(struct engine *engine, const struct message *decision)
{
    const union event_record *record = decision->record;
    int64_t now = decision->ts_local;
    switch ((int)decision->kind) {
    case EVENT_place:
        orders_take_place(engine, &record->place, now);
        rate_take_sent(engine, record->place.instrument, now);
        break;
    case EVENT_cancel:
        orders_take_cancel(engine, &record->cancel, now);
        rate_take_sent(engine, record->cancel.instrument, now);
        break;
    case EVENT_modify:
        orders_take_modify(engine, &record->modify, now);
        rate_take_sent(engine, record->modify.instrument, now);
        break;
    case EVENT_query:
        orders_take_query(engine, &record->query, now);
        break;
    case EVENT_replace:
        orders_take_replace(engine, &record->replace, now);
        rate_take_sent(engine, record->replace.instrument, now);
        break;
    case EVENT_request_snapshot:
        sync_take_request(engine, &record->request_snapshot, now);
        break;
    case EVENT_cancel_orphan:
        sync_take_cancel_orphan(engine, &record->cancel_orphan, now);
        break;
    case EVENT_infrastructure:
        infrastructure_take(engine, &record->infrastructure);
        break;
    case EVENT_alarm:
        alarms_take(engine, &record->alarm);
        break;
    case EVENT_learning:
        learning_take(engine, &record->learning);
        break;
    case EVENT_risk_mark:
        profit_take_mark(engine, &record->risk_mark);
        break;
    case EVENT_breaker:
        breakers_set(&engine->instruments[record->breaker.instrument], record->breaker.breaker,
                     record->breaker.state, now);
        break;
    case EVENT_pause:
        engine->instruments[record->pause.instrument].paused = record->pause.paused;
        break;
    case EVENT_shutdown_state:
        shutdown_take_state(engine, record->shutdown_state.step, now);
        break;
    default:
        break;
    }
}

void engine_fold(struct engine *engine, const struct message *message)
{
    ASSERT(engine->magic == ENGINE_MAGIC);
    engine->now = message->ts_local;
    engine->output.count = 0;
    engine->folding = true;
    if (message->kind >= EVENT_place)
        fold_decision(engine, message);
    else if (message->kind >= EVENT_start)
        engine_take_session(engine, message);
    /* What a session record makes an engine say stands on the tape as a decision of its own. */
    engine->folding = false;
    engine->output.count = 0;
}

void engine_walk_carry(const struct engine *engine, struct walker *walker)
{
    walk_orders(walker, engine, true);
    walk_money(walker, engine);
    walk_breakers(walker, engine);
}
