/* Log lines: their form, spans, filter, and the thread that writes them. Lines are read back by cJSON, which knows
 * nothing of ours. */
#include "config.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/log_writer.h"
#include "base/time.h"
#include "base/utf8.h"

enum { THREADS = 4, LINES_EACH = 2000 };
#define AT INT64_C(1723161254000000000)

static size_t format(bool human, const char *message, const struct log_field *fields, size_t count,
                     char out[LOG_LINE_MAX + 1])
{
    const struct log log = {.human = human};
    size_t length = log_format(&log, "/a/src/b/src/live/session.c", 42, LOG_INFO, "capstan.tape",
                               AT, message, fields, count, out);
    cr_assert_leq(length, LOG_LINE_MAX);
    cr_assert_eq(out[length - 1], '\n');
    out[length] = '\0';
    return length;
}

static cJSON *parse(const char *line)
{
    cJSON *root = cJSON_Parse(line);
    cr_assert_not_null(root, "no JSON: %s", line);
    return root;
}

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

Test(log, json_line)
{
    char line[LOG_LINE_MAX + 1];
    const struct log_field fields[] = {
        log_text("path", "a\"b\\c\n\x01\x7f\xff\xc3\xa9\xe2\x82"),
        log_integer("count", INT64_MIN),
        log_unsigned("sequence", UINT64_MAX),
        log_money("fee", (money){-INT64_C(500000000000000000)}),
        log_flag("whole", true),
    };
    format(false, "opened", fields, 5, line);
    char *thread = strstr(line, "\"thread_id\":");
    cr_assert_not_null(thread);
    cr_assert_gt(strtol(thread + strlen("\"thread_id\":"), NULL, 10), 0);
    cr_assert_str_eq(strchr(thread, ','), ",\"file\":\"src/live/session.c\",\"line\":42}\n");
    *thread = '\0';
    cr_assert_str_eq(line, "{\"time\":\"2024-08-08T23:54:14.000000000Z\",\"level\":\"info\","
                           "\"target\":\"capstan.tape\",\"message\":\"opened\",\"fields\":{"
                           "\"path\":\"a\\\"b\\\\c\\u000a\\u0001\\u007f\\ufffd\xc3\xa9"
                           "\\ufffd\\ufffd\",\"count\":-9223372036854775808,"
                           "\"sequence\":18446744073709551615,\"fee\":\"-0.5\","
                           "\"whole\":true},\"span\":null,\"spans\":[],");
}

Test(log, spans_stand_in_each_line_of_their_thread)
{
    char line[LOG_LINE_MAX + 1];
    const struct log_field request[] = {log_text("request_id", "0b1e"), log_text("method", "GET"),
                                        log_text("uri", "/health\n\"live\"")};
    struct log_span session = {.name = "session"};
    struct log_span http = {.name = "http_request", .fields = request, .field_count = 3};
    log_span_enter(&session);
    log_span_enter(&http);
    format(false, "asked", NULL, 0, line);
    cJSON *root = parse(line);
    const cJSON *span = cJSON_GetObjectItem(root, "span"),
                *spans = cJSON_GetObjectItem(root, "spans");
    cr_assert_str_eq(text_of(span, "name"), "http_request");
    cr_assert_str_eq(text_of(span, "request_id"), "0b1e");
    cr_assert_str_eq(text_of(span, "uri"), "/health\n\"live\"");
    cr_assert_eq(cJSON_GetArraySize(spans), 2);
    cr_assert_str_eq(text_of(cJSON_GetArrayItem(spans, 0), "name"), "session");
    cr_assert_str_eq(text_of(cJSON_GetArrayItem(spans, 1), "method"), "GET");
    cJSON_Delete(root);
    log_span_leave(&http);
    log_span_leave(&session);
    format(false, "idle", NULL, 0, line);
    cr_assert(strstr(line, "\"span\":null,\"spans\":[]") != NULL);
}

