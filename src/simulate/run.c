/* Runs a course: engine, simulated venue, count of the truth, faults, and around them the watch, which
 * checks from outside what the engine's own audit can't see. */
#include "simulate/run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "loop.h"
#include "run/restart.h"
#include "run/run_engine.h"
#include "simulate/truth.h"
#include "simulate/twin.h"
#include "venue/sim/sim.h"

enum { HELD_MAX = 1024, NAMED_MAX = 2048 };

/* Everything of one run. */
struct watch {
    struct sink sink;   /* first in the list: stands for the tape */
    struct venue venue; /* outermost: what is sent passes here */
    struct venue *inner, *faults, *truth, *sim;
    struct simulation *simulation;
    const struct run_plan *plan;
    struct run_outcome *outcome;
    struct run_engine engine;
    /* Where the process dies: an engine that only folds what the other was told and decided. */
    struct run_engine folded;
    struct restart_trial trial;
    struct twin twin; /* where tapes rotate */
    bool started;
    int64_t now;
    uint64_t epoch;
    struct feed *feed;
    struct fingerprint *fingerprint;
    const struct message *written; /* the decision that went to the sinks last */
    struct message tick;           /* the last one told */
    union event_record tick_record;
    uint8_t shutdown; /* enum shutdown_step told last */
    order_id named[NAMED_MAX];
    size_t named_count;
    money balances[COURSE_INSTRUMENTS_MAX][COURSE_ASSETS_MAX]; /* told at the end, by venue */
    bool is_known[COURSE_INSTRUMENTS_MAX][COURSE_ASSETS_MAX];  /* a balance was told */
};

static struct watch *watch_of_venue(const struct venue *venue)
{
    return (struct watch *)(uintptr_t)((const char *)venue - offsetof(struct watch, venue));
}

static void __attribute__((format(printf, 3, 4)))
fail(struct watch *watch, unsigned invariant, const char *format, ...)
{
    struct simulate_failure *failure = &watch->outcome->failure;
    va_list arguments;
    if (failure->invariant != 0)
        return;
    failure->invariant = invariant;
    va_start(arguments, format);
    vsnprintf(failure->what, sizeof failure->what, format, arguments);
    va_end(arguments);
}

/* --- the venue at the outside ---------------------------------------------------------------------- */

static int watch_start(struct venue *venue, int64_t now, struct error *error)
{
    struct venue *inner = watch_of_venue(venue)->inner;
    return inner->start(inner, now, error);
}

static int watch_advance(struct venue *venue, int64_t now, struct error *error)
{
    struct venue *inner = watch_of_venue(venue)->inner;
    return inner->advance(inner, now, error);
}

static const struct message *watch_answer(struct venue *venue, int64_t now)
{
    struct venue *inner = watch_of_venue(venue)->inner;
    return inner->answer(inner, now);
}

static int64_t watch_next(const struct venue *venue)
{
    const struct venue *inner = watch_of_venue(venue)->inner;
    return inner->next(inner);
}

/* 3: what rests at the venue counts, each order with no less than is left of it there; but for those that it
 * said it refused. Every sum of exposure is made of these. */
static void check_counted(struct watch *watch)
{
    order_id held[HELD_MAX];
    size_t count = sim_open_orders(watch->sim, held, HELD_MAX);
    ASSERT(count <= HELD_MAX);
    for (size_t i = 0; i < count; i++) {
        int64_t left = sim_order_left(watch->sim, held[i]);
        int64_t counted = engine_order_leaves(watch->engine.engine, held[i]);
        if (left > counted && !fault_will_end(watch->faults, held[i]))
            fail(watch, 3,
                 "%" PRId64 " units are left at the venue of order #%u.%u, of which %" PRId64
                 " count",
                 left, (unsigned)(held[i] >> 32), (unsigned)held[i], counted);
    }
}

/* 5: what is sent was written just before. */
static int watch_submit(struct venue *venue, const struct message *decision, struct error *error)
{
    struct watch *watch = watch_of_venue(venue);
    if (watch->written != decision) {
        fail(watch, 5, "a decision was sent that was not written");
        return error_set(error, ERROR_DIFFERENT, "%s", watch->outcome->failure.what);
    }
    bool places = decision->kind == EVENT_place || decision->kind == EVENT_replace;
    if (!watch->plan->again && (places || decision->kind == EVENT_modify))
        check_counted(watch);
    if (watch->outcome->failure.invariant != 0)
        return error_set(error, ERROR_DIFFERENT, "%s", watch->outcome->failure.what);
    if (watch->plan->keep && places && inputs_sent(&watch->simulation->inputs, decision, error))
        return error->code;
    return watch->inner->submit(watch->inner, decision, error);
}

