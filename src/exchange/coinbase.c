/* Coinbase: what a request is, who may make it and how often. */
#include "exchange/coinbase.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "exchange/signatures.h"

enum {
    PRIVATE_LIMIT = 30, /* a second and user */
    PUBLIC_LIMIT = 10,  /* a second and address */
    CONNECTIONS_LIMIT = 8,
    TEXTS_LIMIT = 8, /* without a token, a second and address */
    TOKEN_SECONDS_MAX = 120
};

#define BROKERAGE "/api/v3/brokerage"
static const char venue_host[] = "api.coinbase.com";

struct endpoint {
    const char *method, *path; /* behind BROKERAGE, or where it begins with /v2 the whole */
    enum exchange_request kind;
    bool is_private;
    void (*answer)(struct coinbase_call *call);
};

static const struct endpoint endpoints[] = {
    {"GET", "/time", EXCHANGE_time, false, coinbase_get_time},
    {"GET", "/market/products", EXCHANGE_instruments, false, coinbase_get_products},
    {"GET", "/market/products/*", EXCHANGE_instruments, false, coinbase_get_product},
    {"GET", "/market/products/*/ticker", EXCHANGE_trades, false, coinbase_get_ticker},
    {"GET", "/market/product_book", EXCHANGE_book, false, coinbase_get_product_book},
    {"GET", "/products", EXCHANGE_instruments, true, coinbase_get_products},
    {"GET", "/products/*", EXCHANGE_instruments, true, coinbase_get_product},
    {"GET", "/products/*/ticker", EXCHANGE_trades, true, coinbase_get_ticker},
    {"GET", "/product_book", EXCHANGE_book, true, coinbase_get_product_book},
    {"GET", "/best_bid_ask", EXCHANGE_book, true, coinbase_get_best_bid_ask},
    {"GET", "/accounts", EXCHANGE_account, true, coinbase_get_accounts},
    {"GET", "/key_permissions", EXCHANGE_rights, true, coinbase_get_key_permissions},
    {"GET", "/transaction_summary", EXCHANGE_fees, true, coinbase_get_transaction_summary},
    {"GET", "/orders/historical/batch", EXCHANGE_open_orders, true, coinbase_get_orders},
    {"GET", "/orders/historical/fills", EXCHANGE_fills, true, coinbase_get_fills},
    {"GET", "/orders/historical/*", EXCHANGE_query, true, coinbase_get_order},
    {"POST", "/orders", EXCHANGE_place, true, coinbase_post_order},
    {"POST", "/orders/batch_cancel", EXCHANGE_cancel, true, coinbase_post_batch_cancel},
    {"POST", "/orders/edit", EXCHANGE_edit, true, coinbase_post_edit},
    {"GET", "/v2/currencies", EXCHANGE_other, false, coinbase_get_currencies},
    {"GET", "/v2/currencies/crypto", EXCHANGE_other, false, coinbase_get_crypto_currencies},
    {"GET", "/v2/exchange-rates", EXCHANGE_other, false, coinbase_get_exchange_rates},
};

static struct coinbase *coinbase_of(const struct protocol *protocol)
{
    ASSERT(protocol->kind == &protocol_coinbase);
    return (struct coinbase *)(uintptr_t)protocol;
}

/* The endpoint, with the parts of its path behind BROKERAGE. */
static const struct endpoint *find_endpoint(const struct net_incoming *incoming,
                                            struct path_parts *path)
{
    size_t skip =
        strncmp(incoming->path, BROKERAGE "/", sizeof BROKERAGE) == 0 ? sizeof BROKERAGE - 1 : 0;
    if ((skip == 0 && strncmp(incoming->path, "/v2/", 4) != 0) ||
        !path_split(incoming->path + skip, path))
        return NULL;
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++)
        if (strcmp(endpoints[i].method, incoming->method) == 0 && path_is(path, endpoints[i].path))
            return &endpoints[i];
    return NULL;
}

/* --- answers ----------------------------------------------------------------------------------- */

