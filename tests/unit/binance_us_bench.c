/* See binance_us_bench.h. */
#include "binance_us_bench.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench bench;

static struct credentials bench_credentials = {BENCH_KEY, BENCH_SECRET};
static const char *symbol_list[BENCH_SYMBOLS_MAX];
static size_t symbol_count;
static char symbol_text[2048];
static size_t expected; /* lines that bench_expect has gone over */
static const char *venues[] = {"binance_us"};
static const char *assets[3 * BENCH_SYMBOLS_MAX], *symbols[BENCH_SYMBOLS_MAX];
static uint16_t numbers[BENCH_SYMBOLS_MAX];

/* --- the port ---------------------------------------------------------------------------------------- */

static void copy(char *out, size_t capacity, const char *text, size_t length)
{
    cr_assert_lt(length, capacity);
    memcpy(out, text, length);
    out[length] = '\0';
}

static void port_request(void *context, const struct adapter_request *made)
{
    (void)context;
    cr_assert_lt(bench.request_count, BENCH_REQUESTS_MAX);
    struct bench_request *request = &bench.requests[bench.request_count++];
    *request = (struct bench_request){.tag = made->tag, .open = true, .made_ns = bench.now};
    copy(request->method, sizeof request->method, made->method, strlen(made->method));
    copy(request->url, sizeof request->url, made->url, strlen(made->url));
    request->has_body = made->body != NULL;
    if (made->body)
        copy(request->body, sizeof request->body, made->body, made->length);
    for (size_t i = 0; i < made->header_count; i++)
        if (strcmp(made->headers[i].name, "X-MBX-APIKEY") == 0)
            copy(request->key, sizeof request->key, made->headers[i].value,
                 strlen(made->headers[i].value));
    cr_expect_gt(made->timeout_ns, 0);
}

static void port_open(void *context, unsigned channel, const struct adapter_channel *what)
{
    (void)context;
    cr_assert_lt(channel, ADAPTER_CHANNELS);
    struct bench_channel *at = &bench.channels[channel];
    cr_expect_not(at->opened_by_it, "channel %u is opened twice", channel);
    at->opened_by_it = true;
    at->opens++;
    copy(at->url, sizeof at->url, what->url, strlen(what->url));
    cr_expect_eq(what->kind, ADAPTER_WEBSOCKET);
}

static void port_send(void *context, unsigned channel, const char *text, size_t length)
{
    (void)context;
    const struct bench_channel *at = &bench.channels[channel];
    cr_expect(at->opened_by_it);
    cr_expect(channel < 2 || strstr(at->url, "/ws-api/"),
              "something is sent on the private stream: %s", text);
    cr_assert_lt(bench.send_count, BENCH_SENDS_MAX);
    bench.send_ns[bench.send_count] = bench.now;
    copy(bench.sends[bench.send_count++], sizeof bench.sends[0], text, length);
}

static void port_close(void *context, unsigned channel)
{
    (void)context;
    bench.channels[channel].opened_by_it = false;
    bench.channels[channel].closes++;
}

static void expect_no_secret(const char *text)
{
    cr_expect_null(strstr(text, BENCH_KEY), "the key is told: %s", text);
    cr_expect_null(strstr(text, BENCH_SECRET), "the secret is told: %s", text);
    cr_expect_null(strstr(text, "signature="), "a signature is told: %s", text);
    cr_expect_null(strstr(text, "listen-key-"), "the listenKey is told: %s", text);
}

/* Take " word…" out of a line, up to the next blank. */
static void take_out(char *line, const char *word)
{
    char *at = strstr(line, word);
    if (!at)
        return;
    size_t length = 1 + strcspn(at + 1, " ");
    memmove(at, at + length, strlen(at + length) + 1);
}

/* Canonical text without the times and `more`, which are kept beside it. */
static void port_emit(void *context, const struct message *message)
{
    static char text[1 << 16];
    (void)context;
    cr_assert_lt(bench.told_count, BENCH_LINES_MAX);
    size_t length = message_to_text(message, &bench.names, text, sizeof text);
    cr_assert_lt(length, sizeof text);
    char *line = strchr(text, ' ') + 1;
    expect_no_secret(line);
    take_out(line, " venue_time=");
    take_out(line, " more");
    bench.told_venue_ns[bench.told_count] = message->ts_venue;
    bench.told_flags[bench.told_count] = message->flags;
    snprintf(bench.told[bench.told_count++], BENCH_LINE_MAX, "%s", line);
}

