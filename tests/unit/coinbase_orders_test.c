/* Orders at Coinbase: what is sent, what each answer and each message of the user channel comes to, and that every
 * fill is told once. */
#include "coinbase_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void close_bench(void)
{
    bench_close();
    bench.expiry_ns = 0;
}

TestSuite(coinbase_orders, .fini = close_bench);

#define PLACED(number)                                                                             \
    "{\"success\":true,\"failure_reason\":\"UNKNOWN_FAILURE_REASON\",\"order_id\":\"order-" number \
    "\",\"success_response\":{\"order_id\":\"order-" number                                        \
    "\",\"client_order_id\":\"mm1-0-" number "\"}}"
#define FAILED(reason)                                                                             \
    "{\"success\":false,\"failure_reason\":\"UNKNOWN_FAILURE_REASON\",\"error_response\":{"        \
    "\"error\":"                                                                                   \
    "\"" reason "\",\"message\":\"\",\"new_order_failure_reason\":\"" reason "\"}}"
#define CANCEL(number, success, reason)                                                            \
    "{\"success\":" success ",\"failure_reason\":\"" reason "\",\"order_id\":\"order-" number "\"" \
    "}"
#define CANCELLED(number)                                                                          \
    "{\"results\":[" CANCEL(number, "true", "UNKNOWN_CANCEL_FAILURE_REASON") "]}"
#define EDITED                                                                                     \
    "{\"success\":true,\"errors\":{\"edit_failure_reason\":\"UNKNOWN_EDIT_ORDER_FAILURE_REASON\"}" \
    "}"
#define EDIT_FAILED(reason)                                                                        \
    "{\"success\":false,\"errors\":[{\"edit_failure_reason\":\"" reason "\"}]}"
#define ORDER_PATH(number) ORDERS "/historical/order-" number

static void answer_fills(const char *list)
{
    char text[8192];
    snprintf(text, sizeof text, "{\"fills\":[%s],\"cursor\":\"\"}", list);
    bench_answer("GET", FILLS, 200, text);
}

static void answer_list(const char *list)
{
    char text[8192];
    snprintf(text, sizeof text, "{\"orders\":[%s],\"has_next\":false,\"cursor\":\"\"}", list);
    bench_answer("GET", LIST, 200, text);
}

static void answer_order(const char *order)
{
    char text[2048];
    snprintf(text, sizeof text, "{\"order\":%s}", order);
    for (size_t i = 0; i < bench.request_count; i++) {
        struct bench_request *request = &bench.requests[i];
        if (!request->open || !strstr(request->url, ORDERS "/historical/order-"))
            continue;
        char path[256];
        snprintf(path, sizeof path, "%s", request->url + strlen("https://rest.test"));
        bench_answer("GET", path, 200, text);
        return;
    }
    cr_assert_fail("no order is asked for");
}

/* --- placing --------------------------------------------------------------------------------------- */

static void body_of(const char *time_in_force, bool post_only, const char *expected)
{
    bench_run("BTC-USD", true);
    bench_place(7, "sell", "101.50", "0.025", time_in_force, post_only);
    struct bench_request *request = bench_find("POST", ORDERS, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(request->body, expected);
    cr_expect_eq(strncmp(request->bearer, "Bearer eyJ", 10), 0);
    cr_expect_eq(bench_count_made("POST", ORDERS), 1);
    bench_close();
}

#define BODY(configuration)                                                                        \
    "{\"client_order_id\":\"mm1-0-7\",\"product_id\":\"BTC-USD\",\"side\":\"SELL\","               \
    "\"order_configuration\":{" configuration "}}"

Test(coinbase_orders, bodies)
{
    body_of(
        "gtc", true,
        BODY("\"limit_limit_gtc\":{\"base_size\":\"0.025\",\"limit_price\":\"101.5\",\"post_only\":"
             "true}"));
    body_of(
        "gtc", false,
        BODY("\"limit_limit_gtc\":{\"base_size\":\"0.025\",\"limit_price\":\"101.5\",\"post_only\":"
             "false}"));
    body_of("ioc", false,
            BODY("\"sor_limit_ioc\":{\"base_size\":\"0.025\",\"limit_price\":\"101.5\"}"));
    body_of("fok", false,
            BODY("\"limit_limit_fok\":{\"base_size\":\"0.025\",\"limit_price\":\"101.5\"}"));
}

/* The dead man's end: the venue's clock is 250 ms ahead of 2023-11-14T22:13:20, rounded up to a second. */
Test(coinbase_orders, an_order_that_ends_by_itself)
{
    bench.expiry_ns = 60 * NS_PER_SECOND;
    body_of(
        "gtc", true,
        BODY("\"limit_limit_gtd\":{\"base_size\":\"0.025\",\"limit_price\":\"101.5\",\"end_time\":"
             "\"2023-11-14T22:14:21Z\",\"post_only\":true}"));
    body_of("ioc", false,
            BODY("\"sor_limit_ioc\":{\"base_size\":\"0.025\",\"limit_price\":\"101.5\"}"));
}

Test(coinbase_orders, accepted_by_its_answer_then_by_the_channel)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_answer("POST", ORDERS, 200, PLACED("1"));
    bench_expect("order_accepted coinbase:BTC-USD order=#1 venue_order=\"order-1\"");
    bench_user("update", 1, "PENDING", "0", "2", "100.00");
    bench_user("update", 1, "OPEN", "0", "2", "100.00");
    bench_expect_nothing();
}

