/* Deterministic log, exp and sqrt: exact points, fixed bits, and error bounds against MPFR. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/integer.h"
#include "base/math.h"

#ifdef HAVE_MPFR
#include <mpfr.h>
#endif

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define QUIET_NAN UINT64_C(0x7ff8000000000000)
#define INFINITE  UINT64_C(0x7ff0000000000000)

Test(math, special_values)
{
    double infinite = from_bits(INFINITE), nan = from_bits(QUIET_NAN | UINT64_C(1) << 63 | 5);

    cr_assert_eq(bits_of(math_log(1.0)), 0);
    cr_assert_eq(bits_of(math_log(0.0)), INFINITE | UINT64_C(1) << 63);
    cr_assert_eq(bits_of(math_log(-1.0)), QUIET_NAN);
    cr_assert_eq(bits_of(math_log(nan)), QUIET_NAN);
    cr_assert_eq(bits_of(math_log(infinite)), INFINITE);
    cr_assert_eq(bits_of(math_exp(0.0)), bits_of(1.0));
    cr_assert_eq(bits_of(math_exp(710.0)), INFINITE);
    cr_assert_eq(bits_of(math_exp(infinite)), INFINITE);
    cr_assert_eq(bits_of(math_exp(-746.0)), 0);
    cr_assert_eq(bits_of(math_exp(-infinite)), 0);
    cr_assert_eq(bits_of(math_exp(nan)), QUIET_NAN);
    cr_assert_eq(bits_of(math_sqrt(2.25)), bits_of(1.5));
    cr_assert_eq(bits_of(math_sqrt(-1.0)), QUIET_NAN);
    cr_assert_eq(bits_of(math_sqrt(nan)), QUIET_NAN);
    cr_assert_eq(bits_of(math_sqrt(-0.0)), UINT64_C(1) << 63);
    cr_assert_gt(math_exp(-745.0), 0.0);
    cr_assert_lt(math_exp(709.78), infinite);
}

static uint64_t random_state = 1;

/* splitmix64 */
static uint64_t random_u64(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Between low and high, evenly. */
static double random_between(double low, double high)
{
    return low + (high - low) * (double)(random_u64() >> 11) * 0x1p-53;
}

/* The sum of bits over many arguments: the same on every compiler, level and machine. */
Test(math, same_bits_everywhere)
{
    uint64_t sum = 0;

    for (int i = 0; i < 100000; i++) {
        sum = sum * 31 + bits_of(math_exp(random_between(-750, 712)));
        sum = sum * 31 + bits_of(math_log(from_bits(random_u64() >> 1)));
        sum = sum * 31 + bits_of(math_log(random_between(0.5, 2.0)));
        sum = sum * 31 + bits_of(math_sqrt(random_between(0, 1e6)));
    }
    cr_assert_eq(sum, UINT64_C(0x69b32fbf1f71a2d2), "sum of bits is %#llx",
                 (unsigned long long)sum);
}

#ifdef HAVE_MPFR
typedef int exact_function(mpfr_t, mpfr_srcptr, mpfr_rnd_t);

/* How far `y` lies from the exact value at x, in units of the exact value's last place as a double. */
static double ulps_off(double x, double y, exact_function *exact)
{
    mpfr_t value, last_place;

    mpfr_init2(value, 160);
    mpfr_init2(last_place, 160);
    mpfr_set_d(value, x, MPFR_RNDN);
    exact(value, value, MPFR_RNDN);
    mpfr_exp_t exponent = mpfr_get_exp(value) - 53;
    mpfr_set_ui_2exp(last_place, 1, exponent < -1074 ? -1074 : exponent, MPFR_RNDN);
    mpfr_sub_d(value, value, y, MPFR_RNDN);
    mpfr_div(value, value, last_place, MPFR_RNDN);
    double off = mpfr_get_d(value, MPFR_RNDA);
    mpfr_clear(value);
    mpfr_clear(last_place);
    return off < 0 ? -off : off;
}

static double worst_log(double low, double high)
{
    double worst = 0;

    for (int i = 0; i < 50000; i++) {
        double x = random_between(low, high);
        double off = ulps_off(x, math_log(x), mpfr_log);
        worst = off > worst ? off : worst;
    }
    return worst;
}

static double worst_exp(double low, double high)
{
    double worst = 0;

    for (int i = 0; i < 50000; i++) {
        double x = random_between(low, high);
        double off = ulps_off(x, math_exp(x), mpfr_exp);
        worst = off > worst ? off : worst;
    }
    return worst;
}

Test(math, log_against_mpfr)
{
    double worst = 0, off;

    cr_expect_lt(off = worst_log(0.5, 2.0), 1.0, "%g", off);
    cr_expect_lt(off = worst_log(1 - 1e-6, 1 + 1e-6), 1.0, "%g", off);
    cr_expect_lt(off = worst_log(0, 1e-300), 1.0, "%g", off);
    cr_expect_lt(off = worst_log(1, 1e6), 1.0, "%g", off);
    for (int i = 0; i < 50000; i++) {
        double x = from_bits(random_u64() >> 1);
        if (x != x || x == from_bits(INFINITE))
            continue;
        off = ulps_off(x, math_log(x), mpfr_log);
        worst = off > worst ? off : worst;
    }
    cr_expect_lt(worst, 1.0, "%g", worst);
}

Test(math, exp_against_mpfr)
{
    double off;

    cr_expect_lt(off = worst_exp(-1, 1), 1.0, "%g", off);
    cr_expect_lt(off = worst_exp(-708, 709.78), 1.0, "%g", off);
    cr_expect_lt(off = worst_exp(-745.13, -708), 1.5, "%g", off);
    cr_expect_lt(off = worst_exp(-1e-9, 1e-9), 1.0, "%g", off);
}
#else
Test(math, log_against_mpfr, .disabled = true) {}
Test(math, exp_against_mpfr, .disabled = true) {}
#endif
