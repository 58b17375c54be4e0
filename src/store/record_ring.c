/* See record_ring.h. */
#include "config.h"

#include "store/record_ring.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct record_ring {
    size_t mask;
    uint8_t *bytes;
    alignas(64) atomic_size_t put; /* bytes put and taken since the beginning */
    alignas(64) atomic_size_t taken;
};

int record_ring_open(struct record_ring **out, size_t capacity, struct error *error)
{
    ASSERT(capacity >= SPOOL_RECORD_BYTES_MAX && (capacity & (capacity - 1)) == 0);
    struct record_ring *ring = aligned_alloc(alignof(struct record_ring), sizeof *ring);
    if (ring) {
        *ring = (struct record_ring){.mask = capacity - 1};
        ring->bytes = malloc(capacity);
    }
    if (!ring || !ring->bytes) {
        free(ring);
        return error_set(error, ERROR_SYSTEM, "no memory for the database's records");
    }
    *out = ring;
    return 0;
}

void record_ring_close(struct record_ring **ring)
{
    if (*ring)
        free((*ring)->bytes);
    free(*ring);
    *ring = NULL;
}

static void copy_in(struct record_ring *ring, size_t at, const uint8_t *bytes, size_t length)
{
    size_t first = ring->mask + 1 - (at & ring->mask);
    if (first > length)
        first = length;
    memcpy(ring->bytes + (at & ring->mask), bytes, first);
    memcpy(ring->bytes, bytes + first, length - first);
}

static void copy_out(const struct record_ring *ring, size_t at, uint8_t *bytes, size_t length)
{
    size_t first = ring->mask + 1 - (at & ring->mask);
    if (first > length)
        first = length;
    memcpy(bytes, ring->bytes + (at & ring->mask), first);
    memcpy(bytes + first, ring->bytes, length - first);
}

bool record_ring_put(struct record_ring *ring, const uint8_t *bytes, size_t length)
{
    size_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
    size_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
    if (ring->mask + 1 - (put - taken) < length)
        return false;
    copy_in(ring, put, bytes, length);
    atomic_store_explicit(&ring->put, put + length, memory_order_release);
    return true;
}

size_t record_ring_get(struct record_ring *ring, uint8_t out[SPOOL_RECORD_BYTES_MAX])
{
    size_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    if (atomic_load_explicit(&ring->put, memory_order_acquire) == taken)
        return 0;
    copy_out(ring, taken, out, SPOOL_HEAD_BYTES);
    size_t length = spool_record_bytes(out);
    ASSERT(length <= SPOOL_RECORD_BYTES_MAX);
    copy_out(ring, taken, out, length);
    atomic_store_explicit(&ring->taken, taken + length, memory_order_release);
    return length;
}

bool record_ring_is_empty(const struct record_ring *ring)
{
    return atomic_load(&ring->put) == atomic_load(&ring->taken);
}
