/* capstan replay: a tape's market data past the engine, its orders to the simulated venue. */
#include "config.h"

#include "cmd/cmd.h"

#include <string.h>

#include "base/build_id.h"
#include "clock/clock.h"
#include "cmd/replay_result.h"
#include "cmd/replay_serve.h"
#include "cmd/run_database.h"
#include "cmd/tape.h"
#include "run/backtest.h"
#include "run/journal.h"
#include "run/tape_sink.h"
#include "run/why.h"

static const char name[] = "replay";

/* What the command line asks for. */
struct replay_request {
    struct cmd_config_options config;
    const char *tape, *tape_out, *journal, *database, *why;
    int64_t from, to;
    const char *speed;
    bool json, audit, serve;
};

/* Reads the clock when the engine starts: with --from much of a run may be before. */
struct start_watch {
    struct sink sink; /* first: the loop holds a pointer to it */
    int64_t at;       /* of the monotonic clock; 0 before */
};

static int watch_start(struct sink *sink, const struct message *message, struct error *error)
{
    (void)error;
    if (message->kind == EVENT_start)
        ((struct start_watch *)sink)->at = clock_now(&clock_monotonic);
    return 0;
}

/* What this run writes beside its result, and where it stands. */
struct replay_run {
    struct backtest backtest;
    struct tape_sink *tape;
    struct run_database database;
    char build_id[BUILD_ID_TEXT_MAX];
    struct journal *journal;
    struct why *why;
    struct cmd_progress progress;
    struct replay_serve *serve; /* NULL: it is not watched */
    struct start_watch start;
    int64_t first_ts, last_ts;
};

static void show_progress(void *context, int64_t ts_local, uint64_t messages)
{
    (void)messages;
    struct replay_run *run = context;
    int64_t done = ts_local > run->first_ts ? ts_local - run->first_ts : 0;
    cmd_progress_show(&run->progress, run->backtest.loop.events, (uint64_t)done,
                      (uint64_t)(run->last_ts - run->first_ts));
}

static int open_tape(struct replay_run *run, const char *path, struct error *error)
{
    const struct backtest *backtest = &run->backtest;
    struct tape_header header = *backtest->header;
    header.origin = TAPE_REPLAYED;
    header.tool_version = PACKAGE_VERSION;
    header.build_id = run->build_id;
    header.config = backtest->engine.config_text;
    header.seed = (uint64_t)backtest->engine.resolved.global.seed;
    const struct tape_writer_options options = {0};
    return tape_sink_open(&run->tape, path, &header, &options, backtest->engine.engine, error);
}

static int open_outputs(struct replay_run *run, const struct replay_request *request,
                        struct error *error)
{
    struct backtest *backtest = &run->backtest;
    if (request->tape_out) {
        if (open_tape(run, request->tape_out, error))
            return error->code;
        backtest_add_sink(backtest, tape_sink_sink(run->tape));
    }
    if (request->database) {
        if (run_database_open(&run->database, request->tape, &backtest->engine, error))
            return error->code;
        backtest_add_sink(backtest, spool_sink(run->database.spool));
    }
    if (request->journal) {
        if (journal_open(&run->journal, request->journal, &backtest->header->names, error))
            return error->code;
        backtest_add_sink(backtest, journal_sink(run->journal));
    }
    if (request->why) {
        order_id order;
        if (!why_order(request->why, &order))
            return error_set(error, ERROR_INPUT,
                             "--why: '%s' is no order; expected #12, or after a restart #1.12",
                             request->why);
        if (why_open(&run->why, order, &backtest->header->names, error))
            return error->code;
        backtest_add_sink(backtest, why_sink(run->why));
    }
    return 0;
}

/* The tape's time from one end of the run to the other, for the progress line. */
static void measure_tape(struct replay_run *run, const struct replay_request *request)
{
    const struct tape_reader *reader = run->backtest.reader;
    size_t count = tape_reader_block_count(reader);
    if (count == 0)
        return;
    run->first_ts = tape_reader_block_info(reader, 0)->first_ts;
    run->last_ts = tape_reader_block_info(reader, count - 1)->last_ts;
    if (request->from > run->first_ts)
        run->first_ts = request->from;
    if (request->to < run->last_ts)
        run->last_ts = request->to;
}

