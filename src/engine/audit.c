/* The invariants of the engine, each done again from scratch: what a check reads is
 * never what it checks. */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/assert.h"

#define RATIO_ONE INT64_C(1000000000)

void engine_violation(struct engine *engine, unsigned invariant)
{
    ASSERT(invariant < sizeof engine->counters.violations_by_invariant /
                           sizeof engine->counters.violations_by_invariant[0]);
    engine->counters.invariant_violations++;
    engine->counters.violations_by_invariant[invariant]++;
}

static void check(struct engine *engine, unsigned invariant, bool holds)
{
    engine->counters.invariant_checks++;
    if (__builtin_expect(!holds, 0))
        engine_violation(engine, invariant);
}

/* --- sums of a side ------------------------------------------------------------------------------- */

struct side_sum {
    int64_t leaves;
    uint32_t count;
    int64_t best; /* most aggressive price; 0: no order */
};

static struct side_sum sum_side(const struct engine *engine, const struct instrument *instrument,
                                enum side side)
{
    struct side_sum sum = {0, 0, 0};
    for (uint32_t slot = instrument->sides[side].first; slot != ENGINE_NO_SLOT;
         slot = engine->orders.slots[slot].next) {
        const struct order *order = &engine->orders.slots[slot];
        int64_t price = orders_worst_price(order);
        sum.leaves += orders_worst_leaves(order);
        sum.count++;
        if (sum.best == 0 || (side == SIDE_BUY ? price > sum.best : price < sum.best))
            sum.best = price;
    }
    return sum;
}

/* --- the send gate -------------------------------------------------------------------------------- */

/* 2: finite, on grid, above minimum notional, inside the collar, not crossing our own. */
static bool order_is_sound(const struct engine *engine, const struct candidate *candidate)
{
    const struct instrument *instrument = &engine->instruments[candidate->instrument];
    const struct event_definition *definition = &instrument->definition;
    bool buy = candidate->side == SIDE_BUY;
    int64_t price = candidate->price;
    struct side_sum other = sum_side(engine, instrument, buy ? SIDE_SELL : SIDE_BUY);
    if (price <= 0 || candidate->quantity <= 0 || price % definition->tick != 0 ||
        candidate->quantity % definition->lot != 0)
        return false;
    int128 raw = definition->contract == CONTRACT_INVERSE ? candidate->quantity
                                                          : (int128)price * candidate->quantity;
    if (raw < instrument->limits.minimum_raw)
        return false;
    int128 quarter = (int128)instrument->reference4 *
                     (RATIO_ONE + (buy ? instrument->limits.collar : -instrument->limits.collar));
    int128 scaled = (int128)price * 4 * RATIO_ONE;
    if (instrument->reference4 <= 0 || (buy ? scaled > quarter : scaled < quarter))
        return false;
    return other.best == 0 || (buy ? price < other.best : price > other.best);
}

void audit_send(struct engine *engine, const struct candidate *candidate)
{
    const struct instrument *instrument = &engine->instruments[candidate->instrument];
    const struct order *own =
        candidate->want == WANT_MODIFY ? orders_find(engine, candidate->order) : NULL;
    const struct rate *rate = &engine->venues[instrument->definition.venue].rate;
    struct side_sum sum = sum_side(engine, instrument, candidate->side);
    int64_t position = risk_position(instrument);
    int64_t before = own == NULL ? 0 : orders_worst_leaves(own);
    int64_t after = candidate->quantity > before ? candidate->quantity : before;
    int128 worst =
        (int128)(candidate->side == SIDE_BUY ? position : -position) + sum.leaves - before + after;
    check(engine, 1, sum.count + (own == NULL) <= instrument->limits.orders_per_side);
    check(engine, 1, rate->sum < rate->cap);
    check(engine, 2, order_is_sound(engine, candidate));
    check(engine, 3, after == before || worst <= instrument->limits.position_limit);
    check(engine, 4, risk_instrument_gates(engine, candidate->instrument) == 0);
}

/* --- the full audit --------------------------------------------------------------------------------- */

