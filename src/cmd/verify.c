/* capstan verify: runs the engine over a session's inputs and compares its decisions with the tape. */
#include "cmd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/time.h"
#include "replay/restart_check.h"
#include "run/chain.h"
#include "run/rotation.h"
#include "run/verification.h"
#include "run/why.h"

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

/* One story over all tapes. */
static int listen(struct verification *verification, struct why **why, order_id order,
                  struct error *error)
{
    const struct event_names *names = &tape_reader_header(verification->reader)->names;
    if (*why != NULL)
        why_go_on(*why, names);
    else if (why_open(why, order, names, error))
        return error->code;
    verification_add_told(verification, why_sink(*why));
    return 0;
}

/* `order` 0: no story is wanted. */
static int verify(const char *path, order_id order, struct why **why, struct error *error)
{
    struct verification verification = {0};
    struct verification_result result = {0};
    int code = verification_open(&verification, path, error);
    if (!code && order != 0)
        code = listen(&verification, why, order, error);
    if (!code)
        code = verification_execute(&verification, &result, error);
    verification_close(&verification);
    if (code == ERROR_DIFFERENT)
        print_difference(&result.difference, path);
    else if (!code && order == 0)
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

static int check_chain(const char *first, const char *second, bool quiet, struct error *error)
{
    int code = rotation_check(first, second, error);
    if (code == ERROR_DIFFERENT)
        printf("%s\n", error->text);
    else if (!code && !quiet)
        printf("%s: goes on where %s ended, with what it left\n", second, first);
    return code;
}

/* What is asked for. */
struct verify_request {
    bool restarts;
    const char *why;
};

static int verify_each(const struct cmd_list *tapes, bool restarts, order_id order,
                       struct error *error)
{
    struct why *why = NULL;
    int code = 0;
    for (size_t i = 0; i < tapes->count && !code; i++) {
        if (i > 0)
            code = check_chain(tapes->items[i - 1], tapes->items[i], order != 0, error);
        if (!code)
            code = verify(tapes->items[i], order, &why, error);
        if (!code && restarts)
            code = check_restarts(tapes->items[i], error);
    }
    if (!code && order != 0)
        code = why_print(why, stdout, error);
    why_close(&why);
    return code;
}

static int verify_all(const struct cmd_arguments *arguments, const struct verify_request *request,
                      struct error *error)
{
    order_id order = 0;
    size_t count = (size_t)arguments->count;
    struct cmd_list tapes = {calloc(count, sizeof *tapes.items), count};
    int code = 0;
    for (size_t i = 0; i < count && tapes.items; i++)
        tapes.items[i] = arguments->items[i];
    if (!tapes.items)
        code = error_set(error, ERROR_SYSTEM, "out of memory");
    else if (request->why && !why_order(request->why, &order))
        code = error_set(error, ERROR_INPUT,
                         "--why: '%s' is no order; expected #1764547200.12, as the session has it",
                         request->why);
    if (!code && count > 1)
        code = chain_sort(tapes.items, count, error);
    if (!code)
        code = verify_each(&tapes, request->restarts, order, error);
    cmd_list_free(&tapes);
    return code;
}

int cmd_verify(int argc, char **argv)
{
    struct verify_request request = {.restarts = false};
    const struct cmd_option options[] = {
        CMD_TEXT("why", 0, "ORDER",
                 "instead: why the session placed this order, and what became of it", &request.why),
        CMD_FLAG("restarts", 0,
                 "also: a restart at up to 1000 places, each as if the session had gone on",
                 &request.restarts),
    };
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "SESSION.tape...",
        .opening =
            "Run the engine over what a session's tape says it was told, and compare every\n"
            "decision and the state at the end of every block with what stands on the tape.\n"
            "Stops at the first difference and names it. Several tapes follow each other (a live\n"
            "session's tape.rotate_every): each is verified, and that it begins with what the one\n"
            "before it left; their order on the command line does not matter. A tape that follows\n"
            "another can be verified alone too.\n"
            "With --why the story of one order of the session is printed instead, as the tape has\n"
            "it; its id is the session's (#1764547200.12: epoch and number).\n"
            "With --restarts, at up to 1000 places an engine that folds the tape up to there and\n"
            "one that lived through it must be the same after a restart.\n",
        .closing =
            "Exit status: 0 identical, 1 a difference, 2 bad input; bad input is also a tape that\n"
            "is missing between two others, or there twice.\n",
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
    status = verify_all(&arguments, &request, &error);
    if (status != ERROR_NONE && status != ERROR_DIFFERENT)
        cmd_fail(name, &error);
    return status;
}
