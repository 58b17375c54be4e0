/* Safety sync: staging of a snapshot, its judgement, orphans, and the timers. */
#include "engine/sync.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/time.h"
#include "engine/anew.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

/* What waits for our own cancels to leave is looked at again after this. */
#define MAKE_WAY_NS (100 * NS_PER_MS)

static struct sync *sync_of(struct engine *engine, unsigned venue)
{
    ASSERT(venue < engine->venue_count);
    return &engine->venues[venue].sync;
}

static unsigned venue_of(const struct engine *engine, unsigned instrument)
{
    return engine->instruments[instrument].definition.venue;
}

/* --- deadlines ----------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the newest trusted snapshot is too old. */
static int64_t limit_deadline(const struct engine *engine, unsigned venue)
{
    const struct sync *sync = &engine->venues[venue].sync;
    if (sync->limit == 0 || alarm_is_raised(engine, EVENT_NONE_16, venue, ALARM_SNAPSHOT_OLD))
        return TIME_NEVER;
    return (sync->trusted > sync->started ? sync->trusted : sync->started) + sync->limit;
}

/* Kept, because it is asked for after each message and changes seldom. */
static void refresh(struct engine *engine)
{
    int64_t earliest = engine->own_book_next;
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        earliest = earlier(earliest,
                           earlier(engine->venues[venue].sync.next, limit_deadline(engine, venue)));
    for (uint32_t i = 0; i < engine->orphans.count; i++)
        if (engine->orphans.list[i].judged)
            earliest = earlier(earliest, engine->orphans.list[i].due);
    engine->sync_deadline = earliest;
    timers_set_common(engine);
}

int64_t sync_deadline(const struct engine *engine)
{
    return engine->sync_deadline;
}

/* --- orphans ------------------------------------------------------------------------------------- */

int64_t sync_orphan_leaves(const struct engine *engine, unsigned instrument, enum side side)
{
    return engine->instruments[instrument].sync.orphan_leaves[side];
}

/* The sum of a side from scratch; the venue's figures may be anything, so it stops at the largest number. */
static void sum_leaves(struct engine *engine, unsigned instrument, unsigned side)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < engine->orphans.count; i++) {
        const struct orphan *orphan = &engine->orphans.list[i];
        if (orphan->judged && orphan->instrument == instrument && orphan->side == side &&
            __builtin_add_overflow(sum, orphan->leaves, &sum))
            sum = INT64_MAX;
    }
    engine->instruments[instrument].sync.orphan_leaves[side] = sum;
    engine_mark_due(engine, instrument);
}

/* The last takes the place of the one that goes. */
static void forget(struct engine *engine, struct orphan *orphan)
{
    struct orphans *orphans = &engine->orphans;
    unsigned instrument = orphan->instrument, side = orphan->side;
    *orphan = orphans->list[--orphans->count];
    sum_leaves(engine, instrument, side);
}

/* Ours to cancel. */
static bool is_ours(const struct engine *engine, const struct orphan *orphan)
{
    unsigned venue = venue_of(engine, orphan->instrument);
    return orphan->judged && (orphan->id != 0 || engine->venues[venue].sync.exclusive);
}

