/* The sink that keeps what a run came to. */
#include "run/result.h"

#include <stdlib.h>

#include "base/assert.h"

/* A power of two: as many newer orders as that are never sent before the venue's first word of one. */
enum { AWAITED = 1 << 16 };

/* An order of which the venue has not said anything yet. */
struct awaited {
    order_id order; /* 0: none */
    unsigned instrument;
};

struct result {
    struct sink sink; /* first: the loop holds a pointer to it */
    unsigned instrument_count;
    size_t balance_count, balance_capacity;
    struct result_answers answers;
    bool last_fill; /* the message is a fill that leaves nothing of its order */
    uint64_t fills; /* that the engine has counted: a trade that is told again is none */
    struct result_instrument *instruments;
    bool *has_position;
    struct event_final_position *positions;
    struct result_balance *balances;
    struct awaited *awaited; /* by order */
};

static void sent(struct result *result, order_id order, unsigned instrument)
{
    result->instruments[instrument].sent++;
    result->awaited[order % AWAITED] = (struct awaited){order, instrument};
}

/* The order that the venue shows with this message to have or have had; 0: none. */
static order_id arrived(const struct message *message)
{
    const union event_record *record = message->record;
    switch ((int)message->kind) {
    case EVENT_order_accepted:
        return record->order_accepted.order;
    case EVENT_open_order:
        return record->open_order.order;
    case EVENT_order_filled:
        return record->order_filled.order;
    case EVENT_order_cancelled:
        return record->order_cancelled.order;
    case EVENT_order_expired:
        return record->order_expired.order;
    case EVENT_order_status:
        return record->order_status.leaves.status == NUMBER_VALUE &&
                       record->order_status.leaves.units > 0
                   ? record->order_status.order
                   : 0;
    default:
        return 0;
    }
}

static void note_arrival(struct result *result, const struct message *message)
{
    order_id order = arrived(message);
    struct awaited *awaited = &result->awaited[order % AWAITED];
    if (order == 0 || awaited->order != order)
        return;
    awaited->order = 0;
    result->answers.placed++;
    result->instruments[awaited->instrument].placed++;
}

static int take_message(struct sink *sink, const struct message *message, struct error *error)
{
    (void)error;
    struct result_answers *answers = &((struct result *)sink)->answers;
    ((struct result *)sink)->last_fill =
        message->kind == EVENT_order_filled && message->record->order_filled.leaves.units == 0;
    if (message->kind == EVENT_start)
        return 0;
    if (message->kind == EVENT_tick) {
        answers->ticks++;
        return 0;
    }
    answers->answers++;
    note_arrival((struct result *)sink, message);
    answers->modified += message->kind == EVENT_order_modified;
    answers->rejected += message->kind == EVENT_order_rejected;
    answers->cancelled += message->kind == EVENT_order_cancelled;
    answers->expired += message->kind == EVENT_order_expired;
    answers->not_found += message->kind == EVENT_order_not_found;
    answers->cancels_rejected += message->kind == EVENT_cancel_rejected;
    return 0;
}

static int take_stepped(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)error;
    struct result *result = (struct result *)sink;
    uint64_t fills = engine_counters(engine)->fills;
    result->answers.filled += result->last_fill && fills > result->fills;
    result->fills = fills;
    result->last_fill = false;
    return 0;
}

static int take_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    (void)error;
    struct result *result = (struct result *)sink;
    const union event_record *record = decision->record;
    if (decision->kind == EVENT_place) {
        sent(result, record->place.order, record->place.instrument);
    } else if (decision->kind == EVENT_replace) {
        sent(result, record->replace.order, record->replace.instrument);
    } else if (decision->kind == EVENT_gate) {
        const struct event_gate *gate = &record->gate;
        if (!gate->blocking)
            result->instruments[gate->instrument].gate_blocked[gate->gate] += gate->blocked;
    } else if (decision->kind == EVENT_final_position) {
        unsigned instrument = record->final_position.instrument;
        ASSERT(instrument < result->instrument_count);
        result->positions[instrument] = record->final_position;
        result->has_position[instrument] = true;
    } else if (decision->kind == EVENT_final_balance) {
        ASSERT(result->balance_count < result->balance_capacity);
        result->balances[result->balance_count++] = (struct result_balance){
            record->final_balance.venue, record->final_balance.asset, record->final_balance.total};
    }
    return 0;
}

int result_open(struct result **out, const struct event_names *names, struct error *error)
{
    struct result *result = calloc(1, sizeof *result);
    if (!result)
        return error_set(error, ERROR_SYSTEM, "no memory for the result");
    result->sink =
        (struct sink){.message = take_message, .stepped = take_stepped, .decision = take_decision};
    result->instrument_count = names->instrument_count;
    result->balance_capacity = (size_t)names->venue_count * names->asset_count;
    result->instruments = calloc(names->instrument_count + 1u, sizeof *result->instruments);
    result->has_position = calloc(names->instrument_count + 1u, sizeof *result->has_position);
    result->positions = calloc(names->instrument_count + 1u, sizeof *result->positions);
    result->balances = calloc(result->balance_capacity + 1u, sizeof *result->balances);
    result->awaited = calloc(AWAITED, sizeof *result->awaited);
    if (!result->awaited || !result->instruments || !result->has_position || !result->positions ||
        !result->balances) {
        result_close(&result);
        return error_set(error, ERROR_SYSTEM, "no memory for the result");
    }
    *out = result;
    return 0;
}

void result_close(struct result **out)
{
    struct result *result = *out;
    if (!result)
        return;
    *out = NULL;
    free(result->instruments);
    free(result->has_position);
    free(result->positions);
    free(result->balances);
    free(result->awaited);
    free(result);
}

struct sink *result_sink(struct result *result)
{
    return &result->sink;
}

const struct event_final_position *result_position(const struct result *result, unsigned instrument)
{
    ASSERT(instrument < result->instrument_count);
    return result->has_position[instrument] ? &result->positions[instrument] : NULL;
}

const struct result_instrument *result_instrument(const struct result *result, unsigned instrument)
{
    ASSERT(instrument < result->instrument_count);
    return &result->instruments[instrument];
}

const struct result_answers *result_answers(const struct result *result)
{
    return &result->answers;
}

const struct result_balance *result_balances(const struct result *result, size_t *count)
{
    *count = result->balance_count;
    return result->balances;
}