/* PENDING is no acceptance: such an order may still fail. */
Test(coinbase_orders, accepted_by_the_channel_then_by_its_answer)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_user("update", 1, "PENDING", "0", "2", "100.00");
    bench_expect_nothing();
    bench_user("update", 1, "OPEN", "0", "2", "100.00");
    bench_expect("order_accepted coinbase:BTC-USD order=#1 venue_order=\"order-1\"");
    bench_answer("POST", ORDERS, 200, PLACED("1"));
    bench_expect_nothing();
}

static void refused(long status, const char *body, const char *reason)
{
    char line[128];
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_answer("POST", ORDERS, status, body);
    snprintf(line, sizeof line, "order_rejected coinbase:BTC-USD order=#1 reason=%s", reason);
    bench_expect(line);
    bench_cancel(1); /* it has ended */
    bench_expect("cancel_rejected coinbase:BTC-USD order=#1 reason=not_found");
    bench_expect_nothing();
    bench_close();
}

Test(coinbase_orders, refusals)
{
    refused(200, FAILED("INVALID_LIMIT_PRICE_POST_ONLY"), "post_only_would_cross");
    refused(200, FAILED("INSUFFICIENT_FUND"), "insufficient_funds");
    refused(200, FAILED("SOMETHING_NEW"), "other");
    refused(401, "Unauthorized\n", "other");
    refused(403, "Missing required scopes", "other");
    refused(400, "{\"error\":\"INVALID_ARGUMENT\",\"message\":\"no\"}", "other");
}

/* The reasons in the order of the document: a preview's where the first says nothing. */
Test(coinbase_orders, the_reason_of_the_preview)
{
    refused(200,
            "{\"success\":false,\"error_response\":{\"error\":\"UNKNOWN_FAILURE_REASON\","
            "\"preview_failure_reason\":\"PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL\"}}",
            "minimum_notional");
}

/* A key that is bound to a portfolio: the next order names it. */
Test(coinbase_orders, the_portfolio_is_named_where_it_must_be)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    cr_expect_null(bench_find("POST", ORDERS, "retail_portfolio_id"));
    bench_answer("POST", ORDERS, 400,
                 "{\"error\":\"INVALID_ARGUMENT\",\"message\":\"account is not available\"}");
    bench_expect("order_rejected coinbase:BTC-USD order=#1 reason=other");
    bench_place(2, "buy", "100.00", "2.000", "gtc", true);
    cr_expect(bench_find("POST", ORDERS, "\"retail_portfolio_id\":\"portfolio-1\"") != NULL);
}

static void unknown(long status, const char *body)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    if (status)
        bench_answer("POST", ORDERS, status, body);
    else
        bench_fail("POST", ORDERS, strcmp(body, "lost") == 0 ? NET_UNKNOWN : NET_NOT_SENT);
    bench_expect("order_unknown coinbase:BTC-USD order=#1 request=place");
    bench_expect_nothing();
    bench_pass(10 * NS_PER_SECOND);
    cr_expect_eq(bench_count_made("POST", ORDERS), 1, "it was sent again");
    bench_close();
}

Test(coinbase_orders, no_answer_is_unknown_and_nothing_is_sent_twice)
{
    unknown(0, "lost");
    unknown(0, "not sent");
    unknown(500, "{\"error\":\"INTERNAL\",\"message\":\"\"}");
    unknown(503, "<html>");
    unknown(404, "<html>");
    unknown(200, "{\"success\":true");
    unknown(200, "{\"success\":true,\"success_response\":{\"order_id\":\"\"}}");
    unknown(200, PLACED("2")); /* about another order */
    unknown(200, FAILED("DUPLICATE_CLIENT_ORDER_ID"));
}

Test(coinbase_orders, what_cant_be_sent_is_refused)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "ioc", true);
    bench_expect("order_rejected coinbase:BTC-USD order=#1 reason=unsupported");
    bench_place(2, "buy", "nan", "2.000", "gtc", true);
    bench_expect("order_rejected coinbase:BTC-USD order=#2 reason=bad_price");
    bench_place(3, "buy", "100.00", "0.000", "gtc", true);
    bench_expect("order_rejected coinbase:BTC-USD order=#3 reason=bad_quantity");
    cr_expect_eq(bench_count_made("POST", ORDERS), 0);
}

/* --- failing afterwards ----------------------------------------------------------------------------- */

Test(coinbase_orders, failed_before_it_was_accepted)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_event(USER, "user",
                "{\"type\":\"update\",\"orders\":[{\"order_id\":\"order-1\",\"client_order_id\":"
                "\"mm1-0-1\",\"cumulative_quantity\":\"0\",\"leaves_quantity\":\"0\",\"status\":"
                "\"FAILED\",\"product_id\":\"BTC-USD\",\"order_side\":\"BUY\",\"reject_reason\":"
                "\"INVALID_LIMIT_PRICE_POST_ONLY\"}]}");
    bench_expect("order_rejected coinbase:BTC-USD order=#1 reason=post_only_would_cross");
    bench_expect_nothing();
}

