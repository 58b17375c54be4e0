/* See server.h: the listening socket and the poll. */
#include "config.h" /* POSIX names */

#include "net/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"
#include "net/process.h"
#include "net/server_internal.h"

enum {
    CONNECTIONS_MAX = 1024,
    REFUSED_MAX = 16, /* above connections_max, to tell them so */
    ACCEPTS_MAX = 64, /* in one poll */
    BACKLOG = 4096,   /* at most net.core.somaxconn */
    HEADER_BYTES_MAX = 16 * 1024,
    BODY_BYTES_MAX = 1024 * 1024,
    UNSENT_BYTES_MAX = 64 * 1024 * 1024,
};

#define REQUEST_TIMEOUT_NS (30 * NS_PER_SECOND)
/* How long it does not accept where the system has no descriptors left. */
#define ACCEPT_PAUSE_NS (100 * NS_PER_MS)

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Neither blocks nor survives an exec. */
static bool prepare_fd(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool parse_address(const char *text, uint16_t port, union address *address,
                          socklen_t *length)
{
    *address = (union address){0};
    if (text == NULL)
        return false;
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        *length = sizeof address->v4;
        return true;
    }
    if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(port);
        *length = sizeof address->v6;
        return true;
    }
    return false;
}

static int listen_at(struct net_server *server, const char *text, uint16_t port,
                     struct error *error)
{
    union address address;
    socklen_t length = 0;
    const int on = 1;
    if (!parse_address(text, port, &address, &length))
        return error_set(error, ERROR_INPUT, "address %s: expected one in numbers",
                         text == NULL ? "of nothing" : text);
    server->listen_fd = socket(address.any.sa_family, SOCK_STREAM, 0);
    if (server->listen_fd < 0 || !prepare_fd(server->listen_fd) ||
        setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(server->listen_fd, &address.any, length) != 0 ||
        listen(server->listen_fd, BACKLOG) != 0 ||
        getsockname(server->listen_fd, &address.any, &length) != 0)
        return error_set(error, ERROR_SYSTEM, "can't listen at %s port %u: %s", text,
                         (unsigned)port, strerror(errno));
    server->port =
        ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    return ERROR_NONE;
}

static void set_defaults(struct net_server_options *options)
{
    if (options->connections_max == 0)
        options->connections_max = CONNECTIONS_MAX;
    if (options->header_bytes_max == 0)
        options->header_bytes_max = HEADER_BYTES_MAX;
    if (options->body_bytes_max == 0)
        options->body_bytes_max = BODY_BYTES_MAX;
    if (options->unsent_bytes_max == 0)
        options->unsent_bytes_max = UNSENT_BYTES_MAX;
    if (options->request_timeout_ns == 0)
        options->request_timeout_ns = REQUEST_TIMEOUT_NS;
    options->address = options->certificate_file = options->key_file = NULL;
}

static int set_up(struct net_server *server, const struct net_server_options *options,
                  struct error *error)
{
    server->options = *options;
    set_defaults(&server->options);
    if (pipe(server->wake_fds) != 0 || !prepare_fd(server->wake_fds[0]) ||
        !prepare_fd(server->wake_fds[1]))
        return error_set(error, ERROR_SYSTEM, "no pipe: %s", strerror(errno));
    if ((options->certificate_file == NULL) != (options->key_file == NULL))
        return error_set(error, ERROR_INPUT, "TLS: expected both a certificate and a key");
    if (options->certificate_file != NULL) {
        int status =
            stream_context(&server->tls, options->certificate_file, options->key_file, error);
        if (status != ERROR_NONE)
            return status;
    }
    return listen_at(server, options->address, options->port, error);
}

int net_server_open(struct net_server **server, const struct net_server_options *options,
                    struct error *error)
{
    ASSERT(options->request != NULL && options->request_timeout_ns >= 0);
    int status = net_process_start(error);
    if (status != ERROR_NONE)
        return status;
    struct net_server *made = calloc(1, sizeof *made);
    if (made == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a server");
    made->listen_fd = made->wake_fds[0] = made->wake_fds[1] = -1;
    status = set_up(made, options, error);
    if (status != ERROR_NONE) {
        net_server_close(&made);
        return status;
    }
    *server = made;
    return ERROR_NONE;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd); /* nothing is left that could be lost */
}

void net_server_close(struct net_server **server)
{
    struct net_server *closing = *server;
    if (closing == NULL)
        return;
    ASSERT(!closing->polling);
    while (closing->clients != NULL) {
        struct net_client *client = closing->clients;
        closing->clients = client->next;
        connection_free(client);
    }
    close_fd(closing->listen_fd);
    close_fd(closing->wake_fds[0]);
    close_fd(closing->wake_fds[1]);
    SSL_CTX_free(closing->tls);
    free(closing->pollfds);
    free(closing);
    *server = NULL;
}

uint16_t net_server_port(const struct net_server *server)
{
    return server->port;
}

void net_server_wake(struct net_server *server)
{
    /* Fails only where bytes to end the poll wait already. */
    ssize_t written = write(server->wake_fds[1], "", 1);
    (void)written;
}

/* --- the poll --------------------------------------------------------------------------------- */

