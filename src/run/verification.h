/* Verifies a session's tape: the engine is told again what it was told then, and must decide again
 * what it decided then. What `capstan verify` and the scenario harness share. */
#ifndef CAPSTAN_RUN_VERIFICATION_H
#define CAPSTAN_RUN_VERIFICATION_H

#include "run/comparison.h"

/* What was compared until the end or the first difference. */
struct verification_result {
    uint64_t decisions, state_hashes; /* found equal */
    struct difference difference;     /* found: only after ERROR_DIFFERENT */
};

/* Run the engine with the configuration that stands on the tape at `path` over its market and session
 * messages. 0: identical. ERROR_DIFFERENT: `result` has the first difference. ERROR_INPUT also where
 * the tape has no decisions to compare with. */
int verification_run(const char *path, struct verification_result *result, struct error *error);

#endif
