/* Coinbase: channels of a websocket. One sequence number a connection runs over all its messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/coinbase.h"

enum {
    PRODUCTS_MAX = 64,    /* of one channel and connection */
    SNAPSHOT_TRADES = 50, /* of market_trades */
    SNAPSHOT_ORDERS = 50, /* of user, in one message */
    CLOSE_POLICY = 1008,
    CLOSE_GOING_AWAY = 1001
};
#define SUBSCRIBE_WITHIN_NS (5 * NS_PER_SECOND)
#define SILENCE_MAX_NS      (90 * NS_PER_SECOND)
#define BATCH_NS            (250 * NS_PER_MS)

/* Channels by their number. */
enum channel_number {
    CHANNEL_HEARTBEATS,
    CHANNEL_LEVEL2,
    CHANNEL_MARKET_TRADES,
    CHANNEL_TICKER,
    CHANNEL_USER,
    CHANNEL_STATUS, /* the rest is taken and stays silent */
    CHANNEL_CANDLES,
    CHANNEL_TICKER_BATCH,
    CHANNELS_COUNT
};

static const char *const channel_names[CHANNELS_COUNT] = {
    "heartbeats", "level2", "market_trades", "ticker", "user", "status", "candles", "ticker_batch"};

const char *const coinbase_messages[] = {"heartbeats", "l2_data",       "market_trades", "ticker",
                                         "user",       "subscriptions", "error",         NULL};

/* What one connection listens to. */
struct coinbase_stream {
    uint64_t sequence; /* of the next message */
    bool any;          /* has subscribed to something once */
    bool on[CHANNELS_COUNT];
    /* Products of each channel; none: all. */
    const char *products[CHANNELS_COUNT][PRODUCTS_MAX];
    size_t product_count[CHANNELS_COUNT];
};

static struct coinbase *coinbase_of(const struct protocol *protocol)
{
    ASSERT(protocol->kind == &protocol_coinbase);
    return (struct coinbase *)(uintptr_t)protocol;
}

void coinbase_opened(struct protocol *protocol, struct exchange_stream *stream,
                     const struct net_incoming *incoming, int64_t now)
{
    (void)protocol;
    (void)incoming;
    (void)now;
    stream->state = calloc(1, sizeof(struct coinbase_stream));
    ASSERT(stream->state);
}

void coinbase_closed(struct protocol *protocol, struct exchange_stream *stream, int64_t now)
{
    (void)protocol;
    (void)stream;
    (void)now;
}

/* --- messages ---------------------------------------------------------------------------------- */

static void write_time(const struct coinbase *venue, struct json *json, const char *name,
                       int64_t time)
{
    char text[COINBASE_TIME_MAX];
    coinbase_time(venue, time, text);
    json_text(json, name, text);
}

/* Begin a message of a channel in `scratch`, up to its events. Each is made for one connection, since its
 * number is. */
static struct json *begin(struct coinbase *venue, struct exchange_stream *stream,
                          const char *channel, int64_t now)
{
    struct coinbase_stream *state = stream->state;
    struct json *json = &venue->scratch;
    json_clear(json);
    json_open(json, NULL, '{');
    json_text(json, "channel", channel);
    json_text(json, "client_id", "");
    write_time(venue, json, "timestamp", now);
    json_integer(json, "sequence_num", (int64_t)state->sequence++);
    json_open(json, "events", '[');
    return json;
}

static void end(struct coinbase *venue, struct exchange_stream *stream, const char *channel,
                int64_t now)
{
    json_close(&venue->scratch, ']');
    json_close(&venue->scratch, '}');
    stream->said = now;
    venue->options.port->send(venue->options.port->context, stream, channel, venue->scratch.bytes,
                              venue->scratch.length);
}

static void send_error(struct coinbase *venue, struct exchange_stream *stream, const char *text)
{
    json_clear(&venue->scratch);
    json_open(&venue->scratch, NULL, '{');
    json_text(&venue->scratch, "type", "error");
    json_text(&venue->scratch, "message", text);
    json_close(&venue->scratch, '}');
    venue->options.port->send(venue->options.port->context, stream, "error", venue->scratch.bytes,
                              venue->scratch.length);
}