static void port_log(void *context, enum log_level level, const char *text)
{
    (void)context;
    (void)level;
    expect_no_secret(text);
    cr_assert_lt(bench.log_count, BENCH_LINES_MAX);
    snprintf(bench.logs[bench.log_count++], BENCH_LINE_MAX, "%s", text);
}

/* --- opening ----------------------------------------------------------------------------------------- */

void bench_open(const char *text, bool credentials)
{
    static const struct adapter_port port = {.request = port_request,
                                             .open = port_open,
                                             .send = port_send,
                                             .close = port_close,
                                             .emit = port_emit,
                                             .log = port_log};
    struct error error = {0};
    memset(&bench, 0, sizeof bench);
    bench.now = BENCH_START;
    expected = symbol_count = 0;
    snprintf(symbol_text, sizeof symbol_text, "%s", text);
    for (char *rest, *word = strtok_r(symbol_text, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest))
        symbol_list[symbol_count++] = word;
    struct adapter_settings settings = {.name = "binance_us",
                                        .rest_url = "https://rest.test",
                                        .stream_url = "wss://stream.test",
                                        .symbols = symbol_list,
                                        .symbol_count = symbol_count,
                                        .credentials = credentials ? &bench_credentials : NULL,
                                        .session = "mm1",
                                        .request_timeout_ns = 5 * NS_PER_SECOND,
                                        .seed = 7};
    const struct adapter_kind *kind = adapter_kind_by_name("binance_us");
    cr_assert_not_null(kind);
    cr_assert_eq(kind->open(&bench.adapter, &settings, &port, &error), 0, "%s", error.text);
}

void bench_close(void)
{
    if (bench.adapter)
        bench.adapter->close(bench.adapter);
    bench.adapter = NULL;
}

/* --- requests ---------------------------------------------------------------------------------------- */

/* "https://rest.test/api/v3/time?x=y" has the path "/api/v3/time". */
static bool has_path(const struct bench_request *request, const char *path)
{
    const char *at = request->url + strlen("https://rest.test");
    size_t length = strlen(path);
    return strncmp(request->url, "https://rest.test", 17) == 0 && strncmp(at, path, length) == 0 &&
           (at[length] == '\0' || at[length] == '?');
}

static bool is_such(const struct bench_request *request, const char *method, const char *path,
                    const char *part)
{
    return strcmp(request->method, method) == 0 && has_path(request, path) &&
           (!part || strstr(request->url, part) || strstr(request->body, part));
}

struct bench_request *bench_find(const char *method, const char *path, const char *part)
{
    for (size_t i = 0; i < bench.request_count; i++)
        if (bench.requests[i].open && is_such(&bench.requests[i], method, path, part))
            return &bench.requests[i];
    return NULL;
}

size_t bench_count_open(const char *method, const char *path)
{
    size_t count = 0;
    for (size_t i = 0; i < bench.request_count; i++)
        count += bench.requests[i].open && is_such(&bench.requests[i], method, path, NULL);
    return count;
}

size_t bench_count_made(const char *method, const char *path)
{
    size_t count = 0;
    for (size_t i = 0; i < bench.request_count; i++)
        count += is_such(&bench.requests[i], method, path, NULL);
    return count;
}

static void give(struct bench_request *request, const struct net_response *response)
{
    request->open = false;
    bench.adapter->answered(bench.adapter, request->tag, response, bench.now);
}

void bench_answer_with(const char *method, const char *path, long status, const char *body,
                       const char *headers)
{
    struct bench_request *request = bench_find(method, path, NULL);
    struct net_header list[8];
    char text[512] = "";
    size_t count = 0;
    cr_assert_not_null(request, "no %s %s", method, path);
    if (headers)
        snprintf(text, sizeof text, "%s", headers);
    for (char *rest, *one = strtok_r(text, "|", &rest); one; one = strtok_r(NULL, "|", &rest)) {
        char *colon = strstr(one, ": ");
        *colon = '\0';
        list[count++] = (struct net_header){one, colon + 2};
    }
    struct net_response response = {.outcome = NET_ANSWERED,
                                    .status = status,
                                    .body = body,
                                    .length = strlen(body),
                                    .headers = list,
                                    .header_count = count};
    give(request, &response);
}

