/* The warmth as bytes: an engine that was given the books, the carry and the warmth is in every field the one that wrote
 * them, and goes on alike; bytes that are no such warmth are refused with a field's name. And a start of the epoch that
 * runs, which changes nothing of an engine that is warm. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "engine/walker.h"
#include "engine_harness.h"

enum { BYTES = 1 << 18, TEXT = 1 << 21, LEVELS = 256, EPOCH = 3 };

static struct harness h;
static uint8_t bytes[BYTES];
static size_t carry_length, length; /* of the carry, and of both */
static char ours[TEXT];

static struct engine *fresh_engine(void)
{
    struct engine_config config = {.global = &h.global,
                                   .venue_count = 2,
                                   .asset_count = HARNESS_ASSETS,
                                   .instrument_count = h.instrument_count,
                                   .venues = h.venues,
                                   .instruments = h.settings,
                                   .definitions = h.definitions,
                                   .account = h.account,
                                   .audit_each_message = true};
    size_t size = engine_size(&config);
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    cr_assert_neq(memory, NULL);
    memset(memory, 0x5a, size);
    return engine_init(memory, size, &config);
}

struct told {
    struct row rows[LEVELS];
    uint32_t count;
    uint8_t flags;
};

static void tell_level(void *context, int64_t price, int64_t quantity)
{
    struct told *told = context;
    cr_assert_lt(told->count, LEVELS);
    told->rows[told->count++] =
        (struct row){.price = price, .quantity = quantity, .flags = told->flags};
}

/* As they stand on a tape before the start: each book as a message; of a definition the newest. */
static void tell_market(struct engine *engine)
{
    for (unsigned i = 0; i < h.instrument_count; i++) {
        struct told told = {.count = 0};
        const struct book *book = engine_book(h.engine, i);
        const union event_record record = {.definition = *engine_definition(h.engine, i)};
        engine_step(engine, &(struct message){.stream = EVENT_STREAM(i, CHANNEL_REFERENCE),
                                              .kind = EVENT_definition,
                                              .record = &record});
        book_each(book, SIDE_BUY, tell_level, &told);
        told.flags = ROW_SELL;
        book_each(book, SIDE_SELL, tell_level, &told);
        if (told.count == 0)
            continue;
        engine_step(engine, &(struct message){.stream = EVENT_STREAM(i, CHANNEL_DEPTH),
                                              .kind = book_is_synchronised(book) ? EVENT_snapshot
                                                                                 : EVENT_depth,
                                              .row_count = told.count,
                                              .rows = told.rows});
    }
}

static void write_all(void)
{
    carry_length = engine_write_carry(h.engine, true, bytes, sizeof bytes);
    length = carry_length +
             engine_write_warmth(h.engine, bytes + carry_length, sizeof bytes - carry_length);
    cr_assert_leq(length, sizeof bytes);
}

/* An engine that has all but the warmth. */
static struct engine *carried_engine(void)
{
    uint64_t index;
    size_t used;
    struct engine *engine = fresh_engine();
    tell_market(engine);
    const char *fault = engine_read_carry(engine, bytes, length, &used, &index);
    cr_assert_eq(fault, NULL, "field %s of %lu", fault, (unsigned long)index);
    cr_assert_eq(used, carry_length);
    return engine;
}

static void expect_equal(const struct engine *a, const struct engine *b)
{
    struct walker_text text;
    struct walker_difference difference;
    walker_text_init(&text, ours, sizeof ours);
    engine_walk(a, &text.walker);
    cr_assert_leq(text.length, sizeof ours);
    walker_difference_init(&difference, ours, text.length);
    engine_walk(b, &difference.walker);
    cr_expect_not(walker_difference_found(&difference), "read '%s', written '%s'", difference.ours,
                  difference.theirs);
}

