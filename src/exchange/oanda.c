/* OANDA: what a request is, who may make it and how often. */
#include "exchange/oanda.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

enum { REQUESTS_LIMIT = 120 }; /* a second and address */

struct endpoint {
    const char *method, *path; /* behind the version */
    enum exchange_request kind;
    void (*answer)(struct oanda_call *call);
};

static const struct endpoint endpoints[] = {
    {"GET", "/accounts", EXCHANGE_account, oanda_get_accounts},
    {"GET", "/accounts/*", EXCHANGE_account, oanda_get_account},
    {"GET", "/accounts/*/summary", EXCHANGE_account, oanda_get_summary},
    {"GET", "/accounts/*/instruments", EXCHANGE_instruments, oanda_get_instruments},
    {"POST", "/accounts/*/orders", EXCHANGE_place, oanda_post_order},
    {"GET", "/accounts/*/orders", EXCHANGE_orders, oanda_get_orders},
    {"GET", "/accounts/*/pendingOrders", EXCHANGE_open_orders, oanda_get_pending_orders},
    {"GET", "/accounts/*/orders/*", EXCHANGE_query, oanda_get_order},
    {"PUT", "/accounts/*/orders/*", EXCHANGE_replace, oanda_put_order},
    {"PUT", "/accounts/*/orders/*/cancel", EXCHANGE_cancel, oanda_put_cancel},
    {"GET", "/accounts/*/positions", EXCHANGE_positions, oanda_get_positions},
    {"GET", "/accounts/*/openPositions", EXCHANGE_positions, oanda_get_open_positions},
    {"GET", "/accounts/*/positions/*", EXCHANGE_positions, oanda_get_position},
    {"GET", "/accounts/*/trades", EXCHANGE_positions, oanda_get_trades},
    {"GET", "/accounts/*/openTrades", EXCHANGE_positions, oanda_get_open_trades},
    {"GET", "/accounts/*/pricing", EXCHANGE_book, oanda_get_pricing},
    {"GET", "/accounts/*/pricing/stream", EXCHANGE_stream, oanda_get_stream},
    {"GET", "/accounts/*/transactions/stream", EXCHANGE_stream, oanda_get_stream},
    {"GET", "/accounts/*/transactions/sinceid", EXCHANGE_fills, oanda_get_transactions_since},
    {"GET", "/accounts/*/transactions/idrange", EXCHANGE_fills, oanda_get_transactions_range},
    {"GET", "/accounts/*/transactions", EXCHANGE_fills, oanda_get_transaction_pages},
    {"GET", "/accounts/*/transactions/*", EXCHANGE_fills, oanda_get_transaction},
};

struct oanda *oanda_of(const struct protocol *protocol)
{
    ASSERT(protocol->kind == &protocol_oanda);
    return (struct oanda *)(uintptr_t)protocol;
}

/* The endpoint, with the parts of its path behind the version. */
static const struct endpoint *find_endpoint(const struct net_incoming *incoming,
                                            struct path_parts *path)
{
    const char *text = incoming->path;
    if (strncmp(text, "/v3/", 4) == 0)
        text += 3;
    if (!path_split(text, path))
        return NULL;
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++)
        if (strcmp(endpoints[i].method, incoming->method) == 0 && path_is(path, endpoints[i].path))
            return &endpoints[i];
    return NULL;
}

/* --- answers ----------------------------------------------------------------------------------- */

void oanda_error(struct oanda_call *call, int status, const char *message)
{
    call->reply->status = status;
    json_clear(call->body);
    json_open(call->body, NULL, '{');
    json_text(call->body, "errorMessage", message);
    json_close(call->body, '}');
}

void oanda_write_time(const struct oanda *venue, struct json *json, const char *name, int64_t time,
                      bool unix_time)
{
    int64_t shown = time + venue->protocol.skew;
    char text[TIME_TEXT_MAX];
    if (unix_time)
        snprintf(text, sizeof text, "%" PRId64 ".%09" PRId64, shown / NS_PER_SECOND,
                 shown % NS_PER_SECOND);
    else
        time_to_text(shown, text);
    json_text(json, name, text);
}

