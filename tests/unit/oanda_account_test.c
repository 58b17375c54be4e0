/* The account at OANDA: discovery, its transactions in the order of their ids, gaps, and snapshots. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "oanda_bench.h"

static const char *since(const char *one, const char *two, unsigned last)
{
    static char body[4096];
    snprintf(body, sizeof body, "{\"transactions\":[%s%s%s],\"lastTransactionID\":\"%u\"}", one,
             two ? "," : "", two ? two : "", last);
    return body;
}

/* --- discovery --------------------------------------------------------------------------------------------- */

Test(oanda_account, discovery_asks_for_account_and_instruments)
{
    oanda_open(NULL);
    oanda_discover(100, "");
    const struct adapter_instrument *euro = &bench.adapter->found[0];
    cr_expect_str_eq(euro->base, "EUR");
    cr_expect_str_eq(euro->settle, "USD");
    cr_expect_eq(euro->definition.contract, CONTRACT_LINEAR);
    cr_expect_eq(euro->definition.price_exponent, -5);
    cr_expect_eq(euro->definition.quantity_exponent, 0);
    cr_expect_eq(euro->definition.taker_fee, 0);
    cr_expect_eq(bench.adapter->found[1].definition.quantity_exponent, -2);
    cr_expect_eq(bench.adapter->found[1].definition.lot, 1);
    oanda_close();
}

Test(oanda_account, discovery_fails_at_each_step)
{
    for (unsigned step = 0; step < 2; step++) {
        for (unsigned way = 0; way < 4; way++) {
            oanda_open(NULL);
            bench.adapter->start(bench.adapter, bench.now);
            if (step == 1)
                oanda_answer_account(100, "0", "");
            const char *line = step == 0 ? "GET " : "GET /instruments";
            for (unsigned i = 0; i < 8 && bench.adapter->state == ADAPTER_DISCOVERING; i++) {
                if (way == 0)
                    oanda_fail(line, NET_UNKNOWN);
                else
                    oanda_answer(line, way == 1 ? 503 : 200, way == 2 ? "{}" : "[");
                oanda_pass(21 * NS_PER_SECOND);
            }
            cr_expect_eq(bench.adapter->state, ADAPTER_FAILED, "step %u, way %u", step, way);
            cr_expect_not_null(strstr(bench.adapter->failure, "8 times in a row"));
            const char *why = way == 0 ? "last: no network" : way == 1 ? "(HTTP 503)" : "";
            cr_expect(strstr(bench.adapter->failure, why), "%s", bench.adapter->failure);
            oanda_close();
        }
    }
}

Test(oanda_account, what_can_not_be_fails_at_once)
{
    oanda_open(NULL);
    bench.adapter->start(bench.adapter, bench.now);
    oanda_answer("GET ", 401, "{\"errorMessage\":\"Insufficient authorization\"}");
    cr_expect_eq(bench.adapter->state, ADAPTER_FAILED);
    oanda_close();
    oanda_open(NULL);
    bench.adapter->start(bench.adapter, bench.now);
    oanda_answer_account(100, "0", "");
    oanda_answer("GET /instruments", 200, "{\"instruments\":[]}");
    cr_expect_str_eq(bench.adapter->failure,
                     "oanda: has no EUR_USD BTC_USD (expected the venue's names, as EUR_USD)");
    oanda_close();
}

Test(oanda_account, settings_are_checked)
{
    static const char *const symbols[] = {"EUR_USD"};
    static struct credentials bad = {"../accounts", "t"};
    static const struct adapter_port port = {0};
    struct adapter_settings settings = {.name = "oanda",
                                        .symbols = symbols,
                                        .symbol_count = 1,
                                        .session = "mm1",
                                        .request_timeout_ns = 1};
    const struct adapter_kind *kind = adapter_kind_by_name("oanda");
    struct adapter *adapter;
    struct error error = {0};
    cr_expect(kind->needs_credentials);
    cr_expect_eq(kind->open(&adapter, &settings, &port, &error), ERROR_INPUT);
    cr_expect_str_eq(error.text, "oanda: expected credentials: it tells prices to accounts alone");
    settings.credentials = &bad;
    cr_expect_eq(kind->open(&adapter, &settings, &port, &error), ERROR_INPUT);
}

