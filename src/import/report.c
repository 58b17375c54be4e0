/* See report.h. */
#include "import/report.h"

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

#define COUNT(value) ((unsigned long long)(value))

/* Seconds with six decimals, signed, without a double. */
static void seconds_text(int64_t ns, char out[TIME_TEXT_MAX])
{
    int64_t us = ns / NS_PER_US;
    int64_t size = us < 0 ? -us : us;
    snprintf(out, TIME_TEXT_MAX, "%s%lld.%06lld s", ns < 0 ? "-" : "+", (long long)(size / 1000000),
             (long long)(size % 1000000));
}

static void grade_clock(const struct import_report *report, struct tape_reasons *reasons)
{
    const struct clock_correction *clock = &report->clock;
    char least_text[TIME_TEXT_MAX], most_text[TIME_TEXT_MAX], floor_text[TIME_TEXT_MAX];
    if (clock->count == 0) {
        tape_reasons_add(reasons, TAPE_GRADE_C, "clock", "no frame",
                         "no frame bears a venue time; receive times stand as they are");
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
    tape_reasons_add(
        reasons, TAPE_GRADE_C, "clock", "corrected",
        "receive times corrected by %s to %s over %zu window%s of 600 s, assuming a feed floor of "
        "%s%s",
        least_text, most_text, clock->count, clock->count == 1 ? "" : "s", floor_text,
        most > clock->floor_ns ? "; the recording clock stood behind the venue's" : "");
}

/* What the feed told of an instrument beside what its frames amount to. */
static void grade_instrument(const struct import_report *report, struct tape_reasons *reasons,
                             const struct import_instrument *one)
{
    struct tape_faults faults = one->faults;
    faults.trades_missing = one->counts.trades_missing;
    faults.never_joined = one->counts.levels_never_synchronised;
    faults.without_value = one->counts.numbers_without_value;
    tape_reasons_of_instrument(reasons, one->name, &faults, report->first_ts, report->last_ts);
}

static void grade_oddities(const struct import_report *report, struct tape_reasons *reasons)
{
    const struct import_counts total = import_report_total(report);
    /* X(count, words) */
#define ODDITIES(X)                                                                                \
    X(report->files_twice, "files given twice, read once")                                         \
    X(report->receive_time_back, "lines whose receive time goes back")                             \
    X(report->held_back, "messages whose corrected time was kept from going back")                 \
    X(report->blank_lines, "blank lines")                                                          \
    X(report->other_frames, "frames of other kinds, left out")                                     \
    X(total.levels_duplicate, "level changes seen before, dropped")                                \
    X(total.trades_duplicate, "trades seen before, dropped")                                       \
    X(total.trades_late, "trades out of order")                                                    \
    X(total.trades_not_market, "trades that fill nobody")                                          \
    X(total.tops_duplicate, "best bid/ask frames seen before, dropped")                            \
    X(total.tops_superseded, "best bid/ask frames older than the one before, dropped")             \
    X(total.snapshot_levels_redundant, "levels of snapshots that were not needed")                 \
    X(total.snapshot_levels_too_old, "levels of snapshots too old to join")
#define X(count, words)                                                                            \
    if ((count) > 0)                                                                               \
        tape_reasons_add(reasons, TAPE_GRADE_B, "capture", words, "%llu %s", COUNT(count), words);
    ODDITIES(X)
#undef X
#undef ODDITIES
}

int import_report_grade(struct import_report *report, struct error *error)
{
    struct tape_reasons reasons = {.grade = TAPE_GRADE_A};
    grade_clock(report, &reasons);
    if (report->grids_inferred)
        tape_reasons_add(&reasons, TAPE_GRADE_C, "definitions", "inferred",
                         "tick and lot inferred from the values seen");
    for (size_t i = 0; i < report->instrument_count; i++)
        grade_instrument(report, &reasons, &report->instruments[i]);
    grade_oddities(report, &reasons);
    free(report->reasons);
    report->grade = reasons.grade;
    report->reasons = reasons.text;
    return reasons.failed ? error_set(error, ERROR_SYSTEM, "no memory for the reasons of a grade")
                          : 0;
}

void import_report_free(struct import_report *report)
{
    free(report->instruments);
    free(report->reasons);
    clock_correction_free(&report->clock);
    memset(report, 0, sizeof *report);
}
