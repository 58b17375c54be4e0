/* An operator's act: a position that no fill of ours brought becomes the engine's own. He says so by a record,
 * what becomes of it is a decision, and only the decision changes anything, so that a tape can be folded.
 *
 * Where the venue tells positions, and wherever drift stands, it is the venue's figure that is taken. Where a
 * venue only has balances, a position is what fills came to, and what the account held besides is named. The
 * difference to what we held is bought or sold at a price without fee: what is closed by it is realised, what is
 * opened counts from there. The limits on losses don't see the step that this price makes (trading-semantics 21). */
#include "engine/engine_internal.h"

#include "base/assert.h"
#include "base/time.h"

struct adoption_wish {
    int64_t units; /* position units to hold afterwards */
    int64_t price;
    bool apart;
};

static bool has_orders(const struct instrument *instrument)
{
    return instrument->sides[SIDE_BUY].count + instrument->sides[SIDE_SELL].count > 0 ||
           instrument->sync.orphan_leaves[SIDE_BUY] != 0 ||
           instrument->sync.orphan_leaves[SIDE_SELL] != 0;
}

/* What of the instrument is not settled enough to take over a position. */
static enum adoption unsettled(const struct engine *engine, unsigned index)
{
    const struct instrument *instrument = &engine->instruments[index];
    const unsigned venue = instrument->definition.venue;
    if (engine->carry.shutdown != SHUTDOWN_RUNNING)
        return ADOPTION_SHUTDOWN;
    if (!engine->venues[venue].reconciled ||
        alarm_is_raised(engine, EVENT_NONE_16, venue, ALARM_SNAPSHOT_OLD))
        return ADOPTION_ACCOUNT;
    if (has_orders(instrument))
        return ADOPTION_ORDERS;
    if (instrument->sync.fill_ts != INT64_MIN &&
        engine->now - instrument->sync.fill_ts < SYNC_SETTLED_NS)
        return ADOPTION_FILL;
    return ADOPTION_TAKEN;
}

/* --- the quantity ---------------------------------------------------------------------------------- */

/* Drift: the newest account was compared, and what it shows is taken. */
static enum adoption venues_position(const struct engine *engine, unsigned index,
                                     const struct event_adopt *adopt, struct adoption_wish *wish)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct position *position = &instrument->position;
    if (!sync_has_compared(engine, index))
        return ADOPTION_ACCOUNT;
    if (adopt->position.status == NUMBER_VALUE &&
        adopt->position.units != instrument->sync.venue_position)
        return ADOPTION_DIFFERS;
    if (__builtin_mul_overflow(instrument->sync.venue_position, position->per_quantity,
                               &wish->units) ||
        __builtin_add_overflow(wish->units, position->apart, &wish->units))
        return ADOPTION_RANGE;
    return ADOPTION_TAKEN;
}

/* A figure that does not fit 128 bits is a violation, as everywhere where a position is told. */
static money quantity_of(struct engine *engine, const struct position *position, int64_t units)
{
    money quantity = MONEY_ZERO;
    if (!money_from_units(units, position->exponent, &quantity))
        engine_violation(engine, 6);
    return quantity;
}

/* What all positions in the base asset at the venue would come to is there. */
static bool account_has(struct engine *engine, unsigned index, money wanted)
{
    const struct event_definition *definition = &engine->instruments[index].definition;
    money sum = wanted;
    for (unsigned other = 0; other < engine->instrument_count; other++) {
        const struct instrument *at = &engine->instruments[other];
        if (other != index && at->definition.contract == CONTRACT_SPOT &&
            at->definition.venue == definition->venue && at->definition.base == definition->base)
            sum = engine_add(engine, sum, quantity_of(engine, &at->position, at->position.units));
    }
    return money_compare(sum, ledger_balance(engine, definition->venue, definition->base)->total) <=
           0;
}

/* A venue that only has balances: the operator says how much of them is a position. */
static enum adoption named_position(struct engine *engine, unsigned index,
                                    const struct event_adopt *adopt, struct adoption_wish *wish)
{
    const struct instrument *instrument = &engine->instruments[index];
    const struct position *position = &instrument->position;
    money wanted;
    if (instrument->definition.contract != CONTRACT_SPOT)
        return ADOPTION_NOTHING;
    if (adopt->position.status != NUMBER_VALUE || adopt->position.units < 0)
        return ADOPTION_QUANTITY;
    if (__builtin_mul_overflow(adopt->position.units, position->per_quantity, &wish->units) ||
        !money_from_units(wish->units, position->exponent, &wanted))
        return ADOPTION_RANGE;
    wish->apart = true;
    return account_has(engine, index, wanted) ? ADOPTION_TAKEN : ADOPTION_FUNDS;
}

/* --- the price ------------------------------------------------------------------------------------- */

/* As he says; else the venue's average where all of the position is its; else the mark. Never without a fresh
 * mark, without which nobody knows what the position is worth. */
