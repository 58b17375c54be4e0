/* What health pages and metrics show of an engine, beside engine.h: copies of its state as it stands
 * between two messages. Reading changes nothing, and no decision hangs on any of it. */
#ifndef CAPSTAN_ENGINE_STATUS_H
#define CAPSTAN_ENGINE_STATUS_H

#include "engine/engine.h"

/* Of one instrument. Prices and quantities in its units. */
struct engine_instrument_status {
    bool enabled;                          /* it is quoted at all (quote.enabled) */
    bool paused;                           /* by command */
    bool pulled;                           /* by command, and everything cancelled until resumed */
    bool synchronised;                     /* its book is whole */
    bool has_fair;                         /* the last cycle knew a fair value */
    uint8_t trading;                       /* enum trading, as the venue says */
    uint8_t breakers[BREAKER_COUNT];       /* enum breaker_state */
    int64_t breakers_since[BREAKER_COUNT]; /* ts_local of the last change; 0: there was none */
    uint32_t gates;                   /* that blocked in the last cycle, as bits by enum gate */
    uint32_t alarms;                  /* raised, as bits by enum alarm */
    uint32_t orders;                  /* placed and not known to have ended */
    uint32_t unknown;                 /* of these: state unknown */
    int64_t fair, skew;               /* 1/1,000 tick; where has_fair */
    int64_t last_cycle;               /* ts_local; 0: none ran */
    int64_t position, position_limit; /* as exposure counts it: rounded away from zero */
    /* By side: the most that orders, those included that only the venue knows, may still fill. */
    int64_t leaves[2];
};

/* One order of ours that is not known to have ended. */
struct engine_own_order {
    order_id id;
    int64_t price, leaves, filled; /* in the instrument's units */
    int64_t changed;               /* ts_local at which something last happened to it */
    uint8_t side, state, level;    /* enum side, enum order_state; level of the ladder */
};

/* Of one venue. */
struct engine_venue_status {
    bool reconciled;        /* the account's snapshot at the start is complete */
    uint8_t infrastructure; /* enum infrastructure_state: the breaker around its requests */
    uint64_t failures;      /* of requests, in a row */
    int64_t since;          /* ts_local of its last change; 0: there was none */
    int64_t failed;         /* ts_local of the last failure since the start; INT64_MIN: none */
    uint32_t alarms;        /* of the venue as a whole, as bits by enum alarm */
    uint32_t orphans;       /* orders that only the venue knows */
    int64_t account_ts;     /* when the newest trusted account snapshot was asked for; INT64_MIN */
    int64_t rate_left;      /* requests that may leave now */
    int64_t rate_left_cancels; /* the same for cancels, which may use the reserve */
};

/* Of the breaker around a live session's database. */
struct engine_database_status {
    uint8_t state;     /* enum infrastructure_state */
    uint64_t failures; /* of calls, in a row */
    int64_t failed;    /* ts_local of the last failure since the start; INT64_MIN: none */
};

void engine_instrument_status(const struct engine *engine, unsigned instrument,
                              struct engine_instrument_status *out);
/* Gates of an instrument as a whole, as bits by enum gate: while one blocks nothing of it is placed and nothing changed. */
uint32_t engine_instrument_gates(void);
/* Orders of both sides, buys first, each older first. Returns how many were written. */
size_t engine_own_orders(const struct engine *engine, unsigned instrument,
                         struct engine_own_order *out, size_t capacity);
void engine_venue_status(const struct engine *engine, unsigned venue,
                         struct engine_venue_status *out);
void engine_database_status(const struct engine *engine, struct engine_database_status *out);
/* Where a shutdown stands: enum shutdown_step. */
enum shutdown_step engine_shutdown_step(const struct engine *engine);
/* ts_local of the last quote (trading-semantics 32): of the last place or modify that was sent, or of the last
 * cycle that was free to quote and kept an acknowledged order. 0 before the first of this engine; a fold
 * tells of none. */
int64_t engine_last_quote(const struct engine *engine);

#endif
