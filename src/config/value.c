/* The text of each type of setting to its value and back. See config/table.h. */
#include <config.h>

#include "config/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "base/utf8.h"
#include "config/balances.h"

enum { RATIO_EXPONENT = -9, SHOWN_MAX = 72 };

/* Why a text is no value of its type; the rest of the line says what was expected. */
typedef const char *reason;

void setting_expected(const struct setting_row *row, char *out, size_t size)
{
    static const char *const examples[] = {
#define T(type, example) example,
        SETTING_TYPES(T)
#undef T
    };
    const char *least = row->info.least, *most = row->info.most, *example = examples[row->type];
    if (row->type == SETTING_CHOICE)
        snprintf(out, size, "%s: %s", example, least);
    else if (least[0] != '\0' && most[0] != '\0')
        snprintf(out, size, "%s, from %s to %s", example, least, most);
    else if (least[0] != '\0')
        snprintf(out, size, "%s, not below %s", example, least);
    else
        snprintf(out, size, "%s", example);
}

/* What a person typed, safe to print on one line. */
static void shown(const char *text, size_t length, char out[SHOWN_MAX])
{
    size_t keep = length < SHOWN_MAX - 4 ? length : SHOWN_MAX - 4;
    for (size_t i = 0; i < keep; i++)
        out[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i];
    snprintf(out + keep, 4, "%s", keep < length ? "..." : "");
}

static reason number_reason(enum number_status status)
{
    switch (status) {
    case NUMBER_VALUE:
        return NULL;
    case NUMBER_ABSENT:
        return "is empty";
    case NUMBER_NAN:
    case NUMBER_INFINITE:
        return "is not a number that can be used";
    case NUMBER_OFF_GRID:
        return "has too many decimals";
    case NUMBER_OVERFLOW:
        return "is too large";
    case NUMBER_MALFORMED:
    case NUMBER_STATUS_COUNT:
        break;
    }
    return "is not a number";
}

static reason parse_integer(const char *text, size_t length, union setting_value *value)
{
    struct number number = number_from_text(text, length, 0);
    value->integer = number.units;
    return number.status == NUMBER_OFF_GRID ? "is not whole" : number_reason(number.status);
}

static reason parse_duration(const char *text, size_t length, union setting_value *value)
{
    struct error why = {0};
    if (duration_from_text(text, length, &value->integer, &why) == ERROR_NONE)
        return NULL;
    struct number number = number_from_text(text, length, RATIO_EXPONENT);
    if (number.status == NUMBER_VALUE)
        return "has no unit";
    return length == 0 ? "is empty" : "is not a time";
}

static reason parse_ratio(const char *text, size_t length, union setting_value *value)
{
    bool percent = length > 0 && text[length - 1] == '%';
    struct number number = percent ? number_from_text(text, length - 1, RATIO_EXPONENT + 2)
                                   : number_from_text(text, length, RATIO_EXPONENT);
    value->integer = number.units;
    return number_reason(number.status);
}

static reason parse_flag(const char *text, size_t length, union setting_value *value)
{
    value->flag = length == 3 && memcmp(text, "yes", 3) == 0;
    if (value->flag || (length == 2 && memcmp(text, "no", 2) == 0))
        return NULL;
    return "is neither yes nor no";
}

/* Take `unit` (and blanks before it) off the end; false where it does not stand there. */
static bool take_unit(const char *text, size_t *length, const char *unit)
{
    size_t width = strlen(unit);
    if (*length < width || memcmp(text + *length - width, unit, width) != 0)
        return false;
    *length -= width;
    while (*length > 0 && text[*length - 1] == ' ')
        --*length;
    return true;
}

static reason parse_amount(enum setting_type type, const char *text, size_t length,
                           union setting_value *value)
{
    struct setting_amount amount = {.unit = SETTING_PLAIN};
    if (take_unit(text, &length, "tick"))
        amount.unit = SETTING_TICK;
    else if (take_unit(text, &length, "lot"))
        amount.unit = SETTING_LOT;
    if (type == SETTING_PRICES && amount.unit == SETTING_LOT)
        return "is in lots, which count quantities";
    if (type == SETTING_SIZES && amount.unit == SETTING_TICK)
        return "is in ticks, which count prices";
    reason why = number_reason(decimal_from_text(text, length, &amount.value));
    value->amount = amount;
    return why;
}

static reason parse_choice(const char *words, const char *text, size_t length,
                           union setting_value *value)
{
    for (const char *word = words; *word != '\0'; word += *word == '|') {
        size_t width = strcspn(word, "|");
        if (width == length && memcmp(word, text, length) == 0) {
            snprintf(value->text.text, SETTING_TEXT_MAX, "%.*s", (int)length, text);
            return NULL;
        }
        word += width;
    }
    return "is not known";
}

static reason parse_money(const char *text, size_t length, union setting_value *value)
{
    enum number_status status = money_from_text(text, length, &value->money);
    if (status != NUMBER_VALUE)
        return number_reason(status);
    return value->money.atto < 0 ? "is negative" : NULL;
}

