/* The market generator: chance by its definition, books that never cross, trades at the best price,
 * messages in the order of a tape, the same for a seed everywhere. */
#include "synth/synth.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/random.h"
#include "engine/book.h"
#include "synth/market.h"

TestSuite(synth);

/* First outputs of xoshiro256** from the state 1, 2, 3, 4, worked out by hand from its definition:
 * rotl(2 * 5, 7) * 9 = 11520, then state 1 is 7 less its shifts: 0, 1509978240 … */
Test(synth, xoshiro_by_its_definition)
{
    struct random random = {.state = {1, 2, 3, 4}};
    cr_assert_eq(random_next(&random), UINT64_C(11520));
    cr_assert_eq(random_next(&random), UINT64_C(0));
    cr_assert_eq(random_next(&random), UINT64_C(1509978240));
    cr_assert_eq(random_next(&random), UINT64_C(1215971899390074240));
}

Test(synth, minus_log2_of_powers_is_exact)
{
    for (unsigned power = 0; power < 64; power++)
        cr_assert_eq(random_minus_log2(UINT64_C(1) << power), (uint64_t)(64 - power) << 32);
}

/* log2(3) = 1.58496250072115618…; 3 / 2^64 has -log2 of 64 less that. */
Test(synth, minus_log2_of_three)
{
    uint64_t expected = (UINT64_C(64) << 32) - UINT64_C(6807362105); /* floor(log2 3 x 2^32) */
    cr_assert_eq(random_minus_log2(3), expected);
}

Test(synth, waits_have_their_mean)
{
    struct random random;
    random_init(&random, 1, 2);
    int64_t sum = 0;
    for (int i = 0; i < 1000000; i++) {
        int64_t wait = random_wait_ns(&random, 1000000); /* one a second */
        cr_assert_geq(wait, 0);
        sum += wait / 1000;
    }
    /* The mean of 1e6 exponential waits is within 0.1 % x 4 of its own. */
    cr_assert_gt(sum, INT64_C(996000000000));
    cr_assert_lt(sum, INT64_C(1004000000000));
}

Test(synth, below_is_uniform)
{
    struct random random;
    random_init(&random, 3, 4);
    int count[10] = {0};
    for (int i = 0; i < 100000; i++)
        count[random_below(&random, 10)]++;
    for (int i = 0; i < 10; i++) {
        cr_assert_gt(count[i], 9500);
        cr_assert_lt(count[i], 10500);
    }
}

static int64_t counted_total(const struct market *market, enum side side)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < MARKET_DEPTH_TICKS; i++) {
        int64_t best = market->sides[side].best;
        int64_t quantity = market_quantity(market, side, side == SIDE_BUY ? best - i : best + i);
        cr_assert_geq(quantity, 0);
        sum += quantity;
    }
    return sum;
}

Test(synth, a_market_keeps_its_invariants)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct market market;
        market_init(&market, seed, 0, 30000, 1000000, 0);
        int64_t before = market.next_ns;
        for (int i = 0; i < 20000; i++) {
            market_step(&market);
            cr_assert_geq(market.next_ns, before);
            before = market.next_ns;
            cr_assert_lt(market.sides[SIDE_BUY].best, market.sides[SIDE_SELL].best);
            cr_assert_geq(market.sides[SIDE_BUY].best, MARKET_FLOOR_TICKS);
            if (i % 100 == 0) {
                cr_assert_eq(counted_total(&market, SIDE_BUY), market.sides[SIDE_BUY].total);
                cr_assert_eq(counted_total(&market, SIDE_SELL), market.sides[SIDE_SELL].total);
                cr_assert_gt(market.sides[SIDE_BUY].total, 0);
                cr_assert_gt(market.sides[SIDE_SELL].total, 0);
            }
        }
    }
}

