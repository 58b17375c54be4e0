/* The engine's state and what its files ask of each other. Nobody outside src/engine/ includes this but
 * the tests that break invariants on purpose. */
#ifndef CAPSTAN_ENGINE_ENGINE_INTERNAL_H
#define CAPSTAN_ENGINE_ENGINE_INTERNAL_H

#include "engine/alarms.h"
#include "engine/book.h"
#include "engine/engine.h"
#include "engine/infrastructure.h"
#include "engine/learning.h"
#include "engine/order_state.h"
#include "engine/orders_stream.h"
#include "engine/position.h"
#include "engine/profit.h"
#include "engine/rate.h"
#include "engine/signals.h"
#include "engine/sync.h"
#include "strategy/strategy.h"

enum {
    ENGINE_MAGIC = 0x43617073,
    ENGINE_ALIGNMENT = 64,
    ENGINE_REMOVED_MAX = 8,    /* `removed` decisions a message; the rest is counted */
    ENGINE_MID_RING = 128,     /* mids kept, for "the mid one second ago" */
    ENGINE_MID_SHIFT = 23,     /* one a 2^23 ns, so the ring spans 1.07 s */
    ENGINE_QUERY_NOT_FOUND = 2 /* "not found" this often ends an unknown order */
};

/* No order, no trade. */
#define ENGINE_NO_SLOT UINT32_MAX
/* Largest usable price, so that four times a price fits. */
#define ENGINE_PRICE_MAX BOOK_PRICE_MAX
/* Largest usable quantity of an order, and of all its fills: what has filled and what is left add up. What is
 * beyond is a fault of the message, like a number that is none. */
#define ENGINE_QUANTITY_MAX (INT64_C(1) << 60)
/* The largest amount that a message may tell, and the largest value of a fill: 1e15 of an asset, in atto. 128
 * bits hold 1.7e20 of it, so 170,000 such amounts in a row add up. More than any account holds or trades, so
 * what is beyond is a fault of the message. */
#define ENGINE_MONEY_MAX ((int128)INT64_C(1000000000000000) * INT64_C(1000000000000000000))
/* Rule 14: younger than this is fresh. */
#define ENGINE_MARK_FRESH_NS (5 * NS_PER_SECOND)
/* Rule 20: a last trade no older than this takes part in the reference. */
#define ENGINE_TRADE_FRESH_NS (10 * NS_PER_SECOND)
/* Rule 28: "not found" is not believed before. */
#define ENGINE_NOT_FOUND_NS (5 * NS_PER_SECOND)

/* --- market ---------------------------------------------------------------------------------- */

/* A price with the time at which it was told. */
struct stamped {
    int64_t value;
    int64_t ts; /* ts_local, ns */
    bool has;
};

/* Best bid and ask as quoting reads them (trading-semantics 3). Index: enum side. */
struct top_view {
    int64_t price[2];
    int64_t quantity[2];
    bool has[2];
    uint64_t sequence; /* of the last top message; depth from it on replaces the view. 0: none */
};

struct mid_ring {
    int64_t ts[ENGINE_MID_RING];
    int64_t mid2[ENGINE_MID_RING]; /* twice the mid, price units */
    uint64_t count;                /* entries ever made */
    uint64_t behind;               /* newest entry that is at least one second old */
};

struct market {
    struct book *book;
    struct top_view top;
    int64_t view_ts; /* of the newest message that tells of book or best prices */
    bool seen;       /* there was one */
    bool spot;       /* rule 14: a venue's mark is the mark of contracts only */
    bool book_seen;  /* there was a whole book */
    bool gap;        /* lost since the last snapshot */
    uint8_t trading; /* enum trading */
    struct stamped mark, index, trade, open_interest, open_interest_cap;
    int64_t mid2; /* twice the mid of the view, where that can be a mark; 0: it can't */
    struct stamped last_mark2; /* twice the mark that stood when a mid was lost, `ts`: until then */
    int64_t funding_rate, funding_due; /* due TIME_NEVER: none */
    bool funding_told;                 /* there was a record of it */
    struct mid_ring mids;
};

/* --- orders ---------------------------------------------------------------------------------- */

/* An order, in the slot (counter - 1) & mask. An ended one stays until its slot is taken again. What every
 * cycle reads stands first, in one line of the cache. */
