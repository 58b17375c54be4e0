/* What balances and positions are worth: conversions by the instruments' marks (trading-semantics 14) and the tape's
 * reference rates. Shown, never decided upon. */
#include "ops/view.h"

#include <string.h>

/* Of two assets: no way leads from one to the other; one does, but nothing told its price yet; it is known. */
enum way { WAY_NONE, WAY_UNPRICED, WAY_PRICED };

/* Which way is taken depends on what instruments there are and never on how their markets do: so a book that is lost
 * makes a figure old, and doesn't have it jump to that of another venue. */
struct conversion {
    const struct ops_view *view;
    unsigned venue; /* whose instruments come first */
    bool stale;     /* a mark was used that is only the last known */
};

/* By the mark of a spot instrument of the two assets. */
static enum way by_instrument(struct conversion *by, unsigned index, money amount, unsigned from,
                              unsigned to, money *out)
{
    const struct event_definition *definition = &by->view->names->definitions[index];
    const struct ops_view_instrument *instrument = &by->view->instruments[index];
    const bool sells = definition->base == from && definition->quote == to;
    const bool buys = definition->base == to && definition->quote == from;
    int exponent = definition->price_exponent;
    if (definition->contract != CONTRACT_SPOT || exponent > 0 || exponent < -17 || !(sells || buys))
        return WAY_NONE;
    int64_t mark2 = instrument->known ? instrument->now.position.mark2 : 0;
    int64_t one = 2 * power_of_ten(-exponent);
    if (mark2 <= 0 ||
        !money_scale(amount, sells ? mark2 : one, sells ? one : mark2, MONEY_HALF_EVEN, out))
        return WAY_UNPRICED;
    by->stale |= instrument->now.position.mark_stale;
    return WAY_PRICED;
}

/* A rate has up to 18 decimals, and a factor is 64 bits wide: nine of them count. */
static enum way by_rate(const struct event_reference_rate *rate, money amount, bool divide,
                        money *out)
{
    const int64_t one = INT64_C(1000000000);
    int128 factor = (rate->bid.atto / 2 + rate->ask.atto / 2) / one;
    if (factor <= 0 || factor > INT64_MAX)
        return WAY_UNPRICED;
    return money_scale(amount, divide ? one : (int64_t)factor, divide ? (int64_t)factor : one,
                       MONEY_HALF_EVEN, out)
               ? WAY_PRICED
               : WAY_UNPRICED;
}

/* By the first instrument of the venue; or, with `others`, of another one. */
static enum way over_venue(struct conversion *by, bool others, money amount, unsigned from,
                           unsigned to, money *out)
{
    const struct event_names *names = by->view->names;
    enum way way = WAY_NONE;
    for (unsigned i = 0; i < names->instrument_count && way == WAY_NONE; i++)
        if ((names->definitions[i].venue != by->venue) == others)
            way = by_instrument(by, i, amount, from, to, out);
    return way;
}

static enum way over_rates(const struct ops_view *view, money amount, unsigned from, unsigned to,
                           money *out)
{
    const struct event_reference_rate *there = &view->rates[from], *back = &view->rates[to];
    if (there->from == from && there->to == to)
        return by_rate(there, amount, false, out);
    if (back->from == to && back->to == from)
        return by_rate(back, amount, true, out);
    return WAY_NONE;
}

static enum way directly(struct conversion *by, money amount, unsigned from, unsigned to,
                         money *out)
{
    enum way way = over_venue(by, false, amount, from, to, out);
    if (way == WAY_NONE)
        way = over_venue(by, true, amount, from, to, out);
    if (way == WAY_NONE)
        way = over_rates(by->view, amount, from, to, out);
    return way;
}

/* The venue trades it, as the base of an instrument against that. */
static bool is_priced_in(const struct conversion *by, unsigned from, unsigned in)
{
    const struct event_names *names = by->view->names;
    for (unsigned i = 0; i < names->instrument_count; i++) {
        const struct event_definition *definition = &names->definitions[i];
        if (definition->contract == CONTRACT_SPOT && definition->venue == by->venue &&
            definition->base == from && definition->quote == in)
            return true;
    }
    return false;
}

/* Over one asset between: with `own`, one in which the venue itself prices what is converted. */
static enum way in_two_steps(struct conversion *by, bool own, money amount, unsigned from,
                             unsigned to, money *out)
{
    const bool stale = by->stale;
    money between;
    for (unsigned asset = 0; asset < by->view->names->asset_count; asset++) {
        if (asset == from || asset == to || (own && !is_priced_in(by, from, asset)))
            continue;
        enum way first = directly(by, amount, from, asset, &between);
        enum way second =
            first == WAY_NONE
                ? WAY_NONE
                : directly(by, first == WAY_PRICED ? between : MONEY_ZERO, asset, to, out);
        if (second != WAY_NONE)
            return first == WAY_PRICED ? second : WAY_UNPRICED;
        by->stale = stale;
    }
    return WAY_NONE;
}

