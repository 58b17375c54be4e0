/* Exact money: rounding, range, text, and the figures of trading-semantics that are arithmetic. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/money.h"

#define INT128_MAX ((int128)(~(uint128)0 >> 1))

static money from_text(const char *text)
{
    money amount;
    cr_assert_eq(money_from_text(text, strlen(text), &amount), NUMBER_VALUE, "%s", text);
    return amount;
}

static void check(money amount, const char *text)
{
    char out[MONEY_TEXT_MAX];

    cr_expect_eq(money_to_text(amount, out), strlen(text));
    cr_expect_str_eq(out, text);
}

static money linear(int64_t price, int64_t quantity, int64_t multiplier, int exponent)
{
    money value;
    cr_assert(money_linear_value(price, quantity, multiplier, exponent, &value));
    return value;
}

/* Coin value of contracts, as a fill books it. */
static money inverse(int64_t price, int64_t contracts, int64_t multiplier, int exponent)
{
    money value;
    cr_assert(
        money_inverse_value(price, contracts, multiplier, exponent, -8, MONEY_HALF_EVEN, &value));
    return value;
}

static money scale(money amount, int64_t numerator, int64_t denominator,
                   enum money_rounding rounding)
{
    money value;
    cr_assert(money_scale(amount, numerator, denominator, rounding, &value));
    return value;
}

static money rounded(const char *amount, int exponent, enum money_rounding rounding)
{
    money value;
    cr_assert(money_round(from_text(amount), exponent, rounding, &value));
    return value;
}

Test(money, text)
{
    check(MONEY_ZERO, "0");
    check(from_text("-34525.50"), "-34525.5");
    check(from_text("0.000000000000000001"), "0.000000000000000001");
    check(from_text("-.1"), "-0.1");
    check(from_text("1e20"), "100000000000000000000");
    check((money){INT128_MAX}, "170141183460469231731.687303715884105727");
    check(from_text("-170141183460469231731.687303715884105727"),
          "-170141183460469231731.687303715884105727");
}

Test(money, text_without_value)
{
    money amount = {5};

    cr_assert_eq(money_from_text("1e-19", 5, &amount), NUMBER_OFF_GRID);
    cr_assert_eq(money_from_text("170141183460469231731.687303715884105728", 40, &amount),
                 NUMBER_OVERFLOW);
    cr_assert_eq(money_from_text("", 0, &amount), NUMBER_ABSENT);
    cr_assert_eq(money_from_text("nan", 3, &amount), NUMBER_NAN);
    cr_assert_eq(money_from_text("-inf", 4, &amount), NUMBER_INFINITE);
    cr_assert_eq(money_from_text("1 USDT", 6, &amount), NUMBER_MALFORMED);
    cr_assert(amount.atto == 5);
}

