/* The simulated venue: each test of trading-semantics 1, 4 to 7 and 9, and what requests meet.
 * Prices and quantities are in tenths: level(1000, 20) is 100.0 x 2.0. Times are milliseconds. */
#include "venue/sim/sim.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

enum { MESSAGES_MAX = 64, ROWS_MAX = 256, LOG_MAX = 8192, FLOOR_MS = 1 };
enum { ETH, USDT, BTC };        /* assets, in the order of their names below */
enum { SPOT, LINEAR, INVERSE }; /* instruments */

/* One venue, its market data and what it answered, as text. */
struct bench {
    struct message messages[MESSAGES_MAX];
    struct row rows[ROWS_MAX];
    union event_record records[MESSAGES_MAX];
    size_t message_count, row_count;
    struct event_definition definitions[3];
    struct event_names names;
    struct settings_global global;
    struct settings_venue venue_settings;
    struct settings_instrument instrument_settings[3];
    struct feed *feed;
    struct venue *venue;
    int64_t now; /* ns */
    char log[LOG_MAX];
    size_t log_length;
};

static struct bench bench;

static int64_t ms(double milliseconds)
{
    return (int64_t)(milliseconds * 1e6);
}

/* --- market ---------------------------------------------------------------------------------- */

static const char *const VENUES[] = {"v1"};
static const char *const ASSETS[] = {"ETH", "USDT", "BTC"};
static const char *const SYMBOLS[] = {"ETHUSDT", "ETHPERP", "ETHCOIN"};

static struct event_definition definition_of(unsigned instrument)
{
    return (struct event_definition){.instrument = (uint16_t)instrument,
                                     .contract = (uint8_t)instrument,
                                     .price_exponent = -1,
                                     .quantity_exponent = -1,
                                     .tick = 1,
                                     .lot = 1,
                                     .multiplier = 1,
                                     .taker_fee = 1000000, /* 10 bp */
                                     .fee_asset = FEE_IN_QUOTE,
                                     .base_commission_exponent = -8,
                                     .quote_commission_exponent = -8,
                                     .base = ETH,
                                     .quote = USDT,
                                     .settle = USDT};
}

static void setup(void)
{
    memset(&bench, 0, sizeof bench);
    for (unsigned i = 0; i < 3; i++) {
        bench.definitions[i] = definition_of(i);
        bench.instrument_settings[i].book_far_levels = 64;
    }
    bench.definitions[INVERSE].settle = ETH;
    bench.definitions[INVERSE].fee_asset = FEE_IN_SETTLE;
    bench.names = (struct event_names){1, 3, 3, VENUES, ASSETS, SYMBOLS, bench.definitions};
    bench.global.orders_capacity = 64;
    bench.global.sim_reorder = ms(250);
    bench.venue_settings.sim_fill_on_cross = true;
    strcpy(bench.venue_settings.sim_balances.text, "1000000 USDT, 1000 ETH");
}

static void teardown(void)
{
    if (bench.venue)
        bench.venue->close(bench.venue);
    if (bench.feed)
        bench.feed->close(bench.feed);
}

TestSuite(sim, .init = setup, .fini = teardown);

static struct row level(int64_t price, int64_t quantity)
{
    return (struct row){.price = price, .quantity = quantity};
}

/* Begin a message of LINEAR that the venue stamps at `venue_ms`; rows follow with bid() and so on. */
static struct message *tell(enum event_kind kind, enum channel channel, double local_ms,
                            double venue_ms)
{
    cr_assert_lt(bench.message_count, MESSAGES_MAX);
    struct message *message = &bench.messages[bench.message_count];
    *message = (struct message){.ts_local = ms(local_ms),
                                .ts_venue = ms(venue_ms),
                                .stream = EVENT_STREAM(LINEAR, channel),
                                .kind = (uint8_t)kind,
                                .flags = MESSAGE_VENUE_TIME,
                                .rows = &bench.rows[bench.row_count],
                                .record = &bench.records[bench.message_count]};
    bench.message_count++;
    return message;
}

static void add_row(struct row row, uint8_t flags)
{
    cr_assert_lt(bench.row_count, ROWS_MAX);
    row.flags = flags;
    bench.rows[bench.row_count++] = row;
    bench.messages[bench.message_count - 1].row_count++;
}

static uint8_t snapshot_flag(void)
{
    return bench.messages[bench.message_count - 1].kind == EVENT_snapshot ? ROW_FROM_SNAPSHOT : 0;
}
static void bid(int64_t price, int64_t quantity)
{
    add_row(level(price, quantity), snapshot_flag());
}
static void ask(int64_t price, int64_t quantity)
{
    add_row(level(price, quantity), (uint8_t)(ROW_SELL | snapshot_flag()));
}

/* Local times follow the venue's by the floor. */
static void snapshot(double at)
{
    tell(EVENT_snapshot, CHANNEL_DEPTH, at + FLOOR_MS, at);
}
static void depth(double at)
{
    tell(EVENT_depth, CHANNEL_DEPTH, at + FLOOR_MS, at);
}
static void trade(double at, uint8_t flags, int64_t price, int64_t quantity)
{
    tell(EVENT_trade, CHANNEL_TRADE, at + FLOOR_MS, at);
    add_row(level(price, quantity), flags);
}
static void buy_trade(double at, int64_t price, int64_t quantity)
{
    trade(at, 0, price, quantity);
}
static void sell_trade(double at, int64_t price, int64_t quantity)
{
    trade(at, ROW_SELL, price, quantity);
}

