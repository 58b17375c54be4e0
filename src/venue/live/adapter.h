/* One venue's protocol as a state machine that does no I/O: bytes, answers and the time go in; requests,
 * text for its channels and messages for the engine come out through a port. The same adapter runs over
 * the network (live/live_io), in a test's hands, and under the benchmark's clock.
 *
 *   port.request ──► HTTPS ──► answered()          decision() ◄── what the engine decided
 *   port.open/send ─► channel ─► opened(), text(), closed()       port.emit ──► what the engine is told
 *
 * A life has two parts.
 *
 *   DISCOVERING: from start(). The adapter asks for the venue's time, its rights, its instruments with
 *     their filters, and its fees, until it is READY or FAILED (with `failure`).
 *   READY: the host reads `found`, makes the tape's names of it and calls begin(). From then on the
 *     adapter keeps its channels up: market data synchronised and private stream open, each by the venue's
 *     own rules; it reconnects with a jittered back-off, makes a new connection before an old one's age
 *     limit, tells of gaps, and once its private stream stands, and after each time that it broke, tells
 *     the account unasked (balances, positions, open orders, snapshot_end). That it broke, and that it
 *     stands, is told as orders_stream; accounts that the engine asks for are told meanwhile too.
 *
 * What it owes the engine, and nobody else checks:
 *   - An order is sent once. Place, modify and replace are never repeated; a cancel or a query may be.
 *   - Unknown is not failed: no answer, an answer that can't be read, 5xx, a connection lost after the
 *     sending: order_unknown with the request's kind. Certainly not sent (NET_NOT_SENT) of a place is
 *     order_unknown too: it counts as a failure of the infrastructure (trading-semantics 29), and asking
 *     settles it.
 *   - A query is answered with each fill of the order (its trade ids are the venue's, so that what was told
 *     before counts once), its end where it has ended, then order_status, or order_not_found; an answer
 *     that fails is order_unknown with REQUEST_QUERY.
 *   - request_snapshot is answered with rows and snapshot_end, whose `taken` is when its first request was
 *     sent; a snapshot of which a part is missing has no end.
 *   - Definite refusals are named (enum reject) by a table of the venue's codes; a refusal that is in no
 *     table is REJECT_OTHER and logged once a code.
 *   - Prices and quantities are exact: texts of the venue to units of the definition (base/decimal), never
 *     through a double.
 *   - Nothing secret in emit, log or raw.
 *
 * Times are of the session's clock: ns since 1970 UTC, never back, the clock that stamps ts_local. */
#ifndef CAPSTAN_VENUE_LIVE_ADAPTER_H
#define CAPSTAN_VENUE_LIVE_ADAPTER_H

#include "base/error.h"
#include "base/log.h"
#include "event/event.h"
#include "net/net.h"
#include "venue/live/credentials.h"

enum {
    ADAPTER_CHANNELS = 6, /* that may be open at one time */
    ADAPTER_URL_MAX = 2048,
    ADAPTER_FAILURE_MAX = 512
};

enum adapter_channel_kind { ADAPTER_WEBSOCKET, ADAPTER_LINES };

/* What to open on a channel. */
struct adapter_channel {
    enum adapter_channel_kind kind;
    const char *url;
    struct net_header headers[4];
    size_t header_count;
    int64_t timeout_ns; /* websocket: to be open; lines: longest silence */
};

/* One request; `tag` comes back with its answer. */
struct adapter_request {
    uint64_t tag;
    const char *method, *url;
    struct net_header headers[8];
    size_t header_count;
    const char *body; /* NULL: none */
    size_t length;
    int64_t timeout_ns;
};

/* What an adapter may do to the world. Whatever is pointed to is copied before the call returns. None of
 * these calls back into the adapter before it has returned; what fails comes back later as answered() or
 * closed(). */
struct adapter_port {
    void *context;
    void (*request)(void *context, const struct adapter_request *request);
    void (*open)(void *context, unsigned channel, const struct adapter_channel *what);
    void (*send)(void *context, unsigned channel, const char *text, size_t length);
    void (*close)(void *context, unsigned channel); /* no closed() follows */
    /* ts_local is ignored: who sequences stamps it. Messages of one frame are emitted in order, all but the
     * last with MESSAGE_MORE. */
    void (*emit)(void *context, const struct message *message);
    void (*log)(void *context, enum log_level level, const char *text);
};

/* An instrument as the venue tells it, before it has a number. */
struct adapter_instrument {
    char symbol[EVENT_NAME_MAX + 1]; /* the venue's */
    char base[EVENT_NAME_MAX + 1], quote[EVENT_NAME_MAX + 1], settle[EVENT_NAME_MAX + 1];
    /* instrument, venue and assets are not set yet. */
    struct event_definition definition;
    uint8_t trading; /* enum trading */
};

/* A trade of ours that a tape has. */
struct adapter_trade {
    order_id order;
    struct venue_id trade;
    uint16_t instrument; /* EVENT_NONE_16: not known any more */
};

