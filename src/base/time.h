/* Time as int64 nanoseconds since 1970 UTC, its text, and durations. No clock is read here. */
#ifndef CAPSTAN_BASE_TIME_H
#define CAPSTAN_BASE_TIME_H

#include "base/error.h"

#define NS_PER_US     INT64_C(1000)
#define NS_PER_MS     INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)
#define TIME_NEVER    INT64_MAX
/* The latest time at which anything runs, in the year 2116: what is added to it to make a deadline fits. */
#define TIME_LATEST (INT64_C(1) << 62)

enum { TIME_TEXT_MAX = 40 };

/* RFC 3339 in UTC with nine decimals ("2024-08-08T23:54:14.000000000Z"). Years 1678..2261. Returns
 * the length without the NUL. */
size_t time_to_text(int64_t time_ns, char out[TIME_TEXT_MAX]);

/* RFC 3339 with up to nine decimals and Z or an offset, or integer nanoseconds. Returns 0 or
 * ERROR_INPUT with what was expected. */
int time_from_text(const char *text, size_t length, int64_t *time_ns, struct error *error);

/* "250ms", "2s", "100us", "10ns", "5m", "1h", "1.5s": a number with its unit, exact to 1 ns. A bare
 * "0" is allowed, any other number without a unit is not. */
int duration_from_text(const char *text, size_t length, int64_t *duration_ns, struct error *error);

/* A whole number of the longest unit that divides it ("250ms", "90s", "0"). Returns the length
 * without the NUL. */
size_t duration_to_text(int64_t duration_ns, char out[TIME_TEXT_MAX]);

#endif
