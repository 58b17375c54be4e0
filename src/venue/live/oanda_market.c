/* Prices of OANDA: each is the whole ladder and replaces the book. There are no trades, and no sequence. What the
 * venue does not quote on both sides, or says is not tradeable, is halted. */
#include "venue/live/oanda.h"

#include <string.h>

#include "base/time.h"

#define FACTORS_AGAIN_NS (10 * NS_PER_SECOND)

static uint16_t stream_of(const struct v20 *v20, uint16_t place, enum channel channel)
{
    return EVENT_STREAM(adapter_number(&v20->names, place), channel);
}

bool v20_market_is_synchronised(const struct v20 *v20)
{
    for (size_t i = 0; i < v20->names.count; i++)
        if (!v20->books[i].seen)
            return false;
    return v20_link_is_up(v20, V20_PRICES);
}

/* --- the feed as a whole ----------------------------------------------------------------------------- */

void v20_market_begin(struct v20 *v20)
{
    for (size_t i = 0; i < v20->names.count; i++)
        v20->books[i] = (struct v20_book){.told_trading = TRADING_OPEN}; /* as an engine takes it */
}

static void tell_connection(struct v20 *v20, bool connected)
{
    v20->market_told_up = connected;
    adapter_tell(&v20->out, EVENT_feed_connection, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->feed_connection = (struct event_feed_connection){v20->names.numbers->venue, connected};
}

static void lose_book(struct v20_book *book)
{
    book->seen = false;
    memset(book->view, 0, sizeof book->view);
}

void v20_market_up(struct v20 *v20)
{
    tell_connection(v20, true);
}

void v20_market_down(struct v20 *v20)
{
    for (size_t i = 0; i < v20->names.count; i++)
        lose_book(&v20->books[i]);
    if (v20->market_told_up)
        tell_connection(v20, false);
}

/* Whose price it was can't be known. */
void v20_market_damage(struct v20 *v20)
{
    for (uint16_t place = 0; place < v20->names.count; place++) {
        if (!v20->books[place].seen)
            continue;
        lose_book(&v20->books[place]);
        adapter_tell(&v20->out, EVENT_gap, stream_of(v20, place, event_default_channel(EVENT_gap)),
                     v20_venue_at(v20, v20->now))
            ->gap = (struct event_gap){adapter_number(&v20->names, place), GAP_DAMAGE, 0, 0};
    }
}

/* --- one price --------------------------------------------------------------------------------------- */

static void tell_trading(struct v20 *v20, uint16_t place, uint8_t trading, struct adapter_when when)
{
    if (v20->books[place].told_trading == trading)
        return;
    v20->books[place].told_trading = trading;
    adapter_tell(&v20->out, EVENT_instrument_status, stream_of(v20, place, CHANNEL_REFERENCE), when)
        ->instrument_status =
        (struct event_instrument_status){adapter_number(&v20->names, place), trading};
}

/* What a number without value said. */
static void tell_text(struct v20 *v20, uint16_t place, size_t row, bool quantity, const char *text,
                      struct adapter_when when)
{
    struct event_source_text told = {
        .instrument = adapter_number(&v20->names, place), .row = row, .quantity = quantity};
    told.text.length = (uint8_t)strlen(text);
    memcpy(told.text.bytes, text, told.text.length);
    adapter_tell(&v20->out, EVENT_source_text, stream_of(v20, place, CHANNEL_DEPTH), when)
        ->source_text = told;
}

/* The levels as rows, bids first; returns how many. */
static size_t make_rows(struct v20 *v20, uint16_t place, const struct v20_price *price)
{
    const struct event_definition *definition = adapter_definition(&v20->names, place);
    size_t count = 0;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < price->count[side]; i++) {
            const struct v20_level *level = &price->levels[side][i];
            struct number at = json_units(&level->price, definition->price_exponent);
            struct number size = json_units(&level->quantity, definition->quantity_exponent);
            v20->rows[count++] = (struct row){.price = at.units,
                                              .quantity = size.units,
                                              .flags = side == SIDE_SELL ? ROW_SELL : 0,
                                              .price_status = at.status,
                                              .quantity_status = size.status};
        }
    }
    return count;
}

static void tell_texts(struct v20 *v20, uint16_t place, const struct v20_price *price,
                       struct adapter_when when)
{
    size_t row = 0;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < price->count[side]; i++, row++) {
            const struct v20_level *level = &price->levels[side][i];
            if (level->price.status != NUMBER_VALUE)
                tell_text(v20, place, row, false, level->price_text, when);
            if (level->quantity.status != NUMBER_VALUE)
                tell_text(v20, place, row, true, level->quantity_text, when);
        }
    }
}

static bool is_usable(const struct row *row)
{
    return row->price_status == NUMBER_VALUE && row->quantity_status == NUMBER_VALUE &&
           row->price > 0 && row->quantity > 0;
}

