/* Gathers an engine's state hashes. */
#include "run/state_hashes.h"

#include <stdlib.h>

#include "base/assert.h"
#include "engine/walker.h"

enum { ROOMS_BESIDE_BOOKS = 16 }; /* at least those that an engine has, and the whole state */

int state_hashes_open(struct state_hashes *hashes, unsigned instrument_count, struct error *error)
{
    size_t capacity = (size_t)instrument_count + ROOMS_BESIDE_BOOKS;
    *hashes = (struct state_hashes){.capacity = capacity};
    hashes->list = calloc(capacity, sizeof *hashes->list);
    hashes->rooms = calloc(capacity, sizeof *hashes->rooms);
    if (!hashes->list || !hashes->rooms)
        return error_set(error, ERROR_SYSTEM, "no memory for the state hashes of a tape");
    return 0;
}

void state_hashes_close(struct state_hashes *hashes)
{
    free(hashes->list);
    free(hashes->rooms);
    *hashes = (struct state_hashes){0};
}

size_t state_hash_whole_room(const struct engine *engine)
{
    return engine_room_count(engine);
}

uint64_t state_hash_whole(const struct engine *engine)
{
    struct walker_hash hash;
    walker_hash_init(&hash);
    engine_walk(engine, &hash.walker);
    return hash.hash;
}

const struct tape_state_hash *state_hashes_take(struct state_hashes *hashes,
                                                const struct engine *engine, size_t *count)
{
    ASSERT(engine_room_count(engine) < hashes->capacity);
    size_t rooms = engine_room_hashes(engine, hashes->rooms, hashes->capacity);
    for (size_t room = 0; room < rooms; room++)
        hashes->list[room] =
            (struct tape_state_hash){.room = (uint16_t)room, .hash = hashes->rooms[room]};
    *count = rooms;
    if (++hashes->blocks % STATE_HASHES_WHOLE_EVERY == 0)
        hashes->list[(*count)++] = (struct tape_state_hash){
            .room = (uint16_t)state_hash_whole_room(engine), .hash = state_hash_whole(engine)};
    return hashes->list;
}
