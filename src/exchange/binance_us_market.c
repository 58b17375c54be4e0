/* Binance.US: public endpoints. */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "exchange/binance_us.h"

enum { DEPTH_DEFAULT = 100, DEPTH_MAX = 5000, TRADES_DEFAULT = 500, TRADES_MAX = 1000 };

void binance_get_ping(struct binance_call *call)
{
    json_open(call->body, NULL, '{');
    json_close(call->body, '}');
}

void binance_get_time(struct binance_call *call)
{
    json_open(call->body, NULL, '{');
    json_integer(call->body, "serverTime", binance_ms(call->venue, call->now));
    json_close(call->body, '}');
}

/* --- what can be traded ------------------------------------------------------------------------ */

static void write_rate_limit(struct json *json, const char *type, const char *interval,
                             int64_t number, int64_t limit)
{
    json_open(json, NULL, '{');
    json_text(json, "rateLimitType", type);
    json_text(json, "interval", interval);
    json_integer(json, "intervalNum", number);
    json_integer(json, "limit", limit);
    json_close(json, '}');
}

static void write_rate_limits(const struct binance_us *venue, struct json *json)
{
    json_open(json, "rateLimits", '[');
    write_rate_limit(json, "REQUEST_WEIGHT", "MINUTE", 1, venue->weight.limit);
    write_rate_limit(json, "ORDERS", "SECOND", 10, venue->orders_10s.limit);
    write_rate_limit(json, "ORDERS", "DAY", 1, venue->orders_day.limit);
    write_rate_limit(json, "RAW_REQUESTS", "MINUTE", 5, venue->raw_requests.limit);
    json_close(json, ']');
}

static void begin_filter(struct json *json, const char *type)
{
    json_open(json, NULL, '{');
    json_text(json, "filterType", type);
}

static void write_lot_filter(struct json *json, const char *type,
                             const struct event_definition *definition)
{
    begin_filter(json, type);
    json_decimal(json, "minQty", definition->lot, definition->quantity_exponent, BINANCE_DECIMALS);
    json_text(json, "maxQty", "9000.00000000");
    json_decimal(json, "stepSize", definition->lot, definition->quantity_exponent,
                 BINANCE_DECIMALS);
    json_close(json, '}');
}

static void write_filters(struct json *json, const struct event_definition *definition)
{
    json_open(json, "filters", '[');
    begin_filter(json, "PRICE_FILTER");
    json_decimal(json, "minPrice", definition->tick, definition->price_exponent, BINANCE_DECIMALS);
    json_text(json, "maxPrice", "1000000.00000000");
    json_decimal(json, "tickSize", definition->tick, definition->price_exponent, BINANCE_DECIMALS);
    json_close(json, '}');
    begin_filter(json, "PERCENT_PRICE");
    json_text(json, "multiplierUp", "5");
    json_text(json, "multiplierDown", "0.2");
    json_integer(json, "avgPriceMins", 5);
    json_close(json, '}');
    write_lot_filter(json, "LOT_SIZE", definition);
    begin_filter(json, "MIN_NOTIONAL");
    json_money(json, "minNotional", definition->minimum_notional, BINANCE_DECIMALS);
    json_flag(json, "applyToMarket", true);
    json_integer(json, "avgPriceMins", 5);
    json_close(json, '}');
    write_lot_filter(json, "MARKET_LOT_SIZE", definition);
    begin_filter(json, "MAX_NUM_ORDERS");
    json_integer(json, "maxNumOrders", BINANCE_SYMBOL_ORDERS_MAX);
    json_close(json, '}');
    json_close(json, ']');
}

static void write_symbol(const struct binance_us *venue, struct json *json,
                         const struct public_instrument *instrument)
{
    const struct event_definition *definition = &instrument->definition;
    const struct event_names *names = venue->options.names;
    static const char *const types[] = {"LIMIT", "LIMIT_MAKER", "MARKET"};
    json_open(json, NULL, '{');
    json_text(json, "symbol", instrument->symbol);
    json_text(json, "status", instrument->trading == TRADING_OPEN ? "TRADING" : "HALT");
    json_text(json, "baseAsset", names->assets[definition->base]);
    json_integer(json, "baseAssetPrecision", BINANCE_DECIMALS);
    json_text(json, "quoteAsset", names->assets[definition->quote]);
    json_integer(json, "quotePrecision", BINANCE_DECIMALS);
    json_integer(json, "quoteAssetPrecision", BINANCE_DECIMALS);
    json_integer(json, "baseCommissionPrecision", -definition->base_commission_exponent);
    json_integer(json, "quoteCommissionPrecision", -definition->quote_commission_exponent);
    json_open(json, "orderTypes", '[');
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        json_text(json, NULL, types[i]);
    json_close(json, ']');
    json_flag(json, "icebergAllowed", false);
    json_flag(json, "ocoAllowed", false);
    json_flag(json, "quoteOrderQtyMarketAllowed", true);
    json_flag(json, "allowTrailingStop", false);
    json_flag(json, "cancelReplaceAllowed", true);
    json_flag(json, "isSpotTradingAllowed", true);
    json_flag(json, "isMarginTradingAllowed", false);
    write_filters(json, definition);
    json_open(json, "permissions", '[');
    json_text(json, NULL, "SPOT");
    json_close(json, ']');
    json_text(json, "defaultSelfTradePreventionMode", "NONE");
    json_open(json, "allowedSelfTradePreventionModes", '[');
    json_text(json, NULL, "NONE");
    json_close(json, ']');
    json_close(json, '}');
}

