/* Accounts that were read around a fill (engine/anew.h). */
#include <criterion/criterion.h>

#include "base/time.h"
#include "engine/anew.h"
#include "engine_harness.h"

static struct harness h;

static void give(enum event_kind kind, const union event_record *record)
{
    bool of_instrument = kind == EVENT_venue_position;
    harness_record(&h, kind, of_instrument ? EVENT_STREAM(0, CHANNEL_SESSION) : EVENT_NONE_16,
                   record);
}

static void ends(int64_t taken)
{
    union event_record record = {.snapshot_end = {.taken = taken}};
    give(EVENT_snapshot_end, &record);
}

static void at(int64_t now)
{
    harness_run_to(&h, now);
}

static void sells_nothing(void)
{
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    h.venues[0].safety_sync_interval = SECONDS(60);
    h.settings[0].quote_enabled = false;
    harness_start(&h);
}

/* A row of the snapshot that is read, without a time of its own. */
static void row_of_quote(int64_t total)
{
    union event_record record = {.balance = {.asset = ASSET_QUOTE}};
    cr_assert(money_from_units(total, 0, &record.balance.total));
    give(EVENT_balance, &record);
}

/* Whether the account is asked for at once: an instant after what was told. */
static bool asked(void)
{
    harness_tick(&h, h.engine->now + 1);
    return harness_count(&h, EVENT_request_snapshot) == 1;
}

/* The venue's figure is of before the fill or of after: it is no balance, and the next is asked for at once. */
Test(anew, a_fill_before_the_account_s_end_has_it_asked_for_anew)
{
    sells_nothing();
    at(SECONDS(60));
    row_of_quote(900);
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    money before = ledger_balance(h.engine, 0, ASSET_QUOTE)->total;
    at(SECONDS(61));
    ends(SECONDS(60));
    cr_expect_eq(money_compare(ledger_balance(h.engine, 0, ASSET_QUOTE)->total, before), 0);
    cr_expect(asked());
    row_of_quote(900);
    ends(h.now);
    cr_expect_not(asked());
    cr_assert(money_from_units(900, 0, &before));
    cr_expect_eq(money_compare(ledger_balance(h.engine, 0, ASSET_QUOTE)->total, before), 0);
    harness_close(&h);
}

/* What is known already, or nothing of balances. */
Test(anew, an_account_that_says_what_we_have_is_not_asked_for_anew)
{
    sells_nothing();
    at(SECONDS(60));
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    union event_record record = {.balance = {.asset = ASSET_QUOTE}};
    record.balance.total = ledger_balance(h.engine, 0, ASSET_QUOTE)->total;
    give(EVENT_balance, &record);
    ends(SECONDS(60));
    cr_expect_not(asked());
    at(SECONDS(121));
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    record.venue_position = (struct event_venue_position){.position = {5, NUMBER_VALUE}};
    give(EVENT_venue_position, &record);
    ends(h.engine->venues[0].sync.requested);
    cr_expect_not(asked());
    harness_close(&h);
}

/* Fills in each account: asked for anew after 0, 1, 2, 4 … s, until one is due by itself; behind that at once again. */
Test(anew, accounts_asked_for_anew_get_rarer)
{
    sells_nothing();
    at(SECONDS(60) - 1);
    harness_tick(&h, SECONDS(60));
    const int64_t expected[] = {0, 1, 2, 4, 8, 16, 32, 60, 0};
    for (unsigned i = 0; i < 9; i++) {
        int64_t last = h.now;
        row_of_quote(900);
        harness_position(&h, 0, SIDE_BUY, 1000, 5);
        ends(h.engine->venues[0].sync.requested);
        int64_t due = last + (expected[i] > 0 ? SECONDS(expected[i]) : 1);
        at(due - 1);
        cr_expect_eq(h.engine->venues[0].sync.requested, TIME_NEVER, "%u", i);
        harness_tick(&h, due);
        cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1, "%u", i);
    }
    harness_close(&h);
}

