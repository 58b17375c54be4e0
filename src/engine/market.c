/* What an instrument's market looks like: book, top view, trades, references, freshness. */
#include "engine/engine_internal.h"

#include "base/assert.h"
#include "base/time.h"

/* --- bad numbers ------------------------------------------------------------------------------- */

/* The row can be used: a price on the present tick, a quantity. A level of an older, finer grid must still
 * be possible to take away. */
static inline bool row_is_good(const struct limits *limits, const struct row *row)
{
    return (row->price_status | row->quantity_status) == NUMBER_VALUE &&
           (uint64_t)row->price - 1 < (uint64_t)ENGINE_PRICE_MAX && row->quantity >= 0 &&
           (row->quantity == 0 || limits_on_tick(limits, row->price));
}

_Static_assert(NUMBER_VALUE == 0, "row_is_good tests both statuses at once");

/* Why a row can't be used, REJECT_NONE if it can. */
static enum reject row_fault(const struct limits *limits, const struct row *row)
{
    if (row->price_status != NUMBER_VALUE || row->price <= 0 || row->price > ENGINE_PRICE_MAX)
        return REJECT_PRICE;
    if (row->quantity_status != NUMBER_VALUE || row->quantity < 0)
        return REJECT_QUANTITY;
    return row_is_good(limits, row) ? REJECT_NONE : REJECT_TICK;
}

/* Whether any row is off the present tick, which the book does not know of: one pass without a branch a
 * row, and none where every unit is a tick. */
static bool rows_off_tick(const struct limits *limits, const struct message *message)
{
    uint64_t faults = 0;
    uint64_t inverse = limits->tick_inverse, bound = limits->tick_bound;
    unsigned shift = limits->tick_shift;
    if (limits->quote.tick > 1)
        for (uint32_t i = 0; i < message->row_count; i++)
            faults |= limits_off_tick(inverse, shift, bound, message->rows[i].price);
    return faults != 0;
}

static void remove_row(struct engine *engine, unsigned index, const struct row *row,
                       enum reject reason)
{
    engine->counters.removed_numbers++;
    if (!engine->started || engine->removed_left == 0)
        return;
    engine->removed_left--;
    engine_emit(engine, EVENT_removed, index)->removed = (struct event_removed){
        .instrument = (uint16_t)index,
        .where = REMOVED_MARKET_DATA,
        .side = row->flags & ROW_SELL ? SIDE_SELL : SIDE_BUY,
        .price = {row->price, row->price_status},
        .quantity = {row->quantity, row->quantity_status},
        .reason = (uint8_t)reason,
    };
}

/* --- mid ----------------------------------------------------------------------------------------- */

static int64_t view_mid2(const struct top_view *top)
{
    return top->price[SIDE_BUY] + top->price[SIDE_SELL];
}

static void mids_add(struct mid_ring *mids, int64_t now, int64_t mid2)
{
    uint64_t newest = mids->count - 1;
    if (mids->count == 0 ||
        mids->ts[newest % ENGINE_MID_RING] >> ENGINE_MID_SHIFT != now >> ENGINE_MID_SHIFT) {
        newest = mids->count++;
        if (mids->behind + ENGINE_MID_RING <= newest)
            mids->behind = newest - ENGINE_MID_RING + 1;
    }
    mids->ts[newest % ENGINE_MID_RING] = now;
    mids->mid2[newest % ENGINE_MID_RING] = mid2;
}

/* The mid that stood one second ago, to the ring's 8 ms. */
static bool mids_second_ago(struct mid_ring *mids, int64_t now, int64_t *mid2)
{
    while (mids->behind + 1 < mids->count &&
           mids->ts[(mids->behind + 1) % ENGINE_MID_RING] <= now - NS_PER_SECOND)
        mids->behind++;
    if (mids->count == 0 || mids->ts[mids->behind % ENGINE_MID_RING] > now - NS_PER_SECOND)
        return false;
    *mid2 = mids->mid2[mids->behind % ENGINE_MID_RING];
    return true;
}

/* --- top view ------------------------------------------------------------------------------------ */

int64_t market_grace_end(const struct engine *engine, const struct instrument *instrument)
{
    return instrument->market.book_seen ? INT64_MIN
                                        : engine->start_ts + instrument->limits.stale_after;
}