/* Written, read, compared, written again, byte for byte. */
static struct engine *expect_read(void)
{
    static uint8_t again[BYTES];
    uint64_t index;
    write_all();
    struct engine *read = carried_engine();
    const char *fault =
        engine_read_warmth(read, bytes + carry_length, length - carry_length, &index);
    expect_equal(h.engine, read);
    cr_assert_eq(fault, NULL, "field %s of %lu", fault, (unsigned long)index);
    cr_expect_eq(engine_write_carry(read, true, again, sizeof again), carry_length);
    cr_expect_eq(engine_write_warmth(read, again + carry_length, sizeof again - carry_length),
                 length - carry_length);
    cr_expect_arr_eq(bytes, again, length);
    return read;
}

/* --- an engine that lived ------------------------------------------------------------------------------------- */

static void enable_signals(struct settings_instrument *settings)
{
    settings->warm_up_samples = 2;
    settings->warm_up_book_messages = 3;
    settings->warm_up_time_limit = SECONDS(100);
    settings->volatility_half_life = SECONDS(10);
    settings->volatility_restart_after = SECONDS(60);
    settings->breaker_volatility = INT64_C(50000000000);
    settings->breaker_volatility_clear = INT64_C(40000000000);
    settings->breaker_volatility_window = SECONDS(300);
    settings->breaker_volatility_samples = 2;
    settings->breaker_move = 500000000;
    settings->breaker_move_window = SECONDS(32);
    settings->breaker_spread = INT64_C(50000000000);
    settings->breaker_spread_clear = INT64_C(40000000000);
    settings->breaker_spread_least = 100000000;
    settings->breaker_spread_window = SECONDS(300);
    settings->breaker_spread_samples = 2;
    settings->breaker_rejects = 8;
    settings->breaker_rejects_of = 10;
    settings->breaker_rejects_window = SECONDS(60);
    settings->breaker_edge = INT64_C(9000000000);
    settings->breaker_edge_fills = 3;
    settings->breaker_edge_horizon = SECONDS(5);
    settings->breaker_open_interest = 900000000;
    settings->breaker_open_interest_window = SECONDS(320);
    settings->breaker_open_interest_readings = 2;
}

static void record(enum event_kind kind, unsigned instrument, union event_record record)
{
    unsigned channel = kind < EVENT_start ? CHANNEL_REFERENCE : CHANNEL_SESSION;
    harness_record(&h, kind,
                   instrument == EVENT_NONE_16 ? EVENT_NONE_16 : EVENT_STREAM(instrument, channel),
                   &record);
}

static void begin(void)
{
    union event_record snapshot = {.snapshot_end = {.taken = 0}};
    harness_make(&h);
    h.now = SECONDS(1);
    record(EVENT_start, EVENT_NONE_16, (union event_record){.start = {.epoch = EPOCH}});
    for (uint8_t venue = 0; venue < 2; venue++) {
        snapshot.snapshot_end = (struct event_snapshot_end){.venue = venue, .taken = h.now};
        record(EVENT_snapshot_end, EVENT_NONE_16, snapshot);
    }
}

static void shows_orphan(order_id order, int64_t leaves)
{
    record(EVENT_open_order, 0,
           (union event_record){.open_order = {.instrument = 0,
                                               .order = order,
                                               .venue_order = {.length = 3, .bytes = "abc"},
                                               .side = SIDE_SELL,
                                               .price = {1100, NUMBER_VALUE},
                                               .leaves = {leaves, NUMBER_VALUE}}});
}

/* Quotes on two venues, profit with a limit, every signal on. */
static void prepare(void)
{
    harness_init(&h);
    h.instrument_count = 2;
    h.definitions[1].venue = 1;
    h.global.risk_drawdown_limit.atto = (int128)INT64_C(1000000000000000000) * 1000000;
    h.global.risk_daily_loss_limit.atto = (int128)INT64_C(1000000000000000000) * 1000000;
    h.global.account_rate_age = SECONDS(60);
    h.global.safety_own_book = SECONDS(60);
    h.global.database_failures = 3;
    h.global.database_timeout = SECONDS(5);
    h.venues[0].safety_sync_interval = SECONDS(20);
    for (unsigned i = 0; i < 2; i++) {
        enable_signals(&h.settings[i]);
        h.settings[i].quote_levels = 2;
        h.settings[i].learning_horizon = SECONDS(2);
        h.settings[i].learning_decay = 990000000;
        h.settings[i].learning_evidence = 0;
        h.settings[i].learning_sizing = true;
    }
}