/* An order is not refused twice: for the engine it was cancelled. */
Test(coinbase_orders, failed_after_it_was_accepted)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "FAILED", "0", "0", "100.00");
    bench_expect("order_cancelled coinbase:BTC-USD order=#1 leaves=2.000 cause=unfilled");
    bench_expect_nothing();
}

/* --- fills ------------------------------------------------------------------------------------------- */

/* A sum that grows has the fills asked for; each is told by its trade id, with what it leaves. */
Test(coinbase_orders, a_fill_is_told_once)
{
    char two[2048];
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00");
    bench_expect_nothing();
    cr_expect(bench_find("GET", FILLS, "order_ids=order-1") != NULL);
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    size_t at = bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t1\" side=buy "
                             "price=100.00 quantity=0.500 leaves=1.500 cause=reported "
                             "liquidity=maker fee=0.25 fee_asset=USD");
    cr_expect_eq(bench.told_venue_ns[at], INT64_C(1775572201000000000));
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00"); /* the same again */
    cr_expect_eq(bench_count_open("GET", FILLS), 0);
    bench_user("update", 1, "FILLED", "2", "0", "100.00");
    int length = snprintf(two, sizeof two, "%s,",
                          bench_fill(1, "t2", "99.50", "1.5", "2026-04-07T14:30:02Z"));
    snprintf(two + length, sizeof two - (size_t)length, "%s",
             bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    answer_fills(two);
    bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t2\" side=buy price=99.50 "
                 "quantity=1.500 leaves=0.000");
    bench_expect_nothing();
    bench_user("update", 1, "FILLED", "2", "0", "100.00");
    bench_expect_nothing();
}

/* The list lags behind the sum: it is read until it adds up. */
Test(coinbase_orders, a_list_that_lags)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00");
    answer_fills("");
    bench_expect_nothing();
    bench_pass(NS_PER_SECOND);
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    cr_expect_eq(bench_count_told("order_filled"), 1);
}

Test(coinbase_orders, a_list_that_never_adds_up)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00");
    for (int i = 0; i < 8; i++) {
        answer_fills("");
        bench_pass(NS_PER_SECOND);
    }
    cr_expect(bench_was_told("order_unknown coinbase:BTC-USD order=#1 request=query"));
    cr_expect_eq(bench_count_open("GET", FILLS), 0);
}

/* A fill that comes while its list is asked for is told by the same list, or by another. */
Test(coinbase_orders, a_sum_that_grows_meanwhile)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00");
    bench_user("update", 1, "OPEN", "0.75", "1.25", "100.00");
    cr_expect_eq(bench_count_open("GET", FILLS), 1);
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_expect_nothing();
    bench_pass(NS_PER_SECOND);
    char two[2048];
    int length = snprintf(two, sizeof two, "%s,",
                          bench_fill(1, "t2", "100.00", "0.25", "2026-04-07T14:30:02Z"));
    snprintf(two + length, sizeof two - (size_t)length, "%s",
             bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    answer_fills(two);
    cr_expect_eq(bench_count_told("order_filled"), 2);
}

/* Pages go on where a cursor says so. */
Test(coinbase_orders, fills_in_pages)
{
    char text[2048];
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "FILLED", "2", "0", "100.00");
    snprintf(text, sizeof text, "{\"fills\":[%s],\"cursor\":\"next page\"}",
             bench_fill(1, "t2", "100.00", "1.5", "2026-04-07T14:30:02Z"));
    bench_answer("GET", FILLS, 200, text);
    cr_expect(bench_find("GET", FILLS, "cursor=next%20page") != NULL);
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t1\" side=buy price=100.00 "
                 "quantity=0.500 leaves=1.500");
    bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t2\" side=buy price=100.00 "
                 "quantity=1.500 leaves=0.000");
    bench_expect_nothing();
}

Test(coinbase_orders, fills_of_other_orders_and_corrections_are_none_of_it)
{
    char list[4096], correction[1024];
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00");
    snprintf(correction, sizeof correction, "%s",
             bench_fill(1, "t9", "100.00", "0.5", "2026-04-07T14:30:03Z"));
    char *type = strstr(correction, "\"FILL\"");
    memcpy(type, "\"BACK\"", 6);
    int length = snprintf(list, sizeof list, "%s,%s,", correction,
                          bench_fill(2, "t5", "100.00", "0.5", "2026-04-07T14:30:02Z"));
    snprintf(list + length, sizeof list - (size_t)length, "%s",
             bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    answer_fills(list);
    cr_expect_eq(bench_count_told("order_filled"), 1);
    cr_expect(bench_was_told("order_filled coinbase:BTC-USD order=#1 trade=\"t1\""));
    cr_expect(bench_was_logged("reversed or corrected"));
}

Test(coinbase_orders, a_size_in_quote_is_not_booked)
{
    char fill[1024];
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00");
    snprintf(fill, sizeof fill, "%s", bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    memcpy(strstr(fill, "\"size_in_quote\":false"), "\"size_in_quote\":true ", 21);
    answer_fills(fill);
    cr_expect_eq(bench_count_told("order_filled"), 0);
    cr_expect(bench_was_told("order_unknown coinbase:BTC-USD order=#1 request=query"));
}

/* --- ends ------------------------------------------------------------------------------------------- */

/* What the venue leaves is 0 once it is over: the rest is what our own record says. Fills come first. */
Test(coinbase_orders, cancelled_after_a_fill)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "CANCELLED", "0.5", "0", "100.00");
    bench_expect_nothing();
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t1\" side=buy price=100.00 "
                 "quantity=0.500 leaves=1.500");
    bench_expect("order_cancelled coinbase:BTC-USD order=#1 leaves=1.500 cause=requested");
    bench_expect_nothing();
}

