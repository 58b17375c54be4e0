/* What of a decision a decorator of venues needs to know: whom it asks, about which order, for what. */
#ifndef CAPSTAN_VENUE_ASKED_H
#define CAPSTAN_VENUE_ASKED_H

#include "event/event.h"

struct asked {
    unsigned venue;
    uint16_t instrument;
    order_id order;
    int request;       /* enum request, or -1: about no order of ours */
    order_id replaces; /* by a place; 0: none */
};

/* False for decisions that no venue gets. */
bool asked_read(struct asked *out, const struct message *decision, const struct event_names *names);

#endif
