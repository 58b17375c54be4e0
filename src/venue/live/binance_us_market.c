/* Market data of Binance.US: books joined from snapshots and depth, trades, best prices, and the question of
 * whether a silent symbol is silent or its feed dead. */
#include "venue/live/binance_us.h"

#include <stdio.h>
#include <string.h>

/* A symbol without news of book or best prices for so long is asked for by REST (trading-semantics 23). */
#define QUIET_NS (2 * NS_PER_SECOND)
#define ALMOST_NS                                                                                  \
    NS_PER_SECOND /* without news for so long: what the answer tells of it is used too */
#define DOUBT_NS   (500 * NS_PER_MS) /* until it is asked for again where the answer differs */
#define TICKERS_NS NS_PER_SECOND     /* between two such requests */
/* Data that is older than this when it comes is stale; for so long, and the stream is made anew. */
#define LAG_NS      (2 * NS_PER_SECOND)
#define LAG_TIME_NS (3 * NS_PER_SECOND)

enum { DEPTHS_UNDER_WAY = 4, DOUBTS_MAX = 2, UNREAD_LOGGED = 10 };

static struct adapter_when when_of(const struct binance_us *us, bool has_time, int64_t time_ns)
{
    if (has_time)
        return (struct adapter_when){time_ns, MESSAGE_VENUE_TIME};
    return binance_us_estimated(us);
}

static bool is_synchronised(const struct binance_us_book *book)
{
    return book->feed.sync.state != BINANCE_HOLDING;
}

bool binance_us_market_is_synchronised(struct binance_us *us)
{
    if (us->books_changed) {
        us->books_synchronised = true;
        for (size_t i = 0; i < us->names.count && us->books_synchronised; i++)
            us->books_synchronised = is_synchronised(&us->books[i]);
        us->books_changed = false;
    }
    return us->books_synchronised && binance_us_pair_is_up(&us->market);
}

/* --- the feed as a whole ----------------------------------------------------------------------------- */

static void tell_connection(struct binance_us *us, bool connected)
{
    us->market_told_up = connected;
    adapter_tell(&us->out, EVENT_feed_connection, EVENT_NONE_16, (struct adapter_when){0, 0})
        ->feed_connection = (struct event_feed_connection){us->names.numbers->venue, connected};
}

void binance_us_market_begin(struct binance_us *us)
{
    for (size_t i = 0; i < us->names.count; i++)
        us->books[i].backoff =
            (struct adapter_backoff){.least_ns = BINANCE_US_TICK_NS, .most_ns = 30 * NS_PER_SECOND};
    binance_us_pair_want(us, &us->market);
}

static void lose_book(struct binance_us_book *book)
{
    binance_feed_lose(&book->feed);
    book->feed.has_top = false; /* ids may begin anew with the venue's engine */
    book->depth_at = TIME_NEVER;
    book->depth_asked = false;
    book->has_view = false;
    book->doubts = 0;
    book->newest = 0;
}

void binance_us_market_up(struct binance_us *us)
{
    us->market_number++;
    tell_connection(us, true);
}

void binance_us_market_down(struct binance_us *us)
{
    us->market_number++;
    us->books_changed = true;
    for (size_t i = 0; i < us->names.count; i++)
        lose_book(&us->books[i]);
    if (us->market_told_up)
        tell_connection(us, false);
}

/* --- snapshots --------------------------------------------------------------------------------------- */

static void depth_later(struct binance_us *us, struct binance_us_book *book)
{
    book->depth_at = us->now + adapter_backoff_wait(&book->backoff, &us->random);
}

static void ask_depth(struct binance_us *us, uint16_t place)
{
    struct binance_us_book *book = &us->books[place];
    struct binance_us_parameters parameters = {0};
    if (us->now < book->depth_at || book->depth_asked ||
        adapter_requests_of(&us->requests, ASK_DEPTH) >= DEPTHS_UNDER_WAY)
        return;
    binance_us_add(&parameters, "symbol", us->settings.symbols[place]);
    binance_us_add_integer(&parameters, "limit", 1000);
    struct adapter_asked about = {.place = place, .note = us->market_number};
    if (binance_us_ask(us, ASK_DEPTH, &parameters, &about) != BINANCE_US_SENT) {
        book->depth_at = us->now + NS_PER_SECOND;
        return;
    }
    book->depth_asked = true;
    book->depth_at = TIME_NEVER;
}

