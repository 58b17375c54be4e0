/* Lowest and highest value of a sliding window, by parts. */
#include "engine/extremes.h"

#include <string.h>

#include "engine/walker.h"

enum { KEPT = EXTREMES_PARTS + 1 };

static void put(struct extremes *extremes, unsigned at, int64_t value)
{
    bool first = extremes->counts[at] == 0;
    if (first || value < extremes->low[at])
        extremes->low[at] = value;
    if (first || value > extremes->high[at])
        extremes->high[at] = value;
    extremes->counts[at]++;
}

static void sum_older(struct extremes *extremes)
{
    const unsigned newest = (unsigned)(extremes->part % KEPT);
    int64_t low = INT64_MAX, high = INT64_MIN;
    uint32_t count = 0;
    for (unsigned at = 0; at < KEPT; at++) {
        if (at == newest || extremes->counts[at] == 0)
            continue;
        low = extremes->low[at] < low ? extremes->low[at] : low;
        high = extremes->high[at] > high ? extremes->high[at] : high;
        count += extremes->counts[at];
    }
    extremes->older_low = low;
    extremes->older_high = high;
    extremes->older_count = count;
}

void extremes_advance(struct extremes *extremes, int64_t now, int64_t window, int64_t standing)
{
    int64_t length = window / EXTREMES_PARTS > 0 ? window / EXTREMES_PARTS : 1;
    int64_t part = now / length;
    if (part <= extremes->part)
        return;
    if (part - extremes->part >= KEPT) {
        memset(extremes->counts, 0, sizeof extremes->counts);
        extremes->part = part - KEPT;
    }
    while (extremes->part < part) {
        unsigned at = (unsigned)(++extremes->part % KEPT);
        extremes->counts[at] = 0;
        if (standing > 0)
            put(extremes, at, standing);
    }
    sum_older(extremes);
}

void extremes_add(struct extremes *extremes, int64_t value)
{
    put(extremes, (unsigned)(extremes->part % KEPT), value);
}

bool extremes_get(const struct extremes *extremes, int64_t *low, int64_t *high, uint32_t *count)
{
    unsigned at = (unsigned)(extremes->part % KEPT);
    bool newest = extremes->counts[at] > 0, older = extremes->older_count > 0;
    *count = extremes->counts[at] + extremes->older_count;
    *low = newest ? extremes->low[at] : extremes->older_low;
    *high = newest ? extremes->high[at] : extremes->older_high;
    if (newest && older) {
        if (extremes->older_low < *low)
            *low = extremes->older_low;
        if (extremes->older_high > *high)
            *high = extremes->older_high;
    }
    return newest || older;
}

void extremes_walk(struct walker *walker, const struct extremes *extremes, const char *name,
                   unsigned instrument)
{
    walker->field(walker, name, instrument, extremes->part);
    for (unsigned at = 0; at < KEPT; at++) {
        if (extremes->counts[at] == 0)
            continue;
        walker->field(walker, name, at, extremes->counts[at]);
        walker->field(walker, name, at, extremes->low[at]);
        walker->field(walker, name, at, extremes->high[at]);
    }
}