void oanda_write_id(struct json *json, const char *name, uint64_t id)
{
    json_format(json, name, "%" PRIu64, id);
}

void oanda_write_last(const struct oanda *venue, struct json *json)
{
    oanda_write_id(json, "lastTransactionID", venue->transaction_count);
}

/* --- requests ---------------------------------------------------------------------------------- */

static bool check_token(struct oanda_call *call)
{
    static const char bearer[] = "Bearer ";
    const char *authorization = exchange_request_header(call->incoming, "authorization");
    if (authorization && strncmp(authorization, bearer, sizeof bearer - 1) == 0 &&
        strcmp(authorization + sizeof bearer - 1, call->venue->options.credentials->secret) == 0)
        return true;
    oanda_error(call, 401, "Insufficient authorization to perform request.");
    return false;
}

static void answer_request(struct oanda_call *call, const struct endpoint *endpoint)
{
    struct oanda *venue = call->venue;
    if (!rate_use(&venue->requests, call->now, 1)) {
        oanda_error(call, 429, "Rate limit violation of requests per second.");
        return;
    }
    if (!check_token(call))
        return;
    if (!endpoint) {
        oanda_error(call, 404, "The path was not found.");
        return;
    }
    if (call->path->count > 1 &&
        strcmp(call->path->parts[1], venue->options.credentials->key) != 0) {
        oanda_error(call, 403, "The account is not accessible with this token.");
        return;
    }
    endpoint->answer(call);
}

static int request(struct protocol *protocol, const struct net_incoming *incoming, int64_t now,
                   struct exchange_reply *reply, struct error *error)
{
    struct oanda *venue = oanda_of(protocol);
    struct path_parts path = {0};
    struct parameters parameters;
    const char *format = exchange_request_header(incoming, "accept-datetime-format");
    const char *id = exchange_request_header(incoming, "clientrequestid");
    cJSON *json = cJSON_ParseWithLength(incoming->body, incoming->length);
    struct oanda_call call = {.venue = venue,
                              .incoming = incoming,
                              .path = &path,
                              .parameters = &parameters,
                              .json = json,
                              .now = now,
                              .unix_time = format && strcmp(format, "UNIX") == 0,
                              .reply = reply,
                              .body = &reply->body,
                              .error = error};
    parameters_init(&parameters);
    reply->status = 200;
    reply->content_type = "application/json";
    venue->request_id = id ? id : "";
    venue->batch = 0;
    const struct endpoint *endpoint = find_endpoint(incoming, &path);
    if (parameters_add(&parameters, incoming->query, strlen(incoming->query)))
        answer_request(&call, endpoint);
    else
        oanda_error(&call, 400, "The query can't be read.");
    exchange_header(reply, "RequestID", "%" PRIu64, (uint64_t)venue->transaction_count);
    venue->request_id = "";
    venue->batch = 0;
    cJSON_Delete(json);
    return call.failed ? error->code : 0;
}

static void describe(struct protocol *protocol, const struct net_incoming *incoming,
                     struct exchange_call *call)
{
    struct path_parts path = {0};
    const struct endpoint *endpoint = find_endpoint(incoming, &path);
    call->client[0] = '\0';
    call->kind = endpoint ? endpoint->kind : EXCHANGE_other;
    if (!endpoint)
        return;
    if (call->kind == EXCHANGE_place || call->kind == EXCHANGE_replace) {
        cJSON *json = cJSON_ParseWithLength(incoming->body, incoming->length);
        const cJSON *order = cJSON_GetObjectItemCaseSensitive(json, "order");
        const char *client =
            json_get_text(cJSON_GetObjectItemCaseSensitive(order, "clientExtensions"), "id");
        snprintf(call->client, sizeof call->client, "%s", client ? client : "");
        cJSON_Delete(json);
    }
    if (!*call->client && path.count > 3) {
        const struct core_order *order = oanda_find_order(oanda_of(protocol), path.parts[3]);
        const char *named = path.parts[3][0] == '@' ? path.parts[3] + 1 : "";
        snprintf(call->client, sizeof call->client, "%s", order ? order->client : named);
    }
}