Test(coinbase_orders, expired)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "EXPIRED", "0", "0", "100.00");
    bench_expect("order_expired coinbase:BTC-USD order=#1 leaves=2.000");
    bench_expect_nothing();
}

Test(coinbase_orders, taken_in_part_at_once)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "ioc", false);
    bench_user("update", 1, "CANCELLED", "0.5", "0", "100.00");
    bench_answer("POST", ORDERS, 200, PLACED("1"));
    bench_expect("order_accepted coinbase:BTC-USD order=#1");
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t1\"");
    bench_expect("order_cancelled coinbase:BTC-USD order=#1 leaves=1.500 cause=unfilled");
    bench_expect_nothing();
}

/* --- cancels ---------------------------------------------------------------------------------------- */

/* That a cancel was taken is no end. */
Test(coinbase_orders, a_cancel)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_cancel(1);
    struct bench_request *request = bench_find("POST", CANCELS, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(request->body, "{\"order_ids\":[\"order-1\"]}");
    bench_answer("POST", CANCELS, 200, CANCELLED("1"));
    bench_expect_nothing();
    bench_user("update", 1, "CANCELLED", "0", "0", "100.00");
    bench_expect("order_cancelled coinbase:BTC-USD order=#1 leaves=2.000 cause=requested");
    bench_expect_nothing();
}

/* The channel says nothing: the order is asked for until it is over, and then the engine is told that it is not
 * known. */
Test(coinbase_orders, a_cancel_that_nobody_tells_of)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_cancel(1);
    bench_answer("POST", CANCELS, 200, CANCELLED("1"));
    bench_pass(1250 * NS_PER_MS);
    answer_order(bench_order(1, "OPEN", "100.00", "2", "0"));
    cr_expect_not(bench_was_told("order_cancelled"));
    bench_pass(1250 * NS_PER_MS);
    answer_order(bench_order(1, "CANCELLED", "100.00", "2", "0"));
    cr_expect(
        bench_was_told("order_cancelled coinbase:BTC-USD order=#1 leaves=2.000 cause=requested"));
    bench_pass(30 * NS_PER_SECOND);
    cr_expect_eq(bench_count_told("order_"), 1);
}

Test(coinbase_orders, a_cancel_that_comes_to_nothing)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_cancel(1);
    bench_answer("POST", CANCELS, 200, CANCELLED("1"));
    for (int i = 0; i < 30; i++) {
        bench_pass(NS_PER_SECOND);
        if (bench_find("GET", ORDER_PATH("1"), NULL))
            answer_order(bench_order(1, "OPEN", "100.00", "2", "0"));
    }
    cr_expect_eq(bench_count_told("order_unknown coinbase:BTC-USD order=#1 request=cancel"), 1);
}

/* Filled before the cancel came. */
Test(coinbase_orders, a_cancel_that_is_too_late)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_cancel(1);
    bench_answer("POST", CANCELS, 200,
                 "{\"results\":[" CANCEL("1", "false", "UNKNOWN_CANCEL_ORDER") "]}");
    bench_expect("cancel_rejected coinbase:BTC-USD order=#1 reason=not_found");
    bench_expect_nothing();
}

Test(coinbase_orders, a_cancel_that_is_pending_already)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_cancel(1);
    bench_answer("POST", CANCELS, 200,
                 "{\"results\":[" CANCEL("1", "false", "DUPLICATE_CANCEL_REQUEST") "]}");
    bench_expect_nothing();
    bench_user("update", 1, "CANCELLED", "0", "0", "100.00");
    bench_expect("order_cancelled coinbase:BTC-USD order=#1");
}

static void cancel_fails(long status, const char *body, const char *line)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_cancel(1);
    if (status)
        bench_answer("POST", CANCELS, status, body);
    else
        bench_fail("POST", CANCELS, NET_UNKNOWN);
    bench_expect(line);
    bench_expect_nothing();
    bench_close();
}