/* --- running --------------------------------------------------------------------------------- */

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(bench.log + bench.log_length, LOG_MAX - bench.log_length, format, arguments);
    va_end(arguments);
    bench.log_length += (size_t)length;
    cr_assert_lt(bench.log_length, LOG_MAX);
}

static void note_fill(const struct event_order_filled *fill)
{
    char price[DECIMAL_TEXT_MAX], quantity[DECIMAL_TEXT_MAX], left[DECIMAL_TEXT_MAX];
    decimal_to_text(fill->price.units, -1, price);
    decimal_to_text(fill->quantity.units, -1, quantity);
    decimal_to_text(fill->leaves.units, -1, left);
    char fee[MONEY_TEXT_MAX];
    money_to_text(fill->fee, fee);
    note("fill #%d %s@%s %s left %s", (int)fill->order, quantity, price,
         event_enum_text(FIELD_FILL_CAUSE, fill->cause), left);
    if (fill->fee.atto != 0)
        note(" fee %s %s", fee, ASSETS[fill->fee_asset]);
}

static void note_reject(const char *what, order_id order, unsigned reason)
{
    note("%s #%d %s", what, (int)order, event_enum_text(FIELD_REJECT, reason));
}

/* One line an answer, its time in ms first. */
static void note_answer(const struct message *answer)
{
    const union event_record *r = answer->record;
    note("%g ", (double)answer->ts_local / 1e6);
    if (answer->kind == EVENT_order_accepted)
        note("accepted #%d", (int)r->order_accepted.order);
    else if (answer->kind == EVENT_order_filled)
        note_fill(&r->order_filled);
    else if (answer->kind == EVENT_order_rejected)
        note_reject("rejected", r->order_rejected.order, r->order_rejected.reason);
    else if (answer->kind == EVENT_cancel_rejected)
        note_reject("cancel rejected", r->cancel_rejected.order, r->cancel_rejected.reason);
    else if (answer->kind == EVENT_modify_rejected)
        note_reject("modify rejected", r->modify_rejected.order, r->modify_rejected.reason);
    else if (answer->kind == EVENT_order_cancelled)
        note("cancelled #%d left %d %s", (int)r->order_cancelled.order,
             (int)r->order_cancelled.leaves.units,
             event_enum_text(FIELD_CANCEL_CAUSE, r->order_cancelled.cause));
    else if (answer->kind == EVENT_order_modified)
        note("modified #%d %d@%d", (int)r->order_modified.order,
             (int)r->order_modified.leaves.units, (int)r->order_modified.price.units);
    else
        note("%s", event_kind_info(answer->kind)->name);
    note("\n");
}

static void open_venue(void)
{
    struct error error;
    cr_assert_eq(memory_feed_open(&bench.feed, bench.messages, bench.message_count, &error), 0);
    struct sim_options options = {.feed = bench.feed,
                                  .names = &bench.names,
                                  .global = &bench.global,
                                  .venues = &bench.venue_settings,
                                  .instruments = bench.instrument_settings,
                                  .feed_floor_ns = ms(FLOOR_MS)};
    cr_assert_eq(sim_open(&bench.venue, &options, &error), 0, "%s", error.text);
}

/* As the loop does: advance, take one answer, advance again. */
static void run_to(double at)
{
    struct error error;
    if (!bench.venue)
        open_venue();
    bench.now = ms(at);
    for (;;) {
        cr_assert_eq(bench.venue->advance(bench.venue, bench.now, &error), 0, "%s", error.text);
        const struct message *answer = bench.venue->answer(bench.venue, bench.now);
        if (!answer)
            return;
        note_answer(answer);
    }
}

static void submit(double at, enum event_kind kind, union event_record *record, unsigned instrument)
{
    run_to(at);
    struct error error;
    struct message decision = {.ts_local = ms(at),
                               .stream = EVENT_STREAM(instrument, CHANNEL_SESSION),
                               .kind = (uint8_t)kind,
                               .record = record};
    cr_assert_eq(bench.venue->submit(bench.venue, &decision, &error), 0, "%s", error.text);
}

static struct event_place place_of(unsigned instrument, int order, enum side side, int64_t price,
                                   int64_t quantity)
{
    return (struct event_place){.instrument = (uint16_t)instrument,
                                .order = (order_id)order,
                                .side = (uint8_t)side,
                                .price = {price, NUMBER_VALUE},
                                .quantity = {quantity, NUMBER_VALUE}};
}

static void send_place(double at, struct event_place place)
{
    union event_record record = {.place = place};
    submit(at, EVENT_place, &record, place.instrument);
}
static void place(double at, int order, enum side side, int64_t price, int64_t quantity)
{
    send_place(at, place_of(LINEAR, order, side, price, quantity));
}
static void place_as(double at, int order, enum side side, int64_t price, int64_t quantity,
                     enum time_in_force time_in_force, bool post_only)
{
    struct event_place place = place_of(LINEAR, order, side, price, quantity);
    place.time_in_force = (uint8_t)time_in_force;
    place.post_only = post_only;
    send_place(at, place);
}
static void cancel(double at, int order)
{
    union event_record record = {
        .cancel = {.instrument = LINEAR, .order = (order_id)order, .why = CANCEL_UNWANTED}};
    submit(at, EVENT_cancel, &record, LINEAR);
}
static void modify(double at, int order, enum side side, int64_t price, int64_t leaves)
{
    union event_record record = {.modify = {.instrument = LINEAR,
                                            .order = (order_id)order,
                                            .side = (uint8_t)side,
                                            .price = {price, NUMBER_VALUE},
                                            .leaves = {leaves, NUMBER_VALUE}}};
    submit(at, EVENT_modify, &record, LINEAR);
}