static reason parse_text(const char *text, size_t length, union setting_value *value)
{
    if (length >= SETTING_TEXT_MAX)
        return "is too long";
    for (size_t at = 0, width; at < length; at += width) {
        width = text[at] == ' ' ? 1 : utf8_read(text + at, length - at, NULL);
        if (width == 0 || (text[at] != ' ' && !utf8_is_word(text + at, width)))
            return "has a character that can't be printed";
    }
    snprintf(value->text.text, SETTING_TEXT_MAX, "%.*s", (int)length, text);
    return NULL;
}

static reason parse_any(const struct setting_row *row, const char *text, size_t length,
                        union setting_value *value)
{
    switch ((enum setting_type)row->type) {
    case SETTING_INTEGER:
        return parse_integer(text, length, value);
    case SETTING_DURATION:
        return parse_duration(text, length, value);
    case SETTING_RATIO:
        return parse_ratio(text, length, value);
    case SETTING_FLAG:
        return parse_flag(text, length, value);
    case SETTING_PRICES:
    case SETTING_SIZES:
        return parse_amount(row->type, text, length, value);
    case SETTING_BALANCES:
        return balances_from_text(text, length, &value->text);
    case SETTING_CHOICE:
        return parse_choice(row->info.least, text, length, value);
    case SETTING_AMOUNT:
        return parse_money(text, length, value);
    case SETTING_TEXT:
        return parse_text(text, length, value);
    }
    ASSERT(false); /* every type returned above */
    return NULL;
}

/* Whether `value` is below (-1) or above (1) the end of the range that `end` writes; 0: it is not.
 */
static int beyond(const struct setting_row *row, const union setting_value *value, const char *end,
                  int direction)
{
    if (end[0] == '\0' || row->type == SETTING_CHOICE)
        return 0;
    union setting_value limit = {0};
    ASSERT(parse_any(row, end, strlen(end), &limit) == NULL);
    if (row->type == SETTING_PRICES || row->type == SETTING_SIZES) {
        /* Plain amounts and ticks compare only with an instrument's definition: none but 0. */
        ASSERT(limit.amount.value.mantissa == 0 && direction < 0);
        return value->amount.value.mantissa < 0 ? -1 : 0;
    }
    ASSERT(row->type <= SETTING_RATIO);
    if (direction < 0)
        return value->integer < limit.integer ? -1 : 0;
    return value->integer > limit.integer;
}

int setting_parse(const struct setting_row *row, const char *text, size_t length,
                  union setting_value *value, struct error *error)
{
    union setting_value read = {0};
    reason why = parse_any(row, text, length, &read);
    if (why == NULL && (beyond(row, &read, row->info.least, -1) != 0 ||
                        beyond(row, &read, row->info.most, 1) != 0))
        why = "is out of range";
    if (why == NULL) {
        *value = read;
        return ERROR_NONE;
    }
    char typed[SHOWN_MAX], expected[256];
    shown(text, length, typed);
    setting_expected(row, expected, sizeof expected);
    return error_set(error, ERROR_INPUT, "%s: '%s' %s; expected %s", row->info.name, typed, why,
                     expected);
}

/* Drop zeros at the end of a fraction, and its point. */
static size_t strip(char *text, size_t length)
{
    if (memchr(text, '.', length) == NULL)
        return length;
    while (text[length - 1] == '0')
        length--;
    length -= text[length - 1] == '.';
    text[length] = '\0';
    return length;
}

size_t setting_format(const struct setting_row *row, const union setting_value *value,
                      char out[SETTING_TEXT_MAX])
{
    char digits[DECIMAL_TEXT_MAX];
    const char *unit = "";
    switch ((enum setting_type)row->type) {
    case SETTING_INTEGER:
        return (size_t)snprintf(out, SETTING_TEXT_MAX, "%" PRId64, value->integer);
    case SETTING_DURATION:
        return duration_to_text(value->integer, out);
    case SETTING_RATIO:
        strip(digits, decimal_to_text(value->integer, RATIO_EXPONENT + 2, digits));
        return (size_t)snprintf(out, SETTING_TEXT_MAX, "%s%%", digits);
    case SETTING_FLAG:
        return (size_t)snprintf(out, SETTING_TEXT_MAX, "%s", value->flag ? "yes" : "no");
    case SETTING_PRICES:
    case SETTING_SIZES:
        decimal_to_text(value->amount.value.mantissa, value->amount.value.exponent, digits);
        if (value->amount.unit != SETTING_PLAIN)
            unit = value->amount.unit == SETTING_TICK ? "tick" : "lot";
        return (size_t)snprintf(out, SETTING_TEXT_MAX, "%s%s", digits, unit);
    case SETTING_AMOUNT:
        return money_to_text(value->money, out);
    case SETTING_BALANCES:
    case SETTING_CHOICE:
    case SETTING_TEXT:
        break;
    }
    return (size_t)snprintf(out, SETTING_TEXT_MAX, "%s", value->text.text);
}
