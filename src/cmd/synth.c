/* capstan synth: a made market to a tape. */
#include "config.h"

#include "cmd/cmd.h"

#include <inttypes.h>

#include "base/time.h"
#include "synth/synth.h"
#include "tape/tape.h"

/* What the command line gives. The counts are int64 because options are. */
struct synth_command {
    const char *path;
    int64_t seed, events, instruments, block_events;
    bool json;
    struct synth_options options;
};

struct synth_progress {
    struct cmd_progress line;
    uint64_t events;
};

static void show_progress(void *context, uint64_t events)
{
    struct synth_progress *progress = context;
    cmd_progress_show(&progress->line, events, events, progress->events);
}

static int print_result(const struct synth_command *command, const struct synth_result *result,
                        struct error *error)
{
    if (command->json) {
        cJSON *root = cJSON_CreateObject();
        cmd_json_text(root, "tape", command->path);
        cmd_json_count(root, "seed", command->options.seed);
        cmd_json_count(root, "instruments", command->options.instruments);
        cmd_json_count(root, "messages", result->messages);
        cmd_json_count(root, "events", result->events);
        cmd_json_time(root, "first", result->first_ts);
        cmd_json_time(root, "last", result->last_ts);
        return cmd_json_print(root, false, stdout, error);
    }
    char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
    time_to_text(result->first_ts, first);
    time_to_text(result->last_ts, last);
    printf("%s: %" PRIu64 " events in %" PRIu64 " messages, %u instruments, seed %" PRIu64 "\n",
           command->path, result->events, result->messages, command->options.instruments,
           command->options.seed);
    printf("from %s to %s\n", first, last);
    return ERROR_NONE;
}

static int make_tape(const struct synth_command *command, struct synth_result *result,
                     struct error *error)
{
    struct synth *synth = NULL;
    struct tape_writer *writer = NULL;
    struct tape_header header;
    int status = synth_create(&synth, &command->options, error);
    if (status != ERROR_NONE)
        return status;
    /* No build id: a seed's tape is the same whoever makes it. */
    synth_header(synth, PACKAGE_VERSION, "", &header);
    struct tape_writer_options writing = {.block_events = (unsigned)command->block_events};
    status = tape_writer_open(&writer, command->path, &header, &writing, error);
    if (status == ERROR_NONE) {
        struct synth_progress progress = {.events = (uint64_t)command->events};
        cmd_progress_start(&progress.line, "synth");
        status = synth_write(synth, (uint64_t)command->events, &writer, show_progress, &progress,
                             result, error);
        cmd_progress_end(&progress.line);
    }
    synth_free(&synth);
    return status;
}

int cmd_synth(int argc, char **argv)
{
    struct synth_command command = {.seed = 1, .events = 1000000, .options = synth_defaults};
    struct synth_options *options = &command.options;
    command.instruments = options->instruments;
    const struct cmd_option table[] = {
        CMD_TEXT("output", 'o', "TAPE", "the tape to write", &command.path),
        CMD_COUNT("seed", 0, 0, INT64_MAX, "seed of all chance (default 1)", &command.seed),
        CMD_COUNT("events", 0, 1, INT64_MAX, "events to make at least (default 1000000)",
                  &command.events),
        CMD_COUNT("instruments", 0, 1, SYNTH_INSTRUMENTS_MAX, "instruments (default 3)",
                  &command.instruments),
        CMD_FLAG("live", 0,
                 "instruments of binance_us, coinbase and oanda, as capstan exchange plays",
                 &options->live),
        CMD_TIME("start", 0, "first moment (default 2024-01-01T00:00:00Z)", &options->start_ns),
        CMD_COUNT("rate", 0, 1, SYNTH_RATE_MAX, "order events a second and instrument (default 50)",
                  &options->rate),
        CMD_DURATION("depth-interval", 0, "between two depth messages (default 100ms)",
                     &options->depth_interval_ns),
        CMD_DURATION("snapshot-interval", 0, "between two snapshots (default 0: one, at the start)",
                     &options->snapshot_interval_ns),
        CMD_COUNT("block-events", 0, TAPE_BLOCK_EVENTS_MIN, TAPE_BLOCK_EVENTS_MAX,
                  "events in a block of the tape (default 16384)", &command.block_events),
        CMD_FLAG("json", 0, "print what was made as JSON", &command.json),
    };
    const struct cmd_usage usage = {
        .name = "synth",
        .arguments = "-o TAPE",
        .opening = "Make a market from a seed: books, trades and best prices of instruments that\n"
                   "never were, the same on every machine. docs/synth.md has the model.\n",
        .closing =
            "Example:\n  capstan synth --seed 7 --events 1000000 --instruments 6 -o m.tape\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
    };
    struct cmd_arguments arguments;
    struct error error = {0};
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    if (!command.path)
        return cmd_fail_with(usage.name, ERROR_INPUT, "expected -o TAPE, the tape to write");
    options->seed = (uint64_t)command.seed;
    options->instruments = options->live ? SYNTH_LIVE_INSTRUMENTS : (unsigned)command.instruments;
    struct synth_result result;
    status = make_tape(&command, &result, &error);
    if (status == ERROR_NONE)
        status = print_result(&command, &result, &error);
    return status == ERROR_NONE ? status : cmd_fail(usage.name, &error);
}
