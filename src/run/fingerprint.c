/* The sink that hashes decisions and own-order messages as they pass. */
#include "run/fingerprint.h"

#include <stdlib.h>

#include "base/hash.h"

enum { HELD_BYTES = 8192 }; /* hashed at once: many messages, and few of the cache's lines */

struct fingerprint {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct hash_stream hash;
    size_t held; /* bytes that are not in the hash yet */
    uint8_t bytes[HELD_BYTES];
};

bool is_own_order_message(const struct message *message)
{
    return message->kind >= EVENT_order_accepted && message->kind <= EVENT_order_status;
}

static void hash_held(struct fingerprint *fingerprint)
{
    hash_stream_update(&fingerprint->hash, fingerprint->bytes, fingerprint->held);
    fingerprint->held = 0;
}

static int hash_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    (void)error;
    struct fingerprint *fingerprint = (struct fingerprint *)sink;
    if (HELD_BYTES - fingerprint->held < EVENT_RECORD_BYTES_MAX)
        hash_held(fingerprint);
    fingerprint->held += message_encode(decision, fingerprint->bytes + fingerprint->held,
                                        HELD_BYTES - fingerprint->held);
    return 0;
}

static int hash_message(struct sink *sink, const struct message *message, struct error *error)
{
    return is_own_order_message(message) ? hash_decision(sink, message, error) : 0;
}

int fingerprint_open(struct fingerprint **out, struct error *error)
{
    struct fingerprint *fingerprint = calloc(1, sizeof *fingerprint);
    if (!fingerprint)
        return error_set(error, ERROR_SYSTEM, "no memory for the fingerprint");
    hash_stream_init(&fingerprint->hash);
    fingerprint->sink = (struct sink){.message = hash_message, .decision = hash_decision};
    *out = fingerprint;
    return 0;
}

void fingerprint_close(struct fingerprint **fingerprint)
{
    free(*fingerprint);
    *fingerprint = NULL;
}

struct sink *fingerprint_sink(struct fingerprint *fingerprint)
{
    return &fingerprint->sink;
}

void fingerprint_text(struct fingerprint *fingerprint, char out[FINGERPRINT_TEXT_MAX])
{
    hash_held(fingerprint);
    hash_128_to_text(hash_stream_128(&fingerprint->hash), out);
}
