/* A session that begins under other settings: the next tape of its chain, deaths between any two steps of its beginning,
 * and what can't be gone on with. */
#include "config.h" /* POSIX names */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/walker.h"
#include "run/fold.h"
#include "run/succession.h"
#include "run/verification.h"
#include "tests/unit/chain_folder.h"
#include "tests/unit/live_session.h"
#include "tests/unit/small_tape.h"

enum { HOUR_S = 3600 };

TestSuite(succession, .init = make_folder, .fini = remove_folder);

/* One life, hours behind the first, under the world's settings but for one; as long as its market, or to a death. */
static struct live_session_result live(int hours, const char *setting, uint64_t dies_after)
{
    struct live_world world = {0};
    struct live_session_result result;
    const struct live_world_options market = {.messages = 600,
                                              .shutdown_at = 550,
                                              .start = SMALL_TAPE_START +
                                                       hours * HOUR_S * INT64_C(1000000000)};
    const uint64_t number = newest();
    const struct live_session_options options = {.path = path_of(number),
                                                 .base = base,
                                                 .number = number,
                                                 .setting = setting,
                                                 .dies_after = dies_after};
    cr_assert_eq(rotation_settle(base, number, &error), 0, "%s", error.text);
    cr_assert_eq(live_world_open(&world, &market, &error), 0, "%s", error.text);
    cr_assert_eq(live_session_run(&world, &options, &result, &error), 0, "%s", error.text);
    live_world_close(&world);
    return result;
}

/* --- beginning the next ------------------------------------------------------------------------------------- */

struct changes {
    unsigned count;
    char text[512];
    unsigned dies_at; /* a step; others don't */
};

static void note(void *context, const char *setting, const char *was, const char *is)
{
    struct changes *changes = context;
    size_t length = strlen(changes->text);
    changes->count++;
    snprintf(changes->text + length, sizeof changes->text - length, "%s %s->%s\n", setting,
             was ? was : "", is ? is : "");
}

static void die_at(void *context, enum succession_step step)
{
    const struct changes *changes = context;
    if (changes->dies_at == (unsigned)step)
        _exit(7);
}

enum { NO_STEP = 99 };

static bool is_recording; /* who begins has no engine */

/* The world's settings but for some, "name=value"; the names are those of small tapes, or given. */
static int begin_with(const char *const settings[], const struct event_names *names,
                      struct changes *changes, struct succession *succession)
{
    struct live_world world = {0};
    char *text = NULL;
    cr_assert_eq(live_world_open(&world, &(struct live_world_options){.messages = 1}, &error), 0);
    for (; *settings; settings++)
        cr_assert_eq(config_set(world.config, *settings, &error), 0, "%s", error.text);
    cr_assert_eq(config_to_tape_text(world.config, &text, &error), 0);
    const struct tape_header header = {.version = TAPE_VERSION,
                                       .origin = TAPE_RECORDED,
                                       .tool_version = "test",
                                       .build_id = "test",
                                       .grade_reasons = "",
                                       .config = text,
                                       .feed_floor_ns = 1000000,
                                       .names = *names};
    const struct succession_options options = {.base = base,
                                               .number = newest(),
                                               .header = &header,
                                               .config = is_recording ? NULL : world.config,
                                               .changed = note,
                                               .passed = die_at,
                                               .context = changes};
    cr_assert_eq(rotation_settle(base, options.number, &error), 0, "%s", error.text);
    int code = succession_begin(&options, succession, &error);
    free(text);
    live_world_close(&world);
    return code;
}

static struct succession begun(const char *setting)
{
    struct succession succession;
    struct changes changes = {.dies_at = NO_STEP};
    const char *const settings[] = {setting, NULL};
    cr_assert_eq(begin_with(settings, small_tape_names(), &changes, &succession), 0, "%s",
                 error.text);
    return succession;
}

static void expect_chain(uint64_t tapes)
{
    struct verification_result result;
    cr_assert_eq(newest(), tapes);
    for (uint64_t number = 1; number <= tapes; number++) {
        cr_assert_eq(verification_run(path_of(number), &result, &error), 0, "%lu: %s",
                     (unsigned long)number, error.text);
        if (number > 1)
            cr_assert_eq(rotation_check(path_of(number - 1), path_of(number), &error), 0, "%s",
                         error.text);
    }
}

