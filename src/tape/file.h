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

/* A file that is written under another name beside its own. */
struct tape_output {
    int fd; /* -1: none */
    char *path, *part;
    uint64_t bytes; /* written so far */
};

/* Make the file under its other name; commit or abandon closes it. ERROR_SYSTEM, or ERROR_INPUT where the
 * path cannot be one. */
int tape_output_open(struct tape_output *output, const char *path, struct error *error);
int tape_output_write(struct tape_output *output, const void *bytes, size_t length,
                      struct error *error);
/* Write index and end mark behind the blocks that stand in the output, hopping their headers (no
 * table of them is kept in memory while a tape is written). `bytes` is its length before. */
int tape_output_write_index(struct tape_output *output, struct error *error);
/* Bring everything to the disk and give the file its name; closes. */
int tape_output_commit(struct tape_output *output, struct error *error);
/* Close and remove what was written, where it has not got its name. */
void tape_output_abandon(struct tape_output *output);

#endif