static void trade_a_while(void)
{
    for (int second = 0; second < 15; second++) {
        h.now = SECONDS(2 + second);
        harness_book(&h, 0, second == 0 ? EVENT_snapshot : EVENT_depth, 1000, 50 + second, 1005,
                     40);
        harness_book(&h, 1, EVENT_snapshot, 2000 + 5 * second, 50, 2005 + 5 * second, 40);
        harness_trade(&h, 0, SIDE_BUY, 1005, 1);
        record(
            EVENT_open_interest, 0,
            (union event_record){.open_interest = {.instrument = 0,
                                                   .open_interest = {1000 - second, NUMBER_VALUE},
                                                   .cap = {5000, NUMBER_VALUE}}});
        harness_run_to(&h, h.now + MILLISECONDS(500));
        for (order_id id = 1; id <= h.engine->carry.counter; id++) {
            struct order *order = harness_order(&h, (uint64_t)EPOCH << 32 | id);
            if (order != NULL && order->state == ORDER_PENDING_NEW && (id + second) % 4 == 0)
                harness_reject(&h, order->id, REJECT_PRICE);
            else if (order != NULL && order->state == ORDER_PENDING_NEW)
                harness_accept(&h, order->id);
            else if (order != NULL && order->state == ORDER_ACTIVE && (id + second) % 3 == 0)
                harness_fill(&h, order->id, order->side, order->price, 1, order->leaves - 1);
        }
    }
}

static void fill_one(void)
{
    const struct order_side *side = &h.engine->instruments[0].sides[SIDE_BUY];
    cr_assert_neq(side->first, ENGINE_NO_SLOT);
    const struct order *order = &h.engine->orders.slots[side->first];
    harness_fill(&h, order->id, SIDE_BUY, order->price, 1, order->leaves - 1);
}

static void lived(void)
{
    prepare();
    begin();
    trade_a_while();
    fill_one();
    shows_orphan(77, 5);
    shows_orphan(0, 6);
    record(EVENT_snapshot_end, EVENT_NONE_16,
           (union event_record){.snapshot_end = {.venue = 0, .taken = h.now}});
    record(EVENT_breaker_input, EVENT_NONE_16,
           (union event_record){.breaker_input = {.venue = EVENT_NONE_8}});
    record(EVENT_mark, 1, (union event_record){.mark = {1, {2021, NUMBER_VALUE}}});
}

static void closed(void)
{
    free(h.memory);
}

/* --- round trips ------------------------------------------------------------------------------------------------ */

Test(warmth, of_one_that_just_started)
{
    prepare();
    begin();
    free(expect_read());
    closed();
}

Test(warmth, of_one_that_lived)
{
    lived();
    const struct signals *signals = &h.engine->instruments[0].signals;
    cr_assert_gt(signals->volatility.samples, 5);
    cr_assert_gt(signals->spreads.count, 5);
    cr_assert_gt(signals->markouts.count, 0);
    cr_assert_gt(signals->markouts.waiting, 0);
    cr_assert_gt(signals->answers.all_count, 0);
    cr_assert_gt(signals->answers.bad_count, 0);
    cr_assert_gt(h.engine->instruments[0].level_refusals[SIDE_BUY].back_off +
                     h.engine->instruments[0].level_refusals[SIDE_SELL].back_off,
                 0);
    cr_assert_gt(signals->move.older_count, 0);
    cr_assert_gt(signals->open_interest.older_count, 0);
    cr_assert(signals_are_warm(h.engine, 0));
    cr_assert_eq(h.engine->orphans.count, 2);
    cr_assert_gt(h.engine->orders.live, 2);
    cr_assert(h.engine->profit.on);
    cr_assert_eq(h.engine->database.failures, 1);
    cr_assert(h.engine->instruments[0].learning.sizes[0].made);
    free(expect_read());
    closed();
}

