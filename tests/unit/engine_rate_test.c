/* Rate budgets: rule 30 with its figures, the reserve of each budget, the venue's own word, and pairs. */
#include <criterion/criterion.h>

#include "base/time.h"
#include "engine/rate.h"
#include "engine_harness.h"

static struct rate budget(int64_t second, int64_t day, int64_t reserve)
{
    struct rate rate = {.sum = 0};
    struct settings_venue settings = {
        .rate_orders = second, .rate_orders_day = day, .rate_cancel_reserve = reserve};
    rate_init(&rate, &settings);
    return rate;
}

/* How many leave at 10 a second before the first is refused; the time of that. */
static int64_t send_ten_a_second(struct rate *rate, bool cancel, int64_t *refused)
{
    int64_t sent = 0;
    for (int64_t now = 0;; now += MILLISECONDS(100)) {
        if (!rate_allows(rate, now, cancel)) {
            *refused = now;
            return sent;
        }
        rate_count(rate, now);
        sent++;
    }
}

/* Binance.US, 200,000 a day: 10 orders/s end it in 5 h 33 min. */
Test(rate, rule_30_a_day_s_budget_ends)
{
    struct rate rate = budget(1000, 200000, 0);
    int64_t refused;
    cr_expect_eq(send_ten_a_second(&rate, false, &refused), 200000);
    cr_expect_eq(refused, SECONDS(20000)); /* 5 h 33 min 20 s */
    /* The next UTC day has its own. */
    cr_expect_not(rate_allows(&rate, SECONDS(86400) - 1, true));
    cr_expect(rate_allows(&rate, SECONDS(86400), false));
    cr_expect_eq(rate_room(&rate, SECONDS(86400), false), 1000);
}

/* With the reserve of 20 % orders end after 160,000, cancels with the whole. */
Test(rate, rule_30_the_day_s_reserve_is_for_cancels)
{
    struct rate rate = budget(1000, 200000, 200000000);
    int64_t refused;
    cr_expect_eq(send_ten_a_second(&rate, false, &refused), 160000);
    cr_expect_eq(refused, SECONDS(16000));
    cr_expect_eq(rate_room(&rate, refused, true), 1000 - 10);
    for (int64_t i = 0; i < 40000; i++) {
        int64_t now = refused + i * MILLISECONDS(100);
        cr_assert(rate_allows(&rate, now, true));
        rate_count(&rate, now);
    }
    cr_expect_not(rate_allows(&rate, SECONDS(20000), true));
}

/* After pauses of every length nothing of what left before stays counted. */
Test(rate, what_left_is_forgotten_after_any_pause)
{
    struct rate rate = budget(10, 0, 0);
    int64_t bucket = 0;
    for (int64_t pause = 61; pause < 300; pause++)
        for (int64_t i = 0; i < 64; i++) {
            bucket += pause;
            cr_assert(rate_allows(&rate, bucket << RATE_SHIFT, true));
            cr_assert_eq(rate.sum, 0, "%u left after a pause of %lld", rate.sum, (long long)pause);
            rate_count(&rate, bucket << RATE_SHIFT);
            bucket++;
            rate_count(&rate, bucket << RATE_SHIFT);
        }
}

Test(rate, rule_30_a_second_s_reserve)
{
    struct rate rate = budget(10, 0, 200000000);
    for (int64_t i = 0; i < 8; i++) {
        cr_expect_eq(rate_room(&rate, 0, false), 8 - i);
        rate_count(&rate, 0);
    }
    cr_expect_not(rate_allows(&rate, 0, false));
    cr_expect_eq(rate_room(&rate, 0, true), 2);
    rate_count(&rate, 0);
    rate_count(&rate, 0);
    cr_expect_not(rate_allows(&rate, 0, true));
    /* A second covers 61 counts of 2^24 ns, so that it is never short. */
    cr_expect_eq(rate_room(&rate, SECONDS(1), true), 0);
    cr_expect_eq(rate_room(&rate, (INT64_C(61) << 24) - 1, true), 0);
    cr_expect_eq(rate_room(&rate, INT64_C(61) << 24, true), 10);
    cr_expect(rate_allows(&rate, INT64_C(61) << 24, false));
}

