/* Damage to tapes: cuts at random bytes and between blocks are reported and repaired to exactly the
 * whole blocks; no bit flip anywhere goes unnoticed; no damaged byte makes the reader misbehave. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "tape/reader.h"
#include "tests/unit/tape_random.h"

enum { CASES = 1000, MESSAGES = 3000, BLOCK_EVENTS = 1024, PATH_BYTES = 96 };

struct sample {
    char path[PATH_BYTES], damaged[PATH_BYTES], repaired[PATH_BYTES];
    uint8_t *bytes;
    size_t length, header_bytes, blocks;
    size_t ends[1024]; /* offset of each block's end */
    struct tape_random random;
};

static uint8_t *read_file(const char *path, size_t *length)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL && fstat(fileno(file), &status) == 0);
    uint8_t *bytes = malloc((size_t)status.st_size + 1);
    *length = (size_t)status.st_size;
    cr_assert_eq(fread(bytes, 1, *length, file), *length);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL);
    cr_assert_eq(fwrite(bytes, 1, length, file), length);
    cr_assert_eq(fclose(file), 0);
}

static struct sample *sample_make(const char *test)
{
    struct error error = {0};
    struct tape_reader *reader = NULL;
    struct sample *sample = calloc(1, sizeof *sample);
    /* In memory where that is possible: thousands of files are brought to the disk here. */
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : "";
    long process = (long)getpid();
    snprintf(sample->path, PATH_BYTES, "%stape_damage-%s.%ld.tape", folder, test, process);
    snprintf(sample->damaged, PATH_BYTES, "%stape_damage-%s.%ld.cut", folder, test, process);
    snprintf(sample->repaired, PATH_BYTES, "%stape_damage-%s.%ld.new", folder, test, process);
    cr_assert_eq(tape_random_write(sample->path, 77, false, MESSAGES, BLOCK_EVENTS, 1, &error), 0);
    sample->bytes = read_file(sample->path, &sample->length);
    cr_assert_eq(tape_reader_open(&reader, sample->path, &error), 0);
    sample->blocks = tape_reader_block_count(reader);
    cr_assert(sample->blocks > 20 && sample->blocks < 1024);
    for (size_t b = 0; b < sample->blocks; b++) {
        const struct tape_block_info *info = tape_reader_block_info(reader, b);
        sample->ends[b] = (size_t)info->offset + TAPE_BLOCK_HEADER_BYTES + info->compressed_bytes;
        if (b == 0)
            sample->header_bytes = (size_t)info->offset;
    }
    tape_reader_close(&reader);
    tape_random_init(&sample->random, 123, false);
    return sample;
}

static void sample_free(struct sample *sample)
{
    unlink(sample->path);
    unlink(sample->damaged);
    unlink(sample->repaired);
    free(sample->bytes);
    free(sample);
}

/* The blocks that are whole before byte `cut`. */
static size_t whole_before(const struct sample *sample, size_t cut)
{
    size_t blocks = 0;
    while (blocks < sample->blocks && sample->ends[blocks] <= cut)
        blocks++;
    return blocks;
}

/* The repaired tape has the frames of the first `whole` blocks, and a grade that tells of the loss. */
static void expect_frames(const struct sample *sample, const uint8_t *bytes, size_t whole,
                          size_t lost)
{
    struct error error = {0};
    struct tape_reader *reader = NULL;
    char reason[128];
    cr_assert_eq(tape_reader_open(&reader, sample->repaired, &error), 0, "%s", error.text);
    for (size_t b = 0; b < whole; b++) {
        const struct tape_block_info *info = tape_reader_block_info(reader, b);
        cr_assert(memcmp(bytes + info->offset + TAPE_BLOCK_HEADER_BYTES,
                         sample->bytes + sample->ends[b] - info->compressed_bytes,
                         info->compressed_bytes) == 0);
    }
    snprintf(reason, sizeof reason, "%zu bytes after the last whole block were lost", lost);
    const struct tape_header *header = tape_reader_header(reader);
    cr_assert_geq(header->grade, TAPE_GRADE_D);
    cr_assert(strstr(header->grade_reasons, lost > 0 ? reason : TAPE_REASON_UNFINISHED) != NULL,
              "%s", header->grade_reasons);
    tape_reader_close(&reader);
}

/* A reader of the tape that was cut does not give the grade that was written before the cut. */
static void expect_unfinished(const struct sample *sample)
{
    struct tape_reader *reader = NULL;
    if (tape_reader_open(&reader, sample->damaged, NULL) != 0)
        return;
    const struct tape_header *header = tape_reader_header(reader);
    cr_assert(!tape_reader_is_finished(reader) && header->grade >= TAPE_GRADE_D);
    cr_assert(strstr(header->grade_reasons, TAPE_REASON_UNFINISHED) != NULL);
    tape_reader_close(&reader);
}

/* Cut at `cut`: check fails; repair keeps the whole blocks, if there are any, as a finished tape: byte for byte where the
 * index tells that there were no more, else behind a header with a worse grade. */
