/* Places and their settings: keep, print and compare. See config/config.h. */
#include <config.h>

#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "config/store.h"

int config_out_of_memory(struct error *error)
{
    return error_set(error, ERROR_SYSTEM, "out of memory for the configuration");
}

static void place_free(struct config_place *place)
{
    if (place == NULL)
        return;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        free(place->slots[i].text);
        free(place->slots[i].origin);
    }
    free(place->name);
    free(place->origin);
    free(place);
}

static struct config_place *place_create(enum setting_scope scope, const char *name, size_t length,
                                         const char *origin)
{
    struct config_place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return NULL;
    place->scope = (uint8_t)scope;
    place->name = strndup(name, length);
    place->origin = strdup(origin);
    if (place->name == NULL || place->origin == NULL) {
        place_free(place);
        return NULL;
    }
    return place;
}

int config_create(struct config **config, struct error *error)
{
    struct config *made = calloc(1, sizeof *made);
    if (made == NULL)
        return config_out_of_memory(error);
    made->top = place_create(SETTING_GLOBAL, "", 0, "");
    if (made->top == NULL) {
        free(made);
        return config_out_of_memory(error);
    }
    *config = made;
    return ERROR_NONE;
}

void config_free(struct config **config)
{
    struct config *gone = *config;
    *config = NULL;
    if (gone == NULL)
        return;
    place_free(gone->top);
    for (size_t i = 0; i < gone->place_count; i++)
        place_free(gone->places[i]);
    free(gone->places);
    free(gone);
}

static int compare(const struct config_place *place, enum setting_scope scope, const char *name)
{
    if (place->scope != scope)
        return place->scope < scope ? -1 : 1;
    return strcmp(place->name, name);
}

