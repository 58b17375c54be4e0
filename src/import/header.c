/* See header.h. */
#include "import/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/time.h"

enum { CONFIG_LINE_MAX = 160 };

struct import_header {
    struct tape_header tape;
    struct event_definition *definitions;
    const char **symbols; /* point into the scan */
    const char *venues[BINANCE_MARKET_COUNT];
    struct instrument_terms *terms; /* by instrument; assets point into them */
    const char **assets;
    char *config;
};

struct tape_header *import_header_tape(struct import_header *header)
{
    return &header->tape;
}

void import_header_free(struct import_header **slot)
{
    struct import_header *header = *slot;
    if (header != NULL) {
        free(header->definitions);
        free(header->symbols);
        free(header->terms);
        free(header->assets);
        free(header->config);
        free(header);
    }
    *slot = NULL;
}

/* Put `name` into a sorted list without repeating it. */
static void add_name(const char **names, unsigned *count, const char *name)
{
    unsigned at = *count;
    for (unsigned i = 0; i < *count; i++) {
        if (strcmp(names[i], name) == 0) {
            return;
        }
    }
    while (at > 0 && strcmp(names[at - 1], name) > 0) {
        names[at] = names[at - 1];
        at--;
    }
    names[at] = name;
    ++*count;
}

static unsigned index_of(const char *const *names, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    ASSERT(false);
    return count;
}

static const struct scan_symbol *symbol_at(const struct scan *scan, size_t instrument)
{
    return &scan->symbols[scan->instruments[instrument]];
}

static int find_terms(struct import_header *header, const struct scan *scan,
                      const struct instrument_table *table, struct error *error)
{
    for (size_t i = 0; i < scan->instrument_count; i++) {
        const struct scan_symbol *symbol = symbol_at(scan, i);
        const char *venue = binance_venue_name(symbol->market);
        if (!instrument_table_find(table, venue, symbol->symbol, &header->terms[i])) {
            return error_set(error, ERROR_INPUT,
                             "%s tells nothing of %s:%s; add under %s, symbols a line such as `%s: "
                             "{base: …, quote: …, minimum_notional: …}` (--instruments FILE)",
                             instrument_table_name(table), venue, symbol->symbol, venue,
                             symbol->symbol);
        }
    }
    return 0;
}

static int collect_names(struct import_header *header, const struct scan *scan, struct error *error)
{
    struct event_names *names = &header->tape.names;
    for (size_t i = 0; i < scan->instrument_count; i++) {
        const struct scan_symbol *symbol = symbol_at(scan, i);
        header->symbols[i] = symbol->symbol;
        add_name(header->venues, &names->venue_count, binance_venue_name(symbol->market));
        add_name(header->assets, &names->asset_count, header->terms[i].base);
        add_name(header->assets, &names->asset_count, header->terms[i].quote);
        add_name(header->assets, &names->asset_count, header->terms[i].settle);
    }
    if (names->asset_count > EVENT_ASSETS_MAX) {
        return error_set(error, ERROR_INPUT, "more than %d assets", EVENT_ASSETS_MAX);
    }
    names->instrument_count = (unsigned)scan->instrument_count;
    names->venues = header->venues;
    names->assets = header->assets;
    names->symbols = header->symbols;
    names->definitions = header->definitions;
    return 0;
}

static int set_grid(const struct scan_symbol *symbol, struct event_definition *definition,
                    struct error *error)
{
    int price_exponent = 0, quantity_exponent = 0;
    definition->tick = 1;
    definition->lot = 1;
    grid_step(&symbol->price, &definition->tick, &price_exponent);
    grid_step(&symbol->quantity, &definition->lot, &quantity_exponent);
    definition->price_exponent = (int8_t)price_exponent;
    definition->quantity_exponent = (int8_t)quantity_exponent;
    definition->grid_basis = BASIS_INFERRED;
    if (price_exponent + quantity_exponent + definition->multiplier_exponent < MONEY_EXPONENT) {
        return error_set(error, ERROR_INPUT,
                         "%s:%s: price unit 1e%d, quantity unit 1e%d and multiplier unit 1e%d are "
                         "finer than exact money (1e-18)",
                         binance_venue_name(symbol->market), symbol->symbol, price_exponent,
                         quantity_exponent, definition->multiplier_exponent);
    }
    return 0;
}

