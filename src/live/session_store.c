/* See session_store.h. */
#include "config.h"

#include "live/session_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/grade.h"
#include "run/rotation.h"
#include "run/verification.h"

struct session_store {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct session_store_options options;
    struct session_store *next;         /* that is left, too */
    struct engine_counters none;        /* a session that goes on has no counters in its row */
    struct engine_counters before, own; /* of tapes before this one, and of this one */
    char path[ROTATION_PATH_BYTES], tape[ROTATION_PATH_BYTES];
    struct store_provenance provenance, last;
    struct market_faults *faults; /* of what the engine was told */
    struct live_database_grade
        earlier;              /* of the sessions before on this tape, as the database has it, */
    struct run_grade history; /* or as it was made anew, by the thread: */
    atomic_bool history_graded;
    struct run_grade grade; /* of this one, at its end */
    char *reasons[2];       /* of earlier ones and of all */
    struct follower *follower;
    bool judging; /* the message that the engine takes tells how a call ended */
    bool judged;  /* it has, and its decisions come now */
    bool worked;  /* the last call did */
    bool cut_off; /* it gives no outcomes by itself, as of the newest message */
};

/* --- what the tape held before -------------------------------------------------------------------- */

/* Ends the projection where this session begins. */
struct bound {
    struct sink sink; /* first: the loop holds a pointer to it */
    uint64_t epoch;
    bool reached;
};

static int stop_at_start(struct sink *sink, const struct message *message, struct error *error)
{
    struct bound *bound = (struct bound *)sink;
    bound->reached = message->kind == EVENT_start && message->record->start.epoch == bound->epoch;
    return bound->reached ? error_set(error, ERROR_DIFFERENT, "the session begins here") : 0;
}

static int put(void *file, const uint8_t *bytes, size_t length, struct error *error)
{
    return record_file_append(file, bytes, length, 1, error);
}

static int project(struct verification *verification, struct session_store *store,
                   struct spool *spool, struct market_faults *faults, struct error *error)
{
    struct verification_result result;
    struct bound bound = {.sink = {.message = stop_at_start}, .epoch = store->options.epoch};
    verification_add_first(verification, spool_sink(spool));
    verification_add_last(verification, spool_loaded_sink(spool));
    verification_add_first(verification, market_faults_sink(faults));
    verification_add_first(verification, &bound.sink);
    spool_set_engine(spool, verification->engine.engine);
    int code = verification_execute(verification, &result, error);
    if (!bound.reached && code != 0) /* without it: its block is not on the disk yet */
        return error_prefix(error, "what the tape held before");
    const struct tape_header *header = store->options.header;
    code = run_grade_of_market(faults, header, header->grade_reasons, &store->history, error);
    atomic_store(&store->history_graded, code == 0);
    return code ? code : spool_end_session(spool, error);
}

static int history(void *context, struct record_file *file, struct error *error)
{
    struct session_store *store = context;
    struct verification verification = {0};
    struct spool *spool = NULL;
    struct market_faults *faults = NULL;
    int code = record_file_open(file, store->options.tape, error);
    if (!code)
        code =
            spool_open_into(&spool, store->options.header->names.instrument_count,
                            store->options.engine->resolved.global.store_sample, put, file, error);
    if (!code)
        code = verification_open(&verification, store->options.tape, error);
    if (!code)
        code = market_faults_open(&faults, &store->options.header->names,
                                  verification.engine.engine, error);
    if (!code)
        code = project(&verification, store, spool, faults, error);
    market_faults_close(&faults);
    verification_close(&verification);
    spool_close(&spool);
    if (code)
        record_file_close(file);
    return code;
}

/* --- the breaker ---------------------------------------------------------------------------------- */

static bool tell_outcome(void *context, bool worked)
{
    const struct session_store *store = context;
    const union event_record record = {.breaker_input = {.venue = EVENT_NONE_8, .healthy = worked}};
    return live_feed_post(store->options.feed, EVENT_breaker_input, &record);
}

static bool is_of_database(const struct message *message)
{
    return message->kind == EVENT_breaker_input &&
           message->record->breaker_input.venue == EVENT_NONE_8;
}

