/* How far a run's result can be trusted: the grade of its tape, and what the run found besides. */
#ifndef CAPSTAN_RUN_GRADE_H
#define CAPSTAN_RUN_GRADE_H

#include "run/backtest.h"

enum { RUN_GRADE_REASONS_MAX = 1 };

/* The tape's own reasons are not copied: they stand in the header that its reader gives, that it was
 * never finished among them. */
struct run_grade {
    uint8_t grade; /* enum tape_grade: the tape's, or a worse one */
    unsigned count;
    /* What the run added, a line each: letter, matter, cause. */
    char reasons[RUN_GRADE_REASONS_MAX][120];
};

/* After the run. Messages later than sim.reorder make it C at best (their time at the simulated venue
 * is a guess; trading-semantics 1). */
void run_grade(const struct backtest *backtest, struct run_grade *out);

#endif
