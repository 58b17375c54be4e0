/* A tape that grows: what was appended is there, after an end and after every kind of death. */
#include "config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "tape/growing.h"
#include "tests/unit/tape_random.h"

enum { PATH_BYTES = 64, FILE_BYTES = 96, FILES = 1 + TAPE_JOURNALS };

static struct tape_random chance;

/* --- files ------------------------------------------------------------------------------------------- */

static void path_of(const char *test, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "tape_appender_test-%s.%ld.tape", test, (long)getpid());
}

/* The tape and its journals. */
static void file_of(const char *tape, unsigned file, char out[FILE_BYTES])
{
    if (file == 0)
        snprintf(out, FILE_BYTES, "%s", tape);
    else
        snprintf(out, FILE_BYTES, "%.63s.journal-%u", tape, file - 1);
}

static void remove_all(const char *tape)
{
    char path[FILE_BYTES];
    for (unsigned file = 0; file < FILES; file++) {
        file_of(tape, file, path);
        unlink(path);
    }
}

static uint8_t *read_file(const char *path, size_t *length)
{
    struct stat status;
    int fd = open(path, O_RDONLY);
    *length = 0;
    if (fd < 0)
        return NULL;
    cr_assert_eq(fstat(fd, &status), 0);
    uint8_t *bytes = malloc((size_t)status.st_size + 1);
    cr_assert_eq(read(fd, bytes, (size_t)status.st_size), (ssize_t)status.st_size);
    close(fd);
    *length = (size_t)status.st_size;
    return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

/* What a death leaves behind: copies of all files as they are. */
struct remains {
    uint8_t *bytes[FILES];
    size_t length[FILES];
};

static struct remains take_remains(const char *tape)
{
    struct remains remains;
    char path[FILE_BYTES];
    for (unsigned file = 0; file < FILES; file++) {
        file_of(tape, file, path);
        remains.bytes[file] = read_file(path, &remains.length[file]);
    }
    return remains;
}

static void put_remains(const char *tape, const struct remains *remains)
{
    char path[FILE_BYTES];
    for (unsigned file = 0; file < FILES; file++) {
        file_of(tape, file, path);
        unlink(path);
        if (remains->bytes[file] != NULL)
            write_file(path, remains->bytes[file], remains->length[file]);
    }
}

static void free_remains(struct remains *remains)
{
    for (unsigned file = 0; file < FILES; file++)
        free(remains->bytes[file]);
}

/* --- appending --------------------------------------------------------------------------------------- */

static struct tape_appender *open_tape(const char *path, struct tape_recovery *recovery)
{
    struct tape_header header = tape_random_header();
    struct tape_appender_options options = {.writer = {.block_events = 1024},
                                            .sync_every = 1000000000};
    struct tape_appender *appender = NULL;
    struct error error = {0};
    cr_assert_eq(tape_appender_open(&appender, path, &header, &options, recovery, &error), 0, "%s",
                 error.text);
    return appender;
}

static void append(struct tape_appender *appender, const struct message *message)
{
    struct error error = {0};
    cr_assert_eq(tape_appender_wait(appender, &error), 0, "%s", error.text);
    if (message->kind < EVENT_place && tape_appender_is_due(appender, message->ts_local))
        tape_appender_seal(appender);
    cr_assert(tape_appender_takes(appender, message));
    cr_assert_eq(tape_appender_append(appender, message, &error), 0, "%s", error.text);
}

static void append_random(struct tape_appender *appender, unsigned messages)
{
    for (unsigned m = 0; m < messages; m++) {
        struct message message = tape_random_message(&chance);
        append(appender, &message);
    }
}

static void finish(struct tape_appender *appender)
{
    struct error error = {0};
    cr_assert_eq(tape_appender_finish(&appender, &error), 0, "%s", error.text);
}

/* --- what must be on the tape ------------------------------------------------------------------------- */

/* Identity of the first messages of a seed. */
static void identity_of(uint64_t seed, bool wild, unsigned messages,
                        uint8_t out[TAPE_IDENTITY_BYTES])
{
    static struct tape_random own;
    struct tape_identity identity;
    cr_assert_eq(tape_identity_open(&identity, TAPE_RANDOM_ROWS_MAX, NULL), 0);
    tape_random_init(&own, seed, wild);
    for (unsigned m = 0; m < messages; m++) {
        struct message message = tape_random_message(&own);
        tape_identity_add(&identity, &message);
    }
    tape_identity_get(&identity, out);
    tape_identity_close(&identity);
}

/* The tape is whole, finished or not, and holds the first `messages` of the seed. */
static void assert_holds(const char *path, uint64_t seed, bool wild, unsigned messages,
                         bool finished)
{
    struct tape_check check;
    struct error error = {0};
    uint8_t expected[TAPE_IDENTITY_BYTES];
    int failed = tape_check(path, &check, &error);
    cr_assert_eq(failed == 0, finished, "%s", error.text);
    if (failed != 0)
        cr_assert(strstr(error.text, "not finished") != NULL, "%s", error.text);
    cr_assert_eq(check.messages, messages);
    identity_of(seed, wild, messages, expected);
    cr_assert(memcmp(check.identity, expected, sizeof expected) == 0);
}

static void recover(const char *path, struct tape_recovery *recovery)
{
    struct error error = {0};
    cr_assert_eq(tape_recover(path, recovery, &error), 0, "%s", error.text);
}

static void assert_no_journals(const char *tape)
{
    char path[FILE_BYTES];
    for (unsigned file = 1; file < FILES; file++) {
        file_of(tape, file, path);
        cr_assert_neq(access(path, F_OK), 0);
    }
}

/* --- tests -------------------------------------------------------------------------------------------- */

Test(appender, appends_across_sessions)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    path_of("sessions", path);
    tape_random_init(&chance, 3, true);
    for (unsigned session = 0; session < 3; session++) {
        struct tape_appender *appender = open_tape(path, &recovery);
        cr_assert_eq(recovery.made, session == 0);
        cr_assert_eq(recovery.was_finished, session > 0);
        cr_assert_eq(recovery.messages, 0);
        append_random(appender, 3000);
        finish(appender);
        assert_holds(path, 3, true, 3000 * (session + 1), true);
        assert_no_journals(path);
    }
    remove_all(path);
}

