/* Coinbase: public questions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "exchange/coinbase.h"

enum { TICKER_TRADES_DEFAULT = 100, BOOK_LEVELS_MAX = 100000 };

static void write_time(const struct coinbase *venue, struct json *json, const char *name,
                       int64_t time)
{
    char text[COINBASE_TIME_MAX];
    coinbase_time(venue, time, text);
    json_text(json, name, text);
}

void coinbase_get_time(struct coinbase_call *call)
{
    int64_t shown = call->now + call->venue->protocol.skew;
    char text[TIME_TEXT_MAX];
    time_to_text(shown, text);
    json_open(call->body, NULL, '{');
    json_format(call->body, "iso", "%.19sZ", text);
    json_format(call->body, "epochSeconds", "%lld", (long long)(shown / NS_PER_SECOND));
    json_format(call->body, "epochMillis", "%lld", (long long)(shown / NS_PER_MS));
    json_close(call->body, '}');
}

/* --- products ---------------------------------------------------------------------------------- */

static void write_sizes(struct json *json, const struct event_definition *definition)
{
    json_decimal(json, "base_increment", definition->lot, definition->quantity_exponent, 0);
    json_decimal(json, "quote_increment", definition->tick, definition->price_exponent, 0);
    json_money(json, "quote_min_size", definition->minimum_notional, -1);
    json_text(json, "quote_max_size", "150000000");
    json_decimal(json, "base_min_size", definition->lot, definition->quantity_exponent, 0);
    json_text(json, "base_max_size", "3400");
}

static void write_states(struct json *json, const struct public_instrument *instrument)
{
    json_flag(json, "watched", false);
    json_flag(json, "is_disabled", false);
    json_flag(json, "new", false);
    json_text(json, "status", "online");
    json_flag(json, "cancel_only", instrument->trading == TRADING_CANCEL_ONLY);
    json_flag(json, "limit_only", false);
    json_flag(json, "post_only", instrument->trading == TRADING_POST_ONLY);
    json_flag(json, "trading_disabled", instrument->trading == TRADING_HALTED);
    json_flag(json, "auction_mode", false);
    json_text(json, "product_type", "SPOT");
}

static void write_product(const struct coinbase *venue, struct json *json,
                          const struct public_instrument *instrument)
{
    const struct event_definition *definition = &instrument->definition;
    const struct event_names *names = venue->options.names;
    json_open(json, NULL, '{');
    json_text(json, "product_id", instrument->symbol);
    json_decimal(json, "price", market_last_price(instrument), definition->price_exponent, 0);
    json_text(json, "price_percentage_change_24h", "0");
    json_money(json, "volume_24h", instrument->volume, -1);
    json_text(json, "volume_percentage_change_24h", "0");
    write_sizes(json, definition);
    json_text(json, "base_name", names->assets[definition->base]);
    json_text(json, "quote_name", names->assets[definition->quote]);
    write_states(json, instrument);
    json_text(json, "quote_currency_id", names->assets[definition->quote]);
    json_text(json, "base_currency_id", names->assets[definition->base]);
    json_null(json, "fcm_trading_session_details");
    json_text(json, "mid_market_price", "");
    json_text(json, "alias", "");
    json_open(json, "alias_to", '[');
    json_close(json, ']');
    json_text(json, "base_display_symbol", names->assets[definition->base]);
    json_text(json, "quote_display_symbol", names->assets[definition->quote]);
    json_flag(json, "view_only", false);
    json_decimal(json, "price_increment", definition->tick, definition->price_exponent, 0);
    json_text(json, "display_name", instrument->symbol);
    json_text(json, "product_venue", "CBE");
    json_close(json, '}');
}

/* Whether a list parameter names it, or there is none. */
static bool is_listed(const struct parameters *parameters, const char *name, const char *symbol)
{
    size_t index = 0;
    const char *value = parameter_next(parameters, name, &index);
    if (!value)
        return true;
    for (; value; value = parameter_next(parameters, name, &index))
        if (strcmp(value, symbol) == 0)
            return true;
    return false;
}

