/* One made market: a zero-intelligence order book whose orders, trades and cancels are Poisson flows.
 * The model and where it comes from: docs/synth.md. */
#ifndef CAPSTAN_SYNTH_MARKET_H
#define CAPSTAN_SYNTH_MARKET_H

#include "base/random.h"
#include "event/event.h"

enum {
    MARKET_REACH_TICKS = 100, /* limit orders come up to this far from the opposite best price */
    MARKET_DEPTH_TICKS = 256, /* a side's book: its best price and 255 ticks behind; power of two */
    MARKET_FLOOR_TICKS = 1000, /* no bid stands lower */
    MARKET_TRADES_MAX = MARKET_DEPTH_TICKS,
    MARKET_CHANGES_MAX = 4 * MARKET_DEPTH_TICKS /* rows of one depth message */
};

/* One side of the book. Prices are in ticks, quantities in lots. A price's slot is price modulo
 * MARKET_DEPTH_TICKS; slots of prices that are not in the window hold 0. */
struct market_side {
    int64_t best; /* never without quantity */
    int64_t total;
    int64_t quantity[MARKET_DEPTH_TICKS];
    /* What the last depth message left with its readers. */
    int64_t shown_price[MARKET_DEPTH_TICKS];
    int64_t shown_quantity[MARKET_DEPTH_TICKS];
};

/* One price at which a market order traded. */
struct market_trade {
    int64_t price;    /* ticks */
    int64_t quantity; /* lots */
};

struct market {
    struct random random;
    struct market_side sides[2];  /* by enum side */
    uint64_t limit_rate;          /* events in 1e6 s on each side */
    uint64_t take_rate;           /* likewise */
    uint64_t cancel_rate;         /* for each lot that rests */
    int64_t next_ns;              /* when the next event happens */
    uint64_t update_id, trade_id; /* of the last event and trade */
    /* The trades of the last market_step(). */
    enum side aggressor;
    size_t trade_count;
    struct market_trade trades[MARKET_TRADES_MAX];
};

/* A market whose best bid is `price_ticks` (> MARKET_FLOOR_TICKS + MARKET_DEPTH_TICKS), with `rate`
 * events in 1e6 s (1..1e10), beginning at `start_ns`. Stream `stream` of `seed` is its chance. */
void market_init(struct market *market, uint64_t seed, uint64_t stream, int64_t price_ticks,
                 uint64_t rate, int64_t start_ns);

/* Let the event at market->next_ns happen; draws the time of the one after. */
void market_step(struct market *market);

/* Quantity in lots at a price in ticks. */
int64_t market_quantity(const struct market *market, enum side side, int64_t price_ticks);

/* Rows (ticks and lots) of what changed since the last call, or with `whole` of all levels; `rows` has
 * room for MARKET_CHANGES_MAX. Returns how many: bids then asks, best first. */
size_t market_show(struct market *market, bool whole, struct row *rows);

#endif
