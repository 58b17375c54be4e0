/* Orders through the Binance.US adapter: every kind of answer, every way to fail, and one order an intent. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binance_us_bench.h"
#include "venue/live/binance_us_sign.h"

TestSuite(binance_us_orders, .fini = bench_close);

#define SECOND NS_PER_SECOND
#define BTC    "binance_us:BTCUSD"
#define ORDER  "/api/v3/order"
#define TRADES "/api/v3/myTrades"

/* Members of an answer about order #n of this session. */
#define NAMED(n) "\"symbol\":\"BTCUSD\",\"orderId\":28,\"clientOrderId\":\"mm1-0-" n "\""
#define FIGURES(status, quantity, executed, time_in_force)                                         \
    ",\"transactTime\":1700000000123,\"price\":\"100.00\",\"origQty\":\"" quantity                 \
    "\",\"executedQty\":\"" executed "\",\"status\":\"" status                                     \
    "\",\"timeInForce\":\"" time_in_force "\",\"side\":\"BUY\""
#define FILL(id, price, quantity)                                                                  \
    "{\"price\":\"" price "\",\"qty\":\"" quantity "\",\"commission\":\"0.000001\","               \
    "\"commissionAsset\":\"BTC\",\"tradeId\":" id "}"

/* A post-only buy of 0.5 at 100, as order #1. */
static void place_one(void)
{
    bench_place(1, "buy", "100.00", "0.50000000", "gtc", true);
}

static void placed(const char *body)
{
    bench_answer("POST", ORDER, 200, body);
}

/* The order was sent exactly once, whatever came of it. */
static void expect_sent_once(void)
{
    bench_pass(120 * SECOND);
    cr_expect_eq(bench_count_made("POST", ORDER), 1);
    cr_expect_eq(bench_count_made("POST", "/api/v3/order/cancelReplace"), 0);
}

/* --- the request --------------------------------------------------------------------------------------- */

static void expect_signed(const char *text)
{
    char signature[BINANCE_US_SIGNATURE_MAX];
    struct error error;
    const char *at = strstr(text, "&signature=");
    cr_assert_not_null(at, "%s", text);
    size_t length = (size_t)(at - text);
    cr_assert_eq(binance_us_signature(BENCH_SECRET, text, length, "", 0, signature, &error), 0);
    cr_expect_str_eq(at + 11, signature);
}

