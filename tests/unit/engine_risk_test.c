/* Risk: the figures of trading-semantics 16 to 20, and the other gates. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

static void books(void)
{
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
}

static struct candidate order(enum side side, int64_t price, int64_t quantity)
{
    return (struct candidate){
        .want = WANT_PLACE, .side = (uint8_t)side, .price = price, .quantity = quantity};
}

static uint32_t gate_of(enum side side, int64_t price, int64_t quantity)
{
    struct candidate candidate = order(side, price, quantity);
    h.engine->instruments[0].reference4 =
        market_reference4(&h.engine->instruments[0].market, h.engine->now);
    return risk_order_gates(h.engine, &candidate, NULL);
}

#define EXPECT_GATE(mask, gate) cr_expect_eq(mask, UINT32_C(1) << (gate), "gates %x", mask)

/* A live order in a state of its own. */
static void rest(order_id id, enum side side, int64_t price, int64_t quantity,
                 enum order_state state)
{
    struct event_place place = {.order = id,
                                .side = (uint8_t)side,
                                .price = {price, NUMBER_VALUE},
                                .quantity = {quantity, NUMBER_VALUE}};
    orders_take_place(h.engine, &place, h.now);
    if (state != ORDER_PENDING_NEW)
        harness_accept(&h, id);
    if (state == ORDER_PENDING_CANCEL) {
        struct event_cancel cancel = {.order = id};
        orders_take_cancel(h.engine, &cancel, h.now);
    }
    if (state == ORDER_UNKNOWN) {
        union event_record record = {.order_unknown = {.order = id, .request = REQUEST_PLACE}};
        harness_record(&h, EVENT_order_unknown, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    }
    cr_assert_eq(harness_order(&h, id)->state, state);
}

static void quiet(int64_t limit)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    h.settings[0].risk_position_limit = LOTS(limit);
    books();
}

Test(risk, rule_16_every_order_that_may_fill_counts)
{
    quiet(10);
    harness_position(&h, 0, SIDE_BUY, 1000, 3);
    rest(1, SIDE_BUY, 990, 2, ORDER_ACTIVE);
    rest(2, SIDE_BUY, 985, 4, ORDER_UNKNOWN);
    rest(3, SIDE_BUY, 980, 1, ORDER_PENDING_CANCEL);
    EXPECT_GATE(gate_of(SIDE_BUY, 975, 1), GATE_EXPOSURE);
    cr_expect_eq(gate_of(SIDE_SELL, 1010, 13), 0);
    EXPECT_GATE(gate_of(SIDE_SELL, 1010, 14), GATE_EXPOSURE);
    harness_close(&h);
}

Test(risk, rule_16_short_position)
{
    quiet(1000);
    harness_position(&h, 0, SIDE_SELL, 1000, 900);
    cr_expect_eq(gate_of(SIDE_SELL, 1010, 100), 0);
    EXPECT_GATE(gate_of(SIDE_SELL, 1010, 101), GATE_EXPOSURE);
    cr_expect_eq(gate_of(SIDE_BUY, 990, 1900), 0);
    EXPECT_GATE(gate_of(SIDE_BUY, 990, 1901), GATE_EXPOSURE);
    harness_close(&h);
}

