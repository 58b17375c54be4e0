/* The tape writer: messages to blocks to a file that gets its name when it is complete. */
#define ZSTD_STATIC_LINKING_ONLY /* a context in memory of our own: nothing is allocated later */

#include <stdlib.h>
#include <zstd.h>

#include "base/assert.h"
#include "tape/file.h"
#include "tape/header.h"
#include "tape/payload.h"
#include "tape/snapshots.h"

struct tape_writer {
    struct tape_output output;
    struct payload_encoder *encoder;
    ZSTD_CCtx *compressor;
    void *compressor_memory;
    uint8_t *payload, *stored; /* stored: header and frame, written at once */
    size_t stored_capacity;
    struct event_names names;
    struct tape_snapshots snapshots;
    unsigned block_events;
    uint64_t number, previous_hash;
    int64_t block_first_ts, last_ts;
    bool failed; /* a write failed: nothing more can follow */
};

/* Compress a payload into its block and write it. */
static int write_block(struct tape_writer *writer, const uint8_t *payload, size_t length,
                       struct tape_entry *entry, struct error *error)
{
    entry->info.number = writer->number;
    entry->previous_hash = writer->previous_hash;
    int failed = tape_block_pack(writer->compressor, payload, length, entry, writer->stored,
                                 writer->stored_capacity, error);
    if (failed != 0)
        return error_prefix(error, "%s", writer->output.path);
    failed =
        tape_output_write(&writer->output, writer->stored, (size_t)tape_entry_bytes(entry), error);
    if (failed != 0)
        return failed;
    writer->previous_hash = entry->header_hash;
    writer->number++;
    return 0;
}

/* Write the open block and begin the next. */
static int seal(struct tape_writer *writer, struct error *error)
{
    struct payload_counts counts = payload_encoder_counts(writer->encoder);
    struct tape_entry entry = {
        .info = {.first_ts = writer->block_first_ts,
                 .last_ts = writer->last_ts,
                 .message_count = counts.messages,
                 .row_count = counts.rows,
                 .record_count = counts.records,
                 .has_snapshot = writer->snapshots.in_block},
        .type = TAPE_BLOCK_MESSAGES,
        .state_hash_count = counts.state_hashes,
        .whole_from = writer->snapshots.whole_from,
        .whole_ts = writer->snapshots.whole_ts,
    };
    if (writer->number > TAPE_BLOCKS_MAX)
        return error_set(error, ERROR_INPUT, "%s: more than %d blocks", writer->output.path,
                         TAPE_BLOCKS_MAX);
    tape_snapshots_begin_block(&writer->snapshots);
    size_t length = payload_encoder_finish(writer->encoder, writer->payload);
    return write_block(writer, writer->payload, length, &entry, error);
}

