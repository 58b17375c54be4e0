/* A tape's header as text, and the lines of such a text. */
#include "config.h"

#include "cmd/tape_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cmd/tape.h"

#define FIRST_LINE        "capstan-tape 1"
#define DEFINITION_PREFIX "0 definition "

/* --- printing ---------------------------------------------------------------------------------- */

static void print_lines(const char *word, const char *lines, FILE *to)
{
    while (*lines != 0) {
        int length = (int)strcspn(lines, "\n");
        fprintf(to, length == 0 ? "%s\n" : "%s ", word);
        if (length > 0)
            fprintf(to, "%.*s\n", length, lines);
        lines += length + (lines[length] == '\n');
    }
}

/* The definition as its canonical text, less the time and the kind. */
static int print_definition(const struct event_names *names, unsigned i, FILE *to,
                            struct error *error)
{
    char text[2048];
    union event_record record = {.definition = names->definitions[i]};
    struct message message = {.kind = EVENT_definition,
                              .stream = EVENT_STREAM(i, event_default_channel(EVENT_definition)),
                              .record = &record};
    size_t length = message_to_text(&message, names, text, sizeof text);
    const char *fields = strstr(text, " definition ");
    if (length >= sizeof text || fields == NULL)
        return error_set(error, ERROR_SYSTEM, "the definition of instrument %u is too long", i);
    fprintf(to, "instrument %s\n", fields + strlen(" definition "));
    return 0;
}

int tape_text_print_header(const struct tape_header *header, FILE *to, struct error *error)
{
    char floor[TIME_TEXT_MAX];
    const struct event_names *names = &header->names;
    duration_to_text(header->feed_floor_ns, floor);
    fprintf(to, FIRST_LINE "\norigin %s\ngrade %s\n", tape_origin_text(header->origin),
            tape_grade_letter(header->grade));
    print_lines("reason", header->grade_reasons, to);
    fprintf(to, "tool %s\nbuild %s\nseed %" PRIu64 "\nfeed_floor %s\n", header->tool_version,
            header->build_id, header->seed, floor);
    for (unsigned i = 0; i < names->venue_count; i++)
        fprintf(to, "venue %s\n", names->venues[i]);
    for (unsigned i = 0; i < names->asset_count; i++)
        fprintf(to, "asset %s\n", names->assets[i]);
    int failed = 0;
    for (unsigned i = 0; i < names->instrument_count && failed == 0; i++)
        failed = print_definition(names, i, to, error);
    print_lines("config", header->config, to);
    fputs("messages\n", to);
    return failed;
}

/* --- lines ------------------------------------------------------------------------------------- */

int tape_text_fail(const struct tape_text *text, struct error *error)
{
    return error_prefix(error, "%s:%lu", text->path, text->number);
}

static bool grow(struct tape_text *text)
{
    size_t capacity = text->capacity == 0 ? 4096 : 2 * text->capacity;
    char *line = realloc(text->line, capacity);
    if (line == NULL)
        return false;
    text->line = line;
    text->capacity = capacity;
    return true;
}

static int read_line(struct tape_text *text, struct error *error)
{
    int byte = 0;
    text->length = 0;
    text->number++;
    while ((byte = getc_unlocked(text->from)) != EOF && byte != '\n') {
        if (byte == 0 || text->length == TAPE_TEXT_LINE_MAX) {
            error_set(error, ERROR_INPUT,
                      byte == 0 ? "a NUL byte, expected text" : "a line longer than any message");
            tape_text_fail(text, error);
            return -1;
        }
        if (text->length + 1 >= text->capacity && !grow(text)) {
            error_set(error, ERROR_SYSTEM, "no memory for a line");
            return -1;
        }
        text->line[text->length++] = (char)byte;
    }
    if (ferror(text->from)) {
        enum error_code code = errno == EISDIR ? ERROR_INPUT : ERROR_SYSTEM;
        error_set(error, code, "%s: %s", text->path, strerror(errno));
        return -1;
    }
    if (byte == EOF && text->length == 0)
        return 0;
    if (text->capacity == 0 && !grow(text)) {
        error_set(error, ERROR_SYSTEM, "no memory for a line");
        return -1;
    }
    if (text->length > 0 && text->line[text->length - 1] == '\r')
        text->length--;
    text->line[text->length] = 0;
    return 1;
}

int tape_text_next(struct tape_text *text, struct error *error)
{
    int got;
    do {
        got = read_line(text, error);
    } while (got == 1 && (text->length == 0 || text->line[0] == '#'));
    return got;
}

/* --- reading a header -------------------------------------------------------------------------- */

