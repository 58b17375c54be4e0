/* See exchange/host.h. */
#include "config.h" /* POSIX names */

#include "exchange/host.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"
#include "exchange/faults.h"
#include "exchange/requests_seen.h"

enum { HOST_MAGIC = 0x40057001, CLOSE_GOING_AWAY = 1001, UNAVAILABLE = 503, KEPT_HEADERS_MAX = 64 };
#define POLL_NS NS_PER_SECOND

/* One connection of a client. Lives while the client does, or something waits for it. */
struct connection {
    struct connection *next;
    struct net_client *client; /* NULL: gone */
    struct exchange_stream *stream;
    unsigned waiting; /* things that wait for their time */
    bool finishing;   /* our side has ended: nothing more is said */
    char *held;       /* a message that goes out after the next */
    size_t held_length;
};

/* A request that is kept beyond its callback, all in one piece. */
struct kept_request {
    struct net_incoming incoming;
    struct net_header headers[KEPT_HEADERS_MAX];
    char memory[];
};

enum waiting_for { TO_DO_AND_ANSWER, TO_ANSWER, TO_GO_ON };

/* Something that happens later on a connection. */
struct later {
    struct later *next;
    int64_t due;
    enum waiting_for what;
    struct connection *connection;
    struct kept_request *request;
    struct exchange_reply reply;
};

struct host {
    uint32_t magic;
    struct host_options options;
    const char *name;
    struct exchange_venue venue;
    struct exchange_port port;
    struct net_server *server;
    struct faults *faults;
    struct requests_seen seen;
    struct connection *connections;
    struct later *later; /* earliest first */
    int64_t start, now;  /* ns since 1970 */
    bool told_over;      /* that the market has no more messages */
    struct error error;  /* that ended it; code ERROR_NONE: none */
    pthread_t thread;
    bool running;
    atomic_bool stop, failed;
    uint16_t port_number;  /* where it listens, or will again */
    int64_t down_until;    /* of an outage; 0: none */
    int64_t private_until; /* the same of the account's streams */
    pthread_mutex_t mutex; /* of what follows, and of `server` where another thread looks at it */
    pthread_cond_t told;
    bool state_wanted;
    char *state;
};

static struct host *host_of(void *context)
{
    struct host *host = context;
    ASSERT(host->magic == HOST_MAGIC);
    return host;
}

/* --- small things ------------------------------------------------------------------------------ */

static void say(const struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(const struct host *host, const char *format, ...)
{
    if (!host->options.verbose)
        return;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%10.3f %s: %s\n", (double)(host->now - host->start) / (double)NS_PER_SECOND,
            host->name, text);
}

static void fail(struct host *host, const struct error *error)
{
    if (host->error.code == ERROR_NONE)
        host->error = *error;
    atomic_store(&host->failed, true);
}

/* The clock of the exchange: the wall clock of the start, and what has passed since. */
static int64_t read_clock(const struct host *host)
{
    int64_t now =
        host->options.wall_start + clock_now(&clock_monotonic) - host->options.monotonic_start;
    return now > host->now ? now : host->now;
}

static int64_t elapsed(const struct host *host)
{
    return host->now - host->start;
}

/* Time goes on, and what was to happen does. */
static void advance(struct host *host)
{
    struct error error = {0};
    host->now = read_clock(host);
    host->venue.protocol->skew = faults_skew(host->faults, elapsed(host));
    if (exchange_venue_advance(&host->venue, host->now, &error))
        fail(host, &error);
    if (!host->told_over && played_is_over(host->venue.played)) {
        host->told_over = true;
        fprintf(stderr, "%s: the tape is over, the market stands still\n", host->name);
    }
}

/* --- connections ------------------------------------------------------------------------------- */

static struct connection *connection_of(struct host *host, struct net_client *client)
{
    struct connection *connection = net_client_get(client);
    if (connection)
        return connection;
    connection = calloc(1, sizeof *connection);
    ASSERT(connection);
    connection->client = client;
    connection->next = host->connections;
    host->connections = connection;
    net_client_set(client, connection);
    return connection;
}

static void forget(struct host *host, struct connection *connection)
{
    if (connection->client || connection->waiting > 0)
        return;
    for (struct connection **at = &host->connections; *at; at = &(*at)->next)
        if (*at == connection) {
            *at = connection->next;
            break;
        }
    free(connection->held);
    free(connection);
}

