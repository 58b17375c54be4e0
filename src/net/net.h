/* One thread's network: HTTPS requests, answers that never end (streams of lines), and websockets, all
 * over TLS that is verified, behind one poll. libcurl carries them (TLS, names, connections kept), wslay
 * frames websockets.
 *
 * Nothing here is sent twice. A request that may have left and has no answer ends NET_UNKNOWN, whatever it
 * was; libcurl's own repetition on a connection that was kept is prevented for every request with a body
 * (the body comes from a reader that can't be rewound), and only requests that say so may be repeated.
 *
 * TLS: 1.2 or better, certificate and host name always verified, against the system's authorities or
 * the one file of `ca_file`. There is no switch that turns this off.
 *
 * One struct net belongs to one thread; only net_wake may be called from others. Callbacks are called
 * from within net_poll, never from within the call that starts something. A callback may start and end
 * things, also itself. */
#ifndef CAPSTAN_NET_NET_H
#define CAPSTAN_NET_NET_H

#include "base/error.h"

struct net;
struct net_websocket;
struct net_lines;

enum {
    NET_HEADERS_MAX = 16,             /* of one request */
    NET_BODY_MAX = 64 * 1024 * 1024,  /* of an answer; a longer one is NET_UNKNOWN */
    NET_FRAME_MAX = 64 * 1024 * 1024, /* of a websocket message; a longer one closes it */
    NET_LINE_MAX = 1024 * 1024,       /* of a stream; a longer one closes it */
};

struct net_options {
    const char
        *ca_file; /* PEM file of the authorities to trust instead of the system's; NULL: those */
    const char *user_agent; /* NULL: "capstan/VERSION" */
};

/* Both strings are copied. ERROR_INPUT where ca_file can't be read or holds no certificate. */
int net_open(struct net **net, const struct net_options *options, struct error *error);
/* Ends everything without callbacks. NULL is allowed. */
void net_close(struct net **net);
/* Wait for at most `timeout_ns` (0: don't; negative counts as 0) until something has happened, then call
 * the callbacks of all that has. ERROR_SYSTEM only where the system refuses to poll. */
int net_poll(struct net *net, int64_t timeout_ns, struct error *error);
/* End a net_poll that waits, or the next one, at once. From any thread, also from a signal handler's
 * thread; never blocks. */
void net_wake(struct net *net);

/* --- requests ------------------------------------------------------------------------------------ */

/* What became of a request. */
enum net_outcome {
    NET_ANSWERED, /* a whole answer came: `status` is set */
    NET_NOT_SENT, /* certain that no byte of it left: no address, no connection, no TLS, refused */
    NET_UNKNOWN   /* it may have arrived: time over, connection lost, answer cut or too long */
};

/* One header, or one header's name and value of an answer (name in lower case). */
struct net_header {
    const char *name, *value;
};

struct net_response {
    enum net_outcome outcome;
    long status;      /* HTTP status; 0 unless NET_ANSWERED */
    const char *body; /* NUL behind it; valid during the callback */
    size_t length;
    const struct net_header *headers;
    size_t header_count;
    int64_t sent_ns, answered_ns; /* monotonic clock: net_request was called; all was there */
    const char *failure;          /* why it is not NET_ANSWERED, in words; else NULL */
};

/* The value of a header by its lower-case name, or NULL. */
const char *net_response_header(const struct net_response *response, const char *name);

struct net_request {
    const char *method; /* "GET", "POST", "PUT", "DELETE" */
    const char *url;    /* https:// */
    struct net_header headers[NET_HEADERS_MAX];
    size_t header_count;
    const char *body; /* NULL: none. POST and PUT always have one, even if it is empty */
    size_t length;
    int64_t timeout_ns; /* from now to the whole answer; > 0 */
    /* Called once, unless net_close or net_cancel comes before. */
    void (*done)(void *context, const struct net_response *response);
    void *context;
};

/* Send it, over a kept connection where there is one. All of `request` is copied. Returns a number above
 * 0 that names it, or 0 with the error where it can't even be begun (bad URL, not https, no memory). */
uint64_t net_request(struct net *net, const struct net_request *request, struct error *error);
/* Forget a request: `done` is not called. The request may arrive all the same. */
void net_cancel(struct net *net, uint64_t request);

/* --- streams of lines ---------------------------------------------------------------------------- */

struct net_lines_options {
    const char *url;
    struct net_header headers[NET_HEADERS_MAX];
    size_t header_count;
    int64_t silence_ns;            /* without a byte for so long it is closed; > 0 */
    void (*opened)(void *context); /* status 200 came */
    void (*line)(void *context, const char *text, size_t length); /* without its line end */
    /* Once, unless net_lines_close came before. `status`: HTTP status where it was not 200, else 0; then
     * `body` is what came with it. The stream is gone. */
    void (*closed)(void *context, long status, const char *why, const char *body, size_t length);
    void *context;
};

int net_lines_open(struct net *net, const struct net_lines_options *options,
                   struct net_lines **stream, struct error *error);
/* Close without a callback. NULL is allowed; *stream becomes NULL. */
void net_lines_close(struct net_lines **stream);

/* --- websockets ---------------------------------------------------------------------------------- */

struct net_websocket_options {
    const char *url; /* wss:// */
    struct net_header headers[NET_HEADERS_MAX];
    size_t header_count;
    int64_t connect_timeout_ns; /* until it is open; > 0 */
    void (*opened)(void *context);
    void (*text)(void *context, const char *text,
                 size_t length); /* one whole message, text or binary */
    void (*ping)(
        void *
            context); /* the server asked for a sign of life; the pong is sent already. May be NULL */
    /* Once, unless net_websocket_close came before. The websocket is gone. */
    void (*closed)(void *context, const char *why);
    void *context;
};

int net_websocket_open(struct net *net, const struct net_websocket_options *options,
                       struct net_websocket **websocket, struct error *error);
/* Queue one text message; copied. Only after `opened`. ERROR_SYSTEM where more than NET_FRAME_MAX bytes
 * wait to be sent already. */
int net_websocket_send(struct net_websocket *websocket, const char *text, size_t length,
                       struct error *error);
/* Send a close frame if it can go at once, and close, without a callback. NULL is allowed. */
void net_websocket_close(struct net_websocket **websocket);

#endif
