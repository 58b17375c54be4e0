/* What requests meet at the simulated venue, its answers, fees and funds: trading-semantics 9 and
 * 11. Prices and quantities are in tenths, times in milliseconds. */
#include "sim_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

TestSuite(sim_request, .init = setup, .fini = teardown);

/* --- 9 and 11: fees and funds ---------------------------------------------------------------- */

static void spot_at(int64_t bid_price, int64_t ask_price, int64_t quantity)
{
    snapshot(1);
    bench.messages[0].stream = EVENT_STREAM(SPOT, CHANNEL_DEPTH);
    bid(bid_price, quantity);
    ask(ask_price, quantity);
}

Test(sim_request, a_spot_fee_is_in_what_was_received)
{
    struct event_definition *spot = &bench.definitions[SPOT];
    spot->price_exponent = -2;
    spot->quantity_exponent = 0;
    spot->fee_asset = FEE_IN_RECEIVED;
    spot_at(345255, 345255 + 1, 10);
    bench.rows[1].price = 345256;
    strcpy(bench.venue_settings.sim_balances.text, "34525.5 USDT,0 ETH");
    depth(15);
    bench.messages[1].stream = EVENT_STREAM(SPOT, CHANNEL_DEPTH);
    ask(345255, 10);
    bid(345255, 0);
    depth(25);
    bench.messages[2].stream = EVENT_STREAM(SPOT, CHANNEL_DEPTH);
    ask(345255, 0);
    bid(345255, 10);
    send_place(20, place_of(SPOT, 1, SIDE_BUY, 345255, 10));
    run_to(21);
    expect_money(sim_balance(bench.venue, 0, ETH), "9.99");
    expect_money(sim_balance(bench.venue, 0, USDT), "0");
    send_place(30, place_of(SPOT, 2, SIDE_SELL, 345255, 10)); /* 9.99 is less than 10 */
    send_place(31, place_of(SPOT, 3, SIDE_SELL, 345255, 9));
    run_to(32);
    expect_money(sim_balance(bench.venue, 0, ETH), "0.99");
    expect_money(sim_balance(bench.venue, 0, USDT), "31041.87705"); /* 31,072.95 - 31.07295 */
    cr_assert_eq(stats()->order_rejects[REJECT_FUNDS], 1);
}

Test(sim_request, selling_ten_costs_the_fee_of_the_rule)
{
    struct event_definition *spot = &bench.definitions[SPOT];
    spot->price_exponent = -2;
    spot->quantity_exponent = 0;
    spot->fee_asset = FEE_IN_RECEIVED;
    strcpy(bench.venue_settings.sim_balances.text, "10 ETH");
    spot_at(345255, 345256, 10);
    send_place(20, place_of(SPOT, 1, SIDE_SELL, 345255, 10));
    run_to(21);
    expect_money(sim_balance(bench.venue, 0, USDT), "34490.9745"); /* 34,525.50 - 34.5255 */
    expect_money(sim_balance(bench.venue, 0, ETH), "0");
}

Test(sim_request, fees_round_against_us)
{
    bench.definitions[LINEAR].quote_commission_exponent = -2;
    bench.definitions[LINEAR].maker_fee = -100000; /* a rebate of 1 bp */
    two_asks();
    sell_trade(20, 989, 30);
    place_as(10, 1, SIDE_BUY, 1010, 13, TIME_IN_FORCE_IOC, false);
    place(11, 2, SIDE_BUY, 990, 10);
    run_to(100);
    expect("10 accepted #1\n"
           "10 fill #1 1.0@100.0 take left 0.3 fee 0.1 USDT\n"
           "10 fill #1 0.3@101.0 take left 0.0 fee 0.04 USDT\n" /* 0.0303 */
           "11 accepted #2\n"
           "20 fill #2 1.0@99.0 through left 0.0\n"); /* -0.0099 is 0 */
}

