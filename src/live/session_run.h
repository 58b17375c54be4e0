/* A session while it runs: the loop, tape after tape. */
#ifndef CAPSTAN_LIVE_SESSION_RUN_H
#define CAPSTAN_LIVE_SESSION_RUN_H

#include "base/error.h"

struct session;

/* The venues begin, and messages go round until the engine has shut down (`record`: until somebody asked for the end).
 * Where a tape is to end the next one begins. Meanwhile the time limit looks at the engine's thread, where orders are at
 * venues. ERROR_SYSTEM where the session can't go on. */
int session_run_tapes(struct session *session, struct error *error);

#endif
