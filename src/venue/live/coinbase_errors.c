/* See coinbase_errors.h. */
#include "venue/live/coinbase_errors.h"

#include <string.h>

enum reject coinbase_reject(const struct coinbase_error *error, bool *known)
{
    static const struct {
        const char *reason, *part;
        enum reject reject;
    } rows[] = {
#define X(reason, part, reject) {reason, part, reject},
        COINBASE_ERRORS(X)
#undef X
    };
    static const char preview[] = "PREVIEW_";
    const char *reason = error->reason;
    if (strncmp(reason, preview, sizeof preview - 1) == 0)
        reason += sizeof preview - 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].reason, reason) == 0 && strstr(error->text, rows[i].part)) {
            *known = true;
            return rows[i].reject;
        }
    }
    *known = false;
    return REJECT_OTHER;
}