static bool same_name(const struct venue_id *a, const struct venue_id *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* With our id by that; without, by the venue's own. */
static struct orphan *find_orphan(struct engine *engine, unsigned instrument, order_id id,
                                  const struct venue_id *venue_order)
{
    for (uint32_t i = 0; i < engine->orphans.count; i++) {
        struct orphan *orphan = &engine->orphans.list[i];
        if (orphan->instrument == instrument && orphan->id == id &&
            (id != 0 || same_name(&orphan->venue_order, venue_order)))
            return orphan;
    }
    return NULL;
}

static struct orphan *new_orphan(struct engine *engine, unsigned instrument, order_id id,
                                 enum side side)
{
    struct orphans *orphans = &engine->orphans;
    if (orphans->count == orphans->capacity)
        return NULL;
    struct orphan *orphan = &orphans->list[orphans->count++];
    *orphan = (struct orphan){
        .id = id, .instrument = (uint16_t)instrument, .side = (uint8_t)side, .due = TIME_NEVER};
    return orphan;
}

/* Only now it is one: it counts in exposure, and has its grace. */
static void adopt(struct engine *engine, struct orphan *orphan, int64_t leaves)
{
    const struct sync *sync = sync_of(engine, venue_of(engine, orphan->instrument));
    orphan->judged = true;
    orphan->leaves = leaves;
    orphan->seen_ts = orphan->event_ts = engine->now;
    int64_t grace = engine->carry.shutdown == SHUTDOWN_RUNNING ? SYNC_GRACE_NS : 0;
    orphan->due = orphan->id != 0 || sync->exclusive ? engine->now + grace : TIME_NEVER;
    if (orphan->id == 0)
        alarm_raise(engine, orphan->instrument, 0, ALARM_FOREIGN_ORDER, 0);
    sum_leaves(engine, orphan->instrument, orphan->side);
}

/* One more than there is room for: only an account snapshot from then on can show that all have room. */
static void orphans_full(struct engine *engine, unsigned venue, order_id order)
{
    sync_of(engine, venue)->full_ts = engine->now;
    alarm_raise(engine, EVENT_NONE_16, venue, ALARM_ORPHANS_FULL, order);
}

void sync_take_orphan_fill(struct engine *engine, const struct event_order_filled *fill)
{
    struct orphan *orphan =
        fill->order == 0 ? NULL : find_orphan(engine, fill->instrument, fill->order, &fill->trade);
    bool rests = fill->leaves.status == NUMBER_VALUE && fill->leaves.units > 0;
    if (orphan == NULL && fill->order != 0 && rests) {
        orphan = new_orphan(engine, fill->instrument, fill->order, fill->side);
        if (orphan == NULL)
            orphans_full(engine, venue_of(engine, fill->instrument), fill->order);
        else
            adopt(engine, orphan, fill->leaves.units);
        refresh(engine);
    }
    if (orphan == NULL)
        return;
    if (orphan->price == 0)
        orphan->price = fill->price.units;
    orphan->event_ts = engine->now;
    if (fill->leaves.status != NUMBER_VALUE)
        return;
    if (fill->leaves.units <= 0) {
        forget(engine, orphan);
    } else if (fill->leaves.units < orphan->leaves) {
        orphan->leaves = fill->leaves.units;
        sum_leaves(engine, orphan->instrument, orphan->side);
    }
    refresh(engine);
}

bool sync_take_orphan_answer(struct engine *engine, const struct message *message)
{
    /* Every answer begins with instrument and order (event/kinds.h). */
    const struct event_cancel_rejected *answer = &message->record->cancel_rejected;
    if (answer->order == 0 || answer->instrument >= engine->instrument_count)
        return false;
    static const struct venue_id none;
    struct orphan *orphan = find_orphan(engine, answer->instrument, answer->order, &none);
    if (orphan == NULL)
        return false;
    orphan->event_ts = engine->now;
    bool ended = message->kind == EVENT_order_cancelled || message->kind == EVENT_order_expired ||
                 message->kind == EVENT_order_not_found;
    if (message->kind == EVENT_cancel_rejected) {
        ended = answer->reason == REJECT_NOT_FOUND;
        if (answer->reason == REJECT_FILLED)
            orphan->due = TIME_NEVER; /* its fill comes; until then it counts */
    }
    if (ended)
        forget(engine, orphan);
    refresh(engine);
    return true;
}

/* --- rows of a snapshot ---------------------------------------------------------------------------- */

static void take_balance(struct engine *engine, const struct message *message)
{
    const struct event_balance *record = &message->record->balance;
    bool timed = message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED);
    int64_t at = timed ? message->ts_venue : INT64_MIN;
    if (record->venue >= engine->venue_count || record->asset >= engine->asset_count)
        return;
    if (!engine_is_money(record->total)) {
        ledger_tell_removed(engine, EVENT_NONE_16, 0, REMOVED_ACCOUNT);
        return;
    }
    if (message->flags & MESSAGE_VENUE_ESTIMATED)
        anew_balance(sync_of(engine, record->venue), at);
    if (sync_of(engine, record->venue)->requested == TIME_NEVER) {
        ledger_take_balance(engine, record, at);
        return;
    }
    struct balance *balance = ledger_balance(engine, record->venue, record->asset);
    balance->shown_total = record->total;
    balance->shown_at = at;
    balance->shown = sync_of(engine, record->venue)->generation;
}

static void take_position(struct engine *engine, const struct message *message)
{
    const struct event_venue_position *record = &message->record->venue_position;
    bool timed = message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED);
    if (record->instrument >= engine->instrument_count)
        return;
    if (record->position.status != NUMBER_VALUE) {
        orders_tell_removed(engine, &(struct event_removed){.instrument = record->instrument,
                                                            .where = REMOVED_ACCOUNT,
                                                            .price = {0, NUMBER_ABSENT},
                                                            .quantity = record->position,
                                                            .reason = REJECT_QUANTITY});
        return;
    }
    struct sync_instrument *at = &engine->instruments[record->instrument].sync;
    at->venue_position = record->position.units;
    at->at = timed ? message->ts_venue : 0;
    at->told = sync_of(engine, venue_of(engine, record->instrument))->generation;
}

static void take_entry(struct engine *engine, const struct event_venue_entry *record)
{
    if (record->instrument >= engine->instrument_count)
        return;
    if (record->price.status != NUMBER_VALUE || record->price.units <= 0) {
        orders_tell_removed(engine, &(struct event_removed){.instrument = record->instrument,
                                                            .where = REMOVED_ACCOUNT,
                                                            .price = record->price,
                                                            .quantity = {0, NUMBER_ABSENT},
                                                            .reason = REJECT_PRICE});
        return; /* the mark is taken then */
    }
    struct sync_instrument *at = &engine->instruments[record->instrument].sync;
    at->entry = record->price.units;
    at->priced = sync_of(engine, venue_of(engine, record->instrument))->generation;
}

