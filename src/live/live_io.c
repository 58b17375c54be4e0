/* See live_io.h. */
#include "config.h"

#include "live/live_io.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/time.h"

enum { MESSAGES_BYTES = 64 * 1024 * 1024, DECISIONS_BYTES = 1024 * 1024, NAME_MAX_BYTES = 64 };
/* The thread looks at its queues and flags at least so often. */
#define POLL_MOST_NS (100 * NS_PER_MS)
#define ROOM_WAIT_NS NS_PER_MS

struct live_channel {
    struct live_io *io;
    unsigned number;
    bool closed_unasked; /* closed() is still to be told */
    struct net_websocket *websocket;
    struct net_lines *lines;
};

/* One request, in one of its io's lists until it is answered, or the io is freed: under way, or not even begun. */
struct live_request {
    struct live_io *io;
    uint64_t tag;
    struct live_request *next, **place; /* what points to it */
    char raw_url[];                     /* of a GET where frames are kept, else "" */
};

enum { LIVE_IO_FAILURE_MAX = 384 };

struct live_io {
    struct live_io_options options;
    char name[NAME_MAX_BYTES], target[NAME_MAX_BYTES];
    pthread_t thread;
    struct net *net;
    struct live_request *requests, *unsent;
    struct adapter *adapter;
    struct message_queue *messages, *decisions;
    struct live_channel channels[ADAPTER_CHANNELS];
    bool lost_market; /* market data found no room */
    bool in_lost_frame;
    atomic_int state; /* enum adapter_state, for other threads */
    atomic_bool market_synchronised, private_up;
    _Atomic int64_t alive; /* when it last went round */
    atomic_bool begin, stop;
    const char *_Atomic reconnect; /* why all channels are to be closed; NULL: they are not */
    const struct adapter_numbers *numbers;
    pthread_mutex_t lock; /* of what follows */
    void (*ended)(void *context);
    void *ended_context;
    bool is_over;                      /* the thread has ended all it does */
    char failure[LIVE_IO_FAILURE_MAX]; /* of the last request; "": it was answered */
};

static int64_t now_of(const struct live_io *io)
{
    return clock_now(io->options.clock);
}

/* --- what the adapter asks for ------------------------------------------------------------------ */

static void port_log(void *context, enum log_level level, const char *text)
{
    struct live_io *io = context;
    log_write(io->options.log, level, io->target, now_of(io), text, NULL, 0);
}

static void request_link(struct live_request *request, struct live_request **place)
{
    request->place = place;
    request->next = *place;
    if (request->next)
        request->next->place = &request->next;
    *place = request;
}

static void request_unlink(struct live_request *request)
{
    *request->place = request->next;
    if (request->next)
        request->next->place = request->place;
}

/* What is posted may be answered with a key (Binance.US's listenKey): only what reads is kept. */
static struct live_request *request_begin(struct live_io *io, const struct adapter_request *wanted)
{
    bool keeps = io->options.raw && strcmp(wanted->method, "GET") == 0;
    size_t length = keeps ? strlen(wanted->url) : 0;
    struct live_request *request = calloc(1, sizeof *request + length + 1);
    if (!request)
        return NULL;
    *request = (struct live_request){.io = io, .tag = wanted->tag};
    memcpy(request->raw_url, wanted->url, length);
    request_link(request, &io->requests);
    return request;
}

static void request_end(struct live_request *request)
{
    request_unlink(request);
    free(request);
}

/* Once for requests in a row that fail alike. While it discovers the adapter tells of each itself. */
static void note_answer(struct live_io *io, const struct net_response *response)
{
    const char *failure = response->failure ? response->failure : "";
    char line[LIVE_IO_FAILURE_MAX + 32];
    if (strncmp(failure, io->failure, sizeof io->failure - 1) == 0)
        return;
    pthread_mutex_lock(&io->lock);
    snprintf(io->failure, sizeof io->failure, "%s", failure);
    pthread_mutex_unlock(&io->lock);
    if (!response->failure || atomic_load(&io->state) == ADAPTER_DISCOVERING)
        return;
    snprintf(line, sizeof line, "no answer to a request: %s", io->failure);
    port_log(io, LOG_WARN, line);
}

