/* Learning where a tape or the venue tells oddly: spells that begin or end otherwise than they should, cells at
 * their largest, ladders that sizes were not made of. The rule's own figures stand in engine_learning_test.c. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

#define RATIO(numerator, denominator) (INT64_C(1000000000) * (numerator) / (denominator))

/* No quotes of the engine's own; horizon 10 s; nothing fades. */
static void quiet(void)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    h.settings[0].learning_horizon = SECONDS(10);
    h.settings[0].learning_decay = RATIO(1, 1);
    h.settings[0].order_pending_timeout = SECONDS(60);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
}

static void take_order(order_id id, unsigned level)
{
    struct event_place place = {.order = id,
                                .side = SIDE_BUY,
                                .price = {900, NUMBER_VALUE},
                                .quantity = {10, NUMBER_VALUE},
                                .level = level};
    orders_take_place(h.engine, &place, h.now);
}

static void rest(order_id id)
{
    take_order(id, 0);
    harness_accept(&h, id);
}

static void lost(order_id id, enum request request)
{
    union event_record record = {.order_unknown = {.order = id, .request = (uint8_t)request}};
    harness_record(&h, EVENT_order_unknown, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

static void fold(enum event_kind kind, union event_record record)
{
    const struct message message = {.ts_local = h.now,
                                    .kind = (uint8_t)kind,
                                    .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                                    .record = &record};
    engine_fold(h.engine, &message);
}

static struct learning_cell *cell(unsigned level)
{
    return &h.engine->instruments[0].learning.cells[SIDE_BUY][level];
}

static unsigned spell(order_id id)
{
    return harness_order(&h, id)->spell;
}

/* --- spells ------------------------------------------------------------------------------------------- */

Test(spells, a_level_that_no_ladder_has_teaches_nothing)
{
    quiet();
    take_order(1, STRATEGY_LEVELS_MAX);
    harness_accept(&h, 1);
    cr_expect_eq(spell(1), SPELL_NONE);
    harness_run_to(&h, SECONDS(20));
    harness_fill(&h, 1, SIDE_BUY, 900, 10, 0);
    cr_expect_eq(harness_count(&h, EVENT_learned), 0);
    harness_close(&h);
}

/* 1e9 x the nanoseconds of half a minute are more than 64 bits hold. */
Test(spells, half_of_a_long_horizon_weighs_a_half)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    h.settings[0].learning_horizon = SECONDS(60);
    h.settings[0].learning_decay = RATIO(1, 1);
    harness_start(&h);
    rest(1);
    h.now += SECONDS(30);
    harness_cancelled(&h, 1, 10);
    const union event_record *told = harness_find(&h, EVENT_learned, 0);
    cr_assert_not_null(told);
    cr_expect_eq(told->learned.weight, RATIO(1, 2));
    harness_close(&h);
}

/* Its place had no answer, and then it was filled: nobody knows for how long it had rested. */
Test(spells, a_fill_of_an_order_that_was_never_seen_to_rest_teaches_nothing)
{
    quiet();
    take_order(1, 0);
    lost(1, REQUEST_PLACE);
    harness_fill(&h, 1, SIDE_BUY, 900, 10, 0);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_FILLED);
    cr_expect_eq(harness_count(&h, EVENT_learned), 0);
    cr_expect_eq(cell(0)->spells, 0);
    harness_close(&h);
}

/* After a restart with learning switched on what rests has had no spell: a new level begins none. */
Test(spells, an_order_from_before_learning_has_none)
{
    quiet();
    h.engine->instruments[0].limits.learning_horizon = 0;
    rest(1);
    h.engine->instruments[0].limits.learning_horizon = SECONDS(10);
    learning_level_moved(h.engine, harness_order(&h, 1), 1);
    cr_expect_eq(spell(1), SPELL_NONE);
    harness_run_to(&h, SECONDS(20));
    cr_expect_eq(cell(0)->spells + cell(1)->spells, 0);
    harness_close(&h);
}

/* What a run told at the end of a spell stands on its tape: in the fold nothing ends before it is told. */
Test(spells, in_a_fold_only_the_tape_ends_a_spell)
{
    quiet();
    rest(1);
    h.now = SECONDS(1);
    orders_take_cancel(h.engine, &(struct event_cancel){.order = 1}, h.now);
    lost(1, REQUEST_CANCEL);
    h.now = SECONDS(12); /* past the horizon, and then it turns out to rest */
    fold(EVENT_cancel_rejected, (union event_record){.cancel_rejected = {.order = 1}});
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_ACTIVE);
    cr_expect_eq(spell(1), SPELL_OPEN);
    cr_expect_eq(cell(0)->spells, 0);
    fold(EVENT_learned, (union event_record){.learned = {.order = 1,
                                                         .weight = RATIO(1, 1),
                                                         .alpha = RATIO(1, 1),
                                                         .beta = RATIO(2, 1)}});
    cr_expect_eq(spell(1), SPELL_OVER);
    cr_expect_eq(cell(0)->spells, 1);
    harness_close(&h);
}

