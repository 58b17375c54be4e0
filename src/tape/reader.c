/* The tape reader: finds the blocks by the index or by hopping their headers, then reads any of
 * them. */
#include "config.h" /* POSIX names */

#include "tape/reader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "tape/header.h"

/* --- opening ----------------------------------------------------------------------------------- */

/* Whether a block header tells what the index told, or what it did when it was found by hopping. */
static bool is_as_told(const struct tape_entry *found, const struct tape_entry *told)
{
    uint8_t bytes[2][TAPE_INDEX_ENTRY_BYTES];
    tape_index_encode(found, bytes[0]);
    tape_index_encode(told, bytes[1]);
    return found->type == told->type && found->info.number == told->info.number &&
           found->previous_hash == told->previous_hash &&
           memcmp(bytes[0], bytes[1], sizeof bytes[0]) == 0;
}

/* What is wrong with the frame of a block before its contents are looked at; NULL: nothing. zstd
 * itself would take frames without checksum, skippable ones and several, and unpack them all. */
static const char *frame_fault(const uint8_t *frame, size_t length, size_t raw_bytes)
{
    enum { MAGIC_BYTES = 4, FLAGS_MASK = 0x0f, CHECKSUM = 4 };
    if (length <= MAGIC_BYTES || bytes_get_u32(frame) != ZSTD_MAGICNUMBER)
        return "is no zstd frame";
    /* Low bits of the frame's descriptor: dictionary, checksum, reserved (RFC 8878, 3.1.1.1.1). */
    if ((frame[MAGIC_BYTES] & FLAGS_MASK) != CHECKSUM)
        return "has no checksum of its own, or needs a dictionary";
    unsigned long long content = ZSTD_getFrameContentSize(frame, length);
    if (content == ZSTD_CONTENTSIZE_ERROR ||
        (content != ZSTD_CONTENTSIZE_UNKNOWN && content != raw_bytes))
        return "tells another length of its contents than the block's header";
    size_t whole = ZSTD_findFrameCompressedSize(frame, length);
    if (ZSTD_isError(whole))
        return "is cut or no zstd frame";
    return whole == length ? NULL : "ends before the length in the block's header";
}

/* Read header and frame of a block in one go and check the frame's hash and unpacked length. */
static int load(struct tape_reader *reader, const struct tape_entry *entry, struct error *error)
{
    struct tape_entry found;
    const char *reason;
    size_t stored = (size_t)tape_entry_bytes(entry);
    ASSERT(stored <= reader->stored_capacity && entry->info.raw_bytes <= reader->payload_capacity);
    int failed =
        tape_file_read(reader->fd, reader->path, entry->info.offset, reader->stored, stored, error);
    if (failed != 0)
        return failed;
    const uint8_t *frame = reader->stored + TAPE_BLOCK_HEADER_BYTES;
    bool right = tape_entry_decode(reader->stored, entry->info.offset, &found, &reason);
    if (right && !is_as_told(&found, entry)) {
        right = false;
        reason = "another block header than the index tells";
    }
    unsigned long long number = entry->info.number, offset = entry->info.offset;
    if (!right)
        return error_set(error, ERROR_INPUT, "%s: block %llu at byte %llu: %s", reader->path,
                         number, offset, reason);
    if (hash_64(frame, entry->info.compressed_bytes) != found.stored_hash)
        return error_set(error, ERROR_INPUT,
                         "%s: block %llu: its frame at byte %llu (%u bytes) does not fit the "
                         "XXH3-64 in the block's header",
                         reader->path, number, offset + TAPE_BLOCK_HEADER_BYTES,
                         entry->info.compressed_bytes);
    reason = frame_fault(frame, entry->info.compressed_bytes, entry->info.raw_bytes);
    if (reason != NULL)
        return error_set(error, ERROR_INPUT, "%s: block %llu: its frame at byte %llu %s",
                         reader->path, number, offset + TAPE_BLOCK_HEADER_BYTES, reason);
    size_t got = ZSTD_decompressDCtx(reader->decompressor, reader->payload, entry->info.raw_bytes,
                                     frame, entry->info.compressed_bytes);
    if (ZSTD_isError(got) || got != entry->info.raw_bytes)
        return error_set(error, ERROR_INPUT,
                         "%s: block %llu: its frame at byte %llu is no zstd frame of %u bytes: %s",
                         reader->path, number, offset + TAPE_BLOCK_HEADER_BYTES,
                         entry->info.raw_bytes,
                         ZSTD_isError(got) ? ZSTD_getErrorName(got) : "another length");
    return 0;
}

