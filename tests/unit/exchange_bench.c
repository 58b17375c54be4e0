/* See exchange_bench.h. */
#include "config.h" /* POSIX names */

#include "exchange_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "synth/catalogue.h"

/* 2026-01-01T00:00:00Z */
#define BENCH_START INT64_C(1767225600000000000)

static struct catalogue catalogue;

/* --- the market -------------------------------------------------------------------------------- */

static const struct message *next_message(void *context, struct error *error)
{
    (void)error;
    struct exchange_bench *bench = context;
    return bench->given < bench->message_count ? &bench->messages[bench->given++] : NULL;
}

static struct message *add(struct exchange_bench *bench, int64_t at, unsigned instrument,
                           enum channel channel, enum event_kind kind)
{
    size_t i = bench->message_count++;
    cr_assert_lt(i, BENCH_MESSAGES_MAX);
    bench->messages[i] = (struct message){.ts_local = at,
                                          .ts_venue = at,
                                          .stream = EVENT_STREAM(instrument, channel),
                                          .kind = (uint8_t)kind,
                                          .flags = MESSAGE_VENUE_TIME,
                                          .rows = bench->rows[i]};
    return &bench->messages[i];
}

static void add_row(struct message *message, enum side side, int64_t price, int64_t quantity,
                    unsigned flags)
{
    struct row *row = (struct row *)(uintptr_t)&message->rows[message->row_count++];
    *row = (struct row){.price = price,
                        .quantity = quantity,
                        .flags = (uint8_t)((side == SIDE_SELL ? ROW_SELL : 0) | flags)};
}

void bench_init(struct exchange_bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->start = bench->now = BENCH_START;
    catalogue_init_live(&catalogue);
    for (unsigned i = 0; i < SYNTH_LIVE_INSTRUMENTS; i++) {
        struct message *snapshot = add(bench, 0, i, CHANNEL_DEPTH, EVENT_snapshot);
        int64_t step = catalogue.price_step[i], price = catalogue.price_ticks[i] * step;
        int64_t quantity = catalogue.quantity_step[i] * 10;
        for (int level = 0; level < 2; level++)
            add_row(snapshot, SIDE_BUY, price - level * step, quantity, ROW_FROM_SNAPSHOT);
        for (int level = 0; level < 2; level++)
            add_row(snapshot, SIDE_SELL, price + (level + 1) * step, quantity, ROW_FROM_SNAPSHOT);
    }
}

void bench_depth(struct exchange_bench *bench, int64_t at, unsigned instrument, enum side side,
                 int64_t price, int64_t quantity)
{
    add_row(add(bench, at, instrument, CHANNEL_DEPTH, EVENT_depth), side, price, quantity, 0);
}

void bench_trade(struct exchange_bench *bench, int64_t at, unsigned instrument, enum side aggressor,
                 int64_t price, int64_t quantity)
{
    add_row(add(bench, at, instrument, CHANNEL_TRADE, EVENT_trade), aggressor, price, quantity, 0);
}

/* --- the port ---------------------------------------------------------------------------------- */

static void keep(struct exchange_bench *bench, struct exchange_stream *stream, const char *kind,
                 const char *text, size_t length)
{
    cr_assert_lt(bench->sent_count, BENCH_SENT_MAX);
    struct bench_sent *sent = &bench->sent[bench->sent_count++];
    *sent = (struct bench_sent){.stream = stream, .text = text ? strndup(text, length) : NULL};
    strncat(sent->kind, kind, sizeof sent->kind - 1);
}

static void port_send(void *context, struct exchange_stream *stream, const char *kind,
                      const char *text, size_t length)
{
    keep(context, stream, kind, text, length);
}

static void port_ping(void *context, struct exchange_stream *stream)
{
    keep(context, stream, "ping", NULL, 0);
}

static void port_finish(void *context, struct exchange_stream *stream, unsigned code,
                        const char *reason)
{
    (void)code;
    (void)reason;
    keep(context, stream, "finish", NULL, 0);
}

/* --- opening ----------------------------------------------------------------------------------- */

void bench_open(struct exchange_bench *bench, const char *venue, const char *balances)
{
    struct error error = {0};
    unsigned number = 0;
    while (strcmp(catalogue.names.venues[number], venue) != 0)
        cr_assert_lt(++number, catalogue.names.venue_count);
    bench->port = (struct exchange_port){bench, port_send, port_ping, port_finish};
    const struct exchange_venue_options options = {.source = {next_message, bench},
                                                   .names = &catalogue.names,
                                                   .venue = number,
                                                   .credentials = &bench->credentials,
                                                   .balances = balances,
                                                   .seed = 1,
                                                   .port = &bench->port,
                                                   .now = bench->start};
    cr_assert_eq(exchange_venue_open(&bench->venue, &options, &error), 0, "%s", error.text);
}

void bench_close(struct exchange_bench *bench)
{
    while (bench->venue.protocol->streams)
        bench_hang_up(bench, bench->venue.protocol->streams);
    bench_forget(bench);
    exchange_venue_close(&bench->venue);
    json_free(&bench->reply.body);
    cJSON_Delete(bench->answer);
}