Test(binance_us_orders, a_post_only_order_is_a_limit_maker_in_the_body)
{
    bench_run("BTCUSD", true);
    place_one();
    struct bench_request *request = bench_find("POST", ORDER, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(request->url, "https://rest.test/api/v3/order");
    cr_expect_str_eq(request->key, BENCH_KEY);
    const char *wanted =
        "symbol=BTCUSD&side=BUY&type=LIMIT_MAKER&quantity=0.5&price=100&"
        "newClientOrderId=mm1-0-1&newOrderRespType=FULL&recvWindow=5000&timestamp=";
    cr_expect(strncmp(request->body, wanted, strlen(wanted)) == 0, "%s", request->body);
    expect_signed(request->body);
    bench_expect_nothing();
}

Test(binance_us_orders, other_orders_are_limits_with_their_time_in_force)
{
    static const char *const words[][2] = {{"gtc", "GTC"}, {"ioc", "IOC"}, {"fok", "FOK"}};
    bench_run("BTCUSD", true);
    for (unsigned i = 0; i < 3; i++) {
        char name[32];
        bench_place(i + 1, "sell", "123.45", "1.00200000", words[i][0], false);
        snprintf(name, sizeof name, "mm1-0-%u", i + 1);
        struct bench_request *request = bench_find("POST", ORDER, name);
        cr_assert_not_null(request);
        cr_expect_str_eq(bench_parameter(request, "type"), "LIMIT");
        cr_expect_str_eq(bench_parameter(request, "timeInForce"), words[i][1]);
        cr_expect_str_eq(bench_parameter(request, "side"), "SELL");
        cr_expect_str_eq(bench_parameter(request, "price"), "123.45");
        cr_expect_str_eq(bench_parameter(request, "quantity"), "1.002");
    }
}

/* Signed by the venue's clock, never ahead of it: the answer came 2 ms after the question. */
Test(binance_us_orders, timestamps_are_of_the_venue_s_clock)
{
    bench_run("BTCUSD", true);
    bench_pass(3 * SECOND + 700 * NS_PER_MS);
    place_one();
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%lld", (long long)(bench.now / NS_PER_MS + BENCH_AHEAD_MS));
    cr_expect_str_eq(bench_parameter(bench_find("POST", ORDER, NULL), "timestamp"), wanted);
}

/* Where the answer took its time, the venue's clock is taken to be no later than it can be. */
Test(binance_us_orders, a_timestamp_is_never_of_the_future)
{
    bench_run("BTCUSD", true);
    place_one();
    bench_answer("POST", ORDER, 400, "{\"code\":-1021,\"msg\":\"Timestamp\"}");
    char time[64], stamp[32];
    snprintf(stamp, sizeof stamp, "%lld", (long long)(bench.now / NS_PER_MS + 5000));
    snprintf(time, sizeof time, "{\"serverTime\":%s}", stamp);
    bench_pass(200 * NS_PER_MS);
    bench_answer("GET", "/api/v3/time", 200, time);
    bench_place(2, "buy", "100.00", "0.50000000", "gtc", true);
    cr_expect_str_eq(bench_parameter(bench_find("POST", ORDER, "mm1-0-2"), "timestamp"), stamp);
}

Test(binance_us_orders, what_the_venue_has_no_words_for_is_not_sent)
{
    bench_run("BTCUSD", true);
    bench_place(1, "buy", "100.00", "0.50000000", "ioc", true);
    bench_expect("order_rejected " BTC " order=#1 reason=unsupported");
    bench_place(2, "buy", "nan", "0.50000000", "gtc", true);
    bench_expect("order_rejected " BTC " order=#2 reason=bad_price");
    bench_place(3, "buy", "100.00", "absent", "gtc", true);
    bench_expect("order_rejected " BTC " order=#3 reason=bad_quantity");
    bench_decide("modify " BTC " order=#1 side=buy price=100.00 leaves=1.00000000 level=0 cause=1 "
                 "fair=0 skew=0 distance=0 gates=0x0");
    bench_expect("modify_rejected " BTC " order=#1 reason=unsupported");
    bench_expect_nothing();
    cr_expect_eq(bench_count_made("POST", ORDER), 0);
}

/* --- answers to a new order ----------------------------------------------------------------------------- */

Test(binance_us_orders, an_order_that_rests)
{
    bench_run("BTCUSD", true);
    place_one();
    placed("{" NAMED("1") FIGURES("NEW", "0.50000000", "0.00000000", "GTC") ",\"fills\":[]}");
    size_t at = bench_expect("order_accepted " BTC " order=#1 venue_order=\"28\"");
    cr_expect_eq(bench.told_flags[at] & MESSAGE_VENUE_TIME, MESSAGE_VENUE_TIME);
    cr_expect_eq(bench.told_venue_ns[at], INT64_C(1700000000123000000));
    bench_expect_nothing();
    expect_sent_once();
}

Test(binance_us_orders, an_acknowledgement_is_an_acceptance)
{
    bench_run("BTCUSD", true);
    place_one();
    placed("{" NAMED("1") ",\"transactTime\":1700000000123}");
    bench_expect("order_accepted " BTC " order=#1 venue_order=\"28\"");
    bench_expect_nothing();
}

Test(binance_us_orders, what_fills_at_once_is_told_fill_by_fill)
{
    bench_run("BTCUSD", true);
    bench_place(1, "buy", "100.01", "0.50000000", "gtc", false);
    placed("{" NAMED("1")
               FIGURES("PARTIALLY_FILLED", "0.50000000", "0.30000000", "GTC") ",\"fills\":[" FILL(
                   "56", "100.00", "0.10000000") "," FILL("57", "100.01", "0.20000000") "]}");
    size_t at = bench_expect("order_accepted " BTC " order=#1");
    cr_expect(bench.told_flags[at] & MESSAGE_MORE);
    at = bench_expect("order_filled " BTC " order=#1 trade=\"56\" side=buy price=100.00 "
                      "quantity=0.10000000 leaves=0.40000000 cause=reported liquidity=taker "
                      "fee=0.000001 fee_asset=BTC");
    cr_expect_eq(bench.told_venue_ns[at], INT64_C(1700000000123000000));
    cr_expect(bench.told_flags[at] & MESSAGE_MORE);
    at = bench_expect("order_filled " BTC " order=#1 trade=\"57\" side=buy price=100.01 "
                      "quantity=0.20000000 leaves=0.20000000");
    cr_expect_not(bench.told_flags[at] & MESSAGE_MORE, "one answer is one frame");
    bench_expect_nothing();
}

Test(binance_us_orders, a_filled_order_has_no_other_end)
{
    bench_run("BTCUSD", true);
    bench_place(1, "buy", "100.01", "0.50000000", "fok", false);
    placed("{" NAMED("1") FIGURES("FILLED", "0.50000000", "0.50000000",
                                  "FOK") ",\"fills\":[" FILL("56", "100.00", "0.50000000") "]}");
    bench_expect("order_accepted");
    bench_expect("order_filled " BTC " order=#1 trade=\"56\" side=buy price=100.00 "
                 "quantity=0.50000000 leaves=0.00000000");
    bench_expect_nothing();
}

Test(binance_us_orders, what_must_fill_at_once_and_did_not_is_cancelled)
{
    static const char *const times[] = {"ioc", "fok"};
    bench_run("BTCUSD", true);
    for (int i = 0; i < 2; i++) {
        bench_place(1, "buy", "100.00", "0.50000000", times[i], false);
        if (i == 0)
            placed("{" NAMED("1") FIGURES("EXPIRED", "0.50000000", "0.10000000",
                                          "IOC") ",\"fills\":[" FILL("5", "100.00", "0.1") "]}");
        else
            placed("{" NAMED("1") FIGURES("EXPIRED", "0.50000000", "0", "FOK") ",\"fills\":[]}");
        bench_expect("order_accepted");
        if (i == 0)
            bench_expect("order_filled");
        bench_expect(i == 0 ? "order_cancelled " BTC " order=#1 leaves=0.40000000 cause=unfilled"
                            : "order_cancelled " BTC " order=#1 leaves=0.50000000 cause=unfilled");
        bench_expect_nothing();
    }
}

Test(binance_us_orders, other_ends_of_a_new_order)
{
    bench_run("BTCUSD", true);
    place_one();
    placed("{" NAMED("1") FIGURES("EXPIRED_IN_MATCH", "0.5", "0", "GTC") "}");
    bench_expect("order_accepted");
    bench_expect("order_expired " BTC " order=#1 leaves=0.50000000");
    bench_place(2, "buy", "100.00", "0.50000000", "gtc", true);
    placed("{" NAMED("2") FIGURES("REJECTED", "0.5", "0", "GTC") "}");
    bench_expect("order_rejected " BTC " order=#2 reason=other");
    bench_expect_nothing();
}

/* Each: HTTP status and body that leave the order unknown. Status 0: no answer; -1: certainly not sent. */
static const struct {
    long status;
    const char *body;
} unknown_answers[] = {
    {0, ""},
    {-1, ""},
    {500, "{\"code\":-1000,\"msg\":\"An unknown error occurred.\"}"},
    {502, "<html>bad gateway</html>"},
    {503, "{\"code\":-1008,\"msg\":\"Server is currently overloaded.\"}"},
    {504, ""},
    {400, "{\"code\":-1006,\"msg\":\"An unexpected response was received from the message bus.\"}"},
    {400, "{\"code\":-1007,\"msg\":\"Timeout waiting for response from backend server.\"}"},
    {400, "{\"code\":-1000,\"msg\":\"An unknown error occurred.\"}"},
    {400, "{\"code\":-1001,\"msg\":\"Internal error; unable to process your request.\"}"},
    {400, "{\"code\":-2010,\"msg\":\"Duplicate order sent.\"}"},
    {400, "no JSON"},
    {403, "<html>WAF</html>"},
    {404, ""},
    {301, ""},
    {200, ""},
    {200, "garbage"},
    {200, "{\"symbol\":\"BTCUSD\"}"},
    {200, "[]"},
    {200, "{" NAMED("2") ",\"transactTime\":1}"}, /* another order */
    {200,
     "{\"symbol\":\"ETHUSD\",\"orderId\":28,\"clientOrderId\":\"mm1-0-1\"}"}, /* another symbol */
    {200,
     "{\"symbol\":\"BTCUSD\",\"orderId\":28,\"clientOrderId\":\"mm2-0-1\"}"}, /* another session */
    {200, "{" NAMED("1") FIGURES("NEW", "0.5", "0", "GTC") ",\"fills\":[{\"tradeId\":1}]}"},
};

static void answer_so(const char *method, const char *path, size_t i)
{
    if (unknown_answers[i].status > 0)
        bench_answer(method, path, unknown_answers[i].status, unknown_answers[i].body);
    else
        bench_fail(method, path, unknown_answers[i].status == 0 ? NET_UNKNOWN : NET_NOT_SENT);
}

enum { UNKNOWN_ANSWERS = sizeof unknown_answers / sizeof *unknown_answers };

Test(binance_us_orders, without_a_good_answer_a_new_order_is_unknown_and_never_sent_again)
{
    for (size_t i = 0; i < UNKNOWN_ANSWERS; i++) {
        bench_run("BTCUSD", true);
        place_one();
        answer_so("POST", ORDER, i);
        bench_expect("order_unknown " BTC " order=#1 request=place");
        bench_expect_nothing();
        expect_sent_once();
        /* Only a question follows. */
        size_t before = bench.request_count;
        bench_query(1);
        cr_expect_eq(bench.request_count, before + 1);
        cr_expect_not_null(bench_find("GET", ORDER, "origClientOrderId=mm1-0-1"));
        expect_sent_once();
        bench_close();
    }
}

/* Each: the venue's refusal, and what it is. */
static const struct {
    long status;
    const char *body, *reason;
} refusals[] = {
    {400, "{\"code\":-2010,\"msg\":\"Order would immediately match and take.\"}",
     "post_only_would_cross"},
    {400, "{\"code\":-2010,\"msg\":\"Account has insufficient balance for requested action.\"}",
     "insufficient_funds"},
    {400, "{\"code\":-2010,\"msg\":\"Market is closed.\"}", "halted"},
    {400, "{\"code\":-2010,\"msg\":\"Something new.\"}", "other"},
    {400, "{\"code\":-1013,\"msg\":\"Filter failure: MIN_NOTIONAL\"}", "minimum_notional"},
    {400, "{\"code\":-1013,\"msg\":\"Filter failure: LOT_SIZE\"}", "off_lot"},
    {400, "{\"code\":-1013,\"msg\":\"Filter failure: PRICE_FILTER\"}", "bad_price"},
    {400, "{\"code\":-1013,\"msg\":\"Filter failure: MAX_NUM_ORDERS\"}", "venue_full"},
    {400, "{\"code\":-1111,\"msg\":\"Precision is over the maximum defined for this asset.\"}",
     "off_lot"},
    {400, "{\"code\":-1021,\"msg\":\"Timestamp for this request is outside of the recvWindow.\"}",
     "other"},
    {400, "{\"code\":-1022,\"msg\":\"Signature for this request is not valid.\"}", "other"},
    {401, "{\"code\":-2015,\"msg\":\"Invalid API-key, IP, or permissions for action.\"}", "other"},
    {400, "{\"code\":-9000,\"msg\":\"Never heard of.\"}", "other"},
    {429, "{\"code\":-1015,\"msg\":\"Too many new orders.\"}", "rate_limit"},
    {429, "{\"code\":-1003,\"msg\":\"Too many requests.\"}", "rate_limit"},
    {429, "<html>slow down</html>", "rate_limit"},
    {418, "", "rate_limit"},
};

Test(binance_us_orders, refusals_of_a_new_order_are_named)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        char line[128];
        bench_run("BTCUSD", true);
        place_one();
        bench_answer("POST", ORDER, refusals[i].status, refusals[i].body);
        snprintf(line, sizeof line, "order_rejected " BTC " order=#1 reason=%s",
                 refusals[i].reason);
        cr_expect(bench_was_told(line), "%s", refusals[i].body);
        cr_expect_not(bench_was_told("order_unknown"));
        expect_sent_once();
        bench_close();
    }
}

