/* Tapes that follow each other: names, what the next begins with, deaths between any two steps, a disk without room. */
#include "config.h" /* POSIX names */

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "engine/walker.h"
#include "replay/restart_check.h"
#include "run/grade.h"
#include "run/verification.h"
#include "tests/unit/chain_folder.h"
#include "tests/unit/live_session.h"
#include "tests/unit/small_tape.h"

TestSuite(rotation, .init = make_folder, .fini = remove_folder);

/* --- names -------------------------------------------------------------------------------------------------- */

static void touch(const char *name)
{
    char path[2 * PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_geq(fd, 0);
    close(fd);
}

Test(rotation, names)
{
    char path[ROTATION_PATH_BYTES];
    const struct {
        const char *base;
        uint64_t number;
        const char *path;
    } names[] = {{"a/s.tape", 1, "a/s.tape"},         {"a/s.tape", 2, "a/s-0002.tape"},
                 {"s.tape", 9999, "s-9999.tape"},     {"s.tape", 10000, "s-10000.tape"},
                 {"a.tape/s", 3, "a.tape/s-0003"},    {".tape", 2, ".tape-0002"},
                 {"s.tape", 999999, "s-999999.tape"}, {"s.tape.tape", 2, "s.tape-0002.tape"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_assert_eq(rotation_path(names[i].base, names[i].number, path, &error), 0);
        cr_expect_str_eq(path, names[i].path);
    }
    cr_expect_eq(rotation_path("s.tape", 1000000, path, &error), ERROR_INPUT);
    const char *longest = "0123456789012345678901234567890123456789012345678901234.tape";
    cr_expect_eq(rotation_path(longest, 1, path, &error), 0);
    cr_expect_eq(rotation_path(longest, 2, path, &error), ERROR_INPUT);
    cr_expect_neq(strstr(error.text, "too long"), NULL, "%s", error.text);
}

Test(rotation, the_newest_is_the_highest_number)
{
    static const char *const others[] = {"session-2.tape",       "session-00003.tape",
                                         "session-0004.tapes",   "session-0005.tape.journal-0",
                                         "session-0006",         "other-0007.tape",
                                         "session-9999999.tape", "session-00a8.tape",
                                         "session-0009x.tape",   "session-.tape",
                                         "session-0000.tape",    "xsession-0009.tape"};
    cr_expect_eq(newest(), 1);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        touch(others[i]);
    cr_expect_eq(newest(), 1);
    touch("session-0002.tape");
    touch("session-0011.tape");
    touch("session-0003.tape");
    cr_expect_eq(newest(), 11);
    touch("session-10000.tape");
    cr_expect_eq(newest(), 10000);
    uint64_t number;
    cr_expect_eq(rotation_newest("no-such-folder/s.tape", &number, &error), ERROR_INPUT);
}

static uint64_t files(void)
{
    uint64_t count = 0;
    DIR *all = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(all)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(all);
    return count;
}

/* --- chains -------------------------------------------------------------------------------------------------- */

static void open_world(struct live_world *world, unsigned messages, unsigned shutdown_at)
{
    const struct live_world_options options = {.messages = messages, .shutdown_at = shutdown_at};
    cr_assert_eq(live_world_open(world, &options, &error), 0, "%s", error.text);
}

static struct live_session_result session_of(struct live_world *world, uint64_t every,
                                             uint64_t dies_after, bool cold)
{
    struct live_session_result result;
    uint64_t number = newest();
    const struct live_session_options options = {.path = path_of(number),
                                                 .base = base,
                                                 .number = number,
                                                 .rotates_every = every,
                                                 .cold = cold,
                                                 .dies_after = dies_after};
    cr_assert_eq(rotation_settle(base, number, &error), 0, "%s", error.text);
    cr_assert_eq(live_session_run(world, &options, &result, &error), 0, "%s", error.text);
    return result;
}

static struct live_session_result session(struct live_world *world, uint64_t every,
                                          uint64_t dies_after)
{
    return session_of(world, every, dies_after, false);
}

static struct verification_result verified(uint64_t number)
{
    static struct verification_result result;
    cr_assert_eq(verification_run(path_of(number), &result, &error), 0, "%lu: %s",
                 (unsigned long)number, error.text);
    return result;
}

/* What stands on all tapes: that ids of orders never return, and epochs never fall. */
struct seen {
    uint64_t places, highest, epoch, starts, carries;
};

static void see(const char *path, struct seen *seen)
{
    struct tape_reader *reader = NULL;
    struct tape_block block = {0};
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0, "%s", error.text);
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    for (size_t b = 0; b < tape_reader_block_count(reader); b++) {
        cr_assert_eq(tape_reader_read(reader, b, &block, &error), 0);
        for (uint32_t i = 0; i < block.message_count; i++) {
            const struct message *message = &block.messages[i];
            seen->carries += message->kind == EVENT_carry;
            if (message->kind == EVENT_start) {
                cr_assert_geq(message->record->start.epoch, seen->epoch);
                seen->epoch = message->record->start.epoch;
                seen->starts++;
            } else if (message->kind == EVENT_place) {
                cr_assert_gt(message->record->place.order, seen->highest);
                seen->highest = message->record->place.order;
                seen->places++;
            }
        }
    }
    tape_block_free(&block);
    tape_reader_close(&reader);
}

static struct seen check_chain(uint64_t tapes)
{
    struct seen seen = {0};
    for (uint64_t number = 1; number <= tapes; number++) {
        verified(number);
        see(path_of(number), &seen);
        if (number > 1)
            cr_assert_eq(rotation_check(path_of(number - 1), path_of(number), &error), 0, "%s",
                         error.text);
    }
    cr_assert_gt(seen.places, 20);
    return seen;
}

/* An engine that is given every record of every tape but the carries, against one that folds the newest tape alone. */
static void fold_all(uint64_t tapes, struct engine *engine)
{
    struct tape_block block = {0};
    for (uint64_t number = 1; number <= tapes; number++) {
        struct tape_reader *reader = NULL;
        cr_assert_eq(tape_reader_open(&reader, path_of(number), &error), 0);
        cr_assert_eq(tape_block_init(&block, reader, &error), 0);
        for (size_t b = 0; b < tape_reader_block_count(reader); b++) {
            cr_assert_eq(tape_reader_read(reader, b, &block, &error), 0);
            for (uint32_t i = 0; i < block.message_count; i++)
                engine_fold(engine, &block.messages[i]);
        }
        tape_block_free(&block);
        tape_reader_close(&reader);
    }
}

static uint64_t started_hash(struct engine *engine, int64_t now)
{
    struct walker_hash hash;
    const union event_record record = {.start = {.epoch = 1000}};
    const struct message start = {
        .ts_local = now, .stream = EVENT_NONE_16, .kind = EVENT_start, .record = &record};
    engine_step(engine, &start);
    walker_hash_init(&hash);
    engine_walk(engine, &hash.walker);
    return hash.hash;
}

static void expect_newest_is_enough(struct live_world *world, uint64_t tapes)
{
    struct run_engine whole = {0}, newest_alone = {0};
    struct fold fold;
    cr_assert_eq(run_engine_open(&whole, world->config, small_tape_names(), false, false, &error),
                 0);
    cr_assert_eq(
        run_engine_open(&newest_alone, world->config, small_tape_names(), false, false, &error), 0);
    fold_all(tapes, whole.engine);
    cr_assert_eq(fold_tape(path_of(tapes), UINT64_MAX, &newest_alone, &fold, &error), 0, "%s",
                 error.text);
    cr_expect_eq(engine_open_orders(whole.engine), engine_open_orders(newest_alone.engine));
    cr_expect_eq(started_hash(whole.engine, fold.last_ts),
                 started_hash(newest_alone.engine, fold.last_ts));
    run_engine_close(&whole);
    run_engine_close(&newest_alone);
}

static void over_many_tapes(bool cold)
{
    struct live_world world = {0};
    uint64_t epoch = cold ? 10 : 1;
    open_world(&world, 3000, 2900);
    struct live_session_result result = session_of(&world, 300, 0, cold);
    cr_assert_eq(result.rotations, 9);
    cr_assert_eq(result.refused.code, ERROR_NONE, "%s", result.refused.text);
    cr_assert_eq(newest(), 10);
    struct seen seen = check_chain(10);
    cr_assert_eq(seen.starts, 10);
    cr_assert_gt(seen.carries, 9);
    expect_newest_is_enough(&world, 10);
    /* The last is gone on with. */
    struct live_session_result next = session(&world, 0, 0);
    cr_assert_eq(next.fold.epoch, epoch);
    cr_assert_eq(next.fold.starts, 2);
    cr_assert_eq(newest(), 10);
    cr_assert_eq(verified(10).sessions, 2);
    cr_assert_eq(verified(10).cut_sessions, 0);
    live_world_close(&world);
}

Test(rotation, a_session_over_many_tapes)
{
    over_many_tapes(false);
}

/* Tapes that were written by a build whose sessions began anew with each. */
Test(rotation, tapes_without_warmth)
{
    over_many_tapes(true);
}

/* --- grades ------------------------------------------------------------------------------------------------- */

/* Grades each tape but the first by what the session's engine is told, as the session's database does. */
struct grader {
    struct sink sink;
    const struct engine *engine;
    struct market_faults *faults;
    uint64_t number; /* of the tape */
    struct run_grade grades[TAPES_MAX];
};

static struct run_grade graded(struct market_faults **faults)
{
    static const struct tape_header header = {.grade = TAPE_GRADE_A};
    struct run_grade grade = {.reasons = NULL};
    cr_assert_eq(run_grade_of_market(*faults, &header, "", &grade, &error), 0);
    market_faults_close(faults);
    return grade;
}

static int tell_grader(struct sink *sink, const struct message *message, struct error *why)
{
    struct grader *grader = (struct grader *)sink;
    if (message->kind == EVENT_start) {
        grader->number++;
        if (grader->engine)
            cr_assert_eq(
                market_faults_open(&grader->faults, small_tape_names(), grader->engine, why), 0);
    }
    return grader->faults ? market_faults_take(grader->faults, message, why) : 0;
}

static int grade_tape(struct sink *sink, const struct engine *engine, struct error *why)
{
    struct grader *grader = (struct grader *)sink;
    (void)why;
    grader->engine = engine;
    if (grader->faults)
        grader->grades[grader->number] = graded(&grader->faults);
    return 0;
}

static struct run_grade grade_of_tape(uint64_t number)
{
    struct verification verification = {0};
    struct verification_result result = {0};
    struct market_faults *faults = NULL;
    cr_assert_eq(verification_open(&verification, path_of(number), &error), 0, "%s", error.text);
    cr_assert_eq(
        market_faults_open(&faults, small_tape_names(), verification.engine.engine, &error), 0);
    verification_add_first(&verification, market_faults_sink(faults));
    cr_assert_eq(verification_execute(&verification, &result, &error), 0, "%s", error.text);
    struct run_grade grade = graded(&faults);
    verification_close(&verification);
    return grade;
}

static const char *reasons_of(const struct run_grade *grade)
{
    return grade->reasons ? grade->reasons : "";
}

/* Tapes so short that most have no snapshot but those with which they begin. */
Test(rotation, a_session_grades_its_tapes_as_they_are)
{
    struct live_world world = {0};
    struct live_session_result result;
    struct grader grader = {
        .sink = {.market = true, .message = tell_grader, .finishing = grade_tape}};
    const struct live_session_options options = {
        .path = path_of(1), .watcher = &grader.sink, .rotates_every = 4, .base = base, .number = 1};
    open_world(&world, 101, 0);
    cr_assert_eq(live_session_run(&world, &options, &result, &error), 0, "%s", error.text);
    cr_assert_gt(result.rotations, 10, "%u", result.rotations);
    cr_assert_eq(grader.number, result.rotations + 1u);
    for (uint64_t number = 2; number <= grader.number; number++) {
        struct run_grade told = grade_of_tape(number);
        cr_expect_eq(grader.grades[number].grade, told.grade, "tape %lu", (unsigned long)number);
        cr_expect_str_eq(reasons_of(&grader.grades[number]), reasons_of(&told), "tape %lu: %s, %s",
                         (unsigned long)number, reasons_of(&grader.grades[number]),
                         reasons_of(&told));
        run_grade_free(&told);
        run_grade_free(&grader.grades[number]);
    }
    live_world_close(&world);
}

static struct live_tape *opened(const struct tape_header *header)
{
    struct live_tape *live = NULL;
    struct tape_recovery recovered;
    const struct live_tape_options options = {.path = path_of(1), .header = header};
    cr_assert_eq(live_tape_open(&live, &options, &recovered, &error), 0, "%s", error.text);
    return live;
}

/* What an older session knew of the first tape is not true of those that follow it. */
Test(rotation, the_header_is_that_of_the_tape_that_is_open)
{
    const struct tape_header clean = {.version = TAPE_VERSION,
                                      .origin = TAPE_RECORDED,
                                      .tool_version = "test",
                                      .build_id = "new",
                                      .grade_reasons = "",
                                      .config = "",
                                      .names = *small_tape_names()};
    struct tape_header older = clean;
    older.build_id = "old";
    older.grade = TAPE_GRADE_C;
    older.grade_reasons = "C: clock: jumped";
    struct live_tape *live = opened(&older);
    cr_assert_eq(live_tape_finish(&live, &error), 0, "%s", error.text);
    live = opened(&clean);
    const struct tape_header *first = live_tape_header(live);
    cr_expect_eq(first->grade, TAPE_GRADE_C);
    const struct live_tape_rotation rotation = {.path = path_of(2), .number = 2};
    bool rotated;
    cr_assert_eq(live_tape_rotate(live, &rotation, &rotated, &error), 0, "%s", error.text);
    cr_assert(rotated, "%s", error.text);
    cr_expect_eq(live_tape_header(live)->grade, TAPE_GRADE_A);
    cr_expect_str_eq(live_tape_header(live)->grade_reasons, "");
    cr_expect_str_eq(live_tape_header(live)->build_id, "new");
    cr_expect_str_eq(first->grade_reasons, "C: clock: jumped", "who has it may still read it");
    cr_assert_eq(live_tape_finish(&live, &error), 0, "%s", error.text);
}

/* What leaves, but for the message that caused it, which is counted from each start. */
static uint64_t hash_sent(const struct message *message, uint64_t hash)
{
    uint8_t bytes[EVENT_RECORD_BYTES_MAX];
    union event_record record;
    if (message->kind < EVENT_place)
        return hash;
    record = *message->record;
    switch (message->kind) {
    case EVENT_place:
        record.place.cause = 0;
        break;
    case EVENT_cancel:
        record.cancel.cause = 0;
        break;
    case EVENT_modify:
        record.modify.cause = 0;
        break;
    case EVENT_replace:
        record.replace.cause = 0;
        break;
    default:
        return hash;
    }
    size_t length = record_encode(message->kind, &record, bytes);
    return hash_64_seeded(bytes, length, hash ^ (uint64_t)message->ts_local);
}

static uint64_t hash_of_sent(uint64_t tapes, uint64_t *sent)
{
    struct tape_block block = {0};
    uint64_t hash = 0;
    *sent = 0;
    for (uint64_t number = 1; number <= tapes; number++) {
        struct tape_reader *reader = NULL;
        cr_assert_eq(tape_reader_open(&reader, path_of(number), &error), 0);
        cr_assert_eq(tape_block_init(&block, reader, &error), 0);
        for (size_t b = 0; b < tape_reader_block_count(reader); b++) {
            cr_assert_eq(tape_reader_read(reader, b, &block, &error), 0);
            for (uint32_t i = 0; i < block.message_count; i++) {
                uint64_t before = hash;
                hash = hash_sent(&block.messages[i], hash);
                *sent += hash != before;
            }
        }
        tape_block_free(&block);
        tape_reader_close(&reader);
    }
    return hash;
}

/* A session whose tapes rotate sends what one sends that stays on its tape. */
Test(rotation, changes_nothing_that_is_sent)
{
    uint64_t sent[2], hashes[2];
    for (unsigned rotates = 0; rotates < 2; rotates++) {
        struct live_world world = {0};
        open_world(&world, 3000, 2900);
        session(&world, rotates ? 250 : 0, 0);
        cr_assert_eq(newest(), rotates ? 12 : 1);
        hashes[rotates] = hash_of_sent(newest(), &sent[rotates]);
        for (uint64_t number = newest(); number > 0; number--)
            cr_assert_eq(unlink(path_of(number)), 0);
        live_world_close(&world);
    }
    cr_assert_gt(sent[0], 100);
    cr_expect_eq(sent[0], sent[1]);
    cr_expect_eq(hashes[0], hashes[1]);
}

/* The tape as another build would have written it: its carry is not what this one reads. */
static void spoil_carry(uint64_t number)
{
    struct tape_reader *reader = NULL;
    struct tape_writer *writer = NULL;
    struct tape_block block = {0};
    const struct tape_writer_options options = {.level = 0};
    cr_assert_eq(tape_reader_open(&reader, path_of(number), &error), 0);
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    cr_assert_eq(
        tape_writer_open(&writer, path_of(number), tape_reader_header(reader), &options, &error), 0,
        "%s", error.text);
    for (size_t b = 0; b < tape_reader_block_count(reader); b++) {
        cr_assert_eq(tape_reader_read(reader, b, &block, &error), 0);
        for (uint32_t i = 0; i < block.message_count; i++) {
            struct message message = block.messages[i];
            union event_record record;
            if (message.kind == EVENT_carry && message.record->carry.part == 0) {
                record = *message.record;
                record.carry.bytes.bytes[1]++; /* the version */
                message.record = &record;
            }
            cr_assert_eq(tape_writer_append(writer, &message, &error), 0, "%s", error.text);
        }
    }
    cr_assert_eq(tape_writer_finish(&writer, &error), 0, "%s", error.text);
    tape_block_free(&block);
    tape_reader_close(&reader);
}

/* Where a carry can't be read it is folded from the tapes before, as far back as is needed. */
Test(rotation, a_carry_of_another_build)
{
    struct live_world world = {0};
    struct run_engine run = {0};
    struct fold fold;
    open_world(&world, 1500, 1450);
    session_of(&world, 300, 0, true);
    cr_assert_eq(newest(), 5);
    cr_assert_eq(run_engine_open(&run, world.config, small_tape_names(), false, false, &error), 0);
    spoil_carry(5);
    expect_newest_is_enough(&world, 5);
    verified(5);
    spoil_carry(4);
    expect_newest_is_enough(&world, 5);
    verified(5);
    cr_expect_eq(rotation_check(path_of(4), path_of(5), &error), ERROR_DIFFERENT, "%s", error.text);
    spoil_carry(3);
    spoil_carry(2);
    expect_newest_is_enough(&world, 5);
    cr_assert_eq(verified(5).sessions, 1);
    /* A tape is not there any more. */
    cr_assert_eq(unlink(path_of(2)), 0);
    cr_expect_eq(fold_tape(path_of(5), UINT64_MAX, &run, &fold, &error), ERROR_INPUT);
    cr_expect_neq(strstr(error.text, "field carry.version"), NULL, "%s", error.text);
    cr_expect_neq(strstr(error.text, "session-0002.tape"), NULL, "%s", error.text);
    /* Another has its name. */
    cr_assert_eq(link(path_of(1), path_of(2)), 0);
    run_engine_renew(&run);
    cr_expect_eq(fold_tape(path_of(5), UINT64_MAX, &run, &fold, &error), ERROR_INPUT);
    cr_expect_neq(strstr(error.text, "messages, expected"), NULL, "%s", error.text);
    run_engine_close(&run);
    live_world_close(&world);
}

/* A session that goes on can be folded without what makes it warm, and not be verified: that needs it. */
Test(rotation, a_warmth_of_another_build)
{
    struct live_world world = {0};
    struct verification_result result;
    open_world(&world, 900, 850);
    session(&world, 300, 0);
    cr_assert_eq(newest(), 3);
    spoil_carry(3);
    expect_newest_is_enough(&world, 3);
    cr_expect_eq(verification_run(path_of(3), &result, &error), ERROR_INPUT);
    cr_expect_neq(strstr(error.text, "field carry.version"), NULL, "%s", error.text);
    live_world_close(&world);
}

/* What does not belong together is told. */
Test(rotation, a_wrong_chain)
{
    struct live_world world = {0};
    open_world(&world, 1000, 900);
    session(&world, 300, 0);
    cr_assert_eq(newest(), 4);
    cr_expect_eq(rotation_check(path_of(1), path_of(3), &error), ERROR_DIFFERENT);
    cr_expect_neq(strstr(error.text, "follows session-0002.tape, expected session.tape"), NULL,
                  "%s", error.text);
    cr_expect_eq(rotation_check(path_of(2), path_of(1), &error), ERROR_DIFFERENT);
    cr_expect_neq(strstr(error.text, "follows no tape"), NULL, "%s", error.text);
    /* The one before went on by itself: its messages are more than what is followed. */
    struct live_session_result result;
    const struct live_session_options options = {.path = path_of(3)};
    cr_assert_eq(live_session_run(&world, &options, &result, &error), 0);
    cr_expect_eq(rotation_check(path_of(3), path_of(4), &error), ERROR_DIFFERENT);
    cr_expect_neq(strstr(error.text, "messages of session-0003.tape"), NULL, "%s", error.text);
    cr_expect_eq(rotation_settle(base, 4, &error), ERROR_INPUT);
    cr_expect_neq(strstr(error.text, "another session's"), NULL, "%s", error.text);
    live_world_close(&world);
}

/* A tape of another session that only has the name. */
Test(rotation, a_name_is_not_enough)
{
    char other[2 * PATH_BYTES];
    struct live_world world = {0};
    open_world(&world, 600, 550);
    session(&world, 300, 0);
    cr_assert_eq(newest(), 2);
    snprintf(other, sizeof other, "%s/session-2024.tape", folder);
    cr_assert_eq(link(path_of(1), other), 0);
    cr_assert_eq(newest(), 2024);
    cr_expect_eq(rotation_settle(base, 2024, &error), ERROR_INPUT);
    cr_expect_neq(strstr(error.text, "move it away"), NULL, "%s", error.text);
    cr_assert_eq(unlink(other) + link(path_of(2), other), 0);
    cr_expect_eq(rotation_settle(base, 2024, &error), ERROR_INPUT);
    cr_expect_eq(rotation_room(path_of(2), &error), ERROR_INPUT);
    live_world_close(&world);
}

/* Killed anywhere, also soon after a rotation: the next session goes on from the newest tape. */
Test(rotation, sessions_that_are_killed)
{
    struct live_world world = {0};
    uint64_t sessions = 0;
    open_world(&world, 2500, 0);
    for (bool killed = true; killed; sessions++)
        killed = session(&world, 170, 150 + 61 * sessions).killed;
    cr_assert_gt(newest(), 5);
    cr_assert_gt(sessions, 3);
    struct seen seen = check_chain(newest());
    cr_assert_gt(seen.starts, newest());
    expect_newest_is_enough(&world, newest());
    live_world_close(&world);
}

/* --- a death at each step -------------------------------------------------------------------------------------- */

static void die_at(void *context, enum live_tape_step step)
{
    const unsigned *at = context;
    if (step == (enum live_tape_step) * at)
        _exit(7); /* what is mapped stays, no end is written */
}

/* In a process of its own: dies at the step of its first rotation. */
static void live_and_die(unsigned step)
{
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        struct live_world world = {0};
        struct live_session_result result;
        const struct live_world_options market = {.messages = 900};
        const struct live_session_options options = {.path = path_of(1),
                                                     .base = base,
                                                     .number = 1,
                                                     .rotates_every = 500,
                                                     .passed = die_at,
                                                     .context = &step};
        if (!live_world_open(&world, &market, &error))
            (void)live_session_run(&world, &options, &result, &error);
        fprintf(stderr, "%s\n", error.text);
        _exit(8);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7, "step %u: status %x", step, status);
}

