/* See message_queue.h. Each message stands in one piece, behind its length; a length of SKIP says that
 * the ring goes on at its beginning. */
#include "feed/message_queue.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { HEAD_BYTES = 8, LINE_BYTES = 64, LEAST_CAPACITY = 4096 };
#define SKIP UINT64_MAX

/* Both counters only grow. Each side's own stands on a line of its own, beside what it last saw of the
 * other's. */
struct message_queue {
    unsigned char *bytes;
    size_t mask;
    char line_of_producer[LINE_BYTES];
    atomic_size_t written;
    size_t read_seen;
    char line_of_consumer[LINE_BYTES];
    atomic_size_t read;
    size_t written_seen;
    char line_after[LINE_BYTES];
};

int message_queue_open(struct message_queue **out, size_t capacity, struct error *error)
{
    ASSERT(capacity >= LEAST_CAPACITY && (capacity & (capacity - 1)) == 0);
    struct message_queue *queue = calloc(1, sizeof *queue);
    *out = queue;
    if (queue)
        queue->bytes = malloc(capacity);
    if (!queue || !queue->bytes) {
        message_queue_close(out);
        return error_set(error, ERROR_SYSTEM, "no memory for a queue of %zu bytes", capacity);
    }
    queue->mask = capacity - 1;
    atomic_init(&queue->written, 0);
    atomic_init(&queue->read, 0);
    return 0;
}

void message_queue_close(struct message_queue **queue)
{
    if (*queue) {
        free((*queue)->bytes);
        free(*queue);
    }
    *queue = NULL;
}

static size_t padded(size_t bytes)
{
    return HEAD_BYTES + (bytes + HEAD_BYTES - 1) / HEAD_BYTES * HEAD_BYTES;
}

/* What is taken of the ring, a piece at its end that is too short included. */
static size_t needed(const struct message_queue *queue, size_t written, size_t bytes)
{
    size_t to_end = queue->mask + 1 - (written & queue->mask);
    return padded(bytes) <= to_end ? padded(bytes) : to_end + padded(bytes);
}

static bool fits(struct message_queue *queue, size_t written, size_t want)
{
    if (written + want - queue->read_seen > queue->mask + 1)
        queue->read_seen = atomic_load_explicit(&queue->read, memory_order_acquire);
    return written + want - queue->read_seen <= queue->mask + 1;
}

bool message_queue_has_room(struct message_queue *queue, size_t bytes)
{
    size_t written = atomic_load_explicit(&queue->written, memory_order_relaxed);
    return fits(queue, written, needed(queue, written, bytes));
}

static void put_length(struct message_queue *queue, size_t at, uint64_t length)
{
    memcpy(queue->bytes + (at & queue->mask), &length, sizeof length);
}

bool message_queue_put(struct message_queue *queue, const struct message *message)
{
    size_t length = message_encoded_bytes(message);
    size_t written = atomic_load_explicit(&queue->written, memory_order_relaxed);
    size_t want = needed(queue, written, length);
    ASSERT(length < queue->mask / 3);
    if (!fits(queue, written, want))
        return false;
    size_t at = written + want - padded(length);
    if (at != written)
        put_length(queue, written, SKIP);
    put_length(queue, at, length);
    message_encode(message, queue->bytes + (at & queue->mask) + HEAD_BYTES, length);
    atomic_store_explicit(&queue->written, written + want, memory_order_release);
    return true;
}

bool message_queue_is_empty(struct message_queue *queue)
{
    size_t read = atomic_load_explicit(&queue->read, memory_order_relaxed);
    if (read == queue->written_seen)
        queue->written_seen = atomic_load_explicit(&queue->written, memory_order_acquire);
    return read == queue->written_seen;
}

bool message_queue_get(struct message_queue *queue, struct message_room *room,
                       struct message *message)
{
    if (message_queue_is_empty(queue))
        return false;
    size_t read = atomic_load_explicit(&queue->read, memory_order_relaxed);
    uint64_t length;
    memcpy(&length, queue->bytes + (read & queue->mask), sizeof length);
    if (length == SKIP) {
        read += queue->mask + 1 - (read & queue->mask);
        memcpy(&length, queue->bytes + (read & queue->mask), sizeof length);
    }
    size_t used;
    struct error error = {0};
    int code = message_decode(queue->bytes + (read & queue->mask) + HEAD_BYTES, length, room->rows,
                              room->row_capacity, &room->record, message, &used, &error);
    ASSERT(code == 0 && used == length); /* we encoded it */
    atomic_store_explicit(&queue->read, read + padded(length), memory_order_release);
    return true;
}

size_t message_queue_depth(const struct message_queue *queue)
{
    size_t read = atomic_load_explicit(&queue->read, memory_order_relaxed);
    return atomic_load_explicit(&queue->written, memory_order_relaxed) - read;
}
