/* The account at the simulated venue: what it holds, what orders hold back, and fees
 * (trading-semantics 9, 11, 17). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "venue/sim/state.h"

enum { RATE_UNITS = 1000000000 }; /* a rate is in 1e-9 */

static size_t holding(const struct sim *sim, unsigned venue, unsigned asset)
{
    ASSERT(asset < sim->asset_count);
    return (size_t)venue * sim->asset_count + asset;
}

/* The run ends after this step: the sum stays as it was. */
static void overflow(struct sim *sim, unsigned instrument)
{
    if (sim->overflow)
        return;
    sim->overflow = true;
    sim->overflow_instrument = instrument;
}

/* --- sim.balances ---------------------------------------------------------------------------- */

static void skip_spaces(const char **text)
{
    while (**text && isspace((unsigned char)**text))
        ++*text;
}

/* The length of a word up to a space, a comma or the end. */
static size_t word_length(const char *text)
{
    size_t length = 0;
    while (text[length] && text[length] != ',' && !isspace((unsigned char)text[length]))
        length++;
    return length;
}

static int find_asset(const struct event_names *names, const char *text, size_t length)
{
    for (unsigned asset = 0; asset < names->asset_count; asset++)
        if (strlen(names->assets[asset]) == length &&
            memcmp(names->assets[asset], text, length) == 0)
            return (int)asset;
    return -1;
}

/* One "100000 USDT"; moves `text` behind it. */
static int read_balance(struct sim *sim, unsigned venue, const char **text, struct error *error)
{
    const char *name = sim->names->venues[venue];
    const char *number = *text;
    size_t number_length = word_length(number);
    money amount;
    if (money_from_text(number, number_length, &amount) != NUMBER_VALUE || amount.atto < 0)
        return error_set(
            error, ERROR_INPUT,
            "sim.balances of %s: '%.*s' is no amount; expected \"100000 USDT, 1.5 BTC\"", name,
            (int)number_length, number);
    *text += number_length;
    skip_spaces(text);
    const char *word = *text;
    size_t length = word_length(word);
    int asset = find_asset(sim->names, word, length);
    if (asset < 0)
        return error_set(error, ERROR_INPUT, "sim.balances of %s: the tape has no asset '%.*s'",
                         name, (int)length, word);
    size_t at = holding(sim, venue, (unsigned)asset);
    if (sim->configured[at])
        return error_set(error, ERROR_INPUT, "sim.balances of %s: '%.*s' stands there twice", name,
                         (int)length, word);
    sim->configured[at] = true;
    sim->limited[venue] = true;
    sim->balances[at] = amount;
    *text += length;
    return 0;
}

static int read_balances(struct sim *sim, unsigned venue, const char *text, struct error *error)
{
    skip_spaces(&text);
    while (*text) {
        if (read_balance(sim, venue, &text, error))
            return error->code;
        skip_spaces(&text);
        if (*text && *text != ',')
            return error_set(error, ERROR_INPUT, "sim.balances of %s: expected a comma before '%s'",
                             sim->names->venues[venue], text);
        if (*text)
            text++;
        skip_spaces(&text);
    }
    return 0;
}

int sim_account_open(struct sim *sim, const struct settings_venue *venues, struct error *error)
{
    size_t count = (size_t)sim->venue_count * sim->asset_count + 1;
    sim->balances = calloc(count, sizeof *sim->balances);
    sim->reserved = calloc(count, sizeof *sim->reserved);
    sim->configured = calloc(count, sizeof *sim->configured);
    sim->limited = calloc(sim->venue_count + 1u, sizeof *sim->limited);
    if (!sim->balances || !sim->reserved || !sim->configured || !sim->limited)
        return error_set(error, ERROR_SYSTEM, "no memory for the simulated account");
    for (unsigned venue = 0; venue < sim->venue_count; venue++)
        if (read_balances(sim, venue, venues[venue].sim_balances.text, error))
            return error->code;
    return 0;
}

/* --- values ---------------------------------------------------------------------------------- */

static int value_exponent(const struct event_definition *definition)
{
    return definition->price_exponent + definition->quantity_exponent +
           definition->multiplier_exponent;
}

bool sim_notional(const struct event_definition *definition, int64_t price, int64_t quantity,
                  money *value)
{
    if (definition->contract != CONTRACT_INVERSE)
        return money_linear_value(price, quantity, definition->multiplier,
                                  value_exponent(definition), value);
    return money_linear_value(1, quantity, definition->multiplier,
                              definition->quantity_exponent + definition->multiplier_exponent,
                              value);
}

/* What a fill is worth in the asset that fees on value are paid in: coin for inverse contracts,
 * rounded at the fill (trading-semantics 11). */
static bool fill_value(const struct event_definition *definition, int64_t price, int64_t quantity,
                       money *value)
{
    enum { COIN_EXPONENT = -8 };
    if (definition->contract != CONTRACT_INVERSE)
        return sim_notional(definition, price, quantity, value);
    int exponent = definition->quantity_exponent + definition->multiplier_exponent -
                   definition->price_exponent;
    return money_inverse_value(price, quantity, definition->multiplier, exponent, COIN_EXPONENT,
                               MONEY_HALF_EVEN, value);
}

