/* What a venue told once and does not tell again by itself: kept, and told to the session that goes on with a new
 * tape, whose engine begins with nothing of the market. So that tape can be replayed by itself too. */
#ifndef CAPSTAN_LIVE_RETOLD_H
#define CAPSTAN_LIVE_RETOLD_H

#include "engine/engine.h"

struct retold;

/* `own_books`: there is no engine whose books could be copied (`record`), so they are kept here. */
int retold_open(struct retold **retold, const struct event_names *names, bool own_books,
                struct error *error);
void retold_close(struct retold **retold);

/* Whether a kind is kept: records that hold until the next of them. */
static inline bool retold_keeps(unsigned kind)
{
    return (kind >= EVENT_definition && kind <= EVENT_open_interest) || kind == EVENT_orders_stream;
}
/* Keep the newest of its kind and instrument. */
int retold_keep(struct retold *retold, const struct message *message, struct error *error);
/* A message of the market, for own books; nothing to do without. */
void retold_follow(struct retold *retold, const struct message *message);
/* Copy the books of the engine, which the start will clear, or the own ones: those that are whole become a snapshot each.
 * `whole`: all were. */
int retold_begin(struct retold *retold, const struct engine *engine, bool *whole,
                 struct error *error);
/* The next message, at `now`, valid until the next call; NULL: all was told. */
const struct message *retold_next(struct retold *retold, int64_t now);

#endif
