/* capstan tape check, capstan tape recover and capstan tape repair. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/tape.h"
#include "run/grade.h"
#include "tape/appender.h"

/* What is looked at on the way. */
struct look {
    const struct tape_header *header; /* holds until `end` */
    struct market_faults *faults;
    struct run_grade grade;
    char *reasons; /* the header's and then those found */
};

static int begin(void *context, const struct tape_header *header, struct error *error)
{
    struct look *look = context;
    look->header = header;
    return market_faults_open(&look->faults, &header->names, NULL, error);
}

static int take(void *context, const struct message *message, struct error *error)
{
    const struct look *look = context;
    return market_faults_take(look->faults, message, error);
}

static int end(void *context, struct error *error)
{
    struct look *look = context;
    struct tape_header graded = *look->header;
    int code = run_grade_of_market(look->faults, look->header, look->header->grade_reasons,
                                   &look->grade, error);
    return code ? code
                : tape_header_lower_grade(&graded, look->grade.grade,
                                          look->grade.reasons ? look->grade.reasons : "",
                                          &look->reasons, error);
}

static void close_look(struct look *look)
{
    run_grade_free(&look->grade);
    market_faults_close(&look->faults);
    free(look->reasons);
}

static int print_json(const char *path, const struct tape_check *check, const struct look *look,
                      const struct error *found, struct error *error)
{
    char identity[TAPE_IDENTITY_TEXT_MAX];
    cJSON *root = cJSON_CreateObject();
    tape_identity_text(check->identity, identity);
    cmd_json_text(root, "tape", path);
    cmd_json_flag(root, "sound", found->code == ERROR_NONE);
    cmd_json_text(root, "fault", found->code == ERROR_NONE ? "" : found->text);
    cmd_json_flag(root, "finished", check->finished);
    cmd_json_count(root, "bytes", check->bytes);
    cmd_json_count(root, "good_bytes", check->good_bytes);
    cmd_json_count(root, "blocks", check->blocks);
    cmd_json_count(root, "messages", check->messages);
    cmd_json_count(root, "rows", check->rows);
    cmd_json_count(root, "records", check->records);
    cmd_json_time(root, "first", check->first_ts);
    cmd_json_time(root, "last", check->last_ts);
    cmd_json_text(root, "identity", identity);
    if (found->code == ERROR_NONE) {
        cmd_json_text(root, "grade", tape_grade_letter(look->grade.grade));
        cmd_json_lines(cmd_json_array(root, "grade_reasons"), look->reasons);
    }
    return cmd_json_print(root, false, stdout, error);
}

static void print_text(const char *path, const struct tape_check *check, const struct look *look)
{
    char identity[TAPE_IDENTITY_TEXT_MAX];
    tape_identity_text(check->identity, identity);
    printf("%s: sound: %" PRIu64 " blocks, %" PRIu64 " messages, %" PRIu64 " rows, %" PRIu64
           " records, identity %s\n",
           path, check->blocks, check->messages, check->rows, check->records, identity);
    printf("grade %s: %s\n", tape_grade_letter(look->grade.grade),
           tape_grade_meaning(look->grade.grade));
    cmd_print_lines(look->reasons, "  ", stdout);
}

int cmd_tape_check(int argc, char **argv)
{
    bool json = false;
    const struct cmd_option table[] = {
        CMD_FLAG("json", 0, "print what was found as one JSON object", &json),
    };
    const struct cmd_usage usage = {
        .name = "tape check",
        .arguments = "TAPE",
        .opening =
            "Read all of a tape and compare every hash, length and count on it. A tape that was\n"
            "cut, that was not finished or of which a single bit changed is bad input: exit\n"
            "status 2 and one line that names the block and the byte. Of a sound one the grade is\n"
            "told: how far to trust what stands on it, with the reasons.\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    struct tape_check check;
    struct error found = {0}, error = {0};
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    struct look look = {.header = NULL};
    const struct tape_visitor visitor = {
        .begin = begin, .take = take, .end = end, .context = &look};
    status = tape_check_visit(arguments.items[0], &check, &visitor, &found);
    int printed = json ? print_json(arguments.items[0], &check, &look, &found, &error) : 0;
    if (!json && status == ERROR_NONE)
        print_text(arguments.items[0], &check, &look);
    close_look(&look);
    if (printed != ERROR_NONE)
        return cmd_fail(usage.name, &error);
    return status == ERROR_NONE ? ERROR_NONE : cmd_fail(usage.name, &found);
}

static void print_recovery(const char *path, const struct tape_recovery *recovery)
{
    if (recovery->was_finished && recovery->messages == 0) {
        printf("%s: finished: %" PRIu64 " blocks, nothing to recover\n", path, recovery->blocks);
        return;
    }
    printf("%s: %" PRIu64 " blocks; %" PRIu64 " messages of %" PRIu64
           " journals brought onto it, %" PRIu64 " torn bytes cut off; lost: %" PRIu64
           " entries of %" PRIu64 " bytes; cancels that left unwritten: %" PRIu64 "\n",
           path, recovery->blocks, recovery->messages, recovery->journals, recovery->torn_bytes,
           recovery->lost_entries, recovery->lost_bytes, recovery->unwritten);
}

int cmd_tape_recover(int argc, char **argv)
{
    const struct cmd_usage usage = {
        .name = "tape recover",
        .arguments = "TAPE",
        .opening =
            "Bring what stands in the journals beside the tape of a session that was killed onto\n"
            "that tape, cut a torn end off, and say what was found, without starting a session.\n"
            "Done again it changes nothing. A tape that a process writes is bad input. The tape\n"
            "stays unfinished: a session can go on with it, `capstan tape repair` gives it an "
            "end.\n",
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    struct tape_recovery recovery;
    struct error error = {0};
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    if (tape_recover(arguments.items[0], &recovery, &error) != 0)
        return cmd_fail(usage.name, &error);
    print_recovery(arguments.items[0], &recovery);
    return ERROR_NONE;
}

int cmd_tape_repair(int argc, char **argv)
{
    const char *output = NULL;
    const struct cmd_option table[] = {
        CMD_TEXT("output", 'o', "TAPE", "the tape to write, another file", &output),
    };
    const struct cmd_usage usage = {
        .name = "tape repair",
        .arguments = "TAPE -o TAPE",
        .opening =
            "Write the whole blocks of a tape whose end is missing or torn as a finished tape.\n"
            "An index or end mark that is missing or damaged is made anew. Damage in the middle\n"
            "is refused: what follows it would be lost without a trace.\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    struct tape_check check;
    struct error error = {0};
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    status = tape_need_output(usage.name, output, arguments.items[0]);
    if (status != 0)
        return status;
    if (tape_repair(arguments.items[0], output, &check, &error) != 0)
        return cmd_fail(usage.name, &error);
    printf("%s: %" PRIu64 " blocks with %" PRIu64 " messages; %" PRIu64 " of %" PRIu64
           " bytes of %s %s\n",
           output, check.blocks, check.messages,
           check.finished ? check.bytes : check.bytes - check.good_bytes, check.bytes,
           arguments.items[0],
           check.finished ? "kept: nothing was wrong" : "left out: damaged or without their index");
    return ERROR_NONE;
}
