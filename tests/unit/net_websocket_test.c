/* The client's websockets, against a peer that is written by hand. */
#include "config.h" /* POSIX names */

#include "net/net.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "net_client.h"

TestSuite(websocket, .timeout = 60);

static struct error error;

/* --- websockets: the handshake ---------------------------------------------------------------- */

/* The peer's part of a websocket's life after the handshake. */
static void upgrade_and(struct peer_connection *connection, void *context)
{
    void (*const *then)(struct peer_connection * connection) = context;
    if (peer_upgrade(connection, ""))
        (*then)(connection);
}

/* A websocket to a peer that does that, with what it was told. */
struct pair {
    struct peer *peer;
    struct seen seen;
    void (*script)(struct peer_connection *connection);
};

static void pair_start(struct pair *pair, void (*script)(struct peer_connection *connection))
{
    pair->script = script;
    pair->peer =
        peer_start(&(struct peer_options){.script = upgrade_and, .context = &pair->script});
    pair->seen.net = client_open();
    open_websocket(&pair->seen, client_url("wss", pair->peer, "ws/btcusdt@depth?x=y"));
    cr_assert_eq(pair->seen.opened, 0, "called back from within net_websocket_open");
}

static void pair_end(struct pair *pair)
{
    seen_end(&pair->seen);
    peer_stop(pair->peer);
}

static void check_request(struct peer_connection *connection)
{
    static const char *const parts[] = {"GET /ws/btcusdt@depth?x=y HTTP/1.1\r\n",
                                        "Host: 127.0.0.1:",
                                        "Upgrade: websocket\r\n",
                                        "Connection: Upgrade\r\n",
                                        "Sec-WebSocket-Version: 13\r\n",
                                        "User-Agent: capstan/",
                                        "X-MBX-APIKEY: hidden\r\n"};
    char missing[64] = "all is there";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!peer_request_has(connection, parts[i]))
            snprintf(missing, sizeof missing, "%s", parts[i]);
    peer_send_frame(connection, 0x81, missing, strlen(missing));
    peer_await_close(connection);
}

Test(websocket, asks_as_the_rfc_says)
{
    struct pair pair = {0};
    pair_start(&pair, check_request);
    client_until(pair.seen.net, &pair.seen.texts, 1);
    cr_assert_str_eq(pair.seen.text, "all is there|");
    pair_end(&pair);
}

static void expect_no_opening(const char *answer, size_t length, bool trickle, const char *why)
{
    struct play what = {answer, length, trickle, peer_await_close};
    struct peer *peer = peer_start(&(struct peer_options){.script = play, .context = &what});
    struct seen seen = {.net = client_open()};
    open_websocket_for(&seen, client_url("wss", peer, ""), why == NULL ? 60 * NS_PER_MS : PATIENCE);
    client_until(seen.net, &seen.closed, 1);
    cr_assert_eq(seen.opened, 0);
    cr_assert_not_null(strstr(seen.why, why == NULL ? "not open in time" : why), "%s: %s", answer,
                       seen.why);
    seen_end(&seen);
    peer_stop(peer);
}

