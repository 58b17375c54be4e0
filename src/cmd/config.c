/* capstan config: show the effective settings, check a file, and write the settings' part of the
 * pages in docs/. */
#include "cmd/cmd.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/roff.h"

static int config_show(int argc, char **argv)
{
    struct cmd_config_options options = {0};
    const struct cmd_option table[] = {CMD_CONFIG_OPTIONS(&options)};
    const struct cmd_usage usage = {
        .name = "config show",
        .arguments = "",
        .opening = "Print every setting with the value that a command would use, as YAML that\n"
                   "reads back to the same. Defaults, then each file of -c in its order, then the\n"
                   "environment (CAPSTAN_QUOTE__SIZE=10lot), then --set: the later one wins.\n",
        .closing = "Examples:\n"
                   "  capstan config show > capstan.yaml\n"
                   "  capstan config show -c capstan.yaml --set quote.size=0.010\n"
                   "  capstan config show --set venues.binance_spot.sim.entry_latency=2ms\n"
                   "  capstan config show --set instruments.binance_spot:BTCUSDT.quote.levels=5\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
    };
    struct cmd_arguments arguments;
    struct config *config = NULL;
    struct error error = {0};
    char *text = NULL;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        goto free_options;
    status = cmd_load_config(&options, &config, &error);
    if (status == ERROR_NONE)
        status = config_to_text(config, &text, &error);
    if (status == ERROR_NONE)
        fputs(text, stdout);
    else
        cmd_fail(usage.name, &error);
    free(text);
    config_free(&config);
free_options:
    cmd_config_options_free(&options);
    return status;
}

/* What was read, as far as the command line names it. */
static void print_right(const struct cmd_config_options *options)
{
    for (size_t i = 0; i < options->files.count; i++)
        printf("%s%s", i > 0 ? ", " : "", options->files.items[i]);
    printf("%s: every setting is right\n",
           options->files.count == 0 ? "environment and --set" : "");
}

static int config_check_layers(int argc, char **argv)
{
    struct cmd_config_options options = {0};
    const struct cmd_option table[] = {CMD_CONFIG_OPTIONS(&options)};
    const struct cmd_usage usage = {
        .name = "config check",
        .arguments = "[FILE]",
        .opening = "Say whether every name, unit and range in a file of settings is right, and\n"
                   "whether settings contradict each other. What counts is what a command with\n"
                   "the same options would use: each file of -c, FILE, the environment, --set.\n"
                   "Whether a tape has the venues and instruments that are named shows when both\n"
                   "meet, in 'capstan replay'.\n",
        .closing = "Examples:\n"
                   "  capstan config check capstan.yaml\n"
                   "  capstan config check -c capstan.yaml -c night.yaml --set quote.levels=2\n",
        .options = table,
        .option_count = sizeof table / sizeof table[0],
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    struct config *config = NULL;
    struct error error = {0};
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        goto free_options;
    status = ERROR_NONE;
    if (arguments.count > 0)
        status = cmd_list_add(&options.files, arguments.items[0], &error);
    if (status == ERROR_NONE)
        status = cmd_load_config(&options, &config, &error);
    if (status == ERROR_NONE)
        status = cmd_check_config(usage.name, config, &error);
    if (status == ERROR_NONE)
        print_right(&options);
    else
        cmd_fail(usage.name, &error);
    config_free(&config);
free_options:
    cmd_config_options_free(&options);
    return status;
}

/* "a or b" of "a|b": a bar would end the cell of a table. */
static void print_words(const char *words, const char *before, const char *after)
{
    const char *between = ", ";
    for (; *words != '\0'; words += *words == '|') {
        size_t width = strcspn(words, "|");
        printf("%s%s%.*s%s", between, before, (int)width, words, after);
        between = " or ";
        words += width;
    }
}

/* ", 0 to 10" as the documentation has it. */
static void print_range(const struct setting_info *info, const char *before, const char *after)
{
    if (strcmp(info->type, "CHOICE") == 0)
        print_words(info->least, before, after);
    else if (info->least[0] != '\0' && info->most[0] != '\0')
        printf(", %s%s%s to %s%s%s", before, info->least, after, before, info->most, after);
    else if (info->least[0] != '\0')
        printf(", from %s%s%s", before, info->least, after);
}

static const char *type_word(const char *type)
{
    static const char *const words[][2] = {
        {"INTEGER", "whole number"},
        {"DURATION", "time"},
        {"RATIO", "share"},
        {"FLAG", "yes or no"},
        {"PRICES", "price difference"},
        {"SIZES", "quantity"},
        {"BALANCES", "balances"},
        {"CHOICE", "word"},
        {"AMOUNT", "amount"},
        {"TEXT", "text"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i][0], type) == 0)
            return words[i][1];
    }
    return type;
}

