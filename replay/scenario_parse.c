/* Reads a scenario file from its first line to its last; the lines' contents are parsed beside. */
#include "config.h"

#include "replay/scenario_parser.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static int take_quoted(struct scenario_parser *parser, char *to, size_t capacity)
{
    const struct scenario_word *word;
    if (scenario_take(parser, "\"text in quotes\"", &word))
        return ERROR_INPUT;
    struct scenario_word inside = scenario_unquote(word);
    if (inside.length == word->length)
        return scenario_fail(parser, word, "\"text in quotes\"");
    return scenario_copy(parser, &inside, to, capacity);
}

static int parse_title(struct scenario_parser *parser)
{
    if (take_quoted(parser, parser->scenario->title, sizeof parser->scenario->title))
        return ERROR_INPUT;
    return scenario_peek(parser) ? scenario_fail(parser, scenario_peek(parser), "the line's end")
                                 : 0;
}

static int parse_covers(struct scenario_parser *parser)
{
    char *to = parser->scenario->covers;
    const struct scenario_word *word;
    while ((word = scenario_peek(parser))) {
        size_t used = strlen(to);
        if (used + word->length + 2 > sizeof parser->scenario->covers)
            return scenario_fail(parser, word, "fewer rows");
        snprintf(to + used, sizeof parser->scenario->covers - used, "%s%.*s", used ? " " : "",
                 (int)word->length, word->text);
        parser->at++;
    }
    return 0;
}

static int keep_setting(struct scenario_parser *parser, struct scenario_settings *settings,
                        const struct scenario_word *name, const struct scenario_word *value)
{
    size_t need = settings->length + name->length + value->length + 16;
    if (need > settings->capacity) {
        char *grown = realloc(settings->text, need * 2);
        if (!grown)
            return error_set(parser->error, ERROR_SYSTEM, "out of memory");
        settings->text = grown;
        settings->capacity = need * 2;
    }
    settings->length +=
        (size_t)sprintf(settings->text + settings->length, "%u %.*s=%.*s\n", parser->line,
                        (int)name->length, name->text, (int)value->length, value->text);
    return 0;
}

int scenario_parse_settings(struct scenario_parser *parser, struct scenario_settings *settings)
{
    const struct scenario_word *word;
    if (!scenario_peek(parser))
        return scenario_fail(parser, NULL, "setting=value");
    while ((word = scenario_peek(parser))) {
        struct scenario_word name, value;
        if (!scenario_split_pair(word, '=', &name, &value))
            return scenario_fail(parser, word, "setting=value such as quote.half_spread=2tick");
        value = scenario_unquote(&value);
        if (keep_setting(parser, settings, &name, &value))
            return ERROR_SYSTEM;
        parser->at++;
    }
    return 0;
}

static int parse_config(struct scenario_parser *parser)
{
    return scenario_parse_settings(parser, &parser->scenario->config);
}

/* "defaults none": no file of settings is read before the scenario's own. */
static int parse_defaults(struct scenario_parser *parser)
{
    parser->scenario->no_defaults = true;
    if (!scenario_take_if(parser, "none") || scenario_peek(parser))
        return scenario_fail(parser, scenario_peek(parser), "none");
    return 0;
}

/* "silent": every answer, the first account snapshot included, is a record of the scenario. */
static int parse_silent(struct scenario_parser *parser)
{
    parser->scenario->silent = true;
    if (scenario_peek(parser))
        return scenario_fail(parser, scenario_peek(parser), "the end of the line");
    return 0;
}

static int take_time(struct scenario_parser *parser)
{
    int64_t offset;
    const struct scenario_word *word = scenario_peek(parser);
    if (scenario_take_duration(parser, &offset))
        return ERROR_INPUT;
    int64_t now = SCENARIO_EPOCH_NS + offset;
    if (offset < 0 || (parser->has_now && now < parser->now))
        return scenario_fail(parser, word, "a time not before the one above");
    parser->now = now;
    parser->has_now = true;
    return 0;
}

static int parse_at(struct scenario_parser *parser)
{
    if (parser->scenario->instrument_count == 0)
        return scenario_fail(parser, &parser->words[0], "a 'venue' line first");
    if (take_time(parser))
        return ERROR_INPUT;
    if (!scenario_peek(parser))
        return 0;
    return scenario_take_if(parser, "expect") ? scenario_parse_expects(parser)
                                              : scenario_parse_event(parser);
}

static int parse_expect(struct scenario_parser *parser)
{
    if (!parser->has_now)
        return scenario_fail(parser, &parser->words[0], "an 'at' line first");
    return scenario_parse_expects(parser);
}

static int parse_end(struct scenario_parser *parser)
{
    struct scenario *s = parser->scenario;
    if (take_time(parser))
        return ERROR_INPUT;
    s->has_end = true;
    s->end_ts = parser->now;
    return scenario_peek(parser) ? scenario_parse_expects(parser) : 0;
}

