/* See session.h. */
#include "config.h"

#include "live/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/build_id.h"
#include "base/time.h"
#include "clock/clock.h"
#include "live/ending.h"
#include "live/heartbeat.h"
#include "live/lease.h"
#include "live/names.h"
#include "live/paper.h"
#include "live/raw.h"
#include "live/session_store.h"
#include "live/sweep.h"
#include "live/unconfirmed.h"
#include "live/venues.h"
#include "live/watch.h"
#include "live/written_feed.h"
#include "ops/ops.h"
#include "run/live_tape.h"
#include "run/run_engine.h"

static const char target[] = "capstan.live";

/* D1's limit is 30 s in all; this is what orders get of it where the engine is gone. */
#define CANCEL_ON_EXIT_NS (20 * NS_PER_SECOND)
/* What the database gets behind the loop's end. */
#define STORE_CLOSE_NS (3 * NS_PER_SECOND)
/* And where one tape follows another. */
#define STORE_ROTATE_NS (1 * NS_PER_SECOND)
/* Fills are asked for from so long before the tape's last message: clocks differ. Of that time the engine knows its
 * trades again, if they are no more than 4096. */
#define FILLS_OVERLAP_NS (60 * NS_PER_SECOND)

/* How often a session that stands by looks for the lease. */
#define LEASE_EVERY_NS (200 * NS_PER_MS)

/* Everything of one session, in the order in which it is opened. */
struct session {
    const struct session_options *options;
    struct session_clock clock;
    struct waker waker;
    struct ending ending;
    struct ops *ops; /* NULL: ops.enabled is no */
    struct unconfirmed *unconfirmed;
    struct lease lease;
    struct raw *raw;
    struct live_venues venues;
    struct live_names found;
    char *config_text;
    const struct event_names *names; /* the tape's */
    struct run_engine engine;
    char build_id[BUILD_ID_TEXT_MAX];
    char tape_path[ROTATION_PATH_BYTES]; /* the newest of the chain, at the start */
    uint64_t tape_number;
    struct live_tape *tape;
    struct rotator rotator;
    struct event_start start;
    struct heartbeat *heartbeat;
    struct live_feed *feed;
    struct written_feed written;
    struct live_venue venue;
    struct paper *paper;
    struct fold fold;
    struct session_store *store; /* NULL: no database */
    atomic_bool database_is_well;
    struct watch *watch;
    bool swept_clean; /* without the engine, and each venue shows no order of ours */
    struct loop loop;
};

static void log_line(struct session *session, enum log_level level, const char *text,
                     const struct log_field *fields, size_t count)
{
    log_write(session->options->log, level, target, clock_now(&session->clock.clock), text, fields,
              count);
}

static bool has_engine(const struct session *session)
{
    return session->options->mode != SESSION_RECORD;
}

/* --- opening ---------------------------------------------------------------------------------------- */

/* --- the ops server --------------------------------------------------------------------------------- */

static void stop_by_command(void *context)
{
    struct session *session = context;
    ending_command(&session->ending);
}

/* First of all, so that a port that is taken is told before any venue hears of us. */
static int open_ops(struct session *session, struct error *error)
{
    static const struct event_names no_names;
    struct config_resolved resolved = {0};
    int code = config_resolve(session->options->config, &no_names, true, &resolved, error);
    if (code)
        return code;
    const struct ops_options options = {.settings = &resolved.global,
                                        .log = session->options->log,
                                        .clock = &session->clock.clock,
                                        .stop = stop_by_command,
                                        .context = session};
    code = ops_open(&session->ops, &options, error);
    ending_drains(&session->ending, session->ops);
    config_resolved_free(&resolved);
    return code;
}

static bool post_command(void *context, unsigned kind, const union event_record *record)
{
    const struct session *session = context;
    return live_feed_post(session->feed, kind, record);
}

