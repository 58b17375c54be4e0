/* What the commands share: options of every kind, JSON without doubles, configuration by precedence. */
#include <config.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "cmd/cmd.h"

/* One option of each kind, with where they go. */
struct given {
    bool flag;
    const char *text;
    struct cmd_list list;
    int64_t time, duration, count;
    struct cmd_arguments arguments;
};

enum { WORDS_MAX = 16 };

/* cmd_parse of `words` (NULL at the end); at least one argument, at most two. */
static int parse(struct given *given, const char *const *words)
{
    const struct cmd_option options[] = {
        CMD_FLAG("flag", 'f', "a flag", &given->flag),
        CMD_TEXT("text", 't', "TEXT", "a text", &given->text),
        CMD_LIST("list", 0, "ITEM", "a list", &given->list),
        CMD_TIME("at", 0, "a time", &given->time),
        CMD_DURATION("for", 0, "a duration", &given->duration),
        CMD_COUNT("count", 'n', 1, 9, "a count", &given->count),
    };
    const struct cmd_usage usage = {
        .name = "try",
        .arguments = "ONE [TWO]",
        .opening = "Try.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .arguments_least = 1,
        .arguments_most = 2,
    };
    static char storage[WORDS_MAX][64];
    static char *argv[WORDS_MAX + 1];
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        snprintf(storage[argc], sizeof storage[argc], "%s", words[argc]);
        argv[argc] = storage[argc];
    }
    argv[argc] = NULL;
    return cmd_parse(&usage, argc, argv, &given->arguments);
}

Test(cmd, options_of_every_kind_reach_their_targets)
{
    struct given given = {0};
    const char *const words[] = {"try",      "one",    "--flag", "-t",      "a=b",
                                 "--list=x", "--list", "y",      "--at=15", "two",
                                 "--for",    "1.5s",   "-n",     "9",       NULL};
    cr_assert_eq(parse(&given, words), CMD_CONTINUE);
    cr_assert(given.flag);
    cr_assert_str_eq(given.text, "a=b");
    cr_assert_eq(given.list.count, 2);
    cr_assert_str_eq(given.list.items[0], "x");
    cr_assert_str_eq(given.list.items[1], "y");
    cr_assert_eq(given.time, 15);
    cr_assert_eq(given.duration, 1500 * NS_PER_MS);
    cr_assert_eq(given.count, 9);
    cr_assert_eq(given.arguments.count, 2);
    cr_assert_str_eq(given.arguments.items[0], "one");
    cr_assert_str_eq(given.arguments.items[1], "two");
    cmd_list_free(&given.list);
    cr_assert_eq(given.list.count, 0);
}

Test(cmd, what_is_not_given_keeps_its_value)
{
    struct given given = {.text = "before", .time = TIME_NEVER, .count = 4};
    const char *const words[] = {"try", "--", "--flag", NULL};
    cr_assert_eq(parse(&given, words), CMD_CONTINUE);
    cr_assert_not(given.flag);
    cr_assert_str_eq(given.text, "before");
    cr_assert_eq(given.time, TIME_NEVER);
    cr_assert_eq(given.count, 4);
    cr_assert_str_eq(given.arguments.items[0], "--flag");
}

Test(cmd, wrong_options_are_one_line_and_bad_input)
{
    static const char *const cases[][4] = {
        {"try", "one", "--falg", NULL},
        {"try", "one", "-x", NULL},
        {"try", "one", "--text", NULL},
        {"try", "one", "--flag=yes", NULL},
        {"try", "one", "--count=0", NULL},
        {"try", "one", "--count=10", NULL},
        {"try", "one", "--count=1.5", NULL},
        {"try", "one", "--count=nan", NULL},
        {"try", "one", "--at=noon", NULL},
        {"try", "one", "--for=5", NULL},
        {"try", NULL},
        {"try", "-n2", "-n2", NULL},
    };
    cr_redirect_stderr();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct given given = {0};
        cr_assert_eq(parse(&given, cases[i]), ERROR_INPUT, "case %zu was accepted", i);
    }
    fflush(stderr);
    char text[8192];
    FILE *said = cr_get_redirected_stderr();
    size_t length = fread(text, 1, sizeof text - 1, said), lines = 0;
    text[length] = '\0';
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    cr_assert_eq(lines, sizeof cases / sizeof cases[0], "%s", text);
    cr_assert(strstr(text, "capstan try: --count: '10' is not a whole number from 1 to 9\n") !=
                  NULL,
              "%s", text);
    cr_assert(strstr(text, "capstan try: there is no option '--falg'; did you mean '--flag'?\n") !=
                  NULL,
              "%s", text);
    cr_assert(strstr(text, "capstan try: --count: is given twice\n") != NULL, "%s", text);
}

