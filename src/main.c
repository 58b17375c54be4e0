/* capstan: argv to the subcommand table, and standard output checked at the end. */
#include <signal.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/pages.h"

static int cmd_pages(int argc, char **argv);

static const struct cmd_entry entries[] = {
#define X(name, line) {#name, cmd_##name, line},
    COMMANDS(X)
#undef X
        {"--version", cmd_version, NULL},
    {"-V", cmd_version, NULL},
    {"pages", cmd_pages, NULL},
};

static const struct cmd_group capstan = {
    .name = "capstan",
    .opening = "Capstan replays a recorded market past a trading engine. What the engine decides\n"
               "depends on that stream of messages and on nothing else, so every run gives the\n"
               "same orders, fills and profit, down to the last unit.\n",
    .closing = "Example: make a tape of recorded files, then trade on it.\n"
               "  capstan import binance raw/*.gz -o day.tape\n"
               "  capstan replay day.tape --set quote.size=10lot\n"
               "\n"
               "'capstan help COMMAND' tells more about one command, 'capstan config show' prints\n"
               "every setting, 'man capstan' has it all. Exit status: 0 well, 1 a difference was\n"
               "found, 2 bad input, 3 the system refused.\n",
    .entries = entries,
    .entry_count = sizeof entries / sizeof entries[0],
};

/* For scripts and installation; help does not list it. */
static int cmd_pages(int argc, char **argv)
{
    return pages(&capstan, argc, argv);
}

int cmd_help(int argc, char **argv)
{
    /* cmd_dispatch answers `help` itself; this is the entry's function for a direct call. */
    (void)argc;
    char option[] = "--help";
    char *words[] = {argv[0], option, NULL};
    return cmd_dispatch(&capstan, 2, words);
}

int main(int argc, char **argv)
{
    /* A closed pipe is a failed write with a message, not a silent death. */
    signal(SIGPIPE, SIG_IGN);
    int status = cmd_dispatch(&capstan, argc, argv);
    struct error error = {0};
    if (cmd_flush(stdout, "standard output", &error) != ERROR_NONE)
        return cmd_fail(NULL, &error);
    return status;
}