/* Whether `symbols`, a list as ["A","B"], names one; NULL names all. */
static bool is_asked_for(const char *symbol, const char *symbols, const char *name)
{
    if (symbol)
        return strcmp(symbol, name) == 0;
    if (!symbols)
        return true;
    char quoted[EVENT_NAME_MAX + 3];
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    return strstr(symbols, quoted);
}

void binance_get_exchange_info(struct binance_call *call)
{
    const struct market_view *market = call->venue->options.market;
    const char *symbol = parameter(call->parameters, "symbol");
    const char *symbols = parameter(call->parameters, "symbols");
    if (symbol && !binance_symbol(call))
        return;
    json_open(call->body, NULL, '{');
    json_text(call->body, "timezone", "UTC");
    json_integer(call->body, "serverTime", binance_ms(call->venue, call->now));
    write_rate_limits(call->venue, call->body);
    json_open(call->body, "exchangeFilters", '[');
    json_close(call->body, ']');
    json_open(call->body, "symbols", '[');
    for (unsigned i = 0; i < market->count; i++)
        if (is_asked_for(symbol, symbols, market->instruments[i].symbol))
            write_symbol(call->venue, call->body, &market->instruments[i]);
    json_close(call->body, ']');
    json_close(call->body, '}');
}

/* --- books ------------------------------------------------------------------------------------- */

void binance_write_levels(struct json *json, const char *name,
                          const struct public_instrument *instrument, enum side side, size_t limit)
{
    const struct event_definition *definition = &instrument->definition;
    struct book_level level;
    json_open(json, name, '[');
    bool any = book_best(instrument->book, side, &level);
    for (size_t i = 0; any && i < limit; i++) {
        json_open(json, NULL, '[');
        json_decimal(json, NULL, level.price, definition->price_exponent, BINANCE_DECIMALS);
        json_decimal(json, NULL, level.quantity, definition->quantity_exponent, BINANCE_DECIMALS);
        json_close(json, ']');
        any = book_next(instrument->book, side, level.price, &level);
    }
    json_close(json, ']');
}

/* A limit from 1 to `most`; false after -1130. */
static bool read_limit(struct binance_call *call, int64_t most, int64_t *limit)
{
    if (parameter_integer(call->parameters, "limit", limit) && *limit >= 1) {
        *limit = *limit > most ? most : *limit;
        return true;
    }
    return binance_error(call, 400, -1130, "Data sent for parameter 'limit' is not valid.");
}

void binance_get_depth(struct binance_call *call)
{
    int64_t limit = DEPTH_DEFAULT;
    const struct public_instrument *instrument = binance_symbol(call);
    if (!instrument || !read_limit(call, DEPTH_MAX, &limit))
        return;
    json_open(call->body, NULL, '{');
    json_integer(call->body, "lastUpdateId", (int64_t)instrument->update);
    binance_write_levels(call->body, "bids", instrument, SIDE_BUY, (size_t)limit);
    binance_write_levels(call->body, "asks", instrument, SIDE_SELL, (size_t)limit);
    json_close(call->body, '}');
}

static void write_trade(const struct binance_us *venue, struct json *json,
                        const struct event_definition *definition, const struct public_trade *trade)
{
    money value = MONEY_ZERO;
    money_linear_value(trade->price, trade->quantity, definition->multiplier,
                       definition->price_exponent + definition->quantity_exponent +
                           definition->multiplier_exponent,
                       &value);
    json_open(json, NULL, '{');
    json_integer(json, "id", (int64_t)trade->id);
    json_decimal(json, "price", trade->price, definition->price_exponent, BINANCE_DECIMALS);
    json_decimal(json, "qty", trade->quantity, definition->quantity_exponent, BINANCE_DECIMALS);
    json_money(json, "quoteQty", value, BINANCE_DECIMALS);
    json_integer(json, "time", binance_ms(venue, trade->time));
    json_flag(json, "isBuyerMaker", trade->seller_aggressor);
    json_flag(json, "isBestMatch", true);
    json_close(json, '}');
}

void binance_get_trades(struct binance_call *call)
{
    int64_t limit = TRADES_DEFAULT;
    const struct public_instrument *instrument = binance_symbol(call);
    if (!instrument || !read_limit(call, TRADES_MAX, &limit))
        return;
    json_open(call->body, NULL, '[');
    for (uint64_t back = (uint64_t)limit; back-- > 0;) {
        const struct public_trade *trade = market_trade(instrument, back);
        if (trade)
            write_trade(call->venue, call->body, &instrument->definition, trade);
    }
    json_close(call->body, ']');
}

