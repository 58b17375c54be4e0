/* Fuzz target (libFuzzer, --enable-fuzz): any bytes as what a venue sends to the Binance.US adapter, and as what each
 * of its readers is given. Each line begins with a letter:
 *
 *   m, p  text on the market or the private stream       a  answer to the oldest request: three digits, body
 *   u, n  the oldest request is unknown, or not sent     h  the same as a, with the text as a rate header
 *   o, c  a channel (digit) opens, or closes             t  time passes: 2^digit quarters of a second
 *   d     a decision (digit)                             r  the text goes to every reader
 *
 * Whatever comes: what is told can be written down and read again, an order is sent once, nothing secret is
 * told, and no memory is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "venue/live/adapter.h"
#include "venue/live/binance_us_decode.h"
#include "venue/live/binance_us_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REQUESTS_MAX = 4096, LINES_MAX = 400, TEXT_MAX = 1 << 16 };

static const char secret[] = "SECRETSECRET";
static struct credentials credentials = {"KEYKEYKEY", "SECRETSECRET"};

/* What the adapter did. */
static struct world {
    struct adapter *adapter;
    int64_t now;
    uint64_t tags[REQUESTS_MAX];
    size_t first, count; /* requests that are not answered */
    bool open[ADAPTER_CHANNELS];
    unsigned orders_asked, orders_sent;
    order_id last_order;
} world;

/* --- the port ---------------------------------------------------------------------------------------------- */

static void port_request(void *context, const struct adapter_request *made)
{
    (void)context;
    world.orders_sent += strcmp(made->method, "POST") == 0 && strstr(made->url, "/api/v3/order");
    ASSERT(world.orders_sent <= world.orders_asked);
    ASSERT(strstr(made->url, secret) == NULL);
    if (world.count < REQUESTS_MAX)
        world.tags[world.count++] = made->tag;
}

static void port_open(void *context, unsigned channel, const struct adapter_channel *what)
{
    (void)context;
    ASSERT(channel < ADAPTER_CHANNELS && !world.open[channel]);
    ASSERT(strlen(what->url) < ADAPTER_URL_MAX);
    world.open[channel] = true;
}

static void port_send(void *context, unsigned channel, const char *text, size_t length)
{
    (void)context;
    ASSERT(world.open[channel] && strlen(text) >= length);
}

static void port_close(void *context, unsigned channel)
{
    (void)context;
    ASSERT(channel < ADAPTER_CHANNELS);
    world.open[channel] = false;
}

/* Canonical bytes that read back are a promise to the tape. */
static void port_emit(void *context, const struct message *message)
{
    static uint8_t bytes[EVENT_HEAD_BYTES + EVENT_ROWS_MAX * EVENT_ROW_BYTES];
    static struct row rows[EVENT_ROWS_MAX];
    union event_record record;
    struct message read;
    size_t used;
    (void)context;
    size_t length = message_encode(message, bytes, sizeof bytes);
    ASSERT(message_decode(bytes, length, rows, EVENT_ROWS_MAX, &record, &read, &used, NULL) == 0);
    ASSERT(used == length);
}

static void port_log(void *context, enum log_level level, const char *text)
{
    (void)context;
    (void)level;
    ASSERT(strstr(text, secret) == NULL);
}

/* --- what comes ---------------------------------------------------------------------------------------------- */

static void give(const struct net_response *response)
{
    if (world.first == world.count)
        return;
    world.adapter->answered(world.adapter, world.tags[world.first++], response, world.now);
}

static void answer(long status, const char *body, const struct net_header *header)
{
    struct net_response response = {.outcome = NET_ANSWERED,
                                    .status = status,
                                    .body = body,
                                    .length = strlen(body),
                                    .headers = header,
                                    .header_count = header != NULL};
    give(&response);
}

static void pass(int64_t duration)
{
    int64_t end = world.now + duration;
    for (int i = 0; i < 2000; i++) {
        int64_t deadline = world.adapter->deadline(world.adapter);
        if (deadline > end)
            break;
        world.now = deadline > world.now ? deadline : world.now;
        world.adapter->tick(world.adapter, world.now);
    }
    world.now = end;
}

