/* See emit.h. */
#include "import/emit.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/book.h"
#include "venue/live/binance_feed.h"

enum {
    BOOK_FAR_LEVELS = 32768 /* a side; the largest real book here has 14,000 levels in all */
};

/* What is known of one instrument while its frames pass. */
struct market {
    struct binance_feed frames;
    struct book *book; /* NULL until its first snapshot, or where it was too small */
};

struct emitter {
    struct import_report *report;
    const struct clock_correction *clock;
    struct emit_sink sink;
    struct market *markets;
    struct binance_scratch scratch;
    int64_t last_ts;
    bool has_ts;
};

int emitter_open(struct emitter **out, struct import_report *report,
                 const struct clock_correction *clock, struct emit_sink sink, struct error *error)
{
    struct emitter *emitter = calloc(1, sizeof *emitter);
    *out = NULL;
    if (emitter == NULL) {
        return error_set(error, ERROR_SYSTEM, "no memory to import");
    }
    emitter->report = report;
    emitter->clock = clock;
    emitter->sink = sink;
    emitter->markets = calloc(report->instrument_count, sizeof *emitter->markets);
    if (emitter->markets == NULL || binance_scratch_init(&emitter->scratch, error) != 0) {
        emitter_close(&emitter);
        return error_set(error, ERROR_SYSTEM, "no memory to import");
    }
    for (size_t i = 0; i < report->instrument_count; i++) {
        bool futures = report->instruments[i].definition.contract != CONTRACT_SPOT;
        binance_feed_init(&emitter->markets[i].frames, futures);
    }
    *out = emitter;
    return 0;
}

void emitter_close(struct emitter **slot)
{
    struct emitter *emitter = *slot;
    if (emitter == NULL) {
        return;
    }
    for (size_t i = 0; emitter->markets != NULL && i < emitter->report->instrument_count; i++) {
        binance_feed_free(&emitter->markets[i].frames);
        free(emitter->markets[i].book);
    }
    free(emitter->markets);
    binance_scratch_free(&emitter->scratch);
    free(emitter);
    *slot = NULL;
}

/* --- messages ---------------------------------------------------------------------------------- */

/* Start a message at the frame's corrected time, which never goes back. */
static struct message begin(struct emitter *emitter, const struct merge_entry *entry,
                            const struct binance_told *told)
{
    int64_t ts = entry->receive_ns + clock_correction_at(emitter->clock, entry->receive_ns);
    if (emitter->has_ts && ts < emitter->last_ts) {
        emitter->report->held_back++;
        ts = emitter->last_ts;
    }
    emitter->last_ts = ts;
    emitter->has_ts = true;
    struct message message = {
        .ts_local = ts,
        .sequence = told->sequence,
        .stream = EVENT_STREAM(entry->instrument, event_default_channel(told->kind)),
        .kind = told->kind,
    };
    if (told->has_venue_time) {
        message.ts_venue = told->venue_time_ns;
        message.flags = MESSAGE_VENUE_TIME;
    } else {
        message.ts_venue = ts - emitter->clock->floor_ns;
        message.flags = MESSAGE_VENUE_ESTIMATED;
    }
    return message;
}

static int append(struct emitter *emitter, size_t instrument, const struct message *message,
                  struct error *error)
{
    struct import_report *report = emitter->report;
    if (report->messages++ == 0) {
        report->first_ts = message->ts_local;
    }
    report->last_ts = message->ts_local;
    report->rows += message->row_count;
    if (message->flags & MESSAGE_VENUE_ESTIMATED) {
        report->instruments[instrument].counts.times_estimated++;
    }
    tape_faults_time(&report->instruments[instrument].faults, message);
    return emitter->sink.append(emitter->sink.context, message, error);
}

