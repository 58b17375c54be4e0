/* A tape's identity: the hash over its messages' canonical bytes. */
#include <stdlib.h>

#include "tape/tape.h"

int tape_identity_open(struct tape_identity *identity, uint32_t most_rows, struct error *error)
{
    hash_stream_init(&identity->hash);
    identity->capacity = EVENT_RECORD_BYTES_MAX + (size_t)most_rows * EVENT_ROW_BYTES;
    identity->bytes = malloc(identity->capacity);
    if (identity->bytes == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a tape's identity");
    return 0;
}

void tape_identity_add(struct tape_identity *identity, const struct message *message)
{
    size_t length = message_encode(message, identity->bytes, identity->capacity);
    hash_stream_update(&identity->hash, identity->bytes, length);
}

void tape_identity_get(const struct tape_identity *identity, uint8_t out[TAPE_IDENTITY_BYTES])
{
    struct hash_128 hash = hash_stream_128(&identity->hash);
    for (unsigned i = 0; i < 8; i++) {
        out[i] = (uint8_t)(hash.high >> (56 - 8 * i));
        out[8 + i] = (uint8_t)(hash.low >> (56 - 8 * i));
    }
}

void tape_identity_close(struct tape_identity *identity)
{
    free(identity->bytes);
    identity->bytes = NULL;
}
