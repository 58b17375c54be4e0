/* See session.h. What one session is made of stands in live/session_parts.h. */
#include "config.h"

#include "live/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live/session_databases.h"
#include "live/session_lease.h"
#include "live/session_open.h"
#include "live/session_orders.h"
#include "live/session_parts.h"
#include "live/session_run.h"

static int open_first(struct session *session, struct error *error)
{
    session_clock_start(&session->clock, INT64_MIN);
    session->ending.options = (struct ending_options){.log = session->options->log,
                                                      .clock = &session->clock.clock,
                                                      .monotonic = &clock_monotonic,
                                                      .has_engine = session_has_engine(session)};
    int code = ending_open(&session->ending, session->options->run_for_ns, error);
    return code ? code : session_lease_take(session, error);
}

/* Somebody asked for the end while the venues were being asked: nothing was sent. Whether an earlier session left orders
 * is then for its own end to say. */
static bool stopped_before_start(struct session *session)
{
    struct heartbeat *heartbeat = NULL;
    struct error error = {0};
    if (!atomic_load(&session->ending.asked) || session->feed)
        return false;
    bool left = heartbeat_read(&heartbeat, session->options->tape, &error) == 0 &&
                atomic_load(&heartbeat->alive) != HEARTBEAT_ENDED;
    heartbeat_close(&heartbeat);
    session_log(
        session, left ? LOG_WARN : LOG_INFO,
        left ? "stopped before the session began; the one before died, and its orders may rest"
             : "stopped before the session began: no order was sent",
        NULL, 0);
    return !left;
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

/* From the first look at the venues to the finished tape. */
static int run_whole(struct session *session, struct session_result *result, struct error *error)
{
    int code = session_open_all(session, error);
    if (!code) {
        code = session_run_tapes(session, error);
        if (code)
            session_orders_cancel(session);
        session_orders_name(session, code != 0);
    }
    if (code && stopped_before_start(session))
        code = error->code = ERROR_NONE;
    ops_detach(session->ops);            /* it uses the venues and the tape's names */
    live_venues_close(&session->venues); /* their threads use the tape's names */
    session_databases_close(session);
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
    snprintf(session->tape_path, sizeof session->tape_path, "%s", options->tape);
    const struct log_field field = log_text("tape", session->tape_path); /* as it is then */
    struct log_span span = {.name = "session", .fields = &field, .field_count = 1};
    log_span_enter(&span);
    code = open_first(session, error);
    if (!code && !session_lease_is_missing(session))
        code = run_whole(session, result, error);
    close_all(session);
    log_span_leave(&span);
    free(session);
    return code;
}
