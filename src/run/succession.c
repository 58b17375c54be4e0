/* See succession.h. */
#include "config.h" /* POSIX names */

#include "run/succession.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "run/fold.h"
#include "tape/appender.h"
#include "tape/reader.h"

/* One beginning. */
struct beginning {
    const struct succession_options *options;
    char before[ROTATION_PATH_BYTES], path[ROTATION_PATH_BYTES]; /* the old tape, the new one */
    struct tape_appender *appender;                              /* holds the lock of the old one */
    struct tape_header header;                                   /* of the new one */
    struct event_definition *definitions;                        /* its names' */
    struct event_names names;
    struct run_engine folded, next;
    struct fold fold;
};

static void pass(const struct beginning *beginning, enum succession_step step)
{
    if (beginning->options->passed)
        beginning->options->passed(beginning->options->context, step);
}

/* By its first block: what is torn at its end is for the recovery. */
static int has_other_settings(const char *path, const struct tape_header *wanted, bool *other,
                              struct error *error)
{
    struct tape_reader *reader = NULL;
    *other = false;
    if (access(path, F_OK) != 0)
        return 0;
    int code = tape_reader_open_as(&reader, path, TAPE_OPEN_HOP, true, error);
    if (!code)
        code = settings_differ(path, tape_reader_header(reader), wanted, other, error);
    tape_reader_close(&reader);
    return code;
}

/* Lock it, and bring it to its last message. */
static int open_before(struct beginning *beginning, struct tape_recovery *recovery,
                       struct error *error)
{
    const struct tape_appender_options options = {.sync_every = 0};
    int code = tape_appender_open(&beginning->appender, beginning->before,
                                  beginning->options->header, &options, recovery, error);
    if (!code)
        code = tape_appender_sync(beginning->appender, error);
    if (!code)
        pass(beginning, SUCCESSION_RECOVERED);
    return code;
}

/* The definitions are today's, in the units in which positions are counted so far. */
static int make_header(struct beginning *beginning, struct error *error)
{
    const struct tape_header *wanted = beginning->options->header;
    const struct event_names *before = &tape_appender_header(beginning->appender)->names;
    struct engine_heirs heirs;
    beginning->definitions =
        calloc(wanted->names.instrument_count + 1, sizeof *beginning->definitions);
    if (!beginning->definitions)
        return error_set(error, ERROR_SYSTEM, "no memory for a tape's names");
    settings_heirs(before, &wanted->names, &heirs);
    settings_definitions(before, &wanted->names, &heirs, beginning->definitions);
    beginning->names = wanted->names;
    beginning->names.definitions = beginning->definitions;
    beginning->header = *wanted;
    beginning->header.names = beginning->names;
    return 0;
}

static int fold_before(struct beginning *beginning, struct error *error)
{
    const struct tape_header *header = tape_appender_header(beginning->appender);
    int code = run_engine_open_told(&beginning->folded, beginning->before, header, error);
    if (!code)
        code =
            fold_tape(beginning->before, UINT64_MAX, &beginning->folded, &beginning->fold, error);
    return code;
}

static int inherit(struct beginning *beginning, struct error *error)
{
    const struct succession_options *options = beginning->options;
    if (!options->config)
        return 0;
    int code = fold_before(beginning, error);
    if (!code)
        code = run_engine_open(&beginning->next, options->config, &beginning->names, false, false,
                               error);
    if (!code)
        code =
            settings_inherit(&beginning->folded, &tape_appender_header(beginning->appender)->names,
                             &beginning->next, &beginning->names, error);
    return code;
}

static int write_next(struct beginning *beginning, struct error *error)
{
    const struct succession_options *options = beginning->options;
    const struct rotation_next next = {
        .path = beginning->path,
        .header = &beginning->header,
        .predecessor = rotation_describe(beginning->appender, beginning->before,
                                         options->number + 1, beginning->fold.epoch),
        .ts_local = tape_appender_last_ts(beginning->appender),
        .engine = options->config ? &beginning->next : NULL};
    rotation_tidy(options->base, options->number);
    int code = rotation_room(beginning->path, error);
    return code ? code : rotation_write(&next, error);
}

/* The old tape gets its end; where it can't now, the next start gives it one. */
static void finish_before(struct beginning *beginning)
{
    struct error told_by_the_next_start = {0};
    (void)tape_appender_finish(&beginning->appender, &told_by_the_next_start);
    pass(beginning, SUCCESSION_FINISHED);
}

static int begin(struct beginning *beginning, struct succession *succession, struct error *error)
{
    int code = open_before(beginning, &succession->recovery, error);
    if (code)
        return code;
    if (tape_appender_last_ts(beginning->appender) == INT64_MIN) {
        succession->withdrawn = true;
        return rotation_withdraw(beginning->before, error);
    }
    code = beginning->options->config ? 0 : fold_refuse_session(beginning->before, error);
    if (!code)
        code = make_header(beginning, error);
    if (!code)
        code = inherit(beginning, error);
    if (code)
        return code;
    pass(beginning, SUCCESSION_FOLDED);
    code = write_next(beginning, error);
    if (code)
        return code;
    pass(beginning, SUCCESSION_WRITTEN);
    succession->begun = true;
    if (beginning->options->changed)
        code =
            settings_compare(beginning->before, tape_appender_header(beginning->appender)->config,
                             beginning->header.config, beginning->options->changed,
                             beginning->options->context, error);
    finish_before(beginning);
    return code;
}

/* One that had its end has it again, whatever came of this. */
static void close_beginning(struct beginning *beginning, const struct tape_recovery *recovery)
{
    struct error told_by_the_next_start = {0};
    if (beginning->appender && recovery->was_finished)
        (void)tape_appender_finish(&beginning->appender, &told_by_the_next_start);
    tape_appender_abandon(&beginning->appender);
    run_engine_close(&beginning->folded);
    run_engine_close(&beginning->next);
    free(beginning->definitions);
}

int succession_begin(const struct succession_options *options, struct succession *succession,
                     struct error *error)
{
    struct beginning beginning = {.options = options};
    bool other = false;
    *succession = (struct succession){.begun = false};
    int code = rotation_path(options->base, options->number, beginning.before, error);
    if (!code)
        code = has_other_settings(beginning.before, options->header, &other, error);
    if (code || !other)
        return code;
    code = rotation_path(options->base, options->number + 1, beginning.path, error);
    if (!code)
        code = begin(&beginning, succession, error);
    close_beginning(&beginning, &succession->recovery);
    return code;
}
