/* See instruments.h. */
#include "config.h"

#include "import/instruments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/assert.h"
#include "event/event.h"

/* The file instruments-binance.yaml, made into C at build time. */
extern const char instruments_binance_yaml[];

enum { VENUE_MAX = 40, PATTERN_MAX = 48 };

enum given {
    GIVEN_CONTRACT = 1,
    GIVEN_FEE_ASSET = 2,
    GIVEN_MAKER = 4,
    GIVEN_TAKER = 8,
    GIVEN_BASE_PRECISION = 16,
    GIVEN_QUOTE_PRECISION = 32,
    GIVEN_QUOTE = 64,
    GIVEN_BASE = 128,
    GIVEN_SETTLE = 256,
    GIVEN_NEEDED = 127 /* all up to the quote */
};

struct entry {
    char venue[VENUE_MAX + 1];
    char pattern[PATTERN_MAX + 1];
    struct instrument_terms terms;
    unsigned given;
};

struct instrument_table {
    char *name;
    char *text;
    size_t length;
    struct entry *entries;
    size_t count, capacity;
};

/* A YAML file being read. */
struct reading {
    struct instrument_table *table;
    yaml_document_t *document;
    struct error *error;
};

static int wrong(const struct reading *reading, const yaml_node_t *node, const char *key,
                 const char *expected)
{
    return error_set(reading->error, ERROR_INPUT, "%s:%zu: %s%s%s", reading->table->name,
                     node->start_mark.line + 1, key, *key == '\0' ? "" : ": ", expected);
}

static bool scalar(const yaml_node_t *node, const char **text, size_t *length)
{
    if (node->type != YAML_SCALAR_NODE) {
        return false;
    }
    *text = (const char *)node->data.scalar.value;
    *length = node->data.scalar.length;
    return true;
}