static void try_cut(struct sample *sample, size_t cut)
{
    struct tape_check check;
    struct error error = {0};
    size_t length, whole = whole_before(sample, cut);
    write_file(sample->damaged, sample->bytes, cut);
    cr_assert_eq(tape_check(sample->damaged, &check, &error), ERROR_INPUT, "cut at %zu", cut);
    cr_assert(error.text[0] != 0 && !check.finished);
    expect_unfinished(sample);
    unlink(sample->repaired);
    int failed = tape_repair(sample->damaged, sample->repaired, &check, &error);
    if (whole == 0) { /* an empty tape in its place would look as if nothing had been there */
        cr_assert_eq(failed, ERROR_INPUT);
        cr_assert_neq(access(sample->repaired, F_OK), 0);
        return;
    }
    cr_assert_eq(failed, 0, "cut at %zu: %s", cut, error.text);
    cr_assert_eq(check.blocks, whole);
    cr_assert_eq(tape_check(sample->repaired, &check, &error), 0, "%s", error.text);
    cr_assert(check.finished && check.blocks == whole);
    uint8_t *bytes = read_file(sample->repaired, &length);
    size_t good = sample->ends[whole - 1];
    if (cut >= sample->ends[sample->blocks - 1] + TAPE_FRAME_HEAD_BYTES) {
        cr_assert_geq(length, good);
        cr_assert(memcmp(bytes, sample->bytes, good) == 0);
    } else {
        expect_frames(sample, bytes, whole, cut - good);
    }
    free(bytes);
}

Test(tape_damage, random_cuts_are_reported_and_repaired)
{
    struct sample *sample = sample_make("cuts");
    for (unsigned i = 0; i < CASES; i++)
        try_cut(sample, (size_t)(tape_random_next(&sample->random) % sample->length));
    sample_free(sample);
}

Test(tape_damage, cuts_between_blocks_are_reported_and_repaired)
{
    struct sample *sample = sample_make("between");
    for (size_t b = 0; b < sample->blocks; b++)
        for (size_t off = 0; off < 3; off++)
            try_cut(sample, sample->ends[b] - 1 + off);
    for (size_t left = 1; left < 200; left++)
        try_cut(sample, sample->length - left);
    try_cut(sample, sample->header_bytes);
    try_cut(sample, 0);
    sample_free(sample);
}

/* Opening and reading everything must end in an error or in whole messages, never worse. */
static void read_everything(const char *path)
{
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    struct error error = {0};
    if (tape_reader_open(&reader, path, &error) != 0)
        return;
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    for (size_t b = 0; b < tape_reader_block_count(reader); b++)
        if (tape_reader_read(reader, b, &block, &error) != 0)
            cr_assert_eq(error.code, ERROR_INPUT);
    tape_block_free(&block);
    tape_reader_close(&reader);
}

static void try_flip(struct sample *sample, size_t bit)
{
    struct tape_check check;
    struct error error = {0};
    size_t byte = bit / 8;
    sample->bytes[byte] ^= (uint8_t)(1u << bit % 8);
    write_file(sample->damaged, sample->bytes, sample->length);
    sample->bytes[byte] ^= (uint8_t)(1u << bit % 8);
    cr_assert_eq(tape_check(sample->damaged, &check, &error), ERROR_INPUT, "bit %zu", bit);
    cr_assert(error.text[0] != 0 && !check.finished);
    read_everything(sample->damaged);
    if (bit % 4 != 0)
        return;
    unlink(sample->repaired);
    int failed = tape_repair(sample->damaged, sample->repaired, &check, &error);
    if (byte < sample->ends[sample->blocks - 1]) {
        cr_assert_eq(failed, ERROR_INPUT, "damage in the middle was cut off: bit %zu", bit);
        cr_assert_neq(access(sample->repaired, F_OK), 0);
    } else {
        cr_assert_eq(failed, 0, "%s", error.text);
        cr_assert_eq(check.blocks, sample->blocks);
    }
}

Test(tape_damage, random_bit_flips_are_noticed)
{
    struct sample *sample = sample_make("flips");
    for (unsigned i = 0; i < CASES; i++)
        try_flip(sample, (size_t)(tape_random_next(&sample->random) % (8 * sample->length)));
    sample_free(sample);
}

Test(tape_damage, bit_flips_outside_the_frames_are_noticed)
{
    struct sample *sample = sample_make("headers");
    for (size_t bit = 0; bit < (size_t)8 * TAPE_BLOCK_HEADER_BYTES; bit++) {
        try_flip(sample, bit);
        try_flip(sample, 8 * sample->ends[7] + bit);
    }
    for (size_t bit = 8 * sample->ends[sample->blocks - 1]; bit < 8 * sample->length; bit += 37)
        try_flip(sample, bit);
    for (size_t bit = 1; bit <= 8 * TAPE_END_BYTES; bit++)
        try_flip(sample, 8 * sample->length - bit);
    sample_free(sample);
}

