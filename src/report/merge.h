/* Tables of two runs laid beside each other: rows with the same keys belong together. */
#ifndef CAPSTAN_REPORT_MERGE_H
#define CAPSTAN_REPORT_MERGE_H

#include "report/table.h"

/* A row of both, by its place in each; MERGE_NONE where that run has none. */
struct merge_row {
    size_t row[2];
};
#define MERGE_NONE SIZE_MAX

/* The rows of A in their order, then those that only B has. `*rows` is the caller's to free. ERROR_SYSTEM where
 * memory ran out. */
int merge_tables(const struct table *a, const struct table *b, struct merge_row **rows,
                 size_t *count, struct error *error);

/* b - a as exact decimals; false where one of them is none. */
bool merge_difference(const char *a, const char *b, char text[MONEY_TEXT_MAX]);

#endif
