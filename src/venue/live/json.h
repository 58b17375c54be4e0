/* Members of venues' JSON, read strictly: what is not of the wanted kind is an error that names the field.
 * Numbers of prices, sizes and money stand in texts and never pass through a double; ids must be whole and
 * below 2^53, since JSON numbers do. Unknown members are left alone. No I/O. */
#ifndef CAPSTAN_VENUE_LIVE_JSON_H
#define CAPSTAN_VENUE_LIVE_JSON_H

#include <cjson/cJSON.h>

#include "base/decimal.h"
#include "base/money.h"

/* Latest time that is read, in 2096: sums and differences of two times then always fit. */
#define JSON_TIME_MAX_NS INT64_C(4000000000000000000)

/* A decimal of no instrument yet; `value` holds where status is NUMBER_VALUE. */
struct json_decimal {
    struct decimal value;
    uint8_t status; /* enum number_status */
};

/* The one JSON value that the text is, with nothing but white space behind it and no NUL in any text, or
 * NULL, and then the column (from 1) at which it ceases to be one. Free it with cJSON_Delete. */
cJSON *json_parse(const char *bytes, size_t length, size_t *column);
/* The same with an error: "expected one JSON object (column 7)". It must be an object, or an array. */
cJSON *json_parse_object(const char *bytes, size_t length, struct error *error);
cJSON *json_parse_array(const char *bytes, size_t length, struct error *error);

/* A member by its name, NULL where there is none or it is null. */
const cJSON *json_member(const cJSON *object, const char *name);
/* A whole number from 0 to 2^53 - 1; false where `item` (may be NULL) is none. */
bool json_whole(const cJSON *item, uint64_t *out);
/* The text of a member; NULL where it is none. Lives as long as the tree. */
const char *json_text_of(const cJSON *object, const char *name);

/* Each of these reads the member `name` and returns 0, or ERROR_INPUT with `out` untouched. `out` of a text has
 * room for `capacity` bytes with the NUL; an empty text is one. */
int json_read_text(const cJSON *object, const char *name, char *out, size_t capacity,
                   struct error *error);
int json_read_whole(const cJSON *object, const char *name, uint64_t *out, struct error *error);
/* Whole, of either sign, below 2^53. */
int json_read_integer(const cJSON *object, const char *name, int64_t *out, struct error *error);
int json_read_flag(const cJSON *object, const char *name, bool *out, struct error *error);
/* Milliseconds since 1970, as ns. */
int json_read_time(const cJSON *object, const char *name, int64_t *out_ns, struct error *error);
/* Text of a decimal. A text that is no number is read as its status; no text at all is the error. */
int json_read_decimal(const cJSON *object, const char *name, struct json_decimal *out,
                      struct error *error);
/* Text of an amount; anything without a value is an error. */
int json_read_money(const cJSON *object, const char *name, money *out, struct error *error);

/* A decimal in units of 10^exponent. */
struct number json_units(const struct json_decimal *decimal, int exponent);

#endif
