/* The ledger: exact balances by venue and asset, what live orders reserve of them, and what fills, fees
 * and funding move (trading-semantics 9, 15, 17). */
#include "engine/engine_internal.h"

#include "base/assert.h"
#include "base/time.h"

#define RATE_ONE INT64_C(1000000000)

struct balance *ledger_balance(struct engine *engine, unsigned venue, unsigned asset)
{
    ASSERT(venue < engine->venue_count);
    ASSERT(asset < engine->asset_count);
    return &engine->balances[(size_t)venue * engine->asset_count + asset];
}

/* What happened at the venue at `made`, INT64_MAX where that is not known. If the balance that the venue told
 * last is newer, it is in it already: told late, or again after a crash. */
static void move(struct engine *engine, unsigned venue, unsigned asset, money amount, int64_t made)
{
    struct balance *balance = ledger_balance(engine, venue, asset);
    if (made <= balance->as_of)
        balance->transfers = engine_subtract(engine, balance->transfers, amount);
    else
        balance->total = engine_add(engine, balance->total, amount);
    if (made != INT64_MAX && made > balance->newest)
        balance->newest = made;
    balance->moved = engine_add(engine, balance->moved, amount);
    balance->used = true;
}

void ledger_move_told(struct engine *engine, unsigned venue, unsigned asset, money amount)
{
    move(engine, venue, asset, amount, INT64_MIN);
}

unsigned ledger_profit_asset(const struct event_definition *definition)
{
    return definition->contract == CONTRACT_SPOT ? definition->quote : definition->settle;
}

/* One that is older than the last, or than what has moved the balance since, was overtaken: to take it would
 * undo that. */
void ledger_take_balance(struct engine *engine, const struct event_balance *record, int64_t as_of)
{
    struct balance *balance = ledger_balance(engine, record->venue, record->asset);
    if (as_of != INT64_MIN && (as_of < balance->as_of || as_of < balance->newest))
        return;
    money change = engine_subtract(engine, record->total, balance->total);
    balance->transfers = engine_add(engine, balance->transfers, change);
    balance->total = record->total;
    balance->as_of = as_of;
    balance->used = balance->told = true;
    engine->venues[record->venue].told = true;
}

void ledger_tell_removed(struct engine *engine, unsigned instrument, order_id order,
                         enum removed_where where)
{
    orders_tell_removed(engine, &(struct event_removed){.instrument = (uint16_t)instrument,
                                                        .where = (uint8_t)where,
                                                        .order = order,
                                                        .price = {0, NUMBER_ABSENT},
                                                        .quantity = {0, NUMBER_ABSENT},
                                                        .reason = REJECT_OTHER});
}

/* --- fills ------------------------------------------------------------------------------------- */

/* The fee of a spot fill in position units, rounded against us; 0 where it is not paid in base. */
static int64_t base_fee_units(const struct instrument *instrument,
                              const struct event_order_filled *fill)
{
    const struct position *position = &instrument->position;
    money unit, units = MONEY_ZERO;
    if (instrument->definition.contract != CONTRACT_SPOT ||
        fill->fee_asset != instrument->definition.base || fill->fee.atto == 0 ||
        !engine_is_money(fill->fee))
        return 0;
    if (!money_from_units(1, position->exponent, &unit) ||
        !money_round(fill->fee, position->exponent, MONEY_UP, &units))
        return 0;
    int128 count = units.atto / unit.atto;
    return count > INT64_MAX || count < -INT64_MAX ? INT64_MAX : (int64_t)count;
}

/* What changes hands in a fill at a spot venue; false where it is more than can be meant. */
static bool spot_amounts(const struct event_definition *definition,
                         const struct event_order_filled *fill, money *base, money *quote)
{
    int exponent = definition->price_exponent + definition->quantity_exponent +
                   definition->multiplier_exponent;
    return money_from_units(fill->quantity.units, definition->quantity_exponent, base) &&
           money_linear_value(fill->price.units, fill->quantity.units, definition->multiplier,
                              exponent, quote) &&
           engine_is_money(*base) && engine_is_money(*quote);
}

