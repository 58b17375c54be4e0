/* Rate budgets: by the second, by the day, and what the venue itself says. Each keeps a part for cancels. */
#include "engine/rate.h"

#include <string.h>

#include "base/time.h"
#include "engine/day.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

#define RATIO_ONE    INT64_C(1000000000)
#define BACK_OFF_NS  NS_PER_SECOND
#define BACK_OFF_MAX (64 * NS_PER_SECOND)

static int64_t reserve_of(int64_t budget, int64_t ratio)
{
    return (int64_t)((int128)budget * ratio / RATIO_ONE);
}

void rate_init(struct rate *rate, const struct settings_venue *settings)
{
    rate->cap = (uint32_t)settings->rate_orders;
    rate->cancel_reserve = settings->rate_cancel_reserve;
    rate->reserve = (uint32_t)reserve_of(settings->rate_orders, rate->cancel_reserve);
    rate->day_cap = settings->rate_orders_day;
    rate->day_reserve = reserve_of(rate->day_cap, rate->cancel_reserve);
    rate->day = rate->told_resets = INT64_MIN;
    rate->refused_until = INT64_MIN;
}

void rate_reset(struct rate *rate)
{
    memset(rate->sent, 0, sizeof rate->sent);
    rate->bucket = 0;
    rate->sum = 0;
}

/* --- what is left ---------------------------------------------------------------------------------- */

/* Forget what left more than a second ago. */
static void advance(struct rate *rate, int64_t now)
{
    int64_t bucket = now >> RATE_SHIFT;
    int64_t steps = bucket - rate->bucket;
    if (steps >= RATE_BUCKETS) {
        memset(rate->sent, 0, sizeof rate->sent);
        rate->sum = 0;
        rate->bucket = bucket;
        return;
    }
    for (int64_t step = steps - 1; step >= 0; step--) {
        int64_t enters = bucket - step;
        rate->sum -= rate->sent[(enters - RATE_BUCKETS) & (RATE_RING - 1)];
        rate->sent[enters & (RATE_RING - 1)] = 0;
        rate->sent[(enters - RATE_BUCKETS) & (RATE_RING - 1)] = 0;
    }
    if (steps > 0)
        rate->bucket = bucket;
}

/* The sum that advance() would leave. */
static int64_t sum_at(const struct rate *rate, int64_t now)
{
    int64_t steps = (now >> RATE_SHIFT) - rate->bucket, sum = rate->sum;
    if (steps >= RATE_BUCKETS)
        return 0;
    for (int64_t step = 1; step <= steps && sum > 0; step++)
        sum -= rate->sent[(rate->bucket + step - RATE_BUCKETS) & (RATE_RING - 1)];
    return sum;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t rate_room(const struct rate *rate, int64_t now, bool cancel)
{
    int64_t room = (int64_t)rate->cap - (cancel ? 0 : rate->reserve) - sum_at(rate, now);
    if (!cancel && now < rate->refused_until)
        return 0;
    if (rate->day_cap > 0) {
        int64_t sent = rate->day == day_start(DAY_UTC, now) ? rate->day_sent : 0;
        room = smaller(room, rate->day_cap - (cancel ? 0 : rate->day_reserve) - sent);
    }
    if (now < rate->told_resets) {
        int64_t kept = cancel ? 0 : reserve_of(rate->told_most, rate->cancel_reserve);
        room = smaller(room, rate->told_left - kept);
    }
    return room > 0 ? room : 0;
}

/* The start of the first count at which enough of what left lately is forgotten. */
static int64_t second_has_room(const struct rate *rate, int64_t now)
{
    int64_t bucket = (now >> RATE_SHIFT) > rate->bucket ? now >> RATE_SHIFT : rate->bucket;
    int64_t at = now;
    while (rate->cap > 0 && sum_at(rate, at) >= rate->cap)
        at = ++bucket << RATE_SHIFT;
    return at;
}

int64_t rate_next_cancel(const struct rate *rate, int64_t now)
{
    int64_t next = second_has_room(rate, now);
    if (rate->day_cap > 0 && rate->day == day_start(DAY_UTC, now) &&
        rate->day_sent >= rate->day_cap)
        next = larger(next, day_after(DAY_UTC, now));
    if (now < rate->told_resets && rate->told_left <= 0)
        next = larger(next, rate->told_resets);
    return next;
}

bool rate_allows(struct rate *rate, int64_t now, bool cancel)
{
    advance(rate, now);
    return rate_room(rate, now, cancel) > 0;
}

void rate_count(struct rate *rate, int64_t now)
{
    advance(rate, now);
    rate->sent[rate->bucket & (RATE_RING - 1)]++;
    rate->sum++;
    int64_t day = day_start(DAY_UTC, now);
    if (rate->day != day) {
        rate->day = day;
        rate->day_sent = 0;
    }
    rate->day_sent++;
    if (rate->told_left > 0)
        rate->told_left--;
}

bool rate_blocks(const struct engine *engine, unsigned venue)
{
    return rate_room(&engine->venues[venue].rate, engine->now, false) == 0;
}

bool rate_holds(const struct rate *rate)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < RATE_BUCKETS; i++)
        sum += rate->sent[(rate->bucket - i) & (RATE_RING - 1)];
    return sum == rate->sum;
}

