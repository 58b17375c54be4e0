/* Binance.US: questions about orders and the account. */
#include <string.h>

#include "base/time.h"
#include "exchange/binance_us.h"

enum { LIST_DEFAULT = 500, LIST_MAX = 1000 };

/* --- orders ------------------------------------------------------------------------------------ */

static void write_order(const struct binance_us *venue, const struct core_order *order,
                        struct json *json)
{
    const struct event_definition *definition = binance_definition(venue, order);
    json_open(json, NULL, '{');
    json_text(json, "symbol", binance_order_symbol(venue, order));
    json_integer(json, "orderId", (int64_t)order->index + 1);
    json_integer(json, "orderListId", -1);
    json_text(json, "clientOrderId", order->client);
    json_decimal(json, "price", order->is_market ? 0 : order->price, definition->price_exponent,
                 BINANCE_DECIMALS);
    json_decimal(json, "origQty", order->quantity, definition->quantity_exponent, BINANCE_DECIMALS);
    json_decimal(json, "executedQty", order->filled, definition->quantity_exponent,
                 BINANCE_DECIMALS);
    json_money(json, "cummulativeQuoteQty", order->value, BINANCE_DECIMALS);
    json_text(json, "status", binance_status(order));
    json_text(json, "timeInForce", binance_time_in_force(order));
    json_text(json, "type", binance_type(order));
    json_text(json, "side", order->side == SIDE_BUY ? "BUY" : "SELL");
    json_text(json, "stopPrice", "0.00000000");
    json_text(json, "icebergQty", "0.00000000");
    json_integer(json, "time", binance_ms(venue, order->created));
    json_integer(json, "updateTime", binance_ms(venue, order->updated));
    json_flag(json, "isWorking", true);
    json_text(json, "origQuoteOrderQty", "0.00000000");
    json_integer(json, "workingTime", binance_ms(venue, order->created));
    json_text(json, "selfTradePreventionMode", "NONE");
    json_close(json, '}');
}

void binance_get_order(struct binance_call *call)
{
    const struct public_instrument *instrument = binance_symbol(call);
    if (!instrument)
        return;
    if (!parameter(call->parameters, "orderId") &&
        !parameter(call->parameters, "origClientOrderId")) {
        binance_error(call, 400, -1102,
                      "Param 'origClientOrderId' or 'orderId' must be sent, but both were "
                      "empty/null!");
        return;
    }
    const struct core_order *order =
        binance_find_order(call, "orderId", "origClientOrderId", instrument);
    if (order)
        write_order(call->venue, order, call->body);
    else
        binance_error(call, 400, -2013, "Order does not exist.");
}

void binance_get_open_orders(struct binance_call *call)
{
    const struct public_instrument *instrument = NULL;
    if (parameter(call->parameters, "symbol")) {
        instrument = binance_symbol(call);
        if (!instrument)
            return;
    }
    struct core_order *orders[CORE_ORDERS_LIVE_MAX];
    size_t count = core_open_orders(call->venue->options.core, orders, CORE_ORDERS_LIVE_MAX);
    json_open(call->body, NULL, '[');
    for (size_t i = 0; i < count && i < CORE_ORDERS_LIVE_MAX; i++)
        if (!instrument || orders[i]->instrument == instrument->instrument)
            write_order(call->venue, orders[i], call->body);
    json_close(call->body, ']');
}

/* What a list's parameters choose. */
struct selection {
    const struct public_instrument *instrument;
    int64_t from, begin, end, limit; /* `from`: an id, -1 where none was sent; times in ms */
};

static bool read_selection(struct binance_call *call, const char *from_name,
                           struct selection *selection)
{
    *selection = (struct selection){NULL, -1, 0, INT64_MAX, LIST_DEFAULT};
    selection->instrument = binance_symbol(call);
    if (!selection->instrument)
        return false;
    if (!parameter_integer(call->parameters, from_name, &selection->from) ||
        !parameter_integer(call->parameters, "startTime", &selection->begin) ||
        !parameter_integer(call->parameters, "endTime", &selection->end) ||
        !parameter_integer(call->parameters, "limit", &selection->limit) || selection->limit < 1)
        return binance_error(call, 400, -1130, "Invalid data sent for a parameter.");
    if (selection->limit > LIST_MAX)
        selection->limit = LIST_MAX;
    return true;
}

