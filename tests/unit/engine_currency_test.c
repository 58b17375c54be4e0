/* Rates between assets (trading-semantics 13): which instrument tells them, chains and circles of them, and
 * amounts that nobody can reckon with. Assets are base, quote, other and a third one. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine/walker.h"
#include "engine_harness.h"

static struct harness h;

enum { ASSET_THIRD = 3 };

#define UNIT INT64_C(1000000000000000000)

static money whole(int64_t amount)
{
    return (money){(int128)amount * UNIT};
}

/* By asset: the instrument whose mid is its rate. */
static uint16_t rates[HARNESS_ASSETS];
static struct engine_account account = {.named = true, .currency = ASSET_OTHER, .rates = rates};

/* Limits of 500,000 on profit in ASSET_OTHER; instrument 0 is linear in ASSET_QUOTE. No rate is named. */
static void prepare(void)
{
    harness_init(&h);
    strcpy(h.global.account_day_zone.text, "UTC");
    h.global.account_rate_age = SECONDS(60);
    h.global.risk_drawdown_limit = whole(500000);
    h.account = &account;
    h.settings[0].risk_position_limit = LOTS(1000000);
    for (unsigned asset = 0; asset < HARNESS_ASSETS; asset++)
        rates[asset] = EVENT_NONE_16;
}

/* Instrument `index` trades one asset against another at prices with four decimals, and is not quoted. */
static void add_pair(unsigned index, unsigned base, unsigned quote)
{
    struct event_definition *definition = &h.definitions[index];
    definition->contract = CONTRACT_SPOT;
    definition->base = (uint16_t)base;
    definition->quote = definition->settle = (uint16_t)quote;
    definition->price_exponent = -4;
    definition->tick = 1;
    h.settings[index].quote_enabled = false;
    if (h.instrument_count <= index)
        h.instrument_count = index + 1;
}

static void later(void)
{
    h.now += MILLISECONDS(1);
}

static void book(unsigned index, int64_t bid, int64_t ask)
{
    later();
    harness_book(&h, index, EVENT_snapshot, bid, 1000, ask, 1000);
}

/* 10 long at 1000.5, marked at 1100.5: 1,000 of ASSET_QUOTE. */
static void earn(void)
{
    book(0, 10000, 10010);
    later();
    harness_position(&h, 0, SIDE_BUY, 10005, 10000);
    book(0, 11000, 11010);
}

static struct engine_account_state state(void)
{
    return engine_account_state(h.engine);
}

static void expect_profit(int64_t amount)
{
    char text[MONEY_TEXT_MAX];
    money_to_text(state().profit, text);
    cr_expect(state().known);
    cr_expect_eq(money_compare(state().profit, whole(amount)), 0, "profit %s, not %lld", text,
                 (long long)amount);
}

static void tell_rate(unsigned from, unsigned to, money bid, money ask)
{
    union event_record record = {
        .reference_rate = {.from = (uint16_t)from, .to = (uint16_t)to, .bid = bid, .ask = ask}};
    later();
    harness_record(&h, EVENT_reference_rate, EVENT_NONE_16, &record);
}

/* --- named instruments ------------------------------------------------------------------------------- */

/* 1,000 of quote at 1.25 of it in one of the currency. */
Test(currency, a_named_instrument_may_have_the_currency_as_its_base)
{
    prepare();
    add_pair(1, ASSET_OTHER, ASSET_QUOTE);
    rates[ASSET_QUOTE] = 1;
    harness_start(&h);
    book(1, 12499, 12501);
    earn();
    expect_profit(800);
    harness_close(&h);
}

/* The account's currency is worth one of itself, whatever is named for it. */
Test(currency, a_rate_that_is_named_for_the_currency_itself_is_not_asked)
{
    prepare();
    h.definitions[0].quote = h.definitions[0].settle = ASSET_OTHER;
    add_pair(1, ASSET_OTHER, ASSET_THIRD);
    rates[ASSET_OTHER] = 1;
    harness_start(&h);
    book(1, 20000, 20002);
    earn();
    expect_profit(1000);
    harness_close(&h);
}

