/* Learning (trading-semantics 26). A spell is the time in which an order of ours rested for one level of the
 * ladder: it began when the order became active or changed its level, and ends when the order is done, when
 * it changes its level, or at the horizon H. What share f of it filled, and how much of H it lasted (w), is
 * told by a decision; that decision alone changes the posterior of the cell, so that a restart folds it.
 * All figures are integers in 1e-9, rounded toward zero: the same on every machine. */
#include "engine/learning.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "engine/engine_internal.h"
#include "engine/walker.h"

#define RATIO_ONE  INT64_C(1000000000)
#define CHANCE_ONE INT64_C(1000)
/* A cell takes no more than this, so that products fit; only at a decay of 1 is it ever reached, after a million whole spells. */
#define CELL_MAX (RATIO_ONE * INT64_C(1000000))
/* Edges count up to this, so that products fit: ten million ticks. */
#define EDGE_MAX INT64_C(10000000000)
/* 1/1,000 tick */
#define HALF_TICK 500

static struct learning *learning_of(struct engine *engine, const struct order *order)
{
    return &engine->instruments[order->instrument].learning;
}

static int64_t horizon_of(const struct engine *engine, const struct order *order)
{
    return engine->instruments[order->instrument].limits.learning_horizon;
}

/* Learning is on, and the order stands for a level that there is: a tape may say otherwise. */
static bool is_learned_from(const struct engine *engine, const struct order *order)
{
    return horizon_of(engine, order) != 0 && order->level < STRATEGY_LEVELS_MAX;
}

/* --- spells --------------------------------------------------------------------------------------- */

static void wake_at(struct learning *learning, int64_t time)
{
    if (time < learning->deadline)
        learning->deadline = time;
}

/* `filled` of the order was filled before it. */
static void begin_spell(struct engine *engine, struct order *order, int64_t filled)
{
    order->spell = SPELL_OPEN;
    order->spell_start = engine->now;
    order->spell_filled = filled;
    order->spell_quantity = order->quantity - filled;
    wake_at(learning_of(engine, order), engine->now + horizon_of(engine, order));
}

/* part / whole in 1e-9, rounded toward zero, kept within [0, 1]. */
static int64_t ratio(int64_t part, int64_t whole)
{
    uint64_t scaled;
    if (part <= 0 || whole <= 0)
        return 0;
    if (part >= whole)
        return RATIO_ONE;
    if (__builtin_mul_overflow((uint64_t)part, (uint64_t)RATIO_ONE, &scaled))
        return (int64_t)((int128)part * RATIO_ONE / whole);
    return (int64_t)(scaled / (uint64_t)whole);
}

/* amount x part, both in 1e-9 of their wholes and not below 0: whole ones and the rest apart, so that each
 * product fits. */
static int64_t times(int64_t amount, int64_t part)
{
    return amount / RATIO_ONE * part + amount % RATIO_ONE * part / RATIO_ONE;
}

/* The posterior after a spell: what was known before fades, then the spell is added. */
static void learn(struct event_learned *told, const struct learning_cell *cell, int64_t decay)
{
    int64_t alpha = times(cell->alpha, decay), beta = times(cell->beta, decay);
    if (alpha < CELL_MAX)
        alpha += told->filled;
    if (beta < CELL_MAX)
        beta += times(RATIO_ONE - told->filled, told->weight);
    told->alpha = RATIO_ONE + alpha;
    told->beta = RATIO_ONE + beta;
}

/* Nothing filled in no time, or only a new level: there was nothing to see. */
static bool teaches(const struct event_learned *told)
{
    return told->filled != 0 || told->weight != 0;
}

/* Tell the end of the order's spell, after which it stands for level `next`. Where there is none (the
 * horizon is past) only the new level is told: nothing filled, no weight. */
static void tell(struct engine *engine, const struct order *order, unsigned next)
{
    const struct instrument *instrument = &engine->instruments[order->instrument];
    const struct learning_cell *cell = &instrument->learning.cells[order->side][order->level];
    struct event_learned told = {
        .instrument = order->instrument,
        .order = order->id,
        .side = order->side,
        .level = order->level,
        .alpha = RATIO_ONE + cell->alpha,
        .beta = RATIO_ONE + cell->beta,
        .next = next,
    };
    if (order->spell == SPELL_OPEN) {
        told.filled = ratio(order->filled - order->spell_filled, order->spell_quantity);
        told.weight = ratio(engine->now - order->spell_start, horizon_of(engine, order));
    }
    if (teaches(&told))
        learn(&told, cell, instrument->limits.learning_decay);
    engine_emit(engine, EVENT_learned, order->instrument)->learned = told;
    learning_take(engine, &told);
}

