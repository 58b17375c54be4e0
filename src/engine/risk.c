/* The gates: what an order must pass before it leaves (trading-semantics 16 to 20). */
#include "engine/engine_internal.h"

#include "base/assert.h"

#define RATIO_ONE INT64_C(1000000000)

/* --- position and size ----------------------------------------------------------------------------- */

int64_t risk_position(const struct instrument *instrument)
{
    int64_t units = instrument->position.units, per = instrument->position.per_quantity;
    if (per == 1)
        return units;
    return units >= 0 ? (units + per - 1) / per : -((-units + per - 1) / per);
}

int64_t risk_scaled_size(const struct limits *limits, int64_t position, enum side side,
                         int64_t size)
{
    int64_t toward = side == SIDE_BUY ? position : -position;
    if (limits->size_band == 0 || toward < 0)
        return size;
    int64_t room = limits->position_limit - toward;
    if (room <= 0)
        return 0;
    if (room >= limits->size_band)
        return size;
    int64_t scaled = (int64_t)((int128)size * room / limits->size_band);
    return scaled - scaled % limits->quote.lot;
}

/* Rule 16: position with every order of that side that may still fill, and `more`. */
static bool exposure_allows(const struct instrument *instrument, enum side side, int64_t more)
{
    int64_t position = risk_position(instrument), worst;
    int64_t toward = side == SIDE_BUY ? position : -position;
    return !__builtin_add_overflow(toward, instrument->sides[side].leaves, &worst) &&
           !__builtin_add_overflow(worst, more, &worst) &&
           worst <= instrument->limits.position_limit;
}

bool risk_open_interest_capped(const struct instrument *instrument, int64_t now)
{
    const struct market *market = &instrument->market;
    const struct limits *limits = &instrument->limits;
    if (instrument->definition.contract == CONTRACT_SPOT ||
        (!market->open_interest.has && !limits->open_interest))
        return false;
    if (!market->open_interest.has || now - market->open_interest.ts >= limits->open_interest_age)
        return true;
    if (market->open_interest_cap.has &&
        market->open_interest.value >= market->open_interest_cap.value)
        return true;
    int64_t position = risk_position(instrument);
    int128 held = position < 0 ? -(int128)position : position;
    return held * RATIO_ONE > (int128)market->open_interest.value * limits->open_interest_share;
}

int64_t risk_reducing_size(const struct limits *limits, int64_t position, enum side side,
                           int64_t resting, int64_t size)
{
    int64_t against = side == SIDE_BUY ? -position : position;
    int64_t room = against - resting;
    if (against <= 0 || room <= 0)
        return 0;
    return size <= room ? size : room - room % limits->quote.lot;
}

/* --- price ------------------------------------------------------------------------------------------ */

bool risk_price_in_collar(const struct instrument *instrument, enum side side, int64_t price,
                          bool far_too)
{
    const struct limits *limits = &instrument->limits;
    if (instrument->reference4 <= 0)
        return false;
    /* price against reference x (1 +- collar), without a division: rounded inward by being exact. */
    int128 scaled = (int128)price * (4 * RATIO_ONE);
    int64_t up = side == SIDE_BUY ? limits->collar : limits->far_collar;
    int64_t down = side == SIDE_BUY ? limits->far_collar : limits->collar;
    bool below_top = scaled <= (int128)instrument->reference4 * (RATIO_ONE + up);
    bool above_bottom = scaled >= (int128)instrument->reference4 * (RATIO_ONE - down);
    if (far_too)
        return below_top && above_bottom;
    return side == SIDE_BUY ? below_top : above_bottom;
}

/* Another order of ours stands on the other side at that price or beyond (the set of rule 16). */
static bool crosses_own(const struct engine *engine, const struct instrument *instrument,
                        enum side side, int64_t price)
{
    enum side other = side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
    for (uint32_t slot = instrument->sides[other].first; slot != ENGINE_NO_SLOT;
         slot = engine->orders.slots[slot].next) {
        int64_t theirs = orders_worst_price(&engine->orders.slots[slot]);
        if (side == SIDE_BUY ? price >= theirs : price <= theirs)
            return true;
    }
    return false;
}

