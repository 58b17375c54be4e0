/* A venue's stream of our orders that breaks alone: what waits, what is asked for, what is pulled, and when it is over. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

static void give(enum event_kind kind, const union event_record *record)
{
    bool of_venue = kind == EVENT_snapshot_end || kind == EVENT_orders_stream;
    harness_record(&h, kind, of_venue ? EVENT_NONE_16 : EVENT_STREAM(0, CHANNEL_SESSION), record);
}

static void stream(unsigned venue, bool connected, int64_t since)
{
    give(EVENT_orders_stream,
         &(union event_record){
             .orders_stream = {.venue = (uint8_t)venue, .connected = connected, .since = since}});
}

static void shows(order_id order, enum side side, int64_t price, int64_t leaves)
{
    give(EVENT_open_order, &(union event_record){.open_order = {.order = order,
                                                                .venue_order = {1, {'a'}},
                                                                .side = (uint8_t)side,
                                                                .price = {price, NUMBER_VALUE},
                                                                .leaves = {leaves, NUMBER_VALUE}}});
}

static void ends(int64_t taken)
{
    give(EVENT_snapshot_end, &(union event_record){.snapshot_end = {.taken = taken}});
}

static bool blocks(void)
{
    return harness_blocking(&h) >> GATE_ORDERS_STREAM & 1;
}

/* Orders #1 buy 10 @ 99.0 and #2 sell 10 @ 101.5 rest; a grace of 1 s, a limit of 5 s. */
static void quoted(int64_t interval)
{
    harness_init(&h);
    h.venues[0].safety_sync_interval = interval;
    h.venues[0].safety_orders_stream_grace = SECONDS(1);
    h.venues[0].safety_orders_stream_limit = SECONDS(5);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_run_to(&h, SECONDS(10));
    stream(0, true, h.now);
    cr_assert_eq(h.count, 0);
}

Test(orders_stream, it_blocks_after_the_grace_and_pulls_after_the_limit)
{
    quoted(0);
    stream(0, false, h.now);
    harness_run_to(&h, SECONDS(11) - 1);
    cr_expect_not(blocks());
    cr_expect_not(orders_stream_is_lost(h.engine, 0));
    cr_expect_not(orders_stream_is_lost(h.engine, 1));
    harness_run_to(&h, SECONDS(11));
    cr_expect(blocks());
    cr_expect(orders_stream_is_lost(h.engine, 0));
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot),
                 0); /* accounts are not asked for at all */
    harness_run_to(&h, SECONDS(15) - 1);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    harness_run_to(&h, SECONDS(15));
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 0)->cancel.why, CANCEL_HALT);
    harness_cancelled(&h, 1, 10);
    harness_cancelled(&h, 2, 10);
    harness_run_to(&h, SECONDS(60));
    cr_expect(blocks());
    stream(0, true, h.now + 1); /* no later than we hear of it */
    cr_expect(blocks());
    ends(h.now - 1);
    cr_expect(blocks());
    ends(h.now);
    cr_expect_not(blocks());
    cr_expect_eq(harness_count(&h, EVENT_place), 2);
    harness_close(&h);
}

/* Accounts come every three seconds, the first at once: what filled is missing in it, and is asked for. */
Test(orders_stream, what_fills_meanwhile_is_found)
{
    quoted(SECONDS(60));
    stream(0, false, h.now);
    harness_run_to(&h, SECONDS(11));
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    shows(2, SIDE_SELL, 1015, 10);
    ends(h.now);
    cr_assert_eq(harness_count(&h, EVENT_query), 1);
    cr_expect_eq(harness_find(&h, EVENT_query, 0)->query.order, 1);
    harness_fill(&h, 1, SIDE_BUY, 990, 10, 0);
    cr_expect_eq(h.engine->instruments[0].position.units, 10);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_run_to(&h, SECONDS(14) - 1);
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 0);
    harness_run_to(&h, SECONDS(14));
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    ends(h.now);
    stream(0, true, h.now);
    harness_run_to(&h, SECONDS(17));
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    ends(h.now);
    cr_expect_not(blocks());
    cr_expect_eq(h.engine->venues[0].sync.next, SECONDS(20)); /* one more that was due then, and */
    harness_run_to(&h, SECONDS(20));
    cr_expect_eq(h.engine->venues[0].sync.next, SECONDS(80));
    harness_close(&h);
}

Test(orders_stream, a_short_break_is_over_with_an_account)
{
    quoted(SECONDS(60));
    stream(0, false, h.now);
    h.now += SECONDS(1) / 2;
    stream(0, true, h.now);
    stream(0, false, h.now); /* the first break counts */
    h.now += SECONDS(1) / 4;
    stream(0, true, h.now);
    shows(1, SIDE_BUY, 990, 10);
    shows(2, SIDE_SELL, 1015, 10);
    ends(h.now);
    harness_run_to(&h, SECONDS(20));
    cr_expect_not(blocks());
    cr_expect_eq(engine_gate_blocked(h.engine, 0, GATE_ORDERS_STREAM), 0);
    harness_close(&h);
}

/* A limit shorter than the grace pulls with the grace's end; another venue, and one that is none, are not concerned. */
Test(orders_stream, each_venue_has_its_own)
{
    harness_init(&h);
    h.instrument_count = 2;
    h.definitions[1].venue = 1;
    h.venues[0].safety_orders_stream_grace = SECONDS(2);
    h.venues[0].safety_orders_stream_limit = SECONDS(1);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_book(&h, 1, EVENT_snapshot, 1000, 50, 1005, 40);
    for (order_id order = 1; order <= 4; order++)
        harness_accept(&h, order);
    harness_run_to(&h, SECONDS(10));
    stream(7, false, h.now);
    stream(0, false, h.now);
    harness_run_to(&h, SECONDS(12) - 1);
    cr_expect_not(blocks());
    harness_run_to(&h, SECONDS(12));
    cr_expect(blocks());
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 1)->cancel.instrument, 0);
    cr_expect_not(orders_stream_blocks(h.engine, 1));
    /* Without grace it blocks at once; a limit of 0 leaves what rests. */
    stream(1, false, h.now);
    cr_expect(orders_stream_blocks(h.engine, 1));
    harness_run_to(&h, SECONDS(60));
    cr_expect_not(orders_stream_pulls(h.engine, 1));
    harness_close(&h);
}

/* A start knows nothing of it, and a shutdown waits for none. */
Test(orders_stream, a_start_begins_without_it)
{
    quoted(SECONDS(60));
    stream(0, false, h.now);
    harness_run_to(&h, SECONDS(12));
    cr_expect(blocks());
    give(EVENT_start, &(union event_record){.start = {.epoch = 1, .seed = 1}});
    cr_expect_not(orders_stream_blocks(h.engine, 0));
    cr_expect_eq(h.engine->venues[0].orders_stream.lost, TIME_NEVER);
    stream(0, false, h.now);
    give(EVENT_shutdown, &(union event_record){.shutdown = {.signal = 15}});
    harness_run_to(&h, h.now + SECONDS(6));
    cr_expect(orders_stream_blocks(h.engine, 0));
    cr_expect_eq(h.engine->venues[0].sync.interval, SECONDS(60));
    harness_close(&h);
}
