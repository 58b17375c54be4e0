/* A scenario as a tape: what happens in it, in order, and a last tick at its end. */
#ifndef CAPSTAN_REPLAY_SCENARIO_TAPE_H
#define CAPSTAN_REPLAY_SCENARIO_TAPE_H

#include "config/config.h"
#include "replay/scenario.h"

/* Write the scenario's events to `path`. */
int scenario_write_tape(const struct scenario *scenario, const char *path, struct error *error);
/* The configuration: defaults, a rich account at every venue, then the scenario's own lines; `restarted`: and
 * then those that a restart brings. */
int scenario_configure(const struct scenario *scenario, const char *defaults, bool restarted,
                       struct config **config, struct error *error);

#endif
