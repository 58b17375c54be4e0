/* A restart with other settings: the engine that takes over folds the session before it, and starts. */
#ifndef CAPSTAN_REPLAY_SUCCESSOR_H
#define CAPSTAN_REPLAY_SUCCESSOR_H

#include "replay/scenario.h"
#include "run/run_engine.h"

/* Zeroed at first, and as it is where a scenario has no such restart. */
struct successor {
    struct run_engine run;
    struct config *config;
    uint64_t epoch; /* of its start; 0: there is none */
    bool lives;     /* it has taken over */
};

/* Lay it out with the settings that it will have, before the run. `defaults` as in scenario_options;
 * `gates_off` are those of the run. Close it even after a failure. */
int successor_open(struct successor *successor, const struct scenario *scenario,
                   const char *defaults, uint32_t gates_off, struct error *error);
void successor_close(struct successor *successor);
/* Every message and decision of the session before it, in the order of its tape. */
void successor_fold(struct successor *successor, const struct message *message);
/* The message is the start at which it takes over. */
bool successor_begins(const struct successor *successor, const struct message *message);

#endif
