/* What a session is made of before its first message: venues, the tape, an engine with what the tape left to it, and what
 * stands between them. */
#ifndef CAPSTAN_LIVE_SESSION_OPEN_H
#define CAPSTAN_LIVE_SESSION_OPEN_H

#include "base/error.h"

struct session;

/* From the first look at the venues until all that session_run_tapes needs is there. ERROR_INPUT for settings,
 * credentials or a tape that can't be used, ERROR_SYSTEM where a venue can't be reached or the tape not be written; what
 * is open then the session closes. */
int session_open_all(struct session *session, struct error *error);

#endif