void bench_answer(const char *method, const char *path, long status, const char *body)
{
    bench_answer_with(method, path, status, body, NULL);
}

void bench_fail(const char *method, const char *path, enum net_outcome outcome)
{
    struct bench_request *request = bench_find(method, path, NULL);
    cr_assert_not_null(request, "no %s %s", method, path);
    struct net_response response = {.outcome = outcome, .body = "", .failure = "no network"};
    give(request, &response);
}

const char *bench_parameter(const struct bench_request *request, const char *name)
{
    static char value[512];
    char wanted[64];
    value[0] = '\0';
    snprintf(wanted, sizeof wanted, "%s=", name);
    const char *query = strchr(request->url, '?');
    const char *texts[] = {query ? query + 1 : "", request->body};
    for (size_t i = 0; i < 2; i++) {
        for (const char *at = texts[i]; at && *at;
             at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
            if (strncmp(at, wanted, strlen(wanted)) != 0)
                continue;
            at += strlen(wanted);
            copy(value, sizeof value, at, strcspn(at, "&"));
            return value;
        }
    }
    return value;
}

/* --- channels and time ------------------------------------------------------------------------------- */

void bench_opened(unsigned channel)
{
    cr_assert(bench.channels[channel].opened_by_it, "channel %u is not being opened", channel);
    bench.adapter->opened(bench.adapter, channel, bench.now);
}

void bench_text(unsigned channel, const char *text)
{
    bench.adapter->text(bench.adapter, channel, text, strlen(text), bench.now);
}

void bench_closed(unsigned channel)
{
    bench.channels[channel].opened_by_it = false;
    bench.adapter->closed(bench.adapter, channel, 0, "the connection was lost", bench.now);
}

void bench_ping(unsigned channel)
{
    bench.adapter->ping(bench.adapter, channel, bench.now);
}

void bench_pass(int64_t duration_ns)
{
    int64_t end = bench.now + duration_ns;
    for (;;) {
        int64_t deadline = bench.adapter->deadline(bench.adapter);
        if (deadline > end)
            break;
        if (deadline > bench.now)
            bench.now = deadline;
        bench.adapter->tick(bench.adapter, bench.now);
        int64_t after = bench.adapter->deadline(bench.adapter);
        cr_assert_gt(after, bench.now, "a tick that is wanted again at once");
    }
    bench.now = end;
}

/* --- decisions --------------------------------------------------------------------------------------- */

void bench_decide(const char *text)
{
    struct row rows[4];
    union event_record record;
    struct message message;
    struct error error = {0};
    char line[BENCH_LINE_MAX];
    snprintf(line, sizeof line, "%lld %s", (long long)bench.now, text);
    cr_assert_eq(
        message_from_text(line, strlen(line), &bench.names, rows, 4, &record, &message, &error), 0,
        "%s: %s", text, error.text);
    bench.adapter->decision(bench.adapter, &message, bench.now);
}

#define WHY "level=0 cause=1 fair=0 skew=0 distance=0 gates=0x0"

void bench_place(unsigned number, const char *side, const char *price, const char *quantity,
                 const char *time_in_force, bool post_only)
{
    char text[BENCH_LINE_MAX];
    snprintf(text, sizeof text,
             "place binance_us:%s order=#%u side=%s price=%s quantity=%s time_in_force=%s "
             "post_only=%s " WHY,
             symbol_list[0], number, side, price, quantity, time_in_force,
             post_only ? "yes" : "no");
    bench_decide(text);
}

void bench_cancel(unsigned number)
{
    char text[BENCH_LINE_MAX];
    snprintf(text, sizeof text, "cancel binance_us:%s order=#%u why=unwanted cause=1",
             symbol_list[0], number);
    bench_decide(text);
}

void bench_query(unsigned number)
{
    char text[BENCH_LINE_MAX];
    snprintf(text, sizeof text, "query binance_us:%s order=#%u cause=1", symbol_list[0], number);
    bench_decide(text);
}

