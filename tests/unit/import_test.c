/* The importer: grids, the clock, capture files, and hand-made captures to the very messages that
 * come out of them (tests/end_to_end/captures). */
#include "config.h"

#include "import/import.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "import/capture.h"
#include "import/grid.h"
#include "import/instruments.h"

enum { TEXT_MAX = 16 * 1024 };

/* --- grid -------------------------------------------------------------------------------------- */

static void expect_step(const char *values, int64_t units, int exponent)
{
    struct grid grid = {0};
    char copy[256];
    snprintf(copy, sizeof copy, "%s", values);
    for (char *rest, *text = strtok_r(copy, " ", &rest); text != NULL;
         text = strtok_r(NULL, " ", &rest)) {
        struct decimal value;
        cr_assert_eq(decimal_from_text(text, strlen(text), &value), NUMBER_VALUE);
        grid_add(&grid, value);
    }
    int64_t found_units = 0;
    int found_exponent = 0;
    cr_assert(grid_step(&grid, &found_units, &found_exponent), "%s", values);
    cr_expect_eq(found_units, units, "%s: %lld", values, (long long)found_units);
    cr_expect_eq(found_exponent, exponent, "%s: 1e%d", values, found_exponent);
}

Test(grid, largest_of_1_2_5_times_a_power_of_ten)
{
    expect_step("100.0 100.5 101", 5, -1);
    expect_step("0.02 0.06 0.10", 2, -2);
    expect_step("0.02 0.05", 1, -2);
    expect_step("400 1200", 2, 2);
    expect_step("2500 7500", 5, 2);
    expect_step("0.00000001 90000000000", 1, -8);
    expect_step("1000 0 -3000", 1, 3);
    expect_step("1e18 1e-18", 1, -18);
    expect_step("9223372036854775807 0.5", 5, -1);
}

Test(grid, nothing_seen)
{
    struct grid grid = {0};
    int64_t units;
    int exponent;
    grid_add(&grid, (struct decimal){0, 0});
    cr_expect_not(grid_step(&grid, &units, &exponent));
}

Test(grid, order_and_merging_do_not_matter)
{
    struct grid a = {0}, b = {0}, all = {0};
    const struct decimal values[] = {{625, -1}, {75, 0}, {3, 3}, {15, -1}};
    for (size_t i = 0; i < 4; i++) {
        grid_add(i % 2 == 0 ? &a : &b, values[i]);
        grid_add(&all, values[3 - i]);
    }
    grid_merge(&a, &b);
    cr_expect_eq(a.divisor, all.divisor);
    cr_expect_eq(a.exponent, all.exponent);
}

/* --- clock ------------------------------------------------------------------------------------- */

enum { WINDOW_SECONDS = 600 };
#define AT(seconds) (INT64_C(1723161600000000000) + (seconds)*NS_PER_SECOND) /* aligned to 600 s */

static void add(struct clock_correction *clock, int64_t seconds, int64_t difference_ms)
{
    int64_t receive = AT(seconds);
    cr_assert_eq(clock_correction_add(clock, receive, receive - difference_ms * NS_PER_MS, NULL),
                 0);
}

/* trading-semantics 2: m = -1270, then -1272 ms: correction 1271 and 1273, halfway 1272. */
Test(clock_correction, rule_2)
{
    struct clock_correction clock = {0};
    add(&clock, 700, -1272);
    add(&clock, 10, -1270);
    add(&clock, 20, -1100);
    add(&clock, 590, -1269);
    add(&clock, 1190, -1200);
    clock_correction_finish(&clock, NS_PER_MS);
    cr_assert_eq(clock.count, 2);
    cr_expect_eq(clock_correction_at(&clock, AT(300)), 1271 * NS_PER_MS);
    cr_expect_eq(clock_correction_at(&clock, AT(900)), 1273 * NS_PER_MS);
    cr_expect_eq(clock_correction_at(&clock, AT(600)), 1272 * NS_PER_MS);
    cr_expect_eq(clock_correction_at(&clock, AT(0)), 1271 * NS_PER_MS);
    cr_expect_eq(clock_correction_at(&clock, AT(5000)), 1273 * NS_PER_MS);
    clock_correction_free(&clock);
}