/* --- snapshots --------------------------------------------------------------------------------------------- */

Test(oanda_account, a_snapshot_tells_everything_at_once)
{
    oanda_run(NULL);
    oanda_decide("request_snapshot - venue=oanda cause=1");
    oanda_answer_account(
        100, "-500",
        "{\"id\":\"90\",\"state\":\"PENDING\",\"instrument\":\"EUR_USD\",\"units\":\"-7\","
        "\"price\":\"1.20000\",\"clientExtensions\":{\"id\":\"other\"}},{\"id\":\"91\",\"state\":"
        "\"PENDING\",\"type\":\"STOP_LOSS\",\"tradeID\":\"5\",\"price\":\"1\"}");
    oanda_expect("balance - venue=oanda asset=USD total=100000 available=99000");
    oanda_expect("venue_position oanda:EUR_USD position=-500");
    oanda_expect("venue_position oanda:BTC_USD position=0");
    oanda_expect("open_order oanda:EUR_USD order=- venue_order=\"90\" side=sell price=1.20000 "
                 "leaves=7");
    oanda_expect("snapshot_end - venue=oanda taken=");
    oanda_expect_nothing();
    oanda_close();
}

/* An average between two ticks is the nearer one; of what is not held there is none, whatever stands there. */
Test(oanda_account, a_position_has_its_average_price)
{
    static const struct {
        const char *sides, *position, *entry;
    } all[] = {
        {"\"long\":{\"units\":\"500\",\"averagePrice\":\"1.100016\"},\"short\":{\"units\":\"0\"}",
         "500", "1.10002"},
        {"\"long\":{\"units\":\"0\",\"averagePrice\":\"9\"},\"short\":{\"units\":\"-7\","
         "\"averagePrice\":\"1.09990\"}",
         "-7", "1.09990"},
        {"\"long\":{\"units\":\"0\",\"averagePrice\":\"9\"},\"short\":{\"units\":\"0\"}", "0",
         NULL},
        {"\"long\":{\"units\":\"3\",\"averagePrice\":\"x\"},\"short\":{\"units\":\"0\"}", "3",
         NULL},
    };
    oanda_run(NULL);
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        char body[1024], line[128];
        oanda_decide("request_snapshot - venue=oanda cause=1");
        snprintf(body, sizeof body,
                 "{\"account\":{\"currency\":\"USD\",\"balance\":\"1\",\"marginAvailable\":\"1\","
                 "\"hedgingEnabled\":false,\"lastTransactionID\":\"100\",\"positions\":[{"
                 "\"instrument\":\"EUR_USD\",%s}],\"orders\":[]},\"lastTransactionID\":\"100\"}",
                 all[i].sides);
        oanda_answer("GET ", 200, body);
        oanda_expect("balance");
        snprintf(line, sizeof line, "venue_position oanda:EUR_USD position=%s", all[i].position);
        oanda_expect(line);
        snprintf(line, sizeof line, "venue_entry oanda:EUR_USD price=%s", all[i].entry);
        if (all[i].entry)
            oanda_expect(line);
        oanda_expect("venue_position oanda:BTC_USD position=0");
        oanda_expect("snapshot_end");
    }
    oanda_close();
}

Test(oanda_account, a_snapshot_waits_for_what_led_to_it)
{
    oanda_run(NULL);
    oanda_decide("request_snapshot - venue=oanda cause=1");
    oanda_answer_account(102, "40", "");
    oanda_expect_nothing();
    oanda_text(1, oanda_made(101, "mm1-0-1", "100", "1.09990", ""));
    oanda_answer("GET /transactions/sinceid?id=100", 200,
                 since(oanda_made(101, "mm1-0-1", "100", "1.09990", ""),
                       oanda_filled(102, 101, "mm1-0-1", "40", "1.09990", "99999.5"), 102));
    oanda_expect("order_accepted oanda:EUR_USD order=#1");
    oanda_expect("order_filled oanda:EUR_USD order=#1 trade=\"102\"");
    oanda_expect("balance - venue=oanda asset=USD total=99999.5");
    oanda_expect("balance - venue=oanda asset=USD total=100000");
    oanda_expect("venue_position oanda:EUR_USD position=40");
    oanda_close();
}