static void print_man(void)
{
    const char *scope = "";
    for (size_t i = 0; i < setting_count(); i++) {
        const struct setting_info *info = setting_info(i);
        if (strcmp(scope, info->scope) != 0) {
            scope = info->scope;
            printf(".SS Settings of scope %s\n", scope);
        }
        fputs(".TP\n.B ", stdout);
        roff_words(stdout, info->name);
        fputs("\n", stdout);
        roff_words(stdout, info->line);
        printf(" (%s", type_word(info->type));
        print_range(info, "", "");
        fputs("; default ", stdout);
        roff_words(stdout, info->initial[0] != '\0' ? info->initial : "none");
        fputs(").\n", stdout);
    }
}

static void print_markdown(void)
{
    const char *scope = "";
    fputs("# Settings\n\n"
          "Made from the table in `src/config/settings.h` by `scripts/settings-pages`; change it\n"
          "there. How settings are given, and which wins, stands in `man capstan`.\n",
          stdout);
    for (size_t i = 0; i < setting_count(); i++) {
        const struct setting_info *info = setting_info(i);
        if (strcmp(scope, info->scope) != 0) {
            scope = info->scope;
            printf("\n## Scope: %s\n\n| setting | value | default | meaning |\n|---|---|---|---|\n",
                   scope);
        }
        printf("| `%s` | %s", info->name, type_word(info->type));
        print_range(info, "`", "`");
        printf(" | %s%s%s | %s |\n", info->initial[0] != '\0' ? "`" : "",
               info->initial[0] != '\0' ? info->initial : "none",
               info->initial[0] != '\0' ? "`" : "", info->line);
    }
}

/* `config pages man|markdown`: for scripts/settings-pages; help does not list it. */
static int config_pages(int argc, char **argv)
{
    static const struct cmd_usage usage = {
        .name = "config pages",
        .arguments = "man|markdown",
        .opening = "Print the settings' part of docs/capstan.1, or docs/settings.md.\n",
        .arguments_least = 1,
        .arguments_most = 1,
    };
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    if (strcmp(arguments.items[0], "man") == 0)
        print_man();
    else if (strcmp(arguments.items[0], "markdown") == 0)
        print_markdown();
    else
        return cmd_fail_with(usage.name, ERROR_INPUT, "'%s' is neither man nor markdown",
                             arguments.items[0]);
    return ERROR_NONE;
}

int cmd_config(int argc, char **argv)
{
    static const struct cmd_entry entries[] = {
        {"show", config_show, "print every setting with its value"},
        {"check", config_check_layers, "say whether settings are right"},
        {"pages", config_pages, NULL},
    };
    static const struct cmd_group group = {
        .name = "capstan config",
        .opening =
            "Show and check settings. They come from a YAML file, the environment and --set.\n",
        .closing = "Example: write down all settings, change one, check the file.\n"
                   "  capstan config show > capstan.yaml\n"
                   "  capstan config check capstan.yaml\n",
        .entries = entries,
        .entry_count = sizeof entries / sizeof entries[0],
    };
    return cmd_dispatch(&group, argc, argv);
}
