/* When a live session's tape ends and the next begins (setting tape.rotate_every), and what is done then. To the engine
 * nothing happens but a start of the epoch that it is in, with which it goes on; what the next tape begins with lets another
 * engine go on like it. */
#ifndef CAPSTAN_LIVE_ROTATOR_H
#define CAPSTAN_LIVE_ROTATOR_H

#include "base/log.h"
#include "live/retold.h"
#include "run/live_tape.h"

struct rotator_options {
    const char *base; /* --tape */
    uint64_t number;  /* of the chain's tape that is open */
    int64_t every;    /* tape.rotate_every; 0: never */
    struct live_tape *tape;
    const struct event_names *names;
    const struct run_engine *engine; /* NULL: none (`record`) */
    const struct log *log;
    /* Without an engine: ask the venues for whole books, where not all are known here. */
    void (*want_snapshots)(void *context);
    void *context;
};

struct rotator {
    struct rotator_options options;
    int64_t due;  /* ts_local from which on the tape is to end; TIME_NEVER */
    bool ended;   /* the feed gave its last message of the tape */
    bool follows; /* the books are kept here: there is no engine */
    bool failed;  /* no memory to keep something: nothing rotates any more */
    struct retold *retold;
};

/* `now`: the session's time. ERROR_INPUT for a setting that can't be. Zero it before, close it also after a failure. */
int rotator_open(struct rotator *rotator, const struct rotator_options *options, int64_t now,
                 struct error *error);
void rotator_close(struct rotator *rotator);

/* --- between two messages -------------------------------------------------------------------------------- */

static inline bool rotator_is_due(const struct rotator *rotator, int64_t now)
{
    return now >= rotator->due;
}
/* It is due: whether the engine lets it happen now and the disk has room; where not, later. */
bool rotator_ends(struct rotator *rotator, int64_t now);
/* Each message that the loop is given. */
void rotator_takes(struct rotator *rotator, const struct message *message);
static inline void rotator_sees(struct rotator *rotator, const struct message *message)
{
    if (rotator->follows || retold_keeps(message->kind))
        rotator_takes(rotator, message);
}

/* --- after the feed ended -------------------------------------------------------------------------------- */

/* End the tape and go on with the next, or where that can't be with the same; `epoch` is the session's. A start of this
 * epoch follows. ERROR_SYSTEM where the session can't go on. */
int rotator_rotate(struct rotator *rotator, uint64_t epoch, int64_t now, struct error *error);

#endif
