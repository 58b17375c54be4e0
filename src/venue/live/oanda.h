/* The OANDA adapter's inside: one state machine in several files, each with a part of this struct. Names begin
 * with v20, the API's own name.
 *
 *   oanda.c            entries of adapter.h, the tick
 *   oanda_ask.c        requests: made, sent, paced, answered; the venue's clock
 *   oanda_discovery.c  from start() to READY
 *   oanda_links.c      the two streams of lines: opened, given up when silent
 *   oanda_market.c     prices: each is the whole ladder
 *   oanda_orders.c     decisions, and answers to them
 *   oanda_query.c      what became of an order that is not known
 *   oanda_account.c    the account's transactions in the order of their ids, and its snapshot
 *
 * Everything that happens to the account is a transaction, and their ids have no gaps: what was told is known by
 * one number. Everything is due at ticks, a quarter of a second apart. */
#ifndef CAPSTAN_VENUE_LIVE_OANDA_H
#define CAPSTAN_VENUE_LIVE_OANDA_H

#include "base/time.h"
#include "venue/live/adapter_parts.h"
#include "venue/live/oanda_decode.h"
#include "venue/live/oanda_errors.h"

#define V20_TICK_NS (250 * NS_PER_MS)
/* The streams say something each 5 s; after this silence they are dead (trading-semantics 23). */
#define V20_SILENCE_NS (12 * NS_PER_SECOND)

enum {
    V20_MAGIC = 0x0a2da020,
    V20_SYMBOLS_MAX = 40, /* that fit in the address of a stream with the longest names */
    V20_QUERIES_MAX = 64,
    V20_ENTRIES_MAX = 1024, /* an account has at most 1000 pending orders */
    V20_AHEAD_MAX = 256,
    V20_CODES_MAX = 32, /* reasons that were logged already */
    V20_BEARER_MAX = CREDENTIALS_TEXT_MAX + 16
};

/* --- requests ---------------------------------------------------------------------------------------- */

/* Bits of a request. */
enum {
    V20_IS_ORDER = 1, /* makes an order: these leave room for all else */
    V20_IS_VITAL = 2  /* about no order; how it ends is told to the breaker around the venue */
};

/* X(name, method, bits). Paths are behind /v3/accounts/{account}. */
#define V20_ASKS(X)                                                                                \
    X(V20_ASK_ACCOUNT, "GET", V20_IS_VITAL)                                                        \
    X(V20_ASK_INSTRUMENTS, "GET", 0)                                                               \
    X(V20_ASK_SINCE, "GET", V20_IS_VITAL)                                                          \
    X(V20_ASK_MISSED, "GET", 0)                                                                    \
    X(V20_ASK_PLACE, "POST", V20_IS_ORDER)                                                         \
    X(V20_ASK_REPLACE, "PUT", V20_IS_ORDER)                                                        \
    X(V20_ASK_MODIFY, "PUT", V20_IS_ORDER)                                                         \
    X(V20_ASK_CANCEL, "PUT", 0)                                                                    \
    X(V20_ASK_QUERY, "GET", 0)                                                                     \
    X(V20_ASK_ORDERS, "GET", 0)                                                                    \
    X(V20_ASK_FILLS, "GET", 0)

enum v20_ask {
#define X(name, method, bits) name,
    V20_ASKS(X)
#undef X
        V20_ASK_COUNT
};

/* What came of an attempt to ask. */
enum v20_sent {
    V20_SENT,
    V20_HELD_BACK, /* too many in this second, or the venue said so: nothing was sent */
    V20_NO_ROOM,   /* too many requests under way */
    V20_NO_REQUEST /* it can't be made: too long */
};

/* What came of a request. */
enum v20_outcome {
    V20_GOOD,    /* answered as wanted: a body to be read */
    V20_DENIED,  /* answered with an error: nothing was done */
    V20_UNKNOWN, /* it may have been done */
    V20_NOT_SENT /* it has certainly not left */
};

struct v20_answer {
    uint8_t outcome; /* enum v20_outcome */
    long status;
    const char *body;
    size_t length;
    const char *failure;    /* why there is none, of net; NULL: there is one */
    struct v20_error error; /* DENIED */
};

