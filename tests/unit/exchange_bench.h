/* A venue of the exchange in a test's hands: a scripted market, a clock, requests and streams. */
#ifndef CAPSTAN_TESTS_EXCHANGE_BENCH_H
#define CAPSTAN_TESTS_EXCHANGE_BENCH_H

#include <cjson/cJSON.h>

#include "exchange/venue.h"

enum { BENCH_MESSAGES_MAX = 256, BENCH_SENT_MAX = 4096 };

/* Something that was sent on a stream. */
struct bench_sent {
    struct exchange_stream *stream;
    char kind[32];
    char *text; /* NULL: the stream was ended */
};

struct exchange_bench {
    struct exchange_venue venue;
    struct exchange_port port;
    struct exchange_credentials credentials;
    struct message messages[BENCH_MESSAGES_MAX];
    struct row rows[BENCH_MESSAGES_MAX][8];
    size_t message_count, given;
    struct bench_sent sent[BENCH_SENT_MAX];
    size_t sent_count;
    struct exchange_reply reply; /* of the last request */
    cJSON *answer;               /* its body; NULL where it is no JSON */
    int64_t start, now;
};

/* The market of synth's live instruments: book of every instrument at 0, best bid and ask a step apart, then
 * what bench_depth and bench_trade add (in order of time) before bench_open. Times are ns after the start. */
void bench_init(struct exchange_bench *bench);
/* One level becomes `quantity` units. */
void bench_depth(struct exchange_bench *bench, int64_t at, unsigned instrument, enum side side,
                 int64_t price, int64_t quantity);
void bench_trade(struct exchange_bench *bench, int64_t at, unsigned instrument, enum side aggressor,
                 int64_t price, int64_t quantity);
void bench_open(struct exchange_bench *bench, const char *venue, const char *balances);
void bench_close(struct exchange_bench *bench);

/* Time goes on to so many ns after the start. */
void bench_to(struct exchange_bench *bench, int64_t at);
/* One request; `headers` are "name: value" lines. Returns the status; body in `answer`. */
int bench_request(struct exchange_bench *bench, const char *method, const char *path,
                  const char *query, const char *headers, const char *body);
/* Open a websocket, or with `websocket` false an answer that goes on. NULL where it was refused. */
struct exchange_stream *bench_stream(struct exchange_bench *bench, const char *path,
                                     const char *query, const char *headers, bool websocket);
void bench_say(struct exchange_bench *bench, struct exchange_stream *stream, const char *text);
/* The client closes it. */
void bench_hang_up(struct exchange_bench *bench, struct exchange_stream *stream);
/* Forget what was sent. */
void bench_forget(struct exchange_bench *bench);
/* The `index`-th message of a kind that was sent since then, parsed, the caller's to delete; NULL. */
cJSON *bench_sent(struct exchange_bench *bench, const char *kind, size_t index);
size_t bench_count(const struct exchange_bench *bench, const char *kind);

/* Text of a member of an object, at a path like "data.code" or "fills.0.price"; numbers as "%.15g". "" where
 * there is none. Valid until the call after the next three. */
const char *bench_at(const cJSON *object, const char *path);

#endif
