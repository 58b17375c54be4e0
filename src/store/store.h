/* The run database: a projection of one run to SQLite that can be thrown away and made again from the
 * tape. Its tables and views are described in docs/store.md. */
#ifndef CAPSTAN_STORE_STORE_H
#define CAPSTAN_STORE_STORE_H

#include "store/spool.h"
#include "tape/tape.h"

enum { STORE_VERSION = 4, STORE_HASH_TEXT_MAX = 33 };

/* Where the figures come from: stands in the table `run`. Text may be empty, not NULL. */
struct store_provenance {
    const char *tape_name; /* its path as given */
    char tape_identity[STORE_HASH_TEXT_MAX];
    const struct tape_header *header; /* names, definitions, grade */
    enum tape_grade run_grade;        /* the tape's, or a worse one that the run gave */
    const char *run_grade_reasons;    /* the tape's, and then the run's; one a line */
    const char *tool_version, *build_id;
    const char *config; /* effective configuration */
    uint64_t config_hash;
    int64_t seed;
    char fingerprint[STORE_HASH_TEXT_MAX];
    const struct engine_counters *counters;
    uint64_t events;              /* from the engine's start on */
    struct spool_counts messages; /* likewise */
};

/* SQLite's application_id of a run database: 'CPST'. */
#define STORE_APPLICATION_ID 1129337940

/* Write a new database with everything in the spool. It is made under another name and takes its own
 * when it is whole; a file of that name is replaced. ERROR_SYSTEM with SQLite's words otherwise. */
int store_write(const char *path, struct spool *spool, const struct store_provenance *provenance,
                struct error *error);

#endif
