/* The Binance.US adapter's inside: one state machine in several files, each with a part of this struct.
 *
 *   binance_us.c            entries of adapter.h, the tick
 *   binance_us_ask.c        requests: signed, sent, answered; server time, limits, bans
 *   binance_us_discovery.c  from start() to READY, and definitions that change afterwards
 *   binance_us_links.c      websockets: opened, rotated before their age limit, given up when dead
 *   binance_us_market.c     books, trades, best prices
 *   binance_us_missed.c    fills of before this session that the tape may not have
 *   binance_us_orders.c     decisions, and what becomes of orders
 *   binance_us_private.c    listenKey, private events, the account
 *
 * Everything is due at ticks, a quarter of a second apart; what can't wait is done where it is noticed. */
#ifndef CAPSTAN_VENUE_LIVE_BINANCE_US_H
#define CAPSTAN_VENUE_LIVE_BINANCE_US_H

#include "base/time.h"
#include "venue/live/adapter_parts.h"
#include "venue/live/binance_feed.h"
#include "venue/live/binance_us_decode.h"
#include "venue/live/binance_us_errors.h"
#include "venue/live/binance_us_info.h"
#include "venue/live/binance_us_sign.h"

#define BINANCE_US_TICK_NS (250 * NS_PER_MS)

/* The venue's own addresses. */
#define BINANCE_US_REST   "https://api.binance.us"
#define BINANCE_US_STREAM "wss://stream.binance.us:9443"
#define BINANCE_US_API    "wss://ws-api.binance.us:443"

enum {
    BINANCE_US_MAGIC = 0x0b1a5cea,
    /* Three streams each, at most 1024 on one connection ("Web Socket Streams", limits). */
    BINANCE_US_SYMBOLS_MAX = 341,
    BINANCE_US_QUERIES_MAX = 256,
    BINANCE_US_CODES_MAX = 64 /* codes that were logged already */
};

/* --- requests ---------------------------------------------------------------------------------------- */

/* Bits of a request. */
enum {
    ASK_SIGNED = 1,  /* with key, timestamp and signature */
    ASK_KEYED = 2,   /* with the key alone */
    ASK_IN_BODY = 4, /* parameters in the body: it is never sent twice by the transport (net.h) */
    ASK_COUNTED = 8, /* counts as an order */
    ASK_BACKGROUND = 16, /* waits where weight gets short */
    ASK_VITAL = 32       /* about no order; how it ends is told to the breaker around the venue */
};

/* X(name, method, path, weight, bits). Weights are the venue's, the larger where documents differ. */
#define BINANCE_US_ASKS(X)                                                                         \
    X(ASK_TIME, "GET", "/api/v3/time", 1, ASK_VITAL)                                               \
    X(ASK_INFO, "GET", "/api/v3/exchangeInfo", 10, ASK_BACKGROUND)                                 \
    X(ASK_RIGHTS, "GET", "/api/v3/account", 10, ASK_SIGNED)                                        \
    X(ASK_FEES, "GET", "/sapi/v1/asset/query/trading-fee", 1, ASK_SIGNED)                          \
    X(ASK_DEPTH, "GET", "/api/v3/depth", 10, ASK_BACKGROUND)                                       \
    X(ASK_TICKERS, "GET", "/api/v3/ticker/bookTicker", 4, ASK_BACKGROUND)                          \
    X(ASK_LISTEN, "POST", "/api/v3/userDataStream", 2, ASK_KEYED | ASK_VITAL)                      \
    X(ASK_KEEP, "PUT", "/api/v3/userDataStream", 2, ASK_KEYED | ASK_VITAL)                         \
    X(ASK_ACCOUNT, "GET", "/api/v3/account", 10, ASK_SIGNED | ASK_VITAL)                           \
    X(ASK_OPEN_ORDERS, "GET", "/api/v3/openOrders", 3, ASK_SIGNED | ASK_VITAL)                     \
    X(ASK_PLACE, "POST", "/api/v3/order", 1, ASK_SIGNED | ASK_IN_BODY | ASK_COUNTED)               \
    X(ASK_REPLACE, "POST", "/api/v3/order/cancelReplace", 1,                                       \
      ASK_SIGNED | ASK_IN_BODY | ASK_COUNTED)                                                      \
    X(ASK_CANCEL, "DELETE", "/api/v3/order", 1, ASK_SIGNED)                                        \
    X(ASK_QUERY, "GET", "/api/v3/order", 4, ASK_SIGNED)                                            \
    X(ASK_TRADES, "GET", "/api/v3/myTrades", 20, ASK_SIGNED)                                       \
    X(ASK_MISSED, "GET", "/api/v3/myTrades", 20, ASK_SIGNED)                                       \
    X(ASK_MISSED_ORDER, "GET", "/api/v3/order", 4, ASK_SIGNED)

