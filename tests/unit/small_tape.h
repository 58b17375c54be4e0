/* Makes small tapes of pseudo-random but fixed content for unit tests. */
#ifndef CAPSTAN_TESTS_UNIT_SMALL_TAPE_H
#define CAPSTAN_TESTS_UNIT_SMALL_TAPE_H

#include "base/error.h"
#include "event/event.h"
#include "tape/tape.h"

enum { SMALL_TAPE_INSTRUMENTS = 2 };
#define SMALL_TAPE_START INT64_C(1723161254000000000) /* ts_local of the first message, ns */

struct small_tape_options {
    const char *path;
    unsigned messages;
    unsigned block_events;
    const char *config;     /* text for the header; NULL for none */
    unsigned session_every; /* each so many messages a tick and a decision; 0 for never */
    unsigned
        snapshot_every; /* each so many messages both books anew, and a status at the start; 0 for never */
};

/* The names and definitions that every small tape has. */
const struct event_names *small_tape_names(void);
/* Write the tape: a snapshot of each book, then depth, trades and tops around a wandering price. */
int small_tape_write(const struct small_tape_options *options, struct error *error);

#endif
