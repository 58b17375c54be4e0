/* Forged tapes: one thing is altered and all hashes are made right again. What the messages don't bear
 * out is refused, by name and byte, and never leads a reader astray. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/bytes.h"
#include "tape/header.h"
#include "tape/reader.h"
#include "tests/unit/tape_random.h"

enum { MESSAGES = 6000, BLOCK_EVENTS = 1024, PATH_BYTES = 96, SPARE_BYTES = 1 << 20 };

struct forgery {
    char path[PATH_BYTES];
    uint8_t *bytes;      /* the blocks, altered at will; room for SPARE_BYTES more */
    size_t blocks_bytes; /* without index and end mark */
    size_t at[1024];     /* where each block begins, block 0 first */
    size_t count;        /* of blocks, block 0 among them */
};

static void find_blocks(struct forgery *forgery, size_t length)
{
    size_t at = 0;
    forgery->count = 0;
    while (bytes_get_u32(forgery->bytes + at) == TAPE_FRAME_BLOCK) {
        forgery->at[forgery->count++] = at;
        at += TAPE_BLOCK_HEADER_BYTES + bytes_get_u32(forgery->bytes + at + 64);
        cr_assert(at < length && forgery->count < 1024);
    }
    forgery->blocks_bytes = at;
}

static struct forgery *forgery_make(const char *test)
{
    struct error error = {0};
    struct forgery *forgery = calloc(1, sizeof *forgery);
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : "";
    snprintf(forgery->path, PATH_BYTES, "%stape_forge-%s.%ld.tape", folder, test, (long)getpid());
    cr_assert_eq(tape_random_write(forgery->path, 41, false, MESSAGES, BLOCK_EVENTS, 1, &error), 0);
    FILE *file = fopen(forgery->path, "rb");
    cr_assert(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size_t length = (size_t)ftell(file);
    rewind(file);
    forgery->bytes = calloc(1, length + SPARE_BYTES);
    cr_assert_eq(fread(forgery->bytes, 1, length, file), length);
    fclose(file);
    find_blocks(forgery, length);
    cr_assert(forgery->count > 10);
    return forgery;
}

static void forgery_free(struct forgery *forgery)
{
    unlink(forgery->path);
    free(forgery->bytes);
    free(forgery);
}

/* The index entry that tells the same as a block header (docs/tape-format.md, section 6). */
static void index_entry(const uint8_t *header, size_t offset, uint8_t out[TAPE_INDEX_ENTRY_BYTES])
{
    bytes_put_u64(out, offset);
    memcpy(out + 8, header + 32, 28);
    memcpy(out + 36, header + 20, 4);
    memcpy(out + 40, header + 64, 4);
    bytes_put_u32(out + 44, bytes_get_u32(header + 60) | (uint32_t)(header[19] & 1) << 31);
    memcpy(out + 48, header + 72, 16);
    memcpy(out + 64, header + 104, 8);
}

/* Make all hashes right and write the blocks with their index and end mark. */
static void reseal(struct forgery *forgery)
{
    struct tape_end end = {.index_offset = forgery->blocks_bytes};
    uint8_t *index = forgery->bytes + forgery->blocks_bytes;
    size_t index_bytes = TAPE_FRAME_HEAD_BYTES + (forgery->count - 1) * TAPE_INDEX_ENTRY_BYTES;
    tape_index_head(forgery->count - 1, index);
    for (size_t b = 0; b < forgery->count; b++) {
        uint8_t *header = forgery->bytes + forgery->at[b];
        uint32_t frame = bytes_get_u32(header + 64);
        bytes_put_u64(header + 88, end.last_hash);
        bytes_put_u64(header + 96, XXH3_64bits(header + TAPE_BLOCK_HEADER_BYTES, frame));
        end.last_hash = XXH3_64bits(header, 104);
        bytes_put_u64(header + 104, end.last_hash);
        if (b == 0)
            continue;
        index_entry(header, forgery->at[b],
                    index + TAPE_FRAME_HEAD_BYTES + (b - 1) * TAPE_INDEX_ENTRY_BYTES);
        end.totals.blocks++;
        end.totals.messages += bytes_get_u32(header + 48);
        end.totals.rows += bytes_get_u32(header + 52);
        end.totals.records += bytes_get_u32(header + 56);
    }
    end.index_hash = XXH3_64bits(index, index_bytes);
    tape_end_encode(&end, index + index_bytes);
    FILE *file = fopen(forgery->path, "wb");
    size_t length = forgery->blocks_bytes + index_bytes + TAPE_END_BYTES;
    cr_assert(file != NULL);
    cr_assert_eq(fwrite(forgery->bytes, 1, length, file), length);
    cr_assert_eq(fclose(file), 0);
}

static void assert_sound(const struct forgery *forgery)
{
    struct tape_check check;
    struct error error = {0};
    cr_assert_eq(tape_check(forgery->path, &check, &error), 0, "%s", error.text);
    cr_assert(check.finished && check.blocks + 1 == forgery->count);
}

/* The check refuses it, naming the block and the byte. */
static void assert_refused(const struct forgery *forgery, size_t block, size_t byte,
                           const char *words)
{
    struct tape_check check;
    struct error error = {0};
    char text[64];
    cr_assert_eq(tape_check(forgery->path, &check, &error), ERROR_INPUT);
    snprintf(text, sizeof text, "block %zu", block);
    cr_assert(strstr(error.text, text) != NULL, "%s: expected %s", error.text, text);
    snprintf(text, sizeof text, "byte %zu", byte);
    cr_assert(strstr(error.text, text) != NULL, "%s: expected %s", error.text, text);
    cr_assert(strstr(error.text, words) != NULL, "%s: expected %s", error.text, words);
}

/* Whether reading a block through the index succeeds. */
static bool can_read(const struct forgery *forgery, size_t number)
{
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    struct error error = {0};
    if (tape_reader_open(&reader, forgery->path, &error) != 0)
        return false;
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    int failed = tape_reader_read(reader, number - 1, &block, &error);
    tape_block_free(&block);
    tape_reader_close(&reader);
    return failed == 0;
}

Test(tape_forge, resealed_without_a_change_is_sound)
{
    struct forgery *forgery = forgery_make("none");
    reseal(forgery);
    assert_sound(forgery);
    forgery_free(forgery);
}

Test(tape_forge, snapshot_flag_is_compared_with_the_messages)
{
    struct forgery *forgery = forgery_make("flag");
    unsigned with = 0, without = 0;
    for (size_t b = 1; b < forgery->count; b++) {
        uint8_t *flags = forgery->bytes + forgery->at[b] + 19;
        with += *flags == 1;
        without += *flags == 0;
        *flags ^= 1;
        reseal(forgery);
        assert_refused(forgery, b, forgery->at[b] + 19, "snapshots are");
        cr_assert(!can_read(forgery, b));
        cr_assert(can_read(forgery, b == 1 ? 2 : b - 1));
        *flags ^= 1;
    }
    cr_assert(with > 0 && without > 0);
    forgery->bytes[19] = 1;
    reseal(forgery);
    assert_refused(forgery, 0, 0, "flag");
    cr_assert(!can_read(forgery, 1));
    forgery_free(forgery);
}

/* However the fields of snapshots lie: an answer is a block of the tape, at or before the time. */
static void assert_answers(const struct forgery *forgery)
{
    struct tape_reader *reader = NULL;
    struct error error = {0};
    if (tape_reader_open(&reader, forgery->path, &error) != 0) {
        cr_assert_eq(error.code, ERROR_INPUT);
        return;
    }
    size_t count = tape_reader_block_count(reader);
    for (size_t b = 0; b < count; b++) {
        const struct tape_block_info *info = tape_reader_block_info(reader, b);
        const int64_t times[] = {INT64_MIN,     info->first_ts - 1, info->first_ts,
                                 info->last_ts, info->last_ts + 1,  INT64_MAX};
        for (size_t t = 0; t < sizeof times / sizeof times[0]; t++) {
            size_t at = tape_reader_seek(reader, times[t]);
            size_t before = tape_reader_snapshot_before(reader, times[t]);
            cr_assert(at <= count && before < count && before <= at);
        }
    }
    tape_reader_close(&reader);
}

static void forge_field(struct forgery *forgery, size_t block, size_t field, uint64_t value)
{
    uint8_t *at = forgery->bytes + forgery->at[block] + field;
    uint64_t right = bytes_get_u64(at);
    if (right == value)
        return;
    bytes_put_u64(at, value);
    reseal(forgery);
    bool possible = field == 80 || (value >= 1 && value <= block);
    assert_refused(forgery, block, forgery->at[block] + (possible ? field : 0), "whole");
    assert_answers(forgery);
    bytes_put_u64(at, right);
}

Test(tape_forge, fields_of_snapshots_are_compared_with_the_messages)
{
    struct forgery *forgery = forgery_make("whole");
    for (size_t b = 1; b < forgery->count; b++) {
        const uint64_t blocks[] = {0, 1, b - 1, b, b + 1, forgery->count, UINT64_MAX};
        const uint64_t first = bytes_get_u64(forgery->bytes + forgery->at[b] + 32);
        const uint64_t times[] = {0, first, first + 1, UINT64_C(1) << 63, INT64_MAX};
        for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
            forge_field(forgery, b, 72, blocks[i]);
        for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
            forge_field(forgery, b, 80, times[i]);
    }
    reseal(forgery);
    assert_sound(forgery);
    forgery_free(forgery);
}

/* --- frames ------------------------------------------------------------------------------------ */

/* Put another frame into a block; what follows moves. */
static void replace_frame(struct forgery *forgery, size_t block, const uint8_t *frame,
                          size_t length)
{
    uint8_t *header = forgery->bytes + forgery->at[block];
    uint8_t *place = header + TAPE_BLOCK_HEADER_BYTES;
    size_t old = bytes_get_u32(header + 64);
    size_t behind = forgery->blocks_bytes - (size_t)(place + old - forgery->bytes);
    memmove(place + length, place + old, behind);
    memcpy(place, frame, length);
    bytes_put_u32(header + 64, (uint32_t)length);
    forgery->blocks_bytes += length - old;
    bytes_put_u32(forgery->bytes + forgery->blocks_bytes, 0);
    find_blocks(forgery, forgery->blocks_bytes + 1);
    reseal(forgery);
}

/* Frames that unpack to the right bytes but are not what the page asks for. */
enum frame_kind {
    FRAME_RIGHT,
    FRAME_WITHOUT_SIZE,
    FRAME_WITHOUT_CHECKSUM,
    FRAME_TWO,
    FRAME_AND_EMPTY_FRAME,
    FRAME_AND_SKIPPABLE,
    SKIPPABLE_AND_FRAME,
    FRAME_AND_BYTE,
    FRAME_CUT
};

static size_t compress(uint8_t *out, const uint8_t *bytes, size_t length, bool checksum, bool size)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, size);
    size_t got = ZSTD_compress2(context, out, ZSTD_compressBound(length), bytes, length);
    cr_assert(!ZSTD_isError(got));
    ZSTD_freeCCtx(context);
    return got;
}

