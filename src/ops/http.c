/* See http.h. */
#include "ops/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/time.h"
#include "ops/metrics.h"
#include "ops/page.h"
#include "ops/request_id.h"

static const char target[] = "capstan.ops";

#define JSON_TYPE    "application/json"
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
/* No younger dashboard is made, however often it is asked for. */
#define DASHBOARD_NS (50 * NS_PER_MS)
/* A listener is told the course of so long again and again, so that one missed event leaves no hole. */
#define COURSE_NS (3 * NS_PER_SECOND)

enum { HEADERS_MAX = 12 };

/* A request under way. */
struct exchange {
    struct ops_http *http;
    struct net_client *client;
    const struct net_incoming *incoming;
    char id[OPS_REQUEST_ID_BYTES];
    enum ops_endpoint endpoint;
    enum ops_method method;
    int64_t began; /* monotonic */
    int status;
};

void ops_http_init(struct ops_http *http)
{
    ops_requests_init(&http->requests);
}

void ops_http_free(struct ops_http *http)
{
    ops_view_free(&http->view);
    json_free(&http->body);
    json_free(&http->dashboard);
}

/* --- answers ------------------------------------------------------------------------------------ */

static void add(struct net_header *headers, size_t *count, const char *name, const char *value)
{
    if (*count < HEADERS_MAX)
        headers[(*count)++] = (struct net_header){.name = name, .value = value};
}

/* Reading from other sites' pages, where ops.allow_origin lets them. */
static void add_origin(const struct exchange *exchange, struct net_header *headers, size_t *count)
{
    const char *allowed = exchange->http->allow_origin;
    const char *origin = net_incoming_header(exchange->incoming, "origin");
    if (!allowed[0] || !ops_endpoint_reads(exchange->endpoint))
        return;
    if (strcmp(allowed, "*") == 0) {
        add(headers, count, "Access-Control-Allow-Origin", "*");
        return;
    }
    add(headers, count, "Vary", "Origin");
    if (origin && strcmp(origin, allowed) == 0)
        add(headers, count, "Access-Control-Allow-Origin", allowed);
}

