/* Binance.US's answers and private events as plain fields: bytes in, values or an error out. No I/O, no clock,
 * no state. Shapes: the venue's "REST API" and "User Data Streams" documents; market data frames are
 * binance_decode.h's.
 *
 * Unknown members are left alone and unknown words of the venue are read as such; what is missing or of another
 * kind is ERROR_INPUT that names the field. A price or size whose text is no number keeps its status; an
 * amount of money or a fee without a value is an error. After an error nothing of `out` is to be used. */
#ifndef CAPSTAN_VENUE_LIVE_BINANCE_US_DECODE_H
#define CAPSTAN_VENUE_LIVE_BINANCE_US_DECODE_H

#include "event/event.h"
#include "venue/live/binance_decode.h"
#include "venue/live/json.h"

enum {
    BINANCE_US_NAME_MAX = 64,  /* bytes of a client order id; our own have 30, the venue takes 36 */
    BINANCE_US_TEXT_MAX = 160, /* bytes kept of the venue's words */
    BINANCE_US_KEY_MAX = 256,  /* bytes of a listenKey; those seen have 64 */
    BINANCE_US_LIST_MAX = 65536 /* items of one answer */
};

/* --- errors ------------------------------------------------------------------------------------------ */

/* {"code": -1121, "msg": "Invalid symbol."}; code 0 is none. */
struct binance_us_error {
    int64_t code;
    char text[BINANCE_US_TEXT_MAX]; /* cut, and only printable ASCII of it */
};

/* False where the text is no such object. */
bool binance_us_read_error(const char *bytes, size_t length, struct binance_us_error *out);

/* --- orders ------------------------------------------------------------------------------------------ */

/* X(name, the venue's word, may still fill) */
#define BINANCE_US_STATUSES(X)                                                                     \
    X(BINANCE_US_NEW, "NEW", true)                                                                 \
    X(BINANCE_US_PENDING_NEW, "PENDING_NEW", true)                                                 \
    X(BINANCE_US_PARTIALLY_FILLED, "PARTIALLY_FILLED", true)                                       \
    X(BINANCE_US_PENDING_CANCEL, "PENDING_CANCEL", true)                                           \
    X(BINANCE_US_FILLED, "FILLED", false)                                                          \
    X(BINANCE_US_CANCELED, "CANCELED", false)                                                      \
    X(BINANCE_US_REJECTED, "REJECTED", false)                                                      \
    X(BINANCE_US_EXPIRED, "EXPIRED", false)                                                        \
    X(BINANCE_US_EXPIRED_IN_MATCH, "EXPIRED_IN_MATCH", false)

enum binance_us_status {
#define X(name, word, live) name,
    BINANCE_US_STATUSES(X)
#undef X
        BINANCE_US_OTHER_STATUS, /* a word that is not in the list */
    BINANCE_US_NO_STATUS         /* an acknowledgement, which tells none */
};

/* Whether an order of this status may still fill; false for the last two. */
bool binance_us_status_is_live(enum binance_us_status status);

/* One order, as every answer about one tells it. */
struct binance_us_order {
    char symbol[BINANCE_SYMBOL_MAX + 1];
    char name[BINANCE_US_NAME_MAX +
              1]; /* its client order id; of a cancel's answer the original one */
    uint64_t id;
    int64_t time_ns; /* the venue's: transactTime, else updateTime; 0: told neither */
    struct json_decimal price, quantity, executed; /* where there is a status */
    uint8_t status;                                /* enum binance_us_status */
    uint8_t side;                                  /* enum side; where there is a status */
    uint8_t time_in_force; /* enum time_in_force; TIME_IN_FORCE_COUNT: a word that is not known */
};

struct binance_us_orders {
    struct binance_us_order *list;
    size_t count, capacity;
};

/* One fill: of an order's FULL answer, or of the account's trade list, which tells all of it. */
struct binance_us_fill {
    uint64_t trade, order; /* the venue's numbers; order: trade list */
    struct json_decimal price, quantity;
    money fee;
    char fee_asset[EVENT_NAME_MAX + 1]; /* empty where there is no fee */
    int64_t time_ns;                    /* 0: not told */
    bool maker, buyer;                  /* trade list */
};

/* Start from zero; grows, and is used again. */
struct binance_us_fills {
    struct binance_us_fill *list;
    size_t count, capacity;
};

/* An answer to a new order: ACK, RESULT or FULL. */
int binance_us_read_placed(const char *bytes, size_t length, struct binance_us_order *out,
                           struct binance_us_fills *fills, struct error *error);
/* An answer to a query or a cancel. */
int binance_us_read_order(const char *bytes, size_t length, struct binance_us_order *out,
                          struct error *error);
/* Open orders. */
int binance_us_read_orders(const char *bytes, size_t length, struct binance_us_orders *out,
                           struct error *error);
/* The account's trade list. */
int binance_us_read_trades(const char *bytes, size_t length, struct binance_us_fills *out,
                           struct error *error);

enum binance_us_result { BINANCE_US_SUCCESS, BINANCE_US_FAILURE, BINANCE_US_NOT_ATTEMPTED };

/* Half of a cancelReplace: what its request would have been answered. */
struct binance_us_half {
    uint8_t result;                /* enum binance_us_result */
    struct binance_us_order order; /* SUCCESS */
    struct binance_us_error error; /* FAILURE */
};

