/* A ladder with numbers among its levels that can't be used: what a model that went wrong would want. For
 * tests of what stands behind it. */
#include "strategy/strategy.h"

enum { KINDS = 24 };

/* Which of a ladder's levels go wrong, and how, changes with the time. */
static void rough_wanted(void *state, const struct strategy_view *view,
                         struct wanted_ladder *ladder)
{
    strategy_ladder.wanted(state, view, ladder);
    for (size_t i = 0; i < ladder->count; i++) {
        struct wanted_level *level = &ladder->levels[i];
        switch (((uint64_t)view->now / 1000003 + i) % KINDS) {
        case 0:
            level->price = (struct number){0, NUMBER_NAN};
            break;
        case 1:
            level->price.units = -level->price.units;
            break;
        case 2:
            level->price.units++; /* off the tick, where a tick is more than a unit */
            break;
        case 3:
            level->quantity = (struct number){0, NUMBER_INFINITE};
            break;
        case 4:
            level->quantity.units = -level->quantity.units;
            break;
        case 5:
            level->quantity.units++; /* off the lot, likewise */
            break;
        default:
            break;
        }
    }
}

static void rough_walk(const void *state, struct walker *walker)
{
    strategy_ladder.walk(state, walker);
}

const struct strategy strategy_rough = {
    .name = "rough",
    .state_bytes = 0,
    .wanted = rough_wanted,
    .walk = rough_walk,
};