struct v20_pace {
    int64_t second;   /* of the session's clock */
    unsigned sent;    /* in it */
    int64_t until_ns; /* nothing is asked before: the venue said 429 */
    bool told;        /* of it */
};

/* The venue's clock less the session's, as the streams' times say. They come late, so that it is rather too
 * small. */
struct v20_clock {
    bool known;
    int64_t offset_ns;
};

/* --- streams ----------------------------------------------------------------------------------------- */

enum v20_link_state { V20_LINK_DOWN, V20_LINK_OPENING, V20_LINK_OPEN };
enum { V20_PRICES, V20_TRANSACTIONS, V20_LINKS }; /* also the channels of the port */

struct v20_link {
    uint8_t state; /* enum v20_link_state */
    bool wanted;
    int64_t heard_ns, open_at;
    struct adapter_backoff backoff;
};

/* --- market ------------------------------------------------------------------------------------------ */

struct v20_book {
    bool seen;          /* a price of this connection was told */
    struct row view[2]; /* best prices as told last, by side; price 0: none */
    int64_t fresh_ns;   /* when the engine was told last */
    uint8_t told_trading;
    money gain_factor, loss_factor; /* as told last; 0: never */
    int64_t factors_ns;             /* when */
};

/* --- orders ------------------------------------------------------------------------------------------ */

/* An order of ours that rests, as its transactions tell. */
struct v20_entry {
    order_id order;
    uint64_t id; /* the venue's */
    int64_t price_units, units, filled;
    uint16_t place;
    uint8_t side;
    bool at_once,
        leaving; /* leaving: cancelled for a replacement, which the next transaction names */
};

enum v20_query_step { V20_QUERY_FREE, V20_QUERY_ORDER, V20_QUERY_LIST, V20_QUERY_FILLS };

struct v20_query {
    uint8_t step;    /* enum v20_query_step */
    uint32_t number; /* of all queries: what answers name */
    uint16_t place;
    order_id order;
    int64_t looked_ns; /* when the venue looked, by its clock */
    unsigned pages;
    struct v20_order answer;
    uint64_t from, end;                   /* transactions after `from`, up to `end` (0: all) */
    struct v20_transactions transactions; /* that speak of the order */
};

/* --- the account's transactions ------------------------------------------------------------------------ */

struct v20_log {
    uint64_t last;       /* everything up to it was taken */
    uint64_t told_after; /* what is not above it was before this session: noted, not told */
    uint64_t heard;      /* the highest id that was heard of */
    bool asking;
    int64_t ask_at; /* when the rest is to be asked for again; TIME_NEVER: not */
    struct adapter_backoff backoff;
    uint64_t ahead[V20_AHEAD_MAX]; /* above `last`, taken from an answer */
    size_t ahead_count;
    bool crowded;         /* more were than there is room for, which was logged */
    unsigned empty_pages; /* in a row, though there is more */
};

/* Fills of before this session that the tape may not have: where they begin is asked for once. */
struct v20_missed {
    bool asked_for, runs, waiting; /* runs: the transactions wait for it */
    bool counted;                  /* it was said how many there were */
    uint64_t after; /* fills above it that the tape lacks are told; UINT64_MAX: none */
    unsigned tries, told;
    int64_t retry_at;
};

/* Of one instrument since it was flat: what fills came to by our figures and by the venue's. */
struct v20_profit {
    bool follows;  /* it was flat at the beginning, and every fill since could be read */
    int64_t units; /* held; signed */
    unsigned fills;
    money ours;              /* received less paid */
    money venues, financing; /* the venue's, in the account's currency */
};

struct v20_snapshot {
    bool wanted, asked, held; /* held: read, and waits for the transactions up to it */
    int64_t taken;            /* session's clock */
    int64_t retry_at;
    struct adapter_backoff backoff;
    struct v20_account account;
};

