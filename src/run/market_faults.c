/* Measures faults of market data message by message: see run/market_faults.h. */
#include "run/market_faults.h"

#include <stdlib.h>

#include "base/assert.h"
#include "engine/book.h"

/* Levels a side of an own book outside its window; of a larger one crossed intervals are not looked for. */
enum { FAR_LEVELS = 32 * 1024, ALIGNMENT = 64 };

struct watched {
    bool told;       /* of its book, by a message whose outcome was not looked at yet: */
    uint64_t frame;  /* which that was of, */
    int64_t told_ts; /* and when */
    int64_t last_ts; /* of any message about it; INT64_MIN: none */
    struct tape_faults faults;
    struct book *own;
};

struct market_faults {
    struct sink sink; /* first: the loop holds a pointer to it */
    const struct event_names *names;
    const struct engine *engine;
    struct watched *instruments;
    unsigned count;    /* of instruments */
    uint64_t frame;    /* messages of one frame are one moment: nobody acts between them */
    bool within_frame; /* the last message had MESSAGE_MORE: the next is of its frame */
    bool any, started;
    int64_t first_ts, last_ts;
    uint64_t jumps, recoveries, entries_lost, unwritten;
    int64_t farthest;
};

/* --- how books stand ----------------------------------------------------------------------------- */

static const struct book *book_of(const struct market_faults *market, unsigned index)
{
    return market->engine ? engine_book(market->engine, index) : market->instruments[index].own;
}

static bool is_crossed(const struct book *book)
{
    struct book_level bid, ask;
    return book_best(book, SIDE_BUY, &bid) && book_best(book, SIDE_SELL, &ask) &&
           bid.price >= ask.price;
}

/* The book as the last message about it left it. `given_up`: for its being crossed, which is counted as that. */
static void settle_as(struct market_faults *market, unsigned index, bool given_up)
{
    struct watched *watched = &market->instruments[index];
    if (!watched->told)
        return;
    watched->told = false;
    const struct book *book = book_of(market, index);
    bool unchecked = watched->faults.unchecked;
    bool whole = unchecked || (book && book_is_synchronised(book));
    bool crossed = whole && !unchecked && !given_up && is_crossed(book);
    tape_faults_book(&watched->faults, whole, crossed, watched->told_ts);
}

static void settle(struct market_faults *market, unsigned index)
{
    settle_as(market, index, false);
}

static void settle_all(struct market_faults *market)
{
    for (unsigned i = 0; i < market->count; i++)
        settle(market, i);
}

