/* Opens a tape to grow: lock, check, recovery from its journals. */
#include "config.h" /* POSIX names */

#include "tape/growing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"

/* --- making and locking ------------------------------------------------------------------------------ */

static int name_journals(struct tape_growing *growing, const char *path, struct error *error)
{
    size_t length = strlen(path) + sizeof ".journal-0";
    for (unsigned i = 0; i < TAPE_JOURNALS; i++) {
        growing->journals[i].fd = -1;
        growing->journal_paths[i] = malloc(length);
        if (growing->journal_paths[i] == NULL)
            return error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", path);
        snprintf(growing->journal_paths[i], length, "%s.journal-%u", path, i);
    }
    return 0;
}

/* No journal holds messages of a tape that is not there any more. */
static int check_no_messages(struct tape_growing *growing, struct error *error)
{
    for (unsigned i = 0; i < TAPE_JOURNALS; i++) {
        bool found;
        if (access(growing->journal_paths[i], F_OK) != 0)
            continue;
        int failed = tape_journal_open(&growing->journals[i], growing->journal_paths[i], 0, 0,
                                       &found, error);
        tape_journal_close(&growing->journals[i]);
        if (failed != 0)
            return failed;
    }
    return 0;
}

/* A tape of block 0 alone, which gets its name when it is whole. */
static int make(struct tape_growing *growing, const char *path, const struct tape_header *header,
                struct error *error)
{
    struct tape_output output = {.fd = -1};
    struct tape_blocks blocks = {0};
    size_t length;
    int failed = check_no_messages(growing, error);
    if (failed == 0)
        failed = tape_blocks_open(&blocks, path, header, TAPE_BLOCK_EVENTS_MIN, 1, error);
    if (failed == 0) {
        failed = tape_blocks_make_header(&blocks, header, error);
        if (failed != 0)
            error_prefix(error, "%s", path);
    }
    if (failed == 0)
        failed = tape_output_open(&output, path, error);
    if (failed == 0) {
        const uint8_t *bytes = tape_blocks_made(&blocks, &length);
        failed = tape_output_write(&output, bytes, length, error);
    }
    if (failed == 0)
        failed = tape_output_commit_new(&output, error);
    tape_output_abandon(&output);
    tape_blocks_close(&blocks);
    return failed;
}

static int make_if_missing(struct tape_growing *growing, const char *path,
                           const struct tape_header *header, bool *made, struct error *error)
{
    struct stat status;
    *made = false;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return error_set(error, ERROR_INPUT, "%s: not a regular file, expected a tape", path);
    if (access(path, F_OK) == 0)
        return 0;
    if (header == NULL)
        return error_set(error, ERROR_INPUT, "%s: there is no such tape", path);
    *made = true;
    return make(growing, path, header, error);
}

/* --- what stands on the tape --------------------------------------------------------------------------- */

/* Take what is needed of a reader that is closed afterwards. */
static void keep_header(struct tape_growing *growing, struct tape_reader *reader)
{
    growing->header = reader->header;
    growing->header_memory = reader->header_memory;
    reader->header_memory = NULL;
    growing->tape = reader->header_entry.header_hash;
}

/* Read all blocks. Where the end is torn `*torn` is set; damage in the middle is an error. */
static int read_tape(struct tape_growing *growing, struct tape_reader *reader,
                     struct tape_recovery *recovery, bool *torn, struct error *error)
{
    struct tape_check check = {0};
    struct error damage = {0};
    int found = tape_check_reader(reader, &check, NULL, &growing->passage, &damage), failed = 0;
    if (found == ERROR_SYSTEM) {
        *error = damage;
        return found;
    }
    if (found != 0)
        failed = tape_check_torn(reader, &check, &damage, error);
    if (failed != 0)
        return failed;
    recovery->was_finished = check.finished;
    recovery->blocks = check.blocks;
    growing->messages = check.messages;
    recovery->last_ts = check.blocks > 0 ? check.last_ts : INT64_MIN;
    *torn = check.bytes > check.good_bytes && !check.finished &&
            !tape_check_is_complete(reader, &check);
    recovery->torn_bytes = *torn ? check.bytes - check.good_bytes : 0;
    growing->output.bytes = check.good_bytes;
    tape_blocks_continue(&growing->blocks,
                         check.blocks > 0 ? &reader->entries[check.blocks - 1]
                                          : &reader->header_entry,
                         &growing->passage.snapshots);
    return 0;
}

/* --- journals ------------------------------------------------------------------------------------------- */

