/* One instrument, and one entry of a ring, as the dashboard shows them. */
#include "ops/answers.h"

#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/time.h"

enum { FIELD_TEXT_MAX = 256 };
/* Above it a reader of JSON may lose digits. */
#define EXACT_MAX (INT64_C(1) << 53)

static void show_price(struct json *json, const char *name, const struct event_definition *units,
                       int64_t price)
{
    json_decimal(json, name, price, units->price_exponent, 0);
}

static void show_quantity(struct json *json, const char *name, const struct event_definition *units,
                          int64_t quantity)
{
    json_decimal(json, name, quantity, units->quantity_exponent, 0);
}

static void show_levels(struct json *json, const char *name, const struct event_definition *units,
                        const struct ops_instrument *now, unsigned side)
{
    json_open(json, name, '[');
    for (uint32_t i = 0; i < now->level_counts[side]; i++) {
        json_open(json, NULL, '[');
        show_price(json, NULL, units, now->levels[side][i].price);
        show_quantity(json, NULL, units, now->levels[side][i].quantity);
        json_close(json, ']');
    }
    json_close(json, ']');
}

static void show_order_id(struct json *json, const char *name, order_id id)
{
    if (id >> 32 != 0)
        json_format(json, name, "#%u.%u", (unsigned)(id >> 32), (unsigned)id);
    else
        json_format(json, name, "#%u", (unsigned)id);
}