Test(clock_correction, short_windows_join_a_neighbour)
{
    struct clock_correction clock = {0};
    add(&clock, 550, -20); /* first, spans 49 s: joins the next */
    add(&clock, 599, -5);
    add(&clock, 600, -10);
    add(&clock, 1100, -12);
    add(&clock, 1200, -30); /* spans 0 s: joins the one before */
    clock_correction_finish(&clock, 0);
    cr_assert_eq(clock.count, 1);
    cr_expect_eq(clock.windows[0].start_ns, AT(600));
    cr_expect_eq(clock.windows[0].joined, 2);
    cr_expect_eq(clock_correction_at(&clock, AT(0)), 30 * NS_PER_MS);
    clock_correction_free(&clock);
}

Test(clock_correction, a_falling_correction_rounds_down)
{
    struct clock_correction clock = {0};
    add(&clock, 0, 0);
    add(&clock, 599, 0);
    add(&clock, 600, 1);
    add(&clock, 1199, 1);
    clock_correction_finish(&clock, 0);
    /* 1 ms less over 600 s: one nanosecond after the first middle it is already below. */
    cr_expect_eq(clock_correction_at(&clock, AT(300)), 0);
    cr_expect_eq(clock_correction_at(&clock, AT(300) + 1), -1);
    cr_expect_eq(clock_correction_at(&clock, AT(600)), -NS_PER_MS / 2);
    clock_correction_free(&clock);
}

Test(clock_correction, no_venue_time_no_correction)
{
    struct clock_correction clock = {0};
    clock_correction_finish(&clock, NS_PER_MS);
    cr_expect_eq(clock_correction_at(&clock, AT(0)), 0);
}

/* --- capture files ----------------------------------------------------------------------------- */

static char temporary[64];

static void in_folder(void)
{
    snprintf(temporary, sizeof temporary, "/tmp/import_test.XXXXXX");
    cr_assert_not_null(mkdtemp(temporary));
    cr_assert_eq(chdir(temporary), 0);
}

static void out_of_folder(void)
{
    cr_assert_eq(chdir("/"), 0);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", temporary);
    cr_assert_eq(system(command), 0);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
}

Test(capture, units_by_digits_and_blank_lines, .init = in_folder, .fini = out_of_folder)
{
    write_file("plain", "1723161600 a\r\n\n1723161600123 b\n1723161600123456 c c\n"
                        "1723161600123456789 d");
    const int64_t times[] = {INT64_C(1723161600000000000), INT64_C(1723161600123000000),
                             INT64_C(1723161600123456000), INT64_C(1723161600123456789)};
    const char *const frames[] = {"a", "b", "c c", "d"};
    struct capture *capture;
    struct capture_line line;
    bool more;
    cr_assert_eq(capture_open(&capture, "plain", NULL), 0);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(capture_next(capture, &line, &more, NULL), 0);
        cr_assert(more);
        cr_expect_eq(line.receive_ns, times[i]);
        cr_expect_eq(line.length, strlen(frames[i]));
        cr_expect_eq(memcmp(line.frame, frames[i], line.length), 0);
    }
    cr_expect_eq(line.number, 5);
    cr_assert_eq(capture_next(capture, &line, &more, NULL), 0);
    cr_expect_not(more);
    cr_expect_eq(capture_blank_lines(capture), 1);
    capture_close(&capture);
}

Test(capture, lines_longer_than_a_buffer, .init = in_folder, .fini = out_of_folder)
{
    const size_t length = 3 * 1024 * 1024;
    FILE *file = fopen("long", "wb");
    cr_assert_not_null(file);
    for (int k = 0; k < 2; k++) {
        fputs("1723161600 ", file);
        for (size_t i = 0; i < length; i++)
            putc('x', file);
        putc('\n', file);
    }
    fclose(file);
    struct capture *capture;
    struct capture_line line;
    bool more;
    cr_assert_eq(capture_open(&capture, "long", NULL), 0);
    for (int k = 0; k < 2; k++) {
        cr_assert_eq(capture_next(capture, &line, &more, NULL), 0);
        cr_assert(more);
        cr_expect_eq(line.length, length);
    }
    capture_close(&capture);
}

