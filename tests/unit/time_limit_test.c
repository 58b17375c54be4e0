/* The end by force of a process whose threads hang: tried on a child that does nothing more. */
#include "config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log_writer.h"
#include "base/time.h"
#include "live/time_limit.h"

static const char *const venues[] = {"v1"};
static const char *const assets[] = {"BTC", "USD"};
static const char *const symbols[] = {"BTC-USD"};
static const struct event_definition definitions[] = {
    {.tick = 1, .lot = 1, .price_exponent = -1, .quantity_exponent = -3, .base = 0, .quote = 1}};
static const struct event_names names = {.venue_count = 1,
                                         .asset_count = 2,
                                         .instrument_count = 1,
                                         .venues = venues,
                                         .assets = assets,
                                         .symbols = symbols,
                                         .definitions = definitions};
static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/capstan-limit-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

static const char *in_folder(const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static void place(struct open_orders *orders, order_id order)
{
    const union event_record record = {.place = {.order = order,
                                                 .side = SIDE_SELL,
                                                 .price = {1005, NUMBER_VALUE},
                                                 .quantity = {10, NUMBER_VALUE}}};
    const union event_record accepted = {
        .order_accepted = {.order = order, .venue_order = {3, "a\"b"}}};
    open_orders_take(orders, &(struct message){.kind = EVENT_place, .record = &record});
    open_orders_take(orders, &(struct message){.kind = EVENT_order_accepted, .record = &accepted});
}

/* A session with two orders whose time runs, and whose main thread waits for ever. */
static _Noreturn void hang(const char *log_path, bool is_full)
{
    static char text[LOG_LINE_MAX - 512];
    struct log log;
    struct error error;
    struct open_orders *orders;
    struct unconfirmed *unconfirmed;
    struct time_limit *limit;
    char tape[128];
    const struct log_writer_options options = {.path = log_path, .lines = 64};
    if (log_writer_open(&log, &options, &error) || open_orders_open(&orders, NULL, 8, &error) ||
        unconfirmed_open(&unconfirmed, in_folder("tape", tape), "mm1", &names, &error) ||
        time_limit_open(&limit, &log, &clock_monotonic, &error))
        _exit(99);
    place(orders, UINT64_C(3) << 32 | 1);
    place(orders, UINT64_C(3) << 32 | 2);
    for (int i = 0; is_full && i < 5000; i++)
        log_write(&log, LOG_INFO, "test", 0, memset(text, 'x', sizeof text - 1), NULL, 0);
    time_limit_know(limit, orders, unconfirmed);
    time_limit_begin(limit, 200 * NS_PER_MS);
    time_limit_begin(limit, 3600 * NS_PER_SECOND); /* what is left is not made longer */
    for (;;)
        pause();
}

static bool cancel(void *context, int64_t limit_ns)
{
    int *told = context;
    cr_assert_gt(limit_ns, 0);
    return write(*told, "c", 1) == 1;
}

/* The same with an engine that gives no sign of life, or does. Its cancels all work. */
static _Noreturn void hang_with_engine(bool is_silent, int told)
{
    struct log log;
    struct error error;
    struct open_orders *orders;
    struct unconfirmed *unconfirmed;
    struct time_limit *limit;
    char tape[128];
    _Atomic int64_t alive = is_silent ? 0 : INT64_MAX;
    if (log_init(&log, stderr, "off", &error) || open_orders_open(&orders, NULL, 8, &error) ||
        unconfirmed_open(&unconfirmed, in_folder("tape", tape), "mm1", &names, &error) ||
        time_limit_open(&limit, &log, &clock_monotonic, &error))
        _exit(99);
    place(orders, UINT64_C(3) << 32 | 1);
    place(orders, UINT64_C(3) << 32 | 2);
    time_limit_know(limit, orders, unconfirmed);
    time_limit_engine(
        limit, &(struct time_limit_engine){
                   .alive = &alive, .clock = &clock_monotonic, .cancel = cancel, .context = &told});
    time_limit_begin(limit, 1500 * NS_PER_MS);
    for (;;)
        pause();
}

static void expect_end(pid_t child)
{
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status));
    cr_assert_eq(WEXITSTATUS(status), ERROR_SYSTEM);
}

static void expect_file(void)
{
    char path[128], line[512];
    FILE *file = fopen(in_folder("tape.unconfirmed", path), "r");
    cr_assert_not_null(file);
    for (int n = 1; n <= 2; n++) {
        char expected[512];
        snprintf(expected, sizeof expected,
                 "{\"venue\":\"v1\",\"instrument\":\"v1:BTC-USD\",\"order\":\"#3.%d\","
                 "\"client_order\":\"mm1-3-%d\",\"venue_order\":\"a\\\"b\",\"side\":\"sell\","
                 "\"price\":\"100.5\",\"leaves\":\"0.010\"}\n",
                 n, n);
        cr_assert_not_null(fgets(line, sizeof line, file));
        cr_assert_str_eq(line, expected);
    }
    cr_assert_null(fgets(line, sizeof line, file));
    fclose(file);
}