bool market_has_view(const struct market *market)
{
    return market->top.has[SIDE_BUY] & market->top.has[SIDE_SELL] &
           book_is_synchronised(market->book);
}

/* The mid of a crossed or locked view is no mark and no reference. */
static bool has_mid(const struct market *market)
{
    return market_has_view(market) && market->top.price[SIDE_BUY] < market->top.price[SIDE_SELL];
}

/* Best prices may have changed: a cycle is due, and the mid goes into the ring. */
static void view_changed(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    struct market *market = &instrument->market;
    instrument->wait_top[SIDE_BUY] = instrument->wait_top[SIDE_SELL] = false;
    if (has_mid(market))
        mids_add(&market->mids, engine->now, view_mid2(&market->top));
    signals_view_changed(engine, index);
    profit_touch(engine, index);
    engine_mark_due(engine, index);
}

/* The end of what a price can stand for as a mark (rule 14). */
static int64_t mark_end(int64_t ts)
{
    return ts + ENGINE_MARK_FRESH_NS;
}

/* The mid is about to be lost: the mark that stood until now, or until the last of its sources got old, is
 * kept. */
static void keep_mark(struct engine *engine, struct market *market)
{
    int64_t mark2, until = engine->now;
    bool stale;
    if (market->mid2 == 0)
        return;
    bool known = market_mark2(market, engine->now, &mark2, &stale);
    ASSERT(known); /* by the mid at least */
    if (stale) {
        until = mark_end(market->view_ts);
        if (market->mark.has && !market->spot && mark_end(market->mark.ts) > until)
            until = mark_end(market->mark.ts);
    }
    market->last_mark2 = (struct stamped){mark2, until, true};
}

static void view_forget(struct engine *engine, struct market *market)
{
    keep_mark(engine, market);
    market->mid2 = 0;
    market->top = (struct top_view){.sequence = 0};
    market->mids.count = market->mids.behind = 0;
}

static void view_from_book(struct engine *engine, unsigned index)
{
    struct market *market = &engine->instruments[index].market;
    struct top_view *top = &market->top;
    bool changed = false;
    for (int side = 0; side < 2; side++) {
        struct book_level level = {0, 0};
        bool has = book_best(market->book, (enum side)side, &level);
        changed |= has != top->has[side] || level.price != top->price[side];
        top->has[side] = has;
        top->price[side] = level.price;
        top->quantity[side] = level.quantity;
    }
    if (changed)
        view_changed(engine, index);
}

/* --- messages of one instrument ------------------------------------------------------------------ */

/* A book that lost its place: nothing is known until a snapshot. */
static void lose_book(struct engine *engine, unsigned index)
{
    struct market *market = &engine->instruments[index].market;
    view_forget(engine, market);
    book_clear(market->book);
    market->gap = true;
    signals_book_lost(engine, index);
    engine_mark_due(engine, index);
}

/* Rows with a fault are left out one by one; the rest is set as the message would have. */
static bool apply_with_faults(struct engine *engine, unsigned index, const struct message *message)
{
    struct instrument *instrument = &engine->instruments[index];
    struct message head = *message;
    head.row_count = 0;
    bool whole = book_apply(instrument->market.book, &head);
    for (uint32_t i = 0; i < message->row_count && whole; i++) {
        const struct row *row = &message->rows[i];
        enum reject fault = row_fault(&instrument->limits, row);
        if (fault != REJECT_NONE)
            remove_row(engine, index, row, fault);
        else
            whole = book_set(instrument->market.book, row->flags & ROW_SELL ? SIDE_SELL : SIDE_BUY,
                             row->price, row->quantity);
    }
    return whole;
}

/* The book leaves out by itself what is no usable number; here each of them is told. */
static bool apply_and_tell(struct engine *engine, unsigned index, const struct message *message)
{
    struct instrument *instrument = &engine->instruments[index];
    struct book *book = instrument->market.book;
    uint64_t before = book_removed_numbers(book);
    bool whole = book_apply(book, message);
    if (__builtin_expect(book_removed_numbers(book) == before, 1))
        return whole;
    for (uint32_t i = 0; i < message->row_count; i++) {
        enum reject fault = row_fault(&instrument->limits, &message->rows[i]);
        if (fault != REJECT_NONE)
            remove_row(engine, index, &message->rows[i], fault);
    }
    return whole;
}

