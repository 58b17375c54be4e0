/* capstan live, paper, record: a session on real venues. */
#include "config.h"

#include "cmd/cmd.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "clock/clock.h"
#include "live/session.h"
#include "tape/tape.h"

/* What the three command lines ask for. */
struct live_request {
    struct cmd_config_options config;
    struct cmd_log_options log;
    const char *tape, *raw, *database;
    int64_t run_for;
    bool json, stands_by;
};

static void print_text(const struct live_request *request, enum session_mode mode,
                       const struct session_result *result)
{
    printf("tape        %s\n", request->tape);
    printf("messages    %llu, events %llu\n", (unsigned long long)result->messages,
           (unsigned long long)result->events);
    if (mode == SESSION_RECORD)
        return;
    printf("session     %llu\n", (unsigned long long)result->epoch);
    printf("decisions   %llu, fills %llu, orders not known to have ended %llu\n",
           (unsigned long long)result->decisions, (unsigned long long)result->fills,
           (unsigned long long)result->open_orders);
    printf("invariants  %llu violated\n", (unsigned long long)result->violations);
}

static int print_json(const struct live_request *request, const struct session_result *result,
                      struct error *error)
{
    cJSON *root = cJSON_CreateObject();
    cmd_json_text(root, "tape", request->tape);
    cmd_json_count(root, "messages", result->messages);
    cmd_json_count(root, "events", result->events);
    cmd_json_count(root, "epoch", result->epoch);
    cmd_json_count(root, "decisions", result->decisions);
    cmd_json_count(root, "fills", result->fills);
    cmd_json_count(root, "open_orders", result->open_orders);
    cmd_json_count(root, "invariant_violations", result->violations);
    cmd_json_flag(root, "forced", result->forced);
    return cmd_json_print(root, true, stdout, error);
}

/* Before any venue is asked: what the session would find itself, but for a tape that a death cut. */
static int check_new(const char *tape, struct error *error)
{
    struct tape_reader *reader = NULL;
    struct error ignored;
    bool has = access(tape, F_OK) == 0 && tape_reader_open(&reader, tape, &ignored) == 0 &&
               tape_reader_block_count(reader) > 0;
    tape_reader_close(&reader);
    if (!has)
        return 0;
    return error_set(error, ERROR_INPUT,
                     "%s: has a session already, and the simulated venue of a paper session can't "
                     "go on where it ended; begin a new tape",
                     tape);
}

static int check_files(const struct live_request *request, enum session_mode mode,
                       struct error *error)
{
    const struct cmd_output outputs[] = {{"--tape", request->tape},
                                         {"--db", request->database},
                                         {"--log", request->log.file},
                                         {"--raw", request->raw}};
    const size_t count = sizeof outputs / sizeof outputs[0];
    if (mode == SESSION_PAPER && check_new(request->tape, error))
        return error->code;
    for (size_t i = 0; i < count; i++)
        if (cmd_check_config_output(outputs[i].option, outputs[i].path, &request->config, NULL,
                                    error))
            return error->code;
    return cmd_check_outputs_differ(outputs, count, error);
}

static void warn(void *context, const char *line)
{
    struct session_clock clock;
    session_clock_start(&clock, 0);
    log_write((const struct log *)context, LOG_WARN, "capstan.settings", clock_now(&clock.clock),
              line, NULL, 0);
}

static int run(const struct live_request *request, enum session_mode mode, struct error *error)
{
    struct config *config = NULL;
    struct log log = {0};
    struct session_result result = {0};
    int code = check_files(request, mode, error);
    if (!code)
        code = cmd_open_log(&request->log, &log, error);
    if (!code)
        code = cmd_load_config(&request->config, &config, error);
    if (!code && mode != SESSION_RECORD) /* which uses none of what is compared */
        code = config_check(config, &(struct config_warner){warn, &log}, error);
    if (!code) {
        const struct session_options options = {.mode = mode,
                                                .config = config,
                                                .tape = request->tape,
                                                .database = request->database,
                                                .raw = request->raw,
                                                .log = &log,
                                                .stands_by = request->stands_by,
                                                .run_for_ns = request->run_for};
        code = session_run(&options, &result, error);
    }
    config_free(&config);
    cmd_close_log(&log);
    if (code)
        return code;
    if (request->json)
        code = print_json(request, &result, error);
    else
        print_text(request, mode, &result);
    return code ? code : result.violations > 0 ? ERROR_DIFFERENT : ERROR_NONE;
}

