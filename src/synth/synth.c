/* See synth/synth.h. Markets make messages in venue time; each message goes through its connection,
 * which delays it but keeps the order, and what arrives first leaves first. */
#include "synth/synth.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/random.h"
#include "base/time.h"
#include "synth/catalogue.h"
#include "synth/market.h"

enum {
    QUEUE_DEPTH_MAX = 8,     /* messages on their way on a depth connection */
    QUEUE_FAST_MAX = 1024,   /* likewise trades, best prices */
    QUEUE_REFERENCE_MAX = 64 /* likewise definitions, marks */
};

#define DELAY_MAX_NS            (20 * NS_PER_MS)
#define DELAY_RATE              UINT64_C(3333333333) /* 1e15 / 300 us: mean of what comes on top of the floor */
#define MARK_INTERVAL_NS        NS_PER_SECOND
#define DEPTH_INTERVAL_LEAST_NS (10 * NS_PER_MS)
#define DEPTH_INTERVAL_MOST_NS  (10 * NS_PER_SECOND)
#define START_DEFAULT_NS        INT64_C(1704067200000000000) /* 2024-01-01T00:00:00Z */

const struct synth_options synth_defaults = {
    .seed = 1,
    .instruments = 3,
    .start_ns = START_DEFAULT_NS,
    .rate = 50,
    .depth_interval_ns = 100 * NS_PER_MS,
    .snapshot_interval_ns = 0,
};

/* A message on its way. */
struct pending {
    int64_t ts_local, ts_venue;
    uint64_t sequence;
    uint32_t row_count;
    uint8_t kind, flags;
};

/* One connection, first in first out: a ring of messages and of what they carry. */
struct queue {
    struct pending *pending;
    struct row *rows;            /* row_max for each message; or */
    union event_record *records; /* one for each message */
    unsigned capacity, row_max, first, count;
    int64_t last_ts; /* arrival of the last one sent */
};

struct instrument {
    struct market market;
    struct random delay;
    struct queue queues[CHANNELS_PER_INSTRUMENT]; /* capacity 0: channel not used */
    int64_t next_frame_ns, next_mark_ns;
    bool has_mark, has_trades, top_is_estimated;
};

struct synth {
    struct synth_options options;
    struct catalogue catalogue;
    struct instrument *instruments;
    struct message message; /* what synth_next gave last */
};

/* --- memory ------------------------------------------------------------------------------------ */

static bool queue_init(struct queue *queue, unsigned capacity, unsigned row_max)
{
    queue->capacity = capacity;
    queue->row_max = row_max;
    queue->last_ts = INT64_MIN;
    queue->pending = calloc(capacity, sizeof *queue->pending);
    if (row_max > 0)
        queue->rows = calloc((size_t)capacity * row_max, sizeof *queue->rows);
    else
        queue->records = calloc(capacity, sizeof *queue->records);
    return queue->pending && (queue->rows || queue->records);
}

static void queue_free(struct queue *queue)
{
    free(queue->pending);
    free(queue->rows);
    free(queue->records);
}

static bool instrument_init(struct synth *synth, unsigned index)
{
    struct instrument *instrument = &synth->instruments[index];
    const struct synth_options *options = &synth->options;
    uint64_t stream = synth->catalogue.stream[index];
    uint8_t contract = synth->catalogue.definitions[index].contract;
    instrument->has_mark = synth->catalogue.has_mark[index];
    instrument->has_trades = synth->catalogue.has_trades[index];
    instrument->top_is_estimated = contract == CONTRACT_SPOT;
    instrument->next_frame_ns = options->start_ns;
    instrument->next_mark_ns = instrument->has_mark ? options->start_ns : TIME_NEVER;
    market_init(&instrument->market, options->seed, 2 * stream, synth->catalogue.price_ticks[index],
                (uint64_t)options->rate * 1000000, options->start_ns);
    random_init(&instrument->delay, options->seed, 2 * stream + 1);
    struct queue *queues = instrument->queues;
    return queue_init(&queues[CHANNEL_DEPTH], QUEUE_DEPTH_MAX, MARKET_CHANGES_MAX) &&
           queue_init(&queues[CHANNEL_TRADE], QUEUE_FAST_MAX, 1) &&
           queue_init(&queues[CHANNEL_TOP], QUEUE_FAST_MAX, 2) &&
           queue_init(&queues[CHANNEL_REFERENCE], QUEUE_REFERENCE_MAX, 0);
}

