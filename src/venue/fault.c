/* A venue behind a bad connection: what happens by itself, what waits, and the venue that all of it is. */
#include "venue/fault.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "venue/fault_parts.h"

enum { FAULT_MAGIC = 0xfa0175, MILLION = 1000000 };

struct fault *fault_of(const struct venue *venue)
{
    struct fault *fault = (struct fault *)(uintptr_t)venue;
    ASSERT(fault->magic == FAULT_MAGIC);
    return fault;
}

/* --- chance ---------------------------------------------------------------------------------- */

bool fault_happens(struct fault *fault, enum fault_kind kind)
{
    if (fault->options.chance[kind] == 0 ||
        random_below(&fault->chance, MILLION) >= fault->options.chance[kind])
        return false;
    fault->counts[kind]++;
    return true;
}

/* When the next of what happens by itself does. */
int64_t fault_next_time(struct fault *fault, struct random *chance, enum fault_kind kind,
                        int64_t now)
{
    uint64_t rate = fault->options.chance[kind];
    return rate == 0 ? TIME_NEVER : now + random_wait_ns(chance, rate);
}

int64_t fault_draw_duration(struct random *chance, int64_t longest)
{
    return 1 + (int64_t)random_below(chance, (uint64_t)longest);
}

/* --- answers that wait ------------------------------------------------------------------------ */

static int64_t first_due(const struct fault *fault)
{
    const struct sim_entry *first = sim_queue_first(&fault->queue);
    return first ? first->time : TIME_NEVER;
}

/* Room for an answer at `due`; NULL where too many wait, which loses it. */
static struct kept *wait_until(struct fault *fault, int64_t due)
{
    uint32_t slot = sim_slots_take(&fault->slots);
    if (slot == UINT32_MAX)
        return NULL;
    bool fits = sim_queue_push(&fault->queue, (struct sim_entry){.time = due, .slot = slot});
    ASSERT(fits); /* as many entries as slots */
    return &fault->waiting[slot];
}

struct kept *fault_queue_copy(struct fault *fault, const struct message *message, int64_t due)
{
    struct kept *kept = wait_until(fault, due);
    if (!kept)
        return &fault->nothing;
    kept->again = kept->own = false;
    kept->record = *message->record;
    kept->message = *message;
    kept->message.ts_local = due;
    kept->message.record = &kept->record;
    return kept;
}

/* Something that is made here and told at `due`; its record is zeroed. */
static struct kept *queue_own(struct fault *fault, enum event_kind kind, int64_t due)
{
    struct kept *kept = wait_until(fault, due);
    if (!kept)
        return &fault->nothing;
    *kept = (struct kept){.message = {.ts_local = due,
                                      .stream = EVENT_NONE_16,
                                      .kind = (uint8_t)kind,
                                      .record = &kept->record}};
    memset(&kept->record, 0, sizeof kept->record);
    return kept;
}

/* An answer that is made here, soon after `now`; its record is zeroed. */
union event_record *fault_answer_own(struct fault *fault, unsigned venue, enum event_kind kind,
                                     unsigned instrument, int64_t now)
{
    int64_t made = now + fault_draw_duration(&fault->chance, LATENCY_NS), due = made;
    bool refuses = kind == EVENT_order_rejected || kind == EVENT_cancel_rejected ||
                   kind == EVENT_modify_rejected;
    if (refuses && fault_happens(fault, FAULT_REORDER))
        due += fault_draw_duration(&fault->chance, fault->options.longest_delay);
    if (due < fault->connections[venue].floor)
        due = fault->connections[venue].floor;
    struct kept *kept = queue_own(fault, kind, due);
    kept->own = refuses;
    kept->message.ts_venue = made;
    kept->message.flags = MESSAGE_VENUE_TIME;
    if (instrument != EVENT_NONE_16)
        kept->message.stream = EVENT_STREAM(instrument, CHANNEL_SESSION);
    return &kept->record;
}

/* --- what happens by itself --------------------------------------------------------------------- */

static void queue_jump(struct fault *fault, int64_t now)
{
    int64_t due = fault_next_time(fault, &fault->chance, FAULT_CLOCK_JUMP, now);
    if (due == TIME_NEVER)
        return;
    int64_t jump = fault_draw_duration(&fault->chance, fault->options.longest_outage);
    queue_own(fault, EVENT_clock_jump, due)->record.clock_jump.jump =
        random_below(&fault->chance, 2) ? jump : -jump;
}

