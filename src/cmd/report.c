/* capstan report: a run database, or two, as a page and as CSV. */
#include "cmd/cmd.h"

#include <string.h>

#include "report/report.h"
#include "store/live_database.h"

static const char name[] = "report";

static int write_outputs(const struct run *runs, unsigned count, const char *page,
                         const char *folder, struct error *error)
{
    int code = page ? report_write_page(page, runs, count, error) : 0;
    if (!code && folder)
        code = report_write_csv(folder, runs, count, error);
    return code;
}

static void warn_unfinished(const char *path)
{
    if (live_database_is_unfinished(path))
        fprintf(stderr,
                "capstan report: warning: %s: its session goes on, or did not end it: what is "
                "missing 'capstan project' makes of the tape\n",
                path);
}

static int report(char **databases, unsigned count, const char *page, const char *folder,
                  struct error *error)
{
    struct run runs[REPORT_RUNS_MAX];
    memset(runs, 0, sizeof runs);
    int code = cmd_check_output("-o", page, (const char *const *)databases, count, error);
    for (unsigned i = 0; !code && i < count; i++)
        code = run_read(&runs[i], databases[i], error);
    for (unsigned i = 0; !code && i < count; i++)
        warn_unfinished(databases[i]);
    if (!code)
        code = write_outputs(runs, count, page, folder, error);
    for (unsigned i = 0; i < count; i++)
        run_close(&runs[i]);
    return code;
}

int cmd_report(int argc, char **argv)
{
    const char *page = NULL, *folder = NULL;
    const struct cmd_option options[] = {
        CMD_TEXT("output", 'o', "FILE", "write the report as one page of HTML", &page),
        CMD_TEXT("csv", 0, "FOLDER", "write its tables and series as CSV files in this folder",
                 &folder),
    };
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "RUN.db [OTHER.db]",
        .opening = "Report a run, or two runs beside each other, from the databases that 'capstan\n"
                   "replay -o' and 'capstan project -o' write. The page is one file that needs\n"
                   "nothing else.\n",
        .closing = "What the figures mean: docs/report.md.\n"
                   "Exit status: 0 well, 2 bad input.\n"
                   "\n"
                   "Example:\n"
                   "  capstan replay day.tape -o run.db\n"
                   "  capstan report run.db -o report.html --csv report\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .arguments_least = 1,
        .arguments_most = REPORT_RUNS_MAX,
    };
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    if (!page && !folder)
        return cmd_fail_with(name, ERROR_INPUT, "no output: say -o FILE, --csv FOLDER or both");
    struct error error = {0};
    status = report(arguments.items, (unsigned)arguments.count, page, folder, &error);
    if (status != ERROR_NONE)
        cmd_fail(name, &error);
    return status;
}