static void end_spell(struct engine *engine, struct order *order)
{
    if (!engine->folding)
        tell(engine, order, order->level);
    order->spell = SPELL_OVER;
}

/* The order became active, or a fill shows that it was. */
static bool begins(const struct order *order, unsigned before)
{
    return order_state_is_resting(order->state) ||
           (order->state == ORDER_FILLED && before == ORDER_PENDING_NEW);
}

/* The order is done, and it is known when and how: not where the venue has lost it. (One that was rejected has
 * never rested, so it has no spell.) */
static bool is_resolved(const struct order *order, unsigned before)
{
    bool lost = before == ORDER_UNKNOWN && order->not_found >= ENGINE_QUERY_NOT_FOUND;
    return order->state == ORDER_FILLED || !lost;
}

/* A live order whose state is known: a modify may have taken some away, and the horizon may have passed
 * while it was unknown. */
static void refresh(struct engine *engine, struct order *order, unsigned before)
{
    order->spell_quantity = order->quantity - order->spell_filled;
    if (before != ORDER_UNKNOWN)
        return;
    int64_t end = order->spell_start + horizon_of(engine, order);
    if (end > engine->now)
        wake_at(learning_of(engine, order), end);
    else if (!engine->folding)
        end_spell(engine, order);
}

void learning_order_changed(struct engine *engine, struct order *order, unsigned before)
{
    if (!is_learned_from(engine, order))
        return;
    if (order->spell == SPELL_NONE && begins(order, before))
        begin_spell(engine, order, 0);
    if (order->spell != SPELL_OPEN || order->state == ORDER_UNKNOWN)
        return;
    if (order_state_is_live(order->state))
        refresh(engine, order, before);
    else if (is_resolved(order, before))
        end_spell(engine, order);
    else
        order->spell = SPELL_OVER;
}

void learning_level_moved(struct engine *engine, struct order *order, unsigned level)
{
    if (is_learned_from(engine, order) && order->spell != SPELL_NONE && !engine->folding)
        tell(engine, order, level);
}

/* --- the horizon ------------------------------------------------------------------------------------ */

/* The earliest end at the horizon of the instrument's open spells; those that are due are ended if `end`.
 * An order that is unknown waits for what it turns out to be. */
static int64_t scan(struct engine *engine, unsigned index, bool end)
{
    struct instrument *instrument = &engine->instruments[index];
    int64_t horizon = instrument->limits.learning_horizon, earliest = TIME_NEVER;
    for (int side = 0; side < 2; side++) {
        for (uint32_t slot = instrument->sides[side].first; slot != ENGINE_NO_SLOT;
             slot = engine->orders.slots[slot].next) {
            struct order *order = &engine->orders.slots[slot];
            if (order->spell != SPELL_OPEN || order->state == ORDER_UNKNOWN)
                continue;
            int64_t due = order->spell_start + horizon;
            if (end && due <= engine->now)
                end_spell(engine, order);
            else if (due < earliest)
                earliest = due;
        }
    }
    return earliest;
}

int64_t learning_deadline(struct engine *engine, unsigned index)
{
    struct learning *learning = &engine->instruments[index].learning;
    learning->deadline = scan(engine, index, false);
    return learning->deadline;
}

void learning_due(struct engine *engine, unsigned index)
{
    struct learning *learning = &engine->instruments[index].learning;
    if (learning->deadline <= engine->now)
        learning->deadline = scan(engine, index, true);
}

void learning_reset(struct engine *engine, unsigned index)
{
    struct learning *learning = &engine->instruments[index].learning;
    memset(learning->sizes, 0, sizeof learning->sizes);
    learning->markouts = 0;
    learning->loss = 0;
    learning->deadline = engine->now; /* a lower bound */
}

/* --- posterior ---------------------------------------------------------------------------------------- */

static bool is_ratio(int64_t value)
{
    return value >= 0 && value <= RATIO_ONE;
}

static bool is_evidence(int64_t value)
{
    return value >= RATIO_ONE && value <= CELL_MAX + 2 * RATIO_ONE;
}

