/* What the simulated venue does with a request that has arrived. */
#include "base/assert.h"
#include "venue/sim/state.h"

static unsigned venue_of(const struct sim *sim, unsigned instrument)
{
    return sim->instruments[instrument].definition.venue;
}

/* --- answers --------------------------------------------------------------------------------- */

static void answer_accepted(struct sim *sim, const struct sim_order *order)
{
    sim_answer_new(sim, venue_of(sim, order->instrument), EVENT_order_accepted, order->instrument)
        ->order_accepted = (struct event_order_accepted){order->instrument, order->id,
                                                         sim_venue_id("sim-order-", order->number)};
}

static void answer_rejected(struct sim *sim, unsigned instrument, order_id id, enum reject reason)
{
    sim->stats.order_rejects[reason]++;
    sim_answer_new(sim, venue_of(sim, instrument), EVENT_order_rejected, instrument)
        ->order_rejected = (struct event_order_rejected){(uint16_t)instrument, id, (uint8_t)reason};
}

static void answer_cancelled(struct sim *sim, const struct sim_order *order, int64_t leaves,
                             enum cancel_cause cause)
{
    sim_answer_new(sim, venue_of(sim, order->instrument), EVENT_order_cancelled, order->instrument)
        ->order_cancelled = (struct event_order_cancelled){
        order->instrument, order->id, {leaves, NUMBER_VALUE}, (uint8_t)cause};
}

static void answer_cancel_rejected(struct sim *sim, unsigned instrument, order_id id,
                                   enum reject reason)
{
    sim->stats.cancel_rejects[reason]++;
    sim_answer_new(sim, venue_of(sim, instrument), EVENT_cancel_rejected, instrument)
        ->cancel_rejected =
        (struct event_cancel_rejected){(uint16_t)instrument, id, (uint8_t)reason};
}

static void answer_modify_rejected(struct sim *sim, unsigned instrument, order_id id,
                                   enum reject reason)
{
    sim->stats.modify_rejects[reason]++;
    sim_answer_new(sim, venue_of(sim, instrument), EVENT_modify_rejected, instrument)
        ->modify_rejected =
        (struct event_modify_rejected){(uint16_t)instrument, id, (uint8_t)reason};
}

/* --- checks ---------------------------------------------------------------------------------- */

/* Whether the numbers are ones this instrument takes. */
static enum reject check_numbers(const struct event_definition *definition, struct number price,
                                 struct number quantity)
{
    if (price.status != NUMBER_VALUE || price.units <= 0)
        return REJECT_PRICE;
    if (quantity.status != NUMBER_VALUE || quantity.units <= 0)
        return REJECT_QUANTITY;
    if (definition->tick > 0 && price.units % definition->tick != 0)
        return REJECT_TICK;
    if (definition->lot > 0 && quantity.units % definition->lot != 0)
        return REJECT_LOT;
    money notional;
    if (!sim_notional(definition, price.units, quantity.units, &notional))
        return REJECT_QUANTITY;
    if (money_compare(notional, definition->minimum_notional) < 0)
        return REJECT_MINIMUM_NOTIONAL;
    return REJECT_NONE;
}

/* Whether the venue takes anything but cancels now, which is asked before all else. */
static bool is_halted(const struct sim *sim, unsigned instrument, bool post_only)
{
    uint8_t trading = sim->instruments[instrument].trading;
    return trading != TRADING_OPEN && !(trading == TRADING_POST_ONLY && post_only);
}

/* Whether a new price and quantity can enter the book now. */
static enum reject check_entry(const struct sim *sim, unsigned instrument, enum side side,
                               int64_t price, bool post_only)
{
    const struct sim_instrument *at = &sim->instruments[instrument];
    if (!book_is_synchronised(at->book))
        return REJECT_NO_BOOK;
    if (post_only && sim_would_cross(sim, instrument, side, price))
        return REJECT_POST_ONLY;
    return REJECT_NONE;
}