static int check_options(const struct synth_options *options, struct error *error)
{
    if (options->instruments < 1 || options->instruments > SYNTH_INSTRUMENTS_MAX)
        return error_set(error, ERROR_INPUT, "instruments: expected 1 to %d, found %u",
                         SYNTH_INSTRUMENTS_MAX, options->instruments);
    if (options->live && options->instruments != SYNTH_LIVE_INSTRUMENTS)
        return error_set(error, ERROR_INPUT,
                         "instruments: the venues of live mode have %d, found %u",
                         SYNTH_LIVE_INSTRUMENTS, options->instruments);
    if (options->rate < 1 || options->rate > SYNTH_RATE_MAX)
        return error_set(error, ERROR_INPUT, "rate: expected 1 to %d events a second, found %lld",
                         SYNTH_RATE_MAX, (long long)options->rate);
    if (options->start_ns < 0 || options->start_ns % NS_PER_MS != 0)
        return error_set(error, ERROR_INPUT,
                         "start: expected a whole millisecond after 1970, found %lld ns",
                         (long long)options->start_ns);
    int64_t interval = options->depth_interval_ns;
    if (interval < DEPTH_INTERVAL_LEAST_NS || interval > DEPTH_INTERVAL_MOST_NS ||
        interval % NS_PER_MS != 0)
        return error_set(
            error, ERROR_INPUT,
            "depth interval: expected whole milliseconds from 10ms to 10s, found %lld ns",
            (long long)interval);
    if (options->snapshot_interval_ns < 0 || options->snapshot_interval_ns % interval != 0)
        return error_set(error, ERROR_INPUT,
                         "snapshot interval: expected a multiple of the depth interval (%lld ns), "
                         "found %lld ns",
                         (long long)interval, (long long)options->snapshot_interval_ns);
    return ERROR_NONE;
}

/* --- what is sent ------------------------------------------------------------------------------ */

/* Put a message on its connection at `sent_ns`; returns where its rows or record go. */
static struct pending *send(struct instrument *instrument, enum channel channel, int64_t sent_ns,
                            enum event_kind kind, unsigned *index)
{
    struct queue *queue = &instrument->queues[channel];
    /* The rate and the longest delay bound what can be on its way; see docs/synth.md. */
    ASSERT(queue->count < queue->capacity);
    *index = (queue->first + queue->count++) % queue->capacity;
    int64_t delay = SYNTH_FEED_FLOOR_NS + random_wait_ns(&instrument->delay, DELAY_RATE);
    int64_t arrival = sent_ns + (delay < DELAY_MAX_NS ? delay : DELAY_MAX_NS);
    queue->last_ts = arrival > queue->last_ts ? arrival : queue->last_ts;
    struct pending *pending = &queue->pending[*index];
    *pending = (struct pending){
        .ts_local = queue->last_ts,
        .kind = (uint8_t)kind,
        .row_count = queue->row_max > 0 ? 1 : 0,
    };
    return pending;
}

/* A venue stamps whole milliseconds. */
static void stamp(struct pending *pending, int64_t venue_ns)
{
    pending->ts_venue = venue_ns - venue_ns % NS_PER_MS;
    pending->flags = MESSAGE_VENUE_TIME;
}

/* What has no stamp of its own is taken to have been as fast as can be (trading-semantics 1). */
static void estimate(struct pending *pending)
{
    pending->ts_venue = pending->ts_local - SYNTH_FEED_FLOOR_NS;
    pending->flags = MESSAGE_VENUE_ESTIMATED;
}

/* From the model's steps and lots to the units of the instrument. */
static void scale_rows(struct row *rows, size_t count, const struct synth *synth, unsigned index)
{
    for (size_t i = 0; i < count; i++) {
        rows[i].price *= synth->catalogue.price_step[index];
        rows[i].quantity *= synth->catalogue.quantity_step[index];
    }
}

/* The frame due now: everything that changed before it, or the whole book. Stamped with the last
 * millisecond it covers, so that in venue time it stands after the trades that made it. */
static void send_frame(struct synth *synth, unsigned index)
{
    struct instrument *instrument = &synth->instruments[index];
    const struct synth_options *options = &synth->options;
    int64_t now = instrument->next_frame_ns;
    int64_t since = now - options->start_ns;
    bool whole =
        options->snapshot_interval_ns > 0 ? since % options->snapshot_interval_ns == 0 : since == 0;
    struct queue *queue = &instrument->queues[CHANNEL_DEPTH];
    unsigned next = (queue->first + queue->count) % queue->capacity;
    struct row *rows = &queue->rows[(size_t)next * queue->row_max];
    instrument->next_frame_ns += options->depth_interval_ns;
    ASSERT(queue->count < queue->capacity);
    size_t count = market_show(&instrument->market, whole, rows);
    if (count == 0)
        return;
    scale_rows(rows, count, synth, index);
    rows[count - 1].flags |= ROW_LAST;
    unsigned at;
    struct pending *pending =
        send(instrument, CHANNEL_DEPTH, now, whole ? EVENT_snapshot : EVENT_depth, &at);
    ASSERT(at == next);
    pending->row_count = (uint32_t)count;
    pending->sequence = instrument->market.update_id;
    if (whole && instrument->top_is_estimated)
        estimate(pending);
    else
        stamp(pending, now - NS_PER_MS);
}

