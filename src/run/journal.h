/* The journal of a run: the canonical text of every decision and every own-order message, a line
 * each, in order. */
#ifndef CAPSTAN_RUN_JOURNAL_H
#define CAPSTAN_RUN_JOURNAL_H

#include "loop.h"

struct journal;

/* Make or replace the file at `path`. `names` must outlive the journal. */
int journal_open(struct journal **journal, const char *path, const struct event_names *names,
                 struct error *error);
struct sink *journal_sink(struct journal *journal);
/* Write what is left and close the file; ERROR_SYSTEM where not everything arrived. Frees the journal
 * either way; NULL is allowed. */
int journal_close(struct journal **journal, struct error *error);

#endif