Test(risk, rule_16_an_edit_counts_the_larger)
{
    quiet(10);
    rest(1, SIDE_BUY, 990, 8, ORDER_ACTIVE);
    struct event_modify modify = {
        .order = 1, .side = SIDE_BUY, .price = {990, NUMBER_VALUE}, .leaves = {3, NUMBER_VALUE}};
    orders_take_modify(h.engine, &modify, 0);
    EXPECT_GATE(gate_of(SIDE_BUY, 985, 3), GATE_EXPOSURE);
    cr_expect_eq(gate_of(SIDE_BUY, 985, 2), 0);
    union event_record record = {
        .order_modified = {.order = 1, .price = {990, NUMBER_VALUE}, .leaves = {3, NUMBER_VALUE}}};
    harness_record(&h, EVENT_order_modified, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    cr_expect_eq(gate_of(SIDE_BUY, 985, 7), 0);
    harness_close(&h);
}

static void tell_status(order_id id, int64_t leaves)
{
    union event_record record = {.order_status = {.order = id,
                                                  .price = {990, NUMBER_VALUE},
                                                  .leaves = {leaves, NUMBER_VALUE}}};
    harness_record(&h, EVENT_order_status, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

/* A venue may tell that an order rests with any number of lots: sixteen of the largest are more than 64 bits
 * hold, and the side stays shut all the same. */
Test(risk, rule_16_a_sum_of_the_largest_leaves_does_not_wrap)
{
    quiet(10);
    for (order_id id = 1; id <= 16; id++) {
        rest(id, SIDE_BUY, 990, 1, ORDER_UNKNOWN);
        tell_status(id, ENGINE_QUANTITY_MAX);
        EXPECT_GATE(gate_of(SIDE_BUY, 985, 1), GATE_EXPOSURE);
        cr_assert(h.engine->instruments[0].sides[SIDE_BUY].leaves ==
                  (int128)id * ENGINE_QUANTITY_MAX);
    }
    cr_expect_eq(risk_side_leaves(h.engine, 0, SIDE_BUY), INT64_MAX);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 0);
    harness_close(&h);
}

/* Beyond that it is no number of lots: removed and told, and what was known of the order stays. */
Test(risk, rule_16_leaves_beyond_belief_are_no_number)
{
    quiet(10);
    rest(1, SIDE_BUY, 990, 4, ORDER_UNKNOWN);
    tell_status(1, ENGINE_QUANTITY_MAX + 1);
    cr_assert_eq(harness_count(&h, EVENT_removed), 1);
    cr_expect_eq(harness_find(&h, EVENT_removed, 0)->removed.order, 1);
    cr_expect_eq(harness_order(&h, 1)->leaves, 4);
    cr_expect_eq(gate_of(SIDE_BUY, 985, 6), 0);
    EXPECT_GATE(gate_of(SIDE_BUY, 985, 7), GATE_EXPOSURE);
    harness_close(&h);
}

/* Rule 27: a replace in two steps, the old order fills 6 while its cancel travels. */
Test(risk, rule_27_a_replace_in_two_steps_counts_old_and_new)
{
    quiet(20);
    rest(1, SIDE_BUY, 990, 10, ORDER_PENDING_CANCEL);
    EXPECT_GATE(gate_of(SIDE_BUY, 985, 11), GATE_EXPOSURE);
    cr_expect_eq(gate_of(SIDE_BUY, 985, 10), 0);
    rest(2, SIDE_BUY, 985, 10, ORDER_ACTIVE);
    cr_expect_eq(h.engine->instruments[0].sides[SIDE_BUY].leaves, 20);
    EXPECT_GATE(gate_of(SIDE_BUY, 980, 1), GATE_EXPOSURE);
    harness_fill(&h, 1, SIDE_BUY, 990, 6, 4);
    EXPECT_GATE(gate_of(SIDE_BUY, 980, 1), GATE_EXPOSURE);
    harness_cancelled(&h, 1, 4);
    harness_fill(&h, 2, SIDE_BUY, 985, 10, 0);
    cr_expect_eq(h.engine->instruments[0].position.units, 16);
    cr_expect_eq(gate_of(SIDE_BUY, 980, 4), 0);
    EXPECT_GATE(gate_of(SIDE_BUY, 980, 5), GATE_EXPOSURE);
    harness_close(&h);
}

static void balance(uint16_t asset, const char *total)
{
    union event_record record = {.balance = {.venue = 0, .asset = asset}};
    cr_assert_eq(money_from_text(total, strlen(total), &record.balance.total), NUMBER_VALUE);
    harness_record(&h, EVENT_balance, EVENT_NONE_16, &record);
}

Test(risk, rule_17_a_cancel_frees_funds_when_confirmed)
{
    harness_init(&h);
    struct event_definition *spot = &h.definitions[0];
    spot->contract = CONTRACT_SPOT;
    spot->price_exponent = 0;
    spot->tick = 1;
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 60200, 5, 60300, 5);
    balance(ASSET_QUOTE, "1000");
    rest(1, SIDE_BUY, 60000, 10, ORDER_PENDING_CANCEL);
    EXPECT_GATE(gate_of(SIDE_BUY, 60100, 10), GATE_FUNDS);
    EXPECT_GATE(gate_of(SIDE_SELL, 60400, 1), GATE_FUNDS);
    harness_cancelled(&h, 1, 10);
    cr_expect_eq(gate_of(SIDE_BUY, 60100, 10), 0);
    cr_expect_eq(ledger_balance(h.engine, 0, ASSET_QUOTE)->reserved.atto, 0);
    harness_close(&h);
}

Test(risk, rule_17_fee_is_part_of_the_need)
{
    harness_init(&h);
    struct event_definition *spot = &h.definitions[0];
    spot->contract = CONTRACT_SPOT;
    spot->price_exponent = 0;
    spot->tick = 1;
    spot->maker_fee = 1000000;
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 60200, 5, 60300, 5);
    balance(ASSET_QUOTE, "600.6");
    cr_expect_eq(gate_of(SIDE_BUY, 60000, 10), 0);
    balance(ASSET_QUOTE, "600.599999999999999999");
    EXPECT_GATE(gate_of(SIDE_BUY, 60000, 10), GATE_FUNDS);
    harness_close(&h);
}

