/* The server's websockets, by hand; then the client and the server together. */
#include "config.h" /* POSIX names */

#include "net/net.h"
#include "net/server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net_client.h"
#include "net_site.h"

TestSuite(server_websocket, .timeout = 60);
TestSuite(pair, .timeout = 60);

static struct error error;
static char text[64 * 1024];

/* --- the server's websockets ------------------------------------------------------------------ */

static struct raw raw_websocket(const struct site *site, const char *path)
{
    struct raw raw = raw_open(site);
    raw_upgrade(&raw, path);
    return raw;
}

static void raw_frame(struct raw *raw, unsigned first, const char *payload, size_t length)
{
    static char bytes[2 * 1024 * 1024];
    cr_assert_lt(length + 14, sizeof bytes);
    raw_send(raw, bytes, peer_frame(bytes, first, payload, length, true));
}

/* Read exactly the frame whose bytes are given. */
static void expect_frame(struct raw *raw, unsigned first, const char *payload, size_t length)
{
    static char bytes[2 * 1024 * 1024], got[2 * 1024 * 1024];
    size_t whole = peer_frame(bytes, first, payload, length, false);
    for (size_t at = 0; at < whole;) {
        size_t piece = raw_read(raw, got + at, whole - at + 1, NULL);
        cr_assert_gt(piece, 0, "it ended after %zu of %zu bytes", at, whole);
        at += piece;
    }
    cr_assert_eq(memcmp(bytes, got, whole), 0, "frame %x of %zu bytes is not as expected: %x %x",
                 first, length, (unsigned char)got[0], (unsigned char)got[1]);
}

static void speak(bool tls)
{
    static char big[1024 * 1024];
    struct site *site = site_start(NULL, tls);
    struct raw raw = raw_websocket(site, "/hello");
    expect_frame(&raw, 0x81, "hello", 5);
    raw_frame(&raw, 0x81, "one", 3);
    expect_frame(&raw, 0x81, "one", 3);
    raw_frame(&raw, 0x01, "t", 1);
    raw_frame(&raw, 0x89, "there?", 6);
    raw_frame(&raw, 0x80, "wo", 2);
    expect_frame(&raw, 0x8a, "there?", 6);
    expect_frame(&raw, 0x81, "two", 3);
    memset(big, 'x', sizeof big);
    raw_frame(&raw, 0x81, big, sizeof big);
    expect_frame(&raw, 0x81, big, sizeof big);
    raw_frame(&raw, 0x81, "ping", 4);
    expect_frame(&raw, 0x89, "are you there", 13);
    raw_frame(&raw, 0x8a, "are you there", 13);
    raw_frame(&raw, 0x88,
              "\x03\xe8"
              "bye",
              5);
    expect_frame(&raw, 0x88,
                 "\x03\xe8"
                 "bye",
                 5);
    cr_assert_eq(raw_ended(&raw, 10000), 1);
    cr_assert_eq(site_texts(site), 4);
    raw_close(&raw);
    site_await_closed(site, 1);
    site_stop(site);
}

Test(server_websocket, speaks)
{
    speak(false);
    speak(true);
}

