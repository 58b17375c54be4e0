/* See names.h. */
#include "live/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tape/tape.h"

/* An instrument and where it was found. */
struct place {
    const struct adapter_instrument *found;
    unsigned venue;
    size_t index; /* in the venue's own list */
};

struct arrays {
    const char *venues[LIVE_VENUES_MAX];
    const char **assets, **symbols;
    struct event_definition *definitions;
    uint16_t *numbers;             /* of all venues, one list behind the other */
    int64_t *positions;            /* as numbers */
    struct adapter_trade *trades;  /* of all venues */
    size_t first[LIVE_VENUES_MAX]; /* where a venue's list begins */
    struct place *places;
};

static int by_venue_and_symbol(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->venue != b->venue)
        return a->venue < b->venue ? -1 : 1;
    return strcmp(a->found->symbol, b->found->symbol);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int take_memory(struct arrays **out, size_t instruments, struct error *error)
{
    struct arrays *arrays = calloc(1, sizeof *arrays);
    *out = arrays;
    if (arrays) {
        arrays->assets = calloc(instruments * 3 + 1, sizeof *arrays->assets);
        arrays->symbols = calloc(instruments + 1, sizeof *arrays->symbols);
        arrays->definitions = calloc(instruments + 1, sizeof *arrays->definitions);
        arrays->numbers = calloc(instruments + 1, sizeof *arrays->numbers);
        arrays->positions = calloc(instruments + 1, sizeof *arrays->positions);
        arrays->places = calloc(instruments + 1, sizeof *arrays->places);
    }
    if (!arrays || !arrays->assets || !arrays->symbols || !arrays->definitions ||
        !arrays->numbers || !arrays->positions || !arrays->places)
        return error_set(error, ERROR_SYSTEM, "no memory for %zu instruments", instruments);
    return 0;
}

void live_names_free(struct live_names *names)
{
    struct arrays *arrays = names->memory;
    if (arrays) {
        free(arrays->assets);
        free(arrays->symbols);
        free(arrays->definitions);
        free(arrays->numbers);
        free(arrays->positions);
        free(arrays->trades);
        free(arrays->places);
        free(arrays);
    }
    *names = (struct live_names){0};
}

/* Every asset once, by name. */
static unsigned collect_assets(struct arrays *arrays, size_t instruments)
{
    size_t count = 0;
    for (size_t i = 0; i < instruments; i++) {
        arrays->assets[count++] = arrays->places[i].found->base;
        arrays->assets[count++] = arrays->places[i].found->quote;
        arrays->assets[count++] = arrays->places[i].found->settle;
    }
    qsort(arrays->assets, count, sizeof *arrays->assets, by_name);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(arrays->assets[kept - 1], arrays->assets[i]) != 0)
            arrays->assets[kept++] = arrays->assets[i];
    return (unsigned)kept;
}

static uint16_t asset_of(const struct event_names *names, const char *asset)
{
    for (unsigned i = 0; i < names->asset_count; i++)
        if (strcmp(names->assets[i], asset) == 0)
            return (uint16_t)i;
    ASSERT(false);
    return EVENT_NONE_16;
}

static void number_instruments(struct live_names *names, struct arrays *arrays)
{
    for (unsigned i = 0; i < names->names.instrument_count; i++) {
        const struct place *place = &arrays->places[i];
        struct event_definition *definition = &arrays->definitions[i];
        *definition = place->found->definition;
        definition->instrument = (uint16_t)i;
        definition->venue = (uint8_t)place->venue;
        definition->base = asset_of(&names->names, place->found->base);
        definition->quote = asset_of(&names->names, place->found->quote);
        definition->settle = asset_of(&names->names, place->found->settle);
        arrays->symbols[i] = place->found->symbol;
        arrays->numbers[arrays->first[place->venue] + place->index] = (uint16_t)i;
    }
}

static void find_places(struct live_names *names, struct arrays *arrays, struct live_io *const *ios,
                        size_t count)
{
    size_t total = 0;
    for (unsigned venue = 0; venue < count; venue++) {
        size_t found_count;
        const struct adapter_instrument *found = live_io_found(ios[venue], &found_count);
        arrays->venues[venue] = live_io_name(ios[venue]);
        arrays->first[venue] = total;
        names->numbers[venue] = (struct adapter_numbers){.venue = (uint8_t)venue,
                                                         .names = &names->names,
                                                         .instruments = arrays->numbers + total,
                                                         .positions = arrays->positions + total};
        for (size_t i = 0; i < found_count; i++)
            arrays->places[total++] = (struct place){&found[i], venue, i};
    }
    qsort(arrays->places, total, sizeof *arrays->places, by_venue_and_symbol);
}

int live_names_make(struct live_names *names, struct live_io *const *ios, size_t count,
                    struct error *error)
{
    size_t instruments = 0;
    struct arrays *arrays;
    for (size_t venue = 0; venue < count; venue++) {
        size_t found;
        live_io_found(ios[venue], &found);
        instruments += found;
    }
    if (instruments > EVENT_INSTRUMENTS_MAX)
        return error_set(error, ERROR_INPUT, "live.instruments: more than %d",
                         EVENT_INSTRUMENTS_MAX);
    int code = take_memory(&arrays, instruments, error);
    names->memory = arrays;
    if (code)
        return code;
    find_places(names, arrays, ios, count);
    names->names = (struct event_names){.venue_count = (unsigned)count,
                                        .asset_count = collect_assets(arrays, instruments),
                                        .instrument_count = (unsigned)instruments,
                                        .venues = arrays->venues,
                                        .assets = arrays->assets,
                                        .symbols = arrays->symbols,
                                        .definitions = arrays->definitions};
    number_instruments(names, arrays);
    return tape_names_check(&names->names, error);
}

bool live_names_carry(struct live_names *names, struct engine *engine, unsigned *instrument)
{
    struct arrays *arrays = names->memory;
    for (unsigned i = 0; i < names->names.instrument_count; i++) {
        const struct place *place = &arrays->places[i];
        struct engine_position position;
        engine_position(engine, i, &position);
        if (!money_to_units(position.at_venue, arrays->definitions[i].quantity_exponent,
                            &arrays->positions[arrays->first[place->venue] + place->index])) {
            *instrument = i;
            return false;
        }
    }
    return true;
}

int live_names_carry_trades(struct live_names *names, const struct engine *engine, int64_t since_ns,
                            struct error *error)
{
    struct arrays *arrays = names->memory;
    size_t count = engine_kept_trades(engine);
    arrays->trades = calloc(count + 1, sizeof *arrays->trades);
    if (!arrays->trades)
        return error_set(error, ERROR_SYSTEM, "no memory for %zu trades", count);
    for (size_t i = 0; i < count; i++) {
        struct adapter_trade *trade = &arrays->trades[i];
        engine_kept_trade(engine, i, &trade->order, &trade->trade);
        trade->instrument = engine_order_instrument(engine, trade->order);
    }
    for (unsigned venue = 0; venue < names->names.venue_count; venue++) {
        names->numbers[venue].trades = arrays->trades;
        names->numbers[venue].trade_count = count;
        names->numbers[venue].fills_since = since_ns;
    }
    return 0;
}
