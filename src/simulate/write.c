/* Writes courses: what is left of a failing one as a scenario, a whole one as a tape with its settings. */
#include "simulate/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "config.h"
#include "config/config.h"
#include "tape/tape.h"

enum { LINE_MAX_BYTES = 16384 };

/* --- the head of a scenario -------------------------------------------------------------------------- */

static void write_venue(FILE *file, const struct course *course, unsigned index)
{
    const struct event_definition *d = &course->definitions[index];
    char tick[DECIMAL_TEXT_MAX], lot[DECIMAL_TEXT_MAX], maker[DECIMAL_TEXT_MAX],
        taker[DECIMAL_TEXT_MAX], least[MONEY_TEXT_MAX];
    decimal_to_text(d->tick, d->price_exponent, tick);
    decimal_to_text(d->lot, d->quantity_exponent, lot);
    decimal_to_text(d->maker_fee, -9, maker);
    decimal_to_text(d->taker_fee, -9, taker);
    money_to_text(d->minimum_notional, least);
    fprintf(file,
            "venue %s %s kind=%s tick=%s lot=%s multiplier=%" PRId64
            " minimum_notional=%s maker_fee=%s taker_fee=%s\n",
            course->venues[d->venue], course->symbols[index],
            event_enum_text(FIELD_CONTRACT, d->contract), tick, lot, d->multiplier, least, maker,
            taker);
}

/* name=value, the value in quotes where it has blanks; nothing for one that shrinking left out. */
static void write_setting(FILE *file, const char *setting)
{
    if (setting[0] == '\0')
        return; /* it was left out */
    const char *value = strchr(setting, '=') + 1;
    const char *quote = strchr(value, ' ') || *value == '\0' ? "\"" : "";
    fprintf(file, "config %.*s%s%s%s\n", (int)(value - setting), setting, quote, value, quote);
}

static void write_head(FILE *file, const struct course *course, uint64_t seed,
                       const struct simulate_failure *failure)
{
    fprintf(file, "scenario \"seed %" PRIu64 ": %s\"\n", seed, failure->what);
    fprintf(file, "-- Written by capstan simulate, which found that it breaks invariant %u.\n",
            failure->invariant);
    fprintf(file, "defaults none\n");
    for (size_t i = 0; i < course->setting_count; i++)
        write_setting(file, course->settings[i]);
    for (unsigned i = 0; i < course->names.instrument_count; i++)
        write_venue(file, course, i);
    fprintf(file, "silent\n");
}

/* --- its events ---------------------------------------------------------------------------------------- */

static void write_number(FILE *file, int64_t units, unsigned status, int exponent)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_to_text(units, exponent, text);
    if (status == NUMBER_NAN)
        fputs("NaN", file);
    else if (status == NUMBER_INFINITE)
        fputs("inf", file);
    else if (status == NUMBER_OFF_GRID)
        fputs("0.000000000001", file);
    else
        fputs(text, file);
}

static void write_rows(FILE *file, const struct course *course, const struct message *message)
{
    unsigned index = EVENT_STREAM_INSTRUMENT(message->stream);
    const struct event_definition *d = &course->definitions[index];
    bool trade = message->kind == EVENT_trade;
    fprintf(file, "%s:%s %s", course->venues[d->venue], course->symbols[index],
            trade                             ? "trade"
            : message->kind == EVENT_top      ? "top"
            : message->kind == EVENT_snapshot ? "book snapshot"
                                              : "book");
    for (uint32_t i = 0; i < message->row_count; i++) {
        const struct row *row = &message->rows[i];
        bool sell = row->flags & ROW_SELL;
        if (i == 0 || sell != (bool)(message->rows[i - 1].flags & ROW_SELL))
            fprintf(file, trade ? sell ? " sell" : " buy" : sell ? " ask" : " bid");
        fputc(' ', file);
        write_number(file, row->price, row->price_status, d->price_exponent);
        fputc('*', file);
        write_number(file, row->quantity, row->quantity_status, d->quantity_exponent);
    }
    char stamp[TIME_TEXT_MAX];
    duration_to_text(message->ts_venue - COURSE_START_NS, stamp);
    fprintf(file, " stamped %s sequence %" PRIu64 "\n", stamp, message->sequence);
}

