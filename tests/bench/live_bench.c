/* capstan-live-bench: how long an order takes from a frame of the market to the bytes of its request.
 *
 * One thread runs the real parts of a live session, wired as live/session_run.c does, but for the network: the
 * Binance.US adapter, both queues, sequencer, tape with its thread, watch, engine. A sample begins before a frame is
 * given to the adapter and ends when the first order that it causes has been given to the port: decoded,
 * sequenced, journalled, decided, journalled, encoded, signed. The venue's answers come between samples.
 *
 * Not in it: TLS, HTTP and websocket framing, the kernel, and the two hand-overs between the threads that a session
 * has. The parts are warm: a market that comes once a second finds colder caches. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"
#include "canned_venue.h"
#include "clock/clock.h"
#include "cmd/cmd.h"
#include "live/watch.h"
#include "live/written_feed.h"
#include "ops/collect.h"
#include "run/run_engine.h"

static const char name[] = "capstan-live-bench";

/* Where the time goes, in order. */
#define STAGES(X)                                                                                  \
    X(DECODE, "decode, emit to the queue")                                                         \
    X(SEQUENCE, "queue, sequence")                                                                 \
    X(JOURNAL, "message to the tape")                                                              \
    X(ENGINE, "engine")                                                                            \
    X(DECIDED, "decision to the tape")                                                             \
    X(HANDED, "queue of decisions")                                                                \
    X(ENCODE, "encode, sign")

enum stage {
#define X(stage, label) STAGE_##stage,
    STAGES(X)
#undef X
        STAGE_COUNT
};

static const char *const stage_labels[] = {
#define X(stage, label) label,
    STAGES(X)
#undef X
};

enum {
    SAMPLES_DEFAULT = 20000,
    SAMPLES_MAX = 10000000,
    WARM_UP = 4000,
    QUEUE_BYTES = 1 << 20,
    CLOCK_READINGS = 1 << 16,
    SEED = 7
};

/* Three levels a side that follow the price by the tick; no budget and no request for the account in between. */
static const char settings[] = "quote: {levels: 3, size: 0.01, half_spread: 0.10, step: 0.05}\n"
                               "reconcile: {price_tolerance: 0.01}\n"
                               "risk: {position_limit: 1}\n"
                               "warm_up: {trades: 0, samples: 0}\n"
                               "rate: {orders_per_second: 1000000, cancel_reserve: 0}\n"
                               "safety: {sync_interval: 0, snapshot_limit: 0}\n"
                               "venue: {modify: cancel_replace}\n";

static const char *const symbol_list[] = {CANNED_SYMBOL};
static const char *const venue_list[] = {"binance_us"};
static const uint16_t number_list[] = {0};

/* As long as the venue's. Nobody's. */
static const struct credentials nobody = {
    "benchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenc",
    "secretsecretsecretsecretsecretsecretsecretsecretsecretsecretsecr"};

/* Times in ns. */
struct sample {
    int64_t whole, stages[STAGE_COUNT];
};

struct bench {
    uint64_t wanted; /* samples */
    const char *tape_path;
    struct canned_venue other;
    struct adapter *adapter;
    struct message_queue *messages, *decisions;
    struct event_definition definition;
    const char *assets[3], *symbol;
    struct event_names names;
    struct adapter_numbers numbers;
    struct session_clock clock;
    struct waker waker;
    struct log log;
    struct config *config;
    struct run_engine engine;
    struct event_start start;
    struct live_tape *tape;
    struct live_feed *feed;
    struct written_feed written;
    _Atomic int64_t alive;
    struct live_venues venues; /* none: the watch has nobody to disconnect */
    struct watch *watch;
    struct ops_collect *ops; /* counts and publishes; nobody reads */
    struct loop loop;
    struct feed driver;
    struct venue venue;
    struct sink stamps;
    bool begun;
    /* The frame under way. */
    bool timing, ordered;
    bool is_order; /* the decision that the adapter has is one */
    int64_t began, at;
    struct sample sample;
    /* Results. */
    uint64_t warmed_up, count, quiet_count, orders;
    struct sample *samples;
    int64_t *quiet; /* frames that caused no order, from begin to end */
};

static int64_t now_of(const struct bench *bench)
{
    return clock_now(&bench->clock.clock);
}

