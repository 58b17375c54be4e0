/* The invariants of the engine, each done again from scratch: what a check reads is
 * never what it checks. */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/assert.h"
#include "engine/day.h"

#define RATIO_ONE INT64_C(1000000000)

void engine_violation_of(struct engine *engine, unsigned invariant, const char *what)
{
    struct engine_counters *counters = &engine->counters;
    ASSERT(invariant <
           sizeof counters->violations_by_invariant / sizeof counters->violations_by_invariant[0]);
    counters->invariant_violations++;
    counters->violations_by_invariant[invariant]++;
    if (counters->violation == NULL)
        counters->violation = what;
}

void engine_violation(struct engine *engine, unsigned invariant)
{
    static const char *const words[] = {
        [6] = "money or quantities that can't be booked",
        [10] = "a message is older than the one before",
    };
    bool known = invariant < sizeof words / sizeof words[0] && words[invariant] != NULL;
    engine_violation_of(engine, invariant, known ? words[invariant] : "");
}

static void check(struct engine *engine, unsigned invariant, bool holds, const char *what)
{
    engine->counters.invariant_checks++;
    if (__builtin_expect(!holds, 0))
        engine_violation_of(engine, invariant, what);
}

/* --- sums of a side ------------------------------------------------------------------------------- */

struct side_sum {
    int128 leaves;
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

/* 2: finite, on grid, above minimum notional. */
static bool numbers_are_sound(const struct instrument *instrument, int64_t price, int64_t quantity)
{
    const struct event_definition *definition = &instrument->definition;
    if (price <= 0 || quantity <= 0 || price % definition->tick != 0 ||
        quantity % definition->lot != 0)
        return false;
    int128 raw = definition->contract == CONTRACT_INVERSE ? quantity : (int128)price * quantity;
    return raw >= instrument->limits.minimum_raw;
}

/* 2: inside the collar around a fresh reference, on the near and on the far side. */
static bool is_inside_collar(struct engine *engine, struct instrument *instrument, enum side side,
                             int64_t price)
{
    int64_t reference4 = market_reference4(&instrument->market, engine->now);
    int64_t above = side == SIDE_BUY ? instrument->limits.collar : instrument->limits.far_collar;
    int64_t below = side == SIDE_BUY ? instrument->limits.far_collar : instrument->limits.collar;
    int128 scaled = (int128)price * 4 * RATIO_ONE;
    return reference4 > 0 && scaled <= (int128)reference4 * (RATIO_ONE + above) &&
           scaled >= (int128)reference4 * (RATIO_ONE - below);
}

/* 2: an order that only the venue knows stands, or may stand, where this one would meet it. */
static bool meets_orphan(const struct engine *engine, const struct candidate *candidate)
{
    const bool buy = candidate->side == SIDE_BUY;
    for (uint32_t i = 0; i < engine->orphans.count; i++) {
        const struct orphan *orphan = &engine->orphans.list[i];
        if (!orphan->judged || orphan->instrument != candidate->instrument ||
            orphan->side == candidate->side)
            continue;
        if (!orphan->priced ||
            (buy ? candidate->price >= orphan->price : candidate->price <= orphan->price))
            return true;
    }
    return false;
}

/* 2: why an order may not leave; NULL where it may. */
static const char *unsound(struct engine *engine, const struct candidate *candidate)
{
    struct instrument *instrument = &engine->instruments[candidate->instrument];
    const bool buy = candidate->side == SIDE_BUY;
    struct side_sum other = sum_side(engine, instrument, buy ? SIDE_SELL : SIDE_BUY);
    if (!numbers_are_sound(instrument, candidate->price, candidate->quantity))
        return "an order off the grid or below the minimum notional";
    if (!is_inside_collar(engine, instrument, candidate->side, candidate->price))
        return "an order outside the collar";
    if (other.best != 0 && (buy ? candidate->price >= other.best : candidate->price <= other.best))
        return "an order that crosses our own";
    if (meets_orphan(engine, candidate))
        return "an order that crosses one that only the venue knows";
    return NULL;
}

/* 4: nothing that must keep the instrument from quoting is so now. */
static bool may_quote(const struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct market *market = &instrument->market;
    unsigned venue = instrument->definition.venue;
    for (unsigned breaker = 0; breaker < BREAKER_COUNT; breaker++)
        if (instrument->breakers.state[breaker] >= BREAKER_PAUSE)
            return false;
    if (engine->carry.shutdown != SHUTDOWN_RUNNING || instrument->paused || instrument->pulled)
        return false;
    if (!book_is_synchronised(market->book) || market->gap || !market->top.has[SIDE_BUY] ||
        !market->top.has[SIDE_SELL] ||
        engine->now - market->view_ts >= instrument->limits.stale_after)
        return false;
    if (market->trading != TRADING_OPEN && market->trading != TRADING_POST_ONLY)
        return false;
    return engine->venues[venue].reconciled && signals_are_warm(engine, index) &&
           !profit_is_drawn_down(engine, index) && !profit_lacks_rate(engine, index) &&
           !infrastructure_blocks(engine, venue) && !infrastructure_database_blocks(engine) &&
           !alarms_stop(engine, index) && !orders_stream_is_lost(engine, venue);
}

/* What orders that only the venue knows may fill. */
static int128 orphan_leaves(const struct engine *engine, unsigned instrument, unsigned side)
{
    int128 sum = 0;
    for (uint32_t i = 0; i < engine->orphans.count; i++) {
        const struct orphan *orphan = &engine->orphans.list[i];
        if (orphan->judged && orphan->instrument == instrument && orphan->side == side)
            sum += orphan->leaves;
    }
    return sum;
}

void audit_send(struct engine *engine, const struct candidate *candidate)
{
    struct instrument *instrument = &engine->instruments[candidate->instrument];
    const struct order *own =
        candidate->want == WANT_MODIFY ? orders_find(engine, candidate->order) : NULL;
    const struct rate *rate = &engine->venues[instrument->definition.venue].rate;
    const enum side side = candidate->side;
    struct side_sum sum = sum_side(engine, instrument, side);
    const char *why = unsound(engine, candidate);
    int64_t position = risk_position(instrument);
    int64_t before = own == NULL ? 0 : orders_worst_leaves(own);
    int64_t after = candidate->quantity > before ? candidate->quantity : before;
    int128 worst = (int128)(side == SIDE_BUY ? position : -position) + sum.leaves - before + after +
                   orphan_leaves(engine, candidate->instrument, side);
    check(engine, 1, sum.count + (own == NULL) <= instrument->limits.orders_per_side,
          "one order too many on a side");
    check(engine, 1, own != NULL || engine->orders.live < engine->orders.capacity,
          "one order too many for the table");
    check(engine, 1, rate->sum < rate->cap - rate->reserve,
          "one message too many in a second beside what is kept for cancels");
    check(engine, 1,
          rate->day_cap == 0 || rate->day != day_start(DAY_UTC, engine->now) ||
              rate->day_sent < rate->day_cap - rate->day_reserve,
          "one message too many in a day beside what is kept for cancels");
    check(engine, 1,
          engine->now >= rate->refused_until &&
              (engine->now >= rate->told_resets || rate->told_left > 0),
          "a new order while the venue takes none");
    check(engine, 2, why == NULL, why);
    check(engine, 3, after == before || worst <= instrument->limits.position_limit,
          "exposure above the position limit");
    check(engine, 4, may_quote(engine, candidate->instrument), "a new order where none may leave");
    check(engine, 4,
          after == before || !profit_is_at_daily_loss(engine, candidate->instrument) || worst <= 0,
          "an order that adds to the position after the daily loss");
}

/* --- the full audit --------------------------------------------------------------------------------- */

/* 6: each order in a state that its figures allow; none of its trades twice. */
static bool order_holds(const struct engine *engine, const struct order *order)
{
    const struct order_table *table = &engine->orders;
    if (!order_state_holds(order->state, order->quantity, order->leaves, order->filled, true))
        return false;
    for (uint32_t a = orders_newest_trade(table, order->id, order->last_trade); a != ENGINE_NO_SLOT;
         a = orders_trade_before(table, a))
        for (uint32_t b = orders_trade_before(table, a); b != ENGINE_NO_SLOT;
             b = orders_trade_before(table, b))
            if (memcmp(&table->trades[a].id, &table->trades[b].id, sizeof table->trades[a].id) == 0)
                return false;
    return true;
}

/* 6: an order holds what its worst case needs: of quote, or base, at a spot venue; elsewhere nothing. */
static bool reserve_holds(const struct engine *engine, const struct order *order)
{
    money need = MONEY_ZERO;
    if (engine->instruments[order->instrument].definition.contract == CONTRACT_SPOT &&
        !ledger_reserve_need(engine, order->instrument, order->side, orders_worst_price(order),
                             orders_worst_leaves(order), &need))
        return true; /* that was told as more than can be booked */
    return money_compare(need, order->reserved) == 0;
}

static uint32_t audit_orders(struct engine *engine, struct instrument *instrument)
{
    const unsigned index = (unsigned)(instrument - engine->instruments);
    uint32_t live = 0;
    for (int side = 0; side < 2; side++) {
        const struct order_side *orders = &instrument->sides[side];
        struct side_sum sum = sum_side(engine, instrument, (enum side)side);
        bool holds = true, reserves = true;
        uint32_t going = 0;
        for (uint32_t slot = orders->first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next) {
            const struct order *order = &engine->orders.slots[slot];
            holds = holds && order_holds(engine, order);
            reserves = reserves && reserve_holds(engine, order);
            going += order->state == ORDER_PENDING_CANCEL;
        }
        check(engine, 6, reserves, "an order holds another part of a balance than it may need");
        check(engine, 6, going == orders->going, "orders that go are not those of the side");
        check(engine, 3,
              instrument->sync.orphan_leaves[side] == INT64_MAX ||
                  instrument->sync.orphan_leaves[side] == orphan_leaves(engine, index, side),
              "leaves that only the venue knows are not those of its orders");
        check(engine, 1, sum.count <= instrument->limits.orders_per_side,
              "too many orders on a side");
        check(engine, 3, sum.leaves == orders->leaves,
              "leaves of a side are not those of its orders");
        check(engine, 6, holds && sum.count == orders->count,
              "an order with figures that its state does not allow, or a trade twice");
        live += sum.count;
    }
    struct side_sum buys = sum_side(engine, instrument, SIDE_BUY);
    struct side_sum sells = sum_side(engine, instrument, SIDE_SELL);
    check(engine, 2, buys.best == 0 || sells.best == 0 || buys.best < sells.best,
          "our own orders cross");
    return live;
}

/* 6: position = Σ fills − fees in base + what an operator adopted; and profit is what came in less what went
 * out, and what is held at cost. */
static void audit_position(struct engine *engine, const struct instrument *instrument)
{
    const struct position *position = &instrument->position;
    check(engine, 6,
          position->units ==
              position->bought - position->sold - position->base_fees + position->adopted,
          "the position is not the sum of its fills and of what was adopted");
    check(engine, 6, position->cost.atto >= 0 && (position->units != 0 || position->cost.atto == 0),
          "a cost without a position");
    money held = position->units >= 0 ? position->cost : money_negate(position->cost);
    money gain = engine_add(
        engine, engine_subtract(engine, position->value_sold, position->value_bought), held);
    gain = engine_subtract(engine, gain, position->value_adopted);
    if (instrument->definition.contract == CONTRACT_INVERSE)
        gain = money_negate(gain);
    check(engine, 6, money_compare(gain, position->realised) == 0,
          "profit is not what came in less what went out");
}

/* What the orders on the sides of a venue's spot instruments hold of each asset. A list that bites its tail ends. */
static void sum_reserved(const struct engine *engine, unsigned venue, money *sums)
{
    const struct order_table *table = &engine->orders;
    for (unsigned asset = 0; asset < engine->asset_count; asset++)
        sums[asset] = MONEY_ZERO;
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        const struct instrument *instrument = &engine->instruments[index];
        const struct event_definition *definition = &instrument->definition;
        if (definition->venue != venue || definition->contract != CONTRACT_SPOT)
            continue;
        for (unsigned side = 0; side < 2; side++) {
            money *sum = &sums[side == SIDE_BUY ? definition->quote : definition->base];
            uint32_t count = 0;
            for (uint32_t slot = instrument->sides[side].first;
                 slot <= table->mask && count < table->capacity;
                 slot = table->slots[slot].next, count++)
                (void)money_try_add(*sum, table->slots[slot].reserved, sum); /* else it differs */
        }
    }
}

