/* What a live session does about the engine's words beside sending them to venues: log lines, and the steps of a
 * shutdown that happen outside the engine. A sink of the loop, the last one. */
#ifndef CAPSTAN_LIVE_WATCH_H
#define CAPSTAN_LIVE_WATCH_H

#include "base/log.h"
#include "live/session_store.h"
#include "live/venues.h"
#include "run/live_tape.h"

struct watch;

struct watch_options {
    const struct log *log;
    struct engine *engine; /* folded, before its start */
    const struct event_names *names;
    size_t order_capacity; /* orders that may be open at a time */
    struct live_tape *tape;
    struct live_feed *feed;      /* ends of steps are posted here */
    struct session_store *store; /* NULL: no database */
    struct live_venues *venues;
};

/* All that `options` points to must outlive it. */
int watch_open(struct watch **watch, const struct watch_options *options, struct error *error);
void watch_close(struct watch **watch);
struct sink *watch_sink(struct watch *watch);
/* The orders that may rest; it belongs to the watch. */
struct open_orders *watch_orders(struct watch *watch);
/* The orders that the shutdown ended without, as the engine named them at its end; they belong to the watch. */
const struct open_order *watch_unconfirmed(const struct watch *watch, size_t *count);
/* Another database, or none, from now on. */
void watch_set_store(struct watch *watch, struct session_store *store);
/* The shutdown ended by force. */
bool watch_was_forced(const struct watch *watch);

#endif
