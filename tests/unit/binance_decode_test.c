/* Binance frames as fields, what is refused, and the sequence rules of a book. */
#include "venue/live/binance_decode.h"

#include <criterion/criterion.h>
#include <string.h>

#include "venue/live/binance_sync.h"

static struct binance_frame frame;
static struct error error;

static int decode(const char *text)
{
    memset(&error, 0, sizeof error);
    return binance_decode(&frame, text, strlen(text), &error);
}

static void free_frame(void)
{
    binance_frame_free(&frame);
}

static void expect_level(size_t index, const char *price, const char *quantity)
{
    cr_assert_lt(index, frame.level_count);
    cr_expect_str_eq(frame.levels[index].price.bytes, price);
    cr_expect_str_eq(frame.levels[index].quantity.bytes, quantity);
}

static void expect_market(const char *text, enum binance_kind kind, unsigned market)
{
    cr_assert_eq(decode(text), 0, "%s", error.text);
    cr_expect_eq(frame.kind, kind, "%s", text);
    cr_expect_eq(frame.market, market, "%s", text);
}

Test(binance_decode, market_is_told_by_the_frame, .fini = free_frame)
{
    expect_market("{\"e\":\"depthUpdate\",\"E\":2,\"s\":\"A\",\"U\":1,\"u\":2,\"b\":[],\"a\":[]}",
                  BINANCE_DEPTH, BINANCE_SPOT);
    expect_market("{\"e\":\"depthUpdate\",\"E\":2,\"T\":1,\"s\":\"A\",\"U\":1,\"u\":2,\"pu\":0,"
                  "\"b\":[],\"a\":[]}",
                  BINANCE_DEPTH, BINANCE_USDM);
    expect_market("{\"e\":\"depthUpdate\",\"s\":\"A\",\"ps\":\"A\",\"U\":1,\"u\":2,\"pu\":0,"
                  "\"b\":[],\"a\":[]}",
                  BINANCE_DEPTH, BINANCE_COINM);
    expect_market("{\"u\":1,\"s\":\"A\",\"b\":\"1\",\"B\":\"2\",\"a\":\"3\",\"A\":\"4\"}",
                  BINANCE_TOP, BINANCE_SPOT);
    cr_expect_not(frame.has_venue_time);
    expect_market("{\"e\":\"bookTicker\",\"u\":1,\"s\":\"A\",\"b\":\"1\",\"B\":\"2\",\"a\":\"3\","
                  "\"A\":\"4\",\"T\":5,\"E\":6}",
                  BINANCE_TOP, BINANCE_USDM);
    expect_market("{\"e\":\"bookTicker\",\"u\":1,\"s\":\"A\",\"ps\":\"A\",\"b\":\"1\",\"B\":\"2\","
                  "\"a\":\"3\",\"A\":\"4\",\"T\":5,\"E\":6}",
                  BINANCE_TOP, BINANCE_COINM);
    expect_market("{\"e\":\"trade\",\"s\":\"A\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"T\":5,\"m\":true,"
                  "\"M\":true}",
                  BINANCE_TRADE, BINANCE_SPOT);
    expect_market("{\"e\":\"trade\",\"s\":\"A\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"X\":\"MARKET\","
                  "\"m\":true}",
                  BINANCE_TRADE, BINANCE_FUTURES);
    expect_market("{\"lastUpdateId\":1,\"bids\":[],\"asks\":[]}", BINANCE_SNAPSHOT, BINANCE_SPOT);
    expect_market("{\"lastUpdateId\":1,\"E\":2,\"T\":3,\"bids\":[],\"asks\":[]}", BINANCE_SNAPSHOT,
                  BINANCE_USDM);
    expect_market("{\"lastUpdateId\":1,\"symbol\":\"A\",\"pair\":\"A\",\"bids\":[],\"asks\":[]}",
                  BINANCE_SNAPSHOT, BINANCE_COINM);
}

