/* Figures at the edge of what fits, and beyond it: what can't be reckoned is refused, and changes nothing. */
#include <criterion/criterion.h>
#include <string.h>

#include "engine/day.h"
#include "engine/extremes.h"
#include "engine/fx.h"
#include "engine/markouts.h"
#include "engine/spreads.h"
#include "engine/walker.h"
#include "engine_harness.h"

#define RATIO_ONE INT64_C(1000000000)

static const money largest = {(int128)(~(uint128)0 >> 1)};

static money whole(int64_t units)
{
    return (money){(int128)units * power_of_ten(18)};
}

/* --- foreign exchange ------------------------------------------------------------------------------- */

Test(figures, a_rate_may_be_a_multiple_of_ten)
{
    const struct fx_rate twenty = {2, 2, 1};
    int64_t factor;
    money out;
    cr_assert(fx_factor(&twenty, true, &factor));
    cr_expect_eq(factor, 5000000); /* 1 / 20 */
    cr_assert(fx_home_profit(whole(40), &twenty, -2, &out));
    cr_expect_eq(money_compare(out, whole(2)), 0);
    cr_assert(fx_at_mid(whole(3), &twenty, &out));
    cr_expect_eq(money_compare(out, whole(60)), 0);
    cr_assert(fx_through_mid(whole(60), &twenty, &out));
    cr_expect_eq(money_compare(out, whole(3)), 0);
}

Test(figures, a_rate_of_nothing_converts_nothing)
{
    const struct fx_rate no_bid = {0, 2, 0}, no_ask = {2, 0, 0};
    int64_t factor = 7;
    money out = whole(7);
    cr_expect_not(fx_factor(&no_bid, false, &factor));
    cr_expect_not(fx_factor(&no_ask, true, &factor));
    cr_expect_not(fx_home_profit(whole(-1), &no_bid, 0, &out));
    cr_expect_not(fx_home_profit(whole(1), &no_ask, 0, &out));
    cr_expect_not(fx_at_mid(whole(1), &no_bid, &out));
    cr_expect_not(fx_at_mid(whole(1), &no_ask, &out));
    cr_expect_not(fx_through_mid(whole(1), &no_bid, &out));
    cr_expect_not(fx_through_mid(whole(1), &no_ask, &out));
    cr_expect_eq(factor, 7);
    cr_expect_eq(money_compare(out, whole(7)), 0);
}

Test(figures, what_no_amount_holds_is_not_converted)
{
    const struct fx_rate tiny = {1, 1, -18}, par = {1, 1, 0}, wide = {INT64_MAX, INT64_MAX, 0};
    const struct fx_rate huge = {INT64_MAX / 2, INT64_MAX / 2, 18}, ten = {1, 1, 1};
    int64_t factor;
    money out;
    cr_expect_not(fx_factor(&tiny, true, &factor));        /* 1e18 in 1e-8 */
    cr_expect_not(fx_home_profit(largest, &par, 0, &out)); /* a half rounds past the largest */
    cr_expect_not(fx_home_profit(largest, &tiny, 0, &out));
    cr_expect_not(fx_at_mid(whole(1), &wide, &out)); /* bid + ask */
    cr_expect_not(fx_through_mid(whole(1), &wide, &out));
    cr_expect_not(fx_at_mid(largest, &huge, &out));
    cr_expect_not(fx_at_mid(largest, &ten, &out));
    cr_expect_not(fx_through_mid(largest, &tiny, &out));
    /* What rounds to nothing is nothing. */
    cr_assert(fx_home_profit(whole(1), &huge, 0, &out));
    cr_expect_eq(out.atto, 0);
}

/* --- positions ------------------------------------------------------------------------------------- */

static struct event_definition definition_of(enum contract contract, int64_t multiplier)
{
    return (struct event_definition){.contract = (uint8_t)contract, .multiplier = multiplier};
}