Test(tape_damage, bytes_behind_the_end_are_noticed)
{
    struct sample *sample = sample_make("behind");
    struct tape_check check;
    struct error error = {0};
    sample->bytes[sample->length] = 0;
    write_file(sample->damaged, sample->bytes, sample->length + 1);
    cr_assert_eq(tape_check(sample->damaged, &check, &error), ERROR_INPUT);
    sample_free(sample);
}

/* A payload that is damaged but resealed (all hashes right) must never be read beyond its bounds. */
Test(tape_damage, resealed_damage_is_refused_or_read_within_bounds)
{
    struct sample *sample = sample_make("resealed");
    struct error error = {0};
    for (unsigned i = 0; i < 300; i++) {
        size_t length = sample->ends[0];
        uint8_t *bytes = malloc(length);
        memcpy(bytes, sample->bytes, length);
        uint8_t *header = bytes + sample->header_bytes;
        for (unsigned k = 0; k < 1 + i % 3; k++) {
            size_t at = (size_t)(tape_random_next(&sample->random) % 88);
            at = at < 20 ? 20 + at : at;
            if (i % 2 == 0)
                at = TAPE_BLOCK_HEADER_BYTES +
                     (size_t)(tape_random_next(&sample->random) %
                              (length - sample->header_bytes - TAPE_BLOCK_HEADER_BYTES));
            header[at] ^= (uint8_t)(1u << (tape_random_next(&sample->random) % 8));
        }
        size_t frame = length - sample->header_bytes - TAPE_BLOCK_HEADER_BYTES;
        bytes_put_u64(header + 96, XXH3_64bits(header + TAPE_BLOCK_HEADER_BYTES, frame));
        bytes_put_u64(header + 104, XXH3_64bits(header, 104));
        write_file(sample->damaged, bytes, length);
        read_everything(sample->damaged);
        struct tape_check check;
        tape_check(sample->damaged, &check, &error);
        free(bytes);
    }
    sample_free(sample);
}

/* Whatever a payload that decodes gives, its messages keep the promises of event.h. */
static void assert_usable(const struct tape_block *block, uint8_t *bytes, size_t capacity)
{
    int64_t ts = block->first_ts;
    for (uint32_t m = 0; m < block->message_count; m++) {
        const struct message *message = &block->messages[m];
        cr_assert(message->ts_local >= ts);
        cr_assert(message->row_count == 0 ||
                  (message->rows >= block->rows &&
                   message->rows + message->row_count <= block->rows + block->row_count));
        message_encode(message, bytes, capacity);
        ts = message->ts_local;
    }
}

/* A payload with damaged bytes is refused or gives usable messages, on both decoders alike. */
static void try_payload(struct tape_reader *reader, size_t index, struct tape_random *random,
                        uint8_t *canonical, size_t capacity)
{
    const struct tape_entry *entry = &reader->entries[index];
    struct tape_block block = {0};
    struct error error = {0};
    size_t length = entry->info.raw_bytes;
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    cr_assert_eq(tape_reader_read(reader, index, &block, &error), 0, "%s", error.text);
    for (unsigned i = 0; i < 400; i++) {
        uint8_t *copy = malloc(length); /* exactly, so that a sanitizer sees any step beyond */
        memcpy(copy, reader->payload, length);
        for (unsigned k = 0; k <= i % 4; k++) {
            size_t range = i % 2 == 0 ? 400 : length;
            copy[tape_random_next(random) % range] = (uint8_t)tape_random_next(random);
        }
        if (payload_decode(reader->decoder, copy, length, &block, &error) == 0)
            assert_usable(&block, canonical, capacity);
        else
            cr_assert_eq(error.code, ERROR_INPUT);
        if (i % 8 == 0)
            cr_assert_neq(payload_decode(reader->decoder, copy,
                                         (size_t)(tape_random_next(random) % length), &block,
                                         &error),
                          0);
        free(copy);
    }
    tape_block_free(&block);
}

Test(tape_damage, damaged_payloads_are_refused_or_read_within_bounds)
{
    struct sample *sample = sample_make("payload");
    struct error error = {0};
    size_t capacity = EVENT_RECORD_BYTES_MAX + (size_t)TAPE_BLOCK_ROWS_MAX * EVENT_ROW_BYTES;
    uint8_t *canonical = malloc(capacity);
    cr_assert_eq(tape_random_write(sample->path, 78, true, MESSAGES, BLOCK_EVENTS, 1, &error), 0);
    for (unsigned accelerate = 0; accelerate < 2; accelerate++) {
        struct tape_reader *reader = NULL;
        cr_assert_eq(
            tape_reader_open_as(&reader, sample->path, TAPE_OPEN_NORMAL, accelerate != 0, &error),
            0);
        for (size_t b = 0; b < 6; b++)
            try_payload(reader, b, &sample->random, canonical, capacity);
        tape_reader_close(&reader);
    }
    free(canonical);
    sample_free(sample);
}
