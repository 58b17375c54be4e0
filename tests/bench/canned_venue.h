/* The other side of the live benchmark: a Binance.US of one instrument in this process. It answers what the
 * adapter asks for, takes every order, fills none, and makes frames of a market whose price walks by a few ticks. */
#ifndef CAPSTAN_TESTS_BENCH_CANNED_VENUE_H
#define CAPSTAN_TESTS_BENCH_CANNED_VENUE_H

#include "base/random.h"
#include "venue/live/adapter.h"

#define CANNED_SYMBOL "BTCUSD"
#define CANNED_REST   "https://canned.invalid"

enum { CANNED_REQUESTS_MAX = 128, CANNED_ORDERS_MAX = 256, CANNED_FRAME_MAX = 4096 };

/* A request that waits for its answer; the oldest is answered first. */
struct canned_request {
    uint64_t tag;
    char method[8], url[ADAPTER_URL_MAX], body[ADAPTER_URL_MAX];
};

struct canned_order {
    char name[ADAPTER_ORDER_NAME_MAX], side[8], price[32], quantity[32];
    uint64_t id; /* 0: the place is free */
};

/* Zero it, then canned_venue_init(). */
struct canned_venue {
    struct canned_request requests[CANNED_REQUESTS_MAX];
    size_t request_count;
    bool opening[ADAPTER_CHANNELS]; /* asked for and not told yet that it stands */
    struct canned_order orders[CANNED_ORDERS_MAX];
    uint64_t last_order;
    struct random random;
    int64_t bid;           /* best, in ticks; the best ask is SPREAD above it */
    int64_t shown;         /* the best bid as depth told it last */
    uint64_t id, shown_id; /* newest update; the newest that depth covers */
    bool depth_is_due;     /* a bookTicker told of a move that no depth has told yet */
    char frame[CANNED_FRAME_MAX];
    char answer[1 << 16];
};

void canned_venue_init(struct canned_venue *venue, uint64_t seed);
/* What the adapter's port is to call: the request or the channel is noted, and served by canned_venue_serve(). */
void canned_venue_request(struct canned_venue *venue, const struct adapter_request *request);
void canned_venue_open(struct canned_venue *venue, unsigned channel);
/* Serve the oldest of what was asked for. False where nothing waits. `now` is of the session's clock, which is
 * this venue's too. */
bool canned_venue_serve(struct canned_venue *venue, struct adapter *adapter, int64_t now);
/* The next frame of the market stream, valid until the next call: by halves a bookTicker or the depth that it is a
 * part of, which follows later, or depth alone. */
const char *canned_venue_frame(struct canned_venue *venue, int64_t now, size_t *length);

#endif
