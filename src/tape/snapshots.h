/* Which books are whole since when: what a block header tells of snapshots, from the messages. The
 * writer counts to write it, check counts to compare. */
#ifndef CAPSTAN_TAPE_SNAPSHOTS_H
#define CAPSTAN_TAPE_SNAPSHOTS_H

#include "event/event.h"

/* Begins with all 0 but what tape_snapshots_init() sets. */
struct tape_snapshots {
    uint64_t
        last_block[EVENT_INSTRUMENTS_MAX]; /* of each instrument's last snapshot; 0: none yet */
    unsigned instrument_count;
    uint64_t whole_from; /* block from whose beginning on all books are whole */
    int64_t
        whole_ts;  /* ts_local when whole_from last rose in the open block; INT64_MIN: not in it */
    bool in_block; /* the open block has a snapshot */
};

void tape_snapshots_init(struct tape_snapshots *snapshots, unsigned instrument_count);
/* A new block is open: what is told of one block alone begins anew. */
void tape_snapshots_begin_block(struct tape_snapshots *snapshots);
/* Note a message of kind snapshot in the open block, whose number is `block`. */
void tape_snapshots_note(struct tape_snapshots *snapshots, uint64_t block,
                         const struct message *message);

#endif
