/* OANDA: the account, its orders, positions and trades, what can be traded, and prices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/oanda.h"

enum { USER_ID = 1000001, ORDERS_DEFAULT = 50, ORDERS_MAX = 500 };

static void write_money(struct json *json, const char *name, money amount)
{
    json_money(json, name, amount, OANDA_MONEY_DECIMALS);
}

/* --- orders ------------------------------------------------------------------------------------ */

struct core_order *oanda_find_order(const struct oanda *venue, const char *specifier)
{
    struct core *core = venue->options.core;
    if (*specifier == '@') {
        struct core_order *order = core_order_by_client(core, specifier + 1);
        return order && order->state == CORE_OPEN ? order : NULL;
    }
    uint64_t id = strtoull(specifier, NULL, 10);
    for (size_t i = core_order_count(core); i-- > 0;) {
        struct core_order *order = core_order(core, i);
        const struct oanda_order *details = order->protocol;
        if (details->id == id)
            return order;
    }
    return NULL;
}

static const char *state_of(const struct core_order *order)
{
    return order->state == CORE_OPEN     ? "PENDING"
           : order->state == CORE_FILLED ? "FILLED"
                                         : "CANCELLED";
}

static void write_extensions(struct json *json, const struct oanda_details *details)
{
    if (!*details->client && !*details->tag && !*details->comment)
        return;
    json_open(json, "clientExtensions", '{');
    if (*details->client)
        json_text(json, "id", details->client);
    if (*details->tag)
        json_text(json, "tag", details->tag);
    if (*details->comment)
        json_text(json, "comment", details->comment);
    json_close(json, '}');
}

static void write_ends(const struct oanda *venue, const struct core_order *order, bool unix_time,
                       struct json *json)
{
    const struct oanda_order *details = order->protocol;
    if (details->filling && order->state != CORE_OPEN) {
        oanda_write_id(json, "fillingTransactionID", details->filling);
        oanda_write_time(venue, json, "filledTime", details->filled_time, unix_time);
    }
    if (details->cancelling) {
        oanda_write_id(json, "cancellingTransactionID", details->cancelling);
        oanda_write_time(venue, json, "cancelledTime", details->cancelled_time, unix_time);
    }
    if (details->details.replaces)
        oanda_write_id(json, "replacesOrderID", details->details.replaces);
    if (details->replaced_by)
        oanda_write_id(json, "replacedByOrderID", details->replaced_by);
}

static void write_order(const struct oanda *venue, const struct core_order *order, bool unix_time,
                        const char *name, struct json *json)
{
    const struct oanda_order *own = order->protocol;
    const struct oanda_details *details = &own->details;
    json_open(json, name, '{');
    oanda_write_id(json, "id", own->id);
    oanda_write_time(venue, json, "createTime", order->created, unix_time);
    json_text(json, "state", state_of(order));
    json_text(json, "type", details->is_market ? "MARKET" : "LIMIT");
    json_text(json, "instrument", details->instrument);
    json_text(json, "units", details->units);
    if (*details->price)
        json_text(json, details->is_market ? "priceBound" : "price", details->price);
    json_text(json, "timeInForce", details->time_in_force);
    if (details->expires != TIME_NEVER)
        oanda_write_time(venue, json, "gtdTime", details->expires, unix_time);
    json_text(json, "positionFill", details->position_fill);
    if (!details->is_market)
        json_text(json, "triggerCondition", details->trigger);
    write_extensions(json, details);
    write_ends(venue, order, unix_time, json);
    json_close(json, '}');
}

static void write_pending(struct oanda_call *call)
{
    struct core_order *orders[CORE_ORDERS_LIVE_MAX];
    size_t count = core_open_orders(call->venue->options.core, orders, CORE_ORDERS_LIVE_MAX);
    json_open(call->body, "orders", '[');
    for (size_t i = count < CORE_ORDERS_LIVE_MAX ? count : CORE_ORDERS_LIVE_MAX; i-- > 0;)
        write_order(call->venue, orders[i], call->unix_time, NULL, call->body);
    json_close(call->body, ']');
}

void oanda_get_pending_orders(struct oanda_call *call)
{
    json_open(call->body, NULL, '{');
    write_pending(call);
    oanda_write_last(call->venue, call->body);
    json_close(call->body, '}');
}

