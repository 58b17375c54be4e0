/* What a tape told once and holds until it is told anew: who begins in the middle of a tape has to know it. */
#ifndef CAPSTAN_TAPE_STANDING_H
#define CAPSTAN_TAPE_STANDING_H

#include "tape/tape.h"

/* Records of the market and each venue's orders stream, the newest of its kind and what it is about, in the order
 * in which they stand on the tape. */
struct tape_standing {
    struct message *messages; /* their records are those below; none has `more` */
    union event_record *records;
    size_t count;
};

/* Whether a kind is such a record. */
static inline bool tape_stands(unsigned kind)
{
    return (kind >= EVENT_definition && kind <= EVENT_open_interest) || kind == EVENT_orders_stream;
}

/* What stands at the beginning of block `first` (an index): reads those of the blocks before it that have records.
 * Free it with tape_standing_free(), also after an error. */
int tape_standing_read(struct tape_standing *standing, struct tape_reader *reader, size_t first,
                       struct error *error);
/* Gives the memory back; may be called on zeroed ones. */
void tape_standing_free(struct tape_standing *standing);

#endif