struct order {
    _Alignas(ENGINE_ALIGNMENT) int64_t price;
    int64_t leaves;
    int64_t quantity; /* filled + leaves while live */
    int64_t filled;
    int64_t retry_ts;        /* after a cancel that failed: no other request before */
    uint32_t next, previous; /* in its instrument and side, older first */
    uint16_t instrument;
    uint8_t side;
    uint8_t state;
    uint8_t level;
    uint8_t not_found; /* times */
    uint8_t lost;      /* enum request: what was not answered */
    bool cancel_sent;  /* a cancel left since the venue last showed that it rests */
    uint8_t failures;  /* cancels that failed since the operator last had a hand in it */
    bool hanging;      /* leaves are what a modify adds, if it was before the last fill */
    bool owing;        /* over at the venue; leaves are fills that are still to come */
    bool unpriced;     /* the venue told a price that is none; `price` is the last good one */
    uint8_t spell;     /* enum spell */
    bool asking;       /* a query is on its way */
    uint8_t queries;   /* without an answer so far */
    uint8_t older; /* of these, sent before the newest request: their answers tell nothing of it */
    uint8_t asked_level;

    money reserved; /* of quote (buys) or base (sells) on a spot venue */
    order_id id;
    int64_t asked_price, asked_leaves; /* while pending_modify, as asked_level */
    int64_t asked_ts;                  /* when the unanswered request left; unknown: since when */
    int64_t placed_ts;                 /* when it left */
    int64_t modify_ts;                 /* when the newest modify left */
    int64_t query_ts;                  /* when it was last asked for */
    int64_t spell_start;               /* rule 26; while there is a spell */
    int64_t spell_filled;              /* of `filled`, before the spell */
    int64_t spell_quantity;            /* at its start, less what a modify took away */
    int64_t event_ts;                  /* when something last happened to it, by us or the venue */
    int64_t told_ts; /* venue time of the newest answer that told how it rests; INT64_MIN: none */
    int64_t shown_price, shown_leaves; /* in the account snapshot `shown` (sync.h) */
    uint32_t shown;
    uint32_t last_trade; /* newest of its trades in the trade ring */
};

/* The live orders of one instrument and side, and their sums. */
struct order_side {
    uint32_t first, last;
    uint32_t count;
    uint32_t going; /* of these, pending cancel */
    /* Slots of the orders that stood for the levels of the last ladder, if each level had one: where to look
     * first for those of the next. No decision hangs on it. */
    uint32_t stood_count;
    uint32_t stood[STRATEGY_LEVELS_MAX];
    /* Worst case: old or new while a modify travels; no number of orders makes it wrap. */
    int128 leaves;
};

/* A trade of ours, so that it counts once. */
struct own_trade {
    order_id order;
    struct venue_id id;
    uint64_t count;    /* of all trades ever, this one's place */
    uint32_t previous; /* of the same order */
};

struct order_table {
    struct order *slots;
    struct own_trade *trades;
    uint32_t mask;       /* slots - 1 */
    uint32_t trade_mask; /* trades - 1 */
    uint32_t capacity;   /* live orders allowed */
    uint32_t live;
    uint64_t trade_count; /* ever */
    uint64_t repeats, surprises, late_fills, orphan_fills;
};

/* --- money ----------------------------------------------------------------------------------- */

/* One asset at one venue. total = transfers + moved, always. */
struct balance {
    money total;
    money transfers;   /* what the venue's snapshots added to what we knew */
    money moved;       /* by fills, fees, funding */
    money fees;        /* part of moved, positive is paid */
    money reserved;    /* by live orders; spot only */
    money shown_total; /* in the account snapshot `shown` (sync.h) */
    int64_t shown_at;  /* its venue time */
    int64_t as_of;     /* venue time of the newest snapshot in `total`; INT64_MIN: not known. What
                          the venue did until then is in it, whenever we are told */
    int64_t newest;    /* venue time of the newest thing that moved it; INT64_MIN: not known */
    uint32_t shown;
    bool used, told;
};

/* --- instruments ------------------------------------------------------------------------------ */

/* What settings and definition mean in the instrument's units. */
struct limits {
    struct strategy_units quote;
    bool enabled;
    bool rough; /* quote.strategy, for tests */
    int64_t interval;
    int64_t price_tolerance;
    int64_t size_tolerance; /* 1e-9 */
    int64_t position_limit, size_band;
    uint32_t orders_per_side;
    int64_t collar, far_collar;  /* 1e-9 */
    bool open_interest;          /* the venue is said to tell it */
    int64_t open_interest_share; /* 1e-9 */
    int64_t open_interest_age;
    int64_t stale_after, pending_timeout;
    uint32_t cancel_retries;   /* of a cancel that failed */
    int64_t cancel_backoff;    /* before the first of them */
    int64_t learning_horizon;  /* ns; 0: nothing is learned */
    int64_t learning_decay;    /* 1e-9 */
    int64_t learning_evidence; /* whole spells in 1e-9 */
    bool learning_sizing;
    struct signal_limits signal;
    int64_t unknown_alarm; /* 0: none */
    int128
        minimum_raw; /* price x quantity (linear) or quantity (inverse) of the minimum notional */
    uint64_t tick_inverse, tick_bound; /* see limits_off_tick */
    unsigned tick_shift;
};

