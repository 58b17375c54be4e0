/* The engine: a pure function of its state and the message it is told. It never asks: no clock, no
 * I/O, no allocation after engine_init, no libm, no globals, no order by hash or pointer. */
#ifndef CAPSTAN_ENGINE_ENGINE_H
#define CAPSTAN_ENGINE_ENGINE_H

#include "config/settings.h"
#include "engine/order_state.h"
#include "event/event.h"

struct engine;
struct walker;
struct book;

/* The currency in which profit of the whole account is counted, and what leads to it. */
struct engine_account {
    bool named;        /* false: the asset that every quoted instrument's profit is in, if one */
    uint16_t currency; /* asset; EVENT_NONE_16: the one that was named is not to be had */
    const uint16_t *rates; /* by asset: the instrument whose mid converts it, or EVENT_NONE_16 */
};

/* What an engine is made for. Pointers are read during engine_size and engine_init only. */
struct engine_config {
    const struct settings_global *global;
    unsigned venue_count, asset_count, instrument_count;
    const struct settings_venue *venues;           /* by venue */
    const struct settings_instrument *instruments; /* by instrument */
    const struct event_definition *definitions;    /* by instrument: the units */
    const struct engine_account *account;          /* NULL: nothing is named */
    bool audit_each_message; /* simulation and scenarios: every invariant after every message */
    /* Tests only: gates that never block, as bits by enum gate; whatever else stops the same thing
     * before them doesn't either. It shows that each gate is needed (docs/gates.md). */
    uint32_t gates_off;
};

/* Decisions of one step. The messages point into the engine's memory and stay valid until the next
 * step. All have kind >= 128 and the ts_local of the message that caused them. */
struct actions {
    const struct message *messages;
    size_t count;
};

/* Counters that a result shows; none of them is an input of a decision. */
struct engine_counters {
    uint64_t messages, cycles, decisions;
    uint64_t placed, cancelled, modified; /* decisions sent; a replace is placed too */
    uint64_t replaced;                    /* of placed: by a replace */
    uint64_t fills, fills_by_cause[FILL_CAUSE_COUNT];
    uint64_t gate_blocked[GATE_COUNT];
    uint64_t removed_numbers;
    int64_t last_quote; /* see engine_last_quote (engine/status.h) */
    uint64_t invariant_checks, invariant_violations;
    uint64_t violations_by_invariant[16];
    const char *violation; /* the first, in words; NULL: there was none */
    /* What happened to orders: cells of the table of engine/order_state.c. */
    uint64_t order_events[ORDER_STATE_COUNT][ORDER_EVENT_COUNT];
};

/* The setting or part of a definition that the engine can't use (off the instrument's grid, out of
 * range), with its instrument or EVENT_NONE_16; NULL where all is well. */
const char *engine_config_problem(const struct engine_config *config, unsigned *instrument);
/* Bytes that engine_init needs for this configuration, or 0 where there is such a problem. */
size_t engine_size(const struct engine_config *config);
/* Lay the engine out in `memory` (engine_size() bytes, aligned to 64, any content). */
struct engine *engine_init(void *memory, size_t size, const struct engine_config *config);
/* Take one message and decide. No cycle runs while the message has MESSAGE_MORE. */
struct actions engine_step(struct engine *engine, const struct message *message);
/* A moment in which a tape may end and another begin: no shutdown goes on, every venue's account is known, none is
 * awaited, and no table was full. */
bool engine_is_settled(const struct engine *engine);
/* The earliest ts_local at which the engine wants a tick, TIME_NEVER for none. */
int64_t engine_deadline(const struct engine *engine);
/* End of run: audit, final positions and balances as decisions at the last message's time. */
struct actions engine_finish(struct engine *engine);
/* True once a shutdown is complete. */
bool engine_is_done(const struct engine *engine);
/* Set where a table was full: the setting's name and the figure needed; NULL otherwise. */
const char *engine_full_setting(const struct engine *engine, uint64_t *needed);

/* Exact figures of one instrument as they stand now. Profit, fees and funding are in the quote asset of
 * a spot instrument, else in its settlement asset. */