/* Quote in the third asset, and that in the currency. */
static void chain(void)
{
    prepare();
    add_pair(1, ASSET_QUOTE, ASSET_THIRD);
    add_pair(2, ASSET_THIRD, ASSET_OTHER);
    rates[ASSET_QUOTE] = 1;
    rates[ASSET_THIRD] = 2;
    harness_start(&h);
    book(1, 19999, 20001);
    book(2, 4999, 5001);
    earn();
}

Test(currency, a_rate_may_lead_through_another)
{
    chain();
    expect_profit(1000); /* x 2 x 0.5 */
    book(2, 5999, 6001);
    expect_profit(1200); /* nothing is held in the third asset, and yet its rate counts */
    book(1, 9999, 10001);
    expect_profit(600);
    harness_close(&h);
}

/* The rate that comes last after a restart is that of an asset in the middle of the chain. */
Test(currency, a_chain_of_rates_outlives_a_restart)
{
    chain();
    union event_record record = {.start = {.epoch = 1}};
    later();
    harness_record(&h, EVENT_start, EVENT_NONE_16, &record);
    book(1, 19999, 20001);
    book(0, 11000, 11010);
    cr_expect_not(state().known);
    book(2, 5999, 6001);
    expect_profit(1200);
    harness_close(&h);
}

/* A crossed market has no mid: the last one stands, and gets old like any other. */
Test(currency, a_crossed_market_tells_no_rate)
{
    prepare();
    add_pair(1, ASSET_QUOTE, ASSET_OTHER);
    rates[ASSET_QUOTE] = 1;
    harness_start(&h);
    book(1, 19999, 20001);
    int64_t told = h.now;
    earn();
    expect_profit(2000);
    book(1, 30002, 30001);
    expect_profit(2000);
    h.now = told + SECONDS(60);
    harness_book(&h, 1, EVENT_snapshot, 30003, 1, 30001, 1);
    cr_expect_not(profit_lacks_rate(h.engine, 0));
    h.now++;
    harness_book(&h, 1, EVENT_snapshot, 30004, 1, 30001, 1);
    cr_expect(profit_lacks_rate(h.engine, 0));
    book(1, 29999, 30001);
    cr_expect_not(profit_lacks_rate(h.engine, 0));
    expect_profit(3000);
    harness_close(&h);
}

/* Such a rate is its instrument's, on both sides; the audit sees one that is not. */
Test(currency, a_rate_beside_its_market_is_a_violation)
{
    for (unsigned side = 0; side < 2; side++) {
        prepare();
        h.audit_each = false;
        add_pair(1, ASSET_QUOTE, ASSET_OTHER);
        rates[ASSET_QUOTE] = 1;
        harness_start(&h);
        book(1, 19999, 20001);
        earn();
        audit_full(h.engine);
        cr_assert_eq(engine_counters(h.engine)->invariant_violations, 0);
        struct fx_rate *rate = &h.engine->profit.assets[ASSET_QUOTE].rate;
        rate->bid += side == SIDE_BUY;
        rate->ask += side == SIDE_BUY ? -1 : 1;
        audit_full(h.engine);
        /* Another mid is a second one. */
        cr_expect_eq(engine_counters(h.engine)->violations_by_invariant[6], 1 + side);
        h.engine->counters.invariant_violations = 0; /* expected */
        harness_close(&h);
    }
}

/* --- records of rates -------------------------------------------------------------------------------- */

