/* What the parts of the server share: one connection's life.
 *
 *   BEGINNING ──► SPEAKING ──► ENDING ──► over
 *   TLS           HTTP, or     our side
 *                 websocket    has ended
 *
 * Any state goes to `over` where the connection is lost, or is dropped. What is over stays in the list, and
 * its pointer good, until the end of a poll, which tells `closed`. */
#ifndef CAPSTAN_NET_SERVER_INTERNAL_H
#define CAPSTAN_NET_SERVER_INTERNAL_H

#include "net/frames.h"
#include "net/headers.h"
#include "net/server.h"
#include "net/stream.h"

#include <http_parser.h>

enum {
    CLIENT_PIPELINE_MAX = 16,     /* requests that wait for their answers; then reading stops */
    CLIENT_READ_MAX = 16 * 1024,  /* read at one time */
    CLIENT_READS_MAX = 16,        /* of one client before others have their turn */
    CLIENT_WRITE_MAX = 16 * 1024, /* frames taken for one writing: a record of TLS */
    CLIENT_WRITES_MAX = 64,
    CLIENT_UNSENT_PAUSE = 64 * 1024, /* nothing more is read of a client that does not take this */
};

enum client_state { CLIENT_BEGINNING, CLIENT_SPEAKING, CLIENT_ENDING };

/* A request that waits for its answer. */
struct pending {
    bool keeps;    /* the connection stays after it */
    bool has_body; /* its answer has: it is no HEAD */
    bool chunks;   /* may be answered in chunks: HTTP/1.1 */
};

struct net_client {
    struct net_server *server;
    struct net_client *next;
    struct stream stream;
    enum client_state state;
    bool over;
    bool known;   /* a request of it was told, so its end is */
    bool refused; /* it is one too many */
    bool stalled;
    bool last;                   /* nothing more is read: it ends once all is answered and sent */
    bool blocked;                /* the system took no more */
    bool paused;                 /* requests of it wait until it has taken answers */
    bool more;                   /* there is something to do that poll can't see */
    int64_t deadline_ns;         /* to say something, or to go */
    int64_t writing_deadline_ns; /* to take something of what waits */
    size_t polled;               /* its place in the server's pollfds */
    struct buffer in, out;
    void *value;
    /* HTTP */
    http_parser parser;
    struct headers headers;
    struct buffer target, body;
    bool in_message, complete;
    int error; /* status that the message is refused with; 0: none */
    struct pending pending[CLIENT_PIPELINE_MAX];
    size_t pending_count;
    bool answering; /* the oldest, with a body that goes on */
    bool may_upgrade;
    char accept_key[32]; /* Sec-WebSocket-Accept of the request that is told */
    /* websocket */
    struct frames *frames;
};

struct net_server {
    struct net_server_options options; /* its strings are not valid any more */
    SSL_CTX *tls;
    int listen_fd, wake_fds[2];
    uint16_t port;
    int64_t accept_again_ns; /* the system had no more descriptors */
    struct net_client *clients;
    size_t client_count;
    size_t over_count; /* of these, over since the last sweep */
    struct pollfd *pollfds;
    size_t pollfd_capacity;
    bool polling;
    char bytes[CLIENT_READ_MAX];
};

/* --- a connection ----------------------------------------------------------------------------- */

/* Take over a connection that was accepted. False: no memory; it is closed. */
bool connection_open(struct net_server *server, int fd, bool refused, int64_t now);
void connection_free(struct net_client *client);
/* Queue bytes; too many that wait end the connection. */
void connection_append(struct net_client *client, const char *bytes, size_t length);
void connection_append_text(struct net_client *client, const char *text);
/* Send what waits, as much as the system takes. */
void connection_flush(struct net_client *client, int64_t now);
/* It has so much to take that nothing more of it is read; noted, so that it goes on afterwards. */
bool connection_must_drain(struct net_client *client);
/* Do what there is to do after poll said `revents`. */
void connection_work(struct net_client *client, short revents, int64_t now);
/* What poll must wait for; 0: nothing. */
short connection_events(const struct net_client *client);
/* When there is something to do without a byte from outside. */
int64_t connection_deadline(const struct net_client *client);
/* It is gone, at once. */
void connection_drop(struct net_client *client);

/* --- HTTP ------------------------------------------------------------------------------------- */

void http_open(struct net_client *client);
/* Read on in `in`, and call back for each request that is whole. */
void http_work(struct net_client *client);
/* Answer what can't be read, or takes too long, if nothing waits before it; then end. */
void http_refuse(struct net_client *client, int status);
/* Forget the oldest request: it is answered. */
void http_answered(struct net_client *client);

/* --- websocket -------------------------------------------------------------------------------- */

/* Feed what stands in `in`. */
void websocket_work(struct net_client *client);

#endif