/* Units of a spot position are as fine as its fees, as far as value stays exact and figures small. */
Test(figures, a_spot_position_is_no_finer_than_can_be_reckoned)
{
    struct event_definition spot = definition_of(CONTRACT_SPOT, 1);
    struct position position;
    spot.quantity_exponent = -4;
    spot.price_exponent = -12;
    spot.base_commission_exponent = -8;
    position_init(&position, &spot);
    cr_expect_eq(position.exponent, -6); /* -12 - 6: 1e-18 */
    spot.price_exponent = 0;
    position_init(&position, &spot);
    cr_expect_eq(position.exponent, -8);
    spot.quantity_exponent = 0;
    spot.base_commission_exponent = -18;
    position_init(&position, &spot);
    cr_expect_eq(position.per_quantity, INT64_C(1000000000000));
    cr_expect_eq(position.exponent, -12);
}

/* Each of them refuses, and the position stays what it was. */
static void refuses(const struct position *position, const struct event_definition *definition,
                    enum side side, int64_t price, int64_t quantity, int64_t base_fee)
{
    struct position next = *position;
    cr_expect_not(position_fill(&next, definition, side, price, quantity, base_fee));
    cr_expect_eq(memcmp(&next, position, sizeof next), 0);
}

Test(figures, a_fill_that_does_not_fit_changes_nothing)
{
    struct event_definition spot = definition_of(CONTRACT_SPOT, 1);
    struct position position;
    spot.base_commission_exponent = -8;
    position_init(&position, &spot);
    cr_assert_eq(position.per_quantity, 100000000);
    refuses(&position, &spot, SIDE_BUY, 1, INT64_MAX / 100, 0); /* in units of the position */
    refuses(&position, &spot, SIDE_BUY, 1, 1, 100000000);       /* the fee takes all of it */
    refuses(&position, &spot, SIDE_SELL, 1, 1, -100000001);     /* or more than all */
    refuses(&position, &spot, SIDE_SELL, INT64_MAX, 1000, 100); /* what it is worth */
    refuses(&position, &spot, SIDE_BUY, INT64_MAX / 2, 50, INT64_C(4000000000)); /* its fee */
    refuses(&position, &spot, SIDE_BUY, 1, 1, -INT64_MAX); /* a rebate out of this world */
    refuses(&position, &spot, SIDE_SELL, 1, 1, INT64_MAX); /* or a fee */
}

Test(figures, sums_of_fills_that_do_not_fit_are_refused)
{
    struct event_definition linear = definition_of(CONTRACT_LINEAR, 1);
    struct position position;
    linear.price_exponent = -18;
    position_init(&position, &linear);
    cr_assert(position_fill(&position, &linear, SIDE_BUY, 1, INT64_MAX, 0));
    refuses(&position, &linear, SIDE_BUY, 1, 1, 0);
    cr_assert(position_fill(&position, &linear, SIDE_SELL, 1, INT64_MAX, 0));
    /* Flat, but no sum of fills holds one more. */
    refuses(&position, &linear, SIDE_SELL, 1, 1, 0);
    refuses(&position, &linear, SIDE_BUY, 1, 1, 0);
    cr_expect_eq(position.units, 0);
}

/* Amounts of nearly all that 128 bits hold, which no sum of sane fills comes to. */
Test(figures, a_position_whose_sums_are_full_takes_no_more)
{
    const money most = {(int128)(~(uint128)0 >> 1)};
    struct event_definition linear = definition_of(CONTRACT_LINEAR, 1);
    struct event_definition spot = definition_of(CONTRACT_SPOT, 1);
    struct position position;
    position_init(&position, &linear);
    cr_assert(position_fill(&position, &linear, SIDE_BUY, 10, 5, 0));
    position.realised = most;
    refuses(&position, &linear, SIDE_SELL, 11, 5, 0); /* one more a piece */
    struct position next = position;
    cr_expect(position_fill(&next, &linear, SIDE_SELL, 10, 5, 0)); /* nothing */
    position.realised = MONEY_ZERO;
    position.cost = most;
    refuses(&position, &linear, SIDE_BUY, 10, 1, 0);
    position_init(&position, &linear);
    position.units = -INT64_MAX; /* its negative must be one too */
    refuses(&position, &linear, SIDE_SELL, 1, 1, 0);
    position_init(&position, &spot);
    position.fees = most;
    refuses(&position, &spot, SIDE_BUY, 10, 5, 1);
    position.fees = MONEY_ZERO;
    position.base_fees = INT64_MAX;
    refuses(&position, &spot, SIDE_BUY, 10, 5, 1);
    cr_expect(position_fill(&position, &spot, SIDE_BUY, 10, 5, 0));
}

