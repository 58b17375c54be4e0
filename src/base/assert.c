/* Where a broken promise of our own code ends: one line on standard error, the stack, then abort(). */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

#if defined(__GLIBC__) || defined(__APPLE__)
#include <execinfo.h>
#include <unistd.h>

enum { FRAMES_MAX = 64 };

/* Addresses within the program, for addr2line: -e PROGRAM 0x1234. */
static void print_stack(void)
{
    void *frames[FRAMES_MAX];
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
}
#else
static void print_stack(void) {}
#endif

_Noreturn void assert_failed(const char *file, int line, const char *function,
                             const char *condition)
{
    fprintf(stderr, "%s:%d: %s: assertion failed: %s\n", file, line, function, condition);
    print_stack();
    abort();
}