Test(cmd, help_names_every_option)
{
    struct given given = {0};
    const char *const words[] = {"try", "--help", NULL};
    cr_redirect_stdout();
    cr_assert_eq(parse(&given, words), ERROR_NONE);
    fflush(stdout);
    char text[4096];
    size_t length = fread(text, 1, sizeof text - 1, cr_get_redirected_stdout());
    text[length] = '\0';
    static const char *const parts[] = {"Usage: capstan try [OPTION]... ONE [TWO]\n",
                                        "  -f, --flag ",
                                        "  -t, --text=TEXT ",
                                        "      --list=ITEM ",
                                        "      --at=TIME ",
                                        "  -n, --count=N ",
                                        "  -h, --help "};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        cr_assert(strstr(text, parts[i]) != NULL, "no '%s' in:\n%s", parts[i], text);
}

Test(cmd, json_keeps_every_digit)
{
    cJSON *root = cJSON_CreateObject();
    cmd_json_count(root, "count", UINT64_MAX);
    cmd_json_integer(root, "integer", INT64_MIN);
    cmd_json_measure(root, "seconds", 1.25, 3);
    cmd_json_measure(root, "nothing", NAN, 3);
    cmd_json_measure(root, "endless", INFINITY, 3);
    cmd_json_decimal(root, "size", 10, -3);
    cmd_json_money(root, "pnl", (money){INT64_C(-1500000000000000000)});
    cmd_json_time(root, "at", 0);
    cmd_json_text(root, "text", "a \"quoted\" word");
    cmd_json_flag(root, "yes", true);
    cmd_json_text(cmd_json_object(root, "inner"), "a", "b");
    cJSON_AddItemToArray(cmd_json_array(root, "list"), cJSON_CreateString("x"));
    char *text = NULL;
    size_t size = 0;
    struct error error = {0};
    FILE *to = open_memstream(&text, &size);
    cr_assert_eq(cmd_json_print(root, false, to, &error), ERROR_NONE);
    fclose(to);
    cr_assert_str_eq(text, "{\"count\":18446744073709551615,\"integer\":-9223372036854775808,"
                           "\"seconds\":1.250,\"nothing\":null,\"endless\":null,"
                           "\"size\":\"0.010\",\"pnl\":\"-1.5\","
                           "\"at\":\"1970-01-01T00:00:00.000000000Z\","
                           "\"text\":\"a \\\"quoted\\\" word\",\"yes\":true,"
                           "\"inner\":{\"a\":\"b\"},\"list\":[\"x\"]}\n");
    free(text);
    cr_assert_eq(cmd_json_print(NULL, false, stdout, &error), ERROR_SYSTEM);
}

Test(cmd, configuration_comes_from_file_then_environment_then_set)
{
    char path[] = "cmd_test_XXXXXX";
    int descriptor = mkstemp(path);
    cr_assert(descriptor >= 0);
    FILE *file = fdopen(descriptor, "w");
    fputs("seed: 2\nquote: {levels: 2, step: 2}\n", file);
    fclose(file);
    setenv("CAPSTAN_QUOTE__LEVELS", "3", 1);
    setenv("CAPSTAN_QUOTE__STEP", "3", 1);
    const char *items[] = {"quote.step=4"};
    const char *files[] = {path};
    struct cmd_config_options options = {.files = {files, 1}, .settings = {items, 1}};
    struct config *config = NULL;
    struct error error = {0};
    char *text = NULL;
    cr_assert_eq(cmd_load_config(&options, &config, &error), ERROR_NONE, "%s", error.text);
    cr_assert_eq(config_to_text(config, &text, &error), ERROR_NONE);
    cr_assert(strstr(text, "\nseed: 2\n") != NULL);
    cr_assert(strstr(text, "\nquote.levels: 3\n") != NULL);
    cr_assert(strstr(text, "\nquote.step: 4\n") != NULL);
    free(text);
    config_free(&config);
    items[0] = "quote.step=nan";
    cr_assert_eq(cmd_load_config(&options, &config, &error), ERROR_INPUT);
    cr_assert_null(config);
    remove(path);
}

