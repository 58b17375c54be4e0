/* capstan tape cat and capstan tape make: a tape to text and back. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/build_id.h"
#include "cmd/cmd.h"
#include "cmd/tape.h"
#include "cmd/tape_text.h"
#include "config/nearest.h"

/* --- cat --------------------------------------------------------------------------------------- */

struct cat {
    struct tape_reader *reader;
    struct tape_block block;
    int64_t from, to;
    struct cmd_list instruments, kinds;
    bool full;
    bool wanted_kind[256];
    bool *wanted_instrument; /* NULL: all, and those of none */
    char *text;
    size_t capacity;
};

static int refuse_kind(const char *name, struct error *error)
{
    const char *near = NULL;
    unsigned distance = nearest_limit(name);
    for (unsigned k = 0; k < 256; k++)
        if (event_kind_info(k) != NULL)
            nearest_offer(name, event_kind_info(k)->name, &near, &distance);
    if (near != NULL)
        return error_set(error, ERROR_INPUT,
                         "--kind %.64s: there is no such kind; did you mean '%s'?", name, near);
    return error_set(error, ERROR_INPUT,
                     "--kind %.64s: there is no such kind; docs/event-kinds.md lists them, as "
                     "trade and snapshot",
                     name);
}

static int choose(struct cat *cat, struct error *error)
{
    const struct event_names *names = &tape_reader_header(cat->reader)->names;
    for (unsigned k = 0; k < 256; k++)
        cat->wanted_kind[k] = cat->kinds.count == 0;
    for (size_t i = 0; i < cat->kinds.count; i++) {
        const char *name = cat->kinds.items[i];
        const struct event_kind_info *kind = event_kind_by_name(name, strlen(name));
        if (kind == NULL)
            return refuse_kind(name, error);
        cat->wanted_kind[kind->kind] = true;
    }
    if (cat->instruments.count == 0)
        return 0;
    cat->wanted_instrument = calloc((size_t)names->instrument_count + 1, sizeof(bool));
    if (cat->wanted_instrument == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for instruments");
    for (size_t i = 0; i < cat->instruments.count; i++) {
        const char *name = cat->instruments.items[i];
        int instrument = event_instrument_by_name(names, name, strlen(name));
        if (instrument < 0)
            return error_set(error, ERROR_INPUT,
                             "--instrument %s: not on this tape, expected venue:symbol", name);
        cat->wanted_instrument[instrument] = true;
    }
    return 0;
}

static bool is_wanted(const struct cat *cat, const struct message *message)
{
    unsigned instrument = EVENT_STREAM_INSTRUMENT(message->stream);
    if (message->ts_local < cat->from || message->ts_local > cat->to ||
        !cat->wanted_kind[message->kind])
        return false;
    return cat->wanted_instrument == NULL ||
           (message->stream != EVENT_NONE_16 && cat->wanted_instrument[instrument]);
}

static int print_message(struct cat *cat, const struct message *message, struct error *error)
{
    const struct event_names *names = &tape_reader_header(cat->reader)->names;
    size_t length = message_to_text(message, names, cat->text, cat->capacity);
    if (length >= cat->capacity) {
        char *text = realloc(cat->text, 2 * length + 1);
        if (text == NULL)
            return error_set(error, ERROR_SYSTEM, "no memory for a message's text");
        cat->text = text;
        cat->capacity = 2 * length + 1;
        length = message_to_text(message, names, cat->text, cat->capacity);
    }
    cat->text[length] = '\n';
    if (fwrite(cat->text, 1, length + 1, stdout) != length + 1)
        cmd_output_failed();
    return 0;
}

static int print_messages(struct cat *cat, struct error *error)
{
    size_t blocks = tape_reader_block_count(cat->reader);
    int code = 0;
    for (size_t b = tape_reader_seek(cat->reader, cat->from); code == 0 && b < blocks; b++) {
        if (tape_reader_block_info(cat->reader, b)->first_ts > cat->to)
            break;
        code = tape_reader_read(cat->reader, b, &cat->block, error);
        for (uint32_t m = 0; code == 0 && m < cat->block.message_count && !ferror(stdout); m++)
            if (is_wanted(cat, &cat->block.messages[m]))
                code = print_message(cat, &cat->block.messages[m], error);
    }
    return code;
}

int cmd_tape_cat(int argc, char **argv)
{
    struct cat cat = {.from = INT64_MIN, .to = INT64_MAX};
    const struct cmd_option table[] = {
        CMD_TIME("from", 0, "leave out what was received before", &cat.from),
        CMD_TIME("to", 0, "leave out what was received after", &cat.to),
        CMD_LIST("instrument", 0, "NAME", "only this instrument (venue:symbol); may be repeated",
                 &cat.instruments),
        CMD_LIST("kind", 0, "KIND", "only messages of this kind; may be repeated", &cat.kinds),
        CMD_FLAG("full", 0, "print the header too, so that tape make gives the same tape",
                 &cat.full),
    };
    const struct cmd_usage usage = {
        .name = "tape cat",
        .arguments = "TAPE",
        .opening = "Print the messages of a tape as canonical text, one a line.\n",
        .closing = "Examples:\n"
                   "  capstan tape cat day.tape --kind trade --instrument binance_spot:BTCUSDT\n"
                   "  capstan tape cat day.tape --full > day.txt && capstan tape make day.txt -o "
                   "same.tape\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    struct error error = {0};
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        goto free_lists;
    status = tape_reader_open(&cat.reader, arguments.items[0], &error);
    if (status == 0)
        status = choose(&cat, &error);
    if (status == 0)
        status = tape_block_init(&cat.block, cat.reader, &error);
    if (status == 0 && cat.full)
        status = tape_text_print_header(tape_reader_header(cat.reader), stdout, &error);
    if (status == 0)
        status = print_messages(&cat, &error);
    if (status != 0)
        cmd_fail(usage.name, &error);
    tape_block_free(&cat.block);
    tape_reader_close(&cat.reader);
    free(cat.wanted_instrument);
    free(cat.text);
free_lists:
    cmd_list_free(&cat.instruments);
    cmd_list_free(&cat.kinds);
    return status;
}

/* --- make -------------------------------------------------------------------------------------- */

static int make_messages(struct tape_text *text, const struct event_names *names,
                         struct tape_writer *writer, struct row *rows, uint64_t *count,
                         struct error *error)
{
    union event_record record;
    struct message message;
    int got;
    while ((got = tape_text_next(text, error)) == 1) {
        int failed = message_from_text(text->line, text->length, names, rows, EVENT_ROWS_MAX,
                                       &record, &message, error);
        if (failed == 0)
            failed = tape_writer_append(writer, &message, error);
        if (failed != 0)
            return tape_text_fail(text, error);
        ++*count;
    }
    return got == 0 ? 0 : (int)error->code;
}

static int make(struct tape_text *text, const char *output,
                const struct tape_writer_options *options, uint64_t *count, struct error *error)
{
    char build[BUILD_ID_TEXT_MAX];
    build_id_text(build);
    struct tape_text_header *header = calloc(1, sizeof *header);
    struct row *rows = calloc(EVENT_ROWS_MAX, sizeof *rows);
    struct tape_writer *writer = NULL;
    int failed = header == NULL || rows == NULL
                     ? error_set(error, ERROR_SYSTEM, "no memory to make a tape")
                     : tape_text_read_header(text, PACKAGE_VERSION, build, header, error);
    if (failed == 0)
        failed = tape_writer_open(&writer, output, &header->tape, options, error);
    if (failed == 0)
        failed = make_messages(text, &header->tape.names, writer, rows, count, error);
    if (failed == 0)
        failed = tape_writer_finish(&writer, error);
    tape_writer_abandon(&writer);
    if (header != NULL)
        tape_text_header_free(header);
    free(header);
    free(rows);
    return failed;
}

int cmd_tape_make(int argc, char **argv)
{
    const char *output = NULL;
    int64_t block_events = 0, level = 0;
    const struct cmd_option table[] = {
        CMD_TEXT("output", 'o', "TAPE", "the tape to write", &output),
        CMD_COUNT("block-events", 0, TAPE_BLOCK_EVENTS_MIN, TAPE_BLOCK_EVENTS_MAX,
                  "events in a block (default 16384)", &block_events),
        CMD_COUNT("level", 0, 1, 19, "zstd level (default 1)", &level),
    };
    const struct cmd_usage usage = {
        .name = "tape make",
        .arguments = "TEXT -o TAPE",
        .opening = "Make a tape from text as tape cat --full prints it: header lines, then one\n"
                   "line a message. - reads standard input. docs/tape-text.md has the language.\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    struct error error = {0};
    uint64_t count = 0;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    status = tape_need_output(usage.name, output, arguments.items[0]);
    if (status != 0)
        return status;
    struct tape_text text = {.path = arguments.items[0], .from = stdin};
    if (strcmp(text.path, "-") != 0)
        text.from = fopen(text.path, "r");
    if (text.from == NULL)
        return cmd_fail_with(usage.name, ERROR_INPUT, "%s: %s", text.path, strerror(errno));
    struct tape_writer_options options = {.block_events = (unsigned)block_events,
                                          .level = (int)level};
    status = make(&text, output, &options, &count, &error);
    if (text.from != stdin)
        fclose(text.from);
    free(text.line);
    if (status != 0)
        return cmd_fail(usage.name, &error);
    printf("%s: %llu messages\n", output, (unsigned long long)count);
    return 0;
}
