/* A venue whose connection is bad: a decorator that, from a seed, loses, delays, repeats and reorders
 * what the venue behind it is asked and what it answers, refuses requests, bans, hangs up, ends orders by
 * itself, loses the stream that tells of our orders and lets the clock jump.
 *
 * It stays honest. What it refuses or loses on the way there never reached the venue behind it, but for a
 * false reject: the venue soon ends that order by itself. A fill that was made is made: where its answer
 * is lost it is told again once the order is asked for, or has ended without a word on what was left. That
 * an order is not found may be untrue of a cancel or modify, and of a query soon after the order was
 * placed; whatever else is said of an order is true at some time after it was sent. Where the engine starts
 * again, what is on its way to it is lost as well, and what is on its way to the venue is not. */
#ifndef CAPSTAN_VENUE_FAULT_H
#define CAPSTAN_VENUE_FAULT_H

#include "venue/venue.h"

/* X(name, word, meaning). Chances of the first part are asked once a request, of the second once an
 * answer; those of the third happen by themselves. */
#define FAULT_KINDS(X)                                                                             \
    X(FAULT_REQUEST_UNKNOWN, "request_unknown", "a request is lost; it is known to be unanswered") \
    X(FAULT_REQUEST_SILENT, "request_silent", "a request is lost in silence")                      \
    X(FAULT_REJECT, "reject", "a request is refused for a reason of chance")                       \
    X(FAULT_RATE_BAN, "rate_ban", "too many requests: all are refused for a while")                \
    X(FAULT_LOST, "lost", "an answer is lost")                                                     \
    X(FAULT_UNREADABLE, "unreadable", "an answer can't be read: the order's state is unknown")     \
    X(FAULT_DELAY, "delay", "an answer is late, and all after it")                                 \
    X(FAULT_DUPLICATE, "duplicate", "an answer comes twice")                                       \
    X(FAULT_REORDER, "reorder", "an answer is late, and others overtake it")                       \
    X(FAULT_DISCONNECT, "disconnect", "requests and answers are lost for a while")                 \
    X(FAULT_REQUEST_LATE, "request_late", "a request is late on its way, and others overtake it")  \
    X(FAULT_FALSE_REJECT, "false_reject", "an order is told to be refused, but rests a while")     \
    X(FAULT_NOT_FOUND, "not_found", "the venue does not find an order that it has")                \
    X(FAULT_ECHO, "echo", "an answer comes again, minutes later")                                  \
    X(FAULT_STALE, "stale", "what a request came to is told after the next, a query or a fill")    \
    X(FAULT_BARE, "bare", "a fill or an end does not tell what is left")                           \
    X(FAULT_END, "end", "the venue ends an order by itself: expired or cancelled")                 \
    X(FAULT_CLOCK_JUMP, "clock_jump", "the wall clock jumps")                                      \
    X(FAULT_ORDERS_STREAM, "orders_stream", "fills and expiries are lost for a while, as is told")

enum fault_kind {
#define X(name, word, meaning) name,
    FAULT_KINDS(X)
#undef X
        FAULT_KIND_COUNT
};

struct fault_options {
    uint64_t seed;
    /* Chance of each kind in 1e6; of disconnect and orders_stream (a venue), end and clock_jump: how often
     * in 1e6 s. 0: never. */
    uint64_t chance[FAULT_KIND_COUNT];
    int64_t longest_delay;           /* ns, above 0: of answers that are late */
    int64_t longest_outage;          /* ns, above 0: of bans, disconnects and orders_stream */
    const struct event_names *names; /* read while open */
};

/* Wrap `inner`, which then belongs to the result and is closed with it. All memory is taken here. */
int fault_open(struct venue **venue, struct venue *inner, const struct fault_options *options,
               struct error *error);
/* Fills were made that the caller is still to be told of without asking. */
bool fault_owes_fills(const struct venue *venue);
/* The venue refused that order falsely, and will end it by itself. */
bool fault_will_end(const struct venue *venue, order_id order);
/* How often each kind has happened. */
const uint64_t *fault_counts(const struct venue *venue);
/* "reorder". */
const char *fault_word(enum fault_kind kind);

#endif
