/* An operator takes a position as the engine's own: what it comes to, and each reason why not. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/time.h"
#include "engine/walker.h"
#include "engine_harness.h"

static struct harness h;

static const struct position *position(void)
{
    return &h.engine->instruments[0].position;
}

static money amount(int64_t units, int exponent)
{
    money out;
    cr_assert(money_from_units(units, exponent, &out));
    return out;
}

static void give(enum event_kind kind, const union event_record *record)
{
    bool of_instrument = kind != EVENT_snapshot_end && kind != EVENT_balance;
    harness_record(&h, kind, of_instrument ? EVENT_STREAM(0, CHANNEL_SESSION) : EVENT_NONE_16,
                   record);
}

static void shows(int64_t units)
{
    give(EVENT_venue_position,
         &(union event_record){.venue_position = {.position = {units, NUMBER_VALUE}}});
}

static void enters(int64_t price)
{
    give(EVENT_venue_entry, &(union event_record){.venue_entry = {.price = {price, NUMBER_VALUE}}});
}

static void ends(int64_t taken)
{
    give(EVENT_snapshot_end, &(union event_record){.snapshot_end = {.taken = taken}});
}

static void at(int64_t now)
{
    harness_run_to(&h, now);
}

/* Two accounts that show `units`: drift, if that is not ours. The market is 100.0 / 100.5 all the while. */
static void drifts(int64_t units)
{
    at(h.now + SECONDS(10));
    shows(units);
    ends(h.now);
    at(h.now + SECONDS(10));
    shows(units);
    ends(h.now);
    harness_book(&h, 0, EVENT_depth, 1000, 50, 1005, 40);
    cr_assert(alarm_is_raised(h.engine, 0, 0, ALARM_DRIFT));
}

static void opens(enum contract contract)
{
    harness_init(&h);
    h.definitions[0].contract = (uint8_t)contract;
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
}

static const struct number absent = {0, NUMBER_ABSENT};

static enum adoption adopt(struct number quantity, struct number price)
{
    give(EVENT_adopt, &(union event_record){.adopt = {.position = quantity, .price = price}});
    const union event_record *found = harness_find(&h, EVENT_adopted, 0);
    cr_assert_neq(found, NULL);
    cr_assert_eq(harness_count(&h, EVENT_adopted), 1);
    return found->adopted.result;
}

static struct number value(int64_t units)
{
    return (struct number){units, NUMBER_VALUE};
}

#define expect_money(a, b) cr_expect_eq(money_compare((a), (b)), 0)

/* A session folded from this one's tape has the same carry: the record says nothing there, the decision all. */
static void expect_folded(const struct engine *engine, struct engine *other)
{
    struct walker_hash ours, theirs;
    walker_hash_init(&ours);
    walker_hash_init(&theirs);
    engine_walk_carry(engine, &ours.walker);
    engine_walk_carry(other, &theirs.walker);
    cr_expect_eq(ours.hash, theirs.hash);
}

/* --- what is taken ----------------------------------------------------------------------------------- */

Test(adopt, the_venues_position_at_its_average_price)
{
    opens(CONTRACT_LINEAR);
    cr_expect_not(sync_has_compared(h.engine, 0)); /* no account told of it */
    at(SECONDS(10));
    shows(5);
    enters(900);
    ends(h.now);
    at(SECONDS(20));
    shows(5);
    enters(900);
    ends(h.now);
    harness_book(&h, 0, EVENT_depth, 1000, 50, 1005, 40);
    cr_expect_eq(adopt(absent, absent), ADOPTION_TAKEN);
    const struct event_adopted *told = &harness_find(&h, EVENT_adopted, 0)->adopted;
    expect_money(told->change, amount(5, -3));
    expect_money(told->position, amount(5, -3));
    cr_expect_eq(told->price.units, 900);
    cr_expect_not(told->apart);
    cr_expect_eq(position()->units, 5);
    expect_money(position()->cost, amount(45, -2)); /* 0.005 x 90.0 */
    expect_money(position()->realised, MONEY_ZERO);
    cr_expect_eq(position()->fills, 0);
    struct engine_position now;
    engine_position(h.engine, 0, &now);
    expect_money(now.unrealised, amount(5125, -5)); /* 0.005 x (100.25 - 90.0) */
    expect_money(now.at_venue, amount(5, -3));
    cr_expect(now.funding_unknown);
    cr_expect_not(alarm_is_raised(h.engine, 0, 0, ALARM_DRIFT));
    /* From here on the figure is compared as ever. */
    at(SECONDS(30));
    shows(5);
    ends(h.now);
    cr_expect_eq(h.engine->instruments[0].sync.differing, 0);
    harness_close(&h);
}

