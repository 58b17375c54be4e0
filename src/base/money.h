/* Exact money: a signed 128-bit count of 1e-18 of one asset. */
#ifndef CAPSTAN_BASE_MONEY_H
#define CAPSTAN_BASE_MONEY_H

#include "base/assert.h"
#include "base/decimal.h"

/* An amount of one asset in units of 1e-18 (an "atto"). The asset stands beside it, never inside.
 * Range about +-1.7e20 of the asset. */
typedef struct {
    int128 atto;
} money;

enum {
    MONEY_EXPONENT = -18,
    MONEY_TEXT_MAX = 64 /* bytes that money_to_text may write, with its final NUL */
};

#define MONEY_ZERO     ((money){0})
#define MONEY_ATTO_MAX ((int128)(~(uint128)0 >> 1))

/* Sums and differences assert that they fit: amounts stand within +-1.7e20 of an asset, and a
 * ledger that leaves that range is broken. INT128_MIN is never an amount, so negation always fits.
 */
static inline money money_add(money a, money b)
{
    money sum;
    bool overflow = __builtin_add_overflow(a.atto, b.atto, &sum.atto);
    ASSERT(!overflow);
    return sum;
}
static inline money money_subtract(money a, money b)
{
    money difference;
    bool overflow = __builtin_sub_overflow(a.atto, b.atto, &difference.atto);
    ASSERT(!overflow);
    return difference;
}
/* The same for amounts that come from outside: false, and `out` untouched, where it does not fit. What comes
 * out can be negated. */
static inline bool money_try_add(money a, money b, money *out)
{
    money sum;
    if (__builtin_add_overflow(a.atto, b.atto, &sum.atto) || sum.atto < -MONEY_ATTO_MAX)
        return false;
    *out = sum;
    return true;
}
static inline bool money_try_subtract(money a, money b, money *out)
{
    money difference;
    if (__builtin_sub_overflow(a.atto, b.atto, &difference.atto) ||
        difference.atto < -MONEY_ATTO_MAX)
        return false;
    *out = difference;
    return true;
}
static inline money money_negate(money a)
{
    return money_subtract(MONEY_ZERO, a);
}
static inline int money_compare(money a, money b)
{
    return (a.atto > b.atto) - (a.atto < b.atto);
}

enum money_rounding {
    MONEY_TOWARD_ZERO,
    MONEY_UP,       /* toward plus infinity: a fee rounded against us */
    MONEY_DOWN,     /* toward minus infinity */
    MONEY_HALF_EVEN /* to nearest, ties to even */
};

/* price_units x quantity_units x multiplier, exact. `exponent` is the sum of the three exponents.
 * False (and `out` untouched) where it does not fit or `exponent` is below -18. */
bool money_linear_value(int64_t price_units, int64_t quantity_units, int64_t multiplier,
                        int exponent, money *out);

/* quantity_units x multiplier / price_units in coin, rounded to 10^round_exponent. `exponent` is
 * quantity exponent + multiplier exponent - price exponent. False where price_units <= 0 or it does
 * not fit. (trading-semantics 11) */
bool money_inverse_value(int64_t price_units, int64_t quantity_units, int64_t multiplier,
                         int exponent, int round_exponent, enum money_rounding rounding,
                         money *out);

/* amount x numerator / denominator over a 192-bit intermediate. False where the denominator is not
 * positive or the result does not fit. */
bool money_scale(money amount, int64_t numerator, int64_t denominator, enum money_rounding rounding,
                 money *out);

/* The multiple of 10^exponent (-18..18) next to `amount`. False where it does not fit. */
bool money_round(money amount, int exponent, enum money_rounding rounding, money *out);

/* units x 10^exponent as money; false where it does not fit or is finer than 1e-18. */
bool money_from_units(int64_t units, int exponent, money *out);
/* The amount in units of 10^exponent, to the nearest, a half to the even one; false where they do not fit. */
bool money_to_units(money amount, int exponent, int64_t *units);

/* Plain decimal text without trailing zeros after the point ("-34525.5", "0"). Returns the length
 * without the NUL. */
size_t money_to_text(money amount, char out[MONEY_TEXT_MAX]);

/* The inverse of money_to_text; finer than 1e-18 is NUMBER_OFF_GRID. `out` is touched on
 * NUMBER_VALUE only. */
enum number_status money_from_text(const char *text, size_t length, money *out);

#endif