/* State hashes stand with the block in which they were given. */
Test(appender, keeps_state_hashes)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    struct error error = {0};
    struct tape_reader *reader = NULL;
    struct tape_block block;
    path_of("hashes", path);
    tape_random_init(&chance, 4, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    const struct tape_state_hash hashes[] = {{1, 17}, {40000, UINT64_MAX}};
    append_random(appender, 2);
    tape_appender_state_hashes(appender, hashes, 2);
    cr_assert_eq(tape_appender_sync(appender, &error), 0);
    append_random(appender, 3);
    tape_appender_state_hashes(appender, hashes, 1);
    tape_appender_abandon(&appender);
    recover(path, &recovery);
    cr_assert_eq(recovery.messages, 3);
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0, "%s", error.text);
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    cr_assert_eq(tape_reader_block_count(reader), 2);
    cr_assert_eq(tape_reader_read(reader, 0, &block, &error), 0);
    cr_assert_eq(block.state_hash_count, 2);
    cr_assert_eq(block.state_hashes[1].room, 40000);
    cr_assert_eq(block.state_hashes[1].hash, UINT64_MAX);
    cr_assert_eq(tape_reader_read(reader, 1, &block, &error), 0);
    cr_assert_eq(block.state_hash_count, 1);
    cr_assert_eq(block.state_hashes[0].hash, 17);
    tape_block_free(&block);
    tape_reader_close(&reader);
    remove_all(path);
}

/* The process stops anywhere: all that was appended is there, and the next session goes on behind it. */
Test(appender, loses_nothing_at_any_message)
{
    enum { MESSAGES = 4000, STEP = 97 };
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    path_of("death", path);
    tape_random_init(&chance, 5, true);
    unsigned done = 0;
    while (done < MESSAGES) {
        struct tape_appender *appender = open_tape(path, &recovery);
        cr_assert_eq(recovery.lost_entries + recovery.torn_bytes + recovery.unwritten, 0);
        append_random(appender, STEP);
        done += STEP;
        tape_appender_abandon(&appender);
        if (done % 2 == 0) {
            recover(path, &recovery);
            assert_holds(path, 5, true, done, false);
        }
    }
    finish(open_tape(path, &recovery));
    assert_holds(path, 5, true, done, true);
    remove_all(path);
}

