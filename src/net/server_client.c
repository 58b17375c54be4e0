/* One connection of the server: reading, writing, its times and its end. See server_internal.h. */
#include "config.h" /* POSIX names */

#include "net/server_internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "clock/clock.h"

/* How long an end may take that only the other side can bring. */
#define ENDING_NS (2 * NS_PER_SECOND)

void connection_drop(struct net_client *client)
{
    stream_close(&client->stream);
    client->over = true;
    if (client->frames != NULL)
        frames_silence(client->frames);
}

bool connection_open(struct net_server *server, int fd, bool refused, int64_t now)
{
    struct net_client *client = calloc(1, sizeof *client);
    struct stream stream;
    if (!stream_open(&stream, fd, server->tls)) {
        free(client);
        return false;
    }
    if (client == NULL) {
        stream_close(&stream);
        return false;
    }
    client->server = server;
    client->stream = stream;
    client->refused = refused;
    client->deadline_ns = now + server->options.request_timeout_ns;
    client->writing_deadline_ns = TIME_NEVER;
    http_open(client);
    client->next = server->clients;
    server->clients = client;
    server->client_count++;
    return true;
}

void connection_free(struct net_client *client)
{
    connection_drop(client);
    frames_close(&client->frames);
    headers_free(&client->headers);
    buffer_free(&client->in);
    buffer_free(&client->out);
    buffer_free(&client->target);
    buffer_free(&client->body);
    free(client);
}

/* --- writing ---------------------------------------------------------------------------------- */

void connection_append(struct net_client *client, const char *bytes, size_t length)
{
    if (client->over || client->state == CLIENT_ENDING)
        return;
    size_t unsent = buffer_length(&client->out);
    size_t most = client->server->options.unsent_bytes_max;
    if (unsent > most || length > most - unsent || !buffer_append(&client->out, bytes, length))
        connection_drop(client);
}

void connection_append_text(struct net_client *client, const char *text)
{
    connection_append(client, text, strlen(text));
}

bool connection_must_drain(struct net_client *client)
{
    if (client->frames == NULL && buffer_length(&client->out) >= CLIENT_UNSENT_PAUSE)
        client->paused = true;
    return client->paused;
}

/* Make `out` hold something, if anything waits. */
static bool fill_out(struct net_client *client)
{
    if (buffer_length(&client->out) > 0 || client->frames == NULL)
        return buffer_length(&client->out) > 0;
    if (!buffer_reserve(&client->out, CLIENT_WRITE_MAX)) {
        connection_drop(client);
        return false;
    }
    client->out.end +=
        frames_take(client->frames, client->out.bytes + client->out.end, CLIENT_WRITE_MAX);
    return buffer_length(&client->out) > 0;
}