static void end_stream(struct host *host, struct connection *connection)
{
    struct exchange_stream *stream = connection->stream;
    if (!stream)
        return;
    connection->stream = NULL;
    protocol_remove_stream(host->venue.protocol, stream);
    host->venue.protocol->closed(host->venue.protocol, stream, host->now);
    free(stream->state);
    free(stream);
}

static void on_closed(void *context, struct net_client *client)
{
    struct host *host = host_of(context);
    struct connection *connection = net_client_get(client);
    if (!connection)
        return;
    connection->client = NULL;
    end_stream(host, connection);
    forget(host, connection);
}

static void open_stream(struct host *host, struct connection *connection,
                        const struct net_incoming *incoming)
{
    struct protocol *protocol = host->venue.protocol;
    struct exchange_stream *stream = calloc(1, sizeof *stream);
    ASSERT(stream);
    stream->connection = connection;
    stream->websocket = incoming->wants_websocket;
    stream->opened = stream->said = host->now;
    connection->stream = stream;
    if (stream->websocket)
        net_client_accept_websocket(connection->client);
    else
        net_client_begin(connection->client, 200, "application/octet-stream", NULL, 0);
    protocol_add_stream(protocol, stream);
    protocol->opened(protocol, stream, incoming, host->now);
}

/* --- later ------------------------------------------------------------------------------------- */

/* A copy of `length` bytes and a NUL at *at, which moves behind it. */
static const char *keep_text(char **at, const char *text, size_t length)
{
    char *kept = *at;
    memcpy(kept, text, length);
    *at = kept + length + 1; /* the memory is zeroed */
    return kept;
}

static struct kept_request *keep_request(const struct net_incoming *incoming)
{
    size_t headers =
        incoming->header_count < KEPT_HEADERS_MAX ? incoming->header_count : KEPT_HEADERS_MAX;
    size_t bytes = strlen(incoming->method) + strlen(incoming->path) + strlen(incoming->query) +
                   incoming->length + 4;
    for (size_t i = 0; i < headers; i++)
        bytes += strlen(incoming->headers[i].name) + strlen(incoming->headers[i].value) + 2;
    struct kept_request *kept = calloc(1, sizeof *kept + bytes);
    ASSERT(kept);
    char *at = kept->memory;
    kept->incoming = *incoming;
    kept->incoming.method = keep_text(&at, incoming->method, strlen(incoming->method));
    kept->incoming.path = keep_text(&at, incoming->path, strlen(incoming->path));
    kept->incoming.query = keep_text(&at, incoming->query, strlen(incoming->query));
    kept->incoming.body = keep_text(&at, incoming->body, incoming->length);
    for (size_t i = 0; i < headers; i++) {
        const struct net_header *header = &incoming->headers[i];
        kept->headers[i].name = keep_text(&at, header->name, strlen(header->name));
        kept->headers[i].value = keep_text(&at, header->value, strlen(header->value));
    }
    kept->incoming.headers = kept->headers;
    kept->incoming.header_count = headers;
    return kept;
}

static struct later *wait_for(struct host *host, struct connection *connection,
                              enum waiting_for what, int64_t after)
{
    struct later *later = calloc(1, sizeof *later);
    ASSERT(later);
    later->due = host->now + after;
    later->what = what;
    later->connection = connection;
    connection->waiting++;
    struct later **at = &host->later;
    while (*at && (*at)->due <= later->due)
        at = &(*at)->next;
    later->next = *at;
    *at = later;
    return later;
}

/* --- requests ---------------------------------------------------------------------------------- */

static void perform(struct host *host, const struct net_incoming *incoming,
                    struct exchange_reply *reply)
{
    struct error error = {0};
    struct protocol *protocol = host->venue.protocol;
    if (protocol->request(protocol, incoming, host->now, reply, &error))
        fail(host, &error);
}

