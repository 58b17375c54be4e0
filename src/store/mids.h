/* Mids at and after our fills: what each instrument's book said by the venue's clock, kept for a while, and
 * the fills that wait to be told it (trading-semantics 33, markout). Nothing allocates after opening. */
#ifndef CAPSTAN_STORE_MIDS_H
#define CAPSTAN_STORE_MIDS_H

#include "engine/book.h"
#include "store/spool.h"

struct mids;

/* Takes one mid; a return other than 0 ends the run with that error. */
typedef int mids_take(void *context, const struct spool_mid *mid, struct error *error);

/* ERROR_SYSTEM: no memory. */
int mids_open(struct mids **mids, unsigned instrument_count, struct error *error);
void mids_close(struct mids **mids);
/* The book of an instrument as it stands from `at_ns` on (the venue's time where it is known). A book without
 * a mid (not synchronised, a side empty) is noted too. */
void mids_note(struct mids *mids, unsigned instrument, int64_t at_ns, const struct book *book);
/* A fill at `at_ns` of the venue's clock wants its mid at each horizon. Where too many wait it gets none. */
void mids_want(struct mids *mids, const struct event_order_filled *fill, int64_t at_ns);
/* When mids_settle has something to do, ns of the local clock; TIME_NEVER for never. */
int64_t mids_deadline(const struct mids *mids);
/* Give what is due: a second after its time, when whatever the venue said until then has arrived. A fill whose
 * mid is not known (none stood, or so much happened since that it was forgotten) is left out. */
int mids_settle(struct mids *mids, int64_t now, mids_take *take, void *context,
                struct error *error);
/* At the end of a session, whose last message came at `last_ns`: what was due by then; the rest is left out. The
 * next session begins with nothing known. */
int mids_finish(struct mids *mids, int64_t last_ns, mids_take *take, void *context,
                struct error *error);

#endif
