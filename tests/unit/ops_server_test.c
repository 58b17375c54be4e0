/* The ops server over a socket: each endpoint's answer, who may command, and clients that mean no good. */
#include "config.h" /* POSIX names */

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "ops_bench.h"

TestSuite(ops_server, .timeout = 120);

enum { ANSWER_MAX = 1 << 20, PATIENCE_MS = 20000 };

static struct ops_bench b;
static struct ops *ops;
static struct settings_global settings;
static struct log quiet;
static char answer[ANSWER_MAX];
static char token_path[] = "/tmp/capstan-ops-server-XXXXXX";
static const char token[] = "a-token-for-tests-only";
static union event_record posted;
static unsigned posted_kind;
static atomic_uint posted_count, stopped_count;
static bool has_room = true;

static bool post(void *context, unsigned kind, const union event_record *record)
{
    (void)context;
    if (!has_room)
        return false;
    posted = *record;
    posted_kind = kind;
    atomic_fetch_add(&posted_count, 1);
    return true;
}

static void stop(void *context)
{
    (void)context;
    atomic_fetch_add(&stopped_count, 1);
}

static void write_token(void)
{
    int file = mkstemp(token_path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, token, strlen(token)), (ssize_t)strlen(token));
    close(file);
    snprintf(settings.ops_token_file.text, sizeof settings.ops_token_file.text, "%s", token_path);
}

/* Listens, without a session. */
static void listening(FILE *log, const char *filter)
{
    struct error error = {0};
    const struct ops_options options = {
        .settings = &settings, .log = &quiet, .clock = &clock_monotonic, .stop = stop};
    cr_assert_eq(log_init(&quiet, log ? log : stderr, log ? filter : "off", &error), 0);
    settings.ops_enabled = true;
    strcpy(settings.ops_address.text, "127.0.0.1");
    cr_assert_eq(ops_open(&ops, &options, &error), 0, "%s", error.text);
    if (token_path[sizeof token_path - 2] != 'X')
        unlink(token_path);
}

static _Atomic int64_t alive = SECONDS(1); /* when the loop gave its last sign of life */
static bool tells_life;                    /* whether it gives any */

/* And with one, at 1 s, that quoted then. */
static void serving(void)
{
    struct error error = {0};
    listening(NULL, NULL);
    ops_bench_init(&b);
    b.session.post = post;
    harness_make(&b.h);
    b.session.engine = b.h.engine;
    b.session.alive = tells_life ? &alive : NULL;
    cr_assert_eq(ops_attach(ops, &b.session, &error), 0, "%s", error.text);
    b.sink = ops_sink(ops);
    b.now = b.h.now = SECONDS(1);
    struct message message = {.ts_local = b.now, .kind = EVENT_start, .stream = EVENT_NONE_16};
    const union event_record record = {.start = {.seed = 1}};
    message.record = &record;
    cr_assert_eq(b.sink->message(b.sink, &message, &error), 0);
    harness_begin(&b.h);
    harness_book(&b.h, 0, EVENT_snapshot, 1000, 50, 1005, 40);
    cr_assert_eq(b.sink->stepped(b.sink, b.h.engine, &error), 0);
}

static void commanded(void)
{
    write_token();
    serving();
}

static void finish(void)
{
    ops_detach(ops);
    ops_close(&ops);
    if (b.h.memory)
        harness_close(&b.h);
}

/* --- a client ----------------------------------------------------------------------------------- */

static int dial(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)ops_port(ops)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0, "%s", strerror(errno));
    cr_assert_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0, "%s",
                 strerror(errno));
    return fd;
}

static void say(int fd, const char *text)
{
    /* A server that ends the connection early is no failure here. */
    ssize_t sent = send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void)sent;
}

/* Read until the end, or until `enough` stands in what came. */
static void hear(int fd, const char *enough)
{
    size_t length = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    answer[0] = '\0';
    while (length < ANSWER_MAX - 1 && !(enough && strstr(answer, enough)) &&
           poll(&wait, 1, PATIENCE_MS) > 0) {
        ssize_t taken = recv(fd, answer + length, ANSWER_MAX - 1 - length, 0);
        if (taken <= 0)
            break;
        length += (size_t)taken;
        answer[length] = '\0';
    }
}