Test(server_websocket, frames_may_come_with_the_handshake)
{
    struct site *site = site_start(NULL, false);
    struct raw raw = raw_open(site);
    char bytes[1024];
    int length = snprintf(bytes, sizeof bytes,
                          "GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: WebSocket\r\nconnection: "
                          "keep-alive, upgrade\r\nsec-websocket-version: 13\r\n"
                          "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    length += (int)peer_frame(bytes + length, 0x81, "early", 5, true);
    raw_send(&raw, bytes, (size_t)length);
    raw_read(&raw, text, sizeof text, "early");
    cr_assert_not_null(strstr(text, "\r\n\r\n\x81\x05"
                                    "early"),
                       "%s", text);
    raw_close(&raw);
    site_stop(site);
}

Test(server_websocket, what_is_no_handshake_is_told_apart)
{
    static const char *const lines[] = {
        "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Version: 13\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n",
        ("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
         "Content-Length: 1\r\n"),
    };
    struct site *site = site_start(NULL, false);
    char request[512];
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        snprintf(
            request, sizeof request,
            "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: close, upgrade\r\n"
            "%s\r\nx",
            lines[i]);
        const char *answer = raw_exchange(site, request);
        cr_assert_eq(strncmp(answer, "HTTP/1.1 426 ", 13), 0, "%s: %s", lines[i], answer);
    }
    const char *answer =
        raw_exchange(site, "POST /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                           "Connection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                           "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    cr_assert_eq(strncmp(answer, "HTTP/1.1 426 ", 13), 0, "%s", answer);
    cr_assert_not_null(strstr(answer + 1, "HTTP/1.1 426 "), "the connection was not kept: %s",
                       answer);
    site_stop(site);
}

Test(server_websocket, ends_with_a_close_frame_behind_what_waits)
{
    struct site *site = site_start(NULL, true);
    struct raw raw = raw_websocket(site, "/ws");
    raw_frame(&raw, 0x81, "close", 5);
    expect_frame(&raw, 0x81, "before", 6);
    expect_frame(&raw, 0x88,
                 "\x03\xe9"
                 "as you wish",
                 13);
    raw_frame(&raw, 0x88, "\x03\xe9", 2);
    cr_assert_eq(raw_ended(&raw, 10000), 1);
    raw_close(&raw);
    site_await_closed(site, 1);
    raw = raw_websocket(site, "/ws");
    raw_frame(&raw, 0x81, "reset", 5);
    cr_assert_eq(raw_ended(&raw, 10000), -1);
    raw_close(&raw);
    site_await_closed(site, 2);
    raw = raw_websocket(site, "/ws");
    raw_close(&raw); /* without a word */
    site_await_closed(site, 3);
    cr_assert_eq(site_texts(site), 2);
    site_stop(site);
}

Test(server_websocket, broken_frames_end_it)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *close;
        size_t close_length;
    } cases[] = {
        {"\x81\x03"
         "abc",
         5, "\x03\xea", 2},                                           /* not masked */
        {"\xc1\x81\0\0\0\0x", 7, "\x03\xea", 2},                      /* a reserved bit */
        {"\x83\x81\0\0\0\0x", 7, "\x03\xea", 2},                      /* a reserved opcode */
        {"\x80\x81\0\0\0\0x", 7, "\x03\xea", 2},                      /* goes on with nothing */
        {"\x81\x82\0\0\0\0\xc3\x28", 8, "\x03\xef", 2},               /* no UTF-8 */
        {"\x89\xfe\0\x7e\0\0\0\0", 8, "", 0},                         /* a long ping */
        {"\x81\xff\0\0\0\0\0\x10\0\x01\0\0\0\0x", 15, "\x03\xf1", 2}, /* 1 MiB and 1 */
    };
    struct site *site = site_start(NULL, false);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct raw raw = raw_websocket(site, "/ws");
        raw_send(&raw, cases[i].bytes, cases[i].length);
        expect_frame(&raw, 0x88, cases[i].close, cases[i].close_length);
        cr_assert_eq(raw_ended(&raw, 10000), 1, "%zu", i);
        raw_close(&raw);
    }
    cr_assert_eq(site_texts(site), 0);
    site_stop(site);
}

Test(server_websocket, pieces_without_end_cost_nothing)
{
    struct site *site = site_start(NULL, false);
    struct raw raw = raw_websocket(site, "/ws");
    static char bytes[600 * 1000];
    size_t length = peer_frame(bytes, 0x01, "a", 1, true);
    while (length + 20 < sizeof bytes)
        length += peer_frame(bytes + length, 0x00, "", 0, true);
    length += peer_frame(bytes + length, 0x80, "b", 1, true);
    raw_send(&raw, bytes, length);
    expect_frame(&raw, 0x81, "ab", 2);
    raw_close(&raw);
    site_stop(site);
}

