/* The tape: a zstd file of blocks of messages, each block checked, seekable by time. Its bytes are
 * described in docs/tape-format.md. */
#ifndef CAPSTAN_TAPE_TAPE_H
#define CAPSTAN_TAPE_TAPE_H

#include "base/error.h"
#include "base/hash.h"
#include "event/event.h"

enum {
    TAPE_VERSION = 1,
    TAPE_BLOCK_EVENTS_DEFAULT = 16 * 1024,
    TAPE_BLOCK_EVENTS_MIN = 1024,
    TAPE_BLOCK_EVENTS_MAX = 64 * 1024,
    TAPE_LEVEL_DEFAULT = 1,   /* zstd */
    TAPE_CONFIG_MAX = 1 << 20 /* bytes of configuration text */
};

/* How far to trust what is on the tape; the worst cause counts. */
#define TAPE_GRADES(X)                                                                             \
    X(TAPE_GRADE_A, "A", "clean")                                                                  \
    X(TAPE_GRADE_B, "B", "harmless oddities")                                                      \
    X(TAPE_GRADE_C, "C", "times estimated or definitions inferred")                                \
    X(TAPE_GRADE_D, "D", "gaps or crossed intervals")                                              \
    X(TAPE_GRADE_F, "F", "not fit for fills")

enum tape_grade {
#define X(name, letter, meaning) name,
    TAPE_GRADES(X)
#undef X
        TAPE_GRADE_COUNT
};

enum tape_origin { TAPE_IMPORTED, TAPE_MADE, TAPE_RECORDED, TAPE_REPLAYED, TAPE_SCENARIO };

/* "imported", "A", "clean". */
const char *tape_origin_text(enum tape_origin origin);
const char *tape_grade_letter(enum tape_grade grade);
const char *tape_grade_meaning(enum tape_grade grade);

/* What stands in the first block. All text is UTF-8 without NUL; nothing secret, ever. A header that
 * the reader made belongs to the reader; one for the writer belongs to the caller. */
struct tape_header {
    uint32_t version;
    uint8_t origin; /* enum tape_origin */
    uint8_t grade;  /* enum tape_grade */
    const char *tool_version;
    const char *build_id;
    const char *grade_reasons; /* one cause a line; may be empty */
    const char *config;        /* effective configuration as canonical text; may be empty */
    uint64_t seed;
    int64_t feed_floor_ns; /* least possible delay from venue to receiver (trading-semantics 2) */
    struct event_names names;
};

/* The reason of a grade for what a tape lacks that was never finished. */
#define TAPE_REASON_UNFINISHED                                                                     \
    "D: tape: never finished, what stood after its last whole block is missing"

/* Make the grade of `header` no better than `grade`, for a reason (letter, matter, cause) that becomes
 * the last of its reasons. They then stand in *memory, which is the caller's to free() after the
 * header; where the old ones stand is left alone. */
int tape_header_lower_grade(struct tape_header *header, enum tape_grade grade, const char *reason,
                            char **memory, struct error *error);

/* 0, or ERROR_INPUT where venues, assets or a venue's symbols are named twice, a venue's name has a
 * colon, or a definition is not one that tape_definition_check() takes. The names themselves must be
 * valid (event_name_is_valid). The writer and the reader call it. */
int tape_names_check(const struct event_names *names, struct error *error);
/* The same for one instrument's definition: it names what the tables have, tick, lot and multiplier are
 * above 0, and price × quantity × multiplier is a whole number of units of money (base/money.h). */
int tape_definition_check(const struct event_names *names, unsigned instrument,
                          struct error *error);

/* --- writing ----------------------------------------------------------------------------------- */

struct tape_writer;

struct tape_writer_options {
    unsigned block_events; /* 0: TAPE_BLOCK_EVENTS_DEFAULT */
    int level;             /* 0: TAPE_LEVEL_DEFAULT */
};

/* Make `path` (an existing file is replaced when the tape is finished: it is written beside it under
 * another name first) and write the header block. All memory is taken here. */
int tape_writer_open(struct tape_writer **writer, const char *path,
                     const struct tape_header *header, const struct tape_writer_options *options,
                     struct error *error);
/* Append one message; seals a block when it is full. Messages must not go back in ts_local. */
int tape_writer_append(struct tape_writer *writer, const struct message *message,
                       struct error *error);
/* A state hash of one room of the engine, stored with the block that is open. `room` < 65,536. */
void tape_writer_state_hash(struct tape_writer *writer, uint16_t room, uint64_t hash);
/* True when the next append would begin a new block: the time to give state hashes. */
bool tape_writer_block_is_full(const struct tape_writer *writer);
/* Seal, write index and end, fsync, give the file its name. Frees the writer, also on failure. */
int tape_writer_finish(struct tape_writer **writer, struct error *error);
/* Drop everything written. Frees the writer. NULL is allowed. */
void tape_writer_abandon(struct tape_writer **writer);

/* --- reading ----------------------------------------------------------------------------------- */

struct tape_reader;

/* One state hash as it stands with a block. */
struct tape_state_hash {
    uint16_t room;
    uint64_t hash;
};