static void tell_health(void *context, unsigned venue, struct ops_venue_health *health)
{
    const struct session *session = context;
    struct live_io *io = session->venues.ios[venue];
    const struct adapter_health told = live_io_health(io);
    *health = (struct ops_venue_health){.market = told.market_synchronised,
                                        .account = told.private_up,
                                        .alive = live_io_alive(io),
                                        .waiting = message_queue_depth(live_io_messages(io))};
}

static enum ops_check check_database(void *context)
{
    const struct session *session = context;
    if (!session->options->database)
        return OPS_CHECK_NONE;
    return atomic_load(&session->database_is_well) ? OPS_CHECK_WELL : OPS_CHECK_FAILED;
}

static int attach_ops(struct session *session, struct error *error)
{
    static const char *const modes[] = {
        [SESSION_LIVE] = "live", [SESSION_PAPER] = "paper", [SESSION_RECORD] = "record"};
    const struct ops_session shown = {.mode = modes[session->options->mode],
                                      .tape = session->options->tape,
                                      .epoch = session->start.epoch,
                                      .engine = session->engine.engine,
                                      .names = session->names,
                                      .orders_capacity =
                                          (size_t)session->venues.settings.global.orders_capacity,
                                      .clock = &session->clock.clock,
                                      .live = true,
                                      .waited = live_feed_waited(session->feed),
                                      .alive = &session->heartbeat->alive,
                                      .post = post_command,
                                      .venue_health = tell_health,
                                      .database = check_database,
                                      .context = session};
    return ops_attach(session->ops, &shown, error);
}

/* --- the lease --------------------------------------------------------------------------------------- */

static void await_lease(struct session *session, const struct lease_options *options,
                        struct error *holder, struct error *error)
{
    const struct timespec pause = {.tv_nsec = LEASE_EVERY_NS};
    const struct log_field field = log_text("lease", holder->text);
    log_line(session, LOG_WARN, "standing by: another session trades this account", &field, 1);
    ops_stand_by(session->ops, true);
    while (session->lease.count == 0 && !atomic_load(&session->ending.stopping) && !error->code) {
        nanosleep(&pause, NULL);
        lease_try(&session->lease, options, holder, error);
    }
    ops_stand_by(session->ops, false);
    if (session->lease.count > 0)
        log_line(session, LOG_INFO, "the lease is ours: taking over", NULL, 0);
}

/* The ops server, and the lease: where another session has that and this one does not wait, not even its port is taken.
 * Only orders at a venue need a lease. It is not held afterwards where a signal ended the wait. */
static int take_lease(struct session *session, struct error *error)
{
    const struct live_venues *venues = &session->venues;
    struct error holder = {0};
    if (session->options->mode != SESSION_LIVE)
        return open_ops(session, error);
    int code = live_venues_resolve(&session->venues, session->options->config, error);
    if (code)
        return code;
    const struct lease_options options = {.tape = session->options->tape,
                                          .session = venues->settings.global.live_session.text,
                                          .venues = venues->wanted.names,
                                          .venue_count = venues->wanted.count};
    if (lease_try(&session->lease, &options, &holder, error))
        return error->code;
    bool held = session->lease.count > 0;
    if (!held && !session->options->stands_by)
        return error_set(error, ERROR_INPUT,
                         "%.300s: another session trades this account; end it, give this one "
                         "another live.session, or let it wait with --stand-by",
                         holder.text);
    code = open_ops(session, error);
    if (!code && !held)
        await_lease(session, &options, &holder, error);
    return error->code;
}

static bool ended_standing_by(const struct session *session)
{
    return session->options->mode == SESSION_LIVE && session->lease.count == 0;
}

static int open_venues(struct session *session, struct error *error)
{
    const struct session_options *options = session->options;
    const struct live_venues_options venues = {.config = options->config,
                                               .trades = options->mode == SESSION_LIVE,
                                               .clock = &session->clock.clock,
                                               .engine = &session->waker,
                                               .log = options->log,
                                               .stop = &session->ending.stopping,
                                               .raw = session->raw};
    int code = live_venues_open(&session->venues, &venues, error);
    if (!code)
        code = live_names_make(&session->found, session->venues.ios, session->venues.count, error);
    return code;
}

