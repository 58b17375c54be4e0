/* StreamVByte columns, on any machine and faster where SSSE3 is. */
#include "tape/stream_vbyte.h"

#include "base/bytes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Bytes that the value at `place` (0 to 3) of a group takes. */
#define LENGTH(control, place) ((((control) >> (2 * (place))) & 3) + 1)
#define START_1(c)             LENGTH(c, 0)
#define START_2(c)             (START_1(c) + LENGTH(c, 1))
#define START_3(c)             (START_2(c) + LENGTH(c, 2))
#define GROUP_BYTES(c)         (START_3(c) + LENGTH(c, 3))

#define TIMES_4(X, c)  X(c), X((c) + 1), X((c) + 2), X((c) + 3)
#define TIMES_16(X, c) TIMES_4(X, c), TIMES_4(X, (c) + 4), TIMES_4(X, (c) + 8), TIMES_4(X, (c) + 12)
#define TIMES_64(X, c)                                                                             \
    TIMES_16(X, c), TIMES_16(X, (c) + 16), TIMES_16(X, (c) + 32), TIMES_16(X, (c) + 48)
#define TIMES_256(X) TIMES_64(X, 0), TIMES_64(X, 64), TIMES_64(X, 128), TIMES_64(X, 192)

static const uint8_t group_bytes[256] = {TIMES_256(GROUP_BYTES)};

size_t stream_vbyte_encode(const uint64_t *values, size_t count, uint8_t *out, size_t *data_bytes,
                           size_t *escape_count)
{
    uint8_t *control = out, *data = out + stream_vbyte_control_bytes(count), *begin = data;
    size_t escapes = 0;
    memset(control, 0, (size_t)(data - control));
    for (size_t i = 0; i < count; i++) {
        uint32_t low = (uint32_t)values[i];
        unsigned code = (31u - (unsigned)__builtin_clz(low | 1)) / 8;
        bytes_put_u32(data, low);
        data += code + 1;
        control[i / 4] = (uint8_t)(control[i / 4] | code << (2 * (i % 4)));
        escapes += values[i] >> 32 != 0;
    }
    *data_bytes = (size_t)(data - begin);
    *escape_count = escapes;
    for (size_t i = 0; escapes != 0; i++) {
        uint32_t high = (uint32_t)(values[i] >> 32);
        if (high == 0)
            continue;
        bytes_put_u32(data, (uint32_t)i);
        bytes_put_u32(data + 4, high);
        data += STREAM_VBYTE_ESCAPE_BYTES;
        escapes--;
    }
    return (size_t)(data - out);
}

/* Decode values [from, count) with every length checked. Returns the end of the data, or NULL where
 * it runs past `end`. */
static const uint8_t *decode_checked(const uint8_t *control, size_t from, size_t count,
                                     const uint8_t *data, const uint8_t *end, uint64_t *out)
{
    for (size_t i = from; i < count; i++) {
        size_t length = (size_t)LENGTH(control[i / 4], i % 4);
        if ((size_t)(end - data) < length)
            return NULL;
        uint32_t value = 0;
        for (size_t k = length; k-- > 0;)
            value = value << 8 | data[k];
        out[i] = value;
        data += length;
    }
    return data;
}

/* Decode whole groups as long as 16 bytes of data are left. Returns how many groups were decoded. */
static size_t decode_groups(const uint8_t *control, size_t groups, const uint8_t **data,
                            const uint8_t *end, uint64_t *out)
{
    static const uint32_t masks[4] = {0xff, 0xffff, 0xffffff, 0xffffffff};
    const uint8_t *p = *data;
    size_t g = 0;
    for (; g < groups && end - p >= 16; g++) {
        unsigned c = control[g];
        out[4 * g] = bytes_get_u32(p) & masks[c & 3];
        out[4 * g + 1] = bytes_get_u32(p + START_1(c)) & masks[c >> 2 & 3];
        out[4 * g + 2] = bytes_get_u32(p + START_2(c)) & masks[c >> 4 & 3];
        out[4 * g + 3] = bytes_get_u32(p + START_3(c)) & masks[c >> 6];
        p += group_bytes[c];
    }
    *data = p;
    return g;
}

#if defined(__x86_64__)
/* Where each byte of the four 32-bit values comes from; 0xff gives 0. */
#define FROM(start, length, k) ((k) < (length) ? (uint8_t)((start) + (k)) : 0xff)
#define FROM_4(start, length)                                                                      \
    FROM(start, length, 0), FROM(start, length, 1), FROM(start, length, 2), FROM(start, length, 3)
#define SHUFFLE(c)                                                                                 \
    {                                                                                              \
        FROM_4(0, LENGTH(c, 0)), FROM_4(START_1(c), LENGTH(c, 1)),                                 \
            FROM_4(START_2(c), LENGTH(c, 2)), FROM_4(START_3(c), LENGTH(c, 3))                     \
    }
static const uint8_t shuffles[256][16] __attribute__((aligned(16))) = {TIMES_256(SHUFFLE)};

__attribute__((target("ssse3"))) static size_t
decode_groups_ssse3(const uint8_t *control, size_t groups, const uint8_t **data, const uint8_t *end,
                    uint64_t *out)
{
    const uint8_t *p = *data;
    const __m128i zero = _mm_setzero_si128();
    size_t g = 0;
    for (; g < groups && end - p >= 16; g++) {
        unsigned c = control[g];
        __m128i from = _mm_load_si128((const void *)shuffles[c]);
        __m128i four = _mm_shuffle_epi8(_mm_loadu_si128((const void *)p), from);
        _mm_storeu_si128((void *)(out + 4 * g), _mm_unpacklo_epi32(four, zero));
        _mm_storeu_si128((void *)(out + 4 * g + 2), _mm_unpackhi_epi32(four, zero));
        p += group_bytes[c];
    }
    *data = p;
    return g;
}

bool stream_vbyte_can_accelerate(void)
{
    return __builtin_cpu_supports("ssse3");
}
#else
#define decode_groups_ssse3 decode_groups
bool stream_vbyte_can_accelerate(void)
{
    return false;
}
#endif

/* Add the high halves. Indices must rise, be below `count`, and no high half may be 0: one value has
 * one form. */
static bool apply_escapes(const struct stream_vbyte *column, size_t count, uint64_t *out)
{
    uint64_t least = 0;
    for (size_t e = 0; e < column->escape_count; e++) {
        uint64_t index = bytes_get_u32(column->escapes + e * STREAM_VBYTE_ESCAPE_BYTES);
        uint64_t high = bytes_get_u32(column->escapes + e * STREAM_VBYTE_ESCAPE_BYTES + 4);
        if (index < least || index >= count || high == 0)
            return false;
        out[index] |= high << 32;
        least = index + 1;
    }
    return true;
}

bool stream_vbyte_decode(const struct stream_vbyte *column, size_t count, uint64_t *out,
                         bool accelerate)
{
    const uint8_t *data = column->data, *end = data + column->data_bytes;
    size_t groups = count / 4;
    if (count % 4 != 0 && column->control[groups] >> 2 * (count % 4) != 0)
        return false;
    size_t done = accelerate ? decode_groups_ssse3(column->control, groups, &data, end, out)
                             : decode_groups(column->control, groups, &data, end, out);
    data = decode_checked(column->control, 4 * done, count, data, end, out);
    return data == end && data != NULL && apply_escapes(column, count, out);
}
