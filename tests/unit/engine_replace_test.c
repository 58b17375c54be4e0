/* What a changed level becomes at each venue: the table of rule 27, and a replace from its request to its
 * answers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

static void start_at(const char *modify)
{
    harness_init(&h);
    for (int venue = 0; venue < 2; venue++)
        snprintf(h.venues[venue].venue_modify.text, sizeof h.venues[venue].venue_modify.text, "%s",
                 modify);
}

/* Orders #1 buy 10 @ 99.0 and #2 sell 10 @ 101.5, accepted. */
static void quoted_at(const char *modify)
{
    start_at(modify);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
}

static void answer(enum event_kind kind, const union event_record *record)
{
    harness_record(&h, kind, EVENT_STREAM(0, CHANNEL_SESSION), record);
}

/* --- the table ---------------------------------------------------------------------------------------- */

enum { SMALLER, LARGER, PRICE, AGE, LARGER_FILLED, PRICE_FILLED, CHANGES };

/* What leaves when the level of order #1, buy 10 @ 99.0, becomes 5, 20, or 10 @ 97.0, or it is to be renewed; and where 1
 * of it has filled, for the second and the third. M: modify, R: replace, CP: cancel and place. */
static const struct {
    const char *modify;
    const char *becomes[CHANGES];
} table[] = {
    {"none", {"CP", "CP", "CP", "CP", "CP", "CP"}},
    {"shrink", {"M", "CP", "CP", "CP", "CP", "CP"}},
    {"edit", {"M", "M", "M", "CP", "CP", "CP"}},
    {"replace", {"R", "R", "R", "R", "R", "R"}},
    {"cancel_replace", {"CP", "R", "R", "R", "R", "R"}},
};

static void reconciled(const char *modify, int change, char out[8])
{
    static const int64_t prices[] = {990, 990, 970, 990, 990, 970},
                         sizes[] = {5, 20, 10, 10, 20, 10};
    struct wanted_ladder ladder = {.count = 1,
                                   .levels = {{.side = SIDE_BUY,
                                               .price = {prices[change], NUMBER_VALUE},
                                               .quantity = {sizes[change], NUMBER_VALUE}}}};
    start_at(modify);
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    h.engine->instruments[0].reference4 = 4010;
    orders_take_place(h.engine,
                      &(struct event_place){
                          .order = 1, .price = {990, NUMBER_VALUE}, .quantity = {10, NUMBER_VALUE}},
                      h.now);
    harness_accept(&h, 1);
    if (change == AGE) {
        h.engine->venues[0].renew_after = SECONDS(1);
        harness_tick(&h, SECONDS(1));
    }
    if (change >= LARGER_FILLED)
        harness_fill(&h, 1, SIDE_BUY, 990, 1, 9);
    reconcile_ladder(h.engine, 0, &ladder, true);
    struct candidates *candidates = &h.engine->candidates;
    reconcile_sort(candidates);
    for (uint32_t i = 0; i < candidates->count; i++) {
        const struct candidate *candidate = &candidates->list[candidates->order[i]];
        *out++ = "CMRP"[candidate->want];
        cr_expect(candidate->want == WANT_CANCEL || candidate->price == prices[change]);
        cr_expect(candidate->want == WANT_PLACE || candidate->order == 1);
    }
    *out = '\0';
    candidates->count = 0;
    harness_close(&h);
}

Test(replace, rule_27_the_table_by_venue)
{
    for (size_t venue = 0; venue < sizeof table / sizeof *table; venue++) {
        for (int change = 0; change < CHANGES; change++) {
            char got[8];
            reconciled(table[venue].modify, change, got);
            cr_expect_str_eq(got, table[venue].becomes[change], "%s, change %d: %s",
                             table[venue].modify, change, got);
        }
    }
}

/* Without the gate of numbers a wanted price may be 0, which is also how an order is marked that stands for a
 * level already: none stands for two. */
