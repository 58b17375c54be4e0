/* OANDA: what a fill does to trades, profit and the account. Trades are closed first in, first out, and there
 * is never a long and a short one of an instrument at a time (US accounts). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/oanda.h"

enum { RATE_UNITS = 1000000000 };

/* --- conversion -------------------------------------------------------------------------------- */

/* amount x price of the instrument, or / price where it is quoted the other way round. Nothing needs no rate. */
static bool convert(const struct public_instrument *instrument, money amount, bool divide,
                    money *home)
{
    int64_t price = market_last_price(instrument);
    int exponent = instrument->definition.price_exponent;
    *home = amount;
    if (amount.atto == 0)
        return true;
    if (price <= 0 || exponent > 0)
        return false;
    int64_t unit = power_of_ten(-exponent);
    return divide ? money_scale(amount, unit, price, MONEY_HALF_EVEN, home)
                  : money_scale(amount, price, unit, MONEY_HALF_EVEN, home);
}

bool oanda_to_home(const struct oanda *venue, const struct event_definition *definition,
                   money amount, money *home)
{
    const struct market_view *market = venue->options.market;
    *home = amount;
    if (definition->quote == venue->home)
        return true;
    for (unsigned i = 0; i < market->count; i++) {
        const struct event_definition *other = &market->instruments[i].definition;
        if (other->base == venue->home && other->quote == definition->quote)
            return convert(&market->instruments[i], amount, true, home);
        if (other->base == definition->quote && other->quote == venue->home)
            return convert(&market->instruments[i], amount, false, home);
    }
    return false;
}

/* The same where a missing rate can only mean that no price came yet: nothing is converted then. */
static money to_home(const struct oanda *venue, const struct event_definition *definition,
                     money amount)
{
    money home = MONEY_ZERO;
    return oanda_to_home(venue, definition, amount, &home) ? home : MONEY_ZERO;
}

int64_t oanda_margin_rate(const struct oanda *venue, const struct event_definition *definition)
{
    static const char *const currencies[] = {"EUR", "USD", "GBP", "JPY",
                                             "CHF", "AUD", "CAD", "NZD"};
    const char *base = venue->options.names->assets[definition->base];
    for (size_t i = 0; i < sizeof currencies / sizeof currencies[0]; i++)
        if (strcmp(base, currencies[i]) == 0)
            return RATE_UNITS / 20; /* 5 % */
    return RATE_UNITS / 2;
}

/* --- values ------------------------------------------------------------------------------------ */

static const struct event_definition *definition_of(const struct oanda *venue, unsigned instrument)
{
    return &market_by_number(venue->options.market, instrument)->definition;
}

static money value_of(const struct event_definition *definition, int64_t price, int64_t units)
{
    money value = MONEY_ZERO;
    bool fits = money_linear_value(price, units, definition->multiplier,
                                   definition->price_exponent + definition->quantity_exponent +
                                       definition->multiplier_exponent,
                                   &value);
    ASSERT(fits);
    return value;
}

/* value x part / whole. */
static money share(money value, int64_t part, int64_t whole)
{
    money result = MONEY_ZERO;
    bool fits = money_scale(value, part, whole, MONEY_HALF_EVEN, &result);
    ASSERT(fits);
    return result;
}

static int64_t magnitude(int64_t units)
{
    return units < 0 ? -units : units;
}

/* price x |units| for an average price. */
static money worth(const struct event_definition *definition, money price, int64_t units)
{
    money value = MONEY_ZERO;
    bool fits = definition->quantity_exponent <= 0 &&
                money_scale(price, magnitude(units) * definition->multiplier,
                            power_of_ten(-definition->quantity_exponent), MONEY_HALF_EVEN, &value);
    ASSERT(fits);
    return value;
}

money oanda_unrealised(const struct oanda *venue, const struct oanda_trade *trade)
{
    const struct public_instrument *instrument =
        market_by_number(venue->options.market, trade->instrument);
    const struct event_definition *definition = &instrument->definition;
    struct book_level close = market_best(instrument, trade->current > 0 ? SIDE_BUY : SIDE_SELL);
    if (trade->current == 0 || close.quantity == 0)
        return MONEY_ZERO;
    money now = value_of(definition, close.price, magnitude(trade->current));
    money then = worth(definition, trade->price, trade->current);
    money gain = trade->current > 0 ? money_subtract(now, then) : money_subtract(then, now);
    return to_home(venue, definition, gain);
}

struct oanda_figures oanda_figures(const struct oanda *venue)
{
    struct oanda_figures figures = {0};
    const struct market_view *market = venue->options.market;
    figures.balance = money_add(venue->initial, venue->profit);
    for (size_t i = 0; i < venue->trade_count; i++) {
        figures.open_trades += venue->trades[i].current != 0;
        figures.unrealised =
            money_add(figures.unrealised, oanda_unrealised(venue, &venue->trades[i]));
    }
    for (unsigned i = 0; i < market->count; i++) {
        const struct public_instrument *instrument = &market->instruments[i];
        int64_t position = core_position(venue->options.core, instrument->instrument);
        money value = to_home(
            venue, &instrument->definition,
            value_of(&instrument->definition, market_last_price(instrument), magnitude(position)));
        figures.open_positions += position != 0;
        figures.position_value = money_add(figures.position_value, value);
        figures.margin_used =
            money_add(figures.margin_used,
                      share(value, oanda_margin_rate(venue, &instrument->definition), RATE_UNITS));
    }
    figures.worth = money_add(figures.balance, figures.unrealised);
    if (money_compare(figures.worth, figures.margin_used) > 0)
        figures.margin_available = money_subtract(figures.worth, figures.margin_used);
    figures.pending_orders = (unsigned)core_open_orders(venue->options.core, NULL, 0);
    return figures;
}

