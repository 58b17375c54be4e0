/* What balances and positions are worth: conversions by what the instruments' books and the tape's reference
 * rates say. Shown, never decided upon. */
#include "ops/view.h"

#include <string.h>

/* Twice the mid of an instrument, 0 where there is none. */
static int64_t mid2_of(const struct ops_view *view, unsigned index)
{
    const struct ops_view_instrument *instrument = &view->instruments[index];
    if (!instrument->known || !instrument->now.status.synchronised ||
        instrument->now.level_counts[SIDE_BUY] == 0 || instrument->now.level_counts[SIDE_SELL] == 0)
        return 0;
    return instrument->now.levels[SIDE_BUY][0].price + instrument->now.levels[SIDE_SELL][0].price;
}

/* By the mid of a spot instrument of the two assets. */
static bool by_instrument(const struct ops_view *view, unsigned index, money amount, unsigned from,
                          unsigned to, money *out)
{
    const struct event_definition *definition = &view->names->definitions[index];
    int64_t mid2 = mid2_of(view, index);
    int exponent = definition->price_exponent;
    if (definition->contract != CONTRACT_SPOT || mid2 <= 0 || exponent > 0 || exponent < -17)
        return false;
    int64_t one = 2 * power_of_ten(-exponent);
    if (definition->base == from && definition->quote == to)
        return money_scale(amount, mid2, one, MONEY_HALF_EVEN, out);
    if (definition->base == to && definition->quote == from)
        return money_scale(amount, one, mid2, MONEY_HALF_EVEN, out);
    return false;
}

/* A rate has up to 18 decimals, and a factor is 64 bits wide: nine of them count. */
static bool by_rate(const struct event_reference_rate *rate, money amount, bool divide, money *out)
{
    const int64_t one = INT64_C(1000000000);
    int128 factor = (rate->bid.atto / 2 + rate->ask.atto / 2) / one;
    if (factor <= 0 || factor > INT64_MAX)
        return false;
    return divide ? money_scale(amount, one, (int64_t)factor, MONEY_HALF_EVEN, out)
                  : money_scale(amount, (int64_t)factor, one, MONEY_HALF_EVEN, out);
}

static bool convert_directly(const struct ops_view *view, money amount, unsigned from, unsigned to,
                             money *out)
{
    if (from == to) {
        *out = amount;
        return true;
    }
    for (unsigned i = 0; i < view->names->instrument_count; i++)
        if (by_instrument(view, i, amount, from, to, out))
            return true;
    const struct event_reference_rate *there = &view->rates[from], *back = &view->rates[to];
    return (there->from == from && there->to == to && by_rate(there, amount, false, out)) ||
           (back->from == to && back->to == from && by_rate(back, amount, true, out));
}

bool ops_convert(const struct ops_view *view, money amount, unsigned from, unsigned to, money *out)
{
    money between;
    if (from >= view->names->asset_count || to >= view->names->asset_count)
        return false;
    if (convert_directly(view, amount, from, to, out))
        return true;
    for (unsigned asset = 0; asset < view->names->asset_count; asset++)
        if (asset != from && asset != to && convert_directly(view, amount, from, asset, &between) &&
            convert_directly(view, between, asset, to, out))
            return true;
    return false;
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
static bool add_open_profit(const struct ops_view *view, unsigned index, unsigned dollar,
                            money *equity)
{
    const struct event_definition *definition = &view->names->definitions[index];
    const struct ops_view_instrument *instrument = &view->instruments[index];
    money worth;
    if (definition->contract == CONTRACT_SPOT)
        return true;
    return instrument->known &&
           ops_convert(view, instrument->now.position.unrealised, definition->settle, dollar,
                       &worth) &&
           money_try_add(*equity, worth, equity);
}

static void sum_equity(struct ops_view *view)
{
    unsigned dollar = ops_dollar(view->names);
    money worth;
    view->equity = MONEY_ZERO;
    view->equity_known = view->account_known && dollar != EVENT_NONE_16 &&
                         view->account.balance_count > 0 &&
                         view->account.balance_count < OPS_BALANCES;
    for (uint32_t i = 0; view->equity_known && i < view->account.balance_count; i++) {
        const struct ops_balance *balance = &view->account.balances[i];
        if (balance->total.atto == 0)
            continue;
        view->equity_known = ops_convert(view, balance->total, balance->asset, dollar, &worth) &&
                             money_try_add(view->equity, worth, &view->equity);
    }
    for (unsigned i = 0; view->equity_known && i < view->names->instrument_count; i++)
        view->equity_known = add_open_profit(view, i, dollar, &view->equity);
}

void ops_value(struct ops_view *view)
{
    const struct engine_account_state *state = &view->account.state;
    unsigned dollar = ops_dollar(view->names);
    view->day_known = view->day_converted = false;
    view->profit_known = view->equity_known = false;
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
        view->day_converted =
            ops_convert(view, view->day_profit, state->currency, dollar, &view->day_profit);
}
