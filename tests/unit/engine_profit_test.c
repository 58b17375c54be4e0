/* Profit of the account: rules 13, 21 and 22 with their figures, and what a restart keeps. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/day.h"
#include "engine/walker.h"
#include "engine_harness.h"

/* --- days -------------------------------------------------------------------------------------------- */

static int64_t at(const char *text)
{
    int64_t ts;
    struct error error = {0};
    cr_assert_eq(time_from_text(text, strlen(text), &ts, &error), 0, "%s", error.text);
    return ts;
}

static void day_is(enum day_zone zone, const char *now, const char *start, const char *after)
{
    cr_expect_eq(day_start(zone, at(now)), at(start), "%s starts %s", now, start);
    cr_expect_eq(day_after(zone, at(now)), at(after), "%s until %s", now, after);
}

Test(day, a_utc_day_begins_at_midnight)
{
    day_is(DAY_UTC, "2024-08-08T23:59:59.999999999Z", "2024-08-08T00:00:00Z",
           "2024-08-09T00:00:00Z");
    day_is(DAY_UTC, "2024-08-09T00:00:00Z", "2024-08-09T00:00:00Z", "2024-08-10T00:00:00Z");
    day_is(DAY_UTC, "1969-12-31T12:00:00Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z");
}

/* New York is UTC-4 in summer and UTC-5 in winter: 17:00 is 21:00 and 22:00 UTC. */
Test(day, an_fx_day_begins_at_17_00_in_new_york)
{
    day_is(DAY_FX, "2024-08-08T20:59:59.999999999Z", "2024-08-07T21:00:00Z",
           "2024-08-08T21:00:00Z");
    day_is(DAY_FX, "2024-08-08T21:00:00Z", "2024-08-08T21:00:00Z", "2024-08-09T21:00:00Z");
    day_is(DAY_FX, "2024-01-15T21:59:59Z", "2024-01-14T22:00:00Z", "2024-01-15T22:00:00Z");
    day_is(DAY_FX, "2024-01-15T22:00:00Z", "2024-01-15T22:00:00Z", "2024-01-16T22:00:00Z");
}

/* Clocks went forward on Sunday 10 March 2024 and back on Sunday 3 November 2024. */
Test(day, an_fx_day_has_23_or_25_hours_at_a_clock_change)
{
    day_is(DAY_FX, "2024-03-10T12:00:00Z", "2024-03-09T22:00:00Z", "2024-03-10T21:00:00Z");
    day_is(DAY_FX, "2024-11-03T12:00:00Z", "2024-11-02T21:00:00Z", "2024-11-03T22:00:00Z");
    cr_expect_eq(at("2024-03-10T21:00:00Z") - at("2024-03-09T22:00:00Z"), SECONDS(23 * 3600));
    cr_expect_eq(at("2024-11-03T22:00:00Z") - at("2024-11-02T21:00:00Z"), SECONDS(25 * 3600));
    /* The days beside them have 24. */
    day_is(DAY_FX, "2024-03-09T12:00:00Z", "2024-03-08T22:00:00Z", "2024-03-09T22:00:00Z");
    day_is(DAY_FX, "2024-03-10T21:00:00Z", "2024-03-10T21:00:00Z", "2024-03-11T21:00:00Z");
    day_is(DAY_FX, "2024-11-03T22:00:00Z", "2024-11-03T22:00:00Z", "2024-11-04T22:00:00Z");
}

Test(day, clock_changes_of_other_years)
{
    /* 2021: 14 March and 7 November, the latest that each can be; 2026: 8 March and 1 November, the first. */
    day_is(DAY_FX, "2021-03-14T20:59:59Z", "2021-03-13T22:00:00Z", "2021-03-14T21:00:00Z");
    day_is(DAY_FX, "2021-11-07T21:59:59Z", "2021-11-06T21:00:00Z", "2021-11-07T22:00:00Z");
    day_is(DAY_FX, "2026-03-08T20:59:59Z", "2026-03-07T22:00:00Z", "2026-03-08T21:00:00Z");
    day_is(DAY_FX, "2026-11-01T21:59:59Z", "2026-10-31T21:00:00Z", "2026-11-01T22:00:00Z");
    /* 29 February, and the turn of a year and of a century. */
    day_is(DAY_FX, "2024-02-29T23:00:00Z", "2024-02-29T22:00:00Z", "2024-03-01T22:00:00Z");
    day_is(DAY_FX, "2100-12-31T23:00:00Z", "2100-12-31T22:00:00Z", "2101-01-01T22:00:00Z");
}