static bool listens(const struct exchange_stream *stream, enum channel_number channel,
                    const char *symbol)
{
    const struct coinbase_stream *state = stream->state;
    if (!state->on[channel])
        return false;
    for (size_t i = 0; i < state->product_count[channel]; i++)
        if (strcmp(state->products[channel][i], symbol) == 0)
            return true;
    return state->product_count[channel] == 0;
}

/* --- level2 ------------------------------------------------------------------------------------ */

static void write_level(const struct coinbase *venue, struct json *json,
                        const struct public_instrument *instrument, enum side side, int64_t price,
                        int64_t quantity, int64_t time)
{
    json_open(json, NULL, '{');
    json_text(json, "side", side == SIDE_BUY ? "bid" : "offer");
    if (time > 0)
        write_time(venue, json, "event_time", time);
    else
        json_text(json, "event_time", "1970-01-01T00:00:00Z");
    json_decimal(json, "price_level", price, instrument->definition.price_exponent, 0);
    json_decimal(json, "new_quantity", quantity, instrument->definition.quantity_exponent, 0);
    json_close(json, '}');
}

static void begin_book(struct json *json, const char *type,
                       const struct public_instrument *instrument)
{
    json_open(json, NULL, '{');
    json_text(json, "type", type);
    json_text(json, "product_id", instrument->symbol);
    json_open(json, "updates", '[');
}

static void end_book(struct json *json)
{
    json_close(json, ']');
    json_close(json, '}');
}

static void send_book_snapshot(struct coinbase *venue, struct exchange_stream *stream,
                               const struct public_instrument *instrument, int64_t now)
{
    struct json *json = begin(venue, stream, "l2_data", now);
    begin_book(json, "snapshot", instrument);
    for (enum side side = SIDE_BUY; side <= SIDE_SELL; side++) {
        struct book_level level;
        bool any = book_best(instrument->book, side, &level);
        for (; any; any = book_next(instrument->book, side, level.price, &level))
            write_level(venue, json, instrument, side, level.price, level.quantity, 0);
    }
    end_book(json);
    end(venue, stream, "l2_data", now);
}

static void send_book_update(struct coinbase *venue, struct exchange_stream *stream,
                             const struct public_instrument *instrument,
                             const struct public_changes *changes, int64_t now)
{
    struct json *json = begin(venue, stream, "l2_data", now);
    begin_book(json, "update", instrument);
    for (size_t i = 0; i < changes->count; i++) {
        const struct public_change *change = &changes->changes[i];
        enum side side = (enum side)change->side;
        write_level(venue, json, instrument, side, change->price,
                    book_quantity(instrument->book, side, change->price), changes->time);
    }
    end_book(json);
    end(venue, stream, "l2_data", now);
}

/* --- market_trades and ticker ------------------------------------------------------------------ */

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
    json_text(json, "side", trade->seller_aggressor ? "BUY" : "SELL"); /* the maker's */
    write_time(venue, json, "time", trade->time);
    json_close(json, '}');
}

/* The newest `count` trades, the newest first. */
static void send_trades(struct coinbase *venue, struct exchange_stream *stream, const char *type,
                        const struct public_instrument *instrument, uint64_t count, int64_t now)
{
    struct json *json = begin(venue, stream, "market_trades", now);
    json_open(json, NULL, '{');
    json_text(json, "type", type);
    json_open(json, "trades", '[');
    for (uint64_t back = 0; back < count; back++) {
        const struct public_trade *trade = market_trade(instrument, back);
        if (trade)
            write_trade(venue, json, instrument, trade);
    }
    json_close(json, ']');
    json_close(json, '}');
    end(venue, stream, "market_trades", now);
}

static void write_ticker(struct json *json, const struct public_instrument *instrument)
{
    const struct event_definition *definition = &instrument->definition;
    const struct book_level *top = instrument->top;
    int64_t price = market_last_price(instrument);
    bool traded = instrument->trade_count > 0;
    json_open(json, NULL, '{');
    json_text(json, "type", "ticker");
    json_text(json, "product_id", instrument->symbol);
    json_decimal(json, "price", price, definition->price_exponent, 0);
    json_money(json, "volume_24_h", instrument->volume, -1);
    json_decimal(json, "low_24_h", traded ? instrument->low : price, definition->price_exponent, 0);
    json_decimal(json, "high_24_h", traded ? instrument->high : price, definition->price_exponent,
                 0);
    json_decimal(json, "low_52_w", traded ? instrument->low : price, definition->price_exponent, 0);
    json_decimal(json, "high_52_w", traded ? instrument->high : price, definition->price_exponent,
                 0);
    json_text(json, "price_percent_chg_24_h", "0");
    json_decimal(json, "best_bid", top[SIDE_BUY].price, definition->price_exponent, 0);
    json_decimal(json, "best_bid_quantity", top[SIDE_BUY].quantity, definition->quantity_exponent,
                 0);
    json_decimal(json, "best_ask", top[SIDE_SELL].price, definition->price_exponent, 0);
    json_decimal(json, "best_ask_quantity", top[SIDE_SELL].quantity, definition->quantity_exponent,
                 0);
    json_close(json, '}');
}

