/* See retold.h. */
#include "config.h"

#include "live/retold.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/book.h"
#include "run/told_book.h"

/* Levels a side of an own book outside its window; where a market has more its book is not whole. */
enum { FAR_LEVELS = 16384, BOOK_ALIGNMENT = 64 };

/* The newest record of a kind and what it is about. */
struct kept {
    uint8_t kind;
    uint32_t about;
    struct message message;
    union event_record record;
};

struct retold {
    unsigned instrument_count;
    struct kept *kept; /* in the order in which they first came */
    size_t kept_count, kept_capacity;
    struct told_book *told; /* by instrument */
    struct book **books;    /* the own ones; NULL: none */
    const struct event_definition *definitions;
    struct message *messages; /* all that is told */
};

static int open_books(struct retold *retold, struct error *error)
{
    size_t size = (book_size(FAR_LEVELS) + BOOK_ALIGNMENT - 1) / BOOK_ALIGNMENT * BOOK_ALIGNMENT;
    retold->books = calloc(retold->instrument_count + 1u, sizeof *retold->books);
    for (unsigned i = 0; retold->books && i < retold->instrument_count; i++) {
        void *memory = aligned_alloc(BOOK_ALIGNMENT, size);
        if (!memory)
            return error_set(error, ERROR_SYSTEM, "no memory for books");
        retold->books[i] = book_init(memory, size, FAR_LEVELS);
    }
    return retold->books ? 0 : error_set(error, ERROR_SYSTEM, "no memory for books");
}

int retold_open(struct retold **out, const struct event_names *names, bool own_books,
                struct error *error)
{
    struct retold *retold = calloc(1, sizeof *retold);
    if (retold)
        retold->told = calloc(names->instrument_count + 1u, sizeof *retold->told);
    *out = retold;
    if (!retold || !retold->told)
        return error_set(error, ERROR_SYSTEM, "no memory to tell a market again");
    retold->instrument_count = names->instrument_count;
    retold->definitions = names->definitions;
    return own_books ? open_books(retold, error) : 0;
}

void retold_close(struct retold **out)
{
    struct retold *retold = *out;
    *out = NULL;
    if (!retold)
        return;
    for (unsigned i = 0; retold->told && i < retold->instrument_count; i++)
        told_book_free(&retold->told[i]);
    for (unsigned i = 0; retold->books && i < retold->instrument_count; i++)
        free(retold->books[i]);
    free(retold->books);
    free(retold->told);
    free(retold->messages);
    free(retold->kept);
    free(retold);
}

/* --- keeping -------------------------------------------------------------------------------------------- */

static uint32_t about(const struct message *message)
{
    const struct event_reference_rate *rate = &message->record->reference_rate;
    if (message->kind == EVENT_reference_rate)
        return (uint32_t)rate->from << 16 | rate->to;
    if (message->kind == EVENT_orders_stream)
        return message->record->orders_stream.venue;
    return message->record->mark.instrument; /* it stands first in the others */
}

static struct kept *find(struct retold *retold, uint8_t kind, uint32_t of)
{
    for (size_t i = 0; i < retold->kept_count; i++)
        if (retold->kept[i].kind == kind && retold->kept[i].about == of)
            return &retold->kept[i];
    return NULL;
}

static struct kept *add(struct retold *retold)
{
    if (retold->kept_count == retold->kept_capacity) {
        size_t capacity = 2 * retold->kept_capacity + 64;
        struct kept *kept = realloc(retold->kept, capacity * sizeof *kept);
        if (!kept)
            return NULL;
        retold->kept = kept;
        retold->kept_capacity = capacity;
    }
    return &retold->kept[retold->kept_count++];
}

int retold_keep(struct retold *retold, const struct message *message, struct error *error)
{
    ASSERT(retold_keeps(message->kind));
    struct kept *kept = find(retold, message->kind, about(message));
    if (!kept)
        kept = add(retold);
    if (!kept)
        return error_set(error, ERROR_SYSTEM, "no memory to keep what a venue told");
    *kept = (struct kept){.kind = message->kind,
                          .about = about(message),
                          .message = *message,
                          .record = *message->record};
    kept->message.flags &= (uint8_t)~MESSAGE_MORE;
    return 0;
}

/* --- own books ------------------------------------------------------------------------------------------ */

/* A gap of trades or best prices is none of the book. */
static bool is_of_book(const struct message *message)
{
    unsigned channel = EVENT_STREAM_CHANNEL(message->stream);
    return message->stream == EVENT_NONE_16 || (channel != CHANNEL_TRADE && channel != CHANNEL_TOP);
}

static void lose_venue(struct retold *retold, unsigned venue)
{
    for (unsigned i = 0; i < retold->instrument_count; i++)
        if (retold->definitions[i].venue == venue)
            book_clear(retold->books[i]);
}

void retold_follow(struct retold *retold, const struct message *message)
{
    unsigned instrument = EVENT_STREAM_INSTRUMENT(message->stream);
    if (!retold->books)
        return;
    bool has_book = message->stream != EVENT_NONE_16 && instrument < retold->instrument_count;
    if ((message->kind == EVENT_depth || message->kind == EVENT_snapshot) && has_book)
        (void)book_apply(retold->books[instrument], message); /* too full: it is not whole */
    else if (message->kind == EVENT_gap && is_of_book(message) &&
             message->record->gap.instrument < retold->instrument_count)
        book_clear(retold->books[message->record->gap.instrument]);
    else if (message->kind == EVENT_feed_connection && !message->record->feed_connection.connected)
        lose_venue(retold, message->record->feed_connection.venue);
}

/* --- telling -------------------------------------------------------------------------------------------- */

static int make_room(struct retold *retold, struct error *error)
{
    size_t most = retold->kept_count + retold->instrument_count + 1;
    struct message *messages = realloc(retold->messages, most * sizeof *messages);
    if (!messages)
        return error_set(error, ERROR_SYSTEM, "no memory to tell a market again");
    retold->messages = messages;
    return 0;
}

int retold_tell(struct retold *retold, const struct engine *engine, struct retold_market *market,
                struct error *error)
{
    if (make_room(retold, error))
        return error->code;
    *market = (struct retold_market){.messages = retold->messages, .whole = true};
    for (size_t i = 0; i < retold->kept_count; i++) {
        struct message *message = &retold->messages[market->count++];
        *message = retold->kept[i].message;
        message->record = &retold->kept[i].record;
    }
    for (unsigned i = 0; i < retold->instrument_count; i++) {
        const struct book *book = engine ? engine_book(engine, i) : retold->books[i];
        struct told_book *told = &retold->told[i];
        market->whole = market->whole && book_is_synchronised(book);
        if (!engine && !book_is_synchronised(book))
            continue; /* the venue will tell it */
        if (told_book_make(told, book, i, error))
            return error->code;
        if (told->rows)
            retold->messages[market->count++] = told->message;
    }
    return 0;
}