static int take_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct session_store *store = (struct session_store *)sink;
    struct sink *taken = follower_sink(store->follower);
    if (store->judged)
        follower_judged(store->follower);
    store->judged = false;
    if (market_faults_take(store->faults, message, error))
        return error->code;
    if (message->kind == EVENT_start) { /* the engine's breaker is told by nothing else */
        const struct engine *engine = store->options.engine->engine;
        follower_obey(store->follower, engine_goes_on(engine, &message->record->start)
                                           ? engine_database_state(engine)
                                           : INFRASTRUCTURE_CLOSED);
        follower_judged(store->follower);
    }
    store->judging = is_of_database(message);
    if (store->judging)
        store->worked = message->record->breaker_input.healthy;
    store->cut_off = follower_is_cut_off(store->follower, message->ts_local);
    if (store->cut_off)
        atomic_store(store->options.healthy, false);
    return taken->message(taken, message, error);
}

/* Where the breaker stays as it is no decision follows, and the next call may begin. */
static int take_stepped(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct session_store *store = (struct session_store *)sink;
    struct sink *taken = follower_sink(store->follower);
    if (store->judging)
        atomic_store(store->options.healthy,
                     store->worked && !store->cut_off &&
                         engine_database_state(engine) == INFRASTRUCTURE_CLOSED);
    store->judged = store->judging;
    store->judging = false;
    return taken->stepped(taken, engine, error);
}

static int take_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct session_store *store = (struct session_store *)sink;
    struct sink *taken = follower_sink(store->follower);
    if (decision->kind == EVENT_infrastructure &&
        decision->record->infrastructure.venue == EVENT_NONE_8)
        follower_obey(store->follower, decision->record->infrastructure.state);
    return taken->decision(taken, decision, error);
}

/* --- the grade ------------------------------------------------------------------------------------- */

static void add_reasons(struct tape_header *graded, unsigned grade, const char *reasons,
                        char **memory)
{
    struct error error;
    if (reasons && reasons[0] && tape_header_lower_grade(graded, grade, reasons, memory, &error))
        *memory = NULL;
    if (graded->grade < grade)
        graded->grade = (uint8_t)grade;
}

/* The tape's, made worse by the sessions before on it and by this one. */
static void grade_all(struct session_store *store)
{
    struct tape_header graded = *store->options.header;
    struct error error = {0};
    bool anew = atomic_load(&store->history_graded);
    if (anew)
        add_reasons(&graded, store->history.grade, store->history.reasons, &store->reasons[0]);
    else if (store->earlier.reasons)
        graded.grade_reasons = store->earlier.reasons;
    if (!anew && store->earlier.reasons && store->earlier.grade > graded.grade)
        graded.grade = store->earlier.grade;
    if (!anew && !store->earlier.reasons && store->options.fold->first_start != INT64_MIN)
        add_reasons(&graded, TAPE_GRADE_B, "B: sessions: those before this one are not graded here",
                    &store->reasons[0]);
    const char *told = store->options.header->grade_reasons;
    if (run_grade_of_market(store->faults, store->options.header, told, &store->grade, &error) == 0)
        add_reasons(&graded, store->grade.grade, store->grade.reasons, &store->reasons[1]);
    store->last.run_grade = graded.grade;
    store->last.run_grade_reasons = graded.grade_reasons;
}

static void free_store(struct session_store *store)
{
    market_faults_close(&store->faults);
    run_grade_free(&store->history);
    run_grade_free(&store->grade);
    free(store->earlier.reasons);
    free(store->reasons[0]);
    free(store->reasons[1]);
    free(store);
}

/* --- opening and closing -------------------------------------------------------------------------- */

static void set_provenance(struct session_store *store)
{
    const struct session_store_options *options = &store->options;
    store->provenance =
        (struct store_provenance){.tape_name = store->tape,
                                  .header = options->header,
                                  .run_grade = options->header->grade,
                                  .run_grade_reasons = options->header->grade_reasons,
                                  .tool_version = PACKAGE_VERSION,
                                  .build_id = options->build_id,
                                  .config = options->engine->config_text,
                                  .config_hash = options->engine->config_hash,
                                  .seed = options->engine->resolved.global.seed,
                                  .counters = &store->none};
}