/* --- the venue's word ------------------------------------------------------------------------------ */

/* The reserve is a part of the whole budget, which the venue doesn't tell: of the most that it said was left
 * in this window. */
void rate_take_budget(struct engine *engine, const struct event_rate_budget *budget)
{
    if (budget->venue >= engine->venue_count)
        return;
    struct rate *rate = &engine->venues[budget->venue].rate;
    int64_t left = budget->left > INT64_MAX ? INT64_MAX : (int64_t)budget->left;
    if (budget->resets != rate->told_resets || left > rate->told_most)
        rate->told_most = left;
    rate->told_left = left;
    rate->told_resets = budget->resets;
}

/* The first refusal waits a second, each further one twice as long. What was on its way when the first was
 * told is refused too and is no further one. A refused cancel is sent again by its order's own back-off. */
static void refuse(struct rate *rate, int64_t now, uint8_t reason)
{
    if (reason != REJECT_RATE || now < rate->refused_until)
        return;
    rate->back_off = rate->back_off == 0 ? BACK_OFF_NS : smaller(2 * rate->back_off, BACK_OFF_MAX);
    rate->refused_until = now + rate->back_off;
}

void rate_take_answer(struct engine *engine, const struct message *message)
{
    const union event_record *record = message->record;
    unsigned instrument = record->order_accepted.instrument; /* where every answer has it */
    if (instrument >= engine->instrument_count)
        return;
    struct rate *rate = &engine->venues[engine->instruments[instrument].definition.venue].rate;
    switch ((int)message->kind) {
    case EVENT_order_rejected:
        refuse(rate, engine->now, record->order_rejected.reason);
        break;
    case EVENT_modify_rejected:
        refuse(rate, engine->now, record->modify_rejected.reason);
        break;
    case EVENT_cancel_rejected:
        refuse(rate, engine->now, record->cancel_rejected.reason);
        break;
    case EVENT_order_accepted:
    case EVENT_order_modified:
        rate->back_off = 0;
        break;
    default:
        break;
    }
}

/* --- carry ----------------------------------------------------------------------------------------- */

void rate_take_sent(struct engine *engine, unsigned instrument, int64_t now)
{
    if (instrument < engine->instrument_count)
        rate_count(&engine->venues[engine->instruments[instrument].definition.venue].rate, now);
}

void rate_walk_carry(struct walker *walker, const struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        const struct rate *rate = &engine->venues[venue].rate;
        walker->field(walker, "rate.day", venue, rate->day);
        walker->field(walker, "rate.day_sent", venue, rate->day_sent);
        walker->field(walker, "rate.told_left", venue, rate->told_left);
        walker->field(walker, "rate.told_most", venue, rate->told_most);
        walker->field(walker, "rate.told_resets", venue, rate->told_resets);
        walker->field(walker, "rate.refused_until", venue, rate->refused_until);
        walker->field(walker, "rate.back_off", venue, rate->back_off);
    }
}

void rate_walk(struct walker *walker, const struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        const struct rate *rate = &engine->venues[venue].rate;
        walker->field(walker, "rate.bucket", venue, rate->bucket);
        walker->field(walker, "rate.sum", venue, rate->sum);
        walker->field(walker, "rate.cap", venue, rate->cap);
        walker->field(walker, "rate.reserve", venue, rate->reserve);
        walker->field(walker, "rate.day_cap", venue, rate->day_cap);
        walker->field(walker, "rate.day_reserve", venue, rate->day_reserve);
        walker->field(walker, "rate.cancel_reserve", venue, rate->cancel_reserve);
        for (unsigned bucket = 0; bucket < RATE_RING; bucket++)
            walker->field(walker, "rate.sent", (uint64_t)venue * RATE_RING + bucket,
                          rate->sent[bucket]);
    }
}
