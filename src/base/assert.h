/* Assertions that stay on in release builds: a broken promise of our own code, never of an input.
 */
#ifndef CAPSTAN_BASE_ASSERT_H
#define CAPSTAN_BASE_ASSERT_H

/* Ends the process after `file:line: function: condition` went to standard error. Provided by
 * base/assert.c for programs; the pure rooms link against the symbol only. */
__attribute__((cold)) _Noreturn void assert_failed(const char *file, int line, const char *function,
                                                   const char *condition);

#define ASSERT(condition)                                                                          \
    (__builtin_expect(!!(condition), 1) ? (void)0                                                  \
                                        : assert_failed(__FILE__, __LINE__, __func__, #condition))

#endif
