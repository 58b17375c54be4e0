/* The cycle: what is quoted, kept, moved and pulled, and in which order it leaves. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

/* A book to begin with: 100.0*0.050 / 100.5*0.040, tick 0.5, half spread two ticks. */
static void start_with_book(void)
{
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
}

Test(cycle, quotes_the_style_example_and_pulls_it_when_stale)
{
    harness_init(&h);
    h.settings[0].safety_stale_after = SECONDS(2);
    start_with_book();
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    const struct event_place *buy = &harness_find(&h, EVENT_place, 0)->place;
    const struct event_place *sell = &harness_find(&h, EVENT_place, 1)->place;
    cr_expect_eq(buy->order, 1);
    cr_expect_eq(buy->side, SIDE_BUY);
    cr_expect_eq(buy->price.units, 990);
    cr_expect_eq(buy->quantity.units, 10);
    cr_expect_eq(sell->order, 2);
    cr_expect_eq(sell->side, SIDE_SELL);
    cr_expect_eq(sell->price.units, 1015);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_run_to(&h, SECONDS(2) - 1);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    cr_expect_eq(engine_deadline(h.engine), SECONDS(2));
    harness_tick(&h, SECONDS(2));
    cr_expect_eq(harness_find(&h, EVENT_breaker, 0)->breaker.breaker, BREAKER_STALE);
    cr_assert_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 0)->cancel.order, 1);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 1)->cancel.order, 2);
    h.now = SECONDS(2) + MILLISECONDS(10);
    harness_fill(&h, 2, SIDE_SELL, 1015, 4, 6);
    cr_expect_eq(harness_order(&h, 2)->state, ORDER_PENDING_CANCEL);
    h.now = SECONDS(2) + MILLISECONDS(40);
    harness_cancelled(&h, 1, 10);
    harness_cancelled(&h, 2, 6);
    struct engine_position position;
    engine_position(h.engine, 0, &position);
    cr_expect_eq(position.position.atto, -(int128)4 * 1000000000000000);
    cr_expect_eq(h.engine->orders.live, 0);
    harness_close(&h);
}

static void quoted(void)
{
    harness_init(&h);
    start_with_book();
    harness_accept(&h, 1);
    harness_accept(&h, 2);
}

/* --- when a cycle is due ------------------------------------------------------------------------------ */

static uint64_t cycles(void)
{
    return engine_counters(h.engine)->cycles;
}

Test(cycle, due_by_best_price_own_order_and_interval)
{
    quoted();
    uint64_t before = cycles();
    harness_book(&h, 0, EVENT_depth, 1000, 60, 990, 0); /* quantity alone */
    cr_expect_eq(cycles(), before);
    harness_book(&h, 0, EVENT_depth, 995, 60, 0, 0);
    cr_expect_eq(cycles(), before);
    harness_book(&h, 0, EVENT_depth, 0, 0, 1005, 0);
    harness_book(&h, 0, EVENT_depth, 0, 0, 1010, 5);
    cr_expect_eq(cycles(), before + 1);
    harness_fill(&h, 1, SIDE_BUY, 990, 1, 9);
    cr_expect_eq(cycles(), before + 2);
    cr_expect_eq(engine_deadline(h.engine), MILLISECONDS(100));
    harness_tick(&h, MILLISECONDS(100));
    cr_expect_eq(cycles(), before + 3);
    cr_expect_eq(engine_deadline(h.engine), MILLISECONDS(200));
    /* a message at the deadline runs it, and no tick is wanted */
    h.now = MILLISECONDS(200);
    harness_trade(&h, 0, SIDE_BUY, 1010, 1);
    cr_expect_eq(cycles(), before + 4);
    harness_close(&h);
}

Test(cycle, none_before_the_last_message_of_a_frame)
{
    harness_init(&h);
    harness_start(&h);
    struct row rows[] = {{.price = 1000, .quantity = 50},
                         {.price = 1005, .quantity = 40, .flags = ROW_SELL}};
    struct message message = {.kind = EVENT_snapshot,
                              .stream = EVENT_STREAM(0, CHANNEL_DEPTH),
                              .flags = MESSAGE_MORE,
                              .row_count = 2,
                              .rows = rows};
    harness_give(&h, &message);
    cr_expect_eq(h.count, 0);
    harness_trade(&h, 0, SIDE_BUY, 1005, 1);
    cr_expect_eq(harness_count(&h, EVENT_place), 2);
    harness_close(&h);
}

