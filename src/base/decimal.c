/* Decimal text to integers and back: all in integers, so that nothing rounds unseen. */
#include "base/decimal.h"

#include <string.h>

#include "base/assert.h"
#include "base/digits.h"

enum { DIGITS_OF_INT128 = 39 };

/* Beyond any exponent that matters, and far from where adding a text's length would overflow. */
static const int64_t exponent_limit = INT64_C(1000000000000000);

const char *number_status_name(enum number_status status)
{
    static const char *const names[NUMBER_STATUS_COUNT] = {
#define X(name, text) text,
        NUMBER_STATUSES(X)
#undef X
    };
    return (unsigned)status < NUMBER_STATUS_COUNT ? names[status] : NULL;
}

int64_t power_of_ten(int power)
{
    static const int64_t powers[] = {INT64_C(1),
                                     INT64_C(10),
                                     INT64_C(100),
                                     INT64_C(1000),
                                     INT64_C(10000),
                                     INT64_C(100000),
                                     INT64_C(1000000),
                                     INT64_C(10000000),
                                     INT64_C(100000000),
                                     INT64_C(1000000000),
                                     INT64_C(10000000000),
                                     INT64_C(100000000000),
                                     INT64_C(1000000000000),
                                     INT64_C(10000000000000),
                                     INT64_C(100000000000000),
                                     INT64_C(1000000000000000),
                                     INT64_C(10000000000000000),
                                     INT64_C(100000000000000000),
                                     INT64_C(1000000000000000000)};
    ASSERT(power >= 0 && power <= 18);
    return powers[power];
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Case-blind for ASCII; `word` is in lower case. */
static bool is_word(const char *text, size_t length, const char *word)
{
    if (strlen(word) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        char byte = text[i];
        if (byte >= 'A' && byte <= 'Z')
            byte = (char)(byte - 'A' + 'a');
        if (byte != word[i])
            return false;
    }
    return true;
}

/* The status of text that is no decimal. */
static enum number_status status_of_word(const char *text, size_t length)
{
    if (is_word(text, length, "nan"))
        return NUMBER_NAN;
    if (is_word(text, length, "inf") || is_word(text, length, "infinity"))
        return NUMBER_INFINITE;
    return NUMBER_MALFORMED;
}

/* The integer after an e, held inside +-exponent_limit. False where it is none. */
static bool read_exponent(const char *text, const char *end, int64_t *exponent)
{
    bool negative = false;
    int64_t value = 0;

    if (text < end && (*text == '+' || *text == '-'))
        negative = *text++ == '-';
    if (text == end)
        return false;
    for (; text < end; text++) {
        if (!is_digit(*text))
            return false;
        if (value < exponent_limit)
            value = value * 10 + (*text - '0');
    }
    *exponent = negative ? -value : value;
    return true;
}

enum number_status digits_from_text(const char *text, size_t length, struct digits *out)
{
    const char *end = text + length;
    const char *at = text;
    const char *first = NULL;
    int64_t after_point = 0, exponent = 0, trailing_zeros = 0;
    size_t count = 0, seen = 0;
    bool point = false;

    if (length == 0)
        return NUMBER_ABSENT;
    if (*at == '+' || *at == '-')
        at++;
    const char *body = at;
    for (; at < end && (is_digit(*at) || (*at == '.' && !point)); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        seen++;
        after_point += point;
        if (first == NULL && *at == '0')
            continue;
        if (first == NULL)
            first = at;
        count++;
        trailing_zeros = *at == '0' ? trailing_zeros + 1 : 0;
    }
    if (seen == 0)
        return status_of_word(body, (size_t)(end - body));
    if (at < end && (*at == 'e' || *at == 'E')) {
        if (!read_exponent(at + 1, end, &exponent))
            return NUMBER_MALFORMED;
    } else if (at < end) {
        return NUMBER_MALFORMED;
    }
    out->first = first;
    out->count = count - (size_t)trailing_zeros;
    out->exponent = exponent - after_point + trailing_zeros;
    out->negative = *text == '-';
    return NUMBER_VALUE;
}

enum number_status digits_to_units(const struct digits *digits, int exponent, uint128 limit,
                                   uint128 *magnitude)
{
    const char *at = digits->first;
    uint128 value = 0;

    if (digits->count == 0) {
        *magnitude = 0;
        return NUMBER_VALUE;
    }
    int64_t zeros = digits->exponent - exponent;
    if (zeros < 0) /* the last digit is not 0 */
        return NUMBER_OFF_GRID;
    if (digits->count > DIGITS_OF_INT128 || zeros > DIGITS_OF_INT128)
        return NUMBER_OVERFLOW;
    for (int64_t left = (int64_t)digits->count + zeros; left > 0; left--) {
        unsigned digit = 0;
        if (left > zeros) {
            if (*at == '.')
                at++;
            digit = (unsigned)(*at++ - '0');
        }
        if (value > (limit - digit) / 10)
            return NUMBER_OVERFLOW;
        value = value * 10 + digit;
    }
    *magnitude = value;
    return NUMBER_VALUE;
}

/* The largest magnitude that an int64 of this sign holds. */
static uint64_t int64_limit(bool negative)
{
    return (uint64_t)INT64_MAX + negative;
}

static int64_t int64_signed(uint64_t magnitude, bool negative)
{
    ASSERT(magnitude <= int64_limit(negative));
    if (!negative)
        return (int64_t)magnitude;
    return magnitude == 0 ? 0 : -(int64_t)(magnitude - 1) - 1;
}

static struct number number_without_value(enum number_status status)
{
    return (struct number){.units = 0, .status = (uint8_t)status};
}

struct number number_from_text(const char *text, size_t length, int exponent)
{
    struct digits digits;
    uint128 magnitude;

    enum number_status status = digits_from_text(text, length, &digits);
    if (status == NUMBER_VALUE)
        status = digits_to_units(&digits, exponent, int64_limit(digits.negative), &magnitude);
    if (status != NUMBER_VALUE)
        return number_without_value(status);
    return (struct number){.units = int64_signed((uint64_t)magnitude, digits.negative),
                           .status = NUMBER_VALUE};
}

enum number_status decimal_from_text(const char *text, size_t length, struct decimal *out)
{
    struct digits digits;
    uint128 magnitude;

    enum number_status status = digits_from_text(text, length, &digits);
    if (status != NUMBER_VALUE)
        return status;
    if (digits.count == 0) {
        *out = (struct decimal){0, 0};
        return NUMBER_VALUE;
    }
    if (digits.exponent < DECIMAL_EXPONENT_MIN)
        return NUMBER_OFF_GRID;
    if (digits.exponent > DECIMAL_EXPONENT_MAX)
        return NUMBER_OVERFLOW;
    status =
        digits_to_units(&digits, (int)digits.exponent, int64_limit(digits.negative), &magnitude);
    if (status == NUMBER_VALUE)
        *out = (struct decimal){int64_signed((uint64_t)magnitude, digits.negative),
                                (int)digits.exponent};
    return status;
}

struct number decimal_to_units(struct decimal decimal, int exponent)
{
    int zeros = decimal.exponent - exponent;
    int64_t units;

    if (decimal.mantissa == 0)
        return (struct number){.units = 0, .status = NUMBER_VALUE};
    if (zeros < 0) {
        if (zeros < -18 || decimal.mantissa % power_of_ten(-zeros) != 0)
            return number_without_value(NUMBER_OFF_GRID);
        units = decimal.mantissa / power_of_ten(-zeros);
    } else if (zeros > 18 ||
               __builtin_mul_overflow(decimal.mantissa, power_of_ten(zeros), &units)) {
        return number_without_value(NUMBER_OVERFLOW);
    }
    return (struct number){.units = units, .status = NUMBER_VALUE};
}

/* mantissa x 2^power / 10^exponent, cut toward zero, at most UINT128_MAX; `exact` tells whether
 * anything was cut off. mantissa < 2^53. */
static uint128 scale_binary(uint64_t mantissa, int power, int exponent, bool *exact)
{
    uint128 value = mantissa;
    uint64_t divisor = 1;

    *exact = true;
    if (mantissa == 0)
        return 0;
    if (exponent <= 0)
        value *= (uint64_t)power_of_ten(-exponent); /* 53 and 60 bits */
    else
        divisor = (uint64_t)power_of_ten(exponent);
    for (; power > 0; power--) {
        if (value >> 127 != 0)
            return ~(uint128)0; /* 2^127 / 10^18 and above: no int64 */
        value <<= 1;
    }
    if (power <= -128) {
        *exact = false;
        return 0;
    }
    if (power < 0) {
        *exact = (value & (((uint128)1 << -power) - 1)) == 0;
        value >>= -power;
    }
    *exact = *exact && value % divisor == 0;
    return value / divisor;
}

struct number number_from_double(double value, int exponent, bool round_up)
{
    uint64_t bits;
    bool exact;

    ASSERT(exponent >= DECIMAL_EXPONENT_MIN && exponent <= DECIMAL_EXPONENT_MAX);
    _Static_assert(sizeof value == sizeof bits, "a double is IEEE 754 binary64");
    memcpy(&bits, &value, sizeof bits);
    bool negative = bits >> 63 != 0;
    int biased = (int)(bits >> 52 & 0x7ff);
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    if (biased == 0x7ff)
        return number_without_value(mantissa != 0 ? NUMBER_NAN : NUMBER_INFINITE);
    if (biased != 0)
        mantissa |= UINT64_C(1) << 52;
    else
        biased = 1;
    uint128 magnitude = scale_binary(mantissa, biased - 1075, exponent, &exact);
    if (!exact && round_up != negative)
        magnitude++;
    if (magnitude > int64_limit(negative))
        return number_without_value(NUMBER_OVERFLOW);
    return (struct number){.units = int64_signed((uint64_t)magnitude, negative),
                           .status = NUMBER_VALUE};
}

size_t decimal_to_text(int64_t units, int exponent, char out[DECIMAL_TEXT_MAX])
{
    char reversed[DECIMAL_TEXT_MAX];
    size_t count = 0, length = 0;
    uint64_t magnitude = units < 0 ? -(uint64_t)units : (uint64_t)units;

    ASSERT(exponent >= DECIMAL_EXPONENT_MIN && exponent <= DECIMAL_EXPONENT_MAX);
    if (magnitude != 0)
        for (int zeros = exponent; zeros > 0; zeros--)
            reversed[count++] = '0';
    for (int digit = 0; magnitude != 0 || digit <= (exponent < 0 ? -exponent : 0); digit++) {
        if (digit == -exponent && digit > 0)
            reversed[count++] = '.';
        reversed[count++] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    }
    if (units < 0)
        out[length++] = '-';
    while (count > 0)
        out[length++] = reversed[--count];
    out[length] = '\0';
    return length;
}
