/* The order table: what we sent, what the venue made of it, and the sums that risk needs. Only session
 * and decision records change it. */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"

enum { CANCEL_DOUBLINGS = 16 }; /* as many retries as there may be; a minute so often is 45 days */

/* --- slots ------------------------------------------------------------------------------------- */

static uint32_t slot_of(const struct order_table *table, order_id id)
{
    return ((uint32_t)id - 1) & table->mask;
}

struct order *orders_find(const struct engine *engine, order_id id)
{
    struct order *order = &engine->orders.slots[slot_of(&engine->orders, id)];
    return id != 0 && order->id == id ? order : NULL;
}

/* Ids count up; one whose slot a live order still holds is passed over. There are more slots than live
 * orders, so this ends. */
order_id orders_next_id(const struct engine *engine)
{
    const struct order_table *table = &engine->orders;
    uint32_t counter = engine->carry.counter + 1;
    while (counter == 0 || order_state_is_live(table->slots[(counter - 1) & table->mask].state))
        counter++;
    return (uint64_t)engine->carry.epoch << 32 | counter;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- live lists -------------------------------------------------------------------------------- */

static struct order_side *side_of(struct engine *engine, const struct order *order)
{
    return &engine->instruments[order->instrument].sides[order->side];
}

int64_t orders_worst_leaves(const struct order *order)
{
    if (orders_is_modifying(order) && order->asked_leaves > order->leaves)
        return order->asked_leaves;
    return order->leaves;
}

int64_t orders_worst_price(const struct order *order)
{
    if (!orders_is_modifying(order) ||
        (order->asked_price > order->price) == (order->side == SIDE_SELL))
        return order->price;
    return order->asked_price;
}

static void list_append(struct engine *engine, struct order *order)
{
    struct order_table *table = &engine->orders;
    struct order_side *side = side_of(engine, order);
    uint32_t slot = slot_of(table, order->id);
    order->next = ENGINE_NO_SLOT;
    order->previous = side->last;
    if (side->last == ENGINE_NO_SLOT)
        side->first = slot;
    else
        table->slots[side->last].next = slot;
    side->last = slot;
    side->count++;
    table->live++;
}

static void list_remove(struct engine *engine, struct order *order)
{
    struct order_table *table = &engine->orders;
    struct order_side *side = side_of(engine, order);
    if (order->previous == ENGINE_NO_SLOT)
        side->first = order->next;
    else
        table->slots[order->previous].next = order->next;
    if (order->next == ENGINE_NO_SLOT)
        side->last = order->previous;
    else
        table->slots[order->next].previous = order->previous;
    ASSERT(side->count > 0);
    side->count--;
    table->live--;
}

/* Bring sums and reserves to what the order's fields now say; `before` is its worst leaves until now. */
static void sums_update(struct engine *engine, struct order *order, int64_t before)
{
    int64_t after = order_state_is_live(order->state) ? orders_worst_leaves(order) : 0;
    side_of(engine, order)->leaves += after - before;
    ledger_reserve(engine, order, orders_worst_price(order), after);
}

static unsigned venue_of(const struct engine *engine, const struct order *order)
{
    return engine->instruments[order->instrument].definition.venue;
}

static void expect_answer(struct engine *engine, struct order *order, int64_t now)
{
    struct instrument *instrument = &engine->instruments[order->instrument];
    int64_t wait = instrument->limits.pending_timeout;
    if (instrument->limits.unknown_alarm > 0 && instrument->limits.unknown_alarm < wait)
        wait = instrument->limits.unknown_alarm;
    order->asked_ts = now;
    if (now + wait < instrument->pending_deadline)
        instrument->pending_deadline = now + wait;
}

/* --- transitions ------------------------------------------------------------------------------- */

static enum order_state resolve_state(const struct order *order, uint8_t target)
{
    if (target == ORDER_SAME)
        return order->state;
    if (target == ORDER_RESTING)
        return order->filled > 0 ? ORDER_PARTLY_FILLED : ORDER_ACTIVE;
    return target;
}

bool orders_unknown_too_long(const struct engine *engine, const struct order *order)
{
    int64_t limit = engine->instruments[order->instrument].limits.unknown_alarm;
    return limit > 0 && order->state == ORDER_UNKNOWN && engine->now - order->asked_ts >= limit;
}

/* No order of the instrument has been unknown for too long. */
static void clear_unknown_alarm(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    if (!alarm_is_raised(engine, index, 0, ALARM_ORDER_UNKNOWN))
        return;
    for (int side = 0; side < 2; side++)
        for (uint32_t slot = instrument->sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next)
            if (orders_unknown_too_long(engine, &engine->orders.slots[slot]))
                return;
    instrument->pending_deadline =
        engine->now; /* a lower bound: the next may be due before it was */
    alarm_clear(engine, index, 0, ALARM_ORDER_UNKNOWN);
}

static void enter_state(struct engine *engine, struct order *order, enum order_state state)
{
    if (state == ORDER_UNKNOWN && order->state != ORDER_UNKNOWN) {
        order->lost = order->state == ORDER_PENDING_NEW      ? REQUEST_PLACE
                      : order->state == ORDER_PENDING_MODIFY ? REQUEST_MODIFY
                      : order->state == ORDER_PENDING_CANCEL ? REQUEST_CANCEL
                                                             : REQUEST_QUERY;
        order->not_found = 0;
        order->query_ts = engine->now;
        expect_answer(engine, order, engine->now);
    }
    if (order_state_is_resting(state))
        order->cancel_sent = false;
    bool resolved = order->state == ORDER_UNKNOWN && state != ORDER_UNKNOWN;
    side_of(engine, order)->going += (uint32_t)(state == ORDER_PENDING_CANCEL) -
                                     (uint32_t)(order->state == ORDER_PENDING_CANCEL);
    order->state = (uint8_t)state;
    if (resolved) { /* and with it what was in doubt */
        order->hanging = order->owing = false;
        clear_unknown_alarm(engine, order->instrument);
    }
}

/* It was news of the order. */
static bool is_news(enum order_effect effect)
{
    return effect != EFFECT_REPEAT && effect != EFFECT_SURPRISE;
}

/* Let `event` happen to an order whose figures the caller has brought up to date. */
static enum order_effect apply_event(struct engine *engine, struct order *order,
                                     enum order_event event)
{
    struct order_transition transition = order_transition(order->state, event);
    enum order_state before = order->state;
    engine->counters.order_events[before][event]++;
    if (transition.effect == EFFECT_REPEAT)
        engine->orders.repeats++;
    if (transition.effect == EFFECT_SURPRISE)
        engine->orders.surprises++;
    enter_state(engine, order, resolve_state(order, transition.state));
    if (transition.effect == EFFECT_END || transition.effect == EFFECT_FILL_END) {
        order->leaves = 0;
        list_remove(engine, order);
    }
    if (transition.effect == EFFECT_REVERT)
        order->asked_leaves = 0;
    if (is_news(transition.effect)) {
        order->event_ts = engine->now;
        engine_mark_due(engine, order->instrument);
        learning_order_changed(engine, order, before);
    }
    return transition.effect;
}

/* The same, for events that have no figures of their own. */
static enum order_effect apply_plain(struct engine *engine, struct order *order,
                                     enum order_event event)
{
    int64_t before = order_state_is_live(order->state) ? orders_worst_leaves(order) : 0;
    enum order_effect effect = apply_event(engine, order, event);
    sums_update(engine, order, before);
    return effect;
}

/* --- decisions --------------------------------------------------------------------------------- */

/* What this engine asks for always is: a record of the tape may be anything. */
static bool can_be_placed(const struct engine *engine, const struct event_place *place)
{
    return place->order != 0 && place->instrument < engine->instrument_count &&
           place->side <= SIDE_SELL && place->price.status == NUMBER_VALUE &&
           place->price.units > 0 && place->price.units <= ENGINE_PRICE_MAX &&
           orders_is_size(place->quantity);
}

void orders_take_place(struct engine *engine, const struct event_place *place, int64_t now)
{
    struct order *order = &engine->orders.slots[slot_of(&engine->orders, place->order)];
    if (!can_be_placed(engine, place) || order_state_is_live(order->state)) {
        engine_violation_of(engine, 4, "an order was placed that can't be taken");
        return;
    }
    *order = (struct order){
        .id = place->order,
        .price = place->price.units,
        .quantity = place->quantity.units,
        .leaves = place->quantity.units,
        .instrument = place->instrument,
        .side = place->side,
        .state = ORDER_PENDING_NEW,
        .level = (uint8_t)place->level,
        .last_trade = ENGINE_NO_SLOT,
        .event_ts = now,
        .placed_ts = now,
        .modify_ts = INT64_MIN,
        .told_ts = INT64_MIN,
    };
    engine->carry.counter = (uint32_t)place->order;
    list_append(engine, order);
    sums_update(engine, order, 0);
    expect_answer(engine, order, now);
    learning_order_changed(engine, order, ORDER_NONE);
}

/* The old order is on its way out and the new one on its way in: both count (rule 16). */
void orders_take_replace(struct engine *engine, const struct event_replace *replace, int64_t now)
{
    const struct event_place place = {
        .instrument = replace->instrument,
        .order = replace->order,
        .side = replace->side,
        .price = replace->price,
        .quantity = replace->quantity,
        .level = replace->level,
    };
    struct order *old = orders_find(engine, replace->replaces);
    if (old != NULL) {
        apply_plain(engine, old, ORDER_EVENT_CANCEL_SENT);
        old->older = old->queries;
        expect_answer(engine, old, now);
    }
    orders_take_place(engine, &place, now);
}

void orders_take_cancel(struct engine *engine, const struct event_cancel *cancel, int64_t now)
{
    struct order *order = orders_find(engine, cancel->order);
    if (order == NULL)
        return;
    apply_plain(engine, order, ORDER_EVENT_CANCEL_SENT);
    order->cancel_sent = true;
    order->older = order->queries;
    if (order->state != ORDER_UNKNOWN) /* since when it is unknown stays */
        expect_answer(engine, order, now);
    infrastructure_sent(engine, venue_of(engine, order), now);
}

void orders_take_modify(struct engine *engine, const struct event_modify *modify, int64_t now)
{
    struct order *order = orders_find(engine, modify->order);
    if (order == NULL || modify->price.status != NUMBER_VALUE || modify->price.units <= 0 ||
        modify->price.units > ENGINE_PRICE_MAX || !orders_is_size(modify->leaves))
        return;
    order->asked_price = modify->price.units;
    order->asked_leaves = modify->leaves.units;
    order->asked_level = (uint8_t)modify->level;
    order->modify_ts = now;
    apply_plain(engine, order, ORDER_EVENT_MODIFY_SENT);
    order->older = order->queries;
    expect_answer(engine, order, now);
}

/* A query because an answer did not come in time, to the request or to the last query, is a failure of the
 * venue (rule 29); one of an order that rests is not. */
void orders_take_query(struct engine *engine, const struct event_query *query, int64_t now)
{
    struct order *order = orders_find(engine, query->order);
    if (order == NULL || !order_state_is_live(order->state) ||
        (order->asking && order->query_ts == now))
        return;
    bool failed =
        order->state == ORDER_UNKNOWN ? order->asking : !order_state_is_resting(order->state);
    if (order->state != ORDER_UNKNOWN)
        apply_plain(engine, order, ORDER_EVENT_UNANSWERED);
    order->query_ts = now;
    order->asking = true;
    if (order->queries < UINT8_MAX)
        order->queries++;
    if (failed)
        infrastructure_failed(engine, venue_of(engine, order));
    infrastructure_sent(engine, venue_of(engine, order), now);
}

/* --- fills --------------------------------------------------------------------------------------- */

static bool same_id(const struct venue_id *a, const struct venue_id *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

uint32_t orders_newest_trade(const struct order_table *table, order_id order, uint32_t last)
{
    return last != ENGINE_NO_SLOT && table->trades[last].order == order ? last : ENGINE_NO_SLOT;
}

uint32_t orders_trade_before(const struct order_table *table, uint32_t at)
{
    const struct own_trade *trade = &table->trades[at];
    uint32_t before = orders_newest_trade(table, trade->order, trade->previous);
    if (before == ENGINE_NO_SLOT || table->trades[before].count >= trade->count)
        return ENGINE_NO_SLOT; /* overwritten since: older ones are forgotten */
    return before;
}

/* A venue without trade ids (length 0) can't repeat. */
bool orders_trade_repeats(struct engine *engine, order_id order, uint32_t *last,
                          const struct venue_id *trade)
{
    struct order_table *table = &engine->orders;
    if (trade->length == 0)
        return false;
    for (uint32_t at = orders_newest_trade(table, order, *last); at != ENGINE_NO_SLOT;
         at = orders_trade_before(table, at))
        if (same_id(&table->trades[at].id, trade))
            return true;
    uint64_t count = table->trade_count++;
    uint32_t slot = (uint32_t)count & table->trade_mask;
    table->trades[slot] =
        (struct own_trade){.order = order, .id = *trade, .count = count, .previous = *last};
    *last = slot;
    return false;
}

/* --- fills --------------------------------------------------------------------------------------- */

/* What a fill of a live order leaves, by our count and by the venue's where it tells: reordered answers
 * make them differ, and then the larger counts. Sets leaves and what is asked for. */
static enum order_event fill_figures(struct order *order, int64_t quantity, struct number told)
{
    bool modifying = orders_is_modifying(order), tells = orders_is_rest(told);
    int64_t left = order->leaves - quantity;
    int64_t asked = modifying ? order->asked_leaves - quantity : 0;
    order->asked_leaves = asked > 0 ? asked : 0;
    if (left > 0) {
        order->leaves = left;
        if (order->owing || !tells || told.units > 0)
            return ORDER_EVENT_FILL;
        order->owing = true;
        return ORDER_EVENT_FILL_OWING;
    }
    if (!order->owing && asked > 0) { /* the modify was before this fill, or may have been */
        order->leaves = asked;
        order->hanging = !tells || told.units == 0;
        order->owing = tells && told.units == 0;
        return order->owing     ? ORDER_EVENT_FILL_OWING
               : order->hanging ? ORDER_EVENT_FILL_DOUBT
                                : ORDER_EVENT_FILL;
    }
    bool doubt = !order->owing && tells && told.units > 0;
    order->leaves = doubt ? told.units : 0;
    return doubt ? ORDER_EVENT_FILL_DOUBT : ORDER_EVENT_FILL_LAST;
}

/* Kept already as a trade of an order that the table has forgotten since, or never knew. Seldom asked: all are
 * looked at. */
static bool is_kept_trade(const struct order_table *table, const struct event_order_filled *fill)
{
    for (uint64_t i = 0; i <= table->trade_mask && i < table->trade_count; i++)
        if (table->trades[i].order == fill->order && same_id(&table->trades[i].id, &fill->trade))
            return true;
    return false;
}

/* Whose order is not ours any more, or never was. A venue may tell a trade again minutes later, when another
 * order has the slot of its own. */
static bool orphan_fill_repeats(struct engine *engine, const struct event_order_filled *fill)
{
    bool named = fill->order != 0 && fill->trade.length > 0;
    uint32_t none = ENGINE_NO_SLOT;
    if (named && is_kept_trade(&engine->orders, fill))
        return true;
    if (named)
        (void)orders_trade_repeats(engine, fill->order, &none, &fill->trade); /* kept from now on */
    return false;
}

static void take_orphan_fill(struct engine *engine, const struct message *message)
{
    unsigned index = message->record->order_filled.instrument;
    if (orphan_fill_repeats(engine, &message->record->order_filled)) {
        engine->orders.repeats++;
        return;
    }
    engine->orders.orphan_fills++;
    sync_take_orphan_fill(engine, &message->record->order_filled);
    ledger_take_fill(engine, message);
    profit_touch(engine, index);
    engine_mark_due(engine, index);
}

/* What an order that has ended may still tell of: a modify that had no answer may have come to the venue. */
static int64_t late_leaves(const struct order *order)
{
    return larger(order->quantity - order->filled, order->asked_leaves);
}

/* A fill whose numbers can't be read happened all the same: the order's state is unknown until the venue
 * tells it, and the position until the account's snapshot does. */
static void take_unreadable(struct engine *engine, struct order *order)
{
    if (order == NULL)
        engine->orders.surprises++;
    else
        apply_plain(engine, order, ORDER_EVENT_UNANSWERED);
}

static void take_fill(struct engine *engine, const struct message *message)
{
    const struct event_order_filled *fill = &message->record->order_filled;
    struct order *order = orders_find(engine, fill->order);
    int64_t quantity = fill->quantity.units;
    if (fill->instrument >= engine->instrument_count) {
        engine->orders.surprises++;
        return;
    }
    if (order != NULL && (order->instrument != fill->instrument || order->side != fill->side))
        order = NULL; /* a trade is a fact, but none of this order's */
    if (!orders_fill_is_readable(engine, order, fill)) {
        take_unreadable(engine, order);
        return;
    }
    if (order == NULL) {
        take_orphan_fill(engine, message);
        return;
    }
    if (orders_trade_repeats(engine, order->id, &order->last_trade, &fill->trade)) {
        engine->orders.repeats++;
        return;
    }
    ledger_take_fill(engine, message);
    profit_touch(engine, fill->instrument);
    signals_fill(engine, message);
    bool live = order_state_is_live(order->state);
    int64_t before = live ? orders_worst_leaves(order) : 0;
    if (quantity > (live ? before : late_leaves(order)))
        engine_violation_of(engine, 6, "a fill is more than was left of its order");
    if (!live) /* else fill_figures() does */
        order->asked_leaves = larger(order->asked_leaves - quantity, 0);
    order->filled += quantity;
    enum order_event event =
        live ? fill_figures(order, quantity, fill->leaves) : ORDER_EVENT_FILL_LAST;
    if (live || order->filled > order->quantity)
        order->quantity = order->filled + order->leaves;
    if (apply_event(engine, order, event) == EFFECT_LATE_FILL)
        engine->orders.late_fills++;
    sums_update(engine, order, before);
}

/* --- ends ---------------------------------------------------------------------------------------- */

/* An end whose `leaves` the venue tells: if they are less than ours, fills are still to come. Where they
 * can't be read, all of ours may be. */
static void take_ended(struct engine *engine, struct order *order, enum order_event event,
                       struct number leaves)
{
    bool live = order_state_is_live(order->state);
    int64_t before = live ? orders_worst_leaves(order) : 0, owed = 0;
    if (live && leaves.status != NUMBER_ABSENT) {
        bool readable = orders_is_rest(leaves);
        owed = readable ? before - leaves.units : before;
        if (!readable)
            orders_tell_of(engine, order, (struct number){order->price, NUMBER_VALUE}, leaves,
                           REJECT_QUANTITY);
    }
    if (owed > 0) {
        order->leaves = owed;
        order->quantity = order->filled + owed;
        order->asked_leaves = 0;
        order->owing = true;
    }
    apply_event(engine, order, owed > 0 ? ORDER_EVENT_CANCELLED_OWING : event);
    sums_update(engine, order, before);
}

/* The five seconds of rule 28 are the venue's, where it tells when it looked: an answer that comes late does
 * not make the order any older that was not found. */
static void take_not_found(struct engine *engine, struct order *order,
                           const struct message *message)
{
    bool timed = message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED);
    int64_t looked = timed && message->ts_venue < engine->now ? message->ts_venue : engine->now;
    bool old = order->state == ORDER_UNKNOWN && looked - order->asked_ts >= ENGINE_NOT_FOUND_NS;
    if (order->not_found < UINT8_MAX)
        order->not_found++;
    bool gone = old && order->not_found >= ENGINE_QUERY_NOT_FOUND;
    apply_plain(engine, order, gone ? ORDER_EVENT_GONE : ORDER_EVENT_NOT_FOUND);
}

static void take_rejected(struct engine *engine, struct order *order, enum reject reason)
{
    if (is_news(apply_plain(engine, order, ORDER_EVENT_REJECTED)))
        refusals_take(engine, order, order->level, order->placed_ts, reason);
}

/* --- price and leaves as the venue has them -------------------------------------------------------- */

static void set_leaves(struct order *order, int64_t leaves)
{
    order->leaves = leaves;
    order->quantity = order->filled + leaves;
}

/* A price that is none leaves the order out of reconciliation; it keeps the last good one, is known and
 * can be cancelled (B14). */
static void set_price(const struct engine *engine, struct order *order, struct number price)
{
    order->unpriced = orders_price_fault(engine, order->instrument, price) != REJECT_NONE;
    if (!order->unpriced)
        order->price = price.units;
}

/* The modify has happened: until then the order rested, and filled, for its old level (rule 26). */
static void take_level(struct engine *engine, struct order *order)
{
    if (order->level == order->asked_level)
        return;
    learning_level_moved(engine, order, order->asked_level);
    order->level = order->asked_level;
}

/* A modify means a new total, so what the venue leaves below what we asked for are fills that are still to
 * come: what was asked, less the fills since, is what may still fill. A change that we did not ask for is
 * a late repetition or the venue's own doing; of leaves the larger counts until it was asked. */
static void take_modified(struct engine *engine, struct order *order, struct number price,
                          struct number leaves)
{
    bool live = order_state_is_live(order->state);
    int64_t before = live ? orders_worst_leaves(order) : 0;
    bool priced = orders_price_fault(engine, order->instrument, price) == REJECT_NONE,
         modifying = orders_is_modifying(order);
    bool as_asked = modifying && (!priced || price.units == order->asked_price);
    bool as_known = !modifying && priced && orders_is_size(leaves) && !order->unpriced &&
                    price.units == order->price && leaves.units == order->leaves;
    int64_t told = orders_is_size(leaves) ? leaves.units : order->leaves;
    enum order_event event = ORDER_EVENT_MODIFIED;
    orders_check_rest(engine, order, price, leaves);
    if (live && as_asked) {
        take_level(engine, order);
        set_leaves(order, larger(told, order->asked_leaves));
        set_price(engine, order, price);
        order->asked_leaves = 0;
        order->hanging = false;
    } else if (live && !as_known && order->state != ORDER_PENDING_NEW) {
        event = ORDER_EVENT_MODIFIED_OTHER;
        set_leaves(order, larger(told, order->leaves));
        if (!priced)
            set_price(engine, order, price);
    }
    apply_event(engine, order, event);
    sums_update(engine, order, before);
}

/* --- cancels that failed (B16) ------------------------------------------------------------------------ */

/* The order rests, and rests on until its time comes; after the last one an operator must look. */
static void cancel_failed(struct engine *engine, struct order *order)
{
    struct instrument *instrument = &engine->instruments[order->instrument];
    const struct limits *limits = &instrument->limits;
    unsigned doublings = order->failures < CANCEL_DOUBLINGS ? order->failures : CANCEL_DOUBLINGS;
    order->retry_ts = engine->now + (limits->cancel_backoff << doublings);
    if (order->failures < UINT8_MAX)
        order->failures++;
    if (order->failures > limits->cancel_retries)
        alarm_raise(engine, order->instrument, instrument->definition.venue, ALARM_CANCEL_FAILED,
                    order->id);
    else if (order->retry_ts < instrument->retry_deadline)
        instrument->retry_deadline = order->retry_ts;
    engine_mark_due(engine, order->instrument); /* its cycle sets the deadline */
}

/* Shown in the account's open orders, or by a query. Fills that the venue knows and we don't yet are part
 * of our leaves: the larger counts. A cancel that was lost was none. */
static void take_seen(struct engine *engine, struct order *order, struct number price,
                      struct number leaves)
{
    bool live = order_state_is_live(order->state);
    int64_t before = live ? orders_worst_leaves(order) : 0;
    bool settles = order_transition(order->state, ORDER_EVENT_SEEN).effect == EFFECT_SEEN;
    bool cancel_lost = order->state == ORDER_UNKNOWN && order->lost == REQUEST_CANCEL;
    bool priced = orders_price_fault(engine, order->instrument, price) == REJECT_NONE;
    orders_check_rest(engine, order, price, leaves);
    if (settles) {
        bool moved = orders_is_modifying(order) && price.status == NUMBER_VALUE &&
                     price.units == order->asked_price && price.units != order->price;
        int64_t ours = moved ? order->asked_leaves : order->leaves;
        if (moved)
            take_level(engine, order);
        set_leaves(order, orders_is_size(leaves) ? larger(leaves.units, ours) : before);
        order->asked_leaves = 0;
    }
    if (settles || (live && (order->unpriced || !priced)))
        set_price(engine, order, price);
    apply_event(engine, order, ORDER_EVENT_SEEN);
    sums_update(engine, order, before);
    if (cancel_lost)
        cancel_failed(engine, order);
}

/* --- other answers ------------------------------------------------------------------------------- */

/* The end of a query's answer: each fill and the order's end, where it has ended, have been told before it.
 * Where they have not, the status has overtaken them: they may still come, until a second one says the same. */
static void take_status(struct engine *engine, struct order *order,
                        const struct event_order_status *status)
{
    bool ended = status->leaves.status == NUMBER_VALUE && status->leaves.units == 0;
    if (ended && order->owing)
        apply_plain(engine, order, ORDER_EVENT_CANCELLED);
    else if (ended)
        take_ended(engine, order, ORDER_EVENT_CANCELLED, status->leaves);
    else
        take_seen(engine, order, status->price, status->leaves);
}

void orders_seen(struct engine *engine, struct order *order, int64_t price, int64_t leaves)
{
    take_seen(engine, order, (struct number){price, NUMBER_VALUE},
              (struct number){leaves, NUMBER_VALUE});
}

static bool too_late(uint8_t reason)
{
    return reason == REJECT_FILLED || reason == REJECT_NOT_FOUND;
}

/* An answer to another request than the one that is open: it repeats, or comes late. Of an order that is
 * over at the venue, everything but fills and "not found" is that. */
static bool is_settled(const struct order *order, unsigned kind)
{
    if (order->state != ORDER_UNKNOWN)
        return false;
    if (order->owing)
        return kind != EVENT_order_not_found && kind != EVENT_order_unknown;
    switch (kind) {
    case EVENT_order_accepted:
    case EVENT_order_rejected:
        return order->lost != REQUEST_PLACE;
    case EVENT_cancel_rejected:
        return order->lost != REQUEST_CANCEL && !order->cancel_sent;
    case EVENT_modify_rejected:
        return order->lost != REQUEST_MODIFY;
    default:
        return false;
    }
}

static void take_place_answer(struct engine *engine, struct order *order, unsigned kind,
                              enum reject reason)
{
    if (reason != REJECT_REPLACE)
        signals_place_answered(engine, order, reason);
    if (kind == EVENT_order_rejected)
        take_rejected(engine, order, reason);
    else
        apply_plain(engine, order, ORDER_EVENT_ACCEPTED);
}

static void take_cancel_rejected(struct engine *engine, struct order *order, enum reject reason)
{
    bool asked = order->state == ORDER_PENDING_CANCEL || order->state == ORDER_UNKNOWN;
    bool late = too_late((uint8_t)reason);
    /* It rests, but what the modify made of it is as unknown as before (rule 16). */
    bool open = order->state == ORDER_UNKNOWN && order->lost == REQUEST_MODIFY;
    apply_plain(engine, order,
                late   ? ORDER_EVENT_CANCEL_TOO_LATE
                : open ? ORDER_EVENT_REPEATED
                       : ORDER_EVENT_CANCEL_REJECTED);
    if (asked && !late)
        cancel_failed(engine, order);
}

static void take_modify_rejected(struct engine *engine, struct order *order, enum reject reason)
{
    bool late = too_late((uint8_t)reason), asked = orders_is_modifying(order) && !late;
    apply_plain(engine, order, late ? ORDER_EVENT_MODIFY_TOO_LATE : ORDER_EVENT_MODIFY_REJECTED);
    if (asked)
        refusals_take(engine, order, order->asked_level, order->modify_ts, reason);
}

/* The modify was refused, so the fill before was the last one. */
static void settle_hanging(struct engine *engine, struct order *order)
{
    int64_t before = orders_worst_leaves(order);
    order->asked_leaves = 0;
    order->quantity = order->filled;
    apply_event(engine, order, ORDER_EVENT_SETTLED);
    sums_update(engine, order, before);
}

/* Answers that are about one known order. */
static void take_known(struct engine *engine, struct order *order, const struct message *message)
{
    const unsigned kind = message->kind;
    const union event_record *record = message->record;
    if (kind == EVENT_modify_rejected && order->hanging && order->state == ORDER_UNKNOWN) {
        settle_hanging(engine, order);
        return;
    }
    bool over = kind == EVENT_order_status && record->order_status.leaves.status == NUMBER_VALUE &&
                record->order_status.leaves.units == 0;
    if (!over && is_settled(order, kind)) {
        apply_plain(engine, order, ORDER_EVENT_REPEATED);
        return;
    }
    switch ((int)kind) {
    case EVENT_order_accepted:
        take_place_answer(engine, order, kind, REJECT_NONE);
        break;
    case EVENT_order_rejected:
        take_place_answer(engine, order, kind, (enum reject)record->order_rejected.reason);
        break;
    case EVENT_order_cancelled:
        take_ended(engine, order, ORDER_EVENT_CANCELLED, record->order_cancelled.leaves);
        break;
    case EVENT_cancel_rejected:
        take_cancel_rejected(engine, order, (enum reject)record->cancel_rejected.reason);
        break;
    case EVENT_order_modified:
        take_modified(engine, order, record->order_modified.price, record->order_modified.leaves);
        break;
    case EVENT_modify_rejected:
        take_modify_rejected(engine, order, (enum reject)record->modify_rejected.reason);
        break;
    case EVENT_order_expired:
        take_ended(engine, order, ORDER_EVENT_EXPIRED, record->order_expired.leaves);
        break;
    case EVENT_order_unknown:
        apply_plain(engine, order, ORDER_EVENT_UNANSWERED);
        break;
    case EVENT_order_not_found:
        take_not_found(engine, order, message);
        break;
    case EVENT_order_status:
        take_status(engine, order, &record->order_status);
        break;
    default:
        break;
    }
}

/* An answer tells how the order rests. */
static bool rests(const struct message *message)
{
    if (message->kind == EVENT_order_status) {
        const struct number *leaves = &message->record->order_status.leaves;
        return leaves->status != NUMBER_VALUE || leaves->units != 0;
    }
    return message->kind == EVENT_order_accepted || message->kind == EVENT_order_modified;
}

/* The venue time of such an answer; INT64_MIN where it is none, or has none. */
static int64_t told_at(const struct message *message)
{
    bool timed = message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED);
    return rests(message) && timed ? message->ts_venue : INT64_MIN;
}