/* Newest first: of a state, an instrument, before an id. */
void oanda_get_orders(struct oanda_call *call)
{
    const struct core *core = call->venue->options.core;
    const char *state = parameter(call->parameters, "state");
    const char *instrument = parameter(call->parameters, "instrument");
    int64_t count = ORDERS_DEFAULT, before = INT64_MAX;
    if (!parameter_integer(call->parameters, "count", &count) || count < 1 || count > ORDERS_MAX ||
        !parameter_integer(call->parameters, "beforeID", &before)) {
        oanda_error(call, 400, "Invalid value specified for 'count' or 'beforeID'");
        return;
    }
    json_open(call->body, NULL, '{');
    json_open(call->body, "orders", '[');
    for (size_t i = core_order_count(core); i-- > 0 && count > 0;) {
        const struct core_order *order = core_order(core, i);
        const struct oanda_order *details = order->protocol;
        bool any = state && strcmp(state, "ALL") == 0;
        if ((!any && strcmp(state_of(order), state ? state : "PENDING") != 0) ||
            (instrument && strcmp(instrument, details->details.instrument) != 0) ||
            (int64_t)details->id >= before)
            continue;
        write_order(call->venue, order, call->unix_time, NULL, call->body);
        count--;
    }
    json_close(call->body, ']');
    oanda_write_last(call->venue, call->body);
    json_close(call->body, '}');
}

void oanda_get_order(struct oanda_call *call)
{
    const struct core_order *order = oanda_find_order(call->venue, call->path->parts[3]);
    if (!order) {
        oanda_error(call, 404, "The order ID specified does not exist");
        return;
    }
    json_open(call->body, NULL, '{');
    write_order(call->venue, order, call->unix_time, "order", call->body);
    oanda_write_last(call->venue, call->body);
    json_close(call->body, '}');
}

/* --- trades ------------------------------------------------------------------------------------ */

static void write_trade(const struct oanda *venue, const struct oanda_trade *trade, bool unix_time,
                        struct json *json)
{
    const struct event_definition *definition =
        &market_by_number(venue->options.market, trade->instrument)->definition;
    json_open(json, NULL, '{');
    oanda_write_id(json, "id", trade->id);
    json_text(json, "instrument", venue->options.names->symbols[trade->instrument]);
    json_money(json, "price", trade->price, -definition->price_exponent);
    oanda_write_time(venue, json, "openTime", trade->opened, unix_time);
    json_text(json, "state", trade->current ? "OPEN" : "CLOSED");
    json_decimal(json, "initialUnits", trade->initial, definition->quantity_exponent, 0);
    json_decimal(json, "currentUnits", trade->current, definition->quantity_exponent, 0);
    write_money(json, "realizedPL", trade->realised);
    if (trade->current)
        write_money(json, "unrealizedPL", oanda_unrealised(venue, trade));
    else
        oanda_write_time(venue, json, "closeTime", trade->closed, unix_time);
    write_money(json, "financing", MONEY_ZERO);
    json_close(json, '}');
}

static void write_trades(struct oanda_call *call, bool closed_too)
{
    const struct oanda *venue = call->venue;
    const char *instrument = parameter(call->parameters, "instrument");
    json_open(call->body, "trades", '[');
    for (size_t i = venue->trade_count; i-- > 0;) {
        const struct oanda_trade *trade = &venue->trades[i];
        const char *symbol = venue->options.names->symbols[trade->instrument];
        if ((closed_too || trade->current) && (!instrument || strcmp(instrument, symbol) == 0))
            write_trade(venue, trade, call->unix_time, call->body);
    }
    json_close(call->body, ']');
}

void oanda_get_open_trades(struct oanda_call *call)
{
    json_open(call->body, NULL, '{');
    write_trades(call, false);
    oanda_write_last(call->venue, call->body);
    json_close(call->body, '}');
}

void oanda_get_trades(struct oanda_call *call)
{
    const char *state = parameter(call->parameters, "state");
    json_open(call->body, NULL, '{');
    write_trades(call, state && strcmp(state, "OPEN") != 0);
    oanda_write_last(call->venue, call->body);
    json_close(call->body, '}');
}

/* --- positions --------------------------------------------------------------------------------- */