static bool reserved_holds(const struct engine *engine, unsigned venue, unsigned asset,
                           const money *sums)
{
    size_t at = (size_t)venue * engine->asset_count + asset;
    return money_compare(sums[asset], engine->balances[at].reserved) == 0;
}

/* 4: the worst of the breakers, and whether one widens. */
static void audit_breakers(struct engine *engine, const struct instrument *instrument)
{
    const struct breakers *breakers = &instrument->breakers;
    uint8_t worst = BREAKER_CLEAR;
    for (unsigned breaker = 0; breaker < BREAKER_COUNT; breaker++)
        if (breakers->state[breaker] > worst)
            worst = breakers->state[breaker];
    check(engine, 4, worst == breakers->worst && breakers->widen == (worst >= BREAKER_WIDEN),
          "the worst breaker is another");
}

money audit_flow_of(struct engine *engine, unsigned venue, unsigned asset)
{
    money flow = MONEY_ZERO, part;
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        const struct instrument *instrument = &engine->instruments[index];
        const struct event_definition *definition = &instrument->definition;
        const struct position *position = &instrument->position;
        if (definition->venue != venue)
            continue;
        if (asset == ledger_profit_asset(definition)) {
            flow = engine_add(engine, flow, position->funding);
            flow = engine_add(engine, flow,
                              definition->contract == CONTRACT_SPOT ? instrument->quote_flow
                                                                    : position->realised);
        }
        if (definition->contract == CONTRACT_SPOT && asset == definition->base &&
            money_from_units(position->bought - position->sold, position->exponent, &part))
            flow = engine_add(engine, flow, part);
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
          money_compare(balance->total, engine_add(engine, balance->transfers, balance->moved)) ==
              0,
          "a balance is not what came and what moved");
    money flow = audit_flow_of(engine, venue, asset);
    check(engine, 6,
          money_compare(balance->moved, engine_subtract(engine, flow, balance->fees)) == 0,
          "a balance did not move by fills, fees and funding");
}