Test(day, the_ends_of_time_have_days_too)
{
    const int64_t ends[] = {INT64_MIN, INT64_MAX};
    for (unsigned i = 0; i < 2; i++)
        for (unsigned zone = 0; zone < 2; zone++)
            cr_expect(day_start((enum day_zone)zone, ends[i]) <
                      day_after((enum day_zone)zone, ends[i]));
}

/* --- the account ------------------------------------------------------------------------------------- */

#define UNIT INT64_C(1000000000000000000)

static money whole(int64_t amount)
{
    return (money){(int128)amount * UNIT};
}

static void name_zone(struct harness *h, const char *zone)
{
    snprintf(h->global.account_day_zone.text, sizeof h->global.account_day_zone.text, "%s", zone);
}

/* One linear instrument in dollars with a book of 1000.0 / 1001.0 and limits on its profit. */
static void open(struct harness *h, int64_t drawdown, int64_t daily)
{
    harness_init(h);
    name_zone(h, "UTC");
    h->global.account_rate_age = SECONDS(60);
    h->global.risk_drawdown_limit = whole(drawdown);
    h->global.risk_daily_loss_limit = whole(daily);
    h->settings[0].risk_collar = 900000000;
    h->settings[0].risk_far_collar = 1000000000;
    h->settings[0].risk_position_limit = LOTS(1000000);
}

static void start(struct harness *h)
{
    harness_start(h);
    h->now = MILLISECONDS(1);
    harness_book(h, 0, EVENT_snapshot, 10000, 1000, 10010, 1000);
}

static void expect_profit(struct harness *h, int64_t amount)
{
    struct engine_account_state state = engine_account_state(h->engine);
    char text[MONEY_TEXT_MAX];
    money_to_text(state.profit, text);
    cr_expect_eq(money_compare(state.profit, whole(amount)), 0, "profit %s, not %lld", text,
                 (long long)amount);
}

/* Long `thousandths` at 1000.5, the mid, so that profit is what the mid then moves. */
static void hold(struct harness *h, int64_t thousandths)
{
    h->now += MILLISECONDS(1);
    harness_position(h, 0, SIDE_BUY, 10005, thousandths);
}

/* The whole book moves so that its mid is 1000.5 + `points`. */
static void move(struct harness *h, int64_t points)
{
    h->now += MILLISECONDS(1);
    harness_book(h, 0, EVENT_snapshot, 10000 + 10 * points, 1000, 10010 + 10 * points, 1000);
}

static bool blocks(struct harness *h, enum gate gate)
{
    return harness_blocking(h) >> gate & 1;
}

/* T: limit 500: 0, +900, +400 → pause. */
Test(profit, rule_21_from_the_peak)
{
    struct harness h;
    open(&h, 500, 0);
    start(&h);
    hold(&h, 10000);
    expect_profit(&h, 0);
    move(&h, 90);
    expect_profit(&h, 900);
    cr_expect_not(blocks(&h, GATE_DRAWDOWN));
    move(&h, 41);
    expect_profit(&h, 410);
    cr_expect_not(blocks(&h, GATE_DRAWDOWN)); /* 490 below */
    move(&h, 40);
    expect_profit(&h, 400);
    cr_expect(blocks(&h, GATE_DRAWDOWN));
    const union event_record *mark = harness_find(&h, EVENT_risk_mark, 0);
    cr_assert_not_null(mark);
    cr_expect_eq(money_compare(mark->risk_mark.profit, whole(400)), 0);
    cr_expect_eq(money_compare(mark->risk_mark.peak, whole(900)), 0);
    harness_close(&h);
}

