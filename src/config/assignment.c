/* Settings from --set and from the environment. See config/config.h. */
#include <config.h>

#include "config/config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config/store.h"

enum { KEY_MAX = 256 };

/* A key taken apart: where it stands and which setting it is. */
struct target {
    enum setting_scope scope;
    const char *name; /* of the venue or instrument */
    size_t name_length;
    const struct setting_row *row;
};

/* `rest` is NAME.setting or "NAME".setting. NAME may contain points, so the longest setting's name
 * that ends the key decides where NAME ends. */
static int split_name(const char *rest, size_t length, struct target *target, struct error *error)
{
    const char *close = rest[0] == '"' ? memchr(rest + 1, '"', length - 1) : NULL;
    if (close != NULL && close + 1 < rest + length && close[1] == '.') {
        size_t left = (size_t)(rest + length - (close + 2));
        target->name = rest + 1;
        target->name_length = (size_t)(close - rest) - 1;
        target->row = setting_by_name(close + 2, left);
        return target->row != NULL ? ERROR_NONE : config_unknown(close + 2, left, error);
    }
    target->name = rest;
    for (size_t i = 0; i + 1 < length && target->row == NULL; i++) {
        if (rest[i] != '.')
            continue;
        target->row = setting_by_name(rest + i + 1, length - i - 1);
        target->name_length = i;
    }
    if (target->row != NULL)
        return ERROR_NONE;
    const char *point = memchr(rest, '.', length);
    if (point == NULL) {
        return error_set(error, ERROR_INPUT,
                         "'%.*s' names no setting; expected NAME.setting after it", (int)length,
                         rest);
    }
    return config_unknown(point + 1, (size_t)(rest + length - (point + 1)), error);
}

static int split(const char *key, size_t length, struct target *target, struct error *error)
{
    static const struct {
        const char *word;
        enum setting_scope scope;
    } places[] = {{"venues.", SETTING_VENUE}, {"instruments.", SETTING_INSTRUMENT}};
    *target = (struct target){.scope = SETTING_GLOBAL};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        size_t width = strlen(places[i].word);
        if (length <= width || memcmp(key, places[i].word, width) != 0)
            continue;
        target->scope = places[i].scope;
        return split_name(key + width, length - width, target, error);
    }
    target->row = setting_by_name(key, length);
    return target->row != NULL ? ERROR_NONE : config_unknown(key, length, error);
}

/* key and value as `origin` gave them. */
static int assign(struct config *config, const char *key, size_t length, const char *value,
                  const char *origin, bool once, struct error *error)
{
    struct target target;
    struct config_place *place = config->top;
    int status = split(key, length, &target, error);
    if (status == ERROR_NONE && target.scope != SETTING_GLOBAL)
        status = config_place(config, target.scope, target.name, target.name_length, origin, &place,
                              error);
    if (status == ERROR_NONE)
        status = config_put(config, place, target.row, value, strlen(value), origin, once, error);
    if (status != ERROR_NONE)
        error_prefix(error, "%s", origin);
    return status;
}

/* The sign between key and value: the first one outside of double quotes. */
static const char *find_equals(const char *assignment)
{
    bool quoted = false;
    for (const char *at = assignment; *at != '\0'; at++) {
        if (*at == '"')
            quoted = !quoted;
        if (*at == '=' && !quoted)
            return at;
    }
    return NULL;
}

int config_set_from(struct config *config, const char *assignment, const char *origin,
                    struct error *error)
{
    const char *equals = find_equals(assignment);
    if (equals == NULL || equals == assignment) {
        return error_set(error, ERROR_INPUT, "%s %.80s: expected KEY=VALUE, like quote.size=10lot",
                         origin, assignment);
    }
    config->pass++;
    return assign(config, assignment, (size_t)(equals - assignment), equals + 1, origin, false,
                  error);
}

int config_set(struct config *config, const char *assignment, struct error *error)
{
    return config_set_from(config, assignment, "--set", error);
}

/* CAPSTAN_QUOTE__SIZE to quote.size; false where it does not fit. */
static bool key_of_variable(const char *name, size_t length, char out[KEY_MAX])
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (used + 1 >= KEY_MAX)
            return false;
        bool point = name[i] == '_' && i + 1 < length && name[i + 1] == '_';
        out[used++] = point ? '.' : (char)tolower((unsigned char)name[i]);
        i += point;
    }
    out[used] = '\0';
    return true;
}

static int read_variable(struct config *config, const char *variable, struct error *error)
{
    static const char prefix[] = "CAPSTAN_";
    const size_t width = sizeof prefix - 1;
    const char *equals = strchr(variable, '=');
    if (equals == NULL || strncmp(variable, prefix, width) != 0 || equals <= variable + width)
        return ERROR_NONE;
    size_t length = (size_t)(equals - variable);
    char key[KEY_MAX], origin[KEY_MAX + 32];
    if (!key_of_variable(variable + width, length - width, key)) {
        return error_set(error, ERROR_INPUT, "%.60s...: no setting has so long a name", variable);
    }
    if (strchr(key, '.') == NULL && setting_by_name(key, strlen(key)) == NULL)
        return ERROR_NONE; /* CAPSTAN_LOG and the like */
    snprintf(origin, sizeof origin, "environment %.*s", (int)length, variable);
    return assign(config, key, strlen(key), equals + 1, origin, true, error);
}

int config_read_environment(struct config *config, char *const *environment, struct error *error)
{
    config->pass++;
    for (; *environment != NULL; environment++) {
        int status = read_variable(config, *environment, error);
        if (status != ERROR_NONE)
            return status;
    }
    return ERROR_NONE;
}