/* A row of an order that we don't hold. `usable`: its leaves are a number. Without, it is an order all the
 * same: what is known of its leaves stays, and nothing known is the worst case (B14). */
static void take_orphan_row(struct engine *engine, const struct event_open_order *record,
                            bool usable)
{
    struct sync *sync = sync_of(engine, venue_of(engine, record->instrument));
    bool nothing = record->leaves.status == NUMBER_VALUE && record->leaves.units == 0;
    if (!usable && (nothing || (record->order == 0 && record->venue_order.length == 0)))
        return;
    struct orphan *orphan =
        find_orphan(engine, record->instrument, record->order, &record->venue_order);
    if (orphan == NULL)
        orphan = new_orphan(engine, record->instrument, record->order, record->side);
    if (orphan == NULL) {
        sync->overflow = true;
        return;
    }
    orphan->shown = sync->generation;
    orphan->shown_leaves = orphan->judged ? orphan->leaves : SYNC_LEAVES_UNKNOWN;
    orphan->shown_price = orphan->price;
    orphan->shown_priced = orphan->priced;
    if (orphan->side != record->side) {
        engine->orders.surprises++; /* there is one of that name, but none that the row describes */
        return;
    }
    orphan->venue_order = record->venue_order;
    if (usable)
        orphan->shown_leaves = record->leaves.units;
    orphan->shown_priced = record->price.status == NUMBER_VALUE && record->price.units > 0 &&
                           record->price.units <= ENGINE_PRICE_MAX;
    if (orphan->shown_priced)
        orphan->shown_price = record->price.units;
}

/* What a row says of an order of ours counts only where instrument and side, and so the venue, are the
 * order's too. */
static void take_open_order(struct engine *engine, const struct event_open_order *record)
{
    if (record->instrument >= engine->instrument_count || record->side > SIDE_SELL) {
        engine->orders.surprises++;
        return;
    }
    bool usable = orders_read_row(engine, record);
    struct order *order = orders_find(engine, record->order);
    if (order == NULL || !order_state_is_live(order->state)) {
        take_orphan_row(engine, record, usable);
    } else if (order->instrument != record->instrument || order->side != record->side) {
        engine->orders.surprises++;
    } else if (usable) {
        order->shown = sync_of(engine, venue_of(engine, record->instrument))->generation;
        order->shown_leaves = record->leaves.units;
        order->shown_price = record->price.status == NUMBER_VALUE ? record->price.units : 0;
    }
}

/* --- judgement ------------------------------------------------------------------------------------- */

/* Price and leaves are those that we hold, or those that a lost modify asked for. */
static bool shows_what_we_hold(const struct order *order)
{
    return (order->shown_price == order->price && order->shown_leaves == order->leaves) ||
           (order->asked_leaves > 0 && order->shown_price == order->asked_price &&
            order->shown_leaves == order->asked_leaves);
}

/* At a restart a modify of the session before may be on its way to the venue, which then shows the order as
 * it was: a query comes after it. */
static bool may_change_yet(const struct engine *engine, const struct order *order)
{
    return order->asked_leaves > 0 && order->lost == REQUEST_MODIFY &&
           !engine->venues[venue_of(engine, order->instrument)].reconciled;
}

/* What the snapshot says of one live order. One that rests must be shown as it is, else it is asked for; one
 * without an answer is believed to rest where all figures agree, and asked for in its time where not. */
static void judge_order(struct engine *engine, struct order *order, const struct sync *sync,
                        int64_t taken)
{
    unsigned venue = venue_of(engine, order->instrument);
    if (order->event_ts >= taken)
        return;
    bool agrees = order->shown == sync->generation && shows_what_we_hold(order) &&
                  !may_change_yet(engine, order);
    if (order_state_is_resting(order->state)) {
        if (!agrees && shutdown_may_send(engine) && infrastructure_lets_through(engine, venue))
            orders_ask_for(engine, order);
    } else if (agrees && (order->state == ORDER_PENDING_NEW || order->state == ORDER_UNKNOWN)) {
        orders_seen(engine, order, order->shown_price, order->shown_leaves);
    } else if (order->state == ORDER_UNKNOWN && !engine->venues[venue].reconciled &&
               infrastructure_lets_through(engine, venue)) {
        orders_ask_for(engine, order); /* the first look after a restart */
    }
}

static void judge_orders(struct engine *engine, unsigned venue, int64_t taken)
{
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        if (venue_of(engine, index) != venue)
            continue;
        for (unsigned side = 0; side < 2; side++)
            for (uint32_t slot = engine->instruments[index].sides[side].first;
                 slot != ENGINE_NO_SLOT; slot = engine->orders.slots[slot].next)
                judge_order(engine, &engine->orders.slots[slot], sync_of(engine, venue), taken);
    }
}