/* T: 0, −499 → no, −500 → yes: the peak starts at 0. */
Test(profit, rule_21_the_peak_starts_at_nothing)
{
    struct harness h;
    open(&h, 500, 0);
    start(&h);
    hold(&h, 1000);
    move(&h, -499);
    expect_profit(&h, -499);
    cr_expect_not(blocks(&h, GATE_DRAWDOWN));
    move(&h, -500);
    cr_expect(blocks(&h, GATE_DRAWDOWN));
    /* It stays, whatever the market does, until the operator resumes; then the peak is the profit. */
    move(&h, 100);
    cr_expect(blocks(&h, GATE_DRAWDOWN));
    harness_command(&h, COMMAND_RESUME);
    cr_expect_not(blocks(&h, GATE_DRAWDOWN));
    cr_expect_eq(money_compare(engine_account_state(h.engine).peak, whole(100)), 0);
    move(&h, -399);
    cr_expect_not(blocks(&h, GATE_DRAWDOWN));
    move(&h, -400);
    cr_expect(blocks(&h, GATE_DRAWDOWN));
    harness_close(&h);
}

Test(profit, resuming_one_instrument_does_not_end_the_account_s_pause)
{
    struct harness h;
    open(&h, 500, 0);
    start(&h);
    hold(&h, 1000);
    move(&h, -500);
    union event_record record = {.command = {.command = COMMAND_RESUME, .instrument = 0}};
    harness_record(&h, EVENT_command, EVENT_NONE_16, &record);
    move(&h, -501);
    cr_expect(blocks(&h, GATE_DRAWDOWN));
    harness_close(&h);
}

/* The peak is told when it rose by 1 % of the limit, not before. */
Test(profit, rule_21_a_higher_peak_is_told)
{
    struct harness h;
    open(&h, 500, 0);
    start(&h);
    hold(&h, 1000);
    move(&h, 4);
    cr_expect_eq(harness_count(&h, EVENT_risk_mark), 0);
    move(&h, 5);
    cr_expect_eq(harness_count(&h, EVENT_risk_mark), 1);
    move(&h, 9);
    cr_expect_eq(harness_count(&h, EVENT_risk_mark), 0);
    move(&h, 10);
    cr_expect_eq(harness_count(&h, EVENT_risk_mark), 1);
    harness_close(&h);
}

