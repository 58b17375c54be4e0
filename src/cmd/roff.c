/* See roff.h. */
#include "cmd/roff.h"

#include <stdbool.h>
#include <string.h>

static void put(FILE *to, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\')
            fputs("\\e", to);
        else if (text[i] == '-')
            fputs("\\-", to);
        else
            fputc(text[i], to);
    }
}

void roff_words(FILE *to, const char *text)
{
    put(to, text, strlen(text));
}

/* A leading point or quote would be a request. */
static void put_line(FILE *to, const char *line, size_t length)
{
    if (length > 0 && (line[0] == '.' || line[0] == '\''))
        fputs("\\&", to);
    put(to, line, length);
    fputc('\n', to);
}

void roff_text(FILE *to, const char *text)
{
    bool example = false;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        bool kept = length > 2 && text[0] == ' ' && text[1] == ' ';
        if (kept != example)
            fputs(kept ? ".PP\n.EX\n" : ".EE\n.PP\n", to);
        example = kept;
        if (length == 0)
            fputs(".PP\n", to);
        else
            put_line(to, text, length);
        text += length + (text[length] == '\n');
    }
    if (example)
        fputs(".EE\n", to);
}