/* The answer to a query that left before the newest request. Answers get lost, so that it can't be counted
 * alone: what the venue made after the last query left is its answer. */
static bool answers_older_query(struct order *order, const struct message *message, int64_t told)
{
    if (message->kind != EVENT_order_status && message->kind != EVENT_order_not_found)
        return false;
    bool older = order->older > 0 && (told == INT64_MIN || told < order->query_ts);
    if (!older)
        order->older = 0;
    if (order->queries > 0)
        order->queries--;
    if (order->older > 0)
        order->older--;
    return older;
}

/* The answer to a modify before the newest, told late or again: to believe it would be to forget what the
 * newest asks for. */
static bool answers_older_modify(const struct order *order, const struct message *message)
{
    bool timed = message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED);
    bool answers = message->kind == EVENT_modify_rejected || message->kind == EVENT_order_modified;
    return answers && orders_is_modifying(order) && timed && message->ts_venue < order->modify_ts;
}

/* An answer that tells how the order rested once: price and leaves of it would put back what is known
 * better. A newer one has overtaken it, or it was asked for before the newest request left (rule 28). */
static bool is_overtaken(struct order *order, const struct message *message)
{
    int64_t told = told_at(message);
    bool older = answers_older_query(order, message, told) && rests(message);
    bool old = told != INT64_MIN && told < order->told_ts;
    if (told > order->told_ts)
        order->told_ts = told;
    return older || (old && message->kind != EVENT_order_accepted) ||
           answers_older_modify(order, message);
}

