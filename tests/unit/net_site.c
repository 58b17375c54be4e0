/* See net_site.h. */
#include "config.h" /* POSIX names */

#include "net_site.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "clock/clock.h"
#include "net_certificates.h"

enum { LATER_MAX = 256, PATIENCE_S = 20, TEXT_MAX = 256 * 1024 };

/* A request that is answered later. */
struct later {
    struct net_client *client;
    char *body;
};

struct site {
    struct net_server *server;
    bool tls;
    pthread_t thread;
    atomic_bool stopping;
    atomic_uint requests, texts, closed;
    /* Of the thread. */
    struct later later[LATER_MAX];
    size_t later_count;
    struct net_client *streaming;
    char *big;
    bool busy; /* a request was told in this poll */
};

/* --- pages ------------------------------------------------------------------------------------ */

/* Answer now, or behind what this client is answered later. */
static void answer(struct site *site, struct net_client *client, bool later, const char *body)
{
    const struct net_header headers[] = {{"X-Site", "echo"}, {"X-Odd", "a\r\nb"}};
    for (size_t i = 0; i < site->later_count; i++)
        later = later || site->later[i].client == client;
    cr_assert_lt(site->later_count, LATER_MAX);
    if (later)
        site->later[site->later_count++] = (struct later){client, strdup(body)};
    else
        net_client_answer(client, 200, "text/plain", headers, 2, body, strlen(body));
}

static void echo(struct site *site, struct net_client *client, const struct net_incoming *incoming)
{
    static char text[2 * 1024 * 1024];
    int length = snprintf(text, sizeof text, "%s|%s|%s\n", incoming->method, incoming->path,
                          incoming->query);
    for (size_t i = 0; i < incoming->header_count; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%s=%s\n",
                           incoming->headers[i].name, incoming->headers[i].value);
    snprintf(text + length, sizeof text - (size_t)length, "\n%s", incoming->body);
    answer(site, client, false, text);
}

static void stream(struct net_client *client)
{
    net_client_begin(client, 200, "text/plain", NULL, 0);
    net_client_write(client, "one\n", 4);
    net_client_write(client, "", 0);
    net_client_write(client, "two\n", 4);
    net_client_write(client, "three\n", 6);
    net_client_end(client);
}

static void upgrade(struct net_client *client, const struct net_incoming *incoming)
{
    if (!incoming->wants_websocket) {
        net_client_answer(client, 426, "text/plain", NULL, 0, "no websocket", 12);
        return;
    }
    net_client_accept_websocket(client);
    if (strcmp(incoming->path, "/hello") == 0)
        net_client_send_text(client, "hello", 5);
}

static void take_request(void *context, struct net_client *client,
                         const struct net_incoming *incoming)
{
    struct site *site = context;
    const char *path = incoming->path;
    atomic_fetch_add(&site->requests, 1);
    site->busy = true;
    cr_assert_eq(strlen(incoming->body), incoming->length);
    net_client_set(client, site);
    if (strcmp(path, "/later") == 0)
        answer(site, client, true, incoming->body);
    else if (strcmp(path, "/big") == 0)
        net_client_answer(client, 200, NULL, NULL, 0, site->big, SITE_BIG);
    else if (strcmp(path, "/stream") == 0)
        stream(client);
    else if (strcmp(path, "/stream-on") == 0)
        net_client_begin(site->streaming = client, 200, NULL, NULL, 0);
    else if (strcmp(path, "/reset") == 0)
        net_client_reset(client);
    else if (strcmp(path, "/drop") == 0)
        net_client_drop(client);
    else if (strcmp(path, "/stall") == 0)
        net_client_stall(client, true);
    else if (strcmp(path, "/finish") == 0)
        net_client_finish(client, 0, NULL);
    else if (strcmp(path, "/ws") == 0 || strcmp(path, "/hello") == 0)
        upgrade(client, incoming);
    else if (strcmp(path, "/never") != 0)
        echo(site, client, incoming);
}

static void take_text(void *context, struct net_client *client, const char *text, size_t length)
{
    struct site *site = context;
    atomic_fetch_add(&site->texts, 1);
    cr_assert_eq(net_client_get(client), site);
    if (strcmp(text, "close") == 0) {
        net_client_send_text(client, "before", 6);
        net_client_finish(client, 1001, "as you wish");
    } else if (strcmp(text, "ping") == 0) {
        net_client_send_ping(client, "are you there", 13);
    } else if (strcmp(text, "reset") == 0) {
        net_client_reset(client);
    } else if (strcmp(text, "flood") == 0 || strcmp(text, "much") == 0) {
        for (int i = 0; i < (text[0] == 'f' ? 1000 : 40); i++)
            net_client_send_text(client, site->big, SITE_BIG / 8);
    } else {
        net_client_send_text(client, text, length);
    }
}