bool ops_convert(const struct ops_view *view, unsigned venue, money amount, unsigned from,
                 unsigned to, money *out, bool *stale)
{
    struct conversion by = {.view = view, .venue = venue};
    if (from >= view->names->asset_count || to >= view->names->asset_count)
        return false;
    if (from == to) {
        *out = amount;
        return true;
    }
    enum way way = over_venue(&by, false, amount, from, to, out);
    if (way == WAY_NONE)
        way = in_two_steps(&by, true, amount, from, to, out);
    if (way == WAY_NONE)
        way = directly(&by, amount, from, to, out);
    if (way == WAY_NONE)
        way = in_two_steps(&by, false, amount, from, to, out);
    *stale |= way == WAY_PRICED && by.stale;
    return way == WAY_PRICED;
}

unsigned ops_dollar(const struct event_names *names)
{
    for (unsigned asset = 0; asset < names->asset_count; asset++)
        if (strcmp(names->assets[asset], "USD") == 0)
            return asset;
    return EVENT_NONE_16;
}

unsigned ops_profit_asset(const struct event_definition *definition)
{
    return definition->contract == CONTRACT_SPOT ? definition->quote : definition->settle;
}

bool ops_worth(const struct engine_position *position, money *worth)
{
    return money_try_add(position->realised, position->unrealised, worth) &&
           money_try_add(*worth, position->funding, worth) &&
           money_try_subtract(*worth, position->fees, worth);
}

/* Without limits the engine keeps no sum: that of the instruments, where it is in one asset. */
static void sum_profit(struct ops_view *view)
{
    money worth;
    view->profit = MONEY_ZERO;
    view->currency = EVENT_NONE_16;
    view->profit_known = view->names->instrument_count > 0;
    for (unsigned i = 0; i < view->names->instrument_count && view->profit_known; i++) {
        const struct ops_view_instrument *instrument = &view->instruments[i];
        unsigned asset = ops_profit_asset(&view->names->definitions[i]);
        if (view->currency == EVENT_NONE_16)
            view->currency = (uint16_t)asset;
        view->profit_known = instrument->known && view->currency == asset &&
                             ops_worth(&instrument->now.position, &worth) &&
                             money_try_add(view->profit, worth, &view->profit);
    }
}

/* Contracts: what balances do not hold yet. */
static bool add_open_profit(struct ops_view *view, unsigned index, unsigned dollar)
{
    const struct event_definition *definition = &view->names->definitions[index];
    const struct ops_view_instrument *instrument = &view->instruments[index];
    const struct engine_position *position = &instrument->now.position;
    money worth;
    if (definition->contract == CONTRACT_SPOT)
        return true;
    if (!instrument->known)
        return false;
    if (position->position.atto == 0)
        return true;
    view->equity_stale |= position->mark_stale;
    return position->mark2 > 0 &&
           ops_convert(view, definition->venue, position->unrealised, definition->settle, dollar,
                       &worth, &view->equity_stale) &&
           money_try_add(view->equity, worth, &view->equity);
}

static void sum_equity(struct ops_view *view)
{
    unsigned dollar = ops_dollar(view->names);
    money worth;
    view->equity = MONEY_ZERO;
    view->equity_stale = false;
    view->equity_known = view->account_known && dollar != EVENT_NONE_16 &&
                         view->account.balance_count > 0 &&
                         view->account.balance_count < OPS_BALANCES;
    for (uint32_t i = 0; view->equity_known && i < view->account.balance_count; i++) {
        const struct ops_balance *balance = &view->account.balances[i];
        if (balance->total.atto == 0)
            continue;
        view->equity_known = ops_convert(view, balance->venue, balance->total, balance->asset,
                                         dollar, &worth, &view->equity_stale) &&
                             money_try_add(view->equity, worth, &view->equity);
    }
    for (unsigned i = 0; view->equity_known && i < view->names->instrument_count; i++)
        view->equity_known = add_open_profit(view, i, dollar);
    view->equity_stale &= view->equity_known;
}

void ops_value(struct ops_view *view)
{
    const struct engine_account_state *state = &view->account.state;
    unsigned dollar = ops_dollar(view->names);
    bool stale = false;
    view->day_known = view->day_converted = false;
    view->profit_known = view->equity_known = view->equity_stale = false;
    if (!view->account_known)
        return;
    sum_equity(view);
    if (state->known) {
        view->profit_known = true;
        view->profit = state->profit;
        view->currency = state->currency;
        view->day_known = money_try_subtract(state->profit, state->day_start, &view->day_profit);
    } else {
        sum_profit(view);
    }
    if (view->day_known)
        view->day_converted = ops_convert(view, EVENT_NONE_16, view->day_profit, state->currency,
                                          dollar, &view->day_profit, &stale);
}