static bool base_amount(const struct event_definition *definition, int64_t quantity, money *amount)
{
    return money_linear_value(1, quantity, definition->multiplier,
                              definition->quantity_exponent + definition->multiplier_exponent,
                              amount);
}

/* Part of an amount, against us, in the commission precision of its asset. */
static bool fee_of(money amount, int64_t rate, int exponent, money *fee)
{
    money exact;
    return money_scale(amount, rate, RATE_UNITS, MONEY_UP, &exact) &&
           money_round(exact, exponent, MONEY_UP, fee);
}

static int commission_exponent(const struct event_definition *definition, uint16_t asset)
{
    return asset == definition->base ? definition->base_commission_exponent
                                     : definition->quote_commission_exponent;
}

static uint16_t fee_asset_of(const struct event_definition *definition, enum side side)
{
    if (definition->fee_asset == FEE_IN_SETTLE)
        return definition->settle;
    if (definition->fee_asset == FEE_IN_RECEIVED && definition->contract == CONTRACT_SPOT)
        return side == SIDE_BUY ? definition->base : definition->quote;
    return definition->contract == CONTRACT_INVERSE ? definition->settle : definition->quote;
}

/* --- funds ----------------------------------------------------------------------------------- */

static uint16_t paying_asset(const struct event_definition *definition, enum side side)
{
    return side == SIDE_BUY ? definition->quote : definition->base;
}

/* A buy holds back its value and, where the fee is in quote, the larger fee; a sell its quantity.
 * False where that passes what money can hold. */
static bool reserve_of(const struct event_definition *definition, enum side side, int64_t price,
                       int64_t quantity, money *reserve)
{
    if (side == SIDE_SELL)
        return base_amount(definition, quantity, reserve);
    money value, fee = MONEY_ZERO;
    if (!fill_value(definition, price, quantity, &value))
        return false;
    int64_t rate = definition->maker_fee > definition->taker_fee ? definition->maker_fee
                                                                 : definition->taker_fee;
    if (rate > 0 && fee_asset_of(definition, side) == definition->quote &&
        !fee_of(value, rate, definition->quote_commission_exponent, &fee))
        return false;
    return money_try_add(value, fee, reserve);
}

bool sim_funds_suffice(const struct sim *sim, unsigned instrument, enum side side, int64_t price,
                       int64_t quantity, money held, money *reserve)
{
    const struct event_definition *definition = &sim->instruments[instrument].definition;
    *reserve = MONEY_ZERO;
    if (definition->contract != CONTRACT_SPOT)
        return true;
    if (!reserve_of(definition, side, price, quantity, reserve))
        return false;
    if (!sim->limited[definition->venue])
        return true;
    size_t at = holding(sim, definition->venue, paying_asset(definition, side));
    money free;
    return money_try_subtract(sim->balances[at], sim->reserved[at], &free) &&
           money_try_add(free, held, &free) && money_compare(*reserve, free) <= 0;
}

void sim_funds_hold(struct sim *sim, struct sim_order *order)
{
    const struct event_definition *definition = &sim->instruments[order->instrument].definition;
    if (definition->contract != CONTRACT_SPOT)
        return;
    money reserve = MONEY_ZERO, change = MONEY_ZERO;
    /* It did fit for the whole order, but the venue may have other fees since. */
    if (order->left > 0 && order->state == SIM_LIVE &&
        !reserve_of(definition, order->side, order->price, order->left, &reserve))
        overflow(sim, order->instrument);
    size_t at = holding(sim, definition->venue, paying_asset(definition, order->side));
    if (!money_try_subtract(reserve, order->reserved, &change) ||
        !money_try_add(sim->reserved[at], change, &sim->reserved[at]))
        overflow(sim, order->instrument);
    order->reserved = reserve;
}

/* --- fills ----------------------------------------------------------------------------------- */

static void move(struct sim *sim, unsigned instrument, unsigned asset, money amount)
{
    size_t at = holding(sim, sim->instruments[instrument].definition.venue, asset);
    if (!money_try_add(sim->balances[at], amount, &sim->balances[at]))
        overflow(sim, instrument);
}

/* Contracts and lots; base as a spot venue takes its fee of it. */
static void move_position(struct sim *sim, const struct sim_order *order, int64_t quantity,
                          money base_fee)
{
    struct sim_instrument *instrument = &sim->instruments[order->instrument];
    int64_t change = order->side == SIDE_BUY ? quantity : -quantity;
    if (__builtin_add_overflow(instrument->position, change, &instrument->position) ||
        !money_try_add(instrument->base_fees, base_fee, &instrument->base_fees))
        overflow(sim, order->instrument);
}

