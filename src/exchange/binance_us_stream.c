/* Binance.US: market streams, the private stream and its key. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/binance_us.h"

enum {
    STREAMS_MAX = 1024, /* of one connection */
    STREAM_NAME_MAX = 95,
    TEXTS_PER_SECOND = 5, /* "5 incoming messages per second" */
    PARTIAL_LEVELS_MAX = 20,
    LISTEN_KEY_MINUTES = 60,
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_POLICY = 1008
};
#define PING_INTERVAL_NS  (180 * NS_PER_SECOND)
#define CONNECTION_AGE_NS (24 * 3600 * NS_PER_SECOND)

enum stream_type {
    STREAM_SILENT, /* taken, but nothing is told on it */
    STREAM_DEPTH,
    STREAM_PARTIAL,
    STREAM_BOOK_TICKER,
    STREAM_TRADE,
    STREAM_AGGREGATE_TRADE,
    STREAM_PRIVATE
};

struct subscription {
    char name[STREAM_NAME_MAX + 1];
    uint8_t type; /* enum stream_type */
    uint8_t pace; /* 0: 100 ms, 1: 1000 ms */
    unsigned levels;
    const struct public_instrument *instrument; /* NULL: all */
};

/* What one connection listens to. */
struct binance_stream {
    bool combined;
    bool is_api; /* of the WebSocket API */
    size_t count, capacity;
    struct subscription *subscriptions;
    struct rate_window texts;
    int64_t pinged;
};

const char *const binance_messages[] = {"depthUpdate",
                                        "partialDepth",
                                        "bookTicker",
                                        "trade",
                                        "aggTrade",
                                        "executionReport",
                                        "outboundAccountPosition",
                                        "listenKeyExpired",
                                        "response",
                                        NULL};

static struct binance_us *binance_of(const struct protocol *protocol)
{
    ASSERT(protocol->kind == &protocol_binance_us);
    return (struct binance_us *)(uintptr_t)protocol;
}

/* --- the private stream's key ------------------------------------------------------------------ */

static bool key_is_good(const struct binance_us *venue, const char *key, int64_t now)
{
    return venue->listen_key[0] && now < venue->listen_key_until &&
           strcmp(key, venue->listen_key) == 0;
}

static bool check_key(struct binance_call *call)
{
    const char *key = parameter(call->parameters, "listenKey");
    if (!key)
        return binance_error(
            call, 400, -1102,
            "Mandatory parameter 'listenKey' was not sent, was empty/null, or malformed.");
    if (!key_is_good(call->venue, key, call->now))
        return binance_error(call, 400, -1125, "This listenKey does not exist.");
    return true;
}

void binance_post_listen_key(struct binance_call *call)
{
    struct binance_us *venue = call->venue;
    if (!venue->listen_key[0] || call->now >= venue->listen_key_until)
        binance_make_id(venue, venue->listen_key, BINANCE_LISTEN_KEY_BYTES);
    venue->listen_key_until = call->now + LISTEN_KEY_MINUTES * 60 * NS_PER_SECOND;
    json_open(call->body, NULL, '{');
    json_text(call->body, "listenKey", venue->listen_key);
    json_close(call->body, '}');
}

static void answer_nothing(struct binance_call *call)
{
    json_open(call->body, NULL, '{');
    json_close(call->body, '}');
}

void binance_put_listen_key(struct binance_call *call)
{
    if (!check_key(call))
        return;
    call->venue->listen_key_until = call->now + LISTEN_KEY_MINUTES * 60 * NS_PER_SECOND;
    answer_nothing(call);
}

/* The key is gone: so are the streams that were opened with it. */
static void end_private(struct binance_us *venue, const char *reason)
{
    struct exchange_stream *stream = venue->protocol.streams, *next;
    venue->listen_key[0] = '\0';
    for (; stream; stream = next) {
        next = stream->next;
        const struct binance_stream *state = stream->state;
        if (stream->private_one && !state->is_api)
            venue->options.port->finish(venue->options.port->context, stream, CLOSE_NORMAL, reason);
    }
}

