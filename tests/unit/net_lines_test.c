/* The client's streams of lines, against a peer that is written by hand. */
#include "config.h" /* POSIX names */

#include "net/net.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "net_client.h"

TestSuite(lines, .timeout = 60);

static struct seen play_lines(const char *text, bool trickle,
                              void (*end)(struct peer_connection *connection), int64_t silence_ns)
{
    struct play what = {text, strlen(text), trickle, end};
    struct peer *peer = peer_start(&(struct peer_options){.script = play, .context = &what});
    struct seen seen = {.net = client_open()};
    open_lines(&seen, client_url("https", peer, "v3/stream?x=y"), silence_ns);
    cr_assert_eq(seen.opened, 0, "called back from within net_lines_open");
    client_until(seen.net, &seen.closed, 1);
    cr_assert_eq(peer_requests(peer), 1);
    client_for(seen.net, 5 * NS_PER_MS);
    peer_stop(peer);
    return seen;
}

Test(lines, are_whole_however_they_are_cut)
{
    static const char text[] =
        CHUNKED "4\r\n{\"a\"\r\n3\r\n:1}\r\n1\r\n\n\r\n"
                "c\r\n\nlong\r\nshort\r\n2\r\n\n\n\r\n4\r\nlast\r\n0\r\n\r\n";
    for (int trickle = 0; trickle < 2; trickle++) {
        struct seen seen = play_lines(text, trickle, NULL, PATIENCE);
        cr_assert_str_eq(seen.text, "{\"a\":1}||long|short||last|");
        cr_assert_eq(seen.opened, 1);
        cr_assert_eq(seen.status, 0);
        cr_assert_str_eq(seen.why, "the server ended the stream");
        cr_assert_str_eq(seen.body, "");
        seen_end(&seen);
    }
}

Test(lines, one_that_is_cut_is_no_line)
{
    void (*const ends[])(struct peer_connection * connection) = {NULL, peer_cut, peer_reset};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        /* Chunks that do not end, then no chunks: both are cut where the connection ends. A reset
         * may take with it what came before. */
        struct seen seen = play_lines(CHUNKED "6\r\nab\ncd\n\r\n2\r\nef", false, ends[i], PATIENCE);
        cr_assert(ends[i] == peer_reset || strcmp(seen.text, "ab|cd|") == 0, "%s", seen.text);
        cr_assert(seen.text == NULL || strstr(seen.text, "ef") == NULL, "%s", seen.text);
        seen_end(&seen);
        seen = play_lines("HTTP/1.1 200 OK\r\n\r\nab\ncd\nef", false, ends[i], PATIENCE);
        cr_assert(seen.text == NULL || strstr(seen.text, "ef") == NULL, "%s", seen.text);
        seen_end(&seen);
    }
}