Test(figures, a_position_that_can_not_be_valued_says_so)
{
    struct event_definition inverse = definition_of(CONTRACT_INVERSE, INT64_MAX);
    struct event_definition linear = definition_of(CONTRACT_LINEAR, 1);
    struct position position;
    money out;
    position_init(&position, &inverse);
    position.units = 1;
    cr_expect_not(position_unrealised(&position, &inverse, 2, &out)); /* 2 x multiplier */
    cr_expect_not(position_funding(&position, &inverse, 1, 2, 1, &out));
    position_init(&position, &linear);
    position.units = INT64_MAX;
    cr_expect_not(position_unrealised(&position, &linear, INT64_MAX, &out));
    cr_expect_not(position_funding(&position, &linear, INT64_MAX, INT64_MAX, 1, &out));
    /* 8e19 of value fits, ten times as much of funding does not. */
    const int64_t units = INT64_C(8000000000), mark2 = INT64_C(20000000000);
    cr_expect_not(position_funding(&position, &linear, units, mark2, 10 * RATIO_ONE, &out));
    cr_assert(position_funding(&position, &linear, units, mark2, -RATIO_ONE, &out));
    cr_expect(out.atto == (int128)units * (mark2 / 2) * power_of_ten(18));
}

/* --- orders ---------------------------------------------------------------------------------------- */

Test(figures, no_state_allows_figures_below_nothing)
{
    for (int state = ORDER_PENDING_NEW; state < ORDER_STATE_COUNT; state++) {
        bool live = order_state_is_live((enum order_state)state);
        cr_expect_not(order_state_holds((enum order_state)state, 10, -1, 11, live));
        cr_expect_not(order_state_holds((enum order_state)state, 10, 11, -1, live));
        cr_expect_not(order_state_holds((enum order_state)state, 0, 0, 0, live));
    }
    /* Live and all filled is neither resting nor over. */
    cr_expect_not(order_state_holds(ORDER_PENDING_CANCEL, 10, 0, 10, true));
    cr_expect_not(order_state_holds(ORDER_NONE, 10, 10, 0, true));
}

/* --- days -------------------------------------------------------------------------------------------- */

Test(figures, times_beyond_the_calendar_count_as_its_last)
{
    cr_expect_eq(day_start(DAY_UTC, INT64_MAX), day_start(DAY_UTC, INT64_C(9000000000000000000)));
    cr_expect_eq(day_start(DAY_UTC, INT64_MIN), day_start(DAY_UTC, -INT64_C(9000000000000000000)));
}

/* --- windows and samples ----------------------------------------------------------------------------- */

Test(figures, a_window_shorter_than_its_parts_has_parts_of_a_nanosecond)
{
    struct extremes extremes = {.part = -1};
    int64_t low, high;
    uint32_t count;
    extremes_advance(&extremes, 5, 1, 0);
    extremes_add(&extremes, 7);
    cr_assert(extremes_get(&extremes, &low, &high, &count));
    cr_expect_eq(count, 1);
    extremes_advance(&extremes, 6, 1, 0);
    extremes_add(&extremes, 3);
    cr_assert(extremes_get(&extremes, &low, &high, &count));
    cr_expect(low == 3 && high == 7 && count == 2);
    extremes_advance(&extremes, 5 + 10 * EXTREMES_PARTS, 1, 0);
    cr_expect_not(extremes_get(&extremes, &low, &high, &count));
}

Test(figures, no_spread_has_no_median)
{
    static struct spreads spreads;
    cr_expect_eq(spreads_median(&spreads), 0);
    spreads_sample(&spreads, 0, 5, 10);
    cr_expect_eq(spreads_median(&spreads), 5);
}

Test(figures, fills_beyond_those_that_can_wait_are_not_measured)
{
    static struct markouts markouts;
    double mean;
    cr_expect_not(markouts_mean(&markouts, 0, &mean)); /* of none */
    for (int64_t fill = 0; fill < MARKOUTS_PENDING + 1; fill++)
        markouts_add(&markouts, (struct pending_markout){.due = fill, .price = 100});
    cr_expect_eq(markouts.waiting, MARKOUTS_PENDING);
    cr_expect_eq(markouts_settle(&markouts, MARKOUTS_PENDING, 200), MARKOUTS_PENDING);
}