Test(replace, an_order_stands_for_one_level_whatever_is_wanted)
{
    struct wanted_ladder ladder = {
        .count = 2,
        .levels = {{.side = SIDE_BUY, .price = {990, NUMBER_VALUE}, .quantity = {10, NUMBER_VALUE}},
                   {.side = SIDE_BUY,
                    .price = {0, NUMBER_VALUE},
                    .quantity = {10, NUMBER_VALUE},
                    .level = 1}}};
    start_at("none");
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    h.engine->instruments[0].reference4 = 4010;
    orders_take_place(h.engine,
                      &(struct event_place){
                          .order = 1, .price = {990, NUMBER_VALUE}, .quantity = {10, NUMBER_VALUE}},
                      h.now);
    harness_accept(&h, 1);
    reconcile_ladder(h.engine, 0, &ladder, true);
    const struct candidates *candidates = &h.engine->candidates;
    cr_assert_eq(candidates->count, 1);
    cr_expect_eq(candidates->list[0].want, WANT_PLACE);
    cr_expect_eq(candidates->list[0].level, 1);
    h.engine->candidates.count = 0;
    harness_close(&h);
}

/* --- which order stands for a level ------------------------------------------------------------------- */

static void rests(order_id id, unsigned instrument, enum side side, int64_t price, int64_t quantity)
{
    struct event_place place = {.instrument = (uint16_t)instrument,
                                .order = id,
                                .side = (uint8_t)side,
                                .price = {price, NUMBER_VALUE},
                                .quantity = {quantity, NUMBER_VALUE}};
    orders_take_place(h.engine, &place, h.now);
    harness_accept(&h, id);
}

/* Two instruments with a book and no quotes, and no collar that an order could be too near for. */
static void quiet(void)
{
    start_at("none");
    h.instrument_count = 2;
    h.settings[0].quote_enabled = h.settings[1].quote_enabled = false;
    harness_start(&h);
    for (unsigned instrument = 0; instrument < 2; instrument++)
        harness_book(&h, instrument, EVENT_snapshot, 1000, 50, 1005, 50);
    h.engine->instruments[0].reference4 = 4010;
}

/* Order #1 stood for the level and is gone. In its slot there may be an order of another instrument since, or of the other
 * side, at that price: order #2, which is far away, does not stand for the level, and neither does that one. */
Test(replace, what_stood_for_a_level_may_have_made_way_for_anothers_order)
{
    struct wanted_ladder ladder = {
        .count = 1,
        .levels = {
            {.side = SIDE_BUY, .price = {990, NUMBER_VALUE}, .quantity = {10, NUMBER_VALUE}}}};
    enum { GONE, OF_ANOTHER, OF_THE_OTHER_SIDE, CASES };
    for (unsigned slot = 0; slot < CASES; slot++) {
        struct candidates *candidates;
        struct order_side *buys;
        quiet();
        candidates = &h.engine->candidates;
        buys = &h.engine->instruments[0].sides[SIDE_BUY];
        rests(1, 0, SIDE_BUY, 990, 10);
        reconcile_ladder(h.engine, 0, &ladder, true);
        cr_assert_eq(candidates->count, 0);
        cr_assert(buys->stood_count == 1 && buys->stood[0] == 0);
        harness_cancelled(&h, 1, 10);
        rests(2, 0, SIDE_BUY, 970, 10);
        order_id same_slot = (order_id)h.engine->orders.mask + 2;
        if (slot == OF_ANOTHER)
            rests(same_slot, 1, SIDE_BUY, 990, 10);
        else if (slot == OF_THE_OTHER_SIDE)
            rests(same_slot, 0, SIDE_SELL, 990, 10); /* which nobody wants there */
        buys->stood_count = 1;                       /* as if no cycle had come since */
        h.engine->instruments[0].reference4 = 4010;
        reconcile_ladder(h.engine, 0, &ladder, true);
        cr_assert_eq(candidates->count, slot == OF_THE_OTHER_SIDE ? 3 : 2, "%u", slot);
        cr_expect(candidates->list[0].want == WANT_PLACE && candidates->list[0].price == 990);
        cr_expect(candidates->list[1].want == WANT_CANCEL && candidates->list[1].order == 2);
        candidates->count = 0;
        harness_close(&h);
    }
}

/* A ladder may have all its levels on one side: more than are kept for the next are found by search each time. */
Test(replace, more_levels_of_a_side_than_are_kept_are_matched_all_the_same)
{
    enum { LEVELS = STRATEGY_LEVELS_MAX + 1 };
    struct wanted_ladder ladder = {.count = LEVELS};
    quiet();
    for (unsigned i = 0; i < LEVELS; i++) {
        ladder.levels[i] = (struct wanted_level){.side = SIDE_BUY,
                                                 .level = (uint8_t)i,
                                                 .price = {990 - 5 * (int64_t)i, NUMBER_VALUE},
                                                 .quantity = {10, NUMBER_VALUE}};
        rests(i + 1, 0, SIDE_BUY, ladder.levels[i].price.units, 10);
    }
    const struct order_side *buys = &h.engine->instruments[0].sides[SIDE_BUY];
    for (unsigned count = LEVELS; count >= LEVELS - 1; count--) {
        ladder.count = count;
        reconcile_ladder(h.engine, 0, &ladder, true);
        cr_expect_eq(h.engine->candidates.count, LEVELS - count);
        cr_expect_eq(buys->stood_count, count == LEVELS ? 0 : count);
        h.engine->candidates.count = 0;
    }
    harness_close(&h);
}