/* A replay of a session is another run than the session, with orders of its own. */
static int print_why(const struct replay_run *run, const char *tape, struct error *error)
{
    const struct backtest *backtest = &run->backtest;
    const bool of_session =
        backtest->header->origin == TAPE_RECORDED && backtest->feed->skipped > 0;
    if (why_print(run->why, stdout, error) && of_session) {
        char text[ERROR_TEXT_MAX];
        snprintf(text, sizeof text, "%s", error->text);
        return error_set(error, error->code,
                         "%s; of the session's own orders 'capstan verify --why ORDER %s' tells",
                         text, tape);
    }
    if (error->code == 0 && of_session)
        fprintf(
            stderr,
            "capstan %s: %s: is of a session: this order is one of the replay, which is another "
            "run; of the session's own orders 'capstan verify --why ORDER %s' tells\n",
            name, tape, tape);
    return error->code;
}

static int run_and_print(struct replay_run *run, const struct replay_request *request,
                         struct error *error)
{
    struct backtest *backtest = &run->backtest;
    measure_tape(run, request);
    if (run->last_ts > run->first_ts && !run->serve) {
        backtest->loop.progress = show_progress;
        backtest->loop.progress_context = run;
    }
    run->start.sink = (struct sink){.message = watch_start};
    if (request->from != INT64_MIN)
        backtest_add_sink(backtest, &run->start.sink);
    cmd_progress_start(&run->progress, name);
    int64_t began = clock_now(&clock_monotonic);
    int code = backtest_run(backtest, error);
    if (code == ERROR_INPUT && !strstr(error->text, request->tape))
        error_prefix(error, "%s", request->tape);
    int64_t ended = clock_now(&clock_monotonic);
    int64_t started_ns = ended - (run->start.at ? run->start.at : began);
    cmd_progress_end(&run->progress);
    if (!code && run->tape)
        code = tape_sink_finish(&run->tape, error);
    if (!code)
        code = journal_close(&run->journal, error);
    struct run_grade grade = {0};
    if (!code)
        code = run_grade(backtest, &grade, error);
    if (!code && run->database.spool)
        code = run_database_write(&run->database, request->database, backtest->header,
                                  &backtest->engine, &backtest->loop, backtest->fingerprint, &grade,
                                  error);
    if (!code && run->why)
        code = print_why(run, request->tape, error);
    else if (!code)
        code = replay_result_print(backtest, &grade, ended - began, started_ns, request->json,
                                   stdout, error);
    run_grade_free(&grade);
    return code;
}

/* Of a tape that is cut before the end of its first block nothing can be told. */
static int check_not_empty(const struct tape_reader *reader, const char *path, struct error *error)
{
    if (tape_reader_block_count(reader) > 0 || tape_reader_is_finished(reader))
        return 0;
    return error_set(
        error, ERROR_INPUT,
        "%s: is cut or was never finished, and has no whole block of messages in front "
        "of that ('capstan tape check' tells more)",
        path);
}

static int check_outputs(const struct replay_request *request, struct error *error)
{
    const struct cmd_output outputs[] = {
        {"--tape", request->tape_out}, {"-o", request->database}, {"--journal", request->journal}};
    for (size_t i = 0; i < 3; i++)
        if (cmd_check_config_output(outputs[i].option, outputs[i].path, &request->config,
                                    request->tape, error))
            return error->code;
    return cmd_check_outputs_differ(outputs, 3, error);
}