/* A market order eats the best prices in order, whole before the next. */
Test(synth, trades_walk_the_book)
{
    struct market market;
    market_init(&market, 5, 0, 30000, 1000000, 0);
    size_t walked = 0;
    for (int i = 0; i < 50000; i++) {
        struct market before = market;
        market_step(&market);
        int64_t step = market.aggressor == SIDE_BUY ? 1 : -1;
        enum side side = market.aggressor == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
        for (size_t t = 0; t < market.trade_count; t++) {
            int64_t price = market.trades[t].price;
            if (t == 0)
                cr_assert_eq(price, before.sides[side].best);
            else
                cr_assert_gt((price - market.trades[t - 1].price) * step, 0);
            cr_assert_leq(market.trades[t].quantity, market_quantity(&before, side, price));
            cr_assert_eq(market_quantity(&market, side, price),
                         market_quantity(&before, side, price) - market.trades[t].quantity);
            walked += t > 0;
        }
    }
    cr_assert_gt(walked, 0);
}

/* --- whole sessions ---------------------------------------------------------------------------- */

enum { INSTRUMENTS = 6, FAR_LEVELS = 1024 };

/* What a receiver knows, to compare messages with. */
struct receiver {
    struct synth *synth;
    struct book *books[INSTRUMENTS];
    uint64_t last_sequence[INSTRUMENTS][CHANNELS_PER_INSTRUMENT];
    int64_t last_venue[INSTRUMENTS][CHANNELS_PER_INSTRUMENT];
    int64_t last_ts;
    uint64_t kinds[256];
};

static void receiver_open(struct receiver *receiver, const struct synth_options *options)
{
    struct error error;
    *receiver = (struct receiver){0};
    cr_assert_eq(synth_create(&receiver->synth, options, &error), 0);
    size_t size = book_size(FAR_LEVELS);
    size = (size + 63) / 64 * 64;
    for (unsigned i = 0; i < INSTRUMENTS; i++)
        receiver->books[i] = book_init(aligned_alloc(64, size), size, FAR_LEVELS);
}

static void receiver_close(struct receiver *receiver)
{
    synth_free(&receiver->synth);
    for (unsigned i = 0; i < INSTRUMENTS; i++)
        free(receiver->books[i]);
}

static void check_grid(const struct message *message, const struct event_definition *definition)
{
    for (uint32_t i = 0; i < message->row_count; i++) {
        cr_assert_gt(message->rows[i].price, 0);
        cr_assert_eq(message->rows[i].price % definition->tick, 0);
        cr_assert_geq(message->rows[i].quantity, 0);
        cr_assert_eq(message->rows[i].quantity % definition->lot, 0);
        cr_assert_eq((message->rows[i].flags & ROW_LAST) != 0, i + 1 == message->row_count);
    }
}

/* Times and sequence numbers of one connection never go back. */
static void check_order(struct receiver *receiver, const struct message *message)
{
    unsigned i = EVENT_STREAM_INSTRUMENT(message->stream);
    unsigned channel = message->stream % CHANNELS_PER_INSTRUMENT;
    cr_assert_geq(message->ts_local, receiver->last_ts);
    receiver->last_ts = message->ts_local;
    cr_assert_geq(message->sequence, receiver->last_sequence[i][channel]);
    receiver->last_sequence[i][channel] = message->sequence;
    if (message->flags != 0) {
        cr_assert_geq(message->ts_venue, receiver->last_venue[i][channel]);
        receiver->last_venue[i][channel] = message->ts_venue;
        cr_assert_geq(message->ts_local - message->ts_venue, SYNTH_FEED_FLOOR_NS);
    }
}

static void take_message(struct receiver *receiver, const struct message *message)
{
    unsigned i = EVENT_STREAM_INSTRUMENT(message->stream);
    cr_assert_lt(i, INSTRUMENTS);
    check_order(receiver, message);
    check_grid(message, &synth_names(receiver->synth)->definitions[i]);
    receiver->kinds[message->kind]++;
    if (message->kind == EVENT_depth || message->kind == EVENT_snapshot) {
        cr_assert(book_apply(receiver->books[i], message));
        struct book_level bid, ask;
        cr_assert(book_best(receiver->books[i], SIDE_BUY, &bid));
        cr_assert(book_best(receiver->books[i], SIDE_SELL, &ask));
        cr_assert_lt(bid.price, ask.price);
    }
    if (message->kind == EVENT_top)
        cr_assert_lt(message->rows[0].price, message->rows[1].price);
    if (message->kind == EVENT_trade)
        cr_assert_gt(message->rows[0].quantity, 0);
}

