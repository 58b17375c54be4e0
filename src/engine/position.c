/* Position and profit of one instrument by average cost. */
#include "engine/position.h"

#include <string.h>

#include "base/assert.h"

enum { INVERSE_EXPONENT = -8 }; /* coin is kept to 1e-8 (trading-semantics 11) */

#define RATE_ONE INT64_C(1000000000)

void position_init(struct position *position, const struct event_definition *definition)
{
    memset(position, 0, sizeof *position);
    position->exponent = definition->quantity_exponent;
    position->per_quantity = 1;
    if (definition->contract == CONTRACT_SPOT) {
        while (position->exponent > definition->base_commission_exponent &&
               definition->price_exponent + position->exponent > MONEY_EXPONENT &&
               position->per_quantity <= INT64_C(100000000000)) {
            position->exponent--;
            position->per_quantity *= 10;
        }
    }
    position->last_funding_due = INT64_MIN;
}

/* Value of a magnitude of position units; the inverse kind rounded to 10^round_exponent. */
static bool value_of(const struct position *position, const struct event_definition *definition,
                     int64_t units, int64_t price, int64_t factor, int round_exponent, money *out)
{
    int scale = position->exponent + definition->multiplier_exponent;
    int64_t multiplier;
    if (__builtin_mul_overflow(definition->multiplier, factor, &multiplier))
        return false;
    if (definition->contract == CONTRACT_INVERSE)
        return money_inverse_value(price, units, multiplier, scale - definition->price_exponent,
                                   round_exponent, MONEY_HALF_EVEN, out);
    return money_linear_value(price, units, multiplier, scale + definition->price_exponent, out);
}

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

/* The unit in which value is exact: price unit x position unit x multiplier unit, or 1e-8 coin. What a
 * division leaves over is kept to this unit and stays with the open part. */
static int value_exponent(const struct position *position,
                          const struct event_definition *definition)
{
    if (definition->contract == CONTRACT_INVERSE)
        return INVERSE_EXPONENT;
    return position->exponent + definition->price_exponent + definition->multiplier_exponent;
}

/* amount x part / whole, toward zero in the unit of value; part <= whole. */
static money share_of(const struct position *position, const struct event_definition *definition,
                      money amount, int64_t part, int64_t whole)
{
    money exact = MONEY_ZERO, share = MONEY_ZERO;
    bool fits = money_scale(amount, part, whole, MONEY_TOWARD_ZERO, &exact);
    ASSERT(fits); /* no more than the amount itself, and so is what is left of it here: */
    fits = money_round(exact, value_exponent(position, definition), MONEY_TOWARD_ZERO, &share);
    ASSERT(fits);
    return share;
}

/* Close `units` (a magnitude, at most what is held) for `value`. Long profit is value less cost where
 * price grows with value, cost less value where it shrinks (inverse); short the other way round. */
static bool close_part(struct position *position, const struct event_definition *definition,
                       int64_t units, money value)
{
    bool inverse = definition->contract == CONTRACT_INVERSE;
    int64_t held = magnitude(position->units);
    money removed =
        units < held ? share_of(position, definition, position->cost, units, held) : position->cost;
    bool long_side = position->units > 0;
    bool gains = long_side != inverse;
    /* Neither is below 0, so the difference fits. */
    money gain = gains ? money_subtract(value, removed) : money_subtract(removed, value);
    if (!money_try_add(position->realised, gain, &position->realised))
        return false;
    position->cost = money_subtract(position->cost, removed);
    position->units -= long_side ? units : -units;
    return true;
}

/* What the fee in base was worth, so that cost and fees are apart. */
static bool take_base_fee(struct position *position, const struct event_definition *definition,
                          int64_t price, int64_t base_fee)
{
    money worth;
    if (base_fee == 0)
        return true;
    if (!value_of(position, definition, base_fee, price, 1, INVERSE_EXPONENT, &worth))
        return false;
    return money_try_add(position->fees, worth, &position->fees) &&
           !__builtin_add_overflow(position->base_fees, base_fee, &position->base_fees);
}

/* The sums that an audit does again. */
static bool count_fill(struct position *position, enum side side, int64_t units, money value)
{
    int64_t *sum = side == SIDE_BUY ? &position->bought : &position->sold;
    money *worth = side == SIDE_BUY ? &position->value_bought : &position->value_sold;
    if (__builtin_add_overflow(*sum, units, sum))
        return false;
    position->fills++;
    return money_try_add(*worth, value, worth);
}

