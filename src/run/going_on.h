/* An engine that goes on where another stands, made of what a tape that follows another holds: the books as messages,
 * carry and warmth as bytes. For tries of a rotation without a tape. */
#ifndef CAPSTAN_RUN_GOING_ON_H
#define CAPSTAN_RUN_GOING_ON_H

#include "run/run_engine.h"
#include "run/told_book.h"

/* Zero it before opening. */
struct going_on {
    const struct run_engine *lived;
    struct engine_config config; /* of the other, but that it is audited now and then only */
    void *memory;
    struct engine *engine; /* NULL: none was made yet */
    uint8_t *bytes;
    size_t capacity, carry_length, length;
    struct told_book book;
    const char *field; /* the first that was not read */
};

/* The engine that lives belongs to the caller and outlives this. Close it even after a failure. */
int going_on_open(struct going_on *going, const struct run_engine *lived, struct error *error);
void going_on_close(struct going_on *going);
/* Make the engine anew of what the other is now: it took a start, and its last message ended a frame. ERROR_DIFFERENT where
 * its state is not read, or would be another. */
int going_on_make(struct going_on *going, struct error *error);
/* Every field of both, from time to time afterwards: ERROR_DIFFERENT names the first in which they differ. */
int going_on_compare(struct going_on *going, struct error *error);
/* An engine that is fresh, given only the carry of that moment: as where a tape is folded. */
int going_on_load_carry(struct going_on *going, struct engine *engine, struct error *error);

#endif
