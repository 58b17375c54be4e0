/* See event_log.h. */
#include "config.h"

#include "live/event_log.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum { FIELDS_MAX = 24, VALUE_MAX = 128 };

static const char target[] = "capstan.engine";

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
    X(EVENT_adopt, LOG_INFO)                                                                       \
    X(EVENT_adopted, LOG_WARN)                                                                     \
    X(EVENT_orders_stream, LOG_WARN)                                                               \
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
    X(EVENT_alarm, LOG_ERROR)                                                                      \
    X(EVENT_step_failed, LOG_ERROR)                                                                \
    X(EVENT_unconfirmed, LOG_ERROR)                                                                \
    X(EVENT_final_position, LOG_INFO)                                                              \
    X(EVENT_final_balance, LOG_INFO)                                                               \
    X(EVENT_final_counters, LOG_INFO)

/* X(step, level, text): the lines of a shutdown. */
#define STEPS(X)                                                                                   \
    X(SHUTDOWN_STOPPING, LOG_INFO, "shutdown, step 1: no new order from now on")                   \
    X(SHUTDOWN_CANCELLING, LOG_INFO, "shutdown, step 2: cancelling every open order")              \
    X(SHUTDOWN_WAITING, LOG_INFO, "shutdown, step 3: waiting for requests in flight")              \
    X(SHUTDOWN_FLUSHING, LOG_INFO, "shutdown, step 4: flushing event queues")                      \
    X(SHUTDOWN_CLOSING, LOG_INFO, "shutdown, step 5: closing the database")                        \
    X(SHUTDOWN_DISCONNECTING, LOG_INFO, "shutdown, step 6: disconnecting venues")                  \
    X(SHUTDOWN_COMPLETE, LOG_INFO, "shutdown complete")                                            \
    X(SHUTDOWN_FORCED, LOG_WARN, "shutdown ended by force: not every order is known to have ended")

/* The fields of one line and the memory of their texts. */
struct fields {
    struct log_field list[FIELDS_MAX];
    char text[FIELDS_MAX][VALUE_MAX];
    size_t count;
};

static char *add_text(struct fields *fields, const char *name)
{
    ASSERT(fields->count < FIELDS_MAX);
    char *text = fields->text[fields->count];
    fields->list[fields->count++] = log_text(name, text);
    return text;
}

static void add_venue_id(struct fields *fields, const char *name, const struct venue_id *id)
{
    snprintf(add_text(fields, name), VALUE_MAX, "%.*s", id->length, id->bytes);
}

/* A field of the record by its type: counts and flags as such, all else as its canonical text. */
static void add_field(struct fields *fields, const struct event_names *names,
                      const struct message *message, unsigned index)
{
    const struct event_field_info *info = &event_kind_info(message->kind)->fields[index];
    const void *member = (const char *)message->record + info->offset;
    uint64_t whole;
    switch ((int)info->type) {
    case FIELD_COUNT:
    case FIELD_INTEGER:
    case FIELD_MILLITICK:
        memcpy(&whole, member, sizeof whole);
        ASSERT(fields->count < FIELDS_MAX);
        fields->list[fields->count++] = info->type == FIELD_COUNT
                                            ? log_unsigned(info->name, whole)
                                            : log_integer(info->name, (int64_t)whole);
        break;
    case FIELD_FLAG:
        ASSERT(fields->count < FIELDS_MAX);
        fields->list[fields->count++] = log_flag(info->name, *(const uint8_t *)member != 0);
        break;
    case FIELD_VENUE_ID:
        add_venue_id(fields, info->name, member);
        break;
    default:
        event_field_to_text(message, names, index, add_text(fields, info->name), VALUE_MAX);
        break;
    }
}

static bool has(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->list[i].name, name) == 0)
            return true;
    return false;
}

/* The order that a record is about, or 0. */
static order_id order_of(const struct message *message)
{
    const struct event_kind_info *info = event_kind_info(message->kind);
    order_id order = 0;
    for (unsigned i = 0; order == 0 && i < info->field_count; i++)
        if (info->fields[i].type == FIELD_ORDER)
            memcpy(&order, (const char *)message->record + info->fields[i].offset, sizeof order);
    return order;
}

static void add_number(struct fields *fields, const char *name, struct number number, int exponent)
{
    char *text = add_text(fields, name);
    if (number.status == NUMBER_VALUE)
        decimal_to_text(number.units, exponent, text);
    else
        snprintf(text, VALUE_MAX, "%s", number_status_name(number.status));
}