Test(synth, a_session_never_crosses_and_keeps_order, .timeout = 120)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct synth_options options = synth_defaults;
        options.seed = seed;
        options.instruments = INSTRUMENTS;
        options.rate = seed == 4 ? SYNTH_RATE_MAX : 50;
        options.snapshot_interval_ns = seed == 2 ? 1000000000 : 0;
        struct receiver receiver;
        receiver_open(&receiver, &options);
        for (int i = 0; i < 100000; i++)
            take_message(&receiver, synth_next(receiver.synth));
        cr_assert_eq(receiver.kinds[EVENT_definition], INSTRUMENTS);
        cr_assert_gt(receiver.kinds[EVENT_depth], 0);
        cr_assert_gt(receiver.kinds[EVENT_trade], 0);
        cr_assert_gt(receiver.kinds[EVENT_top], 0);
        if (seed == 2)
            cr_assert_gt(receiver.kinds[EVENT_snapshot], INSTRUMENTS);
        else
            cr_assert_eq(receiver.kinds[EVENT_snapshot], INSTRUMENTS);
        receiver_close(&receiver);
    }
}

/* The next snapshot of a session of one instrument. */
static const struct message *next_snapshot(struct synth *synth)
{
    for (;;) {
        const struct message *message = synth_next(synth);
        if (message->kind == EVENT_snapshot)
            return message;
    }
}

/* Apply a session's depth up to update `sequence`; `held` is the first message beyond it. */
static void apply_up_to(struct book *book, struct synth *synth, uint64_t sequence,
                        const struct message **held)
{
    for (;;) {
        const struct message *message = *held ? *held : synth_next(synth);
        *held = NULL;
        if (message->kind != EVENT_depth && message->kind != EVENT_snapshot)
            continue;
        *held = message;
        if (message->sequence > sequence)
            return;
        cr_assert(book_apply(book, message));
        *held = NULL;
    }
}

/* The depth messages alone give the book that a snapshot of the same moment shows. */
Test(synth, depth_adds_up_to_the_snapshot)
{
    struct synth_options options = synth_defaults;
    options.instruments = 1;
    options.rate = 500;
    struct synth *plain, *shown;
    struct error error;
    cr_assert_eq(synth_create(&plain, &options, &error), 0);
    options.snapshot_interval_ns = 5000000000;
    cr_assert_eq(synth_create(&shown, &options, &error), 0);
    size_t size = (book_size(FAR_LEVELS) + 63) / 64 * 64;
    struct book *book = book_init(aligned_alloc(64, size), size, FAR_LEVELS);
    const struct message *held = NULL;
    for (int i = 0; i < 100; i++) {
        const struct message *snapshot = next_snapshot(shown);
        apply_up_to(book, plain, snapshot->sequence, &held);
        cr_assert_eq(book_level_count(book, SIDE_BUY) + book_level_count(book, SIDE_SELL),
                     snapshot->row_count);
        for (uint32_t r = 0; r < snapshot->row_count; r++) {
            const struct row *row = &snapshot->rows[r];
            enum side side = row->flags & ROW_SELL ? SIDE_SELL : SIDE_BUY;
            cr_assert_eq(book_quantity(book, side, row->price), row->quantity);
        }
    }
    free(book);
    synth_free(&plain);
    synth_free(&shown);
}

