/* Orders at OANDA: decisions as requests, every answer to them, and questions about what became of them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "oanda_bench.h"
#include "venue/live/oanda_errors.h"

#define WHY "level=0 cause=1 fair=0 skew=0 distance=0 gates=0x0"

static char text[8192];

/* An answer of these transactions, each "name": {…}. */
static const char *answer(const char *first, const char *one, const char *second, const char *two)
{
    static char body[4096];
    snprintf(body, sizeof body, "{\"%s\":%s%s%s%s%s,\"lastTransactionID\":\"1\"}", first, one,
             second ? ",\"" : "", second ? second : "", second ? "\":" : "", second ? two : "");
    return body;
}

static const char *refused(const char *reason)
{
    snprintf(text, sizeof text,
             "{\"orderRejectTransaction\":{\"type\":\"LIMIT_ORDER_REJECT\",\"id\":\"101\","
             "\"rejectReason\":\"%s\"},\"errorCode\":\"%s\",\"errorMessage\":\"no\"}",
             reason, reason);
    return text;
}

/* --- requests ------------------------------------------------------------------------------------------- */

Test(oanda_orders, place_is_one_post_with_the_name)
{
    oanda_run(NULL);
    oanda_place(1, "1.09990");
    struct oanda_request *request = oanda_find("POST /orders");
    cr_assert_not_null(request);
    cr_expect_str_eq(
        request->body,
        "{\"order\":{\"type\":\"LIMIT\",\"instrument\":\"EUR_USD\",\"units\":\"100\",\"price\":"
        "\"1.09990\",\"timeInForce\":\"GTC\",\"positionFill\":\"DEFAULT\",\"triggerCondition\":"
        "\"DEFAULT\",\"clientExtensions\":{\"id\":\"mm1-0-1\",\"tag\":\"mm1\"}}}");
    cr_expect_not_null(strstr(request->headers, "Authorization: Bearer " OANDA_TOKEN "\n"));
    cr_expect_not_null(strstr(request->headers, "Accept-Datetime-Format: UNIX\n"));
    cr_expect_not_null(strstr(request->headers, "Content-Type: application/json\n"));
    cr_expect_not_null(strstr(request->headers, "ClientRequestID: mm1-0-1\n"));
    oanda_pass(10 * NS_PER_SECOND);
    cr_expect_eq(oanda_count("POST"), 1, "an order is sent once");
    oanda_close();
}

Test(oanda_orders, with_an_expiry_an_order_is_good_till_a_date)
{
    oanda_run(&(struct oanda_choice){.expiry_ns = 30 * NS_PER_SECOND});
    oanda_place(1, "1.09990");
    cr_expect_not_null(strstr(oanda_find("POST")->body,
                              "\"timeInForce\":\"GTD\",\"gtdTime\":\"1700000031.000000000\""));
    oanda_decide("place oanda:EUR_USD order=#2 side=sell price=1.10000 quantity=100 "
                 "time_in_force=ioc post_only=no " WHY);
    cr_expect_not_null(strstr(bench.requests[bench.request_count - 1].body,
                              "\"units\":\"-100\",\"price\":\"1.10000\",\"timeInForce\":\"IOC\","));
    oanda_close();
}

Test(oanda_orders, post_only_stands_behind_the_touch_or_is_refused)
{
    oanda_run(NULL);
    oanda_place(1, "1.10000");
    oanda_expect("order_rejected oanda:EUR_USD order=#1 reason=post_only_would_cross");
    oanda_place(2, "1.09999");
    oanda_expect_nothing();
    oanda_decide("place oanda:EUR_USD order=#3 side=sell price=1.10010 quantity=1 "
                 "time_in_force=gtc post_only=yes " WHY);
    oanda_expect("order_rejected oanda:EUR_USD order=#3 reason=post_only_would_cross");
    oanda_decide("place oanda:EUR_USD order=#4 side=sell price=1.10011 quantity=1 "
                 "time_in_force=gtc post_only=yes " WHY);
    oanda_expect_nothing();
    oanda_closed(0, 0); /* no touch any more */
    oanda_forget();
    oanda_place(5, "1.09990");
    oanda_expect("order_rejected oanda:EUR_USD order=#5 reason=no_book");
    cr_expect_eq(oanda_count("POST"), 2);
    oanda_close();
}

