/* See sweep.h. */
#include "config.h"

#include "live/sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

enum { ORDER_TEXT_MAX = 32 };

/* Between two looks at an account, and without an answer. */
#define AGAIN_NS (1 * NS_PER_SECOND)
#define LOST_NS  (10 * NS_PER_SECOND)
/* A venue may take a request so long after it left: Binance.US's recvWindow. */
#define LATE_NS (5 * NS_PER_SECOND)

/* One venue's part. */
struct swept {
    int64_t asked;   /* when the account that is awaited was asked for */
    int64_t ask_at;  /* TIME_NEVER: an account is awaited, or all is well */
    int64_t lost_at; /* when the one that is awaited is given up */
    int64_t empty;   /* since when each look showed none; TIME_NEVER: the last one did not */
    int64_t spread;  /* of the looks that show none, at least */
    uint64_t shown;  /* of ours in the account that comes now */
    uint64_t remaining;
    bool heard, clean;
};

struct sweeping {
    struct live_venues *venues;
    const struct clock *clock;
    const struct log *log;
    struct swept swept[LIVE_VENUES_MAX];
    struct sweep_result *result;
};

/* A line about an order, by its name. */
static void tell(struct sweeping *sweeping, size_t v, enum log_level level, const char *text,
                 order_id order, struct log_field more)
{
    char name[ORDER_TEXT_MAX];
    snprintf(name, sizeof name, "#%" PRIu64 ".%" PRIu64, order >> 32, order & UINT32_MAX);
    const struct log_field fields[] = {log_text("venue", live_io_name(sweeping->venues->ios[v])),
                                       log_text("order", name), more};
    log_write(sweeping->log, level, "capstan.sweep", clock_now(sweeping->clock), text, fields, 3);
}

static void cancel(struct sweeping *sweeping, size_t v, const struct event_open_order *order)
{
    const union event_record record = {
        .cancel = {.instrument = order->instrument, .order = order->order, .why = CANCEL_SHUTDOWN}};
    const struct message decision = {
        .stream = EVENT_NONE_16, .kind = EVENT_cancel, .record = &record};
    char id[EVENT_VENUE_ID_MAX + 1] = "";
    memcpy(id, order->venue_order.bytes, order->venue_order.length);
    sweeping->swept[v].shown++;
    if (!live_io_submit(sweeping->venues->ios[v], &decision)) {
        tell(sweeping, v, LOG_ERROR,
             "cancel of an order that no engine looks after could not be sent", order->order,
             log_text("venue_order", id));
        return; /* asked again with the next account */
    }
    sweeping->result->cancels++;
    tell(sweeping, v, LOG_WARN, "cancel of an order that no engine looks after", order->order,
         log_text("venue_order", id));
}

/* How a cancel ended, or another request that was still on its way. */
static void tell_end(struct sweeping *sweeping, size_t v, const struct message *message)
{
    const union event_record *record = message->record;
    if (message->kind == EVENT_order_cancelled)
        tell(sweeping, v, LOG_INFO, "order_cancelled", record->order_cancelled.order,
             log_text("cause", event_enum_text(FIELD_CANCEL_CAUSE, record->order_cancelled.cause)));
    if (message->kind == EVENT_cancel_rejected)
        tell(sweeping, v, LOG_ERROR, "cancel_rejected", record->cancel_rejected.order,
             log_text("reason", event_enum_text(FIELD_REJECT, record->cancel_rejected.reason)));
    if (message->kind == EVENT_order_unknown)
        tell(sweeping, v, LOG_ERROR, "order_unknown", record->order_unknown.order,
             log_text("request", event_enum_text(FIELD_REQUEST, record->order_unknown.request)));
}

/* One look that shows none is not believed: what left before it may still be taken by the venue. */
static void judge(struct sweeping *sweeping, struct swept *swept, int64_t taken)
{
    swept->heard = true;
    swept->remaining = swept->shown;
    swept->lost_at = TIME_NEVER;
    if (swept->shown > 0) {
        swept->empty = TIME_NEVER;
        swept->ask_at = clock_now(sweeping->clock) + AGAIN_NS;
        return;
    }
    if (swept->empty == TIME_NEVER)
        swept->empty = taken;
    swept->clean = taken - swept->empty >= swept->spread;
    swept->ask_at = swept->clean ? TIME_NEVER : swept->empty + swept->spread;
}

