/* The sink that hashes decisions and own-order messages as they pass. */
#include "run/fingerprint.h"

#include <stdlib.h>

#include "base/hash.h"

struct fingerprint {
    struct sink sink; /* first: the loop holds a pointer to it */
    struct hash_stream hash;
    uint8_t bytes[EVENT_RECORD_BYTES_MAX];
};

bool is_own_order_message(const struct message *message)
{
    return message->kind >= EVENT_order_accepted && message->kind <= EVENT_order_status;
}

static int hash_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    (void)error;
    struct fingerprint *fingerprint = (struct fingerprint *)sink;
    size_t length = message_encode(decision, fingerprint->bytes, sizeof fingerprint->bytes);
    hash_stream_update(&fingerprint->hash, fingerprint->bytes, length);
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

void fingerprint_text(const struct fingerprint *fingerprint, char out[FINGERPRINT_TEXT_MAX])
{
    hash_128_to_text(hash_stream_128(&fingerprint->hash), out);
}
