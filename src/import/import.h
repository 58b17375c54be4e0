/* Captures of raw Binance frames onto one tape: two passes over the files (scan.h, merge.h), then
 * one over the tape itself, to put the grade that is known only at the end into its first block. */
#ifndef CAPSTAN_IMPORT_IMPORT_H
#define CAPSTAN_IMPORT_IMPORT_H

#include "import/report.h"

#define IMPORT_FLOOR_NS_DEFAULT INT64_C(1000000)

enum { IMPORT_FILES_MAX = 4096 };

struct import_options {
    const char *const *files;
    size_t file_count;
    const char *output;      /* the tape; while it is made, OUTPUT.part stands beside it */
    const char *instruments; /* YAML; NULL: the one built in */
    int64_t floor_ns;        /* least possible delay from venue to receiver */
    const char *tool_version, *build_id; /* for the tape's first block */
    /* Called now and then; may be NULL. `total` is in bytes of the files, read twice. */
    void (*progress)(void *context, uint64_t messages, uint64_t done, uint64_t total);
    void *progress_context;
};

/* Import. On success `report` is filled and the caller's to free; on failure nothing is left, neither
 * in memory nor on disk. ERROR_INPUT names file and line, or what to add to the instruments. */
int import_binance(const struct import_options *options, struct import_report *report,
                   struct error *error);

#endif
