/* Makes small tapes for unit tests. */
#include "small_tape.h"

#include <string.h>

#include "base/time.h"

enum { ROWS_MAX = 64, SNAPSHOT_LEVELS = 20, DELAY_NS = 2000000 };

static const char *const venues[] = {"v1"};
static const char *const assets[] = {"BTC", "ETH", "USD"};
static const char *const symbols[] = {"BTC-USD", "ETH-USD"};

#define DEFINITION(number, base_asset)                                                             \
    {                                                                                              \
        .instrument = (number), .venue = 0, .contract = CONTRACT_SPOT, .price_exponent = -2,       \
        .quantity_exponent = -4, .tick = 1, .lot = 1, .multiplier = 1, .multiplier_exponent = 0,   \
        .maker_fee = 100000, .taker_fee = 400000, .fee_asset = FEE_IN_QUOTE,                       \
        .base_commission_exponent = -8, .quote_commission_exponent = -8, .base = (base_asset),     \
        .quote = 2, .settle = 2, .grid_basis = BASIS_GIVEN                                         \
    }

static const struct event_definition definitions[] = {DEFINITION(0, 0), DEFINITION(1, 1)};

const struct event_names *small_tape_names(void)
{
    static const struct event_names names = {
        .venue_count = 1,
        .asset_count = 3,
        .instrument_count = SMALL_TAPE_INSTRUMENTS,
        .venues = venues,
        .assets = assets,
        .symbols = symbols,
        .definitions = definitions,
    };
    return &names;
}

/* A market in the making. */
struct maker {
    struct tape_writer *writer;
    uint64_t random;
    int64_t ts, mid[SMALL_TAPE_INSTRUMENTS];
    uint64_t sequence;
    struct row rows[ROWS_MAX];
};

static unsigned draw(struct maker *maker, unsigned below)
{
    maker->random = maker->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)((maker->random >> 33) % below);
}

static struct row level(int64_t price, int64_t quantity, unsigned flags)
{
    return (struct row){.price = price, .quantity = quantity, .flags = (uint8_t)flags};
}

static int put(struct maker *maker, unsigned kind, unsigned instrument, unsigned channel,
               unsigned row_count, struct error *error)
{
    maker->rows[row_count - 1].flags |= ROW_LAST;
    const struct message message = {.ts_local = maker->ts,
                                    .ts_venue = (maker->ts - DELAY_NS - draw(maker, 1000) * 1000) /
                                                NS_PER_MS * NS_PER_MS,
                                    .sequence = ++maker->sequence,
                                    .stream = EVENT_STREAM(instrument, channel),
                                    .kind = (uint8_t)kind,
                                    .flags = MESSAGE_VENUE_TIME,
                                    .row_count = row_count,
                                    .rows = maker->rows};
    return tape_writer_append(maker->writer, &message, error);
}

static int put_snapshot(struct maker *maker, unsigned instrument, struct error *error)
{
    for (unsigned i = 0; i < SNAPSHOT_LEVELS; i++) {
        int64_t mid = maker->mid[instrument];
        maker->rows[2 * i] = level(mid - 1 - i, 1000 + i, ROW_FROM_SNAPSHOT);
        maker->rows[2 * i + 1] = level(mid + 1 + i, 1000 + i, ROW_FROM_SNAPSHOT | ROW_SELL);
    }
    return put(maker, EVENT_snapshot, instrument, CHANNEL_DEPTH, 2 * SNAPSHOT_LEVELS, error);
}

static int put_depth(struct maker *maker, unsigned instrument, struct error *error)
{
    unsigned count = 1 + draw(maker, SNAPSHOT_LEVELS);
    for (unsigned i = 0; i < count; i++) {
        bool sell = draw(maker, 2);
        int64_t distance = 1 + draw(maker, SNAPSHOT_LEVELS);
        maker->rows[i] = level(maker->mid[instrument] + (sell ? distance : -distance),
                               500 + draw(maker, 2000), sell ? ROW_SELL : 0);
    }
    return put(maker, EVENT_depth, instrument, CHANNEL_DEPTH, count, error);
}

static int put_top(struct maker *maker, unsigned instrument, struct error *error)
{
    int64_t mid = maker->mid[instrument];
    maker->rows[0] = level(mid - 1, 500 + draw(maker, 2000), 0);
    maker->rows[1] = level(mid + 1, 500 + draw(maker, 2000), ROW_SELL);
    return put(maker, EVENT_top, instrument, CHANNEL_TOP, 2, error);
}