void bench_replace(unsigned number, unsigned replaces, const char *price, const char *quantity)
{
    char text[BENCH_LINE_MAX];
    snprintf(text, sizeof text,
             "replace binance_us:%s order=#%u replaces=#%u side=buy price=%s quantity=%s "
             "time_in_force=gtc post_only=yes " WHY,
             symbol_list[0], number, replaces, price, quantity);
    bench_decide(text);
}

/* --- what was told ----------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

size_t bench_expect(const char *line)
{
    cr_assert_lt(expected, bench.told_count, "expected %s, nothing more was told", line);
    cr_expect(begins(bench.told[expected], line), "expected %s\n     got %s", line,
              bench.told[expected]);
    return expected++;
}

void bench_expect_nothing(void)
{
    cr_expect_eq(expected, bench.told_count, "not expected: %s", bench.told[expected]);
    expected = bench.told_count;
}

bool bench_was_told(const char *line)
{
    for (size_t i = 0; i < bench.told_count; i++)
        if (begins(bench.told[i], line))
            return true;
    return false;
}

bool bench_was_logged(const char *part)
{
    for (size_t i = 0; i < bench.log_count; i++)
        if (strstr(bench.logs[i], part))
            return true;
    return false;
}

void bench_forget(void)
{
    bench.told_count = bench.log_count = expected = bench.send_count = 0;
}

/* --- answers ----------------------------------------------------------------------------------------- */

/* One symbol at the end of `out`. */
static size_t add_symbol(char *out, size_t capacity, size_t length, const char *name,
                         const char *base, const char *quote)
{
    return length +
           (size_t)snprintf(
               out + length, capacity - length,
               "%s{\"symbol\":\"%s\",\"status\":\"TRADING\",\"baseAsset\":\"%s\","
               "\"baseAssetPrecision\":8,\"quoteAsset\":\"%s\",\"quotePrecision\":4,"
               "\"baseCommissionPrecision\":8,\"quoteCommissionPrecision\":2,\"orderTypes\":["
               "\"LIMIT\",\"LIMIT_MAKER\"],\"filters\":[{\"filterType\":\"PRICE_FILTER\","
               "\"tickSize\":\"0.01\"},{\"filterType\":\"LOT_SIZE\",\"minQty\":\"0.001\","
               "\"stepSize\":\"0.001\"},{\"filterType\":\"MIN_NOTIONAL\",\"minNotional\":"
               "\"10\"}]}",
               out[length - 1] == '[' ? "" : ",", name, base, quote);
}

const char *bench_info(void)
{
    static char text[1 << 16];
    size_t length = (size_t)snprintf(
        text, sizeof text,
        "{\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\","
        "\"intervalNum\":1,\"limit\":1200},{\"rateLimitType\":\"ORDERS\",\"interval\":\"SECOND\","
        "\"intervalNum\":10,\"limit\":100},{\"rateLimitType\":\"ORDERS\",\"interval\":\"DAY\","
        "\"intervalNum\":1,\"limit\":200000}],\"symbols\":[");
    length = add_symbol(text, sizeof text, length, "BTCUSD", "BTC", "USD");
    length = add_symbol(text, sizeof text, length, "ETHUSD", "ETH", "USD");
    length = add_symbol(text, sizeof text, length, "ETHBTC", "ETH", "BTC");
    for (size_t i = 0; i < symbol_count; i++)
        if (symbol_list[i][0] == 'T')
            length = add_symbol(text, sizeof text, length, symbol_list[i], symbol_list[i], "USD");
    snprintf(text + length, sizeof text - length, "]}");
    return text;
}

void bench_discover(void)
{
    char time[64];
    bench.adapter->start(bench.adapter, bench.now);
    bench.now += 2 * NS_PER_MS;
    snprintf(time, sizeof time, "{\"serverTime\":%lld}",
             (long long)(bench.now / NS_PER_MS + BENCH_AHEAD_MS));
    bench_answer("GET", "/api/v3/time", 200, time);
    bench_answer("GET", "/api/v3/exchangeInfo", 200, bench_info());
    if (bench_find("GET", "/api/v3/account", NULL)) {
        bench_answer("GET", "/api/v3/account", 200,
                     "{\"canTrade\":true,\"commissionRates\":{\"maker\":\"0.002\",\"taker\":"
                     "\"0.003\"},\"balances\":[]}");
        bench_answer("GET", "/sapi/v1/asset/query/trading-fee", 200,
                     "[{\"symbol\":\"BTCUSD\",\"makerCommission\":\"0.001\",\"takerCommission\":"
                     "\"0.0015\"}]");
    }
    cr_assert_eq(bench.adapter->state, ADAPTER_READY, "%s", bench.adapter->failure);
}

