/* Market state: top view, bad numbers, gaps, freshness. */
#include <criterion/criterion.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

static void start(void)
{
    harness_init(&h);
    h.definitions[0].tick = 1;
    harness_start(&h);
}

Test(market, rule_3_top_is_kept_until_depth_is_as_new)
{
    start();
    harness_book_at(&h, 0, EVENT_snapshot, 100, 999, 5, 1010, 5);
    harness_book_at(&h, 0, EVENT_top, 105, 1001, 3, 1009, 3);
    harness_book_at(&h, 0, EVENT_depth, 103, 1000, 5, 0, 0);
    const struct market *market = &h.engine->instruments[0].market;
    cr_expect_eq(book_quantity(market->book, SIDE_BUY, 1000), 5);
    cr_expect_eq(market->top.price[SIDE_BUY], 1001);
    cr_expect_eq(market->top.quantity[SIDE_SELL], 3);
    harness_book_at(&h, 0, EVENT_depth, 105, 998, 1, 0, 0);
    cr_expect_eq(market->top.price[SIDE_BUY], 1000);
    cr_expect_eq(market->top.price[SIDE_SELL], 1010);
    harness_close(&h);
}

Test(market, an_older_top_changes_nothing)
{
    start();
    harness_book_at(&h, 0, EVENT_snapshot, 100, 999, 5, 1010, 5);
    harness_book_at(&h, 0, EVENT_top, 99, 1001, 3, 1009, 3);
    cr_expect_eq(h.engine->instruments[0].market.top.price[SIDE_BUY], 999);
    harness_close(&h);
}

Test(market, without_sequences_the_last_told_holds)
{
    start();
    harness_book_at(&h, 0, EVENT_snapshot, 0, 999, 5, 1010, 5);
    harness_book_at(&h, 0, EVENT_top, 0, 1001, 3, 1009, 3);
    cr_expect_eq(h.engine->instruments[0].market.top.price[SIDE_BUY], 1001);
    harness_book_at(&h, 0, EVENT_depth, 0, 1000, 5, 0, 0);
    cr_expect_eq(h.engine->instruments[0].market.top.price[SIDE_BUY], 1000);
    harness_close(&h);
}

/* Rule 3: a sequence orders depth and best prices only where both have one. */
Test(market, depth_without_a_sequence_is_the_newest)
{
    start();
    harness_book_at(&h, 0, EVENT_snapshot, 100, 999, 5, 1010, 5);
    harness_book_at(&h, 0, EVENT_top, 105, 1001, 3, 1009, 3);
    harness_book_at(&h, 0, EVENT_depth, 0, 1000, 5, 0, 0);
    cr_expect_eq(h.engine->instruments[0].market.top.price[SIDE_BUY], 1000);
    harness_close(&h);
}

static void give_rows(enum event_kind kind, const struct row *rows, uint32_t count)
{
    struct message message = {.ts_local = h.now,
                              .kind = (uint8_t)kind,
                              .stream = EVENT_STREAM(0, CHANNEL_DEPTH),
                              .sequence = ++h.sequence,
                              .row_count = count,
                              .rows = rows};
    harness_give(&h, &message);
}

Test(market, bad_numbers_are_removed_one_by_one)
{
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    struct row rows[] = {
        {.price = 995, .quantity = 7},
        {.price_status = NUMBER_NAN, .quantity = 1},
        {.price = 990, .quantity_status = NUMBER_INFINITE},
        {.price = -5, .quantity = 1},
        {.price = 985, .quantity = -1},
        {.price = 981, .quantity = 1},
        {.price = INT64_MAX - 2, .quantity = 1},
        {.price = 980, .quantity = 9, .flags = ROW_LAST},
    };
    give_rows(EVENT_depth, rows, 8);
    const struct book *book = engine_book(h.engine, 0);
    cr_expect_eq(book_quantity(book, SIDE_BUY, 995), 7);
    cr_expect_eq(book_quantity(book, SIDE_BUY, 980), 9);
    cr_expect_eq(book_level_count(book, SIDE_BUY), 3);
    cr_expect_eq(book_sequence(book), h.sequence);
    cr_expect_eq(engine_counters(h.engine)->removed_numbers, 6);
    cr_assert_eq(harness_count(&h, EVENT_removed), 6);
    static const uint8_t reasons[] = {REJECT_PRICE,    REJECT_QUANTITY, REJECT_PRICE,
                                      REJECT_QUANTITY, REJECT_TICK,     REJECT_PRICE};
    for (size_t i = 0; i < 6; i++)
        cr_expect_eq(harness_find(&h, EVENT_removed, i)->removed.reason, reasons[i]);
    cr_expect_eq(harness_find(&h, EVENT_removed, 0)->removed.price.status, NUMBER_NAN);
    harness_close(&h);
}

