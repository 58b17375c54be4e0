/* See run/told_book.h. */
#include "run/told_book.h"

#include <stdlib.h>

#include "base/assert.h"

/* Levels of one side, best first, so that a book in which they are set one after the other need not move. */
static uint32_t put_side(const struct book *book, enum side side, uint8_t flags,
                         struct book_level *levels, struct row *rows)
{
    size_t count = book_levels(book, side, levels, EVENT_ROWS_MAX);
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct row){.price = levels[i].price,
                               .quantity = levels[i].quantity,
                               .flags = (uint8_t)(flags | side)};
    return (uint32_t)count;
}

int told_book_make(struct told_book *told, const struct book *book, unsigned instrument,
                   struct error *error)
{
    _Static_assert((int)SIDE_SELL == (int)ROW_SELL && (int)SIDE_BUY == 0, "a side is a row's flag");
    size_t levels = book_level_count(book, SIDE_BUY) + book_level_count(book, SIDE_SELL);
    bool whole = book_is_synchronised(book);
    uint8_t flags = whole ? ROW_FROM_SNAPSHOT : 0;
    told_book_free(told);
    if (levels == 0)
        return 0;
    if (levels > EVENT_ROWS_MAX)
        return error_set(error, ERROR_INPUT, "a book of %zu levels: expected at most %d", levels,
                         EVENT_ROWS_MAX);
    struct book_level *side = malloc(levels * sizeof *side);
    told->rows = malloc(levels * sizeof *told->rows);
    if (side == NULL || told->rows == NULL) {
        free(side);
        told_book_free(told);
        return error_set(error, ERROR_SYSTEM, "no memory to tell a book again");
    }
    uint32_t count = put_side(book, SIDE_BUY, flags, side, told->rows);
    count += put_side(book, SIDE_SELL, flags, side, told->rows + count);
    free(side);
    ASSERT(count == levels);
    told->rows[levels - 1].flags |= ROW_LAST;
    told->message = (struct message){.sequence = book_sequence(book),
                                     .stream = EVENT_STREAM(instrument, CHANNEL_DEPTH),
                                     .kind = whole ? EVENT_snapshot : EVENT_depth,
                                     .row_count = count,
                                     .rows = told->rows};
    return 0;
}

void told_book_free(struct told_book *told)
{
    free(told->rows);
    told->rows = NULL;
}