static uint16_t asset_number(const char *name)
{
    uint16_t at = 0;
    while (at < bench.names.asset_count && strcmp(assets[at], name) != 0)
        at++;
    if (at == bench.names.asset_count)
        assets[bench.names.asset_count++] = name;
    return at;
}

void bench_begin(void)
{
    bench.names = (struct event_names){.venue_count = 1,
                                       .instrument_count = (unsigned)symbol_count,
                                       .venues = venues,
                                       .assets = assets,
                                       .symbols = symbols,
                                       .definitions = bench.definitions};
    for (size_t i = 0; i < symbol_count; i++) {
        const struct adapter_instrument *found = &bench.adapter->found[i];
        symbols[i] = found->symbol;
        numbers[i] = (uint16_t)i;
        if (bench.definitions[i].tick == 0)
            bench.definitions[i] = found->definition;
        bench.definitions[i].instrument = (uint16_t)i;
        bench.definitions[i].base = asset_number(found->base);
        bench.definitions[i].quote = asset_number(found->quote);
        bench.definitions[i].settle = asset_number(found->settle);
    }
    bench.numbers =
        (struct adapter_numbers){.venue = 0, .names = &bench.names, .instruments = numbers};
    if (bench.has_positions)
        bench.numbers.positions = bench.positions;
    bench.numbers.fills_since = bench.fills_since;
    bench.numbers.trades = &bench.trade;
    bench.numbers.trade_count = bench.has_trade;
    bench.adapter->begin(bench.adapter, &bench.numbers, bench.now);
}

void bench_depth(unsigned channel, const char *symbol, unsigned first, unsigned last,
                 const char *bids, const char *asks)
{
    char text[1024];
    snprintf(
        text, sizeof text,
        "{\"stream\":\"x@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":%lld,\"s\":\"%s\","
        "\"U\":%u,\"u\":%u,\"b\":[%s],\"a\":[%s]}}",
        (long long)(bench.now / NS_PER_MS + BENCH_AHEAD_MS), symbol, first, last, bids, asks);
    bench_text(channel, text);
}

void bench_run(const char *text, bool credentials)
{
    bench_open(text, credentials);
    bench_discover();
    bench_begin();
    bench_opened(0);
    for (size_t i = 0; i < symbol_count; i++)
        bench_answer("GET", "/api/v3/depth", 200,
                     "{\"lastUpdateId\":1000,\"bids\":[[\"100.00\",\"1.5\"],[\"99.99\",\"2\"]],"
                     "\"asks\":[[\"100.01\",\"3\"]]}");
    if (credentials) {
        bench_answer("POST", "/api/v3/userDataStream", 200, "{\"listenKey\":\"listen-key-1\"}");
        bench_opened(2);
        bench_answer(
            "GET", "/api/v3/account", 200,
            "{\"canTrade\":true,\"updateTime\":1699999999000,\"balances\":[{\"asset\":"
            "\"BTC\",\"free\":\"2\",\"locked\":\"1\"},{\"asset\":\"USD\",\"free\":\"5000\","
            "\"locked\":\"0\"}]}");
        while (bench_find("GET", "/api/v3/openOrders", NULL))
            bench_answer("GET", "/api/v3/openOrders", 200, "[]");
    }
    while (bench_find("GET", "/api/v3/time", NULL)) {
        char time[64];
        snprintf(time, sizeof time, "{\"serverTime\":%lld}",
                 (long long)(bench.now / NS_PER_MS + BENCH_AHEAD_MS));
        bench_answer("GET", "/api/v3/time", 200, time);
    }
    cr_assert_eq(bench.adapter->state, ADAPTER_RUNNING);
    cr_assert(bench.adapter->health.market_synchronised);
    bench_forget();
}