bool ledger_can_book(const struct engine *engine, const struct event_order_filled *fill)
{
    const struct instrument *instrument = &engine->instruments[fill->instrument];
    const struct event_definition *definition = &instrument->definition;
    struct position next = instrument->position;
    money value, base, quote;
    if (definition->contract == CONTRACT_SPOT && !spot_amounts(definition, fill, &base, &quote))
        return false;
    if (!position_fill(&next, definition, fill->side, fill->price.units, fill->quantity.units,
                       base_fee_units(instrument, fill)))
        return false;
    /* What this fill adds to a sum that only grows. */
    value = fill->side == SIDE_BUY
                ? money_subtract(next.value_bought, instrument->position.value_bought)
                : money_subtract(next.value_sold, instrument->position.value_sold);
    return engine_is_money(value);
}

/* Fees in the profit's asset are the position's, and so are fees in base, at the fill's price; any other
 * asset's stand in the ledger and in the account's profit. */
static void take_fee(struct engine *engine, struct instrument *instrument,
                     const struct event_order_filled *fill, int64_t made)
{
    const struct event_definition *definition = &instrument->definition;
    if (fill->fee.atto == 0 || fill->fee_asset >= engine->asset_count)
        return;
    if (!engine_is_money(fill->fee)) {
        ledger_tell_removed(engine, fill->instrument, fill->order, REMOVED_ACCOUNT);
        return;
    }
    move(engine, definition->venue, fill->fee_asset, money_negate(fill->fee), made);
    struct balance *balance = ledger_balance(engine, definition->venue, fill->fee_asset);
    balance->fees = engine_add(engine, balance->fees, fill->fee);
    if (fill->fee_asset == ledger_profit_asset(definition))
        instrument->position.fees = engine_add(engine, instrument->position.fees, fill->fee);
    else if (definition->contract != CONTRACT_SPOT || fill->fee_asset != definition->base)
        profit_take_fee(engine, fill->instrument, fill->fee_asset, fill->fee);
}

/* Base and quote change hands at a spot venue; elsewhere only profit does. */
static void move_spot(struct engine *engine, struct instrument *instrument,
                      const struct event_order_filled *fill, int64_t made)
{
    const struct event_definition *definition = &instrument->definition;
    money base, quote;
    bool fits = spot_amounts(definition, fill, &base, &quote);
    ASSERT(fits); /* ledger_can_book() */
    bool buy = fill->side == SIDE_BUY;
    move(engine, definition->venue, definition->base, buy ? base : money_negate(base), made);
    move(engine, definition->venue, definition->quote, buy ? money_negate(quote) : quote, made);
    instrument->quote_flow =
        engine_add(engine, instrument->quote_flow, buy ? money_negate(quote) : quote);
}

/* Funding of `units` at a mark and a rate. A rate is whatever a venue tells: one by which more would change
 * hands than can be meant is not booked, and the result says so (rule 15). */
static void book_funding(struct engine *engine, struct instrument *instrument, int64_t units,
                         const struct event_funding_booked *booked, int64_t made)
{
    struct position *position = &instrument->position;
    money amount;
    if (!position_funding(position, &instrument->definition, units, (int64_t)booked->mark2,
                          booked->rate, &amount) ||
        !engine_is_money(amount)) {
        position->funding_missed = true;
        return;
    }
    position->funding = engine_add(engine, position->funding, amount);
    move(engine, instrument->definition.venue, ledger_profit_asset(&instrument->definition), amount,
         made);
}