/* It stands, as adapters tell soon after. */
static void connect_stream(struct fault *fault, unsigned venue, int64_t since)
{
    struct connection *connection = &fault->connections[venue];
    if (fault->options.chance[FAULT_ORDERS_STREAM] == 0)
        return;
    int64_t told = since + fault_draw_duration(&connection->stream_chance, LATENCY_NS);
    queue_own(fault, EVENT_orders_stream, told)->record.orders_stream =
        (struct event_orders_stream){(uint8_t)venue, true, since};
}

/* What was told of a stream is over in time. */
static void go_on_stream(struct fault *fault, const struct event_orders_stream *told, int64_t now)
{
    struct connection *connection = &fault->connections[told->venue];
    if (!told->connected) {
        fault->counts[FAULT_ORDERS_STREAM]++;
        connect_stream(fault, told->venue, connection->stream_until);
        return;
    }
    struct random *chance = &connection->stream_chance;
    connection->stream_from = fault_next_time(fault, chance, FAULT_ORDERS_STREAM, now);
    connection->stream_until =
        connection->stream_from + fault_draw_duration(chance, fault->options.longest_outage);
    queue_own(fault, EVENT_orders_stream, connection->stream_from)->record.orders_stream =
        (struct event_orders_stream){told->venue, false, connection->stream_from};
}

/* The one that was just filled in part, or any; NULL where there is none. */
static struct recent *choose_end(struct fault *fault)
{
    struct recent *recent = &fault->recent[random_below(&fault->chance, RECENT_MAX)];
    for (size_t i = 0; fault->filled != 0 && i < RECENT_MAX; i++)
        if (fault->recent[i].order == fault->filled)
            recent = &fault->recent[i];
    fault->filled = 0;
    return recent->order == 0 || recent->cancelled || fault->ending != 0 ? NULL : recent;
}

/* The venue is to end one of the orders that it was sent. */
static int end_one(struct fault *fault, struct error *error)
{
    const int64_t now = fault->next_end;
    fault->next_end = fault_next_time(fault, &fault->chance, FAULT_END, now);
    struct recent *recent = choose_end(fault);
    if (!recent)
        return 0;
    union event_record record = {
        .cancel = {.instrument = recent->instrument, .order = recent->order}};
    const struct message cancel = {.ts_local = now,
                                   .stream = EVENT_STREAM(recent->instrument, CHANNEL_SESSION),
                                   .kind = EVENT_cancel,
                                   .record = &record};
    fault->ending = recent->order;
    recent->cancelled = true;
    return fault->inner->submit(fault->inner, &cancel, error);
}

/* The request that is the next to arrive; NULL where none is late. */
static struct late *next_late(struct fault *fault)
{
    struct late *next = NULL;
    for (size_t i = 0; i < fault->late_count; i++)
        if (!next || fault->late[i].due < next->due)
            next = &fault->late[i];
    return next;
}

/* An order came after queries that did not find it. Who asked waits no longer for an answer that is still on
 * its way when "not found" would be believed. */
static void forget_not_found(struct fault *fault, const struct late *late)
{
    const struct event_place *place = &late->record.place;
    const struct sim_entry *entry = sim_queue_first(&fault->queue);
    for (size_t i = 0; i < fault->queue.count; i++) {
        struct kept *kept = &fault->waiting[entry[i].slot];
        if (kept->message.kind != EVENT_order_not_found || entry[i].time < late->sent + BELIEF_NS ||
            kept->record.order_not_found.order != place->order)
            continue;
        kept->message.kind = EVENT_order_unknown;
        kept->record.order_unknown =
            (struct event_order_unknown){place->instrument, place->order, REQUEST_QUERY};
    }
}

/* A request arrives at last. The venue ends one order at a time: a second waits. */
static int arrive(struct fault *fault, struct late *late, struct error *error)
{
    if (late->ends && fault->ending != 0) {
        late->due += NS_PER_MS;
        late->message.ts_local = late->due;
        return 0;
    }
    struct late now = *late;
    *late = fault->late[--fault->late_count];
    now.message.record = &now.record;
    if (now.ends)
        fault->ending = now.record.cancel.order;
    fault->ending_refused |= now.ends;
    if (now.message.kind == EVENT_place)
        forget_not_found(fault, &now);
    return fault->inner->submit(fault->inner, &now.message, error);
}

/* --- a crash of who asks ------------------------------------------------------------------------- */

