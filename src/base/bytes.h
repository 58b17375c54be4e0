/* Little-endian loads and stores on any machine, one place for all canonical bytes. */
#ifndef CAPSTAN_BASE_BYTES_H
#define CAPSTAN_BASE_BYTES_H

#include <string.h>

#include "base/integer.h"

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BYTES_SWAP_16(v) __builtin_bswap16(v)
#define BYTES_SWAP_32(v) __builtin_bswap32(v)
#define BYTES_SWAP_64(v) __builtin_bswap64(v)
#else
#define BYTES_SWAP_16(v) (v)
#define BYTES_SWAP_32(v) (v)
#define BYTES_SWAP_64(v) (v)
#endif

static inline void bytes_put_u16(void *to, uint16_t v)
{
    v = BYTES_SWAP_16(v);
    memcpy(to, &v, sizeof v);
}
static inline void bytes_put_u32(void *to, uint32_t v)
{
    v = BYTES_SWAP_32(v);
    memcpy(to, &v, sizeof v);
}
static inline void bytes_put_u64(void *to, uint64_t v)
{
    v = BYTES_SWAP_64(v);
    memcpy(to, &v, sizeof v);
}
static inline uint16_t bytes_get_u16(const void *from)
{
    uint16_t v;
    memcpy(&v, from, sizeof v);
    return BYTES_SWAP_16(v);
}
static inline uint32_t bytes_get_u32(const void *from)
{
    uint32_t v;
    memcpy(&v, from, sizeof v);
    return BYTES_SWAP_32(v);
}
static inline uint64_t bytes_get_u64(const void *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof v);
    return BYTES_SWAP_64(v);
}
static inline void bytes_put_i128(void *to, int128 v)
{
    bytes_put_u64(to, (uint64_t)(uint128)v);
    bytes_put_u64((char *)to + 8, (uint64_t)((uint128)v >> 64));
}
static inline int128 bytes_get_i128(const void *from)
{
    return (int128)(((uint128)bytes_get_u64((const char *)from + 8) << 64) | bytes_get_u64(from));
}

#endif
