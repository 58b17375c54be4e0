/* Gives a recorded session of Coinbase (JSON lines: http, connect, recv; shared/data) to the adapter, and prints what
 * it tells: "frame N", then a line a message, as canonical text without the local time. Lines of its log begin with
 * "log". For tests/end_to_end/coinbase_capture.py. Usage: coinbase_capture FILE PRODUCT... */
#include "config.h" /* getline */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "venue/live/adapter.h"
#include "venue/live/json.h"

enum { PRODUCTS_MAX = 16, TEXT_MAX = 16 * 1024 * 1024, ASSETS_MAX = 3 * PRODUCTS_MAX };

static struct {
    struct adapter *adapter;
    uint64_t tag;
    char url[ADAPTER_URL_MAX];
    struct event_names names;
    struct adapter_numbers numbers;
    struct event_definition definitions[PRODUCTS_MAX];
    uint16_t places[PRODUCTS_MAX];
    const char *symbols[PRODUCTS_MAX], *assets[ASSETS_MAX];
    char *text;
} tool;

static void port_request(void *context, const struct adapter_request *request)
{
    (void)context;
    tool.tag = request->tag;
    snprintf(tool.url, sizeof tool.url, "%s", request->url);
}

static void port_open(void *context, unsigned channel, const struct adapter_channel *what)
{
    (void)context;
    printf("open %u %s\n", channel, what->url);
}

static void port_send(void *context, unsigned channel, const char *text, size_t length)
{
    (void)context;
    (void)channel;
    (void)text;
    (void)length;
}

static void port_close(void *context, unsigned channel)
{
    (void)context;
    printf("close %u\n", channel);
}

static void port_emit(void *context, const struct message *message)
{
    (void)context;
    size_t length = message_to_text(message, &tool.names, tool.text, TEXT_MAX);
    ASSERT(length < TEXT_MAX);
    puts(strchr(tool.text, ' ') + 1);
}

static void port_log(void *context, enum log_level level, const char *text)
{
    (void)context;
    printf("log %d %s\n", (int)level, text);
}

static void answer(const char *body, int64_t now)
{
    const struct net_response response = {
        .outcome = NET_ANSWERED, .status = 200, .body = body, .length = strlen(body)};
    tool.adapter->answered(tool.adapter, tool.tag, &response, now);
}

static uint16_t asset_of(const char *name)
{
    unsigned at = 0;
    while (at < tool.names.asset_count && strcmp(tool.assets[at], name) != 0)
        at++;
    if (at == tool.names.asset_count)
        tool.assets[tool.names.asset_count++] = name;
    return (uint16_t)at;
}

/* The names of a tape, made of what was found. */
static void begin(int64_t now)
{
    static const char *const venues[] = {"coinbase"};
    tool.names = (struct event_names){.venue_count = 1,
                                      .venues = venues,
                                      .assets = tool.assets,
                                      .symbols = tool.symbols,
                                      .definitions = tool.definitions};
    for (size_t i = 0; i < tool.adapter->found_count; i++) {
        const struct adapter_instrument *found = &tool.adapter->found[i];
        tool.symbols[i] = found->symbol;
        tool.places[i] = (uint16_t)i;
        tool.definitions[i] = found->definition;
        tool.definitions[i].instrument = (uint16_t)i;
        tool.definitions[i].base = asset_of(found->base);
        tool.definitions[i].quote = asset_of(found->quote);
        tool.definitions[i].settle = asset_of(found->settle);
    }
    tool.names.instrument_count = (unsigned)tool.adapter->found_count;
    tool.numbers = (struct adapter_numbers){.names = &tool.names, .instruments = tool.places};
    tool.adapter->begin(tool.adapter, &tool.numbers, now);
    tool.adapter->opened(tool.adapter, 0, now);
}

/* The products are in the recording; the time is when they were asked for. */
static void discover(const char *products, int64_t now)
{
    char time[64];
    tool.adapter->start(tool.adapter, now);
    snprintf(time, sizeof time, "{\"epochMillis\":\"%lld\"}", (long long)(now / NS_PER_MS));
    answer(time, now);
    answer(products, now);
    if (tool.adapter->state != ADAPTER_READY) {
        fprintf(stderr, "coinbase_capture: %s\n", tool.adapter->failure);
        exit(1);
    }
    begin(now);
}

static void take_line(const char *line, size_t length)
{
    static unsigned long frames;
    size_t column;
    cJSON *tree = json_parse(line, length, &column);
    const char *kind = json_text_of(tree, "t"), *data = json_text_of(tree, "data");
    const cJSON *stamp = json_member(tree, "ts");
    int64_t now = stamp ? (int64_t)(stamp->valuedouble * 1e6) * NS_PER_US : 0;
    if (kind && data && strcmp(kind, "http") == 0)
        discover(data, now);
    if (kind && data && strcmp(kind, "recv") == 0) {
        printf("frame %lu\n", frames++);
        tool.adapter->text(tool.adapter, 0, data, strlen(data), now);
        tool.adapter->tick(tool.adapter, now);
    }
    cJSON_Delete(tree);
}

int main(int argc, char **argv)
{
    static const struct adapter_port port = {.request = port_request,
                                             .open = port_open,
                                             .send = port_send,
                                             .close = port_close,
                                             .emit = port_emit,
                                             .log = port_log};
    struct error error = {0};
    if (argc < 3 || argc > 2 + PRODUCTS_MAX)
        return 2;
    struct adapter_settings settings = {.name = "coinbase",
                                        .symbols = (const char *const *)argv + 2,
                                        .symbol_count = (size_t)argc - 2,
                                        .request_timeout_ns = NS_PER_SECOND};
    FILE *file = fopen(argv[1], "rb");
    tool.text = malloc(TEXT_MAX);
    if (!file || !tool.text ||
        adapter_kind_by_name("coinbase")->open(&tool.adapter, &settings, &port, &error) != 0) {
        fprintf(stderr, "coinbase_capture: %s %s\n", argv[1], error.text);
        return 2;
    }
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t length; (length = getline(&line, &capacity, file)) >= 0;)
        take_line(line, (size_t)length);
    printf("synchronised %s\n", tool.adapter->health.market_synchronised ? "yes" : "no");
    tool.adapter->close(tool.adapter);
    free(line);
    free(tool.text);
    fclose(file);
    return 0;
}
