/* The operating system's clocks behind the one interface. */
#include "config.h" /* POSIX names */

#include "clock/clock.h"

#include <time.h>

#include "base/assert.h"
#include "base/time.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    int failed = clock_gettime(id, &now);
    ASSERT(!failed);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int64_t monotonic_now(const struct clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t thread_now(const struct clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

const struct clock clock_monotonic = {monotonic_now};
const struct clock clock_thread = {thread_now};
