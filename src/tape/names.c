/* Whether the tables of a tape's header are ones that a tape can carry. */
#include <string.h>

#include "base/assert.h"
#include "tape/tape.h"

static bool is_asset(uint16_t asset, const struct event_names *names)
{
    return asset == EVENT_NONE_16 || asset < names->asset_count;
}

int tape_definition_check(const struct event_names *names, unsigned instrument, struct error *error)
{
    ASSERT(instrument < names->instrument_count);
    const struct event_definition *d = &names->definitions[instrument];
    if (d->instrument != instrument || d->venue >= names->venue_count ||
        !is_asset(d->base, names) || !is_asset(d->quote, names) || !is_asset(d->settle, names))
        return error_set(error, ERROR_INPUT,
                         "the tape header's definition of instrument %u names an instrument, "
                         "venue or asset that its tables have not",
                         instrument);
    const struct {
        const char *name;
        int64_t value;
    } above_zero[] = {{"tick", d->tick}, {"lot", d->lot}, {"multiplier", d->multiplier}};
    const char *venue = names->venues[d->venue], *symbol = names->symbols[instrument];
    for (unsigned i = 0; i < sizeof above_zero / sizeof above_zero[0]; i++)
        if (above_zero[i].value <= 0)
            return error_set(error, ERROR_INPUT,
                             "instrument %s:%s: its %s is %lld, expected more than 0", venue,
                             symbol, above_zero[i].name, (long long)above_zero[i].value);
    if (d->price_exponent + d->quantity_exponent + d->multiplier_exponent < MONEY_EXPONENT)
        return error_set(error, ERROR_INPUT,
                         "instrument %s:%s: its price_exponent %d, quantity_exponent %d and "
                         "multiplier_exponent %d add up to less than %d, the unit of money",
                         venue, symbol, d->price_exponent, d->quantity_exponent,
                         d->multiplier_exponent, MONEY_EXPONENT);
    return 0;
}

/* 0, or ERROR_INPUT where one of the names stands there before. */
static int check_unique(const char *const *table, unsigned count, const char *what,
                        struct error *error)
{
    for (unsigned i = 1; i < count; i++)
        for (unsigned before = 0; before < i; before++)
            if (strcmp(table[i], table[before]) == 0)
                return error_set(error, ERROR_INPUT, "%s %s is named twice", what, table[i]);
    return 0;
}

static int check_venues(const struct event_names *names, struct error *error)
{
    for (unsigned i = 0; i < names->venue_count; i++)
        if (strchr(names->venues[i], ':') != NULL)
            return error_set(error, ERROR_INPUT, "venue %s: expected a name without a colon",
                             names->venues[i]);
    return check_unique(names->venues, names->venue_count, "venue", error);
}

static int check_symbols(const struct event_names *names, struct error *error)
{
    for (unsigned i = 1; i < names->instrument_count; i++) {
        unsigned venue = names->definitions[i].venue;
        for (unsigned before = 0; before < i; before++)
            if (names->definitions[before].venue == venue &&
                strcmp(names->symbols[i], names->symbols[before]) == 0)
                return error_set(error, ERROR_INPUT, "instrument %s:%s is named twice",
                                 names->venues[venue], names->symbols[i]);
    }
    return 0;
}

int tape_names_check(const struct event_names *names, struct error *error)
{
    int failed = check_venues(names, error);
    if (failed == 0)
        failed = check_unique(names->assets, names->asset_count, "asset", error);
    for (unsigned i = 0; i < names->instrument_count && failed == 0; i++)
        failed = tape_definition_check(names, i, error);
    return failed == 0 ? check_symbols(names, error) : failed;
}
