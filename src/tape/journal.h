/* A journal: the messages of one block of a tape that is not written yet, in a file that is mapped to memory, so
 * that they outlive the process at any instruction (docs/tape-format.md, "Written live"). Made once, of fixed size;
 * appending is copying: no allocation, no system call. */
#ifndef CAPSTAN_TAPE_JOURNAL_H
#define CAPSTAN_TAPE_JOURNAL_H

#include "tape/tape.h"

enum {
    TAPE_JOURNAL_VERSION = 1,
    TAPE_JOURNAL_HEAD_BYTES = 4096, /* before the first entry */
    TAPE_JOURNAL_BYTES =
        16 << 20, /* of the file: the largest message and two full blocks of records */
    TAPE_JOURNAL_ENTRY_BYTES = 16, /* before an entry's body */
    TAPE_JOURNAL_ALIGNMENT = 8,
    TAPE_JOURNALS = 2 /* beside each tape: for the open block and the next */
};

/* What an entry holds. */
enum tape_journal_entry_kind {
    TAPE_JOURNAL_MESSAGE = 1, /* canonical bytes */
    TAPE_JOURNAL_HASHES = 2,  /* state hashes: u16 room, u64 hash, each */
    TAPE_JOURNAL_SEAL = 3     /* u64: entries before; nothing follows */
};

/* One journal that is mapped. */
struct tape_journal {
    int fd; /* -1: none */
    uint8_t *map;
    uint64_t tape; /* hash of the header of the tape's block 0: which tape it belongs to */
    /* Who writes: where the next entry goes and what it is chained to. */
    size_t used;
    uint64_t chain, entries;
};

/* Map the journal `path`, which is made (TAPE_JOURNAL_BYTES on the disk at once, `mode` as for open()) where it is not
 * there. `found`: it was, and is this tape's. ERROR_INPUT where it belongs to another tape and is not empty, or is no
 * journal; ERROR_SYSTEM where there is no room. */
int tape_journal_open(struct tape_journal *journal, const char *path, uint64_t tape, unsigned mode,
                      bool *found, struct error *error);
/* Unmap. Its contents stay. */
void tape_journal_close(struct tape_journal *journal);

/* What tape_journal_block() gives of a journal whose entries follow nothing that is on the tape. */
#define TAPE_JOURNAL_LOST UINT64_MAX

/* Number of the block that it is for; 0: it is empty. */
uint64_t tape_journal_block(const struct tape_journal *journal);
/* It is for a block, and there is something in it. */
bool tape_journal_has_content(const struct tape_journal *journal);
/* Empty it: from here on its entries are nobody's. */
void tape_journal_empty(struct tape_journal *journal);
/* Its entries follow nothing that is on the tape: they are to be counted and told, then emptied. */
void tape_journal_mark_lost(struct tape_journal *journal);
/* Begin block `number` in a journal that is empty. */
void tape_journal_begin(struct tape_journal *journal, uint64_t number);

/* Whether an entry of `length` bytes has room, with a seal behind it. */
bool tape_journal_has_room(const struct tape_journal *journal, size_t length);
/* Where the next entry's body is to be written; it must have room. Then tape_journal_commit() publishes it. */
uint8_t *tape_journal_body(struct tape_journal *journal);
/* The body stands there: hash, then length. When this returns, kill -9 can't lose it. */
void tape_journal_commit(struct tape_journal *journal, enum tape_journal_entry_kind kind,
                         size_t length);
/* Nothing more comes: the block is whole. */
void tape_journal_seal(struct tape_journal *journal);

/* Cancels that left without being written, told with the block; survives like an entry. */
void tape_journal_add_unwritten(struct tape_journal *journal, uint64_t count);
uint64_t tape_journal_unwritten(const struct tape_journal *journal);

/* --- reading, by another thread or after a death -------------------------------------------------- */

struct tape_journal_entry {
    enum tape_journal_entry_kind kind;
    const uint8_t *body;
    size_t length;
};

/* Walks along the whole entries of a journal. */
struct tape_journal_walk {
    const struct tape_journal *journal;
    size_t at;
    uint64_t chain, entries;
    bool sealed; /* the seal was reached and is right */
};

void tape_journal_walk_init(struct tape_journal_walk *walk, const struct tape_journal *journal);
/* The next whole entry but the seal; false at the seal, at the end, or where an entry is not whole. */
bool tape_journal_walk_next(struct tape_journal_walk *walk, struct tape_journal_entry *entry);
/* After the last: entries that are not whole, as far as lengths lead to them, and their bytes. */
uint64_t tape_journal_walk_torn(const struct tape_journal_walk *walk, uint64_t *bytes);

#endif
