/* Counts faults of market data and says what they make of a grade: see tape/faults.h. */
#include "tape/faults.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/integer.h"
#include "base/time.h"

/* --- counting ---------------------------------------------------------------------------------- */

/* A tape may hold any times, as far apart as they go. */
static uint64_t between(int64_t from, int64_t to)
{
    return (uint64_t)to - (uint64_t)from;
}

static void end_crossed(struct tape_faults *faults, int64_t ts_local)
{
    if (faults->crossed)
        faults->crossed_ns += between(faults->crossed_since, ts_local);
    faults->crossed = false;
}

void tape_faults_lose(struct tape_faults *faults, int64_t ts_local)
{
    end_crossed(faults, ts_local);
    if (faults->book != TAPE_BOOK_WHOLE)
        return;
    faults->book = TAPE_BOOK_LOST;
    faults->lost = ts_local;
}

void tape_faults_book(struct tape_faults *faults, bool whole, bool crossed, int64_t ts_local)
{
    if (!whole) {
        tape_faults_lose(faults, ts_local);
        return;
    }
    if (faults->book == TAPE_BOOK_LOST)
        faults->bookless_ns += between(faults->lost, ts_local);
    if (!faults->has_first)
        faults->first = ts_local;
    faults->has_first = true;
    faults->book = TAPE_BOOK_WHOLE;
    if (!crossed) {
        end_crossed(faults, ts_local);
    } else if (!faults->crossed) {
        faults->crossed = true;
        faults->crossed_times++;
        faults->crossed_since = ts_local;
    }
}

void tape_faults_gap(struct tape_faults *faults, const struct event_gap *gap, unsigned channel,
                     int64_t ts_local)
{
    bool of_book = channel != CHANNEL_TRADE && channel != CHANNEL_TOP;
    switch (gap->cause) {
    case GAP_NOT_WRITTEN:
        faults->not_written++;
        faults->dropped += gap->expected;
        break;
    case GAP_CONNECTION:
        faults->connections++;
        break;
    case GAP_DAMAGE:
        faults->damaged++;
        break;
    case GAP_CROSSED:
        faults->given_up++;
        break;
    default: /* GAP_SEQUENCE */
        faults->depth_gaps += of_book;
        faults->other_gaps += !of_book;
        break;
    }
    if (of_book)
        tape_faults_lose(faults, ts_local);
}

void tape_faults_time(struct tape_faults *faults, const struct message *message)
{
    bool begins = message->kind == EVENT_snapshot && faults->book != TAPE_BOOK_WHOLE;
    if (message->kind != EVENT_depth && message->kind != EVENT_snapshot &&
        message->kind != EVENT_trade)
        return;
    if (message->flags & MESSAGE_VENUE_TIME)
        faults->times_impossible += message->ts_venue > message->ts_local;
    else if (!begins && message->flags & MESSAGE_VENUE_ESTIMATED)
        faults->times_estimated++;
    else if (!begins)
        faults->times_missing++;
}

void tape_faults_begin(struct tape_faults *faults, int64_t ts_local)
{
    const struct tape_faults before = *faults;
    *faults = (struct tape_faults){.had_depth = before.had_depth,
                                   .unchecked = before.unchecked,
                                   .book = before.book,
                                   .has_first = before.has_first,
                                   .crossed = before.crossed,
                                   .crossed_times = before.crossed,
                                   .first = ts_local,
                                   .lost = ts_local,
                                   .crossed_since = ts_local};
}

void tape_faults_end(struct tape_faults *faults, int64_t ts_local)
{
    if (faults->crossed)
        faults->crossed_ns += between(faults->crossed_since, ts_local);
    faults->crossed_since = ts_local;
    if (faults->book == TAPE_BOOK_LOST)
        faults->bookless_ns += between(faults->lost, ts_local);
    faults->lost = ts_local;
}

/* --- reasons ----------------------------------------------------------------------------------- */

/* Whether a line "X: name: …" has the words. */
static bool line_tells(const char *line, size_t length, const char *name, const char *what)
{
    size_t head = strlen("D: "), named = strlen(name), words = strlen(what);
    if (length < head + named + 2 || memcmp(line + head, name, named) != 0 ||
        memcmp(line + head + named, ": ", 2) != 0)
        return false;
    for (size_t at = head + named + 2; at + words <= length; at++)
        if (memcmp(line + at, what, words) == 0)
            return true;
    return false;
}

static bool is_told(const char *told, const char *name, const char *what)
{
    while (told != NULL && *told != '\0') {
        size_t length = strcspn(told, "\n");
        if (line_tells(told, length, name, what))
            return true;
        told += length + (told[length] == '\n');
    }
    return false;
}