Test(risk, rule_18_size_near_the_limit)
{
    struct limits limits = {.position_limit = 10, .size_band = 5, .quote = {.lot = 1}};
    cr_expect_eq(risk_scaled_size(&limits, 8, SIDE_BUY, 10), 4);
    cr_expect_eq(risk_scaled_size(&limits, 8, SIDE_SELL, 10), 10);
    cr_expect_eq(risk_scaled_size(&limits, 10, SIDE_BUY, 10), 0);
    cr_expect_eq(risk_scaled_size(&limits, -8, SIDE_SELL, 10), 4);
    cr_expect_eq(risk_scaled_size(&limits, 0, SIDE_SELL, 10), 10);
    limits.quote.lot = 3;
    cr_expect_eq(risk_scaled_size(&limits, 8, SIDE_BUY, 10), 3);
}

/* Decisions of the last step that tell an edge of that gate. */
static size_t edges(enum gate gate, bool blocking)
{
    size_t count = 0;
    for (size_t n = 0; n < harness_count(&h, EVENT_gate); n++) {
        const struct event_gate *edge = &harness_find(&h, EVENT_gate, n)->gate;
        count += edge->gate == gate && edge->blocking == blocking;
    }
    return count;
}

Test(risk, rule_18_in_the_cycle)
{
    harness_init(&h);
    h.settings[0].risk_position_limit = LOTS(10);
    h.settings[0].risk_size_band = LOTS(5);
    harness_start(&h);
    harness_position(&h, 0, SIDE_BUY, 1000, 8);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    /* buy 10 x 0.4 is more than exposure leaves: 8 + 4 > 10 */
    cr_expect_eq(harness_count(&h, EVENT_place), 1);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.side, SIDE_SELL);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.quantity.units, 10);
    cr_expect_eq(edges(GATE_EXPOSURE, true), 1);
    harness_close(&h);
}

/* --- 19 -------------------------------------------------------------------------------------------- */

