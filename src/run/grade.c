/* Grades a run: see run/grade.h. */
#include "run/grade.h"

#include <inttypes.h>
#include <stdlib.h>

#include "venue/sim/sim.h"

static int finish(const struct tape_header *header, const struct tape_reasons *reasons,
                  struct run_grade *out, struct error *error)
{
    out->grade = header->grade > reasons->grade ? header->grade : reasons->grade;
    out->reasons = reasons->text;
    if (!reasons->failed)
        return 0;
    run_grade_free(out);
    return error_set(error, ERROR_SYSTEM, "no memory for the reasons of a grade");
}

int run_grade(const struct backtest *backtest, struct run_grade *out, struct error *error)
{
    const struct feed *feed = backtest->feed;
    const uint64_t late = sim_stats(backtest->venue)->late_messages;
    struct tape_reasons reasons = {.told = backtest->header->grade_reasons, .grade = TAPE_GRADE_A};
    market_faults_reasons(backtest->faults, feed->clock_jumps, feed->clock_jump_farthest, &reasons);
    if (late > 0)
        tape_reasons_add(&reasons, TAPE_GRADE_C, "times", "sim.reorder",
                         "%" PRIu64
                         " messages came later than sim.reorder, so their venue time is a guess",
                         late);
    return finish(backtest->header, &reasons, out, error);
}

int run_grade_of_market(struct market_faults *market, const struct tape_header *header,
                        const char *told, struct run_grade *out, struct error *error)
{
    struct tape_reasons reasons = {.told = told, .grade = TAPE_GRADE_A};
    market_faults_reasons(market, 0, 0, &reasons);
    return finish(header, &reasons, out, error);
}

void run_grade_free(struct run_grade *grade)
{
    free(grade->reasons);
    grade->reasons = NULL;
}