Test(synth, same_seed_same_bytes_other_seed_others)
{
    uint64_t hash[3] = {0};
    for (int run = 0; run < 3; run++) {
        struct synth_options options = synth_defaults;
        options.seed = run == 2 ? 8 : 7;
        struct synth *synth;
        struct error error;
        cr_assert_eq(synth_create(&synth, &options, &error), 0);
        for (int i = 0; i < 20000; i++) {
            const struct message *message = synth_next(synth);
            static uint8_t bytes[64 * 1024];
            size_t length = message_encode(message, bytes, sizeof bytes);
            for (size_t b = 0; b < length; b++)
                hash[run] = (hash[run] ^ bytes[b]) * UINT64_C(0x100000001b3);
        }
        synth_free(&synth);
    }
    cr_assert_eq(hash[0], hash[1]);
    cr_assert_neq(hash[0], hash[2]);
    /* The same on every machine and for ever; a change of the model changes it, and docs/synth.md. */
    cr_assert_eq(hash[0], UINT64_C(0xf9fd3f1351bb4dca), "found 0x%llx",
                 (unsigned long long)hash[0]);
}

/* A market is the same whichever others stand beside it. */
Test(synth, a_market_does_not_depend_on_its_neighbours)
{
    struct synth_options few = synth_defaults, many = synth_defaults;
    few.instruments = 1;
    many.instruments = 9;
    struct synth *one, *nine;
    struct error error;
    cr_assert_eq(synth_create(&one, &few, &error), 0);
    cr_assert_eq(synth_create(&nine, &many, &error), 0);
    int spot = event_instrument_by_name(synth_names(nine), "synth_spot:AAAUSD", 17);
    cr_assert_geq(spot, 0);
    for (int i = 0; i < 5000; i++) {
        const struct message *a = synth_next(one), *b;
        do {
            b = synth_next(nine);
        } while (EVENT_STREAM_INSTRUMENT(b->stream) != spot);
        cr_assert_eq(a->kind, b->kind);
        cr_assert_eq(a->ts_local, b->ts_local);
        cr_assert_eq(a->ts_venue, b->ts_venue);
        cr_assert_eq(a->row_count, b->row_count);
        for (uint32_t r = 0; r < a->row_count; r++) {
            cr_assert_eq(a->rows[r].price, b->rows[r].price);
            cr_assert_eq(a->rows[r].quantity, b->rows[r].quantity);
        }
    }
    synth_free(&one);
    synth_free(&nine);
}

static void check_refused(const struct synth_options *options, const char *text)
{
    struct synth *synth = NULL;
    struct error error;
    cr_assert_eq(synth_create(&synth, options, &error), ERROR_INPUT);
    cr_assert_not_null(strstr(error.text, text), "%s", error.text);
    cr_assert_null(synth);
}

Test(synth, options_out_of_range_are_refused_by_name)
{
    struct synth_options options = synth_defaults;
    options.instruments = 0;
    check_refused(&options, "instruments: expected 1 to 60, found 0");
    options = synth_defaults;
    options.rate = 5001;
    check_refused(&options, "rate: expected 1 to 5000");
    options = synth_defaults;
    options.start_ns = 1;
    check_refused(&options, "start: expected a whole millisecond");
    options = synth_defaults;
    options.depth_interval_ns = 1000000;
    check_refused(&options, "depth interval: expected");
    options = synth_defaults;
    options.snapshot_interval_ns = 150000000;
    check_refused(&options, "snapshot interval: expected a multiple");
}

Test(synth, names_stand_in_the_order_of_a_tape)
{
    struct synth_options options = synth_defaults;
    options.instruments = SYNTH_INSTRUMENTS_MAX;
    struct synth *synth;
    struct error error;
    cr_assert_eq(synth_create(&synth, &options, &error), 0);
    const struct event_names *names = synth_names(synth);
    cr_assert_eq(names->instrument_count, SYNTH_INSTRUMENTS_MAX);
    for (unsigned i = 1; i < names->asset_count; i++)
        cr_assert_lt(strcmp(names->assets[i - 1], names->assets[i]), 0);
    for (unsigned i = 1; i < names->instrument_count; i++) {
        const struct event_definition *a = &names->definitions[i - 1], *b = a + 1;
        cr_assert(a->venue < b->venue ||
                  (a->venue == b->venue && strcmp(names->symbols[i - 1], names->symbols[i]) < 0));
        cr_assert_eq(b->instrument, i);
    }
    synth_free(&synth);
}
