/* Reading a whole tape and verifying it, for check, repair and recovery. */
#ifndef CAPSTAN_TAPE_CHECK_H
#define CAPSTAN_TAPE_CHECK_H

#include "tape/reader.h"
#include "tape/snapshots.h"

/* What is counted on the way through the good blocks of a tape. */
struct tape_passage {
    struct tape_identity identity;
    struct tape_snapshots snapshots;
    struct tape_block block;
    const struct tape_visitor *visitor; /* NULL: none */
};

/* As tape_check(), with a reader that was opened to hop. `passage` tells of the good blocks also after a failure;
 * close it in any case. `visitor`: NULL is allowed. */
int tape_check_reader(struct tape_reader *reader, struct tape_check *check,
                      const struct tape_visitor *visitor, struct tape_passage *passage,
                      struct error *error);
void tape_passage_close(struct tape_passage *passage);

/* Whether the damage that a check found can be cut off: ERROR_INPUT where the tape goes on behind it,
 * for then it is not a torn end. */
int tape_check_torn(const struct tape_reader *reader, const struct tape_check *check,
                    const struct error *damage, struct error *error);

/* Whether all blocks that were ever written are among the good ones: an index of as many begins behind
 * them, or an end mark tells of the last of them. */
bool tape_check_is_complete(const struct tape_reader *reader, const struct tape_check *check);

#endif
