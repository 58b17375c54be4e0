/* See watch.h. */
#include "config.h"

#include "live/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "live/event_log.h"
#include "live/fees.h"
#include "live/reconciled.h"

enum { UNCONFIRMED_MAX = 1024 };

struct watch {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct watch_options options;
    struct event_log log;
    struct open_orders *orders;
    struct reconciled *reconciled;
    struct fees *fees;
    bool forced;
    size_t unconfirmed_count;
    struct open_order unconfirmed[UNCONFIRMED_MAX];
    int64_t now;                 /* of the last message */
    atomic_size_t to_disconnect; /* venues that have not ended yet */
};

static void tell_trouble(struct watch *watch)
{
    struct error trouble = {0};
    while (live_tape_trouble(watch->options.tape, &trouble))
        log_write(watch->options.log, LOG_ERROR, "capstan.tape", watch->now, trouble.text, NULL, 0);
}

static void post_done(struct watch *watch, enum shutdown_step step, bool failed)
{
    const union event_record record = {.step_done = {.step = (uint8_t)step, .failed = failed}};
    live_feed_post(watch->options.feed, EVENT_step_done, &record);
}

/* From the thread of a venue that has disconnected. */
static void venue_ended(void *context)
{
    struct watch *watch = context;
    if (atomic_fetch_sub(&watch->to_disconnect, 1) == 1)
        post_done(watch, SHUTDOWN_DISCONNECTING, false);
}

static void disconnect(struct watch *watch)
{
    struct live_venues *venues = watch->options.venues;
    atomic_store(&watch->to_disconnect, venues->count);
    for (size_t v = 0; v < venues->count; v++)
        live_io_stop(venues->ios[v], venue_ended, watch);
}

static void database_closed(void *context, bool failed)
{
    post_done(context, SHUTDOWN_CLOSING, failed);
}

static void close_database(struct watch *watch)
{
    if (watch->options.store)
        session_store_flush(watch->options.store, database_closed, watch);
    else
        post_done(watch, SHUTDOWN_CLOSING, false);
}

/* What the engine waits for outside itself. Queues hold nothing that is not handed on at once: to flush them is
 * done when it begins. */
static void take_step(struct watch *watch, enum shutdown_step step)
{
    switch ((int)step) {
    case SHUTDOWN_FLUSHING:
        post_done(watch, step, false);
        break;
    case SHUTDOWN_CLOSING:
        close_database(watch);
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

static void take_unconfirmed(struct watch *watch, const struct event_unconfirmed *named)
{
    if (watch->unconfirmed_count < UNCONFIRMED_MAX)
        watch->unconfirmed[watch->unconfirmed_count++] =
            (struct open_order){.order = named->order,
                                .instrument = named->instrument,
                                .side = named->side,
                                .price = named->price,
                                .leaves = named->leaves,
                                .venue_order = named->venue_order};
}

static int take_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct watch *watch = (struct watch *)sink;
    (void)error;
    watch->now = message->ts_local;
    event_log_write(&watch->log, message);
    open_orders_take(watch->orders, message);
    if (message->kind >= EVENT_start)
        reconciled_take(watch->reconciled, watch->options.engine, message);
    fees_take(watch->fees, watch->options.engine, message);
    return 0;
}

static int stepped(struct sink *sink, const struct engine *engine, struct error *error)
{
    struct watch *watch = (struct watch *)sink;
    (void)error;
    fees_stepped(watch->fees, engine);
    tell_trouble(watch);
    open_orders_stepped(watch->orders);
    return 0;
}

static int take_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    struct watch *watch = (struct watch *)sink;
    (void)error;
    event_log_write(&watch->log, decision);
    open_orders_take(watch->orders, decision);
    if (decision->kind == EVENT_unconfirmed)
        take_unconfirmed(watch, &decision->record->unconfirmed);
    if (decision->kind == EVENT_shutdown_state)
        take_step(watch, decision->record->shutdown_state.step);
    return 0;
}

struct open_orders *watch_orders(struct watch *watch)
{
    return watch->orders;
}

const struct open_order *watch_unconfirmed(const struct watch *watch, size_t *count)
{
    *count = watch->unconfirmed_count;
    return watch->unconfirmed;
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
    int code = open_orders_open(&watch->orders, options->engine, options->order_capacity, error);
    watch->log =
        (struct event_log){.log = options->log, .names = options->names, .orders = watch->orders};
    if (!code)
        code = reconciled_open(&watch->reconciled, options->engine, options->names, options->log,
                               error);
    if (!code)
        code = fees_open(&watch->fees, options->names, options->log, error);
    return code;
}

void watch_close(struct watch **watch)
{
    if (*watch) {
        reconciled_close(&(*watch)->reconciled);
        fees_close(&(*watch)->fees);
        open_orders_close(&(*watch)->orders);
    }
    free(*watch);
    *watch = NULL;
}

void watch_set_store(struct watch *watch, struct session_store *store)
{
    watch->options.store = store;
}

struct sink *watch_sink(struct watch *watch)
{
    return &watch->sink;
}

bool watch_was_forced(const struct watch *watch)
{
    return watch->forced;
}