/* The mean of the open trades' prices, by units; on the venue's grid. */
static money average_price(const struct oanda *venue, const struct public_instrument *instrument,
                           int64_t position)
{
    const struct event_definition *definition = &instrument->definition;
    money sum = MONEY_ZERO, mean = MONEY_ZERO;
    for (size_t i = 0; i < venue->trade_count; i++) {
        const struct oanda_trade *trade = &venue->trades[i];
        money part;
        if (trade->instrument != instrument->instrument || trade->current == 0)
            continue;
        bool fits = money_scale(trade->price, trade->current, position, MONEY_HALF_EVEN, &part) ||
                    money_scale(trade->price, -trade->current, -position, MONEY_HALF_EVEN, &part);
        ASSERT(fits);
        sum = money_add(sum, part);
    }
    return money_round(sum, definition->price_exponent, MONEY_HALF_EVEN, &mean) ? mean : sum;
}

static void write_side(const struct oanda *venue, const struct public_instrument *instrument,
                       bool is_long, struct json *json)
{
    const struct event_definition *definition = &instrument->definition;
    int64_t position = core_position(venue->options.core, instrument->instrument);
    bool holds = is_long ? position > 0 : position < 0;
    money gain = MONEY_ZERO;
    money profit = venue->profits[(size_t)instrument->instrument * 2 + (is_long ? 0 : 1)];
    json_open(json, is_long ? "long" : "short", '{');
    json_decimal(json, "units", holds ? position : 0, definition->quantity_exponent, 0);
    if (holds) {
        json_money(json, "averagePrice", average_price(venue, instrument, position),
                   -definition->price_exponent);
        json_open(json, "tradeIDs", '[');
        for (size_t i = 0; i < venue->trade_count; i++) {
            const struct oanda_trade *trade = &venue->trades[i];
            if (trade->instrument != instrument->instrument || trade->current == 0)
                continue;
            oanda_write_id(json, NULL, trade->id);
            gain = money_add(gain, oanda_unrealised(venue, trade));
        }
        json_close(json, ']');
    }
    write_money(json, "pl", profit);
    write_money(json, "resettablePL", profit);
    write_money(json, "unrealizedPL", gain);
    json_close(json, '}');
}

static void write_position(const struct oanda *venue, const struct public_instrument *instrument,
                           const char *name, struct json *json)
{
    const money *profits = &venue->profits[(size_t)instrument->instrument * 2];
    money profit = money_add(profits[0], profits[1]), gain = MONEY_ZERO;
    for (size_t i = 0; i < venue->trade_count; i++)
        if (venue->trades[i].instrument == instrument->instrument)
            gain = money_add(gain, oanda_unrealised(venue, &venue->trades[i]));
    json_open(json, name, '{');
    json_text(json, "instrument", instrument->symbol);
    write_money(json, "pl", profit);
    write_money(json, "resettablePL", profit);
    write_money(json, "unrealizedPL", gain);
    write_side(venue, instrument, true, json);
    write_side(venue, instrument, false, json);
    json_close(json, '}');
}

/* All that ever held something; `open`: that hold something. */
static void write_positions(struct oanda_call *call, bool open)
{
    const struct oanda *venue = call->venue;
    const struct market_view *market = venue->options.market;
    json_open(call->body, "positions", '[');
    for (unsigned i = 0; i < market->count; i++) {
        const struct public_instrument *instrument = &market->instruments[i];
        bool ever = false;
        for (size_t t = 0; t < venue->trade_count; t++)
            ever |= venue->trades[t].instrument == instrument->instrument;
        if (open ? core_position(venue->options.core, instrument->instrument) != 0 : ever)
            write_position(venue, instrument, NULL, call->body);
    }
    json_close(call->body, ']');
}

void oanda_get_positions(struct oanda_call *call)
{
    json_open(call->body, NULL, '{');
    write_positions(call, false);
    oanda_write_last(call->venue, call->body);
    json_close(call->body, '}');
}

void oanda_get_open_positions(struct oanda_call *call)
{
    json_open(call->body, NULL, '{');
    write_positions(call, true);
    oanda_write_last(call->venue, call->body);
    json_close(call->body, '}');
}

void oanda_get_position(struct oanda_call *call)
{
    const struct public_instrument *instrument =
        market_by_symbol(call->venue->options.market, call->path->parts[3]);
    if (!instrument) {
        oanda_error(call, 404, "The instrument specified does not exist");
        return;
    }
    json_open(call->body, NULL, '{');
    write_position(call->venue, instrument, "position", call->body);
    oanda_write_last(call->venue, call->body);
    json_close(call->body, '}');
}

/* --- the account ------------------------------------------------------------------------------- */

