/* Fuzz target (libFuzzer, --enable-fuzz): any bytes as what OANDA sends to its adapter, and as what each of its readers is
 * given. Each line begins with a letter:
 *
 *   m, p  a line of the stream of prices, of transactions   a  answer to the oldest request: three digits, body
 *   u, n  the oldest request is unknown, or not sent        t  time passes: 2^digit quarters of a second
 *   o, c  a channel (digit) opens, or closes                d  a decision (digit)
 *   r     the text goes to every reader
 *
 * Whatever comes: what is told can be written down and read again, an order is sent once, nothing secret is told, and
 * no memory is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "venue/live/adapter.h"
#include "venue/live/oanda_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REQUESTS_MAX = 4096, LINES_MAX = 400, TEXT_MAX = 1 << 16 };

static const char secret[] = "SECRETSECRET";
static struct credentials credentials = {"101-001", "SECRETSECRET"};

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

/* A PUT with a body makes an order: a cancel has none. */
static void port_request(void *context, const struct adapter_request *made)
{
    (void)context;
    world.orders_sent += made->length > 0;
    ASSERT(world.orders_sent <= world.orders_asked);
    ASSERT(strstr(made->url, secret) == NULL);
    if (world.count < REQUESTS_MAX)
        world.tags[world.count++] = made->tag;
}

static void port_open(void *context, unsigned channel, const struct adapter_channel *what)
{
    (void)context;
    ASSERT(channel < ADAPTER_CHANNELS && !world.open[channel]);
    ASSERT(strlen(what->url) < ADAPTER_URL_MAX && what->kind == ADAPTER_LINES);
    world.open[channel] = true;
}

static void port_send(void *context, unsigned channel, const char *text, size_t length)
{
    (void)context;
    (void)channel;
    (void)text;
    (void)length;
    ASSERT(false); /* nothing is said on a stream of lines */
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
    static uint8_t bytes[1 << 16];
    static struct row rows[2048];
    union event_record record;
    struct message read;
    size_t used;
    (void)context;
    size_t length = message_encode(message, bytes, sizeof bytes);
    ASSERT(message_decode(bytes, length, rows, 2048, &record, &read, &used, NULL) == 0);
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

static void answer(long status, const char *body)
{
    struct net_response response = {
        .outcome = NET_ANSWERED, .status = status, .body = body, .length = strlen(body)};
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
    static const struct number price = {109990, NUMBER_VALUE}, size = {100, NUMBER_VALUE};
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
    } else if (message.kind == EVENT_modify) {
        record.modify =
            (struct event_modify){.order = last ? last : 1, .price = price, .leaves = size};
    } else if (message.kind == EVENT_cancel_orphan) {
        record.cancel_orphan = (struct event_cancel_orphan){
            .order = which & 1 ? 9 : 0, .venue_order = {.length = 2, .bytes = "77"}};
    } else if (message.kind != EVENT_request_snapshot) {
        record.cancel.order = last ? last : 1;
    }
    world.orders_asked += message.kind == EVENT_place || message.kind == EVENT_replace ||
                          message.kind == EVENT_modify;
    world.adapter->decision(world.adapter, &message, world.now);
}

static void read_everything(const char *text, size_t length)
{
    static const char *const symbols[] = {"EUR_USD", "DE30_EUR"};
    static struct v20_line line;
    struct v20_account account = {0};
    struct v20_orders orders = {0};
    struct v20_positions positions = {0};
    struct v20_transactions transactions = {0};
    struct v20_order order;
    struct v20_error venue_error;
    struct adapter_instrument found[2];
    bool present[2];
    uint64_t last;
    struct error error = {0};
    (void)v20_read_line(text, length, &line, &error);
    (void)v20_read_account(text, length, &account, &error);
    (void)v20_read_orders(text, length, &orders, &error);
    (void)v20_read_order(text, length, &order, &last, &error);
    (void)v20_read_positions(text, length, &positions, &error);
    (void)v20_read_transactions(text, length, &transactions, &error);
    (void)v20_read_made(text, length, &transactions, &error);
    (void)v20_read_instruments(text, length, symbols, 2, found, present, &error);
    (void)v20_read_error(text, length, &venue_error);
    ASSERT(strchr(error.text, '\n') == NULL);
    v20_account_free(&account);
    v20_orders_free(&orders);
    v20_positions_free(&positions);
    v20_transactions_free(&transactions);
}