Test(oanda_orders, replace_and_modify_are_both_one_put)
{
    oanda_run(NULL);
    oanda_decide("replace oanda:EUR_USD order=#2 replaces=#1 side=sell price=1.10020 quantity=5 "
                 "time_in_force=gtc post_only=yes " WHY);
    struct oanda_request *request = oanda_find("PUT /orders/@mm1-0-1");
    cr_assert_not_null(request);
    cr_expect_str_eq(request->body,
                     "{\"order\":{\"type\":\"LIMIT\",\"instrument\":\"EUR_USD\",\"units\":\"-5\","
                     "\"price\":\"1.10020\",\"timeInForce\":\"GTC\",\"clientExtensions\":{\"id\":"
                     "\"mm1-0-2\"}}}");
    oanda_decide("modify oanda:EUR_USD order=#3 side=buy price=1.09990 leaves=7 " WHY);
    request = oanda_find("PUT /orders/@mm1-0-3");
    cr_assert_not_null(request);
    cr_expect_str_eq(request->body,
                     "{\"order\":{\"type\":\"LIMIT\",\"instrument\":\"EUR_USD\",\"units\":\"7\","
                     "\"price\":\"1.09990\",\"timeInForce\":\"GTC\"}}");
    oanda_close();
}

Test(oanda_orders, what_makes_orders_leaves_room_for_cancels)
{
    oanda_run(NULL);
    oanda_pass(NS_PER_SECOND);
    for (unsigned i = 1; i <= 81; i++)
        oanda_place(i, "1.09990");
    oanda_expect("order_rejected oanda:EUR_USD order=#81 reason=rate_limit");
    for (unsigned i = 1; i <= 21; i++)
        oanda_decide("cancel oanda:EUR_USD order=#1 why=unwanted cause=1");
    oanda_expect("cancel_rejected oanda:EUR_USD order=#1 reason=rate_limit");
    oanda_expect_nothing();
    cr_expect_eq(oanda_count("PUT"), 20);
    oanda_close();
}

/* --- answers to places ------------------------------------------------------------------------------------ */

Test(oanda_orders, taken_then_told_by_the_stream_is_told_once)
{
    oanda_run(NULL);
    oanda_place(1, "1.09990");
    oanda_answer("POST", 201,
                 answer("orderCreateTransaction", oanda_made(101, "mm1-0-1", "100", "1.09990", ""),
                        "orderFillTransaction",
                        oanda_filled(102, 101, "mm1-0-1", "40", "1.09990", "100000.0000")));
    oanda_expect("order_accepted oanda:EUR_USD order=#1 venue_order=\"101\"");
    oanda_expect("order_filled oanda:EUR_USD order=#1 trade=\"102\" side=buy price=1.09990 "
                 "quantity=40 leaves=60 cause=reported liquidity=taker fee=0 fee_asset=USD");
    oanda_expect("balance - venue=oanda asset=USD total=100000");
    oanda_text(1, oanda_made(101, "mm1-0-1", "100", "1.09990", ""));
    oanda_text(1, oanda_filled(102, 101, "mm1-0-1", "40", "1.09990", "100000.0000"));
    oanda_expect_nothing();
    oanda_text(1, oanda_filled(103, 101, "mm1-0-1", "60", "1.09990", "100000.0000"));
    oanda_expect("order_filled oanda:EUR_USD order=#1 trade=\"103\" side=buy price=1.09990 "
                 "quantity=60 leaves=0");
    cr_expect_null(oanda_find("GET"), "there was no gap");
    oanda_close();
}

