/* Sessions on a tape that is written live: killed anywhere, recovered, folded, gone on with; verify holds. */
#include "config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/verification.h"
#include "tape/journal.h"
#include "tests/unit/live_session.h"
#include "tests/unit/small_tape.h"

enum { PATH_BYTES = 64, FILE_BYTES = 96 };

static struct error error;
static char path[PATH_BYTES];

static void name_file(void)
{
    snprintf(path, sizeof path, "live_tape_test.%ld.tape", (long)getpid());
}

static void remove_files(void)
{
    char file[FILE_BYTES];
    unlink(path);
    for (unsigned i = 0; i < TAPE_JOURNALS; i++) {
        snprintf(file, sizeof file, "%s.journal-%u", path, i);
        unlink(file);
    }
}

TestSuite(live_tape, .init = name_file, .fini = remove_files);

static void open_world(struct live_world *world, unsigned messages, unsigned shutdown_at)
{
    const struct live_world_options options = {.messages = messages, .shutdown_at = shutdown_at};
    cr_assert_eq(live_world_open(world, &options, &error), 0, "%s", error.text);
}

static struct live_session_result session(struct live_world *world, uint64_t dies_after)
{
    struct live_session_result result;
    const struct live_session_options options = {.path = path, .dies_after = dies_after};
    cr_assert_eq(live_session_run(world, &options, &result, &error), 0, "%s", error.text);
    return result;
}

static struct verification_result verified(void)
{
    static struct verification_result result;
    cr_assert_eq(verification_run(path, &result, &error), 0, "%s", error.text);
    return result;
}

/* Decisions that a sink is told of which listens to what the tape has. */
struct listener {
    struct sink sink;
    uint64_t decisions;
};

static int count_decision(struct sink *sink, const struct message *decision, struct error *why)
{
    (void)decision;
    (void)why;
    ((struct listener *)sink)->decisions++;
    return 0;
}

static uint64_t decisions_told(void)
{
    struct verification verification = {0};
    struct verification_result result = {0};
    struct listener listener = {.sink = {.decision = count_decision}};
    cr_assert_eq(verification_open(&verification, path, &error), 0, "%s", error.text);
    verification_add_told(&verification, &listener.sink);
    cr_assert_eq(verification_execute(&verification, &result, &error), 0, "%s", error.text);
    verification_close(&verification);
    return listener.decisions;
}

/* The tape is whole and has so many messages. */
static void assert_messages(uint64_t messages)
{
    struct tape_check check;
    cr_assert_eq(tape_check(path, &check, &error), 0, "%s", error.text);
    cr_assert_eq(check.messages, messages, "%lu, expected %lu", (unsigned long)check.messages,
                 (unsigned long)messages);
}

Test(live_tape, sessions_that_end_follow_each_other)
{
    struct live_world world = {0};
    open_world(&world, 3000, 1500);
    struct live_session_result first = session(&world, 0);
    cr_assert(first.recovered.made);
    cr_assert_eq(first.fold.starts, 0);
    struct live_session_result second = session(&world, 0);
    cr_assert(second.recovered.was_finished);
    cr_assert_eq(second.fold.starts, 1);
    cr_assert_eq(second.fold.epoch, 1);
    cr_assert_eq(second.fold.messages, first.acknowledged);
    assert_messages(first.acknowledged + second.acknowledged);
    struct verification_result result = verified();
    cr_assert_eq(result.sessions, 2);
    cr_assert_eq(result.cut_sessions, 0);
    cr_assert_gt(result.decisions, 300);
    cr_assert_gt(result.state_hashes, 100);
    live_world_close(&world);
}

/* Death after one message or decision, after two, after three … */
Test(live_tape, nothing_is_lost_wherever_it_is_killed)
{
    struct live_world world = {0};
    uint64_t messages = 0, sessions = 0;
    open_world(&world, 4000, 0);
    for (bool killed = true; killed; sessions++) {
        /* Some live long enough to have orders, fills and blocks. */
        struct live_session_result result =
            session(&world, sessions % 8 == 7 ? 700 + sessions : sessions + 1);
        cr_assert_eq(result.recovered.lost_entries + result.recovered.torn_bytes, 0);
        cr_assert_eq(result.fold.messages, messages);
        cr_assert_eq(result.fold.epoch, sessions);
        messages += result.acknowledged;
        killed = result.killed;
    }
    assert_messages(messages);
    struct verification_result result = verified();
    cr_assert_eq(result.sessions, sessions);
    cr_assert_gt(result.cut_sessions, sessions / 2);
    cr_assert_gt(result.decisions, 1000);
    cr_assert_eq(decisions_told(), result.decisions, "%llu told, %llu on the tape",
                 (unsigned long long)decisions_told(), (unsigned long long)result.decisions);
    live_world_close(&world);
}

/* --- torn journals ---------------------------------------------------------------------------------------- */

