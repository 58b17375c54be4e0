/* Deterministic log, exp and sqrt; see base/math.h. */
#include "base/math.h"

#include <math.h>
#include <string.h>

#include "base/integer.h"

/* ln 2 in two parts; the first has 42 bits, so that an exponent times it is exact. */
static const double ln2_high = 0x1.62e42fefa3800p-1;
static const double ln2_low = 0x1.ef35793c76730p-45;
static const double one_over_ln2 = 0x1.71547652b82fep+0;
static const double sqrt_2 = 0x1.6a09e667f3bcdp+0;

enum { EXPONENT_BIAS = 1023, FRACTION_BITS = 52 };

uint64_t math_to_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

double math_from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double quiet_nan(void)
{
    return math_from_bits(UINT64_C(0x7ff8000000000000));
}
static double infinity(void)
{
    return math_from_bits(UINT64_C(0x7ff0000000000000));
}

/* 2^power for a normal result. */
static double power_of_two(int power)
{
    return math_from_bits((uint64_t)(power + EXPONENT_BIAS) << FRACTION_BITS);
}

/* 2 atanh(s) - 2s over s, for |s| <= 3 - 2 sqrt(2): z = s^2, 2z/3 + 2z^2/5 + 2z^3/7 … up to z^11,
 * where what is left out is below 2^-62 of the first term. */
static double atanh_tail(double z)
{
    static const double terms[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11, 2.0 / 13,
                                   2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23};
    int last = (int)(sizeof terms / sizeof terms[0]) - 1;
    double sum = terms[last];

    for (int i = last - 1; i >= 0; i--)
        sum = sum * z + terms[i];
    return sum * z;
}

/* x = m 2^e with m between sqrt(1/2) and sqrt(2). With f = m - 1 (exact) and s = f / (2 + f),
 * ln m = 2 atanh(s) = f - s (f - tail), so that the rounding of s weighs little. */
double math_log(double x)
{
    int exponent = 0;

    if (x != x || x < 0)
        return quiet_nan();
    if (x == 0)
        return -infinity();
    if (x == infinity())
        return x;
    if (x < DBL_MIN) {
        x *= power_of_two(54);
        exponent = -54;
    }
    uint64_t bits = math_to_bits(x);
    exponent += (int)(bits >> FRACTION_BITS) - EXPONENT_BIAS;
    double m = math_from_bits((bits & ((UINT64_C(1) << FRACTION_BITS) - 1)) |
                              (uint64_t)EXPONENT_BIAS << FRACTION_BITS);
    if (m > sqrt_2) {
        m *= 0.5;
        exponent++;
    }
    double f = m - 1.0;
    double s = f / (2.0 + f);
    double rest = s * (f - atanh_tail(s * s));
    return exponent * ln2_high - ((rest - exponent * ln2_low) - f);
}

/* (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2: 1/2 + r/3! + r^2/4! … up to r^12/14!, where what is left
 * out is below 2^-62. */
static double exp_tail(double r)
{
    static const double terms[] = {
        1.0 / 2,         1.0 / 6,          1.0 / 24,         1.0 / 120,     1.0 / 720,
        1.0 / 5040,      1.0 / 40320,      1.0 / 362880,     1.0 / 3628800, 1.0 / 39916800,
        1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200};
    int last = (int)(sizeof terms / sizeof terms[0]) - 1;
    double sum = terms[last];

    for (int i = last - 1; i >= 0; i--)
        sum = sum * r + terms[i];
    return sum;
}

/* x = k ln 2 + r with |r| <= ln 2 / 2, so that e^x = 2^k e^r. */
double math_exp(double x)
{
    if (x != x)
        return quiet_nan();
    if (x > 709.782712893384)
        return infinity();
    if (x < -745.1332191019412)
        return 0.0;
    double quotient = x * one_over_ln2;
    int k = (int)(quotient < 0 ? quotient - 0.5 : quotient + 0.5);
    double high = x - k * ln2_high;
    double low = k * ln2_low;
    double r = high - low;
    double y = 1.0 + (high - (low - r * r * exp_tail(r)));
    int half = k / 2;
    return y * power_of_two(half) * power_of_two(k - half);
}

double math_sqrt(double x)
{
    if (x != x || x < 0)
        return quiet_nan();
    return sqrt(x);
}