Test(binance_decode, fields_of_depth, .fini = free_frame)
{
    cr_assert_eq(
        decode("{\"stream\":\"x@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1700000000"
               "001,\"T\":1700000000000,\"s\":\"BTCUSDT\",\"U\":9007199254740990,\"u\":"
               "9007199254740991,\"pu\":7,\"b\":[[\"1.50\",\"0\"]],\"a\":[[\"2\",\"3\"],"
               "[\"NaN\",\"\"]]}}"),
        0);
    cr_expect_str_eq(frame.symbol, "BTCUSDT");
    cr_expect_eq(frame.first_id, UINT64_C(9007199254740990));
    cr_expect_eq(frame.last_id, UINT64_C(9007199254740991));
    cr_expect_eq(frame.previous_id, 7);
    cr_expect_eq(frame.venue_time_ns, INT64_C(1700000000000000000));
    cr_expect_eq(frame.level_count, 3);
    cr_expect_eq(frame.bid_count, 1);
    expect_level(0, "1.50", "0");
    expect_level(1, "2", "3");
    expect_level(2, "NaN", "");
}

Test(binance_decode, fields_of_a_trade, .fini = free_frame)
{
    cr_assert_eq(
        decode("{\"e\":\"trade\",\"E\":1700000000001000,\"s\":\"A\",\"t\":12,\"p\":\"1.5\","
               "\"q\":\"2\",\"X\":\"INSURANCE_FUND\",\"m\":false} \r"),
        0);
    cr_expect_eq(frame.last_id, 12);
    cr_expect(frame.not_market);
    cr_expect_not(frame.seller_aggressor);
    /* Sixteen digits are microseconds. */
    cr_expect_eq(frame.venue_time_ns, INT64_C(1700000000001000000));
    expect_level(0, "1.5", "2");
}

Test(binance_decode, other_frames, .fini = free_frame)
{
    cr_assert_eq(decode("{\"result\":null,\"id\":1}"), 0);
    cr_expect_eq(frame.kind, BINANCE_OTHER);
    cr_assert_eq(decode("{\"e\":\"markPriceUpdate\",\"E\":1,\"s\":\"A\",\"p\":\"1\"}"), 0);
    cr_expect_eq(frame.kind, BINANCE_OTHER);
    cr_expect_str_eq(frame.name, "markPriceUpdate");
    cr_assert_eq(decode("{\"stream\":\"a@depth20\",\"data\":{\"lastUpdateId\":1,\"bids\":[],"
                        "\"asks\":[]}}"),
                 0);
    cr_expect_str_eq(frame.name, "partial_depth");
}

/* Each: frame, what the error must name. */
static const char *const refused[][2] = {
    {"", "expected one JSON object"},
    {"[]", "expected one JSON object"},
    {"{} {}", "expected one JSON object"},
    {"{\"e\":\"trade\"", "expected one JSON object"},
    {"{\"a\":1}", "expected a Binance frame"},
    {"{\"e\":1}", "field e"},
    {"{\"stream\":\"x\",\"data\":[]}", "field data"},
    {"{\"stream\":1,\"data\":{}}", "field stream"},
    {"{\"e\":\"depthUpdate\",\"U\":1,\"u\":2,\"b\":[],\"a\":[]}", "field s"},
    {"{\"e\":\"depthUpdate\",\"s\":\"a b\",\"U\":1,\"u\":2,\"b\":[],\"a\":[]}", "field s"},
    {"{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":-1,\"u\":2,\"b\":[],\"a\":[]}", "field U"},
    {"{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":1.5,\"u\":2,\"b\":[],\"a\":[]}", "field U"},
    {"{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":3,\"u\":2,\"b\":[],\"a\":[]}", "field u"},
    {"{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":1,\"u\":9007199254740992,\"b\":[],\"a\":[]}",
     "field u"},
    {"{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":1,\"u\":2,\"b\":{},\"a\":[]}", "field b"},
    {"{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":1,\"u\":2,\"b\":[],\"a\":[[\"1\"]]}", "field a[0]"},
    {"{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":1,\"u\":2,\"b\":[],\"a\":[[\"1\",2]]}",
     "field a[0]"},
    {"{\"e\":\"depthUpdate\",\"s\":\"A\",\"U\":1,\"u\":2,\"b\":[[\"1\\u00002\",\"1\"]],\"a\":[]}",
     "expected one JSON object"},
    {"{\"e\":\"depthUpdate\",\"E\":\"1\",\"s\":\"A\",\"U\":1,\"u\":2,\"b\":[],\"a\":[]}",
     "field E"},
    {"{\"e\":\"x\",\"E\":17099254740993}", "field E: expected a time before 2096"},
    {"{\"e\":\"trade\",\"s\":\"A\",\"t\":1,\"p\":1.5,\"q\":\"1\",\"m\":true}", "field p"},
    {"{\"e\":\"trade\",\"s\":\"A\",\"t\":1,\"p\":\"1\",\"q\":\"1\"}", "field m"},
    {"{\"e\":\"trade\",\"s\":\"A\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"m\":1,\"X\":2}", "field m"},
    {"{\"lastUpdateId\":null,\"bids\":[],\"asks\":[]}", "field lastUpdateId"},
    {"{\"lastUpdateId\":1,\"bids\":[]}", "field asks"},
};

