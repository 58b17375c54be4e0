/* The tape: what is written is read, whatever the block size, level and decoder; seeking; limits. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "tape/reader.h"
#include "tape/stream_vbyte.h"
#include "tests/unit/tape_random.h"

enum { CANONICAL_MAX = EVENT_HEAD_BYTES + TAPE_RANDOM_ROWS_MAX * EVENT_ROW_BYTES };

static void path_of(const char *test, char out[64])
{
    snprintf(out, 64, "tape_test-%s.%ld.tape", test, (long)getpid());
}

static void write_tape(const char *path, uint64_t seed, bool wild, unsigned messages,
                       unsigned block_events, int level)
{
    struct error error = {0};
    cr_assert_eq(tape_random_write(path, seed, wild, messages, block_events, level, &error), 0,
                 "%s", error.text);
}

/* Canonical bytes of both are equal. */
static void assert_same(const struct message *found, const struct message *expected)
{
    static uint8_t a[CANONICAL_MAX], b[CANONICAL_MAX];
    size_t length = message_encode(expected, a, sizeof a);
    cr_assert_eq(message_encoded_bytes(found), length);
    message_encode(found, b, sizeof b);
    cr_assert(memcmp(a, b, length) == 0);
}

/* Every message of the tape is the generator's. */
static void assert_round_trip(const char *path, uint64_t seed, bool wild, unsigned messages,
                              unsigned block_events, bool accelerate)
{
    static struct tape_random random;
    struct error error = {0};
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    unsigned seen = 0;
    tape_random_init(&random, seed, wild);
    cr_assert_eq(tape_reader_open_as(&reader, path, TAPE_OPEN_NORMAL, accelerate, &error), 0, "%s",
                 error.text);
    cr_assert(tape_reader_is_finished(reader));
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    for (size_t b = 0; b < tape_reader_block_count(reader); b++) {
        uint32_t events = 0;
        cr_assert_eq(tape_reader_read(reader, b, &block, &error), 0, "%s", error.text);
        cr_assert_eq(block.number, b + 1);
        for (uint32_t m = 0; m < block.message_count; m++, seen++) {
            struct message expected = tape_random_message(&random);
            cr_assert_lt(events, block_events);
            assert_same(&block.messages[m], &expected);
            events += expected.row_count == 0 ? 1 : expected.row_count;
        }
    }
    cr_assert_eq(seen, messages);
    tape_block_free(&block);
    tape_reader_close(&reader);
}

Test(tape, round_trip_for_every_block_size_and_decoder)
{
    static const unsigned sizes[] = {1024, 2048, 4096, 16384, 65536};
    char path[64];
    path_of("round_trip", path);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int wild = 0; wild < 2; wild++) {
            write_tape(path, 11 + i, wild != 0, 6000, sizes[i], 1);
            assert_round_trip(path, 11 + i, wild != 0, 6000, sizes[i], true);
            assert_round_trip(path, 11 + i, wild != 0, 6000, sizes[i], false);
        }
    }
    unlink(path);
}

Test(tape, identity_does_not_depend_on_blocks_or_level)
{
    static const struct {
        unsigned size;
        int level;
    } cases[] = {{1024, 1}, {4096, 9}, {16384, 3}, {65536, 1}, {65536, 19}};
    char path[64];
    struct tape_check first = {0}, check;
    struct error error = {0};
    path_of("identity", path);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_tape(path, 5, true, 8000, cases[i].size, cases[i].level);
        cr_assert_eq(tape_check(path, &check, &error), 0, "%s", error.text);
        cr_assert(check.finished);
        cr_assert_eq(check.messages, 8000);
        first = i == 0 ? check : first;
        cr_assert(memcmp(check.identity, first.identity, sizeof check.identity) == 0);
    }
    write_tape(path, 6, true, 8000, 16384, 1);
    cr_assert_eq(tape_check(path, &check, &error), 0);
    cr_assert(memcmp(check.identity, first.identity, sizeof check.identity) != 0);
    unlink(path);
}

Test(tape, header_reads_back)
{
    char path[64];
    struct error error = {0};
    struct tape_reader *reader = NULL;
    struct tape_header expected = tape_random_header();
    path_of("header", path);
    write_tape(path, 1, false, 0, 0, 0);
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0, "%s", error.text);
    const struct tape_header *header = tape_reader_header(reader);
    cr_assert_eq(tape_reader_block_count(reader), 0);
    cr_assert_eq(tape_reader_seek(reader, 0), 0);
    cr_assert_eq(tape_reader_snapshot_before(reader, 0), 0);
    cr_assert_eq(header->origin, expected.origin);
    cr_assert_eq(header->grade, expected.grade);
    cr_assert_eq(header->seed, expected.seed);
    cr_assert_eq(header->feed_floor_ns, expected.feed_floor_ns);
    cr_assert_str_eq(header->tool_version, expected.tool_version);
    cr_assert_str_eq(header->build_id, expected.build_id);
    cr_assert_str_eq(header->grade_reasons, expected.grade_reasons);
    cr_assert_str_eq(header->config, expected.config);
    cr_assert_eq(header->names.instrument_count, 3);
    cr_assert_str_eq(header->names.symbols[2], "BTC-USD");
    cr_assert_str_eq(header->names.venues[1], "venue_two");
    cr_assert_str_eq(header->names.assets[1], "ETH");
    cr_assert_eq(header->names.definitions[1].quantity_exponent, -4);
    cr_assert_eq(header->names.definitions[2].quote, EVENT_NONE_16);
    tape_reader_close(&reader);
    unlink(path);
}

