/* The state of the simulated venue, shared by its files. */
#ifndef CAPSTAN_VENUE_SIM_STATE_H
#define CAPSTAN_VENUE_SIM_STATE_H

#include "engine/book.h"
#include "venue/sim/queue.h"
#include "venue/sim/sim.h"

#define SIM_NONE          UINT32_MAX /* no order */
#define SIM_AHEAD_UNKNOWN INT64_MAX  /* beyond the snapshot's depth: no queue fill */

enum sim_order_state { SIM_FREE, SIM_LIVE, SIM_FILLED, SIM_ENDED };

/* One of our orders. Ended ones are remembered until their place is needed. */
struct sim_order {
    order_id id;
    uint64_t number;    /* the venue's own, in order of arrival */
    int64_t price;      /* price units */
    int64_t left;       /* quantity units */
    int64_t filled;     /* so far */
    int64_t told;       /* of it, what the engine has been given an answer for */
    int64_t ahead;      /* quantity before us at our price, or SIM_AHEAD_UNKNOWN */
    money reserved;     /* of the asset that it pays with, spot only */
    uint64_t last_fill; /* ordinal of its newest in the ring of fills, 0: none */
    uint32_t next;      /* resting: the next worse; ended: the next younger; free: the next */
    uint32_t previous;  /* resting: the next better */
    uint16_t instrument;
    uint8_t side;
    uint8_t state; /* enum sim_order_state */
    uint8_t cause; /* enum cancel_cause, where it ended unfilled */
    bool post_only;
    bool resting; /* in the list of its instrument and side */
};

/* Where an order stands. The tag spares a look at an order that is not the one sought. */
struct sim_bucket {
    uint32_t slot; /* SIM_NONE is empty */
    uint32_t tag;  /* low bits of its id */
};

/* A fill as it was told, for a query that asks again. */
struct sim_fill {
    struct event_order_filled told;
    int64_t time;      /* venue time */
    uint64_t previous; /* ordinal of the same order's fill before it, 0: none */
    bool known;        /* an answer told the engine of it, which a restart may prevent */
};

/* The newest fills; ordinals count from 1. */
struct sim_fills {
    struct sim_fill *ring;
    uint64_t *again; /* room for the ordinals of one order's */
    size_t capacity;
    uint64_t count; /* ever */
};

/* All our orders, by id and by age. */
struct sim_orders {
    struct sim_order *orders;
    struct sim_bucket *buckets; /* open addressing by id */
    size_t capacity, bucket_count;
    size_t live, live_capacity;
    uint32_t free;                 /* list */
    uint32_t ended_old, ended_new; /* list, oldest first */
};

struct sim_instrument {
    struct event_definition definition;
    struct book *book;
    int64_t edge[2];  /* worst price that the last snapshot showed, 0 where it showed none */
    uint32_t best[2]; /* our orders by enum side, best price first, then arrival */
    uint8_t trading;  /* enum trading */
    int64_t position; /* quantity units, signed: fills */
    money base_fees;  /* spot: that fills took of it */
};

/* A request on its way to the venue. */
struct sim_request {
    uint8_t kind;
    int64_t told; /* what the engine knew to be filled when it sent */
    int64_t sent; /* ts_local */
    union event_record record;
};

/* An answer on its way to the engine. */
struct sim_answer {
    struct message message;
    union event_record record;
    uint64_t fill; /* ordinal of the fill that it tells */
    bool again;    /* which was told before */
};

/* One venue as a connection. */
struct sim_connection {
    int64_t entry_latency, answer_latency; /* ns */
    int64_t last_due;                      /* of its newest answer */
    bool fill_on_cross;
};

struct sim {
    struct venue venue; /* first: the pointer that callers hold */
    uint32_t magic;
    unsigned venue_count, asset_count, instrument_count;
    struct feed *feed;
    const struct event_names *names;
    int64_t reorder, feed_floor; /* ns */
    int64_t time;                /* venue time of what is being processed */
    int64_t present;             /* everything up to here has been processed */
    struct sim_connection *connections;
    struct sim_instrument *instruments;
    struct sim_orders orders;
    struct sim_fills fills;
    money *balances, *reserved; /* by venue and asset */
    bool *configured;           /* assets that sim.balances names */
    bool *limited;              /* by venue: sim.balances names any, so that funds limit orders */
    struct sim_queue market;    /* messages by venue time */
    struct sim_queue requests;  /* by arrival */
    struct sim_queue answers;   /* by due time */
    struct sim_slots request_slots, answer_slots;
    struct sim_request *request_memory;
    struct sim_answer *answer_memory;
    uint32_t answer_given; /* slot of the answer that the caller looks at, or SIM_NONE */
    uint64_t order_number, trade_number;
    const char *full; /* setting whose table was full, or NULL */
    unsigned full_instrument;
    bool started;                 /* the engine did, once at least */
    bool overflow;                /* an amount was more than money, or a position, can hold */
    unsigned overflow_instrument; /* where; EVENT_NONE_16: a balance of several */
    struct sim_stats stats;
};

