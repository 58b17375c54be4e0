/* See buffer.h. */
#include "net/buffer.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum {
    CAPACITY_FIRST = 512,
    CAPACITY_KEPT = 1024 * 1024, /* a buffer that once held more gives it back */
};

/* Move what is held to the front, where the room in front of it is at least as long as it is: so that a
 * byte is moved once on average. */
static void move_to_front(struct buffer *buffer)
{
    size_t length = buffer_length(buffer);
    if (buffer->start == 0 || buffer->start < length)
        return;
    memmove(buffer->bytes, buffer_first(buffer), length);
    buffer->start = 0;
    buffer->end = length;
}

bool buffer_reserve(struct buffer *buffer, size_t more)
{
    if (more > SIZE_MAX / 4 || buffer->end > SIZE_MAX / 4)
        return false;
    if (buffer->end + more + 1 > buffer->capacity)
        move_to_front(buffer);
    size_t needed = buffer->end + more + 1;
    if (needed <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity == 0 ? CAPACITY_FIRST : buffer->capacity;
    while (capacity < needed)
        capacity *= 2;
    char *bytes = malloc(capacity);
    if (bytes == NULL)
        return false;
    if (buffer->bytes != NULL) {
        memcpy(bytes, buffer->bytes, buffer->end);
        OPENSSL_cleanse(buffer->bytes, buffer->end);
        free(buffer->bytes);
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

bool buffer_append(struct buffer *buffer, const char *bytes, size_t length)
{
    if (!buffer_reserve(buffer, length))
        return false;
    if (length > 0)
        memcpy(buffer->bytes + buffer->end, bytes, length);
    buffer->end += length;
    return true;
}

bool buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    ASSERT(length <= buffer_length(buffer));
    buffer->start += length;
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->start = buffer->end = 0;
    if (buffer->capacity > CAPACITY_KEPT)
        buffer_free(buffer);
}

void buffer_free(struct buffer *buffer)
{
    if (buffer->bytes != NULL)
        OPENSSL_cleanse(buffer->bytes, buffer->capacity);
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}
