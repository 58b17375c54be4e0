/* Answers of Coinbase that bear our order's id or name and are about another product or side. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "coinbase_bench.h"

TestSuite(coinbase_mixups, .fini = bench_close);

static void answer_fills(const char *list)
{
    char text[8192];
    snprintf(text, sizeof text, "{\"fills\":[%s],\"cursor\":\"\"}", list);
    bench_answer("GET", FILLS, 200, text);
}

static void answer_order(const char *order)
{
    char text[4096];
    snprintf(text, sizeof text, "{\"order\":%s}", order);
    bench_answer("GET", ORDERS "/historical/order-1", 200, text);
}

/* An answer that names our order and another product or side: it may be mixed up, and which order rests is unknown. */
static void of_another(const char *told)
{
    char body[1024];
    snprintf(body, sizeof body,
             "{\"success\":true,\"success_response\":{\"order_id\":\"order-1\",%s,"
             "\"client_order_id\":\"mm1-0-1\"}}",
             told);
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_answer("POST", ORDERS, 200, body);
    bench_expect("order_unknown coinbase:BTC-USD order=#1 request=place");
    bench_expect_nothing();
    bench_close();
}

Test(coinbase_mixups, an_answer_of_another_product_or_side_is_unknown)
{
    of_another("\"product_id\":\"ETH-USD\",\"side\":\"BUY\"");
    of_another("\"product_id\":\"BTC-USD\",\"side\":\"SELL\"");
    of_another("\"product_id\":\"BTC-USD\",\"side\":\"WHAT\"");
    bench_run("BTC-USD", true);
    bench_place(1, "buy", "100.00", "2.000", "gtc", true);
    bench_answer("POST", ORDERS, 200,
                 "{\"success\":true,\"success_response\":{\"order_id\":\"order-1\",\"product_id\":"
                 "\"BTC-USD\",\"side\":\"BUY\",\"client_order_id\":\"mm1-0-1\"}}");
    bench_expect("order_accepted coinbase:BTC-USD order=#1 venue_order=\"order-1\"");
}

/* What the venue would say, with `to` in the place of `from`. */
static const char *changed(const char *text, const char *from, const char *to)
{
    static char out[2048];
    const char *at = strstr(text, from);
    cr_assert_not_null(at);
    snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

static void queried(const char *from, const char *to)
{
    bench_run("BTC-USD ETH-USD", true);
    bench_rest(1);
    bench_query(1);
    answer_order(changed(bench_order(1, "OPEN", "100.00", "2", "0"), from, to));
    bench_expect("order_unknown coinbase:BTC-USD order=#1 request=query");
    bench_expect_nothing();
    cr_expect(bench_was_logged("which is buy BTC-USD"));
    bench_close();
}

Test(coinbase_mixups, a_queried_order_of_another_product_or_side_is_unknown)
{
    queried("BTC-USD", "ETH-USD");
    queried("\"BUY\"", "\"SELL\"");
}

static void filled(const char *from, const char *to)
{
    bench_run("BTC-USD ETH-USD", true);
    bench_rest(1);
    bench_user("update", 1, "OPEN", "0.5", "1.5", "100.00");
    answer_fills(changed(bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"), from, to));
    bench_expect("order_unknown coinbase:BTC-USD order=#1 request=query");
    bench_expect_nothing();
    cr_expect(bench_was_logged("which is buy BTC-USD"));
    bench_close();
}

Test(coinbase_mixups, a_fill_of_another_product_or_side_is_not_booked)
{
    filled("BTC-USD", "ETH-USD");
    filled("\"BUY\"", "\"SELL\"");
}

Test(coinbase_mixups, an_update_of_another_product_is_unknown)
{
    bench_run("BTC-USD ETH-USD", true);
    bench_rest(1);
    bench_event(USER, "user",
                "{\"type\":\"update\",\"orders\":[{\"order_id\":\"order-1\",\"client_order_id\":"
                "\"mm1-0-1\",\"cumulative_quantity\":\"0\",\"leaves_quantity\":\"0\",\"status\":"
                "\"CANCELLED\",\"product_id\":\"ETH-USD\",\"order_side\":\"BUY\"}]}");
    bench_expect("order_unknown coinbase:BTC-USD order=#1 request=query");
    bench_expect_nothing();
}

/* A fill that came while pages were read has moved the last of one to the next: it counts once, and the order rests on. */
Test(coinbase_mixups, a_fill_that_two_pages_have)
{
    char text[4096], two[2048];
    bench_run("BTC-USD", true);
    bench_rest(1);
    bench_user("update", 1, "OPEN", "1.5", "0.5", "100.00");
    snprintf(text, sizeof text, "{\"fills\":[%s],\"cursor\":\"next\"}",
             bench_fill(1, "t2", "100.00", "1", "2026-04-07T14:30:02Z"));
    bench_answer("GET", FILLS, 200, text);
    int length = snprintf(two, sizeof two, "%s,",
                          bench_fill(1, "t2", "100.00", "1", "2026-04-07T14:30:02Z"));
    snprintf(two + length, sizeof two - (size_t)length, "%s",
             bench_fill(1, "t1", "100.00", "0.5", "2026-04-07T14:30:01Z"));
    snprintf(text, sizeof text, "{\"fills\":[%s],\"cursor\":\"\"}", two);
    bench_answer("GET", FILLS, 200, text);
    bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t1\" side=buy price=100.00 "
                 "quantity=0.500 leaves=1.500");
    bench_expect("order_filled coinbase:BTC-USD order=#1 trade=\"t2\" side=buy price=100.00 "
                 "quantity=1.000 leaves=0.500");
    bench_expect_nothing();
    bench_user("update", 1, "CANCELLED", "1.5", "0", "100.00");
    bench_expect("order_cancelled coinbase:BTC-USD order=#1 leaves=0.500");
}