Test(binance_us_orders, a_reason_that_is_in_no_table_is_logged_once_a_code)
{
    bench_run("BTCUSD", true);
    for (unsigned i = 1; i <= 3; i++) {
        bench_place(i, "buy", "100.00", "0.50000000", "gtc", true);
        bench_answer("POST", ORDER, 400, "{\"code\":-9000,\"msg\":\"Never heard of.\"}");
    }
    size_t logged = 0;
    for (size_t i = 0; i < bench.log_count; i++)
        logged += strstr(bench.logs[i], "-9000 Never heard of.") != NULL;
    cr_expect_eq(logged, 1);
}

Test(binance_us_orders, a_timestamp_that_is_refused_asks_for_the_clock_and_sends_nothing_again)
{
    bench_run("BTCUSD", true);
    size_t asked = bench_count_made("GET", "/api/v3/time");
    place_one();
    bench_answer("POST", ORDER, 400, "{\"code\":-1021,\"msg\":\"Timestamp\"}");
    bench_expect("order_rejected " BTC " order=#1 reason=other");
    cr_expect_eq(bench_count_made("GET", "/api/v3/time"), asked + 1, "at once");
    char time[64];
    snprintf(time, sizeof time, "{\"serverTime\":%lld}", (long long)(bench.now / NS_PER_MS + 9000));
    bench_answer("GET", "/api/v3/time", 200, time);
    expect_sent_once();
    bench_place(2, "buy", "100.00", "0.50000000", "gtc", true);
    snprintf(time, sizeof time, "%lld", (long long)(bench.now / NS_PER_MS + 9000));
    cr_expect_str_eq(bench_parameter(bench_find("POST", ORDER, "mm1-0-2"), "timestamp"), time);
}