static void expect(const char *log)
{
    cr_assert_str_eq(bench.log, log, "wanted:\n%sgot:\n%s", log, bench.log);
}

static void expect_money(money amount, const char *text)
{
    char got[MONEY_TEXT_MAX];
    money_to_text(amount, got);
    cr_assert_str_eq(got, text, "wanted %s, got %s", text, got);
}

static const struct sim_stats *stats(void)
{
    return sim_stats(bench.venue);
}

/* --- 1: two orders of the same events -------------------------------------------------------- */

static void trade_at_1000(double arrival)
{
    snapshot(1);
    bid(990, 10);
    ask(1010, 10);
    sell_trade(1000, 1000, 10);
    place(arrival, 1, SIDE_BUY, 1000, 10);
    run_to(1100);
}

Test(sim, an_order_that_arrives_within_the_millisecond_of_a_trade_gets_nothing_of_it)
{
    trade_at_1000(1000.4);
    expect("1000.4 accepted #1\n");
}

Test(sim, an_order_that_arrives_before_the_trade_gets_it)
{
    trade_at_1000(999.9);
    expect("999.9 accepted #1\n"
           "1000 fill #1 1.0@100.0 queue left 0.0\n");
}

Test(sim, an_order_that_arrives_at_the_trade_comes_after_it)
{
    trade_at_1000(1000);
    expect("1000 accepted #1\n");
}

Test(sim, latency_moves_arrival_and_answer)
{
    bench.venue_settings.sim_entry_latency = ms(5);
    bench.venue_settings.sim_answer_latency = ms(7);
    trade_at_1000(994);
    expect("1006 accepted #1\n"
           "1007 fill #1 1.0@100.0 queue left 0.0\n");
}

Test(sim, at_one_venue_time_trades_come_before_the_book)
{
    snapshot(1);
    bid(1000, 50);
    ask(1010, 10);
    depth(100); /* first on the tape, but the trade it shows comes first at the venue */
    bid(1000, 20);
    sell_trade(100, 1000, 30);
    sell_trade(200, 1000, 30);
    place(10, 1, SIDE_BUY, 1000, 40);
    run_to(300);
    expect("10 accepted #1\n"
           "200 fill #1 1.0@100.0 queue left 3.0\n");
}

Test(sim, the_venue_takes_streams_in_its_own_order)
{
    snapshot(1);
    bid(1000, 50);
    ask(1010, 10);
    depth(100);
    bid(1000, 10);
    tell(EVENT_trade, CHANNEL_TRADE, 150, 90); /* delayed by 60 ms: before the depth at 100 */
    add_row(level(1000, 40), ROW_SELL);
    sell_trade(200, 1000, 30);
    place(10, 1, SIDE_BUY, 1000, 40);
    run_to(300);
    expect("10 accepted #1\n"
           "200 fill #1 2.0@100.0 queue left 2.0\n");
}

Test(sim, a_late_message_enters_at_the_present_and_is_counted)
{
    snapshot(1);
    bid(1000, 10);
    ask(1010, 10);
    tell(EVENT_trade, CHANNEL_TRADE, 400, 20); /* 380 ms late: enters at 150 */
    add_row(level(1000, 30), ROW_SELL);
    place(100, 1, SIDE_BUY, 1000, 5);
    run_to(149);
    expect("100 accepted #1\n");
    run_to(500);
    expect("100 accepted #1\n"
           "150 fill #1 0.5@100.0 queue left 0.0\n");
    cr_assert_eq(stats()->late_messages, 1);
}

Test(sim, without_venue_time_the_floor_tells_and_a_future_one_is_cut)
{
    snapshot(1);
    bid(1000, 10);
    ask(1010, 10);
    tell(EVENT_trade, CHANNEL_TRADE, 101, 0)->flags = 0; /* at 100 */
    add_row(level(1000, 12), ROW_SELL);
    tell(EVENT_trade, CHANNEL_TRADE, 200, 900); /* at 200 */
    add_row(level(1000, 12), ROW_SELL);
    place(50, 1, SIDE_BUY, 1000, 5);
    run_to(300);
    expect("50 accepted #1\n"
           "100 fill #1 0.2@100.0 queue left 0.3\n"
           "200 fill #1 0.3@100.0 queue left 0.0\n");
    cr_assert_eq(stats()->future_messages, 1);
}

/* --- 4: queue -------------------------------------------------------------------------------- */

static void level_of_ten(void)
{
    snapshot(1);
    bid(1000, 100);
    ask(1010, 100);
}

Test(sim, queue_moves_by_trades_and_by_what_is_shown)
{
    level_of_ten();
    depth(20);
    bid(1000, 70);
    sell_trade(30, 1000, 40);
    depth(40);
    bid(1000, 30);
    sell_trade(50, 1000, 40);
    place(10, 1, SIDE_BUY, 1000, 20);
    run_to(100);
    expect("10 accepted #1\n"
           "50 fill #1 1.0@100.0 queue left 1.0\n");
}

