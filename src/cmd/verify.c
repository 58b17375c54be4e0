/* capstan verify: runs the engine over a session's inputs and compares its decisions with the tape. */
#include "cmd/cmd.h"

#include <inttypes.h>

#include "base/time.h"
#include "replay/restart_check.h"
#include "run/rotation.h"
#include "run/verification.h"

static const char name[] = "verify";

static void print_difference(const struct difference *difference, const char *path)
{
    char time[TIME_TEXT_MAX];
    time_to_text(difference->ts_local, time);
    printf("%s: different\n"
           "message   %" PRIu64 "\n"
           "time      %s\n"
           "room      %s\n"
           "field     %s\n"
           "expected  %s\n"
           "found     %s\n",
           path, difference->message, time, difference->room, difference->field,
           difference->expected, difference->actual);
}

static void print_identical(const struct verification_result *result, const char *path)
{
    printf("%s: identical: %" PRIu64 " decisions, %" PRIu64 " state hashes\n", path,
           result->decisions, result->state_hashes);
    if (result->sessions > 1 || result->cut_sessions > 0)
        printf("%s: %" PRIu64 " sessions, %" PRIu64 " of them cut short\n", path, result->sessions,
               result->cut_sessions);
}

static int verify(const char *path, struct error *error)
{
    struct verification_result result;
    int code = verification_run(path, &result, error);
    if (code == ERROR_DIFFERENT)
        print_difference(&result.difference, path);
    else if (!code)
        print_identical(&result, path);
    return code;
}

enum { RESTARTS_MAX = 1000 }; /* tried on one tape */

static int check_restarts(const char *path, struct error *error)
{
    uint64_t cuts = 0;
    int code = restart_check(path, RESTARTS_MAX, &cuts, error);
    if (code == ERROR_DIFFERENT)
        printf("%s\n", error->text);
    else if (!code)
        printf("%s: restarts: %" PRIu64 " tried, each equal to the fold of the tape before it\n",
               path, cuts);
    return code;
}

static int check_chain(const char *first, const char *second, struct error *error)
{
    int code = rotation_check(first, second, error);
    if (code == ERROR_DIFFERENT)
        printf("%s\n", error->text);
    else if (!code)
        printf("%s: goes on where %s ended, with what it left\n", second, first);
    return code;
}

static int verify_all(const struct cmd_arguments *tapes, bool restarts, struct error *error)
{
    int code = 0;
    for (int i = 0; i < tapes->count && !code; i++) {
        if (i > 0)
            code = check_chain(tapes->items[i - 1], tapes->items[i], error);
        if (!code)
            code = verify(tapes->items[i], error);
        if (!code && restarts)
            code = check_restarts(tapes->items[i], error);
    }
    return code;
}

int cmd_verify(int argc, char **argv)
{
    bool restarts = false;
    const struct cmd_option options[] = {
        CMD_FLAG("restarts", 0,
                 "also: at up to 1000 places, an engine that folds the tape up to there and one\n"
                 "that lived through it must be the same after a restart",
                 &restarts),
    };
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "SESSION.tape...",
        .opening =
            "Run the engine over what a session's tape says it was told, and compare every\n"
            "decision and the state at the end of every block with what stands on the tape.\n"
            "Stops at the first difference and names it. Several tapes follow each other (a live\n"
            "session's tape.rotate_every): each is verified, and that it begins with what the one\n"
            "before it left. A tape that follows another can be verified alone too.\n",
        .closing = "Exit status: 0 identical, 1 a difference, 2 bad input.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .arguments_least = 1,
        .arguments_most = CMD_ARGUMENTS_ANY,
    };
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    struct error error = {0};
    status = verify_all(&arguments, restarts, &error);
    if (status != ERROR_NONE && status != ERROR_DIFFERENT)
        cmd_fail(name, &error);
    return status;
}
