/* The database of a live session, written by a thread of its own.
 *
 *   engine's thread ──► ring ──► thread ──► file of records ──► calls of the database
 *                                  │  ▲
 *                           outcome▼  │state
 *                                 the engine's breaker (engine/infrastructure.h)
 *
 * The records of the session wait in a file beside the tape until they are in the database, so the database may be away
 * for as long as it likes. Each call ends as one outcome; no next one begins before the engine has judged it. While the
 * breaker is open a call is refused at once and goes nowhere; half-open one is made.
 *
 * A call that does not return, and a follower that has lost records, tell nothing: the engine's thread finds that by
 * itself, and what comes late from a call that was counted as failed counts only where it worked. */
#ifndef CAPSTAN_STORE_FOLLOWER_H
#define CAPSTAN_STORE_FOLLOWER_H

#include "base/log.h"
#include "store/live_database.h"

struct follower;

struct follower_options {
    struct live_database_options database;
    struct live_database_session session; /* `start` is found by the thread itself */
    const char *scratch;                  /* the file of records is made beside this one */
    struct engine *engine;                /* that the loop steps */
    unsigned instrument_count;
    int64_t sample_ns, every_ns;
    const struct log *log; /* lines of target "capstan.database" */
    /* From the thread: how a call ended, for the engine; false where it can't be told now. */
    bool (*outcome)(void *context, bool worked);
    void *context;
};

/* What health pages and metrics ask. */
struct follower_health {
    bool healthy; /* the last call worked, and the breaker is closed */
    bool stopped; /* records were lost: the next session makes the database anew from the tape */
    uint64_t calls, failed, refused;
    uint64_t behind; /* records that are not in the database yet */
};

/* The thread begins; calls begin when the engine has started. `options` is copied, what it points to must outlive it. */
int follower_open(struct follower **follower, const struct follower_options *options,
                  struct error *error);
/* Takes the records down; behind the sink of the tape. Never waits, never fails. */
struct sink *follower_sink(struct follower *follower);
/* The engine's thread: the state of the breaker as decided (enum infrastructure_state). */
void follower_obey(struct follower *follower, unsigned state);
/* The engine's thread: it has taken an outcome. */
void follower_judged(struct follower *follower);
/* The engine's thread, at any message; `now` is its ts_local. True: the database can't follow, for the thread has given
 * no sign of life since the time limit of a call and a second, or records were lost. Then, unless the breaker is open, it
 * tells the engine of one failure in each database.call_timeout. */
bool follower_is_cut_off(struct follower *follower, int64_t now);
/* The engine's thread: messages that passed the sink from the session's start on. */
struct spool_counts follower_counts(const struct follower *follower);
/* From any thread. */
struct follower_health follower_health(const struct follower *follower);

/* The shutdown's step: write all that is there and close the file; `done` is called once from the thread. */
void follower_flush(struct follower *follower, void (*done)(void *context, bool failed),
                    void *context);
/* The engine's thread, behind the last message: the thread writes what came since and the session's last word (`last`),
 * in `limit_ns`, says so where the database is behind, and ends. Returns at once. */
void follower_end(struct follower *follower, const struct store_provenance *last, int64_t limit_ns);
/* Wait for that end, a second beyond its limit, and free. A thread that hangs in the system is left to itself: then
 * *follower stays, and what it was given; it can be asked again, and is not waited for then. NULL is allowed. */
void follower_close(struct follower **follower);

#endif