void coinbase_error(struct coinbase_call *call, int status, const char *error, const char *message)
{
    call->reply->status = status;
    json_clear(call->body);
    json_open(call->body, NULL, '{');
    json_text(call->body, "error", error);
    json_text(call->body, "error_details", message);
    json_text(call->body, "message", message);
    json_close(call->body, '}');
}

void coinbase_time(const struct coinbase *venue, int64_t time, char out[COINBASE_TIME_MAX])
{
    char text[TIME_TEXT_MAX];
    size_t length = time_to_text(time + venue->protocol.skew, text);
    ASSERT(length > 4);
    snprintf(out, COINBASE_TIME_MAX, "%.*sZ", (int)(length - 4), text); /* three digits fewer */
}

void coinbase_uuid(char kind, uint64_t number, char out[COINBASE_UUID_MAX])
{
    snprintf(out, COINBASE_UUID_MAX, "c0ffee%02x-0000-4000-8000-%012" PRIx64, (unsigned)kind,
             number & UINT64_C(0xffffffffffff));
}

uint64_t coinbase_order_number(const char *uuid)
{
    char expected[COINBASE_UUID_MAX];
    if (strlen(uuid) != COINBASE_UUID_MAX - 1)
        return 0;
    uint64_t number = strtoull(uuid + 24, NULL, 16);
    coinbase_uuid('o', number, expected);
    return strcmp(uuid, expected) == 0 ? number : 0;
}

/* --- who asks ---------------------------------------------------------------------------------- */

/* Whether `text` is METHOD, one space, a host of ours, and the path. */
static bool is_uri(const char *text, const char *method, const char *host, const char *path)
{
    const char *hosts[2] = {venue_host, host};
    for (size_t i = 0; i < 2; i++) {
        char expected[1024];
        if (!hosts[i])
            continue;
        snprintf(expected, sizeof expected, "%s %s%s", method, hosts[i], path);
        if (strcmp(text, expected) == 0)
            return true;
    }
    return false;
}

/* The claim "uri", or a list "uris" of which one is it. A websocket's token has none. */
static bool claims_uri(const cJSON *claims, const char *method, const char *host, const char *path)
{
    const char *uri = json_get_text(claims, "uri");
    const cJSON *uris = cJSON_GetObjectItemCaseSensitive(claims, "uris"), *one;
    if (!method)
        return !uri && !uris;
    if (uri)
        return is_uri(uri, method, host, path);
    cJSON_ArrayForEach(one, uris) if (cJSON_IsString(one) &&
                                      is_uri(one->valuestring, method, host, path)) return true;
    return false;
}

static bool claims_are_good(const struct coinbase *venue, const cJSON *claims, int64_t now)
{
    const char *subject = json_get_text(claims, "sub"), *issuer = json_get_text(claims, "iss");
    const cJSON *from = cJSON_GetObjectItemCaseSensitive(claims, "nbf");
    const cJSON *until = cJSON_GetObjectItemCaseSensitive(claims, "exp");
    if (!subject || strcmp(subject, venue->options.credentials->key) != 0 || !issuer ||
        (strcmp(issuer, "cdp") != 0 && strcmp(issuer, "coinbase-cloud") != 0) ||
        !cJSON_IsNumber(from) || !cJSON_IsNumber(until))
        return false;
    double seconds = (double)((now + venue->protocol.skew) / NS_PER_SECOND);
    return from->valuedouble <= seconds && seconds < until->valuedouble &&
           until->valuedouble - from->valuedouble <= TOKEN_SECONDS_MAX;
}

static bool header_is_good(const struct coinbase *venue, const cJSON *header,
                           const char **algorithm)
{
    const char *key = json_get_text(header, "kid");
    *algorithm = json_get_text(header, "alg");
    return *algorithm && key && strcmp(key, venue->options.credentials->key) == 0;
}

