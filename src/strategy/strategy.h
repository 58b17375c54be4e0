/* What to quote: a strategy turns what the engine shows it into a wanted ladder. Pure. */
#ifndef CAPSTAN_STRATEGY_STRATEGY_H
#define CAPSTAN_STRATEGY_STRATEGY_H

#include "config/settings.h"
#include "event/event.h"

enum { STRATEGY_LEVELS_MAX = 32 }; /* a side */

struct walker;

/* The quote settings of one instrument, in its units. */
struct strategy_units {
    int64_t tick, lot;             /* price and quantity units */
    int64_t size;                  /* quantity units of each level */
    int64_t half_spread_millitick; /* 1/1,000 tick */
    int64_t step_millitick;        /* likewise */
    int64_t skew_millitick;        /* likewise, at a position as large as the limit */
    unsigned levels;               /* a side */
};

/* What a strategy sees of one instrument. Integers only; prices in price units. */
struct strategy_view {
    int64_t now; /* ns */
    unsigned instrument;
    const struct event_definition *definition;
    const struct strategy_units *units;
    int64_t best_bid, best_ask;                   /* the top view's (trading-semantics 3) */
    int64_t best_bid_quantity, best_ask_quantity; /* quantity units */
    int64_t position;                             /* quantity units, signed */
    int64_t position_limit;                       /* quantity units */
    int64_t widen_numerator,
        widen_denominator; /* breakers: half spread x numerator / denominator */
};

/* One wanted order. `price` and `quantity` are statuses too, so that a model's NaN is seen. */
struct wanted_level {
    struct number price;    /* price units, on tick */
    struct number quantity; /* quantity units, in lots */
    /* From fair value, before any skew, to this price: signed, positive is away from the other
     * side. What a fill here earns (trading-semantics 26). */
    int64_t distance_millitick;
    uint8_t side;
    uint8_t level;
};

/* What a strategy hands over. */
struct wanted_ladder {
    size_t count;
    struct wanted_level levels[2 * STRATEGY_LEVELS_MAX];
    int64_t fair_millitick; /* fair value in 1/1,000 tick; valid if has_fair */
    int64_t skew_millitick; /* shift by inventory */
    bool has_fair;
};

/* A strategy: its state is one zeroed block of `state_bytes` per instrument that the engine owns. */
struct strategy {
    const char *name;
    size_t state_bytes;
    void (*wanted)(void *state, const struct strategy_view *view, struct wanted_ladder *ladder);
    void (*walk)(const void *state, struct walker *walker);
};

/* Quotes `quote.levels` a side around the microprice less the inventory skew:
 *   microprice = (bid x ask quantity + ask x bid quantity) / (bid quantity + ask quantity)
 *   skew = quote.skew x position / position limit
 *   bid i = floor to tick (microprice - skew - half spread - i x step), never at or above best ask
 *   ask i = ceil to tick (microprice - skew + half spread + i x step), never at or below best bid
 * in integers of 1/1,000 tick; the microprice is rounded down to one, the skew toward zero. No ladder
 * while the top view is locked or crossed; a level at or below zero is left out. */
extern const struct strategy strategy_ladder;

/* For tests: the same with levels whose numbers can't be used. It has no state. */
extern const struct strategy strategy_rough;

#endif
