/* The life of each order as the metrics count it (trading-semantics 33): placed is accepted by the venue, filled
 * is filled whole, failed is a place that ended rejected or never arrived. */
#include "ops/collect.h"

#include <stdlib.h>

#include "base/assert.h"

enum { LIVES_PER_ORDER = 2, LIVES_LEAST = 1024 };

int ops_lives_open(struct ops_collect *collect, struct error *error)
{
    size_t count = LIVES_LEAST;
    while (count < LIVES_PER_ORDER * collect->session.orders_capacity)
        count *= 2;
    collect->lives = calloc(count, sizeof *collect->lives);
    if (!collect->lives)
        return error_set(error, ERROR_SYSTEM, "no memory for figures of %zu orders", count);
    collect->life_mask = (uint32_t)count - 1;
    return 0;
}

/* NULL: it is not known here, or another has its place. */
static struct ops_life *life_of(struct ops_collect *collect, order_id id)
{
    struct ops_life *life = &collect->lives[id & collect->life_mask];
    return id != 0 && life->id == id ? life : NULL;
}

/* An order that was placed before this process began, at its first sign of life here: the venue had it, which counted there.
 * What becomes of it counts here, unless one that lives has its place. */
static struct ops_life *take_over(struct ops_collect *collect, order_id id, unsigned instrument)
{
    struct ops_life *life = &collect->lives[id & collect->life_mask];
    if (id == 0 || instrument >= collect->session.names->instrument_count ||
        (life->id != 0 && !life->ended))
        return NULL;
    *life = (struct ops_life){
        .id = id, .venue = collect->session.names->definitions[instrument].venue, .arrived = true};
    return life;
}

bool ops_lives_was_open(const struct engine *engine, const struct message *message)
{
    /* Every answer begins with instrument and order (event/kinds.h). */
    return message->kind >= EVENT_order_accepted && message->kind <= EVENT_order_status &&
           engine_order_is_open(engine, message->record->order_not_found.order);
}

static struct ops_venue_figures *venue_of(struct ops_collect *collect, unsigned instrument)
{
    ASSERT(instrument < collect->session.names->instrument_count);
    return &collect->venues[collect->session.names->definitions[instrument].venue];
}

/* --- what is sent ------------------------------------------------------------------------------- */

static void begin(struct ops_collect *collect, order_id id, unsigned instrument, unsigned side,
                  int64_t now)
{
    collect->lives[id & collect->life_mask] =
        (struct ops_life){.id = id,
                          .sent = now,
                          .venue = collect->session.names->definitions[instrument].venue,
                          .side = (uint8_t)side};
}

static void request(struct ops_collect *collect, order_id id, unsigned instrument, unsigned kind,
                    int64_t now, enum cancel_cause why)
{
    struct ops_life *life = life_of(collect, id);
    if (!life)
        life = take_over(collect, id, instrument);
    if (!life)
        return;
    life->requested = now;
    life->request = (uint8_t)kind;
    life->why = (uint8_t)why;
}

static void count_sent(struct ops_collect *collect, unsigned instrument, unsigned kind)
{
    ops_count(&venue_of(collect, instrument)->sent[kind]);
}

void ops_lives_decision(struct ops_collect *collect, const struct message *decision)
{
    const union event_record *record = decision->record;
    const int64_t now = decision->ts_local;
    switch ((int)decision->kind) {
    case EVENT_place:
        count_sent(collect, record->place.instrument, OPS_REQUEST_PLACE);
        begin(collect, record->place.order, record->place.instrument, record->place.side, now);
        break;
    case EVENT_replace:
        count_sent(collect, record->replace.instrument, OPS_REQUEST_PLACE);
        begin(collect, record->replace.order, record->replace.instrument, record->replace.side,
              now);
        request(collect, record->replace.replaces, record->replace.instrument, OPS_REQUEST_CANCEL,
                now, CANCEL_REPLACED);
        break;
    case EVENT_cancel:
        count_sent(collect, record->cancel.instrument, OPS_REQUEST_CANCEL);
        request(collect, record->cancel.order, record->cancel.instrument, OPS_REQUEST_CANCEL, now,
                (enum cancel_cause)record->cancel.why);
        break;
    case EVENT_cancel_orphan:
        count_sent(collect, record->cancel_orphan.instrument, OPS_REQUEST_CANCEL);
        break;
    case EVENT_modify:
        count_sent(collect, record->modify.instrument, OPS_REQUEST_MODIFY);
        request(collect, record->modify.order, record->modify.instrument, OPS_REQUEST_MODIFY, now,
                CANCEL_REQUESTED);
        break;
    default:
        break;
    }
}

