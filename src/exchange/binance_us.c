/* Binance.US: what a request is, who may make it and how often, and what it costs. */
#include "exchange/binance_us.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/signatures.h"

enum {
    WEIGHT_LIMIT = 1200,    /* a minute */
    RAW_LIMIT = 5000,       /* in five minutes */
    ORDERS_10S_LIMIT = 100, /* "Query Current Order Count Usage" */
    ORDERS_DAY_LIMIT = 200000,
    CONNECTIONS_LIMIT = 300, /* in five minutes */
    VIOLATIONS_TO_BAN = 10,  /* requests after a 429 that end in 418 */
    BAN_SECONDS = 120,       /* "from 2 minutes to 3 days" */
    RECEIVE_WINDOW_DEFAULT = 5000,
    RECEIVE_WINDOW_MAX = 60000
};

/* "Endpoint security type". */
enum security { SECURITY_NONE, SECURITY_KEY, SECURITY_SIGNED };

struct endpoint {
    const char *method, *path;
    enum exchange_request kind;
    uint8_t security; /* enum security */
    uint8_t weight;
    bool places; /* counts against the limits of orders */
    void (*answer)(struct binance_call *call);
};

static const struct endpoint endpoints[] = {
    {"GET", "/api/v3/ping", EXCHANGE_other, SECURITY_NONE, 1, false, binance_get_ping},
    {"GET", "/api/v3/time", EXCHANGE_time, SECURITY_NONE, 1, false, binance_get_time},
    {"GET", "/api/v3/exchangeInfo", EXCHANGE_instruments, SECURITY_NONE, 10, false,
     binance_get_exchange_info},
    {"GET", "/api/v3/depth", EXCHANGE_book, SECURITY_NONE, 0, false, binance_get_depth},
    {"GET", "/api/v3/trades", EXCHANGE_trades, SECURITY_NONE, 1, false, binance_get_trades},
    {"GET", "/api/v3/avgPrice", EXCHANGE_book, SECURITY_NONE, 1, false, binance_get_average_price},
    {"GET", "/api/v3/ticker/price", EXCHANGE_book, SECURITY_NONE, 2, false,
     binance_get_ticker_price},
    {"GET", "/api/v3/ticker/bookTicker", EXCHANGE_book, SECURITY_NONE, 2, false,
     binance_get_book_ticker},
    {"GET", "/api/v3/ticker/24hr", EXCHANGE_book, SECURITY_NONE, 40, false, binance_get_ticker_24h},
    {"POST", "/api/v3/order", EXCHANGE_place, SECURITY_SIGNED, 1, true, binance_post_order},
    {"POST", "/api/v3/order/test", EXCHANGE_other, SECURITY_SIGNED, 1, false,
     binance_post_order_test},
    {"DELETE", "/api/v3/order", EXCHANGE_cancel, SECURITY_SIGNED, 1, false, binance_delete_order},
    {"DELETE", "/api/v3/openOrders", EXCHANGE_cancel_all, SECURITY_SIGNED, 1, false,
     binance_delete_open_orders},
    {"POST", "/api/v3/order/cancelReplace", EXCHANGE_replace, SECURITY_SIGNED, 1, true,
     binance_post_cancel_replace},
    {"GET", "/api/v3/order", EXCHANGE_query, SECURITY_SIGNED, 2, false, binance_get_order},
    {"GET", "/api/v3/openOrders", EXCHANGE_open_orders, SECURITY_SIGNED, 3, false,
     binance_get_open_orders},
    {"GET", "/api/v3/allOrders", EXCHANGE_orders, SECURITY_SIGNED, 10, false,
     binance_get_all_orders},
    {"GET", "/api/v3/account", EXCHANGE_account, SECURITY_SIGNED, 10, false, binance_get_account},
    {"GET", "/api/v3/myTrades", EXCHANGE_fills, SECURITY_SIGNED, 10, false, binance_get_my_trades},
    {"GET", "/api/v3/rateLimit/order", EXCHANGE_limits, SECURITY_SIGNED, 20, false,
     binance_get_order_count},
    {"GET", "/sapi/v1/asset/query/trading-fee", EXCHANGE_fees, SECURITY_SIGNED, 1, false,
     binance_get_trading_fee},
    {"POST", "/api/v3/userDataStream", EXCHANGE_listen_key, SECURITY_KEY, 1, false,
     binance_post_listen_key},
    {"PUT", "/api/v3/userDataStream", EXCHANGE_listen_key, SECURITY_KEY, 1, false,
     binance_put_listen_key},
    {"DELETE", "/api/v3/userDataStream", EXCHANGE_listen_key, SECURITY_KEY, 1, false,
     binance_delete_listen_key},
};

static struct binance_us *binance_of(const struct protocol *protocol)
{
    ASSERT(protocol->kind == &protocol_binance_us);
    return (struct binance_us *)(uintptr_t)protocol;
}

