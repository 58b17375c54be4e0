/* Budgets of a venue's rate limits, with a reserve for cancels (trading-semantics 30). */
#ifndef CAPSTAN_ENGINE_RATE_H
#define CAPSTAN_ENGINE_RATE_H

#include "config/settings.h"
#include "event/event.h"

struct engine;
struct walker;

enum {
    RATE_RING = 64,  /* counts of messages sent */
    RATE_SHIFT = 24, /* each over 2^24 ns, so 60 of them cover one second */
    RATE_BUCKETS = 61
};

/* Of one venue. */
struct rate {
    uint32_t sent[RATE_RING];
    int64_t bucket; /* ts_local >> RATE_SHIFT of the newest count */
    uint32_t sum;   /* of the newest RATE_BUCKETS counts: more than one second */
    uint32_t cap, reserve;
};

void rate_init(struct rate *rate, const struct settings_venue *settings);
/* One more message may leave now; with `cancel` the reserve may be used. */
bool rate_allows(struct rate *rate, int64_t now, bool cancel);
/* One left. */
void rate_count(struct rate *rate, int64_t now);
/* The budget is so nearly used up that a cycle is not worth running: only cancels may leave. */
bool rate_blocks(const struct engine *engine, unsigned venue);
/* The venue says what is left. */
void rate_take_budget(struct engine *engine, const struct event_rate_budget *budget);
void rate_walk(struct walker *walker, const struct engine *engine);

#endif