static size_t make_headers(struct exchange *exchange, struct net_header headers[HEADERS_MAX],
                           const char *more, const char *value)
{
    size_t count = 0;
    add(headers, &count, "Cache-Control", "no-store");
    add(headers, &count, "X-Content-Type-Options", "nosniff");
    add(headers, &count, "Referrer-Policy", "no-referrer");
    add(headers, &count, "Cross-Origin-Resource-Policy",
        exchange->http->allow_origin[0] ? "cross-origin" : "same-origin");
    add(headers, &count, "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    add(headers, &count, "X-Request-Id", exchange->id);
    add_origin(exchange, headers, &count);
    if (more)
        add(headers, &count, more, value);
    return count;
}

static void answer_with(struct exchange *exchange, int status, const char *type, const char *body,
                        size_t length, const char *header, const char *value)
{
    struct net_header headers[HEADERS_MAX];
    size_t count = make_headers(exchange, headers, header, value);
    exchange->status = status;
    net_client_answer(exchange->client, status, type, headers, count, body, length);
}

static void answer(struct exchange *exchange, int status, const char *type, const struct json *body)
{
    answer_with(exchange, status, type, body->bytes, body->length, NULL, NULL);
}

static void answer_error(struct exchange *exchange, int status, const char *text,
                         const char *header, const char *value)
{
    struct json *body = &exchange->http->body;
    json_clear(body);
    json_open(body, NULL, '{');
    json_text(body, "error", text);
    json_close(body, '}');
    answer_with(exchange, status, JSON_TYPE, body->bytes, body->length, header, value);
}

static int64_t uptime(const struct ops_http *http)
{
    return clock_now(&clock_monotonic) - http->started;
}

/* False: answered already. */
static bool take_view(struct exchange *exchange)
{
    exchange->http->view.stands_by = atomic_load(&exchange->http->stands_by);
    if (ops_view_take(&exchange->http->view, exchange->http->collect))
        return true;
    answer_error(exchange, 503, "no memory for an answer", NULL, NULL);
    return false;
}

/* --- endpoints ---------------------------------------------------------------------------------- */

static void show_ready(struct exchange *exchange)
{
    struct ops_http *http = exchange->http;
    if (take_view(exchange)) {
        bool ready = ops_answer_ready(&http->body, &http->view);
        answer(exchange, ready ? 200 : 503, JSON_TYPE, &http->body);
    }
}

static void show_checks(struct exchange *exchange)
{
    struct ops_http *http = exchange->http;
    if (take_view(exchange)) {
        bool well = ops_answer_checks(&http->body, &http->view);
        answer(exchange, well ? 200 : 503, JSON_TYPE, &http->body);
    }
}

static void show_metrics(struct exchange *exchange)
{
    struct ops_http *http = exchange->http;
    if (take_view(exchange)) {
        ops_metrics_write(&http->body, &http->view, &http->requests, http->log);
        answer(exchange, 200, METRICS_TYPE, &http->body);
    }
}

static void show_dashboard(struct exchange *exchange)
{
    struct ops_http *http = exchange->http;
    int64_t now = clock_now(&clock_monotonic);
    if (http->dashboard_made == 0 || now - http->dashboard_made >= DASHBOARD_NS) {
        if (!take_view(exchange))
            return;
        ops_answer_dashboard(&http->dashboard, &http->view, &http->series, INT64_MIN, uptime(http));
        http->dashboard_made = now;
    }
    answer(exchange, 200, JSON_TYPE, &http->dashboard);
}

static void tell_event(struct net_client *client, const struct json *json)
{
    static const char head[] = "data: ", end[] = "\n\n";
    net_client_write(client, head, sizeof head - 1);
    net_client_write(client, json->bytes, json->length);
    net_client_write(client, end, sizeof end - 1);
}

static void begin_events(struct exchange *exchange)
{
    struct ops_http *http = exchange->http;
    struct net_header headers[HEADERS_MAX];
    if (exchange->method == OPS_HEAD) {
        answer_with(exchange, 200, "text/event-stream", "", 0, NULL, NULL);
        return;
    }
    if (http->listener_count == OPS_LISTENERS_MAX) {
        answer_error(exchange, 503, "as many listen to /api/events as may", "Retry-After", "5");
        return;
    }
    if (!take_view(exchange))
        return;
    size_t count = make_headers(exchange, headers, NULL, NULL);
    exchange->status = 200;
    http->listeners[http->listener_count++] = exchange->client;
    net_client_begin(exchange->client, 200, "text/event-stream", headers, count);
    ops_answer_dashboard(&http->body, &http->view, &http->series, INT64_MIN, uptime(http));
    tell_event(exchange->client, &http->body);
}

static void show_page(struct exchange *exchange)
{
    const struct ops_page *page = ops_page_of(exchange->incoming->path);
    answer_with(exchange, 200, page->type, (const char *)page->content->bytes, page->content->size,
                NULL, NULL);
}

static void read_endpoint(struct exchange *exchange)
{
    struct ops_http *http = exchange->http;
    switch ((int)exchange->endpoint) {
    case OPS_ENDPOINT_ALIVE:
        answer_with(exchange, 200, "text/plain", "ok\n", 3, NULL, NULL);
        break;
    case OPS_ENDPOINT_READY:
        show_ready(exchange);
        break;
    case OPS_ENDPOINT_HEALTH_LIVE:
        ops_answer_live(&http->body, uptime(http));
        answer(exchange, 200, JSON_TYPE, &http->body);
        break;
    case OPS_ENDPOINT_HEALTH_READY:
        show_checks(exchange);
        break;
    case OPS_ENDPOINT_METRICS:
        show_metrics(exchange);
        break;
    case OPS_ENDPOINT_DASHBOARD:
        show_dashboard(exchange);
        break;
    case OPS_ENDPOINT_EVENTS:
        begin_events(exchange);
        break;
    default:
        show_page(exchange);
        break;
    }
}

static void do_command(struct exchange *exchange)
{
    struct ops_http *http = exchange->http;
    struct ops_command_answer done = ops_command(http, exchange->endpoint, exchange->incoming);
    const struct log_field fields[] = {log_text("command", ops_endpoint_paths[exchange->endpoint]),
                                       log_integer("status", done.status)};
    log_write(http->log, done.error ? LOG_WARN : LOG_INFO, target, clock_now(http->clock),
              done.error ? "a command was refused" : "a command was taken", fields, 2);
    if (done.error) {
        answer_error(exchange, done.status, done.error,
                     done.status == 401 ? "WWW-Authenticate" : NULL, "Bearer");
        return;
    }
    json_clear(&http->body);
    json_open(&http->body, NULL, '{');
    json_flag(&http->body, "accepted", true);
    json_close(&http->body, '}');
    answer(exchange, done.status, JSON_TYPE, &http->body);
}

/* --- a request ---------------------------------------------------------------------------------- */

/* A name that is no name of this machine's loopback: a page of another site that has itself resolved to it
 * (DNS rebinding). Addresses in numbers can't be that. */
static bool is_misdirected(const struct ops_http *http, const struct net_incoming *incoming)
{
    const char *host = net_incoming_header(incoming, "host");
    if (!http->loopback || !host)
        return false;
    size_t length = strcspn(host, ":");
    bool numeric = host[0] == '[' || (length > 0 && strspn(host, "0123456789.") == length);
    return !numeric && !(length == 9 && strncasecmp(host, "localhost", 9) == 0);
}

static void dispatch(struct exchange *exchange)
{
    const bool reads = ops_endpoint_reads(exchange->endpoint);
    const bool fits = reads ? exchange->method == OPS_GET || exchange->method == OPS_HEAD
                            : exchange->method == OPS_POST;
    if (is_misdirected(exchange->http, exchange->incoming))
        answer_error(exchange, 421, "expected localhost or an address as host", NULL, NULL);
    else if (exchange->endpoint == OPS_ENDPOINT_OTHER)
        answer_error(exchange, 404, "there is nothing of that name", NULL, NULL);
    else if (!fits)
        answer_error(exchange, 405, reads ? "expected GET or HEAD" : "expected POST", "Allow",
                     reads ? "GET, HEAD" : "POST");
    else if (reads)
        read_endpoint(exchange);
    else
        do_command(exchange);
}

static void log_request(const struct exchange *exchange)
{
    const struct log *log = exchange->http->log;
    if (!log_passes(log, LOG_DEBUG, target))
        return;
    const struct log_field fields[] = {
        log_integer("status", exchange->status),
        log_integer("duration_ns", clock_now(&clock_monotonic) - exchange->began)};
    log_write(log, LOG_DEBUG, target, clock_now(exchange->http->clock), "a request is answered",
              fields, 2);
}

void ops_http_request(void *context, struct net_client *client, const struct net_incoming *incoming)
{
    struct ops_http *http = context;
    struct exchange exchange = {.http = http,
                                .client = client,
                                .incoming = incoming,
                                .endpoint = ops_endpoint_of(incoming->path),
                                .method = ops_method_of(incoming->method),
                                .began = clock_now(&clock_monotonic)};
    ops_request_id(exchange.id);
    const struct log_field fields[] = {log_text("request_id", exchange.id),
                                       log_text("method", incoming->method),
                                       log_text("uri", incoming->path)};
    struct log_span span = {.name = "http_request", .fields = fields, .field_count = 3};
    log_span_enter(&span);
    dispatch(&exchange);
    ops_observe(&http->requests.durations[exchange.endpoint][exchange.method],
                clock_now(&clock_monotonic) - exchange.began);
    log_request(&exchange);
    log_span_leave(&span);
}

void ops_http_closed(void *context, struct net_client *client)
{
    struct ops_http *http = context;
    size_t kept = 0;
    for (size_t i = 0; i < http->listener_count; i++)
        if (http->listeners[i] != client)
            http->listeners[kept++] = http->listeners[i];
    http->listener_count = kept;
}

void ops_http_tick(struct ops_http *http)
{
    const struct ops_sample *newest;
    if ((http->listener_count == 0 && !http->collect) || !ops_view_take(&http->view, http->collect))
        return;
    newest = http->series.count > 0 ? &http->series.samples[(http->series.count - 1) % OPS_SAMPLES]
                                    : NULL;
    if (!newest || http->view.now - newest->ts >= NS_PER_SECOND)
        ops_series_add(&http->series, &http->view);
    if (http->listener_count == 0)
        return;
    ops_answer_dashboard(&http->body, &http->view, &http->series, http->view.now - COURSE_NS,
                         uptime(http));
    for (size_t i = 0; i < http->listener_count; i++)
        tell_event(http->listeners[i], &http->body);
}
