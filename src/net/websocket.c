/* Websockets of the client: see net.h. libcurl makes the connection (name, TCP, verified TLS), then only
 * reads and writes; the handshake and the frames are ours.
 *
 *   CONNECTING ──► UPGRADING ──► OPEN ──► over
 *   libcurl        request out,  frames
 *                  answer in
 *
 * Each has a multi handle of its own. In a shared one libcurl takes the connection for an idle one of its
 * cache: the next request, to whatever host, closes it once it is 118 s old, and in newer versions also
 * when bytes wait in it. */
#include "config.h" /* POSIX names */

#include "net/net.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"
#include "net/frames.h"
#include "net/handshake.h"
#include "net/net_internal.h"

enum {
    SOCKETS_MAX =
        16, /* of libcurl while it connects: one an address that is tried, and its resolver's */
    READ_AT_ONCE_MAX = 64, /* reads of one websocket before others have their turn */
    WRITE_MAX = 16 * 1024, /* a record of TLS */
    WHY_MAX = NET_WHY_MAX,
};

enum websocket_state { CONNECTING, UPGRADING, OPEN };

/* A socket that libcurl waits for. */
struct watched {
    curl_socket_t fd;
    short events;
};

struct net_websocket {
    struct net *net;
    struct net_websocket *next;
    bool over;
    enum websocket_state state;
    CURLM *multi;
    CURL *easy;
    char curl_failure[CURL_ERROR_SIZE];
    struct watched watched[SOCKETS_MAX];
    size_t watched_count;
    int64_t timer_ns;    /* when libcurl wants to be called */
    int64_t deadline_ns; /* to be open */
    curl_socket_t fd;
    size_t first_fd, fd_count; /* its part of net->fds */
    struct buffer
        unsent; /* not appended to while libcurl has begun to send it: OpenSSL wants the same again */
    bool blocked;      /* the system took no more */
    bool more;         /* there may be bytes that poll can't see */
    bool cannot_write; /* the connection is lost, but what came before may still be read */
    bool failed;       /* `why` is to be told */
    char why[WHY_MAX];
    struct handshake handshake;
    struct frames *frames;
    struct net_websocket_options options; /* its url and headers are not valid any more */
};

/* --- ending ----------------------------------------------------------------------------------- */

static void fail(struct net_websocket *websocket, const char *why)
{
    if (websocket->failed)
        return;
    websocket->failed = true;
    snprintf(websocket->why, sizeof websocket->why, "%s", why);
}

static void disconnect(struct net_websocket *websocket)
{
    if (websocket->easy != NULL) {
        if (websocket->multi != NULL)
            (void)curl_multi_remove_handle(websocket->multi, websocket->easy);
        curl_easy_cleanup(websocket->easy);
    }
    if (websocket->multi != NULL)
        (void)curl_multi_cleanup(websocket->multi);
    websocket->easy = NULL;
    websocket->multi = NULL;
    websocket->over = true;
    if (websocket->frames != NULL)
        frames_silence(websocket->frames);
}

static void websocket_free(struct net_websocket *websocket)
{
    disconnect(websocket);
    frames_close(&websocket->frames);
    handshake_free(&websocket->handshake);
    buffer_free(&websocket->unsent);
    free(websocket);
}

/* --- reading and writing ---------------------------------------------------------------------- */

/* Send what waits until all went or the system takes no more. */
static void flush(struct net_websocket *websocket)
{
    websocket->blocked = false;
    while (!websocket->failed && !websocket->over && !websocket->cannot_write) {
        struct buffer *unsent = &websocket->unsent;
        if (buffer_length(unsent) == 0 && websocket->state == OPEN) {
            if (!buffer_reserve(unsent, WRITE_MAX)) {
                fail(websocket, "no memory to send");
                return;
            }
            unsent->end += frames_take(websocket->frames, unsent->bytes + unsent->end, WRITE_MAX);
        }
        if (buffer_length(unsent) == 0)
            return;
        size_t sent = 0;
        CURLcode code =
            curl_easy_send(websocket->easy, buffer_first(unsent), buffer_length(unsent), &sent);
        if (code == CURLE_AGAIN) {
            websocket->blocked = true;
            return;
        }
        if (code != CURLE_OK) {
            websocket->cannot_write = websocket->more = true;
            return;
        }
        buffer_consume(unsent, sent);
    }
}