static bool copy_text(const yaml_node_t *node, char *out, size_t max)
{
    const char *text;
    size_t length;
    if (!scalar(node, &text, &length) || length == 0 || length > max ||
        memchr(text, '\0', length) != NULL) {
        return false;
    }
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

static bool one_of(const yaml_node_t *node, const char *const *names, size_t count, uint8_t *out)
{
    const char *text;
    size_t length;
    if (!scalar(node, &text, &length)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0) {
            *out = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool read_rate(const yaml_node_t *node, int64_t *out)
{
    const char *text;
    size_t length;
    if (!scalar(node, &text, &length)) {
        return false;
    }
    struct number number = number_from_text(text, length, -9);
    *out = number.units;
    return number.status == NUMBER_VALUE && number.units > -1000000000 && number.units < 1000000000;
}

static bool read_precision(const yaml_node_t *node, int *exponent)
{
    const char *text;
    size_t length;
    if (!scalar(node, &text, &length)) {
        return false;
    }
    struct number number = number_from_text(text, length, 0);
    *exponent = -(int)number.units;
    return number.status == NUMBER_VALUE && number.units >= 0 && number.units <= 18;
}

static bool read_multiplier(const yaml_node_t *node, struct instrument_terms *terms)
{
    const char *text;
    size_t length;
    struct decimal decimal;
    if (!scalar(node, &text, &length) ||
        decimal_from_text(text, length, &decimal) != NUMBER_VALUE || decimal.mantissa <= 0) {
        return false;
    }
    while (decimal.exponent > 0 && decimal.mantissa < INT64_MAX / 10) {
        decimal.mantissa *= 10;
        decimal.exponent--;
    }
    terms->multiplier = decimal.mantissa;
    terms->multiplier_exponent = decimal.exponent;
    return decimal.exponent <= 0;
}

static bool read_money(const yaml_node_t *node, money *out)
{
    const char *text;
    size_t length;
    return scalar(node, &text, &length) && money_from_text(text, length, out) == NUMBER_VALUE &&
           money_compare(*out, MONEY_ZERO) >= 0;
}

static bool is_key(const yaml_node_t *key, const char *name)
{
    const char *text;
    size_t length;
    return scalar(key, &text, &length) && length == strlen(name) && memcmp(text, name, length) == 0;
}

static int read_key(struct reading *reading, const yaml_node_t *key, const yaml_node_t *value,
                    struct entry *entry)
{
    static const char *const contracts[] = {
#define X(name, number, text) text,
        ENUM_CONTRACTS(X)};
    static const char *const fee_assets[] = {ENUM_FEE_ASSETS(X)
#undef X
    };
    struct instrument_terms *terms = &entry->terms;
/* KEY(name, bit, how it is read, what was expected) */
#define KEY(name, bit, read, expected)                                                             \
    if (is_key(key, name)) {                                                                       \
        entry->given |= (bit);                                                                     \
        return (read) ? 0 : wrong(reading, value, name, "expected " expected);                     \
    }
    KEY("contract", GIVEN_CONTRACT, one_of(value, contracts, CONTRACT_COUNT, &terms->contract),
        "spot, linear or inverse")
    KEY("fee_asset", GIVEN_FEE_ASSET, one_of(value, fee_assets, FEE_ASSET_COUNT, &terms->fee_asset),
        "received, quote or settle")
    KEY("maker_fee", GIVEN_MAKER, read_rate(value, &terms->maker_fee),
        "a share between -1 and 1 with at most 9 decimals")
    KEY("taker_fee", GIVEN_TAKER, read_rate(value, &terms->taker_fee),
        "a share between -1 and 1 with at most 9 decimals")
    KEY("multiplier", 0, read_multiplier(value, terms), "a decimal above 0")
    KEY("minimum_notional", 0, read_money(value, &terms->minimum_notional), "a decimal from 0")
    KEY("base_commission_precision", GIVEN_BASE_PRECISION,
        read_precision(value, &terms->base_commission_exponent), "a number of decimals, 0 to 18")
    KEY("quote_commission_precision", GIVEN_QUOTE_PRECISION,
        read_precision(value, &terms->quote_commission_exponent), "a number of decimals, 0 to 18")
    KEY("base", GIVEN_BASE, copy_text(value, terms->base, INSTRUMENT_ASSET_MAX), "an asset name")
    KEY("quote", GIVEN_QUOTE, copy_text(value, terms->quote, INSTRUMENT_ASSET_MAX), "an asset name")
    KEY("settle", GIVEN_SETTLE, copy_text(value, terms->settle, INSTRUMENT_ASSET_MAX),
        "an asset name")
#undef KEY
    return wrong(reading, key, "",
                 "unknown key; known: contract, fee_asset, maker_fee, taker_fee, multiplier, "
                 "minimum_notional, base_commission_precision, quote_commission_precision, base, "
                 "quote, settle, symbols");
}

static yaml_node_t *node_of(const struct reading *reading, int index)
{
    return yaml_document_get_node(reading->document, index);
}

static int append(struct reading *reading, const struct entry *entry)
{
    struct instrument_table *table = reading->table;
    if (table->count == table->capacity) {
        size_t capacity = table->capacity == 0 ? 32 : table->capacity * 2;
        struct entry *entries = realloc(table->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            return error_set(reading->error, ERROR_SYSTEM, "%s: no memory", table->name);
        }
        table->entries = entries;
        table->capacity = capacity;
    }
    table->entries[table->count++] = *entry;
    return 0;
}

static int read_symbol(struct reading *reading, const yaml_node_t *key, const yaml_node_t *value,
                       const struct entry *venue)
{
    struct entry entry = *venue;
    if (!copy_text(key, entry.pattern, PATTERN_MAX)) {
        return wrong(reading, key, "symbols", "expected a symbol or a pattern of 1 to 48 bytes");
    }
    const char *star = strchr(entry.pattern, '*');
    if (star != NULL && strchr(star + 1, '*') != NULL) {
        return wrong(reading, key, entry.pattern, "expected at most one *");
    }
    if (value->type != YAML_MAPPING_NODE) {
        return wrong(reading, value, entry.pattern, "expected a mapping");
    }
    for (yaml_node_pair_t *pair = value->data.mapping.pairs.start;
         pair < value->data.mapping.pairs.top; pair++) {
        int code =
            read_key(reading, node_of(reading, pair->key), node_of(reading, pair->value), &entry);
        if (code != 0) {
            return code;
        }
    }
    if ((entry.given & GIVEN_NEEDED) != GIVEN_NEEDED) {
        return wrong(reading, key, entry.pattern,
                     "needs contract, fee_asset, maker_fee, taker_fee, both commission precisions "
                     "and quote, here or at the venue");
    }
    if ((entry.given & GIVEN_BASE) == 0 && entry.pattern[0] != '*') {
        return wrong(reading, key, entry.pattern, "needs base, or a * at its beginning");
    }
    return append(reading, &entry);
}

static int read_venue(struct reading *reading, const yaml_node_t *key, const yaml_node_t *value)
{
    struct entry venue = {.terms = {.multiplier = 1}};
    const yaml_node_t *symbols = NULL;
    if (!copy_text(key, venue.venue, VENUE_MAX)) {
        return wrong(reading, key, "", "expected the name of a venue");
    }
    if (value->type != YAML_MAPPING_NODE) {
        return wrong(reading, value, venue.venue, "expected a mapping");
    }
    for (yaml_node_pair_t *pair = value->data.mapping.pairs.start;
         pair < value->data.mapping.pairs.top; pair++) {
        yaml_node_t *name = node_of(reading, pair->key), *what = node_of(reading, pair->value);
        if (is_key(name, "symbols")) {
            symbols = what;
            continue;
        }
        int code = read_key(reading, name, what, &venue);
        if (code != 0) {
            return code;
        }
    }
    if (symbols == NULL || symbols->type != YAML_MAPPING_NODE) {
        return wrong(reading, key, venue.venue, "needs symbols, a mapping");
    }
    for (yaml_node_pair_t *pair = symbols->data.mapping.pairs.start;
         pair < symbols->data.mapping.pairs.top; pair++) {
        int code = read_symbol(reading, node_of(reading, pair->key), node_of(reading, pair->value),
                               &venue);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static int read_document(struct reading *reading)
{
    yaml_node_t *root = yaml_document_get_root_node(reading->document);
    if (root == NULL || root->type != YAML_MAPPING_NODE) {
        return error_set(reading->error, ERROR_INPUT, "%s: expected a mapping of venues",
                         reading->table->name);
    }
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        int code = read_venue(reading, node_of(reading, pair->key), node_of(reading, pair->value));
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static int parse(struct instrument_table *table, struct error *error)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser)) {
        return error_set(error, ERROR_SYSTEM, "%s: no memory to read YAML", table->name);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)table->text, table->length);
    int code;
    if (yaml_parser_load(&parser, &document)) {
        struct reading reading = {table, &document, error};
        code = read_document(&reading);
        yaml_document_delete(&document);
    } else {
        code = error_set(error, ERROR_INPUT, "%s:%zu: not YAML: %s", table->name,
                         parser.problem_mark.line + 1,
                         parser.problem != NULL ? parser.problem : "no reason given");
    }
    yaml_parser_delete(&parser);
    return code;
}

static int read_file(struct instrument_table *table, const char *path, struct error *error)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return error_set(error, ERROR_INPUT, "%s: cannot open: %s", path, strerror(errno));
    }
    table->text = malloc(INSTRUMENTS_FILE_MAX + 1);
    int code = 0;
    if (table->text == NULL) {
        code = error_set(error, ERROR_SYSTEM, "%s: no memory", path);
    } else {
        errno = 0;
        table->length = fread(table->text, 1, INSTRUMENTS_FILE_MAX + 1, file);
        if (ferror(file)) {
            code = error_set(error, ERROR_INPUT, "%s: cannot read: %s", path, strerror(errno));
        } else if (table->length > INSTRUMENTS_FILE_MAX) {
            code = error_set(error, ERROR_INPUT, "%s: larger than 4 MiB", path);
        }
    }
    fclose(file);
    return code;
}