static size_t make_frame(enum frame_kind kind, const uint8_t *raw, size_t length, uint8_t *out)
{
    static const uint8_t skippable[12] = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
    size_t half = length / 2, at = 0;
    if (kind == SKIPPABLE_AND_FRAME) {
        memcpy(out, skippable, sizeof skippable);
        at = sizeof skippable;
    }
    if (kind == FRAME_TWO) {
        at = compress(out, raw, half, true, true);
        return at + compress(out + at, raw + half, length - half, true, true);
    }
    at +=
        compress(out + at, raw, length, kind != FRAME_WITHOUT_CHECKSUM, kind != FRAME_WITHOUT_SIZE);
    if (kind == FRAME_AND_EMPTY_FRAME)
        at += compress(out + at, raw, 0, true, true);
    if (kind == FRAME_AND_SKIPPABLE) {
        memcpy(out + at, skippable, sizeof skippable);
        at += sizeof skippable;
    }
    if (kind == FRAME_AND_BYTE)
        out[at++] = 0;
    return kind == FRAME_CUT ? at - 1 : at;
}

static void try_frame(enum frame_kind kind, size_t block, const char *words)
{
    struct forgery *forgery = forgery_make("frame");
    const uint8_t *header = forgery->bytes + forgery->at[block];
    size_t length = bytes_get_u32(header + 60);
    uint8_t *raw = malloc(length), *frame = malloc(3 * ZSTD_compressBound(length) + 64);
    cr_assert_eq(
        ZSTD_decompress(raw, length, header + TAPE_BLOCK_HEADER_BYTES, bytes_get_u32(header + 64)),
        length);
    size_t made = make_frame(kind, raw, length, frame);
    replace_frame(forgery, block, frame, made);
    if (words == NULL) {
        assert_sound(forgery);
    } else {
        assert_refused(forgery, block, forgery->at[block] + TAPE_BLOCK_HEADER_BYTES, words);
        cr_assert(!can_read(forgery, block == 0 ? 1 : block));
    }
    free(raw);
    free(frame);
    forgery_free(forgery);
}

