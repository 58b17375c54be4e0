/* See coinbase_bench.h. */
#include "coinbase_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench bench;

static struct credentials bench_credentials = {BENCH_KEY, BENCH_SECRET};
static const char *symbol_list[BENCH_SYMBOLS_MAX];
static size_t symbol_count;
static char symbol_text[2048];
static size_t expected; /* lines that bench_expect has gone over */
static const char *venues[] = {"coinbase"};
static const char *assets[3 * BENCH_SYMBOLS_MAX], *symbols[BENCH_SYMBOLS_MAX];
static uint16_t numbers[BENCH_SYMBOLS_MAX];

/* --- the port ---------------------------------------------------------------------------------------- */

static void copy(char *out, size_t capacity, const char *text, size_t length)
{
    cr_assert_lt(length, capacity);
    memcpy(out, text, length);
    out[length] = '\0';
}

/* Requests that are answered make room. */
static void forget_requests(void)
{
    size_t kept = 0;
    for (size_t i = 0; i < bench.request_count; i++)
        if (bench.requests[i].open)
            bench.requests[kept++] = bench.requests[i];
    bench.request_count = kept;
}

static void port_request(void *context, const struct adapter_request *made)
{
    (void)context;
    if (bench.request_count == BENCH_REQUESTS_MAX)
        forget_requests();
    cr_assert_lt(bench.request_count, BENCH_REQUESTS_MAX);
    struct bench_request *request = &bench.requests[bench.request_count++];
    *request = (struct bench_request){.tag = made->tag, .open = true, .made_ns = bench.now};
    copy(request->method, sizeof request->method, made->method, strlen(made->method));
    copy(request->url, sizeof request->url, made->url, strlen(made->url));
    request->has_body = made->body != NULL;
    if (made->body)
        copy(request->body, sizeof request->body, made->body, made->length);
    for (size_t i = 0; i < made->header_count; i++)
        if (strcmp(made->headers[i].name, "Authorization") == 0)
            copy(request->bearer, sizeof request->bearer, made->headers[i].value,
                 strlen(made->headers[i].value));
    cr_expect_gt(made->timeout_ns, 0);
}

static void port_open(void *context, unsigned channel, const struct adapter_channel *what)
{
    (void)context;
    cr_assert_leq(channel, USER);
    struct bench_channel *at = &bench.channels[channel];
    cr_expect_not(at->opened_by_it, "channel %u is opened twice", channel);
    at->opened_by_it = true;
    at->opens++;
    at->sequence = 0;
    copy(at->url, sizeof at->url, what->url, strlen(what->url));
    cr_expect_eq(what->kind, ADAPTER_WEBSOCKET);
}

