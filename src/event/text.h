/* What the writer and the reader of canonical text share. Grammar: docs/event-text.md. */
#ifndef CAPSTAN_EVENT_TEXT_H
#define CAPSTAN_EVENT_TEXT_H

#include "event/event.h"

enum { RATE_EXPONENT = -9 };

/* Text under way into memory that may be too small: `length` counts on, `out` is filled as far as it
 * goes. */
struct text_sink {
    char *out;
    size_t capacity;
    size_t length;
};

/* Add bytes, a string, one byte, a number in decimal digits. */
void text_put(struct text_sink *sink, const char *bytes, size_t length);
void text_put_string(struct text_sink *sink, const char *string);
void text_put_byte(struct text_sink *sink, char byte);
void text_put_unsigned(struct text_sink *sink, uint64_t value);
/* Put the final NUL (over the last byte where there is no room) and return the whole length. */
size_t text_finish(struct text_sink *sink);

/* Exponents of an instrument's prices and quantities; 0 where the names do not know it. */
struct text_units {
    int price_exponent;
    int quantity_exponent;
};
struct text_units text_units_of(const struct event_names *names, unsigned instrument);

/* "depth"; NULL for a number that is no channel. */
const char *text_channel_name(unsigned channel);

/* The instrument of a stream, EVENT_NONE_16 for none. */
static inline uint16_t text_stream_instrument(uint16_t stream)
{
    return stream == EVENT_NONE_16 ? (uint16_t)EVENT_NONE_16 : EVENT_STREAM_INSTRUMENT(stream);
}

#endif