/* Rings that went around, sizes that hold, and what these courses don't come to. */
Test(warmth, of_what_is_seldom)
{
    lived();
    struct engine *engine = h.engine;
    struct signals *signals = &engine->instruments[0].signals;
    struct mid_ring *mids = &engine->instruments[0].market.mids;
    mids->count = 3 * ENGINE_MID_RING + 7;
    mids->behind = mids->count - 5;
    for (unsigned i = 0; i < ENGINE_MID_RING; i++)
        mids->ts[i] = mids->mid2[i] = 1000 + i;
    for (int64_t i = 0; i < 2 * SPREADS_MAX; i++)
        spreads_sample(&signals->spreads, SECONDS(20) + i, i * 7919 % 1000, SECONDS(900));
    signals->answers.all_count = signals->answers.bad_count = 3 * PLACE_ANSWERS_MAX + 1;
    signals->markouts.count = 3 * MARKOUTS_KEPT + 1;
    signals->markouts.first = MARKOUTS_PENDING - 1;
    signals->lost = signals->rejected = signals->dropped = signals->bad = true;
    signals->distance = REFERENCE_OFF;
    engine->instruments[1].learning.sizes[1] =
        (struct learning_sizes){.made = true, .usable = true, .count = 2, .sizes = {3, 4}};
    engine->instruments[1].profit.pull = engine->instruments[1].profit.unknown = true;
    engine->instruments[1].wait_top[SIDE_SELL] = true;
    engine->instruments[1].refusals[SIDE_BUY] = (struct refusals){
        .levels = UINT64_MAX, .at = SECONDS(1), .until = SECONDS(2), .back_off = SECONDS(1)};
    engine->instruments[1].held_until = SECONDS(99);
    engine->database.state = INFRASTRUCTURE_HALF_OPEN;
    engine->database.trial = SECONDS(3);
    engine->profit.assets[ASSET_OTHER].to = ASSET_QUOTE;
    engine->profit.assets[ASSET_OTHER].rate.exponent = -18;
    engine->profit.assets[ASSET_OTHER].divides = true;
    free(expect_read());
    closed();
}

/* A book without a snapshot holds levels too. */
Test(warmth, of_a_book_that_was_lost)
{
    lived();
    record(EVENT_gap, 0, (union event_record){.gap = {.instrument = 0}});
    harness_book(&h, 0, EVENT_depth, 995, 5, 1010, 6);
    cr_assert_not(book_is_synchronised(engine_book(h.engine, 0)));
    struct engine *read = expect_read();
    cr_expect_eq(book_quantity(engine_book(read, 0), SIDE_BUY, 995), 5);
    free(read);
    closed();
}

static void redefine(int64_t tick)
{
    union event_record definition = {.definition = h.definitions[0]};
    definition.definition.tick = tick;
    definition.definition.maker_fee = 12345;
    record(EVENT_definition, 0, definition);
}

/* A definition with a coarser tick leaves levels in the book that no message can set any more. */
Test(warmth, of_another_tick)
{
    lived();
    redefine(25);
    cr_assert_eq(book_quantity(engine_book(h.engine, 0), SIDE_SELL, 1005), 40);
    struct engine *read = expect_read();
    cr_expect_eq(read->instruments[0].limits.quote.tick, 25);
    cr_expect_eq(engine_definition(read, 0)->maker_fee, 12345);
    cr_expect_eq(book_quantity(engine_book(read, 0), SIDE_SELL, 1005), 40);
    free(read);
    closed();
}

