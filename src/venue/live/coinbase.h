/* The Coinbase adapter's inside: one state machine in several files, each with a part of this struct.
 *
 *   coinbase.c            entries of adapter.h, the tick
 *   coinbase_ask.c        requests: with a token, sent, answered; server time, limits, back-off
 *   coinbase_discovery.c  from start() to READY, and products that change afterwards
 *   coinbase_links.c      the two websockets: opened, subscribed, followed by number, given up when dead
 *   coinbase_market.c     books and trades
 *   coinbase_records.c    what is known of each of our orders
 *   coinbase_orders.c     decisions, and answers to them
 *   coinbase_looks.c      questions about one order: found by name, read, with its fills
 *   coinbase_account.c    balances, positions, open orders
 *   coinbase_missed.c     fills of before this session that the tape may not have
 *
 * Everything is due at ticks, a quarter of a second apart; what can't wait is done where it is noticed.
 *
 * How a fill is told exactly once. The user channel tells sums, never fills; no fill is made of two sums. A sum that
 * has grown past what was told starts a *look*: the list of the order's fills is read until it adds up to the
 * sum, and each fill of it is told by its trade id, in the order of the trades, unless the order's record has
 * that id already. A query tells all of them, as adapter.h wants; the engine counts an id once. An order's end is
 * told only when its fills are. */
#ifndef CAPSTAN_VENUE_LIVE_COINBASE_H
#define CAPSTAN_VENUE_LIVE_COINBASE_H

#include "base/time.h"
#include "engine/book.h"
#include "venue/live/adapter_parts.h"
#include "venue/live/coinbase_decode.h"
#include "venue/live/coinbase_frame.h"
#include "venue/live/coinbase_sign.h"

#define COINBASE_TICK_NS (250 * NS_PER_MS)

enum {
    COINBASE_MAGIC = 0x0c01bace,
    COINBASE_SYMBOLS_MAX = 256,
    COINBASE_LOOKS_MAX = 256,
    COINBASE_RECORDS_MAX = 8192, /* orders that are known of, with those that ended not long ago */
    COINBASE_BATCH_MAX = 100,    /* cancels in one request ("Cancel Orders") */
    COINBASE_BATCHES = 4,        /* such requests at a time */
    COINBASE_QUEUE_MAX = 1024,   /* cancels that wait for one */
    COINBASE_REASONS_MAX = 64,   /* reasons that were logged already */
    COINBASE_QUERY_MAX = 1024,   /* bytes of a request's query */
    COINBASE_BODY_MAX = 8192     /* bytes of a request's body */
};

/* --- requests ---------------------------------------------------------------------------------------- */

/* Bits of a request. */
enum {
    COINBASE_TOKEN = 1,      /* with a token */
    COINBASE_BACKGROUND = 2, /* waits where the rate gets short */
    COINBASE_VITAL = 4 /* about no order; how it ends is told to the breaker around the venue */
};

/* X(name, method, path behind /api/v3/brokerage, bits) */
#define COINBASE_ASKS(X)                                                                           \
    X(COINBASE_ASK_TIME, "GET", "/time", COINBASE_VITAL)                                           \
    X(COINBASE_ASK_PRODUCTS, "GET", "/market/products", 0)                                         \
    X(COINBASE_ASK_RIGHTS, "GET", "/key_permissions", COINBASE_TOKEN)                              \
    X(COINBASE_ASK_FEES, "GET", "/transaction_summary", COINBASE_TOKEN)                            \
    X(COINBASE_ASK_ACCOUNTS, "GET", "/accounts", COINBASE_TOKEN | COINBASE_VITAL)                  \
    X(COINBASE_ASK_OPEN_ORDERS, "GET", "/orders/historical/batch",                                 \
      COINBASE_TOKEN | COINBASE_VITAL)                                                             \
    X(COINBASE_ASK_PLACE, "POST", "/orders", COINBASE_TOKEN)                                       \
    X(COINBASE_ASK_CANCEL, "POST", "/orders/batch_cancel", COINBASE_TOKEN)                         \
    X(COINBASE_ASK_EDIT, "POST", "/orders/edit", COINBASE_TOKEN)                                   \
    X(COINBASE_ASK_FIND, "GET", "/orders/historical/batch", COINBASE_TOKEN | COINBASE_BACKGROUND)  \
    X(COINBASE_ASK_ORDER, "GET", "/orders/historical/", COINBASE_TOKEN | COINBASE_BACKGROUND)      \
    X(COINBASE_ASK_FILLS, "GET", "/orders/historical/fills", COINBASE_TOKEN | COINBASE_BACKGROUND) \
    X(COINBASE_ASK_MISSED, "GET", "/orders/historical/fills", COINBASE_TOKEN)                      \
    X(COINBASE_ASK_MISSED_ORDER, "GET", "/orders/historical/", COINBASE_TOKEN)

