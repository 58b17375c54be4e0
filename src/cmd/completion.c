/* Completion for bash, zsh and fish: the words of every command and group as a table in the shell's own language, and a
 * few lines that walk along it. See pages.h. */
#include <string.h>

#include "cmd/pages.h"

/* The path of a group: "" for capstan, "tape" for "capstan tape". */
static const char *group_path(const struct cmd_group *group)
{
    const char *space = strchr(group->name, ' ');
    return space != NULL ? space + 1 : "";
}

/* Within single quotes, and what zsh's option descriptions give a meaning besides. */
static void put_quoted(const char *text, const char *escaped)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr(escaped, *text) != NULL)
            printf("\\%c", *text);
        else
            fputc(*text, stdout);
    }
}

/* --- bash --------------------------------------------------------------------------------------- */

static void bash_command(void *context, const struct cmd_usage *usage)
{
    (void)context;
    printf("    '%s') words='", usage->name);
    for (size_t i = 0; i < usage->option_count; i++)
        printf("--%s%s ", usage->options[i].name, usage->options[i].value != NULL ? "=" : "");
    fputs("--help' ;;\n", stdout);
}

static void bash_group(void *context, const struct cmd_group *group)
{
    (void)context;
    printf("    '%s') words='", group_path(group));
    for (size_t i = 0; i < group->entry_count; i++)
        if (group->entries[i].line != NULL)
            printf("%s ", group->entries[i].name);
    fputs("' ;;\n", stdout);
}

void pages_bash(const struct cmd_group *group)
{
    const struct cmd_describer describer = {.command = bash_command, .group = bash_group};
    fputs("# Completion of capstan for bash, made by capstan pages.\n"
          "_capstan_words()\n{\n    words=\n    case \"$1\" in\n",
          stdout);
    pages_visit(group, &describer, NULL);
    fputs("    esac\n}\n\n_capstan_settings='", stdout);
    for (size_t i = 0; i < setting_count(); i++)
        printf("%s= ", setting_info(i)->name);
    fputs("'\n\n"
          "_capstan()\n{\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} where='' words i\n"
          "    local before=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    [[ $current == = ]] && current=\n"
          "    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    _capstan_words ''\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        [[ $words == -* ]] && break\n"
          "        where=\"${where:+$where }${COMP_WORDS[i]}\"\n"
          "        _capstan_words \"$where\"\n"
          "    done\n"
          "    if [[ $before == --set ]]; then\n"
          "        words=$_capstan_settings\n"
          "    elif [[ $words == -* && $current != -* ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
          "        compopt -o filenames 2>/dev/null\n"
          "        return\n"
          "    fi\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
          "    [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null\n"
          "}\n"
          "complete -F _capstan capstan\n",
          stdout);
}

/* --- zsh ---------------------------------------------------------------------------------------- */

/* One way to write an option: '(-c --config)--config=[line]:FILE:_files'. */
static void zsh_option(const struct cmd_option *option, bool letter)
{
    bool many = option->kind == CMD_KIND_LIST;
    fputs(" '", stdout);
    if (many)
        fputc('*', stdout);
    else if (option->letter != 0)
        printf("(-%c --%s)", option->letter, option->name);
    if (letter)
        printf("-%c", option->letter);
    else
        printf("--%s%s", option->name, option->value != NULL ? "=" : "");
    fputc('[', stdout);
    put_quoted(option->line, "[]:\\");
    fputc(']', stdout);
    if (option->value != NULL) {
        fputc(':', stdout);
        put_quoted(option->value, ":\\");
        fputs(strcmp(option->name, "set") == 0 ? ":($capstan_settings)" : ":_files", stdout);
    }
    fputc('\'', stdout);
}

static void zsh_command(void *context, const struct cmd_usage *usage)
{
    (void)context;
    printf("    '%s') options=(", usage->name);
    for (size_t i = 0; i < usage->option_count; i++) {
        if (usage->options[i].letter != 0)
            zsh_option(&usage->options[i], true);
        zsh_option(&usage->options[i], false);
    }
    fputs(" '--help[print this help]') ;;\n", stdout);
}

