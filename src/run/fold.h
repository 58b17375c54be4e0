/* Folds a session's tape into the carry: what every session on it, and on those that it follows, left to the next. */
#ifndef CAPSTAN_RUN_FOLD_H
#define CAPSTAN_RUN_FOLD_H

#include "run/rotation.h"
#include "run/run_engine.h"
#include "tape/tape.h"

/* What the sessions on a tape come to. */
struct fold {
    uint64_t messages;               /* of the tape, as far as it was read */
    uint64_t folded;                 /* session and decision records that the engine was given */
    uint64_t starts;                 /* sessions, all on the tapes before counted as one; 0: none */
    uint64_t epoch;                  /* highest of them: the next start's is one more; 0: none */
    int64_t first_start, last_start; /* ts_local of the first and the last start; INT64_MIN */
    int64_t last_ts;                 /* ts_local of the last message; INT64_MIN: there is none */
};

/* Give every session and decision record among the first `messages` of the tape (UINT64_MAX: all) to engine_fold(), in
 * order; before them what the tape begins with, see fold_begin(). The engine is fresh, and of the tape's names and
 * configuration. */
int fold_tape(const char *path, uint64_t messages, struct run_engine *run, struct fold *fold,
              struct error *error);

/* ERROR_INPUT where a session began on the tape at `path`, or left a carry there: for who has no engine. Market data behind
 * its end would be another session's to whoever verifies it, and cut its chain, whose next session would begin flat. */
int fold_refuse_session(const char *path, struct error *error);

/* What the tape at `path` begins with, into a fresh engine: nothing, or the carry, or where this build does not read it
 * (another wrote it) what it stands for: a fold of the tapes before, which must lie beside it. ERROR_INPUT where neither
 * can be. */
int fold_begin(const struct rotation_carry *carry, const char *path, struct run_engine *run,
               struct error *error);

/* A gap by which recovery tells of a loss (docs/tape-format.md): it is of no instrument, and no session goes on behind
 * it. */
bool fold_tells_loss(const struct message *message);

#endif
