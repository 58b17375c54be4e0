/* The account and the orders of one venue, whatever protocol it speaks: ids, client ids, fills, holdings,
 * history. Matching is the simulated venue's (venue/sim), driven as time passes, without latency: what is
 * submitted at `now` has happened when the call returns.
 *
 * Everything that happens to an order is told to one listener, in order, before the call that caused it
 * returns. Times are ns since 1970, never back. */
#ifndef CAPSTAN_EXCHANGE_CORE_H
#define CAPSTAN_EXCHANGE_CORE_H

#include "event/event.h"
#include "exchange/json.h"
#include "feed/feed.h"

enum {
    CORE_CLIENT_MAX = 128,       /* bytes of a client order id */
    CORE_ORDERS_LIVE_MAX = 8192, /* that may rest at one time */
};

enum core_state {
    CORE_PENDING,
    CORE_OPEN,
    CORE_FILLED,
    CORE_CANCELLED,
    CORE_EXPIRED,
    CORE_REJECTED
};

/* What happened to an order. */
enum core_event_kind {
    CORE_ACCEPTED,
    CORE_FILL,
    CORE_MODIFIED,
    CORE_CANCEL, /* somebody asked for it */
    CORE_EXPIRY, /* its time was over, or what could not be taken at once ended */
    CORE_REJECT
};

/* One fill. */
struct core_fill {
    uint64_t trade;          /* the venue's number of it, from 1 */
    size_t order;            /* index */
    int64_t price, quantity; /* units of the instrument */
    money value;             /* price x quantity in quote */
    money fee;
    uint16_t fee_asset;
    bool maker;
    int64_t time;
    int64_t position; /* of the instrument after it, quantity units */
};

struct core_order {
    size_t index; /* in order of arrival; the venue's number is index + 1 */
    uint16_t instrument;
    uint8_t side;          /* enum side */
    uint8_t time_in_force; /* enum time_in_force */
    uint8_t state;         /* enum core_state */
    uint8_t reject;        /* enum reject, of one that was refused */
    bool post_only, is_market;
    int64_t price;    /* price units; of a market order the worst that it may trade at */
    int64_t quantity; /* whole, quantity units */
    int64_t filled;
    money value; /* of its fills, in quote */
    money fee;   /* of its fills, in the last fill's fee asset */
    unsigned fills;
    int64_t created, updated;
    int64_t expires; /* TIME_NEVER: not */
    char client[CORE_CLIENT_MAX + 1];
    char cancel_client[CORE_CLIENT_MAX + 1]; /* id of the cancel that ended it, where it had one */
    void *protocol;                          /* the protocol's own; freed with free() at the end */
};

/* `fill` is set for CORE_FILL. */
struct core_event {
    enum core_event_kind kind;
    struct core_order *order;
    const struct core_fill *fill;
    int64_t time;
    size_t number; /* of all events, from 0 */
};

/* A new order. Quantity and price are in units and already on the grid that the caller checked. */
struct core_place {
    uint16_t instrument;
    uint8_t side, time_in_force;
    bool post_only, is_market;
    int64_t price, quantity;
    int64_t expires;    /* TIME_NEVER: not */
    const char *client; /* copied */
    void *protocol;
};

struct core;

struct core_options {
    struct feed *feed; /* with a second cursor */
    const struct event_names *names;
    unsigned venue;
    const char *balances; /* "100000 USD, 1.5 BTC"; "": funds limit nothing */
    void (*event)(void *context, const struct core_event *event);
    void *context;
};

/* Takes all that must be there before the first order; the feed and the names must outlive it. ERROR_INPUT for
 * balances that can't be read. */
int core_open(struct core **core, const struct core_options *options, int64_t now,
              struct error *error);
void core_close(struct core **core);

/* Time goes on to `now`: the market moves, orders fill and expire. Called before each of the calls below with
 * the same `now`. ERROR_… where the simulated venue gives up. */
int core_advance(struct core *core, int64_t now, struct error *error);
/* The next time an order expires; TIME_NEVER. */
int64_t core_deadline(const struct core *core);

/* Place: an order that is open, has ended or was refused (state CORE_REJECTED with `reject`). */
int core_place(struct core *core, const struct core_place *place, int64_t now,
               struct core_order **order, struct error *error);
/* Cancel; *reject REJECT_NONE where it was done. `client`: id of the cancel itself, NULL or "": none. */
int core_cancel(struct core *core, struct core_order *order, const char *client, int64_t now,
                enum reject *reject, struct error *error);
/* A new price and a new whole quantity; keeps its place in the queue where only the quantity falls. */
int core_edit(struct core *core, struct core_order *order, int64_t price, int64_t quantity,
              int64_t now, enum reject *reject, struct error *error);

size_t core_order_count(const struct core *core);
struct core_order *core_order(const struct core *core, size_t index);
/* The youngest order of a client id, refused ones left out; NULL. */
struct core_order *core_order_by_client(const struct core *core, const char *client);
/* Orders that rest, oldest first; fills up to `capacity` and returns how many there are. */
size_t core_open_orders(const struct core *core, struct core_order **orders, size_t capacity);
size_t core_fill_count(const struct core *core);
const struct core_fill *core_fill(const struct core *core, size_t index);
/* Price of all fills of an order, exact to 1e-8, half even; 0 without fills. */
money core_average_price(const struct core *core, const struct core_order *order);

/* What the account holds of an asset, and how much of it open orders hold back. */
money core_balance(const struct core *core, unsigned asset);
money core_locked(const struct core *core, unsigned asset);
/* Whether sim.balances limits the venue's orders, that is: the account has an asset. */
bool core_has_asset(const struct core *core, unsigned asset);
int64_t core_position(const struct core *core, unsigned instrument);

/* Everything as JSON members of an object that is open: orders with their history, and positions; */
void core_write_state(const struct core *core, struct json *json);
/* fills and balances, where the protocol keeps no others. */
void core_write_books(const struct core *core, struct json *json);

/* "open", "filled" … */
const char *core_state_name(enum core_state state);

#endif