enum binance_us_ask {
#define X(name, method, path, weight, bits) name,
    BINANCE_US_ASKS(X)
#undef X
        BINANCE_US_ASK_COUNT
};

/* What came of an attempt to ask. */
enum binance_us_sent {
    BINANCE_US_SENT,
    BINANCE_US_HELD_BACK, /* the venue has banned us, or too little weight is left: nothing was sent */
    BINANCE_US_NO_ROOM,   /* too many requests under way */
    BINANCE_US_NO_REQUEST /* it can't be made: too long, or no signature */
};

/* What came of a request. */
enum binance_us_outcome {
    BINANCE_US_GOOD,    /* answered as wanted: a body to be read */
    BINANCE_US_REFUSED, /* answered with an error: nothing was done */
    BINANCE_US_UNKNOWN, /* it may have been done */
    BINANCE_US_NOT_SENT /* it has certainly not left */
};

struct binance_us_answer {
    uint8_t outcome; /* enum binance_us_outcome */
    long status;
    const char *body;
    size_t length;
    const char *failure;           /* why there is none, of net; NULL: there is one */
    struct binance_us_error error; /* REFUSED */
};

/* How much of a limit is used. */
struct binance_us_use {
    uint64_t used;
    int64_t window; /* number of the venue's interval since 1970 */
};

struct binance_us_rates {
    struct binance_us_use uses[BINANCE_US_LIMITS_MAX]; /* by place in info.limits */
    int64_t banned_until;                              /* session's clock */
    bool heard;                                        /* the last answer told the use of a limit */
    int64_t waits_until; /* until when books wait for weight, as it was logged last */
    uint64_t told_left;  /* as the engine was told last */
    int64_t told_resets;
};

/* The venue's clock against the session's. */
struct binance_us_time {
    bool known;
    int64_t offset_ns; /* the venue's less ours, by the middle of question and answer */
    int64_t
        latest_ns; /* the same, certainly not too large: what is signed is never of the future */
    int64_t next;  /* when it is asked for again */
};

/* --- websockets -------------------------------------------------------------------------------------- */

enum binance_us_link_state { LINK_DOWN, LINK_OPENING, LINK_OPEN };

struct binance_us_link {
    uint8_t state;               /* enum binance_us_link_state */
    unsigned channel;            /* of the port */
    int64_t opened_ns, heard_ns; /* text or ping */
    int64_t lagging_ns;          /* since when its data is too old; TIME_NEVER: it is not */
    size_t asked, covered; /* symbols whose streams were asked for, and run; private: 0 or 1 */
    int64_t asked_ns;      /* when the last SUBSCRIBE left */
    uint64_t last_id;
};

/* Two links for one purpose, so that a new one stands before the old one goes. */
struct binance_us_pair {
    struct binance_us_link links[2];
    bool is_private;
    bool wanted;
    unsigned current;
    int64_t open_at; /* when the current one is to be opened; TIME_NEVER: it is up, or on its way */
    int64_t rotate_at;   /* when the other one is to be opened */
    int64_t handover_at; /* when the old one is closed; TIME_NEVER: there is none */
    struct adapter_backoff backoff;
};

/* --- market ------------------------------------------------------------------------------------------ */

struct binance_us_book {
    struct binance_feed feed;
    bool depth_asked;
    int64_t depth_at; /* when a snapshot is to be asked for; TIME_NEVER: none is wanted */
    struct adapter_backoff backoff;
    int64_t fresh_ns;   /* when book or best prices were told last */
    int64_t framed_ns;  /* when a frame of it came last */
    uint64_t newest;    /* update id told last */
    struct row view[2]; /* best prices as told last, by side */
    bool has_view;
    uint8_t doubts; /* confirmations in a row that differ from the view */
    uint8_t link;   /* that the last depth came by */
};

