/* The state of Coinbase (Advanced Trade) as the exchange plays it, shared by its files. Shapes are those of its
 * API's samples; what is done with a key is bound to it by web tokens. */
#ifndef CAPSTAN_EXCHANGE_COINBASE_H
#define CAPSTAN_EXCHANGE_COINBASE_H

#include "exchange/parameters.h"
#include "exchange/protocol.h"
#include "exchange/rate.h"

enum { COINBASE_UUID_MAX = 37, COINBASE_TIME_MAX = 40 };

struct coinbase {
    struct protocol protocol; /* first */
    struct protocol_options options;
    struct rate_window private_rate, public_rate, connections, texts;
    int64_t next_heartbeat, next_batch; /* of streams */
    uint64_t heartbeats;
    uint64_t *trades_told; /* by place in the market view: trade_count when trades were last told */
    struct json scratch;
};

/* One request while it is done. */
struct coinbase_call {
    struct coinbase *venue;
    const struct net_incoming *incoming;
    const struct path_parts *path; /* behind /api/v3/brokerage, or the whole */
    const struct parameters *parameters;
    const cJSON *json; /* the body of a POST, an object */
    int64_t now;
    struct exchange_reply *reply;
    struct json *body; /* the reply's */
    struct error *error;
    bool failed; /* the core gave up: `error` is set */
};

/* Details that only Coinbase keeps of an order. */
struct coinbase_order {
    char configuration[32]; /* "limit_limit_gtc" */
};

/* Answer an error in the shape {"error","error_details","message"}. */
void coinbase_error(struct coinbase_call *call, int status, const char *error, const char *message);
/* A time as the venue's clock shows it: RFC 3339 with microseconds. */
void coinbase_time(const struct coinbase *venue, int64_t time, char out[COINBASE_TIME_MAX]);
/* The id of something that has a number: kinds 'o' orders, 't' trades, 'e' entries, 'a' accounts; and an
 * order's number (from 1) of its id, 0 where it is none. */
void coinbase_uuid(char kind, uint64_t number, char out[COINBASE_UUID_MAX]);
uint64_t coinbase_order_number(const char *uuid);
/* "OPEN", "FILLED", "CANCELLED", "EXPIRED", "FAILED"; "GOOD_UNTIL_CANCELLED" … */
const char *coinbase_status(const struct core_order *order);
const char *coinbase_time_in_force(const struct core_order *order);
/* The definition of an order's instrument. */
const struct event_definition *coinbase_definition(const struct coinbase *venue,
                                                   const struct core_order *order);
/* Whether a token in "Bearer …" or a message's "jwt" is good: signed with the key's, in its time, and for
 * `uri` (method, space, host, path; NULL: for a websocket, which has none) on any of the hosts. */
bool coinbase_token_is_good(const struct coinbase *venue, const char *token, const char *method,
                            const char *host, const char *path, int64_t now);

/* --- endpoints; each writes the whole body or an error ------------------------------------------- */

/* coinbase_market.c */
void coinbase_get_time(struct coinbase_call *call);
void coinbase_get_products(struct coinbase_call *call);
void coinbase_get_product(struct coinbase_call *call);
void coinbase_get_product_book(struct coinbase_call *call);
void coinbase_get_best_bid_ask(struct coinbase_call *call);
void coinbase_get_ticker(struct coinbase_call *call);
void coinbase_get_currencies(struct coinbase_call *call);
void coinbase_get_crypto_currencies(struct coinbase_call *call);
void coinbase_get_exchange_rates(struct coinbase_call *call);

/* coinbase_orders.c */
void coinbase_post_order(struct coinbase_call *call);
void coinbase_post_batch_cancel(struct coinbase_call *call);
void coinbase_post_edit(struct coinbase_call *call);

/* coinbase_account.c */
void coinbase_get_order(struct coinbase_call *call);
void coinbase_get_orders(struct coinbase_call *call);
void coinbase_get_fills(struct coinbase_call *call);
void coinbase_get_accounts(struct coinbase_call *call);
void coinbase_get_key_permissions(struct coinbase_call *call);
void coinbase_get_transaction_summary(struct coinbase_call *call);
/* "order_configuration" as it was sent. */
void coinbase_write_configuration(const struct coinbase *venue, const struct core_order *order,
                                  struct json *json);

/* --- streams, coinbase_stream.c ------------------------------------------------------------------- */

/* The protocol's functions for streams. */
void coinbase_opened(struct protocol *protocol, struct exchange_stream *stream,
                     const struct net_incoming *incoming, int64_t now);
void coinbase_text(struct protocol *protocol, struct exchange_stream *stream, const char *text,
                   size_t length, int64_t now);
void coinbase_closed(struct protocol *protocol, struct exchange_stream *stream, int64_t now);
void coinbase_order_event(struct protocol *protocol, const struct core_event *event, int64_t now);
void coinbase_market_news(struct protocol *protocol, enum market_news news,
                          struct public_instrument *instrument, const struct message *message,
                          int64_t now);
int64_t coinbase_deadline(const struct protocol *protocol);
void coinbase_tick(struct protocol *protocol, int64_t now);
extern const char *const coinbase_messages[];

#endif
