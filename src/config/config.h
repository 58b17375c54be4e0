/* Reads settings from YAML, --set and the environment, resolves them for a tape's venues and
 * instruments, and prints them back as canonical text. */
#ifndef CAPSTAN_CONFIG_CONFIG_H
#define CAPSTAN_CONFIG_CONFIG_H

#include "base/error.h"
#include "config/settings.h"
#include "event/event.h"

struct config;

/* All settings at their defaults. */
int config_create(struct config **config, struct error *error);
void config_free(struct config **config);

/* Later calls win over earlier ones at the same scope; the narrower scope wins over the wider:
 * an instrument's own value, its venue's, the file's top level, the default. Every scalar is text
 * until its setting's type parses it. Errors name file, line, key, and what was expected. */
int config_read_file(struct config *config, const char *path, struct error *error);
/* The same from memory; `name` stands in errors. */
int config_read_text(struct config *config, const char *name, const char *text, size_t length,
                     struct error *error);
/* One "key=value" as --set has it. The key is a setting's name, "venues.NAME.setting" or
 * "instruments.NAME.setting" with NAME as venue:symbol. */
int config_set(struct config *config, const char *assignment, struct error *error);
/* The same from elsewhere: `origin`, as "file:line", stands in errors instead of "--set". */
int config_set_from(struct config *config, const char *assignment, const char *origin,
                    struct error *error);
/* Every CAPSTAN_A__B=value of `environment`: double underscore is a point, lower case. CAPSTAN_LOG,
 * the log's filter, and names without a double underscore that are no setting are left alone. */
int config_read_environment(struct config *config, char *const *environment, struct error *error);

/* After an error of any of these a config is only good for config_free. */

/* What the engine and the venues are given. Arrays belong to the resolved config. */
struct config_resolved {
    struct settings_global global;
    struct settings_venue *venues;
    struct settings_instrument *instruments;
    unsigned venue_count, instrument_count;
    uint16_t account_currency; /* asset; EVENT_NONE_16 where none is set */
    uint16_t *account_rates; /* by asset: the instrument whose mid converts it, or EVENT_NONE_16 */
};
/* Resolve for the names of a tape. Amounts are checked against each instrument's tick, lot and units
 * (setting_…_to_units), so that whoever converts them later can't fail. A venue, an instrument, or an
 * asset of the account's settings that the tape does not have is an error that lists what it has (config files may be for several tapes: with `allow_unknown`
 * it is not). */
int config_resolve(const struct config *config, const struct event_names *names, bool allow_unknown,
                   struct config_resolved *out, struct error *error);
void config_resolved_free(struct config_resolved *resolved);

/* What shows without a tape, for all instruments and for each venue and instrument that is named: settings that
 * contradict each other are an error that names both (config_resolve() finds it too, but only of what a tape has);
 * what is allowed and can't be meant is given to `warn`, a line each. */
struct config_warner {
    void (*warn)(void *context, const char *line);
    void *context;
};
int config_check(const struct config *config, const struct config_warner *warner,
                 struct error *error);

/* Effective configuration as canonical text (YAML that reads back to the same): every setting in
 * table order with its value at the top level, then what venues and instruments have of their own,
 * by name. malloc'ed; caller frees. */
int config_to_text(const struct config *config, char **text, struct error *error);
/* The same without the settings of how a venue is reached (its "live.…") and of the ops server ("ops.…"): no decision depends on them, so
 * they stand on no tape and may differ from one session on it to the next. */
int config_to_tape_text(const struct config *config, char **text, struct error *error);
/* Each of these settings in which two configs differ, by its name as --set has it. A value is NULL where it is not given
 * at that place (the wider scope's is in force); at the top level a setting that is not given has its default. */
typedef void config_told(void *context, const char *setting, const char *before, const char *after);
void config_compare(const struct config *before, const struct config *after, config_told *told,
                    void *context);
/* That text back from the tape at `path`, which stands in errors: settings that came later have their defaults. */
int config_from_tape(struct config **config, const char *path, const char *text,
                     struct error *error);

/* A price difference in 1/1,000 tick, rounded down; a quantity in units of its instrument. Negative, too
 * large or in the wrong unit is an error that names the setting (`name`); so is a price difference that
 * is less than 1/1,000 tick and not 0, and a quantity that is no whole number of units and lots. */
int setting_prices_to_milliticks(const struct setting_amount *amount,
                                 const struct event_definition *definition, const char *name,
                                 int64_t *milliticks, struct error *error);
int setting_sizes_to_units(const struct setting_amount *amount,
                           const struct event_definition *definition, const char *name,
                           int64_t *units, struct error *error);

/* The settings table for documentation: one row a setting. */
struct setting_info {
    const char *scope, *name, *type, *least, *most, *initial, *line;
};
size_t setting_count(void);
const struct setting_info *setting_info(size_t index);

#endif
