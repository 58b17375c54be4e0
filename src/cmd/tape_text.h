/* A tape as text: header lines, then one line a message (docs/tape-text.md). */
#ifndef CAPSTAN_CMD_TAPE_TEXT_H
#define CAPSTAN_CMD_TAPE_TEXT_H

#include <stdio.h>

#include "tape/tape.h"

enum { TAPE_TEXT_LINE_MAX = 32 << 20 }; /* a message of 256 Ki rows takes about 10 MB */

/* Print the header's lines. 0 or ERROR_SYSTEM. */
int tape_text_print_header(const struct tape_header *header, FILE *to, struct error *error);

/* Lines of a text, with their numbers for errors. */
struct tape_text {
    FILE *from;
    const char *path;
    char *line; /* the line read last, without its end; NUL behind it */
    size_t length, capacity;
    unsigned long number;
};

/* Read the next line that is neither empty nor a comment (#). 1: there is one, 0: the text ended,
 * -1: `error` is set. */
int tape_text_next(struct tape_text *text, struct error *error);

/* A header under construction; it points into memory of its own. */
struct tape_text_header {
    struct tape_header tape;
    const char *venues[EVENT_VENUES_MAX];
    const char *assets[EVENT_ASSETS_MAX];
    const char *symbols[EVENT_INSTRUMENTS_MAX];
    struct event_definition definitions[EVENT_INSTRUMENTS_MAX];
    char *words[EVENT_VENUES_MAX + EVENT_ASSETS_MAX + EVENT_INSTRUMENTS_MAX + 8]; /* to free */
    size_t word_count;
    char *reasons, *config;
};

/* Read the header's lines up to and with "messages". `tool_version` and `build_id` stand where the
 * text names none. tape_text_header_free also after a failure. */
int tape_text_read_header(struct tape_text *text, const char *tool_version, const char *build_id,
                          struct tape_text_header *header, struct error *error);
void tape_text_header_free(struct tape_text_header *header);

/* "PATH:LINE" before an error's text. */
int tape_text_fail(const struct tape_text *text, struct error *error);

#endif
