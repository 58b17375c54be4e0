/* See anew.h. */
#include "engine/anew.h"

#include "base/time.h"
#include "engine/engine_internal.h"

/* The next is asked for at once, but after what made this one doubtful; where it happens to that one too a second
 * later, then two, four and so on, until one is asked for in its time. A shutdown waits for it. */
static void ask_anew(struct engine *engine, unsigned venue)
{
    struct sync *sync = &engine->venues[venue].sync;
    unsigned step = engine->carry.shutdown;
    if (sync->interval == 0 || sync->requested != TIME_NEVER)
        return;
    if (step == SHUTDOWN_CANCELLING || step == SHUTDOWN_WAITING)
        sync->awaited = engine->now;
    int64_t wait = sync->anew == 0 ? 1 : SYNC_CONFIRM_NS << (sync->anew - 1);
    if (engine->now + wait >= sync->next)
        return;
    if (sync->anew < SYNC_ANEW_MAX)
        sync->anew++;
    sync_ask_anew(engine, venue, engine->now + wait);
}

void anew_balance(struct sync *sync, int64_t at)
{
    sync->doubt_from = at;
    sync->doubt_until = INT64_MIN;
}

/* The venue read its balances between the asking and the end. The estimate of its clock was made by requests like
 * this one, so that either may be as far off as the reading took. */
void anew_account_end(struct sync *sync, int64_t lasted)
{
    int64_t from, until;
    if (sync->doubt_from == INT64_MIN || sync->doubt_until != INT64_MIN)
        return;
    if (!__builtin_sub_overflow(sync->doubt_from, lasted, &from) &&
        !__builtin_add_overflow(sync->doubt_from, 2 * lasted, &until)) {
        sync->doubt_from = from;
        sync->doubt_until = until;
    }
}

void anew_fill(struct engine *engine, unsigned venue, int64_t made)
{
    const struct sync *sync = &engine->venues[venue].sync;
    if (made >= sync->doubt_from && made <= sync->doubt_until)
        ask_anew(engine, venue);
}

void anew_not_taken(struct engine *engine, unsigned venue)
{
    for (unsigned asset = 0; asset < engine->asset_count; asset++) {
        const struct balance *balance = ledger_balance(engine, venue, asset);
        if (balance->shown == engine->venues[venue].sync.generation &&
            money_compare(balance->shown_total, balance->total) != 0) {
            ask_anew(engine, venue);
            return; /* where all are what we have there is nothing to learn */
        }
    }
}