/* Take memory to hold a block's bytes, stored and unpacked. */
static int make_room(struct tape_reader *reader, size_t stored, size_t payload, struct error *error)
{
    if (stored > reader->stored_capacity) {
        free(reader->stored);
        reader->stored = malloc(stored);
        reader->stored_capacity = stored;
    }
    if (payload > reader->payload_capacity) {
        free(reader->payload);
        reader->payload = malloc(payload);
        reader->payload_capacity = payload;
    }
    if (reader->stored == NULL || reader->payload == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to read a tape", reader->path);
    return 0;
}

static int room_for(struct tape_reader *reader, const struct tape_entry *entry, struct error *error)
{
    return make_room(reader, (size_t)tape_entry_bytes(entry), entry->info.raw_bytes, error);
}

/* Read the block header at `offset`. Sets error and returns its code where there is none; `torn`
 * where the file ends before the block does. */
static int read_entry(const struct tape_reader *reader, uint64_t offset, uint64_t number,
                      struct tape_entry *entry, bool *torn, struct error *error)
{
    uint8_t bytes[TAPE_BLOCK_HEADER_BYTES];
    const char *reason;
    uint64_t left = reader->bytes - offset;
    *torn = left < sizeof bytes;
    if (*torn)
        return error_set(error, ERROR_INPUT,
                         "%s: block %llu at byte %llu is cut: %llu bytes are left, expected a "
                         "header of %d",
                         reader->path, (unsigned long long)number, (unsigned long long)offset,
                         (unsigned long long)left, TAPE_BLOCK_HEADER_BYTES);
    int failed = tape_file_read(reader->fd, reader->path, offset, bytes, sizeof bytes, error);
    if (failed != 0)
        return failed;
    if (!tape_entry_decode(bytes, offset, entry, &reason))
        return error_set(error, ERROR_INPUT, "%s: block %llu at byte %llu: %s", reader->path,
                         (unsigned long long)number, (unsigned long long)offset, reason);
    *torn = tape_entry_bytes(entry) > left;
    if (*torn)
        return error_set(error, ERROR_INPUT,
                         "%s: block %llu at byte %llu is cut: %llu bytes are left, its header "
                         "says %llu",
                         reader->path, (unsigned long long)number, (unsigned long long)offset,
                         (unsigned long long)left, (unsigned long long)tape_entry_bytes(entry));
    return 0;
}

static int open_header(struct tape_reader *reader, struct error *error)
{
    struct tape_entry *entry = &reader->header_entry;
    bool torn;
    int failed = 0;
    if (reader->bytes == 0)
        return error_set(error, ERROR_INPUT, "%s: empty, expected a tape", reader->path);
    uint8_t magic[8] = {0};
    size_t head = reader->bytes < sizeof magic ? (size_t)reader->bytes : sizeof magic;
    failed = tape_file_read(reader->fd, reader->path, 0, magic, head, error);
    static const uint8_t expected[8] = {0x5b, 0x2a, 0x4d, 0x18, 0x68, 0, 0, 0};
    if (failed == 0 && memcmp(magic, expected, head) != 0)
        failed = error_set(error, ERROR_INPUT,
                           "%s: not a tape: it does not begin with a block header", reader->path);
    if (failed == 0)
        failed = read_entry(reader, 0, 0, entry, &torn, error);
    if (failed == 0 && (entry->type != TAPE_BLOCK_HEADER || entry->previous_hash != 0))
        failed =
            error_set(error, ERROR_INPUT, "%s: its first block is no header block", reader->path);
    if (failed == 0)
        failed = room_for(reader, entry, error);
    if (failed == 0)
        failed = load(reader, entry, error);
    if (failed != 0)
        return failed;
    reader->good_bytes = tape_entry_bytes(entry);
    failed = tape_header_decode(reader->payload, entry->info.raw_bytes, &reader->header,
                                &reader->header_memory, error);
    return failed == 0 ? 0 : error_prefix(error, "%s: block 0", reader->path);
}

static const struct tape_entry *last_entry(const struct tape_reader *reader)
{
    return reader->entry_count == 0 ? &reader->header_entry
                                    : &reader->entries[reader->entry_count - 1];
}

/* Put a block behind the last, where it continues it. */
static int add_entry(struct tape_reader *reader, const struct tape_entry *entry,
                     struct error *error)
{
    const struct tape_entry *last = last_entry(reader);
    const char *fault = NULL;
    if (entry->info.number != reader->entry_count + 1)
        fault = "out of order";
    else if (entry->type != TAPE_BLOCK_MESSAGES)
        fault = "a second header block";
    else if (entry->info.offset != last->info.offset + tape_entry_bytes(last))
        fault = "not where the block before it ends";
    else if (reader->entry_count > 0 && entry->info.first_ts < last->info.last_ts)
        fault = "its time goes back";
    if (fault != NULL)
        return error_set(error, ERROR_INPUT, "%s: block %zu at byte %llu: %s", reader->path,
                         reader->entry_count + 1, (unsigned long long)entry->info.offset, fault);
    if (reader->entry_count == reader->entry_capacity) {
        size_t capacity = reader->entry_capacity == 0 ? 256 : 2 * reader->entry_capacity;
        struct tape_entry *grown = realloc(reader->entries, capacity * sizeof *grown);
        if (grown == NULL)
            return error_set(error, ERROR_SYSTEM, "%s: no memory to read a tape", reader->path);
        reader->entries = grown;
        reader->entry_capacity = capacity;
    }
    reader->entries[reader->entry_count++] = *entry;
    return 0;
}

/* Whether an index begins at the end of the good blocks: hopping ends there. */
static bool index_begins(const struct tape_reader *reader)
{
    uint8_t bytes[4];
    return reader->bytes - reader->good_bytes >= sizeof bytes &&
           tape_file_read(reader->fd, reader->path, reader->good_bytes, bytes, sizeof bytes,
                          NULL) == 0 &&
           bytes_get_u32(bytes) == TAPE_FRAME_INDEX;
}

/* Find the blocks by their headers, up to the index, the end of the file or the first damage. */
static int hop(struct tape_reader *reader, struct error *error)
{
    uint64_t previous = reader->header_entry.header_hash;
    while (reader->good_bytes < reader->bytes && !index_begins(reader)) {
        struct tape_entry entry;
        int failed = read_entry(reader, reader->good_bytes, reader->entry_count + 1, &entry,
                                &reader->torn, &reader->damage);
        if (failed == 0 && entry.previous_hash != previous)
            failed = error_set(&reader->damage, ERROR_INPUT,
                               "%s: block %zu at byte %llu does not follow the block before it: "
                               "its hash of that one is another",
                               reader->path, reader->entry_count + 1,
                               (unsigned long long)reader->good_bytes);
        if (failed == 0)
            failed = add_entry(reader, &entry, &reader->damage);
        if (failed == ERROR_SYSTEM)
            return error_set(error, ERROR_SYSTEM, "%s", reader->damage.text);
        if (failed != 0)
            break;
        previous = entry.header_hash;
        reader->good_bytes += tape_entry_bytes(&entry);
    }
    return 0;
}

/* Read the end mark; false where the file doesn't end in one. */
static bool read_end(const struct tape_reader *reader, struct tape_end *end)
{
    uint8_t bytes[TAPE_END_BYTES];
    if (reader->bytes < sizeof bytes)
        return false;
    return tape_file_read(reader->fd, reader->path, reader->bytes - sizeof bytes, bytes,
                          sizeof bytes, NULL) == 0 &&
           tape_end_decode(bytes, end);
}

/* Take the list of blocks from the index; it must agree with itself and the end mark. */
static int take_index(struct tape_reader *reader, const struct tape_end *end, const uint8_t *index,
                      struct error *error)
{
    struct tape_totals totals = {0};
    uint8_t head[TAPE_FRAME_HEAD_BYTES];
    tape_index_head(end->totals.blocks, head);
    size_t length = TAPE_FRAME_HEAD_BYTES + (size_t)end->totals.blocks * TAPE_INDEX_ENTRY_BYTES;
    bool right = memcmp(index, head, sizeof head) == 0 && hash_64(index, length) == end->index_hash;
    for (uint64_t b = 0; b < end->totals.blocks && right; b++) {
        struct tape_entry entry;
        right = tape_index_decode(index + sizeof head + b * TAPE_INDEX_ENTRY_BYTES, b + 1, &entry);
        if (!right)
            break;
        entry.previous_hash = last_entry(reader)->header_hash;
        int failed = add_entry(reader, &entry, error);
        if (failed != 0)
            return failed;
        tape_totals_add(&totals, &entry);
        reader->good_bytes += tape_entry_bytes(&entry);
    }
    const struct tape_entry *last = last_entry(reader);
    if (!right || reader->good_bytes != end->index_offset ||
        memcmp(&totals, &end->totals, sizeof totals) != 0 || end->last_hash != last->header_hash)
        return error_set(error, ERROR_INPUT,
                         "%s: its index at byte %llu is damaged; tape repair makes a new one",
                         reader->path, (unsigned long long)end->index_offset);
    reader->finished = true;
    return 0;
}

static int open_by_index(struct tape_reader *reader, const struct tape_end *end,
                         struct error *error)
{
    size_t length = TAPE_FRAME_HEAD_BYTES + (size_t)end->totals.blocks * TAPE_INDEX_ENTRY_BYTES;
    if (end->index_offset < reader->good_bytes ||
        end->index_offset + length + TAPE_END_BYTES != reader->bytes)
        return error_set(error, ERROR_INPUT,
                         "%s: its end mark at byte %llu tells of %llu blocks and an index at byte "
                         "%llu, which don't fit the file",
                         reader->path, (unsigned long long)(reader->bytes - TAPE_END_BYTES),
                         (unsigned long long)end->totals.blocks,
                         (unsigned long long)end->index_offset);
    uint8_t *index = malloc(length);
    if (index == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to read a tape", reader->path);
    int failed = tape_file_read(reader->fd, reader->path, end->index_offset, index, length, error);
    if (failed == 0)
        failed = take_index(reader, end, index, error);
    free(index);
    return failed;
}

/* Take all memory that reading any of the blocks needs. */
static int prepare(struct tape_reader *reader, bool accelerate, struct error *error)
{
    size_t stored = 0, payload = 0;
    struct payload_counts most = {0};
    for (size_t i = 0; i < reader->entry_count; i++) {
        const struct tape_entry *entry = &reader->entries[i];
#define KEEP_MOST(to, value) to = (value) > to ? (value) : to
        KEEP_MOST(stored, (size_t)tape_entry_bytes(entry));
        KEEP_MOST(payload, entry->info.raw_bytes);
        KEEP_MOST(most.messages, entry->info.message_count);
        KEEP_MOST(most.rows, entry->info.row_count);
        KEEP_MOST(most.records, entry->info.record_count);
        KEEP_MOST(most.state_hashes, entry->state_hash_count);
#undef KEEP_MOST
    }
    reader->most = most;
    reader->decoder =
        payload_decoder_make(most, reader->header.feed_floor_ns, &reader->header.names, accelerate);
    if (reader->decoder == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to read a tape", reader->path);
    return make_room(reader, stored, payload, error);
}

static int open_blocks(struct tape_reader *reader, enum tape_open_mode mode, struct error *error)
{
    struct tape_end end;
    if (mode == TAPE_OPEN_NORMAL && read_end(reader, &end))
        return open_by_index(reader, &end, error);
    int failed = hop(reader, error);
    if (failed != 0 || mode == TAPE_OPEN_HOP || reader->damage.code == ERROR_NONE || reader->torn)
        return failed;
    *error = reader->damage;
    return error->code;
}

int tape_reader_open_as(struct tape_reader **reader, const char *path, enum tape_open_mode mode,
                        bool accelerate, struct error *error)
{
    struct tape_reader *new = calloc(1, sizeof *new);
    if (new == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory to read a tape", path);
    new->fd = -1;
    new->path = strdup(path);
    new->decompressor = ZSTD_createDCtx();
    int failed = new->path == NULL || new->decompressor == NULL
                     ? error_set(error, ERROR_SYSTEM, "%s: no memory to read a tape", path)
                     : tape_file_open(path, &new->fd, &new->bytes, error);
    if (failed == 0)
        failed = open_header(new, error);
    if (failed == 0)
        failed = open_blocks(new, mode, error);
    if (failed == 0)
        failed = prepare(new, accelerate, error);
    if (failed == 0 && mode == TAPE_OPEN_NORMAL && !new->finished)
        failed = tape_header_lower_grade(&new->header, TAPE_GRADE_D, TAPE_REASON_UNFINISHED,
                                         &new->reasons, error);
    if (failed != 0)
        tape_reader_close(&new);
    else
        *reader = new;
    return failed;
}

int tape_reader_open(struct tape_reader **reader, const char *path, struct error *error)
{
    struct error own;
    return tape_reader_open_as(reader, path, TAPE_OPEN_NORMAL, true, error != NULL ? error : &own);
}

void tape_reader_close(struct tape_reader **reader)
{
    struct tape_reader *closed = *reader;
    *reader = NULL;
    if (closed == NULL)
        return;
    if (closed->fd >= 0)
        close(closed->fd);
    ZSTD_freeDCtx(closed->decompressor);
    payload_decoder_free(closed->decoder);
    free(closed->header_memory);
    free(closed->reasons);
    free(closed->entries);
    free(closed->stored);
    free(closed->payload);
    free(closed->path);
    free(closed);
}

/* --- what stands on it ------------------------------------------------------------------------- */

const struct tape_header *tape_reader_header(const struct tape_reader *reader)
{
    return &reader->header;
}

size_t tape_reader_block_count(const struct tape_reader *reader)
{
    return reader->entry_count;
}

const struct tape_block_info *tape_reader_block_info(const struct tape_reader *reader, size_t index)
{
    ASSERT(index < reader->entry_count);
    return &reader->entries[index].info;
}

bool tape_reader_is_finished(const struct tape_reader *reader)
{
    return reader->finished;
}

uint32_t tape_reader_most_rows(const struct tape_reader *reader)
{
    return reader->most.rows;
}

size_t tape_reader_seek(const struct tape_reader *reader, int64_t ts)
{
    size_t low = 0, high = reader->entry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reader->entries[middle].info.last_ts >= ts)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

size_t tape_reader_snapshot_before(const struct tape_reader *reader, int64_t ts)
{
    if (reader->entry_count == 0)
        return 0;
    size_t at = tape_reader_seek(reader, ts);
    if (at == reader->entry_count)
        at--;
    const struct tape_entry *entry = &reader->entries[at];
    if (entry->whole_ts > ts) {
        if (at == 0)
            return 0;
        entry--;
    }
    return (size_t)entry->whole_from - 1;
}

/* --- blocks ------------------------------------------------------------------------------------ */

int tape_block_init(struct tape_block *block, const struct tape_reader *reader, struct error *error)
{
    const struct payload_counts *most = &reader->most;
    size_t messages = (size_t)most->messages * sizeof(struct message);
    size_t rows = (size_t)most->rows * sizeof(struct row);
    size_t hashes = (size_t)most->state_hashes * sizeof(struct tape_state_hash);
    size_t records = (size_t)most->records * sizeof(union event_record);
    size_t alignment = 64, head = (records + alignment - 1) / alignment * alignment;
    size_t total = (head + messages + rows + hashes) / alignment * alignment + alignment;
    char *memory = aligned_alloc(alignment, total);
    if (memory == NULL)
        return error_set(error, ERROR_SYSTEM, "%s: no memory for a block of %zu bytes",
                         reader->path, total);
    memset(memory, 0, total); /* every page is there before the first message comes */
    *block = (struct tape_block){
        .records = (union event_record *)(void *)memory,
        .messages = (struct message *)(void *)(memory + head),
        .rows = (struct row *)(void *)(memory + head + messages),
        .state_hashes = (struct tape_state_hash *)(void *)(memory + head + messages + rows),
        .memory = memory,
    };
    return 0;
}

void tape_block_free(struct tape_block *block)
{
    free(block->memory);
    *block = (struct tape_block){0};
}

int tape_reader_decompress(struct tape_reader *reader, size_t index, struct error *error)
{
    ASSERT(index < reader->entry_count);
    return load(reader, &reader->entries[index], error);
}

int tape_reader_read(struct tape_reader *reader, size_t index, struct tape_block *block,
                     struct error *error)
{
    ASSERT(index < reader->entry_count);
    const struct tape_entry *entry = &reader->entries[index];
    int failed = load(reader, entry, error);
    if (failed != 0)
        return failed;
    block->number = entry->info.number;
    block->first_ts = entry->info.first_ts;
    block->last_ts = entry->info.last_ts;
    block->message_count = entry->info.message_count;
    block->row_count = entry->info.row_count;
    block->record_count = entry->info.record_count;
    block->state_hash_count = entry->state_hash_count;
    failed = payload_decode(reader->decoder, reader->payload, entry->info.raw_bytes, block, error);
    if (failed == 0 && block->has_snapshot != entry->info.has_snapshot)
        failed =
            error_set(error, ERROR_INPUT,
                      "its header's flag at byte %llu is %d, but snapshots are %s its messages",
                      (unsigned long long)entry->info.offset + TAPE_BLOCK_FLAGS_OFFSET,
                      entry->info.has_snapshot, block->has_snapshot ? "among" : "not among");
    return failed == 0 ? 0
                       : error_prefix(error, "%s: block %llu at byte %llu", reader->path,
                                      (unsigned long long)entry->info.number,
                                      (unsigned long long)entry->info.offset);
}
