/* The settings table, made from config/settings.h. See config/table.h. */
#include <config.h>

#include "config/table.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "config/nearest.h"

#define ROW(scope_name, scope, structure, field, name, type, least, most, initial, line)           \
    {{scope_name, name, #type, least, most, initial, line},                                        \
     scope,                                                                                        \
     SETTING_##type,                                                                               \
     offsetof(struct structure, field)},

const struct setting_row setting_rows[SETTING_COUNT] = {
#define S(...) ROW("global", SETTING_GLOBAL, settings_global, __VA_ARGS__)
    SETTINGS_GLOBAL(S)
#undef S
#define S(...) ROW("venue", SETTING_VENUE, settings_venue, __VA_ARGS__)
        SETTINGS_VENUE(S)
#undef S
#define S(...) ROW("instrument", SETTING_INSTRUMENT, settings_instrument, __VA_ARGS__)
            SETTINGS_INSTRUMENT(S)
#undef S
};

size_t setting_count(void)
{
    return SETTING_COUNT;
}

const struct setting_info *setting_info(size_t index)
{
    ASSERT(index < SETTING_COUNT);
    return &setting_rows[index].info;
}

const char *setting_scope_name(enum setting_scope scope)
{
    static const char *const names[] = {"global", "venue", "instrument"};
    ASSERT(scope <= SETTING_INSTRUMENT);
    return names[scope];
}

const struct setting_row *setting_by_name(const char *name, size_t length)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *known = setting_rows[i].info.name;
        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return &setting_rows[i];
    }
    return NULL;
}

int setting_group(const char *name, size_t length)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *known = setting_rows[i].info.name;
        if (strlen(known) > length && memcmp(known, name, length) == 0 && known[length] == '.')
            return (int)i;
    }
    return -1;
}

static size_t points(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '.';
    return count;
}

/* The first `segments` words of a name, so that an unknown group is compared with groups. */
static void cut(const char *name, size_t segments, char out[SETTING_NAME_MAX])
{
    size_t length = 0;
    for (; name[length] != '\0' && length + 1 < SETTING_NAME_MAX; length++) {
        if (name[length] == '.' && segments-- == 1)
            break;
        out[length] = name[length];
    }
    out[length] = '\0';
}

const char *setting_nearest(const char *name, size_t length, char room[SETTING_NAME_MAX])
{
    char wanted[SETTING_NAME_MAX];
    snprintf(wanted, sizeof wanted, "%.*s", (int)length, name);
    unsigned distance = nearest_limit(wanted);
    bool found = false;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char known[SETTING_NAME_MAX];
        cut(setting_rows[i].info.name, points(wanted) + 1, known);
        const char *better = NULL;
        nearest_offer(wanted, known, &better, &distance);
        if (better == NULL)
            continue;
        memcpy(room, known, SETTING_NAME_MAX);
        found = true;
    }
    /* A name without its group ("half_spread") is far by letters and near by meaning. */
    for (size_t i = 0; !found && i < SETTING_COUNT; i++) {
        const char *last = strrchr(setting_rows[i].info.name, '.');
        if (last == NULL || strcmp(last + 1, wanted) != 0)
            continue;
        snprintf(room, SETTING_NAME_MAX, "%s", setting_rows[i].info.name);
        found = true;
    }
    return found ? room : NULL;
}

void setting_store(const struct setting_row *row, const union setting_value *value, void *settings)
{
    static const size_t sizes[] = {
#define T(type, example) sizeof(setting_##type),
        SETTING_TYPES(T)
#undef T
    };
    /* Every member of a union starts where the union does. */
    memcpy((char *)settings + row->offset, value, sizes[row->type]);
}