static void log_recovery(struct session *session, const struct tape_recovery *recovery)
{
    const struct log_field fields[] = {log_unsigned("blocks", recovery->blocks),
                                       log_unsigned("torn_bytes", recovery->torn_bytes),
                                       log_unsigned("journals", recovery->journals),
                                       log_unsigned("messages_of_journals", recovery->messages),
                                       log_unsigned("lost_entries", recovery->lost_entries),
                                       log_unsigned("lost_bytes", recovery->lost_bytes),
                                       log_unsigned("cancels_not_written", recovery->unwritten)};
    bool lost = recovery->lost_entries > 0 || recovery->unwritten > 0;
    const char *text = recovery->made           ? "a new tape"
                       : recovery->was_finished ? "the tape of a session that ended in order"
                                                : "the tape of a session that died is recovered";
    log_line(session, lost ? LOG_WARN : LOG_INFO, text, fields, recovery->made ? 0 : 7);
}

/* What a new tape begins with. */
static struct tape_header new_header(struct session *session)
{
    build_id_text(session->build_id);
    return (struct tape_header){.version = TAPE_VERSION,
                                .origin = TAPE_RECORDED,
                                .grade = TAPE_GRADE_A,
                                .tool_version = PACKAGE_VERSION,
                                .build_id = session->build_id,
                                .grade_reasons = "",
                                .config = session->config_text,
                                .seed = (uint64_t)session->venues.settings.global.seed,
                                .names = session->found.names};
}

/* The newest tape of the chain; where a death came during a rotation, the one before gets its end. */
static int find_tape(struct session *session, struct error *error)
{
    const char *base = session->options->tape;
    int code = rotation_newest(base, &session->tape_number, error);
    if (!code)
        code = rotation_settle(base, session->tape_number, error);
    return code ? code : rotation_path(base, session->tape_number, session->tape_path, error);
}

/* The names that count are the tape's: what may have changed since of a definition, the adapters tell. */
static int open_tape(struct session *session, struct error *error)
{
    struct tape_recovery recovery;
    int code = config_to_tape_text(session->options->config, &session->config_text, error);
    if (!code)
        code = find_tape(session, error);
    if (code)
        return code;
    const struct tape_header header = new_header(session);
    const struct live_tape_options options = {.path = session->tape_path,
                                              .header = &header,
                                              .sync_every =
                                                  session->venues.settings.global.tape_sync_every};
    code = live_tape_open(&session->tape, &options, &recovery, error);
    if (!code)
        code = heartbeat_make(&session->heartbeat, session->options->tape, error);
    if (code)
        return code;
    rotation_tidy(session->options->tape, session->tape_number);
    log_recovery(session, &recovery);
    session->names = &live_tape_header(session->tape)->names;
    if (recovery.last_ts != INT64_MIN)
        session_clock_raise(&session->clock, recovery.last_ts + 1);
    return 0;
}

/* What the venues' adapters count balances from, and since when fills may be missing. */
static int carry_positions(struct session *session, struct error *error)
{
    unsigned instrument;
    const struct fold *fold = &session->fold;
    int64_t since = fold->starts > 0 ? fold->last_ts - FILLS_OVERLAP_NS : 0;
    if (live_names_carry(&session->found, session->engine.engine, &instrument))
        return live_names_carry_trades(&session->found, session->engine.engine, since, error);
    return error_set(error, ERROR_INPUT,
                     "%s: the position of %s is too large to be a count of the venue's units",
                     session->tape_path, session->names->symbols[instrument]);
}

/* No id ever returns, and a venue remembers those of other tapes: a new tape's epochs begin at the second that it is.
 * Until that is over nothing is sent, so that no session behind this one begins in the same. */
