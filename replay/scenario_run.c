/* Runs a scenario: tape, loop, expectations, verification of its own tape, golden text. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "replay/golden.h"
#include "replay/restart_check.h"
#include "replay/scenario_expect.h"
#include "replay/scenario_tape.h"
#include "replay/scripted.h"
#include "replay/successor.h"
#include "run/backtest.h"
#include "run/tape_sink.h"
#include "run/verification.h"

enum { RESTARTS_MAX = 500 }; /* tried on one scenario's tape; most have fewer messages */

/* Everything of one run. */
struct scenario_session {
    struct sink sink; /* first: the checks, the text, the tape of the session */
    struct scenario *scenario;
    struct scenario_checks checks;
    struct config *config;
    struct backtest backtest;
    struct tape_sink *tape_sink; /* NULL: that session has ended */
    struct successor successor;
    FILE *text_stream;
    char *text;
    size_t text_length;
    uint32_t gates_off;
    char folder[256];
    char market_tape[300], session_tape[300];
};

static int on_text(struct scenario_session *session, const struct message *message,
                   struct error *error)
{
    char line[4096];
    struct message shown = *message;
    union event_record start = {{0}};
    if (message->kind == EVENT_start) {
        if (message->record->start.epoch == 0)
            return 0;
        /* Its hash is of all settings, and changes with each new one. */
        start.start.epoch = message->record->start.epoch;
        shown.record = &start;
    }
    size_t length = message_to_text(&shown, &session->scenario->names, line, sizeof line);
    if (length >= sizeof line)
        return error_set(error, ERROR_INPUT, "%s: a message's text is over %zu characters",
                         session->scenario->path, sizeof line);
    if (fwrite(line, 1, length, session->text_stream) != length ||
        fputc('\n', session->text_stream) == EOF)
        return error_set(error, ERROR_SYSTEM, "out of memory");
    return 0;
}

/* None was violated by the engine that lives. */
static int check_invariants(const struct scenario_session *session, struct error *error)
{
    const struct engine_counters *counters = engine_counters(session->backtest.loop.engine);
    for (unsigned number = 0; number < sizeof counters->violations_by_invariant /
                                           sizeof counters->violations_by_invariant[0];
         number++)
        if (counters->violations_by_invariant[number] > 0)
            return error_set(error, ERROR_DIFFERENT,
                             "%s: invariant %u is violated (%llu violations in all, first: %s)",
                             session->scenario->path, number,
                             (unsigned long long)counters->invariant_violations,
                             counters->violation);
    return 0;
}

/* Its last decisions stand on its tape, so that all of it can be verified; nobody acts on them. */
static int end_session(struct scenario_session *session, struct error *error)
{
    struct sink *tape = tape_sink_sink(session->tape_sink);
    struct engine *engine = session->backtest.loop.engine;
    if (tape->finishing(tape, engine, error))
        return error->code;
    struct actions last = engine_finish(engine);
    for (size_t i = 0; i < last.count; i++)
        if (tape->decision(tape, &last.messages[i], error))
            return error->code;
    return tape_sink_finish(&session->tape_sink, error);
}

static int take_over(struct scenario_session *session, struct error *error)
{
    if (end_session(session, error) || check_invariants(session, error))
        return error->code;
    session->successor.lives = true;
    session->backtest.loop.engine = session->successor.run.engine;
    return 0;
}

static int on_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct scenario_session *session = (struct scenario_session *)sink;
    if (scenario_checks_time(&session->checks, message->ts_local, session->backtest.loop.engine,
                             error) ||
        on_text(session, message, error))
        return error->code;
    if (successor_begins(&session->successor, message) && take_over(session, error))
        return error->code;
    successor_fold(&session->successor, message);
    struct sink *tape = session->tape_sink ? tape_sink_sink(session->tape_sink) : NULL;
    if (tape && tape->message(tape, message, error))
        return error->code;
    if (event_kind_info(message->kind)->event_class != EVENT_SESSION)
        return 0;
    return scenario_checks_message(&session->checks, message, error);
}

static int on_stepped(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct scenario_session *session = (struct scenario_session *)sink;
    struct sink *tape = session->tape_sink ? tape_sink_sink(session->tape_sink) : NULL;
    return tape ? tape->stepped(tape, engine, error) : 0;
}

