/* Block headers, index entries and the end mark to bytes and back. */
#include "tape/format.h"

#include <zstd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "tape/payload.h"
#include "tape/stream_vbyte.h"

/* Places in a block header. */
enum {
    AT_MAGIC = 8,
    AT_VERSION = 16,
    AT_TYPE = 18,
    AT_FLAGS = TAPE_BLOCK_FLAGS_OFFSET,
    AT_STATE_HASHES = 20,
    AT_NUMBER = 24,
    AT_FIRST_TS = 32,
    AT_LAST_TS = 40,
    AT_MESSAGES = 48,
    AT_ROWS = 52,
    AT_RECORDS = 56,
    AT_RAW = 60,
    AT_COMPRESSED = 64,
    AT_RESERVED = 68,
    AT_WHOLE_FROM = TAPE_BLOCK_WHOLE_FROM_OFFSET,
    AT_WHOLE_TS = TAPE_BLOCK_WHOLE_TS_OFFSET,
    AT_PREVIOUS = 88,
    AT_STORED = 96,
    AT_HASH = 104
};

static uint64_t hash_of(const uint8_t *bytes, size_t length)
{
    return hash_64(bytes, length);
}

void tape_entry_encode(struct tape_entry *entry, uint8_t out[TAPE_BLOCK_HEADER_BYTES])
{
    const struct tape_block_info *info = &entry->info;
    bytes_put_u32(out, TAPE_FRAME_BLOCK);
    bytes_put_u32(out + 4, TAPE_BLOCK_HEADER_BYTES - TAPE_FRAME_HEAD_BYTES);
    bytes_put_u64(out + AT_MAGIC, TAPE_BLOCK_MAGIC);
    bytes_put_u16(out + AT_VERSION, TAPE_VERSION);
    out[AT_TYPE] = entry->type;
    out[AT_FLAGS] = info->has_snapshot ? TAPE_BLOCK_HAS_SNAPSHOT : 0;
    bytes_put_u32(out + AT_STATE_HASHES, entry->state_hash_count);
    bytes_put_u64(out + AT_NUMBER, info->number);
    bytes_put_u64(out + AT_FIRST_TS, (uint64_t)info->first_ts);
    bytes_put_u64(out + AT_LAST_TS, (uint64_t)info->last_ts);
    bytes_put_u32(out + AT_MESSAGES, info->message_count);
    bytes_put_u32(out + AT_ROWS, info->row_count);
    bytes_put_u32(out + AT_RECORDS, info->record_count);
    bytes_put_u32(out + AT_RAW, info->raw_bytes);
    bytes_put_u32(out + AT_COMPRESSED, info->compressed_bytes);
    bytes_put_u32(out + AT_RESERVED, 0);
    bytes_put_u64(out + AT_WHOLE_FROM, entry->whole_from);
    bytes_put_u64(out + AT_WHOLE_TS, (uint64_t)entry->whole_ts);
    bytes_put_u64(out + AT_PREVIOUS, entry->previous_hash);
    bytes_put_u64(out + AT_STORED, entry->stored_hash);
    entry->header_hash = hash_of(out, AT_HASH);
    bytes_put_u64(out + AT_HASH, entry->header_hash);
}

int tape_block_pack(struct ZSTD_CCtx_s *compressor, const uint8_t *payload, size_t length,
                    struct tape_entry *entry, uint8_t *out, size_t room, struct error *error)
{
    ASSERT(room > TAPE_BLOCK_HEADER_BYTES);
    uint8_t *frame = out + TAPE_BLOCK_HEADER_BYTES;
    size_t stored =
        ZSTD_compress2(compressor, frame, room - TAPE_BLOCK_HEADER_BYTES, payload, length);
    if (ZSTD_isError(stored))
        return error_set(error, ERROR_SYSTEM, "compressing block %llu: %s",
                         (unsigned long long)entry->info.number, ZSTD_getErrorName(stored));
    entry->info.raw_bytes = (uint32_t)length;
    entry->info.compressed_bytes = (uint32_t)stored;
    entry->stored_hash = hash_64(frame, stored);
    tape_entry_encode(entry, out);
    return 0;
}

bool tape_entry_is_at(const uint8_t bytes[TAPE_BLOCK_HEADER_BYTES])
{
    return bytes_get_u32(bytes) == TAPE_FRAME_BLOCK &&
           bytes_get_u32(bytes + 4) == TAPE_BLOCK_HEADER_BYTES - TAPE_FRAME_HEAD_BYTES &&
           bytes_get_u64(bytes + AT_MAGIC) == TAPE_BLOCK_MAGIC;
}

