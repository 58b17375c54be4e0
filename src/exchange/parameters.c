/* See exchange/parameters.h. */
#include "exchange/parameters.h"

#include <stdlib.h>
#include <string.h>

void parameters_init(struct parameters *parameters)
{
    parameters->count = parameters->used = 0;
}

static int hexadecimal(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Decode `length` bytes into `out`, with a NUL. Returns the bytes written with it, 0 on an error. */
static size_t decode(const char *text, size_t length, bool plus, char *out, size_t capacity)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char byte = text[i] == '+' && plus ? ' ' : text[i];
        if (byte == '%') {
            int high = i + 2 < length ? hexadecimal(text[i + 1]) : -1;
            int low = i + 2 < length ? hexadecimal(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return 0;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        if (used + 1 >= capacity || byte == '\0')
            return 0;
        out[used++] = byte;
    }
    if (used >= capacity)
        return 0;
    out[used] = '\0';
    return used + 1;
}

static bool add_word(struct parameters *parameters, const char *text, size_t length,
                     const char **word)
{
    char *at = parameters->memory + parameters->used;
    size_t bytes = decode(text, length, true, at, sizeof parameters->memory - parameters->used);
    if (bytes == 0)
        return false;
    parameters->used += bytes;
    *word = at;
    return true;
}

bool parameters_add(struct parameters *parameters, const char *text, size_t length)
{
    const char *end = text + length;
    while (text < end) {
        const char *next = memchr(text, '&', (size_t)(end - text));
        const char *stop = next ? next : end;
        const char *equals = memchr(text, '=', (size_t)(stop - text));
        const char *name_end = equals ? equals : stop;
        if (stop > text) {
            struct parameter item;
            if (parameters->count == PARAMETERS_MAX ||
                !add_word(parameters, text, (size_t)(name_end - text), &item.name) ||
                !add_word(parameters, equals ? equals + 1 : stop,
                          equals ? (size_t)(stop - equals - 1) : 0, &item.value))
                return false;
            parameters->items[parameters->count++] = item;
        }
        text = next ? next + 1 : end;
    }
    return true;
}

const char *parameter_next(const struct parameters *parameters, const char *name, size_t *index)
{
    while (*index < parameters->count) {
        const struct parameter *item = &parameters->items[(*index)++];
        if (strcmp(item->name, name) == 0)
            return item->value;
    }
    return NULL;
}

const char *parameter(const struct parameters *parameters, const char *name)
{
    size_t index = 0;
    return parameter_next(parameters, name, &index);
}

bool parameter_integer(const struct parameters *parameters, const char *name, int64_t *value)
{
    const char *text = parameter(parameters, name);
    if (!text)
        return true;
    size_t length = strlen(text);
    if (length == 0 || length > 18 || strspn(text, "0123456789") != length)
        return false;
    *value = strtoll(text, NULL, 10);
    return true;
}

bool path_split(const char *path, struct path_parts *parts)
{
    parts->count = 0;
    size_t used = 0;
    while (*path) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (length == 0)
            break;
        size_t bytes =
            decode(path, length, false, parts->memory + used, sizeof parts->memory - used);
        if (bytes == 0 || parts->count == PATH_PARTS_MAX)
            return false;
        parts->parts[parts->count++] = parts->memory + used;
        used += bytes;
        path += length;
    }
    return true;
}

bool path_is(const struct path_parts *parts, const char *pattern)
{
    size_t i = 0;
    while (*pattern) {
        pattern += strspn(pattern, "/");
        size_t length = strcspn(pattern, "/");
        if (length == 0)
            break;
        if (i == parts->count)
            return false;
        bool any = length == 1 && *pattern == '*';
        if (!any &&
            (strlen(parts->parts[i]) != length || memcmp(parts->parts[i], pattern, length) != 0))
            return false;
        i++;
        pattern += length;
    }
    return i == parts->count;
}