Test(sim_request, an_inverse_fee_is_in_coin)
{
    struct event_definition *inverse = &bench.definitions[INVERSE];
    inverse->quantity_exponent = 0;
    inverse->multiplier = 100;
    inverse->taker_fee = 500000; /* 5 bp */
    snapshot(1);
    bench.messages[0].stream = EVENT_STREAM(INVERSE, CHANNEL_DEPTH);
    ask(618000, 10);
    send_place(10, place_of(INVERSE, 1, SIDE_BUY, 618000, 10));
    run_to(20);
    /* 10 x 100 / 61,800.0 = 0.01618123; x 0.0005 = 0.000008090615 */
    expect("10 accepted #1\n"
           "10 fill #1 1.0@61800.0 take left 0.0 fee 0.0000081 ETH\n");
}

Test(sim_request, resting_orders_hold_funds_until_their_cancel_arrives)
{
    bench.venue_settings.sim_entry_latency = ms(5);
    strcpy(bench.venue_settings.sim_balances.text, "1000 USDT");
    bench.definitions[SPOT].taker_fee = 0;
    spot_at(990, 1010, 10);
    send_place(10, place_of(SPOT, 1, SIDE_BUY, 900, 100));
    send_place(20, place_of(SPOT, 2, SIDE_BUY, 1000, 20));
    union event_record record = {.cancel = {.instrument = SPOT, .order = 1}};
    submit(30, EVENT_cancel, &record, SPOT);
    send_place(31, place_of(SPOT, 3, SIDE_BUY, 1000, 100));
    run_to(100);
    expect("15 accepted #1\n"
           "25 rejected #2 insufficient_funds\n"
           "35 cancelled #1 left 100 requested\n"
           "36 accepted #3\n");
}

/* --- amounts that nobody has: bad input, never the end of the process ---------------------------- */

#define TOO_MUCH "the simulated venue's account comes to more than it can hold"

Test(sim_request, a_balance_that_passes_all_money_ends_the_run)
{
    strcpy(bench.venue_settings.sim_balances.text, "170000000000000000000 USDT,100000000000 ETH");
    spot_at(1000000000, 1000000001, 100000000000);
    send_place(20, place_of(SPOT, 1, SIDE_SELL, 1000000000, 100000000000)); /* 1e18 */
    run_to_error(21, "v1:ETHUSDT: " TOO_MUCH);
}

Test(sim_request, a_position_that_passes_all_numbers_ends_the_run)
{
    snapshot(1);
    bid(1, 1);
    ask(2, INT64_MAX);
    depth(35);
    ask(2, INT64_MAX);
    send_place(20, place_of(LINEAR, 1, SIDE_BUY, 2, INT64_C(5000000000000000000)));
    send_place(30, place_of(LINEAR, 2, SIDE_BUY, 2, INT64_C(4000000000000000000)));
    send_place(40, place_of(LINEAR, 3, SIDE_BUY, 2, INT64_C(4000000000000000000)));
    run_to_error(41, "v1:ETHPERP: " TOO_MUCH);
}

/* What an order holds back is reckoned anew after each fill, at the fees of that time. */
Test(sim_request, a_reserve_that_new_fees_make_too_much_ends_the_run)
{
    const int64_t price = INT64_C(1000000000), quantity = INT64_C(10000000000000);
    struct event_definition dear = bench.definitions[SPOT];
    strcpy(bench.venue_settings.sim_balances.text, "");
    bench.definitions[SPOT].taker_fee = 0;
    spot_at(price, price + 1, 10);
    dear.maker_fee = INT64_C(900000000000); /* 900 times */
    struct message *message = tell(EVENT_definition, CHANNEL_REFERENCE, 31, 30);
    message->stream = EVENT_STREAM(SPOT, CHANNEL_REFERENCE);
    message->rows = NULL;
    bench.records[bench.message_count - 1].definition = dear;
    sell_trade(40, price - 1, 1);
    bench.messages[bench.message_count - 1].stream = EVENT_STREAM(SPOT, CHANNEL_TRADE);
    send_place(20, place_of(SPOT, 1, SIDE_BUY, price, quantity)); /* 1e20, and 9e22 of fee */
    run_to(25);
    run_to_error(50, "v1:ETHUSDT: " TOO_MUCH);
}

