/* What the ops server counts and shows of an engine: metrics by their meanings (trading-semantics 33), readiness
 * (32), the dashboard's figures. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log_writer.h"
#include "base/time.h"
#include "ops_bench.h"

static struct ops_bench b;

/* A book, and orders #1 buy 10 @ 99.0 and #2 sell 10 @ 101.5 sent, not answered. */
static void quoting(void)
{
    ops_bench_init(&b);
    ops_bench_start(&b);
    harness_book(&b.h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_assert_eq(harness_count(&b.h, EVENT_place), 2);
}

static void metric(const char *line)
{
    char with[512];
    const char *text = ops_bench_metrics(&b);
    snprintf(with, sizeof with, "\n%s\n", line);
    cr_expect(strstr(text, with), "no line \"%s\"; there is: %.300s", line,
              strstr(text, line) ? strstr(text, line) : "nothing like it");
}

/* --- metrics ------------------------------------------------------------------------------------ */

static double start_time(void)
{
    static const char name[] = "\nprocess_start_time_seconds ";
    const char *line = strstr(ops_bench_metrics(&b), name);
    cr_assert_not_null(line);
    return strtod(line + sizeof name - 1, NULL);
}

Test(ops_collect, the_process_began_a_while_ago_and_that_stays_so)
{
    ops_bench_init(&b);
    ops_bench_start(&b);
    double first = start_time(), now = (double)time(NULL);
    cr_expect(first > now - 3600 && first < now + 2, "start %f, now %f", first, now);
    cr_expect_eq(start_time(), first);
}

Test(ops_collect, every_family_shows_before_its_first_event)
{
    static const char *const families[] = {
#define M(id, type, name, labels, help) "# TYPE capstan_" name " " #type "\n",
        OPS_METRICS(M)
#undef M
#define P(id, type, name, help) "# TYPE " name " " #type "\n",
            OPS_PROCESS_METRICS(P)
#undef P
    };
    ops_bench_init(&b);
    cr_assert(ops_view_take(&b.view, NULL));
    ops_metrics_write(&b.text, &b.view, &b.requests, NULL);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        cr_expect(strstr(b.text.bytes, families[i]), "no session: %s", families[i]);
    ops_bench_start(&b);
    const char *text = ops_bench_metrics(&b);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        cr_expect(strstr(text, families[i]), "%s", families[i]);
    metric("capstan_orders_placed_total{exchange=\"alpha\",side=\"buy\",type=\"limit\"} 0");
    metric("capstan_orders_placed_total{exchange=\"beta\",side=\"sell\",type=\"market\"} 0");
    metric("capstan_orders_failed_total{exchange=\"alpha\",reason=\"insufficient_funds\"} 0");
    metric("capstan_order_execution_duration_seconds_bucket{exchange=\"alpha\",le=\"0.01\"} 0");
    metric("capstan_arbitrage_opportunities_detected_total 0");
    metric("capstan_opportunity_detection_duration_seconds_count 0");
    metric("capstan_active_positions 0");
    ops_bench_close(&b);
}

Test(ops_collect, placed_is_accepted_and_execution_is_until_the_first_answer)
{
    quoting();
    metric("capstan_orders_placed_total{exchange=\"alpha\",side=\"buy\",type=\"limit\"} 0");
    b.h.now = MILLISECONDS(30);
    harness_accept(&b.h, 1);
    harness_accept(&b.h, 1);
    metric("capstan_orders_placed_total{exchange=\"alpha\",side=\"buy\",type=\"limit\"} 1");
    metric("capstan_order_execution_duration_seconds_bucket{exchange=\"alpha\",le=\"0.01\"} 0");
    metric("capstan_order_execution_duration_seconds_bucket{exchange=\"alpha\",le=\"0.05\"} 1");
    metric("capstan_order_execution_duration_seconds_sum{exchange=\"alpha\"} 0.03");
    ops_bench_close(&b);
}

Test(ops_collect, filled_is_filled_whole_and_fills_count_apart)
{
    quoting();
    harness_accept(&b.h, 1);
    harness_fill(&b.h, 1, SIDE_BUY, 990, 4, 6);
    metric("capstan_orders_filled_total{exchange=\"alpha\",side=\"buy\"} 0");
    metric("capstan_fills_total{exchange=\"alpha\",side=\"buy\",liquidity=\"maker\"} 1");
    harness_fill(&b.h, 1, SIDE_BUY, 990, 6, 0);
    metric("capstan_orders_filled_total{exchange=\"alpha\",side=\"buy\"} 1");
    metric("capstan_fills_total{exchange=\"alpha\",side=\"buy\",liquidity=\"maker\"} 2");
    metric("capstan_active_positions 1");
    metric("capstan_position{instrument=\"alpha:BTC-USD\"} 0.01");
    ops_bench_close(&b);
}

Test(ops_collect, a_fill_at_a_worse_price_than_its_limit_counts)
{
    quoting();
    const struct order *buy = harness_order(&b.h, 1), *sell = harness_order(&b.h, 2);
    cr_assert(buy->side == SIDE_BUY && sell->side == SIDE_SELL);
    const int64_t least = sell->price, most = buy->price;
    harness_fill(&b.h, 1, SIDE_BUY, most, 3, 7);
    harness_fill(&b.h, 1, SIDE_BUY, most - 1, 3, 4);
    harness_fill(&b.h, 2, SIDE_SELL, least + 1, 3, 7);
    metric("capstan_fills_beyond_limit_total{exchange=\"alpha\"} 0");
    harness_fill(&b.h, 1, SIDE_BUY, most + 1, 4, 0);
    metric("capstan_fills_beyond_limit_total{exchange=\"alpha\"} 1");
    harness_fill(&b.h, 2, SIDE_SELL, least - 1, 7, 0);
    metric("capstan_fills_beyond_limit_total{exchange=\"alpha\"} 2");
    metric("capstan_fills_beyond_limit_total{exchange=\"beta\"} 0");
    ops_bench_close(&b);
}

Test(ops_collect, a_fill_that_is_told_again_counts_once)
{
    union event_record record = {.order_filled = {.order = 1,
                                                  .side = SIDE_BUY,
                                                  .price = {990, NUMBER_VALUE},
                                                  .quantity = {4, NUMBER_VALUE},
                                                  .leaves = {6, NUMBER_VALUE},
                                                  .trade = {.length = 1, .bytes = "7"},
                                                  .fee_asset = ASSET_QUOTE}};
    quoting();
    harness_accept(&b.h, 1);
    harness_record(&b.h, EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    harness_record(&b.h, EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    metric("capstan_fills_total{exchange=\"alpha\",side=\"buy\",liquidity=\"maker\"} 1");
    ops_bench_close(&b);
}

static void expects_counter(const char *name, int expected)
{
    cJSON *root = cJSON_Parse(ops_bench_dashboard(&b));
    const cJSON *counters = cJSON_GetObjectItem(root, "counters");
    const cJSON *counter = cJSON_GetObjectItem(counters, name);
    cr_assert(counter, "no counter %s", name);
    cr_expect_eq(counter->valueint, expected, "%s is %d", name, counter->valueint);
    cJSON_Delete(root);
}

/* Fills that are asked for come without what is left of the order, and a query says only that it is over. */
Test(ops_collect, an_order_is_filled_or_over_when_the_engine_says_so)
{
    union event_record fill = {.order_filled = {.order = 1,
                                                .side = SIDE_BUY,
                                                .price = {990, NUMBER_VALUE},
                                                .quantity = {4, NUMBER_VALUE},
                                                .leaves = {0, NUMBER_ABSENT},
                                                .trade = {.length = 1, .bytes = "7"},
                                                .fee_asset = ASSET_QUOTE}};
    const union event_record over = {
        .order_status = {.order = 2, .side = SIDE_SELL, .leaves = {0, NUMBER_VALUE}}};
    quoting();
    harness_accept(&b.h, 1);
    harness_accept(&b.h, 2);
    harness_record(&b.h, EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION), &fill);
    metric("capstan_orders_filled_total{exchange=\"alpha\",side=\"buy\"} 0");
    fill.order_filled.quantity.units = 6;
    fill.order_filled.trade.bytes[0] = '8';
    harness_record(&b.h, EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION), &fill);
    metric("capstan_orders_filled_total{exchange=\"alpha\",side=\"buy\"} 1");
    harness_record(&b.h, EVENT_order_status, EVENT_STREAM(0, CHANNEL_SESSION), &over);
    expects_counter("cancelled", 0); /* its fills may still come */
    harness_record(&b.h, EVENT_order_status, EVENT_STREAM(0, CHANNEL_SESSION), &over);
    expects_counter("cancelled", 1);
    expects_counter("placed", 2);
    ops_bench_close(&b);
}

/* 4 of 10 had filled when it was cancelled, and are told behind that. */
Test(ops_collect, a_fill_told_behind_a_cancel_fills_no_order)
{
    const union event_record fill = {.order_filled = {.order = 1,
                                                      .side = SIDE_BUY,
                                                      .price = {990, NUMBER_VALUE},
                                                      .quantity = {4, NUMBER_VALUE},
                                                      .leaves = {0, NUMBER_ABSENT},
                                                      .trade = {.length = 1, .bytes = "7"},
                                                      .fee_asset = ASSET_QUOTE}};
    quoting();
    harness_accept(&b.h, 1);
    harness_cancelled(&b.h, 1, 6);
    expects_counter("cancelled", 1);
    cr_assert(engine_order_is_open(b.h.engine, 1)); /* until the 4 are told */
    harness_record(&b.h, EVENT_order_filled, EVENT_STREAM(0, CHANNEL_SESSION), &fill);
    cr_assert(!engine_order_is_open(b.h.engine, 1));
    metric("capstan_orders_filled_total{exchange=\"alpha\",side=\"buy\"} 0");
    metric("capstan_fills_total{exchange=\"alpha\",side=\"buy\",liquidity=\"maker\"} 1");
    expects_counter("cancelled", 1);
    ops_bench_close(&b);
}

Test(ops_collect, failed_is_refused_but_not_for_post_only)
{
    quoting();
    harness_reject(&b.h, 1, REJECT_POST_ONLY);
    harness_reject(&b.h, 2, REJECT_FUNDS);
    harness_reject(&b.h, 2, REJECT_FUNDS);
    metric("capstan_orders_post_only_rejected_total{exchange=\"alpha\"} 1");
    metric("capstan_orders_failed_total{exchange=\"alpha\",reason=\"insufficient_funds\"} 1");
    metric("capstan_orders_placed_total{exchange=\"alpha\",side=\"buy\",type=\"limit\"} 0");
    cr_expect(!strstr(ops_bench_metrics(&b), "reason=\"post_only_would_cross\""));
    ops_bench_close(&b);
}

Test(ops_collect, a_replace_that_a_fill_overtook_did_not_fail)
{
    quoting();
    harness_reject(&b.h, 1, REJECT_REPLACE);
    metric("capstan_orders_not_tried_total{exchange=\"alpha\"} 1");
    cr_expect(!strstr(ops_bench_metrics(&b), "reason=\"replaced_order_stays\""));
    cr_expect(strstr(ops_bench_dashboard(&b), "\"failed\":0,"));
    ops_bench_close(&b);
}

/* Two are sent; one is refused, the other one taken, and ended by a cancel. */
Test(ops_collect, the_dashboard_counts_as_the_metrics_do)
{
    quoting();
    harness_accept(&b.h, 1);
    harness_reject(&b.h, 2, REJECT_FUNDS);
    harness_command(&b.h, COMMAND_CANCEL_ALL);
    expects_counter("place_requests", 2);
    expects_counter("placed", 1);
    expects_counter("failed", 1);
    expects_counter("cancel_requests", 1);
    expects_counter("cancelled", 0);
    harness_cancelled(&b.h, 1, 10);
    expects_counter("cancelled", 1);
    expects_counter("modify_requests", 0);
    metric("capstan_requests_sent_total{exchange=\"alpha\",request=\"place\"} 2");
    metric("capstan_requests_sent_total{exchange=\"alpha\",request=\"cancel\"} 1");
    ops_bench_close(&b);
}

Test(ops_collect, an_order_that_expires_was_not_cancelled)
{
    union event_record record = {.order_expired = {.order = 1, .leaves = {10, NUMBER_VALUE}}};
    quoting();
    harness_accept(&b.h, 1);
    harness_record(&b.h, EVENT_order_expired, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    metric("capstan_orders_expired_total{exchange=\"alpha\"} 1");
    expects_counter("cancelled", 0);
    ops_bench_close(&b);
}

static void not_found(order_id order)
{
    union event_record record = {.order_not_found = {.order = order}};
    harness_record(&b.h, EVENT_order_not_found, EVENT_STREAM(0, CHANNEL_SESSION), &record);
}

Test(ops_collect, failed_is_also_what_never_arrived)
{
    union event_record record = {.order_unknown = {.order = 1, .request = REQUEST_PLACE}};
    quoting();
    harness_record(&b.h, EVENT_order_unknown, EVENT_STREAM(0, CHANNEL_SESSION), &record);
    metric("capstan_requests_unanswered_total{exchange=\"alpha\"} 1");
    metric("capstan_orders_unknown{instrument=\"alpha:BTC-USD\"} 1");
    ops_bench_run_to(&b, SECONDS(6));
    not_found(1);
    metric("capstan_orders_failed_total{exchange=\"alpha\",reason=\"never_arrived\"} 0");
    ops_bench_run_to(&b, SECONDS(12));
    not_found(1);
    metric("capstan_orders_failed_total{exchange=\"alpha\",reason=\"never_arrived\"} 1");
    ops_bench_close(&b);
}

Test(ops_collect, cancelled_tells_why_we_asked)
{
    quoting();
    harness_accept(&b.h, 1);
    harness_accept(&b.h, 2);
    b.now = b.h.now = SECONDS(1);
    harness_command(&b.h, COMMAND_CANCEL_ALL);
    cr_assert_eq(harness_count(&b.h, EVENT_cancel), 2);
    b.now = b.h.now = SECONDS(1) + MILLISECONDS(2);
    harness_cancelled(&b.h, 1, 10);
    harness_cancelled(&b.h, 1, 10);
    metric("capstan_orders_cancelled_total{exchange=\"alpha\",reason=\"operator\"} 1");
    metric("capstan_order_acknowledgement_seconds_count{exchange=\"alpha\",request=\"cancel\"} 1");
    metric("capstan_order_acknowledgement_seconds_sum{exchange=\"alpha\",request=\"cancel\"} "
           "0.002");
    metric("capstan_paused{instrument=\"alpha:BTC-USD\"} 1");
    ops_bench_close(&b);
}

/* The venue ended it while a modify travelled: that was no cancel's answer. */
Test(ops_collect, an_answer_is_timed_for_the_request_that_it_answers)
{
    const union event_record record = {.modify = {.order = 1}};
    const struct message modify = {
        .ts_local = MILLISECONDS(1), .kind = EVENT_modify, .record = &record};
    quoting();
    harness_accept(&b.h, 1);
    ops_lives_decision(b.collect, &modify);
    harness_cancelled(&b.h, 1, 10);
    metric("capstan_order_acknowledgement_seconds_count{exchange=\"alpha\",request=\"cancel\"} 0");
    metric("capstan_order_acknowledgement_seconds_count{exchange=\"alpha\",request=\"modify\"} 0");
    ops_bench_close(&b);
}

/* A process that goes on with a tape: what was placed before counts no more, what becomes of it does. */
Test(ops_collect, orders_of_the_process_before_end_in_this_one)
{
    quoting();
    harness_accept(&b.h, 1);
    harness_accept(&b.h, 2);
    memset(b.collect->lives, 0, ((size_t)b.collect->life_mask + 1) * sizeof *b.collect->lives);
    harness_fill(&b.h, 1, SIDE_BUY, 990, 4, 6);
    harness_fill(&b.h, 1, SIDE_BUY, 990, 6, 0);
    metric("capstan_orders_filled_total{exchange=\"alpha\",side=\"buy\"} 1");
    b.now = b.h.now = SECONDS(1);
    harness_command(&b.h, COMMAND_CANCEL_ALL);
    harness_cancelled(&b.h, 2, 10);
    harness_cancelled(&b.h, 2, 10);
    metric("capstan_orders_cancelled_total{exchange=\"alpha\",reason=\"operator\"} 1");
    metric("capstan_order_acknowledgement_seconds_count{exchange=\"alpha\",request=\"cancel\"} 1");
    metric("capstan_order_execution_duration_seconds_count{exchange=\"alpha\"} 2");
    expects_counter("placed", 2);
    ops_bench_close(&b);
}

Test(ops_collect, exposure_counts_all_that_may_still_fill)
{
    quoting();
    harness_accept(&b.h, 1);
    harness_position(&b.h, 0, SIDE_BUY, 1000, 7);
    metric("capstan_exposure_worst_case{instrument=\"alpha:BTC-USD\",side=\"buy\"} 0.017");
    metric("capstan_exposure_worst_case{instrument=\"alpha:BTC-USD\",side=\"sell\"} 0.003");
    metric("capstan_position_limit{instrument=\"alpha:BTC-USD\"} 1.000");
    ops_bench_close(&b);
}

Test(ops_collect, gaps_count_by_exchange_and_cause)
{
    union event_record record = {.gap = {.cause = GAP_SEQUENCE, .expected = 5, .found = 9}};
    quoting();
    harness_record(&b.h, EVENT_gap, EVENT_STREAM(0, CHANNEL_DEPTH), &record);
    metric("capstan_market_gaps_total{exchange=\"alpha\",cause=\"sequence\"} 1");
    metric("capstan_market_gaps_total{exchange=\"beta\",cause=\"sequence\"} 0");
    ops_bench_close(&b);
}

/* The loop's thread was stopped in the middle of publishing. */
Test(ops_collect, what_was_seen_last_stands_while_nothing_can_be_read)
{
    quoting();
    harness_accept(&b.h, 1);
    metric("capstan_orders_open{instrument=\"alpha:BTC-USD\"} 2");
    atomic_fetch_add(&b.collect->instruments[0]->sequence, 1);
    atomic_fetch_add(&b.collect->account->sequence, 1);
    metric("capstan_orders_open{instrument=\"alpha:BTC-USD\"} 2");
    cr_expect(b.view.account_known);
    atomic_fetch_sub(&b.collect->instruments[0]->sequence, 1);
    atomic_fetch_sub(&b.collect->account->sequence, 1);
    cr_assert(ops_view_take(&b.view, NULL));
    ops_bench_view(&b);
    cr_expect(b.view.instruments[0].known, "and is read again");
    ops_bench_close(&b);
}

/* --- profit ------------------------------------------------------------------------------------- */

/* One that has no figure yet keeps its label; a profit in two assets has none. */
Test(ops_collect, a_currency_that_is_not_there_labels_nothing)
{
    for (unsigned mixed = 0; mixed < 2; mixed++) {
        ops_bench_init(&b);
        cr_assert(ops_view_take(&b.view, NULL));
        ops_metrics_write(&b.text, &b.view, &b.requests, NULL);
        cr_expect(!strstr(b.text.bytes, "{currency="), "before a session");
        b.h.instrument_count = 2;
        b.h.definitions[1].quote = mixed ? 3 : ASSET_QUOTE;
        b.h.definitions[1].settle = b.h.definitions[1].quote;
        ops_bench_start(&b);
        if (mixed) {
            cr_expect(!strstr(ops_bench_metrics(&b), "{currency="));
        } else {
            metric("capstan_account_drawdown{currency=\"USD\"} NaN");
            metric("capstan_account_converted{currency=\"USD\"} 0");
        }
        ops_bench_close(&b);
    }
}

/* Bought 0.010 at 99.0, worth 0.010 x 100.25 (the mid): 0.0125 of profit. */
Test(ops_collect, profit_worked_out_by_hand_shows_everywhere)
{
    ops_bench_init(&b);
    b.h.global.risk_daily_loss_limit = (money){(int128)5000 * 1000000000 * 1000000000};
    ops_bench_start(&b);
    harness_book(&b.h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_accept(&b.h, 1);
    harness_fill(&b.h, 1, SIDE_BUY, 990, 10, 0);
    ops_bench_run_to(&b, SECONDS(1));
    metric("capstan_instrument_profit{instrument=\"alpha:BTC-USD\",asset=\"USD\"} 0.0125");
    metric("capstan_account_profit{currency=\"USD\"} 0.0125");
    metric("capstan_daily_pnl_usd 0.0125");
    metric("capstan_account_converted{currency=\"USD\"} 1");
    cJSON *root = cJSON_Parse(ops_bench_dashboard(&b));
    const cJSON *account = cJSON_GetObjectItem(root, "account");
    const cJSON *instrument = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "instruments"), 0);
    cr_assert(account && instrument);
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(account, "profit")), "0.0125");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(account, "day_profit")), "0.0125");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(instrument, "profit")), "0.0125");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(instrument, "position")), "0.01");
    cJSON_Delete(root);
    ops_bench_close(&b);
}

