/* The venues of a live session as the one that the loop sends to: each decision goes to the thread of its
 * venue. Answers come through the sequencer (feed/live_feed.h), so it gives none of its own. */
#ifndef CAPSTAN_LIVE_LIVE_VENUE_H
#define CAPSTAN_LIVE_LIVE_VENUE_H

#include "feed/live_feed.h"
#include "live/live_io.h"
#include "venue/venue.h"

enum { LIVE_VENUES_MAX = LIVE_FEED_SOURCES_MAX };

struct live_venue {
    struct venue venue;                   /* first: the loop holds a pointer to it */
    struct live_io *ios[LIVE_VENUES_MAX]; /* by venue of `names`; NULL: none trades there */
    const struct event_names *names;
    struct live_feed *feed;
    uint64_t unsent; /* decisions that found no room */
};

/* Fill the rest of `live` before; it has no state that needs closing. */
void live_venue_init(struct live_venue *live);

#endif