static void port_send(void *context, unsigned channel, const char *text, size_t length)
{
    (void)context;
    cr_expect(bench.channels[channel].opened_by_it);
    cr_assert_lt(bench.send_count, BENCH_SENDS_MAX);
    bench.send_ns[bench.send_count] = bench.now;
    bench.send_channel[bench.send_count] = channel;
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
    cr_expect_null(strstr(text, "secretkeyname"), "the key is told: %s", text);
    cr_expect_null(strstr(text, BENCH_SECRET), "the secret is told: %s", text);
    cr_expect_null(strstr(text, "eyJ"), "a token is told: %s", text);
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
    static char text[1 << 18];
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
    int64_t expiry_ns = bench.expiry_ns;
    memset(&bench, 0, sizeof bench);
    bench.now = BENCH_START;
    bench.expiry_ns = expiry_ns;
    expected = symbol_count = 0;
    snprintf(symbol_text, sizeof symbol_text, "%s", text);
    for (char *rest, *word = strtok_r(symbol_text, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest))
        symbol_list[symbol_count++] = word;
    struct adapter_settings settings = {.name = "coinbase",
                                        .rest_url = "https://rest.test",
                                        .stream_url = "wss://stream.test",
                                        .private_url = "wss://user.test",
                                        .symbols = symbol_list,
                                        .symbol_count = symbol_count,
                                        .credentials = credentials ? &bench_credentials : NULL,
                                        .session = "mm1",
                                        .request_timeout_ns = 5 * NS_PER_SECOND,
                                        .expiry_ns = expiry_ns,
                                        .seed = 7};
    const struct adapter_kind *kind = adapter_kind_by_name("coinbase");
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

/* "https://rest.test/api/v3/brokerage/time?x=y" has the path "/api/v3/brokerage/time". */
static bool has_path(const struct bench_request *request, const char *path)
{
    static const char host[] = "https://rest.test";
    const char *at = request->url + sizeof host - 1;
    size_t length = strlen(path);
    return strncmp(request->url, host, sizeof host - 1) == 0 && strncmp(at, path, length) == 0 &&
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

static void answer(struct bench_request *request, long status, const char *body,
                   const char *headers)
{
    struct net_header list[8];
    char text[512] = "";
    size_t count = 0;
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

void bench_answer_with(const char *method, const char *path, long status, const char *body,
                       const char *headers)
{
    struct bench_request *request = bench_find(method, path, NULL);
    cr_assert_not_null(request, "no %s %s", method, path);
    answer(request, status, body, headers);
}

void bench_answer(const char *method, const char *path, long status, const char *body)
{
    bench_answer_with(method, path, status, body, NULL);
}

void bench_answer_part(const char *method, const char *path, const char *part, const char *body)
{
    struct bench_request *request = bench_find(method, path, part);
    cr_assert_not_null(request, "no %s %s with %s", method, path, part);
    answer(request, 200, body, NULL);
}

void bench_fail(const char *method, const char *path, enum net_outcome outcome)
{
    struct bench_request *request = bench_find(method, path, NULL);
    cr_assert_not_null(request, "no %s %s", method, path);
    struct net_response response = {.outcome = outcome, .body = "", .failure = "no network"};
    give(request, &response);
}

void bench_answer_account(const char *open_orders)
{
    static const char *const statuses[] = {"=PENDING", "=QUEUED", "=CANCEL_QUEUED", "=EDIT_QUEUED"};
    char list[8192];
    bench_answer("GET", ACCOUNTS, 200,
                 "{\"accounts\":[{\"currency\":\"BTC\",\"available_balance\":{\"value\":\"1\"},"
                 "\"hold\":{\"value\":\"1\"}},{\"currency\":\"USD\",\"available_balance\":{"
                 "\"value\":\"5000\"},\"hold\":{\"value\":\"0\"}}],\"has_next\":false,\"cursor\":"
                 "\"\"}");
    snprintf(list, sizeof list, "{\"orders\":[%s],\"has_next\":false,\"cursor\":\"\"}",
             open_orders);
    bench_answer_part("GET", LIST, "order_status=OPEN", list);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        bench_answer_part("GET", LIST, statuses[i], "{\"orders\":[],\"has_next\":false}");
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

static void pass(int64_t duration_ns, bool beats)
{
    int64_t end = bench.now + duration_ns, beat = bench.now + NS_PER_SECOND;
    for (;;) {
        int64_t deadline = bench.adapter->deadline(bench.adapter);
        if (deadline > end)
            break;
        if (deadline > bench.now)
            bench.now = deadline;
        if (beats && bench.now >= beat) {
            beat += NS_PER_SECOND;
            bench_heartbeat(MARKET);
            bench_heartbeat(USER);
        }
        bench.adapter->tick(bench.adapter, bench.now);
        int64_t after = bench.adapter->deadline(bench.adapter);
        cr_assert_gt(after, bench.now, "a tick that is wanted again at once");
    }
    bench.now = end;
}

void bench_pass(int64_t duration_ns)
{
    pass(duration_ns, true);
}

void bench_pass_silently(int64_t duration_ns)
{
    pass(duration_ns, false);
}

void bench_event(unsigned channel, const char *name, const char *events)
{
    static char text[1 << 16];
    char time[TIME_TEXT_MAX];
    time_to_text(bench.now + BENCH_AHEAD_MS * NS_PER_MS, time);
    int length =
        snprintf(text, sizeof text,
                 "{\"channel\":\"%s\",\"client_id\":\"\",\"timestamp\":\"%s\","
                 "\"sequence_num\":%llu,\"events\":[%s]}",
                 name, time, (unsigned long long)bench.channels[channel].sequence++, events);
    cr_assert_lt((size_t)length, sizeof text);
    bench_text(channel, text);
}

void bench_heartbeat(unsigned channel)
{
    if (bench.channels[channel].opened_by_it)
        bench_event(channel, "heartbeats",
                    "{\"current_time\":\"2026-04-07 14:30:00 +0000 UTC m=+1.5\","
                    "\"heartbeat_counter\":\"1\"}");
}

void bench_levels(const char *type, const char *product, const char *levels)
{
    char text[8192], side[8], price[32], quantity[32], list[1024];
    size_t length = (size_t)snprintf(
        text, sizeof text, "{\"type\":\"%s\",\"product_id\":\"%s\",\"updates\":[", type, product);
    snprintf(list, sizeof list, "%s", levels);
    for (char *rest, *one = strtok_r(list, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        cr_assert_eq(sscanf(one, " %7s %31s %31s", side, price, quantity), 3, "%s", one);
        length += (size_t)snprintf(
            text + length, sizeof text - length,
            "%s{\"side\":\"%s\",\"event_time\":\"2026-04-07T14:30:00.5Z\",\"price_level\":\"%s\","
            "\"new_quantity\":\"%s\"}",
            text[length - 1] == '[' ? "" : ",", side, price, quantity);
    }
    snprintf(text + length, sizeof text - length, "]}");
    bench_event(MARKET, "l2_data", text);
}

void bench_user(const char *type, unsigned number, const char *status, const char *filled,
                const char *leaves, const char *price)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"type\":\"%s\",\"orders\":[{\"order_id\":\"order-%u\",\"client_order_id\":"
             "\"mm1-0-%u\",\"cumulative_quantity\":\"%s\",\"leaves_quantity\":\"%s\",\"avg_price\":"
             "\"0\",\"filled_value\":\"0\",\"limit_price\":\"%s\",\"status\":\"%s\",\"product_id\":"
             "\"%s\",\"order_side\":\"BUY\",\"order_type\":\"Limit\",\"time_in_force\":"
             "\"GOOD_UNTIL_CANCELLED\",\"reject_reason\":\"\",\"cancel_reason\":\"\"}]}",
             type, number, number, filled, leaves, price, status, symbol_list[0]);
    bench_event(USER, "user", text);
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
             "place coinbase:%s order=#%u side=%s price=%s quantity=%s time_in_force=%s "
             "post_only=%s " WHY,
             symbol_list[0], number, side, price, quantity, time_in_force,
             post_only ? "yes" : "no");
    bench_decide(text);
}

void bench_cancel(unsigned number)
{
    char text[BENCH_LINE_MAX];
    snprintf(text, sizeof text, "cancel coinbase:%s order=#%u why=unwanted cause=1", symbol_list[0],
             number);
    bench_decide(text);
}

void bench_query(unsigned number)
{
    char text[BENCH_LINE_MAX];
    snprintf(text, sizeof text, "query coinbase:%s order=#%u cause=1", symbol_list[0], number);
    bench_decide(text);
}

void bench_modify(unsigned number, const char *price, const char *leaves)
{
    char text[BENCH_LINE_MAX];
    snprintf(text, sizeof text, "modify coinbase:%s order=#%u side=buy price=%s leaves=%s " WHY,
             symbol_list[0], number, price, leaves);
    bench_decide(text);
}

void bench_rest(unsigned number)
{
    char answer_text[256];
    bench_place(number, "buy", "100.00", "2.000", "gtc", true);
    snprintf(
        answer_text, sizeof answer_text,
        "{\"success\":true,\"success_response\":{\"order_id\":\"order-%u\",\"client_order_id\":"
        "\"mm1-0-%u\"}}",
        number, number);
    bench_answer("POST", ORDERS, 200, answer_text);
    bench_user("update", number, "OPEN", "0", "2", "100.00");
    bench_forget();
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

size_t bench_count_told(const char *line)
{
    size_t count = 0;
    for (size_t i = 0; i < bench.told_count; i++)
        count += begins(bench.told[i], line);
    return count;
}

bool bench_was_told(const char *line)
{
    return bench_count_told(line) > 0;
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

const char *bench_order(unsigned number, const char *status, const char *price, const char *size,
                        const char *filled)
{
    static char text[1024];
    snprintf(
        text, sizeof text,
        "{\"order_id\":\"order-%u\",\"product_id\":\"%s\",\"order_configuration\":{"
        "\"limit_limit_gtc\":{\"base_size\":\"%s\",\"limit_price\":\"%s\",\"post_only\":true}},"
        "\"side\":\"BUY\",\"client_order_id\":\"mm1-0-%u\",\"status\":\"%s\",\"time_in_force\":"
        "\"GOOD_UNTIL_CANCELLED\",\"filled_size\":\"%s\"}",
        number, symbol_list[0], size, price, number, status, filled);
    return text;
}

const char *bench_fill(unsigned number, const char *trade, const char *price, const char *size,
                       const char *time)
{
    static char text[1024];
    snprintf(
        text, sizeof text,
        "{\"entry_id\":\"e\",\"trade_id\":\"%s\",\"order_id\":\"order-%u\",\"trade_time\":\"%s\","
        "\"trade_type\":\"FILL\",\"price\":\"%s\",\"size\":\"%s\",\"commission\":\"0.25\","
        "\"product_id\":\"%s\",\"liquidity_indicator\":\"MAKER\",\"size_in_quote\":false,"
        "\"side\":\"BUY\"}",
        trade, number, time, price, size, symbol_list[0]);
    return text;
}

static const char *venue_time(void)
{
    static char text[96];
    snprintf(text, sizeof text, "{\"iso\":\"\",\"epochSeconds\":\"\",\"epochMillis\":\"%lld\"}",
             (long long)(bench.now / NS_PER_MS + BENCH_AHEAD_MS));
    return text;
}

/* Every product that was opened, and BTC-USD; BTC-USDC is an alias of it. */
static const char *products(void)
{
    static char text[1 << 16];
    size_t length = (size_t)snprintf(text, sizeof text, "{\"products\":[");
    for (size_t i = 0; i < symbol_count; i++) {
        char base[64];
        const char *dash = strchr(symbol_list[i], '-');
        snprintf(base, sizeof base, "%.*s", (int)(dash - symbol_list[i]), symbol_list[i]);
        length += (size_t)snprintf(
            text + length, sizeof text - length,
            "%s{\"product_id\":\"%s\",\"base_increment\":\"0.001\",\"quote_increment\":\"0.01\","
            "\"price_increment\":\"0.01\",\"quote_min_size\":\"1\",\"base_min_size\":\"0.001\","
            "\"status\":\"online\",\"product_type\":\"SPOT\",\"quote_currency_id\":\"%s\","
            "\"base_currency_id\":\"%s\",\"alias\":\"%s\"}",
            i ? "," : "", symbol_list[i], dash + 1, base,
            strcmp(symbol_list[i], "BTC-USDC") == 0 ? "BTC-USD" : "");
    }
    snprintf(text + length, sizeof text - length, "]}");
    return text;
}

void bench_discover(void)
{
    bench.adapter->start(bench.adapter, bench.now);
    bench.now += 2 * NS_PER_MS;
    bench_answer("GET", TIME_PATH, 200, venue_time());
    bench_answer("GET", PRODUCTS, 200, products());
    if (bench_find("GET", RIGHTS, NULL)) {
        bench_answer("GET", RIGHTS, 200,
                     "{\"can_view\":true,\"can_trade\":true,\"can_transfer\":false,"
                     "\"portfolio_uuid\":\"portfolio-1\"}");
        bench_answer("GET", FEES, 200,
                     "{\"fee_tier\":{\"maker_fee_rate\":\"0.004\",\"taker_fee_rate\":\"0.006\"}}");
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

void bench_run(const char *text, bool credentials)
{
    bench_open(text, credentials);
    bench_discover();
    bench_begin();
    bench_opened(MARKET);
    for (size_t i = 0; i < symbol_count; i++)
        if (strcmp(symbol_list[i], "BTC-USDC") != 0)
            bench_levels("snapshot", symbol_list[i], "bid 100.00 1.5,bid 99.99 2,offer 100.01 3");
    if (credentials) {
        bench_opened(USER);
        bench_event(USER, "user", "{\"type\":\"snapshot\",\"orders\":[]}");
        bench_answer_account("");
    }
    while (bench_find("GET", TIME_PATH, NULL))
        bench_answer("GET", TIME_PATH, 200, venue_time());
    cr_assert_eq(bench.adapter->state, ADAPTER_RUNNING);
    cr_assert(bench.adapter->health.market_synchronised);
    cr_assert(bench.adapter->health.private_up);
    bench_forget();
}
