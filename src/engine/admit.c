/* Which modifies, replaces and places a short rate budget admits: the nth buy and the nth sell of an
 * instrument together or neither, so that no side is left behind because of the order in which they leave
 * (trading-semantics 30). */
#include "engine/engine_internal.h"

static struct candidate *order_at(struct candidates *candidates, uint32_t at)
{
    return &candidates->list[candidates->order[at]];
}

static struct venue_state *venue_of(struct engine *engine, const struct candidate *order)
{
    return &engine->venues[engine->instruments[order->instrument].definition.venue];
}

/* Count what each side of each instrument wants. True where some venue has no room for all of its. */
static bool count_orders(struct engine *engine, uint32_t first)
{
    struct candidates *candidates = &engine->candidates;
    bool is_short = false;
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        engine->venues[venue].orders = 0;
    for (uint32_t at = first; at < candidates->count; at++) {
        const struct candidate *order = order_at(candidates, at);
        candidates->pairs[order->instrument] = (struct admission){.admitted = 0};
        venue_of(engine, order)->orders++;
    }
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        struct venue_state *at = &engine->venues[venue];
        if (at->orders == 0)
            continue;
        at->orders_room = rate_room(&at->rate, engine->now, false);
        is_short |= at->orders > at->orders_room;
    }
    return is_short;
}

/* Whether the next order of a side may leave. A pair is decided when its first is met; after one that had
 * to stay nothing more of the instrument leaves. */
static bool admit(struct venue_state *venue, struct admission *pairs, enum side side)
{
    uint32_t n = ++pairs->met[side];
    uint32_t buys = pairs->wanted[SIDE_BUY], sells = pairs->wanted[SIDE_SELL];
    bool is_pair = n <= buys && n <= sells;
    if (is_pair && n <= pairs->admitted)
        return true;
    if (pairs->refused || venue->orders_room < (is_pair ? 2 : 1)) {
        pairs->refused = true;
        return false;
    }
    venue->orders_room -= is_pair ? 2 : 1;
    if (is_pair)
        pairs->admitted = n;
    return true;
}

void admit_orders(struct engine *engine, uint32_t first)
{
    struct candidates *candidates = &engine->candidates;
    if (risk_is_off(engine, GATE_RATE) || !count_orders(engine, first))
        return;
    for (uint32_t at = first; at < candidates->count; at++) {
        const struct candidate *order = order_at(candidates, at);
        candidates->pairs[order->instrument].wanted[order->side]++;
    }
    for (uint32_t at = first; at < candidates->count; at++) {
        struct candidate *order = order_at(candidates, at);
        if (admit(venue_of(engine, order), &candidates->pairs[order->instrument], order->side))
            continue;
        order->quantity = 0;
        risk_block(engine, order->instrument, GATE_RATE);
    }
}
