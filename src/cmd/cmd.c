/* Groups of commands, errors on standard error and checked standard output. See cmd/cmd.h. */
#include "config.h"

#include "cmd/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/nearest.h"

enum { NAME_COLUMN = 11 };

static const struct cmd_entry *group_find(const struct cmd_group *group, const char *name)
{
    for (size_t i = 0; i < group->entry_count; i++) {
        if (strcmp(group->entries[i].name, name) == 0)
            return &group->entries[i];
    }
    return NULL;
}

static const struct cmd_describer *described_to;

void cmd_describe_to(const struct cmd_describer *describer)
{
    described_to = describer;
}

const struct cmd_describer *cmd_describer(void)
{
    return described_to;
}

static int group_help(const struct cmd_group *group)
{
    if (described_to != NULL) {
        described_to->group(described_to->context, group);
        return ERROR_NONE;
    }
    printf("%s\nUsage: %s COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n", group->opening,
           group->name);
    for (size_t i = 0; i < group->entry_count; i++) {
        const struct cmd_entry *entry = &group->entries[i];
        if (entry->line != NULL)
            printf("  %-*s %s\n", NAME_COLUMN, entry->name, entry->line);
    }
    if (group->closing != NULL)
        printf("\n%s", group->closing);
    return ERROR_NONE;
}

static int group_unknown(const struct cmd_group *group, const char *word)
{
    const char *near = NULL;
    unsigned distance = nearest_limit(word);
    for (size_t i = 0; i < group->entry_count; i++) {
        if (group->entries[i].line != NULL)
            nearest_offer(word, group->entries[i].name, &near, &distance);
    }
    const char *what = word[0] == '-' ? "option" : "command";
    if (near != NULL) {
        fprintf(stderr, "%s: there is no %s '%s'; did you mean '%s'?\n", group->name, what, word,
                near);
    } else {
        fprintf(stderr, "%s: there is no %s '%s'; '%s --help' lists what there is\n", group->name,
                what, word, group->name);
    }
    return ERROR_INPUT;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* `help`, or `help WORD…`: the help of WORD is what WORD says to --help. */
static int group_help_about(const struct cmd_group *group, int argc, char **argv)
{
    char option[] = "--help";
    if (argc < 2 || strcmp(argv[1], "help") == 0 || is_help(argv[1]))
        return group_help(group);
    const struct cmd_entry *entry = group_find(group, argv[1]);
    if (entry == NULL)
        return group_unknown(group, argv[1]);
    char *words[4] = {NULL};
    int count = 0;
    for (int i = 1; i < argc && count < 2; i++)
        words[count++] = argv[i];
    words[count++] = option;
    return entry->run(count, words);
}

int cmd_dispatch(const struct cmd_group *group, int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "%s: say which command; '%s --help' lists them\n", group->name,
                group->name);
        return ERROR_INPUT;
    }
    const char *word = argv[1];
    if (is_help(word))
        return group_help(group);
    if (strcmp(word, "help") == 0)
        return group_help_about(group, argc - 1, argv + 1);
    const struct cmd_entry *entry = group_find(group, word);
    if (entry == NULL)
        return group_unknown(group, word);
    return entry->run(argc - 1, argv + 1);
}

static void print_failure(const char *name, const char *text)
{
    /* What the command printed so far stands before its error, whatever both streams lead to. */
    fflush(stdout);
    fprintf(stderr, "capstan%s%s: %s\n", name == NULL ? "" : " ", name == NULL ? "" : name, text);
}

int cmd_fail(const char *name, const struct error *error)
{
    print_failure(name, error->text);
    return error->code;
}

int cmd_fail_with(const char *name, enum error_code code, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    print_failure(name, text);
    return code;
}

static int output_cause; /* errno of the first write to standard output that failed */

void cmd_output_failed(void)
{
    if (output_cause == 0)
        output_cause = errno;
}

int cmd_flush(FILE *stream, const char *what, struct error *error)
{
    errno = 0;
    if (fflush(stream) == 0 && !ferror(stream))
        return ERROR_NONE;
    int cause = errno != 0 ? errno : stream == stdout ? output_cause : 0;
    return error_set(error, ERROR_SYSTEM, "cannot write to %s: %s", what,
                     cause != 0 ? strerror(cause) : "an earlier write failed");
}

int cmd_check_output(const char *option, const char *output, const char *const *inputs,
                     size_t input_count, struct error *error)
{
    struct stat written, read;
    if (output == NULL || stat(output, &written) != 0)
        return ERROR_NONE;
    for (size_t i = 0; i < input_count; i++) {
        if (inputs[i] == NULL || stat(inputs[i], &read) != 0 || written.st_dev != read.st_dev ||
            written.st_ino != read.st_ino || !S_ISREG(written.st_mode))
            continue;
        return error_set(error, ERROR_INPUT,
                         "%s %.400s: is %.400s, which is read; expected another file", option,
                         output, inputs[i]);
    }
    return ERROR_NONE;
}

/* The folder of a path that names no file yet, and the name in it. */
static bool split_path(const char *path, struct stat *folder, const char **last)
{
    char text[4096];
    const char *slash = strrchr(path, '/');
    *last = slash ? slash + 1 : path;
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    if (length >= sizeof text)
        return false;
    memcpy(text, path, length);
    text[length] = 0;
    return stat(length ? text : ".", folder) == 0;
}

/* A device (/dev/null) may be written twice. */
static bool same_output(const char *one, const char *other)
{
    struct stat a, b;
    const char *last_a, *last_b;
    if (stat(one, &a) == 0 && stat(other, &b) == 0)
        return S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    return split_path(one, &a, &last_a) && split_path(other, &b, &last_b) && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino && strcmp(last_a, last_b) == 0;
}

int cmd_check_outputs_differ(const struct cmd_output *outputs, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (outputs[i].path && outputs[j].path && same_output(outputs[i].path, outputs[j].path))
                return error_set(error, ERROR_INPUT,
                                 "%s %.400s: is the file of %s too; expected another file",
                                 outputs[j].option, outputs[j].path, outputs[i].option);
    return ERROR_NONE;
}

int cmd_list_add(struct cmd_list *list, const char *text, struct error *error)
{
    const char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL)
        return error_set(error, ERROR_SYSTEM, "out of memory");
    items[list->count++] = text;
    list->items = items;
    return ERROR_NONE;
}

void cmd_list_free(struct cmd_list *list)
{
    free(list->items);
    *list = (struct cmd_list){0};
}
