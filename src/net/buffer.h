/* Bytes that wait: appended at the end, taken from the start. */
#ifndef CAPSTAN_NET_BUFFER_H
#define CAPSTAN_NET_BUFFER_H

#include "base/integer.h"

/* Start from all zero. What is held is bytes[start] to bytes[end - 1]; a NUL can always be put behind. */
struct buffer {
    char *bytes;
    size_t start, end, capacity;
};

static inline size_t buffer_length(const struct buffer *buffer)
{
    return buffer->end - buffer->start;
}
static inline char *buffer_first(struct buffer *buffer)
{
    return buffer->bytes + buffer->start;
}

/* Make room for `more` bytes and a NUL behind what is held. False: no memory, nothing changed. May move
 * what is held. */
bool buffer_reserve(struct buffer *buffer, size_t more);
/* False: no memory, nothing changed. */
bool buffer_append(struct buffer *buffer, const char *bytes, size_t length);
bool buffer_append_text(struct buffer *buffer, const char *text);
/* Forget the first `length` bytes, of which there are so many. Moves nothing. */
void buffer_consume(struct buffer *buffer, size_t length);
/* Hold nothing and keep the memory, unless there is a lot of it. */
void buffer_clear(struct buffer *buffer);
/* Give the memory back; overwritten first, since it may have held a secret. */
void buffer_free(struct buffer *buffer);

#endif