/* Venue times of fills may go back; the ring is in the order in which they were told. */
Test(figures, a_fill_of_before_is_measured_with_the_one_that_was_told_first)
{
    static struct markouts markouts;
    double mean;
    markouts_add(&markouts, (struct pending_markout){.due = 10, .price = 100});
    markouts_add(&markouts, (struct pending_markout){.due = 7, .price = 50});
    cr_expect_eq(markouts_deadline(&markouts), 10);
    cr_expect_eq(markouts_settle(&markouts, 9, 200), 0);
    cr_expect_eq(markouts_settle(&markouts, 10, 200), 2);
    cr_assert(markouts_mean(&markouts, 2, &mean));
    cr_expect_eq(mean, 0.5); /* bought at 100 and at 50, and the mid is 100 */
}

/* --- the ladder -------------------------------------------------------------------------------------- */

static struct strategy_units units = {.tick = 1, .lot = 1, .size = 1, .levels = 1};

/* How many levels are wanted; 0: there is no fair value. */
static size_t wanted(struct strategy_view view)
{
    struct wanted_ladder ladder = {.count = 9};
    view.units = &units;
    strategy_ladder.wanted(NULL, &view, &ladder);
    cr_expect_eq(ladder.has_fair, ladder.count > 0);
    return ladder.count;
}

static struct strategy_view view_of(int64_t bid, int64_t ask)
{
    return (struct strategy_view){.best_bid = bid,
                                  .best_ask = ask,
                                  .best_bid_quantity = 1,
                                  .best_ask_quantity = 1,
                                  .position_limit = 1,
                                  .widen_numerator = 1,
                                  .widen_denominator = 1};
}

Test(figures, a_ladder_without_usable_figures_is_empty)
{
    struct strategy_view view = view_of(1000, 1010);
    units.half_spread_millitick = 1000;
    units.skew_millitick = 1000;
    cr_expect_eq(wanted(view), 2);
    cr_expect_eq(wanted(view_of(0, 10)), 0);
    cr_expect_eq(wanted(view_of(INT64_MAX / 1000 + 1, INT64_MAX / 1000 + 2)), 0);
    cr_expect_eq(wanted(view_of(1, INT64_MAX)), 0);
    view.best_ask_quantity = INT64_MAX;
    cr_expect_eq(wanted(view), 0);
    view.best_ask_quantity = -1;
    cr_expect_eq(wanted(view), 0);
    view.best_bid_quantity = INT64_MAX;
    view.best_ask_quantity = -INT64_MAX + 1;
    cr_expect_eq(wanted(view), 0);
}

Test(figures, a_skew_or_a_spread_that_does_not_fit_wants_nothing)
{
    struct strategy_view view = view_of(1000, 1010);
    units.half_spread_millitick = units.skew_millitick = 1000;
    view.position = INT64_MAX;
    cr_expect_eq(wanted(view), 0);
    view.position = INT64_MIN;
    cr_expect_eq(wanted(view), 0);
    view.position_limit = 0; /* no limit, no skew */
    cr_expect_eq(wanted(view), 2);
    view.widen_numerator = INT64_MAX;
    cr_expect_eq(wanted(view), 0);
    view.widen_denominator = INT64_MAX; /* the product needs 128 bits, the quotient does not */
    cr_expect_eq(wanted(view), 2);
}

/* --- settings and definitions ------------------------------------------------------------------------- */

static struct harness h;

static void problem_is(const char *expected)
{
    struct limits limits;
    const char *problem = NULL;
    cr_expect_not(limits_resolve(&limits, &h.settings[0], &h.definitions[0], &problem));
    cr_expect_str_eq(problem, expected);
    harness_init(&h);
    h.definitions[0].tick = 1;
}

Test(figures, an_amount_that_is_no_count_of_units_is_named)
{
    harness_init(&h);
    h.definitions[0].tick = 1;
    h.settings[0].quote_size = PLAIN(-1, 0);
    problem_is("quote.size");
    h.settings[0].quote_size = LOTS(-1);
    problem_is("quote.size");
    h.settings[0].quote_size = PLAIN(1, -4); /* a tenth of the unit */
    problem_is("quote.size");
    h.settings[0].quote_size = (struct setting_amount){{5, -1}, SETTING_LOT}; /* half of it */
    problem_is("quote.size");
    h.settings[0].quote_size = TICKS(1);
    problem_is("quote.size");
    h.definitions[0].lot = 2;
    h.settings[0].quote_size = LOTS(INT64_MAX);
    problem_is("quote.size");
    h.settings[0].reconcile_price = LOTS(1);
    problem_is("reconcile.price_tolerance");
    h.settings[0].risk_position_limit = TICKS(1);
    problem_is("risk.position_limit");
    h.settings[0].risk_size_band = TICKS(1);
    problem_is("risk.size_band");
}