size_t tape_payload_bytes_max(size_t messages, size_t rows, size_t records, size_t state_hashes)
{
    return TAPE_PAYLOAD_PREFIX_BYTES + messages * TAPE_PAYLOAD_HEAD_BYTES +
           4 * stream_vbyte_bytes_max(messages) + 3 * stream_vbyte_bytes_max(rows) +
           rows * (2 + TAPE_PAYLOAD_STATUS_BYTES) + records * (size_t)TAPE_RECORD_BYTES_MAX +
           state_hashes * TAPE_STATE_HASH_BYTES;
}

/* What is wrong with the claims of a header whose hash is right; NULL: nothing. */
static const char *entry_fault(const struct tape_entry *entry)
{
    const struct tape_block_info *info = &entry->info;
    size_t raw_max = TAPE_HEADER_RAW_MAX;
    if (entry->type == TAPE_BLOCK_MESSAGES) {
        if (info->number == 0 || info->number > TAPE_BLOCKS_MAX)
            return "block number out of range";
        if (info->message_count == 0 || info->message_count > TAPE_BLOCK_EVENTS_MAX ||
            info->row_count > TAPE_BLOCK_ROWS_MAX || info->record_count > info->message_count ||
            entry->state_hash_count > TAPE_STATE_HASHES_MAX)
            return "counts beyond the limits of the format";
        if (info->first_ts > info->last_ts)
            return "last time before the first";
        if (entry->whole_from == 0 || entry->whole_from > info->number)
            return "the block from which books are whole comes after this one";
        raw_max = tape_payload_bytes_max(info->message_count, info->row_count, info->record_count,
                                         entry->state_hash_count);
    } else if (info->number != 0) {
        return "a header block that is not the first";
    } else if (info->has_snapshot) {
        return "a header block with the flag of snapshots";
    } else if ((info->message_count | info->row_count | info->record_count |
                entry->state_hash_count) != 0 ||
               (info->first_ts | info->last_ts | entry->whole_ts) != 0 || entry->whole_from != 0) {
        return "a header block with counts or times";
    }
    if (info->raw_bytes == 0 || info->raw_bytes > raw_max || info->compressed_bytes == 0 ||
        info->compressed_bytes > ZSTD_compressBound(raw_max))
        return "lengths beyond what the counts allow";
    return NULL;
}

bool tape_entry_decode(const uint8_t bytes[TAPE_BLOCK_HEADER_BYTES], uint64_t offset,
                       struct tape_entry *entry, const char **reason)
{
    *reason = "no block header here";
    if (!tape_entry_is_at(bytes))
        return false;
    *reason = "the block header's own XXH3-64 does not fit its bytes";
    if (hash_of(bytes, AT_HASH) != bytes_get_u64(bytes + AT_HASH))
        return false;
    *reason = "a format version that this build does not know, expected 1";
    if (bytes_get_u16(bytes + AT_VERSION) != TAPE_VERSION)
        return false;
    *entry = (struct tape_entry){
        .info = {.number = bytes_get_u64(bytes + AT_NUMBER),
                 .offset = offset,
                 .first_ts = (int64_t)bytes_get_u64(bytes + AT_FIRST_TS),
                 .last_ts = (int64_t)bytes_get_u64(bytes + AT_LAST_TS),
                 .message_count = bytes_get_u32(bytes + AT_MESSAGES),
                 .row_count = bytes_get_u32(bytes + AT_ROWS),
                 .record_count = bytes_get_u32(bytes + AT_RECORDS),
                 .compressed_bytes = bytes_get_u32(bytes + AT_COMPRESSED),
                 .raw_bytes = bytes_get_u32(bytes + AT_RAW),
                 .has_snapshot = (bytes[AT_FLAGS] & TAPE_BLOCK_HAS_SNAPSHOT) != 0},
        .type = bytes[AT_TYPE],
        .state_hash_count = bytes_get_u32(bytes + AT_STATE_HASHES),
        .whole_from = bytes_get_u64(bytes + AT_WHOLE_FROM),
        .whole_ts = (int64_t)bytes_get_u64(bytes + AT_WHOLE_TS),
        .previous_hash = bytes_get_u64(bytes + AT_PREVIOUS),
        .stored_hash = bytes_get_u64(bytes + AT_STORED),
        .header_hash = bytes_get_u64(bytes + AT_HASH),
    };
    if (entry->type > TAPE_BLOCK_MESSAGES || bytes[AT_FLAGS] > TAPE_BLOCK_HAS_SNAPSHOT ||
        bytes_get_u32(bytes + AT_RESERVED) != 0)
        *reason = "unknown block type or flag";
    else
        *reason = entry_fault(entry);
    return *reason == NULL;
}

