/* See exchange/market.h. */
#include "exchange/market.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { FAR_LEVELS = 16384 };

/* --- opening ----------------------------------------------------------------------------------- */

static int open_instrument(struct public_instrument *instrument, const struct event_names *names,
                           unsigned number, struct error *error)
{
    size_t size = book_size(FAR_LEVELS);
    void *memory = aligned_alloc(64, size);
    if (!memory)
        return error_set(error, ERROR_SYSTEM, "no memory for a public book");
    memset(memory, 0, size);
    instrument->instrument = (uint16_t)number;
    instrument->symbol = names->symbols[number];
    instrument->definition = names->definitions[number];
    instrument->book = book_init(memory, size, FAR_LEVELS);
    instrument->update = instrument->top_update = 1000;
    return 0;
}

int market_view_open(struct market_view *view, const struct event_names *names, unsigned venue,
                     struct error *error)
{
    *view = (struct market_view){.names = names};
    view->instruments = calloc(names->instrument_count + 1, sizeof *view->instruments);
    if (!view->instruments)
        return error_set(error, ERROR_SYSTEM, "no memory for a public market");
    for (unsigned i = 0; i < names->instrument_count; i++) {
        if (names->definitions[i].venue != venue)
            continue;
        if (open_instrument(&view->instruments[view->count], names, i, error)) {
            market_view_close(view);
            return error->code;
        }
        view->count++;
    }
    return 0;
}

void market_view_close(struct market_view *view)
{
    for (unsigned i = 0; i < view->count; i++) {
        free(view->instruments[i].book);
        for (unsigned pace = 0; pace < MARKET_PACES; pace++)
            free(view->instruments[i].paces[pace].changes);
    }
    free(view->instruments);
    memset(view, 0, sizeof *view);
}

/* --- changes ----------------------------------------------------------------------------------- */

static void add_change(struct public_changes *changes, int64_t price, enum side side)
{
    if (changes->count == changes->capacity) {
        changes->capacity = changes->capacity ? 2 * changes->capacity : 256;
        changes->changes = realloc(changes->changes, changes->capacity * sizeof *changes->changes);
        ASSERT(changes->changes);
    }
    changes->changes[changes->count++] = (struct public_change){price, (uint8_t)side};
}

static int compare_changes(const void *left, const void *right)
{
    const struct public_change *a = left, *b = right;
    if (a->side != b->side)
        return a->side < b->side ? -1 : 1;
    int order = (a->price > b->price) - (a->price < b->price);
    return a->side == SIDE_BUY ? -order : order;
}

const struct public_changes *market_changes(struct public_instrument *instrument, unsigned pace)
{
    struct public_changes *changes = &instrument->paces[pace];
    if (changes->count == 0)
        return changes;
    qsort(changes->changes, changes->count, sizeof *changes->changes, compare_changes);
    size_t kept = 1;
    for (size_t i = 1; i < changes->count; i++)
        if (compare_changes(&changes->changes[i], &changes->changes[kept - 1]) != 0)
            changes->changes[kept++] = changes->changes[i];
    changes->count = kept;
    return changes;
}

void market_changes_taken(struct public_instrument *instrument, unsigned pace)
{
    struct public_changes *changes = &instrument->paces[pace];
    changes->count = 0;
    changes->first_update = changes->last_update + 1;
}

static void note_change(struct public_instrument *instrument, int64_t price, enum side side)
{
    for (unsigned pace = 0; pace < MARKET_PACES; pace++)
        add_change(&instrument->paces[pace], price, side);
}

/* A snapshot replaces the book: what stood in it and is not in the new one has changed too. */
static void note_book(struct public_instrument *instrument)
{
    for (enum side side = SIDE_BUY; side <= SIDE_SELL; side++) {
        struct book_level level;
        bool any = book_best(instrument->book, side, &level);
        for (; any; any = book_next(instrument->book, side, level.price, &level))
            note_change(instrument, level.price, side);
    }
}

static int64_t venue_time(const struct message *message)
{
    return message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED) ? message->ts_venue
                                                                           : message->ts_local;
}

/* The venue's own update ids where they grow, else ours. */
static void next_update(struct public_instrument *instrument, const struct message *message)
{
    uint64_t id = instrument->update + 1;
    instrument->update = message->sequence > id ? message->sequence : id;
    instrument->time = venue_time(message);
    for (unsigned pace = 0; pace < MARKET_PACES; pace++) {
        struct public_changes *changes = &instrument->paces[pace];
        if (changes->first_update == 0)
            changes->first_update = id;
        changes->last_update = instrument->update;
        changes->time = instrument->time;
    }
}

static void update_top(struct public_instrument *instrument)
{
    instrument->top[SIDE_BUY] = market_best(instrument, SIDE_BUY);
    instrument->top[SIDE_SELL] = market_best(instrument, SIDE_SELL);
    instrument->top_update = instrument->update;
}

/* --- messages ---------------------------------------------------------------------------------- */

static enum market_news take_book(struct public_instrument *instrument,
                                  const struct message *message)
{
    if (message->kind == EVENT_snapshot)
        note_book(instrument);
    if (!book_apply(instrument->book, message))
        return MARKET_NOTHING; /* far beyond what a market has: it needs a snapshot */
    for (uint32_t i = 0; i < message->row_count; i++) {
        const struct row *row = &message->rows[i];
        if (row->price_status == NUMBER_VALUE && row->quantity_status == NUMBER_VALUE)
            note_change(instrument, row->price, row->flags & ROW_SELL ? SIDE_SELL : SIDE_BUY);
    }
    next_update(instrument, message);
    if (instrument->top_update <= instrument->update)
        update_top(instrument);
    return MARKET_BOOK;
}

