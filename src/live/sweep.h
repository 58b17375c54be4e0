/* Cancels every order of ours at the venues without an engine: for whoever finds that the engine is gone, and
 * for a session that can't go on. */
#ifndef CAPSTAN_LIVE_SWEEP_H
#define CAPSTAN_LIVE_SWEEP_H

#include "base/log.h"
#include "live/venues.h"

struct sweep_options {
    struct waker *waker; /* of the venues' queues */
    const struct clock *clock;
    const struct log *log;
    int64_t timeout_ns; /* for all of it */
    /* Asked again and again: an engine has come back, say, that looks after the orders itself. NULL: never. */
    bool (*stop)(void *context);
    void *stop_context;
};

struct sweep_result {
    uint64_t cancels;   /* sent */
    uint64_t remaining; /* orders of ours that the last account of some venue still showed */
    uint64_t unheard;   /* venues whose account did not come */
    uint64_t unsettled; /* venues that showed none, but not for long enough */
};

/* Ask each venue for its account, cancel each order with our prefix that it shows, and ask again, until each
 * shows none or `timeout_ns` is over. A venue shows none when two accounts have none, both taken after they were
 * asked for, and live.request_timeout apart (5 s at least, a third of `timeout_ns` at most): what was sent before may
 * be taken late. Each cancel and how it ended is a line of target "capstan.sweep". Runs on the thread that reads the
 * venues' queues, and after the engine has stopped. The adapters run (live_io_begin). */
void sweep(struct live_venues *venues, const struct sweep_options *options,
           struct sweep_result *result);

#endif
