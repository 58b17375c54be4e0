/* Coinbase Advanced Trade's answers as plain fields: bytes in, values or an error out. No I/O, no clock, no state.
 * Shapes: the venue's REST reference; messages of its websockets are coinbase_frame.h's.
 *
 * Unknown members are left alone and unknown words of the venue are read as such; what is missing or of another
 * kind is ERROR_INPUT that names the field. A price or size whose text is no number keeps its status; an
 * amount of money without a value is an error. After an error nothing of `out` is to be used. */
#ifndef CAPSTAN_VENUE_LIVE_COINBASE_DECODE_H
#define CAPSTAN_VENUE_LIVE_COINBASE_DECODE_H

#include "venue/live/adapter.h"
#include "venue/live/coinbase_errors.h"
#include "venue/live/json.h"

enum {
    COINBASE_ID_MAX =
        EVENT_VENUE_ID_MAX,    /* bytes of an order's or a trade's id, which are UUIDs of 36 */
    COINBASE_NAME_MAX = 64,    /* bytes of a client order id */
    COINBASE_CURSOR_MAX = 512, /* bytes of what names the next page */
    COINBASE_LIST_MAX = 65536  /* items of one answer */
};

/* --- errors ------------------------------------------------------------------------------------------ */

/* {"errors": [{"id", "message"}]} or {"error", "error_details", "message"}. False where the text is neither. */
bool coinbase_read_error(const char *bytes, size_t length, struct coinbase_error *out);

/* --- orders ------------------------------------------------------------------------------------------ */

/* X(name, the venue's word, has ended) */
#define COINBASE_STATUSES(X)                                                                       \
    X(COINBASE_PENDING, "PENDING", false)                                                          \
    X(COINBASE_OPEN, "OPEN", false)                                                                \
    X(COINBASE_QUEUED, "QUEUED", false)                                                            \
    X(COINBASE_CANCEL_QUEUED, "CANCEL_QUEUED", false)                                              \
    X(COINBASE_EDIT_QUEUED, "EDIT_QUEUED", false)                                                  \
    X(COINBASE_FILLED, "FILLED", true)                                                             \
    X(COINBASE_CANCELLED, "CANCELLED", true)                                                       \
    X(COINBASE_EXPIRED, "EXPIRED", true)                                                           \
    X(COINBASE_FAILED, "FAILED", true)

enum coinbase_status {
#define X(name, word, over) name,
    COINBASE_STATUSES(X)
#undef X
        COINBASE_OTHER_STATUS /* UNKNOWN_ORDER_STATUS, and words that are not in the list */
};

/* Whether nothing can happen any more to an order of this status. */
bool coinbase_status_is_over(enum coinbase_status status);
/* The venue's word; "" for COINBASE_OTHER_STATUS. */
const char *coinbase_status_word(enum coinbase_status status);
enum coinbase_status coinbase_status_of(const char *word);

/* One order, as REST and the user channel tell it: what it is now, in sums. */
struct coinbase_order {
    char id[COINBASE_ID_MAX + 1], name[COINBASE_NAME_MAX + 1];
    char symbol[EVENT_NAME_MAX + 1];
    uint8_t status;        /* enum coinbase_status */
    uint8_t side;          /* enum side */
    uint8_t time_in_force; /* enum time_in_force; TIME_IN_FORCE_COUNT: a word that is not known */
    bool has_end;          /* good till a date */
    struct json_decimal price, size; /* ABSENT where it does not tell; size: of the whole order */
    struct json_decimal filled;
    struct json_decimal leaves; /* user channel; 0 once it is over, whatever was left */
    bool has_fees;
    money fees;                     /* of all its fills */
    int64_t time_ns;                /* of its last change; 0: not told */
    int64_t created_ns;             /* 0: not told */
    char reason[COINBASE_TEXT_MAX]; /* why it failed or was cancelled; "" */
};

struct coinbase_orders {
    struct coinbase_order *list;
    size_t count, capacity;
};

/* Where the next page begins; empty where this was the last. */
struct coinbase_page {
    char cursor[COINBASE_CURSOR_MAX];
};

/* One order; a page of the list, appended to `out`. */
int coinbase_read_order(const char *bytes, size_t length, struct coinbase_order *out,
                        struct error *error);
int coinbase_read_orders(const char *bytes, size_t length, struct coinbase_orders *out,
                         struct coinbase_page *page, struct error *error);
/* One order object of either kind, from a tree. */
int coinbase_order_of_tree(const cJSON *object, bool of_channel, struct coinbase_order *out,
                           struct error *error);

/* An answer to a new order. */
struct coinbase_placed {
    bool success;
    char id[COINBASE_ID_MAX + 1], name[COINBASE_NAME_MAX + 1]; /* success; name may be empty */
    char symbol[EVENT_NAME_MAX + 1];                           /* empty: not told */
    bool has_side;
    uint8_t side;                /* enum side */
    struct coinbase_error error; /* no success */
};
int coinbase_read_placed(const char *bytes, size_t length, struct coinbase_placed *out,
                         struct error *error);

