/* The carry: what must outlive a crash, folded from session and decision records as they stand on the
 * tape, never from what today's build would decide. Market records change none of it. A restart keeps it and
 * starts everything else cold: an engine that takes a second start equals a fresh one that folded the tape
 * and takes the start. */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "engine/walker.h"

/* A record names what this engine has not, or what no engine writes: it is passed over. */
static void fold_breaker(struct engine *engine, const struct event_breaker *breaker, int64_t now)
{
    if (breaker->instrument < engine->instrument_count && breaker->breaker < BREAKER_COUNT &&
        breaker->state < BREAKER_STATE_COUNT)
        breakers_set(&engine->instruments[breaker->instrument], breaker->breaker, breaker->state,
                     now);
}

static void fold_pause(struct engine *engine, const struct event_pause *pause)
{
    if (pause->why != GATE_PAUSED)
        profit_take_pause(engine, pause);
    else if (pause->instrument < engine->instrument_count)
        engine->instruments[pause->instrument].paused = pause->paused;
}

static void fold_decision(struct engine *engine, const struct message *decision)
{
    const union event_record *record = decision->record;
    int64_t now = decision->ts_local;
    switch ((int)decision->kind) {
    case EVENT_place:
        engine->counters.placed++;
        orders_take_place(engine, &record->place, now);
        rate_take_sent(engine, record->place.instrument, now);
        break;
    case EVENT_cancel:
        engine->counters.cancelled++;
        orders_take_cancel(engine, &record->cancel, now);
        rate_take_sent(engine, record->cancel.instrument, now);
        break;
    case EVENT_modify:
        engine->counters.modified++;
        orders_take_modify(engine, &record->modify, now);
        rate_take_sent(engine, record->modify.instrument, now);
        break;
    case EVENT_query:
        orders_take_query(engine, &record->query, now);
        break;
    case EVENT_replace:
        engine->counters.placed++;
        engine->counters.replaced++;
        orders_take_replace(engine, &record->replace, now);
        rate_take_sent(engine, record->replace.instrument, now);
        break;
    case EVENT_request_snapshot:
        sync_take_request(engine, &record->request_snapshot, now);
        break;
    case EVENT_cancel_orphan:
        engine->counters.cancelled++;
        rate_take_sent(engine, record->cancel_orphan.instrument, now);
        sync_take_cancel_orphan(engine, &record->cancel_orphan, now);
        break;
    case EVENT_infrastructure:
        infrastructure_take(engine, &record->infrastructure);
        break;
    case EVENT_alarm:
        alarms_take(engine, &record->alarm);
        break;
    case EVENT_learned:
        learning_take(engine, &record->learned);
        break;
    case EVENT_risk_mark:
        profit_take_mark(engine, &record->risk_mark);
        break;
    case EVENT_breaker:
        fold_breaker(engine, &record->breaker, now);
        break;
    case EVENT_pause:
        fold_pause(engine, &record->pause);
        break;
    case EVENT_shutdown_state:
        if (record->shutdown_state.step < SHUTDOWN_STEP_COUNT)
            shutdown_take_state(engine, record->shutdown_state.step, now);
        break;
    case EVENT_funding_booked:
        if (record->funding_booked.instrument < engine->instrument_count)
            ledger_take_funding(engine, &record->funding_booked);
        break;
    case EVENT_adopted:
        if (record->adopted.instrument < engine->instrument_count)
            adopt_take(engine, &record->adopted);
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
    engine->output.count = 0;
    engine->folding = false;
}

/* --- restart ---------------------------------------------------------------------------------------- */

static void market_restart(struct instrument *instrument)
{
    struct book *book = instrument->market.book;
    book = book_init(book, book_size(instrument->far_levels), instrument->far_levels);
    instrument->market =
        (struct market){.book = book, .spot = instrument->market.spot, .funding_due = TIME_NEVER};
    instrument->definition = instrument->first_definition;
    instrument->limits = instrument->first_limits;
}

static void instrument_restart(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    market_restart(instrument);
    signals_reset(engine, index);
    learning_reset(engine, index);
    memset(instrument->strategy_state, 0, strategy_ladder.state_bytes);
    memset(&instrument->gates, 0, sizeof instrument->gates);
    instrument->wait_top[SIDE_BUY] = instrument->wait_top[SIDE_SELL] = false;
    instrument->top_in_collar[SIDE_BUY] = instrument->top_in_collar[SIDE_SELL] = false;
    instrument->reference4 = instrument->fair = instrument->skew = 0;
    instrument->has_fair = false;
    instrument->held_until = TIME_NEVER;
    breakers_restart(engine, index);
    timers_set(&engine->timers, index, TIME_NEVER);
}

void carry_restart(struct engine *engine)
{
    for (unsigned index = 0; index < engine->instrument_count; index++)
        instrument_restart(engine, index);
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        rate_reset(&engine->venues[venue].rate);
        engine->venues[venue].told = false;
    }
    sync_reset(engine);
    orders_stream_reset(engine);
    profit_reset(engine);
    shutdown_take_state(engine, SHUTDOWN_RUNNING, engine->now);
    engine->carry.shutdown_deadline = TIME_NEVER;
    engine->ordinal = 0;
    engine->full_setting = NULL;
    engine->full_needed = 0;
    engine->audit_countdown = engine->audit_every;
    orders_restart(engine);
}

void engine_walk_carry(const struct engine *engine, struct walker *walker)
{
    walk_orders(walker, engine, true);
    walk_money(walker, engine);
    walk_breakers(walker, engine);
}
