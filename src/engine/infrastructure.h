/* The breaker around the requests to a venue (trading-semantics 29). */
#ifndef CAPSTAN_ENGINE_INFRASTRUCTURE_H
#define CAPSTAN_ENGINE_INFRASTRUCTURE_H

#include "event/event.h"

struct engine;
struct order;
struct walker;
struct wanted_ladder;

/* Of one venue; its state is part of the carry. */
struct infrastructure {
    uint8_t state; /* enum infrastructure_state */
    uint64_t failures;
};

/* A request to the venue was answered, by whatever answer; or failed: transport, timeout, 5xx. */
void infrastructure_succeeded(struct engine *engine, unsigned venue);
void infrastructure_failed(struct engine *engine, unsigned venue);
/* Places and modifies wait. */
bool infrastructure_blocks(const struct engine *engine, unsigned venue);
/* A cancel or a query may leave now (they are paced while it is open). */
bool infrastructure_lets_through(struct engine *engine, unsigned venue);
/* A decision of this engine or of the tape. */
void infrastructure_take(struct engine *engine, const struct event_infrastructure *infrastructure);
int64_t infrastructure_deadline(const struct engine *engine);
void infrastructure_due(struct engine *engine);
void infrastructure_walk(struct walker *walker, const struct engine *engine);

#endif
