/* The one clock. What a run decides on is the time of its messages, kept by the loop. In a replay that is
 * the tape's, and the clocks here tell how long it took; in a live session each message is stamped once by
 * the session's clock, and from then on the stamp is the time. */
#ifndef CAPSTAN_CLOCK_CLOCK_H
#define CAPSTAN_CLOCK_CLOCK_H

#include <stdatomic.h>

#include "base/integer.h"

/* A source of time that never goes back. `now` is ns since a fixed but unknown moment. */
struct clock {
    int64_t (*now)(const struct clock *clock);
};

/* Time as it passes, whatever happens to the wall clock. */
extern const struct clock clock_monotonic;
/* CPU time that the calling thread has used. */
extern const struct clock clock_thread;

/* The clock of a live session: ns since 1970 UTC by the wall clock as it stood at the start, then by the
 * monotonic clock alone, so that a wall clock that is set changes no time here. It begins no earlier than
 * `floor`, and never goes back. */
struct session_clock {
    struct clock clock;     /* first: a pointer to it is one to the whole */
    _Atomic int64_t offset; /* this clock less the monotonic one */
    int64_t drift;          /* the wall clock less this clock, when last looked at */
};

void session_clock_start(struct session_clock *session, int64_t floor);
/* Move the clock on to `floor` where it is not there yet; before anything was stamped, also while other
 * threads read it. */
void session_clock_raise(struct session_clock *session, int64_t floor);
/* How far the wall clock jumped against this one since the last call; 0 where by no more than `least`. Slow
 * correction of the wall clock (slewing) adds up until it is told. */
int64_t session_clock_jump(struct session_clock *session, int64_t least);

static inline int64_t clock_now(const struct clock *clock)
{
    return clock->now(clock);
}

#endif
