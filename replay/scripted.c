/* The scripted venue: a table of the orders that the script names and a queue of answers in time. */
#include "replay/scripted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { SCRIPTED_MAGIC = 0x73637270, SCRIPTED_ANSWERS_MAX = 4096, SCRIPTED_ORDERS_MAX = 1024 };

/* An answer that waits for its time. */
struct answer {
    struct message message;
    union event_record record;
};

/* An order that the script names. */
struct scripted_order {
    order_id order;
    uint16_t instrument;
    uint8_t side;
    struct number price, leaves;
    order_id replaced_by;
    bool ended; /* its end has been promised */
};

struct scripted {
    struct venue venue;
    uint32_t magic;
    struct venue *inner;
    struct scenario *scenario;
    size_t order_count, answer_count;
    uint64_t trades;
    struct scripted_order orders[SCRIPTED_ORDERS_MAX];
    struct answer answers[SCRIPTED_ANSWERS_MAX]; /* by time, first in first out */
    struct answer given;                         /* the one that answer() returned last */
};

static struct scripted *self_of(const struct venue *venue)
{
    struct scripted *self = (struct scripted *)(uintptr_t)venue;
    ASSERT(self->magic == SCRIPTED_MAGIC);
    return self;
}

static bool is_named(const struct scripted *self, order_id order)
{
    for (size_t i = 0; i < self->scenario->when_count; i++)
        if (self->scenario->whens[i].step == SHUTDOWN_RUNNING &&
            self->scenario->whens[i].order == order)
            return true;
    return false;
}

static struct scripted_order *find_order(struct scripted *self, order_id order)
{
    for (size_t i = 0; i < self->order_count; i++)
        if (self->orders[i].order == order)
            return &self->orders[i];
    return NULL;
}

static struct scenario_when *find_when(struct scripted *self, order_id order, unsigned request)
{
    for (size_t i = 0; i < self->scenario->when_count; i++) {
        struct scenario_when *when = &self->scenario->whens[i];
        if (!when->used && when->step == SHUTDOWN_RUNNING && when->order == order &&
            when->request == request)
            return when;
    }
    return NULL;
}

/* Keep `answers` in order of time; equal times stay in the order in which they were promised. */
static int insert(struct scripted *self, const struct answer *answer, struct error *error)
{
    if (self->answer_count == SCRIPTED_ANSWERS_MAX)
        return error_set(error, ERROR_INPUT, "%s: more than %d canned answers at one time",
                         self->scenario->path, SCRIPTED_ANSWERS_MAX);
    size_t i = self->answer_count++;
    for (; i > 0 && self->answers[i - 1].message.ts_local > answer->message.ts_local; i--)
        self->answers[i] = self->answers[i - 1];
    self->answers[i] = *answer;
    return 0;
}

static void fill_record(struct scripted *self, struct scripted_order *order,
                        const struct scenario_reply *reply, union event_record *record)
{
    char trade[24];
    order->leaves.units -= reply->quantity.units;
    if (order->leaves.units < 0)
        order->leaves.units = 0;
    int length = snprintf(trade, sizeof trade, "scripted-%llu", (unsigned long long)++self->trades);
    record->order_filled = (struct event_order_filled){
        .instrument = order->instrument,
        .order = order->order,
        .side = order->side,
        .price = reply->price,
        .quantity = reply->quantity,
        .leaves = order->leaves,
        .cause = FILL_REPORTED,
        .liquidity = reply->liquidity,
        .fee_asset = self->scenario->definitions[order->instrument].quote};
    record->order_filled.trade.length = (uint8_t)length;
    memcpy(record->order_filled.trade.bytes, trade, (size_t)length);
}

static void fill_answer(struct scripted *self, struct scripted_order *order,
                        const struct scenario_reply *reply, unsigned request,
                        union event_record *record)
{
    uint16_t instrument = order->instrument;
    order_id id = order->order;
    switch (reply->kind) {
    case EVENT_order_accepted:
        record->order_accepted =
            (struct event_order_accepted){.instrument = instrument, .order = id};
        break;
    case EVENT_order_rejected:
    case EVENT_cancel_rejected:
    case EVENT_modify_rejected: /* one shape */
        record->order_rejected = (struct event_order_rejected){
            .instrument = instrument, .order = id, .reason = reply->reason};
        break;
    case EVENT_order_cancelled:
        record->order_cancelled = (struct event_order_cancelled){
            .instrument = instrument, .order = id, .leaves = order->leaves};
        break;
    case EVENT_order_expired:
        record->order_expired = (struct event_order_expired){
            .instrument = instrument, .order = id, .leaves = order->leaves};
        break;
    case EVENT_order_modified:
        record->order_modified = (struct event_order_modified){
            .instrument = instrument, .order = id, .price = order->price, .leaves = order->leaves};
        break;
    case EVENT_order_unknown:
        record->order_unknown = (struct event_order_unknown){
            .instrument = instrument, .order = id, .request = (uint8_t)request};
        break;
    case EVENT_order_status:
        record->order_status = (struct event_order_status){.instrument = instrument,
                                                           .order = id,
                                                           .side = order->side,
                                                           .price = order->price,
                                                           .leaves = order->leaves};
        if (order->ended)
            record->order_status.leaves.units = 0;
        break;
    case EVENT_order_not_found:
        record->order_not_found =
            (struct event_order_not_found){.instrument = instrument, .order = id};
        break;
    default:
        ASSERT(reply->kind == EVENT_order_filled);
        fill_record(self, order, reply, record);
    }
}

