/* Manual pages, and what tells of all commands. See pages.h. */
#include "config.h"

#include "cmd/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/roff.h"

static const char name[] = "pages";

/* --- all commands ------------------------------------------------------------------------------- */

struct visit {
    const struct cmd_describer *to;
    const char **line;
};

static void visit_group(void *context, const struct cmd_group *group)
{
    const struct visit *visit = context;
    char option[] = "--help";
    visit->to->group(visit->to->context, group);
    for (size_t i = 0; i < group->entry_count; i++) {
        const struct cmd_entry *entry = &group->entries[i];
        if (entry->line == NULL || strcmp(entry->name, "help") == 0)
            continue;
        char word[32];
        snprintf(word, sizeof word, "%s", entry->name);
        char *words[] = {word, option, NULL};
        if (visit->line != NULL)
            *visit->line = entry->line;
        entry->run(2, words);
    }
}

static void visit_command(void *context, const struct cmd_usage *usage)
{
    const struct visit *visit = context;
    visit->to->command(visit->to->context, usage);
}

void pages_visit(const struct cmd_group *group, const struct cmd_describer *describer,
                 const char **line)
{
    struct visit visit = {.to = describer, .line = line};
    const struct cmd_describer own = {
        .command = visit_command, .group = visit_group, .context = &visit};
    cmd_describe_to(&own);
    visit_group(&visit, group);
    cmd_describe_to(NULL);
}

/* --- manual pages ------------------------------------------------------------------------------- */

struct manual {
    const char *folder;
    const char *line; /* what the group says of the command */
    struct error *error;
};

/* "tape cut" is capstan-tape-cut. */
static void page_name(char out[64], const char *command)
{
    snprintf(out, 64, "capstan-%s", command);
    for (char *at = out; *at != '\0'; at++)
        if (*at == ' ')
            *at = '-';
}

static FILE *page_open(const struct manual *manual, const char *command, const char *arguments)
{
    char page[64], path[4096], title[64];
    page_name(page, command);
    snprintf(path, sizeof path, "%s/%s.1", manual->folder, page);
    FILE *to = fopen(path, "w");
    if (to == NULL) {
        error_set(manual->error, ERROR_SYSTEM, "%s: can't be made: %s", path, strerror(errno));
        return NULL;
    }
    snprintf(title, sizeof title, "%s", page);
    for (char *at = title; *at != '\0'; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    fprintf(to, ".\\\" Made by capstan pages.\n.TH %s 1 \"\" \"Capstan %s\" \"User Commands\"\n",
            title, PACKAGE_VERSION);
    fprintf(to, ".SH NAME\n%s \\- ", page);
    roff_words(to, manual->line);
    fprintf(to, "\n.SH SYNOPSIS\n.B capstan %s\n", command);
    roff_words(to, arguments);
    fputs("\n.SH DESCRIPTION\n", to);
    return to;
}

static void page_close(const struct manual *manual, FILE *to, const char *closing, const char *also)
{
    if (closing != NULL) {
        fputs(".SH NOTES\n", to);
        roff_text(to, closing);
    }
    fprintf(to, ".SH SEE ALSO\n.BR capstan (1)%s\n", also);
    if (fflush(to) != 0 || ferror(to))
        error_set(manual->error, ERROR_SYSTEM, "%s: a page can't be written", manual->folder);
    fclose(to);
}

static void manual_option(FILE *to, const struct cmd_option *option)
{
    fputs(".TP\n\\fB", to);
    if (option->letter != 0)
        fprintf(to, "\\-%c\\fR, \\fB", option->letter);
    fputs("\\-\\-", to);
    roff_words(to, option->name);
    fputs("\\fR", to);
    if (option->value != NULL) {
        fputs("=\\fI", to);
        roff_words(to, option->value);
        fputs("\\fR", to);
    }
    fputc('\n', to);
    roff_words(to, option->line);
    fputs(".\n", to);
}

static void manual_command(void *context, const struct cmd_usage *usage)
{
    const struct manual *manual = context;
    char arguments[256];
    snprintf(arguments, sizeof arguments, "%s%s%s", usage->option_count > 0 ? "[OPTION]..." : "",
             usage->option_count > 0 && usage->arguments[0] != '\0' ? " " : "", usage->arguments);
    FILE *to = page_open(manual, usage->name, arguments);
    if (to == NULL)
        return;
    roff_text(to, usage->opening);
    fputs(".SH OPTIONS\n", to);
    bool settings = false;
    for (size_t i = 0; i < usage->option_count; i++) {
        manual_option(to, &usage->options[i]);
        settings |= strcmp(usage->options[i].name, "set") == 0;
    }
    fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nprint this help.\n", to);
    if (settings)
        fputs(".PP\nEvery setting, its range and its default stand in\n.BR capstan (1).\n", to);
    page_close(manual, to, usage->closing, "");
}

static void manual_group(void *context, const struct cmd_group *group)
{
    const struct manual *manual = context;
    const char *command = strchr(group->name, ' ');
    if (command == NULL)
        return; /* capstan itself: docs/capstan.1 */
    FILE *to = page_open(manual, command + 1, "COMMAND [OPTION]... [ARGUMENT]...");
    if (to == NULL)
        return;
    roff_text(to, group->opening);
    fputs(".SH COMMANDS\n", to);
    for (size_t i = 0; i < group->entry_count; i++) {
        const struct cmd_entry *entry = &group->entries[i];
        if (entry->line == NULL)
            continue;
        fprintf(to, ".TP\n.BR capstan\\-%s\\-%s (1)\n", command + 1, entry->name);
        roff_words(to, entry->line);
        fputs(".\n", to);
    }
    page_close(manual, to, group->closing, "");
}

/* The commands of capstan(1), for scripts/settings-pages. */
static void print_list(const struct cmd_group *group)
{
    for (size_t i = 0; i < group->entry_count; i++) {
        const struct cmd_entry *entry = &group->entries[i];
        if (entry->line == NULL || strcmp(entry->name, "help") == 0)
            continue;
        printf(".TP\n.BR capstan\\-%s (1)\n", entry->name);
        roff_words(stdout, entry->line);
        fputs(".\n", stdout);
    }
}

int pages(const struct cmd_group *group, int argc, char **argv)
{
    static const struct cmd_usage usage = {
        .name = name,
        .arguments = "man FOLDER|list|bash|zsh|fish",
        .opening =
            "Write a manual page for each command to a folder, or print the list of commands\n"
            "of capstan(1), or a shell's completion.\n",
        .arguments_least = 1,
        .arguments_most = 2,
    };
    struct cmd_arguments arguments;
    struct error error = {0};
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    const char *word = arguments.items[0];
    if (strcmp(word, "man") == 0 && arguments.count == 2) {
        struct manual manual = {.folder = arguments.items[1], .line = "", .error = &error};
        const struct cmd_describer describer = {
            .command = manual_command, .group = manual_group, .context = &manual};
        pages_visit(group, &describer, &manual.line);
    } else if (strcmp(word, "list") == 0)
        print_list(group);
    else if (strcmp(word, "bash") == 0)
        pages_bash(group);
    else if (strcmp(word, "zsh") == 0)
        pages_zsh(group);
    else if (strcmp(word, "fish") == 0)
        pages_fish(group);
    else
        return cmd_fail_with(name, ERROR_INPUT, "'%s': expected %s", word, usage.arguments);
    return error.code ? cmd_fail(name, &error) : ERROR_NONE;
}
