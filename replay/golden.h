/* Golden texts: write one, or compare with one and show the first line that differs. */
#ifndef CAPSTAN_REPLAY_GOLDEN_H
#define CAPSTAN_REPLAY_GOLDEN_H

#include "base/error.h"

/* The first line in which `path` and the text differ, or its absence, is ERROR_DIFFERENT. */
int golden_compare(const char *path, const char *text, size_t length, struct error *error);
/* Write it, if it is not the same already. */
int golden_bless(const char *path, const char *text, size_t length, struct error *error);

#endif
