/* The report's parts: escaping, figures as text, ratios of wide sums, tables of two runs beside each other. */
#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/merge.h"
#include "report/run.h"
#include "report/table.h"
#include "report/write.h"

static const struct table_column columns[] = {{"key", "Key", TABLE_KEY},
                                              {"value", "Value", TABLE_FIGURE}};

/* What `write` makes of a text; to be freed. */
static char *written(void (*write)(FILE *, const char *), const char *text)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&bytes, &length);
    write(stream, text);
    fclose(stream);
    return bytes;
}

static void expect(void (*write)(FILE *, const char *), const char *text, const char *wanted)
{
    char *bytes = written(write, text);
    cr_expect_str_eq(bytes, wanted);
    free(bytes);
}

Test(report, html_is_text_wherever_it_stands)
{
    expect(write_html, "<a href=\"x\" id='y'>&",
           "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
    expect(write_html, "a\nb", "a\nb");
    expect(write_html, "a\rb\x01\x7f",
           "a\xef\xbf\xbd"
           "b\xef\xbf\xbd\xef\xbf\xbd");
    expect(write_html, "\xc3\xa9\xff\xc0\x80", "\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    expect(write_html, "", "");
}

Test(report, json_ends_no_script_element)
{
    expect(write_json, "</script>&'\"\\", "\"\\u003c/script\\u003e\\u0026\\u0027\\u0022\\u005c\"");
    expect(write_json, "\xe2\x80\xa8\xe2\x80\xa9\t", "\"\\u2028\\u2029\\u0009\"");
    /* U+013C ends in the byte of '<' when it is cut to eight bits. */
    expect(write_json, "\xc4\xbc\xff", "\"\xc4\xbc\xef\xbf\xbd\"");
}

Test(report, csv_is_quoted_where_it_has_to_be)
{
    expect(write_csv, "plain text", "plain text");
    expect(write_csv, "a,b", "\"a,b\"");
    expect(write_csv, "say \"x\"\r\n", "\"say \"\"x\"\"\r\n\"");
    expect(write_csv, "", "");
}

static void expect_ratio(int128 numerator, int128 denominator, int decimals, const char *wanted)
{
    struct table table;
    table_open(&table, "t", "", "", columns, 1);
    table_ratio(&table, numerator, denominator, decimals);
    cr_expect_str_eq(table_cell(&table, 0, 0), wanted);
    table_close(&table);
}

Test(report, ratios_are_rounded_once_half_to_even)
{
    expect_ratio(1, 8, 2, "0.12");
    expect_ratio(3, 8, 2, "0.38");
    expect_ratio(-1, 8, 2, "-0.12");
    expect_ratio(1, -3, 2, "-0.33");
    expect_ratio(-1, 1000, 2, "0.00");
    expect_ratio(5, 2, 0, "2");
    expect_ratio(7, 2, 0, "4");
    expect_ratio(7, 0, 2, "");
    expect_ratio(0, 5, 2, "0.00");
}

Test(report, ratios_of_wide_sums)
{
    expect_ratio(MONEY_ATTO_MAX, MONEY_ATTO_MAX, 9, "1.000000000");
    expect_ratio(MONEY_ATTO_MAX, MONEY_ATTO_MAX / 4, 2, "4.00");
    expect_ratio(-MONEY_ATTO_MAX, 2, 0, "-85070591730234615865843651857942052864");
    expect_ratio(1, MONEY_ATTO_MAX, 2, "0.00");
}

Test(report, basis_points)
{
    struct table table;
    table_open(&table, "t", "", "", columns, 1);
    table_basis_points(&table, 75, 7055);
    table_basis_points(&table, -MONEY_ATTO_MAX, MONEY_ATTO_MAX);
    table_basis_points(&table, 1, 0);
    cr_expect_str_eq(table_cell(&table, 0, 0), "106.31");
    cr_expect_str_eq(table_cell(&table, 1, 0), "-10000.00");
    cr_expect_str_eq(table_cell(&table, 2, 0), "");
    table_close(&table);
}

Test(report, decimals_of_wide_sums)
{
    struct table table;
    table_open(&table, "t", "", "", columns, 1);
    table_decimal(&table, -5, -3);
    table_decimal(&table, (int128)INT64_MAX * 4, -18);
    table_decimal(&table, 12, 2);
    table_decimal(&table, 0, 0);
    table_decimal(&table, 1, -36);
    cr_expect_str_eq(table_cell(&table, 0, 0), "-0.005");
    cr_expect_str_eq(table_cell(&table, 1, 0), "36.893488147419103228");
    cr_expect_str_eq(table_cell(&table, 2, 0), "1200");
    cr_expect_str_eq(table_cell(&table, 3, 0), "0");
    cr_expect_str_eq(table_cell(&table, 4, 0), "0.000000000000000000000000000000000001");
    table_close(&table);
}

static void row(struct table *table, const char *key, const char *value)
{
    table_text(table, key);
    table_text(table, value);
}

Test(report, rows_of_two_runs_meet_by_their_keys)
{
    struct table a, b;
    struct merge_row *rows;
    struct error error;
    size_t count;
    table_open(&a, "t", "", "", columns, 2);
    table_open(&b, "t", "", "", columns, 2);
    row(&a, "x", "1");
    row(&a, "y", "2");
    row(&b, "z", "3");
    row(&b, "y", "4");
    cr_assert_eq(merge_tables(&a, &b, &rows, &count, &error), 0);
    cr_assert_eq(count, 3);
    cr_expect(rows[0].row[0] == 0 && rows[0].row[1] == MERGE_NONE);
    cr_expect(rows[1].row[0] == 1 && rows[1].row[1] == 1);
    cr_expect(rows[2].row[0] == MERGE_NONE && rows[2].row[1] == 0);
    free(rows);
    table_close(&b);
    table_open(&b, "t", "", "", columns, 2);
    cr_assert_eq(merge_tables(&a, &b, &rows, &count, &error), 0);
    cr_expect_eq(count, 2);
    free(rows);
    table_close(&a);
    table_close(&b);
}

Test(report, differences_are_exact)
{
    char text[MONEY_TEXT_MAX];
    cr_expect(merge_difference("0.1", "0.300000000000000000", text));
    cr_expect_str_eq(text, "0.2");
    cr_expect(merge_difference("3", "-1", text));
    cr_expect_str_eq(text, "-4");
    cr_expect_not(merge_difference("", "1", text));
    cr_expect_not(merge_difference("1", "fresh", text));
    cr_expect_not(merge_difference("-160000000000000000000", "160000000000000000000", text));
}

Test(report, percentiles_by_nearest_rank)
{
    int64_t ns[] = {10, 20, 30, 40};
    const struct run_times times = {.ns = ns, .count = 4};
    cr_expect_eq(run_percentile(&times, 0), 10);
    cr_expect_eq(run_percentile(&times, 25), 10);
    cr_expect_eq(run_percentile(&times, 26), 20);
    cr_expect_eq(run_percentile(&times, 50), 20);
    cr_expect_eq(run_percentile(&times, 99), 40);
    cr_expect_eq(run_percentile(&times, 100), 40);
}

/* --- time without quoting ---------------------------------------------------------------------------- */

Test(report, a_gate_of_the_whole_instrument_is_told_from_one_of_an_order)
{
    cr_expect(run_gate_is_whole(GATE_ORDERS_STREAM));
    cr_expect(run_gate_is_whole(GATE_SHUTDOWN));
    cr_expect(run_gate_is_whole(GATE_RATE), "it is of both");
    cr_expect_not(run_gate_is_whole(GATE_EXPOSURE));
    cr_expect_not(run_gate_is_whole(GATE_TABLE_FULL));
}
