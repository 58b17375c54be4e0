/* The tape's first block of an import: names, definitions, provenance. */
#ifndef CAPSTAN_IMPORT_HEADER_H
#define CAPSTAN_IMPORT_HEADER_H

#include "import/import.h"
#include "import/scan.h"

struct import_header;

/* Make the header of a scanned set of files and the report's list of instruments. ERROR_INPUT names
 * the instrument without terms and what to add. */
int import_header_make(struct import_header **header, const struct scan *scan,
                       const struct instrument_table *table, const struct import_options *options,
                       struct import_report *report, struct error *error);
void import_header_free(struct import_header **header);
/* As the tape writer wants it; grade and reasons are the caller's to set. */
struct tape_header *import_header_tape(struct import_header *header);

#endif
