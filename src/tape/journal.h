/* A journal: the messages of one block of a tape that is not written yet, in a file that is mapped to memory, so
 * that they outlive the process at any instruction (docs/tape-format.md, "Written live"). Made once, of fixed size;
 * appending is copying: no allocation, no system call. */
#ifndef CAPSTAN_TAPE_JOURNAL_H
#define CAPSTAN_TAPE_JOURNAL_H

#include "tape/tape.h"

enum {
    JOURNAL_VERSION = 1,
    JOURNAL_HEAD_BYTES = 4096, /* before the first entry */
    JOURNAL_BYTES = 16 << 20,  /* of the file: the largest message and two full blocks of records */
    JOURNAL_ENTRY_BYTES = 16,  /* before an entry's body */
    JOURNAL_ALIGNMENT = 8,
    JOURNALS = 2 /* beside each tape: for the open block and the next */
};

/* What an entry holds. */
enum journal_entry_kind {
    JOURNAL_MESSAGE = 1, /* canonical bytes */
    JOURNAL_HASHES = 2,  /* state hashes: u16 room, u64 hash, each */
    JOURNAL_SEAL = 3     /* u64: entries before; nothing follows */
};

/* One journal that is mapped. */
struct journal {
    int fd; /* -1: none */
    uint8_t *map;
    uint64_t tape; /* hash of the header of the tape's block 0: which tape it belongs to */
    /* Who writes: where the next entry goes and what it is chained to. */
    size_t used;
    uint64_t chain, entries;
};

/* Map the journal `path`, which is made (JOURNAL_BYTES on the disk at once, `mode` as for open()) where it is not
 * there. `found`: it was, and is this tape's. ERROR_INPUT where it belongs to another tape and is not empty, or is no
 * journal; ERROR_SYSTEM where there is no room. */
int journal_open(struct journal *journal, const char *path, uint64_t tape, unsigned mode,
                 bool *found, struct error *error);
/* Unmap. Its contents stay. */
void journal_close(struct journal *journal);

/* What journal_block() gives of a journal whose entries follow nothing that is on the tape. */
#define JOURNAL_LOST UINT64_MAX

/* Number of the block that it is for; 0: it is empty. */
uint64_t journal_block(const struct journal *journal);
/* It is for a block, and there is something in it. */
bool journal_has_content(const struct journal *journal);
/* Empty it: from here on its entries are nobody's. */
void journal_empty(struct journal *journal);
/* Its entries follow nothing that is on the tape: they are to be counted and told, then emptied. */
void journal_mark_lost(struct journal *journal);
/* Begin block `number` in a journal that is empty. */
void journal_begin(struct journal *journal, uint64_t number);

/* Whether an entry of `length` bytes has room, with a seal behind it. */
bool journal_has_room(const struct journal *journal, size_t length);
/* Where the next entry's body is to be written; it must have room. Then journal_commit() publishes it. */
uint8_t *journal_body(struct journal *journal);
/* The body stands there: hash, then length. When this returns, kill -9 can't lose it. */
void journal_commit(struct journal *journal, enum journal_entry_kind kind, size_t length);
/* Nothing more comes: the block is whole. */
void journal_seal(struct journal *journal);

/* Cancels that left without being written, told with the block; survives like an entry. */
void journal_add_unwritten(struct journal *journal, uint64_t count);
uint64_t journal_unwritten(const struct journal *journal);

/* --- reading, by another thread or after a death -------------------------------------------------- */

struct journal_entry {
    enum journal_entry_kind kind;
    const uint8_t *body;
    size_t length;
};

/* Walks along the whole entries of a journal. */
struct journal_walk {
    const struct journal *journal;
    size_t at;
    uint64_t chain, entries;
    bool sealed; /* the seal was reached and is right */
};

void journal_walk_init(struct journal_walk *walk, const struct journal *journal);
/* The next whole entry but the seal; false at the seal, at the end, or where an entry is not whole. */
bool journal_walk_next(struct journal_walk *walk, struct journal_entry *entry);
/* After the last: entries that are not whole, as far as lengths lead to them, and their bytes. */
uint64_t journal_walk_torn(const struct journal_walk *walk, uint64_t *bytes);

#endif