int instrument_table_load(struct instrument_table **out, const char *path, struct error *error)
{
    struct instrument_table *table = calloc(1, sizeof *table);
    *out = NULL;
    if (table == NULL ||
        (table->name = strdup(path == NULL ? "built-in instruments" : path)) == NULL) {
        free(table);
        return error_set(error, ERROR_SYSTEM, "no memory for instruments");
    }
    int code = 0;
    if (path != NULL) {
        code = read_file(table, path, error);
    } else {
        table->text = strdup(instruments_binance_yaml);
        table->length = strlen(instruments_binance_yaml);
        if (table->text == NULL) {
            code = error_set(error, ERROR_SYSTEM, "no memory for instruments");
        }
    }
    if (code == 0) {
        code = parse(table, error);
    }
    if (code != 0) {
        instrument_table_free(&table);
        return code;
    }
    *out = table;
    return 0;
}

void instrument_table_free(struct instrument_table **slot)
{
    struct instrument_table *table = *slot;
    if (table != NULL) {
        free(table->name);
        free(table->text);
        free(table->entries);
        free(table);
    }
    *slot = NULL;
}

/* Whether `symbol` matches; `*part` gets where the text that * stands for begins and ends. */
static bool matches(const char *pattern, const char *symbol, size_t *begin, size_t *end)
{
    const char *star = strchr(pattern, '*');
    if (star == NULL) {
        return strcmp(pattern, symbol) == 0;
    }
    size_t before = (size_t)(star - pattern), after = strlen(star + 1), length = strlen(symbol);
    *begin = before;
    *end = length - after;
    return length > before + after && memcmp(pattern, symbol, before) == 0 &&
           memcmp(star + 1, symbol + length - after, after) == 0;
}

bool instrument_table_find(const struct instrument_table *table, const char *venue,
                           const char *symbol, struct instrument_terms *terms)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct entry *entry = &table->entries[i];
        size_t begin = 0, end = 0;
        if (strcmp(entry->venue, venue) != 0 || !matches(entry->pattern, symbol, &begin, &end)) {
            continue;
        }
        *terms = entry->terms;
        if ((entry->given & GIVEN_BASE) == 0) {
            if (end - begin > INSTRUMENT_ASSET_MAX) {
                continue;
            }
            memcpy(terms->base, symbol + begin, end - begin);
            terms->base[end - begin] = '\0';
        }
        if ((entry->given & GIVEN_SETTLE) == 0) {
            memcpy(terms->settle, terms->contract == CONTRACT_INVERSE ? terms->base : terms->quote,
                   sizeof terms->settle);
        }
        return true;
    }
    return false;
}

const char *instrument_table_name(const struct instrument_table *table)
{
    return table->name;
}

const char *instrument_table_text(const struct instrument_table *table, size_t *length)
{
    *length = table->length;
    return table->text;
}