/* --- booking ----------------------------------------------------------------------------------- */

/* The oldest open trade against a fill of this sign; NULL. */
static struct oanda_trade *oldest_against(struct oanda *venue, unsigned instrument, int64_t units)
{
    for (size_t i = 0; i < venue->trade_count; i++) {
        struct oanda_trade *trade = &venue->trades[i];
        if (trade->instrument == instrument && trade->current != 0 &&
            (trade->current > 0) != (units > 0))
            return trade;
    }
    return NULL;
}

/* Close `units` (signed as the fill) of a trade at what `value` is for |units|. */
static struct oanda_change close_part(struct oanda *venue, struct oanda_trade *trade, int64_t units,
                                      money value, int64_t time)
{
    const struct event_definition *definition = definition_of(venue, trade->instrument);
    money cost = worth(definition, trade->price, units);
    money gain = trade->current > 0 ? money_subtract(value, cost) : money_subtract(cost, value);
    money profit = to_home(venue, definition, gain);
    bool fits = money_round(profit, -OANDA_MONEY_DECIMALS, MONEY_HALF_EVEN, &profit);
    ASSERT(fits);
    unsigned side = trade->current > 0 ? 0 : 1;
    money *total = &venue->profits[(size_t)trade->instrument * 2 + side];
    *total = money_add(*total, profit);
    venue->profit = money_add(venue->profit, profit);
    trade->realised = money_add(trade->realised, profit);
    trade->current += units;
    if (trade->current == 0)
        trade->closed = time;
    return (struct oanda_change){trade->id, units, profit};
}

/* Close what is open the other way, as far as this fill goes. Returns what is left of it. */
static int64_t close_trades(struct oanda *venue, unsigned instrument, int64_t units, money value,
                            struct oanda_fill *fill, int64_t time)
{
    int64_t whole = magnitude(units);
    struct oanda_trade *trade;
    while (units != 0 && fill->closed_count < OANDA_CLOSED_MAX &&
           (trade = oldest_against(venue, instrument, units))) {
        bool reduces = magnitude(trade->current) > magnitude(units);
        int64_t part = reduces ? units : -trade->current;
        struct oanda_change change =
            close_part(venue, trade, part, share(value, magnitude(part), whole), time);
        fill->profit = money_add(fill->profit, change.profit);
        if (reduces)
            fill->reduced = change;
        else
            fill->closed[fill->closed_count++] = change;
        units -= part;
    }
    return units;
}

static void open_trade(struct oanda *venue, unsigned instrument, uint64_t id, int64_t units,
                       money price, int64_t time)
{
    if (venue->trade_count == venue->trade_capacity) {
        venue->trade_capacity = venue->trade_capacity ? 2 * venue->trade_capacity : 64;
        venue->trades = realloc(venue->trades, venue->trade_capacity * sizeof *venue->trades);
        ASSERT(venue->trades);
    }
    venue->trades[venue->trade_count++] = (struct oanda_trade){.id = id,
                                                               .instrument = (uint16_t)instrument,
                                                               .initial = units,
                                                               .current = units,
                                                               .price = price,
                                                               .opened = time};
}

/* The average price on one digit more than the venue shows would not be told: it is kept as it is told. */
static money average(const struct event_definition *definition, money value, int64_t quantity)
{
    money price = MONEY_ZERO;
    bool fits = definition->quantity_exponent <= 0 &&
                money_scale(value, power_of_ten(-definition->quantity_exponent),
                            quantity * definition->multiplier, MONEY_HALF_EVEN, &price) &&
                money_round(price, definition->price_exponent, MONEY_HALF_EVEN, &price);
    ASSERT(fits);
    return price;
}

static money half_spread(const struct oanda *venue, const struct public_instrument *instrument,
                         const struct oanda_fill *fill, int64_t quantity)
{
    if (fill->bid.quantity == 0 || fill->ask.quantity == 0 || fill->ask.price < fill->bid.price)
        return MONEY_ZERO;
    money spread = value_of(&instrument->definition, fill->ask.price - fill->bid.price, quantity);
    return share(to_home(venue, &instrument->definition, spread), 1, 2);
}

void oanda_book_fill(struct oanda *venue, struct core_order *order, int64_t quantity, money value,
                     int64_t time)
{
    struct public_instrument *instrument =
        market_by_number(venue->options.market, order->instrument);
    struct oanda_order *details = order->protocol;
    struct oanda_fill *fill = calloc(1, sizeof *fill);
    ASSERT(fill);
    fill->units = order->side == SIDE_BUY ? quantity : -quantity;
    fill->price = average(&instrument->definition, value, quantity);
    fill->bid = market_best(instrument, SIDE_BUY);
    fill->ask = market_best(instrument, SIDE_SELL);
    fill->half_spread_cost = half_spread(venue, instrument, fill, quantity);
    struct oanda_transaction *transaction = oanda_new(venue, OANDA_ORDER_FILL, time);
    int64_t left = close_trades(venue, order->instrument, fill->units, value, fill, time);
    if (left != 0) {
        fill->opened = (struct oanda_change){transaction->id, left, MONEY_ZERO};
        open_trade(venue, order->instrument, transaction->id, left, fill->price, time);
    }
    fill->balance = money_add(venue->initial, venue->profit);
    transaction->instrument = order->instrument;
    transaction->order = details->id;
    transaction->reason = order->is_market ? "MARKET_ORDER" : "LIMIT_ORDER";
    transaction->fill = fill;
    snprintf(transaction->client, sizeof transaction->client, "%s", order->client);
    details->filling = transaction->id;
    details->filled_time = time;
    oanda_publish(venue);
}
