/* Reconcile: from what is wanted and what rests to cancels, modifies and places (trading-semantics 27). */
#include "engine/engine_internal.h"

#include "base/assert.h"

#define RATIO_ONE INT64_C(1000000000)
enum { MILLI = 1000, SIDE_ORDERS_MAX = 1024, SHORT_SORT = 48 };

/* --- candidates ---------------------------------------------------------------------------------- */

static struct candidate *add(struct engine *engine, unsigned index, enum want want, enum side side)
{
    struct candidates *candidates = &engine->candidates;
    ASSERT(candidates->count < candidates->capacity);
    struct candidate *candidate = &candidates->list[candidates->count];
    candidates->order[candidates->count] = candidates->count;
    candidates->count++;
    *candidate = (struct candidate){
        .instrument = (uint16_t)index, .want = (uint8_t)want, .side = (uint8_t)side};
    return candidate;
}

/* From fair value to a price, positive away from the other side. */
static int64_t distance_of(const struct instrument *instrument, enum side side, int64_t price)
{
    int64_t tick = instrument->limits.quote.tick;
    int64_t millitick = (tick == 1 ? price : price / tick) * MILLI;
    return side == SIDE_BUY ? instrument->fair - millitick : millitick - instrument->fair;
}

static void add_cancel(struct engine *engine, const struct order *order, enum cancel_cause why)
{
    const struct instrument *instrument = &engine->instruments[order->instrument];
    struct candidate *candidate = add(engine, order->instrument, WANT_CANCEL, order->side);
    candidate->order = order->id;
    candidate->price = order->price;
    candidate->why = (uint8_t)why;
    candidate->has_fair = instrument->has_fair && order->price > 0;
    if (candidate->has_fair)
        candidate->distance = distance_of(instrument, order->side, order->price);
}

static struct candidate *add_wanted(struct engine *engine, unsigned index, enum want want,
                                    const struct wanted_level *wanted)
{
    struct candidate *candidate = add(engine, index, want, wanted->side);
    candidate->price = wanted->price.units;
    candidate->quantity = wanted->quantity.units;
    candidate->level = wanted->level;
    candidate->distance = candidate->level_distance = wanted->distance_millitick;
    candidate->has_fair = engine->instruments[index].has_fair;
    return candidate;
}

/* --- matching ------------------------------------------------------------------------------------- */

/* The live orders of a side while levels are matched to them. */
struct resting {
    int64_t prices[SIDE_ORDERS_MAX]; /* 0: taken by a level */
    struct order *orders[SIDE_ORDERS_MAX];
    unsigned count;
};

static void collect(struct engine *engine, const struct order_side *side, struct resting *resting)
{
    resting->count = 0;
    for (uint32_t slot = side->first; slot != ENGINE_NO_SLOT;
         slot = engine->orders.slots[slot].next) {
        struct order *order = &engine->orders.slots[slot];
        if (order->state == ORDER_PENDING_CANCEL)
            continue;
        ASSERT(resting->count < SIDE_ORDERS_MAX);
        resting->prices[resting->count] = order->price;
        resting->orders[resting->count++] = order;
    }
}

/* The nearest order within tolerance, of equals the older: the list is by age. */
static struct order *nearest(struct resting *resting, int64_t price, int64_t tolerance)
{
    int64_t least = tolerance + 1;
    unsigned found = resting->count;
    for (unsigned i = 0; i < resting->count; i++) {
        int64_t away = resting->prices[i] - price;
        away = away < 0 ? -away : away;
        if (away >= least || resting->prices[i] == 0)
            continue;
        found = i;
        if (away == 0)
            break;
        least = away;
    }
    if (found == resting->count)
        return NULL;
    resting->prices[found] = 0;
    return resting->orders[found];
}

static bool size_in_tolerance(const struct limits *limits, int64_t leaves, int64_t wanted)
{
    int64_t away = leaves < wanted ? wanted - leaves : leaves - wanted;
    return away == 0 || (int128)away * RATIO_ONE <= (int128)wanted * limits->size_tolerance;
}

/* Not more aggressive than the collar now allows; without a reference nothing is known against it. An
 * order that is no better than a top inside the collar is inside too. */
static bool not_too_aggressive(const struct instrument *instrument, const struct order *order)
{
    int64_t top = instrument->market.top.price[order->side];
    if (instrument->top_in_collar[order->side] &&
        (order->side == SIDE_BUY ? order->price <= top : order->price >= top))
        return true;
    return instrument->reference4 <= 0 ||
           risk_price_in_collar(instrument, order->side, order->price, false);
}