static enum reject check_place(const struct sim *sim, const struct event_place *place)
{
    const struct sim_instrument *at = &sim->instruments[place->instrument];
    if (place->order == 0)
        return REJECT_OTHER;
    if (sim_order_find(&sim->orders, place->order))
        return REJECT_DUPLICATE;
    if (is_halted(sim, place->instrument, place->post_only))
        return REJECT_HALTED;
    enum reject reject = check_numbers(&at->definition, place->price, place->quantity);
    if (reject != REJECT_NONE)
        return reject;
    if (place->time_in_force >= TIME_IN_FORCE_COUNT ||
        (place->post_only && place->time_in_force != TIME_IN_FORCE_GTC))
        return REJECT_UNSUPPORTED;
    reject = check_entry(sim, place->instrument, place->side, place->price.units, place->post_only);
    if (reject != REJECT_NONE)
        return reject;
    if (place->time_in_force == TIME_IN_FORCE_FOK &&
        book_quantity_to(at->book, sim_opposite(place->side), place->price.units) <
            place->quantity.units)
        return REJECT_FILL_OR_KILL;
    money reserve;
    if (!sim_funds_suffice(sim, place->instrument, place->side, place->price.units,
                           place->quantity.units, MONEY_ZERO, &reserve))
        return REJECT_FUNDS;
    return REJECT_NONE;
}

/* --- place ----------------------------------------------------------------------------------- */

static void take_place(struct sim *sim, const struct event_place *place)
{
    enum reject reject = check_place(sim, place);
    struct sim_order *order = NULL;
    if (reject == REJECT_NONE) {
        order = sim_order_new(&sim->orders, place->order);
        reject = order ? REJECT_NONE : REJECT_FULL;
    }
    if (!order) {
        answer_rejected(sim, place->instrument, place->order, reject);
        return;
    }
    order->number = ++sim->order_number;
    order->price = place->price.units;
    order->left = place->quantity.units;
    order->instrument = place->instrument;
    order->side = place->side;
    order->post_only = place->post_only;
    sim_funds_hold(sim, order);
    answer_accepted(sim, order);
    sim_take_liquidity(sim, order);
    if (order->state != SIM_LIVE)
        return;
    if (place->time_in_force == TIME_IN_FORCE_GTC) {
        sim_join(sim, order);
        return;
    }
    sim_order_end(sim, order, SIM_ENDED);
    sim_funds_hold(sim, order);
    order->cause = CANCEL_UNFILLED;
    answer_cancelled(sim, order, order->left, CANCEL_UNFILLED);
}

/* --- cancel ---------------------------------------------------------------------------------- */

/* Why a request for an order that is not live is refused. */
static enum reject reject_of(const struct sim_order *order)
{
    return order && order->state == SIM_FILLED ? REJECT_FILLED : REJECT_NOT_FOUND;
}

/* The live order of that id and instrument, or NULL. */
static struct sim_order *live_order(const struct sim *sim, unsigned instrument, order_id id)
{
    struct sim_order *order = sim_order_find(&sim->orders, id);
    return order && order->state == SIM_LIVE && order->instrument == instrument ? order : NULL;
}

static void take_cancel(struct sim *sim, const struct event_cancel *cancel)
{
    struct sim_order *order = live_order(sim, cancel->instrument, cancel->order);
    if (!order) {
        answer_cancel_rejected(sim, cancel->instrument, cancel->order,
                               reject_of(sim_order_find(&sim->orders, cancel->order)));
        return;
    }
    sim_order_end(sim, order, SIM_ENDED);
    sim_funds_hold(sim, order);
    order->cause = CANCEL_REQUESTED;
    answer_cancelled(sim, order, order->left, CANCEL_REQUESTED);
}

/* --- replace --------------------------------------------------------------------------------- */

/* Stop on failure: where the old order can't be cancelled the new one is not sent. */
static void take_replace(struct sim *sim, const struct event_replace *replace)
{
    struct sim_order *old = live_order(sim, replace->instrument, replace->replaces);
    if (!old) {
        answer_cancel_rejected(sim, replace->instrument, replace->replaces,
                               reject_of(sim_order_find(&sim->orders, replace->replaces)));
        answer_rejected(sim, replace->instrument, replace->order, REJECT_REPLACE);
        return;
    }
    sim_order_end(sim, old, SIM_ENDED);
    sim_funds_hold(sim, old);
    old->cause = CANCEL_REPLACED;
    answer_cancelled(sim, old, old->left, CANCEL_REPLACED);
    const struct event_place place = {
        .instrument = replace->instrument,
        .order = replace->order,
        .side = replace->side,
        .price = replace->price,
        .quantity = replace->quantity,
        .time_in_force = replace->time_in_force,
        .post_only = replace->post_only,
    };
    take_place(sim, &place);
}

