/* The scenario parser's inside: one line's words, and the errors that name file, line and column. */
#ifndef CAPSTAN_REPLAY_SCENARIO_PARSER_H
#define CAPSTAN_REPLAY_SCENARIO_PARSER_H

#include "replay/scenario.h"

/* Where the parser stands. `at` is the next word of the line. */
struct scenario_parser {
    struct scenario *scenario;
    struct error *error;
    unsigned line;
    int64_t now; /* ts of the last `at` */
    bool has_now;
    size_t count, at;
    struct scenario_word words[SCENARIO_WORDS_MAX];
};

/* Split one line into words. Quoted text is one word, ',' and ';' are words of their own. */
int scenario_split(struct scenario_parser *parser, const char *line, size_t length);

/* "file:line:column: found 'word', expected …" into parser->error; `word` NULL: at the line's end. */
int scenario_fail(struct scenario_parser *parser, const struct scenario_word *word,
                  const char *format, ...) __attribute__((format(printf, 3, 4)));

bool scenario_word_is(const struct scenario_word *word, const char *text);
/* The next word without taking it, NULL at the end of the line. */
const struct scenario_word *scenario_peek(const struct scenario_parser *parser);
/* Take the next word; an error that says what was expected where there is none. */
int scenario_take(struct scenario_parser *parser, const char *expected,
                  const struct scenario_word **word);
/* Take the next word if it is `text`. */
bool scenario_take_if(struct scenario_parser *parser, const char *text);

/* Values. Each takes one word. */
int scenario_take_duration(struct scenario_parser *parser, int64_t *ns);
int scenario_take_order(struct scenario_parser *parser, order_id *order);
int scenario_take_instrument(struct scenario_parser *parser, unsigned *instrument);
int scenario_take_enum(struct scenario_parser *parser, enum event_field_type type, unsigned *value);
/* The instrument that a word names ("v1" with one instrument, "v1:BTC-USD"), or -1. */
int scenario_find_instrument(const struct scenario *scenario, const struct scenario_word *word);
/* "0.010@101.5" as quantity and price that must be plain values. */
int scenario_take_quantity_at_price(struct scenario_parser *parser, unsigned instrument,
                                    struct number *quantity, struct number *price);
/* Split "a<separator>b"; false where the separator is missing. */
bool scenario_split_pair(const struct scenario_word *word, char separator,
                         struct scenario_word *left, struct scenario_word *right);
/* Copy a word into a buffer with a NUL; too long is an error. */
int scenario_copy(struct scenario_parser *parser, const struct scenario_word *word, char *to,
                  size_t capacity);
/* Remove the quotes of a quoted word. */
struct scenario_word scenario_unquote(const struct scenario_word *word);

/* "setting=value …" up to the end of the line, without quotes, kept with the line's number. */
int scenario_parse_settings(struct scenario_parser *parser, struct scenario_settings *settings);

/* The lines. Each is called with parser->at behind the line's first word. */
int scenario_parse_venue(struct scenario_parser *parser);
int scenario_parse_when(struct scenario_parser *parser);
int scenario_parse_event(struct scenario_parser *parser);
/* Expectations up to the end of the line, separated by ';'. */
int scenario_parse_expects(struct scenario_parser *parser);

/* Room for one more element of a growing array; NULL when memory is out. */
void *scenario_grow(void *array, size_t *capacity, size_t count, size_t element_bytes);

#endif
