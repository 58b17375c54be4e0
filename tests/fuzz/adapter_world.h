/* The world of an adapter in a fuzz target: its network, its clock and its engine, made of any bytes. Each input drives an
 * adapter of its own, so that whatever comes may be the first that it ever hears. Each line begins with a letter:
 *
 *   m, p  text on the market or the private stream       a  answer to the oldest request: three digits, body
 *   u, n  the oldest request is unknown, or not sent     h  an answer with the text in the venue's rate header
 *   o, c  a channel (digit) opens, or closes             t  time passes: 2^digit quarters of a second
 *   d     a decision (digit)                             r  the text goes to every reader
 *
 * Whatever comes: what is told can be written down and read again, an order is sent once, nothing secret is told, and no
 * memory is lost. */
#ifndef CAPSTAN_TESTS_FUZZ_ADAPTER_WORLD_H
#define CAPSTAN_TESTS_FUZZ_ADAPTER_WORLD_H

#include "venue/live/adapter.h"

/* What one venue's target is. */
struct world_venue {
    const char *name, *symbol, *base, *quote;
    struct credentials *credentials;
    const char *secret; /* what nothing may tell */
    int64_t expiry_ns;
    unsigned market, private;  /* channels of the lines m and p */
    const char *rate_header;   /* of the lines h */
    struct number price, size; /* of decisions */
    bool modifies;             /* a modify may send an order */
    bool (*makes_order)(const struct adapter_request *made);
    void (*discover)(void); /* answers to what is asked at the start, until the adapter is ready */
    void (*read)(const char *text, size_t length);
};

/* Answer the oldest request that has no answer. */
void world_answer(long status, const char *body);
/* One input; what a fuzz target returns. */
int world_take(const struct world_venue *venue, const uint8_t *data, size_t size);

#endif