static void decide(unsigned which)
{
    static const struct number price = {10000, NUMBER_VALUE}, size = {50000000, NUMBER_VALUE};
    static const uint8_t kinds[] = {
        EVENT_place,         EVENT_cancel, EVENT_query, EVENT_replace, EVENT_request_snapshot,
        EVENT_cancel_orphan, EVENT_place,  EVENT_place, EVENT_cancel,  EVENT_modify};
    union event_record record = {0};
    struct message message = {.kind = kinds[which], .record = &record};
    order_id last = world.last_order;
    if (message.kind == EVENT_place) {
        record.place = (struct event_place){.order = ++world.last_order,
                                            .side = which == 6,
                                            .price = price,
                                            .quantity = size,
                                            .time_in_force = which == 7 ? TIME_IN_FORCE_IOC : 0,
                                            .post_only = which == 0};
    } else if (message.kind == EVENT_replace) {
        record.replace = (struct event_replace){.order = ++world.last_order,
                                                .replaces = last ? last : 1,
                                                .price = price,
                                                .quantity = size};
    } else if (message.kind == EVENT_cancel_orphan) {
        record.cancel_orphan = (struct event_cancel_orphan){
            .order = which & 1 ? 9 : 0, .venue_order = {.length = 2, .bytes = "77"}};
    } else if (message.kind != EVENT_request_snapshot) {
        record.cancel.order = last ? last : 1;
    }
    world.orders_asked += message.kind == EVENT_place || message.kind == EVENT_replace;
    world.adapter->decision(world.adapter, &message, world.now);
}

static void read_everything(const char *text, size_t length)
{
    static const char *const symbols[] = {"BTCUSD", "ETHUSD"};
    struct binance_us_order order;
    struct binance_us_orders orders = {0};
    struct binance_us_fills fills = {0};
    struct binance_us_replaced replaced;
    struct binance_us_account account = {0};
    struct binance_us_fee fees[2] = {{0}, {0}};
    struct binance_us_ticker tickers[2] = {{0}, {0}};
    struct binance_us_event event = {0};
    struct binance_us_stream_answer answered;
    struct binance_us_error venue_error;
    struct binance_us_info info = {0};
    struct adapter_instrument found[2];
    bool present[2];
    uint8_t notes[2];
    char key[BINANCE_US_KEY_MAX];
    int64_t time;
    struct error error = {0};
    (void)binance_us_read_placed(text, length, &order, &fills, &error);
    (void)binance_us_read_order(text, length, &order, &error);
    (void)binance_us_read_orders(text, length, &orders, &error);
    (void)binance_us_read_trades(text, length, &fills, &error);
    (void)binance_us_read_replaced(text, length, &replaced, &fills, &error);
    (void)binance_us_read_account(text, length, &account, &error);
    (void)binance_us_read_fees(text, length, symbols, 2, fees, &error);
    (void)binance_us_read_tickers(text, length, symbols, 2, tickers, &error);
    (void)binance_us_read_event(text, length, &event, &error);
    (void)binance_us_read_stream_answer(text, length, &answered, &error);
    (void)binance_us_read_error(text, length, &venue_error);
    (void)binance_us_read_time(text, length, &time, &error);
    (void)binance_us_read_listen_key(text, length, key, &error);
    (void)binance_us_read_info(text, length, symbols, 2, found, present, notes, &info, &error);
    ASSERT(strchr(error.text, '\n') == NULL);
    binance_us_orders_free(&orders);
    binance_us_fills_free(&fills);
    binance_us_balances_free(&account.balances);
    binance_us_event_free(&event);
}

static unsigned digit(const char *text)
{
    return text[0] >= '0' && text[0] <= '9' ? (unsigned)(text[0] - '0') : 0;
}

