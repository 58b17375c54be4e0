/* The ladder strategy's prices, by its formula. */
#include <criterion/criterion.h>

#include "strategy/strategy.h"

static struct strategy_units units;
static struct strategy_view view;
static struct wanted_ladder ladder;

static void book(int64_t bid, int64_t bid_quantity, int64_t ask, int64_t ask_quantity)
{
    units = (struct strategy_units){.tick = 5,
                                    .lot = 1,
                                    .size = 10,
                                    .half_spread_millitick = 2000,
                                    .step_millitick = 1000,
                                    .skew_millitick = 2000,
                                    .levels = 1};
    view = (struct strategy_view){.units = &units,
                                  .best_bid = bid,
                                  .best_ask = ask,
                                  .best_bid_quantity = bid_quantity,
                                  .best_ask_quantity = ask_quantity,
                                  .position_limit = 100,
                                  .widen_numerator = 1,
                                  .widen_denominator = 1};
}

static void wanted(void)
{
    strategy_ladder.wanted(NULL, &view, &ladder);
}

Test(ladder, style_example)
{
    book(1000, 50, 1005, 40);
    wanted();
    /* (100.0 x 40 + 100.5 x 50) / 90 = 100.2777… = 200.555… ticks */
    cr_expect(ladder.has_fair);
    cr_expect_eq(ladder.fair_millitick, 200555);
    cr_assert_eq(ladder.count, 2);
    cr_expect_eq(ladder.levels[0].price.units, 990);
    cr_expect_eq(ladder.levels[1].price.units, 1015);
    /* From fair value to what the grid made of two ticks: 198 and 203 ticks. */
    cr_expect_eq(ladder.levels[0].distance_millitick, 2555);
    cr_expect_eq(ladder.levels[1].distance_millitick, 2445);
}

Test(ladder, steps_and_skew)
{
    book(1000, 50, 1005, 50);
    units.levels = 3;
    view.position = 50;
    wanted();
    /* fair 200.5 ticks, skew 1 tick: bids from 197.5, asks from 201.5, rounded away */
    cr_expect_eq(ladder.skew_millitick, 1000);
    cr_assert_eq(ladder.count, 6);
    cr_expect_eq(ladder.levels[0].price.units, 197 * 5);
    cr_expect_eq(ladder.levels[2].price.units, 195 * 5);
    cr_expect_eq(ladder.levels[3].price.units, 202 * 5);
    cr_expect_eq(ladder.levels[5].price.units, 204 * 5);
    cr_expect_eq(ladder.levels[0].distance_millitick, 3500);
    cr_expect_eq(ladder.levels[2].distance_millitick, 5500);
    cr_expect_eq(ladder.levels[3].distance_millitick, 1500);
    cr_expect_eq(ladder.levels[5].distance_millitick, 3500);
}

Test(ladder, never_through_the_top)
{
    book(1000, 50, 1005, 50);
    units.half_spread_millitick = 0;
    view.position = 100;
    wanted();
    /* The skew of two ticks would sell at 199: at the ask instead, half a tick above fair value. */
    cr_expect_eq(ladder.levels[1].price.units, 1005);
    cr_expect_eq(ladder.levels[1].distance_millitick, 500);
    view.position = -100;
    wanted();
    cr_expect_eq(ladder.levels[0].price.units, 1000);
    cr_expect_eq(ladder.levels[0].distance_millitick, 500);
}

Test(ladder, widens)
{
    book(1000, 50, 1005, 50);
    view.widen_numerator = 2;
    wanted();
    cr_expect_eq(ladder.levels[0].price.units, 196 * 5);
    cr_expect_eq(ladder.levels[1].price.units, 205 * 5);
}

Test(ladder, nothing_without_a_market)
{
    book(1005, 50, 1005, 50);
    wanted();
    cr_expect_eq(ladder.count, 0);
    cr_expect_not(ladder.has_fair);
    book(1010, 50, 1005, 50);
    wanted();
    cr_expect_eq(ladder.count, 0);
    book(1000, 0, 1005, 0);
    wanted();
    cr_expect_eq(ladder.count, 0);
}

Test(ladder, leaves_out_what_is_not_above_zero)
{
    book(5, 50, 10, 50);
    wanted();
    cr_assert_eq(ladder.count, 1);
    cr_expect_eq(ladder.levels[0].side, SIDE_SELL);
}

Test(ladder, large_figures_do_not_overflow)
{
    book(INT64_C(1) << 50, INT64_C(1) << 61, (INT64_C(1) << 50) + 5000000, INT64_C(1) << 61);
    units.tick = 1;
    wanted();
    cr_expect(ladder.has_fair);
    cr_expect_eq(ladder.fair_millitick, ((INT64_C(1) << 50) + 2500000) * 1000);
}