/* A gate of one instrument: whether it blocked in the last cycle. */
struct gate_state {
    uint32_t blocking, blocked_now; /* bits by enum gate */
    uint64_t blocked[GATE_COUNT];   /* in the present spell */
};

struct breakers {
    int64_t since[BREAKER_COUNT]; /* time of the last change */
    uint8_t state[BREAKER_COUNT]; /* enum breaker_state */
    uint8_t worst;                /* of them */
    bool widen;                   /* one of them widens, or does worse */
};

/* Refusals of orders and edits of one side, but for post-only and rate. */
struct refusals {
    uint64_t levels;  /* what waits, a bit each */
    int64_t at;       /* when the last was told; INT64_MIN: there was none */
    int64_t until;    /* nothing leaves before */
    int64_t back_off; /* the wait that ends then; 0: there was none */
};

struct instrument {
    struct market market;
    struct order_side sides[2];
    struct position position;
    money quote_flow;                   /* spot: Σ sells − Σ buys, gross */
    struct limits limits, first_limits; /* as definitions say; as the tape's names said at first */
    struct gate_state gates;
    struct breakers breakers;
    struct signals signals;
    struct instrument_profit profit;
    struct learning learning;
    struct alarms alarms;
    struct sync_instrument sync;
    struct event_definition definition, first_definition;
    unsigned far_levels; /* of the book */
    void *strategy_state;
    int64_t last_cycle;
    int64_t pending_deadline; /* lower bound of the earliest unanswered request's; TIME_NEVER */
    int64_t retry_deadline;   /* lower bound of the earliest cancel's that is sent again */
    int64_t held_until;       /* a cancel was held back: the cycle comes again; TIME_NEVER */
    bool paused, pulled;      /* by command; pulled: cancel all, until resumed */
    bool wait_top[2];         /* after a post-only refusal: nothing on that side before a new top */
    struct refusals refusals[2];       /* whose reason concerns the side */
    struct refusals level_refusals[2]; /* the order alone */
    /* The present cycle. */
    int64_t reference4; /* collar reference, four times the price; 0: none fresh */
    int64_t fair, skew; /* 1/1,000 tick */
    bool has_fair;
    bool may_quote;        /* no gate of the whole instrument blocked it */
    bool top_in_collar[2]; /* the top view's own side is not too aggressive */
};

/* Rule 27's table: what a change of a level becomes at a venue. Words of the setting venue.modify. */
enum modify { MODIFY_NONE, MODIFY_SHRINK, MODIFY_EDIT, MODIFY_REPLACE, MODIFY_CANCEL_REPLACE };

struct venue_state {
    struct rate rate;
    struct sync sync;
    struct infrastructure infrastructure;
    struct orders_stream orders_stream;
    struct alarms alarms;
    int64_t renew_after;         /* age at which an order is placed anew; 0: never */
    uint8_t modify;              /* enum modify */
    bool reconciled;             /* the account snapshot is complete */
    bool told;                   /* it named a balance: funds are limited */
    int64_t orders, orders_room; /* while candidates leave: wanted, and room in the rate */
};

/* --- what a step wants ------------------------------------------------------------------------- */

enum want { WANT_CANCEL, WANT_MODIFY, WANT_REPLACE, WANT_PLACE };

/* An action before the send gate. */
struct candidate {
    int64_t distance; /* of `price` from fair value, 1/1,000 tick; 0 without one */
    int64_t price, quantity;
    order_id order; /* cancel, modify; replace: the old one */
    uint16_t instrument;
    uint8_t want, side, level, why;
    bool has_fair;
};

/* Orders of one instrument while a short rate budget is shared out. */
struct admission {
    uint32_t wanted[2], met[2];
    uint32_t admitted; /* pairs */
    bool refused;
};

struct candidates {
    struct candidate *list;
    uint32_t *order;         /* indices in sending order */
    struct admission *pairs; /* by instrument; of the present step only */
    uint32_t count, capacity;
};

enum { ENGINE_SIDE_ORDERS_MAX = 1024 }; /* as many as risk.orders_per_side can be */

/* The live orders of a side while levels are matched to them. */
struct resting {
    int64_t prices[ENGINE_SIDE_ORDERS_MAX]; /* 0: taken by a level */
    struct order *orders[ENGINE_SIDE_ORDERS_MAX];
    unsigned count;
};