static uint8_t *read_file(const char *name, size_t *length)
{
    struct stat status;
    int fd = open(name, O_RDONLY);
    cr_assert(fd >= 0 && fstat(fd, &status) == 0);
    *length = (size_t)status.st_size;
    uint8_t *bytes = malloc(*length);
    cr_assert_eq(read(fd, bytes, *length), status.st_size);
    close(fd);
    return bytes;
}

static void write_file(const char *name, const uint8_t *bytes, size_t length)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    close(fd);
}

/* Where what stands in a journal ends. */
static size_t end_of(const uint8_t *journal)
{
    size_t end = TAPE_JOURNAL_BYTES;
    while (end > 0 && journal[end - 1] == 0)
        end--;
    return end;
}

/* A session died, and of what it wrote last more and more is torn off, byte by byte: each time another session goes on
 * from what is left, and verify holds. */
Test(live_tape, verify_holds_wherever_the_journal_is_torn)
{
    enum { BYTES = 700, STEP = 13 };
    struct live_world world = {0};
    char name[FILE_BYTES];
    size_t tape_bytes, journal_bytes;
    open_world(&world, 300, 0);
    session(&world, 120);
    live_world_close(&world);
    snprintf(name, sizeof name, "%s.journal-0", path);
    uint8_t *tape = read_file(path, &tape_bytes), *journal = read_file(name, &journal_bytes);
    size_t end = end_of(journal);
    for (size_t torn = 0; torn < BYTES; torn += STEP) {
        memset(journal + end - torn, 0, torn);
        write_file(path, tape, tape_bytes);
        write_file(name, journal, journal_bytes);
        struct live_world next = {0};
        const struct live_world_options options = {.messages = 80,
                                                   .start = INT64_C(1723161300) * 1000000000};
        cr_assert_eq(live_world_open(&next, &options, &error), 0);
        struct live_session_result result = session(&next, 0);
        cr_assert_leq(result.fold.messages, 121);
        assert_messages(result.fold.messages + result.acknowledged);
        cr_assert_eq(verified().sessions, 2);
        live_world_close(&next);
    }
    free(tape);
    free(journal);
}

/* --- what must be the same --------------------------------------------------------------------------------- */

Test(live_tape, another_configuration_needs_another_tape)
{
    struct live_world world = {0};
    struct live_session_result result;
    const struct live_session_options options = {.path = path, .setting = "quote.levels=4"};
    open_world(&world, 100, 0);
    session(&world, 50);
    cr_assert_eq(live_session_run(&world, &options, &result, &error), ERROR_INPUT);
    cr_assert(strstr(error.text, "quote.levels is 4, the tape has 3") != NULL, "%s", error.text);
    cr_assert(strstr(error.text, "begin a new tape") != NULL, "%s", error.text);
    session(&world, 0);
    live_world_close(&world);
}

/* --- not writable ------------------------------------------------------------------------------------------- */

/* What the engine did while the tape could not be written. */
struct watcher {
    struct sink sink; /* first: the loop holds a pointer to it */
    unsigned lost, regained;
    uint64_t dropped;
    unsigned placed_while_lost, cancelled_while_lost, placed_after;
};

static int watch_message(struct sink *sink, const struct message *message, struct error *unused)
{
    (void)unused;
    struct watcher *watcher = (struct watcher *)sink;
    if (message->kind != EVENT_gap)
        return 0;
    const struct event_gap *gap = &message->record->gap;
    cr_assert_eq(gap->cause, GAP_NOT_WRITTEN);
    watcher->lost += gap->expected == 0;
    watcher->regained += gap->expected != 0;
    watcher->dropped += gap->expected;
    return 0;
}

static int watch_decision(struct sink *sink, const struct message *decision, struct error *unused)
{
    (void)unused;
    struct watcher *watcher = (struct watcher *)sink;
    bool lost = watcher->lost > 1 && watcher->regained == 0;
    bool places = decision->kind == EVENT_place || decision->kind == EVENT_modify ||
                  decision->kind == EVENT_replace;
    watcher->placed_while_lost += lost && places;
    watcher->cancelled_while_lost += lost && decision->kind == EVENT_cancel;
    watcher->placed_after += watcher->regained > 0 && places;
    return 0;
}

/* Each book is lost by a gap, all is cancelled and nothing placed; then what was dropped is told, and quoting begins anew
 * with the next snapshots. */
