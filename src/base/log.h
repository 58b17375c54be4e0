/* Log lines: one JSON object a line, or a line for a person at a terminal. No clock is read here. Live sessions log;
 * nothing does in a replay.
 *
 *   {"time":…,"level":…,"target":…,"message":…,"fields":{…},"span":{…},"spans":[{…}…],"thread_id":…,"file":…,"line":…}
 *
 * `span` is the innermost one of the thread, null where it is in none; `spans` are all of them, the outermost first.
 * Lines go straight to a file, or through a ring to a thread that writes them (base/log_writer.h). */
#ifndef CAPSTAN_BASE_LOG_H
#define CAPSTAN_BASE_LOG_H

#include <stdio.h>

#include "base/error.h"
#include "base/money.h"

/* X(name, text), from the least to the most talkative. */
#define LOG_LEVELS(X)                                                                              \
    X(LOG_OFF, "off")                                                                              \
    X(LOG_ERROR, "error")                                                                          \
    X(LOG_WARN, "warn")                                                                            \
    X(LOG_INFO, "info")                                                                            \
    X(LOG_DEBUG, "debug")                                                                          \
    X(LOG_TRACE, "trace")

enum log_level {
#define X(name, text) name,
    LOG_LEVELS(X)
#undef X
        LOG_LEVEL_COUNT
};

enum {
    LOG_RULES_MAX = 32,
    LOG_TARGET_MAX = 48,
    /* A line with its end. What finds no room is left out, and "cut":true stands in the line. It is no more than a
     * pipe takes in one piece. */
    LOG_LINE_MAX = 2048
};

/* What passes where CAPSTAN_LOG says nothing. */
#define LOG_FILTER_DEFAULT "info,capstan=debug"

/* Lines of `target` and of what stands below it ("capstan" is above "capstan.tape") pass up to
 * `level`. */
struct log_rule {
    char target[LOG_TARGET_MAX];
    enum log_level level;
};

struct log_writer;

/* Where lines go and which pass: those of the longest rule that matches, else of `level`. */
struct log {
    FILE *file;                /* where there is no writer */
    struct log_writer *writer; /* NULL: straight to the file */
    bool human, coloured;      /* not JSON; with colours */
    enum log_level level;
    unsigned rule_count;
    struct log_rule rules[LOG_RULES_MAX];
};

enum log_field_type {
    LOG_FIELD_TEXT,
    LOG_FIELD_INTEGER,
    LOG_FIELD_UNSIGNED,
    LOG_FIELD_MONEY,
    LOG_FIELD_FLAG
};

/* One name and value of a line; made by the functions below. */
struct log_field {
    const char *name;
    enum log_field_type type;
    const char *text;
    int64_t integer;
    money amount;
};

static inline struct log_field log_text(const char *name, const char *text)
{
    return (struct log_field){.name = name, .type = LOG_FIELD_TEXT, .text = text};
}
static inline struct log_field log_integer(const char *name, int64_t value)
{
    return (struct log_field){.name = name, .type = LOG_FIELD_INTEGER, .integer = value};
}
static inline struct log_field log_unsigned(const char *name, uint64_t value)
{
    return (struct log_field){.name = name, .type = LOG_FIELD_UNSIGNED, .integer = (int64_t)value};
}
/* Written as text, since a JSON number may be read as a double. */
static inline struct log_field log_money(const char *name, money amount)
{
    return (struct log_field){.name = name, .type = LOG_FIELD_MONEY, .amount = amount};
}
static inline struct log_field log_flag(const char *name, bool value)
{
    return (struct log_field){.name = name, .type = LOG_FIELD_FLAG, .integer = value};
}

/* What a thread is doing for a while; each line that it logs meanwhile bears it. The caller's memory, name and
 * fields included, until it is left:
 *
 *     const struct log_field fields[] = {log_text("request_id", id), log_text("method", "GET"), log_text("uri", uri)};
 *     struct log_span span = {.name = "http_request", .fields = fields, .field_count = 3};
 *     log_span_enter(&span);
 *     …
 *     log_span_leave(&span);
 */
struct log_span {
    const char *name;
    const struct log_field *fields;
    size_t field_count;
    const struct log_span *outer; /* set by log_span_enter */
};

/* From now on the calling thread is in `span`, inside those that it is in already. */
void log_span_enter(struct log_span *span);
/* It is the innermost one. */
void log_span_leave(struct log_span *span);

/* Log to `file` by a filter such as "info,capstan.tape=debug,capstan.sim=off" (what CAPSTAN_LOG holds; NULL or
 * empty is LOG_FILTER_DEFAULT). ERROR_INPUT names the part that is none. */
int log_init(struct log *log, FILE *file, const char *filter, struct error *error);

/* Whether a line of this level and target passes, for callers whose fields cost something. */
bool log_passes(const struct log *log, enum log_level level, const char *target);

/* Write a line, if it passes; from any thread. Bytes that are no UTF-8 become U+FFFD. Lines of several threads do
 * not mix. */
#define log_write(log, level, target, time_ns, message, fields, field_count)                       \
    log_write_at(log, __FILE__, __LINE__, level, target, time_ns, message, fields, field_count)
void log_write_at(const struct log *log, const char *file, int line, enum log_level level,
                  const char *target, int64_t time_ns, const char *message,
                  const struct log_field *fields, size_t field_count);

/* The same into memory, whether it passes or not, with its line end and no NUL; returns the length. For a line that
 * can't wait for a writer. */
size_t log_format(const struct log *log, const char *file, int line, enum log_level level,
                  const char *target, int64_t time_ns, const char *message,
                  const struct log_field *fields, size_t field_count, char out[LOG_LINE_MAX]);

#endif
