/* Wires a backtest: tape reader, feed, engine, simulated venue, fingerprint and result. */
#include "run/backtest.h"

#include <string.h>

#include "base/assert.h"
#include "venue/sim/sim.h"

static int open_feed(struct backtest *backtest, const struct backtest_options *options,
                     struct error *error)
{
    const struct settings_global *global = &backtest->engine.resolved.global;
    const unsigned script = options->scripted ? FEED_SESSION : 0;
    const struct tape_feed_options feed_options = {.classes = FEED_MARKET | script,
                                                   .from = options->from,
                                                   .to = options->to,
                                                   .lookahead = global->sim_reorder,
                                                   .threads = (unsigned)global->feed_threads};
    return tape_feed_open(&backtest->feed, backtest->reader, &feed_options, error);
}

static int open_venue(struct backtest *backtest, struct error *error)
{
    const struct config_resolved *resolved = &backtest->engine.resolved;
    const struct sim_options sim_options = {.feed = backtest->feed,
                                            .global = &resolved->global,
                                            .venues = resolved->venues,
                                            .instruments = resolved->instruments,
                                            .names = &backtest->header->names,
                                            .feed_floor_ns = backtest->header->feed_floor_ns};
    return sim_open(&backtest->venue, &sim_options, error);
}

static void wire(struct backtest *backtest, const struct backtest_options *options)
{
    backtest->loop = (struct loop){
        .engine = backtest->engine.engine,
        .feed = backtest->feed,
        .venue = backtest->venue,
        .makes_time = true,
        .start = options->from,
        .start_record = {.epoch = 0,
                         .seed = (uint64_t)backtest->engine.resolved.global.seed,
                         .config_hash = backtest->engine.config_hash},
    };
    backtest_add_sink(backtest, fingerprint_sink(backtest->fingerprint));
    backtest_add_sink(backtest, result_sink(backtest->result));
    backtest_add_sink(backtest, market_faults_sink(backtest->faults));
}

int backtest_open(struct backtest *backtest, const struct backtest_options *options,
                  struct error *error)
{
    int code = tape_reader_open(&backtest->reader, options->tape, error);
    if (code)
        return code;
    backtest->header = tape_reader_header(backtest->reader);
    const struct event_names *names = &backtest->header->names;
    backtest->engine.gates_off = options->gates_off;
    code = run_engine_open(&backtest->engine, options->config, names, options->allow_unknown,
                           options->audit_each_message, error);
    if (!code)
        code = open_feed(backtest, options, error);
    if (!code)
        code = open_venue(backtest, error);
    if (!code)
        code = fingerprint_open(&backtest->fingerprint, error);
    if (!code)
        code = result_open(&backtest->result, names, error);
    if (!code)
        code = market_faults_open(&backtest->faults, names, backtest->engine.engine, error);
    if (!code)
        wire(backtest, options);
    return code;
}

void backtest_add_sink(struct backtest *backtest, struct sink *sink)
{
    ASSERT(backtest->loop.sink_count < LOOP_SINKS_MAX);
    backtest->loop.sinks[backtest->loop.sink_count++] = sink;
}

int backtest_run(struct backtest *backtest, struct error *error)
{
    return loop_run(&backtest->loop, error);
}

void backtest_close(struct backtest *backtest)
{
    market_faults_close(&backtest->faults);
    result_close(&backtest->result);
    fingerprint_close(&backtest->fingerprint);
    if (backtest->venue)
        backtest->venue->close(backtest->venue);
    if (backtest->feed)
        backtest->feed->close(backtest->feed);
    run_engine_close(&backtest->engine);
    tape_reader_close(&backtest->reader);
    memset(backtest, 0, sizeof *backtest);
}
