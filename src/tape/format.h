/* The bytes of a tape around its payloads: frames, block headers, index and end mark, and the limits
 * on all of them (docs/tape-format.md). Shared by the writer and the readers of this room only. */
#ifndef CAPSTAN_TAPE_FORMAT_H
#define CAPSTAN_TAPE_FORMAT_H

#include "tape/tape.h"

enum {
    TAPE_FRAME_HEAD_BYTES = 8,
    TAPE_BLOCK_HEADER_BYTES = 112,
    TAPE_INDEX_ENTRY_BYTES = 72,
    TAPE_END_BYTES = 80,

    TAPE_STATE_HASH_BYTES = 10,
    TAPE_STATE_HASHES_MAX = 4096, /* in one block: four rooms for each of 1,024 instruments */
    TAPE_BLOCK_ROWS_MAX = TAPE_BLOCK_EVENTS_MAX + EVENT_ROWS_MAX,
    TAPE_RECORD_BYTES_MAX = 3 + EVENT_RECORD_BYTES_MAX - EVENT_HEAD_BYTES,
    TAPE_HEADER_RAW_MAX = TAPE_CONFIG_MAX + (1 << 20), /* configuration and the names */
    TAPE_BLOCKS_MAX = 1 << 24
};

/* Magic numbers of the three skippable frames (zstd ignores 0x184D2A50 to 0x184D2A5F). */
#define TAPE_FRAME_BLOCK UINT32_C(0x184D2A5B)
#define TAPE_FRAME_INDEX UINT32_C(0x184D2A5C)
#define TAPE_FRAME_END   UINT32_C(0x184D2A5D)
/* "CAPSTAPE" and "CAPSTEND" as they stand in the file. */
#define TAPE_BLOCK_MAGIC UINT64_C(0x4550415453504143)
#define TAPE_END_MAGIC   UINT64_C(0x444e455453504143)

enum tape_block_type { TAPE_BLOCK_HEADER, TAPE_BLOCK_MESSAGES };
enum { TAPE_BLOCK_HAS_SNAPSHOT = 1 };
/* Places in a block header that errors name. */
enum {
    TAPE_BLOCK_FLAGS_OFFSET = 19,
    TAPE_BLOCK_WHOLE_FROM_OFFSET = 72,
    TAPE_BLOCK_WHOLE_TS_OFFSET = 80
};

/* A block as its header tells it. `info` comes first: the public view of an entry. */
struct tape_entry {
    struct tape_block_info info;
    uint8_t type; /* enum tape_block_type */
    uint32_t state_hash_count;
    uint64_t whole_from;    /* number of the last block from which all books are whole … */
    int64_t whole_ts;       /* … once this time has come in this block; INT64_MIN: at its start */
    uint64_t previous_hash; /* header hash of the block before; 0 for the first */
    uint64_t stored_hash;   /* XXH3-64 of the zstd frame as stored */
    uint64_t header_hash;   /* XXH3-64 of the header's bytes before this field */
};

/* Sums over the blocks of messages. */
struct tape_totals {
    uint64_t blocks, messages, rows, records;
};

/* Write a block header; sets entry->header_hash. */
void tape_entry_encode(struct tape_entry *entry, uint8_t out[TAPE_BLOCK_HEADER_BYTES]);
struct ZSTD_CCtx_s;
/* Compress a payload and put its block's header before it. `out` has `room` bytes for both. Sets the
 * entry's lengths and hashes; number, times, counts and the hash of the block before are the
 * caller's. */
int tape_block_pack(struct ZSTD_CCtx_s *compressor, const uint8_t *payload, size_t length,
                    struct tape_entry *entry, uint8_t *out, size_t room, struct error *error);
/* Read and check a block header that stands at `offset`. False and a `reason` ("…, expected …") where
 * it isn't one. Claims are within limits afterwards. */
bool tape_entry_decode(const uint8_t bytes[TAPE_BLOCK_HEADER_BYTES], uint64_t offset,
                       struct tape_entry *entry, const char **reason);
/* Bytes of header and frame. */
static inline uint64_t tape_entry_bytes(const struct tape_entry *entry)
{
    return TAPE_BLOCK_HEADER_BYTES + (uint64_t)entry->info.compressed_bytes;
}
/* Most payload bytes that a block of these counts can have. */
size_t tape_payload_bytes_max(size_t messages, size_t rows, size_t records, size_t state_hashes);

/* One index entry, to bytes and back. The index tells all of an entry but the hashes of the block
 * before and of the frame. False where its claims are beyond the limits. */
void tape_index_encode(const struct tape_entry *entry, uint8_t out[TAPE_INDEX_ENTRY_BYTES]);
bool tape_index_decode(const uint8_t bytes[TAPE_INDEX_ENTRY_BYTES], uint64_t number,
                       struct tape_entry *entry);
/* Head of the index's frame. */
void tape_index_head(uint64_t blocks, uint8_t out[TAPE_FRAME_HEAD_BYTES]);

/* The end mark. */
struct tape_end {
    uint64_t index_offset;
    struct tape_totals totals;
    uint64_t last_hash;  /* header hash of the last block */
    uint64_t index_hash; /* XXH3-64 of the index's frame, head included */
};
void tape_end_encode(const struct tape_end *end, uint8_t out[TAPE_END_BYTES]);
bool tape_end_decode(const uint8_t bytes[TAPE_END_BYTES], struct tape_end *end);

/* Whether `bytes` begin with the head of one of our frames, for the search after damage. */
bool tape_entry_is_at(const uint8_t bytes[TAPE_BLOCK_HEADER_BYTES]);

/* Add one block to the sums. */
void tape_totals_add(struct tape_totals *totals, const struct tape_entry *entry);

#endif