Test(money, roundings)
{
    static const struct {
        const char *amount, *toward_zero, *up, *down, *half_even;
    } cases[] = {
        {"1.25", "1.2", "1.3", "1.2", "1.2"},
        {"1.35", "1.3", "1.4", "1.3", "1.4"},
        {"-1.25", "-1.2", "-1.2", "-1.3", "-1.2"},
        {"-1.35", "-1.3", "-1.3", "-1.4", "-1.4"},
        {"1.250000000000000001", "1.2", "1.3", "1.2", "1.3"},
        {"-1.249999999999999999", "-1.2", "-1.2", "-1.3", "-1.2"},
        {"-0.05", "0", "0", "-0.1", "0"},
        {"1.3", "1.3", "1.3", "1.3", "1.3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(rounded(cases[i].amount, -1, MONEY_TOWARD_ZERO), cases[i].toward_zero);
        check(rounded(cases[i].amount, -1, MONEY_UP), cases[i].up);
        check(rounded(cases[i].amount, -1, MONEY_DOWN), cases[i].down);
        check(rounded(cases[i].amount, -1, MONEY_HALF_EVEN), cases[i].half_even);
    }
    check(rounded("1234", 2, MONEY_UP), "1300");
    check(rounded("1", 18, MONEY_UP), "1000000000000000000");
    check(rounded("0.000000000000000001", -18, MONEY_UP), "0.000000000000000001");
    money out = {5};
    cr_assert_not(money_round((money){INT128_MAX}, 0, MONEY_UP, &out));
    cr_assert_not(money_round((money){-INT128_MAX}, -17, MONEY_DOWN, &out));
    cr_assert(out.atto == 5);
}

Test(money, linear_range)
{
    money out = {5};

    check(linear(INT64_MAX, 18, 1, -18), "166.020696663385964526");
    check(linear(INT64_MIN, INT64_MIN, 1, -18), "85070591730234615865.843651857942052864");
    check(linear(0, INT64_MAX, INT64_MAX, 100), "0");
    check(linear(-5, 3, -2, 0), "30");
    cr_assert_not(money_linear_value(INT64_MIN, INT64_MIN, 2, -18, &out));
    cr_assert_not(money_linear_value(INT64_MAX, INT64_MAX, INT64_MAX, -18, &out));
    cr_assert_not(money_linear_value(INT64_MAX, INT64_MAX, 1, 0, &out));
    cr_assert_not(money_linear_value(1, 1, 1, 21, &out));
    cr_assert_not(money_linear_value(1, 1, 1, -19, &out));
    cr_assert(out.atto == 5);
}

Test(money, inverse_range)
{
    money out = {5};

    cr_assert_not(money_inverse_value(0, 1, 1, 0, -8, MONEY_HALF_EVEN, &out));
    cr_assert_not(money_inverse_value(-1, 1, 1, 0, -8, MONEY_HALF_EVEN, &out));
    cr_assert_not(money_inverse_value(1, INT64_MAX, INT64_MAX, 10, -8, MONEY_HALF_EVEN, &out));
    cr_assert_not(money_inverse_value(1, 1, 1, 400, -8, MONEY_HALF_EVEN, &out));
    cr_assert(out.atto == 5);
    check(inverse(3, 0, 5, 400), "0");
    check(inverse(INT64_MAX, INT64_MAX, 1, 0), "1");
    check(inverse(3, 1, 1, -400), "0");
    cr_assert(money_inverse_value(3, 1, 1, -400, -8, MONEY_UP, &out));
    check(out, "0.00000001");
    /* Ties, and what only a digit cut off before tells from a tie. */
    check(inverse(2, 5, 1, -9), "0");
    check(inverse(2, 15, 1, -9), "0.00000001");
    check(inverse(4, 10, 1, -8), "0.00000002");
    check(inverse(4, 14, 1, -8), "0.00000004");
    check(inverse(3, 17, 1, -9), "0.00000001");
    check(inverse(100, 151, 1, -8), "0.00000002");
    check(inverse(100, 1501, 1, -9), "0.00000002");
    check(inverse(100, 2499, 1, -9), "0.00000002");
    check(inverse(100, -2500, 1, -9), "-0.00000002");
}

Test(money, scale_range)
{
    money most = {INT128_MAX}, out = {5};

    cr_assert(money_scale(most, INT64_MAX, INT64_MAX, MONEY_UP, &out));
    cr_assert(out.atto == INT128_MAX);
    cr_assert(money_scale(most, INT64_MIN, INT64_MAX, MONEY_TOWARD_ZERO, &out) == false);
    cr_assert(money_scale(most, INT64_MAX - 1, INT64_MAX, MONEY_DOWN, &out));
    cr_assert(out.atto < INT128_MAX);
    out.atto = 5;
    cr_assert_not(money_scale(most, 2, 1, MONEY_DOWN, &out));
    cr_assert_not(money_scale(most, INT64_MAX, 1, MONEY_DOWN, &out));
    cr_assert_not(money_scale(most, 1, 0, MONEY_DOWN, &out));
    cr_assert_not(money_scale(most, 1, -1, MONEY_DOWN, &out));
    cr_assert(out.atto == 5);
}

static uint64_t random_state = 11;

/* splitmix64 */
static uint64_t random_u64(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int64_t random_signed(void)
{
    int64_t value = (int64_t)(random_u64() >> (1 + random_u64() % 62));
    return (random_u64() & 1) != 0 ? -value : value;
}

/* What rounding means, said once more without magnitudes: floor, then one up or not. */
static int128 divide(int128 numerator, int64_t denominator, enum money_rounding rounding)
{
    int128 floor = numerator / denominator;
    int128 rest = numerator % denominator;

    if (rest < 0) {
        floor--;
        rest += denominator;
    }
    if (rest == 0 || rounding == MONEY_DOWN)
        return floor;
    if (rounding == MONEY_UP || (rounding == MONEY_TOWARD_ZERO && numerator < 0))
        return floor + 1;
    if (rounding == MONEY_TOWARD_ZERO || 2 * rest < denominator)
        return floor;
    return 2 * rest > denominator || floor % 2 != 0 ? floor + 1 : floor;
}

Test(money, scale_is_exact)
{
    for (int i = 0; i < 200000; i++) {
        money amount = {random_signed()}, out;
        int64_t numerator = random_signed();
        int64_t denominator = 1 + (int64_t)(random_u64() >> (1 + random_u64() % 62));
        enum money_rounding rounding = (enum money_rounding)(random_u64() % 4);
        if ((i & 1) != 0)
            denominator = 2 * (1 + (int64_t)(random_u64() % 8));
        cr_assert(money_scale(amount, numerator, denominator, rounding, &out));
        cr_assert(out.atto == divide(amount.atto * numerator, denominator, rounding));
    }
}

Test(money, inverse_is_exact)
{
    for (int i = 0; i < 200000; i++) {
        int64_t price = 1 + (int64_t)(random_u64() % 100000000);
        int64_t contracts = random_signed() % 1000000, multiplier = 1 + (int64_t)(i % 3) * 50;
        enum money_rounding rounding = (enum money_rounding)(random_u64() % 4);
        money out;
        cr_assert(money_inverse_value(price, contracts, multiplier, 1, -8, rounding, &out));
        int128 numerator = (int128)contracts * multiplier * 1000000000;
        cr_assert(out.atto == divide(numerator, price, rounding) * 10000000000);
    }
}

Test(money, text_reads_back)
{
    char text[MONEY_TEXT_MAX];

    for (int i = 0; i < 100000; i++) {
        money amount = {(int128)((uint128)random_u64() << 64 | random_u64()) >> random_u64() % 127};
        if (amount.atto < -INT128_MAX)
            continue;
        money_to_text(amount, text);
        cr_assert(from_text(text).atto == amount.atto, "%s", text);
    }
}

Test(money, to_units)
{
    int64_t units;
    cr_assert(money_to_units((money){INT64_C(-34525500000000000)}, -4, &units)); /* -0.0345255 */
    cr_assert_eq(units, -345);
    cr_assert(money_to_units((money){INT64_C(250000000000000)}, -4, &units),
              "2.5 goes to the even");
    cr_assert_eq(units, 2);
    cr_assert(money_to_units((money){(int128)INT64_MIN * 1000}, -15, &units));
    cr_assert_eq(units, INT64_MIN);
    cr_assert_not(money_to_units((money){((int128)INT64_MAX + 1) * 1000}, -15, &units));
    cr_assert_not(money_to_units((money){1}, -21, &units), "a unit finer than money");
}

Test(money, from_units)
{
    money out = {5};

    cr_assert(money_from_units(-345255, -1, &out));
    check(out, "-34525.5");
    cr_assert(money_from_units(1000, -21, &out));
    check(out, "0.000000000000000001");
    cr_assert(money_from_units(0, 100, &out));
    check(out, "0");
    out.atto = 5;
    cr_assert_not(money_from_units(1001, -21, &out));
    cr_assert_not(money_from_units(171, 18, &out));
    cr_assert(out.atto == 5);
    cr_assert_lt(money_compare(from_text("-1"), from_text("0.5")), 0);
    check(money_subtract(from_text("1"), from_text("1.5")), "-0.5");
    check(money_negate(money_add(from_text("1"), from_text("1.5"))), "-2.5");
}

/* trading-semantics 6: buy IOC takes 1 @ 100 and 1.5 @ 101, fee at 10 bp. */
Test(money, rule_6_fee_of_taking)
{
    money value = money_add(linear(100, 10, 1, -1), linear(101, 15, 1, -1));
    check(value, "251.5");
    check(scale(value, 10, 10000, MONEY_UP), "0.2515");
}

/* trading-semantics 9: 10 ETH @ 3,452.55 at 0.1 %. */
Test(money, rule_9_fees)
{
    money value = linear(345255, 10, 1, -2);
    check(value, "34525.5");
    check(scale(value, 1000000, 1000000000, MONEY_UP), "34.5255");
    check(money_subtract(from_text("10"), scale(from_text("10"), 1, 1000, MONEY_UP)), "9.99");
    check(rounded("34.5255", -8, MONEY_UP), "34.5255");
    check(rounded("34.5255", -2, MONEY_UP), "34.53");
}

/* trading-semantics 10: buy 2 @ 100, 1 @ 103, sell 1 @ 104, mark 102; sell 5 @ 99. */
Test(money, rule_10_average_cost)
{
    money cost = money_add(linear(100, 2, 1, 0), linear(103, 1, 1, 0));
    money removed = scale(cost, 1, 3, MONEY_TOWARD_ZERO);
    check(money_subtract(linear(104, 1, 1, 0), removed), "3");
    cost = money_subtract(cost, removed);
    check(money_subtract(linear(102, 2, 1, 0), cost), "2");
    check(money_subtract(linear(99, 2, 1, 0), cost), "-4");
}

/* trading-semantics 11: 10 contracts of 100 USD @ 61,800.0 and 5 @ 61,790.0. */
Test(money, rule_11_inverse)
{
    money cost = money_add(inverse(618000, 10, 100, 1), inverse(617900, 5, 100, 1));
    check(cost, "0.02427315");
    money removed = scale(cost, 6, 15, MONEY_TOWARD_ZERO);
    check(money_subtract(removed, inverse(618500, 6, 100, 1)), "0.00000837");
    check(money_subtract(cost, removed), "0.01456389");
    check(money_subtract(cost, inverse(618500, 15, 100, 1)), "0.00002093");
    check(money_subtract(inverse(10000, 100000, 1, 0), inverse(10500, 100000, 1, 0)), "0.47619048");
}

/* trading-semantics 12 and 13: conversion factors, and USDT at 0.9990. */
Test(money, rule_12_13_conversion)
{
    check(inverse(112157, 1, 1, 5), "0.8916073");
    check(inverse(112170, 1, 1, 5), "0.89150397");
    check(scale(from_text("1000"), 9990, 10000, MONEY_HALF_EVEN), "999");
}

/* trading-semantics 15: rate 0.0001 at mark 61,840. */
Test(money, rule_15_funding)
{
    check(money_negate(scale(linear(61840, 5, 1, -1), 1, 10000, MONEY_HALF_EVEN)), "-3.092");
    check(money_negate(inverse(61840, 15, 100, -4)), "-0.00000243");
}
