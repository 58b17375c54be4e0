/* Fuzz target (libFuzzer, --enable-fuzz): any bytes as what a peer sends, in pieces of any length:
 * to the server, from its first byte of HTTP on, also as frames of a websocket; and to the client,
 * as the answer to a websocket's handshake and the frames behind it. Nothing is ever held beyond its
 * limit, and what goes out is whole. */
#include "base/assert.h"
#include "net/frames.h"
#include "net/handshake.h"
#include "tests/fuzz/server_peer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 3000, HEADER_MAX = 2000, UNSENT_MAX = 100000, SLACK = 1000 };

/* The answer to the key of RFC 6455, section 1.3, so that a seed can have it. */
static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";

static void check_text(const char *text, size_t length, size_t most)
{
    ASSERT(length <= most);
    ASSERT(text[length] == '\0');
}

/* --- the server ------------------------------------------------------------------------------ */

static void take_text(void *context, struct net_client *client, const char *text, size_t length)
{
    (void)context;
    check_text(text, length, BODY_MAX);
    if (length == 1 && text[0] == 'f')
        net_client_finish(client, 1000, text);
    else if (length == 1 && text[0] == 'd')
        net_client_drop(client);
    else
        net_client_send_text(client, text, length);
}

static void take_request(void *context, struct net_client *client,
                         const struct net_incoming *incoming)
{
    (void)context;
    const struct net_header header = {"X-Path", incoming->path};
    check_text(incoming->body, incoming->length, BODY_MAX);
    size_t bytes = strlen(incoming->path) + strlen(incoming->query);
    for (size_t i = 0; i < incoming->header_count; i++)
        bytes += strlen(incoming->headers[i].name) + strlen(incoming->headers[i].value);
    ASSERT(bytes <= HEADER_MAX);
    if (incoming->wants_websocket)
        net_client_accept_websocket(client);
    else if (strcmp(incoming->path, "/later") == 0)
        net_client_set(client, client);
    else if (strcmp(incoming->path, "/finish") == 0)
        net_client_finish(client, 0, NULL);
    else if (net_client_get(client) == NULL)
        net_client_answer(client, 200, "text/plain", &header, 1, incoming->body, incoming->length);
}

static void answer_all(struct net_client *client)
{
    while (!client->over && client->pending_count > 0) {
        net_client_begin(client, 200, NULL, NULL, 0);
        net_client_write(client, "later", 5);
        net_client_end(client);
    }
    net_client_set(client, NULL);
}

static bool worked(struct net_client *client)
{
    if (client->pending_count == CLIENT_PIPELINE_MAX)
        answer_all(client);
    if (client->paused) {
        buffer_clear(&client->out); /* the peer has taken it */
        client->paused = false;
    }
    ASSERT(buffer_length(&client->out) <= UNSENT_MAX + SLACK);
    ASSERT(buffer_length(&client->body) <= BODY_MAX + 1);
    ASSERT(client->headers.bytes <= HEADER_MAX && client->headers.count <= HEADERS_COUNT_MAX);
    return true;
}

static void run_server(const uint8_t *data, size_t size, size_t piece)
{
    const struct net_server_options options = {.header_bytes_max = HEADER_MAX,
                                               .body_bytes_max = BODY_MAX,
                                               .unsent_bytes_max = UNSENT_MAX,
                                               .request_timeout_ns = 1,
                                               .request = take_request,
                                               .text = take_text};
    struct net_client *client = server_peer_open(&options);
    server_peer_send(client, data, size, piece, worked);
    answer_all(client);
    server_peer_close(client);
}

/* --- the client ------------------------------------------------------------------------------ */

static void see_text(void *context, const char *text, size_t length)
{
    check_text(text, length, BODY_MAX);
    struct frames *frames = *(struct frames **)context;
    (void)frames_send_text(frames, text, length); /* refused once it closes */
}

static void see_ping(void *context)
{
    char bytes[64];
    ASSERT(frames_take(*(struct frames **)context, bytes, sizeof bytes) > 0);
}

static void run_frames(const char *bytes, size_t length, size_t piece)
{
    struct frames *frames = NULL;
    const struct frames_options options = {.message_max = BODY_MAX,
                                           .unsent_max = UNSENT_MAX,
                                           .text = see_text,
                                           .ping = see_ping,
                                           .context = &frames};
    char out[256];
    if (frames_open(&frames, &options, NULL) != ERROR_NONE)
        return;
    bool goes_on = true;
    for (size_t at = 0; at < length && goes_on; at += piece)
        goes_on = frames_feed(frames, bytes + at, length - at < piece ? length - at : piece);
    while (frames_take(frames, out, sizeof out) > 0) {
    }
    ASSERT(goes_on || frames_why(frames)[0] != '\0');
    frames_close(&frames);
}

static void run_client(const uint8_t *data, size_t size, size_t piece)
{
    struct handshake *handshake = malloc(sizeof *handshake);
    ASSERT(handshake != NULL);
    handshake_begin(handshake, key);
    size_t at = 0;
    while (at < size && handshake->state == HANDSHAKE_MORE) {
        size_t used = 0, length = size - at < piece ? size - at : piece;
        (void)handshake_feed(handshake, (const char *)data + at, length, &used);
        ASSERT(used <= length);
        ASSERT(handshake->state != HANDSHAKE_MORE || used == length);
        ASSERT(handshake->state != HANDSHAKE_REFUSED || handshake->why[0] != '\0');
        at += used;
    }
    if (handshake->state == HANDSHAKE_DONE)
        run_frames((const char *)data + at, size - at, piece);
    handshake_free(handshake);
    free(handshake);
}

/* The first byte says to whom (odd: the client), and in pieces of how many bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t piece = (data[0] >> 1 & 0x3fu) == 0x3f ? size : (data[0] >> 1 & 0x3fu) + 1u;
    if (data[0] & 1)
        run_client(data + 1, size - 1, piece);
    else
        run_server(data + 1, size - 1, piece);
    return 0;
}