Test(adopt, without_an_average_price_the_mark)
{
    opens(CONTRACT_LINEAR);
    drifts(-5);
    cr_expect_eq(adopt(value(-5), absent), ADOPTION_TAKEN);
    cr_expect_eq(position()->units, -5);
    cr_expect_eq(harness_find(&h, EVENT_adopted, 0)->adopted.price.units, 1002); /* 100.25 */
    harness_close(&h);
}

/* An average price of an account before the one that was compared is none. */
Test(adopt, an_old_or_unusable_average_price_is_none)
{
    opens(CONTRACT_LINEAR);
    enters(900);
    enters(0);
    give(EVENT_venue_entry, &(union event_record){.venue_entry = {.price = {7, NUMBER_NAN}}});
    union event_record other = {.venue_entry = {.instrument = 9, .price = {7, NUMBER_VALUE}}};
    give(EVENT_venue_entry, &other);
    cr_expect_eq(h.engine->instruments[0].sync.entry, 900);
    drifts(5);
    cr_expect_eq(adopt(absent, absent), ADOPTION_TAKEN);
    cr_expect_eq(harness_find(&h, EVENT_adopted, 0)->adopted.price.units, 1002);
    harness_close(&h);
}

/* We hold 2 at 100.0, the venue 5: three more come in at the mark, and the average price is not asked. */
Test(adopt, what_is_held_keeps_its_cost)
{
    opens(CONTRACT_LINEAR);
    harness_position(&h, 0, SIDE_BUY, 1000, 2);
    drifts(5);
    at(h.now + SECONDS(1));
    enters(900);
    shows(5);
    ends(h.now);
    cr_expect_eq(adopt(absent, absent), ADOPTION_TAKEN);
    expect_money(position()->cost, amount(5006, -4)); /* 0.002 x 100.0 + 0.003 x 100.2 */
    expect_money(position()->realised, MONEY_ZERO);
    cr_expect_eq(position()->adopted, 3);
    harness_close(&h);
}

/* We hold 5 at 90.0, the venue is 2 short: 5 are closed and 2 opened at 95.0. What that earned is in the balance
 * that the venue told already. */
Test(adopt, what_is_gone_was_closed_at_the_price)
{
    opens(CONTRACT_LINEAR);
    union event_record balance = {.balance = {.asset = ASSET_QUOTE, .total = amount(1000, 0)}};
    harness_position(&h, 0, SIDE_BUY, 900, 5);
    give(EVENT_balance, &balance);
    drifts(-2);
    cr_expect_eq(adopt(absent, value(950)), ADOPTION_TAKEN);
    cr_expect_eq(position()->units, -2);
    expect_money(position()->realised, amount(25, -3)); /* 0.005 x 5.0 */
    expect_money(position()->cost, amount(19, -2));     /* 0.002 x 95.0 */
    money total;
    cr_assert(engine_balance(h.engine, 0, ASSET_QUOTE, &total));
    expect_money(total, amount(1000, 0));
    expect_money(position()->value_adopted, amount(-665, -3));
    harness_close(&h);
}

Test(adopt, inverse_contracts)
{
    opens(CONTRACT_INVERSE);
    h.engine->instruments[0].definition.multiplier = 100;
    drifts(15000);
    cr_expect_eq(adopt(absent, value(1000)), ADOPTION_TAKEN);
    expect_money(position()->cost, amount(15, 0)); /* 15 contracts of 100 at 100.0 */
    harness_close(&h);
}

