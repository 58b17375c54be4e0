/* Foreign exchange: profit into the account's currency (trading-semantics 12, 13). Ledgers stay in their
 * assets: the limits on the account's profit convert at mids (engine/profit.h); the factors of rule 12 wait
 * for an account in another currency, and only tests call them. */
#ifndef CAPSTAN_ENGINE_FX_H
#define CAPSTAN_ENGINE_FX_H

#include "base/money.h"

/* Rule 13: a rate older than this blocks new orders in its asset. */
#define FX_FRESH_NS INT64_C(60000000000)

/* Bid and ask of home in quote currency (EUR_USD for an account in EUR), as a count of 10^exponent; both
 * above 0. */
struct fx_rate {
    int64_t bid, ask;
    int exponent;
};

/* 1/rate as a count of 1e-8: for a loss of the bid, for a gain of the ask; rounded half to even. False
 * where the rate is not above 0 or the factor does not fit. */
bool fx_factor(const struct fx_rate *rate, bool gain, int64_t *factor);

/* Profit in quote currency as home currency: gains x 1/ask, losses x 1/bid, rounded half to even to
 * 10^round_exponent. False where it does not fit. */
bool fx_home_profit(money profit, const struct fx_rate *rate, int round_exponent, money *out);

/* An amount of base at the mid of bid and ask, in quote: rounded toward minus infinity to 1e-18. For
 * limits and reports only. False where it does not fit. */
bool fx_at_mid(money amount, const struct fx_rate *rate, money *out);

/* The other way round: an amount of quote in base, at the same mid and with the same rounding. */
bool fx_through_mid(money amount, const struct fx_rate *rate, money *out);

/* Rule 13: whether a rate told at `ts` may still be used at `now`. */
bool fx_is_fresh(int64_t ts, int64_t now);

#endif
