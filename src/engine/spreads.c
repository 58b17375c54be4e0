/* Median spread: a ring of samples and the same samples in order. */
#include "engine/spreads.h"

#include <string.h>

#include "base/assert.h"
#include "engine/walker.h"

/* The first place of a value that is not below it. */
static uint32_t place_of(const struct spreads *spreads, int64_t value)
{
    uint32_t low = 0, high = spreads->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (spreads->sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void forget_oldest(struct spreads *spreads)
{
    uint32_t at = place_of(spreads, spreads->values[spreads->oldest]);
    ASSERT(spreads->count > 0);
    spreads->count--;
    memmove(spreads->sorted + at, spreads->sorted + at + 1,
            (spreads->count - at) * sizeof spreads->sorted[0]);
    spreads->oldest = (spreads->oldest + 1) % SPREADS_MAX;
}

void spreads_sample(struct spreads *spreads, int64_t second, int64_t value, int64_t window)
{
    while (spreads->count > 0 &&
           (spreads->count == SPREADS_MAX || second - spreads->seconds[spreads->oldest] >= window))
        forget_oldest(spreads);
    uint32_t at = place_of(spreads, value);
    uint32_t slot = (spreads->oldest + spreads->count) % SPREADS_MAX;
    memmove(spreads->sorted + at + 1, spreads->sorted + at,
            (spreads->count - at) * sizeof spreads->sorted[0]);
    spreads->sorted[at] = value;
    spreads->seconds[slot] = second;
    spreads->values[slot] = value;
    spreads->count++;
}

int64_t spreads_median(const struct spreads *spreads)
{
    return spreads->count == 0 ? 0 : spreads->sorted[(spreads->count - 1) / 2];
}

void spreads_walk(struct walker *walker, const struct spreads *spreads, unsigned instrument)
{
    walker->field(walker, "spreads.count", instrument, spreads->count);
    for (uint32_t i = 0; i < spreads->count; i++) {
        uint32_t slot = (spreads->oldest + i) % SPREADS_MAX;
        walker->field(walker, "spreads.second", i, spreads->seconds[slot]);
        walker->field(walker, "spreads.value", i, spreads->values[slot]);
    }
}