Test(websocket, a_refused_handshake_closes)
{
    static const struct {
        const char *answer, *why;
    } cases[] = {
        {"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", "HTTP status 403"},
        {"HTTP/1.1 429 Slow\r\n\r\n", "HTTP status 429"},
        {"HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", "HTTP status 200"},
        {"HTTP/1.1 101 Yes\r\n\r\n", "does not upgrade"},
        {"HTTP/1.1 101 Yes\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", "does not upgrade"},
        {"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n", "Connection"},
        {"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", "Accept"},
        {"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
         "Accept"},
        {"nonsense\r\n\r\n", "handshake"},
        {"\x15\x03\x01", "handshake"},
        {"HTTP/1.1 101 Yes\r\nUpgrade", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int trickle = 0; trickle < 2; trickle++)
            expect_no_opening(cases[i].answer, strlen(cases[i].answer), trickle, cases[i].why);
}

Test(websocket, a_handshake_without_end_closes)
{
    enum { LENGTH = 40000 };
    char *answer = malloc(LENGTH + 1);
    cr_assert_not_null(answer);
    memset(answer, 'x', LENGTH);
    answer[LENGTH] = '\0';
    memcpy(answer, "HTTP/1.1 101 ", 13);
    expect_no_opening(answer, LENGTH, false, "handshake");
    memcpy(answer, "HTTP/1.1 101 Yes\r\nA: ", 21);
    expect_no_opening(answer, LENGTH, false, "too long");
    free(answer);
}

static void upgrade_with_extension(struct peer_connection *connection, void *context)
{
    if (peer_upgrade(connection, context))
        peer_await_close(connection);
}

Test(websocket, what_was_not_asked_for_is_refused)
{
    static char extras[][64] = {"Sec-WebSocket-Extensions: permessage-deflate\r\n",
                                "Sec-WebSocket-Protocol: chat\r\n"};
    for (size_t i = 0; i < 2; i++) {
        struct peer *peer = peer_start(
            &(struct peer_options){.script = upgrade_with_extension, .context = extras[i]});
        struct seen seen = {.net = client_open()};
        open_websocket(&seen, client_url("wss", peer, ""));
        client_until(seen.net, &seen.closed, 1);
        cr_assert_not_null(strstr(seen.why, "not asked for"), "%s", seen.why);
        cr_assert_eq(seen.opened, 0);
        seen_end(&seen);
        peer_stop(peer);
    }
}

Test(websocket, a_server_that_is_not_the_one_meant_is_closed)
{
    const struct certificates *all = certificates();
    void (*then)(struct peer_connection * connection) = peer_await_close;
    const struct peer_options servers[] = {
        {.script = upgrade_and, .context = &then, .certificate = all->expired},
        {.script = upgrade_and, .context = &then, .certificate = all->wrong_host},
        {.script = upgrade_and, .context = &then, .certificate = all->stranger},
        {.script = upgrade_and, .context = &then, .old_tls = true}};
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        struct peer *peer = peer_start(&servers[i]);
        struct seen seen = {.net = client_open()};
        open_websocket(&seen, client_url("wss", peer, ""));
        client_until(seen.net, &seen.closed, 1);
        cr_assert_eq(seen.opened, 0);
        cr_assert_eq(peer_requests(peer), 0);
        seen_end(&seen);
        peer_stop(peer);
    }
}

Test(websocket, nobody_there_is_closed)
{
    struct peer *peer = peer_start(&(struct peer_options){.script = upgrade_and});
    char url[256];
    snprintf(url, sizeof url, "%s", client_url("wss", peer, ""));
    peer_stop(peer);
    struct seen seen = {.net = client_open()};
    open_websocket(&seen, url);
    client_until(seen.net, &seen.closed, 1);
    cr_assert_eq(seen.opened, 0);
    seen_end(&seen);
    seen = (struct seen){.net = client_open()};
    open_websocket_for(&seen, "wss://nowhere.invalid/", 100 * NS_PER_MS);
    client_until(seen.net, &seen.closed, 1);
    seen_end(&seen);
}