static void send_ticker(struct coinbase *venue, struct exchange_stream *stream, const char *type,
                        const struct public_instrument *instrument, int64_t now)
{
    struct json *json = begin(venue, stream, "ticker", now);
    json_open(json, NULL, '{');
    json_text(json, "type", type);
    json_open(json, "tickers", '[');
    write_ticker(json, instrument);
    json_close(json, ']');
    json_close(json, '}');
    end(venue, stream, "ticker", now);
}

/* --- user -------------------------------------------------------------------------------------- */

/* What an order that rests holds back, fees apart. */
static money held_by(const struct core_order *order, const struct event_definition *definition)
{
    int64_t left = order->quantity - order->filled;
    money held = MONEY_ZERO;
    if (order->state != CORE_OPEN)
        return held;
    if (order->side == SIDE_SELL)
        money_from_units(left, definition->quantity_exponent, &held);
    else
        money_linear_value(order->price, left, definition->multiplier,
                           definition->price_exponent + definition->quantity_exponent +
                               definition->multiplier_exponent,
                           &held);
    return held;
}

static void write_user_order(const struct coinbase *venue, struct json *json,
                             const struct core_order *order, const char *status)
{
    const struct event_definition *definition = coinbase_definition(venue, order);
    bool over = order->state != CORE_OPEN;
    char uuid[COINBASE_UUID_MAX];
    json_open(json, NULL, '{');
    coinbase_uuid('o', order->index + 1, uuid);
    json_text(json, "order_id", uuid);
    json_text(json, "client_order_id", order->client);
    json_decimal(json, "cumulative_quantity", order->filled, definition->quantity_exponent, 0);
    json_decimal(json, "leaves_quantity", over ? 0 : order->quantity - order->filled,
                 definition->quantity_exponent, 0);
    json_money(json, "avg_price", core_average_price(venue->options.core, order), -1);
    json_money(json, "total_fees", order->fee, -1);
    json_money(json, "filled_value", order->value, -1);
    json_format(json, "number_of_fills", "%u", order->fills);
    json_money(json, "outstanding_hold_amount", held_by(order, definition), -1);
    json_text(json, "status", status);
    json_text(json, "product_id", venue->options.names->symbols[order->instrument]);
    write_time(venue, json, "creation_time", order->created);
    json_text(json, "end_time", "0001-01-01T00:00:00Z");
    json_text(json, "order_side", order->side == SIDE_BUY ? "BUY" : "SELL");
    json_text(json, "order_type", order->is_market ? "Market" : "Limit");
    json_text(json, "cancel_reason", order->state == CORE_CANCELLED ? "User requested cancel" : "");
    json_text(json, "reject_reason", "");
    json_decimal(json, "limit_price", order->is_market ? 0 : order->price,
                 definition->price_exponent, 0);
    json_text(json, "stop_price", "");
    json_text(json, "post_only", order->post_only ? "true" : "false");
    json_text(json, "product_type", "SPOT");
    json_text(json, "time_in_force", coinbase_time_in_force(order));
    json_text(json, "trigger_status", "INVALID_ORDER_TYPE");
    coinbase_uuid('p', 1, uuid);
    json_text(json, "retail_portfolio_id", uuid);
    json_close(json, '}');
}

static struct json *begin_user(struct coinbase *venue, struct exchange_stream *stream,
                               const char *type, int64_t now)
{
    struct json *json = begin(venue, stream, "user", now);
    json_open(json, NULL, '{');
    json_text(json, "type", type);
    json_open(json, "orders", '[');
    return json;
}

