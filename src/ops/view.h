/* What one answer of the ops server is made of: a copy of all that the loop's thread has published, and what is
 * worked out from it. The server's thread alone. */
#ifndef CAPSTAN_OPS_VIEW_H
#define CAPSTAN_OPS_VIEW_H

#include "ops/collect.h"

/* Younger than this is ready (D3). */
#define OPS_READY_NS (30 * INT64_C(1000000000))

/* Why it is not ready. X(name, text, meaning) */
#define OPS_REASONS(X)                                                                             \
    X(STARTING, "starting", "there is no session yet")                                             \
    X(DRAINING, "draining", "a shutdown has begun")                                                \
    X(RECORDING, "recording", "this mode quotes nothing")                                          \
    X(NO_QUOTE, "no_quote_yet", "nothing was quoted since the start")                              \
    X(OLD_QUOTE, "last_quote_is_old", "the last quote went out 30 s ago or more")                  \
    X(CLOCK, "clock", "the last quote stands in the future: the clock went back")                  \
    X(SILENT, "engine_is_silent", "the loop gave no sign of life for 5 s")                         \
    X(PAUSED, "paused", "an instrument is paused by command")                                      \
    X(VENUE_DOWN, "exchange_down", "a venue's market data or orders are not in sync")

enum ops_reason {
#define X(name, text, meaning) OPS_REASON_##name,
    OPS_REASONS(X)
#undef X
        OPS_REASON_COUNT
};

/* D3 alone: `last_quote` as in ops_collect; `now` by the same clock. */
bool ops_is_ready(int64_t last_quote, int64_t now);

struct ops_view_instrument {
    bool known; /* it was published */
    struct ops_instrument now;
};

struct ops_view_venue {
    bool known;
    struct engine_venue_status status;
    struct ops_venue_health health;
};

struct ops_view {
    struct ops_collect *collect; /* NULL: no session; nothing of what follows stands */
    bool ended;                  /* there was one, and it is over */
    bool stands_by;              /* there is none, for another one has the account's lease */
    const struct event_names *names;
    int64_t now;        /* by the session's clock */
    int64_t last_quote; /* as in ops_collect */
    bool silent;        /* the loop gave no sign of life for 5 s */
    bool ready;
    uint32_t reasons; /* bits by enum ops_reason, where not ready */
    uint32_t gates;   /* that block some instrument which is quoted; bits by enum gate */
    bool account_known;
    struct ops_account account;
    enum ops_check database;
    struct ops_view_venue venues[EVENT_VENUES_MAX];
    struct ops_view_instrument *instruments;
    size_t instrument_capacity;
    struct event_reference_rate *rates; /* by asset; `from` EVENT_NONE_16: none */
    size_t rate_capacity;
    union { /* what is being copied */
        struct ops_instrument instrument;
        struct ops_account account;
        struct engine_venue_status venue;
    } spare;
    /* Worked out. */
    bool profit_known; /* of the account, in `currency` */
    money profit;
    uint16_t currency;
    bool equity_known; /* every balance and position is valued */
    bool equity_stale; /* by a mark that is only the last known one */
    money equity;      /* in US dollars */
    bool day_known;
    money day_profit; /* in US dollars where day_converted, else in the account's currency */
    bool day_converted;
};

/* Copy anew; memory is kept for the next time. False: there is no memory. `collect` may be NULL. */
bool ops_view_take(struct ops_view *view, struct ops_collect *collect);
void ops_view_free(struct ops_view *view);
/* Of the database's breaker; NULL: the session has no database, or nothing was published yet. */
const struct engine_database_status *ops_view_database(const struct ops_view *view);

/* valuation.c: what a venue's amount of one asset is in another, by the marks of spot instruments. In this order:
 * that venue's instrument of the two, else what the venue prices it in and that in the other; an instrument of
 * another venue, in the order of names, else a reference rate; over one asset between. False where no way leads
 * there, or the first that does has no price yet. `stale` is set, never cleared, where a mark is only the last known
 * one. `venue` EVENT_NONE_16: of none. */
bool ops_convert(const struct ops_view *view, unsigned venue, money amount, unsigned from,
                 unsigned to, money *out, bool *stale);
/* The asset that is the US dollar; EVENT_NONE_16. */
unsigned ops_dollar(const struct event_names *names);
/* The asset that an instrument's profit is in, and that profit, fees taken off; false where it does not fit. */
unsigned ops_profit_asset(const struct event_definition *definition);
bool ops_worth(const struct engine_position *position, money *worth);
/* Profit, equity and the day's profit of a view. */
void ops_value(struct ops_view *view);

#endif
