/* Settings for the venues and instruments of one tape. See config/config.h. */
#include <config.h>

#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "config/account.h"
#include "config/store.h"

/* Where one setting comes from: the narrowest of up to three places (any may be NULL) that has it, or
 * NULL for the default. */
static const struct config_slot *find_slot(const struct setting_row *row,
                                           const struct config_place *const places[3])
{
    for (size_t i = 0; i < 3; i++) {
        const struct config_slot *slot =
            places[i] == NULL ? NULL : &places[i]->slots[row - setting_rows];
        if (slot != NULL && slot->text != NULL)
            return slot;
    }
    return NULL;
}

static void resolve_row(const struct setting_row *row, const struct config_place *const places[3],
                        void *settings)
{
    const struct config_slot *slot = find_slot(row, places);
    const char *text = slot != NULL ? slot->text : row->info.initial;
    union setting_value value;
    struct error error = {0};
    int status = setting_parse(row, text, strlen(text), &value, &error);
    ASSERT(status == ERROR_NONE); /* canonical text, or a default of the table */
    setting_store(row, &value, settings);
}

static void resolve_scope(enum setting_scope scope, const struct config_place *const places[3],
                          void *settings)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (setting_rows[i].scope == scope)
            resolve_row(&setting_rows[i], places, settings);
    }
}

/* "a, b, c and 5 more" of the names of a tape. */
static void list_names(enum setting_scope scope, const struct event_names *names, char *out,
                       size_t size)
{
    enum { LISTED = 8 };
    unsigned count = scope == SETTING_VENUE ? names->venue_count : names->instrument_count;
    size_t used = (size_t)snprintf(out, size, "%s", count == 0 ? "none" : "");
    for (unsigned i = 0; i < count && i < LISTED; i++) {
        char name[EVENT_INSTRUMENT_NAME_MAX];
        if (scope == SETTING_VENUE)
            snprintf(name, sizeof name, "%s", names->venues[i]);
        else
            event_instrument_name(names, i, name);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "", name);
        ASSERT(used < size);
    }
    if (count > LISTED)
        snprintf(out + used, size - used, " and %u more", count - LISTED);
}

static bool tape_has(const struct config_place *place, const struct event_names *names)
{
    if (place->scope == SETTING_INSTRUMENT)
        return event_instrument_by_name(names, place->name, strlen(place->name)) >= 0;
    for (unsigned i = 0; i < names->venue_count; i++) {
        if (strcmp(names->venues[i], place->name) == 0)
            return true;
    }
    return false;
}

static int check_places(const struct config *config, const struct event_names *names,
                        struct error *error)
{
    for (size_t i = 0; i < config->place_count; i++) {
        const struct config_place *place = config->places[i];
        if (tape_has(place, names))
            continue;
        char list[(EVENT_INSTRUMENT_NAME_MAX + 2) * 8 + 32];
        list_names(place->scope, names, list, sizeof list);
        return error_set(error, ERROR_INPUT, "%s: the tape has no %s '%s'; it has %s",
                         place->origin, setting_scope_name(place->scope), place->name, list);
    }
    return ERROR_NONE;
}

/* One amount against the grid of its instrument, so that the engine is only given what it can use. */
static int check_amount(const struct setting_row *row, const struct setting_amount *amount,
                        const struct event_definition *definition, struct error *error)
{
    int64_t units;
    if (row->type == SETTING_PRICES && definition->tick > 0)
        return setting_prices_to_milliticks(amount, definition, row->info.name, &units, error);
    if (row->type == SETTING_SIZES && definition->lot > 0)
        return setting_sizes_to_units(amount, definition, row->info.name, &units, error);
    return ERROR_NONE;
}