/* Post-only would be refused, or was just now at this top. */
static bool takes_top(const struct instrument *instrument, enum side side, int64_t price)
{
    const struct top_view *top = &instrument->market.top;
    enum side other = side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
    if (instrument->wait_top[side] || !top->has[other])
        return true;
    return side == SIDE_BUY ? price >= top->price[other] : price <= top->price[other];
}

bool risk_above_minimum(const struct instrument *instrument, int64_t price, int64_t quantity)
{
    if (instrument->definition.contract == CONTRACT_INVERSE)
        return quantity >= instrument->limits.minimum_raw;
    return (int128)price * quantity >= instrument->limits.minimum_raw;
}

/* --- rate ------------------------------------------------------------------------------------------- */

/* Forget what left more than a second ago. */
static void rate_advance(struct rate *rate, int64_t now)
{
    int64_t bucket = now >> ENGINE_RATE_SHIFT;
    int64_t steps = bucket - rate->bucket;
    if (steps > ENGINE_RATE_RING)
        steps = ENGINE_RATE_RING;
    for (int64_t step = steps - 1; step >= 0; step--) {
        int64_t enters = bucket - step;
        rate->sum -= rate->sent[(enters - ENGINE_RATE_BUCKETS) & (ENGINE_RATE_RING - 1)];
        rate->sent[enters & (ENGINE_RATE_RING - 1)] = 0;
        rate->sent[(enters - ENGINE_RATE_BUCKETS) & (ENGINE_RATE_RING - 1)] = 0;
    }
    if (steps > 0)
        rate->bucket = bucket;
}

bool risk_rate_allows(struct rate *rate, int64_t now, bool cancel)
{
    rate_advance(rate, now);
    return rate->sum < (cancel ? rate->cap : rate->cap - rate->reserve);
}

void risk_rate_count(struct rate *rate, int64_t now)
{
    rate_advance(rate, now);
    rate->sent[rate->bucket & (ENGINE_RATE_RING - 1)]++;
    rate->sum++;
}

/* --- gates ------------------------------------------------------------------------------------------- */

#define BIT(gate) (UINT32_C(1) << (gate))

uint32_t risk_instrument_gates(const struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct market *market = &instrument->market;
    uint32_t gates = 0;
    if (engine->carry.shutdown != SHUTDOWN_RUNNING)
        gates |= BIT(GATE_SHUTDOWN);
    if (instrument->paused)
        gates |= BIT(GATE_PAUSED);
    if (instrument->breakers.worst >= BREAKER_PAUSE)
        gates |= BIT(GATE_BREAKER);
    if (!market_has_view(market))
        gates |= BIT(GATE_UNSYNCHRONISED);
    if (instrument->breakers.state[BREAKER_STALE] != BREAKER_CLEAR)
        gates |= BIT(GATE_STALE);
    if (market->trading != TRADING_OPEN && market->trading != TRADING_POST_ONLY)
        gates |= BIT(GATE_NOT_TRADING);
    if (!engine->venues[instrument->definition.venue].reconciled)
        gates |= BIT(GATE_UNRECONCILED);
    return gates;
}

/* The gates that stand in code; the others come with their breakers. */
uint32_t risk_gates_asked(void)
{
    return BIT(GATE_SHUTDOWN) | BIT(GATE_PAUSED) | BIT(GATE_BREAKER) | BIT(GATE_UNSYNCHRONISED) |
           BIT(GATE_STALE) | BIT(GATE_NOT_TRADING) | BIT(GATE_UNRECONCILED) | BIT(GATE_NUMBER) |
           BIT(GATE_GRID) | BIT(GATE_COLLAR) | BIT(GATE_OWN_CROSS) | BIT(GATE_POST_ONLY) |
           BIT(GATE_EXPOSURE) | BIT(GATE_FUNDS) | BIT(GATE_MINIMUM_NOTIONAL) |
           BIT(GATE_ORDER_COUNT) | BIT(GATE_RATE) | BIT(GATE_TABLE_FULL) | BIT(GATE_OPEN_INTEREST);
}