/* What passed since the last stamp belongs to this stage. */
static void stamp(struct bench *bench, enum stage stage)
{
    if (!bench->timing || bench->ordered)
        return;
    int64_t now = clock_now(&clock_monotonic);
    bench->sample.stages[stage] += now - bench->at;
    bench->at = now;
}

/* --- the adapter's port ------------------------------------------------------------------------- */

static void port_request(void *context, const struct adapter_request *request)
{
    struct bench *bench = context;
    if (bench->is_order) {
        stamp(bench, STAGE_ENCODE);
        bench->ordered = true;
        bench->orders++;
    }
    canned_venue_request(&bench->other, request);
}

static void port_open(void *context, unsigned channel, const struct adapter_channel *what)
{
    struct bench *bench = context;
    (void)what;
    canned_venue_open(&bench->other, channel);
}

static void port_send(void *context, unsigned channel, const char *text, size_t length)
{
    (void)context, (void)channel, (void)text, (void)length;
}

static void port_close(void *context, unsigned channel)
{
    (void)context, (void)channel;
}

static void port_emit(void *context, const struct message *message)
{
    struct bench *bench = context;
    bool room = message_queue_put(bench->messages, message);
    ASSERT(room);
    waker_wake(&bench->waker);
}

static void port_log(void *context, enum log_level level, const char *text)
{
    struct bench *bench = context;
    log_write(&bench->log, level, "capstan.venue.binance_us", now_of(bench), text, NULL, 0);
}

/* --- the venue that the loop sends to ----------------------------------------------------------- */

static bool is_order(unsigned kind)
{
    return kind == EVENT_place || kind == EVENT_replace || kind == EVENT_cancel;
}

/* Through the queue, as between the engine's thread and the venue's. */
static int submit(struct venue *venue, const struct message *decision, struct error *error)
{
    struct bench *bench = (struct bench *)(void *)((char *)venue - offsetof(struct bench, venue));
    struct message_room room = {0};
    struct message taken;
    (void)error;
    if (!is_order(decision->kind) && decision->kind != EVENT_query &&
        decision->kind != EVENT_request_snapshot)
        return 0;
    stamp(bench, STAGE_DECIDED);
    bool fits = message_queue_put(bench->decisions, decision) &&
                message_queue_get(bench->decisions, &room, &taken);
    ASSERT(fits);
    stamp(bench, STAGE_HANDED);
    bench->is_order = is_order(decision->kind);
    bench->adapter->decision(bench->adapter, &taken, now_of(bench));
    bench->is_order = false;
    return 0;
}

static int nothing_to_do(struct venue *venue, int64_t now, struct error *error)
{
    (void)venue, (void)now, (void)error;
    return 0;
}

static const struct message *no_answer(struct venue *venue, int64_t now)
{
    (void)venue, (void)now;
    return NULL;
}

static int64_t never(const struct venue *venue)
{
    (void)venue;
    return TIME_NEVER;
}

static int finish(struct venue *venue, struct error *error)
{
    (void)venue, (void)error;
    return 0;
}

static void close_nothing(struct venue *venue)
{
    (void)venue;
}

/* --- stamps between the sinks ------------------------------------------------------------------- */

static struct bench *of_stamps(struct sink *sink)
{
    return (struct bench *)(void *)((char *)sink - offsetof(struct bench, stamps));
}

static int message_written(struct sink *sink, const struct message *message, struct error *error)
{
    (void)message, (void)error;
    stamp(of_stamps(sink), STAGE_JOURNAL);
    return 0;
}

static int engine_stepped(struct sink *sink, const struct engine *engine, struct error *error)
{
    (void)engine, (void)error;
    stamp(of_stamps(sink), STAGE_ENGINE);
    return 0;
}

/* --- the feed that drives everything ------------------------------------------------------------ */

/* All that the frame caused has been done. */
static void end_frame(struct bench *bench)
{
    if (!bench->timing)
        return;
    bench->timing = false;
    if (bench->ordered && bench->warmed_up++ >= WARM_UP) {
        bench->sample.whole = bench->at - bench->began;
        bench->samples[bench->count++] = bench->sample;
    } else if (!bench->ordered && bench->warmed_up >= WARM_UP &&
               bench->quiet_count < bench->wanted) {
        bench->quiet[bench->quiet_count++] = clock_now(&clock_monotonic) - bench->began;
    }
}