static bool is_unasked(const struct fault *fault, order_id order)
{
    for (size_t i = 0; i < UNASKED_MAX; i++)
        if (fault->unasked[i] == order)
            return true;
    return false;
}

/* What was on its way to the process that died arrives nowhere. Facts are told again once their order is asked
 * for; where nobody will, and of what nobody was to be told, it still comes. */
static void cut_off(struct fault *fault, struct kept *kept)
{
    const uint8_t kind = kept->message.kind;
    kept->message.record = &kept->record;
    bool still = kind == EVENT_clock_jump ||
                 (kind == EVENT_order_filled && is_unasked(fault, kept->record.order_filled.order));
    if (!kept->again && (still || !fault_lose(fault, &kept->message)))
        fault_queue_copy(fault, &kept->message, kept->message.ts_local);
}

/* Answers that wait here. */
static void cut_off_waiting(struct fault *fault)
{
    size_t count = 0;
    for (; fault->queue.count > 0; count++) {
        uint32_t slot = sim_queue_first(&fault->queue)->slot;
        fault->sifted[count] = fault->waiting[slot];
        sim_queue_pop(&fault->queue);
        sim_slots_give(&fault->slots, slot);
    }
    for (size_t i = 0; i < count; i++)
        cut_off(fault, &fault->sifted[i]);
}

/* The venue lives on, and so does what is on its way to it; the connections are new. */
static int start_again(struct fault *fault, int64_t now, struct error *error)
{
    const struct message *message;
    cut_off_waiting(fault);
    while ((message = fault->inner->answer(fault->inner, TIME_NEVER))) {
        struct kept answer = {*message, *message->record, false, false};
        answer.message.record = &answer.record;
        if (!fault_ends_itself(fault, &answer))
            cut_off(fault, &answer);
    }
    for (unsigned v = 0; v < fault->options.names->venue_count; v++) {
        fault->connections[v].floor = fault->connections[v].stream_until = now;
        connect_stream(fault, v, now);
    }
    return fault->inner->start(fault->inner, now, error);
}

/* --- the venue ---------------------------------------------------------------------------------- */

static int fault_start(struct venue *venue, int64_t now, struct error *error)
{
    struct fault *fault = fault_of(venue);
    if (fault->started)
        return start_again(fault, now, error);
    fault->started = true;
    for (unsigned v = 0; v < fault->options.names->venue_count; v++) {
        struct connection *connection = &fault->connections[v];
        random_init(&connection->chance, fault->options.seed, 1 + v);
        *connection = (struct connection){.chance = connection->chance,
                                          .floor = now,
                                          .banned_until = now,
                                          .down_from = TIME_NEVER,
                                          .down_until = now};
        random_init(&connection->stream_chance, fault->options.seed, 1 + EVENT_VENUES_MAX + v);
        connect_stream(fault, v, now);
    }
    fault->next_end = fault_next_time(fault, &fault->chance, FAULT_END, now);
    queue_jump(fault, now);
    return fault->inner->start(fault->inner, now, error);
}

/* Never past an answer that the engine has not seen: it may answer at that time. */
static int fault_advance(struct venue *venue, int64_t now, struct error *error)
{
    struct fault *fault = fault_of(venue);
    for (;;) {
        int64_t limit = first_due(fault) < now ? first_due(fault) : now;
        struct late *late = next_late(fault);
        bool ends = fault->next_end <= limit;
        if (ends)
            limit = fault->next_end;
        bool arrives = late && late->due <= limit;
        if (arrives)
            limit = late->due;
        if (fault->inner->advance(fault->inner, limit, error))
            return error->code;
        const struct message *answer = fault->inner->answer(fault->inner, limit);
        if (answer)
            fault_take_answer(fault, answer);
        else if (!ends && !arrives)
            return 0;
        else if (arrives ? arrive(fault, late, error) : end_one(fault, error))
            return error->code;
    }
}