/* 6: what is worth something that nobody knows is counted once. */
static bool unknown_holds(const struct engine *engine)
{
    unsigned unknown = 0;
    for (unsigned index = 0; index < engine->instrument_count; index++)
        unknown += engine->instruments[index].profit.unknown;
    for (unsigned asset = 0; asset < engine->asset_count; asset++)
        unknown += engine->profit.assets[asset].unknown;
    return unknown == engine->profit.unknown;
}

/* 6: an asset's sum is that of its instruments, less the fees of others; its worth is that of the sum at the rate as it
 * stands now. */
static void audit_asset(struct engine *engine, unsigned asset)
{
    const struct asset_profit *at = &engine->profit.assets[asset];
    money sum = money_negate(at->fees), worth;
    for (unsigned index = 0; index < engine->instrument_count; index++)
        if (ledger_profit_asset(&engine->instruments[index].definition) == asset)
            sum = engine_add(engine, sum, engine->instruments[index].profit.worth);
    check(engine, 6, money_compare(sum, at->sum) == 0,
          "an asset's profit is not that of its instruments, less fees");
    check(engine, 6,
          !profit_convert(engine, asset, at->sum, &worth) || money_compare(worth, at->worth) == 0,
          "an asset's profit is not converted at the rate that stands");
    if (at->instrument == EVENT_NONE_16)
        return;
    const struct market *market = &engine->instruments[at->instrument].market;
    const struct top_view *top = &market->top;
    check(engine, 6,
          !market_has_view(market) || top->price[SIDE_BUY] >= top->price[SIDE_SELL] ||
              (top->price[SIDE_BUY] == at->rate.bid && top->price[SIDE_SELL] == at->rate.ask),
          "a rate is not that of its instrument");
}

