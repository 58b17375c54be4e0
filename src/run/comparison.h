/* Compares what an engine decides with what stands on a tape, decision by decision, and its state
 * with the state hashes of each block; stops at the first difference. */
#ifndef CAPSTAN_RUN_COMPARISON_H
#define CAPSTAN_RUN_COMPARISON_H

#include "loop.h"
#include "tape/tape.h"

enum { DIFFERENCE_NAME_MAX = 160, DIFFERENCE_TEXT_MAX = 4096 };

/* The first difference. */
struct difference {
    bool found;
    uint64_t message; /* its number on the tape, from 1 */
    int64_t ts_local;
    char room[DIFFERENCE_NAME_MAX];
    char field[DIFFERENCE_NAME_MAX];
    char expected[DIFFERENCE_TEXT_MAX]; /* canonical text of what the tape has, or "none" */
    char actual[DIFFERENCE_TEXT_MAX];   /* of what the engine decided, or "none" */
};

struct comparison;

/* Walks over the tape with a reader of its own. The engine must be the one that the loop steps; where another session
 * starts on the tape it is told to finish, as it was then, and it is the caller's to put the engine of the new
 * session in its place.
 *
 * A session that was recorded may have been killed: decisions of its last message, and those of its end, then need not
 * stand on the tape. Those that do must be the engine's. */
int comparison_open(struct comparison **comparison, const char *path, struct engine *engine,
                    struct error *error);
void comparison_close(struct comparison **comparison);
/* Its callbacks end the run with ERROR_DIFFERENT. */
struct sink *comparison_sink(struct comparison *comparison);
/* After the run: ERROR_DIFFERENT where the tape has decisions that were not made. */
int comparison_finish(struct comparison *comparison, struct error *error);
const struct difference *comparison_difference(const struct comparison *comparison);
/* How much was found equal so far. */
uint64_t comparison_decisions(const struct comparison *comparison);
uint64_t comparison_state_hashes(const struct comparison *comparison);
/* Messages of the tape that were passed so far. */
uint64_t comparison_passed(const struct comparison *comparison);
/* The session under way decided what its tape does not have: whatever it decided since then was never done. */
bool comparison_is_cut(const struct comparison *comparison);
/* Sessions on the tape so far, and how many of them were cut short by a death. */
uint64_t comparison_sessions(const struct comparison *comparison);
uint64_t comparison_cut_sessions(const struct comparison *comparison);

#endif
