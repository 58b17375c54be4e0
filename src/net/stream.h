/* One connection of the server, with TLS or without, that never blocks. */
#ifndef CAPSTAN_NET_STREAM_H
#define CAPSTAN_NET_STREAM_H

#include "base/error.h"

#include <openssl/ssl.h>

enum stream_result {
    STREAM_DONE,  /* so many bytes */
    STREAM_AGAIN, /* none now */
    STREAM_END,   /* the peer has ended its side */
    STREAM_LOST,  /* nothing goes any more */
};

struct stream {
    int fd; /* -1: closed */
    SSL *ssl;
    /* TLS can't read before it has written, or the other way round. */
    bool reading_writes, writing_reads;
};

/* TLS of a server with that certificate and key (PEM files). ERROR_INPUT names the file. */
int stream_context(SSL_CTX **context, const char *certificate_file, const char *key_file,
                   struct error *error);
/* Take over `fd`, which does not block. `context` NULL: no TLS. False: no memory; `fd` is closed. */
bool stream_open(struct stream *stream, int fd, SSL_CTX *context);
/* TLS's beginning: STREAM_DONE once it is through. */
enum stream_result stream_begin(struct stream *stream);
enum stream_result stream_read(struct stream *stream, char *bytes, size_t room, size_t *length);
enum stream_result stream_write(struct stream *stream, const char *bytes, size_t length,
                                size_t *written);
/* What poll must wait for, so that reading or writing gets on. */
short stream_events(const struct stream *stream, bool reads, bool writes);
/* End our side, in order: what the peer sends is still taken in, by stream_discard. */
void stream_end(struct stream *stream);
/* Throw away what came. STREAM_AGAIN: for now. */
enum stream_result stream_discard(struct stream *stream);
/* Close at once; with a reset, or as it happens to stand. Allowed where it is closed. */
void stream_reset(struct stream *stream);
void stream_close(struct stream *stream);

#endif
