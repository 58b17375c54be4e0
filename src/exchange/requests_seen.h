/* Every request that a venue saw, by kind and client order id: what tells whether an intent was one order. */
#ifndef CAPSTAN_EXCHANGE_REQUESTS_SEEN_H
#define CAPSTAN_EXCHANGE_REQUESTS_SEEN_H

#include "exchange/protocol.h"

/* One client order id and how often each kind of request named it. */
struct requests_of_client {
    char *client;
    uint64_t counts[EXCHANGE_REQUEST_COUNT];
};

struct requests_seen {
    uint64_t counts[EXCHANGE_REQUEST_COUNT];
    struct requests_of_client *clients; /* sorted by id */
    size_t client_count, client_capacity;
};

void requests_seen_add(struct requests_seen *seen, const struct exchange_call *call);
/* "requests": {kind: count}, "intents": {client: {kind: count}} as members of an open object. */
void requests_seen_write(const struct requests_seen *seen, struct json *json);
void requests_seen_free(struct requests_seen *seen);

#endif