static void end_user(struct coinbase *venue, struct exchange_stream *stream, int64_t now)
{
    struct json *json = &venue->scratch;
    json_close(json, ']');
    json_open(json, "positions", '{');
    json_open(json, "perpetual_futures_positions", '[');
    json_close(json, ']');
    json_open(json, "expiring_futures_positions", '[');
    json_close(json, ']');
    json_close(json, '}');
    json_close(json, '}');
    end(venue, stream, "user", now);
}

/* Open orders, 50 a message; the last has fewer. */
static void send_user_snapshot(struct coinbase *venue, struct exchange_stream *stream, int64_t now)
{
    struct core_order *orders[CORE_ORDERS_LIVE_MAX];
    size_t count = core_open_orders(venue->options.core, orders, CORE_ORDERS_LIVE_MAX), i = 0;
    for (size_t sent = SNAPSHOT_ORDERS; sent == SNAPSHOT_ORDERS;) {
        struct json *json = begin_user(venue, stream, "snapshot", now);
        for (sent = 0; sent < SNAPSHOT_ORDERS && i < count; sent++, i++)
            write_user_order(venue, json, orders[i], "OPEN");
        end_user(venue, stream, now);
    }
}

static void send_user_update(struct coinbase *venue, const struct core_order *order,
                             const char *status, int64_t now)
{
    const char *symbol = venue->options.names->symbols[order->instrument];
    for (struct exchange_stream *stream = venue->protocol.streams, *next; stream; stream = next) {
        next = stream->next;
        if (!listens(stream, CHANNEL_USER, symbol))
            continue;
        write_user_order(venue, begin_user(venue, stream, "update", now), order, status);
        end_user(venue, stream, now);
    }
}

/* Cumulative: each message is what the order is now. */
void coinbase_order_event(struct protocol *protocol, const struct core_event *event, int64_t now)
{
    struct coinbase *venue = coinbase_of(protocol);
    const struct core_order *order = event->order;
    if (event->kind == CORE_REJECT)
        return;
    if (event->kind == CORE_ACCEPTED) {
        send_user_update(venue, order, "PENDING", now);
        if (order->time_in_force != TIME_IN_FORCE_GTC)
            return;
    }
    send_user_update(venue, order, coinbase_status(order), now);
}

/* --- subscriptions ----------------------------------------------------------------------------- */

static const char *symbol_of(const struct coinbase *venue, const char *name)
{
    const struct public_instrument *instrument = market_by_symbol(venue->options.market, name);
    return instrument ? instrument->symbol : NULL;
}

static void write_products(const struct coinbase *venue, struct json *json,
                           const struct coinbase_stream *state, enum channel_number channel)
{
    char uuid[COINBASE_UUID_MAX];
    (void)venue;
    json_open(json, channel_names[channel], '[');
    if (channel == CHANNEL_USER) { /* maps to the user, not to products */
        coinbase_uuid('u', 1, uuid);
        json_text(json, NULL, uuid);
    } else if (channel == CHANNEL_HEARTBEATS) {
        json_text(json, NULL, "heartbeats");
    } else {
        for (size_t i = 0; i < state->product_count[channel]; i++)
            json_text(json, NULL, state->products[channel][i]);
    }
    json_close(json, ']');
}

static void send_subscriptions(struct coinbase *venue, struct exchange_stream *stream, int64_t now)
{
    const struct coinbase_stream *state = stream->state;
    struct json *json = begin(venue, stream, "subscriptions", now);
    json_open(json, NULL, '{');
    json_open(json, "subscriptions", '{');
    for (unsigned i = 0; i < CHANNELS_COUNT; i++)
        if (state->on[i])
            write_products(venue, json, state, (enum channel_number)i);
    json_close(json, '}');
    json_close(json, '}');
    end(venue, stream, "subscriptions", now);
}

static void send_snapshots(struct coinbase *venue, struct exchange_stream *stream,
                           enum channel_number channel, const char *symbol, int64_t now)
{
    const struct public_instrument *instrument = market_by_symbol(venue->options.market, symbol);
    if (!instrument)
        return;
    if (channel == CHANNEL_LEVEL2)
        send_book_snapshot(venue, stream, instrument, now);
    else if (channel == CHANNEL_MARKET_TRADES)
        send_trades(venue, stream, "snapshot", instrument, SNAPSHOT_TRADES, now);
    else if (channel == CHANNEL_TICKER)
        send_ticker(venue, stream, "snapshot", instrument, now);
}

