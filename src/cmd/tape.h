/* The commands of `capstan tape`, one file each, and what they share. */
#ifndef CAPSTAN_CMD_TAPE_H
#define CAPSTAN_CMD_TAPE_H

#include "tape/tape.h"

/* X(name, one line) */
#define TAPE_COMMANDS(X)                                                                           \
    X(info, "what stands on a tape and how far to trust it")                                       \
    X(cat, "the messages of a tape as text")                                                       \
    X(check, "read a tape whole and say whether it is sound")                                      \
    X(recover, "what a killed session left beside its tape, brought onto it")                      \
    X(repair, "the whole blocks of a tape that was cut off")                                       \
    X(cut, "a part of a tape, as a tape")                                                          \
    X(make, "a tape from text")                                                                    \
    X(book, "the books of a tape as they stood at a time")

#define X(name, line) int cmd_tape_##name(int argc, char **argv);
TAPE_COMMANDS(X)
#undef X

enum { TAPE_IDENTITY_TEXT_MAX = 2 * TAPE_IDENTITY_BYTES + 1 };

/* 32 hexadecimal digits and NUL. */
void tape_identity_text(const uint8_t identity[TAPE_IDENTITY_BYTES],
                        char out[TAPE_IDENTITY_TEXT_MAX]);
/* Whether nobody knows any more what the book of `instrument`, of `venue`, is after this message: a gap in its depth, one
 * without instrument, or the end of the venue's connection. (A gap of trades or best prices is none of the book.) */
bool tape_loses_book(const struct message *message, unsigned instrument, unsigned venue);
/* 0 where `output` was given and is not `input`; else the exit status, after one line to standard
 * error. `command` is the command's name. */
int tape_need_output(const char *command, const char *output, const char *input);

/* ERROR_INPUT where nothing of the tape at `path` lies between `from` and `to`, both included, or `from` is
 * after `to`: names the option and the tape's first and last time. A tape without a message passes. */
int tape_check_span(const struct tape_reader *reader, const char *path, int64_t from, int64_t to,
                    struct error *error);

#endif