/* Two engines are told the same, and decide the same. */
Test(warmth, goes_on_alike)
{
    static uint8_t mine[2][EVENT_RECORD_BYTES_MAX];
    size_t decided = 0;
    lived();
    struct engine *read = expect_read();
    for (int i = 0; i < 200; i++) {
        int64_t bid = 1000 + 5 * (i * 37 % 11), now = h.now + MILLISECONDS(130);
        struct row rows[] = {{.price = bid, .quantity = 10 + i},
                             {.price = bid + 10, .quantity = 7, .flags = ROW_SELL | ROW_LAST}};
        const struct message message = {.ts_local = now,
                                        .stream = EVENT_STREAM(i % 2, CHANNEL_DEPTH),
                                        .kind = EVENT_snapshot,
                                        .row_count = 2,
                                        .rows = rows};
        h.now = now;
        harness_give(&h, &message);
        struct actions actions = engine_step(read, &message);
        cr_assert_eq(actions.count, h.count, "message %d", i);
        for (size_t a = 0; a < actions.count; a++) {
            size_t size = message_encode(&actions.messages[a], mine[0], sizeof mine[0]);
            cr_assert_eq(message_encode(&h.decisions[a], mine[1], sizeof mine[1]), size);
            cr_assert_arr_eq(mine[0], mine[1], size);
            decided++;
        }
        cr_assert_eq(engine_deadline(read), engine_deadline(h.engine));
    }
    cr_assert_gt(decided, 50);
    expect_equal(h.engine, read);
    free(read);
    closed();
}

/* Every machine writes these. */
Test(warmth, the_same_bytes_everywhere)
{
    lived();
    write_all();
    cr_expect_eq(hash_64(bytes, length), UINT64_C(0x5b6ec3f97d42ab59), "%zu bytes, hash %016lx",
                 length, (unsigned long)hash_64(bytes, length));
    closed();
}

/* Where there is too little room, the length is told and nothing is written behind it. */
Test(warmth, too_little_room)
{
    lived();
    write_all();
    size_t whole = length - carry_length;
    uint8_t *small = malloc(whole);
    memset(small, 0xee, whole);
    cr_expect_eq(engine_write_warmth(h.engine, small, whole / 2), whole);
    for (size_t at = whole / 2; at < whole; at++)
        cr_assert_eq(small[at], 0xee);
    free(small);
    closed();
}

/* --- what is refused ---------------------------------------------------------------------------------------------- */

/* `carried` is what an engine is before it reads. */
static const char *fault_of(const void *carried, struct engine *engine, size_t size, size_t count,
                            uint64_t *index)
{
    memcpy(engine, carried, size);
    return engine_read_warmth(engine, bytes + carry_length, count, index);
}

/* One bit of any byte, or an end before the end. */
Test(warmth, damage_is_refused)
{
    uint64_t index;
    h.settings[0].book_far_levels = 0;
    lived();
    write_all();
    struct engine *engine = carried_engine();
    void *carried = malloc(h.size);
    memcpy(carried, engine, h.size);
    size_t whole = length - carry_length;
    for (size_t at = 0; at < whole; at++) {
        uint8_t *byte = &bytes[carry_length + at], bit = (uint8_t)(1u << at % 8);
        *byte ^= bit;
        cr_assert_neq(fault_of(carried, engine, h.size, whole, &index), NULL, "byte %zu of %zu", at,
                      whole);
        *byte ^= bit;
    }
    for (size_t cut = 0; cut < whole; cut += 37)
        cr_assert_neq(fault_of(carried, engine, h.size, cut, &index), NULL, "cut to %zu", cut);
    cr_assert_eq(fault_of(carried, engine, h.size, whole, &index), NULL);
    bytes[length] = 0;
    cr_assert_str_eq(fault_of(carried, engine, h.size, whole + 1, &index), "end");
    free(carried);
    free(engine);
    closed();
}

/* Of an engine in which something is what no engine has; the bytes are whole otherwise. */
static const char *fault_with(void (*spoil)(struct engine *engine))
{
    uint64_t index;
    lived();
    spoil(h.engine);
    write_all();
    struct engine *engine = carried_engine();
    const char *fault =
        engine_read_warmth(engine, bytes + carry_length, length - carry_length, &index);
    cr_expect_not(engine->warm);
    free(engine);
    closed();
    return fault;
}

static void tick_of_nothing(struct engine *engine)
{
    engine->instruments[0].definition.minimum_notional.atto = 7;
    engine->instruments[0].definition.lot = 0;
}

static void part_before_the_first(struct engine *engine)
{
    engine->instruments[1].signals.move.part = -1;
}

static void rate_to_no_asset(struct engine *engine)
{
    engine->profit.assets[1].to = HARNESS_ASSETS;
}