enum coinbase_ask {
#define X(name, method, path, bits) name,
    COINBASE_ASKS(X)
#undef X
        COINBASE_ASK_COUNT
};

/* What goes behind a request's path, or into its body. */
struct coinbase_question {
    char path[COINBASE_ID_MAX + 1]; /* an id at the end of the path */
    char query[COINBASE_QUERY_MAX]; /* "limit=250&cursor=…" */
    size_t length;
    bool full; /* something found no room: it is not to be sent */
    const char *body;
};

/* What came of an attempt to ask. */
enum coinbase_sent {
    COINBASE_SENT,
    COINBASE_HELD_BACK, /* the venue wants fewer requests: nothing was sent */
    COINBASE_NO_ROOM,   /* too many requests under way */
    COINBASE_NO_REQUEST /* it can't be made: too long, or no token */
};

/* What came of a request. */
enum coinbase_outcome {
    COINBASE_GOOD,    /* answered as wanted: a body to be read */
    COINBASE_REFUSED, /* answered with an error: nothing was done */
    COINBASE_UNKNOWN, /* it may have been done */
    COINBASE_NOT_SENT /* it has certainly not left */
};

struct coinbase_answer {
    uint8_t outcome; /* enum coinbase_outcome */
    long status;
    const char *body;
    size_t length;
    const char *failure;         /* why there is none, of net; NULL: there is one */
    struct coinbase_error error; /* REFUSED */
};

/* How often we may ask: so many a second with a token. */
struct coinbase_rates {
    uint64_t limit;     /* of one second; what headers tell */
    uint64_t used;      /* of the present one */
    int64_t second;     /* when it began, by the session's clock */
    int64_t held_until; /* after a 429 */
    int64_t refused_ns; /* when the last 429 came */
    struct adapter_backoff backoff;
    bool heard; /* the last answer told what is left */
    uint64_t left;
    int64_t resets;
    uint64_t told_left;
    int64_t told_resets;
};

/* The venue's clock against the session's. */
struct coinbase_time {
    bool known;
    int64_t offset_ns; /* the venue's less ours, by the middle of question and answer */
    int64_t latest_ns; /* the same, certainly not too large: a token is never of the future */
    int64_t next;      /* when it is asked for again */
};

/* --- websockets -------------------------------------------------------------------------------------- */

enum coinbase_link_state { COINBASE_DOWN, COINBASE_OPENING, COINBASE_UP };

struct coinbase_link {
    bool is_private, wanted;
    uint8_t state;              /* enum coinbase_link_state */
    unsigned channel;           /* of the port */
    int64_t opened_ns, beat_ns; /* beat: the last heartbeat */
    int64_t open_at;            /* TIME_NEVER: it is up, or on its way */
    size_t asked;               /* subscriptions sent */
    int64_t asked_ns;           /* the last one */
    bool has_sequence;
    uint64_t sequence; /* of the last message */
    struct adapter_backoff backoff;
};

/* --- market ------------------------------------------------------------------------------------------ */

/* One place's book, also to see whether it is crossed and to tell its best prices when it is quiet. */
struct coinbase_book {
    void *memory;
    struct book *book;
    int64_t told_ns;     /* when book or best prices were told last */
    uint64_t last_trade; /* id; 0: none yet */
    bool has_trade;
};

/* Under which product's name a place's data comes. */
struct coinbase_market {
    char product[EVENT_NAME_MAX + 1];
    uint16_t place;
};

/* --- orders ------------------------------------------------------------------------------------------ */

