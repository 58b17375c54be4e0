/* What replay and project share: a spool beside a run, and the run database made of it. */
#ifndef CAPSTAN_CMD_RUN_DATABASE_H
#define CAPSTAN_CMD_RUN_DATABASE_H

#include "loop.h"
#include "run/fingerprint.h"
#include "run/grade.h"
#include "run/run_engine.h"
#include "store/spool.h"
#include "tape/tape.h"

/* A spool for the run of `engine`; add its sink to the loop, close it with spool_close. */
int run_database_open(struct spool **spool, const struct run_engine *engine, struct error *error);
/* Write `path` from what the run over the tape at `tape_path` left in the spool. `grade` is the run's;
 * NULL where it found nothing besides what the tape tells. */
int run_database_write(const char *path, const char *tape_path, struct spool *spool,
                       const struct tape_header *header, const struct run_engine *engine,
                       const struct loop *loop, const struct fingerprint *fingerprint,
                       const struct run_grade *grade, struct error *error);

#endif