void tape_reasons_add(struct tape_reasons *reasons, enum tape_grade grade, const char *name,
                      const char *what, const char *format, ...)
{
    char cause[256];
    va_list arguments;
    if (is_told(reasons->told, name, what))
        return;
    va_start(arguments, format);
    vsnprintf(cause, sizeof cause, format, arguments);
    va_end(arguments);
    size_t room = reasons->length + strlen(name) + strlen(cause) + sizeof "\nD: : ";
    char *text = realloc(reasons->text, room);
    if (text == NULL) {
        reasons->failed = true;
        return;
    }
    reasons->text = text;
    reasons->length +=
        (size_t)snprintf(text + reasons->length, room - reasons->length, "%s%s: %s: %s",
                         reasons->length == 0 ? "" : "\n", tape_grade_letter(grade), name, cause);
    if (reasons->grade < grade)
        reasons->grade = (uint8_t)grade;
}

/* Seconds, rounded down, and their part of a span in hundredths of a percent. */
static void add_bookless(struct tape_reasons *reasons, const char *name, uint64_t bookless_ns,
                         uint64_t span_ns)
{
    const uint64_t us = bookless_ns / NS_PER_US, of_ms = span_ns / NS_PER_MS;
    const uint64_t part = span_ns == 0 ? 10000 : (uint64_t)((uint128)bookless_ns * 10000 / span_ns);
    tape_reasons_add(reasons, TAPE_GRADE_D, name, "without a book",
                     "without a book for %" PRIu64 ".%06" PRIu64 " s of %" PRIu64 ".%03" PRIu64
                     " s (%" PRIu64 ".%02" PRIu64 " %%)",
                     us / 1000000, us % 1000000, of_ms / 1000, of_ms % 1000, part / 100,
                     part % 100);
}

static void add_book(struct tape_reasons *reasons, const char *name,
                     const struct tape_faults *faults, int64_t first_ts, int64_t last_ts)
{
    const uint64_t wait = faults->has_first ? between(first_ts, faults->first) : 0;
    if (!faults->has_first)
        tape_reasons_add(reasons, TAPE_GRADE_F, name, "never has a book",
                         faults->had_depth
                             ? "no snapshot joins its depth, so it never has a book"
                             : "has no depth and no snapshot, so it never has a book");
    if (wait > TAPE_FAULTS_FIRST_BOOK_NS)
        tape_reasons_add(reasons, TAPE_GRADE_D, name, "until its first book",
                         "%" PRIu64 ".%03" PRIu64 " s until its first book", wait / NS_PER_SECOND,
                         wait / NS_PER_MS % 1000);
    if (faults->bookless_ns > 0)
        add_bookless(reasons, name, faults->bookless_ns, between(first_ts, last_ts));
    if (faults->crossed_times > 0)
        tape_reasons_add(reasons, TAPE_GRADE_D, name, "book crossed",
                         "book crossed %" PRIu64 " times, %" PRIu64 " ns in all",
                         faults->crossed_times, faults->crossed_ns);
    if (faults->not_written > 0)
        tape_reasons_add(reasons, TAPE_GRADE_D, name, "while the tape could not be written",
                         "%" PRIu64 " message%s dropped while the tape could not be written",
                         faults->dropped, faults->dropped == 1 ? "" : "s");
    if (faults->unchecked)
        tape_reasons_add(reasons, TAPE_GRADE_B, name, "too many levels",
                         "too many levels to look for crossed intervals");
}

void tape_reasons_of_instrument(struct tape_reasons *reasons, const char *name,
                                const struct tape_faults *faults, int64_t first_ts, int64_t last_ts)
{
    add_book(reasons, name, faults, first_ts, last_ts);
    /* What no snapshot joined is all of it where none ever came. */
    struct tape_faults counted = *faults;
    if (!faults->has_first)
        counted.never_joined = 0;
    if (is_told(reasons->told, "times", "estimated")) /* of all instruments: an older import */
        counted.times_estimated = 0;
#define X(count, grade, one, more, what)                                                           \
    if (counted.count > 0)                                                                         \
        tape_reasons_add(reasons, grade, name, what, "%" PRIu64 " %s %s", counted.count,           \
                         counted.count == 1 ? one : more, what);
    TAPE_FAULTS(X)
#undef X
}

void tape_reasons_of_clock(struct tape_reasons *reasons, uint64_t jumps, int64_t farthest_ns)
{
    const int64_t ms = farthest_ns / NS_PER_MS;
    if (jumps > 0)
        tape_reasons_add(reasons, TAPE_GRADE_C, "clock", "jumped",
                         "jumped %" PRIu64 " time%s, the farthest by %" PRId64 ".%03" PRId64
                         " s; receive times may be off by that",
                         jumps, jumps == 1 ? "" : "s", ms / 1000, ms % 1000);
}
