/* A limit as venues count it: so many in each whole interval of the clock. */
#ifndef CAPSTAN_EXCHANGE_RATE_H
#define CAPSTAN_EXCHANGE_RATE_H

#include "base/integer.h"

struct rate_window {
    int64_t interval_ns, limit;
    int64_t begins; /* of the interval that is counted */
    int64_t used;
};

/* Move to the interval of `now`; what was used before it is forgotten. */
static inline void rate_move(struct rate_window *window, int64_t now)
{
    if (now < window->begins || now - window->begins >= window->interval_ns) {
        window->begins = now - now % window->interval_ns;
        window->used = 0;
    }
}

/* Count `weight`; false where that is over the limit. It is counted all the same, as venues do. */
static inline bool rate_use(struct rate_window *window, int64_t now, int64_t weight)
{
    rate_move(window, now);
    window->used += weight;
    return window->used <= window->limit;
}

/* Whole seconds until the interval ends, at least 1. */
static inline int64_t rate_seconds_left(const struct rate_window *window, int64_t now)
{
    int64_t left = window->begins + window->interval_ns - now;
    return left <= 0 ? 1 : (left + 999999999) / 1000000000;
}

#endif
