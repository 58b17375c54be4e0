/* An exact L2 book of one instrument: two sides of price levels, best first.
 *
 * Layout: each side is a flat window of quantities around its best price, 0 where there is no level, and
 * an open-addressing table for levels outside the window. Keys are price units, mirrored for bids so that
 * lower is better on both sides. Used by the engine and, as a book of its own, by the simulated venue.
 * Pure: no allocation, no I/O. */
#ifndef CAPSTAN_ENGINE_BOOK_H
#define CAPSTAN_ENGINE_BOOK_H

#include "event/event.h"

struct book;

/* The highest price that book_apply takes: what is above is no market's price in its unit. */
#define BOOK_PRICE_MAX EVENT_PRICE_MAX

/* A level of one side. */
struct book_level {
    int64_t price;    /* price units */
    int64_t quantity; /* quantity units, > 0 */
};

/* What stands at the beginning of a book, in one line of the cache: what is asked of it after each message.
 * Only the functions below read it. */
struct book_head {
    uint64_t sequence;
    int64_t ts_local;
    uint64_t removed_numbers;
    bool synchronised;
    struct book_level best[2]; /* by enum side; quantity 0: the side is empty */
};

static inline const struct book_head *book_head(const struct book *book)
{
    return (const struct book_head *)book;
}

/* Bytes for a book that can hold `far_levels` levels a side outside its windows (rounded up to a power
 * of two). */
size_t book_size(unsigned far_levels);
/* Lay an empty, unsynchronised book out in `memory` (aligned to 64). */
struct book *book_init(void *memory, size_t size, unsigned far_levels);
/* Forget all levels; the book is unsynchronised until a snapshot. */
void book_clear(struct book *book);
/* Take one depth or snapshot message. A snapshot replaces everything and synchronises. Levels
 * whose price or quantity is not NUMBER_VALUE, price <= 0 or above BOOK_PRICE_MAX, or quantity < 0 are left out
 * and counted.
 * False where a table was full: the book is then cleared and unsynchronised. */
bool book_apply(struct book *book, const struct message *message);
/* Set one level (quantity 0 removes it), of a price up to BOOK_PRICE_MAX. False where the table is
 * full. */
bool book_set(struct book *book, enum side side, int64_t price, int64_t quantity);

static inline bool book_is_synchronised(const struct book *book)
{
    return book_head(book)->synchronised;
}
void book_set_synchronised(struct book *book, bool synchronised);
/* What the last message applied said of the whole book, where the levels were told otherwise. */
void book_set_head(struct book *book, uint64_t sequence, int64_t ts_local, bool synchronised);
/* Of the last message applied. */
static inline uint64_t book_sequence(const struct book *book)
{
    return book_head(book)->sequence;
}
/* Likewise. */
static inline int64_t book_ts_local(const struct book *book)
{
    return book_head(book)->ts_local;
}
static inline uint64_t book_removed_numbers(const struct book *book)
{
    return book_head(book)->removed_numbers;
}
size_t book_level_count(const struct book *book, enum side side);

/* Best level, O(1). False where the side is empty; then `level` stays as it was. */
static inline bool book_best(const struct book *book, enum side side, struct book_level *level)
{
    const struct book_level *best = &book_head(book)->best[side];
    if (best->quantity == 0)
        return false;
    *level = *best;
    return true;
}
/* Quantity shown at a price, 0 where there is none. */
int64_t book_quantity(const struct book *book, enum side side, int64_t price);
/* Quantity shown at `price` or better (int64 saturating). */
int64_t book_quantity_to(const struct book *book, enum side side, int64_t price);
/* The level after `price` going away from the best; start with book_best. False at the end. */
bool book_next(const struct book *book, enum side side, int64_t price, struct book_level *level);
/* The `capacity` best levels, best first. Returns how many. */
size_t book_levels(const struct book *book, enum side side, struct book_level *levels,
                   size_t capacity);
/* Call `visit` with each level of one side, in no order that means anything. */
typedef void (*book_visit)(void *context, int64_t price, int64_t quantity);
void book_each(const struct book *book, enum side side, book_visit visit, void *context);
/* Order-independent hash of all levels of both sides, sequence and state. */
uint64_t book_hash(const struct book *book);
/* Largest number of far levels a side has held (for the error that a full table makes). */
size_t book_far_levels_peak(const struct book *book);

#endif
