/* Records of a spool from the engine's thread to the one that writes them down: bytes in a ring, one producer, one
 * consumer, no lock, no allocation after opening. */
#ifndef CAPSTAN_STORE_RECORD_RING_H
#define CAPSTAN_STORE_RECORD_RING_H

#include "store/spool.h"

struct record_ring;

/* `capacity` in bytes, a power of two. */
int record_ring_open(struct record_ring **ring, size_t capacity, struct error *error);
void record_ring_close(struct record_ring **ring);
/* Producer: a whole record; false where it finds no room. */
bool record_ring_put(struct record_ring *ring, const uint8_t *bytes, size_t length);
/* Consumer: the oldest record, taken; its length, 0 where there is none. */
size_t record_ring_get(struct record_ring *ring, uint8_t out[SPOOL_RECORD_BYTES_MAX]);
/* Either: nothing waits. */
bool record_ring_is_empty(const struct record_ring *ring);

#endif