static void fills_at(int64_t ts_venue, int64_t quantity)
{
    union event_record record = {.order_filled = {.order = 900 + h.trade++,
                                                  .trade = {1, {(char)('a' + h.trade)}},
                                                  .side = SIDE_BUY,
                                                  .price = {950, NUMBER_VALUE},
                                                  .quantity = {quantity, NUMBER_VALUE},
                                                  .leaves = {0, NUMBER_VALUE},
                                                  .fee_asset = ASSET_QUOTE}};
    harness_give(&h, &(struct message){.ts_local = h.now,
                                       .ts_venue = ts_venue,
                                       .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                                       .kind = EVENT_order_filled,
                                       .flags = MESSAGE_VENUE_TIME,
                                       .record = &record});
}

/* A fill that the venue made until the figure that was taken is in it, whenever it is told; one after it is not. */
Test(adopt, a_fill_that_the_figure_has_counts_once)
{
    opens(CONTRACT_LINEAR);
    drifts(5);
    union event_record row = {.venue_position = {.position = {5, NUMBER_VALUE}}};
    h.now += SECONDS(1);
    harness_give(&h, &(struct message){.ts_local = h.now,
                                       .ts_venue = h.now - 7,
                                       .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                                       .kind = EVENT_venue_position,
                                       .flags = MESSAGE_VENUE_TIME,
                                       .record = &row});
    ends(h.now);
    cr_expect_eq(adopt(absent, value(900)), ADOPTION_TAKEN);
    cr_expect_eq(harness_find(&h, EVENT_adopted, 0)->adopted.as_of, h.now - 7);
    fills_at(h.now - 7, 2);
    cr_expect_eq(position()->units, 5);
    cr_expect_eq(position()->adopted, 3);
    cr_expect_eq(position()->fills, 1);
    /* Two were bought at 95.0 and not adopted at 90.0; what was worth 2 x 5.0 more stands between the two parts. */
    expect_money(money_subtract(position()->cost, position()->realised), amount(45, -2));
    fills_at(h.now - 6, 2);
    cr_expect_eq(position()->units, 7);
    harness_close(&h);
}

Test(adopt, a_figure_without_a_time_has_no_fill_told_later)
{
    opens(CONTRACT_LINEAR);
    drifts(5);
    cr_expect_eq(adopt(absent, value(900)), ADOPTION_TAKEN);
    cr_expect_eq(harness_find(&h, EVENT_adopted, 0)->adopted.as_of, 0);
    fills_at(1, 2);
    cr_expect_eq(position()->units, 7);
    harness_close(&h);
}

/* Sums that no fills come to: it is a violation, and nothing else. */
Test(adopt, sums_that_do_not_fit_are_a_violation)
{
    opens(CONTRACT_LINEAR);
    h.engine->instruments[0].position.adopted_as_of = 100;
    h.engine->instruments[0].position.adopted = -INT64_MAX;
    h.engine->audit_each = false;
    h.engine->audit_countdown = h.engine->audit_every = 1000;
    fills_at(100, 2);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 1);
    free(h.memory);
}

/* --- spot -------------------------------------------------------------------------------------------- */

static void balance_of(unsigned asset, money total)
{
    give(EVENT_balance,
         &(union event_record){.balance = {.asset = (uint16_t)asset, .total = total}});
}

Test(adopt, of_a_balance_what_is_named_is_the_position)
{
    opens(CONTRACT_SPOT);
    balance_of(ASSET_BASE, amount(6, -3));
    cr_expect_eq(adopt(value(7), value(900)), ADOPTION_FUNDS);
    cr_expect_eq(position()->units, 0);
    cr_expect_eq(adopt(value(6), value(900)), ADOPTION_TAKEN);
    cr_expect(harness_find(&h, EVENT_adopted, 0)->adopted.apart);
    expect_money(position()->cost, amount(54, -2));
    money total;
    cr_assert(engine_balance(h.engine, 0, ASSET_BASE, &total));
    expect_money(total, amount(6, -3)); /* no money moved */
    struct engine_position now;
    engine_position(h.engine, 0, &now);
    expect_money(now.position, amount(6, -3));
    expect_money(now.at_venue, MONEY_ZERO);
    /* The venue counts fills. */
    at(SECONDS(10));
    shows(0);
    ends(h.now);
    cr_expect_eq(h.engine->instruments[0].sync.differing, 0);
    /* The figure is the whole position, so said again it changes nothing. Taken back, it is sold at the mark. */
    harness_book(&h, 0, EVENT_depth, 1000, 50, 1005, 40);
    cr_expect_eq(adopt(value(6), value(900)), ADOPTION_NOTHING);
    cr_expect_eq(adopt(value(0), absent), ADOPTION_TAKEN);
    expect_money(position()->realised, amount(612, -4)); /* 0.006 x 10.2 */
    cr_expect_eq(position()->apart, 0);
    harness_close(&h);
}