/* Where an order rests so far away that 1/1,000 ticks of it are no number, its distance is that of the largest one. */
Test(replace, an_order_out_of_this_world_is_as_far_as_numbers_go)
{
    const struct wanted_ladder nothing = {.count = 0};
    const int64_t price = ENGINE_PRICE_MAX - ENGINE_PRICE_MAX % 5, fair = 200500;
    quiet();
    rests(1, 0, SIDE_SELL, price, 10);
    rests(2, 0, SIDE_BUY, 990, 10);
    h.engine->instruments[0].has_fair = true;
    h.engine->instruments[0].fair = fair;
    reconcile_ladder(h.engine, 0, &nothing, true);
    const struct candidates *candidates = &h.engine->candidates;
    cr_assert_eq(candidates->count, 2);
    cr_expect(candidates->list[0].order == 2 && candidates->list[0].distance == fair - 198000);
    cr_expect(candidates->list[1].order == 1 && candidates->list[1].distance == INT64_MAX - fair);
    h.engine->candidates.count = 0;
    harness_close(&h);
}

/* --- a replace ---------------------------------------------------------------------------------------- */

/* Old 10 leaves, replace 10, old fills 6 meanwhile: 16 in all; exposure counted 20. */
Test(replace, rule_27_old_and_new_count)
{
    quoted_at("cancel_replace");
    const struct order_side *buys = &h.engine->instruments[0].sides[SIDE_BUY];
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    cr_assert_eq(harness_count(&h, EVENT_replace), 2);
    cr_expect_eq(harness_count(&h, EVENT_cancel) + harness_count(&h, EVENT_place), 0);
    const struct event_replace *replace = &harness_find(&h, EVENT_replace, 0)->replace;
    cr_expect(replace->replaces == 1 && replace->order == 3);
    cr_expect(replace->price.units == 1000 && replace->quantity.units == 10);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_PENDING_CANCEL);
    cr_expect_eq(harness_order(&h, 3)->state, ORDER_PENDING_NEW);
    cr_expect_eq(buys->leaves, 20);
    harness_fill(&h, 1, SIDE_BUY, 990, 6, 4);
    cr_expect_eq(h.engine->instruments[0].position.units + buys->leaves, 20);
    harness_cancelled(&h, 1, 4);
    harness_accept(&h, 3);
    cr_expect_eq(buys->leaves, 10);
    harness_fill(&h, 3, SIDE_BUY, 1000, 10, 0);
    cr_expect_eq(h.engine->instruments[0].position.units, 16);
    harness_close(&h);
}

/* Rule 16's limit is for both: where they do not fit, the old order is cancelled and its level waits. */
Test(replace, rule_27_a_replace_that_does_not_fit_is_a_cancel_and_a_place)
{
    start_at("cancel_replace");
    h.settings[0].risk_position_limit = LOTS(19);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    cr_expect_eq(harness_count(&h, EVENT_replace), 0);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_cancelled(&h, 1, 10);
    cr_expect_eq(harness_count(&h, EVENT_place), 1);
    harness_close(&h);
}

/* Two bids of 10 move. Between them there is room for one more order: the second stays where it is, until the
 * next cycle cancels it. */
Test(replace, what_a_replace_before_it_leaves_no_room_for_stays_until_the_next_cycle)
{
    start_at("cancel_replace");
    h.settings[0].quote_levels = 2;
    h.settings[0].risk_position_limit = LOTS(35);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    for (order_id id = 1; id <= 4; id++)
        harness_accept(&h, id);
    harness_book(&h, 0, EVENT_top, 1015, 50, 1020, 50);
    cr_expect_eq(harness_count(&h, EVENT_replace), 2); /* one a side */
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    const struct order_side *buys = &h.engine->instruments[0].sides[SIDE_BUY];
    cr_expect_eq(buys->leaves, 30);
    harness_run_to(&h, MILLISECONDS(100));
    cr_expect_eq(engine_counters(h.engine)->cancelled, 2);
    cr_expect_eq(buys->leaves, 30); /* the two that go and the one that comes */
    harness_close(&h);
}