void binance_us_market_covered(struct binance_us *us, size_t from, size_t to)
{
    for (size_t place = from; place < to; place++) {
        struct binance_us_book *book = &us->books[place];
        if (is_synchronised(book) || book->depth_asked || book->depth_at != TIME_NEVER)
            continue;
        book->depth_at = us->now;
        ask_depth(us, (uint16_t)place);
    }
}

/* --- what a frame tells ------------------------------------------------------------------------------- */

static void tell_rows(struct binance_us *us, uint16_t place, const struct binance_told *told)
{
    uint16_t number = adapter_number(&us->names, place);
    uint16_t stream = EVENT_STREAM(number, event_default_channel(told->kind));
    struct adapter_when when = when_of(us, told->has_venue_time, told->venue_time_ns);
    adapter_tell_rows(&us->out, (enum event_kind)told->kind, stream, told->sequence, when,
                      told->rows, told->row_count);
    for (size_t i = 0; i < told->bad_count; i++) {
        adapter_tell(&us->out, EVENT_source_text, stream, when)->source_text =
            binance_source_text(number, &told->bad[i]);
        adapter_tell_sequence(&us->out, told->sequence);
    }
}

static void tell_gap(struct binance_us *us, uint16_t place, enum gap_cause cause, uint64_t expected,
                     uint64_t found)
{
    uint16_t number = adapter_number(&us->names, place);
    adapter_tell(&us->out, EVENT_gap, EVENT_STREAM(number, event_default_channel(EVENT_gap)),
                 binance_us_estimated(us))
        ->gap = (struct event_gap){number, (uint8_t)cause, expected, found};
}

static bool is_whole(const struct row *row)
{
    return row->price_status == NUMBER_VALUE && row->quantity_status == NUMBER_VALUE;
}

/* What is known of book and best prices now. */
static void note_told(struct binance_us *us, struct binance_us_book *book,
                      const struct binance_told *told)
{
    if (told->kind == EVENT_trade)
        return;
    book->fresh_ns = us->now;
    if (told->sequence > book->newest)
        book->newest = told->sequence;
    if (told->kind == EVENT_top) {
        book->has_view = is_whole(&told->rows[0]) && is_whole(&told->rows[1]);
        memcpy(book->view, told->rows, sizeof book->view);
    } else if (told->kind == EVENT_snapshot) {
        book->has_view =
            book->has_view && book->feed.has_top && book->feed.last_top >= told->sequence;
        book->backoff.failures = 0;
    }
}

/* The book's place in the sequence is lost; its streams go on. */
static void resynchronise(struct binance_us *us, uint16_t place)
{
    us->books[place].depth_at = us->now;
    ask_depth(us, place);
}

static void take_frame(struct binance_us *us, uint16_t place)
{
    struct binance_us_book *book = &us->books[place];
    struct binance_told told;
    struct error error = {0};
    bool was = is_synchronised(book);
    int code = binance_feed_take(&book->feed, &us->frame, adapter_definition(&us->names, place),
                                 &us->scratch, &told, &error);
    us->books_changed |= was != is_synchronised(book) || code != 0;
    if (code != 0) {
        adapter_log(&us->out, LOG_ERROR, "%s: %s", us->settings.symbols[place], error.text);
        tell_gap(us, place, GAP_DAMAGE, 0, 0);
        lose_book(book);
        depth_later(us, book);
        return;
    }
    if (told.fate == BINANCE_TOLD) {
        tell_rows(us, place, &told);
        note_told(us, book, &told);
    } else if (told.fate == BINANCE_BROKEN) {
        adapter_log(&us->out, LOG_WARN, "%s: depth %llu expected, %llu came",
                    us->settings.symbols[place], (unsigned long long)told.gap_expected,
                    (unsigned long long)told.gap_found);
        tell_gap(us, place, GAP_SEQUENCE, told.gap_expected, told.gap_found);
        resynchronise(us, place);
    } else if (told.fate == BINANCE_SNAPSHOT_TOO_OLD) {
        depth_later(us, book);
    }
}

/* While two connections run, their depth is cut at different ids. Quantities are absolute, so that what overlaps
 * with what was applied says nothing new: the rest continues it. */
