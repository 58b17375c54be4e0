/* See net_peer.h. */
#include "config.h" /* POSIX names */

#include "net_peer.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net_certificates.h"

enum { CONNECTIONS_MAX = 64, PATIENCE_S = 20, BODY_MAX = 96 * 1024 * 1024 };

struct worker {
    struct peer_connection connection;
    pthread_t thread;
    pthread_mutex_t lock; /* of `fd` below */
    int fd;               /* -1 once the script has ended */
};

struct peer {
    struct peer_options options;
    SSL_CTX *context;
    int listen_fd;
    uint16_t port;
    pthread_t thread;
    struct worker *workers[CONNECTIONS_MAX];
    unsigned worker_count;
    atomic_uint connections, requests, ended;
    atomic_bool stopping;
};

static void fail(const char *what)
{
    fprintf(stderr, "net_peer: %s: %s\n", what, strerror(errno));
    ERR_print_errors_fp(stderr);
    abort();
}

static SSL_CTX *make_context(const struct peer_options *options)
{
    const char *path = options->certificate != NULL ? options->certificate : certificates()->good;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, path) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) != 1)
        fail(path);
    if (options->old_tls) {
        SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
        SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0");
    }
    return context;
}

/* End the socket for both sides; its descriptor is closed by the script's thread. */
static void end_worker(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    if (worker->fd >= 0)
        shutdown(worker->fd, SHUT_RDWR);
    pthread_mutex_unlock(&worker->lock);
}

static void *run_connection(void *context)
{
    struct worker *worker = context;
    struct peer_connection *connection = &worker->connection;
    struct peer *peer = connection->peer;
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int on = 1;
    setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection->ssl = SSL_new(peer->context);
    SSL_set_fd(connection->ssl, connection->fd);
    if (SSL_accept(connection->ssl) == 1) {
        atomic_fetch_add(&peer->connections, 1);
        peer->options.script(connection, peer->options.context);
    }
    if (connection->fd >= 0)
        SSL_shutdown(connection->ssl);
    pthread_mutex_lock(&worker->lock);
    worker->fd = -1;
    if (connection->fd >= 0)
        close(connection->fd);
    pthread_mutex_unlock(&worker->lock);
    atomic_fetch_add(&peer->ended, 1);
    SSL_free(connection->ssl);
    free(connection->body);
    return NULL;
}

static void *accept_all(void *context)
{
    struct peer *peer = context;
    for (;;) {
        int fd = accept(peer->listen_fd, NULL, NULL);
        if (atomic_load(&peer->stopping)) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        if (fd < 0 || peer->worker_count == CONNECTIONS_MAX)
            fail("accept");
        struct worker *worker = calloc(1, sizeof *worker);
        if (worker == NULL)
            fail("memory");
        worker->connection =
            (struct peer_connection){.peer = peer, .fd = fd, .number = peer->worker_count + 1};
        worker->fd = fd;
        pthread_mutex_init(&worker->lock, NULL);
        if (pthread_create(&worker->thread, NULL, run_connection, worker) != 0)
            fail("thread");
        peer->workers[peer->worker_count++] = worker;
    }
}

struct peer *peer_start(const struct peer_options *options)
{
    signal(SIGPIPE, SIG_IGN);
    struct peer *peer = calloc(1, sizeof *peer);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    cr_assert_not_null(peer);
    peer->options = *options;
    peer->context = make_context(options);
    peer->listen_fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(peer->listen_fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(peer->listen_fd, CONNECTIONS_MAX) != 0 ||
        getsockname(peer->listen_fd, (struct sockaddr *)&address, &length) != 0)
        fail("listen");
    peer->port = ntohs(address.sin_port);
    if (pthread_create(&peer->thread, NULL, accept_all, peer) != 0)
        fail("thread");
    return peer;
}

