/* See session_open.h. */
#include "config.h"

#include "live/session_open.h"

#include <time.h>

#include "base/time.h"
#include "live/session_databases.h"
#include "live/session_ops.h"
#include "live/session_orders.h"
#include "live/session_parts.h"
#include "run/succession.h"

/* Fills are asked for from so long before the tape's last message: clocks differ. Of that time the engine knows its
 * trades again, if they are no more than 4096. */
#define FILLS_OVERLAP_NS (60 * NS_PER_SECOND)

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

/* --- the tape and its engine -------------------------------------------------------------------------- */

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
    session_log(session, lost ? LOG_WARN : LOG_INFO, text, fields, recovery->made ? 0 : 7);
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
    uint64_t number = 1;
    int code = rotation_newest(base, &number, error);
    if (!code)
        code = rotation_settle(base, number, error);
    atomic_store(&session->tape_number, number);
    return code ? code : rotation_path(base, number, session->tape_path, error);
}

static void tell_setting(void *context, const char *setting, const char *before, const char *after)
{
    struct session *session = context;
    const struct log_field fields[] = {log_text("setting", setting),
                                       log_text("before", before != NULL ? before : "-"),
                                       log_text("now", after != NULL ? after : "-")};
    session_log(session, LOG_INFO, "a setting is another than on the tape", fields, 3);
}

/* Where the newest tape is under other settings its chain goes on with another one. A paper session can go on with
 * none. */
static int begin_next(struct session *session, const struct tape_header *header,
                      struct error *error)
{
    const struct succession_options options = {
        .base = session->options->tape,
        .number = session->tape_number,
        .header = header,
        .config = session_has_engine(session) ? session->options->config : NULL,
        .changed = tell_setting,
        .context = session};
    struct succession succession;
    if (session->options->mode == SESSION_PAPER)
        return 0;
    int code = succession_begin(&options, &succession, error);
    if (code || !succession.begun)
        return code;
    log_recovery(session, &succession.recovery);
    atomic_store(&session->tape_number, options.number + 1);
    code = rotation_path(options.base, options.number + 1, session->tape_path, error);
    const struct log_field field = log_text("tape", session->tape_path);
    if (!code)
        session_log(session, LOG_INFO, "the session goes on with a new tape, under other settings",
                    &field, 1);
    return code;
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
    const uint64_t newest = session->tape_number;
    code = begin_next(session, &header, error);
    if (code)
        return code;
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
    if (session->tape_number == newest)
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
    if (!session_has_engine(session))
        return fold_refuse_session(session->tape_path, error);
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

/* --- what stands between venues and engine --------------------------------------------------------------- */

static int open_paper(struct session *session, struct error *error)
{
    if (session->options->mode != SESSION_PAPER)
        return 0;
    return paper_open(&session->paper, &session->engine.resolved, session->names,
                      clock_now(&session->clock.clock), error);
}

static void want_snapshots(void *context)
{
    struct session *session = context;
    for (size_t v = 0; v < session->venues.count; v++)
        live_io_reconnect(session->venues.ios[v], "whole books are wanted for the tape");
}

static int open_rotator(struct session *session, struct error *error)
{
    const struct rotator_options options = {
        .base = session->options->tape,
        .number = session->tape_number,
        .every = session->venues.settings.global.tape_rotate_every,
        .tape = session->tape,
        .names = session->names,
        .engine = session_has_engine(session) ? &session->engine : NULL,
        .log = session->options->log,
        .want_snapshots = want_snapshots,
        .context = session};
    return rotator_open(&session->rotator, &options, clock_now(&session->clock.clock), error);
}

static int64_t engine_due(const void *engine)
{
    return engine_deadline(engine);
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
    if (session_has_engine(session)) {
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

/* Ours, and those that only the venue knows. */
static size_t order_capacity(const struct session *session)
{
    const struct settings_global *global = &session->venues.settings.global;
    return (size_t)(global->orders_capacity + global->safety_orphans);
}

static int open_watch(struct session *session, struct error *error)
{
    if (!session_has_engine(session))
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

int session_open_all(struct session *session, struct error *error)
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
        code = session_databases_open(session, error);
    if (!code)
        code = open_watch(session, error);
    if (!code)
        code = session_orders_open(session, error);
    if (!code)
        code = session_ops_attach(session, error);
    return code;
}
