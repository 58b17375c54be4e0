/* Records of a spool in a file without a name: written at its end, read from any record on. One thread. */
#ifndef CAPSTAN_STORE_RECORD_FILE_H
#define CAPSTAN_STORE_RECORD_FILE_H

#include "store/spool.h"

enum { RECORD_FILE_BUFFER_BYTES = 1 << 16 };

/* Zero it before; not to be moved. */
struct record_file {
    int descriptor; /* -1: closed */
    uint64_t count; /* records */
    int64_t bytes;
    /* where the next is read */
    uint64_t next;
    int64_t next_byte;
    uint8_t *buffer; /* of the file from `buffer_byte` on */
    int64_t buffer_byte;
    size_t buffered;
};

/* Made beside `path`, so that it is on the disk that holds the tape, and gone when it is closed. */
int record_file_open(struct record_file *file, const char *path, struct error *error);
/* Also one that is zero or was not opened. */
void record_file_close(struct record_file *file);
/* A record, or several whole ones (`count`). Where that fails nothing was added, and it may be tried again. */
int record_file_append(struct record_file *file, const uint8_t *bytes, size_t length,
                       uint64_t count, struct error *error);
/* The next read gives record `index`, at most `count`. */
int record_file_seek(struct record_file *file, uint64_t index, struct error *error);
/* The next record's bytes, valid until the next call; NULL at the end. */
int record_file_next(struct record_file *file, const uint8_t **bytes, struct error *error);

#endif