Test(spells, in_a_fold_only_the_tape_moves_a_level)
{
    quiet();
    rest(1);
    h.now = SECONDS(2);
    const union event_record modify = {.modify = {.order = 1,
                                                  .side = SIDE_BUY,
                                                  .price = {900, NUMBER_VALUE},
                                                  .leaves = {8, NUMBER_VALUE},
                                                  .level = 1}};
    fold(EVENT_modify, modify);
    cr_expect_eq(harness_order(&h, 1)->level, 0);
    h.now = SECONDS(3);
    fold(EVENT_order_modified,
         (union event_record){.order_modified = {.order = 1,
                                                 .price = {900, NUMBER_VALUE},
                                                 .leaves = {8, NUMBER_VALUE}}});
    cr_expect_eq(harness_order(&h, 1)->level, 1);
    cr_expect_eq(cell(0)->spells, 0);
    cr_expect_eq(spell(1), SPELL_OPEN);
    cr_expect_eq(harness_order(&h, 1)->spell_start, 0);
    fold(EVENT_learned, (union event_record){.learned = {.order = 1,
                                                         .weight = RATIO(3, 10),
                                                         .alpha = RATIO(1, 1),
                                                         .beta = RATIO(13, 10),
                                                         .next = 1}});
    cr_expect_eq(cell(0)->spells, 1);
    cr_expect_eq(harness_order(&h, 1)->spell_start, SECONDS(3));
    harness_close(&h);
}

static struct event_learned moved_up(void)
{
    return (struct event_learned){
        .order = 1, .weight = RATIO(1, 1), .alpha = RATIO(1, 1), .beta = RATIO(2, 1), .next = 1};
}

/* The tape was made with learning on, this run is without: what was learned is kept, and no spell begins. */
Test(spells, without_learning_a_told_level_begins_no_spell)
{
    quiet();
    rest(1);
    h.engine->instruments[0].limits.learning_horizon = 0;
    fold(EVENT_learned, (union event_record){.learned = moved_up()});
    cr_expect_eq(cell(0)->spells, 1);
    cr_expect_eq(harness_order(&h, 1)->level, 0);
    cr_expect_eq(spell(1), SPELL_OVER);
    harness_close(&h);
}

Test(spells, an_order_that_is_over_stands_for_no_new_level)
{
    quiet();
    rest(1);
    harness_cancelled(&h, 1, 10);
    fold(EVENT_learned, (union event_record){.learned = moved_up()});
    cr_expect_eq(harness_order(&h, 1)->level, 0);
    cr_expect_eq(spell(1), SPELL_OVER);
    harness_close(&h);
}

/* --- cells -------------------------------------------------------------------------------------------- */

/* A million whole spells, none of which fades. */
Test(spells, a_cell_stays_at_its_largest)
{
    quiet();
    cell(0)->alpha = cell(0)->beta = RATIO(1000000, 1);
    cell(0)->spells = 2000000;
    rest(1);
    h.now = SECONDS(5);
    harness_fill(&h, 1, SIDE_BUY, 900, 5, 5);
    harness_cancelled(&h, 1, 5);
    const union event_record *told = harness_find(&h, EVENT_learned, 0);
    cr_assert_neq(told, NULL);
    cr_expect_eq(told->learned.filled, RATIO(1, 2));
    cr_expect_eq(told->learned.alpha, RATIO(1000001, 1));
    cr_expect_eq(told->learned.beta, RATIO(1000001, 1));
    cr_expect_eq(cell(0)->spells, 2000001);
    /* Where it fades there is room again: 990,000, and the half of a spell that took half of the horizon. */
    h.engine->instruments[0].limits.learning_decay = RATIO(99, 100);
    rest(2);
    h.now = SECONDS(10);
    harness_fill(&h, 2, SIDE_BUY, 900, 5, 5);
    harness_cancelled(&h, 2, 5);
    cr_expect_eq(cell(0)->alpha, RATIO(990000, 1) + RATIO(1, 2));
    cr_expect_eq(cell(0)->beta, RATIO(990000, 1) + RATIO(1, 4));
    harness_close(&h);
}