Test(coinbase_orders, cancels_that_fail)
{
    static const char not_known[] = "order_unknown coinbase:BTC-USD order=#1 request=cancel";
    cancel_fails(0, "", not_known);
    cancel_fails(502, "<html>", not_known);
    cancel_fails(200, "{\"results\":[", not_known);
    cancel_fails(200, "{\"results\":[]}", not_known);
    cancel_fails(200, CANCELLED("2"), not_known);
    cancel_fails(401, "Unauthorized\n", "cancel_rejected coinbase:BTC-USD order=#1 reason=other");
    cancel_fails(200, "{\"results\":[" CANCEL("1", "false", "COMMANDER_REJECTED_CANCEL_ORDER") "]}",
                 "cancel_rejected coinbase:BTC-USD order=#1 reason=other");
}

/* Four requests at a time; what is decided meanwhile leaves together. */
Test(coinbase_orders, cancels_in_a_batch)
{
    bench_run("BTC-USD", true);
    for (unsigned i = 1; i <= 7; i++)
        bench_rest(i);
    for (unsigned i = 1; i <= 7; i++)
        bench_cancel(i);
    cr_expect_eq(bench_count_open("POST", CANCELS), 4);
    bench_answer("POST", CANCELS, 200, CANCELLED("1"));
    struct bench_request *batch = bench_find("POST", CANCELS, "order-5");
    cr_assert_not_null(batch);
    cr_expect_str_eq(batch->body, "{\"order_ids\":[\"order-5\",\"order-6\",\"order-7\"]}");
    for (int i = 0; i < 3; i++)
        bench_answer("POST", CANCELS, 200,
                     "{\"results\":[" CANCEL("2", "true", "") "," CANCEL(
                         "3", "true", "") "," CANCEL("4", "true", "") "]}");
    bench_answer("POST", CANCELS, 200,
                 "{\"results\":[" CANCEL("5", "true", "") "," CANCEL("6", "false",
                                                                     "UNKNOWN_CANCEL_ORDER") "]}");
    bench_expect("cancel_rejected coinbase:BTC-USD order=#6 reason=not_found");
    bench_expect("order_unknown coinbase:BTC-USD order=#7 request=cancel");
    bench_expect_nothing();
}

/* The id is not known yet: the cancel waits for it. */
Test(coinbase_orders, a_cancel_before_the_answer)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_cancel(1);
    cr_expect_eq(bench_count_made("POST", CANCELS), 0);
    bench_answer("POST", ORDERS, 200, PLACED("1"));
    cr_expect_eq(bench_count_open("POST", CANCELS), 1);
}

Test(coinbase_orders, a_cancel_of_an_order_that_was_refused_meanwhile)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_cancel(1);
    bench_answer("POST", ORDERS, 200, FAILED("INSUFFICIENT_FUND"));
    bench_expect("order_rejected coinbase:BTC-USD order=#1 reason=insufficient_funds");
    bench_expect_nothing();
    cr_expect_eq(bench_count_made("POST", CANCELS), 0);
}

/* No answer to the order: it is looked for by its name, then cancelled. */
Test(coinbase_orders, a_cancel_of_an_order_without_an_answer)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_fail("POST", ORDERS, NET_UNKNOWN);
    bench_expect("order_unknown coinbase:BTC-USD order=#1 request=place");
    bench_cancel(1);
    answer_list(bench_order(1, "OPEN", "100.00", "2", "0"));
    cr_expect(bench_find("POST", CANCELS, "order-1") != NULL);
    bench_expect("order_accepted coinbase:BTC-USD order=#1 venue_order=\"order-1\"");
    bench_expect_nothing();
}

Test(coinbase_orders, a_cancel_of_an_order_that_is_not_there)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_fail("POST", ORDERS, NET_NOT_SENT);
    bench_cancel(1);
    bench_forget();
    for (int i = 0; i < 4; i++)
        answer_list("");
    bench_expect("cancel_rejected coinbase:BTC-USD order=#1 reason=not_found");
    bench_expect_nothing();
}

Test(coinbase_orders, orphans)
{
    bench_run("BTC-USD", true);
    bench_decide("cancel_orphan coinbase:BTC-USD order=#4.9 venue_order=\"order-9\" cause=1");
    cr_expect(bench_find("POST", CANCELS, "order-9") != NULL);
    bench_decide("cancel_orphan coinbase:BTC-USD order=- venue_order=\"foreign-1\" cause=1");
    cr_expect(bench_find("POST", CANCELS, "foreign-1") != NULL);
    bench_fail("POST", CANCELS, NET_UNKNOWN);
    bench_fail("POST", CANCELS, NET_UNKNOWN);
    bench_expect("order_unknown coinbase:BTC-USD order=#4.9 request=cancel");
    bench_expect_nothing();
}

/* --- edits ------------------------------------------------------------------------------------------ */

Test(coinbase_orders, an_edit_that_the_channel_tells)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_modify(1, "99.50", "3.000");
    struct bench_request *request = bench_find("POST", EDIT, NULL);
    cr_assert_not_null(request);
    cr_expect_str_eq(request->body, "{\"order_id\":\"order-1\",\"price\":\"99.5\",\"size\":\"3\"}");
    bench_answer("POST", EDIT, 200, EDITED);
    bench_user("update", 1, "OPEN", "0", "2", "100.00"); /* of before */
    bench_expect_nothing();
    bench_user("update", 1, "OPEN", "0", "3", "99.50");
    bench_expect("order_modified coinbase:BTC-USD order=#1 price=99.50 leaves=3.000");
    bench_expect_nothing();
    bench_pass(10 * NS_PER_SECOND);
    cr_expect_eq(bench_count_made("GET", ORDER_PATH("1")), 0);
}