/* Every answer is a request that went well, but for the one that says that there was none. An expiry answers
 * nothing. */
static void tell_infrastructure(struct engine *engine, const struct message *message)
{
    unsigned index = message->record->order_accepted.instrument;
    if (index >= engine->instrument_count || message->kind == EVENT_order_expired)
        return;
    unsigned venue = engine->instruments[index].definition.venue;
    if (message->kind == EVENT_order_unknown)
        infrastructure_failed(engine, venue);
    else
        infrastructure_succeeded(engine, venue);
}

void orders_take_answer(struct engine *engine, const struct message *message)
{
    if (message->kind == EVENT_order_filled) {
        take_fill(engine, message);
        return;
    }
    /* Every answer begins with instrument and order (event/kinds.h). */
    struct order *order = orders_find(engine, message->record->order_accepted.order);
    if (order != NULL && order->instrument != message->record->order_accepted.instrument)
        order = NULL; /* an answer about some other order */
    tell_infrastructure(engine, message);
    rate_take_answer(engine, message);
    if (order != NULL)
        order->asking = false;
    if (order != NULL && is_overtaken(order, message))
        engine->orders.repeats++;
    else if (order != NULL)
        take_known(engine, order, message);
    else if (!sync_take_orphan_answer(engine, message))
        engine->orders.surprises++;
}

