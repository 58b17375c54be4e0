/* Reconcile: from what is wanted and what rests to cancels, modifies and places (trading-semantics 27). */
#include "engine/engine_internal.h"

#include "base/assert.h"

#define RATIO_ONE INT64_C(1000000000)
enum { MILLI = 1000, SHORT_SORT = 48 };

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

/* A price in 1/1,000 tick, rounded down; at most what a number can hold, for a venue may tell that an order
 * rests at any price. It may be off the tick, too: a definition changes it while orders rest. */
static int64_t to_millitick(int64_t price, int64_t tick)
{
    int128 millitick = (int128)price * MILLI;
    if (tick != 1)
        millitick /= tick;
    return millitick > INT64_MAX ? INT64_MAX : (int64_t)millitick;
}

/* From fair value to a price, positive away from the other side. Neither is below 0, so that it fits. */
static int64_t distance_of(const struct instrument *instrument, enum side side, int64_t price)
{
    int64_t above = to_millitick(price, instrument->limits.quote.tick) - instrument->fair;
    return side == SIDE_BUY ? -above : above;
}

/* The distance of the price that it has now, by which it leaves (rule 27); 0 without a fair value. */
static void tell_distance(const struct instrument *instrument, struct candidate *candidate)
{
    candidate->has_fair = instrument->has_fair;
    if (candidate->has_fair)
        candidate->distance = distance_of(instrument, (enum side)candidate->side, candidate->price);
}

static void add_cancel(struct engine *engine, const struct order *order, enum cancel_cause why)
{
    struct candidate *candidate = add(engine, order->instrument, WANT_CANCEL, order->side);
    candidate->order = order->id;
    candidate->price = order->unpriced ? 0 : order->price;
    candidate->why = (uint8_t)why;
    /* Only a pull, which has no fair value, cancels the unpriced. */
    tell_distance(&engine->instruments[order->instrument], candidate);
}

static struct candidate *add_wanted(struct engine *engine, unsigned index, enum want want,
                                    const struct wanted_level *wanted)
{
    struct candidate *candidate = add(engine, index, want, wanted->side);
    candidate->price = wanted->price.units;
    candidate->quantity = wanted->quantity.units;
    candidate->level = wanted->level;
    tell_distance(&engine->instruments[index], candidate);
    return candidate;
}

/* --- matching ------------------------------------------------------------------------------------- */

static void collect(struct engine *engine, const struct order_side *side, struct resting *resting)
{
    resting->count = 0;
    for (uint32_t slot = side->first; slot != ENGINE_NO_SLOT;
         slot = engine->orders.slots[slot].next) {
        struct order *order = &engine->orders.slots[slot];
        if (order->state == ORDER_PENDING_CANCEL || order->unpriced)
            continue; /* the one is going; of the other nobody knows where it rests (B14) */
        ASSERT(resting->count < ENGINE_SIDE_ORDERS_MAX);
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
        least = away;
    }
    if (found == resting->count)
        return NULL;
    resting->prices[found] = 0;
    return resting->orders[found];
}

bool reconcile_keeps_size(const struct limits *limits, int64_t leaves, int64_t wanted)
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

/* Rule 27's table: what a change of an order becomes at its venue. `smaller`: its size alone, downward. */
static enum want change_at(enum modify modify, const struct order *order, bool smaller)
{
    switch (modify) {
    case MODIFY_SHRINK:
        return smaller ? WANT_MODIFY : WANT_CANCEL;
    case MODIFY_EDIT:
        return smaller || order->filled == 0 ? WANT_MODIFY : WANT_CANCEL;
    case MODIFY_REPLACE:
        return WANT_REPLACE;
    case MODIFY_CANCEL_REPLACE:
        return smaller ? WANT_CANCEL : WANT_REPLACE;
    case MODIFY_NONE:
    default:
        return WANT_CANCEL;
    }
}

/* How an order has to change for its level. */
enum change {
    CHANGE_SMALLER, /* in size, it may stay where it is */
    CHANGE_LARGER,  /* in size, it may stay as it is until then */
    CHANGE_AGE,     /* a new order is to stand for it, it may stay until then */
    CHANGE_PRICE    /* it must not stay where it is */
};

