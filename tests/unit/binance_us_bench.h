/* A bench for the Binance.US adapter: the test is the network, the clock and the engine. */
#ifndef CAPSTAN_TESTS_BINANCE_US_BENCH_H
#define CAPSTAN_TESTS_BINANCE_US_BENCH_H

#include "base/time.h"
#include "venue/live/adapter.h"

enum {
    BENCH_REQUESTS_MAX = 2048,
    BENCH_LINE_MAX = 512,
    BENCH_LINES_MAX = 2048,
    BENCH_SENDS_MAX = 64,
    BENCH_SYMBOLS_MAX = 128
};

/* A request that the adapter made. */
struct bench_request {
    uint64_t tag;
    char method[8], url[ADAPTER_URL_MAX], body[ADAPTER_URL_MAX], key[64];
    bool has_body, open; /* not answered yet */
    int64_t made_ns;
};

struct bench_channel {
    bool opened_by_it; /* asked for, and neither closed nor gone */
    char url[ADAPTER_URL_MAX];
    unsigned opens, closes;
};

struct bench {
    struct adapter *adapter;
    int64_t now;
    struct bench_request requests[BENCH_REQUESTS_MAX];
    size_t request_count;
    struct bench_channel channels[ADAPTER_CHANNELS];
    char sends[BENCH_SENDS_MAX][8192];
    int64_t send_ns[BENCH_SENDS_MAX];
    size_t send_count;
    /* Messages as canonical text, without times and `more`; those stand beside it. */
    char told[BENCH_LINES_MAX][BENCH_LINE_MAX];
    int64_t told_venue_ns[BENCH_LINES_MAX];
    uint8_t told_flags[BENCH_LINES_MAX];
    size_t told_count;
    char logs[BENCH_LINES_MAX][BENCH_LINE_MAX];
    size_t log_count;
    struct event_names names;
    struct adapter_numbers numbers;
    int64_t positions[BENCH_SYMBOLS_MAX];
    bool has_positions;
    int64_t fills_since; /* of `numbers`, as is what follows */
    struct adapter_trade trade;
    bool has_trade;
    struct event_definition definitions[BENCH_SYMBOLS_MAX];
};

extern struct bench bench;

/* Key and secret that must never be told or logged. */
#define BENCH_KEY    "KEYKEYKEYKEY"
#define BENCH_SECRET "SECRETSECRETSECRET"

/* A second of the session's clock at which benches begin; the venue's is 250 ms ahead. */
#define BENCH_START    INT64_C(1700000000000000000)
#define BENCH_AHEAD_MS 250

/* Open for these symbols (separated by spaces); with or without credentials. Times in the bench begin anew. */
void bench_open(const char *symbols, bool credentials);
void bench_close(void);
/* The whole discovery with good answers: ADAPTER_READY. */
void bench_discover(void);
/* begin() with a tape's names made of what was found. */
void bench_begin(void);
/* All of these, then market stream open, books joined at update id 1000, private stream open, account told; what
 * was told and logged until then is forgotten. */
void bench_run(const char *symbols, bool credentials);

/* The oldest open request of that method whose path is `path` (and whose query or body has `part`, where that is
 * not NULL); NULL where there is none. */
struct bench_request *bench_find(const char *method, const char *path, const char *part);
size_t bench_count_open(const char *method, const char *path);
/* How many of them were ever made. */
size_t bench_count_made(const char *method, const char *path);
/* Answer the oldest one, which must be there. Headers as "name: value", separated by '|', or NULL. */
void bench_answer(const char *method, const char *path, long status, const char *body);
void bench_answer_with(const char *method, const char *path, long status, const char *body,
                       const char *headers);
void bench_fail(const char *method, const char *path, enum net_outcome outcome);
/* A value of a request's parameters as sent (percent-encoded), in a buffer of its own; "" where it has none. */
const char *bench_parameter(const struct bench_request *request, const char *name);

void bench_opened(unsigned channel);
void bench_text(unsigned channel, const char *text);
void bench_closed(unsigned channel);
void bench_ping(unsigned channel);
/* Let time pass, with a tick at every deadline. */
void bench_pass(int64_t duration_ns);

/* A decision, as canonical text without ts_local ("cancel binance_us:BTCUSD order=#1 …"). */
void bench_decide(const char *text);
void bench_place(unsigned number, const char *side, const char *price, const char *quantity,
                 const char *time_in_force, bool post_only);
void bench_cancel(unsigned number);
void bench_query(unsigned number);
void bench_replace(unsigned number, unsigned replaces, const char *price, const char *quantity);

/* What was told since the last bench_forget, in order; the next line must begin so. Returns its index. */
size_t bench_expect(const char *line);
/* Nothing (more) was told. */
void bench_expect_nothing(void);
/* A line that begins so was told, anywhere. */
bool bench_was_told(const char *line);
bool bench_was_logged(const char *part);
void bench_forget(void);

/* exchangeInfo: BTCUSD, ETHUSD, ETHBTC, and each symbol that was opened and begins with T. */
const char *bench_info(void);
/* One depth frame in the wrapper of the combined stream. */
void bench_depth(unsigned channel, const char *symbol, unsigned first, unsigned last,
                 const char *bids, const char *asks);

#endif
