/* The carry as bytes: what is written is read, into an engine that then goes on as the one that wrote it does after a
 * restart; bytes that are not such a carry are refused with a field's name. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/walker.h"
#include "engine_harness.h"

enum { BYTES = 1 << 18, TEXT = 1 << 20 };

static struct harness h;
static uint8_t bytes[BYTES];
static bool goes_on; /* carries are those of a session that goes on */
static size_t used;
static char ours[TEXT];

static struct engine_config config_of(void)
{
    return (struct engine_config){.global = &h.global,
                                  .venue_count = 2,
                                  .asset_count = HARNESS_ASSETS,
                                  .instrument_count = h.instrument_count,
                                  .venues = h.venues,
                                  .instruments = h.settings,
                                  .definitions = h.definitions,
                                  .audit_each_message = true};
}

static struct engine *fresh_engine(void)
{
    struct engine_config config = config_of();
    size_t size = engine_size(&config);
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    cr_assert_neq(memory, NULL);
    memset(memory, 0x5a, size);
    return engine_init(memory, size, &config);
}

static size_t written(void)
{
    size_t length = engine_write_carry(h.engine, goes_on, bytes, sizeof bytes);
    cr_assert_leq(length, sizeof bytes);
    return length;
}

/* Two engines with every field equal, or the first that is not. */
static void expect_equal(const struct engine *a, const struct engine *b,
                         void (*walk)(const struct engine *, struct walker *))
{
    struct walker_text text;
    struct walker_difference difference;
    walker_text_init(&text, ours, sizeof ours);
    walk(a, &text.walker);
    cr_assert_leq(text.length, sizeof ours);
    walker_difference_init(&difference, ours, text.length);
    walk(b, &difference.walker);
    cr_expect_not(walker_difference_found(&difference), "read '%s', written '%s'", difference.ours,
                  difference.theirs);
}

static void start(struct engine *engine, uint64_t epoch, int64_t now)
{
    union event_record record = {.start = {.epoch = epoch}};
    const struct message message = {
        .ts_local = now, .stream = EVENT_NONE_16, .kind = EVENT_start, .record = &record};
    engine_step(engine, &message);
}

/* Written, read, compared, written again, byte for byte. */
static struct engine *expect_read(void)
{
    static uint8_t again[BYTES];
    uint64_t index;
    size_t length = written();
    struct engine *read = fresh_engine();
    const char *fault = engine_read_carry(read, bytes, length, &used, &index);
    cr_assert_eq(fault, NULL, "field %s of %lu", fault, (unsigned long)index);
    expect_equal(h.engine, read, engine_walk_carry);
    cr_expect_eq(engine_write_carry(read, goes_on, again, sizeof again), length);
    cr_expect_arr_eq(bytes, again, length);
    cr_expect_eq(engine_open_orders(read), engine_open_orders(h.engine));
    cr_expect_eq(engine_counters(read)->placed, engine_counters(h.engine)->placed);
    cr_expect_eq(engine_counters(read)->cancelled, engine_counters(h.engine)->cancelled);
    cr_expect_eq(engine_counters(read)->modified, engine_counters(h.engine)->modified);
    cr_expect_eq(engine_counters(read)->replaced, engine_counters(h.engine)->replaced);
    cr_expect_eq(engine_counters(read)->fills, engine_counters(h.engine)->fills);
    for (unsigned cause = 0; cause < FILL_CAUSE_COUNT; cause++)
        cr_expect_eq(engine_counters(read)->fills_by_cause[cause],
                     engine_counters(h.engine)->fills_by_cause[cause]);
    cr_expect_eq(read->now, h.engine->now);
    return read;
}

/* And started, and compared. */
static void expect_carried(void)
{
    struct engine *read = expect_read();
    start(read, 7, h.now);
    start(h.engine, 7, h.now);
    expect_equal(h.engine, read, engine_walk);
    free(read);
}