/* Numbers of what an adapter talks of, by the tape's names. Belongs to the host, outlives the adapter. */
struct adapter_numbers {
    uint8_t venue;
    const struct event_names *names;
    const uint16_t *instruments; /* by place in `found`: the instrument's number */
    /* By place in `found`: the position that an engine has carried over from the session before, in quantity
     * units; NULL: all 0. A venue that only has balances tells positions as their change since begin(), so that
     * it needs to know what they began with. */
    const int64_t *positions;
    /* Fills of this time of the session's clock and later may be missing on the tape (0: none is): once the private
     * stream stands the venue is asked for them, and those of orders of ours that are not among `trades` are told,
     * without leaves, before the first account. */
    int64_t fills_since;
    const struct adapter_trade *trades; /* may be NULL where there is none */
    size_t trade_count;
};

/* Whether a tape has that trade. */
bool adapter_trade_is_told(const struct adapter_numbers *numbers, order_id order,
                           const struct venue_id *trade);
/* The same where the venue does not say whose order it is: by its instrument, within which a trade has its id alone.
 * False too where the instrument is not known any more. */
bool adapter_has_trade(const struct adapter_numbers *numbers, uint16_t instrument,
                       const struct venue_id *trade);

struct adapter_settings {
    const char *name;     /* the venue's, as in settings and on the tape: "binance_us" */
    const char *rest_url; /* "https://api.binance.us"; NULL: the venue's own */
    const char
        *stream_url; /* "wss://stream.binance.us:9443" or https:// of the line streams; NULL */
    const char *private_url;    /* where the private stream is elsewhere; NULL: the venue's own */
    const char *const *symbols; /* what is to be traded or recorded */
    size_t symbol_count;
    const struct credentials *credentials; /* NULL: market data only (`record`) */
    bool market_only;           /* credentials or not: no order, no account, no private stream */
    const char *session;        /* prefix of our client order ids: 1 to 8 of [a-z0-9] */
    int64_t request_timeout_ns; /* of one request */
    int64_t
        expiry_ns; /* dead man: orders end by themselves after so long where the venue can; 0: never */
    uint64_t seed; /* of the jitter of its back-off; nothing else is random but nonces */
};

enum adapter_state { ADAPTER_DISCOVERING, ADAPTER_READY, ADAPTER_RUNNING, ADAPTER_FAILED };

/* What health pages ask. */
struct adapter_health {
    bool market_synchronised; /* every instrument's book */
    bool private_up;          /* the private stream stands, or none is wanted */
};

struct adapter;

/* What each venue has one of. */
struct adapter_kind {
    const char *name;       /* "binance_us" */
    bool needs_credentials; /* market data is told to accounts alone */
    /* Settings are copied; the credentials must outlive it. */
    int (*open)(struct adapter **adapter, const struct adapter_settings *settings,
                const struct adapter_port *port, struct error *error);
};

enum adapter_stream { ADAPTER_STREAM_NOT_TOLD, ADAPTER_STREAM_DOWN, ADAPTER_STREAM_UP };

struct adapter {
    const struct adapter_kind *kind;
    enum adapter_state state;
    char failure[ADAPTER_FAILURE_MAX];
    bool refused; /* that is of settings or of keys, and trying again does not heal it */
    struct adapter_instrument *found; /* in the order of `symbols` */
    size_t found_count;
    struct adapter_health health;
    uint8_t
        stream_told; /* what the engine was last told of the private stream: enum adapter_stream */
    int64_t stream_due; /* until when it is waited for at the start; 0: not begun */
    void (*start)(struct adapter *adapter, int64_t now);
    void (*begin)(struct adapter *adapter, const struct adapter_numbers *numbers, int64_t now);
    void (*opened)(struct adapter *adapter, unsigned channel, int64_t now);
    void (*text)(struct adapter *adapter, unsigned channel, const char *text, size_t length,
                 int64_t now);
    void (*ping)(struct adapter *adapter, unsigned channel, int64_t now); /* may be NULL */
    /* The channel is gone. `status`: HTTP status of a stream of lines that was refused, else 0. */
    void (*closed)(struct adapter *adapter, unsigned channel, long status, const char *why,
                   int64_t now);
    void (*answered)(struct adapter *adapter, uint64_t tag, const struct net_response *response,
                     int64_t now);
    /* place, modify, replace, cancel, cancel_orphan, query, request_snapshot; others are ignored. */
    void (*decision)(struct adapter *adapter, const struct message *decision, int64_t now);
    /* When tick() is wanted next; TIME_NEVER: not. */
    int64_t (*deadline)(const struct adapter *adapter);
    void (*tick)(struct adapter *adapter, int64_t now);
    void (*close)(struct adapter *adapter);
};

/* The kinds there are, by name; NULL where there is none of that name. */
const struct adapter_kind *adapter_kind_by_name(const char *name);

/* --- client order ids -------------------------------------------------------------------------- */

/* "SESSION-EPOCH-COUNTER", as "mm1-3-17": at most 8 + 1 + 10 + 1 + 10 bytes of [a-z0-9-], which every venue
 * takes, and which no other of our sessions uses. */
enum { ADAPTER_ORDER_NAME_MAX = 32 };
void adapter_order_name(const char *session, order_id order, char out[ADAPTER_ORDER_NAME_MAX]);
/* The order that a client order id names: 0 where it is none of this session's. */
order_id adapter_order_of(const char *session, const char *name, size_t length);

#endif
