/* The ladder: levels at even steps around the microprice, shifted against the inventory. */
#include "strategy/strategy.h"

#include "base/assert.h"

enum { MILLI = 1000 };

/* No distance and no fair value is larger, in 1/1,000 tick: sums of three of them fit. What is beyond comes
 * of a position, a tick or prices that no market has, and nothing is wanted then. */
#define MILLITICK_MAX (INT64_MAX / 4)

/* Division that rounds down, for a divisor above 0. */
static int64_t floor_divide(int64_t value, int64_t divisor)
{
    int64_t quotient = value / divisor;
    return quotient - (value % divisor < 0);
}

/* a x b / divisor, rounded toward zero; the product may need 128 bits. False where the result does
 * not fit. divisor > 0. */
static bool scale(int64_t a, int64_t b, int64_t divisor, int64_t *out)
{
    int64_t product;
    if (!__builtin_mul_overflow(a, b, &product)) {
        *out = product / divisor;
        return true;
    }
    int128 wide = (int128)a * b / divisor;
    if (wide > INT64_MAX || wide < INT64_MIN)
        return false;
    *out = (int64_t)wide;
    return true;
}

static bool is_distance(int64_t millitick)
{
    return millitick <= MILLITICK_MAX && millitick >= -MILLITICK_MAX;
}

/* Microprice in 1/1,000 tick, rounded down. False where it does not fit. */
static bool microprice(const struct strategy_view *view, int64_t *out)
{
    int64_t tick = view->units->tick;
    int64_t total, ask, part;
    if (__builtin_add_overflow(view->best_bid_quantity, view->best_ask_quantity, &total) ||
        total <= 0)
        return false;
    if (__builtin_mul_overflow(view->best_ask, (int64_t)MILLI, &ask) || ask > MILLITICK_MAX)
        return false;
    int64_t bid = view->best_bid * MILLI; /* below the ask, so it fits */
    int64_t spread = ask - bid;
    if (!scale(tick == 1 ? spread : spread / tick, view->best_bid_quantity, total, &part))
        return false;
    *out = (tick == 1 ? bid : bid / tick) + part;
    return true;
}

/* From fair value to the first and to the last level. */
static bool distances(const struct strategy_view *view, int64_t *half)
{
    const struct strategy_units *units = view->units;
    int64_t depth, last;
    return scale(units->half_spread_millitick, view->widen_numerator, view->widen_denominator,
                 half) &&
           !__builtin_mul_overflow(units->step_millitick, (int64_t)units->levels, &depth) &&
           !__builtin_add_overflow(*half, depth, &last) && is_distance(last);
}

/* `ticks` x tick; the end of the numbers on its side where it does not fit. */
static int64_t price_of(int64_t ticks, int64_t tick)
{
    int64_t price;
    if (__builtin_expect(__builtin_mul_overflow(ticks, tick, &price), 0))
        return ticks > 0 ? INT64_MAX : INT64_MIN;
    return price;
}

/* From fair value to so many ticks, which were made of it and of two distances: it fits. */
static inline int64_t distance_of(const struct wanted_ladder *ladder, enum side side, int64_t ticks)
{
    int64_t above = ticks * MILLI - ladder->fair_millitick;
    return side == SIDE_BUY ? -above : above;
}

/* A price that is none, at or below zero or beyond all numbers, is left out. */
static inline void add_level(struct wanted_ladder *ladder, enum side side, unsigned level,
                             int64_t price, int64_t quantity, int64_t distance)
{
    if (price <= 0 || price == INT64_MAX)
        return;
    ASSERT(ladder->count < 2 * STRATEGY_LEVELS_MAX);
    ladder->levels[ladder->count++] = (struct wanted_level){
        .price = {price, NUMBER_VALUE},
        .quantity = {quantity, NUMBER_VALUE},
        .distance_millitick = distance,
        .side = (uint8_t)side,
        .level = (uint8_t)level,
    };
}

/* Bids at even steps below the middle, never at or above the best ask. */
static void add_bids(struct wanted_ladder *ladder, const struct strategy_view *view, int64_t half)
{
    const struct strategy_units *units = view->units;
    int64_t middle = ladder->fair_millitick - ladder->skew_millitick;
    for (unsigned level = 0; level < units->levels; level++) {
        int64_t away = half + (int64_t)level * units->step_millitick;
        int64_t ticks = floor_divide(middle - away, MILLI);
        int64_t bid = price_of(ticks, units->tick);
        if (bid >= view->best_ask) {
            bid = view->best_ask - units->tick;
            ticks = bid / units->tick;
        }
        add_level(ladder, SIDE_BUY, level, bid, units->size, distance_of(ladder, SIDE_BUY, ticks));
    }
}

/* Asks above it, never at or below the best bid. */
static void add_asks(struct wanted_ladder *ladder, const struct strategy_view *view, int64_t half)
{
    const struct strategy_units *units = view->units;
    int64_t middle = ladder->fair_millitick - ladder->skew_millitick;
    for (unsigned level = 0; level < units->levels; level++) {
        int64_t away = half + (int64_t)level * units->step_millitick;
        int64_t ticks = -floor_divide(-(middle + away), MILLI);
        int64_t ask = price_of(ticks, units->tick);
        if (ask <= view->best_bid) {
            if (__builtin_add_overflow(view->best_bid, units->tick, &ask))
                return; /* and no further one fits */
            ticks = ask / units->tick;
        }
        add_level(ladder, SIDE_SELL, level, ask, units->size,
                  distance_of(ladder, SIDE_SELL, ticks));
    }
}

static void ladder_wanted(void *state, const struct strategy_view *view,
                          struct wanted_ladder *ladder)
{
    const struct strategy_units *units = view->units;
    int64_t fair, skew = 0, half;
    (void)state;
    ladder->count = 0;
    ladder->has_fair = false;
    if (view->best_bid <= 0 || view->best_bid >= view->best_ask || !microprice(view, &fair))
        return;
    if (view->position_limit > 0 &&
        !scale(units->skew_millitick, view->position, view->position_limit, &skew))
        return;
    if (!is_distance(skew) || !distances(view, &half))
        return;
    ladder->has_fair = true;
    ladder->fair_millitick = fair;
    ladder->skew_millitick = skew;
    add_bids(ladder, view, half);
    add_asks(ladder, view, half);
}

static void ladder_walk(const void *state, struct walker *walker)
{
    (void)state;
    (void)walker;
}

const struct strategy strategy_ladder = {
    .name = "ladder",
    .state_bytes = 0,
    .wanted = ladder_wanted,
    .walk = ladder_walk,
};
