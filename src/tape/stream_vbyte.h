/* StreamVByte columns: 1 to 4 bytes a value with the lengths apart, and a list of escapes for values
 * that need 64 bits. The bytes are described in docs/tape-format.md. */
#ifndef CAPSTAN_TAPE_STREAM_VBYTE_H
#define CAPSTAN_TAPE_STREAM_VBYTE_H

#include "base/integer.h"

enum { STREAM_VBYTE_ESCAPE_BYTES = 8 };

/* An encoded column: `count` values are known from elsewhere. Points into a payload. */
struct stream_vbyte {
    const uint8_t *control; /* (count + 3) / 4 bytes */
    const uint8_t *data;
    const uint8_t *escapes; /* u32 index, u32 high half; indices rise */
    size_t data_bytes, escape_count;
};

/* Bytes of lengths of `count` values. */
static inline size_t stream_vbyte_control_bytes(size_t count)
{
    return (count + 3) / 4;
}

/* Most bytes that `count` values can take, escapes included. */
static inline size_t stream_vbyte_bytes_max(size_t count)
{
    return stream_vbyte_control_bytes(count) + count * (4 + STREAM_VBYTE_ESCAPE_BYTES);
}

/* Signed differences as small unsigned numbers: 0, -1, 1, -2 … become 0, 1, 2, 3 … */
static inline uint64_t zigzag(uint64_t difference)
{
    return (difference << 1) ^ (0 - (difference >> 63));
}
static inline uint64_t unzigzag(uint64_t coded)
{
    return (coded >> 1) ^ (0 - (coded & 1));
}

/* Write control, data and escapes of `values` to `out` (stream_vbyte_bytes_max() bytes), one after
 * the other. Returns the bytes written; `data_bytes` and `escape_count` get their parts. */
size_t stream_vbyte_encode(const uint64_t *values, size_t count, uint8_t *out, size_t *data_bytes,
                           size_t *escape_count);

/* Whether this machine has the instructions of the fast decoder. */
bool stream_vbyte_can_accelerate(void);

/* Read `count` values into `out` (room for `count` rounded up to 4). False where the lengths don't
 * add up to the column's or an escape is out of place. `accelerate` needs
 * stream_vbyte_can_accelerate(); the values are the same either way. */
bool stream_vbyte_decode(const struct stream_vbyte *column, size_t count, uint64_t *out,
                         bool accelerate);

#endif