/* A fee that takes all that was bought: with each buy there is as much of it again. */
Test(sim_request, fees_in_base_that_pass_all_numbers_end_the_run)
{
    const int64_t much = INT64_C(6000000000000000000);
    struct event_definition *spot = &bench.definitions[SPOT];
    strcpy(bench.venue_settings.sim_balances.text, "");
    spot->fee_asset = FEE_IN_RECEIVED;
    spot->taker_fee = 1000000000;
    snapshot(1);
    bench.messages[0].stream = EVENT_STREAM(SPOT, CHANNEL_DEPTH);
    bid(1, INT64_MAX);
    ask(2, INT64_MAX);
    depth(25);
    bench.messages[1].stream = EVENT_STREAM(SPOT, CHANNEL_DEPTH);
    bid(1, INT64_MAX);
    ask(2, INT64_MAX);
    send_place(10, place_of(SPOT, 1, SIDE_BUY, 2, much));
    send_place(20, place_of(SPOT, 2, SIDE_SELL, 1, much));
    send_place(30, place_of(SPOT, 3, SIDE_BUY, 2, much));
    send_place(40, place_of(SPOT, 4, SIDE_SELL, 1, much));
    union event_record record = {.request_snapshot = {.venue = 0}};
    submit(50, EVENT_request_snapshot, &record, SPOT);
    run_to_error(51, "v1:ETHUSDT: " TOO_MUCH);
}

/* What no instrument can become: of its market nothing is known any more. */
Test(sim_request, a_definition_that_no_instrument_can_have_is_refused)
{
    static const struct {
        int64_t tick, lot;
        uint16_t base;
        uint8_t venue;
    } bad[] = {
        {0, 1, ETH, 0}, {1, 0, ETH, 0}, {INT64_MAX, 1, ETH, 0}, {1, 1, 999, 0}, {1, 1, ETH, 200}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        setup();
        snapshot(1);
        bid(1000, 10);
        ask(1010, 10);
        tell(EVENT_definition, CHANNEL_REFERENCE, 11, 10)->rows = NULL;
        struct event_definition *next = &bench.records[1].definition;
        *next = bench.definitions[LINEAR];
        next->tick = bad[i].tick;
        next->lot = bad[i].lot;
        next->base = bad[i].base;
        next->venue = bad[i].venue;
        place(20, 1, SIDE_BUY, 900, 10);
        run_to(21);
        expect("20 rejected #1 no_book\n");
        teardown();
    }
    setup();
}

/* --- requests -------------------------------------------------------------------------------- */

Test(sim_request, orders_off_the_grid_or_too_small_are_refused)
{
    bench.definitions[LINEAR].tick = 5;
    bench.definitions[LINEAR].lot = 2;
    cr_assert(money_from_units(10, 0, &bench.definitions[LINEAR].minimum_notional));
    two_asks();
    place(10, 1, SIDE_BUY, 981, 10);
    place(11, 2, SIDE_BUY, 980, 11);
    place(12, 3, SIDE_BUY, 5, 2);
    place(13, 4, SIDE_BUY, 0, 10);
    place(14, 5, SIDE_BUY, 980, 0);
    struct event_place nan = place_of(LINEAR, 6, SIDE_BUY, 0, 10);
    nan.price.status = NUMBER_NAN;
    send_place(15, nan);
    place(16, 7, SIDE_BUY, 980, 10);
    place(17, 7, SIDE_BUY, 980, 10);
    run_to(100);
    expect("10 rejected #1 off_tick\n"
           "11 rejected #2 off_lot\n"
           "12 rejected #3 minimum_notional\n"
           "13 rejected #4 bad_price\n"
           "14 rejected #5 bad_quantity\n"
           "15 rejected #6 bad_price\n"
           "16 accepted #7\n"
           "17 rejected #7 duplicate_id\n");
}

