/* The orders that a session's end may leave: cancelled without the engine where that can't go on, and named where they
 * may rest still. Only those at a venue: those of paper end with it. */
#ifndef CAPSTAN_LIVE_SESSION_ORDERS_H
#define CAPSTAN_LIVE_SESSION_ORDERS_H

#include "base/error.h"
#include "base/integer.h"

struct session;

/* The file that would name them, of which the time limit learns; says in the log what the session before left. */
int session_orders_open(struct session *session, struct error *error);
/* The engine can't go on: nothing of ours may rest without it. What was cancelled is not on the tape; the next start
 * reconciles with the venues. Not where nothing was sent yet. */
void session_orders_cancel(struct session *session);
/* Its thread hangs: the same, from another (`cancel` of struct time_limit_engine). The queues of the venues are this
 * thread's now; should the engine wake, the process ends all the same. */
bool session_orders_cancel_for_engine(void *session, int64_t limit_ns);
/* The session is over, and whether it `failed`: the orders that may rest stand in a file, or it is removed; and in the
 * log, where the engine's own end has not told them already. */
void session_orders_name(struct session *session, bool failed);

#endif