struct output {
    struct message *messages;
    union event_record *records;
    size_t count, capacity;
};

/* Deadlines: a winner tree over the instruments, and one leaf after them for all that belongs to none. */
struct timers {
    int64_t *tree; /* node 1 is the root; leaves from `leaves` */
    uint32_t leaves;
    uint32_t common; /* the leaf that belongs to no instrument */
    bool settled;    /* the earliest is exact, and no message but its own cycle can move it */
    bool moved;      /* the common leaf may have another deadline */
};

/* With orders, positions, balances, pauses and breaker states what must outlive a crash: only session and
 * decision records change it (carry.c). */
struct carry {
    uint32_t epoch;
    uint32_t counter; /* of the last order */
    uint8_t shutdown; /* enum shutdown_step */
    /* Of the whole shutdown, and of the step where it stands (TIME_NEVER: it has none). */
    int64_t shutdown_deadline, shutdown_step_deadline;
};

struct engine {
    uint32_t magic;
    unsigned venue_count, asset_count, instrument_count;
    bool audit_each;
    /* A tape is being folded: what is emitted is thrown away, because it stands on the tape as a decision of
     * its own, which comes next. State that such a decision changes twice must wait for it. */
    bool folding;
    int64_t audit_every;
    int64_t shutdown_timeout, shutdown_step_timeout, shutdown_force_after;
    struct instrument *instruments;
    struct venue_state *venues;
    struct balance *balances; /* venue x asset_count + asset */
    struct order_table orders;
    struct carry carry;
    struct profit profit;
    struct orphans orphans;
    struct infrastructure database;
    bool database_required;                /* setting */
    int64_t own_book_every, own_book_next; /* 0, TIME_NEVER: not checked */
    int64_t sync_deadline;                 /* of all that sync.c waits for */
    uint32_t gates_off;                    /* tests only: gates that don't block, as bits */
    int64_t now;
    bool started;
    bool warm;        /* it took a start, or what one left that goes on: not only the carry */
    int64_t start_ts; /* of the last start */
    bool any_due;
    bool within_frame;     /* the last message had MESSAGE_MORE: what is due waits for the rest */
    uint64_t ordinal;      /* of the message, from start = 1; decisions name it as their cause */
    uint64_t *due;         /* instruments whose cycle is due, one bit each */
    unsigned removed_left; /* `removed` decisions that this message may still make */
    struct timers timers;
    struct candidates candidates;
    struct resting *resting; /* of the side that is being reconciled */
    struct output output;
    struct engine_counters counters;
    int64_t audit_countdown;
    const char *full_setting;
    uint64_t full_needed;
};

/* --- engine.c --- */
/* A decision of this step; its record is filled by the caller. NULL never. */
union event_record *engine_emit(struct engine *engine, enum event_kind kind, unsigned instrument);
void engine_mark_due(struct engine *engine, unsigned instrument);
void engine_table_full(struct engine *engine, const char *setting, uint64_t needed);
void engine_violation(struct engine *engine, unsigned invariant);
/* The same, with words for the part of the invariant that does not hold. */
void engine_violation_of(struct engine *engine, unsigned invariant, const char *what);
/* Running sums of money. One that does not fit stays as it was and is a violation: what a venue tells never
 * ends the process. */
static inline money engine_add(struct engine *engine, money a, money b)
{
    money sum = a;
    if (__builtin_expect(!money_try_add(a, b, &sum), 0))
        engine_violation(engine, 6);
    return sum;
}
static inline money engine_subtract(struct engine *engine, money a, money b)
{
    money difference = a;
    if (__builtin_expect(!money_try_subtract(a, b, &difference), 0))
        engine_violation(engine, 6);
    return difference;
}
/* An amount that a message tells can be meant: within ENGINE_MONEY_MAX. */
static inline bool engine_is_money(money amount)
{
    return amount.atto <= ENGINE_MONEY_MAX && amount.atto >= -ENGINE_MONEY_MAX;
}

/* Take one session record. */
void engine_take_session(struct engine *engine, const struct message *message);

/* --- walk.c --- */
/* `ended` too: all that the table still knows; without, what can change a decision soon. */
void walk_orders(struct walker *walker, const struct engine *engine, bool ended);
/* Positions and balances. */
void walk_money(struct walker *walker, const struct engine *engine);
void walk_breakers(struct walker *walker, const struct engine *engine);

/* --- limits.c --- */
/* Settings and definition as units; false with the setting's name where one is not usable. */
bool limits_resolve(struct limits *limits, const struct settings_instrument *settings,
                    const struct event_definition *definition, const char **problem);
/* A definition with another tick, lot or minimum notional; the settings' figures stay, from `first` on, whatever
 * definitions came between. False where they do not fit the new tick; then nothing changed. */
