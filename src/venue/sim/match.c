/* What market data does to our resting orders, and what our orders take: queue, through, cross,
 * take (trading-semantics 4 to 7). */
#include "base/assert.h"
#include "venue/sim/state.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- fills ----------------------------------------------------------------------------------- */

/* One fill, answered. Ends the order where nothing is left of it. */
static void fill(struct sim *sim, struct sim_order *order, int64_t price, int64_t quantity,
                 enum fill_cause cause)
{
    ASSERT(quantity > 0 && quantity <= order->left);
    const struct event_definition *definition = &sim->instruments[order->instrument].definition;
    enum liquidity liquidity = cause == FILL_TAKE ? LIQUIDITY_TAKER : LIQUIDITY_MAKER;
    money fee;
    uint16_t fee_asset;
    order->left -= quantity;
    order->filled += quantity;
    sim_account_fill(sim, order, price, quantity, liquidity, &fee, &fee_asset);
    if (order->left == 0)
        sim_order_end(sim, order, SIM_FILLED);
    sim_funds_hold(sim, order);
    sim->stats.fills_by_cause[cause]++;
    struct event_order_filled *answer =
        &sim_answer_new(sim, definition->venue, EVENT_order_filled, order->instrument)
             ->order_filled;
    *answer = (struct event_order_filled){.instrument = order->instrument,
                                          .order = order->id,
                                          .trade = sim_venue_id("sim-", ++sim->trade_number),
                                          .side = order->side,
                                          .price = {price, NUMBER_VALUE},
                                          .quantity = {quantity, NUMBER_VALUE},
                                          .leaves = {order->left, NUMBER_VALUE},
                                          .cause = (uint8_t)cause,
                                          .liquidity = (uint8_t)liquidity,
                                          .fee = fee,
                                          .fee_asset = fee_asset};
    sim_fill_keep(sim, order, answer);
}

/* Whether anything can fill: not in a gap, not while trading stands still. */
static bool is_matching(const struct sim_instrument *instrument)
{
    return book_is_synchronised(instrument->book) &&
           (instrument->trading == TRADING_OPEN || instrument->trading == TRADING_POST_ONLY);
}

/* --- trades ---------------------------------------------------------------------------------- */

/* A trade goes through our orders at better prices, then through the queue at its own. What one of
 * our orders got another can't get; what was ahead of several of them is the same quantity. */
static void take_trade(struct sim *sim, unsigned instrument, const struct row *trade)
{
    enum side side = trade->flags & ROW_SELL ? SIDE_BUY : SIDE_SELL;
    int64_t unused = trade->quantity;
    struct sim_order *order = sim_order_best(sim, instrument, side), *next;
    for (; order; order = next) {
        next = sim_order_next(sim, order);
        if (sim_price_is_better(side, trade->price, order->price))
            return;
        enum fill_cause cause = FILL_QUEUE;
        int64_t reaches = unused;
        if (trade->price != order->price) {
            cause = FILL_THROUGH;
            order->ahead = 0;
        } else if (order->ahead == SIM_AHEAD_UNKNOWN) {
            continue;
        } else {
            int64_t eaten = least(order->ahead, unused);
            order->ahead -= eaten;
            reaches -= eaten;
        }
        int64_t quantity = least(order->left, reaches);
        if (quantity > 0) {
            unused -= quantity;
            fill(sim, order, order->price, quantity, cause);
        }
    }
}

static bool is_market_trade(const struct row *row)
{
    return !(row->flags & ROW_NOT_MARKET) && row->price_status == NUMBER_VALUE &&
           row->quantity_status == NUMBER_VALUE && row->price > 0 && row->quantity > 0;
}

void sim_take_trades(struct sim *sim, unsigned instrument, const struct message *message)
{
    const struct sim_instrument *at = &sim->instruments[instrument];
    if ((at->best[SIDE_BUY] & at->best[SIDE_SELL]) == SIM_NONE || !is_matching(at))
        return;
    for (uint32_t i = 0; i < message->row_count; i++)
        if (is_market_trade(&message->rows[i]))
            take_trade(sim, instrument, &message->rows[i]);
}

/* --- queue ----------------------------------------------------------------------------------- */

/* Whether the last snapshot reached as far as this price. */
static bool is_within_snapshot(const struct sim_instrument *instrument, enum side side,
                               int64_t price)
{
    int64_t edge = instrument->edge[side];
    return edge == 0 || !sim_price_is_better(side, edge, price);
}

/* Quantity shown at a price, SIM_AHEAD_UNKNOWN where nothing ever told. */
static int64_t shown_at(const struct sim_instrument *instrument, enum side side, int64_t price)
{
    int64_t shown = book_quantity(instrument->book, side, price);
    if (shown == 0 && !is_within_snapshot(instrument, side, price))
        return SIM_AHEAD_UNKNOWN;
    return shown;
}

