/* See oanda_bench.h. */
#include "oanda_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oanda_bench bench;

static struct credentials credentials = {"101-001-1", OANDA_TOKEN};
static const char *const symbols[] = {"EUR_USD", "BTC_USD"};
static const char *const venues[] = {"oanda"};
static const char *const assets[] = {"EUR", "USD", "BTC"};
static const uint16_t numbers[] = {0, 1};

/* --- the port ---------------------------------------------------------------------------------------- */

static void copy(char *out, size_t capacity, const char *text)
{
    cr_assert_lt(strlen(text), capacity);
    memcpy(out, text, strlen(text) + 1);
}

static void port_request(void *context, const struct adapter_request *made)
{
    static const char base[] = "https://rest.test/v3/accounts/101-001-1";
    (void)context;
    cr_assert_lt(bench.request_count, OANDA_REQUESTS_MAX);
    cr_assert_eq(strncmp(made->url, base, sizeof base - 1), 0, "%s", made->url);
    struct oanda_request *request = &bench.requests[bench.request_count++];
    *request = (struct oanda_request){.tag = made->tag, .open = true};
    snprintf(request->line, sizeof request->line, "%s %s", made->method,
             made->url + sizeof base - 1);
    if (made->body)
        copy(request->body, sizeof request->body, made->body);
    for (size_t i = 0; i < made->header_count; i++) {
        size_t length = strlen(request->headers);
        snprintf(request->headers + length, sizeof request->headers - length, "%s: %s\n",
                 made->headers[i].name, made->headers[i].value);
    }
    cr_expect_gt(made->timeout_ns, 0);
}

static void port_open(void *context, unsigned channel, const struct adapter_channel *what)
{
    (void)context;
    cr_assert_lt(channel, ADAPTER_CHANNELS);
    cr_expect_not(bench.open[channel], "channel %u is opened twice", channel);
    cr_expect_eq(what->kind, ADAPTER_LINES);
    cr_expect_eq(what->timeout_ns, 12 * NS_PER_SECOND);
    cr_expect_str_eq(what->headers[0].value, "Bearer " OANDA_TOKEN);
    copy(bench.urls[channel], sizeof bench.urls[channel], what->url);
    bench.open[channel] = true;
    bench.opens[channel]++;
}

static void port_send(void *context, unsigned channel, const char *text, size_t length)
{
    (void)context;
    (void)length;
    cr_expect_fail("something is sent on channel %u: %s", channel, text);
}

static void port_close(void *context, unsigned channel)
{
    (void)context;
    bench.open[channel] = false;
}

/* Take " word…" out of a line, up to the next blank, wherever it stands. */
static void take_out(char *line, const char *word)
{
    for (char *at; (at = strstr(line, word)) != NULL;) {
        size_t length = 1 + strcspn(at + 1, " ");
        memmove(at, at + length, strlen(at + length) + 1);
    }
}

static void port_emit(void *context, const struct message *message)
{
    static char text[1 << 14];
    (void)context;
    cr_assert_lt(bench.told_count, OANDA_LINES_MAX);
    cr_assert_lt(message_to_text(message, &bench.names, text, sizeof text), sizeof text);
    char *line = strchr(text, ' ') + 1;
    cr_expect_null(strstr(line, OANDA_TOKEN));
    take_out(line, " venue_time=");
    take_out(line, " more");
    take_out(line, " held");
    snprintf(bench.told[bench.told_count++], OANDA_LINE_MAX, "%s", line);
}

static void port_log(void *context, enum log_level level, const char *text)
{
    (void)context;
    (void)level;
    cr_expect_null(strstr(text, OANDA_TOKEN), "the token is told: %s", text);
    cr_assert_lt(bench.log_count, OANDA_LINES_MAX);
    snprintf(bench.logs[bench.log_count++], OANDA_LINE_MAX, "%s", text);
}

/* --- opening ----------------------------------------------------------------------------------------- */

static const struct oanda_choice plain;
static const char *home;