Test(ops_collect, profit_that_is_not_known_is_not_a_number)
{
    ops_bench_init(&b);
    ops_bench_start(&b);
    metric("capstan_account_balance_usd NaN");
    metric("capstan_last_quote_age_seconds NaN");
    ops_bench_close(&b);
}

static void units(int64_t whole, money *out)
{
    cr_assert(money_from_units(whole, 0, out));
}

static void converts(money amount, unsigned from, unsigned to, const char *expected)
{
    char text[MONEY_TEXT_MAX];
    money out;
    bool stale = false;
    cr_assert(ops_convert(&b.view, 0, amount, from, to, &out, &stale), "%u to %u", from, to);
    cr_expect(!stale);
    money_to_text(out, text);
    cr_expect_str_eq(text, expected);
}

static void balance_at(unsigned venue, unsigned asset, int64_t whole)
{
    union event_record record = {.balance = {.venue = (uint8_t)venue, .asset = (uint16_t)asset}};
    units(whole, &record.balance.total);
    record.balance.available = record.balance.total;
    harness_record(&b.h, EVENT_balance, EVENT_NONE_16, &record);
}

static void balance(unsigned asset, int64_t whole)
{
    balance_at(0, asset, whole);
}

static void loses_its_book(unsigned instrument)
{
    union event_record gap = {.gap = {.instrument = (uint16_t)instrument, .cause = GAP_SEQUENCE}};
    harness_record(&b.h, EVENT_gap, EVENT_STREAM(instrument, CHANNEL_DEPTH), &gap);
}

