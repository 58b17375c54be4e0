/* How an HTTP/1.1 connection becomes a websocket (RFC 6455, section 4): the keys both sides need,
 * and the client's reading of the server's answer. No I/O. */
#ifndef CAPSTAN_NET_HANDSHAKE_H
#define CAPSTAN_NET_HANDSHAKE_H

#include "net/headers.h"

#include <http_parser.h>

enum {
    HANDSHAKE_KEY_LENGTH = 24,    /* 16 bytes in base64 */
    HANDSHAKE_ACCEPT_LENGTH = 28, /* 20 bytes in base64 */
    HANDSHAKE_ANSWER_MAX = 16 * 1024,
    HANDSHAKE_WHY_MAX = 160,
};

/* A key by chance. False where the system has no randomness. */
bool handshake_make_key(char key[HANDSHAKE_KEY_LENGTH + 1]);
/* Whether a client's key is 16 bytes in base64. */
bool handshake_key_is_valid(const char *key);
/* What the server must answer to that key. */
void handshake_accept(const char key[HANDSHAKE_KEY_LENGTH + 1],
                      char accept[HANDSHAKE_ACCEPT_LENGTH + 1]);

enum handshake_state { HANDSHAKE_MORE, HANDSHAKE_DONE, HANDSHAKE_REFUSED };

/* The server's answer, as far as it has come. */
struct handshake {
    enum handshake_state state;
    char why[HANDSHAKE_WHY_MAX]; /* of HANDSHAKE_REFUSED */
    char accept[HANDSHAKE_ACCEPT_LENGTH + 1];
    struct http_parser parser;
    struct headers headers;
    size_t bytes;
};

/* Wait for the answer to a request with that key. */
void handshake_begin(struct handshake *handshake, const char key[HANDSHAKE_KEY_LENGTH + 1]);
/* Read on. Of `length` bytes `*used` belong to the answer; what follows HANDSHAKE_DONE is frames. */
enum handshake_state handshake_feed(struct handshake *handshake, const char *bytes, size_t length,
                                    size_t *used);
void handshake_free(struct handshake *handshake);

#endif