/* --- orders ------------------------------------------------------------------------------------------ */

/* A query whose order is known and whose fills are not yet. */
struct binance_us_query {
    bool used;
    uint32_t number; /* of all queries: what answers name */
    uint16_t place;
    order_id order;
    struct binance_us_order answer;
    int64_t looked_ns; /* when the venue looked, by its clock */
    struct binance_us_fills fills;
    uint64_t from; /* trade id that the next page begins with; 0: the first page */
    unsigned tries;
    int64_t retry_at; /* TIME_NEVER: asked for */
};

/* --- fills of before --------------------------------------------------------------------------------- */

enum binance_us_missed_step {
    BINANCE_US_MISSED_IDLE,
    BINANCE_US_MISSED_LIST,  /* trades of one instrument in a window of time */
    BINANCE_US_MISSED_ORDERS /* each one's order is asked for its name */
};

struct binance_us_missed {
    uint8_t step;   /* enum binance_us_missed_step */
    bool asked_for; /* once is enough */
    bool waiting;   /* a request is under way */
    uint16_t place;
    int64_t from_ms, length_ms, end_ms; /* the window, and where the last one ends */
    struct binance_us_fills fills;      /* of the instrument */
    size_t next;                        /* of them: whose order is asked for */
    unsigned tries, told;
    int64_t retry_at;
};

/* --- account ----------------------------------------------------------------------------------------- */

struct binance_us_holding {
    money free, locked;
    int64_t at_ns; /* the venue's time of it; 0: not told */
    bool known;
};

/* What is needed to tell a position of an instrument that only has balances. */
struct binance_us_base {
    bool told;       /* its position can be told of */
    bool started;    /* `start` is known */
    int64_t carried; /* position of the session before, quantity units */
    money start;     /* balance of the base asset when the session began */
    money moved;     /* deposits less withdrawals since */
    int64_t at_ns;   /* the venue's time of `start` */
};

/* A transfer that was counted: while two streams run each is told twice. */
struct binance_us_transfer {
    char asset[EVENT_NAME_MAX + 1];
    money amount;
    int64_t time_ns;
};

enum { BINANCE_US_TRANSFERS = 16 };

struct binance_us_snapshot {
    bool wanted, running, failed;
    unsigned under_way; /* parts that are not answered */
    uint32_t number;    /* of this one; answers of others are not its parts */
    int64_t taken;      /* session's clock */
    int64_t retry_at;
    struct adapter_backoff backoff;
    struct binance_us_account account;
    struct binance_us_orders orders, page;
};

struct binance_us_private {
    char key[BINANCE_US_KEY_MAX];
    bool has_key, asked;
    bool
        retired; /* the venue has no listenKeys any more: the stream is subscribed over its WS-API */
    int64_t listen_at, keep_at; /* when a key is to be asked for, and renewed */
    struct adapter_backoff backoff;
};

struct binance_us {
    struct adapter adapter; /* first: the host holds a pointer to it */
    uint32_t magic;
    struct adapter_settings settings;
    struct adapter_out out;
    struct adapter_names names;
    struct adapter_requests requests;
    struct random random;
    int64_t now, next_tick;
    /* discovery */
    int step;
    int64_t step_at;
    struct adapter_backoff step_backoff;
    unsigned step_failures, clock_failures;
    struct adapter_instrument *found, *reread;
    bool *present;
    uint8_t *notes;
    struct event_definition *told_definitions; /* as the tape or the engine has them */
    uint8_t *told_trading;
    struct binance_us_info info;
    struct binance_us_fee *fees, account_fee;
    int64_t info_at;
    bool info_of_all; /* a list of symbols was refused: all are asked for */
    /* parts */
    struct binance_us_rates rates;
    struct binance_us_time time;
    struct binance_us_pair market, private_pair;
    struct binance_us_private private_key;
    struct binance_us_snapshot snapshot;
    struct binance_us_book *books;
    bool market_told_up;
    bool books_changed, books_synchronised; /* the second is to be looked at anew; every book is */
    int64_t tickers_at;                     /* earliest next look at best prices by REST */
    uint32_t market_number; /* of the market connection: answers of an earlier one are void */
    struct binance_us_base *bases;
    struct binance_us_holding *holdings;                        /* by the tape's asset */
    struct binance_us_transfer transfers[BINANCE_US_TRANSFERS]; /* the newest */
    unsigned transfer_count;
    bool may_not_trade; /* told of once */
    struct binance_us_query queries[BINANCE_US_QUERIES_MAX];
    uint32_t last_query;
    struct binance_us_missed missed;
    struct adapter_told told; /* fills of before positions were counted from balances */
    /* scratch */
    struct binance_scratch scratch;
    struct binance_frame frame;
    struct binance_us_event event;
    struct binance_us_fills fills;
    struct binance_us_ticker *tickers;
    /* what was told of only once, and how often what is passed over came */
    int64_t codes_logged[BINANCE_US_CODES_MAX];
    size_t codes_logged_count;
    bool fee_asset_logged;
    bool sick; /* the breaker around the venue was told of a failure last */
    uint64_t frames_unread, frames_other, events_unread, events_other, reports_foreign;
};