/* rate_room sees the second as rate_allows leaves it, whatever was sent when. */
Test(rate, room_and_what_is_forgotten_agree)
{
    struct rate rate = budget(100, 0, 0);
    for (int64_t now = 0; now < SECONDS(5); now += MILLISECONDS(37)) {
        int64_t room = rate_room(&rate, now, false);
        rate_allows(&rate, now, false);
        cr_assert_eq(room, 100 - (int64_t)rate.sum);
        for (int64_t i = 0; i < now / MILLISECONDS(37) % 4 && rate.sum < 100; i++)
            rate_count(&rate, now);
    }
}

/* --- the venue's word -------------------------------------------------------------------------------- */

static void tell_left(struct harness *h, uint64_t left, int64_t resets)
{
    union event_record record = {.rate_budget = {.venue = 0, .left = left, .resets = resets}};
    harness_record(h, EVENT_rate_budget, EVENT_NONE_16, &record);
}

static struct rate *rate_of(struct harness *h)
{
    return &h->engine->venues[0].rate;
}

Test(rate, rule_30_the_venue_s_own_word)
{
    struct harness h;
    harness_init(&h);
    harness_start(&h);
    tell_left(&h, 10, SECONDS(60)); /* a fifth of ten is kept */
    cr_expect_eq(rate_room(rate_of(&h), h.now, false), 8);
    cr_expect_eq(rate_room(rate_of(&h), h.now, true), 10);
    rate_count(rate_of(&h), h.now);
    cr_expect_eq(rate_room(rate_of(&h), h.now, false), 7);
    tell_left(&h, 4, SECONDS(60)); /* the same window: still a fifth of ten */
    cr_expect_eq(rate_room(rate_of(&h), h.now, false), 2);
    tell_left(&h, 0, SECONDS(60)); /* nothing at all, not even cancels, until it resets */
    cr_expect_eq(rate_room(rate_of(&h), SECONDS(60) - 1, true), 0);
    cr_expect_eq(rate_room(rate_of(&h), SECONDS(60), true), 1000);
    union event_record other = {.rate_budget = {.venue = 99, .left = 0, .resets = SECONDS(90)}};
    harness_record(&h, EVENT_rate_budget, EVENT_NONE_16, &other); /* no venue of ours */
    harness_close(&h);
}

/* A refusal waits 1 s, the next in a row 2 s; several answers to one burst are one. */
Test(rate, refused_for_its_rate_it_waits_longer_each_time)
{
    struct harness h;
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 10000, 50, 10010, 50);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    harness_reject(&h, 1, REJECT_RATE);
    harness_reject(&h, 2, REJECT_RATE);
    cr_expect_eq(rate_room(rate_of(&h), SECONDS(1) - 1, false), 0);
    cr_expect_gt(rate_room(rate_of(&h), SECONDS(1) - 1, true), 0); /* cancels were not refused */
    cr_expect_gt(rate_room(rate_of(&h), SECONDS(1), false), 0);
    h.now = SECONDS(1);
    harness_book(&h, 0, EVENT_snapshot, 10005, 50, 10015, 50);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    harness_reject(&h, 3, REJECT_RATE);
    cr_expect_eq(rate_room(rate_of(&h), SECONDS(3) - 1, false), 0);
    cr_expect_gt(rate_room(rate_of(&h), SECONDS(3), false), 0);
    harness_accept(&h, 4);
    h.now = SECONDS(3);
    harness_book(&h, 0, EVENT_snapshot, 10000, 50, 10010, 50);
    const union event_record *place = harness_find(&h, EVENT_place, 0);
    cr_assert_not_null(place);
    harness_reject(&h, place->place.order, REJECT_RATE); /* after one was taken: 1 s again */
    cr_expect_gt(rate_room(rate_of(&h), SECONDS(4), false), 0);
    harness_close(&h);
}

