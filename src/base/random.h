/* Chance for made markets and made faults: a seeded stream of 64-bit numbers and exponential waits,
 * integers only, the same on every machine. */
#ifndef CAPSTAN_BASE_RANDOM_H
#define CAPSTAN_BASE_RANDOM_H

#include "base/integer.h"

/* State of xoshiro256** (Blackman and Vigna 2018): period 2^256 - 1. Never all zero. */
struct random {
    uint64_t state[4];
};

/* Begin the stream `stream` of `seed`. Streams of one seed share no state words. */
void random_init(struct random *random, uint64_t seed, uint64_t stream);

/* The next 64 bits. */
uint64_t random_next(struct random *random);

/* Uniform in 0 .. bound - 1, without bias; bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* An exponential wait in ns with mean 1e15 / rate, `rate` being events in 1e6 s (rate > 0). At most
 * 44.4 means, because the uniform number behind it has 64 bits. */
int64_t random_wait_ns(struct random *random, uint64_t rate);

/* -log2(u / 2^64) in units of 2^-32, rounded up by less than one unit; u > 0. Exposed for its test. */
uint64_t random_minus_log2(uint64_t u);

#endif
