/* The gates: what an order must pass before it leaves (trading-semantics 16 to 20). */
#include "engine/engine_internal.h"
#include "engine/status.h"

#include "base/assert.h"

#define RATIO_ONE INT64_C(1000000000)

/* --- position and size ----------------------------------------------------------------------------- */

int64_t risk_position(const struct instrument *instrument)
{
    int64_t units = instrument->position.units, per = instrument->position.per_quantity;
    if (per == 1)
        return units;
    int64_t whole = units / per, rest = units % per;
    return whole + (rest > 0) - (rest < 0);
}

int64_t risk_scaled_size(const struct limits *limits, int64_t position, enum side side,
                         int64_t size)
{
    if (risk_size_is_whole(limits, position, side))
        return size;
    int64_t room = limits->position_limit - (side == SIDE_BUY ? position : -position);
    if (room <= 0)
        return 0;
    int64_t scaled = (int64_t)((int128)size * room / limits->size_band);
    return scaled - scaled % limits->quote.lot;
}

/* All that may still fill on a side, of our orders and of those that only the venue knows. */
static int128 side_leaves(const struct engine *engine, unsigned index, enum side side)
{
    return engine->instruments[index].sides[side].leaves + sync_orphan_leaves(engine, index, side);
}

/* Rule 16: position with every order of that side that may still fill, and `more`. Venues tell positions and
 * leaves of any size: the sum is wider than they are. */
static bool exposure_allows(const struct engine *engine, unsigned index, enum side side,
                            int64_t more)
{
    const struct instrument *instrument = &engine->instruments[index];
    int128 position = risk_position(instrument);
    int128 toward = side == SIDE_BUY ? position : -position;
    return toward + side_leaves(engine, index, side) + more <= instrument->limits.position_limit;
}

