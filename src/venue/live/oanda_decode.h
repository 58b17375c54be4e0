/* What OANDA's v20 API says, as records: lines of its two streams, answers to requests, and the bodies of new
 * orders (OpenAPI schema 3.0.25). Texts of numbers stay exact; unknown members and unknown words are left alone.
 * Names begin with v20, the API's own name. No I/O. */
#ifndef CAPSTAN_VENUE_LIVE_OANDA_DECODE_H
#define CAPSTAN_VENUE_LIVE_OANDA_DECODE_H

#include "event/event.h"
#include "venue/live/adapter.h"
#include "venue/live/json.h"

enum {
    V20_NAME_MAX = 64,   /* of a client order id; a longer one is none of ours */
    V20_WORD_MAX = 64,   /* of a reason, a code */
    V20_TEXT_MAX = 160,  /* of an error's words */
    V20_LEVELS_MAX = 32, /* of one side of a price; the others are left out */
    V20_BODY_MAX = 1024,
    V20_LIST_MAX = 1 << 20 /* items of one answer */
};

/* --- prices ------------------------------------------------------------------------------------------ */

struct v20_level {
    struct json_decimal price, quantity;
    char price_text[EVENT_TEXT_MAX + 1],
        quantity_text[EVENT_TEXT_MAX + 1]; /* where it has no value */
};

/* One PRICE: the whole ladder that is quoted now. */
struct v20_price {
    char instrument[EVENT_NAME_MAX + 1];
    bool tradeable;
    struct v20_level levels[2][V20_LEVELS_MAX]; /* by side, best first */
    size_t count[2];
    bool
        has_factors; /* quote to home currency, of gains and of losses ("as sent", trading-semantics 12) */
    money gain_factor, loss_factor;
};

/* --- transactions -------------------------------------------------------------------------------------- */

enum v20_type {
    V20_MADE,      /* an order was made: *_ORDER */
    V20_FILL,      /* ORDER_FILL */
    V20_CANCEL,    /* ORDER_CANCEL */
    V20_REFUSED,   /* *_REJECT: something was not done */
    V20_OTHER,     /* anything else that has an id */
    V20_UNREADABLE /* one of the first three without what it must have */
};

struct v20_transaction {
    uint64_t id, batch;
    int64_t time_ns; /* 0: none that can be read */
    uint8_t type;    /* enum v20_type */
    char instrument[EVENT_NAME_MAX + 1];
    char name[V20_NAME_MAX + 1]; /* client order id; "": none, or too long */
    uint64_t order;              /* made: its own id; fill, cancel: whose */
    uint64_t replaces;           /* made: the order in whose place it stands; 0: none */
    uint64_t replaced_by;        /* cancel */
    uint8_t side;                /* made, fill: enum side */
    struct json_decimal units;   /* made, fill: above 0 */
    struct json_decimal price;
    bool at_once; /* made: IOC or FOK */
    char reason[V20_WORD_MAX + 1];
    money commission, profit, financing; /* fill: in the account's currency */
    bool has_balance;
    money balance;
};

struct v20_transactions {
    struct v20_transaction *list;
    size_t count, capacity;
    uint64_t last; /* lastTransactionID; 0: not told */
};

/* --- lines of the streams ------------------------------------------------------------------------------ */

enum v20_line_kind { V20_LINE_PRICE, V20_LINE_HEARTBEAT, V20_LINE_TRANSACTION, V20_LINE_OTHER };

struct v20_line {
    uint8_t kind;    /* enum v20_line_kind */
    int64_t time_ns; /* the venue's; 0: none */
    uint64_t last;   /* heartbeat of the transactions stream: lastTransactionID; else 0 */
    struct v20_price price;
    struct v20_transaction transaction;
};

/* One line of either stream. ERROR_INPUT names what was expected; a transaction that has an id is never that,
 * but V20_UNREADABLE. */
int v20_read_line(const char *text, size_t length, struct v20_line *line, struct error *error);

/* --- answers ------------------------------------------------------------------------------------------- */

