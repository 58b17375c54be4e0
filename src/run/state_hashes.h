/* The state hashes of an engine that stand with each block of a tape it writes: one of each room, and in every
 * 64th block one of the whole state, which a room's hash is not of in all (ended orders). */
#ifndef CAPSTAN_RUN_STATE_HASHES_H
#define CAPSTAN_RUN_STATE_HASHES_H

#include "engine/engine.h"
#include "tape/tape.h"

enum { STATE_HASHES_WHOLE_EVERY = 64 /* blocks */ };

struct state_hashes {
    struct tape_state_hash *list;
    uint64_t *rooms;
    size_t capacity;
    uint64_t blocks; /* that have their hashes */
};

/* Room for an engine of `instrument_count` instruments. Close it also after a failure. */
int state_hashes_open(struct state_hashes *hashes, unsigned instrument_count, struct error *error);
void state_hashes_close(struct state_hashes *hashes);
/* The hashes of the state as it is, for the next block. They stay valid until the next call. */
const struct tape_state_hash *state_hashes_take(struct state_hashes *hashes,
                                                const struct engine *engine, size_t *count);

/* The number that stands in the place of a room for the whole state: that behind the last room. */
size_t state_hash_whole_room(const struct engine *engine);
uint64_t state_hash_whole(const struct engine *engine);

#endif
