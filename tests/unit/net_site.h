/* A server under test, polled by a thread of its own, whose pages do what tests of the server need; and
 * a client by hand, which blocks, sends what no decent client would, and sees each byte.
 *
 * /echo      200 with method, path, query, headers, body /later     answered with its body, but only
 * after the next poll without a request /never     not answered /big       200 with SITE_BIG bytes
 * /stream    three pieces; /stream-on goes on until the client has gone /reset, /drop, /stall,
 * /finish: that /ws        a websocket, whose texts are echoed; "close", "ping", "reset", "flood" do
 * that /hello     the same, with a text at once */
#ifndef CAPSTAN_TESTS_NET_SITE_H
#define CAPSTAN_TESTS_NET_SITE_H

#include "net/server.h"

#include <openssl/ssl.h>

enum { SITE_BIG = 8 * 1024 * 1024 };

struct site;

/* Start it; address, callbacks and, with `tls`, certificate of `options` are set here. NULL: all
 * defaults. */
struct site *site_start(const struct net_server_options *options, bool tls);
void site_stop(struct site *site);
uint16_t site_port(const struct site *site);
/* How many requests and websocket texts were told; of how many connections the end. */
unsigned site_requests(struct site *site);
unsigned site_texts(struct site *site);
unsigned site_closed(struct site *site);
/* Wait until as many requests came, or ends were told, at most 20 s. */
void site_await_requests(struct site *site, unsigned count);
void site_await_closed(struct site *site, unsigned count);
/* "https://127.0.0.1:PORT/PATH"; in a buffer that the next call reuses. */
const char *site_url(const char *scheme, const struct site *site, const char *path);

/* A client's connection. */
struct raw {
    int fd;
    SSL_CTX *context;
    SSL *ssl; /* NULL: no TLS */
};

/* Connect to the site the way it speaks. */
struct raw raw_open(const struct site *site);
/* Connect without TLS, whatever the site speaks; the second with so little room for what comes. */
struct raw raw_open_plain(const struct site *site);
struct raw raw_open_narrow(const struct site *site, int receive_bytes);
void raw_close(struct raw *raw);
/* Send all of it, as far as the server takes it. */
void raw_send(struct raw *raw, const char *bytes, size_t length);
void raw_text(struct raw *raw, const char *text);
void raw_trickle(struct raw *raw, const char *text);
/* End our side only. */
void raw_end(struct raw *raw);
/* Read at most `room` - 1 bytes until `until` has come (NULL: until the end); NUL behind. How many. */
size_t raw_read(struct raw *raw, char *text, size_t room, const char *until);
/* Whether the server ended it within `timeout_ms`: 1 in order, -1 with a reset, 0 not. Nothing may
 * come before. */
int raw_ended(struct raw *raw, int timeout_ms);
/* Open, send, read until the end, close. The text is valid until the next call. */
const char *raw_exchange(const struct site *site, const char *request);
/* Make a websocket of it. */
void raw_upgrade(struct raw *raw, const char *path);

#endif