Test(tape_forge, a_block_has_exactly_one_frame_with_checksum)
{
    static const char *const words[] = {
        [FRAME_RIGHT] = NULL,
        [FRAME_WITHOUT_SIZE] = NULL,
        [FRAME_WITHOUT_CHECKSUM] = "no checksum",
        [FRAME_TWO] = "another length",
        [FRAME_AND_EMPTY_FRAME] = "ends before",
        [FRAME_AND_SKIPPABLE] = "ends before",
        [SKIPPABLE_AND_FRAME] = "no zstd frame",
        [FRAME_AND_BYTE] = "ends before",
        [FRAME_CUT] = "cut",
    };
    for (unsigned kind = FRAME_RIGHT; kind <= FRAME_CUT; kind++)
        for (size_t block = 0; block < 6; block += 3)
            try_frame((enum frame_kind)kind, block, words[kind]);
}

Test(tape_forge, the_writer_stores_the_content_size)
{
    struct forgery *forgery = forgery_make("size");
    for (size_t b = 0; b < forgery->count; b++) {
        const uint8_t *header = forgery->bytes + forgery->at[b];
        cr_assert_eq(
            ZSTD_getFrameContentSize(header + TAPE_BLOCK_HEADER_BYTES, bytes_get_u32(header + 64)),
            bytes_get_u32(header + 60));
    }
    forgery_free(forgery);
}

