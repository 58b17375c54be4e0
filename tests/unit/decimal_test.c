/* Decimal text, exact to the last digit, and the status of everything that is no number. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/decimal.h"

struct text_case {
    const char *text;
    int exponent;
    enum number_status status;
    int64_t units;
};

static void check_cases(const struct text_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct text_case *wanted = &cases[i];
        struct number number =
            number_from_text(wanted->text, strlen(wanted->text), wanted->exponent);
        cr_expect_eq(number.status, wanted->status, "\"%s\" is %s", wanted->text,
                     number_status_name(number.status));
        cr_expect_eq(number.units, wanted->units, "\"%s\" is %lld", wanted->text,
                     (long long)number.units);
    }
}

Test(decimal, numbers)
{
    static const struct text_case cases[] = {
        {"1", 0, NUMBER_VALUE, 1},
        {"+1", 0, NUMBER_VALUE, 1},
        {"1.", 0, NUMBER_VALUE, 1},
        {".5", -1, NUMBER_VALUE, 5},
        {"-12.50", -2, NUMBER_VALUE, -1250},
        {"1e3", 0, NUMBER_VALUE, 1000},
        {"1E-3", -3, NUMBER_VALUE, 1},
        {"12.5e+1", 0, NUMBER_VALUE, 125},
        {"-0", 0, NUMBER_VALUE, 0},
        {"0e999999999999999999999", -3, NUMBER_VALUE, 0},
        {"0.1000", -1, NUMBER_VALUE, 1},
        {"000000000000000000000000000001.0000000000000000000000", 0, NUMBER_VALUE, 1},
        {"61800.0", 2, NUMBER_VALUE, 618},
        {"100000000000000000000000000000e-29", 0, NUMBER_VALUE, 1},
        {"0.00000000000000000000000000001e29", 0, NUMBER_VALUE, 1},
        {"9223372036854775807", 0, NUMBER_VALUE, INT64_MAX},
        {"-9223372036854775808", 0, NUMBER_VALUE, INT64_MIN},
        {"9223372036.854775807", -9, NUMBER_VALUE, INT64_MAX},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
}

Test(decimal, what_is_no_number)
{
    static const struct text_case cases[] = {
        {"", 0, NUMBER_ABSENT, 0},
        {"nan", 0, NUMBER_NAN, 0},
        {"NaN", 0, NUMBER_NAN, 0},
        {"-nan", 0, NUMBER_NAN, 0},
        {"Infinity", 0, NUMBER_INFINITE, 0},
        {"-inf", 0, NUMBER_INFINITE, 0},
        {"+INF", 0, NUMBER_INFINITE, 0},
        {"0.15", -1, NUMBER_OFF_GRID, 0},
        {"1e-19", -18, NUMBER_OFF_GRID, 0},
        {"1e-999999999999999999999", -18, NUMBER_OFF_GRID, 0},
        {"5", 1, NUMBER_OFF_GRID, 0},
        {"9223372036854775808", 0, NUMBER_OVERFLOW, 0},
        {"-9223372036854775809", 0, NUMBER_OVERFLOW, 0},
        {"99999999999999999999999999999999999999999999999999", 0, NUMBER_OVERFLOW, 0},
        {"1e19", 0, NUMBER_OVERFLOW, 0},
        {"1e999999999999999999999", 0, NUMBER_OVERFLOW, 0},
        {"1", -19, NUMBER_OVERFLOW, 0},
        {" 1", 0, NUMBER_MALFORMED, 0},
        {"1 ", 0, NUMBER_MALFORMED, 0},
        {"\t1", 0, NUMBER_MALFORMED, 0},
        {"1\n", 0, NUMBER_MALFORMED, 0},
        {"+", 0, NUMBER_MALFORMED, 0},
        {".", 0, NUMBER_MALFORMED, 0},
        {"--1", 0, NUMBER_MALFORMED, 0},
        {"1..2", 0, NUMBER_MALFORMED, 0},
        {"1.2.3", -1, NUMBER_MALFORMED, 0},
        {"1e", 0, NUMBER_MALFORMED, 0},
        {"1e+", 0, NUMBER_MALFORMED, 0},
        {"1e5.0", 0, NUMBER_MALFORMED, 0},
        {"e5", 0, NUMBER_MALFORMED, 0},
        {"0x10", 0, NUMBER_MALFORMED, 0},
        {"1,000", 0, NUMBER_MALFORMED, 0},
        {"nano", 0, NUMBER_MALFORMED, 0},
        {"infinite", 0, NUMBER_MALFORMED, 0},
        {"null", 0, NUMBER_MALFORMED, 0},
    };
    check_cases(cases, sizeof cases / sizeof cases[0]);
    cr_assert_eq(number_from_text("1\0", 2, 0).status, NUMBER_MALFORMED);
    cr_assert_eq(number_from_text("\0", 1, 0).status, NUMBER_MALFORMED);
    cr_assert_eq(number_from_text("1\0002", 3, 0).status, NUMBER_MALFORMED);
}

Test(decimal, huge_digit_strings)
{
    static char text[100001];

    memset(text, '9', 100000);
    cr_assert_eq(number_from_text(text, 100000, 0).status, NUMBER_OVERFLOW);
    memset(text, '0', 99999);
    cr_assert_eq(number_from_text(text, 100000, 0).units, 9);
    text[0] = '1';
    text[1] = '.';
    text[99999] = '0';
    cr_assert_eq(number_from_text(text, 100000, -2).units, 100);
    text[99999] = '1';
    cr_assert_eq(number_from_text(text, 100000, -18).status, NUMBER_OFF_GRID);
}

Test(decimal, own_precision)
{
    struct decimal decimal = {7, 7};

    cr_assert_eq(decimal_from_text("61800.50", 8, &decimal), NUMBER_VALUE);
    cr_assert_eq(decimal.mantissa, 618005);
    cr_assert_eq(decimal.exponent, -1);
    cr_assert_eq(decimal_from_text("-5000", 5, &decimal), NUMBER_VALUE);
    cr_assert_eq(decimal.mantissa, -5);
    cr_assert_eq(decimal.exponent, 3);
    cr_assert_eq(decimal_from_text("0.00", 4, &decimal), NUMBER_VALUE);
    cr_assert_eq(decimal.mantissa, 0);
    cr_assert_eq(decimal.exponent, 0);
    decimal = (struct decimal){7, 7};
    cr_assert_eq(decimal_from_text("1e-19", 5, &decimal), NUMBER_OFF_GRID);
    cr_assert_eq(decimal_from_text("1e19", 4, &decimal), NUMBER_OVERFLOW);
    cr_assert_eq(decimal_from_text("9223372036854775808", 19, &decimal), NUMBER_OVERFLOW);
    cr_assert_eq(decimal_from_text("NaN", 3, &decimal), NUMBER_NAN);
    cr_assert_eq(decimal_from_text("", 0, &decimal), NUMBER_ABSENT);
    cr_assert_eq(decimal.mantissa, 7);
}

Test(decimal, to_units)
{
    cr_assert_eq(decimal_to_units((struct decimal){618005, -1}, -2).units, 6180050);
    cr_assert_eq(decimal_to_units((struct decimal){618005, -1}, 0).status, NUMBER_OFF_GRID);
    cr_assert_eq(decimal_to_units((struct decimal){6180, -1}, 0).units, 618);
    cr_assert_eq(decimal_to_units((struct decimal){1, 18}, -1).status, NUMBER_OVERFLOW);
    cr_assert_eq(decimal_to_units((struct decimal){1, 18}, -18).status, NUMBER_OVERFLOW);
    cr_assert_eq(decimal_to_units((struct decimal){1, -18}, 18).status, NUMBER_OFF_GRID);
    cr_assert_eq(decimal_to_units((struct decimal){0, 0}, 18).status, NUMBER_VALUE);
    cr_assert_eq(decimal_to_units((struct decimal){INT64_MIN, 0}, 0).units, INT64_MIN);
}

static void check_text(int64_t units, int exponent, const char *text)
{
    char out[DECIMAL_TEXT_MAX];

    cr_expect_eq(decimal_to_text(units, exponent, out), strlen(text));
    cr_expect_str_eq(out, text);
}

Test(decimal, text)
{
    check_text(10, -3, "0.010");
    check_text(-10, -3, "-0.010");
    check_text(0, 0, "0");
    check_text(0, -2, "0.00");
    check_text(0, 5, "0");
    check_text(5, 3, "5000");
    check_text(618005, -1, "61800.5");
    check_text(1, -18, "0.000000000000000001");
    check_text(INT64_MIN, 0, "-9223372036854775808");
    check_text(INT64_MIN, -18, "-9.223372036854775808");
    check_text(INT64_MIN, 18, "-9223372036854775808000000000000000000");
}

static uint64_t random_state = 5;

/* splitmix64 */
static uint64_t random_u64(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

Test(decimal, every_value_reads_back)
{
    char text[DECIMAL_TEXT_MAX];

    for (int i = 0; i < 100000; i++) {
        int64_t units = (int64_t)(random_u64() >> random_u64() % 64);
        int exponent = (int)(random_u64() % 37) - 18;
        if ((i & 1) != 0)
            units = -units;
        size_t length = decimal_to_text(units, exponent, text);
        struct number number = number_from_text(text, length, exponent);
        cr_assert_eq(number.status, NUMBER_VALUE, "%s", text);
        cr_assert_eq(number.units, units, "%s", text);
        struct decimal decimal;
        if (decimal_from_text(text, length, &decimal) == NUMBER_VALUE)
            cr_assert_eq(decimal_to_units(decimal, exponent).units, units, "%s", text);
    }
}

static void check_double(double value, int exponent, bool round_up, int64_t units)
{
    struct number number = number_from_double(value, exponent, round_up);
    cr_expect_eq(number.status, NUMBER_VALUE, "%a", value);
    cr_expect_eq(number.units, units, "%a is %lld", value, (long long)number.units);
}

Test(decimal, from_double)
{
    check_double(100.5, 0, false, 100);
    check_double(100.5, 0, true, 101);
    check_double(-100.5, 0, false, -101);
    check_double(-100.5, 0, true, -100);
    check_double(100.0, 0, true, 100);
    check_double(0.5, -1, true, 5);
    /* The double next to 0.1 lies above it, the one next to 99.7 below. */
    check_double(0.1, -1, false, 1);
    check_double(0.1, -1, true, 2);
    check_double(99.7, -1, false, 997);
    check_double(99.7, -1, true, 998);
    check_double(1250, 2, false, 12);
    check_double(1250, 2, true, 13);
    check_double(1200, 2, true, 12);
    check_double(0x1p-1074, -18, false, 0);
    check_double(0x1p-1074, -18, true, 1);
    check_double(-0x1p-1074, -18, false, -1);
    check_double(-0x1p-1074, 18, true, 0);
    check_double(-0.0, 0, true, 0);
    check_double(0x1p62, 0, true, INT64_C(1) << 62);
    check_double(-0x1p63, 0, false, INT64_MIN);
    check_double(0x1p100, 18, false, INT64_C(1267650600228));
}

Test(decimal, from_double_without_value)
{
    cr_assert_eq(number_from_double(0x1p63, 0, false).status, NUMBER_OVERFLOW);
    cr_assert_eq(number_from_double(1.0, -18, false).status, NUMBER_VALUE);
    cr_assert_eq(number_from_double(10.0, -18, false).status, NUMBER_OVERFLOW);
    cr_assert_eq(number_from_double(-0x1.8p63, 0, false).status, NUMBER_OVERFLOW);
    cr_assert_eq(number_from_double(0x1.fffffffffffffp1023, 18, true).status, NUMBER_OVERFLOW);
    cr_assert_eq(number_from_double(0x1p70, -18, true).status, NUMBER_OVERFLOW);
    cr_assert_eq(number_from_double(__builtin_nan(""), 0, true).status, NUMBER_NAN);
    cr_assert_eq(number_from_double(__builtin_inf(), 0, true).status, NUMBER_INFINITE);
    cr_assert_eq(number_from_double(-__builtin_inf(), 0, true).units, 0);
}

/* Doubles that hold their integer exactly must come back as it, whatever the exponent. */
Test(decimal, from_double_is_exact)
{
    for (int i = 0; i < 100000; i++) {
        int64_t units = (int64_t)(random_u64() >> 11) - (INT64_C(1) << 52);
        double value = (double)units;
        check_double(value, 0, (i & 1) != 0, units);
        struct number down = number_from_double(value, 3, false);
        struct number up = number_from_double(value, 3, true);
        cr_assert(down.units * 1000 <= units && units <= up.units * 1000);
        cr_assert_eq(up.units - down.units, units % 1000 != 0);
    }
}

Test(decimal, status_names)
{
    cr_assert_str_eq(number_status_name(NUMBER_OFF_GRID), "off_grid");
    cr_assert_null(number_status_name(NUMBER_STATUS_COUNT));
}
