/* The option parser of every command: getopt_long driven by a struct cmd_usage. See cmd/cmd.h. */
#include "cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "config/nearest.h"

enum { OPTIONS_MAX = 32, LONG_BASE = 256, HELP_CODE = LONG_BASE + OPTIONS_MAX, LEFT_COLUMN = 26 };

static void print_option(const struct cmd_option *option)
{
    char left[80];
    const char *before = option->kind == CMD_KIND_FLAG ? "" : "=";
    const char *value = option->value == NULL ? "" : option->value;
    if (option->letter != 0)
        snprintf(left, sizeof left, "-%c, --%s%s%s", option->letter, option->name, before, value);
    else
        snprintf(left, sizeof left, "    --%s%s%s", option->name, before, value);
    if (strlen(left) > LEFT_COLUMN)
        printf("  %s\n  %*s ", left, LEFT_COLUMN, "");
    else
        printf("  %-*s ", LEFT_COLUMN, left);
    for (const char *c = option->line; *c != '\0'; c++) {
        putchar(*c);
        if (*c == '\n')
            printf("  %*s ", LEFT_COLUMN, "");
    }
    putchar('\n');
}

static void print_usage(const struct cmd_usage *usage)
{
    const struct cmd_describer *describer = cmd_describer();
    if (describer != NULL) {
        describer->command(describer->context, usage);
        return;
    }
    printf("Usage: capstan %s%s%s%s\n\n%s\nOptions:\n", usage->name,
           usage->option_count > 0 ? " [OPTION]..." : "", usage->arguments[0] != '\0' ? " " : "",
           usage->arguments, usage->opening);
    for (size_t i = 0; i < usage->option_count; i++)
        print_option(&usage->options[i]);
    printf("  %-*s %s\n", LEFT_COLUMN, "-h, --help", "print this help");
    if (usage->closing != NULL)
        printf("\n%s", usage->closing);
}

/* What getopt_long wants, made from the table. Codes: LONG_BASE + index, or HELP_CODE. */
struct tables {
    char letters[2 * OPTIONS_MAX + 4];
    struct option names[OPTIONS_MAX + 2];
};

static void tables_fill(const struct cmd_usage *usage, struct tables *tables)
{
    ASSERT(usage->option_count <= OPTIONS_MAX);
    memset(tables, 0, sizeof *tables);
    size_t length = 0;
    tables->letters[length++] = ':'; /* getopt: tell a missing value from an unknown option */
    for (size_t i = 0; i < usage->option_count; i++) {
        const struct cmd_option *option = &usage->options[i];
        bool flag = option->kind == CMD_KIND_FLAG;
        tables->names[i] = (struct option){option->name, flag ? no_argument : required_argument,
                                           NULL, LONG_BASE + (int)i};
        if (option->letter == 0)
            continue;
        tables->letters[length++] = option->letter;
        if (!flag)
            tables->letters[length++] = ':';
    }
    tables->letters[length] = 'h';
    tables->names[usage->option_count] = (struct option){"help", no_argument, NULL, HELP_CODE};
}

static int refuse_unknown(const struct cmd_usage *usage, const char *word)
{
    const char *near = NULL;
    if (strncmp(word, "--", 2) == 0) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
        unsigned distance = nearest_limit(name);
        nearest_offer(name, "help", &near, &distance);
        for (size_t i = 0; i < usage->option_count; i++)
            nearest_offer(name, usage->options[i].name, &near, &distance);
    }
    if (near != NULL) {
        return cmd_fail_with(usage->name, ERROR_INPUT,
                             "there is no option '%.*s'; did you mean '--%s'?",
                             (int)strcspn(word, "="), word, near);
    }
    return cmd_fail_with(usage->name, ERROR_INPUT,
                         "there is no option '%s'; 'capstan %s --help' lists what there is", word,
                         usage->name);
}

static int take_count(const struct cmd_option *option, const char *text, struct error *error)
{
    struct number number = number_from_text(text, strlen(text), 0);
    if (number.status != NUMBER_VALUE || number.units < option->least ||
        number.units > option->most) {
        return error_set(error, ERROR_INPUT,
                         "'%s' is not a whole number from %" PRId64 " to %" PRId64, text,
                         option->least, option->most);
    }
    *option->target.integer = number.units;
    return ERROR_NONE;
}