Test(oanda_account, a_snapshot_that_fails_is_asked_for_again)
{
    oanda_run(NULL);
    oanda_decide("request_snapshot - venue=oanda cause=1");
    oanda_answer("GET ", 500, "");
    oanda_expect("breaker_input - venue=oanda healthy=no");
    oanda_pass(1500 * NS_PER_MS);
    oanda_answer("GET ", 200, "{\"account\":{}}");
    oanda_expect("breaker_input - venue=oanda healthy=yes");
    oanda_pass(3 * NS_PER_SECOND);
    oanda_answer_account(100, "0", "");
    oanda_expect("balance");
    cr_expect(oanda_was_told("snapshot_end"));
    oanda_close();
}

Test(oanda_account, a_request_while_one_runs_is_answered_by_another)
{
    oanda_run(NULL);
    oanda_decide("request_snapshot - venue=oanda cause=1");
    oanda_decide("request_snapshot - venue=oanda cause=2");
    cr_expect_eq(oanda_count("GET "), 1);
    oanda_answer_account(100, "0", "");
    cr_expect_eq(oanda_count("GET "), 1);
    oanda_close();
}

/* --- transactions ------------------------------------------------------------------------------------------ */

Test(oanda_account, a_gap_is_filled_before_anything_newer)
{
    oanda_run(NULL);
    oanda_text(1, oanda_filled(103, 101, "mm1-0-1", "60", "1.09990", "1"));
    oanda_expect_nothing();
    oanda_text(1, oanda_cancelled(104, 99, "other", "CLIENT_REQUEST", ""));
    oanda_answer("GET /transactions/sinceid?id=100", 200,
                 since(oanda_made(101, "mm1-0-1", "100", "1.09990", ""),
                       oanda_filled(102, 101, "mm1-0-1", "40", "1.09990", "2"), 102));
    oanda_expect("order_accepted oanda:EUR_USD order=#1");
    oanda_expect("order_filled oanda:EUR_USD order=#1 trade=\"102\" side=buy price=1.09990 "
                 "quantity=40 leaves=60");
    oanda_expect("balance - venue=oanda asset=USD total=2");
    oanda_answer("GET /transactions/sinceid?id=102", 200,
                 since(oanda_filled(103, 101, "mm1-0-1", "60", "1.09990", "1"),
                       oanda_cancelled(104, 99, "other", "CLIENT_REQUEST", ""), 104));
    oanda_expect("order_filled oanda:EUR_USD order=#1 trade=\"103\" side=buy price=1.09990 "
                 "quantity=60 leaves=0");
    oanda_expect("balance - venue=oanda asset=USD total=1");
    cr_expect_null(oanda_find("GET"));
    oanda_text(1, oanda_filled(103, 101, "mm1-0-1", "60", "1.09990", "1"));
    oanda_expect_nothing();
    oanda_close();
}

Test(oanda_account, a_heartbeat_tells_of_a_gap)
{
    oanda_run(NULL);
    oanda_heartbeat(1, 100);
    cr_expect_null(oanda_find("GET"));
    oanda_heartbeat(1, 101);
    cr_assert_not_null(oanda_find("GET /transactions/sinceid?id=100"));
    oanda_answer("GET /transactions", 503, "");
    oanda_expect("breaker_input - venue=oanda healthy=no");
    oanda_pass(1500 * NS_PER_MS);
    oanda_answer("GET /transactions/sinceid?id=100", 200, "{\"transactions\":[]}");
    oanda_pass(3 * NS_PER_SECOND);
    oanda_answer("GET /transactions/sinceid?id=100", 200,
                 since(oanda_made(101, "mm1-0-1", "100", "1.09990", ""), NULL, 101));
    cr_expect(oanda_was_told("order_accepted oanda:EUR_USD order=#1"));
    oanda_close();
}