/* A fill that the venue made before the last funding but told after it: its part of that funding. */
static void late_funding(struct engine *engine, struct instrument *instrument,
                         const struct message *message, int64_t units)
{
    struct position *position = &instrument->position;
    const struct event_funding_booked last = {.mark2 = (uint64_t)position->last_funding_mark2,
                                              .rate = position->last_funding_rate};
    if (!(message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED)) ||
        message->ts_venue > position->last_funding_due)
        return;
    if (last.mark2 == 0)
        position->funding_missed = true;
    else
        book_funding(engine, instrument, units, &last, message->ts_venue);
}

/* A fill that the venue's figure had when an operator took that over: it is ours as a fill from now on, and so much
 * less of what was adopted. */
static void replace_adopted(struct engine *engine, const struct event_order_filled *fill,
                            int64_t units)
{
    struct instrument *instrument = &engine->instruments[fill->instrument];
    if (!position_adopt(&instrument->position, &instrument->definition, -units, fill->price.units))
        engine_violation(engine, 6);
}

void ledger_take_fill(struct engine *engine, const struct message *message)
{
    const struct event_order_filled *fill = &message->record->order_filled;
    struct instrument *instrument = &engine->instruments[fill->instrument];
    const struct event_definition *definition = &instrument->definition;
    struct position *position = &instrument->position;
    money before = position->realised;
    int64_t held = position->units;
    bool timed = message->flags & (MESSAGE_VENUE_TIME | MESSAGE_VENUE_ESTIMATED);
    int64_t made = timed ? message->ts_venue : INT64_MAX;
    engine->counters.fills++;
    sync_filled(engine, fill->instrument, made);
    if (fill->cause < FILL_CAUSE_COUNT)
        engine->counters.fills_by_cause[fill->cause]++;
    bool fits = position_fill(position, definition, fill->side, fill->price.units,
                              fill->quantity.units, base_fee_units(instrument, fill));
    ASSERT(fits); /* ledger_can_book() */
    if (made <= position->adopted_as_of)
        replace_adopted(engine, fill, position->units - held);
    if (definition->contract == CONTRACT_SPOT) {
        move_spot(engine, instrument, fill, made);
    } else {
        move(engine, definition->venue, ledger_profit_asset(definition),
             engine_subtract(engine, position->realised, before), made);
        late_funding(engine, instrument, message, position->units - held);
    }
    take_fee(engine, instrument, fill, made);
}

/* --- funding ------------------------------------------------------------------------------------ */

void ledger_take_funding(struct engine *engine, const struct event_funding_booked *booked)
{
    struct instrument *instrument = &engine->instruments[booked->instrument];
    struct position *position = &instrument->position;
    position->last_funding_due = booked->due;
    position->last_funding_mark2 = (int64_t)booked->mark2;
    if (booked->mark2 == 0) {
        position->funding_missed = position->funding_missed || position->units != 0;
        return;
    }
    position->last_funding_rate = booked->rate;
    if (position->units == 0)
        return;
    book_funding(engine, instrument, position->units, booked, booked->due);
    profit_touch(engine, booked->instrument);
}

void ledger_funding_due(struct engine *engine, unsigned index)
{
    struct instrument *instrument = &engine->instruments[index];
    struct market *market = &instrument->market;
    struct event_funding_booked booked = {
        .instrument = (uint16_t)index, .due = market->funding_due, .rate = market->funding_rate};
    int64_t mark2;
    bool stale;
    market->funding_due = TIME_NEVER;
    if (instrument->definition.contract == CONTRACT_SPOT)
        return;
    if (market_mark2(market, engine->now, &mark2, &stale))
        booked.mark2 = (uint64_t)mark2;
    engine_emit(engine, EVENT_funding_booked, index)->funding_booked = booked;
    ledger_take_funding(engine, &booked);
}

/* --- funds -------------------------------------------------------------------------------------- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* What an order changes hands for, without its fee: base of a sell, quote of a buy. */
static bool value_of(const struct event_definition *definition, enum side side, int64_t price,
                     int64_t quantity, money *value)
{
    if (side == SIDE_SELL)
        return money_from_units(quantity, definition->quantity_exponent, value);
    return money_linear_value(price, quantity, definition->multiplier,
                              definition->price_exponent + definition->quantity_exponent +
                                  definition->multiplier_exponent,
                              value);
}

