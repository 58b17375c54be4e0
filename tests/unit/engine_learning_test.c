/* Learning: the figures of trading-semantics 26, what counts as a spell, and sizes by what was learned. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine/walker.h"
#include "engine_harness.h"

static struct harness h;

#define RATIO(numerator, denominator) (INT64_C(1000000000) * (numerator) / (denominator))

static void take_order(order_id id, enum side side, int64_t price, int64_t quantity, unsigned level)
{
    struct event_place place = {.order = id,
                                .side = (uint8_t)side,
                                .price = {price, NUMBER_VALUE},
                                .quantity = {quantity, NUMBER_VALUE},
                                .level = level};
    orders_take_place(h.engine, &place, h.now);
}

static void rest(order_id id)
{
    take_order(id, SIDE_BUY, 900, 10, 0);
    harness_accept(&h, id);
}

/* No quotes of the engine's own, orders by hand; horizon 10 s. */
static void quiet(int64_t decay)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    h.settings[0].learning_horizon = SECONDS(10);
    h.settings[0].learning_decay = decay;
    h.settings[0].order_pending_timeout = SECONDS(60);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
}

static void cancel(order_id id)
{
    struct event_cancel cancel = {.order = id};
    orders_take_cancel(h.engine, &cancel, h.now);
}

static void modify(order_id id, int64_t leaves, unsigned level)
{
    struct event_modify modify = {.order = id,
                                  .price = {900, NUMBER_VALUE},
                                  .leaves = {leaves, NUMBER_VALUE},
                                  .level = level};
    orders_take_modify(h.engine, &modify, h.now);
}

