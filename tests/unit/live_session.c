/* Wires sessions that can die. */
#include "config.h" /* POSIX names */

#include "tests/unit/live_session.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "run/told_book.h"
#include "tests/unit/small_tape.h"
#include "venue/sim/sim.h"

enum { ROWS_MAX = 24, SNAPSHOT_LEVELS = 8, SNAPSHOT_EVERY = 60, FRAME_EVERY = 9 };

/* --- the market ------------------------------------------------------------------------------------------ */

struct market_maker {
    struct message *messages;
    struct row *rows;
    union event_record shutdown;
    size_t count;
    uint64_t random, sequence;
    int64_t ts, mid[SMALL_TAPE_INSTRUMENTS];
};

static unsigned draw(struct market_maker *maker, unsigned below)
{
    maker->random = maker->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)((maker->random >> 33) % below);
}

static struct row level(int64_t price, int64_t quantity, unsigned flags)
{
    return (struct row){.price = price, .quantity = quantity, .flags = (uint8_t)flags};
}

static struct row *new_rows(const struct market_maker *maker)
{
    return &maker->rows[maker->count * ROWS_MAX];
}

static void put(struct market_maker *maker, unsigned kind, unsigned instrument, unsigned channel,
                unsigned row_count)
{
    struct row *rows = new_rows(maker);
    rows[row_count - 1].flags |= ROW_LAST;
    maker->messages[maker->count++] =
        (struct message){.ts_local = maker->ts,
                         .ts_venue = (maker->ts - 2 * NS_PER_MS) / NS_PER_MS * NS_PER_MS,
                         .sequence = ++maker->sequence,
                         .stream = EVENT_STREAM(instrument, channel),
                         .kind = (uint8_t)kind,
                         .flags = MESSAGE_VENUE_TIME,
                         .row_count = row_count,
                         .rows = rows};
}

static void put_snapshot(struct market_maker *maker, unsigned instrument)
{
    struct row *rows = new_rows(maker);
    int64_t mid = maker->mid[instrument];
    for (unsigned i = 0; i < SNAPSHOT_LEVELS; i++) {
        rows[2 * i] = level(mid - 1 - i, 1000 + i, ROW_FROM_SNAPSHOT);
        rows[2 * i + 1] = level(mid + 1 + i, 1000 + i, ROW_FROM_SNAPSHOT | ROW_SELL);
    }
    put(maker, EVENT_snapshot, instrument, CHANNEL_DEPTH, 2 * SNAPSHOT_LEVELS);
}

static void put_depth(struct market_maker *maker, unsigned instrument)
{
    struct row *rows = new_rows(maker);
    unsigned count = 1 + draw(maker, SNAPSHOT_LEVELS);
    for (unsigned i = 0; i < count; i++) {
        bool sell = draw(maker, 2);
        int64_t distance = 1 + draw(maker, SNAPSHOT_LEVELS);
        rows[i] = level(maker->mid[instrument] + (sell ? distance : -distance),
                        500 + draw(maker, 2000), sell ? ROW_SELL : 0);
    }
    put(maker, EVENT_depth, instrument, CHANNEL_DEPTH, count);
}

/* The price moves by a tick, and the best level that was there goes. */
static void put_move(struct market_maker *maker, unsigned instrument)
{
    struct row *rows = new_rows(maker);
    int64_t mid = maker->mid[instrument];
    int step = draw(maker, 2) ? 1 : -1;
    maker->mid[instrument] = mid + step;
    rows[0] = level(mid + step, 0, step > 0 ? ROW_SELL : 0);
    rows[1] = level(mid, 800, step > 0 ? 0 : ROW_SELL);
    rows[2] = level(mid + step * (SNAPSHOT_LEVELS + 1), 900, step > 0 ? ROW_SELL : 0);
    put(maker, EVENT_depth, instrument, CHANNEL_DEPTH, 3);
}

static void put_trade(struct market_maker *maker, unsigned instrument)
{
    bool sell = draw(maker, 2);
    int64_t distance = 1 + draw(maker, 4);
    *new_rows(maker) = level(maker->mid[instrument] + (sell ? -distance : distance),
                             1 + draw(maker, 9000), sell ? ROW_SELL : 0);
    put(maker, EVENT_trade, instrument, CHANNEL_TRADE, 1);
}

static void put_any(struct market_maker *maker)
{
    unsigned instrument = draw(maker, SMALL_TAPE_INSTRUMENTS);
    switch (draw(maker, 4)) {
    case 0:
        put_move(maker, instrument);
        break;
    case 1:
        put_trade(maker, instrument);
        break;
    default:
        put_depth(maker, instrument);
        break;
    }
}