Test(sim_request, without_a_book_or_trading_no_order_is_taken)
{
    snapshot(20);
    bid(990, 10);
    tell(EVENT_instrument_status, CHANNEL_REFERENCE, 31, 30)->record = &(union event_record){
        .instrument_status = {.instrument = LINEAR, .trading = TRADING_HALTED}};
    sell_trade(40, 900, 50);
    place(10, 1, SIDE_BUY, 990, 10);
    place(25, 2, SIDE_BUY, 990, 10);
    place(35, 3, SIDE_BUY, 990, 10);
    cancel(50, 2);
    run_to(100);
    expect("10 rejected #1 no_book\n"
           "25 accepted #2\n"
           "35 rejected #3 halted\n"
           "50 cancelled #2 left 10 requested\n");
}

Test(sim_request, cancel_only_takes_no_modify_not_even_in_place)
{
    snapshot(20);
    bid(990, 10);
    tell(EVENT_instrument_status, CHANNEL_REFERENCE, 31, 30)->record = &(union event_record){
        .instrument_status = {.instrument = LINEAR, .trading = TRADING_CANCEL_ONLY}};
    sell_trade(60, 900, 50);
    place(25, 1, SIDE_BUY, 980, 10);
    modify(28, 1, SIDE_BUY, 980, 8);
    modify(35, 1, SIDE_BUY, 980, 5);
    modify(36, 1, SIDE_BUY, 0, 5); /* halted comes before what is wrong with it */
    run_to(100);
    expect("25 accepted #1\n"
           "28 modified #1 8@980\n"
           "35 modify rejected #1 halted\n"
           "36 modify rejected #1 halted\n");
}

Test(sim_request, a_full_venue_refuses_and_ended_orders_make_room)
{
    bench.global.orders_capacity = 2;
    two_asks();
    place(10, 1, SIDE_BUY, 980, 10);
    place(11, 2, SIDE_BUY, 980, 10);
    place(12, 3, SIDE_BUY, 980, 10);
    cancel(13, 1);
    for (int i = 0; i < 20; i++) {
        place(14 + i, 4 + i, SIDE_BUY, 980, 10);
        cancel(14.5 + i, 4 + i);
    }
    run_to(100);
    cr_assert_eq(strncmp(bench.log,
                         "10 accepted #1\n11 accepted #2\n12 rejected #3 venue_full\n"
                         "13 cancelled #1 left 10 requested\n14 accepted #4\n",
                         90),
                 0, "%s", bench.log);
    cr_assert_eq(stats()->order_rejects[REJECT_FULL], 1);
    cr_assert_eq(stats()->requests, 44);
}

Test(sim_request, a_cancel_that_arrives_after_the_fill_is_refused)
{
    bench.venue_settings.sim_entry_latency = ms(5);
    bench.venue_settings.sim_answer_latency = ms(5);
    two_asks();
    sell_trade(104, 980, 10);
    place(10, 1, SIDE_BUY, 990, 10);
    place(11, 2, SIDE_BUY, 980, 10);
    cancel(100, 1);
    cancel(110, 1);
    cancel(111, 9);
    cancel(112, 2);
    run_to(200);
    expect("20 accepted #1\n"
           "21 accepted #2\n"
           "109 fill #1 1.0@99.0 through left 0.0\n"
           "110 cancel rejected #1 already_filled\n"
           "120 cancel rejected #1 already_filled\n"
           "121 cancel rejected #9 not_found\n"
           "122 cancelled #2 left 10 requested\n");
}