static void quoted_of(int64_t capacity)
{
    union event_record record = {.balance = {.asset = ASSET_QUOTE}};
    harness_init(&h);
    h.global.orders_capacity = capacity;
    h.instrument_count = 2;
    h.definitions[0].contract = CONTRACT_SPOT;
    h.settings[0].quote_levels = h.settings[1].quote_levels = 3;
    h.settings[0].learning_horizon = SECONDS(2);
    h.settings[0].learning_decay = 990000000;
    h.settings[0].learning_evidence = 20;
    harness_start(&h);
    money_from_units(1000, 0, &record.balance.total);
    harness_record(&h, EVENT_balance, EVENT_NONE_16, &record);
    record.balance.asset = ASSET_BASE;
    harness_record(&h, EVENT_balance, EVENT_NONE_16, &record);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_book(&h, 1, EVENT_snapshot, 2000, 50, 2005, 40);
    cr_assert_geq(engine_open_orders(h.engine), 12);
}

static void quoted(void)
{
    quoted_of(256);
}

static union event_record command(enum command what, uint16_t instrument)
{
    return (union event_record){.command = {.command = (uint8_t)what, .instrument = instrument}};
}

/* Orders in every state, fills, an alarm, breakers, a pause, what was learned. */
static void lived(void)
{
    quoted();
    h.now = SECONDS(1);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_accept(&h, 3);
    harness_accept(&h, 4);
    harness_fill(&h, 1, SIDE_BUY, 990, 4, 6);
    harness_fill(&h, 1, SIDE_BUY, 990, 1, 5);
    harness_fill(&h, 2, SIDE_SELL, 1015, 10, 0);
    harness_reject(&h, 5, REJECT_POST_ONLY);
    harness_cancelled(&h, 3, 10);
    h.now = SECONDS(4);
    harness_book(&h, 0, EVENT_snapshot, 1100, 50, 1105, 40);
    harness_run_to(&h, SECONDS(9)); /* what was not answered is unknown, and asked for */
    union event_record record = command(COMMAND_TRIP, 1);
    harness_record(&h, EVENT_command, EVENT_NONE_16, &record);
    record = command(COMMAND_CANCEL_ALL, 1);
    harness_record(&h, EVENT_command, EVENT_NONE_16, &record);
    record = command(COMMAND_PAUSE, 0);
    harness_record(&h, EVENT_command, EVENT_NONE_16, &record);
    harness_position(&h, 1, SIDE_SELL, 2000, 3);
    record = (union event_record){.order_unknown = {.instrument = 1, .order = 9}};
    harness_record(&h, EVENT_order_unknown, EVENT_STREAM(1, CHANNEL_SESSION), &record);
    record = (union event_record){.rate_budget = {.venue = 1, .left = 50, .resets = SECONDS(60)}};
    harness_record(&h, EVENT_rate_budget, EVENT_NONE_16, &record);
}

Test(carry, of_an_engine_that_did_nothing)
{
    harness_init(&h);
    harness_make(&h);
    expect_carried();
    harness_close(&h);
}

Test(carry, of_one_that_quotes)
{
    quoted();
    expect_carried();
    harness_close(&h);
}

Test(carry, of_one_that_lived)
{
    lived();
    unsigned states = 0;
    for (uint32_t slot = 0; slot <= h.engine->orders.mask; slot++)
        states |= 1u << h.engine->orders.slots[slot].state;
    cr_assert_geq(__builtin_popcount(states), 5, "states %x", states);
    cr_assert_gt(h.engine->orders.trade_count, 3);
    cr_assert_eq(h.engine->instruments[1].breakers.state[BREAKER_OPERATOR], BREAKER_CANCEL_ALL);
    cr_assert(h.engine->instruments[0].paused && h.engine->instruments[1].pulled);
    expect_carried();
    harness_close(&h);
}