/* --- reconcile ---------------------------------------------------------------------------------------- */

Test(cycle, rule_27_kept_in_tolerance_moved_outside)
{
    quoted();
    /* fair 201.05 ticks: wanted 99.5 and 102.0, one tick from what rests */
    harness_book(&h, 0, EVENT_top, 1000, 50, 1010, 50);
    cr_expect_eq(h.count, 0);
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    cr_assert_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 0)->cancel.why, CANCEL_UNWANTED);
    /* exposure allows old and new at once */
    cr_expect_eq(harness_count(&h, EVENT_place), 2);
    harness_close(&h);
}

Test(cycle, rule_27_a_level_waits_for_its_cancel_where_both_do_not_fit)
{
    harness_init(&h);
    h.settings[0].risk_position_limit = LOTS(10);
    start_with_book();
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    cr_assert_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_cancelled(&h, 1, 10);
    cr_assert_eq(harness_count(&h, EVENT_place), 1);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.side, SIDE_BUY);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.price.units, 1000);
    harness_close(&h);
}

/* Wanted bid 100.0 x 10, rests 100.1 x 9: keep; wanted 99.8: move. Tick 0.1. */
Test(cycle, rule_27_the_rule_s_own_figures)
{
    struct wanted_ladder ladder = {
        .count = 1,
        .levels = {
            {.side = SIDE_BUY, .price = {1000, NUMBER_VALUE}, .quantity = {10, NUMBER_VALUE}}}};
    harness_init(&h);
    h.definitions[0].tick = 1;
    h.settings[0].quote_enabled = false;
    start_with_book();
    struct event_place place = {
        .order = 1, .side = SIDE_BUY, .price = {1001, NUMBER_VALUE}, .quantity = {9, NUMBER_VALUE}};
    orders_take_place(h.engine, &place, h.now);
    harness_accept(&h, 1);
    const struct candidates *candidates = &h.engine->candidates;
    reconcile_ladder(h.engine, 0, &ladder, true);
    cr_expect_eq(candidates->count, 0);
    ladder.levels[0].price.units = 998;
    reconcile_ladder(h.engine, 0, &ladder, true);
    cr_assert_eq(candidates->count, 2);
    cr_expect_eq(candidates->list[0].want, WANT_PLACE);
    cr_expect_eq(candidates->list[0].price, 998);
    cr_expect_eq(candidates->list[1].want, WANT_CANCEL);
    cr_expect_eq(candidates->list[1].order, 1);
    h.engine->candidates.count = 0;
    harness_close(&h);
}

Test(cycle, rule_27_size_tolerance)
{
    quoted();
    harness_fill(&h, 1, SIDE_BUY, 990, 2, 8);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0); /* 8 is within a quarter of 10 */
    harness_fill(&h, 1, SIDE_BUY, 990, 1, 7);
    cr_assert_eq(harness_count(&h, EVENT_cancel), 1);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 0)->cancel.why, CANCEL_REPLACED);
    cr_expect_eq(harness_count(&h, EVENT_place), 1);
    harness_close(&h);
}

static void add(uint32_t *count, enum want want, enum side side, int64_t distance, order_id id)
{
    struct candidates *candidates = &h.engine->candidates;
    candidates->list[*count] = (struct candidate){.want = (uint8_t)want,
                                                  .side = (uint8_t)side,
                                                  .distance = distance,
                                                  .order = id,
                                                  .price = 1000,
                                                  .has_fair = true};
    candidates->order[*count] = *count;
    candidates->count = ++*count;
}

static const struct candidate *nth(uint32_t n)
{
    const struct candidates *candidates = &h.engine->candidates;
    return &candidates->list[candidates->order[n]];
}

