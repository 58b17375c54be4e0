/* Times and durations as text, at the edges of the calendar and of int64. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/time.h"

static void check_time(int64_t time_ns, const char *text)
{
    char out[TIME_TEXT_MAX];
    int64_t again = 5;
    struct error error;

    cr_expect_eq(time_to_text(time_ns, out), strlen(text));
    cr_expect_str_eq(out, text);
    cr_expect_eq(time_from_text(text, strlen(text), &again, &error), 0, "%s", text);
    cr_expect_eq(again, time_ns, "%s", text);
}

Test(time, text)
{
    check_time(0, "1970-01-01T00:00:00.000000000Z");
    check_time(INT64_C(1723161254000000000), "2024-08-08T23:54:14.000000000Z");
    check_time(-1, "1969-12-31T23:59:59.999999999Z");
    check_time(INT64_C(951782400000000001), "2000-02-29T00:00:00.000000001Z");
    check_time(INT64_C(4107542400000000000), "2100-03-01T00:00:00.000000000Z");
    check_time(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
    check_time(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
}

static void check_reads(const char *text, int64_t time_ns)
{
    int64_t read = 5;
    struct error error;

    cr_expect_eq(time_from_text(text, strlen(text), &read, &error), 0, "%s", text);
    cr_expect_eq(read, time_ns, "%s", text);
}

Test(time, other_forms)
{
    check_reads("2024-08-08T23:54:14Z", INT64_C(1723161254000000000));
    check_reads("2024-08-08t23:54:14.5z", INT64_C(1723161254500000000));
    check_reads("2024-08-09 01:54:14.000001+02:00", INT64_C(1723161254000001000));
    check_reads("2024-08-08T18:24:14-05:30", INT64_C(1723161254000000000));
    check_reads("1723161254000000000", INT64_C(1723161254000000000));
    check_reads("-1", -1);
    check_reads("9223372036854775807", INT64_MAX);
}

Test(time, refused)
{
    static const char *const texts[] = {
        "",
        "now",
        "-",
        "1.5",
        "9223372036854775808",
        "2024-08-08",
        "2024-08-08T23:54:14",
        "2024-08-08T23:54:14.Z",
        "2024-08-08T23:54:14.0000000000Z",
        "2024-08-08T23:54Z",
        "2024-13-08T23:54:14Z",
        "2024-00-08T23:54:14Z",
        "2023-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2024-08-32T00:00:00Z",
        "2024-08-00T00:00:00Z",
        "2024-08-08T24:00:00Z",
        "2024-08-08T23:60:00Z",
        "2024-08-08T23:54:60Z",
        "2024-08-08T23:54:14+2:00",
        "2024-08-08T23:54:14+24:00",
        "2024-08-08T23:54:14Z ",
        " 2024-08-08T23:54:14Z",
        "2262-04-11T23:47:16.854775808Z",
        "1677-09-21T00:12:43.145224191Z",
        "9999-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t time_ns = 5;
        struct error error;
        cr_expect_eq(time_from_text(texts[i], strlen(texts[i]), &time_ns, &error), ERROR_INPUT,
                     "%s", texts[i]);
        cr_expect_eq(time_ns, 5);
        cr_expect(strstr(error.text, "expected RFC 3339") != NULL);
    }
    int64_t time_ns;
    cr_assert_eq(time_from_text("2024-08-08\00023:54:14Z", 20, &time_ns, NULL), ERROR_INPUT);
}

/* Every second day of six centuries, and a step that visits all times of day. */
Test(time, calendar_reads_back)
{
    int64_t time_ns = INT64_MIN + 12345;
    char text[TIME_TEXT_MAX];

    for (;;) {
        size_t length = time_to_text(time_ns, text);
        int64_t again;
        cr_assert_eq(time_from_text(text, length, &again, NULL), 0, "%s", text);
        cr_assert_eq(again, time_ns, "%s", text);
        if (__builtin_add_overflow(time_ns, INT64_C(172799987654321), &time_ns))
            break;
    }
}

static void check_duration(const char *text, int64_t duration_ns, const char *canonical)
{
    int64_t read = 5;
    char out[TIME_TEXT_MAX];
    struct error error;

    cr_expect_eq(duration_from_text(text, strlen(text), &read, &error), 0, "%s", text);
    cr_expect_eq(read, duration_ns, "%s", text);
    cr_expect_eq(duration_to_text(read, out), strlen(canonical));
    cr_expect_str_eq(out, canonical);
}

Test(time, durations)
{
    check_duration("0", 0, "0");
    check_duration("0ms", 0, "0");
    check_duration("250ms", 250000000, "250ms");
    check_duration("2s", 2 * NS_PER_SECOND, "2s");
    check_duration("1.5s", 1500000000, "1500ms");
    check_duration("100us", 100000, "100us");
    check_duration("10ns", 10, "10ns");
    check_duration("5m", 300 * NS_PER_SECOND, "5m");
    check_duration("90s", 90 * NS_PER_SECOND, "90s");
    check_duration("60m", 3600 * NS_PER_SECOND, "1h");
    check_duration("-0.1us", -100, "-100ns");
    check_duration("0.1h", 360 * NS_PER_SECOND, "6m");
    check_duration("9223372036854775807ns", INT64_MAX, "9223372036854775807ns");
    check_duration("-9223372036854775808ns", INT64_MIN, "-9223372036854775808ns");
}

Test(time, durations_refused)
{
    static const char *const texts[] = {
        "",     "15",    "s",     "1.5ns", "0.0",  "1 s",      "1min",        "1S",      "nans",
        "infs", "1e30h", "1h30m", "1d",    "+-1s", "0.0001us", "9223372037s", "2562048h"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t duration_ns = 5;
        struct error error;
        cr_expect_eq(duration_from_text(texts[i], strlen(texts[i]), &duration_ns, &error),
                     ERROR_INPUT, "%s", texts[i]);
        cr_expect_eq(duration_ns, 5);
        cr_expect(strstr(error.text, "expected a number with its unit") != NULL);
    }
}
