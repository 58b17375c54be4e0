/* Check and repair of whole tapes: read everything, believe nothing. */
#include "config.h" /* POSIX names */

#include "tape/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/build_id.h"
#include "tape/header.h"

/* --- check ------------------------------------------------------------------------------------- */

/* Compare what a block header tells of snapshots with what its and all earlier messages tell. */
static int compare_snapshots(const struct tape_reader *reader, const struct tape_entry *entry,
                             const struct tape_snapshots *snapshots, struct error *error)
{
    unsigned long long number = entry->info.number, at = entry->info.offset;
    if (entry->whole_from != snapshots->whole_from)
        return error_set(error, ERROR_INPUT,
                         "%s: block %llu: its header at byte %llu tells that all books are whole "
                         "from block %llu on, expected %llu by the snapshots",
                         reader->path, number, at + TAPE_BLOCK_WHOLE_FROM_OFFSET,
                         (unsigned long long)entry->whole_from,
                         (unsigned long long)snapshots->whole_from);
    if (entry->whole_ts != snapshots->whole_ts)
        return error_set(error, ERROR_INPUT,
                         "%s: block %llu: its header at byte %llu tells that all books are whole "
                         "since %lld, expected %lld by the snapshots",
                         reader->path, number, at + TAPE_BLOCK_WHOLE_TS_OFFSET,
                         (long long)entry->whole_ts, (long long)snapshots->whole_ts);
    return 0;
}

/* Read one block, count its messages and compare its header with them. */
static int check_block(struct tape_reader *reader, size_t index, struct tape_passage *passage,
                       struct error *error)
{
    const struct tape_block *block = &passage->block;
    int failed = tape_reader_read(reader, index, &passage->block, error);
    if (failed != 0)
        return failed;
    tape_snapshots_begin_block(&passage->snapshots);
    for (uint32_t m = 0; m < block->message_count; m++)
        if (block->messages[m].kind == EVENT_snapshot)
            tape_snapshots_note(&passage->snapshots, block->number, &block->messages[m]);
    failed = compare_snapshots(reader, &reader->entries[index], &passage->snapshots, error);
    for (uint32_t m = 0; m < block->message_count && failed == 0; m++)
        tape_identity_add(&passage->identity, &block->messages[m]);
    return failed;
}

static int visit_block(const struct tape_passage *passage, struct error *error)
{
    const struct tape_visitor *visitor = passage->visitor;
    int failed = 0;
    for (uint32_t m = 0; visitor != NULL && m < passage->block.message_count && failed == 0; m++)
        failed = visitor->take(visitor->context, &passage->block.messages[m], error);
    return failed;
}

static int open_passage(struct tape_passage *passage, const struct tape_reader *reader,
                        const struct tape_visitor *visitor, struct error *error)
{
    *passage = (struct tape_passage){.visitor = visitor};
    tape_snapshots_init(&passage->snapshots, reader->header.names.instrument_count);
    int failed = tape_block_init(&passage->block, reader, error);
    return failed == 0 ? tape_identity_open(&passage->identity, reader->most.rows, error) : failed;
}

void tape_passage_close(struct tape_passage *passage)
{
    tape_identity_close(&passage->identity);
    tape_block_free(&passage->block);
}

/* Read all blocks that hopping found, up to the first that is damaged. `check` tells how far. */
static int check_blocks(struct tape_reader *reader, struct tape_check *check,
                        struct tape_passage *passage, struct error *error)
{
    int failed = 0;
    check->good_bytes = tape_entry_bytes(&reader->header_entry);
    for (size_t i = 0; i < reader->entry_count && failed == 0; i++) {
        const struct tape_block_info *info = &reader->entries[i].info;
        const struct tape_snapshots before = passage->snapshots;
        failed = check_block(reader, i, passage, error);
        if (failed != 0) {
            passage->snapshots = before;
            break;
        }
        failed = visit_block(passage, error);
        check->first_ts = i == 0 ? info->first_ts : check->first_ts;
        check->last_ts = info->last_ts;
        check->blocks++;
        check->messages += info->message_count;
        check->rows += info->row_count;
        check->records += info->record_count;
        check->good_bytes = info->offset + tape_entry_bytes(&reader->entries[i]);
    }
    tape_identity_get(&passage->identity, check->identity);
    return failed;
}