bool coinbase_token_is_good(const struct coinbase *venue, const char *token, const char *method,
                            const char *host, const char *path, int64_t now)
{
    struct web_token parts;
    if (!web_token_read(token, &parts))
        return false;
    cJSON *header = cJSON_Parse(parts.header), *claims = cJSON_Parse(parts.claims);
    const char *algorithm = NULL;
    bool good = header && claims && header_is_good(venue, header, &algorithm) &&
                claims_are_good(venue, claims, now) && claims_uri(claims, method, host, path) &&
                web_token_verify(venue->options.credentials->secret, algorithm, token, &parts);
    cJSON_Delete(header);
    cJSON_Delete(claims);
    return good;
}

static bool check_token(struct coinbase_call *call)
{
    static const char bearer[] = "Bearer ";
    const struct net_incoming *incoming = call->incoming;
    const char *authorization = exchange_request_header(incoming, "authorization");
    if (authorization && strncmp(authorization, bearer, sizeof bearer - 1) == 0 &&
        coinbase_token_is_good(call->venue, authorization + sizeof bearer - 1, incoming->method,
                               exchange_request_header(incoming, "host"), incoming->path,
                               call->now))
        return true;
    call->reply->status = 401;
    call->reply->content_type = "text/plain; charset=utf-8";
    json_append(call->body, "Unauthorized\n", 13);
    return false;
}

/* --- how often --------------------------------------------------------------------------------- */

static void refuse(struct exchange_reply *reply)
{
    reply->status = 429;
    json_clear(&reply->body);
    json_open(&reply->body, NULL, '{');
    json_open(&reply->body, "errors", '[');
    json_open(&reply->body, NULL, '{');
    json_text(&reply->body, "id", "rate_limit_exceeded");
    json_text(&reply->body, "message", "Too many requests");
    json_close(&reply->body, '}');
    json_close(&reply->body, ']');
    json_close(&reply->body, '}');
}

static bool check_rate(struct coinbase_call *call, struct rate_window *window)
{
    bool within = rate_use(window, call->now, 1);
    int64_t left = window->limit - window->used;
    exchange_header(call->reply, "x-ratelimit-limit", "%lld", (long long)window->limit);
    exchange_header(call->reply, "x-ratelimit-remaining", "%lld", (long long)(left > 0 ? left : 0));
    exchange_header(call->reply, "x-ratelimit-reset", "%lld",
                    (long long)rate_seconds_left(window, call->now));
    if (!within)
        refuse(call->reply);
    return within;
}

/* --- requests ---------------------------------------------------------------------------------- */

static void answer_request(struct coinbase_call *call, const struct endpoint *endpoint)
{
    struct coinbase *venue = call->venue;
    if (!endpoint) {
        if (check_rate(call, &venue->public_rate))
            coinbase_error(call, 404, "not_found", "Not found");
        return;
    }
    if (endpoint->is_private && !check_token(call))
        return;
    if (!check_rate(call, endpoint->is_private ? &venue->private_rate : &venue->public_rate))
        return;
    bool has_body = strcmp(endpoint->method, "POST") == 0;
    if (has_body && !cJSON_IsObject(call->json))
        coinbase_error(call, 400, "INVALID_ARGUMENT", "the body is no JSON object");
    else
        endpoint->answer(call);
}

static int request(struct protocol *protocol, const struct net_incoming *incoming, int64_t now,
                   struct exchange_reply *reply, struct error *error)
{
    struct coinbase *venue = coinbase_of(protocol);
    struct path_parts path = {0};
    struct parameters parameters;
    reply->status = 200;
    reply->content_type = "application/json; charset=utf-8";
    if (incoming->wants_websocket) {
        reply->stream = rate_use(&venue->connections, now, 1);
        if (!reply->stream)
            refuse(reply);
        return 0;
    }
    parameters_init(&parameters);
    bool readable = parameters_add(&parameters, incoming->query, strlen(incoming->query));
    cJSON *json = cJSON_ParseWithLength(incoming->body, incoming->length);
    struct coinbase_call call = {.venue = venue,
                                 .incoming = incoming,
                                 .path = &path,
                                 .parameters = &parameters,
                                 .json = json,
                                 .now = now,
                                 .reply = reply,
                                 .body = &reply->body,
                                 .error = error};
    const struct endpoint *endpoint = find_endpoint(incoming, &path);
    if (readable)
        answer_request(&call, endpoint);
    else
        coinbase_error(&call, 400, "INVALID_ARGUMENT", "the query can't be read");
    cJSON_Delete(json);
    return call.failed ? error->code : 0;
}

