/* Log lines: one JSON object a line, to a file that the caller opened. No clock is read here. Live sessions log;
 * nothing does in a replay. */
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

enum { LOG_RULES_MAX = 32, LOG_TARGET_MAX = 48 };

/* Lines of `target` and of what stands below it ("capstan" is above "capstan.tape") pass up to
 * `level`. */
struct log_rule {
    char target[LOG_TARGET_MAX];
    enum log_level level;
};

/* Where lines go and which pass: those of the longest rule that matches, else of `level`. */
struct log {
    FILE *file;
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

/* Log to `file` by a filter such as "info,capstan.tape=debug,capstan.sim=off" (what
 * CAPSTAN_LOG holds; NULL or empty is "info"). ERROR_INPUT names the part that is none. */
int log_init(struct log *log, FILE *file, const char *filter, struct error *error);

/* Whether a line of this level and target passes, for callers whose fields cost something. */
bool log_passes(const struct log *log, enum log_level level, const char *target);

/* Write {"time":…,"level":…,"target":…,"message":…,"fields":{…}} and a line end, if it passes.
 * Bytes that are no UTF-8 become U+FFFD. Lines of several threads do not mix. */
void log_write(const struct log *log, enum log_level level, const char *target, int64_t time_ns,
               const char *message, const struct log_field *fields, size_t field_count);

#endif
