/* The venue of `verify`: what it answered is on the tape and comes through the feed, so it gives no
 * answers of its own, and what the engine sends goes nowhere. */
#ifndef CAPSTAN_VENUE_RECORDED_H
#define CAPSTAN_VENUE_RECORDED_H

#include "venue/venue.h"

/* It has no state; close does nothing. */
struct venue recorded_venue(void);

#endif