static bool is_finished(const char *path)
{
    struct tape_reader *reader = NULL;
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0, "%s", error.text);
    bool finished = tape_reader_is_finished(reader);
    tape_reader_close(&reader);
    return finished;
}

/* A life after it, later in time. */
static struct live_session_result live_on(int hours)
{
    struct live_world world = {0};
    const struct live_world_options market = {.messages = 900,
                                              .shutdown_at = 850,
                                              .start = SMALL_TAPE_START +
                                                       hours * INT64_C(3600000000000)};
    cr_assert_eq(live_world_open(&world, &market, &error), 0);
    struct live_session_result result = session(&world, 0, 0);
    live_world_close(&world);
    return result;
}

static void dies_at(enum live_tape_step step, uint64_t tapes)
{
    uint64_t cuts = 0;
    live_and_die(step);
    cr_assert_eq(newest(), tapes);
    cr_assert_eq(is_finished(path_of(1)), step == LIVE_TAPE_FINISHED);
    for (uint64_t number = 1; number <= tapes; number++) {
        /* Also what no start has come to yet. */
        verified(number);
        cr_assert_eq(restart_check(path_of(number), 100, &cuts, &error), 0, "%s", error.text);
    }
    struct live_session_result result = live_on(1);
    cr_assert_eq(result.recovered.lost_entries + result.recovered.torn_bytes, 0);
    cr_assert_eq(result.fold.epoch, 1);
    cr_assert_eq(result.fold.starts, 1);
    cr_assert_eq(newest(), tapes);
    for (uint64_t number = 1; number <= tapes; number++)
        cr_assert(is_finished(path_of(number)));
    struct seen seen = check_chain(tapes);
    cr_assert_eq(seen.starts, 2);
}

