/* Websockets of the server. */
#include "config.h" /* POSIX names */

#include "net/server_internal.h"

#include "base/assert.h"
#include "base/time.h"

static void tell_text(void *context, const char *text, size_t length)
{
    struct net_client *client = context;
    client->server->options.text(client->server->options.context, client, text, length);
}

void net_client_accept_websocket(struct net_client *client)
{
    const struct frames_options options = {
        .server = true,
        .message_max = client->server->options.body_bytes_max,
        .unsent_max = client->server->options.unsent_bytes_max,
        .text = tell_text,
        .context = client,
    };
    ASSERT(client->may_upgrade && client->pending_count == 1);
    if (client->over)
        return;
    client->may_upgrade = false;
    client->pending_count = 0;
    if (frames_open(&client->frames, &options, NULL) != ERROR_NONE) {
        connection_drop(client);
        return;
    }
    client->deadline_ns = TIME_NEVER; /* a websocket may be silent */
    connection_append_text(client, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                   "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    connection_append_text(client, client->accept_key);
    connection_append_text(client, "\r\n\r\n");
}

void websocket_work(struct net_client *client)
{
    struct buffer *in = &client->in;
    if (buffer_length(in) == 0)
        return;
    bool goes_on = frames_feed(client->frames, buffer_first(in), buffer_length(in));
    buffer_clear(in);
    if (!goes_on)
        client->last = true; /* the close frame that answers goes out, then it ends */
}

/* Whether `length` bytes more may wait; else it ends. */
static bool takes(struct net_client *client, size_t length)
{
    if (client->over)
        return false;
    ASSERT(client->frames != NULL);
    size_t most = client->server->options.unsent_bytes_max;
    size_t unsent = frames_unsent(client->frames) + buffer_length(&client->out);
    if (unsent <= most && length <= most - unsent)
        return true;
    connection_drop(client);
    return false;
}

void net_client_send_text(struct net_client *client, const char *text, size_t length)
{
    if (takes(client, length))
        (void)frames_send_text(client->frames, text, length); /* refused: it is closing */
}

void net_client_send_ping(struct net_client *client, const char *bytes, size_t length)
{
    if (takes(client, length))
        (void)frames_send_ping(client->frames, bytes, length); /* refused: it is closing */
}

/* Move what waits in frames to `out`. */
static void take_all(struct net_client *client)
{
    size_t taken = 0;
    do {
        if (!buffer_reserve(&client->out, CLIENT_WRITE_MAX))
            return; /* no memory: what is left is lost */
        taken = frames_take(client->frames, client->out.bytes + client->out.end, CLIENT_WRITE_MAX);
        client->out.end += taken;
    } while (taken > 0);
}

void net_client_finish(struct net_client *client, unsigned code, const char *reason)
{
    if (client->over)
        return;
    if (client->frames != NULL) {
        take_all(client); /* else the close frame would go before them, and they never */
        frames_finish(client->frames, code, reason);
    }
    client->last = true;
    client->answering = false;
    client->pending_count = 0;
    client->more = true;
}