/* The tape's thread may be behind, since no venue sends so fast: that is waited for outside of samples. */
static int give_frame(struct bench *bench, struct error *error)
{
    size_t length;
    int code = live_tape_wait(bench->tape, error);
    if (code)
        return code;
    const char *text = canned_venue_frame(&bench->other, now_of(bench), &length);
    memset(&bench->sample, 0, sizeof bench->sample);
    bench->ordered = false;
    bench->timing = true;
    bench->began = bench->at = clock_now(&clock_monotonic);
    bench->adapter->text(bench->adapter, 0, text, length, now_of(bench));
    stamp(bench, STAGE_DECODE);
    return 0;
}

/* One thing that is no frame: what the venue owes, or what is due by time. False where there is none. */
static bool serve(struct bench *bench)
{
    struct adapter *adapter = bench->adapter;
    if (canned_venue_serve(&bench->other, adapter, now_of(bench)))
        return true;
    if (adapter->deadline(adapter) > now_of(bench))
        return false;
    adapter->tick(adapter, now_of(bench));
    return true;
}

static const struct message *next(struct feed *feed, struct error *error)
{
    struct bench *bench = (struct bench *)(void *)((char *)feed - offsetof(struct bench, driver));
    for (;;) {
        bool waits = !message_queue_is_empty(bench->messages);
        if (!waits)
            end_frame(bench);
        if (waits || !bench->begun || engine_deadline(bench->engine.engine) <= now_of(bench)) {
            bench->begun = true;
            const struct message *message = bench->written.feed.next(&bench->written.feed, error);
            stamp(bench, STAGE_SEQUENCE);
            return message;
        }
        if (serve(bench))
            continue;
        if (bench->count == bench->wanted || give_frame(bench, error))
            return NULL;
    }
}

static void want_snapshots(void *context)
{
    (void)context;
    ASSERT(false); /* the tape is always writable */
}

/* --- opening ------------------------------------------------------------------------------------ */

static int open_adapter(struct bench *bench, struct error *error)
{
    const struct adapter_port port = {.context = bench,
                                      .request = port_request,
                                      .open = port_open,
                                      .send = port_send,
                                      .close = port_close,
                                      .emit = port_emit,
                                      .log = port_log};
    const struct adapter_settings adapter = {.name = venue_list[0],
                                             .rest_url = CANNED_REST,
                                             .stream_url = "wss://canned.invalid",
                                             .symbols = symbol_list,
                                             .symbol_count = 1,
                                             .credentials = &nobody,
                                             .session = "bench",
                                             .request_timeout_ns = 5 * NS_PER_SECOND,
                                             .seed = SEED};
    canned_venue_init(&bench->other, SEED);
    int code = adapter_kind_by_name(venue_list[0])->open(&bench->adapter, &adapter, &port, error);
    if (code)
        return code;
    bench->adapter->start(bench->adapter, now_of(bench));
    while (bench->adapter->state == ADAPTER_DISCOVERING)
        if (!serve(bench))
            break;
    if (bench->adapter->state != ADAPTER_READY)
        return error_set(error, ERROR_SYSTEM, "the adapter does not get ready: %s",
                         bench->adapter->failure);
    return 0;
}

/* Assets by name: BTC, USD. */
static int make_names(struct bench *bench, struct error *error)
{
    const struct adapter_instrument *found = bench->adapter->found;
    bench->definition = found->definition;
    bench->definition.instrument = bench->definition.venue = 0;
    bench->assets[0] = found->base;
    bench->assets[1] = found->quote;
    bench->definition.base = 0;
    bench->definition.quote = bench->definition.settle = 1;
    bench->symbol = found->symbol;
    bench->names = (struct event_names){.venue_count = 1,
                                        .asset_count = 2,
                                        .instrument_count = 1,
                                        .venues = venue_list,
                                        .assets = bench->assets,
                                        .symbols = &bench->symbol,
                                        .definitions = &bench->definition};
    bench->numbers = (struct adapter_numbers){.names = &bench->names, .instruments = number_list};
    return tape_names_check(&bench->names, error);
}

static int open_tape(struct bench *bench, struct error *error)
{
    struct tape_recovery recovery;
    const struct tape_header header = {.version = TAPE_VERSION,
                                       .origin = TAPE_RECORDED,
                                       .grade = TAPE_GRADE_A,
                                       .tool_version = PACKAGE_VERSION,
                                       .build_id = "",
                                       .grade_reasons = "",
                                       .config = bench->engine.config_text,
                                       .seed = (uint64_t)bench->engine.resolved.global.seed,
                                       .names = bench->names};
    const struct live_tape_options options = {.path = bench->tape_path,
                                              .header = &header,
                                              .sync_every =
                                                  bench->engine.resolved.global.tape_sync_every};
    if (access(bench->tape_path, F_OK) == 0)
        return error_set(error, ERROR_INPUT, "%s: is there already", bench->tape_path);
    return live_tape_open(&bench->tape, &options, &recovery, error);
}

