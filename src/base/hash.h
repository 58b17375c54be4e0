/* XXH3 hashes, 64 and 128 bits, at once and in pieces; their text is the canonical big-endian one. */
#ifndef CAPSTAN_BASE_HASH_H
#define CAPSTAN_BASE_HASH_H

#include "base/integer.h"

enum {
    HASH_64_TEXT_BYTES = 17,  /* 16 hexadecimal digits and NUL */
    HASH_128_TEXT_BYTES = 33, /* 32 hexadecimal digits and NUL */
    HASH_STREAM_BYTES = 704   /* the library's state, and room to align it */
};

struct hash_128 {
    uint64_t high;
    uint64_t low;
};

/* A hash under way, in the caller's memory at any alignment. It must not be moved or copied. */
struct hash_stream {
    unsigned char state[HASH_STREAM_BYTES];
};

/* The hash of `length` bytes at once (seed 0). */
uint64_t hash_64(const void *bytes, size_t length);
/* The same with a seed: of bytes that mean something else in another place. */
uint64_t hash_64_seeded(const void *bytes, size_t length, uint64_t seed);
struct hash_128 hash_128(const void *bytes, size_t length);

/* Begin, also again; then any number of updates. A digest does not end the stream. */
void hash_stream_init(struct hash_stream *stream);
void hash_stream_update(struct hash_stream *stream, const void *bytes, size_t length);
uint64_t hash_stream_64(const struct hash_stream *stream);
struct hash_128 hash_stream_128(const struct hash_stream *stream);

bool hash_128_equal(struct hash_128 a, struct hash_128 b);

/* Lower-case hexadecimal digits, most significant first, as xxh64sum and xxh128sum print them. */
void hash_64_to_text(uint64_t hash, char out[HASH_64_TEXT_BYTES]);
void hash_128_to_text(struct hash_128 hash, char out[HASH_128_TEXT_BYTES]);
/* The inverse, for exactly 32 lower-case digits; false, and `out` untouched, for anything else. */
bool hash_128_from_text(const char *text, size_t length, struct hash_128 *out);

#endif