/* Add or take away one product; true where that changed something. */
static bool change_product(struct coinbase_stream *state, enum channel_number channel,
                           const char *symbol, bool adds)
{
    size_t *count = &state->product_count[channel];
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(state->products[channel][i], symbol) != 0)
            continue;
        if (!adds)
            state->products[channel][i] = state->products[channel][--*count];
        return !adds;
    }
    if (!adds || *count == PRODUCTS_MAX)
        return false;
    state->products[channel][(*count)++] = symbol;
    return true;
}

static void subscribe(struct coinbase *venue, struct exchange_stream *stream,
                      enum channel_number channel, const cJSON *products, int64_t now)
{
    struct coinbase_stream *state = stream->state;
    const cJSON *product;
    bool was_on = state->on[channel];
    state->on[channel] = state->any = true;
    stream->private_one |= channel == CHANNEL_USER;
    cJSON_ArrayForEach(product, products)
    {
        const char *symbol =
            cJSON_IsString(product) ? symbol_of(venue, product->valuestring) : NULL;
        if (symbol && change_product(state, channel, symbol, true))
            send_snapshots(venue, stream, channel, symbol, now);
    }
    if (channel == CHANNEL_USER && !was_on)
        send_user_snapshot(venue, stream, now);
    send_subscriptions(venue, stream, now);
}

static void unsubscribe(struct coinbase *venue, struct exchange_stream *stream,
                        enum channel_number channel, const cJSON *products, int64_t now)
{
    struct coinbase_stream *state = stream->state;
    const cJSON *product;
    cJSON_ArrayForEach(product, products)
    {
        const char *symbol =
            cJSON_IsString(product) ? symbol_of(venue, product->valuestring) : NULL;
        if (symbol)
            change_product(state, channel, symbol, false);
    }
    if (!products || state->product_count[channel] == 0)
        state->on[channel] = false;
    send_subscriptions(venue, stream, now);
}

/* --- what clients say -------------------------------------------------------------------------- */

static enum channel_number find_channel(const char *name)
{
    for (unsigned i = 0; name && i < CHANNELS_COUNT; i++)
        if (strcmp(name, channel_names[i]) == 0)
            return (enum channel_number)i;
    return CHANNELS_COUNT;
}

static void finish(struct coinbase *venue, struct exchange_stream *stream, unsigned code,
                   const char *reason)
{
    venue->options.port->finish(venue->options.port->context, stream, code, reason);
}

static void take(struct coinbase *venue, struct exchange_stream *stream, const cJSON *root,
                 int64_t now)
{
    const char *type = json_get_text(root, "type"), *token = json_get_text(root, "jwt");
    enum channel_number channel = find_channel(json_get_text(root, "channel"));
    const cJSON *products = cJSON_GetObjectItemCaseSensitive(root, "product_ids");
    bool adds = type && strcmp(type, "subscribe") == 0;
    if (!adds && (!type || strcmp(type, "unsubscribe") != 0)) {
        send_error(venue, stream, "type must be subscribe or unsubscribe");
    } else if (channel == CHANNELS_COUNT) {
        send_error(venue, stream, "channel field is required or not valid");
    } else if (token ? !coinbase_token_is_good(venue, token, NULL, NULL, NULL, now)
                     : adds && channel == CHANNEL_USER) {
        send_error(venue, stream, "authentication failure");
        finish(venue, stream, CLOSE_POLICY, "authentication failure");
    } else if (adds) {
        subscribe(venue, stream, channel, products, now);
    } else {
        unsubscribe(venue, stream, channel, products, now);
    }
}

void coinbase_text(struct protocol *protocol, struct exchange_stream *stream, const char *text,
                   size_t length, int64_t now)
{
    struct coinbase *venue = coinbase_of(protocol);
    cJSON *root = cJSON_ParseWithLength(text, length);
    bool has_token = json_get_text(root, "jwt");
    if (!has_token && !rate_use(&venue->texts, now, 1)) {
        send_error(venue, stream, "rate limit exceeded");
        finish(venue, stream, CLOSE_POLICY, "rate limit exceeded");
    } else if (!cJSON_IsObject(root)) {
        send_error(venue, stream, "failed to parse message");
    } else {
        take(venue, stream, root, now);
    }
    cJSON_Delete(root);
}

