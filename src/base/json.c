/* See base/json.h. */
#include "base/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { FIRST_BYTES = 512 };

void json_free(struct json *json)
{
    free(json->bytes);
    memset(json, 0, sizeof *json);
}

void json_clear(struct json *json)
{
    json->length = 0;
    json->comma = false;
    if (json->bytes)
        json->bytes[0] = '\0';
}

static void make_room(struct json *json, size_t more)
{
    size_t needed = json->length + more + 1;
    if (needed <= json->capacity)
        return;
    size_t capacity = json->capacity ? json->capacity : FIRST_BYTES;
    while (capacity < needed)
        capacity *= 2;
    char *bytes = realloc(json->bytes, capacity);
    ASSERT(bytes);
    json->bytes = bytes;
    json->capacity = capacity;
}

void json_append(struct json *json, const char *text, size_t length)
{
    make_room(json, length);
    memcpy(json->bytes + json->length, text, length);
    json->length += length;
    json->bytes[json->length] = '\0';
}

static void append(struct json *json, const char *text)
{
    json_append(json, text, strlen(text));
}

/* Control characters, quote and backslash escaped; the rest is UTF-8 or was never sent to us. */
static void append_quoted(struct json *json, const char *text)
{
    append(json, "\"");
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        char escaped[8];
        if (byte == '"' || byte == '\\') {
            escaped[0] = '\\';
            escaped[1] = (char)byte;
            json_append(json, escaped, 2);
        } else if (byte < 0x20) {
            snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            append(json, escaped);
        } else {
            json_append(json, text, 1);
        }
    }
    append(json, "\"");
}

static void begin_value(struct json *json, const char *name)
{
    if (json->comma)
        append(json, ",");
    if (name) {
        append_quoted(json, name);
        append(json, ":");
    }
    json->comma = true;
}

void json_open(struct json *json, const char *name, char bracket)
{
    begin_value(json, name);
    json_append(json, &bracket, 1);
    json->comma = false;
}

void json_close(struct json *json, char bracket)
{
    ASSERT(bracket == '}' || bracket == ']');
    json_append(json, &bracket, 1);
    json->comma = true;
}

void json_text(struct json *json, const char *name, const char *text)
{
    begin_value(json, name);
    append_quoted(json, text);
}

void json_raw(struct json *json, const char *name, const char *digits)
{
    begin_value(json, name);
    append(json, digits);
}

void json_integer(struct json *json, const char *name, int64_t value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    json_raw(json, name, digits);
}

void json_flag(struct json *json, const char *name, bool value)
{
    json_raw(json, name, value ? "true" : "false");
}

void json_null(struct json *json, const char *name)
{
    json_raw(json, name, "null");
}

void json_format(struct json *json, const char *name, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_text(json, name, text);
}

/* --- numbers ----------------------------------------------------------------------------------- */

/* Zeros behind the point until there are `decimals` of them. */
static void pad_decimals(char *text, size_t capacity, int decimals)
{
    char *point = strchr(text, '.');
    size_t length = strlen(text);
    int have = point ? (int)(length - (size_t)(point - text)) - 1 : 0;
    if (decimals <= have)
        return;
    ASSERT(length + (size_t)decimals + 2 <= capacity);
    if (!point)
        text[length++] = '.';
    for (; have < decimals; have++)
        text[length++] = '0';
    text[length] = '\0';
}

void json_decimal_text(int64_t units, int exponent, int decimals, char out[JSON_NUMBER_MAX])
{
    char text[DECIMAL_TEXT_MAX];
    decimal_to_text(units, exponent, text);
    snprintf(out, JSON_NUMBER_MAX, "%s", text);
    pad_decimals(out, JSON_NUMBER_MAX, decimals);
}

void json_money_text(money amount, int decimals, char out[JSON_NUMBER_MAX])
{
    char text[MONEY_TEXT_MAX];
    money rounded = amount;
    if (decimals >= 0) {
        bool fits = money_round(amount, -decimals, MONEY_HALF_EVEN, &rounded);
        ASSERT(fits);
    }
    money_to_text(rounded, text);
    snprintf(out, JSON_NUMBER_MAX, "%s", text);
    pad_decimals(out, JSON_NUMBER_MAX, decimals);
}

void json_decimal(struct json *json, const char *name, int64_t units, int exponent, int decimals)
{
    char text[JSON_NUMBER_MAX];
    json_decimal_text(units, exponent, decimals, text);
    json_text(json, name, text);
}

void json_money(struct json *json, const char *name, money amount, int decimals)
{
    char text[JSON_NUMBER_MAX];
    json_money_text(amount, decimals, text);
    json_text(json, name, text);
}
