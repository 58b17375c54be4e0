/* Gives a captured session of Binance.US to the adapter, and prints what it tells.
 *
 * Usage: adapter_session SYMBOL… < FILE    FILE has JSON lines, each with `t`, `ts` in seconds and `data`
 *   http  the answer to a request whose address ends as `url` does, given when the adapter has asked for it
 *   recv  one text of the stream
 * Prints, for each message, `message TEXT`, after each message of a book `book SYMBOL SEQUENCE`, its levels
 * ("price*quantity", best first) of bids, `|`, and of asks; at the end `unread N` and `other N`, the texts that
 * could not be read and those of kinds that are not.
 * Exit: 0, or 2 with one line on standard error. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/book.h"
#include "venue/live/binance_us.h"

enum {
    SYMBOLS_MAX = 64,
    REQUESTS_MAX = 64,
    FAR_LEVELS = 4096,
    LEVELS_MAX = 20000,
    LINE_MAX_BYTES = 1 << 22
};

struct asked {
    uint64_t tag;
    char url[ADAPTER_URL_MAX];
    bool open;
};

static struct adapter *adapter;
static int64_t now;
static struct asked requests[REQUESTS_MAX];
static size_t request_count;
static struct event_names names;
static struct event_definition definitions[SYMBOLS_MAX];
static const char *venue_list[] = {"binance_us"}, *asset_list[3 * SYMBOLS_MAX];
static uint16_t number_list[SYMBOLS_MAX];
static struct book *books[SYMBOLS_MAX];

static _Noreturn void fail(const char *what, const char *text)
{
    fprintf(stderr, "adapter_session: %s: %s\n", what, text);
    exit(2);
}

/* --- the port ---------------------------------------------------------------------------------------------- */

static void port_request(void *context, const struct adapter_request *made)
{
    (void)context;
    struct asked *request = &requests[request_count++ % REQUESTS_MAX];
    request->tag = made->tag;
    request->open = true;
    snprintf(request->url, sizeof request->url, "%s", made->url);
}

static void port_open(void *context, unsigned channel, const struct adapter_channel *what)
{
    (void)context;
    (void)channel;
    (void)what;
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
    (void)channel;
}

static void print_side(const struct book *book, enum side side,
                       const struct event_definition *definition)
{
    static struct book_level levels[LEVELS_MAX];
    size_t count = book_levels(book, side, levels, LEVELS_MAX);
    for (size_t i = 0; i < count; i++) {
        char price[DECIMAL_TEXT_MAX], quantity[DECIMAL_TEXT_MAX];
        decimal_to_text(levels[i].price, definition->price_exponent, price);
        decimal_to_text(levels[i].quantity, definition->quantity_exponent, quantity);
        printf(" %s*%s", price, quantity);
    }
}

static void port_emit(void *context, const struct message *message)
{
    static char text[LINE_MAX_BYTES];
    unsigned instrument = EVENT_STREAM_INSTRUMENT(message->stream);
    (void)context;
    message_to_text(message, &names, text, sizeof text);
    printf("message %s\n", text);
    if (message->kind == EVENT_gap)
        book_clear(books[instrument]);
    if (message->kind != EVENT_depth && message->kind != EVENT_snapshot)
        return;
    if (!book_apply(books[instrument], message))
        fail("book", "too many levels");
    printf("book %s %llu", names.symbols[instrument],
           (unsigned long long)book_sequence(books[instrument]));
    print_side(books[instrument], SIDE_BUY, &definitions[instrument]);
    printf(" |");
    print_side(books[instrument], SIDE_SELL, &definitions[instrument]);
    printf("\n");
}

static void port_log(void *context, enum log_level level, const char *text)
{
    (void)context;
    (void)level;
    printf("log %s\n", text);
}

/* --- the session -------------------------------------------------------------------------------------------- */

/* Answer the open request whose path and query stand at the end of `url`; false where none was made. */
static bool answer(const char *url, const char *body)
{
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        const char *query = strstr(requests[i].url, "/api/");
        const char *asked = strstr(url, "/api/");
        if (!requests[i].open || !query || !asked || strcmp(query, asked) != 0)
            continue;
        struct net_response response = {
            .outcome = NET_ANSWERED, .status = 200, .body = body, .length = strlen(body)};
        requests[i].open = false;
        adapter->answered(adapter, requests[i].tag, &response, now);
        return true;
    }
    return false;
}