static bool names_a_cell(const struct engine *engine, const struct event_learned *told)
{
    return told->instrument < engine->instrument_count && told->side <= SIDE_SELL &&
           told->level < STRATEGY_LEVELS_MAX && told->next < STRATEGY_LEVELS_MAX &&
           is_ratio(told->filled) && is_ratio(told->weight) && is_evidence(told->alpha) &&
           is_evidence(told->beta);
}

/* True where sizes that were made of the cell may change by it. */
static bool take_posterior(struct learning_cell *cell, int64_t evidence,
                           const struct event_learned *told)
{
    int64_t chance = cell->chance;
    bool trusted = cell->alpha + cell->beta >= evidence;
    cell->alpha = told->alpha - RATIO_ONE;
    cell->beta = told->beta - RATIO_ONE;
    cell->chance = told->alpha * CHANCE_ONE / (told->alpha + told->beta);
    cell->spells++;
    return cell->chance != chance || trusted != (cell->alpha + cell->beta >= evidence);
}

void learning_take(struct engine *engine, const struct event_learned *told)
{
    if (!names_a_cell(engine, told))
        return;
    const struct limits *limits = &engine->instruments[told->instrument].limits;
    struct learning *learning = &engine->instruments[told->instrument].learning;
    if (teaches(told) &&
        take_posterior(&learning->cells[told->side][told->level], limits->learning_evidence, told))
        learning->sizes[told->side].made = false;
    struct order *order = orders_find(engine, told->order);
    if (order == NULL || order->instrument != told->instrument)
        return;
    order->spell = SPELL_OVER;
    if (told->next == told->level || limits->learning_horizon == 0 ||
        !order_state_is_live(order->state))
        return;
    order->level = (uint8_t)told->next;
    begin_spell(engine, order, order->filled);
}

bool engine_learning(const struct engine *engine, unsigned instrument, enum side side,
                     unsigned level, struct engine_learning *out)
{
    _Static_assert((int)ENGINE_LEARNING_LEVELS == (int)STRATEGY_LEVELS_MAX, "levels of a side");
    ASSERT(instrument < engine->instrument_count);
    ASSERT(level < STRATEGY_LEVELS_MAX);
    const struct learning_cell *cell = &engine->instruments[instrument].learning.cells[side][level];
    *out = (struct engine_learning){RATIO_ONE + cell->alpha, RATIO_ONE + cell->beta, cell->spells};
    return cell->spells > 0;
}

/* --- sizes -------------------------------------------------------------------------------------------- */

/* One side of a ladder: its first and last level and how many there are. */
struct ladder_side {
    const struct wanted_level *first, *last;
    unsigned count;
};

/* What a fill at this level earns, 1/1,000 tick: how far it is from fair value, less what it costs. */
static int64_t edge_of(const struct wanted_level *wanted, int64_t cost)
{
    int64_t edge;
    if (__builtin_sub_overflow(wanted->distance_millitick, cost, &edge))
        return -EDGE_MAX;
    return edge > EDGE_MAX ? EDGE_MAX : edge < -EDGE_MAX ? -EDGE_MAX : edge;
}

/* A mean of markouts in 1e-9; more than all of the value counts as all of it. */
static int64_t gain_of(double mean)
{
    double within = mean < -1 ? -1 : mean > 1 ? 1 : mean;
    return number_from_double(within, -9, false).units;
}

/* What fills have lost by markout, 1e-9 of their value: 0 where they gained, or too few were measured. The
 * measured mean is after fees, and the fee is counted apart. */
static int64_t loss_of(struct instrument *instrument)
{
    struct learning *learning = &instrument->learning;
    const struct markouts *markouts = &instrument->signals.markouts;
    double mean;
    if (learning->markouts == markouts->count)
        return learning->loss;
    learning->markouts = markouts->count;
    learning->loss = 0;
    if (!markouts_mean(markouts, (uint64_t)instrument->limits.signal.edge_fills, &mean))
        return 0;
    int128 gain = (int128)gain_of(mean) + instrument->definition.maker_fee;
    if (gain < 0)
        learning->loss = gain < -RATIO_ONE ? RATIO_ONE : (int64_t)-gain;
    return learning->loss;
}

