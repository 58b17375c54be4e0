/* The configuration of live mode that the exchange writes: exchange/folder.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "exchange/folder.h"

enum { LEVEL_USD = 200, LIMIT_LEVELS = 10, SKEW_PPM = 30, STEP_PPM = 15 };

static void add(struct json *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct json *text, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    ASSERT(length >= 0 && (size_t)length < sizeof line);
    json_append(text, line, (size_t)length);
}

/* What each venue's own limits leave, and what it makes of a changed level (trading-semantics 27, 30). OANDA has no
 * post-only: what is to rest stands well behind a touch that is told four times a second. */
static const struct {
    const char *name, *modify;
    unsigned orders_per_second;
    unsigned long orders_per_day;
    const char *stream_scheme;
    int64_t half_spread_ppm;
} habits[] = {
    {"binance_us", "cancel_replace", 10, 200000, "wss", 30},
    {"coinbase", "edit", 25, 0, "wss", 30},
    {"oanda", "replace", 80, 0, "https", 120},
};

static size_t habit_of(const char *venue)
{
    size_t i = 0;
    while (i < sizeof habits / sizeof habits[0] && strcmp(habits[i].name, venue) != 0)
        i++;
    ASSERT(i < sizeof habits / sizeof habits[0]); /* every protocol has its own */
    return i;
}

static void add_venue(struct json *text, const struct exchange_folder *folder,
                      const struct folder_venue *venue)
{
    size_t habit = habit_of(venue->name);
    const char *scheme = habits[habit].stream_scheme;
    add(text, "  %s:\n    live:\n", venue->name);
    add(text, "      rest_url: https://127.0.0.1:%u\n", venue->port);
    add(text, "      stream_url: %s://127.0.0.1:%u\n", scheme, venue->port);
    add(text, "      private_url: %s://127.0.0.1:%u\n", scheme, venue->port);
    add(text, "      ca_file: %s/ca.pem\n", folder->path);
    add(text, "      credentials: %s/%s.json\n", folder->path, venue->name);
    add(text, "    rate:\n      orders_per_second: %u\n", habits[habit].orders_per_second);
    if (habits[habit].orders_per_day)
        add(text, "      orders_per_day: %lu\n", habits[habit].orders_per_day);
    add(text, "    venue:\n      modify: %s\n", habits[habit].modify);
}

/* A part of the price on the tick, a tick at least. */
static void add_distance(struct json *text, const char *name,
                         const struct event_definition *definition, int64_t price, int64_t ppm)
{
    int64_t distance = (int64_t)((int128)price * ppm / 1000000);
    distance -= distance % definition->tick;
    char number[JSON_NUMBER_MAX];
    json_decimal_text(distance > definition->tick ? distance : definition->tick,
                      definition->price_exponent, 0, number);
    add(text, "      %s: %s\n", name, number);
}

/* Lots that are worth LEVEL_USD, by a market whose quote is about a USD. */
static int64_t level_size(const struct event_definition *definition, int64_t price)
{
    money lot, wanted;
    bool fits = money_from_units(LEVEL_USD, 0, &wanted);
    ASSERT(fits);
    if (!money_linear_value(price, definition->lot, definition->multiplier,
                            definition->price_exponent + definition->quantity_exponent +
                                definition->multiplier_exponent,
                            &lot) ||
        lot.atto <= 0 || lot.atto > wanted.atto)
        return definition->lot;
    return (int64_t)(wanted.atto / lot.atto) * definition->lot;
}

static void add_instrument(struct json *text, const struct event_names *names, unsigned instrument,
                           int64_t price, int64_t half_spread_ppm)
{
    const struct event_definition *definition = &names->definitions[instrument];
    char name[EVENT_INSTRUMENT_NAME_MAX], size[JSON_NUMBER_MAX], limit[JSON_NUMBER_MAX];
    int64_t units = level_size(definition, price);
    event_instrument_name(names, instrument, name);
    json_decimal_text(units, definition->quantity_exponent, 0, size);
    json_decimal_text(units * LIMIT_LEVELS, definition->quantity_exponent, 0, limit);
    add(text, "  \"%s\":\n    quote:\n      size: %s\n", name, size);
    add_distance(text, "half_spread", definition, price, half_spread_ppm);
    add_distance(text, "step", definition, price, STEP_PPM);
    add_distance(text, "skew", definition, price, SKEW_PPM);
    add(text, "    reconcile:\n");
    add_distance(text, "price_tolerance", definition, price, STEP_PPM);
    add(text, "    risk:\n      position_limit: %s\n", limit);
}

/* The names of all instruments of the venues, as live.instruments lists them. */
static void add_list(struct json *text, const struct folder_venue *venues, size_t count,
                     const struct event_names *names)
{
    const char *separator = "";
    add(text, "  instruments: \"");
    for (size_t v = 0; v < count; v++)
        for (unsigned i = 0; i < names->instrument_count; i++) {
            if (names->definitions[i].venue != venues[v].number)
                continue;
            char name[EVENT_INSTRUMENT_NAME_MAX];
            event_instrument_name(names, i, name);
            add(text, "%s%s", separator, name);
            separator = " ";
        }
    add(text, "\"\n");
}

int folder_live_config(const struct exchange_folder *folder, const struct folder_venue *venues,
                       size_t count, const struct event_names *names, const int64_t *prices,
                       struct error *error)
{
    struct json text = {0};
    add(&text,
        "# A live session against capstan exchange, made by it:\n"
        "#   capstan live -c %s/live.yaml --tape SESSION.tape\n"
        "# The market is a played one: no warm-up, and fills may lose without a pause.\n",
        folder->path);
    add(&text, "live:\n  session: try1\n");
    add_list(&text, venues, count, names);
    add(&text, "quote:\n  levels: 2\n  interval: 100ms\n");
    add(&text, "warm_up:\n  trades: 0\n  book_messages: 5\n  samples: 0\n");
    add(&text, "breaker:\n  edge: 0\n");
    add(&text, "safety:\n  stale_after: 10s\n");
    add(&text, "venues:\n");
    for (size_t v = 0; v < count; v++)
        add_venue(&text, folder, &venues[v]);
    add(&text, "instruments:\n");
    for (size_t v = 0; v < count; v++)
        for (unsigned i = 0; i < names->instrument_count; i++)
            if (names->definitions[i].venue == venues[v].number)
                add_instrument(&text, names, i, prices[i],
                               habits[habit_of(venues[v].name)].half_spread_ppm);
    int code = folder_write(folder, "live.yaml", text.bytes, text.length, 0600, error);
    json_free(&text);
    return code;
}
