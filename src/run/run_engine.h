/* An engine for the names of a tape and a configuration, in memory of its own. */
#ifndef CAPSTAN_RUN_RUN_ENGINE_H
#define CAPSTAN_RUN_RUN_ENGINE_H

#include "config/config.h"
#include "engine/engine.h"
#include "tape/tape.h"

struct run_engine {
    struct config_resolved resolved;
    struct engine_account account;
    struct engine_config config;
    struct engine *engine;
    uint64_t config_hash; /* XXH3-64 of the effective configuration's canonical text */
    char *config_text;    /* that text */
    void *memory;
    uint32_t gates_off; /* set before opening; tests only: gates that never block, by enum gate */
};

/* Resolve `config` for `names` and lay the engine out. What the configuration says of venues or
 * instruments that the tape does not have is an error unless `allow_unknown`. Close it even after a
 * failure; zero it before. */
int run_engine_open(struct run_engine *run, const struct config *config,
                    const struct event_names *names, bool allow_unknown, bool audit_each_message,
                    struct error *error);
/* The same with the configuration on the tape at `path`, whose header it is, and for its names. */
int run_engine_open_told(struct run_engine *run, const char *path, const struct tape_header *header,
                         struct error *error);
/* The engine begins anew, as it was when it was opened. */
void run_engine_renew(struct run_engine *run);
void run_engine_close(struct run_engine *run);

#endif