static uint32_t price_gates(const struct engine *engine, const struct instrument *instrument,
                            const struct candidate *candidate)
{
    enum side side = candidate->side;
    const struct limits *limits = &instrument->limits;
    if (candidate->price <= 0 || candidate->quantity <= 0)
        return BIT(GATE_NUMBER);
    if (!limits_on_tick(limits, candidate->price) || candidate->quantity % limits->quote.lot != 0)
        return BIT(GATE_GRID);
    if (!risk_price_in_collar(instrument, side, candidate->price, true))
        return BIT(GATE_COLLAR);
    if (crosses_own(engine, instrument, side, candidate->price))
        return BIT(GATE_OWN_CROSS);
    if (takes_top(instrument, side, candidate->price))
        return BIT(GATE_POST_ONLY);
    return 0;
}

uint32_t risk_order_gates(struct engine *engine, const struct candidate *candidate,
                          const struct order *own)
{
    unsigned index = candidate->instrument;
    struct instrument *instrument = &engine->instruments[index];
    struct order_side *orders = &instrument->sides[candidate->side];
    uint32_t gates = price_gates(engine, instrument, candidate);
    if (gates != 0)
        return gates;
    /* A modify that only shrinks adds nothing: rule 16 counts the larger of old and new. */
    int64_t more = candidate->quantity - (own == NULL ? 0 : orders_worst_leaves(own));
    if (more > 0 && !exposure_allows(instrument, candidate->side, more))
        return BIT(GATE_EXPOSURE);
    if (more > 0 && risk_open_interest_capped(instrument, engine->now) &&
        risk_reducing_size(&instrument->limits, risk_position(instrument), candidate->side,
                           orders->leaves, more) < more)
        return BIT(GATE_OPEN_INTEREST);
    if (more > 0 && !ledger_has_funds(engine, index, candidate->side, candidate->price, more))
        return BIT(GATE_FUNDS);
    if (!risk_above_minimum(instrument, candidate->price, candidate->quantity))
        return BIT(GATE_MINIMUM_NOTIONAL);
    if (own == NULL && orders->count >= instrument->limits.orders_per_side)
        return BIT(GATE_ORDER_COUNT);
    if (!risk_rate_allows(&engine->venues[instrument->definition.venue].rate, engine->now, false))
        return BIT(GATE_RATE);
    if (own == NULL && engine->orders.live >= engine->orders.capacity) {
        engine_table_full(engine, "orders.capacity", (uint64_t)engine->orders.capacity + 1);
        return BIT(GATE_TABLE_FULL);
    }
    return 0;
}

void risk_block(struct engine *engine, unsigned index, enum gate gate)
{
    struct gate_state *gates = &engine->instruments[index].gates;
    engine->counters.gate_blocked[gate]++;
    gates->blocked_now |= BIT(gate);
    gates->blocked[gate]++;
}

void risk_gate_edges(struct engine *engine, unsigned index)
{
    struct gate_state *gates = &engine->instruments[index].gates;
    uint32_t changed = gates->blocking ^ gates->blocked_now;
    for (unsigned gate = 0; changed != 0; gate++, changed >>= 1) {
        if ((changed & 1) == 0)
            continue;
        bool blocks = (gates->blocked_now & BIT(gate)) != 0;
        engine_emit(engine, EVENT_gate, index)->gate = (struct event_gate){
            .instrument = (uint16_t)index,
            .gate = (uint8_t)gate,
            .blocking = blocks,
            .blocked = gates->blocked[gate],
        };
        if (!blocks)
            gates->blocked[gate] = 0;
    }
    gates->blocking = gates->blocked_now;
    gates->blocked_now = 0;
}