/* What the change of an order is at its venue. A new order is none that the old one becomes in place. */
static enum want want_of(enum modify modify, const struct order *order, enum change change)
{
    if (change == CHANGE_AGE)
        return modify == MODIFY_REPLACE || modify == MODIFY_CANCEL_REPLACE ? WANT_REPLACE
                                                                           : WANT_CANCEL;
    return change_at(modify, order, change == CHANGE_SMALLER);
}

/* Where only what reduces may leave (rules 19 and 22): beside all that rests on its side less of the level would
 * leave than is wanted. */
static bool would_be_cut(struct engine *engine, unsigned index, const struct wanted_level *wanted)
{
    const struct instrument *instrument = &engine->instruments[index];
    uint32_t caps = risk_caps(engine, index);
    int64_t size = wanted->quantity.units;
    if (caps == 0 ||
        risk_reducing_size(&instrument->limits, risk_position(instrument), wanted->side,
                           risk_side_leaves(engine, index, wanted->side), size) == size)
        return false;
    risk_block_caps(engine, index, caps);
    return true;
}

/* The order becomes the level: in one request where the venue has one and the gates let it pass, else it
 * is cancelled and the level placed. */
static void change_order(struct engine *engine, unsigned index, const struct order *order,
                         const struct wanted_level *wanted, enum change change,
                         enum cancel_cause why)
{
    unsigned venue = engine->instruments[index].definition.venue;
    enum want want = want_of((enum modify)engine->venues[venue].modify, order, change);
    bool cut = would_be_cut(engine, index, wanted);
    if (cut && (change == CHANGE_LARGER || change == CHANGE_AGE))
        return; /* a smaller one would come, which in turn were too small: what rests is filled first */
    if (want != WANT_CANCEL && !(cut && want == WANT_REPLACE)) {
        struct candidate *candidate = add_wanted(engine, index, want, wanted);
        candidate->order = order->id;
        if (change == CHANGE_SMALLER && want == WANT_MODIFY) {
            candidate->price = order->price; /* so that it keeps its place in the queue */
            tell_distance(&engine->instruments[index], candidate);
        }
        if (change != CHANGE_PRICE ||
            risk_order_gates(engine, candidate, want == WANT_MODIFY ? order : NULL) == 0)
            return;
        engine->candidates.count--; /* it would wait while the order stays where it must not */
    }
    add_cancel(engine, order, why);
    add_wanted(engine, index, WANT_PLACE, wanted);
}

/* The venue may end it before long (order.renew_after). */
static bool is_old(const struct engine *engine, unsigned index, const struct order *order)
{
    int64_t after = engine->venues[engine->instruments[index].definition.venue].renew_after;
    return after > 0 && engine->now - order->placed_ts >= after;
}

/* An order that stands for a level: keep it, change it, or have it make room. */
static void settle_match(struct engine *engine, unsigned index, struct order *order,
                         const struct wanted_level *wanted, bool may_place)
{
    struct instrument *instrument = &engine->instruments[index];
    if (!orders_may_act(engine, order))
        return; /* one unanswered action an order */
    bool allowed = not_too_aggressive(instrument, order);
    bool fits =
        allowed && reconcile_keeps_size(&instrument->limits, order->leaves, wanted->quantity.units);
    bool old = may_place && is_old(engine, index, order);
    if (fits && !old) {
        if (order->level != wanted->level)
            learning_level_moved(engine, order, wanted->level);
        return;
    }
    if (!may_place)
        add_cancel(engine, order, CANCEL_UNWANTED);
    else if (!allowed)
        change_order(engine, index, order, wanted, CHANGE_PRICE, CANCEL_UNWANTED);
    else if (fits)
        change_order(engine, index, order, wanted, CHANGE_AGE, CANCEL_REPLACED);
    else
        change_order(engine, index, order, wanted,
                     order->leaves > wanted->quantity.units ? CHANGE_SMALLER : CHANGE_LARGER,
                     CANCEL_REPLACED);
}

/* Rests, or will where its request goes well: a level may wait for it to become movable. */
static bool is_movable(const struct engine *engine, const struct order *order)
{
    return (order_state_is_resting(order->state) || order->state == ORDER_PENDING_NEW ||
            order->state == ORDER_PENDING_MODIFY) &&
           !orders_gave_up(engine, order);
}

