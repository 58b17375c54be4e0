/* Records on their way to a live session's database: the ring between two threads, and the file where they wait. */
#include "config.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/random.h"
#include "store/record_file.h"
#include "store/record_ring.h"

enum { RECORDS = 20000, RING_BYTES = 1024 };

/* Record `n`: of a length and with bytes that follow from its number. */
static size_t make(uint64_t n, uint8_t out[SPOOL_RECORD_BYTES_MAX])
{
    size_t length = 8 + n * 7 % 300;
    out[0] = (uint8_t)(n % 3);
    bytes_put_u16(out + 1, (uint16_t)length);
    for (size_t i = 0; i < length; i++)
        out[SPOOL_HEAD_BYTES + i] = (uint8_t)(n + i);
    return SPOOL_HEAD_BYTES + length;
}

static void expect(uint64_t n, const uint8_t *bytes)
{
    uint8_t record[SPOOL_RECORD_BYTES_MAX];
    size_t length = make(n, record);
    cr_assert_not_null(bytes, "record %lu", (unsigned long)n);
    cr_assert_eq(spool_record_bytes(bytes), length, "record %lu", (unsigned long)n);
    cr_assert_eq(memcmp(bytes, record, length), 0, "record %lu", (unsigned long)n);
}

static void *put_all(void *ring)
{
    uint8_t record[SPOOL_RECORD_BYTES_MAX];
    for (uint64_t n = 0; n < RECORDS; n++) {
        size_t length = make(n, record);
        while (!record_ring_put(ring, record, length))
            nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    }
    return NULL;
}

Test(record_ring, gives_what_was_put, .timeout = 60)
{
    struct error error;
    struct record_ring *ring;
    pthread_t thread;
    uint8_t record[SPOOL_RECORD_BYTES_MAX];
    cr_assert_eq(record_ring_open(&ring, RING_BYTES, &error), 0);
    cr_assert_eq(pthread_create(&thread, NULL, put_all, ring), 0);
    for (uint64_t n = 0; n < RECORDS;) {
        if (record_ring_get(ring, record) == 0)
            continue;
        expect(n++, record);
    }
    pthread_join(thread, NULL);
    cr_assert(record_ring_is_empty(ring));
    record_ring_close(&ring);
}

Test(record_ring, a_full_one_takes_none)
{
    struct error error;
    struct record_ring *ring;
    uint8_t record[SPOOL_RECORD_BYTES_MAX];
    uint64_t put = 0;
    cr_assert_eq(record_ring_open(&ring, RING_BYTES, &error), 0);
    while (record_ring_put(ring, record, make(put, record)))
        put++;
    cr_assert(put > 2 && put < RING_BYTES / 11);
    cr_assert_not(record_ring_put(ring, record, make(put, record)));
    for (uint64_t n = 0; n < put; n++) {
        cr_assert_gt(record_ring_get(ring, record), 0);
        expect(n, record);
    }
    cr_assert_eq(record_ring_get(ring, record), 0);
    record_ring_close(&ring);
}

Test(record_file, is_read_from_any_record_while_it_grows)
{
    struct error error;
    struct record_file file;
    struct random random;
    uint8_t record[SPOOL_RECORD_BYTES_MAX];
    const uint8_t *bytes;
    random_init(&random, 7, 0);
    cr_assert_eq(record_file_open(&file, "/tmp/capstan-records", &error), 0, "%s", error.text);
    for (uint64_t written = 0; written < 2000;) {
        for (int i = 0; i < 40; i++, written++)
            cr_assert_eq(record_file_append(&file, record, make(written, record), 1, &error), 0);
        uint64_t from = random_below(&random, written + 1);
        cr_assert_eq(record_file_seek(&file, from, &error), 0, "%s", error.text);
        for (uint64_t n = from; n < written; n++) {
            cr_assert_eq(record_file_next(&file, &bytes, &error), 0, "%s", error.text);
            expect(n, bytes);
        }
        cr_assert_eq(record_file_next(&file, &bytes, &error), 0);
        cr_assert_null(bytes);
    }
    record_file_close(&file);
    record_file_close(&file);
}
