/* HTTP/1.1 of the server: requests in, one by one; answers out, in their order. */
#include "config.h" /* POSIX names */

#include "net/server_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"
#include "net/handshake.h"

enum { HEADER_COST = 4, LINE_COST = 12 }; /* ": " and line end; what of the line is no URL */

const char *net_incoming_header(const struct net_incoming *incoming, const char *name)
{
    return headers_find(incoming->headers, incoming->header_count, name);
}

/* --- parsing ---------------------------------------------------------------------------------- */

/* Each of these is called by http-parser, whose way to stop is a status that is not 0. */

static struct net_client *client_of(http_parser *parser)
{
    return parser->data;
}

static int stop(struct net_client *client, int status)
{
    client->error = status;
    return -1;
}

static int check_room(struct net_client *client)
{
    const struct headers *headers = &client->headers;
    size_t used =
        buffer_length(&client->target) + LINE_COST + headers->bytes + HEADER_COST * headers->count;
    return used > client->server->options.header_bytes_max ? stop(client, 431) : 0;
}

static int begin_message(http_parser *parser)
{
    struct net_client *client = client_of(parser);
    client->in_message = true;
    client->deadline_ns = clock_now(&clock_monotonic) + client->server->options.request_timeout_ns;
    buffer_clear(&client->target);
    buffer_clear(&client->body);
    headers_begin(&client->headers, client->server->options.header_bytes_max);
    return 0;
}

static int take_target(http_parser *parser, const char *bytes, size_t length)
{
    struct net_client *client = client_of(parser);
    if (!buffer_append(&client->target, bytes, length))
        return stop(client, 503);
    return check_room(client);
}

static int take_name(http_parser *parser, const char *bytes, size_t length)
{
    struct net_client *client = client_of(parser);
    if (parser->flags & F_TRAILING)
        return 0; /* of no interest; http-parser bounds them */
    if (!headers_name(&client->headers, bytes, length))
        return stop(client, 431);
    return check_room(client);
}

static int take_value(http_parser *parser, const char *bytes, size_t length)
{
    struct net_client *client = client_of(parser);
    if (parser->flags & F_TRAILING)
        return 0;
    if (!headers_value(&client->headers, bytes, length))
        return stop(client, 431);
    return check_room(client);
}

/* RFC 9112, section 5.1: a name with space behind it, which http-parser lets through, is to be
 * refused, since others may read something else. */
static bool names_are_whole(const struct headers *headers)
{
    for (size_t i = 0; i < headers->count; i++)
        if (headers->list[i].name[strcspn(headers->list[i].name, " \t")] != '\0')
            return false;
    return true;
}

static int end_headers(http_parser *parser)
{
    struct net_client *client = client_of(parser);
    struct headers *headers = &client->headers;
    bool is_new = parser->http_minor > 0;
    if (!headers_end(headers))
        return stop(client, 431);
    if (parser->http_major != 1 || parser->method == HTTP_CONNECT || !names_are_whole(headers))
        return stop(client, 400);
    /* RFC 9112, section 3.2 */
    if (is_new && headers_find(headers->list, headers->count, "host") == NULL)
        return stop(client, 400);
    bool has_length = parser->content_length != UINT64_MAX;
    if (has_length && parser->content_length > client->server->options.body_bytes_max)
        return stop(client, 413);
    bool waits = headers_list_token(headers->list, headers->count, "expect", "100-continue");
    if (is_new && waits && client->pending_count == 0 && !client->refused)
        connection_append_text(client, "HTTP/1.1 100 Continue\r\n\r\n");
    return 0;
}

static int take_body(http_parser *parser, const char *bytes, size_t length)
{
    struct net_client *client = client_of(parser);
    size_t most = client->server->options.body_bytes_max;
    if (length > most - buffer_length(&client->body))
        return stop(client, 413);
    return buffer_append(&client->body, bytes, length) ? 0 : stop(client, 503);
}

/* The request is told from outside the parser, since whoever is told may do anything. */
static int end_message(http_parser *parser)
{
    client_of(parser)->complete = true;
    http_parser_pause(parser, 1);
    return 0;
}

void http_open(struct net_client *client)
{
    http_parser_init(&client->parser, HTTP_REQUEST);
    client->parser.data = client;
}

