/* Makes the blocks of a tape: messages in, one after the other the bytes of each block out. What a tape that is
 * written at once and one that grows have in common. */
#ifndef CAPSTAN_TAPE_BLOCKS_H
#define CAPSTAN_TAPE_BLOCKS_H

#include "tape/format.h"
#include "tape/payload.h"
#include "tape/snapshots.h"

struct ZSTD_CCtx_s;

struct tape_blocks {
    struct payload_encoder *encoder;
    struct ZSTD_CCtx_s *compressor;
    void *compressor_memory;
    uint8_t *payload, *stored; /* stored: header and frame, to be written at once */
    size_t stored_capacity, stored_length;
    struct event_names names; /* counts only */
    struct tape_snapshots snapshots;
    unsigned block_events;
    uint64_t number, previous_hash; /* of the block to be made next */
    int64_t block_first_ts, last_ts;
};

/* The options of a writer with the defaults put in; ERROR_INPUT where one is out of range. */
int tape_blocks_options(const struct tape_writer_options *options, unsigned *block_events,
                        int *level, struct error *error);
/* Take all memory, for blocks of `block_events` (at most TAPE_BLOCK_EVENTS_MAX) and one message more. `path` is
 * for errors. Close it also after a failure. */
int tape_blocks_open(struct tape_blocks *blocks, const char *path, const struct tape_header *header,
                     unsigned block_events, int level, struct error *error);
void tape_blocks_close(struct tape_blocks *blocks);

/* Make block 0. On success tape_blocks_made() gives its bytes. */
int tape_blocks_make_header(struct tape_blocks *blocks, const struct tape_header *header,
                            struct error *error);
/* Go on behind blocks that stand on a tape: the last of them, and which snapshots they had. */
void tape_blocks_continue(struct tape_blocks *blocks, const struct tape_entry *last,
                          const struct tape_snapshots *snapshots);

/* Add a message to the open block, which is not full; ERROR_INPUT where it can't stand on a tape. */
int tape_blocks_add(struct tape_blocks *blocks, const struct message *message, struct error *error);
void tape_blocks_add_hash(struct tape_blocks *blocks, uint16_t room, uint64_t hash);
bool tape_blocks_is_full(const struct tape_blocks *blocks);
bool tape_blocks_is_empty(const struct tape_blocks *blocks);
/* Make the open block, which is not empty, and begin the next. */
int tape_blocks_seal(struct tape_blocks *blocks, struct error *error);

/* The block that was made last: its bytes, valid until the next is made, and how many. */
const uint8_t *tape_blocks_made(const struct tape_blocks *blocks, size_t *length);

#endif
