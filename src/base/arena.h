/* Memory for everything that lives as long as the program: taken once at the start, never given back.
 * For live sessions, which are not there yet (ARCHITECTURE.md); today only tests call it. */
#ifndef CAPSTAN_BASE_ARENA_H
#define CAPSTAN_BASE_ARENA_H

#include "base/integer.h"

/* A piece of the caller's memory, used up from its beginning. */
struct arena {
    unsigned char *memory;
    size_t bytes;
    size_t used;
};

/* Use `bytes` at `memory`, which must stay as long as anything taken from it. */
void arena_init(struct arena *arena, void *memory, size_t bytes);

/* `count` things of `bytes` each, zeroed, at a multiple of `alignment` (a power of two). NULL, and
 * nothing taken, where what is left does not hold them. */
void *arena_take(struct arena *arena, size_t count, size_t bytes, size_t alignment);

/* An array of a type: struct order *orders = ARENA_ARRAY(&arena, struct order, limit); */
#define ARENA_ARRAY(arena, type, count)                                                            \
    ((type *)arena_take((arena), (count), sizeof(type), _Alignof(type)))

#endif