/* BTC-USD at 100.0 to 100.5, ETH-BTC at 0.5 to 3.5, EUR at 1.09 to 1.11 USD. */
static void priced(void)
{
    union event_record rate = {.reference_rate = {.from = 3, .to = ASSET_QUOTE}};
    ops_bench_init(&b);
    b.h.instrument_count = 2;
    for (unsigned i = 0; i < 2; i++)
        b.h.definitions[i].contract = CONTRACT_SPOT;
    b.h.definitions[1].base = ASSET_OTHER;
    b.h.definitions[1].quote = ASSET_BASE;
    ops_bench_start(&b);
    harness_book(&b.h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_book(&b.h, 1, EVENT_snapshot, 5, 50, 35, 40);
    cr_assert(money_from_units(109, -2, &rate.reference_rate.bid));
    cr_assert(money_from_units(111, -2, &rate.reference_rate.ask));
    harness_record(&b.h, EVENT_reference_rate, EVENT_NONE_16, &rate);
}

Test(ops_collect, amounts_are_converted_by_mids_and_rates)
{
    money two, none;
    priced();
    units(2, &two);
    ops_bench_run_to(&b, SECONDS(1));
    ops_bench_view(&b);
    converts(two, ASSET_QUOTE, ASSET_QUOTE, "2");
    converts(two, ASSET_BASE, ASSET_QUOTE, "200.5");
    converts(two, ASSET_OTHER, ASSET_BASE, "4");
    converts(two, ASSET_OTHER, ASSET_QUOTE, "401"); /* over BTC */
    converts(two, 3, ASSET_QUOTE, "2.2");
    converts(two, ASSET_BASE, ASSET_OTHER, "1");
    cr_assert(money_from_units(22, -1, &none));
    converts(none, ASSET_QUOTE, 3, "2");
    bool stale;
    cr_expect(!ops_convert(&b.view, 0, two, 77, ASSET_QUOTE, &none, &stale), "no such asset");
    ops_bench_close(&b);
}

Test(ops_collect, equity_is_all_balances_in_dollars)
{
    priced();
    balance(ASSET_QUOTE, 1000);
    balance(ASSET_BASE, 2);
    balance(3, 10);
    ops_bench_run_to(&b, SECONDS(1));
    metric("capstan_account_balance_usd 1211.5");
    metric("capstan_account_balance_stale 0");
    loses_its_book(0);
    ops_bench_run_to(&b, SECONDS(2));
    metric("capstan_account_balance_usd 1211.5"); /* rule 14: the last mark stands, flagged */
    metric("capstan_account_balance_stale 1");
    cr_expect(strstr(ops_bench_dashboard(&b), "\"equity_stale\":true"));
    ops_bench_close(&b);
}

/* BTC-USD at venue 0 has a mid of 100.25, that of venue 1 one of 200.5. */
static void two_venues(void)
{
    ops_bench_init(&b);
    b.h.instrument_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        b.h.definitions[i].contract = CONTRACT_SPOT;
        b.h.definitions[i].venue = (uint8_t)i;
    }
    ops_bench_start(&b);
    balance_at(0, ASSET_BASE, 1);
    balance_at(1, ASSET_BASE, 2);
}

