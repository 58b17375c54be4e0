/* Histograms of durations: one thread counts, any thread reads. Buckets are cumulative only when written
 * out, so that counting is one addition. */
#ifndef CAPSTAN_OPS_HISTOGRAM_H
#define CAPSTAN_OPS_HISTOGRAM_H

#include <stdatomic.h>

#include "base/integer.h"

enum { OPS_BUCKETS_MAX = 48 };

/* Upper bounds, inclusive, ns, rising. */
struct ops_bounds {
    unsigned count; /* the bucket above the last is one more */
    int64_t ns[OPS_BUCKETS_MAX - 1];
};

extern const struct ops_bounds ops_bounds_execution;   /* order_execution_duration_seconds (D7) */
extern const struct ops_bounds ops_bounds_opportunity; /* opportunity_detection_duration_seconds */
extern const struct ops_bounds ops_bounds_request;     /* api_request_duration_seconds */
/* Two an octave from 1.024 us to 8.6 s: a quantile read from it is at most a third off. */
extern const struct ops_bounds ops_bounds_fine;

struct ops_histogram {
    const struct ops_bounds *bounds;
    _Atomic uint64_t counts[OPS_BUCKETS_MAX];
    _Atomic uint64_t sum_ns;
};

/* One more of a counter that a single thread adds to: no locked instruction. */
static inline void ops_add(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}
static inline void ops_count(_Atomic uint64_t *counter)
{
    ops_add(counter, 1);
}
static inline uint64_t ops_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* One duration; below 0 counts as 0. */
void ops_observe(struct ops_histogram *histogram, int64_t ns);

/* A copy as it stands: `total` is the sum of `counts`. */
struct ops_reading {
    const struct ops_bounds *bounds;
    uint64_t counts[OPS_BUCKETS_MAX];
    uint64_t total, sum_ns;
};
void ops_histogram_read(const struct ops_histogram *histogram, struct ops_reading *reading);
/* Add what another of the same bounds has counted. */
void ops_reading_add(struct ops_reading *reading, const struct ops_reading *other);
/* The duration below which `quantile` (above 0, up to 1) of all lie, in ns, taken linearly within a bucket;
 * -1 where nothing was counted. What lies above the last bound counts as that bound. */
int64_t ops_quantile(const struct ops_reading *reading, double quantile);

#endif