/* The client id of the order that a cancel or an edit names by the venue's. */
static void find_client(struct coinbase *venue, const cJSON *json, struct exchange_call *call)
{
    const char *id = json_get_text(json, "order_id");
    if (!id) {
        const cJSON *first =
            cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "order_ids"), 0);
        id = cJSON_IsString(first) ? first->valuestring : NULL;
    }
    uint64_t number = id ? coinbase_order_number(id) : 0;
    const struct core_order *order =
        number > 0 ? core_order(venue->options.core, (size_t)number - 1) : NULL;
    if (order)
        snprintf(call->client, sizeof call->client, "%s", order->client);
}

static void describe(struct protocol *protocol, const struct net_incoming *incoming,
                     struct exchange_call *call)
{
    struct path_parts path = {0};
    const struct endpoint *endpoint = find_endpoint(incoming, &path);
    call->client[0] = '\0';
    call->kind = incoming->wants_websocket ? EXCHANGE_stream
                 : endpoint                ? endpoint->kind
                                           : EXCHANGE_other;
    if (incoming->length == 0)
        return;
    cJSON *json = cJSON_ParseWithLength(incoming->body, incoming->length);
    const char *client = json_get_text(json, "client_order_id");
    if (client)
        snprintf(call->client, sizeof call->client, "%s", client);
    else
        find_client(coinbase_of(protocol), json, call);
    cJSON_Delete(json);
}

static void refusal(struct protocol *protocol, int status, int64_t retry_after_s, int64_t now,
                    struct exchange_reply *reply)
{
    (void)protocol;
    (void)retry_after_s;
    (void)now;
    reply->content_type = "application/json; charset=utf-8";
    refuse(reply);
    reply->status = status;
    if (status == 429)
        return;
    reply->content_type = "text/html";
    json_clear(&reply->body);
    json_append(&reply->body, "<html>error</html>\n", 19); /* as a gateway answers */
}

/* --- opening and closing ----------------------------------------------------------------------- */

static void close_venue(struct protocol *protocol)
{
    struct coinbase *venue = coinbase_of(protocol);
    json_free(&venue->scratch);
    free(venue->trades_told);
    free(venue);
}

static int open_venue(struct protocol **protocol, const struct protocol_options *options,
                      struct error *error)
{
    struct coinbase *venue = calloc(1, sizeof *venue);
    if (!venue)
        return error_set(error, ERROR_SYSTEM, "no memory for coinbase");
    venue->protocol = (struct protocol){.kind = &protocol_coinbase,
                                        .describe = describe,
                                        .request = request,
                                        .opened = coinbase_opened,
                                        .text = coinbase_text,
                                        .closed = coinbase_closed,
                                        .order = coinbase_order_event,
                                        .market = coinbase_market_news,
                                        .deadline = coinbase_deadline,
                                        .tick = coinbase_tick,
                                        .refusal = refusal,
                                        .close = close_venue};
    venue->options = *options;
    venue->private_rate = (struct rate_window){NS_PER_SECOND, PRIVATE_LIMIT, 0, 0};
    venue->public_rate = (struct rate_window){NS_PER_SECOND, PUBLIC_LIMIT, 0, 0};
    venue->connections = (struct rate_window){NS_PER_SECOND, CONNECTIONS_LIMIT, 0, 0};
    venue->texts = (struct rate_window){NS_PER_SECOND, TEXTS_LIMIT, 0, 0};
    venue->next_heartbeat = options->now + NS_PER_SECOND;
    venue->next_batch = options->now + NS_PER_SECOND / 4;
    venue->trades_told = calloc(options->market->count + 1, sizeof *venue->trades_told);
    ASSERT(venue->trades_told);
    *protocol = &venue->protocol;
    return 0;
}

const struct protocol_kind protocol_coinbase = {"coinbase", coinbase_messages, open_venue};