/* Fee and loss by markout of a fill at fair value, 1/1,000 tick. */
static int64_t cost_of(struct instrument *instrument, int64_t fair)
{
    int128 rate = (int128)instrument->definition.maker_fee + loss_of(instrument);
    int128 cost = fair * rate / RATIO_ONE;
    return cost > EDGE_MAX ? EDGE_MAX : cost < -EDGE_MAX ? -EDGE_MAX : (int64_t)cost;
}

/* size x clamp(value x count / sum, 1/2, 2) in lots, rounded down; 0 lots: the size. sum > 0. */
static int64_t sized(int64_t size, int64_t lot, int64_t value, unsigned count, int64_t sum)
{
    int128 part = (int128)value * count, scaled;
    if (2 * part <= sum)
        scaled = size / 2;
    else if (part >= 2 * (int128)sum)
        scaled = (int128)size * 2;
    else
        scaled = (int128)size * part / sum;
    if (scaled > INT64_MAX || scaled < lot)
        return size;
    return (int64_t)scaled - (int64_t)scaled % lot;
}

/* The level has usable numbers and the size of the others. */
static bool can_be_sized(const struct instrument *instrument, const struct wanted_level *wanted,
                         int64_t size)
{
    return wanted->price.status == NUMBER_VALUE && wanted->quantity.status == NUMBER_VALUE &&
           wanted->quantity.units == size && size > 0 &&
           wanted->level < instrument->limits.quote.levels;
}

static int64_t chance_of(const struct learning_cell *cell)
{
    return cell->spells == 0 ? CHANCE_ONE / 2 : cell->chance;
}

/* The sizes of one side by level, from chance x edge of each. They are as wanted until each level has taught
 * enough, and while there is nothing to earn on average. */
static void make_sizes(struct instrument *instrument, const struct wanted_ladder *ladder,
                       unsigned side, struct learning_sizes *sizes)
{
    const struct limits *limits = &instrument->limits;
    int64_t values[STRATEGY_LEVELS_MAX], sum = 0;
    int64_t cost = cost_of(instrument, ladder->fair_millitick);
    sizes->usable = sizes->count > 1;
    for (unsigned level = 0; level < limits->quote.levels; level++)
        values[level] = 0;
    for (size_t i = 0; i < ladder->count; i++) {
        const struct wanted_level *wanted = &ladder->levels[i];
        if (wanted->side != side)
            continue;
        if (!can_be_sized(instrument, wanted, sizes->size)) {
            sizes->usable = false;
            return;
        }
        const struct learning_cell *cell = &instrument->learning.cells[side][wanted->level];
        if (cell->alpha + cell->beta < limits->learning_evidence)
            sizes->usable = false;
        values[wanted->level] = chance_of(cell) * edge_of(wanted, cost);
        sum += values[wanted->level];
    }
    sizes->usable = sizes->usable && sum > 0;
    for (unsigned level = 0; level < limits->quote.levels && sizes->usable; level++)
        sizes->sizes[level] = sized(sizes->size, sizes->lot, values[level], sizes->count, sum);
}

/* Prices are on the grid and fair value is not, so the distance of a level that stays changes with each
 * quantity of the touch: sizes follow by steps, not by every one. */
static bool about_as_far(int64_t distance, int64_t before)
{
    int128 away = (int128)distance - before;
    return away <= HALF_TICK && away >= -HALF_TICK;
}

/* What the sizes were made of still holds: distances within half a tick, and the fair value, on which the fee
 * depends, within 1/128. */
static bool still_hold(const struct learning_sizes *sizes, const struct limits *limits,
                       const struct ladder_side *side, int64_t fair)
{
    int64_t away = fair < sizes->fair ? sizes->fair - fair : fair - sizes->fair;
    return sizes->made && sizes->count == side->count &&
           sizes->size == side->first->quantity.units && sizes->lot == limits->quote.lot &&
           about_as_far(side->first->distance_millitick, sizes->nearest) &&
           about_as_far(side->last->distance_millitick, sizes->farthest) &&
           away <= sizes->fair / 128;
}