Test(rotation, dies_before_the_next_tape_is_there)
{
    dies_at(LIVE_TAPE_SYNCED, 1);
}

Test(rotation, dies_when_the_next_tape_is_written)
{
    dies_at(LIVE_TAPE_WRITTEN, 2);
}

Test(rotation, dies_when_the_next_tape_is_open)
{
    dies_at(LIVE_TAPE_OPENED, 2);
}

Test(rotation, dies_when_the_tape_before_has_its_end)
{
    dies_at(LIVE_TAPE_FINISHED, 2);
}

/* What a death in the middle of writing leaves has not got its name yet, and is not taken for a tape. */
Test(rotation, half_a_next_tape)
{
    live_and_die(LIVE_TAPE_SYNCED);
    touch("session-0002.tape.745.part");
    touch("session-0002.tape.part");
    touch("session-0003.tape.745.part");
    touch("other-0002.tape.745.part");
    cr_assert_eq(newest(), 1);
    live_on(1);
    check_chain(1);
    cr_assert_eq(files(), 5);
    rotation_tidy(base, 1);
    cr_assert_eq(files(), 4);
}

/* Of a tape with its end an empty journal may be left. */
Test(rotation, journals_of_the_tape_before)
{
    live_and_die(LIVE_TAPE_OPENED);
    cr_assert_eq(files(), 6, "two tapes, four journals");
    cr_assert_eq(rotation_settle(base, 2, &error), 0, "%s", error.text);
    cr_assert_eq(files(), 4);
    struct tape_recovery recovery;
    struct tape_appender *appender = NULL;
    const struct tape_appender_options options = {.sync_every = 1};
    struct tape_reader *reader = NULL;
    cr_assert_eq(tape_reader_open(&reader, path_of(1), &error), 0);
    cr_assert_eq(tape_appender_open(&appender, path_of(1), tape_reader_header(reader), &options,
                                    &recovery, &error),
                 0);
    tape_reader_close(&reader);
    tape_appender_abandon(&appender);
    cr_assert_eq(files(), 6);
    cr_assert_eq(rotation_settle(base, 2, &error), 0, "%s", error.text);
    cr_assert_eq(files(), 4);
    cr_assert(is_finished(path_of(1)));
}