/* --- telling ---------------------------------------------------------------------------------- */

/* A handshake as RFC 6455, section 4.2.1, wants it; with what is to be answered. */
static bool wants_websocket(struct net_client *client, size_t body_length)
{
    const struct net_header *list = client->headers.list;
    size_t count = client->headers.count;
    const char *key = headers_find(list, count, "sec-websocket-key");
    const char *version = headers_find(list, count, "sec-websocket-version");
    if (client->server->options.text == NULL || client->parser.method != HTTP_GET ||
        client->parser.http_minor == 0 || body_length > 0 || client->pending_count > 0)
        return false;
    if (!headers_list_token(list, count, "upgrade", "websocket") ||
        !headers_list_token(list, count, "connection", "upgrade") || version == NULL ||
        strcmp(version, "13") != 0 || key == NULL || !handshake_key_is_valid(key))
        return false;
    handshake_accept(key, client->accept_key);
    return true;
}

static void tell(struct net_client *client)
{
    char *target = buffer_first(&client->target);
    char *query = strchr(target, '?');
    size_t body_length = buffer_length(&client->body) - 1;
    bool upgrades = wants_websocket(client, body_length);
    if (query != NULL)
        *query++ = '\0';
    const struct net_incoming incoming = {
        .method = http_method_str((enum http_method)client->parser.method),
        .path = target,
        .query = query != NULL ? query : "",
        .headers = client->headers.list,
        .header_count = client->headers.count,
        .body = buffer_first(&client->body),
        .length = body_length,
        .wants_websocket = upgrades,
    };
    client->pending[client->pending_count++] =
        (struct pending){.keeps = http_should_keep_alive(&client->parser) != 0,
                         .has_body = client->parser.method != HTTP_HEAD,
                         .chunks = client->parser.http_minor > 0};
    if (client->refused) {
        client->pending[client->pending_count - 1].keeps = false;
        net_client_answer(client, 503, "text/plain", NULL, 0, "too many connections\n", 21);
        return;
    }
    client->known = true;
    client->may_upgrade = upgrades;
    client->server->options.request(client->server->options.context, client, &incoming);
    client->may_upgrade = false;
}

/* A request has come whole. */
static void take_message(struct net_client *client)
{
    client->complete = client->in_message = false;
    client->deadline_ns = TIME_NEVER;
    http_parser_pause(&client->parser, 0);
    if (!buffer_append(&client->target, "", 1) || !buffer_append(&client->body, "", 1)) {
        http_refuse(client, 503);
        return;
    }
    bool keeps = http_should_keep_alive(&client->parser) != 0;
    tell(client);
    if (!keeps && client->frames == NULL)
        client->last = true;
}

void http_refuse(struct net_client *client, int status)
{
    char body[64], head[192];
    client->last = true;
    buffer_clear(&client->in);
    client->in_message = false;
    client->deadline_ns = TIME_NEVER;
    if (client->pending_count > 0)
        return; /* their answers come first, and another client's fault is no answer to them */
    const char *reason = http_status_str((enum http_status)status);
    int length = snprintf(body, sizeof body, "%d %s\n", status, reason);
    snprintf(head, sizeof head,
             "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
             "Connection: close\r\n\r\n",
             status, reason, length);
    connection_append_text(client, head);
    connection_append_text(client, body);
}

void http_work(struct net_client *client)
{
    static const http_parser_settings settings = {
        .on_message_begin = begin_message,
        .on_url = take_target,
        .on_header_field = take_name,
        .on_header_value = take_value,
        .on_headers_complete = end_headers,
        .on_body = take_body,
        .on_message_complete = end_message,
    };
    while (!client->over && !client->last && client->frames == NULL && !client->answering &&
           buffer_length(&client->in) > 0 && client->pending_count < CLIENT_PIPELINE_MAX) {
        if (connection_must_drain(client))
            return;
        size_t used = http_parser_execute(&client->parser, &settings, buffer_first(&client->in),
                                          buffer_length(&client->in));
        enum http_errno code = HTTP_PARSER_ERRNO(&client->parser);
        if (client->complete) {
            buffer_consume(&client->in, used);
            take_message(client);
        } else if (code != HPE_OK || client->error != 0) {
            int status = code == HPE_HEADER_OVERFLOW ? 431 : 400;
            http_refuse(client, client->error != 0 ? client->error : status);
        } else {
            buffer_consume(&client->in, used);
        }
    }
}

