/* A value that one thread publishes now and then and any thread copies: a sequence lock. The writer never
 * waits, takes no lock and makes no system call; a reader that meets a write tries again. */
#ifndef CAPSTAN_OPS_CELL_H
#define CAPSTAN_OPS_CELL_H

#include <stdatomic.h>

#include "base/integer.h"

struct ops_cell {
    _Atomic uint64_t sequence; /* odd: being written; 0: nothing was published */
    size_t words;
    _Atomic uint64_t data[];
};

/* A cell for values of up to `size` bytes; NULL: no memory. Freed with free(). */
struct ops_cell *ops_cell_new(size_t size);
/* The one writer: publish the first `size` bytes of a value. */
void ops_cell_write(struct ops_cell *cell, const void *value, size_t size);
/* Copy the first `size` bytes; what was never written is 0. False where nothing was published yet, or the
 * writer came in between every time; then `out` is not to be used. */
bool ops_cell_read(struct ops_cell *cell, void *out, size_t size);

#endif