static void zsh_group(void *context, const struct cmd_group *group)
{
    (void)context;
    printf("    '%s') entries=(", group_path(group));
    for (size_t i = 0; i < group->entry_count; i++) {
        if (group->entries[i].line == NULL)
            continue;
        printf(" '%s:", group->entries[i].name);
        put_quoted(group->entries[i].line, "");
        fputc('\'', stdout);
    }
    fputs(") ;;\n", stdout);
}

void pages_zsh(const struct cmd_group *group)
{
    const struct cmd_describer describer = {.command = zsh_command, .group = zsh_group};
    fputs("#compdef capstan\n"
          "# Completion of capstan for zsh, made by capstan pages.\n"
          "_capstan_table()\n{\n    entries=()\n    options=()\n    case \"$1\" in\n",
          stdout);
    pages_visit(group, &describer, NULL);
    fputs("    esac\n}\n\n_capstan()\n{\n    local -a entries options capstan_settings\n"
          "    local where='' i=2\n    capstan_settings=(",
          stdout);
    for (size_t i = 0; i < setting_count(); i++)
        printf(" %s=", setting_info(i)->name);
    fputs(")\n"
          "    _capstan_table ''\n"
          "    while ((${#entries} && i < CURRENT)); do\n"
          "        where=\"${where:+$where }$words[i]\"\n"
          "        _capstan_table \"$where\"\n"
          "        ((i++))\n"
          "    done\n"
          "    if ((${#entries})); then\n"
          "        _describe command entries\n"
          "    else\n"
          "        _arguments -s $options '*:file:_files'\n"
          "    fi\n"
          "}\n"
          "_capstan \"$@\"\n",
          stdout);
}

/* --- fish --------------------------------------------------------------------------------------- */

static void fish_command(void *context, const struct cmd_usage *usage)
{
    (void)context;
    for (size_t i = 0; i < usage->option_count; i++) {
        const struct cmd_option *option = &usage->options[i];
        printf("complete -c capstan -n '__capstan_in %s' -l %s", usage->name, option->name);
        if (option->letter != 0)
            printf(" -s %c", option->letter);
        if (option->value != NULL)
            fputs(strcmp(option->name, "set") == 0 ? " -x -a '(__capstan_settings)'" : " -r -F",
                  stdout);
        fputs(" -d '", stdout);
        put_quoted(option->line, "\\");
        fputs("'\n", stdout);
    }
}

static void fish_group(void *context, const struct cmd_group *group)
{
    (void)context;
    for (size_t i = 0; i < group->entry_count; i++) {
        const struct cmd_entry *entry = &group->entries[i];
        if (entry->line == NULL)
            continue;
        printf("complete -c capstan -n '__capstan_at %s' -f -a %s -d '", group_path(group),
               entry->name);
        put_quoted(entry->line, "\\");
        fputs("'\n", stdout);
    }
}

void pages_fish(const struct cmd_group *group)
{
    const struct cmd_describer describer = {.command = fish_command, .group = fish_group};
    fputs(
        "# Completion of capstan for fish, made by capstan pages.\n"
        "function __capstan_in\n"
        "    set -l words (commandline -opc)\n"
        "    set -e words[1]\n"
        "    test (count $words) -ge (count $argv); or return 1\n"
        "    for i in (seq (count $argv))\n"
        "        test \"$words[$i]\" = \"$argv[$i]\"; or return 1\n"
        "    end\n"
        "end\n"
        "function __capstan_at\n"
        "    __capstan_in $argv; and test (count (commandline -opc)) -eq (math (count $argv) + 1)\n"
        "end\n"
        "function __capstan_settings\n"
        "    string split ' ' '",
        stdout);
    for (size_t i = 0; i < setting_count(); i++)
        printf("%s%s=", i > 0 ? " " : "", setting_info(i)->name);
    fputs("'\nend\n", stdout);
    pages_visit(group, &describer, NULL);
}
