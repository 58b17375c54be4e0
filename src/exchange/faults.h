/* The script of faults: which request, message or moment goes wrong, and how. Read and checked whole before
 * anything runs; chance comes from a seed. docs/exchange.md has the language. */
#ifndef CAPSTAN_EXCHANGE_FAULTS_H
#define CAPSTAN_EXCHANGE_FAULTS_H

#include "exchange/protocol.h"

/* X(name, on requests, on messages, at a time, meaning) */
#define EXCHANGE_FAULTS(X)                                                                         \
    X(drop_request, 1, 0, 0, "the connection ends, the request is never done")                     \
    X(drop_answer, 1, 0, 0, "it is done, then the connection ends without an answer")              \
    X(accept_late, 1, 0, 0, "it is done and answered `by` later, also when the client has gone")   \
    X(answer_late, 1, 0, 0, "it is done at once and answered `by` later")                          \
    X(status, 1, 0, 0, "it is answered with HTTP status `code`; done=yes: and done")               \
    X(malformed, 1, 1, 0, "JSON that is cut in the middle")                                        \
    X(reset, 1, 1, 1, "the connection is reset (RST)")                                             \
    X(stall, 1, 1, 1, "the connection neither reads nor writes `for` so long")                     \
    X(half_open, 1, 1, 1, "the same for ever")                                                     \
    X(gap, 0, 1, 0, "the message is not sent")                                                     \
    X(duplicate, 0, 1, 0, "the message is sent twice")                                             \
    X(reorder, 0, 1, 0, "the message is sent after the next one of its stream")                    \
    X(disconnect, 0, 1, 1, "the stream ends, as a venue ends it after a day")                      \
    X(outage, 0, 0, 1, "all connections are reset and nobody listens, `for` so long")              \
    X(private_outage, 0, 0, 1, "the account's streams end and none opens, `for` so long")          \
    X(clock_skew, 0, 0, 1, "the venue's clock shows `by` more, `for` so long or ever after")

enum fault_kind {
#define X(name, request, message, time, meaning) FAULT_##name,
    EXCHANGE_FAULTS(X)
#undef X
        FAULT_KINDS
};

/* "drop_request". */
const char *fault_kind_name(enum fault_kind kind);

enum fault_where { FAULT_ON_REQUEST, FAULT_ON_MESSAGE, FAULT_AT_TIME };

/* One line of the script. */
struct fault {
    enum fault_kind kind;
    enum fault_where where;
    unsigned line;
    int request;                      /* enum exchange_request, -1: any */
    const char *message;              /* NULL: any */
    char client[CORE_CLIENT_MAX + 1]; /* client order id of the request; "": any */
    /* Which of those that match: from the `nth` on `count`, or each `every`-th, or by chance. */
    int64_t nth, count, every, chance_ppm;
    int64_t at, until; /* ns since the start; until TIME_NEVER: no end */
    int64_t by, lasts; /* ns: `by` and `for` */
    int64_t code, retry_after_s;
    bool done;          /* the request is done before it goes wrong */
    int64_t seen, hits; /* so far */
    struct random *chance;
};

struct faults;

/* Read a script for one venue: lines of other venues are checked and left out. `text` NULL: no faults.
 * `name` stands in errors, which are "name:line: what was expected". */
int faults_read(struct faults **faults, const char *name, const char *text, uint64_t seed,
                const struct protocol_kind *venue, struct error *error);
void faults_free(struct faults **faults);

/* The fault that this request, or message, meets; NULL. It is counted. */
const struct fault *faults_on_request(struct faults *faults, const struct exchange_call *call,
                                      int64_t elapsed);
const struct fault *faults_on_message(struct faults *faults, const char *message, int64_t elapsed);
/* A fault of a moment that has come and was not given yet; NULL. Counted. Not clock_skew. */
const struct fault *faults_due(struct faults *faults, int64_t elapsed);
/* What the clock shows too much now. */
int64_t faults_skew(struct faults *faults, int64_t elapsed);
/* When faults_due or faults_skew changes next; TIME_NEVER. */
int64_t faults_deadline(const struct faults *faults, int64_t elapsed);

/* The lines of this venue, in the order of the script. */
size_t faults_count(const struct faults *faults);
const struct fault *faults_at(const struct faults *faults, size_t index);

#endif