static void put_shutdown(struct market_maker *maker)
{
    maker->messages[maker->count++] = (struct message){.ts_local = maker->ts,
                                                       .stream = EVENT_NONE_16,
                                                       .kind = EVENT_shutdown,
                                                       .record = &maker->shutdown};
}

static void make_market(struct market_maker *maker, const struct live_world_options *options)
{
    for (unsigned m = 0; m < options->messages; m++) {
        bool frame = m % FRAME_EVERY == FRAME_EVERY - 1 && maker->count > 0;
        if (frame) /* the message before was not the last of its frame */
            maker->messages[maker->count - 1].flags |= MESSAGE_MORE;
        else
            maker->ts += draw(maker, 40) * NS_PER_MS;
        if (m % SNAPSHOT_EVERY < SMALL_TAPE_INSTRUMENTS)
            put_snapshot(maker, m % SNAPSHOT_EVERY);
        else
            put_any(maker);
        if (m + 1 == options->shutdown_at)
            put_shutdown(maker);
    }
}

static struct market_maker *maker_open(const struct live_world_options *options)
{
    struct market_maker *maker = calloc(1, sizeof *maker);
    size_t most = (size_t)options->messages + 1;
    if (maker == NULL)
        return NULL;
    *maker = (struct market_maker){.random = 42 + options->seed,
                                   .ts = options->start ? options->start : SMALL_TAPE_START,
                                   .mid = {6000000, 250000}};
    maker->messages = calloc(most, sizeof *maker->messages);
    maker->rows = calloc(most * ROWS_MAX, sizeof *maker->rows);
    if (maker->messages != NULL && maker->rows != NULL)
        make_market(maker, options);
    return maker;
}

static void maker_close(struct market_maker *maker)
{
    if (maker == NULL)
        return;
    free(maker->messages);
    free(maker->rows);
    free(maker);
}

/* --- the world ------------------------------------------------------------------------------------------- */

static int make_config(struct config **config, struct error *error)
{
    static const char *const settings[] = {
        "warm_up.trades=0",
        "warm_up.book_messages=0",
        "warm_up.samples=0",
        "shutdown.step_timeout=10ms",
        "safety.sync_interval=500ms",
        "breaker.in_sync=0",
        "sim.balances=1000000000 USD, 100000 BTC, 100000 ETH",
    };
    int code = config_create(config, error);
    for (size_t i = 0; !code && i < sizeof settings / sizeof settings[0]; i++)
        code = config_set(*config, settings[i], error);
    return code;
}

