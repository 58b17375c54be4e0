/* See binance_us_info.h. */
#include "venue/live/binance_us_info.h"

#include <string.h>

#include "base/time.h"

/* --- limits ------------------------------------------------------------------------------------------ */

static int64_t interval_of(const char *word)
{
    static const struct {
        const char *word;
        int64_t ns;
    } intervals[] = {{"SECOND", NS_PER_SECOND},
                     {"MINUTE", 60 * NS_PER_SECOND},
                     {"HOUR", 3600 * NS_PER_SECOND},
                     {"DAY", 86400 * NS_PER_SECOND}};
    for (size_t i = 0; word && i < sizeof intervals / sizeof *intervals; i++)
        if (strcmp(intervals[i].word, word) == 0)
            return intervals[i].ns;
    return 0;
}

static unsigned type_of(const char *word)
{
    static const char *const words[] = {
#define X(name, word, header) word,
        BINANCE_US_LIMIT_TYPES(X)
#undef X
    };
    unsigned type = 0;
    while (type < BINANCE_US_LIMIT_TYPE_COUNT && (!word || strcmp(words[type], word) != 0))
        type++;
    return type;
}

/* Limits of a kind or interval that is not known are passed over. */
static int take_limit(const cJSON *object, struct binance_us_info *info, struct error *error)
{
    enum { INTERVALS_MAX = 1000 };
    unsigned type = type_of(json_text_of(object, "rateLimitType"));
    int64_t interval = interval_of(json_text_of(object, "interval"));
    uint64_t number, limit;
    if (type == BINANCE_US_LIMIT_TYPE_COUNT || interval == 0 ||
        info->limit_count == BINANCE_US_LIMITS_MAX)
        return 0;
    int code = json_read_whole(object, "intervalNum", &number, error);
    if (!code)
        code = json_read_whole(object, "limit", &limit, error);
    if (!code && (number == 0 || number > INTERVALS_MAX))
        code = error_set(error, ERROR_INPUT, "field intervalNum: expected 1 to %d", INTERVALS_MAX);
    if (code)
        return code;
    info->limits[info->limit_count++] = (struct binance_us_limit){
        .type = (uint8_t)type, .interval_ns = (int64_t)number * interval, .limit = limit};
    return 0;
}

static int take_limits(const cJSON *tree, struct binance_us_info *info, struct error *error)
{
    const cJSON *item;
    int code = 0;
    info->limit_count = 0;
    cJSON_ArrayForEach(item, json_member(tree, "rateLimits")) if (!code) code =
        take_limit(item, info, error);
    if (code)
        error_prefix(error, "rateLimits");
    return code;
}

/* "10s", "1m", "1d" behind the header's name. */
static int64_t header_interval(const char *text)
{
    int64_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && number < 1000; at++)
        number = number * 10 + (*at - '0');
    int64_t unit = *at == 's'   ? NS_PER_SECOND
                   : *at == 'm' ? 60 * NS_PER_SECOND
                   : *at == 'h' ? 3600 * NS_PER_SECOND
                   : *at == 'd' ? 86400 * NS_PER_SECOND
                                : 0;
    return at == text || unit == 0 || at[1] != '\0' ? 0 : number * unit;
}

bool binance_us_read_use(const char *name, const char *value, uint8_t *type, int64_t *interval_ns,
                         uint64_t *used)
{
    static const char *const headers[] = {
#define X(name, word, header) header,
        BINANCE_US_LIMIT_TYPES(X)
#undef X
    };
    for (uint8_t i = 0; i < BINANCE_US_LIMIT_TYPE_COUNT; i++) {
        size_t length = strlen(headers[i]);
        if (strncmp(name, headers[i], length) != 0)
            continue;
        struct number number = number_from_text(value, strlen(value), 0);
        *type = i;
        *interval_ns = header_interval(name + length);
        *used = number.status == NUMBER_VALUE ? (uint64_t)number.units : 0;
        return *interval_ns > 0 && number.status == NUMBER_VALUE && number.units >= 0;
    }
    return false;
}

/* --- filters ----------------------------------------------------------------------------------------- */

