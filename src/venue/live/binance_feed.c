/* See binance_feed.h. */
#include "venue/live/binance_feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

int binance_scratch_init(struct binance_scratch *scratch, struct error *error)
{
    *scratch = (struct binance_scratch){
        .rows = malloc(EVENT_ROWS_MAX * sizeof *scratch->rows),
        .bad = malloc(BINANCE_BAD_MAX * sizeof *scratch->bad),
    };
    if (scratch->rows != NULL && scratch->bad != NULL)
        return 0;
    binance_scratch_free(scratch);
    return error_set(error, ERROR_SYSTEM, "no memory for the rows of a frame");
}

void binance_scratch_free(struct binance_scratch *scratch)
{
    free(scratch->rows);
    free(scratch->bad);
    *scratch = (struct binance_scratch){0};
}

void binance_feed_init(struct binance_feed *feed, bool futures)
{
    memset(feed, 0, sizeof *feed);
    binance_sync_init(&feed->sync, futures);
}

void binance_feed_free(struct binance_feed *feed)
{
    binance_sync_free(&feed->sync);
}

void binance_feed_lose(struct binance_feed *feed)
{
    bool futures = feed->sync.futures;
    binance_sync_free(&feed->sync);
    binance_sync_init(&feed->sync, futures);
}

struct event_source_text binance_source_text(uint16_t instrument,
                                             const struct binance_bad_number *bad)
{
    return (struct event_source_text){
        .instrument = instrument, .row = bad->row, .quantity = bad->quantity, .text = bad->text};
}

/* --- numbers ----------------------------------------------------------------------------------- */

static int too_many_bad(struct error *error)
{
    return error_set(error, ERROR_INPUT, "more than %d numbers without value in one message",
                     BINANCE_BAD_MAX);
}

static int note_bad(struct binance_scratch *scratch, size_t row, bool quantity,
                    struct binance_text text, struct error *error)
{
    if (scratch->bad_count == BINANCE_BAD_MAX)
        return too_many_bad(error);
    struct binance_bad_number *bad = &scratch->bad[scratch->bad_count++];
    memset(bad, 0, sizeof *bad);
    bad->row = (uint32_t)row;
    bad->quantity = quantity;
    bad->text.length = (uint8_t)(text.length < EVENT_TEXT_MAX ? text.length : EVENT_TEXT_MAX);
    memcpy(bad->text.bytes, text.bytes, bad->text.length);
    return 0;
}

/* The frame's levels as rows from `rows[0]`; numbers without value go to the list of bad ones. */
static int convert(struct binance_scratch *scratch, const struct binance_frame *frame,
                   const struct event_definition *definition, uint8_t flags, struct error *error)
{
    scratch->bad_count = 0;
    for (size_t i = 0; i < frame->level_count; i++) {
        const struct binance_level *level = &frame->levels[i];
        struct number price =
            number_from_text(level->price.bytes, level->price.length, definition->price_exponent);
        struct number quantity = number_from_text(level->quantity.bytes, level->quantity.length,
                                                  definition->quantity_exponent);
        scratch->rows[i] = (struct row){
            .price = price.units,
            .quantity = quantity.units,
            .flags = (uint8_t)(flags | (i >= frame->bid_count ? ROW_SELL : 0)),
            .price_status = price.status,
            .quantity_status = quantity.status,
        };
        if ((price.status != NUMBER_VALUE &&
             note_bad(scratch, i, false, level->price, error) != 0) ||
            (quantity.status != NUMBER_VALUE &&
             note_bad(scratch, i, true, level->quantity, error) != 0))
            return ERROR_INPUT;
    }
    return 0;
}

static void tell_rows(struct binance_told *told, enum event_kind kind,
                      const struct binance_scratch *scratch, size_t row_count)
{
    told->fate = BINANCE_TOLD;
    told->kind = (uint8_t)kind;
    told->rows = scratch->rows;
    told->row_count = row_count;
    told->bad = scratch->bad;
    told->bad_count = scratch->bad_count;
}

/* --- depth ------------------------------------------------------------------------------------- */

