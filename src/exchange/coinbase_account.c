/* Coinbase: questions about orders, fills and the account. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "exchange/coinbase.h"

enum { LIST_DEFAULT = 1000, ACCOUNTS_DEFAULT = 49, PERCENT = 100 };

static void write_time(const struct coinbase *venue, struct json *json, const char *name,
                       int64_t time)
{
    char text[COINBASE_TIME_MAX];
    coinbase_time(venue, time, text);
    json_text(json, name, text);
}

/* --- orders ------------------------------------------------------------------------------------ */

void coinbase_write_configuration(const struct coinbase *venue, const struct core_order *order,
                                  struct json *json)
{
    const struct event_definition *definition = coinbase_definition(venue, order);
    const struct coinbase_order *details = order->protocol;
    json_open(json, "order_configuration", '{');
    json_open(json, details->configuration, '{');
    json_decimal(json, "base_size", order->quantity, definition->quantity_exponent, 0);
    if (!order->is_market)
        json_decimal(json, "limit_price", order->price, definition->price_exponent, 0);
    if (order->expires != TIME_NEVER)
        write_time(venue, json, "end_time", order->expires);
    if (!order->is_market && order->time_in_force == TIME_IN_FORCE_GTC)
        json_flag(json, "post_only", order->post_only);
    json_close(json, '}');
    json_close(json, '}');
}

/* Part of the order that is filled, in percent with two decimals at most. */
static void write_completion(const struct core_order *order, struct json *json)
{
    int64_t hundredths = (int64_t)((int128)order->filled * PERCENT * 100 / order->quantity);
    money percent = MONEY_ZERO;
    money_from_units(hundredths, -2, &percent);
    json_money(json, "completion_percentage", percent, -1);
}

static void write_amounts(const struct coinbase *venue, const struct core_order *order,
                          struct json *json)
{
    const struct event_definition *definition = coinbase_definition(venue, order);
    money after = order->side == SIDE_BUY ? money_add(order->value, order->fee)
                                          : money_subtract(order->value, order->fee);
    write_completion(order, json);
    json_decimal(json, "filled_size", order->filled, definition->quantity_exponent, 0);
    json_money(json, "average_filled_price", core_average_price(venue->options.core, order), -1);
    json_text(json, "fee", "");
    json_format(json, "number_of_fills", "%u", order->fills);
    json_money(json, "filled_value", order->value, -1);
    json_flag(json, "pending_cancel", false);
    json_flag(json, "size_in_quote", false);
    json_money(json, "total_fees", order->fee, -1);
    json_flag(json, "size_inclusive_of_fees", false);
    json_money(json, "total_value_after_fees", after, -1);
}

static void write_order(const struct coinbase *venue, const struct core_order *order,
                        const char *name, struct json *json)
{
    char uuid[COINBASE_UUID_MAX];
    json_open(json, name, '{');
    coinbase_uuid('o', order->index + 1, uuid);
    json_text(json, "order_id", uuid);
    json_text(json, "product_id", venue->options.names->symbols[order->instrument]);
    coinbase_uuid('u', 1, uuid);
    json_text(json, "user_id", uuid);
    coinbase_write_configuration(venue, order, json);
    json_text(json, "side", order->side == SIDE_BUY ? "BUY" : "SELL");
    json_text(json, "client_order_id", order->client);
    json_text(json, "status", coinbase_status(order));
    json_text(json, "time_in_force", coinbase_time_in_force(order));
    write_time(venue, json, "created_time", order->created);
    write_amounts(venue, order, json);
    json_text(json, "trigger_status", "INVALID_ORDER_TYPE");
    json_text(json, "order_type", order->is_market ? "MARKET" : "LIMIT");
    json_text(json, "reject_reason", "REJECT_REASON_UNSPECIFIED");
    json_flag(json, "settled", order->state != CORE_OPEN);
    json_text(json, "product_type", "SPOT");
    json_text(json, "reject_message", "");
    json_text(json, "cancel_message",
              order->state == CORE_CANCELLED ? "User requested cancel" : "");
    write_time(venue, json, "last_update_time", order->updated);
    json_close(json, '}');
}