Test(tape, state_hashes_stand_with_their_block)
{
    char path[64];
    struct error error = {0};
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    uint64_t message = 0, hashes = 0;
    path_of("hashes", path);
    write_tape(path, 2, true, 5000, 1024, 1);
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0);
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    for (size_t b = 0; b < tape_reader_block_count(reader); b++) {
        cr_assert_eq(tape_reader_read(reader, b, &block, &error), 0);
        for (uint32_t h = 0; h < block.state_hash_count; h++, hashes++) {
            uint64_t m = block.state_hashes[h].room;
            cr_assert(m >= message && m < message + block.message_count && m % 100 == 0);
            cr_assert_eq(block.state_hashes[h].hash, m * UINT64_C(0x123456789abcdef));
        }
        message += block.message_count;
    }
    cr_assert_eq(hashes, 50);
    tape_block_free(&block);
    tape_reader_close(&reader);
    unlink(path);
}

Test(tape, seek_finds_the_first_block_that_reaches_a_time)
{
    char path[64];
    struct error error = {0};
    struct tape_reader *reader = NULL;
    path_of("seek", path);
    write_tape(path, 3, true, 20000, 1024, 1);
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0);
    size_t count = tape_reader_block_count(reader);
    cr_assert_gt(count, 20);
    int64_t from = tape_reader_block_info(reader, 0)->first_ts;
    int64_t span = tape_reader_block_info(reader, count - 1)->last_ts - from;
    for (int64_t i = -1; i <= 1001; i++) {
        int64_t ts = from + span / 1000 * i;
        size_t linear = 0;
        while (linear < count && tape_reader_block_info(reader, linear)->last_ts < ts)
            linear++;
        cr_assert_eq(tape_reader_seek(reader, ts), linear);
    }
    tape_reader_close(&reader);
    unlink(path);
}

/* From a block on, each instrument that has had a snapshot has one again up to `ts`. */
static bool is_whole_from(struct tape_reader *reader, size_t from, int64_t ts)
{
    struct error error = {0};
    struct tape_block block = {0};
    bool had[3] = {false}, has[3] = {false};
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    for (size_t b = 0; b < tape_reader_block_count(reader); b++) {
        cr_assert_eq(tape_reader_read(reader, b, &block, &error), 0);
        for (uint32_t m = 0; m < block.message_count; m++) {
            const struct message *message = &block.messages[m];
            if (message->kind != EVENT_snapshot || message->ts_local > ts)
                continue;
            had[EVENT_STREAM_INSTRUMENT(message->stream)] = true;
            has[EVENT_STREAM_INSTRUMENT(message->stream)] |= b >= from;
        }
    }
    tape_block_free(&block);
    return (has[0] || !had[0]) && (has[1] || !had[1]) && (has[2] || !had[2]);
}

Test(tape, snapshot_before_gives_a_block_from_which_all_books_are_whole)
{
    char path[64];
    struct error error = {0};
    struct tape_reader *reader = NULL;
    size_t last = 0;
    path_of("snapshot", path);
    write_tape(path, 4, false, 30000, 2048, 1);
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0);
    size_t count = tape_reader_block_count(reader);
    int64_t begin = tape_reader_block_info(reader, 0)->first_ts;
    int64_t span = tape_reader_block_info(reader, count - 1)->last_ts - begin;
    for (int64_t i = 0; i <= 40; i++) {
        int64_t ts = begin + span / 40 * i;
        size_t from = tape_reader_snapshot_before(reader, ts);
        cr_assert(is_whole_from(reader, from, ts));
        cr_assert_geq(from, last);
        last = from;
    }
    cr_assert_gt(last, 0);
    tape_reader_close(&reader);
    unlink(path);
}

