/* A feed that gives nothing which the tape can't take: between the sequencer and the loop, so that the engine
 * never sees what a tape does not hold (run/live_tape.h tells the rules). */
#ifndef CAPSTAN_LIVE_WRITTEN_FEED_H
#define CAPSTAN_LIVE_WRITTEN_FEED_H

#include "feed/feed.h"
#include "live/rotator.h"
#include "run/live_tape.h"

struct written_feed {
    struct feed feed; /* first: the loop holds a pointer to it */
    struct feed *inner;
    struct live_tape *tape;
    const struct message *held; /* waits behind the gaps that come before it */
    uint64_t dropped;
    struct rotator *rotator; /* ends the feed where the tape is to end; NULL: none */
    int64_t now;             /* ts_local of the last message given */
    bool within_frame;
    /* Ask the venues for whole books again. */
    void (*want_snapshots)(void *context);
    void *context;
};

/* Fill the rest of `written` before. It closes nothing. */
void written_feed_init(struct written_feed *written);

#endif