struct v20 {
    struct adapter adapter; /* first: the host holds a pointer to it */
    uint32_t magic;
    struct adapter_settings settings;
    struct adapter_out out;
    struct adapter_names names;
    struct adapter_requests requests;
    struct random random;
    int64_t now, next_tick;
    bool trades; /* orders and the account, not the market alone */
    char bearer[V20_BEARER_MAX];
    char path[ADAPTER_URL_MAX / 4]; /* "/v3/accounts/101-…" */
    /* discovery */
    int step;
    int64_t step_at;
    struct adapter_backoff step_backoff;
    unsigned step_failures;
    struct adapter_instrument *found;
    bool *present;
    /* parts */
    struct v20_pace pace;
    struct v20_clock clock;
    struct v20_link links[V20_LINKS];
    int64_t next_open; /* of any link: two connections a second */
    bool market_told_up;
    struct v20_book *books;
    struct v20_log log;
    struct v20_profit profits[V20_SYMBOLS_MAX];
    uint64_t profits_different;
    struct v20_missed missed;
    struct v20_snapshot snapshot;
    struct v20_entry entries[V20_ENTRIES_MAX];
    size_t entry_count;
    struct v20_query queries[V20_QUERIES_MAX];
    uint32_t last_query;
    char home[EVENT_NAME_MAX + 1]; /* the account's currency */
    money margin_available;
    bool sick; /* the breaker around the venue was told of a failure last */
    /* scratch */
    struct v20_line line;
    struct v20_transactions made;
    struct v20_orders orders;
    struct row rows[2 * V20_LEVELS_MAX];
    /* what was told of only once, and how often what is passed over came */
    char codes_logged[V20_CODES_MAX][V20_WORD_MAX + 1];
    size_t codes_logged_count;
    bool fee_logged, price_logged, home_logged;
    uint64_t lines_unread;
};

/* --- oanda_ask.c --------------------------------------------------------------------------------------- */

/* Ask for what is at `path` behind the account's ("/orders", with its query; "" the account itself); `body` NULL:
 * none; `name`: ClientRequestID, or NULL. Of `about` everything but kind and times is the caller's. Nothing is
 * emitted. */
enum v20_sent v20_send(struct v20 *v20, enum v20_ask kind, const char *path, const char *body,
                       const char *name, const struct adapter_asked *about);
/* What an answer amounts to. */
struct v20_answer v20_read_answer(const struct net_response *response);
/* What it says of limits; before it is used. Nothing is emitted. */
void v20_take_limits(struct v20 *v20, const struct v20_answer *answer);
/* What of it the engine is told; after the answer itself. */
void v20_tell_limits(struct v20 *v20, const struct adapter_asked *asked,
                     const struct v20_answer *answer);
/* The headers of a stream; returns how many. */
size_t v20_headers(const struct v20 *v20, struct net_header headers[4]);
void v20_tell_health(struct v20 *v20, bool healthy);
/* The venue's clock. */
void v20_take_time(struct v20 *v20, int64_t time_ns);
/* The venue's own stamp; 0: none. */
struct adapter_when v20_venue_time(int64_t ns);
/* What happens at the venue now, or did at `ns` of the session's clock. */
struct adapter_when v20_venue_at(const struct v20 *v20, int64_t ns);

/* --- oanda_discovery.c --------------------------------------------------------------------------------- */

/* The next step of the discovery, where it is due; and an answer to one. */
void v20_discovery_due(struct v20 *v20);
void v20_discovery_answer(struct v20 *v20, const struct adapter_asked *asked,
                          const struct v20_answer *answer);

/* --- oanda_links.c ------------------------------------------------------------------------------------- */

/* From begin() on both are kept up, and looked after at each tick. */
void v20_links_begin(struct v20 *v20);
void v20_links_due(struct v20 *v20);
bool v20_link_is_up(const struct v20 *v20, unsigned link);
/* What the port tells of a channel, which may be none of ours. */
void v20_link_opened(struct v20 *v20, unsigned link);
void v20_link_closed(struct v20 *v20, unsigned link, long status, const char *why);
void v20_link_line(struct v20 *v20, unsigned link, const char *text, size_t length);

/* --- oanda_market.c ------------------------------------------------------------------------------------ */

/* Nothing is known yet; the stream of prices stands; it broke. */
void v20_market_begin(struct v20 *v20);
void v20_market_up(struct v20 *v20);
void v20_market_down(struct v20 *v20);
/* A line, in v20->line; or one that can't be read. */
void v20_market_line(struct v20 *v20);
void v20_market_damage(struct v20 *v20);
bool v20_market_is_synchronised(const struct v20 *v20);
/* REJECT_NONE: a limit order at this price would stand behind its side's best price as last seen, by a tick or more. */
enum reject v20_post_only_fault(const struct v20 *v20, uint16_t place, enum side side,
                                int64_t price);

