/* Whole backtests on small tapes: the fingerprint depends on neither blocks nor threads, and a session's
 * tape verifies, until one decision or one state hash on it is altered. */
#include "config.h" /* POSIX names */

#include "run/backtest.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/journal.h"
#include "run/tape_sink.h"
#include "run/verification.h"
#include "small_tape.h"

enum { MESSAGES = 20000, PATH_MAX_BYTES = 64 };

static struct error error;
static char tape_path[PATH_MAX_BYTES], session_path[PATH_MAX_BYTES], altered_path[PATH_MAX_BYTES],
    journal_path[PATH_MAX_BYTES];

static void name_files(void)
{
    long process = (long)getpid();
    snprintf(tape_path, sizeof tape_path, "backtest_test.%ld.tape", process);
    snprintf(session_path, sizeof session_path, "backtest_test.%ld.session.tape", process);
    snprintf(altered_path, sizeof altered_path, "backtest_test.%ld.altered.tape", process);
    snprintf(journal_path, sizeof journal_path, "backtest_test.%ld.journal", process);
}

static void remove_files(void)
{
    unlink(tape_path);
    unlink(session_path);
    unlink(altered_path);
    unlink(journal_path);
}

TestSuite(backtest, .init = name_files, .fini = remove_files);

static void make_tape(unsigned block_events)
{
    const struct small_tape_options options = {
        .path = tape_path, .messages = MESSAGES, .block_events = block_events};
    cr_assert_eq(small_tape_write(&options, &error), 0, "%s", error.text);
}

/* Tapes of a few seconds: quoting begins with the first book. */
static struct config *make_config(const char *threads)
{
    static const char *const cold[] = {"warm_up.trades=0", "warm_up.book_messages=0",
                                       "warm_up.samples=0"};
    struct config *config = NULL;
    cr_assert_eq(config_create(&config, &error), 0, "%s", error.text);
    cr_assert_eq(config_set(config, threads, &error), 0, "%s", error.text);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(config_set(config, cold[i], &error), 0, "%s", error.text);
    cr_assert_eq(config_set(config, "sim.balances=1000000000 USD, 100000 BTC, 100000 ETH", &error),
                 0, "%s", error.text);
    return config;
}

/* What a run came to. */
struct outcome {
    char fingerprint[FINGERPRINT_TEXT_MAX];
    struct engine_counters counters;
};

static void write_header(struct tape_header *header, const struct backtest *backtest)
{
    *header = *backtest->header;
    header->origin = TAPE_REPLAYED;
    header->config = backtest->engine.config_text;
}

static struct outcome run(const char *threads, int64_t from, unsigned session_block_events)
{
    struct outcome outcome;
    struct backtest backtest = {0};
    struct config *config = make_config(threads);
    struct tape_sink *session = NULL;
    struct journal *journal = NULL;
    const struct backtest_options options = {.tape = tape_path,
                                             .config = config,
                                             .from = from,
                                             .to = INT64_MAX,
                                             .audit_each_message = true};
    cr_assert_eq(backtest_open(&backtest, &options, &error), 0, "%s", error.text);
    if (session_block_events) {
        struct tape_header header;
        write_header(&header, &backtest);
        const struct tape_writer_options writer = {.block_events = session_block_events};
        cr_assert_eq(tape_sink_open(&session, session_path, &header, &writer,
                                    backtest.engine.engine, &error),
                     0, "%s", error.text);
        backtest_add_sink(&backtest, tape_sink_sink(session));
        cr_assert_eq(journal_open(&journal, journal_path, &backtest.header->names, &error), 0);
        backtest_add_sink(&backtest, journal_sink(journal));
    }
    cr_assert_eq(backtest_run(&backtest, &error), 0, "%s", error.text);
    if (session)
        cr_assert_eq(tape_sink_finish(&session, &error), 0, "%s", error.text);
    cr_assert_eq(journal_close(&journal, &error), 0);
    fingerprint_text(backtest.fingerprint, outcome.fingerprint);
    outcome.counters = *engine_counters(backtest.engine.engine);
    backtest_close(&backtest);
    config_free(&config);
    return outcome;
}

Test(backtest, the_fingerprint_depends_on_neither_blocks_nor_threads)
{
    static const unsigned block_events[] = {1024, 2048, 4096, 8192, 16384, 32768, 65536};
    struct outcome first = {.fingerprint = ""};
    for (unsigned i = 0; i < sizeof block_events / sizeof block_events[0]; i++) {
        make_tape(block_events[i]);
        struct outcome one = run("feed.threads=1", INT64_MIN, 0);
        struct outcome two = run("feed.threads=2", INT64_MIN, 0);
        if (i == 0)
            first = one;
        cr_assert_gt(one.counters.decisions, 100);
        cr_assert_gt(one.counters.fills, 10);
        cr_assert_gt(one.counters.invariant_checks, 0);
        cr_assert_eq(one.counters.invariant_violations, 0);
        cr_assert_str_eq(one.fingerprint, first.fingerprint);
        cr_assert_str_eq(two.fingerprint, first.fingerprint);
    }
}

Test(backtest, a_session_tape_verifies)
{
    static struct verification_result result;
    make_tape(4096);
    struct outcome plain = run("feed.threads=1", INT64_MIN, 0);
    struct outcome outcome = run("feed.threads=1", INT64_MIN, 1024);
    cr_assert_str_eq(outcome.fingerprint, plain.fingerprint);
    cr_assert_eq(verification_run(session_path, &result, &error), 0, "%s", error.text);
    cr_assert_geq(result.decisions, outcome.counters.decisions);
    cr_assert_gt(result.state_hashes, 100);
}