/* --- cancels that are held back ---------------------------------------------------------------------- */

Test(rate, when_a_cancel_has_room_again)
{
    struct rate rate = budget(2, 3, 0);
    cr_expect_eq(rate_next_cancel(&rate, 5), 5);
    rate_count(&rate, 0);
    rate_count(&rate, MILLISECONDS(500)); /* in the 29th count of 2^24 ns */
    cr_expect_eq(rate_next_cancel(&rate, MILLISECONDS(500)), INT64_C(61) << 24);
    rate_count(&rate,
               MILLISECONDS(500)); /* more than there is room for; and the day's budget ends */
    cr_expect_eq(rate_next_cancel(&rate, MILLISECONDS(600)), SECONDS(86400));
    rate.day_cap = 0;
    cr_expect_eq(rate_next_cancel(&rate, MILLISECONDS(600)), INT64_C(90) << 24);
    rate.told_left = 1;
    rate.told_resets = SECONDS(10); /* the venue has room, this second has none */
    cr_expect_eq(rate_next_cancel(&rate, MILLISECONDS(600)), INT64_C(90) << 24);
    rate.told_left = 0;
    cr_expect_eq(rate_next_cancel(&rate, MILLISECONDS(600)), SECONDS(10));
    cr_expect_eq(rate_next_cancel(&rate, SECONDS(10)), SECONDS(10));
}

/* Three messages a second, one of them for cancels: two orders leave, and of their cancels one. The other does
 * when the orders are forgotten, though no cycle is due for an hour. */
Test(rate, a_cancel_that_is_held_back_leaves_when_there_is_room)
{
    struct harness h;
    harness_init(&h);
    h.settings[0].quote_interval = SECONDS(3600);
    h.settings[0].safety_stale_after = SECONDS(3600);
    h.venues[0].rate_orders = 3;
    h.venues[0].rate_cancel_reserve = 400000000;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_tick(&h, MILLISECONDS(100));
    harness_command(&h, COMMAND_CANCEL_ALL);
    cr_assert_eq(harness_count(&h, EVENT_cancel), 1);
    harness_cancelled(&h, 1, 10);
    harness_run_to(&h, (INT64_C(61) << 24) - 1);
    cr_expect_eq(engine_counters(h.engine)->cancelled, 1);
    harness_run_to(&h, INT64_C(61) << 24);
    cr_expect_eq(engine_counters(h.engine)->cancelled, 2);
    harness_close(&h);
}

/* The settings allow no such venue. What can never leave is held back, and time goes on. */
Test(rate, where_nothing_may_leave_at_all_a_cancel_is_held_for_good)
{
    struct harness h;
    harness_init(&h);
    h.settings[0].quote_interval = SECONDS(3600);
    h.venues[0].rate_orders = 0;
    harness_start(&h);
    orders_take_place(h.engine,
                      &(struct event_place){
                          .order = 1, .price = {900, NUMBER_VALUE}, .quantity = {5, NUMBER_VALUE}},
                      0);
    harness_accept(&h, 1);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_expect_eq(harness_count(&h, EVENT_place) + harness_count(&h, EVENT_cancel), 0);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_ACTIVE);
    cr_expect_gt(engine_deadline(h.engine), h.now);
    struct rate none = budget(0, 0, 0);
    cr_expect_eq(rate_next_cancel(&none, 5), 5);
    harness_close(&h);
}

/* --- pairs ------------------------------------------------------------------------------------------- */

/* Three levels a side, and room for `room` of the six. */
static void quote_with_room(struct harness *h, int64_t room)
{
    harness_init(h);
    h->settings[0].quote_levels = 3;
    h->venues[0].rate_orders = room;
    h->venues[0].rate_cancel_reserve = 0;
    harness_start(h);
    harness_book(h, 0, EVENT_snapshot, 10000, 50, 10010, 50);
}