static int watch_finish(struct venue *venue, struct error *error)
{
    struct venue *inner = watch_of_venue(venue)->inner;
    return inner->finish(inner, error);
}

/* --- the sink --------------------------------------------------------------------------------------- */

static bool is_answer(unsigned kind)
{
    return kind >= EVENT_order_accepted && kind != EVENT_command && kind != EVENT_adopt &&
           kind != EVENT_shutdown;
}

/* Ticks are made again by whoever tells all this again, but for those that an answer follows at once:
 * the answer must not come before them. */
static int keep(struct watch *watch, const struct message *message, struct error *error)
{
    struct inputs *inputs = &watch->simulation->inputs;
    if (message->kind == EVENT_start && !watch->started)
        return 0; /* whoever tells all this again makes it */
    if (message->kind == EVENT_tick) {
        watch->tick = *message;
        watch->tick_record = *message->record;
        watch->tick.record = &watch->tick_record;
        return 0;
    }
    if (watch->tick.kind == EVENT_tick && watch->tick.ts_local == message->ts_local &&
        inputs_add(inputs, &watch->tick, false, error))
        return error->code;
    watch->tick.kind = 0;
    return inputs_add(inputs, message, is_answer(message->kind), error);
}

/* 11, before a start in the middle is told: an engine that folded the tape is what this one is, once and
 * twice. */
static int check_restart(struct watch *watch, struct error *error)
{
    struct restart_trial *trial = &watch->trial;
    watch->outcome->counts.restarts++;
    int code = restart_trial_run(trial, watch->now, watch->epoch, error);
    if (code != ERROR_DIFFERENT)
        return code;
    fail(watch, 11, "%s of %s is another after a restart", trial->field, trial->room);
    watch->outcome->failure.by_messages = true;
    return code;
}

/* What an engine that starts again has forgotten. */
static int begin_session(struct watch *watch, const struct message *start, struct error *error)
{
    if (watch->started && check_restart(watch, error))
        return error->code;
    watch->started = true;
    watch->epoch = start->record->start.epoch;
    watch->shutdown = SHUTDOWN_RUNNING;
    watch->named_count = 0;
    return 0;
}

static void fold(struct watch *watch, const struct message *message)
{
    if (watch->folded.engine)
        engine_fold(watch->folded.engine, message);
}

/* 11 likewise: a rotation of tapes changes nothing. */
static int judge_twin(struct watch *watch, int code, struct error *error)
{
    if (code != ERROR_DIFFERENT)
        return code;
    fail(watch, 11, "%s", error->text);
    watch->outcome->failure.by_messages = true;
    return code;
}

static int watch_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct watch *watch = (struct watch *)sink;
    int code = watch->folded.engine ? twin_message(&watch->twin, message, error) : 0;
    if (judge_twin(watch, code, error))
        return code;
    watch->outcome->failure.ts = message->ts_local;
    watch->outcome->failure.messages++;
    if (watch->plan->keep && keep(watch, message, error))
        return error->code;
    if (message->kind == EVENT_start && begin_session(watch, message, error))
        return error->code;
    watch->now = message->ts_local;
    fold(watch, message);
    return 0;
}

/* The engine's own audit has run after this message. */
static int check_audit(struct watch *watch, struct error *error)
{
    const struct engine_counters *counters = engine_counters(watch->engine.engine);
    if (__builtin_expect(counters->invariant_violations == 0, 1))
        return 0;
    unsigned number = 0;
    while (counters->violations_by_invariant[number] == 0)
        number++;
    fail(watch, number, "%s", counters->violation ? counters->violation : "");
    watch->outcome->failure.by_messages = true;
    return error_set(error, ERROR_DIFFERENT, "%s", watch->outcome->failure.what);
}

static int watch_stepped(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)engine;
    return check_audit((struct watch *)sink, error);
}

static int watch_finishing(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct watch *watch = (struct watch *)sink;
    (void)engine;
    int code = watch->folded.engine ? twin_finish(&watch->twin, error) : 0;
    return judge_twin(watch, code, error);
}