/* One request; returns the status. `more`: header lines and the body. */
static int ask_with(const char *method, const char *path, const char *more)
{
    static char text[64 * 1024];
    int fd = dial(), status = 0;
    int length =
        snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s",
                 method, path, more);
    cr_assert(length > 0 && (size_t)length < sizeof text);
    say(fd, text);
    hear(fd, NULL);
    close(fd);
    sscanf(answer, "HTTP/1.1 %d", &status);
    return status;
}

static int ask(const char *method, const char *path)
{
    return ask_with(method, path, "\r\n");
}

static const char *body(void)
{
    const char *found = strstr(answer, "\r\n\r\n");
    return found ? found + 4 : "";
}

/* A command with the right token, and this body. */
static int command(const char *name, const char *json)
{
    char more[512], path[64];
    snprintf(path, sizeof path, "/api/command/%s", name);
    snprintf(more, sizeof more,
             "Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: "
             "%zu\r\n\r\n%s",
             token, strlen(json), json);
    return ask_with("POST", path, more);
}

/* --- endpoints ---------------------------------------------------------------------------------- */

Test(ops_server, before_a_session_it_lives_and_is_not_ready)
{
    listening(NULL, NULL);
    cr_expect_eq(ask("GET", "/healthz"), 200);
    cr_expect_eq(ask("GET", "/health/live"), 200);
    cr_expect_eq(ask("GET", "/readyz"), 503);
    cr_expect(strstr(body(), "\"starting\""), "%s", answer);
    cr_expect_eq(ask("GET", "/health/ready"), 503);
    cr_expect(strstr(body(), "{\"ready\":false,\"checks\":{\"database\":null,\"redis\":null,"));
    cr_expect_eq(ask("GET", "/metrics"), 200);
    cr_expect_eq(ask("GET", "/api/dashboard"), 200);
    cr_expect(strstr(body(), "\"session\":null"));
    finish();
}

Test(ops_server, d2_to_d6_of_a_session)
{
    serving();
    cr_expect_eq(ask("GET", "/healthz"), 200);
    cr_expect_eq(ask("GET", "/readyz"), 200);
    cr_expect(strstr(body(), "\"ready\":true,\"last_quote_age_ms\":0"), "%s", answer);
    cr_expect_eq(ask("GET", "/health/live"), 200);
    cJSON *live = cJSON_Parse(body());
    cr_assert(live);
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(live, "status")), "ok");
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(live, "version")), PACKAGE_VERSION);
    cr_expect(cJSON_IsNumber(cJSON_GetObjectItem(live, "uptime_seconds")));
    cr_expect_eq(cJSON_GetArraySize(live), 3);
    cJSON_Delete(live);
    cr_expect_eq(ask("GET", "/health/ready"), 200);
    cr_expect_eq(ask("GET", "/metrics"), 200);
    cr_expect(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
    cr_expect(strstr(body(), "\ncapstan_ready 1\n"));
    cr_expect_eq(ask("GET", "/api/dashboard"), 200);
    cr_expect(strstr(answer, "Content-Type: application/json"));
    cr_expect_eq(ask("GET", "/"), 200);
    cr_expect(strstr(answer, "Content-Type: text/html"));
    finish();
}

Test(ops_server, d3_exactly_30_s_after_the_last_quote_it_is_not_ready)
{
    serving();
    b.now = SECONDS(31) - 1;
    cr_expect_eq(ask("GET", "/readyz"), 200);
    b.now = SECONDS(31);
    cr_expect_eq(ask("GET", "/readyz"), 503);
    b.now = SECONDS(1) - 1;
    cr_expect_eq(ask("GET", "/readyz"), 503);
    cr_expect(strstr(body(), "\"clock\""), "%s", answer);
    finish();
}