/* An answer to cancelReplace: 200, or 400 and 409 with "data". */
struct binance_us_replaced {
    struct binance_us_half cancelled, placed;
};
int binance_us_read_replaced(const char *bytes, size_t length, struct binance_us_replaced *out,
                             struct binance_us_fills *fills, struct error *error);

/* --- account ----------------------------------------------------------------------------------------- */

struct binance_us_balance {
    char asset[EVENT_NAME_MAX + 1];
    money free, locked;
};

struct binance_us_balances {
    struct binance_us_balance *list;
    size_t count, capacity;
};

struct binance_us_account {
    bool can_trade, has_fees;
    int64_t maker_fee, taker_fee; /* 1e-9 */
    int64_t updated_ns;           /* 0: not told */
    struct binance_us_balances balances;
};

/* The account's rights, fees and balances. Start from zero; the list grows and is used again. */
int binance_us_read_account(const char *bytes, size_t length, struct binance_us_account *out,
                            struct error *error);

/* Fees of one of our symbols. */
struct binance_us_fee {
    bool known;
    int64_t maker_fee, taker_fee; /* 1e-9 */
};
/* The list of trading fees; `fees` by place in `symbols`, all zero before. Other symbols are passed over. */
int binance_us_read_fees(const char *bytes, size_t length, const char *const *symbols, size_t count,
                         struct binance_us_fee *fees, struct error *error);

/* One more at the end of a list; false without memory. */
bool binance_us_orders_append(struct binance_us_orders *orders,
                              const struct binance_us_order *order);
bool binance_us_fills_append(struct binance_us_fills *fills, const struct binance_us_fill *fill);
/* Free what lists hold. */
void binance_us_fills_free(struct binance_us_fills *fills);
void binance_us_orders_free(struct binance_us_orders *orders);
void binance_us_balances_free(struct binance_us_balances *balances);

/* --- small answers ----------------------------------------------------------------------------------- */

/* The venue's time, and the name of a private stream (letters and digits). */
int binance_us_read_time(const char *bytes, size_t length, int64_t *out_ns, struct error *error);
int binance_us_read_listen_key(const char *bytes, size_t length, char out[BINANCE_US_KEY_MAX],
                               struct error *error);

/* Best prices as REST tells them. */
struct binance_us_ticker {
    bool known;
    struct json_decimal price[2], quantity[2]; /* by side */
};
/* bookTicker of one symbol or of all; `tickers` by place in `symbols`, all zero before. */
int binance_us_read_tickers(const char *bytes, size_t length, const char *const *symbols,
                            size_t count, struct binance_us_ticker *tickers, struct error *error);

/* An answer on a stream: {"result": null, "id": 1}, or an error. */
struct binance_us_stream_answer {
    bool has_id;
    uint64_t id;
    struct binance_us_error error; /* code 0: none */
};
int binance_us_read_stream_answer(const char *bytes, size_t length,
                                  struct binance_us_stream_answer *out, struct error *error);

/* --- private events ---------------------------------------------------------------------------------- */

/* X(name, the venue's word) of an executionReport's `x`. */
#define BINANCE_US_EXECUTIONS(X)                                                                   \
    X(BINANCE_US_EXECUTION_NEW, "NEW")                                                             \
    X(BINANCE_US_EXECUTION_TRADE, "TRADE")                                                         \
    X(BINANCE_US_EXECUTION_CANCELED, "CANCELED")                                                   \
    X(BINANCE_US_EXECUTION_REJECTED, "REJECTED")                                                   \
    X(BINANCE_US_EXECUTION_EXPIRED, "EXPIRED")                                                     \
    X(BINANCE_US_EXECUTION_TRADE_PREVENTION, "TRADE_PREVENTION")

enum binance_us_execution {
#define X(name, word) name,
    BINANCE_US_EXECUTIONS(X)
#undef X
        BINANCE_US_EXECUTION_OTHER /* REPLACED, and words that are not known */
};

enum binance_us_event_kind {
    BINANCE_US_REPORT,      /* executionReport: `order`, and `fill` where it is a trade */
    BINANCE_US_BALANCES,    /* outboundAccountPosition: `balances` */
    BINANCE_US_TRANSFER,    /* balanceUpdate: `asset`, `amount` */
    BINANCE_US_KEY_EXPIRED, /* listenKeyExpired, eventStreamTerminated */
    BINANCE_US_API_ANSWER, /* an answer of the WS-API: `status`, and `error` where it is none of 200 */
    BINANCE_US_OTHER_EVENT /* listStatus, serverShutdown, what is not known: `word` */
};

/* Start from zero; the list of balances grows and is used again. */
struct binance_us_event {
    uint8_t kind;                     /* enum binance_us_event_kind */
    uint8_t execution;                /* enum binance_us_execution */
    char word[BINANCE_NAME_MAX + 1];  /* `e`, or the execution that is not known */
    char reason[BINANCE_US_TEXT_MAX]; /* of a rejection: `r` */
    int64_t time_ns;                  /* transaction, or of the account's last change */
    struct binance_us_order order;    /* `executed` counts this fill */
    struct binance_us_fill fill;
    struct binance_us_balances balances;
    char asset[EVENT_NAME_MAX + 1];
    money amount; /* signed */
    uint64_t status;
    struct binance_us_error error;
};

/* One frame of the private stream, raw or in a wrapper: {"stream", "data"} or {"subscriptionId", "event"}. */
int binance_us_read_event(const char *bytes, size_t length, struct binance_us_event *out,
                          struct error *error);
void binance_us_event_free(struct binance_us_event *event);

#endif