static int watch_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct watch *watch = (struct watch *)sink;
    const union event_record *record = decision->record;
    if (judge_twin(watch, twin_decision(&watch->twin, decision, error), error))
        return error->code;
    watch->written = decision;
    fold(watch, decision);
    if (decision->kind == EVENT_shutdown_state)
        watch->shutdown = record->shutdown_state.step;
    else if (decision->kind == EVENT_unconfirmed && watch->named_count < NAMED_MAX)
        watch->named[watch->named_count++] = record->unconfirmed.order;
    else if (decision->kind == EVENT_breaker && record->breaker.state != BREAKER_CLEAR)
        watch->outcome->counts.breakers[record->breaker.breaker]++;
    else if (decision->kind == EVENT_adopted)
        watch->outcome->counts.adoptions += record->adopted.result == ADOPTION_TAKEN;
    else if (decision->kind == EVENT_final_balance) {
        watch->balances[record->final_balance.venue][record->final_balance.asset] =
            record->final_balance.total;
        watch->is_known[record->final_balance.venue][record->final_balance.asset] = true;
    }
    return 0;
}

/* --- the end ------------------------------------------------------------------------------------------ */

static bool is_named(const struct watch *watch, order_id order)
{
    for (size_t i = 0; i < watch->named_count; i++)
        if (watch->named[i] == order)
            return true;
    return false;
}

/* 7: after the shutdown the venue holds none of our orders but those that were named. */
static void check_held(struct watch *watch)
{
    order_id held[HELD_MAX];
    size_t count = sim_open_orders(watch->sim, held, HELD_MAX);
    ASSERT(count <= HELD_MAX);
    for (size_t i = 0; i < count; i++)
        if (!is_named(watch, held[i]) && !fault_will_end(watch->faults, held[i]))
            fail(watch, 7, "the venue still holds order #%u.%u after the shutdown",
                 (unsigned)(held[i] >> 32), (unsigned)held[i]);
}

/* 6: with every order known to have ended, we hold what the fills at the venue come to, beside what an operator
 * named of a balance. */
static void check_positions(struct watch *watch)
{
    for (unsigned i = 0; i < watch->simulation->course.names.instrument_count; i++) {
        struct engine_position position;
        char ours[MONEY_TEXT_MAX], theirs[MONEY_TEXT_MAX];
        engine_position(watch->engine.engine, i, &position);
        money truth = truth_position(watch->truth, i);
        if (money_compare(position.at_venue, truth) == 0)
            continue;
        money_to_text(position.at_venue, ours);
        money_to_text(truth, theirs);
        fail(watch, 6, "a position of %s is %s by the fills at the venue", ours, theirs);
    }
}

/* A contract settles in it: what it brings only the engine books. */
static bool is_settled_in(const struct course *course, unsigned venue, unsigned asset)
{
    for (unsigned i = 0; i < course->names.instrument_count; i++) {
        const struct event_definition *d = &course->definitions[i];
        if (d->venue == venue && d->contract != CONTRACT_SPOT && d->settle == asset)
            return true;
    }
    return false;
}

/* 6: and the money is what the venue says. Of an asset that no fill moved the engine may know nothing: where the
 * answer was lost that told of it, and every later one was too old to believe. */
static void check_balances(struct watch *watch)
{
    const struct course *course = &watch->simulation->course;
    for (unsigned venue = 0; venue < course->names.venue_count; venue++)
        for (unsigned asset = 0; asset < course->names.asset_count; asset++) {
            char ours[MONEY_TEXT_MAX], theirs[MONEY_TEXT_MAX];
            money truth = sim_balance(watch->sim, venue, asset);
            if (is_settled_in(course, venue, asset) || !watch->is_known[venue][asset] ||
                money_compare(watch->balances[venue][asset], truth) == 0)
                continue;
            money_to_text(watch->balances[venue][asset], ours);
            money_to_text(truth, theirs);
            fail(watch, 6, "a balance of %s is %s at the venue", ours, theirs);
        }
}

static void check_end(struct watch *watch)
{
    struct simulate_counts *counts = &watch->outcome->counts;
    if (watch->plan->again ||
        (watch->shutdown != SHUTDOWN_COMPLETE && watch->shutdown != SHUTDOWN_FORCED))
        return;
    counts->shutdowns++;
    counts->forced += watch->shutdown == SHUTDOWN_FORCED;
    counts->unconfirmed += watch->named_count;
    check_held(watch);
    if (watch->named_count > 0 || fault_owes_fills(watch->faults))
        return;
    check_positions(watch);
    check_balances(watch);
}

