/* Alarms: what an operator must know, and where it is not safe to quote, what he must do. */
#ifndef CAPSTAN_ENGINE_ALARMS_H
#define CAPSTAN_ENGINE_ALARMS_H

#include "event/event.h"

struct engine;

/* Bits by enum alarm, of an instrument or of a venue as a whole. */
struct alarms {
    uint32_t raised;
};

/* Raise an alarm of an instrument (its venue's figure is taken), or with EVENT_NONE_16 of a whole venue.
 * A decision tells of it once; while it is raised again it is not told. `order` may be 0. */
void alarm_raise(struct engine *engine, unsigned instrument, unsigned venue, enum alarm reason,
                 order_id order);
/* It holds no longer. */
void alarm_clear(struct engine *engine, unsigned instrument, unsigned venue, enum alarm reason);
bool alarm_is_raised(const struct engine *engine, unsigned instrument, unsigned venue,
                     enum alarm reason);
/* Some alarm of the instrument or its venue forbids new orders: the gate `safety`. */
bool alarms_stop(const struct engine *engine, unsigned instrument);
/* Some alarm of the instrument or its venue forbids that anything rests. */
bool alarms_pull(const struct engine *engine, unsigned instrument);
/* A decision of the tape. */
void alarms_take(struct engine *engine, const struct event_alarm *alarm);
/* The operator's reset of one instrument and its venue: what only he can clear. */
void alarms_reset(struct engine *engine, unsigned instrument);

#endif
