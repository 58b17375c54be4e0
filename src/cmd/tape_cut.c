/* capstan tape cut: a part of a tape that can be replayed by itself. The books as they stood at its
 * beginning come first, as snapshots. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/build_id.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/tape.h"
#include "engine/book.h"
#include "tape/standing.h"

enum { CUT_FAR_LEVELS = 64 * 1024 /* a side; more than any venue shows */ };

/* What is known of an instrument at the cut. */
struct before {
    struct book *book;
    int64_t book_venue_time;
    uint8_t book_flags;
    struct message top; /* its rows are those below */
    struct row top_rows[2];
    struct message definition, status; /* their records are those below */
    union event_record definition_record, status_record;
};

struct cut {
    struct tape_reader *reader;
    struct tape_writer *writer;
    struct tape_block block;
    struct before *instruments;
    struct row *rows;
    int64_t from, to;
    uint64_t messages;
};

/* --- before the cut ---------------------------------------------------------------------------- */

static int note_book(struct cut *cut, struct before *before, const struct message *message,
                     struct error *error)
{
    size_t size = (book_size(CUT_FAR_LEVELS) + 63) / 64 * 64;
    if (before->book == NULL && message->kind == EVENT_snapshot) {
        void *memory = aligned_alloc(64, size);
        if (memory == NULL)
            return error_set(error, ERROR_SYSTEM, "no memory for a book");
        before->book = book_init(memory, size, CUT_FAR_LEVELS);
    }
    /* What stands before the first snapshot is no book. */
    if (before->book == NULL ||
        (message->kind == EVENT_depth && !book_is_synchronised(before->book)))
        return 0;
    if (!book_apply(before->book, message)) {
        char name[EVENT_INSTRUMENT_NAME_MAX];
        event_instrument_name(&tape_reader_header(cut->reader)->names,
                              EVENT_STREAM_INSTRUMENT(message->stream), name);
        return error_set(error, ERROR_INPUT, "the book of %s has more than %d levels a side", name,
                         CUT_FAR_LEVELS);
    }
    before->book_venue_time = message->ts_venue;
    before->book_flags = message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED);
    return 0;
}

static void note_record(struct message *kept, union event_record *record,
                        const struct message *message)
{
    *record = *message->record;
    *kept = *message;
    kept->record = record;
}

static void lose_books(struct cut *cut, const struct message *message)
{
    const struct event_names *names = &tape_reader_header(cut->reader)->names;
    for (unsigned i = 0; i < names->instrument_count; i++)
        if (cut->instruments[i].book != NULL &&
            tape_loses_book(message, i, names->definitions[i].venue))
            book_clear(cut->instruments[i].book);
}

static int note(struct cut *cut, const struct message *message, struct error *error)
{
    if (message->kind == EVENT_gap || message->kind == EVENT_feed_connection)
        lose_books(cut, message);
    if (message->stream == EVENT_NONE_16)
        return 0;
    struct before *before = &cut->instruments[EVENT_STREAM_INSTRUMENT(message->stream)];
    if (message->kind == EVENT_depth || message->kind == EVENT_snapshot)
        return note_book(cut, before, message, error);
    if (message->kind == EVENT_definition)
        note_record(&before->definition, &before->definition_record, message);
    if (message->kind == EVENT_instrument_status)
        note_record(&before->status, &before->status_record, message);
    if (message->kind == EVENT_top && message->row_count <= 2 && message->row_count > 0) {
        before->top = *message;
        memcpy(before->top_rows, message->rows, message->row_count * sizeof(struct row));
        before->top.rows = before->top_rows;
    }
    return 0;
}

/* --- the beginning of the cut ------------------------------------------------------------------ */

static int append(struct cut *cut, const struct message *message, struct error *error)
{
    int failed = tape_writer_append(cut->writer, message, error);
    cut->messages += failed == 0;
    return failed;
}

/* Append a message of before as if it came at the cut's first moment; kind 0 is none. */
static int append_again(struct cut *cut, struct message message, struct error *error)
{
    if (message.kind == 0)
        return 0;
    message.ts_local = cut->from;
    message.flags &= (uint8_t)~MESSAGE_MORE;
    return append(cut, &message, error);
}

