/* See engine/book.h. */
#include "engine/book.h"

#include "base/assert.h"

#include <string.h>

enum {
    WINDOW = 16 * 1024,     /* price units of one side that are held flat */
    AT_ONCE = 8,            /* levels that a search looks at */
    MARGIN = WINDOW / 4,    /* room before the best level when the window is laid around it */
    DRIFT = WINDOW / 4 * 3, /* a best level behind this index moves the window after it */
    FAR_SLOTS_MIN = 256,
    HELD_MAX = 32, /* rows of a message that wait for a far table */
    FAR_LEVELS_MAX = 1 << 30
};

/* A slot of the table of far levels; empty where quantity is 0. */
struct far_slot {
    int64_t key;
    int64_t quantity;
};

/* One side. A key is the price for asks and the negated price for bids, so that lower is better on
 * both. Every level with a key in [base, base + WINDOW) stands in the window, every other one in
 * the table, and none has a key below base: so the best level is in the window, or the side is
 * empty. No place of the window has a key that is no usable price's. */
struct book_side {
    int64_t base;      /* key of the window's first quantity */
    int64_t first_key; /* the least that a usable price has */
    uint32_t best;     /* index of the best level, WINDOW where the side is empty */
    int64_t far_least; /* no key of the table is lower than this */
    size_t far_count, far_limit, far_peak;
    struct far_slot *far; /* linear probing; memory for 3 x far_limit slots (see far_grow) */
    size_t far_slots;     /* in use, a power of two, so that a small table stays in the cache */
    unsigned far_shift;   /* hash >> this is a slot */
    /* 0: no level. A mark of its own for each would be a second line of the cache for most rows. */
    _Alignas(64) int64_t quantities[WINDOW];
};

struct book {
    struct book_head head;     /* first: book_head() reads it */
    struct book_side sides[2]; /* by enum side: buy is bids, sell is asks */
};

_Static_assert(sizeof(struct book_head) == 64, "a line of the cache");

/* --- keys ------------------------------------------------------------------------------------ */

/* All bits for bids, none for asks. */
static inline uint64_t mirror_mask(unsigned side)
{
    return (uint64_t)side - 1;
}

/* Its own inverse, for prices > 0. */
static inline int64_t mirror(unsigned side, int64_t price)
{
    uint64_t mask = mirror_mask(side);
    return (int64_t)(((uint64_t)price ^ mask) - mask);
}

/* Where in the window a key is; WINDOW or more if it is outside. */
static inline uint64_t window_index(const struct book_side *side, int64_t key)
{
    return (uint64_t)key - (uint64_t)side->base;
}

/* The base of a window around a best level, which holds no keys but those of usable prices. */
static int64_t base_around(const struct book_side *side, int64_t key)
{
    int64_t base = key - MARGIN, last = side->first_key + (BOOK_PRICE_MAX - WINDOW);
    if (base < side->first_key)
        return side->first_key;
    return base > last ? last : base;
}

/* --- window ---------------------------------------------------------------------------------- */

_Static_assert(WINDOW % AT_ONCE == 0, "a search never looks beyond the window");

/* The first level of the window at or after `index`; WINDOW if there is none. Levels lie close together
 * where anybody looks, so that they are searched one after the other. */
static uint32_t window_find(const struct book_side *side, uint32_t index)
{
    const int64_t *at = side->quantities;
    for (; index < WINDOW && index % AT_ONCE != 0; index++)
        if (at[index])
            return index;
    while (index < WINDOW && !(at[index] | at[index + 1] | at[index + 2] | at[index + 3] |
                               at[index + 4] | at[index + 5] | at[index + 6] | at[index + 7]))
        index += AT_ONCE;
    while (index < WINDOW && !at[index])
        index++;
    return index < WINDOW ? index : WINDOW;
}

/* The last level of the window before `index`; WINDOW if there is none. */
static uint32_t window_find_before(const struct book_side *side, uint32_t index)
{
    while (index-- > 0)
        if (side->quantities[index])
            return index;
    return WINDOW;
}

/* --- table of far levels --------------------------------------------------------------------- */

static size_t far_home(const struct book_side *side, int64_t key)
{
    return (size_t)((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15) >> side->far_shift);
}