Test(sim, decreases_after_increases_count_as_behind_us)
{
    level_of_ten();
    depth(20);
    bid(1000, 120);
    depth(30);
    bid(1000, 100);
    sell_trade(40, 1000, 100);
    sell_trade(50, 1000, 5);
    place(10, 1, SIDE_BUY, 1000, 20);
    run_to(45);
    expect("10 accepted #1\n");
    run_to(100);
    expect("10 accepted #1\n"
           "50 fill #1 0.5@100.0 queue left 1.5\n"); /* ahead was 0 after the first */
}

Test(sim, beyond_the_snapshot_the_queue_is_unknown)
{
    level_of_ten();
    sell_trade(20, 900, 5);
    depth(30); /* tells of the level */
    bid(900, 3);
    sell_trade(40, 900, 5);
    place(10, 1, SIDE_BUY, 900, 10);
    run_to(100);
    expect("10 accepted #1\n"
           "40 fill #1 0.2@90.0 queue left 0.8\n");
}

Test(sim, beyond_the_snapshot_a_removed_level_is_known_to_be_empty)
{
    level_of_ten();
    depth(30);
    bid(900, 0);
    sell_trade(40, 900, 5);
    place(10, 1, SIDE_BUY, 900, 10);
    run_to(100);
    expect("10 accepted #1\n"
           "40 fill #1 0.5@90.0 queue left 0.5\n");
}

Test(sim, nothing_fills_in_a_gap)
{
    level_of_ten();
    tell(EVENT_gap, CHANNEL_DEPTH, 21, 20)->record =
        &(union event_record){.gap = {.instrument = LINEAR}};
    sell_trade(30, 900, 500);
    depth(35);
    ask(900, 500);
    snapshot(40);
    bid(1000, 3);
    ask(1010, 10);
    sell_trade(50, 1000, 5);
    place(10, 1, SIDE_BUY, 1000, 10);
    place(32, 2, SIDE_BUY, 1000, 10);
    run_to(100);
    expect("10 accepted #1\n"
           "32 rejected #2 no_book\n"
           "50 fill #1 0.2@100.0 queue left 0.8\n");
}

/* --- 5: through and cross -------------------------------------------------------------------- */

Test(sim, a_trade_beyond_is_shared_by_price_then_arrival)
{
    snapshot(1);
    bid(999, 50);
    bid(998, 10);
    ask(1010, 100);
    sell_trade(20, 998, 30);
    sell_trade(30, 999, 5);
    place(10, 1, SIDE_BUY, 999, 20);
    place(11, 2, SIDE_BUY, 1000, 20);
    run_to(100);
    expect("10 accepted #1\n"
           "11 accepted #2\n"
           "20 fill #2 2.0@100.0 through left 0.0\n"
           "20 fill #1 1.0@99.9 through left 1.0\n"
           "30 fill #1 0.5@99.9 queue left 0.5\n"); /* ahead is 0 since */
}

Test(sim, depth_that_reaches_our_price_fills_what_it_shows_once)
{
    snapshot(1);
    bid(1000, 10);
    ask(1010, 50);
    ask(1030, 10);
    buy_trade(20, 1020, 30);
    depth(30);
    ask(1010, 0);
    bid(1010, 10);
    depth(40); /* another level: what crossed is used up */
    bid(990, 10);
    place(10, 1, SIDE_SELL, 1010, 50);
    run_to(100);
    expect("10 accepted #1\n"
           "20 fill #1 3.0@101.0 through left 2.0\n"
           "30 fill #1 1.0@101.0 cross left 1.0\n");
    cr_assert_eq(stats()->fills_by_cause[FILL_CROSS], 1);
}

Test(sim, depth_that_renews_the_level_crosses_again)
{
    snapshot(1);
    bid(1000, 10);
    ask(1010, 50);
    depth(30);
    bid(1011, 10);
    depth(40);
    bid(1011, 10);
    place(10, 1, SIDE_SELL, 1010, 15);
    place(10, 2, SIDE_SELL, 1010, 15);
    run_to(100);
    expect("10 accepted #1\n"
           "10 accepted #2\n"
           "30 fill #1 1.0@101.0 cross left 0.5\n"
           "40 fill #1 0.5@101.0 cross left 0.0\n"
           "40 fill #2 0.5@101.0 cross left 1.0\n");
}

Test(sim, crossing_can_be_turned_off)
{
    bench.venue_settings.sim_fill_on_cross = false;
    snapshot(1);
    bid(1000, 10);
    ask(1010, 50);
    depth(30);
    bid(1011, 10);
    place(10, 1, SIDE_SELL, 1010, 15);
    run_to(100);
    expect("10 accepted #1\n");
}

Test(sim, two_orders_at_one_price_share_one_trade)
{
    level_of_ten();
    sell_trade(20, 1000, 130);
    sell_trade(30, 1000, 130);
    place(10, 1, SIDE_BUY, 1000, 20);
    place(11, 2, SIDE_BUY, 1000, 20);
    run_to(100);
    expect("10 accepted #1\n"
           "11 accepted #2\n"
           "20 fill #1 2.0@100.0 queue left 0.0\n"
           "20 fill #2 1.0@100.0 queue left 1.0\n"
           "30 fill #2 1.0@100.0 queue left 0.0\n");
}

/* --- 6: taking ------------------------------------------------------------------------------- */

static void two_asks(void)
{
    snapshot(1);
    bid(990, 10);
    ask(1000, 10);
    ask(1010, 20);
}