static size_t take_side(struct cut *cut, const struct book *book, enum side side, size_t at)
{
    struct book_level level;
    bool more = book_best(book, side, &level);
    while (more) {
        cut->rows[at++] = (struct row){
            .price = level.price,
            .quantity = level.quantity,
            .flags = (uint8_t)(ROW_FROM_SNAPSHOT | (side == SIDE_SELL ? ROW_SELL : 0))};
        more = book_next(book, side, level.price, &level);
    }
    return at;
}

/* A book as a snapshot, with the sequence and venue time of the last message that changed it. */
static int append_book(struct cut *cut, unsigned instrument, struct error *error)
{
    const struct before *before = &cut->instruments[instrument];
    if (before->book == NULL || !book_is_synchronised(before->book))
        return 0;
    size_t levels = book_level_count(before->book, SIDE_BUY);
    levels += book_level_count(before->book, SIDE_SELL);
    if (levels > EVENT_ROWS_MAX)
        return error_set(error, ERROR_INPUT, "a book of %zu levels, expected at most %d", levels,
                         EVENT_ROWS_MAX);
    size_t rows = take_side(cut, before->book, SIDE_BUY, 0);
    rows = take_side(cut, before->book, SIDE_SELL, rows);
    struct message message = {.ts_local = cut->from,
                              .ts_venue = before->book_venue_time,
                              .sequence = book_sequence(before->book),
                              .stream = EVENT_STREAM(instrument, CHANNEL_DEPTH),
                              .kind = EVENT_snapshot,
                              .flags = before->book_flags,
                              .row_count = (uint32_t)rows,
                              .rows = cut->rows};
    return append(cut, &message, error);
}

static int begin(struct cut *cut, struct error *error)
{
    unsigned count = tape_reader_header(cut->reader)->names.instrument_count;
    int failed = 0;
    for (unsigned i = 0; i < count && failed == 0; i++) {
        failed = append_again(cut, cut->instruments[i].definition, error);
        if (failed == 0)
            failed = append_again(cut, cut->instruments[i].status, error);
        if (failed == 0)
            failed = append_book(cut, i, error);
        if (failed == 0)
            failed = append_again(cut, cut->instruments[i].top, error);
    }
    return failed;
}

/* --- the cut ----------------------------------------------------------------------------------- */

static int take_block(struct cut *cut, bool *begun, struct error *error)
{
    int failed = 0;
    for (uint32_t m = 0; m < cut->block.message_count && failed == 0; m++) {
        const struct message *message = &cut->block.messages[m];
        if (message->ts_local > cut->to)
            break;
        if (message->ts_local < cut->from) {
            failed = note(cut, message, error);
            continue;
        }
        if (!*begun)
            failed = begin(cut, error);
        *begun = true;
        if (failed == 0)
            failed = append(cut, message, error);
    }
    return failed;
}

/* What was told before the first block that is read whole: a halt, say, is told once. */
static int note_standing(struct cut *cut, size_t first, struct error *error)
{
    struct tape_standing standing;
    int failed = tape_standing_read(&standing, cut->reader, first, error);
    for (size_t i = 0; i < standing.count && failed == 0; i++)
        failed = note(cut, &standing.messages[i], error);
    tape_standing_free(&standing);
    return failed;
}

static int run(struct cut *cut, struct error *error)
{
    size_t blocks = tape_reader_block_count(cut->reader);
    bool begun = cut->from == INT64_MIN;
    size_t first = begun ? 0 : tape_reader_snapshot_before(cut->reader, cut->from);
    int failed = note_standing(cut, first, error);
    for (size_t b = first; b < blocks && failed == 0; b++) {
        if (tape_reader_block_info(cut->reader, b)->first_ts > cut->to)
            break;
        failed = tape_reader_read(cut->reader, b, &cut->block, error);
        if (failed == 0)
            failed = take_block(cut, &begun, error);
    }
    if (failed == 0 && !begun)
        failed = begin(cut, error);
    return failed;
}

