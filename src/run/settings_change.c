/* Configurations setting by setting, names by name. */
#include "run/settings_change.h"

#include <string.h>

/* --- configurations ----------------------------------------------------------------------------------------- */

int settings_compare(const char *path, const char *before, const char *after, config_told *told,
                     void *context, struct error *error)
{
    struct config *was = NULL, *is = NULL;
    int code = config_from_tape(&was, path, before, error);
    if (!code)
        code = config_from_tape(&is, path, after, error);
    if (!code)
        config_compare(was, is, told, context);
    config_free(&was);
    config_free(&is);
    return code;
}

/* --- names -------------------------------------------------------------------------------------------------- */

static unsigned place_of(const char *name, const char *const *names, unsigned count,
                         unsigned nowhere)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return nowhere;
}

static uint16_t asset_of(const struct engine_heirs *heirs, uint16_t asset)
{
    return asset == EVENT_NONE_16 ? asset : heirs->assets[asset];
}

/* The definition as it would be with the other numbers. */
static struct event_definition numbered(const struct event_definition *definition,
                                        unsigned instrument, const struct engine_heirs *heirs)
{
    struct event_definition out = *definition;
    out.instrument = (uint16_t)instrument;
    out.venue = heirs->venues[definition->venue];
    out.base = asset_of(heirs, definition->base);
    out.quote = asset_of(heirs, definition->quote);
    out.settle = asset_of(heirs, definition->settle);
    return out;
}

static uint16_t heir_of(const struct event_names *before, unsigned index,
                        const struct event_names *after, const struct engine_heirs *heirs)
{
    const struct event_definition *own = &before->definitions[index];
    for (unsigned i = 0; i < after->instrument_count; i++) {
        const struct event_definition ours = numbered(own, i, heirs);
        if (after->definitions[i].venue == heirs->venues[own->venue] &&
            strcmp(after->symbols[i], before->symbols[index]) == 0)
            return event_definition_may_follow(&ours, &after->definitions[i]) ? (uint16_t)i
                                                                              : EVENT_NONE_16;
    }
    return EVENT_NONE_16;
}

void settings_heirs(const struct event_names *before, const struct event_names *after,
                    struct engine_heirs *heirs)
{
    for (unsigned i = 0; i < before->venue_count; i++)
        heirs->venues[i] =
            (uint8_t)place_of(before->venues[i], after->venues, after->venue_count, EVENT_NONE_8);
    for (unsigned i = 0; i < before->asset_count; i++)
        heirs->assets[i] =
            (uint16_t)place_of(before->assets[i], after->assets, after->asset_count, EVENT_NONE_16);
    for (unsigned i = 0; i < before->instrument_count; i++)
        heirs->instruments[i] = heir_of(before, i, after, heirs);
}

void settings_definitions(const struct event_names *before, const struct event_names *after,
                          const struct engine_heirs *heirs, struct event_definition *out)
{
    memcpy(out, after->definitions, after->instrument_count * sizeof *out);
    for (unsigned i = 0; i < before->instrument_count; i++) {
        unsigned heir = heirs->instruments[i];
        if (heir != EVENT_NONE_16)
            out[heir].base_commission_exponent = before->definitions[i].base_commission_exponent;
    }
}

/* Each instrument is what it was, under its number, and so are venues and assets. */
static bool same_names(const struct event_names *a, const struct event_names *b)
{
    struct engine_heirs heirs;
    if (a->venue_count != b->venue_count || a->asset_count != b->asset_count ||
        a->instrument_count != b->instrument_count)
        return false;
    settings_heirs(a, b, &heirs);
    bool same = true;
    for (unsigned i = 0; i < a->venue_count; i++)
        same &= heirs.venues[i] == i;
    for (unsigned i = 0; i < a->asset_count; i++)
        same &= heirs.assets[i] == i;
    for (unsigned i = 0; i < a->instrument_count; i++)
        same &= heirs.instruments[i] == i;
    return same;
}

static void note_difference(void *context, const char *setting, const char *before,
                            const char *after)
{
    bool *differ = context;
    (void)setting, (void)before, (void)after;
    *differ = true;
}

int settings_differ(const char *path, const struct tape_header *before,
                    const struct tape_header *after, bool *differ, struct error *error)
{
    *differ = !same_names(&before->names, &after->names) || before->seed != after->seed;
    if (*differ || strcmp(before->config, after->config) == 0)
        return 0;
    return settings_compare(path, before->config, after->config, note_difference, differ, error);
}

/* --- engines ------------------------------------------------------------------------------------------------ */

static int refuse_instrument(const struct run_engine *from, const struct event_names *before,
                             const struct engine_lost *lost, struct error *error)
{
    struct engine_position held;
    char name[EVENT_INSTRUMENT_NAME_MAX], position[MONEY_TEXT_MAX];
    engine_position(from->engine, lost->number, &held);
    event_instrument_name(before, lost->number, name);
    money_to_text(held.position, position);
    const bool orders = lost->loss == ENGINE_LOSES_ORDERS;
    return error_set(
        error, ERROR_INPUT,
        "%s: is not among this configuration's instruments (or its units are others), "
        "but its position is %s%s; go back to the settings before %s, or keep it with "
        "quote.enabled no; where neither can be, begin a new tape and adopt what is held",
        name, position, orders ? " and orders of it are open" : "",
        orders ? "until a session has ended in order" : "until it is closed");
}

static int refuse(const struct run_engine *from, const struct event_names *before,
                  const struct engine_lost *lost, struct error *error)
{
    switch (lost->loss) {
    case ENGINE_LOSES_ORDERS:
    case ENGINE_LOSES_POSITION:
        return refuse_instrument(from, before, lost, error);
    case ENGINE_LOSES_PROFIT:
        return error_set(error, ERROR_INPUT,
                         "%s: the account's profit, which its limits look at, is partly in it, but "
                         "no instrument of this configuration has it; keep the one that had, with "
                         "quote.enabled no",
                         before->assets[lost->number]);
    case ENGINE_LOSES_CURRENCY:
        return error_set(error, ERROR_INPUT,
                         "account.currency: the day's profit and its peak are in %s, and can't be "
                         "told in another; name it, or begin a new tape",
                         before->assets[lost->number]);
    case ENGINE_LOSES_CAPACITY:
    default:
        return error_set(error, ERROR_INPUT,
                         "orders.capacity: too small for the orders that are open");
    }
}

int settings_inherit(const struct run_engine *from, const struct event_names *before,
                     struct run_engine *run, const struct event_names *after, struct error *error)
{
    struct engine_heirs heirs;
    struct engine_lost lost;
    settings_heirs(before, after, &heirs);
    for (unsigned i = 0; i < before->instrument_count; i++) {
        unsigned heir = heirs.instruments[i];
        if (heir != EVENT_NONE_16 && after->definitions[heir].base_commission_exponent !=
                                         before->definitions[i].base_commission_exponent)
            heirs.instruments[i] = EVENT_NONE_16; /* no session began such a tape */
    }
    if (engine_inherit(run->engine, from->engine, &heirs, &lost))
        return 0;
    return refuse(from, before, &lost, error);
}