Test(adopt, quantities_that_are_none)
{
    opens(CONTRACT_SPOT);
    balance_of(ASSET_BASE, amount(6, -3));
    cr_expect_eq(adopt(absent, absent), ADOPTION_QUANTITY);
    cr_expect_eq(adopt(value(-1), absent), ADOPTION_QUANTITY);
    cr_expect_eq(adopt((struct number){0, NUMBER_NAN}, absent), ADOPTION_QUANTITY);
    cr_expect_eq(adopt(value(INT64_MAX), absent), ADOPTION_RANGE);
    cr_expect_eq(adopt(value(INT64_MAX / position()->per_quantity), absent), ADOPTION_FUNDS);
    cr_expect_eq(position()->units, 0);
    harness_close(&h);
}

/* Two instruments of one base: together they can't have more than the account. One of another venue, of another
 * base and a contract don't count. */
Test(adopt, positions_of_one_asset_share_its_balance)
{
    harness_init(&h);
    h.instrument_count = 4;
    for (unsigned i = 0; i < 4; i++) {
        h.settings[i].quote_enabled = false;
        h.definitions[i].contract = i == 3 ? CONTRACT_LINEAR : CONTRACT_SPOT;
    }
    h.definitions[2].base = ASSET_OTHER;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_position(&h, 1, SIDE_BUY, 1000, 4);
    harness_position(&h, 2, SIDE_BUY, 1000, 1000);
    harness_position(&h, 3, SIDE_BUY, 1000, 1000);
    balance_of(ASSET_BASE, amount(10, -3));
    cr_expect_eq(adopt(value(7), absent), ADOPTION_FUNDS);
    cr_expect_eq(adopt(value(6), absent), ADOPTION_TAKEN);
    harness_close(&h);
    harness_init(&h);
    h.instrument_count = 2;
    h.definitions[0].contract = h.definitions[1].contract = CONTRACT_SPOT;
    h.definitions[1].venue = 1;
    h.settings[0].quote_enabled = h.settings[1].quote_enabled = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_position(&h, 1, SIDE_BUY, 1000, 4);
    balance_of(ASSET_BASE, amount(6, -3));
    cr_expect_eq(adopt(value(6), absent), ADOPTION_TAKEN);
    harness_close(&h);
}

/* A deposit that a venue's figure has: it is drift, and what the venue shows is taken, beside what was named. */
Test(adopt, drift_of_a_spot_account_is_the_venues)
{
    opens(CONTRACT_SPOT);
    balance_of(ASSET_BASE, amount(6, -3));
    cr_expect_eq(adopt(value(6), value(900)), ADOPTION_TAKEN);
    drifts(5);
    cr_expect_eq(adopt(value(4), absent), ADOPTION_DIFFERS);
    cr_expect_eq(adopt(value(5), absent), ADOPTION_TAKEN);
    cr_expect_eq(position()->units, 11 * position()->per_quantity);
    cr_expect_eq(position()->apart, 6 * position()->per_quantity);
    cr_expect_not(harness_find(&h, EVENT_adopted, 0)->adopted.apart);
    harness_close(&h);
}

/* --- why not ----------------------------------------------------------------------------------------- */