/* --- the market and time ----------------------------------------------------------------------- */

void coinbase_market_news(struct protocol *protocol, enum market_news news,
                          struct public_instrument *instrument, const struct message *message,
                          int64_t now)
{
    (void)message;
    struct coinbase *venue = coinbase_of(protocol);
    if (news != MARKET_BOOK)
        return; /* trades and tickers go in batches */
    const struct public_changes *changes = market_changes(instrument, 0);
    for (struct exchange_stream *stream = venue->protocol.streams, *next; stream; stream = next) {
        next = stream->next;
        if (changes->count > 0 && listens(stream, CHANNEL_LEVEL2, instrument->symbol))
            send_book_update(venue, stream, instrument, changes, now);
    }
    market_changes_taken(instrument, 0);
    market_changes_taken(instrument, 1); /* nobody takes the slow ones here */
}

static void tell_trades(struct coinbase *venue, struct public_instrument *instrument,
                        uint64_t count, int64_t now)
{
    for (struct exchange_stream *stream = venue->protocol.streams, *next; stream; stream = next) {
        next = stream->next;
        if (listens(stream, CHANNEL_MARKET_TRADES, instrument->symbol))
            send_trades(venue, stream, "update", instrument, count, now);
        if (listens(stream, CHANNEL_TICKER, instrument->symbol))
            send_ticker(venue, stream, "update", instrument, now);
    }
}

static void tell_batches(struct coinbase *venue, int64_t now)
{
    const struct market_view *market = venue->options.market;
    for (unsigned i = 0; i < market->count; i++) {
        uint64_t count = market->instruments[i].trade_count - venue->trades_told[i];
        venue->trades_told[i] = market->instruments[i].trade_count;
        if (count > 0)
            tell_trades(venue, &market->instruments[i], count, now);
    }
}

static void tell_heartbeat(struct coinbase *venue, int64_t now)
{
    venue->heartbeats++;
    for (struct exchange_stream *stream = venue->protocol.streams, *next; stream; stream = next) {
        next = stream->next;
        if (!((const struct coinbase_stream *)stream->state)->on[CHANNEL_HEARTBEATS])
            continue;
        char text[TIME_TEXT_MAX];
        time_to_text(now + venue->protocol.skew, text);
        struct json *json = begin(venue, stream, "heartbeats", now);
        json_open(json, NULL, '{');
        /* As a Go program prints a time: 2023-06-23 20:31:56.121961769 +0000 UTC m=+91717.525857105 */
        json_format(json, "current_time", "%.10s %.18s +0000 UTC m=+%lld.%09lld", text, text + 11,
                    (long long)((now - venue->options.now) / NS_PER_SECOND),
                    (long long)((now - venue->options.now) % NS_PER_SECOND));
        json_integer(json, "heartbeat_counter", (int64_t)venue->heartbeats);
        json_close(json, '}');
        end(venue, stream, "heartbeats", now);
    }
}

/* Who does not subscribe in time, and who is told nothing for long, is sent away. */
static void check_streams(struct coinbase *venue, int64_t now)
{
    for (struct exchange_stream *stream = venue->protocol.streams, *next; stream; stream = next) {
        next = stream->next;
        const struct coinbase_stream *state = stream->state;
        if (!state->any && now - stream->opened >= SUBSCRIBE_WITHIN_NS)
            finish(venue, stream, CLOSE_POLICY, "no subscription");
        else if (now - stream->said >= SILENCE_MAX_NS)
            finish(venue, stream, CLOSE_GOING_AWAY, "");
    }
}

int64_t coinbase_deadline(const struct protocol *protocol)
{
    const struct coinbase *venue = coinbase_of(protocol);
    return venue->next_batch < venue->next_heartbeat ? venue->next_batch : venue->next_heartbeat;
}

void coinbase_tick(struct protocol *protocol, int64_t now)
{
    struct coinbase *venue = coinbase_of(protocol);
    if (now >= venue->next_batch) {
        venue->next_batch = now + BATCH_NS;
        tell_batches(venue, now);
        check_streams(venue, now);
    }
    if (now >= venue->next_heartbeat) {
        venue->next_heartbeat += NS_PER_SECOND;
        if (venue->next_heartbeat <= now)
            venue->next_heartbeat = now + NS_PER_SECOND;
        tell_heartbeat(venue, now);
    }
}