/* Append a message of rows, then the source text of each of its bad numbers. */
static int append_rows(struct emitter *emitter, size_t instrument, struct message *message,
                       const struct binance_told *told, struct error *error)
{
    message->rows = told->rows;
    message->row_count = (uint32_t)told->row_count;
    if (told->bad_count > 0) {
        message->flags |= MESSAGE_MORE;
    }
    int code = append(emitter, instrument, message, error);
    for (size_t i = 0; code == 0 && i < told->bad_count; i++) {
        union event_record record;
        memset(&record, 0, sizeof record);
        record.source_text = binance_source_text((uint16_t)instrument, &told->bad[i]);
        struct message text = *message;
        text.kind = EVENT_source_text;
        text.rows = NULL;
        text.row_count = 0;
        text.record = &record;
        if (i + 1 == told->bad_count) {
            text.flags &= (uint8_t)~MESSAGE_MORE;
        }
        code = append(emitter, instrument, &text, error);
    }
    return code;
}

static int append_gap(struct emitter *emitter, const struct merge_entry *entry,
                      const struct binance_told *told, struct error *error)
{
    struct message message = begin(emitter, entry, told);
    union event_record record;
    memset(&record, 0, sizeof record);
    record.gap.instrument = (uint16_t)entry->instrument;
    record.gap.cause = GAP_SEQUENCE;
    record.gap.expected = told->gap_expected;
    record.gap.found = told->gap_found;
    message.record = &record;
    tape_faults_gap(&emitter->report->instruments[entry->instrument].faults, &record.gap,
                    EVENT_STREAM_CHANNEL(message.stream), message.ts_local);
    return append(emitter, (size_t)entry->instrument, &message, error);
}

/* --- how books stand ----------------------------------------------------------------------------- */

static int apply_to_book(struct emitter *emitter, size_t index, const struct message *message,
                         struct error *error)
{
    struct market *market = &emitter->markets[index];
    struct import_instrument *instrument = &emitter->report->instruments[index];
    struct tape_faults *faults = &instrument->faults;
    if (faults->unchecked) {
        tape_faults_book(faults, true, false, message->ts_local);
        return 0;
    }
    if (market->book == NULL) {
        size_t size = (book_size(BOOK_FAR_LEVELS) + 63) / 64 * 64;
        void *memory = aligned_alloc(64, size);
        if (memory == NULL) {
            return error_set(error, ERROR_SYSTEM, "no memory for a book");
        }
        market->book = book_init(memory, size, BOOK_FAR_LEVELS);
    }
    faults->unchecked = !book_apply(market->book, message);
    struct book_level bid, ask;
    bool crossed = !faults->unchecked && book_best(market->book, SIDE_BUY, &bid) &&
                   book_best(market->book, SIDE_SELL, &ask) && bid.price >= ask.price;
    tape_faults_book(faults, true, crossed, message->ts_local);
    return 0;
}

/* --- frames ------------------------------------------------------------------------------------ */

static int tell_gap(struct emitter *emitter, const struct merge_entry *entry,
                    const struct binance_told *told, struct error *error)
{
    struct market *market = &emitter->markets[entry->instrument];
    int code = append_gap(emitter, entry, told, error);
    if (market->book != NULL) {
        book_clear(market->book);
    }
    return code;
}

static int tell(struct emitter *emitter, const struct merge_entry *entry,
                const struct binance_told *told, struct error *error)
{
    size_t index = (size_t)entry->instrument;
    struct message message = begin(emitter, entry, told);
    int code = append_rows(emitter, index, &message, told, error);
    bool is_book = told->kind == EVENT_depth || told->kind == EVENT_snapshot;
    return code == 0 && is_book ? apply_to_book(emitter, index, &message, error) : code;
}

/* Each level that is read stands in one count. What is kept is counted when it is given out, or at the
 * end. */
static void count_depth(struct import_counts *counts, const struct merge_entry *entry,
                        const struct binance_told *told)
{
    uint64_t levels = entry->frame.level_count;
    counts->levels_read += levels;
    counts->levels_emitted += told->fate == BINANCE_TOLD ? levels : 0;
    counts->levels_superseded += told->fate == BINANCE_IN_SNAPSHOT ? levels : 0;
    counts->levels_duplicate += told->fate == BINANCE_TWICE ? levels : 0;
}