bool limits_redefine(struct limits *limits, const struct limits *first,
                     const struct event_definition *definition);
/* Without a division: n is a multiple of tick = odd << shift exactly where n x odd^-1 (mod 2^64), rotated
 * right by shift, is at most floor((2^64 - 1) / tick). */
static inline bool limits_off_tick(uint64_t inverse, unsigned shift, uint64_t bound, int64_t price)
{
    uint64_t product = (uint64_t)price * inverse;
    return (product >> shift | product << (-shift & 63)) > bound;
}
static inline bool limits_on_tick(const struct limits *limits, int64_t price)
{
    return !limits_off_tick(limits->tick_inverse, limits->tick_shift, limits->tick_bound, price);
}

/* --- market.c --- */
void market_apply(struct engine *engine, const struct message *message);
/* A book that has not been seen since the start is waited for until then, before what rests from before a
 * restart is pulled; INT64_MIN: it was seen. */
int64_t market_grace_end(const struct engine *engine, const struct instrument *instrument);
/* Both sides of the top view stand and the book is synchronised. */
bool market_has_view(const struct market *market);
/* Rule 14: twice the mark price, and whether it is only the last known. False: there never was one. */
bool market_mark2(const struct market *market, int64_t now, int64_t *mark2, bool *stale);
/* Rule 20: four times the collar's reference, 0 where none is fresh. */
int64_t market_reference4(struct market *market, int64_t now);

/* --- orders.c --- */
struct order *orders_find(const struct engine *engine, order_id id);
/* A modify travels, or was lost: old or new figures may hold. */
static inline bool orders_is_modifying(const struct order *order)
{
    return order->state == ORDER_PENDING_MODIFY ||
           (order->state == ORDER_UNKNOWN && order->lost == REQUEST_MODIFY);
}
/* Rule 16: old or new leaves, whichever is more, while a modify travels; and the price of the two
 * that is more aggressive. */
int64_t orders_worst_leaves(const struct order *order);
int64_t orders_worst_price(const struct order *order);
/* Session and decision records that change orders. */
void orders_take_answer(struct engine *engine, const struct message *message);
void orders_take_place(struct engine *engine, const struct event_place *place, int64_t now);
void orders_take_cancel(struct engine *engine, const struct event_cancel *cancel, int64_t now);
void orders_take_modify(struct engine *engine, const struct event_modify *modify, int64_t now);
void orders_take_replace(struct engine *engine, const struct event_replace *replace, int64_t now);
void orders_take_query(struct engine *engine, const struct event_query *query, int64_t now);
/* Ask the venue for an order; the caller has seen that a query may leave. */
void orders_ask_for(struct engine *engine, struct order *order);
/* An account snapshot shows an unanswered order with these figures: it rests. */
void orders_seen(struct engine *engine, struct order *order, int64_t price, int64_t leaves);
/* When an order without an answer has something due: to be asked for, or an alarm. TIME_NEVER. */
int64_t orders_due(const struct engine *engine, const struct order *order);
/* Whether this trade of an order was told before; it is remembered. `last` is the newest of its trades. */
bool orders_trade_repeats(struct engine *engine, order_id order, uint32_t *last,
                          const struct venue_id *trade);
/* The newest trade of an order in the trade ring, and the one before another: ENGINE_NO_SLOT where there is
 * none, or where a newer one has its slot. Places in the ring only fall, so the way along them ends. */
uint32_t orders_newest_trade(const struct order_table *table, order_id order, uint32_t last);
uint32_t orders_trade_before(const struct order_table *table, uint32_t at);
/* An order is unknown for so long that an operator must know. */
bool orders_unknown_too_long(const struct engine *engine, const struct order *order);
/* Unanswered requests past their time become unknown, unknown ones are asked for. */
void orders_time_out(struct engine *engine, unsigned instrument);
/* Its cancels failed more often than they are sent again. */
static inline bool orders_gave_up(const struct engine *engine, const struct order *order)
{
    return order->failures != 0 &&
           order->failures > engine->instruments[order->instrument].limits.cancel_retries;
}
/* A request may go out: the order rests, nothing of it is unanswered, and after a cancel that failed its
 * time has come (B16). Not after the last one that may fail, which is an operator's business. */