Test(server_websocket, who_pings_and_does_not_read_is_dropped)
{
    const struct net_server_options options = {.unsent_bytes_max = 256 * 1024};
    struct site *site = site_start(&options, false);
    struct raw raw = raw_websocket(site, "/ws");
    static char bytes[131 * 1000];
    size_t length = 0;
    while (length + 131 < sizeof bytes)
        length += peer_frame(bytes + length, 0x89, text, 125, true);
    for (int i = 0; i < 200 && site_closed(site) == 0; i++) /* at most 26 MB */
        raw_send(&raw, bytes, length);
    site_await_closed(site, 1);
    raw_close(&raw);
    site_stop(site);
}

/* --- both ------------------------------------------------------------------------------------- */

Test(pair, requests_and_answers)
{
    struct site *site = site_start(NULL, true);
    struct net *net = client_open();
    struct answer answer = {.wanted = "x-site"};
    size_t length = 1024 * 1024 - 1;
    char *body = malloc(length + 1);
    cr_assert_not_null(body);
    memset(body, 'x', length);
    body[length] = '\0';
    client_do(net, "POST", site_url("https", site, "echo?a=b"), body, &answer);
    cr_assert_eq(answer.outcome, NET_ANSWERED, "%s", answer.failure);
    cr_assert_eq(answer.status, 200);
    cr_assert_str_eq(answer.header, "echo");
    cr_assert_not_null(strstr(answer.body, "POST|/echo|a=b\n"));
    cr_assert_str_eq(answer.body + answer.length - length, body);
    client_do(net, "GET", site_url("https", site, "big"), NULL, &answer);
    cr_assert_eq(answer.length, SITE_BIG);
    client_do(net, "GET", site_url("https", site, "stream"), NULL, &answer);
    cr_assert_str_eq(answer.body, "one\ntwo\nthree\n");
    client_do(net, "DELETE", site_url("https", site, "later"), NULL, &answer);
    cr_assert_eq(answer.status, 200);
    cr_assert_eq(site_closed(site), 0, "the connection was not kept");
    free(body);
    answer_free(&answer);
    net_close(&net);
    site_stop(site);
}

Test(pair, faults_are_unknown_and_happen_once)
{
    static const char *const paths[] = {"reset", "drop", "stall"};
    static const char *const methods[] = {"GET", "POST", "DELETE"};
    struct site *site = site_start(NULL, true);
    struct net *net = client_open();
    struct answer answer = {0};
    unsigned requests = 0;
    for (size_t i = 0; i < 9; i++) {
        struct net_request request = {.method = methods[i / 3],
                                      .timeout_ns = i % 3 == 2 ? NS_PER_SECOND : PATIENCE,
                                      .done = client_done,
                                      .context = &answer};
        client_do(net, "GET", site_url("https", site, "echo"), NULL, &answer);
        cr_assert_eq(answer.outcome, NET_ANSWERED, "%s", answer.failure);
        request.url = site_url("https", site, paths[i % 3]);
        cr_assert_gt(net_request(net, &request, &error), 0);
        client_until(net, &answer.count, 2 * (unsigned)i + 2);
        cr_assert_eq(answer.outcome, NET_UNKNOWN, "%s", answer.failure);
        requests += 2;
        site_await_requests(site, requests);
        cr_assert_eq(site_requests(site), requests, "%s %s arrived again", request.method,
                     paths[i % 3]);
    }
    answer_free(&answer);
    net_close(&net);
    site_stop(site);
}

