/* Two tapes of a session under different settings: what differs, and the carry of one for the other. */
#ifndef CAPSTAN_RUN_SETTINGS_CHANGE_H
#define CAPSTAN_RUN_SETTINGS_CHANGE_H

#include "config/config.h"
#include "engine/engine.h"
#include "run/run_engine.h"
#include "tape/tape.h"

/* Tell each setting in which the configurations of two tapes differ, as they come to today: settings that came later have
 * their defaults, as `verify` takes it. `path` stands in errors. */
int settings_compare(const char *path, const char *before, const char *after, config_told *told,
                     void *context, struct error *error);

/* Where the venues, assets and instruments of one tape stand among those of another. An instrument whose units, contract
 * or assets became others stands nowhere. */
void settings_heirs(const struct event_names *before, const struct event_names *after,
                    struct engine_heirs *heirs);
/* The definitions of `after`, but of instruments that go on with the exponent of base commissions that they had, by
 * which positions are counted. `out` has room for all of `after`. */
void settings_definitions(const struct event_names *before, const struct event_names *after,
                          const struct engine_heirs *heirs, struct event_definition *out);

/* Whether a tape with header `after`, behind one with `before`, is under other settings: its configuration as it comes to today, its
 * names, or their units. `path` of the first stands in errors. */
int settings_differ(const char *path, const struct tape_header *before,
                    const struct tape_header *after, bool *differ, struct error *error);

/* Give what was folded of tapes with the names `before` to an engine that is fresh, of the names `after`. ERROR_INPUT tells what is in the way and what
 * to do. */
int settings_inherit(const struct run_engine *from, const struct event_names *before,
                     struct run_engine *run, const struct event_names *after, struct error *error);

#endif