static void request_done(void *context, const struct net_response *response)
{
    struct live_request *request = context;
    struct live_io *io = request->io;
    uint64_t tag = request->tag;
    if (request->raw_url[0] && response->outcome == NET_ANSWERED)
        raw_answer(io->options.raw, io->name, now_of(io), request->raw_url, response->status,
                   response->body, response->length);
    request_end(request);
    note_answer(io, response);
    io->adapter->answered(io->adapter, tag, response, now_of(io));
}

/* The adapter is told when it has returned. There are no more of them than decisions in their queue and answers of one
 * net_poll have them made. */
static void note_unsent(struct live_request *request, const char *why)
{
    port_log(request->io, LOG_WARN, why);
    request_unlink(request);
    request_link(request, &request->io->unsent);
}

static void port_request(void *context, const struct adapter_request *wanted)
{
    struct live_io *io = context;
    struct live_request *request = request_begin(io, wanted);
    struct error error = {0};
    if (!request) {
        /* An order of it stays pending until order.pending_timeout, and is asked for then. */
        port_log(io, LOG_ERROR, "no memory for a request: it is not sent");
        return;
    }
    struct net_request sent = {.method = wanted->method,
                               .url = wanted->url,
                               .header_count = wanted->header_count,
                               .body = wanted->body,
                               .length = wanted->length,
                               .timeout_ns = wanted->timeout_ns,
                               .done = request_done,
                               .context = request};
    memcpy(sent.headers, wanted->headers, wanted->header_count * sizeof *wanted->headers);
    if (!net_request(io->net, &sent, &error))
        note_unsent(request, error.text);
}

static void channel_opened(void *context)
{
    struct live_channel *channel = context;
    struct live_io *io = channel->io;
    io->adapter->opened(io->adapter, channel->number, now_of(io));
}

static void channel_text(void *context, const char *text, size_t length)
{
    struct live_channel *channel = context;
    struct live_io *io = channel->io;
    int64_t now = now_of(io);
    if (io->options.raw)
        raw_frame(io->options.raw, io->name, channel->number, now, text, length);
    io->adapter->text(io->adapter, channel->number, text, length, now);
}

static void channel_ping(void *context)
{
    struct live_channel *channel = context;
    struct live_io *io = channel->io;
    if (io->adapter->ping)
        io->adapter->ping(io->adapter, channel->number, now_of(io));
}

static void websocket_closed(void *context, const char *why)
{
    struct live_channel *channel = context;
    struct live_io *io = channel->io;
    channel->websocket = NULL;
    io->adapter->closed(io->adapter, channel->number, 0, why, now_of(io));
}

static void lines_closed(void *context, long status, const char *why, const char *body,
                         size_t length)
{
    struct live_channel *channel = context;
    struct live_io *io = channel->io;
    (void)body;
    (void)length;
    channel->lines = NULL;
    io->adapter->closed(io->adapter, channel->number, status, why, now_of(io));
}

static void port_close(void *context, unsigned number)
{
    struct live_io *io = context;
    ASSERT(number < ADAPTER_CHANNELS);
    struct live_channel *channel = &io->channels[number];
    channel->closed_unasked = false;
    net_websocket_close(&channel->websocket);
    net_lines_close(&channel->lines);
}

static int open_websocket(struct live_channel *channel, const struct adapter_channel *what,
                          struct error *error)
{
    struct net_websocket_options options = {.url = what->url,
                                            .header_count = what->header_count,
                                            .connect_timeout_ns = what->timeout_ns,
                                            .opened = channel_opened,
                                            .text = channel_text,
                                            .ping = channel_ping,
                                            .closed = websocket_closed,
                                            .context = channel};
    memcpy(options.headers, what->headers, what->header_count * sizeof *what->headers);
    return net_websocket_open(channel->io->net, &options, &channel->websocket, error);
}