/* --- where nothing may be added ------------------------------------------------------------------------- */

static const char *const words[] = {"none", "shrink", "edit", "replace", "cancel_replace"};
enum { WORDS = sizeof words / sizeof *words };

/* Short `units`, and the cap on open interest is on, so that only buys leave, and of them what reduces: #1, buy
 * 10 @ 99.0. */
static void reducing(const char *modify, int64_t units)
{
    start_at(modify);
    h.settings[0].risk_open_interest = true; /* which is never told */
    harness_start(&h);
    harness_position(&h, 0, SIDE_SELL, 1000, units);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_assert_eq(harness_count(&h, EVENT_place), 1);
    cr_assert_eq(harness_find(&h, EVENT_place, 0)->place.quantity.units, 10);
    harness_accept(&h, 1);
}

/* Answers whatever is asked, cycle by cycle. */
static void obey(int64_t until)
{
    do {
        for (order_id id = 1; id < orders_next_id(h.engine); id++) {
            const struct order *order = harness_order(&h, id);
            if (order->state == ORDER_PENDING_CANCEL)
                harness_cancelled(&h, id, order->leaves);
            else if (order->state == ORDER_PENDING_NEW)
                harness_accept(&h, id);
        }
        harness_tick(&h, engine_deadline(h.engine));
    } while (h.now < until);
}

/* 10 short, 6 rest, 10 are wanted. Beside the 6 only 4 reduce, so another order would be smaller than the one
 * that rests, and then that one too small again: it stays. */
Test(replace, rule_19_an_order_that_is_too_small_beside_what_reduces_stays)
{
    for (int word = 0; word < WORDS; word++) {
        reducing(words[word], 14);
        harness_fill(&h, 1, SIDE_BUY, 990, 4, 6);
        obey(SECONDS(1));
        const struct engine_counters *counters = engine_counters(h.engine);
        cr_expect_eq(counters->placed + counters->cancelled + counters->modified, 1, "%s",
                     words[word]);
        cr_expect_eq(harness_order(&h, 1)->state, ORDER_PARTLY_FILLED);
        /* Where it is not beside what reduces that it is too small, a new one of 10 comes. */
        harness_position(&h, 0, SIDE_SELL, 1000, 90);
        obey(SECONDS(2));
        cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 10, "%s", words[word]);
        harness_close(&h);
    }
}

/* 14 short, 10 rest and are old: a new order would be one of 4, so the old one stays. 104 short it is renewed. */
Test(replace, rule_19_an_old_order_is_not_renewed_by_a_smaller_one)
{
    for (int word = 0; word < WORDS; word++) {
        const struct order_side *buys;
        reducing(words[word], 14);
        buys = &h.engine->instruments[0].sides[SIDE_BUY];
        h.engine->venues[0].renew_after = SECONDS(2);
        obey(SECONDS(4));
        const struct engine_counters *counters = engine_counters(h.engine);
        cr_expect_eq(counters->placed, 1, "%s", words[word]);
        cr_expect(counters->cancelled == 0 && buys->leaves == 10, "%s", words[word]);
        harness_position(&h, 0, SIDE_SELL, 1000, 90);
        obey(SECONDS(5));
        cr_expect_eq(counters->placed, 2, "%s", words[word]);
        cr_expect_eq(buys->leaves, 10, "%s", words[word]);
        harness_close(&h);
    }
}

/* Short `units`, and two bids of 10 move: what reduces has room for one of them beside the 20 that rest. */
static void expect_replaced(int64_t units, size_t replaced, int64_t last)
{
    start_at("cancel_replace");
    h.settings[0].risk_open_interest = true;
    h.settings[0].quote_levels = 2;
    harness_start(&h);
    harness_position(&h, 0, SIDE_SELL, 1000, units);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_book(&h, 0, EVENT_top, 1030, 50, 1035, 50);
    cr_assert_eq(harness_count(&h, EVENT_replace), replaced);
    cr_expect_eq(harness_find(&h, EVENT_replace, replaced - 1)->replace.quantity.units, last);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    harness_close(&h);
}

Test(replace, rule_19_of_two_replaces_the_second_is_cut_by_the_first)
{
    expect_replaced(40, 2, 10);
    expect_replaced(35, 2, 5);
    expect_replaced(30, 1, 10); /* nothing of the second is left */
}

