/* A tape under its own name, locked, with its journals beside it, at the end of which blocks are put: what recovery
 * and the appender's thread share. */
#ifndef CAPSTAN_TAPE_GROWING_H
#define CAPSTAN_TAPE_GROWING_H

#include "tape/appender.h"
#include "tape/blocks.h"
#include "tape/check.h"
#include "tape/file.h"
#include "tape/journal.h"

enum {
    GROWING_MESSAGES_MAX = TAPE_BLOCK_EVENTS_MAX - 8, /* in a journal; recovery may add its gaps */
    GROWING_ROWS_MAX = TAPE_BLOCK_ROWS_MAX
};

struct tape_growing {
    struct tape_output output;
    struct tape_header header; /* that stands on the tape */
    void *header_memory;
    struct tape_passage passage; /* identity and snapshots of all blocks */
    uint64_t messages;           /* in them */
    struct tape_blocks blocks;
    struct tape_journal journals[TAPE_JOURNALS];
    char *journal_paths[TAPE_JOURNALS];
    uint64_t tape;    /* hash of block 0's header */
    struct row *rows; /* of a message that is read from a journal */
    union event_record record;
};

/* Lock the tape, or make it with `header`, read all of it, take the journals in, cut off what stands behind, index and
 * end mark too. `header` NULL: it must be there, and a finished one stays so where there is nothing to take in. Zero
 * `growing` before; close it also after a failure. */
int tape_growing_open(struct tape_growing *growing, const char *path,
                      const struct tape_header *header, const struct tape_writer_options *options,
                      struct tape_recovery *recovery, struct error *error);
/* Close; `remove`: the journals, which are empty, too. */
void tape_growing_close(struct tape_growing *growing, bool remove_journals);

/* Add what stands in a journal to the open block. `walk` tells how far it was whole. */
int tape_growing_take(struct tape_growing *growing, const struct tape_journal *journal,
                      struct tape_journal_walk *walk, uint64_t *messages, struct error *error);
/* Write the block that was made last, in one go. After ERROR_SYSTEM it may be tried again. */
int tape_growing_write(struct tape_growing *growing, struct error *error);

#endif