/* --- sizes -------------------------------------------------------------------------------------------- */

enum { LEVELS = 3 };

/* Bids of 30 each, 2, 3 and 4 ticks from a fair value of 200 ticks. */
static struct wanted_ladder three_levels(void)
{
    struct wanted_ladder ladder = {.count = LEVELS, .fair_millitick = 200000, .has_fair = true};
    for (uint8_t level = 0; level < LEVELS; level++)
        ladder.levels[level] = (struct wanted_level){
            .price = {1000 - 5 * (level + 2), NUMBER_VALUE},
            .quantity = {30, NUMBER_VALUE},
            .distance_millitick = 1000 * (level + 2),
            .side = SIDE_BUY,
            .level = level,
        };
    return ladder;
}

/* Each level fills with a chance of one half, so that only the distance counts. */
static void sizing(void)
{
    quiet();
    struct limits *limits = &h.engine->instruments[0].limits;
    limits->learning_sizing = true;
    limits->quote.levels = LEVELS;
    limits->learning_evidence = RATIO(2, 1);
    for (unsigned level = 0; level < LEVELS; level++)
        *cell(level) =
            (struct learning_cell){.alpha = RATIO(1, 1), .beta = RATIO(1, 1), 2, .chance = 500};
}

static struct learning_sizes *sizes(void)
{
    return &h.engine->instruments[0].learning.sizes[SIDE_BUY];
}

static void expect_sizes(struct wanted_ladder ladder, int64_t a, int64_t b, int64_t c)
{
    const int64_t expected[LEVELS] = {a, b, c};
    learning_size(h.engine, 0, &ladder);
    for (unsigned level = 0; level < LEVELS; level++)
        cr_expect_eq(ladder.levels[level].quantity.units, expected[level], "level %u: %lld", level,
                     (long long)ladder.levels[level].quantity.units);
}

/* B14: first, middle or last, a level that is no number leaves the side as it was wanted, while sizes are made. */
Test(spells, a_side_with_a_level_that_is_no_number_is_not_sized)
{
    sizing();
    for (unsigned level = 0; level < LEVELS; level++) {
        struct wanted_ladder ladders[3] = {three_levels(), three_levels(), three_levels()};
        ladders[0].levels[level].price.status = NUMBER_NAN;
        ladders[1].levels[level].quantity.status = NUMBER_INFINITE;
        ladders[2].levels[level].level = LEVELS; /* of which nothing is known */
        for (unsigned i = 0; i < 3; i++) {
            sizes()->made = false;
            expect_sizes(ladders[i], 30, 30, 30);
        }
    }
    struct wanted_ladder nothing = three_levels();
    for (unsigned level = 0; level < LEVELS; level++)
        nothing.levels[level].quantity.units = 0;
    expect_sizes(nothing, 0, 0, 0);
    expect_sizes(three_levels(), 20, 30, 40); /* 2, 3 and 4 of a mean of 3 */
    harness_close(&h);
}

/* Later only first and last are looked at: the one between is left alone by itself. */
Test(spells, a_level_that_is_no_number_among_sizes_that_hold_stays_as_it_is)
{
    sizing();
    expect_sizes(three_levels(), 20, 30, 40);
    struct wanted_ladder ladder = three_levels();
    ladder.levels[1].price.status = NUMBER_NAN;
    ladder.levels[1].quantity.units = 30;
    h.engine->instruments[0].learning.sizes[SIDE_BUY].sizes[1] = 25;
    expect_sizes(ladder, 20, 30, 40);
    expect_sizes(three_levels(), 20, 25, 40);
    harness_close(&h);
}