static void show_own(struct json *json, const struct event_definition *units,
                     const struct ops_instrument *now)
{
    json_open(json, "orders", '[');
    for (uint64_t i = 0; i < now->own_count; i++) {
        const struct engine_own_order *order = &now->own[i];
        json_open(json, NULL, '{');
        show_order_id(json, "order", order->id);
        json_text(json, "side", event_enum_text(FIELD_SIDE, order->side));
        show_price(json, "price", units, order->price);
        show_quantity(json, "leaves", units, order->leaves);
        show_quantity(json, "filled", units, order->filled);
        json_text(json, "state", order_state_name((enum order_state)order->state));
        json_integer(json, "level", order->level);
        json_integer(json, "changed_ms", order->changed / NS_PER_MS);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void show_breakers(struct json *json, const struct engine_instrument_status *status)
{
    json_open(json, "breakers", '{');
    for (unsigned i = 0; i < BREAKER_COUNT; i++)
        json_text(json, event_enum_text(FIELD_BREAKER, i),
                  event_enum_text(FIELD_BREAKER_STATE, status->breakers[i]));
    json_close(json, '}');
}

static void show_bits(struct json *json, const char *name, uint32_t bits,
                      enum event_field_type type, unsigned count)
{
    json_open(json, name, '[');
    for (unsigned i = 0; i < count; i++)
        if (bits >> i & 1)
            json_text(json, NULL, event_enum_text(type, i));
    json_close(json, ']');
}

static void show_position(struct json *json, const struct ops_view *view, unsigned index,
                          const struct ops_instrument *now)
{
    const struct event_definition *units = &view->names->definitions[index];
    const struct engine_position *position = &now->position;
    money worth;
    json_money(json, "position", position->position, -1);
    show_quantity(json, "position_limit", units, now->status.position_limit);
    json_text(json, "profit_asset", view->names->assets[ops_profit_asset(units)]);
    if (ops_worth(position, &worth))
        json_money(json, "profit", worth, -1);
    else
        json_null(json, "profit");
    json_money(json, "realised", position->realised, -1);
    json_money(json, "unrealised", position->unrealised, -1);
    json_money(json, "fees", position->fees, -1);
    json_money(json, "funding", position->funding, -1);
    if (position->mark.status == NUMBER_VALUE)
        show_price(json, "mark", units, position->mark.units);
    else
        json_null(json, "mark");
    json_flag(json, "mark_stale", position->mark_stale);
}

/* 1/1,000 tick as a price: three decimals more than the tick has. */
static void show_fair(struct json *json, const struct event_definition *units,
                      const struct engine_instrument_status *status)
{
    int64_t price;
    bool shown = status->has_fair && units->price_exponent - 3 >= DECIMAL_EXPONENT_MIN;
    if (shown && !__builtin_mul_overflow(status->fair, units->tick, &price))
        json_decimal(json, "fair", price, units->price_exponent - 3, 0);
    else
        json_null(json, "fair");
    if (shown && !__builtin_mul_overflow(status->skew, units->tick, &price))
        json_decimal(json, "skew", price, units->price_exponent - 3, 0);
    else
        json_null(json, "skew");
}

static void show_trade(struct json *json, const struct event_definition *units,
                       const struct ops_trade *trade)
{
    if (trade->ts == 0) {
        json_null(json, "last_trade");
        return;
    }
    json_open(json, "last_trade", '{');
    show_price(json, "price", units, trade->price);
    show_quantity(json, "quantity", units, trade->quantity);
    json_text(json, "side", event_enum_text(FIELD_SIDE, (unsigned)trade->side));
    json_integer(json, "time_ms", trade->ts / NS_PER_MS);
    json_close(json, '}');
}

void ops_show_instrument(struct json *json, const struct ops_view *view, unsigned index)
{
    const struct event_definition *units = &view->names->definitions[index];
    const struct ops_instrument *now = &view->instruments[index].now;
    char name[EVENT_INSTRUMENT_NAME_MAX];
    event_instrument_name(view->names, index, name);
    json_open(json, NULL, '{');
    json_text(json, "instrument", name);
    json_text(json, "exchange", view->names->venues[units->venue]);
    json_text(json, "contract", event_enum_text(FIELD_CONTRACT, units->contract));
    show_price(json, "tick", units, units->tick);
    show_quantity(json, "lot", units, units->lot);
    json_flag(json, "known", view->instruments[index].known);
    if (view->instruments[index].known) {
        json_integer(json, "time_ms", now->ts / NS_PER_MS);
        json_flag(json, "quoted", now->status.enabled);
        json_flag(json, "synchronised", now->status.synchronised);
        json_text(json, "trading", event_enum_text(FIELD_TRADING, now->status.trading));
        json_flag(json, "paused", now->status.paused);
        json_flag(json, "pulled", now->status.pulled);
        show_levels(json, "bids", units, now, SIDE_BUY);
        show_levels(json, "asks", units, now, SIDE_SELL);
        show_own(json, units, now);
        show_trade(json, units, &now->trade);
        show_position(json, view, index, now);
        show_fair(json, units, &now->status);
        show_breakers(json, &now->status);
        show_bits(json, "gates", now->status.gates, FIELD_GATE, GATE_COUNT);
        show_bits(json, "alarms", now->status.alarms, FIELD_ALARM, ALARM_COUNT);
    }
    json_close(json, '}');
}

/* --- entries ------------------------------------------------------------------------------------ */

/* Numbers as numbers while they are exact, flags as flags, the rest as its canonical text. */
static void show_field(struct json *json, const struct ops_view *view,
                       const struct message *message, const struct event_field_info *field)
{
    char text[FIELD_TEXT_MAX];
    uint64_t whole = 0;
    const char *member = (const char *)message->record + field->offset;
    if (field->type == FIELD_FLAG) {
        json_flag(json, field->name, *member != 0);
        return;
    }
    if (field->type == FIELD_COUNT || field->type == FIELD_MILLITICK) {
        memcpy(&whole, member, sizeof whole);
        if ((int64_t)whole > -EXACT_MAX && (int64_t)whole < EXACT_MAX) {
            json_integer(json, field->name, (int64_t)whole);
            return;
        }
    }
    unsigned index = (unsigned)(field - event_kind_info(message->kind)->fields);
    size_t length = event_field_to_text(message, view->names, index, text, sizeof text);
    bool quoted = length >= 2 && length < sizeof text && text[0] == '"';
    if (quoted)
        text[length - 1] = '\0';
    json_text(json, field->name, quoted ? text + 1 : text);
}

static void show_cause(struct json *json, const struct ops_view *view,
                       const struct ops_entry *entry)
{
    const struct event_kind_info *info = event_kind_info(entry->cause_kind);
    char name[EVENT_INSTRUMENT_NAME_MAX];
    if (!info) {
        json_null(json, "after");
        return;
    }
    json_open(json, "after", '{');
    json_text(json, "kind", info->name);
    if (entry->cause_instrument < view->names->instrument_count) {
        event_instrument_name(view->names, entry->cause_instrument, name);
        json_text(json, "instrument", name);
    } else {
        json_null(json, "instrument");
    }
    json_close(json, '}');
}

void ops_show_entry(struct json *json, const struct ops_view *view, const struct ops_entry *entry)
{
    struct message message = entry->message;
    const struct event_kind_info *info = event_kind_info(message.kind);
    message.record = &entry->record;
    json_open(json, NULL, '{');
    json_integer(json, "number", (int64_t)entry->number);
    json_integer(json, "time_ms", message.ts_local / NS_PER_MS);
    json_text(json, "kind", info->name);
    for (unsigned i = 0; i < info->field_count; i++)
        show_field(json, view, &message, &info->fields[i]);
    show_cause(json, view, entry);
    json_close(json, '}');
}