static void take_end(void *context, struct net_client *client)
{
    struct site *site = context;
    size_t kept = 0;
    cr_assert_eq(net_client_get(client), site);
    for (size_t i = 0; i < site->later_count; i++) {
        if (site->later[i].client == client)
            free(site->later[i].body);
        else
            site->later[kept++] = site->later[i];
    }
    site->later_count = kept;
    if (site->streaming == client)
        site->streaming = NULL;
    net_client_answer(client, 200, NULL, NULL, 0, "", 0); /* nothing happens */
    atomic_fetch_add(&site->closed, 1);
}

static void *run(void *context)
{
    struct site *site = context;
    struct error error = {0};
    while (!atomic_load(&site->stopping)) {
        bool waits = site->later_count > 0 || site->streaming != NULL;
        site->busy = false;
        int status = net_server_poll(site->server, waits ? 2 * NS_PER_MS : NS_PER_SECOND, &error);
        cr_assert_eq(status, 0, "%s", error.text);
        if (site->streaming != NULL)
            net_client_write(site->streaming, "on\n", 3);
        if (site->busy)
            continue;
        for (size_t i = 0; i < site->later_count; i++) {
            net_client_answer(site->later[i].client, 200, "text/plain", NULL, 0,
                              site->later[i].body, strlen(site->later[i].body));
            free(site->later[i].body);
        }
        site->later_count = 0;
    }
    return NULL;
}

/* --- the site --------------------------------------------------------------------------------- */

struct site *site_start(const struct net_server_options *options, bool tls)
{
    struct error error = {0};
    struct net_server_options asked = {0};
    struct site *site = calloc(1, sizeof *site);
    cr_assert_not_null(site);
    if (options != NULL)
        asked = *options;
    site->tls = tls;
    site->big = malloc(SITE_BIG);
    cr_assert_not_null(site->big);
    for (size_t i = 0; i < SITE_BIG; i++)
        site->big[i] = (char)('a' + i * 7 % 26);
    asked.address = "127.0.0.1";
    asked.certificate_file = asked.key_file = tls ? certificates()->good : NULL;
    asked.request = take_request;
    asked.text = take_text;
    asked.closed = take_end;
    asked.context = site;
    cr_assert_eq(net_server_open(&site->server, &asked, &error), 0, "%s", error.text);
    cr_assert_eq(pthread_create(&site->thread, NULL, run, site), 0);
    return site;
}

void site_stop(struct site *site)
{
    atomic_store(&site->stopping, true);
    net_server_wake(site->server);
    pthread_join(site->thread, NULL);
    unsigned closed = atomic_load(&site->closed);
    net_server_close(&site->server);
    cr_assert_eq(atomic_load(&site->closed), closed, "closing called back");
    for (size_t i = 0; i < site->later_count; i++)
        free(site->later[i].body);
    free(site->big);
    free(site);
}

uint16_t site_port(const struct site *site)
{
    return net_server_port(site->server);
}

unsigned site_requests(struct site *site)
{
    return atomic_load(&site->requests);
}

unsigned site_texts(struct site *site)
{
    return atomic_load(&site->texts);
}

unsigned site_closed(struct site *site)
{
    return atomic_load(&site->closed);
}

void site_await_requests(struct site *site, unsigned count)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < PATIENCE_S * 1000 && site_requests(site) < count; i++)
        nanosleep(&pause, NULL);
    cr_assert_geq(site_requests(site), count);
}

void site_await_closed(struct site *site, unsigned count)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < PATIENCE_S * 1000 && site_closed(site) < count; i++)
        nanosleep(&pause, NULL);
    cr_assert_eq(site_closed(site), count);
}

const char *site_url(const char *scheme, const struct site *site, const char *path)
{
    static char url[1024];
    snprintf(url, sizeof url, "%s://127.0.0.1:%u/%s", scheme, (unsigned)site_port(site), path);
    return url;
}

/* --- the client by hand ----------------------------------------------------------------------- */

