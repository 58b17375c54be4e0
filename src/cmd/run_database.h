/* What replay and project share: a spool beside a run, and the run database made of it. */
#ifndef CAPSTAN_CMD_RUN_DATABASE_H
#define CAPSTAN_CMD_RUN_DATABASE_H

#include <pthread.h>

#include "loop.h"
#include "run/fingerprint.h"
#include "run/grade.h"
#include "run/run_engine.h"
#include "store/spool.h"
#include "tape/tape.h"

/* A run database that is to be. Zero it before. */
struct run_database {
    struct spool *spool;
    const char *tape_path;
    /* The tape's identity is taken on a thread of its own while the run goes on. */
    pthread_t thread;
    bool running;
    int check_code;
    struct tape_check check;
    struct error check_error;
};

/* For the run of `engine` over the tape at `tape_path`, which must stay; add the spool's sink to the
 * loop. */
int run_database_open(struct run_database *database, const char *tape_path,
                      const struct run_engine *engine, struct error *error);
/* Write `path` from what the run left in the spool. `grade` is the run's. */
int run_database_write(struct run_database *database, const char *path,
                       const struct tape_header *header, const struct run_engine *engine,
                       const struct loop *loop, struct fingerprint *fingerprint,
                       const struct run_grade *grade, struct error *error);
/* Also where it was never opened. */
void run_database_close(struct run_database *database);

#endif
