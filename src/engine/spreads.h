/* The median spread of the last minutes, from one sample a second. */
#ifndef CAPSTAN_ENGINE_SPREADS_H
#define CAPSTAN_ENGINE_SPREADS_H

#include "event/event.h"

struct walker;

enum { SPREADS_MAX = 300 };

/* Spreads are in 1e-9 of the mid. */
struct spreads {
    int64_t seconds[SPREADS_MAX]; /* ring: when each was taken */
    int64_t values[SPREADS_MAX];
    int64_t sorted[SPREADS_MAX]; /* the same, smallest first */
    uint32_t count;
    uint32_t oldest;
};

/* One sample; those that are `window` seconds older (at most SPREADS_MAX) are forgotten. */
void spreads_sample(struct spreads *spreads, int64_t second, int64_t value, int64_t window);
/* The median, the lower of the two in the middle; 0 where there is none. */
int64_t spreads_median(const struct spreads *spreads);
void spreads_walk(struct walker *walker, const struct spreads *spreads, unsigned instrument);

#endif