/* What is known of one of our orders. Its sums never go back, and an end is one. */
struct coinbase_record {
    order_id order; /* 0: this room is free */
    uint16_t place;
    uint8_t side; /* enum side */
    uint8_t time_in_force;
    bool has_end, post_only;
    bool mine;     /* placed by this session: what is asked of it is known */
    bool sided;    /* its side is known */
    bool live;     /* the venue has said that it took it */
    bool accepted; /* told, or of no interest: another session placed it */
    bool over, end_told;
    uint8_t status;               /* enum coinbase_status, once it is over */
    char id[COINBASE_ID_MAX + 1]; /* the venue's; empty: not known yet */
    int64_t sent_ns;              /* session's clock; 0: not by this session */
    int64_t ended_ns;
    int64_t price, size; /* units; size 0: not known, below: the venue does not tell it */
    int64_t filled;      /* the venue's sum */
    int64_t told;        /* sum of the fills that were told */
    int64_t told_ns;     /* when the last one was */
    char reason[COINBASE_TEXT_MAX];
    money fees;
    bool has_fees;
    /* a cancel */
    bool cancel_wanted; /* decided, not sent: its id is not known, or the batch is not due */
    bool cancel_sent;   /* the venue said that it is on its way */
    /* an edit */
    bool editing;
    bool edit_came;                /* what the last one asked for has been seen, and not told yet */
    int64_t edit_price, edit_size; /* what the last one asked for; 0: none, or it was refused */
    int64_t
        check_at; /* when the venue is asked what became of it; TIME_NEVER: nothing is awaited */
    unsigned checks;
    /* trade ids that were told */
    char (*trades)[COINBASE_ID_MAX + 1];
    size_t trade_count, trade_capacity;
};

/* Orders of one request for cancels that is under way. */
struct coinbase_batch {
    uint64_t tag; /* 0: there is none */
    size_t count;
    order_id orders[COINBASE_BATCH_MAX];
};

/* A question about one order: which steps are still to come. */
enum coinbase_look_step { COINBASE_LOOK_FIND, COINBASE_LOOK_ORDER, COINBASE_LOOK_FILLS };

struct coinbase_look {
    bool used;
    bool is_query;   /* the engine asked: it is told all, and that it is all */
    bool waiting;    /* a request is under way */
    uint8_t step;    /* enum coinbase_look_step */
    uint8_t list;    /* FIND: which of the lists */
    uint32_t number; /* of all looks: what answers name */
    uint16_t place;
    order_id order;
    struct coinbase_order answer; /* from ORDER or FIND on */
    bool has_answer;
    int64_t looked_ns; /* when the venue looked, by its clock */
    struct coinbase_fills fills;
    struct coinbase_page page;
    unsigned pages, tries;
    int64_t retry_at; /* when the step is to be asked for; TIME_NEVER: it is */
};

/* --- fills of before --------------------------------------------------------------------------------- */

enum coinbase_missed_step {
    COINBASE_MISSED_IDLE,
    COINBASE_MISSED_LIST,  /* the list of fills is read */
    COINBASE_MISSED_ORDERS /* each one's order is asked for its name */
};

struct coinbase_missed {
    uint8_t step;   /* enum coinbase_missed_step */
    bool asked_for; /* once is enough */
    bool waiting;   /* a request is under way */
    struct coinbase_fills fills;
    struct coinbase_page page;
    size_t next; /* of the fills: whose order is asked for */
    unsigned tries, told;
    int64_t retry_at;
};

/* --- account ----------------------------------------------------------------------------------------- */

struct coinbase_holding {
    money available, hold;
    bool known;
};

/* What is needed to tell a position of an instrument that only has balances. */
struct coinbase_base {
    bool started, told;
    int64_t carried; /* position of the session before, quantity units */
    money start;     /* balance of the base asset when the session began */
    int64_t at_ns;   /* when that was asked for, by the venue's clock */
};

struct coinbase_snapshot {
    bool wanted, running, failed;
    unsigned under_way; /* parts that are not answered */
    uint32_t number;    /* of this one; answers of others are not its parts */
    int64_t taken;      /* session's clock: asked for */
    int64_t retry_at;
    struct adapter_backoff backoff;
    struct coinbase_balances balances;
    struct coinbase_orders orders;
};

