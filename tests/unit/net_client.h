/* What tests of the client share: a net that trusts the tests' authority, and what it called back. */
#ifndef CAPSTAN_TESTS_NET_CLIENT_H
#define CAPSTAN_TESTS_NET_CLIENT_H

#include "base/time.h"
#include "net/net.h"
#include "net_certificates.h"
#include "net_peer.h"

#define PATIENCE (20 * NS_PER_SECOND)

/* An answer, copied. Start from all zero. */
struct answer {
    unsigned count; /* of calls */
    enum net_outcome outcome;
    long status;
    char *body;
    size_t length;
    char header[256]; /* of the name in `wanted` */
    const char *wanted;
    int64_t sent_ns, answered_ns;
    char failure[512];
    void (*after)(struct answer *answer); /* called at the end of the callback */
    void *context;
};

struct net *client_open(void);
struct net *client_open_trusting(const char *ca_file);
/* Poll until *count reaches `target`; fails after PATIENCE. */
void client_until(struct net *net, const unsigned *count, unsigned target);
/* Poll for so long. */
void client_for(struct net *net, int64_t duration_ns);
/* "https://127.0.0.1:PORT/PATH"; in a buffer that the next call reuses. */
const char *client_url(const char *scheme, const struct peer *peer, const char *path);
/* Begin a request whose answer goes to `answer`. */
uint64_t client_begin(struct net *net, const char *method, const char *url, const char *body,
                      struct answer *answer);
/* Do it and wait for it. */
void client_do(struct net *net, const char *method, const char *url, const char *body,
               struct answer *answer);
/* The callback of a request whose context is a struct answer. */
void client_done(void *context, const struct net_response *response);
void answer_free(struct answer *answer);

/* --- streams and websockets ------------------------------------------------------------------- */

/* What was called back. Start from all zero but `net`. */
struct seen {
    struct net *net;
    struct net_lines *stream;
    struct net_websocket *websocket;
    unsigned opened, texts, pings, closed;
    char *text; /* all texts, each with a '|' behind it */
    size_t length, room;
    long status;
    char why[512], body[256];
    /* Called at the end of the callbacks. */
    void (*on_open)(struct seen *seen);
    void (*on_text)(struct seen *seen);
    void (*on_close)(struct seen *seen);
    void *more;
};

/* The callbacks, whose context is a struct seen. */
void see_open(void *context);
void see_text(void *context, const char *text, size_t length);
void see_ping(void *context);
void see_close(void *context, const char *why);
void see_lines_close(void *context, long status, const char *why, const char *body, size_t length);
/* Open with them, and with a secret in a header, which no text may show. */
void open_lines(struct seen *seen, const char *url, int64_t silence_ns);
void open_websocket(struct seen *seen, const char *url);
void open_websocket_for(struct seen *seen, const char *url, int64_t timeout_ns);
/* Close the net, and free what was seen. */
void seen_end(struct seen *seen);

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* What the script `play` sends after the first request, and how. */
struct play {
    const char *text;
    size_t length;
    bool trickle;
    void (*end)(struct peer_connection *connection);
};

/* A peer's script; its context is a struct play. */
void play(struct peer_connection *connection, void *context);

#endif
