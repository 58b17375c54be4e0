/* Learning the chance of a fill at each level of the ladder (trading-semantics 26). */
#ifndef CAPSTAN_ENGINE_LEARNING_H
#define CAPSTAN_ENGINE_LEARNING_H

#include "strategy/strategy.h"

struct engine;
struct order;
struct walker;

/* Where an order stands in the rule: never active, in a spell, or past it until it changes its level. */
enum spell { SPELL_NONE, SPELL_OPEN, SPELL_OVER };

/* The posterior of one cell, Beta(1 + alpha, 1 + beta), both in 1e-9 and never below 0. */
struct learning_cell {
    int64_t alpha, beta;
    uint64_t spells;
    int64_t chance; /* alpha's share in 1e-3, rounded down, by which sizes go; before any spell 0 */
};

/* The sizes of one side as they were made last, and what they were made of. */
struct learning_sizes {
    bool made;   /* and nothing was learned since */
    bool usable; /* enough is known and there is something to earn */
    uint8_t count;
    int64_t size, lot; /* that was wanted of each level, quantity units */
    int64_t nearest, farthest,
        fair; /* distance of first and last level, fair value: 1/1,000 tick */
    int64_t sizes[STRATEGY_LEVELS_MAX];
};

/* Of one instrument. The cells are carry; the rest is made anew after a restart. Index: enum side. */
struct learning {
    struct learning_cell cells[2][STRATEGY_LEVELS_MAX];
    struct learning_sizes sizes[2];
    uint64_t markouts; /* that were measured when `loss` was taken from them */
    int64_t loss;      /* mean loss by markout, 1e-9 of a fill's value, never below 0 */
    int64_t deadline;  /* lower bound of the earliest end of a spell at the horizon; TIME_NEVER */
};

/* An order changed state (`before` is the old one; ORDER_NONE: it was just placed), or was filled in part. */
void learning_order_changed(struct engine *engine, struct order *order, unsigned before);
/* The order stands for another level of the ladder from now on: its figures are brought there by the
 * decision that this makes. */
void learning_level_moved(struct engine *engine, struct order *order, unsigned level);
/* A `learned` decision, of this engine or of the tape: the only thing that changes a cell. One that names
 * no cell or figures outside 0 to 1 changes nothing. */
void learning_take(struct engine *engine, const struct event_learned *told);
/* Sizes of the wanted ladder by what was learned. */
void learning_size(struct engine *engine, unsigned instrument, struct wanted_ladder *ladder);
/* When the next spell reaches its horizon, exactly; the lower bound is moved up to it. */
int64_t learning_deadline(struct engine *engine, unsigned instrument);
/* End the spells that have reached it. */
void learning_due(struct engine *engine, unsigned instrument);
/* A restart: the cells and the orders' spells stay, what is made of them is made anew. */
void learning_reset(struct engine *engine, unsigned instrument);
/* The cells. */
void learning_walk(struct walker *walker, const struct engine *engine, unsigned instrument);
/* What is made anew after a restart. */
void learning_walk_sizes(struct walker *walker, const struct engine *engine, unsigned instrument);

#endif
