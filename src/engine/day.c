/* Trading days from the calendar alone: no table of time zones is read. */
#include "engine/day.h"

#include "base/time.h"

#define HOUR_NS (3600 * NS_PER_SECOND)
#define DAY_NS  (24 * HOUR_NS)
/* A little less than int64 holds, so that neighbouring days fit too. */
#define FURTHEST INT64_C(9000000000000000000)

enum {
    FX_HOUR = 17,     /* local time at which an FX day begins */
    WINTER_HOURS = 5, /* New York behind UTC */
    SUMMER_HOURS = 4, /* likewise, daylight time */
    MARCH = 3,
    NOVEMBER = 11,
    DAYS_PER_ERA = 146097, /* 400 years */
    EPOCH_SHIFT = 719468   /* days from 0000-03-01 to 1970-01-01 */
};

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    return value / divisor - (value % divisor < 0);
}

/* Days since 1970 of the first of a month from March on, and the year of a day: the proleptic Gregorian
 * calendar with years that begin in March, so that the leap day is the last. */
static int64_t days_of(int64_t year, int month)
{
    int64_t era = floor_divide(year, 400), of_era = year - era * 400;
    int64_t of_year = (153 * (month - MARCH) + 2) / 5;
    return era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_SHIFT;
}

static int64_t year_of(int64_t days)
{
    days += EPOCH_SHIFT;
    int64_t era = floor_divide(days, DAYS_PER_ERA), of_era = days - era * DAYS_PER_ERA;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / (DAYS_PER_ERA - 1)) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    return year + era * 400 + (of_year >= 306); /* January and February belong to the next */
}

/* The n-th Sunday of a month from March on. 1970-01-01 was a Thursday. */
static int64_t sunday(int64_t year, int month, int n)
{
    int64_t first = days_of(year, month);
    int64_t weekday = (first + 4) - floor_divide(first + 4, 7) * 7; /* 0: Sunday */
    return first + (7 - weekday) % 7 + (int64_t)(n - 1) * 7;
}

/* 17:00 in New York on a date. Clocks change at 2:00, so the date alone decides. */
static int64_t fx_start(int64_t days)
{
    int64_t year = year_of(days);
    bool summer = days >= sunday(year, MARCH, 2) && days < sunday(year, NOVEMBER, 1);
    return days * DAY_NS + (FX_HOUR + (summer ? SUMMER_HOURS : WINTER_HOURS)) * HOUR_NS;
}

/* The date on which the day of `now` began: UTC's date, or for an FX day that or the date before. */
static int64_t date_of(enum day_zone zone, int64_t now)
{
    now = now > FURTHEST ? FURTHEST : now < -FURTHEST ? -FURTHEST : now;
    int64_t days = floor_divide(now, DAY_NS);
    return zone == DAY_FX && fx_start(days) > now ? days - 1 : days;
}

static int64_t start_of(enum day_zone zone, int64_t days)
{
    return zone == DAY_FX ? fx_start(days) : days * DAY_NS;
}

int64_t day_start(enum day_zone zone, int64_t now)
{
    return start_of(zone, date_of(zone, now));
}

int64_t day_after(enum day_zone zone, int64_t now)
{
    return start_of(zone, date_of(zone, now) + 1);
}