static int take_hashes(struct tape_growing *growing, const struct tape_journal_entry *entry)
{
    if (entry->length % TAPE_STATE_HASH_BYTES != 0)
        return -1;
    for (size_t at = 0; at < entry->length; at += TAPE_STATE_HASH_BYTES)
        tape_blocks_add_hash(&growing->blocks, bytes_get_u16(entry->body + at),
                             bytes_get_u64(entry->body + at + 2));
    return 0;
}

static int take_message(struct tape_growing *growing, const struct tape_journal_entry *entry,
                        struct error *error)
{
    struct message message;
    size_t used = 0;
    int failed = message_decode(entry->body, entry->length, growing->rows, EVENT_ROWS_MAX,
                                &growing->record, &message, &used, error);
    if (failed == 0 && used != entry->length)
        failed = error_set(error, ERROR_INPUT, "%zu bytes, expected a message of %zu",
                           entry->length, used);
    if (failed == 0)
        failed = tape_blocks_add(&growing->blocks, &message, error);
    if (failed == 0)
        hash_stream_update(&growing->passage.identity.hash, entry->body, entry->length);
    growing->messages += failed == 0;
    return failed;
}

int tape_growing_take(struct tape_growing *growing, const struct tape_journal *journal,
                      struct tape_journal_walk *walk, uint64_t *messages, struct error *error)
{
    struct tape_journal_entry entry;
    int failed = 0;
    tape_journal_walk_init(walk, journal);
    while (failed == 0 && tape_journal_walk_next(walk, &entry)) {
        if (entry.kind == TAPE_JOURNAL_MESSAGE) {
            failed = take_message(growing, &entry, error);
            *messages += failed == 0;
        } else if (entry.kind != TAPE_JOURNAL_HASHES || take_hashes(growing, &entry) != 0) {
            failed = error_set(error, ERROR_INPUT, "expected a message or state hashes");
        }
    }
    return failed == 0
               ? 0
               : error_prefix(error, "%s: entry %" PRIu64 " of the journal of block %" PRIu64,
                              growing->output.path, walk->entries, tape_journal_block(journal));
}

int tape_growing_write(struct tape_growing *growing, struct error *error)
{
    size_t length;
    const uint8_t *bytes = tape_blocks_made(&growing->blocks, &length);
    return tape_output_write(&growing->output, bytes, length, error);
}

/* What is told of a loss: a gap of no instrument, which an engine passes over. */
static int add_gap(struct tape_growing *growing, enum gap_cause cause, uint64_t expected,
                   struct error *error)
{
    uint8_t bytes[EVENT_RECORD_BYTES_MAX];
    int64_t last_ts = growing->blocks.last_ts;
    const union event_record record = {
        .gap = {.instrument = EVENT_NONE_16, .cause = (uint8_t)cause, .expected = expected}};
    const struct message message = {.ts_local = last_ts == INT64_MIN ? 0 : last_ts,
                                    .stream = EVENT_NONE_16,
                                    .kind = EVENT_gap,
                                    .record = &record};
    int failed = tape_blocks_add(&growing->blocks, &message, error);
    if (failed != 0)
        return failed;
    size_t length = message_encode(&message, bytes, sizeof bytes);
    hash_stream_update(&growing->passage.identity.hash, bytes, length);
    growing->messages++;
    return 0;
}

/* What is to be done with the journals. */
struct plan {
    struct tape_journal
        *next[TAPE_JOURNALS]; /* those of blocks n + 1 and n + 2, as far as they follow */
    unsigned count;
    struct tape_journal *lost[TAPE_JOURNALS]; /* those that follow nothing */
    unsigned lost_count;
};

static bool is_whole(const struct tape_journal *journal)
{
    struct tape_journal_walk walk;
    struct tape_journal_entry entry;
    tape_journal_walk_init(&walk, journal);
    while (tape_journal_walk_next(&walk, &entry)) {
    }
    return walk.sealed;
}

static struct tape_journal *journal_of(struct tape_growing *growing, uint64_t block)
{
    for (unsigned i = 0; i < TAPE_JOURNALS; i++)
        if (tape_journal_block(&growing->journals[i]) == block)
            return &growing->journals[i];
    return NULL;
}

