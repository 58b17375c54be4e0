/* Messages to payloads to blocks, each chained to the one before. */
#define ZSTD_STATIC_LINKING_ONLY /* a context in memory of our own: nothing is allocated later */

#include "tape/blocks.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/assert.h"
#include "tape/header.h"

int tape_blocks_options(const struct tape_writer_options *options, unsigned *block_events,
                        int *level, struct error *error)
{
    unsigned events = options == NULL || options->block_events == 0 ? TAPE_BLOCK_EVENTS_DEFAULT
                                                                    : options->block_events;
    int zstd = options == NULL || options->level == 0 ? TAPE_LEVEL_DEFAULT : options->level;
    if (events < TAPE_BLOCK_EVENTS_MIN || events > TAPE_BLOCK_EVENTS_MAX)
        return error_set(error, ERROR_INPUT, "blocks of %u events, expected %d to %d", events,
                         TAPE_BLOCK_EVENTS_MIN, TAPE_BLOCK_EVENTS_MAX);
    if (zstd < 1 || zstd > ZSTD_maxCLevel())
        return error_set(error, ERROR_INPUT, "zstd level %d, expected 1 to %d", zstd,
                         ZSTD_maxCLevel());
    *block_events = events;
    *level = zstd;
    return 0;
}

static int open_compressor(struct tape_blocks *blocks, int level, struct error *error)
{
    size_t size = ZSTD_estimateCCtxSize(level);
    blocks->compressor_memory = malloc(size);
    if (blocks->compressor_memory == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for zstd at level %d", level);
    blocks->compressor = ZSTD_initStaticCCtx(blocks->compressor_memory, size);
    ASSERT(blocks->compressor != NULL);
    ZSTD_CCtx_setParameter(blocks->compressor, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(blocks->compressor, ZSTD_c_checksumFlag, 1);
    /* A context in memory of one's own begins with 0 here, unlike others. */
    ZSTD_CCtx_setParameter(blocks->compressor, ZSTD_c_contentSizeFlag, 1);
    return 0;
}

int tape_blocks_open(struct tape_blocks *blocks, const char *path, const struct tape_header *header,
                     unsigned block_events, int level, struct error *error)
{
    size_t events = block_events;
    size_t raw =
        tape_payload_bytes_max(events, events + EVENT_ROWS_MAX, events, TAPE_STATE_HASHES_MAX);
    raw = raw > TAPE_HEADER_RAW_MAX ? raw : TAPE_HEADER_RAW_MAX;
    ASSERT(block_events > 0 && block_events <= TAPE_BLOCK_EVENTS_MAX);
    memset(blocks, 0, sizeof *blocks);
    blocks->block_events = block_events;
    blocks->last_ts = INT64_MIN;
    blocks->names.instrument_count = header->names.instrument_count;
    blocks->names.venue_count = header->names.venue_count;
    blocks->names.asset_count = header->names.asset_count;
    blocks->stored_capacity = TAPE_BLOCK_HEADER_BYTES + ZSTD_compressBound(raw);
    blocks->payload = malloc(raw);
    blocks->stored = malloc(blocks->stored_capacity);
    blocks->encoder = payload_encoder_make(block_events, header->feed_floor_ns, &blocks->names);
    if (blocks->payload == NULL || blocks->stored == NULL || blocks->encoder == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", path);
    tape_snapshots_init(&blocks->snapshots, blocks->names.instrument_count);
    int failed = open_compressor(blocks, level, error);
    return failed == 0 ? 0 : error_prefix(error, "%s", path);
}

void tape_blocks_close(struct tape_blocks *blocks)
{
    payload_encoder_free(blocks->encoder);
    free(blocks->compressor_memory);
    free(blocks->payload);
    free(blocks->stored);
    memset(blocks, 0, sizeof *blocks);
}

static int make(struct tape_blocks *blocks, const uint8_t *payload, size_t length,
                struct tape_entry *entry, struct error *error)
{
    entry->info.number = blocks->number;
    entry->previous_hash = blocks->previous_hash;
    int failed = tape_block_pack(blocks->compressor, payload, length, entry, blocks->stored,
                                 blocks->stored_capacity, error);
    if (failed != 0)
        return failed;
    blocks->stored_length = (size_t)tape_entry_bytes(entry);
    blocks->previous_hash = entry->header_hash;
    blocks->number++;
    return 0;
}

int tape_blocks_make_header(struct tape_blocks *blocks, const struct tape_header *header,
                            struct error *error)
{
    uint8_t *bytes;
    size_t length;
    struct tape_entry entry = {.type = TAPE_BLOCK_HEADER};
    ASSERT(blocks->number == 0);
    int failed = tape_header_encode(header, &bytes, &length, error);
    if (failed != 0)
        return failed;
    failed = make(blocks, bytes, length, &entry, error);
    free(bytes);
    return failed;
}

void tape_blocks_continue(struct tape_blocks *blocks, const struct tape_entry *last,
                          const struct tape_snapshots *snapshots)
{
    ASSERT(tape_blocks_is_empty(blocks));
    blocks->number = last->info.number + 1;
    blocks->previous_hash = last->header_hash;
    blocks->last_ts = last->type == TAPE_BLOCK_MESSAGES ? last->info.last_ts : INT64_MIN;
    blocks->snapshots = *snapshots;
    tape_snapshots_begin_block(&blocks->snapshots);
}

bool tape_blocks_is_full(const struct tape_blocks *blocks)
{
    return payload_encoder_events(blocks->encoder) >= blocks->block_events;
}

bool tape_blocks_is_empty(const struct tape_blocks *blocks)
{
    return payload_encoder_events(blocks->encoder) == 0;
}

int tape_blocks_add(struct tape_blocks *blocks, const struct message *message, struct error *error)
{
    if (message->ts_local < blocks->last_ts)
        return error_set(error, ERROR_INPUT, "a message at %lld comes after one at %lld",
                         (long long)message->ts_local, (long long)blocks->last_ts);
    bool is_first = tape_blocks_is_empty(blocks);
    int failed = payload_encoder_add(blocks->encoder, message, error);
    if (failed != 0)
        return failed;
    if (is_first)
        blocks->block_first_ts = message->ts_local;
    blocks->last_ts = message->ts_local;
    if (message->kind == EVENT_snapshot)
        tape_snapshots_note(&blocks->snapshots, blocks->number, message);
    return 0;
}

void tape_blocks_add_hash(struct tape_blocks *blocks, uint16_t room, uint64_t hash)
{
    payload_encoder_add_hash(blocks->encoder, room, hash);
}

int tape_blocks_seal(struct tape_blocks *blocks, struct error *error)
{
    struct payload_counts counts = payload_encoder_counts(blocks->encoder);
    struct tape_entry entry = {
        .info = {.first_ts = blocks->block_first_ts,
                 .last_ts = blocks->last_ts,
                 .message_count = counts.messages,
                 .row_count = counts.rows,
                 .record_count = counts.records,
                 .has_snapshot = blocks->snapshots.in_block},
        .type = TAPE_BLOCK_MESSAGES,
        .state_hash_count = counts.state_hashes,
        .whole_from = blocks->snapshots.whole_from,
        .whole_ts = blocks->snapshots.whole_ts,
    };
    ASSERT(counts.messages > 0);
    if (blocks->number > TAPE_BLOCKS_MAX)
        return error_set(error, ERROR_INPUT, "more than %d blocks", TAPE_BLOCKS_MAX);
    tape_snapshots_begin_block(&blocks->snapshots);
    size_t length = payload_encoder_finish(blocks->encoder, blocks->payload);
    return make(blocks, blocks->payload, length, &entry, error);
}

const uint8_t *tape_blocks_made(const struct tape_blocks *blocks, size_t *length)
{
    ASSERT(blocks->stored_length > 0);
    *length = blocks->stored_length;
    return blocks->stored;
}
