/* The run database of a live session: rows are added in many transactions, each of which also notes how far it came
 * (table `progress`), so that what a call wrote is there once, whatever ended it. One thread. */
#ifndef CAPSTAN_STORE_LIVE_DATABASE_H
#define CAPSTAN_STORE_LIVE_DATABASE_H

#include <sys/types.h>

#include "clock/clock.h"
#include "store/record_file.h"
#include "store/rows.h"

/* The session, and the sessions that the tape has already. */
struct live_database_session {
    uint64_t epoch;
    int64_t start;                   /* ts_local of its start */
    uint64_t epoch_before;           /* of the last one before it; 0: it is the first */
    int64_t first_start, last_start; /* of the tape's first session, of the one before */
};

struct live_database_options {
    const char *path;
    const struct store_provenance *provenance; /* while the session goes on */
    const struct clock *clock;
    int64_t call_timeout_ns;
    /* Give the records of the sessions before to `file`; called once, where the database does not hold them. */
    int (*history)(void *context, struct record_file *file, struct error *error);
    void *context;
};

struct live_database {
    struct live_database_options options;
    struct live_database_session session;
    struct store store;
    dev_t device; /* of the file that is open */
    ino_t inode;
    bool in_history; /* what comes next are records of the sessions before */
    bool closed;     /* the session's last word stands in it */
    uint64_t applied;
    struct record_file history;
    bool history_made;
    int64_t deadline; /* of the call that runs, by the clock */
    uint64_t remade;  /* times that it was made anew because it was another's or behind */
};

/* The grade of the sessions that a database holds whole. */
struct live_database_grade {
    uint8_t grade; /* enum tape_grade */
    char *reasons; /* the tape's among them; free() it. NULL: none is known */
};

/* What stands at the path, before a session: ERROR_INPUT where that is a file of something else, or the database of
 * another tape. A path that can't be read now is no error: that is for the calls to find. */
int live_database_look(const char *path, int64_t first_start, struct live_database_grade *grade,
                       struct error *error);

/* Whether a session's database at the path lacks its last word: it goes on, or died, also before its first. False where
 * nothing can be told. */
bool live_database_is_unfinished(const char *path);

void live_database_init(struct live_database *database, const struct live_database_options *options,
                        const struct live_database_session *session);
/* One call: open it where it is not, and write what of the session's records is not in it, as far as the time goes;
 * at least a mark where there is nothing. Three attempts within the time limit. ERROR_SYSTEM: it failed, and wrote
 * nothing or all of a transaction. */
int live_database_call(struct live_database *database, struct record_file *records,
                       struct error *error);
/* Records that are not in it yet; those of before are not counted until they are known. */
uint64_t live_database_behind(const struct live_database *database,
                              const struct record_file *records);
/* The session's last word: the run's row, with its counters. Everything was written before. */
int live_database_finish(struct live_database *database, const struct store_provenance *provenance,
                         int64_t last_ns, struct error *error);
/* Close the file, if it is open; the next call opens it again. */
void live_database_shut(struct live_database *database);
void live_database_close(struct live_database *database);

#endif
