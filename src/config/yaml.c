/* Settings from YAML: libyaml's events, where every scalar is text until its setting reads it. See
 * config/config.h. */
#include <config.h>

#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/assert.h"
#include "config/store.h"

enum { FILE_BYTES_MAX = 1024 * 1024, KEY_MAX = 128 };

struct reader {
    struct config *config;
    const char *name; /* of the file */
    const char *text;
    size_t length;
    yaml_parser_t parser;
    yaml_event_t event; /* the one that was read last */
    struct error *error;
};

/* Which keys one mapping already had: a group and a value are counted apart, since "quote" and
 * "quote.size" may share their first setting. */
struct seen {
    bool value[SETTING_COUNT], group[SETTING_COUNT];
};

static int fail_at(struct reader *reader, yaml_mark_t mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail_at(struct reader *reader, yaml_mark_t mark, const char *format, ...)
{
    char text[ERROR_TEXT_MAX - CONFIG_ORIGIN_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(reader->error, ERROR_INPUT, "%.400s:%zu:%zu: %s", reader->name, mark.line + 1,
                     mark.column + 1, text);
}

/* "capstan.yaml:3:5". */
static void origin_at(const struct reader *reader, yaml_mark_t mark, char out[CONFIG_ORIGIN_MAX])
{
    snprintf(out, CONFIG_ORIGIN_MAX, "%.400s:%zu:%zu", reader->name, mark.line + 1,
             mark.column + 1);
}

static int prefix_at(struct reader *reader, yaml_mark_t mark)
{
    char origin[CONFIG_ORIGIN_MAX];
    origin_at(reader, mark, origin);
    return error_prefix(reader->error, "%s", origin);
}

/* libyaml tells a byte that is no character by its offset only. */
static yaml_mark_t mark_of_offset(const struct reader *reader, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < reader->length; i++) {
        mark.column++;
        if (reader->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static int fail_to_parse(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "is not YAML";
    if (parser->error == YAML_MEMORY_ERROR)
        return error_set(reader->error, ERROR_SYSTEM, "%s: out of memory", reader->name);
    if (parser->error == YAML_READER_ERROR)
        return fail_at(reader, mark_of_offset(reader, parser->problem_offset),
                       "not a text file: %s", problem);
    return fail_at(reader, parser->problem_mark, "not YAML as expected: %s", problem);
}

static const char *anchor_of(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL;
    if (event->type == YAML_SCALAR_EVENT)
        anchor = event->data.scalar.anchor;
    if (event->type == YAML_MAPPING_START_EVENT)
        anchor = event->data.mapping_start.anchor;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        anchor = event->data.sequence_start.anchor;
    return (const char *)anchor;
}

static const char *tag_of(const yaml_event_t *event)
{
    const yaml_char_t *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT)
        tag = event->data.scalar.tag;
    if (event->type == YAML_MAPPING_START_EVENT)
        tag = event->data.mapping_start.tag;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        tag = event->data.sequence_start.tag;
    return (const char *)tag;
}

/* The next event; refuses everything that lets a value stand elsewhere than where it is written or
 * mean something other than its text. */
static int next(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (!yaml_parser_parse(&reader->parser, &reader->event))
        return fail_to_parse(reader);
    const yaml_event_t *event = &reader->event;
    if (event->type == YAML_ALIAS_EVENT)
        return fail_at(reader, event->start_mark,
                       "alias *%.40s: not allowed; write the value where it belongs",
                       (const char *)event->data.alias.anchor);
    if (anchor_of(event) != NULL)
        return fail_at(reader, event->start_mark,
                       "anchor &%.40s: not allowed; write the value where it belongs",
                       anchor_of(event));
    if (tag_of(event) != NULL)
        return fail_at(reader, event->start_mark,
                       "tag %.60s: not allowed; the setting itself decides how text is read",
                       tag_of(event));
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return fail_at(reader, event->start_mark, "a list stands here; no setting takes one");
    return ERROR_NONE;
}

/* A key's text into `key`; the event stays. */
static int take_key(struct reader *reader, char key[KEY_MAX])
{
    const yaml_event_t *event = &reader->event;
    if (event->type != YAML_SCALAR_EVENT)
        return fail_at(reader, event->start_mark, "expected the name of a setting");
    size_t length = event->data.scalar.length;
    const char *text = (const char *)event->data.scalar.value;
    if (length == 0 || length >= KEY_MAX || memchr(text, '\0', length) != NULL)
        return fail_at(reader, event->start_mark, "expected the name of a setting, not '%.40s'",
                       text);
    memcpy(key, text, length + 1);
    return ERROR_NONE;
}

static int read_value(struct reader *reader, struct config_place *place,
                      const struct setting_row *row)
{
    const yaml_event_t *event = &reader->event;
    if (event->type != YAML_SCALAR_EVENT) {
        char expected[256];
        setting_expected(row, expected, sizeof expected);
        return fail_at(reader, event->start_mark, "%s: has settings below it; expected %s",
                       row->info.name, expected);
    }
    char origin[CONFIG_ORIGIN_MAX];
    origin_at(reader, event->start_mark, origin);
    if (config_put(reader->config, place, row, (const char *)event->data.scalar.value,
                   event->data.scalar.length, origin, true, reader->error) == ERROR_NONE)
        return ERROR_NONE;
    return prefix_at(reader, event->start_mark);
}

static int read_settings(struct reader *reader, struct config_place *place, const char *group);

/* The key `name` (with its groups before it) and what stands after it. */
static int read_setting(struct reader *reader, struct config_place *place, const char *name,
                        struct seen *seen)
{
    yaml_mark_t mark = reader->event.start_mark;
    size_t length = strlen(name);
    const struct setting_row *row = setting_by_name(name, length);
    int group = row == NULL ? setting_group(name, length) : -1;
    if (row == NULL && group < 0) {
        config_unknown(name, length, reader->error);
        return prefix_at(reader, mark);
    }
    bool *before = row != NULL ? &seen->value[row - setting_rows] : &seen->group[group];
    if (*before)
        return fail_at(reader, mark, "%s: is given twice", name);
    *before = true;
    int status = next(reader);
    if (status != ERROR_NONE)
        return status;
    if (row != NULL)
        return read_value(reader, place, row);
    if (reader->event.type != YAML_MAPPING_START_EVENT)
        return fail_at(reader, reader->event.start_mark,
                       "%s: is a group of settings; expected them below it, like '%s: value'", name,
                       setting_info((size_t)group)->name + length + 1);
    return read_settings(reader, place, name);
}

/* The mapping that has just begun: settings of `place`, whose names begin with `group`. Recursion
 * ends because each level is a group of the table. */
static int read_settings(struct reader *reader, struct config_place *place, const char *group)
{
    struct seen seen = {0};
    for (;;) {
        char key[KEY_MAX], name[2 * KEY_MAX + 2];
        int status = next(reader);
        if (status != ERROR_NONE || reader->event.type == YAML_MAPPING_END_EVENT)
            return status;
        status = take_key(reader, key);
        if (status != ERROR_NONE)
            return status;
        snprintf(name, sizeof name, "%.*s%s%s", KEY_MAX, group, group[0] != '\0' ? "." : "", key);
        status = read_setting(reader, place, name, &seen);
        if (status != ERROR_NONE)
            return status;
    }
}

/* What stands below `venues:` or `instruments:`: names, each with its settings. */
static int read_places(struct reader *reader, enum setting_scope scope)
{
    const char *what = setting_scope_name(scope);
    int status = next(reader);
    if (status != ERROR_NONE)
        return status;
    if (reader->event.type != YAML_MAPPING_START_EVENT)
        return fail_at(reader, reader->event.start_mark, "%ss: expected names with their settings",
                       what);
    for (;;) {
        char key[KEY_MAX], origin[CONFIG_ORIGIN_MAX];
        struct config_place *place;
        status = next(reader);
        if (status != ERROR_NONE || reader->event.type == YAML_MAPPING_END_EVENT)
            return status;
        status = take_key(reader, key);
        if (status != ERROR_NONE)
            return status;
        yaml_mark_t mark = reader->event.start_mark;
        origin_at(reader, mark, origin);
        if (config_place(reader->config, scope, key, strlen(key), origin, &place, reader->error) !=
            ERROR_NONE)
            return prefix_at(reader, mark);
        if (place->pass == reader->config->pass)
            return fail_at(reader, mark, "%s: is given twice", key);
        place->pass = reader->config->pass;
        status = next(reader);
        if (status != ERROR_NONE)
            return status;
        if (reader->event.type != YAML_MAPPING_START_EVENT)
            return fail_at(reader, reader->event.start_mark, "%s: expected settings below it", key);
        status = read_settings(reader, place, "");
        if (status != ERROR_NONE)
            return status;
    }
}

/* The whole of the document's mapping. */
static int read_top(struct reader *reader)
{
    struct seen seen = {0};
    bool places[SETTING_INSTRUMENT + 1] = {false};
    for (;;) {
        char key[KEY_MAX];
        int status = next(reader);
        if (status != ERROR_NONE || reader->event.type == YAML_MAPPING_END_EVENT)
            return status;
        status = take_key(reader, key);
        if (status != ERROR_NONE)
            return status;
        enum setting_scope scope = SETTING_GLOBAL;
        if (strcmp(key, "venues") == 0)
            scope = SETTING_VENUE;
        if (strcmp(key, "instruments") == 0)
            scope = SETTING_INSTRUMENT;
        if (scope == SETTING_GLOBAL) {
            status = read_setting(reader, reader->config->top, key, &seen);
        } else if (places[scope]) {
            status = fail_at(reader, reader->event.start_mark, "%s: is given twice", key);
        } else {
            places[scope] = true;
            status = read_places(reader, scope);
        }
        if (status != ERROR_NONE)
            return status;
    }
}

static int read_document(struct reader *reader)
{
    int status = next(reader); /* the stream's start */
    if (status == ERROR_NONE)
        status = next(reader);
    if (status != ERROR_NONE)
        return status;
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return error_set(reader->error, ERROR_INPUT, "%s: holds no setting; expected YAML",
                         reader->name);
    status = next(reader);
    if (status != ERROR_NONE)
        return status;
    if (reader->event.type != YAML_MAPPING_START_EVENT)
        return fail_at(reader, reader->event.start_mark,
                       "expected settings, like 'seed: 1', not a single value");
    status = read_top(reader);
    if (status == ERROR_NONE)
        status = next(reader); /* the document's end */
    if (status == ERROR_NONE)
        status = next(reader);
    if (status == ERROR_NONE && reader->event.type != YAML_STREAM_END_EVENT)
        return fail_at(reader, reader->event.start_mark, "a second document; expected one");
    return status;
}

int config_read_text(struct config *config, const char *name, const char *text, size_t length,
                     struct error *error)
{
    struct reader reader = {
        .config = config, .name = name, .text = text, .length = length, .error = error};
    struct error spare = {0};
    if (error == NULL)
        reader.error = &spare;
    if (!yaml_parser_initialize(&reader.parser))
        return error_set(error, ERROR_SYSTEM, "%s: out of memory", name);
    config->pass++;
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
    int status = read_document(&reader);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return status;
}

/* A file that is not there is the caller's mistake; one that may not be read is the system's word.
 */
static int fail_to_open(const char *path, struct error *error)
{
    bool missing = errno == ENOENT || errno == ENOTDIR || errno == EISDIR ||
                   errno == ENAMETOOLONG || errno == ELOOP;
    return error_set(error, missing ? ERROR_INPUT : ERROR_SYSTEM,
                     "%.400s: %s; expected a YAML file of settings", path, strerror(errno));
}

int config_read_file(struct config *config, const char *path, struct error *error)
{
    int status;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return fail_to_open(path, error);
    char *text = malloc(FILE_BYTES_MAX + 1);
    if (text == NULL) {
        status = error_set(error, ERROR_SYSTEM, "%.400s: out of memory", path);
        goto close_file;
    }
    errno = 0;
    size_t length = fread(text, 1, FILE_BYTES_MAX + 1, file);
    if (ferror(file))
        status = fail_to_open(path, error);
    else if (length > FILE_BYTES_MAX)
        status = error_set(error, ERROR_INPUT, "%.400s: longer than %d bytes; expected settings",
                           path, FILE_BYTES_MAX);
    else
        status = config_read_text(config, path, text, length, error);
    free(text);
close_file:
    fclose(file);
    return status;
}