Test(sim_request, a_smaller_size_keeps_the_place_a_larger_one_or_a_price_does_not)
{
    level_of_ten();
    sell_trade(20, 1000, 90); /* ahead 1 */
    depth(21);
    bid(1000, 50); /* 4 joined behind us */
    sell_trade(40, 1000, 20);
    sell_trade(60, 1000, 45); /* ahead 5, then 4 shown */
    place(10, 1, SIDE_BUY, 1000, 20);
    modify(30, 1, SIDE_BUY, 1000, 15);
    modify(50, 1, SIDE_BUY, 1000, 30);
    run_to(55);
    expect("10 accepted #1\n"
           "30 modified #1 15@1000\n"
           "40 fill #1 1.0@100.0 queue left 0.5\n"
           "50 modified #1 30@1000\n");
    run_to(100);
    cr_assert_eq(stats()->fills_by_cause[FILL_QUEUE], 1, "%s", bench.log);
}

Test(sim_request, a_modified_price_starts_again_and_may_take)
{
    two_asks();
    sell_trade(40, 984, 3);
    place(10, 1, SIDE_BUY, 980, 20);
    modify(20, 1, SIDE_BUY, 985, 10);
    modify(50, 1, SIDE_BUY, 1000, 17);
    modify(60, 1, SIDE_SELL, 1000, 17);
    run_to(100);
    expect("10 accepted #1\n"
           "20 modified #1 10@985\n"
           "40 fill #1 0.3@98.5 through left 0.7\n"
           "50 modified #1 17@1000\n"
           "50 fill #1 1.0@100.0 take left 0.7 fee 0.1 USDT\n"
           "60 modify rejected #1 other\n");
}

Test(sim_request, a_modify_counts_fills_its_sender_did_not_know)
{
    bench.venue_settings.sim_entry_latency = ms(5);
    bench.venue_settings.sim_answer_latency = ms(5);
    two_asks();
    sell_trade(100, 980, 6);
    sell_trade(120, 980, 4);
    place(10, 1, SIDE_BUY, 990, 10);
    modify(99, 1, SIDE_BUY, 985, 10); /* meanwhile 0.6 fill: 0.4 are left to move */
    modify(118, 1, SIDE_BUY, 985, 2); /* known now; 0.4 fill meanwhile */
    run_to(200);
    expect("20 accepted #1\n"
           "105 fill #1 0.6@99.0 through left 0.4\n"
           "109 modified #1 4@985\n"
           "125 fill #1 0.4@98.5 through left 0.0\n"
           "128 modify rejected #1 already_filled\n");
}

Test(sim_request, a_modify_after_a_restart_counts_what_was_asked_for_as_known)
{
    bench.venue_settings.sim_answer_latency = ms(5);
    struct error error;
    two_asks();
    sell_trade(100, 980, 6);
    run_to(5);
    cr_assert_eq(bench.venue->start(bench.venue, ms(5), &error), 0);
    place(10, 1, SIDE_BUY, 990, 10);
    run_to(103); /* 0.6 are filled, and the answer is on its way when the engine dies */
    cr_assert_eq(bench.venue->start(bench.venue, ms(103), &error), 0);
    run_to(103);
    union event_record query = {.query = {.instrument = LINEAR, .order = 1}};
    submit(110, EVENT_query, &query, LINEAR);
    modify(120, 1, SIDE_BUY, 985, 4); /* as it was told by the query: nothing more comes off */
    submit(130, EVENT_query, &query, LINEAR);
    modify(140, 1, SIDE_BUY, 980, 3); /* told again, known once */
    run_to(200);
    expect("5 balance\n"
           "5 balance\n"
           "5 snapshot_end\n"
           "15 accepted #1\n"
           "103 venue_position\n"
           "103 venue_position\n"
           "103 open_order\n"
           "103 venue_position\n"
           "103 snapshot_end\n"
           "115 fill #1 0.6@99.0 through left 0.4\n"
           "115 order_status\n"
           "125 modified #1 4@985\n"
           "135 fill #1 0.6@99.0 through left 0.4\n"
           "135 order_status\n"
           "145 modified #1 3@980\n");
}

