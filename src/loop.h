/* The loop: the next of (message, answer, timer) in the one total order, journal it, step the
 * engine, send its actions. The same body in every mode; a mode is the three pointers it is given.
 */
#ifndef CAPSTAN_LOOP_H
#define CAPSTAN_LOOP_H

#include "engine/engine.h"
#include "feed/feed.h"
#include "venue/venue.h"

/* Rank of a source among things of one ts_local (ARCHITECTURE.md, total order). Lower first. */
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
 * journal, the fingerprint, the store's spool and the golden text are all sinks. Any pointer may be
 * NULL. A return other than 0 ends the run with that error.
 *
 * message    before the engine is given it. `market` false: session messages only, which keeps the
 *            sink off the path of market data.
 * stepped    the engine has taken the message; its decisions have not gone out yet.
 * decision   one decision of the engine.
 * finishing  all messages have been given; what follows are the decisions of engine_finish(). */
struct sink {
    bool market;
    int (*message)(struct sink *sink, const struct message *message, struct error *error);
    int (*stepped)(struct sink *sink, const struct engine *engine, struct error *error);
    int (*decision)(struct sink *sink, const struct message *decision, struct error *error);
    int (*finishing)(struct sink *sink, const struct engine *engine, struct error *error);
};

enum { LOOP_SINKS_MAX = 10 };

struct sink_list {
    struct sink *sinks[LOOP_SINKS_MAX];
    size_t count;
};

struct loop {
    struct engine *engine;
    struct feed *feed;
    struct venue *venue;
    struct sink *sinks[LOOP_SINKS_MAX];
    size_t sink_count;
    /* The loop makes the engine's start and its ticks; false in verify, where the tape has both. */
    bool makes_time;
    bool goes_on;  /* a tape that is told again: behind a shutdown another session may stand */
    int64_t start; /* ts_local of the start, or of the first message if that is later */
    struct event_start start_record;
    /* Called now and then with the ts_local reached; may be NULL. */
    void (*progress)(void *context, int64_t ts_local, uint64_t messages);
    void *progress_context;
    /* Results. An event is a row or a record of market data. */
    uint64_t messages, events, market_messages;
    /* Those given before the engine's start, from which books are built; counted above too. */
    uint64_t messages_before_start, events_before_start;
    bool started;
    int64_t now; /* ts_local of the last message given */
    bool done;   /* the engine's shutdown is complete */
    /* The loop's own: which sinks take what, so that market data meets no others. */
    struct sink_list market_message, session_message, market_stepped, session_stepped, decided;
};

/* Run until the feed ends or the engine's shutdown is complete, then engine_finish(). Answers due
 * by the last message's time are delivered, later ones are not, and no timer runs after it. A full
 * table of the engine is ERROR_INPUT that names the setting and the figure needed. */
int loop_run(struct loop *loop, struct error *error);

#endif