/* --- what is answered --------------------------------------------------------------------------- */

/* The venue has it: the first word of that. */
static void arrive(struct ops_collect *collect, struct ops_life *life, int64_t now)
{
    struct ops_venue_figures *venue = &collect->venues[life->venue];
    if (life->arrived)
        return;
    life->arrived = true;
    ops_count(&venue->placed[life->side][OPS_LIMIT]);
    ops_observe(&venue->execution, now - life->sent);
    ops_observe(&venue->answers[OPS_REQUEST_PLACE], now - life->sent);
}

static void answer(struct ops_collect *collect, struct ops_life *life, unsigned kind, int64_t now)
{
    if (life->requested == 0 || life->request != kind)
        return;
    ops_observe(&collect->venues[life->venue].answers[kind], now - life->requested);
    life->requested = 0;
}

static void reject(struct ops_collect *collect, struct ops_life *life, unsigned reason, int64_t now)
{
    struct ops_venue_figures *venue = &collect->venues[life->venue];
    if (life->arrived || life->ended)
        return;
    life->ended = true;
    if (reason == REJECT_POST_ONLY)
        ops_count(&venue->post_only_rejected);
    else if (reason == REJECT_REPLACE)
        ops_count(&venue->not_tried); /* a fill came first, as a rule: nobody refused anything */
    else
        ops_count(&venue->failed[reason]);
    if (reason == OPS_FAILED_NEVER_ARRIVED)
        return; /* nobody answered */
    ops_observe(&venue->execution, now - life->sent);
    ops_observe(&venue->answers[OPS_REQUEST_PLACE], now - life->sent);
}

static void end(struct ops_life *life, _Atomic uint64_t *counter)
{
    if (life->ended)
        return;
    life->ended = true;
    ops_count(counter);
}

/* The message ended it, as the engine has it. */
static bool has_ended(const struct ops_collect *collect, order_id order)
{
    return collect->was_open && !engine_order_is_open(collect->session.engine, order);
}

/* One that the engine has counted, and at a worse price than its order allowed. */
static bool is_beyond(const struct ops_collect *collect, const struct event_order_filled *fill)
{
    return collect->limit > 0 && (fill->side == SIDE_BUY ? fill->price.units > collect->limit
                                                         : fill->price.units < collect->limit);
}

static void take_fill(struct ops_collect *collect, const struct event_order_filled *fill,
                      int64_t now)
{
    struct ops_life *life = life_of(collect, fill->order);
    struct ops_venue_figures *venue = venue_of(collect, fill->instrument);
    if (engine_counters(collect->session.engine)->fills > collect->fills_before) {
        ops_count(&venue->fills[fill->side][fill->liquidity]);
        if (is_beyond(collect, fill))
            ops_count(&venue->beyond_limit);
    }
    if (!life)
        return;
    arrive(collect, life, now);
    /* One that does not say what is left can't fill what the venue said to be over with some left. */
    bool whole = fill->leaves.status == NUMBER_VALUE
                     ? fill->leaves.units == 0
                     : !life->ended && has_ended(collect, fill->order);
    if (!whole || life->filled)
        return;
    life->filled = life->ended = true;
    ops_count(&venue->filled[fill->side]);
}

static void take_cancelled(struct ops_collect *collect,
                           const struct event_order_cancelled *cancelled, int64_t now)
{
    struct ops_life *life = life_of(collect, cancelled->order);
    if (!life)
        return;
    bool asked = life->requested != 0;
    arrive(collect, life, now);
    answer(collect, life, OPS_REQUEST_CANCEL, now);
    unsigned cause = cancelled->cause == CANCEL_REQUESTED && asked ? life->why : cancelled->cause;
    end(life, &collect->venues[life->venue].cancelled[cause]);
}