Test(backtest, a_session_that_began_later_verifies)
{
    static struct verification_result result;
    make_tape(4096);
    struct outcome outcome = run("feed.threads=2", SMALL_TAPE_START + 3000000000, 4096);
    cr_assert_gt(outcome.counters.decisions, 100);
    cr_assert_eq(verification_run(session_path, &result, &error), 0, "%s", error.text);
    cr_assert_gt(result.decisions, 100);
}

Test(backtest, a_market_tape_has_nothing_to_verify)
{
    static struct verification_result result;
    make_tape(4096);
    cr_assert_eq(verification_run(tape_path, &result, &error), ERROR_INPUT);
    cr_assert_not_null(strstr(error.text, "no decisions"));
}

Test(backtest, the_journal_has_a_line_for_each_decision_and_answer)
{
    make_tape(4096);
    struct outcome outcome = run("feed.threads=1", INT64_MIN, 1024);
    FILE *file = fopen(journal_path, "r");
    cr_assert_not_null(file);
    uint64_t places = 0, fills = 0;
    char line[4096];
    while (fgets(line, sizeof line, file)) {
        places += strstr(line, " place ") != NULL;
        fills += strstr(line, " order_filled ") != NULL;
    }
    fclose(file);
    cr_assert_eq(places, outcome.counters.placed);
    cr_assert_eq(fills, outcome.counters.fills);
}

/* --- altered sessions ---------------------------------------------------------------------------- */

enum alteration { ALTER_PRICE, DROP_DECISION, ADD_DECISION, ALTER_HASH };

/* Copy `message`, the `ordinal`th place of the tape, as altered. */
static void copy_altered(struct tape_writer *writer, const struct message *message,
                         enum alteration alteration)
{
    struct message copy = *message;
    union event_record record = *message->record;
    copy.record = &record;
    if (alteration == ALTER_PRICE)
        record.place.price.units++;
    if (alteration != DROP_DECISION)
        cr_assert_eq(tape_writer_append(writer, &copy, &error), 0, "%s", error.text);
    if (alteration == ADD_DECISION)
        cr_assert_eq(tape_writer_append(writer, &copy, &error), 0, "%s", error.text);
}

/* Write the session again with its `ordinal`th place altered, blocks and state hashes as they were.
 * Returns that place's number on the tape, from 1. */
static uint64_t alter(unsigned ordinal, enum alteration alteration, unsigned block_events)
{
    struct tape_reader *reader = NULL;
    struct tape_writer *writer = NULL;
    struct tape_block block;
    uint64_t number = 0, altered = 0;
    unsigned places = 0;
    const struct tape_writer_options options = {.block_events = block_events};
    cr_assert_eq(tape_reader_open(&reader, session_path, &error), 0);
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    cr_assert_eq(
        tape_writer_open(&writer, altered_path, tape_reader_header(reader), &options, &error), 0);
    for (size_t i = 0; i < tape_reader_block_count(reader); i++) {
        cr_assert_eq(tape_reader_read(reader, i, &block, &error), 0);
        for (uint32_t m = 0; m < block.message_count; m++) {
            const struct message *message = &block.messages[m];
            number++;
            if (message->kind == EVENT_place && ++places == ordinal && alteration != ALTER_HASH) {
                altered = number;
                copy_altered(writer, message, alteration);
            } else {
                cr_assert_eq(tape_writer_append(writer, message, &error), 0);
            }
        }
        for (uint32_t h = 0; h < block.state_hash_count; h++)
            tape_writer_state_hash(writer, block.state_hashes[h].room,
                                   block.state_hashes[h].hash ^
                                       (alteration == ALTER_HASH && i == ordinal));
    }
    tape_block_free(&block);
    tape_reader_close(&reader);
    cr_assert_eq(tape_writer_finish(&writer, &error), 0, "%s", error.text);
    return altered;
}

static struct verification_result *verify_altered(void)
{
    static struct verification_result result;
    cr_assert_eq(verification_run(altered_path, &result, &error), ERROR_DIFFERENT);
    cr_assert(result.difference.found);
    return &result;
}

Test(backtest, verify_names_an_altered_price)
{
    make_tape(4096);
    run("feed.threads=1", INT64_MIN, 4096);
    uint64_t number = alter(57, ALTER_PRICE, 4096);
    const struct verification_result *result = verify_altered();
    cr_assert_eq(result->difference.message, number);
    cr_assert_str_eq(result->difference.room, "orders");
    cr_assert_str_eq(result->difference.field, "price");
    cr_assert_not_null(strstr(result->difference.expected, " place "));
    cr_assert_str_neq(result->difference.expected, result->difference.actual);
}

Test(backtest, verify_names_a_missing_and_a_surplus_decision)
{
    make_tape(4096);
    run("feed.threads=1", INT64_MIN, 4096);
    uint64_t number = alter(40, DROP_DECISION, 4096);
    cr_assert_eq(verify_altered()->difference.message, number);
    number = alter(40, ADD_DECISION, 4096);
    cr_assert_eq(verify_altered()->difference.message, number + 1);
}

Test(backtest, verify_names_the_room_of_an_altered_state_hash)
{
    make_tape(4096);
    run("feed.threads=1", INT64_MIN, 4096);
    alter(3, ALTER_HASH, 4096);
    const struct verification_result *result = verify_altered();
    cr_assert_not_null(strstr(result->difference.field, "state hash of block"));
    cr_assert_gt(strlen(result->difference.room), 0);
}