Test(sim, taking_walks_the_levels_and_uses_them_up)
{
    two_asks();
    place_as(10, 1, SIDE_BUY, 1010, 25, TIME_IN_FORCE_IOC, false);
    place_as(20, 2, SIDE_BUY, 1010, 10, TIME_IN_FORCE_IOC, false);
    run_to(100);
    expect("10 accepted #1\n"
           "10 fill #1 1.0@100.0 take left 1.5 fee 0.1 USDT\n"
           "10 fill #1 1.5@101.0 take left 0.0 fee 0.1515 USDT\n" /* 0.2515 together */
           "20 accepted #2\n"
           "20 fill #2 0.5@101.0 take left 0.5 fee 0.0505 USDT\n"
           "20 cancelled #2 left 5 unfilled\n");
}

Test(sim, depth_renews_a_level_that_was_taken)
{
    two_asks();
    depth(15);
    ask(1000, 10);
    place_as(10, 1, SIDE_BUY, 1010, 30, TIME_IN_FORCE_IOC, false);
    place_as(20, 2, SIDE_BUY, 1010, 30, TIME_IN_FORCE_IOC, false);
    run_to(100);
    expect("10 accepted #1\n"
           "10 fill #1 1.0@100.0 take left 2.0 fee 0.1 USDT\n"
           "10 fill #1 2.0@101.0 take left 0.0 fee 0.202 USDT\n"
           "20 accepted #2\n"
           "20 fill #2 1.0@100.0 take left 2.0 fee 0.1 USDT\n"
           "20 cancelled #2 left 20 unfilled\n");
}

Test(sim, post_only_that_would_cross_is_rejected)
{
    two_asks();
    place_as(10, 1, SIDE_BUY, 1000, 5, TIME_IN_FORCE_GTC, true);
    place_as(11, 2, SIDE_BUY, 999, 5, TIME_IN_FORCE_GTC, true);
    place_as(12, 3, SIDE_BUY, 999, 5, TIME_IN_FORCE_IOC, true);
    run_to(100);
    expect("10 rejected #1 post_only_would_cross\n"
           "11 accepted #2\n"
           "12 rejected #3 unsupported\n");
    cr_assert_eq(stats()->order_rejects[REJECT_POST_ONLY], 1);
}

Test(sim, fill_or_kill_is_all_or_nothing)
{
    two_asks();
    place_as(10, 1, SIDE_BUY, 1010, 31, TIME_IN_FORCE_FOK, false);
    place_as(11, 2, SIDE_BUY, 1000, 11, TIME_IN_FORCE_FOK, false);
    place_as(12, 3, SIDE_BUY, 1010, 30, TIME_IN_FORCE_FOK, false);
    run_to(100);
    expect("10 rejected #1 fill_or_kill\n"
           "11 rejected #2 fill_or_kill\n"
           "12 accepted #3\n"
           "12 fill #3 1.0@100.0 take left 2.0 fee 0.1 USDT\n"
           "12 fill #3 2.0@101.0 take left 0.0 fee 0.202 USDT\n");
}

Test(sim, what_a_marketable_order_can_not_take_rests)
{
    two_asks();
    sell_trade(50, 1000, 5);
    place(10, 1, SIDE_BUY, 1000, 15);
    run_to(100);
    expect("10 accepted #1\n"
           "10 fill #1 1.0@100.0 take left 0.5 fee 0.1 USDT\n"
           "50 fill #1 0.5@100.0 queue left 0.0\n");
}

/* --- 7: aggressor ---------------------------------------------------------------------------- */

Test(sim, a_buying_aggressor_fills_asks_only_and_off_market_trades_nobody)
{
    snapshot(1);
    bid(990, 10);
    ask(1010, 10);
    trade(20, ROW_NOT_MARKET, 1000, 50);
    trade(21, ROW_SELL | ROW_NOT_MARKET, 1000, 50);
    trade(22, ROW_SELL, 1000, 0);
    buy_trade(30, 1000, 3);
    sell_trade(40, 1000, 4);
    place(10, 1, SIDE_BUY, 999, 10);
    place(10, 2, SIDE_SELL, 1000, 10);
    place(10, 3, SIDE_BUY, 1000, 10);
    run_to(100);
    expect("10 accepted #1\n"
           "10 accepted #2\n"
           "10 accepted #3\n"
           "30 fill #2 0.3@100.0 queue left 0.7\n"
           "40 fill #3 0.4@100.0 queue left 0.6\n");
}

/* --- 9 and 11: fees and funds ---------------------------------------------------------------- */

static void spot_at(int64_t bid_price, int64_t ask_price, int64_t quantity)
{
    snapshot(1);
    bench.messages[0].stream = EVENT_STREAM(SPOT, CHANNEL_DEPTH);
    bid(bid_price, quantity);
    ask(ask_price, quantity);
}

