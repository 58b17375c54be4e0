/* What check and repair need of a reader beyond tape.h. */
#ifndef CAPSTAN_TAPE_READER_H
#define CAPSTAN_TAPE_READER_H

#include "tape/file.h"
#include "tape/payload.h"

struct ZSTD_DCtx_s;

struct tape_reader {
    int fd;
    char *path;
    uint64_t bytes; /* size of the file */
    struct tape_header header;
    struct tape_entry header_entry;
    void *header_memory;
    char *reasons;              /* of a grade that is worse than the first block tells, or NULL */
    struct tape_entry *entries; /* blocks of messages */
    size_t entry_count, entry_capacity;
    bool finished;
    uint64_t good_bytes; /* end of the last block whose header and length are right */
    struct error damage; /* why hopping stopped there; ERROR_NONE at the end of the file */
    bool torn;           /* … because the file ends within a block */
    struct ZSTD_DCtx_s *decompressor;
    struct payload_decoder *decoder;
    uint8_t *stored, *payload;
    size_t stored_capacity, payload_capacity;
    struct payload_counts most;
    uint32_t most_hashes;
};

enum tape_open_mode {
    TAPE_OPEN_NORMAL, /* by the index; without one by hopping; damage in the middle is an error */
    TAPE_OPEN_HOP     /* by hopping up to the first damage, whatever there is behind it; the
                       * header is as the first block has it */
};

/* As tape_reader_open; `accelerate` false keeps to the portable decoder. */
int tape_reader_open_as(struct tape_reader **reader, const char *path, enum tape_open_mode mode,
                        bool accelerate, struct error *error);

#endif