static const struct endpoint *find_endpoint(const struct net_incoming *incoming)
{
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++)
        if (strcmp(endpoints[i].method, incoming->method) == 0 &&
            strcmp(endpoints[i].path, incoming->path) == 0)
            return &endpoints[i];
    return NULL;
}

/* --- answers ----------------------------------------------------------------------------------- */

int64_t binance_ms(const struct binance_us *venue, int64_t time)
{
    return (time + venue->protocol.skew) / NS_PER_MS;
}

static void write_error(struct exchange_reply *reply, int status, int code, const char *text)
{
    reply->status = status;
    json_clear(&reply->body);
    json_open(&reply->body, NULL, '{');
    json_integer(&reply->body, "code", code);
    json_text(&reply->body, "msg", text);
    json_close(&reply->body, '}');
}

bool binance_error(struct binance_call *call, int status, int code, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    write_error(call->reply, status, code, text);
    return false;
}

void binance_make_id(struct binance_us *venue, char *out, size_t length)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (size_t i = 0; i < length; i++)
        out[i] = letters[random_below(&venue->random, sizeof letters - 1)];
    out[length] = '\0';
}

struct public_instrument *binance_symbol(struct binance_call *call)
{
    const char *symbol = parameter(call->parameters, "symbol");
    if (!symbol || !*symbol) {
        binance_error(call, 400, -1102,
                      "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
        return NULL;
    }
    struct public_instrument *instrument = market_by_symbol(call->venue->options.market, symbol);
    if (!instrument)
        binance_error(call, 400, -1121, "Invalid symbol.");
    return instrument;
}

/* --- who asks ---------------------------------------------------------------------------------- */

/* Append `text` without its parameter "signature", as the sender signed it. */
static void add_signed_part(struct json *total, const char *text, size_t length)
{
    const char *end = text + length;
    bool first = true;
    while (text < end) {
        const char *next = memchr(text, '&', (size_t)(end - text));
        size_t part = (size_t)((next ? next : end) - text);
        if (part < 10 || memcmp(text, "signature=", 10) != 0) {
            if (!first)
                json_append(total, "&", 1);
            json_append(total, text, part);
            first = false;
        }
        text = next ? next + 1 : end;
    }
}

static bool check_signature(struct binance_call *call)
{
    const char *signature = parameter(call->parameters, "signature");
    if (!signature || !*signature)
        return binance_error(
            call, 400, -1102,
            "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.");
    struct json *total = &call->venue->scratch;
    json_clear(total);
    add_signed_part(total, call->incoming->query, strlen(call->incoming->query));
    add_signed_part(total, call->incoming->body, call->incoming->length);
    char expected[HMAC_HEX_MAX];
    hmac_sha256_hex(call->venue->options.credentials->secret, total->bytes ? total->bytes : "",
                    total->length, expected);
    if (!signature_equal(expected, signature))
        return binance_error(call, 400, -1022, "Signature for this request is not valid.");
    return true;
}

/* "Timing security": timestamp < server + 1000 and server - timestamp <= recvWindow. */
static bool check_timestamp(struct binance_call *call)
{
    int64_t timestamp = -1, window = RECEIVE_WINDOW_DEFAULT;
    if (!parameter_integer(call->parameters, "timestamp", &timestamp) || timestamp < 0)
        return binance_error(
            call, 400, -1102,
            "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.");
    if (!parameter_integer(call->parameters, "recvWindow", &window) || window > RECEIVE_WINDOW_MAX)
        return binance_error(call, 400, -1131, "recvWindow must be less than 60000");
    int64_t server = binance_ms(call->venue, call->now);
    if (timestamp >= server + 1000)
        return binance_error(call, 400, -1021,
                             "Timestamp for this request was 1000ms ahead of the server's time.");
    if (server - timestamp > window)
        return binance_error(call, 400, -1021,
                             "Timestamp for this request is outside of the recvWindow.");
    return true;
}

static bool check_security(struct binance_call *call, enum security security)
{
    if (security == SECURITY_NONE)
        return true;
    const char *key = exchange_request_header(call->incoming, "x-mbx-apikey");
    if (!key || !*key)
        return binance_error(call, 401, -2014, "API-key format invalid.");
    if (strcmp(key, call->venue->options.credentials->key) != 0)
        return binance_error(call, 401, -2015, "Invalid API-key, IP, or permissions for action.");
    return security == SECURITY_KEY || (check_timestamp(call) && check_signature(call));
}

/* --- how often --------------------------------------------------------------------------------- */

/* "Order book": the weight grows with the limit. "Current open orders": 40 without a symbol. */
static int64_t weight_of(const struct endpoint *endpoint, const struct parameters *parameters)
{
    if (!endpoint)
        return 1;
    if (endpoint->answer == binance_get_depth) {
        int64_t limit = 100;
        parameter_integer(parameters, "limit", &limit);
        return limit <= 100 ? 1 : limit <= 500 ? 5 : limit <= 1000 ? 10 : 50;
    }
    if (endpoint->kind == EXCHANGE_open_orders && !parameter(parameters, "symbol"))
        return 40;
    if (endpoint->answer == binance_get_ticker_24h || endpoint->answer == binance_get_book_ticker)
        return parameter(parameters, "symbol") ? 1 : endpoint->weight;
    return endpoint->weight;
}

static void refuse(struct binance_us *venue, int status, int64_t retry_after_s, int64_t now,
                   struct exchange_reply *reply)
{
    char text[256];
    if (status == 418)
        snprintf(text, sizeof text,
                 "Way too much request weight used; IP banned until %lld. Please use WebSocket "
                 "Streams for live updates to avoid bans.",
                 (long long)(binance_ms(venue, now) + retry_after_s * 1000));
    else
        snprintf(text, sizeof text,
                 "Too much request weight used; current limit is %d request weight per 1 MINUTE. "
                 "Please use WebSocket Streams for live updates to avoid polling the API.",
                 WEIGHT_LIMIT);
    write_error(reply, status, -1003, text);
    exchange_header(reply, "Retry-After", "%lld", (long long)retry_after_s);
}

/* Count a request. False where it was refused, with the answer written. */
static bool check_weight(struct binance_call *call, int64_t weight)
{
    struct binance_us *venue = call->venue;
    if (call->now < venue->banned_until) {
        int64_t left = (venue->banned_until - call->now + NS_PER_SECOND - 1) / NS_PER_SECOND;
        refuse(venue, 418, left, call->now, call->reply);
        return false;
    }
    bool raw = rate_use(&venue->raw_requests, call->now, 1);
    bool weighed = rate_use(&venue->weight, call->now, weight);
    exchange_header(call->reply, "X-MBX-USED-WEIGHT", "%lld", (long long)venue->weight.used);
    exchange_header(call->reply, "X-MBX-USED-WEIGHT-1M", "%lld", (long long)venue->weight.used);
    if (raw && weighed) {
        venue->violations = 0;
        return true;
    }
    if (++venue->violations > VIOLATIONS_TO_BAN) {
        venue->banned_until = call->now + BAN_SECONDS * NS_PER_SECOND;
        venue->violations = 0;
        refuse(venue, 418, BAN_SECONDS, call->now, call->reply);
        return false;
    }
    const struct rate_window *window = weighed ? &venue->raw_requests : &venue->weight;
    refuse(venue, 429, rate_seconds_left(window, call->now), call->now, call->reply);
    return false;
}

/* "Order Rate Limits": 429 without Retry-After. */
static bool check_order_count(struct binance_call *call)
{
    struct binance_us *venue = call->venue;
    bool few = rate_use(&venue->orders_10s, call->now, 1);
    bool few_today = rate_use(&venue->orders_day, call->now, 1);
    exchange_header(call->reply, "X-MBX-ORDER-COUNT-10S", "%lld",
                    (long long)venue->orders_10s.used);
    exchange_header(call->reply, "X-MBX-ORDER-COUNT-1D", "%lld", (long long)venue->orders_day.used);
    if (few && few_today)
        return true;
    return binance_error(call, 429, -1015,
                         "Too many new orders; current limit is %d orders per %s.",
                         few ? ORDERS_DAY_LIMIT : ORDERS_10S_LIMIT, few ? "DAY" : "10 SECOND");
}

/* --- requests ---------------------------------------------------------------------------------- */

/* A GET's parameters stand in its query, others' in both. False where they can't be read. */
static bool read_parameters(const struct net_incoming *incoming, struct parameters *parameters)
{
    parameters_init(parameters);
    if (!parameters_add(parameters, incoming->query, strlen(incoming->query)))
        return false;
    return strcmp(incoming->method, "GET") == 0 ||
           parameters_add(parameters, incoming->body, incoming->length);
}

static void answer_request(struct binance_call *call, const struct endpoint *endpoint)
{
    if (!check_weight(call, weight_of(endpoint, call->parameters)))
        return;
    if (!endpoint) {
        binance_error(call, 404, -1000, "No such endpoint: %s %s", call->incoming->method,
                      call->incoming->path);
        return;
    }
    if (!check_security(call, (enum security)endpoint->security))
        return;
    if (endpoint->places && !check_order_count(call))
        return;
    endpoint->answer(call);
}

/* A websocket: the limit of new connections is the only thing between. */
static bool wants_stream(struct binance_call *call)
{
    if (!binance_is_stream_path(call->incoming->path))
        return false;
    if (!call->incoming->wants_websocket)
        binance_error(call, 400, -1000, "Expected a websocket's upgrade.");
    else if (!rate_use(&call->venue->connections, call->now, 1))
        refuse(call->venue, 429, rate_seconds_left(&call->venue->connections, call->now), call->now,
               call->reply);
    else
        call->reply->stream = true;
    return true;
}

static int request(struct protocol *protocol, const struct net_incoming *incoming, int64_t now,
                   struct exchange_reply *reply, struct error *error)
{
    struct parameters parameters;
    struct binance_call call = {.venue = binance_of(protocol),
                                .incoming = incoming,
                                .parameters = &parameters,
                                .now = now,
                                .reply = reply,
                                .body = &reply->body,
                                .error = error};
    reply->status = 200;
    reply->content_type = "application/json;charset=UTF-8";
    if (wants_stream(&call))
        return 0;
    if (!read_parameters(incoming, &parameters)) {
        parameters_init(&parameters);
        if (check_weight(&call, 1))
            binance_error(&call, 400, -1100, "Illegal characters found in a parameter.");
        return 0;
    }
    answer_request(&call, find_endpoint(incoming));
    return call.failed ? error->code : 0;
}

/* The order that a request speaks of: by its client's id, or by the client's id of the venue's number. */
static const char *client_named(const struct binance_us *venue, const struct parameters *parameters,
                                enum exchange_request kind)
{
    bool by_old = kind == EXCHANGE_cancel || kind == EXCHANGE_query;
    const char *client = parameter(parameters, by_old ? "origClientOrderId" : "newClientOrderId");
    int64_t id = 0;
    if (client || !by_old || !parameter_integer(parameters, "orderId", &id) || id < 1)
        return client ? client : "";
    const struct core_order *order = core_order(venue->options.core, (size_t)id - 1);
    return order ? order->client : "";
}

static void describe(struct protocol *protocol, const struct net_incoming *incoming,
                     struct exchange_call *call)
{
    struct parameters parameters;
    const struct endpoint *endpoint = find_endpoint(incoming);
    call->client[0] = '\0';
    if (endpoint)
        call->kind = endpoint->kind;
    else
        call->kind = binance_is_stream_path(incoming->path) ? EXCHANGE_stream : EXCHANGE_other;
    if (endpoint && read_parameters(incoming, &parameters))
        snprintf(call->client, sizeof call->client, "%s",
                 client_named(binance_of(protocol), &parameters, call->kind));
}

static void refusal(struct protocol *protocol, int status, int64_t retry_after_s, int64_t now,
                    struct exchange_reply *reply)
{
    reply->content_type = "application/json;charset=UTF-8";
    if (status == 429 || status == 418)
        refuse(binance_of(protocol), status, retry_after_s, now, reply);
    else if (status == 504)
        write_error(reply, status, -1007,
                    "Timeout waiting for response from backend server. Send status unknown; "
                    "execution status unknown.");
    else
        write_error(reply, status, -1000,
                    "An unknown error occurred while processing the request.");
}

/* --- opening and closing ----------------------------------------------------------------------- */

static void close_venue(struct protocol *protocol)
{
    struct binance_us *venue = binance_of(protocol);
    json_free(&venue->scratch);
    json_free(&venue->wrapped);
    free(venue);
}

static int open_venue(struct protocol **protocol, const struct protocol_options *options,
                      struct error *error)
{
    struct binance_us *venue = calloc(1, sizeof *venue);
    if (!venue)
        return error_set(error, ERROR_SYSTEM, "no memory for binance_us");
    venue->protocol = (struct protocol){.kind = &protocol_binance_us,
                                        .describe = describe,
                                        .request = request,
                                        .opened = binance_opened,
                                        .text = binance_text,
                                        .closed = binance_closed,
                                        .order = binance_order_event,
                                        .market = binance_market_news,
                                        .deadline = binance_deadline,
                                        .tick = binance_tick,
                                        .refusal = refusal,
                                        .close = close_venue};
    venue->options = *options;
    random_init(&venue->random, options->seed, 1);
    venue->weight = (struct rate_window){60 * NS_PER_SECOND, WEIGHT_LIMIT, 0, 0};
    venue->raw_requests = (struct rate_window){300 * NS_PER_SECOND, RAW_LIMIT, 0, 0};
    venue->orders_10s = (struct rate_window){10 * NS_PER_SECOND, ORDERS_10S_LIMIT, 0, 0};
    venue->orders_day = (struct rate_window){86400 * NS_PER_SECOND, ORDERS_DAY_LIMIT, 0, 0};
    venue->connections = (struct rate_window){300 * NS_PER_SECOND, CONNECTIONS_LIMIT, 0, 0};
    venue->next_second = options->now - options->now % NS_PER_SECOND + NS_PER_SECOND;
    *protocol = &venue->protocol;
    return 0;
}

const struct protocol_kind protocol_binance_us = {"binance_us", binance_messages, open_venue};
