/* Signals as calls on a thread of their own: SIGTERM, SIGINT and SIGHUP, and SIGALRM when a session's time is over. */
#ifndef CAPSTAN_LIVE_SIGNALS_H
#define CAPSTAN_LIVE_SIGNALS_H

#include "base/error.h"

struct signals;

/* From now on these signals end nothing: `caught` is called with each, from a thread. Before other threads are
 * made, which inherit that. SIGALRM comes after `after_ns`; TIME_NEVER: it does not. */
int signals_open(struct signals **signals, int64_t after_ns,
                 void (*caught)(void *context, int signal), void *context, struct error *error);
/* The process takes them as before. NULL is allowed. */
void signals_close(struct signals **signals);

#endif