static int define(struct import_header *header, const struct scan *scan, size_t i,
                  struct error *error)
{
    const struct instrument_terms *terms = &header->terms[i];
    const struct event_names *names = &header->tape.names;
    const struct scan_symbol *symbol = symbol_at(scan, i);
    struct event_definition *definition = &header->definitions[i];
    memset(definition, 0, sizeof *definition);
    definition->instrument = (uint16_t)i;
    definition->venue =
        (uint8_t)index_of(names->venues, names->venue_count, binance_venue_name(symbol->market));
    definition->contract = terms->contract;
    definition->multiplier = terms->multiplier;
    definition->multiplier_exponent = (int8_t)terms->multiplier_exponent;
    definition->minimum_notional = terms->minimum_notional;
    definition->maker_fee = terms->maker_fee;
    definition->taker_fee = terms->taker_fee;
    definition->fee_asset = terms->fee_asset;
    definition->base_commission_exponent = (int8_t)terms->base_commission_exponent;
    definition->quote_commission_exponent = (int8_t)terms->quote_commission_exponent;
    definition->base = (uint16_t)index_of(names->assets, names->asset_count, terms->base);
    definition->quote = (uint16_t)index_of(names->assets, names->asset_count, terms->quote);
    definition->settle = (uint16_t)index_of(names->assets, names->asset_count, terms->settle);
    return set_grid(symbol, definition, error);
}

/* What made this tape, as text: options, and files by their content, so that names and the order of
 * arguments leave no trace. */
static int write_config(struct import_header *header, const struct scan *scan,
                        const struct instrument_table *table, const struct import_options *options,
                        struct error *error)
{
    size_t room = (scan->file_count + 4) * CONFIG_LINE_MAX;
    char floor_text[TIME_TEXT_MAX];
    size_t text_length;
    const char *text = instrument_table_text(table, &text_length);
    header->config = malloc(room);
    if (header->config == NULL || room > TAPE_CONFIG_MAX) {
        return error_set(error, ERROR_SYSTEM, "no memory for the tape's first block");
    }
    duration_to_text(options->floor_ns, floor_text);
    int at = snprintf(header->config, room,
                      "import: binance\nfloor: %s\ninstruments: xxh3-64:%016llx\nfiles:\n",
                      floor_text, (unsigned long long)hash_64(text, text_length));
    for (size_t i = 0; i < scan->file_count; i++) {
        const struct scan_file *file = &scan->files[i];
        if (file->twice) {
            continue;
        }
        at += snprintf(header->config + at, room - (size_t)at, "  - xxh3-128:");
        for (size_t k = 0; k < sizeof file->digest; k++) {
            at += snprintf(header->config + at, room - (size_t)at, "%02x", file->digest[k]);
        }
        at += snprintf(header->config + at, room - (size_t)at, " bytes %llu lines %llu\n",
                       (unsigned long long)file->bytes, (unsigned long long)file->lines);
    }
    header->tape.config = header->config;
    return 0;
}

static int list_instruments(struct import_header *header, struct import_report *report,
                            struct error *error)
{
    const struct event_names *names = &header->tape.names;
    report->instruments = calloc(names->instrument_count + 1, sizeof *report->instruments);
    if (report->instruments == NULL) {
        return error_set(error, ERROR_SYSTEM, "no memory for the report");
    }
    report->instrument_count = names->instrument_count;
    for (unsigned i = 0; i < names->instrument_count; i++) {
        event_instrument_name(names, i, report->instruments[i].name);
        report->instruments[i].definition = header->definitions[i];
    }
    report->grids_inferred = names->instrument_count > 0;
    return 0;
}

static int fill(struct import_header *header, const struct scan *scan,
                const struct instrument_table *table, const struct import_options *options,
                struct import_report *report, struct error *error)
{
    int code = find_terms(header, scan, table, error);
    if (code == 0) {
        code = collect_names(header, scan, error);
    }
    for (size_t i = 0; code == 0 && i < scan->instrument_count; i++) {
        code = define(header, scan, i, error);
    }
    if (code == 0) {
        code = write_config(header, scan, table, options, error);
    }
    return code == 0 ? list_instruments(header, report, error) : code;
}

int import_header_make(struct import_header **out, const struct scan *scan,
                       const struct instrument_table *table, const struct import_options *options,
                       struct import_report *report, struct error *error)
{
    size_t count = scan->instrument_count + 1;
    struct import_header *header = calloc(1, sizeof *header);
    *out = NULL;
    if (header != NULL) {
        header->definitions = calloc(count, sizeof *header->definitions);
        header->symbols = calloc(count, sizeof *header->symbols);
        header->terms = calloc(count, sizeof *header->terms);
        header->assets = calloc(count * 3, sizeof *header->assets);
    }
    if (header == NULL || header->definitions == NULL || header->symbols == NULL ||
        header->terms == NULL || header->assets == NULL) {
        import_header_free(&header);
        return error_set(error, ERROR_SYSTEM, "no memory for the tape's first block");
    }
    header->tape.version = TAPE_VERSION;
    header->tape.origin = TAPE_IMPORTED;
    header->tape.tool_version = options->tool_version;
    header->tape.build_id = options->build_id;
    header->tape.grade_reasons = "";
    header->tape.feed_floor_ns = options->floor_ns;
    int code = fill(header, scan, table, options, report, error);
    if (code != 0) {
        import_header_free(&header);
        return code;
    }
    *out = header;
    return 0;
}
