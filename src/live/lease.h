/* The lease of an account: of all sessions that keep their tapes in one folder, one trades under a name at a venue.
 *
 * It is a lock on FOLDER/SESSION.VENUE.lease, FOLDER being the tape's. The kernel gives it back when its holder ends,
 * however that happens. It reaches as far as the folder's file system does: one machine, or pods that share a volume.
 * The files stay; deleting one while a session runs makes two leases of one. */
#ifndef CAPSTAN_LIVE_LEASE_H
#define CAPSTAN_LIVE_LEASE_H

#include <stdbool.h>

#include "live/live_venue.h"

struct lease {
    int files[LIVE_VENUES_MAX];
    size_t count; /* 0: not held */
};

/* What it is for. Nothing is kept. */
struct lease_options {
    const char *tape;          /* path of the session's tape */
    const char *session;       /* setting live.session */
    const char *const *venues; /* by name, in one order for all */
    size_t venue_count;
};

/* Take the lease at every venue, or none: `lease->count` is 0 where another process holds one of them, and `holder`
 * then names it ("FILE (HOST, process N)"). Never waits. ERROR_SYSTEM where a file can't be made. */
int lease_try(struct lease *lease, const struct lease_options *options, struct error *holder,
              struct error *error);
/* Give it back. Also where it is not held. */
void lease_release(struct lease *lease);

#endif