struct engine_position {
    money position; /* base, or contracts */
    money
        at_venue; /* of it, what the venue's account counts as position: all but what an operator adopted of
                       a balance */
    money realised, unrealised, fees, funding;
    struct number mark; /* price units, half a unit rounded to even; absent: never known */
    int64_t mark2;      /* twice the mark, exact; 0: never known */
    bool mark_stale;    /* the last one known, not a fresh one (trading-semantics 14) */
    /* Funding may have come due that was not booked (trading-semantics 15): a contract was held and
     * there was no record of a rate, or no mark at its time. */
    bool funding_unknown;
};
void engine_position(struct engine *engine, unsigned instrument, struct engine_position *out);
/* The same as the record that tells of it. */
struct event_final_position engine_final_position(struct engine *engine, unsigned instrument);

/* Profit of the account as its limits see it (trading-semantics 21, 22). */
struct engine_account_state {
    uint16_t currency; /* EVENT_NONE_16: there is none, and no limit is in force */
    bool limited;      /* a limit is set and in force */
    bool known;        /* every part of the profit is */
    bool drawn_down;   /* paused until the operator resumes */
    bool day_lost;     /* nothing that adds until the next day */
    money profit, peak, day_start;
};
struct engine_account_state engine_account_state(const struct engine *engine);
/* What was learned of one level of an instrument's ladder (trading-semantics 26), in 1e-9: the chance that
 * an order there fills within learning.horizon is Beta(alpha, beta). */
struct engine_learning {
    int64_t alpha, beta;
    uint64_t spells; /* that it was learned from */
};
enum { ENGINE_LEARNING_LEVELS = 32 }; /* a side */
/* False where nothing was learned. `level` from 0, below ENGINE_LEARNING_LEVELS. */
bool engine_learning(const struct engine *engine, unsigned instrument, enum side side,
                     unsigned level, struct engine_learning *out);

/* What the account holds of an asset at a venue as far as the engine knows; false where nothing told of it. */
bool engine_balance(const struct engine *engine, unsigned venue, unsigned asset, money *total);
/* Counters so far; they belong to the engine. */
const struct engine_counters *engine_counters(const struct engine *engine);
/* Orders placed and not known to have ended, those whose answer is still awaited included. */
uint64_t engine_open_orders(const struct engine *engine);
/* That order is one of them. */
bool engine_order_is_open(const struct engine *engine, order_id order);
/* What of it counts in exposure, in quantity units: the most that may still fill; 0 where it is not open. */
int64_t engine_order_leaves(const struct engine *engine, order_id order);
/* The most aggressive price that an order of ours, live or ended, may have; 0: it is not known. */
int64_t engine_order_price(const struct engine *engine, order_id order);
/* Its instrument, likewise; EVENT_NONE_16: it is not known. */
uint16_t engine_order_instrument(const struct engine *engine, order_id order);
/* Trades of ours that would be known again: how many, and one of them by its place. */
size_t engine_kept_trades(const struct engine *engine);
void engine_kept_trade(const struct engine *engine, size_t place, order_id *order,
                       struct venue_id *trade);
/* The breaker around the database (engine/infrastructure.h). */
enum infrastructure_state engine_database_state(const struct engine *engine);
/* How often a gate has blocked an instrument since it last ceased to, which its next `gate` decision will
 * tell; 0 where it does not block. */
uint64_t engine_gate_blocked(const struct engine *engine, unsigned instrument, enum gate gate);
/* What an instrument's definition is now. */
const struct event_definition *engine_definition(const struct engine *engine, unsigned instrument);
/* Best prices of an instrument's top view, whose middle is the engine's mid (trading-semantics 3), in price units. False
 * where its book is not synchronised or a side is empty. It may be locked or crossed: then it has no mid. */
bool engine_best_prices(const struct engine *engine, unsigned instrument, int64_t *bid,
                        int64_t *ask);
/* The book of an instrument; it belongs to the engine. */
const struct book *engine_book(const struct engine *engine, unsigned instrument);