void oanda_open(const struct oanda_choice *choice)
{
    static const struct adapter_port port = {.request = port_request,
                                             .open = port_open,
                                             .send = port_send,
                                             .close = port_close,
                                             .emit = port_emit,
                                             .log = port_log};
    struct error error = {0};
    if (!choice)
        choice = &plain;
    memset(&bench, 0, sizeof bench);
    bench.now = OANDA_START;
    home = choice->home ? choice->home : "USD";
    struct adapter_settings settings = {.name = "oanda",
                                        .rest_url = "https://rest.test",
                                        .stream_url = "https://stream.test",
                                        .symbols = symbols,
                                        .symbol_count = 2,
                                        .credentials = &credentials,
                                        .market_only = choice->market_only,
                                        .session = "mm1",
                                        .request_timeout_ns = 5 * NS_PER_SECOND,
                                        .expiry_ns = choice->expiry_ns,
                                        .seed = 7};
    const struct adapter_kind *kind = adapter_kind_by_name("oanda");
    cr_assert_not_null(kind);
    cr_assert_eq(kind->open(&bench.adapter, &settings, &port, &error), 0, "%s", error.text);
}

void oanda_close(void)
{
    bench.adapter->close(bench.adapter);
}

void oanda_answer_account(unsigned last, const char *units, const char *orders)
{
    char body[4096];
    bool sold = units[0] == '-';
    snprintf(body, sizeof body,
             "{\"account\":{\"currency\":\"%s\",\"balance\":\"100000.0000\",\"marginAvailable\":"
             "\"99000.0000\",\"hedgingEnabled\":false,\"lastTransactionID\":\"%u\",\"positions\":["
             "{\"instrument\":\"EUR_USD\",\"long\":{\"units\":\"%s\"},\"short\":{\"units\":\"%s\"}}"
             "],\"orders\":[%s]},\"lastTransactionID\":\"%u\"}",
             home, last, sold ? "0" : units, sold ? units : "0", orders, last);
    oanda_answer("GET ", 200, body);
}

void oanda_discover(unsigned last, const char *orders)
{
    bench.adapter->start(bench.adapter, bench.now);
    oanda_answer_account(last, "0", orders);
    oanda_answer("GET /instruments", 200,
                 "{\"instruments\":[{\"name\":\"EUR_USD\",\"type\":\"CURRENCY\","
                 "\"pipLocation\":-4,\"displayPrecision\":5,\"tradeUnitsPrecision\":0,"
                 "\"minimumTradeSize\":\"1\"},{\"name\":\"BTC_USD\",\"type\":\"CFD\","
                 "\"pipLocation\":0,\"displayPrecision\":1,\"tradeUnitsPrecision\":2,"
                 "\"minimumTradeSize\":\"0.01\"}]}");
    cr_assert_eq(bench.adapter->state, ADAPTER_READY, "%s", bench.adapter->failure);
}

void oanda_begin(void)
{
    bench.names = (struct event_names){.venue_count = 1,
                                       .asset_count = 3,
                                       .instrument_count = 2,
                                       .venues = venues,
                                       .assets = assets,
                                       .symbols = symbols,
                                       .definitions = bench.definitions};
    for (uint16_t i = 0; i < 2; i++) {
        bench.definitions[i] = bench.adapter->found[i].definition;
        bench.definitions[i].instrument = i;
        bench.definitions[i].base = i == 0 ? 0 : 2;
        bench.definitions[i].quote = bench.definitions[i].settle = 1;
    }
    bench.numbers =
        (struct adapter_numbers){.venue = 0, .names = &bench.names, .instruments = numbers};
    bench.numbers.fills_since = bench.fills_since;
    bench.numbers.trades = &bench.trade;
    bench.numbers.trade_count = bench.has_trade;
    bench.adapter->begin(bench.adapter, &bench.numbers, bench.now);
}

