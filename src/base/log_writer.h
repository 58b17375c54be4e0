/* A thread that writes log lines, so that who logs waits for no disk and no terminal.
 *
 *   any thread ──► ring of lines ──► thread ──► file or standard error
 *
 * Where the ring is full a line is dropped and counted; the count is told by a line of target "capstan.log" when there
 * is room again. The thread begins no write that a pipe which nobody reads would hold up. A terminal that has room for a
 * part of a line, or a disk that hangs, holds it nevertheless: then it is left behind. */
#ifndef CAPSTAN_BASE_LOG_WRITER_H
#define CAPSTAN_BASE_LOG_WRITER_H

#include "base/log.h"

/* X(name, text): how lines look. LOG_FORM_AUTO: for a person at a terminal, else JSON. */
#define LOG_FORMS(X)                                                                               \
    X(LOG_FORM_AUTO, "auto")                                                                       \
    X(LOG_FORM_JSON, "json")                                                                       \
    X(LOG_FORM_HUMAN, "human")

enum log_form {
#define X(name, text) name,
    LOG_FORMS(X)
#undef X
};

struct log_writer_options {
    const char
        *path; /* appended to, made with mode 0640 where it is not there; NULL: standard error */
    enum log_form form;
    const char *filter; /* as log_init */
    unsigned lines;     /* that the ring holds, a power of two; 0: 4096 */
};

/* Set `log` up to write through a thread, which begins. ERROR_INPUT: the filter, or a file that can't be opened (a
 * FIFO that nobody reads is such a one). `log` and what is told of it are valid until log_writer_close. */
int log_writer_open(struct log *log, const struct log_writer_options *options, struct error *error);

/* Put a line into the ring; LOG_LINE_MAX bytes at most. From any thread: no lock, no system call, no wait. */
void log_writer_put(struct log_writer *writer, const char *line, size_t length);

/* Open the file again by its name, which rotation has given to a new one; the thread does it at once. Without a file:
 * nothing. From any thread. */
void log_writer_reopen(struct log_writer *writer);
/* There is a file that could be opened again; false for NULL. */
bool log_writer_has_file(const struct log_writer *writer);

/* Lines dropped so far, those that were told included. */
uint64_t log_writer_dropped(const struct log_writer *writer);

/* Write a line behind what the thread has written, past the ring: for a process that ends by force. Takes at most
 * `limit_ns`: a half for the ring to empty, what is left for the file. False where it was not written by then. */
bool log_writer_last_words(struct log_writer *writer, const char *line, size_t length,
                           int64_t limit_ns);

/* Write what the ring holds, for `limit_ns` at most, end the thread, free it: `limit_ns` and a fifth of a second in all.
 * False where lines are left that could not be written; a thread that a write holds is then left behind with its memory,
 * which it frees should the write return. A log without a writer is left alone: true. */
bool log_writer_close(struct log *log, int64_t limit_ns);

#endif
