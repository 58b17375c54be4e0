/* The state of OANDA (v20) as the exchange plays it, shared by its files. Shapes are those of its OpenAPI schema
 * 3.0.25. Every change of the account is a transaction; their ids have no gaps, and an order's and a trade's id
 * is that of the transaction that made it. */
#ifndef CAPSTAN_EXCHANGE_OANDA_H
#define CAPSTAN_EXCHANGE_OANDA_H

#include "exchange/parameters.h"
#include "exchange/protocol.h"
#include "exchange/rate.h"

enum {
    OANDA_TEXT_MAX = 40,
    OANDA_TIME_MAX = 40,
    OANDA_CLOSED_MAX = 32, /* trades that one fill may close; more are closed by further fills */
    OANDA_LEVELS = 4,      /* of a price that is told */
    OANDA_MONEY_DECIMALS = 4
};

enum oanda_type {
    OANDA_TRANSFER_FUNDS,
    OANDA_MARKET_ORDER,
    OANDA_LIMIT_ORDER,
    OANDA_MARKET_ORDER_REJECT,
    OANDA_LIMIT_ORDER_REJECT,
    OANDA_ORDER_FILL,
    OANDA_ORDER_CANCEL,
    OANDA_ORDER_CANCEL_REJECT,
    OANDA_TYPES
};

/* An order as it was asked for, in the texts of the answer. */
struct oanda_details {
    bool is_market;
    char instrument[OANDA_TEXT_MAX + 1], units[OANDA_TEXT_MAX + 1];
    char price[OANDA_TEXT_MAX + 1]; /* of a market order its bound; "": none */
    char time_in_force[8], position_fill[16], trigger[16];
    int64_t expires; /* gtdTime; TIME_NEVER: none */
    char client[CORE_CLIENT_MAX + 1], tag[CORE_CLIENT_MAX + 1], comment[CORE_CLIENT_MAX + 1];
    uint64_t replaces; /* order id, 0: none */
};

/* What a fill did to one trade. */
struct oanda_change {
    uint64_t trade;
    int64_t units; /* signed, as the fill's */
    money profit;
};

struct oanda_fill {
    int64_t units; /* signed */
    money price;   /* average */
    money profit, balance, half_spread_cost;
    struct oanda_change opened, reduced; /* trade 0: none */
    struct oanda_change closed[OANDA_CLOSED_MAX];
    unsigned closed_count;
    struct book_level bid, ask; /* the market then */
};

struct oanda_transaction {
    uint64_t id, batch;
    int64_t time;
    uint8_t type; /* enum oanda_type */
    char request[OANDA_TEXT_MAX + 1];
    uint16_t instrument;
    const char *reason;   /* of the order, fill, cancel or refusal */
    uint64_t order;       /* fill and cancel: whose */
    uint64_t replaced_by; /* cancel */
    char client[CORE_CLIENT_MAX + 1];
    struct oanda_details *details; /* orders and refusals; its own */
    struct oanda_fill *fill;       /* fills; its own */
    money amount;                  /* transfer */
};

/* What OANDA keeps of an order; core_order.protocol. */
struct oanda_order {
    struct oanda_details details;
    uint64_t id, filling, cancelling, replaced_by; /* 0: none */
    int64_t filled_time, cancelled_time;
};

struct oanda_trade {
    uint64_t id;
    uint16_t instrument;
    int64_t initial, current; /* signed units */
    money price, realised;
    int64_t opened, closed; /* times; `closed` 0: open */
};

struct oanda {
    struct protocol protocol; /* first */
    struct protocol_options options;
    struct rate_window requests;
    uint16_t home; /* asset of the account */
    money initial, profit;
    money *profits; /* realised by instrument and side of the position (0 long, 1 short) */
    struct oanda_transaction *transactions; /* id is place + 1 */
    size_t transaction_count, transaction_capacity;
    struct oanda_trade *trades;
    size_t trade_count, trade_capacity;
    /* The request under way. */
    const char *request_id;  /* "" where none came */
    uint64_t batch;          /* 0: none yet */
    bool replaced_by_next;   /* the cancel under way is a replacement */
    const char *why_expired; /* reason of what ends unfilled */
    bool collects;           /* fills of the request are one */
    struct core_order *collected;
    int64_t collected_quantity, collected_time;
    money collected_value;
    /* Streams. */
    int64_t next_prices, next_heartbeat;
    bool *price_changed; /* by place in the market view */
    struct json scratch;
};

/* One request while it is done. */
struct oanda_call {
    struct oanda *venue;
    const struct net_incoming *incoming;
    const struct path_parts *path; /* from "accounts" on */
    const struct parameters *parameters;
    const cJSON *json; /* the body */
    int64_t now;
    bool unix_time;
    struct exchange_reply *reply;
    struct json *body; /* the reply's */
    struct error *error;
    bool failed; /* the core gave up: `error` is set */
};

/* {"errorMessage": …} with a status. */
void oanda_error(struct oanda_call *call, int status, const char *message);
/* A time as the venue's clock shows it: RFC 3339 or seconds since 1970, nine decimals. */
void oanda_write_time(const struct oanda *venue, struct json *json, const char *name, int64_t time,
                      bool unix_time);
