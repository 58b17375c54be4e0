/* Numbers that a venue tells of orders: which of them can be used, and what is told of the others (B14). */
#include "engine/engine_internal.h"

void orders_tell_removed(struct engine *engine, const struct event_removed *removed)
{
    engine->counters.removed_numbers++;
    if (!engine->started || engine->removed_left == 0)
        return;
    engine->removed_left--;
    engine_emit(engine, EVENT_removed, removed->instrument)->removed = *removed;
}

void orders_tell_of(struct engine *engine, const struct order *order, struct number price,
                    struct number quantity, enum reject reason)
{
    orders_tell_removed(engine, &(struct event_removed){.instrument = order->instrument,
                                                        .where = REMOVED_RESTING,
                                                        .order = order->id,
                                                        .side = order->side,
                                                        .price = price,
                                                        .quantity = quantity,
                                                        .reason = (uint8_t)reason});
}

enum reject orders_price_fault(const struct engine *engine, unsigned index, struct number price)
{
    if (price.status != NUMBER_VALUE || price.units <= 0 || price.units > ENGINE_PRICE_MAX)
        return REJECT_PRICE;
    return limits_on_tick(&engine->instruments[index].limits, price.units) ? REJECT_NONE
                                                                           : REJECT_TICK;
}

/* --- orders that rest ------------------------------------------------------------------------------- */

/* Why price or leaves of an order at a venue are none; REJECT_NONE where both can be used. */
static enum reject rest_fault(const struct engine *engine, unsigned index, struct number price,
                              struct number leaves)
{
    enum reject fault = orders_price_fault(engine, index, price);
    return fault == REJECT_NONE && !orders_is_size(leaves) ? REJECT_QUANTITY : fault;
}

void orders_check_rest(struct engine *engine, const struct order *order, struct number price,
                       struct number leaves)
{
    enum reject fault = rest_fault(engine, order->instrument, price, leaves);
    if (fault != REJECT_NONE)
        orders_tell_of(engine, order, price, leaves, fault);
}

bool orders_read_row(struct engine *engine, const struct event_open_order *row)
{
    struct order *order = orders_find(engine, row->order);
    enum reject fault = rest_fault(engine, row->instrument, row->price, row->leaves);
    bool ours = order != NULL && order_state_is_live(order->state) &&
                order->instrument == row->instrument && order->side == row->side;
    if (fault == REJECT_NONE)
        return true;
    orders_tell_removed(engine, &(struct event_removed){.instrument = row->instrument,
                                                        .where = REMOVED_RESTING,
                                                        .order = row->order,
                                                        .side = row->side,
                                                        .price = row->price,
                                                        .quantity = row->leaves,
                                                        .reason = (uint8_t)fault});
    if (ours && fault != REJECT_QUANTITY)
        order->unpriced = true;
    return orders_is_size(row->leaves);
}

/* --- fills -------------------------------------------------------------------------------------------- */

/* The numbers of a fill are ones, and what they make of order, position and money can be kept. */
static bool fill_fits(const struct engine *engine, const struct order *order,
                      const struct event_order_filled *fill)
{
    return fill->price.status == NUMBER_VALUE && fill->price.units > 0 &&
           orders_is_size(fill->quantity) &&
           (order == NULL || order->filled <= ENGINE_QUANTITY_MAX - fill->quantity.units) &&
           ledger_can_book(engine, fill);
}

bool orders_fill_is_readable(struct engine *engine, const struct order *order,
                             const struct event_order_filled *fill)
{
    bool readable = fill_fits(engine, order, fill);
    bool priced = fill->price.status == NUMBER_VALUE && fill->price.units > 0;
    bool rests = fill->leaves.status == NUMBER_ABSENT || orders_is_rest(fill->leaves);
    if (readable && rests)
        return true;
    orders_tell_removed(
        engine, &(struct event_removed){.instrument = fill->instrument,
                                        .where = order == NULL ? REMOVED_ACCOUNT : REMOVED_RESTING,
                                        .order = fill->order,
                                        .side = fill->side,
                                        .price = fill->price,
                                        .quantity = readable ? fill->leaves : fill->quantity,
                                        .reason = priced ? REJECT_QUANTITY : REJECT_PRICE});
    return readable;
}