static int apply_to_own(struct market_faults *market, unsigned index, const struct message *message,
                        struct error *error)
{
    struct watched *watched = &market->instruments[index];
    const size_t size = (book_size(FAR_LEVELS) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    /* What stands before the first snapshot is no book. */
    if (watched->faults.unchecked || (!watched->own && message->kind != EVENT_snapshot))
        return 0;
    if (!watched->own) {
        void *memory = aligned_alloc(ALIGNMENT, size);
        if (!memory)
            return error_set(error, ERROR_SYSTEM, "no memory for a book");
        watched->own = book_init(memory, size, FAR_LEVELS);
    }
    if (message->kind == EVENT_depth && !book_is_synchronised(watched->own))
        return 0;
    watched->faults.unchecked = !book_apply(watched->own, message);
    return 0;
}

static int take_book(struct market_faults *market, unsigned index, const struct message *message,
                     struct error *error)
{
    struct watched *watched = &market->instruments[index];
    if (watched->frame != market->frame)
        settle(market, index);
    watched->told = true;
    watched->frame = market->frame;
    watched->told_ts = message->ts_local;
    watched->faults.had_depth |= message->kind == EVENT_depth;
    return market->engine ? 0 : apply_to_own(market, index, message, error);
}

static void lose(struct market_faults *market, unsigned index, int64_t ts_local)
{
    struct watched *watched = &market->instruments[index];
    tape_faults_lose(&watched->faults, ts_local);
    if (watched->own)
        book_clear(watched->own);
}

/* --- what is told -------------------------------------------------------------------------------- */

/* A gap of no instrument: what a recovery could not bring onto the tape. */
static void take_recovery(struct market_faults *market, const struct event_gap *gap)
{
    if (gap->cause == GAP_NOT_WRITTEN) {
        market->unwritten += gap->expected;
        return;
    }
    market->recoveries++;
    market->entries_lost += gap->expected;
}

static void take_gap(struct market_faults *market, const struct message *message)
{
    const struct event_gap *gap = &message->record->gap;
    unsigned channel = message->stream == EVENT_NONE_16 ? (unsigned)CHANNEL_DEPTH
                                                        : EVENT_STREAM_CHANNEL(message->stream);
    if (gap->instrument >= market->count) {
        take_recovery(market, gap);
        return;
    }
    settle_as(market, gap->instrument, gap->cause == GAP_CROSSED);
    struct watched *watched = &market->instruments[gap->instrument];
    tape_faults_gap(&watched->faults, gap, channel, message->ts_local);
    if (watched->faults.book == TAPE_BOOK_LOST && watched->own)
        book_clear(watched->own);
}

/* The last message about an instrument of a venue. */
static int64_t last_of_venue(const struct market_faults *market, unsigned venue)
{
    int64_t last = INT64_MIN;
    for (unsigned i = 0; i < market->count; i++)
        if (market->names->definitions[i].venue == venue && market->instruments[i].last_ts > last)
            last = market->instruments[i].last_ts;
    return last;
}

/* A connection that begins while books are whole followed one whose end nobody told: the session died, or was over.
 * Since its last message nothing is known. */
static void take_connection(struct market_faults *market, const struct message *message)
{
    const struct event_feed_connection *told = &message->record->feed_connection;
    int64_t since = told->connected ? last_of_venue(market, told->venue) : message->ts_local;
    since = since < market->first_ts ? market->first_ts : since;
    for (unsigned i = 0; i < market->count; i++) {
        struct watched *watched = &market->instruments[i];
        if (market->names->definitions[i].venue != told->venue)
            continue;
        settle(market, i);
        watched->faults.connections += watched->faults.book == TAPE_BOOK_WHOLE;
        lose(market, i, since);
    }
}

static void take_definition(struct market_faults *market, const struct event_definition *told)
{
    if (told->instrument >= market->count)
        return;
    settle(market, told->instrument);
    if (!event_definition_may_follow(&market->names->definitions[told->instrument], told))
        lose(market, told->instrument, market->last_ts);
}

static void take_jump(struct market_faults *market, int64_t jump)
{
    int64_t far = jump >= 0 ? jump : jump == INT64_MIN ? INT64_MAX : -jump;
    market->jumps++;
    market->farthest = far > market->farthest ? far : market->farthest;
}

/* Books that the engine has already because its session goes on: the tape before told them, and this one need not. */
static void take_books_kept(struct market_faults *market, const struct event_start *start,
                            int64_t ts_local)
{
    if (!market->engine || !engine_goes_on(market->engine, start))
        return;
    for (unsigned i = 0; i < market->count; i++) {
        struct tape_faults *faults = &market->instruments[i].faults;
        const struct book *book = engine_book(market->engine, i);
        if (faults->book == TAPE_BOOK_NONE && book && book_is_synchronised(book))
            tape_faults_book(faults, true, is_crossed(book), ts_local);
    }
}

/* The run begins: what was before it only built books. */
static void take_start(struct market_faults *market, const struct event_start *start,
                       int64_t ts_local)
{
    settle_all(market);
    if (market->started)
        return;
    market->started = true;
    market->first_ts = ts_local;
    market->jumps = market->recoveries = market->entries_lost = market->unwritten = 0;
    market->farthest = 0;
    take_books_kept(market, start, ts_local);
    for (unsigned i = 0; i < market->count; i++)
        tape_faults_begin(&market->instruments[i].faults, ts_local);
}

static void take_record(struct market_faults *market, const struct message *message)
{
    switch ((int)message->kind) {
    case EVENT_gap:
        take_gap(market, message);
        break;
    case EVENT_feed_connection:
        take_connection(market, message);
        break;
    case EVENT_definition:
        take_definition(market, &message->record->definition);
        break;
    case EVENT_start:
        take_start(market, &message->record->start, message->ts_local);
        break;
    case EVENT_clock_jump:
        take_jump(market, message->record->clock_jump.jump);
        break;
    default:
        break;
    }
}

static bool is_of_market(const struct message *message)
{
    return message->kind < EVENT_start;
}

/* What may tell more than that there was a message. Apart, so that best prices, which most messages are, pass by. */
__attribute__((noinline)) static int take_more(struct market_faults *market, unsigned index,
                                               const struct message *message, struct error *error)
{
    int code = 0;
    if (message->record)
        take_record(market, message);
    if (!is_of_market(message) || index >= market->count)
        return 0;
    struct watched *watched = &market->instruments[index];
    tape_faults_time(&watched->faults, message);
    watched->faults.without_value += message->kind == EVENT_source_text;
    if (message->kind == EVENT_depth || message->kind == EVENT_snapshot)
        code = take_book(market, index, message, error);
    watched->last_ts = message->ts_local;
    return code;
}

int market_faults_take(struct market_faults *market, const struct message *message,
                       struct error *error)
{
    const unsigned index = EVENT_STREAM_INSTRUMENT(message->stream);
    if (message->kind >= EVENT_place)
        return 0; /* a decision, on a tape that is read */
    if (!market->any)
        market->first_ts = message->ts_local;
    market->any = true;
    market->last_ts = message->ts_local;
    market->frame += !market->within_frame;
    market->within_frame = (message->flags & MESSAGE_MORE) != 0;
    if (message->kind != EVENT_top || index >= market->count)
        return take_more(market, index, message, error);
    market->instruments[index].last_ts = message->ts_local;
    return 0;
}

static int on_message(struct sink *sink, const struct message *message, struct error *error)
{
    return market_faults_take((struct market_faults *)sink, message, error);
}

struct sink *market_faults_sink(struct market_faults *market)
{
    return &market->sink;
}

/* --- what it comes to ---------------------------------------------------------------------------- */

static void add_of_tape(const struct market_faults *market, struct tape_reasons *reasons)
{
    if (market->recoveries > 0)
        tape_reasons_add(reasons, TAPE_GRADE_D, "tape", "its end was lost",
                         "its end was lost at %llu recover%s, %llu entries of journals in all",
                         (unsigned long long)market->recoveries,
                         market->recoveries == 1 ? "y" : "ies",
                         (unsigned long long)market->entries_lost);
    if (market->unwritten > 0)
        tape_reasons_add(reasons, TAPE_GRADE_B, "tape", "left without being written",
                         "%llu cancels left without being written",
                         (unsigned long long)market->unwritten);
}

void market_faults_reasons(struct market_faults *market, uint64_t jumps, int64_t farthest_ns,
                           struct tape_reasons *reasons)
{
    char name[EVENT_INSTRUMENT_NAME_MAX];
    if (!market->any)
        return;
    settle_all(market);
    for (unsigned i = 0; i < market->count; i++) {
        event_instrument_name(market->names, i, name);
        tape_faults_end(&market->instruments[i].faults, market->last_ts);
        tape_reasons_of_instrument(reasons, name, &market->instruments[i].faults, market->first_ts,
                                   market->last_ts);
    }
    tape_reasons_of_clock(reasons, market->jumps + jumps,
                          farthest_ns > market->farthest ? farthest_ns : market->farthest);
    add_of_tape(market, reasons);
}

int market_faults_open(struct market_faults **out, const struct event_names *names,
                       const struct engine *engine, struct error *error)
{
    struct market_faults *market = calloc(1, sizeof *market);
    if (market)
        market->instruments = calloc(names->instrument_count + 1u, sizeof *market->instruments);
    if (!market || !market->instruments) {
        free(market);
        return error_set(error, ERROR_SYSTEM, "no memory to grade a tape");
    }
    market->sink = (struct sink){.market = true, .message = on_message};
    market->names = names;
    market->count = names->instrument_count;
    market->engine = engine;
    for (unsigned i = 0; i < names->instrument_count; i++)
        market->instruments[i].last_ts = INT64_MIN;
    *out = market;
    return 0;
}

void market_faults_close(struct market_faults **out)
{
    struct market_faults *market = *out;
    *out = NULL;
    if (!market)
        return;
    for (unsigned i = 0; i < market->count; i++)
        free(market->instruments[i].own);
    free(market->instruments);
    free(market);
}