/* The slot that holds the key, or the empty one where it would go. */
static size_t far_find(const struct book_side *side, int64_t key)
{
    size_t mask = side->far_slots - 1;
    size_t slot = far_home(side, key);
    while (side->far[slot].quantity && side->far[slot].key != key)
        slot = (slot + 1) & mask;
    return slot;
}

/* Empty a slot and close the hole behind it, so that probing needs no tombstones. */
static void far_remove(struct book_side *side, size_t hole)
{
    size_t mask = side->far_slots - 1;
    for (size_t slot = (hole + 1) & mask; side->far[slot].quantity; slot = (slot + 1) & mask) {
        size_t home = far_home(side, side->far[slot].key);
        if (((slot - home) & mask) >= ((slot - hole) & mask)) {
            side->far[hole] = side->far[slot];
            hole = slot;
        }
    }
    side->far[hole].quantity = 0;
    if (--side->far_count == 0)
        side->far_least = INT64_MAX;
}

/* An empty table of the smallest size. */
static void far_start(struct book_side *side)
{
    side->far_slots = side->far_limit * 2 < FAR_SLOTS_MIN ? side->far_limit * 2 : FAR_SLOTS_MIN;
    side->far_shift = 64 - (unsigned)__builtin_ctzll(side->far_slots);
    side->far_count = 0;
    side->far_least = INT64_MAX;
    memset(side->far, 0, side->far_slots * sizeof *side->far);
}

/* Double the slots in use. The last third of the memory holds the old ones meanwhile. */
static void far_grow(struct book_side *side)
{
    size_t old_slots = side->far_slots;
    struct far_slot *old = side->far + side->far_limit * 2;
    memcpy(old, side->far, old_slots * sizeof *old);
    side->far_slots *= 2;
    side->far_shift--;
    memset(side->far, 0, side->far_slots * sizeof *side->far);
    for (size_t slot = 0; slot < old_slots; slot++)
        if (old[slot].quantity)
            side->far[far_find(side, old[slot].key)] = old[slot];
}

/* Set or remove a far level. False where the table is full. */
static bool far_set(struct book_side *side, int64_t key, int64_t quantity)
{
    size_t slot = far_find(side, key);
    if (side->far[slot].quantity) {
        if (quantity)
            side->far[slot].quantity = quantity;
        else
            far_remove(side, slot);
        return true;
    }
    if (!quantity)
        return true;
    if (side->far_count == side->far_limit)
        return false;
    if (side->far_count * 2 == side->far_slots) {
        far_grow(side);
        slot = far_find(side, key);
    }
    side->far[slot] = (struct far_slot){key, quantity};
    side->far_count++;
    if (side->far_count > side->far_peak)
        side->far_peak = side->far_count;
    if (key < side->far_least)
        side->far_least = key;
    return true;
}

/* The lowest key above `after`. False where there is none. */
static bool far_next(const struct book_side *side, int64_t after, struct far_slot *found)
{
    bool any = false;
    size_t slots = side->far_count ? side->far_slots : 0;
    for (size_t slot = 0; slot < slots; slot++) {
        const struct far_slot *far = &side->far[slot];
        if (far->quantity && far->key > after && (!any || far->key < found->key)) {
            *found = *far;
            any = true;
        }
    }
    return any;
}

/* --- moving the window ----------------------------------------------------------------------- */

/* Take every far level that now lies in the window out of the table. */
static void window_take_far(struct book_side *side)
{
    /* far_least may be the key of a level that went, but every one was set behind the window, and a window that
     * moves to worse prices stops short of it: it is found anew whenever the window has come to it. */
    ASSERT(side->far_least >= side->base);
    if (window_index(side, side->far_least) >= WINDOW)
        return;
    int64_t least = INT64_MAX;
    for (size_t slot = 0; slot < side->far_slots; slot++) {
        struct far_slot *far = &side->far[slot];
        while (far->quantity && window_index(side, far->key) < WINDOW) {
            side->quantities[window_index(side, far->key)] = far->quantity;
            far_remove(side, slot); /* may bring another level into this slot */
        }
        if (far->quantity && far->key < least)
            least = far->key;
    }
    side->far_least = least;
}

/* Lay the window around a level that is better than all it covers. What it no longer covers goes to
 * the table. False where that is full. */
