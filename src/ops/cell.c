/* See cell.h. Data are copied as relaxed atomics, so that a copy that is thrown away is no race. */
#include "ops/cell.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { WORD_BYTES = 8, TRIES_MAX = 1000 };

struct ops_cell *ops_cell_new(size_t size)
{
    size_t words = (size + WORD_BYTES - 1) / WORD_BYTES;
    struct ops_cell *cell = calloc(1, sizeof *cell + words * sizeof cell->data[0]);
    if (cell)
        cell->words = words;
    return cell;
}

void ops_cell_write(struct ops_cell *cell, const void *value, size_t size)
{
    const char *bytes = value;
    uint64_t sequence = atomic_load_explicit(&cell->sequence, memory_order_relaxed);
    ASSERT(size % WORD_BYTES == 0 && size / WORD_BYTES <= cell->words);
    atomic_store_explicit(&cell->sequence, sequence + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < size / WORD_BYTES; i++) {
        uint64_t word;
        memcpy(&word, bytes + i * WORD_BYTES, sizeof word);
        atomic_store_explicit(&cell->data[i], word, memory_order_relaxed);
    }
    atomic_store_explicit(&cell->sequence, sequence + 2, memory_order_release);
}

bool ops_cell_read(struct ops_cell *cell, void *out, size_t size)
{
    char *bytes = out;
    ASSERT(size % WORD_BYTES == 0 && size / WORD_BYTES <= cell->words);
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        uint64_t before = atomic_load_explicit(&cell->sequence, memory_order_acquire);
        if (before == 0)
            return false;
        if (before % 2 != 0)
            continue;
        for (size_t i = 0; i < size / WORD_BYTES; i++) {
            uint64_t word = atomic_load_explicit(&cell->data[i], memory_order_relaxed);
            memcpy(bytes + i * WORD_BYTES, &word, sizeof word);
        }
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&cell->sequence, memory_order_relaxed) == before)
            return true;
    }
    return false;
}