/* What the checks say of it is as old as the loop's last word. */
Test(ops_server, a_loop_that_hangs_is_told_by_the_checks)
{
    tells_life = true;
    serving();
    b.now = SECONDS(6) - 1;
    cr_expect_eq(ask("GET", "/health/ready"), 200);
    cr_expect_not(strstr(body(), "reasons"), "%s", answer);
    b.now = SECONDS(6);
    cr_expect_eq(ask("GET", "/health/ready"), 503);
    cr_expect(strstr(body(), "{\"ready\":false,\"checks\":"), "%s", answer);
    cr_expect(strstr(body(), ",\"reasons\":[\"engine_is_silent\"]}"), "%s", answer);
    cr_expect_eq(ask("GET", "/readyz"), 200); /* it tells of quotes, and reads one atomic (D3) */
    ops_drain(ops);
    cr_expect_eq(ask("GET", "/health/ready"), 503);
    cr_expect(strstr(body(), ",\"reasons\":[\"engine_is_silent\",\"draining\"]}"), "%s", answer);
    alive = b.now;
    cr_expect_eq(ask("GET", "/health/ready"), 503);
    cr_expect(strstr(body(), ",\"reasons\":[\"draining\"]}"), "%s", answer);
    finish();
}

Test(ops_server, draining_answers_no_at_once_and_lives)
{
    serving();
    ops_drain(ops);
    cr_expect_eq(ask("GET", "/readyz"), 503);
    cr_expect_eq(ask("GET", "/health/ready"), 503);
    cr_expect_eq(ask("GET", "/health/live"), 200);
    ops_detach(ops);
    cr_expect_eq(ask("GET", "/readyz"), 503);
    cr_expect(strstr(body(), "\"draining\""), "%s", answer);
    cr_expect_eq(ask("GET", "/healthz"), 200);
    finish();
}

Test(ops_server, methods_and_paths_that_are_none)
{
    static const char *const reads[] = {"/healthz",      "/readyz",  "/health/live",
                                        "/health/ready", "/metrics", "/api/dashboard",
                                        "/api/events",   "/"};
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS"};
    serving();
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++)
        for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
            cr_expect_eq(ask(methods[m], reads[i]), 405, "%s %s", methods[m], reads[i]);
            cr_expect(strstr(answer, "\r\nAllow: GET, HEAD\r\n"));
        }
    cr_expect_eq(ask("GET", "/api/command/pause"), 405);
    cr_expect(strstr(answer, "\r\nAllow: POST\r\n"));
    cr_expect_eq(ask("GET", "/api/command/nothing"), 404);
    cr_expect_eq(ask("GET", "/healthz/"), 404);
    cr_expect_eq(ask("GET", "/../etc/passwd"), 404);
    cr_expect_eq(ask("GET", "/healthz?verbose=1"), 200);
    cr_expect_eq(ask("HEAD", "/metrics"), 200);
    cr_expect_str_eq(body(), "");
    cr_expect_eq(ask("HEAD", "/api/events"), 200);
    finish();
}

Test(ops_server, every_answer_has_its_headers)
{
    static const char *const paths[] = {"/healthz", "/readyz",       "/nothing",
                                        "/",        "/dashboard.js", "/api/command/pause"};
    char first[64], second[64];
    serving();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ask("GET", paths[i]);
        cr_expect(strstr(answer, "\r\nCache-Control: no-store\r\n"), "%s", paths[i]);
        cr_expect(strstr(answer, "\r\nX-Content-Type-Options: nosniff\r\n"), "%s", paths[i]);
        cr_expect(strstr(answer, "\r\nContent-Security-Policy: default-src 'none'"), "%s",
                  paths[i]);
        cr_expect(!strstr(answer, "Access-Control-Allow-Origin"));
    }
    ask("GET", "/healthz");
    cr_assert_eq(sscanf(strstr(answer, "X-Request-Id: "), "X-Request-Id: %63s", first), 1);
    ask("GET", "/healthz");
    cr_assert_eq(sscanf(strstr(answer, "X-Request-Id: "), "X-Request-Id: %63s", second), 1);
    cr_expect_str_neq(first, second);
    finish();
}