Test(adopt, not_while_the_account_is_not_known)
{
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    h.venues[0].safety_snapshot_limit = SECONDS(60);
    harness_make(&h);
    union event_record record = {.start = {.epoch = 0, .seed = 1}};
    harness_record(&h, EVENT_start, EVENT_NONE_16, &record);
    cr_expect_eq(adopt(absent, absent), ADOPTION_ACCOUNT);
    ends(0);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    drifts(5);
    at(h.now + SECONDS(60));
    cr_expect(alarm_is_raised(h.engine, EVENT_NONE_16, 0, ALARM_SNAPSHOT_OLD));
    cr_expect_eq(adopt(absent, absent), ADOPTION_ACCOUNT);
    shows(5);
    ends(h.now);
    harness_book(&h, 0, EVENT_depth, 1000, 50, 1005, 40);
    /* The rows of the next one have come, its end has not. */
    shows(9);
    cr_expect_eq(adopt(absent, absent), ADOPTION_ACCOUNT);
    ends(h.now); /* no newer than the last one: it is not compared */
    cr_expect_eq(adopt(absent, absent), ADOPTION_ACCOUNT);
    at(h.now + SECONDS(1));
    shows(9);
    ends(h.now);
    /* An account that tells no position. */
    at(h.now + SECONDS(1));
    ends(h.now);
    cr_expect_eq(adopt(absent, absent), ADOPTION_ACCOUNT);
    at(h.now + SECONDS(1));
    shows(9);
    ends(h.now);
    cr_expect_eq(adopt(absent, absent), ADOPTION_TAKEN);
    cr_expect_eq(position()->units, 9);
    harness_close(&h);
}

Test(adopt, not_after_a_fill_that_no_account_has)
{
    opens(CONTRACT_LINEAR);
    drifts(5);
    harness_position(&h, 0, SIDE_BUY, 1000, 1);
    cr_expect_eq(adopt(absent, absent), ADOPTION_FILL);
    at(h.now + SECONDS(2) - 1);
    cr_expect_eq(adopt(absent, absent), ADOPTION_FILL);
    at(h.now + 1);
    cr_expect_eq(adopt(absent, absent), ADOPTION_ACCOUNT); /* the newest is older than the fill */
    shows(6);
    ends(h.now);
    cr_expect_eq(adopt(absent, absent), ADOPTION_TAKEN);
    cr_expect_eq(position()->units, 6);
    harness_close(&h);
}

Test(adopt, not_while_orders_are_open)
{
    harness_init(&h);
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_assert_eq(harness_count(&h, EVENT_place), 2);
    cr_expect_eq(adopt(absent, absent), ADOPTION_ORDERS);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_command(&h, COMMAND_CANCEL_ALL);
    harness_cancelled(&h, 2, 10);
    cr_expect_eq(adopt(absent, absent), ADOPTION_ORDERS);
    harness_cancelled(&h, 1, 10);
    cr_expect_eq(adopt(absent, absent), ADOPTION_NOTHING);
    /* One that only the venue knows, on either side. */
    for (unsigned side = 0; side < 2; side++) {
        at(h.now + SECONDS(1));
        union event_record row = {.open_order = {.order = 77,
                                                 .side = (uint8_t)side,
                                                 .price = {900 + 200 * (int64_t)side, NUMBER_VALUE},
                                                 .leaves = {1, NUMBER_VALUE}}};
        give(EVENT_open_order, &row);
        ends(h.now);
        cr_expect_eq(adopt(absent, absent), ADOPTION_ORDERS);
        at(h.now + SECONDS(1));
        ends(h.now);
    }
    cr_expect_eq(adopt(absent, absent), ADOPTION_NOTHING);
    harness_close(&h);
}

Test(adopt, not_in_a_shutdown_and_not_of_nothing)
{
    opens(CONTRACT_LINEAR);
    cr_expect_eq(adopt(value(5), absent), ADOPTION_NOTHING); /* no drift stands */
    give(EVENT_adopt, &(union event_record){.adopt = {.instrument = 9, .position = absent}});
    cr_expect_eq(h.count, 0);
    drifts(5);
    give(EVENT_shutdown, &(union event_record){.shutdown = {.signal = 15}});
    cr_expect_eq(adopt(absent, absent), ADOPTION_SHUTDOWN);
    harness_close(&h);
}