Test(websocket, what_cannot_be_begun_is_an_error)
{
    struct seen seen = {.net = client_open()};
    struct net_websocket_options options = {.url = "https://127.0.0.1/",
                                            .connect_timeout_ns = NS_PER_SECOND,
                                            .text = see_text,
                                            .closed = see_close,
                                            .context = &seen};
    cr_assert_eq(net_websocket_open(seen.net, &options, &seen.websocket, &error), ERROR_INPUT);
    options.url = "ws://127.0.0.1/";
    cr_assert_eq(net_websocket_open(seen.net, &options, &seen.websocket, &error), ERROR_INPUT);
    options.url = "wss://127.0.0.1/";
    options.headers[0] = (struct net_header){"Sec-WebSocket-Extensions", "permessage-deflate"};
    options.header_count = 1;
    cr_assert_eq(net_websocket_open(seen.net, &options, &seen.websocket, &error), ERROR_INPUT);
    options.header_count = 0;
    options.connect_timeout_ns = 0;
    cr_assert_eq(net_websocket_open(seen.net, &options, &seen.websocket, &error), ERROR_INPUT);
    struct net_lines_options lines = {
        .url = "wss://x/", .silence_ns = 1, .line = see_text, .closed = see_lines_close};
    cr_assert_eq(net_lines_open(seen.net, &lines, &seen.stream, &error), ERROR_INPUT);
    lines.url = "https://x/";
    lines.silence_ns = 0;
    cr_assert_eq(net_lines_open(seen.net, &lines, &seen.stream, &error), ERROR_INPUT);
    cr_assert(seen.websocket == NULL && seen.stream == NULL);
    seen_end(&seen);
}

/* --- websockets: messages --------------------------------------------------------------------- */

static void send_kinds(struct peer_connection *connection)
{
    peer_send_frame(connection, 0x81, "text", 4);
    peer_send_frame(connection, 0x82, "binary\0end", 10);
    peer_send_frame(connection, 0x81, "", 0);
    peer_send_frame(connection, 0x01, "be", 2); /* begins */
    peer_send_frame(connection, 0x89, "are you there", 13);
    peer_send_frame(connection, 0x00, "", 0);
    peer_send_frame(connection, 0x00, "gi", 2); /* goes on */
    peer_send_frame(connection, 0x8a, "unasked", 7);
    peer_send_frame(connection, 0x80, "ns", 2); /* ends */
    peer_send_frame(connection, 0x81, "\xc3\xa9\xe2\x82\xac", 5);
    int first = peer_read_frame(connection);
    bool echoed = first == 0x8a && strcmp(connection->body, "are you there") == 0;
    peer_send_frame(connection, 0x81, echoed ? "echoed" : connection->body,
                    echoed ? 6 : connection->body_length);
    peer_await_close(connection);
}

Test(websocket, messages_of_all_kinds_come_whole)
{
    struct pair pair = {0};
    pair_start(&pair, send_kinds);
    client_until(pair.seen.net, &pair.seen.texts, 6);
    cr_assert_eq(
        memcmp(pair.seen.text, "text|binary\0end||begins|\xc3\xa9\xe2\x82\xac|echoed|", 38), 0);
    cr_assert_eq(pair.seen.pings, 1);
    pair_end(&pair);
}

static void trickle_frames(struct peer_connection *connection)
{
    char bytes[512], long_text[300];
    memset(long_text, 'y', sizeof long_text);
    size_t length = peer_frame(bytes, 0x81, "abc", 3, false);
    length += peer_frame(bytes + length, 0x89, "", 0, false);
    length += peer_frame(bytes + length, 0x81, long_text, sizeof long_text, false);
    peer_trickle(connection, bytes, length);
    peer_await_close(connection);
}

Test(websocket, bytes_may_come_one_by_one)
{
    struct pair pair = {0};
    pair_start(&pair, trickle_frames);
    client_until(pair.seen.net, &pair.seen.texts, 2);
    cr_assert_eq(pair.seen.length, 3 + 1 + 300 + 1);
    cr_assert_eq(pair.seen.pings, 1);
    pair_end(&pair);
}

enum { BIG = 5 * 1024 * 1024, FRAGMENT = 100 * 1000 };

static void fill(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + i * 7 % 26 + (i / 1000) % 2);
}

static void send_big(struct peer_connection *connection)
{
    char *text = malloc(BIG);
    if (text == NULL)
        return;
    fill(text, BIG);
    for (size_t at = 0; at < BIG; at += FRAGMENT) {
        size_t length = BIG - at < FRAGMENT ? BIG - at : FRAGMENT;
        unsigned first = (at == 0 ? 1u : 0u) | (at + length == BIG ? 0x80u : 0u);
        peer_send_frame(connection, first, text + at, length);
        peer_send_frame(connection, 0x89, "x", 1);
    }
    peer_send_frame(connection, 0x81, text, BIG);
    free(text);
    peer_await_close(connection);
}