struct v20_order {
    uint64_t id;
    int64_t time_ns;
    char instrument[EVENT_NAME_MAX + 1]; /* "": an order that hangs on a trade */
    char name[V20_NAME_MAX + 1];
    uint8_t side; /* enum side */
    bool pending;
    struct json_decimal units, price;       /* units above 0 */
    uint64_t replaces, filling, cancelling; /* ids; 0: none */
};

struct v20_orders {
    struct v20_order *list;
    size_t count, capacity;
    uint64_t last;
};

struct v20_position {
    char instrument[EVENT_NAME_MAX + 1];
    struct json_decimal long_units, short_units; /* the short side's are below 0, or 0 */
    struct json_decimal long_price, short_price; /* averages; absent where nothing is held */
};

struct v20_positions {
    struct v20_position *list;
    size_t count, capacity;
};

/* GET /accounts/{id}: everything as of one transaction. */
struct v20_account {
    char currency[EVENT_NAME_MAX + 1];
    money balance, margin_available;
    bool hedging;
    uint64_t last;
    struct v20_positions positions;
    struct v20_orders orders;
};

/* What an error says. */
struct v20_error {
    char code[V20_WORD_MAX + 1]; /* rejectReason of its transaction, else errorCode; "": none */
    char text[V20_TEXT_MAX + 1];
};

/* Lists of these are reused by the next call; free them at the end. ERROR_INPUT names what was expected, and
 * leaves the list in no useful state. */
int v20_read_account(const char *body, size_t length, struct v20_account *account,
                     struct error *error);
/* {"orders": […]} of GET /orders and /pendingOrders. */
int v20_read_orders(const char *body, size_t length, struct v20_orders *orders,
                    struct error *error);
/* {"order": {…}}; `last` gets lastTransactionID. */
int v20_read_order(const char *body, size_t length, struct v20_order *order, uint64_t *last,
                   struct error *error);
/* {"positions": […]} of GET /positions and /openPositions. */
int v20_read_positions(const char *body, size_t length, struct v20_positions *positions,
                       struct error *error);
/* {"transactions": […]} of GET /transactions/sinceid, in the order of ids. */
int v20_read_transactions(const char *body, size_t length, struct v20_transactions *transactions,
                          struct error *error);
/* {"pages": ["…/idrange?from=1&to=100", …]} of GET /transactions: the first id of all; 0 where there is none. */
int v20_read_first_page(const char *body, size_t length, uint64_t *first, struct error *error);
/* Everything that a POST or PUT made: each "…Transaction" of the answer, in the order of ids. */
int v20_read_made(const char *body, size_t length, struct v20_transactions *transactions,
                  struct error *error);
/* What can be traded, for these symbols; `present` says which of them there are. */
int v20_read_instruments(const char *body, size_t length, const char *const *symbols, size_t count,
                         struct adapter_instrument *found, bool *present, struct error *error);
/* False where the body is no error with words. */
bool v20_read_error(const char *body, size_t length, struct v20_error *error);

/* What the readers took; all of these may be zeroed. */
void v20_account_free(struct v20_account *account);
void v20_orders_free(struct v20_orders *orders);
void v20_positions_free(struct v20_positions *positions);
void v20_transactions_free(struct v20_transactions *transactions);
/* False without memory. */
bool v20_transactions_append(struct v20_transactions *transactions,
                             const struct v20_transaction *transaction);

/* --- requests ------------------------------------------------------------------------------------------ */

/* A new order, whether it comes alone or replaces another. */
struct v20_new_order {
    const char *instrument;
    const char *units, *price; /* decimal texts; units of a sale begin with a minus */
    const char *time_in_force; /* "GTC", "GTD", "IOC", "FOK" */
    int64_t gtd_ns;            /* 0: none */
    bool full;                 /* with positionFill and triggerCondition, their defaults */
    const char *name, *tag;    /* client extensions; NULL: none */
};

/* {"order":{…}} as text. False where it does not fit. */
bool v20_write_order(const struct v20_new_order *order, char out[V20_BODY_MAX]);

#endif
