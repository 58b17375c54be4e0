/* The small parts of the ops server: readiness, cells, histograms, the token, request ids. */
#include "config.h" /* POSIX names */

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "ops/cell.h"
#include "ops/histogram.h"
#include "ops/metrics.h"
#include "ops/request_id.h"
#include "ops/token.h"
#include "ops/view.h"

TestSuite(ops_parts, .timeout = 60);

/* --- readiness (D3) ----------------------------------------------------------------------------- */

Test(ops_parts, d3_ready_below_30_000_ms)
{
    const int64_t quote = 1000 * NS_PER_SECOND, limit = 30000 * NS_PER_MS;
    cr_expect(ops_is_ready(quote, quote));
    cr_expect(ops_is_ready(quote, quote + limit - 1));
    cr_expect(!ops_is_ready(quote, quote + limit));
    cr_expect(!ops_is_ready(quote, quote + limit + 1));
}

Test(ops_parts, d3_not_ready_before_the_first_quote_and_while_draining)
{
    cr_expect(!ops_is_ready(OPS_NO_QUOTE, 0));
    cr_expect(!ops_is_ready(OPS_NO_QUOTE, INT64_MAX));
    cr_expect(!ops_is_ready(OPS_NO_QUOTE, INT64_MIN));
    cr_expect(!ops_is_ready(OPS_DRAINING, OPS_DRAINING));
    cr_expect(!ops_is_ready(OPS_DRAINING, INT64_MAX));
}

Test(ops_parts, d3_whatever_a_clock_does)
{
    cr_expect(!ops_is_ready(1000, 999), "a quote in the future is none");
    cr_expect(!ops_is_ready(INT64_MAX, 0));
    cr_expect(!ops_is_ready(INT64_MIN + 2, INT64_MAX), "an age that does not fit");
    cr_expect(!ops_is_ready(0, INT64_MAX));
    cr_expect(ops_is_ready(INT64_MAX, INT64_MAX));
}

/* --- cells -------------------------------------------------------------------------------------- */

enum { CELL_WORDS = 64, CELL_WRITES = 200000 };

static void *write_all(void *context)
{
    uint64_t value[CELL_WORDS];
    for (uint64_t round = 1; round <= CELL_WRITES; round++) {
        for (size_t i = 0; i < CELL_WORDS; i++)
            value[i] = round * (i + 1);
        ops_cell_write(context, value, sizeof value);
    }
    return NULL;
}

Test(ops_parts, a_cell_is_never_read_half)
{
    struct ops_cell *cell = ops_cell_new(CELL_WORDS * sizeof(uint64_t));
    uint64_t value[CELL_WORDS], last = 0;
    pthread_t writer;
    cr_expect(!ops_cell_read(cell, value, sizeof value), "nothing was published");
    cr_assert_eq(pthread_create(&writer, NULL, write_all, cell), 0);
    while (last < CELL_WRITES) {
        if (!ops_cell_read(cell, value, sizeof value))
            continue;
        cr_assert_geq(value[0], last, "time went back");
        last = value[0];
        for (size_t i = 1; i < CELL_WORDS; i++)
            cr_assert_eq(value[i], last * (i + 1), "word %zu is of another write", i);
    }
    pthread_join(writer, NULL);
    free(cell);
}

Test(ops_parts, a_cell_may_be_written_in_part)
{
    struct ops_cell *cell = ops_cell_new(3 * sizeof(uint64_t));
    const uint64_t written[] = {1, 2, 3};
    uint64_t read[3];
    ops_cell_write(cell, written, 2 * sizeof written[0]);
    cr_assert(ops_cell_read(cell, read, sizeof read));
    cr_expect_eq(read[1], 2);
    cr_expect_eq(read[2], 0);
    free(cell);
}

/* --- histograms --------------------------------------------------------------------------------- */

static unsigned bucket_of(const struct ops_bounds *bounds, int64_t ns)
{
    struct ops_histogram histogram = {.bounds = bounds};
    struct ops_reading reading;
    ops_observe(&histogram, ns);
    ops_histogram_read(&histogram, &reading);
    cr_assert_eq(reading.total, 1);
    for (unsigned i = 0; i <= bounds->count; i++)
        if (reading.counts[i] == 1)
            return i;
    return UINT32_MAX;
}