Test(time_limit, ends_the_process_and_names_its_orders, .init = make_folder, .fini = remove_folder,
     .timeout = 60)
{
    char path[128], line[LOG_LINE_MAX + 1], last[LOG_LINE_MAX + 1] = "";
    in_folder("log", path);
    pid_t child = fork();
    if (child == 0)
        hang(path, false);
    expect_end(child);
    expect_file();
    int named = 0;
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file)) {
        named += strstr(line, "\"message\":\"unconfirmed\"") != NULL &&
                 strstr(line, "\"level\":\"error\"") != NULL && strstr(line, "mm1-3-") != NULL;
        snprintf(last, sizeof last, "%s", line);
    }
    fclose(file);
    cr_assert_eq(named, 2);
    cr_assert(strstr(last, "\"level\":\"warn\"") != NULL, "%s", last);
    cr_assert(strstr(last, "ends by force") != NULL, "%s", last);
    cr_assert(strstr(last, "\"orders_not_confirmed\":2") != NULL, "%s", last);
}

Test(time_limit, a_log_that_nobody_reads_does_not_keep_it, .init = make_folder,
     .fini = remove_folder, .timeout = 60)
{
    char path[128];
    cr_assert_eq(mkfifo(in_folder("log", path), 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    pid_t child = fork();
    if (child == 0)
        hang(path, true);
    expect_end(child);
    expect_file();
    close(reader);
}

/* The log's thread hangs in a write, and the last words would. */
Test(time_limit, a_terminal_that_nobody_reads_does_not_keep_it, .init = make_folder,
     .fini = remove_folder, .timeout = 60)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert_geq(master, 0);
    cr_assert_eq(grantpt(master), 0);
    cr_assert_eq(unlockpt(master), 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    cr_assert_geq(terminal, 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(terminal, STDERR_FILENO);
        hang(NULL, true);
    }
    close(terminal);
    expect_end(child);
    expect_file();
    close(master);
}

static void expect_cancelled(bool is_silent)
{
    char path[128], byte;
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        hang_with_engine(is_silent, ends[1]);
    close(ends[1]);
    expect_end(child);
    cr_assert_eq(read(ends[0], &byte, 1), is_silent);
    close(ends[0]);
    if (is_silent)
        cr_assert_eq(access(in_folder("tape.unconfirmed", path), F_OK), -1);
    else
        expect_file();
}

Test(time_limit, an_engine_that_is_silent_is_cancelled_for, .init = make_folder,
     .fini = remove_folder, .timeout = 60)
{
    expect_cancelled(true);
}

Test(time_limit, an_engine_that_lives_is_not, .init = make_folder, .fini = remove_folder,
     .timeout = 60)
{
    expect_cancelled(false);
}

Test(time_limit, ends_nothing_that_ends_in_time, .timeout = 60)
{
    struct log log;
    struct error error;
    struct time_limit *limit;
    cr_assert_eq(log_init(&log, stderr, NULL, &error), 0);
    cr_assert_eq(time_limit_open(&limit, &log, &clock_monotonic, &error), 0);
    time_limit_begin(limit, 30 * NS_PER_SECOND);
    time_limit_close(&limit);
    cr_assert_null(limit);
}

Test(unconfirmed, the_file_goes_when_no_order_is_left, .init = make_folder, .fini = remove_folder)
{
    struct error error;
    struct unconfirmed *unconfirmed;
    char tape[128], path[160];
    const struct open_order order = {.order = 7, .price = {0, NUMBER_ABSENT}};
    in_folder("tape", tape);
    snprintf(path, sizeof path, "%s.unconfirmed", tape);
    cr_assert_eq(unconfirmed_open(&unconfirmed, tape, "mm1", &names, &error), 0);
    cr_assert_eq(unconfirmed_left(unconfirmed), 0);
    cr_assert_eq(unconfirmed_write(unconfirmed, &order, 1, &error), 0, "%s", error.text);
    cr_assert_eq(unconfirmed_left(unconfirmed), 1);
    cr_assert_eq(unconfirmed_write(unconfirmed, NULL, 0, &error), 0, "%s", error.text);
    cr_assert_eq(unconfirmed_left(unconfirmed), 0);
    cr_assert_eq(access(path, F_OK), -1);
    cr_assert_eq(unconfirmed_write(unconfirmed, NULL, 0, &error), 0, "removed already");
    unconfirmed_close(&unconfirmed);
}

/* As the file names them, a line an order. */
Test(unconfirmed, the_log_names_each_order, .init = make_folder, .fini = remove_folder)
{
    struct error error;
    struct log log;
    struct unconfirmed *unconfirmed;
    char tape[128], line[LOG_LINE_MAX + 1];
    FILE *file = tmpfile();
    const struct open_order orders[] = {
        {.order = UINT64_C(3) << 32 | 1, .price = {1005, NUMBER_VALUE}},
        {.order = UINT64_C(3) << 32 | 2, .price = {1010, NUMBER_VALUE}}};
    cr_assert_not_null(file);
    cr_assert_eq(log_init(&log, file, NULL, &error), 0);
    cr_assert_eq(unconfirmed_open(&unconfirmed, in_folder("tape", tape), "mm1", &names, &error), 0);
    unconfirmed_log(unconfirmed, &log, "capstan.live", 0, orders, 2);
    rewind(file);
    for (int n = 1; n <= 2; n++) {
        char expected[64];
        snprintf(expected, sizeof expected, "\\\"client_order\\\":\\\"mm1-3-%d\\\"", n);
        cr_assert_not_null(fgets(line, sizeof line, file), "line %d", n);
        cr_expect(strstr(line, expected) && strstr(line, "\"level\":\"error\"") &&
                      strstr(line, "\"message\":\"unconfirmed\""),
                  "%s", line);
    }
    cr_expect_null(fgets(line, sizeof line, file));
    unconfirmed_close(&unconfirmed);
    fclose(file);
}