static void append_bytes(const char *path, size_t count)
{
    static const uint8_t torn[] = {0x5b, 0x2a, 0x4d, 0x18, 104, 0, 0, 0, 'C', 'A', 'P'};
    int fd = open(path, O_WRONLY | O_APPEND);
    cr_assert_eq(write(fd, torn, count), (ssize_t)count);
    close(fd);
}

/* A power cut tears what was written last: of the newest tape its last block, of the one before its end mark. */
Test(rotation, torn_ends)
{
    struct stat status;
    live_and_die(LIVE_TAPE_FINISHED);
    cr_assert_eq(stat(path_of(1), &status), 0);
    cr_assert_eq(truncate(path_of(1), status.st_size - 30), 0);
    append_bytes(path_of(2), 11);
    cr_assert_eq(live_on(1).fold.starts, 1);
    check_chain(2);
    cr_assert_eq(stat(path_of(1), &status), 0);
    cr_assert_eq(truncate(path_of(1), status.st_size - 110), 0);
    append_bytes(path_of(2), 3);
    cr_assert_eq(live_on(2).fold.starts, 2);
    check_chain(2);
    cr_assert(is_finished(path_of(1)));
}

/* --- no room ---------------------------------------------------------------------------------------------------- */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* From when the tape is on the disk nothing large can be made. */
static void fill_disk(void *context, enum live_tape_step step)
{
    (void)context;
    if (step == LIVE_TAPE_SYNCED)
        limit_files(1 << 20);
}