/* What these courses don't come to. */
Test(carry, of_what_is_seldom)
{
    lived();
    struct engine *engine = h.engine;
    struct order *order = harness_order(&h, 4);
    order->hanging = order->owing = order->unpriced = true;
    engine->instruments[1].position.funding_missed = true;
    engine->instruments[1].profit.fee_asset = ASSET_OTHER;
    engine->profit.assets[ASSET_OTHER].fees.atto = -12345;
    engine->profit.marked.day_start.atto = (int128)1 << 100;
    engine->profit.marked.peak.atto = -((int128)1 << 120);
    engine->profit.drawn_down = engine->profit.day_lost = engine->profit.has_mark = true;
    engine->venues[1].rate.back_off = SECONDS(3);
    engine->balances[HARNESS_ASSETS + ASSET_OTHER].reserved.atto = 7;
    engine->balances[HARNESS_ASSETS + 3].shown_at =
        SECONDS(5); /* of an account that was not trusted */
    engine->counters.modified = 1234567;
    engine->counters.replaced = UINT64_MAX;
    engine->counters.fills_by_cause[FILL_QUEUE] = 7654321;
    struct engine *read = expect_read();
    cr_expect_eq(read->balances[HARNESS_ASSETS + 3].shown_at, SECONDS(5));
    free(read);
    free(h.memory);
}

static void walk_sync(const struct engine *engine, struct walker *walker)
{
    sync_walk(walker, engine);
}

static void shows_orphan(order_id order)
{
    union event_record record = {.open_order = {.instrument = 1,
                                                .order = order,
                                                .venue_order = {.length = 3, .bytes = "abc"},
                                                .side = SIDE_SELL,
                                                .price = {2100, NUMBER_VALUE},
                                                .leaves = {5, NUMBER_VALUE}}};
    harness_record(&h, EVENT_open_order, EVENT_STREAM(1, CHANNEL_SESSION), &record);
}

static void lived_with_orphans(void)
{
    union event_record record = {.snapshot_end = {.venue = 0, .taken = SECONDS(9)}};
    lived();
    shows_orphan(777);
    shows_orphan(0);
    harness_record(&h, EVENT_snapshot_end, EVENT_NONE_16, &record);
    shows_orphan(778); /* of a snapshot that has not ended */
    cr_assert_eq(h.engine->orphans.count, 3);
    goes_on = true;
}

/* With it goes what is known of the account. */
Test(carry, of_a_session_that_goes_on)
{
    lived_with_orphans();
    struct engine *read = expect_read();
    read->sync_deadline = h.engine->sync_deadline; /* what follows from the rest is warmth */
    expect_equal(h.engine, read, walk_sync);
    cr_expect(read->venues[0].reconciled && read->venues[0].told);
    free(read);
    expect_carried();
    harness_close(&h);
}

/* Orders keep their order in the lists: the older goes first. */
Test(carry, keeps_lists_in_order)
{
    uint64_t index;
    quoted();
    struct engine *read = fresh_engine();
    cr_assert_eq(engine_read_carry(read, bytes, written(), &used, &index), NULL);
    for (unsigned side = 0; side < 2; side++)
        for (uint32_t a = h.engine->instruments[1].sides[side].first,
                      b = read->instruments[1].sides[side].first;
             a != ENGINE_NO_SLOT || b != ENGINE_NO_SLOT;
             a = h.engine->orders.slots[a].next, b = read->orders.slots[b].next)
            cr_assert_eq(a, b);
    free(read);
    harness_close(&h);
}

/* A trade that was told before counts once, also in the engine that was read. */
Test(carry, a_trade_counts_once)
{
    uint64_t index;
    lived();
    struct engine *read = fresh_engine();
    cr_assert_eq(engine_read_carry(read, bytes, written(), &used, &index), NULL);
    start(read, 7, h.now);
    int64_t held = read->instruments[0].position.units;
    const struct own_trade *trade = &h.engine->orders.trades[0];
    const union event_record record = {.order_filled = {.order = trade->order,
                                                        .trade = trade->id,
                                                        .price = {990, NUMBER_VALUE},
                                                        .quantity = {4, NUMBER_VALUE},
                                                        .leaves = {6, NUMBER_VALUE},
                                                        .fee_asset = ASSET_QUOTE}};
    const struct message message = {.ts_local = h.now,
                                    .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                                    .kind = EVENT_order_filled,
                                    .record = &record};
    cr_assert_eq(trade->order, 1);
    engine_step(read, &message);
    cr_expect_eq(read->instruments[0].position.units, held);
    free(read);
    harness_close(&h);
}

