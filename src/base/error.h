/* Operating errors: one code, one sentence in a buffer that the caller owns. */
#ifndef CAPSTAN_BASE_ERROR_H
#define CAPSTAN_BASE_ERROR_H

#include "base/integer.h"

/* What a person can do about it, which is also the exit status of the command line. */
#define ERROR_CODES(X)                                                                             \
    X(ERROR_NONE, 0, "no error")                                                                   \
    X(ERROR_DIFFERENT, 1, "the comparison found a difference")                                     \
    X(ERROR_INPUT, 2, "bad input: a file, a field, an option or a setting")                        \
    X(ERROR_SYSTEM, 3, "the operating system refused: disk, memory, permission")

enum error_code {
#define X(name, number, meaning) name = number,
    ERROR_CODES(X)
#undef X
};

enum { ERROR_TEXT_MAX = 1024 };

/* A failure as the caller sees it. `text` is one line without a full stop at its end, and names the
 * file, line or field and what was expected. Unused (code ERROR_NONE) after a success. */
struct error {
    enum error_code code;
    char text[ERROR_TEXT_MAX];
};

/* Fill `error` (may be NULL) and return `code`, so that a function can end in
 * `return error_set(error, ERROR_INPUT, "…")`. Text past ERROR_TEXT_MAX is cut. */
int error_set(struct error *error, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#ifdef __clang_analyzer__
/* clang's analyzer sees one file at a time: this tells it that what is returned is the code, never 0. */
#define error_set(error, code, ...) (error_set(error, code, __VA_ARGS__), (int)(code))
#endif

/* Put "prefix: " before the text that is there. Returns the error's code. */
int error_prefix(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
