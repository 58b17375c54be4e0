/* See binance_us_errors.h. */
#include "venue/live/binance_us_errors.h"

#include <string.h>

enum reject binance_us_reject(const struct binance_us_error *error, bool *known)
{
    static const struct {
        int64_t code;
        const char *part;
        enum reject reject;
    } rows[] = {
#define X(code, part, reject) {code, part, reject},
        BINANCE_US_ERRORS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].code == error->code && strstr(error->text, rows[i].part)) {
            *known = true;
            return rows[i].reject;
        }
    }
    *known = false;
    return REJECT_OTHER;
}

/* -1000 "an unknown error occurred while processing the request", -1001 "internal error; unable to process your
 * request", -1006 "an unexpected response was received from the message bus. Execution status unknown", -1007
 * "timeout waiting for response from backend server. Send status unknown; execution status unknown". */
bool binance_us_is_unknown(int64_t code)
{
    return code == -1000 || code == -1001 || code == -1006 || code == -1007;
}

/* -1002 unauthorised, -1022 signature, -2008 "Invalid Api-Key ID", -2014 format of the key, -2015 key, address or
 * rights. */
bool binance_us_is_key(int64_t code)
{
    return code == -1002 || code == -1022 || code == -2008 || code == -2014 || code == -2015;
}