Test(ops_parts, bounds_are_inclusive)
{
    const struct ops_bounds *const all[] = {&ops_bounds_execution, &ops_bounds_opportunity,
                                            &ops_bounds_request, &ops_bounds_fine};
    for (size_t b = 0; b < sizeof all / sizeof all[0]; b++) {
        cr_expect_eq(bucket_of(all[b], 0), 0);
        cr_expect_eq(bucket_of(all[b], -5), 0, "a duration below 0 is none");
        for (unsigned i = 0; i < all[b]->count; i++) {
            cr_expect_eq(bucket_of(all[b], all[b]->ns[i]), i, "bounds %zu, bucket %u", b, i);
            cr_expect_eq(bucket_of(all[b], all[b]->ns[i] + 1), i + 1, "bounds %zu, bucket %u", b,
                         i);
            if (i > 0)
                cr_expect_gt(all[b]->ns[i], all[b]->ns[i - 1]);
        }
        cr_expect_eq(bucket_of(all[b], INT64_MAX), all[b]->count);
    }
}

Test(ops_parts, d7_bounds_of_the_required_histograms)
{
    static const int64_t execution[] = {10, 50, 100, 250, 500, 1000, 2500, 5000};
    static const int64_t request[] = {1, 5, 10, 50, 100, 500, 1000};
    static const int64_t opportunity[] = {10, 25, 50, 100, 250, 500};
    cr_assert_eq(ops_bounds_execution.count, 8);
    for (size_t i = 0; i < 8; i++)
        cr_expect_eq(ops_bounds_execution.ns[i], execution[i] * NS_PER_MS);
    cr_assert_eq(ops_bounds_request.count, 7);
    for (size_t i = 0; i < 7; i++)
        cr_expect_eq(ops_bounds_request.ns[i], request[i] * NS_PER_MS);
    const unsigned finer = ops_bounds_opportunity.count - 6;
    for (size_t i = 0; i < 6; i++)
        cr_expect_eq(ops_bounds_opportunity.ns[finer + i], opportunity[i] * NS_PER_MS);
}

Test(ops_parts, quantiles_lie_within_their_bucket)
{
    struct ops_histogram histogram = {.bounds = &ops_bounds_fine};
    struct ops_reading reading;
    ops_histogram_read(&histogram, &reading);
    cr_expect_eq(ops_quantile(&reading, 0.5), -1);
    for (int64_t us = 1; us <= 1000; us++)
        ops_observe(&histogram, us * 1000);
    ops_histogram_read(&histogram, &reading);
    int64_t median = ops_quantile(&reading, 0.5), high = ops_quantile(&reading, 0.99);
    cr_expect(median > 450000 && median < 550000, "%lld", (long long)median);
    cr_expect(high > 950000 && high < 1050000, "%lld", (long long)high);
    cr_expect_eq(reading.sum_ns, 500500000);
}

/* --- the token ---------------------------------------------------------------------------------- */

static char path[] = "/tmp/capstan-ops-token-XXXXXX";

static void write_token(const char *text, mode_t mode)
{
    memcpy(path + sizeof path - 7, "XXXXXX", 7);
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    cr_assert_eq(fchmod(file, mode), 0);
    close(file);
}

static int load(const char *text, mode_t mode, struct ops_token *token, struct error *error)
{
    *error = (struct error){0};
    write_token(text, mode);
    int code = ops_token_load(token, path, error);
    unlink(path);
    return code;
}

Test(ops_parts, a_token_matches_itself_only)
{
    struct ops_token token;
    struct error error;
    cr_assert_eq(load("0123456789abcdef\n", 0600, &token, &error), 0, "%s", error.text);
    cr_expect(ops_token_matches(&token, "0123456789abcdef"));
    cr_expect(!ops_token_matches(&token, "0123456789abcdeg"));
    cr_expect(!ops_token_matches(&token, "1123456789abcdef"));
    cr_expect(!ops_token_matches(&token, "0123456789abcde"));
    cr_expect(!ops_token_matches(&token, "0123456789abcdef0"));
    cr_expect(!ops_token_matches(&token, ""));
    char longer[400];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    cr_expect(!ops_token_matches(&token, longer));
}

Test(ops_parts, without_a_token_nothing_matches)
{
    struct ops_token token;
    struct error error = {0};
    unsetenv("CREDENTIALS_DIRECTORY");
    cr_assert_eq(ops_token_load(&token, "", &error), 0);
    cr_expect(!ops_token_matches(&token, ""));
}

Test(ops_parts, a_token_that_others_can_read_is_refused)
{
    struct ops_token token;
    struct error error;
    cr_expect_eq(load("0123456789abcdef\n", 0644, &token, &error), ERROR_INPUT);
    cr_expect(strstr(error.text, "chmod 600"), "%s", error.text);
    cr_expect_eq(load("short\n", 0600, &token, &error), ERROR_INPUT);
    cr_expect_eq(load("two words of a token\n", 0600, &token, &error), ERROR_INPUT);
    cr_expect(!strstr(error.text, "words of"), "the error repeats the secret");
    cr_expect_eq(load("0123456789abcdef\nmore\n", 0600, &token, &error), ERROR_INPUT);
    cr_expect_eq(ops_token_load(&token, "/nowhere/token", &error), ERROR_INPUT);
    cr_expect_eq(ops_token_load(&token, "/tmp", &error), ERROR_INPUT, "a folder is no file");
}

