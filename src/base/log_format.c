/* A log line as text: JSON (RFC 8259), or for a person. */
#define _GNU_SOURCE /* gettid */
#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"
#include "base/utf8.h"

/* Room that the message and its fields, and then the spans, leave to what follows them. */
enum { TAIL_AFTER_FIELDS = 640, TAIL_AFTER_SPANS = 256, FIELD_LEAST = 48, FILE_NAME_MAX = 96 };

static _Thread_local const struct log_span *innermost;

/* A line under way. What may be left out stops at `limit`; the rest always has room. */
struct line {
    char *out;
    size_t length, limit;
    bool human, cut;
};

void log_span_enter(struct log_span *span)
{
    span->outer = innermost;
    innermost = span;
}

void log_span_leave(struct log_span *span)
{
    ASSERT(innermost == span);
    innermost = span->outer;
}

static uint64_t thread_number(void)
{
    static _Thread_local uint64_t number;
    if (number == 0) {
#ifdef __APPLE__
        pthread_threadid_np(NULL, &number);
#else
        number = (uint64_t)gettid();
#endif
    }
    return number;
}

/* --- pieces --------------------------------------------------------------------------------------- */

static void put(struct line *line, const char *text)
{
    size_t length = strlen(text);
    ASSERT(line->length + length <= LOG_LINE_MAX);
    memcpy(line->out + line->length, text, length);
    line->length += length;
}

__attribute__((format(printf, 2, 3))) static void put_formatted(struct line *line,
                                                                const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ASSERT(length >= 0 && (size_t)length < sizeof text);
    put(line, text);
}

static bool has_room(struct line *line, size_t bytes)
{
    if (line->length + bytes <= line->limit)
        return true;
    line->cut = true;
    return false;
}

/* One character of a string, escaped. Returns the bytes read. */
static size_t put_character(struct line *line, const char *text, size_t left)
{
    unsigned char byte = (unsigned char)*text;
    size_t length = utf8_read(text, left, NULL);
    if (length == 0) {
        put(line, "\\ufffd");
        return 1;
    }
    if (byte == '"' || byte == '\\')
        put_formatted(line, "\\%c", byte);
    else if (byte < 0x20 || byte == 0x7f)
        put_formatted(line, "\\u%04x", (unsigned)byte);
    else
        put_formatted(line, "%.*s", (int)length, text);
    return length;
}

/* Bytes that stand in a string as they are, as many as come in a row and find room; most texts are nothing else. */
static size_t put_plain(struct line *line, const char *text)
{
    size_t length = 0, room = line->length < line->limit ? line->limit - line->length : 0;
    while (length < room && text[length] >= 0x20 && text[length] < 0x7f && text[length] != '"' &&
           text[length] != '\\')
        length++;
    memcpy(line->out + line->length, text, length);
    line->length += length;
    return length;
}

/* A JSON string, cut where the line is full; room for its quotes was asked for. */
static void put_string(struct line *line, const char *text)
{
    const char *end = text + strlen(text);

    put(line, "\"");
    for (;;) {
        text += put_plain(line, text);
        if (text == end || !has_room(line, sizeof "\\ufffd"))
            break;
        text += put_character(line, text, (size_t)(end - text));
    }
    put(line, "\"");
}

/* Text that a person reads without quotes. */
static bool is_plain(const char *text)
{
    return *text && strpbrk(text, "\"\\= {}[]") == NULL && utf8_is_word(text, strlen(text));
}

static void put_text(struct line *line, const char *text)
{
    if (line->human && is_plain(text) && has_room(line, strlen(text)))
        put(line, text);
    else
        put_string(line, text);
}

static void put_value(struct line *line, const struct log_field *field)
{
    char text[MONEY_TEXT_MAX];

    switch (field->type) {
    case LOG_FIELD_TEXT:
        put_text(line, field->text);
        break;
    case LOG_FIELD_INTEGER:
        put_formatted(line, "%" PRId64, field->integer);
        break;
    case LOG_FIELD_UNSIGNED:
        put_formatted(line, "%" PRIu64, (uint64_t)field->integer);
        break;
    case LOG_FIELD_MONEY:
        money_to_text(field->amount, text);
        put_text(line, text);
        break;
    case LOG_FIELD_FLAG:
        put(line, field->integer != 0 ? "true" : "false");
        break;
    }
}

/* Each whole, or not at all but for a text, which may be cut. */
static void put_fields(struct line *line, const char *between, const struct log_field *fields,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!has_room(line, FIELD_LEAST + 2 * strlen(fields[i].name)))
            return;
        put(line, i > 0 ? between : "");
        if (line->human) {
            put(line, fields[i].name);
            put(line, "=");
        } else {
            put_string(line, fields[i].name);
            put(line, ":");
        }
        put_value(line, &fields[i]);
    }
}