/* margin used / worth, five decimals. */
static void write_percent(struct json *json, const char *name, money used, money worth)
{
    money unit = MONEY_ZERO, percent = MONEY_ZERO;
    /* Both in 1e-4: 128 bits of a quotient are more than there are. */
    money_from_units(1, -OANDA_MONEY_DECIMALS, &unit);
    int64_t whole = (int64_t)(worth.atto / unit.atto);
    if (whole > 0 && money_from_units(1, 0, &unit))
        money_scale(unit, (int64_t)(used.atto / (unit.atto / 10000)), whole, MONEY_HALF_EVEN,
                    &percent);
    json_money(json, name, percent, 5);
}

static void write_summary(const struct oanda *venue, const struct oanda_figures *figures,
                          bool unix_time, struct json *json)
{
    json_text(json, "id", venue->options.credentials->key);
    json_text(json, "alias", "capstan");
    json_text(json, "currency", venue->options.names->assets[venue->home]);
    write_money(json, "balance", figures->balance);
    json_integer(json, "createdByUserID", USER_ID);
    oanda_write_time(venue, json, "createdTime", venue->options.now, unix_time);
    write_money(json, "pl", venue->profit);
    write_money(json, "resettablePL", venue->profit);
    write_money(json, "financing", MONEY_ZERO);
    write_money(json, "commission", MONEY_ZERO);
    json_text(json, "marginRate", "0.05");
    json_integer(json, "openTradeCount", figures->open_trades);
    json_integer(json, "openPositionCount", figures->open_positions);
    json_integer(json, "pendingOrderCount", figures->pending_orders);
    json_flag(json, "hedgingEnabled", false);
    write_money(json, "unrealizedPL", figures->unrealised);
    write_money(json, "NAV", figures->worth);
    write_money(json, "marginUsed", figures->margin_used);
    write_money(json, "marginAvailable", figures->margin_available);
    write_money(json, "positionValue", figures->position_value);
    write_money(json, "marginCloseoutUnrealizedPL", figures->unrealised);
    write_money(json, "marginCloseoutNAV", figures->worth);
    write_money(json, "marginCloseoutMarginUsed", figures->margin_used);
    write_percent(json, "marginCloseoutPercent", figures->margin_used, figures->worth);
    write_money(json, "marginCloseoutPositionValue", figures->position_value);
    write_money(json, "withdrawalLimit", figures->margin_available);
    write_money(json, "marginCallMarginUsed", figures->margin_used);
    write_percent(json, "marginCallPercent", figures->margin_used, figures->worth);
    oanda_write_last(venue, json);
}

void oanda_get_accounts(struct oanda_call *call)
{
    json_open(call->body, NULL, '{');
    json_open(call->body, "accounts", '[');
    json_open(call->body, NULL, '{');
    json_text(call->body, "id", call->venue->options.credentials->key);
    json_open(call->body, "tags", '[');
    json_close(call->body, ']');
    json_close(call->body, '}');
    json_close(call->body, ']');
    json_close(call->body, '}');
}

static void answer_account(struct oanda_call *call, bool whole)
{
    struct oanda_figures figures = oanda_figures(call->venue);
    json_open(call->body, NULL, '{');
    json_open(call->body, "account", '{');
    write_summary(call->venue, &figures, call->unix_time, call->body);
    if (whole) {
        write_trades(call, false);
        write_positions(call, false);
        write_pending(call);
    }
    json_close(call->body, '}');
    oanda_write_last(call->venue, call->body);
    json_close(call->body, '}');
}

void oanda_get_account(struct oanda_call *call)
{
    answer_account(call, true);
}

void oanda_get_summary(struct oanda_call *call)
{
    answer_account(call, false);
}

/* --- instruments and prices -------------------------------------------------------------------- */

/* Whether "A,B" names a symbol; NULL names all. */
static bool is_named(const char *list, const char *symbol)
{
    size_t length = strlen(symbol);
    if (!list)
        return true;
    while (*list) {
        size_t word = strcspn(list, ",");
        if (word == length && memcmp(list, symbol, length) == 0)
            return true;
        list += word + (list[word] == ',');
    }
    return false;
}

