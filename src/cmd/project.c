/* capstan project: the run database of a session's tape. */
#include "cmd/cmd.h"

#include "cmd/run_database.h"
#include "run/grade.h"
#include "run/verification.h"

#include <stdlib.h>

static const char name[] = "project";

/* What is held while projecting. */
struct projection {
    struct verification verification;
    struct verification_result result;
    struct fingerprint *fingerprint;
    struct market_faults *faults;
    struct run_grade grade;
    struct run_database database;
};

static int run(struct projection *projection, const char *tape, const char *database,
               struct error *error)
{
    struct verification *verification = &projection->verification;
    struct loop *loop = &verification->loop;
    int code = verification_open(verification, tape, error);
    if (!code)
        code = fingerprint_open(&projection->fingerprint, error);
    if (code)
        return code;
    const struct tape_header *header = tape_reader_header(verification->reader);
    code =
        market_faults_open(&projection->faults, &header->names, verification->engine.engine, error);
    if (!code)
        code = run_database_open(&projection->database, tape, &verification->engine, error);
    if (code)
        return code;
    loop->sinks[loop->sink_count++] = fingerprint_sink(projection->fingerprint);
    verification_add_first(verification, spool_sink(projection->database.spool));
    verification_add_last(verification, spool_loaded_sink(projection->database.spool));
    verification_add_first(verification, market_faults_sink(projection->faults));
    code = verification_execute(verification, &projection->result, error);
    if (code == ERROR_DIFFERENT)
        return error_set(error, ERROR_DIFFERENT,
                         "%s: this build does not decide what stands on the tape ('capstan verify' "
                         "says where), so no database was made",
                         tape);
    if (code)
        return code;
    code = run_grade_of_market(projection->faults, header, header->grade_reasons,
                               &projection->grade, error);
    return code ? code
                : run_database_write(&projection->database, database, header, &verification->engine,
                                     loop, projection->fingerprint, &projection->grade, error);
}

static int project(const char *tape, const char *database, struct error *error)
{
    int code = cmd_check_output("-o", database, &tape, 1, error);
    if (code)
        return code;
    struct projection *projection = calloc(1, sizeof *projection);
    if (!projection)
        return error_set(error, ERROR_SYSTEM, "out of memory");
    code = run(projection, tape, database, error);
    run_grade_free(&projection->grade);
    market_faults_close(&projection->faults);
    run_database_close(&projection->database);
    fingerprint_close(&projection->fingerprint);
    verification_close(&projection->verification);
    free(projection);
    return code;
}

int cmd_project(int argc, char **argv)
{
    const char *database = NULL;
    const struct cmd_option options[] = {
        CMD_TEXT("output", 'o', "RUN.db", "the database to write; required", &database),
    };
    const struct cmd_usage usage = {
        .name = name,
        .arguments = "SESSION.tape",
        .opening = "Run the engine over a session's tape, verify it, and write orders, fills,\n"
                   "positions and profit to a SQLite database: the same rows that the run itself\n"
                   "wrote with 'capstan replay -o'.\n",
        .closing = "The tables are described in docs/store.md.\n"
                   "Exit status: 0 well, 1 the tape does not verify, 2 bad input.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    if (!database)
        return cmd_fail_with(name, ERROR_INPUT, "no output: say -o RUN.db");
    struct error error = {0};
    status = project(arguments.items[0], database, &error);
    if (status != ERROR_NONE)
        cmd_fail(name, &error);
    return status;
}