static int write_record(FILE *file, const struct course *course, const struct message *message,
                        struct error *error)
{
    char text[LINE_MAX_BYTES];
    size_t length = message_to_text(message, &course->names, text, sizeof text);
    if (length >= sizeof text)
        return error_set(error, ERROR_INPUT, "a message's text is too long for a scenario");
    fprintf(file, "record %s\n", strchr(text, ' ') + 1); /* without its time */
    return 0;
}

static int write_events(FILE *file, const struct simulation *simulation, size_t *left,
                        struct error *error)
{
    const struct inputs *inputs = &simulation->inputs;
    *left = 0;
    for (size_t i = 0; i < inputs->count; i++) {
        struct message message = inputs->items[i].message;
        char at[TIME_TEXT_MAX];
        if (inputs->items[i].left_out)
            continue;
        ++*left;
        duration_to_text(message.ts_local - COURSE_START_NS, at);
        fprintf(file, "at %s ", at);
        if (message.record)
            message.record = &inputs->items[i].record;
        if (message.kind == EVENT_start)
            fputs("restart\n", file); /* its epoch is one more than the last */
        else if (message.rows)
            write_rows(file, &simulation->course, &message);
        else if (write_record(file, &simulation->course, &message, error))
            return error->code;
    }
    return 0;
}

int scenario_write(const struct simulation *simulation, uint64_t seed, const char *path,
                   const struct simulate_failure *failure, size_t *left, struct error *error)
{
    char end[TIME_TEXT_MAX];
    FILE *file = fopen(path, "w");
    if (!file)
        return error_set(error, ERROR_INPUT, "%s: %s", path, strerror(errno));
    write_head(file, &simulation->course, seed, failure);
    int code = write_events(file, simulation, left, error);
    duration_to_text(failure->ts - COURSE_START_NS, end);
    fprintf(file, "end %s\n", end);
    bool failed = ferror(file) != 0;
    failed |= fclose(file) != 0;
    if (failed && !code)
        code = error_set(error, ERROR_SYSTEM, "%s: not all of it could be written", path);
    return code;
}

/* --- a course as a tape --------------------------------------------------------------------------------- */

/* The market without the operator and the shutdown: what a replay is given. */
static int write_tape(const struct course *course, const char *path, struct error *error)
{
    const struct tape_header header = {.version = TAPE_VERSION,
                                       .origin = TAPE_MADE,
                                       .grade = TAPE_GRADE_A,
                                       .tool_version = PACKAGE_VERSION,
                                       .build_id = "",
                                       .grade_reasons = "",
                                       .config = "",
                                       .names = course->names};
    struct tape_writer *writer = NULL;
    int code = tape_writer_open(&writer, path, &header, NULL, error);
    if (code)
        return code;
    for (size_t i = 0; !code && i < course->count; i++)
        if (course->messages[i].kind < EVENT_start)
            code = tape_writer_append(writer, &course->messages[i], error);
    if (code) {
        tape_writer_abandon(&writer);
        return code;
    }
    return tape_writer_finish(&writer, error);
}

static int write_config(const struct course *course, const char *path, struct error *error)
{
    struct config *config = NULL;
    char *text = NULL;
    int code = run_config(course, &config, error);
    if (!code)
        code = config_to_text(config, &text, error);
    config_free(&config);
    if (code)
        return code;
    FILE *file = fopen(path, "w");
    bool failed = !file || fputs(text, file) == EOF;
    failed |= file && fclose(file) != 0;
    free(text);
    return failed ? error_set(error, file ? ERROR_SYSTEM : ERROR_INPUT, "%s: %s", path,
                              strerror(errno))
                  : 0;
}

int simulate_write(struct simulation *simulation, uint64_t seed, const char *tape,
                   const char *config, struct error *error)
{
    course_draw(&simulation->course, seed, simulation->options.events);
    int code = write_tape(&simulation->course, tape, error);
    return code ? code : write_config(&simulation->course, config, error);
}
