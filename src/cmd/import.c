/* capstan import: files of other formats to a tape, with a report and a grade. */
#include "config.h"

#include "import/import.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/build_id.h"
#include "base/time.h"
#include "cmd/cmd.h"

static void json_counts(cJSON *object, const struct import_counts *counts)
{
#define X(name, meaning) cmd_json_count(object, #name, counts->name);
    IMPORT_COUNTS(X)
#undef X
}

static void json_clock(cJSON *root, const struct clock_correction *clock)
{
    cJSON *array = cmd_json_array(root, "clock_windows");
    cmd_json_integer(root, "feed_floor_ns", clock->floor_ns);
    for (size_t i = 0; i < clock->count; i++) {
        const struct clock_window *window = &clock->windows[i];
        cJSON *object = cJSON_CreateObject();
        cmd_json_time(object, "start", window->start_ns);
        cmd_json_integer(object, "minimum_ns", window->minimum_ns);
        cmd_json_integer(object, "correction_ns", window->correction_ns);
        cmd_json_count(object, "joined", window->joined);
        cJSON_AddItemToArray(array, object);
    }
}

static void json_instruments(cJSON *root, const struct import_report *report)
{
    cJSON *all = cmd_json_object(root, "instruments");
    for (size_t i = 0; i < report->instrument_count; i++) {
        const struct import_instrument *instrument = &report->instruments[i];
        const struct event_definition *definition = &instrument->definition;
        cJSON *object = cmd_json_object(all, instrument->name);
        cmd_json_decimal(object, "tick", definition->tick, definition->price_exponent);
        cmd_json_decimal(object, "lot", definition->lot, definition->quantity_exponent);
        cmd_json_text(object, "grid",
                      event_enum_text(FIELD_BASIS, (unsigned)definition->grid_basis));
        json_counts(object, &instrument->counts);
    }
}

static void json_grade(cJSON *root, const struct import_report *report)
{
    cmd_json_text(root, "grade", tape_grade_letter(report->grade));
    cmd_json_lines(cmd_json_array(root, "grade_reasons"), report->reasons);
}

static int print_json(const struct import_report *report, const char *output, struct error *error)
{
    cJSON *root = cJSON_CreateObject();
    struct import_counts total = import_report_total(report);
    cmd_json_text(root, "tape", output);
    json_grade(root, report);
    cmd_json_count(root, "files", report->files);
    cmd_json_count(root, "files_given_twice", report->files_twice);
    cmd_json_count(root, "lines", report->lines);
    cmd_json_count(root, "blank_lines", report->blank_lines);
    cmd_json_count(root, "messages", report->messages);
    cmd_json_count(root, "rows", report->rows);
    if (report->messages > 0) {
        cmd_json_time(root, "first", report->first_ts);
        cmd_json_time(root, "last", report->last_ts);
    }
    json_counts(cmd_json_object(root, "total"), &total);
    json_instruments(root, report);
    json_clock(root, &report->clock);
    cmd_json_count(root, "receive_time_back", report->receive_time_back);
    cmd_json_count(root, "times_held_back", report->held_back);
    cJSON *other = cmd_json_object(root, "other_frames");
    for (size_t i = 0; i < report->other_count; i++)
        cmd_json_count(other, report->other[i].name, report->other[i].frames);
    return cmd_json_print(root, true, stdout, error);
}

static void print_counts(const struct import_counts *counts)
{
#define X(name, meaning)                                                                           \
    if (counts->name > 0)                                                                          \
        printf("  %12" PRIu64 "  %s\n", counts->name, meaning);
    IMPORT_COUNTS(X)
#undef X
}

/* At most this many windows are listed one by one; --json has them all. */
enum { WINDOWS_LISTED = 12 };

static void print_clock(const struct clock_correction *clock)
{
    char start[TIME_TEXT_MAX], correction[TIME_TEXT_MAX];
    printf("clock correction by window of 600 s\n");
    for (size_t i = 0; i < clock->count; i++) {
        if (i == WINDOWS_LISTED) {
            printf("  and %zu windows more (--json lists them)\n", clock->count - i);
            break;
        }
        time_to_text(clock->windows[i].start_ns, start);
        duration_to_text(clock->windows[i].correction_ns, correction);
        printf("  %s  %s%s\n", start, correction,
               clock->windows[i].joined > 0 ? "  (with short windows beside it)" : "");
    }
}