/* --- what is refused ---------------------------------------------------------------------------------------- */

static const char *fault_of(size_t length, uint64_t *index)
{
    struct engine *read = fresh_engine();
    const char *fault = engine_read_carry(read, bytes, length, &used, index);
    free(read);
    return fault;
}

static void expect_damage_is_refused(void)
{
    uint64_t index;
    size_t length = written();
    for (size_t at = 0; at < length; at++) {
        uint8_t bit = (uint8_t)(1u << at % 8);
        bytes[at] ^= bit;
        cr_assert_neq(fault_of(length, &index), NULL, "byte %zu of %zu, bit %x", at, length, bit);
        bytes[at] ^= bit;
    }
    for (size_t cut = 0; cut < length; cut += 7)
        cr_assert_neq(fault_of(cut, &index), NULL, "cut to %zu of %zu", cut, length);
    cr_assert_eq(fault_of(length, &index), NULL);
}

/* One bit of any byte, or an end before the end. */
Test(carry, damage_is_refused)
{
    uint64_t index;
    lived();
    expect_damage_is_refused();
    size_t length = written();
    bytes[length] = 0;
    cr_assert_str_eq(fault_of(length + 1, &index), "end");
    cr_assert_eq(index, length);
    harness_close(&h);
}

/* Behind such a carry more may stand. */
Test(carry, damage_of_one_that_goes_on_is_refused)
{
    uint64_t index;
    lived_with_orphans();
    expect_damage_is_refused();
    size_t length = written();
    bytes[length] = 0;
    cr_assert_eq(fault_of(length + 1, &index), NULL);
    cr_assert_eq(used, length);
    harness_close(&h);
}

/* The name of what does not fit. */
Test(carry, of_another_engine)
{
    uint64_t index;
    lived();
    size_t length = written();
    h.global.orders_capacity = 257;
    cr_expect_str_eq(fault_of(length, &index), "orders.capacity");
    h.global.orders_capacity = 256;
    h.instrument_count = 3;
    cr_expect_str_eq(fault_of(length, &index), "instruments");
    h.instrument_count = 2;
    cr_expect_eq(fault_of(length, &index), NULL);
    cr_expect_str_eq(fault_of(0, &index), "carry.version");
    harness_close(&h);
}

/* One field is what no engine has; the carry is whole otherwise. */
static const char *fault_with(void (*spoil)(struct engine *engine))
{
    uint64_t index;
    quoted_of(64);
    spoil(h.engine);
    const char *fault = fault_of(written(), &index);
    free(h.memory);
    return fault;
}

static void order_ended(struct engine *engine)
{
    orders_find(engine, 3)->state = ORDER_FILLED;
}

static void order_without_id(struct engine *engine)
{
    orders_find(engine, 3)->id = 0;
}

static void order_of_no_instrument(struct engine *engine)
{
    orders_find(engine, 3)->instrument = 2;
}

static void order_twice(struct engine *engine)
{
    orders_find(engine, 3)->id = 2;
}

static void order_with_no_trade(struct engine *engine)
{
    orders_find(engine, 3)->last_trade = engine->orders.trade_mask + 1;
}

static void order_of_no_side(struct engine *engine)
{
    orders_find(engine, 3)->side = 2;
}

static void trade_behind_nothing(struct engine *engine)
{
    engine->orders.trade_count = 1;
    engine->orders.trades[0].previous = engine->orders.trade_mask + 1;
}

static void fee_of_no_asset(struct engine *engine)
{
    engine->instruments[1].profit.fee_asset = HARNESS_ASSETS;
}

static void breaker_of_no_state(struct engine *engine)
{
    engine->instruments[0].breakers.state[BREAKER_GAP] = BREAKER_STATE_COUNT;
}

/* More orders than the table takes. */
static void fewer_orders(struct engine *engine)
{
    h.global.orders_capacity = 11;
    engine->orders.capacity = 11;
}

