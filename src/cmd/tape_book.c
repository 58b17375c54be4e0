/* capstan tape book: the books of a tape as they stood at given times. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/tape.h"
#include "engine/book.h"
#include "tape/tape.h"

enum {
    BOOK_FAR_LEVELS = 64 * 1024, /* a side; far more than any venue shows */
    TIMES_MAX = 1000 * 1000,
    TIME_LINE_MAX = 64
};

struct times {
    int64_t *items;
    size_t count, capacity;
};

struct view {
    struct tape_reader *reader;
    struct tape_block block;
    const struct event_names *names;
    struct book **books; /* by instrument */
    struct book_level *levels;
    size_t level_capacity;
    int64_t depth; /* levels a side to print; 0: all */
    bool json;
};

static int add_time(struct times *times, const char *text, size_t length, struct error *error)
{
    if (times->count == TIMES_MAX)
        return error_set(error, ERROR_INPUT, "more than %d times", TIMES_MAX);
    if (times->count == times->capacity) {
        size_t capacity = times->capacity == 0 ? 16 : times->capacity * 2;
        int64_t *items = realloc(times->items, capacity * sizeof *items);
        if (items == NULL)
            return error_set(error, ERROR_SYSTEM, "no memory for times");
        times->items = items;
        times->capacity = capacity;
    }
    int code = time_from_text(text, length, &times->items[times->count], error);
    if (code == ERROR_NONE)
        times->count++;
    return code;
}

static int read_times(struct times *times, const char *path, struct error *error)
{
    char line[TIME_LINE_MAX];
    unsigned number = 0;
    int code = ERROR_NONE;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return error_set(error, ERROR_INPUT, "%s: cannot open: %s", path, strerror(errno));
    while (code == ERROR_NONE && fgets(line, sizeof line, file) != NULL) {
        number++;
        code = add_time(times, line, strcspn(line, "\r\n"), error);
        if (code != ERROR_NONE)
            error_prefix(error, "%s:%u", path, number);
    }
    if (code == ERROR_NONE && ferror(file))
        code = error_set(error, ERROR_INPUT, "%s: cannot read: %s", path, strerror(errno));
    fclose(file);
    return code;
}

