/* What a live session and its watchdog rely on when things are bad: the sweep of orders without an engine, requests that
 * can't be begun, the heartbeat, and what keeps keys from being seen. */
#include "config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/time.h"
#include "live/heartbeat.h"
#include "live/keys_guard.h"
#include "live/raw.h"
#include "live/sweep.h"

static struct error error;

/* --- a venue --------------------------------------------------------------------------------------- */

/* Time that runs 20 times as fast. */
static int64_t fast_now(const struct clock *clock)
{
    (void)clock;
    return clock_now(&clock_monotonic) * 20;
}

static const struct clock fast_clock = {fast_now};

enum { UNBEGUN = 1000 };
#define ORDER (UINT64_C(3) << 32 | 17)

/* What it does, and what it saw. */
static struct script {
    bool rests;        /* an order does */
    bool tells_before; /* at begin, an empty account from before anyone asked */
    int64_t late_ns;   /* the order turns up so long after the first look; 0: it does not */
    bool fails;        /* the first cancel is refused, the second has no answer */
    bool floods;       /* a look makes requests that can't be begun */
    int64_t first_look;
    unsigned looks, cancels, unsent;
    bool in_order; /* the answers of those that were not sent */
} script;

struct fake {
    struct adapter adapter;
    struct adapter_port port;
};

static void emit(struct fake *fake, unsigned kind, const union event_record *record)
{
    const struct message message = {
        .stream = EVENT_NONE_16, .kind = (uint8_t)kind, .record = record};
    fake->port.emit(fake->port.context, &message);
}

static void tell_account(struct fake *fake, bool with_order, int64_t taken)
{
    const union event_record order = {.open_order = {.order = ORDER, .venue_order = {3, "v-1"}}};
    const union event_record end = {.snapshot_end = {.taken = taken}};
    if (with_order)
        emit(fake, EVENT_open_order, &order);
    emit(fake, EVENT_snapshot_end, &end);
}

static void flood(struct fake *fake)
{
    for (uint64_t tag = 1; tag <= UNBEGUN; tag++) {
        const struct adapter_request request = {
            .tag = tag, .method = "GET", .url = "nothing", .timeout_ns = NS_PER_SECOND};
        fake->port.request(fake->port.context, &request);
    }
}

static void start(struct adapter *adapter, int64_t now)
{
    (void)now;
    adapter->state = ADAPTER_READY;
}

static void begin(struct adapter *adapter, const struct adapter_numbers *numbers, int64_t now)
{
    (void)numbers;
    adapter->state = ADAPTER_RUNNING;
    if (script.tells_before)
        tell_account((struct fake *)adapter, false, now - 3600 * NS_PER_SECOND);
}

static void answered(struct adapter *adapter, uint64_t tag, const struct net_response *response,
                     int64_t now)
{
    (void)adapter, (void)now;
    cr_assert_eq(response->outcome, NET_NOT_SENT);
    script.unsent++;
    script.in_order = script.in_order && tag == (script.unsent - 1) % UNBEGUN + 1;
}

static void answer_cancel(struct fake *fake)
{
    const union event_record rejected = {
        .cancel_rejected = {.order = ORDER, .reason = REJECT_RATE}};
    const union event_record unknown = {
        .order_unknown = {.order = ORDER, .request = REQUEST_CANCEL}};
    const union event_record cancelled = {
        .order_cancelled = {.order = ORDER, .cause = CANCEL_SHUTDOWN}};
    script.cancels++;
    script.rests = script.fails && script.cancels < 3;
    if (!script.rests)
        emit(fake, EVENT_order_cancelled, &cancelled);
    else if (script.cancels == 1)
        emit(fake, EVENT_cancel_rejected, &rejected);
    else
        emit(fake, EVENT_order_unknown, &unknown);
}

static void decision(struct adapter *adapter, const struct message *message, int64_t now)
{
    if (message->kind == EVENT_cancel)
        answer_cancel((struct fake *)adapter);
    if (message->kind != EVENT_request_snapshot)
        return;
    if (script.looks++ == 0)
        script.first_look = now;
    if (script.floods)
        flood((struct fake *)adapter);
    if (script.late_ns > 0 && now - script.first_look >= script.late_ns) {
        script.rests = true;
        script.late_ns = 0;
    }
    tell_account((struct fake *)adapter, script.rests, now);
}

static int64_t deadline(const struct adapter *adapter)
{
    (void)adapter;
    return TIME_NEVER;
}

static void close_fake(struct adapter *adapter)
{
    free(adapter);
}