struct coinbase {
    struct adapter adapter; /* first: the host holds a pointer to it */
    uint32_t magic;
    struct adapter_settings settings;
    char host[COINBASE_URI_MAX / 2]; /* of the REST address, as tokens name it */
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
    struct coinbase_product *products, *products_reread;
    struct event_definition *told_definitions; /* as the tape or the engine has them */
    uint8_t *told_trading;
    struct coinbase_rights rights;
    bool names_portfolio; /* the venue wants orders to name it */
    int64_t products_at;
    /* parts */
    struct coinbase_rates rates;
    struct coinbase_time time;
    struct coinbase_link market, user;
    struct coinbase_book *books;
    struct coinbase_market *markets; /* by product, at most two a place */
    size_t market_count;
    bool market_told_up, user_told_up;
    struct coinbase_record *records; /* open addressing by order id */
    size_t record_count;
    order_id queue[COINBASE_QUEUE_MAX]; /* cancels whose request is to be sent */
    size_t queue_count;
    struct coinbase_batch batches[COINBASE_BATCHES];
    int64_t check_next; /* no record's check_at is earlier */
    struct coinbase_look looks[COINBASE_LOOKS_MAX];
    uint32_t last_look;
    struct coinbase_missed missed;
    struct coinbase_snapshot snapshot;
    struct coinbase_base *bases;
    struct coinbase_holding *holdings; /* by the tape's asset */
    /* scratch */
    struct coinbase_frame frame;
    struct row *rows;
    size_t row_capacity;
    struct coinbase_cancels cancels;
    struct coinbase_orders orders;
    char body[COINBASE_BODY_MAX];
    /* what was told of only once, and how often what is passed over came */
    char reasons_logged[COINBASE_REASONS_MAX][COINBASE_REASON_MAX];
    size_t reasons_logged_count;
    bool sick; /* the breaker around the venue was told of a failure last */
    uint64_t frames_unread, frames_other, frames_repeated, orders_foreign, fees_different;
};

/* --- coinbase_ask.c ---------------------------------------------------------------------------------- */

/* Ask. Of `about` everything but kind and times is the caller's. `tag` (may be NULL) names the request. Nothing is
 * emitted. */
enum coinbase_sent coinbase_ask(struct coinbase *venue, enum coinbase_ask kind,
                                const struct coinbase_question *question,
                                const struct adapter_asked *about, uint64_t *tag);
/* Add name=value to a question's query, percent-encoded; a name may come more than once. */
void coinbase_add(struct coinbase_question *question, const char *name, const char *value);
/* What an answer amounts to. */
struct coinbase_answer coinbase_read_answer(const struct net_response *response);
/* What an answer says of limits and the clock; before it is used. Nothing is emitted. */
void coinbase_take_limits(struct coinbase *venue, const struct adapter_asked *asked,
                          const struct net_response *response,
                          const struct coinbase_answer *answer);
/* What of it the engine is told; after the answer itself. */
void coinbase_tell_limits(struct coinbase *venue, const struct adapter_asked *asked,
                          const struct coinbase_answer *answer);
bool coinbase_is_held(const struct coinbase *venue);
/* A token for a websocket. False where none can be made. */
bool coinbase_channel_token(struct coinbase *venue, char out[COINBASE_TOKEN_MAX]);
/* The venue's clock. */
void coinbase_time_due(struct coinbase *venue);
void coinbase_take_time(struct coinbase *venue, const struct adapter_asked *asked,
                        const struct coinbase_answer *answer);
/* When something that is asked for now is looked at by the venue, by its clock; and at a moment of ours. */
struct adapter_when coinbase_venue_now(const struct coinbase *venue);
struct adapter_when coinbase_venue_at(const struct coinbase *venue, int64_t session_ns);
/* The venue's own stamp; 0: none. */
struct adapter_when coinbase_stamp(int64_t ns);

/* --- coinbase_discovery.c ---------------------------------------------------------------------------- */

/* The next step of the discovery, where it is due; and an answer to one. */
void coinbase_discovery_due(struct coinbase *venue);
void coinbase_discovery_answer(struct coinbase *venue, const struct adapter_asked *asked,
                               const struct coinbase_answer *answer);