/* Which journals continue the tape. One whose block is on the tape already is emptied: death came between. */
static struct plan make_plan(struct tape_growing *growing)
{
    struct plan plan = {0};
    uint64_t next = growing->blocks.number;
    for (unsigned i = 0; i < TAPE_JOURNALS; i++)
        if (tape_journal_block(&growing->journals[i]) < next)
            tape_journal_empty(&growing->journals[i]);
    struct tape_journal *journal = journal_of(growing, next);
    while (journal != NULL && plan.count < TAPE_JOURNALS) {
        plan.next[plan.count++] = journal;
        journal = is_whole(journal) ? journal_of(growing, ++next) : NULL;
    }
    for (unsigned i = 0; i < TAPE_JOURNALS; i++) {
        journal = &growing->journals[i];
        if (tape_journal_block(journal) != 0 && journal != plan.next[0] && journal != plan.next[1])
            plan.lost[plan.lost_count++] = journal;
    }
    return plan;
}

/* Count what a walk did not reach. */
static void count_torn(const struct tape_journal_walk *walk, struct tape_recovery *recovery)
{
    uint64_t bytes = 0;
    recovery->lost_entries += tape_journal_walk_torn(walk, &bytes);
    recovery->lost_bytes += bytes;
}

/* A journal that does not follow is not taken for one that does once the tape has grown by what tells of it. */
static void count_lost(struct tape_journal *journal, struct tape_recovery *recovery)
{
    struct tape_journal_walk walk;
    tape_journal_mark_lost(journal);
    tape_journal_walk_init(&walk, journal);
    count_torn(&walk, recovery);
    recovery->unwritten += tape_journal_unwritten(journal);
}

/* Make a block of what was added, write it, and bring it to the disk. */
static int put_block(struct tape_growing *growing, struct error *error)
{
    int failed = tape_blocks_seal(&growing->blocks, error);
    if (failed == 0)
        failed = tape_growing_write(growing, error);
    return failed == 0 ? tape_output_sync(&growing->output, error) : failed;
}

static int tell_losses(struct tape_growing *growing, const struct tape_recovery *recovery,
                       bool torn, struct error *error)
{
    int failed = 0;
    if (recovery->lost_entries == 0 && recovery->unwritten == 0 && !torn)
        return 0;
    /* They are of the state before the gaps. */
    payload_encoder_drop_hashes(growing->blocks.encoder);
    if (recovery->lost_entries > 0 || torn)
        failed = add_gap(growing, GAP_DAMAGE, recovery->lost_entries, error);
    if (failed == 0 && recovery->unwritten > 0)
        failed = add_gap(growing, GAP_NOT_WRITTEN, recovery->unwritten, error);
    return failed;
}

/* Take the journals in. `torn`: the tape's own end was, and no journal may have what stood there. */
static int take_journals(struct tape_growing *growing, struct tape_recovery *recovery, bool torn,
                         struct error *error)
{
    struct plan plan = make_plan(growing);
    int failed = 0;
    torn = torn && plan.count == 0;
    for (unsigned i = 0; i < plan.lost_count; i++)
        count_lost(plan.lost[i], recovery);
    for (unsigned i = 0; i < plan.count || i == 0; i++) {
        struct tape_journal *journal = i < plan.count ? plan.next[i] : NULL;
        struct tape_journal_walk walk;
        if (journal != NULL) {
            failed = tape_growing_take(growing, journal, &walk, &recovery->messages, error);
            if (failed != 0)
                return failed;
            count_torn(&walk, recovery);
            recovery->unwritten += tape_journal_unwritten(journal);
            recovery->journals += !tape_blocks_is_empty(&growing->blocks);
        }
        if (i + 1 >= plan.count)
            failed = tell_losses(growing, recovery, torn, error);
        if (failed == 0 && !tape_blocks_is_empty(&growing->blocks))
            failed = put_block(growing, error);
        if (failed != 0)
            return failed;
        if (journal != NULL)
            tape_journal_empty(journal);
    }
    for (unsigned i = 0; i < plan.lost_count; i++)
        tape_journal_empty(plan.lost[i]);
    return 0;
}

static int open_journals(struct tape_growing *growing, struct error *error)
{
    struct stat status;
    enum { PERMISSIONS = 0666 };
    if (fstat(growing->output.fd, &status) != 0)
        return error_set(error, ERROR_SYSTEM, "%s: can't be looked at", growing->output.path);
    for (unsigned i = 0; i < TAPE_JOURNALS; i++) {
        bool found;
        int failed = tape_journal_open(&growing->journals[i], growing->journal_paths[i],
                                       growing->tape, status.st_mode & PERMISSIONS, &found, error);
        if (failed != 0)
            return failed;
    }
    tape_file_sync_folder(growing->output.path);
    return 0;
}