/* What else is known of the order. */
static void add_known(struct fields *fields, const struct event_log *log,
                      const struct message *message)
{
    struct open_order known;
    order_id order = order_of(message);
    if (!log->orders || order == 0 || !open_orders_find(log->orders, order, &known) ||
        known.instrument >= log->names->instrument_count)
        return;
    const struct event_definition *definition = &log->names->definitions[known.instrument];
    if (!has(fields, "venue_order") && known.venue_order.length > 0)
        add_venue_id(fields, "venue_order", &known.venue_order);
    if (!has(fields, "side"))
        snprintf(add_text(fields, "side"), VALUE_MAX, "%s",
                 event_enum_text(FIELD_SIDE, known.side));
    if (!has(fields, "price"))
        add_number(fields, "price", known.price, definition->price_exponent);
    if (!has(fields, "quantity") && !has(fields, "leaves"))
        add_number(fields, "leaves", known.leaves, definition->quantity_exponent);
}

static void fill(struct fields *fields, const struct event_log *log, const struct message *message)
{
    const struct event_kind_info *info = event_kind_info(message->kind);
    uint16_t instrument = message_instrument(message);
    fields->count = 0;
    if (instrument < log->names->instrument_count) {
        char *name = add_text(fields, "instrument");
        event_instrument_name(log->names, instrument, name);
    }
    for (unsigned i = 0; i < info->field_count; i++)
        if (info->fields[i].type != FIELD_INSTRUMENT)
            add_field(fields, log->names, message, i);
    add_known(fields, log, message);
}

static void write_line(const struct event_log *log, enum log_level level, const char *text,
                       const struct message *message)
{
    struct fields fields;
    if (!log_passes(log->log, level, target))
        return;
    fill(&fields, log, message);
    log_write(log->log, level, target, message->ts_local, text, fields.list, fields.count);
}

/* D8's words: tripped, open, half-open, closed; the trial's is the caller's that makes it. */
static void write_infrastructure(struct event_log *log, const struct message *message)
{
    const struct event_infrastructure *record = &message->record->infrastructure;
    uint8_t before = log->breakers[record->venue];
    log->breakers[record->venue] = record->state;
    if (record->state == INFRASTRUCTURE_OPEN && before == INFRASTRUCTURE_CLOSED)
        write_line(log, LOG_ERROR, "infrastructure breaker tripped", message);
    if (record->state == INFRASTRUCTURE_OPEN)
        write_line(log, LOG_WARN, "infrastructure breaker open", message);
    else if (record->state == INFRASTRUCTURE_HALF_OPEN)
        write_line(log, LOG_INFO, "infrastructure breaker half-open", message);
    else
        write_line(log, LOG_INFO, "infrastructure breaker closed", message);
}

static void write_step(const struct event_log *log, const struct message *message)
{
    switch ((int)message->record->shutdown_state.step) {
#define X(step, level, text)                                                                       \
    case step:                                                                                     \
        write_line(log, level, text, message);                                                     \
        break;
        STEPS(X)
#undef X
    default:
        break;
    }
}

static bool is_last_word(unsigned kind)
{
    return kind == EVENT_final_position || kind == EVENT_final_balance ||
           kind == EVENT_final_counters;
}

static enum log_level level_of(const struct event_log *log, unsigned kind)
{
    if (!log->shutting_down && is_last_word(kind)) /* the tape ends, not the session */
        return LOG_DEBUG;
    if (log->shutting_down && (kind == EVENT_order_cancelled || kind == EVENT_cancel))
        return LOG_INFO;
    if (log->shutting_down && (kind == EVENT_cancel_rejected || kind == EVENT_order_unknown))
        return LOG_ERROR;
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

void event_log_write(struct event_log *log, const struct message *message)
{
    if (message->kind == EVENT_start) {
        if (message->record->start.epoch == log->epoch)
            return; /* the session goes on with another tape, which its rotator tells */
        /* The database's breaker begins closed, without a word. */
        log->epoch = message->record->start.epoch;
        log->breakers[EVENT_NONE_8] = INFRASTRUCTURE_CLOSED;
    }
    if (message->kind == EVENT_infrastructure) {
        write_infrastructure(log, message);
    } else if (message->kind == EVENT_shutdown_state) {
        log->shutting_down = true;
        write_step(log, message);
    } else {
        enum log_level level = level_of(log, message->kind);
        if (level != LOG_OFF)
            write_line(log, level, event_kind_info(message->kind)->name, message);
    }
}
