/* The importer's second reading: the frames of all files in one order that does not depend on the
 * order in which the files were named.
 *
 * Order: raw receive time; at one time rank, then instrument (venue name, symbol), then the file's
 * place by content and the line. A file is open only while its time has come, so memory does not
 * grow with the number or the length of files. */
#ifndef CAPSTAN_IMPORT_MERGE_H
#define CAPSTAN_IMPORT_MERGE_H

#include "import/scan.h"

/* What goes first at one receive time. On one venue a trade never follows the book change it made
 * (trading-semantics 1), so trades stand before everything that shows the book after it; a snapshot
 * before depth, so that depth of the same time is tested against it; best bid/ask last, since it may
 * be newer than the depth but never older than what it shows. */
#define MERGE_RANKS(X)                                                                             \
    X(MERGE_TRADE, BINANCE_TRADE)                                                                  \
    X(MERGE_SNAPSHOT, BINANCE_SNAPSHOT)                                                            \
    X(MERGE_DEPTH, BINANCE_DEPTH)                                                                  \
    X(MERGE_TOP, BINANCE_TOP)                                                                      \
    X(MERGE_OTHER, BINANCE_OTHER)

enum merge_rank {
#define X(rank, kind) rank,
    MERGE_RANKS(X)
#undef X
};

enum {
    /* Frames of one receive time. A stamp of seconds covers a few thousand; more than this is no
     * receive time at all. */
    MERGE_SAME_TIME_MAX = 256 * 1024
};

/* One frame in its place. */
struct merge_entry {
    struct binance_frame frame;
    int64_t receive_ns; /* raw; where a file's clock goes back, the latest before it */
    int instrument;     /* -1: none */
    uint8_t rank;       /* enum merge_rank */
    size_t file;
    uint64_t line;
};

struct merge;

/* `scan` must outlive the merge. */
int merge_open(struct merge **merge, const struct scan *scan, struct error *error);
void merge_close(struct merge **merge);
/* The next frame, or NULL in `*entry` at the end. It holds until the next call. */
int merge_next(struct merge *merge, const struct merge_entry **entry, struct error *error);
/* "file:line" before the error's text. */
int merge_blame(const struct merge *merge, const struct merge_entry *entry, struct error *error);
/* Lines whose receive time went back within their file, and blank lines, of files closed so far. */
uint64_t merge_receive_time_back(const struct merge *merge);
uint64_t merge_blank_lines(const struct merge *merge);
/* Bytes as stored that were read so far. */
uint64_t merge_position(const struct merge *merge);

#endif