void binance_delete_listen_key(struct binance_call *call)
{
    if (!check_key(call))
        return;
    end_private(call->venue, "listenKey closed");
    answer_nothing(call);
}

/* --- what is listened to ----------------------------------------------------------------------- */

/* The instrument whose symbol in lower case begins `name` up to `length`. */
static const struct public_instrument *find_lower(const struct market_view *market,
                                                  const char *name, size_t length)
{
    for (unsigned i = 0; i < market->count; i++) {
        const char *symbol = market->instruments[i].symbol;
        size_t at = 0;
        while (at < length && symbol[at] && tolower((unsigned char)symbol[at]) == name[at])
            at++;
        if (at == length && !symbol[at])
            return &market->instruments[i];
    }
    return NULL;
}

/* What follows the @ of a name. */
static void read_kind(const char *kind, struct subscription *subscription)
{
    size_t word = strcspn(kind, "@");
    const char *pace = kind[word] ? kind + word + 1 : "";
    subscription->pace = strcmp(pace, "100ms") == 0 ? 0 : 1;
    if (word > 5 && strncmp(kind, "depth", 5) == 0) {
        subscription->type = STREAM_PARTIAL;
        subscription->levels = (unsigned)strtoul(kind + 5, NULL, 10);
        if (subscription->levels > PARTIAL_LEVELS_MAX)
            subscription->levels = PARTIAL_LEVELS_MAX;
    } else if (word == 5 && strncmp(kind, "depth", 5) == 0) {
        subscription->type = STREAM_DEPTH;
    } else if (strcmp(kind, "bookTicker") == 0) {
        subscription->type = STREAM_BOOK_TICKER;
    } else if (strcmp(kind, "trade") == 0) {
        subscription->type = STREAM_TRADE;
    } else if (strcmp(kind, "aggTrade") == 0) {
        subscription->type = STREAM_AGGREGATE_TRADE;
    }
}

/* Names that mean nothing here are taken and stay silent, as at the venue. */
static struct subscription read_subscription(const struct binance_us *venue, const char *name,
                                             int64_t now)
{
    struct subscription subscription = {.type = STREAM_SILENT};
    strncat(subscription.name, name, STREAM_NAME_MAX);
    const char *at = strchr(name, '@');
    if (key_is_good(venue, name, now)) {
        subscription.type = STREAM_PRIVATE;
    } else if (strcmp(name, "!bookTicker") == 0) {
        subscription.type = STREAM_BOOK_TICKER;
    } else if (at) {
        subscription.instrument = find_lower(venue->options.market, name, (size_t)(at - name));
        if (subscription.instrument)
            read_kind(at + 1, &subscription);
    }
    return subscription;
}

