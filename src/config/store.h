/* What a config holds: for the top level, each venue and each instrument that was named, the text
 * of the settings that were given there. Between config.c, yaml.c and assignment.c only. */
#ifndef CAPSTAN_CONFIG_STORE_H
#define CAPSTAN_CONFIG_STORE_H

#include "config/config.h"
#include "config/table.h"

/* One setting at one place. `text` is canonical, NULL where it was not given; `origin` tells where it
 * was ("capstan.yaml:3:9"). Both malloc'ed. */
struct config_slot {
    char *text, *origin;
    uint32_t
        pass; /* the reading (file, environment, --set) that gave it: the same twice is an error */
};

/* A place where settings stand. `scope` SETTING_GLOBAL is the top level, whose name is "". */
struct config_place {
    uint8_t scope; /* enum setting_scope */
    uint32_t pass;
    char *name;   /* malloc'ed */
    char *origin; /* malloc'ed; where it was first named, "capstan.yaml:3:5" */
    struct config_slot slots[SETTING_COUNT];
};

struct config {
    struct config_place *top;
    struct config_place **places; /* sorted by scope and name, without the top level */
    size_t place_count, place_capacity;
    uint32_t pass;
};

enum { CONFIG_ORIGIN_MAX = 512, CONFIG_NAME_MAX = EVENT_INSTRUMENT_NAME_MAX };

/* The place of that name, or NULL. */
struct config_place *config_find(const struct config *config, enum setting_scope scope,
                                 const char *name);
/* The same, made where it does not stand yet. Refuses what can be no name of its scope. */
int config_place(struct config *config, enum setting_scope scope, const char *name, size_t length,
                 const char *origin, struct config_place **place, struct error *error);
/* Give a setting its value at a place, from `origin`: checks scope, type and range. The same setting twice at one
 * place in one pass is an error where `once`. */
int config_put(struct config *config, struct config_place *place, const struct setting_row *row,
               const char *text, size_t length, const char *origin, bool once, struct error *error);
int config_out_of_memory(struct error *error);
/* ERROR_INPUT for a name that is no setting, with the nearest that is. */
int config_unknown(const char *name, size_t length, struct error *error);

#endif
