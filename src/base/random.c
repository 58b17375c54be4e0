/* See base/random.h. */
#include "base/random.h"

#include "base/assert.h"

/* splitmix64 (Steele, Lea, Flood 2014): spreads a seed over the words of another generator. */
static uint64_t spread(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

void random_init(struct random *random, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;
    state = spread(&state) ^ stream;
    for (size_t i = 0; i < 4; i++)
        random->state[i] = spread(&state);
    if ((random->state[0] | random->state[1] | random->state[2] | random->state[3]) == 0)
        random->state[0] = 1; /* the one state that xoshiro never leaves */
}

uint64_t random_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    ASSERT(bound > 0);
    /* The high half of a product is uniform once the few low halves that would be counted twice are
     * thrown away (Lemire 2019). */
    uint64_t threshold = (0 - bound) % bound;
    uint128 product;
    do {
        product = (uint128)random_next(random) * bound;
    } while ((uint64_t)product < threshold);
    return (uint64_t)(product >> 64);
}

uint64_t random_minus_log2(uint64_t u)
{
    ASSERT(u > 0);
    unsigned zeros = (unsigned)__builtin_clzll(u);
    uint64_t x = u << zeros; /* in [1, 2) as a fraction of 2^63 */
    uint64_t fraction = 0;   /* log2 of it, bit by bit: square, halve where it reached 2 */
    for (unsigned bit = 0; bit < 32; bit++) {
        uint128 square = (uint128)x * x;
        bool reached = square >> 127 != 0;
        x = (uint64_t)(reached ? square >> 64 : square >> 63);
        fraction = fraction << 1 | reached;
    }
    return ((uint64_t)(zeros + 1) << 32) - fraction;
}

int64_t random_wait_ns(struct random *random, uint64_t rate)
{
    ASSERT(rate > 0);
    uint64_t u;
    do {
        u = random_next(random);
    } while (u == 0);
    /* -ln u = -log2 u x ln 2; ln 2 as a fraction of 2^64. 2^38.x x 2^50 fits 128 bits easily. */
    uint64_t e = (uint64_t)((uint128)random_minus_log2(u) * UINT64_C(0xb17217f7d1cf79ac) >> 64);
    return (int64_t)((uint128)e * UINT64_C(1000000000000000) / rate >> 32);
}