static uint64_t first_epoch(const struct session *session)
{
    const struct timespec pause = {.tv_nsec = 10 * NS_PER_MS};
    const int64_t second = clock_now(&session->clock.clock) / NS_PER_SECOND;
    while (session->options->mode == SESSION_LIVE &&
           clock_now(&session->clock.clock) / NS_PER_SECOND == second)
        nanosleep(&pause, NULL);
    return (uint64_t)second;
}

static int open_engine(struct session *session, struct error *error)
{
    struct fold *fold = &session->fold;
    if (!has_engine(session))
        return 0;
    int code = run_engine_open(&session->engine, session->options->config, session->names, false,
                               false, error);
    if (!code)
        code = live_tape_fold(session->tape, &session->engine, fold, error);
    if (!code && session->options->mode == SESSION_PAPER && fold->starts > 0)
        code = error_set(error, ERROR_INPUT,
                         "%s: has a session already, and the simulated venue of a paper session "
                         "can't go on where it ended; begin a new tape",
                         session->tape_path);
    if (!code)
        code = carry_positions(session, error);
    if (code)
        return code;
    session->start =
        (struct event_start){.epoch = fold->epoch > 0 ? fold->epoch + 1 : first_epoch(session),
                             .seed = (uint64_t)session->venues.settings.global.seed,
                             .config_hash = session->engine.config_hash};
    return code;
}

static int64_t engine_due(const void *engine)
{
    return engine_deadline(engine);
}

static void want_snapshots(void *context)
{
    struct session *session = context;
    for (size_t v = 0; v < session->venues.count; v++)
        live_io_reconnect(session->venues.ios[v], "whole books are wanted for the tape");
}

static int open_rotator(struct session *session, struct error *error)
{
    const struct rotator_options options = {.base = session->options->tape,
                                            .number = session->tape_number,
                                            .every =
                                                session->venues.settings.global.tape_rotate_every,
                                            .tape = session->tape,
                                            .names = session->names,
                                            .engine = has_engine(session) ? &session->engine : NULL,
                                            .log = session->options->log,
                                            .want_snapshots = want_snapshots,
                                            .context = session};
    return rotator_open(&session->rotator, &options, clock_now(&session->clock.clock), error);
}

static int open_feed(struct session *session, struct error *error)
{
    struct live_feed_options options = {.clock = &session->clock,
                                        .waker = &session->waker,
                                        .source_count = session->venues.count,
                                        .alive = &session->heartbeat->alive,
                                        .local =
                                            session->paper ? paper_answers(session->paper) : NULL,
                                        .deadline_context = session->engine.engine};
    for (size_t v = 0; v < session->venues.count; v++)
        options.sources[v] = live_io_messages(session->venues.ios[v]);
    if (has_engine(session)) {
        options.deadline = engine_due;
        options.start = &session->start;
    }
    int code = live_feed_open(&session->feed, &options, error);
    if (code)
        return code;
    atomic_store(&session->heartbeat->alive, clock_now(&session->clock.clock));
    ending_goes_to(&session->ending, session->feed,
                   session->venues.settings.global.shutdown_force_after);
    session->written = (struct written_feed){.inner = live_feed_feed(session->feed),
                                             .tape = session->tape,
                                             .rotator = &session->rotator,
                                             .want_snapshots = want_snapshots,
                                             .context = session};
    written_feed_init(&session->written);
    return 0;
}

static int open_paper(struct session *session, struct error *error)
{
    if (session->options->mode != SESSION_PAPER)
        return 0;
    return paper_open(&session->paper, &session->engine.resolved, session->names,
                      clock_now(&session->clock.clock), error);
}

static void wire_sinks(struct session *session)
{
    struct sink **sinks = session->loop.sinks;
    size_t count = 0;
    sinks[count++] = ops_timed(session->ops, live_tape_sink(session->tape, session->engine.engine));
    if (session->paper)
        sinks[count++] = paper_sink(session->paper);
    sinks[count++] = watch_sink(session->watch);
    if (session->store)
        sinks[count++] = session_store_sink(session->store);
    if (ops_sink(session->ops))
        sinks[count++] = ops_sink(session->ops);
    session->loop.sink_count = count;
}

