/* Files of a tape: whole reads and writes at a place, and an output that gets its name only when it is
 * complete. */
#ifndef CAPSTAN_TAPE_FILE_H
#define CAPSTAN_TAPE_FILE_H

#include "tape/format.h"

/* Open a file for reading and tell its size. ERROR_INPUT where it isn't a file or isn't there. On
 * success *fd is the caller's. */
int tape_file_open(const char *path, int *fd, uint64_t *bytes, struct error *error);
/* Read exactly `length` bytes at `offset`. */
int tape_file_read(int fd, const char *path, uint64_t offset, void *to, size_t length,
                   struct error *error);

/* Bring the names in the folder of `path` to the disk; a file system that can't is not an error. */
void tape_file_sync_folder(const char *path);

/* A file that is written: under another name beside its own, or one that grows under its own. */
struct tape_output {
    int fd;            /* -1: none */
    char *path, *part; /* part: the other name, or NULL */
    uint64_t bytes;    /* written so far: the next write begins there */
    bool full;         /* the last write failed for want of room */
};

/* Make the file under its other name; commit or abandon closes it. ERROR_SYSTEM, or ERROR_INPUT where the
 * path cannot be one. */
int tape_output_open(struct tape_output *output, const char *path, struct error *error);
/* Write at output->bytes; where it fails nothing counts as written, and it can be tried again. */
int tape_output_write(struct tape_output *output, const void *bytes, size_t length,
                      struct error *error);
/* Write index and end mark behind the blocks that stand in the output, hopping their headers (no
 * table of them is kept in memory while a tape is written). `bytes` is its length before. */
int tape_output_write_index(struct tape_output *output, struct error *error);
/* Bring everything to the disk and give the file its name; closes. */
int tape_output_commit(struct tape_output *output, struct error *error);
/* The same where nothing has that name yet: ERROR_SYSTEM where something has. */
int tape_output_commit_new(struct tape_output *output, struct error *error);

/* Open a file that is there, to write at its end (output->bytes, which is the caller's to set), and lock it as long
 * as it is open: ERROR_INPUT where another process has it locked, or it is none. */
int tape_output_append(struct tape_output *output, const char *path, struct error *error);
/* Make it end after `bytes`. */
int tape_output_cut(struct tape_output *output, uint64_t bytes, struct error *error);
/* Bring what was written to the disk. */
int tape_output_sync(struct tape_output *output, struct error *error);
/* Close and remove what was written, where it has not got its name. */
void tape_output_abandon(struct tape_output *output);

#endif