Test(coinbase_orders, an_edit_that_is_told_before_its_answer)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_modify(1, "99.50", "3.000");
    bench_user("update", 1, "OPEN", "0", "3", "99.50");
    bench_expect("order_modified coinbase:BTC-USD order=#1 price=99.50 leaves=3.000");
    bench_answer("POST", EDIT, 200, EDITED);
    bench_expect_nothing();
}

Test(coinbase_orders, an_edit_that_nobody_tells_of)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_modify(1, "99.50", "3.000");
    bench_answer("POST", EDIT, 200, EDITED);
    bench_pass(1250 * NS_PER_MS);
    answer_order(bench_order(1, "OPEN", "99.50", "3", "0"));
    cr_expect(bench_was_told("order_modified coinbase:BTC-USD order=#1 price=99.50 leaves=3.000"));
}

static void edit_fails(long status, const char *body, const char *line)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_modify(1, "99.50", "3.000");
    if (status)
        bench_answer("POST", EDIT, status, body);
    else
        bench_fail("POST", EDIT, NET_UNKNOWN);
    bench_expect(line);
    bench_expect_nothing();
    bench_close();
}

Test(coinbase_orders, edits_that_fail)
{
    edit_fails(200, EDIT_FAILED("CANNOT_EDIT_TO_BELOW_FILLED_SIZE"),
               "modify_rejected coinbase:BTC-USD order=#1 reason=already_filled");
    edit_fails(200, EDIT_FAILED("ONLY_OPEN_ORDERS_CAN_BE_EDITED"),
               "modify_rejected coinbase:BTC-USD order=#1 reason=not_found");
    edit_fails(200,
               "{\"success\":false,\"errors\":[{\"edit_failure_reason\":"
               "\"COMMANDER_REJECTED_EDIT_ORDER\",\"preview_failure_reason\":"
               "\"PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY\"}]}",
               "modify_rejected coinbase:BTC-USD order=#1 reason=post_only_would_cross");
    edit_fails(401, "Unauthorized\n", "modify_rejected coinbase:BTC-USD order=#1 reason=other");
    edit_fails(0, "", "order_unknown coinbase:BTC-USD order=#1 request=modify");
    edit_fails(500, "<html>", "order_unknown coinbase:BTC-USD order=#1 request=modify");
    edit_fails(200, "{\"success\":", "order_unknown coinbase:BTC-USD order=#1 request=modify");
}

/* A modify means a new total: what had filled, and `leaves`. */
Test(coinbase_orders, a_smaller_size_after_a_fill)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00");
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_forget();
    bench_modify(1, "100.00", "1.000"); /* which fills it knows of is not certain so soon */
    bench_expect("modify_rejected coinbase:BTC-USD order=#1 reason=already_filled");
    bench_pass(2 * NS_PER_SECOND);
    bench_modify(1, "100.00", "1.000");
    cr_expect(bench_find("POST", EDIT, "\"size\":\"1.5\"") != NULL);
}

/* Price moves only where nothing had filled: the size is what was wanted then, whatever filled since. */
Test(coinbase_orders, a_price_that_crosses_a_fill)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00");
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_modify(1, "99.50", "2.000");
    cr_expect(bench_find("POST", EDIT, "\"price\":\"99.5\",\"size\":\"2\"") != NULL);
    bench_user("update", 1, "OPEN", "0.5", "1.5", "99.50");
    cr_expect(bench_was_told("order_modified coinbase:BTC-USD order=#1 price=99.50 leaves=1.500"));
}

/* What a fill leaves while an edit travels is not known: its size may be the old one or the new one. */
Test(coinbase_orders, a_fill_during_an_edit)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_modify(1, "99.50", "3.000");
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00");
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t1\" side=buy price=100.00 "
                 "quantity=0.500 leaves=absent");
    bench_user("update", 1, "OPEN", "0.5", "2.5", "99.50");
    bench_expect("order_modified coinbase:BTC-USD order=#1 price=99.50 leaves=2.500");
    bench_expect_nothing();
}

/* It ended while an edit travelled: with which size, REST says. */
Test(coinbase_orders, an_end_during_an_edit)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_modify(1, "99.50", "3.000");
    bench_user("update", 1, "CANCELLED", "0", "0", "100.00");
    bench_expect_nothing();
    answer_order(bench_order(1, "CANCELLED", "100.00", "2", "0"));
    bench_expect("order_cancelled coinbase:BTC-USD order=#1 leaves=2.000 cause=requested");
    bench_answer("POST", EDIT, 200, EDIT_FAILED("ONLY_OPEN_ORDERS_CAN_BE_EDITED"));
    bench_expect("modify_rejected coinbase:BTC-USD order=#1 reason=not_found");
    bench_expect_nothing();
}