static enum market_news take_top(struct public_instrument *instrument,
                                 const struct message *message)
{
    for (uint32_t i = 0; i < message->row_count; i++) {
        const struct row *row = &message->rows[i];
        enum side side = row->flags & ROW_SELL ? SIDE_SELL : SIDE_BUY;
        if (row->price_status != NUMBER_VALUE || row->quantity_status != NUMBER_VALUE)
            return MARKET_NOTHING;
        instrument->top[side] = (struct book_level){row->price, row->quantity};
    }
    instrument->top_update =
        message->sequence > instrument->update ? message->sequence : instrument->update;
    return MARKET_TOP;
}

static void count_trade(struct public_instrument *instrument, const struct public_trade *trade)
{
    const struct event_definition *definition = &instrument->definition;
    money value, volume, sum;
    if (instrument->trade_count == 0)
        instrument->open = instrument->high = instrument->low = trade->price;
    if (trade->price > instrument->high)
        instrument->high = trade->price;
    if (trade->price < instrument->low)
        instrument->low = trade->price;
    if (money_linear_value(trade->price, trade->quantity, definition->multiplier,
                           definition->price_exponent + definition->quantity_exponent +
                               definition->multiplier_exponent,
                           &value) &&
        money_try_add(instrument->value, value, &sum))
        instrument->value = sum;
    if (money_from_units(trade->quantity, definition->quantity_exponent, &volume) &&
        money_try_add(instrument->volume, volume, &sum))
        instrument->volume = sum;
}

static enum market_news take_trades(struct public_instrument *instrument,
                                    const struct message *message)
{
    for (uint32_t i = 0; i < message->row_count; i++) {
        const struct row *row = &message->rows[i];
        const struct public_trade *last = market_trade(instrument, 0);
        uint64_t id = last ? last->id + 1 : 1;
        struct public_trade trade = {.id = message->sequence > id ? message->sequence : id,
                                     .price = row->price,
                                     .quantity = row->quantity,
                                     .time = venue_time(message),
                                     .seller_aggressor = row->flags & ROW_SELL};
        count_trade(instrument, &trade);
        instrument->trades[instrument->trade_count++ % MARKET_TRADES_KEPT] = trade;
    }
    return MARKET_TRADES;
}

enum market_news market_view_take(struct market_view *view, const struct message *message,
                                  struct public_instrument **out)
{
    if (message->stream == EVENT_NONE_16)
        return MARKET_NOTHING;
    struct public_instrument *instrument =
        market_by_number(view, EVENT_STREAM_INSTRUMENT(message->stream));
    *out = instrument;
    if (!instrument)
        return MARKET_NOTHING;
    if (message->kind == EVENT_depth || message->kind == EVENT_snapshot)
        return take_book(instrument, message);
    if (message->kind == EVENT_top)
        return take_top(instrument, message);
    if (message->kind == EVENT_trade)
        return take_trades(instrument, message);
    if (message->kind == EVENT_instrument_status)
        instrument->trading = message->record->instrument_status.trading;
    if (message->kind == EVENT_definition)
        instrument->definition = message->record->definition;
    return MARKET_NOTHING;
}

/* --- questions --------------------------------------------------------------------------------- */

struct public_instrument *market_by_symbol(const struct market_view *view, const char *symbol)
{
    for (unsigned i = 0; symbol && i < view->count; i++)
        if (strcmp(view->instruments[i].symbol, symbol) == 0)
            return &view->instruments[i];
    return NULL;
}

struct public_instrument *market_by_number(const struct market_view *view, unsigned instrument)
{
    for (unsigned i = 0; i < view->count; i++)
        if (view->instruments[i].instrument == instrument)
            return &view->instruments[i];
    return NULL;
}

const struct public_trade *market_trade(const struct public_instrument *instrument, uint64_t back)
{
    if (back >= instrument->trade_count || back >= MARKET_TRADES_KEPT)
        return NULL;
    return &instrument->trades[(instrument->trade_count - 1 - back) % MARKET_TRADES_KEPT];
}

struct book_level market_best(const struct public_instrument *instrument, enum side side)
{
    struct book_level level = {0, 0};
    return book_best(instrument->book, side, &level) ? level : (struct book_level){0, 0};
}

int64_t market_last_price(const struct public_instrument *instrument)
{
    const struct public_trade *trade = market_trade(instrument, 0);
    if (trade)
        return trade->price;
    struct book_level bid = market_best(instrument, SIDE_BUY);
    struct book_level ask = market_best(instrument, SIDE_SELL);
    return bid.quantity && ask.quantity ? bid.price + (ask.price - bid.price) / 2 : 0;
}

int64_t market_worst_price(const struct public_instrument *instrument, enum side side,
                           int64_t quantity, int64_t slack_ppm)
{
    struct book_level level;
    if (!book_best(instrument->book, side, &level))
        return 0;
    int64_t left = quantity - level.quantity;
    while (left > 0 && book_next(instrument->book, side, level.price, &level))
        left -= level.quantity;
    int64_t slack = (int64_t)((int128)level.price * slack_ppm / 1000000);
    int64_t price = side == SIDE_SELL ? level.price + slack : level.price - slack;
    int64_t tick = instrument->definition.tick > 0 ? instrument->definition.tick : 1;
    price -= price % tick;
    return price > 0 ? price : tick;
}
