/* Where messages come from: one source of market messages, in the order of their ts_local. */
#ifndef CAPSTAN_FEED_FEED_H
#define CAPSTAN_FEED_FEED_H

#include "base/error.h"
#include "event/event.h"

/* Classes that a feed lets through (bits by enum event_class). */
enum {
    FEED_MARKET = 1 << EVENT_MARKET,
    FEED_SESSION = 1 << EVENT_SESSION,
    FEED_DECISION = 1 << EVENT_DECISION
};

enum { FEED_KINDS = 256 }; /* numbers that a kind can have */

/* A feed. Pointers to messages and their rows stay valid as said below, so that nothing is copied.
 *
 * `next` gives the next message or NULL at the end (check `error`); the message stays valid
 * until the call after. `ahead` is the simulated venue's cursor: the next message, not later than
 * `limit` in ts_local, that it has not given yet, or NULL; it stays valid until `next` has passed
 * it. `limit` is at most the ts_local of the message that `next` gave last plus the lookahead of
 * the feed's options, and the second cursor must be moved past a block before the first one leaves
 * it. Both cursors see the same decoded blocks. A feed without a second cursor has ahead == NULL.
 */
struct feed {
    const struct message *(*next)(struct feed *feed, struct error *error);
    const struct message *(*ahead)(struct feed *feed, int64_t limit, struct error *error);
    void (*close)(struct feed *feed);
    int64_t ahead_ts; /* `ahead` gives nothing for a limit before this: saves the call */
    uint64_t skipped; /* messages of other classes that were left out */
    /* Jumps of the clock among them, which say how far their times can be trusted, and the farthest, without its sign. */
    uint64_t clock_jumps;
    int64_t clock_jump_farthest;
    /* By kind: what `ahead` gives. All that `next` does, until who uses the cursor takes some out. */
    bool ahead_wanted[FEED_KINDS];
};

struct tape_reader;

struct tape_feed_options {
    unsigned classes;  /* FEED_… */
    int64_t from, to;  /* ts_local, inclusive; INT64_MIN and INT64_MAX for all */
    int64_t lookahead; /* ns that `ahead` may be in front: sim.reorder */
    unsigned threads;  /* 1: decode here; 2: decode on a second thread */
};

/* A feed over a tape. With `from`, begins at the last block from which every book can be built, and before it
 * with what was told earlier and stands then (tape/standing.h: a halt is told once), each at its own time;
 * those earlier messages come too and the loop tells the engine's start by time. Takes all memory
 * here: the ring holds as many blocks as any `lookahead` of the tape needs. The reader stays the
 * caller's. */
int tape_feed_open(struct feed **feed, struct tape_reader *reader,
                   const struct tape_feed_options *options, struct error *error);

/* A feed over `count` messages in memory, in order of ts_local, for tests and scenarios. The
 * messages stay the caller's and must outlive the feed. */
int memory_feed_open(struct feed **feed, const struct message *messages, size_t count,
                     struct error *error);

#endif
