/* See session_run.h. */
#include "config.h"

#include "live/session_run.h"

#include "live/session_databases.h"
#include "live/session_orders.h"
#include "live/session_parts.h"

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

/* One tape is over; the session is not, and its epoch stays. */
static int rotate(struct session *session, struct error *error)
{
    int code = rotator_rotate(&session->rotator, session->start.epoch, session->written.now, error);
    const uint64_t number = session->rotator.options.number;
    bool rotated = !code && number != session->tape_number;
    if (rotated) {
        atomic_store(&session->tape_number, number);
        code = rotation_path(session->options->tape, number, session->tape_path, error);
    }
    if (code || !session_has_engine(session))
        return code;
    if (rotated) {
        code = session_databases_rotate(session, error);
        wire_sinks(session);
        if (code)
            return code;
    }
    live_feed_restart(session->feed, &session->start);
    return 0;
}

static int run_chain(struct session *session, struct error *error)
{
    int code;
    do {
        code = session_has_engine(session) ? loop_run(&session->loop, error)
                                           : record_all(session, error);
        if (code || session->loop.done || !session->rotator.ended)
            return code;
        code = rotate(session, error);
    } while (!code);
    return code;
}

static int run_session(struct session *session, struct error *error)
{
    for (size_t v = 0; v < session->venues.count; v++) {
        session->found.numbers[v].names = session->names;
        live_io_begin(session->venues.ios[v], &session->found.numbers[v]);
    }
    const struct log_field fields[] = {
        log_unsigned("epoch", session->start.epoch),
        log_unsigned("instruments", session->names->instrument_count)};
    session_log(session, LOG_INFO, "the session begins", fields, 2);
    ending_tell_what_came(&session->ending);
    if (session_has_engine(session))
        wire(session);
    return run_chain(session, error);
}

int session_run_tapes(struct session *session, struct error *error)
{
    const struct time_limit_engine engine = {.alive = &session->heartbeat->alive,
                                             .clock = &session->clock.clock,
                                             .cancel = session_orders_cancel_for_engine,
                                             .context = session};
    if (session->options->mode == SESSION_LIVE)
        time_limit_engine(session->ending.limit, &engine);
    int code = run_session(session, error);
    time_limit_engine_over(session->ending.limit);
    return code;
}