Test(coinbase_orders, orders_that_end_by_themselves_cant_be_edited)
{
    bench.expiry_ns = 60 * NS_PER_SECOND;
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_modify(1, "99.50", "3.000");
    bench_expect("modify_rejected coinbase:BTC-USD order=#1 reason=unsupported");
    cr_expect_eq(bench_count_made("POST", EDIT), 0);
}

Test(coinbase_orders, a_replacement_is_two_requests_here)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_decide(
        "replace coinbase:BTC-USD order=#2 replaces=#1 side=buy price=99.50 quantity=2.000 "
        "time_in_force=gtc post_only=yes level=0 cause=1 fair=0 skew=0 distance=0 gates=0x0");
    bench_expect("cancel_rejected coinbase:BTC-USD order=#1 reason=unsupported");
    bench_expect("order_rejected coinbase:BTC-USD order=#2 reason=replaced_order_stays");
    bench_expect_nothing();
}

/* --- queries ---------------------------------------------------------------------------------------- */

Test(coinbase_orders, a_query_by_id)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_query(1);
    answer_order(bench_order(1, "OPEN", "100.00", "2", "0"));
    bench_expect("order_status coinbase:BTC-USD order=#1 venue_order=\"order-1\" side=buy "
                 "price=100.00 leaves=2.000");
    bench_expect_nothing();
}

/* Every fill, also those that were told; then how it rests. */
Test(coinbase_orders, a_query_tells_each_fill_again)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00");
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_forget();
    bench_query(1);
    answer_order(bench_order(1, "OPEN", "100.00", "2", "0.5"));
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t1\" side=buy price=100.00 "
                 "quantity=0.500 leaves=1.500");
    bench_expect("order_status coinbase:BTC-USD order=#1 venue_order=\"order-1\" side=buy "
                 "price=100.00 leaves=1.500");
    bench_expect_nothing();
}

Test(coinbase_orders, a_query_of_an_order_that_is_over)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_fail("POST", ORDERS, NET_UNKNOWN);
    bench_forget();
    bench_query(1);
    answer_list(bench_order(1, "CANCELLED", "100.00", "2", "0.5"));
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t1\"");
    bench_expect("order_cancelled coinbase:BTC-USD order=#1 leaves=1.500 cause=requested");
    bench_expect("order_status coinbase:BTC-USD order=#1 venue_order=\"order-1\" side=buy "
                 "price=100.00 leaves=0.000");
    bench_expect_nothing();
    bench_query(1); /* and all of it once more */
    answer_order(bench_order(1, "CANCELLED", "100.00", "2", "0.5"));
    answer_fills(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t1\"");
    bench_expect("order_cancelled coinbase:BTC-USD order=#1 leaves=1.500 cause=requested");
    bench_expect("order_status coinbase:BTC-USD order=#1");
    bench_expect_nothing();
}

/* All orders, the newest first, then those that such a list may leave out. */
Test(coinbase_orders, not_found)
{
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_fail("POST", ORDERS, NET_NOT_SENT);
    bench_forget();
    bench_query(1);
    cr_expect_null(bench_find("GET", LIST, "order_status"));
    cr_expect(bench_find("GET", LIST, "product_ids=BTC-USD") != NULL);
    answer_list(bench_order(2, "OPEN", "100.00", "2", "0"));
    cr_expect(bench_find("GET", LIST, "order_status=PENDING") != NULL);
    answer_list("");
    cr_expect(bench_find("GET", LIST, "order_status=QUEUED") != NULL);
    answer_list("");
    cr_expect(bench_find("GET", LIST, "order_status=OPEN") != NULL);
    bench_expect_nothing();
    answer_list("");
    size_t at = bench_expect("order_not_found coinbase:BTC-USD order=#1");
    cr_expect_eq(bench.told_venue_ns[at], bench.now + BENCH_AHEAD_MS * NS_PER_MS);
    bench_expect_nothing();
}

/* Pages of older orders are not read to their end. */
Test(coinbase_orders, orders_of_long_before_end_the_search)
{
    char list[2048];
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_fail("POST", ORDERS, NET_UNKNOWN);
    bench_query(1);
    snprintf(list, sizeof list, "{\"orders\":[%s],\"has_next\":true,\"cursor\":\"c2\"}",
             bench_order(2, "OPEN", "100.00", "2", "0"));
    bench_answer("GET", LIST, 200, list);
    cr_expect(bench_find("GET", LIST, "cursor=c2") != NULL);
    char *at = strstr(list, "\"filled_size\"");
    char old[2048];
    snprintf(old, sizeof old, "%.*s\"created_time\":\"2020-01-01T00:00:00Z\",%s", (int)(at - list),
             list, at);
    bench_answer("GET", LIST, 200, old);
    cr_expect(bench_find("GET", LIST, "order_status=PENDING") != NULL);
}

static void query_fails(long status, const char *body)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_query(1);
    if (status)
        bench_answer("GET", ORDER_PATH("1"), status, body);
    else
        bench_fail("GET", ORDER_PATH("1"), NET_UNKNOWN);
    bench_expect("order_unknown coinbase:BTC-USD order=#1 request=query");
    bench_expect_nothing();
    bench_close();
}

