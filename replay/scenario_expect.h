/* Expectations while a scenario runs: what each message meets, and what at the end was not met. */
#ifndef CAPSTAN_REPLAY_SCENARIO_EXPECT_H
#define CAPSTAN_REPLAY_SCENARIO_EXPECT_H

#include "engine/engine.h"
#include "replay/scenario.h"

enum { SCENARIO_ORDERS_MAX = 4096, SCENARIO_TRADES_MAX = 1024 };

/* One of our orders as its decisions and answers tell, apart from what the engine believes. */
struct scenario_order {
    order_id id;
    bool live;
    uint16_t instrument;
};

/* The state of the checks. Zeroed, then the scenario set. */
struct scenario_checks {
    struct scenario *scenario;
    uint64_t ordinal; /* of the last decision or own-order message */
    int64_t now;
    size_t next_state; /* expectations before this have been looked at */
    bool acted_at_now; /* a place, cancel, modify or replace bears the time `now` */
    int64_t positions[SCENARIO_INSTRUMENTS_MAX];
    int64_t adopted_as_of
        [SCENARIO_INSTRUMENTS_MAX]; /* venue time; 0: nothing was adopted of the venue's figure */
    struct scenario_order orders[SCENARIO_ORDERS_MAX];
    size_t order_count;
    struct venue_id
        trades[SCENARIO_TRADES_MAX]; /* the newest, so that one told twice counts once */
    size_t trade_count;
    money balances[SCENARIO_INSTRUMENTS_MAX][SCENARIO_ASSETS_MAX]; /* by venue, asset */
};

/* Time moves on to `ts`: what is expected of states before it is checked now. */
int scenario_checks_time(struct scenario_checks *checks, int64_t ts, const struct engine *engine,
                         struct error *error);
/* One decision or answer, in order. */
int scenario_checks_message(struct scenario_checks *checks, const struct message *message,
                            struct error *error);
/* Everything that is still open. */
int scenario_checks_end(struct scenario_checks *checks, const struct engine *engine,
                        struct error *error);

#endif
