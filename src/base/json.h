/* JSON as it is sent: text that grows, with commas where they belong. Numbers are written from their
 * digits, so that nothing of a price or an id passes through a double. */
#ifndef CAPSTAN_BASE_JSON_H
#define CAPSTAN_BASE_JSON_H

#include "base/money.h"

/* Text under way. `bytes` always ends in a NUL; memory that can't be had ends the process, as in every
 * program for which a missing answer would be a false one. */
struct json {
    char *bytes;
    size_t length, capacity;
    bool comma; /* the next value needs one before it */
};

void json_free(struct json *json);
/* Forget the text, keep its memory. */
void json_clear(struct json *json);

/* Begin and end an object ('{') or an array ('['); `name` NULL outside objects. */
void json_open(struct json *json, const char *name, char bracket);
void json_close(struct json *json, char bracket);
/* Values; `name` NULL outside objects. json_text escapes; json_raw writes digits, "true" or whole JSON. */
void json_text(struct json *json, const char *name, const char *text);
void json_raw(struct json *json, const char *name, const char *digits);
void json_integer(struct json *json, const char *name, int64_t value);
void json_flag(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);
/* A string of printf's. */
void json_format(struct json *json, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* units x 10^exponent as a string with at least `decimals` decimals ("0.10000000"). */
void json_decimal(struct json *json, const char *name, int64_t units, int exponent, int decimals);
/* An amount as a string: with exactly `decimals` decimals, rounded half to even; below 0: as many as it
 * needs. */
void json_money(struct json *json, const char *name, money amount, int decimals);
/* Bytes as they are: line ends, or what is no JSON. */
void json_append(struct json *json, const char *text, size_t length);

/* The text of decimal and money as above, for whoever needs it elsewhere. */
enum { JSON_NUMBER_MAX = 96 };
void json_decimal_text(int64_t units, int exponent, int decimals, char out[JSON_NUMBER_MAX]);
void json_money_text(money amount, int decimals, char out[JSON_NUMBER_MAX]);

#endif