static void judge_depth(const struct binance_sync *sync, enum binance_verdict verdict,
                        const struct binance_scratch *scratch, size_t row_count,
                        struct binance_told *told)
{
    switch (verdict) {
    case BINANCE_APPLY:
        tell_rows(told, EVENT_depth, scratch, row_count);
        break;
    case BINANCE_HELD:
        told->fate = BINANCE_KEPT;
        break;
    case BINANCE_SUPERSEDED:
        told->fate = BINANCE_IN_SNAPSHOT;
        break;
    case BINANCE_DUPLICATE:
        told->fate = BINANCE_TWICE;
        break;
    case BINANCE_GAP:
        told->fate = BINANCE_BROKEN;
        told->kind = EVENT_gap;
        told->gap_expected = sync->gap_expected;
        told->gap_found = sync->gap_found;
        break;
    }
}

static int take_depth(struct binance_feed *feed, const struct binance_frame *frame,
                      const struct event_definition *definition, struct binance_scratch *scratch,
                      struct binance_told *told, struct error *error)
{
    int code = convert(scratch, frame, definition, 0, error);
    if (code != 0)
        return code;
    told->bad_read = scratch->bad_count;
    struct binance_change change = {
        .first_id = frame->first_id,
        .last_id = frame->last_id,
        .previous_id = frame->previous_id,
        .venue_time_ns = frame->venue_time_ns,
        .has_venue_time = frame->has_venue_time,
        .rows = scratch->rows,
        .row_count = frame->level_count,
        .bad = scratch->bad,
        .bad_count = scratch->bad_count,
    };
    enum binance_verdict verdict;
    code = binance_sync_depth(&feed->sync, &change, &verdict, error);
    if (code == 0)
        judge_depth(&feed->sync, verdict, scratch, frame->level_count, told);
    return code;
}

/* --- snapshots --------------------------------------------------------------------------------- */

/* Rows of held frames behind the snapshot's own. */
static int append_joined(struct binance_scratch *scratch, size_t own,
                         const struct binance_joined *joined, struct error *error)
{
    if (own + joined->row_count > EVENT_ROWS_MAX)
        return error_set(error, ERROR_INPUT, "snapshot and held depth have more than %d levels",
                         EVENT_ROWS_MAX);
    if (joined->row_count > 0)
        memcpy(scratch->rows + own, joined->rows, joined->row_count * sizeof *joined->rows);
    for (size_t i = 0; i < joined->bad_count; i++) {
        if (scratch->bad_count == BINANCE_BAD_MAX)
            return too_many_bad(error);
        scratch->bad[scratch->bad_count] = joined->bad[i];
        scratch->bad[scratch->bad_count++].row += (uint32_t)own;
    }
    return 0;
}

/* A snapshot with changes after it shows the book of the last of them: it bears that one's venue time
 * where that is known, so that the depth stream's venue time never goes back. */
static void set_venue_time(struct binance_told *told, const struct binance_joined *joined)
{
    told->sequence = joined->sequence;
    if (joined->has_venue_time &&
        (!told->has_venue_time || joined->venue_time_ns > told->venue_time_ns)) {
        told->venue_time_ns = joined->venue_time_ns;
        told->has_venue_time = true;
    }
}

static int take_snapshot(struct binance_feed *feed, const struct binance_frame *frame,
                         const struct event_definition *definition, struct binance_scratch *scratch,
                         struct binance_told *told, struct error *error)
{
    struct binance_joined joined;
    switch (binance_sync_snapshot(&feed->sync, frame->last_id, &joined)) {
    case BINANCE_JOIN_REDUNDANT:
        told->fate = BINANCE_SNAPSHOT_NO_NEWER;
        return 0;
    case BINANCE_JOIN_TOO_OLD:
        told->fate = BINANCE_SNAPSHOT_TOO_OLD;
        return 0;
    case BINANCE_JOIN:
        break;
    }
    int code = convert(scratch, frame, definition, ROW_FROM_SNAPSHOT, error);
    told->bad_read = scratch->bad_count;
    if (code == 0)
        code = append_joined(scratch, frame->level_count, &joined, error);
    if (code != 0)
        return code;
    tell_rows(told, EVENT_snapshot, scratch, frame->level_count + joined.row_count);
    set_venue_time(told, &joined);
    return 0;
}

/* --- trades ------------------------------------------------------------------------------------ */