/* A number that stands as text: an id. */
void oanda_write_id(struct json *json, const char *name, uint64_t id);
/* What everything that changed is known by: "lastTransactionID". */
void oanda_write_last(const struct oanda *venue, struct json *json);
/* The venue's state behind the interface. */
struct oanda *oanda_of(const struct protocol *protocol);

/* --- transactions, oanda_transactions.c ----------------------------------------------------------- */

/* A new one, told on streams by oanda_publish once it is filled in. Valid until the next. */
struct oanda_transaction *oanda_new(struct oanda *venue, enum oanda_type type, int64_t time);
/* Tell the newest on the streams of transactions. */
void oanda_publish(struct oanda *venue);
void oanda_write_transaction(const struct oanda *venue, const struct oanda_transaction *transaction,
                             const char *name, bool unix_time, struct json *json);
/* Everything that a request made, from transaction `first` (place) on: members of an open object. */
void oanda_write_made(struct oanda_call *call, size_t first);
/* Fills and the balance as the account's transactions tell them: one fill of a request is one transaction,
 * whatever it took, and profit is that of its trades. */
void oanda_write_books(const struct protocol *protocol, struct json *json);
void oanda_free_transactions(struct oanda *venue);
/* "LIMIT_ORDER" … */
extern const char *const oanda_type_names[OANDA_TYPES];

/* Endpoints. */
void oanda_get_transactions_since(struct oanda_call *call);
void oanda_get_transactions_range(struct oanda_call *call);
void oanda_get_transaction_pages(struct oanda_call *call);
void oanda_get_transaction(struct oanda_call *call);

/* --- orders, oanda_orders.c ------------------------------------------------------------------------ */

/* Endpoints. */
void oanda_post_order(struct oanda_call *call);
void oanda_put_order(struct oanda_call *call);
void oanda_put_cancel(struct oanda_call *call);
/* An order's event, from the core. */
void oanda_order_event(struct protocol *protocol, const struct core_event *event, int64_t now);

/* --- fills, oanda_fills.c ---------------------------------------------------------------------------- */

/* Book `quantity` (> 0) of an order filled for `value` in quote: trades, profit, a transaction. */
void oanda_book_fill(struct oanda *venue, struct core_order *order, int64_t quantity, money value,
                     int64_t time);
/* Profit of an instrument's quote in the account's asset, by the market now; false where no rate is known. */
bool oanda_to_home(const struct oanda *venue, const struct event_definition *definition,
                   money amount, money *home);
/* Part of a position's value that is margin, in 1e-9. */
int64_t oanda_margin_rate(const struct oanda *venue, const struct event_definition *definition);
/* The account's figures now. */
struct oanda_figures {
    money balance, unrealised, worth, margin_used, margin_available, position_value;
    unsigned open_trades, open_positions, pending_orders;
};
struct oanda_figures oanda_figures(const struct oanda *venue);
/* What a trade would gain if it were closed now, in the account's asset. */
money oanda_unrealised(const struct oanda *venue, const struct oanda_trade *trade);

/* --- the account and prices, oanda_account.c ---------------------------------------------------------- */

/* Endpoints. */
void oanda_get_accounts(struct oanda_call *call);
void oanda_get_account(struct oanda_call *call);
void oanda_get_summary(struct oanda_call *call);
void oanda_get_instruments(struct oanda_call *call);
void oanda_get_orders(struct oanda_call *call);
void oanda_get_pending_orders(struct oanda_call *call);
void oanda_get_order(struct oanda_call *call);
void oanda_get_positions(struct oanda_call *call);
void oanda_get_open_positions(struct oanda_call *call);
void oanda_get_position(struct oanda_call *call);
void oanda_get_trades(struct oanda_call *call);
void oanda_get_open_trades(struct oanda_call *call);
void oanda_get_pricing(struct oanda_call *call);
/* The order that "123" or "@client" means; a client's id only while it is pending. NULL. */
struct core_order *oanda_find_order(const struct oanda *venue, const char *specifier);
/* The members of a price: instrument, time, bids, asks … of an open object. */
void oanda_write_price(const struct oanda *venue, struct json *json,
                       const struct public_instrument *instrument, bool unix_time);

/* --- streams, oanda_stream.c ---------------------------------------------------------------------------- */

/* Requests that become streams: /pricing/stream and /transactions/stream. */
void oanda_get_stream(struct oanda_call *call);
/* The protocol's functions for streams. */
void oanda_opened(struct protocol *protocol, struct exchange_stream *stream,
                  const struct net_incoming *incoming, int64_t now);
void oanda_text(struct protocol *protocol, struct exchange_stream *stream, const char *text,
                size_t length, int64_t now);
void oanda_closed(struct protocol *protocol, struct exchange_stream *stream, int64_t now);
void oanda_market_news(struct protocol *protocol, enum market_news news,
                       struct public_instrument *instrument, const struct message *message,
                       int64_t now);
int64_t oanda_deadline(const struct protocol *protocol);
void oanda_tick(struct protocol *protocol, int64_t now);
/* One transaction to all streams of transactions. */
void oanda_stream_transaction(struct oanda *venue, const struct oanda_transaction *transaction);
extern const char *const oanda_messages[];

#endif
