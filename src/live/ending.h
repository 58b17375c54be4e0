/* How a live session is asked to end, and tells its engine: by signals, the end of --for, an operator's command.
 *
 * The first that asks is told once as `shutdown`, whoever comes first: the thread that asks, or the session's own where
 * somebody asked before there was a feed. A signal behind that is told again, which ends a shutdown by force. Without an
 * engine the feed ends instead. From the first one on time runs (live/time_limit.h). */
#ifndef CAPSTAN_LIVE_ENDING_H
#define CAPSTAN_LIVE_ENDING_H

#include <stdatomic.h>

#include "base/log.h"
#include "clock/clock.h"
#include "feed/live_feed.h"
#include "live/signals.h"
#include "live/time_limit.h"
#include "ops/ops.h"

struct ending_options {
    const struct log *log;
    const struct clock *clock;     /* of log lines */
    const struct clock *monotonic; /* how near signals are to each other */
    bool has_engine;
};

/* Zero it and fill `options` before. */
struct ending {
    struct ending_options options;
    atomic_bool stopping; /* somebody asked */
    atomic_bool asked;    /* and it was a person or a supervisor, not the end of --for */
    atomic_bool told;     /* the feed has the first one */
    struct ops *_Atomic ops;
    struct live_feed *_Atomic feed;   /* NULL: who asks only stops the discovery */
    struct time_limit *_Atomic limit; /* NULL: not yet */
    int64_t force_after_ns;           /* shutdown.force_after; to be read behind `feed` */
    struct signals *signals;
    int64_t signalled; /* monotonic; 0: not yet. The signals' thread's */
    bool had_signal;   /* the signals' thread's */
};

/* Signals are taken from now on, and SIGALRM comes after `run_for_ns` (TIME_NEVER: never); the thread of the time limit
 * begins. Before other threads are made. Close it also after a failure. */
int ending_open(struct ending *ending, int64_t run_for_ns, struct error *error);
/* What is not ready any more once somebody asked; NULL: nothing. */
void ending_drains(struct ending *ending, struct ops *ops);
/* There is a feed: who asks from now on tells it. Of who asked before ending_tell_what_came() will. `force_after_ns`:
 * setting shutdown.force_after. */
void ending_goes_to(struct ending *ending, struct live_feed *feed, int64_t force_after_ns);
/* The session begins: tell the feed where somebody asked and it does not know. */
void ending_tell_what_came(struct ending *ending);
/* Feed and ops server are about to be closed: nobody is told any more, and no signal that came before is being told
 * still. Signals do as before; time that runs goes on running. */
void ending_lets_go(struct ending *ending);
/* The same, and no time runs any more. */
void ending_close(struct ending *ending);

/* A signal was caught; on the signals' thread. SIGHUP opens the log's file anew where there is one. */
void ending_signal(struct ending *ending, int signal);
/* As the first SIGTERM; where somebody asked already it changes nothing. Any thread. */
void ending_command(struct ending *ending);
/* The whole time that a shutdown may take begins to run, unless less is left already. Any thread. */
void ending_limit(struct ending *ending);

#endif