static int check_amounts(const struct config_place *const places[3],
                         const struct settings_instrument *settings,
                         const struct event_definition *definition, const char *name,
                         struct error *error)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = &setting_rows[i];
        if (row->scope != SETTING_INSTRUMENT ||
            (row->type != SETTING_PRICES && row->type != SETTING_SIZES))
            continue;
        struct setting_amount amount;
        memcpy(&amount, (const char *)settings + row->offset, sizeof amount);
        if (check_amount(row, &amount, definition, error) == ERROR_NONE)
            continue;
        const struct config_slot *slot = find_slot(row, places);
        return error_prefix(error, "%s: for %s", slot != NULL ? slot->origin : "default", name);
    }
    return ERROR_NONE;
}

/* An integer, a share or a duration of a setting, as it is and as text. */
static int64_t value_of(const struct setting_row *row, const struct settings_instrument *settings,
                        char text[SETTING_TEXT_MAX])
{
    union setting_value value = {0};
    memcpy(&value.integer, (const char *)settings + row->offset, sizeof value.integer);
    setting_format(row, &value, text);
    return value.integer;
}

/* Two settings of which one makes the other senseless. */
struct pair {
    const char *names[2]; /* the one that can't be, the one that says so */
    bool (*is_wrong)(const struct settings_instrument *settings, const int64_t values[2]);
    const char *why; /* behind "A is above what B " */
};

/* What trips a breaker must not be what clears it. Where it clears at the same value there is no band between the
 * two, which is allowed; 0 is off. */
static bool clears_above(const struct settings_instrument *settings, const int64_t values[2])
{
    (void)settings;
    return values[1] != 0 && values[0] > values[1];
}

/* One sample a second: of fewer than it needs the breaker makes no median. */
static bool never_has_a_median(const struct settings_instrument *settings, const int64_t values[2])
{
    return settings->breaker_spread != 0 && values[0] > values[1] / NS_PER_SECOND;
}

/* A decay d keeps less than 1 / (1 - d) whole spells. */
static bool never_learns_enough(const struct settings_instrument *settings, const int64_t values[2])
{
    const int128 one = INT64_C(1000000000);
    return settings->learning_horizon != 0 && settings->learning_sizing &&
           settings->quote_levels > 1 && values[1] < one && values[0] * (one - values[1]) >= one;
}

static const struct pair pairs[] = {
    {{"breaker.volatility_clear", "breaker.volatility"}, clears_above, NULL},
    {{"breaker.spread_clear", "breaker.spread"}, clears_above, NULL},
    {{"breaker.reference_clear", "breaker.reference"}, clears_above, NULL},
    {{"breaker.spread_samples", "breaker.spread_window"},
     never_has_a_median,
     "holds, one a second: the breaker would never trip"},
    {{"learning.evidence", "learning.decay"},
     never_learns_enough,
     "leaves of what was learned: sizes would never move"},
};

static int check_pair(const struct pair *pair, const struct config_place *const places[3],
                      const struct settings_instrument *settings, const char *name,
                      struct error *error)
{
    const struct setting_row *rows[2];
    int64_t values[2];
    char texts[2][SETTING_TEXT_MAX];
    for (size_t n = 0; n < 2; n++) {
        rows[n] = setting_by_name(pair->names[n], strlen(pair->names[n]));
        values[n] = value_of(rows[n], settings, texts[n]);
    }
    if (!pair->is_wrong(settings, values))
        return ERROR_NONE;
    const struct config_slot *slot = find_slot(rows[0], places);
    if (slot == NULL)
        slot = find_slot(rows[1], places);
    return error_set(error, ERROR_INPUT, "%s: for %s: %s=%s is above %s%s=%s%s%s", slot->origin,
                     name, pair->names[0], texts[0], pair->why != NULL ? "what " : "",
                     pair->names[1], texts[1], pair->why != NULL ? " " : ": ",
                     pair->why != NULL ? pair->why : "it would clear while it trips");
}