/* Levels that no order is near enough to: where the venue can, the nearest order that is left moves there,
 * now or when what was asked of it is answered; else they are placed. */
static void settle_missing(struct engine *engine, unsigned index, struct resting *resting,
                           const struct wanted_level *const *missing, unsigned count)
{
    unsigned venue = engine->instruments[index].definition.venue;
    bool moves = engine->venues[venue].modify >= MODIFY_EDIT;
    for (unsigned i = 0; moves && i < resting->count; i++)
        if (!is_movable(engine, resting->orders[i]))
            resting->prices[i] = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct order *order =
            moves ? nearest(resting, missing[i]->price.units, INT64_MAX - 1) : NULL;
        if (order == NULL)
            add_wanted(engine, index, WANT_PLACE, missing[i]);
        else if (orders_may_act(engine, order))
            change_order(engine, index, order, missing[i], CHANGE_PRICE, CANCEL_UNWANTED);
    }
}

/* The levels of one side, and the order that stands for each, NULL where there is none. */
struct matching {
    const struct wanted_level *levels[2 * STRATEGY_LEVELS_MAX];
    struct order *orders[2 * STRATEGY_LEVELS_MAX];
    unsigned count;
};

/* The oldest order at exactly this price, which then counts as taken. */
static struct order *exactly_at(struct resting *resting, int64_t price)
{
    for (unsigned i = 0; i < resting->count; i++) {
        if (resting->prices[i] == price && price != 0) {
            resting->prices[i] = 0;
            return resting->orders[i];
        }
    }
    return NULL;
}

/* The levels of one side. */
static void find_levels(const struct wanted_ladder *ladder, enum side side,
                        struct matching *matching)
{
    unsigned count = 0;
    for (size_t i = 0; i < ladder->count; i++)
        if (ladder->levels[i].side == side)
            matching->levels[count++] = &ladder->levels[i];
    matching->count = count;
}

/* Orders that stand exactly on a level come first, so that a neighbour within tolerance does not take them
 * from it. */
static void match_levels(int64_t tolerance, struct resting *resting, struct matching *matching)
{
    unsigned left = resting->count;
    for (unsigned i = 0; i < matching->count; i++) {
        matching->orders[i] = exactly_at(resting, matching->levels[i]->price.units);
        left -= matching->orders[i] != NULL;
    }
    if (tolerance == 0)
        return;
    for (unsigned i = 0; i < matching->count && left > 0; i++) {
        if (matching->orders[i] != NULL)
            continue;
        matching->orders[i] = nearest(resting, matching->levels[i]->price.units, tolerance);
        left -= matching->orders[i] != NULL;
    }
}

/* Prices of a side as numbers that rise from the best to the worst. */
static int64_t outward(enum side side, int64_t price)
{
    return side == SIDE_BUY ? -price : price;
}

static int64_t distance_between(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

/* The order of that slot, if it could stand for a level of the side; else NULL. */
static struct order *standing(struct engine *engine, unsigned index, enum side side, uint32_t slot)
{
    struct order *order = &engine->orders.slots[slot];
    bool stands = order->instrument == index && order->side == side && !order->unpriced &&
                  order_state_is_live(order->state) && order->state != ORDER_PENDING_CANCEL;
    return stands ? order : NULL;
}

/* The common case, without a search: the orders that stood for the levels of the last ladder are all
 * that the side has, and each is nearer to its level of this ladder than any other is. Then match_levels()
 * would match them so: an order on another's level would be nearer to it, and whatever level takes first,
 * its nearest order is its own. False where that is not so. */
static bool match_as_before(struct engine *engine, unsigned index, enum side side,
                            struct matching *matching)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct order_side *orders = &instrument->sides[side];
    const int64_t tolerance = instrument->limits.price_tolerance;
    int64_t before = INT64_MIN, level_before = INT64_MIN; /* the order and the level before */
    if (orders->stood_count != matching->count || orders->count - orders->going != matching->count)
        return false;
    for (unsigned i = 0; i < matching->count; i++) {
        struct order *order = standing(engine, index, side, orders->stood[i]);
        if (order == NULL)
            return false;
        int64_t price = outward(side, order->price);
        int64_t level = outward(side, matching->levels[i]->price.units);
        int64_t away = distance_between(level, price);
        if (away > tolerance)
            return false;
        if (i > 0 &&
            (price <= before || distance_between(level, before) <= away ||
             distance_between(level_before, price) <= distance_between(level_before, before)))
            return false;
        matching->orders[i] = order;
        before = price;
        level_before = level;
    }
    return true;
}

