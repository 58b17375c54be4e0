/* What really happened at the venue, whatever the engine was told of it: a decorator between the
 * simulated venue and its faults that keeps count of the fills. */
#ifndef CAPSTAN_SIMULATE_TRUTH_H
#define CAPSTAN_SIMULATE_TRUTH_H

#include "venue/venue.h"

/* Wrap `inner`, which then belongs to the result. `names` must outlive it. */
int truth_open(struct venue **venue, struct venue *inner, const struct event_names *names,
               struct error *error);
/* What the instrument's fills come to, fees in base taken off: base or contracts. */
money truth_position(const struct venue *venue, unsigned instrument);

#endif