/* --- oanda_orders.c ------------------------------------------------------------------------------------ */

/* A decision of the engine; others than adapter.h names are ignored. */
void v20_decision(struct v20 *v20, const struct message *decision);
/* Answers to PLACE, REPLACE, MODIFY and CANCEL. */
void v20_order_answer(struct v20 *v20, const struct adapter_asked *asked,
                      const struct v20_answer *answer);
union event_record *v20_tell(struct v20 *v20, enum event_kind kind, uint16_t place,
                             struct adapter_when when);
void v20_tell_unknown(struct v20 *v20, uint16_t place, order_id order, enum request request);
/* A price in the instrument's unit; one between two is the nearer. */
struct number v20_nearest(const struct json_decimal *price, int exponent);
/* One fill, whose leaves are known or not. */
void v20_tell_fill(struct v20 *v20, uint16_t place, order_id order,
                   const struct v20_transaction *fill, struct number leaves);
/* The end that a cancel is; `at_once`: of an order that was not to rest. */
void v20_tell_end(struct v20 *v20, uint16_t place, order_id order,
                  const struct v20_transaction *cancel, struct number leaves, bool at_once);
/* A reason that is in no table, once. */
enum reject v20_reject_of(struct v20 *v20, const struct v20_error *error);

/* --- oanda_query.c ------------------------------------------------------------------------------------- */

void v20_query(struct v20 *v20, uint16_t place, order_id order);
/* Answers to QUERY, ORDERS and FILLS. */
void v20_query_answer(struct v20 *v20, const struct adapter_asked *asked,
                      const struct v20_answer *answer);

/* --- oanda_account.c ----------------------------------------------------------------------------------- */

/* The account as it was found: where this session's transactions begin. */
void v20_log_begin(struct v20 *v20);
void v20_account_begin(struct v20 *v20);
void v20_account_due(struct v20 *v20);
/* The stream of transactions stands, broke, or says something. */
void v20_private_up(struct v20 *v20);
void v20_private_down(struct v20 *v20);
void v20_private_line(struct v20 *v20);
void v20_private_damage(struct v20 *v20);
/* A transaction out of an answer: taken at once, and not again when its turn comes; where there is no room to note
 * that, when its turn comes alone. */
void v20_take_made(struct v20 *v20, const struct v20_transaction *transaction);
/* Whether so many would be taken at once. */
bool v20_may_take(const struct v20 *v20, size_t count);
/* Whether a transaction was taken. */
bool v20_is_taken(const struct v20 *v20, uint64_t id);
/* The account is to be told, from a request that leaves now or later. */
void v20_want_account(struct v20 *v20);
void v20_take_account(struct v20 *v20, const struct adapter_asked *asked,
                      const struct v20_answer *answer);
void v20_take_since(struct v20 *v20, const struct v20_answer *answer);
/* Where the transactions begin that the tape may lack is known, or can't be: all else that waited for it. */
void v20_log_goes_on(struct v20 *v20);

/* --- oanda_profit.c ------------------------------------------------------------------------------------ */

/* From the positions that were carried over. */
void v20_profit_begin(struct v20 *v20);
/* The venue holds so many units, as of the last transaction that was taken: where that is not what fills came to, because
 * something was held before, profits follow from when it is flat. */
void v20_profit_held(struct v20 *v20, uint16_t place, int64_t units);
/* A fill that no tape has, each once. */
void v20_profit_fill(struct v20 *v20, uint16_t place, const struct v20_transaction *fill);

/* --- oanda_missed.c ------------------------------------------------------------------------------------ */

void v20_missed_begin(struct v20 *v20);
/* The stream of transactions stands. True while it is asked for where they begin. */
bool v20_missed_runs(struct v20 *v20);
void v20_missed_due(struct v20 *v20);
void v20_take_missed(struct v20 *v20, const struct v20_answer *answer);
/* A fill of before this session of an order of ours: it is told, without leaves, if the tape lacks it. */
void v20_missed_fill(struct v20 *v20, uint16_t place, order_id order,
                     const struct v20_transaction *fill);
/* Everything of before was looked at: how many there were is logged, once. */
void v20_missed_counted(struct v20 *v20);

#endif
