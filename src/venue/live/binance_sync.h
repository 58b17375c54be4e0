/* Binance's depth sequence rules for one book, and the depth held until a snapshot joins.
 *
 *            depth          snapshot joins            depth continues
 *   HOLDING ───────► HOLDING ─────────────► JOINED ──────────────────► RUNNING
 *      ▲     held       │ too old: unused      │  first frame             │
 *      └────────────────┴──────────────────────┴──── a break: gap ◄───────┘
 *
 * Spot ("How to manage a local order book correctly"): drop u <= lastUpdateId, the first frame has
 * U <= lastUpdateId + 1 <= u, then U = previous u + 1. Futures: drop u < lastUpdateId, the first has
 * U <= lastUpdateId <= u, then pu = previous u. Futures ids are shared by all symbols, so an id may
 * also fall between two frames of one book: pu <= lastUpdateId < U joins as well, since nothing of
 * this book stands between. No I/O. */
#ifndef CAPSTAN_VENUE_LIVE_BINANCE_SYNC_H
#define CAPSTAN_VENUE_LIVE_BINANCE_SYNC_H

#include "base/error.h"
#include "event/event.h"
#include "venue/live/binance_decode.h"

enum {
    /* Held rows of one book: half of what one message can carry, so that the snapshot fits as well.
     * Beyond it the oldest frames are given up; a snapshot that needs them comes too late. */
    BINANCE_HELD_ROWS_MAX = EVENT_ROWS_MAX / 2
};

/* Source text of a number in a row that has no value. */
struct binance_bad_number {
    uint32_t row; /* index into the rows beside it */
    bool quantity;
    struct event_text text;
};

/* One depth frame, its numbers already in the instrument's units. */
struct binance_change {
    uint64_t first_id, last_id, previous_id; /* U, u, pu */
    int64_t venue_time_ns;
    bool has_venue_time;
    const struct row *rows;
    size_t row_count;
    const struct binance_bad_number *bad;
    size_t bad_count;
};

enum binance_verdict {
    BINANCE_APPLY,
    BINANCE_HELD,
    BINANCE_SUPERSEDED, /* already in the snapshot */
    BINANCE_DUPLICATE,  /* seen before */
    BINANCE_GAP         /* the sequence broke; the frame is held */
};

enum binance_join {
    BINANCE_JOIN,
    BINANCE_JOIN_REDUNDANT, /* the book runs and is at least as new */
    BINANCE_JOIN_TOO_OLD    /* held depth does not reach back to it */
};

/* What a snapshot that joins is followed by: rows of held frames it does not contain. Points into the
 * sync; holds until its next call. */
struct binance_joined {
    const struct row *rows;
    size_t row_count;
    const struct binance_bad_number *bad; /* `row` counts from `rows` */
    size_t bad_count;
    uint64_t sequence;     /* of the book after it */
    int64_t venue_time_ns; /* of the last held frame that follows, */
    bool has_venue_time;   /* if there is one and it has a time */
};

enum binance_sync_state { BINANCE_HOLDING, BINANCE_JOINED, BINANCE_RUNNING };

struct binance_held {
    uint64_t first_id, last_id, previous_id;
    int64_t venue_time_ns;
    size_t row, bad; /* where its rows and bad numbers begin */
    bool has_venue_time;
};

/* State of one book. Counts are of rows. */
struct binance_sync {
    bool futures;
    uint8_t state;         /* enum binance_sync_state */
    uint64_t last_id;      /* last frame seen (held or applied); JOINED: the snapshot's */
    uint64_t gap_expected; /* after BINANCE_GAP: the id that should have come */
    uint64_t gap_found;
    struct binance_held *held;
    struct row *rows;
    struct binance_bad_number *bad;
    size_t held_count, row_count, bad_count;
    size_t held_capacity, row_capacity, bad_capacity;
    uint64_t rows_joined;     /* held, then given with a snapshot */
    uint64_t rows_superseded; /* held, then found to be in the snapshot */
    uint64_t rows_given_up;   /* held beyond the limit */
};

void binance_sync_init(struct binance_sync *sync, bool futures);
void binance_sync_free(struct binance_sync *sync);
/* Judge one depth frame into `verdict`; copies it where it is to be held. ERROR_SYSTEM without
 * memory. */
int binance_sync_depth(struct binance_sync *sync, const struct binance_change *change,
                       enum binance_verdict *verdict, struct error *error);
/* Judge a snapshot by its lastUpdateId. On BINANCE_JOIN `joined` is filled and the held frames are
 * given out. */
enum binance_join binance_sync_snapshot(struct binance_sync *sync, uint64_t snapshot_id,
                                        struct binance_joined *joined);
/* True where a snapshot with this id can be followed by a frame with these ids. */
bool binance_sync_joins(bool futures, uint64_t snapshot_id, uint64_t first_id, uint64_t last_id,
                        uint64_t previous_id);

#endif