static void pay_fee(struct harness *h, unsigned asset, int64_t fee)
{
    union event_record record = {.order_filled = {.order = UINT64_C(0x7fffffff00000002),
                                                  .side = SIDE_BUY,
                                                  .price = {10005, NUMBER_VALUE},
                                                  .quantity = {1, NUMBER_VALUE},
                                                  .leaves = {0, NUMBER_VALUE},
                                                  .cause = FILL_QUEUE,
                                                  .fee = whole(fee),
                                                  .fee_asset = (uint16_t)asset}};
    h->now += MILLISECONDS(1);
    harness_record(h, EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

/* T: −3,200 realised, −1,750 unrealised, 60 fees: −5,010 ≤ −5,000 → trip; next day starts at 0. */
Test(profit, rule_22_the_rule_s_own_figures)
{
    struct harness h;
    open(&h, 0, 5000);
    start(&h);
    hold(&h, 10000);
    h.now += MILLISECONDS(1);
    harness_position(&h, 0, SIDE_SELL, 10005 - 3200, 10000); /* 10 × −320 */
    expect_profit(&h, -3200);
    hold(&h, 10000 - 1); /* the fee below comes with one more */
    pay_fee(&h, ASSET_QUOTE, 60);
    expect_profit(&h, -3260);
    move(&h, -173);
    expect_profit(&h, -4990);
    cr_expect_not(engine_account_state(h.engine).day_lost);
    move(&h, -174);
    cr_expect(engine_account_state(h.engine).day_lost); /* −5,000 exactly */
    move(&h, -175);
    expect_profit(&h, -5010);
    struct engine_position position;
    engine_position(h.engine, 0, &position);
    cr_expect_eq(money_compare(position.realised, whole(-3200)), 0);
    cr_expect_eq(money_compare(position.unrealised, whole(-1750)), 0);
    cr_expect_eq(money_compare(position.fees, whole(60)), 0);
    /* The first message at midnight belongs to the new day, and its own loss to that day. */
    harness_tick(&h, SECONDS(86400) - 1);
    cr_expect(engine_account_state(h.engine).day_lost);
    h.now = SECONDS(86400);
    harness_book(&h, 0, EVENT_snapshot, 10000 - 1850, 1000, 10010 - 1850, 1000);
    const union event_record *mark = harness_find(&h, EVENT_risk_mark, 0);
    cr_assert_not_null(mark);
    cr_expect_eq(money_compare(mark->risk_mark.day_start, whole(-5010)), 0);
    cr_expect_eq(mark->risk_mark.day, SECONDS(86400));
    expect_profit(&h, -5110);
    cr_expect_not(engine_account_state(h.engine).day_lost);
    harness_close(&h);
}

/* Everything that rests is cancelled once; then only what reduces the position is sent. */
Test(profit, rule_22_cancels_everything_then_only_reduces)
{
    struct harness h;
    open(&h, 0, 5000);
    start(&h);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    hold(&h, 50000);
    cr_assert_eq(harness_count(&h, EVENT_cancel), 0);
    /* A depth of its own price, so that no quote leaves its tolerance: the mark tells the loss. */
    h.now += MILLISECONDS(1);
    union event_record record = {.mark = {.price = {10005 - 1000, NUMBER_VALUE}}};
    harness_record(&h, EVENT_mark, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    cr_expect_eq(harness_find(&h, EVENT_cancel, 0)->cancel.why, CANCEL_HALT);
    harness_cancelled(&h, 1, 10);
    harness_cancelled(&h, 2, 10);
    h.now += MILLISECONDS(1);
    harness_record(&h, EVENT_mark, EVENT_STREAM(0, CHANNEL_REFERENCE),
                   &(union event_record){.mark = {.price = {10005 - 1001, NUMBER_VALUE}}});
    harness_run_to(&h, h.now + MILLISECONDS(200));
    cr_expect(blocks(&h, GATE_DAILY_LOSS));
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].count, 0);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_SELL].count, 1);
    harness_close(&h);
}

static void tell_rate(struct harness *h, unsigned from, unsigned to, int64_t bid, int64_t ask)
{
    union event_record record = {.reference_rate = {.from = (uint16_t)from,
                                                    .to = (uint16_t)to,
                                                    .bid = {(int128)bid * (UNIT / 10000)},
                                                    .ask = {(int128)ask * (UNIT / 10000)}}};
    h->now += MILLISECONDS(1);
    harness_record(h, EVENT_reference_rate, EVENT_NONE_16, &record);
}

Test(profit, without_limits_nothing_is_reckoned)
{
    struct harness h;
    open(&h, 0, 0);
    start(&h);
    hold(&h, 1000);
    move(&h, -900);
    cr_expect_not(engine_account_state(h.engine).limited);
    expect_profit(&h, 0);
    cr_expect_eq(harness_count(&h, EVENT_risk_mark), 0);
    tell_rate(&h, ASSET_OTHER, ASSET_QUOTE, 10000, 10010); /* is kept, and asks for nothing */
    cr_expect_eq(h.engine->profit.assets[ASSET_OTHER].rate_ts, h.now);
    cr_expect_not(h.engine->profit.touched);
    harness_close(&h);
}

/* What it is can be asked for before the first is known. */
Test(profit, is_known_from_the_first_mark_on)
{
    struct harness h;
    open(&h, 500, 0);
    harness_make(&h);
    cr_expect_not(profit_is_known(h.engine));
    harness_begin(&h);
    cr_expect(profit_is_known(h.engine));
    h.engine->profit.unknown = 1;
    cr_expect_not(profit_is_known(h.engine));
    h.engine->profit.unknown = 0;
    harness_close(&h);
}