static void take_depth(struct engine *engine, unsigned index, const struct message *message)
{
    struct instrument *instrument = &engine->instruments[index];
    struct market *market = &instrument->market;
    bool was = book_is_synchronised(market->book);
    bool whole = rows_off_tick(&instrument->limits, message)
                     ? apply_with_faults(engine, index, message)
                     : apply_and_tell(engine, index, message);
    if (!whole) {
        engine_table_full(engine, "book.far_levels", book_far_levels_peak(market->book) + 1);
        lose_book(engine, index);
        return;
    }
    if (message->kind == EVENT_snapshot)
        market->gap = false;
    if (!was && book_is_synchronised(market->book))
        engine_mark_due(engine, index);
    /* Rule 3: the later of book and top is the reference, where both carry a sequence. */
    if (message->sequence >= market->top.sequence || message->sequence == 0)
        view_from_book(engine, index);
}

static void take_top(struct engine *engine, unsigned index, const struct message *message)
{
    struct instrument *instrument = &engine->instruments[index];
    struct market *market = &instrument->market;
    struct top_view *top = &market->top;
    bool changed = false;
    uint64_t reference = book_sequence(market->book);
    if (reference < top->sequence)
        reference = top->sequence;
    if (message->sequence != 0 && message->sequence < reference)
        return;
    for (uint32_t i = 0; i < message->row_count; i++) {
        const struct row *row = &message->rows[i];
        enum side side = row->flags & ROW_SELL ? SIDE_SELL : SIDE_BUY;
        if (!row_is_good(&instrument->limits, row)) {
            remove_row(engine, index, row, row_fault(&instrument->limits, row));
            continue;
        }
        bool has = row->quantity > 0;
        changed |= has != top->has[side] || row->price != top->price[side];
        top->has[side] = has;
        top->price[side] = row->price;
        top->quantity[side] = row->quantity;
    }
    top->sequence = message->sequence;
    if (changed)
        view_changed(engine, index);
}

static void take_trades(struct engine *engine, unsigned index, const struct message *message)
{
    struct instrument *instrument = &engine->instruments[index];
    for (uint32_t i = 0; i < message->row_count; i++) {
        const struct row *row = &message->rows[i];
        if (row->flags & ROW_NOT_MARKET)
            continue;
        if (!row_is_good(&instrument->limits, row)) {
            remove_row(engine, index, row, row_fault(&instrument->limits, row));
        } else if (row->quantity > 0) {
            instrument->market.trade = (struct stamped){row->price, engine->now, true};
            signals_trade(engine, index);
        }
    }
}

/* A price of a record: kept if it is one, else removed. */
static void take_price(struct engine *engine, unsigned index, struct stamped *stamped,
                       struct number price)
{
    if (price.status == NUMBER_VALUE && price.units > 0 && price.units <= ENGINE_PRICE_MAX) {
        *stamped = (struct stamped){price.units, engine->now, true};
        return;
    }
    struct row row = {
        .price = price.units, .price_status = price.status, .quantity_status = NUMBER_ABSENT};
    remove_row(engine, index, &row, REJECT_PRICE);
}

/* A reading of which either number can't be used is none, so that it gets old (rule 19). No cap is
 * well; a cap of 0 is the venue's word that nothing may be added. */
static void take_open_interest(struct engine *engine, unsigned index,
                               const struct event_open_interest *record)
{
    struct market *market = &engine->instruments[index].market;
    const struct number *numbers[] = {&record->open_interest, &record->cap};
    bool has_cap = record->cap.status != NUMBER_ABSENT;
    for (int i = 0; i < (has_cap ? 2 : 1); i++) {
        if (numbers[i]->status == NUMBER_VALUE && numbers[i]->units >= 0)
            continue;
        struct row row = {.price_status = NUMBER_ABSENT,
                          .quantity = numbers[i]->units,
                          .quantity_status = numbers[i]->status};
        remove_row(engine, index, &row, REJECT_QUANTITY);
        return;
    }
    market->open_interest = (struct stamped){record->open_interest.units, engine->now, true};
    market->open_interest_cap =
        (struct stamped){has_cap ? record->cap.units : 0, engine->now, has_cap};
    signals_open_interest(engine, index);
}