static unsigned sent(const struct harness *h, enum side side)
{
    unsigned count = 0;
    for (size_t i = 0; i < h->count; i++)
        count += h->decisions[i].kind == EVENT_place && h->records[i].place.side == side;
    return count;
}

/* The nth buy and the nth sell leave together or neither: of 1 to 6 messages 0, 1, 1, 2, 2, 3 pairs. */
Test(rate, rule_30_pairs_leave_together_or_not)
{
    for (int64_t room = 1; room <= 7; room++) {
        struct harness h;
        unsigned pairs = room >= 6 ? 3 : (unsigned)room / 2;
        quote_with_room(&h, room);
        cr_expect_eq(sent(&h, SIDE_BUY), pairs, "%u buys of %d", sent(&h, SIDE_BUY), (int)room);
        cr_expect_eq(sent(&h, SIDE_SELL), pairs, "%u sells of %d", sent(&h, SIDE_SELL), (int)room);
        cr_expect_eq(h.engine->counters.gate_blocked[GATE_RATE] > 0, room < 6);
        harness_close(&h);
    }
}

/* The same with the budget of the day, and the rest follows when there is room again. */
Test(rate, rule_30_pairs_of_a_day_s_budget)
{
    struct harness h;
    harness_init(&h);
    h.settings[0].quote_levels = 3;
    h.venues[0].rate_orders_day = 5;
    h.venues[0].rate_cancel_reserve = 0;
    h.now = SECONDS(86400) - MILLISECONDS(50);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 10000, 50, 10010, 50);
    cr_expect_eq(sent(&h, SIDE_BUY), 2);
    cr_expect_eq(sent(&h, SIDE_SELL), 2);
    for (order_id order = 1; order <= 4; order++)
        harness_accept(&h, order);
    h.now = SECONDS(86400);
    harness_tick(&h, h.now + MILLISECONDS(100));
    cr_expect_eq(sent(&h, SIDE_BUY), 1);
    cr_expect_eq(sent(&h, SIDE_SELL), 1);
    harness_close(&h);
}

/* A place without a counterpart takes what room there is. */
Test(rate, a_side_alone_needs_no_pair)
{
    struct harness h;
    harness_init(&h);
    h.settings[0].quote_levels = 3;
    h.settings[0].risk_position_limit = LOTS(30);
    h.settings[0].risk_size_band = LOTS(30);
    h.venues[0].rate_orders = 2;
    h.venues[0].rate_cancel_reserve = 0;
    harness_start(&h);
    harness_position(&h, 0, SIDE_BUY, 10005, 30);
    harness_book(&h, 0, EVENT_snapshot, 10000, 50, 10010, 50);
    cr_expect_eq(sent(&h, SIDE_BUY), 0);
    cr_expect_eq(sent(&h, SIDE_SELL), 2);
    harness_close(&h);
}

/* Two orders of one side rest where they are wanted: beside the third and its counterpart two are alone on the other
 * side, and there is room for one. */
Test(rate, rule_30_what_has_no_counterpart_follows_the_pairs)
{
    for (int full = 0; full < 2; full++) {
        struct harness h;
        harness_init(&h);
        h.settings[0].quote_levels = 3;
        h.venues[0].rate_orders = 3;
        h.venues[0].rate_cancel_reserve = 0;
        harness_start(&h);
        for (order_id id = 1; id <= 2; id++) {
            int64_t away = 5 * ((int64_t)id - 1);
            struct event_place place = {
                .order = id,
                .side = (uint8_t)full,
                .price = {full == SIDE_BUY ? 9995 - away : 10015 + away, NUMBER_VALUE},
                .quantity = {10, NUMBER_VALUE},
                .level = id - 1};
            orders_take_place(h.engine, &place, 0);
            harness_accept(&h, id);
        }
        harness_book(&h, 0, EVENT_snapshot, 10000, 50, 10010, 50);
        cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
        cr_expect_eq(sent(&h, (enum side)full), 1);
        cr_expect_eq(sent(&h, full == SIDE_BUY ? SIDE_SELL : SIDE_BUY), 2);
        harness_close(&h);
    }
}
