/* Shrinks a failing seed: of what the engine was told, and of the settings, whatever the failure does not
 * need is left out, larger parts first (ddmin; Zeller and Hildebrandt 2002). */
#include "simulate/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"

/* Messages that all trials together may tell the engine: half a minute at most. To begin a trial costs as
 * much as some hundred of them. */
enum { SETUP = 400 };
#define TOLD_MAX UINT64_C(6000000)

struct shrinking {
    struct simulation *simulation;
    const struct simulate_failure *failure;
    int64_t end;
    uint64_t told;
};

/* Whether what is left still fails in the same way. */
static bool fails(struct shrinking *shrinking)
{
    struct run_outcome outcome;
    struct error error = {0};
    const struct run_plan plan = {.again = true, .honest = true, .end = shrinking->end};
    int code = run_once(shrinking->simulation, &plan, &outcome, &error);
    shrinking->told += outcome.failure.messages + SETUP;
    return code == 0 && outcome.failure.invariant == shrinking->failure->invariant &&
           strcmp(outcome.failure.what, shrinking->failure->what) == 0;
}

/* Leave out [from, to) of those that are in; true where it still fails. */
static bool leave_out(struct shrinking *shrinking, size_t *in, size_t from, size_t to)
{
    struct input *items = shrinking->simulation->inputs.items;
    for (size_t i = from; i < to; i++)
        items[in[i]].left_out = true;
    if (shrinking->told < TOLD_MAX && fails(shrinking))
        return true;
    for (size_t i = from; i < to; i++)
        items[in[i]].left_out = false;
    return false;
}

/* The messages that are in, those without an honest place left out for good. */
static size_t list_in(struct inputs *inputs, size_t *in)
{
    size_t count = 0;
    for (size_t i = 0; i < inputs->count; i++) {
        inputs->items[i].left_out |= inputs->items[i].undue;
        if (!inputs->items[i].left_out)
            in[count++] = i;
    }
    return count;
}

/* One pass with chunks of a size; true where something went. */
static bool pass(struct shrinking *shrinking, size_t *in, size_t chunk)
{
    bool any = false;
    size_t count = list_in(&shrinking->simulation->inputs, in);
    for (size_t end = count; end > 0;) {
        size_t from = end > chunk ? end - chunk : 0;
        any |= leave_out(shrinking, in, from, end);
        end = from;
    }
    /* The last trial may have marked answers that another set made undue. */
    fails(shrinking);
    return any;
}

static void shrink_messages(struct shrinking *shrinking, size_t *in)
{
    size_t chunk = shrinking->simulation->inputs.count / 2;
    while (chunk > 0)
        if (!pass(shrinking, in, chunk) || chunk > 1)
            chunk /= 2;
    fails(shrinking);
    list_in(&shrinking->simulation->inputs, in);
}

static void shrink_settings(struct shrinking *shrinking)
{
    struct course *course = &shrinking->simulation->course;
    for (size_t i = 0; i < course->setting_count; i++) {
        char kept = course->settings[i][0];
        course->settings[i][0] = '\0';
        if (shrinking->told >= TOLD_MAX || !fails(shrinking))
            course->settings[i][0] = kept;
    }
}

int simulate_shrink(struct simulation *simulation, uint64_t seed, const char *path,
                    const struct simulate_failure *failure, size_t *messages_left,
                    struct error *error)
{
    struct run_outcome outcome;
    const struct run_plan plan = {.keep = true, .end = TIME_NEVER};
    struct shrinking shrinking = {.simulation = simulation, .failure = failure, .end = failure->ts};
    course_draw(&simulation->course, seed, simulation->options.events);
    int code = run_once(simulation, &plan, &outcome, error);
    if (code)
        return code;
    size_t *in = malloc((simulation->inputs.count + 1) * sizeof *in);
    if (!in)
        return error_set(error, ERROR_SYSTEM, "no memory to shrink with");
    if (failure->by_messages && fails(&shrinking)) {
        shrink_messages(&shrinking, in);
        shrink_settings(&shrinking);
        shrink_messages(&shrinking, in);
    }
    free(in);
    return scenario_write(simulation, seed, path, failure, messages_left, error);
}
