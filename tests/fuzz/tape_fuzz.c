/* Fuzz target (libFuzzer, --enable-fuzz) of the tape. The first byte says what the others are:
 *   P  changes (place, 2 bytes; value) to the payload of a block; both decoders must agree on it
 *   H  a tape's header as bytes; what is accepted goes back to the same bytes
 *   S  a tape file whose hashes are made right first, so that damage gets past them
 * and anything else is a whole tape file. None of it crashes or takes more memory than the format's limits
 * allow. */
#include "base/assert.h"
#include "base/bytes.h"
#include "tape/header.h"
#include "tape/reader.h"
#include "tests/unit/tape_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { BLOCK_EVENTS = 1024, MESSAGES = 300, MEMORY_ROWS = 2 * BLOCK_EVENTS, AT_STORED_HASH = 96 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- payload ----------------------------------------------------------------------------------- */

/* A block as it was before the changes, and room for what two decoders make of it. */
struct bench {
    uint8_t *payload;
    size_t length;
    struct payload_counts counts;
    int64_t first_ts, last_ts;
    struct event_names names;
    struct payload_decoder *decoders[2];
    struct tape_block blocks[2];
    uint8_t *canonical[2];
};

enum { CANONICAL_BYTES = EVENT_RECORD_BYTES_MAX + MEMORY_ROWS * EVENT_ROW_BYTES };

static void *take(size_t bytes)
{
    void *memory = calloc(1, bytes);
    ASSERT(memory);
    return memory;
}

/* Encode messages of every kind until the block is nearly full. */
static void encode_block(struct bench *bench, const struct tape_header *header)
{
    struct payload_encoder *encoder =
        payload_encoder_make(BLOCK_EVENTS, header->feed_floor_ns, &bench->names);
    struct tape_random *random = take(sizeof *random);
    struct error error = {0};
    ASSERT(encoder);
    tape_random_init(random, 5, true);
    for (unsigned m = 0; m < MESSAGES; m++) {
        struct message message = tape_random_message(random);
        if (payload_encoder_events(encoder) + message.row_count + 1 > BLOCK_EVENTS)
            continue;
        if (payload_encoder_counts(encoder).messages == 0)
            bench->first_ts = message.ts_local;
        bench->last_ts = message.ts_local;
        ASSERT(payload_encoder_add(encoder, &message, &error) == 0);
    }
    bench->counts = payload_encoder_counts(encoder);
    bench->payload = take(tape_payload_bytes_max(bench->counts.messages, bench->counts.rows,
                                                 bench->counts.records, 0));
    bench->length = payload_encoder_finish(encoder, bench->payload);
    payload_encoder_free(encoder);
    free(random);
}

static void bench_make(struct bench *bench)
{
    struct tape_header header = tape_random_header();
    bench->names = header.names;
    encode_block(bench, &header);
    for (unsigned d = 0; d < 2; d++) {
        struct tape_block *block = &bench->blocks[d];
        bench->decoders[d] =
            payload_decoder_make(bench->counts, header.feed_floor_ns, &bench->names, d != 0);
        ASSERT(bench->decoders[d]);
        block->first_ts = bench->first_ts;
        block->last_ts = bench->last_ts;
        block->message_count = bench->counts.messages;
        block->row_count = bench->counts.rows;
        block->record_count = bench->counts.records;
        block->messages = take(bench->counts.messages * sizeof *block->messages);
        block->rows = take(MEMORY_ROWS * sizeof *block->rows);
        block->records = take((bench->counts.records + 1) * sizeof *block->records);
        bench->canonical[d] = take(CANONICAL_BYTES);
    }
}

