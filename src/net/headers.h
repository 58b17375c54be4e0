/* Headers as they come in: names in lower case, values without the space around them, all bounded. */
#ifndef CAPSTAN_NET_HEADERS_H
#define CAPSTAN_NET_HEADERS_H

#include "net/buffer.h"
#include "net/net.h"

enum { HEADERS_COUNT_MAX = 128 }; /* of one message */

/* Start from all zero. Names and values stand in `text`, one NUL behind each. */
struct headers {
    struct buffer text;
    size_t starts[2 * HEADERS_COUNT_MAX]; /* of name, value, name, … in `text` */
    size_t count;
    bool in_value, too_long;
    size_t bytes, bytes_max;
    struct net_header list[HEADERS_COUNT_MAX];
};

/* Hold nothing and take up to `bytes_max` bytes from now on. */
void headers_begin(struct headers *headers, size_t bytes_max);
/* A piece of a name, of a value. False, and `too_long`: more than may be, or no memory. */
bool headers_name(struct headers *headers, const char *bytes, size_t length);
bool headers_value(struct headers *headers, const char *bytes, size_t length);
/* All have come: `list` holds them, until the next headers_begin. False: no memory. */
bool headers_end(struct headers *headers);
void headers_free(struct headers *headers);

/* The value of the first header of that lower-case name, or NULL. */
const char *headers_find(const struct net_header *list, size_t count, const char *name);
/* Whether one of the headers of that name lists `token` between its commas, whatever the case. */
bool headers_list_token(const struct net_header *list, size_t count, const char *name,
                        const char *token);

/* Whether a header may go out: its name a token of RFC 9110, section 5.6.2, its value without
 * control characters, so that it can't become two. */
bool header_is_sendable(const struct net_header *header);
/* Whether it has that name, whatever the case. */
bool header_is_named(const struct net_header *header, const char *name);

#endif
