/* A tape that grows while a session writes it: an engine's thread puts messages into a journal, a thread of the
 * tape makes blocks of them (docs/tape-format.md, "Written live"). */
#ifndef CAPSTAN_TAPE_APPENDER_H
#define CAPSTAN_TAPE_APPENDER_H

#include "tape/tape.h"

/* What was found where a session had been killed, and what became of it. */
struct tape_recovery {
    bool made;             /* there was no tape: a new one was begun */
    bool was_finished;     /* index and end mark were there and have been cut off */
    uint64_t blocks;       /* good blocks that stood there */
    uint64_t torn_bytes;   /* cut off behind the last of them, index and end mark apart */
    uint64_t journals;     /* blocks that were made of journals */
    uint64_t messages;     /* in them */
    uint64_t lost_entries; /* entries of journals that are not whole or don't follow the tape */
    uint64_t lost_bytes;   /* of them, as far as that can be told */
    uint64_t unwritten;    /* cancels that left without being written */
    int64_t last_ts;       /* ts_local of the last message of the tape now; INT64_MIN: none */
};

#endif
