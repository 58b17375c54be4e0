/* XXH3 from libxxhash's header, compiled in, so that a short hash costs no call through a table. */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/assert.h"

enum { STATE_ALIGNMENT = 64 };

_Static_assert(sizeof(XXH3_state_t) + STATE_ALIGNMENT <= HASH_STREAM_BYTES,
               "HASH_STREAM_BYTES holds the library's state wherever it is aligned");

/* The aligned place inside the caller's memory. */
static size_t state_offset(const struct hash_stream *stream)
{
    return (size_t)(-(uintptr_t)stream->state & (STATE_ALIGNMENT - 1));
}

static XXH3_state_t *state_of(struct hash_stream *stream)
{
    return (XXH3_state_t *)(void *)(stream->state + state_offset(stream));
}

static const XXH3_state_t *state_of_const(const struct hash_stream *stream)
{
    return (const XXH3_state_t *)(const void *)(stream->state + state_offset(stream));
}

static struct hash_128 hash_128_from(XXH128_hash_t hash)
{
    return (struct hash_128){.high = hash.high64, .low = hash.low64};
}

uint64_t hash_64(const void *bytes, size_t length)
{
    return XXH3_64bits(bytes, length);
}

uint64_t hash_64_seeded(const void *bytes, size_t length, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, length, seed);
}

struct hash_128 hash_128(const void *bytes, size_t length)
{
    return hash_128_from(XXH3_128bits(bytes, length));
}

void hash_stream_init(struct hash_stream *stream)
{
    XXH3_state_t *state = state_of(stream);

    XXH3_INITSTATE(state);
    XXH_errorcode result = XXH3_128bits_reset(state);
    ASSERT(result == XXH_OK);
}

void hash_stream_update(struct hash_stream *stream, const void *bytes, size_t length)
{
    XXH_errorcode result = XXH3_128bits_update(state_of(stream), bytes, length);
    ASSERT(result == XXH_OK);
}

uint64_t hash_stream_64(const struct hash_stream *stream)
{
    return XXH3_64bits_digest(state_of_const(stream));
}

struct hash_128 hash_stream_128(const struct hash_stream *stream)
{
    return hash_128_from(XXH3_128bits_digest(state_of_const(stream)));
}

bool hash_128_equal(struct hash_128 a, struct hash_128 b)
{
    return a.high == b.high && a.low == b.low;
}

void hash_64_to_text(uint64_t hash, char out[HASH_64_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < 16; i++)
        out[i] = digits[hash >> (60 - 4 * i) & 0xf];
    out[16] = '\0';
}

void hash_128_to_text(struct hash_128 hash, char out[HASH_128_TEXT_BYTES])
{
    hash_64_to_text(hash.high, out);
    hash_64_to_text(hash.low, out + 16);
}

bool hash_128_from_text(const char *text, size_t length, struct hash_128 *out)
{
    uint64_t halves[2] = {0, 0};

    if (length != 32)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = 16;
        if (text[i] >= '0' && text[i] <= '9')
            digit = (unsigned)(text[i] - '0');
        else if (text[i] >= 'a' && text[i] <= 'f')
            digit = (unsigned)(text[i] - 'a') + 10;
        if (digit == 16)
            return false;
        halves[i / 16] = halves[i / 16] << 4 | digit;
    }
    *out = (struct hash_128){.high = halves[0], .low = halves[1]};
    return true;
}
