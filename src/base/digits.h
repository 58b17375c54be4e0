/* Decimal text taken apart once, for all that read decimals (decimal.c, money.c, time.c). */
#ifndef CAPSTAN_BASE_DIGITS_H
#define CAPSTAN_BASE_DIGITS_H

#include "base/decimal.h"

/* The significant digits of a decimal: value = +-digits x 10^exponent. They stand in `text` from
 * `first` on, `count` of them with a point perhaps between; the first and the last are not 0. Zero
 * has count 0. */
struct digits {
    const char *first;
    size_t count;
    int64_t exponent;
    bool negative;
};

/* Take `length` bytes apart: [+-] digits [. digits] [e [+-] digits] with at least one digit before
 * the e ("+1", "1." and ".5" are numbers). Anything else becomes its status; `out` is then
 * untouched. */
enum number_status digits_from_text(const char *text, size_t length, struct digits *out);

/* The digits as units of 10^exponent without sign, at most `limit`. NUMBER_VALUE, NUMBER_OFF_GRID
 * or NUMBER_OVERFLOW; `magnitude` is touched on NUMBER_VALUE only. */
enum number_status digits_to_units(const struct digits *digits, int exponent, uint128 limit,
                                   uint128 *magnitude);

#endif
