/* Words of a scenario's line, the values in them, and errors that name where they stand. */
#include "replay/scenario_parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* End of the word that begins at `from`: up to white space or a separator outside quotes. */
static size_t word_end(const char *line, size_t length, size_t from)
{
    bool quoted = false;
    size_t i = from;
    for (; i < length; i++) {
        if (line[i] == '"')
            quoted = !quoted;
        else if (!quoted && (is_space(line[i]) || line[i] == ';' || line[i] == ','))
            break;
    }
    return i;
}

int scenario_split(struct scenario_parser *parser, const char *line, size_t length)
{
    parser->count = 0;
    parser->at = 0;
    size_t i = 0;
    while (i < length) {
        if (is_space(line[i])) {
            i++;
            continue;
        }
        bool separator = line[i] == ';' || line[i] == ',';
        size_t end = separator ? i + 1 : word_end(line, length, i);
        struct scenario_word word = {line + i, end - i, (unsigned)i + 1};
        if (parser->count == SCENARIO_WORDS_MAX)
            return scenario_fail(parser, &word, "at most %d words a line", SCENARIO_WORDS_MAX);
        parser->words[parser->count++] = word;
        i = end;
    }
    return 0;
}

int scenario_fail(struct scenario_parser *parser, const struct scenario_word *word,
                  const char *format, ...)
{
    char expected[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    const char *path = parser->scenario->path;
    if (!word)
        error_set(parser->error, ERROR_INPUT, "%s:%u: the line ends, expected %s", path,
                  parser->line, expected);
    else
        error_set(parser->error, ERROR_INPUT, "%s:%u:%u: found '%.*s', expected %s", path,
                  parser->line, word->column, (int)word->length, word->text, expected);
    return ERROR_INPUT;
}

bool scenario_word_is(const struct scenario_word *word, const char *text)
{
    return word && strlen(text) == word->length && memcmp(text, word->text, word->length) == 0;
}

const struct scenario_word *scenario_peek(const struct scenario_parser *parser)
{
    return parser->at < parser->count ? &parser->words[parser->at] : NULL;
}

int scenario_take(struct scenario_parser *parser, const char *expected,
                  const struct scenario_word **word)
{
    *word = scenario_peek(parser);
    if (!*word)
        return scenario_fail(parser, NULL, "%s", expected);
    parser->at++;
    return 0;
}

bool scenario_take_if(struct scenario_parser *parser, const char *text)
{
    if (!scenario_word_is(scenario_peek(parser), text))
        return false;
    parser->at++;
    return true;
}

int scenario_take_duration(struct scenario_parser *parser, int64_t *ns)
{
    const struct scenario_word *word;
    if (scenario_take(parser, "a time such as 2s or 250ms", &word))
        return ERROR_INPUT;
    struct error inner = {0};
    if (duration_from_text(word->text, word->length, ns, &inner))
        return scenario_fail(parser, word, "a time such as 2s or 250ms");
    return 0;
}

int scenario_take_order(struct scenario_parser *parser, order_id *order)
{
    const struct scenario_word *word;
    if (scenario_take(parser, "an order such as #1", &word))
        return ERROR_INPUT;
    uint64_t epoch = 0, value = 0;
    bool good = word->length > 1 && word->length < 22 && word->text[0] == '#';
    bool dotted = false;
    for (size_t i = 1; good && i < word->length; i++) {
        bool dot = word->text[i] == '.' && !dotted && i > 1;
        good = dot || (word->text[i] >= '0' && word->text[i] <= '9');
        if (dot) {
            dotted = true;
            epoch = value;
            value = 0;
        } else if (value <= UINT32_MAX) {
            value = value * 10 + (uint64_t)(word->text[i] - '0');
        }
    }
    if (!good || value == 0 || value > UINT32_MAX || epoch > UINT32_MAX || (dotted && epoch == 0))
        return scenario_fail(parser, word, "an order such as #1, or #1.1 after a restart");
    *order = epoch << 32 | value;
    return 0;
}

int scenario_find_instrument(const struct scenario *scenario, const struct scenario_word *word)
{
    int found = event_instrument_by_name(&scenario->names, word->text, word->length);
    if (found >= 0)
        return found;
    for (unsigned i = 0; i < scenario->instrument_count; i++) {
        if (!scenario_word_is(word, scenario->venue_names[scenario->definitions[i].venue]))
            continue;
        if (found >= 0)
            return -1; /* the venue has several */
        found = (int)i;
    }
    return found;
}

int scenario_take_instrument(struct scenario_parser *parser, unsigned *instrument)
{
    const struct scenario_word *word;
    if (scenario_take(parser, "an instrument", &word))
        return ERROR_INPUT;
    int found = scenario_find_instrument(parser->scenario, word);
    if (found < 0)
        return scenario_fail(parser, word,
                             "an instrument declared by a 'venue' line (venue:symbol where the "
                             "venue has several)");
    *instrument = (unsigned)found;
    return 0;
}

int scenario_take_enum(struct scenario_parser *parser, enum event_field_type type, unsigned *value)
{
    const struct scenario_word *word;
    if (scenario_take(parser, "a word", &word))
        return ERROR_INPUT;
    int found = event_enum_value(type, word->text, word->length);
    if (found >= 0) {
        *value = (unsigned)found;
        return 0;
    }
    char list[400] = "one of";
    for (unsigned i = 0; event_enum_text(type, i); i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s %s", i ? "," : "", event_enum_text(type, i));
    }
    return scenario_fail(parser, word, "%s", list);
}

bool scenario_split_pair(const struct scenario_word *word, char separator,
                         struct scenario_word *left, struct scenario_word *right)
{
    const char *found = memchr(word->text, separator, word->length);
    if (!found)
        return false;
    size_t before = (size_t)(found - word->text);
    *left = (struct scenario_word){word->text, before, word->column};
    *right = (struct scenario_word){found + 1, word->length - before - 1,
                                    word->column + (unsigned)before + 1};
    return true;
}

int scenario_take_quantity_at_price(struct scenario_parser *parser, unsigned instrument,
                                    struct number *quantity, struct number *price)
{
    static const char expected[] = "quantity@price such as 0.010@99.0 on the instrument's grid";
    const struct event_definition *definition = &parser->scenario->definitions[instrument];
    const struct scenario_word *word;
    struct scenario_word left, right;
    if (scenario_take(parser, expected, &word))
        return ERROR_INPUT;
    if (!scenario_split_pair(word, '@', &left, &right))
        return scenario_fail(parser, word, "%s", expected);
    *quantity = number_from_text(left.text, left.length, definition->quantity_exponent);
    *price = number_from_text(right.text, right.length, definition->price_exponent);
    if (quantity->status != NUMBER_VALUE || price->status != NUMBER_VALUE)
        return scenario_fail(parser, word, "%s", expected);
    return 0;
}

struct scenario_word scenario_unquote(const struct scenario_word *word)
{
    struct scenario_word inside = *word;
    if (inside.length >= 2 && inside.text[0] == '"' && inside.text[inside.length - 1] == '"') {
        inside.text++;
        inside.length -= 2;
    }
    return inside;
}

int scenario_copy(struct scenario_parser *parser, const struct scenario_word *word, char *to,
                  size_t capacity)
{
    if (word->length >= capacity)
        return scenario_fail(parser, word, "at most %zu characters", capacity - 1);
    memcpy(to, word->text, word->length);
    to[word->length] = '\0';
    return 0;
}

void *scenario_grow(void *array, size_t *capacity, size_t count, size_t element_bytes)
{
    ASSERT(count <= *capacity);
    if (count < *capacity)
        return array;
    size_t wanted = *capacity ? *capacity * 2 : 16;
    void *grown = realloc(array, wanted * element_bytes);
    if (grown)
        *capacity = wanted;
    return grown;
}