Test(oanda_orders, the_stream_may_be_first)
{
    oanda_run(NULL);
    oanda_place(1, "1.09990");
    oanda_text(1, oanda_made(101, "mm1-0-1", "100", "1.09990", ""));
    oanda_expect("order_accepted");
    oanda_answer("POST", 201,
                 answer("orderCreateTransaction", oanda_made(101, "mm1-0-1", "100", "1.09990", ""),
                        NULL, NULL));
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_orders, created_and_cancelled_is_a_refusal_in_effect)
{
    oanda_run(NULL);
    oanda_place(1, "1.09990");
    oanda_answer("POST", 201,
                 answer("orderCreateTransaction", oanda_made(101, "mm1-0-1", "100", "1.09990", ""),
                        "orderCancelTransaction",
                        oanda_cancelled(102, 101, "mm1-0-1", "INSUFFICIENT_MARGIN", "")));
    oanda_expect("order_rejected oanda:EUR_USD order=#1 reason=insufficient_funds");
    oanda_text(1, oanda_made(101, "mm1-0-1", "100", "1.09990", ""));
    oanda_text(1, oanda_cancelled(102, 101, "mm1-0-1", "INSUFFICIENT_MARGIN", ""));
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_orders, what_is_not_to_rest_is_cancelled_as_unfilled)
{
    oanda_run(NULL);
    oanda_decide("place oanda:EUR_USD order=#1 side=buy price=1.10000 quantity=100 "
                 "time_in_force=ioc post_only=no " WHY);
    oanda_answer("POST", 201,
                 answer("orderCreateTransaction",
                        oanda_made(101, "mm1-0-1", "100", "1.10000", ",\"timeInForce\":\"IOC\""),
                        "orderCancelTransaction",
                        oanda_cancelled(102, 101, "mm1-0-1", "TIME_IN_FORCE_EXPIRED", "")));
    oanda_expect("order_accepted");
    oanda_expect("order_cancelled oanda:EUR_USD order=#1 leaves=100 cause=unfilled");
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_orders, unknown_is_not_failed)
{
    static const struct {
        long status;
        const char *body;
    } answers[] = {{500, "{\"errorMessage\":\"x\"}"},
                   {502, "<html>"},
                   {503, "{\"errorMessage\":\"x\"}"},
                   {400, "<html>"},
                   {403, ""},
                   {201, "{\"orderCreateTransaction\":"},
                   {201, "{}"},
                   {302, ""}};
    oanda_run(NULL);
    unsigned number = 1;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++, number++) {
        oanda_place(number, "1.09990");
        oanda_answer("POST", answers[i].status, answers[i].body);
        snprintf(text, sizeof text, "order_unknown oanda:EUR_USD order=#%u request=place", number);
        oanda_expect(text);
    }
    oanda_place(number, "1.09990");
    oanda_fail("POST", NET_UNKNOWN);
    oanda_place(number + 1, "1.09990");
    oanda_fail("POST", NET_NOT_SENT);
    oanda_expect("order_unknown");
    oanda_expect("order_unknown");
    oanda_place(number + 2, "1.09990"); /* an answer about another order */
    oanda_answer("POST", 201,
                 answer("orderCreateTransaction", oanda_made(101, "mm1-0-99", "100", "1.09990", ""),
                        NULL, NULL));
    oanda_expect("order_unknown");
    oanda_place(number + 3, "1.09990");
    oanda_answer("POST", 400, refused("CLIENT_ORDER_ID_ALREADY_EXISTS"));
    oanda_expect("order_unknown");
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_orders, each_row_of_the_table)
{
    static const struct {
        const char *reason;
        enum reject reject;
    } rows[] = {
#define X(reason, reject) {reason, reject},
        V20_REJECTS(X)
#undef X
    };
    oanda_run(NULL);
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].reject == REJECT_DUPLICATE)
            continue; /* unknown: above */
        oanda_place(i + 1, "1.09990");
        oanda_answer("POST", i % 2 ? 400 : 404, refused(rows[i].reason));
        snprintf(text, sizeof text, "order_rejected oanda:EUR_USD order=#%u reason=%s", i + 1,
                 event_enum_text(FIELD_REJECT, rows[i].reject));
        oanda_expect(text);
    }
    cr_expect_eq(bench.log_count, 0);
    for (unsigned i = 0; i < 2; i++) {
        oanda_place(200 + i, "1.09990");
        oanda_answer("POST", 400, refused("SOMETHING_NEW"));
        oanda_expect("order_rejected");
    }
    cr_expect_eq(bench.log_count, 1, "once");
    oanda_close();
}

