/* kill -9 of processes that write a tape, at random moments, also while they recover it: nothing that was acknowledged is
 * ever lost. Prints TAP itself.
 *
 *   1. A child appends numbered messages as fast as it can and tells in shared memory of each that was taken.
 *   2. A child runs sessions of an engine at a simulated venue; in the end the tape verifies. */
#include "config.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run/verification.h"
#include "tape/journal.h"
#include "tests/unit/live_session.h"
#include "tests/unit/small_tape.h"

enum {
    ROUNDS = 50,
    SESSION_ROUNDS = 25,
    SOON_MS = 100,        /* of a life that dies while it opens and recovers */
    LATE_MESSAGES = 8000, /* that others write before they die, at most */
    LATE_MS = 20000,      /* should they never come to it */
    SESSION_MESSAGES = 20000,
    SESSION_SECONDS = 1000 /* between the markets of two sessions */
};

/* What a child tells of its life. */
struct shared {
    atomic_ullong acknowledged; /* messages on the tape, as far as this child knows */
    atomic_ullong written;      /* by this child */
    atomic_ullong opened;       /* lives that got past recovery */
    atomic_int failed;          /* a child met an error */
    atomic_int ended;           /* this child did, before it was killed */
    struct error error;
};

static struct shared *shared;
static uint64_t chance = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return chance % below;
}

static void remove_files(const char *path)
{
    char name[96];
    unlink(path);
    for (unsigned i = 0; i < TAPE_JOURNALS; i++) {
        snprintf(name, sizeof name, "%s.journal-%u", path, i);
        unlink(name);
    }
}

static _Noreturn void give_up(const struct error *error)
{
    shared->error = *error;
    atomic_store(&shared->failed, 1);
    _exit(1);
}

static void sleep_ns(uint64_t ns)
{
    const struct timespec time = {.tv_nsec = (long)ns};
    nanosleep(&time, NULL);
}

/* Until it has written so many, or has ended. */
static void wait_for(pid_t child, uint64_t messages)
{
    const uint64_t poll_ns = 20000;
    for (uint64_t ns = 0; ns < LATE_MS * UINT64_C(1000000); ns += poll_ns) {
        if (atomic_load(&shared->written) >= messages || kill(child, 0) != 0 ||
            atomic_load(&shared->failed) || atomic_load(&shared->ended))
            return;
        sleep_ns(poll_ns);
    }
}

/* Run `life` in a child and kill it: every third soon, the others in the middle of writing. */
static void live_and_die(void (*life)(const char *), const char *path)
{
    atomic_store(&shared->written, 0);
    atomic_store(&shared->ended, 0);
    pid_t child = fork();
    if (child == 0) {
        life(path);
        atomic_store(&shared->ended, 1);
        _exit(0);
    }
    if (draw(3) == 0)
        sleep_ns(draw(SOON_MS * UINT64_C(1000000)));
    else
        wait_for(child, 1 + draw(LATE_MESSAGES));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* --- numbered messages ---------------------------------------------------------------------------------- */

/* Message `number`: market data, a session record or a decision. */
static struct message numbered(uint64_t number, struct row rows[2], union event_record *record)
{
    struct message message = {.ts_local = (int64_t)(number / 3) * 20000,
                              .stream = EVENT_STREAM(0, 0),
                              .sequence = number};
    if (number % 3 == 0) {
        rows[0] = (struct row){.price = (int64_t)number, .quantity = 1};
        rows[1] = (struct row){.price = 7, .quantity = (int64_t)number, .flags = ROW_LAST};
        message.kind = EVENT_depth;
        message.rows = rows;
        message.row_count = 2;
        return message;
    }
    memset(record, 0, sizeof *record);
    message.kind = number % 3 == 1 ? EVENT_tick : EVENT_cancel;
    if (message.kind == EVENT_tick)
        record->tick.deadline = (int64_t)number;
    else
        record->cancel.order = number;
    message.record = record;
    return message;
}

static int take_numbered(struct live_tape *live, struct sink *sink, uint64_t number,
                         struct error *error)
{
    struct row rows[2];
    union event_record record;
    const struct message message = numbered(number, rows, &record);
    while (!live_tape_takes(live, &message))
        if (live_tape_wait(live, error) != 0)
            return error->code;
    return message.kind >= EVENT_place ? sink->decision(sink, &message, error)
                                       : sink->message(sink, &message, error);
}

static void write_numbers(const char *path)
{
    const struct tape_header header = {.version = TAPE_VERSION,
                                       .origin = TAPE_RECORDED,
                                       .tool_version = "test",
                                       .build_id = "test",
                                       .grade_reasons = "",
                                       .config = "",
                                       .names = *small_tape_names()};
    const struct live_tape_options options = {
        .path = path, .header = &header, .sync_every = 50000000, .block_events = 1024};
    struct live_tape *live = NULL;
    struct tape_recovery recovered;
    struct error error = {0};
    struct tape_check check;
    if (live_tape_open(&live, &options, &recovered, &error) != 0)
        give_up(&error);
    if (recovered.lost_entries + recovered.unwritten != 0) {
        error_set(&error, ERROR_DIFFERENT, "%llu entries of a journal were lost",
                  (unsigned long long)recovered.lost_entries);
        give_up(&error);
    }
    tape_check(path, &check, &error);
    atomic_fetch_add(&shared->opened, 1);
    struct sink *sink = live_tape_sink(live, NULL);
    for (uint64_t number = check.messages;; number++) {
        if (take_numbered(live, sink, number, &error) != 0)
            give_up(&error);
        atomic_store(&shared->acknowledged, number + 1);
        atomic_fetch_add(&shared->written, 1);
    }
}

/* Every message of the tape is that of its number. */
static int check_numbers(const char *path, uint64_t *count, struct error *error)
{
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    uint8_t found[256], expected[256];
    *count = 0;
    int failed = tape_reader_open(&reader, path, error);
    if (failed == 0)
        failed = tape_block_init(&block, reader, error);
    for (size_t b = 0; failed == 0 && b < tape_reader_block_count(reader); b++) {
        failed = tape_reader_read(reader, b, &block, error);
        for (uint32_t m = 0; failed == 0 && m < block.message_count; m++, (*count)++) {
            struct row rows[2];
            union event_record record;
            const struct message message = numbered(*count, rows, &record);
            size_t length = message_encode(&message, expected, sizeof expected);
            if (message_encoded_bytes(&block.messages[m]) != length ||
                message_encode(&block.messages[m], found, sizeof found) != length ||
                memcmp(found, expected, length) != 0)
                failed = error_set(error, ERROR_DIFFERENT, "message %llu is not what was written",
                                   (unsigned long long)*count);
        }
    }
    tape_block_free(&block);
    tape_reader_close(&reader);
    return failed;
}

static int test_numbers(const char *path, struct error *error)
{
    uint64_t count = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct tape_recovery recovered;
        live_and_die(write_numbers, path);
        if (atomic_load(&shared->failed)) {
            *error = shared->error;
            return error->code;
        }
        /* Every other time the next child recovers what two have left. */
        if (round % 2 == 0 || access(path, F_OK) != 0)
            continue;
        int failed = tape_recover(path, &recovered, error);
        if (failed == 0)
            failed = check_numbers(path, &count, error);
        if (failed != 0)
            return failed;
        uint64_t acknowledged = atomic_load(&shared->acknowledged);
        if (count < acknowledged)
            return error_set(error, ERROR_DIFFERENT, "%llu messages, %llu were acknowledged",
                             (unsigned long long)count, (unsigned long long)acknowledged);
    }
    printf("# %u kills, %llu of them behind recovery, %llu messages\n", ROUNDS,
           (unsigned long long)atomic_load(&shared->opened), (unsigned long long)count);
    return atomic_load(&shared->opened) > ROUNDS / 4 && count > 10000
               ? 0
               : error_set(error, ERROR_DIFFERENT, "hardly any life got as far as to write");
}

