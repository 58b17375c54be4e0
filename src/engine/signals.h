/* What the market breakers and the warm-up look at: volatility, spread, move, markouts, rejects, open
 * interest (trading-semantics 23 and 25). Measured once a cycle, which every change of a best price has;
 * what a market message itself costs is a few comparisons. */
#ifndef CAPSTAN_ENGINE_SIGNALS_H
#define CAPSTAN_ENGINE_SIGNALS_H

#include "engine/extremes.h"
#include "engine/markouts.h"
#include "engine/spreads.h"
#include "engine/volatility.h"
#include "event/event.h"

struct engine;
struct order;
struct settings_instrument;
struct walker;
struct wanted_ladder;

enum { PLACE_ANSWERS_MAX = 64 };

/* Settings of breakers and warm-up. Ratios are in 1e-9, times in ns; a threshold of 0 is off. */
struct signal_limits {
    int64_t warm_up_trades, warm_up_book_messages, warm_up_samples, warm_up_time_limit;
    double volatility_decay; /* for one second */
    int64_t volatility_restart_after;
    double volatility, volatility_clear; /* times the long mean */
    int64_t volatility_calm, volatility_window, volatility_samples, volatility_factor;
    int64_t move, move_window;
    int64_t spread, spread_least, spread_time, spread_window, spread_samples;
    int64_t spread_clear, spread_calm;
    int64_t in_sync;
    int64_t reference, reference_time, reference_clear, reference_calm;
    bool reference_peer;
    uint32_t rejects, rejects_of;
    int64_t rejects_window, rejects_pause;
    double edge; /* standard errors */
    int64_t edge_fills, edge_horizon, edge_factor;
    int64_t open_interest, open_interest_window, open_interest_readings, open_interest_pause;
};
void signals_limits(struct signal_limits *limits, const struct settings_instrument *settings);

/* Times of the last answers to new orders. */
struct answers {
    int64_t all[PLACE_ANSWERS_MAX], bad[PLACE_ANSWERS_MAX]; /* rings */
    uint64_t all_count, bad_count;
};

/* How far the mid is from what it is compared with. */
enum reference_distance {
    REFERENCE_UNKNOWN, /* nothing fresh to compare with */
    REFERENCE_NEAR,    /* below the clearing threshold */
    REFERENCE_BETWEEN,
    REFERENCE_OFF
};

/* Of one instrument. Times "since" are TIME_NEVER while the condition does not hold. */
struct signals {
    uint64_t book_messages, trades; /* since the start; for warm-up */
    int64_t cold_since;             /* warm-up is not complete */
    int64_t next_second;            /* whole second of the next sample */
    int64_t mid2;                   /* last usable one, twice the price; 0: book lost since */
    int64_t spread;                 /* of the same view, 1e-9 of the mid */
    int64_t synced_since, lost_since;
    struct volatility volatility;
    struct extremes move, open_interest;
    struct spreads spreads;
    struct markouts markouts;
    struct answers answers;
    int64_t calm_since;              /* volatility */
    int64_t wide_since, close_since; /* spread: above its bound, below the clearing one */
    int64_t wide_bound, close_bound; /* 1e-9 of the mid, from the median as it stands */
    int64_t off_since, near_since;   /* reference */
    uint16_t peer, follower;     /* compared with; who compares with us. EVENT_NONE_16: nobody */
    double peer_scale;           /* the peer's prices times this are in our unit */
    uint8_t distance;            /* enum reference_distance, as last found */
    bool lost;                   /* a gap since the last cycle */
    bool rejected, dropped, bad; /* tripping since the last cycle: rejects, open interest, edge */
};

/* The best prices changed; the new ones stand in the top view. */
void signals_view_changed(struct engine *engine, unsigned instrument);
/* The book was lost: nothing is measured across it. */
void signals_book_lost(struct engine *engine, unsigned instrument);
/* A depth or snapshot message, or a usable trade. */
void signals_book_message(struct engine *engine, unsigned instrument);
void signals_trade(struct engine *engine, unsigned instrument);
/* A venue's mark price was taken. */
void signals_mark(struct engine *engine, unsigned instrument);
/* A reading of open interest was taken. */
void signals_open_interest(struct engine *engine, unsigned instrument);
/* The venue took a new order (REJECT_NONE) or refused it; its state is the one before that answer. */
void signals_place_answered(struct engine *engine, const struct order *order, enum reject reason);
/* A fill was booked. `message` is its order_filled. */
void signals_fill(struct engine *engine, const struct message *message);
/* Measure everything by what is known now. Called by each cycle. */
void signals_update(struct engine *engine, unsigned instrument);
/* Earliest time at which a signal changes by itself; TIME_NEVER for none. */
int64_t signals_deadline(const struct engine *engine, unsigned instrument);
/* Rule 25: enough has been seen to quote. */
bool signals_are_warm(const struct engine *engine, unsigned instrument);
/* Enough is known to judge by: volatility against its mean, spread against its median. */
bool signals_know_volatility(const struct engine *engine, unsigned instrument);
bool signals_know_spread(const struct engine *engine, unsigned instrument);
/* The mid moved too far within the window. */
bool signals_are_moving(const struct engine *engine, unsigned instrument);
/* Who is compared with whom: of the instruments with one base and one quote asset each with the next. */
void signals_find_peers(struct engine *engine);
/* Everything cold, as after a restart. */
void signals_reset(struct engine *engine, unsigned instrument);
void signals_walk(struct walker *walker, const struct engine *engine, unsigned instrument);

#endif
