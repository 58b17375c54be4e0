/* The sockets that libcurl keeps for the client's requests, so that a request is not given to a
 * connection that the server has ended while it was idle: nobody could say afterwards whether it had
 * arrived. libcurl looks for itself, but before 8.0 only at the end of TCP, and an end of TLS stands
 * in front of that. */
#ifndef CAPSTAN_NET_SOCKETS_H
#define CAPSTAN_NET_SOCKETS_H

#include "base/integer.h"

#include <curl/curl.h>

/* One of libcurl's, open. */
struct kept_socket {
    curl_socket_t fd;
    bool used; /* a request went over it already */
};

/* Start from all zero. Must outlive libcurl's connections. */
struct sockets {
    struct kept_socket *list;
    size_t count, capacity;
};

/* Have libcurl open and close `easy`'s sockets here. */
void sockets_follow(struct sockets *sockets, CURL *easy);
/* A request is about to go over the connection between these addresses, in numbers. False: it is a
 * kept one, and the server has said something that nobody asked for, of which an end is the usual. */
bool sockets_take(struct sockets *sockets, const char *local, int local_port, const char *remote,
                  int remote_port);
/* After libcurl's last connection has ended. */
void sockets_free(struct sockets *sockets);

#endif