void peer_stop(struct peer *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(peer->port)};
    atomic_store(&peer->stopping, true);
    int waking = socket(AF_INET, SOCK_STREAM, 0); /* wakes accept on every system */
    if (connect(waking, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    close(waking);
    pthread_join(peer->thread, NULL);
    close(peer->listen_fd);
    for (unsigned i = 0; i < peer->worker_count; i++) {
        end_worker(peer->workers[i]);
        pthread_join(peer->workers[i]->thread, NULL);
        pthread_mutex_destroy(&peer->workers[i]->lock);
        free(peer->workers[i]);
    }
    SSL_CTX_free(peer->context);
    free(peer);
}

uint16_t peer_port(const struct peer *peer)
{
    return peer->port;
}

unsigned peer_connections(struct peer *peer)
{
    return atomic_load(&peer->connections);
}

unsigned peer_requests(struct peer *peer)
{
    return atomic_load(&peer->requests);
}

static void await(atomic_uint *counted, unsigned count)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < PATIENCE_S * 1000 && atomic_load(counted) < count; i++)
        nanosleep(&pause, NULL);
    cr_assert_geq(atomic_load(counted), count);
}

void peer_await_requests(struct peer *peer, unsigned count)
{
    await(&peer->requests, count);
}

void peer_await_ended(struct peer *peer, unsigned count)
{
    await(&peer->ended, count);
}

/* --- reading ---------------------------------------------------------------------------------- */

size_t peer_read(struct peer_connection *connection, char *bytes, size_t length)
{
    if (connection->held_length > 0) {
        size_t taken = length < connection->held_length ? length : connection->held_length;
        memcpy(bytes, connection->held, taken);
        connection->held_length -= taken;
        memmove(connection->held, connection->held + taken, connection->held_length);
        return taken;
    }
    int got = SSL_read(connection->ssl, bytes, length > 65536 ? 65536 : (int)length);
    return got > 0 ? (size_t)got : 0;
}

bool peer_read_exactly(struct peer_connection *connection, char *bytes, size_t length)
{
    while (length > 0) {
        size_t got = peer_read(connection, bytes, length);
        if (got == 0)
            return false;
        bytes += got;
        length -= got;
    }
    return true;
}

static bool read_body(struct peer_connection *connection, size_t length)
{
    free(connection->body);
    connection->body = malloc(length + 1);
    if (connection->body == NULL || length > BODY_MAX)
        fail("body");
    connection->body[length] = '\0';
    connection->body_length = length;
    return peer_read_exactly(connection, connection->body, length);
}

bool peer_read_request(struct peer_connection *connection)
{
    size_t length = 0;
    connection->request[0] = '\0';
    while (length < 4 || strcmp(connection->request + length - 4, "\r\n\r\n") != 0) {
        if (length + 1 == sizeof connection->request ||
            peer_read(connection, connection->request + length, 1) == 0)
            return false;
        connection->request[++length] = '\0';
    }
    const char *field = strstr(connection->request, "Content-Length: ");
    size_t body_length = field == NULL ? 0 : strtoul(field + strlen("Content-Length: "), NULL, 10);
    if (!read_body(connection, body_length))
        return false;
    atomic_fetch_add(&connection->peer->requests, 1);
    return true;
}

bool peer_request_has(const struct peer_connection *connection, const char *text)
{
    return strstr(connection->request, text) != NULL;
}

void peer_await_close(struct peer_connection *connection)
{
    char bytes[4096];
    while (peer_read(connection, bytes, sizeof bytes) > 0) {
    }
}

void peer_await_stop(struct peer_connection *connection)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    while (!atomic_load(&connection->peer->stopping))
        nanosleep(&pause, NULL);
}

/* --- writing ---------------------------------------------------------------------------------- */

void peer_write(struct peer_connection *connection, const void *bytes, size_t length)
{
    const char *from = bytes;
    while (length > 0) {
        int sent = SSL_write(connection->ssl, from, length > 65536 ? 65536 : (int)length);
        if (sent <= 0)
            return; /* the client is gone: the test sees it on its side */
        from += sent;
        length -= (size_t)sent;
    }
}

void peer_text(struct peer_connection *connection, const char *text)
{
    peer_write(connection, text, strlen(text));
}