static void open_interest(int64_t value, struct number cap)
{
    union event_record record = {
        .open_interest = {.instrument = 0, .open_interest = {value, NUMBER_VALUE}, .cap = cap}};
    harness_record(&h, EVENT_open_interest, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
}

static const struct number no_cap = {0, NUMBER_ABSENT};

static bool capped(void)
{
    return risk_open_interest_capped(&h.engine->instruments[0], h.now);
}

Test(risk, rule_19_only_the_part_that_adds_is_blocked)
{
    quiet(1000);
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    rest(1, SIDE_SELL, 1010, 3, ORDER_ACTIVE);
    cr_expect_eq(gate_of(SIDE_SELL, 1010, 3), 0);
    open_interest(1000, (struct number){1000, NUMBER_VALUE});
    const struct limits *limits = &h.engine->instruments[0].limits;
    cr_expect_eq(risk_reducing_size(limits, 5, SIDE_SELL, 3, 3), 2);
    cr_expect_eq(risk_reducing_size(limits, 5, SIDE_BUY, 0, 3), 0);
    cr_expect_eq(risk_reducing_size(limits, 0, SIDE_SELL, 0, 3), 0);
    cr_expect_eq(risk_reducing_size(limits, -5, SIDE_BUY, 3, 3), 2);
    EXPECT_GATE(gate_of(SIDE_SELL, 1010, 3), GATE_OPEN_INTEREST);
    cr_expect_eq(gate_of(SIDE_SELL, 1010, 2), 0);
    EXPECT_GATE(gate_of(SIDE_BUY, 990, 1), GATE_OPEN_INTEREST);
    harness_close(&h);
}

Test(risk, rule_19_an_order_that_only_the_venue_knows_of_counts_as_resting)
{
    quiet(1000);
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    open_interest(1000, (struct number){1000, NUMBER_VALUE});
    cr_expect_eq(gate_of(SIDE_SELL, 1010, 3), 0);
    h.engine->instruments[0].sync.orphan_leaves[SIDE_SELL] = 3;
    EXPECT_GATE(gate_of(SIDE_SELL, 1010, 3), GATE_OPEN_INTEREST);
    cr_expect_eq(gate_of(SIDE_SELL, 1010, 2), 0);
    h.engine->instruments[0].sync.orphan_leaves[SIDE_SELL] = INT64_MAX;
    EXPECT_GATE(gate_of(SIDE_SELL, 1010, 1), GATE_EXPOSURE);
    cr_expect_eq(risk_side_leaves(h.engine, 0, SIDE_SELL), INT64_MAX);
    const struct limits *limits = &h.engine->instruments[0].limits;
    cr_expect_eq(risk_reducing_size(limits, -5, SIDE_SELL, INT64_MAX, 1), 0);
    h.engine->instruments[0].sync.orphan_leaves[SIDE_SELL] = 0;
    harness_close(&h);
}

Test(risk, rule_19_in_the_cycle)
{
    harness_init(&h);
    h.settings[0].quote_size = LOTS(3);
    h.settings[0].quote_levels = 2;
    h.settings[0].reconcile_size = 0;
    harness_start(&h);
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    open_interest(1000, (struct number){0, NUMBER_VALUE}); /* the venue's word: no more */
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    for (size_t n = 0; n < 2; n++) {
        cr_expect_eq(harness_find(&h, EVENT_place, n)->place.side, SIDE_SELL);
        cr_expect_eq(harness_find(&h, EVENT_place, n)->place.quantity.units, n == 0 ? 3 : 2);
    }
    cr_expect_eq(edges(GATE_OPEN_INTEREST, true), 1);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    /* Prices move by more than the tolerance: the old orders may still fill, so nothing new fits. */
    harness_book(&h, 0, EVENT_top, 1040, 50, 1045, 40);
    cr_expect_eq(harness_count(&h, EVENT_cancel), 2);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    harness_cancelled(&h, 2, 2);
    cr_assert_eq(harness_count(&h, EVENT_place), 1);
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.quantity.units, 2);
    harness_close(&h);
}