static size_t find_subscription(const struct binance_stream *state, const char *name)
{
    for (size_t i = 0; i < state->count; i++)
        if (strcmp(state->subscriptions[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static void subscribe(const struct binance_us *venue, struct exchange_stream *stream,
                      const char *name, int64_t now)
{
    struct binance_stream *state = stream->state;
    if (!*name || find_subscription(state, name) != SIZE_MAX || state->count == STREAMS_MAX)
        return;
    if (state->count == state->capacity) {
        state->capacity = state->capacity ? 2 * state->capacity : 8;
        state->subscriptions =
            realloc(state->subscriptions, state->capacity * sizeof *state->subscriptions);
        ASSERT(state->subscriptions);
    }
    struct subscription *subscription = &state->subscriptions[state->count++];
    *subscription = read_subscription(venue, name, now);
    stream->private_one |= subscription->type == STREAM_PRIVATE;
}

static void unsubscribe(struct binance_stream *state, const char *name)
{
    size_t at = find_subscription(state, name);
    if (at != SIZE_MAX)
        state->subscriptions[at] = state->subscriptions[--state->count];
}

/* Names between slashes. */
static void subscribe_list(const struct binance_us *venue, struct exchange_stream *stream,
                           const char *list, int64_t now)
{
    while (*list) {
        char name[STREAM_NAME_MAX + 1] = "";
        size_t length = strcspn(list, "/");
        strncat(name, list, length < STREAM_NAME_MAX ? length : STREAM_NAME_MAX);
        subscribe(venue, stream, name, now);
        list += length + strspn(list + length, "/");
    }
}

bool binance_is_stream_path(const char *path)
{
    return strcmp(path, "/ws") == 0 || strncmp(path, "/ws/", 4) == 0 ||
           strcmp(path, "/stream") == 0 || strcmp(path, BINANCE_API_PATH) == 0;
}

void binance_opened(struct protocol *protocol, struct exchange_stream *stream,
                    const struct net_incoming *incoming, int64_t now)
{
    struct binance_us *venue = binance_of(protocol);
    struct binance_stream *state = calloc(1, sizeof *state);
    ASSERT(state);
    state->texts = (struct rate_window){NS_PER_SECOND, TEXTS_PER_SECOND, 0, 0};
    state->pinged = now;
    stream->state = state;
    struct parameters parameters;
    parameters_init(&parameters);
    if (strcmp(incoming->path, "/stream") == 0) {
        state->combined = true;
        if (parameters_add(&parameters, incoming->query, strlen(incoming->query))) {
            const char *list = parameter(&parameters, "streams");
            subscribe_list(venue, stream, list ? list : "", now);
        }
        return;
    }
    state->is_api = strcmp(incoming->path, BINANCE_API_PATH) == 0;
    struct path_parts parts;
    if (!state->is_api && path_split(incoming->path, &parts))
        for (size_t i = 1; i < parts.count; i++)
            subscribe(venue, stream, parts.parts[i], now);
}

void binance_closed(struct protocol *protocol, struct exchange_stream *stream, int64_t now)
{
    (void)protocol;
    (void)now;
    struct binance_stream *state = stream->state;
    if (state)
        free(state->subscriptions);
}

/* --- what clients say -------------------------------------------------------------------------- */

static void send_text(struct binance_us *venue, struct exchange_stream *stream, const char *kind,
                      const struct json *json)
{
    venue->options.port->send(venue->options.port->context, stream, kind, json->bytes,
                              json->length);
}

static void write_id(struct json *json, const cJSON *id)
{
    if (cJSON_IsString(id))
        json_text(json, "id", id->valuestring);
    else if (cJSON_IsNumber(id))
        json_integer(json, "id", (int64_t)id->valuedouble);
    else
        json_null(json, "id");
}

static void answer_error(struct binance_us *venue, struct exchange_stream *stream, int code,
                         const char *text, const cJSON *id)
{
    struct json *json = &venue->scratch;
    json_clear(json);
    json_open(json, NULL, '{');
    json_open(json, "error", '{');
    json_integer(json, "code", code);
    json_text(json, "msg", text);
    json_close(json, '}');
    write_id(json, id);
    json_close(json, '}');
    send_text(venue, stream, "response", json);
}

static void write_result(const struct binance_stream *state, const char *method, struct json *json)
{
    if (strcmp(method, "LIST_SUBSCRIPTIONS") == 0) {
        json_open(json, "result", '[');
        for (size_t i = 0; i < state->count; i++)
            json_text(json, NULL, state->subscriptions[i].name);
        json_close(json, ']');
    } else if (strcmp(method, "GET_PROPERTY") == 0) {
        json_flag(json, "result", state->combined);
    } else {
        json_null(json, "result");
    }
}

/* Do what a method asks; false where there is no such method. */
static bool do_method(struct binance_us *venue, struct exchange_stream *stream, const char *method,
                      const cJSON *params, int64_t now)
{
    struct binance_stream *state = stream->state;
    const cJSON *item;
    bool adds = strcmp(method, "SUBSCRIBE") == 0;
    if (adds || strcmp(method, "UNSUBSCRIBE") == 0) {
        cJSON_ArrayForEach(item, params)
        {
            if (!cJSON_IsString(item))
                continue;
            if (adds)
                subscribe(venue, stream, item->valuestring, now);
            else
                unsubscribe(state, item->valuestring);
        }
        return true;
    }
    if (strcmp(method, "SET_PROPERTY") == 0) {
        state->combined = cJSON_IsTrue(cJSON_GetArrayItem(params, 1));
        return true;
    }
    return strcmp(method, "LIST_SUBSCRIPTIONS") == 0 || strcmp(method, "GET_PROPERTY") == 0;
}

void binance_text(struct protocol *protocol, struct exchange_stream *stream, const char *text,
                  size_t length, int64_t now)
{
    struct binance_us *venue = binance_of(protocol);
    struct binance_stream *state = stream->state;
    if (!rate_use(&state->texts, now, 1)) {
        venue->options.port->finish(venue->options.port->context, stream, CLOSE_POLICY,
                                    "Too many requests");
        return;
    }
    cJSON *root = cJSON_ParseWithLength(text, length);
    const char *method = json_get_text(root, "method");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(root, "id");
    const cJSON *params = cJSON_GetObjectItemCaseSensitive(root, "params");
    if (state->is_api && cJSON_IsObject(root)) {
        binance_api_text(venue, stream, root, now);
    } else if (!cJSON_IsObject(root)) {
        answer_error(venue, stream, 3, "Invalid JSON", NULL);
    } else if (!method) {
        answer_error(venue, stream, 2, "Invalid request: missing field `method`", id);
    } else if (!do_method(venue, stream, method, params, now)) {
        answer_error(venue, stream, 2, "Invalid request: unknown variant", id);
    } else {
        json_clear(&venue->scratch);
        json_open(&venue->scratch, NULL, '{');
        write_result(state, method, &venue->scratch);
        write_id(&venue->scratch, id);
        json_close(&venue->scratch, '}');
        send_text(venue, stream, "response", &venue->scratch);
    }
    cJSON_Delete(root);
}

/* --- telling ----------------------------------------------------------------------------------- */

/* An event of the account on a connection of the WebSocket API. */
static void publish_wrapped(struct binance_us *venue, struct exchange_stream *stream,
                            const char *kind)
{
    json_clear(&venue->wrapped);
    json_open(&venue->wrapped, NULL, '{');
    json_integer(&venue->wrapped, "subscriptionId", 0);
    json_raw(&venue->wrapped, "event", venue->scratch.bytes);
    json_close(&venue->wrapped, '}');
    send_text(venue, stream, kind, &venue->wrapped);
}

/* Send what stands in `scratch` to all that listen to a type, an instrument and, for depth, a pace. */
static void publish(struct binance_us *venue, enum stream_type type,
                    const struct public_instrument *instrument, unsigned pace, unsigned levels,
                    const char *kind)
{
    for (struct exchange_stream *stream = venue->protocol.streams, *next; stream; stream = next) {
        next = stream->next;
        const struct binance_stream *state = stream->state;
        if (type == STREAM_PRIVATE && state->is_api && stream->private_one)
            publish_wrapped(venue, stream, kind);
        for (size_t i = 0; i < state->count; i++) {
            const struct subscription *one = &state->subscriptions[i];
            bool paced = type == STREAM_DEPTH || type == STREAM_PARTIAL;
            if (one->type != type || (one->instrument && one->instrument != instrument) ||
                (paced && one->pace != pace) || (type == STREAM_PARTIAL && one->levels != levels))
                continue;
            if (!state->combined) {
                send_text(venue, stream, kind, &venue->scratch);
                continue;
            }
            json_clear(&venue->wrapped);
            json_open(&venue->wrapped, NULL, '{');
            json_text(&venue->wrapped, "stream", one->name);
            json_raw(&venue->wrapped, "data", venue->scratch.bytes);
            json_close(&venue->wrapped, '}');
            send_text(venue, stream, kind, &venue->wrapped);
        }
    }
}

/* Begin an event in `scratch`. */
static struct json *begin_event(struct binance_us *venue, const char *type, int64_t now)
{
    struct json *json = &venue->scratch;
    json_clear(json);
    json_open(json, NULL, '{');
    json_text(json, "e", type);
    json_integer(json, "E", binance_ms(venue, now));
    return json;
}

static void write_changes(struct json *json, const char *name,
                          const struct public_instrument *instrument,
                          const struct public_changes *changes, enum side side)
{
    const struct event_definition *definition = &instrument->definition;
    json_open(json, name, '[');
    for (size_t i = 0; i < changes->count; i++) {
        const struct public_change *change = &changes->changes[i];
        if (change->side != side)
            continue;
        json_open(json, NULL, '[');
        json_decimal(json, NULL, change->price, definition->price_exponent, BINANCE_DECIMALS);
        json_decimal(json, NULL, book_quantity(instrument->book, side, change->price),
                     definition->quantity_exponent, BINANCE_DECIMALS);
        json_close(json, ']');
    }
    json_close(json, ']');
}

static void publish_partial(struct binance_us *venue, const struct public_instrument *instrument,
                            unsigned pace)
{
    static const unsigned levels[] = {5, 10, 20};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        struct json *json = &venue->scratch;
        json_clear(json);
        json_open(json, NULL, '{');
        json_integer(json, "lastUpdateId", (int64_t)instrument->update);
        binance_write_levels(json, "bids", instrument, SIDE_BUY, levels[i]);
        binance_write_levels(json, "asks", instrument, SIDE_SELL, levels[i]);
        json_close(json, '}');
        publish(venue, STREAM_PARTIAL, instrument, pace, levels[i], "partialDepth");
    }
}

/* All that changed since the last of this pace, as one event. */
static void publish_depth(struct binance_us *venue, struct public_instrument *instrument,
                          unsigned pace)
{
    const struct public_changes *changes = market_changes(instrument, pace);
    if (changes->count == 0)
        return;
    struct json *json = begin_event(venue, "depthUpdate", changes->time);
    json_text(json, "s", instrument->symbol);
    json_integer(json, "U", (int64_t)changes->first_update);
    json_integer(json, "u", (int64_t)changes->last_update);
    write_changes(json, "b", instrument, changes, SIDE_BUY);
    write_changes(json, "a", instrument, changes, SIDE_SELL);
    json_close(json, '}');
    market_changes_taken(instrument, pace);
    publish(venue, STREAM_DEPTH, instrument, pace, 0, "depthUpdate");
    publish_partial(venue, instrument, pace);
}

static void publish_top(struct binance_us *venue, const struct public_instrument *instrument)
{
    static const char *const names[2][2] = {{"b", "B"}, {"a", "A"}};
    struct json *json = &venue->scratch;
    json_clear(json);
    json_open(json, NULL, '{');
    json_integer(json, "u", (int64_t)instrument->top_update);
    json_text(json, "s", instrument->symbol);
    for (enum side side = SIDE_BUY; side <= SIDE_SELL; side++) {
        json_decimal(json, names[side][0], instrument->top[side].price,
                     instrument->definition.price_exponent, BINANCE_DECIMALS);
        json_decimal(json, names[side][1], instrument->top[side].quantity,
                     instrument->definition.quantity_exponent, BINANCE_DECIMALS);
    }
    json_close(json, '}');
    publish(venue, STREAM_BOOK_TICKER, instrument, 0, 0, "bookTicker");
}

static void publish_trade(struct binance_us *venue, const struct public_instrument *instrument,
                          const struct public_trade *trade, bool aggregate)
{
    const struct event_definition *definition = &instrument->definition;
    const char *type = aggregate ? "aggTrade" : "trade";
    struct json *json = begin_event(venue, type, trade->time);
    json_text(json, "s", instrument->symbol);
    json_integer(json, aggregate ? "a" : "t", (int64_t)trade->id);
    json_decimal(json, "p", trade->price, definition->price_exponent, BINANCE_DECIMALS);
    json_decimal(json, "q", trade->quantity, definition->quantity_exponent, BINANCE_DECIMALS);
    /* Orders of others have no numbers here: theirs are made of the trade's. */
    json_integer(json, aggregate ? "f" : "b", (int64_t)trade->id);
    json_integer(json, aggregate ? "l" : "a", (int64_t)trade->id);
    json_integer(json, "T", binance_ms(venue, trade->time));
    json_flag(json, "m", trade->seller_aggressor);
    json_flag(json, "M", true);
    json_close(json, '}');
    publish(venue, aggregate ? STREAM_AGGREGATE_TRADE : STREAM_TRADE, instrument, 0, 0, type);
}

void binance_market_news(struct protocol *protocol, enum market_news news,
                         struct public_instrument *instrument, const struct message *message,
                         int64_t now)
{
    (void)now;
    struct binance_us *venue = binance_of(protocol);
    if (news == MARKET_BOOK)
        publish_depth(venue, instrument, 0);
    else if (news == MARKET_TOP)
        publish_top(venue, instrument);
    for (uint64_t back = news == MARKET_TRADES ? message->row_count : 0; back-- > 0;) {
        const struct public_trade *trade = market_trade(instrument, back);
        if (!trade)
            continue;
        publish_trade(venue, instrument, trade, false);
        publish_trade(venue, instrument, trade, true);
    }
}

/* --- the account ------------------------------------------------------------------------------- */

struct execution {
    const char *type;     /* x */
    const char *client;   /* c */
    const char *original; /* C */
};

static struct execution execution_of(const struct core_event *event)
{
    const struct core_order *order = event->order;
    switch (event->kind) {
    case CORE_FILL:
        return (struct execution){"TRADE", order->client, ""};
    case CORE_CANCEL: /* "Original client order ID; This is the ID of the order being canceled" */
        return (struct execution){"CANCELED", order->cancel_client, order->client};
    case CORE_EXPIRY:
        return (struct execution){"EXPIRED", order->client, ""};
    case CORE_MODIFIED:
        return (struct execution){"REPLACED", order->client, ""};
    case CORE_REJECT:
        return (struct execution){"REJECTED", order->client, ""};
    case CORE_ACCEPTED:
        break;
    }
    return (struct execution){"NEW", order->client, ""};
}

static void write_order_fields(struct binance_us *venue, const struct core_event *event,
                               const struct execution *execution, struct json *json)
{
    const struct core_order *order = event->order;
    const struct event_definition *definition = binance_definition(venue, order);
    json_text(json, "s", binance_order_symbol(venue, order));
    json_text(json, "c", execution->client);
    json_text(json, "S", order->side == SIDE_BUY ? "BUY" : "SELL");
    json_text(json, "o", binance_type(order));
    json_text(json, "f", binance_time_in_force(order));
    json_decimal(json, "q", order->quantity, definition->quantity_exponent, BINANCE_DECIMALS);
    json_decimal(json, "p", order->is_market ? 0 : order->price, definition->price_exponent,
                 BINANCE_DECIMALS);
    json_text(json, "P", "0.00000000");
    json_text(json, "F", "0.00000000");
    json_integer(json, "g", -1);
    json_text(json, "C", execution->original);
    json_text(json, "x", execution->type);
    json_text(json, "X", binance_status(order));
    json_text(json, "r", "NONE");
    json_integer(json, "i", (int64_t)order->index + 1);
}

static void write_fill_fields(struct binance_us *venue, const struct core_event *event,
                              struct json *json)
{
    const struct core_order *order = event->order;
    const struct core_fill *fill = event->fill;
    const struct event_definition *definition = binance_definition(venue, order);
    json_decimal(json, "l", fill ? fill->quantity : 0, definition->quantity_exponent,
                 BINANCE_DECIMALS);
    json_decimal(json, "z", order->filled, definition->quantity_exponent, BINANCE_DECIMALS);
    json_decimal(json, "L", fill ? fill->price : 0, definition->price_exponent, BINANCE_DECIMALS);
    if (fill) {
        json_money(json, "n", fill->fee, BINANCE_DECIMALS);
        json_text(json, "N", venue->options.names->assets[fill->fee_asset]);
    } else {
        json_text(json, "n", "0");
        json_null(json, "N");
    }
    json_integer(json, "T", binance_ms(venue, event->time));
    json_integer(json, "t", fill ? (int64_t)fill->trade : -1);
    json_integer(json, "I", (int64_t)event->number + 1);
    json_flag(json, "w", order->state == CORE_OPEN);
    json_flag(json, "m", fill && fill->maker);
    json_flag(json, "M", fill);
    json_integer(json, "O", binance_ms(venue, order->created));
    json_money(json, "Z", order->value, BINANCE_DECIMALS);
    json_money(json, "Y", fill ? fill->value : MONEY_ZERO, BINANCE_DECIMALS);
    json_text(json, "Q", "0.00000000");
    json_integer(json, "W", binance_ms(venue, order->created));
    json_text(json, "V", "NONE");
}

static void publish_balances(struct binance_us *venue, const struct core_order *order, int64_t time,
                             int64_t now)
{
    const struct event_definition *definition = binance_definition(venue, order);
    const uint16_t assets[2] = {definition->base, definition->quote};
    struct json *json = begin_event(venue, "outboundAccountPosition", now);
    json_integer(json, "u", binance_ms(venue, time));
    json_open(json, "B", '[');
    for (unsigned i = 0; i < 2; i++) {
        money total = core_balance(venue->options.core, assets[i]);
        money locked = core_locked(venue->options.core, assets[i]);
        json_open(json, NULL, '{');
        json_text(json, "a", venue->options.names->assets[assets[i]]);
        json_money(json, "f", money_subtract(total, locked), BINANCE_DECIMALS);
        json_money(json, "l", locked, BINANCE_DECIMALS);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
    publish(venue, STREAM_PRIVATE, NULL, 0, 0, "outboundAccountPosition");
}

/* An order that is refused never was one: the answer to its request says so, and nothing else. */
void binance_order_event(struct protocol *protocol, const struct core_event *event, int64_t now)
{
    struct binance_us *venue = binance_of(protocol);
    if (event->kind == CORE_REJECT)
        return;
    struct execution execution = execution_of(event);
    struct json *json = begin_event(venue, "executionReport", now);
    write_order_fields(venue, event, &execution, json);
    write_fill_fields(venue, event, json);
    json_close(json, '}');
    publish(venue, STREAM_PRIVATE, NULL, 0, 0, "executionReport");
    publish_balances(venue, event->order, event->time, now);
}

/* --- time -------------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t binance_deadline(const struct protocol *protocol)
{
    const struct binance_us *venue = binance_of(protocol);
    int64_t deadline = venue->next_second;
    if (venue->listen_key[0])
        deadline = least(deadline, venue->listen_key_until);
    return deadline;
}

/* Pings each three minutes; the end of each connection after a day. */
static void tick_streams(struct binance_us *venue, int64_t now)
{
    const struct exchange_port *port = venue->options.port;
    for (struct exchange_stream *stream = venue->protocol.streams, *next; stream; stream = next) {
        next = stream->next;
        struct binance_stream *state = stream->state;
        if (now - stream->opened >= CONNECTION_AGE_NS) {
            port->finish(port->context, stream, CLOSE_GOING_AWAY, "");
        } else if (now - state->pinged >= PING_INTERVAL_NS) {
            state->pinged = now;
            port->ping(port->context, stream);
        }
    }
}

static void expire_listen_key(struct binance_us *venue, int64_t now)
{
    struct json *json = begin_event(venue, "listenKeyExpired", now);
    json_text(json, "listenKey", venue->listen_key);
    json_close(json, '}');
    publish(venue, STREAM_PRIVATE, NULL, 0, 0, "listenKeyExpired");
    end_private(venue, "listenKey expired");
}

void binance_tick(struct protocol *protocol, int64_t now)
{
    struct binance_us *venue = binance_of(protocol);
    const struct market_view *market = venue->options.market;
    if (venue->listen_key[0] && now >= venue->listen_key_until)
        expire_listen_key(venue, now);
    if (now < venue->next_second)
        return;
    venue->next_second = now - now % NS_PER_SECOND + NS_PER_SECOND;
    for (unsigned i = 0; i < market->count; i++)
        publish_depth(venue, &market->instruments[i], 1);
    tick_streams(venue, now);
}
