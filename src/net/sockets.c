/* See sockets.h. */
#include "config.h" /* POSIX names */

#include "net/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool remember(struct sockets *sockets, curl_socket_t fd)
{
    if (sockets->count == sockets->capacity) {
        size_t capacity = 2 * sockets->capacity + 8;
        struct kept_socket *list = realloc(sockets->list, capacity * sizeof *list);
        if (list == NULL)
            return false;
        sockets->list = list;
        sockets->capacity = capacity;
    }
    sockets->list[sockets->count++] = (struct kept_socket){.fd = fd};
    return true;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    int fd = socket(address->family, address->socktype, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || !remember(context, fd)) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd;
}

static int close_socket(void *context, curl_socket_t fd)
{
    struct sockets *sockets = context;
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->list[i].fd == fd) {
            sockets->list[i] = sockets->list[--sockets->count];
            break;
        }
    return close(fd);
}

void sockets_follow(struct sockets *sockets, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets);
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool is_address(const union address *address, const char *text, int port)
{
    char numbers[INET6_ADDRSTRLEN] = "";
    bool is_v4 = address->any.sa_family == AF_INET;
    if (!is_v4 && address->any.sa_family != AF_INET6)
        return false;
    if (ntohs(is_v4 ? address->v4.sin_port : address->v6.sin6_port) != port)
        return false;
    const void *bytes =
        is_v4 ? (const void *)&address->v4.sin_addr : (const void *)&address->v6.sin6_addr;
    return inet_ntop(address->any.sa_family, bytes, numbers, sizeof numbers) != NULL &&
           strcmp(numbers, text) == 0;
}

static struct kept_socket *find(struct sockets *sockets, const char *local, int local_port,
                                const char *remote, int remote_port)
{
    for (size_t i = 0; i < sockets->count; i++) {
        union address here = {0}, there = {0};
        socklen_t here_length = sizeof here, there_length = sizeof there;
        int fd = sockets->list[i].fd;
        if (getsockname(fd, &here.any, &here_length) == 0 &&
            getpeername(fd, &there.any, &there_length) == 0 &&
            is_address(&here, local, local_port) && is_address(&there, remote, remote_port))
            return &sockets->list[i];
    }
    return NULL;
}

bool sockets_take(struct sockets *sockets, const char *local, int local_port, const char *remote,
                  int remote_port)
{
    struct kept_socket *kept = find(sockets, local, local_port, remote, remote_port);
    if (kept == NULL)
        return true; /* libcurl did not tell the addresses: as if nobody had looked */
    bool used = kept->used;
    kept->used = true;
    /* On a new one the server may have sent the tickets of TLS 1.3. */
    struct pollfd wait = {.fd = kept->fd, .events = POLLIN};
    return !used || poll(&wait, 1, 0) == 0;
}

void sockets_free(struct sockets *sockets)
{
    free(sockets->list);
    *sockets = (struct sockets){0};
}
