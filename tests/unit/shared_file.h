/* Files of the recorded payloads, for tests that skip where they are absent. */
#ifndef CAPSTAN_TESTS_SHARED_FILE_H
#define CAPSTAN_TESTS_SHARED_FILE_H

#include <stddef.h>

/* The bytes of a file below $CAPSTAN_SHARED (../shared beside the sources where that is not set), with a NUL
 * behind them; NULL where it is not there. Freed by the caller. */
char *shared_file(const char *name, size_t *length);

#endif
