/* Funds: what of a wanted ladder the account pays for (trading-semantics 17), by figures made by hand. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

static money amount(const char *text)
{
    money made = MONEY_ZERO;
    cr_assert_eq(money_from_text(text, strlen(text), &made), NUMBER_VALUE);
    return made;
}

static void balance(unsigned asset, const char *total)
{
    union event_record record = {.balance = {.asset = (uint16_t)asset, .total = amount(total)}};
    harness_record(&h, EVENT_balance, EVENT_NONE_16, &record);
}

/* Spot: tick 1 and lot 1, no decimals, two levels a side of 10, half spread 2, step 1. */
static void spot(const char *quote, const char *base)
{
    harness_init(&h);
    for (unsigned i = 0; i < 2; i++) {
        h.definitions[i].contract = CONTRACT_SPOT;
        h.definitions[i].price_exponent = h.definitions[i].quantity_exponent = 0;
        h.definitions[i].tick = 1;
        h.settings[i].quote_levels = 2;
        h.settings[i].reconcile_price = TICKS(0);
        h.settings[i].quote_interval = SECONDS(100);
    }
    h.instrument_count = 2;
    harness_start(&h);
    balance(ASSET_QUOTE, quote);
    balance(ASSET_BASE, base);
}

/* The quantities of the orders placed in the last step, in their order, 0 behind the last. */
static void expect_places(int64_t a, int64_t b, int64_t c, int64_t d)
{
    const int64_t expected[4] = {a, b, c, d};
    size_t count = harness_count(&h, EVENT_place);
    cr_assert_leq(count, 4);
    for (size_t n = 0; n < 4; n++) {
        int64_t placed = n < count ? harness_find(&h, EVENT_place, n)->place.quantity.units : 0;
        cr_expect_eq(placed, expected[n], "order %zu: %lld", n, (long long)placed);
    }
}

static bool blocks(void)
{
    return harness_blocking(&h) >> GATE_FUNDS & 1;
}

/* 98 x 10 = 980 and 97 x 10 = 970 of quote; 10 and 10 of base. */
Test(funds, enough_for_all_cuts_nothing)
{
    spot("1950", "20");
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 10, 10, 10);
    cr_expect_not(blocks());
    harness_close(&h);
}

Test(funds, the_nearest_level_first_then_what_is_left_in_lots)
{
    spot("1949.999999999999999999", "19");
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 10, 9, 9);
    cr_expect(blocks());
    harness_close(&h);
}

/* Two levels compete for 12 of base, in lots of 5; and for 980 + 484 of quote: 97 x 4 = 388, in lots of 5 none. */
Test(funds, less_than_a_lot_is_none)
{
    spot("1464", "12");
    h.engine->instruments[0].limits.quote.lot = 5;
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 10, 0, 0);
    harness_close(&h);
}

Test(funds, what_is_worth_less_than_the_venue_takes_is_none)
{
    spot("1464", "15"); /* 4 x 97 = 388 and 5 x 104 = 520 */
    h.engine->instruments[0].limits.minimum_raw = 400;
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 10, 5, 0);
    harness_close(&h);
}

Test(funds, nothing_there_wants_nothing)
{
    spot("0", "-3");
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    cr_expect(blocks());
    harness_close(&h);
}

/* Orders of another instrument hold what they hold: 1,950 of 3,000, which leaves 1,050 for 980 and none of 970. Its own
 * count as there. */
Test(funds, what_other_instruments_hold_is_not_there)
{
    spot("3000", "35");
    harness_book(&h, 1, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 10, 10, 10);
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 10, 5, 0);
    for (order_id id = 1; id <= 7; id++)
        harness_accept(&h, id);
    harness_book(&h, 1, EVENT_depth, 99, 50, 0, 0); /* nothing moves: what rests pays for itself */
    harness_tick(&h, SECONDS(100));
    cr_expect_eq(harness_count(&h, EVENT_place) + harness_count(&h, EVENT_cancel), 0);
    harness_close(&h);
}

/* A balance that goes up and down by less than the tolerance of rule 27 moves no order: 5 rests where 4 to 6 are. */
Test(funds, small_changes_cost_no_place_in_the_queue)
{
    static const char *const totals[] = {"14", "16", "15", "14", "16"};
    spot("1950", "15");
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    for (order_id id = 1; id <= 4; id++)
        harness_accept(&h, id);
    for (unsigned i = 0; i < sizeof totals / sizeof totals[0]; i++) {
        balance(ASSET_BASE, totals[i]);
        harness_tick(&h, SECONDS(100) * (i + 1));
        cr_expect_eq(harness_count(&h, EVENT_place), 0);
        cr_expect_eq(harness_count(&h, EVENT_cancel) + harness_count(&h, EVENT_modify), 0);
    }
    balance(ASSET_BASE, "17"); /* 7: two more than 5 are more than a quarter of it */
    harness_tick(&h, SECONDS(600));
    cr_expect_eq(harness_count(&h, EVENT_cancel), 1);
    harness_close(&h);
}

