/* A session gets the lease of its account (live/lease.h), or waits for it. */
#ifndef CAPSTAN_LIVE_SESSION_LEASE_H
#define CAPSTAN_LIVE_SESSION_LEASE_H

#include "base/error.h"

struct session;

/* The ops server, and the lease: where another session has that and this one does not wait, not even its port is taken.
 * Only orders at a venue need a lease. It is not held afterwards where somebody asked for the end meanwhile.
 * ERROR_INPUT where another session has it, and as live_venues_resolve and ops_open say. */
int session_lease_take(struct session *session, struct error *error);
/* That was so: nothing of the account may be touched. */
bool session_lease_is_missing(const struct session *session);

#endif