static bool is_chosen(const struct binance_call *call, const struct selection *selection,
                      int64_t id, unsigned instrument, int64_t time)
{
    int64_t ms = binance_ms(call->venue, time);
    return instrument == selection->instrument->instrument && id >= selection->from &&
           ms >= selection->begin && ms <= selection->end;
}

/* "If orderId is set, it will get orders >= that orderId. Otherwise most recent orders are returned." */
void binance_get_all_orders(struct binance_call *call)
{
    struct selection selection;
    if (!read_selection(call, "orderId", &selection))
        return;
    const struct core *core = call->venue->options.core;
    size_t count = core_order_count(core), skip = 0, chosen = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            json_open(call->body, NULL, '[');
            if (selection.from < 0 && chosen > (size_t)selection.limit)
                skip = chosen - (size_t)selection.limit;
            chosen = 0;
        }
        for (size_t i = 0; i < count; i++) {
            const struct core_order *order = core_order(core, i);
            if (order->state == CORE_REJECTED ||
                !is_chosen(call, &selection, (int64_t)i + 1, order->instrument, order->created))
                continue;
            chosen++;
            if (pass == 1 && chosen > skip && chosen <= skip + (size_t)selection.limit)
                write_order(call->venue, order, call->body);
        }
    }
    json_close(call->body, ']');
}

/* --- fills ------------------------------------------------------------------------------------- */

static void write_trade(const struct binance_us *venue, const struct core_fill *fill,
                        struct json *json)
{
    const struct core_order *order = core_order(venue->options.core, fill->order);
    const struct event_definition *definition = binance_definition(venue, order);
    json_open(json, NULL, '{');
    json_text(json, "symbol", binance_order_symbol(venue, order));
    json_integer(json, "id", (int64_t)fill->trade);
    json_integer(json, "orderId", (int64_t)fill->order + 1);
    json_integer(json, "orderListId", -1);
    json_decimal(json, "price", fill->price, definition->price_exponent, BINANCE_DECIMALS);
    json_decimal(json, "qty", fill->quantity, definition->quantity_exponent, BINANCE_DECIMALS);
    json_money(json, "quoteQty", fill->value, BINANCE_DECIMALS);
    json_money(json, "commission", fill->fee, BINANCE_DECIMALS);
    json_text(json, "commissionAsset", venue->options.names->assets[fill->fee_asset]);
    json_integer(json, "time", binance_ms(venue, fill->time));
    json_flag(json, "isBuyer", order->side == SIDE_BUY);
    json_flag(json, "isMaker", fill->maker);
    json_flag(json, "isBestMatch", true);
    json_close(json, '}');
}

/* "If fromId is set, it will get trades >= that fromId. Otherwise most recent trades are returned." */
void binance_get_my_trades(struct binance_call *call)
{
    struct selection selection;
    int64_t order = 0;
    if (!read_selection(call, "fromId", &selection))
        return;
    if (!parameter_integer(call->parameters, "orderId", &order)) {
        binance_error(call, 400, -1130, "Data sent for parameter 'orderId' is not valid.");
        return;
    }
    const struct core *core = call->venue->options.core;
    size_t count = core_fill_count(core), skip = 0, chosen = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            json_open(call->body, NULL, '[');
            if (selection.from < 0 && chosen > (size_t)selection.limit)
                skip = chosen - (size_t)selection.limit;
            chosen = 0;
        }
        for (size_t i = 0; i < count; i++) {
            const struct core_fill *fill = core_fill(core, i);
            unsigned instrument = core_order(core, fill->order)->instrument;
            if ((order > 0 && (size_t)order != fill->order + 1) ||
                !is_chosen(call, &selection, (int64_t)fill->trade, instrument, fill->time))
                continue;
            chosen++;
            if (pass == 1 && chosen > skip && chosen <= skip + (size_t)selection.limit)
                write_trade(call->venue, fill, call->body);
        }
    }
    json_close(call->body, ']');
}

