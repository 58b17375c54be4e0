/* Mids before and after our fills: the engine's mids by the venue's clock, kept for a while, and the fills that
 * wait to be told them (trading-semantics 3 and 33). Nothing allocates after opening.
 *
 * A mid is the middle of the engine's top view, by which it quotes: depth of spot is up to 100 ms behind it. While
 * the view is locked or crossed the last mid stands, as it does for the breakers. The spread that a fill captured is
 * measured from the mid just before it: its own trade moves the best prices, and must not measure itself. At one
 * venue time trades come before the book, so that is the mid of what bears an earlier time; what takes comes behind
 * the book of its time (rule 1), so for a fill that took, that counts too. */
#ifndef CAPSTAN_STORE_MIDS_H
#define CAPSTAN_STORE_MIDS_H

#include "store/spool.h"

struct mids;

/* Takes one mid; a return other than 0 ends the run with that error. */
typedef int mids_take(void *context, const struct spool_mid *mid, struct error *error);

/* ERROR_SYSTEM: no memory. */
int mids_open(struct mids **mids, unsigned instrument_count, struct error *error);
void mids_close(struct mids **mids);
/* The top view of an instrument as it stands in the engine from `at_ns` on (the venue's time where it is known). That
 * there is none (not synchronised, a side empty) is noted too. */
void mids_note(struct mids *mids, unsigned instrument, int64_t at_ns, const struct engine *engine);
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
