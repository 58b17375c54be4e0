/* What is wrong with the market data of a tape, in figures by instrument, and the grade that follows. The importer
 * measures what it reads and a run what it is told (run/market_faults.h); both grade by this one table. */
#ifndef CAPSTAN_TAPE_FAULTS_H
#define CAPSTAN_TAPE_FAULTS_H

#include "tape/tape.h"

/* X(count, grade, singular, plural, what of it): the first one makes the grade no better. */
#define TAPE_FAULTS(X)                                                                             \
    X(depth_gaps, TAPE_GRADE_D, "gap", "gaps", "in the depth sequence")                            \
    X(other_gaps, TAPE_GRADE_D, "gap", "gaps", "in trades or best prices")                         \
    X(damaged, TAPE_GRADE_D, "gap", "gaps", "because data could not be read")                      \
    X(given_up, TAPE_GRADE_D, "book", "books", "given up because it was crossed")                  \
    X(connections, TAPE_GRADE_D, "connection", "connections", "of its feed lost")                  \
    X(trades_missing, TAPE_GRADE_D, "trade id", "trade ids", "missing")                            \
    X(never_joined, TAPE_GRADE_D, "level change", "level changes", "that no snapshot joined")      \
    X(times_missing, TAPE_GRADE_C, "message", "messages", "without a venue time")                  \
    X(times_impossible, TAPE_GRADE_C, "message", "messages",                                       \
      "with a venue time later than they were received")                                           \
    X(times_estimated, TAPE_GRADE_C, "message", "messages", "with an estimated venue time")        \
    X(without_value, TAPE_GRADE_B, "price or quantity", "prices or quantities", "without a value")

/* A first book that comes no later than this after the beginning is no fault: connections take so long, and after
 * a longer wait warm-up would begin anew (trading-semantics 25). */
#define TAPE_FAULTS_FIRST_BOOK_NS INT64_C(60000000000)

enum tape_faults_book { TAPE_BOOK_NONE, TAPE_BOOK_WHOLE, TAPE_BOOK_LOST };

/* Of one instrument. Zero it before. The counts of the table are the caller's to count up but for those that
 * functions below count. */
struct tape_faults {
    /* How its book stands, and since when: what each message looks at. */
    uint8_t book; /* enum tape_faults_book */
    bool has_first, crossed;
    bool had_depth;
    bool unchecked;                     /* too many levels to look for a crossed book */
    int64_t first, lost, crossed_since; /* first: when it had a book first */
    uint64_t crossed_times, crossed_ns;
    uint64_t bookless_ns; /* without a book, once there was one */
    uint64_t not_written,
        dropped; /* times that the tape could not be written; messages lost by it */
#define X(name, grade, one, more, what) uint64_t name;
    TAPE_FAULTS(X)
#undef X
};

/* A `gap` record of this instrument, on `channel`. A gap in its book loses that. */
void tape_faults_gap(struct tape_faults *faults, const struct event_gap *gap, unsigned channel,
                     int64_t ts_local);
/* The venue time of a message, before its book is told of. Only times on which fills depend count: those of depth, trades
 * and snapshots. A snapshot that begins a book needs none, for nothing of it comes before. */
void tape_faults_time(struct tape_faults *faults, const struct message *message);
/* Nothing is known of its book from here on. */
void tape_faults_lose(struct tape_faults *faults, int64_t ts_local);
/* How its book stands after a message that told of it. One that is not whole is a lost one. */
void tape_faults_book(struct tape_faults *faults, bool whole, bool crossed, int64_t ts_local);
/* Only what comes from here on counts; how the book stands is kept. */
void tape_faults_begin(struct tape_faults *faults, int64_t ts_local);
/* Close what lasts until now; nothing changes where it is done again at the same time. */
void tape_faults_end(struct tape_faults *faults, int64_t ts_local);

/* Reasons of a grade, a line each: letter, instrument or matter, cause. Zero it but for `told` before, and free() `text`
 * after. */
struct tape_reasons {
    const char
        *told;     /* reasons that are known already: what they tell of is left out. May be NULL */
    uint8_t grade; /* enum tape_grade: the worst of those added */
    char *text;    /* NULL: none */
    size_t length;
    bool failed; /* no memory: something is missing */
};

/* `name`: of the instrument or matter. `what`: the words by which a reason of the same kind is known again; they stand in
 * the text that `format` makes. */
__attribute__((format(printf, 5, 6))) void tape_reasons_add(struct tape_reasons *reasons,
                                                            enum tape_grade grade, const char *name,
                                                            const char *what, const char *format,
                                                            ...);
/* Those of one instrument, over a span of ts_local, both included; after tape_faults_end(). */
void tape_reasons_of_instrument(struct tape_reasons *reasons, const char *name,
                                const struct tape_faults *faults, int64_t first_ts,
                                int64_t last_ts);
/* Jumps of the clock that stamped the messages, and the farthest of them, 0 and more. */
void tape_reasons_of_clock(struct tape_reasons *reasons, uint64_t jumps, int64_t farthest_ns);

#endif
