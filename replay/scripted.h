/* A venue that answers some orders from a scenario's script and leaves the rest to the venue behind
 * it. */
#ifndef CAPSTAN_REPLAY_SCRIPTED_H
#define CAPSTAN_REPLAY_SCRIPTED_H

#include "replay/scenario.h"
#include "venue/venue.h"

/* Wrap `inner`, which then belongs to the result. An order that a 'when' line names never reaches
 * `inner`: what no line says is answered at once, as asked (accepted, cancelled, modified); a query that
 * no line answers gets nothing. In a silent scenario nothing is answered at all. The scenario must outlive the venue. */
int scripted_open(struct venue **venue, struct venue *inner, struct scenario *scenario,
                  struct error *error);
/* Answers that were promised for later than the end of the run. */
size_t scripted_in_flight(const struct venue *venue);

#endif