/* An order of ours that the snapshot is too old for: it was placed or ended since. */
static bool is_newer_than(struct engine *engine, order_id id, int64_t taken)
{
    const struct order *order = orders_find(engine, id);
    return order != NULL && (order_state_is_live(order->state) || order->event_ts >= taken);
}

/* Where it rests is a reason of its own for what may leave on the other side. */
static void take_price(struct engine *engine, struct orphan *orphan)
{
    if (orphan->price != orphan->shown_price || orphan->priced != orphan->shown_priced)
        engine_mark_due(engine, orphan->instrument);
    orphan->price = orphan->shown_price;
    orphan->priced = orphan->shown_priced;
}

/* True if it stays in the table. */
static bool judge_orphan(struct engine *engine, struct orphan *orphan, const struct sync *sync,
                         int64_t taken)
{
    bool shown = orphan->shown == sync->generation;
    if (!orphan->judged) {
        ASSERT(shown); /* the end of each snapshot judges its rows or drops them */
        if (is_newer_than(engine, orphan->id, taken))
            return false;
        take_price(engine, orphan);
        adopt(engine, orphan, orphan->shown_leaves);
        return true;
    }
    if (orphan->event_ts >= taken)
        return true;
    if (!shown)
        return false;
    take_price(engine, orphan);
    if (orphan->leaves != orphan->shown_leaves) {
        orphan->leaves = orphan->shown_leaves;
        sum_leaves(engine, orphan->instrument, orphan->side);
    }
    return true;
}

static void judge_orphans(struct engine *engine, unsigned venue, int64_t taken)
{
    struct orphans *orphans = &engine->orphans;
    const struct sync *sync = sync_of(engine, venue);
    for (uint32_t i = 0; i < orphans->count;) {
        struct orphan *orphan = &orphans->list[i];
        if (venue_of(engine, orphan->instrument) != venue ||
            judge_orphan(engine, orphan, sync, taken))
            i++;
        else
            forget(engine, orphan);
    }
    if (sync->overflow)
        orphans_full(engine, venue, 0);
    else if (taken >= sync->full_ts) /* all that it has found room */
        alarm_clear(engine, EVENT_NONE_16, venue, ALARM_ORPHANS_FULL);
}

/* Rows of a snapshot that is not trusted. */
static void drop_orphan_rows(struct engine *engine, unsigned venue)
{
    for (uint32_t i = 0; i < engine->orphans.count;) {
        struct orphan *orphan = &engine->orphans.list[i];
        if (!orphan->judged && venue_of(engine, orphan->instrument) == venue)
            forget(engine, orphan);
        else
            i++;
    }
}

static bool has_unknown(const struct engine *engine, const struct instrument *instrument)
{
    for (unsigned side = 0; side < 2; side++)
        for (uint32_t slot = instrument->sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next)
            if (engine->orders.slots[slot].state == ORDER_UNKNOWN)
                return true;
    return false;
}

/* Ours and the venue's are no more than a lot apart. What a venue that only has balances held before is not
 * in its figure. */
static bool position_agrees(const struct instrument *instrument)
{
    const struct position *position = &instrument->position;
    int128 venue = (int128)instrument->sync.venue_position * position->per_quantity;
    int128 ours = (int128)position->units - position->apart;
    int128 apart = venue > ours ? venue - ours : ours - venue;
    return apart <= (int128)instrument->limits.quote.lot * position->per_quantity;
}

static void judge_position(struct engine *engine, unsigned index, int64_t taken)
{
    struct instrument *instrument = &engine->instruments[index];
    struct sync_instrument *at = &instrument->sync;
    bool settled = at->fill_ts == INT64_MIN || taken - at->fill_ts >= SYNC_SETTLED_NS;
    if (!settled || has_unknown(engine, instrument))
        return;
    at->compared = sync_of(engine, venue_of(engine, index))->generation;
    if (position_agrees(instrument)) {
        at->differing = 0;
        alarm_clear(engine, index, 0, ALARM_DRIFT);
        return;
    }
    if (at->differing < SYNC_DRIFT_SNAPSHOTS)
        at->differing++;
    if (at->differing == SYNC_DRIFT_SNAPSHOTS)
        alarm_raise(engine, index, 0, ALARM_DRIFT, 0);
}

/* Rule 28's comparison counts snapshots: one that was taken when the last one was says nothing new. */
static void judge_positions(struct engine *engine, unsigned venue, int64_t taken)
{
    const struct sync *sync = sync_of(engine, venue);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        if (venue_of(engine, index) == venue &&
            engine->instruments[index].sync.told == sync->generation)
            judge_position(engine, index, taken);
}

/* Whether the ledger of a venue was moved since: then its balances are newer than the snapshot's. */
static bool moved_since(const struct engine *engine, unsigned venue, int64_t taken)
{
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        const struct instrument *instrument = &engine->instruments[index];
        if (instrument->definition.venue == venue &&
            (instrument->sync.fill_ts >= taken || instrument->position.last_funding_due >= taken))
            return true;
    }
    return false;
}

