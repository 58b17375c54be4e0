/* See wanted.h. */
#include "config.h" /* strtok_r, strdup */

#include "live/wanted.h"

#include <stdlib.h>
#include <string.h>

#define EXPECTED "live.instruments: expected words like binance_us:BTCUSD"

static int no_memory(struct error *error)
{
    return error_set(error, ERROR_SYSTEM, "no memory for live.instruments");
}

/* The place of a venue, made in the order of names where it is not there yet. */
static int venue_at(struct wanted *wanted, const char *name, size_t *place, struct error *error)
{
    size_t at = 0;
    while (at < wanted->count && strcmp(wanted->names[at], name) < 0)
        at++;
    *place = at;
    if (at < wanted->count && strcmp(wanted->names[at], name) == 0)
        return 0;
    const struct adapter_kind *kind = adapter_kind_by_name(name);
    if (!kind)
        return error_set(error, ERROR_INPUT, EXPECTED "; there is no adapter for a venue '%s'",
                         name);
    if (wanted->count == LIVE_VENUES_MAX)
        return error_set(error, ERROR_INPUT, "live.instruments: more than %d venues",
                         LIVE_VENUES_MAX);
    struct wanted_venue *venue = calloc(1, sizeof *venue);
    if (!venue)
        return no_memory(error);
    venue->kind = kind;
    for (size_t i = wanted->count; i > at; i--) {
        wanted->venues[i] = wanted->venues[i - 1];
        wanted->names[i] = wanted->names[i - 1];
    }
    wanted->venues[at] = venue;
    wanted->names[at] = kind->name;
    wanted->count++;
    return 0;
}

static int add_symbol(struct wanted_venue *venue, const char *symbol, struct error *error)
{
    if (!event_name_is_valid(symbol, strlen(symbol)))
        return error_set(error, ERROR_INPUT, EXPECTED "; '%s' can be no symbol", symbol);
    for (size_t i = 0; i < venue->symbol_count; i++)
        if (strcmp(venue->symbols[i], symbol) == 0)
            return error_set(error, ERROR_INPUT, "live.instruments: %s:%s is named twice",
                             venue->kind->name, symbol);
    if (venue->symbol_count == WANTED_SYMBOLS_MAX)
        return error_set(error, ERROR_INPUT, "live.instruments: more than %d of %s",
                         WANTED_SYMBOLS_MAX, venue->kind->name);
    venue->symbols[venue->symbol_count++] = symbol;
    return 0;
}

static int add_word(struct wanted *wanted, char *word, struct error *error)
{
    char *colon = strchr(word, ':');
    if (!colon)
        return error_set(error, ERROR_INPUT, EXPECTED ", not '%s'", word);
    *colon = '\0';
    size_t place;
    int code = venue_at(wanted, word, &place, error);
    return code ? code : add_symbol(wanted->venues[place], colon + 1, error);
}

int wanted_read(struct wanted *wanted, const char *text, struct error *error)
{
    wanted->text = strdup(text);
    if (!wanted->text)
        return no_memory(error);
    char *rest = NULL;
    for (char *word = strtok_r(wanted->text, " ,\t", &rest); word;
         word = strtok_r(NULL, " ,\t", &rest)) {
        int code = add_word(wanted, word, error);
        if (code)
            return code;
    }
    if (wanted->count == 0)
        return error_set(error, ERROR_INPUT, EXPECTED ", it is empty");
    return 0;
}

void wanted_free(struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        free(wanted->venues[i]);
    free(wanted->text);
    *wanted = (struct wanted){0};
}