static bool is_finished(uint64_t number)
{
    struct tape_reader *reader = NULL;
    cr_assert_eq(tape_reader_open(&reader, path_of(number), &error), 0, "%s", error.text);
    bool finished = tape_reader_is_finished(reader);
    tape_reader_close(&reader);
    return finished;
}

Test(succession, goes_on_under_other_settings)
{
    struct succession succession;
    struct changes changes = {.dies_at = NO_STEP};
    const char *const settings[] = {"quote.levels=4", "instruments.v1:BTC-USD.quote.size=2lot",
                                    NULL};
    live(0, NULL, 400); /* it dies with orders that rest */
    cr_assert_eq(begin_with(settings, small_tape_names(), &changes, &succession), 0, "%s",
                 error.text);
    cr_assert(succession.begun);
    cr_expect_gt(succession.recovery.messages, 0);
    cr_expect_str_eq(changes.text, "quote.levels 3->4\ninstruments.v1:BTC-USD.quote.size ->2lot\n");
    cr_assert(is_finished(1));
    expect_chain(2); /* before any start */
}

Test(succession, changed_twice)
{
    live(0, NULL, 400);
    cr_assert(begun("quote.levels=4").begun);
    struct live_session_result result = live(1, "quote.levels=4", 300);
    cr_expect_eq(result.fold.epoch, 1);
    cr_assert(begun("quote.levels=2").begun);
    result = live(2, "quote.levels=2", 0);
    cr_expect_eq(result.fold.epoch, 2);
    expect_chain(3);
    cr_assert_not(begun("quote.levels=2").begun); /* the same */
    expect_chain(3);
}

/* Where there is no tape, or none that has a message, there is nothing to go on from. */
Test(succession, begins_nothing_behind_nothing)
{
    struct live_tape *tape = NULL;
    struct tape_recovery recovery;
    struct succession succession = begun("quote.levels=4");
    cr_assert(!succession.begun && !succession.withdrawn);
    const struct tape_header header = {.version = TAPE_VERSION,
                                       .origin = TAPE_RECORDED,
                                       .tool_version = "test",
                                       .build_id = "test",
                                       .grade_reasons = "",
                                       .config = "quote.levels: 3\n",
                                       .names = *small_tape_names()};
    const struct live_tape_options options = {.path = base, .header = &header};
    cr_assert_eq(live_tape_open(&tape, &options, &recovery, &error), 0, "%s", error.text);
    live_tape_abandon(&tape);
    succession = begun("quote.levels=4");
    cr_assert(!succession.begun && succession.withdrawn);
    cr_expect_neq(access(base, F_OK), 0);
}

/* Neither where it traded, nor where it only left what the next is to begin with. */
Test(succession, a_recording_leaves_a_session_alone)
{
    struct succession succession;
    struct changes changes = {.dies_at = NO_STEP};
    const char *const others[] = {"quote.levels=2", NULL};
    live(0, NULL, 0);
    for (uint64_t tapes = 1; tapes <= 2; tapes++) {
        const bool finished = is_finished(tapes);
        cr_expect(finished);
        is_recording = true;
        cr_expect_eq(begin_with(others, small_tape_names(), &changes, &succession), ERROR_INPUT);
        cr_expect(strstr(error.text, "is a session's tape, which a recording would spoil"), "%s",
                  error.text);
        is_recording = false;
        cr_expect_eq(newest(), tapes);
        cr_expect_eq(is_finished(tapes), finished);
        cr_assert_eq(begun("quote.levels=4").begun, tapes == 1);
    }
    expect_chain(2);
}

/* As after a loss of power: the file is longer than what was written. */
static void tear(uint64_t number)
{
    static const char nothing[4096];
    FILE *file = fopen(path_of(number), "ab");
    cr_assert(file);
    cr_assert_eq(fwrite(nothing, 1, sizeof nothing, file), sizeof nothing);
    fclose(file);
}