Test(oanda_orders, each_row_of_ends)
{
    static const struct {
        const char *reason;
        enum reject reject;
    } rows[] = {
#define X(reason, reject) {reason, reject},
        V20_ENDS(X)
#undef X
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(v20_end(rows[i].reason), rows[i].reject, "%s", rows[i].reason);
    cr_expect_eq(v20_end("TIME_IN_FORCE_EXPIRED"), REJECT_NONE);
    cr_expect_eq(v20_end("CLIENT_REQUEST"), REJECT_NONE);
}

Test(oanda_orders, too_many_requests_end_everything_for_a_second)
{
    oanda_run(NULL);
    oanda_place(1, "1.09990");
    oanda_answer("POST", 429, "");
    oanda_expect("order_rejected oanda:EUR_USD order=#1 reason=rate_limit");
    oanda_expect("rate_budget - venue=oanda left=0");
    oanda_decide("cancel oanda:EUR_USD order=#9 why=unwanted cause=1");
    oanda_expect("cancel_rejected oanda:EUR_USD order=#9 reason=rate_limit");
    oanda_pass(NS_PER_SECOND);
    oanda_decide("cancel oanda:EUR_USD order=#9 why=unwanted cause=1");
    oanda_expect_nothing();
    cr_expect_eq(oanda_count("PUT /orders/@mm1-0-9/cancel"), 1);
    oanda_close();
}

/* --- answers to cancels, replaces and modifies -------------------------------------------------------------- */

static void rest(unsigned number, unsigned id)
{
    char name[32];
    snprintf(name, sizeof name, "mm1-0-%u", number);
    oanda_place(number, "1.09990");
    oanda_answer(
        "POST", 201,
        answer("orderCreateTransaction", oanda_made(id, name, "100", "1.09990", ""), NULL, NULL));
    oanda_forget();
}

Test(oanda_orders, cancel)
{
    oanda_run(NULL);
    rest(1, 101);
    oanda_decide("cancel oanda:EUR_USD order=#1 why=unwanted cause=1");
    oanda_answer("PUT /orders/@mm1-0-1/cancel", 200,
                 answer("orderCancelTransaction",
                        oanda_cancelled(102, 101, "mm1-0-1", "CLIENT_REQUEST", ""), NULL, NULL));
    oanda_expect("order_cancelled oanda:EUR_USD order=#1 leaves=100 cause=requested");
    oanda_decide("cancel oanda:EUR_USD order=#1 why=unwanted cause=1");
    oanda_answer("PUT", 404,
                 "{\"orderCancelRejectTransaction\":{\"type\":\"ORDER_CANCEL_REJECT\",\"id\":"
                 "\"103\",\"rejectReason\":\"ORDER_DOESNT_EXIST\"},\"errorMessage\":\"no\"}");
    oanda_expect("cancel_rejected oanda:EUR_USD order=#1 reason=not_found");
    oanda_decide("cancel oanda:EUR_USD order=#1 why=unwanted cause=1");
    oanda_answer("PUT", 503, "");
    oanda_expect("order_unknown oanda:EUR_USD order=#1 request=cancel");
    oanda_decide("cancel_orphan oanda:EUR_USD order=- venue_order=\"77\" cause=1");
    cr_expect_eq(oanda_count("PUT /orders/77/cancel"), 1);
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_orders, replace_tells_both)
{
    oanda_run(NULL);
    rest(1, 101);
    oanda_decide("replace oanda:EUR_USD order=#2 replaces=#1 side=buy price=1.09980 quantity=50 "
                 "time_in_force=gtc post_only=yes " WHY);
    oanda_answer("PUT", 201,
                 answer("orderCancelTransaction",
                        oanda_cancelled(102, 101, "mm1-0-1", "CLIENT_REQUEST_REPLACED",
                                        ",\"replacedByOrderID\":\"103\""),
                        "orderCreateTransaction",
                        oanda_made(103, "mm1-0-2", "50", "1.09980",
                                   ",\"replacesOrderID\":\"101\",\"reason\":\"REPLACEMENT\"")));
    oanda_expect("order_cancelled oanda:EUR_USD order=#1 leaves=100 cause=replaced");
    oanda_expect("order_accepted oanda:EUR_USD order=#2 venue_order=\"103\"");
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_orders, replace_refused_or_unknown)
{
#define REPLACE                                                                                    \
    "replace oanda:EUR_USD order=#2 replaces=#1 side=buy price=1.09980 quantity=50 "               \
    "time_in_force=gtc post_only=yes " WHY
    oanda_run(NULL);
    rest(1, 101);
    oanda_decide(REPLACE);
    oanda_answer("PUT", 404, refused("ORDER_DOESNT_EXIST"));
    oanda_expect("cancel_rejected oanda:EUR_USD order=#1 reason=not_found");
    oanda_expect("order_rejected oanda:EUR_USD order=#2 reason=replaced_order_stays");
    oanda_decide(REPLACE);
    oanda_answer("PUT", 400, refused("UNITS_LIMIT_EXCEEDED"));
    oanda_expect("cancel_rejected oanda:EUR_USD order=#1 reason=bad_quantity");
    oanda_expect("order_rejected oanda:EUR_USD order=#2 reason=bad_quantity");
    oanda_decide(REPLACE);
    oanda_fail("PUT", NET_UNKNOWN);
    oanda_expect("order_unknown oanda:EUR_USD order=#1 request=replace");
    oanda_expect("order_unknown oanda:EUR_USD order=#2 request=replace");
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_orders, modify_keeps_the_name)
{
    oanda_run(NULL);
    rest(1, 101);
    oanda_decide("modify oanda:EUR_USD order=#1 side=buy price=1.09980 leaves=60 " WHY);
    oanda_answer(
        "PUT", 201,
        answer("orderCancelTransaction",
               oanda_cancelled(102, 101, "mm1-0-1", "CLIENT_REQUEST_REPLACED",
                               ",\"replacedByOrderID\":\"103\""),
               "orderCreateTransaction",
               oanda_made(103, "mm1-0-1", "60", "1.09980", ",\"replacesOrderID\":\"101\"")));
    oanda_expect("order_modified oanda:EUR_USD order=#1 price=1.09980 leaves=60");
    oanda_text(1, oanda_made(101, "mm1-0-1", "100", "1.09990", ""));
    oanda_text(1, oanda_cancelled(102, 101, "mm1-0-1", "CLIENT_REQUEST_REPLACED",
                                  ",\"replacedByOrderID\":\"103\""));
    oanda_text(1, oanda_made(103, "mm1-0-1", "60", "1.09980", ",\"replacesOrderID\":\"101\""));
    oanda_text(1, oanda_filled(104, 103, "mm1-0-1", "60", "1.09980", "100000"));
    oanda_expect("order_filled oanda:EUR_USD order=#1 trade=\"104\" side=buy price=1.09980 "
                 "quantity=60 leaves=0");
    oanda_forget();
    oanda_decide("modify oanda:EUR_USD order=#1 side=buy price=1.09970 leaves=60 " WHY);
    oanda_answer("PUT", 404, refused("ORDER_DOESNT_EXIST"));
    oanda_expect("modify_rejected oanda:EUR_USD order=#1 reason=not_found");
    oanda_decide("modify oanda:EUR_USD order=#1 side=buy price=1.09970 leaves=60 " WHY);
    oanda_answer("PUT", 500, "");
    oanda_expect("order_unknown oanda:EUR_USD order=#1 request=modify");
    oanda_close();
}

/* --- queries ------------------------------------------------------------------------------------------------ */

#define QUERY "query oanda:EUR_USD order=#1 cause=1"

static const char *since(const char *one, const char *two, const char *three, unsigned last)
{
    static char body[4096];
    snprintf(body, sizeof body, "{\"transactions\":[%s%s%s%s%s],\"lastTransactionID\":\"%u\"}", one,
             two ? "," : "", two ? two : "", three ? "," : "", three ? three : "", last);
    return body;
}

#define PENDING                                                                                    \
    "{\"order\":{\"id\":\"101\",\"state\":\"PENDING\",\"instrument\":\"EUR_USD\",\"units\":"       \
    "\"100\",\"price\":\"1.09990\",\"clientExtensions\":{\"id\":\"mm1-0-1\"}},"                    \
    "\"lastTransactionID\":\"102\"}"

Test(oanda_orders, a_query_of_a_pending_order_tells_fills_and_leaves)
{
    oanda_run(NULL);
    oanda_decide(QUERY);
    oanda_answer("GET /orders/@mm1-0-1", 200, PENDING);
    oanda_answer("GET /transactions/sinceid?id=100", 200,
                 since(oanda_made(101, "mm1-0-1", "100", "1.09990", ""),
                       oanda_filled(102, 101, "mm1-0-1", "30", "1.09990", "1"), NULL, 102));
    oanda_expect("order_filled oanda:EUR_USD order=#1 trade=\"102\" side=buy price=1.09990 "
                 "quantity=30 leaves=70");
    oanda_expect("order_status oanda:EUR_USD order=#1 venue_order=\"101\" side=buy price=1.09990 "
                 "leaves=70");
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_orders, an_ended_order_is_found_in_the_list)
{
    oanda_run(NULL);
    oanda_decide(QUERY);
    oanda_answer("GET /orders/@mm1-0-1", 404, "{\"errorMessage\":\"no such order\"}");
    oanda_answer("GET /orders?state=ALL&instrument=EUR_USD&count=500", 200,
                 "{\"orders\":[{\"id\":\"103\",\"state\":\"PENDING\",\"instrument\":\"EUR_USD\","
                 "\"units\":\"1\"},{\"id\":\"101\",\"state\":\"CANCELLED\",\"instrument\":"
                 "\"EUR_USD\",\"units\":\"100\",\"price\":\"1.09990\",\"clientExtensions\":{\"id\":"
                 "\"mm1-0-1\"},\"cancellingTransactionID\":\"104\"}]}");
    oanda_answer("GET /transactions/sinceid?id=100", 200,
                 since(oanda_made(101, "mm1-0-1", "100", "1.09990", ""),
                       oanda_filled(102, 101, "mm1-0-1", "30", "1.09990", "1"), NULL, 200));
    cr_assert_not_null(oanda_find("GET /transactions/sinceid?id=102"), "the page is not the last");
    oanda_answer(
        "GET /transactions/sinceid?id=102", 200,
        since(oanda_cancelled(104, 101, "mm1-0-1", "CLIENT_REQUEST", ""), NULL, NULL, 200));
    oanda_expect("order_filled oanda:EUR_USD order=#1 trade=\"102\"");
    oanda_expect("order_cancelled oanda:EUR_USD order=#1 leaves=70 cause=requested");
    oanda_expect("order_status oanda:EUR_USD order=#1 venue_order=\"101\" side=buy price=1.09990 "
                 "leaves=0");
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_orders, an_order_that_is_nowhere_is_not_found)
{
    oanda_run(NULL);
    oanda_decide(QUERY);
    oanda_answer("GET /orders/@mm1-0-1", 404, "{\"errorMessage\":\"no such order\"}");
    oanda_answer("GET /orders?state=ALL", 200, "{\"orders\":[],\"lastTransactionID\":\"100\"}");
    oanda_expect("order_not_found oanda:EUR_USD order=#1");
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_orders, a_query_fails_at_each_step)
{
    static const char *const steps[] = {"GET /orders/@", "GET /orders?", "GET /transactions"};
    static const char *const bodies[] = {
        NULL, "{\"errorMessage\":\"no such order\"}",
        "{\"orders\":[{\"id\":\"101\",\"state\":\"FILLED\",\"instrument\":\"EUR_USD\",\"units\":"
        "\"100\",\"clientExtensions\":{\"id\":\"mm1-0-1\"},\"fillingTransactionID\":\"102\"}]}"};
    for (unsigned step = 0; step < 3; step++) {
        for (unsigned way = 0; way < 4; way++) {
            oanda_run(NULL);
            oanda_decide(QUERY);
            for (unsigned i = 0; i < step; i++)
                oanda_answer(steps[i], i == 0 ? 404 : 200, bodies[i + 1]);
            if (way == 0)
                oanda_fail(steps[step], NET_UNKNOWN);
            else if (way == 1)
                oanda_answer(steps[step], 503, "");
            else if (way == 2)
                oanda_answer(steps[step], 200, "{\"orders\":");
            else
                oanda_answer(steps[step], 429, "");
            oanda_expect("order_unknown oanda:EUR_USD order=#1 request=query");
            oanda_close();
        }
    }
}
