/* How far a run's result can be trusted: the grade of its tape, and what the run found besides. */
#ifndef CAPSTAN_RUN_GRADE_H
#define CAPSTAN_RUN_GRADE_H

#include "run/backtest.h"
#include "run/market_faults.h"

/* The tape's own reasons are not copied: they stand in the header that its reader gives, that it was
 * never finished among them. What one of them tells already is not told again. */
struct run_grade {
    uint8_t grade; /* enum tape_grade: the tape's, or a worse one */
    char *
        reasons; /* what the run added, a line each: letter, matter, cause; NULL: nothing. run_grade_free() */
};

/* After the run: faults of its market data, and messages later than sim.reorder, which make it C at best (their time at the
 * simulated venue is a guess; trading-semantics 1). ERROR_SYSTEM without memory. */
int run_grade(const struct backtest *backtest, struct run_grade *out, struct error *error);
/* The same of what was told outside of a backtest. `told`: reasons that stand already, the header's among them. */
int run_grade_of_market(struct market_faults *market, const struct tape_header *header,
                        const char *told, struct run_grade *out, struct error *error);
void run_grade_free(struct run_grade *grade);

#endif