/* 10 rest and 4 are wanted, which is all that reduces: the rest goes, also where a change is a new order. */
Test(replace, rule_19_an_order_that_would_add_becomes_what_reduces)
{
    for (int word = 0; word < WORDS; word++) {
        reducing(words[word], 10);
        harness_position(&h, 0, SIDE_BUY, 1000, 6);
        obey(SECONDS(1));
        if (harness_order(&h, 1)->state == ORDER_PENDING_MODIFY) {
            union event_record record = {.order_modified = {.order = 1,
                                                            .price = {990, NUMBER_VALUE},
                                                            .leaves = {4, NUMBER_VALUE}}};
            answer(EVENT_order_modified, &record);
        }
        cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 4, "%s", words[word]);
        harness_close(&h);
    }
}

/* --- answers ------------------------------------------------------------------------------------------- */

Test(replace, one_that_fails_leaves_the_old_order_and_comes_again)
{
    quoted_at("cancel_replace");
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    union event_record record = {.cancel_rejected = {.order = 1, .reason = REJECT_OTHER}};
    answer(EVENT_cancel_rejected, &record);
    harness_reject(&h, 3, REJECT_REPLACE);
    cr_expect_eq(h.count, 0);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_ACTIVE);
    cr_expect_eq(harness_order(&h, 3)->state, ORDER_REJECTED);
    cr_expect_not(h.engine->instruments[0].wait_top[SIDE_BUY]);
    cr_expect_eq(h.engine->instruments[0].refusals[SIDE_BUY].back_off, 0);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 10);
    harness_run_to(&h, MILLISECONDS(250) - 1);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_ACTIVE);
    harness_tick(&h, MILLISECONDS(250));
    cr_assert_eq(harness_count(&h, EVENT_replace), 1);
    cr_expect_eq(harness_find(&h, EVENT_replace, 0)->replace.replaces, 1);
    harness_close(&h);
}

Test(replace, one_without_an_answer_is_two_unknown_orders)
{
    quoted_at("replace");
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    harness_run_to(&h, SECONDS(5));
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_UNKNOWN);
    cr_expect_eq(harness_order(&h, 3)->state, ORDER_UNKNOWN);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 20);
    harness_close(&h);
}

Test(replace, the_carry_of_a_tape_has_it_too)
{
    quoted_at("cancel_replace");
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    struct message decision = h.decisions[0];
    union event_record record = h.records[0];
    decision.record = &record;
    struct harness again;
    memcpy(&again, &h, sizeof h);
    harness_start(&again);
    for (order_id id = 1; id <= 2; id++) {
        union event_record place = {.place = {.order = id,
                                              .side = id == 1 ? SIDE_BUY : SIDE_SELL,
                                              .price = {id == 1 ? 990 : 1015, NUMBER_VALUE},
                                              .quantity = {10, NUMBER_VALUE}}};
        engine_fold(again.engine, &(struct message){.kind = EVENT_place, .record = &place});
        union event_record accepted = {.order_accepted = {.order = id}};
        engine_fold(again.engine,
                    &(struct message){.kind = EVENT_order_accepted, .record = &accepted});
    }
    engine_fold(again.engine, &decision);
    cr_expect_eq(orders_find(again.engine, 1)->state, ORDER_PENDING_CANCEL);
    cr_expect_eq(orders_find(again.engine, 3)->state, ORDER_PENDING_NEW);
    cr_expect_eq(again.engine->instruments[0].sides[SIDE_BUY].leaves, 20);
    cr_expect_eq(orders_next_id(again.engine), 4);
    harness_close(&again);
    harness_close(&h);
}

/* --- an edit ------------------------------------------------------------------------------------------- */

Test(replace, an_edit_moves_the_order_and_counts_the_larger)
{
    quoted_at("edit");
    const struct order_side *buys = &h.engine->instruments[0].sides[SIDE_BUY];
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    cr_assert_eq(harness_count(&h, EVENT_modify), 2);
    const struct event_modify *modify = &harness_find(&h, EVENT_modify, 0)->modify;
    cr_expect(modify->order == 1 && modify->price.units == 1000 && modify->leaves.units == 10);
    cr_expect_eq(buys->leaves, 10);
    union event_record record = {.order_modified = {.order = 1,
                                                    .price = {1000, NUMBER_VALUE},
                                                    .leaves = {10, NUMBER_VALUE}}};
    answer(EVENT_order_modified, &record);
    cr_expect_eq(harness_order(&h, 1)->price, 1000);
    harness_close(&h);
}