/* Take memory for the largest block. */
static int prepare(struct tape_writer *writer, const struct tape_header *header, int level,
                   struct error *error)
{
    size_t events = writer->block_events;
    size_t raw =
        tape_payload_bytes_max(events, events + EVENT_ROWS_MAX, events, TAPE_STATE_HASHES_MAX);
    raw = raw > TAPE_HEADER_RAW_MAX ? raw : TAPE_HEADER_RAW_MAX;
    writer->stored_capacity = TAPE_BLOCK_HEADER_BYTES + ZSTD_compressBound(raw);
    writer->payload = malloc(raw);
    writer->stored = malloc(writer->stored_capacity);
    writer->encoder =
        payload_encoder_make(writer->block_events, header->feed_floor_ns, &writer->names);
    size_t size = ZSTD_estimateCCtxSize(level);
    writer->compressor_memory = malloc(size);
    if (writer->payload == NULL || writer->stored == NULL || writer->encoder == NULL ||
        writer->compressor_memory == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", writer->output.path);
    writer->compressor = ZSTD_initStaticCCtx(writer->compressor_memory, size);
    ASSERT(writer->compressor != NULL);
    ZSTD_CCtx_setParameter(writer->compressor, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(writer->compressor, ZSTD_c_checksumFlag, 1);
    /* A context in memory of one's own begins with 0 here, unlike others. */
    ZSTD_CCtx_setParameter(writer->compressor, ZSTD_c_contentSizeFlag, 1);
    return 0;
}

static int write_header(struct tape_writer *writer, const struct tape_header *header,
                        struct error *error)
{
    uint8_t *bytes;
    size_t length;
    int failed = tape_header_encode(header, &bytes, &length, error);
    if (failed != 0)
        return error_prefix(error, "%s", writer->output.path);
    struct tape_entry entry = {.type = TAPE_BLOCK_HEADER};
    failed = write_block(writer, bytes, length, &entry, error);
    free(bytes);
    return failed;
}

int tape_writer_open(struct tape_writer **writer, const char *path,
                     const struct tape_header *header, const struct tape_writer_options *options,
                     struct error *error)
{
    unsigned events = options == NULL || options->block_events == 0 ? TAPE_BLOCK_EVENTS_DEFAULT
                                                                    : options->block_events;
    int level = options == NULL || options->level == 0 ? TAPE_LEVEL_DEFAULT : options->level;
    if (events < TAPE_BLOCK_EVENTS_MIN || events > TAPE_BLOCK_EVENTS_MAX)
        return error_set(error, ERROR_INPUT, "blocks of %u events, expected %d to %d", events,
                         TAPE_BLOCK_EVENTS_MIN, TAPE_BLOCK_EVENTS_MAX);
    if (level < 1 || level > ZSTD_maxCLevel())
        return error_set(error, ERROR_INPUT, "zstd level %d, expected 1 to %d", level,
                         ZSTD_maxCLevel());
    struct tape_writer *new = calloc(1, sizeof *new);
    if (new == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", path);
    new->block_events = events;
    new->last_ts = INT64_MIN;
    new->names.instrument_count = header->names.instrument_count;
    new->names.venue_count = header->names.venue_count;
    new->names.asset_count = header->names.asset_count;
    int failed = tape_output_open(&new->output, path, error);
    if (failed == 0)
        failed = prepare(new, header, level, error);
    if (failed == 0)
        failed = write_header(new, header, error);
    if (failed == 0)
        tape_snapshots_init(&new->snapshots, new->names.instrument_count);
    if (failed != 0)
        tape_writer_abandon(&new);
    else
        *writer = new;
    return failed;
}

bool tape_writer_block_is_full(const struct tape_writer *writer)
{
    return payload_encoder_events(writer->encoder) >= writer->block_events;
}

static int fail_again(const struct tape_writer *writer, struct error *error)
{
    return error_set(error, ERROR_SYSTEM, "%s: nothing can follow a write that failed",
                     writer->output.path);
}

int tape_writer_append(struct tape_writer *writer, const struct message *message,
                       struct error *error)
{
    if (writer->failed)
        return fail_again(writer, error);
    if (message->ts_local < writer->last_ts)
        return error_set(error, ERROR_INPUT, "%s: a message at %lld comes after one at %lld",
                         writer->output.path, (long long)message->ts_local,
                         (long long)writer->last_ts);
    int failed = 0;
    if (tape_writer_block_is_full(writer)) {
        failed = seal(writer, error);
        writer->failed = failed != 0;
    }
    bool is_first = payload_encoder_events(writer->encoder) == 0;
    if (failed == 0) {
        failed = payload_encoder_add(writer->encoder, message, error);
        if (failed != 0)
            error_prefix(error, "%s", writer->output.path);
    }
    if (failed != 0)
        return failed;
    if (is_first)
        writer->block_first_ts = message->ts_local;
    writer->last_ts = message->ts_local;
    if (message->kind == EVENT_snapshot)
        tape_snapshots_note(&writer->snapshots, writer->number, message);
    return 0;
}

void tape_writer_state_hash(struct tape_writer *writer, uint16_t room, uint64_t hash)
{
    payload_encoder_add_hash(writer->encoder, room, hash);
}

int tape_writer_finish(struct tape_writer **writer, struct error *error)
{
    struct tape_writer *done = *writer;
    int failed = done->failed ? fail_again(done, error) : 0;
    if (failed == 0 && payload_encoder_events(done->encoder) > 0)
        failed = seal(done, error);
    if (failed == 0)
        failed = tape_output_write_index(&done->output, error);
    if (failed == 0)
        failed = tape_output_commit(&done->output, error);
    tape_writer_abandon(writer);
    return failed;
}

void tape_writer_abandon(struct tape_writer **writer)
{
    struct tape_writer *dropped = *writer;
    *writer = NULL;
    if (dropped == NULL)
        return;
    tape_output_abandon(&dropped->output);
    payload_encoder_free(dropped->encoder);
    free(dropped->compressor_memory);
    free(dropped->payload);
    free(dropped->stored);
    free(dropped);
}
