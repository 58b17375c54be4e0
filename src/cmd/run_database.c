/* Provenance and projection of a run. */
#include "config.h"

#include "cmd/run_database.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/build_id.h"
#include "store/store.h"

static void *check_tape(void *context)
{
    struct run_database *database = context;
    database->check_code =
        tape_check(database->tape_path, &database->check, &database->check_error);
    return NULL;
}

int run_database_open(struct run_database *database, const char *tape_path,
                      const struct run_engine *engine, struct error *error)
{
    database->tape_path = tape_path;
    int code = spool_open(&database->spool, engine->config.instrument_count,
                          engine->resolved.global.store_sample, error);
    if (code)
        return code;
    spool_set_engine(database->spool, engine->engine);
    if (pthread_create(&database->thread, NULL, check_tape, database) != 0)
        return error_set(error, ERROR_SYSTEM, "no thread for the tape's identity");
    database->running = true;
    return 0;
}

void run_database_close(struct run_database *database)
{
    if (database->running)
        pthread_join(database->thread, NULL);
    database->running = false;
    spool_close(&database->spool);
}

/* The check's result. A tape that was never finished ran to its last whole block, and its identity is of
 * these. */
static int finish_check(struct run_database *database, struct error *error)
{
    ASSERT(database->running);
    pthread_join(database->thread, NULL);
    database->running = false;
    if (database->check_code == ERROR_NONE ||
        (database->check_code == ERROR_INPUT && !database->check.finished &&
         database->check.blocks > 0))
        return 0;
    return error_set(error, database->check_error.code, "%s", database->check_error.text);
}

int run_database_write(struct run_database *database, const char *path,
                       const struct tape_header *header, const struct run_engine *engine,
                       const struct loop *loop, struct fingerprint *fingerprint,
                       const struct run_grade *grade, struct error *error)
{
    char build_id[BUILD_ID_TEXT_MAX];
    char *memory = NULL;
    struct tape_header graded = *header;
    build_id_text(build_id);
    int code = finish_check(database, error);
    if (!code && grade->reasons)
        code = tape_header_lower_grade(&graded, grade->grade, grade->reasons, &memory, error);
    if (code)
        return code;
    struct store_provenance provenance = {.tape_name = database->tape_path,
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
                                          .messages = spool_counts(database->spool)};
    for (size_t i = 0; i < TAPE_IDENTITY_BYTES; i++)
        snprintf(provenance.tape_identity + 2 * i, 3, "%02x", database->check.identity[i]);
    fingerprint_text(fingerprint, provenance.fingerprint);
    code = store_write(path, database->spool, &provenance, error);
    free(memory);
    return code;
}
