/* See adapter_world.h. */
#include "adapter_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"

enum { REQUESTS_MAX = 4096, LINES_MAX = 400, TEXT_MAX = 1 << 16 };

/* What the adapter did. */
static struct world {
    const struct world_venue *venue;
    struct adapter *adapter;
    int64_t now;
    uint64_t tags[REQUESTS_MAX];
    size_t first, count; /* requests that are not answered */
    bool open[ADAPTER_CHANNELS], lines[ADAPTER_CHANNELS];
    unsigned orders_asked, orders_sent;
    order_id last_order;
} world;

/* --- the port ---------------------------------------------------------------------------------------------- */

static void port_request(void *context, const struct adapter_request *made)
{
    (void)context;
    world.orders_sent += world.venue->makes_order(made);
    ASSERT(world.orders_sent <= world.orders_asked);
    ASSERT(strstr(made->url, world.venue->secret) == NULL);
    ASSERT(made->length == 0 || strstr(made->body, world.venue->secret) == NULL);
    if (world.count < REQUESTS_MAX)
        world.tags[world.count++] = made->tag;
}

static void port_open(void *context, unsigned channel, const struct adapter_channel *what)
{
    (void)context;
    ASSERT(channel < ADAPTER_CHANNELS && !world.open[channel]);
    ASSERT(strlen(what->url) < ADAPTER_URL_MAX);
    world.open[channel] = true;
    world.lines[channel] = what->kind == ADAPTER_LINES;
}

static void port_send(void *context, unsigned channel, const char *text, size_t length)
{
    (void)context;
    ASSERT(world.open[channel] && !world.lines[channel] && strlen(text) >= length);
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
    ASSERT(strstr(text, world.venue->secret) == NULL);
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

void world_answer(long status, const char *body)
{
    answer(status, body, NULL);
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

static void fill_decision(union event_record *record, unsigned kind, unsigned which)
{
    const struct number price = world.venue->price, size = world.venue->size;
    order_id last = world.last_order ? world.last_order : 1;
    if (kind == EVENT_place)
        record->place = (struct event_place){.order = ++world.last_order,
                                             .side = which == 6,
                                             .price = price,
                                             .quantity = size,
                                             .time_in_force = which == 7 ? TIME_IN_FORCE_IOC : 0,
                                             .post_only = which == 0};
    else if (kind == EVENT_replace)
        record->replace = (struct event_replace){
            .order = ++world.last_order, .replaces = last, .price = price, .quantity = size};
    else if (kind == EVENT_modify)
        record->modify = (struct event_modify){.order = last, .price = price, .leaves = size};
    else if (kind == EVENT_cancel_orphan)
        record->cancel_orphan = (struct event_cancel_orphan){
            .order = which & 1 ? 9 : 0, .venue_order = {.length = 2, .bytes = "77"}};
    else if (kind != EVENT_request_snapshot)
        record->cancel.order = last;
}

static void decide(unsigned which)
{
    static const uint8_t kinds[] = {
        EVENT_place,         EVENT_cancel, EVENT_query, EVENT_replace, EVENT_request_snapshot,
        EVENT_cancel_orphan, EVENT_place,  EVENT_place, EVENT_cancel,  EVENT_modify};
    union event_record record = {0};
    const struct message message = {.kind = kinds[which], .record = &record};
    fill_decision(&record, message.kind, which);
    world.orders_asked += message.kind == EVENT_place || message.kind == EVENT_replace ||
                          (message.kind == EVENT_modify && world.venue->modifies);
    world.adapter->decision(world.adapter, &message, world.now);
}

static unsigned digit(const char *text)
{
    return text[0] >= '0' && text[0] <= '9' ? (unsigned)(text[0] - '0') : 0;
}

static void take_channel(const char *text, size_t length)
{
    unsigned channel = text[0] == 'm'   ? world.venue->market
                       : text[0] == 'p' ? world.venue->private
                                        : digit(text + 1) % ADAPTER_CHANNELS;
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

static void take_answer(const char *text)
{
    const struct net_header header = {world.venue->rate_header, text + 4};
    long status = strtol((char[]){text[1], text[2], text[3], 0}, NULL, 10);
    if (text[0] == 'a')
        answer(status, text + 4, NULL);
    else
        answer(status, "{}", &header);
}

static void take(const char *line, size_t length)
{
    static char text[TEXT_MAX];
    const struct net_response lost = {.outcome = line[0] == 'n' ? NET_NOT_SENT : NET_UNKNOWN,
                                      .body = ""};
    length = length < TEXT_MAX ? length : TEXT_MAX - 1;
    memcpy(text, line, length);
    text[length] = '\0';
    if (strchr("mpoc", text[0]) != NULL)
        take_channel(text, length);
    else if (strchr("ah", text[0]) != NULL && length >= 4)
        take_answer(text);
    else if (strchr("nu", text[0]) != NULL)
        give(&lost);
    else if (text[0] == 't')
        pass((250 * NS_PER_MS) << digit(text + 1));
    else if (text[0] == 'd')
        decide(digit(text + 1));
    else
        world.venue->read(text + 1, length - 1);
}

/* --- beginning and end ------------------------------------------------------------------------------------------ */

static void open_adapter(const struct world_venue *venue)
{
    static const struct adapter_port port = {NULL,       port_request, port_open, port_send,
                                             port_close, port_emit,    port_log};
    const struct adapter_settings settings = {.name = venue->name,
                                              .symbols = &venue->symbol,
                                              .symbol_count = 1,
                                              .credentials = venue->credentials,
                                              .session = "mm1",
                                              .request_timeout_ns = NS_PER_SECOND,
                                              .expiry_ns = venue->expiry_ns,
                                              .seed = 1};
    struct error error = {0};
    memset(&world, 0, sizeof world);
    world.venue = venue;
    world.now = INT64_C(1700000000000000000);
    ASSERT(adapter_kind_by_name(venue->name)->open(&world.adapter, &settings, &port, &error) == 0);
    world.adapter->start(world.adapter, world.now);
}

static void begin(void)
{
    static const char *venues[1], *symbols[1], *assets[2];
    static const uint16_t number = 0;
    static struct event_definition definition;
    static const struct event_names names = {1, 2, 1, venues, assets, symbols, &definition};
    static const struct adapter_numbers numbers = {.names = &names, .instruments = &number};
    venues[0] = world.venue->name;
    symbols[0] = world.venue->symbol;
    assets[0] = world.venue->base;
    assets[1] = world.venue->quote;
    ASSERT(world.adapter->state == ADAPTER_READY);
    definition = world.adapter->found[0].definition;
    definition.base = 0;
    definition.quote = definition.settle = 1;
    world.adapter->begin(world.adapter, &numbers, world.now);
}

int world_take(const struct world_venue *venue, const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    open_adapter(venue);
    venue->discover();
    begin();
    for (int lines = 0; at < end && lines < LINES_MAX; lines++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        if (stop > at)
            take(at, (size_t)(stop - at));
        at = stop < end ? stop + 1 : end;
    }
    world.adapter->close(world.adapter);
    return 0;
}
