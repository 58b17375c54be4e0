/* What a refused order or edit keeps its side from. After a post-only refusal that is the same top (trading-semantics
 * 27): the same order would be refused again, at another top it would not. Every other reason has nothing to do
 * with the top and may last, so the side waits for a time that doubles: refusals stay few whatever the reason,
 * and a side does not stay silent because the market does. */
#include "base/time.h"
#include "engine/engine_internal.h"

#define BACK_OFF_NS  NS_PER_SECOND
#define BACK_OFF_MAX (64 * NS_PER_SECOND)

void refusals_reset(struct instrument *instrument)
{
    for (unsigned side = 0; side < 2; side++) {
        instrument->wait_top[side] = false;
        instrument->refusals[side] = (struct refusals){.at = INT64_MIN, .until = INT64_MIN};
    }
}

/* Once the side went as long as the last wait without another, a refusal is the first again. An order that was
 * accepted would not do to begin anew: of two levels one may be refused each time. */
static bool is_first(const struct refusals *refusals, int64_t sent)
{
    return refusals->back_off == 0 || sent - refusals->until >= refusals->back_off;
}

static void refuse(struct refusals *refusals, int64_t sent, int64_t now)
{
    if (sent <= refusals->at)
        return; /* it was on its way when the one before was told */
    int64_t back_off = is_first(refusals, sent) ? BACK_OFF_NS : 2 * refusals->back_off;
    refusals->back_off = back_off < BACK_OFF_MAX ? back_off : BACK_OFF_MAX;
    refusals->at = now;
    refusals->until = now + refusals->back_off;
}

void refusals_take(struct engine *engine, const struct order *order, int64_t sent,
                   enum reject reason)
{
    struct instrument *instrument = &engine->instruments[order->instrument];
    if (reason == REJECT_RATE || reason == REJECT_REPLACE)
        return; /* the whole venue waits (rule 30); it was not even tried, for the one that it replaces stayed */
    if (reason == REJECT_POST_ONLY)
        instrument->wait_top[order->side] = true;
    else
        refuse(&instrument->refusals[order->side], sent, engine->now);
}

int64_t refusals_deadline(const struct instrument *instrument)
{
    int64_t deadline = TIME_NEVER;
    for (unsigned side = 0; side < 2; side++) {
        int64_t until = instrument->refusals[side].until;
        if (until > instrument->last_cycle && until < deadline)
            deadline = until;
    }
    return deadline;
}