/* --- marks ------------------------------------------------------------------------------------------- */

/* Rule 14: the venue's mark for 5 s, then the mid, though no message says so. */
Test(profit, a_mark_that_gets_old_makes_way_by_itself)
{
    struct harness h;
    open(&h, 500, 0);
    start(&h);
    h.now = SECONDS(1);
    union event_record record = {.mark = {.price = {10005, NUMBER_VALUE}}};
    harness_record(&h, EVENT_mark, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
    hold(&h, 1000);
    h.now = SECONDS(3);
    harness_book(&h, 0, EVENT_snapshot, 4000, 1000, 4010, 1000);
    expect_profit(&h, 0);
    harness_run_to(&h, SECONDS(6) - 1);
    expect_profit(&h, 0);
    harness_run_to(&h, SECONDS(6));
    expect_profit(&h, -600);
    cr_expect(engine_account_state(h.engine).drawn_down);
    harness_close(&h);
}

/* A position that nothing has ever marked: no order leaves, and no limit is judged by half the truth. */
Test(profit, an_unknown_mark_fails_closed)
{
    struct harness h;
    open(&h, 500, 0);
    h.instrument_count = 2;
    start(&h);
    cr_expect_not(blocks(&h, GATE_REFERENCE_RATE));
    h.now += MILLISECONDS(1);
    harness_position(&h, 1, SIDE_BUY, 10005, 1000);
    harness_run_to(&h, h.now + MILLISECONDS(200));
    cr_expect_not(engine_account_state(h.engine).known);
    cr_expect(blocks(&h, GATE_REFERENCE_RATE));
    h.now += MILLISECONDS(1);
    harness_book(&h, 1, EVENT_snapshot, 10000, 1000, 10010, 1000);
    harness_run_to(&h, h.now + MILLISECONDS(200));
    cr_expect(engine_account_state(h.engine).known);
    cr_expect_not(blocks(&h, GATE_REFERENCE_RATE));
    harness_close(&h);
}

/* --- rates ------------------------------------------------------------------------------------------- */

static struct engine_account in_other = {.named = true, .currency = ASSET_OTHER};

/* T of 13: 1,000 USDT at 0.9990 = 999.00 USD, from a record and from one the other way round. */
Test(profit, rule_13_converts_at_the_mid)
{
    struct harness h;
    open(&h, 500, 0);
    h.account = &in_other;
    start(&h);
    cr_expect(blocks(&h, GATE_REFERENCE_RATE));
    tell_rate(&h, ASSET_QUOTE, ASSET_OTHER, 9989, 9991);
    harness_run_to(&h, h.now + MILLISECONDS(200));
    cr_expect_not(blocks(&h, GATE_REFERENCE_RATE));
    hold(&h, 10000);
    move(&h, 100);
    expect_profit(&h, 999);
    tell_rate(&h, ASSET_OTHER, ASSET_QUOTE, 12499, 12501); /* 1.25 a unit: 1,000 / 1.25 */
    expect_profit(&h, 800);
    harness_close(&h);
}

/* The mark stands still, the rate of the loss does not: 400 lost at 1.5 are 600, also where nothing is held any
 * more. */
Test(profit, a_rate_that_a_record_tells_is_judged_at_once)
{
    for (int flat = 0; flat < 2; flat++) {
        struct harness h;
        open(&h, 500, 0);
        h.account = &in_other;
        start(&h);
        tell_rate(&h, ASSET_QUOTE, ASSET_OTHER, 10000, 10000);
        hold(&h, 10000);
        move(&h, -40);
        if (flat) {
            h.now += MILLISECONDS(1);
            harness_position(&h, 0, SIDE_SELL, 9605, 10000);
        }
        expect_profit(&h, -400);
        cr_expect_not(engine_account_state(h.engine).drawn_down);
        tell_rate(&h, ASSET_QUOTE, ASSET_OTHER, 15000, 15000);
        expect_profit(&h, -600);
        cr_expect(engine_account_state(h.engine).drawn_down, "flat: %d", flat);
        harness_close(&h);
    }
}

/* Bid above ask, or a side of 0, is no rate: told, and the last one gets old. */
Test(profit, a_crossed_rate_or_one_of_nothing_is_none)
{
    static const int64_t bad[][2] = {{10001, 10000}, {0, 10000}, {10000, 0}, {-1, 1}};
    struct harness h;
    open(&h, 500, 0);
    h.account = &in_other;
    start(&h);
    tell_rate(&h, ASSET_QUOTE, ASSET_OTHER, 9989, 9991);
    int64_t told = h.now;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tell_rate(&h, ASSET_QUOTE, ASSET_OTHER, bad[i][0], bad[i][1]);
        cr_expect_eq(h.engine->counters.removed_numbers, i + 1);
        cr_expect_eq(h.engine->profit.assets[ASSET_QUOTE].rate_ts, told);
    }
    harness_close(&h);
}