/* This venue knows no order without our id. */
static void take_cancel_orphan(struct sim *sim, const struct event_cancel_orphan *cancel)
{
    struct event_cancel ours = {.instrument = cancel->instrument, .order = cancel->order};
    if (cancel->order != 0)
        take_cancel(sim, &ours);
}

/* --- modify ---------------------------------------------------------------------------------- */

static enum reject check_modify(const struct sim *sim, const struct sim_order *order,
                                const struct event_modify *modify, int64_t left, bool keeps_place)
{
    if (is_halted(sim, order->instrument, order->post_only))
        return REJECT_HALTED;
    enum reject reject = check_numbers(&sim->instruments[order->instrument].definition,
                                       modify->price, modify->leaves);
    if (reject != REJECT_NONE)
        return reject;
    if (modify->side != order->side)
        return REJECT_OTHER;
    if (left <= 0)
        return REJECT_FILLED;
    if (keeps_place)
        return REJECT_NONE;
    reject =
        check_entry(sim, order->instrument, order->side, modify->price.units, order->post_only);
    if (reject != REJECT_NONE)
        return reject;
    money reserve;
    if (!sim_funds_suffice(sim, order->instrument, order->side, modify->price.units, left,
                           order->reserved, &reserve))
        return REJECT_FUNDS;
    return REJECT_NONE;
}

static void take_modify(struct sim *sim, const struct event_modify *modify, int64_t told)
{
    struct sim_order *order = live_order(sim, modify->instrument, modify->order);
    if (!order) {
        answer_modify_rejected(sim, modify->instrument, modify->order,
                               reject_of(sim_order_find(&sim->orders, modify->order)));
        return;
    }
    int64_t left = modify->leaves.units - (order->filled - told);
    bool keeps_place = modify->price.units == order->price && left <= order->left;
    enum reject reject = check_modify(sim, order, modify, left, keeps_place);
    if (reject != REJECT_NONE) {
        answer_modify_rejected(sim, modify->instrument, modify->order, reject);
        return;
    }
    order->price = modify->price.units;
    order->left = left;
    sim_funds_hold(sim, order);
    sim_answer_new(sim, venue_of(sim, order->instrument), EVENT_order_modified, order->instrument)
        ->order_modified = (struct event_order_modified){
        order->instrument, order->id, modify->price, {left, NUMBER_VALUE}};
    if (keeps_place)
        return;
    sim_order_lift(sim, order);
    sim_take_liquidity(sim, order);
    if (order->state == SIM_LIVE)
        sim_join(sim, order);
}

/* --- query ----------------------------------------------------------------------------------- */

/* All fills again, then the end where it has ended, then what rests of it. "Not found" only of an order that
 * never came, or ended so long ago that it is forgotten. */
static void take_query(struct sim *sim, const struct event_query *query)
{
    const struct sim_order *order = sim_order_find(&sim->orders, query->order);
    unsigned venue = venue_of(sim, query->instrument);
    if (!order || order->instrument != query->instrument) {
        sim_answer_new(sim, venue, EVENT_order_not_found, query->instrument)->order_not_found =
            (struct event_order_not_found){query->instrument, query->order};
        return;
    }
    sim_fills_again(sim, order);
    if (order->state == SIM_ENDED)
        answer_cancelled(sim, order, order->left, (enum cancel_cause)order->cause);
    sim_answer_new(sim, venue, EVENT_order_status, query->instrument)->order_status =
        (struct event_order_status){order->instrument,
                                    order->id,
                                    sim_venue_id("sim-order-", order->number),
                                    order->side,
                                    {order->price, NUMBER_VALUE},
                                    {order->state == SIM_LIVE ? order->left : 0, NUMBER_VALUE}};
}

void sim_take_request(struct sim *sim, const struct sim_request *request)
{
    sim->stats.requests++;
    if (request->kind == EVENT_place)
        take_place(sim, &request->record.place);
    else if (request->kind == EVENT_cancel)
        take_cancel(sim, &request->record.cancel);
    else if (request->kind == EVENT_replace)
        take_replace(sim, &request->record.replace);
    else if (request->kind == EVENT_modify)
        take_modify(sim, &request->record.modify, request->told);
    else if (request->kind == EVENT_query)
        take_query(sim, &request->record.query);
    else if (request->kind == EVENT_cancel_orphan)
        take_cancel_orphan(sim, &request->record.cancel_orphan);
    else
        sim_tell_account(sim, request->record.request_snapshot.venue, request->sent);
}