Test(market, at_most_eight_are_told)
{
    struct row rows[20];
    harness_init(&h);
    harness_start(&h);
    for (int i = 0; i < 20; i++)
        rows[i] = (struct row){.price_status = NUMBER_NAN, .quantity = 1};
    give_rows(EVENT_snapshot, rows, 20);
    cr_expect_eq(harness_count(&h, EVENT_removed), 8);
    cr_expect_eq(engine_counters(h.engine)->removed_numbers, 20);
    harness_close(&h);
}

Test(market, a_nan_in_the_top_leaves_the_view_as_it_was)
{
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    struct row rows[] = {{.price_status = NUMBER_NAN, .quantity = 1},
                         {.price = 1010, .quantity = 2, .flags = ROW_SELL}};
    give_rows(EVENT_top, rows, 2);
    cr_expect_eq(h.engine->instruments[0].market.top.price[SIDE_BUY], 1000);
    cr_expect_eq(h.engine->instruments[0].market.top.price[SIDE_SELL], 1010);
    harness_close(&h);
}

/* Every tick that divides or does not. */
Test(market, off_tick_without_division)
{
    static const int64_t ticks[] = {1, 2, 3, 5, 8, 10, 25, 100, 96, 1000000007, INT64_C(1) << 40};
    for (size_t t = 0; t < sizeof ticks / sizeof *ticks; t++) {
        harness_init(&h);
        h.definitions[0].tick = ticks[t];
        struct limits limits;
        const char *problem;
        cr_assert(limits_resolve(&limits, &h.settings[0], &h.definitions[0], &problem), "%s",
                  problem);
        for (int64_t price = 1; price < 5000; price++) {
            cr_assert_eq(limits_on_tick(&limits, price), price % ticks[t] == 0);
            cr_assert_eq(limits_on_tick(&limits, price * 977 * 65537),
                         price * 977 * 65537 % ticks[t] == 0);
        }
        cr_assert(limits_on_tick(&limits, ticks[t] * 12345));
    }
}

static void give_gap(enum channel channel)
{
    union event_record record = {.gap = {.instrument = 0, .cause = GAP_SEQUENCE}};
    harness_record(&h, EVENT_gap, EVENT_STREAM(0, channel), &record);
}

Test(market, a_gap_pulls_all_until_a_snapshot)
{
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    give_gap(CHANNEL_TRADE);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    give_gap(CHANNEL_DEPTH);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_find(&h, EVENT_breaker, 0)->breaker.breaker, BREAKER_GAP);
    cr_expect_not(book_is_synchronised(engine_book(h.engine, 0)));
    harness_cancelled(&h, 1, 10);
    harness_cancelled(&h, 2, 10);
    harness_book(&h, 0, EVENT_depth, 1000, 50, 1005, 40);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_expect_eq(harness_count(&h, EVENT_place), 2);
    cr_expect_eq(harness_find(&h, EVENT_breaker, 0)->breaker.state, BREAKER_CLEAR);
    harness_close(&h);
}

Test(market, a_lost_connection_is_a_gap_of_every_book_of_the_venue)
{
    harness_init(&h);
    h.instrument_count = 2;
    h.definitions[1].venue = 1;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_book(&h, 1, EVENT_snapshot, 1000, 50, 1005, 40);
    union event_record record = {.feed_connection = {.venue = 0, .connected = 0}};
    harness_record(&h, EVENT_feed_connection, EVENT_NONE_16, &record);
    cr_expect_not(book_is_synchronised(engine_book(h.engine, 0)));
    cr_expect(book_is_synchronised(engine_book(h.engine, 1)));
    harness_close(&h);
}

static void gap_of(unsigned stream)
{
    union event_record record = {.gap = {.instrument = 0}};
    harness_record(&h, EVENT_gap, stream, &record);
}

/* What is missing of best prices or trades is not missing in the book; of a gap that names no stream nobody
 * knows what is missing. */