Test(ops_server, reading_from_other_sites_is_a_setting)
{
    strcpy(settings.ops_allow_origin.text, "https://example.org");
    listening(NULL, NULL);
    ask_with("GET", "/readyz", "Origin: https://example.org\r\n\r\n");
    cr_expect(strstr(answer, "\r\nAccess-Control-Allow-Origin: https://example.org\r\n"));
    ask_with("GET", "/readyz", "Origin: https://example.net\r\n\r\n");
    cr_expect(!strstr(answer, "Access-Control-Allow-Origin"));
    ops_close(&ops);
    strcpy(settings.ops_allow_origin.text, "*");
    listening(NULL, NULL);
    ask("GET", "/metrics");
    cr_expect(strstr(answer, "\r\nAccess-Control-Allow-Origin: *\r\n"));
    ask("POST", "/api/command/pause");
    cr_expect(!strstr(answer, "Access-Control-Allow-Origin"));
    finish();
}

Test(ops_server, a_name_that_resolves_to_us_is_not_ours)
{
    static const char text[] = "GET /metrics HTTP/1.1\r\nConnection: close\r\nHost: %s\r\n\r\n";
    static const char *const ours[] = {"localhost", "LOCALHOST:8787", "127.0.0.1:8787",
                                       "[::1]:8787"};
    static const char *const theirs[] = {"evil.example", "localhost.evil.example",
                                         "127.0.0.1.evil"};
    char request[256];
    serving();
    for (size_t i = 0; i < 4 + 3; i++) {
        snprintf(request, sizeof request, text, i < 4 ? ours[i] : theirs[i - 4]);
        int fd = dial();
        say(fd, request);
        hear(fd, NULL);
        close(fd);
        cr_expect_eq(strncmp(answer, i < 4 ? "HTTP/1.1 200" : "HTTP/1.1 421", 12), 0, "%s",
                     request);
    }
    finish();
}

