/* Our orders at the simulated venue: a table by id, a list of the ended by age, and a list a side
 * of each instrument in the order in which they are filled. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "venue/sim/state.h"

enum {
    REMEMBERED = 2,
    FILLS_REMEMBERED = 4 /* fills in the ring for each of them */
};                       /* places in the table for each live order that there may be */

int sim_orders_open(struct sim_orders *orders, size_t live_capacity, struct error *error)
{
    size_t capacity = live_capacity * REMEMBERED, buckets = 1;
    while (buckets < capacity * 2)
        buckets *= 2;
    *orders = (struct sim_orders){.capacity = capacity,
                                  .bucket_count = buckets,
                                  .live_capacity = live_capacity,
                                  .free = 0,
                                  .ended_old = SIM_NONE,
                                  .ended_new = SIM_NONE};
    orders->orders = calloc(capacity, sizeof *orders->orders);
    orders->buckets = malloc(buckets * sizeof *orders->buckets);
    if (!orders->orders || !orders->buckets)
        return error_set(error, ERROR_SYSTEM, "no memory for %zu orders of the simulated venue",
                         capacity);
    memset(orders->buckets, 0xff, buckets * sizeof *orders->buckets);
    for (size_t i = 0; i < capacity; i++)
        orders->orders[i].next = i + 1 < capacity ? (uint32_t)(i + 1) : SIM_NONE;
    return 0;
}

void sim_orders_close(struct sim_orders *orders)
{
    free(orders->orders);
    free(orders->buckets);
}

/* --- by id ----------------------------------------------------------------------------------- */

/* Ids that follow each other share a line of the cache, as their orders are asked for together. */
static size_t home(const struct sim_orders *orders, uint32_t tag)
{
    enum { LINE = 64 / sizeof(struct sim_bucket) };
    uint64_t line = tag / LINE * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    return (size_t)(line * LINE + tag % LINE) & (orders->bucket_count - 1);
}

/* The bucket of the id, or the empty one where it would go. */
static size_t find_bucket(const struct sim_orders *orders, order_id id)
{
    uint32_t tag = (uint32_t)id;
    size_t at = home(orders, tag);
    for (;; at = (at + 1) & (orders->bucket_count - 1)) {
        const struct sim_bucket *bucket = &orders->buckets[at];
        if (bucket->slot == SIM_NONE ||
            (bucket->tag == tag && orders->orders[bucket->slot].id == id))
            return at;
    }
}

/* Take an id out and close the hole behind it. */
static void forget_id(struct sim_orders *orders, order_id id)
{
    size_t mask = orders->bucket_count - 1;
    size_t hole = find_bucket(orders, id);
    ASSERT(orders->buckets[hole].slot != SIM_NONE);
    for (size_t at = (hole + 1) & mask; orders->buckets[at].slot != SIM_NONE;
         at = (at + 1) & mask) {
        size_t wanted = home(orders, orders->buckets[at].tag);
        if (((at - wanted) & mask) >= ((at - hole) & mask)) {
            orders->buckets[hole] = orders->buckets[at];
            hole = at;
        }
    }
    orders->buckets[hole].slot = SIM_NONE;
}

struct sim_order *sim_order_find(const struct sim_orders *orders, order_id id)
{
    uint32_t slot = orders->buckets[find_bucket(orders, id)].slot;
    return slot == SIM_NONE ? NULL : &orders->orders[slot];
}

/* --- by age ---------------------------------------------------------------------------------- */

static uint32_t slot_of(const struct sim_orders *orders, const struct sim_order *order)
{
    return (uint32_t)(order - orders->orders);
}

/* A place that was never used, else that of the order that ended first. */
static struct sim_order *take_place(struct sim_orders *orders)
{
    if (orders->free != SIM_NONE) {
        struct sim_order *order = &orders->orders[orders->free];
        orders->free = order->next;
        return order;
    }
    ASSERT(orders->ended_old != SIM_NONE);
    struct sim_order *order = &orders->orders[orders->ended_old];
    orders->ended_old = order->next;
    if (orders->ended_old == SIM_NONE)
        orders->ended_new = SIM_NONE;
    forget_id(orders, order->id);
    return order;
}

struct sim_order *sim_order_new(struct sim_orders *orders, order_id id)
{
    if (orders->live == orders->live_capacity)
        return NULL;
    struct sim_order *order = take_place(orders);
    *order =
        (struct sim_order){.id = id, .state = SIM_LIVE, .next = SIM_NONE, .previous = SIM_NONE};
    size_t bucket = find_bucket(orders, id);
    ASSERT(orders->buckets[bucket].slot == SIM_NONE);
    orders->buckets[bucket] = (struct sim_bucket){slot_of(orders, order), (uint32_t)id};
    orders->live++;
    return order;
}

