/* The venues of a session: credentials, threads, settings. */
#ifndef CAPSTAN_LIVE_VENUES_H
#define CAPSTAN_LIVE_VENUES_H

#include "base/log.h"
#include "config/config.h"
#include "live/raw.h"
#include "live/wanted.h"

struct live_venues {
    struct wanted wanted;
    struct config_resolved settings; /* by venue, in the order of `wanted` */
    struct credentials *credentials[LIVE_VENUES_MAX];
    struct live_io *ios[LIVE_VENUES_MAX];
    size_t count;
};

struct live_venues_options {
    const struct config *config;
    bool trades; /* false: market data only, no credentials are read */
    const struct clock *clock;
    struct waker *engine;
    const struct log *log;
    const atomic_bool *stop; /* ends the wait for discovery */
    struct raw *raw;         /* see live_io.h */
};

/* Read which venues and with which settings: nothing is connected. live_venues_open() does it where it was not done. */
int live_venues_resolve(struct live_venues *venues, const struct config *config,
                        struct error *error);
/* Start each venue's thread and wait until all are ready. Close it also after an error; zero it before. */
int live_venues_open(struct live_venues *venues, const struct live_venues_options *options,
                     struct error *error);
void live_venues_close(struct live_venues *venues);

#endif