/* Each event is "data: ", the object and an empty line, in three chunks. */
Test(ops_server, events_go_on)
{
    serving();
    int fd = dial();
    say(fd, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    hear(fd, "\n\n\r\n");
    cr_expect(strstr(answer, "Content-Type: text/event-stream"), "%s", answer);
    cr_expect(strstr(answer, "data: ") && strstr(answer, "{\"build\":"), "%s", answer);
    hear(fd, "\n\n\r\n");
    cr_expect(strstr(answer, "data: ") && strstr(answer, "{\"build\":"), "no second event");
    close(fd);
    finish();
}

/* Found by fuzzing: a request behind an answer that does not end. */
Test(ops_server, requests_behind_events_wait)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    serving();
    int fd = dial();
    say(fd, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (int i = 0; i < 2000; i++)
        say(fd, request);
    hear(fd, "\n\n\r\n");
    hear(fd, "\n\n\r\n");
    cr_expect(strstr(answer, "{\"build\":"));
    cr_expect(!strstr(answer, "HTTP/1.1 200"));
    cr_expect_eq(ask("GET", "/healthz"), 200);
    close(fd);
    finish();
}

Test(ops_server, so_many_may_listen_and_no_more)
{
    int fds[16];
    serving();
    for (int i = 0; i < 16; i++) {
        fds[i] = dial();
        say(fds[i], "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        hear(fds[i], "data: ");
    }
    cr_expect_eq(ask("GET", "/api/events"), 503);
    close(fds[0]);
    int status = 503;
    for (int tries = 0; tries < 100 && status == 503; tries++) {
        int fd = dial();
        say(fd, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        hear(fd, "\r\n\r\n");
        sscanf(answer, "HTTP/1.1 %d", &status);
        close(fd);
        usleep(50000);
    }
    cr_expect_eq(status, 200, "who has gone makes room");
    for (int i = 1; i < 16; i++)
        close(fds[i]);
    finish();
}

Test(ops_server, a_port_that_is_taken_is_told)
{
    struct error error = {0};
    struct ops *other;
    const struct ops_options options = {
        .settings = &settings, .log = &quiet, .clock = &clock_monotonic};
    listening(NULL, NULL);
    settings.ops_port = ops_port(ops);
    cr_expect_eq(ops_open(&other, &options, &error), ERROR_SYSTEM);
    cr_expect(strstr(error.text, "ops.port") && strstr(error.text, "in use"), "%s", error.text);
    settings.ops_port = 0;
    strcpy(settings.ops_address.text, "localhost");
    cr_expect_eq(ops_open(&other, &options, &error), ERROR_INPUT);
    cr_expect(strstr(error.text, "ops.address"), "%s", error.text);
    finish();
}

Test(ops_server, switched_off_there_is_none)
{
    struct error error = {0};
    struct ops *none;
    struct sink tape;
    const struct ops_options options = {.settings = &settings, .log = &quiet};
    cr_assert_eq(ops_open(&none, &options, &error), 0);
    cr_expect_null(none);
    cr_expect_null(ops_sink(none));
    cr_expect_eq(ops_timed(none, &tape), &tape);
    ops_drain(none);
    ops_detach(none);
    ops_close(&none);
}

/* --- commands ----------------------------------------------------------------------------------- */

Test(ops_server, without_a_token_nothing_is_commanded)
{
    unsetenv("CREDENTIALS_DIRECTORY");
    serving();
    cr_expect_eq(ask("POST", "/api/command/pause"), 403);
    cr_expect(strstr(body(), "ops.token_file"), "%s", answer);
    cr_expect_eq(ask_with("POST", "/api/command/shutdown", "Authorization: Bearer \r\n\r\n"), 403);
    cr_expect_eq(posted_count, 0);
    cr_expect_eq(stopped_count, 0);
    finish();
}

Test(ops_server, commands_become_records)
{
    static const struct {
        const char *path;
        enum command command;
    } all[] = {{"pause", COMMAND_PAUSE},
               {"resume", COMMAND_RESUME},
               {"cancel-all", COMMAND_CANCEL_ALL},
               {"trip", COMMAND_TRIP},
               {"clear", COMMAND_RESET}};
    commanded();
    for (unsigned i = 0; i < 5; i++) {
        cr_expect_eq(command(all[i].path, ""), 202, "%s", answer);
        cr_assert_eq(posted_count, 2 * i + 1);
        cr_assert_eq(posted_kind, EVENT_command);
        cr_expect_eq(posted.command.command, all[i].command);
        cr_expect_eq(posted.command.instrument, EVENT_NONE_16);
        cr_expect_eq(command(all[i].path, "{\"instrument\":\"alpha:BTC-USD\"}"), 202, "%s", answer);
        cr_expect_eq(posted.command.instrument, 0);
    }
    cr_expect_eq(command("shutdown", ""), 202);
    cr_expect_eq(stopped_count, 1);
    cr_expect_eq(posted_count, 10);
    finish();
}

static void adopts(const char *text, struct number position, struct number price)
{
    posted_kind = 0;
    cr_expect_eq(command("adopt", text), 202, "%s", answer);
    cr_expect_eq(posted_kind, EVENT_adopt);
    cr_expect_eq(posted.adopt.instrument, 0);
    cr_expect_eq(posted.adopt.position.status, position.status);
    cr_expect_eq(posted.adopt.position.units, position.units);
    cr_expect_eq(posted.adopt.price.status, price.status);
    cr_expect_eq(posted.adopt.price.units, price.units);
}

Test(ops_server, an_adoption_becomes_a_record)
{
    const struct number absent = {0, NUMBER_ABSENT};
    static const char *const bad[] = {"",
                                      "{}",
                                      "[1]",
                                      "{\"instrument\":",
                                      "{\"instrument\":null}",
                                      "{\"instrument\":\"alpha:OTHER\"}",
                                      "{\"instrument\":\"alpha:BTC-USD\",\"quantity\":\"1\"}",
                                      "{\"instrument\":\"alpha:BTC-USD\",\"position\":1}",
                                      "{\"instrument\":\"alpha:BTC-USD\",\"position\":\"nan\"}",
                                      "{\"instrument\":\"alpha:BTC-USD\",\"position\":\"\"}",
                                      "{\"instrument\":\"alpha:BTC-USD\",\"position\":\"1e-17\"}",
                                      "{\"instrument\":\"alpha:BTC-USD\",\"price\":\"0\"}",
                                      "{\"instrument\":\"alpha:BTC-USD\",\"price\":\"-1\"}",
                                      "{\"instrument\":\"alpha:BTC-USD\",\"price\":true}"};
    commanded();
    adopts("{\"instrument\":\"alpha:BTC-USD\"}", absent, absent);
    adopts("{\"instrument\":\"alpha:BTC-USD\",\"position\":null,\"price\":null}", absent, absent);
    const struct event_definition *definition = &b.h.definitions[0];
    const struct number position = number_from_text("-2", 2, definition->quantity_exponent);
    const struct number price = number_from_text("100", 3, definition->price_exponent);
    adopts("{\"price\":\"100\",\"position\":\"-2\",\"instrument\":\"alpha:BTC-USD\"}", position,
           price);
    unsigned before = posted_count;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(command("adopt", bad[i]), 400, "%s: %s", bad[i], answer);
    cr_expect_eq(posted_count, before);
    finish();
}

Test(ops_server, commands_that_are_refused)
{
    static const char bearer[] = "Authorization: Bearer a-token-for-tests-only\r\n";
    static const struct {
        const char *more;
        int status;
    } all[] = {{"", 401},
               {"Authorization: Bearer a-token-for-tests-onlx\r\n", 401},
               {"Authorization: Basic a-token-for-tests-only\r\n", 401},
               {"Authorization: a-token-for-tests-only\r\n", 401},
               {"Sec-Fetch-Site: cross-site\r\n", 403},
               {"Sec-Fetch-Site: same-site\r\n", 403},
               {"Origin: http://evil.example\r\n", 403},
               {"Origin: null\r\n", 403},
               {"Origin: http://localhost.evil.example\r\n", 403}};
    char more[512];
    commanded();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        snprintf(more, sizeof more, "%s%s\r\n", all[i].status == 403 ? bearer : "", all[i].more);
        cr_expect_eq(ask_with("POST", "/api/command/pause", more), all[i].status, "%s", more);
        cr_expect_eq(ask_with("POST", "/api/command/shutdown", more), all[i].status, "%s", more);
    }
    cr_expect_eq(posted_count, 0);
    cr_expect_eq(stopped_count, 0);
    snprintf(more, sizeof more, "%sOrigin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n\r\n",
             bearer);
    cr_expect_eq(ask_with("POST", "/api/command/pause", more), 202, "the page's own");
    has_room = false;
    cr_expect_eq(command("pause", ""), 503);
    finish();
}

Test(ops_server, bodies_that_are_none)
{
    static const char *const all[] = {"{",
                                      "[]",
                                      "\"pause\"",
                                      "{\"instrument\":1}",
                                      "{\"instrument\":\"alpha:NOTHING\"}",
                                      "{\"instrument\":\"alpha:BTC-USD\",\"more\":1}",
                                      "{\"symbol\":\"alpha:BTC-USD\"}",
                                      "{\"instrument\":\"alpha:BTC-USD\"} {}"};
    char more[512];
    commanded();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cr_expect_eq(command("pause", all[i]), 400, "%s: %s", all[i], answer);
    cr_expect_eq(command("pause", "{\"instrument\":null}"), 202);
    snprintf(more, sizeof more,
             "Authorization: Bearer %s\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
             token);
    cr_expect_eq(ask_with("POST", "/api/command/pause", more), 415);
    cr_expect_eq(posted_count, 1);
    finish();
}

Test(ops_server, without_an_engine_there_is_nothing_to_command)
{
    write_token();
    listening(NULL, NULL);
    cr_expect_eq(command("pause", ""), 409);
    cr_expect_eq(command("shutdown", ""), 202, "a session that starts can be ended");
    finish();
}

/* --- logs --------------------------------------------------------------------------------------- */

Test(ops_server, d9_each_request_is_logged_under_its_id)
{
    char *text = NULL, id[64], span[256];
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    write_token();
    listening(file, "debug");
    ask("GET", "/readyz?secret=1");
    cr_assert_eq(sscanf(strstr(answer, "X-Request-Id: "), "X-Request-Id: %63s", id), 1);
    command("pause", "");
    finish();
    fclose(file);
    snprintf(span, sizeof span,
             "\"span\":{\"name\":\"http_request\",\"request_id\":\"%s\",\"method\":\"GET\","
             "\"uri\":\"/readyz\"}",
             id);
    cr_expect(strstr(text, span), "no %s in: %s", span, text);
    cr_expect(strstr(text, "a command was taken") || strstr(text, "a command was refused"));
    cr_expect(strstr(text, "\"method\":\"POST\",\"uri\":\"/api/command/pause\"}"), "%s", text);
    cr_expect(!strstr(text, token), "the token stands in the log");
    free(text);
}

/* --- clients that mean no good ------------------------------------------------------------------ */

Test(ops_server, what_is_no_request_is_refused)
{
    static char header[16 * 1024], large[64 * 1024];
    static const struct {
        const char *text;
        int status;
    } all[] = {
        {"nonsense\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n", 400},
        {"POST /api/command/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n",
         413},
        {"POST /api/command/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400}};
    serving();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int fd = dial(), status = 0;
        say(fd, all[i].text);
        hear(fd, NULL);
        close(fd);
        sscanf(answer, "HTTP/1.1 %d", &status);
        cr_expect_eq(status, all[i].status, "%s -> %s", all[i].text, answer);
    }
    memset(header, 'a', sizeof header - 1);
    snprintf(large, sizeof large, "X-Large: %s\r\n\r\n", header);
    cr_expect_eq(ask_with("GET", "/healthz", large), 431);
    cr_expect_eq(ask("GET", "/healthz"), 200);
    finish();
}

/* Each holds a connection with half a request; more of them than there may be. */
Test(ops_server, slow_clients_keep_nobody_out)
{
    enum { SLOW = 700 };
    static int fds[SLOW];
    const struct rlimit files = {4096, 4096};
    (void)setrlimit(RLIMIT_NOFILE, &files); /* both ends are here */
    serving();
    for (int i = 0; i < SLOW; i++) {
        fds[i] = dial();
        say(fds[i], "GET /healthz HTTP/1.1\r\nHost: local");
    }
    for (int i = 0; i < 20; i++)
        cr_expect_eq(ask("GET", "/healthz"), 200);
    for (int i = 0; i < SLOW; i++)
        close(fds[i]);
    finish();
}

static long resident_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Asks for metrics, ten thousand times, and takes nothing. */
Test(ops_server, answers_that_nobody_takes_do_not_pile_up)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    enum { CLIENTS = 8, REQUESTS = 10000 };
    int fds[CLIENTS];
    serving();
    ask("GET", "/metrics");
    long before = resident_kib();
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = dial();
    for (int n = 0; n < REQUESTS; n++)
        for (int i = 0; i < CLIENTS; i++) {
            ssize_t sent = send(fds[i], request, sizeof request - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            (void)sent;
        }
    cr_expect_eq(ask("GET", "/healthz"), 200);
    long grown = resident_kib() - before;
    cr_expect_lt(grown, 64 * 1024, "%ld KiB more", grown);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    finish();
}

static atomic_bool enough;

static void *hammer(void *context)
{
    static const char request[] = "GET /api/dashboard HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char taken[4096];
    (void)context;
    while (!atomic_load(&enough)) {
        int fd = dial();
        say(fd, request);
        while (recv(fd, taken, sizeof taken, MSG_DONTWAIT) != 0 && !atomic_load(&enough) &&
               poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 20) > 0)
            ;
        close(fd);
    }
    return NULL;
}

Test(ops_server, a_session_may_go_while_it_is_looked_at)
{
    struct error error = {0};
    pthread_t client;
    serving();
    cr_assert_eq(pthread_create(&client, NULL, hammer, NULL), 0);
    for (int round = 0; round < 50; round++) {
        ops_detach(ops);
        cr_assert_eq(ops_attach(ops, &b.session, &error), 0);
        b.sink = ops_sink(ops);
        cr_assert_eq(b.sink->stepped == NULL, false);
        usleep(2000);
    }
    atomic_store(&enough, true);
    pthread_join(client, NULL);
    finish();
}