static int compare_times(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int gather_times(struct times *times, const struct cmd_list *at, const char *path,
                        struct error *error)
{
    int code = ERROR_NONE;
    for (size_t i = 0; code == ERROR_NONE && i < at->count; i++) {
        code = add_time(times, at->items[i], strlen(at->items[i]), error);
        if (code != ERROR_NONE)
            error_prefix(error, "--at %s", at->items[i]);
    }
    if (code == ERROR_NONE && path != NULL)
        code = read_times(times, path, error);
    if (code == ERROR_NONE && times->count == 0)
        code = error_set(error, ERROR_INPUT, "expected --at TIME or --at-file FILE");
    if (code == ERROR_NONE)
        qsort(times->items, times->count, sizeof *times->items, compare_times);
    return code;
}

static int open_view(struct view *view, const char *path, struct error *error)
{
    int code = tape_reader_open(&view->reader, path, error);
    if (code != ERROR_NONE)
        return code;
    view->names = &tape_reader_header(view->reader)->names;
    code = tape_block_init(&view->block, view->reader, error);
    view->books = calloc(view->names->instrument_count + 1, sizeof(struct book *));
    if (code == ERROR_NONE && view->books == NULL)
        code = error_set(error, ERROR_SYSTEM, "no memory for books");
    size_t size = (book_size(BOOK_FAR_LEVELS) + 63) / 64 * 64;
    for (unsigned i = 0; code == ERROR_NONE && i < view->names->instrument_count; i++) {
        void *memory = aligned_alloc(64, size);
        if (memory == NULL)
            code = error_set(error, ERROR_SYSTEM, "no memory for books");
        else
            view->books[i] = book_init(memory, size, BOOK_FAR_LEVELS);
    }
    return code;
}

static void close_view(struct view *view)
{
    for (unsigned i = 0; view->books != NULL && i < view->names->instrument_count; i++)
        free(view->books[i]);
    free(view->books);
    free(view->levels);
    if (view->reader != NULL) {
        tape_block_free(&view->block);
        tape_reader_close(&view->reader);
    }
}

static void lose_books(struct view *view, const struct message *message)
{
    for (unsigned i = 0; i < view->names->instrument_count; i++)
        if (tape_loses_book(message, i, view->names->definitions[i].venue))
            book_clear(view->books[i]);
}

static int apply(struct view *view, const struct message *message, struct error *error)
{
    unsigned instrument = EVENT_STREAM_INSTRUMENT(message->stream);
    if (message->kind == EVENT_gap || message->kind == EVENT_feed_connection)
        lose_books(view, message);
    if ((message->kind != EVENT_depth && message->kind != EVENT_snapshot) ||
        instrument >= view->names->instrument_count) /* depth of no instrument is no book's */
        return ERROR_NONE;
    struct book *book = view->books[instrument];
    /* What stands before the first snapshot is no book. */
    if (message->kind == EVENT_depth && !book_is_synchronised(book))
        return ERROR_NONE;
    if (!book_apply(book, message)) {
        char name[EVENT_INSTRUMENT_NAME_MAX];
        event_instrument_name(view->names, instrument, name);
        return error_set(error, ERROR_INPUT, "the book of %s has more than %d levels a side", name,
                         BOOK_FAR_LEVELS);
    }
    return ERROR_NONE;
}

static size_t take_levels(struct view *view, unsigned instrument, enum side side,
                          struct error *error)
{
    const struct book *book = view->books[instrument];
    size_t count = book_level_count(book, side);
    if (view->depth > 0 && count > (size_t)view->depth)
        count = (size_t)view->depth;
    if (count > view->level_capacity) {
        struct book_level *levels = realloc(view->levels, count * sizeof *levels);
        if (levels == NULL) {
            error_set(error, ERROR_SYSTEM, "no memory for levels");
            return 0;
        }
        view->levels = levels;
        view->level_capacity = count;
    }
    return count == 0 ? 0 : book_levels(book, side, view->levels, count);
}

static void print_side(struct view *view, unsigned instrument, enum side side, struct error *error)
{
    const struct event_definition *definition = &view->names->definitions[instrument];
    char price[DECIMAL_TEXT_MAX], quantity[DECIMAL_TEXT_MAX];
    size_t count = take_levels(view, instrument, side, error);
    if (view->json)
        fputs(side == SIDE_BUY ? ", \"bids\": [" : ", \"asks\": [", stdout);
    for (size_t i = 0; i < count; i++) {
        decimal_to_text(view->levels[i].price, definition->price_exponent, price);
        decimal_to_text(view->levels[i].quantity, definition->quantity_exponent, quantity);
        if (view->json)
            printf("%s[\"%s\", \"%s\"]", i == 0 ? "" : ", ", price, quantity);
        else
            printf("  %s %s*%s\n", side == SIDE_BUY ? "bid" : "ask", price, quantity);
    }
    if (view->json)
        fputs("]", stdout);
}

static int print_books(struct view *view, int64_t at, struct error *error)
{
    char name[EVENT_INSTRUMENT_NAME_MAX], time[TIME_TEXT_MAX];
    error->code = ERROR_NONE;
    time_to_text(at, time);
    fputs(view->json ? "{" : "", stdout);
    for (unsigned i = 0; i < view->names->instrument_count && error->code == ERROR_NONE; i++) {
        const struct book *book = view->books[i];
        const char *synchronised = book_is_synchronised(book) ? "true" : "false";
        event_instrument_name(view->names, i, name);
        if (view->json)
            printf("%s\"%s\": {\"sequence\": %llu, \"synchronised\": %s", i == 0 ? "" : ", ", name,
                   (unsigned long long)book_sequence(book), synchronised);
        else
            printf("%s %s sequence=%llu synchronised=%s\n", time, name,
                   (unsigned long long)book_sequence(book), synchronised);
        print_side(view, i, SIDE_BUY, error);
        print_side(view, i, SIDE_SELL, error);
        fputs(view->json ? "}" : "", stdout);
    }
    fputs(view->json ? "}\n" : "", stdout);
    return error->code;
}

/* Behind the tape's end nothing is known of a book. */
static int check_times(const struct view *view, const struct times *times, const char *path,
                       struct error *error)
{
    char asked[TIME_TEXT_MAX], first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    size_t count = tape_reader_block_count(view->reader);
    int64_t latest = times->items[times->count - 1];
    if (count == 0)
        return error_set(error, ERROR_INPUT, "%.300s: has no message", path);
    int64_t last_ts = tape_reader_block_info(view->reader, count - 1)->last_ts;
    if (latest <= last_ts)
        return ERROR_NONE;
    time_to_text(latest, asked);
    time_to_text(tape_reader_block_info(view->reader, 0)->first_ts, first);
    time_to_text(last_ts, last);
    return error_set(error, ERROR_INPUT,
                     "%s: %.300s has nothing at or after it; it goes from %s to %s", asked, path,
                     first, last);
}

/* Past the tape's blocks once, printing at each time that is passed. */
static int show(struct view *view, const struct times *times, struct error *error)
{
    size_t blocks = tape_reader_block_count(view->reader), next = 0;
    int code = ERROR_NONE;
    size_t i = tape_reader_snapshot_before(view->reader, times->items[0]);
    for (; code == ERROR_NONE && next < times->count && i < blocks; i++) {
        code = tape_reader_read(view->reader, i, &view->block, error);
        for (size_t k = 0; code == ERROR_NONE && k < view->block.message_count; k++) {
            const struct message *message = &view->block.messages[k];
            while (code == ERROR_NONE && next < times->count &&
                   times->items[next] < message->ts_local)
                code = print_books(view, times->items[next++], error);
            if (code == ERROR_NONE)
                code = apply(view, message, error);
        }
    }
    while (code == ERROR_NONE && next < times->count)
        code = print_books(view, times->items[next++], error);
    return code;
}

int cmd_tape_book(int argc, char **argv)
{
    struct view view = {0};
    struct times times = {0};
    struct cmd_list at = {0};
    const char *at_file = NULL;
    struct cmd_arguments arguments;
    struct error error = {0};
    const struct cmd_option table[] = {
        CMD_LIST("at", 0, "TIME", "show the books after every message up to this time", &at),
        CMD_TEXT("at-file", 0, "FILE", "the same for every time in a file, one a line", &at_file),
        CMD_COUNT("depth", 0, 0, 1000000, "levels a side; 0: all (the default)", &view.depth),
        CMD_FLAG("json", 0, "one JSON object a time and line", &view.json),
    };
    const struct cmd_usage usage = {
        .name = "tape book",
        .arguments = "TAPE",
        .opening =
            "Print the books of a tape as they stood at a time, all messages up to and with\n"
            "that time applied. Several times come out in order of time.\n",
        .closing = "Examples:\n"
                   "  capstan tape book day.tape --at 2024-08-09T00:00:00Z --depth 5\n"
                   "  capstan tape book day.tape --at-file moments.txt --json\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
        .arguments_least = 1,
        .arguments_most = 1,
    };
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        goto free_times;
    status = gather_times(&times, &at, at_file, &error);
    if (status == ERROR_NONE)
        status = open_view(&view, arguments.items[0], &error);
    if (status == ERROR_NONE)
        status = check_times(&view, &times, arguments.items[0], &error);
    if (status == ERROR_NONE)
        status = show(&view, &times, &error);
    if (status != ERROR_NONE)
        cmd_fail(usage.name, &error);
    close_view(&view);
free_times:
    free(times.items);
    cmd_list_free(&at);
    return status;
}
