/* Fuzz target (libFuzzer, --enable-fuzz): any bytes as what a client sends to the ops server, in pieces of any
 * length, from the first byte of HTTP to the body of a command. Every answer is one, no command passes without
 * the token, and what passes is one that there is. */
#include "config.h" /* POSIX names */

#include "base/assert.h"
#include "ops/http.h"
#include "tests/fuzz/server_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER_MAX = OPS_HEADERS_MAX };

/* What seeds bear; "Authorization: Bearer " before it. */
static const char token[] = "0123456789abcdef";

static const char *const venues[] = {"binance_us"};
static const char *const assets[] = {"BTC", "USD"};
static const char *const symbols[] = {"BTCUSD"};
static const struct event_definition definitions[] = {
    {.price_exponent = -2, .quantity_exponent = -8, .tick = 1, .lot = 1, .base = 0, .quote = 1}};
static const struct event_names names = {1, 2, 1, venues, assets, symbols, definitions};

/* One request of those that are told. */
struct told {
    struct ops_http http;
    bool authorised;
    unsigned commands, stops;
};

static bool post(void *context, unsigned kind, const union event_record *record)
{
    struct told *told = context;
    ASSERT(told->authorised);
    if (kind == EVENT_adopt) {
        ASSERT(record->adopt.instrument == 0 && record->adopt.position.status <= NUMBER_ABSENT &&
               record->adopt.price.status <= NUMBER_ABSENT);
    } else {
        ASSERT(kind == EVENT_command && record->command.command < COMMAND_COUNT);
        ASSERT(record->command.instrument == 0 || record->command.instrument == EVENT_NONE_16);
    }
    told->commands++;
    return told->commands % 7 != 0;
}

static void stop(void *context)
{
    struct told *told = context;
    ASSERT(told->authorised);
    told->stops++;
}

static void take_request(void *context, struct net_client *client,
                         const struct net_incoming *incoming)
{
    struct told *told = context;
    const char *given = net_incoming_header(incoming, "authorization");
    size_t before = buffer_length(&client->out);
    told->authorised = given && strstr(given, token) && strcmp(incoming->method, "POST") == 0;
    ops_http_request(&told->http, client, incoming);
    ASSERT(client->over || client->answering || client->pending_count == 0 ||
           buffer_length(&client->out) == before);
    ASSERT(client->over || strncmp(buffer_first(&client->out) + before, "HTTP/1.1 ", 9) == 0);
    ops_http_closed(&told->http, client); /* one that listens is told once */
}

/* It was sent; behind an answer that has no end nothing is taken. */
static bool worked(struct net_client *client)
{
    buffer_clear(&client->out);
    client->paused = false;
    return !client->answering;
}

static int64_t stands_still(const struct clock *clock)
{
    (void)clock;
    return INT64_C(40000000000);
}

/* The engine is never asked anything by the server's side; only whether there is one. */
static struct ops_collect *collect(struct told *told, const struct clock *clock)
{
    struct ops_collect *made;
    struct error error = {0};
    const struct ops_session session = {.mode = "live",
                                        .tape = "a.tape",
                                        .engine = (struct engine *)(void *)told,
                                        .names = &names,
                                        .clock = clock,
                                        .post = post,
                                        .context = told};
    ASSERT(ops_collect_open(&made, &session, &error) == 0);
    return made;
}

/* The first byte says in pieces of how many bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct clock clock = {stands_still};
    static const struct log quiet = {0};
    if (size < 2)
        return 0;
    size_t piece = data[0] == 0xff ? size : data[0] + 1u;
    struct told *told = calloc(1, sizeof *told);
    ASSERT(told);
    told->http = (struct ops_http){.log = &quiet,
                                   .clock = &clock,
                                   .allow_origin = data[0] & 1 ? "*" : "",
                                   .loopback = (data[0] & 2) != 0,
                                   .stop = stop,
                                   .context = told,
                                   .collect = collect(told, &clock)};
    if (!(data[0] & 4))
        memcpy(told->http.token.text, token, sizeof token);
    ops_http_init(&told->http);
    const struct net_server_options options = {.header_bytes_max = HEADER_MAX,
                                               .body_bytes_max = OPS_BODY_MAX,
                                               .unsent_bytes_max = OPS_UNSENT_MAX,
                                               .request_timeout_ns = 1,
                                               .request = take_request,
                                               .context = told};
    struct net_client *client = server_peer_open(&options);
    server_peer_send(client, data + 1, size - 1, piece, worked);
    server_peer_close(client);
    ops_http_free(&told->http);
    ops_collect_close(&told->http.collect);
    free(told);
    return 0;
}