/* After begin(): definitions that are not the tape's, and later changes of them. */
void coinbase_products_begin(struct coinbase *venue);
void coinbase_products_due(struct coinbase *venue);
void coinbase_take_products(struct coinbase *venue, const struct coinbase_answer *answer);

/* --- coinbase_links.c -------------------------------------------------------------------------------- */

/* A link that is down and not wanted. */
void coinbase_link_init(struct coinbase_link *link, bool is_private, unsigned channel);
/* From now on it is kept up. */
void coinbase_link_want(struct coinbase *venue, struct coinbase_link *link);
/* It is closed, what hangs on it is told, and it is opened anew after a while. */
void coinbase_link_renew(struct coinbase *venue, struct coinbase_link *link, const char *why);
void coinbase_link_due(struct coinbase *venue, struct coinbase_link *link);
/* Events of a channel; NULL where it is none of ours. */
struct coinbase_link *coinbase_link_of(struct coinbase *venue, unsigned channel);
void coinbase_link_opened(struct coinbase *venue, struct coinbase_link *link);
void coinbase_link_closed(struct coinbase *venue, struct coinbase_link *link, const char *why);
void coinbase_link_text(struct coinbase *venue, struct coinbase_link *link, const char *text,
                        size_t length);

/* --- coinbase_market.c ------------------------------------------------------------------------------- */

/* The books' memory: false without. */
bool coinbase_market_open(struct coinbase *venue);
void coinbase_market_close(struct coinbase *venue);
void coinbase_market_begin(struct coinbase *venue);
/* The frame that was read. A book that turns out to be wrong gives its link up. */
void coinbase_take_market(struct coinbase *venue);
void coinbase_take_heartbeat(struct coinbase *venue);
/* The feed went up or down as a whole. */
void coinbase_market_up(struct coinbase *venue);
void coinbase_market_down(struct coinbase *venue);
/* The numbers of messages are broken: every book of the connection is stale. */
void coinbase_market_gap(struct coinbase *venue, uint64_t expected, uint64_t found);
/* Whether every book stands. */
bool coinbase_market_is_synchronised(const struct coinbase *venue);
bool coinbase_books_stand(const struct coinbase *venue);

/* --- coinbase_records.c ------------------------------------------------------------------------------ */

/* Memory for records: false without. */
bool coinbase_records_open(struct coinbase *venue);
void coinbase_records_close(struct coinbase *venue);
/* The record of an order: NULL where there is none. */
struct coinbase_record *coinbase_record_of(const struct coinbase *venue, order_id order);
/* The same, a new one where there is none; NULL where there is no room even without those that ended. */
struct coinbase_record *coinbase_record_new(struct coinbase *venue, order_id order, uint16_t place);
/* The record of an order of ours that the venue names, a new one where there is none: NULL where it is not ours, or
 * of another product or side than the order of that name, which then is unknown. */
struct coinbase_record *coinbase_record_of_told(struct coinbase *venue,
                                                const struct coinbase_order *told);
/* Whether an answer that names this product and side is about an order of that record: an id or a name may be
 * mixed up by the venue or by us. An empty product is not told. `what` names the answer; false is logged. */
bool coinbase_record_is(struct coinbase *venue, const struct coinbase_record *record,
                        const char *symbol, uint8_t side, const char *what);
/* What the venue says of it is taken over, nothing is told. */
void coinbase_record_take(struct coinbase *venue, struct coinbase_record *record,
                          const struct coinbase_order *told);
/* What the record has and the engine does not is told, or asked for. */
void coinbase_record_settle(struct coinbase *venue, struct coinbase_record *record);
/* The fills of a whole list, by time; those that were told are left out unless `all`. False where one can't be
 * told as it is, or without memory. */
bool coinbase_record_fills(struct coinbase *venue, struct coinbase_record *record,
                           struct coinbase_fills *fills, bool all);
/* A fill of before this session that the tape may not have is told, without leaves, unless it has. */
bool coinbase_record_missed(struct coinbase *venue, struct coinbase_record *record,
                            const struct coinbase_fill *fill);
/* Sum of a list's fills, in quantity units. */
struct number coinbase_sum_of_fills(const struct coinbase *venue, uint16_t place,
                                    const struct coinbase_fills *fills);
