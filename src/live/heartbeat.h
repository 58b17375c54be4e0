/* The engine's sign of life, for a process beside it: a small file that both map. The engine's thread writes
 * the session's time into it, many times a second while it works and once a second while nothing comes. */
#ifndef CAPSTAN_LIVE_HEARTBEAT_H
#define CAPSTAN_LIVE_HEARTBEAT_H

#include <stdatomic.h>

#include "base/error.h"

/* What stands in the file, in the machine's own byte order. */
struct heartbeat {
    uint64_t magic;
    _Atomic int64_t alive; /* session's time of the last sign, or one of those below */
};

#define HEARTBEAT_STARTING 0         /* no sign yet */
#define HEARTBEAT_ENDED    INT64_MAX /* the session ended in order */

/* The engine: make the file beside the tape ("TAPE.heartbeat") and map it. It says that a session starts, whatever
 * the one before left there. */
int heartbeat_make(struct heartbeat **heartbeat, const char *tape, struct error *error);
/* The watcher: map the file that is there. ERROR_INPUT where there is none, or it is none. */
int heartbeat_read(struct heartbeat **heartbeat, const char *tape, struct error *error);
/* Unmap; NULL is allowed. */
void heartbeat_close(struct heartbeat **heartbeat);

#endif
