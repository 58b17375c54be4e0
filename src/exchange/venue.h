/* One venue of the exchange: the played market, the core and the protocol, driven by the time that it is
 * told. No I/O. */
#ifndef CAPSTAN_EXCHANGE_VENUE_H
#define CAPSTAN_EXCHANGE_VENUE_H

#include "exchange/played.h"
#include "exchange/protocol.h"

struct exchange_venue {
    struct played *played;
    struct core *core;
    struct market_view market;
    struct protocol *protocol;
    int64_t now;
};

struct exchange_venue_options {
    struct played_source source;
    const struct event_names *names;
    unsigned venue;
    const struct exchange_credentials *credentials; /* must outlive it */
    const char *balances;                           /* "100000 USD, 1.5 BTC" */
    uint64_t seed;
    const struct exchange_port *port; /* must outlive it */
    int64_t now;                      /* the market begins here */
};

/* ERROR_INPUT where the exchange speaks no protocol of that name, or the market has nothing of it. Zeroed
 * memory in `venue`; exchange_venue_close also after a failure. */
int exchange_venue_open(struct exchange_venue *venue, const struct exchange_venue_options *options,
                        struct error *error);
void exchange_venue_close(struct exchange_venue *venue);

/* Time goes on to `now` (never back): the market is played, matched and published, what is due is done. */
int exchange_venue_advance(struct exchange_venue *venue, int64_t now, struct error *error);
/* When exchange_venue_advance has something to do next; TIME_NEVER. */
int64_t exchange_venue_deadline(struct exchange_venue *venue, struct error *error);

#endif