/* --- binance_us_ask.c -------------------------------------------------------------------------------- */

/* Ask with these parameters (without timestamp and signature; NULL: none). Of `about` everything but kind and
 * times is the caller's. Nothing is emitted. */
enum binance_us_sent binance_us_ask(struct binance_us *us, enum binance_us_ask kind,
                                    const struct binance_us_parameters *parameters,
                                    const struct adapter_asked *about);
/* What an answer amounts to. */
struct binance_us_answer binance_us_read_answer(const struct net_response *response);
/* What an answer says of limits, bans and the clock; before it is used. Nothing is emitted. */
void binance_us_take_limits(struct binance_us *us, const struct net_response *response,
                            const struct binance_us_answer *answer);
/* What of it the engine is told; after the answer itself. */
void binance_us_tell_limits(struct binance_us *us, const struct adapter_asked *asked,
                            const struct binance_us_answer *answer);
bool binance_us_is_banned(const struct binance_us *us);
/* The venue's clock. */
void binance_us_time_due(struct binance_us *us);
void binance_us_take_time(struct binance_us *us, const struct adapter_asked *asked,
                          const struct binance_us_answer *answer);
/* When something that is asked for now is looked at by the venue, by its clock. */
struct adapter_when binance_us_venue_now(const struct binance_us *us);
/* The time of a market message that has none: ours, less the least time that it took. */
struct adapter_when binance_us_estimated(const struct binance_us *us);
/* The venue's own stamp; 0: none. */
struct adapter_when binance_us_venue_time(int64_t ns);
/* Weight of a request, which depends on how many symbols it is about. */
unsigned binance_us_weight(const struct binance_us *us, enum binance_us_ask kind);
/* Whether open orders are asked for symbol by symbol, because that weighs less than all at once. */
bool binance_us_asks_each(const struct binance_us *us);

/* --- binance_us_discovery.c -------------------------------------------------------------------------- */

/* The next step of the discovery, where it is due; and an answer to one. */
void binance_us_discovery_due(struct binance_us *us);
void binance_us_discovery_answer(struct binance_us *us, const struct adapter_asked *asked,
                                 const struct binance_us_answer *answer);
/* After begin(): definitions that are not the tape's, and later changes of them. */
void binance_us_info_begin(struct binance_us *us);
void binance_us_info_due(struct binance_us *us);
void binance_us_take_info(struct binance_us *us, const struct binance_us_answer *answer);

/* --- binance_us_links.c ------------------------------------------------------------------------------ */

/* Two links that are down and not wanted, on two channels of the port. */
void binance_us_pair_init(struct binance_us_pair *pair, bool is_private, unsigned first_channel);
/* From now on it is kept up; or, where it is up, made anew. */
void binance_us_pair_want(struct binance_us *us, struct binance_us_pair *pair);
void binance_us_pair_renew(struct binance_us *us, struct binance_us_pair *pair, const char *why);
void binance_us_pair_due(struct binance_us *us, struct binance_us_pair *pair);
bool binance_us_pair_is_up(const struct binance_us_pair *pair);
/* Events of a channel; NULL where it is none of ours. */
struct binance_us_pair *binance_us_pair_of(struct binance_us *us, unsigned channel,
                                           struct binance_us_link **link);