static void send_mark(struct synth *synth, unsigned index)
{
    struct instrument *instrument = &synth->instruments[index];
    int64_t now = instrument->next_mark_ns;
    const struct market_side *sides = instrument->market.sides;
    int64_t twice_mid =
        (sides[SIDE_BUY].best + sides[SIDE_SELL].best) * synth->catalogue.price_step[index];
    unsigned at;
    struct pending *pending = send(instrument, CHANNEL_REFERENCE, now, EVENT_mark, &at);
    instrument->queues[CHANNEL_REFERENCE].records[at].mark = (struct event_mark){
        .instrument = (uint16_t)index,
        .price = {.units = twice_mid / 2, .status = NUMBER_VALUE},
    };
    stamp(pending, now);
    instrument->next_mark_ns += MARK_INTERVAL_NS;
}

static void send_trades(struct synth *synth, unsigned index, int64_t now)
{
    struct instrument *instrument = &synth->instruments[index];
    struct market *market = &instrument->market;
    for (size_t i = 0; i < market->trade_count; i++) {
        unsigned at;
        struct pending *pending = send(instrument, CHANNEL_TRADE, now, EVENT_trade, &at);
        struct row *row = &instrument->queues[CHANNEL_TRADE].rows[at];
        *row = (struct row){
            .price = market->trades[i].price,
            .quantity = market->trades[i].quantity,
            .flags = (uint8_t)(ROW_LAST | (market->aggressor == SIDE_SELL ? ROW_SELL : 0)),
        };
        scale_rows(row, 1, synth, index);
        pending->sequence = market->trade_id - market->trade_count + 1 + i;
        stamp(pending, now);
    }
}

static void send_top(struct synth *synth, unsigned index, int64_t now)
{
    struct instrument *instrument = &synth->instruments[index];
    const struct market *market = &instrument->market;
    unsigned at;
    struct pending *pending = send(instrument, CHANNEL_TOP, now, EVENT_top, &at);
    struct row *rows = &instrument->queues[CHANNEL_TOP].rows[(size_t)at * 2];
    for (enum side side = SIDE_BUY; side <= SIDE_SELL; side++) {
        int64_t best = market->sides[side].best;
        rows[side] = (struct row){.price = best, .quantity = market_quantity(market, side, best)};
    }
    rows[SIDE_SELL].flags = ROW_SELL | ROW_LAST;
    scale_rows(rows, 2, synth, index);
    pending->row_count = 2;
    pending->sequence = market->update_id;
    if (instrument->top_is_estimated)
        estimate(pending);
    else
        stamp(pending, now);
}

/* One order event; trades go out before the best prices they changed, as venues send them. */
static void send_event(struct synth *synth, unsigned index)
{
    struct market *market = &synth->instruments[index].market;
    int64_t now = market->next_ns;
    int64_t price[2], quantity[2];
    for (enum side side = SIDE_BUY; side <= SIDE_SELL; side++) {
        price[side] = market->sides[side].best;
        quantity[side] = market_quantity(market, side, price[side]);
    }
    market_step(market);
    if (!synth->instruments[index].has_trades)
        return; /* the book is all that its venue tells */
    send_trades(synth, index, now);
    for (enum side side = SIDE_BUY; side <= SIDE_SELL; side++) {
        int64_t best = market->sides[side].best;
        if (best != price[side] || market_quantity(market, side, best) != quantity[side]) {
            send_top(synth, index, now);
            return;
        }
    }
}

static void send_definitions(struct synth *synth)
{
    for (unsigned i = 0; i < synth->options.instruments; i++) {
        struct queue *queue = &synth->instruments[i].queues[CHANNEL_REFERENCE];
        queue->records[0].definition = synth->catalogue.definitions[i];
        queue->pending[0] =
            (struct pending){.ts_local = synth->options.start_ns, .kind = EVENT_definition};
        queue->count = 1;
    }
}

/* --- what arrives ------------------------------------------------------------------------------ */