static int on_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct scenario_session *session = (struct scenario_session *)sink;
    struct sink *tape = session->tape_sink ? tape_sink_sink(session->tape_sink) : NULL;
    successor_fold(&session->successor, decision);
    if (on_text(session, decision, error) || (tape && tape->decision(tape, decision, error)))
        return error->code;
    return scenario_checks_message(&session->checks, decision, error);
}

static int on_finishing(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct scenario_session *session = (struct scenario_session *)sink;
    struct sink *tape = session->tape_sink ? tape_sink_sink(session->tape_sink) : NULL;
    return tape ? tape->finishing(tape, engine, error) : 0;
}

static int make_folder(struct scenario_session *session, struct error *error)
{
    const char *parent = getenv("TMPDIR");
    int length = snprintf(session->folder, sizeof session->folder, "%s/capstan-scenario-XXXXXX",
                          parent && *parent ? parent : "/tmp");
    if (length >= (int)sizeof session->folder || !mkdtemp(session->folder)) {
        int code = error_set(error, ERROR_SYSTEM, "no temporary folder %s: %s", session->folder,
                             strerror(errno));
        session->folder[0] = '\0';
        return code;
    }
    snprintf(session->market_tape, sizeof session->market_tape, "%s/market.tape", session->folder);
    snprintf(session->session_tape, sizeof session->session_tape, "%s/session.tape",
             session->folder);
    return 0;
}

static int open_session_tape(struct scenario_session *session, struct error *error)
{
    struct tape_header header = *session->backtest.header;
    header.config = session->backtest.engine.config_text;
    return tape_sink_open(&session->tape_sink, session->session_tape, &header, NULL,
                          session->backtest.engine.engine, error);
}

static int open_backtest(struct scenario_session *session, struct error *error)
{
    struct backtest *backtest = &session->backtest;
    const struct backtest_options options = {.tape = session->market_tape,
                                             .config = session->config,
                                             .from = INT64_MIN,
                                             .to = INT64_MAX,
                                             .scripted = true,
                                             .gates_off = session->gates_off,
                                             .audit_each_message = true};
    if (backtest_open(backtest, &options, error) ||
        scripted_open(&backtest->venue, backtest->venue, session->scenario, error))
        return error->code;
    backtest->loop.venue = backtest->venue;
    session->sink = (struct sink){.market = true,
                                  .message = on_message,
                                  .stepped = on_stepped,
                                  .decision = on_decision,
                                  .finishing = on_finishing};
    session->checks.scenario = session->scenario;
    session->text_stream = open_memstream(&session->text, &session->text_length);
    if (!session->text_stream)
        return error_set(error, ERROR_SYSTEM, "out of memory");
    if (open_session_tape(session, error))
        return error->code;
    backtest_add_sink(backtest, &session->sink);
    return 0;
}

static int check_end(struct scenario_session *session, struct error *error)
{
    if (scenario_checks_end(&session->checks, session->backtest.loop.engine, error))
        return error->code;
    size_t in_flight = scripted_in_flight(session->backtest.venue);
    if (in_flight)
        return error_set(error, ERROR_DIFFERENT,
                         "%s: %zu canned answers are due after the end of the run",
                         session->scenario->path, in_flight);
    return check_invariants(session, error);
}

/* The run ended because a table of the engine was full, and the scenario says that one is. Which, its
 * expectation asks. */
static bool is_full_as_said(const struct scenario_session *session, const struct error *error)
{
    uint64_t needed;
    const char *setting = engine_full_setting(session->backtest.loop.engine, &needed);
    return error->code == ERROR_INPUT && session->scenario->full && setting != NULL &&
           strncmp(error->text, setting, strlen(setting)) == 0;
}

static int run_loop(struct scenario_session *session, struct error *error)
{
    const char *path = session->scenario->path;
    int code = backtest_run(&session->backtest, error);
    if (code && is_full_as_said(session, error))
        code = error->code = ERROR_NONE;
    else if (code && strncmp(error->text, path, strlen(path)) != 0) /* of the engine or the venue */
        code = error_prefix(error, "%s", path);
    return code;
}

