/* A tape that grows while a session writes it: the engine's thread puts messages into a journal, a thread of the
 * tape makes blocks of them (docs/tape-format.md, "Written live"). */
#ifndef CAPSTAN_TAPE_APPENDER_H
#define CAPSTAN_TAPE_APPENDER_H

#include "tape/tape.h"

/* What was found where a session had been killed, and what became of it. */
struct tape_recovery {
    bool made;             /* there was no tape: a new one was begun */
    bool was_finished;     /* index and end mark were there and have been cut off */
    uint64_t blocks;       /* good blocks of messages that stood there */
    uint64_t torn_bytes;   /* cut off behind the last of them, where that is not just the index */
    uint64_t journals;     /* blocks that were made of journals */
    uint64_t messages;     /* in them */
    uint64_t lost_entries; /* entries of journals that are not whole, or don't follow the tape */
    uint64_t lost_bytes;   /* of them, as far as that can be told */
    uint64_t unwritten;    /* cancels that left without being written */
    int64_t last_ts;       /* ts_local of the last message of the tape now; INT64_MIN: none */
};

/* Bring a tape that nobody writes to its last whole message: what stands in journals beside it becomes blocks, a torn
 * end is cut off; what was lost is counted and stands on the tape as a `gap` without instrument, of cause `damage` or,
 * for cancels that left unwritten, `not_written`. The tape stays unfinished, to be gone on with; its journals are
 * removed. Done again it changes nothing; killed, it can be done again. ERROR_INPUT where the tape is damaged in
 * the middle (it is left alone), or another process writes it. */
int tape_recover(const char *path, struct tape_recovery *recovery, struct error *error);

struct tape_appender;

enum { TAPE_APPENDER_EVENTS_MAX = TAPE_BLOCK_EVENTS_DEFAULT }; /* more would leave no reserve */

struct tape_appender_options {
    struct tape_writer_options writer; /* blocks of at most TAPE_APPENDER_EVENTS_MAX events */
    int64_t sync_every;                /* ns between two fdatasync; 0: after each block */
};

/* Lock and recover the tape at `path`, or make one with `header`, and begin to append. All memory is taken here, the
 * journals are made, and the tape's thread begins. */
int tape_appender_open(struct tape_appender **appender, const char *path,
                       const struct tape_header *header,
                       const struct tape_appender_options *options, struct tape_recovery *recovery,
                       struct error *error);
/* The header that stands on the tape. */
const struct tape_header *tape_appender_header(const struct tape_appender *appender);

/* --- on the engine's thread: no allocation, no lock, no system call ----------------------------------- */

/* What the tape can take. */
enum tape_appender_state {
    TAPE_WRITABLE, /* everything */
    TAPE_RESERVE,  /* not writable: session messages, gaps, decisions */
    TAPE_SHUT      /* decisions, as long as there is room */
};
enum tape_appender_state tape_appender_state(const struct tape_appender *appender);

/* Number of the open block, and whether it has no messages yet. */
uint64_t tape_appender_block(const struct tape_appender *appender);
bool tape_appender_is_empty(const struct tape_appender *appender);
/* Whether a message at `ts_local` that is no decision is to begin a new block: the open one is full, or a second old,
 * and the tape's thread has emptied the other journal. Then give state hashes, tape_appender_seal(), and append. */
bool tape_appender_is_due(const struct tape_appender *appender, int64_t ts_local);
/* The open block, which has messages, is whole: the next begins. Only where that is due. */
void tape_appender_seal(struct tape_appender *appender);
/* State hashes that stand with the open block, which has messages and is sealed next. At most TAPE_STATE_HASHES_MAX in a block. */
void tape_appender_state_hashes(struct tape_appender *appender,
                                const struct tape_state_hash *hashes, size_t count);
/* Whether the tape is to be given this message: market data but gaps only while it is writable, other messages only
 * where decisions of theirs would find room, decisions as long as there is any. */
bool tape_appender_takes(const struct tape_appender *appender, const struct message *message);
/* Append a message to the open block. When this returns 0, no death of the process loses it. ERROR_INPUT where a
 * tape can't carry it; ERROR_SYSTEM where the journal has no room, which is after tape_appender_takes() said so. */
int tape_appender_append(struct tape_appender *appender, const struct message *message,
                         struct error *error);
/* `count` cancels left that could not be appended; survives as messages do. */
void tape_appender_unwritten(struct tape_appender *appender, uint64_t count);
/* Nothing can be written any more, whatever happens: see tape_appender_trouble(). */
bool tape_appender_has_failed(const struct tape_appender *appender);

/* --- on the engine's thread, where it may wait ---------------------------------------------------------- */

/* What ails the tape's thread; false where that was told before, or nothing does. ERROR_NONE: no more. */
bool tape_appender_trouble(struct tape_appender *appender, struct error *trouble);
/* Wait until the tape's thread has emptied the other journal, so that the open block may be sealed. ERROR_SYSTEM where
 * it is in trouble. */
int tape_appender_wait(struct tape_appender *appender, struct error *error);
/* Seal the open block, if it has messages, and wait until all is on the disk. ERROR_SYSTEM where it can't be. */
int tape_appender_sync(struct tape_appender *appender, struct error *error);
/* After tape_appender_sync(), before anything else is appended: how many messages are on the tape, and their hash. */
uint64_t tape_appender_identity(const struct tape_appender *appender,
                                uint8_t identity[TAPE_IDENTITY_BYTES]);
/* ts_local of the last message appended; INT64_MIN: none. */
int64_t tape_appender_last_ts(const struct tape_appender *appender);
/* What the names and texts of its header stand in becomes the caller's, to free() after the appender; NULL where it is
 * so already. */
void *tape_appender_keep_header(struct tape_appender *appender);
/* Seal, write index and end mark, bring it to the disk, remove the journals, unlock. Frees it, also on
 * failure; then the journals stay. */
int tape_appender_finish(struct tape_appender **appender, struct error *error);
/* Stop the thread and close, as if the process died here. Frees it. NULL is allowed. */
void tape_appender_abandon(struct tape_appender **appender);

#endif
