/* Escaping. */
#include "report/write.h"

#include <string.h>

#include "base/utf8.h"

static const char REPLACEMENT[] = "\xef\xbf\xbd";

void write_html(FILE *stream, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        uint32_t character;
        size_t length = utf8_read(text, left, &character);
        if (length == 0 || (character < 0x20 && character != '\n') ||
            (character >= 0x7f && character < 0xa0))
            fputs(REPLACEMENT, stream);
        else if (character == '&')
            fputs("&amp;", stream);
        else if (character == '<')
            fputs("&lt;", stream);
        else if (character == '>')
            fputs("&gt;", stream);
        else if (character == '"')
            fputs("&quot;", stream);
        else if (character == '\'')
            fputs("&#39;", stream);
        else
            fwrite(text, 1, length, stream);
        text += length ? length : 1;
        left -= length ? length : 1;
    }
}

void write_json(FILE *stream, const char *text)
{
    size_t left = strlen(text);
    fputc('"', stream);
    while (left > 0) {
        uint32_t character;
        size_t length = utf8_read(text, left, &character);
        if (length == 0)
            fputs(REPLACEMENT, stream);
        else if (character < 0x20 || character == 0x7f || character == 0x2028 ||
                 character == 0x2029 || (character < 0x80 && strchr("\"\\<>&'", (int)character)))
            fprintf(stream, "\\u%04x", (unsigned)character);
        else
            fwrite(text, 1, length, stream);
        text += length ? length : 1;
        left -= length ? length : 1;
    }
    fputc('"', stream);
}

void write_csv(FILE *stream, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}