static inline bool orders_may_act(const struct engine *engine, const struct order *order)
{
    return order_state_is_resting(order->state) && order->retry_ts <= engine->now &&
           !orders_gave_up(engine, order);
}
/* Unknown, maybe resting, and not asked to go yet: what pulls everything asks it once. */
static inline bool orders_unknown_may_rest(const struct order *order)
{
    return order->state == ORDER_UNKNOWN && !order->cancel_sent && !order->owing;
}
/* Cancels that failed are sent again by the cycle, with back-off; when the next is due, and when it was. */
int64_t orders_retry_deadline(const struct engine *engine, unsigned instrument);
void orders_retry_due(struct engine *engine, unsigned instrument);
/* An operator's command or a shutdown: cancels that failed are tried as if they never had, and those of
 * unknown orders once more. */
void orders_retry_afresh(struct engine *engine, unsigned instrument);
/* A restart: what was not answered will not be; it is unknown. */
void orders_restart(struct engine *engine);
/* An order of a carry, whole but for its place in the lists: false where it has none. */
bool orders_take_carried(struct engine *engine, const struct order *carried);
/* The id that the next order will have. */
order_id orders_next_id(const struct engine *engine);

/* --- refusals.c --- */
/* An order, or an edit of one, for that level, which left at `sent`, was refused. */
void refusals_take(struct engine *engine, const struct order *order, unsigned level, int64_t sent,
                   enum reject reason);
/* Nothing leaves for the level yet. */
bool refusals_hold(const struct instrument *instrument, enum side side, unsigned level,
                   int64_t now);
/* A restart: nothing is known against an order. */
void refusals_reset(struct instrument *instrument);
/* When a side or level may be tried again, after the last cycle; TIME_NEVER. */
int64_t refusals_deadline(const struct instrument *instrument);

/* --- order_numbers.c --- */
/* A number of lots that an order can have; and the same, or nothing: what a venue says is left of one. */
static inline bool orders_is_size(struct number quantity)
{
    return quantity.status == NUMBER_VALUE && quantity.units > 0 &&
           quantity.units <= ENGINE_QUANTITY_MAX;
}
static inline bool orders_is_rest(struct number leaves)
{
    return orders_is_size(leaves) || (leaves.status == NUMBER_VALUE && leaves.units == 0);
}
/* REJECT_NONE where an order can rest at that price. */
enum reject orders_price_fault(const struct engine *engine, unsigned instrument,
                               struct number price);
/* A number without a value was removed: counted, and told while the message has room for it. */
void orders_tell_removed(struct engine *engine, const struct event_removed *removed);
/* The same, of an order of ours. */
void orders_tell_of(struct engine *engine, const struct order *order, struct number price,
                    struct number quantity, enum reject reason);
/* An answer tells how an order rests: where price or leaves can't be used, that is told. */
void orders_check_rest(struct engine *engine, const struct order *order, struct number price,
                       struct number leaves);
/* An order in the account's snapshot. False where its leaves are none; an order of ours without a usable
 * price is left out of reconciliation until it has one (B14). Either is told. */
bool orders_read_row(struct engine *engine, const struct event_open_order *row);
/* Price and quantity of a fill, of an order of ours or NULL, can be booked; what can't be used of them, or of
 * its leaves, is told. */
bool orders_fill_is_readable(struct engine *engine, const struct order *order,
                             const struct event_order_filled *fill);

/* --- adopt.c --- */
/* An operator's record; and the decision that tells what became of it, of this engine or of the tape. */
void adopt_command(struct engine *engine, const struct event_adopt *adopt);
void adopt_take(struct engine *engine, const struct event_adopted *adopted);

/* --- ledger.c --- */
struct balance *ledger_balance(struct engine *engine, unsigned venue, unsigned asset);
/* A fill that ledger_can_book() allows. */
void ledger_take_fill(struct engine *engine, const struct message *message);
/* Price, quantity and fee of a readable fill fit the position and its sums, and what changes hands is an
 * amount that can be meant. */
bool ledger_can_book(const struct engine *engine, const struct event_order_filled *fill);
/* An amount was no sane one: removed, counted, told. `instrument` may be EVENT_NONE_16, `order` 0. */
void ledger_tell_removed(struct engine *engine, unsigned instrument, order_id order,
                         enum removed_where where);
/* `as_of` is the venue's time of it, INT64_MIN where that is not known. */
void ledger_take_balance(struct engine *engine, const struct event_balance *balance, int64_t as_of);
/* Reserve what an order of `leaves` at `price` may need; the order's old reserve is given back. */
void ledger_reserve(struct engine *engine, struct order *order, int64_t price, int64_t leaves);
/* Rule 17: there is enough for it beside what is reserved, and beside what orders that only the venue knows
 * may take. `own` is the order that a modify changes, else NULL: its old and its new figures count, the larger
 * of each. */
bool ledger_has_funds(struct engine *engine, const struct candidate *candidate,
                      const struct order *own);
/* What an order may take: price x quantity x (1 + fee) of quote, or its quantity of base. False where it does
 * not fit. */