Test(adopt, not_without_a_fresh_mark_or_at_a_price_that_is_none)
{
    opens(CONTRACT_LINEAR);
    drifts(5);
    cr_expect_eq(adopt(absent, value(0)), ADOPTION_PRICE);
    cr_expect_eq(adopt(absent, value(-1)), ADOPTION_PRICE);
    cr_expect_eq(adopt(absent, value(ENGINE_PRICE_MAX + 1)), ADOPTION_PRICE);
    cr_expect_eq(adopt(absent, (struct number){0, NUMBER_INFINITE}), ADOPTION_PRICE);
    at(h.now + SECONDS(5)); /* the book is older than a mark may be */
    cr_expect_eq(adopt(absent, value(900)), ADOPTION_PRICE);
    harness_book(&h, 0, EVENT_depth, 1000, 50, 1005, 40);
    cr_expect_eq(adopt(absent, value(900)), ADOPTION_TAKEN);
    harness_close(&h);
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    harness_start(&h);
    balance_of(ASSET_BASE, amount(6, -3));
    cr_expect_eq(adopt(value(6), value(900)), ADOPTION_PRICE); /* there never was one */
    harness_close(&h);
}

Test(adopt, not_what_does_not_fit)
{
    opens(CONTRACT_LINEAR);
    drifts(INT64_MIN);
    cr_expect_eq(adopt(absent, absent), ADOPTION_RANGE);
    harness_close(&h);
    opens(CONTRACT_LINEAR);
    drifts(ENGINE_QUANTITY_MAX + 1);
    cr_expect_eq(adopt(absent, absent), ADOPTION_RANGE);
    harness_close(&h);
    opens(CONTRACT_LINEAR);
    drifts(ENGINE_QUANTITY_MAX);
    cr_expect_eq(adopt(absent, value(ENGINE_PRICE_MAX)), ADOPTION_RANGE); /* not even 128 bits */
    cr_expect_eq(adopt(absent, value(900)), ADOPTION_RANGE);              /* worth more than 1e15 */
    cr_expect_eq(position()->units, 0);
    harness_close(&h);
    /* 2^60 x 1e3 of something do not fit money, though they are worth little. */
    harness_init(&h);
    h.definitions[0].price_exponent = -7;
    h.definitions[0].quantity_exponent = 3;
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    drifts(ENGINE_QUANTITY_MAX);
    cr_expect_eq(adopt(absent, value(1)), ADOPTION_RANGE);
    cr_expect_eq(position()->units, 0);
    harness_close(&h);
    /* 1e-8 of a coin are its unit: what is shown comes to more than 64 bits of them. */
    opens(CONTRACT_SPOT);
    drifts(INT64_MAX / 10);
    cr_expect_eq(adopt(absent, absent), ADOPTION_RANGE);
    harness_close(&h);
    /* And with what is apart of it. */
    opens(CONTRACT_SPOT);
    drifts(INT64_MAX / position()->per_quantity);
    h.engine->instruments[0].position.apart = INT64_MAX;
    cr_expect_eq(adopt(absent, absent), ADOPTION_RANGE);
    h.engine->instruments[0].position.apart = 0;
    harness_close(&h);
    /* A coin that is counted in thousands: 64 bits of them are no amount. */
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    h.definitions[0].quantity_exponent = h.definitions[0].base_commission_exponent = 3;
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    cr_assert_eq(position()->per_quantity, 1);
    cr_expect_eq(adopt(value(INT64_MAX), absent), ADOPTION_RANGE);
    harness_close(&h);
}

/* Of the position alone: what would not fit leaves it as it was. */
Test(adopt, a_position_takes_nothing_that_does_not_fit)
{
    harness_init(&h);
    struct position full, before;
    position_init(&full, &h.definitions[0]);
    full.units = INT64_MAX;
    before = full;
    cr_expect_not(position_adopt(&full, &h.definitions[0], 1, 1));
    cr_expect_arr_eq(&full, &before, sizeof full);
    full.units = 0;
    full.value_adopted.atto = (int128)((uint128)-1 >> 1);
    before = full;
    cr_expect_not(position_adopt(&full, &h.definitions[0], 1, 1));
    cr_expect_arr_eq(&full, &before, sizeof full);
    cr_expect(position_adopt(&full, &h.definitions[0], -1, 1));
}

