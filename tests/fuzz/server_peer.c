/* See server_peer.h. */
#include "tests/fuzz/server_peer.h"

#include <stdlib.h>

#include "base/assert.h"

struct net_client *server_peer_open(const struct net_server_options *options)
{
    struct net_server *server = calloc(1, sizeof *server);
    struct net_client *client = calloc(1, sizeof *client);
    ASSERT(server != NULL && client != NULL);
    server->options = *options;
    client->server = server;
    client->stream.fd = -1;
    client->state = CLIENT_SPEAKING;
    http_open(client);
    return client;
}

static bool takes_more(const struct net_client *client)
{
    return !client->over && !client->last;
}

static bool send_piece(struct net_client *client, const uint8_t *bytes, size_t length,
                       bool (*worked)(struct net_client *client))
{
    bool goes_on = true;
    if (!takes_more(client) || !buffer_append(&client->in, (const char *)bytes, length))
        return false;
    do {
        if (client->frames == NULL)
            http_work(client);
        if (client->frames != NULL && takes_more(client))
            websocket_work(client);
        goes_on = worked(client);
    } while (goes_on && takes_more(client) && buffer_length(&client->in) > 0);
    return goes_on;
}

void server_peer_send(struct net_client *client, const uint8_t *data, size_t size, size_t piece,
                      bool (*worked)(struct net_client *client))
{
    bool goes_on = true;
    for (size_t at = 0; at < size && goes_on; at += piece)
        goes_on = send_piece(client, data + at, size - at < piece ? size - at : piece, worked);
}

void server_peer_close(struct net_client *client)
{
    struct net_server *server = client->server;
    connection_free(client);
    free(server);
}
