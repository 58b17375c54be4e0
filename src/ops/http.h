/* Requests to the ops server: which path gets which answer. Knows the session only by its view, and the network
 * only by net/server.h, so that it can be tested without a thread. */
#ifndef CAPSTAN_OPS_HTTP_H
#define CAPSTAN_OPS_HTTP_H

#include "net/server.h"
#include "ops/answers.h"
#include "ops/requests.h"
#include "ops/token.h"

enum {
    OPS_LISTENERS_MAX =
        16, /* of /api/events at one time: each costs a dashboard every half second */
    OPS_BODY_MAX = 4096,
    OPS_HEADERS_MAX = 8 * 1024,
    OPS_CONNECTIONS_MAX = 512,
    OPS_UNSENT_MAX = 4 * 1024 * 1024
};

struct ops_http {
    const struct log *log;
    const struct clock *clock;
    const char *allow_origin; /* "": none; "*": any */
    struct ops_token token;
    bool loopback; /* it listens for this machine only: names of others are refused */
    void (*stop)(void *context);
    void *context;
    int64_t started;             /* monotonic */
    struct ops_collect *collect; /* NULL: no session now */
    atomic_bool stands_by;       /* there is none, and none is wanted yet */
    /* Its own. */
    struct ops_requests requests;
    struct ops_view view;
    struct ops_series series;
    struct json body, dashboard;
    int64_t dashboard_made; /* monotonic; 0: never */
    struct net_client *listeners[OPS_LISTENERS_MAX];
    size_t listener_count;
};

/* Fill the first part before. */
void ops_http_init(struct ops_http *http);
void ops_http_free(struct ops_http *http);
/* Callbacks of the server, with the ops_http as context. */
void ops_http_request(void *context, struct net_client *client,
                      const struct net_incoming *incoming);
void ops_http_closed(void *context, struct net_client *client);
/* Take a sample of the course, and tell the listeners; about twice a second. */
void ops_http_tick(struct ops_http *http);

/* commands.c: what a POST to a command's path comes to. */
struct ops_command_answer {
    int status;
    const char *error; /* NULL: accepted */
    bool stop;         /* it was the shutdown */
};
/* playback.c: the same of a replay's pace, once it is known who asks. */
struct ops_command_answer ops_playback_command(struct ops_http *http, enum ops_endpoint endpoint,
                                               const struct net_incoming *incoming);
struct ops_command_answer ops_command(struct ops_http *http, enum ops_endpoint endpoint,
                                      const struct net_incoming *incoming);

#endif
