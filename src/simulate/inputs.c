/* Keeps what an engine was told, and tells it again. */
#include "simulate/inputs.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

void inputs_clear(struct inputs *inputs)
{
    inputs->count = inputs->sent_last = inputs->epoch_count = 0;
    if (inputs->sent_capacity > 0)
        memset(inputs->sent, 0, inputs->sent_capacity * sizeof *inputs->sent);
}

void inputs_close(struct inputs *inputs)
{
    free(inputs->items);
    free(inputs->sent);
    free(inputs->feed);
    *inputs = (struct inputs){.count = 0};
}

static int grow(struct inputs *inputs, struct error *error)
{
    size_t capacity = inputs->capacity ? 2 * inputs->capacity : 16384;
    struct input *items = realloc(inputs->items, capacity * sizeof *items);
    if (items)
        inputs->items = items;
    struct message *feed = realloc(inputs->feed, (capacity + 1) * sizeof *feed);
    if (feed)
        inputs->feed = feed;
    if (!items || !feed)
        return error_set(error, ERROR_SYSTEM, "no memory for %zu messages", capacity);
    inputs->capacity = capacity;
    return 0;
}

/* The order that an answer is about, 0 for none. */
static order_id order_of(const struct message *message)
{
    unsigned kind = message->kind;
    if ((kind >= EVENT_order_accepted && kind <= EVENT_order_status) || kind == EVENT_open_order)
        return message->record->order_accepted.order; /* they all begin alike (event/kinds.h) */
    return 0;
}

int inputs_add(struct inputs *inputs, const struct message *message, bool is_answer,
               struct error *error)
{
    if (inputs->count == inputs->capacity && grow(inputs, error))
        return error->code;
    struct input *input = &inputs->items[inputs->count++];
    *input = (struct input){.message = *message, .is_answer = is_answer};
    if (message->record)
        input->record = *message->record;
    input->order = order_of(message);
    return 0;
}

/* A new order, also that of a replace. */
static const struct event_place *as_place(const struct message *decision, struct event_place *room)
{
    const struct event_replace *replace = &decision->record->replace;
    if (decision->kind == EVENT_place)
        return &decision->record->place;
    *room = (struct event_place){.instrument = replace->instrument,
                                 .order = replace->order,
                                 .side = replace->side,
                                 .price = replace->price,
                                 .quantity = replace->quantity};
    return room;
}

/* The place of an order among all that were sent, from 1; 0 where its epoch sent none. */
static size_t place_of(const struct inputs *inputs, order_id order)
{
    for (size_t i = 0; i < inputs->epoch_count; i++)
        if (inputs->epochs[i].epoch == order >> 32)
            return inputs->epochs[i].before + (uint32_t)order;
    return 0;
}

int inputs_sent(struct inputs *inputs, const struct message *decision, struct error *error)
{
    struct event_place replaced;
    const struct event_place *place = as_place(decision, &replaced);
    if (place_of(inputs, place->order) == 0) {
        ASSERT(inputs->epoch_count < EPOCHS_MAX);
        inputs->epochs[inputs->epoch_count++] =
            (struct epoch){(uint32_t)(place->order >> 32), inputs->sent_last};
    }
    size_t at = place_of(inputs, place->order);
    if (at >= inputs->sent_capacity) {
        size_t capacity = 2 * at + 1024;
        struct sent *sent = realloc(inputs->sent, capacity * sizeof *sent);
        if (!sent)
            return error_set(error, ERROR_SYSTEM, "no memory for %zu orders", capacity);
        memset(sent + inputs->sent_capacity, 0, (capacity - inputs->sent_capacity) * sizeof *sent);
        inputs->sent = sent;
        inputs->sent_capacity = capacity;
    }
    /* An order that was not let out has a number too: the times stay in order. */
    for (size_t between = inputs->sent_last + 1; between < at; between++)
        inputs->sent[between] = (struct sent){.ts = decision->ts_local};
    inputs->sent[at] = (struct sent){.ts = decision->ts_local,
                                     .price = place->price.units,
                                     .quantity = place->quantity.units,
                                     .instrument = place->instrument,
                                     .side = place->side};
    inputs->sent_last = at;
    return 0;
}

/* --- telling again: a venue that only repeats -------------------------------------------------------- */

static struct inputs *inputs_of(const struct venue *venue)
{
    return (struct inputs *)(uintptr_t)((const char *)venue - offsetof(struct inputs, venue));
}

static int at_time(struct venue *venue, int64_t now, struct error *error)
{
    (void)venue, (void)now, (void)error;
    return 0;
}

static bool is_told(const struct inputs *inputs, struct input *input)
{
    if (input->left_out || !input->is_answer || input->first)
        return false;
    if (input->order == 0)
        return true;
    size_t at = place_of(inputs, input->order);
    order_id again = at != 0 && at <= inputs->sent_last ? inputs->sent[at].again : 0;
    input->undue = inputs->honest && again == 0;
    input->record.order_accepted.order = again == 0 ? input->order : again;
    return !input->undue;
}