static void take_frames(struct net_websocket *websocket, const char *bytes, size_t length)
{
    if (length == 0 || frames_feed(websocket->frames, bytes, length))
        return;
    flush(websocket); /* the close frame that answers, if it can go at once */
    fail(websocket, frames_why(websocket->frames));
}

static void tell_text(void *context, const char *text, size_t length)
{
    struct net_websocket *websocket = context;
    websocket->options.text(websocket->options.context, text, length);
}

static void tell_ping(void *context)
{
    struct net_websocket *websocket = context;
    flush(websocket); /* the pong */
    if (!websocket->over && websocket->options.ping != NULL)
        websocket->options.ping(websocket->options.context);
}

/* The handshake is done. */
static void become_open(struct net_websocket *websocket)
{
    const struct frames_options options = {.message_max = NET_FRAME_MAX,
                                           .unsent_max = NET_FRAME_MAX,
                                           .text = tell_text,
                                           .ping = tell_ping,
                                           .context = websocket};
    if (frames_open(&websocket->frames, &options, NULL) != ERROR_NONE) {
        fail(websocket, "no memory for a websocket");
        return;
    }
    websocket->state = OPEN;
    if (buffer_length(&websocket->unsent) == 0)
        buffer_free(&websocket->unsent); /* the request, which may bear a key */
    if (websocket->options.opened != NULL)
        websocket->options.opened(websocket->options.context);
}

static void take_bytes(struct net_websocket *websocket, const char *bytes, size_t length)
{
    size_t used = 0;
    if (websocket->state == UPGRADING) {
        enum handshake_state state = handshake_feed(&websocket->handshake, bytes, length, &used);
        if (state == HANDSHAKE_REFUSED)
            fail(websocket, websocket->handshake.why);
        if (state != HANDSHAKE_DONE)
            return;
        become_open(websocket);
    }
    if (websocket->state == OPEN && !websocket->over && !websocket->failed)
        take_frames(websocket, bytes + used, length - used);
}

/* Read until there is nothing more, also in what TLS has decoded already, where poll can't see it. */
static void read_all(struct net_websocket *websocket)
{
    char *bytes = websocket->net->bytes;
    websocket->more = false;
    for (unsigned i = 0; !websocket->failed && !websocket->over; i++) {
        size_t length = 0;
        if (i == READ_AT_ONCE_MAX) {
            websocket->more = true;
            return;
        }
        CURLcode code = curl_easy_recv(websocket->easy, bytes, NET_READ_MAX, &length);
        if (code == CURLE_AGAIN)
            return;
        if (code != CURLE_OK)
            fail(websocket, "the connection is lost: it can't be read from");
        else if (length == 0)
            fail(websocket, "the peer closed the connection without a close frame");
        else
            take_bytes(websocket, bytes, length);
    }
}

/* --- connecting ------------------------------------------------------------------------------- */

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
    (void)easy, (void)of_socket;
    struct net_websocket *websocket = context;
    size_t i = 0;
    while (i < websocket->watched_count && websocket->watched[i].fd != fd)
        i++;
    if (what == CURL_POLL_REMOVE) {
        if (i < websocket->watched_count)
            websocket->watched[i] = websocket->watched[--websocket->watched_count];
        return 0;
    }
    if (i == SOCKETS_MAX)
        return -1; /* never seen; libcurl ends it then */
    if (i == websocket->watched_count)
        websocket->watched_count++;
    short events = 0;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= CURL_WAIT_POLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= CURL_WAIT_POLLOUT;
    websocket->watched[i] = (struct watched){fd, events};
    return 0;
}

static int watch_time(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct net_websocket *websocket = context;
    websocket->timer_ns =
        timeout_ms < 0 ? TIME_NEVER : clock_now(&clock_monotonic) + timeout_ms * NS_PER_MS;
    return 0;
}

/* The connection stands: ask for the upgrade. */
static void begin_upgrade(struct net_websocket *websocket)
{
    if (curl_easy_getinfo(websocket->easy, CURLINFO_ACTIVESOCKET, &websocket->fd) != CURLE_OK ||
        websocket->fd == CURL_SOCKET_BAD) {
        fail(websocket, "the connection is lost");
        return;
    }
    websocket->state = UPGRADING;
    websocket->watched_count = 0;
    websocket->timer_ns = TIME_NEVER;
}

