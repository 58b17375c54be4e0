/* A peer that knows nothing of src/net: TLS servers on loopback in threads, that do with each
 * connection what a script says, byte by byte where it matters. */
#ifndef CAPSTAN_TESTS_NET_PEER_H
#define CAPSTAN_TESTS_NET_PEER_H

#include "base/integer.h"

#include <openssl/ssl.h>

struct peer;

/* One connection as its script sees it; it ends, in order, when the script returns. */
struct peer_connection {
    struct peer *peer;
    SSL *ssl;
    int fd;
    unsigned number;         /* from 1, in the order of acceptance */
    char request[16 * 1024]; /* the last one's line and headers, NUL behind */
    char *body;
    size_t body_length;
    char held[4096]; /* read and not used yet */
    size_t held_length;
};

struct peer_options {
    void (*script)(struct peer_connection *connection, void *context);
    void *context;
    const char *certificate; /* NULL: the good one */
    bool old_tls;            /* speaks TLS 1.0 and 1.1 only */
};

struct peer *peer_start(const struct peer_options *options);
/* Ends all connections and waits for all scripts. */
void peer_stop(struct peer *peer);
uint16_t peer_port(const struct peer *peer);
/* How many connections finished their TLS handshake; how many requests came whole. */
unsigned peer_connections(struct peer *peer);
unsigned peer_requests(struct peer *peer);
/* Wait until as many requests came, or connections ended, at most 20 s. */
void peer_await_requests(struct peer *peer, unsigned count);
void peer_await_ended(struct peer *peer, unsigned count);

/* Read one request into `request` and `body`. False: the client has closed. */
bool peer_read_request(struct peer_connection *connection);
/* Whether the request's text (line or a header, as sent) contains it. */
bool peer_request_has(const struct peer_connection *connection, const char *text);
void peer_write(struct peer_connection *connection, const void *bytes, size_t length);
void peer_text(struct peer_connection *connection, const char *text);
/* Each byte in a TLS record of its own. */
void peer_trickle(struct peer_connection *connection, const char *bytes, size_t length);
/* An answer with a length. */
void peer_answer(struct peer_connection *connection, int status, const char *body);
/* Read at most `length` bytes. 0: the client has closed. */
size_t peer_read(struct peer_connection *connection, char *bytes, size_t length);
bool peer_read_exactly(struct peer_connection *connection, char *bytes, size_t length);
/* Wait until the client closes, and throw away what it sends. */
void peer_await_close(struct peer_connection *connection);
/* Read nothing until peer_stop. */
void peer_await_stop(struct peer_connection *connection);
/* End now: with a reset; without the end of TLS. The script should return then. */
void peer_reset(struct peer_connection *connection);
void peer_cut(struct peer_connection *connection);

/* --- websocket, by hand ----------------------------------------------------------------------- */

/* Read the handshake and answer it as RFC 6455 says, with `extra` header lines. */
bool peer_upgrade(struct peer_connection *connection, const char *extra);
/* Put a frame's bytes into `out` (room for length + 14), not masked or masked; returns how many.
 * `first` is its first byte: FIN and opcode. */
size_t peer_frame(char *out, unsigned first, const char *payload, size_t length, bool masked);
void peer_send_frame(struct peer_connection *connection, unsigned first, const char *payload,
                     size_t length);
/* Read one frame, which must be masked; its payload, unmasked, is `body`. Its first byte, or -1:
 * closed. */
int peer_read_frame(struct peer_connection *connection);

#endif