/* 6: the account's profit, which is kept by differences, is what all its parts are worth now. */
static void audit_profit(struct engine *engine)
{
    const struct profit *profit = &engine->profit;
    money worth, sum = MONEY_ZERO;
    if (!profit->on || !engine->started)
        return;
    check(engine, 6, unknown_holds(engine), "parts of the profit that nobody knows are miscounted");
    for (unsigned asset = 0; asset < engine->asset_count; asset++)
        audit_asset(engine, asset);
    if (profit->unknown > 0)
        return;
    check(engine, 6,
          profit->drawn_down || !profit->has_mark ||
              money_compare(profit->profit, profit->peak) <= 0,
          "the profit is above its peak");
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        const struct instrument *instrument = &engine->instruments[index];
        const struct position *position = &instrument->position;
        int64_t mark2;
        bool stale;
        worth = MONEY_ZERO;
        bool known = position->units == 0 ||
                     (market_mark2(&instrument->market, engine->now, &mark2, &stale) &&
                      position_unrealised(position, &instrument->definition, mark2, &worth));
        worth =
            engine_add(engine, worth, engine_subtract(engine, position->realised, position->fees));
        worth = engine_add(engine, worth, position->funding);
        check(engine, 6, known && money_compare(worth, instrument->profit.worth) == 0,
              "an instrument's worth in the account's profit is not what it is now");
    }
    for (unsigned asset = 0; asset < engine->asset_count; asset++)
        sum = engine_add(engine, sum, profit->assets[asset].worth);
    check(engine, 6, money_compare(sum, profit->profit) == 0,
          "the account's profit is not the sum of its assets");
}