void oanda_run(const struct oanda_choice *choice)
{
    oanda_open(choice);
    oanda_discover(100, "");
    oanda_begin();
    oanda_opened(0);
    oanda_price("1.10000", "1.10010");
    oanda_text(0, "{\"type\":\"PRICE\",\"instrument\":\"BTC_USD\",\"time\":\"1700000000.5\","
                  "\"tradeable\":true,\"bids\":[{\"price\":\"60000.0\",\"liquidity\":10}],"
                  "\"asks\":[{\"price\":\"60001.0\",\"liquidity\":10}]}");
    oanda_pass(NS_PER_SECOND);
    oanda_heartbeat(0, 0);
    if (!choice || !choice->market_only) {
        oanda_opened(1);
        oanda_answer("GET /transactions/sinceid?id=100", 200,
                     "{\"transactions\":[],\"lastTransactionID\":\"100\"}");
        oanda_answer_account(100, "0", "");
    }
    cr_assert(bench.adapter->health.market_synchronised);
    cr_assert(bench.adapter->health.private_up);
    oanda_forget();
}

/* --- requests ---------------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* "GET " alone is the account: nothing stands behind its path. */
static bool is_such(const struct oanda_request *request, const char *line)
{
    return request->open && (strcmp(line, "GET ") == 0 ? strcmp(request->line, line) == 0
                                                       : begins(request->line, line));
}

struct oanda_request *oanda_find(const char *line)
{
    for (size_t i = 0; i < bench.request_count; i++)
        if (is_such(&bench.requests[i], line))
            return &bench.requests[i];
    return NULL;
}

size_t oanda_count(const char *line)
{
    size_t count = 0;
    for (size_t i = 0; i < bench.request_count; i++)
        count += is_such(&bench.requests[i], line);
    return count;
}

static void give(const char *line, const struct net_response *response)
{
    struct oanda_request *request = oanda_find(line);
    cr_assert_not_null(request, "no %s", line);
    request->open = false;
    bench.adapter->answered(bench.adapter, request->tag, response, bench.now);
}

void oanda_answer(const char *line, long status, const char *body)
{
    struct net_response response = {
        .outcome = NET_ANSWERED, .status = status, .body = body, .length = strlen(body)};
    give(line, &response);
}

void oanda_fail(const char *line, enum net_outcome outcome)
{
    struct net_response response = {.outcome = outcome, .body = "", .failure = "no network"};
    give(line, &response);
}

/* --- streams and time -------------------------------------------------------------------------------- */

void oanda_opened(unsigned channel)
{
    cr_assert(bench.open[channel], "channel %u is not being opened", channel);
    bench.adapter->opened(bench.adapter, channel, bench.now);
}

void oanda_text(unsigned channel, const char *text)
{
    bench.adapter->text(bench.adapter, channel, text, strlen(text), bench.now);
}

void oanda_closed(unsigned channel, long status)
{
    bench.open[channel] = false;
    bench.adapter->closed(bench.adapter, channel, status, "the connection was lost", bench.now);
}

void oanda_price(const char *bid, const char *ask)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"type\":\"PRICE\",\"instrument\":\"EUR_USD\",\"time\":\"1700000000.5\","
             "\"status\":\"tradeable\",\"tradeable\":true,\"bids\":[{\"price\":\"%s\","
             "\"liquidity\":1000000}],\"asks\":[{\"price\":\"%s\",\"liquidity\":\"2000000\"}]}",
             bid, ask);
    oanda_text(0, text);
}

void oanda_heartbeat(unsigned channel, unsigned last)
{
    char text[256], id[64] = "";
    if (last)
        snprintf(id, sizeof id, ",\"lastTransactionID\":\"%u\"", last);
    snprintf(text, sizeof text, "{\"type\":\"HEARTBEAT\",\"time\":\"%lld.%09lld\"%s}",
             (long long)(bench.now / NS_PER_SECOND), (long long)(bench.now % NS_PER_SECOND), id);
    oanda_text(channel, text);
}