/* A rate 60 s old may be used, one older blocks; the profit keeps its last worth. */
Test(profit, rule_13_an_old_rate_blocks)
{
    struct harness h;
    open(&h, 500, 0);
    h.account = &in_other;
    h.settings[0].safety_stale_after = SECONDS(3600);
    start(&h);
    tell_rate(&h, ASSET_QUOTE, ASSET_OTHER, 9989, 9991);
    int64_t told = h.now;
    harness_run_to(&h, told + SECONDS(60));
    harness_tick(&h, told + SECONDS(60));
    cr_expect_not(profit_lacks_rate(h.engine, 0));
    harness_tick(&h, told + SECONDS(60) + 1);
    cr_expect(profit_lacks_rate(h.engine, 0));
    harness_run_to(&h, told + SECONDS(61));
    cr_expect(blocks(&h, GATE_REFERENCE_RATE));
    tell_rate(&h, ASSET_QUOTE, ASSET_OTHER, 9989, 9991);
    cr_expect_not(profit_lacks_rate(h.engine, 0));
    harness_close(&h);
}

/* The second instrument trades the quote asset against the account's currency. */
static const uint16_t quote_by_second[HARNESS_ASSETS] = {EVENT_NONE_16, 1, EVENT_NONE_16,
                                                         EVENT_NONE_16};
static struct engine_account by_second = {
    .named = true, .currency = ASSET_OTHER, .rates = quote_by_second};

Test(profit, rule_13_the_mid_of_a_named_instrument)
{
    struct harness h;
    open(&h, 500, 0);
    h.account = &by_second;
    h.instrument_count = 2;
    h.definitions[1].contract = CONTRACT_SPOT;
    h.definitions[1].base = ASSET_QUOTE;
    h.definitions[1].quote = h.definitions[1].settle = ASSET_OTHER;
    h.definitions[1].price_exponent = -4;
    h.definitions[1].tick = 1;
    start(&h);
    hold(&h, 10000);
    cr_expect(profit_lacks_rate(h.engine, 0));
    cr_expect_not(profit_lacks_rate(h.engine, 1)); /* its profit is in the currency itself */
    h.now += MILLISECONDS(1);
    harness_book(&h, 1, EVENT_snapshot, 9989, 1000, 9991, 1000);
    cr_expect_not(profit_lacks_rate(h.engine, 0));
    move(&h, 100);
    expect_profit(&h, 999);
    h.now += MILLISECONDS(1);
    harness_book(&h, 1, EVENT_snapshot, 9979, 1000, 9981, 1000);
    expect_profit(&h, 998);
    /* A record is not asked where an instrument is named; a lost book leaves the last mid. */
    tell_rate(&h, ASSET_QUOTE, ASSET_OTHER, 5000, 5000);
    expect_profit(&h, 998);
    harness_close(&h);
}