static void count(struct watch *watch, const struct loop *loop)
{
    struct simulate_counts *counts = &watch->outcome->counts;
    const struct engine_counters *engine = engine_counters(watch->engine.engine);
    counts->seeds++;
    counts->messages += loop->messages;
    counts->events += loop->market_messages;
    counts->decisions += engine->decisions;
    counts->placed += engine->placed;
    counts->cancelled += engine->cancelled;
    counts->modified += engine->modified;
    counts->fills += engine->fills;
    counts->rotations += watch->twin.rotations;
    counts->checks += engine->invariant_checks;
    for (unsigned gate = 0; gate < GATE_COUNT; gate++)
        counts->gates[gate] += engine->gate_blocked[gate];
    for (unsigned kind = 0; watch->faults && kind < FAULT_KIND_COUNT; kind++)
        counts->faults[kind] += fault_counts(watch->faults)[kind];
    for (unsigned state = 0; state < ORDER_STATE_COUNT; state++)
        for (unsigned event = 0; event < ORDER_EVENT_COUNT; event++)
            counts->order_events[state][event] += engine->order_events[state][event];
}

/* --- one run ------------------------------------------------------------------------------------------- */

int run_config(const struct course *course, struct config **config, struct error *error)
{
    int code = config_create(config, error);
    for (size_t i = 0; !code && i < course->setting_count; i++)
        if (course->settings[i][0] != '\0')
            code = config_set_from(*config, course->settings[i], "course", error);
    return code;
}

/* The engine, and where it will start again the one that only folds. */
static int open_engines(struct watch *watch, struct error *error)
{
    const struct course *course = &watch->simulation->course;
    struct config *config = NULL;
    watch->engine.gates_off = watch->folded.gates_off = watch->simulation->options.gates_off;
    int code = run_config(course, &config, error);
    if (!code)
        code = run_engine_open(&watch->engine, config, &course->names, false, true, error);
    if (!code && course->restarts > 0)
        code = run_engine_open(&watch->folded, config, &course->names, false, false, error);
    if (!code && course->restarts > 0)
        code = restart_trial_open(&watch->trial, &watch->engine, &watch->folded, error);
    if (!code && course->restarts > 0)
        code = twin_open(&watch->twin, &watch->engine, &watch->folded, course->seed, error);
    config_free(&config);
    return code;
}

/* The simulated venue, then the truth, then the faults. */
static int open_venues(struct watch *watch, struct error *error)
{
    const struct course *course = &watch->simulation->course;
    const struct config_resolved *resolved = &watch->engine.resolved;
    const struct sim_options options = {.feed = watch->feed,
                                        .names = &course->names,
                                        .global = &resolved->global,
                                        .venues = resolved->venues,
                                        .instruments = resolved->instruments};
    int code = sim_open(&watch->sim, &options, error);
    if (code)
        return code;
    watch->inner = watch->sim;
    if ((code = truth_open(&watch->truth, watch->sim, &course->names, error)))
        return code;
    watch->inner = watch->truth;
    if ((code = fault_open(&watch->faults, watch->truth, &course->faults, error)))
        return code;
    watch->inner = watch->faults;
    return 0;
}

static int open_run(struct watch *watch, struct error *error)
{
    struct simulation *simulation = watch->simulation;
    const struct course *course = &simulation->course;
    int code = open_engines(watch, error);
    if (!code && watch->plan->hash)
        code = fingerprint_open(&watch->fingerprint, error);
    if (code)
        return code;
    if (watch->plan->again) {
        watch->inner = inputs_tell(&simulation->inputs, watch->plan->end, watch->plan->honest);
        return memory_feed_open(&watch->feed, simulation->inputs.feed,
                                simulation->inputs.feed_count, error);
    }
    if (watch->plan->keep)
        inputs_clear(&simulation->inputs);
    code = memory_feed_open(&watch->feed, course->messages, course->count, error);
    return code ? code : open_venues(watch, error);
}

static void close_run(struct watch *watch)
{
    if (watch->inner)
        watch->inner->close(watch->inner);
    if (watch->feed)
        watch->feed->close(watch->feed);
    fingerprint_close(&watch->fingerprint);
    twin_close(&watch->twin);
    restart_trial_close(&watch->trial);
    run_engine_close(&watch->folded);
    run_engine_close(&watch->engine);
}

static bool is_full(const struct watch *watch)
{
    uint64_t needed;
    return engine_full_setting(watch->engine.engine, &needed) != NULL;
}