static void orphan_of_no_instrument(struct engine *engine)
{
    engine->orphans.count = 1;
    engine->orphans.list[0] = (struct orphan){.instrument = 2};
}

static void orphan_of_no_side(struct engine *engine)
{
    engine->orphans.count = 1;
    engine->orphans.list[0] = (struct orphan){.side = 2};
}

static void fewer_orphans(struct engine *engine)
{
    engine->orphans.count = 2;
    engine->orphans.list[0] = engine->orphans.list[1] = (struct orphan){.side = 1};
    h.global.safety_orphans = 1;
}

Test(carry, no_session_goes_on_with)
{
    goes_on = true;
    cr_expect_str_eq(fault_with(orphan_of_no_instrument), "orphan.instrument");
    cr_expect_str_eq(fault_with(orphan_of_no_side), "side");
    cr_expect_str_eq(fault_with(fewer_orphans), "orphans");
}

Test(carry, what_no_engine_has)
{
    cr_expect_str_eq(fault_with(order_ended), "order");
    cr_expect_str_eq(fault_with(order_without_id), "order");
    cr_expect_str_eq(fault_with(order_of_no_instrument), "order");
    cr_expect_str_eq(fault_with(order_twice), "order");
    cr_expect_str_eq(fault_with(order_with_no_trade), "order");
    cr_expect_str_eq(fault_with(fewer_orders), "order");
    cr_expect_str_eq(fault_with(order_of_no_side), "side");
    cr_expect_str_eq(fault_with(trade_behind_nothing), "trade.previous");
    cr_expect_str_eq(fault_with(fee_of_no_asset), "fee_asset");
    cr_expect_str_eq(fault_with(breaker_of_no_state), "breaker");
}

/* A name of a trade longer than any: its length is changed in the bytes, for no engine has room to hold one. */
Test(carry, a_trade_of_a_long_name)
{
    static const struct venue_id longest = {EVENT_VENUE_ID_MAX,
                                            "forty letters are the longest name of it"};
    uint64_t index;
    quoted_of(64);
    h.engine->orders.trade_count = 1;
    h.engine->orders.trades[0].id = longest;
    size_t length = written();
    cr_assert_eq(fault_of(length, &index), NULL);
    size_t at = 1;
    while (at + EVENT_VENUE_ID_MAX <= length &&
           memcmp(bytes + at, longest.bytes, EVENT_VENUE_ID_MAX) != 0)
        at++;
    cr_assert_leq(at + EVENT_VENUE_ID_MAX, length);
    bytes[at - 1] += 2; /* the length, one more: the lowest bit is a sign */
    cr_expect_str_eq(fault_of(length, &index), "trade.id");
    harness_close(&h);
}

/* A number that has no end, is too large, or longer than it must be. */
Test(carry, a_number_that_is_none)
{
    uint64_t index;
    quoted();
    size_t length = written();
    memset(bytes + 1, 0x80, 19);
    cr_expect_str_eq(fault_of(length, &index), "carry.version");
    bytes[19] = 0x7f;
    cr_expect_str_eq(fault_of(length, &index), "carry.version");
    written();
    memmove(bytes + 3, bytes + 2, length - 2);
    bytes[1] |= 0x80;
    bytes[2] = 0;
    cr_expect_str_eq(fault_of(length + 1, &index), "carry.version");
    harness_close(&h);
}

/* Where there is too little room, the length is told and nothing is written behind it. */
Test(carry, too_little_room)
{
    quoted();
    size_t length = written();
    uint8_t *small = malloc(length);
    memset(small, 0xee, length);
    cr_expect_eq(engine_write_carry(h.engine, goes_on, small, length / 2), length);
    for (size_t at = length / 2; at < length; at++)
        cr_assert_eq(small[at], 0xee);
    cr_expect_eq(engine_write_carry(h.engine, goes_on, small, length), length);
    cr_expect_arr_eq(small, bytes, length);
    free(small);
    harness_close(&h);
}