/* What was said to one order of a batch of cancels. Success: it is on its way. */
struct coinbase_cancel {
    char id[COINBASE_ID_MAX + 1];
    bool success;
    struct coinbase_error error;
};
struct coinbase_cancels {
    struct coinbase_cancel *list;
    size_t count, capacity;
};
int coinbase_read_cancels(const char *bytes, size_t length, struct coinbase_cancels *out,
                          struct error *error);

/* An answer to an edit: whether it was taken, else why not. */
int coinbase_read_edit(const char *bytes, size_t length, bool *success,
                       struct coinbase_error *refusal, struct error *error);

/* --- fills ------------------------------------------------------------------------------------------- */

/* One fill. The trade id is unique among fills that are no corrections ("List Fills", trade_id). */
struct coinbase_fill {
    char trade[COINBASE_ID_MAX + 1], order[COINBASE_ID_MAX + 1];
    char symbol[EVENT_NAME_MAX + 1]; /* empty: not told */
    struct json_decimal price, quantity;
    money fee; /* in the quote asset */
    int64_t time_ns;
    bool is_trade; /* false: a reversal or a correction */
    bool in_quote; /* its size is an amount of the quote asset, which ours never are */
    bool has_liquidity, maker;
    uint8_t side; /* enum side */
};
struct coinbase_fills {
    struct coinbase_fill *list;
    size_t count, capacity;
};
/* A page of the list, appended to `out`. */
int coinbase_read_fills(const char *bytes, size_t length, struct coinbase_fills *out,
                        struct coinbase_page *page, struct error *error);
/* By time, each once: a list that grows while its pages are read tells the last of a page again on the next. */
void coinbase_fills_order(struct coinbase_fills *fills);

/* --- the account ------------------------------------------------------------------------------------- */

struct coinbase_balance {
    char asset[EVENT_NAME_MAX + 1];
    money available, hold;
};
struct coinbase_balances {
    struct coinbase_balance *list;
    size_t count, capacity;
};
/* A page of accounts, appended to `out`. */
int coinbase_read_accounts(const char *bytes, size_t length, struct coinbase_balances *out,
                           struct coinbase_page *page, struct error *error);

struct coinbase_rights {
    bool can_view, can_trade, can_transfer;
    char portfolio[COINBASE_ID_MAX + 1]; /* empty: not told */
};
int coinbase_read_rights(const char *bytes, size_t length, struct coinbase_rights *out,
                         struct error *error);

/* Rates of the account's fee tier, in 1e-9. */
struct coinbase_fees {
    int64_t maker, taker;
};
int coinbase_read_fees(const char *bytes, size_t length, struct coinbase_fees *out,
                       struct error *error);

/* --- the venue --------------------------------------------------------------------------------------- */

int coinbase_read_time(const char *bytes, size_t length, int64_t *out_ns, struct error *error);

/* What of a product is not as orders of ours want it. */
enum { COINBASE_LEAST_ABOVE_LOT = 1 };

/* A product beside what every adapter tells of it. */
struct coinbase_product {
    bool present;
    char market[EVENT_NAME_MAX + 1]; /* under which name public channels tell of it */
    uint8_t notes;
};
/* Products by place in `symbols`; others are passed over. `found` is filled but for fees and the tape's numbers.
 * Units: a price unit is that of the tick, a quantity unit that of the lot (fees are paid in quote). ERROR_INPUT
 * names product and field. */
int coinbase_read_products(const char *bytes, size_t length, const char *const *symbols,
                           size_t count, struct adapter_instrument *found,
                           struct coinbase_product *products, struct error *error);

/* --- lists ------------------------------------------------------------------------------------------- */

/* Free what lists hold. */
void coinbase_orders_free(struct coinbase_orders *orders);
/* Likewise. */
void coinbase_cancels_free(struct coinbase_cancels *cancels);
/* Likewise. */
void coinbase_fills_free(struct coinbase_fills *fills);
/* Likewise. */
void coinbase_balances_free(struct coinbase_balances *balances);

/* Room for one more item of a list that grows: 0, or ERROR_INPUT at COINBASE_LIST_MAX, ERROR_SYSTEM without memory. */
int coinbase_reserve(void **list, size_t *capacity, size_t count, size_t size, size_t most,
                     struct error *error);
/* What may go into a log line: cut, and printable ASCII only. */
void coinbase_copy_printable(const char *text, char *out, size_t capacity);
/* An RFC 3339 time; 0 where the member is absent, empty, of before 1970, or no time. */
int64_t coinbase_time_of(const cJSON *object, const char *name);

#endif