void sim_order_end(struct sim *sim, struct sim_order *order, enum sim_order_state state)
{
    struct sim_orders *orders = &sim->orders;
    ASSERT(order->state == SIM_LIVE);
    if (order->resting)
        sim_order_lift(sim, order);
    order->state = (uint8_t)state;
    order->next = SIM_NONE;
    if (orders->ended_new == SIM_NONE)
        orders->ended_old = slot_of(orders, order);
    else
        orders->orders[orders->ended_new].next = slot_of(orders, order);
    orders->ended_new = slot_of(orders, order);
    orders->live--;
}

/* --- by price and arrival -------------------------------------------------------------------- */

void sim_order_rest(struct sim *sim, struct sim_order *order)
{
    ASSERT(!order->resting);
    struct sim_order *all = sim->orders.orders;
    uint32_t slot = slot_of(&sim->orders, order);
    uint32_t *link = &sim->instruments[order->instrument].best[order->side];
    uint32_t previous = SIM_NONE;
    while (*link != SIM_NONE && !sim_price_is_better(order->side, order->price, all[*link].price)) {
        previous = *link;
        link = &all[previous].next;
    }
    order->next = *link;
    order->previous = previous;
    if (order->next != SIM_NONE)
        all[order->next].previous = slot;
    *link = slot;
    order->resting = true;
}

void sim_order_lift(struct sim *sim, struct sim_order *order)
{
    ASSERT(order->resting);
    struct sim_order *all = sim->orders.orders;
    if (order->next != SIM_NONE)
        all[order->next].previous = order->previous;
    if (order->previous != SIM_NONE)
        all[order->previous].next = order->next;
    else
        sim->instruments[order->instrument].best[order->side] = order->next;
    order->next = order->previous = SIM_NONE;
    order->resting = false;
}

struct venue_id sim_venue_id(const char *prefix, uint64_t number)
{
    enum { DIGITS_MAX = 20 };
    struct venue_id id = {0};
    char digits[DIGITS_MAX];
    size_t first = DIGITS_MAX, length = strlen(prefix);
    ASSERT(length <= EVENT_VENUE_ID_MAX - DIGITS_MAX);
    do
        digits[--first] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    memcpy(id.bytes, prefix, length);
    memcpy(id.bytes + length, digits + first, DIGITS_MAX - first);
    id.length = (uint8_t)(length + DIGITS_MAX - first);
    return id;
}

/* --- fills ----------------------------------------------------------------------------------- */

int sim_fills_open(struct sim_fills *fills, size_t live_capacity, struct error *error)
{
    *fills = (struct sim_fills){.capacity = live_capacity * FILLS_REMEMBERED};
    fills->ring = calloc(fills->capacity, sizeof *fills->ring);
    fills->again = calloc(fills->capacity, sizeof *fills->again);
    if (!fills->ring || !fills->again)
        return error_set(error, ERROR_SYSTEM, "no memory for %zu fills of the simulated venue",
                         fills->capacity);
    return 0;
}

void sim_fills_close(struct sim_fills *fills)
{
    free(fills->ring);
    free(fills->again);
}

struct sim_fill *sim_fill_kept(const struct sim_fills *fills, uint64_t ordinal)
{
    if (ordinal == 0 || fills->count - ordinal >= fills->capacity)
        return NULL;
    return &fills->ring[ordinal % fills->capacity];
}

void sim_fill_keep(struct sim *sim, struct sim_order *order, const struct event_order_filled *told)
{
    struct sim_fills *fills = &sim->fills;
    uint64_t ordinal = ++fills->count;
    fills->ring[ordinal % fills->capacity] =
        (struct sim_fill){.told = *told, .time = sim->time, .previous = order->last_fill};
    order->last_fill = ordinal;
}

void sim_fills_again(struct sim *sim, const struct sim_order *order)
{
    struct sim_fills *fills = &sim->fills;
    unsigned venue = sim->instruments[order->instrument].definition.venue;
    size_t count = 0;
    for (uint64_t at = order->last_fill; sim_fill_kept(fills, at);
         at = sim_fill_kept(fills, at)->previous)
        fills->again[count++] = at;
    while (count > 0) {
        uint64_t ordinal = fills->again[--count];
        const struct sim_fill *fill = sim_fill_kept(fills, ordinal);
        sim_answer_of(sim, venue, EVENT_order_filled, order->instrument, fill->time, ordinal)
            ->order_filled = fill->told;
    }
}