/* A server that ends idle connections costs no request, as often as it does so. */
Test(pair, idle_connections_that_end_are_no_failure)
{
    const struct net_server_options options = {.request_timeout_ns = NS_PER_SECOND};
    struct site *site = site_start(&options, true);
    struct net *net = client_open();
    struct answer answer = {0};
    for (unsigned i = 1; i <= 3; i++) {
        client_do(net, "POST", site_url("https", site, "echo"), "x", &answer);
        cr_assert_eq(answer.outcome, NET_ANSWERED, "%s", answer.failure);
        /* The client sleeps through the end, so that it stands in its socket; the server tells it after
         * it has waited for the client's own. */
        site_await_closed(site, i);
    }
    cr_assert_eq(site_requests(site), 3);
    answer_free(&answer);
    net_close(&net);
    site_stop(site);
}

Test(pair, lines)
{
    struct site *site = site_start(NULL, true);
    struct seen seen = {.net = client_open()}, on = {.net = seen.net};
    open_lines(&seen, site_url("https", site, "stream"), PATIENCE);
    client_until(seen.net, &seen.closed, 1);
    cr_assert_str_eq(seen.text, "one|two|three|");
    open_lines(&on, site_url("https", site, "stream-on"), PATIENCE);
    client_until(on.net, &on.texts, 20);
    net_lines_close(&on.stream);
    site_await_closed(site, 1); /* of the two connections the first is kept */
    free(on.text);
    seen_end(&seen);
    site_stop(site);
}

Test(pair, websockets)
{
    struct site *site = site_start(NULL, true);
    struct seen seen = {.net = client_open()};
    open_websocket(&seen, site_url("wss", site, "hello"));
    client_until(seen.net, &seen.texts, 1);
    cr_assert_eq(net_websocket_send(seen.websocket, "ping", 4, &error), 0);
    client_until(seen.net, &seen.pings, 1);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(net_websocket_send(seen.websocket, "again", 5, &error), 0);
    client_until(seen.net, &seen.texts, 1001);
    cr_assert_eq(net_websocket_send(seen.websocket, "close", 5, &error), 0);
    client_until(seen.net, &seen.closed, 1);
    cr_assert_str_eq(seen.why, "closed by the peer: 1001 as you wish");
    cr_assert_not_null(strstr(seen.text, "again|before|"));
    site_await_closed(site, 1);
    seen_end(&seen);

    struct seen refused = {.net = client_open()}, reset = {.net = refused.net};
    open_websocket(&refused, site_url("wss", site, "echo"));
    client_until(refused.net, &refused.closed, 1);
    cr_assert_str_eq(refused.why, "the handshake was refused: HTTP status 200");
    open_websocket(&reset, site_url("wss", site, "ws"));
    client_until(reset.net, &reset.opened, 1);
    cr_assert_eq(net_websocket_send(reset.websocket, "reset", 5, &error), 0);
    client_until(reset.net, &reset.closed, 1);
    seen_end(&refused);
    site_stop(site);
}

Test(pair, a_client_that_closes_is_seen)
{
    struct site *site = site_start(NULL, true);
    struct seen seen = {.net = client_open()};
    open_websocket(&seen, site_url("wss", site, "ws"));
    client_until(seen.net, &seen.opened, 1);
    net_websocket_close(&seen.websocket);
    site_await_closed(site, 1);
    seen_end(&seen);
    site_stop(site);
}

Test(pair, a_lot_at_one_time_leaves_room_for_requests)
{
    struct site *site = site_start(NULL, true);
    struct seen seen = {.net = client_open()};
    struct answer answer = {0};
    open_websocket(&seen, site_url("wss", site, "ws"));
    client_until(seen.net, &seen.opened, 1);
    cr_assert_eq(net_websocket_send(seen.websocket, "much", 4, &error), 0);
    client_until(seen.net, &seen.texts, 1);
    client_do(seen.net, "GET", site_url("https", site, "echo"), NULL, &answer);
    cr_assert_eq(answer.outcome, NET_ANSWERED);
    client_until(seen.net, &seen.texts, 40);
    cr_assert_eq(seen.length, 40 * (size_t)(SITE_BIG / 8 + 1));
    answer_free(&answer);
    seen_end(&seen);
    site_stop(site);
}