/* Keep what stands for the levels for the next ladder. */
static void remember(const struct engine *engine, struct order_side *orders,
                     const struct matching *matching)
{
    orders->stood_count = 0;
    if (matching->count > STRATEGY_LEVELS_MAX)
        return;
    for (unsigned i = 0; i < matching->count; i++) {
        if (matching->orders[i] == NULL)
            return;
        orders->stood[i] = (uint32_t)(matching->orders[i] - engine->orders.slots);
    }
    orders->stood_count = matching->count;
}

/* Levels without an order are placed, orders without a level cancelled. */
static void settle_rest(struct engine *engine, unsigned index, const struct matching *matching,
                        bool may_place)
{
    struct resting *resting = engine->resting;
    const struct wanted_level *missing[2 * STRATEGY_LEVELS_MAX];
    unsigned missing_count = 0;
    for (unsigned i = 0; i < matching->count; i++)
        if (matching->orders[i] == NULL && may_place)
            missing[missing_count++] = matching->levels[i];
    settle_missing(engine, index, resting, missing, missing_count);
    for (unsigned i = 0; i < resting->count; i++)
        if (resting->prices[i] != 0 && orders_may_act(engine, resting->orders[i]))
            add_cancel(engine, resting->orders[i], CANCEL_UNWANTED);
}

static void reconcile_side(struct engine *engine, unsigned index, enum side side,
                           const struct wanted_ladder *ladder, bool may_place)
{
    struct instrument *instrument = &engine->instruments[index];
    struct order_side *orders = &instrument->sides[side];
    struct matching matching;
    instrument->top_in_collar[side] =
        risk_price_in_collar(instrument, side, instrument->market.top.price[side], false);
    find_levels(ladder, side, &matching);
    bool as_before = match_as_before(engine, index, side, &matching);
    if (!as_before) {
        collect(engine, orders, engine->resting);
        match_levels(instrument->limits.price_tolerance, engine->resting, &matching);
        remember(engine, orders, &matching);
    }
    for (unsigned i = 0; i < matching.count; i++)
        if (matching.orders[i] != NULL)
            settle_match(engine, index, matching.orders[i], matching.levels[i], may_place);
    if (!as_before)
        settle_rest(engine, index, &matching, may_place);
}

void reconcile_ladder(struct engine *engine, unsigned index, const struct wanted_ladder *ladder,
                      bool may_place)
{
    reconcile_side(engine, index, SIDE_BUY, ladder, may_place);
    reconcile_side(engine, index, SIDE_SELL, ladder, may_place);
}

/* Cancels of all that was placed before `end`. */
static void pull(struct engine *engine, unsigned index, enum cancel_cause why, int64_t end)
{
    for (int side = 0; side < 2; side++) {
        for (uint32_t slot = engine->instruments[index].sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next) {
            const struct order *order = &engine->orders.slots[slot];
            if (order->placed_ts < end &&
                (orders_may_act(engine, order) || orders_unknown_may_rest(order)))
                add_cancel(engine, order, why);
        }
    }
}

void reconcile_pull(struct engine *engine, unsigned index, enum cancel_cause why)
{
    pull(engine, index, why, INT64_MAX);
}

void reconcile_pull_before(struct engine *engine, unsigned index, int64_t start)
{
    pull(engine, index, CANCEL_UNWANTED, start);
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

/* Cancels, then modifies, then places; a replace goes among the modifies. */
static unsigned rank_of(const struct candidate *candidate)
{
    return candidate->want == WANT_REPLACE ? WANT_MODIFY : candidate->want;
}

static int compare_candidates(const struct candidate *a, const struct candidate *b)
{
    int by = compare(rank_of(a), rank_of(b));
    if (by != 0)
        return by;
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