/* The venue's list lags behind its count: a fill must not be passed over. */
Test(oanda_account, a_list_that_lags_behind_its_count)
{
    oanda_run(NULL);
    oanda_text(1, oanda_made(101, "mm1-0-1", "100", "1.09990", ""));
    oanda_expect("order_accepted");
    oanda_heartbeat(1, 102);
    oanda_answer("GET /transactions/sinceid?id=101", 200, since("", NULL, 102));
    cr_expect_null(oanda_find("GET /transactions/sinceid"));
    oanda_pass(2 * NS_PER_SECOND);
    oanda_answer("GET /transactions/sinceid?id=101", 200,
                 since(oanda_filled(102, 101, "mm1-0-1", "100", "1.09990", "5"), NULL, 102));
    oanda_expect("order_filled oanda:EUR_USD order=#1 trade=\"102\" side=buy price=1.09990 "
                 "quantity=100 leaves=0");
    oanda_close();
}

/* What it never lists is said to be missing, and the account asked for. */
Test(oanda_account, what_is_never_listed)
{
    oanda_run(NULL);
    oanda_heartbeat(1, 102);
    for (int i = 0; i < 4; i++) {
        cr_expect_not(oanda_was_logged("are not listed"));
        oanda_answer("GET /transactions/sinceid?id=100", 200, since("", NULL, 102));
        oanda_pass(5 * NS_PER_SECOND);
        oanda_heartbeat(0, 0);
        oanda_heartbeat(1, 102);
    }
    cr_expect(oanda_was_logged("transactions 101 to 102 are not listed"));
    cr_expect_not_null(oanda_find("GET "));
    oanda_close();
}

/* A venue that says what it was given: its token is in no line. */
Test(oanda_account, a_token_that_the_venue_repeats)
{
    oanda_run(NULL);
    oanda_heartbeat(1, 101);
    oanda_answer("GET /transactions/sinceid?id=100", 401,
                 "{\"errorMessage\":\"The access token " OANDA_TOKEN " has expired\"}");
    cr_expect(oanda_was_logged("The access token ************ has expired"));
    cr_expect_not(oanda_was_logged(OANDA_TOKEN));
    oanda_close();
}

Test(oanda_account, a_damaged_line_is_asked_for)
{
    oanda_run(NULL);
    oanda_text(1, "{\"type\":\"ORDER_FILL\",\"id\":");
    cr_expect_not_null(oanda_find("GET /transactions/sinceid?id=100"));
    oanda_close();
}

Test(oanda_account, what_can_not_be_read_of_an_order_makes_it_unknown)
{
    oanda_run(NULL);
    oanda_text(1, oanda_made(101, "mm1-0-1", "100", "1.09990", ""));
    oanda_expect("order_accepted");
    oanda_text(1, "{\"type\":\"ORDER_FILL\",\"id\":\"102\",\"orderID\":\"101\",\"instrument\":"
                  "\"EUR_USD\",\"units\":\"x\",\"price\":\"1.1\"}");
    oanda_expect("order_unknown oanda:EUR_USD order=#1");
    cr_expect_not_null(oanda_find("GET "));
    oanda_close();
}

Test(oanda_account, a_stream_that_broke_is_caught_up_with)
{
    oanda_run(NULL);
    oanda_closed(1, 0);
    oanda_expect("breaker_input - venue=oanda healthy=no");
    oanda_expect("orders_stream - venue=oanda connected=no");
    cr_expect_not(bench.adapter->health.private_up);
    oanda_pass(NS_PER_SECOND);
    oanda_opened(1);
    oanda_expect("orders_stream - venue=oanda connected=yes");
    oanda_answer("GET /transactions/sinceid?id=100", 200,
                 since(oanda_made(101, "mm1-0-1", "100", "1.09990", ""), NULL, 101));
    oanda_expect("order_accepted");
    oanda_answer_account(101, "0", "");
    cr_expect(oanda_was_told("snapshot_end"));
    oanda_close();
}

