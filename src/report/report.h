/* The report of one run or of two beside each other: a page that needs nothing else, or CSV files. */
#ifndef CAPSTAN_REPORT_REPORT_H
#define CAPSTAN_REPORT_REPORT_H

#include "report/run.h"

enum { REPORT_RUNS_MAX = 2 };

/* Write the page to `path`. It is made under another name and takes its own when it is whole; a file of that
 * name is replaced, a device written to. ERROR_SYSTEM where that fails. */
int report_write_page(const char *path, const struct run *runs, unsigned count,
                      struct error *error);
/* Write each table, and each point of the charts, to a file of its own in a folder, which is made where it is
 * missing; files of those names are replaced (docs/report.md). */
int report_write_csv(const char *folder, const struct run *runs, unsigned count,
                     struct error *error);

#endif