Test(binance_decode, refused_with_the_field_named, .fini = free_frame)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        cr_expect_eq(decode(refused[i][0]), ERROR_INPUT, "%s", refused[i][0]);
        cr_expect_not_null(strstr(error.text, refused[i][1]), "%s: %s", refused[i][0], error.text);
        cr_expect_eq(frame.level_count, 0);
    }
}

/* --- sequence rules ---------------------------------------------------------------------------- */

static struct binance_sync sync_state;

static enum binance_verdict depth(uint64_t previous, uint64_t first, uint64_t last)
{
    const struct row row = {.price = (int64_t)last, .quantity = 1};
    const struct binance_change change = {
        .first_id = first, .last_id = last, .previous_id = previous, .rows = &row, .row_count = 1};
    enum binance_verdict verdict;
    cr_assert_eq(binance_sync_depth(&sync_state, &change, &verdict, NULL), 0);
    return verdict;
}

static void spot(void)
{
    binance_sync_init(&sync_state, false);
}
static void futures(void)
{
    binance_sync_init(&sync_state, true);
}
static void end_sync(void)
{
    binance_sync_free(&sync_state);
}

Test(binance_sync, spot_rules, .init = spot, .fini = end_sync)
{
    struct binance_joined joined;
    cr_expect_eq(depth(0, 10, 12), BINANCE_HELD);
    cr_expect_eq(depth(0, 13, 15), BINANCE_HELD);
    cr_expect_eq(depth(0, 13, 15), BINANCE_DUPLICATE);
    cr_expect_eq(depth(0, 16, 20), BINANCE_HELD);
    cr_expect_eq(binance_sync_snapshot(&sync_state, 8, &joined), BINANCE_JOIN_TOO_OLD);
    cr_expect_eq(binance_sync_snapshot(&sync_state, 14, &joined), BINANCE_JOIN);
    cr_assert_eq(joined.row_count, 2);
    cr_expect_eq(joined.rows[0].price, 15);
    cr_expect_eq(joined.sequence, 20);
    cr_expect_eq(sync_state.rows_superseded, 1);
    cr_expect_eq(sync_state.rows_joined, 2);
    cr_expect_eq(binance_sync_snapshot(&sync_state, 20, &joined), BINANCE_JOIN_REDUNDANT);
    cr_expect_eq(depth(0, 21, 21), BINANCE_APPLY);
    cr_expect_eq(depth(0, 23, 24), BINANCE_GAP);
    cr_expect_eq(sync_state.gap_expected, 22);
    cr_expect_eq(sync_state.gap_found, 23);
    cr_expect_eq(depth(0, 25, 26), BINANCE_HELD);
    cr_expect_eq(binance_sync_snapshot(&sync_state, 22, &joined), BINANCE_JOIN);
    cr_expect_eq(joined.row_count, 2);
}