static void send_reply(struct host *host, struct connection *connection,
                       const struct net_incoming *incoming, const struct exchange_reply *reply)
{
    struct net_header headers[EXCHANGE_HEADERS_MAX];
    if (!connection->client || connection->finishing)
        return;
    if (reply->stream) {
        open_stream(host, connection, incoming);
        return;
    }
    for (size_t i = 0; i < reply->header_count; i++)
        headers[i] = (struct net_header){reply->headers[i].name, reply->headers[i].value};
    net_client_answer(connection->client, reply->status ? reply->status : 500, reply->content_type,
                      headers, reply->header_count, reply->body.bytes ? reply->body.bytes : "",
                      reply->body.length);
}

/* JSON that ends in its middle. */
static void cut(struct exchange_reply *reply)
{
    reply->body.length /= 2;
}

static void stall(struct host *host, struct connection *connection, int64_t lasts)
{
    if (!connection->client)
        return;
    net_client_stall(connection->client, true);
    if (lasts > 0)
        wait_for(host, connection, TO_GO_ON, lasts);
}

/* A fault that ends the connection, or makes it silent, with the request done before or never. */
static void break_connection(struct host *host, struct connection *connection,
                             const struct fault *fault)
{
    connection->finishing = fault->kind != FAULT_half_open;
    if (fault->kind == FAULT_reset)
        net_client_reset(connection->client);
    else if (fault->kind == FAULT_half_open)
        stall(host, connection, 0);
    else
        net_client_drop(connection->client);
}

/* The request waits. A websocket's upgrade can't: it is made, and then stands still. */
static void answer_later(struct host *host, struct connection *connection,
                         const struct net_incoming *incoming, struct exchange_reply *reply,
                         bool done, int64_t after)
{
    if (incoming->wants_websocket) {
        if (!done)
            perform(host, incoming, reply);
        send_reply(host, connection, incoming, reply);
        stall(host, connection, after);
        return;
    }
    struct later *later = wait_for(host, connection, done ? TO_ANSWER : TO_DO_AND_ANSWER, after);
    later->request = keep_request(incoming);
    later->reply = *reply;
    memset(reply, 0, sizeof *reply); /* its memory is the other's now */
}

static void meet(struct host *host, struct connection *connection,
                 const struct net_incoming *incoming, const struct fault *fault,
                 struct exchange_reply *reply)
{
    struct protocol *protocol = host->venue.protocol;
    bool done = fault->done || fault->kind == FAULT_drop_answer ||
                fault->kind == FAULT_answer_late || fault->kind == FAULT_malformed;
    if (done)
        perform(host, incoming, reply);
    if (fault->kind == FAULT_status) {
        reply->stream = false;
        reply->header_count = 0;
        protocol->refusal(protocol, (int)fault->code, fault->retry_after_s, host->now, reply);
        reply->status = (int)fault->code;
    } else if (fault->kind == FAULT_malformed) {
        cut(reply);
    } else if (fault->kind == FAULT_accept_late || fault->kind == FAULT_answer_late) {
        answer_later(host, connection, incoming, reply, done, fault->by);
        return;
    } else if (fault->kind == FAULT_stall) {
        if (!incoming->wants_websocket)
            stall(host, connection, fault->lasts);
        answer_later(host, connection, incoming, reply, done, fault->lasts);
        return;
    } else {
        break_connection(host, connection, fault);
        return;
    }
    send_reply(host, connection, incoming, reply);
}

/* Streams that are the account's by their address; others are by what is subscribed on them. */
static bool is_private(const char *path)
{
    return strncmp(path, "/ws/", 4) == 0 || strncmp(path, "/ws-api/", 8) == 0 ||
           strstr(path, "/transactions/stream") != NULL;
}

