/* The venues' frames and answers as they came, beside the tape, so that a decoder can be fixed and run again. JSON
 * lines as of other recorders:
 *   {"t":"recv","conn":"binance_us.0","ts":…,"data":…}
 *   {"t":"http","conn":"binance_us.http","ts":…,"url":…,"status":…,"data":…} */
#ifndef CAPSTAN_LIVE_RAW_H
#define CAPSTAN_LIVE_RAW_H

#include "base/error.h"

struct raw;

/* NULL `path`: *raw is NULL. Appends to a file that is there. */
int raw_open(struct raw **raw, const char *path, struct error *error);
/* From any thread. The first failure to write is told once on standard error and ends the writing. */
void raw_frame(struct raw *raw, const char *venue, unsigned channel, int64_t now, const char *text,
               size_t length);
/* The answer to a request that read something, in the same file. */
void raw_answer(struct raw *raw, const char *venue, int64_t now, const char *url, long status,
                const char *body, size_t length);
void raw_close(struct raw **raw);

#endif