static int take(const struct cmd_option *option, const char *text, struct error *error)
{
    switch ((enum cmd_option_kind)option->kind) {
    case CMD_KIND_FLAG:
        *option->target.flag = true;
        return ERROR_NONE;
    case CMD_KIND_TEXT:
        /* As "$OUT" gives it where OUT is not set. */
        if (text[0] == '\0')
            return error_set(error, ERROR_INPUT, "is empty; expected %s", option->value);
        *option->target.text = text;
        return ERROR_NONE;
    case CMD_KIND_LIST:
        return cmd_list_add(option->target.list, text, error);
    case CMD_KIND_TIME:
        return time_from_text(text, strlen(text), option->target.integer, error);
    case CMD_KIND_DURATION:
        return duration_from_text(text, strlen(text), option->target.integer, error);
    case CMD_KIND_COUNT:
        return take_count(option, text, error);
    }
    ASSERT(false); /* every kind of option returned above */
    return ERROR_INPUT;
}

/* Of two values of one option one would be thrown away, and not always the one that is meant. */
static int take_once(const struct cmd_option *option, bool *given, const char *text,
                     struct error *error)
{
    if (*given && option->kind != CMD_KIND_LIST && option->kind != CMD_KIND_FLAG)
        return error_set(error, ERROR_INPUT, "is given twice");
    *given = true;
    return take(option, text, error);
}

static int option_index(const struct cmd_usage *usage, int code)
{
    if (code >= LONG_BASE)
        return code - LONG_BASE;
    for (size_t i = 0; i < usage->option_count; i++) {
        if (usage->options[i].letter == code)
            return (int)i;
    }
    ASSERT(false); /* getopt_long gives letters of the table only */
    return 0;
}

/* One thing that getopt_long found; CMD_CONTINUE or an exit status. */
static int handle(const struct cmd_usage *usage, int code, char **argv, bool given[OPTIONS_MAX])
{
    if (code == HELP_CODE || code == 'h') {
        print_usage(usage);
        return ERROR_NONE;
    }
    const char *word = argv[optind - 1];
    if (code == '?') {
        char letter[3] = {'-', (char)optopt, '\0'};
        bool known_flag = optopt >= LONG_BASE;
        if (known_flag)
            return cmd_fail_with(usage->name, ERROR_INPUT, "'%.*s' takes no value",
                                 (int)strcspn(word, "="), word);
        return refuse_unknown(usage, optopt != 0 ? letter : word);
    }
    if (code == ':')
        return cmd_fail_with(usage->name, ERROR_INPUT, "'%s' needs a value after it", word);
    int index = option_index(usage, code);
    const struct cmd_option *option = &usage->options[index];
    struct error error = {0};
    if (take_once(option, &given[index], optarg, &error) == ERROR_NONE)
        return CMD_CONTINUE;
    error_prefix(&error, "--%s", option->name);
    return cmd_fail(usage->name, &error);
}

static int check_count(const struct cmd_usage *usage, const struct cmd_arguments *arguments)
{
    int count = arguments->count;
    bool few = count < usage->arguments_least;
    bool many = usage->arguments_most != CMD_ARGUMENTS_ANY && count > usage->arguments_most;
    if (few)
        return cmd_fail_with(usage->name, ERROR_INPUT,
                             "an argument is missing; usage: capstan %s [OPTION]... %s",
                             usage->name, usage->arguments);
    if (many && usage->arguments_most == 0)
        return cmd_fail_with(usage->name, ERROR_INPUT,
                             "'%s' is one argument too many; 'capstan %s' takes none",
                             arguments->items[0], usage->name);
    if (many)
        return cmd_fail_with(usage->name, ERROR_INPUT,
                             "'%s' is one argument too many; usage: capstan %s [OPTION]... %s",
                             arguments->items[usage->arguments_most], usage->name,
                             usage->arguments);
    return CMD_CONTINUE;
}

int cmd_parse(const struct cmd_usage *usage, int argc, char **argv, struct cmd_arguments *arguments)
{
    struct tables tables;
    tables_fill(usage, &tables);
    opterr = 0;
    optind = 0; /* glibc and musl: begin anew, also after an earlier call */
    bool given[OPTIONS_MAX] = {false};
    int code;
    while ((code = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1) {
        int status = handle(usage, code, argv, given);
        if (status != CMD_CONTINUE)
            return status;
    }
    arguments->items = argv + optind;
    arguments->count = argc - optind;
    return check_count(usage, arguments);
}
