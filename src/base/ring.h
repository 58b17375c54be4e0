/* A bounded queue of fixed-size slots between one producer thread and one consumer thread.
 * For the threads of a live session, which is not there yet (ARCHITECTURE.md); today only tests call it. */
#ifndef CAPSTAN_BASE_RING_H
#define CAPSTAN_BASE_RING_H

#include <stdatomic.h>

#include "base/integer.h"

enum { RING_CACHE_LINE_BYTES = 64 };

/* Counters only grow; their low bits are the slot. Each side's own counter stands on a line of its
 * own, beside what it last saw of the other's. */
struct ring {
    unsigned char *slots;
    size_t slot_bytes;
    size_t mask;
    char line_of_producer[RING_CACHE_LINE_BYTES];
    atomic_size_t pushed;
    size_t popped_seen;
    char line_of_consumer[RING_CACHE_LINE_BYTES];
    atomic_size_t popped;
    size_t pushed_seen;
    char line_after[RING_CACHE_LINE_BYTES];
};

/* `slot_count` (a power of two) slots of `slot_bytes` in the caller's memory, which must be aligned
 * for what the slots will hold. */
void ring_init(struct ring *ring, void *memory, size_t slot_count, size_t slot_bytes);

/* Producer: the next free slot to fill, or NULL while the ring is full. ring_push then hands the slot
 * over; asking again before it gives the same slot. */
void *ring_free_slot(struct ring *ring);
void ring_push(struct ring *ring);

/* Consumer: the oldest full slot, or NULL while the ring is empty. ring_pop then gives it back. */
void *ring_full_slot(struct ring *ring);
void ring_pop(struct ring *ring);

#endif