int session_store_open(struct session_store **out, const struct session_store_options *options,
                       struct error *error)
{
    const struct settings_global *global = &options->engine->resolved.global;
    const struct fold *fold = options->fold;
    struct session_store *store = calloc(1, sizeof *store);
    if (!store)
        return error_set(error, ERROR_SYSTEM, "no memory for the database");
    store->options = *options;
    snprintf(store->path, sizeof store->path, "%s", options->path);
    snprintf(store->tape, sizeof store->tape, "%s", options->tape);
    store->options.path = store->path;
    store->options.tape = store->tape;
    store->sink = (struct sink){.market = true,
                                .message = take_message,
                                .stepped = take_stepped,
                                .decision = take_decision};
    store->before = *engine_counters(options->engine->engine);
    set_provenance(store);
    const struct follower_options follower = {
        .database = {.path = store->path,
                     .provenance = &store->provenance,
                     .clock = options->clock,
                     .call_timeout_ns = global->database_call_timeout,
                     .history = history,
                     .context = store},
        .session = {.epoch = options->epoch,
                    /* Sessions of the tapes before are none of this tape's. */
                    .epoch_before = fold->first_start == INT64_MIN ? 0 : fold->epoch,
                    .first_start = fold->first_start,
                    .last_start = fold->last_start},
        .scratch = store->tape,
        .engine = options->engine->engine,
        .instrument_count = options->header->names.instrument_count,
        .sample_ns = global->store_sample,
        .every_ns = global->database_every,
        .log = options->log,
        .outcome = tell_outcome,
        .context = store};
    int code = live_database_look(options->path, fold->first_start, &store->earlier, error);
    if (!code)
        code = market_faults_open(&store->faults, &options->header->names, options->engine->engine,
                                  error);
    if (!code)
        code = follower_open(&store->follower, &follower, error);
    if (code) {
        free_store(store);
        return code;
    }
    *out = store;
    return 0;
}

struct sink *session_store_sink(struct session_store *store)
{
    return &store->sink;
}

struct follower_health session_store_health(const struct session_store *store)
{
    return follower_health(store->follower);
}

void session_store_flush(struct session_store *store, void (*done)(void *context, bool failed),
                         void *context)
{
    follower_flush(store->follower, done, context);
}

/* Those that stand in the row. */
static void count_own(struct session_store *store)
{
    const struct engine_counters *now = engine_counters(store->options.engine->engine);
    const struct engine_counters *before = &store->before;
    store->own.cycles = now->cycles - before->cycles;
    store->own.decisions = now->decisions - before->decisions;
    store->own.invariant_checks = now->invariant_checks - before->invariant_checks;
    store->own.invariant_violations = now->invariant_violations - before->invariant_violations;
}

void session_store_end(struct session_store *store, const struct loop *loop, int64_t limit_ns)
{
    struct sink *taken = follower_sink(store->follower);
    struct error ignored; /* a follower never fails */
    (void)taken->finishing(taken, store->options.engine->engine, &ignored);
    store->last = store->provenance;
    count_own(store);
    grade_all(store);
    store->last.counters = &store->own;
    store->last.events = loop->events - store->options.events_before;
    store->last.messages = follower_counts(store->follower);
    follower_end(store->follower, &store->last, limit_ns);
}

bool session_store_close(struct session_store **out)
{
    struct session_store *store = *out;
    if (!store)
        return true;
    follower_close(&store->follower);
    if (store->follower) /* its thread may still use the rest */
        return false;
    *out = NULL;
    free_store(store);
    return true;
}

void session_store_leave(struct session_store **left, struct session_store **store)
{
    (*store)->next = *left;
    *left = *store;
    *store = NULL;
}

void session_store_close_left(struct session_store **left)
{
    while (*left) {
        struct session_store *next = (*left)->next;
        (void)session_store_close(left); /* or its thread hangs still */
        *left = next;
    }
}