void coinbase_get_products(struct coinbase_call *call)
{
    const struct market_view *market = call->venue->options.market;
    const char *type = parameter(call->parameters, "product_type");
    bool spot = !type || strcmp(type, "SPOT") == 0;
    unsigned count = 0;
    json_open(call->body, NULL, '{');
    json_open(call->body, "products", '[');
    for (unsigned i = 0; spot && i < market->count; i++) {
        if (!is_listed(call->parameters, "product_ids", market->instruments[i].symbol))
            continue;
        write_product(call->venue, call->body, &market->instruments[i]);
        count++;
    }
    json_close(call->body, ']');
    json_integer(call->body, "num_products", count);
    json_close(call->body, '}');
}

/* The product that the path or a parameter names; NULL after a 404. */
static const struct public_instrument *product(struct coinbase_call *call, const char *symbol)
{
    const struct public_instrument *instrument =
        market_by_symbol(call->venue->options.market, symbol);
    if (!instrument)
        coinbase_error(call, 404, "NOT_FOUND", "valid product_id is required");
    return instrument;
}

/* The part of the path behind "products". */
static const char *path_product(const struct coinbase_call *call)
{
    for (size_t i = 0; i + 1 < call->path->count; i++)
        if (strcmp(call->path->parts[i], "products") == 0)
            return call->path->parts[i + 1];
    return NULL;
}

void coinbase_get_product(struct coinbase_call *call)
{
    const struct public_instrument *instrument = product(call, path_product(call));
    if (instrument)
        write_product(call->venue, call->body, instrument);
}

/* --- books ------------------------------------------------------------------------------------- */

static void write_side(struct json *json, const char *name,
                       const struct public_instrument *instrument, enum side side, int64_t limit)
{
    const struct event_definition *definition = &instrument->definition;
    struct book_level level;
    json_open(json, name, '[');
    bool any = book_best(instrument->book, side, &level);
    for (int64_t i = 0; any && i < limit; i++) {
        json_open(json, NULL, '{');
        json_decimal(json, "price", level.price, definition->price_exponent, 0);
        json_decimal(json, "size", level.quantity, definition->quantity_exponent, 0);
        json_close(json, '}');
        any = book_next(instrument->book, side, level.price, &level);
    }
    json_close(json, ']');
}

static void write_price_book(const struct coinbase *venue, struct json *json, const char *name,
                             const struct public_instrument *instrument, int64_t limit)
{
    json_open(json, name, '{');
    json_text(json, "product_id", instrument->symbol);
    write_side(json, "bids", instrument, SIDE_BUY, limit);
    write_side(json, "asks", instrument, SIDE_SELL, limit);
    write_time(venue, json, "time", instrument->time);
    json_close(json, '}');
}

void coinbase_get_product_book(struct coinbase_call *call)
{
    int64_t limit = BOOK_LEVELS_MAX;
    const struct public_instrument *instrument =
        product(call, parameter(call->parameters, "product_id"));
    if (!instrument)
        return;
    if (!parameter_integer(call->parameters, "limit", &limit) || limit < 1)
        limit = BOOK_LEVELS_MAX;
    json_open(call->body, NULL, '{');
    write_price_book(call->venue, call->body, "pricebook", instrument, limit);
    json_close(call->body, '}');
}

void coinbase_get_best_bid_ask(struct coinbase_call *call)
{
    const struct market_view *market = call->venue->options.market;
    json_open(call->body, NULL, '{');
    json_open(call->body, "pricebooks", '[');
    for (unsigned i = 0; i < market->count; i++)
        if (is_listed(call->parameters, "product_ids", market->instruments[i].symbol))
            write_price_book(call->venue, call->body, NULL, &market->instruments[i], 1);
    json_close(call->body, ']');
    json_close(call->body, '}');
}

static void write_trade(const struct coinbase *venue, struct json *json,
                        const struct public_instrument *instrument,
                        const struct public_trade *trade)
{
    const struct event_definition *definition = &instrument->definition;
    json_open(json, NULL, '{');
    json_format(json, "trade_id", "%llu", (unsigned long long)trade->id);
    json_text(json, "product_id", instrument->symbol);
    json_decimal(json, "price", trade->price, definition->price_exponent, 0);
    json_decimal(json, "size", trade->quantity, definition->quantity_exponent, 0);
    write_time(venue, json, "time", trade->time);
    json_text(json, "side", trade->seller_aggressor ? "BUY" : "SELL"); /* the maker's */
    json_text(json, "bid", "");
    json_text(json, "ask", "");
    json_close(json, '}');
}