/* Where an account is due more seldom than that, 36 hours are the longest wait. */
Test(anew, accounts_asked_for_anew_get_no_rarer_than_every_36_hours)
{
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    h.venues[0].safety_sync_interval = SECONDS(1000000);
    h.settings[0].quote_enabled = false;
    harness_start(&h);
    at(SECONDS(1000000));
    struct sync *sync = &h.engine->venues[0].sync;
    sync->anew = SYNC_ANEW_MAX;
    row_of_quote(900);
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    ends(sync->requested);
    cr_expect_eq(sync->next, h.now + SECONDS(131072));
    cr_expect_eq(sync->anew, SYNC_ANEW_MAX);
    harness_close(&h);
}

/* Neither a second request beside one that is out, nor any where accounts are not asked for. */
Test(anew, one_account_at_a_time_is_asked_for)
{
    sells_nothing();
    at(SECONDS(60));
    row_of_quote(900);
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    ends(SECONDS(59)); /* of before that request */
    cr_expect_not(asked());
    harness_close(&h);
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    h.settings[0].quote_enabled = false;
    h.venues[0].safety_sync_interval = 0;
    harness_start(&h);
    h.engine->venues[0].sync.requested = SECONDS(1);
    at(SECONDS(1));
    row_of_quote(900);
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    ends(SECONDS(1));
    cr_expect_not(asked());
    harness_close(&h);
}

Test(anew, what_the_rate_keeps_for_cancels_is_not_asked_with)
{
    sells_nothing();
    at(SECONDS(60));
    union event_record budget = {.rate_budget = {.left = 0, .resets = SECONDS(65)}};
    give(EVENT_rate_budget, &budget);
    row_of_quote(900);
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    ends(SECONDS(60));
    cr_expect_not(asked());
    at(SECONDS(65));
    cr_expect_eq(h.engine->venues[0].sync.requested, TIME_NEVER);
    harness_tick(&h, SECONDS(65) + 1); /* looked at once a second */
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    harness_close(&h);
}

/* However long it keeps that: the account that is due by itself is asked for. */
Test(anew, the_account_s_own_time_stays)
{
    sells_nothing();
    at(SECONDS(60));
    union event_record budget = {.rate_budget = {.left = 0, .resets = SECONDS(10000)}};
    give(EVENT_rate_budget, &budget);
    row_of_quote(900);
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    ends(SECONDS(60));
    at(SECONDS(120) - 1);
    cr_expect_eq(h.engine->venues[0].sync.requested, TIME_NEVER);
    harness_tick(&h, SECONDS(120));
    cr_expect_eq(harness_count(&h, EVENT_request_snapshot), 1);
    harness_close(&h);
}

/* An account of 3 s, asked for at 60 s, which is 1060 s at the venue, and a fill of `made` told after its end. */
static bool asked_after_a_fill_of(int64_t made)
{
    sells_nothing();
    at(SECONDS(60));
    at(SECONDS(63));
    harness_told_balance(&h, SECONDS(1060), MESSAGE_VENUE_ESTIMATED, 900);
    ends(SECONDS(60));
    cr_expect_not(asked());
    at(SECONDS(64));
    harness_told_fill(&h, made);
    bool anew = asked();
    harness_close(&h);
    return anew;
}

Test(anew, a_fill_of_while_the_account_was_read_has_it_asked_for_anew)
{
    cr_expect_not(asked_after_a_fill_of(SECONDS(1057) - 1), "it has it");
    cr_expect(asked_after_a_fill_of(SECONDS(1057)));
    cr_expect(asked_after_a_fill_of(SECONDS(1062)));
    cr_expect(asked_after_a_fill_of(SECONDS(1066)));
    cr_expect_not(asked_after_a_fill_of(SECONDS(1066) + 1), "it has it not");
}

