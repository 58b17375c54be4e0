/* The state of Binance.US as the exchange plays it, shared by its files. Shapes and codes are those of its
 * "Public Rest API", "Web Socket Streams", "User Data Streams", "Filters" and "Error codes" of 2023 to 2024. */
#ifndef CAPSTAN_EXCHANGE_BINANCE_US_H
#define CAPSTAN_EXCHANGE_BINANCE_US_H

#include "base/random.h"
#include "exchange/parameters.h"
#include "exchange/protocol.h"
#include "exchange/rate.h"

enum {
    BINANCE_DECIMALS = 8, /* of every price and quantity */
    BINANCE_LISTEN_KEY_BYTES = 64,
    BINANCE_SYMBOL_ORDERS_MAX = 200, /* MAX_NUM_ORDERS */
    BINANCE_PACES = 2                /* 100 ms: at once as the market is played; 1000 ms */
};

struct binance_us {
    struct protocol protocol; /* first */
    struct protocol_options options;
    struct random random;
    struct rate_window weight, raw_requests, orders_10s, orders_day, connections;
    int64_t banned_until;
    unsigned violations; /* requests over the limit since it was last kept */
    char listen_key[BINANCE_LISTEN_KEY_BYTES + 1]; /* "": none */
    int64_t listen_key_until;
    int64_t next_second;          /* of the slow pace */
    struct json scratch, wrapped; /* messages of streams */
};

/* One request while it is done. */
struct binance_call {
    struct binance_us *venue;
    const struct net_incoming *incoming;
    const struct parameters *parameters;
    int64_t now;
    struct exchange_reply *reply;
    struct json *body; /* the reply's */
    struct error *error;
    bool failed; /* the core gave up: `error` is set */
};

/* Answer {"code":…,"msg":…} with a status. Returns false, for a check's last line. */
bool binance_error(struct binance_call *call, int status, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Milliseconds of a time as the venue's clock shows it. */
int64_t binance_ms(const struct binance_us *venue, int64_t time);
/* The instrument that `symbol` names, NULL (and -1102 or -1121 answered) where there is none. */
struct public_instrument *binance_symbol(struct binance_call *call);
/* A random id as the venue makes them. */
void binance_make_id(struct binance_us *venue, char *out, size_t length);
/* The definition of an order's instrument, and its symbol. */
const struct event_definition *binance_definition(const struct binance_us *venue,
                                                  const struct core_order *order);
const char *binance_order_symbol(const struct binance_us *venue, const struct core_order *order);
/* "NEW", "PARTIALLY_FILLED" …; "LIMIT", "LIMIT_MAKER", "MARKET"; "GTC" … */
const char *binance_status(const struct core_order *order);
const char *binance_type(const struct core_order *order);
const char *binance_time_in_force(const struct core_order *order);

/* --- endpoints, binance_us_market.c ------------------------------------------------------------- */

/* Public endpoints of those names; each writes the whole body or an error. */
void binance_get_ping(struct binance_call *call);
void binance_get_time(struct binance_call *call);
void binance_get_exchange_info(struct binance_call *call);
void binance_get_depth(struct binance_call *call);
void binance_get_trades(struct binance_call *call);
void binance_get_average_price(struct binance_call *call);
void binance_get_ticker_price(struct binance_call *call);
void binance_get_book_ticker(struct binance_call *call);
void binance_get_ticker_24h(struct binance_call *call);
/* Levels of a side as [["price","quantity"],…] under a name. */
void binance_write_levels(struct json *json, const char *name,
                          const struct public_instrument *instrument, enum side side, size_t limit);

/* --- endpoints, binance_us_orders.c and binance_us_account.c ------------------------------------ */

/* Signed endpoints, likewise. */
void binance_post_order(struct binance_call *call);
void binance_post_order_test(struct binance_call *call);
void binance_delete_order(struct binance_call *call);
void binance_delete_open_orders(struct binance_call *call);
void binance_post_cancel_replace(struct binance_call *call);
void binance_get_order(struct binance_call *call);
void binance_get_open_orders(struct binance_call *call);
void binance_get_all_orders(struct binance_call *call);
void binance_get_account(struct binance_call *call);
void binance_get_my_trades(struct binance_call *call);
void binance_get_order_count(struct binance_call *call);
void binance_get_trading_fee(struct binance_call *call);
/* The order that `orderId` or `origClientOrderId` (by those parameters' names) means; NULL. */
struct core_order *binance_find_order(struct binance_call *call, const char *id_name,
                                      const char *client_name,
                                      const struct public_instrument *instrument);

/* --- streams, binance_us_stream.c ---------------------------------------------------------------- */

/* Endpoints of the private stream's key. */
void binance_post_listen_key(struct binance_call *call);
void binance_put_listen_key(struct binance_call *call);
void binance_delete_listen_key(struct binance_call *call);
/* Whether a path asks for a stream: /ws, /ws/…, /stream. */
bool binance_is_stream_path(const char *path);
/* The protocol's functions for streams. */
void binance_opened(struct protocol *protocol, struct exchange_stream *stream,
                    const struct net_incoming *incoming, int64_t now);
void binance_text(struct protocol *protocol, struct exchange_stream *stream, const char *text,
                  size_t length, int64_t now);
void binance_closed(struct protocol *protocol, struct exchange_stream *stream, int64_t now);
void binance_order_event(struct protocol *protocol, const struct core_event *event, int64_t now);
void binance_market_news(struct protocol *protocol, enum market_news news,
                         struct public_instrument *instrument, const struct message *message,
                         int64_t now);
int64_t binance_deadline(const struct protocol *protocol);
void binance_tick(struct protocol *protocol, int64_t now);
extern const char *const binance_messages[];

/* --- the WebSocket API, binance_us_api.c ------------------------------------------------------------ */

#define BINANCE_API_PATH "/ws-api/v3"
/* A message on a connection of that path. Its stream is private_one once it has subscribed to the account. */
void binance_api_text(struct binance_us *venue, struct exchange_stream *stream, const cJSON *root,
                      int64_t now);

#endif
