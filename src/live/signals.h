/* Signals as calls on a thread of their own: SIGTERM and SIGINT. */
#ifndef CAPSTAN_LIVE_SIGNALS_H
#define CAPSTAN_LIVE_SIGNALS_H

#include "base/error.h"

struct signals;

/* From now on these signals end nothing: `caught` is called with each, from a thread. Before other threads are
 * made, which inherit that. */
int signals_open(struct signals **signals, void (*caught)(void *context, int signal), void *context,
                 struct error *error);
/* The process takes them as before. NULL is allowed. */
void signals_close(struct signals **signals);

#endif
