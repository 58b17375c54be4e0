/* See emit.h. */
#include "import/emit.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "engine/book.h"
#include "venue/live/binance_sync.h"

enum {
    BAD_NUMBERS_MAX = 4096,  /* in one message; a capture with more is broken as a whole */
    MISSING_RANGES_MAX = 64, /* jumps in trade ids that a late trade may still fill */
    BOOK_FAR_LEVELS = 32768  /* a side; the largest real book here has 14,000 levels in all */
};

/* Trade ids that were jumped over, from first to last. */
struct missing_range {
    uint64_t first, last;
};

/* What is known of one instrument while its frames pass. */
struct market {
    struct binance_sync sync;
    struct book *book; /* NULL until its first snapshot, or where it was too small */
    bool crossed;
    int64_t crossed_since;
    bool has_trade, has_top;
    uint64_t last_trade, last_top;
    struct missing_range missing[MISSING_RANGES_MAX];
    size_t missing_count;
    struct row top[2];
};

struct emitter {
    struct import_report *report;
    const struct clock_correction *clock;
    struct emit_sink sink;
    struct market *markets;
    struct row *rows;               /* EVENT_ROWS_MAX */
    struct binance_bad_number *bad; /* BAD_NUMBERS_MAX */
    size_t bad_count;
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
    emitter->rows = malloc(EVENT_ROWS_MAX * sizeof *emitter->rows);
    emitter->bad = malloc(BAD_NUMBERS_MAX * sizeof *emitter->bad);
    if (emitter->markets == NULL || emitter->rows == NULL || emitter->bad == NULL) {
        emitter_close(&emitter);
        return error_set(error, ERROR_SYSTEM, "no memory to import");
    }
    for (size_t i = 0; i < report->instrument_count; i++) {
        bool futures = report->instruments[i].definition.contract != CONTRACT_SPOT;
        binance_sync_init(&emitter->markets[i].sync, futures);
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
        binance_sync_free(&emitter->markets[i].sync);
        free(emitter->markets[i].book);
    }
    free(emitter->markets);
    free(emitter->rows);
    free(emitter->bad);
    free(emitter);
    *slot = NULL;
}

/* --- numbers ----------------------------------------------------------------------------------- */

static int note_bad(struct emitter *emitter, size_t row, bool quantity, struct binance_text text,
                    struct error *error)
{
    if (emitter->bad_count == BAD_NUMBERS_MAX) {
        return error_set(error, ERROR_INPUT, "more than %d numbers without value in one message",
                         BAD_NUMBERS_MAX);
    }
    struct binance_bad_number *bad = &emitter->bad[emitter->bad_count++];
    memset(bad, 0, sizeof *bad);
    bad->row = (uint32_t)row;
    bad->quantity = quantity;
    bad->text.length = (uint8_t)(text.length < EVENT_TEXT_MAX ? text.length : EVENT_TEXT_MAX);
    memcpy(bad->text.bytes, text.bytes, bad->text.length);
    return 0;
}

/* The frame's levels as rows from `rows[0]`; numbers without value go to the list of bad ones. */
static int convert(struct emitter *emitter, const struct merge_entry *entry, uint8_t flags,
                   struct error *error)
{
    const struct binance_frame *frame = &entry->frame;
    struct import_instrument *instrument = &emitter->report->instruments[entry->instrument];
    int price_exponent = instrument->definition.price_exponent;
    int quantity_exponent = instrument->definition.quantity_exponent;
    emitter->bad_count = 0;
    for (size_t i = 0; i < frame->level_count; i++) {
        const struct binance_level *level = &frame->levels[i];
        struct number price =
            number_from_text(level->price.bytes, level->price.length, price_exponent);
        struct number quantity =
            number_from_text(level->quantity.bytes, level->quantity.length, quantity_exponent);
        emitter->rows[i] = (struct row){
            .price = price.units,
            .quantity = quantity.units,
            .flags = (uint8_t)(flags | (i >= frame->bid_count ? ROW_SELL : 0)),
            .price_status = price.status,
            .quantity_status = quantity.status,
        };
        if ((price.status != NUMBER_VALUE &&
             note_bad(emitter, i, false, level->price, error) != 0) ||
            (quantity.status != NUMBER_VALUE &&
             note_bad(emitter, i, true, level->quantity, error) != 0)) {
            return ERROR_INPUT;
        }
    }
    instrument->counts.numbers_without_value += emitter->bad_count;
    return 0;
}

/* --- messages ---------------------------------------------------------------------------------- */