static void print_text(const struct import_report *report, const char *output)
{
    char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    time_to_text(report->first_ts, first);
    time_to_text(report->last_ts, last);
    printf("%s: %" PRIu64 " messages, %" PRIu64 " rows, %s to %s\n", output, report->messages,
           report->rows, first, last);
    for (size_t i = 0; i < report->instrument_count; i++) {
        const struct import_instrument *instrument = &report->instruments[i];
        const struct event_definition *definition = &instrument->definition;
        char tick[DECIMAL_TEXT_MAX], lot[DECIMAL_TEXT_MAX];
        decimal_to_text(definition->tick, definition->price_exponent, tick);
        decimal_to_text(definition->lot, definition->quantity_exponent, lot);
        printf("%s  tick %s, lot %s (%s)\n", instrument->name, tick, lot,
               event_enum_text(FIELD_BASIS, (unsigned)definition->grid_basis));
        print_counts(&instrument->counts);
    }
    struct import_counts total = import_report_total(report);
    printf("all instruments, %" PRIu64 " files\n", report->files);
    print_counts(&total);
    for (size_t i = 0; i < report->other_count; i++)
        printf("  %12" PRIu64 "  frames of kind %s, left out\n", report->other[i].frames,
               report->other[i].name);
    print_clock(&report->clock);
    printf("grade %s: %s\n", tape_grade_letter(report->grade), tape_grade_meaning(report->grade));
    cmd_print_lines(report->reasons, "  ", stdout);
}

static void show_progress(void *context, uint64_t messages, uint64_t done, uint64_t total)
{
    cmd_progress_show(context, messages, done, total);
}

static int import_files(struct import_options *options, bool json, const char *name)
{
    struct import_report report;
    struct cmd_progress progress;
    struct error error = {0};
    options->tool_version = PACKAGE_VERSION;
    char build_id[BUILD_ID_TEXT_MAX];
    build_id_text(build_id);
    options->build_id = build_id;
    options->progress = show_progress;
    options->progress_context = &progress;
    int status =
        cmd_check_output("-o", options->output, options->files, options->file_count, &error);
    if (status == ERROR_NONE)
        status = cmd_check_output("-o", options->output, &options->instruments, 1, &error);
    if (status != ERROR_NONE)
        return cmd_fail(name, &error);
    cmd_progress_start(&progress, "import");
    status = import_binance(options, &report, &error);
    cmd_progress_end(&progress);
    if (status == ERROR_NONE) {
        if (json)
            status = print_json(&report, options->output, &error);
        else
            print_text(&report, options->output);
        import_report_free(&report);
    }
    return status == ERROR_NONE ? status : cmd_fail(name, &error);
}

static int import_binance_files(int argc, char **argv)
{
    struct import_options options = {.floor_ns = IMPORT_FLOOR_NS_DEFAULT};
    bool json = false;
    struct cmd_arguments arguments;
    const struct cmd_option table[] = {
        CMD_TEXT("output", 'o', "TAPE", "write this tape", &options.output),
        CMD_TEXT("instruments", 0, "FILE",
                 "terms of the instruments, as YAML; without it those built in",
                 &options.instruments),
        CMD_DURATION("floor", 0, "least delay from venue to receiver; 1ms", &options.floor_ns),
        CMD_FLAG("json", 0, "print the report as JSON", &json),
    };
    const struct cmd_usage usage = {
        .name = "import binance",
        .arguments = "FILE...",
        .opening =
            "Make a tape of captured Binance frames: files of lines `<receive time> <frame>`,\n"
            "gzip, zstd or plain, spot, USD-M and COIN-M, in any order. The receive time is\n"
            "in s, ms, us or ns, by its digits. Prints what was read, what became of it, and\n"
            "a grade: A clean, B harmless oddities, C times estimated or definitions\n"
            "inferred, D gaps or crossed intervals, F not fit for fills.\n",
        .closing =
            "Examples:\n"
            "  capstan import binance raw/*.gz -o day.tape\n"
            "  capstan import binance --instruments mine.yaml capture.txt -o day.tape --json\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
        .arguments_least = 1,
        .arguments_most = CMD_ARGUMENTS_ANY,
    };
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    if (options.output == NULL)
        return cmd_fail_with(usage.name, ERROR_INPUT, "expected -o TAPE");
    if (options.floor_ns < 0 || options.floor_ns > NS_PER_SECOND)
        return cmd_fail_with(usage.name, ERROR_INPUT, "--floor: expected a time from 0 to 1s");
    options.files = (const char *const *)arguments.items;
    options.file_count = (size_t)arguments.count;
    return import_files(&options, json, usage.name);
}

int cmd_import(int argc, char **argv)
{
    static const struct cmd_entry entries[] = {
        {"binance", import_binance_files, "captured websocket frames of Binance"},
    };
    static const struct cmd_group group = {
        .name = "capstan import",
        .opening = "Make a tape of files of another format.\n",
        .closing = "Example: capstan import binance raw/*.gz -o day.tape\n",
        .entries = entries,
        .entry_count = sizeof entries / sizeof entries[0],
    };
    return cmd_dispatch(&group, argc, argv);
}