static void judge_balances(struct engine *engine, unsigned venue, int64_t taken)
{
    if (moved_since(engine, venue, taken)) {
        anew_not_taken(engine, venue);
        return;
    }
    for (unsigned asset = 0; asset < engine->asset_count; asset++) {
        const struct balance *balance = ledger_balance(engine, venue, asset);
        struct event_balance record = {
            .venue = (uint8_t)venue, .asset = (uint16_t)asset, .total = balance->shown_total};
        if (balance->shown == sync_of(engine, venue)->generation)
            ledger_take_balance(engine, &record, balance->shown_at);
    }
}

/* It may be older than one that was trusted already, or simply too old; or from no time at all. */
static bool is_trusted(const struct engine *engine, const struct sync *sync, int64_t taken)
{
    return taken >= 0 && taken >= sync->trusted &&
           (sync->age == 0 || engine->now - taken <= sync->age);
}

/* What a shutdown waits for: the whole account. Where it has more than there was room for, the rest is in
 * the next one. */
static void settle_awaited(struct engine *engine, struct sync *sync, int64_t taken)
{
    if (sync->awaited == INT64_MIN || taken < sync->awaited)
        return;
    if (sync->overflow)
        sync->next = earlier(sync->next, engine->now + SYNC_CONFIRM_NS);
    else
        sync->awaited = INT64_MIN;
}

static void trust(struct engine *engine, unsigned venue, int64_t taken)
{
    struct sync *sync = sync_of(engine, venue);
    bool newer = taken > sync->trusted;
    sync->trusted = taken;
    anew_account_end(sync, engine->now - taken);
    judge_balances(engine, venue, taken);
    judge_orders(engine, venue, taken);
    judge_orphans(engine, venue, taken);
    if (newer)
        judge_positions(engine, venue, taken);
    settle_awaited(engine, sync, taken);
    orders_stream_account(engine, venue, taken);
    alarm_clear(engine, EVENT_NONE_16, venue, ALARM_SNAPSHOT_OLD);
    if (engine->venues[venue].reconciled)
        return;
    engine->venues[venue].reconciled = true;
    for (unsigned index = 0; index < engine->instrument_count; index++)
        if (venue_of(engine, index) == venue && engine->instruments[index].market.seen)
            engine_mark_due(engine, index);
}

static void take_snapshot_end(struct engine *engine, const struct event_snapshot_end *end)
{
    if (end->venue >= engine->venue_count)
        return;
    struct sync *sync = sync_of(engine, end->venue);
    int64_t taken = end->taken < engine->now ? end->taken : engine->now;
    if (sync->requested != TIME_NEVER && taken >= sync->requested)
        sync->requested = TIME_NEVER;
    infrastructure_succeeded(engine, end->venue);
    if (is_trusted(engine, sync, taken))
        trust(engine, end->venue, taken);
    else
        drop_orphan_rows(engine, end->venue);
    sync->generation++;
    sync->overflow = false;
    refresh(engine);
}

void sync_take(struct engine *engine, const struct message *message)
{
    const union event_record *record = message->record;
    if (message->kind == EVENT_balance)
        take_balance(engine, message);
    else if (message->kind == EVENT_venue_position)
        take_position(engine, message);
    else if (message->kind == EVENT_venue_entry)
        take_entry(engine, &record->venue_entry);
    else if (message->kind == EVENT_open_order)
        take_open_order(engine, &record->open_order);
    else
        take_snapshot_end(engine, &record->snapshot_end);
}

void sync_filled(struct engine *engine, unsigned instrument, int64_t made)
{
    engine->instruments[instrument].sync.fill_ts = engine->now;
    engine->instruments[instrument].sync.differing = 0;
    engine->instruments[instrument].sync.compared = 0;
    anew_fill(engine, venue_of(engine, instrument), made);
}

/* --- an operator takes over what the venue has --------------------------------------------------------- */

/* Rows of a snapshot that has not ended don't count: `generation` is theirs. */
static bool is_newest(const struct engine *engine, unsigned instrument, uint32_t snapshot)
{
    return snapshot + 1 == engine->venues[venue_of(engine, instrument)].sync.generation;
}

bool sync_has_compared(const struct engine *engine, unsigned instrument)
{
    const struct sync_instrument *at = &engine->instruments[instrument].sync;
    return at->compared != 0 && at->compared == at->told && is_newest(engine, instrument, at->told);
}

int64_t sync_entry_price(const struct engine *engine, unsigned instrument)
{
    const struct sync_instrument *at = &engine->instruments[instrument].sync;
    return at->priced == at->told ? at->entry : 0;
}

int64_t sync_position_time(const struct engine *engine, unsigned instrument)
{
    return engine->instruments[instrument].sync.at;
}

void sync_agree(struct engine *engine, unsigned instrument)
{
    engine->instruments[instrument].sync.differing = 0;
    alarm_clear(engine, instrument, 0, ALARM_DRIFT);
}

/* --- requests -------------------------------------------------------------------------------------- */

