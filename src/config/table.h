/* The rows of the settings table as the reader, the resolver and the printer walk them. */
#ifndef CAPSTAN_CONFIG_TABLE_H
#define CAPSTAN_CONFIG_TABLE_H

#include "config/config.h"

/* T(type, what a value looks like) */
#define SETTING_TYPES(T)                                                                           \
    T(INTEGER, "a whole number")                                                                   \
    T(DURATION, "a time with its unit, like 250ms")                                                \
    T(RATIO, "a share like 0.5% or 0.005")                                                         \
    T(FLAG, "yes or no")                                                                           \
    T(PRICES, "a price difference like 0.5 or 2tick")                                              \
    T(SIZES, "a quantity like 0.010 or 10lot")                                                     \
    T(BALANCES, "amounts with their assets, like \"100000 USDT, 1.5 BTC\"")                        \
    T(CHOICE, "one of these words")                                                                \
    T(AMOUNT, "an amount of money like 5000, not negative")                                        \
    T(TEXT, "text on one line")

enum setting_type {
#define T(type, example) SETTING_##type,
    SETTING_TYPES(T)
#undef T
};

/* Where a setting may stand, from the widest to the narrowest: a setting of one scope may also be
 * given for every wider one. */
enum setting_scope { SETTING_GLOBAL, SETTING_VENUE, SETTING_INSTRUMENT };

struct setting_row {
    struct setting_info info;
    uint8_t scope;   /* enum setting_scope */
    uint8_t type;    /* enum setting_type */
    uint16_t offset; /* in the settings struct of its scope */
};

enum {
    SETTING_COUNT = 0
#define S(field, name, type, least, most, initial, line) +1
    SETTINGS_GLOBAL(S) SETTINGS_VENUE(S) SETTINGS_INSTRUMENT(S)
#undef S
};

extern const struct setting_row setting_rows[SETTING_COUNT];

/* The row of that name, or NULL. */
const struct setting_row *setting_by_name(const char *name, size_t length);
/* The index of the first setting whose name begins with `name` and a point, or -1. */
int setting_group(const char *name, size_t length);
/* The known name nearest to an unknown one, of a setting or of a group of settings; NULL where none
 * is near. `room` holds what is returned. */
enum { SETTING_NAME_MAX = 64 };
const char *setting_nearest(const char *name, size_t length, char room[SETTING_NAME_MAX]);
const char *setting_scope_name(enum setting_scope scope);

/* A value of any type. DURATION is in ns and RATIO in 1e-9, both in `integer`. */
union setting_value {
    int64_t integer;
    bool flag;
    struct setting_amount amount;
    struct setting_text text;
    money money;
};

/* Read a value's text and check its range. The error names the setting, the value and what was
 * expected. */
int setting_parse(const struct setting_row *row, const char *text, size_t length,
                  union setting_value *value, struct error *error);
/* Write the one text that stands for this value. Returns the length without the NUL. */
size_t setting_format(const struct setting_row *row, const union setting_value *value,
                      char out[SETTING_TEXT_MAX]);
/* "a whole number from 1 to 32": type and range in words. */
void setting_expected(const struct setting_row *row, char *out, size_t size);
/* Copy a value to its place in the settings struct of its scope. */
void setting_store(const struct setting_row *row, const union setting_value *value, void *settings);

#endif