/* The path from the project's top on, however the compiler was given it. */
static const char *file_name(const char *file)
{
    const char *name = file;
    for (const char *at = file; (at = strstr(at, "src/")) != NULL; at++)
        name = at;
    size_t length = strlen(name);
    return length > FILE_NAME_MAX ? name + (length - FILE_NAME_MAX) : name;
}

/* --- JSON ----------------------------------------------------------------------------------------- */

static void put_json_span(struct line *line, const struct log_span *span)
{
    put(line, "{\"name\":");
    put_string(line, span->name);
    if (span->field_count > 0 && has_room(line, FIELD_LEAST)) {
        put(line, ",");
        size_t before = line->length;
        put_fields(line, ",", span->fields, span->field_count);
        line->length -= line->length == before;
    }
    put(line, "}");
}

/* The outermost first. */
static void put_json_spans(struct line *line, const struct log_span *span)
{
    if (span->outer != NULL)
        put_json_spans(line, span->outer);
    if (!has_room(line, FIELD_LEAST + 2 * strlen(span->name)))
        return;
    put(line, span->outer != NULL && line->out[line->length - 1] != '[' ? "," : "");
    put_json_span(line, span);
}

static void put_json_tail(struct line *line, const char *file, int number)
{
    put(line, ",\"span\":");
    if (innermost != NULL && has_room(line, FIELD_LEAST + 2 * strlen(innermost->name)))
        put_json_span(line, innermost);
    else
        put(line, "null");
    put(line, ",\"spans\":[");
    if (innermost != NULL)
        put_json_spans(line, innermost);
    line->limit = LOG_LINE_MAX;
    put_formatted(line, "],\"thread_id\":%" PRIu64 ",\"file\":", thread_number());
    put_string(line, file_name(file));
    put_formatted(line, ",\"line\":%d", number);
    put(line, line->cut ? ",\"cut\":true}\n" : "}\n");
}

/* --- for a person --------------------------------------------------------------------------------- */

static void put_human_spans(struct line *line, const struct log_span *span)
{
    if (span->outer != NULL)
        put_human_spans(line, span->outer);
    if (!has_room(line, FIELD_LEAST + strlen(span->name)))
        return;
    put(line, " ");
    put(line, span->name);
    put(line, "{");
    put_fields(line, " ", span->fields, span->field_count);
    put(line, "}");
}

/* The message without quotes; what could move the cursor is escaped. */
static void put_human_message(struct line *line, const char *text)
{
    const char *end = text + strlen(text);
    for (;;) {
        text += put_plain(line, text);
        if (text == end || !has_room(line, sizeof "\\ufffd"))
            break;
        if (*text == '"' || *text == '\\')
            put_formatted(line, "%c", *text++);
        else
            text += put_character(line, text, (size_t)(end - text));
    }
}

static const char *colour_of(enum log_level level)
{
    return level == LOG_ERROR  ? "\033[31m"
           : level == LOG_WARN ? "\033[33m"
           : level == LOG_INFO ? "\033[32m"
                               : "\033[2m";
}

static const char *level_name(enum log_level level)
{
    static const char *const names[LOG_LEVEL_COUNT] = {
#define X(name, text) text,
        LOG_LEVELS(X)
#undef X
    };
    ASSERT(level < LOG_LEVEL_COUNT);
    return names[level];
}

size_t log_format(const struct log *log, const char *file, int number, enum log_level level,
                  const char *target, int64_t time_ns, const char *message,
                  const struct log_field *fields, size_t field_count, char out[LOG_LINE_MAX])
{
    struct line line = {.out = out, .limit = LOG_LINE_MAX - TAIL_AFTER_FIELDS, .human = log->human};
    char time[TIME_TEXT_MAX];

    time_to_text(time_ns, time);
    if (log->human) {
        put(&line, time);
        put_formatted(&line, " %s%5s%s ", log->coloured ? colour_of(level) : "", level_name(level),
                      log->coloured ? "\033[0m" : "");
        put_human_message(&line, target);
        put(&line, ": ");
        put_human_message(&line, message);
        put(&line, field_count > 0 ? " " : "");
        put_fields(&line, " ", fields, field_count);
        line.limit = LOG_LINE_MAX - TAIL_AFTER_SPANS;
        if (innermost != NULL)
            put_human_spans(&line, innermost);
        put(&line, line.cut ? " …\n" : "\n");
        return line.length;
    }
    put(&line, "{\"time\":\"");
    put(&line, time);
    put_formatted(&line, "\",\"level\":\"%s\",\"target\":", level_name(level));
    put_string(&line, target);
    put(&line, ",\"message\":");
    put_string(&line, message);
    put(&line, ",\"fields\":{");
    put_fields(&line, ",", fields, field_count);
    put(&line, "}");
    line.limit = LOG_LINE_MAX - TAIL_AFTER_SPANS;
    put_json_tail(&line, file, number);
    return line.length;
}