static struct input *next_answer(struct inputs *inputs, int64_t now)
{
    for (; inputs->next < inputs->count; inputs->next++) {
        struct input *input = &inputs->items[inputs->next];
        if (input->message.ts_local > now)
            return NULL;
        if (is_told(inputs, input))
            return input;
    }
    return NULL;
}

/* What the venue tells at a start are the answers that follow it at once; others of that time come later. The
 * first start is in nobody's feed, and what followed it is. */
static int repeat_start(struct venue *venue, int64_t now, struct error *error)
{
    (void)now, (void)error;
    struct inputs *inputs = inputs_of(venue);
    size_t at = inputs->begins;
    while (inputs->started && at < inputs->count &&
           (inputs->items[at].message.kind != EVENT_start || inputs->items[at].left_out))
        at++;
    inputs->begins = inputs->started ? at + 1 : 0;
    inputs->limit = inputs->begins;
    while (inputs->started && inputs->limit < inputs->count &&
           inputs->items[inputs->limit].is_answer)
        inputs->limit++;
    inputs->started = inputs->starting = true;
    return 0;
}

static const struct message *repeat_answer(struct venue *venue, int64_t now)
{
    struct inputs *inputs = inputs_of(venue);
    struct input *input = next_answer(inputs, now);
    if (inputs->starting && (!input || (size_t)(input - inputs->items) >= inputs->limit)) {
        inputs->starting = false;
        return NULL;
    }
    if (!input)
        return NULL;
    inputs->next++;
    input->message.record = &input->record;
    return &input->message;
}

static int64_t repeat_next(const struct venue *venue)
{
    struct inputs *inputs = inputs_of(venue);
    const struct input *input = next_answer(inputs, TIME_NEVER);
    return input ? input->message.ts_local : TIME_NEVER;
}

/* Of the orders that the first run sent, the one that this is: sent at the same time and alike. Its
 * answers then bear the id that it has now. */
static void recognise(struct inputs *inputs, int64_t ts, const struct event_place *place)
{
    size_t low = 1, high = inputs->sent_last + 1;
    while (low < high) { /* counters grow with time */
        size_t middle = low + (high - low) / 2;
        if (inputs->sent[middle].ts < ts)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low <= inputs->sent_last && inputs->sent[low].ts <= ts; low++) {
        struct sent *sent = &inputs->sent[low];
        if (sent->again != 0 || sent->price != place->price.units ||
            sent->quantity != place->quantity.units || sent->instrument != place->instrument ||
            sent->side != place->side)
            continue;
        sent->again = place->order;
        return;
    }
}

static int repeat_submit(struct venue *venue, const struct message *decision, struct error *error)
{
    (void)error;
    struct event_place replaced;
    if (decision->kind == EVENT_place || decision->kind == EVENT_replace)
        recognise(inputs_of(venue), decision->ts_local, as_place(decision, &replaced));
    return 0;
}

static int repeat_finish(struct venue *venue, struct error *error)
{
    (void)venue, (void)error;
    return 0;
}

static void repeat_close(struct venue *venue)
{
    (void)venue;
}

/* A start gets the epoch that it would have in a scenario, where some have been left out. */
static void tell_from_feed(struct inputs *inputs, struct input *input, uint64_t *epoch)
{
    struct message *message = &inputs->feed[inputs->feed_count++];
    if (input->message.kind == EVENT_start)
        input->record.start.epoch = ++*epoch;
    *message = input->message;
    if (message->record)
        message->record = &input->record;
}

struct venue *inputs_tell(struct inputs *inputs, int64_t end, bool honest)
{
    inputs->feed_count = 0;
    inputs->next = inputs->begins = 0;
    inputs->started = inputs->starting = false;
    inputs->honest = honest;
    for (size_t i = 0; i < inputs->sent_capacity; i++)
        inputs->sent[i].again = 0;
    bool begun = false;
    uint64_t epoch = 0;
    for (size_t i = 0; i < inputs->count; i++) {
        struct input *input = &inputs->items[i];
        /* The account snapshot of the start stands before all else: the run may begin with it. */
        input->first = input->is_answer && !begun && input->order == 0;
        if (input->left_out || (input->is_answer && !input->first))
            continue;
        begun |= !input->is_answer;
        tell_from_feed(inputs, input, &epoch);
    }
    static const union event_record nothing;
    if (end != TIME_NEVER && inputs->feed_count > 0)
        inputs->feed[inputs->feed_count++] = (struct message){
            .ts_local = end, .stream = EVENT_NONE_16, .kind = EVENT_tick, .record = &nothing};
    inputs->venue = (struct venue){.start = repeat_start,
                                   .advance = at_time,
                                   .answer = repeat_answer,
                                   .next = repeat_next,
                                   .submit = repeat_submit,
                                   .finish = repeat_finish,
                                   .close = repeat_close};
    return &inputs->venue;
}