/* An order that stands for a level: keep it, shrink it, or have it make room. */
static void settle_match(struct engine *engine, unsigned index, struct order *order,
                         const struct wanted_level *wanted, bool may_place)
{
    struct instrument *instrument = &engine->instruments[index];
    if (!order_state_is_resting(order->state))
        return; /* one unanswered action an order */
    bool allowed = not_too_aggressive(instrument, order);
    if (allowed && size_in_tolerance(&instrument->limits, order->leaves, wanted->quantity.units))
        return;
    if (allowed && may_place && order->leaves > wanted->quantity.units) {
        struct candidate *candidate = add_wanted(engine, index, WANT_MODIFY, wanted);
        candidate->order = order->id;
        candidate->price = order->price;
        return;
    }
    add_cancel(engine, order, allowed && may_place ? CANCEL_REPLACED : CANCEL_UNWANTED);
    if (may_place)
        add_wanted(engine, index, WANT_PLACE, wanted);
}

static void reconcile_side(struct engine *engine, unsigned index, enum side side,
                           const struct wanted_ladder *ladder, bool may_place)
{
    struct instrument *instrument = &engine->instruments[index];
    struct resting resting;
    instrument->top_in_collar[side] =
        risk_price_in_collar(instrument, side, instrument->market.top.price[side], false);
    collect(engine, &instrument->sides[side], &resting);
    for (size_t i = 0; i < ladder->count; i++) {
        const struct wanted_level *wanted = &ladder->levels[i];
        if (wanted->side != side)
            continue;
        struct order *order =
            nearest(&resting, wanted->price.units, instrument->limits.price_tolerance);
        if (order != NULL)
            settle_match(engine, index, order, wanted, may_place);
        else if (may_place)
            add_wanted(engine, index, WANT_PLACE, wanted);
    }
    for (unsigned i = 0; i < resting.count; i++)
        if (resting.prices[i] != 0 && order_state_is_resting(resting.orders[i]->state))
            add_cancel(engine, resting.orders[i], CANCEL_UNWANTED);
}

void reconcile_ladder(struct engine *engine, unsigned index, const struct wanted_ladder *ladder,
                      bool may_place)
{
    reconcile_side(engine, index, SIDE_BUY, ladder, may_place);
    reconcile_side(engine, index, SIDE_SELL, ladder, may_place);
}

void reconcile_pull(struct engine *engine, unsigned index, enum cancel_cause why)
{
    for (int side = 0; side < 2; side++) {
        for (uint32_t slot = engine->instruments[index].sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next) {
            const struct order *order = &engine->orders.slots[slot];
            if (why == CANCEL_SHUTDOWN ? shutdown_must_ask(order)
                                       : order_state_is_resting(order->state))
                add_cancel(engine, order, why);
        }
    }
}

/* --- order of sending ----------------------------------------------------------------------------- */

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Without a fair value: best price first, what has no usable price last. */
static int compare_prices(const struct candidate *a, const struct candidate *b)
{
    if ((a->price > 0) != (b->price > 0))
        return a->price > 0 ? -1 : 1;
    return a->side == SIDE_BUY ? compare(b->price, a->price) : compare(a->price, b->price);
}

static int compare_candidates(const struct candidate *a, const struct candidate *b)
{
    int by;
    if (a->want != b->want)
        return compare(a->want, b->want);
    if (a->has_fair != b->has_fair)
        return a->has_fair ? -1 : 1;
    if (a->has_fair) {
        if ((by = compare(a->distance, b->distance)) != 0 ||
            (by = compare(a->side, b->side)) != 0 ||
            (by = compare(a->instrument, b->instrument)) != 0)
            return by;
    } else {
        if ((by = compare(a->instrument, b->instrument)) != 0 ||
            (by = compare(a->side, b->side)) != 0 || (by = compare_prices(a, b)) != 0)
            return by;
    }
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return compare(a->level, b->level);
}

/* Of two that are equal in all of rule 27's terms the one made first leaves first. */
static bool before(const struct candidates *candidates, uint32_t a, uint32_t b)
{
    int by = compare_candidates(&candidates->list[a], &candidates->list[b]);
    return by < 0 || (by == 0 && a < b);
}

static void insertion_sort(struct candidates *candidates)
{
    uint32_t *order = candidates->order;
    for (uint32_t i = 1; i < candidates->count; i++) {
        uint32_t taken = order[i], at = i;
        for (; at > 0 && before(candidates, taken, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = taken;
    }
}

static void sift_down(struct candidates *candidates, uint32_t root, uint32_t count)
{
    uint32_t *order = candidates->order;
    for (;;) {
        uint32_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && before(candidates, order[child], order[child + 1]))
            child++;
        if (!before(candidates, order[root], order[child]))
            return;
        uint32_t moved = order[root];
        order[root] = order[child];
        order[child] = moved;
        root = child;
    }
}

static void heap_sort(struct candidates *candidates)
{
    uint32_t *order = candidates->order, count = candidates->count;
    for (uint32_t root = count / 2; root > 0; root--)
        sift_down(candidates, root - 1, count);
    for (uint32_t end = count; end > 1; end--) {
        uint32_t moved = order[0];
        order[0] = order[end - 1];
        order[end - 1] = moved;
        sift_down(candidates, 0, end - 1);
    }
}

void reconcile_sort(struct candidates *candidates)
{
    if (candidates->count <= SHORT_SORT)
        insertion_sort(candidates);
    else
        heap_sort(candidates);
}