static int open_lines(struct live_channel *channel, const struct adapter_channel *what,
                      struct error *error)
{
    struct net_lines_options options = {.url = what->url,
                                        .header_count = what->header_count,
                                        .silence_ns = what->timeout_ns,
                                        .opened = channel_opened,
                                        .line = channel_text,
                                        .closed = lines_closed,
                                        .context = channel};
    memcpy(options.headers, what->headers, what->header_count * sizeof *what->headers);
    return net_lines_open(channel->io->net, &options, &channel->lines, error);
}

static void port_open(void *context, unsigned number, const struct adapter_channel *what)
{
    struct live_io *io = context;
    struct error error = {0};
    ASSERT(number < ADAPTER_CHANNELS);
    port_close(io, number);
    struct live_channel *channel = &io->channels[number];
    int code = what->kind == ADAPTER_WEBSOCKET ? open_websocket(channel, what, &error)
                                               : open_lines(channel, what, &error);
    if (code) {
        port_log(io, LOG_WARN, error.text);
        channel->closed_unasked = true;
    }
}

static void port_send(void *context, unsigned number, const char *text, size_t length)
{
    struct live_io *io = context;
    struct error error = {0};
    ASSERT(number < ADAPTER_CHANNELS);
    struct live_channel *channel = &io->channels[number];
    if (!channel->websocket)
        return; /* it has closed, and the adapter is about to hear of it */
    if (net_websocket_send(channel->websocket, text, length, &error)) {
        port_log(io, LOG_WARN, error.text);
        net_websocket_close(&channel->websocket);
        channel->closed_unasked = true;
    }
}

/* Market data that finds no room is lost, and with it the rest of its frame. */
static bool put_market(struct live_io *io, const struct message *message)
{
    bool lost = io->in_lost_frame || !message_queue_put(io->messages, message);
    io->lost_market = io->lost_market || lost;
    io->in_lost_frame = lost && (message->flags & MESSAGE_MORE);
    return !lost;
}

/* An answer is never lost: it waits for the engine. */
static void put_answer(struct live_io *io, const struct message *message)
{
    const struct timespec pause = {.tv_nsec = ROOM_WAIT_NS};
    while (!message_queue_put(io->messages, message) && !atomic_load(&io->stop))
        nanosleep(&pause, NULL);
}

static void port_emit(void *context, const struct message *message)
{
    struct live_io *io = context;
    struct message coming = *message;
    coming.ts_local = clock_now(io->options.clock); /* the sequencer's stamp takes its place */
    if (message->kind >= EVENT_start)
        put_answer(io, &coming);
    else if (!put_market(io, &coming))
        return;
    waker_wake(io->options.engine);
}

/* --- the thread ------------------------------------------------------------------------------------ */

static void close_channels(struct live_io *io, const char *why)
{
    for (unsigned number = 0; number < ADAPTER_CHANNELS; number++) {
        struct live_channel *channel = &io->channels[number];
        if (!channel->websocket && !channel->lines)
            continue;
        port_close(io, number);
        io->adapter->closed(io->adapter, number, 0, why, now_of(io));
    }
}

/* Those that there are now: what the adapter then asks for has its turn. */
static void tell_unsent(struct live_io *io)
{
    static const struct net_response unsent = {
        .outcome = NET_NOT_SENT, .body = "", .failure = "the request could not be begun"};
    struct live_request *told = NULL;
    while (io->unsent) { /* the last comes first there */
        struct live_request *request = io->unsent;
        request_unlink(request);
        request_link(request, &told);
    }
    while (told) {
        struct live_request *request = told;
        told = request->next;
        uint64_t tag = request->tag;
        free(request);
        io->adapter->answered(io->adapter, tag, &unsent, now_of(io));
    }
}