Test(market, a_gap_is_one_of_the_stream_that_it_names)
{
    start();
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    gap_of(EVENT_STREAM(0, CHANNEL_TOP));
    gap_of(EVENT_STREAM(0, CHANNEL_TRADE));
    cr_expect(book_is_synchronised(engine_book(h.engine, 0)));
    cr_expect_eq(h.engine->instruments[0].breakers.state[BREAKER_GAP], BREAKER_CLEAR);
    gap_of(EVENT_NONE_16);
    cr_expect_not(book_is_synchronised(engine_book(h.engine, 0)));
    cr_expect_eq(h.engine->instruments[0].breakers.state[BREAKER_GAP], BREAKER_CANCEL_ALL);
    harness_close(&h);
}

static void tell_funding(int64_t rate, int64_t due)
{
    union event_record record = {.funding = {.rate = rate, .due = due}};
    harness_record(&h, EVENT_funding, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
}

/* Before the start nothing is booked, whatever is due: the first that counts is due afterwards. */
Test(market, before_start_no_funding_is_booked)
{
    harness_init(&h);
    harness_make(&h);
    const struct market *market = &h.engine->instruments[0].market;
    h.now = SECONDS(1);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    tell_funding(1000, SECONDS(5));
    h.now = SECONDS(6);
    tell_funding(2000, SECONDS(6)); /* the one before is overtaken, and this one is due */
    cr_expect_eq(market->funding_due, SECONDS(6));
    tell_funding(3000, SECONDS(9));
    cr_expect_eq(h.engine->instruments[0].position.last_funding_due, INT64_MIN);
    h.now = SECONDS(7);
    harness_begin(&h);
    harness_position(&h, 0, SIDE_BUY, 1000, 2000);
    cr_expect_eq(harness_count(&h, EVENT_funding_booked), 0);
    harness_run_to(&h, SECONDS(9));
    cr_assert_eq(harness_count(&h, EVENT_funding_booked), 1);
    cr_expect_eq(harness_find(&h, EVENT_funding_booked, 0)->funding_booked.rate, 3000);
    /* 2 x 100.25 x 0.000003 */
    cr_expect(h.engine->instruments[0].position.funding.atto == -INT64_C(601500000000000));
    harness_close(&h);
}

Test(market, before_start_messages_only_build_books)
{
    harness_init(&h);
    struct engine_config config = {.global = &h.global,
                                   .venue_count = 2,
                                   .asset_count = HARNESS_ASSETS,
                                   .instrument_count = 1,
                                   .venues = h.venues,
                                   .instruments = h.settings,
                                   .definitions = h.definitions};
    static _Alignas(64) uint8_t memory[8 << 20];
    cr_assert_leq(engine_size(&config), sizeof memory);
    h.engine = engine_init(memory, sizeof memory, &config);
    h.now = SECONDS(1);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_expect_eq(h.count, 0);
    cr_expect_eq(engine_deadline(h.engine), TIME_NEVER);
    union event_record record = {.start = {.epoch = 3}};
    harness_record(&h, EVENT_start, EVENT_NONE_16, &record);
    cr_expect_eq(h.count, 0);
    record.snapshot_end = (struct event_snapshot_end){.venue = 0};
    harness_record(&h, EVENT_snapshot_end, EVENT_NONE_16, &record);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.order, (UINT64_C(3) << 32) | 1);
}

Test(market, a_full_book_is_named)
{
    harness_init(&h);
    h.settings[0].safety_stale_after = SECONDS(10);
    harness_start(&h);
    uint64_t needed;
    harness_book(&h, 0, EVENT_snapshot, 100000000, 1, 100000005, 1);
    for (int64_t i = 1; engine_full_setting(h.engine, &needed) == NULL && i < 1000; i++)
        harness_book(&h, 0, EVENT_depth, 5 * i, 1, 0, 0);
    cr_assert_str_eq(engine_full_setting(h.engine, &needed), "book.far_levels");
    cr_expect_gt(needed, 64);
    cr_expect_not(book_is_synchronised(engine_book(h.engine, 0)));
    harness_close(&h);
}

/* Two levels off the tick around one that there is no room for: the rest of the message is of no use. */
Test(market, a_table_that_is_full_ends_a_message_with_faults)
{
    uint64_t needed;
    harness_init(&h);
    h.settings[0].book_far_levels = 1;
    harness_start(&h);
    const struct row rows[] = {{.price = 100000000, .quantity = 1},
                               {.price = 99999999, .quantity = 1}, /* between two ticks */
                               {.price = 5, .quantity = 1},
                               {.price = 10, .quantity = 1}, /* the second that is far away */
                               {.price = 99999998, .quantity = 1}};
    give_rows(EVENT_snapshot, rows, sizeof rows / sizeof rows[0]);
    cr_assert_str_eq(engine_full_setting(h.engine, &needed), "book.far_levels");
    cr_expect_eq(needed, 2);
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    cr_expect(h.engine->instruments[0].market.gap);
    cr_expect_not(book_is_synchronised(engine_book(h.engine, 0)));
    harness_close(&h);
}

