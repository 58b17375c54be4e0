/* Provenance and projection of a run. */
#include "config.h"

#include "cmd/run_database.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/build_id.h"
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
                       const struct run_grade *grade, struct error *error)
{
    char build_id[BUILD_ID_TEXT_MAX];
    char *memory[RUN_GRADE_REASONS_MAX] = {NULL};
    struct tape_check check;
    struct tape_header graded = *header;
    build_id_text(build_id);
    int code = tape_check(tape_path, &check, error);
    /* A tape that was never finished ran to its last whole block, and its identity is of these. */
    if (code == ERROR_INPUT && !check.finished && check.blocks > 0) {
        code = ERROR_NONE;
        error->code = ERROR_NONE;
    }
    for (unsigned i = 0; !code && grade && i < grade->count; i++)
        code = tape_header_lower_grade(&graded, grade->grade, grade->reasons[i], &memory[i], error);
    if (code)
        return code;
    struct store_provenance provenance = {.tape_name = tape_path,
                                          .header = header,
                                          .run_grade = graded.grade,
                                          .run_grade_reasons = graded.grade_reasons,
                                          .tool_version = PACKAGE_VERSION,
                                          .build_id = build_id,
                                          .config = engine->config_text,
                                          .config_hash = engine->config_hash,
                                          .seed = engine->resolved.global.seed,
                                          .counters = engine_counters(engine->engine),
                                          .events = loop->events - loop->events_before_start,
                                          .messages = loop->messages - loop->messages_before_start};
    for (size_t i = 0; i < TAPE_IDENTITY_BYTES; i++)
        snprintf(provenance.tape_identity + 2 * i, 3, "%02x", check.identity[i]);
    fingerprint_text(fingerprint, provenance.fingerprint);
    code = store_write(path, spool, &provenance, error);
    for (unsigned i = 0; i < RUN_GRADE_REASONS_MAX; i++)
        free(memory[i]);
    return code;
}