/* What could not be told from within the adapter's own call. */
static void tell_failures(struct live_io *io)
{
    for (unsigned number = 0; number < ADAPTER_CHANNELS; number++) {
        if (!io->channels[number].closed_unasked)
            continue;
        io->channels[number].closed_unasked = false;
        io->adapter->closed(io->adapter, number, 0, "it could not be opened", now_of(io));
    }
    tell_unsent(io);
    /* Half the ring is free again: the engine has caught up. */
    if (io->lost_market && message_queue_depth(io->messages) < MESSAGES_BYTES / 2) {
        io->lost_market = false;
        port_log(io, LOG_ERROR, "the engine was behind and market data was lost: connecting anew");
        close_channels(io, "the engine was behind");
    }
    const char *why = atomic_exchange(&io->reconnect, NULL);
    if (why)
        close_channels(io, why);
}

static void publish_state(struct live_io *io)
{
    atomic_store(&io->market_synchronised, io->adapter->health.market_synchronised);
    atomic_store(&io->private_up, io->adapter->health.private_up);
    atomic_store(&io->state, (int)io->adapter->state);
    atomic_store(&io->alive, now_of(io));
}

static void take_decisions(struct live_io *io, struct message_room *room)
{
    struct message decision;
    while (message_queue_get(io->decisions, room, &decision))
        io->adapter->decision(io->adapter, &decision, now_of(io));
}

static void turn(struct live_io *io, struct message_room *room)
{
    struct adapter *adapter = io->adapter;
    struct error error = {0};
    int64_t wait = io->unsent ? 0 : adapter->deadline(adapter) - now_of(io);
    if (net_poll(io->net, wait < POLL_MOST_NS ? wait : POLL_MOST_NS, &error))
        port_log(io, LOG_ERROR, error.text);
    if (adapter->state == ADAPTER_READY && atomic_load(&io->begin))
        adapter->begin(adapter, io->numbers, now_of(io));
    take_decisions(io, room);
    tell_failures(io);
    if (adapter->deadline(adapter) <= now_of(io))
        adapter->tick(adapter, now_of(io));
    publish_state(io);
}

static void *run(void *context)
{
    struct live_io *io = context;
    struct message_room room = {0}; /* decisions have no rows */
    const struct log_field field = log_text("venue", io->name);
    struct log_span span = {.name = "venue", .fields = &field, .field_count = 1};
    log_span_enter(&span);
    port_log(io, LOG_DEBUG, "connecting");
    io->adapter->start(io->adapter, now_of(io));
    while (!atomic_load(&io->stop))
        turn(io, &room);
    for (unsigned number = 0; number < ADAPTER_CHANNELS; number++)
        port_close(io, number);
    port_log(io, LOG_DEBUG, "disconnected");
    pthread_mutex_lock(&io->lock);
    io->is_over = true;
    void (*ended)(void *) = io->ended;
    void *ended_context = io->ended_context;
    pthread_mutex_unlock(&io->lock);
    if (ended)
        ended(ended_context);
    log_span_leave(&span);
    return NULL;
}

/* --- the others' side ------------------------------------------------------------------------------ */

static int open_parts(struct live_io *io, struct error *error)
{
    const struct live_io_options *options = &io->options;
    const struct net_options net = {.ca_file = options->ca_file};
    const struct adapter_port port = {.context = io,
                                      .request = port_request,
                                      .open = port_open,
                                      .send = port_send,
                                      .close = port_close,
                                      .emit = port_emit,
                                      .log = port_log};
    int code = message_queue_open(&io->messages, MESSAGES_BYTES, error);
    if (!code)
        code = message_queue_open(&io->decisions, DECISIONS_BYTES, error);
    if (!code)
        code = net_open(&io->net, &net, error);
    if (!code)
        code = options->kind->open(&io->adapter, &options->adapter, &port, error);
    return code;
}

static void free_parts(struct live_io *io)
{
    if (io->adapter)
        io->adapter->close(io->adapter);
    net_close(&io->net); /* no request is answered from here on */
    while (io->requests)
        request_end(io->requests);
    while (io->unsent)
        request_end(io->unsent);
    message_queue_close(&io->messages);
    message_queue_close(&io->decisions);
    pthread_mutex_destroy(&io->lock);
    free(io);
}

