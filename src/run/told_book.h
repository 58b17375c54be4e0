/* A book as the messages that make the same one: for tapes that follow another, and for engines that begin where another
 * stands. */
#ifndef CAPSTAN_RUN_TOLD_BOOK_H
#define CAPSTAN_RUN_TOLD_BOOK_H

#include "base/error.h"
#include "engine/book.h"
#include "event/event.h"

/* Zero it before, free it after. */
struct told_book {
    struct row *rows;
    struct message
        message; /* a snapshot, or of a book that is not synchronised a depth; without ts_local */
};

/* Nothing where the book has no level: `rows` is NULL then. ERROR_SYSTEM without memory; ERROR_INPUT where it has more
 * levels than a message can hold. */
int told_book_make(struct told_book *told, const struct book *book, unsigned instrument,
                   struct error *error);
void told_book_free(struct told_book *told);

#endif