/* Fees in a third asset count at that asset's rate; without one nothing is known. */
Test(profit, fees_in_another_asset_are_converted)
{
    struct harness h;
    open(&h, 500, 0);
    start(&h);
    hold(&h, 10000);
    pay_fee(&h, ASSET_OTHER, 2);
    cr_expect_not(engine_account_state(h.engine).known);
    cr_expect(profit_lacks_rate(h.engine, 0));
    tell_rate(&h, ASSET_OTHER, ASSET_QUOTE, 2000000, 2020000); /* 201 each */
    cr_expect(engine_account_state(h.engine).known);
    cr_expect_not(profit_lacks_rate(h.engine, 0));
    expect_profit(&h, -402);
    harness_close(&h);
}

/* Profit in two assets and no currency named: the limits are not in force, and nothing blocks. */
Test(profit, without_a_currency_no_limit_is_in_force)
{
    struct harness h;
    open(&h, 500, 5000);
    h.instrument_count = 2;
    h.definitions[1].quote = h.definitions[1].settle = ASSET_OTHER;
    start(&h);
    cr_expect_eq(engine_account_state(h.engine).currency, EVENT_NONE_16);
    cr_expect_not(engine_account_state(h.engine).limited);
    hold(&h, 10000);
    move(&h, -900);
    cr_expect_eq(harness_blocking(&h) & (1u << GATE_DRAWDOWN | 1u << GATE_REFERENCE_RATE), 0);
    harness_close(&h);
    /* One that is not quoted does not count. */
    open(&h, 500, 5000);
    h.instrument_count = 2;
    h.definitions[1].quote = h.definitions[1].settle = ASSET_OTHER;
    h.settings[1].quote_enabled = false;
    start(&h);
    cr_expect_eq(engine_account_state(h.engine).currency, ASSET_QUOTE);
    cr_expect(engine_account_state(h.engine).limited);
    harness_close(&h);
}

/* What is held goes on to gain and lose. */
Test(profit, with_nothing_quoted_every_instrument_says_the_currency)
{
    struct harness h;
    for (unsigned quote = ASSET_QUOTE; quote <= ASSET_OTHER; quote += ASSET_OTHER - ASSET_QUOTE) {
        open(&h, 500, 5000);
        h.instrument_count = 2;
        h.definitions[1].quote = h.definitions[1].settle = (uint16_t)quote;
        h.settings[0].quote_enabled = h.settings[1].quote_enabled = false;
        start(&h);
        cr_expect_eq(engine_account_state(h.engine).currency,
                     quote == ASSET_QUOTE ? ASSET_QUOTE : EVENT_NONE_16);
        harness_close(&h);
    }
}

/* --- restart ----------------------------------------------------------------------------------------- */

/* Fold a mark into a fresh engine, as a restart does, then start it. */
static void restart(struct harness *h, int64_t now, struct event_risk_mark mark)
{
    struct event_pause pause = {.instrument = EVENT_NONE_16, .paused = true, .why = GATE_DRAWDOWN};
    struct message message = {.kind = EVENT_risk_mark,
                              .stream = EVENT_NONE_16,
                              .record = &(union event_record){.risk_mark = mark}};
    struct engine_config config = {.global = &h->global,
                                   .venue_count = 2,
                                   .asset_count = HARNESS_ASSETS,
                                   .instrument_count = 1,
                                   .venues = h->venues,
                                   .instruments = h->settings,
                                   .definitions = h->definitions};
    h->size = engine_size(&config);
    h->memory = aligned_alloc(64, h->size);
    h->engine = engine_init(h->memory, h->size, &config);
    engine_fold(h->engine, &message);
    for (unsigned i = 0; i < 2; i++, pause.why = GATE_DAILY_LOSS)
        engine_fold(h->engine, &(struct message){.kind = EVENT_pause,
                                                 .stream = EVENT_NONE_16,
                                                 .record = &(union event_record){.pause = pause}});
    h->now = now;
    union event_record record = {.start = {.epoch = 1}};
    harness_record(h, EVENT_start, EVENT_NONE_16, &record);
    harness_tick(h, now + 1);
}