static int replay(const struct replay_request *request, struct error *error)
{
    struct config *config = NULL;
    struct replay_run run = {0};
    build_id_text(run.build_id);
    int code = check_outputs(request, error);
    if (!code && request->speed && !request->serve)
        code = error_set(error, ERROR_INPUT,
                         "--speed: paces what is watched; expected --serve with it");
    if (!code && request->serve)
        code = replay_serve_open(&run.serve, request->speed ? request->speed : "1", error);
    if (!code)
        code = cmd_load_config(&request->config, &config, error);
    if (!code)
        code = cmd_check_config(name, config, error);
    const struct backtest_options options = {.tape = request->tape,
                                             .config = config,
                                             .from = request->from,
                                             .to = request->to,
                                             .audit_each_message = request->audit};
    if (!code)
        code = backtest_open(&run.backtest, &options, error);
    if (!code)
        code = check_not_empty(run.backtest.reader, request->tape, error);
    if (!code)
        code =
            tape_check_span(run.backtest.reader, request->tape, request->from, request->to, error);
    if (!code)
        code = open_outputs(&run, request, error);
    if (!code && request->serve)
        code = replay_serve_attach(run.serve, request->tape, &run.backtest, error);
    if (!code)
        code = run_and_print(&run, request, error);
    if (!code && run.serve)
        replay_serve_wait(run.serve);
    if (!code && !tape_reader_is_finished(run.backtest.reader))
        fprintf(
            stderr,
            "capstan %s: %s: was never finished: what stood after its last whole block is not in "
            "this result ('capstan tape check' tells more)\n",
            name, request->tape);
    bool violated = !code && engine_counters(run.backtest.engine.engine)->invariant_violations > 0;
    struct error ignored;
    replay_serve_close(&run.serve);
    tape_sink_abandon(&run.tape);
    run_database_close(&run.database);
    journal_close(&run.journal, &ignored);
    why_close(&run.why);
    backtest_close(&run.backtest);
    config_free(&config);
    return code ? code : violated ? ERROR_DIFFERENT : ERROR_NONE;
}

int cmd_replay(int argc, char **argv)
{
    struct replay_request request = {.from = INT64_MIN, .to = INT64_MAX};
    const struct cmd_option options[] = {
        CMD_CONFIG_OPTIONS(&request.config),
        CMD_TIME("from", 0, "start the engine here; books are built from what comes before",
                 &request.from),
        CMD_TIME("to", 0, "end with the last message at or before this time", &request.to),
        CMD_TEXT("tape", 0, "FILE", "write the whole session to this tape, for verify",
                 &request.tape_out),
        CMD_TEXT("output", 'o', "RUN.db", "write orders, fills, positions and profit to SQLite",
                 &request.database),
        CMD_TEXT("journal", 0, "FILE", "write decisions and order messages as text",
                 &request.journal),
        CMD_TEXT("why", 0, "ORDER",
                 "instead of the result: why this order (#12) was placed, and what became of it",
                 &request.why),
        CMD_FLAG("serve", 0, "watch and pace it on the dashboard, at ops.port of this machine",
                 &request.serve),
        CMD_TEXT("speed", 0, "N", "with --serve: times the tape's own, or max; 0 begins paused (1)",
                 &request.speed),
        CMD_FLAG("audit", 0, "check every invariant after every message (slow)", &request.audit),
        CMD_FLAG("json", 0, "print the result as one JSON object", &request.json),
    };
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "TAPE",
        .opening = "Run the engine over a tape's market data; orders meet the simulated venue.\n",
        .closing =
            "Exit status: 0 well, 1 an invariant was violated, 2 bad input.\n"
            "\n"
            "Example:\n"
            "  capstan replay day.tape --tape session.tape \\\n"
            "      --set instruments.binance_spot:BTCUSDT.quote.size=0.001 \\\n"
            "      --set instruments.binance_spot:BTCUSDT.risk.position_limit=0.01\n"
            "  capstan verify session.tape\n"
            "quote.size is 10lot where nothing else is said. Where a venue's lot is small that is\n"
            "worth less than its minimum: nothing is placed, and the result says so.\n"
            "risk.position_limit (100lot) has to rise with it. A plain number is in the base\n"
            "asset, or in contracts.\n"
            "A session made with --from holds the market before it too: to replay that session\n"
            "give --from again, or the engine trades from the session's first message on.\n"
            "With --serve the address stands on standard error; the result is the same, and the\n"
            "end is shown until SIGINT, SIGTERM or the page's Stop.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status == CMD_CONTINUE) {
        struct error error = {0};
        request.tape = arguments.items[0];
        status = replay(&request, &error);
        if (error.code != ERROR_NONE)
            cmd_fail(name, &error);
    }
    cmd_config_options_free(&request.config);
    return status;
}
