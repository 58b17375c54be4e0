/* Provenance and projection of a run. */
#include "config.h"

#include "cmd/run_database.h"

#include <stdio.h>

#include "run/build_id.h"
#include "store/store.h"

int run_database_open(struct spool **spool, const struct run_engine *engine, struct error *error)
{
    int code = spool_open(spool, engine->config.instrument_count,
                          engine->resolved.global.store_sample, error);
    if (!code)
        spool_set_engine(*spool, engine->engine);
    return code;
}

int run_database_write(const char *path, const char *tape_path, struct spool *spool,
                       const struct tape_header *header, const struct run_engine *engine,
                       const struct loop *loop, const struct fingerprint *fingerprint,
                       struct error *error)
{
    char build_id[BUILD_ID_TEXT_MAX];
    struct tape_check check;
    build_id_text(build_id);
    int code = tape_check(tape_path, &check, error);
    if (code)
        return code;
    struct store_provenance provenance = {.tape_name = tape_path,
                                          .header = header,
                                          .tool_version = PACKAGE_VERSION,
                                          .build_id = build_id,
                                          .config = engine->config_text,
                                          .config_hash = engine->config_hash,
                                          .seed = engine->resolved.global.seed,
                                          .counters = engine_counters(engine->engine),
                                          .events = loop->events};
    for (size_t i = 0; i < TAPE_IDENTITY_BYTES; i++)
        snprintf(provenance.tape_identity + 2 * i, 3, "%02x", check.identity[i]);
    fingerprint_text(fingerprint, provenance.fingerprint);
    return store_write(path, spool, &provenance, error);
}