/* An order of before this session: its own transactions are noted, so that its leaves are known. */
Test(oanda_account, what_rests_from_before_is_learnt_and_not_told)
{
    static const char pending[] =
        "{\"id\":\"90\",\"state\":\"PENDING\",\"instrument\":\"EUR_USD\",\"units\":\"100\","
        "\"price\":\"1.09990\",\"clientExtensions\":{\"id\":\"mm1-0-1\"}}";
    oanda_open(NULL);
    oanda_discover(100, pending);
    oanda_begin();
    oanda_pass(NS_PER_SECOND);
    oanda_opened(1);
    oanda_answer("GET /transactions/sinceid?id=89", 200,
                 since(oanda_made(90, "mm1-0-1", "100", "1.09990", ""),
                       oanda_filled(95, 90, "mm1-0-1", "30", "1.09990", "5"), 100));
    oanda_expect("orders_stream - venue=oanda connected=yes");
    oanda_expect_nothing();
    oanda_answer("GET /transactions/sinceid?id=95", 200,
                 since(oanda_cancelled(100, 99, "other", "CLIENT_REQUEST", ""), NULL, 100));
    oanda_answer_account(100, "30", pending);
    oanda_expect("balance");
    oanda_expect("venue_position oanda:EUR_USD position=30");
    oanda_expect("venue_position oanda:BTC_USD position=0");
    oanda_expect("open_order oanda:EUR_USD order=#1 venue_order=\"90\" side=buy price=1.09990 "
                 "leaves=70");
    oanda_text(1, oanda_filled(101, 90, "mm1-0-1", "70", "1.09990", "5"));
    cr_expect(oanda_was_told("order_filled oanda:EUR_USD order=#1 trade=\"101\" side=buy "
                             "price=1.09990 quantity=70 leaves=0"));
    oanda_close();
}

/* Fewer transactions than were known: the account was made anew, and counts from there. */
Test(oanda_account, an_account_with_fewer_transactions_counts_anew)
{
    oanda_run(NULL);
    oanda_closed(1, 0);
    oanda_pass(NS_PER_SECOND);
    oanda_opened(1);
    oanda_answer("GET /transactions/sinceid?id=100", 416, "{\"errorMessage\":\"range\"}");
    oanda_answer_account(7, "0", "");
    oanda_answer_account(7, "0", "");
    cr_expect(oanda_was_logged("the account has 7 transactions, 100 were known"));
    oanda_forget();
    oanda_text(1, oanda_made(8, "mm1-0-1", "100", "1.09990", ""));
    oanda_expect("order_accepted oanda:EUR_USD order=#1 venue_order=\"8\"");
    oanda_close();
}

/* What happens to an order of ours by somebody else's hand, or by the venue's. */
Test(oanda_account, ends_that_nobody_here_asked_for)
{
    oanda_run(NULL);
    oanda_text(1, oanda_made(101, "mm1-0-1", "100", "1.09990", ""));
    oanda_text(1, oanda_cancelled(102, 101, "mm1-0-1", "MARKET_HALTED", ""));
    oanda_expect("order_accepted");
    oanda_expect("order_cancelled oanda:EUR_USD order=#1 leaves=100 cause=unfilled");
    cr_expect(oanda_was_logged("MARKET_HALTED"));
    oanda_text(1, oanda_made(103, "mm1-0-2", "100", "1.09990", ""));
    oanda_text(1, oanda_cancelled(104, 103, "mm1-0-2", "CLIENT_REQUEST_REPLACED",
                                  ",\"replacedByOrderID\":\"105\""));
    oanda_text(1, oanda_made(105, "by-hand", "100", "1.09990", ",\"replacesOrderID\":\"103\""));
    oanda_expect("order_accepted");
    oanda_expect("order_cancelled oanda:EUR_USD order=#2 leaves=100 cause=replaced");
    oanda_expect_nothing();
    oanda_close();
}