Test(sim_request, a_modify_of_post_only_that_would_cross_leaves_the_order)
{
    two_asks();
    place_as(10, 1, SIDE_BUY, 980, 20, TIME_IN_FORCE_GTC, true);
    modify(20, 1, SIDE_BUY, 1000, 20);
    cancel(30, 1);
    modify(40, 1, SIDE_BUY, 980, 20);
    run_to(100);
    expect("10 accepted #1\n"
           "20 modify rejected #1 post_only_would_cross\n"
           "30 cancelled #1 left 20 requested\n"
           "40 modify rejected #1 not_found\n");
}

Test(sim_request, a_query_tells_of_the_order_or_that_there_is_none)
{
    two_asks();
    place(10, 1, SIDE_BUY, 980, 20);
    union event_record one = {.query = {.instrument = LINEAR, .order = 1}};
    union event_record two = {.query = {.instrument = LINEAR, .order = 2}};
    submit(20, EVENT_query, &one, LINEAR);
    submit(21, EVENT_query, &two, LINEAR);
    run_to(100);
    expect("10 accepted #1\n"
           "20 order_status\n"
           "21 order_not_found\n");
}

/* --- answers --------------------------------------------------------------------------------- */

Test(sim_request, answers_keep_their_order_and_the_engine_may_answer_each)
{
    bench.venue_settings.sim_answer_latency = ms(10);
    struct error error;
    two_asks();
    sell_trade(35, 985, 10);
    place(10, 1, SIDE_BUY, 985, 10);
    place(11, 2, SIDE_BUY, 980, 10);
    /* Advance far: the venue must stop where the engine could still act. */
    cr_assert_eq(bench.venue->advance(bench.venue, ms(200), &error), 0);
    cr_assert_eq(bench.venue->next(bench.venue), ms(20));
    const struct message *answer = bench.venue->answer(bench.venue, ms(200));
    cr_assert_eq(answer->ts_local, ms(20));
    cr_assert_eq(answer->ts_venue, ms(10));
    cr_assert_eq(answer->stream, EVENT_STREAM(LINEAR, CHANNEL_SESSION));
    union event_record record = {.cancel = {.instrument = LINEAR, .order = 1}};
    struct message decision = {.ts_local = ms(20),
                               .stream = EVENT_STREAM(LINEAR, CHANNEL_SESSION),
                               .kind = EVENT_cancel,
                               .record = &record};
    cr_assert_eq(bench.venue->submit(bench.venue, &decision, &error), 0);
    run_to(200);
    expect("21 accepted #2\n"
           "30 cancelled #1 left 10 requested\n"); /* before the trade at 35 */
}

Test(sim_request, the_account_snapshot_stands_at_the_start)
{
    bench.venue_settings.sim_answer_latency = ms(10);
    struct error error;
    two_asks();
    run_to(50);
    cr_assert_eq(bench.venue->start(bench.venue, ms(50), &error), 0);
    run_to(50);
    expect("50 balance\n"
           "50 balance\n"
           "50 snapshot_end\n");
}

Test(sim_request, what_is_due_after_the_end_is_counted)
{
    bench.venue_settings.sim_entry_latency = ms(10);
    bench.venue_settings.sim_answer_latency = ms(10);
    struct error error;
    two_asks();
    place(10, 1, SIDE_BUY, 980, 10);
    place(25, 2, SIDE_BUY, 980, 10);
    run_to(29);
    cr_assert_eq(bench.venue->finish(bench.venue, &error), 0);
    expect("");
    cr_assert_eq(stats()->answers_lost, 1);
    cr_assert_eq(stats()->requests_lost, 1);
    cr_assert_eq(stats()->orders_open, 1);
}