Test(sim, a_spot_fee_is_in_what_was_received)
{
    struct event_definition *spot = &bench.definitions[SPOT];
    spot->price_exponent = -2;
    spot->quantity_exponent = 0;
    spot->fee_asset = FEE_IN_RECEIVED;
    spot_at(345255, 345255 + 1, 10);
    bench.rows[1].price = 345256;
    strcpy(bench.venue_settings.sim_balances.text, "34525.5 USDT,0 ETH");
    depth(15);
    bench.messages[1].stream = EVENT_STREAM(SPOT, CHANNEL_DEPTH);
    ask(345255, 10);
    bid(345255, 0);
    depth(25);
    bench.messages[2].stream = EVENT_STREAM(SPOT, CHANNEL_DEPTH);
    ask(345255, 0);
    bid(345255, 10);
    send_place(20, place_of(SPOT, 1, SIDE_BUY, 345255, 10));
    run_to(21);
    expect_money(sim_balance(bench.venue, 0, ETH), "9.99");
    expect_money(sim_balance(bench.venue, 0, USDT), "0");
    send_place(30, place_of(SPOT, 2, SIDE_SELL, 345255, 10)); /* 9.99 is less than 10 */
    send_place(31, place_of(SPOT, 3, SIDE_SELL, 345255, 9));
    run_to(32);
    expect_money(sim_balance(bench.venue, 0, ETH), "0.99");
    expect_money(sim_balance(bench.venue, 0, USDT), "31041.87705"); /* 31,072.95 - 31.07295 */
    cr_assert_eq(stats()->order_rejects[REJECT_FUNDS], 1);
}

Test(sim, selling_ten_costs_the_fee_of_the_rule)
{
    struct event_definition *spot = &bench.definitions[SPOT];
    spot->price_exponent = -2;
    spot->quantity_exponent = 0;
    spot->fee_asset = FEE_IN_RECEIVED;
    strcpy(bench.venue_settings.sim_balances.text, "10 ETH");
    spot_at(345255, 345256, 10);
    send_place(20, place_of(SPOT, 1, SIDE_SELL, 345255, 10));
    run_to(21);
    expect_money(sim_balance(bench.venue, 0, USDT), "34490.9745"); /* 34,525.50 - 34.5255 */
    expect_money(sim_balance(bench.venue, 0, ETH), "0");
}

Test(sim, fees_round_against_us)
{
    bench.definitions[LINEAR].quote_commission_exponent = -2;
    bench.definitions[LINEAR].maker_fee = -100000; /* a rebate of 1 bp */
    two_asks();
    sell_trade(20, 989, 30);
    place_as(10, 1, SIDE_BUY, 1010, 13, TIME_IN_FORCE_IOC, false);
    place(11, 2, SIDE_BUY, 990, 10);
    run_to(100);
    expect("10 accepted #1\n"
           "10 fill #1 1.0@100.0 take left 0.3 fee 0.1 USDT\n"
           "10 fill #1 0.3@101.0 take left 0.0 fee 0.04 USDT\n" /* 0.0303 */
           "11 accepted #2\n"
           "20 fill #2 1.0@99.0 through left 0.0\n"); /* -0.0099 is 0 */
}

Test(sim, an_inverse_fee_is_in_coin)
{
    struct event_definition *inverse = &bench.definitions[INVERSE];
    inverse->quantity_exponent = 0;
    inverse->multiplier = 100;
    inverse->taker_fee = 500000; /* 5 bp */
    snapshot(1);
    bench.messages[0].stream = EVENT_STREAM(INVERSE, CHANNEL_DEPTH);
    ask(618000, 10);
    send_place(10, place_of(INVERSE, 1, SIDE_BUY, 618000, 10));
    run_to(20);
    /* 10 x 100 / 61,800.0 = 0.01618123; x 0.0005 = 0.000008090615 */
    expect("10 accepted #1\n"
           "10 fill #1 1.0@61800.0 take left 0.0 fee 0.0000081 ETH\n");
}

Test(sim, resting_orders_hold_funds_until_their_cancel_arrives)
{
    bench.venue_settings.sim_entry_latency = ms(5);
    strcpy(bench.venue_settings.sim_balances.text, "1000 USDT");
    bench.definitions[SPOT].taker_fee = 0;
    spot_at(990, 1010, 10);
    send_place(10, place_of(SPOT, 1, SIDE_BUY, 900, 100));
    send_place(20, place_of(SPOT, 2, SIDE_BUY, 1000, 20));
    union event_record record = {.cancel = {.instrument = SPOT, .order = 1}};
    submit(30, EVENT_cancel, &record, SPOT);
    send_place(31, place_of(SPOT, 3, SIDE_BUY, 1000, 100));
    run_to(100);
    expect("15 accepted #1\n"
           "25 rejected #2 insufficient_funds\n"
           "35 cancelled #1 left 100 requested\n"
           "36 accepted #3\n");
}

/* --- requests -------------------------------------------------------------------------------- */

Test(sim, orders_off_the_grid_or_too_small_are_refused)
{
    bench.definitions[LINEAR].tick = 5;
    bench.definitions[LINEAR].lot = 2;
    cr_assert(money_from_units(10, 0, &bench.definitions[LINEAR].minimum_notional));
    two_asks();
    place(10, 1, SIDE_BUY, 981, 10);
    place(11, 2, SIDE_BUY, 980, 11);
    place(12, 3, SIDE_BUY, 5, 2);
    place(13, 4, SIDE_BUY, 0, 10);
    place(14, 5, SIDE_BUY, 980, 0);
    struct event_place nan = place_of(LINEAR, 6, SIDE_BUY, 0, 10);
    nan.price.status = NUMBER_NAN;
    send_place(15, nan);
    place(16, 7, SIDE_BUY, 980, 10);
    place(17, 7, SIDE_BUY, 980, 10);
    run_to(100);
    expect("10 rejected #1 off_tick\n"
           "11 rejected #2 off_lot\n"
           "12 rejected #3 minimum_notional\n"
           "13 rejected #4 bad_price\n"
           "14 rejected #5 bad_quantity\n"
           "15 rejected #6 bad_price\n"
           "16 accepted #7\n"
           "17 rejected #7 duplicate_id\n");
}