/* Index of the first place that is not before (scope, name). */
static size_t lower_bound(const struct config *config, enum setting_scope scope, const char *name)
{
    size_t low = 0, high = config->place_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(config->places[middle], scope, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct config_place *config_find(const struct config *config, enum setting_scope scope,
                                 const char *name)
{
    size_t index = lower_bound(config, scope, name);
    if (index < config->place_count && compare(config->places[index], scope, name) == 0)
        return config->places[index];
    return NULL;
}

/* A venue is one word; an instrument is a venue, a colon and the venue's symbol. */
static int check_name(enum setting_scope scope, const char *name, size_t length,
                      struct error *error)
{
    const char *colon = memchr(name, ':', length);
    bool good = length < CONFIG_NAME_MAX && utf8_is_word(name, length);
    if (scope == SETTING_VENUE && (!good || colon != NULL)) {
        return error_set(error, ERROR_INPUT,
                         "'%.*s' is no venue's name; expected one word like binance_spot",
                         (int)length, name);
    }
    if (scope == SETTING_INSTRUMENT &&
        (!good || colon == NULL || colon == name || colon + 1 == name + length)) {
        return error_set(error, ERROR_INPUT,
                         "'%.*s' is no instrument's name; expected venue:symbol, like "
                         "\"binance_spot:BTCUSDT\"",
                         (int)length, name);
    }
    return ERROR_NONE;
}

static int insert(struct config *config, size_t index, struct config_place *place)
{
    if (config->place_count == config->place_capacity) {
        size_t capacity = config->place_capacity == 0 ? 16 : config->place_capacity * 2;
        struct config_place **places = realloc(config->places, capacity * sizeof(*places));
        if (places == NULL)
            return ERROR_SYSTEM;
        config->places = places;
        config->place_capacity = capacity;
    }
    memmove(config->places + index + 1, config->places + index,
            (config->place_count - index) * sizeof(*config->places));
    config->places[index] = place;
    config->place_count++;
    return ERROR_NONE;
}

int config_place(struct config *config, enum setting_scope scope, const char *name, size_t length,
                 const char *origin, struct config_place **place, struct error *error)
{
    ASSERT(scope == SETTING_VENUE || scope == SETTING_INSTRUMENT);
    int status = check_name(scope, name, length, error);
    if (status != ERROR_NONE)
        return status;
    char key[CONFIG_NAME_MAX];
    snprintf(key, sizeof key, "%.*s", (int)length, name);
    struct config_place *found = config_find(config, scope, key);
    if (found == NULL) {
        if (config->place_count >= EVENT_VENUES_MAX + EVENT_INSTRUMENTS_MAX) {
            return error_set(error, ERROR_INPUT, "too many venues and instruments; at most %d",
                             EVENT_VENUES_MAX + EVENT_INSTRUMENTS_MAX);
        }
        found = place_create(scope, key, length, origin);
        if (found == NULL || insert(config, lower_bound(config, scope, key), found) != ERROR_NONE) {
            place_free(found);
            return config_out_of_memory(error);
        }
    }
    *place = found;
    return ERROR_NONE;
}

int config_unknown(const char *name, size_t length, struct error *error)
{
    char room[SETTING_NAME_MAX];
    int shown = length < SETTING_NAME_MAX ? (int)length : SETTING_NAME_MAX;
    const char *near = setting_nearest(name, length, room);
    if (near == NULL) {
        return error_set(error, ERROR_INPUT,
                         "%.*s: no setting has this name; 'capstan config show' lists them all",
                         shown, name);
    }
    return error_set(error, ERROR_INPUT, "%.*s: no setting has this name; did you mean '%s'?",
                     shown, name, near);
}

int config_put(struct config *config, struct config_place *place, const struct setting_row *row,
               const char *text, size_t length, const char *origin, bool once, struct error *error)
{
    struct config_slot *slot = &place->slots[row - setting_rows];
    if (row->scope < place->scope) {
        return error_set(error, ERROR_INPUT, "%s: is a %s setting and can't differ by %s",
                         row->info.name, setting_scope_name(row->scope),
                         setting_scope_name(place->scope));
    }
    if (once && slot->text != NULL && slot->pass == config->pass)
        return error_set(error, ERROR_INPUT, "%s: is given twice", row->info.name);
    union setting_value value;
    int status = setting_parse(row, text, length, &value, error);
    if (status != ERROR_NONE)
        return status;
    char canonical[SETTING_TEXT_MAX];
    setting_format(row, &value, canonical);
    char *kept = strdup(canonical), *kept_origin = strdup(origin);
    if (kept == NULL || kept_origin == NULL) {
        free(kept);
        free(kept_origin);
        return config_out_of_memory(error);
    }
    free(slot->text);
    free(slot->origin);
    *slot = (struct config_slot){.text = kept, .origin = kept_origin, .pass = config->pass};
    return ERROR_NONE;
}

/* --- Printing -----------------------------------------------------------------------------------
 */

/* Between double quotes, with what YAML reads back as the same bytes. */
static void print_quoted(FILE *to, const char *text)
{
    fputc('"', to);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

static void print_setting(FILE *to, const char *indent, const struct setting_row *row,
                          const char *text)
{
    fprintf(to, "%s%s: ", indent, row->info.name);
    /* Free text, and words that other readers of YAML would take for something else. */
    bool quote = row->type == SETTING_BALANCES || row->type == SETTING_TEXT || text[0] == '\0';
    if (quote)
        print_quoted(to, text);
    else
        fputs(text, to);
    fputc('\n', to);
}

/* How a venue is reached, when a tape ends and where the session is looked at, not what is decided. */
static bool is_of_place(const struct setting_row *row)
{
    static const char venue[] = "live.", ops[] = "ops.";
    return (row->scope == SETTING_VENUE && strncmp(row->info.name, venue, sizeof venue - 1) == 0) ||
           strncmp(row->info.name, ops, sizeof ops - 1) == 0 ||
           strcmp(row->info.name, "tape.rotate_every") == 0;
}

/* What stands at a place as canonical text, at the top level the default where it was not given; or NULL. */
static const char *value_at(const struct config_place *place, size_t setting,
                            char room[SETTING_TEXT_MAX])
{
    if (place == NULL || place->slots[setting].text != NULL || place->scope != SETTING_GLOBAL)
        return place != NULL ? place->slots[setting].text : NULL;
    const struct setting_row *row = &setting_rows[setting];
    union setting_value value;
    struct error error = {0};
    int status = setting_parse(row, row->info.initial, strlen(row->info.initial), &value, &error);
    ASSERT(status == ERROR_NONE);
    setting_format(row, &value, room);
    return room;
}

static void print_top(FILE *to, const struct config *config, bool for_tape)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = &setting_rows[i];
        if (for_tape && is_of_place(row))
            continue;
        if (i == 0 || row->scope != setting_rows[i - 1].scope)
            fprintf(to, "# %s\n", setting_scope_name(row->scope));
        char room[SETTING_TEXT_MAX];
        print_setting(to, "", row, value_at(config->top, i, room));
    }
}

static bool is_printed(const struct config_place *place, size_t setting, bool for_tape)
{
    return place->slots[setting].text != NULL && !(for_tape && is_of_place(&setting_rows[setting]));
}

static bool has_settings(const struct config_place *place, bool for_tape)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (is_printed(place, i, for_tape))
            return true;
    }
    return false;
}