/* A coarser tick: what stands off the new grid can still be taken out of the book. */
Test(market, a_level_of_the_old_grid_can_be_removed)
{
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    union event_record record = {.definition = h.definitions[0]};
    record.definition.tick = 10;
    harness_record(&h, EVENT_definition, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
    harness_book(&h, 0, EVENT_depth, 0, 0, 1005, 0);
    harness_book(&h, 0, EVENT_depth, 0, 0, 1010, 30);
    cr_expect_eq(h.engine->counters.removed_numbers, 0);
    cr_expect_eq(h.engine->instruments[0].market.top.price[SIDE_SELL], 1010);
    harness_book(&h, 0, EVENT_depth, 0, 0, 1005, 1);
    cr_expect_eq(h.engine->counters.removed_numbers, 1);
    harness_close(&h);
}

/* What no instrument can become: nothing is known of its market until a whole book, and its grid stays. */
static void refuse(const struct event_definition *definition)
{
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_assert(market_has_view(&h.engine->instruments[0].market));
    const union event_record record = {.definition = *definition};
    harness_record(&h, EVENT_definition, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
    cr_expect_not(market_has_view(&h.engine->instruments[0].market));
    cr_expect_eq(h.engine->instruments[0].definition.tick, 5);
    cr_expect_eq(h.engine->instruments[0].limits.quote.tick, 5);
}

Test(market, a_definition_that_no_instrument_can_have_is_refused)
{
    harness_init(&h);
    /* In ticks of 5 it is a distance that can be reckoned with, in ticks of 1 none. */
    h.settings[0].quote_step = PLAIN((INT64_C(1) << 57) / 1000 * 3, -1);
    harness_start(&h);
    struct event_definition definition = h.definitions[0];
    definition.tick = ENGINE_PRICE_MAX + 1;
    refuse(&definition);
    definition.tick = INT64_MAX;
    refuse(&definition);
    definition.tick = 0;
    refuse(&definition);
    definition.tick = 1;
    refuse(&definition);
    definition = h.definitions[0];
    definition.lot = 0;
    refuse(&definition);
    harness_close(&h);
}

/* --- marks of rule 14 ---------------------------------------------------------------------------------- */

/* Spot has no mark: one that a venue tells all the same, and later than its book, outlives no mid. */
Test(market, a_mark_of_spot_is_none)
{
    for (unsigned spot = 0; spot < 2; spot++) {
        int64_t mark2;
        bool stale;
        harness_init(&h);
        h.settings[0].quote_enabled = false;
        if (spot)
            h.definitions[0].contract = CONTRACT_SPOT;
        harness_start(&h);
        harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
        h.now = SECONDS(3);
        union event_record record = {.mark = {.price = {900, NUMBER_VALUE}}};
        harness_record(&h, EVENT_mark, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
        const struct market *market = &h.engine->instruments[0].market;
        cr_assert(market_mark2(market, SECONDS(20), &mark2, &stale));
        cr_expect(stale);
        cr_expect_eq(mark2, spot ? 2005 : 1800);
        h.now = SECONDS(20);
        record.gap = (struct event_gap){.instrument = 0};
        harness_record(&h, EVENT_gap, EVENT_NONE_16, &record);
        cr_expect_eq(market->mid2, 0);
        cr_expect_eq(market->last_mark2.value, spot ? 2005 : 1800);
        cr_expect_eq(market->last_mark2.ts, SECONDS(spot ? 5 : 8));
        harness_close(&h);
    }
}

/* A mid each 8 ms while nobody asks: of more than are kept the one a second ago is still found, 120 before. */
Test(market, a_second_ago_is_found_among_more_mids_than_are_kept)
{
    enum { MIDS = 200, AGO = 120 };
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    for (int64_t i = 0; i < MIDS; i++) {
        h.now = i << ENGINE_MID_SHIFT;
        harness_book(&h, 0, EVENT_snapshot, 1000 + 5 * i, 50, 1005 + 5 * i, 40);
    }
    int64_t last = MIDS - 1;
    cr_expect_eq(market_reference4(&h.engine->instruments[0].market, h.now),
                 2005 + 10 * last + 2005 + 10 * (last - AGO));
    harness_close(&h);
}
