/* A venue behind a bad connection: requests pass or fail on their way there, answers on their way back
 * wait in a queue of their own. */
#include "venue/fault.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/random.h"
#include "base/time.h"
#include "venue/asked.h"
#include "venue/sim/queue.h"

enum {
    FAULT_MAGIC = 0xfa0175,
    WAITING_MAX = 8192, /* answers on their way */
    LOST_MAX = 2048,    /* facts that were not told; with more nothing more is lost */
    RECENT_MAX = 16,    /* orders that may end by themselves */
    LATE_MAX = 64,      /* requests on their way; with more none is late */
    UNASKED_MAX = 1024, /* far more than have answers on their way at one time */
    STALE_MAX = 64,     /* answers that may come again */
    MILLION = 1000000,
    LATENCY_NS = 20000000, /* of an answer that is made here, at most */
    STALE_NS = 60000000    /* after a request left, at most: its answer is mostly on its way yet */
};

/* A request that is late comes before the engine may believe that its order is not there
 * (trading-semantics 28: 5 s), and so does the last query that is answered by an untrue "not found". */
#define LATE_NS   (4 * NS_PER_SECOND)
#define UNSEEN_NS (2 * NS_PER_SECOND)
#define BELIEF_NS (5 * NS_PER_SECOND)
/* How long an order rests at most that was refused falsely, and how late an echo is. */
#define FALSE_NS (6 * NS_PER_SECOND)
#define ECHO_NS  (240 * NS_PER_SECOND)

/* An answer that waits, or that was lost. */
struct kept {
    struct message message;
    union event_record record;
    bool again; /* told before, or still to be told beside this */
    bool own;   /* a refusal that was made here */
};

/* An order that was sent to the venue behind. */
struct recent {
    order_id order;
    uint16_t instrument;
    bool cancelled; /* by us: its end is not the venue's doing */
    int64_t sent;
};

/* A request on its way to the venue behind, or the end of an order that was refused falsely. */
struct late {
    int64_t sent, due;
    bool ends; /* the order of the cancel, which is the venue's own */
    struct message message;
    union event_record record;
};

/* The connection to one venue. */
struct connection {
    struct random chance; /* of its outages alone */
    int64_t floor;        /* no answer comes before this */
    int64_t banned_until;
    int64_t down_from, down_until;     /* the last outage, or the one to come */
    struct random stream_chance;       /* of the stream of our orders alone */
    int64_t stream_from, stream_until; /* likewise: while it is broken */
};

struct fault {
    struct venue venue; /* first: the pointer that callers hold */
    uint32_t magic;
    struct venue *inner;
    struct fault_options options;
    struct random chance;
    struct sim_queue queue; /* of slots of `waiting`, by time */
    struct sim_slots slots;
    struct kept *waiting, *sifted, *lost; /* sifted: room for those that wait */
    size_t lost_count;
    uint32_t given; /* slot that the caller looks at, or UINT32_MAX */
    struct recent recent[RECENT_MAX];
    uint64_t recent_count;
    order_id ending;     /* the order whose cancel we sent ourselves; 0: none */
    bool ending_refused; /* that order was refused falsely */
    order_id filled;     /* it was filled in part just now and ends next; 0: any of `recent` */
    struct late late[LATE_MAX]; /* in no order */
    size_t late_count;
    order_id unasked[UNASKED_MAX]; /* orders that nobody will ask for: the newest */
    uint64_t unasked_count;
    struct kept stale[STALE_MAX]; /* the newest refusals and changes that were told */
    uint64_t stale_count;
    int64_t next_end;
    bool started;
    struct connection connections[EVENT_VENUES_MAX];
    uint64_t counts[FAULT_KIND_COUNT];
    struct kept nothing; /* an answer that finds no room */
};

static struct fault *fault_of(const struct venue *venue)
{
    struct fault *fault = (struct fault *)(uintptr_t)venue;
    ASSERT(fault->magic == FAULT_MAGIC);
    return fault;
}

