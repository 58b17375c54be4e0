/* Grades a run: see run/grade.h. */
#include "run/grade.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "venue/sim/sim.h"

/* Room for one more reason, with a grade that is no better than `grade`. */
static char *add(struct run_grade *out, enum tape_grade grade)
{
    ASSERT(out->count < RUN_GRADE_REASONS_MAX);
    if (out->grade < grade)
        out->grade = (uint8_t)grade;
    return out->reasons[out->count++];
}

void run_grade(const struct backtest *backtest, struct run_grade *out)
{
    const uint64_t late = sim_stats(backtest->venue)->late_messages;
    *out = (struct run_grade){.grade = backtest->header->grade};
    if (late > 0)
        snprintf(add(out, TAPE_GRADE_C), sizeof out->reasons[0],
                 "C: times: %" PRIu64
                 " messages came later than sim.reorder, so their venue time is a guess",
                 late);
}