/* Each part that sizes are made of makes them anew when it changes, and nothing else does. */
Test(spells, sizes_are_made_anew_when_what_they_are_made_of_changes)
{
    struct instrument *instrument;
    sizing();
    instrument = &h.engine->instruments[0];
    expect_sizes(three_levels(), 20, 30, 40);
    instrument->definition.maker_fee = 5000000; /* of which only new sizes know */
    struct wanted_ladder ladder = three_levels();
    ladder.fair_millitick = 200000 + 200000 / 128;
    expect_sizes(ladder, 20, 30, 40);
    ladder.fair_millitick = 200000 - 200000 / 128;
    expect_sizes(ladder, 20, 30, 40);
    ladder.fair_millitick = 200000 + 200000 / 128 + 1;
    expect_sizes(ladder, 15, 30, 45); /* 0.993, 1.993, 2.993 of a mean of 1.993; half at least */
    instrument->definition.maker_fee = 0;
    for (int side = -1; side <= 1; side += 2) { /* of a half tick, either way */
        ladder.levels[0].distance_millitick = 2000 + side * 500;
        expect_sizes(ladder, 15, 30, 45);
        ladder.levels[0].distance_millitick = 2000;
        ladder.levels[LEVELS - 1].distance_millitick = 4000 + side * 500;
        expect_sizes(ladder, 15, 30, 45);
        ladder.levels[LEVELS - 1].distance_millitick = 4000;
    }
    ladder.levels[0].distance_millitick = 2501;
    expect_sizes(ladder, 23, 28, 37); /* 2.501, 3 and 4 of a mean of 3.167 */
    ladder.levels[0].distance_millitick = 2000;
    expect_sizes(ladder, 20, 30, 40);
    ladder.levels[LEVELS - 1].distance_millitick = 4501;
    expect_sizes(ladder, 18, 28, 42); /* 2, 3 and 4.501 of a mean of 3.167 */
    ladder.levels[LEVELS - 1].distance_millitick = 3499;
    expect_sizes(ladder, 21, 31, 37); /* 2, 3 and 3.499 of a mean of 2.833 */
    ladder.levels[LEVELS - 1].distance_millitick = 5000;
    ladder.levels[LEVELS - 1].price.units = 975;
    expect_sizes(ladder, 18, 27, 45); /* 2, 3 and 5 of a mean of 3.333 */
    instrument->limits.quote.lot = 7;
    expect_sizes(ladder, 14, 21, 42);
    harness_close(&h);
}

static void lose(double markout)
{
    struct markouts *markouts = &h.engine->instruments[0].signals.markouts;
    for (unsigned fill = 0; fill < MARKOUTS_KEPT; fill++, markouts->count++)
        markouts->values[fill] = markout;
    sizes()->made = false;
}

/* A mean loss of all that was paid, or more (what was sold has more than doubled), is the worst that counts; a
 * mean gain, of whatever size, is no loss. */
Test(spells, a_loss_of_more_than_all_counts_as_all)
{
    sizing();
    h.engine->instruments[0].limits.signal.edge_fills = 2;
    struct wanted_ladder ladder = three_levels();
    ladder.fair_millitick = 1500; /* so that all of it is less than a tick and a half */
    lose(0);
    expect_sizes(ladder, 20, 30, 40);
    lose(-0.5);
    expect_sizes(ladder, 16, 30, 43); /* 1.25, 2.25, 3.25 of a mean of 2.25 */
    lose(-1);
    expect_sizes(ladder, 15, 30, 50); /* 0.5, 1.5, 2.5 of a mean of 1.5 */
    lose(-3);
    expect_sizes(ladder, 15, 30, 50);
    lose(-1e15);
    expect_sizes(ladder, 15, 30, 50);
    lose(3);
    expect_sizes(ladder, 20, 30, 40);
    lose(1e15);
    expect_sizes(ladder, 20, 30, 40);
    /* What is left after a rebate of a tenth: the loss before it would be 1.1, and 1 less the rebate counts. */
    h.engine->instruments[0].definition.maker_fee = -RATIO(1, 10);
    lose(-1);
    expect_sizes(ladder, 15, 30, 48); /* 0.65, 1.65, 2.65 of a mean of 1.65 */
    harness_close(&h);
}

/* Ten million ticks bound an edge: beyond, levels are as good or as bad as each other. */
Test(spells, an_edge_beyond_all_ticks_is_the_largest)
{
    struct instrument *instrument;
    sizing();
    instrument = &h.engine->instruments[0];
    struct wanted_ladder ladder = three_levels();
    ladder.fair_millitick = INT64_C(1000000000000);
    instrument->definition.maker_fee = RATIO(1, 10); /* costs 1e11 */
    expect_sizes(ladder, 30, 30, 30);                /* nothing to earn */
    instrument->definition.maker_fee = -RATIO(1, 10);
    sizes()->made = false;
    cell(0)->chance = 250;
    expect_sizes(ladder, 18, 36, 36); /* all earn the most: 1/4, 1/2, 1/2 of a mean of 5/12 */
    /* A distance that the cost can't be taken from is the worst; the others then share. */
    instrument->definition.maker_fee = 5000000;
    ladder = three_levels();
    ladder.levels[0].distance_millitick = INT64_MIN;
    ladder.levels[1].distance_millitick = ladder.levels[2].distance_millitick = INT64_MAX;
    expect_sizes(ladder, 15, 60, 60);
    harness_close(&h);
}