Test(succession, a_torn_end_is_cut_off)
{
    live(0, NULL, 400);
    tear(1);
    cr_expect_not(begun("quote.levels=3").begun); /* the same */
    live(1, NULL, 300);
    tear(1);
    cr_expect(begun("quote.levels=4").begun);
    live(2, "quote.levels=4", 300);
    tear(2);
    cr_expect_not(begun("quote.levels=4").begun);
    live(3, "quote.levels=4", 0);
    expect_chain(2);
}

Test(succession, another_process_writes_the_tape)
{
    struct tape_appender *appender = NULL;
    struct tape_recovery recovery;
    struct succession succession;
    struct changes changes = {.dies_at = NO_STEP};
    const char *const settings[] = {"quote.levels=4", NULL};
    live(0, NULL, 0);
    cr_assert_eq(tape_appender_open(&appender, base, NULL,
                                    &(struct tape_appender_options){.sync_every = 0}, &recovery,
                                    &error),
                 0);
    cr_expect_eq(begin_with(settings, small_tape_names(), &changes, &succession), ERROR_INPUT);
    tape_appender_abandon(&appender);
    cr_expect_eq(newest(), 1);
}

/* --- a death at each step ------------------------------------------------------------------------------------ */

static void begin_and_die(unsigned step)
{
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        struct succession succession;
        struct changes changes = {.dies_at = step};
        const char *const settings[] = {"quote.levels=4", NULL};
        (void)begin_with(settings, small_tape_names(), &changes, &succession);
        _exit(8);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7, "step %u: status %x", step, status);
}

static void dies_at(enum succession_step step)
{
    const bool written = step >= SUCCESSION_WRITTEN;
    live(0, NULL, 400);
    begin_and_die(step);
    cr_assert_eq(newest(), written ? 2 : 1);
    cr_assert_eq(is_finished(1), step == SUCCESSION_FINISHED);
    cr_assert_eq(begun("quote.levels=4").begun, !written);
    struct live_session_result result = live(1, "quote.levels=4", 0);
    cr_expect_eq(result.fold.epoch, 1);
    cr_expect_eq(result.fold.starts, 1);
    cr_assert(is_finished(1) && is_finished(2));
    expect_chain(2);
}

Test(succession, dies_when_the_old_tape_is_recovered)
{
    dies_at(SUCCESSION_RECOVERED);
}

Test(succession, dies_before_the_next_tape_is_there)
{
    dies_at(SUCCESSION_FOLDED);
}

Test(succession, dies_when_the_next_tape_is_written)
{
    dies_at(SUCCESSION_WRITTEN);
}

Test(succession, dies_when_the_old_tape_has_its_end)
{
    dies_at(SUCCESSION_FINISHED);
}

/* Back to the settings before: what was begun for others goes on too. */
Test(succession, dies_and_the_settings_are_taken_back)
{
    live(0, NULL, 400);
    begin_and_die(SUCCESSION_WRITTEN);
    cr_assert(begun("quote.levels=3").begun);
    live(1, NULL, 0);
    expect_chain(3);
}

/* --- names ----------------------------------------------------------------------------------------------------- */

/* Small tapes' names without their first instrument, and with one more. */
struct other_names {
    struct event_names names;
    const char *symbols[SMALL_TAPE_INSTRUMENTS + 1];
    struct event_definition definitions[SMALL_TAPE_INSTRUMENTS + 1];
};

static void make_names(struct other_names *other, unsigned from, unsigned more)
{
    const struct event_names *small = small_tape_names();
    unsigned count = 0;
    other->names = *small;
    for (unsigned i = from; i < small->instrument_count; i++, count++) {
        other->symbols[count] = small->symbols[i];
        other->definitions[count] = small->definitions[i];
    }
    if (more) {
        other->symbols[count] = "NEWUSDT";
        other->definitions[count++] = small->definitions[0];
    }
    for (unsigned i = 0; i < count; i++)
        other->definitions[i].instrument = (uint16_t)i;
    other->names.instrument_count = count;
    other->names.symbols = other->symbols;
    other->names.definitions = other->definitions;
}