Test(ops_collect, each_venue_s_coins_are_worth_what_its_own_instrument_says)
{
    two_venues();
    harness_book(&b.h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    ops_bench_run_to(&b, SECONDS(1));
    metric(
        "capstan_account_balance_usd NaN"); /* and never that of the other venue, which would jump */
    harness_book(&b.h, 1, EVENT_snapshot, 2000, 50, 2010, 40);
    ops_bench_run_to(&b, SECONDS(2));
    metric("capstan_account_balance_usd 501.25"); /* 100.25 + 2 x 200.5 */
    loses_its_book(0);
    ops_bench_run_to(&b, SECONDS(3));
    metric("capstan_account_balance_usd 501.25");
    metric("capstan_account_balance_stale 1");
    harness_book(&b.h, 0, EVENT_snapshot, 1010, 50, 1015, 40);
    ops_bench_run_to(&b, SECONDS(4));
    metric("capstan_account_balance_usd 502.25");
    metric("capstan_account_balance_stale 0");
    ops_bench_close(&b);
}

/* Venue 1 prices ETH in BTC only: its ETH are worth that, and its BTC what venue 0 says. Venue 0 prices ETH in dollars. */
Test(ops_collect, what_a_venue_does_not_price_in_dollars_goes_over_what_it_prices_it_in)
{
    money three;
    ops_bench_init(&b);
    b.h.instrument_count = 3;
    for (unsigned i = 0; i < 3; i++)
        b.h.definitions[i].contract = CONTRACT_SPOT;
    b.h.definitions[1].base = b.h.definitions[2].base = ASSET_OTHER;
    b.h.definitions[2].quote = ASSET_BASE;
    b.h.definitions[2].venue = 1;
    ops_bench_start(&b);
    harness_book(&b.h, 0, EVENT_snapshot, 1000, 50, 1010, 40); /* BTC-USD 100.5 */
    harness_book(&b.h, 1, EVENT_snapshot, 500, 50, 510, 40);   /* ETH-USD 50.5 */
    harness_book(&b.h, 2, EVENT_snapshot, 5, 50, 15, 40);      /* ETH-BTC 1 */
    balance_at(0, ASSET_OTHER, 1);
    balance_at(1, ASSET_OTHER, 3);
    balance_at(1, ASSET_BASE, 1);
    ops_bench_run_to(&b, SECONDS(1));
    metric("capstan_account_balance_usd 452.5"); /* 50.5 + 3 x 100.5 + 100.5 */
    bool stale = false;
    cr_assert(money_from_units(3, 0, &three));
    money out;
    cr_assert(ops_convert(&b.view, EVENT_NONE_16, three, ASSET_OTHER, ASSET_QUOTE, &out, &stale));
    cr_expect_eq(money_compare(out, (money){three.atto / 2 * 101}), 0,
                 "of no venue: the first that there is");
    ops_bench_close(&b);
}

/* --- the dashboard ------------------------------------------------------------------------------ */

Test(ops_collect, the_dashboard_shows_book_orders_decisions_and_their_cause)
{
    quoting();
    harness_accept(&b.h, 1);
    cJSON *root = cJSON_Parse(ops_bench_dashboard(&b));
    cr_assert(root, "no JSON: %s", b.text.bytes);
    const cJSON *instrument = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "instruments"), 0);
    const cJSON *bid = cJSON_GetArrayItem(cJSON_GetObjectItem(instrument, "bids"), 0);
    const cJSON *order = cJSON_GetArrayItem(cJSON_GetObjectItem(instrument, "orders"), 0);
    const cJSON *newest = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "decisions"), 0);
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(bid, 0)), "100.0");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(bid, 1)), "0.050");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(order, "price")), "99.0");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(order, "state")), "active");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(newest, "kind")), "place");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(newest, "side")), "sell");
    const cJSON *after = cJSON_GetObjectItem(newest, "after");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(after, "kind")), "snapshot");
    cJSON_Delete(root);
    ops_bench_close(&b);
}

