/* See histogram.h. */
#include "ops/histogram.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"

#define MS(n) ((n)*NS_PER_MS)
#define US(n) ((n)*INT64_C(1000))

const struct ops_bounds ops_bounds_execution = {
    8, {MS(10), MS(50), MS(100), MS(250), MS(500), MS(1000), MS(2500), MS(5000)}};
const struct ops_bounds ops_bounds_opportunity = {15,
                                                  {US(1), US(2), US(5), US(10), US(25), US(50),
                                                   US(100), US(500), MS(1), MS(10), MS(25), MS(50),
                                                   MS(100), MS(250), MS(500)}};
const struct ops_bounds ops_bounds_request = {
    7, {MS(1), MS(5), MS(10), MS(50), MS(100), MS(500), MS(1000)}};

/* 2^e and 1.5 x 2^e for e from FINE_FIRST. */
enum { FINE_FIRST = 10 };
#define OCTAVE(e) INT64_C(1) << (e), INT64_C(3) << ((e)-1)
const struct ops_bounds ops_bounds_fine = {
    47, {OCTAVE(10), OCTAVE(11), OCTAVE(12), OCTAVE(13), OCTAVE(14), OCTAVE(15),
         OCTAVE(16), OCTAVE(17), OCTAVE(18), OCTAVE(19), OCTAVE(20), OCTAVE(21),
         OCTAVE(22), OCTAVE(23), OCTAVE(24), OCTAVE(25), OCTAVE(26), OCTAVE(27),
         OCTAVE(28), OCTAVE(29), OCTAVE(30), OCTAVE(31), OCTAVE(32), INT64_C(1) << 33}};

/* The fine bucket of a duration, without a search. */
static unsigned fine_bucket(int64_t ns)
{
    if (ns <= INT64_C(1) << FINE_FIRST)
        return 0;
    uint64_t below = (uint64_t)(ns - 1); /* bounds are inclusive */
    unsigned octave = 63 - (unsigned)__builtin_clzll(below);
    unsigned bucket = 1 + 2 * (octave - FINE_FIRST) + (unsigned)(below >> (octave - 1) & 1);
    return bucket > ops_bounds_fine.count ? ops_bounds_fine.count : bucket;
}

static unsigned bucket_of(const struct ops_bounds *bounds, int64_t ns)
{
    unsigned bucket = 0;
    if (bounds == &ops_bounds_fine)
        return fine_bucket(ns);
    while (bucket < bounds->count && ns > bounds->ns[bucket])
        bucket++;
    return bucket;
}

void ops_observe(struct ops_histogram *histogram, int64_t ns)
{
    int64_t counted = ns < 0 ? 0 : ns;
    ops_count(&histogram->counts[bucket_of(histogram->bounds, counted)]);
    ops_add(&histogram->sum_ns, (uint64_t)counted);
}

void ops_histogram_read(const struct ops_histogram *histogram, struct ops_reading *reading)
{
    memset(reading, 0, sizeof *reading);
    reading->bounds = histogram->bounds;
    for (unsigned i = 0; i <= reading->bounds->count; i++) {
        reading->counts[i] = ops_read(&histogram->counts[i]);
        reading->total += reading->counts[i];
    }
    reading->sum_ns = ops_read(&histogram->sum_ns);
}

void ops_reading_add(struct ops_reading *reading, const struct ops_reading *other)
{
    ASSERT(reading->bounds == other->bounds);
    for (unsigned i = 0; i <= reading->bounds->count; i++)
        reading->counts[i] += other->counts[i];
    reading->total += other->total;
    reading->sum_ns += other->sum_ns;
}

int64_t ops_quantile(const struct ops_reading *reading, double quantile)
{
    const struct ops_bounds *bounds = reading->bounds;
    double rank = quantile * (double)reading->total, below = 0;
    if (reading->total == 0)
        return -1;
    for (unsigned i = 0; i < bounds->count; i++) {
        double count = (double)reading->counts[i];
        if (below + count >= rank && count > 0) {
            int64_t from = i == 0 ? 0 : bounds->ns[i - 1];
            return from + (int64_t)((double)(bounds->ns[i] - from) * (rank - below) / count);
        }
        below += count;
    }
    return bounds->ns[bounds->count - 1];
}