Test(succession, another_instrument_begins_flat)
{
    struct other_names other;
    struct succession succession;
    struct changes changes = {.dies_at = NO_STEP};
    const char *const none[] = {NULL};
    live(0, NULL, 400);
    make_names(&other, 0, 1);
    other.definitions[0].tick *= 2; /* of today; positions are counted as they were */
    other.definitions[0].base_commission_exponent -= 2;
    cr_assert_eq(begin_with(none, &other.names, &changes, &succession), 0, "%s", error.text);
    cr_assert(succession.begun);
    expect_chain(2);
    struct tape_reader *reader = NULL;
    cr_assert_eq(tape_reader_open(&reader, path_of(2), &error), 0);
    const struct event_names *names = &tape_reader_header(reader)->names;
    cr_expect_eq(names->instrument_count, 3);
    cr_expect_eq(names->definitions[0].tick, 2 * small_tape_names()->definitions[0].tick);
    cr_expect_eq(names->definitions[0].base_commission_exponent,
                 small_tape_names()->definitions[0].base_commission_exponent);
    tape_reader_close(&reader);
}

Test(succession, one_that_is_gone_is_named_with_its_position)
{
    struct other_names other;
    struct succession succession;
    struct changes changes = {.dies_at = NO_STEP};
    const char *const none[] = {NULL};
    live(0, NULL, 400);
    make_names(&other, 1, 0);
    cr_assert_eq(begin_with(none, &other.names, &changes, &succession), ERROR_INPUT);
    cr_expect_neq(strstr(error.text, small_tape_names()->symbols[0]), NULL, "%s", error.text);
    cr_expect_neq(strstr(error.text, "its position is "), NULL, "%s", error.text);
    cr_expect_eq(newest(), 1);
    live(1, NULL, 0); /* the old tape goes on as it was */
    /* One whose units became others is another. */
    make_names(&other, 0, 0);
    other.definitions[0].quantity_exponent--;
    int code = begin_with(none, &other.names, &changes, &succession);
    cr_expect(code == ERROR_INPUT || succession.begun, "%s", error.text);
}

/* The tape as another build would have written it: its carry is not what this one reads. */
static void spoil_carry(const char *path)
{
    struct tape_reader *reader = NULL;
    struct tape_writer *writer = NULL;
    struct tape_block block = {0};
    const struct tape_writer_options options = {.level = 0};
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0);
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    cr_assert_eq(tape_writer_open(&writer, path, tape_reader_header(reader), &options, &error), 0);
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

/* What a tape comes to; 0: it can't be folded. */
static uint64_t folded_hash(uint64_t number, const struct event_names *names)
{
    struct live_world world = {0};
    struct run_engine run = {0};
    struct walker_hash hash;
    struct fold fold;
    cr_assert_eq(live_world_open(&world, &(struct live_world_options){.messages = 1}, &error), 0);
    cr_assert_eq(run_engine_open(&run, world.config, names, false, false, &error), 0, "%s",
                 error.text);
    int code = fold_tape(path_of(number), UINT64_MAX, &run, &fold, &error);
    walker_hash_init(&hash);
    engine_walk_carry(run.engine, &hash.walker);
    run_engine_close(&run);
    live_world_close(&world);
    return code ? 0 : hash.hash;
}

/* It is folded from the tapes before, each under its own settings and numbers: a new instrument has become the first. */
Test(succession, a_carry_of_another_build)
{
    struct other_names other;
    struct succession succession;
    struct changes changes = {.dies_at = NO_STEP};
    const char *const none[] = {NULL};
    live(0, NULL, 400);
    make_names(&other, 0, 1);
    const struct event_definition added = other.definitions[2];
    for (unsigned i = 2; i > 0; i--) {
        other.symbols[i] = other.symbols[i - 1];
        other.definitions[i] = other.definitions[i - 1];
        other.definitions[i].instrument = (uint16_t)i;
    }
    other.symbols[0] = "NEWUSDT";
    other.definitions[0] = added;
    other.definitions[0].instrument = 0;
    cr_assert_eq(begin_with(none, &other.names, &changes, &succession), 0, "%s", error.text);
    const uint64_t hash = folded_hash(2, &other.names);
    cr_assert_neq(hash, 0, "%s", error.text);
    spoil_carry(path_of(2));
    cr_expect_eq(folded_hash(2, &other.names), hash, "%s", error.text);
    cr_assert_eq(unlink(path_of(1)), 0);
    cr_expect_eq(folded_hash(2, &other.names), 0);
}
