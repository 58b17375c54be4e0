/* Profit of the whole account in one currency: drawdown, daily loss, and the rates they need
 * (trading-semantics 13, 21, 22). */
#ifndef CAPSTAN_ENGINE_PROFIT_H
#define CAPSTAN_ENGINE_PROFIT_H

#include "event/event.h"

struct engine;
struct order;
struct walker;
struct wanted_ladder;

/* Of the account; only session, decision and reference-rate records change it. */
struct profit {
    int64_t day; /* start of the present day, ns */
};

/* Before a message at engine->now is applied: the day may turn. */
void profit_turn_day(struct engine *engine);
/* A fill, a mark or the best prices of an instrument changed. */
void profit_touch(struct engine *engine, unsigned instrument);
/* After the message was applied and before any cycle: new profit, gates. */
void profit_update(struct engine *engine);
void profit_take_rate(struct engine *engine, const struct event_reference_rate *rate);
/* The operator resumes: a drawdown pause ends, and the peak is the profit. */
void profit_resume(struct engine *engine);
bool profit_is_drawn_down(const struct engine *engine, unsigned instrument);
bool profit_is_at_daily_loss(const struct engine *engine, unsigned instrument);
/* A rate that the instrument needs is missing or too old. */
bool profit_lacks_rate(const struct engine *engine, unsigned instrument);
/* When the day turns or a rate gets old; TIME_NEVER for none. */
int64_t profit_deadline(const struct engine *engine);
/* A risk_mark of the tape, for the fold. */
void profit_take_mark(struct engine *engine, const struct event_risk_mark *mark);
void profit_walk(struct walker *walker, const struct engine *engine);

#endif