/* The rate of what a buy is held for beside its value: the larger of the two fees. */
static int64_t fee_rate(const struct event_definition *definition, enum side side)
{
    return side == SIDE_SELL ? 0 : larger(definition->taker_fee, definition->maker_fee);
}

static bool need_of(const struct event_definition *definition, enum side side, int64_t price,
                    int64_t quantity, money *need)
{
    int64_t rate = fee_rate(definition, side);
    money value, fee;
    if (!value_of(definition, side, price, quantity, &value))
        return false;
    if (rate <= 0) {
        *need = value;
        return true;
    }
    if (!money_scale(value, rate, RATE_ONE, MONEY_UP, &fee))
        return false;
    return money_try_add(value, fee, need);
}

bool ledger_need(const struct engine *engine, unsigned index, enum side side, int64_t price,
                 int64_t quantity, money *need)
{
    return need_of(&engine->instruments[index].definition, side, price, quantity, need);
}

/* What orders hold outlives a crash, so that no market record may change it (carry.c): the fees are those that were
 * told at first. */
bool ledger_reserve_need(const struct engine *engine, unsigned index, enum side side, int64_t price,
                         int64_t leaves, money *need)
{
    *need = MONEY_ZERO;
    return leaves == 0 ||
           need_of(&engine->instruments[index].first_definition, side, price, leaves, need);
}

static struct balance *reserve_balance(struct engine *engine,
                                       const struct event_definition *definition, enum side side)
{
    return ledger_balance(engine, definition->venue,
                          side == SIDE_BUY ? definition->quote : definition->base);
}

void ledger_reserve(struct engine *engine, struct order *order, int64_t price, int64_t leaves)
{
    const struct event_definition *definition = &engine->instruments[order->instrument].definition;
    money need = MONEY_ZERO;
    if (definition->contract != CONTRACT_SPOT)
        return;
    if (!ledger_reserve_need(engine, order->instrument, order->side, price, leaves, &need)) {
        engine_violation(engine, 6);
        need = MONEY_ZERO;
    }
    struct balance *balance = reserve_balance(engine, definition, order->side);
    balance->reserved =
        engine_add(engine, balance->reserved, engine_subtract(engine, need, order->reserved));
    order->reserved = need;
}

static bool pays_with(const struct event_definition *definition, enum side side,
                      const struct event_definition *paid, enum side paid_side)
{
    uint16_t asset = side == SIDE_BUY ? definition->quote : definition->base;
    uint16_t needed = paid_side == SIDE_BUY ? paid->quote : paid->base;
    return definition->contract == CONTRACT_SPOT && definition->venue == paid->venue &&
           asset == needed;
}

/* What orders that only the venue knows may take of the balance that an order on this side is paid with. False
 * where nobody knows: leaves, or the price of a buy, were never told in a usable number. */
static bool orphans_need(const struct engine *engine, const struct event_definition *definition,
                         enum side side, money *sum)
{
    *sum = MONEY_ZERO;
    for (uint32_t i = 0; i < engine->orphans.count; i++) {
        const struct orphan *orphan = &engine->orphans.list[i];
        const struct event_definition *theirs = &engine->instruments[orphan->instrument].definition;
        const enum side their_side = (enum side)orphan->side;
        money need;
        if (!orphan->judged || !pays_with(theirs, their_side, definition, side))
            continue;
        if (orphan->leaves == SYNC_LEAVES_UNKNOWN || (their_side == SIDE_BUY && !orphan->priced) ||
            !ledger_need(engine, orphan->instrument, their_side, orphan->price, orphan->leaves,
                         &need) ||
            !money_try_add(*sum, need, sum))
            return false;
    }
    return true;
}

