/* The database of a live session: what the store's thread (store/follower.h) needs of the session, and the engine's
 * word on its breaker. A sink of the loop, behind that of the tape. */
#ifndef CAPSTAN_LIVE_SESSION_STORE_H
#define CAPSTAN_LIVE_SESSION_STORE_H

#include <stdatomic.h>

#include "base/log.h"
#include "feed/live_feed.h"
#include "run/fold.h"
#include "run/run_engine.h"
#include "store/follower.h"
#include "tape/tape.h"

struct session_store;

struct session_store_options {
    const char *path; /* the database */
    const char *tape;
    const struct tape_header *header; /* that stands on the tape */
    const char *build_id;
    struct run_engine *engine; /* folded, before its start */
    const struct fold *fold;   /* what the tape held before */
    uint64_t epoch;            /* of this session */
    uint64_t events_before;    /* of the process, on tapes before this one */
    struct live_feed *feed;    /* how calls end is posted here */
    /* For any thread: the last call worked, none hangs, no record was lost, and the breaker is closed. */
    atomic_bool *healthy;
    const struct clock *clock;
    const struct log *log;
};

/* ERROR_INPUT where the path holds something else than this tape's database. All that `options` points to must outlive
 * it, but for the two paths, which are copied. */
int session_store_open(struct session_store **store, const struct session_store_options *options,
                       struct error *error);
struct sink *session_store_sink(struct session_store *store);
struct follower_health session_store_health(const struct session_store *store);
/* The shutdown's step, as follower_flush. */
void session_store_flush(struct session_store *store, void (*done)(void *context, bool failed),
                         void *context);
/* Between two messages, or behind the last: the sink gets no more. The rest and the last word are written in `limit_ns`,
 * by a thread that needs neither loop nor engine for it. */
void session_store_end(struct session_store *store, const struct loop *loop, int64_t limit_ns);
/* Behind session_store_end: wait for that, a second beyond the limit; false where the thread hangs even then: *store stays,
 * for session_store_leave. NULL is allowed. */
bool session_store_close(struct session_store **store);
/* Puts one whose thread hangs to the others that are left; *store becomes NULL. */
void session_store_leave(struct session_store **left, struct session_store **store);
/* At the end of the process: frees those whose threads have ended after all, without waiting for any. *left becomes NULL. */
void session_store_close_left(struct session_store **left);

#endif