Test(websocket, a_big_message_comes_whole_in_pieces_or_one)
{
    struct pair pair = {0};
    char *expected = malloc(BIG);
    cr_assert_not_null(expected);
    fill(expected, BIG);
    pair_start(&pair, send_big);
    client_until(pair.seen.net, &pair.seen.texts, 2);
    cr_assert_eq(pair.seen.length, 2 * (BIG + 1));
    cr_assert_eq(memcmp(pair.seen.text, expected, BIG), 0);
    cr_assert_eq(memcmp(pair.seen.text + BIG + 1, expected, BIG), 0);
    cr_assert_eq(pair.seen.pings, (BIG + FRAGMENT - 1) / FRAGMENT);
    free(expected);
    pair_end(&pair);
}

/* Reads nothing until it has slept, then everything, and tells how long it was and whether it was
 * right. */
static void read_late(struct peer_connection *connection)
{
    const struct timespec pause = {.tv_nsec = 50 * 1000000};
    char report[128], *expected = malloc(BIG);
    if (expected == NULL)
        return;
    fill(expected, BIG);
    nanosleep(&pause, NULL);
    unsigned right = 0;
    while (right < 3 && peer_read_frame(connection) == 0x81 && connection->body_length == BIG &&
           memcmp(connection->body, expected, BIG) == 0)
        right++;
    free(expected);
    snprintf(report, sizeof report, "%u right", right);
    peer_send_frame(connection, 0x81, report, strlen(report));
    peer_await_close(connection);
}

static void send_three(struct seen *seen)
{
    char *text = malloc(BIG);
    cr_assert_not_null(text);
    fill(text, BIG);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(net_websocket_send(seen->websocket, text, BIG, &error), 0, "%s", error.text);
    free(text);
}

Test(websocket, what_a_slow_peer_does_not_take_waits)
{
    struct pair pair = {.seen = {.on_open = send_three}};
    pair_start(&pair, read_late);
    client_until(pair.seen.net, &pair.seen.texts, 1);
    cr_assert_str_eq(pair.seen.text, "3 right|");
    pair_end(&pair);
}

Test(websocket, what_waits_is_bounded)
{
    struct pair pair = {0};
    pair_start(&pair, peer_await_stop);
    cr_assert_eq(net_websocket_send(pair.seen.websocket, "early", 5, &error), ERROR_SYSTEM);
    client_until(pair.seen.net, &pair.seen.opened, 1);
    size_t length = NET_FRAME_MAX;
    char *text = calloc(1, length + 1);
    cr_assert_not_null(text);
    cr_assert_eq(net_websocket_send(pair.seen.websocket, text, length + 1, &error), ERROR_SYSTEM);
    /* Each is taken into the queue at once, the system takes some of it. */
    int status = 0, sent = 0;
    for (; status == 0 && sent < 5; sent++)
        status = net_websocket_send(pair.seen.websocket, text, length, &error);
    cr_assert_eq(status, ERROR_SYSTEM);
    cr_assert_eq(sent, 2); /* the first counts as a whole until all of it went */
    free(text);
    net_websocket_close(&pair.seen.websocket);
    pair_end(&pair);
}

static void echo(struct peer_connection *connection)
{
    while (peer_read_frame(connection) == 0x81)
        peer_send_frame(connection, 0x81, connection->body, connection->body_length);
}

static void answer_text(struct seen *seen)
{
    char text[32];
    if (seen->texts >= 50)
        return;
    int length = snprintf(text, sizeof text, "%u", seen->texts);
    cr_assert_eq(net_websocket_send(seen->websocket, text, (size_t)length, &error), 0);
}