/* --- the header's tables ----------------------------------------------------------------------- */

/* Neither writer nor reader takes the tape header with `from` replaced by `to`, of the same length. */
static void refuse_bytes(const void *from, const void *to, size_t length, const char *words)
{
    struct tape_header header = tape_random_header(), found;
    struct error error = {0};
    uint8_t *bytes = NULL;
    size_t size = 0, at = 0;
    void *memory = NULL;
    static const char *const venues[] = {"venue_one", "venue_two"};
    header.names.venues = venues;
    cr_assert_eq(tape_header_encode(&header, &bytes, &size, &error), 0, "%s", error.text);
    while (at + length <= size && memcmp(bytes + at, from, length) != 0)
        at++;
    cr_assert(at + length <= size, "%s", words);
    memcpy(bytes + at, to, length);
    cr_assert_eq(tape_header_decode(bytes, size, &found, &memory, &error), ERROR_INPUT, "%s",
                 words);
    cr_assert(strstr(error.text, words) != NULL, "%s: expected %s", error.text, words);
    free(bytes);
}

Test(tape_forge, reader_refuses_names_that_stand_twice)
{
    refuse_bytes("venue_two", "venue_one", 9, "venue venue_one is named twice");
    refuse_bytes("venue_two", "venue:two", 9, "venue venue:two: expected a name without a colon");
    refuse_bytes("\3\0\0\0ETH", "\3\0\0\0BTC", 7, "asset BTC is named twice");
    refuse_bytes("ETHUSDT", "BTCUSDT", 7, "instrument venue_one:BTCUSDT is named twice");
}

