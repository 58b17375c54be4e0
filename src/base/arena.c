/* A bump allocator for initialisation; see base/arena.h. */
#include "base/arena.h"

#include <string.h>

#include "base/assert.h"

void arena_init(struct arena *arena, void *memory, size_t bytes)
{
    ASSERT(memory != NULL || bytes == 0);
    *arena = (struct arena){.memory = memory, .bytes = bytes, .used = 0};
}

void *arena_take(struct arena *arena, size_t count, size_t bytes, size_t alignment)
{
    size_t total, end;

    ASSERT(alignment != 0 && (alignment & (alignment - 1)) == 0);
    size_t gap = (size_t)(-(uintptr_t)(arena->memory + arena->used) & (alignment - 1));
    if (__builtin_mul_overflow(count, bytes, &total) ||
        __builtin_add_overflow(arena->used + gap, total, &end) || end > arena->bytes)
        return NULL;
    void *taken = arena->memory + arena->used + gap;
    memset(taken, 0, total);
    arena->used = end;
    return taken;
}