/* The far ask rests with 5 where 4 are wanted, which is kept. The near one has 9 of its 10 then, and is placed so. */
Test(funds, what_is_kept_too_large_leaves_the_rest)
{
    spot("1950", "15");
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    for (order_id id = 1; id <= 4; id++)
        harness_accept(&h, id);
    h.now = SECONDS(1);
    union event_record record = {.balance = {.asset = ASSET_BASE, .total = amount("14")}};
    harness_record(&h, EVENT_balance, EVENT_NONE_16, &record);
    harness_cancelled(&h, 2, 10); /* by the venue */
    cr_assert_eq(harness_count(&h, EVENT_place), 1);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.side, SIDE_SELL);
    expect_places(9, 0, 0, 0);
    harness_close(&h);
}

/* Where nobody knows what another's order takes nothing new leaves, and what rests is left alone. */
Test(funds, beside_an_order_that_nobody_knows_nothing_is_cut)
{
    spot("1500", "15");
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 10, 5, 5);
    for (order_id id = 1; id <= 4; id++)
        harness_accept(&h, id);
    h.engine->orphans.list[0] = (struct orphan){
        .instrument = 1, .side = SIDE_BUY, .judged = true, .leaves = SYNC_LEAVES_UNKNOWN};
    h.engine->orphans.count = 1;
    int64_t *const sum = &h.engine->instruments[1].sync.orphan_leaves[SIDE_BUY];
    *sum = SYNC_LEAVES_UNKNOWN;
    money left;
    cr_expect_not(ledger_left(h.engine, 0, SIDE_BUY, true, &left));
    cr_expect(ledger_left(h.engine, 0, SIDE_SELL, true, &left));
    cr_expect_eq(money_compare(left, amount("15")), 0);
    cr_expect(ledger_left(h.engine, 0, SIDE_SELL, false, &left));
    cr_expect_eq(money_compare(left, MONEY_ZERO), 0);
    harness_tick(&h, SECONDS(100));
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    h.engine->orphans.count = 0;
    *sum = 0;
    harness_close(&h);
}

/* With the larger fee, 0.1 %: 10 x 98 x 1.001 = 980.98. */
Test(funds, the_fee_is_part_of_it)
{
    spot("980.98", "0");
    h.engine->instruments[0].definition.taker_fee = 1000000;
    cr_expect_eq(ledger_part(h.engine, 0, SIDE_BUY, 98, 10, amount("980.98")), 10);
    cr_expect_eq(ledger_part(h.engine, 0, SIDE_BUY, 98, 10, amount("980.979999999999999999")), 9);
    cr_expect_eq(ledger_part(h.engine, 0, SIDE_BUY, 98, 10, amount("98.098")), 1);
    cr_expect_eq(ledger_part(h.engine, 0, SIDE_BUY, 98, 10, amount("98.0979")), 0);
    cr_expect_eq(ledger_part(h.engine, 0, SIDE_SELL, 98, 10, amount("7.9")), 7); /* none of base */
    h.engine->instruments[0].definition.taker_fee = -1000000; /* a rebate is not counted on */
    h.engine->instruments[0].definition.maker_fee = -2000000;
    cr_expect_eq(ledger_part(h.engine, 0, SIDE_BUY, 98, 10, amount("979.9")), 9);
    harness_close(&h);
}

/* Whatever the price, the fee and the balance: the part is paid for, and one lot more is not. */
Test(funds, the_part_is_the_largest_that_is_paid_for)
{
    uint64_t random = 1;
    spot("0", "0");
    for (unsigned n = 0; n < 100000; n++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        int64_t price = (int64_t)(random >> 50) + 1;
        money left = {(int128)(random >> 20) * (int128)(random >> 44)}, need;
        h.engine->instruments[0].definition.maker_fee = (int64_t)(random >> 33 & 0xfffff);
        int64_t part = ledger_part(h.engine, 0, SIDE_BUY, price, INT64_C(1) << 40, left);
        cr_assert(part == 0 || (ledger_need(h.engine, 0, SIDE_BUY, price, part, &need) &&
                                money_compare(need, left) <= 0));
        cr_assert(ledger_need(h.engine, 0, SIDE_BUY, price, part + 1, &need) &&
                  money_compare(need, left) > 0);
    }
    harness_close(&h);
}

/* A contract is no spot, and a venue that told no balance has no limit. */
Test(funds, what_no_balance_pays_for_is_not_cut)
{
    spot("100", "1");
    h.engine->instruments[0].definition.contract = CONTRACT_LINEAR;
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 10, 10, 10);
    h.engine->venues[0].told = false;
    harness_book(&h, 1, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 10, 10, 10);
    harness_close(&h);
}

