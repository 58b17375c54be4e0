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

/* `ticks` x tick, or the best price that does not take where that is less aggressive. False where there is
 * no such price above zero, or none that fits. */
static bool price_of(const struct strategy_view *view, enum side side, int64_t ticks, int64_t *out)
{
    const int64_t tick = view->units->tick;
    if (__builtin_mul_overflow(ticks, tick, out))
        *out = ticks > 0 ? INT64_MAX : INT64_MIN;
    if (side == SIDE_BUY && *out >= view->best_ask)
        *out = view->best_ask - tick;
    else if (side == SIDE_SELL && *out <= view->best_bid)
        return !__builtin_add_overflow(view->best_bid, tick, out);
    return *out > 0 && *out < INT64_MAX;
}

static void add_level(struct wanted_ladder *ladder, const struct strategy_view *view,
                      enum side side, unsigned level, int64_t ticks, int64_t distance)
{
    int64_t price;
    if (!price_of(view, side, ticks, &price))
        return;
    ASSERT(ladder->count < 2 * STRATEGY_LEVELS_MAX);
    ladder->levels[ladder->count++] = (struct wanted_level){
        .price = {price, NUMBER_VALUE},
        .quantity = {view->units->size, NUMBER_VALUE},
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
    if (!is_distance(skew) || !distances(view, &half))
        return;
    ladder->has_fair = true;
    ladder->fair_millitick = fair;
    ladder->skew_millitick = skew;
    int64_t middle = fair - skew;
    for (unsigned level = 0; level < units->levels; level++) {
        int64_t away = half + (int64_t)level * units->step_millitick;
        add_level(ladder, view, SIDE_BUY, level, floor_divide(middle - away, MILLI), away + skew);
    }
    for (unsigned level = 0; level < units->levels; level++) {
        int64_t away = half + (int64_t)level * units->step_millitick;
        add_level(ladder, view, SIDE_SELL, level, -floor_divide(-(middle + away), MILLI),
                  away - skew);
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
