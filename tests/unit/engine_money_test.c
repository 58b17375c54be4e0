/* Money: the figures of trading-semantics 9 to 15. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine/fx.h"
#include "engine_harness.h"

static struct harness h;

static money decimal(const char *text)
{
    money amount = MONEY_ZERO;
    cr_assert_eq(money_from_text(text, strlen(text), &amount), NUMBER_VALUE, "%s", text);
    return amount;
}

static void expect_money(money amount, const char *text)
{
    char shown[MONEY_TEXT_MAX];
    money_to_text(amount, shown);
    cr_expect_str_eq(shown, text);
}

static struct event_definition linear(void)
{
    return (struct event_definition){.contract = CONTRACT_LINEAR, .multiplier = 1};
}

static void expect_profit(const struct position *position,
                          const struct event_definition *definition, int64_t mark,
                          const char *realised, const char *unrealised)
{
    money open;
    expect_money(position->realised, realised);
    cr_assert(position_unrealised(position, definition, 2 * mark, &open));
    expect_money(open, unrealised);
}

/* --- 9 --------------------------------------------------------------------------------------------- */

static void eth_spot(void)
{
    harness_init(&h);
    struct event_definition *eth = &h.definitions[0];
    eth->contract = CONTRACT_SPOT;
    eth->price_exponent = -2;
    eth->quantity_exponent = -4;
    eth->tick = 1;
    eth->maker_fee = eth->taker_fee = 1000000;
    harness_start(&h);
}