bool ledger_need(const struct engine *engine, unsigned instrument, enum side side, int64_t price,
                 int64_t quantity, money *need);
/* What an order holds that may fill so much at that price, by the fees that stood at first; false where it does not
 * fit. */
bool ledger_reserve_need(const struct engine *engine, unsigned instrument, enum side side,
                         int64_t price, int64_t leaves, money *need);
/* Funds limit orders of the instrument: its venue told a balance, and no margin pays for them. */
bool ledger_is_limited(const struct engine *engine, unsigned instrument);
/* Rule 17, where they do, of a whole side at once: there is enough for so much at no better a price whoever holds what, at the
 * price of a little more than that (each order's fee is rounded up). False: it has to be looked at. */
bool ledger_covers(struct engine *engine, unsigned instrument, enum side side, int64_t price,
                   int64_t quantity);
/* What of the balance that a side is paid with is not held by orders; `own`: or by those of this very side. False
 * where nobody knows what orders that only the venue knows may take. */
bool ledger_left(struct engine *engine, unsigned instrument, enum side side, bool own, money *left);
/* As much of a quantity as that pays, in lots, 0 to all of it. */
int64_t ledger_part(const struct engine *engine, unsigned instrument, enum side side, int64_t price,
                    int64_t quantity, money left);
/* What changed hands at a venue without us, and stands in the balance that it told. */
void ledger_move_told(struct engine *engine, unsigned venue, unsigned asset, money amount);
/* The time of a funding has come; and the decision that tells of it, of this engine or of the tape (mark2:
 * twice the mark, 0: there was none). */
void ledger_funding_due(struct engine *engine, unsigned instrument);
void ledger_take_funding(struct engine *engine, const struct event_funding_booked *booked);
/* The balance that profit of an instrument goes to. */
unsigned ledger_profit_asset(const struct event_definition *definition);

/* --- risk.c --- */
/* Tests only: that gate is switched off. */
static inline bool risk_is_off(const struct engine *engine, enum gate gate)
{
    return engine->gates_off >> gate & 1;
}
/* Gates of the whole instrument that block now, as bits. */
uint32_t risk_instrument_gates(const struct engine *engine, unsigned instrument);
/* Gates of one new order or modify; 0, or the bit of the first that blocks. `own` is the order that a
 * modify changes, else NULL. */
uint32_t risk_order_gates(struct engine *engine, const struct candidate *candidate,
                          const struct order *own);
/* Bits that every order which leaves has passed. */
uint32_t risk_gates_asked(void);
/* Rule 18. */
int64_t risk_scaled_size(const struct limits *limits, int64_t position, enum side side,
                         int64_t size);
/* It leaves every size of that side as it is. */
static inline bool risk_size_is_whole(const struct limits *limits, int64_t position, enum side side)
{
    int64_t toward = side == SIDE_BUY ? position : -position;
    return limits->size_band == 0 || toward < 0 ||
           limits->position_limit - toward >= limits->size_band;
}
/* Rule 19: whether the cap on open interest is on. Never where there is no open interest. */
bool risk_open_interest_capped(const struct instrument *instrument, int64_t now);
/* What may still fill on that side, orders that only the venue knows of included; at most INT64_MAX. */
int64_t risk_side_leaves(const struct engine *engine, unsigned instrument, enum side side);
/* Gates that let pass only what reduces the position, as bits: rules 19 and 22. */
uint32_t risk_caps(const struct engine *engine, unsigned instrument);
void risk_block_caps(struct engine *engine, unsigned instrument, uint32_t caps);
/* Where such a gate is shut: of `size` the part that only reduces the position beside `resting` on
 * the same side, in lots. */
int64_t risk_reducing_size(const struct limits *limits, int64_t position, enum side side,
                           int64_t resting, int64_t size);
bool risk_price_in_collar(const struct instrument *instrument, enum side side, int64_t price,
                          bool far_too);
/* The order is worth the venue's minimum notional. */
bool risk_above_minimum(const struct instrument *instrument, int64_t price, int64_t quantity);
void risk_block(struct engine *engine, unsigned instrument, enum gate gate);
/* Decisions for gates that began or ceased to block since the last cycle. */
void risk_gate_edges(struct engine *engine, unsigned instrument);
/* Position as exposure counts it, quantity units, rounded away from zero. */
int64_t risk_position(const struct instrument *instrument);