/* A time that was booked is not booked again, and one that a newer record overtakes is booked first
 * (rule 15). */
static void take_funding(struct engine *engine, unsigned index, const struct event_funding *record)
{
    struct instrument *instrument = &engine->instruments[index];
    struct market *market = &instrument->market;
    market->funding_told = true;
    if (engine->started && market->funding_due <= engine->now && record->due != market->funding_due)
        ledger_funding_due(engine, index);
    if (record->due <= instrument->position.last_funding_due)
        return;
    market->funding_rate = record->rate;
    market->funding_due = record->due;
    if (engine->started && market->funding_due <= engine->now) /* told after its time */
        ledger_funding_due(engine, index);
    engine_mark_due(engine, index);
}

static void take_gap(struct engine *engine, const struct message *message)
{
    unsigned index = message->record->gap.instrument;
    unsigned channel = message->stream % CHANNELS_PER_INSTRUMENT;
    /* What is missing of trades or best prices is not missing in the book. */
    if (message->stream != EVENT_NONE_16 && (channel == CHANNEL_TRADE || channel == CHANNEL_TOP))
        return;
    if (index < engine->instrument_count)
        lose_book(engine, index);
}

static void take_connection(struct engine *engine, const struct event_feed_connection *record)
{
    if (record->connected)
        return;
    for (unsigned index = 0; index < engine->instrument_count; index++)
        if (engine->instruments[index].definition.venue == record->venue)
            lose_book(engine, index);
}

/* Tick, lot and fees may change; units never do (ARCHITECTURE.md). The settings stay as they were
 * resolved, so ticks and lots in them keep the size that they had. */
static void take_definition(struct engine *engine, unsigned index,
                            const struct event_definition *record)
{
    struct instrument *instrument = &engine->instruments[index];
    const struct event_definition *old = &instrument->definition;
    if (!event_definition_may_follow(old, record) ||
        !limits_redefine(&instrument->limits, &instrument->first_limits, record)) {
        lose_book(engine, index);
        return;
    }
    struct event_definition definition = *record;
    definition.base_commission_exponent = old->base_commission_exponent;
    instrument->definition = definition;
    engine_mark_due(engine, index);
}

static void take_record(struct engine *engine, unsigned index, const struct message *message)
{
    const union event_record *record = message->record;
    struct market *market = &engine->instruments[index].market;
    switch ((int)message->kind) {
    case EVENT_definition:
        take_definition(engine, index, &record->definition);
        break;
    case EVENT_instrument_status:
        market->trading = record->instrument_status.trading;
        engine_mark_due(engine, index);
        break;
    case EVENT_mark:
        take_price(engine, index, &market->mark, record->mark.price);
        signals_mark(engine, index);
        profit_touch(engine, index);
        break;
    case EVENT_index_price:
        take_price(engine, index, &market->index, record->index_price.price);
        break;
    case EVENT_funding:
        take_funding(engine, index, &record->funding);
        break;
    case EVENT_open_interest:
        take_open_interest(engine, index, &record->open_interest);
        break;
    default:
        break;
    }
}

/* Book or best prices are told of: the stale breaker looks at nothing else, for trades and marks go on while a
 * book stands still. */
static void be_fresh(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    /* The first after a silence begins the time in sync that clears the breaker. */
    if (!instrument->market.seen || (instrument->breakers.state[BREAKER_STALE] != BREAKER_CLEAR &&
                                     instrument->signals.synced_since == TIME_NEVER)) {
        instrument->market.seen = true;
        engine_mark_due(engine, index);
    }
}

/* A message told of book or best prices: the one place where a mid becomes, stays or ceases to be a mark
 * (rule 14) while the book is not lost. One that was too old is one again, also where no price moved. */