/* --- all of it ----------------------------------------------------------------------------------------- */

static bool has_journal(const struct tape_growing *growing)
{
    for (unsigned i = 0; i < TAPE_JOURNALS; i++)
        if (tape_journal_block(&growing->journals[i]) >= growing->blocks.number &&
            tape_journal_has_content(&growing->journals[i]))
            return true;
    return false;
}

static int open_blocks(struct tape_growing *growing, const struct tape_writer_options *options,
                       struct error *error)
{
    unsigned events;
    int level;
    int failed = tape_blocks_options(options, &events, &level, error);
    /* A journal may hold more than a block that is sealed in time. */
    return failed == 0 ? tape_blocks_open(&growing->blocks, growing->output.path, &growing->header,
                                          TAPE_BLOCK_EVENTS_MAX, level, error)
                       : failed;
}

/* Bring the file to its last whole message. A finished tape that is to stay so and has nothing to take in is left
 * alone. */
static int recover(struct tape_growing *growing, struct tape_reader *reader, bool stays,
                   struct tape_recovery *recovery, struct error *error)
{
    bool torn = false;
    int failed = read_tape(growing, reader, recovery, &torn, error);
    if (failed == 0)
        failed = open_journals(growing, error);
    if (failed != 0 || (stays && recovery->was_finished && !has_journal(growing)))
        return failed;
    /* An end mark that stayed behind a new block would seem to be a tape that goes on. */
    if (!torn)
        failed = tape_output_cut(&growing->output, growing->output.bytes, error);
    if (failed == 0)
        failed = take_journals(growing, recovery, torn, error);
    if (failed == 0)
        failed = tape_output_cut(&growing->output, growing->output.bytes, error);
    if (failed == 0)
        recovery->last_ts = growing->blocks.last_ts;
    return failed;
}

/* All but the making. */
static int open_there(struct tape_growing *growing, const char *path, bool stays,
                      const struct tape_writer_options *options, struct tape_recovery *recovery,
                      struct error *error)
{
    struct tape_reader *reader = NULL;
    int failed = tape_output_append(&growing->output, path, error);
    growing->rows = malloc(EVENT_ROWS_MAX * sizeof *growing->rows);
    if (failed == 0 && growing->rows == NULL)
        failed = error_set(error, ERROR_SYSTEM, "%s: no memory to write a tape", path);
    if (failed == 0)
        failed = tape_reader_open_as(&reader, path, TAPE_OPEN_HOP, true, error);
    if (failed == 0) {
        keep_header(growing, reader);
        failed = open_blocks(growing, options, error);
    }
    if (failed == 0)
        failed = recover(growing, reader, stays, recovery, error);
    tape_reader_close(&reader);
    return failed;
}

int tape_growing_open(struct tape_growing *growing, const char *path,
                      const struct tape_header *header, const struct tape_writer_options *options,
                      struct tape_recovery *recovery, struct error *error)
{
    *recovery = (struct tape_recovery){.last_ts = INT64_MIN};
    growing->output.fd = -1;
    int failed = name_journals(growing, path, error);
    if (failed == 0)
        failed = make_if_missing(growing, path, header, &recovery->made, error);
    return failed == 0 ? open_there(growing, path, header == NULL, options, recovery, error)
                       : failed;
}

void tape_growing_close(struct tape_growing *growing, bool remove_journals)
{
    for (unsigned i = 0; i < TAPE_JOURNALS; i++) {
        /* Zeroed and never opened where the names have not been made. */
        if (growing->journal_paths[i] == NULL)
            continue;
        bool empty =
            growing->journals[i].map != NULL && tape_journal_block(&growing->journals[i]) == 0;
        tape_journal_close(&growing->journals[i]);
        if (remove_journals && empty)
            unlink(growing->journal_paths[i]);
        free(growing->journal_paths[i]);
        growing->journal_paths[i] = NULL;
    }
    tape_passage_close(&growing->passage);
    tape_blocks_close(&growing->blocks);
    tape_output_abandon(&growing->output);
    free(growing->header_memory);
    free(growing->rows);
    growing->header_memory = NULL;
    growing->rows = NULL;
}

int tape_recover(const char *path, struct tape_recovery *recovery, struct error *error)
{
    struct tape_growing growing = {0};
    int failed = tape_growing_open(&growing, path, NULL, NULL, recovery, error);
    tape_growing_close(&growing, failed == 0);
    return failed;
}