/* Start a message at the frame's corrected time, which never goes back. */
static struct message begin(struct emitter *emitter, const struct merge_entry *entry,
                            enum event_kind kind, uint64_t sequence)
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
        .sequence = sequence,
        .stream = EVENT_STREAM(entry->instrument, event_default_channel(kind)),
        .kind = (uint8_t)kind,
    };
    if (entry->frame.has_venue_time) {
        message.ts_venue = entry->frame.venue_time_ns;
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
    return emitter->sink.append(emitter->sink.context, message, error);
}

/* Append a message of rows, then the source text of each of its bad numbers. */
static int append_rows(struct emitter *emitter, size_t instrument, struct message *message,
                       const struct row *rows, size_t row_count,
                       const struct binance_bad_number *bad, size_t bad_count, struct error *error)
{
    message->rows = rows;
    message->row_count = (uint32_t)row_count;
    if (bad_count > 0) {
        message->flags |= MESSAGE_MORE;
    }
    int code = append(emitter, instrument, message, error);
    for (size_t i = 0; code == 0 && i < bad_count; i++) {
        union event_record record;
        memset(&record, 0, sizeof record);
        record.source_text.instrument = (uint16_t)instrument;
        record.source_text.row = bad[i].row;
        record.source_text.quantity = bad[i].quantity;
        record.source_text.text = bad[i].text;
        struct message text = *message;
        text.kind = EVENT_source_text;
        text.rows = NULL;
        text.row_count = 0;
        text.record = &record;
        if (i + 1 == bad_count) {
            text.flags &= (uint8_t)~MESSAGE_MORE;
        }
        code = append(emitter, instrument, &text, error);
    }
    return code;
}

static int append_gap(struct emitter *emitter, const struct merge_entry *entry, struct error *error)
{
    const struct binance_sync *sync = &emitter->markets[entry->instrument].sync;
    struct message message = begin(emitter, entry, EVENT_gap, entry->frame.last_id);
    union event_record record;
    memset(&record, 0, sizeof record);
    record.gap.instrument = (uint16_t)entry->instrument;
    record.gap.cause = GAP_SEQUENCE;
    record.gap.expected = sync->gap_expected;
    record.gap.found = sync->gap_found;
    message.record = &record;
    emitter->report->instruments[entry->instrument].counts.gaps++;
    return append(emitter, (size_t)entry->instrument, &message, error);
}

/* --- crossed intervals ------------------------------------------------------------------------- */

static void end_crossed(struct market *market, struct import_counts *counts, int64_t ts)
{
    if (market->crossed) {
        counts->crossed_ns += (uint64_t)(ts - market->crossed_since);
        market->crossed = false;
    }
}

