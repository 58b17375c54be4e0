/* One Binance frame (websocket message or REST depth snapshot) as plain fields: bytes in, a frame or
 * an error out. No I/O, no clock, no state between frames; shared by the importer and the live feed.
 *
 * Shapes: Binance "Web Socket Streams" (spot), "Diff. Book Depth Streams", "Individual Symbol Book
 * Ticker Streams" (USD-M, COIN-M) and the REST "Order Book" answers, raw or in the combined-stream
 * wrapper {"stream": …, "data": …}. */
#ifndef CAPSTAN_VENUE_LIVE_BINANCE_DECODE_H
#define CAPSTAN_VENUE_LIVE_BINANCE_DECODE_H

#include "base/error.h"

/* X(enum, venue name as it stands in settings, labels and tapes, what people call it) */
#define BINANCE_MARKETS(X)                                                                         \
    X(BINANCE_SPOT, "binance_spot", "spot")                                                        \
    X(BINANCE_USDM, "binance_usdm", "USD-M")                                                       \
    X(BINANCE_COINM, "binance_coinm", "COIN-M")

enum binance_market {
#define X(name, venue, label) name,
    BINANCE_MARKETS(X)
#undef X
        BINANCE_MARKET_COUNT,
    BINANCE_FUTURES = BINANCE_MARKET_COUNT /* a futures trade: it says `X`, but not which market */
};

enum binance_kind {
    BINANCE_DEPTH,    /* depthUpdate: absolute quantities of changed levels */
    BINANCE_SNAPSHOT, /* REST order book */
    BINANCE_TRADE,
    BINANCE_TOP,  /* bookTicker */
    BINANCE_OTHER /* a valid frame that carries none of these: acknowledgement, other stream */
};

enum {
    BINANCE_SYMBOL_MAX = 40,         /* bytes; the longest delivery symbols have 20 */
    BINANCE_LEVELS_MAX = 128 * 1024, /* in one frame; the largest REST book has 10,000 */
    BINANCE_NAME_MAX = 32            /* bytes kept of the name of an event that is not read */
};

/* Latest venue time, in 2096: sums and differences of two times then always fit. */
#define BINANCE_TIME_MAX_NS INT64_C(4000000000000000000)

/* Text inside a frame; not NUL-ended for the caller's purposes. */
struct binance_text {
    const char *bytes;
    size_t length;
};

struct binance_level {
    struct binance_text price, quantity;
};

/* One frame. Everything it points to is its own and holds until the next binance_decode or
 * binance_frame_free. Start from all zero. */
struct binance_frame {
    uint8_t kind;          /* enum binance_kind */
    uint8_t market;        /* enum binance_market */
    bool seller_aggressor; /* trade: `m`, the buyer is the maker */
    bool not_market;       /* trade: `X` is there and is not MARKET (trading-semantics 7) */
    bool has_venue_time;
    int64_t venue_time_ns;               /* `T`, else `E` */
    uint64_t first_id;                   /* depth `U` */
    uint64_t last_id;                    /* depth and top `u`, snapshot `lastUpdateId`, trade `t` */
    uint64_t previous_id;                /* futures depth `pu` */
    char symbol[BINANCE_SYMBOL_MAX + 1]; /* empty where the frame names none */
    char name[BINANCE_NAME_MAX + 1];     /* BINANCE_OTHER: `e`, or what else tells it */
    struct binance_level *levels;        /* bids, then asks; a trade has one */
    size_t level_count, bid_count;
    size_t level_capacity;
    void *tree;
};

/* Read one frame. ERROR_INPUT names the field and what was expected; the frame is then empty.
 * Ids must be whole and below 2^53, since JSON numbers pass through doubles. Prices and quantities
 * must be texts, and stay texts: whether they are numbers is for the caller to say. */
int binance_decode(struct binance_frame *frame, const char *bytes, size_t length,
                   struct error *error);
void binance_frame_free(struct binance_frame *frame);

/* "binance_spot" … ; `market` < BINANCE_MARKET_COUNT. */
const char *binance_venue_name(enum binance_market market);

#endif
