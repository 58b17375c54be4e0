/* See synth/market.h. */
#include "synth/market.h"

#include "base/assert.h"

/* Rates as parts of the nominal rate r: r / 4 limit orders on each side, r / 12 market orders on each
 * side, and r / (6 x 300) cancels for each lot that rests. A side then comes to hold about 470 lots. */
enum { LIMIT_PART = 4, TAKE_PART = 12, REST_LOTS = 300, CANCEL_PART = 6, SIZE_DOUBLINGS = 6 };

/* A distance of i ticks has the weight REACH_WEIGHT / i. */
enum { REACH_WEIGHT = 1 << 20 };

static size_t slot(int64_t price)
{
    return (size_t)price % MARKET_DEPTH_TICKS;
}

/* +1 where higher prices are better for the side's owner of the queue (bids), else -1. */
static int64_t direction(enum side side)
{
    return side == SIDE_BUY ? 1 : -1;
}

static enum side opposite(enum side side)
{
    return side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
}

int64_t market_quantity(const struct market *market, enum side side, int64_t price_ticks)
{
    const struct market_side *s = &market->sides[side];
    int64_t behind = (s->best - price_ticks) * direction(side);
    return behind >= 0 && behind < MARKET_DEPTH_TICKS ? s->quantity[slot(price_ticks)] : 0;
}

/* Size of an order in lots: 2^k with chance 2^-(k+1), then uniform up to the next power. */
static int64_t draw_size(struct random *random)
{
    uint64_t bits = random_next(random);
    unsigned k = (unsigned)__builtin_ctzll(bits | UINT64_C(1) << SIZE_DOUBLINGS);
    return (int64_t)(UINT64_C(1) << k | (bits >> 32 & ((UINT64_C(1) << k) - 1)));
}

/* Distance of a limit order from the opposite best price: i ticks with chance ~ 1 / i. */
static int64_t draw_distance(struct random *random)
{
    uint64_t sum = 0;
    for (uint64_t i = 1; i <= MARKET_REACH_TICKS; i++)
        sum += REACH_WEIGHT / i;
    uint64_t left = random_below(random, sum);
    uint64_t i = 1;
    for (; left >= REACH_WEIGHT / i; i++)
        left -= REACH_WEIGHT / i;
    return (int64_t)i;
}

/* Put lots at a price; where it is a new best, prices that fall out of the window are withdrawn. */
static void add(struct market *market, enum side side, int64_t price, int64_t lots)
{
    struct market_side *s = &market->sides[side];
    int64_t step = direction(side);
    int64_t better = (price - s->best) * step;
    if (better <= -MARKET_DEPTH_TICKS)
        return;
    for (int64_t i = 1; i <= better; i++) {
        int64_t *old = &s->quantity[slot(s->best + i * step)]; /* best + i - DEPTH had this slot */
        s->total -= *old;
        *old = 0;
    }
    if (better > 0)
        s->best = price;
    s->quantity[slot(price)] += lots;
    s->total += lots;
}

/* Take up to `lots` at a price, but never the last lot of the side. Returns what was taken. */
static int64_t take(struct market *market, enum side side, int64_t price, int64_t lots)
{
    struct market_side *s = &market->sides[side];
    int64_t *there = &s->quantity[slot(price)];
    int64_t taken = lots < *there ? lots : *there;
    if (taken == s->total)
        taken--;
    *there -= taken;
    s->total -= taken;
    while (s->quantity[slot(s->best)] == 0)
        s->best -= direction(side);
    return taken;
}

static void limit_order(struct market *market, enum side side)
{
    int64_t distance = draw_distance(&market->random);
    int64_t lots = draw_size(&market->random);
    int64_t price = market->sides[opposite(side)].best - distance * direction(side);
    if (price >= MARKET_FLOOR_TICKS)
        add(market, side, price, lots);
}

static void market_order(struct market *market, enum side aggressor)
{
    enum side side = opposite(aggressor);
    int64_t left = draw_size(&market->random);
    market->aggressor = aggressor;
    while (left > 0) {
        int64_t price = market->sides[side].best;
        int64_t taken = take(market, side, price, left);
        if (taken == 0)
            break;
        ASSERT(market->trade_count < MARKET_TRADES_MAX);
        market->trades[market->trade_count++] = (struct market_trade){price, taken};
        left -= taken;
    }
}

/* One lot of the side is picked; what is withdrawn is an order's size at its price. */
static void cancel_order(struct market *market, enum side side)
{
    struct market_side *s = &market->sides[side];
    int64_t pick = (int64_t)random_below(&market->random, (uint64_t)s->total);
    int64_t lots = draw_size(&market->random);
    int64_t price = s->best;
    while (pick >= s->quantity[slot(price)]) {
        pick -= s->quantity[slot(price)];
        price -= direction(side);
    }
    take(market, side, price, lots);
}