static void wire(struct session *session)
{
    session->venue = (struct live_venue){.names = session->names, .feed = session->feed};
    for (size_t v = 0; v < session->venues.count; v++)
        session->venue.ios[v] = session->venues.ios[v];
    live_venue_init(&session->venue);
    session->loop =
        (struct loop){.engine = session->engine.engine,
                      .feed = &session->written.feed,
                      .venue = session->paper ? paper_venue(session->paper) : &session->venue.venue,
                      .makes_time = false};
    wire_sinks(session);
}

/* Each tape of a chain has a database of its own, numbered as the tape is. */
static int open_store(struct session *session, struct error *error)
{
    char path[ROTATION_PATH_BYTES];
    const char *base = session->options->database;
    if (base && rotation_path(base, session->tape_number, path, error))
        return error->code;
    const struct session_store_options options = {.path = base ? path : NULL,
                                                  .tape = session->tape_path,
                                                  .header = live_tape_header(session->tape),
                                                  .build_id = session->build_id,
                                                  .engine = &session->engine,
                                                  .fold = &session->fold,
                                                  .epoch = session->start.epoch,
                                                  .events_before = session->loop.events,
                                                  .messages_before = session->loop.messages,
                                                  .feed = session->feed,
                                                  .healthy = &session->database_is_well,
                                                  .clock = &session->clock.clock,
                                                  .log = session->options->log};
    if (options.path)
        return session_store_open(&session->store, &options, error);
    if (has_engine(session) && session->venues.settings.global.database_required)
        return error_set(error, ERROR_INPUT,
                         "database.required: yes, but the session has no database; give one with "
                         "--db, or set it to no");
    return 0;
}

/* Ours, and those that only the venue knows. */
static size_t order_capacity(const struct session *session)
{
    const struct settings_global *global = &session->venues.settings.global;
    return (size_t)(global->orders_capacity + global->safety_orphans);
}

static int open_watch(struct session *session, struct error *error)
{
    if (!has_engine(session))
        return 0;
    const struct watch_options options = {.log = session->options->log,
                                          .engine = session->engine.engine,
                                          .names = session->names,
                                          .order_capacity = order_capacity(session),
                                          .tape = session->tape,
                                          .feed = session->feed,
                                          .store = session->store,
                                          .venues = &session->venues};
    return watch_open(&session->watch, &options, error);
}

/* Only where orders are at a venue: those of paper end with it. */
static int open_unconfirmed(struct session *session, struct error *error)
{
    if (session->options->mode != SESSION_LIVE)
        return 0;
    int code =
        unconfirmed_open(&session->unconfirmed, session->options->tape,
                         session->venues.settings.global.live_session.text, session->names, error);
    if (code)
        return code;
    time_limit_know(session->ending.limit, watch_orders(session->watch), session->unconfirmed);
    const struct log_field fields[] = {
        log_unsigned("orders", unconfirmed_left(session->unconfirmed)),
        log_text("file", unconfirmed_path(session->unconfirmed))};
    if (fields[0].integer > 0)
        log_line(session, LOG_WARN, "the session before could not end all its orders", fields, 2);
    return 0;
}

static int open_first(struct session *session, struct error *error)
{
    session_clock_start(&session->clock, INT64_MIN);
    session->ending.options = (struct ending_options){.log = session->options->log,
                                                      .clock = &session->clock.clock,
                                                      .monotonic = &clock_monotonic,
                                                      .has_engine = has_engine(session)};
    int code = ending_open(&session->ending, session->options->run_for_ns, error);
    return code ? code : take_lease(session, error);
}

static int open_all(struct session *session, struct error *error)
{
    int code = raw_open(&session->raw, session->options->raw, error);
    if (!code)
        code = open_venues(session, error);
    if (!code)
        code = open_tape(session, error);
    if (!code)
        code = open_engine(session, error);
    if (!code)
        code = open_paper(session, error);
    if (!code)
        code = open_rotator(session, error);
    if (!code)
        code = open_feed(session, error);
    if (!code)
        code = open_store(session, error);
    if (!code)
        code = open_watch(session, error);
    if (!code)
        code = open_unconfirmed(session, error);
    if (!code)
        code = attach_ops(session, error);
    return code;
}

