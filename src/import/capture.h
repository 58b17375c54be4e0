/* A capture file read line by line: `<receive time> <frame>`, gzip, zstd or plain (told by its first
 * bytes), in constant memory. */
#ifndef CAPSTAN_IMPORT_CAPTURE_H
#define CAPSTAN_IMPORT_CAPTURE_H

#include "base/error.h"

enum {
    CAPTURE_LINE_MAX =
        16 * 1024 * 1024 /* bytes; the largest REST book (10,000 levels) has 0.4 MiB */
};

/* Latest receive time, in 2096: with a correction of the same size it still fits. */
#define CAPTURE_TIME_MAX_NS INT64_C(4000000000000000000)

struct capture;

/* One line. `frame` holds until the next call. */
struct capture_line {
    int64_t receive_ns;
    uint64_t number; /* from 1 */
    const char *frame;
    size_t length;
};

/* Open a file. ERROR_INPUT for what is no readable file (missing, directory, empty); the error
 * names it. */
int capture_open(struct capture **capture, const char *path, struct error *error);
void capture_close(struct capture **capture);
/* The next line that is not blank, or `*more` false at the end. ERROR_INPUT names file and line where
 * the text is no capture line or the compressed data ends early or is damaged. The receive time's
 * unit is told by its digits: 10 s, 13 ms, 16 us, 19 ns. */
int capture_next(struct capture *capture, struct capture_line *line, bool *more,
                 struct error *error);
/* Hash of the unpacked bytes read so far, and how many. */
void capture_digest(struct capture *capture, uint8_t digest[16], uint64_t *bytes);
uint64_t capture_blank_lines(const struct capture *capture);
/* Position in the file as stored, and its size, for a progress line. */
void capture_position(const struct capture *capture, uint64_t *position, uint64_t *size);

#endif