static void rate_too_small(struct engine *engine)
{
    engine->profit.assets[1].rate.exponent = -65;
}

static void rate_too_large(struct engine *engine)
{
    engine->profit.assets[1].rate.exponent = 65;
}

static void distance_of_no_kind(struct engine *engine)
{
    engine->instruments[0].signals.distance = REFERENCE_OFF + 1;
}

static void database_of_no_state(struct engine *engine)
{
    engine->database.state = INFRASTRUCTURE_STATE_COUNT;
}

static void more_waiting(struct engine *engine)
{
    engine->instruments[0].signals.markouts.waiting = MARKOUTS_PENDING + 1;
}

/* A level that was not told, and that no list names: the state is another. */
static void more_levels(struct engine *engine)
{
    book_set(engine->instruments[0].market.book, SIDE_BUY, 900, 1);
    engine->instruments[0].market.book_seen = false;
}

Test(warmth, what_no_engine_has)
{
    cr_expect_str_eq(fault_with(tick_of_nothing), "definition");
    cr_expect_str_eq(fault_with(part_before_the_first), "extremes.part");
    cr_expect_str_eq(fault_with(rate_to_no_asset), "rate");
    cr_expect_str_eq(fault_with(rate_too_small), "rate");
    cr_expect_str_eq(fault_with(rate_too_large), "rate");
    cr_expect_str_eq(fault_with(distance_of_no_kind), "distance");
    cr_expect_str_eq(fault_with(database_of_no_state), "state");
    cr_expect_str_eq(fault_with(more_waiting), "waiting");
}

/* The settings' distances don't fit the tick. */
Test(warmth, of_a_tick_that_does_not_fit)
{
    uint64_t index;
    prepare();
    h.settings[0].quote_half_spread = TICKS(INT64_C(100000000000000));
    begin();
    h.engine->instruments[0].definition.tick = 1;
    write_all();
    struct engine *engine = carried_engine();
    cr_expect_str_eq(
        engine_read_warmth(engine, bytes + carry_length, length - carry_length, &index),
        "definition");
    free(engine);
    closed();
}

/* The books were told otherwise than they stood. */
Test(warmth, of_another_book)
{
    uint64_t index;
    lived();
    write_all();
    more_levels(h.engine);
    struct engine *engine = carried_engine();
    cr_expect_str_eq(
        engine_read_warmth(engine, bytes + carry_length, length - carry_length, &index), "state");
    free(engine);
    closed();
}

/* A level beside the grid, for which the book has no room. */
Test(warmth, of_a_level_without_room)
{
    uint64_t index;
    prepare();
    h.settings[0].book_far_levels = 1;
    begin();
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    redefine(25);
    harness_book(&h, 0, EVENT_depth, 0, 0, 100000000, 3);
    book_set(h.engine->instruments[0].market.book, SIDE_SELL, 100000000, 0);
    book_set(h.engine->instruments[0].market.book, SIDE_SELL, 100000001, 4);
    write_all();
    struct engine *engine = carried_engine();
    book_set(engine->instruments[0].market.book, SIDE_SELL, 100000025, 4);
    cr_expect_str_eq(
        engine_read_warmth(engine, bytes + carry_length, length - carry_length, &index),
        "off.level");
    free(engine);
    closed();
}

Test(warmth, of_another_version)
{
    uint64_t index;
    lived();
    write_all();
    struct engine *engine = carried_engine();
    bytes[carry_length + 1] += 2;
    cr_expect_str_eq(
        engine_read_warmth(engine, bytes + carry_length, length - carry_length, &index),
        "warmth.version");
    free(engine);
    closed();
}

/* --- a start of the same epoch -------------------------------------------------------------------------------------- */

static void start(struct engine *engine, uint64_t epoch)
{
    const union event_record record = {.start = {.epoch = epoch}};
    engine_step(engine, &(struct message){.ts_local = h.now,
                                          .stream = EVENT_NONE_16,
                                          .kind = EVENT_start,
                                          .record = &record});
}