void peer_trickle(struct peer_connection *connection, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        peer_write(connection, bytes + i, 1);
}

void peer_answer(struct peer_connection *connection, int status, const char *body)
{
    char head[128];
    snprintf(head, sizeof head, "HTTP/1.1 %d Whatever\r\nContent-Length: %zu\r\n\r\n", status,
             strlen(body));
    peer_text(connection, head);
    peer_text(connection, body);
}

/* Close without the end of TLS; nobody else may end the descriptor meanwhile. */
static void close_now(struct peer_connection *connection)
{
    struct worker *worker = (struct worker *)connection;
    pthread_mutex_lock(&worker->lock);
    close(connection->fd);
    worker->fd = connection->fd = -1;
    pthread_mutex_unlock(&worker->lock);
    SSL_set_quiet_shutdown(connection->ssl, 1);
}

void peer_reset(struct peer_connection *connection)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close_now(connection);
}

void peer_cut(struct peer_connection *connection)
{
    close_now(connection);
}

/* --- websocket -------------------------------------------------------------------------------- */

bool peer_upgrade(struct peer_connection *connection, const char *extra)
{
    static const char field[] = "Sec-WebSocket-Key: ";
    char key[128], answer[512];
    unsigned char digest[EVP_MAX_MD_SIZE], accept[64];
    unsigned digest_length = 0;
    if (!peer_read_request(connection))
        return false;
    const char *found = strstr(connection->request, field);
    if (found == NULL)
        return false;
    snprintf(key, sizeof key, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", found + strlen(field));
    EVP_Digest(key, strlen(key), digest, &digest_length, EVP_sha1(), NULL);
    EVP_EncodeBlock(accept, digest, (int)digest_length);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nCONNECTION: keep-alive, "
             "upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
             (const char *)accept, extra);
    peer_text(connection, answer);
    return true;
}

size_t peer_frame(char *out, unsigned first, const char *payload, size_t length, bool masked)
{
    static const char mask[4] = {0x12, 0x34, 0x56, 0x78};
    size_t used = 0;
    unsigned mask_bit = masked ? 0x80 : 0;
    out[used++] = (char)first;
    if (length < 126) {
        out[used++] = (char)(mask_bit | length);
    } else if (length < 65536) {
        out[used++] = (char)(mask_bit | 126);
        out[used++] = (char)(length >> 8);
        out[used++] = (char)length;
    } else {
        out[used++] = (char)(mask_bit | 127);
        for (int shift = 56; shift >= 0; shift -= 8)
            out[used++] = (char)((uint64_t)length >> shift);
    }
    if (masked) {
        memcpy(out + used, mask, sizeof mask);
        used += sizeof mask;
    }
    for (size_t i = 0; i < length; i++)
        out[used + i] = (char)(masked ? payload[i] ^ mask[i % 4] : payload[i]);
    return used + length;
}

void peer_send_frame(struct peer_connection *connection, unsigned first, const char *payload,
                     size_t length)
{
    char *bytes = malloc(length + 14);
    if (bytes == NULL)
        fail("memory");
    peer_write(connection, bytes, peer_frame(bytes, first, payload, length, false));
    free(bytes);
}

int peer_read_frame(struct peer_connection *connection)
{
    unsigned char head[2], extended[8];
    char mask[4];
    if (!peer_read_exactly(connection, (char *)head, sizeof head))
        return -1;
    uint64_t length = head[1] & 0x7f;
    size_t extended_length = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (!peer_read_exactly(connection, (char *)extended, extended_length))
        return -1;
    for (size_t i = 0; i < extended_length; i++)
        length = (i == 0 ? 0 : length << 8) | extended[i];
    if (!(head[1] & 0x80))
        fail("a client's frame is not masked");
    if (!peer_read_exactly(connection, mask, sizeof mask) || !read_body(connection, length))
        return -1;
    for (size_t i = 0; i < length; i++)
        connection->body[i] ^= mask[i % 4];
    return head[0];
}