static bool window_move_to_better(struct book_side *side, int64_t key)
{
    int64_t base = base_around(side, key);
    uint64_t shift = (uint64_t)side->base - (uint64_t)base;
    uint32_t index = WINDOW;
    while ((index = window_find_before(side, index)) != WINDOW) {
        int64_t quantity = side->quantities[index];
        side->quantities[index] = 0;
        if (shift < WINDOW - index)
            side->quantities[index + shift] = quantity;
        else if (!far_set(side, side->base + (int64_t)index, quantity))
            return false;
    }
    side->base = base;
    return true;
}

/* Lay the window around its best level, which has drifted to its end, as far as usable prices go. */
static void window_move_to_worse(struct book_side *side)
{
    int64_t base = base_around(side, side->base + (int64_t)side->best);
    uint32_t shift = (uint32_t)(base - side->base);
    uint32_t index = shift == 0 ? WINDOW : side->best;
    for (; index != WINDOW; index = window_find(side, index + 1)) {
        int64_t quantity = side->quantities[index];
        side->quantities[index] = 0;
        side->quantities[index - shift] = quantity;
    }
    side->base = base;
    side->best -= shift;
    window_take_far(side);
}

/* Find the best level again after changes of which none was before index `from`, and restore what struct
 * book_side says. */
static void side_settle(struct book_side *side, uint32_t from)
{
    side->best = window_find(side, from);
    if (side->best == WINDOW && side->far_count > 0) {
        struct far_slot least = {0};
        (void)far_next(side, INT64_MIN, &least);
        side->far_least = least.key;
        side->base = base_around(side, least.key);
        window_take_far(side);
        side->best = window_find(side, 0);
    }
    if (side->best > DRIFT && side->best < WINDOW)
        window_move_to_worse(side);
}

/* A level outside the window; `from` becomes 0 where the window moved to it. False where the table is
 * full. */
static bool side_set_outside(struct book_side *side, int64_t key, int64_t quantity, uint32_t *from)
{
    bool covered = side->far_count > 0 || window_find(side, 0) != WINDOW;
    if (covered && key > side->base)
        return far_set(side, key, quantity);
    if (covered && quantity == 0)
        return true;
    *from = 0;
    if (!covered)
        side->base = base_around(side, key);
    else if (!window_move_to_better(side, key))
        return false;
    if (quantity)
        side->quantities[window_index(side, key)] = quantity;
    return true;
}

static void side_clear(struct book_side *side)
{
    memset(side->quantities, 0, sizeof side->quantities);
    side->best = WINDOW;
    far_start(side);
}

/* --- laying out ------------------------------------------------------------------------------ */

static size_t far_limit_for(unsigned far_levels)
{
    ASSERT(far_levels <= FAR_LEVELS_MAX);
    size_t limit = 1;
    while (limit < far_levels)
        limit *= 2;
    return limit;
}