/* `receive_bytes` 0: as the system has it. */
static int connect_to(uint16_t port, int receive_bytes)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_geq(fd, 0);
    if (receive_bytes > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

struct raw raw_open_plain(const struct site *site)
{
    return (struct raw){.fd = connect_to(site_port(site), 0)};
}

struct raw raw_open_narrow(const struct site *site, int receive_bytes)
{
    return (struct raw){.fd = connect_to(site_port(site), receive_bytes)};
}

struct raw raw_open(const struct site *site)
{
    struct raw raw = raw_open_plain(site);
    if (!site->tls)
        return raw;
    raw.context = SSL_CTX_new(TLS_client_method());
    cr_assert_not_null(raw.context);
    cr_assert_eq(SSL_CTX_load_verify_locations(raw.context, certificates()->authority, NULL), 1);
    SSL_CTX_set_verify(raw.context, SSL_VERIFY_PEER, NULL);
    raw.ssl = SSL_new(raw.context);
    cr_assert_eq(SSL_set_fd(raw.ssl, raw.fd), 1);
    cr_assert_eq(SSL_connect(raw.ssl), 1);
    return raw;
}

void raw_close(struct raw *raw)
{
    SSL_free(raw->ssl);
    SSL_CTX_free(raw->context);
    close(raw->fd);
    *raw = (struct raw){.fd = -1};
}

void raw_send(struct raw *raw, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t piece = length > 65536 ? 65536 : length;
        ssize_t sent = raw->ssl != NULL ? SSL_write(raw->ssl, bytes, (int)piece)
                                        : send(raw->fd, bytes, piece, 0);
        if (sent <= 0)
            return; /* the server has had enough */
        bytes += sent;
        length -= (size_t)sent;
    }
}

void raw_text(struct raw *raw, const char *text)
{
    raw_send(raw, text, strlen(text));
}

void raw_trickle(struct raw *raw, const char *text)
{
    for (; *text != '\0'; text++)
        raw_send(raw, text, 1);
}

void raw_end(struct raw *raw)
{
    if (raw->ssl != NULL)
        SSL_shutdown(raw->ssl);
    shutdown(raw->fd, SHUT_WR);
}

static ssize_t raw_get(struct raw *raw, char *bytes, size_t room)
{
    if (raw->ssl != NULL)
        return SSL_read(raw->ssl, bytes, room > 65536 ? 65536 : (int)room);
    return recv(raw->fd, bytes, room, 0);
}

size_t raw_read(struct raw *raw, char *text, size_t room, const char *until)
{
    size_t length = 0;
    text[0] = '\0';
    while (length + 1 < room && (until == NULL || strstr(text, until) == NULL)) {
        ssize_t got = raw_get(raw, text + length, room - 1 - length);
        if (got <= 0)
            break;
        length += (size_t)got;
        text[length] = '\0';
    }
    return length;
}

int raw_ended(struct raw *raw, int timeout_ms)
{
    char byte;
    int64_t end = clock_now(&clock_monotonic) + timeout_ms * NS_PER_MS;
    int flags = fcntl(raw->fd, F_GETFL);
    fcntl(raw->fd, F_SETFL, flags | O_NONBLOCK); /* tickets of TLS are no end */
    for (;;) {
        int64_t left = end - clock_now(&clock_monotonic);
        struct pollfd wait = {.fd = raw->fd, .events = POLLIN};
        if (left <= 0 || poll(&wait, 1, (int)(left / NS_PER_MS) + 1) == 0)
            return 0;
        errno = 0;
        ssize_t got = raw_get(raw, &byte, 1);
        cr_assert_leq(got, 0, "there came %c", byte);
        bool waits = raw->ssl != NULL ? SSL_get_error(raw->ssl, (int)got) == SSL_ERROR_WANT_READ
                                      : got < 0 && errno == EAGAIN;
        if (!waits)
            return errno == ECONNRESET ? -1 : 1;
    }
}

const char *raw_exchange(const struct site *site, const char *request)
{
    static char text[TEXT_MAX];
    struct raw raw = raw_open(site);
    raw_text(&raw, request);
    raw_read(&raw, text, sizeof text, NULL);
    raw_close(&raw);
    return text;
}

void raw_upgrade(struct raw *raw, const char *path)
{
    char request[512], answer[512];
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
             path);
    raw_text(raw, request);
    /* Not a byte more than the answer, since frames may follow. */
    size_t length = 0;
    do {
        cr_assert_lt(length, sizeof answer - 1);
        cr_assert_eq(raw_get(raw, answer + length, 1), 1);
        answer[++length] = '\0';
    } while (strstr(answer, "\r\n\r\n") == NULL);
    cr_assert_eq(strncmp(answer, "HTTP/1.1 101 ", 13), 0, "%s", answer);
    /* The answer to that key by RFC 6455, section 1.3. */
    cr_assert_not_null(
        strstr(answer, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
}
