/* See stream.h. */
#include "config.h" /* POSIX names */

#include "net/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DISCARDS_MAX = 16 };

/* OpenSSL's first reason, in words. */
static const char *ssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return reason != NULL ? reason : "no reason given";
}

/* A key with a password is refused; OpenSSL would ask for it at the terminal. */
static int no_password(char *buffer, int size, int writing, void *context)
{
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

/* The one protocol that is spoken, where the client offers it. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                           const unsigned char *offered, unsigned offered_length, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    (void)ssl, (void)context;
    if (SSL_select_next_proto(&chosen, out_length, ours, sizeof ours - 1, offered,
                              offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int load(SSL_CTX *context, const char *certificate_file, const char *key_file,
                struct error *error)
{
    if (SSL_CTX_use_certificate_chain_file(context, certificate_file) != 1)
        return error_set(error, ERROR_INPUT, "%s: expected a certificate (PEM): %s",
                         certificate_file, ssl_reason());
    if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1)
        return error_set(error, ERROR_INPUT,
                         "%s: expected the key of %s, without a password (PEM): %s", key_file,
                         certificate_file, ssl_reason());
    return ERROR_NONE;
}

int stream_context(SSL_CTX **context, const char *certificate_file, const char *key_file,
                   struct error *error)
{
    SSL_CTX *made = SSL_CTX_new(TLS_server_method());
    if (made == NULL || SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION) != 1) {
        SSL_CTX_free(made);
        return error_set(error, ERROR_SYSTEM, "TLS: %s", ssl_reason());
    }
    SSL_CTX_set_options(made, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(made, no_password);
    SSL_CTX_set_alpn_select_cb(made, choose_protocol, NULL);
    int status = load(made, certificate_file, key_file, error);
    if (status != ERROR_NONE) {
        SSL_CTX_free(made);
        return status;
    }
    *context = made;
    return ERROR_NONE;
}

bool stream_open(struct stream *stream, int fd, SSL_CTX *context)
{
    *stream = (struct stream){.fd = fd};
    if (context == NULL)
        return true;
    stream->ssl = SSL_new(context);
    if (stream->ssl == NULL || SSL_set_fd(stream->ssl, fd) != 1) {
        stream_close(stream);
        return false;
    }
    SSL_set_accept_state(stream->ssl);
    return true;
}

/* What an operation of TLS that gave `status` means. */
static enum stream_result ssl_result(struct stream *stream, int status, bool *other_way,
                                     int other_error)
{
    int code = SSL_get_error(stream->ssl, status);
    *other_way = code == other_error;
    if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
        return STREAM_AGAIN;
    if (code == SSL_ERROR_ZERO_RETURN)
        return STREAM_END;
    /* What is lost is of no interest, but OpenSSL would take it for the next connection's. */
    ERR_clear_error();
    return STREAM_LOST;
}

enum stream_result stream_begin(struct stream *stream)
{
    if (stream->ssl == NULL)
        return STREAM_DONE;
    ERR_clear_error();
    int status = SSL_accept(stream->ssl);
    if (status == 1) {
        stream->reading_writes = false;
        return STREAM_DONE;
    }
    return ssl_result(stream, status, &stream->reading_writes, SSL_ERROR_WANT_WRITE);
}

static enum stream_result socket_result(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? STREAM_AGAIN : STREAM_LOST;
}

enum stream_result stream_read(struct stream *stream, char *bytes, size_t room, size_t *length)
{
    *length = 0;
    if (stream->ssl == NULL) {
        ssize_t got = recv(stream->fd, bytes, room, 0);
        if (got > 0)
            *length = (size_t)got;
        return got > 0 ? STREAM_DONE : got == 0 ? STREAM_END : socket_result();
    }
    ERR_clear_error();
    int status = SSL_read_ex(stream->ssl, bytes, room, length);
    stream->reading_writes = false;
    return status == 1 ? STREAM_DONE
                       : ssl_result(stream, status, &stream->reading_writes, SSL_ERROR_WANT_WRITE);
}

enum stream_result stream_write(struct stream *stream, const char *bytes, size_t length,
                                size_t *written)
{
    *written = 0;
    if (stream->ssl == NULL) {
        ssize_t sent = send(stream->fd, bytes, length, 0);
        if (sent > 0)
            *written = (size_t)sent;
        return sent > 0 ? STREAM_DONE : sent == 0 ? STREAM_AGAIN : socket_result();
    }
    ERR_clear_error();
    int status = SSL_write_ex(stream->ssl, bytes, length, written);
    stream->writing_reads = false;
    return status == 1 ? STREAM_DONE
                       : ssl_result(stream, status, &stream->writing_reads, SSL_ERROR_WANT_READ);
}

short stream_events(const struct stream *stream, bool reads, bool writes)
{
    bool in = (reads && !stream->reading_writes) || (writes && stream->writing_reads);
    bool out = (writes && !stream->writing_reads) || (reads && stream->reading_writes);
    return (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0));
}

void stream_end(struct stream *stream)
{
    if (stream->ssl != NULL) {
        ERR_clear_error();
        (void)SSL_shutdown(stream->ssl); /* if the system takes it now; it is a courtesy */
        ERR_clear_error();
    }
    (void)shutdown(stream->fd, SHUT_WR); /* fails where the connection is lost already */
}

enum stream_result stream_discard(struct stream *stream)
{
    char bytes[4096];
    for (int i = 0; i < DISCARDS_MAX; i++) {
        ssize_t got = recv(stream->fd, bytes, sizeof bytes, 0);
        if (got <= 0)
            return got == 0 ? STREAM_END : socket_result();
    }
    return STREAM_AGAIN;
}

void stream_reset(struct stream *stream)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (stream->fd >= 0)
        (void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    stream_close(stream);
}

void stream_close(struct stream *stream)
{
    SSL_free(stream->ssl);
    stream->ssl = NULL;
    if (stream->fd >= 0)
        (void)close(stream->fd); /* nothing is left that could be lost */
    stream->fd = -1;
}
