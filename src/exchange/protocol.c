/* See exchange/protocol.h. */
#include "exchange/protocol.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static const char *const request_names[EXCHANGE_REQUEST_COUNT] = {
#define X(name, meaning) #name,
    EXCHANGE_REQUESTS(X)
#undef X
};

const char *exchange_request_name(enum exchange_request request)
{
    ASSERT(request < EXCHANGE_REQUEST_COUNT);
    return request_names[request];
}

enum exchange_request exchange_request_by_name(const char *name, size_t length)
{
    for (unsigned i = 0; i < EXCHANGE_REQUEST_COUNT; i++)
        if (strlen(request_names[i]) == length && memcmp(request_names[i], name, length) == 0)
            return (enum exchange_request)i;
    return EXCHANGE_REQUEST_COUNT;
}

const char *exchange_request_header(const struct net_incoming *incoming, const char *name)
{
    for (size_t i = 0; i < incoming->header_count; i++)
        if (strcmp(incoming->headers[i].name, name) == 0)
            return incoming->headers[i].value;
    return NULL;
}

void exchange_header(struct exchange_reply *reply, const char *name, const char *format, ...)
{
    ASSERT(reply->header_count < EXCHANGE_HEADERS_MAX);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reply->headers[reply->header_count].value, EXCHANGE_HEADER_TEXT_MAX, format,
              arguments);
    va_end(arguments);
    reply->headers[reply->header_count++].name = name;
}

const struct protocol_kind *protocol_by_venue(const char *venue)
{
    static const struct protocol_kind *const kinds[] = {&protocol_binance_us, &protocol_coinbase,
                                                        &protocol_oanda};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i]->venue, venue) == 0)
            return kinds[i];
    return NULL;
}

void protocol_add_stream(struct protocol *protocol, struct exchange_stream *stream)
{
    stream->next = protocol->streams;
    protocol->streams = stream;
}

void protocol_remove_stream(struct protocol *protocol, struct exchange_stream *stream)
{
    for (struct exchange_stream **at = &protocol->streams; *at; at = &(*at)->next)
        if (*at == stream) {
            *at = stream->next;
            return;
        }
}
