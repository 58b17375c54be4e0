/* The order table: what we sent, what the venue made of it, and the sums that risk needs. Only session
 * and decision records change it. */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"

/* --- slots ------------------------------------------------------------------------------------- */

static uint32_t slot_of(const struct order_table *table, order_id id)
{
    return ((uint32_t)id - 1) & table->mask;
}

struct order *orders_find(struct engine *engine, order_id id)
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

/* --- live lists -------------------------------------------------------------------------------- */

static struct order_side *side_of(struct engine *engine, const struct order *order)
{
    return &engine->instruments[order->instrument].sides[order->side];
}

/* A modify travels, or was lost: old or new figures may hold. */
static bool is_modifying(const struct order *order)
{
    return order->state == ORDER_PENDING_MODIFY ||
           (order->state == ORDER_UNKNOWN && order->lost == REQUEST_MODIFY);
}

int64_t orders_worst_leaves(const struct order *order)
{
    if (is_modifying(order) && order->asked_leaves > order->leaves)
        return order->asked_leaves;
    return order->leaves;
}

int64_t orders_worst_price(const struct order *order)
{
    if (!is_modifying(order) || (order->asked_price > order->price) == (order->side == SIDE_SELL))
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

static void expect_answer(struct engine *engine, struct order *order, int64_t now)
{
    struct instrument *instrument = &engine->instruments[order->instrument];
    order->asked_ts = now;
    if (now + instrument->limits.pending_timeout < instrument->pending_deadline)
        instrument->pending_deadline = now + instrument->limits.pending_timeout;
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

static void enter_state(struct engine *engine, struct order *order, enum order_state state)
{
    if (state == ORDER_UNKNOWN && order->state != ORDER_UNKNOWN) {
        order->lost = order->state == ORDER_PENDING_NEW      ? REQUEST_PLACE
                      : order->state == ORDER_PENDING_MODIFY ? REQUEST_MODIFY
                                                             : REQUEST_CANCEL;
        order->not_found = 0;
        order->query_ts = engine->now;
        expect_answer(engine, order, engine->now);
    }
    if (order_state_is_resting(state))
        order->cancel_sent = false;
    order->state = (uint8_t)state;
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
    if (transition.effect != EFFECT_REPEAT && transition.effect != EFFECT_SURPRISE) {
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

void orders_take_place(struct engine *engine, const struct event_place *place, int64_t now)
{
    struct order *order = &engine->orders.slots[slot_of(&engine->orders, place->order)];
    ASSERT(!order_state_is_live(order->state));
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
    };
    engine->carry.counter = (uint32_t)place->order;
    list_append(engine, order);
    sums_update(engine, order, 0);
    expect_answer(engine, order, now);
    learning_order_changed(engine, order, ORDER_NONE);
}

void orders_take_replace(struct engine *engine, const struct event_replace *replace, int64_t now)
{
    (void)engine;
    (void)replace;
    (void)now;
}

void orders_take_cancel(struct engine *engine, const struct event_cancel *cancel, int64_t now)
{
    struct order *order = orders_find(engine, cancel->order);
    if (order == NULL)
        return;
    apply_plain(engine, order, ORDER_EVENT_CANCEL_SENT);
    order->cancel_sent = true;
    if (order->state != ORDER_UNKNOWN) /* since when it is unknown stays */
        expect_answer(engine, order, now);
}

void orders_take_modify(struct engine *engine, const struct event_modify *modify, int64_t now)
{
    struct order *order = orders_find(engine, modify->order);
    if (order == NULL)
        return;
    order->asked_price = modify->price.units;
    order->asked_leaves = modify->leaves.units;
    uint8_t level = order->level;
    order->level = (uint8_t)modify->level;
    if (order->level != level)
        learning_level_changed(engine, order, level);
    apply_plain(engine, order, ORDER_EVENT_MODIFY_SENT);
    expect_answer(engine, order, now);
}

void orders_take_query(struct engine *engine, const struct event_query *query, int64_t now)
{
    struct order *order = orders_find(engine, query->order);
    if (order == NULL)
        return;
    if (order->state != ORDER_UNKNOWN && order_state_is_live(order->state))
        apply_plain(engine, order, ORDER_EVENT_UNANSWERED);
    order->query_ts = now;
}

/* --- fills --------------------------------------------------------------------------------------- */

static bool same_id(const struct venue_id *a, const struct venue_id *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* Whether this trade of the order was told before; it is remembered. A venue without trade ids (length
 * 0) can't repeat. */
static bool trade_repeats(struct engine *engine, struct order *order, const struct venue_id *id)
{
    struct order_table *table = &engine->orders;
    if (id->length == 0)
        return false;
    for (uint32_t at = order->last_trade; at != ENGINE_NO_SLOT; at = table->trades[at].previous) {
        if (table->trades[at].order != order->id)
            break; /* overwritten since: older ones are forgotten */
        if (same_id(&table->trades[at].id, id))
            return true;
    }
    uint32_t slot = (uint32_t)table->trade_count++ & table->trade_mask;
    table->trades[slot] =
        (struct own_trade){.order = order->id, .id = *id, .previous = order->last_trade};
    order->last_trade = slot;
    return false;
}

static void take_fill(struct engine *engine, const struct message *message)
{
    const struct event_order_filled *fill = &message->record->order_filled;
    struct order *order = orders_find(engine, fill->order);
    int64_t quantity = fill->quantity.units;
    if (fill->instrument >= engine->instrument_count || fill->quantity.status != NUMBER_VALUE ||
        fill->price.status != NUMBER_VALUE || quantity <= 0 || fill->price.units <= 0) {
        engine->orders.surprises++;
        return;
    }
    if (order == NULL) {
        engine->orders.orphan_fills++;
        sync_take_orphan_answer(engine, message);
        ledger_take_fill(engine, message);
        profit_touch(engine, fill->instrument);
        engine_mark_due(engine, fill->instrument);
        return;
    }
    if (trade_repeats(engine, order, &fill->trade)) {
        engine->orders.repeats++;
        return;
    }
    ledger_take_fill(engine, message);
    profit_touch(engine, fill->instrument);
    signals_fill(engine, message);
    bool live = order_state_is_live(order->state);
    int64_t before = live ? orders_worst_leaves(order) : 0;
    if (quantity > order->quantity - order->filled)
        engine_violation_of(engine, 6, "a fill is more than was left of its order");
    order->filled += quantity;
    bool last = quantity >= order->leaves;
    if (live && order->asked_leaves > 0) /* a modify that travels: its leaves shrink alike */
        order->asked_leaves = order->asked_leaves > quantity ? order->asked_leaves - quantity : 0;
    order->leaves = last ? 0 : order->leaves - quantity;
    enum order_effect effect =
        apply_event(engine, order, last ? ORDER_EVENT_FILL_LAST : ORDER_EVENT_FILL);
    if (effect == EFFECT_LATE_FILL)
        engine->orders.late_fills++;
    sums_update(engine, order, before);
}

/* --- other answers ------------------------------------------------------------------------------- */

/* An end whose `leaves` the venue tells: if they are less than ours, fills are still to come. */
static void take_cancelled(struct engine *engine, struct order *order, struct number leaves)
{
    int64_t before = order_state_is_live(order->state) ? orders_worst_leaves(order) : 0;
    bool owing = leaves.status == NUMBER_VALUE && leaves.units >= 0 && leaves.units < order->leaves;
    if (owing) {
        order->leaves -= leaves.units;
        order->quantity = order->filled + order->leaves;
        order->asked_leaves = 0;
    }
    apply_event(engine, order, owing ? ORDER_EVENT_CANCELLED_OWING : ORDER_EVENT_CANCELLED);
    sums_update(engine, order, before);
}

/* Price and leaves as the venue now has them. */
static void take_figures(struct engine *engine, struct order *order, enum order_event event,
                         struct number price, struct number leaves)
{
    struct order_transition transition = order_transition(order->state, event);
    int64_t before = order_state_is_live(order->state) ? orders_worst_leaves(order) : 0;
    bool usable = price.status == NUMBER_VALUE && leaves.status == NUMBER_VALUE &&
                  price.units > 0 && leaves.units > 0;
    if (usable && (transition.effect == EFFECT_MODIFY || transition.effect == EFFECT_SEEN)) {
        order->price = price.units;
        order->leaves = leaves.units;
        order->quantity = order->filled + order->leaves;
        order->asked_leaves = 0;
    }
    apply_event(engine, order, event);
    sums_update(engine, order, before);
}

static void take_not_found(struct engine *engine, struct order *order)
{
    bool old =
        order->state == ORDER_UNKNOWN && engine->now - order->asked_ts >= ENGINE_NOT_FOUND_NS;
    if (order->not_found < UINT8_MAX)
        order->not_found++;
    bool gone = old && order->not_found >= ENGINE_QUERY_NOT_FOUND;
    apply_plain(engine, order, gone ? ORDER_EVENT_GONE : ORDER_EVENT_NOT_FOUND);
}

static bool too_late(uint8_t reason)
{
    return reason == REJECT_FILLED || reason == REJECT_NOT_FOUND;
}

/* The same order at once would be refused again: post-only because the top is stale (rule 27), and for
 * every other reason as well. */
static void take_rejected(struct engine *engine, struct order *order)
{
    engine->instruments[order->instrument].wait_top[order->side] = true;
    apply_plain(engine, order, ORDER_EVENT_REJECTED);
}

/* Answers that are about one known order. */
static void take_known(struct engine *engine, struct order *order, unsigned kind,
                       const union event_record *record)
{
    switch ((int)kind) {
    case EVENT_order_accepted:
        signals_place_answered(engine, order, REJECT_NONE);
        apply_plain(engine, order, ORDER_EVENT_ACCEPTED);
        break;
    case EVENT_order_rejected:
        signals_place_answered(engine, order, (enum reject)record->order_rejected.reason);
        take_rejected(engine, order);
        break;
    case EVENT_order_cancelled:
        take_cancelled(engine, order, record->order_cancelled.leaves);
        break;
    case EVENT_cancel_rejected:
        apply_plain(engine, order,
                    too_late(record->cancel_rejected.reason) ? ORDER_EVENT_CANCEL_TOO_LATE
                                                             : ORDER_EVENT_CANCEL_REJECTED);
        break;
    case EVENT_order_modified:
        take_figures(engine, order, ORDER_EVENT_MODIFIED, record->order_modified.price,
                     record->order_modified.leaves);
        break;
    case EVENT_modify_rejected:
        apply_plain(engine, order,
                    too_late(record->modify_rejected.reason) ? ORDER_EVENT_MODIFY_TOO_LATE
                                                             : ORDER_EVENT_MODIFY_REJECTED);
        break;
    case EVENT_order_expired:
        apply_plain(engine, order, ORDER_EVENT_EXPIRED);
        break;
    case EVENT_order_unknown:
        apply_plain(engine, order, ORDER_EVENT_UNANSWERED);
        break;
    case EVENT_order_not_found:
        take_not_found(engine, order);
        break;
    case EVENT_open_order:
        take_figures(engine, order, ORDER_EVENT_SEEN, record->open_order.price,
                     record->open_order.leaves);
        break;
    default:
        break;
    }
}

/* Every answer is a request that went well, but for the one that says that there was none. */
static void tell_infrastructure(struct engine *engine, const struct message *message)
{
    unsigned index = message->record->order_accepted.instrument;
    if (index >= engine->instrument_count || message->kind == EVENT_open_order)
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
    order_id id = message->kind == EVENT_open_order ? message->record->open_order.order
                                                    : message->record->order_accepted.order;
    struct order *order = orders_find(engine, id);
    tell_infrastructure(engine, message);
    if (order != NULL)
        take_known(engine, order, message->kind, message->record);
    else if (!sync_take_orphan_answer(engine, message))
        engine->orders.surprises++;
}

/* --- cancels that failed -------------------------------------------------------------------------- */

int64_t orders_retry_deadline(const struct engine *engine, unsigned index)
{
    (void)engine;
    (void)index;
    return TIME_NEVER;
}

void orders_retry_due(struct engine *engine, unsigned index)
{
    (void)engine;
    (void)index;
}

/* --- time-outs ------------------------------------------------------------------------------------ */

static void ask_for(struct engine *engine, struct order *order)
{
    struct event_query query = {
        .instrument = order->instrument, .order = order->id, .cause = engine->ordinal};
    engine_emit(engine, EVENT_query, order->instrument)->query = query;
    orders_take_query(engine, &query, engine->now);
}

void orders_time_out(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    int64_t timeout = instrument->limits.pending_timeout;
    int64_t earliest = TIME_NEVER;
    for (int side = 0; side < 2; side++) {
        for (uint32_t slot = instrument->sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next) {
            struct order *order = &engine->orders.slots[slot];
            if (order_state_is_resting(order->state))
                continue;
            int64_t since = order->state == ORDER_UNKNOWN ? order->query_ts : order->asked_ts;
            if (since + timeout <= engine->now) {
                ask_for(engine, order); /* makes it unknown */
                since = order->query_ts;
            }
            if (since + timeout < earliest)
                earliest = since + timeout;
        }
    }
    instrument->pending_deadline = earliest;
}
