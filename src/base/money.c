/* Exact money: sign and magnitude apart, so that every rounding is one rule on a remainder. */
#include "base/money.h"

#include <string.h>

#include "base/assert.h"
#include "base/digits.h"

/* The largest magnitude of an amount; its negative is one above INT128_MIN, so that negation is
 * always safe. */
#define MAGNITUDE_MAX (~(uint128)0 >> 1)

enum { POWER_OF_TEN_MAX = 18 }; /* of power_of_ten() */

/* A 192-bit magnitude, least limb first: a 127-bit amount times a 64-bit factor. */
struct wide {
    uint64_t limb[3];
};

/* Where a cut-off remainder stands against half of its divisor. */
enum remainder { REMAINDER_NONE, REMAINDER_BELOW_HALF, REMAINDER_HALF, REMAINDER_ABOVE_HALF };

static uint128 magnitude_128(int128 value)
{
    return value < 0 ? -(uint128)value : (uint128)value;
}

static uint64_t magnitude_64(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static bool money_signed(uint128 magnitude, bool negative, money *out)
{
    if (magnitude > MAGNITUDE_MAX)
        return false;
    out->atto = negative ? -(int128)magnitude : (int128)magnitude;
    return true;
}

/* value x 10^power, power >= 0; false where it passes MAGNITUDE_MAX. */
static bool multiply_by_power(uint128 *value, int power)
{
    if (*value == 0)
        return true;
    if (*value >> 64 == 0 && power >= 0 && power <= POWER_OF_TEN_MAX) { /* 64 and 60 bits */
        *value *= (uint64_t)power_of_ten(power);
        return true;
    }
    for (; power > 0; power--) {
        if (*value > MAGNITUDE_MAX / 10)
            return false;
        *value *= 10;
    }
    return true;
}

static struct wide wide_from(uint128 value)
{
    return (struct wide){{(uint64_t)value, (uint64_t)(value >> 64), 0}};
}

static bool wide_multiply(struct wide *value, uint64_t factor)
{
    uint64_t carry = 0;

    for (int i = 0; i < 3; i++) {
        uint128 product = (uint128)value->limb[i] * factor + carry;
        value->limb[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    return carry == 0;
}

/* Divides in place; returns the remainder. */
static uint64_t wide_divide(struct wide *value, uint64_t divisor)
{
    uint64_t rest = 0;

    ASSERT(divisor != 0);
    for (int i = 2; i >= 0; i--) {
        uint64_t limb = value->limb[i];
        if (rest == 0) { /* as for what is no wider than a limb */
            value->limb[i] = limb / divisor;
            rest = limb % divisor;
            continue;
        }
        value->limb[i] = (uint64_t)(((uint128)rest << 64 | limb) / divisor);
        rest = limb - value->limb[i] * divisor; /* below the divisor, so that 64 bits tell it */
    }
    return rest;
}

static enum remainder remainder_class(uint128 rest, uint128 divisor)
{
    if (rest == 0)
        return REMAINDER_NONE;
    uint128 to_next = divisor - rest;
    if (rest == to_next)
        return REMAINDER_HALF;
    return rest < to_next ? REMAINDER_BELOW_HALF : REMAINDER_ABOVE_HALF;
}

/* One more, where the rule says so, for a magnitude cut toward zero. */
static uint128 round_magnitude(uint128 magnitude, bool negative, enum remainder remainder,
                               enum money_rounding rounding)
{
    bool away = false;

    if (remainder == REMAINDER_NONE)
        return magnitude;
    switch (rounding) {
    case MONEY_TOWARD_ZERO:
        break;
    case MONEY_UP:
        away = !negative;
        break;
    case MONEY_DOWN:
        away = negative;
        break;
    case MONEY_HALF_EVEN:
        away = remainder == REMAINDER_ABOVE_HALF ||
               (remainder == REMAINDER_HALF && (magnitude & 1) != 0);
        break;
    }
    return magnitude + away;
}

/* A wide quotient as a rounded magnitude; false where it does not fit. */
static bool wide_round(const struct wide *value, bool negative, enum remainder remainder,
                       enum money_rounding rounding, uint128 *magnitude)
{
    if (value->limb[2] != 0 || value->limb[1] >> 63 != 0)
        return false;
    *magnitude = (uint128)value->limb[1] << 64 | value->limb[0];
    *magnitude = round_magnitude(*magnitude, negative, remainder, rounding);
    return true;
}

bool money_linear_value(int64_t price_units, int64_t quantity_units, int64_t multiplier,
                        int exponent, money *out)
{
    bool negative = (price_units < 0) ^ (quantity_units < 0) ^ (multiplier < 0);

    if (exponent < MONEY_EXPONENT)
        return false;
    uint128 magnitude = (uint128)magnitude_64(price_units) * magnitude_64(quantity_units);
    uint64_t factor = magnitude_64(multiplier);
    if (magnitude >> 63 != 0 && factor > MAGNITUDE_MAX / magnitude) /* else it fits */
        return false;
    magnitude *= factor;
    return multiply_by_power(&magnitude, exponent - MONEY_EXPONENT) &&
           money_signed(magnitude, negative, out);
}

/* value x 10^power / divisor cut toward zero, in place, with what is cut off told by its class. */
static bool wide_scale(struct wide *value, int power, uint64_t divisor, enum remainder *remainder)
{
    for (; power > 0; power--)
        if (!wide_multiply(value, 10))
            return false;
    uint64_t rest = wide_divide(value, divisor);
    *remainder = remainder_class(rest, divisor);
    for (; power < 0; power++) {
        /* A tenth at a time: the digit that goes decides, what went before only breaks its ties. */
        uint64_t digit = wide_divide(value, 10);
        bool below = *remainder != REMAINDER_NONE;
        if (digit == 0)
            *remainder = below ? REMAINDER_BELOW_HALF : REMAINDER_NONE;
        else if (digit == 5)
            *remainder = below ? REMAINDER_ABOVE_HALF : REMAINDER_HALF;
        else
            *remainder = digit < 5 ? REMAINDER_BELOW_HALF : REMAINDER_ABOVE_HALF;
    }
    return true;
}

bool money_inverse_value(int64_t price_units, int64_t quantity_units, int64_t multiplier,
                         int exponent, int round_exponent, enum money_rounding rounding, money *out)
{
    bool negative = (quantity_units < 0) != (multiplier < 0);
    enum remainder remainder;
    uint128 magnitude;

    if (price_units <= 0)
        return false;
    ASSERT(round_exponent >= MONEY_EXPONENT && round_exponent <= -MONEY_EXPONENT);
    uint128 numerator = (uint128)magnitude_64(quantity_units) * magnitude_64(multiplier);
    if (numerator == 0) {
        *out = MONEY_ZERO;
        return true;
    }
    struct wide value = wide_from(numerator);
    return wide_scale(&value, exponent - round_exponent, (uint64_t)price_units, &remainder) &&
           wide_round(&value, negative, remainder, rounding, &magnitude) &&
           multiply_by_power(&magnitude, round_exponent - MONEY_EXPONENT) &&
           money_signed(magnitude, negative, out);
}

bool money_scale(money amount, int64_t numerator, int64_t denominator, enum money_rounding rounding,
                 money *out)
{
    bool negative = (amount.atto < 0) != (numerator < 0);
    uint128 magnitude;

    if (denominator <= 0)
        return false;
    struct wide value = wide_from(magnitude_128(amount.atto));
    if (!wide_multiply(&value, magnitude_64(numerator)))
        return false;
    uint64_t rest = wide_divide(&value, (uint64_t)denominator);
    enum remainder remainder = remainder_class(rest, (uint64_t)denominator);
    return wide_round(&value, negative, remainder, rounding, &magnitude) &&
           money_signed(magnitude, negative, out);
}

bool money_round(money amount, int exponent, enum money_rounding rounding, money *out)
{
    uint128 unit = 1;
    uint128 magnitude = magnitude_128(amount.atto);
    bool negative = amount.atto < 0;

    ASSERT(exponent >= MONEY_EXPONENT && exponent <= -MONEY_EXPONENT);
    if (!multiply_by_power(&unit, exponent - MONEY_EXPONENT))
        return false;
    uint128 count = round_magnitude(magnitude / unit, negative,
                                    remainder_class(magnitude % unit, unit), rounding);
    return multiply_by_power(&count, exponent - MONEY_EXPONENT) &&
           money_signed(count, negative, out);
}

bool money_from_units(int64_t units, int exponent, money *out)
{
    uint128 magnitude = magnitude_64(units);

    for (; exponent < MONEY_EXPONENT && magnitude != 0; exponent++) {
        if (magnitude % 10 != 0)
            return false;
        magnitude /= 10;
    }
    return multiply_by_power(&magnitude, exponent - MONEY_EXPONENT) &&
           money_signed(magnitude, units < 0, out);
}

bool money_to_units(money amount, int exponent, int64_t *units)
{
    money unit, rounded;
    if (!money_from_units(1, exponent, &unit) ||
        !money_round(amount, exponent, MONEY_HALF_EVEN, &rounded))
        return false;
    int128 count = rounded.atto / unit.atto;
    *units = (int64_t)count;
    return count >= INT64_MIN && count <= INT64_MAX;
}

size_t money_to_text(money amount, char out[MONEY_TEXT_MAX])
{
    char reversed[MONEY_TEXT_MAX];
    size_t count = 0, length = 0;
    uint128 magnitude = magnitude_128(amount.atto);
    bool significant = false;

    for (int digit = MONEY_EXPONENT; digit <= 0 || magnitude != 0; digit++) {
        char byte = (char)('0' + (int)(magnitude % 10));
        if (digit == 0 && significant)
            reversed[count++] = '.';
        significant = significant || byte != '0';
        if (significant || digit >= 0)
            reversed[count++] = byte;
        magnitude /= 10;
    }
    if (amount.atto < 0)
        out[length++] = '-';
    while (count > 0)
        out[length++] = reversed[--count];
    out[length] = '\0';
    return length;
}

enum number_status money_from_text(const char *text, size_t length, money *out)
{
    struct digits digits;
    uint128 magnitude;

    enum number_status status = digits_from_text(text, length, &digits);
    if (status == NUMBER_VALUE)
        status = digits_to_units(&digits, MONEY_EXPONENT, MAGNITUDE_MAX, &magnitude);
    if (status != NUMBER_VALUE)
        return status;
    bool fits = money_signed(magnitude, digits.negative, out);
    ASSERT(fits);
    return NUMBER_VALUE;
}