Test(risk, rule_19_when_the_cap_is_on)
{
    quiet(1000);
    h.now = SECONDS(1);
    cr_expect_not(capped()); /* no reading, none promised */
    harness_position(&h, 0, SIDE_SELL, 1000, 50);
    open_interest(1000, no_cap);
    cr_expect_not(capped()); /* 5 % is not more than 5 % */
    open_interest(999, no_cap);
    cr_expect(capped());
    open_interest(5000, (struct number){5001, NUMBER_VALUE});
    cr_expect_not(capped());
    open_interest(5001, (struct number){5001, NUMBER_VALUE});
    cr_expect(capped());
    open_interest(5000, no_cap);
    h.now = SECONDS(61) - 1;
    cr_expect_not(capped());
    h.now = SECONDS(61);
    cr_expect(capped()); /* no reading for 60 s */
    open_interest(5000, (struct number){0, NUMBER_NAN});
    cr_expect(capped()); /* a reading that can't be used is none */
    cr_expect_eq(harness_find(&h, EVENT_removed, 0)->removed.quantity.status, NUMBER_NAN);
    open_interest(5000, no_cap);
    cr_expect_not(capped());
    harness_close(&h);
}

Test(risk, rule_19_where_the_venue_is_said_to_tell_it)
{
    harness_init(&h);
    h.settings[0].risk_open_interest = true;
    h.settings[0].quote_enabled = false;
    books();
    EXPECT_GATE(gate_of(SIDE_BUY, 990, 1), GATE_OPEN_INTEREST);
    open_interest(5000, no_cap);
    cr_expect_eq(gate_of(SIDE_BUY, 990, 1), 0);
    h.engine->instruments[0].definition.contract = CONTRACT_SPOT;
    open_interest(0, (struct number){0, NUMBER_VALUE});
    cr_expect_not(capped()); /* spot has none */
    h.engine->instruments[0].definition.contract = CONTRACT_LINEAR;
    harness_close(&h);
}

/* --- 20 -------------------------------------------------------------------------------------------- */

static void collar_book(void)
{
    harness_init(&h);
    h.definitions[0].price_exponent = 0;
    h.definitions[0].tick = 1;
    h.settings[0].quote_enabled = false;
    h.settings[0].risk_collar = 5000000;
    h.settings[0].risk_far_collar = 100000000;
    harness_start(&h);
}

Test(risk, rule_20_collar)
{
    collar_book();
    struct instrument *instrument = &h.engine->instruments[0];
    instrument->reference4 = 4 * 60000;
    cr_expect(risk_price_in_collar(instrument, SIDE_BUY, 60300, true));
    cr_expect_not(risk_price_in_collar(instrument, SIDE_BUY, 60301, true));
    cr_expect(risk_price_in_collar(instrument, SIDE_SELL, 59700, true));
    cr_expect_not(risk_price_in_collar(instrument, SIDE_SELL, 59699, true));
    cr_expect(risk_price_in_collar(instrument, SIDE_BUY, 54000, true));
    cr_expect_not(risk_price_in_collar(instrument, SIDE_BUY, 53999, true));
    cr_expect(risk_price_in_collar(instrument, SIDE_SELL, 66000, true));
    cr_expect_not(risk_price_in_collar(instrument, SIDE_SELL, 66001, true));
    cr_expect(risk_price_in_collar(instrument, SIDE_BUY, 1, false));
    instrument->reference4 = 0;
    cr_expect_not(risk_price_in_collar(instrument, SIDE_BUY, 60000, true));
    harness_close(&h);
}