/* Settings that contradict each other. */
static int check_pairs(const struct config_place *const places[3],
                       const struct settings_instrument *settings, const char *name,
                       struct error *error)
{
    int status = ERROR_NONE;
    for (size_t i = 0; status == ERROR_NONE && i < sizeof pairs / sizeof pairs[0]; i++)
        status = check_pair(&pairs[i], places, settings, name, error);
    return status;
}

static int resolve_instrument(const struct config *config, const struct event_names *names,
                              unsigned index, struct settings_instrument *settings,
                              struct error *error)
{
    const struct event_definition *definition = &names->definitions[index];
    ASSERT(definition->venue < names->venue_count);
    char name[EVENT_INSTRUMENT_NAME_MAX];
    event_instrument_name(names, index, name);
    const struct config_place *const places[3] = {
        config_find(config, SETTING_INSTRUMENT, name),
        config_find(config, SETTING_VENUE, names->venues[definition->venue]),
        config->top,
    };
    resolve_scope(SETTING_INSTRUMENT, places, settings);
    int status = check_amounts(places, settings, definition, name, error);
    return status != ERROR_NONE ? status : check_pairs(places, settings, name, error);
}

/* No order fits a limit that is smaller than one, whatever else is set. Comparable without a tape only where both
 * are in lots, or neither; replay names the gate where they are not. */
static void warn_of_limit(const struct settings_instrument *settings, const char *name,
                          const struct config_warner *warner)
{
    const struct setting_amount *size = &settings->quote_size;
    const struct setting_amount *limit = &settings->risk_position_limit;
    money wanted, most;
    if (settings->risk_size_band.value.mantissa != 0 || size->unit != limit->unit ||
        !money_from_units(size->value.mantissa, size->value.exponent, &wanted) ||
        !money_from_units(limit->value.mantissa, limit->value.exponent, &most) ||
        money_compare(wanted, most) <= 0)
        return;
    char line[CONFIG_NAME_MAX + 2 * DECIMAL_TEXT_MAX + 128], texts[2][DECIMAL_TEXT_MAX];
    const char *unit = size->unit == SETTING_LOT ? "lot" : "";
    decimal_to_text(limit->value.mantissa, limit->value.exponent, texts[0]);
    decimal_to_text(size->value.mantissa, size->value.exponent, texts[1]);
    snprintf(
        line, sizeof line,
        "for %s: risk.position_limit=%s%s is less than quote.size=%s%s: no order can be placed",
        name, texts[0], unit, texts[1], unit);
    warner->warn(warner->context, line);
}

/* Between two accounts, or for good after the first, an alarm stops what may leave: nothing but the limit asks for
 * them to come sooner. */
static void warn_of_account(const struct settings_venue *settings, const char *name,
                            const struct config_warner *warner)
{
    int64_t interval = settings->safety_sync_interval, limit = settings->safety_snapshot_limit;
    char line[CONFIG_NAME_MAX + 2 * TIME_TEXT_MAX + 128], texts[2][TIME_TEXT_MAX];
    if (limit == 0 || (interval > 0 && interval < limit))
        return;
    duration_to_text(limit, texts[0]);
    duration_to_text(interval, texts[1]);
    snprintf(
        line, sizeof line,
        "for %s: safety.snapshot_limit=%s and safety.sync_interval=%s: %s no order can be placed",
        name, texts[0], texts[1],
        interval == 0 ? "the account is not asked for, and after the limit"
                      : "from the one to the other");
    warner->warn(warner->context, line);
}

/* A reserve is a part of so few messages that it is none of them, or all. */
static void warn_of_rate(const struct settings_venue *settings, const char *name,
                         const struct config_warner *warner)
{
    const int64_t orders = settings->rate_orders, ratio = settings->rate_cancel_reserve;
    const int64_t kept = orders * ratio / INT64_C(1000000000);
    char line[CONFIG_NAME_MAX + 256];
    if (ratio == 0 || (kept > 0 && kept < orders))
        return;
    snprintf(line, sizeof line,
             "for %s: rate.orders_per_second=%lld: rate.cancel_reserve keeps %s of them for "
             "cancels%s",
             name, (long long)orders, kept == 0 ? "none" : "all",
             kept == 0 ? "" : ": no order can be placed");
    warner->warn(warner->context, line);
}