/* The best usable level of each side. */
static void note_view(struct v20 *v20, uint16_t place, size_t count)
{
    struct v20_book *book = &v20->books[place];
    memset(book->view, 0, sizeof book->view);
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &v20->rows[i];
        bool sell = (row->flags & ROW_SELL) != 0;
        struct row *best = &book->view[sell ? SIDE_SELL : SIDE_BUY];
        if (is_usable(row) &&
            (best->price == 0 || (sell ? row->price < best->price : row->price > best->price)))
            *best = *row;
    }
    book->seen = true;
    book->fresh_ns = v20->now;
}

static void tell_rate(struct v20 *v20, uint16_t place, struct adapter_when when)
{
    struct v20_book *book = &v20->books[place];
    book->factors_ns = v20->now;
    adapter_tell(&v20->out, EVENT_reference_rate, stream_of(v20, place, CHANNEL_REFERENCE), when)
        ->reference_rate = (struct event_reference_rate){
        adapter_definition(&v20->names, place)->quote, adapter_asset(&v20->names, v20->home),
        book->gain_factor, book->loss_factor};
}

/* From quote to home currency: a gain's factor is the bid, a loss's the ask (trading-semantics 12). One that holds is
 * told again now and then: a rate that nothing tells any more gets old (rule 13). */
static void tell_factors(struct v20 *v20, uint16_t place, const struct v20_price *price,
                         struct adapter_when when)
{
    struct v20_book *book = &v20->books[place];
    uint16_t quote = adapter_definition(&v20->names, place)->quote;
    uint16_t home = adapter_asset(&v20->names, v20->home);
    if (!price->has_factors || home == EVENT_NONE_16 || home == quote ||
        (money_compare(price->gain_factor, book->gain_factor) == 0 &&
         money_compare(price->loss_factor, book->loss_factor) == 0 &&
         v20->now - book->factors_ns < FACTORS_AGAIN_NS))
        return;
    book->gain_factor = price->gain_factor;
    book->loss_factor = price->loss_factor;
    tell_rate(v20, place, when);
}

static void take_price(struct v20 *v20)
{
    const struct v20_price *price = &v20->line.price;
    uint16_t place = adapter_place_of_symbol(&v20->names, price->instrument);
    struct adapter_when when = v20_venue_time(v20->line.time_ns);
    if (place == ADAPTER_NO_PLACE)
        return;
    size_t count = make_rows(v20, place, price);
    note_view(v20, place, count);
    const struct row *view = v20->books[place].view;
    bool open = price->tradeable && view[SIDE_BUY].price > 0 && view[SIDE_SELL].price > 0;
    if (!open)
        tell_trading(v20, place, TRADING_HALTED, when);
    adapter_tell_rows(&v20->out, EVENT_snapshot, stream_of(v20, place, CHANNEL_DEPTH), 0, when,
                      v20->rows, count);
    tell_texts(v20, place, price, when);
    tell_factors(v20, place, price, when);
    if (open)
        tell_trading(v20, place, TRADING_OPEN, when);
}

/* --- no news ----------------------------------------------------------------------------------------- */

/* A stream that lives and tells no price says that the last one holds: it is told again, as new as that news. */
static void confirm(struct v20 *v20)
{
    for (uint16_t place = 0; place < v20->names.count; place++) {
        struct v20_book *book = &v20->books[place];
        if (!book->seen || book->told_trading != TRADING_OPEN)
            continue;
        book->fresh_ns = v20->now;
        adapter_tell_rows(&v20->out, EVENT_top, stream_of(v20, place, CHANNEL_TOP), 0,
                          v20_venue_time(v20->line.time_ns), book->view, 2);
        if (book->gain_factor.atto != 0 && v20->now - book->factors_ns >= FACTORS_AGAIN_NS)
            tell_rate(v20, place, v20_venue_time(v20->line.time_ns));
    }
}

void v20_market_line(struct v20 *v20)
{
    if (v20->line.kind == V20_LINE_PRICE)
        take_price(v20);
    else if (v20->line.kind == V20_LINE_HEARTBEAT)
        confirm(v20);
}

enum reject v20_post_only_fault(const struct v20 *v20, uint16_t place, enum side side,
                                int64_t price)
{
    const struct v20_book *book = &v20->books[place];
    int64_t best = book->view[side].price, tick = adapter_definition(&v20->names, place)->tick;
    if (!book->seen || best == 0)
        return REJECT_NO_BOOK;
    if (book->told_trading != TRADING_OPEN)
        return REJECT_HALTED;
    bool is_behind = side == SIDE_BUY ? price <= best - tick : price >= best + tick;
    return is_behind ? REJECT_NONE : REJECT_POST_ONLY;
}