static uint16_t asset_number(const char *name)
{
    uint16_t at = 0;
    while (at < names.asset_count && strcmp(asset_list[at], name) != 0)
        at++;
    if (at == names.asset_count)
        asset_list[names.asset_count++] = name;
    return at;
}

static void begin(const char *const *symbols, size_t count)
{
    static struct adapter_numbers numbers;
    names = (struct event_names){.venue_count = 1,
                                 .instrument_count = (unsigned)count,
                                 .venues = venue_list,
                                 .assets = asset_list,
                                 .symbols = symbols,
                                 .definitions = definitions};
    for (size_t i = 0; i < count; i++) {
        const struct adapter_instrument *found = &adapter->found[i];
        size_t size = (book_size(FAR_LEVELS) + 63) / 64 * 64;
        number_list[i] = (uint16_t)i;
        definitions[i] = found->definition;
        definitions[i].instrument = (uint16_t)i;
        definitions[i].base = asset_number(found->base);
        definitions[i].quote = asset_number(found->quote);
        definitions[i].settle = asset_number(found->settle);
        books[i] = book_init(aligned_alloc(64, size), size, FAR_LEVELS);
    }
    numbers = (struct adapter_numbers){.names = &names, .instruments = number_list};
    adapter->begin(adapter, &numbers, now);
    adapter->opened(adapter, 0, now);
}

/* Time and instruments; then the stream is open. */
static void discover(const char *info, const char *const *symbols, size_t count)
{
    char time[64];
    snprintf(time, sizeof time, "{\"serverTime\":%lld}", (long long)(now / NS_PER_MS));
    adapter->start(adapter, now);
    if (!answer("/api/v3/time", time) || !answer("/api/v3/exchangeInfo", info) ||
        adapter->state != ADAPTER_READY)
        fail("discovery", adapter->failure);
    begin(symbols, count);
}

static void take_line(const char *line, const char *const *symbols, size_t count)
{
    cJSON *tree = cJSON_Parse(line);
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItem(tree, "t"));
    const char *data = cJSON_GetStringValue(cJSON_GetObjectItem(tree, "data"));
    const char *url = cJSON_GetStringValue(cJSON_GetObjectItem(tree, "url"));
    const cJSON *time = cJSON_GetObjectItem(tree, "ts");
    if (!kind)
        fail("line", "no t");
    if (cJSON_IsNumber(time)) {
        now = (int64_t)(time->valuedouble * 1e6) * NS_PER_US;
        if (adapter->deadline(adapter) <= now)
            adapter->tick(adapter, now);
    }
    if (strcmp(kind, "http") == 0 && data && url && strstr(url, "exchangeInfo"))
        discover(data, symbols, count);
    else if (strcmp(kind, "http") == 0 && data && url && !answer(url, data))
        fail("an answer that was not asked for", url);
    else if (strcmp(kind, "recv") == 0 && data)
        adapter->text(adapter, 0, data, strlen(data), now);
    cJSON_Delete(tree);
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    const char *const *symbols = (const char *const *)(argv + 1);
    size_t count = (size_t)argc - 1;
    const struct adapter_port port = {.request = port_request,
                                      .open = port_open,
                                      .send = port_send,
                                      .close = port_close,
                                      .emit = port_emit,
                                      .log = port_log};
    struct adapter_settings settings = {.name = "binance_us",
                                        .symbols = symbols,
                                        .symbol_count = count,
                                        .request_timeout_ns = NS_PER_SECOND,
                                        .seed = 1};
    struct error error = {0};
    if (count > SYMBOLS_MAX ||
        adapter_kind_by_name("binance_us")->open(&adapter, &settings, &port, &error) != 0)
        fail("settings", error.text);
    while (fgets(line, sizeof line, stdin))
        take_line(line, symbols, count);
    const struct binance_us *us = (const struct binance_us *)(const void *)adapter;
    printf("unread %llu\nother %llu\n", (unsigned long long)us->frames_unread,
           (unsigned long long)us->frames_other);
    adapter->close(adapter);
    for (size_t i = 0; i < count; i++)
        free(books[i]);
    return 0;
}
