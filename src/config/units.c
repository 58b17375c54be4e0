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

/* `amount` in units of 10^exponent, where one tick or lot is `grid` units. */
static int to_units(const struct setting_amount *amount, int exponent, int64_t grid,
                    const char *name, int64_t *units, struct error *error)
{
    ASSERT(grid > 0);
    if (amount->value.mantissa < 0)
        return refuse(name, amount, "is negative", error);
    bool counted = amount->unit != SETTING_PLAIN;
    struct decimal value = amount->value;
    int128 product = (int128)value.mantissa * (counted ? grid : 1);
    if (counted)
        exponent = 0;
    for (; product != 0 && value.exponent < exponent; value.exponent++) {
        if (product % 10 != 0)
            return refuse(name, amount, "is finer than this instrument's unit", error);
        product /= 10;
    }
    for (; product != 0 && product <= INT64_MAX && value.exponent > exponent; value.exponent--)
        product *= 10;
    if (product > INT64_MAX)
        return refuse(name, amount, "is too large for this instrument", error);
    *units = (int64_t)product;
    return ERROR_NONE;
}

int setting_prices_to_units(const struct setting_amount *amount,
                            const struct event_definition *definition, const char *name,
                            int64_t *units, struct error *error)
{
    if (amount->unit == SETTING_LOT)
        return refuse(name, amount, "is in lots; expected a price difference, plain or in ticks",
                      error);
    return to_units(amount, definition->price_exponent, definition->tick, name, units, error);
}

int setting_sizes_to_units(const struct setting_amount *amount,
                           const struct event_definition *definition, const char *name,
                           int64_t *units, struct error *error)
{
    if (amount->unit == SETTING_TICK)
        return refuse(name, amount, "is in ticks; expected a quantity, plain or in lots", error);
    int64_t found;
    int status =
        to_units(amount, definition->quantity_exponent, definition->lot, name, &found, error);
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
