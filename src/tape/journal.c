/* Entries in a mapped file. Each is published by its length, which is stored last, and bears a hash that is chained
 * to the one before, so that what an earlier block left behind is never taken for this one's. */
#include "config.h" /* POSIX names */

#include "tape/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "tape/file.h"

/* "CAPSJRNL" as it stands in the file. */
#define TAPE_JOURNAL_MAGIC UINT64_C(0x4c4e524a53504143)

/* Places in the head. The last two change; the hash is of what stands before it. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_HEAD_BYTES = 12,
    AT_BYTES = 16,
    AT_TAPE = 24,
    AT_HASH = 32,
    AT_BLOCK = 64,
    AT_UNWRITTEN = 72
};
/* Places in an entry. */
enum { ENTRY_LENGTH = 0, ENTRY_KIND = 4, ENTRY_HASH = 8 };

/* --- words that another thread, or who comes after a death, may read --------------------------------- */

static uint32_t *word_32(const struct tape_journal *journal, size_t at)
{
    return (uint32_t *)(void *)(journal->map + at);
}

static uint64_t *word_64(const struct tape_journal *journal, size_t at)
{
    return (uint64_t *)(void *)(journal->map + at);
}

static uint32_t load_length(const struct tape_journal *journal, size_t at)
{
    return BYTES_SWAP_32(__atomic_load_n(word_32(journal, at + ENTRY_LENGTH), __ATOMIC_ACQUIRE));
}

static void store_length(struct tape_journal *journal, size_t at, uint32_t length)
{
    __atomic_store_n(word_32(journal, at + ENTRY_LENGTH), BYTES_SWAP_32(length), __ATOMIC_RELEASE);
}

uint64_t tape_journal_block(const struct tape_journal *journal)
{
    return BYTES_SWAP_64(__atomic_load_n(word_64(journal, AT_BLOCK), __ATOMIC_ACQUIRE));
}

static void store_block(struct tape_journal *journal, uint64_t number)
{
    __atomic_store_n(word_64(journal, AT_BLOCK), BYTES_SWAP_64(number), __ATOMIC_RELEASE);
}

uint64_t tape_journal_unwritten(const struct tape_journal *journal)
{
    return BYTES_SWAP_64(__atomic_load_n(word_64(journal, AT_UNWRITTEN), __ATOMIC_ACQUIRE));
}

void tape_journal_add_unwritten(struct tape_journal *journal, uint64_t count)
{
    uint64_t sum = tape_journal_unwritten(journal) + count;
    __atomic_store_n(word_64(journal, AT_UNWRITTEN), BYTES_SWAP_64(sum), __ATOMIC_RELEASE);
}

bool tape_journal_has_content(const struct tape_journal *journal)
{
    return tape_journal_block(journal) != 0 &&
           (load_length(journal, TAPE_JOURNAL_HEAD_BYTES) != 0 ||
            tape_journal_unwritten(journal) != 0);
}

/* --- the file ---------------------------------------------------------------------------------------- */

static void write_head(struct tape_journal *journal)
{
    uint8_t *head = journal->map;
    store_block(journal, 0);
    bytes_put_u64(head + AT_MAGIC, TAPE_JOURNAL_MAGIC);
    bytes_put_u32(head + AT_VERSION, TAPE_JOURNAL_VERSION);
    bytes_put_u32(head + AT_HEAD_BYTES, TAPE_JOURNAL_HEAD_BYTES);
    bytes_put_u64(head + AT_BYTES, TAPE_JOURNAL_BYTES);
    bytes_put_u64(head + AT_TAPE, journal->tape);
    bytes_put_u64(head + AT_HASH, hash_64(head, AT_HASH));
}

/* The head of a file of the right size: 0 with *ours, whether it is this tape's; or ERROR_INPUT. */
static int check_head(const struct tape_journal *journal, const char *path, bool *ours,
                      struct error *error)
{
    static const uint8_t none[AT_UNWRITTEN];
    const uint8_t *head = journal->map;
    *ours = false;
    /* Death came between making the file and writing its head. */
    if (memcmp(head, none, sizeof none) == 0)
        return 0;
    if (bytes_get_u64(head + AT_MAGIC) != TAPE_JOURNAL_MAGIC ||
        bytes_get_u64(head + AT_HASH) != hash_64(head, AT_HASH)) {
        /* … or while it was written, when nothing can stand behind it. */
        if (tape_journal_block(journal) == 0)
            return 0;
        return error_set(error, ERROR_INPUT, "%s: expected a journal of a tape", path);
    }
    if (bytes_get_u32(head + AT_VERSION) != TAPE_JOURNAL_VERSION ||
        bytes_get_u32(head + AT_HEAD_BYTES) != TAPE_JOURNAL_HEAD_BYTES ||
        bytes_get_u64(head + AT_BYTES) != TAPE_JOURNAL_BYTES)
        return error_set(error, ERROR_INPUT,
                         "%s: a journal of version %u, expected version %d: finish the tape with "
                         "the build that wrote it",
                         path, bytes_get_u32(head + AT_VERSION), TAPE_JOURNAL_VERSION);
    *ours = bytes_get_u64(head + AT_TAPE) == journal->tape;
    if (!*ours && tape_journal_has_content(journal))
        return error_set(error, ERROR_INPUT,
                         "%s: messages of another tape stand in it: give that tape its name back, "
                         "or move the journal away",
                         path);
    return 0;
}

