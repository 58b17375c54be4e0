/* Text of times and durations, in integers from end to end; the calendar is proleptic Gregorian. */
#include "base/time.h"

#include <string.h>

#include "base/assert.h"
#include "base/decimal.h"

enum { SECONDS_PER_DAY = 86400, DAYS_PER_ERA = 146097 /* 400 years */ };

/* Days since 1970-01-01 of a civil date. Years start in March here, so that the leap day is last.
 */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t march_year = year - (month <= 2);
    int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
    int64_t year_of_era = march_year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - 719468;
}

static void date_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    *month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

/* `width` digits of `value`, then `after`. */
static char *put_digits(char *to, int64_t value, int width, char after)
{
    for (int i = width - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    to[width] = after;
    return to + width + 1;
}

size_t time_to_text(int64_t time_ns, char out[TIME_TEXT_MAX])
{
    int year, month, day;
    char *to = out;

    int64_t nanosecond = time_ns % NS_PER_SECOND;
    int64_t seconds = time_ns / NS_PER_SECOND;
    if (nanosecond < 0) {
        nanosecond += NS_PER_SECOND;
        seconds--;
    }
    int64_t of_day = seconds % SECONDS_PER_DAY;
    int64_t days = seconds / SECONDS_PER_DAY;
    if (of_day < 0) {
        of_day += SECONDS_PER_DAY;
        days--;
    }
    date_from_days(days, &year, &month, &day);
    to = put_digits(to, year, 4, '-');
    to = put_digits(to, month, 2, '-');
    to = put_digits(to, day, 2, 'T');
    to = put_digits(to, of_day / 3600, 2, ':');
    to = put_digits(to, of_day / 60 % 60, 2, ':');
    to = put_digits(to, of_day % 60, 2, '.');
    to = put_digits(to, nanosecond, 9, 'Z');
    *to = '\0';
    return (size_t)(to - out);
}

/* What is left to read of a text. */
struct cursor {
    const char *at, *end;
};

static bool take_byte(struct cursor *cursor, const char *any_of)
{
    if (cursor->at == cursor->end || *cursor->at == '\0' || strchr(any_of, *cursor->at) == NULL)
        return false;
    cursor->at++;
    return true;
}

/* Exactly `width` digits. */
static bool take_digits(struct cursor *cursor, int width, int *value)
{
    if (cursor->end - cursor->at < width)
        return false;
    *value = 0;
    for (; width > 0; width--, cursor->at++) {
        if (*cursor->at < '0' || *cursor->at > '9')
            return false;
        *value = *value * 10 + (*cursor->at - '0');
    }
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* One to nine decimals of a second as nanoseconds. */
static bool take_fraction(struct cursor *cursor, int64_t *nanosecond)
{
    int64_t weight = NS_PER_SECOND / 10;
    int digit;

    *nanosecond = 0;
    if (!take_byte(cursor, "."))
        return true;
    if (!take_digits(cursor, 1, &digit))
        return false;
    do {
        if (weight == 0)
            return false;
        *nanosecond += digit * weight;
        weight /= 10;
    } while (take_digits(cursor, 1, &digit));
    return true;
}

/* Z, or +-hh:mm as seconds east. */
static bool take_offset(struct cursor *cursor, int *seconds)
{
    int hour, minute;

    *seconds = 0;
    if (take_byte(cursor, "Zz"))
        return true;
    bool west = cursor->at < cursor->end && *cursor->at == '-';
    if (!take_byte(cursor, "+-") || !take_digits(cursor, 2, &hour) || !take_byte(cursor, ":") ||
        !take_digits(cursor, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *seconds = (hour * 3600 + minute * 60) * (west ? -1 : 1);
    return true;
}

static bool take_date(struct cursor *cursor, int64_t *days)
{
    int year, month, day;

    if (!take_digits(cursor, 4, &year) || !take_byte(cursor, "-") ||
        !take_digits(cursor, 2, &month) || !take_byte(cursor, "-") ||
        !take_digits(cursor, 2, &day) || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return false;
    *days = days_from_date(year, month, day);
    return true;
}

static bool time_from_rfc3339(const char *text, size_t length, int64_t *time_ns)
{
    struct cursor cursor = {text, text + length};
    int hour, minute, second, offset;
    int64_t days, nanosecond;

    if (!take_date(&cursor, &days) || !take_byte(&cursor, "Tt ") ||
        !take_digits(&cursor, 2, &hour) || !take_byte(&cursor, ":") ||
        !take_digits(&cursor, 2, &minute) || !take_byte(&cursor, ":") ||
        !take_digits(&cursor, 2, &second) || !take_fraction(&cursor, &nanosecond) ||
        !take_offset(&cursor, &offset) || cursor.at != cursor.end || hour > 23 || minute > 59 ||
        second > 59)
        return false;
    int64_t seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset;
    int128 total = (int128)seconds * NS_PER_SECOND + nanosecond;
    if (total < INT64_MIN || total > INT64_MAX)
        return false;
    *time_ns = (int64_t)total;
    return true;
}

static bool is_integer_text(const char *text, size_t length)
{
    size_t first = length > 0 && text[0] == '-';
    if (length == first)
        return false;
    for (size_t i = first; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

int time_from_text(const char *text, size_t length, int64_t *time_ns, struct error *error)
{
    int shown = length < TIME_TEXT_MAX ? (int)length : TIME_TEXT_MAX;

    if (is_integer_text(text, length)) {
        struct number number = number_from_text(text, length, 0);
        if (number.status == NUMBER_VALUE) {
            *time_ns = number.units;
            return 0;
        }
    } else if (time_from_rfc3339(text, length, time_ns)) {
        return 0;
    }
    return error_set(error, ERROR_INPUT,
                     "time \"%.*s\": expected RFC 3339 between 1678 and 2261 with up to nine "
                     "decimals and Z or an offset, or integer nanoseconds",
                     shown, text);
}

/* From the longest to the shortest, which is the order in which text is written. */
static const struct unit {
    const char *name;
    int64_t ns;
} units[] = {
    {"h", 3600 * NS_PER_SECOND}, {"m", 60 * NS_PER_SECOND}, {"s", NS_PER_SECOND},
    {"ms", NS_PER_MS},           {"us", NS_PER_US},         {"ns", 1},
};
enum { UNIT_COUNT = sizeof units / sizeof units[0] };

/* decimal x unit_ns where that is a whole number of nanoseconds that fits. */
static bool scale_duration(struct decimal decimal, int64_t unit_ns, int64_t *duration_ns)
{
    int128 total = (int128)decimal.mantissa * unit_ns; /* 63 and 42 bits */

    if (decimal.exponent < 0) {
        int64_t divisor = power_of_ten(-decimal.exponent);
        if (total % divisor != 0)
            return false;
        total /= divisor;
    } else if (__builtin_mul_overflow(total, (int128)power_of_ten(decimal.exponent), &total)) {
        return false;
    }
    if (total < INT64_MIN || total > INT64_MAX)
        return false;
    *duration_ns = (int64_t)total;
    return true;
}

int duration_from_text(const char *text, size_t length, int64_t *duration_ns, struct error *error)
{
    int shown = length < TIME_TEXT_MAX ? (int)length : TIME_TEXT_MAX;
    size_t name = length;
    struct decimal decimal;

    while (name > 0 && text[name - 1] >= 'a' && text[name - 1] <= 'z')
        name--;
    if (name > 0 && decimal_from_text(text, name, &decimal) == NUMBER_VALUE) {
        if (name == length && name == 1 && decimal.mantissa == 0) {
            *duration_ns = 0;
            return 0;
        }
        for (int i = 0; i < UNIT_COUNT; i++)
            if (strlen(units[i].name) == length - name &&
                memcmp(units[i].name, text + name, length - name) == 0 &&
                scale_duration(decimal, units[i].ns, duration_ns))
                return 0;
    }
    return error_set(error, ERROR_INPUT,
                     "duration \"%.*s\": expected a number with its unit (ns, us, ms, s, m, h), "
                     "exact to 1ns, such as 250ms",
                     shown, text);
}

size_t duration_to_text(int64_t duration_ns, char out[TIME_TEXT_MAX])
{
    char number[DECIMAL_TEXT_MAX];
    int unit = 0;

    if (duration_ns == 0) {
        memcpy(out, "0", 2);
        return 1;
    }
    while (duration_ns % units[unit].ns != 0)
        unit++;
    size_t length = decimal_to_text(duration_ns / units[unit].ns, 0, number);
    size_t name = strlen(units[unit].name);
    memcpy(out, number, length);
    memcpy(out + length, units[unit].name, name + 1);
    return length + name;
}