/* Quote is worth so much of the third asset, and that so much of quote: nothing leads to the currency. */
Test(currency, rates_in_a_circle_lead_nowhere)
{
    prepare();
    harness_start(&h);
    tell_rate(ASSET_QUOTE, ASSET_THIRD, whole(2), whole(2));
    tell_rate(ASSET_THIRD, ASSET_QUOTE, whole(2), whole(2));
    cr_expect(state().known); /* there is no profit yet */
    cr_expect(profit_lacks_rate(h.engine, 0));
    earn();
    cr_expect_not(state().known);
    cr_expect(harness_blocking(&h) >> GATE_REFERENCE_RATE & 1);
    tell_rate(ASSET_THIRD, ASSET_OTHER, whole(3), whole(3));
    expect_profit(6000);
    cr_expect_not(profit_lacks_rate(h.engine, 0));
    harness_close(&h);
}

/* A rate is of prices above nothing, which can stand beside each other in 64 bits. */
Test(currency, a_rate_without_a_price_is_none)
{
    const money least = {1}, most = whole(1000000000000000);
    prepare();
    harness_start(&h);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, whole(2), whole(2));
    earn();
    expect_profit(2000);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, whole(1), MONEY_ZERO);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, MONEY_ZERO, whole(1));
    tell_rate(ASSET_QUOTE, ASSET_OTHER, least, most);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, most, least);
    expect_profit(2000);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, whole(1), money_add(most, least)); /* beyond belief */
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, money_add(most, least), whole(1));
    cr_expect_eq(harness_count(&h, EVENT_removed), 1);
    expect_profit(2000);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, whole(1), whole(5)); /* only the ask must be shortened */
    expect_profit(3000);
    harness_close(&h);
}

/* 1,000 at 1e15 each is a million times more than the money of an account can be, though it still fits; ten
 * times that much profit does not. Then nothing is known, and no order leaves. */
Test(currency, a_profit_that_no_amount_holds_is_unknown)
{
    prepare();
    harness_start(&h);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, whole(2), whole(2));
    earn();
    book(0, 10000 + 10000000, 10010 + 10000000); /* + 1,000,000 a piece: 10,000,000 */
    expect_profit(20000000);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, whole(1000000000000000), whole(1000000000000000));
    cr_expect_not(state().known);
    cr_expect(profit_lacks_rate(h.engine, 0));
    tell_rate(ASSET_QUOTE, ASSET_OTHER, whole(3), whole(3));
    expect_profit(30000000);
    harness_close(&h);
}

/* --- marks ------------------------------------------------------------------------------------------- */

