/* A process beside the engine that cancels its orders when it is gone: `capstan watchdog`. */
#ifndef CAPSTAN_LIVE_WATCHDOG_H
#define CAPSTAN_LIVE_WATCHDOG_H

#include "base/log.h"
#include "config/config.h"

struct watchdog_options {
    const struct config *config;
    const char *tape; /* of the session that is watched */
    int64_t after_ns; /* without a sign of life it is taken for gone */
    const struct log *log;
};

/* Watch until a session that was seen alive ends in order, or SIGTERM or SIGINT comes. When its heartbeat stops, cancel
 * every order of the session's prefix at each venue, and go on looking, ever more rarely, for what a venue takes late, until
 * another session of the tape begins.
 * 0, or ERROR_SYSTEM where orders may have been left at the end. ERROR_INPUT for settings that can't be used or
 * where no session ever began. */
int watchdog_run(const struct watchdog_options *options, struct error *error);

#endif
