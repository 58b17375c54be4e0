/* See report.h. */
#include "import/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

struct import_counts import_report_total(const struct import_report *report)
{
    struct import_counts total = {0};
    for (size_t i = 0; i < report->instrument_count; i++) {
        const struct import_counts *counts = &report->instruments[i].counts;
#define X(name, meaning) total.name += counts->name;
        IMPORT_COUNTS(X)
#undef X
    }
    return total;
}

__attribute__((format(printf, 3, 4))) static void
reason(struct import_report *report, enum tape_grade grade, const char *format, ...)
{
    size_t used = strlen(report->reasons);
    size_t room = sizeof report->reasons - used;
    if (grade > report->grade) {
        report->grade = (uint8_t)grade;
    }
    if (room < 2) {
        return;
    }
    char *to = report->reasons + used;
    int head = snprintf(to, room, "%s%s: ", used == 0 ? "" : "\n", tape_grade_letter(grade));
    if (head > 0 && (size_t)head < room) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(to + head, room - (size_t)head, format, arguments);
        va_end(arguments);
    }
}

#define COUNT(value) ((unsigned long long)(value))

/* Seconds with six decimals, signed, without a double. */
static void seconds_text(int64_t ns, char out[TIME_TEXT_MAX])
{
    int64_t us = ns / NS_PER_US;
    int64_t size = us < 0 ? -us : us;
    snprintf(out, TIME_TEXT_MAX, "%s%lld.%06lld s", ns < 0 ? "-" : "+", (long long)(size / 1000000),
             (long long)(size % 1000000));
}

static void grade_clock(struct import_report *report)
{
    const struct clock_correction *clock = &report->clock;
    char least_text[TIME_TEXT_MAX], most_text[TIME_TEXT_MAX], floor_text[TIME_TEXT_MAX];
    if (clock->count == 0) {
        reason(report, TAPE_GRADE_C,
               "clock: no frame bears a venue time; receive times stand as "
               "they are");
        return;
    }
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (size_t i = 0; i < clock->count; i++) {
        int64_t correction = clock->windows[i].correction_ns;
        least = correction < least ? correction : least;
        most = correction > most ? correction : most;
    }
    seconds_text(least, least_text);
    seconds_text(most, most_text);
    duration_to_text(clock->floor_ns, floor_text);
    reason(report, TAPE_GRADE_C,
           "clock: receive times corrected by %s to %s over %zu window%s of 600 s, assuming a feed "
           "floor of %s%s",
           least_text, most_text, clock->count, clock->count == 1 ? "" : "s", floor_text,
           most > clock->floor_ns ? "; the recording clock stood behind the venue's" : "");
}

static void grade_instrument(struct import_report *report, const struct import_instrument *one)
{
    const struct import_counts *counts = &one->counts;
    if (one->had_depth && counts->snapshots_emitted == 0) {
        reason(report, TAPE_GRADE_F, "%s: no snapshot joins its depth, so it never has a book",
               one->name);
    }
    if (!one->had_depth && counts->snapshots_emitted == 0) {
        reason(report, TAPE_GRADE_F, "%s: has no depth and no snapshot, so it never has a book",
               one->name);
    }
    if (counts->gaps > 0) {
        reason(report, TAPE_GRADE_D, "%s: %llu gap%s in the depth sequence", one->name,
               COUNT(counts->gaps), counts->gaps == 1 ? "" : "s");
    }
    if (counts->crossed_intervals > 0) {
        reason(report, TAPE_GRADE_D, "%s: book crossed %llu times, %llu ns in all", one->name,
               COUNT(counts->crossed_intervals), COUNT(counts->crossed_ns));
    }
    if (counts->trades_missing > 0) {
        reason(report, TAPE_GRADE_D, "%s: %llu trade ids missing", one->name,
               COUNT(counts->trades_missing));
    }
    if (counts->snapshots_emitted > 0 && counts->levels_never_synchronised > 0) {
        reason(report, TAPE_GRADE_D, "%s: %llu level changes that no snapshot joined", one->name,
               COUNT(counts->levels_never_synchronised));
    }
    if (counts->numbers_without_value > 0) {
        reason(report, TAPE_GRADE_B, "%s: %llu prices or quantities without a value", one->name,
               COUNT(counts->numbers_without_value));
    }
    if (one->book_unchecked) {
        reason(report, TAPE_GRADE_B, "%s: too many levels to look for crossed intervals",
               one->name);
    }
}

static void grade_oddities(struct import_report *report, const struct import_counts *total)
{
    /* X(count, words) */
#define ODDITIES(X)                                                                                \
    X(report->files_twice, "files given twice, read once")                                         \
    X(report->receive_time_back, "lines whose receive time goes back")                             \
    X(report->held_back, "messages whose corrected time was kept from going back")                 \
    X(report->blank_lines, "blank lines")                                                          \
    X(report->other_frames, "frames of other kinds, left out")                                     \
    X(total->levels_duplicate, "level changes seen before, dropped")                               \
    X(total->trades_duplicate, "trades seen before, dropped")                                      \
    X(total->trades_late, "trades out of order")                                                   \
    X(total->trades_not_market, "trades that fill nobody")                                         \
    X(total->tops_duplicate, "best bid/ask frames seen before, dropped")                           \
    X(total->tops_superseded, "best bid/ask frames older than the one before, dropped")            \
    X(total->snapshot_levels_redundant, "levels of snapshots that were not needed")                \
    X(total->snapshot_levels_too_old, "levels of snapshots too old to join")
#define X(count, words)                                                                            \
    if ((count) > 0) {                                                                             \
        reason(report, TAPE_GRADE_B, "%llu %s", COUNT(count), words);                              \
    }
    ODDITIES(X)
#undef X
#undef ODDITIES
}

void import_report_grade(struct import_report *report)
{
    struct import_counts total = import_report_total(report);
    report->grade = TAPE_GRADE_A;
    report->reasons[0] = '\0';
    grade_clock(report);
    if (report->grids_inferred) {
        reason(report, TAPE_GRADE_C, "definitions: tick and lot inferred from the values seen");
    }
    if (total.times_estimated > 0) {
        reason(report, TAPE_GRADE_C, "times: venue time of %llu messages estimated",
               COUNT(total.times_estimated));
    }
    for (size_t i = 0; i < report->instrument_count; i++) {
        grade_instrument(report, &report->instruments[i]);
    }
    grade_oddities(report, &total);
}

void import_report_free(struct import_report *report)
{
    free(report->instruments);
    clock_correction_free(&report->clock);
    memset(report, 0, sizeof *report);
}