void bench_to(struct exchange_bench *bench, int64_t at)
{
    struct error error = {0};
    int64_t until = bench->start + at;
    for (;;) {
        int64_t due = exchange_venue_deadline(&bench->venue, &error);
        bench->now = due < until && due > bench->now ? due : until;
        cr_assert_eq(exchange_venue_advance(&bench->venue, bench->now, &error), 0, "%s",
                     error.text);
        if (bench->now == until)
            return;
    }
}

/* --- requests ---------------------------------------------------------------------------------- */

enum { HEADERS_MAX = 8 };

/* Headers of "name: value" lines. */
struct heads {
    char memory[4096];
    struct net_header headers[HEADERS_MAX];
    size_t count;
};

static void read_heads(struct heads *heads, const char *text)
{
    heads->count = 0;
    heads->memory[0] = '\0';
    strncat(heads->memory, text ? text : "", sizeof heads->memory - 1);
    char *rest = heads->memory, *line;
    while ((line = strtok_r(rest, "\n", &rest))) {
        char *colon = strchr(line, ':');
        cr_assert(colon && heads->count < HEADERS_MAX);
        *colon = '\0';
        heads->headers[heads->count++] =
            (struct net_header){line, colon + 1 + strspn(colon + 1, " ")};
    }
}

static void request(struct exchange_bench *bench, const struct net_incoming *incoming)
{
    struct error error = {0};
    struct json body = bench->reply.body;
    json_clear(&body);
    bench->reply = (struct exchange_reply){.body = body};
    struct protocol *protocol = bench->venue.protocol;
    cr_assert_eq(protocol->request(protocol, incoming, bench->now, &bench->reply, &error), 0, "%s",
                 error.text);
    cJSON_Delete(bench->answer);
    bench->answer = bench->reply.body.length ? cJSON_Parse(bench->reply.body.bytes) : NULL;
}

int bench_request(struct exchange_bench *bench, const char *method, const char *path,
                  const char *query, const char *headers, const char *body)
{
    struct heads heads;
    read_heads(&heads, headers);
    const struct net_incoming incoming = {.method = method,
                                          .path = path,
                                          .query = query ? query : "",
                                          .headers = heads.headers,
                                          .header_count = heads.count,
                                          .body = body ? body : "",
                                          .length = body ? strlen(body) : 0};
    request(bench, &incoming);
    return bench->reply.status;
}

/* --- streams ----------------------------------------------------------------------------------- */

struct exchange_stream *bench_stream(struct exchange_bench *bench, const char *path,
                                     const char *query, const char *headers, bool websocket)
{
    struct heads heads;
    read_heads(&heads, headers);
    const struct net_incoming incoming = {.method = "GET",
                                          .path = path,
                                          .query = query ? query : "",
                                          .headers = heads.headers,
                                          .header_count = heads.count,
                                          .body = "",
                                          .wants_websocket = websocket};
    request(bench, &incoming);
    if (!bench->reply.stream)
        return NULL;
    struct protocol *protocol = bench->venue.protocol;
    struct exchange_stream *stream = calloc(1, sizeof *stream);
    cr_assert(stream);
    stream->websocket = websocket;
    stream->opened = stream->said = bench->now;
    protocol_add_stream(protocol, stream);
    protocol->opened(protocol, stream, &incoming, bench->now);
    return stream;
}

void bench_say(struct exchange_bench *bench, struct exchange_stream *stream, const char *text)
{
    struct protocol *protocol = bench->venue.protocol;
    protocol->text(protocol, stream, text, strlen(text), bench->now);
}

void bench_hang_up(struct exchange_bench *bench, struct exchange_stream *stream)
{
    struct protocol *protocol = bench->venue.protocol;
    protocol_remove_stream(protocol, stream);
    protocol->closed(protocol, stream, bench->now);
    free(stream->state);
    free(stream);
}

void bench_forget(struct exchange_bench *bench)
{
    for (size_t i = 0; i < bench->sent_count; i++)
        free(bench->sent[i].text);
    bench->sent_count = 0;
}

cJSON *bench_sent(struct exchange_bench *bench, const char *kind, size_t index)
{
    for (size_t i = 0; i < bench->sent_count; i++)
        if (strcmp(bench->sent[i].kind, kind) == 0 && index-- == 0)
            return cJSON_Parse(bench->sent[i].text);
    return NULL;
}

size_t bench_count(const struct exchange_bench *bench, const char *kind)
{
    size_t count = 0;
    for (size_t i = 0; i < bench->sent_count; i++)
        count += strcmp(bench->sent[i].kind, kind) == 0;
    return count;
}

const char *bench_at(const cJSON *object, const char *path)
{
    static char texts[4][256];
    static unsigned turn;
    char *text = texts[turn++ % 4];
    char part[64];
    text[0] = '\0';
    while (object && *path) {
        size_t length = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        object = cJSON_IsArray(object) ? cJSON_GetArrayItem(object, (int)strtol(part, NULL, 10))
                                       : cJSON_GetObjectItemCaseSensitive(object, part);
        path += length + (path[length] == '.');
    }
    if (object == NULL)
        return text;
    if (cJSON_IsString(object))
        strncat(text, object->valuestring, 255);
    else if (cJSON_IsNumber(object))
        snprintf(text, 256, "%.15g", object->valuedouble);
    else if (cJSON_IsBool(object))
        snprintf(text, 256, "%s", cJSON_IsTrue(object) ? "true" : "false");
    return text;
}
