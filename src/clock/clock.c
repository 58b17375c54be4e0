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

static int64_t session_now(const struct clock *clock)
{
    const struct session_clock *session = (const struct session_clock *)clock;
    return read_clock(CLOCK_MONOTONIC) +
           atomic_load_explicit(&session->offset, memory_order_relaxed);
}

void session_clock_start(struct session_clock *session, int64_t floor)
{
    *session = (struct session_clock){.clock = {session_now}};
    atomic_init(&session->offset, read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC));
    session_clock_raise(session, floor);
}

void session_clock_raise(struct session_clock *session, int64_t floor)
{
    int64_t now = session_now(&session->clock);
    if (floor <= now)
        return;
    atomic_fetch_add(&session->offset, floor - now);
    session->drift -= floor - now;
}

int64_t session_clock_jump(struct session_clock *session, int64_t least)
{
    int64_t drift = read_clock(CLOCK_REALTIME) - session_now(&session->clock);
    int64_t jump = drift - session->drift;
    if (jump >= -least && jump <= least)
        return 0;
    session->drift = drift;
    return jump;
}