/* A position that fills brought and that no amount can tell is a violation when it is told. */
Test(adopt, a_position_beyond_money_is_a_violation)
{
    harness_init(&h);
    h.definitions[0].price_exponent = -7;
    h.definitions[0].quantity_exponent = 3;
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    harness_position(&h, 0, SIDE_BUY, 1, ENGINE_QUANTITY_MAX);
    at(SECONDS(10));
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 0);
    cr_expect_eq(adopt(absent, absent), ADOPTION_NOTHING);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 1);
    free(h.memory);
}

/* --- the limits on losses ------------------------------------------------------------------------------ */

static money profit_peak(void)
{
    return engine_account_state(h.engine).peak;
}

/* 0.005 of a position from 90.0 are worth 0.05125 more than they cost at once. Profit has it, peak and day's start
 * too, so that it can be lost no more than anything else; and a restart goes on with that. */
Test(adopt, no_limit_sees_the_step)
{
    harness_init(&h);
    h.settings[0].quote_enabled = true;
    h.settings[0].quote_levels = 1;
    h.global.risk_drawdown_limit = amount(1, -2);
    h.global.risk_daily_loss_limit = amount(1, -2);
    h.global.account_rate_age = SECONDS(60);
    h.global.account_day_zone.text[0] = 'U';
    harness_start(&h);
    harness_command(&h, COMMAND_CANCEL_ALL);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    drifts(5);
    cr_expect_eq(adopt(absent, value(900)), ADOPTION_TAKEN);
    const union event_record *mark = harness_find(&h, EVENT_risk_mark, 0);
    cr_assert_neq(mark, NULL);
    expect_money(mark->risk_mark.profit, amount(5125, -5));
    expect_money(mark->risk_mark.peak, amount(5125, -5));
    expect_money(mark->risk_mark.day_start, amount(5125, -5));
    struct engine_account_state account = engine_account_state(h.engine);
    cr_expect_not(account.drawn_down);
    cr_expect_not(account.day_lost);
    harness_book(&h, 0, EVENT_depth, 1000, 0, 985, 40); /* the mid falls */
    harness_book(&h, 0, EVENT_depth, 980, 50, 1005, 0);
    account = engine_account_state(h.engine);
    cr_expect(account.drawn_down); /* 0.005 x 2.0 lost since */
    cr_expect(account.day_lost);
    expect_money(profit_peak(), amount(5125, -5));
    harness_close(&h);
}

/* At the mark, to the unit, nothing changes and nothing is told. */
Test(adopt, at_the_mark_there_is_no_step)
{
    harness_init(&h);
    h.settings[0].quote_enabled = true;
    h.global.risk_drawdown_limit = amount(1, 0);
    h.global.account_rate_age = SECONDS(60);
    h.global.account_day_zone.text[0] = 'U';
    harness_start(&h);
    harness_command(&h, COMMAND_CANCEL_ALL);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1010, 40);
    harness_book(&h, 0, EVENT_depth, 1000, 50, 1010, 40);
    drifts(5);
    harness_book(&h, 0, EVENT_depth, 1000, 50, 1005, 0);
    harness_book(&h, 0, EVENT_depth, 1000, 50, 1010, 40);
    cr_expect_eq(adopt(absent, absent), ADOPTION_TAKEN);
    cr_expect_eq(harness_find(&h, EVENT_adopted, 0)->adopted.price.units, 1005);
    cr_expect_eq(harness_count(&h, EVENT_risk_mark), 0);
    harness_close(&h);
}

