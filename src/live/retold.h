/* What a venue told once and does not tell again by itself: kept, and written at the beginning of the next tape, so that
 * it can be replayed and verified by itself. */
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
/* What the market told until now. */
struct retold_market {
    const struct message
        *messages; /* without times; valid until the next call of a function here */
    size_t count;
    bool whole; /* each book was: all of them are told */
};
/* The kept records, then each book of the engine, or of the own ones those that are whole. ERROR_INPUT for a book that
 * can't be told. */
int retold_tell(struct retold *retold, const struct engine *engine, struct retold_market *market,
                struct error *error);

#endif