static int open_fake(struct adapter **out, const struct adapter_settings *settings,
                     const struct adapter_port *port, struct error *failure)
{
    struct fake *fake = calloc(1, sizeof *fake);
    (void)settings, (void)failure;
    cr_assert(fake);
    *fake = (struct fake){.adapter = {.start = start,
                                      .begin = begin,
                                      .answered = answered,
                                      .decision = decision,
                                      .deadline = deadline,
                                      .close = close_fake},
                          .port = *port};
    *out = &fake->adapter;
    return 0;
}

static const struct adapter_kind fake_kind = {.name = "fake", .open = open_fake};

/* --- the sweep ------------------------------------------------------------------------------------- */

static struct waker waker;
static const struct log silent = {.level = LOG_OFF};

static bool at_once(void *context)
{
    (void)context;
    return true;
}

/* What the sweep logs, from its beginning. */
static struct log log_of_sweep;

static void open_log(void)
{
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    cr_assert_eq(log_init(&log_of_sweep, file, "trace", &error), 0);
}

static struct sweep_result swept(const struct script *what, bool (*stop)(void *context))
{
    static const struct adapter_numbers numbers;
    struct settings_venue settings = {.live_request_timeout = 2 * NS_PER_SECOND};
    struct live_venues venues = {.settings = {.venues = &settings, .venue_count = 1}, .count = 1};
    const struct live_io_options io = {.kind = &fake_kind,
                                       .adapter = {.name = "fake"},
                                       .clock = &fast_clock,
                                       .engine = &waker,
                                       .log = &silent};
    const struct sweep_options options = {.waker = &waker,
                                          .clock = &fast_clock,
                                          .log = log_of_sweep.file ? &log_of_sweep : &silent,
                                          .timeout_ns = 300 * NS_PER_SECOND,
                                          .stop = stop};
    struct sweep_result result = {0};
    script = *what;
    cr_assert_eq(waker_open(&waker, &error), 0);
    cr_assert_eq(live_io_open(&venues.ios[0], &io, &error), 0, "%s", error.text);
    cr_assert_eq(live_io_await_ready(venues.ios[0], 300 * NS_PER_SECOND, NULL, &error), 0);
    live_io_begin(venues.ios[0], &numbers);
    sweep(&venues, &options, &result);
    live_io_close(&venues.ios[0]);
    waker_close(&waker);
    return result;
}

Test(sweep, cancels_what_rests_and_looks_twice_more)
{
    struct sweep_result result = swept(&(struct script){.rests = true}, NULL);
    cr_expect_eq(result.cancels, 1);
    cr_expect_eq(result.remaining + result.unheard + result.unsettled, 0);
    cr_expect_geq(script.looks, 3);
    cr_expect_not(script.rests);
}

Test(sweep, logs_each_cancel_and_how_it_ended, .init = open_log)
{
    static const char *const expected[][3] = {
        {"warn", "cancel of an order that no engine looks after", "\"venue_order\":\"v-1\""},
        {"error", "cancel_rejected", "\"reason\":\"rate_limit\""},
        {"warn", "cancel of an order that no engine looks after", "\"venue_order\":\"v-1\""},
        {"error", "order_unknown", "\"request\":\"cancel\""},
        {"warn", "cancel of an order that no engine looks after", "\"venue_order\":\"v-1\""},
        {"info", "order_cancelled", "\"cause\":\"shutdown\""}};
    char line[LOG_LINE_MAX + 1], level[32], message[128];
    struct sweep_result result = swept(&(struct script){.rests = true, .fails = true}, NULL);
    cr_expect_eq(result.cancels, 3);
    rewind(log_of_sweep.file);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        cr_assert_not_null(fgets(line, sizeof line, log_of_sweep.file), "line %zu", i);
        snprintf(level, sizeof level, "\"level\":\"%s\"", expected[i][0]);
        snprintf(message, sizeof message, "\"message\":\"%s\"", expected[i][1]);
        cr_expect(strstr(line, level) && strstr(line, message) && strstr(line, expected[i][2]) &&
                      strstr(line, "\"venue\":\"fake\",\"order\":\"#3.17\""),
                  "%s", line);
    }
    cr_expect_null(fgets(line, sizeof line, log_of_sweep.file));
    fclose(log_of_sweep.file);
}

Test(sweep, does_not_take_an_account_from_before_it_asked)
{
    struct sweep_result result = swept(&(struct script){.rests = true, .tells_before = true}, NULL);
    cr_expect_eq(result.cancels, 1);
    cr_expect_not(script.rests, "it went by an account that nobody had asked for");
}

Test(sweep, finds_an_order_that_the_venue_took_late)
{
    const struct script late = {.late_ns = 3 * NS_PER_SECOND};
    struct sweep_result result = swept(&late, NULL);
    cr_expect_eq(script.cancels, 1, "one empty look was believed");
    cr_expect_eq(result.cancels, 1);
    cr_expect_geq(script.looks, 4);
    cr_expect_not(script.rests);
}