Test(profit, a_restart_keeps_peak_day_and_pauses)
{
    struct harness h;
    struct event_risk_mark mark = {
        .profit = whole(-4600), .peak = whole(400), .day_start = whole(400), .day = SECONDS(86400)};
    open(&h, 5000, 5000);
    restart(&h, SECONDS(86400) + SECONDS(10), mark);
    struct engine_account_state state = engine_account_state(h.engine);
    cr_expect(state.day_lost && state.drawn_down);
    cr_expect_eq(money_compare(state.peak, whole(400)), 0);
    cr_expect_eq(money_compare(state.day_start, whole(400)), 0);
    harness_close(&h);
    /* A day later the loss of the day is over, the drawdown is not. */
    open(&h, 5000, 5000);
    restart(&h, SECONDS(2 * 86400), mark);
    state = engine_account_state(h.engine);
    cr_expect(!state.day_lost && state.drawn_down);
    harness_close(&h);
}

/* The limits of today are larger than those that the pauses were made by, or none is left of the daily one:
 * a pause ends by the operator or the day, not by a restart. */
Test(profit, a_restart_with_larger_limits_stays_paused)
{
    struct harness h;
    struct event_risk_mark mark = {
        .profit = whole(-4600), .peak = whole(400), .day_start = whole(400), .day = SECONDS(86400)};
    open(&h, 50000, 50000);
    restart(&h, SECONDS(86400) + SECONDS(10), mark);
    struct engine_account_state state = engine_account_state(h.engine);
    cr_expect(state.day_lost && state.drawn_down);
    harness_command(&h, COMMAND_RESUME);
    cr_expect_eq(harness_count(&h, EVENT_pause), 1);
    cr_expect_not(harness_find(&h, EVENT_pause, 0)->pause.paused);
    cr_expect_not(engine_account_state(h.engine).drawn_down);
    cr_expect(engine_account_state(h.engine).day_lost);
    harness_close(&h);
}

/* Nor by limits that were taken away. */
Test(profit, a_restart_without_limits_stays_paused)
{
    struct harness h;
    struct event_risk_mark mark = {.profit = whole(-4600), .day = SECONDS(86400)};
    open(&h, 0, 0);
    restart(&h, SECONDS(86400) + SECONDS(10), mark);
    cr_expect(engine_account_state(h.engine).drawn_down);
    harness_tick(&h, SECONDS(2 * 86400) - 1);
    cr_expect(engine_account_state(h.engine).day_lost);
    harness_tick(&h, SECONDS(2 * 86400));
    cr_expect_not(engine_account_state(h.engine).day_lost);
    harness_command(&h, COMMAND_RESUME);
    cr_expect_not(engine_account_state(h.engine).drawn_down);
    harness_close(&h);
}

/* Nothing is heard between a restart and the new day, and what the position is worth is known after that: the first
 * profit of the new day is its start, and no loss of the day that is over. */
Test(profit, a_restart_over_midnight_begins_a_new_day)
{
    struct harness h;
    open(&h, 0, 300);
    h.settings[0].safety_stale_after = SECONDS(1000);
    start(&h);
    hold(&h, 1000);
    h.now = SECONDS(86390);
    move(&h, 0);
    union event_record record = {.start = {.epoch = 7}};
    harness_record(&h, EVENT_start, EVENT_NONE_16, &record);
    cr_expect_not(engine_account_state(h.engine).known);
    h.now = SECONDS(86401);
    move(&h, -400);
    expect_profit(&h, -400);
    cr_expect_not(engine_account_state(h.engine).day_lost);
    cr_expect_eq(harness_count(&h, EVENT_pause), 0);
    move(&h, -699);
    cr_expect_eq(money_compare(engine_account_state(h.engine).day_start, whole(-400)), 0);
    cr_expect_not(engine_account_state(h.engine).day_lost);
    move(&h, -700);
    cr_expect(engine_account_state(h.engine).day_lost);
    harness_close(&h);
}