void sim_account_fill(struct sim *sim, const struct sim_order *order, int64_t price,
                      int64_t quantity, enum liquidity liquidity, money *fee, uint16_t *asset)
{
    const struct event_definition *definition = &sim->instruments[order->instrument].definition;
    int64_t rate = liquidity == LIQUIDITY_MAKER ? definition->maker_fee : definition->taker_fee;
    bool spot = definition->contract == CONTRACT_SPOT;
    money value, base = MONEY_ZERO;
    *asset = fee_asset_of(definition, order->side);
    bool fits = fill_value(definition, price, quantity, &value) &&
                (!spot || base_amount(definition, quantity, &base)) &&
                fee_of(spot && *asset == definition->base ? base : value, rate,
                       commission_exponent(definition, *asset), fee);
    if (!fits) { /* a sell far above its limit can be worth more than the order was */
        overflow(sim, order->instrument);
        *fee = MONEY_ZERO;
        return;
    }
    if (spot && order->side == SIDE_BUY) {
        move(sim, order->instrument, definition->base, base);
        move(sim, order->instrument, definition->quote, money_negate(value));
    } else if (spot) {
        move(sim, order->instrument, definition->base, money_negate(base));
        move(sim, order->instrument, definition->quote, value);
    }
    move(sim, order->instrument, *asset, money_negate(*fee));
    move_position(sim, order, quantity, spot && *asset == definition->base ? *fee : MONEY_ZERO);
}

/* --- snapshot -------------------------------------------------------------------------------- */

/* Contracts book what they realise and their funding in the engine only. */
static bool is_margin_asset(const struct sim *sim, unsigned venue, unsigned asset)
{
    for (unsigned i = 0; i < sim->instrument_count; i++) {
        const struct event_definition *definition = &sim->instruments[i].definition;
        if (definition->venue == venue && definition->contract != CONTRACT_SPOT &&
            definition->settle == asset)
            return true;
    }
    return false;
}

static void tell_balances(struct sim *sim, unsigned venue)
{
    for (unsigned asset = 0; asset < sim->asset_count; asset++) {
        size_t at = holding(sim, venue, asset);
        money available = MONEY_ZERO;
        if (!sim->configured[at] || is_margin_asset(sim, venue, asset))
            continue;
        if (!money_try_subtract(sim->balances[at], sim->reserved[at], &available))
            overflow(sim, EVENT_NONE_16);
        sim_answer_new(sim, venue, EVENT_balance, EVENT_NONE_16)->balance =
            (struct event_balance){(uint8_t)venue, (uint16_t)asset, sim->balances[at], available};
    }
}

/* What fills made of it, less the fees that were taken in base, in whole quantity units. */
static int64_t told_position(struct sim *sim, unsigned index)
{
    const struct sim_instrument *instrument = &sim->instruments[index];
    money unit, fees;
    if (instrument->base_fees.atto == 0 ||
        !money_from_units(1, instrument->definition.quantity_exponent, &unit) ||
        !money_round(instrument->base_fees, instrument->definition.quantity_exponent,
                     MONEY_HALF_EVEN, &fees))
        return instrument->position;
    int128 told = instrument->position - fees.atto / unit.atto;
    if (told > INT64_MAX || told < INT64_MIN) {
        overflow(sim, index);
        return instrument->position;
    }
    return (int64_t)told;
}

static void tell_order(struct sim *sim, unsigned venue, const struct sim_order *order)
{
    sim_answer_new(sim, venue, EVENT_open_order, order->instrument)->open_order =
        (struct event_open_order){order->instrument,
                                  order->id,
                                  sim_venue_id("sim-order-", order->number),
                                  order->side,
                                  {order->price, NUMBER_VALUE},
                                  {order->left, NUMBER_VALUE}};
}

void sim_tell_account(struct sim *sim, unsigned venue, int64_t taken)
{
    tell_balances(sim, venue);
    for (unsigned i = 0; i < sim->instrument_count; i++) {
        if (sim->instruments[i].definition.venue != venue)
            continue;
        int64_t position = told_position(sim, i);
        sim_answer_new(sim, venue, EVENT_venue_position, i)->venue_position =
            (struct event_venue_position){(uint16_t)i, {position, NUMBER_VALUE}};
        for (unsigned side = 0; side < 2; side++)
            for (const struct sim_order *order = sim_order_best(sim, i, (enum side)side); order;
                 order = sim_order_next(sim, order))
                tell_order(sim, venue, order);
    }
    sim_answer_new(sim, venue, EVENT_snapshot_end, EVENT_NONE_16)->snapshot_end =
        (struct event_snapshot_end){(uint8_t)venue, taken};
}

money sim_balance(const struct venue *venue, unsigned venue_index, unsigned asset)
{
    const struct sim *sim = (const struct sim *)venue;
    return sim->balances[holding(sim, venue_index, asset)];
}

money sim_reserved(const struct venue *venue, unsigned venue_index, unsigned asset)
{
    const struct sim *sim = (const struct sim *)venue;
    return sim->reserved[holding(sim, venue_index, asset)];
}
