/* Sessions in a world of their own: a made-up market, the simulated venue that outlives deaths, and a tape that is
 * written live. For tests that kill and start again. */
#ifndef CAPSTAN_TESTS_UNIT_LIVE_SESSION_H
#define CAPSTAN_TESTS_UNIT_LIVE_SESSION_H

#include "config/config.h"
#include "feed/feed.h"
#include "loop.h"
#include "run/live_tape.h"
#include "run/run_engine.h"

struct market_maker;

struct live_world {
    struct config *config;
    struct run_engine names; /* resolves the configuration for the venue */
    struct market_maker *maker;
    struct feed *feed;
    struct venue *venue;
};

/* The market of a world. */
struct live_world_options {
    unsigned
        messages; /* of market data, with a snapshot of each instrument now and then, and frames of several */
    unsigned shutdown_at; /* a `shutdown` comes behind this one; 0: none */
    int64_t start;        /* ts_local before the first; 0: SMALL_TAPE_START */
    uint64_t seed;
};

/* Instruments are the small tape's. Zero it before, close it also after a failure. */
int live_world_open(struct live_world *world, const struct live_world_options *options,
                    struct error *error);
void live_world_close(struct live_world *world);

/* What a session came to. */
struct live_session_result {
    bool killed;
    uint64_t acknowledged; /* messages and decisions that the tape took */
    uint64_t dropped;      /* market messages that the tape could not take */
    bool wanted_snapshots; /* the tape was regained */
    struct tape_recovery recovered;
    struct fold fold;
    unsigned rotations;
    struct error
        refused; /* why a rotation was not done, the last time; code ERROR_NONE: all were */
};

/* Where a session dies. */
struct live_session_options {
    const char *path;
    uint64_t dies_after;  /* so many messages and decisions were taken; 0: it does not */
    const char *setting;  /* "name=value" that differs from the world's; NULL: none */
    struct sink *watcher; /* told after the tape's; may be NULL */
    /* The disk is full from this market message until that one; 0: never. */
    uint64_t full_from, full_until;
    /* After so many market messages the tape ends and the next of the chain of `base` begins; 0: never. `path` is
     * then number `number` of it. */
    uint64_t rotates_every;
    const char *base;
    uint64_t number;
    bool cold; /* as builds did it that wrote no warmth: with another start of the next epoch */
    void (*passed)(void *context, enum live_tape_step step); /* of a rotation; NULL */
    void *context;
};

/* One session, from what stands on the tape to the end of the market data, of a shutdown, or its death. 0 also where it
 * died. */
int live_session_run(struct live_world *world, const struct live_session_options *options,
                     struct live_session_result *result, struct error *error);

#endif
