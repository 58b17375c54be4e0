/* The frames of one websocket (RFC 6455, section 5), either side: wslay behind bytes in, messages out.
 * No I/O.
 *
 * Messages are put together here, not by wslay: it would take memory for a fragment when its header
 * comes, and a header's worth of memory for each fragment of one byte. */
#ifndef CAPSTAN_NET_FRAMES_H
#define CAPSTAN_NET_FRAMES_H

#include "base/error.h"

struct frames;

enum { FRAMES_CLOSE_REASON_MAX = 123, FRAMES_WHY_MAX = 192 };

struct frames_options {
    bool server;        /* the server's side: frames come masked and go unmasked */
    size_t message_max; /* a longer message ends the websocket */
    size_t unsent_max;  /* the peer makes us keep so many bytes of pongs: it ends */
    void (*text)(void *context, const char *text, size_t length); /* NUL behind it */
    void (*ping)(void *context); /* its pong waits to be sent; may be NULL */
    void *context;
};

/* ERROR_SYSTEM: no memory. */
int frames_open(struct frames **frames, const struct frames_options *options, struct error *error);
/* Not from within a callback. NULL is allowed. */
void frames_close(struct frames **frames);
/* No more callbacks, also where one is running. */
void frames_silence(struct frames *frames);

/* Take in what came, and call back. False once it has ended: nothing more is to be fed, and once
 * frames_take gives nothing, frames_why tells why. */
bool frames_feed(struct frames *frames, const char *bytes, size_t length);
/* Why the peer's side ended, in words: its close frame's, or what it did wrong. */
const char *frames_why(struct frames *frames);

/* Queue a text message or a ping (of at most 125 bytes; a longer one is cut); copied. False: no
 * memory, or a close frame waits or went. */
bool frames_send_text(struct frames *frames, const char *text, size_t length);
bool frames_send_ping(struct frames *frames, const char *bytes, size_t length);
/* Queue a close frame, before what else waits. Its reason is cut to FRAMES_CLOSE_REASON_MAX bytes. */
void frames_finish(struct frames *frames, unsigned code, const char *reason);

/* Bytes that wait to be sent, and what keeping them costs. */
size_t frames_unsent(const struct frames *frames);
/* Take at most `room` bytes of what waits, for the wire. 0: nothing waits. */
size_t frames_take(struct frames *frames, char *bytes, size_t room);

#endif