static void mark(int64_t price)
{
    union event_record record = {.mark = {.price = {price, NUMBER_VALUE}}};
    later();
    harness_record(&h, EVENT_mark, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
}

/* The price of a mark may be anything. */
Test(currency, a_position_whose_worth_does_not_fit_is_unknown)
{
    prepare();
    h.account = NULL; /* the currency is that of the one instrument */
    harness_start(&h);
    book(0, 10, 15);
    later();
    harness_position(&h, 0, SIDE_BUY, 10, UNIT); /* 1e15 at 1.0 */
    mark(10);
    expect_profit(0);
    mark(UNIT);
    cr_expect_not(state().known);
    cr_expect(profit_lacks_rate(h.engine, 0));
    mark(10);
    expect_profit(0);
    harness_close(&h);
}

/* --- the day ----------------------------------------------------------------------------------------- */

/* Midnight comes while nobody knows the profit: the day that was lost stays lost until it is known. */
Test(currency, a_day_turns_when_the_profit_is_known)
{
    prepare();
    h.account = NULL;
    h.global.risk_drawdown_limit = MONEY_ZERO;
    h.global.risk_daily_loss_limit = whole(500);
    h.instrument_count = 2;
    h.settings[1].quote_enabled = false;
    harness_start(&h);
    book(0, 10000, 10010);
    later();
    harness_position(&h, 0, SIDE_BUY, 10005, 1000);
    book(0, 5000, 5010);
    cr_assert(state().day_lost);
    later();
    harness_position(&h, 1, SIDE_BUY, 10005, 1000); /* which nothing has marked */
    cr_assert_not(state().known);
    harness_tick(&h, SECONDS(86400));
    cr_expect_eq(harness_count(&h, EVENT_risk_mark), 0);
    cr_expect(state().day_lost);
    book(1, 10000, 10010);
    cr_expect(state().known);
    later();
    harness_tick(&h, h.now); /* the first message that comes when it is known */
    cr_assert_eq(harness_count(&h, EVENT_risk_mark), 1);
    cr_expect_eq(
        money_compare(harness_find(&h, EVENT_risk_mark, 0)->risk_mark.day_start, whole(-500)), 0);
    cr_expect_not(state().day_lost);
    harness_close(&h);
}

/* A tape tells of a lost day and of no mark that would say which day: without limits of today's nothing ends it. */
Test(currency, a_lost_day_that_nobody_dates_stays_lost)
{
    prepare();
    h.global.risk_drawdown_limit = MONEY_ZERO;
    harness_make(&h);
    const union event_record record = {
        .pause = {.instrument = EVENT_NONE_16, .paused = true, .why = GATE_DAILY_LOSS}};
    engine_fold(h.engine,
                &(struct message){.kind = EVENT_pause, .stream = EVENT_NONE_16, .record = &record});
    harness_begin(&h);
    harness_tick(&h, SECONDS(3 * 86400));
    cr_expect(state().day_lost);
    harness_close(&h);
}

/* --- fees in another asset ---------------------------------------------------------------------------- */

static void pay_fee(unsigned asset, int64_t fee)
{
    union event_record record = {.order_filled = {.order = UINT64_C(0x7fffffff00000002),
                                                  .side = SIDE_BUY,
                                                  .price = {11005, NUMBER_VALUE},
                                                  .quantity = {1, NUMBER_VALUE},
                                                  .leaves = {0, NUMBER_VALUE},
                                                  .fee = whole(fee),
                                                  .fee_asset = (uint16_t)asset}};
    later();
    harness_record(&h, EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

/* The profit's own rate is new, that of the fees is not. */
Test(currency, an_old_rate_of_the_fee_s_asset_blocks)
{
    prepare();
    harness_start(&h);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, whole(1), whole(1));
    earn();
    pay_fee(ASSET_THIRD, 2);
    tell_rate(ASSET_THIRD, ASSET_OTHER, whole(50), whole(50));
    expect_profit(900);
    h.now += SECONDS(60);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, whole(1), whole(1));
    cr_expect(profit_lacks_rate(h.engine, 0));
    tell_rate(ASSET_THIRD, ASSET_OTHER, whole(50), whole(50));
    cr_expect_not(profit_lacks_rate(h.engine, 0));
    harness_close(&h);
}

/* They are part of what outlives a restart, and of the state that two runs are compared by. */
Test(currency, fees_in_another_asset_are_carried)
{
    static char text[200000];
    struct walker_text walked;
    prepare();
    harness_start(&h);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, whole(1), whole(1));
    earn();
    pay_fee(ASSET_THIRD, 2);
    walker_text_init(&walked, text, sizeof text - 1);
    engine_walk_carry(h.engine, &walked.walker);
    cr_assert_lt(walked.length, sizeof text - 1);
    cr_expect_neq(strstr(text, "profit.asset.fees 3 2000000000000000000\n"), NULL);
    cr_expect_neq(strstr(text, "profit.fee_asset 0 3\n"), NULL);
    union event_record record = {.start = {.epoch = 1}};
    later();
    harness_record(&h, EVENT_start, EVENT_NONE_16, &record);
    tell_rate(ASSET_QUOTE, ASSET_OTHER, whole(1), whole(1));
    tell_rate(ASSET_THIRD, ASSET_OTHER, whole(50), whole(50));
    book(0, 11000, 11010);
    expect_profit(900);
    harness_close(&h);
}
