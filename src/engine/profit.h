/* Profit of the whole account in one currency: drawdown, daily loss, and the rates they need
 * (trading-semantics 13, 21, 22). */
#ifndef CAPSTAN_ENGINE_PROFIT_H
#define CAPSTAN_ENGINE_PROFIT_H

#include "engine/fx.h"
#include "event/event.h"

struct engine;
struct engine_config;
struct order;
struct walker;
struct wanted_ladder;

/* Of one instrument. */
struct instrument_profit {
    money
        worth; /* realised + unrealised - fees + funding as last reckoned, in its profit's asset */
    bool unknown;      /* it holds a position that nothing has ever marked */
    bool flat;         /* it held nothing when last reckoned: prices don't move it */
    bool pull;         /* cancel everything once: the daily loss has just been reached */
    uint16_t converts; /* the asset whose rate its mid is, else EVENT_NONE_16 */
    uint16_t
        fee_asset; /* another asset than its profit's that its fees were last paid in (carry) */
};

/* Of one asset. */
struct asset_profit {
    money fees;   /* paid in it by instruments whose profit is in another asset (carry) */
    money sum;    /* of its instruments' worth, less these fees */
    money worth;  /* of the sum, in the account's currency, at the last rate */
    bool unknown; /* the sum is not 0 and there was never a rate */
    /* The rate: units of `to` in one unit of this asset, or the other way round. */
    struct fx_rate rate;
    int64_t rate_ts;
    uint16_t instrument; /* whose mid is the rate; EVENT_NONE_16: reference_rate records */
    uint16_t to;         /* EVENT_NONE_16: no rate yet */
    bool divides;        /* the rate is of this asset in one unit of `to` */
};

/* Of the account. */
struct profit {
    bool on;                   /* the currency is known and a limit is set */
    bool chained;              /* a rate leads to another asset than the currency */
    bool touched;              /* something in `dirty` */
    bool drawn_down, day_lost; /* carry, of the pauses told */
    uint8_t zone;              /* enum day_zone */
    uint16_t currency;         /* EVENT_NONE_16: profit is in several assets and none was named */
    unsigned unknown;          /* instruments and assets whose worth is not known */
    money drawdown_limit, daily_limit; /* 0: none */
    int64_t rate_age;
    money profit, peak, day_start;
    int64_t next_day; /* the day turns with the first message from here on; INT64_MAX: never */
    int64_t remark;   /* a held position's mark may change by its age alone; TIME_NEVER */
    struct event_risk_mark marked; /* the last one told (carry) */
    bool has_mark;                 /* there was one (carry) */
    struct asset_profit *assets;
    uint64_t *dirty; /* instruments to reckon anew, one bit each */
};

void profit_init(struct engine *engine, const struct engine_config *config);
/* The engine starts here: from the carry, with everything that prices tell to be reckoned anew. */
void profit_start(struct engine *engine);
/* A restart: what prices told is forgotten, the carry stays. */
void profit_reset(struct engine *engine);
/* Before a message at engine->now is applied: the day may turn. */
void profit_turn_day(struct engine *engine);
/* A fill, a mark or the best prices of an instrument changed. */
void profit_touch(struct engine *engine, unsigned instrument);
/* A fee was paid in another asset than the instrument's profit is in. */
void profit_take_fee(struct engine *engine, unsigned instrument, unsigned asset, money fee);
/* After the message was applied and before any cycle: new profit, gates. */
void profit_update(struct engine *engine);
void profit_take_rate(struct engine *engine, const struct event_reference_rate *rate);
/* The operator resumes the account: a drawdown pause ends, and the peak is the profit. */
void profit_resume(struct engine *engine);
/* The account's profit is known, so that a change of it can be told from a step that a position makes which is
 * taken over; always where no limit looks at it. */
bool profit_is_known(const struct engine *engine);
/* The profit with the instrument's figures as they stand at this moment. */
money profit_now(struct engine *engine, unsigned instrument);
/* Since that was `before` the instrument took over a position: peak and day's start follow, so that no limit
 * sees the step. */
void profit_rebase(struct engine *engine, unsigned instrument, money before);
bool profit_is_drawn_down(const struct engine *engine, unsigned instrument);
bool profit_is_at_daily_loss(const struct engine *engine, unsigned instrument);
/* An amount of an asset in the account's currency at the last rates. False where one is missing. */
bool profit_convert(const struct engine *engine, unsigned asset, money amount, money *out);
/* A rate that the instrument needs is missing or too old, or the account's profit is not known. */
bool profit_lacks_rate(const struct engine *engine, unsigned instrument);
/* True once after the daily loss was reached: everything that rests is to be cancelled. */
bool profit_pulls(struct engine *engine, unsigned instrument);
/* When a mark gets old by itself; TIME_NEVER for none. */
int64_t profit_deadline(const struct engine *engine);
/* A risk_mark of the tape, for the fold. */
void profit_take_mark(struct engine *engine, const struct event_risk_mark *mark);
/* A pause of the account (why: drawdown or daily_loss), for the fold; `paused` false ends it. */
void profit_take_pause(struct engine *engine, const struct event_pause *pause);
/* `carry`: only what a restart keeps. */
void profit_walk(struct walker *walker, const struct engine *engine);
void profit_walk_carry(struct walker *walker, const struct engine *engine);

#endif
