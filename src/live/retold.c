/* See retold.h. */
#include "config.h"

#include "live/retold.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/book.h"

/* The newest record of a kind and what it is about. */
struct kept {
    uint8_t kind;
    uint32_t about;
    struct message message;
    union event_record record;
};

/* A book as it stood. */
struct shown {
    struct row *rows; /* NULL: it was not whole */
    uint32_t count;
    uint64_t sequence;
};

struct retold {
    unsigned instrument_count;
    struct kept *kept; /* in the order in which they first came */
    size_t kept_count, kept_capacity;
    struct shown *books; /* by instrument */
    bool telling;
    size_t next; /* of the kept, then of the books */
    struct message message;
};

int retold_open(struct retold **out, const struct event_names *names, struct error *error)
{
    struct retold *retold = calloc(1, sizeof *retold);
    if (retold)
        retold->books = calloc(names->instrument_count + 1u, sizeof *retold->books);
    *out = retold;
    if (!retold || !retold->books) {
        retold_close(out);
        return error_set(error, ERROR_SYSTEM, "no memory to tell a market again");
    }
    retold->instrument_count = names->instrument_count;
    return 0;
}

static void forget_books(struct retold *retold)
{
    for (unsigned i = 0; i < retold->instrument_count; i++) {
        free(retold->books[i].rows);
        retold->books[i] = (struct shown){.rows = NULL};
    }
}

void retold_close(struct retold **out)
{
    struct retold *retold = *out;
    *out = NULL;
    if (!retold)
        return;
    if (retold->books)
        forget_books(retold);
    free(retold->books);
    free(retold->kept);
    free(retold);
}

/* --- keeping -------------------------------------------------------------------------------------------- */

static uint32_t about(const struct message *message)
{
    const struct event_reference_rate *rate = &message->record->reference_rate;
    if (message->kind == EVENT_reference_rate)
        return (uint32_t)rate->from << 16 | rate->to;
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

/* --- telling -------------------------------------------------------------------------------------------- */

/* Levels of one side, best first. */
static uint32_t put_side(const struct book *book, enum side side, struct row *rows)
{
    struct book_level level;
    uint32_t count = 0;
    for (bool more = book_best(book, side, &level); more;
         more = book_next(book, side, level.price, &level))
        rows[count++] =
            (struct row){.price = level.price,
                         .quantity = level.quantity,
                         .flags = ROW_FROM_SNAPSHOT | (side == SIDE_SELL ? ROW_SELL : 0)};
    return count;
}

static int copy_book(struct shown *shown, const struct book *book, struct error *error)
{
    size_t levels = book_level_count(book, SIDE_BUY) + book_level_count(book, SIDE_SELL);
    if (!book_is_synchronised(book) || levels == 0 || levels > EVENT_ROWS_MAX)
        return 0;
    shown->rows = malloc(levels * sizeof *shown->rows);
    if (!shown->rows)
        return error_set(error, ERROR_SYSTEM, "no memory to tell a book again");
    shown->count = put_side(book, SIDE_BUY, shown->rows);
    shown->count += put_side(book, SIDE_SELL, shown->rows + shown->count);
    ASSERT(shown->count == levels);
    shown->rows[levels - 1].flags |= ROW_LAST;
    shown->sequence = book_sequence(book);
    return 0;
}

int retold_begin(struct retold *retold, const struct engine *engine, struct error *error)
{
    forget_books(retold);
    retold->next = 0;
    for (unsigned i = 0; engine && i < retold->instrument_count; i++)
        if (copy_book(&retold->books[i], engine_book(engine, i), error))
            return error->code;
    retold->telling = true;
    return 0;
}

static const struct message *tell_kept(struct retold *retold, int64_t now)
{
    const struct kept *kept = &retold->kept[retold->next++];
    retold->message = kept->message;
    retold->message.ts_local = now;
    retold->message.record = &kept->record;
    return &retold->message;
}

const struct message *retold_next(struct retold *retold, int64_t now)
{
    if (!retold->telling)
        return NULL;
    if (retold->next < retold->kept_count)
        return tell_kept(retold, now);
    while (retold->next - retold->kept_count < retold->instrument_count) {
        size_t instrument = retold->next++ - retold->kept_count;
        const struct shown *shown = &retold->books[instrument];
        if (!shown->rows)
            continue;
        retold->message = (struct message){.ts_local = now,
                                           .sequence = shown->sequence,
                                           .stream = EVENT_STREAM(instrument, CHANNEL_DEPTH),
                                           .kind = EVENT_snapshot,
                                           .row_count = shown->count,
                                           .rows = shown->rows};
        return &retold->message;
    }
    retold->telling = false;
    forget_books(retold);
    return NULL;
}
