/* Markouts of our fills, and whether their mean is below 0 beyond chance. */
#include "engine/markouts.h"

#include "base/math.h"
#include "base/time.h"
#include "engine/walker.h"

static const double RATIO_ONE = 1e9;

void markouts_add(struct markouts *markouts, struct pending_markout fill)
{
    if (markouts->waiting == MARKOUTS_PENDING)
        return;
    if (markouts->waiting > 0) {
        const struct pending_markout *last =
            &markouts->pending[(markouts->first + markouts->waiting - 1) % MARKOUTS_PENDING];
        if (fill.due < last->due)
            fill.due = last->due;
    }
    markouts->pending[(markouts->first + markouts->waiting++) % MARKOUTS_PENDING] = fill;
}

static double markout_of(const struct pending_markout *fill, int64_t mid2)
{
    double price2 = 2 * (double)fill->price;
    double gain = ((double)mid2 - price2) / price2;
    return (fill->side == SIDE_BUY ? gain : -gain) - (double)fill->fee / RATIO_ONE;
}

unsigned markouts_settle(struct markouts *markouts, int64_t now, int64_t mid2)
{
    unsigned measured = 0;
    while (markouts->waiting > 0 && markouts->pending[markouts->first].due <= now) {
        const struct pending_markout *fill = &markouts->pending[markouts->first];
        if (mid2 > 0) {
            markouts->values[markouts->count++ % MARKOUTS_KEPT] = markout_of(fill, mid2);
            measured++;
        }
        markouts->first = (markouts->first + 1) % MARKOUTS_PENDING;
        markouts->waiting--;
    }
    return measured;
}

int64_t markouts_deadline(const struct markouts *markouts)
{
    return markouts->waiting == 0 ? TIME_NEVER : markouts->pending[markouts->first].due;
}

bool markouts_mean(const struct markouts *markouts, uint64_t least, double *mean)
{
    uint64_t kept = markouts->count < MARKOUTS_KEPT ? markouts->count : MARKOUTS_KEPT;
    double sum = 0;
    if (kept < least || kept == 0)
        return false;
    for (uint64_t i = 0; i < kept; i++)
        sum += markouts->values[i];
    *mean = sum / (double)kept;
    return true;
}

bool markouts_are_bad(const struct markouts *markouts, uint64_t least, double errors)
{
    uint64_t kept = markouts->count < MARKOUTS_KEPT ? markouts->count : MARKOUTS_KEPT;
    double mean, squares = 0;
    if (kept < 2 || !markouts_mean(markouts, least, &mean))
        return false;
    for (uint64_t i = 0; i < kept; i++)
        squares += (markouts->values[i] - mean) * (markouts->values[i] - mean);
    double error = math_sqrt(squares / (double)(kept - 1) / (double)kept);
    return mean < 0 && mean + errors * error < 0;
}

void markouts_walk(struct walker *walker, const struct markouts *markouts, unsigned instrument)
{
    uint64_t kept = markouts->count < MARKOUTS_KEPT ? markouts->count : MARKOUTS_KEPT;
    walker->field(walker, "markouts.count", instrument, (int64_t)markouts->count);
    walker->field(walker, "markouts.waiting", instrument, markouts->waiting);
    for (uint64_t i = 0; i < kept; i++)
        walker_double(walker, "markouts.value", i, markouts->values[i]);
    for (uint32_t i = 0; i < markouts->waiting; i++) {
        const struct pending_markout *fill =
            &markouts->pending[(markouts->first + i) % MARKOUTS_PENDING];
        walker->field(walker, "markouts.due", i, fill->due);
        walker->field(walker, "markouts.price", i, fill->price);
        walker->field(walker, "markouts.fee", i, fill->fee);
        walker->field(walker, "markouts.side", i, fill->side);
    }
}
