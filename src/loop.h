/* The loop: the next of (message, answer, timer) in the one total order, journal it, step the engine,
 * send its actions. The same body in every mode; a mode is the three pointers it is given. */
#ifndef CAPSTAN_LOOP_H
#define CAPSTAN_LOOP_H

#include "engine/engine.h"
#include "feed/feed.h"
#include "venue/venue.h"

/* Rank of a source among things of one ts_local (DESIGN 6). Lower first. */
#define LOOP_RANKS(X)                                                                              \
    X(RANK_START, "start and account snapshots at the beginning")                                  \
    X(RANK_MARKET, "market data and scripted session records, in tape order")                      \
    X(RANK_ANSWER, "answers of the venue, in the order in which it gave them")                     \
    X(RANK_TICK, "timers")

enum loop_rank {
#define X(name, meaning) name,
    LOOP_RANKS(X)
#undef X
};

/* Takes every message the engine sees and every decision it makes, in order. Writing a tape, the
 * journal, the fingerprint, the store's spool and the golden text are all sinks. */
struct sink {
    int (*message)(struct sink *sink, const struct message *message, struct error *error);
    int (*decision)(struct sink *sink, const struct message *decision, struct error *error);
    /* After a message and its decisions; may be NULL. */
    int (*step)(struct sink *sink, const struct engine *engine, struct error *error);
};

enum { LOOP_SINKS_MAX = 8 };

struct loop {
    struct engine *engine;
    struct feed *feed;
    struct venue *venue;
    struct sink *sinks[LOOP_SINKS_MAX];
    size_t sink_count;
    int64_t start; /* ts_local from which the engine is told; earlier messages build books only */
    bool make_ticks; /* false in verify: ticks come from the tape */
    void (*progress)(void *context, int64_t ts_local, uint64_t messages); /* may be NULL */
    void *progress_context;
    uint64_t messages, events;
};

/* Run until the feed ends or the engine's shutdown is complete, then engine_finish(). */
int loop_run(struct loop *loop, struct error *error);

#endif