/* --- running ---------------------------------------------------------------------------------------- */

static int record_all(struct session *session, struct error *error)
{
    struct sink *tape = ops_timed(session->ops, live_tape_sink(session->tape, NULL));
    struct sink *ops = ops_sink(session->ops);
    const struct message *message;
    while ((message = session->written.feed.next(&session->written.feed, error))) {
        int code = tape->message(tape, message, error);
        if (!code && ops)
            code = ops->message(ops, message, error);
        if (code)
            return code;
        session->loop.messages++;
        session->loop.events += message->rows ? message->row_count : 1;
    }
    return error->code;
}

/* Nobody asked for it but the session: the new one knows nothing of the accounts. */
static int ask_for_accounts(struct session *session, struct error *error)
{
    for (size_t v = 0; v < session->venues.count; v++) {
        const union event_record record = {.request_snapshot = {.venue = (uint8_t)v}};
        const struct message request = {.ts_local = session->loop.now,
                                        .stream = EVENT_NONE_16,
                                        .kind = EVENT_request_snapshot,
                                        .record = &record};
        if (session->loop.venue->submit(session->loop.venue, &request, error))
            return error->code;
    }
    return 0;
}

/* The database of the tape that has ended gets its last word, if that goes quickly: orders rest meanwhile. */
static void end_store(struct session *session)
{
    bool healthy = session_store_health(session->store).healthy;
    bool whole =
        session_store_close(&session->store, &session->loop, healthy ? STORE_ROTATE_NS : 0);
    const struct log_field field = log_text("tape", session->tape_path);
    if (!whole)
        log_line(session, LOG_ERROR,
                 "the database of a tape that has ended is behind: capstan project makes it anew",
                 &field, 1);
}

static int rotate_store(struct session *session, struct error *error)
{
    if (!session->options->database)
        return 0;
    if (session->store)
        end_store(session);
    session->fold = (struct fold){.first_start = INT64_MIN, .last_start = INT64_MIN};
    int code = open_store(session, error);
    if (code && !session->venues.settings.global.database_required) {
        log_line(session, LOG_ERROR, error->text, NULL, 0);
        atomic_store(&session->database_is_well, false); /* the next tape's may be */
        error->code = code = ERROR_NONE;
    }
    watch_set_store(session->watch, session->store);
    wire_sinks(session);
    return code;
}

/* One tape is over. */
static int rotate(struct session *session, struct error *error)
{
    int code = rotator_rotate(&session->rotator, session->start.epoch, session->written.now, error);
    bool rotated = !code && session->rotator.options.number != session->tape_number;
    if (code || !has_engine(session))
        return code;
    session->start.epoch++;
    if (rotated) {
        session->tape_number = session->rotator.options.number;
        code =
            rotation_path(session->options->tape, session->tape_number, session->tape_path, error);
        if (!code)
            code = rotate_store(session, error);
        if (code)
            return code;
    }
    live_feed_restart(session->feed, &session->start);
    return ask_for_accounts(session, error);
}

/* Tape after tape. */
static int run_tapes(struct session *session, struct error *error)
{
    int code;
    do {
        code = has_engine(session) ? loop_run(&session->loop, error) : record_all(session, error);
        if (code || session->loop.done || !session->rotator.ended)
            return code;
        code = rotate(session, error);
    } while (!code);
    return code;
}

static int run_all(struct session *session, struct error *error)
{
    for (size_t v = 0; v < session->venues.count; v++) {
        session->found.numbers[v].names = session->names;
        live_io_begin(session->venues.ios[v], &session->found.numbers[v]);
    }
    const struct log_field fields[] = {
        log_unsigned("epoch", session->start.epoch),
        log_unsigned("instruments", session->names->instrument_count)};
    log_line(session, LOG_INFO, "the session begins", fields, 2);
    ending_tell_what_came(&session->ending);
    if (has_engine(session))
        wire(session);
    return run_tapes(session, error);
}