/* What --tape says of a tape that is there. */
static const char *tape_line(enum session_mode mode)
{
    return mode == SESSION_LIVE    ? "the session's tape; an existing one is gone on with"
           : mode == SESSION_PAPER ? "the session's tape; a new one for each session"
                                   : "the market's tape; an existing one is gone on with";
}

static int command(const char *name, enum session_mode mode, const char *opening,
                   const char *closing, int argc, char **argv)
{
    /* The last are not of every mode: no engine runs in record, no account is traded in paper. */
    static const size_t left_out[] = {
        [SESSION_LIVE] = 0, [SESSION_PAPER] = 1, [SESSION_RECORD] = 2};
    struct live_request request = {.run_for = TIME_NEVER};
    const struct cmd_option options[] = {
        CMD_CONFIG_OPTIONS(&request.config),
        CMD_LOG_OPTIONS(&request.log),
        CMD_TEXT("tape", 0, "FILE", tape_line(mode), &request.tape),
        CMD_TEXT("raw", 0, "FILE",
                 "append the venues' frames and answers, as they come, to this file", &request.raw),
        CMD_DURATION("for", 0, "end by itself after this long, as by SIGTERM", &request.run_for),
        CMD_FLAG("json", 0, "print the result as one JSON object", &request.json),
        CMD_TEXT("db", 0, "FILE",
                 "keep a SQLite database of orders, fills and profit (docs/store.md)",
                 &request.database),
        CMD_FLAG("stand-by", 0, "wait while another session trades this account",
                 &request.stands_by),
    };
    const struct cmd_usage usage = {.name = name,
                                    .arguments = "",
                                    .opening = opening,
                                    .closing = closing,
                                    .options = options,
                                    .option_count =
                                        sizeof options / sizeof options[0] - left_out[mode]};
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status == CMD_CONTINUE) {
        struct error error = {0};
        status = request.tape
                     ? run(&request, mode, &error)
                     : error_set(&error, ERROR_INPUT,
                                 "--tape=FILE is missing: without a tape there is no session");
        if (error.code != ERROR_NONE)
            cmd_fail(name, &error);
    }
    cmd_config_options_free(&request.config);
    return status;
}

#define EXIT_TEXT                                                                                  \
    "Exit status: 0 ended in order, 1 an invariant was violated, 2 bad settings, credentials or\n" \
    "tape, 3 a venue can't be reached, the tape can't be written, or the shutdown was forced.\n"

int cmd_live(int argc, char **argv)
{
    return command(
        "live", SESSION_LIVE,
        "Trade on the venues of live.instruments. SIGTERM and SIGINT begin a shutdown that\n"
        "cancels every order; a second one ends it by force. Log lines are filtered by\n"
        "CAPSTAN_LOG (default " LOG_FILTER_DEFAULT ").\n"
        "Of sessions whose tapes are in one folder, one trades under a name (live.session) at\n"
        "a venue; another is refused, or stands by.\n",
        EXIT_TEXT "\n"
                  "Example, without keys or network (capstan exchange --help):\n"
                  "  capstan exchange --dir venue --background >exchange.pid\n"
                  "  capstan live -c venue/live.yaml --tape session.tape --for 1m\n"
                  "  capstan verify session.tape\n"
                  "  kill $(cat exchange.pid)\n",
        argc, argv);
}

int cmd_paper(int argc, char **argv)
{
    return command(
        "paper", SESSION_PAPER,
        "Run the engine on the venues' live market data; its orders meet the simulated venue,\n"
        "and no order is sent to any venue. Credentials are read only for venues that tell prices\n"
        "to accounts alone (OANDA). The simulated venue of a session can't go on where it\n"
        "ended, so that each session has a tape of its own.\n",
        EXIT_TEXT, argc, argv);
}

int cmd_record(int argc, char **argv)
{
    return command("record", SESSION_RECORD,
                   "Write the venues' live market data to a tape, for replay. No engine runs.\n",
                   "Exit status: 0 ended in order, 2 bad settings, credentials or tape, 3 a venue\n"
                   "can't be reached, or the tape can't be written.\n",
                   argc, argv);
}