/* Copies of the files while a session writes, at each message. */
Test(appender, recovers_from_what_stood_there_at_each_message)
{
    enum { MESSAGES = 260 };
    char path[PATH_BYTES], copy[PATH_BYTES];
    struct tape_recovery recovery;
    path_of("copies", path);
    path_of("copy", copy);
    tape_random_init(&chance, 6, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    for (unsigned m = 1; m <= MESSAGES; m++) {
        append_random(appender, 1);
        if (m % 13 != 0)
            continue;
        /* The tape's thread is somewhere between two messages: the tape is copied first, so that a block may be
         * in it and in its journal, or in its journal alone. */
        struct remains remains = take_remains(path);
        put_remains(copy, &remains);
        recover(copy, &recovery);
        assert_holds(copy, 6, false, m, false);
        recover(copy, &recovery);
        cr_assert_eq(recovery.messages, 0);
        assert_holds(copy, 6, false, m, false);
        free_remains(&remains);
    }
    finish(appender);
    assert_holds(path, 6, false, MESSAGES, true);
    remove_all(path);
    remove_all(copy);
}

/* A few messages in a journal, cut at each byte: the whole ones before are there, the rest is counted. */
Test(appender, torn_journal_ends_at_its_last_whole_message)
{
    enum { MESSAGES = 3 };
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    size_t ends[MESSAGES + 1] = {TAPE_JOURNAL_HEAD_BYTES};
    path_of("torn", path);
    tape_random_init(&chance, 8, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    for (unsigned m = 0; m < MESSAGES; m++) {
        struct message message = tape_random_message(&chance);
        append(appender, &message);
        size_t bytes = (message_encoded_bytes(&message) + 7) / 8 * 8;
        ends[m + 1] = ends[m] + TAPE_JOURNAL_ENTRY_BYTES + bytes;
    }
    tape_appender_abandon(&appender);
    struct remains remains = take_remains(path);
    for (size_t cut = ends[0]; cut <= ends[MESSAGES];
         cut += cut < ends[1] || cut > ends[2] ? 1 : 7) {
        struct remains torn = {{0}, {0}};
        unsigned whole = 0;
        torn.bytes[0] = remains.bytes[0], torn.length[0] = remains.length[0];
        torn.bytes[1] = calloc(1, TAPE_JOURNAL_BYTES), torn.length[1] = TAPE_JOURNAL_BYTES;
        memcpy(torn.bytes[1], remains.bytes[1], cut);
        put_remains(path, &torn);
        free(torn.bytes[1]);
        /* Padding to the next entry is no part of a message. */
        for (unsigned m = 1; m <= MESSAGES; m++)
            whole += cut + 7 >= ends[m] && memcmp(remains.bytes[1] + cut, (const uint8_t[8]){0},
                                                  ends[m] > cut ? ends[m] - cut : 0) == 0;
        struct error error = {0};
        cr_assert_eq(tape_recover(path, &recovery, &error), 0, "at %zu: %s", cut, error.text);
        cr_assert_eq(recovery.messages, whole, "at %zu: %u", cut, (unsigned)recovery.messages);
        if (recovery.lost_entries == 0)
            assert_holds(path, 8, false, whole, false);
    }
    free_remains(&remains);
    remove_all(path);
}

/* Bits that turn in a journal are found by its hashes; what stands behind them is lost, and a gap says so. */
Test(appender, damaged_journal_is_cut_and_told)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    struct error error = {0};
    path_of("turned", path);
    tape_random_init(&chance, 9, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    append_random(appender, 10);
    tape_appender_abandon(&appender);
    struct remains remains = take_remains(path);
    remains.bytes[1][TAPE_JOURNAL_HEAD_BYTES + TAPE_JOURNAL_ENTRY_BYTES + 9] ^= 4;
    put_remains(path, &remains);
    recover(path, &recovery);
    cr_assert_eq(recovery.messages, 0);
    cr_assert_eq(recovery.lost_entries, 10);
    struct tape_reader *reader = NULL;
    struct tape_block block;
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0);
    cr_assert_eq(tape_reader_block_count(reader), 1);
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    cr_assert_eq(tape_reader_read(reader, 0, &block, &error), 0);
    cr_assert_eq(block.message_count, 1);
    cr_assert_eq(block.messages[0].kind, EVENT_gap);
    cr_assert_eq(block.messages[0].stream, EVENT_NONE_16);
    cr_assert_eq(block.records[0].gap.cause, GAP_DAMAGE);
    cr_assert_eq(block.records[0].gap.expected, 10);
    tape_block_free(&block);
    tape_reader_close(&reader);
    free_remains(&remains);
    remove_all(path);
}

/* Recovery is killed at each byte that it writes, or before it emptied a journal: done again it comes to the same. */
Test(appender, recovery_can_die_anywhere)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    size_t before, after;
    path_of("recovery", path);
    tape_random_init(&chance, 10, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    append_random(appender, 20);
    tape_appender_abandon(&appender);
    struct remains remains = take_remains(path);
    before = remains.length[0];
    recover(path, &recovery);
    uint8_t *recovered = read_file(path, &after);
    cr_assert_gt(after, before);
    for (size_t length = before; length <= after; length += length + 40 < after ? 31 : 1) {
        struct remains died = remains;
        died.bytes[0] = recovered, died.length[0] = length;
        put_remains(path, &died);
        recover(path, &recovery);
        cr_assert_eq(recovery.messages, length < after ? 20 : 0);
        cr_assert_eq(recovery.lost_entries, 0);
        size_t again_length;
        uint8_t *again = read_file(path, &again_length);
        cr_assert_eq(again_length, after);
        cr_assert(memcmp(again, recovered, after) == 0);
        free(again);
    }
    free(recovered);
    free_remains(&remains);
    remove_all(path);
}

/* A power cut may bring a later journal to the disk and not the block before it. */
Test(appender, journal_that_does_not_follow_is_lost_and_told)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    struct error error = {0};
    path_of("follow", path);
    tape_random_init(&chance, 11, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    struct remains first = take_remains(path);
    append_random(appender, 5);
    cr_assert_eq(tape_appender_sync(appender, &error), 0, "%s", error.text);
    append_random(appender, 7);
    tape_appender_abandon(&appender);
    struct remains later = take_remains(path);
    struct remains lost = {{first.bytes[0], first.bytes[1], later.bytes[2]},
                           {first.length[0], first.length[1], later.length[2]}};
    put_remains(path, &lost);
    recover(path, &recovery);
    cr_assert_eq(recovery.messages, 0);
    cr_assert_eq(recovery.lost_entries, 7);
    recover(path, &recovery);
    cr_assert_eq(recovery.lost_entries, 0);
    cr_assert_eq(recovery.blocks, 1);
    finish(open_tape(path, &recovery));
    struct tape_check check;
    cr_assert_eq(tape_check(path, &check, &error), 0, "%s", error.text);
    cr_assert_eq(check.messages, 1);
    free_remains(&first);
    free_remains(&later);
    remove_all(path);
}

/* The end of the tape is torn, and its journal holds what stood there. */
Test(appender, torn_tape_is_made_whole_by_its_journal)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    struct error error = {0};
    path_of("tape", path);
    tape_random_init(&chance, 12, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    append_random(appender, 50);
    cr_assert_eq(tape_appender_sync(appender, &error), 0);
    append_random(appender, 30);
    struct remains before = take_remains(path);
    cr_assert_eq(tape_appender_sync(appender, &error), 0);
    tape_appender_abandon(&appender);
    struct remains after = take_remains(path);
    for (size_t length = before.length[0]; length < after.length[0]; length += 57) {
        struct remains torn = before;
        torn.bytes[0] = after.bytes[0], torn.length[0] = length;
        put_remains(path, &torn);
        recover(path, &recovery);
        cr_assert_eq(recovery.torn_bytes, length - before.length[0]);
        cr_assert_eq(recovery.messages, 30);
        assert_holds(path, 12, false, 80, false);
    }
    free_remains(&before);
    free_remains(&after);
    remove_all(path);
}

Test(appender, damage_in_the_middle_is_an_error_and_left_alone)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    struct error error = {0};
    path_of("middle", path);
    tape_random_init(&chance, 13, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    for (unsigned block = 0; block < 3; block++) {
        append_random(appender, 40);
        cr_assert_eq(tape_appender_sync(appender, &error), 0);
    }
    append_random(appender, 5);
    tape_appender_abandon(&appender);
    struct remains remains = take_remains(path);
    remains.bytes[0][remains.length[0] / 2] ^= 1;
    put_remains(path, &remains);
    cr_assert_eq(tape_recover(path, &recovery, &error), ERROR_INPUT);
    cr_assert(strstr(error.text, "middle") != NULL, "%s", error.text);
    struct tape_header header = tape_random_header();
    struct tape_appender_options options = {.sync_every = 1};
    cr_assert_eq(tape_appender_open(&appender, path, &header, &options, &recovery, &error),
                 ERROR_INPUT);
    struct remains left = take_remains(path);
    for (unsigned file = 0; file < FILES; file++) {
        cr_assert_eq(left.length[file], remains.length[file]);
        cr_assert(memcmp(left.bytes[file], remains.bytes[file], left.length[file]) == 0);
    }
    free_remains(&left);
    free_remains(&remains);
    remove_all(path);
}

Test(appender, one_process_writes_a_tape)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    struct error error = {0};
    struct tape_appender *second = NULL;
    struct tape_writer *writer = NULL;
    struct tape_check check;
    path_of("lock", path);
    tape_random_init(&chance, 14, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    append_random(appender, 3);
    struct tape_header header = tape_random_header();
    struct tape_appender_options options = {.sync_every = 1};
    cr_assert_eq(tape_appender_open(&second, path, &header, &options, &recovery, &error),
                 ERROR_INPUT);
    cr_assert(strstr(error.text, "another process") != NULL, "%s", error.text);
    cr_assert_eq(tape_recover(path, &recovery, &error), ERROR_INPUT);
    cr_assert_eq(tape_writer_open(&writer, path, &header, NULL, &error), ERROR_INPUT);
    cr_assert(strstr(error.text, "another process") != NULL, "%s", error.text);
    cr_assert_eq(tape_repair(path, path, &check, &error), ERROR_INPUT);
    finish(appender);
    assert_holds(path, 14, false, 3, true);
    remove_all(path);
}

/* Journals with messages are never those of a tape that is made anew. */
Test(appender, journals_of_a_tape_that_is_gone_are_an_error)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    struct error error = {0};
    path_of("gone", path);
    tape_random_init(&chance, 15, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    append_random(appender, 3);
    tape_appender_abandon(&appender);
    unlink(path);
    struct tape_header header = tape_random_header();
    struct tape_appender_options options = {.sync_every = 1};
    cr_assert_eq(tape_appender_open(&appender, path, &header, &options, &recovery, &error),
                 ERROR_INPUT);
    cr_assert(strstr(error.text, "journal-0") != NULL, "%s", error.text);
    cr_assert_neq(access(path, F_OK), 0);
    cr_assert_eq(tape_recover(path, &recovery, &error), ERROR_INPUT);
    remove_all(path);
}

Test(appender, refuses_what_a_tape_can_not_carry)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    struct error error = {0};
    path_of("refuses", path);
    tape_random_init(&chance, 16, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    append_random(appender, 1);
    struct message message = tape_random_message(&chance);
    const union event_record mark = {.mark = {.instrument = 3}};
    struct message early = message, stream = message, flags = message, record = message;
    early.ts_local = 0;
    stream.stream = EVENT_STREAM(3, 0);
    flags.flags = 0x80;
    record.kind = EVENT_mark, record.rows = NULL, record.row_count = 0, record.record = &mark;
    const struct message *const bad[] = {&early, &stream, &flags, &record};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(tape_appender_append(appender, bad[i], &error), ERROR_INPUT, "%u", i);
    append(appender, &message);
    finish(appender);
    assert_holds(path, 16, false, 2, true);
    remove_all(path);
}

/* --- not writable ---------------------------------------------------------------------------------------- */

static struct message session_message(int64_t ts, union event_record *record)
{
    *record = (union event_record){.tick = {.deadline = ts}};
    return (struct message){
        .ts_local = ts, .stream = EVENT_NONE_16, .kind = EVENT_tick, .record = record};
}

static struct message decision_message(int64_t ts, union event_record *record)
{
    *record = (union event_record){.cancel = {.order = 1}};
    return (struct message){
        .ts_local = ts, .stream = EVENT_NONE_16, .kind = EVENT_cancel, .record = record};
}

static struct message gap_message(int64_t ts, union event_record *record)
{
    *record = (union event_record){.gap = {.cause = GAP_NOT_WRITTEN}};
    return (struct message){
        .ts_local = ts, .stream = EVENT_STREAM(0, 0), .kind = EVENT_gap, .record = record};
}

/* The disk takes nothing behind `bytes`; RLIM_INFINITY: it takes all. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void wait_for_trouble(struct tape_appender *appender, enum error_code code)
{
    struct error trouble = {0};
    while (!tape_appender_trouble(appender, &trouble))
        usleep(1000);
    cr_assert_eq(trouble.code, code, "%s", trouble.text);
}

/* Market data finds no room while the disk is full, session messages do until the reserve is used, decisions until
 * the journal is; then there is room again, and all is there. */
Test(appender, full_disk_leaves_a_reserve)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    struct error error = {0};
    union event_record record;
    path_of("full", path);
    signal(SIGXFSZ, SIG_IGN);
    tape_random_init(&chance, 17, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    struct message market = tape_random_message(&chance);
    append(appender, &market);
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    limit_files((rlim_t)status.st_size + 10);
    cr_assert_eq(tape_appender_sync(appender, &error), ERROR_SYSTEM);
    wait_for_trouble(appender, ERROR_SYSTEM);
    cr_assert_eq(tape_appender_state(appender), TAPE_RESERVE);
    cr_assert_not(tape_appender_has_failed(appender));
    int64_t ts = market.ts_local;
    cr_assert_not(tape_appender_takes(appender, &market));
    struct message gap = gap_message(ts, &record);
    cr_assert(tape_appender_takes(appender, &gap));
    uint64_t appended = 1, decisions = 0;
    for (;; appended++) {
        struct message tick = session_message(ts, &record);
        if (!tape_appender_takes(appender, &tick))
            break;
        cr_assert_eq(tape_appender_append(appender, &tick, &error), 0, "%s", error.text);
    }
    cr_assert_eq(tape_appender_state(appender), TAPE_SHUT);
    cr_assert_gt(appended, 32 * 1024);
    struct message decision = decision_message(ts, &record);
    while (tape_appender_append(appender, &decision, &error) == 0)
        decisions++;
    cr_assert_eq(error.code, ERROR_SYSTEM);
    cr_assert_geq(decisions, 8000);
    cr_assert(strstr(error.text, "not writable") != NULL, "%s", error.text);
    limit_files(RLIM_INFINITY);
    wait_for_trouble(appender, ERROR_NONE);
    cr_assert_eq(tape_appender_wait(appender, &error), 0, "%s", error.text);
    cr_assert_eq(tape_appender_state(appender), TAPE_WRITABLE);
    append(appender, &market);
    finish(appender);
    struct tape_check check;
    cr_assert_eq(tape_check(path, &check, &error), 0, "%s", error.text);
    cr_assert_eq(check.messages, appended + decisions + 1);
    cr_assert_eq(check.blocks, 3);
    remove_all(path);
}

/* It stays full until the process dies; then recovery has both journals, and tells of what left unwritten. */
Test(appender, full_disk_until_the_end)
{
    char path[PATH_BYTES];
    struct tape_recovery recovery;
    struct error error = {0};
    union event_record record;
    path_of("never", path);
    signal(SIGXFSZ, SIG_IGN);
    tape_random_init(&chance, 18, false);
    struct tape_appender *appender = open_tape(path, &recovery);
    append_random(appender, 4);
    int64_t ts = chance.ts_local;
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    limit_files((rlim_t)status.st_size + 10);
    cr_assert_eq(tape_appender_sync(appender, &error), ERROR_SYSTEM);
    struct message tick = session_message(ts, &record);
    cr_assert_eq(tape_appender_append(appender, &tick, &error), 0);
    tape_appender_unwritten(appender, 2);
    tape_appender_unwritten(appender, 1);
    cr_assert_eq(tape_appender_finish(&appender, &error), ERROR_SYSTEM);
    limit_files(RLIM_INFINITY);
    recover(path, &recovery);
    cr_assert_eq(recovery.journals, 2);
    cr_assert_eq(recovery.messages, 5);
    cr_assert_eq(recovery.unwritten, 3);
    struct tape_reader *reader = NULL;
    struct tape_block block;
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0);
    cr_assert_eq(tape_reader_block_count(reader), 2);
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    cr_assert_eq(tape_reader_read(reader, 1, &block, &error), 0);
    cr_assert_eq(block.message_count, 2);
    cr_assert_eq(block.messages[1].kind, EVENT_gap);
    cr_assert_eq(block.records[1].gap.cause, GAP_NOT_WRITTEN);
    cr_assert_eq(block.records[1].gap.expected, 3);
    tape_block_free(&block);
    tape_reader_close(&reader);
    remove_all(path);
}
