/* See session_lease.h. */
#include "config.h"

#include "live/session_lease.h"

#include <time.h>

#include "base/time.h"
#include "live/session_ops.h"
#include "live/session_parts.h"

/* How often a session that stands by looks for the lease. */
#define LEASE_EVERY_NS (200 * NS_PER_MS)

static void await_lease(struct session *session, const struct lease_options *options,
                        struct error *holder, struct error *error)
{
    const struct timespec pause = {.tv_nsec = LEASE_EVERY_NS};
    const struct log_field field = log_text("lease", holder->text);
    session_log(session, LOG_WARN, "standing by: another session trades this account", &field, 1);
    ops_stand_by(session->ops, true);
    while (session->lease.count == 0 && !atomic_load(&session->ending.stopping) && !error->code) {
        nanosleep(&pause, NULL);
        lease_try(&session->lease, options, holder, error);
    }
    ops_stand_by(session->ops, false);
    if (session->lease.count > 0)
        session_log(session, LOG_INFO, "the lease is ours: taking over", NULL, 0);
}

int session_lease_take(struct session *session, struct error *error)
{
    const struct live_venues *venues = &session->venues;
    struct error holder = {0};
    if (session->options->mode != SESSION_LIVE)
        return session_ops_open(session, error);
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
    code = session_ops_open(session, error);
    if (!code && !held)
        await_lease(session, &options, &holder, error);
    return error->code;
}

bool session_lease_is_missing(const struct session *session)
{
    return session->options->mode == SESSION_LIVE && session->lease.count == 0;
}
