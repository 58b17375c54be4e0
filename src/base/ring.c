/* Single producer, single consumer: a slot's bytes are published by the release of a counter. */
#include "base/ring.h"

#include <string.h>

#include "base/assert.h"

void ring_init(struct ring *ring, void *memory, size_t slot_count, size_t slot_bytes)
{
    ASSERT(memory != NULL && slot_bytes > 0);
    ASSERT(slot_count > 0 && (slot_count & (slot_count - 1)) == 0);
    memset(ring, 0, sizeof *ring);
    ring->slots = memory;
    ring->slot_bytes = slot_bytes;
    ring->mask = slot_count - 1;
    atomic_init(&ring->pushed, 0);
    atomic_init(&ring->popped, 0);
}

static void *slot_at(struct ring *ring, size_t counter)
{
    return ring->slots + (counter & ring->mask) * ring->slot_bytes;
}

void *ring_free_slot(struct ring *ring)
{
    size_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);

    if (pushed - ring->popped_seen > ring->mask)
        ring->popped_seen = atomic_load_explicit(&ring->popped, memory_order_acquire);
    return pushed - ring->popped_seen > ring->mask ? NULL : slot_at(ring, pushed);
}

void ring_push(struct ring *ring)
{
    size_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);

    ASSERT(pushed - ring->popped_seen <= ring->mask);
    atomic_store_explicit(&ring->pushed, pushed + 1, memory_order_release);
}

void *ring_full_slot(struct ring *ring)
{
    size_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);

    if (popped == ring->pushed_seen)
        ring->pushed_seen = atomic_load_explicit(&ring->pushed, memory_order_acquire);
    return popped == ring->pushed_seen ? NULL : slot_at(ring, popped);
}

void ring_pop(struct ring *ring)
{
    size_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);

    ASSERT(popped != ring->pushed_seen);
    atomic_store_explicit(&ring->popped, popped + 1, memory_order_release);
}