Test(websocket, a_callback_may_send)
{
    struct pair pair = {.seen = {.on_open = answer_text, .on_text = answer_text}};
    pair_start(&pair, echo);
    client_until(pair.seen.net, &pair.seen.texts, 50);
    cr_assert_eq(strncmp(pair.seen.text, "0|1|2|3|", 8), 0);
    cr_assert_not_null(strstr(pair.seen.text, "|48|49|"));
    pair_end(&pair);
}

enum { FLOOD = 100000 };

static void flood(struct peer_connection *connection)
{
    static char bytes[FLOOD * 12];
    char text[16];
    size_t length = 0;
    for (int i = 0; i < FLOOD; i++) {
        int digits = snprintf(text, sizeof text, "%07d", i);
        length += peer_frame(bytes + length, 0x81, text, (size_t)digits, false);
    }
    peer_write(connection, bytes, length);
    peer_await_close(connection);
}

Test(websocket, a_flood_comes_whole_and_in_order)
{
    struct pair pair = {0};
    pair_start(&pair, flood);
    client_until(pair.seen.net, &pair.seen.texts, FLOOD);
    for (int i = 0; i < FLOOD; i++)
        cr_assert_eq(strtol(pair.seen.text + (size_t)i * 8, NULL, 10), i);
    pair_end(&pair);
}

/* --- websockets: endings ---------------------------------------------------------------------- */

static void expect_end(void (*script)(struct peer_connection *connection), unsigned texts,
                       const char *why)
{
    struct pair pair = {0};
    pair_start(&pair, script);
    client_until(pair.seen.net, &pair.seen.closed, 1);
    cr_assert_eq(pair.seen.opened, 1);
    cr_assert_eq(pair.seen.texts, texts);
    cr_assert_not_null(strstr(pair.seen.why, why), "%s: %s", why, pair.seen.why);
    client_for(pair.seen.net, 5 * NS_PER_MS);
    pair_end(&pair);
}

/* What the client answered to the end of the last script that waited for it: opcode and code. */
static atomic_int answered;

static void await_answer(struct peer_connection *connection)
{
    int first = peer_read_frame(connection);
    int code = first == 0x88 && connection->body_length >= 2
                   ? (unsigned char)connection->body[0] << 8 | (unsigned char)connection->body[1]
                   : 0;
    atomic_store(&answered, first < 0 ? first : first << 16 | code);
    peer_await_close(connection);
}

static void close_in_order(struct peer_connection *connection)
{
    peer_send_frame(connection, 0x81, "last", 4);
    peer_send_frame(connection, 0x88, "\x03\xe9going\naway", 12);
    peer_send_frame(connection, 0x81, "too late", 8);
    await_answer(connection);
}

static void close_without_code(struct peer_connection *connection)
{
    peer_send_frame(connection, 0x88, "", 0);
    await_answer(connection);
}

static void just_cut(struct peer_connection *connection)
{
    peer_send_frame(connection, 0x81, "last", 4);
    peer_send_frame(connection, 0x01, "not all", 7);
    peer_cut(connection);
}

static void just_end(struct peer_connection *connection)
{
    peer_send_frame(connection, 0x81, "last", 4);
    peer_write(connection,
               "\x81\x05"
               "12",
               4);
}

static void just_reset(struct peer_connection *connection)
{
    peer_reset(connection);
}

static void send_raw(struct peer_connection *connection, const char *bytes, size_t length)
{
    peer_write(connection, bytes, length);
    await_answer(connection);
}

static void break_reserved(struct peer_connection *connection)
{
    send_raw(connection, "\xc1\x01x", 3);
}

static void break_opcode(struct peer_connection *connection)
{
    send_raw(connection, "\x83\x01x", 3);
}

static void break_mask(struct peer_connection *connection)
{
    send_raw(connection, "\x81\x81\x01\x02\x03\x04x", 7);
}

static void break_fragments(struct peer_connection *connection)
{
    send_raw(connection, "\x01\x01x\x81\x01x", 6);
}

