/* What an import found and did: counts for each instrument, the clock, oddities, and the grade that
 * follows from them. */
#ifndef CAPSTAN_IMPORT_REPORT_H
#define CAPSTAN_IMPORT_REPORT_H

#include "event/event.h"
#include "import/clock_correction.h"
#include "tape/faults.h"

/* X(name, what it counts). Every level, trade and best bid/ask that is read stands in exactly one
 * of the counts below it. */
#define IMPORT_COUNTS(X)                                                                           \
    X(levels_read, "level changes read")                                                           \
    X(levels_emitted, "level changes on the tape as depth")                                        \
    X(levels_held, "level changes held before a snapshot and applied with it")                     \
    X(levels_superseded, "level changes dropped: already in the snapshot")                         \
    X(levels_duplicate, "level changes dropped: seen before")                                      \
    X(levels_never_synchronised, "level changes dropped: no snapshot joined them")                 \
    X(snapshots_read, "snapshots read")                                                            \
    X(snapshots_emitted, "snapshots on the tape")                                                  \
    X(snapshot_levels_read, "snapshot levels read")                                                \
    X(snapshot_levels_emitted, "snapshot levels on the tape")                                      \
    X(snapshot_levels_redundant, "snapshot levels dropped: the book was at least as new")          \
    X(snapshot_levels_too_old, "snapshot levels dropped: depth does not reach back to them")       \
    X(trades_read, "trades read")                                                                  \
    X(trades_emitted, "trades on the tape")                                                        \
    X(trades_duplicate, "trades dropped: seen before")                                             \
    X(tops_read, "best bid/ask frames read")                                                       \
    X(tops_emitted, "best bid/ask frames on the tape")                                             \
    X(tops_duplicate, "best bid/ask frames dropped: same as the one before")                       \
    X(tops_superseded, "best bid/ask frames dropped: older than the one before")                   \
    X(trades_not_market, "trades on the tape that fill nobody")                                    \
    X(trades_missing, "trade ids that were jumped over")                                           \
    X(trades_late, "trades that came after a later one")                                           \
    X(gaps, "breaks of the depth sequence")                                                        \
    X(crossed_intervals, "intervals in which the book was crossed after a depth message")          \
    X(crossed_ns, "time for which it was crossed, ns")                                             \
    X(bookless_ns, "time without a book, once there was one, ns")                                  \
    X(numbers_without_value, "prices and quantities without a usable value")                       \
    X(times_impossible, "depth, trades and snapshots with a venue time later than received")       \
    X(times_estimated, "messages whose venue time is estimated")

struct import_counts {
#define X(name, meaning) uint64_t name;
    IMPORT_COUNTS(X)
#undef X
};

enum { IMPORT_OTHER_MAX = 16, IMPORT_OTHER_NAME_MAX = 32 };

/* Frames of a kind that is not read, by the name they give it. */
struct import_other {
    char name[IMPORT_OTHER_NAME_MAX + 1];
    uint64_t frames;
};

/* One instrument's part. */
struct import_instrument {
    char name[EVENT_INSTRUMENT_NAME_MAX];
    struct event_definition definition;
    struct import_counts counts;
    struct tape_faults
        faults; /* what is measured as in a run; at the end it stands in the counts too */
};

struct import_report {
    struct import_instrument *instruments;
    size_t instrument_count;
    struct clock_correction clock;
    struct import_other other[IMPORT_OTHER_MAX];
    size_t other_count;
    uint64_t other_frames; /* all of them, also those without room in `other` */
    uint64_t files, files_twice, lines, blank_lines;
    uint64_t receive_time_back; /* lines whose receive time goes back within their file */
    uint64_t held_back; /* messages whose corrected time would have gone back, set to the last */
    uint64_t messages, rows;
    int64_t first_ts, last_ts; /* corrected */
    bool grids_inferred;
    uint8_t grade; /* enum tape_grade */
    char *reasons; /* one a line; NULL: none yet */
};

/* Sum over all instruments. */
struct import_counts import_report_total(const struct import_report *report);
/* Set grade and reasons from the rest. ERROR_SYSTEM without memory. */
int import_report_grade(struct import_report *report, struct error *error);
void import_report_free(struct import_report *report);

#endif