/* A position that nothing marks makes the profit unknown: what a step would be then nobody can tell. */
Test(adopt, not_while_the_profit_is_unknown)
{
    harness_init(&h);
    h.instrument_count = 2;
    h.settings[0].quote_enabled = h.settings[1].quote_enabled = true;
    h.global.risk_drawdown_limit = amount(1, 0);
    h.global.account_rate_age = SECONDS(60);
    h.global.account_day_zone.text[0] = 'U';
    harness_start(&h);
    harness_command(&h, COMMAND_CANCEL_ALL);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_position(&h, 1, SIDE_BUY, 1000, 1);
    drifts(5);
    cr_expect_eq(adopt(absent, absent), ADOPTION_PROFIT);
    harness_book(&h, 1, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_expect_eq(adopt(absent, absent), ADOPTION_TAKEN);
    harness_close(&h);
}

/* --- the tape ------------------------------------------------------------------------------------------ */

static void fold(struct engine *engine, enum event_kind kind, const union event_record *record)
{
    const struct message message = {.ts_local = h.now,
                                    .stream = EVENT_STREAM(0, CHANNEL_SESSION),
                                    .kind = (uint8_t)kind,
                                    .record = record};
    engine_fold(engine, &message);
}

/* What a fold makes of the decision is what the engine made of it; of records that no engine writes it makes
 * nothing, and of the operator's own words neither. */
Test(adopt, a_fold_goes_by_the_decision)
{
    opens(CONTRACT_LINEAR);
    drifts(5);
    cr_expect_eq(adopt(absent, value(900)), ADOPTION_TAKEN);
    const union event_record taken = *harness_find(&h, EVENT_adopted, 0);
    const struct position ours = *position();
    struct harness kept = h;
    harness_init(&h);
    h.settings[0].quote_enabled = false;
    harness_make(&h);
    union event_record wrong = {.adopt = {.position = value(5), .price = value(900)}};
    fold(h.engine, EVENT_adopt, &wrong);
    wrong = taken;
    wrong.adopted.instrument = 9;
    fold(h.engine, EVENT_adopted, &wrong);
    wrong = taken;
    wrong.adopted.result = ADOPTION_FUNDS;
    fold(h.engine, EVENT_adopted, &wrong);
    wrong = taken;
    wrong.adopted.change = MONEY_ZERO;
    fold(h.engine, EVENT_adopted, &wrong);
    wrong.adopted.change.atto = (int128)INT64_MAX * 1000 * INT64_C(1000000000000000);
    fold(h.engine, EVENT_adopted, &wrong);
    wrong.adopted.change.atto = -wrong.adopted.change.atto * 2;
    fold(h.engine, EVENT_adopted, &wrong);
    wrong.adopted.change.atto *= 2;
    fold(h.engine, EVENT_adopted, &wrong);
    wrong = taken;
    wrong.adopted.change = amount(ENGINE_QUANTITY_MAX, -3);
    wrong.adopted.price = value(ENGINE_PRICE_MAX);
    fold(h.engine, EVENT_adopted, &wrong);
    wrong = taken;
    wrong.adopted.price.status = NUMBER_ABSENT;
    fold(h.engine, EVENT_adopted, &wrong);
    wrong.adopted.price = value(0);
    fold(h.engine, EVENT_adopted, &wrong);
    cr_expect_eq(position()->units, 0);
    fold(h.engine, EVENT_adopted, &taken);
    cr_expect_arr_eq(position(), &ours, sizeof ours);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 0);
    free(kept.memory);
    free(h.memory);
}

/* Written, read, and walked alike. */
Test(adopt, the_carry_as_bytes_has_it)
{
    static uint8_t bytes[1 << 16];
    opens(CONTRACT_SPOT);
    balance_of(ASSET_BASE, amount(6, -3));
    cr_expect_eq(adopt(value(6), value(900)), ADOPTION_TAKEN);
    size_t length = engine_write_carry(h.engine, false, bytes, sizeof bytes);
    cr_assert_leq(length, sizeof bytes);
    struct harness kept = h;
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    h.settings[0].quote_enabled = false;
    harness_make(&h);
    size_t used;
    uint64_t index;
    cr_assert_eq(engine_read_carry(h.engine, bytes, length, &used, &index), NULL);
    expect_folded(kept.engine, h.engine);
    cr_expect_eq(position()->apart, 6 * position()->per_quantity);
    free(kept.memory);
    free(h.memory);
}