void coinbase_get_order(struct coinbase_call *call)
{
    uint64_t number = coinbase_order_number(call->path->parts[2]);
    const struct core_order *order =
        number > 0 ? core_order(call->venue->options.core, (size_t)number - 1) : NULL;
    if (!order || order->state == CORE_REJECTED) {
        coinbase_error(call, 404, "unknown", "order with this orderID was not found");
        return;
    }
    json_open(call->body, NULL, '{');
    write_order(call->venue, order, "order", call->body);
    json_close(call->body, '}');
}

/* Whether a list parameter has the value, or is not there. */
static bool is_chosen(const struct parameters *parameters, const char *name, const char *value)
{
    size_t index = 0;
    const char *item = parameter_next(parameters, name, &index);
    if (!item)
        return true;
    for (; item; item = parameter_next(parameters, name, &index))
        if (strcmp(item, value) == 0)
            return true;
    return false;
}

static bool order_is_chosen(const struct coinbase_call *call, const struct core_order *order)
{
    const struct parameters *parameters = call->parameters;
    const char *symbol = call->venue->options.names->symbols[order->instrument];
    return order->state != CORE_REJECTED &&
           is_chosen(parameters, "order_status", coinbase_status(order)) &&
           is_chosen(parameters, "product_ids", symbol) &&
           is_chosen(parameters, "product_id", symbol) &&
           is_chosen(parameters, "order_side", order->side == SIDE_BUY ? "BUY" : "SELL");
}

/* A page's size and where it begins, "" being the first; false after a 400. */
static bool read_page(struct coinbase_call *call, int64_t *limit, int64_t *cursor)
{
    const char *text = parameter(call->parameters, "cursor");
    if (parameter_integer(call->parameters, "limit", limit) && *limit >= 1 &&
        (!text || !*text || parameter_integer(call->parameters, "cursor", cursor)))
        return true;
    coinbase_error(call, 400, "INVALID_ARGUMENT", "limit or cursor is not valid");
    return false;
}

/* Newest first; a cursor is the index below which the next page begins. */
void coinbase_get_orders(struct coinbase_call *call)
{
    const struct core *core = call->venue->options.core;
    int64_t limit = LIST_DEFAULT, cursor = (int64_t)core_order_count(core);
    if (!read_page(call, &limit, &cursor))
        return;
    size_t at = (size_t)cursor < core_order_count(core) ? (size_t)cursor : core_order_count(core);
    bool more = false;
    json_open(call->body, NULL, '{');
    json_open(call->body, "orders", '[');
    while (at > 0) {
        const struct core_order *order = core_order(core, at - 1);
        bool chosen = order_is_chosen(call, order);
        more = chosen && limit == 0;
        if (more)
            break;
        at--;
        if (!chosen)
            continue;
        write_order(call->venue, order, NULL, call->body);
        limit--;
    }
    json_close(call->body, ']');
    json_text(call->body, "sequence", "0");
    json_flag(call->body, "has_next", more);
    if (more)
        json_format(call->body, "cursor", "%zu", at);
    else
        json_text(call->body, "cursor", "");
    json_close(call->body, '}');
}

/* --- fills ------------------------------------------------------------------------------------- */

static void write_fill(const struct coinbase *venue, const struct core_fill *fill,
                       struct json *json)
{
    const struct core_order *order = core_order(venue->options.core, fill->order);
    const struct event_definition *definition = coinbase_definition(venue, order);
    char uuid[COINBASE_UUID_MAX];
    json_open(json, NULL, '{');
    json_format(json, "entry_id", "%064llx", (unsigned long long)fill->trade);
    coinbase_uuid('t', fill->trade, uuid);
    json_text(json, "trade_id", uuid);
    coinbase_uuid('o', order->index + 1, uuid);
    json_text(json, "order_id", uuid);
    write_time(venue, json, "trade_time", fill->time);
    json_text(json, "trade_type", "FILL");
    json_decimal(json, "price", fill->price, definition->price_exponent, 0);
    json_decimal(json, "size", fill->quantity, definition->quantity_exponent, 0);
    json_money(json, "commission", fill->fee, -1);
    json_text(json, "product_id", venue->options.names->symbols[order->instrument]);
    write_time(venue, json, "sequence_timestamp", fill->time);
    json_text(json, "liquidity_indicator", fill->maker ? "MAKER" : "TAKER");
    json_flag(json, "size_in_quote", false);
    coinbase_uuid('u', 1, uuid);
    json_text(json, "user_id", uuid);
    json_text(json, "side", order->side == SIDE_BUY ? "BUY" : "SELL");
    json_close(json, '}');
}