static size_t round_to_line(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t far_bytes(size_t limit)
{
    return round_to_line(limit * 3 * sizeof(struct far_slot));
}

size_t book_size(unsigned far_levels)
{
    return round_to_line(sizeof(struct book)) + 2 * far_bytes(far_limit_for(far_levels));
}

struct book *book_init(void *memory, size_t size, unsigned far_levels)
{
    ASSERT(((uintptr_t)memory & 63) == 0);
    ASSERT(size >= book_size(far_levels));
    struct book *book = memory;
    memset(book, 0, sizeof *book);
    size_t limit = far_limit_for(far_levels);
    char *far = (char *)memory + round_to_line(sizeof *book);
    for (unsigned which = 0; which < 2; which++) {
        struct book_side *side = &book->sides[which];
        side->best = WINDOW;
        side->first_key = side->base = which == SIDE_BUY ? -BOOK_PRICE_MAX : 1;
        side->far_limit = limit;
        side->far = (void *)(far + which * far_bytes(limit));
        far_start(side);
    }
    return book;
}

void book_clear(struct book *book)
{
    for (unsigned which = 0; which < 2; which++) {
        side_clear(&book->sides[which]);
        book->head.best[which] = (struct book_level){0, 0};
    }
    book->head.synchronised = false;
}

/* --- changes --------------------------------------------------------------------------------- */

static void level_at(const struct book_side *side, unsigned which, uint32_t index,
                     struct book_level *level)
{
    level->price = mirror(which, side->base + (int64_t)index);
    level->quantity = side->quantities[index];
}

/* After changes of a side, the first of them at `from`: bring its best level up to date if they can have
 * touched it. */
static inline void book_settle(struct book *book, unsigned which, uint32_t from)
{
    struct book_side *side = &book->sides[which];
    struct book_level *best = &book->head.best[which];
    if (from > side->best)
        return;
    side_settle(side, from);
    if (side->best == WINDOW)
        *best = (struct book_level){0, 0};
    else
        level_at(side, which, side->best, best);
}

bool book_set(struct book *book, enum side which, int64_t price, int64_t quantity)
{
    ASSERT(price > 0 && price <= BOOK_PRICE_MAX);
    ASSERT(quantity >= 0);
    struct book_side *side = &book->sides[which];
    int64_t key = mirror(which, price);
    uint64_t index = window_index(side, key);
    uint32_t from = WINDOW + 1; /* nothing to settle */
    if (index < WINDOW) {
        side->quantities[index] = quantity;
        from = (uint32_t)index;
    } else if (!side_set_outside(side, key, quantity, &from)) {
        book_clear(book);
        return false;
    }
    book_settle(book, which, from);
    return true;
}

_Static_assert(NUMBER_VALUE == 0, "row_marks finds a row with two values by zeroes");

/* Of a row's bytes the side and both statuses, in memory order. */
static inline uint32_t row_marks(const struct row *row)
{
    static const uint8_t mask[4] = {ROW_SELL, 0xff, 0xff, 0};
    uint32_t marks, kept;
    _Static_assert(offsetof(struct row, quantity_status) == offsetof(struct row, flags) + 2, "");
    memcpy(&marks, &row->flags, sizeof marks);
    memcpy(&kept, mask, sizeof kept);
    return marks & kept;
}

/* The price or quantity can't be a level's. A price of 0 or less, or above 2^60, has high bits when 1 is
 * taken off. */
static inline bool is_outside_numbers(const struct row *row)
{
    return ((uint64_t)row->price - 1) >> 60 != 0 || row->quantity < 0;
}

/* Set rows of one side as long as they have values and lie in the window, which no unusable price does.
 * Returns the first that is left; `from` becomes the lowest index set, where that is lower. Most of a
 * replay's rows pass here: what the loop needs of the side stands in local variables, which no store to the
 * window can change. */
__attribute__((noinline)) static const struct row *side_apply(struct book_side *side,
                                                              unsigned which, const struct row *row,
                                                              const struct row *end, uint32_t *from)
{
    const struct row like = {.flags = (uint8_t)which};
    const uint32_t marks = row_marks(&like);
    const uint64_t mask = mirror_mask(which), origin = (uint64_t)side->base + mask;
    uint64_t least = *from;
    for (; row < end && row_marks(row) == marks && row->quantity >= 0; row++) {
        uint64_t index = ((uint64_t)row->price ^ mask) - origin; /* window_index of the mirrored */
        if (index >= WINDOW)
            break;
        least = index < least ? index : least;
        side->quantities[index] = row->quantity;
    }
    *from = (uint32_t)least;
    return row;
}

/* Rows for a far table that wait for its memory, which no cache may hold, while other rows are applied. */
struct held {
    const struct row *rows[HELD_MAX];
    unsigned count;
};

/* Set what is held. False where a table is full. */
static bool held_apply(struct book *book, struct held *held)
{
    for (unsigned i = 0; i < held->count; i++) {
        const struct row *row = held->rows[i];
        unsigned which = row->flags & ROW_SELL;
        if (!far_set(&book->sides[which], mirror(which, row->price), row->quantity))
            return false;
    }
    held->count = 0;
    return true;
}

/* Whether a row outside the window can be held: it is for the far table whatever other rows do to the window
 * before, because that has a level, and the row lies behind it. */
static inline bool can_be_held(const struct book_side *side, int64_t key, const struct held *held)
{
    return side->best < WINDOW && side->quantities[side->best] != 0 && key > side->base &&
           held->count < HELD_MAX;
}

/* A row that side_apply() left. False where a table is full. What is held comes before all that it could
 * matter to: numbers that are counted, and a window that moves. */
static bool apply_left(struct book *book, const struct row *row, struct held *held, uint32_t *from)
{
    unsigned which = row->flags & ROW_SELL;
    struct book_side *side = &book->sides[which];
    bool usable =
        (row->price_status | row->quantity_status) == NUMBER_VALUE && !is_outside_numbers(row);
    int64_t key = mirror(which, row->price);
    if (usable && can_be_held(side, key, held)) {
        __builtin_prefetch(&side->far[far_home(side, key)]);
        held->rows[held->count++] = row;
        return true;
    }
    if (!held_apply(book, held))
        return false;
    if (usable)
        return side_set_outside(side, key, row->quantity, from);
    book->head.removed_numbers++;
    return true;
}

bool book_apply(struct book *book, const struct message *message)
{
    ASSERT(message->kind == EVENT_depth || message->kind == EVENT_snapshot);
    if (message->kind == EVENT_snapshot) {
        book_clear(book);
        book->head.synchronised = true;
    }
    book->head.sequence = message->sequence;
    book->head.ts_local = message->ts_local;
    uint32_t from[2] = {WINDOW + 1, WINDOW + 1}; /* nothing to settle */
    const struct row *row = message->rows;       /* NULL where there is none */
    const struct row *end = message->row_count > 0 ? row + message->row_count : row;
    struct held held;
    held.count = 0;
    bool whole = true;
    while (row < end && whole) {
        unsigned which = row->flags & ROW_SELL;
        row = side_apply(&book->sides[which], which, row, end, &from[which]);
        if (row < end && (row->flags & ROW_SELL) == which)
            whole = apply_left(book, row++, &held, &from[which]);
    }
    if (!whole || !held_apply(book, &held)) {
        book_clear(book);
        return false;
    }
    book_settle(book, SIDE_BUY, from[SIDE_BUY]);
    book_settle(book, SIDE_SELL, from[SIDE_SELL]);
    return true;
}

/* --- state ----------------------------------------------------------------------------------- */

void book_set_synchronised(struct book *book, bool synchronised)
{
    book->head.synchronised = synchronised;
}

void book_set_head(struct book *book, uint64_t sequence, int64_t ts_local, bool synchronised)
{
    book->head.sequence = sequence;
    book->head.ts_local = ts_local;
    book->head.synchronised = synchronised;
}

size_t book_level_count(const struct book *book, enum side which)
{
    const struct book_side *side = &book->sides[which];
    size_t count = side->far_count;
    for (size_t index = 0; index < WINDOW; index++)
        count += side->quantities[index] != 0;
    return count;
}

size_t book_far_levels_peak(const struct book *book)
{
    size_t bids = book->sides[SIDE_BUY].far_peak, asks = book->sides[SIDE_SELL].far_peak;
    return bids > asks ? bids : asks;
}

/* --- questions ------------------------------------------------------------------------------- */

int64_t book_quantity(const struct book *book, enum side which, int64_t price)
{
    if (price <= 0)
        return 0;
    const struct book_side *side = &book->sides[which];
    int64_t key = mirror(which, price);
    uint64_t index = window_index(side, key);
    if (index < WINDOW)
        return side->quantities[index];
    return side->far[far_find(side, key)].quantity;
}

static int64_t add_saturating(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

int64_t book_quantity_to(const struct book *book, enum side which, int64_t price)
{
    const struct book_side *side = &book->sides[which];
    if (price <= 0 && which == SIDE_SELL)
        return 0;
    int64_t last = price <= 0 ? 0 : mirror(which, price);
    int64_t sum = 0;
    uint32_t index = side->best;
    for (; index < WINDOW && side->base + (int64_t)index <= last;
         index = window_find(side, index + 1))
        sum = add_saturating(sum, side->quantities[index]);
    size_t slots = side->far_count && side->far_least <= last ? side->far_slots : 0;
    for (size_t slot = 0; slot < slots; slot++)
        if (side->far[slot].key <= last)
            sum = add_saturating(sum, side->far[slot].quantity);
    return sum;
}

bool book_next(const struct book *book, enum side which, int64_t price, struct book_level *level)
{
    const struct book_side *side = &book->sides[which];
    if (price <= 0 && which == SIDE_BUY)
        return false;
    int64_t key = price <= 0 ? 0 : mirror(which, price);
    uint32_t index = WINDOW;
    if (key < side->base)
        index = side->best;
    else if (window_index(side, key) < WINDOW)
        index = window_find(side, (uint32_t)window_index(side, key) + 1);
    if (index != WINDOW) {
        level_at(side, which, index, level);
        return true;
    }
    struct far_slot far = {0};
    if (!far_next(side, key, &far))
        return false;
    *level = (struct book_level){mirror(which, far.key), far.quantity};
    return true;
}

/* --- the best levels of a table, in order: a heap in the caller's array, the worst on top -------
 */

static bool is_worse(unsigned which, const struct book_level *a, const struct book_level *b)
{
    return mirror(which, a->price) > mirror(which, b->price);
}

static void heap_sink(struct book_level *heap, size_t count, size_t at, unsigned which)
{
    struct book_level level = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_worse(which, &heap[child + 1], &heap[child]))
            child++;
        if (!is_worse(which, &heap[child], &level))
            break;
        heap[at] = heap[child];
    }
    heap[at] = level;
}