/* The settings of an instrument at that place, or of any at the venue, or anywhere. */
static int check_place(const struct config *config, const struct config_place *place,
                       const struct config_warner *warner, struct error *error)
{
    struct settings_instrument settings;
    const struct config_place *venue = NULL;
    const char *colon = strchr(place->name, ':');
    char name[CONFIG_NAME_MAX];
    if (place->scope == SETTING_INSTRUMENT && colon != NULL) {
        snprintf(name, sizeof name, "%.*s", (int)(colon - place->name), place->name);
        venue = config_find(config, SETTING_VENUE, name);
    }
    const struct config_place *const places[3] = {place, venue, config->top};
    const char *whose = place->scope == SETTING_GLOBAL ? "all instruments" : place->name;
    resolve_scope(SETTING_INSTRUMENT, places, &settings);
    warn_of_limit(&settings, whose, warner);
    if (place->scope != SETTING_INSTRUMENT) {
        struct settings_venue account;
        resolve_scope(SETTING_VENUE, places, &account);
        const char *venues = place->scope == SETTING_GLOBAL ? "all venues" : whose;
        warn_of_account(&account, venues, warner);
        warn_of_rate(&account, venues, warner);
    }
    return check_pairs(places, &settings, whose, error);
}

int config_check(const struct config *config, const struct config_warner *warner,
                 struct error *error)
{
    int status = check_place(config, config->top, warner, error);
    for (size_t i = 0; status == ERROR_NONE && i < config->place_count; i++)
        status = check_place(config, config->places[i], warner, error);
    return status;
}

static int resolve_all(const struct config *config, const struct event_names *names,
                       bool allow_unknown, struct config_resolved *out, struct error *error)
{
    const struct config_place *top = config->top;
    resolve_scope(SETTING_GLOBAL, (const struct config_place *const[3]){top}, &out->global);
    for (unsigned i = 0; i < names->venue_count; i++) {
        const struct config_place *venue = config_find(config, SETTING_VENUE, names->venues[i]);
        resolve_scope(SETTING_VENUE, (const struct config_place *const[3]){venue, top},
                      &out->venues[i]);
    }
    for (unsigned i = 0; i < names->instrument_count; i++) {
        int status = resolve_instrument(config, names, i, &out->instruments[i], error);
        if (status != ERROR_NONE)
            return status;
    }
    return account_resolve(names, allow_unknown, out, error);
}

int config_resolve(const struct config *config, const struct event_names *names, bool allow_unknown,
                   struct config_resolved *out, struct error *error)
{
    if (!allow_unknown) {
        int status = check_places(config, names, error);
        if (status != ERROR_NONE)
            return status;
    }
    struct config_resolved made = {.venue_count = names->venue_count,
                                   .instrument_count = names->instrument_count};
    /* One more than needed, so that none of a kind is no failure. */
    made.venues = calloc(made.venue_count + 1u, sizeof *made.venues);
    made.instruments = calloc(made.instrument_count + 1u, sizeof *made.instruments);
    made.account_rates = calloc(names->asset_count + 1u, sizeof *made.account_rates);
    if (made.venues == NULL || made.instruments == NULL || made.account_rates == NULL) {
        config_resolved_free(&made);
        return config_out_of_memory(error);
    }
    int status = resolve_all(config, names, allow_unknown, &made, error);
    if (status != ERROR_NONE)
        config_resolved_free(&made);
    else
        *out = made;
    return status;
}

void config_resolved_free(struct config_resolved *resolved)
{
    free(resolved->venues);
    free(resolved->instruments);
    free(resolved->account_rates);
    *resolved = (struct config_resolved){0};
}