/* --- sessions ------------------------------------------------------------------------------------------------ */

static unsigned life_number;

static int count_written(struct sink *sink, const struct message *message, struct error *error)
{
    (void)sink, (void)message, (void)error;
    atomic_fetch_add(&shared->written, 1);
    return 0;
}

static void run_session(const char *path)
{
    struct live_world world = {0};
    struct live_session_result result;
    struct error error = {0};
    const struct live_world_options market = {
        .messages = SESSION_MESSAGES,
        .seed = life_number,
        .start = SMALL_TAPE_START + (int64_t)life_number * SESSION_SECONDS * 1000000000};
    struct sink counter = {.market = true, .message = count_written, .decision = count_written};
    const struct live_session_options options = {.path = path, .watcher = &counter};
    if (live_world_open(&world, &market, &error) != 0 ||
        live_session_run(&world, &options, &result, &error) != 0)
        give_up(&error);
    atomic_fetch_add(&shared->opened, 1);
}

static int test_sessions(const char *path, struct error *error)
{
    struct tape_recovery recovered;
    static struct verification_result result;
    for (life_number = 0; life_number < SESSION_ROUNDS; life_number++) {
        live_and_die(run_session, path);
        if (atomic_load(&shared->failed)) {
            *error = shared->error;
            return error->code;
        }
    }
    int failed = tape_recover(path, &recovered, error);
    if (failed == 0)
        failed = verification_run(path, &result, error);
    if (failed == 0)
        printf("# %u kills: %llu sessions, %llu of them cut short, %llu decisions\n",
               SESSION_ROUNDS, (unsigned long long)result.sessions,
               (unsigned long long)result.cut_sessions, (unsigned long long)result.decisions);
    if (failed == 0 && (result.sessions < SESSION_ROUNDS / 3 || result.decisions < 1000))
        failed = error_set(error, ERROR_DIFFERENT, "hardly any session got as far as to trade");
    return failed;
}

static void report(unsigned number, const char *what, int failed, const struct error *error)
{
    if (failed == 0)
        printf("ok %u - %s\n", number, what);
    else
        printf("not ok %u - %s: %s\n", number, what, error->text);
    fflush(stdout);
}

int main(void)
{
    char path[64];
    struct error error = {0};
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    printf("1..2\n");
    fflush(stdout); /* a child has none of it */
    snprintf(path, sizeof path, "live_kill.%ld.tape", (long)getpid());
    report(1, "what was acknowledged is on the tape", test_numbers(path, &error), &error);
    remove_files(path);
    memset(shared, 0, sizeof *shared);
    report(2, "killed sessions verify", test_sessions(path, &error), &error);
    remove_files(path);
    return 0;
}