/* 6: each order in a state that its figures allow; none of its trades twice. */
static bool order_holds(const struct engine *engine, const struct order *order)
{
    const struct order_table *table = &engine->orders;
    if (!order_state_holds(order->state, order->quantity, order->leaves, order->filled, true))
        return false;
    for (uint32_t a = order->last_trade; a != ENGINE_NO_SLOT && table->trades[a].order == order->id;
         a = table->trades[a].previous)
        for (uint32_t b = table->trades[a].previous;
             b != ENGINE_NO_SLOT && b != a && table->trades[b].order == order->id;
             b = table->trades[b].previous)
            if (memcmp(&table->trades[a].id, &table->trades[b].id, sizeof table->trades[a].id) == 0)
                return false;
    return true;
}

static uint32_t audit_orders(struct engine *engine, struct instrument *instrument)
{
    uint32_t live = 0;
    for (int side = 0; side < 2; side++) {
        const struct order_side *orders = &instrument->sides[side];
        struct side_sum sum = sum_side(engine, instrument, (enum side)side);
        bool holds = true;
        for (uint32_t slot = orders->first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next)
            holds = holds && order_holds(engine, &engine->orders.slots[slot]);
        check(engine, 1, sum.count <= instrument->limits.orders_per_side);
        check(engine, 3, sum.leaves == orders->leaves);
        check(engine, 6, holds && sum.count == orders->count);
        live += sum.count;
    }
    struct side_sum buys = sum_side(engine, instrument, SIDE_BUY);
    struct side_sum sells = sum_side(engine, instrument, SIDE_SELL);
    check(engine, 2, buys.best == 0 || sells.best == 0 || buys.best < sells.best);
    return live;
}

/* 6: position = Σ fills − fees in base; and profit is what came in less what went out, and what is held
 * at cost. */
static void audit_position(struct engine *engine, const struct instrument *instrument)
{
    const struct position *position = &instrument->position;
    check(engine, 6, position->units == position->bought - position->sold - position->base_fees);
    check(engine, 6,
          position->cost.atto >= 0 && (position->units != 0 || position->cost.atto == 0));
    money held = position->units >= 0 ? position->cost : money_negate(position->cost);
    money gain = money_add(money_subtract(position->value_sold, position->value_bought), held);
    if (instrument->definition.contract == CONTRACT_INVERSE)
        gain = money_negate(gain);
    check(engine, 6, money_compare(gain, position->realised) == 0);
}

/* What the instruments of a venue moved of one asset, without fees. */
static money flow_of(const struct engine *engine, unsigned venue, unsigned asset)
{
    money flow = MONEY_ZERO, part;
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        const struct instrument *instrument = &engine->instruments[index];
        const struct event_definition *definition = &instrument->definition;
        const struct position *position = &instrument->position;
        if (definition->venue != venue)
            continue;
        if (asset == ledger_profit_asset(definition)) {
            flow = money_add(flow, position->funding);
            flow = money_add(flow, definition->contract == CONTRACT_SPOT ? instrument->quote_flow
                                                                         : position->realised);
        }
        if (definition->contract == CONTRACT_SPOT && asset == definition->base &&
            money_from_units(position->bought - position->sold, position->exponent, &part))
            flow = money_add(flow, part);
    }
    return flow;
}

/* 6: money balances to the last unit. */
static void audit_balance(struct engine *engine, unsigned venue, unsigned asset)
{
    const struct balance *balance = ledger_balance(engine, venue, asset);
    if (!balance->used)
        return;
    check(engine, 6,
          money_compare(balance->total, money_add(balance->transfers, balance->moved)) == 0);
    money flow = flow_of(engine, venue, asset);
    check(engine, 6, money_compare(balance->moved, money_subtract(flow, balance->fees)) == 0);
}

void audit_full(struct engine *engine)
{
    uint32_t live = 0;
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        live += audit_orders(engine, &engine->instruments[index]);
        audit_position(engine, &engine->instruments[index]);
    }
    check(engine, 1, live == engine->orders.live && live <= engine->orders.capacity);
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        const struct rate *rate = &engine->venues[venue].rate;
        check(engine, 1, rate->sum <= rate->cap);
        for (unsigned asset = 0; asset < engine->asset_count; asset++)
            audit_balance(engine, venue, asset);
    }
    /* 10: time never goes back, so what is due has been done. Within a frame it waits. */
    check(engine, 10,
          engine->any_due || engine_deadline(engine) > engine->now || engine_is_done(engine));
}