Test(risk, rule_20_reference)
{
    collar_book();
    struct market *market = &h.engine->instruments[0].market;
    cr_expect_eq(market_reference4(market, 0), 0);
    h.now = SECONDS(1);
    harness_book(&h, 0, EVENT_snapshot, 59990, 5, 60010, 5);
    cr_expect_eq(market_reference4(market, h.now), 4 * 60000); /* mid alone */
    harness_trade(&h, 0, SIDE_BUY, 60100, 1);
    cr_expect_eq(market_reference4(market, h.now), 4 * 60050); /* mean of two */
    h.now = SECONDS(2);
    harness_book(&h, 0, EVENT_depth, 59990, 0, 60010, 0);
    harness_book(&h, 0, EVENT_depth, 60190, 5, 60210, 5);
    /* mid 60200, a second ago 60000, trade 60100 */
    cr_expect_eq(market_reference4(market, h.now), 4 * 60100);
    h.now = SECONDS(11) + 1;
    harness_book(&h, 0, EVENT_depth, 60190, 6, 0, 0);
    /* the trade is too old; mid and the mid one second ago are the same */
    cr_expect_eq(market_reference4(market, h.now), 4 * 60200);
    union event_record record = {.mark = {.instrument = 0, .price = {60500, NUMBER_VALUE}}};
    harness_record(&h, EVENT_mark, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
    cr_expect_eq(market_reference4(market, h.now), 4 * 60500);
    cr_expect_eq(market_reference4(market, h.now + SECONDS(5)), 4 * 60200);
    harness_close(&h);
}

Test(risk, rule_20_without_a_usable_number_nothing_leaves)
{
    static const enum number_status statuses[] = {NUMBER_NAN, NUMBER_INFINITE, NUMBER_OVERFLOW,
                                                  NUMBER_OFF_GRID, NUMBER_ABSENT};
    collar_book();
    struct market *market = &h.engine->instruments[0].market;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        union event_record record = {
            .mark = {.instrument = 0, .price = {60000, (uint8_t)statuses[i]}}};
        harness_record(&h, EVENT_mark, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
        cr_expect_eq(market_reference4(market, h.now), 0);
        EXPECT_GATE(gate_of(SIDE_BUY, 60000, 1), GATE_COLLAR);
        EXPECT_GATE(gate_of(SIDE_SELL, 60000, 1), GATE_COLLAR);
    }
    harness_close(&h);
}

Test(risk, gates_of_one_order)
{
    quiet(1000);
    EXPECT_GATE(gate_of(SIDE_BUY, 0, 1), GATE_NUMBER);
    EXPECT_GATE(gate_of(SIDE_BUY, 995, 0), GATE_NUMBER);
    EXPECT_GATE(gate_of(SIDE_BUY, 994, 1), GATE_GRID);
    EXPECT_GATE(gate_of(SIDE_BUY, 2000, 1), GATE_COLLAR);
    EXPECT_GATE(gate_of(SIDE_BUY, 1005, 1), GATE_POST_ONLY);
    EXPECT_GATE(gate_of(SIDE_SELL, 1000, 1), GATE_POST_ONLY);
    rest(1, SIDE_SELL, 1005, 1, ORDER_PENDING_CANCEL);
    EXPECT_GATE(gate_of(SIDE_BUY, 1005, 1), GATE_OWN_CROSS);
    cr_expect_eq(gate_of(SIDE_BUY, 1000, 1), 0);
    harness_close(&h);
}

Test(risk, minimum_notional)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    money_from_units(1, 0, &h.definitions[0].minimum_notional);
    books();
    /* 100.0 x 0.010 = 1.00 */
    cr_expect_eq(gate_of(SIDE_BUY, 1000, 10), 0);
    EXPECT_GATE(gate_of(SIDE_BUY, 995, 10), GATE_MINIMUM_NOTIONAL);
    harness_close(&h);
}

Test(risk, order_count_and_table)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    h.settings[0].risk_orders_per_side = 2;
    h.global.orders_capacity = 64;
    books();
    rest(1, SIDE_BUY, 990, 1, ORDER_ACTIVE);
    rest(2, SIDE_BUY, 985, 1, ORDER_PENDING_NEW);
    EXPECT_GATE(gate_of(SIDE_BUY, 980, 1), GATE_ORDER_COUNT);
    cr_expect_eq(gate_of(SIDE_SELL, 1010, 1), 0);
    h.engine->orders.capacity = 2;
    EXPECT_GATE(gate_of(SIDE_SELL, 1010, 1), GATE_TABLE_FULL);
    uint64_t needed;
    cr_expect_str_eq(engine_full_setting(h.engine, &needed), "orders.capacity");
    cr_expect_eq(needed, 3);
    harness_close(&h);
}