static bool subscribes_private(const char *text, size_t length)
{
    static const char *const words[] = {"\"user\"", "userDataStream"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        for (size_t at = 0, word = strlen(words[i]); at + word <= length; at++)
            if (memcmp(text + at, words[i], word) == 0)
                return true;
    return false;
}

static void finish(struct connection *connection, unsigned code, const char *reason);

/* One that is the account's, while those are down. */
static void end_private(struct host *host, struct connection *connection)
{
    if (connection->stream && connection->stream->private_one && !connection->finishing &&
        host->now < host->private_until)
        finish(connection, CLOSE_GOING_AWAY, "");
}

static void on_request(void *context, struct net_client *client,
                       const struct net_incoming *incoming)
{
    struct host *host = host_of(context);
    struct connection *connection = connection_of(host, client);
    struct protocol *protocol = host->venue.protocol;
    struct exchange_call call = {.kind = EXCHANGE_other};
    struct exchange_reply reply = {0};
    advance(host);
    protocol->describe(protocol, incoming, &call);
    requests_seen_add(&host->seen, &call);
    const struct fault *fault = faults_on_request(host->faults, &call, elapsed(host));
    if (fault) {
        meet(host, connection, incoming, fault, &reply);
    } else if (call.kind == EXCHANGE_stream && host->now < host->private_until &&
               is_private(incoming->path)) {
        protocol->refusal(protocol, UNAVAILABLE, 0, host->now, &reply);
        reply.status = UNAVAILABLE;
        send_reply(host, connection, incoming, &reply);
    } else {
        perform(host, incoming, &reply);
        send_reply(host, connection, incoming, &reply);
    }
    say(host, "%s %s: %s%s%s%s %d%s%s", incoming->method, incoming->path,
        exchange_request_name(call.kind), *call.client ? " " : "", call.client,
        reply.stream ? ", a stream" : ",", reply.status, fault ? ", fault " : "",
        fault ? fault_kind_name(fault->kind) : "");
    json_free(&reply.body);
}

/* Texts of a websocket meet only what can be done to one. */
static void on_text(void *context, struct net_client *client, const char *text, size_t length)
{
    struct host *host = host_of(context);
    struct connection *connection = connection_of(host, client);
    struct protocol *protocol = host->venue.protocol;
    const struct exchange_call call = {.kind = EXCHANGE_subscribe};
    if (!connection->stream || connection->finishing)
        return;
    advance(host);
    requests_seen_add(&host->seen, &call);
    const struct fault *fault = faults_on_request(host->faults, &call, elapsed(host));
    say(host, "text of %zu bytes%s%s", length, fault ? ", fault " : "",
        fault ? fault_kind_name(fault->kind) : "");
    if (fault && (fault->kind == FAULT_reset || fault->kind == FAULT_half_open ||
                  fault->kind == FAULT_drop_request || fault->kind == FAULT_drop_answer)) {
        break_connection(host, connection, fault);
        return;
    }
    if (host->now < host->private_until && subscribes_private(text, length)) {
        finish(connection, CLOSE_GOING_AWAY, "");
        return;
    }
    protocol->text(protocol, connection->stream, text, length, host->now);
    if (fault && fault->kind != FAULT_status && fault->kind != FAULT_malformed)
        stall(host, connection, fault->by + fault->lasts);
}

/* --- streams ----------------------------------------------------------------------------------- */

static void send_raw(struct connection *connection, const char *text, size_t length)
{
    if (connection->stream->websocket)
        net_client_send_text(connection->client, text, length);
    else
        net_client_write(connection->client, text, length);
}

static void finish(struct connection *connection, unsigned code, const char *reason)
{
    if (!connection->client || connection->finishing)
        return;
    connection->finishing = true;
    if (connection->stream && !connection->stream->websocket)
        net_client_end(connection->client);
    net_client_finish(connection->client, code, reason);
}

static void send_cut(struct connection *connection, const char *text, size_t length)
{
    send_raw(connection, text, length / 2);
    if (!connection->stream->websocket)
        send_raw(connection, "\n", 1);
}

/* Keep it until the next has gone. True where nothing was kept already. */
static bool hold(struct connection *connection, const char *text, size_t length)
{
    if (connection->held)
        return false;
    connection->held = malloc(length + 1);
    ASSERT(connection->held);
    memcpy(connection->held, text, length);
    connection->held_length = length;
    return true;
}

/* Send it as the fault has it. */
static void send_with(struct host *host, struct connection *connection, const struct fault *fault,
                      const char *text, size_t length)
{
    switch (fault->kind) {
    case FAULT_gap:
        return;
    case FAULT_duplicate:
        send_raw(connection, text, length);
        break;
    case FAULT_malformed:
        send_cut(connection, text, length);
        return;
    case FAULT_stall:
    case FAULT_half_open:
        stall(host, connection, fault->kind == FAULT_stall ? fault->lasts : 0);
        break;
    case FAULT_disconnect:
        finish(connection, CLOSE_GOING_AWAY, "");
        return;
    case FAULT_reset:
        break_connection(host, connection, fault);
        return;
    case FAULT_reorder:
    case FAULT_drop_request:
    case FAULT_drop_answer:
    case FAULT_accept_late:
    case FAULT_answer_late:
    case FAULT_status:
    case FAULT_outage:
    case FAULT_private_outage:
    case FAULT_clock_skew:
    case FAULT_KINDS:
        break;
    }
    send_raw(connection, text, length);
}

static void port_send(void *context, struct exchange_stream *stream, const char *kind,
                      const char *text, size_t length)
{
    struct host *host = host_of(context);
    struct connection *connection = stream->connection;
    if (!connection->client || connection->finishing)
        return;
    const struct fault *fault = faults_on_message(host->faults, kind, elapsed(host));
    if (fault)
        say(host, "message %s, fault %s", kind, fault_kind_name(fault->kind));
    if (fault && fault->kind == FAULT_reorder && hold(connection, text, length))
        return;
    if (fault)
        send_with(host, connection, fault, text, length);
    else
        send_raw(connection, text, length);
    if (!connection->held || connection->finishing)
        return;
    send_raw(connection, connection->held, connection->held_length);
    free(connection->held);
    connection->held = NULL;
}

static void port_ping(void *context, struct exchange_stream *stream)
{
    (void)context;
    struct connection *connection = stream->connection;
    if (connection->client && !connection->finishing)
        net_client_send_ping(connection->client, "", 0);
}

static void port_finish(void *context, struct exchange_stream *stream, unsigned code,
                        const char *reason)
{
    const struct host *host = host_of(context);
    say(host, "a stream ends: %s", *reason ? reason : "its time is over");
    finish(stream->connection, code, reason);
}

/* --- time -------------------------------------------------------------------------------------- */

static void do_later(struct host *host, struct later *later)
{
    struct connection *connection = later->connection;
    if (later->what == TO_GO_ON) {
        if (connection->client)
            net_client_stall(connection->client, false);
        return;
    }
    if (later->what == TO_DO_AND_ANSWER)
        perform(host, &later->request->incoming, &later->reply);
    say(host, "%s %s %s, %d", later->request->incoming.method, later->request->incoming.path,
        later->what == TO_ANSWER ? "answered late" : "done late", later->reply.status);
    send_reply(host, connection, &later->request->incoming, &later->reply);
}

static void free_later(struct host *host, struct later *later)
{
    later->connection->waiting--;
    forget(host, later->connection);
    json_free(&later->reply.body);
    free(later->request);
    free(later);
}

static int open_server(struct host *host, struct error *error);

/* Nobody listens from now on. Called outside of the server's own calls. */
static void begin_outage(struct host *host, int64_t lasts)
{
    for (struct connection *at = host->connections; at; at = at->next)
        if (at->client)
            net_client_reset(at->client);
    pthread_mutex_lock(&host->mutex);
    net_server_close(&host->server);
    pthread_mutex_unlock(&host->mutex);
    for (struct connection *at = host->connections, *next; at; at = next) {
        next = at->next;
        at->client = NULL;
        end_stream(host, at);
        forget(host, at);
    }
    host->down_until = host->now + lasts;
}

static void end_outage(struct host *host)
{
    struct error error = {0};
    host->down_until = 0;
    pthread_mutex_lock(&host->mutex);
    int code = open_server(host, &error);
    pthread_mutex_unlock(&host->mutex);
    if (code)
        fail(host, &error);
    say(host, "it listens again");
}

/* A fault of a moment, to all connections; only streams are disconnected. */
static void meet_moment(struct host *host, const struct fault *fault)
{
    say(host, "fault %s", fault_kind_name(fault->kind));
    if (fault->kind == FAULT_outage && host->server) {
        begin_outage(host, fault->lasts);
        return;
    }
    if (fault->kind == FAULT_private_outage)
        host->private_until = host->now + fault->lasts;
    for (struct connection *at = host->connections, *next; at; at = next) {
        next = at->next;
        if (!at->client || at->finishing)
            continue;
        if (fault->kind == FAULT_disconnect && at->stream)
            finish(at, CLOSE_GOING_AWAY, "");
        else if (at->stream)
            end_private(host, at);
        if (fault->kind == FAULT_reset)
            break_connection(host, at, fault);
        else if (fault->kind == FAULT_stall || fault->kind == FAULT_half_open)
            stall(host, at, fault->kind == FAULT_stall ? fault->lasts : 0);
    }
}

/* Everything that is due. */
static void tick(struct host *host)
{
    const struct fault *fault;
    advance(host);
    while (host->later && host->later->due <= host->now) {
        struct later *later = host->later;
        host->later = later->next;
        do_later(host, later);
        free_later(host, later);
    }
    while ((fault = faults_due(host->faults, elapsed(host))))
        meet_moment(host, fault);
    if (host->down_until && host->now >= host->down_until)
        end_outage(host);
}

static int64_t next_deadline(struct host *host)
{
    struct error error = {0};
    int64_t deadline = exchange_venue_deadline(&host->venue, &error);
    int64_t faults = faults_deadline(host->faults, elapsed(host));
    if (error.code)
        fail(host, &error);
    if (host->later && host->later->due < deadline)
        deadline = host->later->due;
    if (faults != TIME_NEVER && host->start + faults < deadline)
        deadline = host->start + faults;
    return deadline;
}

/* --- the state --------------------------------------------------------------------------------- */

static void write_faults(const struct host *host, struct json *json)
{
    json_open(json, "faults", '[');
    for (size_t i = 0; i < faults_count(host->faults); i++) {
        const struct fault *fault = faults_at(host->faults, i);
        json_open(json, NULL, '{');
        json_integer(json, "line", fault->line);
        json_text(json, "fault", fault_kind_name(fault->kind));
        json_integer(json, "matched", fault->seen);
        json_integer(json, "done", fault->hits);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static char *write_state(const struct host *host)
{
    struct json json = {0};
    char text[TIME_TEXT_MAX];
    json_open(&json, NULL, '{');
    time_to_text(host->start, text);
    json_text(&json, "started", text);
    time_to_text(host->now, text);
    json_text(&json, "time", text);
    json_integer(&json, "port", host_port(host));
    json_flag(&json, "market_over", played_is_over(host->venue.played));
    core_write_state(host->venue.core, &json);
    if (host->venue.protocol->write_books)
        host->venue.protocol->write_books(host->venue.protocol, &json);
    else
        core_write_books(host->venue.core, &json);
    requests_seen_write(&host->seen, &json);
    write_faults(host, &json);
    json_close(&json, '}');
    return json.bytes;
}

/* Somebody waits for it in host_state. */
static void give_state(struct host *host)
{
    pthread_mutex_lock(&host->mutex);
    if (host->state_wanted) {
        host->state = write_state(host);
        host->state_wanted = false;
        pthread_cond_signal(&host->told);
    }
    pthread_mutex_unlock(&host->mutex);
}

char *host_state(struct host *host)
{
    if (!host->running)
        return write_state(host);
    pthread_mutex_lock(&host->mutex);
    host->state = NULL;
    host->state_wanted = true;
    if (host->server)
        net_server_wake(host->server);
    while (host->state_wanted)
        pthread_cond_wait(&host->told, &host->mutex);
    char *state = host->state;
    host->state = NULL;
    pthread_mutex_unlock(&host->mutex);
    return state;
}

void host_print_faults(const struct host *host)
{
    for (size_t i = 0; i < faults_count(host->faults); i++) {
        const struct fault *fault = faults_at(host->faults, i);
        fprintf(stderr, "%s: %s:%u: %s: %lld of %lld\n", host->name, host->options.faults_name,
                fault->line, fault_kind_name(fault->kind), (long long)fault->hits,
                (long long)fault->seen);
    }
}

/* --- the thread -------------------------------------------------------------------------------- */

/* Nobody listens: there is nothing to wait for but time. */
static void rest(void)
{
    const struct timespec pause = {0, 10 * NS_PER_MS};
    nanosleep(&pause, NULL);
}

static void *run(void *context)
{
    struct host *host = host_of(context);
    struct error error = {0};
    while (!atomic_load(&host->stop) && !atomic_load(&host->failed)) {
        tick(host);
        give_state(host);
        int64_t wait = next_deadline(host) - read_clock(host);
        wait = wait < 0 ? 0 : wait > POLL_NS ? POLL_NS : wait;
        if (!host->server)
            rest();
        else if (net_server_poll(host->server, wait, &error))
            fail(host, &error);
    }
    while (!atomic_load(&host->stop)) { /* failed: whoever asks is still told */
        give_state(host);
        rest();
    }
    give_state(host);
    return NULL;
}

int host_start(struct host *host, struct error *error)
{
    if (pthread_create(&host->thread, NULL, run, host) != 0)
        return error_set(error, ERROR_SYSTEM, "cannot start the thread of %s", host->name);
    host->running = true;
    return 0;
}

int host_stop(struct host *host, struct error *error)
{
    if (host->running) {
        atomic_store(&host->stop, true);
        pthread_mutex_lock(&host->mutex);
        if (host->server)
            net_server_wake(host->server);
        pthread_mutex_unlock(&host->mutex);
        pthread_join(host->thread, NULL);
        host->running = false;
    }
    if (host->error.code != ERROR_NONE && error)
        *error = host->error;
    return host->error.code;
}

bool host_has_failed(struct host *host)
{
    return atomic_load(&host->failed);
}

/* --- opening and closing ----------------------------------------------------------------------- */

uint16_t host_port(const struct host *host)
{
    return host->port_number;
}

void host_prices(const struct host *host, int64_t *prices)
{
    for (unsigned i = 0; i < host->venue.market.count; i++)
        prices[host->venue.market.instruments[i].instrument] =
            market_last_price(&host->venue.market.instruments[i]);
}

static int open_server(struct host *host, struct error *error)
{
    char certificate[FOLDER_PATH_MAX + 64], key[FOLDER_PATH_MAX + 64];
    folder_file(host->options.folder, "server.pem", certificate);
    folder_file(host->options.folder, "server.key", key);
    const struct net_server_options options = {.address = "127.0.0.1",
                                               .port = host->port_number,
                                               .certificate_file = certificate,
                                               .key_file = key,
                                               .request = on_request,
                                               .text = on_text,
                                               .closed = on_closed,
                                               .context = host};
    if (net_server_open(&host->server, &options, error))
        return error->code;
    host->port_number = net_server_port(host->server);
    return 0;
}

int host_open(struct host **out, const struct host_options *options, struct error *error)
{
    struct host *host = calloc(1, sizeof *host);
    if (!host)
        return error_set(error, ERROR_SYSTEM, "no memory for a venue of the exchange");
    host->magic = HOST_MAGIC;
    host->options = *options;
    host->name = options->names->venues[options->venue];
    host->port_number = options->port;
    host->port = (struct exchange_port){host, port_send, port_ping, port_finish};
    pthread_mutex_init(&host->mutex, NULL);
    pthread_cond_init(&host->told, NULL);
    host->start = host->now = read_clock(host);
    const struct protocol_kind *kind = protocol_by_venue(host->name);
    const struct exchange_venue_options venue = {.source = options->source,
                                                 .names = options->names,
                                                 .venue = options->venue,
                                                 .credentials = options->credentials,
                                                 .balances = options->balances,
                                                 .seed = options->seed,
                                                 .port = &host->port,
                                                 .now = host->now};
    int code = kind ? faults_read(&host->faults, options->faults_name, options->faults_text,
                                  options->seed, kind, error)
                    : error_set(error, ERROR_INPUT, "the exchange has no venue %s", host->name);
    if (!code)
        code = exchange_venue_open(&host->venue, &venue, error);
    if (!code)
        code = open_server(host, error);
    if (code)
        host_close(&host);
    *out = host;
    return code;
}

void host_close(struct host **out)
{
    struct host *host = *out;
    if (!host)
        return;
    host_stop(host, NULL);
    while (host->later) {
        struct later *later = host->later;
        host->later = later->next;
        free_later(host, later);
    }
    net_server_close(&host->server);
    while (host->connections) {
        struct connection *connection = host->connections;
        connection->client = NULL;
        end_stream(host, connection);
        forget(host, connection);
    }
    exchange_venue_close(&host->venue);
    faults_free(&host->faults);
    requests_seen_free(&host->seen);
    pthread_cond_destroy(&host->told);
    pthread_mutex_destroy(&host->mutex);
    free(host);
    *out = NULL;
}
