/* See watch.h. */
#include "config.h"

#include "live/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "live/reconciled.h"

enum { TEXT_MAX = 1024 };

/* X(kind, level): how loud each kind of record is in the log; what is in no row is not logged. */
#define LOGGED(X)                                                                                  \
    X(EVENT_start, LOG_INFO)                                                                       \
    X(EVENT_gap, LOG_WARN)                                                                         \
    X(EVENT_feed_connection, LOG_INFO)                                                             \
    X(EVENT_instrument_status, LOG_INFO)                                                           \
    X(EVENT_definition, LOG_INFO)                                                                  \
    X(EVENT_order_accepted, LOG_DEBUG)                                                             \
    X(EVENT_order_rejected, LOG_WARN)                                                              \
    X(EVENT_order_filled, LOG_INFO)                                                                \
    X(EVENT_order_cancelled, LOG_DEBUG)                                                            \
    X(EVENT_cancel_rejected, LOG_WARN)                                                             \
    X(EVENT_order_modified, LOG_DEBUG)                                                             \
    X(EVENT_modify_rejected, LOG_WARN)                                                             \
    X(EVENT_order_expired, LOG_INFO)                                                               \
    X(EVENT_order_unknown, LOG_WARN)                                                               \
    X(EVENT_order_not_found, LOG_WARN)                                                             \
    X(EVENT_order_status, LOG_DEBUG)                                                               \
    X(EVENT_snapshot_end, LOG_DEBUG)                                                               \
    X(EVENT_command, LOG_INFO)                                                                     \
    X(EVENT_clock_jump, LOG_WARN)                                                                  \
    X(EVENT_shutdown, LOG_INFO)                                                                    \
    X(EVENT_step_done, LOG_DEBUG)                                                                  \
    X(EVENT_place, LOG_DEBUG)                                                                      \
    X(EVENT_cancel, LOG_DEBUG)                                                                     \
    X(EVENT_modify, LOG_DEBUG)                                                                     \
    X(EVENT_replace, LOG_DEBUG)                                                                    \
    X(EVENT_query, LOG_INFO)                                                                       \
    X(EVENT_cancel_orphan, LOG_WARN)                                                               \
    X(EVENT_gate, LOG_INFO)                                                                        \
    X(EVENT_removed, LOG_ERROR)                                                                    \
    X(EVENT_breaker, LOG_WARN)                                                                     \
    X(EVENT_pause, LOG_WARN)                                                                       \
    X(EVENT_infrastructure, LOG_WARN)                                                              \
    X(EVENT_alarm, LOG_ERROR)                                                                      \
    X(EVENT_shutdown_state, LOG_INFO)                                                              \
    X(EVENT_step_failed, LOG_ERROR)                                                                \
    X(EVENT_unconfirmed, LOG_ERROR)                                                                \
    X(EVENT_final_position, LOG_INFO)                                                              \
    X(EVENT_final_balance, LOG_INFO)                                                               \
    X(EVENT_final_counters, LOG_INFO)

struct watch {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct watch_options options;
    struct reconciled *reconciled;
    bool forced;
    int64_t now;                 /* of the last message */
    atomic_size_t to_disconnect; /* venues that have not ended yet */
};

static enum log_level level_of(unsigned kind)
{
    switch (kind) {
#define X(kind, level)                                                                             \
    case kind:                                                                                     \
        return level;
        LOGGED(X)
#undef X
    default:
        return LOG_OFF;
    }
}

static void log_message(struct watch *watch, const struct message *message)
{
    static const char target[] = "capstan.engine";
    char text[TEXT_MAX];
    enum log_level level = level_of(message->kind);
    if (level == LOG_OFF || !log_passes(watch->options.log, level, target))
        return;
    message_to_text(message, watch->options.names, text, sizeof text);
    /* The line has the time already. */
    const char *rest = strchr(text, ' ');
    const struct log_field field = log_text("record", rest ? rest + 1 : text);
    log_write(watch->options.log, level, target, message->ts_local,
              event_kind_info(message->kind)->name, &field, 1);
}

static void tell_trouble(struct watch *watch)
{
    struct error trouble = {0};
    while (live_tape_trouble(watch->options.tape, &trouble))
        log_write(watch->options.log, LOG_ERROR, "capstan.tape", watch->now, trouble.text, NULL, 0);
}

static void post_done(struct watch *watch, enum shutdown_step step)
{
    const union event_record record = {.step_done = {.step = (uint8_t)step}};
    live_feed_post(watch->options.feed, EVENT_step_done, &record);
}

/* From the thread of a venue that has disconnected. */
static void venue_ended(void *context)
{
    struct watch *watch = context;
    if (atomic_fetch_sub(&watch->to_disconnect, 1) == 1)
        post_done(watch, SHUTDOWN_DISCONNECTING);
}

static void disconnect(struct watch *watch)
{
    struct live_venues *venues = watch->options.venues;
    atomic_store(&watch->to_disconnect, venues->count);
    for (size_t v = 0; v < venues->count; v++)
        live_io_stop(venues->ios[v], venue_ended, watch);
}

/* What the engine waits for outside itself. Queues hold nothing that is not handed on at once, and no database
 * is written in a live session: these two steps are done when they begin. */
static void take_step(struct watch *watch, enum shutdown_step step)
{
    switch ((int)step) {
    case SHUTDOWN_FLUSHING:
    case SHUTDOWN_CLOSING:
        post_done(watch, step);
        break;
    case SHUTDOWN_DISCONNECTING:
        disconnect(watch);
        break;
    case SHUTDOWN_FORCED:
        watch->forced = true;
        break;
    default:
        break;
    }
}

static int take_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct watch *watch = (struct watch *)sink;
    (void)error;
    watch->now = message->ts_local;
    log_message(watch, message);
    if (message->kind >= EVENT_start)
        reconciled_take(watch->reconciled, watch->options.engine, message);
    return 0;
}

static int stepped(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)engine, (void)error;
    tell_trouble((struct watch *)sink);
    return 0;
}

static int take_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct watch *watch = (struct watch *)sink;
    (void)error;
    log_message(watch, decision);
    if (decision->kind == EVENT_shutdown_state)
        take_step(watch, decision->record->shutdown_state.step);
    return 0;
}

int watch_open(struct watch **out, const struct watch_options *options, struct error *error)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return error_set(error, ERROR_SYSTEM, "no memory for a session");
    watch->options = *options;
    watch->sink = (struct sink){
        .market = true, .message = take_message, .stepped = stepped, .decision = take_decision};
    *out = watch;
    return reconciled_open(&watch->reconciled, options->engine, options->names, options->log,
                           error);
}

void watch_close(struct watch **watch)
{
    if (*watch)
        reconciled_close(&(*watch)->reconciled);
    free(*watch);
    *watch = NULL;
}

struct sink *watch_sink(struct watch *watch)
{
    return &watch->sink;
}

bool watch_was_forced(const struct watch *watch)
{
    return watch->forced;
}