/* The next tape is taken back, and the session goes on with another start on the same tape. */
Test(rotation, without_room_the_session_stays_on_its_tape)
{
    struct live_world world = {0};
    struct live_session_result result;
    open_world(&world, 900, 850);
    const struct live_session_options options = {
        .path = path_of(1), .base = base, .number = 1, .rotates_every = 500, .passed = fill_disk};
    cr_assert_eq(live_session_run(&world, &options, &result, &error), 0, "%s", error.text);
    limit_files(RLIM_INFINITY);
    cr_assert_eq(result.rotations, 0);
    cr_assert_eq(result.refused.code, ERROR_SYSTEM, "%s", result.refused.text);
    cr_assert_eq(newest(), 1);
    cr_assert_eq(files(), 1, "nothing is left of the next tape");
    struct verification_result told = verified(1);
    cr_assert_eq(told.sessions, 1, "it went on");
    cr_assert_eq(told.cut_sessions, 0);
    live_world_close(&world);
}

Test(rotation, room_is_asked_for_first)
{
    cr_assert_eq(rotation_room(path_of(2), &error), 0, "%s", error.text);
    cr_assert_eq(files(), 0);
    limit_files(1 << 20);
    cr_assert_eq(rotation_room(path_of(2), &error), ERROR_SYSTEM);
    limit_files(RLIM_INFINITY);
    cr_assert_neq(strstr(error.text, "no room"), NULL, "%s", error.text);
    cr_assert_eq(files(), 0);
    cr_assert_eq(rotation_room("no-such-folder/s-0002.tape", &error), ERROR_SYSTEM);
}

