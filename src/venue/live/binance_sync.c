/* See binance_sync.h. */
#include "venue/live/binance_sync.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

void binance_sync_init(struct binance_sync *sync, bool futures)
{
    memset(sync, 0, sizeof *sync);
    sync->futures = futures;
    sync->state = BINANCE_HOLDING;
}

static void forget_held(struct binance_sync *sync)
{
    sync->held_count = 0;
    sync->row_count = 0;
    sync->bad_count = 0;
}

void binance_sync_free(struct binance_sync *sync)
{
    free(sync->held);
    free(sync->rows);
    free(sync->bad);
    memset(sync, 0, sizeof *sync);
}

bool binance_sync_joins(bool futures, uint64_t snapshot_id, uint64_t first_id, uint64_t last_id,
                        uint64_t previous_id)
{
    if (futures) {
        return (first_id <= snapshot_id || previous_id <= snapshot_id) && snapshot_id <= last_id;
    }
    return first_id <= snapshot_id + 1 && snapshot_id + 1 <= last_id;
}

static bool is_superseded(const struct binance_sync *sync, uint64_t snapshot_id, uint64_t last_id)
{
    return sync->futures ? last_id < snapshot_id : last_id <= snapshot_id;
}

static bool continues(const struct binance_sync *sync, uint64_t last_id, uint64_t first_id,
                      uint64_t previous_id)
{
    return sync->futures ? previous_id == last_id : first_id == last_id + 1;
}

/* Give up the oldest frames until at least half of the room is free. */
static void give_up_oldest(struct binance_sync *sync)
{
    size_t keep = 0;
    while (keep < sync->held_count &&
           sync->row_count - sync->held[keep].row > BINANCE_HELD_ROWS_MAX / 2) {
        keep++;
    }
    if (keep == sync->held_count) {
        sync->rows_given_up += sync->row_count;
        forget_held(sync);
        return;
    }
    size_t row = sync->held[keep].row, bad = sync->held[keep].bad;
    sync->rows_given_up += row;
    sync->held_count -= keep;
    sync->row_count -= row;
    sync->bad_count -= bad;
    memmove(sync->held, sync->held + keep, sync->held_count * sizeof *sync->held);
    if (sync->row_count > 0) {
        memmove(sync->rows, sync->rows + row, sync->row_count * sizeof *sync->rows);
    }
    if (sync->bad_count > 0) {
        memmove(sync->bad, sync->bad + bad, sync->bad_count * sizeof *sync->bad);
    }
    for (size_t i = 0; i < sync->held_count; i++) {
        sync->held[i].row -= row;
        sync->held[i].bad -= bad;
    }
}

/* Make room for `more` items of `size` bytes in `*array`. */
static int reserve(void **array, size_t *capacity, size_t needed, size_t size, struct error *error)
{
    if (needed <= *capacity) {
        return 0;
    }
    size_t grown = *capacity == 0 ? 256 : *capacity;
    while (grown < needed) {
        grown *= 2;
    }
    void *memory = realloc(*array, grown * size);
    if (memory == NULL) {
        return error_set(error, ERROR_SYSTEM, "no memory to hold depth before a snapshot");
    }
    *array = memory;
    *capacity = grown;
    return 0;
}

static int reserve_for(struct binance_sync *sync, const struct binance_change *change,
                       struct error *error)
{
    void *held = sync->held, *rows = sync->rows, *bad = sync->bad;
    int code =
        reserve(&held, &sync->held_capacity, sync->held_count + 1, sizeof *sync->held, error);
    sync->held = held;
    if (code == 0) {
        code = reserve(&rows, &sync->row_capacity, sync->row_count + change->row_count,
                       sizeof *sync->rows, error);
        sync->rows = rows;
    }
    if (code == 0) {
        code = reserve(&bad, &sync->bad_capacity, sync->bad_count + change->bad_count,
                       sizeof *sync->bad, error);
        sync->bad = bad;
    }
    return code;
}

static int hold(struct binance_sync *sync, const struct binance_change *change, struct error *error)
{
    ASSERT(change->row_count <= BINANCE_HELD_ROWS_MAX);
    if (sync->row_count + change->row_count > BINANCE_HELD_ROWS_MAX ||
        sync->held_count >= BINANCE_HELD_ROWS_MAX) {
        give_up_oldest(sync);
    }
    if (sync->row_count + change->row_count > BINANCE_HELD_ROWS_MAX ||
        sync->held_count >= BINANCE_HELD_ROWS_MAX) {
        sync->rows_given_up += sync->row_count;
        forget_held(sync);
    }
    if (reserve_for(sync, change, error) != 0) {
        return ERROR_SYSTEM;
    }
    sync->held[sync->held_count++] = (struct binance_held){
        .first_id = change->first_id,
        .last_id = change->last_id,
        .previous_id = change->previous_id,
        .venue_time_ns = change->venue_time_ns,
        .has_venue_time = change->has_venue_time,
        .row = sync->row_count,
        .bad = sync->bad_count,
    };
    for (size_t i = 0; i < change->bad_count; i++) {
        sync->bad[sync->bad_count] = change->bad[i];
        sync->bad[sync->bad_count++].row += (uint32_t)sync->row_count;
    }
    if (change->row_count > 0) {
        memcpy(sync->rows + sync->row_count, change->rows, change->row_count * sizeof *sync->rows);
    }
    sync->row_count += change->row_count;
    sync->last_id = change->last_id;
    return 0;
}