static int apply_to_book(struct emitter *emitter, size_t index, const struct message *message,
                         struct error *error)
{
    struct market *market = &emitter->markets[index];
    struct import_instrument *instrument = &emitter->report->instruments[index];
    if (instrument->book_unchecked) {
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
    if (!book_apply(market->book, message)) {
        instrument->book_unchecked = true;
        return 0;
    }
    struct book_level bid, ask;
    bool crossed = book_best(market->book, SIDE_BUY, &bid) &&
                   book_best(market->book, SIDE_SELL, &ask) && bid.price >= ask.price;
    if (crossed && !market->crossed) {
        instrument->counts.crossed_intervals++;
        market->crossed_since = message->ts_local;
        market->crossed = true;
    } else if (!crossed) {
        end_crossed(market, &instrument->counts, message->ts_local);
    }
    return 0;
}

/* --- frames ------------------------------------------------------------------------------------ */

static int take_change(struct emitter *emitter, const struct merge_entry *entry,
                       enum binance_verdict verdict, struct error *error)
{
    const struct binance_frame *frame = &entry->frame;
    size_t index = (size_t)entry->instrument;
    struct market *market = &emitter->markets[index];
    struct import_counts *counts = &emitter->report->instruments[index].counts;
    switch (verdict) {
    case BINANCE_HELD:
        return 0; /* counted when it is given out, or at the end */
    case BINANCE_SUPERSEDED:
        counts->levels_superseded += frame->level_count;
        return 0;
    case BINANCE_DUPLICATE:
        counts->levels_duplicate += frame->level_count;
        return 0;
    case BINANCE_GAP: {
        int code = append_gap(emitter, entry, error);
        end_crossed(market, counts, emitter->last_ts);
        if (market->book != NULL) {
            book_clear(market->book);
        }
        return code;
    }
    case BINANCE_APPLY:
        break;
    }
    struct message message = begin(emitter, entry, EVENT_depth, frame->last_id);
    counts->levels_emitted += frame->level_count;
    int code = append_rows(emitter, index, &message, emitter->rows, frame->level_count,
                           emitter->bad, emitter->bad_count, error);
    return code == 0 ? apply_to_book(emitter, index, &message, error) : code;
}

static int take_depth(struct emitter *emitter, const struct merge_entry *entry, struct error *error)
{
    const struct binance_frame *frame = &entry->frame;
    struct import_instrument *instrument = &emitter->report->instruments[entry->instrument];
    instrument->had_depth = true;
    instrument->counts.levels_read += frame->level_count;
    int code = convert(emitter, entry, 0, error);
    if (code != 0) {
        return code;
    }
    struct binance_change change = {
        .first_id = frame->first_id,
        .last_id = frame->last_id,
        .previous_id = frame->previous_id,
        .venue_time_ns = frame->venue_time_ns,
        .has_venue_time = frame->has_venue_time,
        .rows = emitter->rows,
        .row_count = frame->level_count,
        .bad = emitter->bad,
        .bad_count = emitter->bad_count,
    };
    enum binance_verdict verdict;
    code = binance_sync_depth(&emitter->markets[entry->instrument].sync, &change, &verdict, error);
    return code == 0 ? take_change(emitter, entry, verdict, error) : code;
}

/* A snapshot with changes after it shows the book of the last of them: it bears that one's venue time
 * where that is known, so that the depth stream's venue time never goes back. */
static void set_venue_time(struct message *message, const struct binance_joined *joined)
{
    bool later = joined->has_venue_time && ((message->flags & MESSAGE_VENUE_TIME) == 0 ||
                                            joined->venue_time_ns > message->ts_venue);
    if (later) {
        message->ts_venue = joined->venue_time_ns;
        message->flags = MESSAGE_VENUE_TIME;
    }
}

static int append_snapshot(struct emitter *emitter, const struct merge_entry *entry,
                           const struct binance_joined *joined, struct error *error)
{
    size_t own = entry->frame.level_count, index = (size_t)entry->instrument;
    if (own + joined->row_count > EVENT_ROWS_MAX) {
        return error_set(error, ERROR_INPUT, "snapshot and held depth have more than %d levels",
                         EVENT_ROWS_MAX);
    }
    if (joined->row_count > 0) {
        memcpy(emitter->rows + own, joined->rows, joined->row_count * sizeof *joined->rows);
    }
    for (size_t i = 0; i < joined->bad_count; i++) {
        if (emitter->bad_count == BAD_NUMBERS_MAX) {
            return error_set(error, ERROR_INPUT,
                             "more than %d numbers without value in one message", BAD_NUMBERS_MAX);
        }
        emitter->bad[emitter->bad_count] = joined->bad[i];
        emitter->bad[emitter->bad_count++].row += (uint32_t)own;
    }
    struct message message = begin(emitter, entry, EVENT_snapshot, joined->sequence);
    set_venue_time(&message, joined);
    int code = append_rows(emitter, index, &message, emitter->rows, own + joined->row_count,
                           emitter->bad, emitter->bad_count, error);
    return code == 0 ? apply_to_book(emitter, index, &message, error) : code;
}

static int take_snapshot(struct emitter *emitter, const struct merge_entry *entry,
                         struct error *error)
{
    const struct binance_frame *frame = &entry->frame;
    struct import_counts *counts = &emitter->report->instruments[entry->instrument].counts;
    struct binance_joined joined;
    counts->snapshots_read++;
    counts->snapshot_levels_read += frame->level_count;
    switch (
        binance_sync_snapshot(&emitter->markets[entry->instrument].sync, frame->last_id, &joined)) {
    case BINANCE_JOIN_REDUNDANT:
        counts->snapshot_levels_redundant += frame->level_count;
        return 0;
    case BINANCE_JOIN_TOO_OLD:
        counts->snapshot_levels_too_old += frame->level_count;
        return 0;
    case BINANCE_JOIN:
        break;
    }
    int code = convert(emitter, entry, ROW_FROM_SNAPSHOT, error);
    if (code == 0) {
        counts->snapshots_emitted++;
        counts->snapshot_levels_emitted += frame->level_count;
        code = append_snapshot(emitter, entry, &joined, error);
    }
    return code;
}

static void note_missing(struct market *market, uint64_t first, uint64_t last)
{
    if (market->missing_count == MISSING_RANGES_MAX) {
        memmove(market->missing, market->missing + 1,
                (MISSING_RANGES_MAX - 1) * sizeof *market->missing);
        market->missing_count--;
    }
    market->missing[market->missing_count++] = (struct missing_range){first, last};
}

/* Whether `id` was jumped over; it is then no longer missing. */
static bool fill_missing(struct market *market, uint64_t id)
{
    for (size_t i = 0; i < market->missing_count; i++) {
        struct missing_range *range = &market->missing[i];
        if (id < range->first || id > range->last) {
            continue;
        }
        uint64_t last = range->last;
        if (id == range->first) {
            range->first++;
        } else {
            range->last = id - 1;
            if (id < last) {
                note_missing(market, id + 1, last);
            }
        }
        return true;
    }
    return false;
}

/* False where the trade was seen before. Ids of one symbol follow each other without gaps; a jump is a
 * trade that the capture lacks. */
static bool accept_trade(struct market *market, struct import_counts *counts, uint64_t id)
{
    if (market->has_trade && id <= market->last_trade) {
        if (!fill_missing(market, id)) {
            return false;
        }
        counts->trades_missing--;
        counts->trades_late++;
        return true;
    }
    if (market->has_trade && id > market->last_trade + 1) {
        counts->trades_missing += id - market->last_trade - 1;
        note_missing(market, market->last_trade + 1, id - 1);
    }
    market->has_trade = true;
    market->last_trade = id;
    return true;
}

static int take_trade(struct emitter *emitter, const struct merge_entry *entry, struct error *error)
{
    const struct binance_frame *frame = &entry->frame;
    size_t index = (size_t)entry->instrument;
    struct import_counts *counts = &emitter->report->instruments[index].counts;
    counts->trades_read++;
    if (!accept_trade(&emitter->markets[index], counts, frame->last_id)) {
        counts->trades_duplicate++;
        return 0;
    }
    int code = convert(emitter, entry, 0, error);
    if (code != 0) {
        return code;
    }
    struct row *row = &emitter->rows[0];
    row->flags = frame->seller_aggressor ? ROW_SELL : 0;
    bool is_zero = (row->price_status == NUMBER_VALUE && row->price == 0) ||
                   (row->quantity_status == NUMBER_VALUE && row->quantity == 0);
    if (frame->not_market || is_zero) {
        row->flags |= ROW_NOT_MARKET;
        counts->trades_not_market++;
    }
    counts->trades_emitted++;
    struct message message = begin(emitter, entry, EVENT_trade, frame->last_id);
    return append_rows(emitter, index, &message, emitter->rows, 1, emitter->bad, emitter->bad_count,
                       error);
}

static int take_top(struct emitter *emitter, const struct merge_entry *entry, struct error *error)
{
    const struct binance_frame *frame = &entry->frame;
    size_t index = (size_t)entry->instrument;
    struct market *market = &emitter->markets[index];
    struct import_counts *counts = &emitter->report->instruments[index].counts;
    counts->tops_read++;
    if (market->has_top && frame->last_id < market->last_top) {
        counts->tops_superseded++;
        return 0;
    }
    int code = convert(emitter, entry, 0, error);
    if (code != 0) {
        return code;
    }
    if (market->has_top && frame->last_id == market->last_top &&
        memcmp(market->top, emitter->rows, sizeof market->top) == 0) {
        counts->numbers_without_value -= emitter->bad_count;
        counts->tops_duplicate++;
        return 0;
    }
    memcpy(market->top, emitter->rows, sizeof market->top);
    market->has_top = true;
    market->last_top = frame->last_id;
    counts->tops_emitted++;
    struct message message = begin(emitter, entry, EVENT_top, frame->last_id);
    return append_rows(emitter, index, &message, emitter->rows, 2, emitter->bad, emitter->bad_count,
                       error);
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
    switch ((enum binance_kind)entry->frame.kind) {
    case BINANCE_DEPTH:
        return take_depth(emitter, entry, error);
    case BINANCE_SNAPSHOT:
        return take_snapshot(emitter, entry, error);
    case BINANCE_TRADE:
        return take_trade(emitter, entry, error);
    case BINANCE_TOP:
        return take_top(emitter, entry, error);
    case BINANCE_OTHER:
        count_other(emitter->report, entry->frame.name);
        return 0;
    }
    return 0;
}

void emitter_finish(struct emitter *emitter)
{
    for (size_t i = 0; i < emitter->report->instrument_count; i++) {
        struct market *market = &emitter->markets[i];
        struct import_counts *counts = &emitter->report->instruments[i].counts;
        end_crossed(market, counts, emitter->last_ts);
        counts->levels_held += market->sync.rows_joined;
        counts->levels_superseded += market->sync.rows_superseded;
        counts->levels_never_synchronised += market->sync.rows_given_up + market->sync.row_count;
    }
}
