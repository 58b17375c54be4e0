/* What a refused order or edit keeps from being sent. After a post-only refusal that is its side at the same top
 * (trading-semantics 27): the same order would be refused again, at another top it would not. Every other reason has
 * nothing to do with the top and may last, so there is a wait that doubles: refusals stay few whatever the reason,
 * and nothing stays silent because the market does. Where the reason is the order's own price or size its level
 * waits, else the side. The levels of a side that were refused have one wait, so that a ladder that is refused level
 * by level is tried no more often than one level. */
#include "base/time.h"
#include "engine/engine_internal.h"

#define BACK_OFF_NS  NS_PER_SECOND
#define BACK_OFF_MAX (64 * NS_PER_SECOND)

void refusals_reset(struct instrument *instrument)
{
    const struct refusals none = {.at = INT64_MIN, .until = INT64_MIN};
    for (unsigned side = 0; side < 2; side++) {
        instrument->wait_top[side] = false;
        instrument->refusals[side] = instrument->level_refusals[side] = none;
    }
}

/* What the price or size of one order may be refused for. The rest concerns the instrument, the account or the
 * venue, or may: that another level would be taken is not known. */
static bool is_of_the_level(enum reject reason)
{
    return reason == REJECT_PRICE || reason == REJECT_QUANTITY || reason == REJECT_TICK ||
           reason == REJECT_LOT || reason == REJECT_MINIMUM_NOTIONAL;
}

/* Of levels beyond STRATEGY_LEVELS_MAX, which there are none of, two may be one. */
static uint64_t bit_of(unsigned level)
{
    return UINT64_C(1) << (level & 63);
}

/* Once it went as long as the last wait without another, a refusal is the first again. An order that was
 * accepted would not do to begin anew: of two levels one may be refused each time. */
static bool is_first(const struct refusals *refusals, int64_t sent)
{
    return refusals->back_off == 0 || sent - refusals->until >= refusals->back_off;
}

static void refuse(struct refusals *refusals, uint64_t levels, int64_t sent, int64_t now)
{
    if (now >= refusals->until)
        refusals->levels = 0; /* what was refused before is free to leave */
    refusals->levels |= levels;
    if (sent <= refusals->at)
        return; /* it was on its way when the one before was told */
    int64_t back_off = is_first(refusals, sent) ? BACK_OFF_NS : 2 * refusals->back_off;
    refusals->back_off = back_off < BACK_OFF_MAX ? back_off : BACK_OFF_MAX;
    refusals->at = now;
    refusals->until = now + refusals->back_off;
}

void refusals_take(struct engine *engine, const struct order *order, unsigned level, int64_t sent,
                   enum reject reason)
{
    struct instrument *instrument = &engine->instruments[order->instrument];
    if (reason == REJECT_RATE || reason == REJECT_REPLACE)
        return; /* the whole venue waits (rule 30); it was not even tried, for the one that it replaces stayed */
    if (reason == REJECT_POST_ONLY)
        instrument->wait_top[order->side] = true;
    else if (is_of_the_level(reason))
        refuse(&instrument->level_refusals[order->side], bit_of(level), sent, engine->now);
    else
        refuse(&instrument->refusals[order->side], UINT64_MAX, sent, engine->now);
}

static bool holds(const struct refusals *refusals, unsigned level, int64_t now)
{
    return now < refusals->until && (refusals->levels & bit_of(level)) != 0;
}

bool refusals_hold(const struct instrument *instrument, enum side side, unsigned level, int64_t now)
{
    return holds(&instrument->refusals[side], level, now) ||
           holds(&instrument->level_refusals[side], level, now);
}

static int64_t next_of(const struct instrument *instrument, const struct refusals *refusals)
{
    return refusals->until > instrument->last_cycle ? refusals->until : TIME_NEVER;
}

int64_t refusals_deadline(const struct instrument *instrument)
{
    int64_t deadline = TIME_NEVER;
    for (unsigned side = 0; side < 2; side++) {
        int64_t of_side = next_of(instrument, &instrument->refusals[side]);
        int64_t of_levels = next_of(instrument, &instrument->level_refusals[side]);
        deadline = of_side < deadline ? of_side : deadline;
        deadline = of_levels < deadline ? of_levels : deadline;
    }
    return deadline;
}