Test(binance_sync, the_snapshot_may_be_newer_than_all_held, .init = spot, .fini = end_sync)
{
    struct binance_joined joined;
    cr_expect_eq(depth(0, 1, 5), BINANCE_HELD);
    cr_expect_eq(binance_sync_snapshot(&sync_state, 10, &joined), BINANCE_JOIN);
    cr_expect_eq(joined.row_count, 0);
    cr_expect_eq(joined.sequence, 10);
    cr_expect_eq(depth(0, 6, 10), BINANCE_SUPERSEDED);
    cr_expect_eq(depth(0, 11, 12), BINANCE_APPLY);
    cr_expect_eq(depth(0, 11, 12), BINANCE_DUPLICATE);
}

Test(binance_sync, a_snapshot_that_nothing_joins_is_a_gap, .init = spot, .fini = end_sync)
{
    struct binance_joined joined;
    cr_expect_eq(binance_sync_snapshot(&sync_state, 10, &joined), BINANCE_JOIN);
    cr_expect_eq(depth(0, 12, 13), BINANCE_GAP);
    cr_expect_eq(sync_state.gap_expected, 11);
}

Test(binance_sync, held_depth_with_a_break_needs_a_newer_snapshot, .init = spot, .fini = end_sync)
{
    struct binance_joined joined;
    cr_expect_eq(depth(0, 1, 5), BINANCE_HELD);
    cr_expect_eq(depth(0, 8, 9), BINANCE_GAP);
    cr_expect_eq(binance_sync_snapshot(&sync_state, 4, &joined), BINANCE_JOIN_TOO_OLD);
    cr_expect_eq(binance_sync_snapshot(&sync_state, 7, &joined), BINANCE_JOIN);
    cr_expect_eq(joined.sequence, 9);
}

Test(binance_sync, futures_rules, .init = futures, .fini = end_sync)
{
    struct binance_joined joined;
    cr_expect_eq(depth(90, 100, 110), BINANCE_HELD);
    cr_expect_eq(depth(110, 115, 120), BINANCE_HELD);
    cr_expect_eq(depth(120, 126, 130), BINANCE_HELD);
    /* u = lastUpdateId is not dropped. */
    cr_expect_eq(binance_sync_snapshot(&sync_state, 120, &joined), BINANCE_JOIN);
    cr_expect_eq(joined.row_count, 2);
    cr_expect_eq(depth(130, 140, 141), BINANCE_APPLY);
    cr_expect_eq(depth(140, 150, 151), BINANCE_GAP);
    cr_expect_eq(sync_state.gap_expected, 141);
    cr_expect_eq(sync_state.gap_found, 140);
}

Test(binance_sync, futures_id_between_two_frames, .init = futures, .fini = end_sync)
{
    struct binance_joined joined;
    cr_expect_eq(depth(90, 100, 110), BINANCE_HELD);
    cr_expect_eq(depth(110, 115, 120), BINANCE_HELD);
    cr_expect_eq(binance_sync_snapshot(&sync_state, 112, &joined), BINANCE_JOIN);
    cr_expect_eq(joined.row_count, 1);
}

Test(binance_sync, held_rows_are_bounded, .init = spot, .fini = end_sync)
{
    struct binance_joined joined;
    const uint64_t frames = BINANCE_HELD_ROWS_MAX + 1000;
    for (uint64_t i = 1; i <= frames; i++)
        cr_assert_eq(depth(0, i, i), BINANCE_HELD);
    cr_expect_leq(sync_state.row_count, BINANCE_HELD_ROWS_MAX);
    cr_expect_eq(sync_state.rows_given_up + sync_state.row_count, frames);
    cr_expect_eq(binance_sync_snapshot(&sync_state, 5, &joined), BINANCE_JOIN_TOO_OLD);
    cr_expect_eq(binance_sync_snapshot(&sync_state, frames - 1, &joined), BINANCE_JOIN);
    cr_expect_eq(joined.row_count, 1);
}