/* A decoded block. The arrays belong to the block, have room for the largest block of the tape and
 * are filled anew by tape_reader_read(). */
struct tape_block {
    uint64_t number;
    int64_t first_ts, last_ts; /* ts_local */
    uint32_t message_count, row_count, record_count, state_hash_count;
    bool has_snapshot; /* a message of that kind is among them */
    struct message *messages;
    struct row *rows;
    union event_record *records;
    struct tape_state_hash *state_hashes;
    void *memory;
};

/* What the index (or hopping the block headers) tells of a block without decoding it. */
struct tape_block_info {
    uint64_t number;
    uint64_t offset; /* of the block's header in the file */
    int64_t first_ts, last_ts;
    uint32_t message_count, row_count, record_count;
    uint32_t compressed_bytes, raw_bytes;
    bool has_snapshot;
};

/* Open and check the header block. The block list is read from the index at the end or, without
 * one, by hopping headers. Limits are checked before memory is taken. */
int tape_reader_open(struct tape_reader **reader, const char *path, struct error *error);
void tape_reader_close(struct tape_reader **reader);
/* What the first block tells. The grade of a tape that was not finished is D at best here, with
 * TAPE_REASON_UNFINISHED: the block was written before anyone could know. */
const struct tape_header *tape_reader_header(const struct tape_reader *reader);
size_t tape_reader_block_count(const struct tape_reader *reader);
const struct tape_block_info *tape_reader_block_info(const struct tape_reader *reader,
                                                     size_t index);
/* False where the tape has no index and end mark: it was not finished. */
bool tape_reader_is_finished(const struct tape_reader *reader);

/* Take memory for a block as large as the tape's largest. */
int tape_block_init(struct tape_block *block, const struct tape_reader *reader,
                    struct error *error);
void tape_block_free(struct tape_block *block);

/* Decode block `index` (0 ≤ index < count). Touches nothing else of the reader but its scratch, so
 * one reader serves one thread; two threads open two. Allocates nothing. */
int tape_reader_read(struct tape_reader *reader, size_t index, struct tape_block *block,
                     struct error *error);
/* Only read, check and decompress (for the benchmark's baseline). */
int tape_reader_decompress(struct tape_reader *reader, size_t index, struct error *error);
/* Index of the first block whose last_ts >= ts (block count if none). O(log n). */
size_t tape_reader_seek(const struct tape_reader *reader, int64_t ts);
/* Index of the last block with a snapshot at or before the message at ts for which a book from the
 * beginning of that block is whole for every instrument; 0 if none. */
size_t tape_reader_snapshot_before(const struct tape_reader *reader, int64_t ts);

/* --- identity ---------------------------------------------------------------------------------- */

/* XXH3-128 over the canonical bytes of all messages of a tape, in order. */
struct tape_identity {
    struct hash_stream hash;
    uint8_t *bytes;
    size_t capacity;
};

enum { TAPE_IDENTITY_BYTES = 16 };

/* Memory for messages of up to `most_rows` rows; tape_identity_close also after a failure. */
int tape_identity_open(struct tape_identity *identity, uint32_t most_rows, struct error *error);
void tape_identity_add(struct tape_identity *identity, const struct message *message);
/* The hash so far, most significant byte first. */
void tape_identity_get(const struct tape_identity *identity, uint8_t out[TAPE_IDENTITY_BYTES]);
void tape_identity_close(struct tape_identity *identity);
/* Rows of the largest block, and so of any message. */
uint32_t tape_reader_most_rows(const struct tape_reader *reader);

/* --- whole files ------------------------------------------------------------------------------- */

/* What a check found. */
struct tape_check {
    uint64_t blocks, messages, rows, records;
    int64_t first_ts, last_ts;
    uint64_t bytes, good_bytes; /* size of the file; up to the end of the last whole block */
    bool finished;              /* index and end mark are there and agree */
    uint8_t identity[TAPE_IDENTITY_BYTES]; /* of the messages in the whole blocks */
};

/* Read everything and verify everything. ERROR_INPUT with the first damage (which block, which byte,
 * what was expected); `check` is filled up to it either way. */
int tape_check(const char *path, struct tape_check *check, struct error *error);
/* The same for who looks at the messages too: `begin` gets the header, which holds until `end`, `take` each message of
 * the blocks that are sound, `end` comes where all were. Each ends the check by a code other than 0. */
struct tape_visitor {
    int (*begin)(void *context, const struct tape_header *header, struct error *error);
    int (*take)(void *context, const struct message *message, struct error *error);
    int (*end)(void *context, struct error *error);
    void *context;
};
int tape_check_visit(const char *path, struct tape_check *check, const struct tape_visitor *visitor,
                     struct error *error);
/* Write the whole blocks before a torn end of `path` (cut, not finished, or nothing readable behind
 * the damage) to `out` as a finished tape. ERROR_INPUT where the tape goes on behind the damage: then
 * it is in the middle. A damaged index or end mark is made anew. Unless these tell that no block is
 * missing, the grade of `out` is D at best, for a reason that names what was lost. `out` may be
 * `path`. */
int tape_repair(const char *path, const char *out, struct tape_check *check, struct error *error);

#endif
