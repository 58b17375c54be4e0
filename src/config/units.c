/* Amounts of settings in units of their instrument. See config/config.h. */
#include <config.h>

#include "config/config.h"

#include <stdio.h>

#include "base/assert.h"

static int refuse(const char *name, const struct setting_amount *amount, const char *why,
                  struct error *error)
{
    static const char *const units[] = {"", "tick", "lot"};
    char digits[DECIMAL_TEXT_MAX];
    decimal_to_text(amount->value.mantissa, amount->value.exponent, digits);
    return error_set(error, ERROR_INPUT, "%s: %s%s %s", name, digits, units[amount->unit], why);
}

#define INT128_MAX ((int128)(~(uint128)0 >> 1))

/* amount x 10^exponent x factor / divisor, rounded down; `exact` where nothing was lost. False above `most`. */
static bool scale(struct decimal amount, int exponent, int64_t factor, int64_t divisor,
                  int64_t most, int64_t *out, bool *exact)
{
    int128 value = (int128)amount.mantissa * factor;
    *exact = true;
    for (exponent += amount.exponent; exponent > 0 && value != 0; exponent--) {
        if (value > INT128_MAX / 10)
            return false;
        value *= 10;
    }
    for (; exponent < 0 && value != 0; exponent++) {
        *exact &= value % 10 == 0;
        value /= 10;
    }
    *exact &= value % divisor == 0;
    value /= divisor;
    *out = (int64_t)value;
    return value <= most;
}

int setting_prices_to_milliticks(const struct setting_amount *amount,
                                 const struct event_definition *definition, const char *name,
                                 int64_t *milliticks, struct error *error)
{
    enum { MILLI = 1000, SPARE = 64 };
    bool plain = amount->unit == SETTING_PLAIN, exact;
    int exponent = plain ? -definition->price_exponent : 0;
    int64_t divisor = plain ? definition->tick : 1, found, units;
    ASSERT(definition->tick > 0);
    if (amount->unit == SETTING_LOT)
        return refuse(name, amount, "is in lots; expected a price difference, plain or in ticks",
                      error);
    if (amount->value.mantissa < 0)
        return refuse(name, amount, "is negative", error);
    if (!scale(amount->value, exponent, MILLI, divisor, INT64_MAX / SPARE, &found, &exact) ||
        !scale(amount->value, exponent, definition->tick, divisor, INT64_MAX, &units, &exact))
        return refuse(name, amount, "is too large for this instrument", error);
    if (found == 0 && amount->value.mantissa != 0) {
        char tick[DECIMAL_TEXT_MAX], why[128];
        decimal_to_text(definition->tick, definition->price_exponent, tick);
        snprintf(why, sizeof why, "is less than 1/1,000 of this instrument's tick of %s", tick);
        return refuse(name, amount, why, error);
    }
    *milliticks = found;
    return ERROR_NONE;
}

/* A quantity in units, refused where it is no whole number of them. */
static int to_units(const struct setting_amount *amount, const struct event_definition *definition,
                    const char *name, int64_t *units, struct error *error)
{
    bool plain = amount->unit == SETTING_PLAIN, exact;
    ASSERT(definition->lot > 0);
    if (amount->value.mantissa < 0)
        return refuse(name, amount, "is negative", error);
    if (!scale(amount->value, plain ? -definition->quantity_exponent : 0,
               plain ? 1 : definition->lot, 1, INT64_MAX, units, &exact))
        return refuse(name, amount, "is too large for this instrument", error);
    if (!exact) {
        char unit[DECIMAL_TEXT_MAX], why[128];
        decimal_to_text(1, definition->quantity_exponent, unit);
        snprintf(why, sizeof why, "is finer than this instrument's unit of %s", unit);
        return refuse(name, amount, why, error);
    }
    return ERROR_NONE;
}

int setting_sizes_to_units(const struct setting_amount *amount,
                           const struct event_definition *definition, const char *name,
                           int64_t *units, struct error *error)
{
    if (amount->unit == SETTING_TICK)
        return refuse(name, amount, "is in ticks; expected a quantity, plain or in lots", error);
    int64_t found = 0;
    int status = to_units(amount, definition, name, &found, error);
    if (status != ERROR_NONE)
        return status;
    if (found % definition->lot != 0) {
        char lot[DECIMAL_TEXT_MAX], why[128];
        decimal_to_text(definition->lot, definition->quantity_exponent, lot);
        snprintf(why, sizeof why, "is no whole number of this instrument's lots of %s", lot);
        return refuse(name, amount, why, error);
    }
    *units = found;
    return ERROR_NONE;
}
