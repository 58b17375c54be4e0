/* Proves of a session's tape that a restart could have been anywhere: the carry folded from the tape up to
 * there is what the engine held. */
#ifndef CAPSTAN_REPLAY_RESTART_CHECK_H
#define CAPSTAN_REPLAY_RESTART_CHECK_H

#include "base/error.h"
#include "base/integer.h"

/* After each message of the tape and its decisions (or at `cuts_max` of them, evenly spread) two engines
 * take a start of the next epoch: the one that lived through the session, and a fresh one that folded the
 * tape up to there. Every field of their states must be equal, and so must it be after a second start.
 * ERROR_DIFFERENT names the message and the first field. `cuts`: where it was tried. */
int restart_check(const char *path, uint64_t cuts_max, uint64_t *cuts, struct error *error);

#endif