static void modified(order_id id, int64_t leaves)
{
    union event_record record = {.order_modified = {.order = id,
                                                    .price = {900, NUMBER_VALUE},
                                                    .leaves = {leaves, NUMBER_VALUE}}};
    harness_record(&h, EVENT_order_modified, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

static void answer(enum event_kind kind, order_id id)
{
    union event_record record = {.order_not_found = {.order = id}};
    harness_record(&h, kind, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

static struct engine_learning learned(unsigned level)
{
    struct engine_learning out;
    engine_learning(h.engine, 0, SIDE_BUY, level, &out);
    return out;
}

/* Alpha and beta in 1e-9. */
static void expect_cell(unsigned level, int64_t alpha, int64_t beta, uint64_t spells)
{
    struct engine_learning cell = learned(level);
    cr_expect_eq(cell.alpha, alpha, "alpha %lld", (long long)cell.alpha);
    cr_expect_eq(cell.beta, beta, "beta %lld", (long long)cell.beta);
    cr_expect_eq(cell.spells, spells, "spells %llu", (unsigned long long)cell.spells);
}

static void expect_told(int64_t filled, int64_t weight)
{
    const union event_record *record = harness_find(&h, EVENT_learned, 0);
    cr_assert_not_null(record);
    cr_expect_eq(record->learned.filled, filled, "filled %lld", (long long)record->learned.filled);
    cr_expect_eq(record->learned.weight, weight, "weight %lld", (long long)record->learned.weight);
}

/* --- the rule's own figures --------------------------------------------------------------------- */

Test(learning, rule_26_ten_seconds_without_a_fill_is_one_third)
{
    quiet(RATIO(1, 1));
    rest(1);
    harness_run_to(&h, SECONDS(10));
    cancel(1);
    harness_cancelled(&h, 1, 10);
    expect_cell(0, RATIO(1, 1), RATIO(2, 1), 1); /* 1 / (1 + 2) */
    harness_close(&h);
}

Test(learning, rule_26_two_seconds_without_a_fill_weigh_a_fifth)
{
    quiet(RATIO(1, 1));
    rest(1);
    cancel(1);
    h.now = SECONDS(2);
    harness_cancelled(&h, 1, 10);
    expect_told(0, RATIO(1, 5));
    expect_cell(0, RATIO(1, 1), RATIO(12, 10), 1); /* 1 / 2.2 */
    harness_close(&h);
}

Test(learning, rule_26_a_part_filled_and_cancelled)
{
    quiet(RATIO(1, 1));
    rest(1);
    h.now = SECONDS(3);
    harness_fill(&h, 1, SIDE_BUY, 900, 4, 6);
    h.now = SECONDS(5);
    cancel(1);
    harness_cancelled(&h, 1, 6);
    expect_told(RATIO(2, 5), RATIO(1, 2));
    expect_cell(0, RATIO(14, 10), RATIO(13, 10), 1); /* 1.4 / 2.7 */
    harness_close(&h);
}

Test(learning, rule_26_a_hundred_short_spells_are_one_whole)
{
    quiet(RATIO(1, 1));
    for (order_id id = 1; id <= 100; id++) {
        rest(id);
        cancel(id);
        h.now += MILLISECONDS(100);
        harness_cancelled(&h, id, 10);
    }
    expect_cell(0, RATIO(1, 1), RATIO(2, 1), 100); /* 1 / 3, not 1 / 102 */
    harness_close(&h);
}

Test(learning, rule_26_older_spells_fade)
{
    quiet(RATIO(99, 100));
    for (order_id id = 1; id <= 2; id++) {
        rest(id);
        harness_run_to(&h, h.now + SECONDS(10));
    }
    expect_cell(0, RATIO(1, 1), RATIO(299, 100), 2); /* 1 + 0.99 + 1 */
    harness_close(&h);
}

/* --- what a spell is ------------------------------------------------------------------------------ */

Test(learning, the_horizon_ends_a_spell_and_the_order_has_no_second_one)
{
    quiet(RATIO(1, 1));
    rest(1);
    cr_expect_eq(engine_deadline(h.engine), SECONDS(10));
    harness_tick(&h, SECONDS(10));
    expect_told(0, RATIO(1, 1));
    h.now = SECONDS(15);
    harness_fill(&h, 1, SIDE_BUY, 900, 10, 0);
    cr_expect_eq(harness_count(&h, EVENT_learned), 0);
    expect_cell(0, RATIO(1, 1), RATIO(2, 1), 1);
    harness_close(&h);
}

Test(learning, a_fill_at_the_horizon_s_own_time_counts)
{
    quiet(RATIO(1, 1));
    rest(1);
    h.now = SECONDS(10);
    harness_fill(&h, 1, SIDE_BUY, 900, 5, 5);
    expect_told(RATIO(1, 2), RATIO(1, 1));
    harness_close(&h);
}

Test(learning, a_fill_that_beats_its_cancel_counts)
{
    quiet(RATIO(1, 1));
    rest(1);
    h.now = SECONDS(1);
    cancel(1);
    h.now = SECONDS(2);
    harness_fill(&h, 1, SIDE_BUY, 900, 10, 0);
    expect_cell(0, RATIO(2, 1), RATIO(1, 1), 1);
    harness_close(&h);
}

Test(learning, a_fill_that_overtakes_the_acceptance_is_proof_of_it)
{
    quiet(RATIO(1, 1));
    take_order(1, SIDE_BUY, 900, 10, 0);
    harness_fill(&h, 1, SIDE_BUY, 900, 10, 0);
    expect_told(RATIO(1, 1), 0);
    expect_cell(0, RATIO(2, 1), RATIO(1, 1), 1);
    harness_close(&h);
}

Test(learning, rejected_and_never_active_teach_nothing)
{
    quiet(RATIO(1, 1));
    take_order(1, SIDE_BUY, 900, 10, 0);
    harness_reject(&h, 1, REJECT_POST_ONLY);
    take_order(2, SIDE_BUY, 900, 10, 0);
    h.now = SECONDS(5);
    harness_cancelled(&h, 2, 10);
    take_order(3, SIDE_BUY, 900, 10, 0);
    answer(EVENT_order_expired, 3);
    expect_cell(0, RATIO(1, 1), RATIO(1, 1), 0);
    harness_close(&h);
}

Test(learning, an_order_that_the_venue_lost_teaches_nothing)
{
    quiet(RATIO(1, 1));
    rest(1);
    answer(EVENT_order_not_found, 1); /* first time: unknown */
    h.now = SECONDS(6);
    answer(EVENT_order_not_found, 1);
    answer(EVENT_order_not_found, 1);
    cr_assert_eq(harness_order(&h, 1)->state, ORDER_CANCELLED);
    expect_cell(0, RATIO(1, 1), RATIO(1, 1), 0);
    harness_close(&h);
}

Test(learning, an_unknown_order_waits_for_what_it_turns_out_to_be)
{
    quiet(RATIO(1, 1));
    rest(1);
    h.now = SECONDS(1);
    cancel(1);
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_CANCEL}};
    harness_record(&h, EVENT_order_unknown, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    harness_run_to(&h, SECONDS(12)); /* past the horizon, and nothing is said */
    expect_cell(0, RATIO(1, 1), RATIO(1, 1), 0);
    harness_fill(&h, 1, SIDE_BUY, 900, 5, 5); /* still unknown */
    answer(EVENT_cancel_rejected, 1);         /* it rests: the horizon is past, half was filled */
    expect_told(RATIO(1, 2), RATIO(1, 1));
    expect_cell(0, RATIO(3, 2), RATIO(3, 2), 1);
    harness_close(&h);
}

Test(learning, an_unknown_order_that_rests_again_before_the_horizon_goes_on)
{
    quiet(RATIO(1, 1));
    rest(1);
    h.now = SECONDS(1);
    cancel(1);
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_CANCEL}};
    harness_record(&h, EVENT_order_unknown, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    h.now = SECONDS(4);
    answer(EVENT_cancel_rejected, 1);
    cr_expect_eq(harness_count(&h, EVENT_learned), 0);
    harness_run_to(&h, SECONDS(10));
    expect_cell(0, RATIO(1, 1), RATIO(2, 1), 1);
    harness_close(&h);
}

Test(learning, another_level_ends_the_spell_and_begins_one)
{
    quiet(RATIO(1, 1));
    rest(1);
    harness_tick(&h, SECONDS(2));
    modify(1, 8, 1);
    cr_expect_eq(harness_order(&h, 1)->level, 0);
    modified(1, 8);
    cr_expect_eq(harness_order(&h, 1)->level, 1);
    expect_cell(0, RATIO(1, 1), RATIO(12, 10), 1);
    h.now = SECONDS(7);
    harness_fill(&h, 1, SIDE_BUY, 900, 8, 0); /* all that the modify left */
    expect_cell(1, RATIO(2, 1), RATIO(1, 1), 1);
    harness_close(&h);
}

/* Until the edit is known to have happened the order rests, and fills, where it did before. */
Test(learning, a_fill_while_an_edit_travels_is_of_the_old_level)
{
    quiet(RATIO(1, 1));
    rest(1);
    h.now = SECONDS(2);
    modify(1, 8, 1);
    harness_fill(&h, 1, SIDE_BUY, 900, 5, 5);
    cr_expect_eq(harness_count(&h, EVENT_learned), 0);
    h.now = SECONDS(4);
    modified(1, 3); /* 8 less what has filled */
    expect_cell(0, RATIO(3, 2), RATIO(12, 10), 1);
    cr_expect_eq(harness_order(&h, 1)->level, 1);
    harness_close(&h);
}

/* One that was refused leaves the order, and its spell, where they were. */
Test(learning, an_edit_that_was_refused_changes_no_level)
{
    quiet(RATIO(1, 1));
    rest(1);
    h.now = SECONDS(2);
    modify(1, 8, 1);
    union event_record record = {.modify_rejected = {.order = 1, .reason = REJECT_HALTED}};
    harness_record(&h, EVENT_modify_rejected, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    cr_expect_eq(harness_count(&h, EVENT_learned), 0);
    cr_expect_eq(harness_order(&h, 1)->level, 0);
    harness_run_to(&h, SECONDS(10));
    expect_cell(0, RATIO(1, 1), RATIO(2, 1), 1);
    harness_close(&h);
}

/* Its answer was lost, and the order is seen at the new price. */
Test(learning, an_edit_that_is_seen_to_have_happened_changes_the_level)
{
    quiet(RATIO(1, 1));
    rest(1);
    h.now = SECONDS(2);
    const struct event_modify modify = {
        .order = 1, .price = {895, NUMBER_VALUE}, .leaves = {10, NUMBER_VALUE}, .level = 1};
    orders_take_modify(h.engine, &modify, h.now);
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_MODIFY}};
    harness_record(&h, EVENT_order_unknown, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    record = (union event_record){
        .order_status = {.order = 1, .price = {895, NUMBER_VALUE}, .leaves = {10, NUMBER_VALUE}}};
    h.now = SECONDS(5);
    harness_record(&h, EVENT_order_status, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    expect_cell(0, RATIO(1, 1), RATIO(15, 10), 1);
    cr_expect_eq(harness_order(&h, 1)->level, 1);
    harness_close(&h);
}

Test(learning, past_the_horizon_another_level_teaches_nothing_and_begins_a_spell)
{
    quiet(RATIO(1, 1));
    rest(1);
    harness_run_to(&h, SECONDS(11));
    modify(1, 8, 1);
    modified(1, 8);
    expect_cell(0, RATIO(1, 1), RATIO(2, 1), 1);
    harness_run_to(&h, SECONDS(21));
    expect_cell(1, RATIO(1, 1), RATIO(2, 1), 1);
    harness_close(&h);
}

Test(learning, what_a_modify_took_away_was_not_there_to_fill)
{
    quiet(RATIO(1, 1));
    rest(1);
    modify(1, 5, 0);
    modified(1, 5);
    h.now = SECONDS(5);
    harness_fill(&h, 1, SIDE_BUY, 900, 5, 0);
    expect_told(RATIO(1, 1), RATIO(1, 2));
    harness_close(&h);
}

Test(learning, a_cancel_that_owes_fills_waits_for_them)
{
    quiet(RATIO(1, 1));
    rest(1);
    cancel(1);
    h.now = SECONDS(5);
    harness_cancelled(&h, 1, 6); /* four of ten are still to be told */
    cr_expect_eq(harness_count(&h, EVENT_learned), 0);
    harness_fill(&h, 1, SIDE_BUY, 900, 4, 0);
    expect_told(RATIO(2, 5), RATIO(1, 2));
    harness_close(&h);
}

Test(learning, an_order_that_stands_for_another_level_without_moving)
{
    harness_init(&h);
    h.settings[0].learning_horizon = SECONDS(10);
    h.settings[0].learning_decay = RATIO(1, 1);
    h.settings[0].quote_levels = 2;
    h.settings[0].reconcile_price = TICKS(0);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    /* Fair 1002.5, half spread 2 ticks, step 1 tick: bids 990 and 985, asks 1015 and 1020. */
    for (order_id id = 1; id <= 4; id++)
        harness_accept(&h, id);
    order_id best = 0;
    for (order_id id = 1; id <= 4; id++)
        if (harness_order(&h, id)->price == 990)
            best = id;
    cr_assert_neq(best, 0);
    h.now = SECONDS(1);
    /* Up one tick: bids 995 and 990. The bid at 990 is the second now. */
    harness_book(&h, 0, EVENT_top, 1005, 50, 1010, 50);
    cr_expect_eq(harness_order(&h, best)->state, ORDER_ACTIVE);
    cr_expect_eq(harness_order(&h, best)->level, 1);
    expect_cell(0, RATIO(1, 1), RATIO(11, 10), 1);
    harness_close(&h);
}

Test(learning, off_by_a_horizon_of_zero)
{
    quiet(RATIO(1, 1));
    h.engine->instruments[0].limits.learning_horizon = 0;
    rest(1);
    harness_run_to(&h, SECONDS(20));
    harness_fill(&h, 1, SIDE_BUY, 900, 10, 0);
    expect_cell(0, RATIO(1, 1), RATIO(1, 1), 0);
    harness_close(&h);
}

Test(learning, records_that_name_no_cell_change_nothing)
{
    quiet(RATIO(1, 1));
    struct event_learned good = {.weight = RATIO(1, 1), .alpha = RATIO(1, 1), .beta = RATIO(2, 1)};
    struct event_learned bad[] = {good, good, good, good, good, good, good, good, good};
    bad[0].instrument = 1;
    bad[1].level = STRATEGY_LEVELS_MAX;
    bad[2].next = STRATEGY_LEVELS_MAX;
    bad[3].side = 2;
    bad[4].filled = RATIO(1, 1) + 1;
    bad[5].weight = -1;
    bad[6].filled = -1;
    bad[7].alpha = RATIO(1, 1) - 1;
    bad[8].beta = INT64_MAX;
    for (unsigned i = 0; i < 9; i++)
        learning_take(h.engine, &bad[i]);
    expect_cell(0, RATIO(1, 1), RATIO(1, 1), 0);
    learning_take(h.engine, &good);
    expect_cell(0, RATIO(1, 1), RATIO(2, 1), 1);
    harness_close(&h);
}

/* --- the fold ---------------------------------------------------------------------------------------- */

static struct engine *folded;

static void fold_step(const struct message *message)
{
    engine_fold(folded, message);
    for (size_t i = 0; i < h.count; i++)
        engine_fold(folded, &h.decisions[i]);
}

static size_t carry_text(const struct engine *engine, char *out, size_t capacity)
{
    struct walker_text text;
    walker_text_init(&text, out, capacity);
    engine_walk_carry(engine, &text.walker);
    cr_assert_leq(text.length, capacity);
    return text.length;
}

static void expect_same_carry(void)
{
    static char ours[200000], theirs[200000];
    size_t length = carry_text(h.engine, ours, sizeof ours);
    size_t other = carry_text(folded, theirs, sizeof theirs);
    cr_assert(length == other && memcmp(ours, theirs, length) == 0);
}

static void session(enum event_kind kind, const union event_record *record)
{
    harness_record(&h, kind, EVENT_STREAM(0, CHANNEL_SESSION), record);
    struct message message = {.ts_local = h.now,
                              .kind = (uint8_t)kind,
                              .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                              .record = record};
    fold_step(&message);
    expect_same_carry();
}

static void market(int64_t bid, int64_t ask)
{
    harness_book(&h, 0, EVENT_top, bid, 50, ask, 50);
    for (size_t i = 0; i < h.count; i++)
        engine_fold(folded, &h.decisions[i]);
    expect_same_carry();
}

static void start_two(void)
{
    static uint8_t memory[4000000] __attribute__((aligned(64)));
    harness_init(&h);
    h.settings[0].learning_horizon = SECONDS(10);
    h.settings[0].learning_decay = RATIO(99, 100);
    h.settings[0].quote_levels = 2;
    h.settings[0].reconcile_price = TICKS(0);
    harness_start(&h);
    struct engine_config config = {.global = &h.global,
                                   .venue_count = 2,
                                   .asset_count = HARNESS_ASSETS,
                                   .instrument_count = h.instrument_count,
                                   .venues = h.venues,
                                   .instruments = h.settings,
                                   .definitions = h.definitions};
    cr_assert_leq(engine_size(&config), sizeof memory);
    folded = engine_init(memory, sizeof memory, &config);
    union event_record record = {.start = {.epoch = 0, .seed = 1}};
    engine_fold(folded, &(struct message){.kind = EVENT_start, .record = &record});
    for (uint8_t venue = 0; venue < 2; venue++) {
        record.snapshot_end = (struct event_snapshot_end){.venue = venue};
        engine_fold(folded, &(struct message){.kind = EVENT_snapshot_end, .record = &record});
    }
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    for (size_t i = 0; i < h.count; i++)
        engine_fold(folded, &h.decisions[i]);
}

static void tick_both(int64_t now)
{
    union event_record record = {.tick = {.deadline = now}};
    h.now = now;
    session(EVENT_tick, &record);
}

Test(learning, a_fold_of_the_tape_has_learned_the_same)
{
    start_two();
    for (order_id id = 1; id <= 4; id++) {
        union event_record record = {.order_accepted = {.order = id}};
        session(EVENT_order_accepted, &record);
    }
    h.now = SECONDS(1);
    market(1005, 1010); /* one level up: two orders stand for others, two are new */
    h.now = SECONDS(3);
    for (order_id id = 5; id <= 6; id++) {
        union event_record record = {.order_accepted = {.order = id}};
        session(EVENT_order_accepted, &record);
    }
    for (int second = 4; second < 16; second++)
        tick_both(SECONDS(second));
    market(1100, 1105); /* far away: everything is cancelled and placed anew */
    for (order_id id = 1; id <= 6; id++) {
        union event_record record = {
            .order_cancelled = {.order = id, .leaves = {10, NUMBER_VALUE}}};
        if (harness_order(&h, id)->state == ORDER_PENDING_CANCEL)
            session(EVENT_order_cancelled, &record);
    }
    cr_expect_gt(learned(0).spells, 0);
    cr_expect_gt(learned(1).spells, 0);
    harness_close(&h);
}

/* --- sizes -------------------------------------------------------------------------------------------- */

/* Two levels, 2 and 3 ticks from fair, of `size`. */
static struct wanted_ladder two_levels(int64_t size)
{
    struct wanted_ladder ladder = {.count = 2, .fair_millitick = 200000, .has_fair = true};
    for (uint8_t level = 0; level < 2; level++)
        ladder.levels[level] = (struct wanted_level){
            .price = {1000 - 5 * (level + 2), NUMBER_VALUE},
            .quantity = {size, NUMBER_VALUE},
            .distance_millitick = 1000 * (level + 2),
            .side = SIDE_BUY,
            .level = level,
        };
    return ladder;
}

static void sizing(void)
{
    quiet(RATIO(1, 1));
    struct limits *limits = &h.engine->instruments[0].limits;
    limits->learning_sizing = true;
    limits->quote.levels = 2;
    limits->learning_evidence = RATIO(2, 1);
}

/* `count` whole spells of a level, each filled by that share. */
static void teach(unsigned level, unsigned count, int64_t filled)
{
    struct event_learned told = {
        .level = level, .next = level, .filled = filled, .weight = RATIO(1, 1)};
    for (unsigned i = 0; i < count; i++) {
        told.alpha = learned(level).alpha + filled;
        told.beta = learned(level).beta + RATIO(1, 1) - filled;
        learning_take(h.engine, &told);
    }
}

static void expect_sizes(struct wanted_ladder ladder, int64_t first, int64_t second)
{
    learning_size(h.engine, 0, &ladder);
    cr_expect_eq(ladder.levels[0].quantity.units, first, "first %lld",
                 (long long)ladder.levels[0].quantity.units);
    cr_expect_eq(ladder.levels[1].quantity.units, second, "second %lld",
                 (long long)ladder.levels[1].quantity.units);
}

Test(learning, sizes_move_to_the_level_that_earns_more)
{
    sizing();
    teach(0, 2, RATIO(1, 1)); /* 3/4 x 2 ticks = 1.5 */
    teach(1, 2, 0);           /* 1/4 x 3 ticks = 0.75: mean 1.125, so 4/3 and 2/3 */
    expect_sizes(two_levels(30), 40, 20);
    h.engine->instruments[0].limits.learning_sizing = false;
    expect_sizes(two_levels(30), 30, 30);
    harness_close(&h);
}

Test(learning, sizes_stay_while_a_level_has_taught_too_little)
{
    sizing();
    teach(0, 20, RATIO(1, 1));
    teach(1, 1, 0);
    expect_sizes(two_levels(30), 30, 30);
    teach(1, 1, 0);
    /* 21/22 = 0.954 x 2 = 1.908 and 1/4 x 3 = 0.75, mean 1.329: 30 x 1.435 = 43.07, 30 x 0.564 = 16.93 */
    expect_sizes(two_levels(30), 43, 16);
    harness_close(&h);
}

Test(learning, sizes_stay_within_half_and_twice)
{
    sizing();
    teach(0, 98, RATIO(1, 1)); /* 0.99 x 2 ticks */
    teach(1, 98, 0);           /* 0.01 x 3 ticks: 0.015 of the mean and 1.97 */
    expect_sizes(two_levels(31), 61, 15);
    harness_close(&h);
}

Test(learning, sizes_are_rounded_down_to_lots_and_never_below_one)
{
    sizing();
    h.engine->instruments[0].limits.quote.lot = 7;
    teach(0, 2, RATIO(1, 1));
    teach(1, 2, 0);
    expect_sizes(two_levels(28), 35, 14); /* 37.3 and 18.7 */
    expect_sizes(two_levels(7), 7, 7);    /* 9.3, and 4.7 that would be none */
    harness_close(&h);
}

Test(learning, sizes_do_not_fall_below_the_minimum_notional)
{
    sizing();
    teach(0, 2, RATIO(1, 1));
    teach(1, 2, 0);
    h.engine->instruments[0].limits.minimum_raw =
        985 * 21; /* price x quantity of the second level */
    expect_sizes(two_levels(30), 40, 30);
    harness_close(&h);
}

Test(learning, the_fee_is_part_of_the_edge)
{
    sizing();
    teach(0, 2, RATIO(1, 2));
    teach(1, 2, RATIO(1, 2));             /* both 1/2 */
    expect_sizes(two_levels(30), 24, 36); /* 2 and 3 of a mean of 2.5 */
    h.engine->instruments[0].definition.maker_fee = 5000000;
    h.engine->instruments[0].learning.sizes[SIDE_BUY].made = false;
    /* 0.5 % of 200 ticks is 1 tick: 1 and 2 of a mean of 1.5 */
    expect_sizes(two_levels(30), 20, 40);
    h.engine->instruments[0].definition.maker_fee = 20000000;
    h.engine->instruments[0].learning.sizes[SIDE_BUY].made = false;
    /* 4 ticks: nothing to earn, no level is better than another */
    expect_sizes(two_levels(30), 30, 30);
    harness_close(&h);
}

Test(learning, what_fills_lose_by_markout_is_part_of_the_edge)
{
    sizing();
    struct instrument *instrument = &h.engine->instruments[0];
    instrument->limits.signal.edge_fills = 2;
    teach(0, 2, RATIO(1, 2));
    teach(1, 2, RATIO(1, 2)); /* both 1/2 */
    instrument->signals.markouts.values[0] = -0.008;
    instrument->signals.markouts.count = 1;
    expect_sizes(two_levels(30), 24, 36); /* one fill is too few: 2 and 3 of a mean of 2.5 */
    instrument->signals.markouts.values[1] = -0.002;
    instrument->signals.markouts.count = 2;
    instrument->learning.sizes[SIDE_BUY].made = false;
    /* On average 0.5 % of 200 ticks is lost, 1 tick: 1 and 2 of a mean of 1.5 */
    expect_sizes(two_levels(30), 20, 40);
    instrument->definition.maker_fee = 5000000;
    instrument->learning.sizes[SIDE_BUY].made = false;
    instrument->learning.markouts = 0;
    /* All of that was the fee, which is counted once. */
    expect_sizes(two_levels(30), 20, 40);
    instrument->signals.markouts.values[1] = 0.012;
    instrument->signals.markouts.count = 3;
    instrument->signals.markouts.values[2] = 0.02;
    instrument->learning.sizes[SIDE_BUY].made = false;
    expect_sizes(two_levels(30), 20, 40); /* a gain earns no size: the distance counts it already */
    harness_close(&h);
}

Test(learning, ladders_that_cannot_be_sized_are_left_alone)
{
    sizing();
    teach(0, 2, RATIO(1, 1));
    teach(1, 2, 0);
    struct wanted_ladder ladder = two_levels(30);
    ladder.has_fair = false;
    expect_sizes(ladder, 30, 30);
    ladder = two_levels(30);
    ladder.count = 1;
    expect_sizes(ladder, 30, 30);
    ladder = two_levels(30);
    ladder.levels[1].quantity.units = 31;
    expect_sizes(ladder, 30, 31);
    ladder = two_levels(30);
    ladder.levels[0].price.status = NUMBER_NAN;
    expect_sizes(ladder, 30, 30);
    ladder = two_levels(INT64_MAX / 2 + 1);
    ladder.levels[0].distance_millitick = INT64_MAX;
    ladder.levels[1].distance_millitick = INT64_MIN;
    /* Twice the first does not fit; the second has nothing to earn. */
    expect_sizes(ladder, INT64_MAX / 2 + 1, (INT64_MAX / 2 + 1) / 2);
    harness_close(&h);
}