static unsigned digit(const char *text)
{
    return text[0] >= '0' && text[0] <= '9' ? (unsigned)(text[0] - '0') : 0;
}

static void take_channel(const char *text, size_t length)
{
    unsigned channel = text[0] == 'm' ? 0 : text[0] == 'p' ? 1 : digit(text + 1) % ADAPTER_CHANNELS;
    if (!world.open[channel])
        return;
    if (text[0] == 'o') {
        world.adapter->opened(world.adapter, channel, world.now);
    } else if (text[0] == 'c') {
        world.open[channel] = false;
        world.adapter->closed(world.adapter, channel, length > 2 ? 503 : 0, "gone", world.now);
    } else {
        world.adapter->text(world.adapter, channel, text + 1, length - 1, world.now);
    }
}

static void take(const char *line, size_t length)
{
    static char text[TEXT_MAX];
    struct net_response lost = {.outcome = NET_UNKNOWN, .body = ""};
    length = length < TEXT_MAX ? length : TEXT_MAX - 1;
    memcpy(text, line, length);
    text[length] = '\0';
    if (length == 0)
        return;
    if (strchr("mpoc", text[0]) != NULL) {
        take_channel(text, length);
    } else if (text[0] == 'a' && length >= 4) {
        answer(strtol((char[]){text[1], text[2], text[3], 0}, NULL, 10), text + 4);
    } else if (text[0] == 'n' || text[0] == 'u') {
        lost.outcome = text[0] == 'n' ? NET_NOT_SENT : NET_UNKNOWN;
        give(&lost);
    } else if (text[0] == 't') {
        pass((250 * NS_PER_MS) << digit(text + 1));
    } else if (text[0] == 'd') {
        decide(digit(text + 1));
    } else {
        read_everything(text + 1, length - 1);
    }
}

/* --- beginning and end ------------------------------------------------------------------------------------------ */

static void begin(void)
{
    static const char *const symbols[] = {"EUR_USD"}, *const venues[] = {"oanda"},
                             *const assets[] = {"EUR", "USD"};
    static const uint16_t number = 0;
    static struct event_definition definition;
    static const struct event_names names = {1, 2, 1, venues, assets, symbols, &definition};
    static const struct adapter_numbers numbers = {.names = &names, .instruments = &number};
    answer(200, "{\"account\":{\"currency\":\"USD\",\"balance\":\"1\",\"marginAvailable\":\"1\","
                "\"hedgingEnabled\":false,\"lastTransactionID\":\"100\",\"positions\":[],"
                "\"orders\":[]}}");
    answer(200, "{\"instruments\":[{\"name\":\"EUR_USD\",\"displayPrecision\":5,"
                "\"tradeUnitsPrecision\":0,\"minimumTradeSize\":\"1\"}]}");
    ASSERT(world.adapter->state == ADAPTER_READY);
    definition = world.adapter->found[0].definition;
    definition.base = 0;
    definition.quote = definition.settle = 1;
    world.adapter->begin(world.adapter, &numbers, world.now);
}

static void open_adapter(void)
{
    static const char *const symbols[] = {"EUR_USD"};
    static const struct adapter_port port = {NULL,       port_request, port_open, port_send,
                                             port_close, port_emit,    port_log};
    static const struct adapter_settings settings = {.name = "oanda",
                                                     .symbols = symbols,
                                                     .symbol_count = 1,
                                                     .credentials = &credentials,
                                                     .session = "mm1",
                                                     .request_timeout_ns = NS_PER_SECOND,
                                                     .expiry_ns = 30 * NS_PER_SECOND};
    const struct adapter_kind *kind = adapter_kind_by_name("oanda");
    memset(&world, 0, sizeof world);
    world.now = INT64_C(1700000000000000000);
    ASSERT(kind->open(&world.adapter, &settings, &port, NULL) == 0);
    world.adapter->start(world.adapter, world.now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    open_adapter();
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
