/* What one book's frames amount to: numbers in the instrument's units, the depth sequence with its snapshots,
 * trades and best prices told once. Shared by the importer and the live adapter; no I/O, no clock. */
#ifndef CAPSTAN_VENUE_LIVE_BINANCE_FEED_H
#define CAPSTAN_VENUE_LIVE_BINANCE_FEED_H

#include "venue/live/binance_sync.h"

enum {
    BINANCE_BAD_MAX =
        4096, /* numbers without value in one message; with more it is broken as a whole */
    BINANCE_MISSING_MAX = 64 /* jumps in trade ids that a late trade may still fill */
};

/* What became of a frame. */
enum binance_fate {
    BINANCE_TOLD,        /* a message of `kind` with rows */
    BINANCE_BROKEN,      /* the depth sequence broke: `kind` is EVENT_gap; the frame is held */
    BINANCE_KEPT,        /* depth that waits for a snapshot */
    BINANCE_IN_SNAPSHOT, /* depth that the snapshot has already */
    BINANCE_OLDER,       /* best prices older than those told */
    BINANCE_TWICE,       /* seen before */
    BINANCE_SNAPSHOT_NO_NEWER, /* the book runs and is at least as new */
    BINANCE_SNAPSHOT_TOO_OLD   /* kept depth does not reach back to it: another one is needed */
};

/* Points into the scratch and the market; holds until their next use. */
struct binance_told {
    uint8_t fate; /* enum binance_fate */
    uint8_t kind; /* enum event_kind of the message */
    const struct row *rows;
    size_t row_count;
    const struct binance_bad_number *bad; /* numbers without value in those rows */
    size_t bad_count;
    size_t bad_read; /* of them in this frame */
    uint64_t sequence;
    int64_t venue_time_ns; /* where has_venue_time */
    bool has_venue_time;
    bool late;       /* trade: fills a jump of before */
    uint64_t jumped; /* trade: ids jumped over by this one */
    uint64_t gap_expected, gap_found;
};

/* Rows while they are made; one for all markets of a thread. */
struct binance_scratch {
    struct row *rows;               /* EVENT_ROWS_MAX */
    struct binance_bad_number *bad; /* BINANCE_BAD_MAX */
    size_t bad_count;
};

/* Trade ids that were jumped over, from first to last. */
struct binance_missing {
    uint64_t first, last;
};

struct binance_feed {
    struct binance_sync sync;
    bool has_trade, has_top;
    uint64_t last_trade, last_top;
    struct binance_missing missing[BINANCE_MISSING_MAX];
    size_t missing_count;
    struct row top[2];
};

/* ERROR_SYSTEM without memory. Freed by the second, also after an error. */
int binance_scratch_init(struct binance_scratch *scratch, struct error *error);
void binance_scratch_free(struct binance_scratch *scratch);

void binance_feed_init(struct binance_feed *feed, bool futures);
void binance_feed_free(struct binance_feed *feed);
/* The feed broke off: depth is held again until a snapshot. Trades and best prices go on as before. */
void binance_feed_lose(struct binance_feed *feed);
/* Take one frame of this market (depth, snapshot, trade or top). 0, or ERROR_INPUT (too many levels or
 * numbers without value), ERROR_SYSTEM (memory). */
int binance_feed_take(struct binance_feed *feed, const struct binance_frame *frame,
                      const struct event_definition *definition, struct binance_scratch *scratch,
                      struct binance_told *told, struct error *error);
/* The record of the source text of one of a message's numbers without value. */
struct event_source_text binance_source_text(uint16_t instrument,
                                             const struct binance_bad_number *bad);

#endif