/* The tape's own header, with this build as what wrote it and the cut named among the reasons of its grade. free() *reasons. */
static int make_header(const struct cut *cut, const char *build_id, struct tape_header *header,
                       char **reasons, struct error *error)
{
    char from[TIME_TEXT_MAX], reason[TIME_TEXT_MAX + 64];
    *header = *tape_reader_header(cut->reader);
    header->tool_version = PACKAGE_VERSION;
    header->build_id = build_id;
    if (cut->from == INT64_MIN)
        return 0;
    time_to_text(cut->from, from);
    snprintf(reason, sizeof reason, "cut at %s: begins with the books as they stood", from);
    return tape_header_lower_grade(header, TAPE_GRADE_A, reason, reasons, error);
}

static int prepare(struct cut *cut, const char *output, const struct tape_writer_options *options,
                   struct error *error)
{
    struct tape_header header;
    char *reasons = NULL, build_id[BUILD_ID_TEXT_MAX];
    build_id_text(build_id);
    unsigned count = tape_reader_header(cut->reader)->names.instrument_count;
    cut->instruments = calloc((size_t)count + 1, sizeof *cut->instruments);
    cut->rows = calloc(EVENT_ROWS_MAX, sizeof *cut->rows);
    if (cut->instruments == NULL || cut->rows == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory to cut a tape");
    int failed = tape_block_init(&cut->block, cut->reader, error);
    if (failed == 0)
        failed = make_header(cut, build_id, &header, &reasons, error);
    if (failed == 0)
        failed = tape_writer_open(&cut->writer, output, &header, options, error);
    free(reasons);
    return failed;
}

static void close_cut(struct cut *cut)
{
    unsigned count =
        cut->reader == NULL ? 0 : tape_reader_header(cut->reader)->names.instrument_count;
    for (unsigned i = 0; cut->instruments != NULL && i < count; i++)
        free(cut->instruments[i].book);
    free(cut->instruments);
    free(cut->rows);
    tape_block_free(&cut->block);
    tape_writer_abandon(&cut->writer);
    tape_reader_close(&cut->reader);
}

int cmd_tape_cut(int argc, char **argv)
{
    struct cut cut = {.from = INT64_MIN, .to = INT64_MAX};
    const char *output = NULL;
    int64_t block_events = 0, level = 0;
    const struct cmd_option table[] = {
        CMD_TIME("from", 0, "leave out what was received before", &cut.from),
        CMD_TIME("to", 0, "leave out what was received after", &cut.to),
        CMD_TEXT("output", 'o', "TAPE", "the tape to write", &output),
        CMD_COUNT("block-events", 0, TAPE_BLOCK_EVENTS_MIN, TAPE_BLOCK_EVENTS_MAX,
                  "events in a block (default 16384)", &block_events),
        CMD_COUNT("level", 0, 1, 19, "zstd level (default 1)", &level),
    };
    const struct cmd_usage usage = {
        .name = "tape cut",
        .arguments = "TAPE -o TAPE",
        .opening =
            "Write the messages received from one time to another, both included, as a tape.\n"
            "With --from, what was known then comes first, at that time: of each instrument its\n"
            "definition and status where they came as messages, its book as one snapshot, and\n"
            "its best bid and ask. So a replay of the part begins with whole books. Without both\n"
            "times the tape is written anew, which changes its blocks but not its identity.\n",
        .closing = "Example:\n"
                   "  capstan tape cut day.tape --from 2024-08-09T00:00:00Z "
                   "--to 2024-08-09T00:01:00Z -o minute.tape\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    struct error error = {0};
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    status = tape_need_output(usage.name, output, arguments.items[0]);
    if (status != 0)
        return status;
    struct tape_writer_options options = {.block_events = (unsigned)block_events,
                                          .level = (int)level};
    status = tape_reader_open(&cut.reader, arguments.items[0], &error);
    if (status == 0)
        status = tape_check_span(cut.reader, arguments.items[0], cut.from, cut.to, &error);
    if (status == 0)
        status = prepare(&cut, output, &options, &error);
    if (status == 0)
        status = run(&cut, &error);
    if (status == 0)
        status = tape_writer_finish(&cut.writer, &error);
    close_cut(&cut);
    if (status != 0)
        return cmd_fail(usage.name, &error);
    printf("%s: %" PRIu64 " messages\n", output, cut.messages);
    return 0;
}