static void write_to(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(cmd, of_several_files_the_later_one_wins_by_setting)
{
    const char *paths[] = {"cmd_test_one.yaml", "cmd_test_two.yaml"};
    struct cmd_config_options options = {.files = {paths, 2}};
    struct config *config = NULL;
    struct error error = {0};
    char *text = NULL;
    write_to(paths[0], "risk.drawdown_limit: 7\nquote: {levels: 2, step: 2}\n");
    write_to(paths[1], "quote: {levels: 3}\n");
    cr_assert_eq(cmd_load_config(&options, &config, &error), ERROR_NONE, "%s", error.text);
    cr_assert_eq(config_to_text(config, &text, &error), ERROR_NONE);
    cr_expect(strstr(text, "\nrisk.drawdown_limit: 7\n"), "a limit of the first file holds");
    cr_expect(strstr(text, "\nquote.levels: 3\n"));
    cr_expect(strstr(text, "\nquote.step: 2\n"));
    free(text);
    config_free(&config);
    write_to(paths[1], "quote: {levles: 3}\n");
    cr_expect_eq(cmd_load_config(&options, &config, &error), ERROR_INPUT);
    cr_expect(strstr(error.text, paths[1]), "%s", error.text);
    remove(paths[0]);
    remove(paths[1]);
}

Test(cmd, no_progress_where_standard_error_is_no_terminal)
{
    cr_redirect_stderr();
    struct cmd_progress progress;
    cmd_progress_start(&progress, "try");
    cr_assert_not(progress.on);
    cmd_progress_show(&progress, 1, 1, 2);
    cmd_progress_end(&progress);
    fclose(stderr);
    cr_assert_eq(fgetc(cr_get_redirected_stderr()), EOF);
}

Test(cmd, a_failed_write_is_an_error)
{
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL)
        cr_skip_test("no /dev/full here");
    struct error error = {0};
    fputs("text", full);
    cr_assert_eq(cmd_flush(full, "the report", &error), ERROR_SYSTEM);
    cr_assert(strncmp(error.text, "cannot write to the report: ", 28) == 0, "%s", error.text);
    fclose(full);
}

/* --- a log that can't be written ------------------------------------------------------------------- */

/* To a terminal that nobody reads: a full log, and then an error's text. */
static _Noreturn void fail_at(int terminal)
{
    static char text[LOG_LINE_MAX - 512];
    const struct cmd_log_options options = {.form = "json"};
    struct log log;
    struct error error;
    dup2(terminal, STDERR_FILENO);
    if (cmd_open_log(&options, &log, &error) != 0)
        _exit(99);
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 1000; i++)
        log_write(&log, LOG_ERROR, "test", 0, text, NULL, 0);
    cmd_close_log(&log);
    for (int i = 0; i < 1000; i++)
        fprintf(stderr, "%s\n", text);
    _exit(98);
}

Test(log, what_hangs_behind_a_log_that_hangs_is_ended, .timeout = 60)
{
    int status = 0, master = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert_geq(master, 0);
    cr_assert_eq(grantpt(master), 0);
    cr_assert_eq(unlockpt(master), 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    cr_assert_geq(terminal, 0);
    pid_t child = fork();
    if (child == 0)
        fail_at(terminal);
    close(terminal);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status));
    cr_assert_eq(WEXITSTATUS(status), ERROR_SYSTEM);
    close(master);
}