int live_world_open(struct live_world *world, const struct live_world_options *market,
                    struct error *error)
{
    world->maker = maker_open(market);
    if (world->maker == NULL || world->maker->messages == NULL || world->maker->rows == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a market");
    int code = make_config(&world->config, error);
    if (!code)
        code =
            run_engine_open(&world->names, world->config, small_tape_names(), false, false, error);
    if (!code)
        code = memory_feed_open(&world->feed, world->maker->messages, world->maker->count, error);
    if (code)
        return code;
    const struct sim_options options = {.feed = world->feed,
                                        .global = &world->names.resolved.global,
                                        .venues = world->names.resolved.venues,
                                        .instruments = world->names.resolved.instruments,
                                        .names = small_tape_names(),
                                        .feed_floor_ns = NS_PER_MS};
    return sim_open(&world->venue, &options, error);
}

void live_world_close(struct live_world *world)
{
    if (world->venue)
        world->venue->close(world->venue);
    if (world->feed)
        world->feed->close(world->feed);
    run_engine_close(&world->names);
    config_free(&world->config);
    maker_close(world->maker);
    memset(world, 0, sizeof *world);
}

/* --- a session -------------------------------------------------------------------------------------------- */

struct session {
    struct sink sink; /* first: the loop holds a pointer to it */
    const struct live_session_options *options;
    struct run_engine run;
    struct config *config;
    struct live_tape *live;
    struct sink *tape; /* its sink */
    uint64_t acknowledged;
    bool killed;
    struct feed guard; /* the world's feed, as a sequencer lets it through */
    struct feed *inner;
    const struct message *held; /* that the loop was not given yet */
    uint64_t market_messages, dropped;
    bool wanted_snapshots;
    bool rotates; /* the tape is to end here */
    bool goes_on; /* it did, and what comes is the same session */
    uint64_t number, epoch;
    int64_t now; /* of the last message or decision */
    struct told_book told[SMALL_TAPE_INSTRUMENTS];
    struct venue rejoined; /* the world's, to which a session that goes on says nothing */
    struct venue *venue;
};

static int took_message(struct sink *sink, const struct message *message, struct error *error)
{
    struct session *session = (struct session *)sink;
    session->now = message->ts_local;
    session->acknowledged++;
    session->killed = session->acknowledged == session->options->dies_after;
    if (session->killed)
        return error_set(error, ERROR_SYSTEM, "killed");
    /* While the disk is full there is nothing to wait for. */
    struct error ignored;
    live_tape_wait(session->live, &ignored);
    return 0;
}

static struct session *session_of_guard(struct feed *guard)
{
    return (struct session *)(void *)((char *)guard - offsetof(struct session, guard));
}

/* The disk takes nothing behind `bytes`. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* The disk becomes full, or has room again, and the tape's thread has noticed. */
static void change_disk(struct session *session)
{
    struct error trouble = {0};
    struct stat status;
    bool fills = session->market_messages == session->options->full_from;
    if (!fills && session->market_messages != session->options->full_until)
        return;
    signal(SIGXFSZ, SIG_IGN);
    if (fills && stat(session->options->path, &status) == 0) {
        limit_files((rlim_t)status.st_size + 1);
        live_tape_sync(session->live, &trouble);
    } else {
        limit_files(RLIM_INFINITY);
    }
    while (!live_tape_trouble(session->live, &trouble))
        usleep(1000);
}

/* What a sequencer does before each message. */
static const struct message *guard_next(struct feed *guard, struct error *error)
{
    struct session *session = session_of_guard(guard);
    if (session->options->rotates_every != 0 && session->market_messages > 0 && !session->rotates &&
        session->market_messages % session->options->rotates_every == 0 &&
        live_tape_is_calm(session->live)) {
        session->rotates = true;
        return NULL;
    }
    session->rotates = false;
    for (;;) {
        if (session->held == NULL) {
            session->held = session->inner->next(session->inner, error);
            session->market_messages++;
            change_disk(session);
        }
        const struct message *message = session->held;
        if (message == NULL)
            return NULL;
        const struct message *gap = live_tape_gap(session->live, message->ts_local);
        if (gap != NULL)
            return gap;
        session->wanted_snapshots |= live_tape_wants_snapshots(session->live);
        session->held = NULL;
        if (live_tape_takes(session->live, message))
            return message;
        live_tape_drop(session->live, message);
        session->dropped++;
    }
}

static const struct message *guard_ahead(struct feed *guard, int64_t limit, struct error *error)
{
    struct session *session = session_of_guard(guard);
    return session->inner->ahead(session->inner, limit, error);
}

static int open_engine(struct session *session, struct error *error)
{
    const char *setting = session->options->setting;
    int code = make_config(&session->config, error);
    if (!code && setting)
        code = config_set(session->config, setting, error);
    return code ? code
                : run_engine_open(&session->run, session->config, small_tape_names(), false, true,
                                  error);
}

static int open_live(struct session *session, struct live_session_result *result,
                     struct error *error)
{
    /* What it points to outlives the session's tapes. */
    const struct tape_header header = {.version = TAPE_VERSION,
                                       .origin = TAPE_RECORDED,
                                       .tool_version = "test",
                                       .build_id = "test",
                                       .grade_reasons = "",
                                       .config = session->run.config_text,
                                       .feed_floor_ns = NS_PER_MS,
                                       .names = *small_tape_names()};
    const struct live_tape_options options = {.path = session->options->path,
                                              .header = &header,
                                              .sync_every = NS_PER_SECOND,
                                              .block_events = 1024};
    int code = live_tape_open(&session->live, &options, &result->recovered, error);
    return code ? code : live_tape_fold(session->live, &session->run, &result->fold, error);
}

static struct venue *venue_of(const struct venue *rejoined)
{
    return ((struct session *)(void *)((char *)(uintptr_t)rejoined -
                                       offsetof(struct session, rejoined)))
        ->venue;
}

static int rejoin(struct venue *venue, int64_t now, struct error *error)
{
    (void)venue, (void)now, (void)error;
    return 0;
}

static int rejoined_advance(struct venue *venue, int64_t now, struct error *error)
{
    return venue_of(venue)->advance(venue_of(venue), now, error);
}

static const struct message *rejoined_answer(struct venue *venue, int64_t now)
{
    return venue_of(venue)->answer(venue_of(venue), now);
}

static int64_t rejoined_next(const struct venue *venue)
{
    return venue_of(venue)->next(venue_of(venue));
}

static int rejoined_submit(struct venue *venue, const struct message *decision, struct error *error)
{
    return venue_of(venue)->submit(venue_of(venue), decision, error);
}

static int rejoined_finish(struct venue *venue, struct error *error)
{
    return venue_of(venue)->finish(venue_of(venue), error);
}

/* One tape, or what is left of the market. */
static int run_tape(struct session *session, struct live_world *world, struct error *error)
{
    struct sink *watcher = session->options->watcher;
    struct loop loop = {
        .engine = session->run.engine,
        .feed = &session->guard,
        .venue = session->goes_on ? &session->rejoined : world->venue,
        .sinks = {session->tape, &session->sink, watcher},
        .sink_count = watcher ? 3 : 2,
        .makes_time = true,
        /* At once where the session goes on: the venue's answers come as ever. */
        .messages = session->goes_on,
        .start = session->goes_on ? session->now : INT64_MIN,
        .start_record = {.epoch = session->epoch, .config_hash = session->run.config_hash}};
    return loop_run(&loop, error);
}

/* The books, before the next tape's start. */
static int tell_market(struct session *session, struct message *messages, size_t *count,
                       struct error *error)
{
    *count = 0;
    for (unsigned i = 0; i < small_tape_names()->instrument_count; i++) {
        if (told_book_make(&session->told[i], engine_book(session->run.engine, i), i, error))
            return error->code;
        if (session->told[i].rows)
            messages[(*count)++] = session->told[i].message;
    }
    return 0;
}

static int rotate(struct session *session, struct live_session_result *result, struct error *error)
{
    char path[ROTATION_PATH_BYTES];
    struct message messages[SMALL_TAPE_INSTRUMENTS];
    size_t count = 0;
    bool rotated = false, warm = !session->options->cold;
    int code = rotation_path(session->options->base, session->number + 1, path, error);
    if (!code && warm)
        code = tell_market(session, messages, &count, error);
    const struct live_tape_rotation rotation = {.path = path,
                                                .number = session->number + 1,
                                                .epoch = session->epoch,
                                                .engine = &session->run,
                                                .warm = warm,
                                                .market = messages,
                                                .market_count = count,
                                                .passed = session->options->passed,
                                                .context = session->options->context};
    if (!code)
        code = live_tape_rotate(session->live, &rotation, &rotated, error);
    result->rotations += rotated;
    session->number += rotated;
    session->epoch += !warm;
    session->goes_on = warm;
    if (!code && !rotated)
        result->refused = *error;
    return code;
}

static int run(struct session *session, struct live_world *world,
               struct live_session_result *result, struct error *error)
{
    session->epoch = result->fold.epoch + 1;
    session->number = session->options->number;
    session->tape = live_tape_sink(session->live, session->run.engine);
    session->inner = world->feed;
    session->venue = world->venue;
    session->rejoined = (struct venue){.start = rejoin,
                                       .advance = rejoined_advance,
                                       .answer = rejoined_answer,
                                       .next = rejoined_next,
                                       .submit = rejoined_submit,
                                       .finish = rejoined_finish};
    session->guard =
        (struct feed){.next = guard_next, .ahead = guard_ahead, .ahead_ts = world->feed->ahead_ts};
    int code = run_tape(session, world, error);
    while (!code && session->rotates) {
        code = rotate(session, result, error);
        if (!code)
            code = run_tape(session, world, error);
    }
    return code;
}

static int end(struct session *session, int code, struct error *error)
{
    if (session->killed || code) {
        live_tape_abandon(&session->live);
        return session->killed ? 0 : code;
    }
    return live_tape_finish(&session->live, error);
}

int live_session_run(struct live_world *world, const struct live_session_options *options,
                     struct live_session_result *result, struct error *error)
{
    struct session session = {
        .sink = {.market = true, .message = took_message, .decision = took_message},
        .options = options};
    memset(result, 0, sizeof *result);
    int code = open_engine(&session, error);
    if (!code)
        code = open_live(&session, result, error);
    if (!code)
        code = run(&session, world, result, error);
    code = end(&session, code, error);
    result->killed = session.killed;
    result->acknowledged = session.acknowledged;
    result->dropped = session.dropped;
    result->wanted_snapshots = session.wanted_snapshots;
    for (unsigned i = 0; i < SMALL_TAPE_INSTRUMENTS; i++)
        told_book_free(&session.told[i]);
    run_engine_close(&session.run);
    config_free(&session.config);
    return code;
}
