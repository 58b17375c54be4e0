/* What a venue told once and does not tell again by itself: kept, and told to the session that goes on with a new
 * tape, whose engine begins with nothing of the market. So that tape can be replayed by itself too. */
#ifndef CAPSTAN_LIVE_RETOLD_H
#define CAPSTAN_LIVE_RETOLD_H

#include "engine/engine.h"

struct retold;

int retold_open(struct retold **retold, const struct event_names *names, struct error *error);
void retold_close(struct retold **retold);

/* Whether a kind is kept: records that hold until the next of them. */
static inline bool retold_keeps(unsigned kind)
{
    return kind >= EVENT_definition && kind <= EVENT_open_interest;
}
/* Keep the newest of its kind and instrument. */
int retold_keep(struct retold *retold, const struct message *message, struct error *error);
/* Copy the engine's books, which the start will clear: those that are whole become a snapshot each. Without an engine
 * only what was kept is told. */
int retold_begin(struct retold *retold, const struct engine *engine, struct error *error);
/* The next message, at `now`, valid until the next call; NULL: all was told. */
const struct message *retold_next(struct retold *retold, int64_t now);

#endif