int64_t risk_side_leaves(const struct engine *engine, unsigned index, enum side side)
{
    int128 sum = side_leaves(engine, index, side);
    return sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
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
    if (against <= 0 || resting >= against)
        return 0;
    int64_t room = against - resting;
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

static bool reaches(enum side side, int64_t price, int64_t theirs)
{
    return side == SIDE_BUY ? price >= theirs : price <= theirs;
}

/* So does an order that only the venue knows, of ours or of whoever shares the account. */
static bool crosses_orphan(const struct engine *engine, unsigned index, enum side side,
                           int64_t price)
{
    for (uint32_t i = 0; i < engine->orphans.count; i++) {
        const struct orphan *orphan = &engine->orphans.list[i];
        if (orphan->judged && orphan->instrument == index && orphan->side != side &&
            (!orphan->priced || reaches(side, price, orphan->price)))
            return true;
    }
    return false;
}

/* Another order stands on the other side at that price or beyond (the set of rule 16), or may: one whose price
 * nobody knows. */
static bool crosses_own(const struct engine *engine, unsigned index, enum side side, int64_t price)
{
    enum side other = side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
    for (uint32_t slot = engine->instruments[index].sides[other].first; slot != ENGINE_NO_SLOT;
         slot = engine->orders.slots[slot].next) {
        const struct order *order = &engine->orders.slots[slot];
        if (order->unpriced || reaches(side, price, orders_worst_price(order)))
            return true;
    }
    return crosses_orphan(engine, index, side, price);
}

/* Post-only would be refused, or was at this top. */
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

/* --- gates ------------------------------------------------------------------------------------------- */

#define BIT(gate) (UINT32_C(1) << (gate))

static bool shuts_down(const struct engine *engine, unsigned index)
{
    (void)index;
    return engine->carry.shutdown != SHUTDOWN_RUNNING;
}

static bool is_paused(const struct engine *engine, unsigned index)
{
    return engine->instruments[index].paused;
}

static bool breaker_holds(const struct engine *engine, unsigned index)
{
    return engine->instruments[index].breakers.worst >= BREAKER_PAUSE;
}

static bool is_unsynchronised(const struct engine *engine, unsigned index)
{
    return !market_has_view(&engine->instruments[index].market);
}

static bool is_stale(const struct engine *engine, unsigned index)
{
    return engine->instruments[index].breakers.state[BREAKER_STALE] != BREAKER_CLEAR;
}

static bool does_not_trade(const struct engine *engine, unsigned index)
{
    uint8_t trading = engine->instruments[index].market.trading;
    return trading != TRADING_OPEN && trading != TRADING_POST_ONLY;
}

static bool is_cold(const struct engine *engine, unsigned index)
{
    return !signals_are_warm(engine, index);
}

static bool is_unreconciled(const struct engine *engine, unsigned index)
{
    return !engine->venues[engine->instruments[index].definition.venue].reconciled;
}

static bool rate_is_short(const struct engine *engine, unsigned index)
{
    return rate_blocks(engine, engine->instruments[index].definition.venue);
}

static bool infrastructure_is_open(const struct engine *engine, unsigned index)
{
    return infrastructure_database_blocks(engine) ||
           infrastructure_blocks(engine, engine->instruments[index].definition.venue);
}

/* Gates of an instrument as a whole: X(gate, what blocks it). While one blocks nothing is placed and nothing
 * modified. */
#define INSTRUMENT_GATES(X)                                                                        \
    X(GATE_SHUTDOWN, shuts_down)                                                                   \
    X(GATE_PAUSED, is_paused)                                                                      \
    X(GATE_BREAKER, breaker_holds)                                                                 \
    X(GATE_UNSYNCHRONISED, is_unsynchronised)                                                      \
    X(GATE_STALE, is_stale)                                                                        \
    X(GATE_NOT_TRADING, does_not_trade)                                                            \
    X(GATE_WARM_UP, is_cold)                                                                       \
    X(GATE_UNRECONCILED, is_unreconciled)                                                          \
    X(GATE_RATE, rate_is_short)                                                                    \
    X(GATE_DRAWDOWN, profit_is_drawn_down)                                                         \
    X(GATE_REFERENCE_RATE, profit_lacks_rate)                                                      \
    X(GATE_INFRASTRUCTURE, infrastructure_is_open)                                                 \
    X(GATE_SAFETY, alarms_stop)                                                                    \
    X(GATE_ORDERS_STREAM, orders_stream_blocks)

uint32_t risk_instrument_gates(const struct engine *engine, unsigned index)
{
    uint32_t gates = 0;
#define X(gate, blocks) gates |= (uint32_t)blocks(engine, index) << gate;
    INSTRUMENT_GATES(X)
#undef X
    return gates & ~engine->gates_off;
}

uint32_t engine_instrument_gates(void)
{
    uint32_t gates = 0;
#define X(gate, blocks) gates |= BIT(gate);
    INSTRUMENT_GATES(X)
#undef X
    return gates;
}

uint32_t risk_gates_asked(void)
{
    return BIT(GATE_COUNT) - 1;
}

/* A new order or modify that a gate is asked of. */
struct order_question {
    const struct candidate *candidate;
    const struct order *own; /* that a modify changes, else NULL */
    int64_t more;            /* quantity that is added; a modify that only shrinks adds nothing:
                                rule 16 counts the larger of old and new */
};

static struct instrument *asked_instrument(struct engine *engine,
                                           const struct order_question *question)
{
    return &engine->instruments[question->candidate->instrument];
}

static bool is_no_number(struct engine *engine, const struct order_question *question)
{
    (void)engine;
    return question->candidate->price <= 0 || question->candidate->quantity <= 0;
}

static bool is_off_grid(struct engine *engine, const struct order_question *question)
{
    const struct limits *limits = &asked_instrument(engine, question)->limits;
    return !limits_on_tick(limits, question->candidate->price) ||
           question->candidate->quantity % limits->quote.lot != 0;
}

static bool is_outside_collar(struct engine *engine, const struct order_question *question)
{
    return !risk_price_in_collar(asked_instrument(engine, question), question->candidate->side,
                                 question->candidate->price, true);
}

static bool meets_own(struct engine *engine, const struct order_question *question)
{
    return crosses_own(engine, question->candidate->instrument, question->candidate->side,
                       question->candidate->price);
}

static bool would_take(struct engine *engine, const struct order_question *question)
{
    return takes_top(asked_instrument(engine, question), question->candidate->side,
                     question->candidate->price);
}

/* An order or edit of the side or its level was refused a while ago. */
static bool was_refused(struct engine *engine, const struct order_question *question)
{
    const struct candidate *candidate = question->candidate;
    return refusals_hold(asked_instrument(engine, question), candidate->side, candidate->level,
                         engine->now);
}

static bool exceeds_exposure(struct engine *engine, const struct order_question *question)
{
    return question->more > 0 && !exposure_allows(engine, question->candidate->instrument,
                                                  question->candidate->side, question->more);
}

/* Rules 19 and 22: what would add where nothing may. */
static bool adds_to(struct engine *engine, const struct order_question *question)
{
    const struct instrument *instrument = asked_instrument(engine, question);
    enum side side = question->candidate->side;
    return question->more > 0 &&
           risk_reducing_size(&instrument->limits, risk_position(instrument), side,
                              risk_side_leaves(engine, question->candidate->instrument, side),
                              question->more) < question->more;
}

uint32_t risk_caps(const struct engine *engine, unsigned index)
{
    uint32_t caps = 0;
    if (risk_open_interest_capped(&engine->instruments[index], engine->now))
        caps |= BIT(GATE_OPEN_INTEREST);
    if (profit_is_at_daily_loss(engine, index))
        caps |= BIT(GATE_DAILY_LOSS);
    return caps & ~engine->gates_off;
}

void risk_block_caps(struct engine *engine, unsigned index, uint32_t caps)
{
    for (unsigned gate = 0; caps != 0; gate++, caps >>= 1)
        if (caps & 1)
            risk_block(engine, index, (enum gate)gate);
}

static bool adds_at_open_interest_cap(struct engine *engine, const struct order_question *question)
{
    return risk_open_interest_capped(asked_instrument(engine, question), engine->now) &&
           adds_to(engine, question);
}

static bool adds_at_daily_loss(struct engine *engine, const struct order_question *question)
{
    return profit_is_at_daily_loss(engine, question->candidate->instrument) &&
           adds_to(engine, question);
}

static bool lacks_funds(struct engine *engine, const struct order_question *question)
{
    return !ledger_has_funds(engine, question->candidate, question->own);
}

static bool is_below_minimum(struct engine *engine, const struct order_question *question)
{
    return !risk_above_minimum(asked_instrument(engine, question), question->candidate->price,
                               question->candidate->quantity);
}

static bool is_one_too_many(struct engine *engine, const struct order_question *question)
{
    const struct instrument *instrument = asked_instrument(engine, question);
    return question->own == NULL &&
           instrument->sides[question->candidate->side].count >= instrument->limits.orders_per_side;
}

static bool is_over_rate(struct engine *engine, const struct order_question *question)
{
    unsigned venue = asked_instrument(engine, question)->definition.venue;
    return !rate_allows(&engine->venues[venue].rate, engine->now, false);
}

static bool table_is_full(struct engine *engine, const struct order_question *question)
{
    if (question->own != NULL || engine->orders.live < engine->orders.capacity)
        return false;
    engine_table_full(engine, "orders.capacity", (uint64_t)engine->orders.capacity + 1);
    return true;
}

/* Gates of one new order or modify, in the order in which they are asked: X(gate, what blocks it). */
#define ORDER_GATES(X)                                                                             \
    X(GATE_NUMBER, is_no_number)                                                                   \
    X(GATE_GRID, is_off_grid)                                                                      \
    X(GATE_COLLAR, is_outside_collar)                                                              \
    X(GATE_OWN_CROSS, meets_own)                                                                   \
    X(GATE_POST_ONLY, would_take)                                                                  \
    X(GATE_REFUSED, was_refused)                                                                   \
    X(GATE_EXPOSURE, exceeds_exposure)                                                             \
    X(GATE_OPEN_INTEREST, adds_at_open_interest_cap)                                               \
    X(GATE_DAILY_LOSS, adds_at_daily_loss)                                                         \
    X(GATE_FUNDS, lacks_funds)                                                                     \
    X(GATE_MINIMUM_NOTIONAL, is_below_minimum)                                                     \
    X(GATE_ORDER_COUNT, is_one_too_many)                                                           \
    X(GATE_RATE, is_over_rate)                                                                     \
    X(GATE_TABLE_FULL, table_is_full)

uint32_t risk_order_gates(struct engine *engine, const struct candidate *candidate,
                          const struct order *own)
{
    const struct order_question question = {
        .candidate = candidate,
        .own = own,
        .more = candidate->quantity - (own == NULL ? 0 : orders_worst_leaves(own)),
    };
#define X(gate, blocks)                                                                            \
    if (!risk_is_off(engine, gate) && blocks(engine, &question))                                   \
        return BIT(gate);
    ORDER_GATES(X)
#undef X
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