static int promise_one(struct scripted *self, struct scripted_order *order,
                       const struct scenario_reply *reply, unsigned request, int64_t now,
                       struct error *error)
{
    struct answer answer;
    memset(&answer, 0, sizeof answer);
    if (reply->kind == 0)
        return 0;
    order->ended |= reply->kind == EVENT_order_cancelled || reply->kind == EVENT_order_expired ||
                    reply->kind == EVENT_order_rejected;
    fill_answer(self, order, reply, request, &answer.record);
    answer.message = (struct message){.ts_local = now + reply->after_ns,
                                      .ts_venue = now + reply->after_ns,
                                      .flags = MESSAGE_VENUE_TIME,
                                      .stream = EVENT_STREAM(order->instrument, CHANNEL_SESSION),
                                      .kind = reply->kind};
    return insert(self, &answer, error);
}

/* An answer to a replace, which is two: for the old order, and for the one that replaces it. */
static int promise(struct scripted *self, struct scripted_order *order,
                   const struct scenario_reply *reply, unsigned request, int64_t now,
                   struct error *error)
{
    struct scenario_reply old = *reply, new = *reply;
    if (request != REQUEST_REPLACE || reply->kind == EVENT_order_filled)
        return promise_one(self, order, reply, request, now, error);
    if (reply->kind == EVENT_replace) {
        old.kind = EVENT_order_cancelled;
        new.kind = EVENT_order_accepted;
    } else if (reply->kind == EVENT_cancel_rejected) {
        new.kind = EVENT_order_rejected;
        new.reason = REJECT_REPLACE;
    }
    struct scripted_order *successor = find_order(self, order->replaced_by);
    ASSERT(successor != NULL);
    if (promise_one(self, order, &old, request, now, error))
        return error->code;
    return promise_one(self, successor, &new, request, now, error);
}

/* What an order named by the script gets where no line says anything: what it asked for, at once; a query
 * gets nothing. */
static int promise_default(struct scripted *self, struct scripted_order *order, unsigned request,
                           int64_t now, struct error *error)
{
    static const uint8_t kinds[REQUEST_COUNT] = {
        [REQUEST_PLACE] = EVENT_order_accepted,
        [REQUEST_CANCEL] = EVENT_order_cancelled,
        [REQUEST_MODIFY] = EVENT_order_modified,
        [REQUEST_REPLACE] = EVENT_replace,
    };
    struct scenario_reply reply = {.kind = kinds[request]};
    return promise(self, order, &reply, request, now, error);
}

static int new_order(struct scripted *self, const struct scripted_order *order, struct error *error)
{
    if (self->order_count == SCRIPTED_ORDERS_MAX)
        return error_set(error, ERROR_INPUT, "%s: more than %d scripted orders",
                         self->scenario->path, SCRIPTED_ORDERS_MAX);
    self->orders[self->order_count++] = *order;
    return 0;
}

/* A new order that the script names, or that replaces one of the script's. */
static int take_new(struct scripted *self, const struct message *decision, struct error *error)
{
    const struct event_place *place = &decision->record->place;
    const struct event_replace *replace = &decision->record->replace;
    struct scripted_order *old =
        decision->kind == EVENT_replace ? find_order(self, replace->replaces) : NULL;
    if (decision->kind == EVENT_place && is_named(self, place->order))
        return new_order(self,
                         &(struct scripted_order){place->order, place->instrument, place->side,
                                                  place->price, place->quantity, 0, false},
                         error);
    if (old == NULL)
        return 0;
    old->replaced_by = replace->order;
    return new_order(self,
                     &(struct scripted_order){replace->order, replace->instrument, replace->side,
                                              replace->price, replace->quantity, 0, false},
                     error);
}

/* The request of a decision and the order it is about; false for decisions that no venue gets. */
static bool request_of(const struct message *decision, unsigned *request, order_id *order)
{
    const union event_record *r = decision->record;
    switch (decision->kind) {
    case EVENT_place:
        *request = REQUEST_PLACE;
        *order = r->place.order;
        return true;
    case EVENT_cancel:
        *request = REQUEST_CANCEL;
        *order = r->cancel.order;
        return true;
    case EVENT_modify:
        *request = REQUEST_MODIFY;
        *order = r->modify.order;
        return true;
    case EVENT_replace:
        *request = REQUEST_REPLACE;
        *order = r->replace.replaces;
        return true;
    case EVENT_query:
        *request = REQUEST_QUERY;
        *order = r->query.order;
        return true;
    default:
        return false;
    }
}