Test(figures, a_distance_beyond_what_can_be_added_up_is_named)
{
    struct setting_amount *const distances[] = {
        &h.settings[0].quote_half_spread, &h.settings[0].quote_step, &h.settings[0].quote_skew};
    static const char *const names[] = {"quote.half_spread", "quote.step", "quote.skew"};
    harness_init(&h);
    h.definitions[0].tick = 1;
    for (size_t i = 0; i < 3; i++) {
        *distances[i] = TICKS(INT64_MAX / 64000 + 1);
        problem_is(names[i]);
        *distances[i] = LOTS(1);
        problem_is(names[i]);
    }
}

/* A distance is kept in 1/1,000 tick, whatever the unit: half a tick of one unit, and of 1/1,000 of it. A tolerance
 * is compared with whole units. */
Test(figures, a_distance_need_be_no_whole_number_of_units)
{
    struct limits limits;
    const char *problem;
    harness_init(&h);
    h.definitions[0].tick = 3; /* of 0.1 */
    h.settings[0].quote_half_spread = (struct setting_amount){{5, -1}, SETTING_TICK};
    h.settings[0].quote_step = PLAIN(15, -2);     /* 0.15 */
    h.settings[0].quote_skew = PLAIN(1, 1);       /* 10 */
    h.settings[0].reconcile_price = PLAIN(5, -1); /* 0.5 */
    cr_assert(limits_resolve(&limits, &h.settings[0], &h.definitions[0], &problem));
    cr_expect_eq(limits.quote.half_spread_millitick, 500);
    cr_expect_eq(limits.quote.step_millitick, 500);
    cr_expect_eq(limits.quote.skew_millitick, 33333);
    cr_expect_eq(limits.price_tolerance, 5);
    h.settings[0].reconcile_price = (struct setting_amount){{19, -1}, SETTING_TICK}; /* 0.57 */
    h.settings[0].quote_skew = (struct setting_amount){{2, 1}, SETTING_TICK};
    cr_assert(limits_resolve(&limits, &h.settings[0], &h.definitions[0], &problem));
    cr_expect_eq(limits.price_tolerance, 5);
    cr_expect_eq(limits.quote.skew_millitick, 20000);
    h.settings[0].quote_skew = (struct setting_amount){{1, 18}, SETTING_TICK};
    problem_is("quote.skew");
    h.settings[0].quote_skew = TICKS(-1);
    problem_is("quote.skew");
}

Test(figures, a_definition_that_can_not_be_traded_is_named)
{
    harness_init(&h);
    h.definitions[0].tick = 0;
    problem_is("tick of the definition");
    h.definitions[0].tick = ENGINE_PRICE_MAX + 1;
    problem_is("tick of the definition");
    h.definitions[0].contract = CONTRACT_COUNT;
    problem_is("tick of the definition");
    h.definitions[0].lot = 0;
    problem_is("lot of the definition");
    h.definitions[0].multiplier = 0;
    problem_is("multiplier of the definition");
    h.settings[0].quote_levels = 0;
    problem_is("quote.levels");
    h.settings[0].quote_levels = STRATEGY_LEVELS_MAX + 1;
    problem_is("quote.levels");
    h.definitions[0].price_exponent = -16; /* x quantity: 1e-19 */
    problem_is("minimum notional of the definition");
}

static struct engine_config config_of(void)
{
    harness_init(&h);
    return (struct engine_config){.global = &h.global,
                                  .venue_count = 2,
                                  .asset_count = HARNESS_ASSETS,
                                  .instrument_count = 1,
                                  .venues = h.venues,
                                  .instruments = h.settings,
                                  .definitions = h.definitions};
}

