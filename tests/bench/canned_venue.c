/* See canned_venue.h. */
#include "canned_venue.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

/* In ticks of 0.01 USD: far from 0, and a walk that no breaker finds remarkable. */
enum { MIDDLE = 6000000, WALK = 200, SPREAD = 2, STEP_MAX = 3, SNAPSHOT_LEVELS = 400 };
/* Levels behind the best ones that a depth frame tells too, as a busy book of the venue does in 100 ms. */
enum { FURTHER_LEVELS = 5 };

void canned_venue_init(struct canned_venue *venue, uint64_t seed)
{
    random_init(&venue->random, seed, 0);
    venue->bid = venue->shown = MIDDLE;
    venue->id = venue->shown_id = 1000;
}

/* Text at the end of `out`, which must have room. */
static size_t add(char *out, size_t capacity, size_t length, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static size_t add(char *out, size_t capacity, size_t length, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(out + length, capacity - length, format, arguments);
    va_end(arguments);
    ASSERT(more >= 0 && length + (size_t)more < capacity);
    return length + (size_t)more;
}

/* --- what the adapter asks for ------------------------------------------------------------------ */

void canned_venue_request(struct canned_venue *venue, const struct adapter_request *request)
{
    ASSERT(venue->request_count < CANNED_REQUESTS_MAX);
    struct canned_request *noted = &venue->requests[venue->request_count++];
    noted->tag = request->tag;
    snprintf(noted->method, sizeof noted->method, "%s", request->method);
    snprintf(noted->url, sizeof noted->url, "%s", request->url);
    snprintf(noted->body, sizeof noted->body, "%s", request->body ? request->body : "");
}

void canned_venue_open(struct canned_venue *venue, unsigned channel)
{
    venue->opening[channel] = true;
}

/* The value of a parameter, of the query or the body; "" where there is none. Nothing in there is encoded. */
static void parameter(const struct canned_request *request, const char *name, char *out,
                      size_t capacity)
{
    const char *query = strchr(request->url, '?');
    const char *texts[] = {query ? query + 1 : "", request->body};
    size_t length = strlen(name);
    out[0] = '\0';
    for (size_t i = 0; i < 2; i++)
        for (const char *at = texts[i]; at && *at; at = strchr(at, '&'), at = at ? at + 1 : NULL)
            if (strncmp(at, name, length) == 0 && at[length] == '=')
                snprintf(out, capacity, "%.*s", (int)strcspn(at + length + 1, "&"),
                         at + length + 1);
}

/* --- orders ------------------------------------------------------------------------------------- */

static struct canned_order *find_order(struct canned_venue *venue, const char *name)
{
    for (size_t i = 0; i < CANNED_ORDERS_MAX; i++)
        if (venue->orders[i].id != 0 && strcmp(venue->orders[i].name, name) == 0)
            return &venue->orders[i];
    return NULL;
}

static struct canned_order *new_order(struct canned_venue *venue,
                                      const struct canned_request *request)
{
    size_t free_place = 0;
    while (free_place < CANNED_ORDERS_MAX && venue->orders[free_place].id != 0)
        free_place++;
    ASSERT(free_place < CANNED_ORDERS_MAX);
    struct canned_order *order = &venue->orders[free_place];
    order->id = ++venue->last_order;
    parameter(request, "newClientOrderId", order->name, sizeof order->name);
    parameter(request, "side", order->side, sizeof order->side);
    parameter(request, "price", order->price, sizeof order->price);
    parameter(request, "quantity", order->quantity, sizeof order->quantity);
    return order;
}

static size_t add_order(struct canned_venue *venue, size_t length, const struct canned_order *order,
                        const char *status, int64_t now)
{
    bool ended = strcmp(status, "CANCELED") == 0;
    return add(
        venue->answer, sizeof venue->answer, length,
        "{\"symbol\":\"" CANNED_SYMBOL "\",\"orderId\":%llu,\"orderListId\":-1,"
        "\"%slientOrderId\":\"%s\",\"transactTime\":%lld,\"price\":\"%s\",\"origQty\":\"%s\","
        "\"executedQty\":\"0.00000000\",\"status\":\"%s\",\"timeInForce\":\"GTC\","
        "\"type\":\"LIMIT_MAKER\",\"side\":\"%s\",\"fills\":[]}",
        (unsigned long long)order->id, ended ? "origC" : "c", order->name,
        (long long)(now / NS_PER_MS), order->price, order->quantity, status, order->side);
}

static size_t cancel(struct canned_venue *venue, size_t length,
                     const struct canned_request *request, const char *field, int64_t now)
{
    char name[ADAPTER_ORDER_NAME_MAX];
    parameter(request, field, name, sizeof name);
    struct canned_order *order = find_order(venue, name);
    ASSERT(order); /* nothing is filled, so that all that is cancelled rests */
    length = add_order(venue, length, order, "CANCELED", now);
    order->id = 0;
    return length;
}

static size_t replace(struct canned_venue *venue, const struct canned_request *request, int64_t now)
{
    size_t room = sizeof venue->answer;
    size_t length = add(venue->answer, room, 0,
                        "{\"cancelResult\":\"SUCCESS\",\"newOrderResult\":\"SUCCESS\","
                        "\"cancelResponse\":");
    length = cancel(venue, length, request, "cancelOrigClientOrderId", now);
    length = add(venue->answer, room, length, ",\"newOrderResponse\":");
    length = add_order(venue, length, new_order(venue, request), "NEW", now);
    return add(venue->answer, room, length, "}");
}

/* --- the other answers -------------------------------------------------------------------------- */

static const char info_text[] =
    "{\"rateLimits\":["
    "{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,"
    "\"limit\":1000000000},"
    "{\"rateLimitType\":\"ORDERS\",\"interval\":\"SECOND\",\"intervalNum\":10,\"limit\":100000000},"
    "{\"rateLimitType\":\"ORDERS\",\"interval\":\"DAY\",\"intervalNum\":1,\"limit\":1000000000}],"
    "\"symbols\":[{\"symbol\":\"" CANNED_SYMBOL "\",\"status\":\"TRADING\",\"baseAsset\":\"BTC\","
    "\"baseAssetPrecision\":8,\"quoteAsset\":\"USD\",\"quotePrecision\":4,"
    "\"baseCommissionPrecision\":8,\"quoteCommissionPrecision\":2,"
    "\"orderTypes\":[\"LIMIT\",\"LIMIT_MAKER\"],\"filters\":["
    "{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"0.01\"},"
    "{\"filterType\":\"LOT_SIZE\",\"minQty\":\"0.00001\",\"stepSize\":\"0.00001\"},"
    "{\"filterType\":\"MIN_NOTIONAL\",\"minNotional\":\"10\"}]}]}";

/* One price level: a deleted one has no quantity. */
static size_t add_level(char *out, size_t capacity, size_t length, int64_t ticks, bool deleted)
{
    return add(out, capacity, length, "%s[\"%lld.%02lld\",\"%s\"]",
               out[length - 1] == '[' ? "" : ",", (long long)(ticks / 100),
               (long long)(ticks % 100), deleted ? "0.00000000" : "0.25000000");
}

static void add_book(struct canned_venue *venue)
{
    char *out = venue->answer;
    const size_t room = sizeof venue->answer;
    size_t length =
        add(out, room, 0, "{\"lastUpdateId\":%llu,\"bids\":[", (unsigned long long)venue->shown_id);
    for (int64_t i = 0; i < SNAPSHOT_LEVELS; i++)
        length = add_level(out, room, length, venue->shown - i, false);
    length = add(out, room, length, "],\"asks\":[");
    for (int64_t i = 0; i < SNAPSHOT_LEVELS; i++)
        length = add_level(out, room, length, venue->shown + SPREAD + i, false);
    add(out, room, length, "]}");
}

static void add_account(struct canned_venue *venue, int64_t now)
{
    add(venue->answer, sizeof venue->answer, 0,
        "{\"canTrade\":true,\"updateTime\":%lld,\"commissionRates\":{\"maker\":\"0.0001\","
        "\"taker\":"
        "\"0.0006\"},\"balances\":[{\"asset\":\"BTC\",\"free\":\"1000\",\"locked\":\"0\"},"
        "{\"asset\":\"USD\",\"free\":\"100000000\",\"locked\":\"0\"}]}",
        (long long)(now / NS_PER_MS));
}

static bool is_for(const struct canned_request *request, const char *method, const char *path)
{
    const char *at = request->url + strlen(CANNED_REST);
    size_t length = strlen(path);
    return strcmp(request->method, method) == 0 && strncmp(at, path, length) == 0 &&
           (at[length] == '\0' || at[length] == '?');
}

static void write_answer(struct canned_venue *venue, const struct canned_request *request,
                         int64_t now)
{
    char *out = venue->answer;
    const size_t room = sizeof venue->answer;
    if (is_for(request, "POST", "/api/v3/order"))
        add_order(venue, 0, new_order(venue, request), "NEW", now);
    else if (is_for(request, "DELETE", "/api/v3/order"))
        cancel(venue, 0, request, "origClientOrderId", now);
    else if (is_for(request, "POST", "/api/v3/order/cancelReplace"))
        replace(venue, request, now);
    else if (is_for(request, "GET", "/api/v3/time"))
        add(out, room, 0, "{\"serverTime\":%lld}", (long long)(now / NS_PER_MS));
    else if (is_for(request, "GET", "/api/v3/exchangeInfo"))
        add(out, room, 0, "%s", info_text);
    else if (is_for(request, "GET", "/api/v3/account"))
        add_account(venue, now);
    else if (is_for(request, "GET", "/sapi/v1/asset/query/trading-fee") ||
             is_for(request, "GET", "/api/v3/openOrders"))
        add(out, room, 0, "[]");
    else if (is_for(request, "GET", "/api/v3/depth"))
        add_book(venue);
    else if (is_for(request, "POST", "/api/v3/userDataStream"))
        add(out, room, 0, "{\"listenKey\":\"canned\"}");
    else
        ASSERT(false); /* nothing else is asked for while the market moves */
}

bool canned_venue_serve(struct canned_venue *venue, struct adapter *adapter, int64_t now)
{
    for (unsigned channel = 0; channel < ADAPTER_CHANNELS; channel++)
        if (venue->opening[channel]) {
            venue->opening[channel] = false;
            adapter->opened(adapter, channel, now);
            return true;
        }
    if (venue->request_count == 0)
        return false;
    struct canned_request request = venue->requests[0];
    venue->request_count--;
    memmove(venue->requests, venue->requests + 1, venue->request_count * sizeof venue->requests[0]);
    write_answer(venue, &request, now);
    const struct net_response response = {.outcome = NET_ANSWERED,
                                          .status = 200,
                                          .body = venue->answer,
                                          .length = strlen(venue->answer)};
    adapter->answered(adapter, request.tag, &response, now);
    return true;
}

/* --- the market --------------------------------------------------------------------------------- */

static void move(struct canned_venue *venue)
{
    int64_t step = 1 + (int64_t)random_below(&venue->random, STEP_MAX);
    bool up = random_below(&venue->random, 2) == 0;
    if (venue->bid > MIDDLE + WALK)
        up = false;
    else if (venue->bid < MIDDLE - WALK)
        up = true;
    venue->bid += up ? step : -step;
}

static size_t write_ticker(struct canned_venue *venue)
{
    int64_t ask = venue->bid + SPREAD;
    size_t length =
        add(venue->frame, sizeof venue->frame, 0, "{\"stream\":\"btcusd@bookTicker\",\"data\":{");
    return add(venue->frame, sizeof venue->frame, length,
               "\"u\":%llu,\"s\":\"" CANNED_SYMBOL "\",\"b\":\"%lld.%02lld\",\"B\":\"0.25000000\","
               "\"a\":\"%lld.%02lld\",\"A\":\"0.25000000\"}}",
               (unsigned long long)++venue->id, (long long)(venue->bid / 100),
               (long long)(venue->bid % 100), (long long)(ask / 100), (long long)(ask % 100));
}

/* Every level from the one best price to the other: new ones on the side that gains, deleted where it loses. */
static size_t add_side(struct canned_venue *venue, size_t length, int64_t from, int64_t to,
                       int64_t outwards)
{
    bool gains = (from - to) * outwards > 0;
    for (int64_t at = from; at != to; at += from < to ? 1 : -1)
        length = add_level(venue->frame, sizeof venue->frame, length, gains ? at - outwards : at,
                           !gains);
    for (int64_t i = 1; i <= FURTHER_LEVELS; i++)
        length =
            add_level(venue->frame, sizeof venue->frame, length,
                      to + outwards * (4 * i + (int64_t)random_below(&venue->random, 4)), false);
    return length;
}

static size_t write_depth(struct canned_venue *venue, int64_t now)
{
    char *out = venue->frame;
    const size_t room = sizeof venue->frame;
    size_t length =
        add(out, room, 0, "{\"stream\":\"btcusd@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",");
    venue->id++;
    length = add(out, room, length,
                 "\"E\":%lld,\"s\":\"" CANNED_SYMBOL "\",\"U\":%llu,\"u\":%llu,\"b\":[",
                 (long long)(now / NS_PER_MS), (unsigned long long)venue->shown_id + 1,
                 (unsigned long long)venue->id);
    length = add_side(venue, length, venue->shown, venue->bid, -1);
    length = add(out, room, length, "],\"a\":[");
    length = add_side(venue, length, venue->shown + SPREAD, venue->bid + SPREAD, 1);
    length = add(out, room, length, "]}}");
    venue->shown = venue->bid;
    venue->shown_id = venue->id;
    return length;
}

const char *canned_venue_frame(struct canned_venue *venue, int64_t now, size_t *length)
{
    if (venue->depth_is_due) {
        venue->depth_is_due = false;
        *length = write_depth(venue, now);
        return venue->frame;
    }
    move(venue);
    venue->depth_is_due = random_below(&venue->random, 2) == 0;
    *length = venue->depth_is_due ? write_ticker(venue) : write_depth(venue, now);
    return venue->frame;
}
