/* One run of a course, with its faults or from what an engine was told before. Between run.c, shrink.c
 * and write.c only. */
#ifndef CAPSTAN_SIMULATE_RUN_H
#define CAPSTAN_SIMULATE_RUN_H

#include "run/fingerprint.h"
#include "simulate/course.h"
#include "simulate/inputs.h"
#include "simulate/simulate.h"

struct simulation {
    struct simulate_options options;
    struct course course;
    struct inputs inputs;
};

/* How a run is made. */
struct run_plan {
    bool again;  /* from simulation->inputs instead of the course and its venue */
    bool honest; /* again: without answers about orders that this run does not send */
    bool keep;   /* keep what the engine is told in simulation->inputs */
    bool hash;   /* take the fingerprint */
    int64_t end; /* again: time of the last tick, TIME_NEVER for none */
};

struct run_outcome {
    struct simulate_failure failure;
    struct simulate_counts counts; /* of this run */
    char fingerprint[FINGERPRINT_TEXT_MAX];
};

/* 0 also where an invariant broke: outcome->failure says which. */
int run_once(struct simulation *simulation, const struct run_plan *plan,
             struct run_outcome *outcome, struct error *error);

/* The settings of the course as a configuration. */
struct config;
int run_config(const struct course *course, struct config **config, struct error *error);

/* Write what is left of simulation->inputs as a scenario; `left` gets how many messages that are. */
int scenario_write(const struct simulation *simulation, uint64_t seed, const char *path,
                   const struct simulate_failure *failure, size_t *left, struct error *error);

#endif