static void join_connections(struct binance_us_book *book, struct binance_frame *frame,
                             unsigned link)
{
    const struct binance_sync *sync = &book->feed.sync;
    bool goes_on = sync->state == BINANCE_RUNNING || sync->held_count > 0;
    if (goes_on && book->link != link && frame->first_id <= sync->last_id &&
        frame->last_id > sync->last_id)
        frame->first_id = sync->last_id + 1;
    book->link = (uint8_t)link;
}

/* False where the stream was given up. */
static bool is_in_time(struct binance_us *us, struct binance_us_link *link)
{
    int64_t age = us->now + us->time.offset_ns - us->frame.venue_time_ns;
    if (!us->frame.has_venue_time || age <= LAG_NS) {
        link->lagging_ns = TIME_NEVER;
        return true;
    }
    if (link->lagging_ns == TIME_NEVER)
        link->lagging_ns = us->now;
    if (us->now - link->lagging_ns < LAG_TIME_NS)
        return true;
    binance_us_pair_renew(us, &us->market, "its data is too old");
    return false;
}

static bool is_answer(const struct binance_frame *frame)
{
    return strcmp(frame->name, "answer") == 0 || strcmp(frame->name, "error_answer") == 0;
}

void binance_us_market_text(struct binance_us *us, struct binance_us_link *link, const char *text,
                            size_t length)
{
    struct error error = {0};
    if (binance_decode(&us->frame, text, length, &error) != 0) {
        if (us->frames_unread++ < UNREAD_LOGGED)
            adapter_log(&us->out, LOG_WARN, "a frame of the market stream: %s", error.text);
        return;
    }
    if (us->frame.kind == BINANCE_OTHER && is_answer(&us->frame)) {
        binance_us_link_answer(us, link, text, length);
        return;
    }
    uint16_t place = us->frame.kind == BINANCE_OTHER || us->frame.kind == BINANCE_SNAPSHOT
                         ? ADAPTER_NO_PLACE
                         : adapter_place_of_symbol(&us->names, us->frame.symbol);
    if (place == ADAPTER_NO_PLACE) {
        us->frames_other++;
        return;
    }
    struct binance_us_book *book = &us->books[place];
    if (us->frame.kind != BINANCE_TRADE) {
        book->framed_ns = us->now;
        book->doubts = 0;
    }
    if (us->frame.kind == BINANCE_DEPTH) {
        if (!is_in_time(us, link))
            return;
        join_connections(book, &us->frame, (unsigned)(link - us->market.links));
    }
    take_frame(us, place);
}

void binance_us_take_depth(struct binance_us *us, const struct adapter_asked *asked,
                           const struct binance_us_answer *answer)
{
    struct binance_us_book *book = &us->books[asked->place];
    struct error error = {0};
    if (asked->note != us->market_number)
        return; /* of a connection that is gone */
    book->depth_asked = false;
    if (answer->outcome == BINANCE_US_GOOD &&
        binance_decode(&us->frame, answer->body, answer->length, &error) == 0 &&
        us->frame.kind == BINANCE_SNAPSHOT) {
        take_frame(us, asked->place);
        return;
    }
    adapter_log(&us->out, LOG_WARN, "%s: no snapshot of the book (HTTP %ld) %s",
                us->settings.symbols[asked->place], answer->status,
                answer->outcome == BINANCE_US_REFUSED ? answer->error.text : error.text);
    depth_later(us, book);
}

/* --- silent or dead ----------------------------------------------------------------------------------- */

static bool is_quiet(const struct binance_us *us, const struct binance_us_book *book,
                     int64_t silence_ns)
{
    return is_synchronised(book) && us->now - book->fresh_ns >= silence_ns;
}

/* Ask for the best prices where something is quiet: of one symbol, or of all in one request, which then also
 * serves what is almost quiet. */