/* Whatever stands in a text and however long it is, the line is one line of JSON and says that it was cut. */
Test(log, hostile_texts_stay_one_line_of_json)
{
    char line[LOG_LINE_MAX + 1];
    static char text[3 * LOG_LINE_MAX];
    for (unsigned byte = 1; byte < 256; byte++) {
        memset(text, (int)byte, sizeof text - 1);
        const struct log_field fields[] = {log_text("first", text), log_text("second", "seen"),
                                           log_text(text, "name")};
        const struct log_field of_span = log_text("uri", text);
        struct log_span span = {.name = "http_request", .fields = &of_span, .field_count = 1};
        struct log_span inner = span;
        log_span_enter(&span);
        log_span_enter(&inner);
        size_t length = format(false, "a message", fields, 3, line);
        cr_assert_eq(memchr(line, '\n', length), line + length - 1, "byte %u", byte);
        cJSON *root = parse(line);
        cr_assert(cJSON_IsTrue(cJSON_GetObjectItem(root, "cut")), "byte %u", byte);
        cr_assert_str_eq(text_of(root, "message"), "a message");
        cr_assert_not_null(text_of(cJSON_GetObjectItem(root, "fields"), "first"));
        cJSON_Delete(root);
        length = format(true, text, fields, 3, line);
        cr_assert_eq(memchr(line, '\n', length), line + length - 1, "byte %u", byte);
        cr_assert_null(memchr(line, '\033', length));
        log_span_leave(&inner);
        log_span_leave(&span);
    }
}

Test(log, for_a_person)
{
    char line[LOG_LINE_MAX + 1];
    const struct log_field fields[] = {log_text("order", "#1.7"), log_text("why", "not known"),
                                       log_integer("count", 3)};
    format(true, "an order \"rests\"", fields, 3, line);
    cr_assert_str_eq(line, "2024-08-08T23:54:14.000000000Z  info capstan.tape: an order \"rests\" "
                           "order=#1.7 why=\"not known\" count=3\n");
}

Test(log, filter)
{
    struct log log;
    struct error error;

    cr_assert_eq(log_init(&log, stderr, "warn,capstan=debug,capstan.sim=off", &error), 0);
    cr_assert(log_passes(&log, LOG_WARN, "other"));
    cr_assert_not(log_passes(&log, LOG_INFO, "other"));
    cr_assert(log_passes(&log, LOG_DEBUG, "capstan"));
    cr_assert(log_passes(&log, LOG_DEBUG, "capstan.tape"));
    cr_assert_not(log_passes(&log, LOG_DEBUG, "capstanette"));
    cr_assert_not(log_passes(&log, LOG_ERROR, "capstan.sim"));
    cr_assert_not(log_passes(&log, LOG_TRACE, "capstan.tape"));
    cr_assert_eq(log_init(&log, stderr, "", &error), 0);
    cr_assert(log_passes(&log, LOG_DEBUG, "capstan.tape"));
    cr_assert(log_passes(&log, LOG_INFO, "other"));
    cr_assert_not(log_passes(&log, LOG_DEBUG, "other"));
    cr_assert_eq(log_init(&log, stderr, "info,capstan=loud", &error), ERROR_INPUT);
    cr_assert(strstr(error.text, "\"capstan=loud\"") != NULL);
    cr_assert_eq(log_init(&log, stderr, "info,", &error), ERROR_INPUT);
    cr_assert_eq(log_init(&log, stderr, "=info", &error), ERROR_INPUT);
}

/* --- the thread that writes ----------------------------------------------------------------------- */

static char folder[64];

