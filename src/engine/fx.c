/* See engine/fx.h. */
#include "engine/fx.h"

#include "base/assert.h"

enum { FACTOR_EXPONENT = -8 };

/* amount / (units x 10^exponent). */
static bool divide(money amount, int64_t units, int exponent, money *out)
{
    bool small = exponent <= 0;
    int64_t scale = power_of_ten(small ? -exponent : exponent);
    money scaled;
    if (units <= 0)
        return false;
    if (small)
        return money_scale(amount, scale, units, MONEY_HALF_EVEN, out);
    bool fits = money_scale(amount, 1, scale, MONEY_HALF_EVEN, &scaled);
    ASSERT(fits); /* it is divided */
    return money_scale(scaled, 1, units, MONEY_HALF_EVEN, out);
}

bool fx_factor(const struct fx_rate *rate, bool gain, int64_t *factor)
{
    const money one = {power_of_ten(-MONEY_EXPONENT)};
    const int64_t unit = power_of_ten(FACTOR_EXPONENT - MONEY_EXPONENT);
    money exact, rounded;
    if (!divide(one, gain ? rate->ask : rate->bid, rate->exponent, &exact))
        return false;
    bool fits = money_round(exact, FACTOR_EXPONENT, MONEY_HALF_EVEN, &rounded);
    ASSERT(fits); /* 1e18 at most */
    if (rounded.atto / unit > INT64_MAX)
        return false;
    *factor = (int64_t)(rounded.atto / unit);
    return true;
}

bool fx_home_profit(money profit, const struct fx_rate *rate, int round_exponent, money *out)
{
    money exact;
    return divide(profit, profit.atto >= 0 ? rate->ask : rate->bid, rate->exponent, &exact) &&
           money_round(exact, round_exponent, MONEY_HALF_EVEN, out);
}

bool fx_at_mid(money amount, const struct fx_rate *rate, money *out)
{
    int64_t twice;
    bool small = rate->exponent <= 0;
    int64_t scale = power_of_ten(small ? -rate->exponent : rate->exponent); /* 1e18 at most */
    money scaled;
    if (rate->bid <= 0 || rate->ask <= 0 || __builtin_add_overflow(rate->bid, rate->ask, &twice))
        return false;
    if (!money_scale(amount, twice, small ? 2 * scale : 2, MONEY_DOWN, &scaled))
        return false;
    if (small) {
        *out = scaled;
        return true;
    }
    return money_scale(scaled, scale, 1, MONEY_DOWN, out);
}

bool fx_through_mid(money amount, const struct fx_rate *rate, money *out)
{
    int64_t twice;
    bool small = rate->exponent <= 0;
    int64_t scale = power_of_ten(small ? -rate->exponent : rate->exponent); /* 1e18 at most */
    money scaled;
    if (rate->bid <= 0 || rate->ask <= 0 || __builtin_add_overflow(rate->bid, rate->ask, &twice))
        return false;
    if (!money_scale(amount, small ? 2 * scale : 2, twice, MONEY_DOWN, &scaled))
        return false;
    if (small) {
        *out = scaled;
        return true;
    }
    return money_scale(scaled, 1, scale, MONEY_DOWN, out);
}

bool fx_is_fresh(int64_t ts, int64_t now)
{
    return now - ts <= FX_FRESH_NS;
}
