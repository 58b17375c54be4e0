/* Operating errors: writes the one line that a person reads. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* An error is one line, whatever a file name or a quoted input brings into it. */
static void keep_one_line(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7f)
            *text = ' ';
    }
}

#undef error_set /* what the analyzer is told, see error.h */
int error_set(struct error *error, enum error_code code, const char *format, ...)
{
    va_list arguments;

    if (error == NULL)
        return code;
    error->code = code;
    va_start(arguments, format);
    if (vsnprintf(error->text, sizeof error->text, format, arguments) < 0)
        error->text[0] = '\0';
    va_end(arguments);
    keep_one_line(error->text);
    return code;
}

int error_prefix(struct error *error, const char *format, ...)
{
    char prefix[ERROR_TEXT_MAX];
    va_list arguments;

    if (error == NULL)
        return ERROR_NONE;
    va_start(arguments, format);
    int length = vsnprintf(prefix, sizeof prefix - 2, format, arguments);
    va_end(arguments);
    if (length < 0)
        return error->code;
    size_t used = strlen(prefix);
    size_t room = sizeof error->text - 1 - (used + 2);
    size_t kept = strlen(error->text);
    if (kept > room)
        kept = room;
    memmove(error->text + used + 2, error->text, kept);
    memcpy(error->text, prefix, used);
    memcpy(error->text + used, ": ", 2);
    error->text[used + 2 + kept] = '\0';
    keep_one_line(error->text);
    return error->code;
}