/* The order ended while an edit to a larger size had no answer, and its fill is told last: it may be of the
 * larger size, and breaks nothing. */
Test(replace, a_late_fill_may_be_of_the_size_that_was_asked_for)
{
    quoted_at("edit");
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    cr_assert_eq(harness_order(&h, 1)->state, ORDER_PENDING_MODIFY);
    union event_record lost = {.order_unknown = {.order = 1, .request = REQUEST_MODIFY}};
    answer(EVENT_order_unknown, &lost);
    union event_record status = {
        .order_status = {.order = 1, .price = {1000, NUMBER_VALUE}, .leaves = {0, NUMBER_VALUE}}};
    answer(EVENT_order_status, &status);
    answer(EVENT_order_status, &status); /* and again: it is over */
    struct order *order = harness_order(&h, 1);
    cr_expect_eq(order->state, ORDER_CANCELLED);
    order->asked_leaves = 12; /* the ladder asked for ten as before; more is the case to show */
    harness_fill(&h, 1, SIDE_BUY, 1000, 12, 0);
    cr_expect_eq(order->filled, 12);
    cr_expect_eq(h.engine->counters.violations_by_invariant[6], 0);
    harness_close(&h);
}

/* An edit that a gate stops must not leave the order where it is no longer wanted. */
Test(replace, an_edit_that_a_gate_stops_is_a_cancel)
{
    quoted_at("edit");
    h.engine->instruments[0].wait_top[SIDE_BUY] = true;
    h.engine->instruments[0].limits.quote.half_spread_millitick = 8000;
    harness_tick(&h, MILLISECONDS(100));
    cr_expect_eq(harness_count(&h, EVENT_modify), 1); /* the sell */
    cr_assert_eq(harness_count(&h, EVENT_cancel), 1);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 0)->cancel.order, 1);
    cr_expect_eq(h.decisions[0].kind, EVENT_cancel);
    harness_close(&h);
}

/* Orders #1 and #2, each with an edit on its way; that of #1 is refused. */
static void edit_refused(enum reject reason)
{
    quoted_at("edit");
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    cr_assert_eq(harness_count(&h, EVENT_modify), 2);
    union event_record record = {.modify_rejected = {.order = 1, .reason = (uint8_t)reason}};
    answer(EVENT_modify_rejected, &record);
}

/* The same edit would be refused again: the order goes, and the side waits for a new top. */
Test(replace, rule_27_after_an_edit_that_was_refused_the_side_waits_for_a_new_top)
{
    edit_refused(REJECT_POST_ONLY);
    cr_expect_eq(harness_order(&h, 1)->price, 990);
    cr_expect_eq(harness_count(&h, EVENT_modify), 0);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
    harness_cancelled(&h, 1, 10);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_run_to(&h, SECONDS(1));
    cr_expect_eq(engine_counters(h.engine)->modified, 2);
    cr_expect_eq(engine_counters(h.engine)->placed, 2);
    harness_book(&h, 0, EVENT_top, 1015, 50, 1020, 50);
    cr_expect_eq(harness_count(&h, EVENT_place), 1);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.side, SIDE_BUY);
    harness_close(&h);
}

/* For another reason it is a time that it waits for. */
Test(replace, after_an_edit_that_was_refused_for_another_reason_the_side_waits_a_second)
{
    edit_refused(REJECT_OTHER);
    cr_expect_eq(harness_count(&h, EVENT_modify), 0);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
    harness_cancelled(&h, 1, 10);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    cr_expect_eq(harness_blocking(&h), UINT32_C(1) << GATE_REFUSED);
    harness_run_to(&h, SECONDS(1) - 1);
    cr_expect_eq(engine_counters(h.engine)->placed, 2);
    harness_tick(&h, SECONDS(1));
    cr_expect_eq(harness_count(&h, EVENT_place), 1);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.side, SIDE_BUY);
    harness_close(&h);
}

Test(replace, an_edit_that_came_too_late_was_not_refused)
{
    edit_refused(REJECT_FILLED);
    cr_expect_not(h.engine->instruments[0].wait_top[SIDE_BUY]);
    cr_expect_eq(h.engine->instruments[0].refusals[SIDE_BUY].back_off, 0);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_UNKNOWN);
    harness_close(&h);
}