static void heap_rise(struct book_level *heap, size_t at, unsigned which)
{
    struct book_level level = heap[at];
    for (; at > 0 && is_worse(which, &level, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = level;
}

/* The `capacity` best far levels, best first. Keys are unique, so the table's order can't be seen.
 */
static size_t far_levels(const struct book_side *side, unsigned which, struct book_level *levels,
                         size_t capacity)
{
    size_t count = 0;
    size_t slots = side->far_count && capacity ? side->far_slots : 0;
    for (size_t slot = 0; slot < slots; slot++) {
        if (!side->far[slot].quantity)
            continue;
        struct book_level level = {mirror(which, side->far[slot].key), side->far[slot].quantity};
        if (count < capacity) {
            levels[count] = level;
            heap_rise(levels, count++, which);
        } else if (is_worse(which, &levels[0], &level)) {
            levels[0] = level;
            heap_sink(levels, count, 0, which);
        }
    }
    for (size_t left = count; left > 1; left--) {
        struct book_level worst = levels[0];
        levels[0] = levels[left - 1];
        levels[left - 1] = worst;
        heap_sink(levels, left - 1, 0, which);
    }
    return count;
}

size_t book_levels(const struct book *book, enum side which, struct book_level *levels,
                   size_t capacity)
{
    const struct book_side *side = &book->sides[which];
    size_t count = 0;
    uint32_t index = side->best;
    for (; index < WINDOW && count < capacity; index = window_find(side, index + 1))
        level_at(side, which, index, &levels[count++]);
    return count + far_levels(side, which, levels + count, capacity - count);
}

/* --- hash ------------------------------------------------------------------------------------ */

/* A mixer of 64 bits (the finaliser of SplitMix64). */
static uint64_t mix(uint64_t v)
{
    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

static uint64_t level_hash(unsigned which, int64_t price, int64_t quantity)
{
    return mix(mix((uint64_t)price * 2 + which) + (uint64_t)quantity);
}

void book_each(const struct book *book, enum side which, book_visit visit, void *context)
{
    const struct book_side *side = &book->sides[which];
    struct book_level level;
    for (uint32_t index = side->best; index < WINDOW; index = window_find(side, index + 1)) {
        level_at(side, which, index, &level);
        visit(context, level.price, level.quantity);
    }
    size_t slots = side->far_count ? side->far_slots : 0;
    for (size_t slot = 0; slot < slots; slot++)
        if (side->far[slot].quantity)
            visit(context, mirror(which, side->far[slot].key), side->far[slot].quantity);
}

uint64_t book_hash(const struct book *book)
{
    const struct book_head *head = &book->head;
    uint64_t sum = mix(head->sequence * 2 + head->synchronised) ^ mix((uint64_t)head->ts_local);
    for (unsigned which = 0; which < 2; which++) {
        const struct book_side *side = &book->sides[which];
        struct book_level level;
        uint32_t index = side->best;
        for (; index < WINDOW; index = window_find(side, index + 1)) {
            level_at(side, which, index, &level);
            sum += level_hash(which, level.price, level.quantity);
        }
        size_t slots = side->far_count ? side->far_slots : 0;
        for (size_t slot = 0; slot < slots; slot++)
            if (side->far[slot].quantity)
                sum +=
                    level_hash(which, mirror(which, side->far[slot].key), side->far[slot].quantity);
    }
    return sum;
}
