/* Nothing is allocated between opening a tape and finishing it: a counting allocator proves it for
 * the writer, the reader and the decompression alone. Prints TAP itself. */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/counting_allocator.h"
#include "tests/unit/tape_random.h"

enum { MESSAGES = 20000 };

static int written(const char *path, unsigned block_events, unsigned long *count)
{
    static struct tape_random random;
    struct error error = {0};
    struct tape_header header = tape_random_header();
    struct tape_writer_options options = {.block_events = block_events};
    struct tape_writer *writer = NULL;
    tape_random_init(&random, 1, true);
    int failed = tape_writer_open(&writer, path, &header, &options, &error);
    unsigned long before = counting_allocator_count();
    for (unsigned m = 0; m < MESSAGES && failed == 0; m++) {
        struct message message = tape_random_message(&random);
        failed = tape_writer_append(writer, &message, &error);
    }
    *count = counting_allocator_count() - before;
    return failed != 0 ? failed : tape_writer_finish(&writer, &error);
}

static int read_back(const char *path, unsigned long *count)
{
    struct error error = {0};
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    int failed = tape_reader_open(&reader, path, &error);
    if (failed == 0)
        failed = tape_block_init(&block, reader, &error);
    unsigned long before = counting_allocator_count();
    for (size_t b = 0; failed == 0 && b < tape_reader_block_count(reader); b++) {
        failed = tape_reader_decompress(reader, b, &error);
        if (failed == 0)
            failed = tape_reader_read(reader, b, &block, &error);
        tape_reader_seek(reader, block.last_ts);
        tape_reader_snapshot_before(reader, block.last_ts);
    }
    *count = counting_allocator_count() - before;
    tape_block_free(&block);
    tape_reader_close(&reader);
    return failed;
}

static void report(unsigned number, const char *what, int failed, unsigned long count)
{
    if (failed == 0 && count == 0)
        printf("ok %u - %s\n", number, what);
    else
        printf("not ok %u - %s: %lu allocations, error %d\n", number, what, count, failed);
}

int main(void)
{
    char path[64];
    unsigned long count = 0;
    if (!counting_allocator_works()) {
        printf("1..0 # SKIP the allocator can't be counted here\n");
        return 0;
    }
    snprintf(path, sizeof path, "tape_allocation.%ld.tape", (long)getpid());
    printf("1..3\n");
    int failed = written(path, 1024, &count);
    report(1, "appending to a tape of small blocks allocates nothing", failed, count);
    failed = written(path, 16384, &count);
    report(2, "appending to a tape of usual blocks allocates nothing", failed, count);
    failed = read_back(path, &count);
    report(3, "reading allocates nothing", failed, count);
    unlink(path);
    return 0;
}
