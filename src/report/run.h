/* A run as its report needs it: what a run database holds, added up exactly. Money is exact; ratios are made of
 * exact sums when they are written. */
#ifndef CAPSTAN_REPORT_RUN_H
#define CAPSTAN_REPORT_RUN_H

#include "base/money.h"
#include "event/event.h"
#include "store/spool.h"

enum {
    RUN_HORIZONS = 5,    /* SPOOL_HORIZONS */
    RUN_LEVELS_MAX = 32, /* quote.levels */
    RUN_INSTRUMENTS_MAX = 8192,
    RUN_REQUESTS = 4 /* enum run_request */
};

/* A request whose time until the first answer is measured. */
enum run_request { RUN_PLACE, RUN_REPLACE, RUN_CANCEL, RUN_MODIFY };

/* A series of amounts over time, in order of time. */
struct run_series {
    int64_t *at_ns;
    money *amount;
    size_t count, capacity;
};

/* Times until an answer, ns, sorted once all are in. */
struct run_times {
    int64_t *ns;
    size_t count, capacity;
};

/* Fills that have something in common. */
struct run_fills {
    uint64_t count;
    int128 quantity; /* quantity units */
    money notional;  /* price x quantity in the profit's asset */
    money fees;
};

/* What our fills were worth at a horizon. */
struct run_markout {
    uint64_t measured; /* fills whose mid is known */
    money gain2;       /* twice side x (mid - price) x quantity, in the profit's asset */
    money notional;    /* of those fills */
};

/* What became of what rested at one side and level. A spell is the time in which an order rested for one level. */
struct run_level {
    uint64_t spells, filled_whole, filled_part;
    uint64_t distances; /* spells whose distance was told */
    /* Quantity units; sum of distances, 1/1,000 tick; sum of their times, ns. */
    int128 rested, filled, distance, time_ns;
    uint64_t fills, fills_by_cause[FILL_CAUSE_COUNT];
};

/* Times in which something held, in the order in which they began. `until` is the end of the run where it held
 * then; `ended` false. */
struct run_interval {
    int64_t since, until;
    uint8_t what, state; /* enum gate, or enum breaker and breaker_state */
    bool ended;
};

struct run_intervals {
    struct run_interval *items;
    size_t count, capacity;
};

/* Fees of one asset and one kind of liquidity. */
struct run_fee {
    char *asset; /* "" where the fill named none */
    uint8_t liquidity;
    struct run_fills fills;
};

/* Profit in its parts, and the position that it is of. */
struct run_earned {
    money position, realised, unrealised, fees, funding, net;
};

struct run_instrument {
    bool known;
    char *name, *venue, *profit_asset, *base;
    uint8_t contract;
    int price_exponent, quantity_exponent;
    struct decimal multiplier;
    int64_t tick; /* price units */
    /* At the end; `ended` false: the run told none. Profit is this run's own: less what it began with. */
    bool ended, mark_stale;
    money position, realised, unrealised, fees, funding;
    struct run_earned before, chain; /* what it began with, of the tapes before; and all of them */
    char *mark;                      /* decimal text, NULL: none */
    struct run_fills fills[2];       /* by side */
    struct run_fee *fee;             /* in the order in which they came */
    size_t fee_count, fee_capacity;
    struct run_markout markout[RUN_HORIZONS];
    struct run_level level[2][RUN_LEVELS_MAX];
    uint64_t gate_blocked[GATE_COUNT];
    struct run_intervals gates, breakers;
    uint64_t sent, placed, open, filled, cancelled, rejected, expired, not_found;
    struct run_series inventory;
    bool unmarked; /* while reading: there is a position, and nothing marks it */
    money worth;   /* while reading: realised + unrealised - fees + funding as they stood last */
};

/* Profit in one asset. Instruments whose profit is in it are added up. */
struct run_asset {
    char *name;
    struct run_series equity; /* at the start, at each sample and at the end */
    bool unmarked;            /* while reading: an instrument is */
    money fees, worth, peak, drawdown;
    int64_t drawdown_ns; /* when it was deepest */
};

/* Answers of one venue. */
struct run_venue {
    char *name;
    struct run_times times[RUN_REQUESTS];
};

/* Where the figures come from: the row of the table `run`. */
struct run_provenance {
    char *tape_name, *tape_identity, *tape_grade, *run_grade, *run_grade_reasons, *tool_version;
    char *build_id, *config, *config_hash, *fingerprint;
    int64_t seed, first_ns, last_ns, events, cycles, decisions;
    int64_t messages, market_messages, ticks, answers;
    int64_t invariant_checks, invariant_violations;
};

struct run {
    const char *path; /* as given; the caller's */
    struct run_provenance provenance;
    struct run_instrument *instruments; /* by id */
    size_t instrument_count;
    struct run_asset *assets; /* in the order of the instruments */
    size_t asset_count;
    struct run_venue *venues; /* likewise */
    size_t venue_count;
    int64_t end_ns; /* the last message, or the last that stands in a database that still grows */
};

/* Read a run database; everything in `run` belongs to it. ERROR_INPUT where it is none, of another version or
 * damaged (store/reader.h). Zero `run` before; run_close after, also on failure. */
int run_read(struct run *run, const char *path, struct error *error);
void run_close(struct run *run);

/* The horizons of `markout`, ns. */
extern const int64_t run_horizons[RUN_HORIZONS];
/* A gate of the whole instrument: while it blocks nothing is placed and nothing changed. */
bool run_gate_is_whole(unsigned gate);
/* How long one of the intervals held within [from, to], ns, each moment once; `counts` says which do. */
int64_t run_time_of(const struct run_intervals *intervals,
                    bool (*counts)(const struct run_interval *, unsigned what), unsigned what,
                    int64_t from, int64_t to);
/* Realised + unrealised - fees + funding at the end. */
money run_net(const struct run_instrument *instrument);
/* The time that `percent` percent (0 to 100) of them do not pass, by nearest rank. At least one is needed. */
int64_t run_percentile(const struct run_times *times, unsigned percent);

#endif
