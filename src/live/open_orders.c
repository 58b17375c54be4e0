/* See open_orders.h. */
#include "config.h"

#include "live/open_orders.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/assert.h"
#include "base/time.h"

#define LOCK_WAIT_NS (250 * NS_PER_MS)

struct open_orders {
    const struct engine *engine;
    order_id touched;     /* order of the message that the engine is about to take; 0: none */
    bool ends_orphan;     /* and the message ends it where no engine knows it */
    pthread_mutex_t lock; /* of what follows */
    size_t count, capacity;
    uint64_t not_listed;
    struct open_order list[];
};

int open_orders_open(struct open_orders **out, const struct engine *engine, size_t capacity,
                     struct error *error)
{
    struct open_orders *orders = calloc(1, sizeof *orders + capacity * sizeof orders->list[0]);
    if (!orders)
        return error_set(error, ERROR_SYSTEM, "no memory for %zu orders", capacity);
    orders->engine = engine;
    orders->capacity = capacity;
    pthread_mutex_init(&orders->lock, NULL);
    *out = orders;
    return 0;
}

void open_orders_close(struct open_orders **orders)
{
    if (*orders)
        pthread_mutex_destroy(&(*orders)->lock);
    free(*orders);
    *orders = NULL;
}

static struct open_order *find(struct open_orders *orders, order_id order)
{
    for (size_t i = orders->count; i-- > 0;)
        if (orders->list[i].order == order)
            return &orders->list[i];
    return NULL;
}

static void put(struct open_orders *orders, const struct open_order *order)
{
    struct open_order *listed = find(orders, order->order);
    pthread_mutex_lock(&orders->lock);
    if (listed)
        *listed = *order;
    else if (orders->count < orders->capacity)
        orders->list[orders->count++] = *order;
    else
        orders->not_listed++;
    pthread_mutex_unlock(&orders->lock);
}

static void remove_order(struct open_orders *orders, struct open_order *order)
{
    pthread_mutex_lock(&orders->lock);
    for (size_t i = (size_t)(order - orders->list) + 1; i < orders->count; i++)
        orders->list[i - 1] = orders->list[i];
    orders->count--;
    pthread_mutex_unlock(&orders->lock);
}

bool open_orders_find(struct open_orders *orders, order_id order, struct open_order *out)
{
    const struct open_order *listed = find(orders, order);
    if (listed)
        *out = *listed;
    return listed != NULL;
}

/* --- messages ------------------------------------------------------------------------------------- */

static void take_shown(struct open_orders *orders, const struct event_open_order *shown)
{
    if (shown->order == 0)
        return; /* not of this session's prefix */
    put(orders,
        &(struct open_order){.order = shown->order,
                             .instrument = shown->instrument,
                             .side = shown->side,
                             .price = shown->price,
                             .leaves = shown->leaves,
                             .venue_order = shown->venue_order,
                             .orphan = !engine_order_is_open(orders->engine, shown->order)});
}

static void take_accepted(struct open_orders *orders, const struct event_order_accepted *accepted)
{
    struct open_order *listed = find(orders, accepted->order);
    if (!listed)
        return;
    pthread_mutex_lock(&orders->lock);
    listed->venue_order = accepted->venue_order;
    pthread_mutex_unlock(&orders->lock);
}

static void set_terms(struct open_orders *orders, order_id order, const struct number *price,
                      struct number leaves)
{
    struct open_order *listed = find(orders, order);
    if (!listed)
        return;
    pthread_mutex_lock(&orders->lock);
    if (price)
        listed->price = *price;
    listed->leaves = leaves;
    pthread_mutex_unlock(&orders->lock);
}

/* The order that an answer is about, so that the engine is asked for it once it has taken the answer. */
static void touch(struct open_orders *orders, order_id order, bool ends_orphan)
{
    orders->touched = order;
    orders->ends_orphan = ends_orphan;
}

static void take_answer(struct open_orders *orders, const struct message *message)
{
    const union event_record *record = message->record;
    switch ((int)message->kind) {
    case EVENT_order_accepted:
        take_accepted(orders, &record->order_accepted);
        break;
    case EVENT_order_rejected:
        touch(orders, record->order_rejected.order, true);
        break;
    case EVENT_order_filled:
        set_terms(orders, record->order_filled.order, NULL, record->order_filled.leaves);
        touch(orders, record->order_filled.order,
              record->order_filled.leaves.status == NUMBER_VALUE &&
                  record->order_filled.leaves.units == 0);
        break;
    case EVENT_order_cancelled:
        touch(orders, record->order_cancelled.order, true);
        break;
    case EVENT_order_modified:
        set_terms(orders, record->order_modified.order, &record->order_modified.price,
                  record->order_modified.leaves);
        touch(orders, record->order_modified.order, false);
        break;
    case EVENT_order_expired:
        touch(orders, record->order_expired.order, true);
        break;
    case EVENT_order_not_found:
        touch(orders, record->order_not_found.order, true);
        break;
    case EVENT_order_status:
        touch(orders, record->order_status.order, false);
        break;
    default:
        break;
    }
}

void open_orders_take(struct open_orders *orders, const struct message *message)
{
    const union event_record *record = message->record;
    switch ((int)message->kind) {
    case EVENT_place:
        put(orders, &(struct open_order){.order = record->place.order,
                                         .instrument = record->place.instrument,
                                         .side = record->place.side,
                                         .price = record->place.price,
                                         .leaves = record->place.quantity});
        break;
    case EVENT_replace:
        put(orders, &(struct open_order){.order = record->replace.order,
                                         .instrument = record->replace.instrument,
                                         .side = record->replace.side,
                                         .price = record->replace.price,
                                         .leaves = record->replace.quantity});
        break;
    case EVENT_open_order:
        take_shown(orders, &record->open_order);
        break;
    default:
        take_answer(orders, message);
        break;
    }
}

static bool has_ended(const struct open_orders *orders, const struct open_order *order)
{
    return !order->orphan && !engine_order_is_open(orders->engine, order->order);
}

/* Orders also end without an answer that names them, as by an account's snapshot. */
static void sweep(struct open_orders *orders)
{
    for (size_t i = orders->count; i-- > 0;)
        if (has_ended(orders, &orders->list[i]))
            remove_order(orders, &orders->list[i]);
}

void open_orders_stepped(struct open_orders *orders)
{
    struct open_order *listed = orders->touched ? find(orders, orders->touched) : NULL;
    orders->touched = 0;
    if (listed && (has_ended(orders, listed) || (listed->orphan && orders->ends_orphan)))
        remove_order(orders, listed);
    if (orders->count > engine_open_orders(orders->engine))
        sweep(orders);
}

size_t open_orders_list(struct open_orders *orders, struct open_order *out, size_t capacity)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOCK_WAIT_NS;
    until.tv_sec += until.tv_nsec / NS_PER_SECOND;
    until.tv_nsec %= NS_PER_SECOND;
    bool locked = pthread_mutex_timedlock(&orders->lock, &until) == 0;
    size_t count = orders->count;
    for (size_t i = 0; i < count && i < capacity; i++)
        out[i] = orders->list[i];
    count += orders->not_listed;
    if (locked)
        pthread_mutex_unlock(&orders->lock);
    return count;
}
