/* See oanda_errors.h. */
#include "venue/live/oanda_errors.h"

#include <string.h>

struct row_of_reasons {
    const char *reason;
    enum reject reject;
};

#define X(reason, reject) {reason, reject},
static const struct row_of_reasons rejects[] = {V20_REJECTS(X)};
static const struct row_of_reasons ends[] = {V20_ENDS(X)};
#undef X

enum reject v20_reject(const char *reason, bool *known)
{
    for (size_t i = 0; i < sizeof rejects / sizeof *rejects; i++) {
        if (strcmp(rejects[i].reason, reason) == 0) {
            *known = true;
            return rejects[i].reject;
        }
    }
    *known = false;
    return REJECT_OTHER;
}

enum reject v20_end(const char *reason)
{
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strcmp(ends[i].reason, reason) == 0)
            return ends[i].reject;
    return REJECT_NONE;
}