Test(ops_parts, a_token_may_be_a_credential_of_the_service)
{
    struct ops_token token;
    struct error error = {0};
    char folder[] = "/tmp/capstan-ops-XXXXXX", name[64];
    cr_assert(mkdtemp(folder));
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    snprintf(name, sizeof name, "%s/ops-token", folder);
    int file = open(name, O_CREAT | O_WRONLY, 0400);
    cr_assert_eq(write(file, "a-credential-of-16", 18), 18);
    close(file);
    cr_assert_eq(ops_token_load(&token, "", &error), 0, "%s", error.text);
    cr_expect(ops_token_matches(&token, "a-credential-of-16"));
    unlink(name);
    rmdir(folder);
}

/* --- request ids -------------------------------------------------------------------------------- */

Test(ops_parts, a_request_id_is_a_uuid_of_version_4)
{
    char one[OPS_REQUEST_ID_BYTES], other[OPS_REQUEST_ID_BYTES];
    for (int round = 0; round < 200; round++) {
        ops_request_id(one);
        ops_request_id(other);
        cr_assert_eq(strlen(one), 36);
        cr_assert_str_neq(one, other);
        for (size_t i = 0; i < 36; i++) {
            bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
            cr_assert(hyphen ? one[i] == '-' : strchr("0123456789abcdef", one[i]) != NULL);
        }
        cr_assert_eq(one[14], '4');
        cr_assert(strchr("89ab", one[19]));
    }
}

/* --- the process -------------------------------------------------------------------------------- */

#ifdef __linux__
static double process_figure(const char *name)
{
    struct json text = {0};
    char start[96];
    ops_process_write(&text);
    json_append(&text, "", 1);
    snprintf(start, sizeof start, "\n%s ", name);
    const char *at = strstr(text.bytes, start);
    cr_assert_not_null(at, "%s has no sample", name);
    double value = strtod(at + strlen(start), NULL);
    json_free(&text);
    return value;
}

static double wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double start_of_child(double *before, double *after)
{
    int ends[2];
    double start = 0;
    cr_assert_eq(pipe(ends), 0);
    *before = wall();
    pid_t child = fork();
    if (child == 0) {
        start = process_figure("process_start_time_seconds");
        _exit(write(ends[1], &start, sizeof start) != sizeof start);
    }
    *after = wall();
    cr_assert_eq(read(ends[0], &start, sizeof start), sizeof start);
    close(ends[0]);
    close(ends[1]);
    return start;
}

/* To the clock tick, however long the system runs, and the same whenever it is asked. */
Test(ops_parts, d13_start_time)
{
    double before, after, start = start_of_child(&before, &after);
    cr_expect_geq(start, before - 0.05, "%f, forked at %f", start, before);
    cr_expect_leq(start, after + 0.05, "%f, forked before %f", start, after);
    start = process_figure("process_start_time_seconds");
    nanosleep(&(struct timespec){.tv_nsec = 20 * NS_PER_MS}, NULL);
    cr_expect_eq(start, process_figure("process_start_time_seconds"));
}

/* Megabytes to ourselves, which only IPv6 carries. */
Test(ops_parts, d13_network_bytes_of_ipv6)
{
    enum { BYTES = 60000, PACKETS = 50 };
    static const char bytes[BYTES];
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t length = sizeof address;
    int end = socket(AF_INET6, SOCK_DGRAM, 0);
    if (end < 0 || bind(end, (struct sockaddr *)&address, length) != 0)
        cr_skip_test("no IPv6 here");
    cr_assert_eq(getsockname(end, (struct sockaddr *)&address, &length), 0);
    double sent = process_figure("process_network_transmit_bytes_total");
    double received = process_figure("process_network_receive_bytes_total");
    for (int i = 0; i < PACKETS; i++)
        cr_assert_eq(sendto(end, bytes, BYTES, 0, (struct sockaddr *)&address, length), BYTES);
    cr_expect_geq(process_figure("process_network_transmit_bytes_total") - sent, BYTES * PACKETS);
    cr_expect_geq(process_figure("process_network_receive_bytes_total") - received,
                  BYTES * PACKETS);
    close(end);
}
#endif