Test(capture, a_line_beyond_the_limit_is_an_error, .init = in_folder, .fini = out_of_folder)
{
    struct error error = {0};
    FILE *file = fopen("endless", "wb");
    cr_assert_not_null(file);
    for (size_t i = 0; i < CAPTURE_LINE_MAX + 2; i++)
        putc('1', file);
    fclose(file);
    struct capture *capture;
    struct capture_line line;
    bool more;
    cr_assert_eq(capture_open(&capture, "endless", &error), 0);
    cr_expect_eq(capture_next(capture, &line, &more, &error), ERROR_INPUT);
    cr_expect_str_eq(error.text, "endless:1: line longer than 16 MiB");
    capture_close(&capture);
}

/* --- instruments ------------------------------------------------------------------------------- */

Test(instruments, built_in)
{
    struct instrument_table *table;
    struct instrument_terms terms;
    struct error error = {0};
    cr_assert_eq(instrument_table_load(&table, NULL, &error), 0, "%s", error.text);
    cr_assert(instrument_table_find(table, "binance_spot", "NEXOUSDT", &terms));
    cr_expect_str_eq(terms.base, "NEXO");
    cr_expect_str_eq(terms.quote, "USDT");
    cr_expect_eq(terms.maker_fee, 1000000);
    cr_expect_eq(terms.fee_asset, FEE_IN_RECEIVED);
    cr_assert(instrument_table_find(table, "binance_coinm", "BTCUSD_PERP", &terms));
    cr_expect_eq(terms.multiplier, 100);
    cr_expect_str_eq(terms.settle, "BTC");
    cr_expect_str_eq(terms.quote, "USD");
    cr_assert(instrument_table_find(table, "binance_coinm", "ETHUSD_PERP", &terms));
    cr_expect_eq(terms.multiplier, 10);
    cr_expect_str_eq(terms.base, "ETH");
    cr_expect_str_eq(terms.settle, "ETH");
    cr_assert(instrument_table_find(table, "binance_usdm", "BTCUSDT", &terms));
    cr_expect_eq(terms.contract, CONTRACT_LINEAR);
    cr_expect_eq(terms.taker_fee, 500000);
    cr_expect_not(instrument_table_find(table, "binance_spot", "USDT", &terms));
    cr_expect_not(instrument_table_find(table, "binance_spot", "BTCXYZ", &terms));
    instrument_table_free(&table);
}

static void expect_refused(const char *yaml, const char *text)
{
    struct instrument_table *table;
    struct error error = {0};
    write_file("terms.yaml", yaml);
    cr_expect_eq(instrument_table_load(&table, "terms.yaml", &error), ERROR_INPUT);
    cr_expect_not_null(strstr(error.text, text), "%s", error.text);
}

Test(instruments, bad_files, .init = in_folder, .fini = out_of_folder)
{
    expect_refused("", "terms.yaml: expected a mapping of venues");
    expect_refused("v: {symbols: {}, fee: 1}", "terms.yaml:1: unknown key");
    expect_refused("v: {contract: round, symbols: {}}",
                   "contract: expected spot, linear or inverse");
    expect_refused("v: {maker_fee: 2, symbols: {}}", "maker_fee: expected a share");
    expect_refused("v: {maker_fee: nan, symbols: {}}", "maker_fee: expected a share");
    expect_refused("v: {multiplier: 0, symbols: {}}", "multiplier: expected a decimal above 0");
    expect_refused("v:\n  contract: spot", "terms.yaml:1: v: needs symbols");
    expect_refused("v: {symbols: {AB: {}}}", "AB: needs contract");
    expect_refused("v: {symbols: {'*A*': {}}}", "*A*: expected at most one *");
    expect_refused("v: {", "not YAML");
}

/* --- captures to messages ---------------------------------------------------------------------- */

static char captures[1024];

