/* A backtest: a tape's market data past an engine whose orders meet the simulated venue. What
 * `capstan replay`, the benchmark and the tests share. */
#ifndef CAPSTAN_RUN_BACKTEST_H
#define CAPSTAN_RUN_BACKTEST_H

#include "config/config.h"
#include "loop.h"
#include "run/fingerprint.h"
#include "run/market_faults.h"
#include "run/result.h"
#include "run/run_engine.h"
#include "tape/tape.h"

struct backtest_options {
    const char *tape; /* path */
    const struct config *config;
    int64_t from, to;   /* ts_local, inclusive; INT64_MIN and INT64_MAX for all */
    bool allow_unknown; /* the configuration may name instruments that the tape does not have */
    bool audit_each_message; /* every invariant after every message */
    uint32_t gates_off;      /* tests only: gates that never block, as bits by enum gate */
    bool scripted; /* session records on the tape are told too: they are a scenario's script */
};

/* Everything of one run, wired. Sinks may be added to `loop` before it runs. */
struct backtest {
    struct tape_reader *reader;
    const struct tape_header *header; /* the tape's */
    struct run_engine engine;
    struct feed *feed;
    struct venue *venue;
    struct fingerprint *fingerprint;
    struct result *result;
    struct market_faults *faults; /* of what the engine was told */
    struct loop loop;
};

/* All memory of the run is taken here. Zero `backtest` before, close it after, also on failure. */
int backtest_open(struct backtest *backtest, const struct backtest_options *options,
                  struct error *error);
void backtest_add_sink(struct backtest *backtest, struct sink *sink);
int backtest_run(struct backtest *backtest, struct error *error);
void backtest_close(struct backtest *backtest);

#endif