/* How long after one request the next leaves; 0: none does. */
static int64_t interval_of(const struct engine *engine, unsigned venue)
{
    const struct venue_state *at = &engine->venues[venue];
    int64_t interval = at->sync.interval;
    if (engine->carry.shutdown != SHUTDOWN_RUNNING)
        interval = earlier(interval, SYNC_CLOSING_NS);
    return at->orders_stream.blocked ? earlier(interval, ORDERS_STREAM_ASK_NS) : interval;
}

void sync_take_request(struct engine *engine, const struct event_request_snapshot *request,
                       int64_t now)
{
    if (request->venue >= engine->venue_count)
        return;
    struct sync *sync = sync_of(engine, request->venue);
    if (sync->requested != TIME_NEVER && sync->requested != now)
        infrastructure_failed(engine, request->venue); /* the last one was not answered */
    if (!sync->hurried)
        sync->anew = 0;
    sync->hurried = false;
    sync->requested = now;
    sync->next = sync->interval > 0 ? now + interval_of(engine, request->venue) : TIME_NEVER;
    infrastructure_sent(engine, request->venue, now);
    refresh(engine);
}

void sync_request(struct engine *engine, unsigned venue)
{
    struct event_request_snapshot request = {.venue = (uint8_t)venue, .cause = engine->ordinal};
    engine_emit(engine, EVENT_request_snapshot, EVENT_NONE_16)->request_snapshot = request;
    sync_take_request(engine, &request, engine->now);
}

void sync_ask_soon(struct engine *engine, unsigned venue)
{
    sync_of(engine, venue)->next = engine->now;
    refresh(engine);
}

void sync_ask_anew(struct engine *engine, unsigned venue, int64_t at)
{
    struct sync *sync = sync_of(engine, venue);
    if (!sync->hurried)
        sync->regular = sync->next;
    sync->next = at;
    sync->hurried = true;
    refresh(engine);
}

void sync_ask_often(struct engine *engine, unsigned venue)
{
    if (sync_of(engine, venue)->interval > 0)
        sync_ask_soon(engine, venue);
}

void sync_take_cancel_orphan(struct engine *engine, const struct event_cancel_orphan *cancel,
                             int64_t now)
{
    if (cancel->instrument >= engine->instrument_count)
        return;
    struct orphan *orphan =
        find_orphan(engine, cancel->instrument, cancel->order, &cancel->venue_order);
    unsigned venue = venue_of(engine, cancel->instrument);
    struct sync *sync = sync_of(engine, venue);
    if (orphan != NULL) {
        orphan->due = now + SYNC_GRACE_NS;
        orphan->asked = true;
    }
    if (orphan != NULL && orphan->id == 0 && engine->carry.shutdown != SHUTDOWN_RUNNING)
        sync->next = earlier(sync->next, now + SYNC_CONFIRM_NS);
    infrastructure_sent(engine, venue, now);
}

static void cancel_orphan(struct engine *engine, struct orphan *orphan)
{
    struct rate *rate = &engine->venues[venue_of(engine, orphan->instrument)].rate;
    struct event_cancel_orphan cancel = {.instrument = orphan->instrument,
                                         .order = orphan->id,
                                         .venue_order = orphan->venue_order,
                                         .cause = engine->ordinal};
    engine_emit(engine, EVENT_cancel_orphan, orphan->instrument)->cancel_orphan = cancel;
    sync_take_cancel_orphan(engine, &cancel, engine->now);
    rate_count(rate, engine->now);
    engine->counters.cancelled++;
}

/* --- timers ---------------------------------------------------------------------------------------- */

/* After the present time, so that what waits for the venue's breaker is looked at again then. */
static int64_t next_try(const struct engine *engine, unsigned venue)
{
    int64_t next = infrastructure_next(engine, venue);
    return next > engine->now ? next : engine->now + 1;
}

/* While the venue's breaker lets requests through one at a time, a shutdown's cancels of what we know to
 * rest go before all else. */
static bool makes_way(const struct engine *engine, unsigned venue)
{
    return engine->carry.shutdown != SHUTDOWN_RUNNING && infrastructure_blocks(engine, venue) &&
           shutdown_has_to_ask(engine, venue);
}

static int64_t after_ours(const struct engine *engine, unsigned venue)
{
    int64_t next = next_try(engine, venue), soonest = engine->now + MAKE_WAY_NS;
    return next > soonest ? next : soonest;
}

static void orphan_due(struct engine *engine, struct orphan *orphan)
{
    unsigned venue = venue_of(engine, orphan->instrument);
    if (!orphan->judged || orphan->due > engine->now)
        return;
    if (makes_way(engine, venue))
        orphan->due = after_ours(engine, venue);
    else if (!infrastructure_lets_through(engine, venue))
        orphan->due = next_try(engine, venue);
    else if (!rate_allows(&engine->venues[venue].rate, engine->now, true))
        orphan->due = engine->now + NS_PER_SECOND;
    else
        cancel_orphan(engine, orphan);
}

