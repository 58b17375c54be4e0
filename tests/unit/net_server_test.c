/* The server: HTTP as it comes from clients of all kinds, its limits, and the faults it plays. */
#include "config.h" /* POSIX names */

#include "net/server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "net_certificates.h"
#include "net_site.h"

TestSuite(server, .timeout = 60);

/* A busy machine needs a while for the five connections of a test. */
#define TIMEOUT_NS (1500 * NS_PER_MS)

static struct error error;
static char text[16 * 1024 * 1024];

static bool begins(const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* One exchange whose answer, until the connection ends, is `text`. */
static void exchange(const struct site *site, const char *request)
{
    struct raw raw = raw_open(site);
    raw_text(&raw, request);
    raw_read(&raw, text, sizeof text, NULL);
    raw_close(&raw);
}

/* --- HTTP ------------------------------------------------------------------------------------- */

static void speak(bool tls)
{
    struct site *site = site_start(NULL, tls);
    exchange(site,
             "GET /a%20b?c=d?e HTTP/1.1\r\nHost: x\r\nX-ONE:  1 \r\nconnection: close\r\n\r\n");
    cr_assert_str_eq(text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Site: echo\r\n"
                           "X-Odd: a??b\r\nConnection: close\r\nContent-Length: 50\r\n\r\n"
                           "GET|/a%20b|c=d?e\nhost=x\nx-one=1\nconnection=close\n\n");
    exchange(site,
             "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    cr_assert_not_null(strstr(text, "\r\n\r\nPOST|/|\n"), "%s", text);
    cr_assert_not_null(strstr(text, "\n\nhello"));
    exchange(site,
             "PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
             "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: ignored\r\n\r\n");
    cr_assert_not_null(strstr(text, "\n\nabcde"), "%s", text);
    cr_assert_null(strstr(text, "ignored"));
    exchange(site, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    cr_assert_not_null(strstr(text, "Content-Length: 33\r\n\r\n"), "%s", text);
    cr_assert_null(strstr(text, "HEAD"));
    exchange(site, "GET / HTTP/1.0\r\n\r\n");
    cr_assert_not_null(strstr(text, "Connection: close\r\n"), "%s", text);
    cr_assert_not_null(strstr(text, "GET|/|\n"));
    exchange(site, "\r\nDELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    cr_assert_not_null(strstr(text, "DELETE|/|\n"), "%s", text);
    site_await_closed(site, 6);
    cr_assert_eq(site_requests(site), 6);
    site_stop(site);
}

Test(server, answers_without_tls)
{
    speak(false);
}

Test(server, answers_with_tls)
{
    speak(true);
}

static void keep(bool tls)
{
    struct site *site = site_start(NULL, tls);
    struct raw raw = raw_open(site);
    for (int i = 0; i < 5; i++) {
        raw_trickle(&raw, "POST /number HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nend");
        raw_read(&raw, text, sizeof text, "\n\nend");
        cr_assert_not_null(strstr(text, "Connection: keep-alive\r\n"), "%s", text);
    }
    cr_assert_eq(site_requests(site), 5);
    cr_assert_eq(site_closed(site), 0);
    raw_close(&raw);
    site_await_closed(site, 1);
    site_stop(site);
}

Test(server, keeps_connections_and_takes_byte_for_byte)
{
    keep(false);
    keep(true);
}

Test(server, pipelined_requests_are_answered_in_order)
{
    enum { COUNT = 60 };
    static char requests[COUNT * 128];
    struct site *site = site_start(NULL, false);
    size_t length = 0;
    for (int i = 0; i < COUNT; i++)
        length += (size_t)snprintf(
            requests + length, sizeof requests - length,
            "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n%s\r\n<%02d>",
            i % 3 == 1 ? "/later" : "/echo", i == COUNT - 1 ? "Connection: close\r\n" : "", i);
    exchange(site, requests);
    const char *at = text;
    for (int i = 0; i < COUNT; i++) {
        char number[8];
        snprintf(number, sizeof number, "<%02d>", i);
        const char *found = strstr(at, number);
        cr_assert_not_null(found, "%s is missing, or out of order", number);
        at = found + 4;
    }
    cr_assert_str_eq(at, "");
    cr_assert_eq(site_requests(site), COUNT);
    site_stop(site);
}

Test(server, nothing_is_read_behind_the_last_request)
{
    struct site *site = site_start(NULL, false);
    exchange(site, "GET /one HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                   "GET /two HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert_not_null(strstr(text, "/one"));
    cr_assert_null(strstr(text, "/two"));
    cr_assert_eq(site_requests(site), 1);
    site_stop(site);
}

Test(server, a_body_goes_on_until_it_ends)
{
    struct site *site = site_start(NULL, true);
    exchange(site, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
                   "GET /stream HTTP/1.0\r\n\r\n");
    cr_assert_str_eq(text,
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n"
                     "4\r\none\n\r\n4\r\ntwo\n\r\n6\r\nthree\n\r\n0\r\n\r\n"
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
                     "one\ntwo\nthree\n");
    exchange(site, "HEAD /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    cr_assert_null(strstr(text, "one"), "%s", text);
    struct raw raw = raw_open(site);
    raw_text(&raw, "GET /stream-on HTTP/1.1\r\nHost: x\r\n\r\n");
    raw_read(&raw, text, sizeof text, "3\r\non\n\r\n3\r\non\n\r\n");
    unsigned closed = site_closed(site);
    raw_close(&raw); /* in the middle of it */
    site_await_closed(site, closed + 1);
    site_stop(site);
}

Test(server, who_waits_to_be_told_to_go_on_is_told)
{
    struct site *site = site_start(NULL, false);
    struct raw raw = raw_open(site);
    raw_text(&raw,
             "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    raw_read(&raw, text, sizeof text, "\r\n\r\n");
    cr_assert_str_eq(text, "HTTP/1.1 100 Continue\r\n\r\n");
    raw_text(&raw, "end");
    raw_read(&raw, text, sizeof text, "\n\nend");
    cr_assert(begins("HTTP/1.1 200 OK\r\n"), "%s", text);
    raw_close(&raw);
    site_stop(site);
}

static void half_close(bool tls)
{
    struct site *site = site_start(NULL, tls);
    struct raw raw = raw_open(site);
    raw_text(&raw, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nend");
    raw_end(&raw);
    raw_read(&raw, text, sizeof text, NULL);
    cr_assert_not_null(strstr(text, "\r\n\r\nend"), "%s", text);
    raw_close(&raw);
    site_await_closed(site, 1);
    raw = raw_open(site);
    raw_text(&raw, "POST /never HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nen");
    raw_end(&raw); /* before the request has ended */
    cr_assert_eq(raw_read(&raw, text, sizeof text, NULL), 0);
    raw_close(&raw);
    cr_assert_eq(site_requests(site), 1);
    site_stop(site);
}

Test(server, a_client_that_ended_its_side_is_answered)
{
    half_close(false);
    half_close(true);
}

/* --- what is no request ----------------------------------------------------------------------- */

static void expect_refusal(const struct site *site, const char *request, int status)
{
    char line[32];
    exchange(site, request);
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    cr_assert(begins(line), "%.60s: %s", request, text);
    cr_assert_not_null(strstr(text, "Connection: close\r\n"));
    cr_assert_null(strstr(text + 1, "HTTP/1.1"), "%s", text);
}

Test(server, nonsense_is_refused)
{
    static const char *const cases[] = {
        "nonsense\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\x03\x03",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", /* no Host */
        "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        "GET / FTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
        "GET / HTTP/1.1\nno colon\n\n",
        "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECTED / HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
    };
    struct site *site = site_start(NULL, false);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refusal(site, cases[i], 400);
    cr_assert_eq(site_requests(site), 0);
    cr_assert_eq(site_closed(site), 0, "the end of a connection was told that was not known");
    site_stop(site);
}

Test(server, nonsense_behind_a_request_does_not_hurt_it)
{
    struct site *site = site_start(NULL, false);
    exchange(site,
             "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nendnonsense\r\n\r\n");
    cr_assert(begins("HTTP/1.1 200 OK\r\n"), "%s", text);
    cr_assert_not_null(strstr(text, "\r\n\r\nend"), "%s", text);
    exchange(site, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n");
    cr_assert(begins("HTTP/1.1 200 OK\r\n"), "%s", text);
    cr_assert_not_null(strstr(text, "HTTP/1.1 400 Bad Request\r\n"), "%s", text);
    site_stop(site);
}

/* `count` times `piece` into a text that the next call reuses. */
static const char *repeat(const char *head, const char *piece, size_t count, const char *tail)
{
    static char made[4 * 1024 * 1024];
    size_t length = strlen(head), size = strlen(piece);
    cr_assert_lt(length + size * count + strlen(tail), sizeof made);
    memcpy(made, head, length);
    for (size_t i = 0; i < count; i++, length += size)
        memcpy(made + length, piece, size);
    memcpy(made + length, tail, strlen(tail) + 1);
    return made;
}

static void check_limits(bool tls)
{
    const struct net_server_options options = {.header_bytes_max = 1000, .body_bytes_max = 2000};
    struct site *site = site_start(&options, tls);
    const char *get = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    exchange(site, repeat(get, "A: 12345678901234567890\r\n", 35, "\r\n"));
    cr_assert(begins("HTTP/1.1 200 OK"), "%s", text);
    expect_refusal(site, repeat(get, "A: 12345678901234567890\r\n", 50, "\r\n"), 431);
    expect_refusal(site, repeat(get, "A: 12345678901234567890\r\n", 50000, "\r\n"), 431);
    expect_refusal(site, repeat(get, "A:\r\n", 200, "\r\n"), 431);
    expect_refusal(site, repeat("GET /", "x", 990, " HTTP/1.1\r\nHost: x\r\n\r\n"), 431);
    expect_refusal(site, repeat("GET /", "x", 100000, " HTTP/1.1\r\nHost: x\r\n\r\n"), 431);
    expect_refusal(site, repeat("GET / HTTP/1.1\r\nHost: x\r\n", "x", 100000, ""), 431);
    expect_refusal(site, repeat("GET / HTTP/1.1\r\nHost: x\r\nA: ", " ", 200000, ""), 431);
    expect_refusal(site, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2001\r\n\r\n", 413);
    expect_refusal(site,
                   "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                   "Content-Length: 2001\r\n\r\n",
                   413);
    const char *chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                          "Connection: close\r\n\r\n";
    const char *last = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                       "Connection: close\r\n\r\n0\r\n";
    expect_refusal(site, repeat(chunked, "5\r\nabcde\r\n", 401, "0\r\n\r\n"), 413);
    expect_refusal(site, repeat(chunked, "5\r\nabcde\r\n", 100000, "0\r\n\r\n"), 413);
    expect_refusal(site, repeat(chunked, "5;x", 100000, "0\r\n\r\n"), 431); /* extensions */
    expect_refusal(site, repeat(last, "A: b\r\n", 30000, "\r\n"), 431);
    exchange(site, repeat(chunked, "5\r\nabcde\r\n", 400, "0\r\n\r\n"));
    cr_assert(begins("HTTP/1.1 200 OK"), "%s", text);
    cr_assert_eq(site_requests(site), 2);
    site_stop(site);
}

Test(server, what_is_too_long_is_refused)
{
    check_limits(false);
    check_limits(true);
}

/* --- time and number -------------------------------------------------------------------------- */

static void loiter(bool tls)
{
    const struct net_server_options options = {.request_timeout_ns = TIMEOUT_NS};
    struct site *site = site_start(&options, tls);
    struct raw idle = raw_open(site), slow = raw_open(site), body = raw_open(site),
               kept = raw_open(site), waiting = raw_open(site);
    raw_text(&slow, "GET / HTTP/1.1\r\nHost: x\r\nA");
    raw_text(&body, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc");
    raw_text(&kept, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nend");
    raw_text(&waiting, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    raw_read(&kept, text, sizeof text, "\n\nend");
    cr_assert_eq(raw_ended(&idle, 10000), 1);
    raw_read(&slow, text, sizeof text, NULL);
    cr_assert(begins("HTTP/1.1 408 Request Timeout\r\n"), "%s", text);
    raw_read(&body, text, sizeof text, NULL);
    cr_assert(begins("HTTP/1.1 408 Request Timeout\r\n"), "%s", text);
    cr_assert_eq(raw_ended(&kept, 10000), 1);
    cr_assert_eq(raw_ended(&waiting, 100), 0, "the server's own time is not the client's");
    raw_close(&idle);
    raw_close(&slow);
    raw_close(&body);
    raw_close(&kept);
    raw_close(&waiting);
    site_stop(site);
}

Test(server, who_takes_his_time_is_not_waited_for)
{
    loiter(false);
    loiter(true);
}

Test(server, tls_that_does_not_begin_is_not_waited_for)
{
    const struct net_server_options options = {.request_timeout_ns = TIMEOUT_NS};
    struct site *site = site_start(&options, true);
    struct raw silent = raw_open_plain(site), plain = raw_open_plain(site);
    raw_text(&plain, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    raw_read(&plain, text, sizeof text, NULL); /* an alert of TLS, and the end */
    cr_assert_null(strstr(text, "HTTP"));
    cr_assert_eq(raw_ended(&silent, 10000), 1);
    raw_close(&silent);
    raw_close(&plain);
    cr_assert_eq(site_requests(site), 0);
    site_stop(site);
}

Test(server, one_too_many_is_told_so)
{
    const struct net_server_options options = {.connections_max = 3};
    struct site *site = site_start(&options, true);
    struct raw raws[3 + 16];
    const char *request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    for (size_t i = 0; i < 3 + 16; i++)
        raws[i] = raw_open(site);
    for (size_t i = 0; i < 3 + 16; i++) {
        raw_text(&raws[i], request);
        raw_read(&raws[i], text, sizeof text, i < 3 ? "\n\n" : NULL);
        cr_assert(begins(i < 3 ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 503 Service Unavailable\r\n"),
                  "%zu: %s", i, text);
    }
    for (size_t i = 0; i < 3 + 16; i++)
        raw_close(&raws[i]);
    site_await_closed(site, 3);
    cr_assert_eq(site_requests(site), 3);
    for (int i = 0; i < 200; i++) { /* until the server has seen that they are gone */
        raws[0] = raw_open(site);
        raw_text(&raws[0], request);
        raw_read(&raws[0], text, sizeof text, "\n\n");
        raw_close(&raws[0]);
        if (begins("HTTP/1.1 200 OK\r\n"))
            break;
    }
    cr_assert(begins("HTTP/1.1 200 OK\r\n"), "%s", text);
    site_stop(site);
}

/* --- who does not read ------------------------------------------------------------------------ */

static void read_slowly(bool tls)
{
    struct site *site = site_start(NULL, tls);
    struct raw raw = raw_open(site);
    const struct timespec pause = {.tv_nsec = 50 * 1000000};
    raw_text(&raw, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n"
                   "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    nanosleep(&pause, NULL);
    size_t length = raw_read(&raw, text, sizeof text, NULL);
    const char *body = strstr(text, "\r\n\r\n");
    cr_assert_not_null(body);
    cr_assert_gt(length, SITE_BIG);
    for (size_t i = 0; i < SITE_BIG; i++)
        if (body[4 + i] != (char)('a' + i * 7 % 26))
            cr_assert(false, "byte %zu is wrong", i);
    cr_assert_eq(strncmp(body + 4 + SITE_BIG, "HTTP/1.1 200 OK\r\n", 17), 0);
    raw_close(&raw);
    site_stop(site);
}

Test(server, a_slow_reader_gets_all)
{
    read_slowly(false);
    read_slowly(true);
}

/* The time of an idle connection begins when its answer is sent, not when it is given. */
Test(server, who_takes_his_answer_slowly_is_not_idle)
{
    const struct net_server_options options = {.request_timeout_ns = 2 * NS_PER_SECOND};
    struct site *site = site_start(&options, false);
    struct raw raw = raw_open_narrow(site, 32 * 1024);
    const struct timespec pause = {.tv_nsec = 300 * 1000000};
    size_t length = 0;
    raw_text(&raw, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 10; i++) {
        nanosleep(&pause, NULL);
        length += raw_read(&raw, text + length, 200 * 1000, NULL);
    }
    cr_assert_eq(site_closed(site), 0);
    length += raw_read(&raw, text + length, sizeof text - length, NULL);
    cr_assert_gt(length, SITE_BIG);
    raw_close(&raw);
    site_stop(site);
}

Test(server, who_makes_too_much_wait_is_dropped)
{
    const struct net_server_options options = {.unsent_bytes_max = SITE_BIG / 2};
    struct site *site = site_start(&options, false);
    struct raw raw = raw_open(site);
    raw_text(&raw, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    site_await_closed(site, 1);
    raw_close(&raw);
    raw = raw_open(site);
    raw_upgrade(&raw, "/ws");
    raw_send(&raw, "\x81\x85\0\0\0\0flood", 11);
    site_await_closed(site, 2);
    raw_close(&raw);
    site_stop(site);
}

Test(server, who_takes_nothing_is_dropped)
{
    const struct net_server_options options = {.request_timeout_ns = TIMEOUT_NS};
    struct site *site = site_start(&options, true);
    struct raw raw = raw_open(site);
    raw_text(&raw, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    site_await_closed(site, 1);
    raw_close(&raw);
    site_stop(site);
}

/* --- faults ----------------------------------------------------------------------------------- */

static void play_faults(bool tls)
{
    struct site *site = site_start(NULL, tls);
    struct raw raw = raw_open(site);
    raw_text(&raw, "GET /reset HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert_eq(raw_ended(&raw, 10000), -1);
    raw_close(&raw);
    site_await_closed(site, 1);
    raw = raw_open(site);
    raw_text(&raw, "GET /drop HTTP/1.1\r\nHost: x\r\n\r\nGET /drop HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert_eq(raw_ended(&raw, 10000), 1);
    raw_close(&raw);
    site_await_closed(site, 2);
    raw = raw_open(site);
    raw_text(&raw, "GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /finish HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert_eq(raw_ended(&raw, 10000),
                 1); /* the first has no answer when the second ends it all */
    raw_close(&raw);
    site_await_closed(site, 3);
    raw = raw_open(site);
    raw_text(&raw, "GET /stall HTTP/1.1\r\nHost: x\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert_eq(raw_ended(&raw, 100), 0);
    raw_close(&raw);
    cr_assert_eq(site_closed(site), 3, "a stalled connection notices nothing");
    cr_assert_leq(site_requests(site), 6);
    site_stop(site);
}

Test(server, plays_a_bad_network)
{
    play_faults(false);
    play_faults(true);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void ignore_request(void *context, struct net_client *client,
                           const struct net_incoming *incoming)
{
    (void)context, (void)client, (void)incoming;
}

static void expect_no_server(struct net_server_options options, int code, const char *word)
{
    struct net_server *server = NULL;
    options.request = ignore_request;
    cr_assert_eq(net_server_open(&server, &options, &error), code, "%s", word);
    cr_assert_not_null(strstr(error.text, word), "%s: %s", word, error.text);
    cr_assert_null(server);
}

Test(server, what_cannot_be_opened_is_an_error)
{
    const struct certificates *all = certificates();
    struct net_server *server = NULL;
    expect_no_server((struct net_server_options){0}, ERROR_INPUT, "address");
    expect_no_server((struct net_server_options){.address = "localhost"}, ERROR_INPUT, "localhost");
    expect_no_server((struct net_server_options){.address = "192.0.2.1"}, ERROR_SYSTEM,
                     "192.0.2.1");
    expect_no_server(
        (struct net_server_options){.address = "127.0.0.1", .certificate_file = all->good},
        ERROR_INPUT, "key");
    expect_no_server((struct net_server_options){.address = "127.0.0.1",
                                                 .certificate_file = "net_test.none",
                                                 .key_file = all->good},
                     ERROR_INPUT, "net_test.none");
    expect_no_server((struct net_server_options){.address = "127.0.0.1",
                                                 .certificate_file = all->good,
                                                 .key_file = all->authority},
                     ERROR_INPUT, all->authority);
    expect_no_server((struct net_server_options){.address = "127.0.0.1",
                                                 .certificate_file = all->good,
                                                 .key_file = all->expired},
                     ERROR_INPUT, all->expired);
    struct net_server_options options = {.address = "127.0.0.1", .request = ignore_request};
    cr_assert_eq(net_server_open(&server, &options, &error), 0, "%s", error.text);
    options.port = net_server_port(server);
    cr_assert_gt(options.port, 0);
    expect_no_server(options, ERROR_SYSTEM, "can't listen");
    net_server_wake(server);
    cr_assert_eq(net_server_poll(server, 20 * NS_PER_SECOND, &error), 0);
    cr_assert_eq(net_server_poll(server, -1, &error), 0);
    net_server_close(&server);
    net_server_close(&server);
    cr_assert_eq(net_server_open(&server, &options, &error), 0, "the port is not free: %s",
                 error.text);
    net_server_close(&server);
    options.address = "::1";
    if (net_server_open(&server, &options, &error) == 0) /* not every machine has it */
        net_server_close(&server);
}

Test(server, old_tls_is_refused)
{
    struct site *site = site_start(NULL, true);
    char address[32];
    for (int version = TLS1_VERSION; version <= TLS1_2_VERSION; version++) {
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        cr_assert_not_null(context);
        SSL_CTX_set_min_proto_version(context, version);
        SSL_CTX_set_max_proto_version(context, version);
        SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0");
        BIO *bio = BIO_new_ssl_connect(context);
        snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)site_port(site));
        BIO_set_conn_hostname(bio, address);
        cr_assert_eq(BIO_do_connect(bio) == 1, version == TLS1_2_VERSION, "version %x", version);
        BIO_free_all(bio);
        SSL_CTX_free(context);
    }
    site_stop(site);
}