/* What of its size is not filled by what was told; MALFORMED where its size is not known. */
struct number coinbase_record_leaves(const struct coinbase_record *record);
/* The venue has taken a cancel or an edit of it: what came of that is asked for where it does not tell. */
void coinbase_await(struct coinbase *venue, struct coinbase_record *record);
/* What became of cancels and edits that were taken is asked for. */
void coinbase_records_due(struct coinbase *venue);

/* --- coinbase_orders.c ------------------------------------------------------------------------------- */

/* A decision of the engine; others than adapter.h names are ignored. */
void coinbase_decision(struct coinbase *venue, const struct message *decision);
/* Answers to PLACE, CANCEL and EDIT. */
void coinbase_order_answer(struct coinbase *venue, const struct adapter_asked *asked,
                           const struct coinbase_answer *answer);
/* Cancels that wait leave, as many as fit into a request. */
void coinbase_send_cancels(struct coinbase *venue);
/* A record's id has come to be known, or it turned out that it has none: what waited for it. */
void coinbase_id_known(struct coinbase *venue, struct coinbase_record *record);
void coinbase_not_there(struct coinbase *venue, struct coinbase_record *record);

/* The record of a new message about an order of a place. */
union event_record *coinbase_tell(struct coinbase *venue, enum event_kind kind, uint16_t place,
                                  struct adapter_when when);
/* What an order, or a request about it, came to. */
void coinbase_tell_unknown(struct coinbase *venue, uint16_t place, order_id order,
                           enum request request);
/* Refused for good. */
void coinbase_tell_rejected(struct coinbase *venue, uint16_t place, order_id order,
                            enum reject reason);
/* The order rests as before. */
void coinbase_tell_cancel_rejected(struct coinbase *venue, uint16_t place, order_id order,
                                   enum reject reason);
/* The reject of a reason; one that is in no table is logged once. */
enum reject coinbase_reject_of(struct coinbase *venue, const struct coinbase_error *error);
/* An id of the venue's as it stands in records. */
struct venue_id coinbase_venue_id(const char *id);

/* --- coinbase_looks.c -------------------------------------------------------------------------------- */

/* The engine asks for an order. */
void coinbase_query(struct coinbase *venue, uint16_t place, order_id order);
/* A record's fills, its state, or its id are to be found out. Does nothing where a look is at it already. */
void coinbase_look(struct coinbase *venue, struct coinbase_record *record,
                   enum coinbase_look_step step);
bool coinbase_is_looked_at(const struct coinbase *venue, order_id order);
void coinbase_looks_due(struct coinbase *venue);
/* Answers to FIND, ORDER and FILLS. */
void coinbase_look_answer(struct coinbase *venue, const struct adapter_asked *asked,
                          const struct coinbase_answer *answer);

/* --- coinbase_account.c ------------------------------------------------------------------------------ */

void coinbase_account_begin(struct coinbase *venue);
void coinbase_account_due(struct coinbase *venue);
/* The private stream stands, or broke. */
void coinbase_user_up(struct coinbase *venue);
void coinbase_user_down(struct coinbase *venue);
/* The orders of the frame that was read. */
void coinbase_take_user(struct coinbase *venue);
/* The account is to be told, from a request that leaves now or later. */
void coinbase_want_account(struct coinbase *venue);
void coinbase_take_account_part(struct coinbase *venue, const struct adapter_asked *asked,
                                const struct coinbase_answer *answer);
/* A fill was told for the first time: what it means for positions that are derived from balances. */
void coinbase_account_fill(struct coinbase *venue, uint16_t place,
                           const struct event_order_filled *fill, int64_t time_ns);

/* --- coinbase_missed.c ------------------------------------------------------------------------------- */

/* The private stream stands: ask for what the tape may not have. True while that goes on; the account waits for it. */
bool coinbase_missed_runs(struct coinbase *venue);
void coinbase_missed_due(struct coinbase *venue);
/* Answers to MISSED and MISSED_ORDER. */
void coinbase_missed_answer(struct coinbase *venue, const struct adapter_asked *asked,
                            const struct coinbase_answer *answer);

#endif