/* `filled` units change hands for `value`: they close what is held on the other side, and open what is left. */
static bool exchange(struct position *next, const struct event_definition *definition,
                     enum side side, int64_t filled, money value)
{
    int64_t held = magnitude(next->units);
    bool reduces = next->units != 0 && (next->units > 0) == (side == SIDE_SELL);
    money closing;
    if (reduces) {
        int64_t closed = filled < held ? filled : held;
        closing = closed < filled ? share_of(next, definition, value, closed, filled) : value;
        if (!close_part(next, definition, closed, closing))
            return false;
        filled -= closed;
        if (filled > 0)
            next->cost = money_subtract(value, closing);
    } else if (!money_try_add(next->cost, value, &next->cost)) {
        return false;
    }
    return !__builtin_add_overflow(next->units, side == SIDE_BUY ? filled : -filled,
                                   &next->units) &&
           next->units >= -INT64_MAX;
}

bool position_fill(struct position *position, const struct event_definition *definition,
                   enum side side, int64_t price, int64_t quantity, int64_t base_fee)
{
    ASSERT(price > 0);
    ASSERT(quantity > 0);
    struct position next = *position;
    int64_t units, filled;
    money value;
    /* A fee in base makes a buy smaller and a sell larger, at the fill's price. */
    if (__builtin_mul_overflow(quantity, position->per_quantity, &units) ||
        (side == SIDE_BUY ? __builtin_sub_overflow(units, base_fee, &filled)
                          : __builtin_add_overflow(units, base_fee, &filled)))
        return false;
    if (filled <= 0 || !take_base_fee(&next, definition, price, base_fee) ||
        !value_of(position, definition, filled, price, 1, INVERSE_EXPONENT, &value))
        return false;
    if (!exchange(&next, definition, side, filled, value) || !count_fill(&next, side, units, value))
        return false;
    *position = next;
    return true;
}

bool position_adopt(struct position *position, const struct event_definition *definition,
                    int64_t units, int64_t price)
{
    ASSERT(price > 0);
    ASSERT(units != 0 && units >= -INT64_MAX);
    struct position next = *position;
    const enum side side = units > 0 ? SIDE_BUY : SIDE_SELL;
    money value;
    if (!value_of(position, definition, magnitude(units), price, 1, INVERSE_EXPONENT, &value) ||
        !exchange(&next, definition, side, magnitude(units), value) ||
        __builtin_add_overflow(next.adopted, units, &next.adopted) ||
        !money_try_add(next.value_adopted, units > 0 ? value : money_negate(value),
                       &next.value_adopted))
        return false;
    *position = next;
    return true;
}

bool position_value(const struct position *position, const struct event_definition *definition,
                    int64_t units, int64_t mark2, money *out)
{
    money twice;
    if (definition->contract == CONTRACT_INVERSE)
        return value_of(position, definition, units, mark2, 2, INVERSE_EXPONENT, out);
    if (!value_of(position, definition, units, mark2, 1, 0, &twice))
        return false;
    return money_scale(twice, 1, 2, MONEY_HALF_EVEN, out);
}

bool position_unrealised(const struct position *position, const struct event_definition *definition,
                         int64_t mark2, money *out)
{
    money value;
    if (position->units == 0) {
        *out = MONEY_ZERO;
        return true;
    }
    if (!position_value(position, definition, magnitude(position->units), mark2, &value))
        return false;
    bool gains = (position->units > 0) != (definition->contract == CONTRACT_INVERSE);
    return gains ? money_try_subtract(value, position->cost, out)
                 : money_try_subtract(position->cost, value, out);
}

bool position_funding(const struct position *position, const struct event_definition *definition,
                      int64_t units, int64_t mark2, int64_t rate, money *out)
{
    money value, due;
    bool inverse = definition->contract == CONTRACT_INVERSE;
    if (inverse) {
        if (!value_of(position, definition, magnitude(units), mark2, 2, MONEY_EXPONENT, &value))
            return false;
    } else if (!position_value(position, definition, magnitude(units), mark2, &value)) {
        return false;
    }
    /* A long position pays where the rate is positive; rounding is against us. */
    money signed_value = units > 0 ? money_negate(value) : value;
    if (!money_scale(signed_value, rate, RATE_ONE, MONEY_DOWN, &due))
        return false;
    return inverse ? money_round(due, INVERSE_EXPONENT, MONEY_HALF_EVEN, out) : (*out = due, true);
}