/* Prices and sizes that no market has are other gates' business. */
Test(funds, what_is_no_price_is_not_cut)
{
    spot("1000", "10");
    cr_expect_eq(ledger_part(h.engine, 0, SIDE_BUY, 0, 10, amount("1")), 10);
    h.engine->instruments[0].definition.multiplier = INT64_MAX;
    cr_expect_eq(ledger_part(h.engine, 0, SIDE_BUY, INT64_MAX, 10, amount("1")), 10);
    cr_expect_not(ledger_covers(h.engine, 0, SIDE_BUY, INT64_MAX, 10));
    h.engine->instruments[0].definition.multiplier = 1;
    cr_expect(ledger_covers(h.engine, 0, SIDE_BUY, 98, 10));
    cr_expect(ledger_is_limited(h.engine, 0));
    h.engine->instruments[0].limits.quote.size =
        ENGINE_QUANTITY_MAX; /* two of them are no number */
    h.engine->instruments[0].limits.position_limit = ENGINE_QUANTITY_MAX;
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 10, 0, 0); /* of which the account pays for what it can */
    harness_close(&h);
}

/* What one unit costs is no amount of money: nothing is cut by it, and the gate lets no bid pass. */
Test(funds, what_costs_more_than_there_is_money_waits_at_the_gate)
{
    spot("1000", "10");
    h.engine->instruments[0].definition.multiplier = INT64_MAX;
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 0, 0, 0);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.side, SIDE_SELL);
    harness_close(&h);
}

/* The gate switched off, for tests: nothing is cut, and the venue hears of it. */
Test(funds, without_the_gate_nothing_is_cut)
{
    spot("100", "1");
    h.engine->gates_off = UINT32_C(1) << GATE_FUNDS;
    harness_book(&h, 0, EVENT_snapshot, 100, 50, 101, 50);
    expect_places(10, 10, 10, 10);
    harness_close(&h);
}

/* What an order that only the venue knows leaves of 1,000 quote to a buy of the first instrument. */
static bool leaves(const struct orphan *orphan, money *left)
{
    h.engine->orphans.list[0] = *orphan;
    h.engine->orphans.count = 1;
    bool known = ledger_left(h.engine, 0, SIDE_BUY, false, left);
    h.engine->orphans.count = 0;
    return known;
}

/* Only one that was judged to be there, on a spot market, of the same venue, takes of what we pay with. */
Test(funds, another_venue_and_a_contract_take_nothing)
{
    struct orphan orphan = {
        .side = SIDE_BUY, .judged = true, .priced = true, .price = 98, .leaves = 2};
    money left;
    harness_init(&h);
    h.instrument_count = 3;
    for (unsigned i = 0; i < 3; i++) {
        h.definitions[i].contract = i == 2 ? CONTRACT_LINEAR : CONTRACT_SPOT;
        h.definitions[i].price_exponent = h.definitions[i].quantity_exponent = 0;
        h.definitions[i].tick = 1;
        h.settings[i].quote_enabled = false;
    }
    h.definitions[1].venue = 1;
    harness_start(&h);
    balance(ASSET_QUOTE, "1000");
    for (unsigned i = 0; i < 3; i++) {
        orphan.instrument = (uint16_t)i;
        cr_assert(leaves(&orphan, &left));
        cr_expect_eq(money_compare(left, amount(i == 0 ? "804" : "1000")), 0, "%u", i);
    }
    orphan.instrument = 0;
    orphan.judged = false;
    cr_assert(leaves(&orphan, &left));
    cr_expect_eq(money_compare(left, amount("1000")), 0);
    /* What our own order at one venue holds is no part of the other's sums. */
    orders_take_place(h.engine,
                      &(struct event_place){
                          .order = 1, .price = {98, NUMBER_VALUE}, .quantity = {2, NUMBER_VALUE}},
                      h.now);
    cr_expect(audit_own_sums(h.engine, 0));
    cr_expect(audit_own_sums(h.engine, 1));
    struct order_side *side = &h.engine->instruments[0].sides[SIDE_BUY];
    const struct order_side one = *side;
    *side = (struct order_side){.first = ENGINE_NO_SLOT, .last = ENGINE_NO_SLOT};
    cr_expect_not(
        audit_own_sums(h.engine, 0)); /* an order that holds something stands on no side */
    *side = one;
    cr_expect_eq(money_compare(ledger_balance(h.engine, 0, ASSET_QUOTE)->reserved, amount("196")),
                 0);
    harness_close(&h);
}

/* One at 2^60 for 100 takes 1.15e20, which is an amount; no amount is twice that. */
Test(funds, what_two_of_them_take_may_be_no_amount)
{
    const struct orphan orphan = {
        .side = SIDE_BUY, .judged = true, .priced = true, .price = ENGINE_PRICE_MAX, .leaves = 100};
    money left;
    spot("1000", "0");
    cr_expect(leaves(&orphan, &left));
    cr_expect_lt(left.atto, 0);
    h.engine->orphans.list[0] = h.engine->orphans.list[1] = orphan;
    h.engine->orphans.count = 2;
    cr_expect_not(ledger_left(h.engine, 0, SIDE_BUY, false, &left));
    h.engine->orphans.count = 0;
    harness_close(&h);
}
