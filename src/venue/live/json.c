/* See json.h. */
#include "venue/live/json.h"

#include <string.h>

#include "base/time.h"

/* --- the whole text -------------------------------------------------------------------------------- */

/* A NUL made by an escape would cut a text short unseen. */
static bool has_nul(const char *bytes, size_t length)
{
    static const char escape[] = "\\u0000";
    const size_t size = sizeof escape - 1;
    const char *at = bytes, *end = bytes + length;
    while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        if ((size_t)(end - at) >= size && memcmp(at, escape, size) == 0)
            return true;
        at++;
    }
    return memchr(bytes, '\0', length) != NULL;
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\r' || byte == '\t' || byte == '\n';
}

cJSON *json_parse(const char *bytes, size_t length, size_t *column)
{
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(bytes, length, &end, 0);
    while (tree && end < bytes + length && is_space(*end))
        end++;
    *column = (end ? (size_t)(end - bytes) : 0) + 1;
    if (tree && end == bytes + length && !has_nul(bytes, length))
        return tree;
    cJSON_Delete(tree);
    return NULL;
}

static cJSON *parse_kind(const char *bytes, size_t length, bool array, struct error *error)
{
    size_t column;
    cJSON *tree = json_parse(bytes, length, &column);
    if (tree && (array ? cJSON_IsArray(tree) : cJSON_IsObject(tree)))
        return tree;
    cJSON_Delete(tree);
    error_set(error, ERROR_INPUT, "expected one JSON %s (column %zu)", array ? "array" : "object",
              column);
    return NULL;
}

cJSON *json_parse_object(const char *bytes, size_t length, struct error *error)
{
    return parse_kind(bytes, length, false, error);
}

cJSON *json_parse_array(const char *bytes, size_t length, struct error *error)
{
    return parse_kind(bytes, length, true, error);
}

/* --- members --------------------------------------------------------------------------------------- */

const cJSON *json_member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(item) ? NULL : item;
}

const char *json_text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(json_member(object, name));
}

bool json_whole(const cJSON *item, uint64_t *out)
{
    const double limit = 9007199254740992.0; /* 2^53: above it doubles skip integers */
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || !(item->valuedouble < limit) ||
        (double)(uint64_t)item->valuedouble != item->valuedouble)
        return false;
    *out = (uint64_t)item->valuedouble;
    return true;
}

int json_read_text(const cJSON *object, const char *name, char *out, size_t capacity,
                   struct error *error)
{
    const char *text = json_text_of(object, name);
    if (!text)
        return error_set(error, ERROR_INPUT, "field %s: expected text", name);
    size_t length = strlen(text);
    if (length >= capacity)
        return error_set(error, ERROR_INPUT, "field %s: expected at most %zu bytes", name,
                         capacity - 1);
    memcpy(out, text, length + 1);
    return 0;
}

int json_read_whole(const cJSON *object, const char *name, uint64_t *out, struct error *error)
{
    if (!json_whole(json_member(object, name), out))
        return error_set(error, ERROR_INPUT, "field %s: expected a whole number from 0 to 2^53 - 1",
                         name);
    return 0;
}

int json_read_integer(const cJSON *object, const char *name, int64_t *out, struct error *error)
{
    const double limit = 9007199254740992.0;
    const cJSON *item = json_member(object, name);
    if (!cJSON_IsNumber(item) || !(item->valuedouble > -limit) || !(item->valuedouble < limit) ||
        (double)(int64_t)item->valuedouble != item->valuedouble)
        return error_set(error, ERROR_INPUT, "field %s: expected a whole number within +-2^53",
                         name);
    *out = (int64_t)item->valuedouble;
    return 0;
}

int json_read_flag(const cJSON *object, const char *name, bool *out, struct error *error)
{
    const cJSON *item = json_member(object, name);
    if (!cJSON_IsBool(item))
        return error_set(error, ERROR_INPUT, "field %s: expected true or false", name);
    *out = cJSON_IsTrue(item);
    return 0;
}

int json_read_time(const cJSON *object, const char *name, int64_t *out_ns, struct error *error)
{
    uint64_t value;
    if (!json_whole(json_member(object, name), &value) || value > JSON_TIME_MAX_NS / NS_PER_MS)
        return error_set(error, ERROR_INPUT,
                         "field %s: expected milliseconds since 1970, before 2096", name);
    *out_ns = (int64_t)value * NS_PER_MS;
    return 0;
}

/* --- decimals -------------------------------------------------------------------------------------- */

int json_read_decimal(const cJSON *object, const char *name, struct json_decimal *out,
                      struct error *error)
{
    const char *text = json_text_of(object, name);
    if (!text)
        return error_set(error, ERROR_INPUT, "field %s: expected a decimal as text", name);
    *out = (struct json_decimal){.status = NUMBER_ABSENT};
    out->status = (uint8_t)decimal_from_text(text, strlen(text), &out->value);
    return 0;
}

int json_read_money(const cJSON *object, const char *name, money *out, struct error *error)
{
    const char *text = json_text_of(object, name);
    if (!text || money_from_text(text, strlen(text), out) != NUMBER_VALUE)
        return error_set(error, ERROR_INPUT, "field %s: expected an amount as text", name);
    return 0;
}

struct number json_units(const struct json_decimal *decimal, int exponent)
{
    if (decimal->status != NUMBER_VALUE)
        return (struct number){.status = decimal->status};
    return decimal_to_units(decimal->value, exponent);
}