/* Whether a message tells of the level, if only that it is gone. */
static bool tells_of(const struct message *message, enum side side, int64_t price)
{
    for (uint32_t i = 0; i < message->row_count; i++) {
        const struct row *row = &message->rows[i];
        if (row->price == price && row->price_status == NUMBER_VALUE &&
            (row->flags & ROW_SELL) == (side == SIDE_SELL ? ROW_SELL : 0))
            return true;
    }
    return false;
}

/* Shown quantity D: ahead = min(ahead, D), nothing else. */
static void update_queue(struct sim *sim, unsigned instrument, enum side side,
                         const struct message *message)
{
    const struct sim_instrument *at = &sim->instruments[instrument];
    struct sim_order *order = sim_order_best(sim, instrument, side);
    for (; order; order = sim_order_next(sim, order)) {
        if (order->ahead == 0)
            continue;
        int64_t shown = shown_at(at, side, order->price);
        if (shown == SIM_AHEAD_UNKNOWN && tells_of(message, side, order->price))
            shown = 0;
        order->ahead = least(order->ahead, shown);
    }
}

void sim_join(struct sim *sim, struct sim_order *order)
{
    order->ahead = shown_at(&sim->instruments[order->instrument], order->side, order->price);
    sim_order_rest(sim, order);
}

/* --- cross and take -------------------------------------------------------------------------- */

bool sim_would_cross(const struct sim *sim, unsigned instrument, enum side side, int64_t price)
{
    struct book_level best;
    enum side opposite = sim_opposite(side);
    return book_best(sim->instruments[instrument].book, opposite, &best) &&
           !sim_price_is_better(opposite, price, best.price);
}

/* Take up to `wanted` from a level; gone until depth renews it. Returns how much. */
static int64_t consume(struct sim *sim, unsigned instrument, enum side side,
                       const struct book_level *level, int64_t wanted)
{
    int64_t quantity = least(level->quantity, wanted);
    bool fits =
        book_set(sim->instruments[instrument].book, side, level->price, level->quantity - quantity);
    ASSERT(fits); /* the level was there */
    return quantity;
}

/* Opposite depth that reaches our orders fills them at their price, best first. */
static void cross(struct sim *sim, unsigned instrument, enum side side)
{
    enum side opposite = sim_opposite(side);
    struct sim_order *order = sim_order_best(sim, instrument, side), *next;
    for (; order && sim_would_cross(sim, instrument, side, order->price); order = next) {
        next = sim_order_next(sim, order);
        struct book_level level;
        int64_t quantity = 0;
        while (quantity < order->left && sim_would_cross(sim, instrument, side, order->price) &&
               book_best(sim->instruments[instrument].book, opposite, &level))
            quantity += consume(sim, instrument, opposite, &level, order->left - quantity);
        fill(sim, order, order->price, quantity, FILL_CROSS);
    }
}

void sim_take_liquidity(struct sim *sim, struct sim_order *order)
{
    enum side opposite = sim_opposite(order->side);
    struct book_level level;
    while (order->left > 0 && sim_would_cross(sim, order->instrument, order->side, order->price) &&
           book_best(sim->instruments[order->instrument].book, opposite, &level)) {
        int64_t quantity = consume(sim, order->instrument, opposite, &level, order->left);
        fill(sim, order, level.price, quantity, FILL_TAKE);
    }
}

/* --- book ------------------------------------------------------------------------------------ */

/* How far the snapshot's own levels reach on each side. */
static void find_edges(struct sim_instrument *instrument, const struct message *snapshot)
{
    instrument->edge[SIDE_BUY] = instrument->edge[SIDE_SELL] = 0;
    for (uint32_t i = 0; i < snapshot->row_count; i++) {
        const struct row *row = &snapshot->rows[i];
        enum side side = row->flags & ROW_SELL ? SIDE_SELL : SIDE_BUY;
        int64_t *edge = &instrument->edge[side];
        if (!(row->flags & ROW_FROM_SNAPSHOT) || row->price_status != NUMBER_VALUE ||
            row->price <= 0)
            continue;
        if (*edge == 0 || sim_price_is_better(side, *edge, row->price))
            *edge = row->price;
    }
}

void sim_take_book(struct sim *sim, unsigned instrument, const struct message *message)
{
    struct sim_instrument *at = &sim->instruments[instrument];
    if (message->kind == EVENT_snapshot)
        find_edges(at, message);
    if (!book_apply(at->book, message)) {
        sim->full = "book.far_levels";
        sim->full_instrument = instrument;
        return;
    }
    if ((at->best[SIDE_BUY] & at->best[SIDE_SELL]) == SIM_NONE || !is_matching(at))
        return;
    update_queue(sim, instrument, SIDE_BUY, message);
    update_queue(sim, instrument, SIDE_SELL, message);
    if (!sim->connections[at->definition.venue].fill_on_cross)
        return;
    cross(sim, instrument, SIDE_BUY);
    cross(sim, instrument, SIDE_SELL);
}
