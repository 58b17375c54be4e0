/* The ladder: levels at even steps around the microprice, shifted against the inventory. */
#include "strategy/strategy.h"

#include "base/assert.h"

enum { MILLI = 1000 };

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

/* Microprice in 1/1,000 tick, rounded down. False where it does not fit. */
static bool microprice(const struct strategy_view *view, int64_t *out)
{
    int64_t tick = view->units->tick;
    int64_t total, bid, spread, part;
    if (__builtin_add_overflow(view->best_bid_quantity, view->best_ask_quantity, &total) ||
        total <= 0)
        return false;
    if (__builtin_mul_overflow(view->best_bid, (int64_t)MILLI, &bid) ||
        __builtin_mul_overflow(view->best_ask - view->best_bid, (int64_t)MILLI, &spread))
        return false;
    if (!scale(tick == 1 ? spread : spread / tick, view->best_bid_quantity, total, &part))
        return false;
    *out = (tick == 1 ? bid : bid / tick) + part;
    return true;
}

static void add_level(struct wanted_ladder *ladder, enum side side, unsigned level, int64_t price,
                      int64_t quantity, int64_t distance)
{
    if (price <= 0)
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
    if (!scale(units->half_spread_millitick, view->widen_numerator, view->widen_denominator, &half))
        return;
    ladder->has_fair = true;
    ladder->fair_millitick = fair;
    ladder->skew_millitick = skew;
    int64_t tick = units->tick, middle = fair - skew;
    for (unsigned level = 0; level < units->levels; level++) {
        int64_t away = half + (int64_t)level * units->step_millitick;
        int64_t bid = floor_divide(middle - away, MILLI) * tick;
        if (bid >= view->best_ask)
            bid = view->best_ask - tick;
        add_level(ladder, SIDE_BUY, level, bid, units->size, away + skew);
    }
    for (unsigned level = 0; level < units->levels; level++) {
        int64_t away = half + (int64_t)level * units->step_millitick;
        int64_t ask = -floor_divide(-(middle + away), MILLI) * tick;
        if (ask <= view->best_bid)
            ask = view->best_bid + tick;
        add_level(ladder, SIDE_SELL, level, ask, units->size, away - skew);
    }
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