static void give_payload(struct bench *bench, const uint8_t *changes, size_t size)
{
    struct error error = {0};
    int failed[2];
    uint8_t *payload = take(bench->length); /* exactly, so that a step beyond is seen */
    memcpy(payload, bench->payload, bench->length);
    for (; size >= 3; changes += 3, size -= 3)
        payload[bytes_get_u16(changes) % bench->length] = changes[2];
    for (unsigned d = 0; d < 2; d++)
        failed[d] =
            payload_decode(bench->decoders[d], payload, bench->length, &bench->blocks[d], &error);
    free(payload);
    ASSERT((failed[0] != 0) == (failed[1] != 0));
    for (uint32_t m = 0; failed[0] == 0 && m < bench->counts.messages; m++) {
        size_t length[2];
        for (unsigned d = 0; d < 2; d++)
            length[d] =
                message_encode(&bench->blocks[d].messages[m], bench->canonical[d], CANONICAL_BYTES);
        ASSERT(length[0] == length[1] && length[0] != 0);
        ASSERT(memcmp(bench->canonical[0], bench->canonical[1], length[0]) == 0);
    }
}

/* --- header ------------------------------------------------------------------------------------ */

static void give_header(const uint8_t *data, size_t size)
{
    struct tape_header header;
    struct error error = {0};
    void *memory = NULL;
    uint8_t *again = NULL;
    size_t length = 0;
    if (tape_header_decode(data, size, &header, &memory, &error)) {
        ASSERT(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
        return;
    }
    ASSERT(tape_header_encode(&header, &again, &length, &error) == 0);
    ASSERT(length == size && memcmp(again, data, size) == 0);
    free(again);
    free(memory);
}

/* --- file -------------------------------------------------------------------------------------- */

/* Make the hashes of the blocks right, as far as there are whole ones. */
static void reseal(uint8_t *bytes, size_t size)
{
    uint64_t previous = 0;
    while (size >= TAPE_BLOCK_HEADER_BYTES && bytes_get_u32(bytes) == TAPE_FRAME_BLOCK) {
        size_t frame = bytes_get_u32(bytes + 64);
        if (frame > size - TAPE_BLOCK_HEADER_BYTES)
            return;
        bytes_put_u64(bytes + 88, previous);
        bytes_put_u64(bytes + AT_STORED_HASH, XXH3_64bits(bytes + TAPE_BLOCK_HEADER_BYTES, frame));
        previous = XXH3_64bits(bytes, AT_STORED_HASH + 8);
        bytes_put_u64(bytes + AT_STORED_HASH + 8, previous);
        bytes += TAPE_BLOCK_HEADER_BYTES + frame;
        size -= TAPE_BLOCK_HEADER_BYTES + frame;
    }
}

/* Decode every block; the first damage ends it. */
static void read_all(struct tape_reader *reader)
{
    struct tape_block block;
    struct error error = {0};
    if (tape_block_init(&block, reader, &error))
        return;
    for (size_t i = 0; i < tape_reader_block_count(reader); i++) {
        if (tape_reader_read(reader, i, &block, &error))
            break;
    }
    tape_block_free(&block);
}

static void give_file(const uint8_t *data, size_t size)
{
    char path[256];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/capstan-fuzz-%p.tape", folder ? folder : ".", (void *)&path);
    FILE *file = fopen(path, "wb");
    ASSERT(file);
    ASSERT(fwrite(data, 1, size, file) == size);
    ASSERT(fclose(file) == 0);
    struct tape_reader *reader = NULL;
    struct tape_check check;
    struct error error = {0};
    if (tape_reader_open(&reader, path, &error) == ERROR_NONE) {
        read_all(reader);
        (void)tape_reader_snapshot_before(reader, INT64_MAX);
        tape_reader_close(&reader);
    } else {
        ASSERT(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
    }
    (void)tape_check(path, &check, &error);
    remove(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench bench;
    if (bench.payload == NULL)
        bench_make(&bench);
    if (size > 0 && data[0] == 'P') {
        give_payload(&bench, data + 1, size - 1);
    } else if (size > 0 && data[0] == 'H') {
        give_header(data + 1, size - 1);
    } else if (size > 0 && data[0] == 'S') {
        uint8_t *copy = take(size);
        memcpy(copy, data + 1, size - 1);
        reseal(copy, size - 1);
        give_file(copy, size - 1);
        free(copy);
    } else {
        give_file(data, size);
    }
    return 0;
}