static void write_instrument(struct oanda_call *call, const struct public_instrument *instrument)
{
    const struct event_definition *definition = &instrument->definition;
    const struct event_names *names = call->venue->options.names;
    struct json *json = call->body;
    int64_t margin = oanda_margin_rate(call->venue, definition);
    bool currency = definition->quantity_exponent == 0;
    money rate = MONEY_ZERO;
    money_from_units(margin, -9, &rate);
    json_open(json, NULL, '{');
    json_text(json, "name", instrument->symbol);
    json_text(json, "type", currency ? "CURRENCY" : "CFD");
    json_format(json, "displayName", "%s/%s", names->assets[definition->base],
                names->assets[definition->quote]);
    json_integer(json, "pipLocation", currency ? definition->price_exponent + 1 : 0);
    json_integer(json, "displayPrecision", -definition->price_exponent);
    json_integer(json, "tradeUnitsPrecision", -definition->quantity_exponent);
    json_decimal(json, "minimumTradeSize", definition->lot, definition->quantity_exponent, 0);
    json_decimal(json, "maximumTrailingStopDistance", 100000 * definition->tick,
                 definition->price_exponent, 0);
    json_decimal(json, "minimumTrailingStopDistance", 50 * definition->tick,
                 definition->price_exponent, 0);
    json_text(json, "maximumPositionSize", "0");
    json_text(json, "maximumOrderUnits", currency ? "100000000" : "1000");
    json_money(json, "marginRate", rate, -1);
    json_close(json, '}');
}

void oanda_get_instruments(struct oanda_call *call)
{
    const struct market_view *market = call->venue->options.market;
    const char *list = parameter(call->parameters, "instruments");
    json_open(call->body, NULL, '{');
    json_open(call->body, "instruments", '[');
    for (unsigned i = 0; i < market->count; i++)
        if (is_named(list, market->instruments[i].symbol))
            write_instrument(call, &market->instruments[i]);
    json_close(call->body, ']');
    oanda_write_last(call->venue, call->body);
    json_close(call->body, '}');
}

/* The best levels of a side; returns the worst of them. Liquidity is told in whole units: what is there is never
 * told as nothing. */
static int64_t write_buckets(struct json *json, const char *name,
                             const struct public_instrument *instrument, enum side side)
{
    const struct event_definition *definition = &instrument->definition;
    struct book_level levels[OANDA_LEVELS];
    size_t count = book_levels(instrument->book, side, levels, OANDA_LEVELS);
    json_open(json, name, '[');
    for (size_t i = 0; i < count; i++) {
        money liquidity = MONEY_ZERO;
        char text[JSON_NUMBER_MAX];
        if (money_from_units(levels[i].quantity, definition->quantity_exponent, &liquidity))
            money_round(liquidity, 0, MONEY_UP, &liquidity);
        json_money_text(liquidity, 0, text);
        json_open(json, NULL, '{');
        json_decimal(json, "price", levels[i].price, definition->price_exponent, 0);
        json_raw(json, "liquidity", text);
        json_close(json, '}');
    }
    json_close(json, ']');
    return count > 0 ? levels[count - 1].price : 0;
}

void oanda_write_price(const struct oanda *venue, struct json *json,
                       const struct public_instrument *instrument, bool unix_time)
{
    int exponent = instrument->definition.price_exponent;
    bool open = instrument->trading == TRADING_OPEN && book_is_synchronised(instrument->book);
    json_text(json, "type", "PRICE");
    json_text(json, "instrument", instrument->symbol);
    oanda_write_time(venue, json, "time", instrument->time, unix_time);
    json_text(json, "status", open ? "tradeable" : "non-tradeable");
    json_flag(json, "tradeable", open);
    int64_t bid = write_buckets(json, "bids", instrument, SIDE_BUY);
    int64_t ask = write_buckets(json, "asks", instrument, SIDE_SELL);
    json_decimal(json, "closeoutBid", bid, exponent, 0);
    json_decimal(json, "closeoutAsk", ask, exponent, 0);
}

void oanda_get_pricing(struct oanda_call *call)
{
    const struct market_view *market = call->venue->options.market;
    const char *list = parameter(call->parameters, "instruments");
    if (!list) {
        oanda_error(call, 400, "Invalid value specified for 'instruments'");
        return;
    }
    json_open(call->body, NULL, '{');
    json_open(call->body, "prices", '[');
    for (unsigned i = 0; i < market->count; i++) {
        if (!is_named(list, market->instruments[i].symbol))
            continue;
        json_open(call->body, NULL, '{');
        oanda_write_price(call->venue, call->body, &market->instruments[i], call->unix_time);
        json_close(call->body, '}');
    }
    json_close(call->body, ']');
    oanda_write_time(call->venue, call->body, "time", call->now, call->unix_time);
    json_close(call->body, '}');
}