bool ledger_is_limited(const struct engine *engine, unsigned index)
{
    const struct event_definition *definition = &engine->instruments[index].definition;
    return definition->contract == CONTRACT_SPOT && engine->venues[definition->venue].told;
}

bool ledger_covers(struct engine *engine, unsigned index, enum side side, int64_t price,
                   int64_t quantity)
{
    const struct event_definition *definition = &engine->instruments[index].definition;
    money need;
    if (engine->orphans.count > 0 || !ledger_need(engine, index, side, price, quantity, &need))
        return false;
    const struct balance *balance = reserve_balance(engine, definition, side);
    money unreserved = engine_subtract(engine, balance->total, balance->reserved);
    return need.atto <= unreserved.atto - 2 * STRATEGY_LEVELS_MAX;
}

/* What the orders of one side of an instrument hold. */
static money own_reserved(struct engine *engine, unsigned index, enum side side)
{
    money sum = MONEY_ZERO;
    for (uint32_t slot = engine->instruments[index].sides[side].first; slot != ENGINE_NO_SLOT;
         slot = engine->orders.slots[slot].next)
        sum = engine_add(engine, sum, engine->orders.slots[slot].reserved);
    return sum;
}

bool ledger_left(struct engine *engine, unsigned index, enum side side, bool own, money *left)
{
    const struct event_definition *definition = &engine->instruments[index].definition;
    money orphans;
    if (!orphans_need(engine, definition, side, &orphans))
        return false;
    const struct balance *balance = reserve_balance(engine, definition, side);
    *left = engine_subtract(engine, balance->total, engine_add(engine, balance->reserved, orphans));
    if (own)
        *left = engine_add(engine, *left, own_reserved(engine, index, side));
    return true;
}

/* The most units with value + fee, rounded up, <= left are floor(left / (1 + rate) / value of one), since the
 * value is a whole number of the smallest part of money. */
int64_t ledger_part(const struct engine *engine, unsigned index, enum side side, int64_t price,
                    int64_t quantity, money left)
{
    const struct event_definition *definition = &engine->instruments[index].definition;
    int64_t rate = fee_rate(definition, side);
    money unit, spend = left;
    if (!value_of(definition, side, price, 1, &unit) || unit.atto <= 0)
        return quantity; /* no price that is one: other gates know */
    if (left.atto <= 0)
        return 0;
    if (rate > 0) {
        bool fits = money_scale(left, RATE_ONE, RATE_ONE + rate, MONEY_DOWN, &spend);
        ASSERT(fits); /* it is less */
    }
    int128 units = spend.atto / unit.atto;
    return units >= quantity
               ? quantity
               : (int64_t)units - (int64_t)units % engine->instruments[index].limits.quote.lot;
}

bool ledger_has_funds(struct engine *engine, const struct candidate *candidate,
                      const struct order *own)
{
    const unsigned index = candidate->instrument;
    const enum side side = (enum side)candidate->side;
    const struct event_definition *definition = &engine->instruments[index].definition;
    int64_t price = candidate->price, quantity = candidate->quantity;
    money need, orphans, held = MONEY_ZERO;
    if (!ledger_is_limited(engine, index))
        return true;
    if (own != NULL) {
        price = larger(price, own->price); /* what a sell takes does not depend on it */
        quantity = larger(quantity, orders_worst_leaves(own));
        held = own->reserved;
    }
    if (!ledger_need(engine, index, side, price, quantity, &need))
        return false;
    if (money_compare(need, held) <= 0)
        return true; /* it asks for no more */
    if (!orphans_need(engine, definition, side, &orphans))
        return false;
    const struct balance *balance = reserve_balance(engine, definition, side);
    money others = engine_subtract(engine, balance->reserved, held);
    return money_compare(engine_add(engine, engine_add(engine, others, orphans), need),
                         balance->total) <= 0;
}