Test(sim, without_a_book_or_trading_no_order_is_taken)
{
    snapshot(20);
    bid(990, 10);
    tell(EVENT_instrument_status, CHANNEL_REFERENCE, 31, 30)->record = &(union event_record){
        .instrument_status = {.instrument = LINEAR, .trading = TRADING_HALTED}};
    sell_trade(40, 900, 50);
    place(10, 1, SIDE_BUY, 990, 10);
    place(25, 2, SIDE_BUY, 990, 10);
    place(35, 3, SIDE_BUY, 990, 10);
    cancel(50, 2);
    run_to(100);
    expect("10 rejected #1 no_book\n"
           "25 accepted #2\n"
           "35 rejected #3 halted\n"
           "50 cancelled #2 left 10 requested\n");
}

Test(sim, a_full_venue_refuses_and_ended_orders_make_room)
{
    bench.global.orders_capacity = 2;
    two_asks();
    place(10, 1, SIDE_BUY, 980, 10);
    place(11, 2, SIDE_BUY, 980, 10);
    place(12, 3, SIDE_BUY, 980, 10);
    cancel(13, 1);
    for (int i = 0; i < 20; i++) {
        place(14 + i, 4 + i, SIDE_BUY, 980, 10);
        cancel(14.5 + i, 4 + i);
    }
    run_to(100);
    cr_assert_eq(strncmp(bench.log,
                         "10 accepted #1\n11 accepted #2\n12 rejected #3 venue_full\n"
                         "13 cancelled #1 left 10 requested\n14 accepted #4\n",
                         90),
                 0, "%s", bench.log);
    cr_assert_eq(stats()->order_rejects[REJECT_FULL], 1);
    cr_assert_eq(stats()->requests, 44);
}

Test(sim, a_cancel_that_arrives_after_the_fill_is_refused)
{
    bench.venue_settings.sim_entry_latency = ms(5);
    bench.venue_settings.sim_answer_latency = ms(5);
    two_asks();
    sell_trade(104, 980, 10);
    place(10, 1, SIDE_BUY, 990, 10);
    place(11, 2, SIDE_BUY, 980, 10);
    cancel(100, 1);
    cancel(110, 1);
    cancel(111, 9);
    cancel(112, 2);
    run_to(200);
    expect("20 accepted #1\n"
           "21 accepted #2\n"
           "109 fill #1 1.0@99.0 through left 0.0\n"
           "110 cancel rejected #1 already_filled\n"
           "120 cancel rejected #1 already_filled\n"
           "121 cancel rejected #9 not_found\n"
           "122 cancelled #2 left 10 requested\n");
}

Test(sim, a_smaller_size_keeps_the_place_a_larger_one_or_a_price_does_not)
{
    level_of_ten();
    sell_trade(20, 1000, 90); /* ahead 1 */
    depth(21);
    bid(1000, 50); /* 4 joined behind us */
    sell_trade(40, 1000, 20);
    sell_trade(60, 1000, 45); /* ahead 5, then 4 shown */
    place(10, 1, SIDE_BUY, 1000, 20);
    modify(30, 1, SIDE_BUY, 1000, 15);
    modify(50, 1, SIDE_BUY, 1000, 30);
    run_to(55);
    expect("10 accepted #1\n"
           "30 modified #1 15@1000\n"
           "40 fill #1 1.0@100.0 queue left 0.5\n"
           "50 modified #1 30@1000\n");
    run_to(100);
    cr_assert_eq(stats()->fills_by_cause[FILL_QUEUE], 1, "%s", bench.log);
}

Test(sim, a_modified_price_starts_again_and_may_take)
{
    two_asks();
    sell_trade(40, 984, 3);
    place(10, 1, SIDE_BUY, 980, 20);
    modify(20, 1, SIDE_BUY, 985, 10);
    modify(50, 1, SIDE_BUY, 1000, 17);
    modify(60, 1, SIDE_SELL, 1000, 17);
    run_to(100);
    expect("10 accepted #1\n"
           "20 modified #1 10@985\n"
           "40 fill #1 0.3@98.5 through left 0.7\n"
           "50 modified #1 17@1000\n"
           "50 fill #1 1.0@100.0 take left 0.7 fee 0.1 USDT\n"
           "60 modify rejected #1 other\n");
}

Test(sim, a_modify_counts_fills_its_sender_did_not_know)
{
    bench.venue_settings.sim_entry_latency = ms(5);
    bench.venue_settings.sim_answer_latency = ms(5);
    two_asks();
    sell_trade(100, 980, 6);
    sell_trade(120, 980, 4);
    place(10, 1, SIDE_BUY, 990, 10);
    modify(99, 1, SIDE_BUY, 985, 10); /* meanwhile 0.6 fill: 0.4 are left to move */
    modify(118, 1, SIDE_BUY, 985, 2); /* known now; 0.4 fill meanwhile */
    run_to(200);
    expect("20 accepted #1\n"
           "105 fill #1 0.6@99.0 through left 0.4\n"
           "109 modified #1 4@985\n"
           "125 fill #1 0.4@98.5 through left 0.0\n"
           "128 modify rejected #1 already_filled\n");
}