static uint64_t total_rate(const struct market *market)
{
    uint64_t resting = (uint64_t)(market->sides[0].total + market->sides[1].total);
    return 2 * market->limit_rate + 2 * market->take_rate + resting * market->cancel_rate;
}

/* Which of the six flows the next event belongs to is as likely as its rate. */
static void happen(struct market *market)
{
    uint64_t pick = random_below(&market->random, total_rate(market));
    for (enum side side = SIDE_BUY; side <= SIDE_SELL; side++) {
        if (pick < market->limit_rate) {
            limit_order(market, side);
            return;
        }
        pick -= market->limit_rate;
        if (pick < market->take_rate) {
            market_order(market, side);
            return;
        }
        pick -= market->take_rate;
        uint64_t cancels = (uint64_t)market->sides[side].total * market->cancel_rate;
        if (pick < cancels) {
            cancel_order(market, side);
            return;
        }
        pick -= cancels;
    }
    ASSERT(false); /* the parts add up to the total */
}

void market_step(struct market *market)
{
    market->trade_count = 0;
    market->update_id++;
    happen(market);
    market->trade_id += market->trade_count;
    ASSERT(market->sides[SIDE_BUY].best < market->sides[SIDE_SELL].best);
    market->next_ns += random_wait_ns(&market->random, total_rate(market));
}

void market_init(struct market *market, uint64_t seed, uint64_t stream, int64_t price_ticks,
                 uint64_t rate, int64_t start_ns)
{
    ASSERT(price_ticks > MARKET_FLOOR_TICKS + MARKET_DEPTH_TICKS);
    ASSERT(rate >= 1 && rate <= UINT64_C(10000000000));
    *market = (struct market){.next_ns = start_ns, .update_id = 1000, .trade_id = 0};
    random_init(&market->random, seed, stream);
    market->limit_rate = (rate + LIMIT_PART - 1) / LIMIT_PART;
    market->take_rate = (rate + TAKE_PART - 1) / TAKE_PART;
    market->cancel_rate = (rate + CANCEL_PART * REST_LOTS - 1) / (CANCEL_PART * REST_LOTS);
    market->sides[SIDE_BUY].best = price_ticks;
    market->sides[SIDE_SELL].best = price_ticks + 1;
    for (int64_t i = 0; i < MARKET_REACH_TICKS; i++) {
        int64_t lots = (REST_LOTS / 5) / (i + 1) + draw_size(&market->random) % 2;
        add(market, SIDE_BUY, price_ticks - i, lots + (i == 0));
        add(market, SIDE_SELL, price_ticks + 1 + i, lots + (i == 0));
    }
    market->next_ns += random_wait_ns(&market->random, total_rate(market));
}

static void put_row(struct row *rows, size_t *count, enum side side, int64_t price, int64_t lots,
                    bool whole)
{
    ASSERT(*count < MARKET_CHANGES_MAX);
    uint8_t flags = side == SIDE_SELL ? ROW_SELL : 0;
    rows[(*count)++] = (struct row){
        .price = price,
        .quantity = lots,
        .flags = (uint8_t)(whole ? flags | ROW_FROM_SNAPSHOT : flags),
    };
}

/* Prices that were shown and left their slot to another, or to none, go to 0. */
static void show_gone(struct market_side *s, enum side side, struct row *rows, size_t *count)
{
    int64_t step = direction(side);
    for (size_t i = 0; i < MARKET_DEPTH_TICKS; i++) {
        if (s->shown_quantity[i] == 0)
            continue;
        int64_t behind = (s->best - s->shown_price[i]) * step;
        if (behind >= 0 && behind < MARKET_DEPTH_TICKS)
            continue;
        put_row(rows, count, side, s->shown_price[i], 0, false);
        s->shown_quantity[i] = 0;
    }
}

static void show_side(struct market_side *s, enum side side, bool whole, struct row *rows,
                      size_t *count)
{
    if (!whole)
        show_gone(s, side, rows, count);
    for (int64_t i = 0; i < MARKET_DEPTH_TICKS; i++) {
        int64_t price = s->best - i * direction(side);
        if (price < 0)
            break;
        size_t at = slot(price);
        if (whole ? s->quantity[at] > 0 : s->quantity[at] != s->shown_quantity[at])
            put_row(rows, count, side, price, s->quantity[at], whole);
        s->shown_price[at] = price;
        s->shown_quantity[at] = s->quantity[at];
    }
}

size_t market_show(struct market *market, bool whole, struct row *rows)
{
    size_t count = 0;
    for (enum side side = SIDE_BUY; side <= SIDE_SELL; side++)
        show_side(&market->sides[side], side, whole, rows, &count);
    return count;
}