/* What must stand behind the blocks of a finished tape: index and end mark. free() it. */
static uint8_t *expected_tail(const struct tape_reader *reader, size_t *length)
{
    size_t index_bytes = TAPE_FRAME_HEAD_BYTES + reader->entry_count * TAPE_INDEX_ENTRY_BYTES;
    uint8_t *bytes = malloc(index_bytes + TAPE_END_BYTES);
    if (bytes == NULL)
        return NULL;
    struct tape_end end = {.index_offset = reader->good_bytes,
                           .last_hash = reader->header_entry.header_hash};
    tape_index_head(reader->entry_count, bytes);
    for (size_t i = 0; i < reader->entry_count; i++) {
        tape_index_encode(&reader->entries[i],
                          bytes + TAPE_FRAME_HEAD_BYTES + i * TAPE_INDEX_ENTRY_BYTES);
        tape_totals_add(&end.totals, &reader->entries[i]);
        end.last_hash = reader->entries[i].header_hash;
    }
    end.index_hash = hash_64(bytes, index_bytes);
    tape_end_encode(&end, bytes + index_bytes);
    *length = index_bytes + TAPE_END_BYTES;
    return bytes;
}

/* Compare what stands behind the blocks with what must. */
static int compare_tail(const struct tape_reader *reader, const uint8_t *expected, size_t length,
                        uint8_t *found, struct error *error)
{
    uint64_t left = reader->bytes - reader->good_bytes;
    size_t common = left < length ? (size_t)left : length, same = 0;
    int failed = tape_file_read(reader->fd, reader->path, reader->good_bytes, found, common, error);
    if (failed != 0)
        return failed;
    while (same < common && found[same] == expected[same])
        same++;
    unsigned long long at = reader->good_bytes + same;
    if (reader->damage.code != ERROR_NONE && (same < common || left == 0)) {
        *error = reader->damage;
        return error->code;
    }
    if (same < common)
        return error_set(error, ERROR_INPUT,
                         "%s: index or end mark is damaged at byte %llu: found 0x%02x, expected "
                         "0x%02x; tape repair would keep all %zu blocks",
                         reader->path, at, found[same], expected[same], reader->entry_count);
    if (left < length)
        return error_set(error, ERROR_INPUT,
                         "%s: not finished: it ends at byte %llu, expected %zu bytes more of index "
                         "and end mark; tape repair would keep %zu blocks",
                         reader->path, at, length - same, reader->entry_count);
    if (left > length)
        return error_set(error, ERROR_INPUT,
                         "%s: %llu bytes stand behind the end mark, from byte %llu on",
                         reader->path, (unsigned long long)(left - length), at);
    return 0;
}

static int check_tail(const struct tape_reader *reader, struct error *error)
{
    size_t length = 0;
    uint8_t *expected = expected_tail(reader, &length);
    uint8_t *found = expected == NULL ? NULL : malloc(length);
    int failed = found == NULL ? error_set(error, ERROR_SYSTEM, "no memory to check a tape")
                               : compare_tail(reader, expected, length, found, error);
    free(expected);
    free(found);
    return failed;
}

int tape_check_reader(struct tape_reader *reader, struct tape_check *check,
                      const struct tape_visitor *visitor, struct tape_passage *passage,
                      struct error *error)
{
    check->bytes = reader->bytes;
    int failed = open_passage(passage, reader, visitor, error);
    if (failed == 0 && visitor != NULL)
        failed = visitor->begin(visitor->context, &reader->header, error);
    if (failed == 0)
        failed = check_blocks(reader, check, passage, error);
    if (failed == 0 && visitor != NULL)
        failed = visitor->end(visitor->context, error);
    if (failed != 0)
        return failed;
    failed = check_tail(reader, error);
    check->finished = failed == 0;
    return failed;
}

static int check_open(struct tape_reader *reader, struct tape_check *check,
                      const struct tape_visitor *visitor, struct error *error)
{
    struct tape_passage passage;
    int failed = tape_check_reader(reader, check, visitor, &passage, error);
    tape_passage_close(&passage);
    return failed;
}

int tape_check(const char *path, struct tape_check *check, struct error *error)
{
    return tape_check_visit(path, check, NULL, error);
}