/* Prose: "--" and anything, or a number with its point ("1. The book goes stale."). */
static bool is_prose(const struct scenario_word *word)
{
    if (word->length >= 2 && word->text[0] == '-' && word->text[1] == '-')
        return true;
    if (word->length < 2 || word->text[word->length - 1] != '.')
        return false;
    for (size_t i = 0; i + 1 < word->length; i++)
        if (word->text[i] < '0' || word->text[i] > '9')
            return false;
    return true;
}

static int parse_line(struct scenario_parser *parser)
{
    static const struct {
        const char *word;
        int (*parse)(struct scenario_parser *);
    } table[] = {
        {"scenario", parse_title},     {"covers", parse_covers},
        {"config", parse_config},      {"venue", scenario_parse_venue},
        {"when", scenario_parse_when}, {"at", parse_at},
        {"expect", parse_expect},      {"end", parse_end},
        {"silent", parse_silent},      {"defaults", parse_defaults},
    };
    const struct scenario_word *first = &parser->words[0];
    if (is_prose(first))
        return 0;
    if (parser->scenario->has_end && !scenario_word_is(first, "expect"))
        return scenario_fail(parser, first, "nothing but 'expect' after the 'end' line");
    parser->at = 1;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (scenario_word_is(first, table[i].word))
            return table[i].parse(parser);
    return scenario_fail(
        parser, first,
        "scenario, covers, defaults, config, venue, silent, when, at, expect, end, or prose that "
        "begins with '--' or a number and a point");
}

static int parse_all(struct scenario_parser *parser)
{
    const char *line = parser->scenario->text;
    while (*line) {
        const char *end = strchr(line, '\n');
        size_t length = end ? (size_t)(end - line) : strlen(line);
        parser->line++;
        if (scenario_split(parser, line, length))
            return ERROR_INPUT;
        if (parser->count && parse_line(parser))
            return parser->error->code;
        line += length + (end ? 1 : 0);
    }
    struct scenario *s = parser->scenario;
    if (!s->title[0])
        return scenario_fail(parser, NULL, "a line 'scenario \"title\"'");
    if (!s->has_end)
        return scenario_fail(parser, NULL, "a line 'end TIME'");
    return 0;
}

static int read_text(struct scenario *s, struct error *error)
{
    FILE *file = fopen(s->path, "rb");
    if (!file)
        return error_set(error, ERROR_INPUT, "%s: %s", s->path, strerror(errno));
    s->text = calloc(1, SCENARIO_FILE_MAX + 1);
    size_t length = s->text ? fread(s->text, 1, SCENARIO_FILE_MAX + 1, file) : 0;
    bool failed = ferror(file) != 0;
    int saved = errno;
    fclose(file);
    if (!s->text)
        return error_set(error, ERROR_SYSTEM, "out of memory");
    if (failed)
        return error_set(error, ERROR_INPUT, "%s: %s", s->path, strerror(saved));
    if (length > SCENARIO_FILE_MAX)
        return error_set(error, ERROR_INPUT, "%s: more than %d bytes", s->path, SCENARIO_FILE_MAX);
    if (memchr(s->text, '\0', length))
        return error_set(error, ERROR_INPUT, "%s: not text: it holds a NUL byte", s->path);
    return 0;
}

int scenario_read(struct scenario **scenario, const char *path, struct error *error)
{
    struct scenario *s = calloc(1, sizeof *s);
    struct scenario_parser *parser = calloc(1, sizeof *parser);
    struct error local = {0};
    if (!error)
        error = &local;
    int result = ERROR_SYSTEM;
    if (!s || !parser) {
        error_set(error, ERROR_SYSTEM, "out of memory");
        goto failed;
    }
    s->path = strdup(path);
    s->names = (struct event_names){.venues = s->venue_pointers,
                                    .assets = s->asset_pointers,
                                    .symbols = s->symbol_pointers,
                                    .definitions = s->definitions};
    *parser = (struct scenario_parser){.scenario = s, .error = error};
    if (!s->path) {
        error_set(error, ERROR_SYSTEM, "out of memory");
        goto failed;
    }
    result = read_text(s, error);
    if (result == 0)
        result = parse_all(parser);
    if (result)
        goto failed;
    free(parser);
    *scenario = s;
    return 0;
failed:
    free(parser);
    scenario_free(&s);
    return result;
}

void scenario_free(struct scenario **scenario)
{
    struct scenario *s = *scenario;
    if (!s)
        return;
    for (size_t i = 0; i < s->event_count; i++)
        free(s->events[i].rows);
    for (size_t i = 0; i < s->when_count; i++)
        free(s->whens[i].replies);
    free(s->events);
    free(s->whens);
    free(s->expects);
    free(s->config.text);
    free(s->restart_config.text);
    free(s->text);
    free(s->path);
    free(s);
    *scenario = NULL;
}