void audit_full(struct engine *engine)
{
    uint32_t live = 0;
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        live += audit_orders(engine, &engine->instruments[index]);
        audit_position(engine, &engine->instruments[index]);
        audit_breakers(engine, &engine->instruments[index]);
    }
    check(engine, 1, live == engine->orders.live && live <= engine->orders.capacity,
          "live orders are not those of the table, or too many");
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        const struct rate *rate = &engine->venues[venue].rate;
        check(engine, 1, rate->sum <= rate->cap, "too many messages in a second");
        check(engine, 1, rate_holds(rate), "messages of a second are counted that never left");
        money reserved[EVENT_ASSETS_MAX];
        sum_reserved(engine, venue, reserved);
        for (unsigned asset = 0; asset < engine->asset_count; asset++) {
            audit_balance(engine, venue, asset);
            check(engine, 6, reserved_holds(engine, venue, asset, reserved),
                  "what orders hold of a balance is not the sum of them");
        }
    }
    if (engine->within_frame)
        return; /* what is due, and what changed of the profit, waits for the frame's last message */
    audit_profit(engine);
    /* 10: time never goes back, so what is due has been done; after a shutdown nothing is due any more. */
    check(engine, 10, engine_deadline(engine) > engine->now && timers_common_holds(engine),
          "something due was not done");
}

/* --- our own book, whatever stands there --------------------------------------------------------------- */

/* A side's list is walked no further than there are slots, so that a list which bites its tail ends. */
static bool side_holds(const struct engine *engine, unsigned index, unsigned side)
{
    const struct order_table *table = &engine->orders;
    const struct order_side *orders = &engine->instruments[index].sides[side];
    uint32_t count = 0, previous = ENGINE_NO_SLOT;
    int128 leaves = 0;
    for (uint32_t slot = orders->first; slot != ENGINE_NO_SLOT; slot = table->slots[slot].next) {
        if (slot > table->mask || ++count > table->capacity)
            return false;
        const struct order *order = &table->slots[slot];
        if (order->instrument != index || order->side != side || order->previous != previous ||
            (((uint32_t)order->id - 1) & table->mask) != slot || !order_holds(engine, order))
            return false;
        leaves += orders_worst_leaves(order);
        previous = slot;
    }
    return previous == orders->last && count == orders->count && leaves == orders->leaves;
}

bool audit_own_orders(const struct engine *engine, unsigned instrument)
{
    const struct sync_instrument *sync = &engine->instruments[instrument].sync;
    for (unsigned side = 0; side < 2; side++)
        if (!side_holds(engine, instrument, side) ||
            (sync->orphan_leaves[side] != INT64_MAX &&
             sync->orphan_leaves[side] != orphan_leaves(engine, instrument, side)))
            return false;
    return true;
}

static bool is_live(const struct order *order)
{
    return order->state < ORDER_STATE_COUNT && order_state_is_live(order->state);
}

bool audit_own_count(const struct engine *engine)
{
    const struct order_table *table = &engine->orders;
    uint32_t live = 0;
    for (uint32_t slot = 0; slot <= table->mask; slot++)
        live += is_live(&table->slots[slot]);
    return live == table->live;
}

bool audit_own_sums(const struct engine *engine, unsigned venue)
{
    money sums[EVENT_ASSETS_MAX];
    bool holds = true;
    sum_reserved(engine, venue, sums);
    for (unsigned asset = 0; asset < engine->asset_count; asset++)
        holds = holds && reserved_holds(engine, venue, asset, sums);
    return holds;
}
