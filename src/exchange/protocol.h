/* What a venue's wire protocol is to the exchange: requests in, answers out, streams that are told things.
 * It does no I/O and reads no clock, so that tests drive it as the host does.
 *
 * A request is first described (what kind it is, whose order it speaks of), which changes nothing, so that
 * faults can choose it; then it is done. A stream is a websocket or an answer that goes on (lines of JSON). */
#ifndef CAPSTAN_EXCHANGE_PROTOCOL_H
#define CAPSTAN_EXCHANGE_PROTOCOL_H

#include "exchange/core.h"
#include "exchange/json.h"
#include "exchange/market.h"
#include "net/server.h"

enum {
    EXCHANGE_HEADERS_MAX = 8,
    EXCHANGE_HEADER_TEXT_MAX = 64,
    EXCHANGE_KEY_MAX = 512,
    EXCHANGE_SECRET_MAX = 2048
};

/* Kinds of requests, the same words for every venue. X(name, meaning) */
#define EXCHANGE_REQUESTS(X)                                                                       \
    X(place, "a new order")                                                                        \
    X(cancel, "cancel one order, or several by their ids")                                         \
    X(cancel_all, "cancel all orders of an instrument")                                            \
    X(replace, "cancel an order and send another")                                                 \
    X(edit, "change an order")                                                                     \
    X(query, "ask for one order")                                                                  \
    X(open_orders, "ask for the open orders")                                                      \
    X(orders, "ask for orders of any state")                                                       \
    X(account, "ask for balances or the account")                                                  \
    X(fills, "ask for fills, or for transactions since one")                                       \
    X(positions, "ask for positions or trades that are open")                                      \
    X(instruments, "ask what can be traded")                                                       \
    X(time, "ask for the venue's time")                                                            \
    X(rights, "ask what the key may do")                                                           \
    X(fees, "ask for fees")                                                                        \
    X(limits, "ask what is left of limits on orders")                                              \
    X(book, "ask for the book or best prices")                                                     \
    X(trades, "ask for public trades")                                                             \
    X(listen_key, "make, keep or end a private stream's key")                                      \
    X(stream, "open a stream: a websocket's upgrade, or an answer that goes on")                   \
    X(subscribe, "a message that a client sends on a websocket")                                   \
    X(other, "anything else")

enum exchange_request {
#define X(name, meaning) EXCHANGE_##name,
    EXCHANGE_REQUESTS(X)
#undef X
        EXCHANGE_REQUEST_COUNT
};

/* "place"; and the inverse, EXCHANGE_REQUEST_COUNT where there is none of that name. */
const char *exchange_request_name(enum exchange_request request);
enum exchange_request exchange_request_by_name(const char *name, size_t length);

/* What a request is. */
struct exchange_call {
    enum exchange_request kind;
    char client[CORE_CLIENT_MAX + 1]; /* client id of the order it places, or it speaks of; "" */
};

/* A header of a request by its name in lower case, or NULL. */
const char *exchange_request_header(const struct net_incoming *incoming, const char *name);

/* What is answered. The protocol clears nothing: the host gives it zeroed, but for memory in `body`. */
struct exchange_reply {
    int status; /* HTTP */
    const char *content_type;
    size_t header_count;
    struct {
        const char *name;
        char value[EXCHANGE_HEADER_TEXT_MAX];
    } headers[EXCHANGE_HEADERS_MAX];
    struct json body;
    bool stream; /* instead of an answer: the connection becomes a stream now */
};

/* Add a header; `format` as printf's. */
void exchange_header(struct exchange_reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One stream. The host makes and frees it; what is in `state` is the protocol's. */
struct exchange_stream {
    struct exchange_stream *next; /* of the protocol's list */
    void *connection;             /* the host's */
    bool websocket;
    bool private_one; /* of the account, not of the market */
    int64_t opened;
    int64_t said; /* when the protocol last sent on it */
    void *state;  /* freed with free() */
};

/* What a protocol may do to its streams. None of these calls back before it has returned, and none of them
 * frees the stream. `kind` names the message for faults and counts: "depthUpdate". */
struct exchange_port {
    void *context;
    void (*send)(void *context, struct exchange_stream *stream, const char *kind, const char *text,
                 size_t length);
    void (*ping)(void *context, struct exchange_stream *stream);
    void (*finish)(void *context, struct exchange_stream *stream, unsigned code,
                   const char *reason);
};

/* Who may use the venue. */
struct exchange_credentials {
    char key[EXCHANGE_KEY_MAX];
    char secret[EXCHANGE_SECRET_MAX];
};

struct protocol;

struct protocol_options {
    const struct exchange_port *port;
    struct core *core;
    struct market_view *market;
    const struct event_names *names;
    unsigned venue;
    const struct exchange_credentials *credentials;
    uint64_t seed; /* of ids */
    int64_t now;
};

/* Each venue has one of these. */
struct protocol_kind {
    const char *venue; /* as in event_names */
    /* Names of the messages that its streams carry, NULL behind the last. */
    const char *const *messages;
    int (*open)(struct protocol **protocol, const struct protocol_options *options,
                struct error *error);
};

struct protocol {
    const struct protocol_kind *kind;
    struct exchange_stream *streams; /* all that are open */
    int64_t skew; /* what its clock shows less what it is, ns; the host's to set */
    void (*describe)(struct protocol *protocol, const struct net_incoming *incoming,
                     struct exchange_call *call);
    /* Do it, at `now`, which core has been advanced to. ERROR_… only where the core gives up. */
    int (*request)(struct protocol *protocol, const struct net_incoming *incoming, int64_t now,
                   struct exchange_reply *reply, struct error *error);
    /* The request that asked for it (reply->stream) has become a stream. */
    void (*opened)(struct protocol *protocol, struct exchange_stream *stream,
                   const struct net_incoming *incoming, int64_t now);
    void (*text)(struct protocol *protocol, struct exchange_stream *stream, const char *text,
                 size_t length, int64_t now);
    /* The stream is gone and already out of `streams`. */
    void (*closed)(struct protocol *protocol, struct exchange_stream *stream, int64_t now);
    /* An order's event, from within whatever caused it. */
    void (*order)(struct protocol *protocol, const struct core_event *event, int64_t now);
    /* The market view has taken a message. */
    void (*market)(struct protocol *protocol, enum market_news news,
                   struct public_instrument *instrument, const struct message *message,
                   int64_t now);
    /* When tick is wanted next; TIME_NEVER. */
    int64_t (*deadline)(const struct protocol *protocol);
    void (*tick)(struct protocol *protocol, int64_t now);
    /* What the venue answers when it is overloaded or limits us: the body of a fault's status. */
    void (*refusal)(struct protocol *protocol, int status, int64_t retry_after_s, int64_t now,
                    struct exchange_reply *reply);
    /* Members "fills" and "balances" of the venue's state, of a venue whose fills and money are others than the
     * core's; NULL: they are the core's. */
    void (*write_books)(const struct protocol *protocol, struct json *json);
    void (*close)(struct protocol *protocol);
};

extern const struct protocol_kind protocol_binance_us;
extern const struct protocol_kind protocol_coinbase;
extern const struct protocol_kind protocol_oanda;

/* By the venue's name; NULL. */
const struct protocol_kind *protocol_by_venue(const char *venue);

/* The host's part of a list of streams. */
void protocol_add_stream(struct protocol *protocol, struct exchange_stream *stream);
void protocol_remove_stream(struct protocol *protocol, struct exchange_stream *stream);

#endif