static void take(const char *line, size_t length)
{
    static char text[TEXT_MAX];
    struct net_header header = {"x-mbx-used-weight-1m", text + 4};
    struct net_response lost = {.outcome = NET_UNKNOWN, .body = ""};
    unsigned channel;
    length = length < TEXT_MAX ? length : TEXT_MAX - 1;
    memcpy(text, line, length);
    text[length] = '\0';
    if (length == 0)
        return;
    switch (text[0]) {
    case 'm':
    case 'p':
        channel = text[0] == 'm' ? 0 : 2;
        if (world.open[channel])
            world.adapter->text(world.adapter, channel, text + 1, length - 1, world.now);
        break;
    case 'a':
        if (length >= 4)
            answer(strtol((char[]){text[1], text[2], text[3], 0}, NULL, 10), text + 4, NULL);
        break;
    case 'h':
        if (length >= 4)
            answer(strtol((char[]){text[1], text[2], text[3], 0}, NULL, 10), "{}", &header);
        break;
    case 'n':
        lost.outcome = NET_NOT_SENT;
        give(&lost);
        break;
    case 'u':
        give(&lost);
        break;
    case 'o':
        channel = digit(text + 1) % ADAPTER_CHANNELS;
        if (world.open[channel])
            world.adapter->opened(world.adapter, channel, world.now);
        break;
    case 'c':
        channel = digit(text + 1) % ADAPTER_CHANNELS;
        if (world.open[channel]) {
            world.open[channel] = false;
            world.adapter->closed(world.adapter, channel, 0, "gone", world.now);
        }
        break;
    case 't':
        pass((250 * NS_PER_MS) << digit(text + 1));
        break;
    case 'd':
        decide(digit(text + 1));
        break;
    default:
        read_everything(text + 1, length - 1);
        break;
    }
}

/* --- beginning and end ------------------------------------------------------------------------------------------ */

#define INSTRUMENT                                                                                 \
    "{\"symbol\":\"BTCUSD\",\"status\":\"TRADING\",\"baseAsset\":\"BTC\",\"baseAssetPrecision\":"  \
    "8,\"quoteAsset\":\"USD\",\"quotePrecision\":4,\"baseCommissionPrecision\":8,"                 \
    "\"quoteCommissionPrecision\":2,\"orderTypes\":[\"LIMIT_MAKER\"],\"filters\":[{"               \
    "\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"0.01\"},{\"filterType\":\"LOT_SIZE\","         \
    "\"minQty\":\"0.001\",\"stepSize\":\"0.001\"}]}"

static void begin(void)
{
    static const char *const symbols[] = {"BTCUSD"}, *const venues[] = {"binance_us"},
                             *const assets[] = {"BTC", "USD"};
    static const uint16_t number = 0;
    static struct event_definition definition;
    static const struct event_names names = {1, 2, 1, venues, assets, symbols, &definition};
    static const struct adapter_numbers numbers = {.names = &names, .instruments = &number};
    answer(200, "{\"serverTime\":1700000000000}", NULL);
    answer(200,
           "{\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\","
           "\"intervalNum\":1,\"limit\":1200},{\"rateLimitType\":\"ORDERS\",\"interval\":\"DAY\","
           "\"intervalNum\":1,\"limit\":100}],\"symbols\":[" INSTRUMENT "]}",
           NULL);
    answer(200, "{\"canTrade\":true,\"balances\":[]}", NULL);
    answer(200, "[{\"symbol\":\"BTCUSD\",\"makerCommission\":\"0\",\"takerCommission\":\"0.001\"}]",
           NULL);
    ASSERT(world.adapter->state == ADAPTER_READY);
    definition = world.adapter->found[0].definition;
    definition.base = 0;
    definition.quote = definition.settle = 1;
    world.adapter->begin(world.adapter, &numbers, world.now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const symbols[] = {"BTCUSD"};
    static const struct adapter_port port = {NULL,       port_request, port_open, port_send,
                                             port_close, port_emit,    port_log};
    const struct adapter_settings settings = {.name = "binance_us",
                                              .symbols = symbols,
                                              .symbol_count = 1,
                                              .credentials = &credentials,
                                              .session = "mm1",
                                              .request_timeout_ns = NS_PER_SECOND,
                                              .seed = 1};
    const char *at = (const char *)data, *end = at + size;
    world = (struct world){.now = INT64_C(1700000000000000000)};
    ASSERT(adapter_kind_by_name("binance_us")->open(&world.adapter, &settings, &port, NULL) == 0);
    world.adapter->start(world.adapter, world.now);
    begin();
    for (int lines = 0; at < end && lines < LINES_MAX; lines++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        take(at, (size_t)(stop - at));
        at = stop < end ? stop + 1 : end;
    }
    world.adapter->close(world.adapter);
    return 0;
}
