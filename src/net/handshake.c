/* See handshake.h. */
#include "config.h" /* POSIX names */

#include "net/handshake.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"

bool handshake_make_key(char key[HANDSHAKE_KEY_LENGTH + 1])
{
    unsigned char chance[16];
    if (RAND_bytes(chance, sizeof chance) != 1)
        return false;
    EVP_EncodeBlock((unsigned char *)key, chance, sizeof chance);
    return true;
}

bool handshake_key_is_valid(const char *key)
{
    unsigned char bytes[HANDSHAKE_KEY_LENGTH];
    /* 16 bytes are 22 digits and two signs of padding. */
    return strlen(key) == HANDSHAKE_KEY_LENGTH && strcmp(key + 22, "==") == 0 && key[21] != '=' &&
           EVP_DecodeBlock(bytes, (const unsigned char *)key, HANDSHAKE_KEY_LENGTH) > 0;
}

void handshake_accept(const char key[HANDSHAKE_KEY_LENGTH + 1],
                      char accept[HANDSHAKE_ACCEPT_LENGTH + 1])
{
    /* The identifier is the RFC's own, section 1.3. */
    static const char identifier[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[HANDSHAKE_KEY_LENGTH + sizeof identifier];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    memcpy(text, key, HANDSHAKE_KEY_LENGTH);
    memcpy(text + HANDSHAKE_KEY_LENGTH, identifier, sizeof identifier);
    int done = EVP_Digest(text, sizeof text - 1, digest, &length, EVP_sha1(), NULL);
    ASSERT(done == 1 && length == 20);
    EVP_EncodeBlock((unsigned char *)accept, digest, (int)length);
}

static struct handshake *handshake_of(http_parser *parser)
{
    return parser->data;
}

static int take_name(http_parser *parser, const char *bytes, size_t length)
{
    return !headers_name(&handshake_of(parser)->headers, bytes, length);
}

static int take_value(http_parser *parser, const char *bytes, size_t length)
{
    return !headers_value(&handshake_of(parser)->headers, bytes, length);
}

static enum handshake_state refuse(struct handshake *handshake, const char *why)
{
    snprintf(handshake->why, sizeof handshake->why, "the server's answer to the handshake %s", why);
    return handshake->state = HANDSHAKE_REFUSED;
}

/* RFC 6455, section 4.1, what a client must check. Neither an extension nor a subprotocol is asked
 * for. */
static enum handshake_state judge(struct handshake *handshake)
{
    const struct net_header *list = handshake->headers.list;
    size_t count = handshake->headers.count;
    const char *accept = headers_find(list, count, "sec-websocket-accept");
    const char *upgrade = headers_find(list, count, "upgrade");
    if (handshake->parser.status_code != 101) {
        snprintf(handshake->why, sizeof handshake->why, "the handshake was refused: HTTP status %u",
                 handshake->parser.status_code);
        return handshake->state = HANDSHAKE_REFUSED;
    }
    if (upgrade == NULL || strcasecmp(upgrade, "websocket") != 0)
        return refuse(handshake, "does not upgrade to websocket");
    if (!headers_list_token(list, count, "connection", "upgrade"))
        return refuse(handshake, "has no Connection: Upgrade");
    if (accept == NULL || strcmp(accept, handshake->accept) != 0)
        return refuse(handshake, "has a wrong Sec-WebSocket-Accept");
    if (headers_find(list, count, "sec-websocket-extensions") != NULL ||
        headers_find(list, count, "sec-websocket-protocol") != NULL)
        return refuse(handshake, "has an extension or a protocol that was not asked for");
    return handshake->state = HANDSHAKE_DONE;
}

/* Stops the parser, whatever the headers say. */
static int end_headers(http_parser *parser)
{
    struct handshake *handshake = handshake_of(parser);
    if (!headers_end(&handshake->headers))
        return -1;
    (void)judge(handshake);
    return handshake->state == HANDSHAKE_DONE ? 2 : -1; /* 2: no body, and no message behind */
}

void handshake_begin(struct handshake *handshake, const char key[HANDSHAKE_KEY_LENGTH + 1])
{
    *handshake = (struct handshake){.state = HANDSHAKE_MORE};
    handshake_accept(key, handshake->accept);
    http_parser_init(&handshake->parser, HTTP_RESPONSE);
    handshake->parser.data = handshake;
    headers_begin(&handshake->headers, HANDSHAKE_ANSWER_MAX);
}

enum handshake_state handshake_feed(struct handshake *handshake, const char *bytes, size_t length,
                                    size_t *used)
{
    static const http_parser_settings settings = {.on_header_field = take_name,
                                                  .on_header_value = take_value,
                                                  .on_headers_complete = end_headers};
    ASSERT(handshake->state == HANDSHAKE_MORE);
    *used = http_parser_execute(&handshake->parser, &settings, bytes, length);
    handshake->bytes += *used;
    if (handshake->state != HANDSHAKE_MORE)
        return handshake->state;
    if (handshake->headers.too_long || handshake->bytes > HANDSHAKE_ANSWER_MAX)
        return refuse(handshake, "is too long");
    if (HTTP_PARSER_ERRNO(&handshake->parser) != HPE_OK)
        return refuse(handshake, http_errno_description(HTTP_PARSER_ERRNO(&handshake->parser)));
    return HANDSHAKE_MORE;
}

void handshake_free(struct handshake *handshake)
{
    headers_free(&handshake->headers);
}
