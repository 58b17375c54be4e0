/* Where orders go: the one interface behind which stand the simulated venue, live venues, the
 * recorded one of `verify`, and fault decorators. */
#ifndef CAPSTAN_VENUE_VENUE_H
#define CAPSTAN_VENUE_VENUE_H

#include "base/error.h"
#include "event/event.h"

/* A venue. Times are ts_local of the loop.
 *
 * start    the engine starts at `now`: the account snapshot (balances, then snapshot_end of each venue)
 *          becomes answers at that time. Market data before it only builds books. Called again where the
 *          engine's process died and another begins: answers on their way are lost, the venue lives on,
 *          and its snapshot names the orders that rest.
 * advance  brings the venue to `now`: it takes market data due and produces every answer due by `now`.
 * answer   the earliest answer not yet taken whose ts_local <= now, or NULL; valid until the next call.
 *          Answers are session messages, in order.
 * next     ts_local of the earliest answer that is already certain, TIME_NEVER if there is none. The loop
 *          asks after advance().
 * submit   one decision of the engine (place, cancel, modify, replace, query, request_snapshot,
 *          cancel_orphan), sent at its ts_local. Others are ignored. Returns 0, or an error that ends the
 *          run.
 * finish   no more market data: what is due later is counted, not delivered. */
struct venue {
    int (*start)(struct venue *venue, int64_t now, struct error *error);
    int (*advance)(struct venue *venue, int64_t now, struct error *error);
    const struct message *(*answer)(struct venue *venue, int64_t now);
    int64_t (*next)(const struct venue *venue);
    int (*submit)(struct venue *venue, const struct message *decision, struct error *error);
    int (*finish)(struct venue *venue, struct error *error);
    void (*close)(struct venue *venue);
    /* Where told: advance() to a time before this does nothing, and then there is no answer either. Most
     * market messages change nothing at the venue at their time: it saves both calls. */
    bool tells_quiet;
    int64_t quiet_until;
};

#endif