static int no_memory(struct error *error)
{
    return error_set(error, ERROR_SYSTEM, "no memory for a tape header");
}

/* A copy of `length` bytes that the header owns; NULL where there is no memory. */
static char *keep(struct tape_text_header *header, const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = 0;
    header->words[header->word_count++] = copy;
    return copy;
}

static int read_name(struct tape_text_header *header, const char *name, const char **table,
                     unsigned *count, unsigned most, const char *what, struct error *error)
{
    size_t length = strlen(name);
    if (table == header->venues && strchr(name, ':') != NULL)
        return error_set(error, ERROR_INPUT, "%s %s: expected a name without a colon", what, name);
    if (!event_name_is_valid(name, length))
        return error_set(error, ERROR_INPUT, "%s %s: expected a name of at most %d characters",
                         what, name, EVENT_NAME_MAX);
    if (*count == most)
        return error_set(error, ERROR_INPUT, "%s %s: expected at most %u", what, name, most);
    for (unsigned i = 0; i < *count; i++)
        if (strcmp(table[i], name) == 0)
            return error_set(error, ERROR_INPUT, "%s %s: named before", what, name);
    table[*count] = keep(header, name, length);
    if (table[*count] == NULL)
        return no_memory(error);
    ++*count;
    return 0;
}

/* Put venue and symbol into the tables, so that the instrument's name is known to its definition. */
static int add_instrument(struct tape_text_header *header, const char *name, size_t length,
                          struct error *error)
{
    struct event_names *names = &header->tape.names;
    const char *colon = memchr(name, ':', length);
    unsigned venue = 0;
    size_t venue_length = colon == NULL ? 0 : (size_t)(colon - name);
    while (venue < names->venue_count && (strlen(header->venues[venue]) != venue_length ||
                                          memcmp(header->venues[venue], name, venue_length) != 0))
        venue++;
    if (colon == NULL || venue == names->venue_count ||
        !event_name_is_valid(colon + 1, length - venue_length - 1))
        return error_set(error, ERROR_INPUT,
                         "instrument %.*s: expected a venue named before, a colon and a symbol",
                         (int)length, name);
    if (names->instrument_count == EVENT_INSTRUMENTS_MAX)
        return error_set(error, ERROR_INPUT, "expected at most %d instruments",
                         EVENT_INSTRUMENTS_MAX);
    if (event_instrument_by_name(names, name, length) >= 0)
        return error_set(error, ERROR_INPUT, "instrument %.*s: named before", (int)length, name);
    unsigned i = names->instrument_count;
    header->symbols[i] = keep(header, colon + 1, length - venue_length - 1);
    if (header->symbols[i] == NULL)
        return no_memory(error);
    header->definitions[i] = (struct event_definition){.venue = (uint8_t)venue};
    names->instrument_count++;
    return 0;
}

static int read_instrument(struct tape_text_header *header, const char *rest, struct error *error)
{
    union event_record record;
    struct message message;
    int failed = add_instrument(header, rest, strcspn(rest, " "), error);
    if (failed != 0)
        return failed;
    size_t size = sizeof DEFINITION_PREFIX + strlen(rest);
    char *line = malloc(size);
    if (line == NULL)
        return no_memory(error);
    snprintf(line, size, DEFINITION_PREFIX "%s", rest);
    failed = message_from_text(line, strlen(line), &header->tape.names, NULL, 0, &record, &message,
                               error);
    free(line);
    if (failed != 0)
        return failed;
    unsigned i = header->tape.names.instrument_count - 1;
    if (record.definition.instrument != i ||
        record.definition.venue != header->definitions[i].venue)
        return error_set(error, ERROR_INPUT, "expected the instrument's own venue and number");
    header->definitions[i] = record.definition;
    return tape_definition_check(&header->tape.names, i, error);
}

static int read_choice(const char *rest, const char *(*text_of)(unsigned), unsigned count,
                       uint8_t *out, struct error *error)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(rest, text_of(i)) == 0) {
            *out = (uint8_t)i;
            return 0;
        }
    }
    return error_set(error, ERROR_INPUT, "%s: expected one of %s to %s", rest, text_of(0),
                     text_of(count - 1));
}

static const char *origin_of(unsigned i)
{
    return tape_origin_text((enum tape_origin)i);
}
static const char *grade_of(unsigned i)
{
    return tape_grade_letter((enum tape_grade)i);
}

static int read_seed(const char *rest, uint64_t *seed, struct error *error)
{
    char *end;
    errno = 0;
    *seed = strtoull(rest, &end, 10);
    if (*rest < '0' || *rest > '9' || *end != 0 || errno != 0)
        return error_set(error, ERROR_INPUT, "seed %s: expected an unsigned 64-bit integer", rest);
    return 0;
}