/* --- cancels -------------------------------------------------------------------------------------------- */

#define CANCELLED(n, status, executed)                                                             \
    "{\"symbol\":\"BTCUSD\",\"origClientOrderId\":\"mm1-0-" n                                      \
    "\",\"orderId\":28,\"clientOrderId\":\"x9\"" FIGURES(status, "0.50000000", executed,           \
                                                         "GTC") "}"

Test(binance_us_orders, a_cancel_names_the_order_in_the_address)
{
    bench_run("BTCUSD", true);
    bench_cancel(1);
    struct bench_request *request = bench_find("DELETE", ORDER, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(bench_parameter(request, "symbol"), "BTCUSD");
    cr_expect_str_eq(bench_parameter(request, "origClientOrderId"), "mm1-0-1");
    cr_expect_not(request->has_body);
    expect_signed(strchr(request->url, '?') + 1);
    bench_answer("DELETE", ORDER, 200, CANCELLED("1", "CANCELED", "0.20000000"));
    bench_expect("order_cancelled " BTC " order=#1 leaves=0.30000000 cause=requested");
    bench_expect_nothing();
}

Test(binance_us_orders, cancels_that_are_refused)
{
    bench_run("BTCUSD", true);
    bench_cancel(1);
    bench_answer("DELETE", ORDER, 400, "{\"code\":-2011,\"msg\":\"Unknown order sent.\"}");
    bench_expect("cancel_rejected " BTC " order=#1 reason=not_found");
    bench_cancel(1);
    bench_answer("DELETE", ORDER, 400, "{\"code\":-1021,\"msg\":\"Timestamp\"}");
    bench_expect("cancel_rejected " BTC " order=#1 reason=other");
    bench_expect_nothing();
}

Test(binance_us_orders, without_a_good_answer_a_cancelled_order_is_unknown)
{
    for (size_t i = 0; i < UNKNOWN_ANSWERS; i++) {
        if (strstr(unknown_answers[i].body, "Duplicate"))
            continue; /* no cancel is a duplicate */
        bench_run("BTCUSD", true);
        bench_cancel(1);
        answer_so("DELETE", ORDER, i);
        bench_expect("order_unknown " BTC " order=#1 request=cancel");
        bench_expect_nothing();
        bench_close();
    }
    bench_run("BTCUSD", true);
    bench_cancel(1);
    bench_answer("DELETE", ORDER, 200, CANCELLED("1", "PENDING_CANCEL", "0"));
    bench_expect("order_unknown " BTC " order=#1 request=cancel");
}

Test(binance_us_orders, an_orphan_is_cancelled_by_the_venue_s_number)
{
    bench_run("BTCUSD", true);
    bench_decide("cancel_orphan " BTC " order=#7 venue_order=\"4711\" cause=1");
    struct bench_request *request = bench_find("DELETE", ORDER, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(bench_parameter(request, "orderId"), "4711");
    cr_expect_str_eq(bench_parameter(request, "origClientOrderId"), "");
    bench_answer("DELETE", ORDER, 200, CANCELLED("7", "CANCELED", "0"));
    bench_expect("order_cancelled " BTC " order=#7 leaves=0.50000000");
    /* Somebody else's: no answer names it, the account tells. */
    bench_decide("cancel_orphan " BTC " order=- venue_order=\"99\" cause=1");
    bench_answer("DELETE", ORDER, 200,
                 "{\"symbol\":\"BTCUSD\",\"origClientOrderId\":\"web_1\",\"orderId\":99,"
                 "\"clientOrderId\":\"x\"" FIGURES("CANCELED", "1", "0", "GTC") "}");
    bench_decide("cancel_orphan " BTC " order=- venue_order=\"99\" cause=1");
    bench_fail("DELETE", ORDER, NET_UNKNOWN);
    /* What is no number of the venue's is not sent; our own name serves. */
    bench_decide("cancel_orphan " BTC " order=- venue_order=\"9&x\" cause=1");
    cr_expect_null(bench_find("DELETE", ORDER, NULL));
    bench_decide("cancel_orphan " BTC " order=#7 venue_order=\"\" cause=1");
    cr_expect_not_null(bench_find("DELETE", ORDER, "origClientOrderId=mm1-0-7"));
    bench_expect_nothing();
}

/* --- replaces ------------------------------------------------------------------------------------------- */

#define REPLACE "/api/v3/order/cancelReplace"
#define HALVES(cancel, place, old, new)                                                            \
    "\"cancelResult\":\"" cancel "\",\"newOrderResult\":\"" place "\",\"cancelResponse\":" old     \
    ",\"newOrderResponse\":" new
#define FAILED(code, cancel, place, old, new)                                                      \
    "{\"code\":" code                                                                              \
    ",\"msg\":\"Order cancel-replace failed.\",\"data\":{" HALVES(cancel, place, old, new) "}}"
#define OLD_GONE  CANCELLED("1", "CANCELED", "0.10000000")
#define NEW_RESTS "{" NAMED("2") FIGURES("NEW", "0.50000000", "0", "GTC") ",\"fills\":[]}"

static void replace_one(void)
{
    bench_replace(2, 1, "99.50", "0.50000000");
}

Test(binance_us_orders, a_replace_is_one_request)
{
    bench_run("BTCUSD", true);
    replace_one();
    struct bench_request *request = bench_find("POST", REPLACE, NULL);
    cr_assert_not_null(request);
    const char *wanted =
        "symbol=BTCUSD&side=BUY&type=LIMIT_MAKER&quantity=0.5&price=99.5&"
        "newClientOrderId=mm1-0-2&newOrderRespType=FULL&cancelReplaceMode="
        "STOP_ON_FAILURE&cancelOrigClientOrderId=mm1-0-1&recvWindow=5000&timestamp=";
    cr_expect(strncmp(request->body, wanted, strlen(wanted)) == 0, "%s", request->body);
    expect_signed(request->body);
    bench_answer("POST", REPLACE, 200, "{" HALVES("SUCCESS", "SUCCESS", OLD_GONE, NEW_RESTS) "}");
    bench_expect("order_cancelled " BTC " order=#1 leaves=0.40000000 cause=replaced");
    bench_expect("order_accepted " BTC " order=#2 venue_order=\"28\"");
    bench_expect_nothing();
}

Test(binance_us_orders, the_halves_of_a_replace_that_failed)
{
#define TAKES   "{\"code\":-2010,\"msg\":\"Order would immediately match and take.\"}"
#define UNKNOWN "{\"code\":-2011,\"msg\":\"Unknown order sent.\"}"
    static const struct {
        long status;
        const char *body, *old, *new;
    } cases[] = {
        {409, FAILED("-2021", "SUCCESS", "FAILURE", OLD_GONE, TAKES),
         "order_cancelled " BTC " order=#1 leaves=0.40000000 cause=replaced",
         "order_rejected " BTC " order=#2 reason=post_only_would_cross"},
        {400, FAILED("-2022", "FAILURE", "NOT_ATTEMPTED", UNKNOWN, "null"),
         "cancel_rejected " BTC " order=#1 reason=not_found",
         "order_rejected " BTC " order=#2 reason=replaced_order_stays"},
        {400, FAILED("-2022", "FAILURE", "FAILURE", UNKNOWN, TAKES),
         "cancel_rejected " BTC " order=#1 reason=not_found",
         "order_rejected " BTC " order=#2 reason=post_only_would_cross"},
        {409, FAILED("-2021", "FAILURE", "SUCCESS", UNKNOWN, NEW_RESTS),
         "cancel_rejected " BTC " order=#1 reason=not_found", "order_accepted " BTC " order=#2"},
        {409,
         FAILED("-2021", "SUCCESS", "FAILURE", OLD_GONE, "{\"code\":-1007,\"msg\":\"Timeout\"}"),
         "order_cancelled " BTC " order=#1", "order_unknown " BTC " order=#2 request=replace"},
        {409,
         FAILED("-2021", "SUCCESS", "FAILURE", OLD_GONE,
                "{\"code\":-2010,\"msg\":\"Duplicate order sent.\"}"),
         "order_cancelled " BTC " order=#1", "order_unknown " BTC " order=#2 request=replace"},
        {400,
         FAILED("-2022", "FAILURE", "NOT_ATTEMPTED", "{\"code\":-1006,\"msg\":\"Unexpected\"}",
                "null"),
         "order_unknown " BTC " order=#1 request=replace",
         "order_rejected " BTC " order=#2 reason=replaced_order_stays"},
        /* Refused as a whole: the old order stays. */
        {400, "{\"code\":-1013,\"msg\":\"Filter failure: LOT_SIZE\"}",
         "cancel_rejected " BTC " order=#1 reason=off_lot",
         "order_rejected " BTC " order=#2 reason=off_lot"},
        {400, UNKNOWN, "cancel_rejected " BTC " order=#1 reason=not_found",
         "order_rejected " BTC " order=#2 reason=replaced_order_stays"},
        /* An answer about orders that were not asked about. */
        {200, "{" HALVES("SUCCESS", "SUCCESS", CANCELLED("3", "CANCELED", "0"), NEW_RESTS) "}",
         "order_unknown " BTC " order=#1 request=replace", "order_accepted " BTC " order=#2"},
        {200, "{" HALVES("SUCCESS", "SUCCESS", OLD_GONE, "{" NAMED("3") "}") "}",
         "order_cancelled " BTC " order=#1", "order_unknown " BTC " order=#2 request=replace"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench_run("BTCUSD", true);
        replace_one();
        bench_answer("POST", REPLACE, cases[i].status, cases[i].body);
        bench_expect(cases[i].old);
        bench_expect(cases[i].new);
        bench_expect_nothing();
        bench_pass(60 * SECOND);
        cr_expect_eq(bench_count_made("POST", REPLACE), 1);
        cr_expect_eq(bench_count_made("POST", ORDER), 0);
        bench_close();
    }
}

Test(binance_us_orders, without_a_good_answer_both_orders_of_a_replace_are_unknown)
{
    for (size_t i = 0; i < UNKNOWN_ANSWERS; i++) {
        if (strstr(unknown_answers[i].body, "Duplicate"))
            continue; /* stands in the half of the new order */
        bench_run("BTCUSD", true);
        replace_one();
        answer_so("POST", REPLACE, i);
        bench_expect("order_unknown " BTC " order=#1 request=replace");
        bench_expect("order_unknown " BTC " order=#2 request=replace");
        bench_expect_nothing();
        bench_pass(60 * SECOND);
        cr_expect_eq(bench_count_made("POST", REPLACE), 1);
        cr_expect_eq(bench_count_made("POST", ORDER), 0);
        bench_close();
    }
}

/* --- queries -------------------------------------------------------------------------------------------- */

#define TRADE(id, order, quantity, maker)                                                          \
    "{\"symbol\":\"BTCUSD\",\"id\":" id ",\"orderId\":" order                                      \
    ",\"price\":\"100.00\",\"qty\":\"" quantity "\",\"commission\":\"0.01\",\"commissionAsset\":"  \
    "\"USD\",\"time\":1700000000500,\"isBuyer\":true,\"isMaker\":" maker "}"

static void asked(const char *status, const char *executed)
{
    char text[512];
    snprintf(
        text, sizeof text,
        "{" NAMED("1") ",\"price\":\"100.00\",\"origQty\":\"0.50000000\",\"executedQty\":\"%s\","
                       "\"status\":\"%s\",\"timeInForce\":\"GTC\",\"side\":\"BUY\",\"updateTime\":"
                       "1700000000400}",
        executed, status);
    bench_query(1);
    bench_answer("GET", ORDER, 200, text);
}

Test(binance_us_orders, a_query_of_an_order_that_rests)
{
    bench_run("BTCUSD", true);
    bench_query(1);
    struct bench_request *request = bench_find("GET", ORDER, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(bench_parameter(request, "origClientOrderId"), "mm1-0-1");
    int64_t sent = bench.now;
    bench_pass(100 * NS_PER_MS);
    bench_answer("GET", ORDER, 200,
                 "{" NAMED("1") FIGURES("NEW", "0.50000000", "0.00000000", "GTC") "}");
    size_t at = bench_expect("order_status " BTC " order=#1 venue_order=\"28\" side=buy "
                             "price=100.00 leaves=0.50000000");
    /* When the venue looked, not when the order last changed: no earlier than it was asked. */
    cr_expect(bench.told_flags[at] & MESSAGE_VENUE_ESTIMATED);
    cr_expect_geq(bench.told_venue_ns[at], sent);
    cr_expect_leq(bench.told_venue_ns[at], sent + (BENCH_AHEAD_MS + 1) * NS_PER_MS);
    bench_expect_nothing();
    cr_expect_eq(bench_count_made("GET", TRADES), 0);
}

Test(binance_us_orders, a_query_tells_each_fill_then_how_it_rests)
{
    bench_run("BTCUSD", true);
    asked("PARTIALLY_FILLED", "0.30000000");
    bench_expect_nothing();
    struct bench_request *request = bench_find("GET", TRADES, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(bench_parameter(request, "orderId"), "28");
    cr_expect_str_eq(bench_parameter(request, "symbol"), "BTCUSD");
    bench_answer(
        "GET", TRADES, 200,
        "[" TRADE("7", "28", "0.10000000", "true") "," TRADE("8", "28", "0.20000000", "false") "]");
    size_t at = bench_expect("order_filled " BTC " order=#1 trade=\"7\" side=buy price=100.00 "
                             "quantity=0.10000000 leaves=0.40000000 cause=reported "
                             "liquidity=maker fee=0.01 fee_asset=USD");
    cr_expect_eq(bench.told_venue_ns[at], INT64_C(1700000000500000000));
    bench_expect("order_filled " BTC " order=#1 trade=\"8\" side=buy price=100.00 "
                 "quantity=0.20000000 leaves=0.20000000 cause=reported liquidity=taker");
    at = bench_expect("order_status " BTC " order=#1 venue_order=\"28\" side=buy price=100.00 "
                      "leaves=0.20000000");
    cr_expect_not(bench.told_flags[at] & MESSAGE_MORE);
    cr_expect(bench.told_flags[at - 1] & MESSAGE_MORE);
    bench_expect_nothing();
}

Test(binance_us_orders, a_query_of_an_order_that_has_ended)
{
    static const struct {
        const char *status, *executed, *end;
    } cases[] = {
        {"FILLED", "0.50000000", NULL},
        {"CANCELED", "0.30000000", "order_cancelled " BTC " order=#1 leaves=0.20000000"},
        {"CANCELED", "0.00000000", "order_cancelled " BTC " order=#1 leaves=0.50000000"},
        {"EXPIRED", "0.30000000", "order_expired " BTC " order=#1 leaves=0.20000000"},
        {"EXPIRED_IN_MATCH", "0.00000000", "order_expired " BTC " order=#1 leaves=0.50000000"},
        {"REJECTED", "0.00000000", "order_rejected " BTC " order=#1 reason=other"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench_run("BTCUSD", true);
        asked(cases[i].status, cases[i].executed);
        if (strcmp(cases[i].executed, "0.50000000") == 0)
            bench_answer("GET", TRADES, 200, "[" TRADE("7", "28", "0.5", "true") "]");
        else if (strcmp(cases[i].executed, "0.30000000") == 0)
            bench_answer("GET", TRADES, 200, "[" TRADE("7", "28", "0.3", "true") "]");
        if (strcmp(cases[i].executed, "0.00000000") != 0)
            bench_expect("order_filled " BTC " order=#1 trade=\"7\"");
        if (cases[i].end)
            bench_expect(cases[i].end);
        bench_expect("order_status " BTC " order=#1 venue_order=\"28\" side=buy price=100.00 "
                     "leaves=0.00000000");
        bench_expect_nothing();
        bench_close();
    }
}

Test(binance_us_orders, an_order_that_the_venue_does_not_know)
{
    static const char *const bodies[] = {"{\"code\":-2013,\"msg\":\"Order does not exist.\"}",
                                         "{\"code\":-2026,\"msg\":\"Order was archived.\"}"};
    bench_run("BTCUSD", true);
    for (int i = 0; i < 2; i++) {
        bench_query(1);
        bench_answer("GET", ORDER, 400, bodies[i]);
        size_t at = bench_expect("order_not_found " BTC " order=#1");
        cr_expect(bench.told_flags[at] & MESSAGE_VENUE_ESTIMATED);
        bench_expect_nothing();
    }
}

Test(binance_us_orders, a_query_without_a_good_answer)
{
    for (size_t i = 0; i < UNKNOWN_ANSWERS; i++) {
        if (strstr(unknown_answers[i].body, "\"fills\""))
            continue; /* of a new order only */
        bench_run("BTCUSD", true);
        bench_query(1);
        answer_so("GET", ORDER, i);
        bench_expect("order_unknown " BTC " order=#1 request=query");
        bench_expect_nothing();
        bench_close();
        bench_run("BTCUSD", true);
        asked("CANCELED", "0.30000000");
        answer_so("GET", TRADES, i);
        if (unknown_answers[i].status == 200 && strcmp(unknown_answers[i].body, "[]") == 0) {
            bench_expect_nothing(); /* an empty list: it may come */
        } else {
            bench_expect("order_unknown " BTC " order=#1 request=query");
            bench_expect_nothing();
        }
        bench_close();
    }
}

Test(binance_us_orders, words_and_numbers_of_a_query_that_can_t_be_read)
{
    bench_run("BTCUSD", true);
    asked("MELTED", "0.00000000");
    bench_expect("order_unknown " BTC " order=#1 request=query");
    asked("NEW", "NaN");
    bench_expect("order_unknown " BTC " order=#1 request=query");
    bench_expect_nothing();
}

/* The end is not told before its fills are: the list may lag behind. */
Test(binance_us_orders, a_list_of_fills_that_lags_is_asked_for_again)
{
    bench_run("BTCUSD", true);
    asked("CANCELED", "0.30000000");
    bench_answer("GET", TRADES, 200, "[" TRADE("7", "28", "0.1", "true") "]");
    bench_expect_nothing();
    cr_expect_null(bench_find("GET", TRADES, NULL));
    bench_pass(SECOND);
    bench_answer("GET", TRADES, 200,
                 "[" TRADE("7", "28", "0.1", "true") "," TRADE("8", "28", "0.2", "true") "]");
    bench_expect("order_filled " BTC " order=#1 trade=\"7\"");
    bench_expect("order_filled " BTC " order=#1 trade=\"8\"");
    bench_expect("order_cancelled " BTC " order=#1 leaves=0.20000000");
    bench_expect("order_status");
    bench_expect_nothing();
    /* Not for ever. */
    asked("CANCELED", "0.30000000");
    for (int i = 0; i < 6; i++) {
        bench_answer("GET", TRADES, 200, "[]");
        bench_pass(SECOND);
    }
    bench_expect("order_unknown " BTC " order=#1 request=query");
    cr_expect_null(bench_find("GET", TRADES, NULL));
}

/* A fill between the two answers: told, and not left twice. */
Test(binance_us_orders, a_list_of_fills_that_is_newer_than_the_order_counts)
{
    bench_run("BTCUSD", true);
    asked("PARTIALLY_FILLED", "0.10000000");
    bench_answer("GET", TRADES, 200,
                 "[" TRADE("7", "28", "0.1", "true") "," TRADE("8", "28", "0.4", "true") "]");
    bench_expect("order_filled " BTC " order=#1 trade=\"7\"");
    bench_expect("order_filled " BTC " order=#1 trade=\"8\" side=buy price=100.00 "
                 "quantity=0.40000000 leaves=0.00000000");
    bench_expect("order_status " BTC " order=#1 venue_order=\"28\" side=buy price=100.00 "
                 "leaves=0.00000000");
    bench_expect_nothing();
}

Test(binance_us_orders, other_orders_fills_are_none_of_it)
{
    bench_run("BTCUSD", true);
    asked("FILLED", "0.50000000");
    bench_answer("GET", TRADES, 200,
                 "[" TRADE("6", "27", "9", "true") "," TRADE("7", "28", "0.5", "true") "]");
    bench_expect("order_filled " BTC " order=#1 trade=\"7\"");
    bench_expect("order_status");
    bench_expect_nothing();
}

Test(binance_us_orders, a_long_list_of_fills_comes_in_pages)
{
    static char page[1 << 18];
    size_t length = 1;
    bench_run("BTCUSD", true);
    asked("CANCELED", "0.10010000");
    page[0] = '[';
    for (unsigned i = 0; i < 1000; i++) {
        char one[512];
        snprintf(one, sizeof one, TRADE("%u", "28", "0.00010000", "true"), i + 1);
        length += (size_t)snprintf(page + length, sizeof page - length, "%s%s", i ? "," : "", one);
    }
    snprintf(page + length, sizeof page - length, "]");
    bench_answer("GET", TRADES, 200, page);
    bench_expect_nothing();
    struct bench_request *request = bench_find("GET", TRADES, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(bench_parameter(request, "fromId"), "1001");
    bench_answer("GET", TRADES, 200, "[" TRADE("1001", "28", "0.00010000", "true") "]");
    cr_expect_eq(bench.told_count, 1001 + 2);
    cr_expect(bench_was_told("order_cancelled " BTC " order=#1 leaves=0.39990000"));
}

Test(binance_us_orders, a_newer_query_takes_the_place_of_an_older_one)
{
    bench_run("BTCUSD", true);
    asked("PARTIALLY_FILLED", "0.10000000");
    asked("CANCELED", "0.10000000");
    cr_assert_eq(bench_count_open("GET", TRADES), 2);
    bench_answer("GET", TRADES, 200, "[" TRADE("7", "28", "0.1", "true") "]");
    bench_expect_nothing(); /* of the older one */
    bench_answer("GET", TRADES, 200, "[" TRADE("7", "28", "0.1", "true") "]");
    bench_expect("order_filled " BTC " order=#1 trade=\"7\"");
    bench_expect("order_cancelled");
    bench_expect("order_status");
    bench_expect_nothing();
}

/* --- the private stream --------------------------------------------------------------------------------- */

static void report(const char *execution, const char *status, const char *names,
                   const char *time_in_force, const char *rest)
{
    char text[1024];
    snprintf(
        text, sizeof text,
        "{\"e\":\"executionReport\",\"E\":1700000000601,\"s\":\"BTCUSD\",%s,\"S\":\"SELL\",\"o\":"
        "\"LIMIT\",\"f\":\"%s\",\"q\":\"0.50000000\",\"p\":\"100.00\",\"x\":\"%s\",\"X\":\"%s\","
        "\"r\":\"NONE\",\"i\":28,\"z\":\"0.20000000\",\"T\":1700000000600,%s}",
        names, time_in_force, execution, status, rest);
    bench_text(2, text);
}

#define OURS "\"c\":\"mm1-0-1\",\"C\":\"\""
#define LAST                                                                                       \
    "\"l\":\"0.20000000\",\"L\":\"100.01\",\"n\":\"0.02\",\"N\":\"USD\",\"t\":77,\"m\":true"

Test(binance_us_orders, reports_of_the_private_stream)
{
    bench_run("BTCUSD", true);
    report("NEW", "NEW", OURS, "GTC", "\"t\":-1");
    size_t at = bench_expect("order_accepted " BTC " order=#1 venue_order=\"28\"");
    cr_expect_eq(bench.told_venue_ns[at], INT64_C(1700000000600000000));
    report("TRADE", "PARTIALLY_FILLED", OURS, "GTC", LAST);
    bench_expect("order_filled " BTC " order=#1 trade=\"77\" side=sell price=100.01 "
                 "quantity=0.20000000 leaves=0.30000000 cause=reported liquidity=maker fee=0.02 "
                 "fee_asset=USD");
    report("CANCELED", "CANCELED", "\"c\":\"abc\",\"C\":\"mm1-0-1\"", "GTC", "\"t\":-1");
    bench_expect("order_cancelled " BTC " order=#1 leaves=0.30000000 cause=requested");
    report("EXPIRED", "EXPIRED", OURS, "IOC", "\"t\":-1");
    bench_expect("order_cancelled " BTC " order=#1 leaves=0.30000000 cause=unfilled");
    report("EXPIRED", "EXPIRED", OURS, "GTC", "\"t\":-1");
    bench_expect("order_expired " BTC " order=#1 leaves=0.30000000");
    report("TRADE_PREVENTION", "EXPIRED_IN_MATCH", OURS, "GTC", "\"t\":-1");
    bench_expect("order_expired " BTC " order=#1 leaves=0.30000000");
    report("REJECTED", "REJECTED", OURS, "GTC", "\"t\":-1");
    bench_expect("order_rejected " BTC " order=#1 reason=other");
    report("REPLACED", "NEW", OURS, "GTC", "\"t\":-1");
    bench_expect_nothing();
}

/* The same fill by the answer and by the stream: the same trade id, which the engine counts once. */
Test(binance_us_orders, both_ways_of_a_fill_bear_the_same_trade_id)
{
    bench_run("BTCUSD", true);
    bench_place(1, "sell", "100.00", "0.50000000", "gtc", false);
    report("TRADE", "PARTIALLY_FILLED", OURS, "GTC", LAST);
    bench_expect("order_filled " BTC " order=#1 trade=\"77\"");
    placed(
        "{" NAMED("1") ",\"transactTime\":1700000000600,\"price\":\"100.00\",\"origQty\":\"0.5\","
                       "\"executedQty\":\"0.2\",\"status\":\"PARTIALLY_FILLED\",\"timeInForce\":"
                       "\"GTC\",\"side\":"
                       "\"SELL\",\"fills\":[" FILL("77", "100.01", "0.20000000") "]}");
    bench_expect("order_accepted " BTC " order=#1");
    bench_expect("order_filled " BTC " order=#1 trade=\"77\" side=sell price=100.01 "
                 "quantity=0.20000000 leaves=0.30000000");
    bench_expect_nothing();
}

Test(binance_us_orders, a_cancel_report_while_a_replace_travels_is_its_own)
{
    bench_run("BTCUSD", true);
    replace_one();
    report("CANCELED", "CANCELED", "\"c\":\"abc\",\"C\":\"mm1-0-1\"", "GTC", "\"t\":-1");
    bench_expect("order_cancelled " BTC " order=#1 leaves=0.30000000 cause=replaced");
    bench_expect_nothing();
}

Test(binance_us_orders, orders_of_others_are_passed_over)
{
    bench_run("BTCUSD", true);
    report("TRADE", "FILLED", "\"c\":\"web_1\",\"C\":\"\"", "GTC", LAST);
    report("TRADE", "FILLED", "\"c\":\"mm2-0-1\",\"C\":\"\"", "GTC", LAST);
    report("NEW", "NEW", "\"c\":\"mm1-0-1x\",\"C\":\"\"", "GTC", "\"t\":-1");
    bench_text(2, "{\"e\":\"listStatus\",\"E\":1,\"s\":\"BTCUSD\"}");
    bench_text(2, "{\"e\":\"somethingNew\",\"E\":1}");
    bench_expect_nothing();
    cr_expect_eq(bench.log_count, 0);
}

Test(binance_us_orders, orders_of_an_earlier_epoch_are_ours)
{
    bench_run("BTCUSD", true);
    report("TRADE", "PARTIALLY_FILLED", "\"c\":\"mm1-4-9\",\"C\":\"\"", "GTC", LAST);
    bench_expect("order_filled " BTC " order=#4.9 trade=\"77\"");
}

Test(binance_us_orders, a_fee_in_an_asset_that_the_tape_does_not_know)
{
    bench_run("BTCUSD", true);
    for (int i = 0; i < 2; i++)
        report("TRADE", "PARTIALLY_FILLED", OURS, "GTC",
               "\"l\":\"0.2\",\"L\":\"100.01\",\"n\":\"0.02\",\"N\":\"BNB\",\"t\":77,\"m\":true");
    cr_expect(strstr(bench.told[0], "fee=0.02 fee_asset=-"), "%s", bench.told[0]);
    cr_expect_eq(bench.log_count, 1);
    cr_expect(bench_was_logged("a fee is paid in BNB"));
}

/* What the stream could not tell is asked for. */
Test(binance_us_orders, an_event_that_can_t_be_read_asks_for_the_account)
{
    bench_run("BTCUSD", true);
    size_t before = bench_count_made("GET", "/api/v3/account");
    report("TRADE", "FILLED", OURS, "GTC", "\"t\":1,\"n\":7");
    cr_expect(bench_was_logged("field L"));
    cr_expect_eq(bench_count_made("GET", "/api/v3/account"), before + 1);
    bench_expect_nothing();
}

/* --- rooms and venues ------------------------------------------------------------------------------------ */

Test(binance_us_orders, too_many_requests_under_way_are_refused_here)
{
    bench_run("BTCUSD", true);
    unsigned number = 1;
    while (bench.told_count == 0 && number < 3000) {
        bench_place(number++, "buy", "100.00", "0.50000000", "gtc", true);
        bench.request_count = 0; /* the bench has no room for so many either */
    }
    char line[128];
    snprintf(line, sizeof line, "order_rejected " BTC " order=#%u reason=venue_full", number - 1);
    bench_expect(line);
    bench_cancel(1);
    bench_expect("cancel_rejected " BTC " order=#1 reason=venue_full");
    bench_query(1);
    bench_expect("order_unknown " BTC " order=#1 request=query");
    bench_replace(5000, 1, "99.00", "0.50000000");
    bench_expect("cancel_rejected " BTC " order=#1 reason=venue_full");
    bench_expect("order_rejected " BTC " order=#5000 reason=venue_full");
    bench_expect_nothing();
}

Test(binance_us_orders, without_credentials_nothing_is_sent)
{
    bench_run("BTCUSD", false);
    place_one();
    bench_cancel(1);
    bench_query(1);
    bench_decide("request_snapshot - venue=binance_us cause=1");
    bench_expect_nothing();
    for (size_t i = 0; i < bench.request_count; i++)
        cr_expect(!bench.requests[i].open || strcmp(bench.requests[i].key, "") == 0);
    cr_expect_eq(bench_count_made("POST", ORDER), 0);
}
