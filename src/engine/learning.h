/* Learning the chance of a fill at each level of the ladder (trading-semantics 26). */
#ifndef CAPSTAN_ENGINE_LEARNING_H
#define CAPSTAN_ENGINE_LEARNING_H

#include "event/event.h"

struct engine;
struct order;
struct walker;
struct wanted_ladder;

/* Of one instrument. */
struct learning {
    uint64_t spells;
};

/* An order changed state (`before` is the old one; ORDER_NONE: it was just placed), or was filled in part. */
void learning_order_changed(struct engine *engine, struct order *order, unsigned before);
/* A modify moved the order to another level of the ladder. */
void learning_level_changed(struct engine *engine, struct order *order, unsigned before);
/* A learning decision, of this engine or of the tape. */
void learning_take(struct engine *engine, const struct event_learning *learning);
/* Sizes of the wanted ladder by what was learned. */
void learning_size(struct engine *engine, unsigned instrument, struct wanted_ladder *ladder);
/* When a spell reaches its horizon; and what is to be done then. */
int64_t learning_deadline(const struct engine *engine, unsigned instrument);
void learning_due(struct engine *engine, unsigned instrument);
void learning_walk(struct walker *walker, const struct engine *engine, unsigned instrument);

#endif