/* A definition of the random header, altered, and what both sides must say of it. */
static void refuse_definition(struct event_definition definition, const char *words)
{
    struct tape_header header = tape_random_header();
    struct event_definition definitions[3];
    struct tape_writer *writer = NULL;
    struct error error = {0};
    uint8_t right[2 + EVENT_RECORD_BYTES_MAX], wrong[2 + EVENT_RECORD_BYTES_MAX];
    union event_record record = {.definition = header.names.definitions[1]};
    size_t length = record_encode(EVENT_definition, &record, right);
    memcpy(definitions, header.names.definitions, sizeof definitions);
    definitions[1] = definition;
    header.names.definitions = definitions;
    cr_assert_eq(tape_writer_open(&writer, "tape_forge-never.tape", &header, NULL, &error),
                 ERROR_INPUT);
    cr_assert(strstr(error.text, words) != NULL, "%s: expected %s", error.text, words);
    cr_assert(strstr(error.text, "binance_spot:ETHUSDT") != NULL, "%s", error.text);
    record.definition = definition;
    cr_assert_eq(record_encode(EVENT_definition, &record, wrong), length);
    refuse_bytes(right, wrong, length, words);
}

Test(tape_forge, writer_and_reader_refuse_units_that_are_none)
{
    const struct event_definition right = tape_random_header().names.definitions[1];
    static const int64_t values[] = {0, -1, INT64_MIN};
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct event_definition wrong = right;
        wrong.tick = values[i];
        refuse_definition(wrong, "its tick is");
        wrong = right;
        wrong.lot = values[i];
        refuse_definition(wrong, "its lot is");
        wrong = right;
        wrong.multiplier = values[i];
        refuse_definition(wrong, "its multiplier is");
    }
    struct event_definition finer = right;
    finer.price_exponent = -8;
    finer.quantity_exponent = -8;
    finer.multiplier_exponent = -3;
    refuse_definition(finer, "multiplier_exponent -3 add up to less than -18");
}

static void refuse_names(struct event_names names, const char *words)
{
    struct tape_header header = tape_random_header();
    struct tape_writer *writer = NULL;
    struct error error = {0};
    header.names = names;
    cr_assert_eq(tape_writer_open(&writer, "tape_forge-never.tape", &header, NULL, &error),
                 ERROR_INPUT);
    cr_assert(strstr(error.text, words) != NULL, "%s: expected %s", error.text, words);
    cr_assert_neq(access("tape_forge-never.tape", F_OK), 0);
}

Test(tape_forge, writer_refuses_names_that_stand_twice)
{
    static const char *const venues[] = {"one", "one"}, *const colon[] = {"one", "t:wo"};
    static const char *const assets[] = {"BTC", "USDT", "BTC"};
    static const char *const symbols[] = {"BTCUSDT", "BTCUSDT", "BTC-USD"};
    static const char *const apart[] = {"BTC-USD", "BTCUSDT", "BTC-USD"};
    const struct event_names right = tape_random_header().names;
    struct event_names wrong = right;
    struct error error = {0};
    wrong.venues = venues;
    refuse_names(wrong, "venue one is named twice");
    wrong.venues = colon;
    refuse_names(wrong, "venue t:wo: expected a name without a colon");
    wrong = right;
    wrong.assets = assets;
    refuse_names(wrong, "asset BTC is named twice");
    wrong = right;
    wrong.symbols = symbols;
    refuse_names(wrong, "instrument binance_spot:BTCUSDT is named twice");
    wrong.symbols = apart; /* the same symbol at two venues names two instruments */
    cr_assert_eq(tape_names_check(&wrong, &error), 0, "%s", error.text);
}
