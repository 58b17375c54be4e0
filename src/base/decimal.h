/* Decimal text to integers and back, exactly, with a status for what is not a plain number. */
#ifndef CAPSTAN_BASE_DECIMAL_H
#define CAPSTAN_BASE_DECIMAL_H

#include "base/error.h"

/* Why a number has no value. Only NUMBER_VALUE carries one; nothing compares the others. */
#define NUMBER_STATUSES(X)                                                                         \
    X(NUMBER_VALUE, "value")                                                                       \
    X(NUMBER_ABSENT, "absent")                                                                     \
    X(NUMBER_NAN, "nan")                                                                           \
    X(NUMBER_INFINITE, "infinite")                                                                 \
    X(NUMBER_OFF_GRID, "off_grid")                                                                 \
    X(NUMBER_OVERFLOW, "overflow")                                                                 \
    X(NUMBER_MALFORMED, "malformed")

enum number_status {
#define X(name, text) name,
    NUMBER_STATUSES(X)
#undef X
        NUMBER_STATUS_COUNT
};

/* A price or quantity in its instrument's unit (10^exponent). `units` is 0 unless `status` is
 * NUMBER_VALUE. */
struct number {
    int64_t units;
    uint8_t status; /* enum number_status */
};

/* A decimal with its own exponent: mantissa x 10^exponent. Normal form has no trailing zero in the
 * mantissa; zero is {0, 0}. */
struct decimal {
    int64_t mantissa;
    int exponent;
};

enum {
    DECIMAL_EXPONENT_MIN = -18,
    DECIMAL_EXPONENT_MAX = 18,
    DECIMAL_TEXT_MAX = 64 /* bytes that decimal_to_text may write, with its final NUL */
};

const char *number_status_name(enum number_status status);

/* Read `length` bytes of decimal text ("-12.50", "1e-3", "+1", ".5", "NaN", "-Infinity", "") as a
 * multiple of 10^exponent. Finer than that: NUMBER_OFF_GRID. Too large for int64: NUMBER_OVERFLOW.
 * Empty: NUMBER_ABSENT. Anything else that is not a number: NUMBER_MALFORMED. Never rounds. */
struct number number_from_text(const char *text, size_t length, int exponent);

/* The nearest multiple of 10^exponent at or below (round_up false) or above (true) a double; NaN,
 * infinity and what does not fit become their status. The only way from a double to an integer. */
struct number number_from_double(double value, int exponent, bool round_up);

/* Read decimal text in its own precision, in normal form. Finer than 1e-18: NUMBER_OFF_GRID; a
 * mantissa past int64 or an exponent past 18: NUMBER_OVERFLOW. Returns the status; `out` is touched
 * on NUMBER_VALUE only. */
enum number_status decimal_from_text(const char *text, size_t length, struct decimal *out);

/* `decimal` as units of 10^exponent, with the status rules of number_from_text. */
struct number decimal_to_units(struct decimal decimal, int exponent);

/* Write units x 10^exponent as plain decimal text with exactly max(0, -exponent) decimals ("0.010"
 * is units 10, exponent -3). Returns the length without the NUL. */
size_t decimal_to_text(int64_t units, int exponent, char out[DECIMAL_TEXT_MAX]);

/* 10^power for 0 <= power <= 18. */
int64_t power_of_ten(int power);

#endif