static int verify_session(struct scenario_session *session, struct error *error)
{
    struct verification_result *result = calloc(1, sizeof *result);
    if (!result)
        return error_set(error, ERROR_SYSTEM, "out of memory");
    int code = verification_run(session->session_tape, result, error);
    if (code && is_full_as_said(session, error))
        code = error->code = ERROR_NONE;
    if (code)
        error_prefix(error, "%s: its own tape does not verify", session->scenario->path);
    free(result);
    uint64_t cuts;
    if (!code && restart_check(session->session_tape, RESTARTS_MAX, &cuts, error))
        code = error_prefix(error, "%s: a restart loses something", session->scenario->path);
    return code;
}

static int run_session(struct scenario_session *session, const char *defaults, struct error *error)
{
    int code = make_folder(session, error);
    if (!code)
        code = scenario_write_tape(session->scenario, session->market_tape, error);
    if (!code)
        code = scenario_configure(session->scenario, defaults, false, &session->config, error);
    if (!code)
        code = successor_open(&session->successor, session->scenario, defaults, session->gates_off,
                              error);
    if (!code)
        code = open_backtest(session, error);
    if (!code)
        code = run_loop(session, error);
    if (!code && session->tape_sink)
        code = tape_sink_finish(&session->tape_sink, error);
    if (session->text_stream && fclose(session->text_stream) != 0 && !code)
        code = error_set(error, ERROR_SYSTEM, "out of memory");
    session->text_stream = NULL;
    if (!code)
        code = check_end(session, error);
    return code || session->gates_off ? code : verify_session(session, error);
}

static void close_session(struct scenario_session *session)
{
    tape_sink_abandon(&session->tape_sink);
    backtest_close(&session->backtest);
    successor_close(&session->successor);
    config_free(&session->config);
    free(session->text);
    if (session->folder[0]) {
        unlink(session->market_tape);
        unlink(session->session_tape);
        rmdir(session->folder);
    }
    scenario_free(&session->scenario);
    free(session);
}

/* "x/name.scn" → "x/name.golden". */
static int golden_path(const char *path, char *out, size_t capacity, struct error *error)
{
    size_t length = strlen(path);
    static const char suffix[] = ".scn";
    if (length > 4 && strcmp(path + length - 4, suffix) == 0)
        length -= 4;
    if ((size_t)snprintf(out, capacity, "%.*s.golden", (int)length, path) >= capacity)
        return error_set(error, ERROR_INPUT, "%s: path too long", path);
    return 0;
}

/* "x/name.scn" → "x/defaults.yaml"; empty where there is no such file. */
static int defaults_path(const char *path, char *out, size_t capacity, struct error *error)
{
    const char *slash = strrchr(path, '/');
    int folder_length = slash ? (int)(slash + 1 - path) : 0;
    if ((size_t)snprintf(out, capacity, "%.*sdefaults.yaml", folder_length, path) >= capacity)
        return error_set(error, ERROR_INPUT, "%s: path too long", path);
    if (access(out, F_OK) != 0)
        out[0] = '\0';
    return 0;
}

int scenario_run(const char *path, const struct scenario_options *options, struct error *error)
{
    char golden[1024], beside[1024];
    const char *defaults = options->defaults;
    struct scenario_session *session = calloc(1, sizeof *session);
    if (!session)
        return error_set(error, ERROR_SYSTEM, "out of memory");
    session->gates_off = options->gates_off;
    int code = scenario_read(&session->scenario, path, error);
    if (!code && session->scenario->no_defaults)
        defaults = NULL;
    else if (!code && !defaults) {
        code = defaults_path(path, beside, sizeof beside, error);
        defaults = beside[0] ? beside : NULL;
    }
    if (!code)
        code = run_session(session, defaults, error);
    if (session->text && options->print_journal)
        fwrite(session->text, 1, session->text_length, stdout);
    if (!code)
        code = golden_path(path, golden, sizeof golden, error);
    if (!code)
        code = options->bless ? golden_bless(golden, session->text, session->text_length, error)
                              : golden_compare(golden, session->text, session->text_length, error);
    close_session(session);
    return code;
}