/* --- reconcile.c --- */
/* An order of that size stays where a level of `wanted` is (rule 27). */
bool reconcile_keeps_size(const struct limits *limits, int64_t leaves, int64_t wanted);
void reconcile_pull(struct engine *engine, unsigned instrument, enum cancel_cause why);
/* What was placed before this session began at `start`, which it does not want. */
void reconcile_pull_before(struct engine *engine, unsigned instrument, int64_t start);
/* `may_place` false: only cancels of what is not wanted (a pause; rule 24). */
void reconcile_ladder(struct engine *engine, unsigned instrument,
                      const struct wanted_ladder *ladder, bool may_place);
/* Rule 27's order. */
void reconcile_sort(struct candidates *candidates);

/* --- admit.c --- */
/* The candidates from `first` in sending order are modifies, replaces and places: where a venue's rate has
 * no room for all of them, those that must stay get quantity 0. */
void admit_orders(struct engine *engine, uint32_t first);

/* --- cycle.c --- */
void cycle_run_due(struct engine *engine);

/* --- breakers.c --- */
/* All of an instrument by what is known now. */
void breakers_update(struct engine *engine, unsigned instrument);
/* A start: what ended by its own time is over. */
void breakers_restart(struct engine *engine, unsigned instrument);
/* Put one breaker into a state, without a word. */
void breakers_set(struct instrument *instrument, unsigned breaker, unsigned state, int64_t now);
/* Half spreads are multiplied by this: the largest factor of those that widen. */
void breakers_widen(const struct instrument *instrument, int64_t *numerator, int64_t *denominator);
/* When one of them may change by itself. */
int64_t breakers_deadline(const struct engine *engine, unsigned instrument);
void breakers_take_command(struct engine *engine, const struct event_command *command);

/* --- carry.c --- */
/* A start on an engine that ran before: everything but the carry goes cold, and what was not answered is
 * unknown. */
void carry_restart(struct engine *engine);

/* --- shutdown.c --- */
/* A signal to stop; the second ends by force. */
void shutdown_begin(struct engine *engine);
/* After a message and its cycles: the step that is done or whose time is over gives way to the next. */
void shutdown_update(struct engine *engine);
/* A step as this engine or the tape tells it. */
void shutdown_take_state(struct engine *engine, unsigned step, int64_t now);
/* An order that a cancel can and must be sent for. */
bool shutdown_must_ask(const struct engine *engine, const struct order *order);
/* There is such an order at a venue. */
bool shutdown_has_to_ask(const struct engine *engine, unsigned venue);
/* Requests may still leave. */
bool shutdown_may_send(const struct engine *engine);
/* When cancels that could not leave are tried again. */
int64_t shutdown_resend_deadline(const struct engine *engine, unsigned instrument);
/* A decision for each order that is not known to have ended. */
void shutdown_tell_unconfirmed(struct engine *engine);
/* A step outside the engine (flush, close, disconnect) has ended. */
void shutdown_take_step(struct engine *engine, const struct event_step_done *done);
int64_t shutdown_deadline(const struct engine *engine);

/* --- timers.c --- */
size_t timers_nodes(unsigned instrument_count);
void timers_init(struct timers *timers, int64_t *tree, unsigned instrument_count);
void timers_set(struct timers *timers, unsigned instrument, int64_t deadline);
static inline int64_t timers_earliest(const struct timers *timers)
{
    return timers->tree[1];
}
/* An instrument that has the earliest deadline. */
unsigned timers_first(const struct timers *timers);
/* What belongs to no instrument has a new deadline; or may have one, which is found out when the step ends.
 * Every change of what sync, infrastructure, profit or shutdown wait for says so. */
void timers_set_common(struct engine *engine);
static inline void timers_common_moved(struct engine *engine)
{
    engine->timers.moved = true;
}
/* The common leaf is not late. */
bool timers_common_holds(const struct engine *engine);
/* When the instrument next wants to be woken. */
int64_t timers_deadline_of(struct engine *engine, unsigned instrument);
/* Mark what is due; called after the message was applied. */
void timers_mark_due(struct engine *engine);
/* Move lower bounds up until the earliest is exact. */
void timers_settle(struct engine *engine);

/* --- audit.c --- */
/* The send gate: an order that is about to leave. */
void audit_send(struct engine *engine, const struct candidate *candidate);
void audit_full(struct engine *engine);
/* What the instruments of a venue moved of one asset, without fees. */
money audit_flow_of(struct engine *engine, unsigned venue, unsigned asset);
/* Lists, sums and states of an instrument's live orders agree, done again from scratch and whatever stands
 * there; as many of all slots are live as are counted; and what they reserve of each balance of a venue. No
 * invariant is counted. */
bool audit_own_orders(const struct engine *engine, unsigned instrument);
bool audit_own_count(const struct engine *engine);
bool audit_own_sums(const struct engine *engine, unsigned venue);

#endif