Test(cycle, rule_27_order_of_sending)
{
    uint32_t count = 0;
    quoted();
    add(&count, WANT_PLACE, SIDE_BUY, -5000, 0);
    add(&count, WANT_CANCEL, SIDE_SELL, 2000, 11);
    add(&count, WANT_MODIFY, SIDE_BUY, 0, 12);
    add(&count, WANT_CANCEL, SIDE_BUY, 2000, 13);
    add(&count, WANT_CANCEL, SIDE_SELL, -1000, 14);
    reconcile_sort(&h.engine->candidates);
    cr_expect_eq(nth(0)->order, 14);
    cr_expect_eq(nth(1)->order, 13);
    cr_expect_eq(nth(2)->order, 11);
    cr_expect_eq(nth(3)->order, 12);
    cr_expect_eq(nth(4)->want, WANT_PLACE);
    h.engine->candidates.count = 0;
    harness_close(&h);
}

Test(cycle, rule_27_without_a_fair_value)
{
    uint32_t count = 0;
    struct candidate *list;
    quoted();
    list = h.engine->candidates.list;
    static const int64_t prices[] = {0, 990, 995, 1015, 1010, 0};
    static const uint8_t sides[] = {SIDE_BUY, SIDE_BUY, SIDE_BUY, SIDE_SELL, SIDE_SELL, SIDE_SELL};
    static const order_id expected[] = {3, 2, 1, 5, 4, 6};
    for (order_id id = 1; id <= 6; id++) {
        add(&count, WANT_CANCEL, sides[id - 1], 0, id);
        list[count - 1].has_fair = false;
        list[count - 1].price = prices[id - 1];
    }
    reconcile_sort(&h.engine->candidates);
    for (uint32_t n = 0; n < 6; n++)
        cr_expect_eq(nth(n)->order, expected[n]);
    h.engine->candidates.count = 0;
    harness_close(&h);
}

/* The long list takes another way and must end in the same order. */
Test(cycle, many_candidates_sort_alike)
{
    uint32_t count = 0;
    uint64_t random = 1;
    quoted();
    for (order_id id = 1; id <= 200; id++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        add(&count, (enum want)(random >> 60 & 1), (enum side)(random >> 59 & 1),
            (int64_t)(random >> 40 & 15), id);
    }
    reconcile_sort(&h.engine->candidates);
    for (uint32_t n = 1; n < 200; n++) {
        const struct candidate *a = nth(n - 1), *b = nth(n);
        cr_assert(a->want < b->want ||
                  (a->want == b->want &&
                   (a->distance < b->distance ||
                    (a->distance == b->distance &&
                     (a->side < b->side || (a->side == b->side && a->order < b->order))))));
    }
    h.engine->candidates.count = 0;
    harness_close(&h);
}

/* --- pause, breakers ------------------------------------------------------------------------- */

Test(cycle, rule_24_pause_cancels_what_would_not_be_wanted)
{
    quoted();
    harness_command(&h, COMMAND_PAUSE);
    cr_expect_eq(harness_find(&h, EVENT_pause, 0)->pause.paused, 1);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 0);
    harness_book(&h, 0, EVENT_top, 1010, 50, 1015, 50);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_cancelled(&h, 1, 10);
    harness_cancelled(&h, 2, 10);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_command(&h, COMMAND_RESUME);
    cr_expect_eq(harness_count(&h, EVENT_place), 2);
    harness_close(&h);
}

Test(cycle, cancel_all_holds_until_resumed)
{
    quoted();
    harness_command(&h, COMMAND_CANCEL_ALL);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 0)->cancel.why, CANCEL_OPERATOR);
    harness_cancelled(&h, 1, 10);
    harness_cancelled(&h, 2, 10);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_command(&h, COMMAND_RESUME);
    cr_expect_eq(harness_count(&h, EVENT_place), 2);
    harness_close(&h);
}

Test(cycle, trip_and_reset)
{
    quoted();
    harness_command(&h, COMMAND_TRIP);
    cr_expect_eq(harness_find(&h, EVENT_breaker, 0)->breaker.state, BREAKER_CANCEL_ALL);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_find(&h, EVENT_gate, 0)->gate.gate, GATE_BREAKER);
    harness_cancelled(&h, 1, 10);
    harness_cancelled(&h, 2, 10);
    harness_command(&h, COMMAND_RESET);
    cr_expect_eq(harness_count(&h, EVENT_place), 2);
    harness_close(&h);
}

/* --- more than one instrument --------------------------------------------------------------------------- */