static int go(struct watch *watch, struct error *error)
{
    struct run_outcome *outcome = watch->outcome;
    struct loop loop = {.engine = watch->engine.engine,
                        .feed = watch->feed,
                        .venue = &watch->venue,
                        .makes_time = true,
                        .start = INT64_MIN,
                        .start_record = {.seed = 1}};
    loop.sinks[loop.sink_count++] = &watch->sink;
    if (watch->fingerprint)
        loop.sinks[loop.sink_count++] = fingerprint_sink(watch->fingerprint);
    int code = loop_run(&loop, error);
    count(watch, &loop);
    if (code == ERROR_INPUT && is_full(watch)) {
        outcome->counts.full++;
        code = ERROR_NONE;
    } else if (code == ERROR_NONE && !check_audit(watch, error)) {
        check_end(watch);
    }
    if (watch->fingerprint)
        fingerprint_text(watch->fingerprint, outcome->fingerprint);
    return outcome->failure.invariant != 0 ? ERROR_NONE : code;
}

int run_once(struct simulation *simulation, const struct run_plan *plan,
             struct run_outcome *outcome, struct error *error)
{
    memset(outcome, 0, sizeof *outcome);
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return error_set(error, ERROR_SYSTEM, "no memory for a run");
    watch->simulation = simulation;
    watch->plan = plan;
    watch->outcome = outcome;
    watch->sink = (struct sink){.market = true,
                                .message = watch_message,
                                .stepped = watch_stepped,
                                .decision = watch_decision,
                                .finishing = watch_finishing};
    watch->venue = (struct venue){.start = watch_start,
                                  .advance = watch_advance,
                                  .answer = watch_answer,
                                  .next = watch_next,
                                  .submit = watch_submit,
                                  .finish = watch_finish};
    error->code = ERROR_NONE;
    int code = open_run(watch, error);
    if (!code)
        code = go(watch, error);
    close_run(watch);
    free(watch);
    return code;
}

/* --- one seed ------------------------------------------------------------------------------------------- */

int simulate_open(struct simulation **out, const struct simulate_options *options,
                  struct error *error)
{
    struct simulation *simulation = calloc(1, sizeof *simulation);
    if (!simulation)
        return error_set(error, ERROR_SYSTEM, "no memory for a simulation");
    simulation->options = *options;
    *out = simulation;
    return course_open(&simulation->course, options->events, error);
}

void simulate_close(struct simulation **simulation)
{
    if (!*simulation)
        return;
    course_close(&(*simulation)->course);
    inputs_close(&(*simulation)->inputs);
    free(*simulation);
    *simulation = NULL;
}

/* A shutdown ended the first run, and the message after it was not told: something must stand there. */
static int64_t end_of(const struct run_outcome *outcome)
{
    return outcome->counts.shutdowns > 0 ? outcome->failure.ts + 1 : TIME_NEVER;
}

/* 8 and 9: the same seed decides the same, and so does an engine that is only told the same. */
static int run_again(struct simulation *simulation, const struct run_outcome *first,
                     struct simulate_failure *failure, struct error *error)
{
    struct run_outcome second, third;
    const struct run_plan same = {.keep = true, .hash = true, .end = TIME_NEVER};
    int code = run_once(simulation, &same, &second, error);
    const struct run_plan told = {.again = true, .hash = true, .end = end_of(&second)};
    if (!code)
        code = run_once(simulation, &told, &third, error);
    if (code)
        return code;
    *failure = first->failure;
    if (strcmp(first->fingerprint, second.fingerprint) != 0) {
        failure->invariant = 8;
        snprintf(failure->what, sizeof failure->what, "a second run decided otherwise");
    } else if (strcmp(first->fingerprint, third.fingerprint) != 0) {
        failure->invariant = 9;
        snprintf(failure->what, sizeof failure->what,
                 "an engine that was told the same decided otherwise");
    }
    return 0;
}

int simulate_seed(struct simulation *simulation, uint64_t seed, bool twice,
                  struct simulate_counts *counts, struct simulate_failure *failure,
                  struct error *error)
{
    struct run_outcome outcome;
    const struct run_plan plan = {.hash = twice, .end = TIME_NEVER};
    course_draw(&simulation->course, seed, simulation->options.events);
    int code = run_once(simulation, &plan, &outcome, error);
    if (code)
        return code;
    *failure = outcome.failure;
    if (twice && failure->invariant == 0 && outcome.counts.full == 0) {
        outcome.counts.repeated++;
        code = run_again(simulation, &outcome, failure, error);
    }
    simulate_counts_add(counts, &outcome.counts);
    return code;
}

void simulate_counts_add(struct simulate_counts *sum, const struct simulate_counts *more)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)more;
    _Static_assert(sizeof *sum % sizeof *to == 0, "counts are 64-bit numbers and nothing else");
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}
