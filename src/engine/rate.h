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

/* Of one venue. Places, modifies and cancels count; queries don't: each order is asked for once in
 * order.pending_timeout, and venues count them elsewhere or leave room for them (docs/semantics.md). */
struct rate {
    uint32_t sent[RATE_RING];
    int64_t bucket; /* ts_local >> RATE_SHIFT of the newest count */
    uint32_t sum;   /* of the newest RATE_BUCKETS counts: more than one second */
    uint32_t cap, reserve;
    int64_t day_cap, day_reserve; /* 0: no limit of the day */
    int64_t cancel_reserve;       /* 1e-9 */
    /* Carry. */
    int64_t day, day_sent;        /* UTC day of the newest message, and how many in it */
    int64_t told_left, told_most; /* the venue's word; most: the largest until it resets */
    int64_t told_resets;          /* it holds until then; INT64_MIN: none */
    int64_t refused_until; /* something was refused for its rate: nothing but cancels before */
    int64_t back_off;      /* the last wait; doubles with each refusal in a row */
};

void rate_init(struct rate *rate, const struct settings_venue *settings);
/* Nothing was sent lately, as after a restart. */
void rate_reset(struct rate *rate);
/* How many messages may leave now; with `cancel` the reserves may be used. */
int64_t rate_room(const struct rate *rate, int64_t now, bool cancel);
/* One more may. */
bool rate_allows(struct rate *rate, int64_t now, bool cancel);
/* When a cancel has room again: after `now` where none may leave, else `now`. */
int64_t rate_next_cancel(const struct rate *rate, int64_t now);
/* One left. */
void rate_count(struct rate *rate, int64_t now);
/* The budget is so nearly used up that a cycle is not worth running: only cancels may leave. */
bool rate_blocks(const struct engine *engine, unsigned venue);
/* The count of a second is the sum of its parts. */
bool rate_holds(const struct rate *rate);
/* The venue says what is left. */
void rate_take_budget(struct engine *engine, const struct event_rate_budget *budget);
/* An answer to a request: refused for its rate, or taken. */
void rate_take_answer(struct engine *engine, const struct message *message);
/* A request of the tape, for the fold. */
void rate_take_sent(struct engine *engine, unsigned instrument, int64_t now);
void rate_walk(struct walker *walker, const struct engine *engine);
void rate_walk_carry(struct walker *walker, const struct engine *engine);

#endif