/* Asked for twice and not found: the engine has ended it. */
static void take_not_found(struct ops_collect *collect, order_id order, int64_t now)
{
    struct ops_life *life = life_of(collect, order);
    if (!life || !has_ended(collect, order))
        return;
    if (life->arrived)
        end(life, &collect->venues[life->venue].not_found);
    else
        reject(collect, life, OPS_FAILED_NEVER_ARRIVED, now);
}

/* The venue shows that it has it. */
static void take_sign(struct ops_collect *collect, order_id order, int64_t now)
{
    struct ops_life *life = life_of(collect, order);
    if (life)
        arrive(collect, life, now);
}

static void take_answer(struct ops_collect *collect, order_id order, unsigned kind, int64_t now)
{
    struct ops_life *life = life_of(collect, order);
    if (life)
        answer(collect, life, kind, now);
}

static void take_expired(struct ops_collect *collect, order_id order, int64_t now)
{
    struct ops_life *life = life_of(collect, order);
    if (!life)
        return;
    arrive(collect, life, now);
    end(life, &collect->venues[life->venue].expired);
}

static void take_rejected(struct ops_collect *collect, const struct event_order_rejected *rejected,
                          int64_t now)
{
    struct ops_life *life = life_of(collect, rejected->order);
    if (life)
        reject(collect, life, rejected->reason, now);
}

/* It rests, or it is over: not filled, for the engine had counted its fills. */
static void take_status(struct ops_collect *collect, const struct event_order_status *status,
                        int64_t now)
{
    struct ops_life *life = life_of(collect, status->order);
    if (!life || status->leaves.status != NUMBER_VALUE)
        return;
    if (status->leaves.units > 0) {
        arrive(collect, life, now);
    } else if (has_ended(collect, status->order)) {
        arrive(collect, life, now);
        end(life, &collect->venues[life->venue]
                       .cancelled[life->requested != 0 ? life->why : CANCEL_REQUESTED]);
    }
}

void ops_lives_message(struct ops_collect *collect, const struct message *message)
{
    const union event_record *record = message->record;
    const int64_t now = message->ts_local;
    const struct event_order_not_found *answer = &record->order_not_found; /* each begins so */
    /* Of one that is not found nothing tells that the venue ever had it. */
    if (collect->was_open && message->kind != EVENT_order_not_found &&
        !life_of(collect, answer->order))
        (void)take_over(collect, answer->order, answer->instrument);
    switch ((int)message->kind) {
    case EVENT_order_accepted:
        take_sign(collect, record->order_accepted.order, now);
        break;
    case EVENT_open_order:
        take_sign(collect, record->open_order.order, now);
        break;
    case EVENT_order_status:
        take_status(collect, &record->order_status, now);
        break;
    case EVENT_order_rejected:
        take_rejected(collect, &record->order_rejected, now);
        break;
    case EVENT_order_filled:
        if (record->order_filled.instrument < collect->session.names->instrument_count)
            take_fill(collect, &record->order_filled, now);
        break;
    case EVENT_order_cancelled:
        take_cancelled(collect, &record->order_cancelled, now);
        break;
    case EVENT_order_expired:
        take_expired(collect, record->order_expired.order, now);
        break;
    case EVENT_cancel_rejected:
        take_answer(collect, record->cancel_rejected.order, OPS_REQUEST_CANCEL, now);
        break;
    case EVENT_order_modified:
        take_answer(collect, record->order_modified.order, OPS_REQUEST_MODIFY, now);
        break;
    case EVENT_modify_rejected:
        take_answer(collect, record->modify_rejected.order, OPS_REQUEST_MODIFY, now);
        break;
    case EVENT_order_not_found:
        take_not_found(collect, record->order_not_found.order, now);
        break;
    case EVENT_order_unknown:
        if (record->order_unknown.instrument < collect->session.names->instrument_count)
            ops_count(&venue_of(collect, record->order_unknown.instrument)->unanswered);
        break;
    default:
        break;
    }
}
