/* A venue's fees against what its rates come to: both figures in the log, and a count. */
#include "config.h" /* open_memstream */

#include "live/fees.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_harness.h"

static struct harness h;
static struct fees *fees;
static struct log session_log;
static char *logged;
static size_t logged_length;

static void before(void *context, const struct message *message)
{
    (void)context;
    fees_take(fees, h.engine, message);
}

static void after(void *context)
{
    (void)context;
    fees_stepped(fees, h.engine);
}

static void open_fees(void)
{
    static const char *const venues[] = {"v1"}, *const assets[] = {"BTC", "USD", "BNB"},
                             *const symbols[] = {"BTC-USD"};
    struct error error = {0};
    harness_init(&h);
    struct event_definition *definition = &h.definitions[0];
    definition->contract = CONTRACT_SPOT;
    definition->quote = definition->settle = 1;
    definition->maker_fee = 1000000; /* 0.1 % */
    definition->taker_fee = 2000000;
    definition->fee_asset = FEE_IN_QUOTE;
    definition->base_commission_exponent = definition->quote_commission_exponent = -8;
    const struct event_names names = {.venue_count = 1,
                                      .asset_count = 3,
                                      .instrument_count = 1,
                                      .venues = venues,
                                      .assets = assets,
                                      .symbols = symbols,
                                      .definitions = h.definitions};
    static struct event_names kept;
    kept = names;
    FILE *file = open_memstream(&logged, &logged_length);
    cr_assert_eq(log_init(&session_log, file, "info", &error), 0);
    cr_assert_eq(fees_open(&fees, &kept, &session_log, &error), 0);
    h.before = before;
    h.after = after;
    harness_start(&h);
}

static void close_fees(void)
{
    fees_close(&fees);
    fclose(session_log.file);
    free(logged);
    harness_close(&h);
}

TestSuite(fees, .init = open_fees, .fini = close_fees);

/* Buy 2.000 at 100.0, which is worth 200 USD. */
static void fill(const char *trade, const char *fee, uint16_t asset, enum liquidity liquidity)
{
    union event_record record = {.order_filled = {.order = 7,
                                                  .side = SIDE_BUY,
                                                  .price = {1000, NUMBER_VALUE},
                                                  .quantity = {2000, NUMBER_VALUE},
                                                  .leaves = {0, NUMBER_VALUE},
                                                  .liquidity = (uint8_t)liquidity,
                                                  .fee_asset = asset}};
    record.order_filled.trade.length = (uint8_t)strlen(trade);
    memcpy(record.order_filled.trade.bytes, trade, strlen(trade));
    money_from_text(fee, strlen(fee), &record.order_filled.fee);
    harness_record(&h, EVENT_order_filled, 0, &record);
}

Test(fees, what_the_rates_come_to_is_no_difference)
{
    fill("t1", "0.2", 1, LIQUIDITY_MAKER);
    fill("t2", "0.4", 1, LIQUIDITY_TAKER);
    fill("t3", "0.20000001", 1, LIQUIDITY_MAKER); /* a unit of its precision */
    cr_expect_eq(fees_different(fees), 0);
}

Test(fees, another_figure_is_told_with_both)
{
    fill("t1", "0.3", 1, LIQUIDITY_MAKER);
    cr_expect_eq(fees_different(fees), 1);
    fill("t1", "0.3", 1, LIQUIDITY_MAKER); /* the same again counts once */
    cr_expect_eq(fees_different(fees), 1);
    fill("t2", "0.2", 2, LIQUIDITY_MAKER); /* in another asset */
    cr_expect_eq(fees_different(fees), 2);
    fflush(session_log.file);
    cr_expect_not_null(strstr(logged, "\"venue_fee\":\"0.3\",\"venue_asset\":\"USD\",\"our_fee\":"
                                      "\"0.2\",\"our_asset\":\"USD\",\"different\":1"));
}

/* A tier that changes is told as a definition: from then on its rates count. */
Test(fees, a_new_tier)
{
    union event_record record = {.definition = h.definitions[0]};
    record.definition.maker_fee = 1500000;
    harness_record(&h, EVENT_definition, 0, &record);
    fill("t1", "0.3", 1, LIQUIDITY_MAKER);
    cr_expect_eq(fees_different(fees), 0);
}

/* Buy 1 at most at 99.0, filled at 100.0: a warning, once; at its limit, or of an order that nobody knows, none. */
Test(fees, a_fill_beyond_its_limit_is_told)
{
    h.now = 1;
    harness_book(&h, 0, EVENT_snapshot, 1000, 50, 1005, 50);
    const struct order *order = harness_order(&h, 1);
    cr_assert_eq(order->side, SIDE_BUY);
    const int64_t limit = order->price;
    for (int i = 0; i < 3; i++) { /* at it, beyond it, that again */
        union event_record record = {.order_filled = {.order = order->id,
                                                      .side = SIDE_BUY,
                                                      .price = {limit + (i > 0), NUMBER_VALUE},
                                                      .quantity = {1, NUMBER_VALUE},
                                                      .trade = {.length = 1, .bytes = {i > 0}},
                                                      .fee_asset = 1}};
        harness_record(&h, EVENT_order_filled, 0, &record);
    }
    cr_expect_eq(fees_beyond(fees), 1);
    fill("t1", "0.2", 1, LIQUIDITY_MAKER);
    cr_expect_eq(fees_beyond(fees), 1);
    fflush(session_log.file);
    cr_expect_not_null(
        strstr(logged, "\"side\":\"buy\",\"price\":\"99.1\",\"limit\":\"99.0\",\"beyond\":1"), "%s",
        logged);
}
