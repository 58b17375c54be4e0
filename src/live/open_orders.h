/* The orders that may rest at a venue, beside the engine: for log lines, and for a process whose engine does not
 * answer any more. Kept by the engine's thread, read by any. */
#ifndef CAPSTAN_LIVE_OPEN_ORDERS_H
#define CAPSTAN_LIVE_OPEN_ORDERS_H

#include "engine/engine.h"

struct open_orders;

struct open_order {
    order_id order;
    uint16_t instrument;
    uint8_t side;
    struct number price, leaves; /* absent: not known */
    struct venue_id venue_order; /* empty: the venue has not told it */
    bool orphan;                 /* only the venue knows it */
};

/* `engine`: folded, before its start. All memory is taken here: `capacity` orders; more are not listed but counted. */
int open_orders_open(struct open_orders **orders, const struct engine *engine, size_t capacity,
                     struct error *error);
void open_orders_close(struct open_orders **orders);
/* A session message, before the engine is given it, or a decision. */
void open_orders_take(struct open_orders *orders, const struct message *message);
/* The engine has taken the message: what it knows to have ended is no longer listed. */
void open_orders_stepped(struct open_orders *orders);
/* What is known of an order; false where it is not listed. The engine's thread. */
bool open_orders_find(struct open_orders *orders, order_id order, struct open_order *out);

/* From any thread: copy up to `capacity` of them in the order in which they were placed, and tell how many there are.
 * Waits for the engine's thread a quarter of a second at most, which holds the lock for less than a microsecond. */
size_t open_orders_list(struct open_orders *orders, struct open_order *out, size_t capacity);

#endif