/* When something next happens in an instrument's market or to its frames. */
static int64_t next_ns(const struct instrument *instrument)
{
    int64_t next = instrument->market.next_ns;
    next = instrument->next_frame_ns < next ? instrument->next_frame_ns : next;
    return instrument->next_mark_ns < next ? instrument->next_mark_ns : next;
}

/* The instrument whose market is next; the lower number where two are at once. */
static unsigned next_instrument(const struct synth *synth)
{
    unsigned first = 0;
    for (unsigned i = 1; i < synth->options.instruments; i++) {
        if (next_ns(&synth->instruments[i]) < next_ns(&synth->instruments[first]))
            first = i;
    }
    return first;
}

/* A frame covers what was before it, so it goes before an event of the same moment. */
static void advance(struct synth *synth, unsigned index)
{
    struct instrument *instrument = &synth->instruments[index];
    int64_t now = next_ns(instrument);
    if (instrument->next_frame_ns == now)
        send_frame(synth, index);
    else if (instrument->next_mark_ns == now)
        send_mark(synth, index);
    else
        send_event(synth, index);
}

/* The connection whose first message arrives before `limit` and before all others; at one moment the
 * lower stream number. Returns the stream, or -1. */
static int first_arrival(const struct synth *synth, int64_t limit)
{
    int first = -1;
    for (unsigned i = 0; i < synth->options.instruments; i++) {
        for (unsigned channel = 0; channel < CHANNELS_PER_INSTRUMENT; channel++) {
            const struct queue *queue = &synth->instruments[i].queues[channel];
            if (queue->count == 0 || queue->pending[queue->first].ts_local >= limit)
                continue;
            limit = queue->pending[queue->first].ts_local;
            first = EVENT_STREAM(i, channel);
        }
    }
    return first;
}

static const struct message *receive(struct synth *synth, uint16_t stream)
{
    struct instrument *instrument = &synth->instruments[EVENT_STREAM_INSTRUMENT(stream)];
    struct queue *queue = &instrument->queues[stream % CHANNELS_PER_INSTRUMENT];
    const struct pending *pending = &queue->pending[queue->first];
    synth->message = (struct message){
        .ts_local = pending->ts_local,
        .ts_venue = pending->ts_venue,
        .sequence = pending->sequence,
        .stream = stream,
        .kind = pending->kind,
        .flags = pending->flags,
        .row_count = pending->row_count,
        .rows = queue->rows ? &queue->rows[(size_t)queue->first * queue->row_max] : NULL,
        .record = queue->records ? &queue->records[queue->first] : NULL,
    };
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    return &synth->message;
}

const struct message *synth_next(struct synth *synth)
{
    for (;;) {
        unsigned index = next_instrument(synth);
        /* Nothing that is still to be sent can arrive before this. */
        int64_t horizon = next_ns(&synth->instruments[index]) + SYNTH_FEED_FLOOR_NS;
        int stream = first_arrival(synth, horizon);
        if (stream >= 0)
            return receive(synth, (uint16_t)stream);
        advance(synth, index);
    }
}

int synth_create(struct synth **synth, const struct synth_options *options, struct error *error)
{
    int status = check_options(options, error);
    if (status != ERROR_NONE)
        return status;
    struct synth *made = calloc(1, sizeof *made);
    if (!made)
        goto no_memory;
    made->options = *options;
    if (options->live)
        catalogue_init_live(&made->catalogue);
    else
        catalogue_init(&made->catalogue, options->instruments);
    made->instruments = calloc(options->instruments, sizeof *made->instruments);
    if (!made->instruments)
        goto no_memory;
    for (unsigned i = 0; i < options->instruments; i++) {
        if (!instrument_init(made, i))
            goto no_memory;
    }
    send_definitions(made);
    *synth = made;
    return ERROR_NONE;

no_memory:
    synth_free(&made);
    return error_set(error, ERROR_SYSTEM, "no memory for %u instruments", options->instruments);
}

void synth_free(struct synth **synth)
{
    if (!*synth)
        return;
    for (unsigned i = 0; (*synth)->instruments && i < (*synth)->options.instruments; i++) {
        for (unsigned channel = 0; channel < CHANNELS_PER_INSTRUMENT; channel++)
            queue_free(&(*synth)->instruments[i].queues[channel]);
    }
    free((*synth)->instruments);
    free(*synth);
    *synth = NULL;
}

const struct event_names *synth_names(const struct synth *synth)
{
    return &synth->catalogue.names;
}

uint64_t synth_seed(const struct synth *synth)
{
    return synth->options.seed;
}
