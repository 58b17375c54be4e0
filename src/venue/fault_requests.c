/* Requests on their way to a venue behind a bad connection: lost, late, refused, falsely or not. */
#include "venue/fault_parts.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "venue/asked.h"

enum {
    STALE_NS = 60000000
}; /* after a request left, at most: its answer is mostly on its way yet */

#define LATE_NS   (4 * NS_PER_SECOND)
#define UNSEEN_NS (2 * NS_PER_SECOND)
/* How long an order rests at most that was refused falsely. */
#define FALSE_NS (6 * NS_PER_SECOND)

/* --- outages ----------------------------------------------------------------------------------- */

bool fault_is_down(struct fault *fault, unsigned venue, int64_t now)
{
    struct connection *connection = &fault->connections[venue];
    while (now >= connection->down_until) {
        int64_t from =
            fault_next_time(fault, &connection->chance, FAULT_DISCONNECT, connection->down_until);
        if (from == TIME_NEVER) {
            connection->down_from = connection->down_until = TIME_NEVER;
            break;
        }
        connection->down_from = from;
        connection->down_until =
            from + fault_draw_duration(&connection->chance, fault->options.longest_outage);
    }
    return now >= connection->down_from;
}

/* --- requests ---------------------------------------------------------------------------------- */

void fault_answer_unknown(struct fault *fault, const struct asked *request, int64_t now)
{
    if (request->request < 0)
        return;
    fault_answer_own(fault, request->venue, EVENT_order_unknown, request->instrument, now)
        ->order_unknown = (struct event_order_unknown){request->instrument, request->order,
                                                       (uint8_t)request->request};
    if (request->replaces != 0)
        fault_answer_own(fault, request->venue, EVENT_order_unknown, request->instrument, now)
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
        fault_answer_unknown(fault, request, now);
        return;
    }
    if (request->replaces != 0) {
        fault_answer_own(fault, request->venue, EVENT_cancel_rejected, request->instrument, now)
            ->cancel_rejected =
            (struct event_cancel_rejected){request->instrument, request->replaces, REJECT_OTHER};
        reason = REJECT_REPLACE;
    }
    fault_answer_own(fault, request->venue, kinds[request->request], request->instrument, now)
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
            !fault_happens(fault, FAULT_RATE_BAN))
            return false;
        connection->banned_until =
            now + fault_draw_duration(&fault->chance, fault->options.longest_outage);
        fault_answer_own(fault, request->venue, EVENT_rate_budget, EVENT_NONE_16, now)
            ->rate_budget =
            (struct event_rate_budget){(uint8_t)request->venue, 0, connection->banned_until};
    }
    answer_rejected(fault, request, REJECT_RATE, now);
    return true;
}

/* True where the request does not reach the venue behind. */
static bool fails(struct fault *fault, const struct asked *request, int64_t now)
{
    bool down = fault_is_down(fault, request->venue, now);
    if (down)
        fault->counts[FAULT_DISCONNECT]++;
    if ((down && random_below(&fault->chance, 2) == 0) ||
        fault_happens(fault, FAULT_REQUEST_UNKNOWN)) {
        fault_answer_unknown(fault, request, now);
        return true;
    }
    if (down || fault_happens(fault, FAULT_REQUEST_SILENT) || is_banned(fault, request, now))
        return true;
    if (request->request < 0 || request->request == REQUEST_QUERY ||
        !fault_happens(fault, FAULT_REJECT))
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
        fault->late_count == LATE_MAX || !fault_happens(fault, FAULT_REQUEST_LATE))
        return false;
    return wait_late(fault, decision,
                     decision->ts_local + fault_draw_duration(&fault->chance, LATE_NS)) != NULL;
}

void fault_note_unasked(struct fault *fault, order_id order)
{
    fault->unasked[fault->unasked_count++ % UNASKED_MAX] = order;
}

/* The order is refused, and is taken all the same; the venue ends it soon. */
static void refuse_falsely(struct fault *fault, const struct asked *request, int64_t now)
{
    if (request->request != REQUEST_PLACE || request->replaces != 0 ||
        fault->late_count == LATE_MAX || !fault_happens(fault, FAULT_FALSE_REJECT))
        return;
    union event_record record = {
        .cancel = {.instrument = request->instrument, .order = request->order}};
    const struct message cancel = {.stream = EVENT_STREAM(request->instrument, CHANNEL_SESSION),
                                   .kind = EVENT_cancel,
                                   .record = &record};
    struct late *end =
        wait_late(fault, &cancel, now + NS_PER_MS + fault_draw_duration(&fault->chance, FALSE_NS));
    end->ends = true;
    fault_note_unasked(fault, request->order);
    for (size_t i = 0; i < RECENT_MAX; i++) /* it ends in this way only */
        fault->recent[i].cancelled |= fault->recent[i].order == request->order;
    if (random_below(&fault->chance, 2) == 0) /* what really happens is told first */
        now += fault_draw_duration(&fault->chance, fault->options.longest_delay);
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
        !fault_happens(fault, FAULT_NOT_FOUND))
        return false;
    if (asks)
        fault_answer_own(fault, request->venue, EVENT_order_not_found, request->instrument, now)
            ->order_not_found = (struct event_order_not_found){request->instrument, request->order};
    else
        answer_rejected(fault, request, REJECT_NOT_FOUND, now);
    return true;
}

void fault_note_stale(struct fault *fault, const struct kept *kept)
{
    const uint8_t kind = kept->message.kind;
    if (kind == EVENT_cancel_rejected || kind == EVENT_modify_rejected ||
        kind == EVENT_order_modified)
        fault->stale[fault->stale_count++ % STALE_MAX] = *kept;
}

void fault_tell_stale(struct fault *fault, order_id order, int64_t now)
{
    for (uint64_t i = 1; i <= STALE_MAX && i <= fault->stale_count; i++) {
        struct kept *kept = &fault->stale[(fault->stale_count - i) % STALE_MAX];
        if (kept->record.order_accepted.order != order)
            continue;
        kept->message.record = &kept->record;
        if (fault_happens(fault, FAULT_STALE))
            fault_queue_copy(fault, &kept->message,
                             now + fault_draw_duration(&fault->chance, STALE_NS))
                ->again = true;
        return;
    }
}

int fault_submit(struct venue *venue, const struct message *decision, struct error *error)
{
    struct fault *fault = fault_of(venue);
    struct asked request;
    if (!asked_read(&request, decision, fault->options.names))
        return fault->inner->submit(fault->inner, decision, error);
    const int64_t now = decision->ts_local;
    if (request.request == REQUEST_CANCEL || request.request == REQUEST_MODIFY)
        fault_tell_stale(fault, request.order, now);
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
