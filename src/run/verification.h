/* Verifies a session's tape: the engine is told again what it was told then, and must decide again
 * what it decided then. What `capstan verify` and the scenario harness share. */
#ifndef CAPSTAN_RUN_VERIFICATION_H
#define CAPSTAN_RUN_VERIFICATION_H

#include "config/config.h"
#include "run/comparison.h"
#include "run/run_engine.h"

/* What was compared until the end or the first difference. */
struct verification_result {
    uint64_t decisions, state_hashes; /* found equal */
    struct difference difference;     /* found: only after ERROR_DIFFERENT */
};

/* One verification, wired. Sinks may be added to `loop` before it runs. */
struct verification {
    struct tape_reader *reader;
    struct config *config;
    struct run_engine engine;
    struct feed *feed;
    struct venue venue;
    struct comparison *comparison;
    struct loop loop;
};

/* The engine with the configuration that stands on the tape at `path`, ready to be told its market and
 * session messages. ERROR_INPUT also where the tape has no decisions to compare with. Zero it before,
 * close it after, also on failure. */
int verification_open(struct verification *verification, const char *path, struct error *error);
/* 0: identical. ERROR_DIFFERENT: `result` has the first difference. */
int verification_execute(struct verification *verification, struct verification_result *result,
                         struct error *error);
void verification_close(struct verification *verification);

/* All three in one. */
int verification_run(const char *path, struct verification_result *result, struct error *error);

#endif
