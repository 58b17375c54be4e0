/* Log lines of what the engine is told and decides: each field of a record is a field of its line, by its own name
 * (docs/event-text.md); what a line about an order lacks of venue order id, side and price is added where it is known. */
#ifndef CAPSTAN_LIVE_EVENT_LOG_H
#define CAPSTAN_LIVE_EVENT_LOG_H

#include "base/log.h"
#include "event/event.h"
#include "live/open_orders.h"

struct event_log {
    const struct log *log;
    const struct event_names *names;
    struct open_orders *orders; /* NULL: nothing is added */
    bool shutting_down;         /* how each cancel ends is told louder */
    uint64_t epoch;             /* of the last start */
    uint8_t breakers[256];      /* last state of the infrastructure's breakers, by venue */
};

/* Fill log, names and orders before, the rest with 0. A message or decision, before it changes the open orders' list. */
void event_log_write(struct event_log *log, const struct message *message);

#endif