/* Add a line to a text that grows; `between` stands before it if it isn't the first. */
static int add_line(char **text, const char *line, const char *between, const char *after,
                    struct error *error)
{
    size_t length = *text == NULL ? 0 : strlen(*text);
    size_t size = length + strlen(line) + 3;
    char *grown = realloc(*text, size);
    if (grown == NULL)
        return no_memory(error);
    *text = grown;
    snprintf(grown + length, size - length, "%s%s%s", length == 0 ? "" : between, line, after);
    return 0;
}

static int read_text(struct tape_text_header *header, const char *rest, const char **out,
                     struct error *error)
{
    if (header->word_count >= sizeof header->words / sizeof header->words[0])
        return error_set(error, ERROR_INPUT, "more header lines than a tape can have");
    *out = keep(header, rest, strlen(rest));
    return *out == NULL ? no_memory(error) : 0;
}

/* One line "word rest". 1 for the last one. */
static int read_header_line(struct tape_text_header *header, char *line, struct error *error,
                            bool *done)
{
    struct tape_header *tape = &header->tape;
    struct event_names *names = &tape->names;
    size_t length = strcspn(line, " ");
    const char *rest = line[length] == 0 ? line + length : line + length + 1;
    line[length] = 0;
    *done = strcmp(line, "messages") == 0;
    if (*done)
        return 0;
    if (strcmp(line, "venue") == 0)
        return read_name(header, rest, header->venues, &names->venue_count, EVENT_VENUES_MAX, line,
                         error);
    if (strcmp(line, "asset") == 0)
        return read_name(header, rest, header->assets, &names->asset_count, EVENT_ASSETS_MAX, line,
                         error);
    if (strcmp(line, "instrument") == 0)
        return read_instrument(header, rest, error);
    if (strcmp(line, "origin") == 0)
        return read_choice(rest, origin_of, TAPE_SCENARIO + 1, &tape->origin, error);
    if (strcmp(line, "grade") == 0)
        return read_choice(rest, grade_of, TAPE_GRADE_COUNT, &tape->grade, error);
    if (strcmp(line, "seed") == 0)
        return read_seed(rest, &tape->seed, error);
    if (strcmp(line, "feed_floor") == 0)
        return duration_from_text(rest, strlen(rest), &tape->feed_floor_ns, error);
    if (strcmp(line, "tool") == 0)
        return read_text(header, rest, &tape->tool_version, error);
    if (strcmp(line, "build") == 0)
        return read_text(header, rest, &tape->build_id, error);
    if (strcmp(line, "reason") == 0)
        return add_line(&header->reasons, rest, "\n", "", error);
    if (strcmp(line, "config") == 0)
        return add_line(&header->config, rest, "", "\n", error);
    return error_set(error, ERROR_INPUT,
                     "%s: expected origin, grade, reason, tool, build, seed, feed_floor, venue, "
                     "asset, instrument, config or messages",
                     line);
}

int tape_text_read_header(struct tape_text *text, const char *tool_version, const char *build_id,
                          struct tape_text_header *header, struct error *error)
{
    bool done = false;
    memset(header, 0, sizeof *header);
    header->tape = (struct tape_header){.version = TAPE_VERSION,
                                        .origin = TAPE_MADE,
                                        .tool_version = tool_version,
                                        .build_id = build_id,
                                        .names = {.venues = header->venues,
                                                  .assets = header->assets,
                                                  .symbols = header->symbols,
                                                  .definitions = header->definitions}};
    int got = tape_text_next(text, error), failed = 0;
    if (got == 1 && strcmp(text->line, FIRST_LINE) != 0)
        failed = error_set(error, ERROR_INPUT, "expected the line " FIRST_LINE);
    while (failed == 0 && got == 1 && !done) {
        got = tape_text_next(text, error);
        if (got == 1)
            failed = read_header_line(header, text->line, error, &done);
    }
    if (got == -1)
        return error->code;
    if (failed == 0 && !done)
        failed = error_set(error, ERROR_INPUT, "expected the line messages after the header");
    header->tape.grade_reasons = header->reasons == NULL ? "" : header->reasons;
    header->tape.config = header->config == NULL ? "" : header->config;
    return failed == 0 ? 0 : tape_text_fail(text, error);
}

void tape_text_header_free(struct tape_text_header *header)
{
    for (size_t i = 0; i < header->word_count; i++)
        free(header->words[i]);
    free(header->reasons);
    free(header->config);
    memset(header, 0, sizeof *header);
}