/* --- settings -------------------------------------------------------------------------------- */

static void expect_balances_refused(const char *text, const char *sentence)
{
    struct error error;
    struct venue *venue = NULL;
    snprintf(bench.venue_settings.sim_balances.text, sizeof bench.venue_settings.sim_balances.text,
             "%s", text);
    if (!bench.feed)
        cr_assert_eq(memory_feed_open(&bench.feed, bench.messages, 0, &error), 0);
    struct sim_options options = {.feed = bench.feed,
                                  .names = &bench.names,
                                  .global = &bench.global,
                                  .venues = &bench.venue_settings,
                                  .instruments = bench.instrument_settings};
    cr_assert_eq(sim_open(&venue, &options, &error), ERROR_INPUT);
    cr_assert_str_eq(error.text, sentence);
    cr_assert_null(venue);
}

Test(sim_request, balances_that_can_not_be_read_are_refused)
{
    expect_balances_refused("10 XYZ", "sim.balances of v1: the tape has no asset 'XYZ'");
    expect_balances_refused("1 ETH, 2 ETH", "sim.balances of v1: 'ETH' stands there twice");
    expect_balances_refused("1 ETH 2 USDT", "sim.balances of v1: expected a comma before '2 USDT'");
    expect_balances_refused("nan ETH", "sim.balances of v1: 'nan' is no amount; expected "
                                       "\"100000 USDT, 1.5 BTC\"");
    expect_balances_refused("-1 ETH", "sim.balances of v1: '-1' is no amount; expected "
                                      "\"100000 USDT, 1.5 BTC\"");
}

Test(sim_request, a_book_that_is_too_small_ends_the_run)
{
    struct error error;
    snapshot(1);
    for (int i = 0; i < 70; i++)
        ask(1000 + 100000 * i, 1);
    run_to(0.5);
    cr_assert_eq(bench.venue->advance(bench.venue, ms(10), &error), ERROR_INPUT);
    cr_assert_str_eq(
        error.text, "book.far_levels of v1:ETHPERP: the simulated venue's book needs more than 64");
}

/* --- replace --------------------------------------------------------------------------------- */

Test(sim_request, a_replace_is_a_cancel_and_then_a_new_order)
{
    level_of_ten();
    place(10, 1, SIDE_BUY, 1000, 20);
    replace(20, 1, 2, SIDE_BUY, 995, 30);
    run_to(30);
    expect("10 accepted #1\n"
           "20 cancelled #1 left 20 replaced\n"
           "20 accepted #2\n");
}

Test(sim_request, where_the_old_order_is_gone_the_new_one_is_not_sent)
{
    level_of_ten();
    place(10, 1, SIDE_BUY, 1010, 20); /* takes at once */
    replace(20, 1, 2, SIDE_BUY, 995, 30);
    replace(21, 7, 3, SIDE_BUY, 995, 30);
    cancel(22, 2);
    run_to(30);
    expect("10 accepted #1\n"
           "10 fill #1 2.0@101.0 take left 0.0 fee 0.202 USDT\n"
           "20 cancel rejected #1 already_filled\n"
           "20 rejected #2 replaced_order_stays\n"
           "21 cancel rejected #7 not_found\n"
           "21 rejected #3 replaced_order_stays\n"
           "22 cancel rejected #2 not_found\n");
}

Test(sim_request, a_replace_whose_new_order_is_refused_has_cancelled_the_old)
{
    level_of_ten();
    place(10, 1, SIDE_BUY, 1000, 20);
    replace(20, 1, 2, SIDE_BUY, 1010, 30); /* post-only, and would cross */
    cancel(21, 1);
    run_to(30);
    expect("10 accepted #1\n"
           "20 cancelled #1 left 20 replaced\n"
           "20 rejected #2 post_only_would_cross\n"
           "21 cancel rejected #1 not_found\n");
}