static void break_continuation(struct peer_connection *connection)
{
    send_raw(connection, "\x80\x01x", 3);
}

static void break_ping(struct peer_connection *connection)
{
    send_raw(connection, "\x89\x7e\x00\x7e", 4);
}

static void break_fragmented_ping(struct peer_connection *connection)
{
    send_raw(connection, "\x09\x01x", 3);
}

static void break_utf8(struct peer_connection *connection)
{
    send_raw(connection, "\x81\x02\xc3\x28", 4);
}

static void break_utf8_end(struct peer_connection *connection)
{
    send_raw(connection, "\x81\x01\xc3", 3);
}

static void break_size(struct peer_connection *connection)
{
    send_raw(connection, "\x81\x7f\x00\x00\x00\x00\x04\x00\x00\x01x", 11); /* 64 MiB and 1 */
}

static void break_size_in_pieces(struct peer_connection *connection)
{
    char *text = calloc(1, NET_FRAME_MAX);
    if (text == NULL)
        return;
    peer_send_frame(connection, 0x02, text, NET_FRAME_MAX);
    free(text);
    send_raw(connection, "\x80\x01x", 3);
}

static void expect_violation(void (*script)(struct peer_connection *connection), const char *why,
                             int code)
{
    atomic_store(&answered, 0);
    expect_end(script, 0, why);
    cr_assert_eq(atomic_load(&answered), 0x88 << 16 | code, "%x", atomic_load(&answered));
}

Test(websocket, a_close_is_answered_and_told)
{
    expect_end(close_in_order, 1, "closed by the peer: 1001 going away");
    cr_assert_eq(atomic_load(&answered), 0x88 << 16 | 1001);
    expect_end(close_without_code, 0, "closed by the peer");
    cr_assert_eq(atomic_load(&answered), 0x88 << 16);
}

Test(websocket, a_lost_connection_is_told)
{
    expect_end(just_cut, 1, "connection");
    expect_end(just_end, 1, "without a close frame");
    expect_end(just_reset, 0, "connection is lost");
}

Test(websocket, broken_frames_close_it)
{
    expect_violation(break_reserved, "broke the websocket protocol", 1002);
    expect_violation(break_opcode, "broke the websocket protocol", 1002);
    expect_violation(break_mask, "broke the websocket protocol", 1002);
    expect_violation(break_fragments, "broke the websocket protocol", 1002);
    expect_violation(break_continuation, "broke the websocket protocol", 1002);
    expect_violation(break_ping, "broke the websocket protocol", 0);
    expect_violation(break_fragmented_ping, "broke the websocket protocol", 0);
    expect_violation(break_utf8, "not UTF-8", 1007);
    expect_violation(break_utf8_end, "not UTF-8", 1007);
    expect_violation(break_size, "too long", 1009);
    expect_violation(break_size_in_pieces, "too long", 1009);
}

static void say_and_await(struct peer_connection *connection)
{
    peer_send_frame(connection, 0x81, "one", 3);
    peer_send_frame(connection, 0x81, "two", 3);
    await_answer(connection);
}

static void close_websocket(struct seen *seen)
{
    net_websocket_close(&seen->websocket);
}

static void close_both(struct seen *seen)
{
    struct seen *other = seen->more;
    net_websocket_close(&other->websocket);
    net_websocket_close(&seen->websocket);
}

