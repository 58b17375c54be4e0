/* The sink that hashes decisions and own-order messages as they pass. */
#include "run/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

struct fingerprint {
    struct sink sink; /* first: the loop holds a pointer to it */
    XXH3_state_t *state;
    uint8_t bytes[EVENT_RECORD_BYTES_MAX];
};

bool is_own_order_message(const struct message *message)
{
    return message->kind >= EVENT_order_accepted && message->kind <= EVENT_order_not_found;
}

static int hash_decision(struct sink *sink, const struct message *decision, struct error *error)
{
    (void)error;
    struct fingerprint *fingerprint = (struct fingerprint *)sink;
    size_t length = message_encode(decision, fingerprint->bytes, sizeof fingerprint->bytes);
    XXH3_128bits_update(fingerprint->state, fingerprint->bytes, length);
    return 0;
}

static int hash_message(struct sink *sink, const struct message *message, struct error *error)
{
    return is_own_order_message(message) ? hash_decision(sink, message, error) : 0;
}

int fingerprint_open(struct fingerprint **out, struct error *error)
{
    struct fingerprint *fingerprint = calloc(1, sizeof *fingerprint);
    XXH3_state_t *state = XXH3_createState();
    if (!fingerprint || !state) {
        XXH3_freeState(state);
        free(fingerprint);
        return error_set(error, ERROR_SYSTEM, "no memory for the fingerprint");
    }
    XXH3_128bits_reset(state);
    fingerprint->sink = (struct sink){.message = hash_message, .decision = hash_decision};
    fingerprint->state = state;
    *out = fingerprint;
    return 0;
}

void fingerprint_close(struct fingerprint **fingerprint)
{
    if (!*fingerprint)
        return;
    XXH3_freeState((*fingerprint)->state);
    free(*fingerprint);
    *fingerprint = NULL;
}

struct sink *fingerprint_sink(struct fingerprint *fingerprint)
{
    return &fingerprint->sink;
}

void fingerprint_text(const struct fingerprint *fingerprint, char out[FINGERPRINT_TEXT_MAX])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(fingerprint->state));
    for (size_t i = 0; i < sizeof canonical.digest; i++)
        snprintf(out + 2 * i, 3, "%02x", canonical.digest[i]);
}
