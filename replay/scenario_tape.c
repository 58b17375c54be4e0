/* Compiles a scenario: its events to a tape, its configuration lines to a configuration. */
#include "replay/scenario_tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "tape/tape.h"

static int append_events(const struct scenario *scenario, struct tape_writer *writer,
                         struct error *error)
{
    for (size_t i = 0; i < scenario->event_count; i++) {
        const struct scenario_event *event = &scenario->events[i];
        struct message message = event->message;
        if (event_kind_info(message.kind)->shape == EVENT_ROWS)
            message.rows = event->rows;
        else
            message.record = &event->record;
        if (tape_writer_append(writer, &message, error))
            return error->code;
    }
    /* Without something at the end the run would end with the last event before it. */
    union event_record record = {.tick = {.deadline = scenario->end_ts}};
    const struct message tick = {.ts_local = scenario->end_ts,
                                 .stream = EVENT_NONE_16,
                                 .kind = EVENT_tick,
                                 .record = &record};
    return tape_writer_append(writer, &tick, error);
}

int scenario_write_tape(const struct scenario *scenario, const char *path, struct error *error)
{
    const struct tape_header header = {.version = TAPE_VERSION,
                                       .origin = TAPE_SCENARIO,
                                       .grade = TAPE_GRADE_A,
                                       .tool_version = PACKAGE_VERSION,
                                       .build_id = "",
                                       .grade_reasons = "",
                                       .config = "",
                                       .names = scenario->names};
    struct tape_writer *writer = NULL;
    int code = tape_writer_open(&writer, path, &header, NULL, error);
    if (code)
        return code;
    code = append_events(scenario, writer, error);
    if (code) {
        tape_writer_abandon(&writer);
        return code;
    }
    return tape_writer_finish(&writer, error);
}

/* "1000000 USD, 1000000 BTC": a million of each asset that the venue's instruments know. */
static int set_balances(const struct scenario *scenario, unsigned venue, struct config *config,
                        struct error *error)
{
    char text[2048];
    size_t used = (size_t)snprintf(text, sizeof text,
                                   "venues.%s.sim.balances=", scenario->venue_names[venue]);
    bool first = true;
    for (unsigned asset = 0; asset < scenario->asset_count; asset++) {
        bool known = false;
        for (unsigned i = 0; i < scenario->instrument_count; i++) {
            const struct event_definition *d = &scenario->definitions[i];
            known |= d->venue == venue && (d->base == asset || d->quote == asset);
        }
        if (!known)
            continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s1000000 %s", first ? "" : ", ",
                                 scenario->asset_names[asset]);
        first = false;
    }
    return config_set_from(config, text, scenario->path, error);
}

/* For every venue: then the million, which is each venue's own setting, would win over it. */
static bool sets_balances(const struct scenario_settings *settings)
{
    static const char setting[] = " sim.balances=";
    for (const char *line = settings->text; line && *line; line += *line == '\n') {
        const char *assignment = line + strspn(line, "0123456789");
        if (strncmp(assignment, setting, sizeof setting - 1) == 0)
            return true;
        line += strcspn(line, "\n");
    }
    return false;
}

static int set_lines(const struct scenario *scenario, const struct scenario_settings *settings,
                     struct config *config, struct error *error)
{
    const char *line = settings->text ? settings->text : "";
    while (*line) {
        char text[1024], origin[1024];
        char *assignment;
        unsigned long number = strtoul(line, &assignment, 10);
        assignment++; /* the blank */
        size_t length = strcspn(assignment, "\n");
        snprintf(origin, sizeof origin, "%s:%lu", scenario->path, number);
        if (length >= sizeof text)
            return error_set(error, ERROR_INPUT, "%s: a setting of at most %zu bytes was expected",
                             origin, sizeof text - 1);
        memcpy(text, assignment, length);
        text[length] = '\0';
        if (config_set_from(config, text, origin, error))
            return error->code;
        line = assignment + length + 1;
    }
    return 0;
}

int scenario_configure(const struct scenario *scenario, const char *defaults, bool restarted,
                       struct config **config, struct error *error)
{
    int code = config_create(config, error);
    if (!code && defaults)
        code = config_read_file(*config, defaults, error);
    const bool funded = sets_balances(&scenario->config);
    for (unsigned venue = 0; !code && !funded && venue < scenario->venue_count; venue++)
        code = set_balances(scenario, venue, *config, error);
    if (!code)
        code = set_lines(scenario, &scenario->config, *config, error);
    if (!code && restarted)
        code = set_lines(scenario, &scenario->restart_config, *config, error);
    return code;
}