static const struct message *fault_answer(struct venue *venue, int64_t now)
{
    struct fault *fault = fault_of(venue);
    const struct message *answer;
    /* What became due since the last advance: the account snapshot of the start. */
    while (fault->inner->next(fault->inner) <= now &&
           (answer = fault->inner->answer(fault->inner, now)))
        fault_take_answer(fault, answer);
    if (fault->given != UINT32_MAX)
        sim_slots_give(&fault->slots, fault->given);
    fault->given = UINT32_MAX;
    if (fault->queue.count == 0 || first_due(fault) > now)
        return NULL;
    fault->given = sim_queue_first(&fault->queue)->slot;
    sim_queue_pop(&fault->queue);
    struct kept *kept = &fault->waiting[fault->given];
    kept->message.record = &kept->record;
    fault_note_stale(fault, kept);
    fault_echo_own(fault, kept);
    if (kept->message.kind == EVENT_order_status && kept->record.order_status.leaves.units == 0)
        fault_note_unasked(fault,
                           kept->record.order_status.order); /* a fill may be on its way yet */
    if (kept->message.kind == EVENT_clock_jump) {
        fault->counts[FAULT_CLOCK_JUMP]++;
        queue_jump(fault, kept->message.ts_local);
    }
    if (kept->message.kind == EVENT_orders_stream)
        go_on_stream(fault, &kept->record.orders_stream, kept->message.ts_local);
    return &kept->message;
}

static int64_t fault_next(const struct venue *venue)
{
    const struct fault *fault = fault_of(venue);
    int64_t inner = fault->inner->next(fault->inner);
    return inner < first_due(fault) ? inner : first_due(fault);
}

static int fault_finish(struct venue *venue, struct error *error)
{
    struct fault *fault = fault_of(venue);
    return fault->inner->finish(fault->inner, error);
}

static void fault_close(struct venue *venue)
{
    struct fault *fault = fault_of(venue);
    if (fault->inner)
        fault->inner->close(fault->inner);
    sim_queue_close(&fault->queue);
    sim_slots_close(&fault->slots);
    free(fault->waiting);
    free(fault->sifted);
    free(fault->lost);
    fault->magic = 0;
    free(fault);
}

int fault_open(struct venue **venue, struct venue *inner, const struct fault_options *options,
               struct error *error)
{
    struct fault *fault = calloc(1, sizeof *fault);
    ASSERT(options->longest_delay > 0 && options->longest_outage > 0);
    if (!fault)
        return error_set(error, ERROR_SYSTEM, "no memory for the faults of a venue");
    fault->venue = (struct venue){.start = fault_start,
                                  .advance = fault_advance,
                                  .answer = fault_answer,
                                  .next = fault_next,
                                  .submit = fault_submit,
                                  .finish = fault_finish,
                                  .close = fault_close};
    fault->magic = FAULT_MAGIC;
    fault->options = *options;
    fault->given = UINT32_MAX;
    fault->next_end = TIME_NEVER;
    random_init(&fault->chance, options->seed, 0);
    fault->waiting = malloc(WAITING_MAX * sizeof *fault->waiting);
    fault->sifted = malloc(WAITING_MAX * sizeof *fault->sifted);
    fault->lost = malloc(LOST_MAX * sizeof *fault->lost);
    int code = ERROR_NONE;
    if (!fault->waiting || !fault->sifted || !fault->lost)
        code = error_set(error, ERROR_SYSTEM, "no memory for the faults of a venue");
    if (code || (code = sim_queue_open(&fault->queue, WAITING_MAX, error)) ||
        (code = sim_slots_open(&fault->slots, WAITING_MAX, error))) {
        fault_close(&fault->venue);
        return code;
    }
    fault->inner = inner;
    *venue = &fault->venue;
    return 0;
}

bool fault_owes_fills(const struct venue *venue)
{
    const struct fault *fault = fault_of(venue);
    const struct sim_entry *entry = sim_queue_first(&fault->queue);
    for (size_t i = 0; i < fault->late_count; i++)
        if (fault->late[i].ends)
            return true; /* what was lost of it is told at its end */
    for (size_t i = 0; i < fault->queue.count; i++) {
        const struct kept *kept = &fault->waiting[entry[i].slot];
        if (kept->message.kind == EVENT_order_filled && !kept->again)
            return true;
    }
    return fault->ending_refused;
}

bool fault_will_end(const struct venue *venue, order_id order)
{
    const struct fault *fault = fault_of(venue);
    for (size_t i = 0; i < fault->late_count; i++)
        if (fault->late[i].ends && fault->late[i].record.cancel.order == order)
            return true;
    return fault->ending == order;
}

const uint64_t *fault_counts(const struct venue *venue)
{
    return fault_of(venue)->counts;
}

const char *fault_word(enum fault_kind kind)
{
    static const char *const words[FAULT_KIND_COUNT] = {
#define X(name, word, meaning) [name] = word,
        FAULT_KINDS(X)
#undef X
    };
    ASSERT(kind < FAULT_KIND_COUNT);
    return words[kind];
}