int tape_check_visit(const char *path, struct tape_check *check, const struct tape_visitor *visitor,
                     struct error *error)
{
    struct tape_reader *reader = NULL;
    struct error own = {0};
    error = error != NULL ? error : &own;
    *check = (struct tape_check){0};
    int failed = tape_reader_open_as(&reader, path, TAPE_OPEN_HOP, true, error);
    if (failed != 0)
        return failed;
    failed = check_open(reader, check, visitor, error);
    tape_reader_close(&reader);
    return failed;
}

/* --- repair ------------------------------------------------------------------------------------ */

enum { SEARCH_BYTES = 1 << 20 };

/* Whether a whole block header, or an end mark that tells of more than the good blocks, stands anywhere
 * behind the `good` bytes: then there is damage in the middle, not a torn end. `at` gets its place,
 * or 0. */
static int find_after(const struct tape_reader *reader, uint64_t good, uint64_t *at,
                      struct error *error)
{
    uint64_t from = good + 1;
    uint8_t *bytes = malloc(SEARCH_BYTES);
    if (bytes == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory to repair a tape");
    int failed = 0;
    struct tape_entry entry;
    struct tape_end end;
    const char *reason;
    for (*at = 0; from < reader->bytes && *at == 0 && failed == 0;) {
        uint64_t left = reader->bytes - from;
        size_t length = left < SEARCH_BYTES ? (size_t)left : SEARCH_BYTES;
        failed = tape_file_read(reader->fd, reader->path, from, bytes, length, error);
        for (size_t i = 0; i + TAPE_END_BYTES <= length && *at == 0 && failed == 0; i++) {
            bool block = i + TAPE_BLOCK_HEADER_BYTES <= length &&
                         tape_entry_decode(bytes + i, from + i, &entry, &reason);
            if (block || (tape_end_decode(bytes + i, &end) && end.index_offset != good))
                *at = from + i;
        }
        from += length <= TAPE_BLOCK_HEADER_BYTES ? length : length - TAPE_BLOCK_HEADER_BYTES;
        if (length < SEARCH_BYTES)
            break;
    }
    free(bytes);
    return failed;
}

bool tape_check_is_complete(const struct tape_reader *reader, const struct tape_check *check)
{
    uint8_t expected[TAPE_FRAME_HEAD_BYTES], found[TAPE_FRAME_HEAD_BYTES], mark[TAPE_END_BYTES];
    struct tape_end end;
    if (check->blocks != reader->entry_count)
        return false;
    tape_index_head(check->blocks, expected);
    if (reader->bytes - check->good_bytes >= sizeof found &&
        tape_file_read(reader->fd, reader->path, check->good_bytes, found, sizeof found, NULL) ==
            0 &&
        memcmp(found, expected, sizeof found) == 0)
        return true;
    return reader->bytes - check->good_bytes >= sizeof mark &&
           tape_file_read(reader->fd, reader->path, reader->bytes - sizeof mark, mark, sizeof mark,
                          NULL) == 0 &&
           tape_end_decode(mark, &end) && end.index_offset == check->good_bytes &&
           end.totals.blocks == check->blocks;
}

/* Write the first block anew, with a worse grade. *hash becomes its header's. */
static int write_header(const struct tape_reader *reader, const struct tape_check *check,
                        struct tape_output *output, uint64_t *hash, struct error *error)
{
    char reason[128], build_id[BUILD_ID_TEXT_MAX], *memory = NULL;
    uint8_t *payload = NULL;
    size_t length = 0;
    struct tape_header header = reader->header;
    uint64_t lost = check->bytes - check->good_bytes;
    build_id_text(build_id);
    header.tool_version = PACKAGE_VERSION;
    header.build_id = build_id;
    snprintf(reason, sizeof reason,
             "D: tape: %" PRIu64 " bytes after the last whole block were lost", lost);
    int failed = tape_header_lower_grade(
        &header, TAPE_GRADE_D, lost > 0 ? reason : TAPE_REASON_UNFINISHED, &memory, error);
    if (failed == 0)
        failed = tape_header_encode(&header, &payload, &length, error);
    free(memory);
    if (failed != 0)
        return failed;
    size_t room = TAPE_BLOCK_HEADER_BYTES + ZSTD_compressBound(length);
    struct tape_entry entry = {.type = TAPE_BLOCK_HEADER};
    uint8_t *bytes = malloc(room);
    ZSTD_CCtx *compressor = ZSTD_createCCtx();
    if (bytes == NULL || compressor == NULL)
        failed = error_set(error, ERROR_SYSTEM, "no memory to repair a tape");
    else if (ZSTD_isError(ZSTD_CCtx_setParameter(compressor, ZSTD_c_checksumFlag, 1)))
        failed = error_set(error, ERROR_SYSTEM, "zstd has no checksums");
    else
        failed = tape_block_pack(compressor, payload, length, &entry, bytes, room, error);
    if (failed == 0)
        failed = tape_output_write(output, bytes, (size_t)tape_entry_bytes(&entry), error);
    *hash = entry.header_hash;
    ZSTD_freeCCtx(compressor);
    free(bytes);
    free(payload);
    return failed;
}

/* Write the good blocks behind a new first one: their frames as they are, the headers chained anew. */
static int write_chained(struct tape_reader *reader, const struct tape_check *check,
                         struct tape_output *output, struct error *error)
{
    uint64_t previous = 0;
    int failed = write_header(reader, check, output, &previous, error);
    for (size_t b = 0; b < check->blocks && failed == 0; b++) {
        struct tape_entry entry = reader->entries[b];
        size_t length = (size_t)tape_entry_bytes(&entry);
        failed = tape_file_read(reader->fd, reader->path, entry.info.offset, reader->stored, length,
                                error);
        if (failed != 0)
            break;
        entry.previous_hash = previous;
        tape_entry_encode(&entry, reader->stored);
        previous = entry.header_hash;
        failed = tape_output_write(output, reader->stored, length, error);
    }
    return failed;
}

static int copy(const struct tape_reader *reader, uint64_t bytes, struct tape_output *output,
                struct error *error)
{
    uint8_t *buffer = malloc(SEARCH_BYTES);
    if (buffer == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory to repair a tape");
    int failed = 0;
    for (uint64_t done = 0; done < bytes && failed == 0;) {
        size_t length = bytes - done < SEARCH_BYTES ? (size_t)(bytes - done) : SEARCH_BYTES;
        failed = tape_file_read(reader->fd, reader->path, done, buffer, length, error);
        if (failed == 0)
            failed = tape_output_write(output, buffer, length, error);
        done += length;
    }
    free(buffer);
    return failed;
}

static int write_repaired(struct tape_reader *reader, const struct tape_check *check,
                          const char *out, struct error *error)
{
    struct tape_output output;
    int failed = tape_output_open(&output, out, error);
    if (failed != 0)
        return failed;
    failed = tape_check_is_complete(reader, check) ? copy(reader, check->good_bytes, &output, error)
                                                   : write_chained(reader, check, &output, error);
    if (failed == 0)
        failed = tape_output_write_index(&output, error);
    if (failed == 0)
        failed = tape_output_commit(&output, error);
    tape_output_abandon(&output);
    return failed;
}

int tape_check_torn(const struct tape_reader *reader, const struct tape_check *check,
                    const struct error *damage, struct error *error)
{
    bool all_whole = check->blocks == reader->entry_count && reader->damage.code == ERROR_NONE;
    if (all_whole || (reader->torn && check->blocks == reader->entry_count))
        return 0;
    uint64_t next = 0;
    int failed = find_after(reader, check->good_bytes, &next, error);
    if (failed != 0 || next == 0)
        return failed;
    return error_set(error, ERROR_INPUT,
                     "%s (damage in the middle, not a torn end: the tape goes on at byte %llu)",
                     damage->text, (unsigned long long)next);
}

int tape_repair(const char *path, const char *out, struct tape_check *check, struct error *error)
{
    struct tape_reader *reader = NULL;
    struct error own = {0}, damage = {0};
    error = error != NULL ? error : &own;
    *check = (struct tape_check){0};
    int failed = tape_reader_open_as(&reader, path, TAPE_OPEN_HOP, true, error);
    if (failed != 0)
        return failed;
    int found = check_open(reader, check, NULL, &damage);
    if (found == ERROR_SYSTEM) {
        *error = damage;
        failed = found;
    } else if (found != 0) {
        failed = tape_check_torn(reader, check, &damage, error);
    }
    if (failed == 0 && found != 0 && check->messages == 0)
        failed = error_set(error, ERROR_INPUT, "%s: there is nothing in front of that to keep",
                           damage.text);
    if (failed == 0)
        failed = write_repaired(reader, check, out, error);
    tape_reader_close(&reader);
    return failed;
}
