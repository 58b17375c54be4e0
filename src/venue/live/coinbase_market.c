/* Market data of Coinbase: books from level2, trades from market_trades. A snapshot replaces a book, updates are
 * absolute quantities and continue it while the connection's numbers do (coinbase_links.c). */
#include "venue/live/coinbase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* A book without news for so long is told again by its best prices: the heartbeat that comes with the next number
 * proves that there was none. */
#define QUIET_NS (2 * NS_PER_SECOND)
/* Least time from the venue's engine to us (trading-semantics 2). */
#define FEED_FLOOR_NS NS_PER_MS

enum {
    /* Levels a side that a book may have outside its window: BTC-USD has tens of thousands. */
    FAR_LEVELS = 65536,
    ALIGNMENT = 64,
    TEXTS_MAX = 64 /* source texts of one message */
};

/* --- memory ------------------------------------------------------------------------------------------ */

bool coinbase_market_open(struct coinbase *venue)
{
    size_t size = (book_size(FAR_LEVELS) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    for (size_t place = 0; place < venue->names.count; place++) {
        struct coinbase_book *book = &venue->books[place];
        book->memory = aligned_alloc(ALIGNMENT, size);
        if (!book->memory)
            return false;
        book->book = book_init(book->memory, size, FAR_LEVELS);
    }
    return true;
}

void coinbase_market_close(struct coinbase *venue)
{
    for (size_t place = 0; venue->books && place < venue->names.count; place++)
        free(venue->books[place].memory);
}

static bool reserve_rows(struct coinbase *venue, size_t count)
{
    if (count <= venue->row_capacity)
        return true;
    struct row *rows = realloc(venue->rows, count * sizeof *rows);
    if (!rows)
        return false;
    venue->rows = rows;
    venue->row_capacity = count;
    return true;
}

/* --- products ---------------------------------------------------------------------------------------- */

static int by_product(const void *left, const void *right)
{
    const struct coinbase_market *a = left, *b = right;
    int order = strcmp(a->product, b->product);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static void add_market(struct coinbase *venue, const char *product, uint16_t place)
{
    struct coinbase_market *market = &venue->markets[venue->market_count++];
    market->place = place;
    snprintf(market->product, sizeof market->product, "%s", product);
}

/* Public channels tell of BTC-USDC as BTC-USD ("alias"): a product's data may be for several places. */
static void name_markets(struct coinbase *venue)
{
    venue->market_count = 0;
    for (uint16_t place = 0; place < venue->names.count; place++) {
        const char *symbol = venue->settings.symbols[place];
        add_market(venue, symbol, place);
        if (strcmp(symbol, venue->products[place].market) != 0)
            add_market(venue, venue->products[place].market, place);
    }
    qsort(venue->markets, venue->market_count, sizeof *venue->markets, by_product);
}

/* The first of a product's entries, and how many there are. */
static size_t markets_of(const struct coinbase *venue, const char *product, size_t *first)
{
    size_t low = 0, high = venue->market_count, count = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(venue->markets[middle].product, product) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *first = low;
    while (low + count < venue->market_count &&
           strcmp(venue->markets[low + count].product, product) == 0)
        count++;
    return count;
}

/* --- the feed as a whole ----------------------------------------------------------------------------- */

static void tell_connection(struct coinbase *venue, bool connected)
{
    venue->market_told_up = connected;
    adapter_tell(&venue->out, EVENT_feed_connection, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->feed_connection = (struct event_feed_connection){venue->names.numbers->venue, connected};
}

void coinbase_market_begin(struct coinbase *venue)
{
    name_markets(venue);
    coinbase_link_want(venue, &venue->market);
}

void coinbase_market_up(struct coinbase *venue)
{
    tell_connection(venue, true);
}

void coinbase_market_down(struct coinbase *venue)
{
    for (size_t place = 0; place < venue->names.count; place++)
        book_clear(venue->books[place].book);
    if (venue->market_told_up)
        tell_connection(venue, false);
}

bool coinbase_books_stand(const struct coinbase *venue)
{
    for (size_t place = 0; place < venue->names.count; place++)
        if (!book_is_synchronised(venue->books[place].book))
            return false;
    return true;
}

bool coinbase_market_is_synchronised(const struct coinbase *venue)
{
    return venue->market.state == COINBASE_UP && coinbase_books_stand(venue);
}

static void tell_gap(struct coinbase *venue, uint16_t place, enum gap_cause cause,
                     uint64_t expected, uint64_t found)
{
    uint16_t number = adapter_number(&venue->names, place);
    adapter_tell(&venue->out, EVENT_gap, EVENT_STREAM(number, event_default_channel(EVENT_gap)),
                 coinbase_venue_now(venue))
        ->gap = (struct event_gap){number, (uint8_t)cause, expected, found};
}

/* `found` 0: a message came that can't be read. */
void coinbase_market_gap(struct coinbase *venue, uint64_t expected, uint64_t found)
{
    for (uint16_t place = 0; place < venue->names.count; place++) {
        if (!book_is_synchronised(venue->books[place].book))
            continue;
        tell_gap(venue, place, found ? GAP_SEQUENCE : GAP_DAMAGE, expected, found);
        book_clear(venue->books[place].book);
    }
}

/* --- rows -------------------------------------------------------------------------------------------- */

static struct row row_of(const struct coinbase *venue, uint16_t place,
                         const struct coinbase_number *price,
                         const struct coinbase_number *quantity, uint8_t flags)
{
    const struct event_definition *definition = adapter_definition(&venue->names, place);
    struct number at = json_units(&price->value, definition->price_exponent);
    struct number size = json_units(&quantity->value, definition->quantity_exponent);
    return (struct row){.price = at.units,
                        .quantity = size.units,
                        .flags = flags,
                        .price_status = at.status,
                        .quantity_status = size.status};
}

static void tell_text(struct coinbase *venue, uint16_t stream, struct adapter_when when,
                      uint64_t sequence, size_t row, bool quantity, const char *text)
{
    struct event_source_text source = {
        .instrument = EVENT_STREAM_INSTRUMENT(stream), .row = row, .quantity = quantity};
    size_t length = strlen(text);
    source.text.length = (uint8_t)(length < EVENT_TEXT_MAX ? length : EVENT_TEXT_MAX);
    memcpy(source.text.bytes, text, source.text.length);
    adapter_tell(&venue->out, EVENT_source_text, stream, when)->source_text = source;
    adapter_tell_sequence(&venue->out, sequence);
}

/* One row and what its numbers were, where they are none. */
struct told_row {
    const struct row *row;
    const struct coinbase_number *price, *quantity;
};

static void tell_texts(struct coinbase *venue, uint16_t stream, struct adapter_when when,
                       uint64_t sequence, size_t index, const struct told_row *told)
{
    if (told->row->price_status != NUMBER_VALUE)
        tell_text(venue, stream, when, sequence, index, false, told->price->text);
    if (told->row->quantity_status != NUMBER_VALUE)
        tell_text(venue, stream, when, sequence, index, true, told->quantity->text);
}

/* --- level2 ------------------------------------------------------------------------------------------ */

/* Levels of one venue time, as one message. */
static bool take_run(struct coinbase *venue, uint16_t place, const struct coinbase_level *levels,
                     struct row *rows, size_t count, bool is_snapshot)
{
    uint16_t number = adapter_number(&venue->names, place);
    enum event_kind kind = is_snapshot ? EVENT_snapshot : EVENT_depth;
    uint16_t stream = EVENT_STREAM(number, event_default_channel(kind));
    /* A snapshot's levels bear times of their last change, or of 1970. */
    int64_t time_ns =
        is_snapshot || levels[0].time_ns == 0 ? venue->frame.time_ns : levels[0].time_ns;
    struct adapter_when when = coinbase_stamp(time_ns);
    size_t texts = 0;
    for (size_t i = 0; i < count; i++)
        rows[i] = row_of(venue, place, &levels[i].price, &levels[i].quantity,
                         (uint8_t)((levels[i].side == SIDE_SELL ? ROW_SELL : 0) |
                                   (is_snapshot ? ROW_FROM_SNAPSHOT : 0)));
    adapter_tell_rows(&venue->out, kind, stream, 0, when, rows, count);
    for (size_t i = 0; i < count && texts < TEXTS_MAX; i++) {
        const struct told_row told = {&rows[i], &levels[i].price, &levels[i].quantity};
        texts += rows[i].price_status != NUMBER_VALUE || rows[i].quantity_status != NUMBER_VALUE;
        tell_texts(venue, stream, when, 0, i, &told);
    }
    return book_apply(venue->books[place].book, &(struct message){.ts_local = venue->now,
                                                                  .kind = (uint8_t)kind,
                                                                  .rows = rows,
                                                                  .row_count = (uint32_t)count});
}

static bool is_crossed(const struct book *book)
{
    struct book_level bid, ask;
    return book_best(book, SIDE_BUY, &bid) && book_best(book, SIDE_SELL, &ask) &&
           bid.price >= ask.price;
}

/* The event for one place; false where the book is not to be trusted any more. Levels of one venue time are one
 * message, in the order of the array, which is that of the changes. */
static bool take_levels(struct coinbase *venue, uint16_t place, const struct coinbase_event *event,
                        struct row *rows)
{
    struct coinbase_book *book = &venue->books[place];
    if (event->count == 0)
        return true; /* of a snapshot: a product without a single order, of which nothing can be told */
    if (!event->is_snapshot && !book_is_synchronised(book->book))
        return true; /* its snapshot is still to come */
    const struct coinbase_level *levels = &venue->frame.levels[event->first];
    bool whole = true;
    for (size_t i = 0, end; i < event->count && whole; i = end) {
        for (end = i + 1; end < event->count; end++)
            if (!event->is_snapshot && levels[end].time_ns != levels[i].time_ns)
                break;
        whole = take_run(venue, place, &levels[i], rows + i, end - i, event->is_snapshot);
    }
    book->told_ns = venue->now;
    if (!whole) {
        adapter_log(&venue->out, LOG_ERROR, "%s: more than %d levels a side",
                    venue->settings.symbols[place], FAR_LEVELS);
        tell_gap(venue, place, GAP_DAMAGE, 0, 0);
        return false;
    }
    if (!is_crossed(book->book))
        return true;
    adapter_log(&venue->out, LOG_WARN, "%s: its book is crossed", venue->settings.symbols[place]);
    tell_gap(venue, place, GAP_CROSSED, 0, 0);
    book_clear(book->book);
    return false;
}

static bool take_level_event(struct coinbase *venue, const struct coinbase_event *event,
                             size_t *used)
{
    size_t first, count = markets_of(venue, event->product, &first);
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        struct row *rows = event->count ? &venue->rows[*used] : NULL;
        good &= take_levels(venue, venue->markets[first + i].place, event, rows);
        *used += event->count;
    }
    return good;
}

/* --- trades ------------------------------------------------------------------------------------------ */

static void take_trade(struct coinbase *venue, uint16_t place, const struct coinbase_trade *trade,
                       struct row *row)
{
    struct coinbase_book *book = &venue->books[place];
    uint16_t number = adapter_number(&venue->names, place);
    uint16_t stream = EVENT_STREAM(number, event_default_channel(EVENT_trade));
    struct adapter_when when = coinbase_stamp(trade->time_ns);
    if (book->has_trade && trade->id <= book->last_trade)
        return; /* told before */
    book->has_trade = true;
    book->last_trade = trade->id;
    /* `side` is the maker's (trading-semantics 7). */
    *row = row_of(venue, place, &trade->price, &trade->quantity,
                  trade->maker == SIDE_BUY ? ROW_SELL : 0);
    const struct told_row told = {row, &trade->price, &trade->quantity};
    adapter_tell_rows(&venue->out, EVENT_trade, stream, trade->id, when, row, 1);
    tell_texts(venue, stream, when, trade->id, 0, &told);
}

/* A snapshot's trades are of the past, and where it follows a gap they are late: none is told. */
static void pass_trade(struct coinbase_book *book, const struct coinbase_trade *trade)
{
    if (!book->has_trade || trade->id > book->last_trade)
        book->last_trade = trade->id;
    book->has_trade = true;
}

static void take_trade_event(struct coinbase *venue, const struct coinbase_event *event,
                             size_t *used)
{
    if (event->count == 0)
        return;
    const struct coinbase_trade *trades = &venue->frame.trades[event->first];
    size_t last = event->count - 1;
    /* The newest comes first. */
    bool backwards = trades[0].time_ns > trades[last].time_ns ||
                     (trades[0].time_ns == trades[last].time_ns && trades[0].id > trades[last].id);
    for (size_t i = 0; i < event->count; i++) {
        const struct coinbase_trade *trade = &trades[backwards ? last - i : i];
        size_t first, count = markets_of(venue, trade->product, &first);
        for (size_t k = 0; k < count; k++) {
            uint16_t place = venue->markets[first + k].place;
            if (event->is_snapshot)
                pass_trade(&venue->books[place], trade);
            else
                take_trade(venue, place, trade, &venue->rows[(*used)++]);
        }
    }
}

/* --- messages ---------------------------------------------------------------------------------------- */

/* Rows of one frame must stay where they are until it ends: so many are needed at most. */
static size_t rows_needed(const struct coinbase *venue)
{
    const struct coinbase_frame *frame = &venue->frame;
    size_t needed = 0, first;
    for (size_t i = 0; i < frame->event_count && frame->channel == COINBASE_LEVEL2; i++)
        needed += frame->events[i].count * markets_of(venue, frame->events[i].product, &first);
    for (size_t i = 0; i < frame->trade_count; i++)
        needed += markets_of(venue, frame->trades[i].product, &first);
    return needed;
}

void coinbase_take_market(struct coinbase *venue)
{
    const struct coinbase_frame *frame = &venue->frame;
    size_t used = 0;
    bool good = reserve_rows(venue, rows_needed(venue));
    if (!good)
        coinbase_market_gap(venue, 0, 0);
    for (size_t i = 0; i < frame->event_count && good; i++) {
        if (frame->channel == COINBASE_LEVEL2)
            good = take_level_event(venue, &frame->events[i], &used);
        else
            take_trade_event(venue, &frame->events[i], &used);
    }
    if (!good)
        coinbase_link_renew(venue, &venue->market, "a book is wrong");
}

/* A side without an order has no best price. */
static void confirm(struct coinbase *venue, uint16_t place, struct row rows[2])
{
    struct coinbase_book *book = &venue->books[place];
    uint16_t number = adapter_number(&venue->names, place);
    size_t count = 0;
    for (unsigned side = SIDE_BUY; side <= SIDE_SELL; side++) {
        struct book_level best;
        if (book_best(book->book, (enum side)side, &best))
            rows[count++] = (struct row){.price = best.price,
                                         .quantity = best.quantity,
                                         .flags = side == SIDE_SELL ? ROW_SELL : 0};
    }
    book->told_ns = venue->now;
    if (count > 0)
        adapter_tell_rows(
            &venue->out, EVENT_top, EVENT_STREAM(number, CHANNEL_TOP), 0,
            (struct adapter_when){venue->now - FEED_FLOOR_NS, MESSAGE_VENUE_ESTIMATED}, rows,
            count);
}

void coinbase_take_heartbeat(struct coinbase *venue)
{
    if (!reserve_rows(venue, 2 * venue->names.count))
        return;
    for (uint16_t place = 0; place < venue->names.count; place++)
        if (book_is_synchronised(venue->books[place].book) &&
            venue->now - venue->books[place].told_ns >= QUIET_NS)
            confirm(venue, place, venue->rows + (size_t)2 * place);
}