static void connect_on(struct net_websocket *websocket)
{
    int running = 1;
    CURLMcode code = CURLM_OK;
    for (size_t i = 0; i < websocket->fd_count && code == CURLM_OK; i++) {
        const struct curl_waitfd *fd = &websocket->net->fds[websocket->first_fd + i];
        int what = (fd->revents & CURL_WAIT_POLLIN ? CURL_CSELECT_IN : 0) |
                   (fd->revents & CURL_WAIT_POLLOUT ? CURL_CSELECT_OUT : 0);
        /* Also where nothing came that we asked for: an error alone shows so. */
        code = curl_multi_socket_action(websocket->multi, fd->fd, what, &running);
    }
    if (code == CURLM_OK && clock_now(&clock_monotonic) >= websocket->timer_ns) {
        websocket->timer_ns = TIME_NEVER; /* set again from within */
        code = curl_multi_socket_action(websocket->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    if (code != CURLM_OK)
        fail(websocket, curl_multi_strerror(code));
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(websocket->multi, &left);
    if (message == NULL || message->msg != CURLMSG_DONE)
        return;
    CURLcode result = message->data.result;
    if (result == CURLE_OK) {
        begin_upgrade(websocket);
        return;
    }
    char why[NET_WHY_MAX];
    net_why(websocket->net, message->easy_handle, result, websocket->curl_failure, why);
    fail(websocket, why);
}

/* --- opening ---------------------------------------------------------------------------------- */

static bool append_line(struct buffer *text, const char *name, const char *value)
{
    return buffer_append_text(text, name) && buffer_append_text(text, ": ") &&
           buffer_append_text(text, value) && buffer_append_text(text, "\r\n");
}

/* The request of RFC 6455, section 4.1, into `unsent`. */
static bool write_request(struct net_websocket *websocket, const char *target, const char *host,
                          const char *key)
{
    struct buffer *text = &websocket->unsent;
    const struct net_websocket_options *options = &websocket->options;
    bool has_agent = false;
    bool written = buffer_append_text(text, "GET ") && buffer_append_text(text, target) &&
                   buffer_append_text(text, " HTTP/1.1\r\n") && append_line(text, "Host", host) &&
                   append_line(text, "Upgrade", "websocket") &&
                   append_line(text, "Connection", "Upgrade") &&
                   append_line(text, "Sec-WebSocket-Key", key) &&
                   append_line(text, "Sec-WebSocket-Version", "13");
    for (size_t i = 0; i < options->header_count && written; i++) {
        const struct net_header *header = &options->headers[i];
        has_agent = has_agent || header_is_named(header, "user-agent");
        written = append_line(text, header->name, header->value);
    }
    if (written && !has_agent)
        written = append_line(text, "User-Agent", websocket->net->user_agent);
    return written && buffer_append_text(text, "\r\n");
}

/* Path and query, and host with its port where it is not 443, of an https URL; to be freed with
 * curl_free and free. */
static bool split_url(CURLU *parts, char **target, char **host)
{
    char *path = NULL, *query = NULL, *name = NULL, *port = NULL;
    bool split = curl_url_get(parts, CURLUPART_PATH, &path, 0) == CURLUE_OK &&
                 curl_url_get(parts, CURLUPART_HOST, &name, 0) == CURLUE_OK;
    (void)curl_url_get(parts, CURLUPART_QUERY, &query, 0); /* there may be none */
    (void)curl_url_get(parts, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT);
    if (split) {
        size_t target_room = strlen(path) + (query != NULL ? strlen(query) : 0) + 2;
        size_t host_room = strlen(name) + (port != NULL ? strlen(port) : 0) + 2;
        *target = malloc(target_room);
        *host = malloc(host_room);
        split = *target != NULL && *host != NULL;
        if (split) {
            snprintf(*target, target_room, "%s%s%s", path, query != NULL ? "?" : "",
                     query != NULL ? query : "");
            snprintf(*host, host_room, "%s%s%s", name, port != NULL ? ":" : "",
                     port != NULL ? port : "");
        }
    }
    curl_free(path);
    curl_free(query);
    curl_free(name);
    curl_free(port);
    return split;
}

static int prepare_request(struct net_websocket *websocket, const char *https_url,
                           struct error *error)
{
    char key[HANDSHAKE_KEY_LENGTH + 1];
    char *target = NULL, *host = NULL;
    CURLU *parts = curl_url();
    bool prepared = parts != NULL &&
                    curl_url_set(parts, CURLUPART_URL, https_url, 0) == CURLUE_OK &&
                    split_url(parts, &target, &host) && handshake_make_key(key) &&
                    write_request(websocket, target, host, key);
    curl_url_cleanup(parts);
    free(target);
    free(host);
    if (!prepared)
        return error_set(error, ERROR_SYSTEM, "no memory or no randomness for a websocket");
    handshake_begin(&websocket->handshake, key);
    return ERROR_NONE;
}

static int begin_connection(struct net_websocket *websocket, const char *https_url,
                            struct error *error)
{
    CURL *easy = websocket->easy = curl_easy_init();
    CURLM *multi = websocket->multi = curl_multi_init();
    if (easy == NULL || multi == NULL || curl_easy_setopt(easy, CURLOPT_URL, https_url) != CURLE_OK)
        return error_set(error, ERROR_SYSTEM, "no memory for a websocket");
    net_secure(easy, websocket->net);
    /* Only as a second net: the deadline is ours. */
    int64_t ms = websocket->options.connect_timeout_ns / NS_PER_MS + 1000;
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, ms > INT32_MAX ? INT32_MAX : (long)ms);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, websocket->curl_failure);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, websocket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, watch_time);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, websocket);
    CURLMcode code = curl_multi_add_handle(multi, easy);
    if (code != CURLM_OK)
        return error_set(error, ERROR_SYSTEM, "libcurl: %s", curl_multi_strerror(code));
    return ERROR_NONE;
}

