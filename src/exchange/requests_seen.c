/* See exchange/requests_seen.h. */
#include "config.h" /* POSIX names */

#include "exchange/requests_seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* Where a client stands in the sorted list, or would. Ids mostly grow, so that most are new at its end. */
static size_t find_place(const struct requests_seen *seen, const char *client)
{
    size_t low = 0, high = seen->client_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(seen->clients[middle].client, client) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct requests_of_client *client_of(struct requests_seen *seen, const char *client)
{
    size_t at = find_place(seen, client);
    if (at < seen->client_count && strcmp(seen->clients[at].client, client) == 0)
        return &seen->clients[at];
    if (seen->client_count == seen->client_capacity) {
        seen->client_capacity = seen->client_capacity ? 2 * seen->client_capacity : 256;
        seen->clients = realloc(seen->clients, seen->client_capacity * sizeof *seen->clients);
        ASSERT(seen->clients);
    }
    memmove(&seen->clients[at + 1], &seen->clients[at],
            (seen->client_count - at) * sizeof *seen->clients);
    seen->client_count++;
    memset(&seen->clients[at], 0, sizeof seen->clients[at]);
    seen->clients[at].client = strdup(client);
    ASSERT(seen->clients[at].client);
    return &seen->clients[at];
}

void requests_seen_add(struct requests_seen *seen, const struct exchange_call *call)
{
    seen->counts[call->kind]++;
    if (*call->client)
        client_of(seen, call->client)->counts[call->kind]++;
}

static void write_counts(const uint64_t *counts, const char *name, struct json *json)
{
    json_open(json, name, '{');
    for (unsigned kind = 0; kind < EXCHANGE_REQUEST_COUNT; kind++)
        if (counts[kind] > 0)
            json_integer(json, exchange_request_name((enum exchange_request)kind),
                         (int64_t)counts[kind]);
    json_close(json, '}');
}

void requests_seen_write(const struct requests_seen *seen, struct json *json)
{
    write_counts(seen->counts, "requests", json);
    json_open(json, "intents", '{');
    for (size_t i = 0; i < seen->client_count; i++)
        write_counts(seen->clients[i].counts, seen->clients[i].client, json);
    json_close(json, '}');
}

void requests_seen_free(struct requests_seen *seen)
{
    for (size_t i = 0; i < seen->client_count; i++)
        free(seen->clients[i].client);
    free(seen->clients);
    memset(seen, 0, sizeof *seen);
}
