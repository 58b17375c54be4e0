/* Mids at and after our fills: what each instrument's book said by the venue's clock, kept for a while, and
 * the fills that wait to be told it (trading-semantics 33, markout). */
#ifndef CAPSTAN_STORE_MIDS_H
#define CAPSTAN_STORE_MIDS_H

#include "engine/book.h"
#include "store/spool.h"

struct mids;

/* Takes one mid; a return other than 0 ends the run with that error. */
typedef int mids_take(void *context, const struct spool_mid *mid, struct error *error);

int mids_open(struct mids **mids, unsigned instrument_count, struct error *error);
void mids_close(struct mids **mids);
/* The book of an instrument as it stands from `at_ns` on (the venue's time where it is known). A book without
 * a mid (not synchronised, a side empty) is noted too. ERROR_SYSTEM where memory ran out. */
int mids_note(struct mids *mids, unsigned instrument, int64_t at_ns, const struct book *book,
              struct error *error);
/* A fill at `at_ns` of the venue's clock wants its mid at each horizon. */
int mids_want(struct mids *mids, unsigned instrument, uint64_t fill, int64_t at_ns,
              struct error *error);
/* When mids_settle has something to do, ns of the local clock; TIME_NEVER for never. */
int64_t mids_deadline(const struct mids *mids);
/* Give what is due: a second after its time, when whatever the venue said until then has arrived. A fill whose
 * mid is not known (none stood, or so much happened since that it was forgotten) is left out. */
int mids_settle(struct mids *mids, int64_t now, mids_take *take, void *context,
                struct error *error);
/* At the end of the run, whose last message came at `last_ns`: what was due by then; the rest is left out. */
int mids_finish(struct mids *mids, int64_t last_ns, mids_take *take, void *context,
                struct error *error);

#endif
