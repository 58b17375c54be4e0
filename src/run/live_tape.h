/* The tape of a live session: recovered and folded at the start, then written message by message, each before
 * the engine is given it and each decision before it leaves (docs/tape-format.md, "Written live"). */
#ifndef CAPSTAN_RUN_LIVE_TAPE_H
#define CAPSTAN_RUN_LIVE_TAPE_H

#include "loop.h"
#include "run/fold.h"
#include "run/rotation.h"
#include "tape/appender.h"
#include "tape/tape.h"

/* How a session that writes a tape goes, all on the engine's thread:
 *
 *   live_tape_open        lock, recover what a killed session left, begin to append
 *   live_tape_fold        into a fresh engine: what the sessions before left to this one
 *   live_tape_sink        a sink of the loop, which is given the start, of an epoch above fold.epoch, at
 *                         max(wall clock, fold.last_ts + 1). The sink brings a start to the disk before it returns: no id
 *                         of its epoch leaves before
 *   …                     before each message: live_tape_takes()
 *   live_tape_rotate      between two sessions, and another start
 *   live_tape_finish      after the last decision: index and end mark
 *
 * `record` has no engine and does the same without fold. */
struct live_tape;

struct live_tape_options {
    const char *path;
    /* What a new tape begins with, of origin TAPE_RECORDED. Where there is a tape at `path` already, its names, units, feed floor, seed and
     * effective configuration must be these, else ERROR_INPUT tells what differs and to begin a new tape. (What may
     * change of a definition, as tick, lot and fees, is told by a `definition` message after the start.) */
    const struct tape_header
        *header;           /* what it points to must outlive a rotation: the next tape has it too */
    int64_t sync_every;    /* ns between two fdatasync: setting tape.sync_every */
    unsigned block_events; /* 0: TAPE_BLOCK_EVENTS_DEFAULT */
    int level;             /* of zstd; 0: TAPE_LEVEL_DEFAULT */
};

/* Lock the tape (ERROR_INPUT where another process has it), recover it (`recovered`: what was found and what
 * was lost, for the log), and begin to append; makes it where there is none. All memory of the session is taken
 * here, and the tape's thread begins. */
int live_tape_open(struct live_tape **live, const struct live_tape_options *options,
                   struct tape_recovery *recovered, struct error *error);

/* Give every session and decision record of the tape to engine_fold(), in order (run/fold.h): what the sessions before
 * left to this one. Before anything is appended. The engine must be fresh, and of the tape's names and configuration. */
int live_tape_fold(struct live_tape *live, struct run_engine *run, struct fold *fold,
                   struct error *error);

/* The steps of a rotation, in order; a death between two of them loses nothing. */
enum live_tape_step {
    LIVE_TAPE_SYNCED,  /* all of the tape is on the disk */
    LIVE_TAPE_WRITTEN, /* the next one is, with its name */
    LIVE_TAPE_OPENED,  /* and has journals */
    LIVE_TAPE_FINISHED /* the one before has its end */
};

struct live_tape_rotation {
    const char *path;                /* of the next tape; nothing is there */
    uint64_t number;                 /* of it in its chain */
    uint64_t epoch;                  /* the last that began */
    const struct run_engine *engine; /* whose carry goes along; NULL: none (`record`) */
    bool warm;                       /* see struct rotation_next */
    const struct message *market;    /* likewise */
    size_t market_count;
    void (*passed)(void *context, enum live_tape_step step); /* tests; NULL */
    void *context;
};

/* The session on the tape has ended in order, its last decisions stand there: go on with another tape (run/rotation.h),
 * which the next message begins; for an engine that is a `start`. The sink stays the same. `rotated` false: the tape
 * stays as it is, `error` tells why, and a start may follow on it too. ERROR_SYSTEM where neither can be gone on with.
 * Waits for the disk several times. */
int live_tape_rotate(struct live_tape *live, const struct live_tape_rotation *rotation,
                     bool *rotated, struct error *error);
/* Nothing is being told of not being writable, and it is: a moment to end a session in. */
bool live_tape_is_calm(const struct live_tape *live);

/* The sink. `engine` is the one that the loop steps, for the state hashes; NULL: none (`record`). Its message()
 * returns ERROR_SYSTEM where the tape can't take the message, which live_tape_takes() tells before. Its
 * decision() returns 0 also where a cancel or query could not be written any more: it may leave, but the session
 * must end (live_tape_must_end). */
struct sink *live_tape_sink(struct live_tape *live, const struct engine *engine);

/* Whether the tape can take this message now. Asked before the loop is given it, for what is not on the tape the
 * engine must not see. Costs some nanoseconds, no system call.
 *
 *   everything     while the tape is writable
 *   not writable   (the disk is full, or the tape's thread is a journal behind): session messages, and gaps.
 *                  Market data is to be dropped, not kept.
 *   nothing        when the reserve is used up too */
bool live_tape_takes(struct live_tape *live, const struct message *message);

/* The fail-closed input. When the tape ceases to be writable, one `gap` (cause not_written) for each instrument,
 * on its depth stream, at `now`: the engine loses the book, cancels all and places nothing until a snapshot comes,
 * which it can't before the tape is writable again. When it is, one more for each instrument whose market data was
 * dropped since (`expected`: how many messages of it came, `found` 0). NULL: nothing to tell. Ask before each
 * message and give what comes; it is valid until the next call.
 *
 *     while ((gap = live_tape_gap(live, now)) != NULL)
 *         give(gap);
 *     if (live_tape_takes(live, message))
 *         give(message);
 *     else
 *         live_tape_drop(live, message);
 *     if (live_tape_wants_snapshots(live))
 *         ask the adapters for new snapshots of the books
 */
const struct message *live_tape_gap(struct live_tape *live, int64_t now);
/* Count a message that could not be given. A session message that is dropped ends the session: see below. */
void live_tape_drop(struct live_tape *live, const struct message *message);
/* True once after the tape became writable again and its gaps were told. */
bool live_tape_wants_snapshots(struct live_tape *live);

/* The engine and the tape are no longer the same: a decision left unwritten, or a session message was dropped, or
 * the tape's thread has failed for good. End the session: cancel what is open with the adapters alone, tell of it
 * by live_tape_unwritten(), live_tape_abandon(). The next start recovers, reconciles, and says so with a gap. */
bool live_tape_must_end(struct live_tape *live);
/* `count` cancels left that are not on the tape. The number survives kill -9. */
void live_tape_unwritten(struct live_tape *live, uint64_t count);

/* The header that stands on the tape that is open, another one after a rotation; each stays where it is until the end. */
const struct tape_header *live_tape_header(const struct live_tape *live);

/* What the tape's thread has to say for the log: true, and a text, once for each change. */
bool live_tape_trouble(struct live_tape *live, struct error *trouble);

/* Wait while the tape's thread is a journal behind, for who is faster than any venue. ERROR_SYSTEM where it is in
 * trouble. */
int live_tape_wait(struct live_tape *live, struct error *error);
/* Bring all that was given so far to the disk: seals the block, waits for the tape's thread and for fdatasync.
 * ERROR_SYSTEM where that failed. Not for the hot path. */
int live_tape_sync(struct live_tape *live, struct error *error);

/* Seal, index, end mark, fdatasync, unlock; the journals are removed. Frees it, also on failure (ERROR_SYSTEM:
 * then the journals stay, and the next live_tape_open() recovers them). */
int live_tape_finish(struct live_tape **live, struct error *error);
/* Stop writing and leave all as it stands, to be recovered. Frees it. NULL is allowed. */
void live_tape_abandon(struct live_tape **live);

#endif