/* A bound of time by a parameter's name; `value` stays where there is none. */
static bool read_bound(const struct coinbase_call *call, const char *name, int64_t *value)
{
    const char *text = parameter(call->parameters, name);
    if (!text)
        return true;
    if (time_from_text(text, strlen(text), value, NULL))
        return false;
    *value -= call->venue->protocol.skew;
    return true;
}

static bool fill_is_chosen(const struct coinbase_call *call, const struct core_fill *fill,
                           int64_t begin, int64_t end)
{
    const struct core_order *order = core_order(call->venue->options.core, fill->order);
    const char *symbol = call->venue->options.names->symbols[order->instrument];
    char uuid[COINBASE_UUID_MAX];
    coinbase_uuid('o', order->index + 1, uuid);
    return fill->time >= begin && fill->time <= end &&
           is_chosen(call->parameters, "order_id", uuid) &&
           is_chosen(call->parameters, "order_ids", uuid) &&
           is_chosen(call->parameters, "product_id", symbol) &&
           is_chosen(call->parameters, "product_ids", symbol);
}

/* Newest first, as orders. */
void coinbase_get_fills(struct coinbase_call *call)
{
    const struct core *core = call->venue->options.core;
    int64_t limit = LIST_DEFAULT, cursor = (int64_t)core_fill_count(core);
    int64_t begin = INT64_MIN, end = INT64_MAX;
    if (!read_page(call, &limit, &cursor))
        return;
    if (!read_bound(call, "start_sequence_timestamp", &begin) ||
        !read_bound(call, "end_sequence_timestamp", &end)) {
        coinbase_error(call, 400, "INVALID_ARGUMENT", "a time is not valid");
        return;
    }
    size_t at = (size_t)cursor < core_fill_count(core) ? (size_t)cursor : core_fill_count(core);
    bool more = false;
    json_open(call->body, NULL, '{');
    json_open(call->body, "fills", '[');
    while (at > 0) {
        const struct core_fill *fill = core_fill(core, at - 1);
        bool chosen = fill_is_chosen(call, fill, begin, end);
        more = chosen && limit == 0;
        if (more)
            break;
        at--;
        if (!chosen)
            continue;
        write_fill(call->venue, fill, call->body);
        limit--;
    }
    json_close(call->body, ']');
    if (more)
        json_format(call->body, "cursor", "%zu", at);
    else
        json_text(call->body, "cursor", "");
    json_close(call->body, '}');
}

/* --- the account ------------------------------------------------------------------------------- */

static void write_amount(struct json *json, const char *name, money amount, const char *currency)
{
    json_open(json, name, '{');
    json_money(json, "value", amount, -1);
    json_text(json, "currency", currency);
    json_close(json, '}');
}

