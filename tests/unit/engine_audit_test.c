/* The audit: each invariant broken on purpose is counted. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/time.h"
#include "engine_harness.h"

static struct harness h;

static void quoted(void)
{
    harness_init(&h);
    h.audit_each = false;
    harness_start(&h);
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    harness_accept(&h, 1);
    harness_accept(&h, 2);
    harness_position(&h, 0, SIDE_BUY, 1000, 3);
    audit_full(h.engine);
    cr_assert_eq(engine_counters(h.engine)->invariant_violations, 0);
    cr_assert_gt(engine_counters(h.engine)->invariant_checks, 0);
}

static void expect_violations(unsigned invariant)
{
    audit_full(h.engine);
    const struct engine_counters *counters = engine_counters(h.engine);
    cr_expect_gt(counters->violations_by_invariant[invariant], 0);
    for (unsigned other = 0; other < 16; other++)
        if (other != invariant)
            cr_expect_eq(counters->violations_by_invariant[other], 0, "also %u", other);
    cr_expect_eq(counters->invariant_violations, counters->violations_by_invariant[invariant]);
}

Test(audit, invariant_1_order_count)
{
    quoted();
    h.engine->instruments[0].limits.orders_per_side = 0;
    expect_violations(1);
}

Test(audit, invariant_1_rate)
{
    quoted();
    h.engine->venues[0].rate.sum = h.engine->venues[0].rate.cap + 1;
    expect_violations(1);
}

Test(audit, invariant_1_live_count)
{
    quoted();
    h.engine->orders.live++;
    expect_violations(1);
}

Test(audit, invariant_2_own_cross)
{
    quoted();
    harness_order(&h, 1)->price = harness_order(&h, 2)->price;
    expect_violations(2);
}

Test(audit, invariant_3_exposure_sum)
{
    quoted();
    h.engine->instruments[0].sides[SIDE_BUY].leaves = 0;
    expect_violations(3);
}

Test(audit, invariant_6_order_figures)
{
    quoted();
    harness_order(&h, 1)->quantity = 11;
    expect_violations(6);
}

Test(audit, invariant_6_trade_twice)
{
    quoted();
    harness_fill(&h, 1, SIDE_BUY, 990, 1, 9);
    harness_fill(&h, 1, SIDE_BUY, 990, 1, 8);
    audit_full(h.engine);
    cr_assert_eq(engine_counters(h.engine)->invariant_violations, 0);
    struct order_table *table = &h.engine->orders;
    uint32_t newest = harness_order(&h, 1)->last_trade;
    table->trades[newest].id = table->trades[table->trades[newest].previous].id;
    expect_violations(6);
}

Test(audit, invariant_6_position)
{
    quoted();
    h.engine->instruments[0].position.units++;
    expect_violations(6);
}

Test(audit, invariant_6_profit)
{
    quoted();
    h.engine->instruments[0].position.cost.atto++;
    expect_violations(6);
}

Test(audit, invariant_6_money)
{
    quoted();
    ledger_balance(h.engine, 0, ASSET_QUOTE)->total.atto++;
    expect_violations(6);
}

Test(audit, invariant_6_money_that_nobody_moved)
{
    quoted();
    struct balance *balance = ledger_balance(h.engine, 0, ASSET_QUOTE);
    balance->total.atto++;
    balance->moved.atto++;
    expect_violations(6);
}

Test(audit, invariant_10_time)
{
    quoted();
    h.now = -1;
    harness_trade(&h, 0, SIDE_BUY, 1005, 1);
    expect_violations(10);
}

Test(audit, invariant_10_deadline_in_the_past)
{
    quoted();
    h.now = SECONDS(1);
    h.engine->now = SECONDS(1);
    expect_violations(10);
}

/* --- the send gate ---------------------------------------------------------------------------------- */

static struct candidate sound(void)
{
    return (struct candidate){.want = WANT_PLACE, .side = SIDE_BUY, .price = 985, .quantity = 10};
}

static void send(const struct candidate *candidate, unsigned invariant)
{
    const struct engine_counters *counters = engine_counters(h.engine);
    audit_send(h.engine, candidate);
    cr_expect_eq(counters->violations_by_invariant[invariant], 1);
    cr_expect_eq(counters->invariant_violations, 1);
    free(h.memory);
}

Test(audit, the_send_gate_lets_a_sound_order_pass)
{
    quoted();
    struct candidate candidate = sound();
    audit_send(h.engine, &candidate);
    cr_expect_eq(engine_counters(h.engine)->invariant_violations, 0);
}

Test(audit, the_send_gate_sees_1)
{
    quoted();
    struct candidate candidate = sound();
    h.engine->instruments[0].limits.orders_per_side = 1;
    send(&candidate, 1);
}

Test(audit, the_send_gate_sees_2)
{
    static const struct {
        int64_t price, quantity;
    } unsound[] = {{0, 10}, {984, 10}, {985, 0}, {9850, 10}, {1015, 10}};
    for (size_t i = 0; i < sizeof unsound / sizeof *unsound; i++) {
        quoted();
        struct candidate candidate = sound();
        candidate.price = unsound[i].price;
        candidate.quantity = unsound[i].quantity;
        send(&candidate, 2);
    }
}

Test(audit, the_send_gate_sees_3)
{
    quoted();
    struct candidate candidate = sound();
    candidate.quantity = 1000 - 3 - 10 + 1;
    send(&candidate, 3);
}

Test(audit, the_send_gate_sees_4)
{
    quoted();
    struct candidate candidate = sound();
    h.engine->instruments[0].paused = true;
    send(&candidate, 4);
}
