/* What the parts of the client share: struct net, and an HTTP exchange as requests and streams of lines
 * both have one. */
#ifndef CAPSTAN_NET_NET_INTERNAL_H
#define CAPSTAN_NET_NET_INTERNAL_H

#include "net/headers.h"
#include "net/net.h"
#include "net/sockets.h"

#include <curl/curl.h>

enum {
    NET_ANSWER_HEADERS_MAX = 256 * 1024, /* bytes of an answer's headers, all of them */
    NET_CONNECT_MAX_MS = 10000,          /* to connect, where a request may take longer */
    NET_KEPT_MAX = 32,                   /* idle connections kept for the next request */
    NET_READ_MAX = 16 * 1024,            /* read at one time: a record of TLS */
};

struct request;

/* Things that are over stay in their list, `over` set, until nobody can be looking at them: they are
 * freed when no callback runs. */
struct net {
    struct sockets sockets; /* of `multi` */
    CURLM *multi;           /* requests and streams; each websocket has one of its own */
    char *user_agent;
    char *authorities; /* PEM; NULL: the system's */
    size_t authorities_length;
    char *authorities_path; /* where they were read; NULL: the system's */
    struct request *requests;
    struct net_lines *lines;
    struct net_websocket *websockets;
    struct curl_waitfd *fds; /* of the websockets, for one poll */
    size_t fd_capacity;
    uint64_t request_count;
    bool polling;
    char bytes[NET_READ_MAX];
};

enum { NET_WHY_MAX = 512 };

/* One HTTP exchange of libcurl. */
struct transfer {
    struct net *net;
    CURL *easy; /* NULL: over */
    struct curl_slist *sent_headers;
    struct headers headers; /* of the answer */
    unsigned begun;         /* times that libcurl began to send it */
    bool stale; /* the kept connection had ended before that: it is begun anew on a new one */
    char failure[CURL_ERROR_SIZE]; /* libcurl's words */
    char why[NET_WHY_MAX];
    /* It is begun anew. False: its time is over. May be NULL. */
    bool (*restarts)(struct transfer *transfer);
    void (*headers_complete)(struct transfer *transfer); /* of a final answer; may be NULL */
    void (*finished)(struct transfer *transfer, CURLcode code);
};

/* What went wrong with `easy`, in words that name the host and its port and nothing else of the URL, whose query may be
 * signed. `words`: libcurl's own, or "". */
void net_why(const struct net *net, CURL *easy, CURLcode code, const char *words,
             char out[NET_WHY_MAX]);
/* Set what holds for every connection: verified TLS, no proxy, no redirect, no signal. */
void net_secure(CURL *easy, struct net *net);
/* Whether `url` is one of that scheme ("https", "wss") without a user in it; else ERROR_INPUT. */
int net_check_url(const char *url, const char *scheme, struct error *error);
/* Whether all headers may go out; ERROR_INPUT names one that may not. */
int net_check_headers(const struct net_header *headers, size_t count, struct error *error);

/* Make `transfer` (all zero but its callbacks) ready to be set further. transfer_close is due also
 * after a failure. */
int transfer_open(struct transfer *transfer, struct net *net, const char *url,
                  const struct net_header *headers, size_t count, struct error *error);
/* Begin it. */
int transfer_start(struct transfer *transfer, struct error *error);
/* libcurl is done with it: begin anew what was not begun, else call `finished`. */
void transfer_done(struct transfer *transfer, CURLcode code);
/* End it at once, in whatever state; its memory stays the caller's. */
void transfer_close(struct transfer *transfer);
/* The HTTP status; 0 where none came. */
long transfer_status(const struct transfer *transfer);
/* Whether the answer says where it ends, so that one that was cut can be told from a whole one:
 * where it ends with its connection, it can't. After headers_end. */
bool transfer_has_end(const struct transfer *transfer);
/* Why it failed, in words. */
const char *transfer_why(struct transfer *transfer, CURLcode code);

/* Free what is over. */
void requests_sweep(struct net *net);
void lines_sweep(struct net *net);
void websockets_sweep(struct net *net);
/* End all without callbacks. */
void requests_end(struct net *net);
void lines_end(struct net *net);
void websockets_end(struct net *net);

/* Call back for lines that came and silences that are over. */
void lines_work(struct net *net);
/* Do the same for websockets, after a poll that filled net->fds. */
void websockets_work(struct net *net);
/* Set net->fds to what the websockets wait for; their number, or SIZE_MAX: no memory. */
size_t websockets_watch(struct net *net);
/* The earliest time at which there is something to do without a byte from outside. */
int64_t lines_deadline(const struct net *net);
int64_t websockets_deadline(const struct net *net);

#endif