static void renew_view(struct engine *engine, unsigned index)
{
    struct market *market = &engine->instruments[index].market;
    int64_t mid2 = has_mid(market) ? view_mid2(&market->top) : 0;
    if (mid2 == 0)
        keep_mark(engine, market);
    if (mid2 != market->mid2 || engine->now >= mark_end(market->view_ts))
        profit_touch(engine, index);
    market->mid2 = mid2;
    market->view_ts = engine->now;
}

/* Records, and rows that change nothing here. */
static void apply_other(struct engine *engine, const struct message *message)
{
    unsigned index = EVENT_STREAM_INSTRUMENT(message->stream);
    if (message->kind == EVENT_gap)
        take_gap(engine, message);
    else if (message->kind == EVENT_reference_rate)
        profit_take_rate(engine, &message->record->reference_rate);
    else if (message->kind == EVENT_feed_connection)
        take_connection(engine, &message->record->feed_connection);
    else if (message->record != NULL && message->stream != EVENT_NONE_16 &&
             index < engine->instrument_count)
        take_record(engine, index, message);
}

void market_apply(struct engine *engine, const struct message *message)
{
    unsigned index = EVENT_STREAM_INSTRUMENT(message->stream);
    bool known = index < engine->instrument_count;
    _Static_assert(EVENT_STREAM_INSTRUMENT(EVENT_NONE_16) >= EVENT_INSTRUMENTS_MAX,
                   "no instrument stands for none");
    if (message->kind == EVENT_top && known) {
        be_fresh(engine, index);
        take_top(engine, index, message);
        renew_view(engine, index);
    } else if ((message->kind == EVENT_depth || message->kind == EVENT_snapshot) && known) {
        be_fresh(engine, index);
        signals_book_message(engine, index);
        engine->instruments[index].market.book_seen |= message->kind == EVENT_snapshot;
        take_depth(engine, index, message);
        renew_view(engine, index);
    } else if (message->kind == EVENT_trade && known) {
        take_trades(engine, index, message);
    } else {
        apply_other(engine, message);
    }
}

/* --- what others ask ----------------------------------------------------------------------------- */

/* Rule 14 at a time: the venue's mark, else the mid of the book. */
static bool mark_at(const struct market *market, int64_t at, int64_t *mark2)
{
    if (market->mark.has && !market->spot && at < mark_end(market->mark.ts))
        *mark2 = 2 * market->mark.value;
    else if (market->mid2 != 0 && at < mark_end(market->view_ts))
        *mark2 = market->mid2;
    else
        return false;
    return true;
}

bool market_mark2(const struct market *market, int64_t now, int64_t *mark2, bool *stale)
{
    *stale = !mark_at(market, now, mark2);
    if (!*stale)
        return true;
    /* The last one known is that which stood longest. A mid is younger than what was kept before it, and
     * makes way for a venue's mark that ended with it. */
    struct stamped last = market->last_mark2;
    if (market->mid2 != 0)
        last = (struct stamped){market->mid2, mark_end(market->view_ts) - 1, true};
    if (market->mark.has && !market->spot && (!last.has || mark_end(market->mark.ts) > last.ts))
        last = (struct stamped){2 * market->mark.value, 0, true};
    *mark2 = last.value;
    return last.has;
}

/* The median of three, the mean of two, or the one: four times it. */
static int64_t reference_of(const int64_t *values2, int count)
{
    int64_t a = values2[0], b = values2[1], c = values2[2];
    if (count == 0)
        return 0;
    if (count == 1)
        return 2 * a;
    if (count == 2)
        return a + b;
    int64_t low = a < b ? a : b, high = a < b ? b : a;
    return 2 * (c < low ? low : c > high ? high : c);
}

int64_t market_reference4(struct market *market, int64_t now)
{
    int64_t values2[3] = {0, 0, 0};
    int count = 0;
    if (market->mark.has && now - market->mark.ts < ENGINE_MARK_FRESH_NS)
        return 4 * market->mark.value;
    if (has_mid(market))
        values2[count++] = view_mid2(&market->top);
    if (mids_second_ago(&market->mids, now, &values2[count]))
        count++;
    if (market->trade.has && now - market->trade.ts <= ENGINE_TRADE_FRESH_NS)
        values2[count++] = 2 * market->trade.value;
    return reference_of(values2, count);
}