void tape_index_encode(const struct tape_entry *entry, uint8_t out[TAPE_INDEX_ENTRY_BYTES])
{
    const struct tape_block_info *info = &entry->info;
    bytes_put_u64(out, info->offset);
    bytes_put_u64(out + 8, (uint64_t)info->first_ts);
    bytes_put_u64(out + 16, (uint64_t)info->last_ts);
    bytes_put_u32(out + 24, info->message_count);
    bytes_put_u32(out + 28, info->row_count);
    bytes_put_u32(out + 32, info->record_count);
    bytes_put_u32(out + 36, entry->state_hash_count);
    bytes_put_u32(out + 40, info->compressed_bytes);
    bytes_put_u32(out + 44, info->raw_bytes | (info->has_snapshot ? UINT32_C(1) << 31 : 0));
    bytes_put_u64(out + 48, entry->whole_from);
    bytes_put_u64(out + 56, (uint64_t)entry->whole_ts);
    bytes_put_u64(out + 64, entry->header_hash);
}

bool tape_index_decode(const uint8_t bytes[TAPE_INDEX_ENTRY_BYTES], uint64_t number,
                       struct tape_entry *entry)
{
    uint32_t raw = bytes_get_u32(bytes + 44);
    *entry = (struct tape_entry){
        .info = {.number = number,
                 .offset = bytes_get_u64(bytes),
                 .first_ts = (int64_t)bytes_get_u64(bytes + 8),
                 .last_ts = (int64_t)bytes_get_u64(bytes + 16),
                 .message_count = bytes_get_u32(bytes + 24),
                 .row_count = bytes_get_u32(bytes + 28),
                 .record_count = bytes_get_u32(bytes + 32),
                 .compressed_bytes = bytes_get_u32(bytes + 40),
                 .raw_bytes = raw & ~(UINT32_C(1) << 31),
                 .has_snapshot = raw >> 31 != 0},
        .type = TAPE_BLOCK_MESSAGES,
        .state_hash_count = bytes_get_u32(bytes + 36),
        .whole_from = bytes_get_u64(bytes + 48),
        .whole_ts = (int64_t)bytes_get_u64(bytes + 56),
        .header_hash = bytes_get_u64(bytes + 64),
    };
    return entry_fault(entry) == NULL;
}

void tape_index_head(uint64_t blocks, uint8_t out[TAPE_FRAME_HEAD_BYTES])
{
    ASSERT(blocks <= TAPE_BLOCKS_MAX);
    bytes_put_u32(out, TAPE_FRAME_INDEX);
    bytes_put_u32(out + 4, (uint32_t)blocks * TAPE_INDEX_ENTRY_BYTES);
}

void tape_end_encode(const struct tape_end *end, uint8_t out[TAPE_END_BYTES])
{
    bytes_put_u32(out, TAPE_FRAME_END);
    bytes_put_u32(out + 4, TAPE_END_BYTES - TAPE_FRAME_HEAD_BYTES);
    bytes_put_u64(out + 8, TAPE_END_MAGIC);
    bytes_put_u64(out + 16, end->index_offset);
    bytes_put_u64(out + 24, end->totals.blocks);
    bytes_put_u64(out + 32, end->totals.messages);
    bytes_put_u64(out + 40, end->totals.rows);
    bytes_put_u64(out + 48, end->totals.records);
    bytes_put_u64(out + 56, end->last_hash);
    bytes_put_u64(out + 64, end->index_hash);
    bytes_put_u64(out + 72, hash_of(out, 72));
}

bool tape_end_decode(const uint8_t bytes[TAPE_END_BYTES], struct tape_end *end)
{
    if (bytes_get_u32(bytes) != TAPE_FRAME_END ||
        bytes_get_u32(bytes + 4) != TAPE_END_BYTES - TAPE_FRAME_HEAD_BYTES ||
        bytes_get_u64(bytes + 8) != TAPE_END_MAGIC ||
        bytes_get_u64(bytes + 72) != hash_of(bytes, 72))
        return false;
    *end = (struct tape_end){
        .index_offset = bytes_get_u64(bytes + 16),
        .totals = {.blocks = bytes_get_u64(bytes + 24),
                   .messages = bytes_get_u64(bytes + 32),
                   .rows = bytes_get_u64(bytes + 40),
                   .records = bytes_get_u64(bytes + 48)},
        .last_hash = bytes_get_u64(bytes + 56),
        .index_hash = bytes_get_u64(bytes + 64),
    };
    return end->totals.blocks <= TAPE_BLOCKS_MAX;
}

void tape_totals_add(struct tape_totals *totals, const struct tape_entry *entry)
{
    totals->blocks++;
    totals->messages += entry->info.message_count;
    totals->rows += entry->info.row_count;
    totals->records += entry->info.record_count;
}