/* The script's answers to a step of the shutdown; false where it has none. */
static bool answer_step(struct scripted *self, const struct message *decision, struct error *error,
                        int *code)
{
    *code = 0;
    for (size_t i = 0; i < self->scenario->when_count; i++) {
        struct scenario_when *when = &self->scenario->whens[i];
        if (when->used || when->step == SHUTDOWN_RUNNING ||
            when->step != decision->record->shutdown_state.step)
            continue;
        when->used = true;
        for (size_t n = 0; *code == 0 && n < when->reply_count; n++) {
            const struct scenario_reply *reply = &when->replies[n];
            struct answer answer = {.record.step_done = {when->step, reply->failed}};
            answer.message = (struct message){.ts_local = decision->ts_local + reply->after_ns,
                                              .stream = EVENT_NONE_16,
                                              .kind = EVENT_step_done};
            if (reply->kind)
                *code = insert(self, &answer, error);
        }
        return true;
    }
    return false;
}

static int scripted_submit(struct venue *venue, const struct message *decision, struct error *error)
{
    struct scripted *self = self_of(venue);
    unsigned request = 0;
    order_id id = 0;
    int code;
    if (self->scenario->silent)
        return 0;
    if (decision->kind == EVENT_shutdown_state && answer_step(self, decision, error, &code))
        return code;
    if (take_new(self, decision, error))
        return error->code;
    struct scripted_order *order =
        request_of(decision, &request, &id) ? find_order(self, id) : NULL;
    if (order == NULL)
        return self->inner->submit(self->inner, decision, error);
    if (request == REQUEST_MODIFY) {
        order->price = decision->record->modify.price;
        order->leaves = decision->record->modify.leaves;
    }
    struct scenario_when *when = find_when(self, id, request);
    if (!when)
        return promise_default(self, order, request, decision->ts_local, error);
    when->used = true;
    for (size_t i = 0; i < when->reply_count; i++)
        if (promise(self, order, &when->replies[i], request, decision->ts_local, error))
            return error->code;
    return 0;
}

static int scripted_start(struct venue *venue, int64_t now, struct error *error)
{
    struct scripted *self = self_of(venue);
    self->answer_count = 0; /* a restart: they were meant for the session before */
    if (self->scenario->silent)
        return 0;
    return self->inner->start(self->inner, now, error);
}

/* Not past a canned answer: the engine may send at its time, and the loop asks again after it. */
static int scripted_advance(struct venue *venue, int64_t now, struct error *error)
{
    struct scripted *self = self_of(venue);
    if (self->answer_count > 0 && self->answers[0].message.ts_local < now)
        now = self->answers[0].message.ts_local;
    return self->inner->advance(self->inner, now, error);
}

static int64_t scripted_next(const struct venue *venue)
{
    const struct scripted *self = self_of(venue);
    int64_t inner = self->inner->next(self->inner);
    if (self->answer_count == 0 || inner <= self->answers[0].message.ts_local)
        return inner;
    return self->answers[0].message.ts_local;
}

static const struct message *scripted_answer(struct venue *venue, int64_t now)
{
    struct scripted *self = self_of(venue);
    bool due = self->answer_count > 0 && self->answers[0].message.ts_local <= now;
    if (!due || self->inner->next(self->inner) <= self->answers[0].message.ts_local)
        return self->inner->answer(self->inner, now);
    self->given = self->answers[0];
    self->given.message.record = &self->given.record;
    self->answer_count--;
    memmove(self->answers, self->answers + 1, self->answer_count * sizeof *self->answers);
    return &self->given.message;
}

static int scripted_finish(struct venue *venue, struct error *error)
{
    struct scripted *self = self_of(venue);
    return self->inner->finish(self->inner, error);
}

static void scripted_close(struct venue *venue)
{
    struct scripted *self = self_of(venue);
    self->inner->close(self->inner);
    self->magic = 0;
    free(self);
}

int scripted_open(struct venue **venue, struct venue *inner, struct scenario *scenario,
                  struct error *error)
{
    struct scripted *self = calloc(1, sizeof *self);
    if (!self)
        return error_set(error, ERROR_SYSTEM, "out of memory");
    self->magic = SCRIPTED_MAGIC;
    self->inner = inner;
    self->scenario = scenario;
    self->venue = (struct venue){.start = scripted_start,
                                 .advance = scripted_advance,
                                 .answer = scripted_answer,
                                 .next = scripted_next,
                                 .submit = scripted_submit,
                                 .finish = scripted_finish,
                                 .close = scripted_close};
    *venue = &self->venue;
    return 0;
}

size_t scripted_in_flight(const struct venue *venue)
{
    return self_of(venue)->answer_count;
}
