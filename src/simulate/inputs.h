/* What an engine was told during a run, so that it can be told again: without a venue, whole or in part. */
#ifndef CAPSTAN_SIMULATE_INPUTS_H
#define CAPSTAN_SIMULATE_INPUTS_H

#include "feed/feed.h"
#include "venue/venue.h"

/* One message. Rows stay where the course has them; a record is copied. */
struct input {
    struct message message;
    union event_record record;
    bool left_out;  /* shrinking: not told */
    bool undue;     /* found while it was told: its order was not sent as it was in the first run */
    bool is_answer; /* of a venue; all else comes from the feed */
    bool first;     /* an answer that comes from the feed all the same */
    order_id order; /* that it is about, as the first run named it; 0: none */
};

/* What the first run sent as an order, in the order of its ids. */
struct sent {
    int64_t ts, price, quantity;
    uint16_t instrument;
    uint8_t side;
    order_id again; /* what the present run sent at the same time alike; 0: nothing */
};

/* The orders of one epoch stand behind those of the one before. */
struct epoch {
    uint32_t epoch;
    size_t before; /* orders of earlier ones */
};

enum { EPOCHS_MAX = 64 };

struct inputs {
    struct input *items;
    size_t count, capacity;
    struct sent *sent;
    size_t sent_capacity, sent_last; /* the last one used */
    struct epoch epochs[EPOCHS_MAX];
    size_t epoch_count;
    struct message *feed; /* of those that are not left out, for a memory feed */
    size_t feed_count;
    /* Telling again. */
    struct venue venue;
    size_t next;   /* answer */
    size_t begins; /* where the search for the next start begins */
    size_t limit;  /* while the engine starts: answers before this one belong to it */
    bool started, starting;
    bool honest; /* leave out answers about orders that the present run did not send */
};

void inputs_clear(struct inputs *inputs);
void inputs_close(struct inputs *inputs);
/* Keep a message that the engine is about to be told; ERROR_SYSTEM without memory. */
int inputs_add(struct inputs *inputs, const struct message *message, bool is_answer,
               struct error *error);
/* Keep an order that was sent. */
int inputs_sent(struct inputs *inputs, const struct message *place, struct error *error);
/* Make ready to tell what is not left out: `feed` holds what is no answer, and the venue returned (it
 * belongs to `inputs`) gives the answers at their times. `end`: time of a last tick in the feed. */
struct venue *inputs_tell(struct inputs *inputs, int64_t end, bool honest);

#endif
