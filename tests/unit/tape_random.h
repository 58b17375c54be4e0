/* Random messages from a seed, with everything a tape can carry, for the tests of the tape. */
#ifndef CAPSTAN_TESTS_TAPE_RANDOM_H
#define CAPSTAN_TESTS_TAPE_RANDOM_H

#include "tape/tape.h"

enum { TAPE_RANDOM_ROWS_MAX = 20000 };

/* The header of all these tapes: three instruments at two venues. */
struct tape_header tape_random_header(void);

/* A generator of messages. */
struct tape_random {
    uint64_t state;
    int64_t ts_local;
    uint64_t sequence[4];
    int64_t price[4];
    struct row rows[TAPE_RANDOM_ROWS_MAX];
    union event_record record;
    bool wild; /* also the rare: records of all kinds, statuses, 64-bit values, empty messages */
};

void tape_random_init(struct tape_random *random, uint64_t seed, bool wild);
uint64_t tape_random_next(struct tape_random *random);
/* The next message; valid until the next call. */
struct message tape_random_message(struct tape_random *random);
/* Write a tape of `messages` messages; 0 or the error. */
int tape_random_write(const char *path, uint64_t seed, bool wild, unsigned messages,
                      unsigned block_events, int level, struct error *error);

#endif