static void print_places(FILE *to, const struct config *config, enum setting_scope scope,
                         bool for_tape)
{
    bool headed = false;
    for (size_t i = 0; i < config->place_count; i++) {
        const struct config_place *place = config->places[i];
        if (place->scope != scope || !has_settings(place, for_tape))
            continue;
        if (!headed)
            fprintf(to, "%ss:\n", setting_scope_name(scope));
        headed = true;
        fputs("  ", to);
        print_quoted(to, place->name);
        fputs(":\n", to);
        for (size_t k = 0; k < SETTING_COUNT; k++) {
            if (is_printed(place, k, for_tape))
                print_setting(to, "    ", &setting_rows[k], place->slots[k].text);
        }
    }
}

static int print_all(const struct config *config, bool for_tape, char **text, struct error *error)
{
    char *made = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&made, &size);
    if (to == NULL)
        return config_out_of_memory(error);
    print_top(to, config, for_tape);
    print_places(to, config, SETTING_VENUE, for_tape);
    print_places(to, config, SETTING_INSTRUMENT, for_tape);
    bool failed = ferror(to);
    if (fclose(to) != 0 || failed) {
        free(made);
        return config_out_of_memory(error);
    }
    *text = made;
    return ERROR_NONE;
}

int config_to_text(const struct config *config, char **text, struct error *error)
{
    return print_all(config, false, text, error);
}

int config_to_tape_text(const struct config *config, char **text, struct error *error)
{
    return print_all(config, true, text, error);
}

int config_from_tape(struct config **config, const char *path, const char *text,
                     struct error *error)
{
    int code = config_create(config, error);
    if (!code)
        code = config_read_text(*config, "configuration", text, strlen(text), error);
    if (!code)
        return 0;
    config_free(config);
    return error_prefix(error, "%s", path);
}

/* --- Comparing ----------------------------------------------------------------------------------- */

/* One place in both, or NULL where it stands in the other only. */
static void compare_place(const struct config_place *before, const struct config_place *after,
                          config_told *told, void *context)
{
    const struct config_place *place = after != NULL ? after : before;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = &setting_rows[i];
        char rooms[2][SETTING_TEXT_MAX], name[CONFIG_NAME_MAX + 2 * SETTING_NAME_MAX];
        const char *was = value_at(before, i, rooms[0]), *is = value_at(after, i, rooms[1]);
        bool same = was == NULL || is == NULL ? was == is : strcmp(was, is) == 0;
        if (same || is_of_place(row))
            continue;
        if (place->scope == SETTING_GLOBAL)
            snprintf(name, sizeof name, "%s", row->info.name);
        else
            snprintf(name, sizeof name, "%ss.%s.%s", setting_scope_name(place->scope), place->name,
                     row->info.name);
        told(context, name, was, is);
    }
}

void config_compare(const struct config *before, const struct config *after, config_told *told,
                    void *context)
{
    compare_place(before->top, after->top, told, context);
    for (size_t i = 0; i < after->place_count; i++) {
        const struct config_place *place = after->places[i];
        compare_place(config_find(before, place->scope, place->name), place, told, context);
    }
    for (size_t i = 0; i < before->place_count; i++) {
        const struct config_place *place = before->places[i];
        if (config_find(after, place->scope, place->name) == NULL)
            compare_place(place, NULL, told, context);
    }
}