Test(tape, decoders_of_columns_agree_and_check_lengths)
{
    enum { COUNT = 3001 };
    static uint64_t values[COUNT], a[COUNT + 4], b[COUNT + 4];
    static uint8_t bytes[4 * COUNT * 4];
    struct tape_random random = {.state = 9};
    for (unsigned round = 0; round < 200; round++) {
        size_t count = tape_random_next(&random) % COUNT, data_bytes, escapes;
        for (size_t i = 0; i < count; i++)
            values[i] = tape_random_next(&random) >> (tape_random_next(&random) % 64);
        size_t length = stream_vbyte_encode(values, count, bytes, &data_bytes, &escapes);
        size_t control = stream_vbyte_control_bytes(count);
        struct stream_vbyte column = {bytes, bytes + control, bytes + control + data_bytes,
                                      data_bytes, escapes};
        cr_assert_eq(length, control + data_bytes + 8 * escapes);
        cr_assert(stream_vbyte_decode(&column, count, a, false));
        cr_assert(stream_vbyte_decode(&column, count, b, stream_vbyte_can_accelerate()));
        cr_assert(memcmp(a, values, 8 * count) == 0);
        cr_assert(memcmp(b, values, 8 * count) == 0);
        if (count == 0)
            continue;
        column.data_bytes--;
        cr_assert_not(stream_vbyte_decode(&column, count, a, false));
        cr_assert_not(stream_vbyte_decode(&column, count, b, stream_vbyte_can_accelerate()));
        column.data_bytes += 2;
        cr_assert_not(stream_vbyte_decode(&column, count, b, stream_vbyte_can_accelerate()));
    }
}

Test(tape, a_message_of_the_greatest_size_stands_in_one_block)
{
    char path[64];
    struct error error = {0};
    struct tape_header header = tape_random_header();
    struct tape_writer *writer = NULL;
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    struct tape_writer_options options = {.block_events = 1024};
    struct row *rows = calloc(EVENT_ROWS_MAX + 1, sizeof *rows);
    struct message message = {.kind = EVENT_snapshot, .rows = rows, .row_count = EVENT_ROWS_MAX};
    path_of("greatest", path);
    for (int64_t i = 0; i < EVENT_ROWS_MAX; i++)
        rows[i] = (struct row){.price = INT64_MAX - i * INT64_C(70000000000),
                               .quantity = -i - 1,
                               .price_status = i % 3 == 0 ? NUMBER_NAN : NUMBER_VALUE};
    cr_assert_eq(tape_writer_open(&writer, path, &header, &options, &error), 0);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(tape_writer_append(writer, &message, &error), 0, "%s", error.text);
    message.row_count++;
    cr_assert_eq(tape_writer_append(writer, &message, &error), ERROR_INPUT);
    message.row_count--;
    cr_assert_eq(tape_writer_finish(&writer, &error), 0, "%s", error.text);
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0, "%s", error.text);
    cr_assert_eq(tape_reader_block_count(reader), 3);
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    cr_assert_eq(tape_reader_read(reader, 2, &block, &error), 0, "%s", error.text);
    cr_assert_eq(block.messages[0].row_count, EVENT_ROWS_MAX);
    cr_assert_eq(block.rows[3].price, 0);
    cr_assert_eq(block.rows[4].price, rows[4].price);
    cr_assert_eq(block.rows[4].quantity, -5);
    tape_block_free(&block);
    tape_reader_close(&reader);
    free(rows);
    unlink(path);
}

static void assert_refused(const struct message *message, const char *expected)
{
    char path[64];
    struct error error = {0};
    struct tape_header header = tape_random_header();
    struct tape_writer *writer = NULL;
    path_of("refused", path);
    cr_assert_eq(tape_writer_open(&writer, path, &header, NULL, &error), 0);
    cr_assert_eq(tape_writer_append(writer, message, &error), ERROR_INPUT);
    cr_assert(strstr(error.text, expected) != NULL, "%s", error.text);
    tape_writer_abandon(&writer);
    cr_assert_neq(access(path, F_OK), 0);
}

Test(tape, the_writer_refuses_what_a_reader_would_not_take)
{
    struct row row = {.price = 1, .flags = ROW_LAST};
    union event_record record = {.balance = {.venue = 2}};
    assert_refused(&(struct message){.kind = 200}, "unknown kind 200");
    assert_refused(&(struct message){.kind = EVENT_depth, .stream = 24}, "stream 24");
    assert_refused(&(struct message){.kind = EVENT_depth, .ts_venue = 5}, "venue time");
    assert_refused(&(struct message){.kind = EVENT_balance, .record = &record}, "venue is 2");
    row.flags = 16;
    assert_refused(&(struct message){.kind = EVENT_depth, .rows = &row, .row_count = 1}, "flag");
    row.flags = 0;
    row.slot = 1;
    assert_refused(&(struct message){.kind = EVENT_depth, .rows = &row, .row_count = 1}, "slot");
}

Test(tape, the_writer_refuses_time_that_goes_back)
{
    char path[64];
    struct error error = {0};
    struct tape_header header = tape_random_header();
    struct tape_writer *writer = NULL;
    struct row row = {.price = 1};
    struct message message = {.kind = EVENT_depth, .rows = &row, .row_count = 1, .ts_local = 5};
    path_of("back", path);
    cr_assert_eq(tape_writer_open(&writer, path, &header, NULL, &error), 0);
    cr_assert_eq(tape_writer_append(writer, &message, &error), 0);
    message.ts_local = 4;
    cr_assert_eq(tape_writer_append(writer, &message, &error), ERROR_INPUT);
    tape_writer_abandon(&writer);
}