static int open_engine(struct bench *bench, struct error *error)
{
    int code = config_create(&bench->config, error);
    if (!code)
        code = config_read_text(bench->config, name, settings, strlen(settings), error);
    if (!code)
        code = run_engine_open(&bench->engine, bench->config, &bench->names, false, false, error);
    if (!code)
        bench->start = (struct event_start){.epoch = 1,
                                            .seed = (uint64_t)bench->engine.resolved.global.seed,
                                            .config_hash = bench->engine.config_hash};
    return code;
}

static int64_t engine_due(const void *engine)
{
    return engine_deadline(engine);
}

static int open_feed(struct bench *bench, struct error *error)
{
    const struct live_feed_options options = {.clock = &bench->clock,
                                              .waker = &bench->waker,
                                              .sources = {bench->messages},
                                              .source_count = 1,
                                              .alive = &bench->alive,
                                              .deadline = engine_due,
                                              .deadline_context = bench->engine.engine,
                                              .start = &bench->start};
    int code = live_feed_open(&bench->feed, &options, error);
    if (code)
        return code;
    bench->written = (struct written_feed){.inner = live_feed_feed(bench->feed),
                                           .tape = bench->tape,
                                           .want_snapshots = want_snapshots};
    written_feed_init(&bench->written);
    const struct watch_options watch = {.log = &bench->log,
                                        .engine = bench->engine.engine,
                                        .names = &bench->names,
                                        .tape = bench->tape,
                                        .feed = bench->feed,
                                        .venues = &bench->venues};
    const struct ops_session shown = {.mode = "live",
                                      .tape = bench->tape_path,
                                      .engine = bench->engine.engine,
                                      .names = &bench->names,
                                      .orders_capacity = 4096,
                                      .clock = &bench->clock.clock,
                                      .live = true,
                                      .waited = live_feed_waited(bench->feed),
                                      .alive = &bench->alive};
    code = watch_open(&bench->watch, &watch, error);
    return code ? code : ops_collect_open(&bench->ops, &shown, error);
}

static void wire(struct bench *bench)
{
    struct sink *tape = live_tape_sink(bench->tape, bench->engine.engine);
    bench->driver = (struct feed){.next = next};
    bench->venue = (struct venue){.start = nothing_to_do,
                                  .advance = nothing_to_do,
                                  .answer = no_answer,
                                  .next = never,
                                  .submit = submit,
                                  .finish = finish,
                                  .close = close_nothing};
    bench->stamps =
        (struct sink){.market = true, .message = message_written, .stepped = engine_stepped};
    bench->loop = (struct loop){.engine = bench->engine.engine,
                                .feed = &bench->driver,
                                .venue = &bench->venue,
                                .sinks = {ops_collect_timed(bench->ops, tape), &bench->stamps,
                                          watch_sink(bench->watch), &bench->ops->sink},
                                .sink_count = 4};
}

static int open_all(struct bench *bench, struct error *error)
{
    bench->samples = calloc(bench->wanted, sizeof *bench->samples);
    bench->quiet = calloc(bench->wanted, sizeof *bench->quiet);
    if (!bench->samples || !bench->quiet)
        return error_set(error, ERROR_SYSTEM, "no memory for %llu samples",
                         (unsigned long long)bench->wanted);
    session_clock_start(&bench->clock, INT64_MIN);
    int code = log_init(&bench->log, stderr, "warn", error);
    if (!code)
        code = message_queue_open(&bench->messages, QUEUE_BYTES, error);
    if (!code)
        code = message_queue_open(&bench->decisions, QUEUE_BYTES, error);
    if (!code)
        code = open_adapter(bench, error);
    if (!code)
        code = make_names(bench, error);
    if (!code)
        code = open_engine(bench, error);
    if (!code)
        code = open_tape(bench, error);
    if (!code)
        code = open_feed(bench, error);
    return code;
}

