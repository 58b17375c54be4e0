/* An HTTP/1.1 and websocket server on one thread: what `capstan exchange` listens with, and what the
 * health, metrics and control pages will. With TLS (1.2 or better) or without. http-parser reads
 * requests, wslay frames websockets, OpenSSL carries TLS.
 *
 * A slow or hostile client costs a bounded amount: connections, header bytes, body bytes, the time of a
 * request and the bytes that wait to be sent to one client all have limits; what goes over one is
 * answered (400, 408, 413, 431, 503) where it can be, and closed.
 *
 * One struct net_server belongs to one thread; only net_server_wake may be called from others.
 * Callbacks are called from within net_server_poll. A connection's pointer is good until its
 * `closed` callback. */
#ifndef CAPSTAN_NET_SERVER_H
#define CAPSTAN_NET_SERVER_H

#include "base/error.h"
#include "net/net.h"

struct net_server;
struct net_client; /* one connection to the server */

/* A request that came whole. Everything is valid during the callback only. */
struct net_incoming {
    const char *method;
    const char *path;                 /* as sent, up to the question mark */
    const char *query;                /* as sent, behind the '?'; "" where there is none */
    const struct net_header *headers; /* names in lower case */
    size_t header_count;
    const char *body; /* NUL behind it */
    size_t length;
    bool wants_websocket; /* a valid upgrade: net_client_accept_websocket may be called */
};

/* The value of a header by its lower-case name, or NULL. */
const char *net_incoming_header(const struct net_incoming *incoming, const char *name);

struct net_server_options {
    const char *address;                     /* "127.0.0.1", "::1", "0.0.0.0" */
    uint16_t port;                           /* 0: any that is free */
    const char *certificate_file, *key_file; /* PEM; NULL: no TLS */
    size_t connections_max;                  /* 0: 1024 */
    size_t header_bytes_max; /* of one request, its line included, at most 80 KiB; 0: 16 KiB */
    size_t body_bytes_max;   /* of one request, or of a websocket's message; 0: 1 MiB */
    size_t unsent_bytes_max; /* to one client; 0: 64 MiB */
    /* Where there are as many connections as may be, a new one takes the place of that which has been
     * longest without a whole request; else the new one is told 503. */
    bool drops_oldest;
    /* From a connection's or a request's first byte to its last, of an idle connection that is kept, and
     * of one that takes nothing of what waits for it; 0: 30 s. */
    int64_t request_timeout_ns;
    /* Each request once; answer it now or later, in the order of the requests. */
    void (*request)(void *context, struct net_client *client, const struct net_incoming *incoming);
    /* One whole message of a websocket, text or binary. NULL: no websockets. */
    void (*text)(void *context, struct net_client *client, const char *text, size_t length);
    /* A connection is gone of which a request was told, whoever ended it. May be NULL. */
    void (*closed)(void *context, struct net_client *client);
    void *context;
};

/* Listen. `options` and its strings are copied. ERROR_INPUT: the address is none, a file can't be read or
 * holds no certificate or key of it; ERROR_SYSTEM: the port is taken, no memory. */
int net_server_open(struct net_server **server, const struct net_server_options *options,
                    struct error *error);
/* Ends all connections without callbacks. Not from within a callback. NULL is allowed. */
void net_server_close(struct net_server **server);
/* The port it listens on. */
uint16_t net_server_port(const struct net_server *server);
/* Wait for at most `timeout_ns` (0 or less: don't) until something has happened, then do all there
 * is to do and call back. ERROR_SYSTEM only where the system refuses to poll. */
int net_server_poll(struct net_server *server, int64_t timeout_ns, struct error *error);
/* End a poll that waits, or the next one, at once. From any thread; never blocks. */
void net_server_wake(struct net_server *server);

/* The caller's own pointer of a connection; NULL at first. */
void net_client_set(struct net_client *client, void *value);
void *net_client_get(const struct net_client *client);

/* Answer the oldest request that has none. `headers` beside Content-Length and Connection. Nothing
 * happens where the connection has ended meanwhile, here and below. `content_type` NULL: none. */
void net_client_answer(struct net_client *client, int status, const char *content_type,
                       const struct net_header *headers, size_t header_count, const char *body,
                       size_t length);
/* Answer it with a body that goes on (chunked) until net_client_end; requests behind it wait. */
void net_client_begin(struct net_client *client, int status, const char *content_type,
                      const struct net_header *headers, size_t header_count);
void net_client_write(struct net_client *client, const char *bytes, size_t length);
void net_client_end(struct net_client *client);
/* Make the connection a websocket; from within `request` of an upgrade only. */
void net_client_accept_websocket(struct net_client *client);
void net_client_send_text(struct net_client *client, const char *text, size_t length);
void net_client_send_ping(struct net_client *client, const char *bytes, size_t length);
/* End the websocket with a close frame, or the connection, once all is sent; requests without an answer
 * get none. */
void net_client_finish(struct net_client *client, unsigned code, const char *reason);

/* --- faults, for whoever plays a bad network -------------------------------------------------- */

/* Drop the connection at once: with a reset (RST), or an orderly end without an answer. `closed`
 * follows. */
void net_client_reset(struct net_client *client);
void net_client_drop(struct net_client *client);
/* Neither read nor write from now on, until it is called with false: a stall, and for ever a half-open
 * connection. */
void net_client_stall(struct net_client *client, bool stalled);

#endif