void oanda_pass(int64_t duration_ns)
{
    int64_t end = bench.now + duration_ns;
    for (;;) {
        int64_t deadline = bench.adapter->deadline(bench.adapter);
        if (deadline > end)
            break;
        if (deadline > bench.now)
            bench.now = deadline;
        bench.adapter->tick(bench.adapter, bench.now);
        cr_assert_gt(bench.adapter->deadline(bench.adapter), bench.now,
                     "a tick that is wanted again at once");
    }
    bench.now = end;
}

/* --- decisions and transactions ------------------------------------------------------------------------ */

void oanda_decide(const char *text)
{
    struct row rows[4];
    union event_record record;
    struct message message;
    struct error error = {0};
    char line[OANDA_LINE_MAX];
    snprintf(line, sizeof line, "%lld %s", (long long)bench.now, text);
    cr_assert_eq(
        message_from_text(line, strlen(line), &bench.names, rows, 4, &record, &message, &error), 0,
        "%s: %s", text, error.text);
    bench.adapter->decision(bench.adapter, &message, bench.now);
}

void oanda_place(unsigned number, const char *price)
{
    char text[OANDA_LINE_MAX];
    snprintf(text, sizeof text,
             "place oanda:EUR_USD order=#%u side=buy price=%s quantity=100 time_in_force=gtc "
             "post_only=yes level=0 cause=1 fair=0 skew=0 distance=0 gates=0x0",
             number, price);
    oanda_decide(text);
}

#define TIME "\"time\":\"1700000001.000000000\""

const char *oanda_made(unsigned id, const char *name, const char *units, const char *price,
                       const char *more)
{
    static char text[1024];
    snprintf(text, sizeof text,
             "{\"type\":\"LIMIT_ORDER\",\"id\":\"%u\"," TIME ",\"instrument\":\"EUR_USD\","
             "\"units\":\"%s\",\"price\":\"%s\",\"clientExtensions\":{\"id\":\"%s\"}%s}",
             id, units, price, name, more);
    return text;
}

const char *oanda_filled(unsigned id, unsigned order, const char *name, const char *units,
                         const char *price, const char *balance)
{
    static char text[1024];
    snprintf(text, sizeof text,
             "{\"type\":\"ORDER_FILL\",\"id\":\"%u\"," TIME ",\"orderID\":\"%u\","
             "\"clientOrderID\":\"%s\",\"instrument\":\"EUR_USD\",\"units\":\"%s\",\"price\":"
             "\"%s\",\"pl\":\"0.0000\",\"commission\":\"0.0000\",\"accountBalance\":\"%s\"}",
             id, order, name, units, price, balance);
    return text;
}

const char *oanda_cancelled(unsigned id, unsigned order, const char *name, const char *reason,
                            const char *more)
{
    static char text[1024];
    snprintf(text, sizeof text,
             "{\"type\":\"ORDER_CANCEL\",\"id\":\"%u\"," TIME ",\"orderID\":\"%u\","
             "\"clientOrderID\":\"%s\",\"reason\":\"%s\"%s}",
             id, order, name, reason, more);
    return text;
}

/* --- what was told ----------------------------------------------------------------------------------- */

void oanda_expect(const char *line)
{
    cr_assert_lt(bench.expected, bench.told_count, "expected %s, nothing more was told", line);
    cr_expect(begins(bench.told[bench.expected], line), "expected %s\n     got %s", line,
              bench.told[bench.expected]);
    bench.expected++;
}

void oanda_expect_nothing(void)
{
    cr_expect_eq(bench.expected, bench.told_count, "not expected: %s", bench.told[bench.expected]);
    bench.expected = bench.told_count;
}

bool oanda_was_told(const char *line)
{
    for (size_t i = 0; i < bench.told_count; i++)
        if (begins(bench.told[i], line))
            return true;
    return false;
}

bool oanda_was_logged(const char *part)
{
    for (size_t i = 0; i < bench.log_count; i++)
        if (strstr(bench.logs[i], part))
            return true;
    return false;
}

void oanda_forget(void)
{
    bench.told_count = bench.log_count = bench.expected = 0;
}
