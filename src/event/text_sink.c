/* Bytes of text into bounded memory, and the words that writer and reader of text share. */
#include <string.h>

#include "event/text.h"

void text_put(struct text_sink *sink, const char *bytes, size_t length)
{
    if (sink->length < sink->capacity) {
        size_t room = sink->capacity - sink->length;
        memcpy(sink->out + sink->length, bytes, length < room ? length : room);
    }
    sink->length += length;
}

void text_put_string(struct text_sink *sink, const char *string)
{
    text_put(sink, string, strlen(string));
}

void text_put_byte(struct text_sink *sink, char byte)
{
    text_put(sink, &byte, 1);
}

void text_put_unsigned(struct text_sink *sink, uint64_t value)
{
    char digits[20];
    size_t first = sizeof digits;

    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    text_put(sink, digits + first, sizeof digits - first);
}

size_t text_finish(struct text_sink *sink)
{
    if (sink->capacity > 0)
        sink->out[sink->length < sink->capacity ? sink->length : sink->capacity - 1] = '\0';
    return sink->length;
}

struct text_units text_units_of(const struct event_names *names, unsigned instrument)
{
    if (instrument >= names->instrument_count)
        return (struct text_units){0, 0};
    const struct event_definition *definition = &names->definitions[instrument];
    return (struct text_units){definition->price_exponent, definition->quantity_exponent};
}

const char *text_channel_name(unsigned channel)
{
    static const char *const names[CHANNEL_COUNT] = {
        [CHANNEL_DEPTH] = "depth",
        [CHANNEL_TRADE] = "trade",
        [CHANNEL_TOP] = "top",
        [CHANNEL_ORDER_LEVEL] = "order_level",
        [CHANNEL_REFERENCE] = "reference",
        [CHANNEL_SESSION] = "session",
    };
    return channel < CHANNEL_COUNT ? names[channel] : NULL;
}