/* --- orders.c -------------------------------------------------------------------------------- */

int sim_orders_open(struct sim_orders *orders, size_t live_capacity, struct error *error);
void sim_orders_close(struct sim_orders *orders);
/* The order, live or remembered, or NULL. */
struct sim_order *sim_order_find(const struct sim_orders *orders, order_id id);
/* A new live order that rests nowhere yet. NULL where as many live as there may be. */
struct sim_order *sim_order_new(struct sim_orders *orders, order_id id);
/* Filled or cancelled: off its list, remembered for a while. */
void sim_order_end(struct sim *sim, struct sim_order *order, enum sim_order_state state);
/* Put it behind all orders of its price or better; take it out again. */
void sim_order_rest(struct sim *sim, struct sim_order *order);
void sim_order_lift(struct sim *sim, struct sim_order *order);
static inline struct sim_order *sim_order_at(const struct sim *sim, uint32_t slot)
{
    return slot == SIM_NONE ? NULL : &sim->orders.orders[slot];
}
/* Our best order of a side, and the one after an order; NULL at the end. */
static inline struct sim_order *sim_order_best(const struct sim *sim, unsigned instrument,
                                               enum side side)
{
    return sim_order_at(sim, sim->instruments[instrument].best[side]);
}
static inline struct sim_order *sim_order_next(const struct sim *sim, const struct sim_order *order)
{
    return sim_order_at(sim, order->next);
}
/* The venue's own name for an order or a trade: `prefix` and a number. */
struct venue_id sim_venue_id(const char *prefix, uint64_t number);

int sim_fills_open(struct sim_fills *fills, size_t live_capacity, struct error *error);
void sim_fills_close(struct sim_fills *fills);
/* Remember a fill that is told now. */
void sim_fill_keep(struct sim *sim, struct sim_order *order, const struct event_order_filled *told);
/* Tell all fills of an order again, the oldest first. What the ring has forgotten is not told. */
void sim_fills_again(struct sim *sim, const struct sim_order *order);
/* The fill of that ordinal, NULL where there is none or the ring has forgotten it. */
struct sim_fill *sim_fill_kept(const struct sim_fills *fills, uint64_t ordinal);

/* --- account.c ------------------------------------------------------------------------------- */

/* Read sim.balances of each venue. */
int sim_account_open(struct sim *sim, const struct settings_venue *venues, struct error *error);
/* What an order of this price and quantity must hold back, and whether the account has it, when
 * `held` is given back first. Always true on margin venues. */
bool sim_funds_suffice(const struct sim *sim, unsigned instrument, enum side side, int64_t price,
                       int64_t quantity, money held, money *reserve);
/* Hold back what the order needs for what is left of it. */
void sim_funds_hold(struct sim *sim, struct sim_order *order);
/* Book a fill; gives the fee and its asset. */
void sim_account_fill(struct sim *sim, const struct sim_order *order, int64_t price,
                      int64_t quantity, enum liquidity liquidity, money *fee, uint16_t *asset);
/* Quantity x price x multiplier in quote units, for the least notional; false if it overflows. */
bool sim_notional(const struct event_definition *definition, int64_t price, int64_t quantity,
                  money *value);

/* What the venue says of the account, with the answer latency; `taken` is when it was asked for. */
void sim_tell_account(struct sim *sim, unsigned venue, int64_t taken);

/* --- match.c --------------------------------------------------------------------------------- */

void sim_take_book(struct sim *sim, unsigned instrument, const struct message *message);
void sim_take_trades(struct sim *sim, unsigned instrument, const struct message *message);
/* True where an order of that side and price would trade at once. */
bool sim_would_cross(const struct sim *sim, unsigned instrument, enum side side, int64_t price);
/* Walk the shown levels at our price or better. */
void sim_take_liquidity(struct sim *sim, struct sim_order *order);
/* Join the queue at its price. */
void sim_join(struct sim *sim, struct sim_order *order);

/* --- requests.c ------------------------------------------------------------------------------ */

void sim_take_request(struct sim *sim, const struct sim_request *request);

/* --- sim.c ----------------------------------------------------------------------------------- */

/* A new answer of the venue, due after its latency; the record is zeroed. `instrument` may be
 * EVENT_NONE_16. Never NULL: without room the run ends in an error after this step. */
union event_record *sim_answer_new(struct sim *sim, unsigned venue, enum event_kind kind,
                                   unsigned instrument);

/* The same of something that took place at `time`; `again`: the fill of that ordinal is told once more, 0: it is new. */
union event_record *sim_answer_of(struct sim *sim, unsigned venue, enum event_kind kind,
                                  unsigned instrument, int64_t time, uint64_t again);

static inline bool sim_price_is_better(enum side side, int64_t a, int64_t b)
{
    return side == SIDE_BUY ? a > b : a < b;
}

static inline enum side sim_opposite(enum side side)
{
    return side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
}

#endif