/* --- carries on tapes ------------------------------------------------------------------------------------------- */

static struct message part(union event_record *record, uint64_t number, uint64_t parts,
                           uint8_t first, uint8_t second)
{
    *record = (union event_record){.carry = {.part = number,
                                             .parts = parts,
                                             .bytes = {.length = first},
                                             .more = {.length = second}}};
    return (struct message){.stream = EVENT_NONE_16, .kind = EVENT_carry, .record = record};
}

static int take(struct rotation_carry *carry, uint64_t number, uint64_t parts, uint8_t first,
                uint8_t second)
{
    union event_record record;
    const struct message message = part(&record, number, parts, first, second);
    return rotation_carry_take(carry, &message, &error);
}

static void follow(struct rotation_carry *carry)
{
    static const union event_record record = {.predecessor = {.number = 2}};
    const struct message message = {
        .stream = EVENT_NONE_16, .kind = EVENT_predecessor, .record = &record};
    cr_assert_eq(rotation_carry_take(carry, &message, &error), 0);
    cr_expect_eq(rotation_carry_take(carry, &message, &error), ERROR_INPUT, "a second one");
}

/* Parts come from the first to the last, behind a predecessor, each full but the last. */
Test(rotation, parts_of_a_carry)
{
    struct rotation_carry carry = {.whole = false};
    cr_expect_eq(take(&carry, 0, 2, 64, 64), ERROR_INPUT, "without a predecessor");
    follow(&carry);
    cr_expect_eq(take(&carry, 1, 2, 64, 64), ERROR_INPUT, "not the first");
    cr_expect_eq(take(&carry, 0, 0, 64, 64), ERROR_INPUT, "of none");
    cr_expect_eq(take(&carry, 0, 2, 64, 63), ERROR_INPUT, "not full");
    cr_expect_eq(take(&carry, 0, UINT64_MAX, 64, 64), ERROR_INPUT, "too many");
    cr_assert_eq(take(&carry, 0, 2, 64, 64), 0);
    cr_expect_eq(rotation_carry_load(&carry, NULL, &error), ERROR_INPUT, "not whole");
    cr_expect_eq(take(&carry, 0, 2, 64, 64), ERROR_INPUT, "again");
    cr_assert_eq(take(&carry, 1, 2, 5, 0), 0);
    cr_expect(carry.whole);
    cr_expect_eq(carry.length, 133);
    cr_expect_eq(take(&carry, 2, 3, 5, 0), ERROR_INPUT, "behind the last");
    rotation_carry_close(&carry);
}
