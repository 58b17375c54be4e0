/* A bench for the Coinbase adapter: the test is the network, the clock and the engine. */
#ifndef CAPSTAN_TESTS_COINBASE_BENCH_H
#define CAPSTAN_TESTS_COINBASE_BENCH_H

#include "base/time.h"
#include "venue/live/adapter.h"

enum {
    BENCH_REQUESTS_MAX = 512,
    BENCH_LINE_MAX = 512,
    BENCH_LINES_MAX = 4096,
    BENCH_SENDS_MAX = 64,
    BENCH_SYMBOLS_MAX = 64
};

/* Channels of the port. */
enum { MARKET = 0, USER = 1 };

/* A request that the adapter made. */
struct bench_request {
    uint64_t tag;
    char method[8], url[ADAPTER_URL_MAX], body[8192], bearer[4096];
    bool has_body, open; /* not answered yet */
    int64_t made_ns;
};

struct bench_channel {
    bool opened_by_it; /* asked for, and neither closed nor gone */
    char url[ADAPTER_URL_MAX];
    unsigned opens, closes;
    uint64_t sequence; /* of the next message that the venue sends */
};

struct bench {
    struct adapter *adapter;
    int64_t now, expiry_ns;
    struct bench_request requests[BENCH_REQUESTS_MAX];
    size_t request_count;
    struct bench_channel channels[ADAPTER_CHANNELS];
    char sends[BENCH_SENDS_MAX][8192];
    unsigned send_channel[BENCH_SENDS_MAX];
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

/* Name and key (an Ed25519 seed) that must never be told or logged. */
#define BENCH_KEY    "organizations/test/apiKeys/secretkeyname"
#define BENCH_SECRET "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="

/* A second of the session's clock at which benches begin; the venue's is 250 ms ahead. */
#define BENCH_START    INT64_C(1700000000000000000)
#define BENCH_AHEAD_MS 250

/* Paths of requests. */
#define BROKERAGE "/api/v3/brokerage"
#define TIME_PATH BROKERAGE "/time"
#define PRODUCTS  BROKERAGE "/market/products"
#define RIGHTS    BROKERAGE "/key_permissions"
#define FEES      BROKERAGE "/transaction_summary"
#define ACCOUNTS  BROKERAGE "/accounts"
#define LIST      BROKERAGE "/orders/historical/batch"
#define FILLS     BROKERAGE "/orders/historical/fills"
#define ORDERS    BROKERAGE "/orders"
#define CANCELS   BROKERAGE "/orders/batch_cancel"
#define EDIT      BROKERAGE "/orders/edit"

/* Open for these products (separated by spaces); with or without credentials. bench.expiry_ns is kept, all else
 * begins anew. */
void bench_open(const char *symbols, bool credentials);
void bench_close(void);
/* The whole discovery with good answers: ADAPTER_READY. */
void bench_discover(void);
/* begin() with a tape's names made of what was found. */
void bench_begin(void);
/* All of these, then market stream open with each book's snapshot, user stream open, account told; what was told and
 * logged until then is forgotten. */
void bench_run(const char *symbols, bool credentials);

/* The oldest open request of that method whose path is `path` (and whose query or body has `part`, where that is
 * not NULL); NULL where there is none. */
struct bench_request *bench_find(const char *method, const char *path, const char *part);
size_t bench_count_open(const char *method, const char *path);
/* How many of them were ever made, of the last few hundred requests. */
size_t bench_count_made(const char *method, const char *path);
/* Answer the oldest one, which must be there. Headers as "name: value", separated by '|', or NULL. */
void bench_answer(const char *method, const char *path, long status, const char *body);
void bench_answer_with(const char *method, const char *path, long status, const char *body,
                       const char *headers);
/* The oldest one that has `part`. */
void bench_answer_part(const char *method, const char *path, const char *part, const char *body);
void bench_fail(const char *method, const char *path, enum net_outcome outcome);
/* All parts of the account: 2 BTC of which 1 on hold, 5000 USD, and these open orders ("" or objects). */
void bench_answer_account(const char *open_orders);

void bench_opened(unsigned channel);
void bench_text(unsigned channel, const char *text);
void bench_closed(unsigned channel);
/* Let time pass, with a tick at every deadline; both channels that are up get their heartbeats. */
void bench_pass(int64_t duration_ns);
/* The same without heartbeats. */
void bench_pass_silently(int64_t duration_ns);

/* One message of a channel with the next number, its events being these. */
void bench_event(unsigned channel, const char *name, const char *events);
void bench_heartbeat(unsigned channel);
/* Levels: "bid 100.00 1.5", each separated by ','. */
void bench_levels(const char *type, const char *product, const char *levels);
/* The user channel's view of order `number` of this session, whose id is "order-N". */
void bench_user(const char *type, unsigned number, const char *status, const char *filled,
                const char *leaves, const char *price);

/* A decision, as canonical text without ts_local. */
void bench_decide(const char *text);
void bench_place(unsigned number, const char *side, const char *price, const char *quantity,
                 const char *time_in_force, bool post_only);
void bench_cancel(unsigned number);
void bench_query(unsigned number);
void bench_modify(unsigned number, const char *price, const char *leaves);
/* A post-only buy of 2 at 100.00 that was taken; what was told is forgotten. */
void bench_rest(unsigned number);

/* What was told since the last bench_forget, in order; the next line must begin so. Returns its index. */
size_t bench_expect(const char *line);
/* Nothing (more) was told. */
void bench_expect_nothing(void);
/* A line that begins so was told, anywhere. */
bool bench_was_told(const char *line);
size_t bench_count_told(const char *line);
bool bench_was_logged(const char *part);
void bench_forget(void);

/* Answers. One order as REST has it; one fill, of order-N. */
const char *bench_order(unsigned number, const char *status, const char *price, const char *size,
                        const char *filled);
const char *bench_fill(unsigned number, const char *trade, const char *price, const char *size,
                       const char *time);

#endif