void binance_get_average_price(struct binance_call *call)
{
    const struct public_instrument *instrument = binance_symbol(call);
    if (!instrument)
        return;
    json_open(call->body, NULL, '{');
    json_integer(call->body, "mins", 5);
    json_decimal(call->body, "price", market_last_price(instrument),
                 instrument->definition.price_exponent, BINANCE_DECIMALS);
    json_close(call->body, '}');
}

/* --- tickers ----------------------------------------------------------------------------------- */

/* One object where a symbol was given, else an array of all. */
static void for_symbols(struct binance_call *call,
                        void (*write)(const struct binance_call *call, struct json *json,
                                      const struct public_instrument *instrument))
{
    const struct market_view *market = call->venue->options.market;
    if (parameter(call->parameters, "symbol")) {
        const struct public_instrument *instrument = binance_symbol(call);
        if (instrument)
            write(call, call->body, instrument);
        return;
    }
    const char *symbols = parameter(call->parameters, "symbols");
    json_open(call->body, NULL, '[');
    for (unsigned i = 0; i < market->count; i++)
        if (is_asked_for(NULL, symbols, market->instruments[i].symbol))
            write(call, call->body, &market->instruments[i]);
    json_close(call->body, ']');
}

static void write_ticker_price(const struct binance_call *call, struct json *json,
                               const struct public_instrument *instrument)
{
    (void)call;
    json_open(json, NULL, '{');
    json_text(json, "symbol", instrument->symbol);
    json_decimal(json, "price", market_last_price(instrument),
                 instrument->definition.price_exponent, BINANCE_DECIMALS);
    json_close(json, '}');
}

void binance_get_ticker_price(struct binance_call *call)
{
    for_symbols(call, write_ticker_price);
}

static void write_best(struct json *json, const struct public_instrument *instrument)
{
    static const char *const names[2][2] = {{"bidPrice", "bidQty"}, {"askPrice", "askQty"}};
    for (enum side side = SIDE_BUY; side <= SIDE_SELL; side++) {
        json_decimal(json, names[side][0], instrument->top[side].price,
                     instrument->definition.price_exponent, BINANCE_DECIMALS);
        json_decimal(json, names[side][1], instrument->top[side].quantity,
                     instrument->definition.quantity_exponent, BINANCE_DECIMALS);
    }
}

static void write_book_ticker(const struct binance_call *call, struct json *json,
                              const struct public_instrument *instrument)
{
    (void)call;
    json_open(json, NULL, '{');
    json_text(json, "symbol", instrument->symbol);
    write_best(json, instrument);
    json_close(json, '}');
}

void binance_get_book_ticker(struct binance_call *call)
{
    for_symbols(call, write_book_ticker);
}

/* Statistics are of what was played so far. */
static void write_ticker_24h(const struct binance_call *call, struct json *json,
                             const struct public_instrument *instrument)
{
    const struct event_definition *definition = &instrument->definition;
    const struct public_trade *last = market_trade(instrument, 0);
    int64_t price = market_last_price(instrument), open = last ? instrument->open : price;
    json_open(json, NULL, '{');
    json_text(json, "symbol", instrument->symbol);
    json_decimal(json, "priceChange", price - open, definition->price_exponent, BINANCE_DECIMALS);
    json_decimal(json, "priceChangePercent",
                 open > 0 ? (int64_t)((int128)(price - open) * 100000 / open) : 0, -3, 3);
    json_decimal(json, "weightedAvgPrice", price, definition->price_exponent, BINANCE_DECIMALS);
    json_decimal(json, "prevClosePrice", open, definition->price_exponent, BINANCE_DECIMALS);
    json_decimal(json, "lastPrice", price, definition->price_exponent, BINANCE_DECIMALS);
    json_decimal(json, "lastQty", last ? last->quantity : 0, definition->quantity_exponent,
                 BINANCE_DECIMALS);
    write_best(json, instrument);
    json_decimal(json, "openPrice", open, definition->price_exponent, BINANCE_DECIMALS);
    json_decimal(json, "highPrice", last ? instrument->high : price, definition->price_exponent,
                 BINANCE_DECIMALS);
    json_decimal(json, "lowPrice", last ? instrument->low : price, definition->price_exponent,
                 BINANCE_DECIMALS);
    json_money(json, "volume", instrument->volume, BINANCE_DECIMALS);
    json_money(json, "quoteVolume", instrument->value, BINANCE_DECIMALS);
    json_integer(json, "openTime", binance_ms(call->venue, call->now) - 86400000);
    json_integer(json, "closeTime", binance_ms(call->venue, call->now));
    json_integer(json, "firstId", last ? 1 : -1);
    json_integer(json, "lastId", last ? (int64_t)last->id : -1);
    json_integer(json, "count", (int64_t)instrument->trade_count);
    json_close(json, '}');
}

void binance_get_ticker_24h(struct binance_call *call)
{
    for_symbols(call, write_ticker_24h);
}
