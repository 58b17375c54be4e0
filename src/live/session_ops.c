/* See session_ops.h. */
#include "config.h"

#include "live/session_ops.h"

#include "live/session_databases.h"
#include "live/session_parts.h"

static void stop(void *context)
{
    struct session *session = context;
    ending_command(&session->ending);
}

int session_ops_open(struct session *session, struct error *error)
{
    static const struct event_names no_names;
    struct config_resolved resolved = {0};
    int code = config_resolve(session->options->config, &no_names, true, &resolved, error);
    if (code)
        return code;
    const struct ops_options options = {.settings = &resolved.global,
                                        .log = session->options->log,
                                        .clock = &session->clock.clock,
                                        .stop = stop,
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
    return session_databases_check(context);
}

static void tell_tape(void *context, char path[OPS_PATH_BYTES])
{
    const struct session *session = context;
    struct error ignored;
    _Static_assert((int)OPS_PATH_BYTES == (int)ROTATION_PATH_BYTES, "a path of both");
    (void)rotation_path(session->options->tape, atomic_load(&session->tape_number), path, &ignored);
}

int session_ops_attach(struct session *session, struct error *error)
{
    static const char *const modes[] = {
        [SESSION_LIVE] = "live", [SESSION_PAPER] = "paper", [SESSION_RECORD] = "record"};
    const struct ops_session shown = {.mode = modes[session->options->mode],
                                      .tape = session->options->tape,
                                      .open_tape = tell_tape,
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