static void write_account(struct coinbase_call *call, unsigned asset)
{
    const struct core *core = call->venue->options.core;
    const char *currency = call->venue->options.names->assets[asset];
    money total = core_balance(core, asset), locked = core_locked(core, asset);
    char uuid[COINBASE_UUID_MAX];
    coinbase_uuid('a', asset + 1u, uuid);
    json_open(call->body, NULL, '{');
    json_text(call->body, "uuid", uuid);
    json_format(call->body, "name", "%s Wallet", currency);
    json_text(call->body, "currency", currency);
    write_amount(call->body, "available_balance", money_subtract(total, locked), currency);
    json_flag(call->body, "default", true);
    json_flag(call->body, "active", true);
    write_time(call->venue, call->body, "created_at", call->venue->options.now);
    write_time(call->venue, call->body, "updated_at", call->now);
    json_null(call->body, "deleted_at");
    json_text(call->body, "type",
              strcmp(currency, "USD") == 0 ? "ACCOUNT_TYPE_FIAT" : "ACCOUNT_TYPE_CRYPTO");
    json_flag(call->body, "ready", true);
    write_amount(call->body, "hold", locked, currency);
    coinbase_uuid('p', 1, uuid);
    json_text(call->body, "retail_portfolio_id", uuid);
    json_close(call->body, '}');
}

/* A cursor is the number of the asset where the next page begins. */
void coinbase_get_accounts(struct coinbase_call *call)
{
    const struct event_names *names = call->venue->options.names;
    int64_t limit = ACCOUNTS_DEFAULT, cursor = 0, size = 0;
    if (!read_page(call, &limit, &cursor))
        return;
    unsigned asset = (unsigned)cursor;
    json_open(call->body, NULL, '{');
    json_open(call->body, "accounts", '[');
    for (; asset < names->asset_count && size < limit; asset++) {
        if (!core_has_asset(call->venue->options.core, asset))
            continue;
        write_account(call, asset);
        size++;
    }
    json_close(call->body, ']');
    bool more = false;
    for (unsigned next = asset; next < names->asset_count; next++)
        more |= core_has_asset(call->venue->options.core, next);
    json_flag(call->body, "has_next", more);
    if (more)
        json_format(call->body, "cursor", "%u", asset);
    else
        json_text(call->body, "cursor", "");
    json_integer(call->body, "size", size);
    json_close(call->body, '}');
}

void coinbase_get_key_permissions(struct coinbase_call *call)
{
    char uuid[COINBASE_UUID_MAX];
    coinbase_uuid('p', 1, uuid);
    json_open(call->body, NULL, '{');
    json_flag(call->body, "can_view", true);
    json_flag(call->body, "can_trade", true);
    json_flag(call->body, "can_transfer", false);
    json_text(call->body, "portfolio_uuid", uuid);
    json_text(call->body, "portfolio_type", "DEFAULT");
    json_close(call->body, '}');
}

static void write_rate(struct json *json, const char *name, int64_t rate)
{
    money amount = MONEY_ZERO;
    money_from_units(rate, -9, &amount);
    json_money(json, name, amount, -1);
}

void coinbase_get_transaction_summary(struct coinbase_call *call)
{
    const struct core *core = call->venue->options.core;
    const struct event_definition *first = &call->venue->options.market->instruments[0].definition;
    money volume = MONEY_ZERO, fees = MONEY_ZERO;
    for (size_t i = 0; i < core_fill_count(core); i++) {
        volume = money_add(volume, core_fill(core, i)->value);
        fees = money_add(fees, core_fill(core, i)->fee);
    }
    struct json *json = call->body;
    json_open(json, NULL, '{');
    json_money(json, "total_volume", volume, -1);
    json_money(json, "total_fees", fees, -1);
    json_open(json, "fee_tier", '{');
    json_text(json, "pricing_tier", "Advanced 1");
    json_text(json, "usd_from", "0");
    json_text(json, "usd_to", "1000");
    write_rate(json, "taker_fee_rate", first->taker_fee);
    write_rate(json, "maker_fee_rate", first->maker_fee);
    json_text(json, "aop_from", "");
    json_text(json, "aop_to", "");
    json_close(json, '}');
    json_null(json, "margin_rate");
    json_null(json, "goods_and_services_tax");
    json_money(json, "advanced_trade_only_volume", volume, -1);
    json_money(json, "advanced_trade_only_fees", fees, -1);
    json_text(json, "coinbase_pro_volume", "0");
    json_text(json, "coinbase_pro_fees", "0");
    json_text(json, "total_balance", "");
    json_flag(json, "has_promo_fee", false);
    json_close(json, '}');
}