static void venue_due(struct engine *engine, unsigned venue)
{
    struct sync *sync = sync_of(engine, venue);
    if (limit_deadline(engine, venue) <= engine->now)
        alarm_raise(engine, EVENT_NONE_16, venue, ALARM_SNAPSHOT_OLD, 0);
    if (sync->next > engine->now)
        return;
    if (makes_way(engine, venue))
        sync->next = after_ours(engine, venue);
    else if (sync->hurried && engine->now < sync->regular && rate_blocks(engine, venue))
        sync->next = earlier(engine->now + NS_PER_SECOND, sync->regular);
    else if (infrastructure_lets_through(engine, venue))
        sync_request(engine, venue);
    else
        sync->next = next_try(engine, venue);
}

static void check_own_book(struct engine *engine)
{
    for (unsigned index = 0; index < engine->instrument_count; index++)
        if (!audit_own_orders(engine, index))
            alarm_raise(engine, index, 0, ALARM_OWN_BOOK, 0);
    bool counted = audit_own_count(engine);
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        if (!counted || !audit_own_sums(engine, venue))
            alarm_raise(engine, EVENT_NONE_16, venue, ALARM_OWN_BOOK, 0);
}

void sync_due(struct engine *engine)
{
    if (engine->sync_deadline > engine->now)
        return;
    for (uint32_t i = 0; i < engine->orphans.count; i++)
        orphan_due(engine, &engine->orphans.list[i]);
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        venue_due(engine, venue);
    if (engine->own_book_next <= engine->now) {
        engine->own_book_next = engine->now + engine->own_book_every;
        check_own_book(engine);
    }
    refresh(engine);
}

/* --- shutdown -------------------------------------------------------------------------------------- */

void sync_shut_down(struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        struct sync *sync = sync_of(engine, venue);
        if (sync->interval > 0)
            sync->awaited = sync->next = engine->now;
    }
    for (uint32_t i = 0; i < engine->orphans.count; i++) {
        struct orphan *orphan = &engine->orphans.list[i];
        orphan->asked = false;
        if (is_ours(engine, orphan) && orphan->due != TIME_NEVER)
            orphan->due = engine->now;
    }
    refresh(engine);
}

uint32_t sync_open_orphans(const struct engine *engine)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < engine->orphans.count; i++)
        open += is_ours(engine, &engine->orphans.list[i]);
    return open;
}

bool sync_all_asked(const struct engine *engine)
{
    for (uint32_t i = 0; i < engine->orphans.count; i++) {
        const struct orphan *orphan = &engine->orphans.list[i];
        if (is_ours(engine, orphan) && orphan->due != TIME_NEVER && !orphan->asked)
            return false;
    }
    return true;
}

bool sync_all_told(const struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        if (engine->venues[venue].sync.awaited != INT64_MIN)
            return false;
    return true;
}

void sync_tell_awaited(struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        if (engine->venues[venue].sync.awaited != INT64_MIN)
            alarm_raise(engine, EVENT_NONE_16, venue, ALARM_SNAPSHOT_OLD, 0);
}

static struct number told_leaves(const struct orphan *orphan)
{
    bool known = orphan->leaves != SYNC_LEAVES_UNKNOWN;
    return (struct number){known ? orphan->leaves : 0, known ? NUMBER_VALUE : NUMBER_ABSENT};
}

void sync_tell_unconfirmed(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->orphans.count; i++) {
        const struct orphan *orphan = &engine->orphans.list[i];
        if (!is_ours(engine, orphan))
            continue;
        engine_emit(engine, EVENT_unconfirmed, orphan->instrument)->unconfirmed =
            (struct event_unconfirmed){
                .instrument = orphan->instrument,
                .order = orphan->id,
                .venue_order = orphan->venue_order,
                .side = orphan->side,
                .price = {orphan->price, orphan->price != 0 ? NUMBER_VALUE : NUMBER_ABSENT},
                .leaves = told_leaves(orphan),
            };
    }
}

/* --- begin and end of a session --------------------------------------------------------------------- */

void sync_init(struct sync *sync, const struct settings_venue *settings)
{
    sync->interval = settings->safety_sync_interval;
    sync->age = settings->safety_snapshot_age;
    sync->limit = settings->safety_snapshot_limit;
    sync->exclusive = settings->account_exclusive;
}

void sync_start(struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        struct sync *sync = sync_of(engine, venue);
        sync->started = engine->now;
        sync->next = sync->interval > 0 ? engine->now + sync->interval : TIME_NEVER;
    }
    engine->own_book_next =
        engine->own_book_every > 0 ? engine->now + engine->own_book_every : TIME_NEVER;
    refresh(engine);
}