Test(lines, a_refusal_comes_with_its_body)
{
    struct seen seen = play_lines("HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\n{\"no\":1}\n", true,
                                  NULL, PATIENCE);
    cr_assert_eq(seen.opened, 0);
    cr_assert_eq(seen.status, 401);
    cr_assert_str_eq(seen.body, "{\"no\":1}\n");
    cr_assert_str_eq(seen.why, "the server refused the stream");
    seen_end(&seen);
    seen =
        play_lines("HTTP/1.1 302 Go\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                   false, NULL, PATIENCE);
    cr_assert_eq(seen.status, 302);
    seen_end(&seen);
}

Test(lines, silence_closes)
{
    /* After the headers, within a line, before the answer, and within a refusal. */
    static const char *const texts[] = {CHUNKED, CHUNKED "3\r\na\nb\r\n", "",
                                        "HTTP/1.1 429 Slow\r\n\r\nx"};
    static const long statuses[] = {0, 0, 0, 429};
    struct net *net = client_open();
    struct seen seen[4] = {{.net = net}, {.net = net}, {.net = net}, {.net = net}};
    struct play plays[4];
    struct peer *peers[4];
    int64_t begin = clock_now(&clock_monotonic);
    for (size_t i = 0; i < 4; i++) {
        plays[i] = (struct play){texts[i], strlen(texts[i]), false, peer_await_close};
        peers[i] = peer_start(&(struct peer_options){.script = play, .context = &plays[i]});
        open_lines(&seen[i], client_url("https", peers[i], ""), 2 * NS_PER_SECOND);
    }
    for (size_t i = 0; i < 4; i++) {
        client_until(net, &seen[i].closed, 1);
        cr_assert_str_eq(seen[i].why, "silent for too long");
        cr_assert_eq(seen[i].status, statuses[i]);
        cr_assert_eq(seen[i].opened, i < 2 ? 1 : 0);
        cr_assert_geq(clock_now(&clock_monotonic) - begin, 2 * NS_PER_SECOND);
        cr_assert_eq(peer_requests(peers[i]), 1);
        peer_stop(peers[i]);
        free(seen[i].text);
    }
    net_close(&net);
}

static void talk(struct peer_connection *connection, void *context)
{
    const struct timespec pause = {.tv_nsec = 200 * 1000000};
    (void)context;
    if (!peer_read_request(connection))
        return;
    peer_text(connection, CHUNKED);
    for (int i = 0; i < 10; i++) {
        peer_text(connection, "1\r\nx\r\n");
        nanosleep(&pause, NULL);
    }
    peer_text(connection, "0\r\n\r\n");
}

Test(lines, whoever_talks_is_not_silent)
{
    struct peer *peer = peer_start(&(struct peer_options){.script = talk});
    struct seen seen = {.net = client_open()};
    open_lines(&seen, client_url("https", peer, ""), 1900 * NS_PER_MS); /* it takes 2 s */
    client_until(seen.net, &seen.closed, 1);
    cr_assert_str_eq(seen.why, "the server ended the stream");
    cr_assert_str_eq(seen.text, "xxxxxxxxxx|");
    seen_end(&seen);
    peer_stop(peer);
}

/* `what` pieces of 16 KiB, each of which ends with `last`. */
static void send_pieces(struct peer_connection *connection, int count, char last)
{
    static char piece[16 * 1024];
    char head[32];
    memset(piece, 'x', sizeof piece);
    piece[sizeof piece - 1] = last;
    snprintf(head, sizeof head, "%zx\r\n", sizeof piece);
    for (int i = 0; i < count; i++) {
        peer_text(connection, head);
        peer_write(connection, piece, sizeof piece);
        peer_text(connection, "\r\n");
    }
}

static void send_long_line(struct peer_connection *connection, void *context)
{
    (void)context;
    if (!peer_read_request(connection))
        return;
    peer_text(connection, CHUNKED);
    send_pieces(connection, 1000, '\n'); /* 16 MiB in lines that are short enough */
    send_pieces(connection, 1000, 'x');
    peer_await_close(connection);
}

Test(lines, one_without_end_closes)
{
    struct peer *peer = peer_start(&(struct peer_options){.script = send_long_line});
    struct seen seen = {.net = client_open()};
    open_lines(&seen, client_url("https", peer, ""), PATIENCE);
    client_until(seen.net, &seen.closed, 1);
    cr_assert_str_eq(seen.why, "a line is too long");
    cr_assert_eq(seen.texts, 1000);
    cr_assert_eq(seen.length, (size_t)1000 * 16 * 1024);
    seen_end(&seen);
    peer_stop(peer);
}

static void close_lines(struct seen *seen)
{
    net_lines_close(&seen->stream);
}

static void open_again(struct seen *seen)
{
    struct seen *next = seen->more;
    if (next->opened == 0 && next->stream == NULL)
        open_lines(next, next->more, PATIENCE);
}

Test(lines, a_callback_closes_and_opens)
{
    struct play what = {CHUNKED "6\r\na\nb\nc\n\r\n", strlen(CHUNKED "6\r\na\nb\nc\n\r\n"), false,
                        peer_await_close};
    struct peer *peer = peer_start(&(struct peer_options){.script = play, .context = &what});
    char url[256];
    snprintf(url, sizeof url, "%s", client_url("https", peer, ""));
    struct net *net = client_open();
    struct seen third = {.net = net, .more = url};
    struct seen first = {.net = net, .on_text = close_lines};
    struct seen second = {.net = net, .on_open = close_lines};
    struct seen fourth = {.net = net, .on_text = open_again, .more = &third};
    open_lines(&first, url, PATIENCE);
    open_lines(&second, url, PATIENCE);
    open_lines(&fourth, url, PATIENCE);
    client_until(net, &third.texts, 3);
    client_until(net, &fourth.texts, 3);
    client_until(net, &first.texts, 1);
    client_until(net, &second.opened, 1);
    client_for(net, 20 * NS_PER_MS); /* in which more would come */
    cr_assert_eq(first.texts, 1);
    cr_assert_eq(second.texts, 0);
    cr_assert_eq(second.opened, 1);
    cr_assert_eq(first.closed + second.closed + third.closed + fourth.closed, 0);
    net_lines_close(&fourth.stream);
    net_lines_close(&fourth.stream);
    net_close(&net);
    peer_stop(peer);
    free(first.text);
    free(third.text);
    free(fourth.text);
}

Test(lines, a_server_that_is_not_the_one_meant_is_closed)
{
    const struct certificates *all = certificates();
    const struct peer_options servers[] = {{.script = play, .certificate = all->expired},
                                           {.script = play, .certificate = all->wrong_host},
                                           {.script = play, .certificate = all->stranger},
                                           {.script = play, .old_tls = true}};
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        struct peer *peer = peer_start(&servers[i]);
        struct seen seen = {.net = client_open()};
        open_lines(&seen, client_url("https", peer, ""), PATIENCE);
        client_until(seen.net, &seen.closed, 1);
        cr_assert_eq(seen.opened, 0);
        cr_assert_eq(peer_requests(peer), 0);
        seen_end(&seen);
        peer_stop(peer);
    }
}