static void note_missing(struct binance_feed *feed, uint64_t first, uint64_t last)
{
    if (feed->missing_count == BINANCE_MISSING_MAX) {
        memmove(feed->missing, feed->missing + 1,
                (BINANCE_MISSING_MAX - 1) * sizeof *feed->missing);
        feed->missing_count--;
    }
    feed->missing[feed->missing_count++] = (struct binance_missing){first, last};
}

/* Whether `id` was jumped over; it is then no longer missing. */
static bool fill_missing(struct binance_feed *feed, uint64_t id)
{
    for (size_t i = 0; i < feed->missing_count; i++) {
        struct binance_missing *range = &feed->missing[i];
        if (id < range->first || id > range->last)
            continue;
        uint64_t last = range->last;
        if (id == range->first) {
            range->first++;
        } else {
            range->last = id - 1;
            if (id < last)
                note_missing(feed, id + 1, last);
        }
        return true;
    }
    return false;
}

/* False where the trade was seen before. Ids of one symbol follow each other without gaps; a jump is a
 * trade that did not come. */
static bool accept_trade(struct binance_feed *feed, uint64_t id, struct binance_told *told)
{
    if (feed->has_trade && id <= feed->last_trade) {
        told->late = fill_missing(feed, id);
        return told->late;
    }
    if (feed->has_trade && id > feed->last_trade + 1) {
        told->jumped = id - feed->last_trade - 1;
        note_missing(feed, feed->last_trade + 1, id - 1);
    }
    feed->has_trade = true;
    feed->last_trade = id;
    return true;
}

static int take_trade(struct binance_feed *feed, const struct binance_frame *frame,
                      const struct event_definition *definition, struct binance_scratch *scratch,
                      struct binance_told *told, struct error *error)
{
    if (!accept_trade(feed, frame->last_id, told)) {
        told->fate = BINANCE_TWICE;
        return 0;
    }
    int code = convert(scratch, frame, definition, 0, error);
    if (code != 0)
        return code;
    told->bad_read = scratch->bad_count;
    struct row *row = &scratch->rows[0];
    row->flags = frame->seller_aggressor ? ROW_SELL : 0;
    bool is_zero = (row->price_status == NUMBER_VALUE && row->price == 0) ||
                   (row->quantity_status == NUMBER_VALUE && row->quantity == 0);
    if (frame->not_market || is_zero)
        row->flags |= ROW_NOT_MARKET;
    tell_rows(told, EVENT_trade, scratch, 1);
    return 0;
}

/* --- best prices ------------------------------------------------------------------------------- */

static int take_top(struct binance_feed *feed, const struct binance_frame *frame,
                    const struct event_definition *definition, struct binance_scratch *scratch,
                    struct binance_told *told, struct error *error)
{
    if (feed->has_top && frame->last_id < feed->last_top) {
        told->fate = BINANCE_OLDER;
        return 0;
    }
    int code = convert(scratch, frame, definition, 0, error);
    if (code != 0)
        return code;
    if (feed->has_top && frame->last_id == feed->last_top &&
        memcmp(feed->top, scratch->rows, sizeof feed->top) == 0) {
        told->fate = BINANCE_TWICE;
        return 0;
    }
    told->bad_read = scratch->bad_count;
    memcpy(feed->top, scratch->rows, sizeof feed->top);
    feed->has_top = true;
    feed->last_top = frame->last_id;
    tell_rows(told, EVENT_top, scratch, 2);
    return 0;
}

int binance_feed_take(struct binance_feed *feed, const struct binance_frame *frame,
                      const struct event_definition *definition, struct binance_scratch *scratch,
                      struct binance_told *told, struct error *error)
{
    *told = (struct binance_told){.sequence = frame->last_id,
                                  .venue_time_ns = frame->venue_time_ns,
                                  .has_venue_time = frame->has_venue_time};
    switch ((enum binance_kind)frame->kind) {
    case BINANCE_DEPTH:
        return take_depth(feed, frame, definition, scratch, told, error);
    case BINANCE_SNAPSHOT:
        return take_snapshot(feed, frame, definition, scratch, told, error);
    case BINANCE_TRADE:
        return take_trade(feed, frame, definition, scratch, told, error);
    case BINANCE_TOP:
        return take_top(feed, frame, definition, scratch, told, error);
    case BINANCE_OTHER:
        break;
    }
    ASSERT(false); /* the caller knows that it is of no market */
    return ERROR_INPUT;
}