/* Take one record of a tape without deciding: session and decision records change the carry (orders, ids,
 * fills, money, pauses, breakers) as they stand there, market records nothing. For a restart: a start record
 * given to engine_step afterwards begins the new session (run/fold.h). An engine that ran takes another start as
 * one that was folded would: verify of several sessions on one tape, and scenarios, rely on that. */
void engine_fold(struct engine *engine, const struct message *message);
/* Name every field of the carry. */
void engine_walk_carry(const struct engine *engine, struct walker *walker);

/* Whether a start record does not begin a session but goes on with the one that the engine is in: it has the same epoch.
 * Nothing becomes cold; causes of decisions are counted anew. */
bool engine_goes_on(const struct engine *engine, const struct event_start *start);

/* The carry as bytes, the same on every platform: what a tape that goes on where another ended begins with.
 * `goes_on`: with all of the account's sync besides, which a fold needs where no start comes next that begins anew. Writes
 * at most `capacity` bytes; returns how many there are. */
size_t engine_write_carry(const struct engine *engine, bool goes_on, uint8_t *out, size_t capacity);
/* Put such bytes into an engine that is fresh, and of the same names and tables. It is then as one that folded what
 * they came from: a start begins the session. `used`: how many bytes the carry had; more may follow where it goes on.
 * NULL, or the field that does not fit, and of which order, instrument or the like (`index`); then the engine can't be
 * used. */
const char *engine_read_carry(struct engine *engine, const uint8_t *bytes, size_t length,
                              size_t *used, uint64_t *index);
/* Where what an engine numbers stands in another one: venues (EVENT_NONE_8: nowhere), assets and instruments
 * (EVENT_NONE_16). An instrument that stands there is counted in the same units. */
struct engine_heirs {
    uint8_t venues[EVENT_VENUES_MAX];
    uint16_t assets[EVENT_ASSETS_MAX], instruments[EVENT_INSTRUMENTS_MAX];
};
/* What the other can't go on with, and of what in the first engine. */
enum engine_loss {
    ENGINE_LOSES_ORDERS,   /* an instrument that stands nowhere has open orders */
    ENGINE_LOSES_POSITION, /* or a position */
    ENGINE_LOSES_PROFIT, /* an asset that stands nowhere is part of the profit that limits look at */
    ENGINE_LOSES_CURRENCY, /* the asset that profit, peak and day's start are in is no more the account's currency */
    ENGINE_LOSES_CAPACITY /* open orders find no place (orders.capacity) */
};
struct engine_lost {
    enum engine_loss loss;
    uint16_t number; /* instrument or asset; EVENT_NONE_16 */
};
/* Put the carry of an engine into one that is fresh, of whatever settings: as engine_read_carry() does where these are
 * the same. What was learned of levels that stand elsewhere now is forgotten. False: `lost` tells what is in the way, and
 * the engine can't be used. */
bool engine_inherit(struct engine *engine, const struct engine *from,
                    const struct engine_heirs *heirs, struct engine_lost *lost);
/* All that a start makes cold, as bytes likewise, but for the levels of books. Of an engine that took a start, and not
 * within a frame. */
size_t engine_write_warmth(const struct engine *engine, uint8_t *out, size_t capacity);
/* Put such bytes into an engine that was given the carry of the same moment, and before that, not started, the books and
 * whatever else of the market. It then decides as the one that wrote them. NULL, or the field that does not fit; then
 * the engine can't be used. */
const char *engine_read_warmth(struct engine *engine, const uint8_t *bytes, size_t length,
                               uint64_t *index);

/* Name every field of the state once, in a fixed order. (engine/walker.h) */
void engine_walk(const struct engine *engine, struct walker *walker);
/* One hash a room: each book, orders, risk, breakers, strategy. Returns how many were written;
 * `capacity` of engine_room_count(). */
size_t engine_room_count(const struct engine *engine);
size_t engine_room_hashes(const struct engine *engine, uint64_t *hashes, size_t capacity);
/* "book binance_spot:BTCUSDT" would need names, so: the kind of room and its instrument. */
const char *engine_room_name(const struct engine *engine, size_t room, uint16_t *instrument);

#endif
