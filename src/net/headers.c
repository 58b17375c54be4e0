/* See headers.h. */
#include "config.h" /* POSIX names */

#include "net/headers.h"

#include <string.h>
#include <strings.h>

void headers_begin(struct headers *headers, size_t bytes_max)
{
    buffer_clear(&headers->text);
    headers->count = 0;
    headers->in_value = headers->too_long = false;
    headers->bytes = 0;
    headers->bytes_max = bytes_max;
}

static bool take(struct headers *headers, const char *bytes, size_t length)
{
    if (headers->too_long || length > headers->bytes_max - headers->bytes ||
        !buffer_append(&headers->text, bytes, length)) {
        headers->too_long = true;
        return false;
    }
    headers->bytes += length;
    return true;
}

/* Let a name or a value begin. */
static bool begin(struct headers *headers, size_t place)
{
    if (place > 0 && !buffer_append(&headers->text, "", 1)) {
        headers->too_long = true;
        return false;
    }
    headers->starts[place] = buffer_length(&headers->text);
    return true;
}

bool headers_name(struct headers *headers, const char *bytes, size_t length)
{
    if (headers->count == 0 || headers->in_value) {
        if (headers->count == HEADERS_COUNT_MAX) {
            headers->too_long = true;
            return false;
        }
        if (!begin(headers, 2 * headers->count))
            return false;
        headers->count++;
        headers->in_value = false;
    }
    size_t from = headers->text.end;
    if (!take(headers, bytes, length))
        return false;
    for (char *c = headers->text.bytes + from; length > 0; c++, length--)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return true;
}

bool headers_value(struct headers *headers, const char *bytes, size_t length)
{
    if (headers->count == 0)
        return true; /* a value without a name: what a parser lets through is nothing */
    if (!headers->in_value && !begin(headers, 2 * headers->count - 1))
        return false;
    headers->in_value = true;
    return take(headers, bytes, length);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *trimmed(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && is_blank(text[length - 1]))
        text[--length] = '\0';
    while (is_blank(*text))
        text++;
    return text;
}

bool headers_end(struct headers *headers)
{
    if (headers->count > 0 && !headers->in_value && !headers_value(headers, "", 0))
        return false;
    if (!buffer_append(&headers->text, "", 1)) {
        headers->too_long = true;
        return false;
    }
    char *text = headers->text.bytes;
    for (size_t i = 0; i < headers->count; i++)
        headers->list[i] = (struct net_header){text + headers->starts[2 * i],
                                               trimmed(text + headers->starts[2 * i + 1])};
    return !headers->too_long;
}

void headers_free(struct headers *headers)
{
    buffer_free(&headers->text);
}

const char *headers_find(const struct net_header *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return list[i].value;
    return NULL;
}

static bool lists_token(const char *value, const char *token)
{
    size_t wanted = strlen(token);
    while (*value != '\0') {
        value += strspn(value, " \t,");
        size_t length = strcspn(value, ",");
        size_t bare = length;
        while (bare > 0 && is_blank(value[bare - 1]))
            bare--;
        if (bare == wanted && strncasecmp(value, token, wanted) == 0)
            return true;
        value += length;
    }
    return false;
}

bool headers_list_token(const struct net_header *list, size_t count, const char *name,
                        const char *token)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0 && lists_token(list[i].value, token))
            return true;
    return false;
}

bool header_is_sendable(const struct net_header *header)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (header->name == NULL || header->value == NULL || header->name[0] == '\0' ||
        header->name[strspn(header->name, token)] != '\0')
        return false;
    for (const char *c = header->value; *c != '\0'; c++)
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
            return false;
    return true;
}

bool header_is_named(const struct net_header *header, const char *name)
{
    return strcasecmp(header->name, name) == 0;
}
