/* Tapes of one session that follow each other (tape.rotate_every), in their order. */
#ifndef CAPSTAN_RUN_CHAIN_H
#define CAPSTAN_RUN_CHAIN_H

#include <stddef.h>

#include "base/error.h"

/* Put the paths of tapes in the order in which they follow each other, whatever order a shell gave them. ERROR_INPUT names the
 * tape that is there twice, that is missing between two, or that follows none and so is of no chain. */
int chain_sort(const char **paths, size_t count, struct error *error);

#endif
