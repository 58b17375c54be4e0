/* capstan scenario: runs scenario files, each a test of its own. */
#include "cmd/cmd.h"

#include <string.h>

#include "replay/scenario.h"

static const char name[] = "scenario";

/* One file; a TAP line or a plain one. */
static int run_one(const char *path, const struct scenario_options *options, bool tap,
                   unsigned number)
{
    struct error error = {0};
    int code = scenario_run(path, options, &error);
    if (tap)
        printf("%s %u - %s\n", code ? "not ok" : "ok", number,
               strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
    else if (!code)
        printf("%s: %s\n", path, options->bless ? "blessed" : "held");
    if (code)
        cmd_fail(name, &error);
    return code;
}

int cmd_scenario(int argc, char **argv)
{
    struct scenario_options run = {0};
    const char *gate = NULL;
    bool tap = false;
    const struct cmd_option options[] = {
        CMD_FLAG("bless", 0, "write the golden texts anew instead of comparing", &run.bless),
        CMD_FLAG("journal", 'j', "print everything that happened", &run.print_journal),
        CMD_TEXT("defaults", 0, "FILE", "read settings from this file before the scenario's own",
                 &run.defaults),
        CMD_TEXT("without-gate", 0, "NAME",
                 "for tests: that gate never blocks; shows that it is needed (docs/gates.md)",
                 &gate),
        CMD_FLAG("tap", 0, "print results as TAP, for make check", &tap),
    };
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "FILE.scn...",
        .opening =
            "Run scenarios: each is compiled to a tape, replayed through the engine against\n"
            "the simulated venue and its canned answers, checked against what it expects,\n"
            "verified, and compared with the golden text beside it.\n",
        .closing = "Without --defaults the defaults.yaml beside each scenario is read, where there "
                   "is one.\n"
                   "The language is described in docs/scenarios.md.\n"
                   "Exit status: 0 all held, 1 something did not, 2 bad input.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .arguments_least = 1,
        .arguments_most = CMD_ARGUMENTS_ANY,
    };
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    if (!cmd_gate(name, gate, &run.gates_off))
        return ERROR_INPUT;
    status = ERROR_NONE;
    if (tap)
        printf("1..%d\n", arguments.count);
    for (int i = 0; i < arguments.count; i++) {
        int code = run_one(arguments.items[i], &run, tap, (unsigned)i + 1);
        if (code > status)
            status = code;
    }
    return status;
}
