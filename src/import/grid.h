/* The grid that a set of decimals lies on: the largest 1, 2 or 5 x 10^n that divides every value. */
#ifndef CAPSTAN_IMPORT_GRID_H
#define CAPSTAN_IMPORT_GRID_H

#include "base/decimal.h"

/* Greatest common divisor of the values so far: divisor x 10^exponent; divisor 0 before the first.
 * Start from all zero. */
struct grid {
    uint64_t divisor;
    int exponent;
};

/* Take one value into account; zero says nothing, the sign does not matter. */
void grid_add(struct grid *grid, struct decimal value);
/* Take everything that `other` has seen into account. */
void grid_merge(struct grid *grid, const struct grid *other);
/* The step: `units` (1, 2 or 5) x 10^`exponent`. False where no value was seen. */
bool grid_step(const struct grid *grid, int64_t *units, int *exponent);

#endif
