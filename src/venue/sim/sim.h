/* The simulated venue: matching, queue position, latency, fees and funds, in venue time
 * (trading-semantics 1, 4 to 7, 9, 11). One of these stands for all venues of a tape;
 * each of them is a connection of its own.
 *
 * Order of events. A market message takes place at its venue time (without one: ts_local less the
 * feed floor), but not after its ts_local and not before ts_local - sim.reorder: what is later
 * than that enters at the venue's present and is counted. At one time trades come before book
 * changes and these before our requests; then tape order. A request takes place at its sending +
 * entry latency, its answer is due answer latency later, and never before an earlier answer of
 * that connection.
 *
 * Book. What we take, and what crosses into our orders, is gone from the venue's book until depth
 * renews that level. Our resting orders are not part of it.
 *
 * Checks of a new order, in this order: id not used before, price, quantity, tick, lot, least
 * notional, time in force (post-only is GTC), trading state, synchronised book, post-only, FOK,
 * funds (spot only, and only at a venue with sim.balances), room. A modify keeps its place in the queue where only the quantity goes
 * down; its leaves are less what was filled without the sender's knowledge, as venues do that take
 * a new total. A cancel or modify that comes after the last fill is refused as already filled.
 *
 * A query is answered with each fill of the order again, its end where it has ended, and order_status;
 * with order_not_found where no such order came or it ended too long ago. A request for the account is
 * answered with the balances that sim.balances names (but for what contracts settle in, whose profit only
 * the engine books), each instrument's position, all resting orders and snapshot_end, as they are at the
 * request's arrival. */
#ifndef CAPSTAN_VENUE_SIM_SIM_H
#define CAPSTAN_VENUE_SIM_SIM_H

#include "config/settings.h"
#include "feed/feed.h"
#include "venue/venue.h"

/* What it is made of. Pointers but `feed` and `names` are read while opening only. */
struct sim_options {
    struct feed *feed; /* must have `ahead`, with a lookahead of sim.reorder */
    const struct event_names *names;
    const struct settings_global *global;
    const struct settings_venue *venues;           /* by venue */
    const struct settings_instrument *instruments; /* by instrument */
    int64_t feed_floor_ns;                         /* of the tape */
};

/* Figures of a run; none of them changes a fill. */
struct sim_stats {
    uint64_t market_messages; /* that mattered to the venue */
    uint64_t late_messages;   /* older than sim.reorder when they came */
    uint64_t future_messages; /* venue time after their own ts_local: taken at that */
    uint64_t pending_peak;    /* market messages held to be ordered */
    uint64_t requests;        /* places, cancels, modifies, queries received */
    uint64_t requests_lost;   /* sent, but not arrived when the market data ended */
    uint64_t answers;         /* given or due */
    uint64_t answers_lost;    /* due after the last market message */
    uint64_t orders_open;     /* at the end */
    uint64_t fills_by_cause[FILL_CAUSE_COUNT];
    uint64_t order_rejects[REJECT_COUNT]; /* by reason */
    uint64_t cancel_rejects[REJECT_COUNT];
    uint64_t modify_rejects[REJECT_COUNT];
};

/* Takes all memory here. ERROR_INPUT for sim.balances that can't be read or name no asset of the
 * tape, ERROR_SYSTEM without memory. Close with (*venue)->close. The feed stays the caller's. */
int sim_open(struct venue **venue, const struct sim_options *options, struct error *error);

/* Figures of a venue that sim_open made; complete after `finish`. */
const struct sim_stats *sim_stats(const struct venue *venue);
/* What the account holds of an asset at a venue, spot fills and fees included. */
money sim_balance(const struct venue *venue, unsigned venue_index, unsigned asset);
/* How much of it open orders hold back. */
money sim_reserved(const struct venue *venue, unsigned venue_index, unsigned asset);

/* The orders that the venue holds now; writes up to `capacity` ids and returns how many there are. */
size_t sim_open_orders(const struct venue *venue, order_id *orders, size_t capacity);
/* What is left of an order there, in quantity units; 0 where it is not live. */
int64_t sim_order_left(const struct venue *venue, order_id order);

#endif