/* --- a restart --------------------------------------------------------------------------------------- */

void orders_restart(struct engine *engine)
{
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        struct instrument *instrument = &engine->instruments[index];
        instrument->pending_deadline = TIME_NEVER;
        instrument->retry_deadline = engine->now; /* reckoned anew */
        orders_retry_due(engine, index);
        for (int side = 0; side < 2; side++) {
            for (uint32_t slot = instrument->sides[side].first; slot != ENGINE_NO_SLOT;
                 slot = engine->orders.slots[slot].next) {
                struct order *order = &engine->orders.slots[slot];
                order->queries = order->older = 0; /* no answer of that session comes any more */
                if (order_state_is_resting(order->state))
                    continue;
                int64_t told = order->event_ts; /* by the venue: the restart is no news of its */
                if (order->state != ORDER_UNKNOWN)
                    apply_plain(engine, order, ORDER_EVENT_UNANSWERED);
                order->event_ts = told;
                order->query_ts = engine->now;
                instrument->pending_deadline = engine->now; /* a lower bound */
            }
        }
    }
}

bool orders_take_carried(struct engine *engine, const struct order *carried)
{
    struct order_table *table = &engine->orders;
    struct order *order = &table->slots[slot_of(table, carried->id)];
    bool live = order_state_is_live(carried->state);
    if (carried->id == 0 || carried->instrument >= engine->instrument_count ||
        order->state != ORDER_NONE || (live && table->live >= table->capacity))
        return false;
    *order = *carried;
    if (!live)
        return true;
    list_append(engine, order);
    side_of(engine, order)->leaves += orders_worst_leaves(order);
    side_of(engine, order)->going += order->state == ORDER_PENDING_CANCEL;
    return true;
}