Test(sim, a_modify_of_post_only_that_would_cross_leaves_the_order)
{
    two_asks();
    place_as(10, 1, SIDE_BUY, 980, 20, TIME_IN_FORCE_GTC, true);
    modify(20, 1, SIDE_BUY, 1000, 20);
    cancel(30, 1);
    modify(40, 1, SIDE_BUY, 980, 20);
    run_to(100);
    expect("10 accepted #1\n"
           "20 modify rejected #1 post_only_would_cross\n"
           "30 cancelled #1 left 20 requested\n"
           "40 modify rejected #1 not_found\n");
}

Test(sim, a_query_tells_of_the_order_or_that_there_is_none)
{
    two_asks();
    place(10, 1, SIDE_BUY, 980, 20);
    union event_record one = {.query = {.instrument = LINEAR, .order = 1}};
    union event_record two = {.query = {.instrument = LINEAR, .order = 2}};
    submit(20, EVENT_query, &one, LINEAR);
    submit(21, EVENT_query, &two, LINEAR);
    run_to(100);
    expect("10 accepted #1\n"
           "20 open_order\n"
           "21 order_not_found\n");
}

/* --- answers --------------------------------------------------------------------------------- */

Test(sim, answers_keep_their_order_and_the_engine_may_answer_each)
{
    bench.venue_settings.sim_answer_latency = ms(10);
    struct error error;
    two_asks();
    sell_trade(35, 985, 10);
    place(10, 1, SIDE_BUY, 985, 10);
    place(11, 2, SIDE_BUY, 980, 10);
    /* Advance far: the venue must stop where the engine could still act. */
    cr_assert_eq(bench.venue->advance(bench.venue, ms(200), &error), 0);
    cr_assert_eq(bench.venue->next(bench.venue), ms(20));
    const struct message *answer = bench.venue->answer(bench.venue, ms(200));
    cr_assert_eq(answer->ts_local, ms(20));
    cr_assert_eq(answer->ts_venue, ms(10));
    cr_assert_eq(answer->stream, EVENT_STREAM(LINEAR, CHANNEL_SESSION));
    union event_record record = {.cancel = {.instrument = LINEAR, .order = 1}};
    struct message decision = {.ts_local = ms(20),
                               .stream = EVENT_STREAM(LINEAR, CHANNEL_SESSION),
                               .kind = EVENT_cancel,
                               .record = &record};
    cr_assert_eq(bench.venue->submit(bench.venue, &decision, &error), 0);
    run_to(200);
    expect("21 accepted #2\n"
           "30 cancelled #1 left 10 requested\n"); /* before the trade at 35 */
}

Test(sim, the_account_snapshot_stands_at_the_start)
{
    bench.venue_settings.sim_answer_latency = ms(10);
    struct error error;
    two_asks();
    run_to(50);
    cr_assert_eq(bench.venue->start(bench.venue, ms(50), &error), 0);
    run_to(50);
    expect("50 balance\n"
           "50 balance\n"
           "50 snapshot_end\n");
}

Test(sim, what_is_due_after_the_end_is_counted)
{
    bench.venue_settings.sim_entry_latency = ms(10);
    bench.venue_settings.sim_answer_latency = ms(10);
    struct error error;
    two_asks();
    place(10, 1, SIDE_BUY, 980, 10);
    place(25, 2, SIDE_BUY, 980, 10);
    run_to(29);
    cr_assert_eq(bench.venue->finish(bench.venue, &error), 0);
    expect("");
    cr_assert_eq(stats()->answers_lost, 1);
    cr_assert_eq(stats()->requests_lost, 1);
    cr_assert_eq(stats()->orders_open, 1);
}

/* --- settings -------------------------------------------------------------------------------- */

static void expect_balances_refused(const char *text, const char *sentence)
{
    struct error error;
    struct venue *venue = NULL;
    strcpy(bench.venue_settings.sim_balances.text, text);
    if (!bench.feed)
        cr_assert_eq(memory_feed_open(&bench.feed, bench.messages, 0, &error), 0);
    struct sim_options options = {.feed = bench.feed,
                                  .names = &bench.names,
                                  .global = &bench.global,
                                  .venues = &bench.venue_settings,
                                  .instruments = bench.instrument_settings};
    cr_assert_eq(sim_open(&venue, &options, &error), ERROR_INPUT);
    cr_assert_str_eq(error.text, sentence);
    cr_assert_null(venue);
}

Test(sim, balances_that_can_not_be_read_are_refused)
{
    expect_balances_refused("10 XYZ", "sim.balances of v1: the tape has no asset 'XYZ'");
    expect_balances_refused("1 ETH, 2 ETH", "sim.balances of v1: 'ETH' stands there twice");
    expect_balances_refused("1 ETH 2 USDT", "sim.balances of v1: expected a comma before '2 USDT'");
    expect_balances_refused("nan ETH", "sim.balances of v1: 'nan' is no amount; expected "
                                       "\"100000 USDT, 1.5 BTC\"");
    expect_balances_refused("-1 ETH", "sim.balances of v1: '-1' is no amount; expected "
                                      "\"100000 USDT, 1.5 BTC\"");
}

Test(sim, a_book_that_is_too_small_ends_the_run)
{
    struct error error;
    snapshot(1);
    for (int i = 0; i < 70; i++)
        ask(1000 + 100000 * i, 1);
    run_to(0.5);
    cr_assert_eq(bench.venue->advance(bench.venue, ms(10), &error), ERROR_INPUT);
    cr_assert_str_eq(
        error.text, "book.far_levels of v1:ETHPERP: the simulated venue's book needs more than 64");
}