/* --- chance ---------------------------------------------------------------------------------- */

static bool happens(struct fault *fault, enum fault_kind kind)
{
    if (fault->options.chance[kind] == 0 ||
        random_below(&fault->chance, MILLION) >= fault->options.chance[kind])
        return false;
    fault->counts[kind]++;
    return true;
}

/* When the next of what happens by itself does. */
static int64_t next_time(struct fault *fault, struct random *chance, enum fault_kind kind,
                         int64_t now)
{
    uint64_t rate = fault->options.chance[kind];
    return rate == 0 ? TIME_NEVER : now + random_wait_ns(chance, rate);
}

static int64_t draw_duration(struct random *chance, int64_t longest)
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

static struct kept *queue_copy(struct fault *fault, const struct message *message, int64_t due)
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
static union event_record *answer_own(struct fault *fault, unsigned venue, enum event_kind kind,
                                      unsigned instrument, int64_t now)
{
    int64_t made = now + draw_duration(&fault->chance, LATENCY_NS), due = made;
    bool refuses = kind == EVENT_order_rejected || kind == EVENT_cancel_rejected ||
                   kind == EVENT_modify_rejected;
    if (refuses && happens(fault, FAULT_REORDER))
        due += draw_duration(&fault->chance, fault->options.longest_delay);
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

/* --- outages ----------------------------------------------------------------------------------- */

static bool is_down(struct fault *fault, unsigned venue, int64_t now)
{
    struct connection *connection = &fault->connections[venue];
    while (now >= connection->down_until) {
        int64_t from =
            next_time(fault, &connection->chance, FAULT_DISCONNECT, connection->down_until);
        if (from == TIME_NEVER) {
            connection->down_from = connection->down_until = TIME_NEVER;
            break;
        }
        connection->down_from = from;
        connection->down_until =
            from + draw_duration(&connection->chance, fault->options.longest_outage);
    }
    return now >= connection->down_from;
}

/* --- requests ---------------------------------------------------------------------------------- */

static void answer_unknown(struct fault *fault, const struct asked *request, int64_t now)
{
    if (request->request < 0)
        return;
    answer_own(fault, request->venue, EVENT_order_unknown, request->instrument, now)
        ->order_unknown = (struct event_order_unknown){request->instrument, request->order,
                                                       (uint8_t)request->request};
    if (request->replaces != 0)
        answer_own(fault, request->venue, EVENT_order_unknown, request->instrument, now)
            ->order_unknown =
            (struct event_order_unknown){request->instrument, request->replaces, REQUEST_CANCEL};
}

/* order_rejected, cancel_rejected and modify_rejected have one shape; a query can't be refused. */
static void answer_rejected(struct fault *fault, const struct asked *request, enum reject reason,
                            int64_t now)
{
    static const uint8_t kinds[REQUEST_COUNT] = {
        [REQUEST_PLACE] = EVENT_order_rejected,
        [REQUEST_CANCEL] = EVENT_cancel_rejected,
        [REQUEST_MODIFY] = EVENT_modify_rejected,
    };
    if (request->request < 0 || kinds[request->request] == 0) {
        answer_unknown(fault, request, now);
        return;
    }
    if (request->replaces != 0) {
        answer_own(fault, request->venue, EVENT_cancel_rejected, request->instrument, now)
            ->cancel_rejected =
            (struct event_cancel_rejected){request->instrument, request->replaces, REJECT_OTHER};
        reason = REJECT_REPLACE;
    }
    answer_own(fault, request->venue, kinds[request->request], request->instrument, now)
        ->order_rejected =
        (struct event_order_rejected){request->instrument, request->order, (uint8_t)reason};
}

/* None of these says anything about an order that is not true. */
static enum reject draw_reason(struct fault *fault, const struct asked *request)
{
    static const uint8_t reasons[] = {REJECT_OTHER,    REJECT_HALTED, REJECT_UNSUPPORTED,
                                      REJECT_FULL,     REJECT_FUNDS,  REJECT_POST_ONLY,
                                      REJECT_QUANTITY, REJECT_PRICE,  REJECT_MINIMUM_NOTIONAL,
                                      REJECT_TICK,     REJECT_LOT,    REJECT_NO_BOOK};
    enum { FOR_ANY = 4 };
    size_t count = request->request == REQUEST_CANCEL ? FOR_ANY : sizeof reasons;
    return reasons[random_below(&fault->chance, count)];
}

/* Refused with all others for a while; the budget is told. */
static bool is_banned(struct fault *fault, const struct asked *request, int64_t now)
{
    struct connection *connection = &fault->connections[request->venue];
    if (now >= connection->banned_until) {
        if (request->request < 0 || request->request == REQUEST_QUERY ||
            !happens(fault, FAULT_RATE_BAN))
            return false;
        connection->banned_until =
            now + draw_duration(&fault->chance, fault->options.longest_outage);
        answer_own(fault, request->venue, EVENT_rate_budget, EVENT_NONE_16, now)->rate_budget =
            (struct event_rate_budget){(uint8_t)request->venue, 0, connection->banned_until};
    }
    answer_rejected(fault, request, REJECT_RATE, now);
    return true;
}

/* True where the request does not reach the venue behind. */
static bool fails(struct fault *fault, const struct asked *request, int64_t now)
{
    bool down = is_down(fault, request->venue, now);
    if (down)
        fault->counts[FAULT_DISCONNECT]++;
    if ((down && random_below(&fault->chance, 2) == 0) || happens(fault, FAULT_REQUEST_UNKNOWN)) {
        answer_unknown(fault, request, now);
        return true;
    }
    if (down || happens(fault, FAULT_REQUEST_SILENT) || is_banned(fault, request, now))
        return true;
    if (request->request < 0 || request->request == REQUEST_QUERY || !happens(fault, FAULT_REJECT))
        return false;
    answer_rejected(fault, request, draw_reason(fault, request), now);
    return true;
}

/* Fills of the order that the venue has told and the engine does not know of. */
static int64_t untold(const struct fault *fault, order_id order)
{
    int64_t sum = 0;
    for (size_t i = 0; i < fault->lost_count; i++)
        if (fault->lost[i].message.kind == EVENT_order_filled &&
            fault->lost[i].record.order_filled.order == order)
            sum += fault->lost[i].record.order_filled.quantity.units;
    const struct sim_entry *entry = sim_queue_first(&fault->queue);
    for (size_t i = 0; i < fault->queue.count; i++) {
        const struct kept *kept = &fault->waiting[entry[i].slot];
        if (kept->message.kind == EVENT_order_filled && kept->record.order_filled.order == order)
            sum += kept->record.order_filled.quantity.units;
    }
    return sum;
}

/* A modify asks for a total: what the engine does not know to be filled is not filled again. */
static int submit_modify(struct fault *fault, const struct asked *request,
                         const struct message *decision, struct error *error)
{
    struct message message = *decision;
    union event_record record = *decision->record;
    record.modify.leaves.units -= untold(fault, request->order);
    message.record = &record;
    if (record.modify.leaves.units > 0)
        return fault->inner->submit(fault->inner, &message, error);
    answer_rejected(fault, request, REJECT_FILLED, decision->ts_local);
    return 0;
}

static void remember(struct fault *fault, const struct asked *request, int64_t now)
{
    if (request->request == REQUEST_PLACE)
        fault->recent[fault->recent_count++ % RECENT_MAX] =
            (struct recent){request->order, request->instrument, false, now};
    for (size_t i = 0; request->request == REQUEST_CANCEL && i < RECENT_MAX; i++)
        fault->recent[i].cancelled |= fault->recent[i].order == request->order;
    for (size_t i = 0; request->replaces != 0 && i < RECENT_MAX; i++)
        fault->recent[i].cancelled |= fault->recent[i].order == request->replaces;
}

/* Room for a request that waits; NULL where too many do. */
static struct late *wait_late(struct fault *fault, const struct message *message, int64_t due)
{
    if (fault->late_count == LATE_MAX)
        return NULL;
    struct late *late = &fault->late[fault->late_count++];
    *late = (struct late){
        .sent = message->ts_local, .due = due, .message = *message, .record = *message->record};
    late->message.ts_local = due;
    return late;
}

/* True where the request is on its way for longer than those after it. A modify is not: it asks for a total,
 * and what was told of fills when it was sent belongs to it. */
static bool is_late(struct fault *fault, const struct asked *request,
                    const struct message *decision)
{
    if (request->request < 0 || request->request == REQUEST_MODIFY || request->replaces != 0 ||
        fault->late_count == LATE_MAX || !happens(fault, FAULT_REQUEST_LATE))
        return false;
    return wait_late(fault, decision,
                     decision->ts_local + draw_duration(&fault->chance, LATE_NS)) != NULL;
}

static void note_unasked(struct fault *fault, order_id order)
{
    fault->unasked[fault->unasked_count++ % UNASKED_MAX] = order;
}

/* The order is refused, and is taken all the same; the venue ends it soon. */
static void refuse_falsely(struct fault *fault, const struct asked *request, int64_t now)
{
    if (request->request != REQUEST_PLACE || request->replaces != 0 ||
        fault->late_count == LATE_MAX || !happens(fault, FAULT_FALSE_REJECT))
        return;
    union event_record record = {
        .cancel = {.instrument = request->instrument, .order = request->order}};
    const struct message cancel = {.stream = EVENT_STREAM(request->instrument, CHANNEL_SESSION),
                                   .kind = EVENT_cancel,
                                   .record = &record};
    struct late *end =
        wait_late(fault, &cancel, now + NS_PER_MS + draw_duration(&fault->chance, FALSE_NS));
    end->ends = true;
    note_unasked(fault, request->order);
    for (size_t i = 0; i < RECENT_MAX; i++) /* it ends in this way only */
        fault->recent[i].cancelled |= fault->recent[i].order == request->order;
    if (random_below(&fault->chance, 2) == 0) /* what really happens is told first */
        now += draw_duration(&fault->chance, fault->options.longest_delay);
    answer_rejected(fault, request, draw_reason(fault, request), now);
}

static int64_t sent_at(const struct fault *fault, order_id order)
{
    for (size_t i = 0; i < RECENT_MAX; i++)
        if (fault->recent[i].order == order)
            return fault->recent[i].sent;
    return INT64_MIN / 2;
}

/* True where the order is said not to be found. */
static bool is_not_found(struct fault *fault, const struct asked *request, int64_t now)
{
    bool asks = request->request == REQUEST_QUERY;
    int64_t sent = asks ? sent_at(fault, request->order) : now;
    if (request->request < 0 || request->request == REQUEST_PLACE || now - sent > UNSEEN_NS ||
        fault->connections[request->venue].floor + LATENCY_NS - sent > BELIEF_NS ||
        !happens(fault, FAULT_NOT_FOUND))
        return false;
    if (asks)
        answer_own(fault, request->venue, EVENT_order_not_found, request->instrument, now)
            ->order_not_found = (struct event_order_not_found){request->instrument, request->order};
    else
        answer_rejected(fault, request, REJECT_NOT_FOUND, now);
    return true;
}

static void note_stale(struct fault *fault, const struct kept *kept)
{
    const uint8_t kind = kept->message.kind;
    if (kind == EVENT_cancel_rejected || kind == EVENT_modify_rejected ||
        kind == EVENT_order_modified)
        fault->stale[fault->stale_count++ % STALE_MAX] = *kept;
}

/* What the order's last request came to is told again, as if it were what another has come to. */
static void tell_stale(struct fault *fault, order_id order, int64_t now)
{
    for (uint64_t i = 1; i <= STALE_MAX && i <= fault->stale_count; i++) {
        struct kept *kept = &fault->stale[(fault->stale_count - i) % STALE_MAX];
        if (kept->record.order_accepted.order != order)
            continue;
        kept->message.record = &kept->record;
        if (happens(fault, FAULT_STALE))
            queue_copy(fault, &kept->message, now + draw_duration(&fault->chance, STALE_NS))
                ->again = true;
        return;
    }
}

static int fault_submit(struct venue *venue, const struct message *decision, struct error *error)
{
    struct fault *fault = fault_of(venue);
    struct asked request;
    if (!asked_read(&request, decision, fault->options.names))
        return fault->inner->submit(fault->inner, decision, error);
    const int64_t now = decision->ts_local;
    if (request.request == REQUEST_CANCEL || request.request == REQUEST_MODIFY)
        tell_stale(fault, request.order, now);
    if (fails(fault, &request, now) || is_not_found(fault, &request, now))
        return 0;
    remember(fault, &request, now);
    if (is_late(fault, &request, decision))
        return 0;
    refuse_falsely(fault, &request, now);
    if (request.request == REQUEST_MODIFY)
        return submit_modify(fault, &request, decision, error);
    return fault->inner->submit(fault->inner, decision, error);
}

/* --- answers ----------------------------------------------------------------------------------- */

static bool is_about_order(const struct message *answer)
{
    return answer->kind >= EVENT_order_accepted && answer->kind <= EVENT_order_not_found;
}

static unsigned venue_of(const struct fault *fault, const struct message *answer)
{
    if (answer->stream != EVENT_NONE_16)
        return fault->options.names->definitions[EVENT_STREAM_INSTRUMENT(answer->stream)].venue;
    if (answer->kind != EVENT_balance && answer->kind != EVENT_snapshot_end)
        return 0;
    return answer->record->snapshot_end.venue; /* both begin with it (event/kinds.h) */
}

/* Keep a fact that was not told. False where there is no room: then it must be told. */
static bool lose(struct fault *fault, const struct message *answer)
{
    bool fact = answer->kind == EVENT_order_filled || answer->kind == EVENT_order_cancelled ||
                answer->kind == EVENT_order_expired;
    if (!fact)
        return true;
    if (fault->lost_count == LOST_MAX)
        return false;
    struct kept *kept = &fault->lost[fault->lost_count++];
    kept->message = *answer;
    kept->record = *answer->record;
    return true;
}

/* The order was asked for: what was lost of it comes first, in its own order. */
static void find_again(struct fault *fault, order_id order, int64_t due)
{
    size_t left = 0;
    for (size_t i = 0; i < fault->lost_count; i++) {
        struct kept *kept = &fault->lost[i];
        kept->message.record = &kept->record;
        if (kept->record.order_accepted.order == order)
            queue_copy(fault, &kept->message, due);
        else
            fault->lost[left++] = *kept;
    }
    fault->lost_count = left;
}

/* As often seconds as minutes: while the order still rests, or long after it has ended. */
static int64_t draw_echo(struct fault *fault)
{
    enum { SHARE = 120 };
    bool soon = random_below(&fault->chance, 2) == 0;
    return draw_duration(&fault->chance, soon ? ECHO_NS / SHARE : ECHO_NS);
}

/* What was refused here comes again as an answer of the venue does. */
static void echo_own(struct fault *fault, const struct kept *kept)
{
    if (kept->own && happens(fault, FAULT_ECHO))
        queue_copy(fault, &kept->message, kept->message.ts_local + draw_echo(fault))->again = true;
}

/* An answer that may come late, twice or in another order. */
static void deliver(struct fault *fault, const struct message *answer, unsigned venue, int64_t due)
{
    struct connection *connection = &fault->connections[venue];
    int64_t longest = fault->options.longest_delay;
    if (happens(fault, FAULT_DELAY)) {
        int64_t late = due + draw_duration(&fault->chance, longest);
        if (late > connection->floor) /* nothing overtakes what is late already */
            connection->floor = late;
    }
    if (due < connection->floor)
        due = connection->floor;
    if (is_about_order(answer) && happens(fault, FAULT_ECHO))
        queue_copy(fault, answer, due + draw_echo(fault))->again = true;
    if (is_about_order(answer) && happens(fault, FAULT_DUPLICATE))
        queue_copy(fault, answer, due + draw_duration(&fault->chance, longest))->again = true;
    if (is_about_order(answer) && happens(fault, FAULT_REORDER))
        due += draw_duration(&fault->chance, longest);
    queue_copy(fault, answer, due);
}

/* What a venue tells by the stream of our orders alone; the rest are answers to requests. */
static bool is_of_stream(const struct message *answer)
{
    return answer->kind == EVENT_order_filled || answer->kind == EVENT_order_expired;
}

/* True where the answer is lost. What the engine needs at its start is not. */
static bool is_lost(struct fault *fault, const struct message *answer, unsigned venue)
{
    if (!is_about_order(answer))
        return false;
    const struct connection *connection = &fault->connections[venue];
    if (is_of_stream(answer) && answer->ts_local >= connection->stream_from &&
        answer->ts_local < connection->stream_until)
        return lose(fault, answer);
    bool down = is_down(fault, venue, answer->ts_local);
    if (down || happens(fault, FAULT_LOST)) {
        fault->counts[FAULT_DISCONNECT] += down;
        return lose(fault, answer);
    }
    if (answer->kind == EVENT_order_filled || !happens(fault, FAULT_UNREADABLE) ||
        !lose(fault, answer))
        return false;
    /* Of what was asked only this is known: it was about that order. */
    struct asked request = {venue, answer->record->order_accepted.instrument,
                            answer->record->order_accepted.order, REQUEST_PLACE, 0};
    if (answer->kind == EVENT_order_cancelled || answer->kind == EVENT_cancel_rejected)
        request.request = REQUEST_CANCEL;
    else if (answer->kind == EVENT_order_modified || answer->kind == EVENT_modify_rejected)
        request.request = REQUEST_MODIFY;
    else if (answer->kind == EVENT_order_not_found)
        request.request = REQUEST_QUERY;
    answer_unknown(fault, &request, answer->ts_local);
    return true;
}

/* The answer to a cancel that we sent ourselves: the venue's own doing. True where nothing is said. */
static bool ends_itself(struct fault *fault, struct kept *answer)
{
    const uint8_t kind = answer->message.kind;
    if (fault->ending == 0 || (kind != EVENT_order_cancelled && kind != EVENT_cancel_rejected) ||
        answer->record.order_accepted.order != fault->ending)
        return false;
    if (fault->ending_refused) /* nobody asks for it */
        find_again(fault, fault->ending, answer->message.ts_local);
    fault->ending = 0;
    fault->ending_refused = false;
    if (kind == EVENT_cancel_rejected)
        return true;
    fault->counts[FAULT_END]++;
    struct event_order_cancelled cancelled = answer->record.order_cancelled;
    if (random_below(&fault->chance, 3) == 0)
        return false;
    memset(&answer->record, 0, sizeof answer->record);
    answer->message.kind = EVENT_order_expired;
    answer->record.order_expired =
        (struct event_order_expired){cancelled.instrument, cancelled.order, cancelled.leaves};
    return false;
}

/* The venue does not say what is left. Of an order that has ended nobody asks any more: what was lost of it
 * is told, late. */
static void strip(struct fault *fault, struct kept *answer)
{
    const struct number absent = {0, NUMBER_ABSENT};
    const uint8_t kind = answer->message.kind;
    bool fills = kind == EVENT_order_filled,
         ends = kind == EVENT_order_cancelled || kind == EVENT_order_expired;
    if ((!fills && !ends) || !happens(fault, FAULT_BARE))
        return;
    if (fills)
        answer->record.order_filled.leaves = absent;
    else if (kind == EVENT_order_cancelled)
        answer->record.order_cancelled.leaves = absent;
    else
        answer->record.order_expired.leaves = absent;
    if (!ends)
        return;
    note_unasked(fault, answer->record.order_accepted.order);
    find_again(fault, answer->record.order_accepted.order,
               answer->message.ts_local +
                   draw_duration(&fault->chance, fault->options.longest_delay));
}

/* Now and then an order ends right after it was filled in part, so that the two overtake each other. */
static void end_filled(struct fault *fault, const struct message *answer)
{
    enum { ONE_IN = 8, SOON_NS = 50000000 };
    if (fault->options.chance[FAULT_END] == 0 || answer->kind != EVENT_order_filled ||
        answer->record->order_filled.leaves.units <= 0 || random_below(&fault->chance, ONE_IN) != 0)
        return;
    fault->filled = answer->record->order_filled.order;
    fault->next_end = answer->ts_local + draw_duration(&fault->chance, SOON_NS);
}

static void take_answer(struct fault *fault, const struct message *message)
{
    struct kept answer = {*message, *message->record, false, false};
    unsigned venue = venue_of(fault, message);
    answer.message.record = &answer.record;
    end_filled(fault, message);
    if (ends_itself(fault, &answer))
        return;
    strip(fault, &answer);
    if (is_lost(fault, &answer.message, venue))
        return;
    int64_t due = message->ts_local;
    if (due < fault->connections[venue].floor)
        due = fault->connections[venue].floor;
    if (message->kind == EVENT_open_order || message->kind == EVENT_order_status ||
        message->kind == EVENT_order_not_found) /* they all begin alike (event/kinds.h) */
        find_again(fault, message->record->order_accepted.order, due);
    deliver(fault, &answer.message, venue, message->ts_local);
    if (message->kind == EVENT_order_status || message->kind == EVENT_order_filled)
        tell_stale(fault, message->record->order_accepted.order, due);
}

/* --- what happens by itself --------------------------------------------------------------------- */

static void queue_jump(struct fault *fault, int64_t now)
{
    int64_t due = next_time(fault, &fault->chance, FAULT_CLOCK_JUMP, now);
    if (due == TIME_NEVER)
        return;
    int64_t jump = draw_duration(&fault->chance, fault->options.longest_outage);
    queue_own(fault, EVENT_clock_jump, due)->record.clock_jump.jump =
        random_below(&fault->chance, 2) ? jump : -jump;
}

/* It stands, as adapters tell soon after. */
static void connect_stream(struct fault *fault, unsigned venue, int64_t since)
{
    struct connection *connection = &fault->connections[venue];
    if (fault->options.chance[FAULT_ORDERS_STREAM] == 0)
        return;
    int64_t told = since + draw_duration(&connection->stream_chance, LATENCY_NS);
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
    connection->stream_from = next_time(fault, chance, FAULT_ORDERS_STREAM, now);
    connection->stream_until =
        connection->stream_from + draw_duration(chance, fault->options.longest_outage);
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
    fault->next_end = next_time(fault, &fault->chance, FAULT_END, now);
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
    if (!kept->again && (still || !lose(fault, &kept->message)))
        queue_copy(fault, &kept->message, kept->message.ts_local);
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
        if (!ends_itself(fault, &answer))
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
    fault->next_end = next_time(fault, &fault->chance, FAULT_END, now);
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
            take_answer(fault, answer);
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
        take_answer(fault, answer);
    if (fault->given != UINT32_MAX)
        sim_slots_give(&fault->slots, fault->given);
    fault->given = UINT32_MAX;
    if (fault->queue.count == 0 || first_due(fault) > now)
        return NULL;
    fault->given = sim_queue_first(&fault->queue)->slot;
    sim_queue_pop(&fault->queue);
    struct kept *kept = &fault->waiting[fault->given];
    kept->message.record = &kept->record;
    note_stale(fault, kept);
    echo_own(fault, kept);
    if (kept->message.kind == EVENT_order_status && kept->record.order_status.leaves.units == 0)
        note_unasked(fault, kept->record.order_status.order); /* a fill may be on its way yet */
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