Test(sweep, ends_when_an_engine_is_back)
{
    struct sweep_result result = swept(&(struct script){.rests = true}, at_once);
    cr_expect_eq(result.cancels, 0);
    cr_expect_eq(result.unheard, 1);
}

Test(live_io, answers_any_number_of_requests_that_can_t_be_begun)
{
    swept(&(struct script){.floods = true, .in_order = true}, NULL);
    cr_expect_eq(script.unsent, script.looks * UNBEGUN);
    cr_expect(script.in_order);
}

/* --- the heartbeat --------------------------------------------------------------------------------- */

static char folder[] = "/tmp/live-safety-XXXXXX";

static const char *path_in_folder(const char *name)
{
    static char path[256];
    if (strstr(folder, "XXXXXX"))
        cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

Test(heartbeat, of_a_session_that_starts_says_nothing_of_the_one_before)
{
    struct heartbeat *made, *read;
    const char *tape = path_in_folder("s.tape");
    cr_assert_eq(heartbeat_make(&made, tape, &error), 0, "%s", error.text);
    atomic_store(&made->alive, HEARTBEAT_ENDED);
    heartbeat_close(&made);
    cr_assert_eq(heartbeat_make(&made, tape, &error), 0);
    cr_assert_eq(heartbeat_read(&read, tape, &error), 0);
    cr_expect_eq(atomic_load(&read->alive), HEARTBEAT_STARTING);
    heartbeat_close(&read);
    heartbeat_close(&made);
    unlink(path_in_folder("s.tape.heartbeat"));
    rmdir(folder);
}

/* --- keys ------------------------------------------------------------------------------------------ */

static void expect_in_file(const char *path, const char *wanted)
{
    char text[2048] = "";
    struct stat status;
    FILE *file = fopen(path, "r");
    cr_assert(file);
    cr_expect_gt(fread(text, 1, sizeof text - 1, file), 0);
    fclose(file);
    cr_expect_str_eq(text, wanted);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0600, "mode %o", status.st_mode & 0777);
}

Test(raw, has_neither_keys_nor_signatures_and_is_this_users_alone)
{
    static const struct credentials credentials = {"101-001-7", "abc\n\"def"};
    static const char answer[] = "{\"id\":\"101-001-7\",\"abc\n\"def";
    const char *path = path_in_folder("raw");
    struct raw *raw;
    umask(022);
    FILE *before = fopen(path, "w");
    cr_assert(before);
    fclose(before);
    cr_assert_eq(raw_open(&raw, path, &error), 0, "%s", error.text);
    raw_hide(raw, &credentials);
    raw_answer(raw, "v", 1500000000, "https://h/a/101-001-7/b?x=1&signature=00ff&y=2", 200, answer,
               strlen(answer));
    raw_answer(raw, "v", 0, "https://h/a?signature=00ff", 200, "", 0);
    raw_frame(raw, "v", 0, 0, "101-001-77", 10);
    raw_frame(raw, "v", 0, 0, "101-001-7", 8);
    raw_close(&raw);
    expect_in_file(path,
                   "{\"t\":\"http\",\"conn\":\"v.http\",\"ts\":1.500000000,"
                   "\"url\":\"https://h/a/***/b?x=1&signature=***&y=2\",\"status\":200,"
                   "\"data\":\"{\\\"id\\\":\\\"***\\\",\\\"***\"}\n"
                   "{\"t\":\"http\",\"conn\":\"v.http\",\"ts\":0.000000000,"
                   "\"url\":\"https://h/a?signature=***\",\"status\":200,\"data\":\"\"}\n"
                   "{\"t\":\"recv\",\"conn\":\"v.0\",\"ts\":0.000000000,\"data\":\"***7\"}\n"
                   "{\"t\":\"recv\",\"conn\":\"v.0\",\"ts\":0.000000000,\"data\":\"101-001-\"}\n");
    unlink(path);
    rmdir(folder);
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
Test(keys, are_dumped_nowhere_and_the_process_still_reads_what_it_is)
{
    cr_assert_eq(keys_guard(&error), 0, "%s", error.text);
    cr_expect_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    static const char *const files[] = {"/proc/self/statm", "/proc/self/stat",
                                        "/proc/self/net/netstat", "/proc/self/net/snmp6",
                                        "/proc/self/fd"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int file = open(files[i], O_RDONLY | O_CLOEXEC);
        cr_expect(file >= 0 || errno == ENOENT, "%s can't be read", files[i]); /* no IPv6, say */
        if (file >= 0)
            close(file);
    }
}
#endif
