/* Rate budgets. */
#include "engine/rate.h"

#include "engine/engine_internal.h"
#include "engine/walker.h"

#define RATIO_ONE INT64_C(1000000000)

void rate_init(struct rate *rate, const struct settings_venue *settings)
{
    rate->cap = (uint32_t)settings->rate_orders;
    rate->reserve =
        (uint32_t)((int128)settings->rate_orders * settings->rate_cancel_reserve / RATIO_ONE);
}

/* Forget what left more than a second ago. */
static void advance(struct rate *rate, int64_t now)
{
    int64_t bucket = now >> RATE_SHIFT;
    int64_t steps = bucket - rate->bucket;
    if (steps > RATE_RING)
        steps = RATE_RING;
    for (int64_t step = steps - 1; step >= 0; step--) {
        int64_t enters = bucket - step;
        rate->sum -= rate->sent[(enters - RATE_BUCKETS) & (RATE_RING - 1)];
        rate->sent[enters & (RATE_RING - 1)] = 0;
        rate->sent[(enters - RATE_BUCKETS) & (RATE_RING - 1)] = 0;
    }
    if (steps > 0)
        rate->bucket = bucket;
}

bool rate_allows(struct rate *rate, int64_t now, bool cancel)
{
    advance(rate, now);
    return rate->sum < (cancel ? rate->cap : rate->cap - rate->reserve);
}

void rate_count(struct rate *rate, int64_t now)
{
    advance(rate, now);
    rate->sent[rate->bucket & (RATE_RING - 1)]++;
    rate->sum++;
}

bool rate_blocks(const struct engine *engine, unsigned venue)
{
    (void)engine;
    (void)venue;
    return false;
}

void rate_take_budget(struct engine *engine, const struct event_rate_budget *budget)
{
    (void)engine;
    (void)budget;
}

void rate_walk(struct walker *walker, const struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        const struct rate *rate = &engine->venues[venue].rate;
        walker->field(walker, "rate.bucket", venue, rate->bucket);
        walker->field(walker, "rate.sum", venue, rate->sum);
        walker->field(walker, "rate.cap", venue, rate->cap);
        walker->field(walker, "rate.reserve", venue, rate->reserve);
        for (unsigned bucket = 0; bucket < RATE_RING; bucket++)
            walker->field(walker, "rate.sent", (uint64_t)venue * RATE_RING + bucket,
                          rate->sent[bucket]);
    }
}