static void fill_result(const struct session *session, struct session_result *result)
{
    result->messages = session->loop.messages;
    result->events = session->loop.events;
    result->epoch = session->start.epoch;
    if (!session->watch)
        return; /* no engine, or it never started */
    const struct engine_counters *counters = engine_counters(session->engine.engine);
    result->decisions = counters->decisions;
    result->fills = counters->fills;
    result->violations = counters->invariant_violations;
    result->open_orders = engine_open_orders(session->engine.engine);
    result->forced = watch_was_forced(session->watch);
}

/* Cancels by the venues' threads alone. */
static bool cancel_without_engine(struct session *session, int64_t limit_ns,
                                  struct sweep_result *result)
{
    const struct sweep_options options = {.waker = &session->waker,
                                          .clock = &session->clock.clock,
                                          .log = session->options->log,
                                          .timeout_ns = limit_ns};
    sweep(&session->venues, &options, result);
    const struct log_field fields[] = {
        log_unsigned("cancels", result->cancels), log_unsigned("remaining", result->remaining),
        log_unsigned("venues_without_answer", result->unheard),
        log_unsigned("venues_not_looked_at_twice", result->unsettled)};
    log_line(session, LOG_ERROR, "cancelled without the engine", fields, 4);
    return result->remaining == 0 && result->unheard == 0 && result->unsettled == 0;
}

/* The engine can't go on: nothing of ours may rest without it. What was cancelled is not on the tape; the next
 * start reconciles with the venues. */
static void cancel_on_exit(struct session *session)
{
    struct sweep_result result;
    if (session->options->mode != SESSION_LIVE || !session->heartbeat || !session->feed)
        return;
    log_line(session, LOG_ERROR, "the session can't go on: cancelling its orders", NULL, 0);
    ending_limit(&session->ending);
    session->swept_clean = cancel_without_engine(session, CANCEL_ON_EXIT_NS, &result);
    if (session->tape)
        live_tape_unwritten(session->tape, result.cancels);
}

/* Its thread hangs: the same, from another. The queues of the venues are this thread's now; should the engine wake, the
 * process ends all the same. */
static bool cancel_for_engine(void *context, int64_t limit_ns)
{
    struct session *session = context;
    struct sweep_result result;
    log_line(session, LOG_ERROR, "the engine's thread gives no sign of life: cancelling its orders",
             NULL, 0);
    return cancel_without_engine(session, limit_ns, &result);
}

static int run_engine(struct session *session, struct error *error)
{
    const struct time_limit_engine engine = {.alive = &session->heartbeat->alive,
                                             .clock = &session->clock.clock,
                                             .cancel = cancel_for_engine,
                                             .context = session};
    if (session->options->mode == SESSION_LIVE)
        time_limit_engine(session->ending.limit, &engine);
    int code = run_all(session, error);
    time_limit_engine_over(session->ending.limit);
    return code;
}

/* The orders that may rest stand in a file, or it is removed; and in the log, where the engine's own end has not told
 * them already. */
static void name_unconfirmed(struct session *session, bool failed)
{
    struct error error = {0};
    size_t count = 0;
    const struct open_order *named = NULL;
    struct open_order *listed = NULL;
    if (!session->unconfirmed)
        return;
    if (!failed) {
        named = watch_unconfirmed(session->watch, &count);
    } else if (!session->swept_clean) {
        size_t open = open_orders_list(watch_orders(session->watch), NULL, 0);
        listed = calloc(open + 1, sizeof *listed);
        count = listed ? open_orders_list(watch_orders(session->watch), listed, open) : 0;
        count = count < open ? count : open;
        named = listed;
        unconfirmed_log(session->unconfirmed, session->options->log, target,
                        clock_now(&session->clock.clock), named, count);
    }
    if (unconfirmed_write(session->unconfirmed, named, count, &error))
        log_line(session, LOG_ERROR, error.text, NULL, 0);
    const struct log_field fields[] = {log_unsigned("orders", count),
                                       log_text("file", unconfirmed_path(session->unconfirmed))};
    if (count > 0)
        log_line(session, LOG_ERROR, "orders that may still rest are named in a file", fields, 2);
    free(listed);
}