/* An account from before it was asked for, which the adapter tells unasked, says nothing of the cancels since. */
static void take_end(struct sweeping *sweeping, struct swept *swept, int64_t taken)
{
    if (swept->lost_at != TIME_NEVER && taken >= swept->asked)
        judge(sweeping, swept, taken);
    swept->shown = 0;
}

static void take(struct sweeping *sweeping, size_t v, const struct message *message)
{
    struct swept *swept = &sweeping->swept[v];
    if (message->kind == EVENT_open_order && message->record->open_order.order != 0)
        cancel(sweeping, v, &message->record->open_order);
    if (message->kind == EVENT_snapshot_end)
        take_end(sweeping, swept, message->record->snapshot_end.taken);
    tell_end(sweeping, v, message);
}

static void ask(struct sweeping *sweeping, size_t v, int64_t now)
{
    struct swept *swept = &sweeping->swept[v];
    const union event_record record = {.request_snapshot = {.venue = (uint8_t)v}};
    const struct message decision = {.ts_local = now,
                                     .stream = EVENT_NONE_16,
                                     .kind = EVENT_request_snapshot,
                                     .record = &record};
    swept->asked = now;
    swept->shown = 0;
    swept->ask_at = TIME_NEVER;
    swept->lost_at = now + LOST_NS;
    if (!live_io_submit(sweeping->venues->ios[v], &decision))
        swept->ask_at = now + AGAIN_NS;
}

/* One venue's turn; true while it is not clean. */
static bool turn(struct sweeping *sweeping, size_t v, struct message_room *room)
{
    struct swept *swept = &sweeping->swept[v];
    struct message message;
    int64_t now = clock_now(sweeping->clock);
    if (!swept->clean && (swept->ask_at <= now || swept->lost_at <= now))
        ask(sweeping, v, now);
    while (message_queue_get(live_io_messages(sweeping->venues->ios[v]), room, &message))
        take(sweeping, v, &message);
    return !swept->clean;
}

/* Two looks and the cancels between have to find room in the time that there is. */
static int64_t spread_of(int64_t request_timeout, int64_t time)
{
    int64_t spread = request_timeout > LATE_NS ? request_timeout : LATE_NS;
    return spread < time / 3 ? spread : time / 3;
}

static void begin(struct sweeping *sweeping, int64_t time)
{
    const struct settings_venue *settings = sweeping->venues->settings.venues;
    for (size_t v = 0; v < sweeping->venues->count; v++)
        sweeping->swept[v] =
            (struct swept){.lost_at = TIME_NEVER,
                           .empty = TIME_NEVER,
                           .spread = spread_of(settings[v].live_request_timeout, time)};
}

static bool goes_on(const struct sweep_options *options, int64_t until)
{
    return clock_now(options->clock) < until &&
           !(options->stop && options->stop(options->stop_context));
}

static void sum_up(struct sweeping *sweeping)
{
    struct sweep_result *result = sweeping->result;
    for (size_t v = 0; v < sweeping->venues->count; v++) {
        const struct swept *swept = &sweeping->swept[v];
        result->remaining += swept->remaining;
        result->unheard += !swept->heard;
        result->unsettled += swept->heard && swept->remaining == 0 && !swept->clean;
    }
}

void sweep(struct live_venues *venues, const struct sweep_options *options,
           struct sweep_result *result)
{
    struct sweeping sweeping = {
        .venues = venues, .clock = options->clock, .log = options->log, .result = result};
    struct message_room room = {.rows = calloc(EVENT_ROWS_MAX, sizeof(struct row)),
                                .row_capacity = EVENT_ROWS_MAX};
    const int64_t until = clock_now(options->clock) + options->timeout_ns;
    *result = (struct sweep_result){0};
    begin(&sweeping, options->timeout_ns);
    bool dirty = room.rows != NULL;
    while (dirty && goes_on(options, until)) {
        dirty = false;
        for (size_t v = 0; v < venues->count; v++)
            dirty = turn(&sweeping, v, &room) || dirty;
        waker_prepare(options->waker);
        if (dirty)
            waker_sleep(options->waker, 20 * NS_PER_MS);
        else
            waker_cancel(options->waker);
    }
    sum_up(&sweeping);
    free(room.rows);
}