static void refusal(struct protocol *protocol, int status, int64_t retry_after_s, int64_t now,
                    struct exchange_reply *reply)
{
    (void)protocol;
    (void)retry_after_s;
    (void)now;
    reply->status = status;
    reply->content_type = "application/json";
    json_clear(&reply->body);
    json_open(&reply->body, NULL, '{');
    json_text(&reply->body, "errorMessage",
              status == 429 ? "Rate limit violation of requests per second."
                            : "The request could not be completed.");
    json_close(&reply->body, '}');
}

/* --- opening and closing ----------------------------------------------------------------------- */

static void close_venue(struct protocol *protocol)
{
    struct oanda *venue = oanda_of(protocol);
    oanda_free_transactions(venue);
    json_free(&venue->scratch);
    free(venue->trades);
    free(venue->profits);
    free(venue->price_changed);
    free(venue);
}

/* The account's asset is USD where the market has it, else the first instrument's quote; all instruments must
 * have a rate to it. */
static int find_home(struct oanda *venue, struct error *error)
{
    const struct event_names *names = venue->options.names;
    const struct market_view *market = venue->options.market;
    venue->home = market->instruments[0].definition.quote;
    for (unsigned asset = 0; asset < names->asset_count; asset++)
        if (strcmp(names->assets[asset], "USD") == 0)
            venue->home = (uint16_t)asset;
    for (unsigned i = 0; i < market->count; i++) {
        money home;
        if (!oanda_to_home(venue, &market->instruments[i].definition, MONEY_ZERO, &home))
            return error_set(error, ERROR_INPUT, "oanda: no rate from the quote of %s to %s",
                             market->instruments[i].symbol, names->assets[venue->home]);
    }
    return 0;
}

static int open_account(struct oanda *venue, struct error *error)
{
    if (find_home(venue, error))
        return error->code;
    venue->initial = core_balance(venue->options.core, venue->home);
    struct oanda_transaction *transfer = oanda_new(venue, OANDA_TRANSFER_FUNDS, venue->options.now);
    transfer->amount = venue->initial;
    transfer->reason = "CLIENT_FUNDING";
    return 0;
}

static int open_venue(struct protocol **protocol, const struct protocol_options *options,
                      struct error *error)
{
    struct oanda *venue = calloc(1, sizeof *venue);
    if (!venue)
        return error_set(error, ERROR_SYSTEM, "no memory for oanda");
    venue->protocol = (struct protocol){.kind = &protocol_oanda,
                                        .describe = describe,
                                        .request = request,
                                        .opened = oanda_opened,
                                        .text = oanda_text,
                                        .closed = oanda_closed,
                                        .order = oanda_order_event,
                                        .market = oanda_market_news,
                                        .deadline = oanda_deadline,
                                        .tick = oanda_tick,
                                        .refusal = refusal,
                                        .write_books = oanda_write_books,
                                        .close = close_venue};
    venue->options = *options;
    venue->request_id = "";
    venue->requests = (struct rate_window){NS_PER_SECOND, REQUESTS_LIMIT, 0, 0};
    venue->next_prices = options->now + NS_PER_SECOND / 4;
    venue->next_heartbeat = options->now + 5 * NS_PER_SECOND;
    venue->price_changed = calloc(options->market->count + 1, sizeof *venue->price_changed);
    venue->profits =
        calloc(2 * (size_t)options->names->instrument_count + 1, sizeof *venue->profits);
    ASSERT(venue->price_changed && venue->profits);
    if (open_account(venue, error)) {
        close_venue(&venue->protocol);
        return error->code;
    }
    *protocol = &venue->protocol;
    return 0;
}

const struct protocol_kind protocol_oanda = {"oanda", oanda_messages, open_venue};