static void fill_with_fee(enum side side, int64_t price, int64_t quantity, const char *fee,
                          uint16_t fee_asset)
{
    union event_record record = {.order_filled = {.order = 77,
                                                  .side = (uint8_t)side,
                                                  .price = {price, NUMBER_VALUE},
                                                  .quantity = {quantity, NUMBER_VALUE},
                                                  .fee = decimal(fee),
                                                  .fee_asset = fee_asset}};
    harness_record(&h, EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

Test(money, rule_9_fee_in_the_asset_that_the_venue_names)
{
    struct engine_position position;
    eth_spot();
    fill_with_fee(SIDE_BUY, 345255, 100000, "0.01", ASSET_BASE);
    expect_money(ledger_balance(h.engine, 0, ASSET_BASE)->total, "9.99");
    expect_money(ledger_balance(h.engine, 0, ASSET_QUOTE)->total, "-34525.5");
    engine_position(h.engine, 0, &position);
    expect_money(position.position, "9.99");
    /* The fee in base is apart from the cost, at the fill's price. */
    expect_money(position.fees, "34.5255");
    fill_with_fee(SIDE_SELL, 345255, 100000, "34.5255", ASSET_QUOTE);
    engine_position(h.engine, 0, &position);
    expect_money(position.position, "-0.01");
    expect_money(position.realised, "0");
    expect_money(position.fees, "69.051");
    expect_money(ledger_balance(h.engine, 0, ASSET_QUOTE)->total, "-34.5255");
    expect_money(ledger_balance(h.engine, 0, ASSET_QUOTE)->fees, "34.5255");
    expect_money(ledger_balance(h.engine, 0, ASSET_BASE)->fees, "0.01");
    harness_close(&h);
}

Test(money, fee_in_a_third_asset_is_in_the_ledger_only)
{
    struct engine_position position;
    eth_spot();
    fill_with_fee(SIDE_BUY, 345255, 100000, "0.05", ASSET_OTHER);
    engine_position(h.engine, 0, &position);
    expect_money(position.position, "10");
    expect_money(position.fees, "0");
    expect_money(ledger_balance(h.engine, 0, ASSET_OTHER)->total, "-0.05");
    harness_close(&h);
}

Test(money, balance_records_are_transfers)
{
    union event_record record;
    eth_spot();
    record.balance = (struct event_balance){
        .venue = 0, .asset = ASSET_QUOTE, .total = decimal("100000"), .available = decimal("1")};
    harness_record(&h, EVENT_balance, EVENT_NONE_16, &record);
    fill_with_fee(SIDE_BUY, 345255, 100000, "34.5255", ASSET_QUOTE);
    expect_money(ledger_balance(h.engine, 0, ASSET_QUOTE)->total, "65439.9745");
    struct actions actions = engine_finish(h.engine);
    size_t balances = 0;
    for (size_t i = 0; i < actions.count; i++)
        balances += actions.messages[i].kind == EVENT_final_balance;
    cr_expect_eq(balances, 2);
    harness_close(&h);
}

/* --- amounts that nobody can mean ------------------------------------------------------------------ */

static void tell_total(const char *total)
{
    union event_record record = {.balance = {.asset = ASSET_QUOTE, .total = decimal(total)}};
    harness_record(&h, EVENT_balance, EVENT_NONE_16, &record);
}

/* 1e15 of an asset is the most that is believed. */
Test(money, a_balance_beyond_belief_is_removed_and_told)
{
    static const char *const beyond[] = {"1000000000000000.000000000000000001",
                                         "-1000000000000000.000000000000000001",
                                         "170141183460469231731", "-170141183460469231731"};
    eth_spot();
    tell_total("1000000000000000");
    expect_money(ledger_balance(h.engine, 0, ASSET_QUOTE)->total, "1000000000000000");
    cr_expect_eq(harness_count(&h, EVENT_removed), 0);
    tell_total("-1000000000000000");
    for (unsigned i = 0; i < 4; i++) {
        tell_total(beyond[i]);
        expect_money(ledger_balance(h.engine, 0, ASSET_QUOTE)->total, "-1000000000000000");
        cr_expect_eq(harness_count(&h, EVENT_removed), 1);
        const struct event_removed *told = &harness_find(&h, EVENT_removed, 0)->removed;
        cr_expect_eq(told->where, REMOVED_ACCOUNT);
        cr_expect_eq(told->instrument, EVENT_NONE_16);
    }
    harness_close(&h);
}

/* The fill is a fact, its fee is not. */
Test(money, a_fee_beyond_belief_is_removed_and_the_fill_counts)
{
    struct engine_position position;
    eth_spot();
    for (int i = 0; i < 2; i++) {
        fill_with_fee(SIDE_BUY, 345255, 100000, "170141183460469231731", ASSET_QUOTE);
        cr_expect_eq(harness_count(&h, EVENT_removed), 1);
        fill_with_fee(SIDE_BUY, 345255, 100000, "-170141183460469231731", ASSET_BASE);
        cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    }
    engine_position(h.engine, 0, &position);
    expect_money(position.position, "40");
    expect_money(position.fees, "0");
    expect_money(ledger_balance(h.engine, 0, ASSET_QUOTE)->total, "-138102");
    harness_close(&h);
}

/* 98 x 1e16 is beyond belief; so is what the position could not hold. Nothing of it is booked. */
Test(money, a_fill_beyond_belief_is_removed_and_told)
{
    static const int64_t beyond[] = {INT64_MAX, INT64_C(4000000000000000000)};
    struct engine_position position;
    for (int spot = 0; spot < 2; spot++) {
        harness_init(&h);
        h.definitions[0].contract = spot ? CONTRACT_SPOT : CONTRACT_LINEAR;
        harness_start(&h);
        for (unsigned i = 0; i < 2; i++) {
            fill_with_fee(SIDE_BUY, 1000, beyond[i], "0", ASSET_QUOTE);
            cr_expect_eq(harness_count(&h, EVENT_removed), 1);
        }
        engine_position(h.engine, 0, &position);
        expect_money(position.position, "0");
        cr_expect_eq(engine_counters(h.engine)->fills, 0);
        harness_close(&h);
    }
}

/* Of an order of our own: what became of it is asked for. */
Test(money, an_order_whose_fill_is_beyond_belief_is_asked_for)
{
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_accept(&h, 1);
    harness_fill(&h, 1, SIDE_BUY, 990, INT64_C(9223372036854775000), 0);
    cr_expect_eq(harness_order(&h, 1)->state, ORDER_UNKNOWN);
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    harness_run_to(&h, SECONDS(6));
    cr_expect(harness_order(&h, 1)->asking);
    harness_close(&h);
}

Test(money, a_rate_beyond_belief_is_removed_and_told)
{
    union event_record record = {.reference_rate = {.from = ASSET_QUOTE,
                                                    .to = ASSET_OTHER,
                                                    .bid = decimal("1"),
                                                    .ask = decimal("170141183460469231731")}};
    eth_spot();
    harness_record(&h, EVENT_reference_rate, EVENT_NONE_16, &record);
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    cr_expect_eq(h.engine->profit.assets[ASSET_QUOTE].to, EVENT_NONE_16);
    harness_close(&h);
}

/* Many amounts that are each well come to a sum that is not: it stays, and is a violation. */
Test(money, a_sum_that_does_not_fit_is_a_violation_and_no_end)
{
    const money most = {MONEY_ATTO_MAX}, one = {1};
    harness_init(&h);
    harness_start(&h);
    cr_expect_eq(engine_add(h.engine, most, one).atto, most.atto);
    cr_expect_eq(engine_subtract(h.engine, money_negate(most), one).atto, -most.atto);
    cr_expect_eq(engine_add(h.engine, most, money_negate(one)).atto, most.atto - 1);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 2);
    h.engine->counters.invariant_violations = 0; /* expected */
    harness_close(&h);
}

/* --- 10 -------------------------------------------------------------------------------------------- */

Test(money, rule_10_linear)
{
    struct event_definition definition = linear();
    struct position position;
    position_init(&position, &definition);
    cr_assert(position_fill(&position, &definition, SIDE_BUY, 100, 2, 0));
    cr_assert(position_fill(&position, &definition, SIDE_BUY, 103, 1, 0));
    cr_assert(position_fill(&position, &definition, SIDE_SELL, 104, 1, 0));
    expect_profit(&position, &definition, 102, "3", "2");
    cr_assert(position_fill(&position, &definition, SIDE_SELL, 99, 5, 0));
    /* 3 - 4: realised of this fill is −1 + … = 3 + 2 x (99 − 101) */
    expect_money(position.realised, "-1");
    cr_expect_eq(position.units, -3);
    expect_money(position.cost, "297");
}

Test(money, linear_remainder_stays_with_the_open_part)
{
    struct event_definition definition = linear();
    struct position position;
    definition.price_exponent = -9;
    definition.quantity_exponent = -9;
    position_init(&position, &definition);
    /* cost 10 units of 1e-18 over 3 */
    cr_assert(position_fill(&position, &definition, SIDE_BUY, 10, 1, 0));
    position.units = position.bought = 3;
    for (int i = 0; i < 3; i++)
        cr_assert(position_fill(&position, &definition, SIDE_SELL, 10, 1, 0));
    cr_expect_eq(position.cost.atto, 0);
    cr_expect_eq(position.realised.atto, 20);
}

Test(money, what_does_not_fit_changes_nothing)
{
    struct event_definition definition = linear();
    struct position position, before;
    definition.multiplier = INT64_MAX;
    position_init(&position, &definition);
    before = position;
    cr_expect_not(position_fill(&position, &definition, SIDE_BUY, INT64_MAX, INT64_MAX, 0));
    cr_expect_eq(memcmp(&before, &position, sizeof before), 0);
}

/* --- 11 -------------------------------------------------------------------------------------------- */

static struct event_definition inverse(int64_t multiplier)
{
    return (struct event_definition){
        .contract = CONTRACT_INVERSE, .price_exponent = -1, .multiplier = multiplier};
}

Test(money, rule_11_inverse)
{
    struct event_definition definition = inverse(100);
    struct position position, all;
    position_init(&position, &definition);
    cr_assert(position_fill(&position, &definition, SIDE_BUY, 618000, 10, 0));
    cr_assert(position_fill(&position, &definition, SIDE_BUY, 617900, 5, 0));
    expect_money(position.cost, "0.02427315");
    all = position;
    cr_assert(position_fill(&position, &definition, SIDE_SELL, 618500, 6, 0));
    expect_money(position.realised, "0.00000837");
    expect_money(position.cost, "0.01456389");
    cr_assert(position_fill(&all, &definition, SIDE_SELL, 618500, 15, 0));
    expect_money(all.realised, "0.00002093");
    expect_money(all.cost, "0");
}

Test(money, rule_11_guide)
{
    struct event_definition definition = inverse(1);
    struct position position;
    position_init(&position, &definition);
    cr_assert(position_fill(&position, &definition, SIDE_BUY, 100000, 100000, 0));
    cr_assert(position_fill(&position, &definition, SIDE_SELL, 105000, 100000, 0));
    expect_money(position.realised, "0.47619048");
}

Test(money, inverse_short_through_zero_adds_up)
{
    struct event_definition definition = inverse(100);
    struct position position;
    position_init(&position, &definition);
    cr_assert(position_fill(&position, &definition, SIDE_SELL, 618000, 10, 0));
    cr_assert(position_fill(&position, &definition, SIDE_BUY, 618500, 17, 0));
    cr_expect_eq(position.units, 7);
    money held = position.cost;
    money gain = money_subtract(money_subtract(position.value_bought, position.value_sold), held);
    cr_expect_eq(money_compare(gain, position.realised), 0);
}

/* --- 12, 13 ---------------------------------------------------------------------------------------- */

Test(money, rule_12_factors)
{
    struct fx_rate rate = {112157, 112170, -5};
    int64_t factor;
    cr_assert(fx_factor(&rate, false, &factor));
    cr_expect_eq(factor, 89160730);
    cr_assert(fx_factor(&rate, true, &factor));
    cr_expect_eq(factor, 89150397);
}

Test(money, rule_12_recorded_loss)
{
    struct event_definition definition = linear();
    struct position position;
    definition.price_exponent = -5;
    position_init(&position, &definition);
    cr_assert(position_fill(&position, &definition, SIDE_BUY, 109448, 100, 0));
    cr_assert(position_fill(&position, &definition, SIDE_SELL, 109289, 100, 0));
    expect_money(position.realised, "-0.159");
    struct fx_rate rate = {109289, 109302, -5};
    money home;
    cr_assert(fx_home_profit(position.realised, &rate, -4, &home));
    expect_money(home, "-0.1455");
}

Test(money, rule_13_mid_and_age)
{
    struct fx_rate rate = {9989, 9991, -4}; /* mid 0.9990 */
    money converted;
    cr_assert(fx_at_mid(decimal("1000"), &rate, &converted));
    expect_money(converted, "999");
    cr_expect(fx_is_fresh(0, SECONDS(60)));
    cr_expect_not(fx_is_fresh(0, SECONDS(60) + 1));
    cr_expect_not(fx_at_mid(decimal("1"), &(struct fx_rate){0, 1, 0}, &converted));
}

/* --- 14 -------------------------------------------------------------------------------------------- */

static void give_mark(int64_t price)
{
    union event_record record = {.mark = {.instrument = 0, .price = {price, NUMBER_VALUE}}};
    harness_record(&h, EVENT_mark, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
}

static void small_prices(void)
{
    harness_init(&h);
    h.definitions[0].price_exponent = 0;
    h.definitions[0].tick = 1;
    h.settings[0].quote_enabled = false;
    harness_start(&h);
}

Test(money, rule_14_mark)
{
    int64_t mark2;
    bool stale;
    small_prices();
    struct market *market = &h.engine->instruments[0].market;
    cr_expect_not(market_mark2(market, 0, &mark2, &stale));
    h.now = SECONDS(1);
    give_mark(100);
    h.now = SECONDS(6);
    harness_book(&h, 0, EVENT_snapshot, 101, 1, 103, 1);
    h.now = SECONDS(7);
    cr_assert(market_mark2(market, SECONDS(7), &mark2, &stale));
    cr_expect_eq(mark2, 2 * 102);
    cr_expect_not(stale);
    cr_assert(market_mark2(market, SECONDS(5), &mark2, &stale));
    cr_expect_eq(mark2, 2 * 100);
    cr_assert(market_mark2(market, SECONDS(30), &mark2, &stale));
    cr_expect_eq(mark2, 2 * 102);
    cr_expect(stale);
    union event_record record = {.gap = {.instrument = 0}};
    h.now = SECONDS(31);
    harness_record(&h, EVENT_gap, EVENT_STREAM(0, CHANNEL_DEPTH), &record);
    cr_assert(market_mark2(market, SECONDS(31), &mark2, &stale));
    cr_expect_eq(mark2, 2 * 102);
    cr_expect(stale);
    harness_close(&h);
}

/* Messages that bring no mark go on, and the last one known stays. */
Test(money, rule_14_the_last_mark_outlives_its_source)
{
    int64_t mark2;
    bool stale;
    small_prices();
    struct market *market = &h.engine->instruments[0].market;
    give_mark(100);
    h.now = SECONDS(6);
    harness_trade(&h, 0, SIDE_BUY, 120, 1);
    cr_assert(market_mark2(market, h.now, &mark2, &stale));
    cr_expect_eq(mark2, 2 * 100); /* never the last trade */
    cr_expect(stale);
    h.now = SECONDS(7);
    harness_book(&h, 0, EVENT_snapshot, 101, 1, 103, 1);
    h.now = SECONDS(8);
    harness_book(&h, 0, EVENT_depth, 101, 0, 0, 0); /* no bid is left */
    h.now = SECONDS(20);
    harness_trade(&h, 0, SIDE_BUY, 120, 1);
    cr_assert(market_mark2(market, h.now, &mark2, &stale));
    cr_expect_eq(mark2, 2 * 102);
    cr_expect(stale);
    harness_close(&h);
}

Test(money, rule_14_a_crossed_view_is_no_mark)
{
    int64_t mark2;
    bool stale;
    small_prices();
    struct market *market = &h.engine->instruments[0].market;
    harness_book(&h, 0, EVENT_snapshot, 101, 1, 103, 1);
    h.now = SECONDS(1);
    harness_book(&h, 0, EVENT_depth, 105, 1, 0, 0);
    cr_assert(market_mark2(market, h.now, &mark2, &stale));
    cr_expect_eq(mark2, 2 * 102);
    cr_expect(stale);
    harness_close(&h);
}

static void expect_last_mark(int64_t now, int64_t mark)
{
    int64_t mark2;
    bool stale;
    struct market *market = &h.engine->instruments[0].market;
    cr_assert(market_mark2(market, now, &mark2, &stale));
    cr_expect_eq(mark2, 2 * mark);
    cr_expect(stale);
}

/* The mid took over when the venue's mark got old, so it is the last mark, also once the book is lost. */
Test(money, rule_14_the_last_mark_is_the_one_that_stood_last)
{
    small_prices();
    h.now = SECONDS(1);
    give_mark(100);
    h.now = SECONDS(4);
    harness_book(&h, 0, EVENT_snapshot, 101, 1, 103, 1);
    expect_last_mark(SECONDS(20), 102);
    union event_record record = {.gap = {.instrument = 0}};
    h.now = SECONDS(7);
    harness_record(&h, EVENT_gap, EVENT_STREAM(0, CHANNEL_DEPTH), &record);
    expect_last_mark(SECONDS(7), 102);
    /* The venue's mark outlives a book that told nothing for longer. */
    harness_book(&h, 0, EVENT_snapshot, 101, 1, 103, 1);
    h.now = SECONDS(8);
    give_mark(90);
    expect_last_mark(SECONDS(20), 90);
    h.now = SECONDS(21);
    harness_record(&h, EVENT_gap, EVENT_STREAM(0, CHANNEL_DEPTH), &record);
    expect_last_mark(SECONDS(22), 90);
    harness_close(&h);
}

Test(money, a_mark_without_value_is_removed)
{
    small_prices();
    union event_record record = {.mark = {.instrument = 0, .price = {0, NUMBER_NAN}}};
    harness_record(&h, EVENT_mark, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
    cr_expect_eq(harness_find(&h, EVENT_removed, 0)->removed.price.status, NUMBER_NAN);
    cr_expect_not(h.engine->instruments[0].market.mark.has);
    harness_close(&h);
}

/* --- 15 -------------------------------------------------------------------------------------------- */

Test(money, rule_15_amounts)
{
    struct event_definition definition = linear();
    struct position position;
    money amount;
    definition.quantity_exponent = -1;
    position_init(&position, &definition);
    cr_assert(position_funding(&position, &definition, 5, 2 * 61840, 100000, &amount));
    expect_money(amount, "-3.092");
    definition = inverse(100);
    definition.price_exponent = 0;
    position_init(&position, &definition);
    cr_assert(position_funding(&position, &definition, 15, 2 * 61840, 100000, &amount));
    expect_money(amount, "-0.00000243");
    cr_assert(position_funding(&position, &definition, -15, 2 * 61840, 100000, &amount));
    expect_money(amount, "0.00000243");
}

static void give_funding(int64_t rate, int64_t due)
{
    union event_record record = {.funding = {.instrument = 0, .rate = rate, .due = due}};
    harness_record(&h, EVENT_funding, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
}

Test(money, rule_15_is_booked_at_its_time_with_the_position_of_venue_time)
{
    small_prices();
    h.now = SECONDS(1);
    give_mark(61840);
    harness_position(&h, 0, SIDE_BUY, 61840, 500);
    give_funding(100000, SECONDS(3));
    cr_expect_eq(engine_deadline(h.engine), SECONDS(3));
    harness_run_to(&h, SECONDS(3));
    const struct position *position = &h.engine->instruments[0].position;
    expect_money(position->funding, "-3.092");
    /* A fill from before it that is told afterwards takes its part. */
    union event_record record = {.order_filled = {.order = 78,
                                                  .side = SIDE_SELL,
                                                  .price = {61840, NUMBER_VALUE},
                                                  .quantity = {500, NUMBER_VALUE}}};
    struct message fill = {.ts_local = SECONDS(4),
                           .ts_venue = SECONDS(2),
                           .flags = MESSAGE_VENUE_TIME,
                           .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                           .kind = EVENT_order_filled,
                           .record = &record};
    harness_give(&h, &fill);
    expect_money(position->funding, "0");
    expect_money(ledger_balance(h.engine, 0, ASSET_QUOTE)->total, "0");
    harness_close(&h);
}

static bool funding_unknown(void)
{
    struct engine_position position;
    engine_position(h.engine, 0, &position);
    return position.funding_unknown;
}

Test(money, rule_15_without_a_rate_the_result_says_so)
{
    small_prices();
    give_mark(61840);
    cr_expect_not(funding_unknown()); /* nothing was ever held */
    harness_position(&h, 0, SIDE_BUY, 61840, 500);
    cr_expect(funding_unknown());
    expect_money(h.engine->instruments[0].position.funding, "0");
    give_funding(100000, SECONDS(3));
    cr_expect_not(funding_unknown());
    harness_close(&h);
}

Test(money, rule_15_without_a_mark_it_is_not_booked)
{
    small_prices();
    give_funding(100000, SECONDS(3));
    harness_position(&h, 0, SIDE_BUY, 61840, 500);
    harness_run_to(&h, SECONDS(3));
    cr_expect(funding_unknown());
    expect_money(h.engine->instruments[0].position.funding, "0");
    harness_close(&h);
}

Test(money, rule_15_each_time_is_booked_once)
{
    small_prices();
    give_mark(61840);
    harness_position(&h, 0, SIDE_BUY, 61840, 500);
    give_funding(100000, SECONDS(3));
    harness_run_to(&h, SECONDS(3));
    const struct position *position = &h.engine->instruments[0].position;
    give_funding(100000, SECONDS(3)); /* told again after it was booked */
    harness_run_to(&h, SECONDS(4));
    expect_money(position->funding, "-3.092");
    /* The next one is overtaken by the record of the one after it: booked all the same. */
    give_funding(200000, SECONDS(5));
    h.now = SECONDS(6);
    give_funding(100000, SECONDS(9));
    expect_money(position->funding, "-9.276");
    cr_expect_eq(engine_deadline(h.engine), SECONDS(9));
    harness_close(&h);
}

/* A rate that is told again at its very time is the one that counts, once. */
Test(money, rule_15_the_rate_that_is_told_at_its_time_is_booked)
{
    small_prices();
    give_mark(61840);
    harness_position(&h, 0, SIDE_BUY, 61840, 500);
    give_funding(100000, SECONDS(3));
    h.now = SECONDS(3);
    give_funding(200000, SECONDS(3));
    cr_expect_eq(harness_count(&h, EVENT_funding_booked), 1);
    expect_money(h.engine->instruments[0].position.funding, "-6.184");
    give_funding(100000, SECONDS(3));
    cr_expect_eq(harness_count(&h, EVENT_funding_booked), 0);
    harness_close(&h);
}

Test(money, final_figures)
{
    struct engine_position position;
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_position(&h, 0, SIDE_BUY, 1000, 4);
    engine_position(h.engine, 0, &position);
    /* mid 100.25: exact in the profit, to the even unit in the field */
    expect_money(position.unrealised, "0.001");
    cr_expect_eq(position.mark.units, 1002);
    struct actions actions = engine_finish(h.engine);
    cr_assert_geq(actions.count, 1);
    cr_expect_eq(actions.messages[0].kind, EVENT_final_position);
    expect_money(actions.messages[0].record->final_position.position, "0.004");
    harness_close(&h);
}