void coinbase_get_ticker(struct coinbase_call *call)
{
    int64_t limit = TICKER_TRADES_DEFAULT;
    const struct public_instrument *instrument = product(call, path_product(call));
    if (!instrument)
        return;
    parameter_integer(call->parameters, "limit", &limit);
    json_open(call->body, NULL, '{');
    json_open(call->body, "trades", '[');
    for (uint64_t back = 0; back < (uint64_t)limit; back++) { /* newest first */
        const struct public_trade *trade = market_trade(instrument, back);
        if (!trade)
            break;
        write_trade(call->venue, call->body, instrument, trade);
    }
    json_close(call->body, ']');
    json_decimal(call->body, "best_bid", instrument->top[SIDE_BUY].price,
                 instrument->definition.price_exponent, 0);
    json_decimal(call->body, "best_ask", instrument->top[SIDE_SELL].price,
                 instrument->definition.price_exponent, 0);
    json_close(call->body, '}');
}

/* --- currencies, which the older API tells ------------------------------------------------------- */

static bool is_fiat(const struct coinbase_call *call, unsigned asset)
{
    static const char *const fiat[] = {"USD", "EUR", "GBP", "JPY", "CAD", "AUD", "CHF"};
    for (size_t i = 0; i < sizeof fiat / sizeof fiat[0]; i++)
        if (strcmp(fiat[i], call->venue->options.names->assets[asset]) == 0)
            return true;
    return false;
}

static void write_currencies(struct coinbase_call *call, bool fiat)
{
    const struct event_names *names = call->venue->options.names;
    json_open(call->body, NULL, '{');
    json_open(call->body, "data", '[');
    for (unsigned asset = 0; asset < names->asset_count; asset++) {
        if (is_fiat(call, asset) != fiat)
            continue;
        json_open(call->body, NULL, '{');
        json_text(call->body, fiat ? "id" : "code", names->assets[asset]);
        json_text(call->body, "name", names->assets[asset]);
        if (fiat)
            json_text(call->body, "min_size", "0.01");
        else
            json_integer(call->body, "exponent", 8);
        json_close(call->body, '}');
    }
    json_close(call->body, ']');
    json_close(call->body, '}');
}

void coinbase_get_currencies(struct coinbase_call *call)
{
    write_currencies(call, true);
}

void coinbase_get_crypto_currencies(struct coinbase_call *call)
{
    write_currencies(call, false);
}

/* What one USD buys of an asset by the market here; false where the venue has no market of it. */
static bool rate_of(const struct coinbase_call *call, unsigned asset, money *rate)
{
    const struct market_view *market = call->venue->options.market;
    const struct event_names *names = call->venue->options.names;
    money one;
    if (!money_from_units(1, 0, &one))
        return false;
    if (strcmp(names->assets[asset], "USD") == 0) {
        *rate = one;
        return true;
    }
    for (unsigned i = 0; i < market->count; i++) {
        const struct event_definition *definition = &market->instruments[i].definition;
        int64_t price = market_last_price(&market->instruments[i]);
        if (definition->base == asset && price > 0 && definition->price_exponent <= 0 &&
            strcmp(names->assets[definition->quote], "USD") == 0)
            return money_scale(one, power_of_ten(-definition->price_exponent), price,
                               MONEY_HALF_EVEN, rate);
    }
    return false;
}

void coinbase_get_exchange_rates(struct coinbase_call *call)
{
    const struct event_names *names = call->venue->options.names;
    json_open(call->body, NULL, '{');
    json_open(call->body, "data", '{');
    json_text(call->body, "currency", "USD");
    json_open(call->body, "rates", '{');
    for (unsigned asset = 0; asset < names->asset_count; asset++) {
        money rate;
        if (rate_of(call, asset, &rate))
            json_money(call->body, names->assets[asset], rate, -1);
    }
    json_close(call->body, '}');
    json_close(call->body, '}');
    json_close(call->body, '}');
}
