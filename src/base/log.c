/* Filter and spans of the log; see base/log.h. */
#define _POSIX_C_SOURCE 200809L /* flockfile */
#include "base/log.h"

#include <string.h>

#include "base/assert.h"
#include "base/log_writer.h"

static const char *const level_names[LOG_LEVEL_COUNT] = {
#define X(name, text) text,
    LOG_LEVELS(X)
#undef X
};

static bool level_from_text(const char *text, size_t length, enum log_level *level)
{
    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (strlen(level_names[i]) == length && memcmp(level_names[i], text, length) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* One part of a filter: a level, or target=level. */
static bool add_rule(struct log *log, const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);

    if (equals == NULL)
        return level_from_text(text, length, &log->level);
    size_t target = (size_t)(equals - text);
    if (target == 0 || target >= LOG_TARGET_MAX || log->rule_count == LOG_RULES_MAX)
        return false;
    struct log_rule *rule = &log->rules[log->rule_count];
    if (!level_from_text(equals + 1, length - target - 1, &rule->level))
        return false;
    memcpy(rule->target, text, target);
    rule->target[target] = '\0';
    log->rule_count++;
    return true;
}

int log_init(struct log *log, FILE *file, const char *filter, struct error *error)
{
    memset(log, 0, sizeof *log);
    log->file = file;
    log->level = LOG_INFO;
    if (filter == NULL || *filter == '\0')
        filter = LOG_FILTER_DEFAULT;
    for (;;) {
        size_t length = strcspn(filter, ",");
        if (!add_rule(log, filter, length))
            return error_set(error, ERROR_INPUT,
                             "log filter \"%.*s\": expected off, error, warn, info, debug or "
                             "trace, or target=level (at most %d of them)",
                             length < 80 ? (int)length : 80, filter, LOG_RULES_MAX);
        if (filter[length] == '\0')
            return 0;
        filter += length + 1;
    }
}

bool log_passes(const struct log *log, enum log_level level, const char *target)
{
    enum log_level most = log->level;
    size_t longest = 0;

    for (unsigned i = 0; i < log->rule_count; i++) {
        const struct log_rule *rule = &log->rules[i];
        size_t length = strlen(rule->target);
        if (length >= longest && strncmp(target, rule->target, length) == 0 &&
            (target[length] == '\0' || target[length] == '.')) {
            longest = length;
            most = rule->level;
        }
    }
    return level != LOG_OFF && level <= most;
}

void log_write_at(const struct log *log, const char *file, int line, enum log_level level,
                  const char *target, int64_t time_ns, const char *message,
                  const struct log_field *fields, size_t field_count)
{
    char text[LOG_LINE_MAX];

    ASSERT(level < LOG_LEVEL_COUNT);
    if (!log_passes(log, level, target))
        return;
    size_t length =
        log_format(log, file, line, level, target, time_ns, message, fields, field_count, text);
    if (log->writer != NULL) {
        log_writer_put(log->writer, text, length);
        return;
    }
    flockfile(log->file);
    fwrite(text, 1, length, log->file);
    fflush(log->file);
    funlockfile(log->file);
}
