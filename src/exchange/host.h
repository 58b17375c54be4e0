/* One venue on a port of its own and a thread of its own: the server underneath, faults, the clock, and what is
 * kept for whoever judges. */
#ifndef CAPSTAN_EXCHANGE_HOST_H
#define CAPSTAN_EXCHANGE_HOST_H

#include "exchange/folder.h"
#include "exchange/venue.h"

struct host;

struct host_options {
    const struct exchange_folder *folder;
    const struct event_names *names;
    unsigned venue;
    struct played_source source;
    const struct exchange_credentials *credentials;
    const char *balances;
    uint64_t seed;
    uint16_t port;                         /* 0: any */
    const char *faults_name, *faults_text; /* NULL: none */
    bool verbose;                          /* tell on standard error what is done */
    int64_t wall_start, monotonic_start;   /* one moment by both clocks */
};

/* Listens when it returns. What the options point to must outlive it. */
int host_open(struct host **host, const struct host_options *options, struct error *error);
void host_close(struct host **host);
uint16_t host_port(const struct host *host);
/* The venue's last prices by instrument of `names`; for the time before host_start. */
void host_prices(const struct host *host, int64_t *prices);

/* Run it on a thread of its own until host_stop. */
int host_start(struct host *host, struct error *error);
/* End the thread and wait for it. Gives the error that had ended it before, if any. */
int host_stop(struct host *host, struct error *error);
/* Whether the thread has ended by an error. */
bool host_has_failed(struct host *host);

/* Everything the venue holds, as one JSON object, malloc'ed; the caller frees. While the thread runs it is asked
 * for and waited for. */
char *host_state(struct host *host);
/* One line a fault of the script: "LINE KIND: N times", to standard error. After host_stop. */
void host_print_faults(const struct host *host);

#endif