void sync_reset(struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++) {
        struct sync *sync = sync_of(engine, venue);
        sync->requested = sync->next = sync->regular = TIME_NEVER;
        sync->trusted = sync->awaited = sync->full_ts = INT64_MIN;
        sync->doubt_from = sync->doubt_until = INT64_MIN;
        sync->anew = 0;
        sync->hurried = false;
        sync->generation = 1;
        sync->overflow = false;
        engine->venues[venue].reconciled = false;
    }
    for (unsigned index = 0; index < engine->instrument_count; index++) {
        struct sync_instrument *at = &engine->instruments[index].sync;
        *at = (struct sync_instrument){.fill_ts = INT64_MIN};
    }
    for (uint32_t slot = 0; slot <= engine->orders.mask; slot++)
        engine->orders.slots[slot].shown = 0;
    for (size_t at = 0; at < (size_t)engine->venue_count * engine->asset_count; at++)
        engine->balances[at].shown = 0;
    engine->orphans.count = 0;
    engine->own_book_next = engine->sync_deadline = TIME_NEVER;
}

/* --- walk ------------------------------------------------------------------------------------------- */

static void walk_venue(struct walker *walker, const struct sync *sync, uint64_t venue)
{
    walker->field(walker, "sync.requested", venue, sync->requested);
    walker->field(walker, "sync.next", venue, sync->next);
    walker->field(walker, "sync.regular", venue, sync->regular);
    walker->field(walker, "sync.trusted", venue, sync->trusted);
    walker->field(walker, "sync.started", venue, sync->started);
    walker->field(walker, "sync.full_ts", venue, sync->full_ts);
    walker->field(walker, "sync.awaited", venue, sync->awaited);
    walker->field(walker, "sync.interval", venue, sync->interval);
    walker->field(walker, "sync.age", venue, sync->age);
    walker->field(walker, "sync.limit", venue, sync->limit);
    walker->field(walker, "sync.doubt_from", venue, sync->doubt_from);
    walker->field(walker, "sync.doubt_until", venue, sync->doubt_until);
    walker->field(walker, "sync.anew", venue, sync->anew);
    walker->field(walker, "sync.hurried", venue, sync->hurried);
    walker->field(walker, "sync.generation", venue, sync->generation);
    walker->field(walker, "sync.overflow", venue, sync->overflow);
    walker->field(walker, "sync.exclusive", venue, sync->exclusive);
}

static void walk_instrument(struct walker *walker, const struct sync_instrument *at, uint64_t index)
{
    walker->field(walker, "sync.orphan_leaves", 2 * index, at->orphan_leaves[SIDE_BUY]);
    walker->field(walker, "sync.orphan_leaves", 2 * index + 1, at->orphan_leaves[SIDE_SELL]);
    walker->field(walker, "sync.fill_ts", index, at->fill_ts);
    walker->field(walker, "sync.venue_position", index, at->venue_position);
    walker->field(walker, "sync.at", index, at->at);
    walker->field(walker, "sync.entry", index, at->entry);
    walker->field(walker, "sync.told", index, at->told);
    walker->field(walker, "sync.priced", index, at->priced);
    walker->field(walker, "sync.compared", index, at->compared);
    walker->field(walker, "sync.differing", index, at->differing);
}

static void walk_orphan(struct walker *walker, const struct orphan *orphan, uint64_t index)
{
    walker->field(walker, "orphan.id", index, (int64_t)orphan->id);
    walker->field(walker, "orphan.instrument", index, orphan->instrument);
    walker->field(walker, "orphan.side", index, orphan->side);
    walker->field(walker, "orphan.leaves", index, orphan->leaves);
    walker->field(walker, "orphan.seen_ts", index, orphan->seen_ts);
    walker->field(walker, "orphan.event_ts", index, orphan->event_ts);
    walker->field(walker, "orphan.due", index, orphan->due);
    walker->field(walker, "orphan.shown", index, orphan->shown);
    walker->field(walker, "orphan.shown_price", index, orphan->shown_price);
    walker->field(walker, "orphan.shown_leaves", index, orphan->shown_leaves);
    walker->field(walker, "orphan.judged", index, orphan->judged);
    walker->field(walker, "orphan.asked", index, orphan->asked);
    walker->field(walker, "orphan.price", index, orphan->price);
    walker->field(walker, "orphan.priced", index, orphan->priced);
    walker->field(walker, "orphan.shown_priced", index, orphan->shown_priced);
    walker->field(walker, "orphan.name", index, orphan->venue_order.length);
    for (unsigned byte = 0; byte < EVENT_VENUE_ID_MAX; byte += 8)
        walker->field(walker, "orphan.name", index,
                      (int64_t)bytes_get_u64(orphan->venue_order.bytes + byte));
}

void sync_walk(struct walker *walker, const struct engine *engine)
{
    for (unsigned venue = 0; venue < engine->venue_count; venue++)
        walk_venue(walker, &engine->venues[venue].sync, venue);
    for (unsigned index = 0; index < engine->instrument_count; index++)
        walk_instrument(walker, &engine->instruments[index].sync, index);
    for (uint32_t i = 0; i < engine->orphans.count; i++)
        walk_orphan(walker, &engine->orphans.list[i], i);
    walker->field(walker, "sync.own_book_next", 0, engine->own_book_next);
    walker->field(walker, "sync.deadline", 0, engine->sync_deadline);
}