static enum adoption find_price(const struct engine *engine, unsigned index,
                                const struct event_adopt *adopt, struct adoption_wish *wish)
{
    const struct instrument *instrument = &engine->instruments[index];
    const int64_t entry = sync_entry_price(engine, index);
    int64_t mark2;
    bool stale;
    if (!market_mark2(&instrument->market, engine->now, &mark2, &stale) || stale)
        return ADOPTION_PRICE;
    wish->price = mark2 / 2 + (mark2 & mark2 / 2 & 1); /* half a unit goes to the even one */
    if (adopt->price.status == NUMBER_VALUE)
        wish->price = adopt->price.units;
    else if (adopt->price.status != NUMBER_ABSENT)
        return ADOPTION_PRICE;
    else if (!wish->apart && instrument->position.units == 0 && entry != 0)
        wish->price = entry;
    return wish->price > 0 && wish->price <= ENGINE_PRICE_MAX ? ADOPTION_TAKEN : ADOPTION_PRICE;
}

/* --- the act --------------------------------------------------------------------------------------- */

static enum adoption judge(struct engine *engine, unsigned index, const struct event_adopt *adopt,
                           struct adoption_wish *wish, int64_t *change)
{
    const struct instrument *instrument = &engine->instruments[index];
    struct position next = instrument->position;
    money quantity;
    enum adoption result = unsettled(engine, index);
    if (result == ADOPTION_TAKEN && adopt->position.status != NUMBER_VALUE &&
        adopt->position.status != NUMBER_ABSENT)
        result = ADOPTION_QUANTITY;
    if (result == ADOPTION_TAKEN)
        result = alarm_is_raised(engine, index, 0, ALARM_DRIFT)
                     ? venues_position(engine, index, adopt, wish)
                     : named_position(engine, index, adopt, wish);
    if (result == ADOPTION_TAKEN)
        result = find_price(engine, index, adopt, wish);
    if (result != ADOPTION_TAKEN)
        return result;
    const int128 units = (int128)wish->units - next.units;
    if (units == 0)
        return ADOPTION_NOTHING;
    if (!profit_is_known(engine))
        return ADOPTION_PROFIT;
    if (units > ENGINE_QUANTITY_MAX || units < -ENGINE_QUANTITY_MAX ||
        !position_adopt(&next, &instrument->definition, (int64_t)units, wish->price) ||
        !engine_is_money(next.value_adopted) ||
        !money_from_units(next.units, next.exponent, &quantity))
        return ADOPTION_RANGE;
    *change = (int64_t)units;
    return ADOPTION_TAKEN;
}

void adopt_take(struct engine *engine, const struct event_adopted *adopted)
{
    struct instrument *instrument = &engine->instruments[adopted->instrument];
    struct position *position = &instrument->position;
    const struct event_definition *definition = &instrument->definition;
    const money before = position->realised;
    if (adopted->result != ADOPTION_TAKEN)
        return;
    money unit = MONEY_ZERO;
    bool fits = money_from_units(1, position->exponent, &unit);
    ASSERT(fits); /* an exponent is 18 at most (event/codec.c) */
    const int128 units = adopted->change.atto / unit.atto;
    if (units == 0 || units > INT64_MAX || units < -INT64_MAX ||
        adopted->price.status != NUMBER_VALUE || adopted->price.units <= 0 ||
        !position_adopt(position, definition, (int64_t)units, adopted->price.units))
        return; /* a record that no engine writes is passed over */
    if (adopted->apart)
        position->apart += (int64_t)units;
    else
        position->adopted_as_of = adopted->as_of;
    /* Whatever it came to for the account, the balance that the venue told has it. */
    if (definition->contract != CONTRACT_SPOT)
        ledger_move_told(engine, definition->venue, ledger_profit_asset(definition),
                         engine_subtract(engine, position->realised, before));
}

static void take_over(struct engine *engine, unsigned index, const struct event_adopted *adopted)
{
    const money profit = profit_now(engine, index);
    adopt_take(engine, adopted);
    profit_rebase(engine, index, profit);
    sync_agree(engine, index);
    engine_mark_due(engine, index);
}

void adopt_command(struct engine *engine, const struct event_adopt *adopt)
{
    if (engine->folding || adopt->instrument >= engine->instrument_count)
        return; /* in a fold the decision comes from the tape */
    const unsigned index = adopt->instrument;
    const struct position *position = &engine->instruments[index].position;
    struct adoption_wish wish = {0, 0, false};
    struct event_adopted adopted = {.instrument = (uint16_t)index, .price = {0, NUMBER_ABSENT}};
    int64_t change = 0;
    adopted.result = (uint8_t)judge(engine, index, adopt, &wish, &change);
    adopted.change = quantity_of(engine, position, change);
    adopted.position = quantity_of(engine, position, position->units + change);
    if (adopted.result == ADOPTION_TAKEN) {
        adopted.price = (struct number){wish.price, NUMBER_VALUE};
        adopted.apart = wish.apart;
        adopted.as_of = wish.apart ? 0 : sync_position_time(engine, index);
    }
    engine_emit(engine, EVENT_adopted, index)->adopted = adopted;
    if (adopted.result == ADOPTION_TAKEN)
        take_over(engine, index, &adopted);
}