/* --- account ----------------------------------------------------------------------------------- */

/* A fee of 1e-9 units as a decimal of eight places. */
static void write_rate(struct json *json, const char *name, int64_t rate)
{
    json_decimal(json, name, rate / 10, -8, 8);
}

void binance_get_account(struct binance_call *call)
{
    const struct binance_us *venue = call->venue;
    const struct event_names *names = venue->options.names;
    const struct event_definition *first = &venue->options.market->instruments[0].definition;
    struct json *json = call->body;
    json_open(json, NULL, '{');
    json_integer(json, "makerCommission", first->maker_fee / 100000); /* basis points */
    json_integer(json, "takerCommission", first->taker_fee / 100000);
    json_integer(json, "buyerCommission", 0);
    json_integer(json, "sellerCommission", 0);
    json_open(json, "commissionRates", '{');
    write_rate(json, "maker", first->maker_fee);
    write_rate(json, "taker", first->taker_fee);
    write_rate(json, "buyer", 0);
    write_rate(json, "seller", 0);
    json_close(json, '}');
    json_flag(json, "canTrade", true);
    json_flag(json, "canWithdraw", false);
    json_flag(json, "canDeposit", false);
    json_flag(json, "brokered", false);
    json_flag(json, "requireSelfTradePrevention", false);
    json_integer(json, "updateTime", binance_ms(venue, call->now));
    json_text(json, "accountType", "SPOT");
    json_open(json, "balances", '[');
    for (unsigned asset = 0; asset < names->asset_count; asset++) {
        if (!core_has_asset(venue->options.core, asset))
            continue;
        money total = core_balance(venue->options.core, asset);
        money locked = core_locked(venue->options.core, asset);
        json_open(json, NULL, '{');
        json_text(json, "asset", names->assets[asset]);
        json_money(json, "free", money_subtract(total, locked), BINANCE_DECIMALS);
        json_money(json, "locked", locked, BINANCE_DECIMALS);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_open(json, "permissions", '[');
    json_text(json, NULL, "SPOT");
    json_close(json, ']');
    json_close(json, '}');
}

static void write_count(struct json *json, const char *interval, int64_t number,
                        struct rate_window *window, int64_t now)
{
    rate_move(window, now);
    json_open(json, NULL, '{');
    json_text(json, "rateLimitType", "ORDERS");
    json_text(json, "interval", interval);
    json_integer(json, "intervalNum", number);
    json_integer(json, "limit", window->limit);
    json_integer(json, "count", window->used);
    json_close(json, '}');
}

void binance_get_order_count(struct binance_call *call)
{
    json_open(call->body, NULL, '[');
    write_count(call->body, "SECOND", 10, &call->venue->orders_10s, call->now);
    write_count(call->body, "DAY", 1, &call->venue->orders_day, call->now);
    json_close(call->body, ']');
}

void binance_get_trading_fee(struct binance_call *call)
{
    const struct market_view *market = call->venue->options.market;
    const char *symbol = parameter(call->parameters, "symbol");
    if (symbol && !binance_symbol(call))
        return;
    json_open(call->body, NULL, '[');
    for (unsigned i = 0; i < market->count; i++) {
        const struct public_instrument *instrument = &market->instruments[i];
        if (symbol && strcmp(symbol, instrument->symbol) != 0)
            continue;
        json_open(call->body, NULL, '{');
        json_text(call->body, "symbol", instrument->symbol);
        write_rate(call->body, "makerCommission", instrument->definition.maker_fee);
        write_rate(call->body, "takerCommission", instrument->definition.taker_fee);
        json_close(call->body, '}');
    }
    json_close(call->body, ']');
}
