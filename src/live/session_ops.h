/* The ops server of a session: what it asks of the session, and how it ends it. */
#ifndef CAPSTAN_LIVE_SESSION_OPS_H
#define CAPSTAN_LIVE_SESSION_OPS_H

#include "base/error.h"

struct session;

/* Listen. First of all, so that a port that is taken is told before any venue hears of us. As ops_open. */
int session_ops_open(struct session *session, struct error *error);
/* Show the session, which is open but for this. As ops_attach. */
int session_ops_attach(struct session *session, struct error *error);

#endif