static const cJSON *filter_of(const cJSON *symbol, const char *type)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, json_member(symbol, "filters"))
    {
        const char *word = json_text_of(item, "filterType");
        if (word && strcmp(word, type) == 0)
            return item;
    }
    return NULL;
}

/* A step of a filter; 0 where the filter is absent or off. */
static int read_step(const cJSON *filter, const char *field, struct decimal *out,
                     struct error *error)
{
    struct json_decimal step;
    *out = (struct decimal){0, 0};
    if (!filter)
        return 0;
    int code = json_read_decimal(filter, field, &step, error);
    if (!code && (step.status != NUMBER_VALUE || step.value.mantissa < 0))
        code = error_set(error, ERROR_INPUT, "field %s: expected a decimal of 0 or more", field);
    if (!code)
        *out = step.value;
    return code;
}

/* The number of decimals that an asset has at the venue, as an exponent. */
static int read_precision(const cJSON *symbol, const char *field, int8_t *out, struct error *error)
{
    uint64_t digits;
    int code = json_read_whole(symbol, field, &digits, error);
    if (!code && digits > (uint64_t)-DECIMAL_EXPONENT_MIN)
        code = error_set(error, ERROR_INPUT, "field %s: expected 0 to %d", field,
                         -DECIMAL_EXPONENT_MIN);
    if (!code)
        *out = (int8_t) - (int)digits;
    return code;
}

/* Set a grid: its step in units of 10^unit. Without a step, one unit. */
static int set_grid(struct decimal step, int unit, int8_t *exponent, int64_t *units,
                    const char *field, struct error *error)
{
    struct number number =
        step.mantissa == 0 ? (struct number){1, NUMBER_VALUE} : decimal_to_units(step, unit);
    if (number.status != NUMBER_VALUE)
        return error_set(error, ERROR_INPUT, "field %s: is out of range", field);
    *exponent = (int8_t)unit;
    *units = number.units;
    return 0;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int take_grids(const cJSON *symbol, struct event_definition *out, uint8_t *notes,
                      struct error *error)
{
    struct decimal tick, lot, least;
    const cJSON *size = filter_of(symbol, "LOT_SIZE");
    int8_t quote = 0, base = 0;
    int code = read_step(filter_of(symbol, "PRICE_FILTER"), "tickSize", &tick, error);
    if (!code)
        code = read_step(size, "stepSize", &lot, error);
    if (!code)
        code = read_step(size, "minQty", &least, error);
    if (!code)
        code = read_precision(symbol, "quotePrecision", &quote, error);
    if (!code)
        code = read_precision(symbol, "baseAssetPrecision", &base, error);
    if (code)
        return code;
    int price_unit = smaller(tick.mantissa ? tick.exponent : quote, 0);
    int quantity_unit =
        smaller(lot.mantissa ? smaller(lot.exponent, 0) : base, out->base_commission_exponent);
    code = set_grid(tick, price_unit, &out->price_exponent, &out->tick, "tickSize", error);
    if (!code)
        code = set_grid(lot, quantity_unit, &out->quantity_exponent, &out->lot, "stepSize", error);
    if (code)
        return code;
    struct number units = decimal_to_units(least, out->quantity_exponent);
    if (units.status != NUMBER_VALUE || units.units > out->lot)
        *notes |= BINANCE_US_LEAST_ABOVE_LOT;
    if (out->price_exponent + out->quantity_exponent < MONEY_EXPONENT)
        return error_set(error, ERROR_INPUT,
                         "tickSize and stepSize are finer than exact money (1e-18)");
    return 0;
}

/* The larger of the two filters of value that there may be. */
static int take_notional(const cJSON *symbol, struct event_definition *out, struct error *error)
{
    static const char *const types[] = {"MIN_NOTIONAL", "NOTIONAL"};
    for (size_t i = 0; i < 2; i++) {
        const cJSON *filter = filter_of(symbol, types[i]);
        money least;
        if (!filter)
            continue;
        int code = json_read_money(filter, "minNotional", &least, error);
        if (code)
            return code;
        if (money_compare(least, out->minimum_notional) > 0)
            out->minimum_notional = least;
    }
    return 0;
}

/* --- instruments ------------------------------------------------------------------------------------- */

static bool has_order_type(const cJSON *symbol, const char *type)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, json_member(symbol, "orderTypes"))
    {
        const char *word = cJSON_GetStringValue(item);
        if (word && strcmp(word, type) == 0)
            return true;
    }
    return false;
}