static int put_trade(struct maker *maker, unsigned instrument, struct error *error)
{
    bool sell = draw(maker, 2);
    maker->rows[0] =
        level(maker->mid[instrument] + (sell ? -1 : 1), 1 + draw(maker, 3000), sell ? ROW_SELL : 0);
    return put(maker, EVENT_trade, instrument, CHANNEL_TRADE, 1, error);
}

/* The price moves by a tick: the old best level goes, and a new one comes on the other side. */
static int put_move(struct maker *maker, unsigned instrument, struct error *error)
{
    int64_t mid = maker->mid[instrument];
    int step = draw(maker, 2) ? 1 : -1;
    maker->mid[instrument] = mid + step;
    maker->rows[0] = level(mid + step, 0, step > 0 ? ROW_SELL : 0);
    maker->rows[1] = level(mid, 800, step > 0 ? 0 : ROW_SELL);
    maker->rows[2] = level(mid + step * (SNAPSHOT_LEVELS + 1), 900, step > 0 ? ROW_SELL : 0);
    return put(maker, EVENT_depth, instrument, CHANNEL_DEPTH, 3, error);
}

static int put_session(struct maker *maker, struct error *error)
{
    const union event_record tick = {.tick = {.deadline = maker->ts}};
    const union event_record gate = {.gate = {.instrument = EVENT_NONE_16, .blocked = 1}};
    const struct message messages[] = {
        {.ts_local = maker->ts, .stream = EVENT_NONE_16, .kind = EVENT_tick, .record = &tick},
        {.ts_local = maker->ts, .stream = EVENT_NONE_16, .kind = EVENT_gate, .record = &gate},
    };
    int code = tape_writer_append(maker->writer, &messages[0], error);
    return code ? code : tape_writer_append(maker->writer, &messages[1], error);
}

static int put_snapshots(struct maker *maker, struct error *error)
{
    for (unsigned i = 0; i < SMALL_TAPE_INSTRUMENTS; i++) {
        int code = put_snapshot(maker, i, error);
        if (code)
            return code;
    }
    return 0;
}

static int put_status(struct maker *maker, struct error *error)
{
    const union event_record halted = {
        .instrument_status = {.instrument = 1, .trading = TRADING_HALTED}};
    const struct message message = {.ts_local = maker->ts,
                                    .stream = EVENT_STREAM(1, CHANNEL_REFERENCE),
                                    .kind = EVENT_instrument_status,
                                    .record = &halted};
    return tape_writer_append(maker->writer, &message, error);
}

static int put_any(struct maker *maker, struct error *error)
{
    unsigned instrument = draw(maker, SMALL_TAPE_INSTRUMENTS);
    switch (draw(maker, 8)) {
    case 0:
        return put_move(maker, instrument, error);
    case 1:
        return put_trade(maker, instrument, error);
    case 2:
    case 3:
        return put_top(maker, instrument, error);
    default:
        return put_depth(maker, instrument, error);
    }
}

static int put_all(struct maker *maker, const struct small_tape_options *options,
                   struct error *error)
{
    int code = options->snapshot_every ? put_status(maker, error) : 0;
    if (!code)
        code = put_snapshots(maker, error);
    if (code)
        return code;
    for (unsigned i = SMALL_TAPE_INSTRUMENTS; i < options->messages; i++) {
        maker->ts += draw(maker, 4) ? draw(maker, 2000000) : 0;
        code = put_any(maker, error);
        if (!code && options->snapshot_every && i % options->snapshot_every == 0)
            code = put_snapshots(maker, error);
        if (!code && options->session_every && i % options->session_every == 0)
            code = put_session(maker, error);
        if (code)
            return code;
    }
    return 0;
}

int small_tape_write(const struct small_tape_options *options, struct error *error)
{
    struct maker maker = {.random = 42, .ts = SMALL_TAPE_START, .mid = {6000000, 250000}};
    const struct tape_header header = {.version = TAPE_VERSION,
                                       .origin = TAPE_MADE,
                                       .tool_version = "test",
                                       .build_id = "test",
                                       .grade_reasons = "",
                                       .config = options->config ? options->config : "",
                                       .feed_floor_ns = NS_PER_MS,
                                       .names = *small_tape_names()};
    const struct tape_writer_options writer_options = {.block_events = options->block_events};
    int code = tape_writer_open(&maker.writer, options->path, &header, &writer_options, error);
    if (code)
        return code;
    code = put_all(&maker, options, error);
    if (code)
        tape_writer_abandon(&maker.writer);
    else
        code = tape_writer_finish(&maker.writer, error);
    return code;
}