/* Give the file its size on the disk, so that no write to the map can fail later, and every page to memory. */
static int take_room(struct tape_journal *journal, const char *path, struct error *error)
{
    int cause = posix_fallocate(journal->fd, 0, TAPE_JOURNAL_BYTES);
    if (cause != 0)
        return error_set(error, ERROR_SYSTEM, "%s: no room for a journal of %d bytes: %s", path,
                         TAPE_JOURNAL_BYTES, strerror(cause));
    return 0;
}

static int map(struct tape_journal *journal, const char *path, struct error *error)
{
    void *mapped =
        mmap(NULL, TAPE_JOURNAL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, journal->fd, 0);
    if (mapped == MAP_FAILED)
        return error_set(error, ERROR_SYSTEM, "%s: mapping it: %s", path, strerror(errno));
    journal->map = mapped;
    return 0;
}

/* A file that was there is of the size that all journals have, or shorter: death came while it was made. */
static int open_file(struct tape_journal *journal, const char *path, unsigned mode, bool *is_new,
                     struct error *error)
{
    struct stat status;
    journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
    if (journal->fd < 0)
        return error_set(error, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    if (fstat(journal->fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size > TAPE_JOURNAL_BYTES)
        return error_set(error, ERROR_INPUT, "%s: expected a journal, a file of %d bytes", path,
                         TAPE_JOURNAL_BYTES);
    *is_new = status.st_size == 0;
    return 0;
}

int tape_journal_open(struct tape_journal *journal, const char *path, uint64_t tape, unsigned mode,
                      bool *found, struct error *error)
{
    bool is_new = false, ours = false;
    *journal = (struct tape_journal){.fd = -1, .tape = tape};
    int failed = open_file(journal, path, mode, &is_new, error);
    if (failed == 0)
        failed = take_room(journal, path, error);
    if (failed == 0)
        failed = map(journal, path, error);
    if (failed == 0 && !is_new)
        failed = check_head(journal, path, &ours, error);
    if (failed != 0) {
        tape_journal_close(journal);
        return failed;
    }
    if (!ours) {
        /* Every page is written once, so that none has to be found later. */
        memset(journal->map, 0, TAPE_JOURNAL_BYTES);
        write_head(journal);
    }
    *found = ours;
    return 0;
}

void tape_journal_close(struct tape_journal *journal)
{
    if (journal->map != NULL)
        munmap(journal->map, TAPE_JOURNAL_BYTES);
    if (journal->fd >= 0)
        close(journal->fd);
    *journal = (struct tape_journal){.fd = -1};
}

/* --- writing ----------------------------------------------------------------------------------------- */

/* What the first entry is chained to. */
static uint64_t first_chain(const struct tape_journal *journal, uint64_t number)
{
    uint8_t bytes[16];
    bytes_put_u64(bytes, journal->tape);
    bytes_put_u64(bytes + 8, number);
    return hash_64(bytes, sizeof bytes);
}

/* Length and kind are hashed with the body: a seed of both and of the chain. */
static uint64_t entry_hash(const uint8_t *body, size_t length, unsigned kind, uint64_t chain)
{
    return hash_64_seeded(body, length, chain + kind);
}

static size_t entry_bytes(size_t length)
{
    return TAPE_JOURNAL_ENTRY_BYTES +
           (length + TAPE_JOURNAL_ALIGNMENT - 1) / TAPE_JOURNAL_ALIGNMENT * TAPE_JOURNAL_ALIGNMENT;
}

void tape_journal_empty(struct tape_journal *journal)
{
    store_block(journal, 0);
}

void tape_journal_mark_lost(struct tape_journal *journal)
{
    store_block(journal, TAPE_JOURNAL_LOST);
}

void tape_journal_begin(struct tape_journal *journal, uint64_t number)
{
    ASSERT(tape_journal_block(journal) == 0 && number != 0 && number != TAPE_JOURNAL_LOST);
    journal->used = TAPE_JOURNAL_HEAD_BYTES;
    journal->chain = first_chain(journal, number);
    journal->entries = 0;
    store_length(journal, journal->used, 0);
    __atomic_store_n(word_64(journal, AT_UNWRITTEN), 0, __ATOMIC_RELEASE);
    store_block(journal, number);
}

bool tape_journal_has_room(const struct tape_journal *journal, size_t length)
{
    /* A seal, and the length of what would follow it. */
    const size_t behind = TAPE_JOURNAL_ENTRY_BYTES + sizeof(uint64_t) + TAPE_JOURNAL_ENTRY_BYTES;
    return length < TAPE_JOURNAL_BYTES &&
           entry_bytes(length) + behind <= TAPE_JOURNAL_BYTES - journal->used;
}

uint8_t *tape_journal_body(struct tape_journal *journal)
{
    return journal->map + journal->used + TAPE_JOURNAL_ENTRY_BYTES;
}

static void publish(struct tape_journal *journal, enum tape_journal_entry_kind kind, size_t length)
{
    size_t at = journal->used, next = at + entry_bytes(length);
    journal->chain =
        entry_hash(journal->map + at + TAPE_JOURNAL_ENTRY_BYTES, length, kind, journal->chain);
    bytes_put_u32(journal->map + at + ENTRY_KIND, (uint32_t)kind);
    bytes_put_u64(journal->map + at + ENTRY_HASH, journal->chain);
    /* Nothing old may seem to follow. */
    store_length(journal, next, 0);
    store_length(journal, at, (uint32_t)length);
    journal->used = next;
    journal->entries++;
}

void tape_journal_commit(struct tape_journal *journal, enum tape_journal_entry_kind kind,
                         size_t length)
{
    ASSERT(length > 0 && tape_journal_has_room(journal, length));
    publish(journal, kind, length);
}

void tape_journal_seal(struct tape_journal *journal)
{
    bytes_put_u64(tape_journal_body(journal), journal->entries);
    publish(journal, TAPE_JOURNAL_SEAL, sizeof(uint64_t));
}

/* --- reading ----------------------------------------------------------------------------------------- */

void tape_journal_walk_init(struct tape_journal_walk *walk, const struct tape_journal *journal)
{
    *walk = (struct tape_journal_walk){.journal = journal,
                                       .at = TAPE_JOURNAL_HEAD_BYTES,
                                       .chain = first_chain(journal, tape_journal_block(journal))};
}

/* Length of the entry at `at`, or 0 where there is none that lies within the file. */
static size_t length_at(const struct tape_journal *journal, size_t at)
{
    if (at > TAPE_JOURNAL_BYTES - TAPE_JOURNAL_ENTRY_BYTES)
        return 0;
    size_t length = load_length(journal, at);
    return length <= TAPE_JOURNAL_BYTES - TAPE_JOURNAL_ENTRY_BYTES - at ? length : 0;
}

bool tape_journal_walk_next(struct tape_journal_walk *walk, struct tape_journal_entry *entry)
{
    const uint8_t *bytes = walk->journal->map + walk->at;
    size_t length = walk->sealed ? 0 : length_at(walk->journal, walk->at);
    if (length == 0)
        return false;
    *entry = (struct tape_journal_entry){.kind = bytes_get_u32(bytes + ENTRY_KIND),
                                         .body = bytes + TAPE_JOURNAL_ENTRY_BYTES,
                                         .length = length};
    uint64_t hash = entry_hash(entry->body, length, entry->kind, walk->chain);
    if (hash != bytes_get_u64(bytes + ENTRY_HASH))
        return false;
    if (entry->kind == TAPE_JOURNAL_SEAL) {
        walk->sealed = length == sizeof(uint64_t) && bytes_get_u64(entry->body) == walk->entries;
        return false;
    }
    walk->chain = hash;
    walk->at += entry_bytes(length);
    walk->entries++;
    return true;
}

uint64_t tape_journal_walk_torn(const struct tape_journal_walk *walk, uint64_t *bytes)
{
    uint64_t count = 0;
    size_t at = walk->at, length;
    *bytes = 0;
    while (!walk->sealed && (length = length_at(walk->journal, at)) != 0) {
        count += bytes_get_u32(walk->journal->map + at + ENTRY_KIND) != TAPE_JOURNAL_SEAL;
        at += entry_bytes(length);
        *bytes += length;
    }
    return count;
}
