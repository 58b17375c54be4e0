/* The end of a shutdown that does not come: a thread that ends the process when the time is over, whatever the session's
 * other threads hang in. Where the engine's thread is silent it first cancels what it can. It names the orders that may
 * rest (live/unconfirmed.h), says in the log that the end was by force, and exits with ERROR_SYSTEM. */
#ifndef CAPSTAN_LIVE_TIME_LIMIT_H
#define CAPSTAN_LIVE_TIME_LIMIT_H

#include <stdatomic.h>

#include "base/log.h"
#include "clock/clock.h"
#include "live/unconfirmed.h"

struct time_limit;

/* The thread begins; no time runs yet. */
int time_limit_open(struct time_limit **limit, const struct log *log, const struct clock *clock,
                    struct error *error);
/* From any thread: `left_ns` from now, unless less is left already. */
void time_limit_begin(struct time_limit *limit, int64_t left_ns);
/* What to name; until time_limit_close. */
void time_limit_know(struct time_limit *limit, struct open_orders *orders,
                     const struct unconfirmed *unconfirmed);
/* Where the engine's thread is silent when the time is nearly over, what the venues hold is cancelled without it. */
struct time_limit_engine {
    const _Atomic int64_t *alive; /* time of its last sign of life, by `clock` */
    const struct clock *clock;
    /* Cancel in `limit_ns`; whether no venue shows an order any more. On a thread of its own. */
    bool (*cancel)(void *context, int64_t limit_ns);
    void *context;
};
/* The engine runs from here on, and until time_limit_engine_over, which waits for a `cancel` that has begun. `engine` is
 * copied. */
void time_limit_engine(struct time_limit *limit, const struct time_limit_engine *engine);
void time_limit_engine_over(struct time_limit *limit);
/* The session has ended: no time runs any more. NULL is allowed. */
void time_limit_close(struct time_limit **limit);

#endif