static int take_state(const cJSON *symbol, struct adapter_instrument *out, uint8_t *notes,
                      struct error *error)
{
    const char *status = json_text_of(symbol, "status");
    const cJSON *spot = json_member(symbol, "isSpotTradingAllowed");
    const cJSON *replace = json_member(symbol, "cancelReplaceAllowed");
    if (!status)
        return error_set(error, ERROR_INPUT, "field status: expected text");
    bool open = strcmp(status, "TRADING") == 0 && !cJSON_IsFalse(spot);
    out->trading = open ? TRADING_OPEN : TRADING_HALTED;
    if (!has_order_type(symbol, "LIMIT_MAKER"))
        *notes |= BINANCE_US_NO_POST_ONLY;
    if (cJSON_IsFalse(replace))
        *notes |= BINANCE_US_NO_REPLACE;
    return 0;
}

static int read_asset(const cJSON *symbol, const char *field, char out[EVENT_NAME_MAX + 1],
                      struct error *error)
{
    int code = json_read_text(symbol, field, out, EVENT_NAME_MAX + 1, error);
    if (!code && !event_name_is_valid(out, strlen(out)))
        code = error_set(error, ERROR_INPUT, "field %s: expected the name of an asset", field);
    return code;
}

static int take_symbol(const cJSON *symbol, const char *name, struct adapter_instrument *out,
                       uint8_t *notes, struct error *error)
{
    struct event_definition *definition = &out->definition;
    memset(out, 0, sizeof *out);
    memcpy(out->symbol, name, strlen(name) + 1);
    definition->contract = CONTRACT_SPOT;
    definition->multiplier = 1;
    definition->fee_asset = FEE_IN_RECEIVED;
    definition->grid_basis = BASIS_GIVEN;
    int code = read_asset(symbol, "baseAsset", out->base, error);
    if (!code)
        code = read_asset(symbol, "quoteAsset", out->quote, error);
    memcpy(out->settle, out->quote, sizeof out->settle);
    if (!code)
        code = read_precision(symbol, "baseCommissionPrecision",
                              &definition->base_commission_exponent, error);
    if (!code)
        code = read_precision(symbol, "quoteCommissionPrecision",
                              &definition->quote_commission_exponent, error);
    if (!code)
        code = take_grids(symbol, definition, notes, error);
    if (!code)
        code = take_notional(symbol, definition, error);
    return code ? code : take_state(symbol, out, notes, error);
}

static int take_symbols(const cJSON *tree, const char *const *symbols, size_t count,
                        struct adapter_instrument *found, bool *present, uint8_t *notes,
                        struct error *error)
{
    const cJSON *item;
    if (!cJSON_IsArray(json_member(tree, "symbols")))
        return error_set(error, ERROR_INPUT, "field symbols: expected an array");
    cJSON_ArrayForEach(item, json_member(tree, "symbols"))
    {
        const char *name = json_text_of(item, "symbol");
        size_t place = 0;
        uint8_t of_this = 0;
        if (!name)
            return error_set(error, ERROR_INPUT, "symbols: field symbol: expected text");
        while (place < count && strcmp(symbols[place], name) != 0)
            place++;
        if (place == count)
            continue;
        if (take_symbol(item, name, &found[place], &of_this, error) != 0)
            return error_prefix(error, "symbol %s", name);
        present[place] = true;
        if (notes)
            notes[place] = of_this;
    }
    return 0;
}

int binance_us_read_info(const char *bytes, size_t length, const char *const *symbols, size_t count,
                         struct adapter_instrument *found, bool *present, uint8_t *notes,
                         struct binance_us_info *info, struct error *error)
{
    cJSON *tree = json_parse_object(bytes, length, error);
    memset(present, 0, count * sizeof *present);
    int code = tree ? take_limits(tree, info, error) : ERROR_INPUT;
    if (!code)
        code = take_symbols(tree, symbols, count, found, present, notes, error);
    cJSON_Delete(tree);
    return code;
}
