/* One message of Coinbase's websockets as plain fields ("Advanced Trade WebSocket", channels): bytes in, values or an
 * error out. No I/O, no clock, no state. */
#ifndef CAPSTAN_VENUE_LIVE_COINBASE_FRAME_H
#define CAPSTAN_VENUE_LIVE_COINBASE_FRAME_H

#include "venue/live/coinbase_decode.h"

/* X(name, the venue's word, whether its events are read) */
#define COINBASE_CHANNELS(X)                                                                       \
    X(COINBASE_LEVEL2, "l2_data", true)                                                            \
    X(COINBASE_TRADES, "market_trades", true)                                                      \
    X(COINBASE_TICKER, "ticker", true)                                                             \
    X(COINBASE_TICKER_BATCH, "ticker_batch", true)                                                 \
    X(COINBASE_USER, "user", true)                                                                 \
    X(COINBASE_HEARTBEATS, "heartbeats", false)                                                    \
    X(COINBASE_SUBSCRIPTIONS, "subscriptions", false)                                              \
    X(COINBASE_CANDLES, "candles", false)                                                          \
    X(COINBASE_STATUS, "status", false)                                                            \
    X(COINBASE_FUTURES, "futures_balance_summary", false)

enum coinbase_channel {
#define X(name, word, read) name,
    COINBASE_CHANNELS(X)
#undef X
        COINBASE_OTHER_CHANNEL, /* `word` */
    COINBASE_ERROR_MESSAGE      /* {"type": "error"}: no channel, no number */
};

/* What a number was in the message. Lives as long as the frame's tree. */
struct coinbase_number {
    struct json_decimal value;
    const char *text;
};

/* One level: an absolute quantity, 0 removes it. */
struct coinbase_level {
    struct coinbase_number price, quantity;
    int64_t time_ns; /* 0: of 1970, which snapshots may bear */
    uint8_t side;    /* enum side */
};

struct coinbase_trade {
    struct coinbase_number price, quantity;
    uint64_t id;
    int64_t time_ns;
    char product[EVENT_NAME_MAX + 1];
    uint8_t maker; /* enum side: whose order rested; the aggressor's is the other one */
};

/* Best prices of one product; a field may be empty. */
struct coinbase_ticker {
    struct coinbase_number price, best[2], quantity[2]; /* by side */
    char product[EVENT_NAME_MAX + 1];
};

/* One event of a message: so many items of the channel's list, from `first` on. */
struct coinbase_event {
    bool is_snapshot;
    char product[EVENT_NAME_MAX + 1]; /* level2 */
    size_t first, count;
};

/* Start from zero; lists grow and are used again. */
struct coinbase_frame {
    uint8_t channel; /* enum coinbase_channel */
    char word[COINBASE_REASON_MAX];
    char message[COINBASE_TEXT_MAX]; /* of an error */
    bool has_sequence;
    uint64_t sequence; /* of the connection, over all its messages */
    int64_t time_ns;   /* when it was made; 0: not told */
    struct coinbase_event *events;
    size_t event_count, event_capacity;
    struct coinbase_level *levels;
    size_t level_count, level_capacity;
    struct coinbase_trade *trades;
    size_t trade_count, trade_capacity;
    struct coinbase_ticker *tickers;
    size_t ticker_count, ticker_capacity;
    struct coinbase_orders orders;
    cJSON *tree;
};

/* Read one message. What a snapshot may have of levels is EVENT_ROWS_MAX. ERROR_INPUT names the field; then nothing of
 * the frame but `has_sequence` and `sequence` is to be used. */
int coinbase_read_frame(struct coinbase_frame *frame, const char *bytes, size_t length,
                        struct error *error);
void coinbase_frame_free(struct coinbase_frame *frame);

#endif