static void count_snapshot(struct import_counts *counts, const struct merge_entry *entry,
                           const struct binance_told *told)
{
    uint64_t levels = entry->frame.level_count;
    counts->snapshots_read++;
    counts->snapshots_emitted += told->fate == BINANCE_TOLD;
    counts->snapshot_levels_read += levels;
    counts->snapshot_levels_emitted += told->fate == BINANCE_TOLD ? levels : 0;
    counts->snapshot_levels_redundant += told->fate == BINANCE_SNAPSHOT_NO_NEWER ? levels : 0;
    counts->snapshot_levels_too_old += told->fate == BINANCE_SNAPSHOT_TOO_OLD ? levels : 0;
}

static void count_trade(struct import_counts *counts, const struct binance_told *told)
{
    bool emitted = told->fate == BINANCE_TOLD;
    counts->trades_read++;
    counts->trades_duplicate += !emitted;
    counts->trades_emitted += emitted;
    counts->trades_not_market += emitted && (told->rows[0].flags & ROW_NOT_MARKET) != 0;
    counts->trades_missing += told->jumped - told->late;
    counts->trades_late += told->late;
}

static void count_top(struct import_counts *counts, const struct binance_told *told)
{
    counts->tops_read++;
    counts->tops_emitted += told->fate == BINANCE_TOLD;
    counts->tops_duplicate += told->fate == BINANCE_TWICE;
    counts->tops_superseded += told->fate == BINANCE_OLDER;
}

static void count(struct import_instrument *instrument, const struct merge_entry *entry,
                  const struct binance_told *told)
{
    struct import_counts *counts = &instrument->counts;
    counts->numbers_without_value += told->bad_read;
    switch ((enum binance_kind)entry->frame.kind) {
    case BINANCE_DEPTH:
        instrument->faults.had_depth = true;
        count_depth(counts, entry, told);
        break;
    case BINANCE_SNAPSHOT:
        count_snapshot(counts, entry, told);
        break;
    case BINANCE_TRADE:
        count_trade(counts, told);
        break;
    case BINANCE_TOP:
        count_top(counts, told);
        break;
    case BINANCE_OTHER:
        break;
    }
}

static void count_other(struct import_report *report, const char *name)
{
    report->other_frames++;
    for (size_t i = 0; i < report->other_count; i++) {
        if (strcmp(report->other[i].name, name) == 0) {
            report->other[i].frames++;
            return;
        }
    }
    if (report->other_count < IMPORT_OTHER_MAX) {
        struct import_other *other = &report->other[report->other_count++];
        memcpy(other->name, name, strlen(name) + 1);
        other->frames = 1;
    }
}

int emitter_frame(struct emitter *emitter, const struct merge_entry *entry, struct error *error)
{
    if (entry->frame.kind == BINANCE_OTHER) {
        count_other(emitter->report, entry->frame.name);
        return 0;
    }
    struct import_instrument *instrument = &emitter->report->instruments[entry->instrument];
    struct binance_told told;
    int code = binance_feed_take(&emitter->markets[entry->instrument].frames, &entry->frame,
                                 &instrument->definition, &emitter->scratch, &told, error);
    if (code != 0) {
        return code;
    }
    count(instrument, entry, &told);
    if (told.fate == BINANCE_BROKEN) {
        return tell_gap(emitter, entry, &told, error);
    }
    return told.fate == BINANCE_TOLD ? tell(emitter, entry, &told, error) : 0;
}

void emitter_finish(struct emitter *emitter)
{
    for (size_t i = 0; i < emitter->report->instrument_count; i++) {
        struct market *market = &emitter->markets[i];
        struct import_counts *counts = &emitter->report->instruments[i].counts;
        struct tape_faults *faults = &emitter->report->instruments[i].faults;
        tape_faults_end(faults, emitter->last_ts);
        counts->gaps = faults->depth_gaps;
        counts->crossed_intervals = faults->crossed_times;
        counts->crossed_ns = faults->crossed_ns;
        counts->bookless_ns = faults->bookless_ns;
        counts->times_impossible = faults->times_impossible;
        const struct binance_sync *sync = &market->frames.sync;
        counts->levels_held += sync->rows_joined;
        counts->levels_superseded += sync->rows_superseded;
        counts->levels_never_synchronised += sync->rows_given_up + sync->row_count;
    }
}
