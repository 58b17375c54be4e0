/* See merge.h. */
#include "import/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "import/capture.h"

/* A file that is being read, with the frame it will give next. */
struct source {
    struct capture *capture;
    struct merge_entry *head; /* NULL: at its end */
    size_t file;
    int64_t last_ns;
};

struct merge {
    const struct scan *scan;
    struct source *sources; /* open ones */
    size_t source_count;
    size_t next_file; /* first one not opened yet */
    /* Frames of one receive time, in order; those before `given` were given out. */
    struct merge_entry **batch;
    size_t batch_count, batch_capacity, given;
    struct merge_entry **spare; /* entries to use again */
    size_t spare_count, spare_capacity;
    uint64_t receive_time_back, blank_lines, done;
};

static const uint8_t ranks[] = {
#define X(rank, kind) [kind] = rank,
    MERGE_RANKS(X)
#undef X
};

static int push(struct merge_entry ***list, size_t *count, size_t *capacity,
                struct merge_entry *entry, struct error *error)
{
    if (*count == *capacity) {
        size_t grown = *capacity == 0 ? 64 : *capacity * 2;
        struct merge_entry **entries = realloc(*list, grown * sizeof *entries);
        if (entries == NULL) {
            return error_set(error, ERROR_SYSTEM, "no memory for frames of one receive time");
        }
        *list = entries;
        *capacity = grown;
    }
    (*list)[(*count)++] = entry;
    return 0;
}

static int take_spare(struct merge *merge, struct merge_entry **entry, struct error *error)
{
    if (merge->spare_count > 0) {
        *entry = merge->spare[--merge->spare_count];
        return 0;
    }
    *entry = calloc(1, sizeof **entry);
    return *entry != NULL ? 0 : error_set(error, ERROR_SYSTEM, "no memory for a frame");
}

static void free_entry(struct merge_entry *entry)
{
    if (entry != NULL) {
        binance_frame_free(&entry->frame);
        free(entry);
    }
}

int merge_blame(const struct merge *merge, const struct merge_entry *entry, struct error *error)
{
    return error_prefix(error, "%s:%llu", merge->scan->files[entry->file].path,
                        (unsigned long long)entry->line);
}

static int read_entry(struct merge *merge, struct source *source, const struct capture_line *line,
                      struct merge_entry *entry, struct error *error)
{
    entry->file = source->file;
    entry->line = line->number;
    entry->receive_ns = line->receive_ns;
    int code = binance_decode(&entry->frame, line->frame, line->length, error);
    if (code != 0) {
        return merge_blame(merge, entry, error);
    }
    if (line->receive_ns < source->last_ns) {
        merge->receive_time_back++;
        entry->receive_ns = source->last_ns;
    }
    source->last_ns = entry->receive_ns;
    entry->rank = ranks[entry->frame.kind];
    entry->instrument = scan_instrument(merge->scan, &entry->frame, entry->file, entry->line);
    if (entry->instrument < 0 && entry->frame.kind != BINANCE_OTHER) {
        error_set(error, ERROR_INPUT, "the file changed while it was read");
        return merge_blame(merge, entry, error);
    }
    return 0;
}

/* Give the source its next frame, or close it at its end. */
static int advance(struct merge *merge, struct source *source, struct error *error)
{
    struct capture_line line;
    bool more;
    source->head = NULL;
    int code = capture_next(source->capture, &line, &more, error);
    if (code != 0) {
        return code;
    }
    if (!more) {
        uint64_t position, size;
        capture_position(source->capture, &position, &size);
        merge->done += size;
        merge->blank_lines += capture_blank_lines(source->capture);
        capture_close(&source->capture);
        return 0;
    }
    code = take_spare(merge, &source->head, error);
    return code == 0 ? read_entry(merge, source, &line, source->head, error) : code;
}

static int64_t earliest(const struct merge *merge)
{
    int64_t time = INT64_MAX;
    for (size_t i = 0; i < merge->source_count; i++) {
        if (merge->sources[i].head->receive_ns < time) {
            time = merge->sources[i].head->receive_ns;
        }
    }
    return time;
}

static void drop_ended(struct merge *merge)
{
    size_t kept = 0;
    for (size_t i = 0; i < merge->source_count; i++) {
        if (merge->sources[i].head != NULL) {
            merge->sources[kept++] = merge->sources[i];
        }
    }
    merge->source_count = kept;
}

