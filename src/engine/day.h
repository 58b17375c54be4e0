/* Trading days in UTC and by the FX market's 17:00 in New York (trading-semantics 22). */
#ifndef CAPSTAN_ENGINE_DAY_H
#define CAPSTAN_ENGINE_DAY_H

#include "base/integer.h"

/* In the order of the words of account.day_zone. */
enum day_zone { DAY_UTC, DAY_FX };

/* Start of the day that holds `now`, and of the one after it, ns since 1970 UTC. An FX day that a clock
 * change falls into has 23 or 25 hours. The clock of New York follows the rules of 2007 (second Sunday of
 * March to first Sunday of November, at 2:00) in every year. Times beyond the years 1685 to 2255 count as
 * the nearest of those. */
int64_t day_start(enum day_zone zone, int64_t now);
int64_t day_after(enum day_zone zone, int64_t now);

#endif
