/* The one clock. What a run decides on is the time of its messages, kept by the loop; the clocks here
 * tell how long a run took, and nothing that an engine is told comes from them. */
#ifndef CAPSTAN_CLOCK_CLOCK_H
#define CAPSTAN_CLOCK_CLOCK_H

#include "base/integer.h"

/* A source of time that never goes back. `now` is ns since a fixed but unknown moment. */
struct clock {
    int64_t (*now)(const struct clock *clock);
};

/* Time as it passes, whatever happens to the wall clock. */
extern const struct clock clock_monotonic;
/* CPU time that the calling thread has used. */
extern const struct clock clock_thread;

static inline int64_t clock_now(const struct clock *clock)
{
    return clock->now(clock);
}

#endif