void connection_flush(struct net_client *client, int64_t now)
{
    int64_t patience = now + client->server->options.request_timeout_ns;
    if (client->over || client->stalled || client->state != CLIENT_SPEAKING)
        return;
    client->blocked = false;
    for (int i = 0; i < CLIENT_WRITES_MAX; i++) {
        if (!fill_out(client)) {
            client->writing_deadline_ns = TIME_NEVER;
            client->more = client->more || client->paused;
            client->paused = false;
            return;
        }
        size_t written = 0;
        enum stream_result result = stream_write(&client->stream, buffer_first(&client->out),
                                                 buffer_length(&client->out), &written);
        if (result == STREAM_AGAIN) {
            client->blocked = true;
            if (client->writing_deadline_ns == TIME_NEVER)
                client->writing_deadline_ns = patience;
            return;
        }
        if (result != STREAM_DONE) {
            connection_drop(client);
            return;
        }
        buffer_consume(&client->out, written);
        client->writing_deadline_ns = patience;
    }
    client->more = true;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Requests behind an answer that goes on wait; not too many of them. */
static bool waits_behind(const struct net_client *client)
{
    return client->answering && buffer_length(&client->in) >= CLIENT_READ_MAX;
}

static bool reads(const struct net_client *client)
{
    return client->state == CLIENT_SPEAKING && !client->over && !client->stalled && !client->last &&
           !client->paused && !waits_behind(client) &&
           (client->frames != NULL || client->pending_count < CLIENT_PIPELINE_MAX);
}

static void speak(struct net_client *client)
{
    if (client->frames == NULL)
        http_work(client);
    if (client->frames != NULL && !client->over && !client->last)
        websocket_work(client);
}

/* The peer has ended its side. It may wait for answers all the same, but not for a stream of them. */
static void take_end(struct net_client *client)
{
    bool waits = client->pending_count > 0 || buffer_length(&client->out) > 0;
    if (client->frames != NULL || client->answering || client->in_message || !waits)
        connection_drop(client);
    client->last = true;
}

static void read_all(struct net_client *client)
{
    char *bytes = client->server->bytes;
    if (buffer_length(&client->in) > 0)
        speak(client);
    for (int i = 0; i < CLIENT_READS_MAX && reads(client); i++) {
        size_t length = 0;
        enum stream_result result = stream_read(&client->stream, bytes, CLIENT_READ_MAX, &length);
        if (result == STREAM_AGAIN)
            return;
        if (result == STREAM_END) {
            take_end(client);
            return;
        }
        if (result == STREAM_LOST || !buffer_append(&client->in, bytes, length)) {
            connection_drop(client);
            return;
        }
        speak(client);
        if (connection_must_drain(client))
            return;
    }
    client->more = reads(client);
}

/* --- the poll --------------------------------------------------------------------------------- */

static void begin(struct net_client *client)
{
    enum stream_result result = stream_begin(&client->stream);
    if (result == STREAM_DONE)
        client->state = CLIENT_SPEAKING;
    else if (result != STREAM_AGAIN)
        connection_drop(client);
}

/* All is said: end our side, and give the peer time to have read it before the connection goes. */
static void end_if_last(struct net_client *client, int64_t now)
{
    if (client->state != CLIENT_SPEAKING || client->over || client->stalled || !client->last ||
        client->pending_count > 0 || client->blocked || buffer_length(&client->out) > 0)
        return;
    stream_end(&client->stream);
    client->state = CLIENT_ENDING;
    client->deadline_ns = now + ENDING_NS;
    client->writing_deadline_ns = TIME_NEVER;
    client->more = false;
}

/* It has said nothing for too long, or not all of a request. */
static void run_out_of_time(struct net_client *client, int64_t now)
{
    if (client->state != CLIENT_SPEAKING) {
        connection_drop(client);
    } else if (client->in_message && client->pending_count == 0) {
        http_refuse(client, 408);
        connection_flush(client, now);
    } else if (buffer_length(&client->out) > 0) {
        /* It is still taking its answer, for which there is a time of its own. */
        client->deadline_ns = now + client->server->options.request_timeout_ns;
    } else {
        stream_end(&client->stream);
        connection_drop(client);
    }
}

static void check_time(struct net_client *client, int64_t now)
{
    if (client->over || client->stalled)
        return;
    if (now >= client->writing_deadline_ns)
        connection_drop(client);
    else if (now >= client->deadline_ns)
        run_out_of_time(client, now);
}

void connection_work(struct net_client *client, short revents, int64_t now)
{
    if (client->over || client->stalled)
        return;
    bool more = client->more || client->state == CLIENT_BEGINNING;
    client->more = false;
    if (client->state == CLIENT_BEGINNING && (revents != 0 || client->stream.ssl == NULL))
        begin(client);
    if (client->state == CLIENT_SPEAKING && !client->over) {
        if (reads(client) && (revents != 0 || more))
            read_all(client);
        else if (revents & (POLLERR | POLLHUP))
            connection_drop(client);
        connection_flush(client, now);
    } else if (client->state == CLIENT_ENDING && revents != 0 &&
               stream_discard(&client->stream) != STREAM_AGAIN) {
        connection_drop(client);
    }
    check_time(client, now);
    end_if_last(client, now);
}

short connection_events(const struct net_client *client)
{
    if (client->state == CLIENT_BEGINNING)
        return stream_events(&client->stream, true, false);
    if (client->state == CLIENT_ENDING)
        return POLLIN;
    return stream_events(&client->stream, reads(client), client->blocked);
}

int64_t connection_deadline(const struct net_client *client)
{
    if (client->over)
        return INT64_MIN;
    if (client->stalled)
        return TIME_NEVER;
    if (client->more)
        return INT64_MIN;
    return client->deadline_ns < client->writing_deadline_ns ? client->deadline_ns
                                                             : client->writing_deadline_ns;
}

/* --- faults, and the caller's pointer --------------------------------------------------------- */

void net_client_set(struct net_client *client, void *value)
{
    client->value = value;
}

void *net_client_get(const struct net_client *client)
{
    return client->value;
}

void net_client_reset(struct net_client *client)
{
    stream_reset(&client->stream);
    connection_drop(client);
}

void net_client_drop(struct net_client *client)
{
    if (client->over)
        return;
    /* What was not read would make a reset of the end. */
    (void)stream_discard(&client->stream);
    stream_end(&client->stream);
    connection_drop(client);
}

void net_client_stall(struct net_client *client, bool stalled)
{
    client->stalled = stalled;
    client->more = !stalled; /* there may be something that was not looked at */
}