Test(risk, rate_keeps_a_reserve_for_cancels)
{
    struct rate rate = {.cap = 10, .reserve = 2};
    for (int i = 0; i < 8; i++) {
        cr_assert(rate_allows(&rate, SECONDS(5), false));
        rate_count(&rate, SECONDS(5));
    }
    cr_expect_not(rate_allows(&rate, SECONDS(5), false));
    cr_expect(rate_allows(&rate, SECONDS(5), true));
    rate_count(&rate, SECONDS(5));
    rate_count(&rate, SECONDS(5));
    cr_expect_not(rate_allows(&rate, SECONDS(5), true));
    cr_expect_not(rate_allows(&rate, SECONDS(6) - 1, true));
    cr_expect(rate_allows(&rate, SECONDS(6) + MILLISECONDS(35), true));
    cr_expect_eq(rate.sum, 0);
}

/* No second holds more than the cap, wherever it begins. */
Test(risk, rate_in_any_second)
{
    struct rate rate = {.cap = 7, .reserve = 0};
    int64_t sent[4096];
    size_t count = 0;
    for (int64_t now = SECONDS(100); now < SECONDS(110); now += MILLISECONDS(3)) {
        if (!rate_allows(&rate, now, false))
            continue;
        rate_count(&rate, now);
        sent[count++] = now;
    }
    cr_assert_gt(count, 60);
    for (size_t i = 7; i < count; i++)
        cr_assert_gt(sent[i] - sent[i - 7], SECONDS(1));
}

Test(risk, gate_edges_are_told_once)
{
    harness_init(&h);
    h.settings[0].risk_position_limit = LOTS(10);
    harness_start(&h);
    harness_position(&h, 0, SIDE_BUY, 1000, 10);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_expect_eq(edges(GATE_EXPOSURE, true), 1);
    harness_tick(&h, MILLISECONDS(100));
    cr_expect_eq(harness_count(&h, EVENT_gate), 0);
    harness_position(&h, 0, SIDE_SELL, 1000, 10);
    cr_assert_eq(harness_count(&h, EVENT_gate), 1);
    cr_expect_eq(harness_find(&h, EVENT_gate, 0)->gate.blocking, 0);
    cr_expect_eq(harness_find(&h, EVENT_gate, 0)->gate.blocked, 2);
    cr_expect_eq(engine_counters(h.engine)->gate_blocked[GATE_EXPOSURE], 2);
    harness_close(&h);
}

Test(risk, a_place_carries_its_gates)
{
    harness_init(&h);
    books();
    uint32_t gates = harness_find(&h, EVENT_place, 0)->place.gates;
    cr_expect(gates & 1u << GATE_COLLAR);
    cr_expect(gates & 1u << GATE_RATE);
    cr_expect_eq(gates, risk_gates_asked());
    cr_expect_eq(harness_find(&h, EVENT_place, 0)->place.cause, 4);
    harness_close(&h);
}

Test(risk, nothing_before_the_account_is_known)
{
    harness_init(&h);
    harness_start(&h);
    h.engine->venues[0].reconciled = false;
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    cr_expect_eq(harness_blocking(&h), 1u << GATE_UNRECONCILED);
    harness_close(&h);
}

Test(risk, not_trading)
{
    harness_init(&h);
    harness_start(&h);
    union event_record record = {.instrument_status = {.instrument = 0, .trading = TRADING_HALTED}};
    harness_record(&h, EVENT_instrument_status, EVENT_STREAM(0, CHANNEL_REFERENCE), &record);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_expect_eq(harness_count(&h, EVENT_place), 0);
    cr_expect(harness_blocking(&h) & 1u << GATE_NOT_TRADING);
    harness_close(&h);
}