static const char *in_folder(const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static void make_folder(void)
{
    strcpy(folder, "/tmp/capstan-log-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

static void open_log(struct log *log, const char *path, unsigned lines)
{
    struct error error;
    const struct log_writer_options options = {.path = path, .filter = "trace", .lines = lines};
    cr_assert_eq(log_writer_open(log, &options, &error), 0, "%s", error.text);
    cr_assert_not(log->human, "a file is no terminal");
}

static void *write_many(void *context)
{
    for (int64_t i = 0; i < LINES_EACH; i++) {
        const struct log_field field = log_integer("number", i);
        log_write((struct log *)context, LOG_INFO, "test", AT + i, "line", &field, 1);
        if (i % 100 == 99)
            nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    }
    return NULL;
}

/* The numbers of a thread's lines, which must rise by one. */
static void check_thread(int64_t *threads, int64_t *next, const cJSON *root)
{
    int64_t thread = (int64_t)cJSON_GetObjectItem(root, "thread_id")->valuedouble;
    int64_t number =
        (int64_t)cJSON_GetObjectItem(cJSON_GetObjectItem(root, "fields"), "number")->valuedouble;
    for (int t = 0; t < THREADS; t++) {
        if (threads[t] == 0)
            threads[t] = thread;
        if (threads[t] != thread)
            continue;
        cr_assert_eq(number, next[t]);
        next[t]++;
        return;
    }
    cr_assert_fail("a fifth thread");
}

Test(log_writer, lines_of_threads_are_whole_and_in_order, .init = make_folder,
     .fini = remove_folder)
{
    struct log log;
    char path[128], line[LOG_LINE_MAX + 2];
    pthread_t threads[THREADS];
    int64_t numbers[THREADS] = {0}, next[THREADS] = {0};
    open_log(&log, in_folder("log", path), 16384);
    for (int t = 0; t < THREADS; t++)
        cr_assert_eq(pthread_create(&threads[t], NULL, write_many, &log), 0);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    cr_assert_eq(log_writer_dropped(log.writer), 0);
    cr_assert(log_writer_close(&log, 20 * NS_PER_SECOND));
    FILE *file = fopen(path, "r");
    int lines = 0;
    for (; fgets(line, sizeof line, file); lines++) {
        cJSON *root = parse(line);
        check_thread(numbers, next, root);
        cJSON_Delete(root);
    }
    fclose(file);
    cr_assert_eq(lines, THREADS * LINES_EACH);
}

static uint64_t sum_of_dropped(const char *text)
{
    uint64_t sum = 0;
    for (const char *at = text; (at = strstr(at, "\"dropped\":")) != NULL; at++)
        sum += strtoull(at + strlen("\"dropped\":"), NULL, 10);
    return sum;
}

/* A pipe that nobody reads holds up nobody: what finds no room is dropped, counted, and told of. */
Test(log_writer, a_reader_that_stops_costs_lines_not_time, .init = make_folder,
     .fini = remove_folder, .timeout = 60)
{
    struct log log;
    char path[128];
    static char text[4 << 20];
    in_folder("fifo", path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    open_log(&log, path, 64);
    for (int i = 0; i < 5000; i++)
        log_write(&log, LOG_INFO, "test", AT, "a line that nobody reads for now", NULL, 0);
    uint64_t dropped = log_writer_dropped(log.writer);
    cr_assert_gt(dropped, 1000);
    size_t length = 0;
    for (int i = 0; i < 2000 && sum_of_dropped(text) < dropped; i++) {
        ssize_t got = read(reader, text + length, sizeof text - 1 - length);
        length += got > 0 ? (size_t)got : 0;
        nanosleep(&(struct timespec){.tv_nsec = 5 * NS_PER_MS}, NULL);
    }
    cr_assert_eq(sum_of_dropped(text), dropped);
    log_writer_close(&log, NS_PER_SECOND);
    close(reader);
}

/* It ends although its pipe is full, and within its limit. */
Test(log_writer, a_full_pipe_does_not_keep_it, .init = make_folder, .fini = remove_folder,
     .timeout = 60)
{
    struct log log;
    char path[128];
    static const char text[4096];
    in_folder("fifo", path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    open_log(&log, path, 64);
    int filler = open(path, O_WRONLY | O_NONBLOCK);
    while (write(filler, text, sizeof text) > 0)
        ;
    while (write(filler, text, 1) > 0)
        ;
    for (int i = 0; i < 5000; i++)
        log_write(&log, LOG_INFO, "test", AT, "a line that nobody reads", NULL, 0);
    cr_assert_not(log_writer_last_words(log.writer, "x\n", 2, NS_PER_MS));
    cr_assert_not(log_writer_close(&log, 100 * NS_PER_MS));
    close(filler);
    close(reader);
}

/* A terminal that nobody reads, as standard error; its master's descriptor. */
static int become_unread_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert_geq(master, 0);
    cr_assert_eq(grantpt(master), 0);
    cr_assert_eq(unlockpt(master), 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    cr_assert_geq(terminal, 0);
    cr_assert_eq(dup2(terminal, STDERR_FILENO), STDERR_FILENO);
    close(terminal);
    return master;
}

/* It takes a part of a line and holds the write. More than it takes is in the ring; the last words give the thread
 * time to come so far, and are held as well. */
Test(log_writer, a_terminal_that_takes_half_a_line_does_not_keep_it, .timeout = 60)
{
    struct log log;
    struct error error;
    static char text[LOG_LINE_MAX - 512];
    const int master = become_unread_terminal();
    const struct log_writer_options options = {
        .form = LOG_FORM_JSON, .filter = "trace", .lines = 256};
    memset(text, 'x', sizeof text - 1);
    cr_assert_eq(log_writer_open(&log, &options, &error), 0, "%s", error.text);
    for (int i = 0; i < 256; i++)
        log_write(&log, LOG_INFO, "test", AT, text, NULL, 0);
    bool said = log_writer_last_words(log.writer, "x\n", 2, 2 * NS_PER_SECOND);
    bool whole = log_writer_close(&log, 100 * NS_PER_MS);
    close(master);
    cr_assert_not(said);
    cr_assert_not(whole);
    cr_assert_null(log.writer);
}

static size_t size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (size_t)status.st_size : 0;
}

Test(log_writer, rotation, .init = make_folder, .fini = remove_folder)
{
    struct log log;
    char path[128], old[128], line[LOG_LINE_MAX + 2];
    open_log(&log, in_folder("log", path), 64);
    cr_assert(log_writer_has_file(log.writer));
    log_write(&log, LOG_INFO, "test", AT, "before", NULL, 0);
    for (int i = 0; i < 2000 && size_of(path) == 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 5 * NS_PER_MS}, NULL);
    cr_assert_eq(rename(path, in_folder("log.1", old)), 0);
    log_writer_reopen(log.writer);
    for (int i = 0; i < 2000 && size_of(path) == 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 5 * NS_PER_MS}, NULL);
    log_write(&log, LOG_INFO, "test", AT, "after", NULL, 0);
    log_writer_close(&log, 20 * NS_PER_SECOND);
    const char *const expected[] = {"before", "the log's file was opened again", "after"};
    FILE *files[] = {fopen(old, "r"), fopen(path, "r")};
    for (int i = 0; i < 3; i++) {
        cr_assert_not_null(fgets(line, sizeof line, files[i > 0]), "line %d", i);
        cr_assert(strstr(line, expected[i]) != NULL, "%s", line);
    }
    cr_assert_null(fgets(line, sizeof line, files[0]));
    fclose(files[0]);
    fclose(files[1]);
}

Test(log_writer, a_fifo_without_reader_is_refused, .init = make_folder, .fini = remove_folder)
{
    struct log log;
    struct error error;
    char path[128];
    in_folder("fifo", path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    const struct log_writer_options options = {.path = path};
    cr_assert_eq(log_writer_open(&log, &options, &error), ERROR_INPUT);
    cr_assert(strstr(error.text, "nobody reads") != NULL, "%s", error.text);
}
