/* A bench for the OANDA adapter: the test is the network, the clock and the engine. */
#ifndef CAPSTAN_TESTS_OANDA_BENCH_H
#define CAPSTAN_TESTS_OANDA_BENCH_H

#include "base/time.h"
#include "venue/live/adapter.h"

enum { OANDA_LINES_MAX = 512, OANDA_LINE_MAX = 512, OANDA_REQUESTS_MAX = 512 };

/* A request that the adapter made. */
struct oanda_request {
    uint64_t tag;
    char line[ADAPTER_URL_MAX]; /* "PUT /orders/@mm1-0-1", behind the account's path */
    char body[1024], headers[512];
    bool open; /* not answered yet */
};

struct oanda_bench {
    struct adapter *adapter;
    int64_t now;
    struct oanda_request requests[OANDA_REQUESTS_MAX];
    size_t request_count;
    bool open[ADAPTER_CHANNELS];
    unsigned opens[ADAPTER_CHANNELS];
    char urls[ADAPTER_CHANNELS][ADAPTER_URL_MAX];
    /* Messages as canonical text, without times, `more` and `held`. */
    char told[OANDA_LINES_MAX][OANDA_LINE_MAX];
    size_t told_count, expected;
    char logs[OANDA_LINES_MAX][OANDA_LINE_MAX];
    size_t log_count;
    struct event_names names;
    struct adapter_numbers numbers;
    int64_t fills_since; /* of `numbers`, as is what follows */
    struct adapter_trade trade;
    bool has_trade;
    struct event_definition definitions[2];
};

extern struct oanda_bench bench;

#define OANDA_TOKEN "SECRET-TOKEN"
#define OANDA_START INT64_C(1700000000000000000)

/* What settings differ by. */
struct oanda_choice {
    bool market_only;
    int64_t expiry_ns;
    const char *home; /* NULL: "USD" */
};

/* EUR_USD and BTC_USD. */
void oanda_open(const struct oanda_choice *choice);
/* The discovery with an account at transaction `last` and these pending orders (JSON, "" none). */
void oanda_discover(unsigned last, const char *orders);
void oanda_begin(void);
/* All of these at transaction 100, both streams open, a price of 1.10000/1.10010 told, the account too; what was
 * told and logged until then is forgotten. */
void oanda_run(const struct oanda_choice *choice);
void oanda_close(void);

/* The oldest open request that begins so; NULL. */
struct oanda_request *oanda_find(const char *line);
size_t oanda_count(const char *line); /* open ones */
void oanda_answer(const char *line, long status, const char *body);
void oanda_fail(const char *line, enum net_outcome outcome);
/* GET of the account: USD 100,000, `units` of EUR_USD, these orders. */
void oanda_answer_account(unsigned last, const char *units, const char *orders);
void oanda_opened(unsigned channel);
void oanda_text(unsigned channel, const char *text);
void oanda_closed(unsigned channel, long status);
/* PRICE of EUR_USD. */
void oanda_price(const char *bid, const char *ask);
void oanda_heartbeat(unsigned channel, unsigned last);
void oanda_pass(int64_t duration_ns);

void oanda_decide(const char *text);
/* Buy 100 EUR_USD, post-only GTC. */
void oanda_place(unsigned number, const char *price);

/* A LIMIT_ORDER, ORDER_FILL and ORDER_CANCEL as JSON, in a buffer of their own. `more` is further members, each
 * with a comma in front. */
const char *oanda_made(unsigned id, const char *name, const char *units, const char *price,
                       const char *more);
const char *oanda_filled(unsigned id, unsigned order, const char *name, const char *units,
                         const char *price, const char *balance);
const char *oanda_cancelled(unsigned id, unsigned order, const char *name, const char *reason,
                            const char *more);

/* What was told since the last forget, in order; the next line must begin so. */
void oanda_expect(const char *line);
void oanda_expect_nothing(void);
bool oanda_was_told(const char *line);
bool oanda_was_logged(const char *part);
void oanda_forget(void);

#endif