/* Nothing is cold, no order is unknown, and messages are counted anew. */
Test(warmth, a_start_goes_on)
{
    const struct event_start same = {.epoch = EPOCH}, next = {.epoch = EPOCH + 1};
    lived();
    uint64_t orders = engine_open_orders(h.engine);
    cr_assert(engine_goes_on(h.engine, &same));
    cr_assert_not(engine_goes_on(h.engine, &next));
    start(h.engine, EPOCH);
    cr_expect_eq(h.engine->ordinal, 1);
    cr_expect(signals_are_warm(h.engine, 0));
    cr_expect(h.engine->venues[0].reconciled && h.engine->venues[1].reconciled);
    cr_expect_eq(engine_open_orders(h.engine), orders);
    cr_expect_eq(h.engine->start_ts, SECONDS(1));
    start(h.engine, EPOCH + 1);
    cr_expect_not(signals_are_warm(h.engine, 0));
    cr_expect_not(h.engine->venues[0].reconciled);
    closed();
}

/* Neither before the first start, nor with the epoch of a replay. */
Test(warmth, what_can_t_go_on)
{
    const struct event_start none = {.epoch = 0}, same = {.epoch = EPOCH};
    prepare();
    harness_make(&h);
    cr_expect_not(engine_goes_on(h.engine, &same));
    harness_begin(&h);
    cr_expect_not(engine_goes_on(h.engine, &none));
    closed();
}

/* Where a tape may end: every account is known, and nothing of it is awaited. */
Test(warmth, a_moment_to_rotate)
{
    prepare();
    harness_make(&h);
    cr_expect_not(engine_is_settled(h.engine));
    free(h.memory);
    begin();
    cr_expect(engine_is_settled(h.engine));
    h.engine->venues[1].reconciled = false;
    cr_expect_not(engine_is_settled(h.engine));
    h.engine->venues[1].reconciled = true;
    sync_request(h.engine, 1);
    cr_expect_not(engine_is_settled(h.engine));
    record(EVENT_snapshot_end, EVENT_NONE_16,
           (union event_record){.snapshot_end = {.venue = 1, .taken = h.now}});
    cr_expect(engine_is_settled(h.engine));
    engine_table_full(h.engine, "orders.capacity", 2);
    cr_expect_not(engine_is_settled(h.engine));
    h.engine->full_setting = NULL;
    record(EVENT_shutdown, EVENT_NONE_16, (union event_record){.shutdown = {.signal = 15}});
    cr_expect_not(engine_is_settled(h.engine));
    closed();
}

/* One that has no warmth can't go on: whatever the epoch, it is cold. */
Test(warmth, without_it_a_start_is_cold)
{
    lived();
    write_all();
    struct engine *engine = carried_engine();
    start(engine, EPOCH);
    cr_expect_not(engine->venues[0].reconciled);
    cr_expect_not(signals_are_warm(engine, 0));
    cr_expect_eq(engine->ordinal, 1);
    free(engine);
    closed();
}

/* In a fold nothing is lost by it: an order that is asked for may still be answered. */
Test(warmth, a_fold_goes_on)
{
    lived();
    write_all();
    struct engine *engine = carried_engine();
    union event_record record = {.start = {.epoch = EPOCH}};
    struct message message = {
        .ts_local = h.now, .stream = EVENT_NONE_16, .kind = EVENT_start, .record = &record};
    uint64_t unknown = 0, before = 0;
    for (uint32_t slot = 0; slot <= engine->orders.mask; slot++)
        before += engine->orders.slots[slot].state == ORDER_UNKNOWN;
    engine_fold(engine, &message);
    for (uint32_t slot = 0; slot <= engine->orders.mask; slot++)
        unknown += engine->orders.slots[slot].state == ORDER_UNKNOWN;
    cr_expect_eq(unknown, before);
    cr_expect_eq(engine->orphans.count, 2, "what only the venue knows is known in the fold");
    record.start.epoch = EPOCH + 1;
    engine_fold(engine, &message);
    cr_expect_eq(engine->orphans.count, 0);
    free(engine);
    closed();
}