static int break_here(struct binance_sync *sync, const struct binance_change *change,
                      enum binance_verdict *verdict, struct error *error)
{
    *verdict = BINANCE_GAP;
    sync->gap_expected = sync->futures ? sync->last_id : sync->last_id + 1;
    sync->gap_found = sync->futures ? change->previous_id : change->first_id;
    sync->state = BINANCE_HOLDING;
    return hold(sync, change, error);
}

int binance_sync_depth(struct binance_sync *sync, const struct binance_change *change,
                       enum binance_verdict *verdict, struct error *error)
{
    if (sync->state == BINANCE_JOINED) {
        if (is_superseded(sync, sync->last_id, change->last_id)) {
            *verdict = BINANCE_SUPERSEDED;
            return 0;
        }
        if (!binance_sync_joins(sync->futures, sync->last_id, change->first_id, change->last_id,
                                change->previous_id)) {
            return break_here(sync, change, verdict, error);
        }
    } else if (sync->state == BINANCE_RUNNING || sync->held_count > 0) {
        if (change->last_id <= sync->last_id) {
            *verdict = BINANCE_DUPLICATE;
            return 0;
        }
        if (!continues(sync, sync->last_id, change->first_id, change->previous_id)) {
            return break_here(sync, change, verdict, error);
        }
    }
    if (sync->state == BINANCE_HOLDING) {
        *verdict = BINANCE_HELD;
        return hold(sync, change, error);
    }
    *verdict = BINANCE_APPLY;
    sync->state = BINANCE_RUNNING;
    sync->last_id = change->last_id;
    return 0;
}

/* The first held frame from which all follow each other without a break. */
static size_t first_of_last_chain(const struct binance_sync *sync)
{
    size_t first = sync->held_count;
    while (first > 0 && (first == sync->held_count ||
                         continues(sync, sync->held[first - 1].last_id, sync->held[first].first_id,
                                   sync->held[first].previous_id))) {
        first--;
    }
    return first;
}

static void give_out(struct binance_sync *sync, size_t first, uint64_t snapshot_id,
                     struct binance_joined *joined)
{
    memset(joined, 0, sizeof *joined);
    joined->sequence = snapshot_id;
    size_t row = sync->row_count;
    if (first < sync->held_count) {
        const struct binance_held *last = &sync->held[sync->held_count - 1];
        size_t bad = sync->held[first].bad;
        row = sync->held[first].row;
        joined->row_count = sync->row_count - row;
        joined->rows = joined->row_count > 0 ? sync->rows + row : NULL;
        joined->bad_count = sync->bad_count - bad;
        joined->bad = joined->bad_count > 0 ? sync->bad + bad : NULL;
        for (size_t i = bad; i < sync->bad_count; i++) {
            sync->bad[i].row -= (uint32_t)row;
        }
        joined->sequence = last->last_id;
        joined->venue_time_ns = last->venue_time_ns;
        joined->has_venue_time = last->has_venue_time;
    }
    sync->rows_superseded += row;
    sync->rows_joined += sync->row_count - row;
    sync->state = first < sync->held_count ? BINANCE_RUNNING : BINANCE_JOINED;
    sync->last_id = joined->sequence;
    forget_held(sync);
}

enum binance_join binance_sync_snapshot(struct binance_sync *sync, uint64_t snapshot_id,
                                        struct binance_joined *joined)
{
    if (sync->state != BINANCE_HOLDING && snapshot_id <= sync->last_id) {
        return BINANCE_JOIN_REDUNDANT;
    }
    size_t first = 0;
    while (first < sync->held_count &&
           is_superseded(sync, snapshot_id, sync->held[first].last_id)) {
        first++;
    }
    if (first < sync->held_count) {
        size_t chain = first_of_last_chain(sync);
        const struct binance_held *frame = &sync->held[first];
        if (first < chain || !binance_sync_joins(sync->futures, snapshot_id, frame->first_id,
                                                 frame->last_id, frame->previous_id)) {
            return BINANCE_JOIN_TOO_OLD;
        }
    }
    give_out(sync, first, snapshot_id, joined);
    return BINANCE_JOIN;
}