/* A balance with the venue's own time has each fill until then and no other. */
Test(anew, a_balance_that_the_venue_timed_leaves_no_doubt)
{
    sells_nothing();
    at(SECONDS(60));
    harness_told_balance(&h, SECONDS(1060), MESSAGE_VENUE_TIME, 900);
    at(SECONDS(63));
    ends(SECONDS(60));
    harness_told_fill(&h, SECONDS(1061));
    cr_expect_not(asked());
    harness_close(&h);
}

/* A shutdown that waits for the last account waits for the one behind such a fill, and not for ever. */
Test(anew, a_shutdown_waits_for_the_account_behind_a_fill)
{
    sells_nothing();
    at(SECONDS(10));
    union event_record record = {.shutdown = {.signal = 15}};
    give(EVENT_shutdown, &record);
    cr_assert_eq(harness_count(&h, EVENT_request_snapshot), 1);
    cr_assert_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    row_of_quote(900);
    at(SECONDS(11));
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    ends(SECONDS(10));
    cr_expect(asked());
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_WAITING);
    at(SECONDS(12));
    row_of_quote(900);
    ends(SECONDS(11) + 1);
    cr_expect_eq(h.engine->carry.shutdown, SHUTDOWN_FLUSHING);
    harness_close(&h);
}

/* While the rate spreads the cancels too: it is waited for behind them. */
Test(anew, a_shutdown_that_cancels_will_wait_for_the_account_behind_a_fill)
{
    harness_init(&h);
    h.definitions[0].contract = CONTRACT_SPOT;
    h.venues[0].safety_sync_interval = SECONDS(60);
    harness_start(&h);
    at(SECONDS(10));
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_accept(&h, 1);
    union event_record record = {.rate_budget = {.left = 0, .resets = SECONDS(13)}};
    give(EVENT_rate_budget, &record);
    record.shutdown = (struct event_shutdown){.signal = 15};
    give(EVENT_shutdown, &record);
    at(SECONDS(11));
    harness_told_balance(&h, SECONDS(1010), MESSAGE_VENUE_ESTIMATED, 900);
    ends(SECONDS(10));
    cr_assert_eq(h.engine->carry.shutdown, SHUTDOWN_CANCELLING);
    cr_expect_lt(h.engine->venues[0].sync.awaited, SECONDS(11));
    harness_told_fill(&h, SECONDS(1010));
    cr_expect_eq(h.engine->venues[0].sync.awaited, SECONDS(11));
    harness_close(&h);
}

/* The venue's breaker holds back one that was asked for anew; what doubts the account again leaves its regular time. */
Test(anew, one_that_is_held_back_may_be_asked_for_sooner)
{
    sells_nothing();
    at(SECONDS(60));
    row_of_quote(900);
    harness_position(&h, 0, SIDE_BUY, 1000, 5);
    struct sync *sync = &h.engine->venues[0].sync;
    int64_t regular = h.now + SECONDS(60);
    sync->anew = 1;
    sync->hurried = true;
    sync->regular = regular;
    sync->next = h.now + SECONDS(30);
    ends(SECONDS(60));
    cr_expect_eq(sync->next, h.now + SECONDS(1));
    cr_expect_eq(sync->regular, regular);
    harness_close(&h);
}

/* At the ends of time there is no doubt that could be told; and one that was told stays as it was. */
Test(anew, a_time_that_no_number_holds_is_in_no_doubt)
{
    const int64_t ends[] = {INT64_MIN + 5, INT64_MAX - 5};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct sync sync = {.doubt_from = ends[i], .doubt_until = INT64_MIN};
        anew_account_end(&sync, 10);
        cr_expect_eq(sync.doubt_from, ends[i]);
        cr_expect_eq(sync.doubt_until, INT64_MIN);
    }
    struct sync sync = {.doubt_from = 100, .doubt_until = INT64_MIN};
    for (int again = 0; again < 2; again++) {
        anew_account_end(&sync, 10);
        cr_expect_eq(sync.doubt_from, 90);
        cr_expect_eq(sync.doubt_until, 120);
    }
}
