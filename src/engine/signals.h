/* What the market breakers and the warm-up look at: volatility, spread, move, markouts, rejects, open
 * interest (trading-semantics 23 and 25). */
#ifndef CAPSTAN_ENGINE_SIGNALS_H
#define CAPSTAN_ENGINE_SIGNALS_H

#include "event/event.h"

struct engine;
struct order;
struct walker;
struct wanted_ladder;

/* Of one instrument. */
struct signals {
    uint64_t book_messages, trades; /* since the start; for warm-up */
};

/* The best prices changed; the new ones stand in the top view. */
void signals_view_changed(struct engine *engine, unsigned instrument);
/* The book was lost: nothing is measured across it. */
void signals_book_lost(struct engine *engine, unsigned instrument);
/* A depth or snapshot message, or a usable trade. */
void signals_book_message(struct engine *engine, unsigned instrument);
void signals_trade(struct engine *engine, unsigned instrument);
/* A reading of open interest was taken. */
void signals_open_interest(struct engine *engine, unsigned instrument);
/* The venue took a new order (REJECT_NONE) or refused it. */
void signals_place_answered(struct engine *engine, const struct order *order, enum reject reason);
/* A fill was booked. `message` is its order_filled. */
void signals_fill(struct engine *engine, const struct message *message);
/* Earliest time at which a signal changes by itself; TIME_NEVER for none. */
int64_t signals_deadline(const struct engine *engine, unsigned instrument);
/* Rule 25: enough has been seen to quote. */
bool signals_are_warm(const struct engine *engine, unsigned instrument);
/* Everything cold, as after a restart. */
void signals_reset(struct engine *engine, unsigned instrument);
void signals_walk(struct walker *walker, const struct engine *engine, unsigned instrument);

#endif