static void tickers_due(struct binance_us *us)
{
    struct binance_us_parameters parameters = {0};
    size_t almost = 0;
    bool quiet = false;
    const char *symbol = NULL;
    if (us->now < us->tickers_at || adapter_requests_of(&us->requests, ASK_TICKERS) > 0)
        return;
    for (size_t i = 0; i < us->names.count; i++) {
        if (!is_quiet(us, &us->books[i], ALMOST_NS))
            continue;
        quiet |= is_quiet(us, &us->books[i], QUIET_NS);
        symbol = us->settings.symbols[i];
        almost++;
    }
    if (!quiet)
        return;
    if (almost == 1)
        binance_us_add(&parameters, "symbol", symbol);
    us->tickers_at = us->now + TICKERS_NS;
    (void)binance_us_ask(us, ASK_TICKERS, &parameters,
                         &(struct adapter_asked){.note = us->market_number});
}

static struct row ticker_row(const struct binance_us_ticker *ticker, enum side side,
                             const struct event_definition *definition)
{
    struct number price = json_units(&ticker->price[side], definition->price_exponent);
    struct number quantity = json_units(&ticker->quantity[side], definition->quantity_exponent);
    return (struct row){.price = price.units,
                        .quantity = quantity.units,
                        .flags = side == SIDE_SELL ? ROW_SELL : 0,
                        .price_status = price.status,
                        .quantity_status = quantity.status};
}

static bool is_same(const struct row *a, const struct row *b)
{
    return a->price == b->price && a->quantity == b->quantity;
}

/* The symbol is alive: its best prices are told again, as new as the news is. A side without an order has none. */
static void confirm(struct binance_us *us, uint16_t place)
{
    struct binance_us_book *book = &us->books[place];
    uint16_t number = adapter_number(&us->names, place);
    size_t first = book->view[SIDE_BUY].price > 0 ? 0 : 1;
    size_t count = book->view[SIDE_SELL].price > 0 ? 2 - first : 1 - first;
    book->doubts = 0;
    book->fresh_ns = us->now;
    if (count > 0)
        adapter_tell_rows(&us->out, EVENT_top, EVENT_STREAM(number, CHANNEL_TOP), book->newest,
                          when_of(us, false, 0), book->view + first, count);
}

/* False where the feed turned out to be dead and is made anew. */
static bool take_ticker(struct binance_us *us, uint16_t place)
{
    struct binance_us_book *book = &us->books[place];
    const struct event_definition *definition = adapter_definition(&us->names, place);
    const struct row rows[2] = {ticker_row(&us->tickers[place], SIDE_BUY, definition),
                                ticker_row(&us->tickers[place], SIDE_SELL, definition)};
    if (!is_whole(&rows[0]) || !is_whole(&rows[1]))
        return true;
    if (!book->has_view) { /* the first that is told of them since the snapshot */
        memcpy(book->view, rows, sizeof rows);
        book->has_view = true;
    }
    if (is_same(&rows[0], &book->view[0]) && is_same(&rows[1], &book->view[1])) {
        confirm(us, place);
        return true;
    }
    if (++book->doubts < DOUBTS_MAX) {
        us->tickers_at = us->now + DOUBT_NS;
        return true;
    }
    adapter_log(&us->out, LOG_ERROR, "%s: the venue's best prices changed and no frame came",
                us->settings.symbols[place]);
    binance_us_pair_renew(us, &us->market, "the feed is dead");
    return false;
}

void binance_us_take_tickers(struct binance_us *us, const struct adapter_asked *asked,
                             const struct binance_us_answer *answer)
{
    struct error error = {0};
    if (answer->outcome != BINANCE_US_GOOD || asked->note != us->market_number)
        return; /* nothing is confirmed: what is quiet gets old */
    memset(us->tickers, 0, us->names.count * sizeof *us->tickers);
    if (binance_us_read_tickers(answer->body, answer->length, us->settings.symbols, us->names.count,
                                us->tickers, &error) != 0) {
        adapter_log(&us->out, LOG_WARN, "bookTicker: %s", error.text);
        return;
    }
    for (uint16_t place = 0; place < us->names.count; place++) {
        const struct binance_us_book *book = &us->books[place];
        bool asked_for = us->tickers[place].known && is_quiet(us, book, ALMOST_NS);
        /* A frame that came meanwhile is newer than the question. */
        if (asked_for && book->framed_ns < asked->sent_ns && !take_ticker(us, place))
            return;
    }
}

void binance_us_market_due(struct binance_us *us)
{
    if (!binance_us_pair_is_up(&us->market))
        return;
    for (uint16_t place = 0; place < us->names.count; place++)
        ask_depth(us, place);
    tickers_due(us);
}