/* The rest of a partial fill, issued again under another number with the same name. */
Test(oanda_account, an_order_that_is_issued_again_goes_on)
{
    oanda_run(NULL);
    oanda_text(1, oanda_made(101, "mm1-0-1", "100", "1.09990", ""));
    oanda_text(1, oanda_filled(102, 101, "mm1-0-1", "40", "1.09990", "1"));
    oanda_text(1, oanda_made(103, "mm1-0-1", "60", "1.09990", ""));
    oanda_expect("order_accepted");
    oanda_expect("order_filled oanda:EUR_USD order=#1 trade=\"102\" side=buy price=1.09990 "
                 "quantity=40 leaves=60");
    oanda_expect("balance");
    oanda_expect_nothing();
    oanda_text(1, oanda_filled(104, 103, "mm1-0-1", "60", "1.09990", "1"));
    oanda_expect("order_filled oanda:EUR_USD order=#1 trade=\"104\" side=buy price=1.09990 "
                 "quantity=60 leaves=0");
    oanda_close();
}

Test(oanda_account, an_expiry_is_an_expiry)
{
    oanda_run(NULL);
    oanda_text(1, oanda_made(101, "mm1-0-1", "100", "1.09990", ",\"timeInForce\":\"GTD\""));
    oanda_text(1, oanda_cancelled(102, 101, "mm1-0-1", "TIME_IN_FORCE_EXPIRED", ""));
    oanda_expect("order_accepted");
    oanda_expect("order_expired oanda:EUR_USD order=#1 leaves=100");
    oanda_close();
}

Test(oanda_account, interest_moves_the_balance)
{
    oanda_run(NULL);
    oanda_text(1, "{\"type\":\"DAILY_FINANCING\",\"id\":\"101\",\"time\":\"1700000002.0\","
                  "\"accountBalance\":\"99990.1234\"}");
    oanda_expect("balance - venue=oanda asset=USD total=99990.1234");
    oanda_close();
}

/* --- profit ---------------------------------------------------------------------------------------------- */

/* One fill as the stream tells it, with the profit that the venue states. */
static void tell_fill(unsigned id, const char *units, const char *price, const char *profit)
{
    char text[2048];
    const char *told = oanda_filled(id, 1, "mm1-0-1", units, price, "100000");
    const char *zero = "\"pl\":\"0.0000\"", *at = strstr(told, zero);
    cr_assert_not_null(at);
    snprintf(text, sizeof text, "%.*s\"pl\":\"%s\",\"financing\":\"-0.01\"%s", (int)(at - told),
             told, profit, at + strlen(zero));
    oanda_text(1, text);
}

/* The venue closes the oldest trade first, we count an average: from flat to flat both are the same, 4.7 here. */
Test(oanda_account, profit_is_compared_from_flat_to_flat)
{
    oanda_run(NULL);
    tell_fill(101, "1000", "1.10000", "0");
    tell_fill(102, "1000", "1.10100", "0");
    tell_fill(103, "-1000", "1.10200", "2.0000");
    tell_fill(104, "-1500", "1.10370", "2.7000"); /* 500 of it open a short */
    cr_expect(oanda_was_logged("financing of -0.04 is in the venue's balance alone"));
    cr_expect_not(oanda_was_logged("flat again"));
    tell_fill(105, "500", "1.10270", "0.6000"); /* 0.5 by all that we know */
    cr_expect(oanda_was_logged(
        "EUR_USD: flat again after 1 fills, whose profit is 0.6 by the venue and 0.5 by ours"));
    oanda_close();
}

/* Answers come before the stream tells of anything: where no more can be noted as taken, what an answer tells waits for
 * its turn, and is told once. */
