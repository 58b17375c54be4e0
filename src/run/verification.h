/* Verifies a session's tape: the engine is told again what it was told then, and must decide again
 * what it decided then. What `capstan verify` and the scenario harness share. */
#ifndef CAPSTAN_RUN_VERIFICATION_H
#define CAPSTAN_RUN_VERIFICATION_H

#include "run/comparison.h"
#include "run/rotation.h"
#include "run/run_engine.h"

/* What was compared until the end or the first difference. */
struct verification_result {
    uint64_t decisions, state_hashes; /* found equal */
    uint64_t sessions;                /* starts on the tape */
    uint64_t cut_sessions;            /* of them: without their end, for the process was killed */
    struct difference difference;     /* found: only after ERROR_DIFFERENT */
};

/* The sink by which the engine becomes what a restart made of it: a fresh one that folded the tape,
 * and at its first start what the tape begins with. */
struct restarter {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct verification *verification;
    const char *path;
    bool started;
    struct rotation_carry carry; /* of the tape's beginning */
};

/* What a sink is told that listens to what the tape has. */
struct told {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct sink *to;
    const struct comparison *comparison;
};

/* One verification, wired. Sinks may be added to `loop` before it runs. */
struct verification {
    struct tape_reader *reader;
    struct run_engine engine;
    struct feed *feed;
    struct venue venue;
    struct comparison *comparison;
    struct restarter restarter;
    struct told told;
    struct loop loop;
};

/* The engine with the configuration that stands on the tape at `path`, ready to be told its market and
 * session messages. `path` must outlive it. ERROR_INPUT also where the tape has no decisions to compare with. Zero it before,
 * close it after, also on failure. */
int verification_open(struct verification *verification, const char *path, struct error *error);
/* A sink that is told of a message before all others, so that at a start it still finds the engine of the session
 * before. Between open and execute. */
void verification_add_first(struct verification *verification, struct sink *sink);
/* A sink behind all others: at a start the engine has been given what it starts from. Between open and execute. */
void verification_add_last(struct verification *verification, struct sink *sink);
/* A sink that is told of messages, steps and the decisions that stand on the tape: what a killed session decided and its tape has
 * not was never sent, and is left out. One at most, between open and execute. */
void verification_add_told(struct verification *verification, struct sink *sink);
/* 0: identical. ERROR_DIFFERENT: `result` has the first difference. */
int verification_execute(struct verification *verification, struct verification_result *result,
                         struct error *error);
void verification_close(struct verification *verification);

/* All three in one. */
int verification_run(const char *path, struct verification_result *result, struct error *error);

#endif
