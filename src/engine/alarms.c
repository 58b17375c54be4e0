/* Alarms. An alarm is raised by the part that found it; most end when that part finds it well again, some
 * only by the operator's reset, because the engine can't know that somebody looked. */
#include "engine/alarms.h"

#include "base/assert.h"
#include "engine/engine_internal.h"

/* What the operator's reset does to an alarm. */
enum on_reset {
    RESET_ENDS,  /* it is over */
    RESET_ASKS,  /* the venue's account is asked for at once: only what it says can end it */
    RESET_LEAVES /* nothing; it ends by itself */
};

struct alarm_kind {
    bool stops; /* no new order while it is raised */
    bool pulls; /* and nothing rests */
    enum on_reset reset;
};

static const struct alarm_kind kinds[ALARM_COUNT] = {
    [ALARM_CANCEL_FAILED] = {true, false, RESET_ENDS},
    [ALARM_ORDER_UNKNOWN] = {true, false, RESET_ASKS},
    [ALARM_FOREIGN_ORDER] = {false, false, RESET_ENDS},
    [ALARM_DRIFT] = {true, true, RESET_ASKS},
    [ALARM_SNAPSHOT_OLD] = {true, false, RESET_ASKS},
    [ALARM_WARM_UP_LATE] = {false, false, RESET_LEAVES},
    [ALARM_OWN_BOOK] = {true, true, RESET_ENDS},
    [ALARM_ORPHANS_FULL] = {true, false, RESET_ASKS},
};

static struct alarms *alarms_of(struct engine *engine, unsigned instrument, unsigned venue)
{
    if (instrument != EVENT_NONE_16)
        return &engine->instruments[instrument].alarms;
    return &engine->venues[venue].alarms;
}

static void mark_due(struct engine *engine, unsigned instrument, unsigned venue)
{
    for (unsigned index = 0; index < engine->instrument_count; index++)
        if (instrument == EVENT_NONE_16 ? engine->instruments[index].definition.venue == venue
                                        : instrument == index)
            engine_mark_due(engine, index);
}

static void change(struct engine *engine, unsigned instrument, unsigned venue, enum alarm reason,
                   order_id order, bool raised)
{
    struct alarms *alarms = alarms_of(engine, instrument, venue);
    uint32_t bit = UINT32_C(1) << reason;
    ASSERT(reason < ALARM_COUNT);
    if (engine->folding)
        return; /* the decision comes from the tape: it was made by that run's settings */
    if (((alarms->raised & bit) != 0) == raised)
        return;
    alarms->raised ^= bit;
    if (instrument != EVENT_NONE_16)
        venue = engine->instruments[instrument].definition.venue;
    engine_emit(engine, EVENT_alarm, instrument)->alarm = (struct event_alarm){
        .instrument = (uint16_t)instrument,
        .venue = (uint8_t)venue,
        .reason = (uint8_t)reason,
        .order = order,
        .raised = raised,
        .clears = kinds[reason].reset == RESET_LEAVES ? COMMAND_RESUME : COMMAND_RESET,
    };
    mark_due(engine, instrument, venue);
}

void alarm_raise(struct engine *engine, unsigned instrument, unsigned venue, enum alarm reason,
                 order_id order)
{
    change(engine, instrument, venue, reason, order, true);
}

void alarm_clear(struct engine *engine, unsigned instrument, unsigned venue, enum alarm reason)
{
    change(engine, instrument, venue, reason, 0, false);
}

bool alarm_is_raised(const struct engine *engine, unsigned instrument, unsigned venue,
                     enum alarm reason)
{
    const struct alarms *alarms = instrument != EVENT_NONE_16
                                      ? &engine->instruments[instrument].alarms
                                      : &engine->venues[venue].alarms;
    return alarms->raised >> reason & 1;
}

void alarms_take(struct engine *engine, const struct event_alarm *alarm)
{
    if (alarm->reason >= ALARM_COUNT ||
        (alarm->instrument == EVENT_NONE_16 ? alarm->venue >= engine->venue_count
                                            : alarm->instrument >= engine->instrument_count))
        return;
    struct alarms *alarms = alarms_of(engine, alarm->instrument, alarm->venue);
    uint32_t bit = UINT32_C(1) << alarm->reason;
    alarms->raised = alarm->raised ? alarms->raised | bit : alarms->raised & ~bit;
}

/* All that are raised of an instrument and of its venue. */
static uint32_t raised_of(const struct engine *engine, unsigned instrument)
{
    const struct instrument *at = &engine->instruments[instrument];
    return at->alarms.raised | engine->venues[at->definition.venue].alarms.raised;
}

bool alarms_stop(const struct engine *engine, unsigned instrument)
{
    uint32_t raised = raised_of(engine, instrument);
    for (unsigned reason = 0; raised != 0; reason++, raised >>= 1)
        if ((raised & 1) && kinds[reason].stops)
            return true;
    return false;
}

bool alarms_pull(const struct engine *engine, unsigned instrument)
{
    uint32_t raised = raised_of(engine, instrument);
    for (unsigned reason = 0; raised != 0; reason++, raised >>= 1)
        if ((raised & 1) && kinds[reason].pulls)
            return true;
    return false;
}

static void reset_one(struct engine *engine, unsigned instrument, unsigned venue)
{
    for (unsigned reason = 0; reason < ALARM_COUNT; reason++) {
        if (!alarm_is_raised(engine, instrument, venue, (enum alarm)reason))
            continue;
        if (kinds[reason].reset == RESET_ENDS)
            alarm_clear(engine, instrument, venue, (enum alarm)reason);
        else if (kinds[reason].reset == RESET_ASKS)
            sync_ask_soon(engine, instrument == EVENT_NONE_16
                                      ? venue
                                      : engine->instruments[instrument].definition.venue);
    }
}

void alarms_reset(struct engine *engine, unsigned instrument)
{
    reset_one(engine, instrument, 0);
    reset_one(engine, EVENT_NONE_16, engine->instruments[instrument].definition.venue);
}
