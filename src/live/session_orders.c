/* See session_orders.h. */
#include "config.h"

#include "live/session_orders.h"

#include <stdlib.h>

#include "base/time.h"
#include "live/session_parts.h"
#include "live/sweep.h"

/* D1's limit is 30 s in all; this is what orders get of it where the engine is gone. */
#define CANCEL_ON_EXIT_NS (20 * NS_PER_SECOND)

int session_orders_open(struct session *session, struct error *error)
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
        session_log(session, LOG_WARN, "the session before could not end all its orders", fields,
                    2);
    return 0;
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
    session_log(session, LOG_ERROR, "cancelled without the engine", fields, 4);
    return result->remaining == 0 && result->unheard == 0 && result->unsettled == 0;
}

void session_orders_cancel(struct session *session)
{
    struct sweep_result result;
    if (session->options->mode != SESSION_LIVE || !session->heartbeat || !session->feed)
        return;
    session_log(session, LOG_ERROR, "the session can't go on: cancelling its orders", NULL, 0);
    ending_limit(&session->ending);
    session->swept_clean = cancel_without_engine(session, CANCEL_ON_EXIT_NS, &result);
    if (session->tape)
        live_tape_unwritten(session->tape, result.cancels);
}

bool session_orders_cancel_for_engine(void *context, int64_t limit_ns)
{
    struct session *session = context;
    struct sweep_result result;
    session_log(session, LOG_ERROR,
                "the engine's thread gives no sign of life: cancelling its orders", NULL, 0);
    return cancel_without_engine(session, limit_ns, &result);
}

void session_orders_name(struct session *session, bool failed)
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
        unconfirmed_log(session->unconfirmed, session->options->log, SESSION_TARGET,
                        clock_now(&session->clock.clock), named, count);
    }
    if (unconfirmed_write(session->unconfirmed, named, count, &error))
        session_log(session, LOG_ERROR, error.text, NULL, 0);
    const struct log_field fields[] = {log_unsigned("orders", count),
                                       log_text("file", unconfirmed_path(session->unconfirmed))};
    if (count > 0)
        session_log(session, LOG_ERROR, "orders that may still rest are named in a file", fields,
                    2);
    free(listed);
}