Test(live_tape, a_full_disk_is_a_gap_and_cancels_all)
{
    struct live_world world = {0};
    struct live_session_result result;
    struct watcher watcher = {
        .sink = {.market = true, .message = watch_message, .decision = watch_decision}};
    const struct live_session_options options = {
        .path = path, .watcher = &watcher.sink, .full_from = 700, .full_until = 900};
    open_world(&world, 2000, 0);
    cr_assert_eq(live_session_run(&world, &options, &result, &error), 0, "%s", error.text);
    cr_assert_eq(watcher.lost, 2);
    cr_assert_eq(watcher.regained, 2);
    cr_assert_eq(result.dropped, 200);
    cr_assert_eq(watcher.dropped, 200);
    cr_assert(result.wanted_snapshots);
    cr_assert_eq(watcher.placed_while_lost, 0);
    cr_assert_gt(watcher.cancelled_while_lost, 3);
    cr_assert_gt(watcher.placed_after, 20);
    cr_assert_eq(verified().cut_sessions, 0);
    live_world_close(&world);
}

/* The reserve is used up in the middle of a message's decisions: cancels leave and are counted, an order does not; the
 * session must end, and the next finds a gap that tells of it. */
Test(live_tape, without_a_reserve_cancels_leave_unwritten)
{
    const struct tape_header header = {.version = TAPE_VERSION,
                                       .origin = TAPE_RECORDED,
                                       .tool_version = "test",
                                       .build_id = "test",
                                       .grade_reasons = "",
                                       .config = "",
                                       .names = *small_tape_names()};
    const struct live_tape_options options = {
        .path = path, .header = &header, .sync_every = 1, .block_events = 1024};
    const union event_record records[] = {{.tick = {.deadline = 1}},
                                          {.cancel = {.order = 1}},
                                          {.place = {.order = 2}},
                                          {.gate = {.blocked = 1}}};
    static const uint8_t kinds[] = {EVENT_tick, EVENT_cancel, EVENT_place, EVENT_gate};
    struct message messages[4];
    struct live_tape *live = NULL;
    struct tape_recovery recovered;
    for (unsigned i = 0; i < 4; i++)
        messages[i] =
            (struct message){.stream = EVENT_NONE_16, .kind = kinds[i], .record = &records[i]};
    cr_assert_eq(live_tape_open(&live, &options, &recovered, &error), 0, "%s", error.text);
    struct sink *sink = live_tape_sink(live, NULL);
    uint64_t written = 0;
    /* Decisions begin no block. */
    cr_assert_eq(sink->message(sink, &messages[0], &error), 0);
    for (written = 1; sink->decision(sink, &messages[1], &error) == 0 && !live_tape_must_end(live);)
        written++;
    cr_assert(live_tape_must_end(live));
    cr_assert_eq(sink->decision(sink, &messages[1], &error), 0);
    cr_assert_eq(sink->decision(sink, &messages[3], &error), 0);
    cr_assert_eq(sink->decision(sink, &messages[2], &error), ERROR_SYSTEM);
    cr_assert(!live_tape_takes(live, &messages[0]));
    live_tape_unwritten(live, 5);
    live_tape_abandon(&live);
    cr_assert_eq(live_tape_open(&live, &options, &recovered, &error), 0, "%s", error.text);
    cr_assert_eq(recovered.messages, written);
    cr_assert_eq(recovered.unwritten, 7);
    cr_assert_eq(live_tape_finish(&live, &error), 0, "%s", error.text);
    assert_messages(written + 1);
}

/* --- a start ------------------------------------------------------------------------------------------------- */

static uint64_t messages_of_blocks(void)
{
    struct tape_reader *reader = NULL;
    uint64_t messages = 0;
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0, "%s", error.text);
    for (size_t i = 0; i < tape_reader_block_count(reader); i++)
        messages += tape_reader_block_info(reader, i)->message_count;
    tape_reader_close(&reader);
    return messages;
}

/* When the sink has taken a start it stands in a block of the tape, not in a journal alone; a tick does not. */
Test(live_tape, a_start_is_on_the_tape_at_once)
{
    const struct tape_header header = {.version = TAPE_VERSION,
                                       .origin = TAPE_RECORDED,
                                       .tool_version = "test",
                                       .build_id = "test",
                                       .grade_reasons = "",
                                       .config = "",
                                       .names = *small_tape_names()};
    const struct live_tape_options options = {
        .path = path, .header = &header, .sync_every = 1000000000000, .block_events = 1024};
    const union event_record records[] = {{.start = {.epoch = 1}}, {.tick = {.deadline = 1}}};
    struct live_tape *live = NULL;
    struct tape_recovery recovered;
    cr_assert_eq(live_tape_open(&live, &options, &recovered, &error), 0, "%s", error.text);
    struct sink *sink = live_tape_sink(live, NULL);
    for (uint64_t told = 0; told < 3; told++) {
        struct message message = {
            .stream = EVENT_NONE_16, .kind = EVENT_tick, .record = &records[1]};
        cr_assert_eq(sink->message(sink, &message, &error), 0);
        cr_assert_eq(messages_of_blocks(), 2 * told);
        message.kind = EVENT_start;
        message.record = &records[0];
        cr_assert_eq(sink->message(sink, &message, &error), 0);
        cr_assert_eq(messages_of_blocks(), 2 * told + 2);
    }
    live_tape_abandon(&live);
}
