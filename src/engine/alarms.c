/* Alarms. An alarm is raised by the part that found it; most end when that part finds it well again, some
 * only by the operator's reset, because the engine can't know that somebody looked. */
#include "engine/alarms.h"

#include "base/assert.h"
#include "engine/engine_internal.h"

struct alarm_kind {
    bool stops;        /* no new order while it is raised */
    bool reset_clears; /* the operator's reset ends it */
};

static const struct alarm_kind kinds[ALARM_COUNT] = {
    [ALARM_CANCEL_FAILED] = {true, true},  [ALARM_ORDER_UNKNOWN] = {true, false},
    [ALARM_FOREIGN_ORDER] = {false, true}, [ALARM_DRIFT] = {true, false},
    [ALARM_SNAPSHOT_OLD] = {true, false},  [ALARM_WARM_UP_LATE] = {false, false},
    [ALARM_OWN_BOOK] = {true, true},       [ALARM_ORPHANS_FULL] = {true, true},
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
        .clears = kinds[reason].reset_clears ? COMMAND_RESET : COMMAND_RESUME,
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

bool alarms_stop(const struct engine *engine, unsigned instrument)
{
    const struct instrument *at = &engine->instruments[instrument];
    uint32_t raised = at->alarms.raised | engine->venues[at->definition.venue].alarms.raised;
    for (unsigned reason = 0; raised != 0; reason++, raised >>= 1)
        if ((raised & 1) && kinds[reason].stops)
            return true;
    return false;
}

static void reset_one(struct engine *engine, unsigned instrument, unsigned venue)
{
    for (unsigned reason = 0; reason < ALARM_COUNT; reason++)
        if (kinds[reason].reset_clears)
            alarm_clear(engine, instrument, venue, (enum alarm)reason);
}

void alarms_reset(struct engine *engine, unsigned instrument)
{
    if (instrument != EVENT_NONE_16) {
        reset_one(engine, instrument, 0);
        reset_one(engine, EVENT_NONE_16, engine->instruments[instrument].definition.venue);
        return;
    }
    for (unsigned index = 0; index < engine->instrument_count; index++)
        reset_one(engine, index, 0);
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        reset_one(engine, EVENT_NONE_16, venue);
}