/* What no market has: a ladder without the levels that have no price, or none at all. */
Test(ladder, figures_without_end_leave_nothing_to_want)
{
    static const struct {
        int64_t tick, half, step, skew, position, bid, ask;
    } worst[] = {
        {INT64_MAX, 2000, 1000, 0, 0, 1000, 1005},
        {INT64_C(1) << 60, 10000, 1000, 0, 0, 1000, INT64_C(1) << 60},
        {1, 2000, 1000, 0, 0, INT64_C(1) << 59, INT64_C(1) << 60},
        {1, INT64_MAX, 1000, 0, 0, 1000, 1005},
        {1, 2000, INT64_MAX / 64, 0, 0, 1000, 1005},
        {1, 2000, 1000, INT64_MAX / 64, INT64_MAX, 1000, 1005},
        {1, 2000, 1000, INT64_MAX / 64, -100, 1000, 1005},
    };
    for (size_t i = 0; i < sizeof worst / sizeof worst[0]; i++) {
        book(worst[i].bid, 50, worst[i].ask, 50);
        units.tick = worst[i].tick;
        units.half_spread_millitick = worst[i].half;
        units.step_millitick = worst[i].step;
        units.skew_millitick = worst[i].skew;
        units.levels = STRATEGY_LEVELS_MAX;
        view.position = worst[i].position;
        wanted();
        for (size_t level = 0; level < ladder.count; level++) {
            cr_expect_gt(ladder.levels[level].price.units, 0, "row %zu", i);
            cr_expect_eq(ladder.levels[level].price.units % units.tick, 0, "row %zu", i);
        }
    }
}

/* The first figure past what fits, of each kind: nothing is wanted, and no fair value is told. */
Test(ladder, nothing_where_a_figure_does_not_fit)
{
    static const struct {
        int64_t half, step, skew, position, bid, ask;
        bool fits;
    } rows[] = {
        /* asks of MAX / 4 thousandths of a tick and one more unit; of more than 64 bits in thousandths */
        {2000, 1000, 2000, 0, 1000, INT64_MAX / 4 / 1000, true},
        {2000, 1000, 2000, 0, 1000, INT64_MAX / 4 / 1000 + 1, false},
        {2000, 1000, 2000, 0, 1000, INT64_MAX / 1000 + 1, false},
        /* a skew of MAX / 4 with or against the position, and one more */
        {2000, 1000, INT64_MAX / 4, 100, 1000, 1005, true},
        {2000, 1000, INT64_MAX / 4 + 1, 100, 1000, 1005, false},
        {2000, 1000, INT64_MAX / 4, -100, 1000, 1005, true},
        {2000, 1000, INT64_MAX / 4 + 1, -100, 1000, 1005, false},
        {2000, 1000, INT64_MAX, 200, 1000, 1005, false},
        /* the last of two levels at MAX / 4, one beyond, past 64 bits by its steps and by the sum */
        {1, INT64_MAX / 8, 0, 0, 1000, 1005, true},
        {4, INT64_MAX / 8, 0, 0, 1000, 1005, false},
        {2000, INT64_MAX / 2 + 1, 0, 0, 1000, 1005, false},
        {INT64_MAX, 1000, 0, 0, 1000, 1005, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        book(rows[i].bid, 50, rows[i].ask, 50);
        units.tick = 1;
        units.half_spread_millitick = rows[i].half;
        units.step_millitick = rows[i].step;
        units.skew_millitick = rows[i].skew;
        units.levels = 2;
        view.position = rows[i].position;
        wanted();
        cr_expect_eq(ladder.has_fair, rows[i].fits, "row %zu", i);
        cr_expect_eq(ladder.count > 0, rows[i].fits, "row %zu", i);
    }
}

Test(ladder, no_ask_above_a_bid_where_a_tick_does_not_fit)
{
    book(1000, 50, 1005, 50);
    units.tick = INT64_MAX - 999; /* 1,000 and a tick are one too many */
    units.half_spread_millitick = 0;
    view.position = 100; /* by two ticks of skew both sides are wanted below 0 */
    wanted();
    cr_expect(ladder.has_fair);
    cr_expect_eq(ladder.fair_millitick, 0);
    cr_expect_eq(ladder.count, 0);
    units.tick--;
    wanted();
    cr_expect_eq(ladder.count, 0); /* at the end of the numbers, which is no price */
    units.tick--;
    wanted();
    cr_assert_eq(ladder.count, 1);
    cr_expect_eq(ladder.levels[0].side, SIDE_SELL);
    cr_expect_eq(ladder.levels[0].price.units, INT64_MAX - 1);
}