static void close_all(struct bench *bench)
{
    ops_collect_close(&bench->ops);
    watch_close(&bench->watch);
    if (bench->feed)
        live_feed_feed(bench->feed)->close(live_feed_feed(bench->feed));
    run_engine_close(&bench->engine);
    live_tape_abandon(&bench->tape);
    config_free(&bench->config);
    if (bench->adapter)
        bench->adapter->close(bench->adapter);
    message_queue_close(&bench->messages);
    message_queue_close(&bench->decisions);
    waker_close(&bench->waker);
    free(bench->samples);
    free(bench->quiet);
}

/* --- what came out ------------------------------------------------------------------------------ */

static int by_time(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

/* Sorted times: the least one that so many per mille are not above. */
static int64_t percentile(const int64_t *times, uint64_t count, uint64_t per_mille)
{
    uint64_t rank = (count * per_mille + 999) / 1000;
    return times[rank > 0 ? rank - 1 : 0];
}

/* Sorts `times`; returns the median. */
static int64_t print_row(const char *label, int64_t *times, uint64_t count)
{
    qsort(times, count, sizeof *times, by_time);
    int64_t median = percentile(times, count, 500);
    printf("%-28s %8.1f %8.1f %8.1f %10.1f\n", label, (double)median / 1e3,
           (double)percentile(times, count, 990) / 1e3, (double)percentile(times, count, 999) / 1e3,
           (double)times[count - 1] / 1e3);
    return median;
}

/* The median cost of one reading. */
static int64_t clock_cost(int64_t *times)
{
    for (unsigned i = 0; i < CLOCK_READINGS; i++) {
        int64_t before = clock_now(&clock_monotonic);
        times[i] = clock_now(&clock_monotonic) - before;
    }
    qsort(times, CLOCK_READINGS, sizeof *times, by_time);
    return percentile(times, CLOCK_READINGS, 500);
}

static void print_results(struct bench *bench)
{
    static int64_t readings[CLOCK_READINGS];
    int64_t *times = malloc(bench->count * sizeof *times), sum = 0;
    ASSERT(times);
    printf("frame in to order out, in process, %llu samples\n%-28s %8s %8s %8s %10s\n",
           (unsigned long long)bench->count, "us", "p50", "p99", "p99.9", "max");
    for (uint64_t i = 0; i < bench->count; i++)
        times[i] = bench->samples[i].whole;
    print_row("frame to order", times, bench->count);
    for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
        char label[64];
        for (uint64_t i = 0; i < bench->count; i++)
            times[i] = bench->samples[i].stages[stage];
        snprintf(label, sizeof label, "  %s", stage_labels[stage]);
        sum += print_row(label, times, bench->count);
    }
    printf("%-28s %8.1f\n", "  sum of the medians", (double)sum / 1e3);
    if (bench->quiet_count > 0)
        print_row("frame without an order", bench->quiet, bench->quiet_count);
    printf(
        "%llu frames caused no order, %llu requests in all were orders; one reading of the clock "
        "costs %lld ns,\nand a sample has at least %d of them\n",
        (unsigned long long)bench->quiet_count, (unsigned long long)bench->orders,
        (long long)clock_cost(readings), STAGE_COUNT + 1);
    free(times);
}

static int run_bench(struct bench *bench, struct error *error)
{
    int code = waker_open(&bench->waker, error);
    if (code)
        return code;
    code = open_all(bench, error);
    if (!code) {
        bench->adapter->begin(bench->adapter, &bench->numbers, now_of(bench));
        wire(bench);
        code = loop_run(&bench->loop, error);
    }
    if (!code && engine_counters(bench->engine.engine)->invariant_violations > 0)
        code = error_set(error, ERROR_SYSTEM, "the engine's invariants do not hold");
    if (!code)
        code = live_tape_finish(&bench->tape, error);
    if (!code)
        print_results(bench);
    close_all(bench);
    return code;
}

int main(int argc, char **argv)
{
    static struct bench bench = {.wanted = SAMPLES_DEFAULT};
    int64_t samples = SAMPLES_DEFAULT;
    const struct cmd_option options[] = {
        CMD_COUNT("samples", 0, 1, SAMPLES_MAX, "frames that cause an order", &samples),
    };
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "TAPE",
        .opening = "Measure frame to order in process; writes TAPE, which must not be there.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status == CMD_CONTINUE) {
        struct error error = {0};
        bench.wanted = (uint64_t)samples;
        bench.tape_path = arguments.items[0];
        status = run_bench(&bench, &error);
        if (status)
            cmd_fail(name, &error);
    }
    return status;
}
