/* The venues' frames as they came, beside the tape: JSON lines {"t":"recv","conn":…,"ts":…,"data":…} as of
 * other recorders, so that a decoder can be fixed and run again. */
#ifndef CAPSTAN_LIVE_RAW_H
#define CAPSTAN_LIVE_RAW_H

#include "base/error.h"

struct raw;

/* NULL `path`: *raw is NULL. Appends to a file that is there. */
int raw_open(struct raw **raw, const char *path, struct error *error);
/* From any thread. The first failure to write is told once on standard error and ends the writing. */
void raw_frame(void *raw, const char *venue, unsigned channel, int64_t now, const char *text,
               size_t length);
void raw_close(struct raw **raw);

#endif