Test(cycle, instruments_of_one_tick_send_in_one_order)
{
    harness_init(&h);
    h.instrument_count = 2;
    h.settings[0].quote_half_spread = TICKS(3);
    harness_start(&h);
    h.engine->venues[0].reconciled = false;
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_book(&h, 1, EVENT_snapshot, 1000, 50, 1005, 50);
    h.engine->venues[0].reconciled = true;
    harness_tick(&h, MILLISECONDS(100));
    cr_assert_eq(harness_count(&h, EVENT_place), 4);
    static const uint16_t instruments[] = {1, 1, 0, 0};
    for (size_t n = 0; n < 4; n++)
        cr_expect_eq(harness_find(&h, EVENT_place, n)->place.instrument, instruments[n]);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.side, SIDE_BUY);
    harness_close(&h);
}

Test(cycle, a_disabled_instrument_is_not_quoted)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    start_with_book();
    cr_expect_eq(h.count, 0);
    cr_expect_eq(engine_deadline(h.engine), TIME_NEVER);
    harness_close(&h);
}

Test(cycle, a_setting_off_the_grid_is_named)
{
    unsigned instrument;
    harness_init(&h);
    h.settings[0].quote_size = PLAIN(1, -4);
    struct engine_config config = {.global = &h.global,
                                   .venue_count = 2,
                                   .asset_count = HARNESS_ASSETS,
                                   .instrument_count = 1,
                                   .venues = h.venues,
                                   .instruments = h.settings,
                                   .definitions = h.definitions};
    cr_expect_str_eq(engine_config_problem(&config, &instrument), "quote.size");
    cr_expect_eq(instrument, 0);
    cr_expect_eq(engine_size(&config), 0);
    h.settings[0].quote_size = PLAIN(1, -2);
    cr_expect_eq(engine_config_problem(&config, &instrument), NULL);
    h.settings[0].quote_half_spread = LOTS(1);
    cr_expect_str_eq(engine_config_problem(&config, &instrument), "quote.half_spread");
}

/* --- what is wanted and can't be had ------------------------------------------------------------------- */

/* At 0 the rough strategy's bid has no price and its ask one below 0. A message tells of eight numbers at most:
 * where its own rows have been as many, what is wanted wrongly is counted only. */
Test(cycle, a_message_that_has_told_enough_tells_no_wanted_number)
{
    harness_init(&h);
    strcpy(h.settings[0].quote_strategy.text, "rough");
    harness_start(&h);
    struct row rows[2 + ENGINE_REMOVED_MAX] = {{.price = 1000, .quantity = 50},
                                               {.price = 1005, .quantity = 40, .flags = ROW_SELL}};
    for (unsigned i = 0; i < ENGINE_REMOVED_MAX; i++)
        rows[2 + i] = (struct row){.price = 995, .quantity_status = NUMBER_NAN};
    struct message message = {.kind = EVENT_snapshot,
                              .stream = EVENT_STREAM(0, CHANNEL_DEPTH),
                              .row_count = 2,
                              .rows = rows};
    harness_give(&h, &message);
    cr_expect_eq(harness_count(&h, EVENT_removed), 2);
    cr_expect_eq(harness_find(&h, EVENT_removed, 0)->removed.where, REMOVED_WANTED);
    message.row_count += ENGINE_REMOVED_MAX;
    engine_mark_due(h.engine, 0);
    harness_give(&h, &message);
    cr_expect_eq(harness_count(&h, EVENT_removed), ENGINE_REMOVED_MAX);
    cr_expect_eq(harness_find(&h, EVENT_removed, 7)->removed.where, REMOVED_MARKET_DATA);
    cr_expect_eq(engine_counters(h.engine)->removed_numbers, 2 + ENGINE_REMOVED_MAX + 2);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_close(&h);
}

/* Two milliseconds later the bid is off the tick, and the ask has no size. Without the grid's gate the bid leaves, and
 * the invariant of sound orders sees it. */
