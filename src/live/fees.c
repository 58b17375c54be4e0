/* See fees.h. */
#include "live/fees.h"

#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"

/* A fee's rate is counted in 1e-9. */
#define RATE_UNITS INT64_C(1000000000)

static const char target[] = "capstan.reconcile";

enum { LOGGED_MAX = 20, LOGGED_EVERY = 100, LEAST_EXPONENT = -8 };

struct fees {
    const struct event_names *names;
    const struct log *log;
    struct event_definition *definitions; /* as they are now */
    struct event_order_filled fill;       /* that the engine is given now */
    bool has_fill;
    int64_t now;
    uint64_t fills; /* that the engine had counted before it */
    uint64_t different;
    int64_t limit; /* of the order that is filled; 0: not known */
    uint64_t beyond;
};

int fees_open(struct fees **out, const struct event_names *names, const struct log *log,
              struct error *error)
{
    struct fees *fees = calloc(1, sizeof *fees);
    size_t bytes = names->instrument_count * sizeof *names->definitions;
    if (fees)
        fees->definitions = malloc(bytes + 1);
    *out = fees;
    if (!fees || !fees->definitions) {
        fees_close(out);
        return error_set(error, ERROR_SYSTEM, "no memory to compare fees");
    }
    if (bytes > 0)
        memcpy(fees->definitions, names->definitions, bytes);
    fees->names = names;
    fees->log = log;
    return 0;
}

void fees_close(struct fees **fees)
{
    if (*fees)
        free((*fees)->definitions);
    free(*fees);
    *fees = NULL;
}

uint64_t fees_different(const struct fees *fees)
{
    return fees->different;
}

uint64_t fees_beyond(const struct fees *fees)
{
    return fees->beyond;
}

bool fees_expected(const struct event_definition *definition, const struct event_order_filled *fill,
                   money *fee, uint16_t *asset)
{
    bool spot = definition->contract == CONTRACT_SPOT;
    bool in_base = spot && definition->fee_asset == FEE_IN_RECEIVED && fill->side == SIDE_BUY;
    int64_t rate =
        fill->liquidity == LIQUIDITY_MAKER ? definition->maker_fee : definition->taker_fee;
    int exponent = definition->quantity_exponent + definition->multiplier_exponent;
    money amount, exact;
    if (definition->contract == CONTRACT_INVERSE || fill->price.status != NUMBER_VALUE ||
        fill->quantity.status != NUMBER_VALUE)
        return false;
    *asset = in_base                                  ? definition->base
             : definition->fee_asset == FEE_IN_SETTLE ? definition->settle
                                                      : definition->quote;
    return money_linear_value(
               in_base ? 1 : fill->price.units, fill->quantity.units, definition->multiplier,
               in_base ? exponent : exponent + definition->price_exponent, &amount) &&
           money_scale(amount, rate, RATE_UNITS, MONEY_UP, &exact) &&
           money_round(exact,
                       in_base ? definition->base_commission_exponent
                               : definition->quote_commission_exponent,
                       MONEY_UP, fee);
}

/* Which way a venue rounds is not known, nor always where: one unit of its precision is no difference, and none that is
 * smaller than 1e-8. */
static bool agrees(const struct event_definition *definition, const struct event_order_filled *fill,
                   money ours, uint16_t asset)
{
    money unit, apart;
    int exponent = asset == definition->base ? definition->base_commission_exponent
                                             : definition->quote_commission_exponent;
    if (exponent < LEAST_EXPONENT)
        exponent = LEAST_EXPONENT;
    if (fill->fee.atto == 0 && ours.atto == 0)
        return true; /* in whatever asset */
    if (fill->fee_asset != asset || !money_from_units(1, exponent, &unit) ||
        !money_try_subtract(fill->fee, ours, &apart))
        return false;
    if (apart.atto < 0)
        apart = money_negate(apart);
    return money_compare(apart, unit) <= 0;
}

static void tell(struct fees *fees, const struct event_definition *definition, money ours,
                 uint16_t asset)
{
    const struct event_order_filled *fill = &fees->fill;
    const struct event_names *names = fees->names;
    fees->different++;
    if (fees->different > LOGGED_MAX && fees->different % LOGGED_EVERY != 0)
        return;
    const char *paid_in =
        fill->fee_asset < names->asset_count ? names->assets[fill->fee_asset] : "";
    const struct log_field fields[] = {
        log_text("venue", names->venues[definition->venue]),
        log_text("symbol", names->symbols[fill->instrument]),
        log_money("venue_fee", fill->fee),
        log_text("venue_asset", paid_in),
        log_money("our_fee", ours),
        log_text("our_asset", asset < names->asset_count ? names->assets[asset] : ""),
        log_unsigned("different", fees->different)};
    log_write(fees->log, LOG_WARN, target, fees->now,
              "a fee is not what the venue's rates come to: the venue's is booked", fields, 7);
}

/* A buy above, or a sell below, what its order allowed: the venue's word is booked, but somebody must ask it. */
static void tell_beyond(struct fees *fees, const struct event_definition *definition)
{
    const struct event_order_filled *fill = &fees->fill;
    char price[DECIMAL_TEXT_MAX], limit[DECIMAL_TEXT_MAX];
    fees->beyond++;
    if (fees->beyond > LOGGED_MAX && fees->beyond % LOGGED_EVERY != 0)
        return;
    decimal_to_text(fill->price.units, definition->price_exponent, price);
    decimal_to_text(fees->limit, definition->price_exponent, limit);
    const struct log_field fields[] = {log_text("venue", fees->names->venues[definition->venue]),
                                       log_text("symbol", fees->names->symbols[fill->instrument]),
                                       log_text("side", fill->side == SIDE_BUY ? "buy" : "sell"),
                                       log_text("price", price),
                                       log_text("limit", limit),
                                       log_unsigned("beyond", fees->beyond)};
    log_write(fees->log, LOG_WARN, target, fees->now,
              "a fill is at a worse price than its order's limit: the venue's is booked", fields,
              6);
}

void fees_take(struct fees *fees, const struct engine *engine, const struct message *message)
{
    const union event_record *record = message->record;
    fees->has_fill = false;
    if (message->kind == EVENT_definition &&
        record->definition.instrument < fees->names->instrument_count)
        fees->definitions[record->definition.instrument] = record->definition;
    if (message->kind != EVENT_order_filled ||
        record->order_filled.instrument >= fees->names->instrument_count)
        return;
    fees->has_fill = true;
    fees->fill = record->order_filled;
    fees->now = message->ts_local;
    fees->fills = engine_counters(engine)->fills;
    fees->limit = engine_order_price(engine, fees->fill.order);
}

void fees_stepped(struct fees *fees, const struct engine *engine)
{
    money ours;
    uint16_t asset;
    bool counted = fees->has_fill && engine_counters(engine)->fills > fees->fills;
    fees->has_fill = false;
    if (!counted)
        return;
    const struct event_definition *definition = &fees->definitions[fees->fill.instrument];
    if (fees->limit > 0 && (fees->fill.side == SIDE_BUY ? fees->fill.price.units > fees->limit
                                                        : fees->fill.price.units < fees->limit))
        tell_beyond(fees, definition);
    if (fees_expected(definition, &fees->fill, &ours, &asset) &&
        !agrees(definition, &fees->fill, ours, asset))
        tell(fees, definition, ours, asset);
}