Test(oanda_account, more_answers_than_can_be_taken_ahead)
{
    static char page[1 << 17];
    char name[32], filled[1024];
    oanda_run(NULL);
    int length = snprintf(page, sizeof page, "{\"transactions\":[");
    for (unsigned i = 1; i <= 258; i++) {
        snprintf(name, sizeof name, "mm1-0-%u", i);
        const char *made = oanda_made(100 + i, name, "100", "1.09990", "");
        length +=
            snprintf(page + length, sizeof page - (size_t)length, "%s%s", i > 1 ? "," : "", made);
        snprintf(filled, sizeof filled,
                 "{\"orderCreateTransaction\":%s,\"lastTransactionID\":\"%u\"}", made, 100 + i);
        oanda_place(i, "1.09990");
        oanda_answer("POST /orders", 201, filled);
        if (i % 50 == 0) { /* no more than so many a second */
            oanda_pass(NS_PER_SECOND);
            oanda_heartbeat(0, 0);
        }
        if (i <= 256) {
            char line[64];
            snprintf(line, sizeof line, "order_accepted oanda:EUR_USD order=#%u ", i);
            cr_expect(oanda_was_told(line), "%s", line);
        }
    }
    cr_expect(oanda_was_logged("before their turn"));
    oanda_forget();
    cr_expect_not_null(oanda_find("GET "), "the account is asked for");
    snprintf(page + length, sizeof page - (size_t)length, "],\"lastTransactionID\":\"358\"}");
    oanda_answer("GET /transactions/sinceid?id=100", 200, page);
    oanda_expect("order_accepted oanda:EUR_USD order=#257 ");
    oanda_expect("order_accepted oanda:EUR_USD order=#258 ");
    oanda_expect_nothing();
    oanda_close();
}

/* --- fills of before --------------------------------------------------------------------------------- */

static void begin_after_a_loss(void)
{
    oanda_open(NULL);
    oanda_discover(100, "");
    bench.fills_since = OANDA_START - 90 * NS_PER_SECOND;
    bench.has_trade = true;
    bench.trade = (struct adapter_trade){.order = 4, .trade = {.length = 2, .bytes = {'9', '1'}}};
    oanda_begin();
    oanda_opened(0);
    oanda_pass(NS_PER_SECOND);
    oanda_opened(1);
    oanda_forget();
}

/* Where they begin is asked for by time; from there on transactions are read, and the account waits for them. What is
 * on the tape and what is not ours is not told. */
Test(oanda_account, fills_that_the_tape_lost)
{
    char page[8192];
    begin_after_a_loss();
    cr_assert_not_null(oanda_find("GET /transactions?from=1699999910.000000000&"));
    oanda_heartbeat(1, 100);
    cr_expect_null(oanda_find("GET /transactions/sinceid"));
    oanda_answer("GET /transactions?from=", 200,
                 "{\"pages\":[\"https://rest.test/v3/accounts/1/transactions/idrange?from=90&to="
                 "100\"],\"lastTransactionID\":\"100\"}");
    oanda_answer_account(100, "50", "");
    int length = snprintf(page, sizeof page, "{\"transactions\":[%s,",
                          oanda_made(90, "mm1-0-4", "50", "1.09990", ""));
    length += snprintf(page + length, sizeof page - (size_t)length, "%s,",
                       oanda_filled(91, 90, "mm1-0-4", "50", "1.09990", "99999"));
    length += snprintf(page + length, sizeof page - (size_t)length, "%s,",
                       oanda_made(92, "mm1-0-5", "50", "1.09990", ""));
    length += snprintf(page + length, sizeof page - (size_t)length, "%s,",
                       oanda_filled(93, 92, "mm1-0-5", "50", "1.09980", "99999"));
    snprintf(page + length, sizeof page - (size_t)length, "%s],\"lastTransactionID\":\"100\"}",
             oanda_filled(100, 99, "other", "50", "1.09980", "99999"));
    oanda_expect_nothing();
    oanda_answer("GET /transactions/sinceid?id=89", 200, page);
    oanda_expect("order_filled oanda:EUR_USD order=#5 trade=\"93\" side=buy price=1.09980 "
                 "quantity=50 leaves=absent");
    oanda_expect("balance - venue=oanda asset=USD total=100000");
    oanda_expect("venue_position oanda:EUR_USD position=50");
    cr_expect(oanda_was_logged("1 fills of before this session"));
    oanda_close();
}

Test(oanda_account, fills_that_cant_be_asked_for)
{
    begin_after_a_loss();
    for (int i = 0; i < 9; i++) {
        oanda_answer("GET /transactions?from=", 400, "{\"errorMessage\":\"no\"}");
        oanda_pass(1500 * NS_PER_MS);
        oanda_heartbeat(1, 100);
    }
    cr_expect(oanda_was_logged("the position may lack them"));
    cr_expect_not_null(oanda_find("GET "));
    oanda_close();
}
