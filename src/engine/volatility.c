/* Volatility: var += a(r^2 - var) of the mid's returns at whole seconds (trading-semantics 25). */
#include "engine/volatility.h"

#include <string.h>

#include "base/math.h"
#include "base/time.h"
#include "engine/walker.h"

static const double LOG_2 = 0.69314718055994530942;

double volatility_decay(int64_t half_life)
{
    return math_exp(-LOG_2 * (double)NS_PER_SECOND / (double)half_life);
}

/* The long window moves on by whole parts of itself; parts that nothing was seen in are empty. */
static void turn(struct volatility *volatility, int64_t bucket)
{
    if (bucket - volatility->bucket >= VOLATILITY_BUCKETS) {
        memset(volatility->sums, 0, sizeof volatility->sums);
        memset(volatility->counts, 0, sizeof volatility->counts);
        volatility->bucket = bucket;
        return;
    }
    while (volatility->bucket < bucket) {
        volatility->bucket++;
        volatility->sums[volatility->bucket % VOLATILITY_BUCKETS] = 0;
        volatility->counts[volatility->bucket % VOLATILITY_BUCKETS] = 0;
    }
}

static double mean(const struct volatility *volatility)
{
    double sum = 0;
    uint32_t count = 0;
    for (unsigned i = 0; i < VOLATILITY_BUCKETS; i++) {
        sum += volatility->sums[i];
        count += volatility->counts[i];
    }
    return sum / count;
}

void volatility_sample(struct volatility *volatility, int64_t second, int64_t mid2, double decay,
                       int64_t window)
{
    int64_t before = volatility->mid2;
    volatility->mid2 = mid2;
    if (before == 0)
        return;
    double r = (double)(mid2 - before) / (double)before;
    if (volatility->samples == 0)
        volatility->variance = r * r;
    else
        volatility->variance = decay * volatility->variance + (1 - decay) * (r * r);
    volatility->samples++;
    volatility->sigma = math_sqrt(volatility->variance);
    int64_t part = window / NS_PER_SECOND / VOLATILITY_BUCKETS;
    turn(volatility, second / (part > 0 ? part : 1));
    volatility->sums[volatility->bucket % VOLATILITY_BUCKETS] += volatility->sigma;
    volatility->counts[volatility->bucket % VOLATILITY_BUCKETS]++;
    volatility->mean = mean(volatility);
}

void volatility_break(struct volatility *volatility)
{
    volatility->mid2 = 0;
}

void volatility_walk(struct walker *walker, const struct volatility *volatility,
                     unsigned instrument)
{
    walker_double(walker, "volatility.variance", instrument, volatility->variance);
    walker->field(walker, "volatility.mid2", instrument, volatility->mid2);
    walker->field(walker, "volatility.samples", instrument, (int64_t)volatility->samples);
    walker->field(walker, "volatility.bucket", instrument, volatility->bucket);
    for (unsigned i = 0; i < VOLATILITY_BUCKETS; i++) {
        walker_double(walker, "volatility.sum", i, volatility->sums[i]);
        walker->field(walker, "volatility.count", i, volatility->counts[i]);
    }
}
