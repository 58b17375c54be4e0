/* The venues' frames and answers as they came, beside the tape, so that a decoder can be fixed and run again. JSON
 * lines as of other recorders:
 *   {"t":"recv","conn":"binance_us.0","ts":…,"data":…}
 *   {"t":"http","conn":"binance_us.http","ts":…,"url":…,"status":…,"data":…} */
#ifndef CAPSTAN_LIVE_RAW_H
#define CAPSTAN_LIVE_RAW_H

#include "base/error.h"
#include "venue/live/credentials.h"

struct raw;

enum { RAW_HIDDEN_MAX = 16 }; /* credentials that raw_hide takes */

/* NULL `path`: *raw is NULL. Appends to a file that is there; a regular file is this user's alone (0600) from then
 * on. */
int raw_open(struct raw **raw, const char *path, struct error *error);
/* From now on "***" stands wherever the key or the secret came (OANDA's URLs and answers bear the account's id).
 * The credentials must outlive what is written. Before any thread writes; NULL `raw` is allowed. */
void raw_hide(struct raw *raw, const struct credentials *credentials);
/* From any thread. The first failure to write is told once on standard error and ends the writing. */
void raw_frame(struct raw *raw, const char *venue, unsigned channel, int64_t now, const char *text,
               size_t length);
/* The answer to a request that read something, in the same file; what signs the request is left out of its URL. */
void raw_answer(struct raw *raw, const char *venue, int64_t now, const char *url, long status,
                const char *body, size_t length);
void raw_close(struct raw **raw);

#endif
