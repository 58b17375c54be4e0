/* Safety sync: what the venue says of our account against what we know (trading-semantics 28). */
#ifndef CAPSTAN_ENGINE_SYNC_H
#define CAPSTAN_ENGINE_SYNC_H

#include "event/event.h"

struct engine;
struct order;
struct walker;
struct wanted_ladder;

/* Of one venue. */
struct sync {
    int64_t requested; /* when the snapshot that is awaited was asked for; TIME_NEVER: none is */
};

/* Session records of an account snapshot: balance, venue_position, open_order, snapshot_end. */
void sync_take(struct engine *engine, const struct message *message);
/* An answer about an order that the table does not know; true if it was one of the orphans. */
bool sync_take_orphan_answer(struct engine *engine, const struct message *message);
void sync_take_request(struct engine *engine, const struct event_request_snapshot *request,
                       int64_t now);
void sync_take_cancel_orphan(struct engine *engine, const struct event_cancel_orphan *cancel,
                             int64_t now);
/* When a venue has something due, and doing it. */
int64_t sync_deadline(const struct engine *engine);
void sync_due(struct engine *engine);
/* Quantity that orders which only the venue knows may still fill on a side: part of exposure. */
int64_t sync_orphan_leaves(const struct engine *engine, unsigned instrument, enum side side);
/* What a restart leaves of it: nothing is known to be reconciled. */
void sync_reset(struct engine *engine);
void sync_walk(struct walker *walker, const struct engine *engine);

#endif