Test(coinbase_orders, queries_that_fail)
{
    char other[2048];
    query_fails(0, "");
    query_fails(500, "<html>");
    query_fails(401, "Unauthorized\n");
    query_fails(200, "{\"order\":{");
    query_fails(200, "{\"order\":{}}");
    snprintf(other, sizeof other, "{\"order\":%s}", bench_order(2, "OPEN", "100.00", "2", "0"));
    query_fails(200, other);
    snprintf(other, sizeof other, "{\"order\":%s}",
             bench_order(1, "SOMETHING", "100.00", "2", "0"));
    query_fails(200, other);
    snprintf(other, sizeof other, "{\"order\":%s}", bench_order(1, "OPEN", "100.00", "2", "much"));
    query_fails(200, other);
}

Test(coinbase_orders, an_id_that_the_venue_does_not_know)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_query(1);
    bench_answer(
        "GET", ORDER_PATH("1"), 404,
        "{\"error\":\"unknown\",\"error_details\":\"order with this orderID was not found\","
        "\"message\":\"order with this orderID was not found\"}");
    bench_expect("order_not_found coinbase:BTC-USD order=#1");
    bench_expect_nothing();
}

Test(coinbase_orders, a_query_whose_fills_fail)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_query(1);
    answer_order(bench_order(1, "OPEN", "100.00", "2", "0.5"));
    bench_answer("GET", FILLS, 500, "<html>");
    bench_expect("order_unknown coinbase:BTC-USD order=#1 request=query");
    bench_expect_nothing();
}

/* An edit without an answer, seen by the query that follows. */
Test(coinbase_orders, a_query_settles_an_edit)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_modify(1, "99.50", "3.000");
    bench_fail("POST", EDIT, NET_UNKNOWN);
    bench_forget();
    bench_query(1);
    answer_order(bench_order(1, "OPEN", "99.50", "3", "0"));
    cr_expect(
        bench_was_told("order_status coinbase:BTC-USD order=#1 venue_order=\"order-1\" side=buy "
                       "price=99.50 leaves=3.000"));
    bench_forget();
    bench_modify(1, "99.00", "3.000"); /* the next one is not in its way */
    bench_user("update", 1, "OPEN", "0", "3", "99.00");
    bench_expect("order_modified coinbase:BTC-USD order=#1 price=99.00 leaves=3.000");
}

/* One that came to nothing, and then came about after all. */
Test(coinbase_orders, an_edit_that_comes_very_late)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_modify(1, "99.50", "3.000");
    bench_fail("POST", EDIT, NET_UNKNOWN);
    bench_query(1);
    answer_order(bench_order(1, "OPEN", "100.00", "2", "0"));
    bench_forget();
    bench_user("update", 1, "OPEN", "0", "3", "99.50");
    bench_expect("order_modified coinbase:BTC-USD order=#1 price=99.50 leaves=3.000");
}

/* Those that ended make room for new ones; what rests is kept. */
Test(coinbase_orders, more_orders_than_are_kept)
{
    bench_run("BTC-USD", true);
    bench_rest(1);
    for (unsigned i = 2; i < 9000; i++) {
        bench_place(i, "buy", "100.00", "2.000", "gtc", true);
        bench_answer("POST", ORDERS, 200, FAILED("INSUFFICIENT_FUND"));
        cr_assert_eq(bench_count_told("order_rejected"), 1);
        bench_forget();
    }
    bench_cancel(1);
    cr_expect(bench_find("POST", CANCELS, "order-1") != NULL);
    bench_user("update", 1, "CANCELLED", "0", "0", "100.00");
    bench_expect("order_cancelled coinbase:BTC-USD order=#1 leaves=2.000");
}

/* More at once than can be followed: none is sent that would not be. */
Test(coinbase_orders, more_live_orders_than_can_be_kept)
{
    char text[128];
    unsigned i = 1;
    bench_run("BTC-USD", true);
    for (; i < 9000; i++) {
        bench_place(i, "buy", "100.00", "2.000", "gtc", true);
        if (bench_was_told("order_rejected"))
            break;
        snprintf(text, sizeof text, "{\"success\":true,\"order_id\":\"order-%u\"}", i);
        bench_answer("POST", ORDERS, 200, text);
        bench_forget();
    }
    cr_expect_eq(i, 6145);
    bench_expect("order_rejected coinbase:BTC-USD order=#6145 reason=venue_full");
    bench_cancel(6144);
    cr_expect(bench_find("POST", CANCELS, "order-6144") != NULL);
}

/* An order of another session is none of ours, wherever it is told. */
Test(coinbase_orders, orders_of_others)
{
    bench_run("BTC-USD", true);
    bench_event(USER, "user",
                "{\"type\":\"update\",\"orders\":[{\"order_id\":\"x\",\"client_order_id\":\"abc\","
                "\"cumulative_quantity\":\"1\",\"leaves_quantity\":\"0\",\"status\":\"FILLED\","
                "\"product_id\":\"BTC-USD\",\"order_side\":\"BUY\"}]}");
    bench_expect_nothing();
    cr_expect_eq(bench_count_open("GET", FILLS), 0);
}