static void config_problem_is(const struct engine_config *config, const char *expected)
{
    unsigned instrument;
    const char *problem = engine_config_problem(config, &instrument);
    cr_assert_neq(problem, NULL, "%s", expected);
    cr_expect_str_eq(problem, expected);
    cr_expect_eq(engine_size(config), 0);
}

Test(figures, a_configuration_out_of_range_is_named)
{
    struct engine_config config = config_of();
    unsigned instrument;
    cr_assert_eq(engine_config_problem(&config, &instrument), NULL);
    config.instrument_count = EVENT_INSTRUMENTS_MAX + 1;
    config_problem_is(&config, "number of instruments");
    config = config_of();
    config.venue_count = EVENT_VENUES_MAX + 1;
    config_problem_is(&config, "number of venues or assets");
    config = config_of();
    config.asset_count = EVENT_ASSETS_MAX + 1;
    config_problem_is(&config, "number of venues or assets");
    config = config_of();
    h.global.orders_capacity = 0;
    config_problem_is(&config, "orders.capacity");
    h.global.orders_capacity = 1048577;
    config_problem_is(&config, "orders.capacity");
}

Test(figures, a_configuration_names_only_what_there_is)
{
    struct engine_config config = config_of();
    h.definitions[0].venue = 2;
    config_problem_is(&config, "venue or assets of the definition");
    uint16_t *const assets[] = {&h.definitions[0].base, &h.definitions[0].quote,
                                &h.definitions[0].settle};
    for (size_t i = 0; i < 3; i++) {
        config = config_of();
        *assets[i] = HARNESS_ASSETS;
        config_problem_is(&config, "venue or assets of the definition");
    }
    uint16_t rates[HARNESS_ASSETS] = {EVENT_NONE_16, 1, EVENT_NONE_16, EVENT_NONE_16};
    struct engine_account account = {.currency = HARNESS_ASSETS};
    config = config_of();
    config.account = &account;
    config_problem_is(&config, "account.currency or account.rates");
    account = (struct engine_account){.currency = EVENT_NONE_16, .rates = rates};
    config_problem_is(&config, "account.currency or account.rates");
    rates[1] = 0;
    unsigned instrument;
    cr_expect_eq(engine_config_problem(&config, &instrument), NULL);
}

/* --- the walker ------------------------------------------------------------------------------------- */

static int64_t seen;

static void see(struct walker *walker, const char *name, uint64_t index, int64_t value)
{
    (void)walker, (void)name, (void)index;
    seen = value;
}

Test(figures, a_walked_double_has_one_nan_and_one_zero)
{
    struct walker walker = {.field = see};
    double zero = 0;
    walker_double(&walker, "x", 0, zero / zero);
    cr_expect_eq((uint64_t)seen, UINT64_C(0x7ff8000000000000));
    walker_double(&walker, "x", 0, -(zero / zero));
    cr_expect_eq((uint64_t)seen, UINT64_C(0x7ff8000000000000));
    walker_double(&walker, "x", 0, -zero);
    cr_expect_eq(seen, 0);
    walker_double(&walker, "x", 0, 1);
    cr_expect_eq((uint64_t)seen, UINT64_C(0x3ff0000000000000));
}

Test(figures, a_line_of_the_walker_is_cut_at_its_length)
{
    char name[300], out[1024];
    struct walker_text text;
    struct walker_difference difference;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    walker_text_init(&text, out, sizeof out);
    text.walker.field(&text.walker, name, 0, 1);
    cr_expect_eq(text.length, 256);
    walker_difference_init(&difference, out, text.length);
    difference.walker.field(&difference.walker, "other", 0, 1);
    cr_assert(walker_difference_found(&difference));
    cr_expect_eq(strlen(difference.theirs), 255);
    cr_expect_str_eq(difference.ours, " - other 0 1");
}

Test(figures, text_that_was_not_walked_over_is_a_difference)
{
    static const char longer[] = "room - a 0 1\nroom - b 0 2\n";
    struct walker_difference difference;
    walker_difference_init(&difference, longer, sizeof longer - 1);
    difference.walker.room(&difference.walker, "room", EVENT_NONE_16);
    difference.walker.field(&difference.walker, "a", 0, 1);
    cr_assert(walker_difference_found(&difference));
    cr_expect_str_eq(difference.found_name, "end");
    cr_expect_str_eq(difference.theirs, "room - b 0 2");
}
