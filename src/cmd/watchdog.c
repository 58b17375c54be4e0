/* capstan watchdog: cancels a session's orders when its engine is gone. */
#include "config.h"

#include "cmd/cmd.h"

#include "base/time.h"
#include "live/watchdog.h"

static const char name[] = "watchdog";

static const int64_t AFTER_LEAST_NS = NS_PER_SECOND;

static int run(const struct cmd_config_options *files, const struct cmd_log_options *lines,
               const char *tape, int64_t after, struct error *error)
{
    struct config *config = NULL;
    struct log log;
    int code = cmd_open_log(lines, &log, error);
    if (!code)
        code = cmd_load_config(files, &config, error);
    if (!code) {
        const struct watchdog_options options = {
            .config = config, .tape = tape, .after_ns = after, .log = &log};
        code = watchdog_run(&options, error);
    }
    config_free(&config);
    cmd_close_log(&log);
    return code;
}

int cmd_watchdog(int argc, char **argv)
{
    struct cmd_config_options files = {0};
    struct cmd_log_options log = {0};
    const char *tape = NULL;
    int64_t after = 5 * NS_PER_SECOND;
    const struct cmd_option options[] = {
        CMD_CONFIG_OPTIONS(&files),
        CMD_LOG_OPTIONS(&log),
        CMD_TEXT("tape", 0, "FILE", "tape of the session that is watched", &tape),
        CMD_DURATION("after", 0,
                     "without a sign of life for so long it is gone (default 5s, least 1s)",
                     &after),
    };
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "",
        .opening =
            "Stand beside a live session: when its engine gives no sign of life any more, cancel\n"
            "every order of its prefix (live.session) at its venues. Give it keys that may\n"
            "trade, and the session's own configuration. It ends when the session ends in\n"
            "order, and goes on looking when the engine died: a venue may take an order late,\n"
            "another session may begin. Where the session has ended it waits for the next.\n",
        .closing =
            "It can't help where the machine, its network or the venue is gone: there orders\n"
            "outlive a crash, unless live.order_expiry lets the venue end them.\n"
            "Exit status: 0 the session ended in order or a signal came and no order is left,\n"
            "2 bad settings or no session, 3 orders may be left.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0]};
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status == CMD_CONTINUE) {
        struct error error = {0};
        if (!tape)
            status = error_set(&error, ERROR_INPUT, "--tape=FILE is missing");
        else if (after < AFTER_LEAST_NS)
            status = error_set(&error, ERROR_INPUT,
                               "--after: expected 1s at least: an engine that lives is as silent "
                               "as that now and then");
        else
            status = run(&files, &log, tape, after, &error);
        if (error.code != ERROR_NONE)
            cmd_fail(name, &error);
    }
    cmd_config_options_free(&files);
    return status;
}