int live_io_open(struct live_io **out, const struct live_io_options *options, struct error *error)
{
    struct live_io *io = calloc(1, sizeof *io);
    if (!io)
        return error_set(error, ERROR_SYSTEM, "no memory for the venue %s", options->adapter.name);
    io->options = *options;
    snprintf(io->name, sizeof io->name, "%s", options->adapter.name);
    snprintf(io->target, sizeof io->target, "capstan.venue.%s", options->adapter.name);
    for (unsigned number = 0; number < ADAPTER_CHANNELS; number++)
        io->channels[number] = (struct live_channel){.io = io, .number = number};
    pthread_mutex_init(&io->lock, NULL);
    int code = open_parts(io, error);
    if (!code && pthread_create(&io->thread, NULL, run, io) != 0)
        code = error_set(error, ERROR_SYSTEM, "no thread for the venue %s", io->name);
    if (code) {
        free_parts(io);
        return code;
    }
    *out = io;
    return 0;
}

/* It is not ready: `what`, and what its last request met with. */
static int tell_not_ready(struct live_io *io, const char *what, struct error *error)
{
    char failure[LIVE_IO_FAILURE_MAX];
    pthread_mutex_lock(&io->lock);
    snprintf(failure, sizeof failure, "%s", io->failure);
    pthread_mutex_unlock(&io->lock);
    return error_set(error, ERROR_SYSTEM, "%s: %s%s%s", io->name, what, failure[0] ? ": " : "",
                     failure);
}

int live_io_await_ready(struct live_io *io, int64_t timeout_ns, const atomic_bool *stop,
                        struct error *error)
{
    const struct timespec pause = {.tv_nsec = 10 * NS_PER_MS};
    const int64_t until = now_of(io) + timeout_ns;
    for (;;) {
        int state = atomic_load(&io->state);
        if (state == ADAPTER_FAILED)
            return error_set(error, io->adapter->refused ? ERROR_INPUT : ERROR_SYSTEM, "%s",
                             io->adapter->failure);
        if (state != ADAPTER_DISCOVERING)
            return 0;
        if (stop && atomic_load(stop))
            return tell_not_ready(io, "stopped", error);
        if (now_of(io) >= until)
            return tell_not_ready(io, "no answer to what it was asked at the start", error);
        nanosleep(&pause, NULL);
    }
}

const struct adapter_instrument *live_io_found(const struct live_io *io, size_t *count)
{
    *count = io->adapter->found_count;
    return io->adapter->found;
}

const char *live_io_name(const struct live_io *io)
{
    return io->name;
}

void live_io_begin(struct live_io *io, const struct adapter_numbers *numbers)
{
    io->numbers = numbers;
    atomic_store(&io->begin, true);
    net_wake(io->net);
}

struct message_queue *live_io_messages(struct live_io *io)
{
    return io->messages;
}

bool live_io_submit(struct live_io *io, const struct message *decision)
{
    if (!message_queue_put(io->decisions, decision))
        return false;
    net_wake(io->net);
    return true;
}

void live_io_reconnect(struct live_io *io, const char *why)
{
    atomic_store(&io->reconnect, why);
    net_wake(io->net);
}

struct adapter_health live_io_health(const struct live_io *io)
{
    return (struct adapter_health){.market_synchronised = atomic_load(&io->market_synchronised),
                                   .private_up = atomic_load(&io->private_up)};
}

int64_t live_io_alive(const struct live_io *io)
{
    return atomic_load(&io->alive);
}

void live_io_stop(struct live_io *io, void (*ended)(void *context), void *context)
{
    pthread_mutex_lock(&io->lock);
    bool is_over = io->is_over;
    io->ended = ended;
    io->ended_context = context;
    pthread_mutex_unlock(&io->lock);
    atomic_store(&io->stop, true);
    net_wake(io->net);
    if (is_over && ended)
        ended(context);
}

void live_io_close(struct live_io **io)
{
    if (!*io)
        return;
    atomic_store(&(*io)->stop, true);
    net_wake((*io)->net);
    pthread_join((*io)->thread, NULL);
    free_parts(*io);
    *io = NULL;
}