void binance_us_link_opened(struct binance_us *us, struct binance_us_pair *pair,
                            struct binance_us_link *link);
void binance_us_link_closed(struct binance_us *us, struct binance_us_pair *pair,
                            struct binance_us_link *link, const char *why);
/* An answer to a SUBSCRIBE. */
void binance_us_link_answer(struct binance_us *us, struct binance_us_link *link, const char *text,
                            size_t length);

/* --- binance_us_market.c ----------------------------------------------------------------------------- */

/* From begin() on, and each tick. */
void binance_us_market_begin(struct binance_us *us);
void binance_us_market_due(struct binance_us *us);
void binance_us_market_text(struct binance_us *us, struct binance_us_link *link, const char *text,
                            size_t length);
/* The feed went up or down as a whole. */
void binance_us_market_up(struct binance_us *us);
void binance_us_market_down(struct binance_us *us);
/* Streams of more symbols run: their books may be asked for. */
void binance_us_market_covered(struct binance_us *us, size_t from, size_t to);
void binance_us_take_depth(struct binance_us *us, const struct adapter_asked *asked,
                           const struct binance_us_answer *answer);
void binance_us_take_tickers(struct binance_us *us, const struct adapter_asked *asked,
                             const struct binance_us_answer *answer);
bool binance_us_market_is_synchronised(struct binance_us *us);

/* --- binance_us_orders.c ----------------------------------------------------------------------------- */

/* A decision of the engine; others than adapter.h names are ignored. */
void binance_us_decision(struct binance_us *us, const struct message *decision);
void binance_us_orders_due(struct binance_us *us);
/* Answers to ASK_PLACE, ASK_REPLACE, ASK_CANCEL, ASK_QUERY and ASK_TRADES. */
void binance_us_order_answer(struct binance_us *us, const struct adapter_asked *asked,
                             const struct binance_us_answer *answer);
/* An executionReport, in us->event. */
void binance_us_take_report(struct binance_us *us);
/* Quantity less executed, in units of a place. */
struct number binance_us_leaves(const struct binance_us *us, uint16_t place,
                                const struct binance_us_order *order);
/* A code that no table has, once. */
void binance_us_log_code(struct binance_us *us, const struct binance_us_error *error);

/* --- binance_us_private.c ---------------------------------------------------------------------------- */

void binance_us_private_begin(struct binance_us *us);
/* What is due: a key, its renewal, the account. */
void binance_us_private_due(struct binance_us *us);
void binance_us_private_text(struct binance_us *us, struct binance_us_link *link, const char *text,
                             size_t length);
/* A link of it opened; it broke. */
void binance_us_private_opened(struct binance_us *us, struct binance_us_link *link);
void binance_us_private_down(struct binance_us *us);
bool binance_us_private_is_up(const struct binance_us *us);
void binance_us_take_listen(struct binance_us *us, const struct binance_us_answer *answer);
void binance_us_take_keep(struct binance_us *us, const struct binance_us_answer *answer);
/* The account is to be told, from a request that leaves now or later. */
void binance_us_want_account(struct binance_us *us);
void binance_us_take_account_part(struct binance_us *us, const struct adapter_asked *asked,
                                  const struct binance_us_answer *answer);
/* A fill was told: what it means for positions that are derived from balances. */
void binance_us_account_fill(struct binance_us *us, uint16_t place, order_id order, enum side side,
                             const struct binance_us_fill *fill);

/* --- binance_us_missed.c ----------------------------------------------------------------------------- */

/* The private stream stands: ask for what the tape may not have. True while that goes on; the account waits for it. */
bool binance_us_missed_runs(struct binance_us *us);
void binance_us_missed_due(struct binance_us *us);
/* Answers to MISSED and MISSED_ORDER. */
void binance_us_missed_answer(struct binance_us *us, const struct adapter_asked *asked,
                              const struct binance_us_answer *answer);
/* A fill of before this session is told, without leaves, if its order is ours and the tape does not have it. */
bool binance_us_tell_missed(struct binance_us *us, uint16_t place,
                            const struct binance_us_order *told,
                            const struct binance_us_fill *fill);
#endif
