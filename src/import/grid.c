/* See grid.h. */
#include "import/grid.h"

#include "base/integer.h"

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* value x 10^power mod modulus, for modulus > 0. */
static uint64_t scaled_modulo(uint64_t value, int power, uint64_t modulus)
{
    uint64_t rest = value % modulus;
    for (; power > 0 && rest != 0; power--) {
        rest = (uint64_t)((uint128)rest * 10 % modulus);
    }
    return rest;
}

static void add(struct grid *grid, uint64_t mantissa, int exponent)
{
    if (mantissa == 0) {
        return;
    }
    if (grid->divisor == 0) {
        grid->divisor = mantissa;
        grid->exponent = exponent;
    } else if (exponent < grid->exponent) {
        uint64_t rest = scaled_modulo(grid->divisor, grid->exponent - exponent, mantissa);
        grid->divisor = greatest_common_divisor(mantissa, rest);
        grid->exponent = exponent;
    } else {
        uint64_t rest = scaled_modulo(mantissa, exponent - grid->exponent, grid->divisor);
        grid->divisor = greatest_common_divisor(grid->divisor, rest);
    }
}

void grid_add(struct grid *grid, struct decimal value)
{
    if (grid->divisor == 1 && value.exponent >= grid->exponent) {
        return; /* already as fine as this value: the common case */
    }
    uint64_t mantissa =
        value.mantissa < 0 ? 0 - (uint64_t)value.mantissa : (uint64_t)value.mantissa;
    add(grid, mantissa, value.exponent);
}

void grid_merge(struct grid *grid, const struct grid *other)
{
    add(grid, other->divisor, other->exponent);
}

bool grid_step(const struct grid *grid, int64_t *units, int *exponent)
{
    uint64_t rest = grid->divisor;
    if (rest == 0) {
        return false;
    }
    *exponent = grid->exponent;
    while (rest % 10 == 0) {
        rest /= 10;
        ++*exponent;
    }
    *units = rest % 2 == 0 ? 2 : rest % 5 == 0 ? 5 : 1;
    return true;
}