/* Sizes of one side that hold; false where they are as wanted. */
static bool update_sizes(struct instrument *instrument, const struct wanted_ladder *ladder,
                         const struct ladder_side *side, unsigned index)
{
    struct learning_sizes *sizes = &instrument->learning.sizes[index];
    const struct limits *limits = &instrument->limits;
    if (side->count == 0)
        return false;
    if (still_hold(sizes, limits, side, ladder->fair_millitick))
        return sizes->usable;
    *sizes = (struct learning_sizes){
        .made = true,
        .count = (uint8_t)side->count,
        .size = side->first->quantity.units,
        .lot = limits->quote.lot,
        .nearest = side->first->distance_millitick,
        .farthest = side->last->distance_millitick,
        .fair = ladder->fair_millitick,
    };
    make_sizes(instrument, ladder, index, sizes);
    return sizes->usable;
}

/* A size that the venue takes stays one: what would fall below the minimum notional is left alone. */
static void apply_size(const struct instrument *instrument, const struct learning_sizes *sizes,
                       struct wanted_level *wanted)
{
    if (!can_be_sized(instrument, wanted, sizes->size))
        return;
    int64_t size = sizes->sizes[wanted->level];
    if (size >= sizes->size || risk_above_minimum(instrument, wanted->price.units, size))
        wanted->quantity.units = size;
}

void learning_size(struct engine *engine, unsigned index, struct wanted_ladder *ladder)
{
    struct instrument *instrument = &engine->instruments[index];
    struct ladder_side sides[2] = {{NULL, NULL, 0}, {NULL, NULL, 0}};
    if (!instrument->limits.learning_sizing || instrument->limits.learning_horizon == 0 ||
        !ladder->has_fair || instrument->limits.quote.levels < 2)
        return;
    for (size_t i = 0; i < ladder->count; i++) {
        struct ladder_side *side = &sides[ladder->levels[i].side];
        side->last = &ladder->levels[i];
        if (side->count++ == 0)
            side->first = side->last;
    }
    bool usable[2] = {update_sizes(instrument, ladder, &sides[SIDE_BUY], SIDE_BUY),
                      update_sizes(instrument, ladder, &sides[SIDE_SELL], SIDE_SELL)};
    if (!usable[SIDE_BUY] && !usable[SIDE_SELL])
        return;
    for (size_t i = 0; i < ladder->count; i++)
        if (usable[ladder->levels[i].side])
            apply_size(instrument, &instrument->learning.sizes[ladder->levels[i].side],
                       &ladder->levels[i]);
}

/* --- walking ------------------------------------------------------------------------------------------ */

void learning_walk(struct walker *walker, const struct engine *engine, unsigned instrument)
{
    const struct learning *learning = &engine->instruments[instrument].learning;
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned level = 0; level < STRATEGY_LEVELS_MAX; level++) {
            const struct learning_cell *cell = &learning->cells[side][level];
            if (cell->spells == 0)
                continue;
            uint64_t index = ((uint64_t)instrument * 2 + side) * STRATEGY_LEVELS_MAX + level;
            walker->field(walker, "learning.alpha", index, cell->alpha);
            walker->field(walker, "learning.beta", index, cell->beta);
            walker->field(walker, "learning.spells", index, (int64_t)cell->spells);
            walker->field(walker, "learning.chance", index, cell->chance);
        }
    }
}

static void walk_side(struct walker *walker, const struct learning_sizes *sizes, uint64_t index)
{
    walker->field(walker, "learning.made", index, sizes->made);
    walker->field(walker, "learning.usable", index, sizes->usable);
    walker->field(walker, "learning.count", index, sizes->count);
    walker->field(walker, "learning.size", index, sizes->size);
    walker->field(walker, "learning.lot", index, sizes->lot);
    walker->field(walker, "learning.nearest", index, sizes->nearest);
    walker->field(walker, "learning.farthest", index, sizes->farthest);
    walker->field(walker, "learning.fair", index, sizes->fair);
    for (unsigned level = 0; level < STRATEGY_LEVELS_MAX && sizes->usable; level++)
        walker->field(walker, "learning.sizes", index * STRATEGY_LEVELS_MAX + level,
                      sizes->sizes[level]);
}

void learning_walk_sizes(struct walker *walker, const struct engine *engine, unsigned instrument)
{
    const struct learning *learning = &engine->instruments[instrument].learning;
    walker->field(walker, "learning.deadline", instrument, learning->deadline);
    walker->field(walker, "learning.markouts", instrument, (int64_t)learning->markouts);
    walker->field(walker, "learning.loss", instrument, learning->loss);
    for (unsigned side = 0; side < 2; side++)
        walk_side(walker, &learning->sizes[side], (uint64_t)instrument * 2 + side);
}