Test(ops_collect, rings_keep_the_newest)
{
    struct ops_entry entries[OPS_DECISIONS];
    union event_record record = {.command = {.command = COMMAND_PAUSE}};
    ops_bench_init(&b);
    ops_bench_start(&b);
    cr_expect_eq(ops_ring_read(&b.collect->filled, entries, OPS_FILLS), 0);
    for (unsigned i = 0; i < 3 * OPS_NOTICES; i++) {
        record.command.command = i % 2 ? COMMAND_RESUME : COMMAND_PAUSE;
        harness_record(&b.h, EVENT_command, EVENT_NONE_16, &record);
    }
    size_t count = ops_ring_read(&b.collect->noticed, entries, OPS_NOTICES);
    cr_expect_eq(count, OPS_NOTICES);
    for (size_t i = 1; i < count; i++)
        cr_expect_eq(entries[i].number + 1, entries[i - 1].number);
    ops_bench_close(&b);
}

Test(ops_collect, the_course_is_bounded_and_rises_in_time)
{
    quoting();
    for (int64_t second = 1; second <= OPS_SAMPLES + 50; second++) {
        b.now = SECONDS(second);
        ops_series_add(&b.series, ops_bench_view(&b));
        ops_series_add(&b.series, ops_bench_view(&b));
    }
    size_t count = 0;
    while (ops_series_at(&b.series, count))
        count++;
    cr_expect_eq(count, OPS_SAMPLES);
    cr_expect_eq(ops_series_at(&b.series, 0)->ts, SECONDS(51));
    cr_expect_eq(ops_series_at(&b.series, OPS_SAMPLES - 1)->ts, SECONDS(OPS_SAMPLES + 50));
    ops_bench_close(&b);
}