Test(websocket, a_callback_closes_itself_and_others)
{
    struct pair first = {.seen = {.on_text = close_websocket}};
    struct pair second = {.seen = {.on_open = close_websocket}};
    atomic_store(&answered, 0);
    pair_start(&first, say_and_await);
    client_until(first.seen.net, &first.seen.texts, 1);
    client_for(first.seen.net, 20 * NS_PER_MS);
    cr_assert_eq(first.seen.texts, 1);
    cr_assert_eq(first.seen.closed, 0);
    pair_end(&first);
    cr_assert_eq(atomic_load(&answered), 0x88 << 16 | 1000, "no close frame went");
    pair_start(&second, say_and_await);
    client_until(second.seen.net, &second.seen.opened, 1);
    client_for(second.seen.net, 20 * NS_PER_MS);
    cr_assert_eq(second.seen.texts + second.seen.closed, 0);

    struct seen third = {.net = second.seen.net};
    struct seen fourth = {.net = second.seen.net, .on_text = close_both, .more = &third};
    open_websocket(&third, client_url("wss", second.peer, ""));
    open_websocket(&fourth, client_url("wss", second.peer, ""));
    client_until(second.seen.net, &fourth.texts, 1);
    client_for(second.seen.net, 20 * NS_PER_MS);
    cr_assert_eq(third.closed + fourth.closed, 0);
    cr_assert_leq(third.texts, 2);
    free(third.text);
    free(fourth.text);
    pair_end(&second);
}

static void open_after_close(struct seen *seen)
{
    struct seen *next = seen->more;
    open_websocket(next, next->more);
}

static void close_first_then_talk(struct peer_connection *connection)
{
    if (connection->number == 1)
        peer_send_frame(connection, 0x88, "\x03\xe8", 2);
    else
        peer_send_frame(connection, 0x81, "again", 5);
    peer_await_close(connection);
}

Test(websocket, a_callback_opens_the_next)
{
    struct seen next = {0};
    struct pair pair = {.seen = {.on_close = open_after_close, .more = &next}};
    char url[256];
    pair_start(&pair, close_first_then_talk);
    snprintf(url, sizeof url, "%s", client_url("wss", pair.peer, ""));
    next.net = pair.seen.net;
    next.more = url;
    client_until(pair.seen.net, &next.texts, 1);
    cr_assert_eq(pair.seen.closed, 1);
    cr_assert_str_eq(next.text, "again|");
    free(next.text);
    pair_end(&pair);
}

/* --- all at one time -------------------------------------------------------------------------- */

static void answer_request(struct peer_connection *connection, void *context)
{
    (void)context;
    while (peer_read_request(connection))
        peer_answer(connection, 200, "fine");
}

/* In libcurl's own cache of connections a websocket in which bytes wait would be taken for a dead
 * one, and closed by the next request. */
Test(websocket, requests_leave_it_alone)
{
    struct pair pair = {0};
    struct answer answer = {0};
    struct peer *other = peer_start(&(struct peer_options){.script = answer_request});
    pair_start(&pair, say_and_await);
    client_until(pair.seen.net, &pair.seen.opened, 1);
    for (int i = 0; i < 5; i++) {
        client_do(pair.seen.net, "GET", client_url("https", other, ""), NULL, &answer);
        cr_assert_eq(answer.outcome, NET_ANSWERED, "%s", answer.failure);
    }
    client_until(pair.seen.net, &pair.seen.texts, 2);
    cr_assert_eq(pair.seen.closed, 0);
    cr_assert_eq(net_websocket_send(pair.seen.websocket, "x", 1, &error), 0);
    answer_free(&answer);
    pair_end(&pair);
    peer_stop(other);
}

Test(websocket, closing_the_net_ends_all_without_callbacks)
{
    struct pair pair = {0};
    struct play what = {CHUNKED, strlen(CHUNKED), false, peer_await_close};
    struct peer *other = peer_start(&(struct peer_options){.script = play, .context = &what});
    pair_start(&pair, peer_await_close);
    struct seen stream = {.net = pair.seen.net}, connecting = {.net = pair.seen.net};
    open_lines(&stream, client_url("https", other, ""), PATIENCE);
    client_until(pair.seen.net, &pair.seen.opened, 1);
    client_until(pair.seen.net, &stream.opened, 1);
    open_websocket(&connecting, client_url("wss", other, ""));
    cr_assert_eq(net_poll(pair.seen.net, 0, &error), 0);
    pair_end(&pair);
    cr_assert_eq(pair.seen.closed + stream.closed + connecting.closed, 0);
    peer_stop(other);
}