/* Open every file that begins at or before the earliest frame at hand. */
static int open_due(struct merge *merge, struct error *error)
{
    const struct scan *scan = merge->scan;
    while (merge->next_file < scan->file_count) {
        const struct scan_file *file = &scan->files[merge->next_file];
        if (file->twice) {
            merge->next_file++;
            continue;
        }
        if (merge->source_count > 0 && file->first_ns > earliest(merge)) {
            return 0;
        }
        struct source *source = &merge->sources[merge->source_count];
        memset(source, 0, sizeof *source);
        source->file = merge->next_file++;
        source->last_ns = INT64_MIN;
        int code = capture_open(&source->capture, file->path, error);
        if (code != 0) {
            return code;
        }
        merge->source_count++;
        code = advance(merge, source, error);
        if (code != 0) {
            return code;
        }
        drop_ended(merge);
    }
    return 0;
}

static int compare(const void *left, const void *right)
{
    const struct merge_entry *a = *(struct merge_entry *const *)left;
    const struct merge_entry *b = *(struct merge_entry *const *)right;
    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    if (a->instrument != b->instrument) {
        return a->instrument < b->instrument ? -1 : 1;
    }
    if (a->file != b->file) {
        return a->file < b->file ? -1 : 1;
    }
    return (a->line > b->line) - (a->line < b->line);
}

/* Take every frame of the earliest receive time. */
static int fill_batch(struct merge *merge, struct error *error)
{
    int64_t time = earliest(merge);
    for (size_t i = 0; i < merge->source_count; i++) {
        struct source *source = &merge->sources[i];
        while (source->head != NULL && source->head->receive_ns == time) {
            if (merge->batch_count == MERGE_SAME_TIME_MAX) {
                error_set(error, ERROR_INPUT, "more than %d frames bear one receive time",
                          MERGE_SAME_TIME_MAX);
                return merge_blame(merge, source->head, error);
            }
            int code = push(&merge->batch, &merge->batch_count, &merge->batch_capacity,
                            source->head, error);
            if (code == 0) {
                code = advance(merge, source, error);
            }
            if (code != 0) {
                return code;
            }
        }
    }
    drop_ended(merge);
    if (merge->batch_count > 1) {
        qsort(merge->batch, merge->batch_count, sizeof *merge->batch, compare);
    }
    return 0;
}

static int recycle_batch(struct merge *merge, struct error *error)
{
    while (merge->batch_count > 0) {
        int code = push(&merge->spare, &merge->spare_count, &merge->spare_capacity,
                        merge->batch[merge->batch_count - 1], error);
        if (code != 0) {
            return code;
        }
        merge->batch_count--;
    }
    merge->given = 0;
    return 0;
}

int merge_next(struct merge *merge, const struct merge_entry **entry, struct error *error)
{
    *entry = NULL;
    if (merge->given == merge->batch_count) {
        int code = recycle_batch(merge, error);
        if (code == 0) {
            code = open_due(merge, error);
        }
        if (code == 0 && merge->source_count > 0) {
            code = fill_batch(merge, error);
        }
        if (code != 0 || merge->batch_count == 0) {
            return code;
        }
    }
    *entry = merge->batch[merge->given++];
    return 0;
}

int merge_open(struct merge **out, const struct scan *scan, struct error *error)
{
    struct merge *merge = calloc(1, sizeof *merge);
    *out = NULL;
    if (merge != NULL) {
        merge->scan = scan;
        merge->sources = calloc(scan->file_count, sizeof *merge->sources);
    }
    if (merge == NULL || merge->sources == NULL) {
        merge_close(&merge);
        return error_set(error, ERROR_SYSTEM, "no memory to merge %zu files", scan->file_count);
    }
    *out = merge;
    return 0;
}

void merge_close(struct merge **slot)
{
    struct merge *merge = *slot;
    if (merge == NULL) {
        return;
    }
    for (size_t i = 0; i < merge->source_count; i++) {
        capture_close(&merge->sources[i].capture);
        free_entry(merge->sources[i].head);
    }
    for (size_t i = 0; i < merge->batch_count; i++) {
        free_entry(merge->batch[i]);
    }
    for (size_t i = 0; i < merge->spare_count; i++) {
        free_entry(merge->spare[i]);
    }
    free(merge->sources);
    free(merge->batch);
    free(merge->spare);
    free(merge);
    *slot = NULL;
}

uint64_t merge_receive_time_back(const struct merge *merge)
{
    return merge->receive_time_back;
}
uint64_t merge_blank_lines(const struct merge *merge)
{
    return merge->blank_lines;
}

uint64_t merge_position(const struct merge *merge)
{
    uint64_t done = merge->done;
    for (size_t i = 0; i < merge->source_count; i++) {
        uint64_t position, size;
        if (merge->sources[i].capture != NULL) {
            capture_position(merge->sources[i].capture, &position, &size);
            done += position;
        }
    }
    return done;
}