Test(cycle, a_wanted_price_off_the_grid_leaves_only_without_its_gate)
{
    for (unsigned off = 0; off < 2; off++) {
        harness_init(&h);
        strcpy(h.settings[0].quote_strategy.text, "rough");
        harness_start(&h);
        h.engine->gates_off = off ? UINT32_C(1) << GATE_GRID : 0;
        h.now = INT64_C(2) * 1000003;
        harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
        cr_expect_eq(harness_count(&h, EVENT_removed), off ? 1 : 2);
        cr_expect_eq(harness_count(&h, EVENT_place), off);
        if (off)
            cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.price.units, 991);
        cr_expect_eq(engine_counters(h.engine)->violations_by_invariant[2], off);
        h.engine->counters.invariant_violations = 0; /* expected */
        harness_close(&h);
    }
}

/* A tick of 2^40 units, a fair value of 1.5 ticks: 2^20 - 2 ticks above it the ask is at 2^20 ticks, the highest price that
 * there is. It is far outside the collar; a tick more is no price. */
Test(cycle, a_wanted_price_beyond_the_highest_is_no_number)
{
    for (unsigned beyond = 0; beyond < 2; beyond++) {
        const int64_t tick = INT64_C(1) << 40;
        harness_init(&h);
        h.definitions[0].tick = tick;
        h.settings[0].quote_half_spread = TICKS((1 << 20) - 2 + beyond);
        harness_start(&h);
        harness_book(&h, 0, EVENT_snapshot, tick, 50, 2 * tick, 50);
        cr_expect(h.engine->instruments[0].has_fair);
        cr_expect_eq(harness_count(&h, EVENT_place), 0);
        cr_expect_eq(harness_blocking(&h), UINT32_C(1) << (beyond ? GATE_NUMBER : GATE_COLLAR));
        cr_expect_eq(harness_count(&h, EVENT_removed), beyond);
        harness_close(&h);
    }
}

/* Rule 18: near the limit bids are 4 of 10, which is worth 0.396; a venue takes it, or does not. */
Test(cycle, a_size_near_the_limit_is_sent_while_the_venue_takes_it)
{
    static const int64_t minimum_milli[] = {396, 397};
    for (int below = 0; below < 2; below++) {
        harness_init(&h);
        h.settings[0].risk_position_limit = LOTS(100);
        h.settings[0].risk_size_band = LOTS(50);
        h.definitions[0].minimum_notional.atto = minimum_milli[below] * (int128)1000000000000000;
        harness_start(&h);
        harness_position(&h, 0, SIDE_BUY, 1000, 80);
        harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
        const union event_record *first = harness_find(&h, EVENT_place, 0);
        cr_assert_neq(first, NULL);
        cr_expect_eq(harness_count(&h, EVENT_place), below ? 1 : 2);
        cr_expect_eq(first->place.side, below ? SIDE_SELL : SIDE_BUY);
        cr_expect_eq(first->place.quantity.units, below ? 10 : 4);
        harness_close(&h);
    }
}

/* A refused order makes its side wait for a new top: so does a modify of another that is planned meanwhile. */
Test(cycle, a_modify_waits_for_the_top_that_a_refused_order_waits_for)
{
    harness_init(&h);
    strcpy(h.venues[0].venue_modify.text, "shrink");
    h.settings[0].quote_levels = 2;
    h.settings[0].risk_position_limit = LOTS(100);
    h.settings[0].risk_size_band = LOTS(50);
    start_with_book();
    cr_assert_eq(harness_count(&h, EVENT_place), 4);
    for (order_id id = 1; id <= 4; id++) {
        if (harness_order(&h, id)->price == 985)
            harness_reject(&h, id, REJECT_POST_ONLY);
        else
            harness_accept(&h, id);
    }
    harness_position(&h, 0, SIDE_BUY, 1000, 80);
    cr_expect_eq(harness_count(&h, EVENT_modify), 0);
    cr_expect(harness_blocking(&h) >> GATE_POST_ONLY & 1);
    harness_book(&h, 0, EVENT_depth, 0, 0, 1010, 5);
    cr_expect_eq(harness_count(&h, EVENT_modify), 0); /* behind the top */
    harness_book(&h, 0, EVENT_top, 1000, 40, 1010, 50);
    cr_assert_eq(harness_count(&h, EVENT_modify), 1);
    const struct event_modify *modify = &harness_find(&h, EVENT_modify, 0)->modify;
    cr_expect(modify->side == SIDE_BUY && modify->leaves.units == 4);
    harness_close(&h);
}
