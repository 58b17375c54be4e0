/* What the exchange holds at a moment, for whoever judges a session: exchange/core.h. */
#include <stdio.h>

#include "base/time.h"
#include "exchange/core_internal.h"

static const char *const state_names[] = {"pending",   "open",    "filled",
                                          "cancelled", "expired", "rejected"};
static const char *const event_names[] = {"accepted",  "fill",    "modified",
                                          "cancelled", "expired", "rejected"};

const char *core_state_name(enum core_state state)
{
    return state_names[state];
}

static const struct event_definition *definition_of(const struct core *core, unsigned instrument)
{
    return &core->options.names->definitions[instrument];
}

static void write_time(struct json *json, const char *name, int64_t time)
{
    char text[TIME_TEXT_MAX];
    time_to_text(time, text);
    json_text(json, name, text);
}

static void write_history(const struct core *core, const struct core_slot *slot, struct json *json)
{
    const struct event_definition *definition = definition_of(core, slot->order.instrument);
    json_open(json, "history", '[');
    for (size_t at = slot->history_first; at != CORE_NONE; at = core->history[at].next) {
        const struct core_history *entry = &core->history[at];
        json_open(json, NULL, '{');
        write_time(json, "time", entry->time);
        json_text(json, "what", event_names[entry->kind]);
        json_decimal(json, "price", entry->price, definition->price_exponent, 0);
        json_decimal(json, "quantity", entry->quantity, definition->quantity_exponent, 0);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_order(const struct core *core, const struct core_slot *slot, struct json *json)
{
    const struct core_order *order = &slot->order;
    const struct event_definition *definition = definition_of(core, order->instrument);
    json_open(json, NULL, '{');
    json_integer(json, "number", (int64_t)order->index + 1);
    json_text(json, "client", order->client);
    json_text(json, "symbol", core->options.names->symbols[order->instrument]);
    json_text(json, "side", order->side == SIDE_BUY ? "buy" : "sell");
    json_text(json, "state", core_state_name((enum core_state)order->state));
    if (order->state == CORE_REJECTED)
        json_text(json, "reason", event_enum_text(FIELD_REJECT, order->reject));
    json_decimal(json, "price", order->price, definition->price_exponent, 0);
    json_decimal(json, "quantity", order->quantity, definition->quantity_exponent, 0);
    json_decimal(json, "filled", order->filled, definition->quantity_exponent, 0);
    json_flag(json, "post_only", order->post_only);
    write_history(core, slot, json);
    json_close(json, '}');
}

static void write_fill(const struct core *core, const struct core_fill *fill, struct json *json)
{
    const struct core_order *order = &core->slots[fill->order]->order;
    const struct event_definition *definition = definition_of(core, order->instrument);
    json_open(json, NULL, '{');
    json_integer(json, "trade", (int64_t)fill->trade);
    json_integer(json, "order", (int64_t)fill->order + 1);
    json_text(json, "client", order->client);
    json_text(json, "symbol", core->options.names->symbols[order->instrument]);
    json_text(json, "side", order->side == SIDE_BUY ? "buy" : "sell");
    json_decimal(json, "price", fill->price, definition->price_exponent, 0);
    json_decimal(json, "quantity", fill->quantity, definition->quantity_exponent, 0);
    json_money(json, "fee", fill->fee, -1);
    json_text(json, "fee_asset", core->options.names->assets[fill->fee_asset]);
    json_text(json, "liquidity", fill->maker ? "maker" : "taker");
    write_time(json, "time", fill->time);
    json_close(json, '}');
}

static void write_balances(const struct core *core, struct json *json)
{
    const struct event_names *names = core->options.names;
    json_open(json, "balances", '{');
    for (unsigned asset = 0; asset < names->asset_count; asset++) {
        if (!core->has_asset[asset])
            continue;
        json_open(json, names->assets[asset], '{');
        json_money(json, "total", core_balance(core, asset), -1);
        json_money(json, "locked", core_locked(core, asset), -1);
        json_close(json, '}');
    }
    json_close(json, '}');
}

static void write_positions(const struct core *core, struct json *json)
{
    const struct event_names *names = core->options.names;
    json_open(json, "positions", '{');
    for (unsigned i = 0; i < names->instrument_count; i++)
        if (names->definitions[i].venue == core->options.venue)
            json_decimal(json, names->symbols[i], core->positions[i],
                         names->definitions[i].quantity_exponent, 0);
    json_close(json, '}');
}

void core_write_state(const struct core *core, struct json *json)
{
    json_open(json, "open", '[');
    for (size_t i = 0; i < core->open_count; i++)
        json_text(json, NULL, core->slots[core->open[i]]->order.client);
    json_close(json, ']');
    json_open(json, "orders", '[');
    for (size_t i = 0; i < core->count; i++)
        write_order(core, core->slots[i], json);
    json_close(json, ']');
    write_positions(core, json);
}

void core_write_books(const struct core *core, struct json *json)
{
    json_open(json, "fills", '[');
    for (size_t i = 0; i < core->fill_count; i++)
        write_fill(core, &core->fills[i], json);
    json_close(json, ']');
    write_balances(core, json);
}