static void find_captures(void)
{
    const char *srcdir = getenv("srcdir");
    char *absolute = realpath(srcdir != NULL ? srcdir : ".", NULL);
    snprintf(captures, sizeof captures, "%s/tests/end_to_end/captures", absolute);
    free(absolute);
    in_folder();
}

/* All messages of a tape as text, the time of day only. */
static void tape_text(const char *path, char out[TEXT_MAX])
{
    struct tape_reader *reader;
    struct tape_block block;
    struct error error = {0};
    size_t length = 0;
    out[0] = '\0';
    cr_assert_eq(tape_reader_open(&reader, path, &error), 0, "%s", error.text);
    cr_assert_eq(tape_block_init(&block, reader, &error), 0);
    for (size_t i = 0; i < tape_reader_block_count(reader); i++) {
        cr_assert_eq(tape_reader_read(reader, i, &block, &error), 0, "%s", error.text);
        for (size_t k = 0; k < block.message_count; k++) {
            length += message_to_text(&block.messages[k], &tape_reader_header(reader)->names,
                                      out + length, TEXT_MAX - length);
            cr_assert_lt(length + 2, TEXT_MAX);
            memcpy(out + length++, "\n", 2);
        }
    }
    tape_block_free(&block);
    tape_reader_close(&reader);
}

static struct import_report import_names(const char *const *names, size_t count)
{
    char paths[4][2048];
    const char *files[4];
    struct import_report report;
    struct error error = {0};
    cr_assert_leq(count, 4);
    for (size_t i = 0; i < count; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", captures, names[i]);
        files[i] = paths[i];
    }
    struct import_options options = {.files = files,
                                     .file_count = count,
                                     .output = "out.tape",
                                     .floor_ns = NS_PER_MS,
                                     .tool_version = "test",
                                     .build_id = "test"};
    cr_assert_eq(import_binance(&options, &report, &error), 0, "%s", error.text);
    return report;
}

/* The messages of NAME.txt are those of NAME.messages, which is reviewed by hand. */
static void expect_messages(const char *name, enum tape_grade grade)
{
    char capture[64], path[2048], text[TEXT_MAX], expected[TEXT_MAX];
    const char *names[] = {capture};
    snprintf(capture, sizeof capture, "%s.txt", name);
    snprintf(path, sizeof path, "%s/%s.messages", captures, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    expected[fread(expected, 1, sizeof expected - 1, file)] = '\0';
    fclose(file);
    struct import_report report = import_names(names, 1);
    tape_text("out.tape", text);
    cr_expect_str_eq(text, expected, "%s:\n%s", name, text);
    cr_expect_eq(report.grade, grade, "%s: %d: %s", name, report.grade, report.reasons);
    import_report_free(&report);
}

Test(import, spot_depth_held_before_the_snapshot, .init = find_captures, .fini = out_of_folder)
{
    expect_messages("good_spot_held", TAPE_GRADE_C);
}
Test(import, futures_depth_held_before_the_snapshot, .init = find_captures, .fini = out_of_folder)
{
    expect_messages("good_usdm_held", TAPE_GRADE_C);
}
Test(import, coin_margined, .init = find_captures, .fini = out_of_folder)
{
    expect_messages("good_coinm", TAPE_GRADE_C);
}
Test(import, gap_unsynchronises_until_the_next_snapshot, .init = find_captures,
     .fini = out_of_folder)
{
    expect_messages("good_gap", TAPE_GRADE_D);
}
Test(import, numbers_without_value_keep_their_text, .init = find_captures, .fini = out_of_folder)
{
    expect_messages("good_nan", TAPE_GRADE_C);
}
Test(import, ranks_within_one_receive_time, .init = find_captures, .fini = out_of_folder)
{
    expect_messages("good_one_time", TAPE_GRADE_C);
}
Test(import, snapshots_find_their_book_by_their_ids, .init = find_captures, .fini = out_of_folder)
{
    expect_messages("good_mixed", TAPE_GRADE_C);
}
Test(import, what_comes_twice_counts_once, .init = find_captures, .fini = out_of_folder)
{
    expect_messages("good_twice", TAPE_GRADE_D);
}
