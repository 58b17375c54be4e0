/* Volatility of one instrument: an exponential mean of squared returns, one a second, and the mean that it
 * had over a longer window (trading-semantics 23 and 25). */
#ifndef CAPSTAN_ENGINE_VOLATILITY_H
#define CAPSTAN_ENGINE_VOLATILITY_H

#include "event/event.h"

struct walker;

enum { VOLATILITY_BUCKETS = 30 }; /* that the long window is divided into */

struct volatility {
    double variance; /* per second */
    double sigma;    /* its root, per root second */
    double mean;     /* of sigma over the long window */
    int64_t mid2;    /* of the last whole second, twice the price; 0: none, or a gap since */
    uint64_t samples;
    /* Sums of sigma over parts of the long window; `bucket` numbers the newest. */
    double sums[VOLATILITY_BUCKETS];
    uint32_t counts[VOLATILITY_BUCKETS];
    int64_t bucket;
};

/* The part that an old variance keeps for one second, for a half-life in ns: a of the rule is 1 less it. */
double volatility_decay(int64_t half_life);
/* The mid at a whole second (twice the price, above 0). `window` in ns is the long one's length. */
void volatility_sample(struct volatility *volatility, int64_t second, int64_t mid2, double decay,
                       int64_t window);
/* Nothing is measured from the last mid to the next. */
void volatility_break(struct volatility *volatility);
void volatility_walk(struct walker *walker, const struct volatility *volatility,
                     unsigned instrument);

#endif
