/* Instrument names: venue, colon, the venue's own symbol. */
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "event/event.h"

bool event_name_is_valid(const char *text, size_t length)
{
    if (length == 0 || length > EVENT_NAME_MAX || text[0] == '?' || (length == 1 && *text == '-'))
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '"' || text[i] == '=' || text[i] == '\\')
            return false;
    return utf8_is_word(text, length);
}

size_t event_instrument_name(const struct event_names *names, unsigned instrument,
                             char out[EVENT_INSTRUMENT_NAME_MAX])
{
    ASSERT(instrument < names->instrument_count);
    unsigned venue_number = names->definitions[instrument].venue;
    ASSERT(venue_number < names->venue_count);
    size_t venue = strlen(names->venues[venue_number]);
    size_t symbol = strlen(names->symbols[instrument]);
    ASSERT(venue + 1 + symbol < EVENT_INSTRUMENT_NAME_MAX);
    memcpy(out, names->venues[venue_number], venue);
    out[venue] = ':';
    memcpy(out + venue + 1, names->symbols[instrument], symbol + 1);
    return venue + 1 + symbol;
}

int event_instrument_by_name(const struct event_names *names, const char *text, size_t length)
{
    char name[EVENT_INSTRUMENT_NAME_MAX];

    for (unsigned i = 0; i < names->instrument_count; i++)
        if (event_instrument_name(names, i, name) == length && memcmp(name, text, length) == 0)
            return (int)i;
    return -1;
}
