/* What the loop's thread counts and publishes for the ops server: the sink of the loop, and what it fills.
 * Counters are atomics with one writer; what belongs together stands in cells. The loop takes no lock, makes
 * no system call but to read the clock, and allocates nothing.
 *
 *   loop's thread ──► counters, histograms, cells, rings ──► ops server's thread (view.h)
 *
 * Of an instrument is published: at once after a session message of it, else at most every 100 ms. */
#ifndef CAPSTAN_OPS_COLLECT_H
#define CAPSTAN_OPS_COLLECT_H

#include "clock/clock.h"
#include "engine/book.h"
#include "engine/status.h"
#include "loop.h"
#include "ops/cell.h"
#include "ops/histogram.h"
#include "ops/ops.h"

enum {
    OPS_LEVELS = 10, /* of a book, a side */
    OPS_OWN_ORDERS = 64,
    OPS_BALANCES = 64,
    OPS_DECISIONS = 64, /* kept in each ring */
    OPS_FILLS = 64,
    OPS_NOTICES = 64
};

/* Why an order failed, beside what the venue gives as reason. */
enum { OPS_FAILED_NEVER_ARRIVED = REJECT_COUNT, OPS_FAILED_REASONS };
enum { OPS_LIMIT, OPS_MARKET, OPS_ORDER_TYPES };
/* Requests that are counted, and whose answers are timed. */
enum { OPS_REQUEST_PLACE, OPS_REQUEST_CANCEL, OPS_REQUEST_MODIFY, OPS_REQUESTS };

/* Of one venue. */
struct ops_venue_figures {
    _Atomic uint64_t placed[2][OPS_ORDER_TYPES], filled[2], fills[2][LIQUIDITY_COUNT];
    _Atomic uint64_t beyond_limit; /* of the fills */
    _Atomic uint64_t cancelled[CANCEL_CAUSE_COUNT], expired, not_found;
    _Atomic uint64_t failed[OPS_FAILED_REASONS], post_only_rejected, not_tried;
    _Atomic uint64_t sent[OPS_REQUESTS], unanswered, gaps[GAP_CAUSE_COUNT];
    struct ops_histogram execution, answers[OPS_REQUESTS], event_age;
    atomic_bool feed_up;     /* the last feed_connection said so */
    struct ops_cell *status; /* struct engine_venue_status */
};

struct ops_trade {
    int64_t price, quantity, ts;
    uint64_t side; /* enum side, the aggressor's */
};

/* Of one instrument, as published. */
struct ops_instrument {
    int64_t ts; /* ts_local of the message after which */
    struct engine_instrument_status status;
    struct engine_position position;
    struct book_level levels[2][OPS_LEVELS];
    uint32_t level_counts[2];
    struct ops_trade trade; /* the newest; ts 0: none yet */
    uint64_t own_count;
    struct engine_own_order own[OPS_OWN_ORDERS]; /* last: published as far as it is filled */
};

struct ops_balance {
    money total;
    uint16_t venue, asset;
};

/* Of the engine as a whole, as published. */
struct ops_account {
    int64_t ts;
    struct engine_account_state state;
    struct engine_counters counters;
    struct engine_database_status database;
    uint64_t open_orders;
    uint32_t shutdown; /* enum shutdown_step */
    uint32_t balance_count;
    struct ops_balance balances[OPS_BALANCES];
};

/* A message of a ring, with what it was an answer to. */
struct ops_entry {
    uint64_t number;        /* from 1 */
    struct message message; /* its pointers are not to be used */
    union event_record record;
    uint16_t cause_kind, cause_instrument; /* of the message that a decision followed; 0: none */
};

struct ops_ring {
    _Atomic uint64_t count; /* ever */
    size_t capacity;
    struct ops_cell **cells;
};

/* What is remembered of an order until another has its place. */
struct ops_life {
    order_id id;
    int64_t sent;      /* ts_local of the place */
    int64_t requested; /* of the cancel or modify without an answer; 0: none */
    uint8_t venue, side;
    uint8_t request; /* OPS_REQUEST_CANCEL or _MODIFY: which of them */
    uint8_t why;     /* enum cancel_cause of the newest cancel */
    bool arrived, ended, filled;
};

struct ops_collect {
    struct sink sink;  /* first: the loop holds a pointer to it */
    struct sink timed; /* in front of the tape's */
    struct sink *tape;
    struct ops_session session;
    /* Read by any thread. */
    _Atomic int64_t last_quote;   /* OPS_NO_QUOTE, OPS_DRAINING, or ts_local */
    _Atomic uint64_t messages[2]; /* market, session */
    _Atomic uint64_t decisions;
    _Atomic uint64_t epoch; /* of the last start */
    struct ops_histogram loop_lag, step, tick_to_order, tape_write;
    struct ops_venue_figures *venues;
    struct ops_cell **instruments; /* struct ops_instrument */
    struct ops_cell *account;
    struct ops_cell *
        *rates; /* by asset: struct event_reference_rate to whatever asset, the newest */
    struct ops_ring decided, filled, noticed;
    /* The loop's thread alone. */
    const struct message *message; /* under way; NULL past the end */
    int64_t told;                  /* ts_local of the last one */
    bool was_open;                 /* the order that it is of, before the engine took it */
    bool goes_on;                  /* the message is a start that begins nothing */
    uint64_t fills_before;
    int64_t limit;      /* of the order that is filled, before the engine took it; 0: not known */
    int64_t *published; /* by instrument */
    struct ops_trade *trades; /* by instrument */
    int64_t account_published;
    unsigned turn;
    struct ops_instrument *scratch;
    struct ops_account *account_scratch;
    struct ops_life *lives;
    uint32_t life_mask;
};

#define OPS_NO_QUOTE INT64_MIN
#define OPS_DRAINING (INT64_MIN + 1)

/* All memory is taken here. ERROR_SYSTEM: none. */
int ops_collect_open(struct ops_collect **collect, const struct ops_session *session,
                     struct error *error);
void ops_collect_close(struct ops_collect **collect);
/* The sink that stands in front of the tape's. */
struct sink *ops_collect_timed(struct ops_collect *collect, struct sink *tape);
/* Any thread: no quote makes it ready any more. */
void ops_collect_drain(struct ops_collect *collect);

/* Copies of the newest entries, newest first. Returns how many. */
size_t ops_ring_read(struct ops_ring *ring, struct ops_entry *entries, size_t capacity);

/* Parts of the sink: collect_orders.c */
int ops_lives_open(struct ops_collect *collect, struct error *error);
/* Whether a message is of an order that is open; before the engine takes it. */
bool ops_lives_was_open(const struct engine *engine, const struct message *message);
/* A session message that the engine has taken; a decision that is about to leave. */
void ops_lives_message(struct ops_collect *collect, const struct message *message);
void ops_lives_decision(struct ops_collect *collect, const struct message *decision);

#endif