static double shown_epoch(void)
{
    cJSON *root = cJSON_Parse(ops_bench_dashboard(&b));
    double epoch =
        cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(root, "session"), "epoch"));
    cJSON_Delete(root);
    return epoch;
}

Test(ops_collect, the_session_is_that_of_the_last_start)
{
    const union event_record record = {.start = {.epoch = 3, .seed = 1}};
    ops_bench_init(&b);
    ops_bench_start(&b);
    cr_expect_eq(shown_epoch(), 0);
    harness_record(&b.h, EVENT_start, EVENT_NONE_16, &record);
    cr_expect_eq(shown_epoch(), 3);
    ops_bench_close(&b);
}

/* --- readiness ---------------------------------------------------------------------------------- */

static bool ready_at(int64_t now)
{
    b.now = now;
    return ops_bench_view(&b)->ready;
}

static bool has_reason(enum ops_reason reason)
{
    return ops_bench_view(&b)->reasons >> reason & 1;
}

/* Rule 32's example: kept until 50 s, a pause at 50.1 s. */
Test(ops_collect, rule_32_a_pause_lets_the_age_grow)
{
    ops_bench_init(&b);
    b.h.settings[0].quote_interval = SECONDS(10);
    ops_bench_start(&b);
    cr_expect(!ready_at(0), "before the first quote");
    cr_expect(has_reason(OPS_REASON_NO_QUOTE));
    harness_book(&b.h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    harness_accept(&b.h, 1);
    harness_accept(&b.h, 2);
    harness_run_to(&b.h, SECONDS(50));
    cr_assert_eq(b.collect->last_quote, SECONDS(50), "the cycle of 50 s kept both");
    b.h.now = SECONDS(50) + MILLISECONDS(100);
    harness_command(&b.h, COMMAND_PAUSE);
    harness_run_to(&b.h, SECONDS(79));
    cr_assert_eq(b.collect->last_quote, SECONDS(50));
    cr_expect(ready_at(SECONDS(80) - 1));
    cr_expect_eq(b.view.reasons, 0);
    cr_expect(!ready_at(SECONDS(80)));
    cr_expect(has_reason(OPS_REASON_OLD_QUOTE) && has_reason(OPS_REASON_PAUSED));
    ops_bench_close(&b);
}

Test(ops_collect, an_order_without_an_answer_is_no_kept_quote)
{
    ops_bench_init(&b);
    b.h.settings[0].quote_interval = SECONDS(1);
    b.h.settings[0].order_pending_timeout = SECONDS(60);
    ops_bench_start(&b);
    b.h.now = SECONDS(1);
    harness_book(&b.h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    cr_assert_eq(b.collect->last_quote, SECONDS(1), "what was sent is a quote");
    harness_run_to(&b.h, SECONDS(20));
    cr_expect_eq(b.collect->last_quote, SECONDS(1));
    ops_bench_close(&b);
}

/* E9: another session has the account's lease. Nothing is missing here, so a cluster may end that one. */
Test(ops_collect, standing_by_is_ready_and_says_so)
{
    struct json text = {0};
    struct ops_view view = {0};
    cr_expect(!ops_answer_checks(&text, &view));
    cr_expect(strstr(text.bytes, "\"reasons\":[\"starting\"]"), "%s", text.bytes);
    view.stands_by = true;
    cr_expect(ops_answer_checks(&text, &view));
    cr_expect(strstr(text.bytes, "\"ready\":true"), "%s", text.bytes);
    cr_expect(strstr(text.bytes, "\"coinbase\":null"), "%s", text.bytes);
    cr_expect(strstr(text.bytes, "\"reasons\":[\"standing_by\"]"), "%s", text.bytes);
    view.ended = true;
    cr_expect(!ops_answer_checks(&text, &view), "a shutdown has begun");
    json_free(&text);
}

Test(ops_collect, draining_is_not_ready_whatever_is_quoted)
{
    quoting();
    harness_accept(&b.h, 1);
    ops_bench_run_to(&b, SECONDS(1));
    cr_assert(ready_at(SECONDS(1)));
    ops_collect_drain(b.collect);
    ops_bench_run_to(&b, SECONDS(2));
    cr_expect(!ready_at(SECONDS(2)));
    cr_expect(has_reason(OPS_REASON_DRAINING));
    cr_expect(!ops_answer_checks(&b.text, &b.view));
    cr_expect(strstr(b.text.bytes, "\"reasons\":[\"draining\"]"), "%s", b.text.bytes);
    ops_bench_close(&b);
}

static enum ops_check database_is;
static bool venue_is;
static int64_t venue_alive;

static enum ops_check database(void *context)
{
    (void)context;
    return database_is;
}

static void health(void *context, unsigned venue, struct ops_venue_health *told)
{
    (void)context;
    told->market = venue != 0 || venue_is;
    told->account = true;
    told->alive = venue_alive;
}

static void call_failed(void)
{
    union event_record record = {.breaker_input = {.venue = EVENT_NONE_8, .healthy = false}};
    harness_record(&b.h, EVENT_breaker_input, EVENT_NONE_16, &record);
}

Test(ops_collect, the_databases_breaker_shows)
{
    ops_bench_init(&b);
    b.h.global.database_failures = 2;
    b.h.global.database_timeout = SECONDS(30);
    b.session.database = database;
    database_is = OPS_CHECK_WELL;
    ops_bench_start(&b);
    harness_book(&b.h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    metric("capstan_database_breaker_state 0");
    metric("capstan_database_failures 0");
    cr_expect(!strstr(ops_bench_metrics(&b), "\ncapstan_database_last_failure"), "none yet");
    cr_expect(strstr(ops_bench_dashboard(&b),
                     "\"database\":{\"well\":true,\"state\":\"closed\",\"failures\":0,"
                     "\"last_failure\":null,\"last_failure_ms\":null}"));
    ops_bench_run_to(&b, SECONDS(3));
    call_failed();
    metric("capstan_database_breaker_state 0");
    metric("capstan_database_failures 1");
    ops_bench_run_to(&b, MILLISECONDS(4250));
    call_failed();
    database_is = OPS_CHECK_FAILED;
    metric("capstan_database_breaker_state 1");
    metric("capstan_database_failures 2");
    metric("capstan_database_last_failure_timestamp_seconds 4.250");
    cr_expect(strstr(ops_bench_dashboard(&b),
                     "\"database\":{\"well\":false,\"state\":\"open\",\"failures\":2,"
                     "\"last_failure\":\"1970-01-01T00:00:04.250000000Z\","
                     "\"last_failure_ms\":4250}"),
              "%s", b.text.bytes);
    database_is = OPS_CHECK_NONE;
    cr_expect(!strstr(ops_bench_metrics(&b), "\ncapstan_database_"), "without a database");
    cr_expect(strstr(ops_bench_dashboard(&b), "\"database\":null"));
    ops_bench_close(&b);
}

Test(ops_collect, dropped_lines_of_the_log_count)
{
    static const char line[] = "a line\n";
    const struct log_writer_options options = {.path = "/dev/null", .filter = "info", .lines = 2};
    struct error error = {0};
    struct log log;
    cr_assert_eq(log_writer_open(&log, &options, &error), 0, "%s", error.text);
    ops_bench_init(&b);
    ops_bench_start(&b);
    b.log = &log;
    metric("capstan_log_lines_dropped_total 0");
    for (int i = 0; i < 10000000 && log_writer_dropped(log.writer) == 0; i++)
        log_writer_put(log.writer, line, sizeof line - 1);
    cr_assert_gt(log_writer_dropped(log.writer), 0);
    char told[80];
    snprintf(told, sizeof told, "capstan_log_lines_dropped_total %llu",
             (unsigned long long)log_writer_dropped(log.writer));
    metric(told);
    ops_bench_close(&b);
    log_writer_close(&log, SECONDS(5));
}

Test(ops_collect, d5_checks_by_part)
{
    static const char *const names[] = {"coinbase", "oanda"};
    ops_bench_init(&b);
    b.names.venues = names;
    b.session.database = database;
    b.session.venue_health = health;
    ops_bench_start(&b);
    database_is = OPS_CHECK_WELL;
    venue_is = true;
    cr_expect(ops_answer_checks(&b.text, ops_bench_view(&b)));
    cr_expect_str_eq(b.text.bytes,
                     "{\"ready\":true,\"checks\":{\"database\":true,\"redis\":null,\"exchanges\":"
                     "{\"coinbase\":true,\"binance_us\":null,\"oanda\":true}}}");
    database_is = OPS_CHECK_FAILED;
    cr_expect(!ops_answer_checks(&b.text, ops_bench_view(&b)));
    cr_expect(strstr(b.text.bytes, "\"database\":false"));
    database_is = OPS_CHECK_NONE;
    venue_is = false;
    cr_expect(!ops_answer_checks(&b.text, ops_bench_view(&b)));
    cr_expect(strstr(b.text.bytes, "{\"coinbase\":false,\"binance_us\":null,\"oanda\":true}"));
    venue_is = true;
    venue_alive = SECONDS(1);
    b.now = SECONDS(6) - 1;
    cr_expect(ops_answer_checks(&b.text, ops_bench_view(&b)));
    b.now = SECONDS(6);
    cr_expect(!ops_answer_checks(&b.text, ops_bench_view(&b)), "no answer in time");
    ops_bench_close(&b);
}