/* Which of the connections that have said nothing whole has been there longest: new ones stand first. */
static struct net_client *oldest_idle(struct net_server *server)
{
    struct net_client *oldest = NULL;
    for (struct net_client *client = server->clients; client != NULL; client = client->next)
        if (!client->over && client->pending_count == 0 && client->frames == NULL)
            oldest = client;
    return oldest;
}

/* Make room for one more, if there is a way. */
static void make_room(struct net_server *server)
{
    if (!server->options.drops_oldest ||
        server->client_count - server->over_count < server->options.connections_max)
        return;
    struct net_client *client = oldest_idle(server);
    if (client == NULL)
        return;
    connection_drop(client);
    server->over_count++;
}

static void accept_one(struct net_server *server, int fd, int64_t now)
{
    const int on = 1;
    size_t most = server->options.connections_max;
    make_room(server);
    size_t count = server->client_count - server->over_count;
    if (!prepare_fd(fd) || count >= most + REFUSED_MAX) {
        close_fd(fd);
        return;
    }
    /* Both are for better only. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)connection_open(server, fd, count >= most, now); /* else it is closed */
}

static void accept_all(struct net_server *server, int64_t now)
{
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        int fd = accept(server->listen_fd, NULL, NULL);
        if (fd >= 0) {
            accept_one(server, fd, now);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            server->accept_again_ns = now + ACCEPT_PAUSE_NS;
        /* Anything else is of the one connection that is gone, or there is none. */
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

static bool grow_pollfds(struct net_server *server)
{
    size_t count = server->client_count + 2;
    if (count <= server->pollfd_capacity)
        return true;
    struct pollfd *pollfds = realloc(server->pollfds, 2 * count * sizeof *pollfds);
    if (pollfds == NULL)
        return false;
    server->pollfds = pollfds;
    server->pollfd_capacity = 2 * count;
    return true;
}

/* What to wait for; returns how many. */
static size_t watch(struct net_server *server, int64_t now)
{
    size_t count = 2;
    bool accepts = now >= server->accept_again_ns;
    server->pollfds[0] = (struct pollfd){.fd = server->wake_fds[0], .events = POLLIN};
    server->pollfds[1] = (struct pollfd){.fd = accepts ? server->listen_fd : -1, .events = POLLIN};
    for (struct net_client *client = server->clients; client != NULL; client = client->next) {
        if (!client->blocked)
            connection_flush(client, now); /* what was queued since the last poll */
        bool hidden = client->over || client->stalled;
        client->polled = count;
        server->pollfds[count++] = (struct pollfd){.fd = hidden ? -1 : client->stream.fd,
                                                   .events = connection_events(client)};
    }
    return count;
}

static int wait_ms(const struct net_server *server, int64_t timeout_ns, int64_t now)
{
    int64_t deadline = now < server->accept_again_ns ? server->accept_again_ns : TIME_NEVER;
    for (const struct net_client *client = server->clients; client != NULL; client = client->next) {
        int64_t own = connection_deadline(client);
        deadline = own < deadline ? own : deadline;
    }
    if (deadline <= now || timeout_ns <= 0)
        return 0;
    int64_t left = deadline - now < timeout_ns ? deadline - now : timeout_ns;
    int64_t ms = (left - 1) / NS_PER_MS + 1;
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

static void drain_wake(struct net_server *server)
{
    char bytes[64];
    while (read(server->wake_fds[0], bytes, sizeof bytes) > 0) {
    }
}

/* Tell of those that are over, and free them. */
static void sweep(struct net_server *server)
{
    struct net_client **place = &server->clients;
    server->over_count = 0;
    while (*place != NULL) {
        struct net_client *client = *place;
        if (!client->over) {
            place = &client->next;
            continue;
        }
        *place = client->next;
        server->client_count--;
        if (client->known && server->options.closed != NULL)
            server->options.closed(server->options.context, client);
        connection_free(client);
    }
}

int net_server_poll(struct net_server *server, int64_t timeout_ns, struct error *error)
{
    ASSERT(!server->polling);
    int64_t now = clock_now(&clock_monotonic);
    if (!grow_pollfds(server))
        return error_set(error, ERROR_SYSTEM, "no memory for the server's sockets");
    size_t count = watch(server, now);
    int ready = poll(server->pollfds, count, wait_ms(server, timeout_ns, now));
    if (ready < 0 && errno != EINTR)
        return error_set(error, ERROR_SYSTEM, "the server can't be polled: %s", strerror(errno));
    for (size_t i = 0; ready < 0 && i < count; i++)
        server->pollfds[i].revents = 0; /* a signal came, and poll said nothing */
    now = clock_now(&clock_monotonic);
    server->polling = true;
    if (server->pollfds[0].revents != 0)
        drain_wake(server);
    for (struct net_client *client = server->clients; client != NULL; client = client->next)
        connection_work(client, server->pollfds[client->polled].revents, now);
    if (server->pollfds[1].revents != 0)
        accept_all(server, now);
    for (struct net_client *client = server->clients; client != NULL; client = client->next)
        connection_flush(client, now); /* what was queued for it by another's callback */
    sweep(server);
    server->polling = false;
    return ERROR_NONE;
}