static void close_all(struct session *session)
{
    ending_lets_go(&session->ending);
    ops_close(&session->ops); /* its thread posts to the feed */
    live_venues_close(&session->venues);
    ending_close(&session->ending); /* all that could hang is over */
    unconfirmed_close(&session->unconfirmed);
    watch_close(&session->watch);
    if (session->feed)
        live_feed_feed(session->feed)->close(live_feed_feed(session->feed));
    rotator_close(&session->rotator);
    paper_close(&session->paper);
    run_engine_close(&session->engine);
    live_tape_abandon(&session->tape);
    live_names_free(&session->found);
    free(session->config_text);
    heartbeat_close(&session->heartbeat);
    raw_close(&session->raw);
    lease_release(&session->lease);
    waker_close(&session->waker);
}

/* A signal came while the venues were being asked: nothing was sent. Whether an earlier session left orders is then
 * for its own end to say. */
static bool stopped_before_start(struct session *session)
{
    struct heartbeat *heartbeat = NULL;
    struct error error = {0};
    if (!atomic_load(&session->ending.asked) || session->feed)
        return false;
    bool left = heartbeat_read(&heartbeat, session->options->tape, &error) == 0 &&
                atomic_load(&heartbeat->alive) != HEARTBEAT_ENDED;
    heartbeat_close(&heartbeat);
    log_line(session, left ? LOG_WARN : LOG_INFO,
             left ? "stopped before the session began; the one before died, and its orders may rest"
                  : "stopped before the session began: no order was sent",
             NULL, 0);
    return !left;
}

/* From the first look at the venues to the finished tape. */
static int run_whole(struct session *session, struct session_result *result, struct error *error)
{
    int code = open_all(session, error);
    if (!code) {
        code = run_engine(session, error);
        if (code)
            cancel_on_exit(session);
        name_unconfirmed(session, code != 0);
    }
    if (code && stopped_before_start(session))
        code = error->code = ERROR_NONE;
    ops_detach(session->ops);            /* it uses the venues and the tape's names */
    live_venues_close(&session->venues); /* their threads use the tape's names */
    session_store_close(&session->store, &session->loop, STORE_CLOSE_NS);
    if (!code && session->tape)
        code = live_tape_finish(&session->tape, error);
    if (!code)
        fill_result(session, result);
    if (!code && result->forced)
        code = error_set(error, ERROR_SYSTEM,
                         "the shutdown ended by force: %llu orders are not known to have ended%s%s",
                         (unsigned long long)result->open_orders,
                         session->unconfirmed ? ", named in " : "",
                         session->unconfirmed ? unconfirmed_path(session->unconfirmed) : "");
    if (!code && session->heartbeat)
        atomic_store(&session->heartbeat->alive, HEARTBEAT_ENDED);
    return code;
}

int session_run(const struct session_options *options, struct session_result *result,
                struct error *error)
{
    struct session *session = calloc(1, sizeof *session);
    memset(result, 0, sizeof *result);
    if (!session)
        return error_set(error, ERROR_SYSTEM, "no memory for a session");
    session->options = options;
    int code = waker_open(&session->waker, error);
    if (code) {
        free(session);
        return code;
    }
    const struct log_field field = log_text("tape", options->tape);
    struct log_span span = {.name = "session", .fields = &field, .field_count = 1};
    log_span_enter(&span);
    code = open_first(session, error);
    if (!code && !ended_standing_by(session))
        code = run_whole(session, result, error);
    close_all(session);
    log_span_leave(&span);
    free(session);
    return code;
}
