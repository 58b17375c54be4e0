/* Answers on their way back from a venue behind a bad connection: lost, late, repeated, in another order, bare. */
#include "venue/fault_parts.h"

#include <string.h>

#include "base/time.h"
#include "venue/asked.h"

/* How late an echo is. */
#define ECHO_NS (240 * NS_PER_SECOND)

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
bool fault_lose(struct fault *fault, const struct message *answer)
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
void fault_find_again(struct fault *fault, order_id order, int64_t due)
{
    size_t left = 0;
    for (size_t i = 0; i < fault->lost_count; i++) {
        struct kept *kept = &fault->lost[i];
        kept->message.record = &kept->record;
        if (kept->record.order_accepted.order == order)
            fault_queue_copy(fault, &kept->message, due);
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
    return fault_draw_duration(&fault->chance, soon ? ECHO_NS / SHARE : ECHO_NS);
}

void fault_echo_own(struct fault *fault, const struct kept *kept)
{
    if (kept->own && fault_happens(fault, FAULT_ECHO))
        fault_queue_copy(fault, &kept->message, kept->message.ts_local + draw_echo(fault))->again =
            true;
}

/* An answer that may come late, twice or in another order. */
static void deliver(struct fault *fault, const struct message *answer, unsigned venue, int64_t due)
{
    struct connection *connection = &fault->connections[venue];
    int64_t longest = fault->options.longest_delay;
    if (fault_happens(fault, FAULT_DELAY)) {
        int64_t late = due + fault_draw_duration(&fault->chance, longest);
        if (late > connection->floor) /* nothing overtakes what is late already */
            connection->floor = late;
    }
    if (due < connection->floor)
        due = connection->floor;
    if (is_about_order(answer) && fault_happens(fault, FAULT_ECHO))
        fault_queue_copy(fault, answer, due + draw_echo(fault))->again = true;
    if (is_about_order(answer) && fault_happens(fault, FAULT_DUPLICATE))
        fault_queue_copy(fault, answer, due + fault_draw_duration(&fault->chance, longest))->again =
            true;
    if (is_about_order(answer) && fault_happens(fault, FAULT_REORDER))
        due += fault_draw_duration(&fault->chance, longest);
    fault_queue_copy(fault, answer, due);
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
        return fault_lose(fault, answer);
    bool down = fault_is_down(fault, venue, answer->ts_local);
    if (down || fault_happens(fault, FAULT_LOST)) {
        fault->counts[FAULT_DISCONNECT] += down;
        return fault_lose(fault, answer);
    }
    if (answer->kind == EVENT_order_filled || !fault_happens(fault, FAULT_UNREADABLE) ||
        !fault_lose(fault, answer))
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
    fault_answer_unknown(fault, &request, answer->ts_local);
    return true;
}

/* The answer to a cancel that we sent ourselves: the venue's own doing. True where nothing is said. */
bool fault_ends_itself(struct fault *fault, struct kept *answer)
{
    const uint8_t kind = answer->message.kind;
    if (fault->ending == 0 || (kind != EVENT_order_cancelled && kind != EVENT_cancel_rejected) ||
        answer->record.order_accepted.order != fault->ending)
        return false;
    if (fault->ending_refused) /* nobody asks for it */
        fault_find_again(fault, fault->ending, answer->message.ts_local);
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
    if ((!fills && !ends) || !fault_happens(fault, FAULT_BARE))
        return;
    if (fills)
        answer->record.order_filled.leaves = absent;
    else if (kind == EVENT_order_cancelled)
        answer->record.order_cancelled.leaves = absent;
    else
        answer->record.order_expired.leaves = absent;
    if (!ends)
        return;
    fault_note_unasked(fault, answer->record.order_accepted.order);
    fault_find_again(fault, answer->record.order_accepted.order,
                     answer->message.ts_local +
                         fault_draw_duration(&fault->chance, fault->options.longest_delay));
}

/* Now and then an order ends right after it was filled in part, so that the two overtake each other. */
static void end_filled(struct fault *fault, const struct message *answer)
{
    enum { ONE_IN = 8, SOON_NS = 50000000 };
    if (fault->options.chance[FAULT_END] == 0 || answer->kind != EVENT_order_filled ||
        answer->record->order_filled.leaves.units <= 0 || random_below(&fault->chance, ONE_IN) != 0)
        return;
    fault->filled = answer->record->order_filled.order;
    fault->next_end = answer->ts_local + fault_draw_duration(&fault->chance, SOON_NS);
}

void fault_take_answer(struct fault *fault, const struct message *message)
{
    struct kept answer = {*message, *message->record, false, false};
    unsigned venue = venue_of(fault, message);
    answer.message.record = &answer.record;
    end_filled(fault, message);
    if (fault_ends_itself(fault, &answer))
        return;
    strip(fault, &answer);
    if (is_lost(fault, &answer.message, venue))
        return;
    int64_t due = message->ts_local;
    if (due < fault->connections[venue].floor)
        due = fault->connections[venue].floor;
    if (message->kind == EVENT_open_order)
        fault_find_again(fault, message->record->open_order.order, due);
    if (message->kind == EVENT_order_status)
        fault_find_again(fault, message->record->order_status.order, due);
    if (message->kind == EVENT_order_not_found)
        fault_find_again(fault, message->record->order_not_found.order, due);
    deliver(fault, &answer.message, venue, message->ts_local);
    if (message->kind == EVENT_order_status || message->kind == EVENT_order_filled)
        fault_tell_stale(fault, message->record->order_accepted.order, due);
}