static int begin(struct net_websocket *websocket, struct error *error)
{
    const struct net_websocket_options *options = &websocket->options;
    if (options->connect_timeout_ns <= 0)
        return error_set(error, ERROR_INPUT,
                         "connect timeout of a websocket: expected one above 0");
    int status = net_check_url(options->url, "wss", error);
    if (status == ERROR_NONE)
        status = net_check_headers(options->headers, options->header_count, error);
    if (status != ERROR_NONE)
        return status;
    const char *rest = options->url + strlen("wss");
    size_t room = strlen("https") + strlen(rest) + 1;
    char *https_url = malloc(room);
    if (https_url == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a websocket");
    snprintf(https_url, room, "https%s", rest);
    status = prepare_request(websocket, https_url, error);
    if (status == ERROR_NONE)
        status = begin_connection(websocket, https_url, error);
    OPENSSL_cleanse(https_url, room);
    free(https_url);
    return status;
}

int net_websocket_open(struct net *net, const struct net_websocket_options *options,
                       struct net_websocket **websocket, struct error *error)
{
    ASSERT(options->text != NULL && options->closed != NULL);
    struct net_websocket *made = calloc(1, sizeof *made);
    if (made == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a websocket");
    made->net = net;
    made->options = *options;
    made->fd = CURL_SOCKET_BAD;
    made->timer_ns = TIME_NEVER;
    int status = begin(made, error);
    if (status != ERROR_NONE) {
        websocket_free(made);
        return status;
    }
    int64_t now = clock_now(&clock_monotonic);
    made->deadline_ns = options->connect_timeout_ns < TIME_NEVER - now
                            ? now + options->connect_timeout_ns
                            : TIME_NEVER;
    made->options.url = NULL;
    made->options.header_count = 0;
    made->next = net->websockets;
    net->websockets = made;
    *websocket = made;
    return ERROR_NONE;
}

int net_websocket_send(struct net_websocket *websocket, const char *text, size_t length,
                       struct error *error)
{
    if (websocket->state != OPEN || websocket->failed || websocket->over || websocket->cannot_write)
        return error_set(error, ERROR_SYSTEM, "the websocket is not open");
    size_t unsent = frames_unsent(websocket->frames);
    if (unsent > NET_FRAME_MAX || length > NET_FRAME_MAX)
        return error_set(error, ERROR_SYSTEM, "the websocket has %zu bytes to send already",
                         unsent);
    if (!frames_send_text(websocket->frames, text, length))
        return error_set(error, ERROR_SYSTEM, "the websocket is closing, or there is no memory");
    if (!websocket->blocked)
        flush(websocket);
    return ERROR_NONE;
}

void net_websocket_close(struct net_websocket **websocket)
{
    struct net_websocket *closing = *websocket;
    if (closing == NULL)
        return;
    *websocket = NULL;
    if (closing->state == OPEN && !closing->failed && !closing->over) {
        frames_silence(closing->frames);
        frames_finish(closing->frames, 1000, NULL);
        flush(closing);
    }
    disconnect(closing);
    if (!closing->net->polling)
        websockets_sweep(closing->net);
}

/* --- the poll --------------------------------------------------------------------------------- */

int64_t websockets_deadline(const struct net *net)
{
    int64_t deadline = TIME_NEVER;
    for (const struct net_websocket *websocket = net->websockets; websocket != NULL;
         websocket = websocket->next) {
        if (websocket->failed || websocket->more)
            return INT64_MIN;
        if (websocket->state != OPEN && websocket->deadline_ns < deadline)
            deadline = websocket->deadline_ns;
        if (websocket->timer_ns < deadline)
            deadline = websocket->timer_ns;
    }
    return deadline;
}

static bool grow_fds(struct net *net, size_t count)
{
    if (count <= net->fd_capacity)
        return true;
    struct curl_waitfd *fds = realloc(net->fds, 2 * count * sizeof *fds);
    if (fds == NULL)
        return false;
    net->fds = fds;
    net->fd_capacity = 2 * count;
    return true;
}

/* Add what one websocket waits for. */
static void watch(struct net_websocket *websocket, struct curl_waitfd *fds)
{
    if (websocket->state == CONNECTING) {
        for (size_t i = 0; i < websocket->watched_count; i++)
            fds[i] = (struct curl_waitfd){.fd = websocket->watched[i].fd,
                                          .events = websocket->watched[i].events};
        websocket->fd_count = websocket->watched_count;
        return;
    }
    bool writes = websocket->blocked || buffer_length(&websocket->unsent) > 0;
    short events = (short)(CURL_WAIT_POLLIN | (writes ? CURL_WAIT_POLLOUT : 0));
    fds[0] = (struct curl_waitfd){.fd = websocket->fd, .events = events};
    websocket->fd_count = 1;
}

size_t websockets_watch(struct net *net)
{
    size_t count = 0;
    for (struct net_websocket *websocket = net->websockets; websocket != NULL;
         websocket = websocket->next) {
        if (!grow_fds(net, count + SOCKETS_MAX))
            return SIZE_MAX;
        websocket->first_fd = count;
        watch(websocket, net->fds + count);
        count += websocket->fd_count;
    }
    return count;
}

static void work(struct net_websocket *websocket)
{
    if (websocket->state == CONNECTING) {
        connect_on(websocket);
        if (websocket->state == UPGRADING)
            flush(websocket);
        return;
    }
    unsigned happened = 0;
    if (websocket->fd_count == 1)
        happened = (unsigned)websocket->net->fds[websocket->first_fd].revents;
    if (happened & CURL_WAIT_POLLOUT)
        flush(websocket);
    if (happened & CURL_WAIT_POLLIN || websocket->more)
        read_all(websocket);
    if (websocket->cannot_write && !websocket->more)
        fail(websocket, "the connection is lost: it can't be written to");
    if (!websocket->over && !websocket->blocked)
        flush(websocket);
}

void websockets_work(struct net *net)
{
    for (struct net_websocket *websocket = net->websockets; websocket != NULL;
         websocket = websocket->next) {
        if (websocket->over)
            continue;
        if (!websocket->failed)
            work(websocket);
        if (!websocket->over && websocket->state != OPEN && !websocket->failed &&
            clock_now(&clock_monotonic) >= websocket->deadline_ns)
            fail(websocket, "not open in time");
        if (websocket->over || !websocket->failed)
            continue;
        disconnect(websocket);
        websocket->options.closed(websocket->options.context, websocket->why);
    }
}

void websockets_sweep(struct net *net)
{
    struct net_websocket **place = &net->websockets;
    while (*place != NULL) {
        struct net_websocket *websocket = *place;
        if (!websocket->over) {
            place = &websocket->next;
            continue;
        }
        *place = websocket->next;
        websocket_free(websocket);
    }
}

void websockets_end(struct net *net)
{
    for (struct net_websocket *websocket = net->websockets; websocket != NULL;
         websocket = websocket->next)
        websocket->over = true;
    websockets_sweep(net);
}
