/* Nothing is allocated between opening a tape and finishing it: a counting allocator proves it for
 * the writer, the reader and the decompression alone. And who appends to a tape that grows makes no system call: its
 * thread may make none. Prints TAP itself. */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tape/appender.h"
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

/* --- appending in a thread that the kernel kills for any system call ----------------------------------- */

struct lone_thread {
    struct tape_appender *appender;
    atomic_bool begun, done;
    atomic_bool unable; /* the system has no such mode */
    int failed;
    struct error error;
};

static int append_all(struct tape_appender *appender, struct error *error)
{
    static struct tape_random random;
    int failed = 0;
    tape_random_init(&random, 1, true);
    for (unsigned m = 0; m < MESSAGES && failed == 0; m++) {
        struct message message = tape_random_message(&random);
        while (!tape_appender_takes(appender, &message)) {
        }
        if (tape_appender_is_due(appender, message.ts_local)) {
            const struct tape_state_hash hash = {7, m};
            tape_appender_state_hashes(appender, &hash, 1);
            tape_appender_seal(appender);
        }
        failed = tape_appender_append(appender, &message, error);
    }
    return failed;
}

static void *lone_main(void *context)
{
    enum { STRICT = 1 }; /* SECCOMP_MODE_STRICT: read, write, exit of the thread, nothing else */
    struct lone_thread *lone = context;
    atomic_store(&lone->begun, true);
    if (prctl(PR_SET_SECCOMP, STRICT) != 0)
        atomic_store(&lone->unable, true);
    else
        lone->failed = append_all(lone->appender, &lone->error);
    atomic_store(&lone->done, true);
    for (;;) { /* even to end would be a system call */
    }
    return NULL;
}

static int appended(const char *path, unsigned long *count, bool *unable)
{
    enum { SECONDS = 30, PER_SECOND = 100 };
    static struct lone_thread lone;
    struct tape_header header = tape_random_header();
    const struct tape_appender_options options = {.writer = {.block_events = 1024},
                                                  .sync_every = 1000000000};
    struct tape_recovery recovery;
    pthread_t thread;
    int failed =
        tape_appender_open(&lone.appender, path, &header, &options, &recovery, &lone.error);
    if (failed != 0 || pthread_create(&thread, NULL, lone_main, &lone) != 0)
        return ERROR_SYSTEM;
    while (!atomic_load(&lone.begun))
        usleep(1000);
    unsigned long before = counting_allocator_count();
    for (unsigned i = 0; i < SECONDS * PER_SECOND && !atomic_load(&lone.done); i++)
        usleep(1000000 / PER_SECOND);
    *count = counting_allocator_count() - before;
    *unable = atomic_load(&lone.unable);
    if (!atomic_load(&lone.done))
        return ERROR_SYSTEM;
    return lone.failed != 0 ? lone.failed : tape_appender_finish(&lone.appender, &lone.error);
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
    printf("1..4\n");
    int failed = written(path, 1024, &count);
    report(1, "appending to a tape of small blocks allocates nothing", failed, count);
    failed = written(path, 16384, &count);
    report(2, "appending to a tape of usual blocks allocates nothing", failed, count);
    failed = read_back(path, &count);
    report(3, "reading allocates nothing", failed, count);
    unlink(path);
    bool unable = false;
    failed = appended(path, &count, &unable);
    if (unable)
        printf("ok 4 - # SKIP no strict seccomp here\n");
    else
        report(4, "appending to a journal allocates nothing and makes no system call", failed,
               count);
    unlink(path);
    return 0;
}