/* --- answering -------------------------------------------------------------------------------- */

/* A header's line; what could make two lines of it becomes a question mark. */
static void append_header(struct net_client *client, const char *name, const char *value)
{
    const char *const parts[] = {name, ": ", value};
    for (size_t i = 0; i < 3; i++)
        for (const char *c = parts[i]; *c != '\0'; c++) {
            bool fine = (unsigned char)*c >= 0x20 && *c != 0x7f;
            connection_append(client, fine ? c : "?", 1);
        }
    connection_append_text(client, "\r\n");
}

static void append_head(struct net_client *client, int status, const char *content_type,
                        const struct net_header *headers, size_t header_count)
{
    char line[96];
    ASSERT(status >= 200 && status <= 599);
    const char *reason = http_status_str((enum http_status)status);
    snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status,
             reason[0] == '<' ? "Unknown" : reason);
    connection_append_text(client, line);
    if (content_type != NULL)
        append_header(client, "Content-Type", content_type);
    for (size_t i = 0; i < header_count; i++)
        append_header(client, headers[i].name, headers[i].value);
    append_header(client, "Connection", client->pending[0].keeps ? "keep-alive" : "close");
}

/* Whether there is somebody to answer. */
static bool can_answer(const struct net_client *client)
{
    if (client->over || client->state == CLIENT_ENDING || client->frames != NULL)
        return false;
    return client->pending_count > 0;
}

void http_answered(struct net_client *client)
{
    struct pending answered = client->pending[0];
    client->pending_count--;
    memmove(client->pending, client->pending + 1,
            client->pending_count * sizeof client->pending[0]);
    client->answering = false;
    if (!answered.keeps) {
        client->last = true;
        client->pending_count = 0; /* nothing was taken in behind it */
    }
    if (client->pending_count == 0 && !client->in_message && !client->last)
        client->deadline_ns =
            clock_now(&clock_monotonic) + client->server->options.request_timeout_ns;
    client->more = true;
}

void net_client_answer(struct net_client *client, int status, const char *content_type,
                       const struct net_header *headers, size_t header_count, const char *body,
                       size_t length)
{
    char line[64];
    if (!can_answer(client))
        return;
    ASSERT(!client->answering);
    append_head(client, status, content_type, headers, header_count);
    bool has_length = status != 204 && status != 304;
    snprintf(line, sizeof line, has_length ? "Content-Length: %zu\r\n\r\n" : "\r\n", length);
    connection_append_text(client, line);
    if (has_length && client->pending[0].has_body)
        connection_append(client, body, length);
    http_answered(client);
}

void net_client_begin(struct net_client *client, int status, const char *content_type,
                      const struct net_header *headers, size_t header_count)
{
    if (!can_answer(client))
        return;
    ASSERT(!client->answering);
    client->answering = true;
    if (!client->pending[0].chunks)
        client->pending[0].keeps = false; /* of HTTP/1.0 the end of the connection is the body's */
    append_head(client, status, content_type, headers, header_count);
    connection_append_text(client, client->pending[0].chunks ? "Transfer-Encoding: chunked\r\n\r\n"
                                                             : "\r\n");
}

void net_client_write(struct net_client *client, const char *bytes, size_t length)
{
    char line[32];
    if (!can_answer(client))
        return;
    ASSERT(client->answering);
    if (length == 0 || !client->pending[0].has_body)
        return;
    if (client->pending[0].chunks) {
        snprintf(line, sizeof line, "%zx\r\n", length);
        connection_append_text(client, line);
    }
    connection_append(client, bytes, length);
    if (client->pending[0].chunks)
        connection_append_text(client, "\r\n");
}

void net_client_end(struct net_client *client)
{
    if (!can_answer(client))
        return;
    ASSERT(client->answering);
    if (client->pending[0].chunks && client->pending[0].has_body)
        connection_append_text(client, "0\r\n\r\n");
    http_answered(client);
}
